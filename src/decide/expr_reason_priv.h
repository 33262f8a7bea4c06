#ifndef DROVER_DECIDE_EXPR_REASON_PRIV_H
#define DROVER_DECIDE_EXPR_REASON_PRIV_H

#include "decide/expr_priv.h"
#include "decide/expr_reason.h"

/*
 * Between expr_reason.c (which alternatives there are), expr_reason_tree.c
 * (from code to a tree) and expr_reason_atom.c (whether facts about names go
 * together).
 */

#define REASON_LIST_MAX 64 /* items; a longer list is opaque */

enum reason_kind {
	REASON_AND,
	REASON_OR,
	REASON_NOT,    /* of `left` */
	REASON_FIXED,  /* `truth`, whatever the values are */
	REASON_BOOL,   /* the name */
	REASON_NUMBER, /* the name, `op`, `number` */
	REASON_TEXT,   /* the name = `list`'s only item */
	REASON_SET,    /* the name in `list` */
	REASON_MATCH,  /* the name and `pattern` */
	REASON_OPAQUE, /* code that is only compared with other code */
};

struct reason {
	enum reason_kind kind;
	const struct reason *left, *right;
	bool truth;
	const struct expr *expr;
	const struct expr_code *name;
	enum expr_op op; /* OP_EQUAL to OP_GREATER_EQUAL */
	double number;
	const struct expr_list *list;
	const struct pattern *pattern;
	size_t from, to; /* of the code, `to` excluded */
};

const struct reason *reason_tree(struct arena *arena, const struct expr *expr);

/* One fact, true or false. */
struct fact {
	const struct reason *atom;
	bool negated;
};

bool reason_same_name(const struct expr_code *a, const struct expr_code *b);

/* May they all be so?  If not, `why` (or NULL) gets the reason. */
bool reason_consistent(const struct fact *facts, size_t count, struct buf *why);

/* Is it certain that they may? */
bool reason_understood(const struct fact *facts, size_t count);

/* "cpu between 80 % and 90 %, maintenance" */
void reason_describe(const struct fact *facts, size_t count, struct buf *out);

/* The greatest value that the name may have; INFINITY. */
double reason_upper_bound(const struct fact *facts, size_t count,
    enum expr_scope scope, unsigned index);

#endif
