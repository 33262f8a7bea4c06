#ifndef DROVER_PLAN_SCORE_H
#define DROVER_PLAN_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "plan/cluster.h"

/*
 * The objective: how far a cluster is from even, 0 at best.
 *
 *	score = sum over the columns of weight * deviation
 *	      + 2 * conflicts + 4 * misplaced + overfull + exposed
 *
 * A column's deviation is the standard deviation, over the hosts that are up,
 * of the part of the host that is used: CPU load per core, memory, virtual CPUs
 * per core, local disk.  Each counts once.  A host of which the capacity or the
 * load is not known is left out of that column.  Where hosts are alike this is
 * what Ganeti's htools add up too (hbal(1), "Cluster scoring").
 *
 * Pure.  One move changes sums and sums of squares, so that its effect is told
 * in constant time.
 */

enum plan_column { PLAN_CPU, PLAN_MEMORY, PLAN_VCPUS, PLAN_DISK };

#define PLAN_COLUMNS 4

struct plan_score_parts {
	double deviation[PLAN_COLUMNS]; /* not weighted */
	double weight[PLAN_COLUMNS];
	uint32_t conflicts; /* guests beyond the first of a class on a host */
	uint32_t misplaced; /* guests where they may not be */
	uint32_t overfull;  /* hosts with more memory or disk given than had */
	uint32_t exposed;   /* hosts whose loss the others could not take */
};

double plan_score(
    const struct plan_cluster *cluster, struct plan_score_parts *out_parts);

/* ---- for planners: a cluster on its way ---- */

#define SCORE_SCRATCH_MAX ((size_t)1 << 30)

struct score_column {
	double weight;
	double count;  /* hosts that are in it */
	double centre; /* taken off each use, so that sums stay exact */
	double sum, square;
	double *use;    /* by host: part that is used, less the centre */
	double *per;    /* by host: 1 / capacity; 0: not in this column */
	double *amount; /* by guest */
};

struct score {
	const struct plan_cluster *cluster;
	struct score_column columns[PLAN_COLUMNS];
	int64_t *memory, *disk; /* by host: given to guests */
	uint32_t *where;        /* by guest: its host now */
	uint32_t *first;        /* by host: its guests, a list over next */
	uint32_t *next, *prev;  /* by guest */
	uint32_t *class_first;  /* by class, and one more */
	uint32_t *class_guests; /* those of class 0, of class 1, ... */
	uint32_t conflicts, misplaced, overfull;
	uint32_t exposed;     /* as of the last spare_count() */
	int64_t largest;      /* memory of the largest guest that runs */
	int64_t largest_host; /* memory of the largest host */
	int64_t roomy;        /* see spare.c */
	int64_t *scratch;     /* by host */
	uint32_t *order;      /* by guest */
};

/* As the cluster is.  The cluster must outlive it and is not changed. */
struct score *score_new(
    struct arena *arena, const struct plan_cluster *cluster);

/* Moves a guest; `exposed` is not counted anew. */
void score_move(struct score *score, uint32_t guest, uint32_t to);

/* Moves it in the lists only. */
void score_relink(struct score *score, uint32_t guest, uint32_t to);

double score_penalty(const struct score *score);
double score_value(const struct score *score);

/* What leaving its host takes off the penalties, 0 or less. */
double score_relief(const struct score *score, uint32_t guest);

/* May be there: room, accepts, allowed, and nobody of its class.  Says nothing
 * of N+1. */
bool score_may_be(const struct score *score, uint32_t guest, uint32_t host);

/* Bits of plan_guest. */
bool score_is_allowed(const struct plan_guest *guest, uint32_t host);

/* Whether another guest of its class is on that host. */
bool score_meets_class(
    const struct score *score, uint32_t guest, uint32_t host);

/* Whether what the move does to CPU load is known, or load plays no part: both
 * hosts' load and the guest's are known, or neither host's. */
bool score_knows_load(const struct score *score, uint32_t guest, uint32_t host);

#endif
