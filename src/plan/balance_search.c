/*
 * The move that lowers the score most, of all guests and targets.
 *
 * Trying each pair is what makes balancers slow.  Three bounds save nearly all
 * of it, and none changes the outcome:
 *
 * - A guest's best target would be one that is the emptiest in each column at
 *   once.  Where even that is no better than what was found, none is looked at.
 * - A root is concave, so between its values at both ends of the range of a
 *   guest's targets it lies above the chord: the sum of chords, which needs no
 *   root, is a lower bound for each pair.
 * - Rules that need more than a comparison (classes, N+1) are asked only of a
 *   pair that would be the best so far.
 */
#include <math.h>
#include <stdlib.h>

#include "plan/balance_priv.h"
#include "plan/spare.h"

/* Numbers that N+1 may look at before it is taken to be lost. */
#define BALANCE_SPARE_WORK 20000000

struct balance_range {
	double sum, square, count; /* without the guest */
	double amount;
	double slope, base; /* of the chord, weighted */
};

static double
balance_lower(double a, double b)
{
	return a < b ? a : b;
}

static double
balance_higher(double a, double b)
{
	return a > b ? a : b;
}

static double
balance_root(double weight, double variance)
{
	return variance > 0 ? weight * sqrt(variance) : 0;
}

/* The column without the guest, and the chord over its targets.  Returns the
 * least that the column can come to. */
static double
balance_set_range(
    const struct balance *b, uint32_t guest, int at, struct balance_range *out)
{
	const struct score_column *col = &b->score->columns[at];
	uint32_t from = b->score->where[guest];
	double gone = col->amount[guest] * col->per[from];
	double n = col->count > 0 ? col->count : 1;
	double d0, d1, d, low, high, e0, e1, s0, s1, least, most, r0, r1;

	out->count = 1 / n;
	out->amount = col->amount[guest];
	out->sum = col->sum - gone;
	out->square = col->square - gone * (2 * col->use[from] - gone);
	d0 = out->amount * b->per_low[at];
	d1 = out->amount * b->per_high[at];
	d = balance_lower(balance_higher(-b->low[at], d0), d1);
	low = d * (2 * b->low[at] + d);
	e0 = d0 * (2 * b->high[at] + d0);
	e1 = d1 * (2 * b->high[at] + d1);
	high = balance_higher(e0, e1);
	s0 = out->sum + d0;
	s1 = out->sum + d1;
	least = s0 <= 0 && s1 >= 0 ? 0 : balance_lower(s0 * s0, s1 * s1);
	most = balance_higher(s0 * s0, s1 * s1);
	low = (out->square + low) / n - most / n / n;
	high = (out->square + high) / n - least / n / n;
	low = balance_higher(low, 0);
	high = balance_higher(high, low);
	r0 = sqrt(low);
	r1 = sqrt(high);
	out->slope = r0 + r1 > 0 ? col->weight / (r0 + r1) : 0;
	out->base = col->weight * r0 - out->slope * low;
	return col->weight * r0;
}

static double
balance_variance(const struct balance *b, const struct balance_range *r, int at,
    uint32_t slot)
{
	double part = r->amount * b->per[at][slot];
	double mean = (r->sum + part) * r->count;

	return (r->square + part * (2 * b->use[at][slot] + part)) * r->count -
	    mean * mean;
}

bool
balance_is_ruled_out(struct balance *b, uint32_t guest, uint32_t host)
{
	struct score *score = b->score;

	if (!score_may_be(score, guest, host) ||
	    !score_knows_load(score, guest, host))
		return true;
	if (b->work > BALANCE_SPARE_WORK)
		return score->overfull > 0 ||
		    score->roomy < score->largest_host + 2 * score->largest;
	return spare_count_after(score, guest, host, score->exposed, &b->work) >
	    score->exposed;
}

/* Lower bounds of a block of targets, in loops that compilers do side by side.
 * Returns the least of them. */
static double
balance_bound(const struct balance *b, const struct balance_range *ranges,
    uint32_t slot, double base, double *restrict bounds)
{
	double least = INFINITY;

	for (int i = 0; i < BALANCE_BLOCK; i++)
		bounds[i] = base;
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		const struct balance_range r = ranges[at];
		const double *use = b->use[at] + slot;
		const double *per = b->per[at] + slot;

		for (int i = 0; i < BALANCE_BLOCK; i++) {
			double part = r.amount * per[i];
			double mean = (r.sum + part) * r.count;

			bounds[i] += r.slope *
			    ((r.square + part * (2 * use[i] + part)) * r.count -
				mean * mean);
		}
	}
	for (int i = 0; i < BALANCE_BLOCK; i++)
		least = balance_lower(least, bounds[i]);
	return least;
}

static double
balance_try(const struct balance *b, const struct balance_range *r,
    uint32_t slot, double fixed)
{
	double value = fixed;

	for (int at = 0; at < PLAN_COLUMNS; at++)
		value += balance_root(b->score->columns[at].weight,
		    balance_variance(b, &r[at], at, slot));
	return value;
}

static bool
balance_has_room(
    const struct balance *b, const struct plan_guest *g, uint32_t slot)
{
	return b->memory[slot] >= g->memory &&
	    (g->disk == 0 || b->disk[slot] >= g->disk);
}

double
balance_look(
    struct balance *b, uint32_t guest, double limit, uint32_t *out_host)
{
	const struct plan_guest *g = &b->cluster->guests[guest];
	struct balance_range r[PLAN_COLUMNS];
	double bounds[BALANCE_BLOCK];
	uint32_t from = b->score->where[guest], found = PLAN_NONE;
	double fixed, base = 0, best = limit, least = 0;

	/* penalties, less what the move takes off them, and the cost */
	fixed = b->fixed + score_relief(b->score, guest) + b->cost[guest];
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		least += balance_set_range(b, guest, at, &r[at]);
		base += r[at].base;
	}
	*out_host = PLAN_NONE;
	if (least + fixed >= limit)
		return INFINITY;
	for (uint32_t i = 0; i < b->target_count; i++) {
		uint32_t host = b->targets[i];
		double value;

		if (i % BALANCE_BLOCK == 0 &&
		    balance_bound(b, r, i, base + fixed, bounds) >
			best + BALANCE_EPSILON) {
			i += BALANCE_BLOCK - 1;
			continue;
		}
		if (bounds[i % BALANCE_BLOCK] > best + BALANCE_EPSILON ||
		    host == from || !balance_has_room(b, g, i))
			continue;
		value = balance_try(b, r, i, fixed);
		if (value > best ||
		    (value == best &&
			(found == PLAN_NONE ||
			    b->host_rank[host] > b->host_rank[found])) ||
		    balance_is_ruled_out(b, guest, host))
			continue;
		best = value;
		found = host;
	}
	*out_host = found;
	return found == PLAN_NONE ? INFINITY : best;
}

/* ---- targets ---- */

static void
balance_fill_slot(struct balance *b, uint32_t slot)
{
	uint32_t host = b->targets[slot];
	const struct plan_host *h = &b->cluster->hosts[host];

	for (int at = 0; at < PLAN_COLUMNS; at++) {
		b->use[at][slot] = b->score->columns[at].use[host];
		b->per[at][slot] = b->score->columns[at].per[host];
	}
	b->memory[slot] = h->memory - b->score->memory[host];
	b->disk[slot] = h->disk - b->score->disk[host];
}

static void
balance_widen(struct balance *b, uint32_t slot)
{
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		b->low[at] = balance_lower(b->low[at], b->use[at][slot]);
		b->high[at] = balance_higher(b->high[at], b->use[at][slot]);
		b->per_low[at] =
		    balance_lower(b->per_low[at], b->per[at][slot]);
		b->per_high[at] =
		    balance_higher(b->per_high[at], b->per[at][slot]);
	}
}

static void
balance_find_ranges(struct balance *b)
{
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		b->low[at] = b->per_low[at] = INFINITY;
		b->high[at] = b->per_high[at] = -INFINITY;
	}
	for (uint32_t i = 0; i < b->target_count; i++)
		balance_widen(b, i);
}

static int
balance_compare_keys(const void *a, const void *b)
{
	const struct balance_key *x = a, *y = b;

	if (x->key < y->key)
		return -1;
	if (x->key > y->key)
		return 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* How much load more on that host would raise the score. */
static double
balance_weigh(const struct balance *b, uint32_t host)
{
	double key = 0;

	for (int at = 0; at < PLAN_COLUMNS; at++) {
		const struct score_column *col = &b->score->columns[at];
		double mean, variance;

		if (!(col->count > 0))
			continue;
		mean = col->sum / col->count;
		variance = col->square / col->count - mean * mean;
		if (variance > 0)
			key += col->weight * col->use[host] / sqrt(variance);
	}
	return key;
}

void
balance_sort_targets(struct balance *b)
{
	struct balance_key *keys = b->keys;
	uint32_t count = 0;

	for (uint32_t h = 0; h < b->cluster->host_count; h++) {
		const struct plan_host *host = &b->cluster->hosts[h];

		b->slot[h] = PLAN_NONE;
		if (host->up && host->accepts)
			keys[count++] = (struct balance_key){
			    balance_weigh(b, h), b->host_rank[h], h};
	}
	qsort(keys, count, sizeof(*keys), balance_compare_keys);
	b->target_count = count;
	for (uint32_t i = 0; i < b->target_count; i++) {
		b->targets[i] = keys[i].host;
		b->slot[keys[i].host] = i;
		balance_fill_slot(b, i);
	}
	balance_find_ranges(b);
}

void
balance_make(struct balance *b, uint32_t guest, uint32_t to)
{
	uint32_t from = b->score->where[guest];

	if (from == to)
		return;
	score_move(b->score, guest, to);
	if (b->score->exposed > 0 && b->work <= BALANCE_SPARE_WORK)
		b->score->exposed =
		    spare_count(b->score, b->cluster->host_count, &b->work);
	b->fixed = score_penalty(b->score);
	if (b->slot[from] != PLAN_NONE)
		balance_fill_slot(b, b->slot[from]);
	if (b->slot[to] != PLAN_NONE)
		balance_fill_slot(b, b->slot[to]);
	balance_find_ranges(b);
	b->version++;
}
