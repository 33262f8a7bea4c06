/*
 * The order of the moves, and what goes with it.
 *
 * All guests leave over one link, so no order ends before their bytes have gone
 * over it; what an order can waste is the time in which that link idles: while a
 * shutdown is waited for at the end, while a parked guest is not out of the way
 * yet, or while a full target lets nobody in.  So the search begins with a few
 * orders that are known to be good (longest first; shortest first, which brings
 * the most guests out by a deadline; those that wait before they send first) and
 * betters the best one by moving single moves in it and changing targets, until
 * the bound is reached or nothing helps.  How much is tried goes down with the
 * number of moves, so that a large host takes no longer than a small one.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/evacuate_priv.h"

/* Moves times orders that are tried. */
#define EVACUATE_TRIES 60000
/* Up to so many moves each change is tried, and more than once. */
#define EVACUATE_FEW 24
#define EVACUATE_KICKS 60
/* Other targets that are tried for a move. */
#define EVACUATE_TARGETS 8

bool
evacuate_better(const struct evacuate_value *a, const struct evacuate_value *b)
{
	if (a->makespan_ms < 0 || b->makespan_ms < 0)
		return a->makespan_ms >= 0 && b->makespan_ms < 0;
	if (a->late != b->late)
		return a->late < b->late;
	if (a->makespan_ms != b->makespan_ms)
		return a->makespan_ms < b->makespan_ms;
	return a->parked < b->parked;
}

struct evacuate_value
evacuate_judge(struct evacuate *ev, struct evacuate_list *list, int total)
{
	struct evacuate_value value = {0};
	int64_t deadline = ev->options->deadline_ms;

	value.makespan_ms = schedule_run(
	    ev->schedule, list->moves, list->jobs, list->count, total);
	if (value.makespan_ms < 0)
		return value;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct plan_move *move = &list->moves[i];

		if (move->from != ev->host)
			value.parked += list->jobs[i].bytes;
		else if (deadline > 0 && move->begin_ms + move->ms > deadline)
			value.late++;
	}
	return value;
}

/* What no order can beat. */
static double
evacuate_bound(const struct evacuate *ev, const struct evacuate_list *list)
{
	double per_ms = (double)schedule_link(ev->cluster) / 1000;
	double bytes = 0, wait = -1, longest = 0, all = 0, one;
	int out = ev->cluster->hosts[ev->host].limit_out;
	int total = ev->cluster->limits.total;

	if (out <= 0)
		out = ev->cluster->limits.per_source;
	if (total > 0 && (out <= 0 || out > total))
		out = total;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct schedule_job *job = &list->jobs[i];

		if (list->moves[i].from != ev->host)
			continue;
		bytes += job->bytes;
		one = job->fixed_ms + job->bytes / per_ms;
		all += one;
		if (one > longest)
			longest = one;
		if (wait < 0 || job->fixed_ms < wait)
			wait = job->fixed_ms;
	}
	one = wait + bytes / per_ms;
	if (out > 0 && all / out > one)
		one = all / out;
	return longest > one ? longest : one;
}

static bool
evacuate_is_best(const struct evacuate_value *value, double bound)
{
	return value->makespan_ms >= 0 && value->late == 0 &&
	    value->parked <= 0 &&
	    (double)value->makespan_ms <= bound * 1.001 + 1;
}

enum evacuate_rule { EVACUATE_LONG, EVACUATE_SHORT, EVACUATE_WAITING };

struct evacuate_key {
	double major, minor;
	uint32_t place;
};

static int
evacuate_compare_keys(const void *left, const void *right)
{
	const struct evacuate_key *a = left, *b = right;

	if (a->major < b->major || b->major < a->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor < b->minor || b->minor < a->minor)
		return a->minor < b->minor ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* ev->trial: ev->list by a rule.  Moves that make room stay ahead. */
static void
evacuate_sort(struct evacuate *ev, enum evacuate_rule rule)
{
	double per_ms = (double)schedule_link(ev->cluster) / 1000;
	const struct evacuate_list *list = &ev->list;
	struct evacuate_key *keys =
	    arena_array(ev->arena, list->count, sizeof(*keys));

	for (uint32_t i = 0; i < list->count; i++) {
		const struct schedule_job *job = &list->jobs[i];
		double ms = job->fixed_ms + job->bytes / per_ms;

		keys[i].place = i;
		if (evacuate_is_parking(ev, list, i)) {
			keys[i].major = -1e300;
			continue;
		}
		switch (rule) {
		case EVACUATE_LONG:
			keys[i].major = -ms;
			break;
		case EVACUATE_SHORT:
			keys[i].major = ms;
			break;
		case EVACUATE_WAITING:
			keys[i].major = -job->fixed_ms;
			keys[i].minor = -job->bytes;
			break;
		}
	}
	qsort(keys, list->count, sizeof(*keys), evacuate_compare_keys);
	ev->trial.count = list->count;
	for (uint32_t i = 0; i < list->count; i++) {
		ev->trial.moves[i] = list->moves[keys[i].place];
		ev->trial.jobs[i] = list->jobs[keys[i].place];
	}
}

/* Keeps ev->trial if it is better. */
static bool
evacuate_try(struct evacuate *ev, struct evacuate_value *value, int total)
{
	struct evacuate_value now = evacuate_judge(ev, &ev->trial, total);

	if (!evacuate_better(&now, value))
		return false;
	*value = now;
	ev->total = total;
	evacuate_copy(&ev->list, &ev->trial);
	return true;
}

/* ev->trial: ev->list with move `from` at place `to`. */
static void
evacuate_shift(struct evacuate *ev, uint32_t from, uint32_t to)
{
	struct evacuate_list *list = &ev->trial;
	struct plan_move move;
	struct schedule_job job;

	evacuate_copy(list, &ev->list);
	move = list->moves[from];
	job = list->jobs[from];
	for (; from < to; from++) {
		list->moves[from] = list->moves[from + 1];
		list->jobs[from] = list->jobs[from + 1];
	}
	for (; from > to; from--) {
		list->moves[from] = list->moves[from - 1];
		list->jobs[from] = list->jobs[from - 1];
	}
	list->moves[to] = move;
	list->jobs[to] = job;
}

/* Other targets for a move, in the ledger as at its end. */
static bool
evacuate_retarget(struct evacuate *ev, struct evacuate_value *value, uint32_t i,
    uint32_t *budget)
{
	uint32_t to[EVACUATE_TARGETS], count = 0, hosts;
	uint32_t guest = ev->list.moves[i].guest, h, tried;

	for (uint32_t k = i + 1; k < ev->list.count; k++)
		if (ev->list.moves[k].guest == guest)
			return false;
	hosts = ev->cluster->host_count;
	evacuate_apply(ev, &ev->list);
	for (tried = 0; tried < hosts && tried < 64; tried++) {
		h = (ev->list.moves[i].to + 1 + tried) % hosts;
		if (h != ev->list.moves[i].from && count < EVACUATE_TARGETS &&
		    reserve_lacks(ev->reserve, guest, h) == 0)
			to[count++] = h;
	}
	evacuate_undo(ev, &ev->list);
	for (uint32_t k = 0; k<count && * budget> 0; k++) {
		evacuate_copy(&ev->trial, &ev->list);
		ev->trial.moves[i].to = to[k];
		--*budget;
		if (evacuate_try(ev, value, ev->total))
			return true;
	}
	return false;
}

/* ev->trial: ev->list with the targets of two moves exchanged. */
static bool
evacuate_exchange(struct evacuate *ev, uint32_t i, uint32_t j)
{
	struct evacuate_list *list = &ev->trial;

	evacuate_copy(list, &ev->list);
	if (list->moves[i].to == list->moves[j].to ||
	    list->moves[i].guest == list->moves[j].guest)
		return false;
	list->moves[i].to = ev->list.moves[j].to;
	list->moves[j].to = ev->list.moves[i].to;
	return list->moves[i].to != list->moves[i].from &&
	    list->moves[j].to != list->moves[j].from;
}

/* Until nothing helps. */
static void
evacuate_descend(
    struct evacuate *ev, struct evacuate_value *value, uint32_t *budget)
{
	uint32_t n = ev->list.count, j, step = n <= EVACUATE_FEW ? 1 : n / 8;
	uint32_t reach = n <= EVACUATE_FEW ? n : 8;
	double bound = evacuate_bound(ev, &ev->list);
	bool better = true;

	while (better && *budget > 0) {
		better = false;
		for (uint32_t i = 0; i<n && * budget> 0; i++) {
			if (evacuate_is_best(value, bound))
				return;
			for (uint32_t d = 1; d<reach && * budget> 0; d++) {
				j = (i + d * step) % n;
				--*budget;
				evacuate_shift(ev, i, j);
				better |= evacuate_try(ev, value, ev->total);
				if (i < j && evacuate_exchange(ev, i, j))
					better |=
					    evacuate_try(ev, value, ev->total);
			}
			if (*budget > 0)
				better |=
				    evacuate_retarget(ev, value, i, budget);
		}
	}
}

/* Changes ev->list somewhere.  False: that would not be feasible. */
static bool
evacuate_kick(struct evacuate *ev, struct evacuate_value *value, uint64_t *dice)
{
	uint32_t n = ev->list.count, i, j;
	bool exchange;

	/* a fixed sequence: the same plan for the same cluster */
	*dice = *dice * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	i = (uint32_t)(*dice >> 33) % n;
	j = (uint32_t)(*dice >> 43) % n;
	exchange = (*dice >> 60 & 1) != 0;
	ev->total = (int)(*dice >> 57 & 3);
	if (!exchange)
		evacuate_shift(ev, i, j);
	else if (!evacuate_exchange(ev, i, j))
		return false;
	*value = evacuate_judge(ev, &ev->trial, ev->total);
	if (value->makespan_ms < 0)
		return false;
	evacuate_copy(&ev->list, &ev->trial);
	return true;
}

/* Few moves are shaken and sorted again, to leave an order that no single change
 * betters. */
static void
evacuate_search_order(
    struct evacuate *ev, struct evacuate_value *value, uint32_t kicks)
{
	uint32_t n = ev->list.count, budget = n > 0 ? EVACUATE_TRIES / n : 0;
	double bound = evacuate_bound(ev, &ev->list);
	struct evacuate_value now;
	uint64_t dice = n;
	int total;

	evacuate_descend(ev, value, &budget);
	if (n < 2 || n > EVACUATE_FEW)
		return;
	evacuate_copy(&ev->kept, &ev->list);
	total = ev->total;
	for (uint32_t i = 0; i < kicks && budget > 0; i++) {
		if (evacuate_is_best(value, bound))
			break;
		budget--;
		if (!evacuate_kick(ev, &now, &dice)) {
			ev->total = total;
			continue;
		}
		evacuate_descend(ev, &now, &budget);
		if (evacuate_better(&now, value)) {
			*value = now;
			total = ev->total;
			evacuate_copy(&ev->kept, &ev->list);
		} else if (i % 2 != 0) {
			evacuate_copy(&ev->list, &ev->kept);
		}
	}
	evacuate_copy(&ev->list, &ev->kept);
	ev->total = total;
}

static bool
evacuate_has_bit(const uint64_t *bits, uint32_t i)
{
	return bits != NULL && (bits[i / 64] >> (i % 64) & 1) != 0;
}

/* Those whose live move takes longest are shut down instead, while that brings
 * more guests out in time. */
static void
evacuate_switch_ways(struct evacuate *ev, struct evacuate_value *value)
{
	const struct plan_cluster *cluster = ev->cluster;
	bool *tried = arena_array(ev->arena, cluster->guest_count, 1);

	while (value->late > 0) {
		double most = 0;
		uint32_t best = PLAN_NONE, guest;
		enum plan_way way;

		for (uint32_t i = 0; i < ev->list.count; i++) {
			guest = ev->list.moves[i].guest;
			if (ev->list.moves[i].from == ev->host &&
			    !tried[guest] && cluster->guests[guest].runs &&
			    ev->ways[guest] != PLAN_RESTART &&
			    evacuate_has_bit(ev->options->may_restart, guest) &&
			    ev->list.jobs[i].bytes > most) {
				most = ev->list.jobs[i].bytes;
				best = i;
			}
		}
		if (best == PLAN_NONE)
			return;
		guest = ev->list.moves[best].guest;
		tried[guest] = true;
		way = ev->ways[guest];
		ev->ways[guest] = PLAN_RESTART;
		evacuate_copy(&ev->trial, &ev->list);
		for (uint32_t i = 0; i < ev->trial.count; i++)
			if (ev->trial.moves[i].guest == guest)
				evacuate_price(ev, &ev->trial, i);
		/* Its place in the order changes with its length. */
		if (!evacuate_try(ev, value, ev->total)) {
			evacuate_shift(ev, best, 0);
			evacuate_price(ev, &ev->trial, 0);
			if (!evacuate_try(ev, value, ev->total))
				ev->ways[guest] = way;
		}
	}
}

static void
evacuate_try_rules(struct evacuate *ev, struct evacuate_value *value)
{
	static const int totals[] = {0, 1, 2, 3, 4};
	static const enum evacuate_rule rules[] = {
	    EVACUATE_LONG, EVACUATE_WAITING, EVACUATE_SHORT};
	double bound = evacuate_bound(ev, &ev->list);

	for (size_t t = 0; t < sizeof(totals) / sizeof(totals[0]); t++) {
		for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
			if (evacuate_is_best(value, bound))
				return;
			evacuate_sort(ev, rules[r]);
			(void)evacuate_try(ev, value, totals[t]);
		}
		evacuate_copy(&ev->trial, &ev->list);
		(void)evacuate_try(ev, value, totals[t]);
	}
}

static void
evacuate_remove(struct evacuate_list *list, uint32_t i)
{
	uint32_t rest = --list->count - i;

	memmove(
	    &list->moves[i], &list->moves[i + 1], rest * sizeof(*list->moves));
	memmove(&list->jobs[i], &list->jobs[i + 1], rest * sizeof(*list->jobs));
}

/* ev->trial: ev->list without move i; where its guest moves on, it does so from
 * where it was (straight: at once to where it goes in the end).  False: nothing
 * to try. */
static bool
evacuate_leave_out(struct evacuate *ev, uint32_t i, bool straight)
{
	struct evacuate_list *list = &ev->trial;
	const struct plan_move *move = &ev->list.moves[i];
	uint32_t next = i + 1;

	while (
	    next < ev->list.count && ev->list.moves[next].guest != move->guest)
		next++;
	evacuate_copy(list, &ev->list);
	if (next == list->count) {
		evacuate_remove(list, i);
		return !straight && move->from != ev->host;
	}
	if (list->moves[next].to == move->from) {
		evacuate_remove(list, next);
		evacuate_remove(list, i);
		return !straight;
	}
	if (straight) {
		list->moves[i].to = list->moves[next].to;
		evacuate_remove(list, next);
	} else {
		list->moves[next].from = move->from;
		evacuate_remove(list, i);
	}
	return true;
}

void
evacuate_shorten(struct evacuate *ev)
{
	struct evacuate_value value = evacuate_judge(ev, &ev->list, 0), now;
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t i = 0; i < 2 * ev->list.count && !again; i++) {
			if (!evacuate_leave_out(ev, i / 2, i % 2 == 0))
				continue;
			now = evacuate_judge(ev, &ev->trial, 0);
			if (now.makespan_ms < 0 ||
			    evacuate_better(&value, &now))
				continue;
			value = now;
			evacuate_copy(&ev->list, &ev->trial);
			again = true;
		}
	}
}

struct evacuate_value
evacuate_order_quickly(struct evacuate *ev)
{
	struct evacuate_value value = evacuate_judge(ev, &ev->list, 0);

	ev->total = 0;
	evacuate_try_rules(ev, &value);
	evacuate_search_order(ev, &value, 0);
	return value;
}

void
evacuate_order(struct evacuate *ev)
{
	struct evacuate_value value = evacuate_judge(ev, &ev->list, 0);

	ev->total = 0;
	evacuate_try_rules(ev, &value);
	evacuate_search_order(ev, &value, EVACUATE_KICKS);
	if (value.late > 0 && ev->options->may_restart != NULL) {
		evacuate_switch_ways(ev, &value);
		evacuate_search_order(ev, &value, EVACUATE_KICKS);
	}
}
