/*
 * What predictions learn from how they came out, in a world where each move
 * costs more than the model says.
 */
#include <check.h>
#include <stdlib.h>

#include "act/correct.h"

static struct correction c;

static void
setup(void)
{
	c = (struct correction){0};
}

/* A move for which the model says 2 s and 300 ms. */
static void
move(int64_t actual_ms, int64_t actual_downtime_ms)
{
	correct_learn(&c, 2000 + c.time_ms, actual_ms, 300 + c.downtime_ms,
	    actual_downtime_ms);
}

START_TEST(the_first_move_teaches_all)
{
	move(3200, 120);
	ck_assert_int_eq(2000 + c.time_ms, 3200);
	ck_assert_int_eq(300 + c.downtime_ms, 120);
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
	ck_assert_int_eq(300 + c.downtime_ms, 300);
	for (int i = 0; i < 12; i++)
		move(3000, 100);
	ck_assert_int_le(2000 + c.time_ms, 3050);
}
END_TEST

START_TEST(what_is_off_by_far_teaches_nothing)
{
	move(2000 + CORRECT_TIME_MAX_MS + 1, 300 + CORRECT_DOWNTIME_MAX_MS + 1);
	ck_assert_int_eq(c.time_ms, 0);
	ck_assert_int_eq(c.downtime_ms, 0);
	correct_learn(&c, 60000, 10, 9000, 10);
	ck_assert_int_eq(c.time_ms, 0);
	/* Still the first. */
	move(2500, 300);
	ck_assert_int_eq(c.time_ms, 500);
}
END_TEST

START_TEST(what_is_unknown_teaches_nothing)
{
	correct_learn(&c, -1, 500, -1, 10);
	correct_learn(&c, 500, -1, 10, -1);
	ck_assert_int_eq(c.times + c.downtimes, 0);
	/* A guest that was off. */
	correct_learn(&c, 5000, 100, 0, -1);
	ck_assert_int_eq(c.time_ms, 0);
}
END_TEST

START_TEST(a_correction_stays_within_its_bounds)
{
	for (int i = 0; i < 100; i++)
		correct_learn(
		    &c, 0, CORRECT_TIME_MAX_MS, 1, CORRECT_DOWNTIME_MAX_MS);
	ck_assert_int_eq(c.time_ms, CORRECT_TIME_MAX_MS);
	for (int i = 0; i < 100; i++)
		correct_learn(
		    &c, CORRECT_TIME_MAX_MS, 0, CORRECT_DOWNTIME_MAX_MS, 0);
	ck_assert_int_eq(c.time_ms, -CORRECT_TIME_MAX_MS);
	ck_assert_int_eq(c.downtime_ms, -CORRECT_DOWNTIME_MAX_MS);
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
	tcase_add_test(tc, a_correction_stays_within_its_bounds);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
