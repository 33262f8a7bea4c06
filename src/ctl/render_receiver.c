/*
 * Receivers: a row each, and for the status a line that is about what wants a
 * person's attention and names the command that shows more.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

#define LINE_MAX_BYTES 16384

static const struct table_column receiver_columns[] = {
    {"NAME", false, false},
    {"TYPE", false, false},
    {"STATE", false, false},
    {"PENDING", true, false},
    {"OLDEST", true, false},
    {"DEAD", true, false},
    {"DELIVERED", true, false},
    {"LAST", false, false},
    {"OLDEST ID", true, true},
    {"DEAD ID", true, true},
    {NULL, false, false},
};

static bool
has_state(const json_t *row, const char *state)
{
	return strcmp(field_text_or(row, "state", ""), state) == 0;
}

/* "retrying (until 2026-11-21 03:12:45)", "disabled (it is gone)" */
static void
state_words(const json_t *receiver, struct buf *out)
{
	const char *state = field_text_or(receiver, "state", "-");
	const char *until = field_text(receiver, "until");
	const char *why = field_text(receiver, "why");
	char time[TEXT_SIZE];

	if (has_state(receiver, "not-configured")) {
		buf_adds(out, "not configured");
		return;
	}
	text_add(out, state);
	if (has_state(receiver, "ok"))
		return;
	if (until != NULL)
		buf_addf(out, " (until %s)", text_time(until, time));
	else if (why != NULL) {
		buf_adds(out, " (");
		text_add(out, why);
		buf_adds(out, ")");
	}
}

static enum text_colour
state_colour(const json_t *receiver)
{
	if (has_state(receiver, "ok"))
		return TEXT_PLAIN;
	return has_state(receiver, "retrying") ? TEXT_YELLOW : TEXT_RED;
}

/* "HTTP 200", or why there was no answer. */
static void
last_words(const json_t *receiver, struct buf *out)
{
	const char *error = field_text(receiver, "last_error");

	if (error != NULL)
		text_add(out, error);
	else if (field_int(receiver, "last_code") != FIELD_UNKNOWN)
		buf_addf(out, "HTTP %lld",
		    (long long)field_int(receiver, "last_code"));
	else
		buf_adds(out, "-");
}

static void
add_receiver(struct table *table, const json_t *row)
{
	static const char *const ids[] = {"oldest_id", "dead_id"};
	int64_t dead = field_count(row, "dead");
	struct buf words = BUF_INIT(LINE_MAX_BYTES);
	char text[TEXT_SIZE];

	table_cell(table, TEXT_PLAIN, field_text_or(row, "name", "-"));
	table_cell(table, TEXT_PLAIN, field_text_or(row, "type", "-"));
	state_words(row, &words);
	table_cell(table, state_colour(row), buf_str(&words));
	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(row, "pending"), text));
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(row, "oldest_ms"), text));
	table_cell(table, dead > 0 ? TEXT_RED : TEXT_PLAIN,
	    text_number(field_int(row, "dead"), text));
	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(row, "delivered"), text));
	buf_clear(&words);
	last_words(row, &words);
	table_cell(table, TEXT_PLAIN, buf_str(&words));
	for (size_t i = 0; i < 2; i++)
		table_cell(table, TEXT_PLAIN,
		    text_number(field_int(row, ids[i]), text));
	buf_free(&words);
}

void
render_receivers(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(receiver_columns, wide,
	    json_object_get(answer, "receivers"), add_receiver, style, out);
}

/* ---- for status ---- */

static void
add_attention(const json_t *r, struct buf *out)
{
	const char *why = field_text(r, "why");
	int64_t dead = field_count(r, "dead");
	char text[TEXT_SIZE];

	if (has_state(r, "disabled")) {
		buf_adds(out, "disabled: ");
		text_add(out, why != NULL ? why : "it said that it is gone");
		buf_adds(out, "; ");
	}
	if (field_count(r, "pending") > 0) {
		text_plural(field_count(r, "pending"), "event", text);
		buf_addf(out, "%s wait%s", text,
		    field_count(r, "pending") == 1 ? "s" : "");
		if (field_int(r, "oldest_ms") != FIELD_UNKNOWN)
			buf_addf(out, " since %s",
			    text_duration(field_int(r, "oldest_ms"), text));
		if (has_state(r, "not-configured"))
			buf_adds(out, ": it is not configured");
		else if (!has_state(r, "disabled") && why != NULL) {
			buf_adds(out, ": ");
			text_add(out, why);
		}
		if (field_int(r, "oldest_id") != FIELD_UNKNOWN)
			buf_addf(out, "; droverctl notify show %lld",
			    (long long)field_int(r, "oldest_id"));
		buf_adds(out, dead > 0 ? "; " : "");
	} else if (has_state(r, "held") || has_state(r, "retrying")) {
		text_add(out, field_text_or(r, "state", "-"));
		buf_adds(out, ": ");
		text_add(out, why != NULL ? why : "no answer");
		buf_adds(out, dead > 0 ? "; " : "");
	} else if (has_state(r, "disabled")) {
		buf_addf(out, "droverctl notify test %s%s",
		    field_text_or(r, "name", "NAME"), dead > 0 ? "; " : "");
	}
	if (dead > 0) {
		text_plural(dead, "dead letter", text);
		buf_addf(out, "%s", text);
		if (field_int(r, "dead_id") != FIELD_UNKNOWN)
			buf_addf(out, ": droverctl notify show %lld",
			    (long long)field_int(r, "dead_id"));
	}
}

bool
render_receiver_is_fine(const json_t *r)
{
	/* What waits for its rate is on its way. */
	return field_count(r, "dead") == 0 &&
	    (has_state(r, "ok") ||
		(has_state(r, "held") && field_text(r, "why") == NULL));
}

void
render_receiver_line(const json_t *receiver, struct buf *out)
{
	int64_t pending = field_count(receiver, "pending");
	const char *type = field_text(receiver, "type");
	bool fine = render_receiver_is_fine(receiver);

	text_add(out, field_text_or(receiver, "name", "-"));
	if (type != NULL)
		buf_addf(out, " (%s)", type);
	buf_adds(out, ": ");
	if (!fine)
		add_attention(receiver, out);
	else if (pending > 0)
		buf_addf(out, "%lld pending", (long long)pending);
	else
		buf_adds(out, "ok");
}
