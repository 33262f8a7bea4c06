/*
 * The model of pre-copy against cases that were worked out by hand, and against
 * what must hold for any guest.
 */
#include <check.h>
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

START_TEST(an_idle_guest_takes_one_pass_and_what_surrounds_it)
{
	/* 2000 MiB at 100 MiB/s: 20 s; nothing is left for the second pass. */
	live((struct predict_input){.memory = 2000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 0,
	    .working_set = -1,
	    .overhead_ms = 700,
	    .switch_ms = 40});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 2);
	ck_assert_int_eq(out.time_ms, 20000 + 700 + 40);
	ck_assert_int_eq(out.downtime_ms, 40);
	ck_assert_int_eq(out.forced_downtime_ms, -1);
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

START_TEST(a_slow_writer_in_a_large_memory_shrinks_by_the_ratio)
{
	/*
	 * rho = 0.5, W so large that the exponential is a line.  8000 MiB, 100
	 * MiB/s, limit 300 ms = 30 MiB.  8000 4000 2000 1000 500 250 125 62.5
	 * 31.25 15.6: n = ceil(ln(30/8000) / ln 0.5) = 9 is the last; in all
	 * 80 s (1 - 0.5^10) / 0.5 = 159.84 s; the last one 156 ms.
	 */
	live((struct predict_input){.memory = 8000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 50 * MIB,
	    .working_set = -1,
	    .max_downtime_ms = 300});
	ck_assert(out.converges);
	/* W = memory bends it: shorter than the line says, by less than the
	 * first passes weigh. */
	ck_assert_int_le(out.time_ms, 159844);
	ck_assert_int_ge(out.time_ms, 120000);

	/* One of 100 passes: the first fills 50 of 8000 MiB in 1 s. */
	live((struct predict_input){.memory = 100 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 50 * MIB,
	    .working_set = -1,
	    .max_downtime_ms = 500});
	/* V1 = 100 (1 - e^-0.5) = 39.35 MiB. */
	ck_assert_int_eq(out.passes, 2);
	ck_assert_int_eq(out.downtime_ms, 393);
	ck_assert_int_eq(out.time_ms, 1393);
}
END_TEST

START_TEST(three_passes_by_hand)
{
	/*
	 * M = 1000 MiB, W = 200 MiB, B = 100 MiB/s, D = 40 MiB/s, 300 ms.
	 * V1 = 200 (1 - exp(-40 * 10 / 200)) = 200 (1 - e^-2)     = 172.933
	 * V2 = 200 (1 - exp(-40 * 1.72933 / 200)) = 200 (1 - e^-0.345866)
	 *                                                        =  58.476
	 * V3 = 200 (1 - e^-0.116952)                             =  22.074
	 * sum = 1000 + 172.933 + 58.476 + 22.074 = 1253.48 MiB: 12.535 s
	 */
	live((struct predict_input){.memory = 1000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 40 * MIB,
	    .working_set = 200 * MIB,
	    .max_downtime_ms = 300,
	    .switch_ms = 50});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 4);
	near(out.downtime_ms, 221 + 50, 1);
	near(out.time_ms, 12535 + 50, 2);
}
END_TEST

START_TEST(a_writer_faster_than_the_link_never_ends_but_could_be_paused)
{
	/*
	 * M = W = 1000 MiB, B = 50 MiB/s, D = 100 MiB/s: V* solves
	 * v = 1 - e^(-2v): v = 0.7968; 796.8 MiB take 15.94 s.
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
	near(out.forced_downtime_ms, 15936 + 100, 5);
}
END_TEST

START_TEST(the_forced_downtime_is_the_limit_that_lets_it_end)
{
	struct predict_input in = {.memory = 1000 * MIB,
	    .bandwidth = 50 * MIB,
	    .dirty_rate = 100 * MIB,
	    .working_set = 300 * MIB,
	    .max_downtime_ms = 300};
	int64_t forced;

	live(in);
	ck_assert(!out.converges);
	forced = out.forced_downtime_ms;
	ck_assert_int_gt(forced, 300);
	in.max_downtime_ms = forced - 20;
	live(in);
	ck_assert(!out.converges);
	in.max_downtime_ms = forced + 20;
	live(in);
	ck_assert(out.converges);
	near(out.downtime_ms, forced, 25);
}
END_TEST

START_TEST(a_small_working_set_ends_however_fast_it_is_written)
{
	/* 20 MiB again and again: the second pass has 20 MiB, 200 ms. */
	live((struct predict_input){.memory = 4000 * MIB,
	    .bandwidth = 100 * MIB,
	    .dirty_rate = 5000 * MIB,
	    .working_set = 20 * MIB,
	    .max_downtime_ms = 300});
	ck_assert(out.converges);
	ck_assert_int_eq(out.passes, 2);
	ck_assert_int_eq(out.downtime_ms, 200);
	ck_assert_int_eq(out.time_ms, 40200);
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
	/* At most all of the memory: 10 s. */
	ck_assert_int_le(out.forced_downtime_ms, 10000);
	ck_assert_int_ge(out.forced_downtime_ms, 9990);
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
	ck_assert_int_eq(out.time_ms, 50000 + 10000 + 80);
	ck_assert_int_eq(out.downtime_ms, 80);
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

START_TEST(a_longer_limit_never_makes_it_longer)
{
	struct predict_input in = {.memory = 1000 * MIB,
	    .bandwidth = 100 * MIB,
	    .working_set = 400 * MIB};
	int64_t before, limit, rate;

	for (rate = 0; rate <= 90; rate += 10) {
		in.dirty_rate = rate * MIB;
		before = INT64_MAX;
		for (limit = 50; limit <= 3000; limit += 50) {
			in.max_downtime_ms = limit;
			live(in);
			if (!out.converges)
				continue;
			ck_assert_int_le(out.time_ms, before);
			ck_assert_int_le(out.downtime_ms, limit);
			before = out.time_ms;
		}
		ck_assert_int_lt(before, INT64_MAX);
	}
}
END_TEST

START_TEST(a_restart_stops_for_shutdown_rest_and_boot)
{
	struct predict_input in = {.bandwidth = 100 * MIB,
	    .disk = 3000 * MIB,
	    .overhead_ms = 500,
	    .switch_ms = 200};

	predict_restart(&in, 4000, 9000, 50 * MIB, &out);
	ck_assert_int_eq(out.downtime_ms, 4000 + 9000 + 500 + 200);
	ck_assert_int_eq(out.time_ms, 30000 + 13700 + 500);
	ck_assert(out.converges);
	/* The size of the disk is not in the downtime. */
	in.disk = 30000 * MIB;
	predict_restart(&in, 4000, 9000, 50 * MIB, &out);
	ck_assert_int_eq(out.downtime_ms, 13700);
}
END_TEST

START_TEST(a_restart_of_an_unmeasured_guest_takes_typical_times)
{
	struct predict_input in = {.bandwidth = -1};

	predict_restart(&in, -1, -1, 0, &out);
	ck_assert_int_eq(out.downtime_ms, PREDICT_STOP_MS + PREDICT_BOOT_MS);
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

int
main(void)
{
	Suite *suite = suite_create("predict");
	TCase *tc = tcase_create("predict");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, an_idle_guest_takes_one_pass_and_what_surrounds_it);
	tcase_add_test(tc, what_fits_into_the_downtime_goes_at_once);
	tcase_add_test(
	    tc, a_slow_writer_in_a_large_memory_shrinks_by_the_ratio);
	tcase_add_test(tc, three_passes_by_hand);
	tcase_add_test(
	    tc, a_writer_faster_than_the_link_never_ends_but_could_be_paused);
	tcase_add_test(tc, the_forced_downtime_is_the_limit_that_lets_it_end);
	tcase_add_test(tc, a_small_working_set_ends_however_fast_it_is_written);
	tcase_add_test(tc, a_working_set_cannot_be_larger_than_the_memory);
	tcase_add_test(tc, what_is_not_known_stays_unknown);
	tcase_add_test(tc, disks_go_before_the_memory_and_cost_no_downtime);
	tcase_add_test(tc, extremes_do_not_overflow);
	tcase_add_test(
	    tc, one_that_would_need_endless_passes_does_not_converge);
	tcase_add_test(tc, a_longer_limit_never_makes_it_longer);
	tcase_add_test(tc, a_restart_stops_for_shutdown_rest_and_boot);
	tcase_add_test(
	    tc, a_restart_of_an_unmeasured_guest_takes_typical_times);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
