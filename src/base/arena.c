/*
 * Memory for a graph that lives and dies as one.
 *
 * Snapshots hold thousands of small strings and rows with pointers between
 * them; freeing them one by one is where such code leaks.  An arena hands out
 * pieces of larger blocks and gives all of them back at once.  Blocks double
 * in size up to a limit, and a piece that is large itself gets a block of its
 * own, so that the rest of the current block stays in use.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_FIRST ((size_t)4096)
#define ARENA_BLOCK_LAST ((size_t)256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t cap;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct arena_block *blocks; /* the first one is the current one */
	size_t block_size;
	size_t used;
	size_t max;
};

static struct arena_block *
arena_block_new(size_t cap)
{
	struct arena_block *block = calloc(1, sizeof(*block) + cap);

	if (block == NULL)
		abort();
	block->cap = cap;
	return block;
}

struct arena *
arena_new(size_t max)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena == NULL)
		abort();
	arena->max = max;
	arena->block_size = ARENA_BLOCK_FIRST;
	return arena;
}

void
arena_free(struct arena *arena)
{
	struct arena_block *block, *next;

	if (arena == NULL)
		return;
	for (block = arena->blocks; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	void *p;

	if (size == 0)
		size = 1;
	if (size > arena->max - arena->used || size > SIZE_MAX / 2)
		abort();
	size = (size + align - 1) / align * align;

	if (block == NULL || size > block->cap - block->used) {
		if (size > arena->block_size / 4 && block != NULL) {
			block = arena_block_new(size);
			block->next = arena->blocks->next;
			arena->blocks->next = block;
		} else {
			block = arena_block_new(size > arena->block_size
				? size
				: arena->block_size);
			block->next = arena->blocks;
			arena->blocks = block;
			if (arena->block_size < ARENA_BLOCK_LAST)
				arena->block_size *= 2;
		}
	}
	p = block->data + block->used;
	block->used += size;
	/* The padding of the last piece may pass the maximum; it counts up to
	 * it. */
	arena->used =
	    size < arena->max - arena->used ? arena->used + size : arena->max;
	return p;
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		abort();
	return arena_alloc(arena, total);
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return s != NULL ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t n)
{
	size_t len;
	char *copy;

	if (s == NULL)
		return NULL;
	len = strnlen(s, n);
	copy = arena_alloc(arena, len + 1);
	memcpy(copy, s, len);
	return copy;
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	char small[128], *text;
	size_t len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	len = (size_t)n;
	if (len < sizeof(small))
		return arena_strndup(arena, small, len);
	text = arena_alloc(arena, len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(text, len + 1, fmt, ap);
	va_end(ap);
	return text;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
