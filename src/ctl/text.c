/*
 * The C library's wcwidth() depends on the locale and knows nothing in "C",
 * where scripts run; names of guests are UTF-8 wherever droverctl runs.  So
 * widths are from a small table of our own (Unicode's East Asian Width W and F,
 * and the combining marks in common use): enough to keep columns straight, and
 * the same on every machine.
 *
 * Everything that comes from outside passes text_add(): a terminal must not be
 * driven by whoever names a guest.
 */

#include "ctl/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "ctl/field.h"

struct range {
	uint32_t first, last;
};

static const struct range zero_width[] = {
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x0610, 0x061a},
    {0x064b, 0x065f},
    {0x0670, 0x0670},
    {0x093c, 0x093c},
    {0x0941, 0x0948},
    {0x094d, 0x094d},
    {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x2064},
    {0x2066, 0x2069},
    {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f},
    {0xfeff, 0xfeff},
    {0xe0100, 0xe01ef},
};

static const struct range double_width[] = {
    {0x1100, 0x115f},
    {0x231a, 0x231b},
    {0x23e9, 0x23ec},
    {0x25fd, 0x25fe},
    {0x2614, 0x2615},
    {0x2648, 0x2653},
    {0x26a1, 0x26a1},
    {0x26d4, 0x26d4},
    {0x2705, 0x2705},
    {0x274c, 0x274c},
    {0x2753, 0x2755},
    {0x2757, 0x2757},
    {0x2e80, 0x303e},
    {0x3041, 0x33ff},
    {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},
    {0xa000, 0xa4cf},
    {0xa960, 0xa97f},
    {0xac00, 0xd7a3},
    {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},
    {0xff01, 0xff60},
    {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd},
};

static bool
in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* One character: its bytes, its columns, and whether it may be shown. */
struct character {
	size_t bytes;
	size_t columns;
	bool shown;
};

static struct character
next_character(const char *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	size_t bytes = u[0] < 0x80  ? 1
	    : (u[0] & 0xe0) == 0xc0 ? 2
	    : (u[0] & 0xf0) == 0xe0 ? 3
	    : (u[0] & 0xf8) == 0xf0 ? 4
				    : 0;
	uint32_t c;

	if (bytes == 0)
		return (struct character){1, 1, false};
	c = bytes == 1 ? u[0] : u[0] & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return (struct character){1, 1, false};
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < least[bytes] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return (struct character){1, 1, false};
	/* Controls, and the marks that reorder the text around them. */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return (struct character){bytes, 1, false};
	if (in_ranges(
		c, zero_width, sizeof(zero_width) / sizeof(zero_width[0])))
		return (struct character){bytes, 0, true};
	if (in_ranges(c, double_width,
		sizeof(double_width) / sizeof(double_width[0])))
		return (struct character){bytes, 2, true};
	return (struct character){bytes, 1, true};
}

size_t
text_width(const char *s)
{
	size_t width = 0;

	while (*s != '\0') {
		struct character c = next_character(s);

		width += c.columns;
		s += c.bytes;
	}
	return width;
}

/* Adds characters while they fit into `width` columns. */
static void
add_fitting(struct buf *out, const char *s, size_t width)
{
	size_t used = 0;

	while (*s != '\0') {
		struct character c = next_character(s);

		if (c.columns > width - used)
			return;
		if (c.shown)
			buf_add(out, s, c.bytes);
		else
			buf_add(out, "?", 1);
		used += c.columns;
		s += c.bytes;
	}
}

void
text_add(struct buf *out, const char *s)
{
	add_fitting(out, s, SIZE_MAX);
}

void
text_add_cut(struct buf *out, const char *s, size_t width, bool utf8)
{
	const char *mark = utf8 ? "…" : "~";

	if (text_width(s) <= width) {
		text_add(out, s);
	} else if (width > 0) {
		add_fitting(out, s, width - 1);
		buf_adds(out, mark);
	}
}

void
text_add_spaces(struct buf *out, size_t count)
{
	while (count-- > 0)
		buf_add(out, " ", 1);
}

void
text_colour_on(
    struct buf *out, const struct style *style, enum text_colour colour)
{
	static const char *const codes[] = {"", "1", "2", "32", "33", "31"};

	if (style->colour && colour != TEXT_PLAIN)
		buf_addf(out, "\033[%sm", codes[colour]);
}

void
text_colour_off(
    struct buf *out, const struct style *style, enum text_colour colour)
{
	if (style->colour && colour != TEXT_PLAIN)
		buf_adds(out, "\033[0m");
}

const char *
text_number(int64_t number, char out[TEXT_SIZE])
{
	if (number == FIELD_UNKNOWN)
		strcpy(out, "-");
	else
		snprintf(out, TEXT_SIZE, "%lld", (long long)number);
	return out;
}

const char *
text_bytes(int64_t bytes, char out[TEXT_SIZE])
{
	if (bytes == FIELD_UNKNOWN)
		strcpy(out, "-");
	else
		units_format_bytes(bytes, out);
	return out;
}

const char *
text_rate(int64_t bytes_per_s, char out[TEXT_SIZE])
{
	text_bytes(bytes_per_s, out);
	if (bytes_per_s != FIELD_UNKNOWN)
		strcat(out, "/s");
	return out;
}

const char *
text_duration(int64_t ms, char out[TEXT_SIZE])
{
	if (ms == FIELD_UNKNOWN)
		strcpy(out, "-");
	else
		units_format_duration(ms, out);
	return out;
}

const char *
text_time(const char *rfc3339, char out[TEXT_SIZE])
{
	struct tm utc = {0}, local;
	time_t when;

	if (rfc3339 == NULL) {
		strcpy(out, "-");
		return out;
	}
	if (sscanf(rfc3339, "%4d-%2d-%2dT%2d:%2d:%2d", &utc.tm_year,
		&utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min,
		&utc.tm_sec) != 6) {
		snprintf(out, TEXT_SIZE, "%s", rfc3339);
		return out;
	}
	utc.tm_year -= 1900;
	utc.tm_mon--;
	when = timegm(&utc);
	if (localtime_r(&when, &local) == NULL ||
	    strftime(out, TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &local) == 0)
		strcpy(out, "-");
	return out;
}

int64_t
text_time_ms(const char *rfc3339)
{
	struct tm utc = {0};
	int ms = 0;

	if (rfc3339 == NULL ||
	    sscanf(rfc3339, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &utc.tm_year,
		&utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min,
		&utc.tm_sec, &ms) < 6)
		return FIELD_UNKNOWN;
	utc.tm_year -= 1900;
	utc.tm_mon--;
	return (int64_t)timegm(&utc) * 1000 + ms;
}

const char *
text_plural(int64_t count, const char *noun, char out[TEXT_SIZE])
{
	snprintf(out, TEXT_SIZE, "%lld %s%s", (long long)count, noun,
	    count == 1 ? "" : "s");
	return out;
}
