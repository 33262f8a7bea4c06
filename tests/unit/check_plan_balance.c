/*
 * Balance plans: small clusters of which the answer is known, and many random
 * ones whose plans are replayed by rules written down again here, in the
 * simplest way.  PLAN_FULL in the environment makes them ten times as many.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/balance.h"
#include "plan/score.h"

#define HOSTS 12
#define GUESTS 64

static struct plan_host hosts[HOSTS];
static struct plan_guest guests[GUESTS];
static uint64_t allowed[GUESTS];
static char host_names[HOSTS][16], guest_names[GUESTS][16];
static struct plan_cluster cluster;
static struct plan_balance_options options;
static struct plan_result result;
static struct arena *arena;

static void
setup(void)
{
	arena = arena_new((size_t)64 << 20);
	cluster = (struct plan_cluster){.hosts = hosts, .guests = guests};
	options = (struct plan_balance_options){0};
	result = (struct plan_result){0};
}

static void
teardown(void)
{
	arena_free(arena);
}

/* A host of 10 cores and 100 bytes. */
static struct plan_host *
add_host(void)
{
	uint32_t at = cluster.host_count++;
	struct plan_host *h = &hosts[at];

	snprintf(host_names[at], sizeof(host_names[at]), "h%u", at);
	*h = (struct plan_host){.name = host_names[at],
	    .cpus = 10,
	    .memory = 100,
	    .disk = -1,
	    .accepts = true,
	    .up = true,
	    .group = PLAN_NONE};
	return h;
}

static struct plan_guest *
add_guest(uint32_t host, double cpu, int64_t memory)
{
	uint32_t at = cluster.guest_count++;
	struct plan_guest *g = &guests[at];

	snprintf(guest_names[at], sizeof(guest_names[at]), "g%02u", at);
	*g = (struct plan_guest){.name = guest_names[at],
	    .uuid = guest_names[at],
	    .host = host,
	    .cpu = cpu,
	    .vcpus = 1,
	    .memory = memory,
	    .dirty_rate = -1,
	    .runs = true,
	    .apart = PLAN_NONE};
	hosts[host].cpu_used += cpu;
	return g;
}

static void
balance(void)
{
	plan_balance(arena, &cluster, &options, &result);
}

static bool
moves(uint32_t guest)
{
	for (uint32_t i = 0; i < result.move_count; i++)
		if (result.moves[i].guest == guest)
			return true;
	return false;
}

START_TEST(a_hot_host_gives_to_the_cool_one)
{
	add_host();
	add_host();
	for (int i = 0; i < 4; i++)
		add_guest(0, 2, 10);
	balance();
	ck_assert_uint_eq(result.move_count, 2);
	ck_assert_double_eq_tol(result.score_after, 0, 1e-7);
	ck_assert_uint_eq(result.moves[0].from, 0);
	ck_assert_uint_eq(result.moves[0].to, 1);
	ck_assert_ptr_nonnull(strstr(result.moves[0].reason,
	    "cpu of h0 80 % to 60 %, of h1 0 % to 20 %"));
	/* ties: the first by UUID */
	ck_assert_uint_eq(result.moves[0].guest, 0);
}
END_TEST

START_TEST(the_score_is_the_sum_of_deviations)
{
	struct plan_score_parts parts;

	add_host();
	add_host()->disk = 100;
	add_guest(0, 4, 40);
	add_guest(0, 2, 20)->vcpus = 3;
	/* cpu .6 and 0, memory .6 and 0, vcpus .4 and 0 */
	ck_assert_double_eq_tol(plan_score(&cluster, &parts), 0.8, 1e-12);
	ck_assert_double_eq_tol(parts.deviation[PLAN_CPU], 0.3, 1e-12);
	ck_assert_double_eq_tol(parts.deviation[PLAN_MEMORY], 0.3, 1e-12);
	ck_assert_double_eq_tol(parts.deviation[PLAN_VCPUS], 0.2, 1e-12);
	ck_assert_double_eq(parts.deviation[PLAN_DISK], 0);
	guests[0].apart = guests[1].apart = 0;
	cluster.apart_count = 1;
	guests[0].allowed = &allowed[0];
	allowed[0] = 2;
	hosts[0].memory = 50;
	plan_score(&cluster, &parts);
	ck_assert_uint_eq(parts.conflicts, 1);
	ck_assert_uint_eq(parts.misplaced, 1);
	ck_assert_uint_eq(parts.overfull, 1);
	ck_assert_uint_eq(parts.exposed, 0);
	hosts[1].memory = 50;
	plan_score(&cluster, &parts);
	ck_assert_uint_eq(parts.exposed, 1);
}
END_TEST

START_TEST(an_even_cluster_is_left_alone)
{
	for (uint32_t h = 0; h < 3; h++) {
		add_host();
		add_guest(h, 2, 10);
		add_guest(h, 1, 20);
	}
	balance();
	ck_assert_uint_eq(result.move_count, 0);
	ck_assert_double_eq(result.score_before, result.score_after);
	ck_assert_int_eq(result.makespan_ms, 0);
}
END_TEST

START_TEST(a_gain_below_the_least_moves_nothing)
{
	add_host();
	add_host();
	for (int i = 0; i < 4; i++)
		add_guest(0, 2, 10);
	options.min_gain = 10;
	balance();
	ck_assert_uint_eq(result.move_count, 0);
	options = (struct plan_balance_options){.cost_gib = 1e10};
	balance();
	ck_assert_uint_eq(result.move_count, 0);
	options = (struct plan_balance_options){.max_moves = 1};
	balance();
	ck_assert_uint_eq(result.move_count, 1);
}
END_TEST

START_TEST(costs_choose_the_guest_that_is_cheap_to_move)
{
	add_host();
	add_host();
	for (int i = 0; i < 3; i++)
		add_guest(0, 2, 10)->way =
		    i == 2 ? PLAN_LIVE_SHARED : PLAN_RESTART;
	options.cost_second = 0.01;
	options.max_moves = 1;
	balance();
	ck_assert_uint_eq(result.move_count, 1);
	ck_assert_uint_eq(result.moves[0].guest, 2);
}
END_TEST

START_TEST(guests_that_stay_or_are_off_are_load_only)
{
	add_host();
	add_host();
	add_guest(0, 3, 10)->stays = true;
	add_guest(0, 0, 10)->runs = false;
	add_guest(0, 2, 10);
	balance();
	ck_assert_uint_eq(result.move_count, 1);
	ck_assert_uint_eq(result.moves[0].guest, 2);
}
END_TEST

START_TEST(hosts_that_accept_nothing_get_nothing)
{
	add_host();
	add_host()->accepts = false;
	add_host()->up = false;
	for (int i = 0; i < 4; i++)
		add_guest(0, 2, 10);
	add_guest(2, 1, 10); /* cannot be had from there */
	balance();
	ck_assert_uint_eq(result.move_count, 0);
}
END_TEST

START_TEST(a_full_target_gets_nothing)
{
	add_host();
	add_host();
	for (int i = 0; i < 4; i++)
		add_guest(0, 2, 10);
	add_guest(1, 0, 95)->stays = true;
	balance();
	ck_assert_uint_eq(result.move_count, 0);
}
END_TEST

START_TEST(local_disks_need_room_at_the_target)
{
	add_host()->disk = 1000;
	add_host()->disk = 1000;
	add_host(); /* has none */
	add_guest(0, 4, 10)->disk = 300;
	add_guest(0, 4, 10)->disk = 300;
	add_guest(1, 0, 10)->disk = 750;
	guests[2].stays = true;
	guests[0].vcpus = guests[1].vcpus = 8;
	balance();
	ck_assert_uint_eq(result.move_count, 0);
	guests[2].disk = 700;
	balance();
	ck_assert_uint_ge(result.move_count, 1);
	ck_assert_uint_eq(result.moves[0].to, 1);
}
END_TEST

START_TEST(a_class_is_kept_apart)
{
	cluster.apart_count = 1;
	add_host();
	add_host();
	add_guest(0, 6, 30)->apart = 0;
	add_guest(0, 0.5, 5);
	add_guest(1, 1, 10)->apart = 0;
	balance();
	ck_assert(!moves(0) && !moves(2));
	guests[2].apart = PLAN_NONE;
	guests[1].apart = 0;
	balance();
	/* together before: one of them leaves */
	ck_assert_uint_ne(moves(0), moves(1));
}
END_TEST

START_TEST(a_guest_goes_only_where_it_is_allowed)
{
	add_host();
	add_host();
	add_host();
	allowed[0] = 1 | 4;
	for (int i = 0; i < 3; i++)
		add_guest(0, 2, 10)->allowed = &allowed[0];
	balance();
	ck_assert_uint_ge(result.move_count, 1);
	for (uint32_t i = 0; i < result.move_count; i++)
		ck_assert_uint_eq(result.moves[i].to, 2);
	/* and away from where it is not */
	allowed[0] = 2;
	balance();
	ck_assert_uint_eq(result.move_count, 3);
}
END_TEST

/* Each of the hosts can be lost, but not any more once the large guest has come
 * to the first one: its own and that would not fit elsewhere. */
START_TEST(the_loss_of_a_host_can_still_be_taken)
{
	struct plan_score_parts parts;

	for (uint32_t h = 0; h < 3; h++)
		add_host();
	hosts[0].cpus = 1000; /* cool */
	add_guest(1, 5, 50);
	add_guest(1, 3, 40);
	add_guest(0, 0, 10)->stays = true;
	add_guest(0, 0, 40)->stays = true;
	plan_score(&cluster, &parts);
	ck_assert_uint_eq(parts.exposed, 0);
	balance();
	for (uint32_t i = 0; i < result.move_count; i++)
		guests[result.moves[i].guest].host = result.moves[i].to;
	plan_score(&cluster, &parts);
	ck_assert_uint_eq(parts.exposed, 0);
	ck_assert_uint_ge(result.move_count, 1);
}
END_TEST

/* Only h1 has room for the large one of h0, were h0 lost. */
START_TEST(a_move_that_exposes_a_host_is_not_made)
{
	struct plan_score_parts parts;

	for (uint32_t h = 0; h < 3; h++)
		add_host();
	allowed[1] = 1 | 2;
	add_guest(0, 0, 60)->stays = true;
	add_guest(0, 5, 20)->allowed = &allowed[1];
	add_guest(1, 0, 40)->stays = true;
	add_guest(2, 0, 41)->stays = true;
	balance();
	ck_assert_uint_eq(result.move_count, 0);
	guests[3].memory = 40; /* now h2 has, too */
	balance();
	ck_assert_uint_eq(result.move_count, 1);
	plan_score(&cluster, &parts);
	ck_assert_uint_eq(parts.exposed, 0);
}
END_TEST

START_TEST(what_is_unknown_is_not_taken_for_nothing)
{
	add_host();
	add_host();
	add_host()->cpu_used = NAN;
	add_guest(0, 4, 10);
	add_guest(0, 4, 10);
	guests[0].cpu = NAN; /* who knows what it does */
	balance();
	ck_assert(!moves(0));
	for (uint32_t i = 0; i < result.move_count; i++)
		ck_assert_uint_ne(result.moves[i].to, 2);
	ck_assert(moves(1));
}
END_TEST

START_TEST(without_any_load_memory_is_evened)
{
	add_host();
	add_host();
	for (int i = 0; i < 4; i++)
		add_guest(0, NAN, 20);
	hosts[0].cpu_used = hosts[1].cpu_used = NAN;
	balance();
	ck_assert_uint_eq(result.move_count, 2);
	ck_assert_ptr_nonnull(strstr(result.moves[0].reason, "load unknown"));
}
END_TEST

START_TEST(waves_keep_the_limits)
{
	add_host();
	add_host();
	add_host();
	for (int i = 0; i < 9; i++)
		add_guest(0, 1, 10);
	cluster.limits.per_source = 2;
	balance();
	ck_assert_uint_eq(result.move_count, 6);
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_uint_eq(result.moves[i].wave, 1 + i / 2);
	hosts[0].limit_out = 1;
	balance();
	ck_assert_uint_eq(result.moves[5].wave, 6);
	ck_assert_int_gt(result.moves[5].begin_ms, result.moves[4].begin_ms);
	cluster.limits.per_source = 0;
	hosts[0].limit_out = 0;
	hosts[1].limit_in = hosts[2].limit_in = 1;
	balance();
	ck_assert_uint_eq(result.moves[5].wave, 3);
}
END_TEST

/* ---- random ones ---- */

static uint64_t state;

static uint32_t
draw(uint32_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

static void
generate(uint64_t seed)
{
	uint32_t host_count, guest_count, fill;

	state = seed;
	host_count = 2 + draw(HOSTS - 2);
	guest_count = draw(GUESTS);
	fill = 20 + draw(80);
	cluster.apart_count = draw(4);
	for (uint32_t i = 0; i < host_count; i++) {
		struct plan_host *h = add_host();

		h->cpus = draw(3) == 0 ? 20 : 10;
		h->memory = draw(3) == 0 ? 200 : 100;
		h->disk = draw(3) == 0 ? 300 : -1;
		h->accepts = draw(8) != 0;
		h->up = draw(12) != 0;
		h->limit_in = (int)draw(3);
	}
	for (uint32_t i = 0; i < guest_count; i++) {
		uint32_t at = draw(1 + draw(host_count));
		struct plan_guest *g =
		    add_guest(at, draw(100) / 50.0, 1 + draw(fill) / 4);

		g->vcpus = 1 + (int)draw(4);
		g->stays = draw(10) == 0;
		g->runs = draw(10) != 0;
		g->way = (enum plan_way)draw(3);
		if (hosts[at].disk > 0 && draw(3) == 0)
			g->disk = draw(100);
		if (cluster.apart_count > 0 && draw(4) == 0)
			g->apart = draw(cluster.apart_count);
		if (draw(6) == 0) {
			allowed[i] = draw(1u << host_count);
			g->allowed = &allowed[i];
		}
		if (draw(40) == 0)
			g->cpu = NAN;
	}
	if (draw(5) == 0)
		hosts[draw(host_count)].cpu_used = NAN;
	cluster.limits.total = (int)draw(6);
	cluster.limits.per_source = (int)draw(4);
	options.min_gain = draw(2) == 0 ? 0 : 0.01;
	options.whole = draw(2) == 0;
	options.cost_second = draw(2) == 0 ? 0 : 0.001;
}

static double
slow_deviation(int column)
{
	double use[HOSTS], mean = 0, square = 0;
	uint32_t n = 0;

	for (uint32_t h = 0; h < cluster.host_count; h++) {
		const struct plan_host *host = &hosts[h];
		double capacity[4] = {isnan(host->cpu_used) ? 0 : host->cpus,
		    (double)host->memory, host->cpus, (double)host->disk};
		double used[4] = {host->cpu_used, 0, 0, 0};

		if (!host->up || !(capacity[column] > 0))
			continue;
		for (uint32_t g = 0; g < cluster.guest_count; g++) {
			if (guests[g].host != h)
				continue;
			used[1] += (double)guests[g].memory;
			used[2] += guests[g].runs ? guests[g].vcpus : 0;
			used[3] += (double)guests[g].disk;
		}
		use[n] = used[column] / capacity[column];
		mean += use[n++];
	}
	for (uint32_t i = 0; i < n; i++)
		square += pow(use[i] - mean / n, 2);
	return n == 0 ? 0 : sqrt(square / n);
}

/* The score by definition; exposed hosts are taken from the product, whose
 * count slow_exposed() checks. */
static double
slow_score(uint32_t exposed)
{
	double score = exposed;

	for (int i = 0; i < 4; i++)
		score += slow_deviation(i);
	for (uint32_t h = 0; h < cluster.host_count; h++) {
		int64_t memory = 0, disk = 0;

		for (uint32_t g = 0; g < cluster.guest_count; g++)
			if (guests[g].host == h) {
				memory += guests[g].memory;
				disk += guests[g].disk;
			}
		score += memory > hosts[h].memory ||
		    (hosts[h].disk >= 0 && disk > hosts[h].disk);
	}
	for (uint32_t g = 0; g < cluster.guest_count; g++) {
		const struct plan_guest *a = &guests[g];
		bool first = true;

		if (a->allowed != NULL && !(*a->allowed >> a->host & 1))
			score += 4;
		for (uint32_t o = 0; o < g; o++)
			if (guests[o].apart == a->apart &&
			    guests[o].host == a->host)
				first = false;
		if (a->apart != PLAN_NONE && !first)
			score += 2;
	}
	return score;
}

/* Whether guests from `at` on, of those that run on the host, find a place. */
static bool
slow_fits(uint32_t host, uint32_t at, int64_t *room, int *budget)
{
	while (at < cluster.guest_count &&
	    (guests[at].host != host || !guests[at].runs))
		at++;
	if (at == cluster.guest_count)
		return true;
	if (--*budget < 0)
		return false;
	for (uint32_t h = 0; h < cluster.host_count; h++) {
		bool fits;

		if (h == host || room[h] < guests[at].memory)
			continue;
		room[h] -= guests[at].memory;
		fits = slow_fits(host, at + 1, room, budget);
		room[h] += guests[at].memory;
		if (fits)
			return true;
	}
	return false;
}

/* Hosts that are surely exposed: no packing exists. */
static uint32_t
slow_exposed(void)
{
	int64_t room[HOSTS] = {0};
	uint32_t count = 0;

	for (uint32_t h = 0; h < cluster.host_count; h++)
		if (hosts[h].up && hosts[h].accepts)
			room[h] = hosts[h].memory;
	for (uint32_t g = 0; g < cluster.guest_count; g++)
		room[guests[g].host] -= guests[g].memory;
	for (uint32_t h = 0; h < cluster.host_count; h++) {
		int budget = 20000;

		if (hosts[h].up && !slow_fits(h, 0, room, &budget) &&
		    budget >= 0)
			count++;
	}
	return count;
}

/* Those of its wave that began before it have left their hosts not yet. */
static void
check_wave(uint32_t at)
{
	const struct plan_move *m = &result.moves[at];
	int total = 0, out = 0, in = 0;
	int64_t memory = 0;

	for (uint32_t g = 0; g < cluster.guest_count; g++)
		if (guests[g].host == m->to)
			memory += guests[g].memory;
	for (uint32_t i = at; i-- > 0 && result.moves[i].wave == m->wave;) {
		const struct plan_move *o = &result.moves[i];

		ck_assert_uint_ne(o->guest, m->guest);
		total++;
		out += o->from == m->from;
		in += o->to == m->to;
		if (o->from == m->to)
			memory += guests[o->guest].memory;
		if (o->from == m->to && guests[o->guest].apart != PLAN_NONE)
			ck_assert_uint_ne(
			    guests[o->guest].apart, guests[m->guest].apart);
	}
	ck_assert_int_le(memory + guests[m->guest].memory, hosts[m->to].memory);
	if (cluster.limits.total > 0)
		ck_assert_int_lt(total, cluster.limits.total);
	if (cluster.limits.per_source > 0)
		ck_assert_int_lt(out, cluster.limits.per_source);
	if (hosts[m->to].limit_in > 0)
		ck_assert_int_lt(in, hosts[m->to].limit_in);
}

static void
check_rules(const struct plan_move *m)
{
	const struct plan_guest *g = &guests[m->guest];
	const struct plan_host *from = &hosts[m->from], *to = &hosts[m->to];
	int64_t disk = 0;

	ck_assert_uint_eq(g->host, m->from);
	ck_assert_uint_ne(m->from, m->to);
	ck_assert(g->runs && !g->stays && from->up && from->accepts);
	ck_assert(to->up && to->accepts);
	ck_assert(g->allowed == NULL || (*g->allowed >> m->to & 1) != 0);
	ck_assert(isnan(from->cpu_used) == isnan(to->cpu_used));
	ck_assert(isnan(from->cpu_used) || !isnan(g->cpu));
	for (uint32_t o = 0; o < cluster.guest_count; o++) {
		if (guests[o].host != m->to)
			continue;
		disk += guests[o].disk;
		if (g->apart != PLAN_NONE)
			ck_assert_uint_ne(guests[o].apart, g->apart);
	}
	if (g->disk > 0)
		ck_assert_int_le(disk + g->disk, to->disk);
}

static uint32_t
replay(void)
{
	struct plan_score_parts parts;
	double before = plan_score(&cluster, &parts);
	uint32_t exposed = parts.exposed, wave = 1;

	ck_assert_double_eq_tol(before, result.score_before, 1e-7);
	ck_assert_double_eq_tol(before, slow_score(exposed), 1e-7);
	for (uint32_t i = 0; i < result.move_count; i++) {
		const struct plan_move *m = &result.moves[i];
		double after;

		ck_assert(m->wave == wave || m->wave == wave + 1);
		wave = m->wave;
		check_rules(m);
		check_wave(i);
		guests[m->guest].host = m->to;
		if (!isnan(hosts[m->from].cpu_used)) {
			hosts[m->from].cpu_used -= guests[m->guest].cpu;
			hosts[m->to].cpu_used += guests[m->guest].cpu;
		}
		after = plan_score(&cluster, &parts);
		ck_assert_double_eq_tol(after, slow_score(parts.exposed), 1e-7);
		ck_assert_double_eq_tol(after, m->score, 1e-7);
		ck_assert_double_lt(after, before - options.min_gain + 1e-8);
		ck_assert_uint_le(parts.exposed, exposed);
		ck_assert_uint_ge(parts.exposed, slow_exposed());
		before = after;
		exposed = parts.exposed;
	}
	ck_assert_double_eq_tol(before, result.score_after, 1e-7);
	return result.move_count;
}

START_TEST(random_plans_keep_every_rule_at_every_step)
{
	uint32_t all = 0;

	for (uint64_t i = 0; i < 250; i++) {
		teardown();
		setup();
		generate((uint64_t)_i * 1000 + i);
		balance();
		all += replay();
	}
	ck_assert_uint_gt(all, 250);
}
END_TEST

/* Nothing but names decides between equals, and twice is the same. */
START_TEST(the_same_cluster_gives_the_same_plan)
{
	for (uint64_t i = 0; i < 50; i++) {
		struct plan_result first;

		cluster.host_count = cluster.guest_count = 0;
		generate(i);
		balance();
		first = result;
		balance();
		ck_assert_uint_eq(first.move_count, result.move_count);
		for (uint32_t m = 0; m < first.move_count; m++) {
			ck_assert_uint_eq(
			    first.moves[m].guest, result.moves[m].guest);
			ck_assert_uint_eq(
			    first.moves[m].to, result.moves[m].to);
		}
	}
}
END_TEST

START_TEST(a_plan_that_is_carried_out_whole_ends_better)
{
	double all = 0, all_whole = 0;

	for (uint64_t i = 0; i < 100; i++) {
		uint32_t count;

		teardown();
		setup();
		generate(9000 + i);
		options = (struct plan_balance_options){0};
		for (uint32_t h = 0; h < cluster.host_count; h++) {
			hosts[h].up = hosts[h].accepts = true;
			hosts[h].memory += 900;
		}
		for (uint32_t g = 0; g < cluster.guest_count; g++) {
			guests[g].apart = PLAN_NONE;
			guests[g].allowed = NULL;
		}
		balance();
		all += result.score_after;
		count = result.move_count;
		options.whole = true;
		balance();
		all_whole += result.score_after;
		ck_assert_uint_le(result.move_count, count);
		replay();
	}
	ck_assert_double_lt(all_whole, all * 0.98);
}
END_TEST

/* The best single move by trying them all is the first of the plan. */
START_TEST(the_first_move_is_the_best_there_is)
{
	for (uint64_t i = 0; i < 200; i++) {
		struct plan_score_parts parts;
		double best;

		cluster.host_count = cluster.guest_count = 0;
		generate(5000 + i);
		options = (struct plan_balance_options){.max_moves = 1};
		balance();
		best = result.score_after;
		for (uint32_t g = 0; g < cluster.guest_count; g++)
			for (uint32_t h = 0; h < cluster.host_count; h++) {
				struct plan_move m = {.guest = g,
				    .from = guests[g].host,
				    .to = h};
				uint32_t exposed;
				double after;
				int64_t memory = 0, disk = 0;
				bool fine = guests[g].runs &&
				    !guests[g].stays && hosts[m.from].up &&
				    hosts[m.from].accepts && hosts[h].up &&
				    hosts[h].accepts && h != m.from &&
				    !isnan(hosts[m.from].cpu_used) &&
				    !isnan(hosts[h].cpu_used) &&
				    !isnan(guests[g].cpu) &&
				    (guests[g].allowed == NULL ||
					(*guests[g].allowed >> h & 1) != 0);

				for (uint32_t o = 0; o < cluster.guest_count;
				     o++) {
					if (guests[o].host != h)
						continue;
					memory += guests[o].memory;
					disk += guests[o].disk;
					if (guests[g].apart != PLAN_NONE &&
					    guests[o].apart == guests[g].apart)
						fine = false;
				}
				if (!fine ||
				    memory + guests[g].memory >
					hosts[h].memory ||
				    (guests[g].disk > 0 &&
					disk + guests[g].disk > hosts[h].disk))
					continue;
				plan_score(&cluster, &parts);
				exposed = parts.exposed;
				guests[g].host = h;
				hosts[m.from].cpu_used -= guests[g].cpu;
				hosts[h].cpu_used += guests[g].cpu;
				after = plan_score(&cluster, &parts);
				hosts[m.from].cpu_used += guests[g].cpu;
				hosts[h].cpu_used -= guests[g].cpu;
				guests[g].host = m.from;
				if (parts.exposed == exposed)
					ck_assert_double_ge(after, best - 1e-7);
			}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_balance");
	TCase *small = tcase_create("small");
	TCase *random = tcase_create("random");
	SRunner *runner;
	int times = getenv("PLAN_FULL") != NULL ? 10 : 1, failed;

	tcase_add_checked_fixture(small, setup, teardown);
	tcase_add_test(small, a_hot_host_gives_to_the_cool_one);
	tcase_add_test(small, the_score_is_the_sum_of_deviations);
	tcase_add_test(small, an_even_cluster_is_left_alone);
	tcase_add_test(small, a_gain_below_the_least_moves_nothing);
	tcase_add_test(small, costs_choose_the_guest_that_is_cheap_to_move);
	tcase_add_test(small, guests_that_stay_or_are_off_are_load_only);
	tcase_add_test(small, hosts_that_accept_nothing_get_nothing);
	tcase_add_test(small, a_full_target_gets_nothing);
	tcase_add_test(small, local_disks_need_room_at_the_target);
	tcase_add_test(small, a_class_is_kept_apart);
	tcase_add_test(small, a_guest_goes_only_where_it_is_allowed);
	tcase_add_test(small, the_loss_of_a_host_can_still_be_taken);
	tcase_add_test(small, a_move_that_exposes_a_host_is_not_made);
	tcase_add_test(small, what_is_unknown_is_not_taken_for_nothing);
	tcase_add_test(small, without_any_load_memory_is_evened);
	tcase_add_test(small, waves_keep_the_limits);
	suite_add_tcase(suite, small);
	tcase_add_checked_fixture(random, setup, teardown);
	tcase_add_loop_test(
	    random, random_plans_keep_every_rule_at_every_step, 0, 16 * times);
	tcase_add_test(random, the_same_cluster_gives_the_same_plan);
	tcase_add_test(random, a_plan_that_is_carried_out_whole_ends_better);
	tcase_add_test(random, the_first_move_is_the_best_there_is);
	suite_add_tcase(suite, random);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
