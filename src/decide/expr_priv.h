#ifndef DROVER_DECIDE_EXPR_PRIV_H
#define DROVER_DECIDE_EXPR_PRIV_H

#include "base/pattern.h"
#include "decide/expr.h"

/*
 * Between the files of the expression language: the code that expr_eval.c
 * runs, and the parser, whose parts are expr_lex.c (tokens and what is said
 * about wrong ones), expr_names.c (names), expr_operand.c (literals, names,
 * lists), expr_types.c (which units go together) and expr_parse.c (grammar).
 */

/* ---- code: operations on a stack of values ---- */

enum expr_op {
	OP_NAME,     /* push what the lookup says */
	OP_CONSTANT, /* push a constant */
	OP_NOT,
	OP_AND,
	OP_OR,
	OP_JUMP_FALSE, /* to `index`, if the top is false, leaving it */
	OP_JUMP_TRUE,
	OP_EQUAL, /* of numbers */
	OP_UNEQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_SAME, /* of strings */
	OP_DIFFERENT,
	OP_IN,
	OP_MATCH, /* the top with a pattern */
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY, /* times `scale` */
	OP_DIVIDE
};

/* More than EXPR_DEPTH_MAX levels need: at each the left side of an `or` and
 * of an `and` waits, or, in a sum of products, two of these; and at the
 * innermost all that, a comparison and an operand. */
#define EXPR_STACK_MAX (2 * EXPR_DEPTH_MAX + 16)

struct expr_code {
	uint8_t op;
	uint8_t type; /* of what it leaves on the stack; OP_NAME, arithmetic */
	uint8_t scope;
	uint32_t index;
	union {
		const char *label;
		const struct expr_value *constant;
		const struct pattern *pattern;
		double scale;
	};
};

/* The names of one scope; those of expr_parse() are no scope's. */
struct expr_names {
	enum expr_scope scope;
	const char *prefix; /* NULL: none */
	const struct expr_name *names;
	size_t count;
};

struct expr {
	const char *text;
	const struct expr_code *code;
	size_t count;
	const struct expr_names *names; /* one for each scope */
	size_t names_count;
};

/* A value from outside: of the type that was promised, or unknown. */
struct expr_value expr_check_value(
    struct expr_value value, enum expr_type type);

struct expr_value expr_run(
    const struct expr *expr, expr_lookup lookup, void *arg);

/* ---- parser ---- */

enum expr_token {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_NUMBER,   /* with its unit */
	TOKEN_STRING,   /* with its quotes */
	TOKEN_UNCLOSED, /* a string that does not end */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_LIST,
	TOKEN_CLOSE_LIST,
	TOKEN_COMMA,
	TOKEN_OTHER /* operators, and what is none */
};

/* What an operand turned out to be. */
struct expr_operand {
	enum expr_type type;
	enum expr_type item;               /* of a list */
	size_t at, end;                    /* its place in the text */
	bool zero;                         /* 0, which has any unit */
	const struct expr_value *constant; /* a literal alone */
	const char *const *words;          /* what a name alone can be */
};

struct expr_parser {
	struct arena *arena;
	const char *text;
	const struct expr_names *names;
	size_t names_count;
	const struct expr_list *lists;
	size_t list_count;
	bool booleans; /* the first form of the language */

	size_t at;  /* of the token */
	size_t len; /* of the token */
	size_t end; /* of the token before */
	enum expr_token token;
	unsigned depth;

	bool beside_text;         /* a text is what is expected here, */
	const char *const *words; /* one of these */

	struct expr_code *code;
	size_t code_count, code_max;
	unsigned patterns;

	bool failed;
	unsigned *out_column;
	struct err *err;
};

/* expr_lex.c */
void expr_lex_next(struct expr_parser *p);
bool expr_lex_is(const struct expr_parser *p, const char *word);
/* All of them return false.  The first fault counts. */
bool expr_lex_fail(struct expr_parser *p, const char *what); /* "TOKEN" what */
bool expr_lex_fail_span(
    struct expr_parser *p, size_t at, size_t end, const char *what);
bool expr_lex_fail_at(struct expr_parser *p, size_t at, const char *message);
/* What people write who know another language, else NULL. */
const char *expr_lex_foreign(const struct expr_parser *p);

/* expr_names.c: resolves the word that the token is, moves on, emits. */
bool expr_names_read(struct expr_parser *p, struct expr_operand *out);
/* "a, b, c": what stands alone. */
const char *expr_names_all(const struct expr_parser *p);
/* "must be one of", with a suggestion; `literal` is a string. */
bool expr_names_check_word(struct expr_parser *p, const char *const *words,
    size_t at, size_t end, const char *string);

/* expr_operand.c: everything but parentheses. */
bool expr_operand_read(struct expr_parser *p, struct expr_operand *out);
/* The string token without its quotes. */
const char *expr_operand_string(const struct expr_parser *p);
/* "a value is expected" */
const char *expr_operand_expected(const struct expr_parser *p);

/* expr_types.c */
bool expr_types_need_bool(
    struct expr_parser *p, const struct expr_operand *operand);
bool expr_types_compare(struct expr_parser *p, const char *op, bool ordered,
    const struct expr_operand *left, const struct expr_operand *right);
bool expr_types_in(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right);
bool expr_types_add(struct expr_parser *p, const char *op,
    const struct expr_operand *left, const struct expr_operand *right,
    enum expr_type *out);
bool expr_types_multiply(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right, enum expr_type *out, double *scale);
bool expr_types_divide(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right, enum expr_type *out, double *scale);

/* expr_parse.c */
struct expr_code *expr_emit(struct expr_parser *p, enum expr_op op);
const struct expr *expr_parse_text(struct expr_parser *p);

#endif
