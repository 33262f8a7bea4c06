/*
 * Tables are for people's eyes, so they keep two promises: columns line up by
 * what a character takes on the screen and not by its bytes, and a program that
 * reads them through a pipe gets every cell whole.  Columns are two spaces
 * apart and the last is not padded, so that nothing trails.
 */

#include "ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
#define NARROWEST 6

struct cell {
	char *text;
	enum text_colour colour;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	bool wide;
	struct cell *cells;
	size_t cell_count, cell_room;
};

struct table *
table_new(const struct table_column *columns, bool wide)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		abort();
	table->columns = columns;
	table->wide = wide;
	while (columns[table->column_count].name != NULL)
		table->column_count++;
	return table;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

void
table_cell(struct table *table, enum text_colour colour, const char *text)
{
	struct cell *cell;

	if (table->cell_count == TABLE_CELLS_MAX)
		return;
	if (table->cell_count == table->cell_room) {
		table->cell_room = table->cell_room * 2 + 64;
		table->cells = realloc(
		    table->cells, table->cell_room * sizeof(*table->cells));
		if (table->cells == NULL)
			abort();
	}
	cell = &table->cells[table->cell_count++];
	cell->colour = colour;
	cell->text = strdup(text != NULL && text[0] != '\0' ? text : "-");
	if (cell->text == NULL)
		abort();
}

void
table_cellf(struct table *table, enum text_colour colour, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(table, colour, text);
}

static bool
is_shown(const struct table *table, size_t column)
{
	return table->wide || !table->columns[column].wide;
}

/* Takes columns from the widest text column until the row fits. */
static void
narrow(const struct table *table, size_t *widths, size_t limit)
{
	for (;;) {
		size_t total = 0, widest = SIZE_MAX;

		for (size_t i = 0; i < table->column_count; i++) {
			if (!is_shown(table, i))
				continue;
			total += widths[i] + (total > 0 ? GAP : 0);
			if (!table->columns[i].right && widths[i] > NARROWEST &&
			    (widest == SIZE_MAX || widths[i] >= widths[widest]))
				widest = i;
		}
		if (total <= limit || widest == SIZE_MAX)
			return;
		widths[widest]--;
	}
}

static void
measure(const struct table *table, const struct style *style, size_t *widths)
{
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = text_width(table->columns[i].name);
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t column = i % table->column_count;
		size_t width = text_width(table->cells[i].text);

		if (width > widths[column])
			widths[column] = width;
	}
	if (style->width > 0 && !table->wide)
		narrow(table, widths, (size_t)style->width);
}

static void
print_cell(const char *text, enum text_colour colour, bool right, bool last,
    size_t width, const struct style *style, struct buf *out)
{
	size_t used = text_width(text);
	size_t pad = used < width ? width - used : 0;

	if (right)
		text_add_spaces(out, pad);
	text_colour_on(out, style, colour);
	text_add_cut(out, text, width, style->utf8);
	text_colour_off(out, style, colour);
	if (!right && !last)
		text_add_spaces(out, pad);
	if (last)
		buf_adds(out, "\n");
	else
		text_add_spaces(out, GAP);
}

void
table_print(
    const struct table *table, const struct style *style, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX], last = 0;

	if (table->cell_count == 0)
		return;
	measure(table, style, widths);
	for (size_t i = 0; i < table->column_count; i++)
		if (is_shown(table, i))
			last = i;
	for (size_t i = 0; i <= last; i++)
		if (is_shown(table, i))
			print_cell(table->columns[i].name, TEXT_BOLD,
			    table->columns[i].right, i == last, widths[i],
			    style, out);
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t column = i % table->column_count;

		if (is_shown(table, column))
			print_cell(table->cells[i].text, table->cells[i].colour,
			    table->columns[column].right, column == last,
			    widths[column], style, out);
	}
}

void
table_print_rows(const struct table_column *columns, bool wide,
    const json_t *rows, void (*add_row)(struct table *table, const json_t *row),
    const struct style *style, struct buf *out)
{
	struct table *table = table_new(columns, wide);
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) add_row(table, row);
	table_print(table, style, out);
	table_free(table);
}
