#ifndef DROVER_CTL_TABLE_H
#define DROVER_CTL_TABLE_H

#include <jansson.h>

#include "ctl/text.h"

/*
 * Aligned columns.  In a pipe (style width 0) nothing is cut; on a terminal
 * that is too narrow, the widest text columns give way first.
 */

struct table_column {
	const char *name; /* NULL ends the list */
	bool right;       /* figures */
	bool wide;        /* only with -o wide */
};

#define TABLE_COLUMNS_MAX 20
#define TABLE_CELLS_MAX 2000000

struct table;

/* `columns` must outlive the table. */
struct table *table_new(const struct table_column *columns, bool wide);
void table_free(struct table *table);

/* The next cell, row by row; cells of columns that are not shown are given too
 * (and dropped). */
void table_cell(struct table *table, enum text_colour colour, const char *text);
void table_cellf(struct table *table, enum text_colour colour, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* A whole table: one row, by add_row, for each object of `rows`. */
void table_print_rows(const struct table_column *columns, bool wide,
    const json_t *rows, void (*add_row)(struct table *table, const json_t *row),
    const struct style *style, struct buf *out);

/* With the header, unless there are no rows. */
void table_print(
    const struct table *table, const struct style *style, struct buf *out);

#endif
