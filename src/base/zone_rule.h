#ifndef DROVER_BASE_ZONE_RULE_H
#define DROVER_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The rule by which a zone goes on for ever: the TZ of POSIX with the hours of
 * RFC 9636, section 3.3.1 (-167 to 167), as it ends a TZif file.
 *
 *	CET-1CEST,M3.5.0,M10.5.0/3
 */

enum zone_day_kind {
	ZONE_DAY_JULIAN,  /* J60 is March 1st of every year */
	ZONE_DAY_OF_YEAR, /* from 0, with February 29th */
	ZONE_DAY_MONTH,   /* M10.5.0: the last Sunday of October */
};

struct zone_day {
	enum zone_day_kind kind;
	int day;                  /* of the year */
	int month, week, weekday; /* 1 to 12; 1 to 5; 0 = Sunday */
	int64_t time_s;           /* local time then in force */
};

struct zone_rule {
	int64_t standard_s; /* local time minus UTC */
	bool has_summer;
	int64_t summer_s;
	struct zone_day begin, end; /* of summer time */
};

/* On failure -1, ERR_INVALID. */
int zone_rule_parse(struct zone_rule *out, const char *text, struct err *err);

/* The offset at a time in seconds since the epoch, and when it may next be
 * another one (INT64_MAX: never). */
int64_t zone_rule_offset(
    const struct zone_rule *rule, int64_t t, int64_t *out_until);

#endif
