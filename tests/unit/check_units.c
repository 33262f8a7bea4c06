/*
 * Units and wall time: tables, one row per edge.  The row says what goes in
 * and what has to come out.
 */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/units.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)
#define REFUSED INT64_MIN

struct number_row {
	const char *in;
	int64_t out; /* REFUSED: an error */
};

static const struct number_row bytes_rows[] = {
    {"0", 0}, {"0B", 0}, {"0.0GiB", 0}, {"00012", 12}, {"1", 1}, {"1B", 1},
    {"1000B", 1000}, {"1kB", 1000}, {"1MB", 1000000}, {"500MB", 500000000},
    {"1GB", 1000000000}, {"2TB", 2000000000000}, {"1KiB", KIB}, {"1MiB", MIB},
    {"2GiB", 2 * GIB}, {"1TiB", TIB}, {"1.5GiB", GIB + GIB / 2},
    {"0.5KiB", 512}, {"1.25MB", 1250000}, {"0.000001MB", 1},
    {"0.1GiB", 107374182}, /* cut to whole bytes */
    {"0.0001KiB", 0}, {"0.999999TiB", 1099510528264},
    {"9223372036854775807", INT64_MAX}, {"8388607TiB", INT64_C(8388607) * TIB},
    {"8388607.999999TiB", INT64_C(8388607) * TIB + 1099510528264},
    {"9223372036854775808", REFUSED}, {"8388608TiB", REFUSED},
    {"99999999999999999999999", REFUSED}, {"9223373TB", REFUSED}, {"", REFUSED},
    {" ", REFUSED}, {"GiB", REFUSED}, {"-1", REFUSED}, {"+1", REFUSED},
    {" 1", REFUSED}, {"1 ", REFUSED}, {"1 GiB", REFUSED}, {"1\n", REFUSED},
    {"1gib", REFUSED}, {"1Gib", REFUSED}, {"1G", REFUSED}, {"1K", REFUSED},
    {"1KB", REFUSED}, {"1Kib", REFUSED}, {"1b", REFUSED}, {"1PiB", REFUSED},
    {"1GiBs", REFUSED}, {"1GiB/s", REFUSED}, {"1GiB1MiB", REFUSED},
    {"1%", REFUSED}, {"1.", REFUSED}, {".5GiB", REFUSED}, {"1.GiB", REFUSED},
    {"1..5GiB", REFUSED}, {"1.5.5GiB", REFUSED}, {"1,5GiB", REFUSED},
    {"1.5", REFUSED}, {"1.5B", REFUSED}, {"1.0B", REFUSED}, {"0x10", REFUSED},
    {"1e3", REFUSED}, {"1.0000001GiB", REFUSED}, {"nan", REFUSED},
    {"inf", REFUSED},
    {"\xd9\xa1GiB", REFUSED}, /* a digit, but not one of ours */
};

START_TEST(units_bytes)
{
	const struct number_row *row = &bytes_rows[_i];
	struct err err = {0};
	int64_t out = -7;

	if (row->out == REFUSED) {
		ck_assert_msg(units_parse_bytes(row->in, &out, &err) == -1,
		    "\"%s\" passed", row->in);
		ck_assert_int_eq(out, -7);
		ck_assert_int_eq(err.code, ERR_INVALID);
		ck_assert_ptr_nonnull(strstr(err.msg, "2GiB"));
		ck_assert_int_eq(units_parse_bytes(row->in, &out, NULL), -1);
	} else {
		ck_assert_msg(units_parse_bytes(row->in, &out, &err) == 0,
		    "\"%s\": %s", row->in, err.msg);
		ck_assert_int_eq(out, row->out);
		ck_assert_int_eq(err.code, ERR_NONE);
	}
}
END_TEST

static const struct number_row rate_rows[] = {
    {"0", 0},
    {"1000", 1000},
    {"100MiB/s", 100 * MIB},
    {"1.5GB/s", 1500000000},
    {"8B/s", 8},
    {"100MiB", REFUSED},
    {"100/s", REFUSED},
    {"/s", REFUSED},
    {"100MiB/", REFUSED},
    {"100MiB/S", REFUSED},
    {"100MiB/m", REFUSED},
    {"100MiB/s/s", REFUSED},
    {"100 MiB/s", REFUSED},
    {"1Mbit/s", REFUSED},
    {"", REFUSED},
    {"1.5/s", REFUSED},
    {"8388608TiB/s", REFUSED},
};

START_TEST(units_rate)
{
	const struct number_row *row = &rate_rows[_i];
	struct err err = {0};
	int64_t out = -7;
	int rc = units_parse_rate(row->in, &out, &err);

	ck_assert_msg(
	    (rc == 0) == (row->out != REFUSED), "\"%s\": %d", row->in, rc);
	ck_assert_int_eq(out, rc == 0 ? row->out : -7);
	if (rc < 0)
		ck_assert_ptr_nonnull(strstr(err.msg, "100MiB/s"));
}
END_TEST

static const struct number_row duration_rows[] = {
    {"0", 0},
    {"0s", 0},
    {"0ms", 0},
    {"1ms", 1},
    {"320ms", 320},
    {"10s", 10000},
    {"5m", 300000},
    {"1h", 3600000},
    {"2d", 172800000},
    {"1h30m", 5400000},
    {"1h05m", 3900000},
    {"90m", 5400000},
    {"1d2h3m4s5ms", 93784005},
    {"1d5ms", 86400005},
    {"1m500ms", 60500},
    {"1s1ms", 1001},
    {"1h90m", 9000000},
    {"0.5s", 500},
    {"1.5h", 5400000},
    {"1h1.5m", 3690000},
    {"0.0005s", 0},
    {"0.001s", 1},
    {"0.25d", 21600000},
    {"106751991167d", INT64_C(106751991167) * 86400000},
    {"9223372036854775807ms", INT64_MAX},
    {"9223372036854775s807ms", INT64_MAX},
    {"9223372036854775s808ms", REFUSED},
    {"9223372036854775808ms", REFUSED},
    {"106751991168d", REFUSED},
    {"106751991167d1d", REFUSED},
    {"106751991167d24h", REFUSED},
    {"", REFUSED},
    {"1", REFUSED},
    {"30", REFUSED},
    {"00", REFUSED},
    {"0.0", REFUSED},
    {"s", REFUSED},
    {"-1s", REFUSED},
    {"+1s", REFUSED},
    {"1 s", REFUSED},
    {" 1s", REFUSED},
    {"1s ", REFUSED},
    {"1h 30m", REFUSED},
    {"30m1h", REFUSED},
    {"1s1s", REFUSED},
    {"1ms1s", REFUSED},
    {"1h30", REFUSED},
    {"1hm", REFUSED},
    {"1S", REFUSED},
    {"1H", REFUSED},
    {"1M", REFUSED},
    {"1sec", REFUSED},
    {"1min", REFUSED},
    {"1w", REFUSED},
    {"1us", REFUSED},
    {"1y", REFUSED},
    {"1.5", REFUSED},
    {"1.5h30m", REFUSED},
    {"1.5ms", REFUSED},
    {"1.s", REFUSED},
    {".5s", REFUSED},
    {"1.0000001s", REFUSED},
    {"02:00", REFUSED},
    {"1h-30m", REFUSED},
    {"1h+30m", REFUSED},
};

START_TEST(units_duration)
{
	const struct number_row *row = &duration_rows[_i];
	struct err err = {0};
	int64_t out = -7;
	int rc = units_parse_duration(row->in, &out, &err);

	ck_assert_msg((rc == 0) == (row->out != REFUSED), "\"%s\": %d %s",
	    row->in, rc, err.msg);
	ck_assert_int_eq(out, rc == 0 ? row->out : -7);
	if (rc < 0)
		ck_assert_ptr_nonnull(strstr(err.msg, "1h30m"));
}
END_TEST

static const struct {
	const char *in;
	double out; /* -1: an error */
} percent_rows[] = {
    {"0%", 0.0},
    {"1%", 0.01},
    {"80%", 0.8},
    {"100%", 1.0},
    {"12.5%", 0.125},
    {"99.9%", 0.999},
    {"100.0%", 1.0},
    {"0.000001%", 0.00000001},
    {"007%", 0.07},
    {"", -1},
    {"%", -1},
    {"80", -1},
    {"0.8", -1},
    {"0", -1},
    {"101%", -1},
    {"100.000001%", -1},
    {"-1%", -1},
    {"+1%", -1},
    {"80 %", -1},
    {" 80%", -1},
    {"80%%", -1},
    {"80%x", -1},
    {"1.%", -1},
    {".5%", -1},
    {"1e1%", -1},
    {"1.0000001%", -1},
    {"99999999999999999999%", -1},
    {"9223372036854775807%", -1},
};

START_TEST(units_percent)
{
	struct err err = {0};
	double out = -7;
	int rc = units_parse_percent(percent_rows[_i].in, &out, &err);

	ck_assert_msg((rc == 0) == (percent_rows[_i].out >= 0), "\"%s\": %d",
	    percent_rows[_i].in, rc);
	ck_assert_double_eq(out, rc == 0 ? percent_rows[_i].out : -7);
	if (rc < 0)
		ck_assert_ptr_nonnull(strstr(err.msg, "80%"));
}
END_TEST

START_TEST(units_errors_quote_the_input_and_say_why)
{
	struct err err;
	int64_t out;

	units_parse_bytes("9TB\n\x1b[31m", &out, &err);
	ck_assert_ptr_null(strpbrk(err.msg, "\n\x1b"));
	ck_assert_ptr_nonnull(strstr(err.msg, "\"9TB"));
	units_parse_bytes("9000000000TiB", &out, &err);
	ck_assert_ptr_nonnull(strstr(err.msg, "too large"));
	units_parse_bytes("1.0000001GiB", &out, &err);
	ck_assert_ptr_nonnull(strstr(err.msg, "6 digits"));
	units_parse_bytes("1.5", &out, &err);
	ck_assert_ptr_nonnull(strstr(err.msg, "fraction of a byte"));
}
END_TEST

struct text_row {
	int64_t in;
	const char *out;
};

static const struct text_row bytes_texts[] = {
    {0, "0 B"},
    {1, "1 B"},
    {812, "812 B"},
    {1023, "1023 B"},
    {1024, "1.0 KiB"},
    {1536, "1.5 KiB"},
    {MIB - 1, "1.0 MiB"},
    {1023 * KIB + 972, "1023.9 KiB"},
    {1023 * KIB + 973, "1.0 MiB"},
    {GIB + GIB / 2, "1.5 GiB"},
    {64 * GIB, "64.0 GiB"},
    {2 * TIB, "2.0 TiB"},
    {1024 * TIB, "1.0 PiB"},
    {INT64_MAX, "8.0 EiB"},
    {INT64_MIN, "-8.0 EiB"},
    {-1, "-1 B"},
    {-1536, "-1.5 KiB"},
};

START_TEST(units_bytes_text)
{
	char out[UNITS_TEXT_SIZE];

	units_format_bytes(bytes_texts[_i].in, out);
	ck_assert_str_eq(out, bytes_texts[_i].out);
}
END_TEST

static const struct text_row duration_texts[] = {
    {0, "0 ms"},
    {320, "320 ms"},
    {999, "999 ms"},
    {1000, "1.0 s"},
    {4200, "4.2 s"},
    {4249, "4.2 s"},
    {4250, "4.3 s"},
    {59949, "59.9 s"},
    {59950, "1 m 00 s"},
    {60000, "1 m 00 s"},
    {125000, "2 m 05 s"},
    {179499, "2 m 59 s"},
    {179500, "3 m 00 s"},
    {3599499, "59 m 59 s"},
    {3599500, "1 h 00 m"},
    {3600000, "1 h 00 m"},
    {11400000, "3 h 10 m"},
    {86369999, "23 h 59 m"},
    {86370000, "1 d 00 h"},
    {183600000, "2 d 03 h"},
    {-4200, "-4.2 s"},
    {-5, "-5 ms"},
    {INT64_MAX, "106751991167 d 07 h"},
    {INT64_MIN, "-106751991167 d 07 h"},
};

START_TEST(units_duration_text)
{
	char out[UNITS_TEXT_SIZE];

	units_format_duration(duration_texts[_i].in, out);
	ck_assert_str_eq(out, duration_texts[_i].out);
}
END_TEST

/* clock */

static const struct text_row wall_rows[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1, "1970-01-01T00:00:00.001Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {86399999, "1970-01-01T23:59:59.999Z"},
    {-86400000, "1969-12-31T00:00:00.000Z"},
    {-86400001, "1969-12-30T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951868800000, "2000-03-01T00:00:00.000Z"},
    {978220800000, "2000-12-31T00:00:00.000Z"},
    {1078012800000, "2004-02-29T00:00:00.000Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"}, /* not a leap year */
    {4107456000000, "2100-02-28T00:00:00.000Z"},
    {2147483648000, "2038-01-19T03:14:08.000Z"},
    {1795230000123, "2026-11-21T03:00:00.123Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {253402300800000, "9999-12-31T23:59:59.999Z"},
    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    {-62167219200000, "0000-01-01T00:00:00.000Z"},
    {-62162121600000, "0000-02-29T00:00:00.000Z"},
    {-62135596800000, "0001-01-01T00:00:00.000Z"},
    {INT64_MIN, "0000-01-01T00:00:00.000Z"},
};

START_TEST(wall_time_as_rfc3339)
{
	char out[CLOCK_RFC3339_SIZE];

	wall_format((struct wall){wall_rows[_i].in}, out);
	ck_assert_str_eq(out, wall_rows[_i].out);
}
END_TEST

/* A calendar that counts, against the one that calculates. */
START_TEST(wall_time_agrees_with_counting_days)
{
	static const int lengths[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t ms = INT64_C(-11676096000000); /* 1600-01-01 */

	for (int year = 1600; year < 2401; year++) {
		int leap =
		    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (int month = 0; month < 12; month++) {
			int days = lengths[month] + (month == 1 && leap);

			for (int day = 1; day <= days; day++) {
				char want[64], got[CLOCK_RFC3339_SIZE];

				(void)snprintf(want, sizeof(want),
				    "%04d-%02d-%02dT00:00:00.000Z", year,
				    month + 1, day);
				wall_format((struct wall){ms}, got);
				if (strcmp(got, want) != 0)
					ck_abort_msg("%s, not %s", got, want);
				ms += 86400000;
			}
		}
	}
}
END_TEST

START_TEST(monotonic_time_adds_and_compares)
{
	struct mono a = {1000}, b = mono_add(a, 250);

	ck_assert_int_eq(mono_diff(b, a), 250);
	ck_assert_int_eq(mono_diff(a, b), -250);
	ck_assert(mono_before(a, b));
	ck_assert(!mono_before(b, a));
	ck_assert(!mono_before(a, a));
}
END_TEST

static Suite *
suite_units(void)
{
	Suite *suite = suite_create("units");
	TCase *tc = tcase_create("units");

	tcase_add_loop_test(tc, units_bytes, 0, COUNT(bytes_rows));
	tcase_add_loop_test(tc, units_rate, 0, COUNT(rate_rows));
	tcase_add_loop_test(tc, units_duration, 0, COUNT(duration_rows));
	tcase_add_loop_test(tc, units_percent, 0, COUNT(percent_rows));
	tcase_add_test(tc, units_errors_quote_the_input_and_say_why);
	tcase_add_loop_test(tc, units_bytes_text, 0, COUNT(bytes_texts));
	tcase_add_loop_test(tc, units_duration_text, 0, COUNT(duration_texts));
	suite_add_tcase(suite, tc);

	tc = tcase_create("clock");
	tcase_add_loop_test(tc, wall_time_as_rfc3339, 0, COUNT(wall_rows));
	tcase_add_test(tc, wall_time_agrees_with_counting_days);
	tcase_add_test(tc, monotonic_time_adds_and_compares);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite_units());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
