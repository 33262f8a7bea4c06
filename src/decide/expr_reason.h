#ifndef DROVER_DECIDE_EXPR_REASON_H
#define DROVER_DECIDE_EXPR_REASON_H

#include "decide/expr.h"

/*
 * What can be said of expressions without any values: that they can never be
 * true together, or that one is true whenever another is.  Names are compared
 * with constants as intervals and sets; everything else may be whatever it
 * likes, but the same at all of its places.  What is claimed is proven; what is
 * too large or too clever to be proven is not claimed.
 *
 * A claim is that an expression is true, or, negated, that it is false.
 */
struct expr_claim {
	const struct expr *expr;
	bool negated;
};

/* Can they not hold at once?  Then `why` (or NULL) gets a reason: "cpu cannot
 * be above 90 % and below 10 %". */
bool expr_reason_impossible(
    const struct expr_claim *claims, size_t count, struct buf *why);

/* Is `wide` true whenever `narrow` is?  It must not speak of anything that
 * `narrow` does not speak of, so that it is not unknown there. */
bool expr_reason_covers(const struct expr *wide, const struct expr *narrow);

/* Is it understood completely that both can be true at once, while `second`
 * speaks of nothing that `first` does not?  `example` gets when: "cpu between
 * 80 % and 90 %". */
bool expr_reason_overlaps(
    const struct expr *first, const struct expr *second, struct buf *example);

/* Wherever the expression is true, is the name, of a number, at most
 * *out_max? */
bool expr_reason_bound(const struct expr *expr, enum expr_scope scope,
    unsigned index, double *out_max);

/* The n-th name in it, in the order of the text, or false. */
bool expr_reason_name(const struct expr *expr, size_t n, enum expr_scope *scope,
    unsigned *index, const char **label);

#endif
