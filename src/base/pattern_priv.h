#ifndef DROVER_BASE_PATTERN_PRIV_H
#define DROVER_BASE_PATTERN_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pattern.h"

/*
 * Between pattern.c, which makes automata, pattern_bracket.c, which reads what
 * stands in brackets, and pattern_match.c, which runs them.
 */

#define PATTERN_WORDS (PATTERN_POSITIONS_MAX / 64)
#define PATTERN_SYMBOLS 258 /* the bytes, and two that are no bytes: */
#define PATTERN_BEGIN 256
#define PATTERN_END 257

struct pattern {
	unsigned words;      /* of a set */
	bool nullable;       /* matches the empty text, so any */
	bool anchored;       /* begins with ^ only */
	uint64_t *first;     /* sets of positions: where it begins, */
	uint64_t *last;      /* where it may end, */
	uint64_t *follow;    /* what follows each, */
	uint64_t *accepting; /* and who takes each symbol */
};

struct pattern_set {
	uint64_t w[PATTERN_WORDS];
};

/* What one position takes: a set of symbols. */
struct pattern_symbols {
	uint64_t w[(PATTERN_SYMBOLS + 63) / 64];
};

struct pattern_builder {
	const char *text;
	size_t at;
	bool glob;
	unsigned depth;
	unsigned count; /* of positions */
	struct pattern_symbols takes[PATTERN_POSITIONS_MAX];
	struct pattern_set follow[PATTERN_POSITIONS_MAX];
	bool failed;
	size_t *out_at;
	struct err *err;
};

static inline void
pattern_take(struct pattern_symbols *symbols, unsigned symbol)
{
	symbols->w[symbol / 64] |= UINT64_C(1) << symbol % 64;
}

static inline bool
pattern_takes(const struct pattern_symbols *symbols, unsigned symbol)
{
	return (symbols->w[symbol / 64] >> symbol % 64 & 1) != 0;
}

/* The first fault counts. */
void pattern_fail(struct pattern_builder *b, size_t at, const char *what);

/* Reads a bracket at b->at, which stands on "["; afterwards it is behind "]".
 * A set that takes characters beyond ASCII has their first bytes. */
void pattern_read_bracket(
    struct pattern_builder *b, struct pattern_symbols *out);

/* Takes all characters, the longer ones by their first byte. */
void pattern_take_any(struct pattern_symbols *out);

#endif
