/*
 * Wall time as text, without the C library's calendar: gmtime() reads the
 * environment on some systems, and the pure core calls nothing of the kind.
 *
 * The date comes from the day count by the well-known arithmetic on eras of
 * 400 years (146097 days) that start on March 1st, so that the leap day is
 * the last of its year and needs no table.  RFC 3339 has four digits for the
 * year; a time outside of 0000 to 9999 is shown as the nearest end.
 */
#include "base/clock.h"

#include <string.h>

#include <stdio.h>

#define CLOCK_DAY_MS INT64_C(86400000)
#define CLOCK_ERA_DAYS INT64_C(146097)
#define CLOCK_MIN_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define CLOCK_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define CLOCK_EPOCH_SHIFT INT64_C(719468)     /* 0000-03-01 to 1970-01-01 */

void
wall_format(struct wall t, char out[CLOCK_RFC3339_SIZE])
{
	int64_t ms = t.ms, days, rest, era;
	unsigned int doe, yoe, doy, mp, day, month, year, msec;

	if (ms < CLOCK_MIN_MS)
		ms = CLOCK_MIN_MS;
	if (ms > CLOCK_MAX_MS)
		ms = CLOCK_MAX_MS;
	days = ms / CLOCK_DAY_MS;
	rest = ms % CLOCK_DAY_MS;
	if (rest < 0) {
		rest += CLOCK_DAY_MS;
		days--;
	}
	msec = (unsigned int)rest;

	days += CLOCK_EPOCH_SHIFT;
	era = (days >= 0 ? days : days - (CLOCK_ERA_DAYS - 1)) / CLOCK_ERA_DAYS;
	doe = (unsigned int)(days - era * CLOCK_ERA_DAYS);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	day = doy - (153 * mp + 2) / 5 + 1;
	month = mp < 10 ? mp + 3 : mp - 9;
	year = (unsigned int)((int64_t)yoe + era * 400 + (month <= 2));

	(void)snprintf(out, CLOCK_RFC3339_SIZE,
	    "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year % 10000, month % 100,
	    day % 100, msec / 3600000 % 100, msec / 60000 % 60,
	    msec / 1000 % 60, msec % 1000);
}

/* Days from 1970-01-01; March is the first month, so that a leap day ends the
 * year. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;
	int64_t era = y / 400, of_era = y % 400;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    (153 * m + 2) / 5 + day - 1 - 719468;
}

/* Digits from `text`, as many as `count`; -1: there are fewer. */
static int64_t
digits_of(const char *text, size_t count)
{
	int64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

bool
wall_parse(const char *text, struct wall *out)
{
	static const char form[] = "0000-00-00T00:00:00";
	static const int64_t longest[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t year, month, day, hour, minute, second, ms = 0;
	const char *rest;

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9'
				   : text[i] != form[i])
			return false;
	year = digits_of(text, 4);
	month = digits_of(text + 5, 2);
	day = digits_of(text + 8, 2);
	hour = digits_of(text + 11, 2);
	minute = digits_of(text + 14, 2);
	second = digits_of(text + 17, 2);
	rest = text + sizeof(form) - 1;
	if (*rest == '.') {
		ms = digits_of(rest + 1, 3);
		rest += ms < 0 ? 0 : 4;
	}
	if (strcmp(rest, "Z") != 0 || year < 1970 || month < 1 || month > 12 ||
	    day < 1 || day > longest[month - 1] || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	out->ms =
	    ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 +
	    second * 1000 + ms;
	return true;
}
