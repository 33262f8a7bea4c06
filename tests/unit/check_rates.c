/*
 * What moves that have ended tell about the links between hosts.
 */
#include <check.h>
#include <stdlib.h>

#include "act/rates.h"

#define MIB ((int64_t)1 << 20)

static struct rates *rates;

static void
setup(void)
{
	rates = rates_new();
}

static void
teardown(void)
{
	rates_free(rates);
}

START_TEST(a_link_is_known_after_one_move)
{
	ck_assert_int_eq(rates_of(rates, "kvm2"), 0);
	rates_learn(rates, "kvm2", 1000 * MIB, 10000, 0);
	ck_assert_int_eq(rates_of(rates, "kvm2"), 100 * MIB);
	ck_assert_int_eq(rates_of(rates, "kvm3"), 0);
}
END_TEST

START_TEST(one_slow_move_counts_for_a_quarter)
{
	rates_learn(rates, "kvm2", 1000 * MIB, 10000, 0);
	rates_learn(rates, "kvm2", 200 * MIB, 10000, 0);
	ck_assert_int_eq(rates_of(rates, "kvm2"), 80 * MIB);
	for (int i = 0; i < 40; i++)
		rates_learn(rates, "kvm2", 200 * MIB, 10000, 0);
	ck_assert_int_lt(rates_of(rates, "kvm2"), 21 * MIB);
}
END_TEST

START_TEST(what_is_small_or_quick_tells_nothing)
{
	rates_learn(rates, "kvm2", RATES_BYTES_MIN - 1, 10000, 0);
	rates_learn(rates, "kvm2", 1000 * MIB, RATES_MS_MIN - 1, 0);
	rates_learn(rates, "kvm2", -1, 10000, 0);
	rates_learn(rates, "kvm2", INT64_MAX, 10000, 0);
	ck_assert_int_eq(rates_of(rates, "kvm2"), 0);
}
END_TEST

START_TEST(a_move_that_was_held_back_tells_nothing)
{
	rates_learn(rates, "kvm2", 1000 * MIB, 10000, 100 * MIB);
	ck_assert_int_eq(rates_of(rates, "kvm2"), 0);
	/* It did not get what it was allowed. */
	rates_learn(rates, "kvm2", 1000 * MIB, 10000, 200 * MIB);
	ck_assert_int_eq(rates_of(rates, "kvm2"), 100 * MIB);
}
END_TEST

START_TEST(what_was_known_before_gives_way_to_nothing_newer)
{
	rates_remember(rates, "kvm2", 70 * MIB);
	rates_remember(rates, "kvm2", 10 * MIB);
	rates_remember(rates, "kvm3", 0);
	ck_assert_int_eq(rates_of(rates, "kvm2"), 70 * MIB);
	ck_assert_int_eq(rates_of(rates, "kvm3"), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rates");
	TCase *tc = tcase_create("rates");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_link_is_known_after_one_move);
	tcase_add_test(tc, one_slow_move_counts_for_a_quarter);
	tcase_add_test(tc, what_is_small_or_quick_tells_nothing);
	tcase_add_test(tc, a_move_that_was_held_back_tells_nothing);
	tcase_add_test(tc, what_was_known_before_gives_way_to_nothing_newer);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
