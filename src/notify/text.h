#ifndef DROVER_NOTIFY_TEXT_H
#define DROVER_NOTIFY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * Words of strangers, made harmless for where they are shown, and cut where a
 * service has limits.  Pure.  All texts are valid UTF-8; a limit counts what
 * comes out, escapes and the ellipsis included, and no character and no escape
 * is cut in two.
 */

/* What a service takes for markup in the place that the text goes to. */
enum text_markup {
	TEXT_PLAIN,         /* nothing */
	TEXT_QUIET,         /* nothing but mentions: "@all", "<users/all>" */
	TEXT_ENTITIES,      /* & < >, as Slack and the cards of Google want */
	TEXT_ENTITIES_CODE, /* the same inside of a block of code */
	TEXT_CODE,          /* inside of a block of code between backticks */
	TEXT_DISCORD,       /* Markdown, as Discord reads it */
	TEXT_MATTERMOST,    /* Markdown, as Mattermost reads it */
};

enum text_unit {
	TEXT_BYTES,
	/* UTF-16 units: whether a service counts these or code points, a text
	 * that is within a limit here is within the service's as well. */
	TEXT_CHARACTERS,
};

size_t text_length(const char *text, enum text_unit unit);

/* Adds `text` escaped, cut to `max` with an ellipsis where it is longer. */
void text_escape(struct buf *out, const char *text, enum text_markup markup,
    enum text_unit unit, size_t max);

/*
 * One line, at most `max` characters: control characters and line breaks become
 * spaces, and what would turn the direction of writing around goes.
 */
char *text_line(struct arena *arena, const char *text, size_t max);

/* Code points, which is what columns of a table are wide. */
size_t text_width(const char *text);
/* Adds `text`, cut to `width` and filled up with spaces to it. */
void text_pad(struct buf *out, const char *text, size_t width);

/* Bytes of the character at `s`, 1 to 4; 0 at the end. */
size_t text_next(const char *s);

/* ---- lines that may not all fit ---- */

/* Takes whole lines while they fit; then says how many do not. */
struct text_lines {
	struct buf buf;
	enum text_unit unit;
	size_t used, max;
	size_t taken, left_out;
};

#define TEXT_MORE_MAX 40 /* "and 2147483647 more", with room around */

struct text_lines text_lines_new(enum text_unit unit, size_t max);
/* False: it was left out, as all that follow will be. */
bool text_lines_add(struct text_lines *lines, const char *line);
/* More that nobody tries to add. */
void text_lines_skip(struct text_lines *lines, size_t count);
/* The last line, if any was left out; NULL: none was. */
const char *text_lines_more(
    const struct text_lines *lines, char out[TEXT_MORE_MAX]);

#endif
