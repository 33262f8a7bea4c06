/* Moves: one row each, and one move with its journal. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"ID", true, false},
    {"GUEST", false, false},
    {"FROM", false, false},
    {"TO", false, false},
    {"STRATEGY", false, false},
    {"OUTCOME", false, false},
    {"TOOK", true, false},
    {"DOWNTIME", true, false},
    {"SENT", true, false},
    {"STARTED", false, false},
    {"DRAIN", true, true},
    {"ATTEMPT", true, true},
    {"RULE", false, true},
    {"WHY", false, true},
    {"ERROR", false, true},
    {NULL, false, false},
};

const char *
render_phase(const json_t *move, char *out, size_t size)
{
	const json_t *progress = json_object_get(move, "progress");
	const char *phase = field_text_or(
	    progress, "phase", field_text_or(move, "state", "starting"));
	int64_t asks = field_int(progress, "asks");

	if (strcmp(phase, "shutting down") == 0 && asks > 1)
		snprintf(
		    out, size, "%s (asked %lld times)", phase, (long long)asks);
	else
		snprintf(out, size, "%s", phase);
	return out;
}

static enum text_colour
outcome_words(const json_t *move, char *out, size_t size)
{
	const json_t *progress = json_object_get(move, "progress");
	const json_t *percent = json_object_get(progress, "percent");
	const char *outcome = field_text(move, "outcome");
	char phase[64];

	if (outcome != NULL) {
		snprintf(out, size, "%s", outcome);
		return strcmp(outcome, "completed") == 0 ? TEXT_GREEN
							 : TEXT_RED;
	}
	render_phase(move, phase, sizeof(phase));
	if (json_is_number(percent))
		snprintf(out, size, "%s %d%%", phase,
		    (int)json_number_value(percent));
	else
		snprintf(out, size, "%s", phase);
	return TEXT_YELLOW;
}

static void
number_cell(struct table *table, const json_t *object, const char *key)
{
	char text[TEXT_SIZE];

	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(object, key), text));
}

static void
add_row(struct table *table, const json_t *move)
{
	const json_t *result = json_object_get(move, "result");
	enum text_colour colour;
	char text[128];

	number_cell(table, move, "id");
	table_cell(table, TEXT_PLAIN, field_text(move, "vm"));
	table_cell(table, TEXT_PLAIN, field_text(move, "from"));
	table_cell(table, TEXT_PLAIN, field_text(move, "to"));
	table_cell(table, TEXT_PLAIN, field_text(move, "strategy"));
	colour = outcome_words(move, text, sizeof(text));
	table_cell(table, colour, text);
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(move, "duration_ms"), text));
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(result, "downtime_ms"), text));
	table_cell(
	    table, TEXT_PLAIN, text_bytes(field_int(result, "bytes"), text));
	table_cell(
	    table, TEXT_PLAIN, text_time(field_text(move, "started"), text));
	number_cell(table, move, "drain");
	number_cell(table, move, "attempt");
	table_cell(table, TEXT_PLAIN, field_text(move, "rule"));
	table_cell(table, TEXT_PLAIN, field_text(move, "why"));
	table_cell(table, TEXT_PLAIN, field_text(move, "error"));
}

void
render_moves(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	table_print_rows(columns, wide, json_object_get(answer, "moves"),
	    add_row, style, out);
}

/* What had been foretold, and how far off that was. */
static void
add_compared(
    struct buf *line, const json_t *move, const char *key, int64_t actual)
{
	int64_t predicted = field_int(move, key);
	char text[TEXT_SIZE];

	if (predicted == FIELD_UNKNOWN)
		return;
	buf_addf(line, ", predicted %s", text_duration(predicted, text));
	if (actual != FIELD_UNKNOWN && predicted > 0)
		buf_addf(line, " (%+.0f %%)",
		    ((double)actual - (double)predicted) * 100 /
			(double)predicted);
}

/* "vda: 1.5 GiB of 10.0 GiB, /a/web1.qcow2 to default/web1.qcow2" */
static void
add_disks(const json_t *disks, struct buf *out)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk)
	{
		struct buf line = BUF_INIT(16384);
		char text[TEXT_SIZE];

		buf_addf(&line, "%s: ", field_text_or(disk, "target", "-"));
		buf_addf(&line, "%s",
		    text_bytes(field_int(disk, "allocation"), text));
		if (field_int(disk, "capacity") != FIELD_UNKNOWN)
			buf_addf(&line, " of %s",
			    text_bytes(field_int(disk, "capacity"), text));
		if (field_text(disk, "path") != NULL)
			buf_addf(&line, ", %s", field_text(disk, "path"));
		buf_adds(&line, " to ");
		if (field_text(disk, "pool") != NULL)
			buf_addf(&line, "pool %s, ", field_text(disk, "pool"));
		buf_adds(&line,
		    field_text_or(
			disk, "dest_path", field_text_or(disk, "volume", "-")));
		render_field(i == 0 ? "disks" : "", buf_str(&line), out);
		buf_free(&line);
	}
}

static void
add_figures(const json_t *move, const json_t *result, struct buf *out)
{
	struct buf text = BUF_INIT(1024);
	char figure[TEXT_SIZE];

	if (result == NULL)
		return;
	buf_addf(&text, "%s",
	    text_duration(field_int(result, "downtime_ms"), figure));
	if (field_text(result, "downtime_source") != NULL)
		buf_addf(&text, " (%s)", field_text(result, "downtime_source"));
	add_compared(&text, move, "predicted_downtime_ms",
	    field_int(result, "downtime_ms"));
	render_field("downtime", buf_str(&text), out);
	buf_clear(&text);
	buf_addf(&text, "%s", text_bytes(field_int(result, "bytes"), figure));
	if (field_int(result, "memory_bytes") != FIELD_UNKNOWN)
		buf_addf(&text, ", memory %s",
		    text_bytes(field_int(result, "memory_bytes"), figure));
	if (field_int(result, "disk_bytes") != FIELD_UNKNOWN)
		buf_addf(&text, ", disks %s",
		    text_bytes(field_int(result, "disk_bytes"), figure));
	if (field_int(result, "iterations") != FIELD_UNKNOWN)
		buf_addf(&text, ", %s",
		    text_plural(
			field_int(result, "iterations"), "iteration", figure));
	render_field("sent", buf_str(&text), out);
	buf_free(&text);
}

static void
add_journal(const json_t *journal, const struct style *style, struct buf *out)
{
	static const struct table_column journal_columns[] = {
	    {"AT", false, false},
	    {"AFTER", true, false},
	    {"KIND", false, false},
	    {"STEP", false, false},
	    {"DETAIL", false, false},
	    {NULL, false, false},
	};
	int64_t began =
		    text_time_ms(field_text(json_array_get(journal, 0), "at")),
		at;
	struct table *table;
	const json_t *entry;
	char text[TEXT_SIZE];
	size_t i;

	if (json_array_size(journal) == 0)
		return;
	table = table_new(journal_columns, false);
	json_array_foreach(journal, i, entry)
	{
		table_cell(table, TEXT_PLAIN,
		    text_time(field_text(entry, "at"), text));
		at = text_time_ms(field_text(entry, "at"));
		table_cell(table, TEXT_PLAIN,
		    text_duration(at == FIELD_UNKNOWN || began == FIELD_UNKNOWN
			    ? FIELD_UNKNOWN
			    : at - began,
			text));
		table_cell(table, TEXT_PLAIN, field_text(entry, "kind"));
		table_cell(table, TEXT_PLAIN, field_text(entry, "step"));
		table_cell(table, TEXT_PLAIN, field_text(entry, "detail"));
	}
	buf_adds(out, "\n");
	table_print(table, style, out);
	table_free(table);
}

void
render_move(
    const json_t *move, const struct style *style, bool wide, struct buf *out)
{
	static const char *const optional[] = {
	    "policy", "rule", "why", "note", "error", "cause", "remedy"};
	const json_t *result = json_object_get(move, "result");
	struct buf line = BUF_INIT(4096);
	char text[128];

	(void)wide;
	buf_addf(&line, "%lld", (long long)field_count(move, "id"));
	render_field("move", buf_str(&line), out);
	buf_clear(&line);
	buf_addf(&line, "%s (%s)", field_text_or(move, "vm", "-"),
	    field_text_or(move, "uuid", "-"));
	render_field("guest", buf_str(&line), out);
	buf_clear(&line);
	buf_addf(&line, "%s to %s", field_text_or(move, "from", "-"),
	    field_text_or(move, "to", "-"));
	render_field("from", buf_str(&line), out);
	buf_clear(&line);
	buf_addf(&line, "%s", field_text_or(move, "strategy", "-"));
	if (field_text(move, "handover") != NULL)
		buf_addf(&line, ", handover %s", field_text(move, "handover"));
	render_field("strategy", buf_str(&line), out);
	outcome_words(move, text, sizeof(text));
	render_field("outcome", text, out);
	if (field_int(move, "drain") != FIELD_UNKNOWN) {
		snprintf(text, sizeof(text), "%lld, attempt %lld",
		    (long long)field_count(move, "drain"),
		    (long long)field_count(move, "attempt"));
		render_field("drain", text, out);
	}
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (field_text(move, optional[i]) != NULL)
			render_field(
			    optional[i], field_text(move, optional[i]), out);
	render_field(
	    "started", text_time(field_text(move, "started"), text), out);
	if (field_text(move, "ended") != NULL)
		render_field(
		    "ended", text_time(field_text(move, "ended"), text), out);
	buf_clear(&line);
	buf_adds(&line, text_duration(field_int(move, "duration_ms"), text));
	add_compared(&line, move, "predicted_ms",
	    result != NULL ? field_int(move, "duration_ms") : FIELD_UNKNOWN);
	render_field("took", buf_str(&line), out);
	if (result == NULL &&
	    field_int(move, "predicted_downtime_ms") != FIELD_UNKNOWN) {
		buf_clear(&line);
		buf_addf(&line, "predicted %s",
		    text_duration(
			field_int(move, "predicted_downtime_ms"), text));
		render_field("downtime", buf_str(&line), out);
	}
	add_figures(move, result, out);
	add_disks(json_object_get(move, "disks"), out);
	if (field_text(result, "kept_until") != NULL) {
		buf_clear(&line);
		buf_addf(&line, "the images on %s, until %s",
		    field_text_or(move, "from", "-"),
		    text_time(field_text(result, "kept_until"), text));
		render_field("kept", buf_str(&line), out);
	}
	add_journal(json_object_get(move, "journal"), style, out);
	buf_free(&line);
}
