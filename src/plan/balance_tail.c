/*
 * Steepest descent ends where no single move helps any more, although exchanging
 * two guests, or having moved another one, would.  A plan that is carried out
 * whole is therefore thought over: its guests may end elsewhere, trade places, or
 * stay while another of their host goes instead; the number of moves does not
 * grow.  Then it is put in order again, best first, by the same rules as before;
 * what cannot have its turn is left out, and single moves fill up.
 *
 * A plan that is better after each number of moves cannot come of this: the first
 * move that is not the best one leaves a higher score at that point.  So it is
 * for those who ask for it.
 */
#include <math.h>
#include <string.h>

#include "plan/balance_priv.h"

#define TAIL_MOVES_MAX 1000
/* Placements that are tried, in all. */
#define TAIL_TRIES 400000
#define TAIL_ROUNDS 3

struct tail {
	struct balance *b;
	uint32_t *base;  /* by guest: its host when the tail begins */
	uint32_t *moved; /* guests that are not there any more */
	uint32_t count, most;
	double spent; /* cost of all that are moved */
	uint32_t tries;
};

/* The score, were the guest at host a and `other` (PLAN_NONE: nobody), which is
 * there, at host c; without penalties. */
static double
tail_try(struct tail *t, uint32_t guest, uint32_t a, uint32_t other, uint32_t c)
{
	const struct score *score = t->b->score;
	uint32_t from = score->where[guest];
	double value = 0;

	t->tries++;
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		const struct score_column *col = &score->columns[at];
		double one = col->amount[guest];
		double two = other != PLAN_NONE ? col->amount[other] : 0;
		double up = (one - two) * col->per[a], down = -one, mean;
		double variance;

		if (c == from)
			down += two;
		down *= col->per[from];
		variance = col->square + up * (2 * col->use[a] + up) +
		    down * (2 * col->use[from] + down);
		mean = col->sum + up + down;
		if (other != PLAN_NONE && c != from) {
			two *= col->per[c];
			variance += two * (2 * col->use[c] + two);
			mean += two;
		}
		if (!(col->count > 0))
			continue;
		mean /= col->count;
		variance = variance / col->count - mean * mean;
		if (variance > 0)
			value += col->weight * sqrt(variance);
	}
	return value;
}

static bool
tail_may_be(const struct tail *t, uint32_t guest, uint32_t host, uint32_t less)
{
	const struct score *score = t->b->score;
	const struct plan_guest *g = &score->cluster->guests[guest];
	const struct plan_host *h = &score->cluster->hosts[host];
	int64_t memory = g->memory, disk = g->disk;

	if (less != PLAN_NONE) {
		memory -= score->cluster->guests[less].memory;
		disk -= score->cluster->guests[less].disk;
	}
	return h->up && (h->accepts || t->base[guest] == host) &&
	    score->memory[host] + memory <= h->memory &&
	    (g->disk == 0 || score->disk[host] + disk <= h->disk) &&
	    score_is_allowed(g, host) && score_knows_load(score, guest, host);
}

static double
tail_cost(const struct tail *t, uint32_t guest, uint32_t host)
{
	return t->base[guest] == host ? 0 : t->b->cost[guest];
}

struct tail_change {
	uint32_t guest, to, other, other_to;
	double value;
};

static void
tail_consider(struct tail *t, struct tail_change *best, uint32_t guest,
    uint32_t to, uint32_t other, uint32_t other_to)
{
	const uint32_t *where = t->b->score->where;
	double value;

	if (!tail_may_be(t, guest, to, other) ||
	    (other != PLAN_NONE &&
		!tail_may_be(t, other, other_to,
		    other_to == where[guest] ? guest : PLAN_NONE)))
		return;
	value = tail_try(t, guest, to, other, other_to) + t->spent +
	    tail_cost(t, guest, to) - tail_cost(t, guest, where[guest]);
	if (other != PLAN_NONE)
		value += tail_cost(t, other, other_to) -
		    tail_cost(t, other, where[other]);
	if (value < best->value - BALANCE_EPSILON)
		*best = (struct tail_change){guest, to, other, other_to, value};
}

static void
tail_set(struct tail *t, uint32_t guest, uint32_t to)
{
	uint32_t was = t->b->score->where[guest];

	t->spent += tail_cost(t, guest, to) - tail_cost(t, guest, was);
	if (was == t->base[guest] && to != was)
		t->moved[t->count++] = guest;
	balance_make(t->b, guest, to);
	if (was == t->base[guest] || to != t->base[guest])
		return;
	for (uint32_t i = 0; i < t->count; i++)
		if (t->moved[i] == guest) {
			t->moved[i] = t->moved[--t->count];
			break;
		}
}

/* All that may become of one of the moved guests. */
static bool
tail_rethink(struct tail *t, uint32_t guest)
{
	struct balance *b = t->b;
	const uint32_t *where = b->score->where;
	struct tail_change best = {.guest = PLAN_NONE};
	uint32_t home = t->base[guest];

	best.value = score_value(b->score) - b->fixed + t->spent;
	for (uint32_t i = 0; i < b->target_count; i++)
		if (b->targets[i] != where[guest])
			tail_consider(t, &best, guest, b->targets[i], PLAN_NONE,
			    PLAN_NONE);
	for (uint32_t i = 0; i < t->count; i++)
		if (where[t->moved[i]] != where[guest])
			tail_consider(t, &best, guest, where[t->moved[i]],
			    t->moved[i], where[guest]);
	for (uint32_t g = b->score->first[home]; g != PLAN_NONE;
	     g = b->score->next[g])
		if (t->base[g] == home && b->cluster->guests[g].runs &&
		    !b->cluster->guests[g].stays)
			tail_consider(t, &best, guest, home, g, where[guest]);
	if (best.guest == PLAN_NONE)
		return false;
	tail_set(t, best.guest, best.to);
	if (best.other != PLAN_NONE)
		tail_set(t, best.other, best.other_to);
	return true;
}

static void
tail_search(struct tail *t)
{
	double gain = balance_least_gain(t->b);
	struct balance_step step;
	bool better = true;

	while (better && t->tries < TAIL_TRIES) {
		better = false;
		for (uint32_t i = 0; i < t->count && t->tries < TAIL_TRIES; i++)
			better |= tail_rethink(t, t->moved[i]);
		while (t->count < t->most &&
		    balance_next(
			t->b, score_value(t->b->score) - gain, &step)) {
			tail_set(t, step.guest, step.to);
			better = true;
		}
	}
}

/* From the beginning of the tail to where its guests ended, best first. */
static uint32_t
tail_order(struct tail *t, const uint32_t *goal, struct balance_step *steps)
{
	struct balance *b = t->b;
	double gain = balance_least_gain(b);
	uint32_t count = 0;

	while (t->count > 0) {
		double best = score_value(b->score) - gain;
		uint32_t found = PLAN_NONE;

		for (uint32_t i = 0; i < t->count; i++) {
			uint32_t guest = t->moved[i];
			double value = b->fixed + b->cost[guest] +
			    score_relief(b->score, guest);

			value += tail_try(
			    t, guest, goal[guest], PLAN_NONE, PLAN_NONE);
			if (value > best ||
			    (value == best &&
				(found == PLAN_NONE ||
				    b->guest_rank[guest] >
					b->guest_rank[t->moved[found]])) ||
			    balance_is_ruled_out(b, guest, goal[guest]))
				continue;
			best = value;
			found = i;
		}
		if (found == PLAN_NONE)
			break;
		steps[count] = (struct balance_step){.guest = t->moved[found],
		    .from = b->score->where[t->moved[found]],
		    .to = goal[t->moved[found]],
		    .value = best};
		balance_make(b, steps[count].guest, steps[count].to);
		steps[count++].score = score_value(b->score);
		t->moved[found] = t->moved[--t->count];
	}
	return count;
}

/* Single moves that help, up to as many as there were. */
static uint32_t
tail_fill(struct balance *b, struct balance_step *steps, uint32_t count,
    uint32_t most)
{
	while (count < most &&
	    balance_next(b, score_value(b->score) - balance_least_gain(b),
		&steps[count])) {
		balance_make(b, steps[count].guest, steps[count].to);
		steps[count++].score = score_value(b->score);
	}
	return count;
}

static double
tail_worth(
    const struct balance *b, const struct balance_step *steps, uint32_t count)
{
	double worth = count > 0 ? steps[count - 1].score : INFINITY;

	for (uint32_t i = 0; i < count; i++)
		worth += b->cost[steps[i].guest];
	return worth;
}

/* One round; `b` ends where the new steps lead to. */
static uint32_t
tail_improve(struct tail *t, struct balance_step *steps, uint32_t count,
    uint32_t *goal, struct balance_step *out)
{
	struct balance *b = t->b;
	uint32_t guests = b->cluster->guest_count, made;
	double fixed = b->fixed;

	for (uint32_t g = 0; g < guests; g++)
		balance_make(b, g, t->base[g]);
	if (b->fixed != fixed) /* penalties would have to be kept off, too */
		return 0;
	t->count = t->tries = 0;
	t->spent = 0;
	for (uint32_t i = 0; i < count; i++)
		tail_set(t, steps[i].guest, steps[i].to);
	tail_search(t);
	memcpy(goal, b->score->where, guests * sizeof(*goal));
	for (uint32_t i = 0; i < t->count; i++)
		balance_make(b, t->moved[i], t->base[t->moved[i]]);
	made = tail_order(t, goal, out);
	return tail_fill(b, out, made, t->most);
}

uint32_t
balance_improve(struct arena *arena, struct balance *b,
    struct balance_step *steps, uint32_t count)
{
	size_t guests = (size_t)b->cluster->guest_count + 1;
	struct tail t = {.b = b, .most = count};
	struct balance_step *other;
	uint32_t *goal, made;

	if (count < 2 || count > TAIL_MOVES_MAX)
		return count;
	t.base = arena_array(arena, guests, sizeof(*t.base));
	t.moved = arena_array(arena, guests, sizeof(*t.moved));
	goal = arena_array(arena, guests, sizeof(*goal));
	other = arena_array(arena, (size_t)count + 1, sizeof(*other));
	for (uint32_t g = 0; g < b->cluster->guest_count; g++)
		t.base[g] = b->cluster->guests[g].host;
	for (int round = 0; round < TAIL_ROUNDS; round++) {
		made = tail_improve(&t, steps, count, goal, other);
		if (made == 0 ||
		    tail_worth(b, other, made) >
			tail_worth(b, steps, count) - BALANCE_EPSILON)
			break;
		memcpy(steps, other, made * sizeof(*steps));
		count = made;
	}
	return count;
}
