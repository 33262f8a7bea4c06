#ifndef DROVER_NOTIFY_TEMPLATE_H
#define DROVER_NOTIFY_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * The body of a `custom` receiver: text with references into the CloudEvent.
 * Pure.
 *
 *   ${data.guest}  ${type}  ${severity}  ${data.guests.0.guest}  members
 *   ${count}  ${events}                                          of a group
 *   ${data.bytes|bytes}  ${data.reason|default:none}             filters
 *   $$                                                           a dollar
 *
 * Of several events the members are those of the first, `events` is the list of
 * all, `count` how many.  What an event does not have is "".
 *
 * How a value is written follows from the content type.  JSON (it has "json" in
 * it): texts are escaped and get no quotes, all else is JSON as it is; so where
 * the template has no quotes, what may be a text wants |json, and between quotes
 * |json and lists and objects are wrong, and so is a backslash before "${".  Of
 * x-ndjson and json-seq, which hold several documents, the outcome is not checked
 * to be one.  A form
 * (application/x-www-form-urlencoded): percent-encoded.  Else: as it is.
 *
 * Filters, from left to right: bytes ("1.5 GiB"), duration ("4.2 s"), upper and
 * lower (ASCII), default:TEXT (when there is none), json (last: the value as
 * JSON, a text with its quotes, null when there is none).
 */

#define TEMPLATE_TEXT_MAX (64 << 10)
#define TEMPLATE_PARTS_MAX 4096
#define TEMPLATE_BODY_MAX (4 << 20)

struct template;

struct template_place {
	size_t offset;         /* bytes before it */
	unsigned line, column; /* from 1 */
};

/* NULL: *err says what is wrong, *out_place (NULL allowed) where.  A path that
 * no event of the catalogue has is wrong. */
struct template *template_compile(const char *text, const char *content_type,
    struct template_place *out_place, struct err *err);
void template_free(struct template *t); /* NULL allowed */

/*
 * `events`: a JSON array of CloudEvents, one at least.  The caller frees the
 * result.  NULL: it is too long, or no JSON while the content type says so.
 */
char *template_render(const struct template *t, const json_t *events,
    size_t *out_len, struct err *err);

/* -1 with "line 2, column 7: what" */
int template_check(const char *text, const char *content_type, struct err *err);

#endif
