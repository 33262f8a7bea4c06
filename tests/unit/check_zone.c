/*
 * Time zones: the same answers as date(1) gives, for what the tables list and
 * for years that only the rule reaches; and files that are not what they say.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone.h"
#include "base/zone_rule.h"

#define DAY_S INT64_C(86400)

static struct arena *arena;
static uint8_t file[ZONE_SIZE_MAX];

static void
set_up(void)
{
	arena = arena_new((size_t)8 << 20);
}

static void
tear_down(void)
{
	arena_free(arena);
}

static size_t
read_zone(const char *name)
{
	char path[128];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s is not there: install tzdata", path);
	len = fread(file, 1, sizeof(file), f);
	ck_assert_int_eq(fclose(f), 0);
	return len;
}

static const struct zone *
load(const char *name)
{
	struct err err = {.msg = ""};
	const struct zone *zone;

	zone = zone_parse(arena, file, read_zone(name), &err);
	ck_assert_msg(zone != NULL, "%s: %s", name, err.msg);
	return zone;
}

static struct wall
at(int64_t seconds)
{
	return (struct wall){seconds * 1000};
}

/* Instants that matter: each half day of a year with a leap day, beyond any
 * table as well, and around every change of the zone. */
static size_t
choose_instants(const struct zone *zone, int64_t *out, size_t max)
{
	static const int64_t years[] = {-315619200, 825552000, 1709164800,
	    2529532800, 4107542400, 13569465600};
	struct wall t = at(-2208988800); /* 1900 */
	size_t n = 0;

	for (size_t i = 0; i < sizeof(years) / sizeof(years[0]); i++)
		for (int k = 0; k < 740 && n < max; k++)
			out[n++] = years[i] + k * DAY_S / 2 + k % 3 * 1799;
	while (n + 3 < max && t.ms < INT64_C(5000000000000)) {
		t = zone_next_change(zone, t);
		if (t.ms == ZONE_NEVER)
			break;
		for (int k = -1; k < 2; k++)
			out[n++] = t.ms / 1000 + k;
	}
	return n;
}

#define INSTANTS 6000

static void
compare_with_date(const char *name)
{
	static int64_t instants[INSTANTS];
	const struct zone *zone = load(name);
	size_t count = choose_instants(zone, instants, INSTANTS);
	char path[] = "/tmp/check_zone.XXXXXX", command[256];
	int fd = mkstemp(path);
	FILE *f;

	ck_assert_int_ge(fd, 0);
	f = fdopen(fd, "w");
	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "@%lld\n", (long long)instants[i]);
	ck_assert_int_eq(fclose(f), 0);
	snprintf(command, sizeof(command),
	    "TZ=%s date -f %s '+%%::z %%u %%H %%M'", name, path);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < count; i++) {
		int hours, minutes, seconds, weekday, hour, minute;
		int got_weekday, got_minute;
		char sign;
		int64_t offset;

		ck_assert_int_eq(
		    fscanf(f, " %c%d:%d:%d %d %d %d", &sign, &hours, &minutes,
			&seconds, &weekday, &hour, &minute),
		    7);
		offset = hours * 3600 + minutes * 60 + seconds;
		offset = sign == '-' ? -offset : offset;
		zone_local(zone, at(instants[i]), &got_weekday, &got_minute);
		ck_assert_msg(zone_offset_s(zone, at(instants[i])) == offset &&
			got_weekday == weekday - 1 &&
			got_minute == hour * 60 + minute,
		    "%s at %lld: offset %lld instead of %lld, day %d of %d, "
		    "minute %d of %d",
		    name, (long long)instants[i],
		    (long long)zone_offset_s(zone, at(instants[i])),
		    (long long)offset, got_weekday, weekday - 1, got_minute,
		    hour * 60 + minute);
	}
	ck_assert_int_eq(pclose(f), 0);
	ck_assert_int_eq(remove(path), 0);
}

static const char *const zones[] = {"Europe/Berlin", "America/New_York",
    "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Apia", "Africa/Casablanca", "America/Havana", "Europe/Dublin",
    "Pacific/Chatham", "America/Nuuk", "Asia/Gaza", "Etc/GMT+12", "UTC",
    "Antarctica/Troll"};

START_TEST(offsets_are_those_of_date)
{
	compare_with_date(zones[_i]);
}
END_TEST

START_TEST(no_zone_is_utc)
{
	int weekday, minute;

	ck_assert_int_eq(zone_offset_s(NULL, at(1709164800)), 0);
	ck_assert_int_eq(zone_next_change(NULL, at(0)).ms, ZONE_NEVER);
	zone_local(NULL, (struct wall){-1}, &weekday, &minute);
	ck_assert_int_eq(weekday, 2); /* 1969-12-31, a Wednesday */
	ck_assert_int_eq(minute, 1439);
}
END_TEST

static int64_t
offset_by(const char *text, int64_t t)
{
	struct zone_rule rule;
	struct err err = {.msg = ""};
	int64_t until;

	ck_assert_msg(zone_rule_parse(&rule, text, &err) == 0, "%s", err.msg);
	return zone_rule_offset(&rule, t, &until);
}

START_TEST(rules_of_all_kinds_are_understood)
{
	const int64_t july = 1751328000;       /* 2025 */
	const int64_t march = 1740787200;      /* 2025-03-01 */
	const int64_t leap = 1709164800;       /* 2024-02-29 */
	const int64_t leap_march = 1709251200; /* 2024-03-01 */

	ck_assert_int_eq(offset_by("<+0545>-5:45", july), 20700);
	ck_assert_int_eq(offset_by("AAA-0:00:30", july), 30);
	ck_assert_int_eq(offset_by("EST5EDT,M3.2.0,M11.1.0", july), -14400);
	/* J60 is March 1st in every year; 59 is it in most. */
	ck_assert_int_eq(offset_by("AAA0BBB,J60/0,J300", march - 1), 0);
	ck_assert_int_eq(offset_by("AAA0BBB,J60/0,J300", march), 3600);
	ck_assert_int_eq(offset_by("AAA0BBB,J60/0,J300", leap), 0);
	ck_assert_int_eq(offset_by("AAA0BBB,J60/0,J300", leap_march), 3600);
	ck_assert_int_eq(offset_by("AAA0BBB,59/0,300", march), 3600);
	ck_assert_int_eq(offset_by("AAA0BBB,59/0,300", leap - 1), 0);
	ck_assert_int_eq(offset_by("AAA0BBB,59/0,300", leap), 3600);
	/* An hour may lie days away: 167 h from February 22nd. */
	ck_assert_int_eq(offset_by("AAA0BBB,J53/167,J300", march - 3601), 0);
	ck_assert_int_eq(offset_by("AAA0BBB,J53/167,J300", march - 3600), 3600);
}
END_TEST

START_TEST(summer_may_last_all_year)
{
	/* RFC 9636, 3.3.1: the end is the next beginning. */
	for (int64_t t = 1700000000; t < 1800000000; t += 3600)
		ck_assert_int_eq(offset_by("XXX3EDT4,0/0,J365/23", t), -14400);
}
END_TEST

START_TEST(broken_rules_are_refused)
{
	static const char *const broken[] = {"", "C", "CE-1", "CET", "CET-",
	    "CET-25", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0",
	    "CET-1CEST,M3.5.0,", "CET-1CEST,M13.5.0,M10.5.0",
	    "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
	    "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0/168,M10.5.0",
	    "CET-1CEST,M3.5.0,M10.5.0/", "CET-1CEST,M3.5.0,M10.5.0x",
	    "CET-1CEST,J0,J300", "CET-1CEST,J366,J300", "CET-1CEST,366,1",
	    "<CET-1", "<>-1", "<+1>-1", "CET-1:60", "CET-1:0:60", "CET-0001",
	    "CET-1:", "CET-1CE,M3.5.0,M10.5.0", "CET 1"};
	struct zone_rule rule;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct err err = {.code = ERR_NONE};

		ck_assert_msg(zone_rule_parse(&rule, broken[i], &err) != 0,
		    "\"%s\" was taken", broken[i]);
		ck_assert_int_eq(err.code, ERR_INVALID);
	}
}
END_TEST

START_TEST(a_file_that_is_cut_anywhere_is_refused)
{
	size_t len = read_zone("Europe/Berlin");

	for (size_t i = 0; i < len; i++) {
		uint8_t *part = malloc(i + 1);
		struct err err = {.code = ERR_NONE};

		ck_assert_ptr_nonnull(part);
		memcpy(part, file, i);
		ck_assert_msg(zone_parse(arena, part, i, &err) == NULL,
		    "%zu of %zu bytes were taken", i, len);
		ck_assert_int_eq(err.code, ERR_INVALID);
		free(part);
	}
}
END_TEST

START_TEST(one_byte_more_is_refused)
{
	struct err err = {.msg = ""};
	size_t len = read_zone("Europe/Berlin");

	file[len] = 'x';
	ck_assert_ptr_null(zone_parse(arena, file, len + 1, &err));
	ck_assert_str_eq(err.msg,
	    "not the compiled rules of a time zone: the rule at its end is "
	    "missing");
}
END_TEST

START_TEST(leap_seconds_are_refused_with_advice)
{
	struct err err = {.msg = ""};

	ck_assert_ptr_null(
	    zone_parse(arena, file, read_zone("right/Europe/Berlin"), &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "without \"right/\""));
}
END_TEST

/* A file of version 1: one change at 1000 s from +1 h to +2 h. */
static size_t
make_version_1(void)
{
	static const uint8_t body[] = {0, 0, 3, 232, 1, 0, 0, 14, 16, 0, 0, 0,
	    0, 28, 32, 1, 0, 'A', 'A', 'A', 0};

	memset(file, 0, 44);
	memcpy(file, "TZif", 4);
	file[35] = 1; /* changes */
	file[39] = 2; /* types */
	file[43] = 4; /* characters */
	memcpy(file + 44, body, sizeof(body));
	return 44 + sizeof(body);
}

START_TEST(version_1_has_no_rule_and_keeps_its_last_offset)
{
	const struct zone *zone =
	    zone_parse(arena, file, make_version_1(), NULL);

	ck_assert_ptr_nonnull(zone);
	ck_assert_int_eq(zone_offset_s(zone, at(-5000000000)), 3600);
	ck_assert_int_eq(zone_offset_s(zone, at(999)), 3600);
	ck_assert_int_eq(zone_offset_s(zone, at(1000)), 7200);
	ck_assert_int_eq(zone_offset_s(zone, at(5000000000)), 7200);
	ck_assert_int_eq(zone_next_change(zone, at(0)).ms, 1000000);
	ck_assert_int_eq(zone_next_change(zone, at(1000)).ms, ZONE_NEVER);
}
END_TEST

START_TEST(lies_inside_a_file_are_refused)
{
	static const struct {
		size_t where;
		uint8_t byte;
		const char *said;
	} lies[] = {
	    {0, 't', "begin with TZif"},
	    {4, '5', "version"},
	    {4, '1', "version"},
	    {32, 0xff, "too much"},
	    {39, 0, "no offset"},
	    {43, 0, "no offset"},
	    {23, 1, "do not agree"},
	    {27, 1, "do not agree"},
	    {35, 2, "cut short"},
	    {31, 1, "leap seconds"},
	    {48, 2, "leads to no offset"},
	    {49, 0x7f, "more than a day"},
	    {53, 2, "neither"},
	    {54, 4, "no name"},
	    {64, 'A', "no name"},
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		size_t len = make_version_1();
		struct err err = {.msg = ""};

		file[lies[i].where] = lies[i].byte;
		ck_assert_msg(zone_parse(arena, file, len, &err) == NULL,
		    "byte %zu", lies[i].where);
		ck_assert_msg(strstr(err.msg, lies[i].said) != NULL,
		    "byte %zu: %s", lies[i].where, err.msg);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("zone");
	TCase *tc = tcase_create("zone");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, offsets_are_those_of_date, 0,
	    (int)(sizeof(zones) / sizeof(zones[0])));
	tcase_add_test(tc, no_zone_is_utc);
	tcase_add_test(tc, rules_of_all_kinds_are_understood);
	tcase_add_test(tc, summer_may_last_all_year);
	tcase_add_test(tc, broken_rules_are_refused);
	tcase_add_test(tc, a_file_that_is_cut_anywhere_is_refused);
	tcase_add_test(tc, one_byte_more_is_refused);
	tcase_add_test(tc, leap_seconds_are_refused_with_advice);
	tcase_add_test(tc, version_1_has_no_rule_and_keeps_its_last_offset);
	tcase_add_test(tc, lies_inside_a_file_are_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
