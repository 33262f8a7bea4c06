#ifndef DROVER_PLAN_EVACUATE_H
#define DROVER_PLAN_EVACUATE_H

#include "base/arena.h"
#include "plan/cluster.h"

/*
 * How a host is emptied: a target for each of its guests, and moves in an order in
 * which each is possible when its turn comes, with memory held at both ends, that
 * ends as soon as found (schedule.h predicts when).  Where guests do not fit
 * anywhere as things are, others are moved out of their way first (parking) and
 * stay where they went; no guest moves twice only to end sooner.  A move is meant to
 * begin at its begin_ms: fewer may be in flight than the limits allow, so that some
 * are out in time.  Pure; ties are broken by UUID and by the order of hosts.
 *
 * What is tried is bounded: EVACUATE_STATES arrangements where there are at most
 * EVACUATE_SMALL hosts and as many guests that may move (below the bound that is
 * all of them, and whoever stays blocked cannot leave together with the others);
 * elsewhere chains of up to EVACUATE_CHAIN guests that make room for one another,
 * within EVACUATE_LOOKS looks at a guest and a host.  A reason tells which it was:
 * "makes no room either" is proven.
 */
#define EVACUATE_SMALL 16
#define EVACUATE_STATES 200000
#define EVACUATE_CHAIN 3
#define EVACUATE_LOOKS 5000000
/* A host is reported when more of its memory than this is taken, in percent. */
#define EVACUATE_FULL 90

struct plan_evacuate_options {
	/* All shall be out by then, from the beginning; 0: none.  As many guests
	 * as possible leave in time, then it ends as soon as possible. */
	int64_t deadline_ms;
	/* Bits by guest index: it runs, and may be shut down instead of moved
	 * live if it would be late otherwise.  NULL: none.  Only with a
	 * deadline. */
	const uint64_t *may_restart;
};

/* The scores are not known here: NAN. */
void plan_evacuate(struct arena *arena, const struct plan_cluster *cluster,
    uint32_t host, const struct plan_evacuate_options *options,
    struct plan_result *out);

struct plan_filled {
	uint32_t host;
	int64_t before, after, memory; /* bytes: taken, taken, of the host */
};

/* What a plan means. */
struct plan_outlook {
	int64_t makespan_ms, deadline_ms;
	bool met; /* nobody is late, nobody stays; also without deadline */
	uint32_t *late; /* guests of the host that leave after the deadline */
	uint32_t late_count;
	/* Hosts above EVACUATE_FULL that take in guests by this plan, by index. */
	struct plan_filled *filled;
	uint32_t filled_count;
	int64_t moved_bytes; /* memory and disks, with parking */
	uint32_t parking_count;
};

void plan_evacuate_outlook(struct arena *arena,
    const struct plan_cluster *cluster, uint32_t host,
    const struct plan_evacuate_options *options,
    const struct plan_result *result, struct plan_outlook *out);

#endif
