#ifndef DROVER_PLAN_BALANCE_PRIV_H
#define DROVER_PLAN_BALANCE_PRIV_H

#include "plan/balance.h"
#include "plan/score.h"

/* What balance*.c share. */

#define BALANCE_EPSILON 1e-7 /* less is rounding */

struct balance_key {
	double key;
	uint32_t rank, host;
};

/* Targets that are looked at side by side; arrays of them are that longer. */
#define BALANCE_BLOCK 8

/* Names in order: ties are broken by rank. */
struct balance {
	const struct plan_cluster *cluster;
	const struct plan_balance_options *options;
	struct score *score;
	uint32_t *guest_rank, *host_rank;
	double *cost;     /* by guest: of its move, in score */
	uint32_t *guests; /* that may move, by rank */
	uint32_t guest_count;

	/* Targets, and what the search reads of them side by side. */
	uint32_t *targets;
	uint32_t target_count;
	uint32_t *slot; /* by host; PLAN_NONE: not a target */
	double *use[PLAN_COLUMNS], *per[PLAN_COLUMNS];
	double low[PLAN_COLUMNS], high[PLAN_COLUMNS]; /* of use */
	double per_low[PLAN_COLUMNS], per_high[PLAN_COLUMNS];
	int64_t *memory, *disk; /* free */

	struct balance_key *keys; /* by host */
	double fixed;             /* penalties */
	uint64_t work;            /* spent on N+1 */
	double *value;    /* by guest: its best score, when it was looked at */
	uint32_t *best;   /* by guest: the target of that */
	uint32_t *looked; /* by guest: the version of that */
	uint32_t version; /* moves that were made */
	uint32_t *heap;
	uint32_t heap_count;
	uint32_t heap_version; /* when all were looked at */
	uint32_t hint;         /* the guest that is likely to be the next */
};

struct balance_step {
	uint32_t guest, from, to;
	double value; /* the score with the cost of the move */
	double score; /* after it */
};

/* ---- balance.c ---- */

double balance_least_gain(const struct balance *b);

/* ---- balance_search.c ---- */

/* The best target of a guest, where score and cost together are below `limit`;
 * INFINITY and PLAN_NONE where there is none. */
double balance_look(
    struct balance *b, uint32_t guest, double limit, uint32_t *out_host);

/* The host may not take it, by any of the rules. */
bool balance_is_ruled_out(struct balance *b, uint32_t guest, uint32_t host);

/* Targets that are likely to be good come first: then bounds tell more. */
void balance_sort_targets(struct balance *b);
void balance_make(struct balance *b, uint32_t guest, uint32_t to);

/* ---- balance_pick.c ---- */

/* The best move of all, or of nearly all in a large cluster. */
bool balance_next(struct balance *b, double limit, struct balance_step *out);

/* ---- balance_tail.c ---- */

/* Makes a list of steps better that is carried out whole; it grows no longer.
 * Returns the new count; `b` is left anyhow. */
uint32_t balance_improve(struct arena *arena, struct balance *b,
    struct balance_step *steps, uint32_t count);

/* ---- balance_wave.c ---- */

void balance_predict(const struct plan_cluster *cluster, uint32_t guest,
    int at_once, int64_t *out_ms, int64_t *out_downtime_ms);
void balance_set_waves(
    const struct plan_cluster *cluster, struct plan_result *result);

#endif
