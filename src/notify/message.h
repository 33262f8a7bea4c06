#ifndef DROVER_NOTIFY_MESSAGE_H
#define DROVER_NOTIFY_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "config/receiver.h"
#include "notify/format.h"

/*
 * What people read of one or several events, before it gets the shape of a
 * service.  Pure.
 *
 * All texts are one line of clean UTF-8 (text_line), in no markup: whoever shows
 * them escapes them.
 */

#define MESSAGE_FIELDS_MAX 16
#define MESSAGE_ROWS_MAX 1000
#define MESSAGE_LINES_MAX 200
#define MESSAGE_NAME_MAX 80   /* characters of a name */
#define MESSAGE_TEXT_MAX 1000 /* of a sentence, a reason, an error */
#define MESSAGE_VALUE_MAX 300 /* of a field */

struct message_field {
	const char *name; /* letters, digits, spaces and "_-." only */
	const char *value;
};

/* What became of one guest of a drain, or what a decision wants of it; NULL: not
 * known, or none. */
struct message_row {
	const char *guest, *outcome, *to, *how, *took, *downtime, *why;
};

struct message {
	struct arena *arena;
	enum receiver_severity severity; /* the gravest */
	const char *title;
	const char *text; /* NULL: the title says it all */
	struct message_field fields[MESSAGE_FIELDS_MAX];
	size_t field_count;
	struct message_row *rows; /* those that need somebody come first */
	size_t row_count, rows_left_out;
	const char **lines; /* one of each event, or of each fault */
	size_t line_count, lines_left_out;
	const char *site, *type; /* "lab", "move.completed"; NULL */
	struct wall at;          /* of the last event */
};

/* NULL: an event's body is not one; the error says which. */
struct message *message_new(
    const struct format_event *events, size_t count, struct err *err);
void message_free(struct message *message); /* NULL allowed */

/* "lab, drain.blocked, 2026-11-21 03:00:00 UTC" */
const char *message_origin(const struct message *message);

/* ---- for message*.c ---- */

struct message_event {
	struct arena *arena;
	const char *type, *subject; /* the type without "drover." */
	const json_t *data;         /* an object, or NULL */
};

/* A member as one clean line; NULL: there is none, or it is no text. */
const char *message_get(
    const struct message_event *event, const char *key, size_t max);
int64_t message_count(
    const struct message_event *event, const char *key); /* -1: none */
void message_add_field(
    struct message *message, const char *name, const char *value);

/* Fills title, text, fields, rows and lines; false: the type is not known. */
bool message_describe(
    struct message *message, const struct message_event *event);
/* The rows of a drain that has ended, or of a decision. */
void message_add_rows(struct message *message, const json_t *data);

/* "web1: moved to kvm2, live-shared, took 12.3 s, downtime 90 ms" */
const char *message_row_line(
    const struct message *message, const struct message_row *row);

/*
 * The first `count` rows as cells of a table, with a row of heads before them;
 * columns without anything in them are left out.  cells[row * columns + column]
 * is never NULL.  Of the message's arena.
 */
#define MESSAGE_COLUMNS_MAX 7
struct message_grid {
	const char **cells;
	size_t columns, rows; /* the heads are a row, too */
};
struct message_grid message_grid(const struct message *message, size_t count);

/* The same as `count` + 1 lines of text in columns, for a block of code. */
const char **message_table(const struct message *message, size_t count);

#endif
