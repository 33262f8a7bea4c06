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
