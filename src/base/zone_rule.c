/*
 * Summer time by rule, for years that no table reaches.
 *
 * A rule names two days of a year and local times on them, and both may fall
 * into the year before or after: hours go from -167 to 167, and the offset
 * shifts what is left.  So the changes of the year of the asked instant and of
 * the two around it are laid side by side, and the last one that is not later
 * than the instant decides.
 *
 * Where summer lasts all year, its end and its next beginning are the same
 * instant; the beginning comes second in the list and so wins.  South of the
 * equator the end of summer is the earlier one of a year, hence the sort.
 */
#include "base/zone_rule.h"

#include <string.h>

#define DAY_S INT64_C(86400)

/* Days from 1970-01-01 to the first of a month (1 to 12). */
static int64_t
count_days(int64_t year, int month)
{
	static const int before[] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t past = year - 1; /* full years since the year 0 */
	int64_t leaps;

	if (month > 2)
		past = year;
	leaps = (past >= 0 ? past / 4 : -((-past + 3) / 4)) -
	    (past >= 0 ? past / 100 : -((-past + 99) / 100)) +
	    (past >= 0 ? past / 400 : -((-past + 399) / 400));
	return 365 * (year - 1970) + before[month - 1] + leaps - 477;
}

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t
year_of(int64_t t)
{
	int64_t days = t / DAY_S - (t % DAY_S < 0);
	/* 400 years have 146097 days; this is off by one at most. */
	int64_t year =
	    1970 + days / 146097 * 400 + days % 146097 * 400 / 146097;

	while (count_days(year, 1) > days)
		year--;
	while (count_days(year + 1, 1) <= days)
		year++;
	return year;
}

/* Local seconds since the epoch of the day's time in a year. */
static int64_t
day_in(const struct zone_day *day, int64_t year)
{
	int64_t first, days = 0;
	int ahead;

	switch (day->kind) {
	case ZONE_DAY_JULIAN:
		days = count_days(year, 1) + day->day - 1 +
		    (day->day >= 60 && is_leap(year));
		break;
	case ZONE_DAY_OF_YEAR:
		days = count_days(year, 1) + day->day;
		break;
	case ZONE_DAY_MONTH:
		first = count_days(year, day->month);
		/* 1970-01-01 was a Thursday, day 4 from Sunday. */
		ahead = (int)(((day->weekday - first - 4) % 7 + 7) % 7);
		days = first + ahead + 7 * (day->week - 1);
		if (days >= (day->month < 12 ? count_days(year, day->month + 1)
					     : count_days(year + 1, 1)))
			days -= 7;
		break;
	}
	return days * DAY_S + day->time_s;
}

struct change {
	int64_t at;
	bool summer;
};

static bool
sorts_before(const struct change *a, const struct change *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return !a->summer && b->summer;
}

#define CHANGES 6

static void
list_changes(
    const struct zone_rule *rule, int64_t year, struct change out[CHANGES])
{
	struct change change;
	size_t n = 0, at;

	for (size_t i = 0; i < CHANGES; i++) {
		int64_t which = year - 1 + (int64_t)(i / 2);

		change.summer = i % 2 == 0;
		change.at = change.summer
		    ? day_in(&rule->begin, which) - rule->standard_s
		    : day_in(&rule->end, which) - rule->summer_s;
		for (at = n++; at > 0 && sorts_before(&change, &out[at - 1]);
		     at--)
			out[at] = out[at - 1];
		out[at] = change;
	}
}

int64_t
zone_rule_offset(const struct zone_rule *rule, int64_t t, int64_t *out_until)
{
	struct change changes[CHANGES];
	bool summer;

	*out_until = INT64_MAX;
	if (!rule->has_summer)
		return rule->standard_s;
	list_changes(rule, year_of(t), changes);
	summer = !changes[0].summer;
	for (size_t i = 0; i < CHANGES; i++) {
		if (changes[i].at > t) {
			*out_until = changes[i].at;
			break;
		}
		summer = changes[i].summer;
	}
	return summer ? rule->summer_s : rule->standard_s;
}

/* ---- reading ---- */

static int
refuse(struct err *err, const char *text, const char *what)
{
	return err_set(err, ERR_INVALID, "the rule \"%s\" has %s", text, what);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
read_number(const char **at, int max, int *out)
{
	int n = 0, digits = 0;

	while (is_digit(**at) && digits++ < 3)
		n = n * 10 + (*(*at)++ - '0');
	if (digits == 0 || is_digit(**at) || n > max)
		return -1;
	*out = n;
	return 0;
}

/* [+-]hh[:mm[:ss]] */
static int
read_time(const char **at, int hours_max, int64_t *out)
{
	int hours, minutes = 0, seconds = 0;
	bool negative = **at == '-';

	if (**at == '-' || **at == '+')
		(*at)++;
	if (read_number(at, hours_max, &hours) != 0)
		return -1;
	if (**at == ':') {
		(*at)++;
		if (read_number(at, 59, &minutes) != 0)
			return -1;
		if (**at == ':') {
			(*at)++;
			if (read_number(at, 59, &seconds) != 0)
				return -1;
		}
	}
	*out = hours * INT64_C(3600) + minutes * 60 + seconds;
	if (negative)
		*out = -*out;
	return 0;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* CET, or <+0330>. */
static int
skip_name(const char **at)
{
	bool quoted = **at == '<';
	size_t len = 0;

	if (quoted)
		(*at)++;
	while (is_letter(**at) ||
	    (quoted && (is_digit(**at) || **at == '+' || **at == '-'))) {
		(*at)++;
		len++;
	}
	if (quoted && *(*at)++ != '>')
		return -1;
	return len >= 3 ? 0 : -1;
}

/* ,M3.5.0/2 */
static int
read_day(const char **at, struct zone_day *out)
{
	if (*(*at)++ != ',')
		return -1;
	out->time_s = 2 * 3600;
	if (**at == 'M') {
		out->kind = ZONE_DAY_MONTH;
		(*at)++;
		if (read_number(at, 12, &out->month) != 0 || *(*at)++ != '.' ||
		    read_number(at, 5, &out->week) != 0 || *(*at)++ != '.' ||
		    read_number(at, 6, &out->weekday) != 0 || out->month == 0 ||
		    out->week == 0)
			return -1;
	} else {
		out->kind = **at == 'J' ? ZONE_DAY_JULIAN : ZONE_DAY_OF_YEAR;
		*at += **at == 'J';
		if (read_number(at, 365, &out->day) != 0 ||
		    (out->kind == ZONE_DAY_JULIAN && out->day == 0))
			return -1;
	}
	if (**at != '/')
		return 0;
	(*at)++;
	return read_time(at, 167, &out->time_s);
}

int
zone_rule_parse(struct zone_rule *out, const char *text, struct err *err)
{
	struct zone_rule rule = {.has_summer = false};
	const char *at = text;
	int64_t west;

	if (skip_name(&at) != 0)
		return refuse(err, text, "no name of at least three letters");
	if (read_time(&at, 24, &west) != 0)
		return refuse(err, text, "no offset behind the name");
	rule.standard_s = -west;
	if (*at != '\0') {
		rule.has_summer = true;
		if (skip_name(&at) != 0)
			return refuse(
			    err, text, "no proper name of summer time");
		rule.summer_s = rule.standard_s + 3600;
		if (*at != ',') {
			if (read_time(&at, 24, &west) != 0)
				return refuse(
				    err, text, "no offset of summer time");
			rule.summer_s = -west;
		}
		if (read_day(&at, &rule.begin) != 0 ||
		    read_day(&at, &rule.end) != 0)
			return refuse(err, text,
			    "no proper days on which summer time begins "
			    "and ends");
		if (*at != '\0')
			return refuse(err, text, "more behind its end");
	}
	*out = rule;
	return 0;
}
