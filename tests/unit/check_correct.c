/*
 * What predictions learn from how they came out, in a world where each move
 * costs more than the model says.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "act/correct.h"

static struct correction c;

static void
setup(void)
{
	c = (struct correction){0};
}

static int64_t
downtime(void)
{
	return llround(300 * exp(c.downtime_ln));
}

/* A move for which the model says 2 s and 300 ms. */
static void
move(int64_t actual_ms, int64_t actual_downtime_ms)
{
	correct_learn(
	    &c, 0, 2000 + c.time_ms, actual_ms, downtime(), actual_downtime_ms);
}

START_TEST(the_first_move_teaches_all)
{
	move(3200, 120);
	ck_assert_int_eq(2000 + c.time_ms, 3200);
	ck_assert_int_eq(downtime(), 120);
	move(3200, 120);
	ck_assert_int_eq(2000 + c.time_ms, 3200);
}
END_TEST

START_TEST(one_odd_move_does_little_harm)
{
	for (int i = 0; i < 10; i++)
		move(3000, 100);
	move(7000, 900);
	ck_assert_int_eq(2000 + c.time_ms, 4000);
	/* the fourth root of 9 */
	ck_assert_int_eq(downtime(), 173);
	for (int i = 0; i < 12; i++)
		move(3000, 100);
	ck_assert_int_le(2000 + c.time_ms, 3050);
}
END_TEST

START_TEST(what_is_off_by_far_teaches_nothing)
{
	move(2000 + CORRECT_TIME_MAX_MS + 1, 300 + CORRECT_DOWNTIME_MAX_MS + 1);
	ck_assert_int_eq(c.time_ms, 0);
	ck_assert_int_eq(downtime(), 300);
	correct_learn(&c, 0, 60000, 10, 9000, 10);
	ck_assert_int_eq(c.time_ms, 0);
	/* Still the first. */
	move(2500, 300);
	ck_assert_int_eq(c.time_ms, 500);
}
END_TEST

START_TEST(what_is_unknown_teaches_nothing)
{
	correct_learn(&c, 0, -1, 500, -1, 10);
	correct_learn(&c, 0, 500, -1, 10, -1);
	ck_assert_int_eq(c.times + c.downtimes, 0);
	/* A guest that was off. */
	correct_learn(&c, 0, 5000, 100, 0, -1);
	ck_assert_int_eq(c.time_ms, 0);
}
END_TEST

/* With 100 ms of which no factor takes anything away. */
START_TEST(what_no_link_makes_shorter_is_not_corrected)
{
	correct_learn(&c, 100, 2000, 2000, 300, 200);
	ck_assert_double_eq_tol(exp(c.downtime_ln), 0.5, 1e-9);
	c = (struct correction){0};
	/* It was shorter all the same: as short as can be. */
	correct_learn(&c, 100, 2000, 2000, 300, 60);
	ck_assert_double_eq_tol(exp(-c.downtime_ln), CORRECT_FACTOR_MAX, 1e-9);
}
END_TEST

START_TEST(a_correction_stays_within_its_bounds)
{
	for (int i = 0; i < 100; i++)
		correct_learn(
		    &c, 0, 0, CORRECT_TIME_MAX_MS, 1, CORRECT_DOWNTIME_MAX_MS);
	ck_assert_int_eq(c.time_ms, CORRECT_TIME_MAX_MS);
	for (int i = 0; i < 100; i++)
		correct_learn(
		    &c, 0, CORRECT_TIME_MAX_MS, 0, CORRECT_DOWNTIME_MAX_MS, 0);
	ck_assert_int_eq(c.time_ms, -CORRECT_TIME_MAX_MS);
	ck_assert_double_eq_tol(exp(-c.downtime_ln), CORRECT_FACTOR_MAX, 1e-9);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("correct");
	TCase *tc = tcase_create("correct");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, the_first_move_teaches_all);
	tcase_add_test(tc, one_odd_move_does_little_harm);
	tcase_add_test(tc, what_is_off_by_far_teaches_nothing);
	tcase_add_test(tc, what_is_unknown_teaches_nothing);
	tcase_add_test(tc, what_no_link_makes_shorter_is_not_corrected);
	tcase_add_test(tc, a_correction_stays_within_its_bounds);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
