/*
 * The guests of a drain.
 *
 * One that somebody has to look after must not stand below forty that moved as
 * they should, and a list that is cut is cut at the end: so the blocked come
 * first.  The table is text, because most services show a block of code in
 * columns, and only some know tables of their own.
 */
#include "notify/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/units.h"
#include "notify/text.h"

#define TABLE_CELL_WIDTH 28
#define TABLE_WHY_WIDTH 72
#define TABLE_LINE_MAX 4096

/* What needs somebody first; then what somebody may ask about.  "start" is what
 * a decision is about. */
static const char *const ranks[] = {"start", "blocked", "failed", "rolled-back",
    "waiting", "wait", "moving", "stayed", "excepted", "enough", "gone",
    "moved"};
#define RANK_COUNT (sizeof(ranks) / sizeof(ranks[0]))

static size_t
rank_of(const char *outcome)
{
	size_t i = 0;

	while (i < RANK_COUNT && strcmp(ranks[i], outcome) != 0)
		i++;
	return i < RANK_COUNT ? i : 1;
}

static const char *
duration_of(const struct message_event *guest, const char *key)
{
	int64_t ms = message_count(guest, key);
	char text[UNITS_TEXT_SIZE];

	if (ms < 0)
		return NULL;
	units_format_duration(ms, text);
	return arena_strdup(guest->arena, text);
}

static const char *
either(const struct message_event *guest, const char *key, const char *old)
{
	const char *text = message_get(guest, key, MESSAGE_VALUE_MAX);

	return text != NULL ? text : message_get(guest, old, MESSAGE_VALUE_MAX);
}

static struct message_row
make_row(struct arena *arena, const json_t *data)
{
	struct message_event guest = {.arena = arena, .data = data};
	struct message_row row = {
	    .guest = either(&guest, "guest", "vm"),
	    .outcome = either(&guest, "outcome", "fate"),
	    .to = message_get(&guest, "to", MESSAGE_NAME_MAX),
	    .how = message_get(&guest, "strategy", 32),
	    .took = duration_of(&guest, "duration_ms"),
	    .downtime = duration_of(&guest, "downtime_ms"),
	    .why = either(&guest, "reason", "why"),
	};

	if (row.guest == NULL)
		row.guest = "?";
	if (row.outcome == NULL)
		row.outcome = "?";
	return row;
}

/* `remaining` is what summaries had before they had `guests`; a decision has
 * `items`. */
void
message_add_rows(struct message *m, const json_t *data)
{
	const json_t *list = json_object_get(data, "guests"), *guest;
	const char *left_out = "guests_omitted";
	json_int_t omitted;
	size_t i, count;

	if (!json_is_array(list))
		list = json_object_get(data, "remaining");
	if (!json_is_array(list)) {
		list = json_object_get(data, "items");
		left_out = "items_left_out";
	}
	omitted = json_integer_value(json_object_get(data, left_out));
	count = json_array_size(list);
	if (count == 0)
		return;
	m->rows = arena_array(m->arena,
	    count < MESSAGE_ROWS_MAX ? count : MESSAGE_ROWS_MAX,
	    sizeof(*m->rows));
	m->rows_left_out = omitted > 0 ? (size_t)omitted : 0;
	for (size_t rank = 0; rank < RANK_COUNT; rank++) {
		json_array_foreach(list, i, guest)
		{
			const char *outcome = json_string_value(
			    json_object_get(guest, "outcome"));

			if (outcome == NULL)
				outcome = json_string_value(
				    json_object_get(guest, "fate"));
			if (rank_of(outcome != NULL ? outcome : "") != rank)
				continue;
			if (m->row_count < MESSAGE_ROWS_MAX)
				m->rows[m->row_count++] =
				    make_row(m->arena, guest);
			else
				m->rows_left_out++;
		}
	}
}

/* ---- as text ---- */

const char *
message_row_line(const struct message *m, const struct message_row *row)
{
	return arena_printf(m->arena, "%s: %s%s%s%s%s%s%s%s%s%s%s", row->guest,
	    row->outcome, row->to != NULL ? " to " : "",
	    row->to != NULL ? row->to : "", row->how != NULL ? ", " : "",
	    row->how != NULL ? row->how : "",
	    row->took != NULL ? ", took " : "",
	    row->took != NULL ? row->took : "",
	    row->downtime != NULL ? ", downtime " : "",
	    row->downtime != NULL ? row->downtime : "",
	    row->why != NULL ? ": " : "", row->why != NULL ? row->why : "");
}

static const char *const heads[MESSAGE_COLUMNS_MAX] = {
    "Guest", "Outcome", "To", "How", "Took", "Downtime", "Why"};

static void
cells_of(const struct message_row *row, const char *cells[MESSAGE_COLUMNS_MAX])
{
	cells[0] = row->guest;
	cells[1] = row->outcome;
	cells[2] = row->to;
	cells[3] = row->how;
	cells[4] = row->took;
	cells[5] = row->downtime;
	cells[6] = row->why;
}

struct message_grid
message_grid(const struct message *m, size_t count)
{
	const char *all[MESSAGE_COLUMNS_MAX];
	bool used[MESSAGE_COLUMNS_MAX] = {false};
	struct message_grid grid = {.rows = count + 1};
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		cells_of(&m->rows[i], all);
		for (size_t c = 0; c < MESSAGE_COLUMNS_MAX; c++)
			used[c] = used[c] || all[c] != NULL;
	}
	for (size_t c = 0; c < MESSAGE_COLUMNS_MAX; c++)
		grid.columns += used[c];
	grid.cells = arena_array(
	    m->arena, grid.rows * MESSAGE_COLUMNS_MAX, sizeof(*grid.cells));
	for (size_t i = 0; i < grid.rows; i++) {
		if (i > 0)
			cells_of(&m->rows[i - 1], all);
		for (size_t c = 0; c < MESSAGE_COLUMNS_MAX; c++) {
			const char *cell = i > 0 ? all[c] : heads[c];

			if (used[c])
				grid.cells[n++] = cell != NULL ? cell : "";
		}
	}
	return grid;
}

/* The last column may be as wide as reasons are. */
static size_t
column_width(const struct message_grid *grid, size_t column)
{
	size_t most = column > 0 && column + 1 == grid->columns
	    ? TABLE_WHY_WIDTH
	    : TABLE_CELL_WIDTH;
	size_t width = 0;

	for (size_t i = 0; i < grid->rows; i++) {
		size_t w = text_width(grid->cells[i * grid->columns + column]);

		if (w > width)
			width = w < most ? w : most;
	}
	return width;
}

const char **
message_table(const struct message *m, size_t count)
{
	struct message_grid grid = message_grid(m, count);
	const char **lines = arena_array(m->arena, grid.rows, sizeof(*lines));
	size_t widths[MESSAGE_COLUMNS_MAX];
	struct buf line = BUF_INIT(TABLE_LINE_MAX);

	for (size_t c = 0; c < grid.columns; c++)
		widths[c] = column_width(&grid, c);
	for (size_t i = 0; i < grid.rows; i++) {
		buf_clear(&line);
		for (size_t c = 0; c < grid.columns; c++) {
			if (c > 0)
				(void)buf_adds(&line, "  ");
			text_pad(
			    &line, grid.cells[i * grid.columns + c], widths[c]);
		}
		while (line.len > 0 && line.data[line.len - 1] == ' ')
			line.data[--line.len] = '\0';
		lines[i] = arena_strdup(m->arena, buf_str(&line));
	}
	buf_free(&line);
	return lines;
}
