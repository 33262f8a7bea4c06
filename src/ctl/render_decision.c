/*
 * What a policy decided: what it saw, and for each guest where it goes and why,
 * with every host that was rejected and the rule.  The same for one that is on and
 * for one of last month.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"ID", true, false},
    {"POLICY", false, false},
    {"HOST", false, false},
    {"MODE", false, false},
    {"STATE", false, false},
    {"GUESTS", false, false},
    {"SINCE", false, false},
    {"ENDED", false, true},
    {"UPDATED", false, true},
    {"APPROVED BY", false, true},
    {NULL, false, false},
};

static const char *
host_words(const json_t *decision)
{
	return field_text_or(decision, "host", "all hosts");
}

static bool
waits(const json_t *decision)
{
	return strcmp(field_text_or(decision, "state", ""), "waiting") == 0;
}

static void
add_row(struct table *table, const json_t *decision)
{
	static const char *const times[] = {"at", "ended", "updated"};
	const char *state = field_text_or(decision, "state", "-");
	char text[TEXT_SIZE];

	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(decision, "id"), text));
	table_cell(table, TEXT_PLAIN, field_text(decision, "policy"));
	table_cell(table, TEXT_PLAIN, host_words(decision));
	table_cell(table, TEXT_PLAIN, field_text(decision, "mode"));
	table_cell(table,
	    waits(decision)                   ? TEXT_YELLOW
		: strcmp(state, "ended") == 0 ? TEXT_DIM
					      : TEXT_PLAIN,
	    waits(decision) ? "waits for approval" : state);
	table_cell(table, TEXT_PLAIN, field_text(decision, "summary"));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		table_cell(table, TEXT_PLAIN,
		    text_time(field_text(decision, times[i]), text));
	table_cell(table, TEXT_PLAIN, field_text(decision, "approved_by"));
}

void
render_decisions(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(columns, wide, json_object_get(answer, "decisions"),
	    add_row, style, out);
}

/* "host on since 2026-11-21 03:00:00: cpu > 80% (true: cpu = 91 %)" */
static void
add_seen(const json_t *decision, struct buf *out)
{
	const json_t *seen = json_object_get(decision, "seen"), *one;
	char time[TEXT_SIZE];
	size_t i;

	json_array_foreach(seen, i, one)
	{
		struct buf line = BUF_INIT(16384);

		buf_addf(&line, "%s %s", field_text_or(one, "condition", "-"),
		    field_text_or(one, "phase", "-"));
		if (field_text(one, "since") != NULL)
			buf_addf(&line, " since %s",
			    text_time(field_text(one, "since"), time));
		buf_addf(&line, ": %s", field_text_or(one, "text", "-"));
		render_field(i == 0 ? "seen" : "", buf_str(&line), out);
		buf_free(&line);
	}
}

static void
add_left_out(const json_t *object, const char *key, const char *before,
    const char *noun, struct buf *out)
{
	int64_t count = field_count(object, key);
	char text[TEXT_SIZE];

	if (count > 0)
		buf_addf(out, "%sand %s more, not recorded\n", before,
		    text_plural(count, noun, text));
}

/* "web1: start, to kvm2 by live-shared: the least loaded" */
static void
add_item(const json_t *item, struct buf *out)
{
	const json_t *refused = json_object_get(item, "strategies");
	const json_t *rejected = json_object_get(item, "rejected");

	buf_adds(out, "\n");
	text_add(out, field_text_or(item, "vm", "-"));
	buf_adds(out, ": ");
	text_add(out, field_text_or(item, "fate", "-"));
	if (field_text(item, "to") != NULL) {
		buf_adds(out, ", to ");
		text_add(out, field_text(item, "to"));
		buf_addf(out, " by %s", field_text_or(item, "strategy", "-"));
	}
	if (field_text(item, "why") != NULL) {
		buf_adds(out, ": ");
		text_add(out, field_text(item, "why"));
	}
	buf_adds(out, "\n");
	render_refused(refused, "    not by ", out);
	render_rejected(rejected, out);
	add_left_out(item, "rejected_left_out", "    ", "host", out);
}

static void
add_policy(const json_t *decision, struct buf *out)
{
	struct buf line = BUF_INIT(8192);

	buf_addf(&line, "%s (%s:%lld), mode %s",
	    field_text_or(decision, "policy", "-"),
	    field_text_or(decision, "file", "-"),
	    (long long)field_count(decision, "line"),
	    field_text_or(decision, "mode", "-"));
	render_field("policy", buf_str(&line), out);
	buf_free(&line);
}

static void
add_state(const json_t *decision, struct buf *out)
{
	const char *by = field_text(decision, "approved_by");
	struct buf line = BUF_INIT(4096);
	char time[TEXT_SIZE];

	if (waits(decision))
		buf_addf(&line,
		    "waits for approval: droverctl policy approve %lld",
		    (long long)field_count(decision, "id"));
	else
		buf_adds(&line, field_text_or(decision, "state", "-"));
	if (by != NULL)
		buf_addf(&line, ", approved by %s", by);
	render_field("state", buf_str(&line), out);
	render_field("began", text_time(field_text(decision, "at"), time), out);
	if (field_text(decision, "ended") != NULL)
		render_field("ended",
		    text_time(field_text(decision, "ended"), time), out);
	buf_free(&line);
}

static void
add_actions(const json_t *decision, struct buf *out)
{
	const json_t *actions = json_object_get(decision, "actions"), *one;
	struct buf line = BUF_INIT(1024);
	size_t i;

	json_array_foreach(actions, i, one)
	    buf_addf(&line, "%s%s", i > 0 ? ", " : "",
		json_is_string(one) ? json_string_value(one) : "-");
	if (line.len > 0)
		render_field("actions", buf_str(&line), out);
	buf_free(&line);
}

void
render_decision(const json_t *decision, const struct style *style, bool wide,
    struct buf *out)
{
	const json_t *items = json_object_get(decision, "items"), *item;
	char text[TEXT_SIZE];
	size_t i;

	(void)style;
	(void)wide;
	render_field(
	    "decision", text_number(field_int(decision, "id"), text), out);
	add_policy(decision, out);
	render_field("host", host_words(decision), out);
	add_state(decision, out);
	add_actions(decision, out);
	render_field("why", field_text(decision, "why"), out);
	if (field_text(decision, "gate") != NULL)
		render_field("held back", field_text(decision, "gate"), out);
	add_seen(decision, out);
	render_field("guests", field_text(decision, "summary"), out);
	json_array_foreach(items, i, item) add_item(item, out);
	add_left_out(decision, "items_left_out", "\n", "guest", out);
}

void
render_approval(const json_t *decision, struct buf *out)
{
	buf_addf(
	    out, "decision %lld (", (long long)field_count(decision, "id"));
	text_add(out, field_text_or(decision, "policy", "-"));
	buf_adds(out, ", ");
	text_add(out, host_words(decision));
	buf_adds(out, "): approved by ");
	text_add(out, field_text_or(decision, "approved_by", "-"));
	buf_addf(out, "; %s\n", field_text_or(decision, "summary", "-"));
}
