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

#include <stdio.h>
#include <string.h>

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

/* Exactly `count` digits. */
static bool
take_digits(const char **at, int count, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return true;
}

static bool
take_char(const char **at, const char *any)
{
	if (**at == '\0' || strchr(any, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

/* .123456789: as milliseconds */
static bool
take_fraction(const char **at, int *out)
{
	int scale = 100;

	*out = 0;
	if (**at != '.')
		return true;
	(*at)++;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
		*out += (**at - '0') * scale;
	return true;
}

/* Z, or +01:00: as minutes */
static bool
take_zone(const char **at, int *out)
{
	bool negative = **at == '-';
	int hours, minutes;

	*out = 0;
	if (take_char(at, "Zz"))
		return true;
	if (!take_char(at, "+-") || !take_digits(at, 2, &hours) ||
	    !take_char(at, ":") || !take_digits(at, 2, &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*out = (hours * 60 + minutes) * (negative ? -1 : 1);
	return true;
}

static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy =
	    (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * CLOCK_ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + doy -
	    CLOCK_EPOCH_SHIFT;
}

bool
wall_parse(const char *text, struct wall *out)
{
	static const int lengths[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, hour, minute, second, ms, zone;
	bool leap;

	if (!take_digits(&text, 4, &year) || !take_char(&text, "-") ||
	    !take_digits(&text, 2, &month) || !take_char(&text, "-") ||
	    !take_digits(&text, 2, &day) || !take_char(&text, "Tt ") ||
	    !take_digits(&text, 2, &hour) || !take_char(&text, ":") ||
	    !take_digits(&text, 2, &minute) || !take_char(&text, ":") ||
	    !take_digits(&text, 2, &second) || !take_fraction(&text, &ms) ||
	    !take_zone(&text, &zone) || *text != '\0')
		return false;
	if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > lengths[month - 1] + (month == 2 && leap))
		return false;
	out->ms = days_of(year, month, day) * CLOCK_DAY_MS +
	    ((hour * 60 + minute - zone) * INT64_C(60) + second) * 1000 + ms;
	return true;
}
