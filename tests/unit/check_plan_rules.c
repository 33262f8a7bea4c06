/*
 * The rules that a balancer of clusters keeps, those of Ganeti's hbal(1) among
 * them, each on a cluster so small that the outcome can be told from a table.
 *
 * The tables show load in cores and memory in units; a host has 10 cores and 100
 * units unless told otherwise, a guest one virtual CPU; (p) is pinned.  What is
 * balanced is balanced twice: steepest first (loop 0), and as a whole (loop 1).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/balance.h"
#include "plan/evacuate.h"
#include "plan/score.h"

#define HOSTS 5
#define GUESTS 12
#define WAYS 2 /* to balance */

static struct plan_host hosts[HOSTS];
static struct plan_guest guests[GUESTS];
static struct plan_cluster cluster;
static struct plan_result result;
static struct arena *arena;

static void
setup(void)
{
	arena = arena_new((size_t)1 << 24);
	cluster = (struct plan_cluster){.hosts = hosts, .guests = guests};
}

static void
teardown(void)
{
	arena_free(arena);
}

/* Its load is that of its guests and what is added. */
static struct plan_host *
host(void)
{
	static const char *const names[HOSTS] = {"h0", "h1", "h2", "h3", "h4"};
	struct plan_host *h = &hosts[cluster.host_count];

	*h = (struct plan_host){.name = names[cluster.host_count++],
	    .cpus = 10,
	    .memory = 100,
	    .disk = -1,
	    .accepts = true,
	    .up = true,
	    .group = PLAN_NONE};
	return h;
}

static struct plan_guest *
guest(uint32_t at, double cpu, int64_t memory)
{
	static const char *const names[GUESTS] = {
	    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
	struct plan_guest *g = &guests[cluster.guest_count];

	*g = (struct plan_guest){.name = names[cluster.guest_count],
	    .uuid = names[cluster.guest_count],
	    .host = at,
	    .cpu = cpu,
	    .vcpus = 1,
	    .memory = memory,
	    .dirty_rate = -1,
	    .runs = true,
	    .apart = PLAN_NONE};
	cluster.guest_count++;
	hosts[at].cpu_used += cpu;
	return g;
}

static struct plan_guest *
pinned(uint32_t at, double cpu, int64_t memory)
{
	struct plan_guest *g = guest(at, cpu, memory);

	g->stays = true;
	return g;
}

static struct plan_score_parts
parts(void)
{
	struct plan_score_parts found;

	plan_score(&cluster, &found);
	return found;
}

/* Plans, and checks on a copy that no step exposes more hosts or has more on a
 * host than it has, nor brings a class together. */
static void
balance(int whole)
{
	struct plan_guest kept[GUESTS];
	struct plan_balance_options options = {.whole = whole != 0};
	struct plan_score_parts before = parts(), now;
	double load[HOSTS];

	plan_balance(arena, &cluster, &options, &result);
	memcpy(kept, guests, sizeof(kept));
	for (uint32_t h = 0; h < cluster.host_count; h++)
		load[h] = hosts[h].cpu_used;
	for (uint32_t i = 0; i < result.move_count; i++) {
		const struct plan_move *m = &result.moves[i];

		ck_assert(!guests[m->guest].stays);
		ck_assert_uint_eq(guests[m->guest].host, m->from);
		guests[m->guest].host = m->to;
		hosts[m->from].cpu_used -= guests[m->guest].cpu;
		hosts[m->to].cpu_used += guests[m->guest].cpu;
		now = parts();
		ck_assert_uint_le(now.exposed, before.exposed);
		ck_assert_uint_le(now.conflicts, before.conflicts);
		ck_assert_uint_le(now.overfull, before.overfull);
		before = now;
	}
	memcpy(guests, kept, sizeof(kept));
	for (uint32_t h = 0; h < cluster.host_count; h++)
		hosts[h].cpu_used = load[h];
}

static void
drain(uint32_t at)
{
	plan_evacuate(arena, &cluster, at, NULL, &result);
}

/* "b>h2 c>h3": who goes where, in the order of the plan. */
static const char *
plan(void)
{
	static char text[GUESTS * 4 * 6];
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < result.move_count; i++) {
		const struct plan_move *m = &result.moves[i];

		ck_assert_uint_lt(i, GUESTS);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s>%s",
		    at > 0 ? " " : "", guests[m->guest].name,
		    hosts[m->to].name);
	}
	return text;
}

static const char *
reason(const char *name)
{
	for (uint32_t i = 0; i < result.blocked_count; i++)
		if (strcmp(guests[result.blocked[i].guest].name, name) == 0)
			return result.blocked[i].reason;
	ck_abort_msg("%s is not blocked", name);
	return "";
}

static void
is_reason(const char *name, const char *part)
{
	ck_assert_msg(
	    strstr(reason(name), part) != NULL, "%s: %s", name, reason(name));
}

/* ---- N+1 ---- */

/*
 *	h0   5  a 90 (p)            h2   0
 *	h1  12  b c d, 4/20 each    h3   1  e 5 (p)
 *
 * Were h0 lost, a would need 90 on one host: h2 and h3 have that.  The evenest
 * would be one of h1's guests to each of them, and then none has.
 */
static struct plan_guest *
spare_cluster(void)
{
	struct plan_guest *large;

	for (int i = 0; i < 4; i++)
		host();
	large = pinned(0, 5, 90);
	for (int i = 0; i < 3; i++)
		guest(1, 4, 20);
	pinned(3, 1, 5);
	return large;
}

START_TEST(a_cluster_that_can_lose_any_host_stays_so)
{
	spare_cluster();
	ck_assert_uint_eq(parts().exposed, 0);
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2");
}
END_TEST

/* h3 with b still has 75. */
START_TEST(a_guest_that_fits_into_what_is_left_lets_both_go)
{
	spare_cluster()->memory = 75;
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2 c>h3");
}
END_TEST

/* One that is off is not started elsewhere when its host is lost. */
START_TEST(a_guest_that_is_off_needs_no_spare_room)
{
	spare_cluster()->runs = false;
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2 c>h3");
}
END_TEST

/* h4 is empty but too hot to be sent anything to. */
START_TEST(only_hosts_that_take_guests_in_are_spare)
{
	spare_cluster();
	host()->cpu_used = 15;
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2 c>h3");
	hosts[4].accepts = false;
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2");
	hosts[4].up = false;
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2");
}
END_TEST

/*
 *	h0   2  a 60 (p), of 65             free  5
 *	h1  12  b 55 (p)  c d e, 4/10 each  free 15
 *	h2   1  f 50 (p)                    free 50
 *	h3   0  g h 22 (p)                  free 56
 *
 * a finds no place if h0 is lost, and never will.  b has one at h3 only, until
 * something comes there: the cooler one may not be had, h2 takes one; another
 * one would make h2 hotter than h1.
 */
START_TEST(a_cluster_that_cannot_lose_a_host_is_not_made_worse)
{
	for (int i = 0; i < 4; i++)
		host();
	hosts[0].memory = 65;
	pinned(0, 2, 60);
	pinned(1, 0, 55);
	for (int i = 0; i < 3; i++)
		guest(1, 4, 10);
	pinned(2, 1, 50);
	pinned(3, 0, 22);
	pinned(3, 0, 22);
	ck_assert_uint_eq(parts().exposed, 1);
	balance(_i);
	ck_assert_str_eq(plan(), "c>h2");
	/* g and h as one: it would have h2 only, so c stays, too */
	guests[6].memory = 44;
	guests[7].memory = 0;
	ck_assert_uint_eq(parts().exposed, 1);
	balance(_i);
	ck_assert_str_eq(plan(), "");
}
END_TEST

/* ---- exclusion tags ---- */

/*
 *	h0  4  a b, 2/20 each     h1  4  c 40 (p)     h2  4  d 40 (p)
 *
 * Even, but a and b are not to be together.
 */
START_TEST(two_of_a_class_are_separated_at_the_cost_of_evenness)
{
	for (int i = 0; i < 3; i++)
		host();
	guest(0, 2, 20);
	guest(0, 2, 20);
	pinned(1, 4, 40);
	pinned(2, 4, 40);
	balance(_i);
	ck_assert_str_eq(plan(), "");
	cluster.apart_count = 1;
	guests[0].apart = guests[1].apart = 0;
	balance(_i);
	ck_assert_str_eq(plan(), "a>h1");
	/* the other ones' place is not better */
	guests[2].apart = 0;
	balance(_i);
	ck_assert_str_eq(plan(), "a>h2");
}
END_TEST

/* Four of a class on three hosts: two are together wherever they are. */
START_TEST(a_class_larger_than_the_cluster_is_left_as_it_is)
{
	cluster.apart_count = 1;
	for (uint32_t h = 0; h < 3; h++) {
		host();
		guest(h, 2, 20)->apart = 0;
	}
	guest(0, 2, 20)->apart = 0;
	ck_assert_uint_eq(parts().conflicts, 1);
	balance(_i);
	ck_assert_str_eq(plan(), "");
}
END_TEST

/*
 *	h0  8  a b, 4/20, of classes 0 and 1
 *	h1  1  c 10 (p), class 0
 *	h2  3  d 30 (p), class 1
 *
 * h1 is the cooler one, and a is the first: only b may go there.
 */
START_TEST(evenness_brings_no_class_together)
{
	cluster.apart_count = 2;
	for (int i = 0; i < 3; i++)
		host();
	guest(0, 4, 20)->apart = 0;
	guest(0, 4, 20)->apart = 1;
	pinned(1, 1, 10)->apart = 0;
	pinned(2, 3, 30)->apart = 1;
	balance(_i);
	ck_assert_str_eq(plan(), "b>h1");
	guests[0].apart = PLAN_NONE;
	balance(_i);
	ck_assert_str_eq(plan(), "a>h1");
}
END_TEST

/*
 *	h0  a b 20, class 0     h1  c (p), class 0     h2     h3
 *
 * One place each.  When h3 takes none in, one has none.
 */
START_TEST(a_drain_keeps_a_class_apart)
{
	cluster.apart_count = 1;
	for (int i = 0; i < 4; i++)
		host();
	guest(0, 1, 20)->apart = 0;
	guest(0, 1, 20)->apart = 0;
	pinned(1, 1, 20)->apart = 0;
	drain(0);
	ck_assert_uint_eq(result.blocked_count, 0);
	ck_assert_uint_eq(result.move_count, 2);
	ck_assert_uint_eq(result.moves[0].to + result.moves[1].to, 2 + 3);
	hosts[3].accepts = false;
	drain(0);
	ck_assert_str_eq(plan(), "a>h2");
	is_reason("b", "kept apart from");
}
END_TEST

/* ---- offline ---- */

/*
 *	h0  8  a b c d, 2/10 each     h1  3  e 10     h2  0
 *
 * With h1 down, h0 and h2 share, and count alone.
 */
START_TEST(a_host_that_is_down_takes_none_and_gives_none)
{
	struct plan_score_parts with, without;

	for (int i = 0; i < 3; i++)
		host();
	for (int i = 0; i < 4; i++)
		guest(0, 2, 10);
	guest(1, 3, 10);
	hosts[1].up = hosts[1].accepts = false;
	balance(_i);
	ck_assert_str_eq(plan(), "a>h2 b>h2");
	ck_assert_double_eq_tol(result.score_after, 0, 1e-7);
	/* nor has a drain any more of it */
	drain(1);
	ck_assert_str_eq(plan(), "");
	is_reason("e", "h1: down");
	drain(0);
	ck_assert_str_eq(plan(), "a>h2 b>h2 c>h2 d>h2");
	/* .8 and 0, whatever h1 says of itself */
	with = parts();
	hosts[1].cpu_used = 10;
	without = parts();
	ck_assert_double_eq_tol(with.deviation[PLAN_CPU], 0.4, 1e-12);
	ck_assert_double_eq(
	    with.deviation[PLAN_CPU], without.deviation[PLAN_CPU]);
}
END_TEST

/*
 *	h0  8  a b c d, 2/10 each, takes none     h1  4  e f, 2/10     h2  0
 *
 * What is left on h0 is a drain's to move, which may be under way.
 */
START_TEST(a_closed_host_takes_none_and_gives_only_when_drained)
{
	for (int i = 0; i < 3; i++)
		host();
	for (int i = 0; i < 4; i++)
		guest(0, 2, 10);
	guest(1, 2, 10);
	guest(1, 2, 10);
	hosts[0].accepts = false;
	balance(_i);
	ck_assert_str_eq(plan(), "e>h2");
	drain(0);
	ck_assert_uint_eq(result.move_count, 4);
	ck_assert_uint_eq(result.blocked_count, 0);
	/* and when it is the cool one */
	hosts[0].accepts = true;
	hosts[2].accepts = false;
	balance(_i);
	ck_assert_str_eq(plan(), "a>h1");
	drain(0);
	ck_assert_str_eq(plan(), "a>h1 b>h1 c>h1 d>h1");
}
END_TEST

/* ---- room ---- */

/*
 *	h0  8  a b c d, 2/10 each     h1  0  e 91 (p)     h2  8 f 90 (p)
 *
 * One unit is missing.  Then there is room for just one.
 */
START_TEST(a_host_that_is_nearly_full_takes_what_fits)
{
	for (int i = 0; i < 3; i++)
		host();
	for (int i = 0; i < 4; i++)
		guest(0, 2, 10);
	pinned(1, 0, 91);
	pinned(2, 8, 95);
	balance(_i);
	ck_assert_str_eq(plan(), "");
	guests[4].memory = 90;
	balance(_i);
	ck_assert_str_eq(plan(), "a>h1");
	drain(0);
	ck_assert_str_eq(plan(), "a>h1");
	ck_assert_uint_eq(result.blocked_count, 3);
	is_reason("b", "memory missing");
}
END_TEST

/*
 *	h0 of 200  10  a 6/120  b c, 2/10     h1  0     h2  0
 *
 * a is larger than either.
 */
START_TEST(a_guest_that_fits_nowhere_holds_up_nobody)
{
	for (int i = 0; i < 3; i++)
		host();
	hosts[0].memory = 200;
	guest(0, 6, 120);
	guest(0, 2, 10);
	guest(0, 2, 10);
	balance(_i);
	ck_assert_str_eq(plan(), "b>h1 c>h2");
	/* one to each: what is left is the same everywhere */
	drain(0);
	ck_assert_uint_eq(result.move_count, 2);
	ck_assert_uint_ne(result.moves[0].to, result.moves[1].to);
	ck_assert_uint_eq(result.blocked_count, 1);
	is_reason("a", "h1, h2: 30 B of memory missing at most");
}
END_TEST

/* ---- gain ---- */

/*
 *	h0  4  a b, 2/20     h1  2  c 20     h2  2  d 20
 *
 * Wherever one goes, some host has two.
 */
START_TEST(what_gains_nothing_is_not_moved)
{
	for (int i = 0; i < 3; i++)
		host();
	guest(0, 2, 20);
	guest(0, 2, 20);
	guest(1, 2, 20);
	guest(2, 2, 20);
	balance(_i);
	ck_assert_str_eq(plan(), "");
	ck_assert_double_eq(result.score_before, result.score_after);
}
END_TEST

/* A host of twice the size has twice as much: that is even. */
START_TEST(even_is_what_is_even_for_the_size)
{
	for (int i = 0; i < 3; i++)
		host();
	hosts[0].cpus = 20;
	hosts[0].memory = 200;
	guest(0, 2, 20);
	guest(0, 2, 20);
	guest(1, 2, 20);
	guest(2, 2, 20);
	ck_assert_double_eq_tol(plan_score(&cluster, NULL), 0, 1e-12);
	balance(_i);
	ck_assert_str_eq(plan(), "");
}
END_TEST

/*
 *	h0  8  a 10 (p)     h1  4  b c, 2/10     h2  0
 *
 * h0 has the fewest guests that can be moved, and the most load.
 */
START_TEST(pinned_guests_count_as_load)
{
	for (int i = 0; i < 3; i++)
		host();
	pinned(0, 8, 10);
	guest(1, 2, 10);
	guest(1, 2, 10);
	balance(_i);
	ck_assert_str_eq(plan(), "b>h2");
	drain(0);
	ck_assert_str_eq(plan(), "");
	is_reason("a", "pinned");
	/* and as memory: h2 has none for b */
	pinned(2, 0, 95);
	drain(1);
	ck_assert_str_eq(plan(), "b>h0 c>h0");
}
END_TEST

static void
add_balanced(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_cluster_that_can_lose_any_host_stays_so, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_guest_that_fits_into_what_is_left_lets_both_go, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_guest_that_is_off_needs_no_spare_room, 0, WAYS);
	tcase_add_loop_test(
	    tc, only_hosts_that_take_guests_in_are_spare, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_cluster_that_cannot_lose_a_host_is_not_made_worse, 0, WAYS);
	tcase_add_loop_test(
	    tc, two_of_a_class_are_separated_at_the_cost_of_evenness, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_class_larger_than_the_cluster_is_left_as_it_is, 0, WAYS);
	tcase_add_loop_test(tc, evenness_brings_no_class_together, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_host_that_is_down_takes_none_and_gives_none, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_closed_host_takes_none_and_gives_only_when_drained, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_host_that_is_nearly_full_takes_what_fits, 0, WAYS);
	tcase_add_loop_test(
	    tc, a_guest_that_fits_nowhere_holds_up_nobody, 0, WAYS);
	tcase_add_loop_test(tc, what_gains_nothing_is_not_moved, 0, WAYS);
	tcase_add_loop_test(tc, even_is_what_is_even_for_the_size, 0, WAYS);
	tcase_add_loop_test(tc, pinned_guests_count_as_load, 0, WAYS);
}

int
main(void)
{
	Suite *suite = suite_create("plan_rules");
	TCase *tc = tcase_create("plan_rules");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	add_balanced(tc);
	tcase_add_test(tc, a_drain_keeps_a_class_apart);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
