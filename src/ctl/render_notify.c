/*
 * What receivers are owed: what waits and why, and one delivery with all that was
 * tried.
 *
 * What a receiver answered is text of strangers, so it is made printable and
 * kept on its line.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

#define LINE_MAX_BYTES 16384

/* ---- deliveries ---- */

static bool
has_state(const json_t *row, const char *state)
{
	return strcmp(field_text_or(row, "state", ""), state) == 0;
}

static const struct table_column queue_columns[] = {
    {"ID", true, false},
    {"RECEIVER", false, false},
    {"EVENT", false, false},
    {"SUBJECT", false, false},
    {"AGE", true, false},
    {"ATTEMPTS", true, false},
    {"NEXT", false, false},
    {"WHY", false, false},
    {"WEBHOOK-ID", false, true},
    {NULL, false, false},
};

static const char *
next_words(const json_t *d, char out[TEXT_SIZE])
{
	int64_t wait = field_int(d, "next_ms");
	char text[TEXT_SIZE];

	if (!has_state(d, "pending"))
		snprintf(out, TEXT_SIZE, "never");
	else if (wait == FIELD_UNKNOWN)
		snprintf(out, TEXT_SIZE, "-");
	else if (wait <= 0)
		snprintf(out, TEXT_SIZE, "now");
	else
		snprintf(out, TEXT_SIZE, "in %s", text_duration(wait, text));
	return out;
}

/* Why it has not been delivered. */
static void
why_words(const json_t *d, struct buf *out)
{
	const char *why = field_text(d, "why");

	if (why != NULL)
		text_add(out, why);
	else if (has_state(d, "pending") && field_bool(d, "grouped"))
		buf_adds(out, "is collected with others");
	else
		buf_adds(out, "-");
}

static void
add_delivery(struct table *table, const json_t *row)
{
	struct buf why = BUF_INIT(LINE_MAX_BYTES);
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, text_number(field_int(row, "id"), text));
	table_cell(table, TEXT_PLAIN, field_text_or(row, "receiver", "-"));
	table_cell(table, TEXT_PLAIN, field_text_or(row, "event", "-"));
	table_cell(table, TEXT_PLAIN, field_text_or(row, "subject", "-"));
	table_cell(
	    table, TEXT_PLAIN, text_duration(field_int(row, "age_ms"), text));
	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(row, "attempts"), text));
	table_cell(table, TEXT_PLAIN, next_words(row, text));
	why_words(row, &why);
	table_cell(table, has_state(row, "dead") ? TEXT_RED : TEXT_PLAIN,
	    buf_str(&why));
	table_cell(table, TEXT_PLAIN, field_text_or(row, "webhook_id", "-"));
	buf_free(&why);
}

void
render_deliveries(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(queue_columns, wide,
	    json_object_get(answer, "deliveries"), add_delivery, style, out);
}

/* ---- attempts ---- */

static const struct table_column log_columns[] = {
    {"AT", false, false},
    {"RECEIVER", false, false},
    {"ID", true, false},
    {"EVENTS", true, false},
    {"CODE", true, false},
    {"TIME", true, false},
    {"ERROR OR ANSWER", false, false},
    {NULL, false, false},
};
/* Of one delivery. */
static const struct table_column attempt_columns[] = {
    {"AT", false, false},
    {"EVENTS", true, false},
    {"CODE", true, false},
    {"TIME", true, false},
    {"ERROR OR ANSWER", false, false},
    {NULL, false, false},
};

static void
add_outcome(struct table *table, const json_t *row)
{
	const char *error = field_text(row, "error");
	int64_t code = field_count(row, "code");
	enum text_colour colour =
	    code >= 200 && code < 300 ? TEXT_PLAIN : TEXT_YELLOW;
	char text[TEXT_SIZE];

	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(row, "events"), text));
	table_cell(table, colour, code > 0 ? text_number(code, text) : "-");
	table_cell(
	    table, TEXT_PLAIN, text_duration(field_int(row, "ms"), text));
	table_cell(table, TEXT_PLAIN,
	    error != NULL ? error : field_text_or(row, "answer", "-"));
}

static void
add_log_row(struct table *table, const json_t *row)
{
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, text_time(field_text(row, "at"), text));
	table_cell(table, TEXT_PLAIN, field_text_or(row, "receiver", "-"));
	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(row, "delivery"), text));
	add_outcome(table, row);
}

static void
add_attempt_row(struct table *table, const json_t *row)
{
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, text_time(field_text(row, "at"), text));
	add_outcome(table, row);
}

void
render_attempts(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(log_columns, wide, json_object_get(answer, "attempts"),
	    add_log_row, style, out);
}

/* ---- one delivery ---- */

static void
add_state(const json_t *d, struct buf *out)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	char text[TEXT_SIZE];

	text_add(&line, field_text_or(d, "state", "-"));
	if (has_state(d, "dead"))
		buf_adds(&line, " letter");
	if (has_state(d, "pending"))
		buf_addf(&line, ", sent %s", next_words(d, text));
	if (field_text(d, "ended") != NULL)
		buf_addf(&line, " since %s",
		    text_time(field_text(d, "ended"), text));
	if (!has_state(d, "delivered")) {
		struct buf why = BUF_INIT(LINE_MAX_BYTES);

		why_words(d, &why);
		if (strcmp(buf_str(&why), "-") != 0)
			buf_addf(&line, ": %s", buf_str(&why));
		buf_free(&why);
	}
	render_field("state", buf_str(&line), out);
	buf_free(&line);
}

/* The event, indented; a line may hold whatever a guest is called. */
static void
add_body(const json_t *body, struct buf *out)
{
	char *text = json_dumps(body, JSON_INDENT(2));
	char *rest, *line;

	if (text == NULL)
		return;
	buf_adds(out, "\n");
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		text_add(out, line);
		buf_adds(out, "\n");
	}
	free(text);
}

void
render_delivery(
    const json_t *d, const struct style *style, bool wide, struct buf *out)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	const json_t *log = json_object_get(d, "log");
	char text[TEXT_SIZE];

	render_field("delivery", text_number(field_int(d, "id"), text), out);
	render_field("receiver", field_text(d, "receiver"), out);
	buf_addf(&line, "%s", field_text_or(d, "event", "-"));
	if (field_text(d, "subject") != NULL)
		buf_addf(&line, " of %s", field_text(d, "subject"));
	buf_addf(&line, ", number %s", text_number(field_int(d, "seq"), text));
	render_field("event", buf_str(&line), out);
	render_field("webhook-id", field_text(d, "webhook_id"), out);
	add_state(d, out);
	render_field("queued", text_time(field_text(d, "created"), text), out);
	render_field(
	    "attempts", text_number(field_int(d, "attempts"), text), out);
	if (json_array_size(log) > 0) {
		buf_adds(out, "\n");
		table_print_rows(
		    attempt_columns, wide, log, add_attempt_row, style, out);
	}
	if (json_object_get(d, "body") != NULL)
		add_body(json_object_get(d, "body"), out);
	buf_free(&line);
}

/* ---- changes ---- */

static void
add_delivery_name(const json_t *d, struct buf *out)
{
	buf_addf(out, "delivery %lld (", (long long)field_count(d, "id"));
	text_add(out, field_text_or(d, "receiver", "-"));
	buf_adds(out, ", ");
	text_add(out, field_text_or(d, "event", "-"));
	buf_adds(out, "): ");
}

void
render_replayed(const json_t *answer, struct buf *out)
{
	int64_t count = field_int(answer, "replayed");
	int64_t left = field_count(answer, "left");
	char text[TEXT_SIZE];

	if (count == FIELD_UNKNOWN) {
		add_delivery_name(answer, out);
		buf_adds(out, "is sent again\n");
		return;
	}
	text_add(out, field_text_or(answer, "receiver", "-"));
	buf_addf(out, ": %s %s sent again",
	    text_plural(count, "dead letter", text), count == 1 ? "is" : "are");
	if (left > 0)
		buf_addf(out,
		    ", the oldest; %lld are left, for which the queue has no "
		    "room now",
		    (long long)left);
	buf_adds(out, "\n");
}

void
render_dropped(const json_t *answer, struct buf *out)
{
	int64_t dropped = field_int(answer, "dropped");
	int64_t deleted = field_int(answer, "deleted");
	char text[TEXT_SIZE];

	if (dropped == FIELD_UNKNOWN && deleted == FIELD_UNKNOWN) {
		add_delivery_name(answer, out);
		buf_adds(out,
		    field_bool(answer, "deleted")
			? "deleted\n"
			: "dropped, it is a dead letter now\n");
		return;
	}
	text_add(out, field_text_or(answer, "receiver", "-"));
	if (deleted != FIELD_UNKNOWN) {
		buf_addf(out, ": %s deleted\n",
		    text_plural(deleted, "dead letter", text));
		return;
	}
	buf_addf(out, ": %s dropped", text_plural(dropped, "event", text));
	if (dropped > 0)
		buf_adds(out,
		    dropped == 1 ? ", it is a dead letter now"
				 : ", they are dead letters now");
	buf_adds(out, "\n");
}

/* "ops: HTTP 200 in 12 ms", "chat: HTTP 403 in 20 ms: no_team: look at ..." */
void
render_test(const json_t *answer, struct buf *out)
{
	int64_t code = field_count(answer, "code");
	const char *error = field_text(answer, "error");
	const char *said = field_text(answer, "answer");
	char text[TEXT_SIZE];

	text_add(out, field_text_or(answer, "receiver", "-"));
	buf_adds(out, ": ");
	if (code > 0)
		buf_addf(out, "HTTP %lld", (long long)code);
	if (error != NULL) {
		buf_adds(out, code > 0 ? ", " : "");
		text_add(out, error);
	}
	if (field_int(answer, "ms") != FIELD_UNKNOWN)
		buf_addf(out, " %s %s", code > 0 ? "in" : "after",
		    text_duration(field_int(answer, "ms"), text));
	if (!field_bool(answer, "ok") && said != NULL) {
		buf_adds(out, ": \"");
		text_add_cut(out, said, 200, true);
		buf_adds(out, "\"");
	}
	if (field_text(answer, "remedy") != NULL) {
		buf_adds(out, ": ");
		text_add(out, field_text(answer, "remedy"));
	}
	buf_adds(out, "\n");
}
