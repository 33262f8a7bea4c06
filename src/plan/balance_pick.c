/*
 * Which move is next.
 *
 * In a small cluster all guests are looked at for each move.  In a large one a
 * move changes next to nothing for most, so each guest's best is kept in a heap
 * and the top is looked at anew until it stays the top.  That misses guests
 * whose best has become better; so now and then, and before giving up, all are
 * looked at again.
 */
#include <math.h>

#include "plan/balance_priv.h"

/* Pairs of guest and host up to which all are looked at for each move. */
#define BALANCE_EXACT 200000
/* All are looked at again after so many moves per hundred hosts.  More often is
 * nearer to the steepest way and takes longer; the end is no better for it. */
#define BALANCE_AGAIN 40

static bool
balance_is_small(const struct balance *b)
{
	return (uint64_t)b->guest_count * b->cluster->host_count <=
	    BALANCE_EXACT;
}

static bool
balance_pick_of_all(struct balance *b, double limit, struct balance_step *out)
{
	uint32_t hint = b->hint, host;
	double best = limit, next = INFINITY;

	out->guest = PLAN_NONE;
	if (b->target_count == 0)
		balance_sort_targets(b);
	b->hint = PLAN_NONE;
	for (uint32_t i = 0; i <= b->guest_count; i++) {
		uint32_t guest = i == 0 ? hint : b->guests[i - 1];
		double value;

		if (guest == PLAN_NONE || (i > 0 && guest == hint))
			continue;
		value = balance_look(b, guest, best, &host);
		if (host == PLAN_NONE)
			continue;
		if (out->guest != PLAN_NONE && best < next) {
			next = best;
			b->hint = out->guest;
		}
		best = value;
		*out = (struct balance_step){.guest = guest,
		    .from = b->score->where[guest],
		    .to = host,
		    .value = value};
	}
	return out->guest != PLAN_NONE;
}

/* ---- the heap ---- */

static bool
balance_is_before(const struct balance *b, uint32_t x, uint32_t y)
{
	if (b->value[x] != b->value[y])
		return b->value[x] < b->value[y];
	return b->guest_rank[x] < b->guest_rank[y];
}

static void
balance_sift(struct balance *b, uint32_t at)
{
	uint32_t guest = b->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= b->heap_count)
			break;
		if (child + 1 < b->heap_count &&
		    balance_is_before(b, b->heap[child + 1], b->heap[child]))
			child++;
		if (!balance_is_before(b, b->heap[child], guest))
			break;
		b->heap[at] = b->heap[child];
		at = child;
	}
	b->heap[at] = guest;
}

static void
balance_look_at(struct balance *b, uint32_t guest, double limit)
{
	b->value[guest] = balance_look(b, guest, limit, &b->best[guest]);
	b->looked[guest] = b->version;
}

static void
balance_look_at_all(struct balance *b, double limit)
{
	balance_sort_targets(b);
	b->heap_count = 0;
	b->heap_version = b->version;
	for (uint32_t i = 0; i < b->guest_count; i++) {
		balance_look_at(b, b->guests[i], limit);
		if (b->best[b->guests[i]] != PLAN_NONE)
			b->heap[b->heap_count++] = b->guests[i];
	}
	for (uint32_t i = b->heap_count / 2; i-- > 0;)
		balance_sift(b, i);
}

/* The top of the heap, once it is known to be as it was. */
static uint32_t
balance_top(struct balance *b, double limit)
{
	while (b->heap_count > 0) {
		uint32_t top = b->heap[0];

		if (b->looked[top] == b->version)
			return top;
		balance_look_at(b, top, limit);
		if (b->best[top] == PLAN_NONE)
			b->heap[0] = b->heap[--b->heap_count];
		if (b->heap_count > 0)
			balance_sift(b, 0);
	}
	return PLAN_NONE;
}

static bool
balance_pick_of_heap(struct balance *b, double limit, struct balance_step *out)
{
	uint32_t again = b->cluster->host_count * BALANCE_AGAIN / 100;
	uint32_t top = PLAN_NONE;

	if (b->target_count > 0 && b->version - b->heap_version < again)
		top = balance_top(b, limit);
	if (top == PLAN_NONE) {
		balance_look_at_all(b, limit);
		top = balance_top(b, limit);
	}
	if (top == PLAN_NONE)
		return false;
	*out = (struct balance_step){.guest = top,
	    .from = b->score->where[top],
	    .to = b->best[top],
	    .value = b->value[top]};
	return true;
}

bool
balance_next(struct balance *b, double limit, struct balance_step *out)
{
	if (balance_is_small(b))
		return balance_pick_of_all(b, limit, out);
	return balance_pick_of_heap(b, limit, out);
}
