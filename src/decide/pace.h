#ifndef DROVER_DECIDE_PACE_H
#define DROVER_DECIDE_PACE_H

#include "decide/place.h"

/*
 * All limits in one place.  May one more move start now, from here to there?
 * The strictest of drover.yaml (total, per_source, per_target), of the host's
 * own (outbound, inbound), of the policy's and of the drain's --parallel.
 */
struct pace_limits {
	int total, per_source, per_target;
}; /* -1: none */

/* NULL: go.  Else the limit that holds it, in words, in the arena:
 * "limit per_source 2 of kvm1 reached". */
const char *pace_check(struct arena *arena, const struct snapshot *s,
    const struct place_ledger *ledger, const struct pace_limits *limits,
    const struct snap_host *from, const struct snap_host *to);

/* The stricter of each. */
struct pace_limits pace_combine(struct pace_limits a, struct pace_limits b);

#endif
