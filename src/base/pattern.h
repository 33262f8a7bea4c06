#ifndef DROVER_BASE_PATTERN_H
#define DROVER_BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Patterns on names and labels, compiled once.  Matching takes time in
 * proportion to the text, whatever the pattern, and allocates nothing.  Texts
 * are UTF-8: one `?`, `.` or negated bracket is one character.  Nothing
 * depends on a locale.
 *
 * glob    * ? [a-z] [!a-z] [[:digit:]], backslash takes the next character
 *         as it is; the whole text has to match
 * regex   POSIX extended (IEEE 1003.1, 9.4): . [] () | * + ? {m,n} ^ $;
 *         found anywhere in the text unless anchored
 *
 * What POSIX leaves undefined (a repetition of nothing, an empty branch, an
 * unknown escape) is an error, as is a pattern of more than
 * PATTERN_POSITIONS_MAX characters once its repetitions are written out.
 */

#define PATTERN_POSITIONS_MAX 256
#define PATTERN_DEPTH_MAX 32 /* groups in groups */

struct pattern;

/* On failure NULL, and *out_at is the offset in `text` of what is wrong. */
const struct pattern *pattern_compile_glob(
    struct arena *arena, const char *text, size_t *out_at, struct err *err);
const struct pattern *pattern_compile_regex(
    struct arena *arena, const char *text, size_t *out_at, struct err *err);

bool pattern_matches(const struct pattern *pattern, const char *text);

#endif
