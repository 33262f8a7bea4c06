#ifndef DROVER_TESTS_PLAN_SOLVER_H
#define DROVER_TESTS_PLAN_SOLVER_H

#include "plan/cluster.h"

/*
 * What the planner is measured against: slow, simple, and written without any of
 * it but the price of a single move (schedule_price()).  Small clusters only: at
 * most SOLVER_HOSTS hosts and SOLVER_GUESTS guests.
 */
#define SOLVER_HOSTS 6
#define SOLVER_GUESTS 16

/* How many guests can leave the host, by any sequence of moves of any guests. */
uint32_t solver_most(const struct plan_cluster *cluster, uint32_t host);

/*
 * The soonest end of all sequences that bring `leave` guests off the host with at
 * most `parking` moves of others, with any number of moves at once; each begins as
 * early as that lets it, and later ones may overtake earlier ones or not.  Stops at what no sequence can beat.  -1: none; -2: more
 * than `most` sequences.
 */
double solver_soonest(const struct plan_cluster *cluster, uint32_t host,
    uint32_t leave, int parking, long most);

/* Of the same sequences: the fewest that leave after the deadline. */
int solver_fewest_late(const struct plan_cluster *cluster, uint32_t host,
    uint32_t leave, int parking, int64_t deadline_ms);

/* Carries a plan out, step by step and then moment by moment.  NULL: all of it is
 * allowed; otherwise what is not. */
const char *solver_replay(const struct plan_cluster *cluster, uint32_t host,
    const struct plan_result *result);

#endif
