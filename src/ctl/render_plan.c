/* What would be done, before it is: plans of drains and of single moves. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"WAVE", true, false},
    {"GUEST", false, false},
    {"TO", false, false},
    {"STRATEGY", false, false},
    {"STORAGE", false, false},
    {"TIME", true, false},
    {"DOWNTIME", true, false},
    {"DISKS", true, true},
    {"HANDOVER", false, true},
    {"UUID", false, true},
    {"WHY", false, false},
    {NULL, false, false},
};

static bool
goes(const json_t *step)
{
	return field_text(step, "to") != NULL;
}

static void
add_step(struct table *table, const json_t *step)
{
	int64_t wave = field_int(step, "wave");
	char text[TEXT_SIZE];

	if (wave > 0)
		table_cellf(table, TEXT_PLAIN, "%lld", (long long)wave);
	else
		table_cell(table, TEXT_PLAIN, "-");
	table_cell(table, TEXT_PLAIN, field_text(step, "vm"));
	table_cell(table, TEXT_PLAIN, field_text(step, "to"));
	table_cell(table, TEXT_PLAIN, field_text(step, "strategy"));
	table_cell(table, TEXT_PLAIN, field_text(step, "storage"));
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(step, "predicted_ms"), text));
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(step, "predicted_downtime_ms"), text));
	table_cell(
	    table, TEXT_PLAIN, text_bytes(field_int(step, "disk_bytes"), text));
	table_cell(table, TEXT_PLAIN, field_text(step, "handover"));
	table_cell(table, TEXT_PLAIN, field_text(step, "uuid"));
	table_cell(table, TEXT_PLAIN, field_text(step, "why"));
}

static void
add_headline(const json_t *plan, const struct style *style, struct buf *out)
{
	int64_t movable = field_count(plan, "movable");
	int64_t blocked = field_count(plan, "blocked");
	int64_t waves = field_count(plan, "waves");
	char text[TEXT_SIZE];

	text_add(out, field_text_or(plan, "host", "-"));
	buf_addf(out, ": %s would move", text_plural(movable, "guest", text));
	if (waves > 0)
		buf_addf(out, " in %s", text_plural(waves, "wave", text));
	if (blocked > 0) {
		buf_adds(out, ", ");
		text_colour_on(out, style, TEXT_RED);
		buf_addf(out, "%lld blocked", (long long)blocked);
		text_colour_off(out, style, TEXT_RED);
	}
	if (field_text(plan, "policy") != NULL) {
		buf_adds(out, " (policy ");
		text_add(out, field_text(plan, "policy"));
		buf_adds(out, ")");
	}
	buf_adds(out, "\n");
}

void
render_plan(
    const json_t *plan, const struct style *style, bool wide, struct buf *out)
{
	const json_t *steps = json_object_get(plan, "steps"), *step;
	struct table *table = table_new(columns, wide);
	size_t i;

	add_headline(plan, style, out);
	render_outlook(plan, style, out);
	json_array_foreach(steps, i, step) if (goes(step))
	    add_step(table, step);
	table_print(table, style, out);
	table_free(table);
	json_array_foreach(steps, i, step)
	{
		if (goes(step))
			continue;
		text_add(out, field_text_or(step, "vm", "-"));
		buf_adds(out, ": ");
		text_add(out, field_text_or(step, "fate", "blocked"));
		if (field_text(step, "why") != NULL) {
			buf_adds(out, ": ");
			text_add(out, field_text(step, "why"));
		}
		buf_adds(out, "\n");
		render_rejected(json_object_get(step, "rejected"), out);
	}
}

/* ", in about 12 s, downtime about 300 ms" */
static void
add_prediction(const json_t *item, struct buf *out)
{
	int64_t ms = field_int(item, "predicted_ms");
	int64_t downtime = field_int(item, "predicted_downtime_ms");
	char text[TEXT_SIZE];

	if (ms != FIELD_UNKNOWN)
		buf_addf(out, ", in about %s", text_duration(ms, text));
	if (downtime != FIELD_UNKNOWN)
		buf_addf(
		    out, ", downtime about %s", text_duration(downtime, text));
}

void
render_move_plan(
    const json_t *plan, const struct style *style, bool wide, struct buf *out)
{
	const char *to = field_text(plan, "to");
	const char *why = field_text(plan, "why");

	(void)style;
	(void)wide;
	text_add(out, field_text_or(plan, "vm", "-"));
	if (to != NULL) {
		buf_adds(out, ": would move from ");
		text_add(out, field_text_or(plan, "from", "-"));
		buf_adds(out, " to ");
		text_add(out, to);
		buf_adds(out, " (");
		text_add(out, field_text_or(plan, "strategy", "-"));
		if (field_text(plan, "handover") != NULL) {
			buf_adds(out, ", handover ");
			text_add(out, field_text(plan, "handover"));
		}
		buf_adds(out, ")");
		add_prediction(plan, out);
	} else {
		buf_adds(out, ": cannot move");
	}
	if (why != NULL) {
		buf_adds(out, ": ");
		text_add(out, why);
	}
	buf_adds(out, "\n");
	render_refused(json_object_get(plan, "strategies"), "    ", out);
	render_rejected(json_object_get(plan, "rejected"), out);
}
