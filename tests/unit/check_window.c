/*
 * When a policy may begin something: days, nights, zones, and clocks that are
 * set.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/zone.h"
#include "decide/window.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MONDAY INT64_C(1764547200000) /* 2025-12-01T00:00:00Z */
#define SATURDAY_SUNDAY 0x60U

static struct arena *arena;
static struct policy policy;
static struct policy_window windows[4];

static void
set_up(void)
{
	arena = arena_new((size_t)8 << 20);
	policy = (struct policy){.windows = windows};
}

static void
tear_down(void)
{
	arena_free(arena);
}

static const struct zone *
load(const char *name)
{
	static uint8_t file[ZONE_SIZE_MAX];
	char path[128];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s is not there: install tzdata", path);
	len = fread(file, 1, sizeof(file), f);
	fclose(f);
	return zone_parse(arena, file, len, NULL);
}

static void
add(unsigned days, int from, int to, const struct zone *zone)
{
	windows[policy.window_count++] = (struct policy_window){
	    .days = days, .from_min = from, .to_min = to, .zone = zone};
}

static bool
is_open(int64_t ms)
{
	return window_open(&policy, (struct wall){ms}, NULL);
}

static int64_t
next(int64_t ms)
{
	struct wall change;

	window_open(&policy, (struct wall){ms}, &change);
	return change.ms;
}

/* Every minute of two weeks from `from`: the next change is where the answer
 * changes, as told by asking minute by minute. */
static void
check_changes(int64_t from)
{
	int64_t end = from + 14 * DAY, expected = next(from);
	bool open = is_open(from);

	for (int64_t t = from; t < end; t += MINUTE) {
		if (is_open(t) != open) {
			ck_assert_int_eq(t, expected);
			open = !open;
			expected = next(t);
		}
		ck_assert_int_eq(next(t), expected);
	}
}

START_TEST(without_windows_it_is_always_open)
{
	ck_assert(is_open(MONDAY));
	ck_assert_int_eq(next(MONDAY), 0);
}
END_TEST

START_TEST(a_window_is_open_from_its_beginning_up_to_its_end)
{
	add(POLICY_ALL_DAYS, 60, 120, NULL);
	ck_assert(!is_open(MONDAY + HOUR - 1));
	ck_assert(is_open(MONDAY + HOUR));
	ck_assert(is_open(MONDAY + 2 * HOUR - 1));
	ck_assert(!is_open(MONDAY + 2 * HOUR));
	ck_assert_int_eq(next(MONDAY + 123), MONDAY + HOUR);
	ck_assert_int_eq(next(MONDAY + HOUR), MONDAY + 2 * HOUR);
	ck_assert_int_eq(next(MONDAY + 2 * HOUR), MONDAY + DAY + HOUR);
	check_changes(MONDAY);
}
END_TEST

START_TEST(a_night_belongs_to_the_day_of_its_beginning)
{
	add(1U << 4, 22 * 60, 6 * 60, NULL); /* Friday night */
	ck_assert(!is_open(MONDAY + 4 * DAY + 5 * HOUR));
	ck_assert(is_open(MONDAY + 4 * DAY + 22 * HOUR));
	ck_assert(is_open(MONDAY + 5 * DAY + 6 * HOUR - 1));
	ck_assert(!is_open(MONDAY + 5 * DAY + 6 * HOUR));
	ck_assert(!is_open(MONDAY + 5 * DAY + 22 * HOUR));
	check_changes(MONDAY);
}
END_TEST

START_TEST(a_night_of_sunday_ends_on_monday)
{
	add(1U << 6, 23 * 60, 60, NULL);
	ck_assert(is_open(MONDAY));
	ck_assert_int_eq(next(MONDAY), MONDAY + HOUR);
	check_changes(MONDAY);
}
END_TEST

START_TEST(whole_days_join)
{
	add(SATURDAY_SUNDAY, 0, 1440, NULL);
	ck_assert_int_eq(next(MONDAY), MONDAY + 5 * DAY);
	ck_assert(is_open(MONDAY + 7 * DAY - 1));
	ck_assert_int_eq(next(MONDAY + 5 * DAY), MONDAY + 7 * DAY);
	check_changes(MONDAY);
}
END_TEST

START_TEST(always_open_never_changes)
{
	add(POLICY_ALL_DAYS, 0, 1440, load("Europe/Berlin"));
	ck_assert(is_open(MONDAY));
	ck_assert_int_eq(next(MONDAY), 0);
	windows[0].to_min = 0; /* to the same time of the next day */
	ck_assert(is_open(MONDAY));
	ck_assert_int_eq(next(MONDAY), 0);
}
END_TEST

START_TEST(of_several_windows_one_that_is_open_is_enough)
{
	add(1U << 0, 60, 180, NULL);
	add(1U << 0, 120, 240, NULL); /* they overlap */
	add(1U << 2, 60, 120, load("America/New_York"));
	ck_assert_int_eq(next(MONDAY + HOUR), MONDAY + 4 * HOUR);
	ck_assert_int_eq(next(MONDAY + 4 * HOUR), MONDAY + 2 * DAY + 6 * HOUR);
	check_changes(MONDAY);
}
END_TEST

START_TEST(the_time_is_that_of_the_zone)
{
	add(POLICY_ALL_DAYS, 60, 120, load("Europe/Berlin"));
	ck_assert(is_open(MONDAY)); /* 01:00 in Berlin */
	ck_assert_int_eq(next(MONDAY), MONDAY + HOUR);
}
END_TEST

/* Berlin sets its clock on 2026-03-29 at 01:00 UTC from 02:00 to 03:00, and on
 * 2026-10-25 at 01:00 UTC from 03:00 to 02:00. */
#define SPRING INT64_C(1774746000000)
#define AUTUMN INT64_C(1792890000000)

START_TEST(a_window_inside_the_skipped_hour_stays_shut)
{
	add(POLICY_ALL_DAYS, 130, 170, load("Europe/Berlin"));
	ck_assert_int_eq(
	    next(SPRING - HOUR), SPRING + DAY - HOUR + 10 * MINUTE);
	check_changes(SPRING - 7 * DAY);
}
END_TEST

START_TEST(a_window_that_begins_in_the_skipped_hour_begins_behind_it)
{
	add(POLICY_ALL_DAYS, 150, 240, load("Europe/Berlin"));
	ck_assert(!is_open(SPRING - 1));
	ck_assert_int_eq(next(SPRING - HOUR), SPRING);
	ck_assert_int_eq(next(SPRING), SPRING + HOUR);
	check_changes(SPRING - 7 * DAY);
}
END_TEST

START_TEST(a_window_that_ends_in_the_skipped_hour_ends_before_it)
{
	add(POLICY_ALL_DAYS, 60, 150, load("Europe/Berlin"));
	ck_assert_int_eq(next(SPRING - HOUR), SPRING);
	check_changes(SPRING - 7 * DAY);
}
END_TEST

START_TEST(a_time_that_is_shown_twice_is_open_twice)
{
	add(POLICY_ALL_DAYS, 150, 165, load("Europe/Berlin"));
	ck_assert_int_eq(next(AUTUMN - HOUR), AUTUMN - 30 * MINUTE);
	ck_assert(is_open(AUTUMN - 20 * MINUTE));
	ck_assert(!is_open(AUTUMN));
	ck_assert(is_open(AUTUMN + 40 * MINUTE));
	check_changes(AUTUMN - 7 * DAY);
}
END_TEST

START_TEST(a_window_around_the_repeated_hour_is_longer)
{
	add(POLICY_ALL_DAYS, 60, 240, load("Europe/Berlin"));
	ck_assert_int_eq(next(AUTUMN - 2 * HOUR), AUTUMN + 2 * HOUR);
	check_changes(AUTUMN - 7 * DAY);
}
END_TEST

START_TEST(a_clock_that_goes_back_over_midnight_shows_a_day_again)
{
	/* Havana, 2026-11-01 05:00 UTC: 01:00 becomes 00:00 of the same day.
	 * Samoa had no 2011-12-30 at all. */
	add(1U << 6, 0, 30, load("America/Havana"));
	check_changes(INT64_C(1793505600000) - 5 * DAY);
	windows[0] = (struct policy_window){
	    .days = 1U << 4, .to_min = 1440, .zone = load("Pacific/Apia")};
	/* from the end of one Friday to the next that there was */
	ck_assert_int_eq(next(INT64_C(1324720800000)), INT64_C(1325757600000));
	check_changes(INT64_C(1324720800000));
}
END_TEST

START_TEST(a_window_that_a_week_skips_is_found_in_the_next)
{
	/* Sunday 02:10 to 02:50 */
	add(1U << 6, 130, 170, load("Europe/Berlin"));
	ck_assert_int_eq(
	    next(SPRING - DAY), SPRING + 7 * DAY - HOUR + 10 * MINUTE);
}
END_TEST

START_TEST(no_day_is_never)
{
	add(0, 0, 1440, NULL);
	ck_assert(!is_open(MONDAY));
	ck_assert_int_eq(next(MONDAY), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("window");
	TCase *tc = tcase_create("window");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, without_windows_it_is_always_open);
	tcase_add_test(tc, a_window_is_open_from_its_beginning_up_to_its_end);
	tcase_add_test(tc, a_night_belongs_to_the_day_of_its_beginning);
	tcase_add_test(tc, a_night_of_sunday_ends_on_monday);
	tcase_add_test(tc, whole_days_join);
	tcase_add_test(tc, always_open_never_changes);
	tcase_add_test(tc, of_several_windows_one_that_is_open_is_enough);
	tcase_add_test(tc, the_time_is_that_of_the_zone);
	tcase_add_test(tc, a_window_inside_the_skipped_hour_stays_shut);
	tcase_add_test(
	    tc, a_window_that_begins_in_the_skipped_hour_begins_behind_it);
	tcase_add_test(
	    tc, a_window_that_ends_in_the_skipped_hour_ends_before_it);
	tcase_add_test(tc, a_time_that_is_shown_twice_is_open_twice);
	tcase_add_test(tc, a_window_around_the_repeated_hour_is_longer);
	tcase_add_test(
	    tc, a_clock_that_goes_back_over_midnight_shows_a_day_again);
	tcase_add_test(tc, a_window_that_a_week_skips_is_found_in_the_next);
	tcase_add_test(tc, no_day_is_never);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
