#ifndef DROVER_TRIAL_SIMULATE_H
#define DROVER_TRIAL_SIMULATE_H

#include <jansson.h>

#include "config/settings.h"
#include "plan/read_priv.h"
#include "trial/trial.h"

/*
 * Policies on a snapshot, with time that passes and figures that stay as they are
 * but for what moves take along: what would the policies do, and why nothing, if
 * they do nothing (droverctl(1), simulate --policy).  Pure.
 *
 * That is the question whatever their mode is, and so modes observe and approve
 * are taken as auto; off stays off.
 */

#define SIMULATE_FOR_MS ((int64_t)3600 * 1000)
#define SIMULATE_FOR_MAX_MS ((int64_t)7 * 24 * 3600 * 1000)
/* What comes by itself (a move ends, a wait is over) is seen when it comes.  Where
 * policies speak of ages, which grow all the time, everything is looked at anew: at
 * least so long apart, and not more often than so many times. */
#define SIMULATE_INTERVAL_MS ((int64_t)10 * 1000)
#define SIMULATE_LOOKS 360

/*
 * A turn takes as long as the guests that are decided about times the hosts.  So
 * that a simulation ends within a minute or so there are only as many as that
 * allows: what happens within a step is then seen together.  More than
 * SIMULATE_SIZE_MAX are too many.
 */
#define SIMULATE_WORK (40 * INT64_C(1000000)) /* guests times hosts, of turns */
#define SIMULATE_SIZE_MAX (20 * INT64_C(1000000)) /* hosts times guests */

struct simulate_options {
	struct wall start;
	int64_t for_ms;   /* 1 to SIMULATE_FOR_MAX_MS */
	const char *file; /* the snapshot's name, for reasons */
};

/*
 * Returns, owned by the caller:
 * {start, for_ms, step_ms (what happens within this span may be seen together),
 *  moves: [{at_ms, ends_ms, policy, vm, from, to, strategy, why (what the policy
 *          saw, and of a balance what the move is for), reason (why there, and
 *          of a balance what the policy saw)}] in order of time,
 *  flags: [{at_ms, host, flag, policy}],
 *  blocked: [{vm, host, policy, reason}] at the end, without those of a balance,
 *          which need not leave,
 *  waiting: guests that would move and are held back at the end,
 *  policies: [policy] in the order in which they act}
 * policy: {policy, file, line, mode, as_auto (true or absent), moves (how many),
 *          state (off, idle, pending, active), since_ms, hosts: [name] (of pending
 *          and active), why, seen: [{condition, subject, truth, count, host, vm,
 *          text}]}, all of it at the end.
 * A guest is named by its UUID where several carry its name.
 */
json_t *trial_simulate(const struct read_snapshot *site,
    const struct settings *settings, const struct simulate_options *options);

#endif
