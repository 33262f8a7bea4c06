#ifndef DROVER_PLAN_SCHEDULE_H
#define DROVER_PLAN_SCHEDULE_H

#include "base/arena.h"
#include "plan/cluster.h"
#include "plan/reserve.h"

/*
 * When each move of a plan begins and ends.
 *
 * A move first takes its fixed time (connecting, a shutdown), then sends its
 * bytes.  A host's link carries as much out as in, each shared equally by the
 * moves that send: a move gets the smaller one of its share of the source's and
 * of the target's link.  Limits hold from beginning to end, memory is held at
 * both ends meanwhile, and no rule of reserve.h is broken at any moment.
 *
 * Moves begin in the order that is given, and as early as they can; one that has
 * to wait lets later ones by, except into the same host and of the same guest.
 * So an order in which each move is possible after the ones before it never gets
 * stuck.  Pure; the same input gives the same output.
 */

/* Of beginning and ending a move, as seen in the lab. */
#define SCHEDULE_OVERHEAD_MS 500
/* Taken for the link when none is given: a gigabit. */
#define SCHEDULE_LINK INT64_C(125000000)
/* Memory that is written faster than it can be sent is sent so often until the
 * ladder (converge.h) ends it. */
#define SCHEDULE_PASSES 3

struct schedule_job {
	double bytes;        /* over the link */
	double fixed_ms;     /* before, without using it */
	int64_t downtime_ms; /* -1 unknown */
};

struct schedule;

/* What moving a guest in that way sends; `share` is the rate that it may
 * expect, bytes/s (schedule_share()). */
void schedule_price(const struct plan_cluster *cluster, uint32_t guest,
    enum plan_way way, int64_t share, struct schedule_job *out);
int64_t schedule_link(const struct plan_cluster *cluster);
/* Of a move when as many are in flight as one source's limits let. */
int64_t schedule_share(const struct plan_cluster *cluster, uint32_t source);

/* For up to `max` moves; works in `reserve`, which is as it was afterwards. */
struct schedule *schedule_new(
    struct arena *arena, struct reserve *reserve, uint32_t max);

/*
 * Sets begin_ms and ms of the moves (not their order) and returns the time at
 * which the last one ends, in ms.  jobs[i] belongs to moves[i].  total: as
 * plan_limits.total, the lower one holds; 0: that one.  -1: some move can never
 * begin, so the order is not feasible.
 */
int64_t schedule_run(struct schedule *schedule, struct plan_move *moves,
    const struct schedule_job *jobs, uint32_t count, int total);

/* After a run of the same moves: puts them (and the jobs) into the order in which
 * they begin and numbers the waves.  Each is feasible when its turn comes. */
void schedule_sort(struct schedule *schedule, struct plan_move *moves,
    struct schedule_job *jobs, uint32_t count);

#endif
