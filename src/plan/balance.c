/*
 * Steepest descent: the move that lowers the score most comes first, so that a
 * plan that is cut short anywhere has bought the most with what it did.  A plan that
 * is carried out whole can do better in the end (balance_tail.c).
 *
 * Who may move is settled at the beginning: guests that run, that do not stay
 * and whose host is up and takes guests in.  (One that is closed is being emptied,
 * or is about to be: who leaves it, and where to, is for the drain to say.)  What
 * a move costs is in the score's unit, so that a large guest or a long downtime
 * has to gain more.
 */
#include "plan/balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/balance_priv.h"

#define BALANCE_GIB 1073741824.0
/* Of a downtime that is not known. */
#define BALANCE_DOWNTIME_S 10.0

struct plan_balance_options
plan_balance_defaults(const struct plan_cluster *cluster)
{
	double hosts = 0;

	for (uint32_t h = 0; h < cluster->host_count; h++)
		hosts += cluster->hosts[h].up;
	if (hosts < 1)
		hosts = 1;
	return (struct plan_balance_options){.min_gain = 0.005 / hosts,
	    .cost_gib = 0.00005 / hosts,
	    .cost_second = 0.0005 / hosts};
}

/* ---- ranks ---- */

struct balance_name {
	const char *name, *uuid;
	uint32_t at;
};

static int
balance_compare_names(const void *a, const void *b)
{
	const struct balance_name *x = a, *y = b;
	int order = strcmp(x->uuid, y->uuid);

	if (order == 0)
		order = strcmp(x->name, y->name);
	if (order != 0)
		return order;
	return x->at < y->at ? -1 : x->at > y->at;
}

static const char *
balance_text(const char *text)
{
	return text != NULL ? text : "";
}

static uint32_t *
balance_rank(struct arena *arena, struct balance_name *names, uint32_t count)
{
	uint32_t *rank = arena_array(arena, count + 1, sizeof(*rank));

	qsort(names, count, sizeof(*names), balance_compare_names);
	for (uint32_t i = 0; i < count; i++)
		rank[names[i].at] = i;
	return rank;
}

static double
balance_cost(const struct balance *b, uint32_t guest)
{
	const struct plan_guest *g = &b->cluster->guests[guest];
	const struct plan_balance_options *o = b->options;
	int64_t ms, downtime;
	double bytes = (double)g->disk;

	if (!(o->cost_gib > 0) && !(o->cost_second > 0))
		return 0;
	if (g->way != PLAN_RESTART)
		bytes += (double)(g->memory - g->overhead);
	balance_predict(b->cluster, guest, 1, &ms, &downtime);
	return o->cost_gib * bytes / BALANCE_GIB +
	    o->cost_second *
	    (downtime < 0 ? BALANCE_DOWNTIME_S : (double)downtime / 1000);
}

static void
balance_rank_hosts(struct arena *arena, struct balance *b)
{
	uint32_t count = b->cluster->host_count;
	struct balance_name *names =
	    arena_array(arena, count + 1, sizeof(*names));

	for (uint32_t h = 0; h < count; h++)
		names[h] = (struct balance_name){
		    balance_text(b->cluster->hosts[h].name), "", h};
	b->host_rank = balance_rank(arena, names, count);
}

static void
balance_rank_guests(struct arena *arena, struct balance *b)
{
	uint32_t count = b->cluster->guest_count;
	struct balance_name *names =
	    arena_array(arena, count + 1, sizeof(*names));

	for (uint32_t g = 0; g < count; g++)
		names[g] = (struct balance_name){
		    balance_text(b->cluster->guests[g].name),
		    balance_text(b->cluster->guests[g].uuid), g};
	b->guest_rank = balance_rank(arena, names, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = names[i].at;
		const struct plan_guest *g = &b->cluster->guests[at];
		const struct plan_host *h = &b->cluster->hosts[g->host];

		if (!g->runs || g->stays || !h->up || !h->accepts)
			continue;
		b->guests[b->guest_count++] = at;
		b->cost[at] = balance_cost(b, at);
	}
}

static struct balance *
balance_new(struct arena *arena, const struct plan_cluster *cluster,
    const struct plan_balance_options *options)
{
	struct balance *b = arena_alloc(arena, sizeof(*b));
	size_t hosts = (size_t)cluster->host_count + 1;
	size_t guests = (size_t)cluster->guest_count + 1;

	b->cluster = cluster;
	b->options = options;
	b->score = score_new(arena, cluster);
	b->fixed = score_penalty(b->score);
	b->cost = arena_array(arena, guests, sizeof(double));
	b->guests = arena_array(arena, guests, sizeof(uint32_t));
	b->value = arena_array(arena, guests, sizeof(double));
	b->best = arena_array(arena, guests, sizeof(uint32_t));
	b->looked = arena_array(arena, guests, sizeof(uint32_t));
	b->heap = arena_array(arena, guests, sizeof(uint32_t));
	b->targets = arena_array(arena, hosts, sizeof(uint32_t));
	b->slot = arena_array(arena, hosts, sizeof(uint32_t));
	b->keys = arena_array(arena, hosts, sizeof(*b->keys));
	b->memory = arena_array(arena, hosts, sizeof(int64_t));
	b->disk = arena_array(arena, hosts, sizeof(int64_t));
	for (int at = 0; at < PLAN_COLUMNS; at++) {
		b->use[at] =
		    arena_array(arena, hosts + BALANCE_BLOCK, sizeof(double));
		b->per[at] =
		    arena_array(arena, hosts + BALANCE_BLOCK, sizeof(double));
	}
	b->hint = PLAN_NONE;
	for (uint32_t h = 0; h < cluster->host_count; h++)
		b->slot[h] = PLAN_NONE;
	balance_rank_hosts(arena, b);
	balance_rank_guests(arena, b);
	return b;
}

/* ---- what comes out ---- */

static double
balance_percent(const struct score *score, enum plan_column at, uint32_t host)
{
	const struct score_column *col = &score->columns[at];

	return 100 * (col->use[host] + col->centre);
}

static const char *
balance_explain(struct arena *arena, const struct score *score,
    const struct balance_step *step, const double was[4], double before)
{
	const struct plan_host *hosts = score->cluster->hosts;
	const struct plan_host *from = &hosts[step->from];
	const struct plan_host *to = &hosts[step->to];
	const char *load = "load unknown";

	if (score->columns[PLAN_CPU].per[step->from] > 0)
		load = arena_printf(arena,
		    "cpu of %s %.0f %% to %.0f %%, of %s %.0f %% to %.0f %%",
		    from->name, was[0],
		    balance_percent(score, PLAN_CPU, step->from), to->name,
		    was[1], balance_percent(score, PLAN_CPU, step->to));
	return arena_printf(arena,
	    "%s; memory %.0f %% to %.0f %%, %.0f %% to %.0f %%; "
	    "score %.4f to %.4f",
	    load, was[2], balance_percent(score, PLAN_MEMORY, step->from),
	    was[3], balance_percent(score, PLAN_MEMORY, step->to), before,
	    step->score);
}

static void
balance_report(struct arena *arena, const struct plan_cluster *cluster,
    const struct balance_step *steps, uint32_t count, struct plan_result *out)
{
	struct arena *scratch = arena_new(SCORE_SCRATCH_MAX);
	struct score *score = score_new(scratch, cluster);
	double before = score_value(score);

	out->score_before = before;
	out->moves = arena_array(arena, count + 1, sizeof(*out->moves));
	out->move_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct balance_step *s = &steps[i];
		double was[4] = {balance_percent(score, PLAN_CPU, s->from),
		    balance_percent(score, PLAN_CPU, s->to),
		    balance_percent(score, PLAN_MEMORY, s->from),
		    balance_percent(score, PLAN_MEMORY, s->to)};

		score_move(score, s->guest, s->to);
		out->moves[i] = (struct plan_move){.guest = s->guest,
		    .from = s->from,
		    .to = s->to,
		    .way = cluster->guests[s->guest].way,
		    .score = s->score,
		    .reason = balance_explain(arena, score, s, was, before)};
		before = s->score;
	}
	out->score_after = before;
	arena_free(scratch);
}

double
balance_least_gain(const struct balance *b)
{
	return b->options->min_gain > BALANCE_EPSILON ? b->options->min_gain
						      : BALANCE_EPSILON;
}

void
plan_balance(struct arena *arena, const struct plan_cluster *cluster,
    const struct plan_balance_options *options, struct plan_result *out)
{
	struct arena *scratch = arena_new(SCORE_SCRATCH_MAX);
	struct balance *b = balance_new(scratch, cluster, options);
	uint32_t most = options->max_moves, count = 0;
	struct balance_step *steps;

	if (most == 0 || most > 4 * cluster->guest_count)
		most = 4 * cluster->guest_count;
	steps = arena_array(scratch, most + 1, sizeof(*steps));
	while (count < most) {
		double now = score_value(b->score);

		if (!balance_next(
			b, now - balance_least_gain(b), &steps[count]))
			break;
		balance_make(b, steps[count].guest, steps[count].to);
		steps[count++].score = score_value(b->score);
	}
	if (options->whole)
		count = balance_improve(scratch, b, steps, count);
	*out = (struct plan_result){0};
	balance_report(arena, cluster, steps, count, out);
	balance_set_waves(cluster, out);
	arena_free(scratch);
}
