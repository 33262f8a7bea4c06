#ifndef DROVER_BASE_ARENA_H
#define DROVER_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Memory for a graph that lives and dies as one: a snapshot, an evaluation, a
 * parsed file.  Allocations are zeroed and aligned for any type.  Running out
 * of memory ends the process (abort): a half-built graph has no use.  `max`
 * bounds the total, in bytes; passing it also aborts, as a bug.
 */

struct arena;

struct arena *arena_new(size_t max);
void arena_free(struct arena *arena); /* NULL allowed */

void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *s); /* NULL -> NULL */
char *arena_strndup(struct arena *arena, const char *s, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *arena);

#endif
