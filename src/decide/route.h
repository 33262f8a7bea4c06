#ifndef DROVER_DECIDE_ROUTE_H
#define DROVER_DECIDE_ROUTE_H

#include <jansson.h>

#include "decide/evaluate.h"

/*
 * The plan of a drain: what evaluate() is to wish for, and what an operator wants
 * to know before he says yes.  Pure.
 *
 * Most drains need none: each guest goes where the ladder says (place.h), as soon
 * as limits let it.  A plan is made by the planner (plan/evacuate.h) when there
 * is a deadline, and when the ladder leaves a guest behind for which a plan finds
 * a place, by another order or by moving others out of its way.  Only hosts to
 * which place_check() would let a guest go are given to the planner; a guest is
 * restarted to be in time only where the policy's strategies have `restart`.
 *
 * Guests of other hosts are moved out of the way only in sites in which all of
 * them can be looked at: ROUTE_ROOM_PAIRS of guests and hosts.
 */
#define ROUTE_ROOM_PAIRS 10000
/* A host is told when more of its memory than this will be in use, in percent. */
#define ROUTE_FULL 90

struct route_filled {
	const struct snap_host *host;
	int before, after; /* percent of its memory in use */
};

struct route {
	struct wall deadline; /* ms 0: none */
	bool planned;         /* by the planner: the hints are its */
	struct evaluate_hint *hints;
	size_t hint_count;
	int64_t makespan_ms;         /* of the planned; -1: not known */
	const struct snap_vm **late; /* leave after the deadline */
	size_t late_count;
	size_t blocked; /* guests that cannot leave */
	/* By name; they take in guests of this drain. */
	struct route_filled *filled;
	size_t filled_count;
};

/*
 * Of a drain of this host as it is, or as it would be in maintenance now.
 * `input->drains` may hold its options; hints among them are not looked at.
 * What refers to anything lives in the arena or is the snapshot's.
 */
struct route *route_drain(struct arena *arena,
    const struct evaluate_input *input, const struct snap_host *host);

/*
 * {deadline, met, ends, makespan_ms, late: [guest], blocked, filled: [{host,
 * memory_percent_before, memory_percent}], room: [{vm, uuid, from, to, why}]}.
 * deadline, met and late only with a deadline; ends (RFC 3339) and makespan_ms
 * only of a planned one.  `now`: when it begins.
 */
json_t *route_json(
    const struct route *route, const struct snapshot *s, struct wall now);

#endif
