#ifndef DROVER_CONFIG_DIAG_H
#define DROVER_CONFIG_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * What is wrong with a set of configuration files.  All faults are collected,
 * each with its place, before the load is refused:
 *
 *   drover.yaml:12:5: hosts[0].uri: missing (did you mean "uri" for "url"?)
 *
 * At most DIAG_MAX are kept; the rest are counted.
 */

#define DIAG_MAX 100

struct diag {
	char *file;
	unsigned line;   /* from 1; 0: the file as a whole */
	unsigned column; /* from 1 */
	char *text;      /* path: what (suggestion) */
};

struct diag_list {
	struct diag items[DIAG_MAX];
	size_t count;
	size_t dropped;
};

void diag_init(struct diag_list *list);
void diag_free(struct diag_list *list);
void diag_add(struct diag_list *list, const char *file, unsigned line,
    unsigned column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static inline bool
diag_any(const struct diag_list *list)
{
	return list->count > 0;
}

/* One fault per line, sorted by file, line, column. */
void diag_print(const struct diag_list *list, struct buf *out);

/* The candidate nearest to `word` by edit distance, when near enough to be
 * worth a "did you mean"; else NULL.  `candidates` ends with NULL. */
const char *diag_suggest(const char *word, const char *const *candidates);

#endif
