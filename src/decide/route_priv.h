#ifndef DROVER_DECIDE_ROUTE_PRIV_H
#define DROVER_DECIDE_ROUTE_PRIV_H

#include "decide/drain.h"
#include "decide/route.h"
#include "plan/cluster.h"

/* Between route.c and route_cluster.c only. */

struct route_state {
	struct arena *arena;
	const struct evaluate_input *input; /* without hints */
	const struct snap_host *host;
	const struct plan *plan; /* by the ladder */
	struct drain drain;
	struct plan_cluster *cluster;
	const struct snap_vm **vm; /* by guest of the cluster */
	uint32_t index;            /* of the host; PLAN_NONE: not listed */
	uint64_t *may_restart;     /* bits by guest */
};

/* Makes the cluster such that what the planner thinks possible is: only the
 * guests that the drain takes may move, each to the hosts that would let it in,
 * with the memory that is free now. */
void route_make_cluster(struct route_state *state);
/* Guests of other hosts may move as well.  False: there are too many. */
bool route_allow_room(struct route_state *state);

#endif
