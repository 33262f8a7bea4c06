/*
 * What people write and read: sizes, rates, durations, percentages.
 *
 * Everything is integer arithmetic, so that 1.5GiB is the same number on
 * every machine and nothing is lost above 2^53.  A fraction has at most six
 * digits: with them, fraction times the largest unit still fits 63 bits.
 * What a fraction leaves below one byte or one millisecond is cut off.
 *
 * Units are matched as written.  "2gb" or "2G" could mean either power, and a
 * bare "30" as a duration could mean anything; both are refused with the list
 * of what is allowed.
 */
#include "base/units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define UNITS_FRACTION_DIGITS 6

struct units_name {
	const char *name;
	int64_t factor;
};

/* A number as written: whole.fraction, the fraction in units of 1/scale. */
struct units_number {
	int64_t whole;
	int64_t fraction;
	int64_t scale; /* 1: no fraction was written */
};

static const struct units_name units_bytes[] = {
    {"B", 1},
    {"kB", INT64_C(1000)},
    {"MB", INT64_C(1000000)},
    {"GB", INT64_C(1000000000)},
    {"TB", INT64_C(1000000000000)},
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
    {NULL, 0},
};

/* From long to short: the order in which they combine. */
static const struct units_name units_durations[] = {
    {"d", INT64_C(86400000)},
    {"h", INT64_C(3600000)},
    {"m", INT64_C(60000)},
    {"s", INT64_C(1000)},
    {"ms", 1},
    {NULL, 0},
};

#define UNITS_BYTES_USE                                                        \
	"use a number with B, kB, MB, GB, TB, KiB, MiB, "                      \
	"GiB or TiB, such as 2GiB"
#define UNITS_RATE_USE "use a size per second, such as 100MiB/s"
#define UNITS_DURATION_USE                                                     \
	"use numbers with d, h, m, s or ms, the longest "                      \
	"first, such as 10s or 1h30m"
#define UNITS_PERCENT_USE "use 0% to 100%, such as 80%"

static bool
units_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Why a text was refused; NULL where the list of what is allowed says it. */
static const char units_why_large[] = "is too large";
static const char units_why_digits[] = "has more than 6 digits after the point";

static int
units_refuse(struct err *err, const char *s, const char *why, const char *what,
    const char *use)
{
	if (why == NULL) {
		return err_set(err, ERR_INVALID, "\"%.60s\" is not a %s (%s)",
		    s, what, use);
	}
	return err_set(
	    err, ERR_INVALID, "\"%.60s\" %s for a %s (%s)", s, why, what, use);
}

/* Reads a number at *s and moves *s behind it. */
static int
units_read_number(const char **s, struct units_number *out, const char **why)
{
	struct units_number n = {.scale = 1};
	const char *p = *s;
	int digits = 0;

	*why = NULL;
	if (!units_is_digit(*p))
		return -1;
	for (; units_is_digit(*p); p++) {
		if (__builtin_mul_overflow(n.whole, 10, &n.whole) ||
		    __builtin_add_overflow(n.whole, *p - '0', &n.whole)) {
			*why = units_why_large;
			return -1;
		}
	}
	if (*p == '.') {
		p++;
		if (!units_is_digit(*p))
			return -1;
		for (; units_is_digit(*p); p++) {
			if (++digits > UNITS_FRACTION_DIGITS) {
				*why = units_why_digits;
				return -1;
			}
			n.fraction = n.fraction * 10 + (*p - '0');
			n.scale *= 10;
		}
	}
	*out = n;
	*s = p;
	return 0;
}

/* The number times the factor; false when it does not fit. */
static bool
units_scale(const struct units_number *n, int64_t factor, int64_t *out)
{
	int64_t part = n->fraction * factor / n->scale;

	return !__builtin_mul_overflow(n->whole, factor, out) &&
	    !__builtin_add_overflow(*out, part, out);
}

static int
units_read_bytes(
    const char *s, const char *suffix, int64_t *out, const char **why)
{
	const struct units_name *unit = NULL;
	struct units_number n;
	const char *p = s;
	size_t len, tail = strlen(suffix);
	int64_t factor = 1, value;

	if (units_read_number(&p, &n, why) < 0)
		return -1;
	len = strlen(p);
	if (len > 0) {
		if (len < tail || strcmp(p + len - tail, suffix) != 0)
			return -1;
		len -= tail;
		for (unit = units_bytes; unit->name != NULL; unit++) {
			if (strlen(unit->name) == len &&
			    strncmp(unit->name, p, len) == 0)
				break;
		}
		if (unit->name == NULL)
			return -1;
		factor = unit->factor;
	}
	if (factor == 1 && n.scale != 1) {
		*why = "has a fraction of a byte, which is too fine";
		return -1;
	}
	if (!units_scale(&n, factor, &value)) {
		*why = units_why_large;
		return -1;
	}
	*out = value;
	return 0;
}

int
units_parse_bytes(const char *s, int64_t *out_bytes, struct err *err)
{
	const char *why;

	if (units_read_bytes(s, "", out_bytes, &why) < 0)
		return units_refuse(err, s, why, "size", UNITS_BYTES_USE);
	return 0;
}

int
units_parse_rate(const char *s, int64_t *out_bytes_per_s, struct err *err)
{
	const char *why;

	if (units_read_bytes(s, "/s", out_bytes_per_s, &why) < 0)
		return units_refuse(err, s, why, "rate", UNITS_RATE_USE);
	return 0;
}

/* The unit at *s, at or behind `from` in the table; moves *s behind it. */
static const struct units_name *
units_read_duration_unit(const char **s, const struct units_name *from)
{
	size_t len = 0;

	while ((*s)[len] >= 'a' && (*s)[len] <= 'z')
		len++;
	for (; from->name != NULL; from++) {
		if (strlen(from->name) == len &&
		    strncmp(from->name, *s, len) == 0) {
			*s += len;
			return from;
		}
	}
	return NULL;
}

static int
units_read_duration(const char *s, int64_t *out_ms, const char **why)
{
	const struct units_name *unit = units_durations;
	int64_t total = 0, part;

	*why = NULL;
	if (strcmp(s, "0") == 0) {
		*out_ms = 0;
		return 0;
	}
	do {
		struct units_number n;

		if (units_read_number(&s, &n, why) < 0)
			return -1;
		unit = units_read_duration_unit(&s, unit);
		if (unit == NULL)
			return -1;
		/* 1.5h30m is a slip more often than a wish. */
		if (n.scale != 1 && (*s != '\0' || unit->factor == 1))
			return -1;
		if (!units_scale(&n, unit->factor, &part) ||
		    __builtin_add_overflow(total, part, &total)) {
			*why = units_why_large;
			return -1;
		}
		unit++;
	} while (*s != '\0');
	*out_ms = total;
	return 0;
}

int
units_parse_duration(const char *s, int64_t *out_ms, struct err *err)
{
	const char *why;

	if (units_read_duration(s, out_ms, &why) < 0) {
		return units_refuse(
		    err, s, why, "duration", UNITS_DURATION_USE);
	}
	return 0;
}

int
units_parse_percent(const char *s, double *out_fraction, struct err *err)
{
	struct units_number n;
	const char *p = s, *why;

	if (units_read_number(&p, &n, &why) < 0 || strcmp(p, "%") != 0)
		return units_refuse(
		    err, s, why, "percentage", UNITS_PERCENT_USE);
	if (n.whole > 100 || (n.whole == 100 && n.fraction > 0)) {
		return units_refuse(
		    err, s, units_why_large, "percentage", UNITS_PERCENT_USE);
	}
	/* One division of exact integers: the nearest double there is. */
	*out_fraction =
	    (double)(n.whole * n.scale + n.fraction) / (double)(100 * n.scale);
	return 0;
}

static uint64_t
units_magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

void
units_format_bytes(int64_t bytes, char out[UNITS_TEXT_SIZE])
{
	static const char *const names[] = {
	    "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	const size_t last = sizeof(names) / sizeof(names[0]) - 1;
	const char *sign = bytes < 0 ? "-" : "";
	uint64_t n = units_magnitude(bytes), unit = 1, whole, tenth;
	size_t i = 0;

	if (n < 1024) {
		(void)snprintf(
		    out, UNITS_TEXT_SIZE, "%s%" PRIu64 " B", sign, n);
		return;
	}
	do {
		unit <<= 10;
		i++;
		whole = n / unit;
		tenth = (n % unit * 10 + unit / 2) / unit;
		whole += tenth / 10;
		tenth %= 10;
	} while (whole >= 1024 && i < last);
	(void)snprintf(out, UNITS_TEXT_SIZE, "%s%" PRIu64 ".%" PRIu64 " %s",
	    sign, whole, tenth, names[i]);
}

void
units_format_duration(int64_t ms, char out[UNITS_TEXT_SIZE])
{
	const char *sign = ms < 0 ? "-" : "";
	uint64_t n = units_magnitude(ms), tenths, s, m, h;

	/* Each step rounds at its own resolution and hands what rounds up to
	 * the next: never "60.0 s" or "2 m 60 s". */
	tenths = (n + 50) / 100;
	s = (n + 500) / 1000;
	m = (n + 30000) / 60000;
	h = (n + 1800000) / 3600000;
	if (n < 1000) {
		(void)snprintf(
		    out, UNITS_TEXT_SIZE, "%s%" PRIu64 " ms", sign, n);
	} else if (tenths < 600) {
		(void)snprintf(out, UNITS_TEXT_SIZE,
		    "%s%" PRIu64 ".%" PRIu64 " s", sign, tenths / 10,
		    tenths % 10);
	} else if (s < 3600) {
		(void)snprintf(out, UNITS_TEXT_SIZE,
		    "%s%" PRIu64 " m %02" PRIu64 " s", sign, s / 60, s % 60);
	} else if (m < 24 * 60) {
		(void)snprintf(out, UNITS_TEXT_SIZE,
		    "%s%" PRIu64 " h %02" PRIu64 " m", sign, m / 60, m % 60);
	} else {
		(void)snprintf(out, UNITS_TEXT_SIZE,
		    "%s%" PRIu64 " d %02" PRIu64 " h", sign, h / 24, h % 24);
	}
}
