/*
 * The model of pre-copy against cases that were worked out by hand, and against
 * what must hold for any guest.
 */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "decide/predict.h"

#define MIB (INT64_C(1) << 20)

static struct predict_result out;

static void
live(struct predict_input in)
{
	predict_live(&in, &out);
}

static void
near(int64_t value, int64_t expected, int64_t tolerance)
{
	ck_assert_int_ge(value, expected - tolerance);
	ck_assert_int_le(value, expected + tolerance);
}

/*
 * In these cases the limit of 300 ms is worth 30 MiB at 100 MiB/s, of which a pass
 * leaves 25 (5 MiB are the grain of 50 ms), and the socket's 4 MiB take 40 ms.
 */
START_TEST(an_idle_guest_stops_for_what_the_first_pass_leaves)
{
	/* (2000 - 25) / 100 = 19.75 s, then 25 + 4 MiB: 290 ms. */
	live((struct predict_input){.memory = 2000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 0,
	    .working_set = -1,
	    .overhead_ms = 700,
	    .switch_ms = 40});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 2);
	ck_assert_int_eq(out.downtime_ms, 290 + 40);
	ck_assert_int_eq(out.time_ms, 19750 + 290 + 40 + 700);
	ck_assert_int_eq(out.forced_downtime_ms, -1);
	ck_assert_uint_eq(out.rungs, 0);
}
END_TEST

START_TEST(what_fits_into_the_downtime_goes_at_once)
{
	/* 20 MiB in 200 ms < 300 ms, whatever the guest writes. */
	live((struct predict_input){.memory = 20 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = -1,
	    .working_set = -1});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 1);
	ck_assert_int_eq(out.downtime_ms, 200);
	ck_assert_int_eq(out.time_ms, 200);
}
END_TEST

START_TEST(two_passes_by_hand)
{
	/*
	 * M = W = 100 MiB, D = 50, limit 500 ms: 50 MiB, 45 are left.
	 * T0 = 0.55 s, P1 = 45 + 55 (1 - e^-0.275) = 58.22
	 * T1 = 0.1322 s, P2 = 45 + 55 (1 - e^-0.0661) = 48.52 < 50
	 * 48.52 + 4 MiB: 525 ms; in all 1.2074 s
	 */
	live((struct predict_input){.memory = 100 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 50 * MIB,
	    .working_set = -1,
	    .max_downtime_ms = 500});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 3);
	near(out.downtime_ms, 525, 1);
	near(out.time_ms, 1207, 1);
}
END_TEST

START_TEST(a_part_that_is_unused_and_a_faster_link_by_hand)
{
	/*
	 * 1000 MiB of which 400 are used, W = 200, D = 40, link 1000 MiB/s.
	 * T0 = 975 * 0.4 / 100 = 3.9, P1 = 25 + 175 (1 - e^-0.78) = 119.78
	 * T1 = 0.9478, P2 = 25 + 175 (1 - e^-0.18956) = 55.22
	 * T2 = 0.3022, P3 = 25 + 175 (1 - e^-0.06044) = 35.26
	 * T3 = 0.1026, P4 = 25 + 175 (1 - e^-0.02053) = 28.56 < 30
	 * of the 25 are 10 used: 13.56 MiB at 1000: 14 ms
	 */
	live((struct predict_input){.memory = 400 * MIB,
	    .size = 1000 * MIB,
	    .bandwidth = 100 * MIB,
	    .link = 1000 * MIB,
	    .dirty_rate = 40 * MIB,
	    .working_set = 200 * MIB,
	    .max_downtime_ms = 300,
	    .switch_ms = 50});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 5);
	near(out.downtime_ms, 14 + 50, 1);
	near(out.time_ms, 5316, 2);
}
END_TEST

START_TEST(a_writer_faster_than_the_link_never_ends_but_could_be_paused)
{
	/*
	 * M = W = 1000 MiB, B = 50, D = 100: 12.5 are left, and
	 * x = 987.5 (1 - e^(-0.002 x)): x = 780.0.  792.5 MiB and the socket's
	 * 4 take 15.93 s.
	 */
	live((struct predict_input){.memory = 1000 * MIB,
	    .bandwidth = 50 * MIB,
	    .dirty_rate = 100 * MIB,
	    .working_set = -1,
	    .max_downtime_ms = 300,
	    .switch_ms = 100});
	ck_assert(!out.converges);
	ck_assert_int_eq(out.time_ms, -1);
	ck_assert_int_eq(out.downtime_ms, -1);
	near(out.forced_downtime_ms, 15930 + 100, 10);
}
END_TEST

START_TEST(a_limit_that_is_worth_enough_lets_it_end)
{
	/* What is dirty grows by D (1 - P/W) and shrinks by B: the limit must
	 * be worth W (1 - B/D) = 150 MiB: 3 s. */
	struct predict_input in = {.memory = 1000 * MIB,
	    .bandwidth = 50 * MIB,
	    .dirty_rate = 100 * MIB,
	    .working_set = 300 * MIB};

	in.max_downtime_ms = 2900;
	live(in);
	ck_assert(!out.converges);
	ck_assert_int_gt(out.forced_downtime_ms, 2900);
	in.max_downtime_ms = 3150;
	live(in);
	ck_assert(out.converges);
	ck_assert_int_le(out.downtime_ms, 3150 + 80);
	ck_assert_int_ge(out.downtime_ms, 3000);
}
END_TEST

START_TEST(a_small_working_set_ends_however_fast_it_is_written)
{
	/* 20 MiB again and again: they are part of the 25 that are left. */
	live((struct predict_input){.memory = 4000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 5000 * MIB,
	    .working_set = 20 * MIB,
	    .max_downtime_ms = 300});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 2);
	ck_assert_int_eq(out.downtime_ms, 290);
	ck_assert_int_eq(out.time_ms, 39750 + 290);
}
END_TEST

START_TEST(a_working_set_cannot_be_larger_than_the_memory)
{
	struct predict_input in = {.memory = 500 * MIB,
	    .bandwidth = 50 * MIB,
	    .dirty_rate = 400 * MIB,
	    .working_set = 10000 * MIB,
	    .max_downtime_ms = 300};

	live(in);
	ck_assert(!out.converges);
	/* At most all of the memory, and the socket. */
	ck_assert_int_le(out.forced_downtime_ms, 10080);
	ck_assert_int_ge(out.forced_downtime_ms, 10050);
}
END_TEST

START_TEST(what_is_not_known_stays_unknown)
{
	struct predict_input in = {.memory = 1000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = -1,
	    .working_set = -1,
	    .max_downtime_ms = 300};

	live(in);
	ck_assert_int_eq(out.time_ms, -1);
	ck_assert_int_eq(out.downtime_ms, -1);
	ck_assert_int_eq(out.forced_downtime_ms, -1);
	ck_assert_int_eq(out.passes, 0);
	in.dirty_rate = 1;
	in.bandwidth = 0;
	live(in);
	ck_assert_int_eq(out.time_ms, -1);
	ck_assert_int_eq(out.downtime_ms, -1);
	in.bandwidth = 100 * MIB;
	in.memory = -1;
	live(in);
	ck_assert_int_eq(out.time_ms, -1);
	/* Of the disks only the time depends. */
	in.memory = 1000 * MIB;
	in.disk = -1;
	live(in);
	ck_assert(out.converges);
	ck_assert_int_eq(out.time_ms, -1);
	ck_assert_int_ge(out.downtime_ms, 0);
}
END_TEST

START_TEST(disks_go_before_the_memory_and_cost_no_downtime)
{
	struct predict_input in = {.memory = 1000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 0,
	    .working_set = -1,
	    .switch_ms = 80};

	in.disk = 5000 * MIB;
	live(in);
	ck_assert_int_eq(out.time_ms, 50000 + 9750 + 290 + 80);
	ck_assert_int_eq(out.downtime_ms, 290 + 80);
}
END_TEST

START_TEST(extremes_do_not_overflow)
{
	live((struct predict_input){.memory = INT64_MAX,
	    .disk = INT64_MAX,
	    .bandwidth = 1,
	    .dirty_rate = INT64_MAX,
	    .working_set = -1,
	    .max_downtime_ms = INT64_MAX,
	    .overhead_ms = INT64_MAX,
	    .switch_ms = INT64_MAX});
	ck_assert_int_eq(out.time_ms, -1);
	ck_assert_int_eq(out.downtime_ms, -1);
	live((struct predict_input){.memory = 0, .bandwidth = 1});
	ck_assert_int_eq(out.time_ms, 0);
	ck_assert_int_eq(out.downtime_ms, 0);
	ck_assert(out.converges);
}
END_TEST

START_TEST(one_that_would_need_endless_passes_does_not_converge)
{
	/* rho = 0.99999: it would end, after a million passes. */
	live((struct predict_input){.memory = 1000000 * MIB,
	    .bandwidth = 100000000,
	    .dirty_rate = 99999000,
	    .working_set = -1,
	    .max_downtime_ms = 1});
	ck_assert(!out.converges);
	ck_assert_int_ge(out.forced_downtime_ms, 1);
}
END_TEST

START_TEST(a_longer_limit_helps_or_does_nothing)
{
	struct predict_input in = {.memory = 1000 * MIB,
	    .bandwidth = 100 * MIB,
	    .working_set = 400 * MIB};
	int64_t limit, rate;
	bool before;

	for (rate = 0; rate <= 300; rate += 10) {
		in.dirty_rate = rate * MIB;
		before = false;
		for (limit = 50; limit <= 5000; limit += 50) {
			in.max_downtime_ms = limit;
			live(in);
			ck_assert(out.converges || !before);
			before = out.converges;
			if (!out.converges)
				continue;
			ck_assert_int_le(out.downtime_ms, limit + 40);
			ck_assert_int_ge(out.time_ms, out.downtime_ms);
		}
		ck_assert(before);
	}
}
END_TEST

/* ---- with the ladder ---- */

static struct predict_input busy = {.memory = 1000 * MIB,
    .bandwidth = 100 * MIB,
    .dirty_rate = 150 * MIB,
    .working_set = 600 * MIB,
    .max_downtime_ms = 300,
    .switch_ms = 50};

static void
helped(unsigned rungs, int64_t max_downtime_ms, int64_t pause_max_ms)
{
	struct converge_policy policy = {.rungs = rungs,
	    .max_downtime_ms = max_downtime_ms,
	    .pause_max_ms = pause_max_ms,
	    .postcopy_ready = true};
	struct predict_input in = busy;

	in.help = &policy;
	live(in);
	ck_assert(!out.converges);
	ck_assert_int_gt(out.forced_downtime_ms, 300);
}

START_TEST(without_help_a_busy_guest_has_no_end)
{
	live(busy);
	ck_assert(!out.converges);
	ck_assert_int_eq(out.time_ms, -1);
	helped(0, 0, 0);
	ck_assert_int_eq(out.time_ms, -1);
	ck_assert_int_eq(out.downtime_ms, -1);
}
END_TEST

START_TEST(a_limit_that_may_rise_far_enough_is_foretold)
{
	/* 600 (1 - 100/150) = 200 MiB: 2 s is just not enough. */
	helped(CONVERGE_DOWNTIME, 1900, 0);
	ck_assert_int_eq(out.time_ms, -1);
	helped(CONVERGE_DOWNTIME, 5000, 0);
	ck_assert_uint_eq(out.rungs, CONVERGE_DOWNTIME);
	ck_assert_int_ge(out.downtime_ms, 2000);
	ck_assert_int_le(out.downtime_ms, 5000 + 40 + 50);
	/* One pass over all, and some until it was noticed. */
	ck_assert_int_ge(out.time_ms, 10000);
	ck_assert_int_le(out.time_ms, 60000);
}
END_TEST

START_TEST(a_pause_is_foretold_with_its_length)
{
	helped(CONVERGE_PAUSE, 300, 30000);
	ck_assert_uint_eq(out.rungs, CONVERGE_PAUSE);
	near(out.downtime_ms, out.forced_downtime_ms, 200);
	/* One that would be too long is not begun. */
	helped(CONVERGE_PAUSE, 300, 1000);
	ck_assert_int_eq(out.time_ms, -1);
}
END_TEST

START_TEST(a_throttle_is_given_its_time)
{
	helped(CONVERGE_THROTTLE, 300, 0);
	ck_assert_uint_eq(out.rungs, CONVERGE_THROTTLE);
	ck_assert_int_le(out.downtime_ms, 340 + 50);
	ck_assert_int_ge(out.time_ms, 15000);
}
END_TEST

START_TEST(post_copy_stops_the_guest_for_the_switch_alone)
{
	helped(CONVERGE_POSTCOPY, 300, 0);
	ck_assert_uint_eq(out.rungs, CONVERGE_POSTCOPY);
	ck_assert_int_eq(out.downtime_ms, 50);
	ck_assert_int_ge(out.time_ms, 10000);
}
END_TEST

START_TEST(help_changes_nothing_for_a_guest_that_does_not_need_it)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_DOWNTIME | CONVERGE_PAUSE | CONVERGE_POSTCOPY,
	    .max_downtime_ms = 5000,
	    .postcopy_ready = true};
	struct predict_result alone;
	struct predict_input in = busy;

	for (int64_t rate = 0; rate <= 80; rate += 8) {
		in.dirty_rate = rate * MIB;
		in.help = NULL;
		live(in);
		ck_assert(out.converges);
		alone = out;
		in.help = &policy;
		live(in);
		ck_assert_int_eq(out.time_ms, alone.time_ms);
		ck_assert_int_eq(out.downtime_ms, alone.downtime_ms);
		ck_assert_uint_eq(out.rungs, 0);
	}
}
END_TEST

START_TEST(a_restart_stops_for_the_rest_and_the_start)
{
	struct predict_input in = {.bandwidth = 100 * MIB,
	    .disk = 3000 * MIB,
	    .overhead_ms = 500,
	    .switch_ms = 200};

	predict_restart(&in, 4000, 900, 50 * MIB, &out);
	ck_assert_int_eq(out.downtime_ms, 900 + 500 + 200);
	ck_assert_int_eq(out.time_ms, 30000 + 4000 + 1600 + 500);
	ck_assert(out.converges);
	/* The size of the disk is not in the downtime. */
	in.disk = 30000 * MIB;
	predict_restart(&in, 4000, 900, 50 * MIB, &out);
	ck_assert_int_eq(out.downtime_ms, 1600);
}
END_TEST

START_TEST(a_restart_of_an_unmeasured_guest_takes_typical_times)
{
	struct predict_input in = {.bandwidth = -1};

	predict_restart(&in, -1, -1, 0, &out);
	ck_assert_int_eq(out.downtime_ms, PREDICT_START_MS);
	ck_assert_int_eq(out.time_ms, PREDICT_STOP_MS + PREDICT_START_MS);
	/* It was off: nothing to wait for. */
	predict_restart(&in, 0, 0, 0, &out);
	ck_assert_int_eq(out.downtime_ms, 0);
	/* What is to be copied over a link of unknown rate is unknown. */
	predict_restart(&in, 0, 0, 1, &out);
	ck_assert_int_eq(out.downtime_ms, -1);
	in.disk = 1;
	predict_restart(&in, 0, 0, 0, &out);
	ck_assert_int_eq(out.downtime_ms, 0);
	ck_assert_int_eq(out.time_ms, -1);
	in.bandwidth = 1;
	predict_restart(&in, 0, 0, -1, &out);
	ck_assert_int_eq(out.downtime_ms, -1);
}
END_TEST

/* A guest that writes 50 MiB/s in all of 60 MiB, and one in all of 8 GiB. */
START_TEST(two_samples_tell_in_how_large_a_part_a_guest_writes)
{
	const double mib = 1 << 20;
	const struct {
		double rate, set;
	} guests[] = {{50, 60}, {300, 8192}, {5, 2}, {40, 400}};
	int64_t rate, set;

	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		double d = guests[i].rate, w = guests[i].set;

		predict_writes((int64_t)(w * -expm1(-d / w) * mib), 1000,
		    (int64_t)(w * -expm1(-4 * d / w) * mib / 4), 4000, &rate,
		    &set);
		ck_assert_double_eq_tol((double)rate / mib, d, d / 50);
		ck_assert_double_eq_tol((double)set / mib, w, w / 10);
	}
	/* Nothing is seen twice, nothing is known, nothing is written. */
	predict_writes(1000, 1000, 1000, 4000, &rate, &set);
	ck_assert_int_eq(rate, 1000);
	ck_assert_int_eq(set, -1);
	predict_writes(1000, 1000, -1, 4000, &rate, &set);
	ck_assert_int_eq(rate, 1000);
	ck_assert_int_eq(set, -1);
	predict_writes(-1, 1000, -1, 4000, &rate, &set);
	ck_assert_int_eq(rate, -1);
	predict_writes(0, 1000, 0, 4000, &rate, &set);
	ck_assert_int_eq(rate, 0);
	/* All of it all the time. */
	predict_writes(4000, 1000, 1000, 4000, &rate, &set);
	ck_assert_int_ge(set, 4000);
	ck_assert_int_lt(set, 4200);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("predict");
	TCase *tc = tcase_create("predict");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, two_samples_tell_in_how_large_a_part_a_guest_writes);
	tcase_add_test(tc, an_idle_guest_stops_for_what_the_first_pass_leaves);
	tcase_add_test(tc, what_fits_into_the_downtime_goes_at_once);
	tcase_add_test(tc, two_passes_by_hand);
	tcase_add_test(tc, a_part_that_is_unused_and_a_faster_link_by_hand);
	tcase_add_test(
	    tc, a_writer_faster_than_the_link_never_ends_but_could_be_paused);
	tcase_add_test(tc, a_limit_that_is_worth_enough_lets_it_end);
	tcase_add_test(tc, a_small_working_set_ends_however_fast_it_is_written);
	tcase_add_test(tc, a_working_set_cannot_be_larger_than_the_memory);
	tcase_add_test(tc, what_is_not_known_stays_unknown);
	tcase_add_test(tc, disks_go_before_the_memory_and_cost_no_downtime);
	tcase_add_test(tc, extremes_do_not_overflow);
	tcase_add_test(
	    tc, one_that_would_need_endless_passes_does_not_converge);
	tcase_add_test(tc, a_longer_limit_helps_or_does_nothing);
	tcase_add_test(tc, without_help_a_busy_guest_has_no_end);
	tcase_add_test(tc, a_limit_that_may_rise_far_enough_is_foretold);
	tcase_add_test(tc, a_pause_is_foretold_with_its_length);
	tcase_add_test(tc, a_throttle_is_given_its_time);
	tcase_add_test(tc, post_copy_stops_the_guest_for_the_switch_alone);
	tcase_add_test(
	    tc, help_changes_nothing_for_a_guest_that_does_not_need_it);
	tcase_add_test(tc, a_restart_stops_for_the_rest_and_the_start);
	tcase_add_test(
	    tc, a_restart_of_an_unmeasured_guest_takes_typical_times);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
