#ifndef DROVER_DECIDE_WINDOW_H
#define DROVER_DECIDE_WINDOW_H

#include <stdbool.h>

#include "base/clock.h"
#include "config/policy.h"

/*
 * The windows of a policy: when it may begin something (drover-policy(7)).
 *
 * A window is open while the clock on the wall of its zone shows one of its
 * days and a time from `from_min` up to, and without, `to_min`.  One whose end
 * is not after its beginning goes on to that time of the next day, and its days
 * are those on which it begins.  A time that the clock skips in spring is not
 * there, so that a window inside of it stays shut that day; one that the clock
 * shows twice in autumn is open twice.
 */

/*
 * Is one of the windows open, or are there none?  *out_next_change (NULL
 * allowed) is when the answer becomes another one; ms 0: not within
 * WINDOW_AHEAD_DAYS, as that of a policy without windows never does.
 */
#define WINDOW_AHEAD_DAYS 35
bool window_open(
    const struct policy *policy, struct wall now, struct wall *out_next_change);

#endif
