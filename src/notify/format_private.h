#ifndef DROVER_NOTIFY_FORMAT_PRIVATE_H
#define DROVER_NOTIFY_FORMAT_PRIVATE_H

#include <jansson.h>

#include "notify/format.h"
#include "notify/message.h"
#include "notify/text.h"

/* Shared by format*.c only. */

/* What differs from "POST", "application/json" and no headers.  `type` is
 * copied; the header's value must be printable ASCII. */
void format_set_type(struct format_request *out, const char *type);
int format_add_header(struct format_request *out, const char *name,
    const char *value, struct err *err);
/* Takes the buffer's text. */
int format_set_body(
    struct format_request *out, struct buf *body, struct err *err);
/* Takes `root`. */
int format_set_json(struct format_request *out, json_t *root, struct err *err);

/*
 * Builds a message's JSON with as many of its items (rows and lines) as make a
 * body of at most `max` bytes.  `build` must say itself that some are left out
 * (format_left_out).
 */
typedef json_t *format_build_fn(const struct message *message, size_t items);
int format_build(const struct format_input *in, format_build_fn *build,
    size_t max, struct format_request *out, struct err *err);

size_t format_items(const struct message *message);
/* "and 12 more", of all items, when `shown` are; NULL: none is left out. */
const char *format_left_out(const struct message *message, size_t shown);

json_t *format_string(
    const char *text, enum text_markup markup, enum text_unit unit, size_t max);
/* The same, of the message's arena. */
const char *format_escape(const struct message *message, const char *text,
    enum text_markup markup, enum text_unit unit, size_t max);

/* The title, behind a sign where it is grave; for services without colours. */
const char *format_title(const struct message *message);
/* 0xRRGGBB */
int format_color(const struct message *message);

/* Title, text, fields and items as lines without any markup. */
void format_plain(const struct message *message, enum text_unit unit,
    size_t max, struct buf *out);

#endif
