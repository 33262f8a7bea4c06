/*
 * Mattermost: an incoming webhook with an attachment, which gives a bar in the
 * colour of the severity and fields beside each other.
 *
 * Everything in it is Markdown, also the title and the values, and "@all" would
 * mention everybody wherever it stands: so all of it is escaped, and after an @
 * comes a space without width.  Lists of guests are tables of Markdown.
 *
 * The text of a post has 16383 characters at most (4000 in very old ones).
 */
#include "notify/format_private.h"

#include <stdio.h>

#define MATTERMOST_BODY_MAX (64 * 1024)
#define MATTERMOST_ALL_MAX 16383
#define MATTERMOST_TITLE_MAX 400
#define MATTERMOST_TEXT_MAX 3000
#define MATTERMOST_CELL_MAX 300
#define MATTERMOST_SHORT 40
/* What stands outside of the list. */
#define MATTERMOST_REST 6000

static const char *
escape(const struct message *m, const char *text, size_t max)
{
	return format_escape(m, text, TEXT_MATTERMOST, TEXT_CHARACTERS, max);
}

static json_t *
make_fields(const struct message *m)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < m->field_count; i++) {
		const struct message_field *f = &m->fields[i];

		json_array_append_new(fields,
		    json_pack("{s:b, s:s, s:s}", "short",
			text_width(f->value) <= MATTERMOST_SHORT, "title",
			escape(m, f->name, MATTERMOST_CELL_MAX), "value",
			escape(m, f->value, MATTERMOST_CELL_MAX)));
	}
	return fields;
}

static const char *
table_line(const struct message *m, const struct message_grid *grid, size_t row)
{
	struct buf line = BUF_INIT(1 << 16);
	const char *text;

	for (size_t c = 0; c < grid->columns; c++)
		(void)buf_addf(&line, "| %s ",
		    escape(m, grid->cells[row * grid->columns + c],
			MATTERMOST_CELL_MAX));
	(void)buf_adds(&line, "|");
	if (row == 0) {
		(void)buf_adds(&line, "\n");
		for (size_t c = 0; c < grid->columns; c++)
			(void)buf_adds(&line, "|:--");
		(void)buf_adds(&line, "|");
	}
	text = arena_strdup(m->arena, buf_str(&line));
	buf_free(&line);
	return text;
}

static void
add_items(struct text_lines *lines, const struct message *m, size_t items)
{
	size_t rows = items < m->row_count ? items : m->row_count, shown = 0;
	struct message_grid grid = message_grid(m, rows);
	const char *more;

	for (size_t i = 0; i < grid.rows && rows > 0; i++)
		shown +=
		    text_lines_add(lines, table_line(m, &grid, i)) && i > 0;
	for (size_t i = 0; i < m->line_count && i < items - rows; i++)
		shown += text_lines_add(lines,
		    arena_printf(m->arena, "- %s",
			escape(m, m->lines[i], MATTERMOST_CELL_MAX)));
	more = format_left_out(m, shown);
	if (more != NULL)
		(void)buf_addf(&lines->buf, "\n%s", more);
	else if (lines->buf.len > 0)
		lines->buf.data[--lines->buf.len] = '\0';
}

static json_t *
mattermost_build(const struct message *m, size_t items)
{
	struct text_lines lines = text_lines_new(
	    TEXT_CHARACTERS, MATTERMOST_ALL_MAX - MATTERMOST_REST);
	char color[16];
	json_t *root;

	if (m->text != NULL)
		(void)text_lines_add(
		    &lines, escape(m, m->text, MATTERMOST_TEXT_MAX));
	if (m->text != NULL && format_items(m) > 0)
		(void)text_lines_add(&lines, "");
	add_items(&lines, m, items);
	(void)snprintf(color, sizeof(color), "#%06x", format_color(m));
	root = json_pack("{s:[{s:o, s:s, s:s, s:s, s:o, s:s}]}", "attachments",
	    "fallback",
	    format_string(
		m->title, TEXT_QUIET, TEXT_CHARACTERS, MATTERMOST_TITLE_MAX),
	    "color", color, "title", escape(m, m->title, MATTERMOST_TITLE_MAX),
	    "text", buf_str(&lines.buf), "fields", make_fields(m), "footer",
	    escape(m, message_origin(m), MATTERMOST_CELL_MAX));
	buf_free(&lines.buf);
	return root;
}

int
format_mattermost(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	return format_build(
	    in, mattermost_build, MATTERMOST_BODY_MAX, out, err);
}
