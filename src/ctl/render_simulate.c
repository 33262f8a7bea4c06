/* A plan for the hosts and guests of a file, and the objective in its parts. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/table.h"

static const struct table_column move_columns[] = {
    {"WAVE", true, false},
    {"GUEST", false, false},
    {"FROM", false, false},
    {"TO", false, false},
    {"STRATEGY", false, false},
    {"TIME", true, false},
    {"DOWNTIME", true, false},
    {"WHY", false, false},
    {NULL, false, false},
};

static const struct table_column part_columns[] = {
    {"PART", false, false},
    {"WEIGHT", true, false},
    {"BEFORE", true, false},
    {"AFTER", true, false},
    {NULL, false, false},
};

static const struct table_column part_columns_alone[] = {
    {"PART", false, false},
    {"WEIGHT", true, false},
    {"VALUE", true, false},
    {NULL, false, false},
};

static void
add_move(struct table *table, const json_t *move)
{
	char text[TEXT_SIZE];

	table_cell(
	    table, TEXT_PLAIN, text_number(field_int(move, "wave"), text));
	table_cell(table, TEXT_PLAIN, field_text(move, "vm"));
	table_cell(table, TEXT_PLAIN, field_text(move, "from"));
	table_cell(table, TEXT_PLAIN, field_text(move, "to"));
	table_cell(table, TEXT_PLAIN, field_text(move, "strategy"));
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(move, "predicted_ms"), text));
	table_cell(table, TEXT_PLAIN,
	    text_duration(field_int(move, "predicted_downtime_ms"), text));
	table_cell(table, TEXT_PLAIN, field_text(move, "reason"));
}

static void
add_blocked(const json_t *blocked, const struct style *style, struct buf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(blocked, i, row)
	{
		text_add(out, field_text_or(row, "vm", "-"));
		buf_adds(out, ": ");
		text_colour_on(out, style, TEXT_RED);
		buf_adds(out, "blocked");
		text_colour_off(out, style, TEXT_RED);
		if (field_text(row, "reason") != NULL) {
			buf_adds(out, ": ");
			text_add(out, field_text(row, "reason"));
		}
		buf_adds(out, "\n");
	}
}

static void
add_score(const json_t *object, const char *key, struct buf *out)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_number(value))
		buf_addf(out, "%.4f", json_number_value(value));
	else
		buf_adds(out, "-");
}

/* Why there is no plan. */
static void
add_no_moves(const json_t *result, size_t blocked, struct buf *out)
{
	const char *drained = field_text(result, "drained");
	const json_t *gain = json_object_get(result, "min_gain");

	if (drained != NULL) {
		buf_adds(out, blocked > 0 ? "no guest can leave " : "");
		text_add(out, drained);
		buf_adds(out, blocked > 0 ? "" : " has no guests");
		return;
	}
	buf_adds(out, "nothing to gain");
	if (json_is_number(gain))
		buf_addf(out, ": no possible move is worth %.3g",
		    json_number_value(gain));
}

static void
add_moves(const json_t *result, size_t count, int64_t waves, struct buf *out)
{
	char text[TEXT_SIZE];

	buf_adds(out, text_plural((int64_t)count, "move", text));
	if (waves > 0)
		buf_addf(out, " in %s", text_plural(waves, "wave", text));
	/* 0: nothing that moves has a known time. */
	if (field_count(result, "makespan_ms") > 0)
		buf_addf(out, ", %s",
		    text_duration(field_int(result, "makespan_ms"), text));
	else
		buf_adds(out, ", time unknown");
}

/* "score 2.1300 -> 0.4100; 12 moves in 3 waves, 2 m 05 s; ..." */
static void
add_summary(const json_t *result, const struct style *style, struct buf *out)
{
	const json_t *moves = json_object_get(result, "moves"), *move;
	size_t blocked = json_array_size(json_object_get(result, "blocked"));
	int64_t waves = 0;
	char text[TEXT_SIZE];
	size_t i;

	json_array_foreach(moves, i, move) if (field_count(move, "wave") >
	    waves) waves = field_count(move, "wave");
	buf_adds(out, "score ");
	add_score(result, "score_before", out);
	buf_adds(out, " -> ");
	add_score(result, "score_after", out);
	buf_adds(out, "; ");
	if (json_array_size(moves) > 0)
		add_moves(result, json_array_size(moves), waves, out);
	else
		add_no_moves(result, blocked, out);
	if (blocked > 0) {
		buf_adds(out, "; ");
		text_colour_on(out, style, TEXT_RED);
		buf_addf(out, "%zu blocked", blocked);
		text_colour_off(out, style, TEXT_RED);
	}
	if (field_int(result, "elapsed_ms") == 0)
		buf_adds(out, "; planned in under 1 ms");
	else if (field_int(result, "elapsed_ms") != FIELD_UNKNOWN)
		buf_addf(out, "; planned in %s",
		    text_duration(field_int(result, "elapsed_ms"), text));
	buf_adds(out, "\n");
}

static void
add_number(struct table *table, const json_t *value)
{
	if (json_is_integer(value))
		table_cellf(table, TEXT_PLAIN, "%lld",
		    (long long)json_integer_value(value));
	else if (json_is_real(value))
		table_cellf(table, TEXT_PLAIN, "%.4f", json_real_value(value));
	else
		table_cell(table, TEXT_PLAIN, "-");
}

/* `after` NULL: only one column of values. */
static void
add_parts(const json_t *before, const json_t *after, const struct style *style,
    struct buf *out)
{
	struct table *table =
	    table_new(after != NULL ? part_columns : part_columns_alone, false);
	const json_t *row;
	size_t i;

	json_array_foreach(before, i, row)
	{
		table_cell(table, TEXT_PLAIN, field_text(row, "part"));
		add_number(table, json_object_get(row, "weight"));
		add_number(table, json_object_get(row, "value"));
		if (after != NULL)
			add_number(table,
			    json_object_get(json_array_get(after, i), "value"));
	}
	table_print(table, style, out);
	table_free(table);
}

void
render_simulation(
    const json_t *result, const struct style *style, bool wide, struct buf *out)
{
	const json_t *before = json_object_get(result, "parts_before");

	table_print_rows(move_columns, wide, json_object_get(result, "moves"),
	    add_move, style, out);
	add_blocked(json_object_get(result, "blocked"), style, out);
	if (before != NULL)
		add_parts(
		    before, json_object_get(result, "parts_after"), style, out);
	add_summary(result, style, out);
}

void
render_score(
    const json_t *score, const struct style *style, bool wide, struct buf *out)
{
	(void)wide;
	add_parts(json_object_get(score, "parts"), NULL, style, out);
	buf_adds(out, "score ");
	add_score(score, "score", out);
	buf_adds(out, "\n");
}
