#ifndef DROVER_PLAN_EVACUATE_PRIV_H
#define DROVER_PLAN_EVACUATE_PRIV_H

#include "plan/evacuate.h"
#include "plan/reserve.h"
#include "plan/schedule.h"

/*
 * The planner's work on one host; what evacuate*.c share.  All of it is in an
 * arena of its own that goes when the plan is made.
 */

/* A sequence of moves, each possible after the ones before it. */
struct evacuate_list {
	struct plan_move *moves;
	struct schedule_job *jobs;
	uint32_t count;
};

/* How good a sequence is: the smaller, by member. */
struct evacuate_value {
	uint32_t late;
	int64_t makespan_ms; /* -1: it is not feasible */
	double parked;       /* bytes that only make room */
};

struct evacuate {
	struct arena *arena;
	const struct plan_cluster *cluster;
	uint32_t host;
	const struct plan_evacuate_options *options;
	struct reserve *reserve; /* as at the beginning, between the steps */
	struct schedule *schedule;
	uint32_t *guests; /* of the host, that may move */
	uint32_t guest_count;
	enum plan_way *ways;              /* by guest */
	uint32_t max;                     /* moves in a list */
	struct evacuate_list list;        /* the best so far */
	struct evacuate_list trial, kept; /* for trying others */
	int total;      /* moves at once that the list is made for */
	bool *hopeless; /* by guest: no host could ever take it */
	uint32_t least; /* guests that stay at the least */
	bool proven;    /* no more can leave than do */
	uint64_t looks; /* taken of EVACUATE_LOOKS */
};

void evacuate_copy(struct evacuate_list *to, const struct evacuate_list *from);
/* Appends; the job is priced. */
void evacuate_add(struct evacuate *ev, struct evacuate_list *list,
    uint32_t guest, uint32_t from, uint32_t to);
void evacuate_price(
    const struct evacuate *ev, struct evacuate_list *list, uint32_t i);
/* Carries a list out in ev->reserve, or takes it back. */
void evacuate_apply(struct evacuate *ev, const struct evacuate_list *list);
void evacuate_undo(struct evacuate *ev, const struct evacuate_list *list);
/* How many of the guests a list brings off the host. */
uint32_t evacuate_leaves(
    const struct evacuate *ev, const struct evacuate_list *list);
bool evacuate_is_parking(
    const struct evacuate *ev, const struct evacuate_list *list, uint32_t i);

/* evacuate_place.c: each guest straight to a host, into ev->list. */
void evacuate_place(struct evacuate *ev);
/* evacuate_least.c: sets ev->hopeless and ev->least. */
void evacuate_find_least(struct evacuate *ev);
/* evacuate_chain.c: makes room for those that ev->list leaves, guest by guest. */
void evacuate_chain(struct evacuate *ev);
/* evacuate_park.c: looks through all arrangements; ev->list becomes the one that
 * brings most guests off. */
void evacuate_park(struct evacuate *ev);
bool evacuate_is_small(const struct evacuate *ev);

/* evacuate_order.c */
struct evacuate_value evacuate_judge(
    struct evacuate *ev, struct evacuate_list *list, int total);
bool evacuate_better(
    const struct evacuate_value *a, const struct evacuate_value *b);
/* Leaves out moves that are not needed. */
void evacuate_shorten(struct evacuate *ev);
/* The beginning of that, to compare lists. */
struct evacuate_value evacuate_order_quickly(struct evacuate *ev);
/* Order, targets, how many at once and, if it must be, the ways. */
void evacuate_order(struct evacuate *ev);

/* evacuate_reason.c */
const char *evacuate_say_blocked(
    struct evacuate *ev, struct arena *arena, uint32_t guest);
const char *evacuate_say_move(struct evacuate *ev, struct arena *arena,
    const struct evacuate_list *list, uint32_t i);

#endif
