/*
 * Microsoft Teams: what its Workflows take ("When a Teams webhook request is
 * received"), a message with one Adaptive Card.
 *
 * A TextBlock and a Fact read Markdown, and clients do not agree about how it is
 * escaped; the runs of a RichTextBlock read none.  So every word of a stranger
 * stands in a run, and facts are a table without lines, which looks the same.
 * Nobody can be mentioned without an entity in `msteams`, and there is none.
 *
 * Teams takes 28 KB, in which it counts what it makes of the message itself; 20
 * KiB are known to pass.
 */
#include "notify/format_private.h"

#define TEAMS_BODY_MAX (20 * 1024)
#define TEAMS_TITLE_MAX 1000
#define TEAMS_TEXT_MAX 2000
#define TEAMS_VALUE_MAX 500
#define TEAMS_CELL_MAX 200

static const char *
cut(const struct message *m, const char *text, size_t max)
{
	return format_escape(m, text, TEXT_PLAIN, TEXT_BYTES, max);
}

/* `run` is taken: a TextRun, or a string, which is one. */
static json_t *
rich(json_t *run)
{
	return json_pack(
	    "{s:s, s:[o]}", "type", "RichTextBlock", "inlines", run);
}

static json_t *
words(const struct message *m, const char *text, size_t max)
{
	return rich(json_string(cut(m, text, max)));
}

static json_t *
bold(const struct message *m, const char *text, size_t max)
{
	return rich(json_pack("{s:s, s:s, s:s}", "type", "TextRun", "text",
	    cut(m, text, max), "weight", "bolder"));
}

static json_t *
make_title(const struct message *m)
{
	static const char *const styles[] = {[RECEIVER_INFO] = "good",
	    [RECEIVER_WARNING] = "warning",
	    [RECEIVER_ERROR] = "attention"};

	return json_pack("{s:s, s:s, s:b, s:[o]}", "type", "Container", "style",
	    styles[m->severity], "bleed", 1, "items",
	    rich(json_pack("{s:s, s:s, s:s, s:s}", "type", "TextRun", "text",
		cut(m, m->title, TEAMS_TITLE_MAX), "weight", "bolder", "size",
		"large")));
}

/* `item` is taken; NULL: an empty cell. */
static json_t *
cell(json_t *item)
{
	if (item == NULL)
		return json_pack("{s:s, s:[]}", "type", "TableCell", "items");
	return json_pack("{s:s, s:[o]}", "type", "TableCell", "items", item);
}

static json_t *
grid_cell(const struct message *m, const struct message_grid *grid, size_t row,
    size_t column)
{
	const char *text = grid->cells[row * grid->columns + column];

	if (text[0] == '\0')
		return cell(NULL);
	return cell(row == 0 ? bold(m, text, TEAMS_CELL_MAX)
			     : words(m, text, TEAMS_CELL_MAX));
}

static json_t *
make_facts(const struct message *m)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < m->field_count; i++)
		json_array_append_new(rows,
		    json_pack("{s:s, s:[o, o]}", "type", "TableRow", "cells",
			cell(bold(m, m->fields[i].name, TEAMS_CELL_MAX)),
			cell(words(m, m->fields[i].value, TEAMS_VALUE_MAX))));
	return json_pack("{s:s, s:b, s:b, s:[{s:i}, {s:i}], s:o}", "type",
	    "Table", "firstRowAsHeader", 0, "showGridLines", 0, "columns",
	    "width", 1, "width", 3, "rows", rows);
}

static json_t *
make_table(const struct message *m, size_t count)
{
	struct message_grid grid = message_grid(m, count);
	json_t *columns = json_array(), *rows = json_array();

	for (size_t c = 0; c < grid.columns; c++)
		json_array_append_new(columns, json_pack("{s:i}", "width", 1));
	for (size_t i = 0; i < grid.rows; i++) {
		json_t *cells = json_array();

		for (size_t c = 0; c < grid.columns; c++)
			json_array_append_new(cells, grid_cell(m, &grid, i, c));
		json_array_append_new(rows,
		    json_pack(
			"{s:s, s:o}", "type", "TableRow", "cells", cells));
	}
	return json_pack("{s:s, s:b, s:o, s:o}", "type", "Table",
	    "firstRowAsHeader", 1, "columns", columns, "rows", rows);
}

static json_t *
teams_build(const struct message *m, size_t items)
{
	json_t *body = json_array();
	size_t rows = items < m->row_count ? items : m->row_count;
	size_t lines =
	    items - rows < m->line_count ? items - rows : m->line_count;
	const char *more = format_left_out(m, rows + lines);

	json_array_append_new(body, make_title(m));
	if (m->text != NULL)
		json_array_append_new(body, words(m, m->text, TEAMS_TEXT_MAX));
	if (m->field_count > 0)
		json_array_append_new(body, make_facts(m));
	if (rows > 0)
		json_array_append_new(body, make_table(m, rows));
	for (size_t i = 0; i < lines; i++)
		json_array_append_new(
		    body, words(m, m->lines[i], TEAMS_VALUE_MAX));
	if (more != NULL)
		json_array_append_new(body, words(m, more, TEAMS_CELL_MAX));
	json_array_append_new(body,
	    rich(json_pack("{s:s, s:s, s:s, s:b}", "type", "TextRun", "text",
		message_origin(m), "size", "small", "isSubtle", 1)));
	return json_pack(
	    "{s:s, s:[{s:s, s:{s:s, s:s, s:s, s:s, s:{s:s}, s:o}}]}", "type",
	    "message", "attachments", "contentType",
	    "application/vnd.microsoft.card.adaptive", "content", "type",
	    "AdaptiveCard", "$schema",
	    "http://adaptivecards.io/schemas/adaptive-card.json", "version",
	    "1.5", "fallbackText",
	    format_escape(m, m->title, TEXT_QUIET, TEXT_BYTES, TEAMS_TITLE_MAX),
	    "msteams", "width", "Full", "body", body);
}

int
format_teams(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	return format_build(in, teams_build, TEAMS_BODY_MAX, out, err);
}
