#ifndef DROVER_DECIDE_EXPR_H
#define DROVER_DECIDE_EXPR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "decide/expr_value.h"
#include "decide/expr_vocabulary.h"

/*
 * The expressions of policies (drover-policy(7), EXPRESSIONS): typed, checked
 * when they are loaded, three-valued (Kleene).  Unknown is neither true nor
 * false, compared with anything it is unknown, and a policy acts on true only.
 */

enum expr_truth { EXPR_FALSE, EXPR_TRUE, EXPR_UNKNOWN };

#define EXPR_DEPTH_MAX 64
#define EXPR_LENGTH_MAX 4096
#define EXPR_PATTERNS_MAX 32 /* of at most 17 kB each */

struct expr;

/* What an expression may speak about. */
struct expr_context {
	/* The names of the first stand alone (`cpu`); those of all of them
	 * may be written with the prefix (`host.cpu`). */
	const enum expr_scope *scopes;
	size_t scope_count;
	/* The lists of the policy file; a name of the vocabulary hides one. */
	const struct expr_list *lists;
	size_t list_count;
};

/*
 * Compiles `text`, which must be a boolean.  On failure NULL: *out_column is
 * the position in `text` from 1, and the message names what was found, what is
 * allowed, and a suggestion.  The expression lives in the arena, refers to the
 * lists of the context, and is never changed: threads may share it.
 */
const struct expr *expr_compile(struct arena *arena, const char *text,
    const struct expr_context *context, unsigned *out_column, struct err *err);

/* A number with its unit, as in an expression; false: it is none. */
bool expr_parse_number(const char *text, enum expr_type *out_type, double *out);

/*
 * The value of a name: `index` is that of the scope's enum, `label` the name
 * of a label where the index is that of labels, else NULL.  A value of another
 * type than the vocabulary's, and a number that is none, count as unknown.
 * What it points to must live until the evaluation ends.
 */
typedef struct expr_value (*expr_lookup)(
    enum expr_scope scope, unsigned index, const char *label, void *arg);

/* Allocates nothing.  Names that cannot change the result are not asked for. */
enum expr_truth expr_test(
    const struct expr *expr, expr_lookup lookup, void *arg);

/* Does it speak of a name of that scope whose index is at least `first`? */
bool expr_asks(const struct expr *expr, enum expr_scope scope, unsigned first);

/*
 * Evaluates once more and adds to `out` the expression, what came out, and
 * each name that was asked for with its value:
 *
 *	cpu > 80% and not maintenance (true: cpu = 91 %, for 6 m 00 s;
 *	maintenance = false)
 *
 * on one line.  At most EXPR_EXPLAIN_MAX names are shown.
 */
#define EXPR_EXPLAIN_MAX 32
enum expr_truth expr_explain(
    const struct expr *expr, expr_lookup lookup, void *arg, struct buf *out);

const char *expr_truth_name(enum expr_truth truth);

/*
 * The first form of the language, of booleans alone: the names in `vocabulary`
 * (ends with NULL) joined by `and`, `or`, `not` and parentheses.
 */
const struct expr *expr_parse(struct arena *arena, const char *text,
    const char *const *vocabulary, unsigned *out_column, struct err *err);

/* Asks `lookup(name, arg)` for each name.  For what expr_parse() made. */
enum expr_truth expr_eval(const struct expr *expr,
    enum expr_truth (*lookup)(const char *name, void *arg), void *arg);

/* The names that `when: { host: ... }` knows: maintenance, cordoned, up. */
extern const char *const expr_host_vocabulary[];

#endif
