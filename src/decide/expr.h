#ifndef DROVER_DECIDE_EXPR_H
#define DROVER_DECIDE_EXPR_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The expressions of policies, first form: names of booleans joined by `and`,
 * `or`, `not` and parentheses.  Three-valued (Kleene): unknown is neither true
 * nor false, and a policy acts on true only.
 */

enum expr_truth { EXPR_FALSE, EXPR_TRUE, EXPR_UNKNOWN };

#define EXPR_DEPTH_MAX 64
#define EXPR_LENGTH_MAX 4096

struct expr;

/*
 * Parses `text`, allowing the names in `vocabulary` (ends with NULL).  On
 * failure *out_column is the position in `text` from 1, and the message names
 * what was found, what is allowed, and a suggestion.  The expression lives in
 * the arena.
 */
const struct expr *expr_parse(struct arena *arena, const char *text,
    const char *const *vocabulary, unsigned *out_column, struct err *err);

/* Asks `lookup(name, arg)` for each name. */
enum expr_truth expr_eval(const struct expr *expr,
    enum expr_truth (*lookup)(const char *name, void *arg), void *arg);

const char *expr_truth_name(enum expr_truth truth);

/* The names that `when: { host: ... }` knows: maintenance, cordoned, up. */
extern const char *const expr_host_vocabulary[];

#endif
