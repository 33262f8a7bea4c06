/*
 * Figures over time as people write them: what each form of the notation becomes,
 * and what is refused, with the place of the mistake.
 */

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial/series.h"

#define CPU (SERIES_PERCENT | SERIES_NUMBER)

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new((size_t)64 << 20);
}

static void
teardown(void)
{
	arena_free(arena);
}

/* The samples with spaces between. */
static const char *
expand(const char *text, unsigned units)
{
	static char out[4096];
	struct series series = {0};
	struct err err = {0};
	size_t at = 0, len = 0;

	ck_assert_msg(series_parse(arena, text, units, &series, &at, &err) == 0,
	    "%s: %s", text, err.msg);
	out[0] = '\0';
	for (size_t i = 0; i < series.count; i++) {
		const char *space = i > 0 ? " " : "";

		if (isnan(series.values[i]))
			len += (size_t)snprintf(
			    out + len, sizeof(out) - len, "%s_", space);
		else
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    "%s%.12g", space, series.values[i]);
	}
	return out;
}

START_TEST(each_form_of_the_notation_gives_its_samples)
{
	static const struct {
		const char *text;
		unsigned units;
		const char *samples;
	} rows[] = {
	    {"1 2 3", CPU, "1 2 3"},
	    {"50%", CPU, "0.5"},
	    {"1x4", CPU, "1 1 1 1 1"},
	    {"50%+10%x3", CPU, "0.5 0.6 0.7 0.8"},
	    {"0+1x3", CPU, "0 1 2 3"},
	    {"100%-25%x4", CPU, "1 0.75 0.5 0.25 0"},
	    {"1 _x3", CPU, "1 _ _ _"},
	    {"_ 2 _", CPU, "_ 2 _"},
	    {"  1   2x1  ", CPU, "1 2 2"},
	    {"0x1 50% 0", CPU, "0 0 0.5 0"},
	    {"50%+10%x5 95%x2", CPU, "0.5 0.6 0.7 0.8 0.9 1 0.95 0.95 0.95"},
	    {"1KiB+1KiBx2", SERIES_BYTES, "1024 2048 3072"},
	    {"1MiB/s 0 10", SERIES_RATE, "1048576 0 10"},
	    {"0.1+0.1x9", SERIES_NUMBER,
		"0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_str_eq(
		    expand(rows[i].text, rows[i].units), rows[i].samples);
}
END_TEST

/* A threshold is met exactly where the text says so. */
START_TEST(steps_do_not_drift)
{
	struct series series;
	struct err err;
	size_t at;

	ck_assert_int_eq(
	    series_parse(arena, "0%+0.1%x1000", CPU, &series, &at, &err), 0);
	ck_assert_uint_eq(series.count, 1001);
	for (size_t i = 0; i <= 1000; i++)
		ck_assert(series.values[i] == (double)i / 1000);
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_place)
{
	static const struct {
		const char *text;
		unsigned units;
		size_t at;
		const char *part;
	} rows[] = {
	    {"", CPU, 0, "no sample"},
	    {"   ", CPU, 3, "no sample"},
	    {"50% hot", CPU, 4, "\"hot\" is not a value"},
	    {"50% 1.5", CPU, 4,
		"\"1.5\" is a number, and the series began with a percentage"},
	    {"50%+1x3", CPU, 4, "\"1\" is a number, and the series began"},
	    {"50%+10%", CPU, 7, "how often, as in 50%+10%x3"},
	    {"50%x", CPU, 4, "how often is missing"},
	    {"50%x0", CPU, 4, "0 times more"},
	    {"50%x3y", CPU, 5, "a space is missing"},
	    {"50%+x3", CPU, 4, "a value is missing"},
	    {"-5%", CPU, 0, "a value is missing"},
	    {"1x20000", CPU, 0, "more than the 20000 samples"},
	    {"1x99999999999999999999", CPU, 2, "more than the 20000 samples"},
	    {"1 _x20000", CPU, 9, "more than the 20000 samples"},
	    {"90%+10%x2", CPU, 0, "sample 3 of the series is above 100%"},
	    {"20% 10%-6%x3", CPU, 4, "sample 4 of the series is below 0"},
	    {"2GiB", CPU, 0, "\"2GiB\" is a size; use a percentage such as"},
	    {"50%", SERIES_RATE, 0, "\"50%\" is a percentage; use a rate"},
	    {"2gb", SERIES_BYTES, 0, "2gb"},
	    {"0.0000001", CPU, 0, "0.0000001"},
	    {"9999999999999999", CPU, 0, "9999999999999999"},
	    {"1.", CPU, 0, "1."},
	    {"1\t2", CPU, 0, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct series series = {.count = 77};
		struct err err = {0};
		size_t at = 999;

		ck_assert_msg(series_parse(arena, rows[i].text, rows[i].units,
				  &series, &at, &err) == -1,
		    "\"%s\" is taken", rows[i].text);
		ck_assert_msg(strstr(err.msg, rows[i].part) != NULL,
		    "\"%s\": %s", rows[i].text, err.msg);
		ck_assert_msg(at == rows[i].at, "\"%s\": at %zu: %s",
		    rows[i].text, at, err.msg);
		ck_assert_uint_eq(series.count, 77);
	}
}
END_TEST

START_TEST(a_text_that_is_too_long_is_refused)
{
	char *text = malloc(SERIES_LENGTH_MAX + 2);
	struct series series;
	struct err err = {0};
	size_t at;

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', SERIES_LENGTH_MAX + 1);
	text[0] = '1';
	text[SERIES_LENGTH_MAX + 1] = '\0';
	ck_assert_int_eq(
	    series_parse(arena, text, CPU, &series, &at, &err), -1);
	text[SERIES_LENGTH_MAX] = '\0';
	ck_assert_int_eq(series_parse(arena, text, CPU, &series, &at, &err), 0);
	free(text);
}
END_TEST

START_TEST(a_sample_holds_until_the_next_and_the_last_one_for_good)
{
	struct series series, none = {0};
	struct err err;
	size_t at;

	ck_assert_int_eq(
	    series_parse(arena, "1 2 3", CPU, &series, &at, &err), 0);
	ck_assert_double_eq(series_at(&series, 30000, 0), 1);
	ck_assert_double_eq(series_at(&series, 30000, 29999), 1);
	ck_assert_double_eq(series_at(&series, 30000, 30000), 2);
	ck_assert_double_eq(series_at(&series, 30000, 86400000), 3);
	ck_assert(isnan(series_at(&none, 30000, 0)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trial_series");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_form_of_the_notation_gives_its_samples);
	tcase_add_test(tcase, steps_do_not_drift);
	tcase_add_test(tcase, what_is_wrong_is_told_with_its_place);
	tcase_add_test(tcase, a_text_that_is_too_long_is_refused);
	tcase_add_test(
	    tcase, a_sample_holds_until_the_next_and_the_last_one_for_good);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
