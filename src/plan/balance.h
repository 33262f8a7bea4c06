#ifndef DROVER_PLAN_BALANCE_H
#define DROVER_PLAN_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "plan/cluster.h"

/*
 * Which guests to move so that the load is even (score.h), in an order in which
 * each move is feasible when its turn comes, those that help most first.  Pure.
 *
 * At each step: the target is up, accepts, has the memory and the disk, counting
 * all moves of the same wave at both of their ends; the guest runs, may move, is
 * allowed there and meets nobody of its class; its host is up and accepts, too
 * (others are a drain's to empty); the score falls by min_gain at least, the cost
 * of the move included; no more hosts are exposed (N+1) than were.  A move of which the effect on CPU load is not known is not made.
 */

struct plan_balance_options {
	uint32_t max_moves; /* 0: as many as help */
	double min_gain;    /* least fall of the score by one move */
	/* What a move costs, in score: per GiB sent, per second of downtime. */
	double cost_gib, cost_second;
	/* The plan will be carried out whole: a better end counts more than the
	 * steepest way there.  Of plans of up to a thousand moves. */
	bool whole;
};

/* The more hosts, the less one move matters to the score; all of these are
 * therefore divided by the hosts that are up: 0.005 to be gained, 0.00005 for a
 * GiB, 0.0005 for a second. */
struct plan_balance_options plan_balance_defaults(
    const struct plan_cluster *cluster);

/* Memory that the planner needs for itself is freed before it returns. */
void plan_balance(struct arena *arena, const struct plan_cluster *cluster,
    const struct plan_balance_options *options, struct plan_result *out);

#endif
