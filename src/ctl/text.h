#ifndef DROVER_CTL_TEXT_H
#define DROVER_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Text for people: colours, columns that a text takes, figures. */

struct style {
	bool colour;
	bool utf8;  /* else ASCII stands in for drawing signs */
	int width;  /* columns; 0: unlimited, nothing is cut */
	int height; /* rows; 0: unlimited */
};

enum text_colour {
	TEXT_PLAIN,
	TEXT_BOLD,
	TEXT_DIM,
	TEXT_GREEN,
	TEXT_YELLOW,
	TEXT_RED
};

/* Columns on a terminal: combining marks take none, wide characters two, and
 * what is not UTF-8 one per byte.  text_add() writes what this counts. */
size_t text_width(const char *s);

/* Adds `s`; control characters (a guest may be named to contain escape
 * sequences) and bytes that are not UTF-8 become '?'. */
void text_add(struct buf *out, const char *s);

/* At most `width` columns, with a sign that something was cut. */
void text_add_cut(struct buf *out, const char *s, size_t width, bool utf8);

void text_add_spaces(struct buf *out, size_t count);

/* Escape sequences, or nothing without colour. */
void text_colour_on(
    struct buf *out, const struct style *style, enum text_colour colour);
void text_colour_off(
    struct buf *out, const struct style *style, enum text_colour colour);

/* "-" for FIELD_UNKNOWN (and a missing text). */
#define TEXT_SIZE 64
const char *text_number(int64_t number, char out[TEXT_SIZE]);
const char *text_bytes(int64_t bytes, char out[TEXT_SIZE]);
const char *text_rate(int64_t bytes_per_s, char out[TEXT_SIZE]);
const char *text_duration(int64_t ms, char out[TEXT_SIZE]);
/* An RFC 3339 time as local "2026-11-21 03:12:45". */
const char *text_time(const char *rfc3339, char out[TEXT_SIZE]);
/* Milliseconds since the epoch; FIELD_UNKNOWN when it is none. */
int64_t text_time_ms(const char *rfc3339);
/* "1 guest", "3 guests" */
const char *text_plural(int64_t count, const char *noun, char out[TEXT_SIZE]);

#endif
