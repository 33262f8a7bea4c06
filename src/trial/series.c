/*
 * The notation is that of promtool's tests, which people know, with units.
 *
 * Values are whole numbers inside, of millionths where fractions are allowed, so
 * that the tenth step of 0.1 is 1 and a threshold is met where the text says so.
 * Nothing that is measured is negative, so that a minus can only be a step down;
 * a series that falls below zero or rises above 100% is a slip of the pen, and
 * refused with the sample at which it does.
 */

#include "trial/series.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"

#define DIGITS "0123456789"
#define TOKEN_MAX 64
#define MILLION INT64_C(1000000)
#define UNKNOWN INT64_C(-1)
#define WHOLE_MAX (INT64_C(1) << 40) /* of a number without a unit */
#define USE                                                                    \
	"write samples such as 50%%, 50%%x4, 50%%+10%%x3, _ or _x3, with "     \
	"spaces "                                                              \
	"between"

struct parser {
	const char *text;
	size_t at;
	unsigned units;  /* allowed */
	unsigned chosen; /* by the first value that is not 0; 0: none yet */
	int64_t *values; /* scaled, or UNKNOWN */
	size_t count;
	struct err *err;
};

struct value {
	int64_t scaled;
	unsigned unit; /* 0: it is zero without a unit */
};

/* What a whole of this unit is, as it is scaled. */
static int64_t
series_scale(unsigned unit)
{
	if (unit == SERIES_NUMBER)
		return MILLION;
	return unit == SERIES_PERCENT ? 100 * MILLION : 1;
}

static const char *
series_words_unit(unsigned unit)
{
	switch ((enum series_unit)unit) {
	case SERIES_NUMBER:
		return "a number";
	case SERIES_PERCENT:
		return "a percentage";
	case SERIES_BYTES:
		return "a size";
	case SERIES_RATE:
		return "a rate";
	}
	return "0";
}

/* What may be written, for errors. */
static const char *
series_words_allowed(unsigned units)
{
	switch (units) {
	case SERIES_NUMBER | SERIES_PERCENT:
		return "use a percentage such as 50%, or cores such as 1.5";
	case SERIES_PERCENT | SERIES_BYTES:
		return "use a percentage such as 50%, or a size such as 2GiB";
	case SERIES_PERCENT:
		return "use a percentage such as 50%";
	case SERIES_RATE:
		return "use a rate such as 10MiB/s";
	case SERIES_BYTES:
		return "use a size such as 2GiB";
	default:
		return "use a number such as 10";
	}
}

/* digits[.digits], to millionths.  False: it is none, or too large. */
static bool
series_read_decimal(const char *s, size_t len, int64_t *out)
{
	size_t whole = strspn(s, DIGITS), fraction = 0;
	int64_t value = 0, scale = MILLION;

	if (whole > 0 && whole < len && s[whole] == '.')
		fraction = strspn(s + whole + 1, DIGITS);
	if (whole == 0 || fraction > 6 ||
	    (whole < len ? fraction == 0 || whole + 1 + fraction != len
			 : whole != len))
		return false;
	for (size_t i = 0; i < whole; i++) {
		value = value * 10 + (s[i] - '0');
		if (value > WHOLE_MAX)
			return false;
	}
	value *= MILLION;
	for (size_t i = 0; i < fraction; i++) {
		scale /= 10;
		value += (s[whole + 1 + i] - '0') * scale;
	}
	*out = value;
	return true;
}

/* A number without a unit is bytes where it can be nothing else. */
static unsigned
series_unit_of_bare(unsigned units)
{
	if (units & SERIES_NUMBER)
		return SERIES_NUMBER;
	return units & (SERIES_BYTES | SERIES_RATE);
}

static int
series_read_value(struct parser *p, size_t len, struct value *out)
{
	char token[TOKEN_MAX];
	const char *s = p->text + p->at;
	int rc = 0;

	if (len == 0)
		return err_set(p->err, ERR_INVALID, "a value is missing; " USE);
	if (len >= sizeof(token))
		return err_set(
		    p->err, ERR_INVALID, "the value is too long; " USE);
	memcpy(token, s, len);
	token[len] = '\0';
	*out = (struct value){0};
	if (series_read_decimal(token, len, &out->scaled)) {
		if (out->scaled == 0)
			return 0;
		out->unit = series_unit_of_bare(p->units);
		if (out->unit & (SERIES_BYTES | SERIES_RATE))
			rc = units_parse_bytes(token, &out->scaled, p->err);
	} else if (token[len - 1] == '%' &&
	    series_read_decimal(token, len - 1, &out->scaled)) {
		out->unit = SERIES_PERCENT;
	} else if (len > 2 && strcmp(token + len - 2, "/s") == 0) {
		out->unit = SERIES_RATE;
		rc = units_parse_rate(token, &out->scaled, p->err);
	} else if (strchr(DIGITS, token[0]) != NULL) {
		out->unit = SERIES_BYTES;
		rc = units_parse_bytes(token, &out->scaled, p->err);
	} else {
		return err_set(
		    p->err, ERR_INVALID, "\"%s\" is not a value; " USE, token);
	}
	if (rc != 0)
		return -1;
	if ((out->unit & p->units) == 0)
		return err_set(p->err, ERR_INVALID, "\"%s\" is %s; %s", token,
		    series_words_unit(out->unit),
		    series_words_allowed(p->units));
	if (p->chosen != 0 && p->chosen != out->unit)
		return err_set(p->err, ERR_INVALID,
		    "\"%s\" is %s, and the series began with %s", token,
		    series_words_unit(out->unit), series_words_unit(p->chosen));
	p->chosen = out->unit;
	return 0;
}

/* The number behind "x".  p->at is behind it afterwards. */
static int
series_read_times(struct parser *p, size_t *out)
{
	size_t len = strspn(p->text + p->at, DIGITS);
	size_t times = 0;

	for (size_t i = 0; i < len && times <= SERIES_SAMPLES_MAX; i++)
		times = times * 10 + (size_t)(p->text[p->at + i] - '0');
	if (len == 0)
		return err_set(p->err, ERR_INVALID,
		    "how often is missing behind \"x\"; " USE);
	if (times == 0)
		return err_set(p->err, ERR_INVALID,
		    "0 times more says nothing; leave \"x0\" out");
	if (times > SERIES_SAMPLES_MAX)
		return err_set(p->err, ERR_INVALID,
		    "more than the %d samples that are allowed",
		    SERIES_SAMPLES_MAX);
	p->at += len;
	*out = times;
	return 0;
}

/* A sample whose value is below zero is one that is wrong, not unknown. */
static int
series_add(struct parser *p, int64_t scaled)
{
	size_t number = p->count + 1;

	if (p->count == SERIES_SAMPLES_MAX)
		return err_set(p->err, ERR_INVALID,
		    "more than the %d samples that are allowed",
		    SERIES_SAMPLES_MAX);
	if (scaled < 0)
		return err_set(p->err, ERR_INVALID,
		    "sample %zu of the series is below 0", number);
	if (p->chosen == SERIES_PERCENT && scaled > 100 * MILLION)
		return err_set(p->err, ERR_INVALID,
		    "sample %zu of the series is above 100%%", number);
	p->values[p->count++] = scaled;
	return 0;
}

static int
series_add_unknown(struct parser *p)
{
	if (series_add(p, 0) != 0)
		return -1;
	p->values[p->count - 1] = UNKNOWN;
	return 0;
}

static int
series_read_unknown(struct parser *p)
{
	size_t times = 1;

	p->at++;
	if (p->text[p->at] == 'x') {
		p->at++;
		if (series_read_times(p, &times) != 0)
			return -1;
	}
	while (times-- > 0)
		if (series_add_unknown(p) != 0)
			return -1;
	return 0;
}

/* a, axN, a+bxN or a-bxN */
static int
series_read_item(struct parser *p)
{
	size_t begun = p->at;
	struct value first, step = {0};
	size_t times = 0, len = strcspn(p->text + p->at, " +-x");
	char sign;

	if (series_read_value(p, len, &first) != 0)
		return -1;
	p->at += len;
	sign = p->text[p->at];
	if (sign == '+' || sign == '-') {
		p->at++;
		len = strcspn(p->text + p->at, " +-x");
		if (series_read_value(p, len, &step) != 0)
			return -1;
		p->at += len;
		if (p->text[p->at] != 'x')
			return err_set(p->err, ERR_INVALID,
			    "a step needs to be told how often, as in "
			    "50%%+10%%x3");
	}
	if (p->text[p->at] == 'x') {
		p->at++;
		if (series_read_times(p, &times) != 0)
			return -1;
	}
	if (p->text[p->at] != ' ' && p->text[p->at] != '\0')
		return err_set(p->err, ERR_INVALID, "a space is missing; " USE);
	for (size_t i = 0; i <= times; i++) {
		int64_t moved, value;

		if (__builtin_mul_overflow(step.scaled, (int64_t)i, &moved) ||
		    __builtin_add_overflow(
			first.scaled, sign == '-' ? -moved : moved, &value))
			value = -1;
		if (series_add(p, value) != 0) {
			p->at = begun;
			return -1;
		}
	}
	return 0;
}

static void
series_take(struct arena *arena, const struct parser *p, struct series *out)
{
	unsigned unit = p->chosen;

	/* Nothing but zeros: whatever is allowed. */
	for (unsigned u = SERIES_NUMBER; unit == 0; u <<= 1)
		unit = p->units & u;
	out->unit = (enum series_unit)unit;
	out->count = p->count;
	out->values = arena_array(arena, p->count, sizeof(out->values[0]));
	for (size_t i = 0; i < p->count; i++)
		out->values[i] = p->values[i] == UNKNOWN
		    ? NAN
		    : (double)p->values[i] / (double)series_scale(unit);
}

int
series_parse(struct arena *arena, const char *text, unsigned units,
    struct series *out, size_t *out_at, struct err *err)
{
	struct parser p = {.text = text, .units = units, .err = err};
	cleanup_free int64_t *scratch = NULL;
	int rc = 0;

	if (strlen(text) > SERIES_LENGTH_MAX) {
		*out_at = SERIES_LENGTH_MAX;
		return err_set(err, ERR_INVALID, "longer than %d bytes",
		    SERIES_LENGTH_MAX);
	}
	scratch = calloc(SERIES_SAMPLES_MAX, sizeof(*scratch));
	if (scratch == NULL)
		abort();
	p.values = scratch;
	while (rc == 0) {
		p.at += strspn(text + p.at, " ");
		if (text[p.at] == '\0')
			break;
		rc = text[p.at] == '_' ? series_read_unknown(&p)
				       : series_read_item(&p);
		if (rc == 0 && text[p.at] != ' ' && text[p.at] != '\0')
			rc = err_set(
			    err, ERR_INVALID, "a space is missing; " USE);
	}
	if (rc == 0 && p.count == 0)
		rc = err_set(err, ERR_INVALID, "no sample; " USE);
	if (rc != 0) {
		*out_at = p.at;
		return -1;
	}
	series_take(arena, &p, out);
	return 0;
}

double
series_at(const struct series *series, int64_t interval_ms, int64_t at_ms)
{
	size_t i = (size_t)(at_ms / interval_ms);

	if (series->count == 0)
		return NAN;
	return series->values[i < series->count ? i : series->count - 1];
}
