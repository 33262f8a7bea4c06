/*
 * All arrangements of a small cluster.
 *
 * An arrangement says at which host each guest is that may move; four bits for
 * each make it one number.  From an arrangement one move leads to the next, if the
 * room is there at that moment; moves at once never allow more, since they hold
 * memory at both ends.  So what can be reached one move at a time is all that can be
 * reached, and when everything has been seen, the arrangement with the fewest
 * guests on the host is the best there is.
 *
 * The search goes by the time that parking costs (Dijkstra), and among equals first
 * to those with fewer guests on the host: so it goes straight for a goal while that
 * costs nothing.  Which of several goals ends soonest is for the schedule to tell;
 * a few are looked at.
 */
#include <string.h>

#include "plan/evacuate_priv.h"

/* Goals that are judged; arrangements looked at after the first one. */
#define EVACUATE_GOALS 64
#define EVACUATE_AFTER 5000
/* Hash slots for the arrangements: at most half of them are used. */
#define EVACUATE_SLOTS (1u << 19)

_Static_assert(EVACUATE_SMALL <= 16, "four bits tell a host");
_Static_assert(EVACUATE_STATES * 2 <= EVACUATE_SLOTS, "half are used");

struct evacuate_state {
	uint64_t where;
	double cost;
	uint32_t parent; /* PLAN_NONE: the beginning */
	uint8_t left, guest, to;
	bool done;
};

struct evacuate_search {
	struct evacuate *ev;
	uint32_t movable[EVACUATE_SMALL];
	double ms[EVACUATE_SMALL]; /* of moving it */
	uint32_t movable_count;
	struct evacuate_state *states;
	uint32_t *slots, *heap;
	uint32_t state_count, heap_count, popped;
	bool cut; /* some were left out */
	struct evacuate_list best;
	uint32_t best_left, goals, first_goal;
	struct evacuate_value value;
};

static bool
evacuate_may_leave(const struct evacuate *ev, uint32_t guest)
{
	const struct plan_guest *g = &ev->cluster->guests[guest];

	return g->host != PLAN_NONE && !g->stays &&
	    ev->cluster->hosts[g->host].up;
}

bool
evacuate_is_small(const struct evacuate *ev)
{
	uint32_t count = 0;

	if (ev->cluster->host_count > EVACUATE_SMALL)
		return false;
	for (uint32_t g = 0; g < ev->cluster->guest_count; g++)
		count += evacuate_may_leave(ev, g);
	return count <= EVACUATE_SMALL;
}

static uint32_t
evacuate_where(uint64_t where, uint32_t i)
{
	return (uint32_t)(where >> (4 * i) & 15);
}

static bool
evacuate_before(const struct evacuate_search *search, uint32_t a, uint32_t b)
{
	const struct evacuate_state *x = &search->states[a];
	const struct evacuate_state *y = &search->states[b];

	if (x->cost < y->cost || y->cost < x->cost)
		return x->cost < y->cost;
	if (x->left != y->left)
		return x->left < y->left;
	return a < b;
}

static void
evacuate_push(struct evacuate_search *search, uint32_t state)
{
	uint32_t *heap = search->heap, i = search->heap_count++, up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!evacuate_before(search, state, heap[up]))
			break;
		heap[i] = heap[up];
	}
	heap[i] = state;
}

static uint32_t
evacuate_pop(struct evacuate_search *search)
{
	uint32_t *heap = search->heap, top = heap[0], i = 0, down;
	uint32_t last = heap[--search->heap_count];

	for (;; i = down) {
		down = 2 * i + 1;
		if (down >= search->heap_count)
			break;
		if (down + 1 < search->heap_count &&
		    evacuate_before(search, heap[down + 1], heap[down]))
			down++;
		if (!evacuate_before(search, heap[down], last))
			break;
		heap[i] = heap[down];
	}
	heap[i] = last;
	return top;
}

static uint32_t *
evacuate_slot(struct evacuate_search *search, uint64_t where)
{
	uint64_t hash = where * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t i = (uint32_t)(hash >> 40) & (EVACUATE_SLOTS - 1);

	while (search->slots[i] != 0 &&
	    search->states[search->slots[i] - 1].where != where)
		i = (i + 1) & (EVACUATE_SLOTS - 1);
	return &search->slots[i];
}

/* Reaches an arrangement, for the first time or at a lower cost. */
static void
evacuate_reach(struct evacuate_search *search, const struct evacuate_state *to)
{
	uint32_t *slot = evacuate_slot(search, to->where), id;

	if (*slot != 0) {
		id = *slot - 1;
		if (search->states[id].done ||
		    search->states[id].cost <= to->cost)
			return;
	} else if (search->state_count == EVACUATE_STATES) {
		search->cut = true;
		return;
	} else {
		id = search->state_count++;
		*slot = id + 1;
	}
	/* One that was pushed before with a higher cost is popped later and
	 * skipped: there is room for as many. */
	if (search->heap_count == 2 * EVACUATE_STATES) {
		search->cut = true;
		return;
	}
	search->states[id] = *to;
	evacuate_push(search, id);
}

/* Puts the guests where an arrangement has them. */
static void
evacuate_arrange(struct evacuate_search *search, uint64_t where)
{
	struct reserve *reserve = search->ev->reserve;

	for (uint32_t i = 0; i < search->movable_count; i++)
		if (reserve->at[search->movable[i]] != evacuate_where(where, i))
			reserve_move(reserve, search->movable[i],
			    evacuate_where(where, i));
}

static void
evacuate_expand(struct evacuate_search *search, uint32_t id)
{
	struct evacuate *ev = search->ev;
	struct evacuate_state from = search->states[id], to;
	uint32_t at;

	evacuate_arrange(search, from.where);
	for (uint32_t i = 0; i < search->movable_count; i++) {
		at = evacuate_where(from.where, i);
		for (uint32_t h = 0; h < ev->cluster->host_count; h++) {
			if (reserve_lacks(ev->reserve, search->movable[i], h) !=
			    0)
				continue;
			to = (struct evacuate_state){.where = from.where,
			    .cost = from.cost,
			    .parent = id,
			    .left = from.left,
			    .guest = (uint8_t)i,
			    .to = (uint8_t)h};
			to.where &= ~(UINT64_C(15) << (4 * i));
			to.where |= (uint64_t)h << (4 * i);
			if (at == ev->host)
				to.left--;
			else
				to.cost += search->ms[i];
			evacuate_reach(search, &to);
		}
	}
}

static void
evacuate_trace(
    struct evacuate_search *search, uint32_t id, struct evacuate_list *list)
{
	const struct evacuate_state *state;
	uint32_t length = 0, path[4 * EVACUATE_SMALL], from;

	list->count = 0;
	for (; search->states[id].parent != PLAN_NONE;
	     id = search->states[id].parent) {
		if (length == 4 * EVACUATE_SMALL || length == search->ev->max)
			return;
		path[length++] = id;
	}
	while (length-- > 0) {
		state = &search->states[path[length]];
		from = evacuate_where(
		    search->states[state->parent].where, state->guest);
		evacuate_add(search->ev, list, search->movable[state->guest],
		    from, state->to);
	}
}

/* Keeps the better ones of the arrangements that bring most guests off. */
static void
evacuate_note(struct evacuate_search *search, uint32_t id)
{
	struct evacuate *ev = search->ev;
	struct evacuate_value value;
	uint32_t left = search->states[id].left;

	if (left > search->best_left || left == ev->guest_count ||
	    (left == search->best_left && search->goals >= EVACUATE_GOALS))
		return;
	evacuate_arrange(search, search->states[0].where);
	evacuate_trace(search, id, &ev->list);
	if (evacuate_leaves(ev, &ev->list) != ev->guest_count - left)
		return;
	evacuate_shorten(ev);
	value = evacuate_order_quickly(ev);
	if (left < search->best_left)
		search->goals = 0;
	if (search->goals++ > 0 && !evacuate_better(&value, &search->value))
		return;
	search->best_left = left;
	search->value = value;
	search->first_goal = search->popped;
	evacuate_copy(&search->best, &ev->list);
}

static void
evacuate_prepare(struct evacuate_search *search)
{
	struct evacuate *ev = search->ev;
	struct evacuate_state begin = {.parent = PLAN_NONE};
	uint32_t n = 0;

	for (uint32_t i = 0; i < ev->guest_count; i++)
		search->movable[n++] = ev->guests[i];
	for (uint32_t g = 0; g < ev->cluster->guest_count; g++)
		if (ev->cluster->guests[g].host != ev->host &&
		    evacuate_may_leave(ev, g))
			search->movable[n++] = g;
	search->movable_count = n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = ev->cluster->guests[search->movable[i]].host;

		ev->trial.count = 0;
		evacuate_add(ev, &ev->trial, search->movable[i], at, at);
		search->ms[i] = ev->trial.jobs[0].fixed_ms +
		    ev->trial.jobs[0].bytes * 1000 /
			(double)schedule_link(ev->cluster);
		begin.where |= (uint64_t)at << (4 * i);
	}
	begin.left = (uint8_t)ev->guest_count;
	search->states =
	    arena_array(ev->arena, EVACUATE_STATES, sizeof(*search->states));
	search->slots =
	    arena_array(ev->arena, EVACUATE_SLOTS, sizeof(*search->slots));
	search->heap =
	    arena_array(ev->arena, 2 * EVACUATE_STATES, sizeof(*search->heap));
	search->best_left = ev->guest_count - evacuate_leaves(ev, &ev->list);
	search->best.moves =
	    arena_array(ev->arena, ev->max, sizeof(*search->best.moves));
	search->best.jobs =
	    arena_array(ev->arena, ev->max, sizeof(*search->best.jobs));
	/* What is spread stays the choice while nothing is sooner. */
	if (ev->list.count > 0) {
		search->value = evacuate_order_quickly(ev);
		search->goals = 1;
	}
	evacuate_copy(&search->best, &ev->list);
	evacuate_reach(search, &begin);
}

void
evacuate_park(struct evacuate *ev)
{
	struct evacuate_search search = {.ev = ev};
	uint32_t id;

	evacuate_prepare(&search);
	while (search.heap_count > 0) {
		if (search.best_left == ev->least &&
		    (search.goals >= EVACUATE_GOALS ||
			search.popped - search.first_goal > EVACUATE_AFTER))
			break;
		id = evacuate_pop(&search);
		if (search.states[id].done)
			continue;
		search.states[id].done = true;
		search.popped++;
		evacuate_note(&search, id);
		evacuate_expand(&search, id);
	}
	evacuate_arrange(&search, search.states[0].where);
	evacuate_copy(&ev->list, &search.best);
	ev->proven = !search.cut;
	/* The arrangements that were not reached may hold a better one. */
	if (search.cut && search.best_left > ev->least)
		evacuate_chain(ev);
}
