/*
 * A deviation needs the sum and the sum of squares of a column only, so a move
 * costs a handful of operations whatever the size of the cluster.  Squares of
 * numbers that are nearly alike cancel badly; each column is therefore kept
 * relative to its mean at the beginning.
 *
 * Deviations are added, not squares: a column that is nearly even already still
 * pulls, and with hosts that are alike each is the term that Ganeti's scorer
 * has (free memory and free disk there are one less what is used here, and
 * deviate as much).  Penalties count things and so outweigh any evenness.
 *
 * Unknown load is no load of 0: the host is left out of the column.
 */
#include "plan/score.h"

#include <math.h>

#include "plan/spare.h"

#define SCORE_CONFLICT 2.0
#define SCORE_MISPLACED 4.0
#define SCORE_OVERFULL 1.0
#define SCORE_EXPOSED 1.0

static const double score_weights[PLAN_COLUMNS] = {
    [PLAN_CPU] = 1, [PLAN_MEMORY] = 1, [PLAN_VCPUS] = 1, [PLAN_DISK] = 1};

bool
score_is_allowed(const struct plan_guest *guest, uint32_t host)
{
	return guest->allowed == NULL ||
	    (guest->allowed[host / 64] >> (host % 64) & 1) != 0;
}

static bool
score_is_overfull(const struct score *score, uint32_t host)
{
	const struct plan_host *h = &score->cluster->hosts[host];

	return score->memory[host] > h->memory ||
	    (h->disk >= 0 && score->disk[host] > h->disk);
}

static double
score_capacity(const struct plan_host *host, enum plan_column column)
{
	if (!host->up)
		return 0;
	switch (column) {
	case PLAN_CPU:
		return isnan(host->cpu_used) ? 0 : host->cpus;
	case PLAN_MEMORY:
		return (double)host->memory;
	case PLAN_VCPUS:
		return host->cpus;
	case PLAN_DISK:
		return (double)host->disk;
	}
	return 0;
}

static double
score_amount(const struct plan_guest *guest, enum plan_column column)
{
	switch (column) {
	case PLAN_CPU:
		return isnan(guest->cpu) ? 0 : guest->cpu;
	case PLAN_MEMORY:
		return (double)guest->memory;
	case PLAN_VCPUS:
		return guest->runs ? guest->vcpus : 0;
	case PLAN_DISK:
		return (double)guest->disk;
	}
	return 0;
}

static void
score_fill_column(struct score *score, struct arena *arena, enum plan_column at)
{
	const struct plan_cluster *c = score->cluster;
	struct score_column *col = &score->columns[at];

	col->weight = score_weights[at];
	col->use = arena_array(arena, c->host_count + 1, sizeof(double));
	col->per = arena_array(arena, c->host_count + 1, sizeof(double));
	col->amount = arena_array(arena, c->guest_count + 1, sizeof(double));
	for (uint32_t h = 0; h < c->host_count; h++) {
		double capacity = score_capacity(&c->hosts[h], at);

		if (!(capacity > 0))
			continue;
		col->per[h] = 1 / capacity;
		col->count++;
		if (at == PLAN_CPU)
			col->use[h] = c->hosts[h].cpu_used * col->per[h];
	}
	for (uint32_t g = 0; g < c->guest_count; g++) {
		uint32_t h = c->guests[g].host;

		col->amount[g] = score_amount(&c->guests[g], at);
		if (at != PLAN_CPU)
			col->use[h] += col->amount[g] * col->per[h];
	}
	for (uint32_t h = 0; h < c->host_count; h++)
		col->centre += col->use[h];
	if (col->count > 0)
		col->centre /= col->count;
	for (uint32_t h = 0; h < c->host_count; h++) {
		if (!(col->per[h] > 0))
			continue;
		col->use[h] -= col->centre;
		col->sum += col->use[h];
		col->square += col->use[h] * col->use[h];
	}
}

static void
score_link(struct score *score, uint32_t guest, uint32_t host)
{
	uint32_t next = score->first[host];

	score->prev[guest] = PLAN_NONE;
	score->next[guest] = next;
	if (next != PLAN_NONE)
		score->prev[next] = guest;
	score->first[host] = guest;
	score->where[guest] = host;
}

static void
score_unlink(struct score *score, uint32_t guest)
{
	uint32_t next = score->next[guest], prev = score->prev[guest];

	if (prev != PLAN_NONE)
		score->next[prev] = next;
	else
		score->first[score->where[guest]] = next;
	if (next != PLAN_NONE)
		score->prev[next] = prev;
}

void
score_relink(struct score *score, uint32_t guest, uint32_t to)
{
	score_unlink(score, guest);
	score_link(score, guest, to);
}

static void
score_fill_classes(struct score *score, struct arena *arena)
{
	const struct plan_cluster *c = score->cluster;
	uint32_t *first;

	first = arena_array(arena, c->apart_count + 2, sizeof(*first));
	score->class_first = first;
	score->class_guests =
	    arena_array(arena, c->guest_count + 1, sizeof(uint32_t));
	for (uint32_t g = 0; g < c->guest_count; g++)
		if (c->guests[g].apart != PLAN_NONE)
			first[c->guests[g].apart + 2]++;
	for (uint32_t k = 2; k < c->apart_count + 2; k++)
		first[k] += first[k - 1];
	for (uint32_t g = 0; g < c->guest_count; g++)
		if (c->guests[g].apart != PLAN_NONE)
			score->class_guests[first[c->guests[g].apart + 1]++] =
			    g;
}

/* Uses score->order, by host, as the last class that was seen there. */
static void
score_count_conflicts(struct score *score)
{
	const struct plan_cluster *c = score->cluster;
	uint32_t *seen = score->order;

	for (uint32_t h = 0; h < c->host_count; h++)
		seen[h] = PLAN_NONE;
	for (uint32_t k = 0; k < c->apart_count; k++)
		for (uint32_t i = score->class_first[k];
		     i < score->class_first[k + 1]; i++) {
			uint32_t h = score->where[score->class_guests[i]];

			score->conflicts += seen[h] == k;
			seen[h] = k;
		}
}

static void
score_fill_hosts(struct score *score)
{
	const struct plan_cluster *c = score->cluster;

	for (uint32_t h = 0; h < c->host_count; h++)
		score->first[h] = PLAN_NONE;
	for (uint32_t g = c->guest_count; g-- > 0;) {
		const struct plan_guest *guest = &c->guests[g];

		score->memory[guest->host] += guest->memory;
		score->disk[guest->host] += guest->disk;
		score->misplaced += !score_is_allowed(guest, guest->host);
		if (guest->runs && guest->memory > score->largest)
			score->largest = guest->memory;
		score_link(score, g, guest->host);
	}
	for (uint32_t h = 0; h < c->host_count; h++) {
		if (c->hosts[h].memory > score->largest_host)
			score->largest_host = c->hosts[h].memory;
		score->overfull += score_is_overfull(score, h);
		score->roomy += spare_roomy(score, h);
	}
}

struct score *
score_new(struct arena *arena, const struct plan_cluster *cluster)
{
	size_t hosts = (size_t)cluster->host_count + 1;
	size_t guests = (size_t)cluster->guest_count + 1;
	struct score *score = arena_alloc(arena, sizeof(*score));
	uint64_t work = 0;

	score->cluster = cluster;
	score->memory = arena_array(arena, hosts, sizeof(int64_t));
	score->disk = arena_array(arena, hosts, sizeof(int64_t));
	score->scratch = arena_array(arena, hosts, sizeof(int64_t));
	score->first = arena_array(arena, hosts, sizeof(uint32_t));
	score->where = arena_array(arena, guests, sizeof(uint32_t));
	score->next = arena_array(arena, guests, sizeof(uint32_t));
	score->prev = arena_array(arena, guests, sizeof(uint32_t));
	score->order = arena_array(arena, hosts + guests, sizeof(uint32_t));
	for (int at = 0; at < PLAN_COLUMNS; at++)
		score_fill_column(score, arena, (enum plan_column)at);
	score_fill_hosts(score);
	score_fill_classes(score, arena);
	score_count_conflicts(score);
	score->exposed = spare_count(score, cluster->host_count, &work);
	return score;
}

bool
score_meets_class(const struct score *score, uint32_t guest, uint32_t host)
{
	uint32_t class = score->cluster->guests[guest].apart;

	if (class == PLAN_NONE)
		return false;
	for (uint32_t i = score->class_first[class];
	     i < score->class_first[class + 1]; i++) {
		uint32_t other = score->class_guests[i];

		if (other != guest && score->where[other] == host)
			return true;
	}
	return false;
}

bool
score_knows_load(const struct score *score, uint32_t guest, uint32_t host)
{
	const double *per = score->columns[PLAN_CPU].per;
	bool from = per[score->where[guest]] > 0, to = per[host] > 0;

	if (!from && !to)
		return true;
	return from && to && !isnan(score->cluster->guests[guest].cpu);
}

bool
score_may_be(const struct score *score, uint32_t guest, uint32_t host)
{
	const struct plan_guest *g = &score->cluster->guests[guest];
	const struct plan_host *h = &score->cluster->hosts[host];

	return h->up && h->accepts && score->where[guest] != host &&
	    score->memory[host] + g->memory <= h->memory &&
	    (g->disk == 0 || score->disk[host] + g->disk <= h->disk) &&
	    score_is_allowed(g, host) && !score_meets_class(score, guest, host);
}

static void
score_add(struct score *score, uint32_t guest, uint32_t host, int sign)
{
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		struct score_column *col = &score->columns[at];
		double part = sign * col->amount[guest] * col->per[host];

		col->sum += part;
		col->square += part * (2 * col->use[host] + part);
		col->use[host] += part;
	}
	score->overfull -= score_is_overfull(score, host);
	score->roomy -= spare_roomy(score, host);
	score->memory[host] += sign * score->cluster->guests[guest].memory;
	score->disk[host] += sign * score->cluster->guests[guest].disk;
	score->roomy += spare_roomy(score, host);
	score->overfull += score_is_overfull(score, host);
}

void
score_move(struct score *score, uint32_t guest, uint32_t to)
{
	const struct plan_guest *g = &score->cluster->guests[guest];
	uint32_t from = score->where[guest];

	if (from == to)
		return;
	score->misplaced -= !score_is_allowed(g, from);
	score->misplaced += !score_is_allowed(g, to);
	score->conflicts -= score_meets_class(score, guest, from);
	score_add(score, guest, from, -1);
	score_relink(score, guest, to);
	score_add(score, guest, to, 1);
	score->conflicts += score_meets_class(score, guest, to);
}

double
score_relief(const struct score *score, uint32_t guest)
{
	const struct plan_guest *g = &score->cluster->guests[guest];
	uint32_t from = score->where[guest];
	const struct plan_host *h = &score->cluster->hosts[from];
	double relief = 0;

	if (!score_is_allowed(g, from))
		relief -= SCORE_MISPLACED;
	if (score->conflicts > 0 && score_meets_class(score, guest, from))
		relief -= SCORE_CONFLICT;
	if (score->overfull > 0 && score_is_overfull(score, from) &&
	    score->memory[from] - g->memory <= h->memory &&
	    (h->disk < 0 || score->disk[from] - g->disk <= h->disk))
		relief -= SCORE_OVERFULL;
	return relief;
}

static double
score_deviation(const struct score_column *col)
{
	double mean, variance;

	if (!(col->count > 0))
		return 0;
	mean = col->sum / col->count;
	variance = col->square / col->count - mean * mean;
	return variance > 0 ? sqrt(variance) : 0;
}

double
score_penalty(const struct score *score)
{
	return SCORE_CONFLICT * score->conflicts +
	    SCORE_MISPLACED * score->misplaced +
	    SCORE_OVERFULL * score->overfull + SCORE_EXPOSED * score->exposed;
}

double
score_value(const struct score *score)
{
	double value = score_penalty(score);

	for (int at = 0; at < PLAN_COLUMNS; at++)
		value += score->columns[at].weight *
		    score_deviation(&score->columns[at]);
	return value;
}

double
plan_score(
    const struct plan_cluster *cluster, struct plan_score_parts *out_parts)
{
	struct arena *arena = arena_new(SCORE_SCRATCH_MAX);
	struct score *score = score_new(arena, cluster);
	double value = score_value(score);

	if (out_parts != NULL) {
		for (int at = 0; at < PLAN_COLUMNS; at++) {
			out_parts->deviation[at] =
			    score_deviation(&score->columns[at]);
			out_parts->weight[at] = score->columns[at].weight;
		}
		out_parts->conflicts = score->conflicts;
		out_parts->misplaced = score->misplaced;
		out_parts->overfull = score->overfull;
		out_parts->exposed = score->exposed;
	}
	arena_free(arena);
	return value;
}
