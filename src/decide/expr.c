/*
 * A small language on purpose: an operator reads `maintenance and not up` and
 * knows when a policy acts.
 *
 *	or     = and { "or" and }
 *	and    = not { "and" not }
 *	not    = "not" not | "(" or ")" | NAME
 *
 * The parser descends by hand.  Nesting is bounded by EXPR_DEPTH_MAX; a chain
 * of `and` or `or` becomes one node with a list of operands, so that its length
 * costs no depth, neither here nor in evaluation.
 *
 * Truth is Kleene's: unknown stays unknown unless the other operand decides
 * alone (false and unknown is false, true or unknown is true).  What the
 * writers of other languages type first (&&, ==, NOT) is answered with what
 * they should write.
 */

#include "decide/expr.h"

#include <stdbool.h>
#include <string.h>

#include "config/diag.h"

#define VOCABULARY_MAX 32 /* names offered as suggestions */

enum expr_kind { EXPR_NAME, EXPR_NOT, EXPR_AND, EXPR_OR };

struct expr {
	enum expr_kind kind;
	const char *name;         /* EXPR_NAME */
	const struct expr *first; /* operands */
	struct expr *next;        /* the next operand of the same node */
};

enum token { TOKEN_END, TOKEN_WORD, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_OTHER };

struct parser {
	struct arena *arena;
	const char *text;
	const char *const *vocabulary;
	size_t at;  /* of the token */
	size_t len; /* of the token */
	enum token token;
	unsigned depth;
	bool failed;
	unsigned *out_column;
	struct err *err;
};

const char *const expr_host_vocabulary[] = {
    "maintenance", "cordoned", "up", NULL};

static struct expr *parse_or(struct parser *p);

const char *
expr_truth_name(enum expr_truth truth)
{
	switch (truth) {
	case EXPR_FALSE:
		return "false";
	case EXPR_TRUE:
		return "true";
	case EXPR_UNKNOWN:
		break;
	}
	return "unknown";
}

/* ASCII alone, whatever the locale. */
static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static void
next_token(struct parser *p)
{
	const char *s;

	p->at += p->len;
	p->at += strspn(p->text + p->at, " \t\r\n");
	s = p->text + p->at;
	p->len = 1;
	if (*s == '\0') {
		p->token = TOKEN_END;
		p->len = 0;
	} else if (*s == '(') {
		p->token = TOKEN_OPEN;
	} else if (*s == ')') {
		p->token = TOKEN_CLOSE;
	} else if (is_word_char(*s)) {
		p->token = TOKEN_WORD;
		while (is_word_char(s[p->len]))
			p->len++;
	} else {
		p->token = TOKEN_OTHER;
		if ((unsigned char)*s >= 0x80)
			while (((unsigned char)s[p->len] & 0xc0) == 0x80)
				p->len++;
		else if (strchr("&|=<>!", *s) != NULL &&
		    (s[1] == *s || s[1] == '='))
			p->len++;
	}
}

static bool
token_is(const struct parser *p, const char *word)
{
	return strlen(word) == p->len &&
	    strncmp(p->text + p->at, word, p->len) == 0;
}

static struct expr *
fail(struct parser *p, const char *what)
{
	/* Long tokens are shown by their beginning; words are ASCII. */
	int shown = p->len > 40 ? 40 : (int)p->len;
	unsigned char c = (unsigned char)p->text[p->at];

	if (p->failed)
		return NULL;
	p->failed = true;
	*p->out_column = (unsigned)p->at + 1;
	if (p->token == TOKEN_END)
		err_set(p->err, ERR_INVALID, "%s", what);
	else if (c < 0x20 || c == 0x7f)
		err_set(p->err, ERR_INVALID, "a control character %s", what);
	else
		err_set(p->err, ERR_INVALID, "\"%.*s\" %s", shown,
		    p->text + p->at, what);
	return NULL;
}

/* The vocabulary as "a, b, c". */
static const char *
list_names(const struct parser *p)
{
	const char *all = "";

	for (size_t i = 0; p->vocabulary[i] != NULL && i < VOCABULARY_MAX; i++)
		all = arena_printf(p->arena, "%s%s%s", all, i > 0 ? ", " : "",
		    p->vocabulary[i]);
	return all;
}

/* What people write who know another language, else NULL. */
static const char *
foreign_token(const struct parser *p)
{
	static const struct {
		const char *found, *say;
	} table[] = {
	    {"&&", "is not known; write \"and\""},
	    {"&", "is not known; write \"and\""},
	    {"||", "is not known; write \"or\""},
	    {"|", "is not known; write \"or\""},
	    {"!", "is not known; write \"not\""},
	    {"==",
		"is not known; a name stands alone, its opposite is "
		"\"not NAME\""},
	    {"=",
		"is not known; a name stands alone, its opposite is "
		"\"not NAME\""},
	    {"!=",
		"is not known; a name stands alone, its opposite is "
		"\"not NAME\""},
	    {"AND", "is not known; write \"and\""},
	    {"OR", "is not known; write \"or\""},
	    {"NOT", "is not known; write \"not\""},
	    {"<", "is not known; this version compares no numbers"},
	    {">", "is not known; this version compares no numbers"},
	    {"<=", "is not known; this version compares no numbers"},
	    {">=", "is not known; this version compares no numbers"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (token_is(p, table[i].found))
			return table[i].say;
	return NULL;
}

static struct expr *
fail_name(struct parser *p)
{
	const char *word = arena_strndup(p->arena, p->text + p->at, p->len);
	const char *near = diag_suggest(word, p->vocabulary);

	if (near != NULL)
		return fail(p,
		    arena_printf(
			p->arena, "is not known (did you mean \"%s\"?)", near));
	return fail(p,
	    arena_printf(p->arena, "is not known (known: %s)", list_names(p)));
}

static struct expr *
parse_name(struct parser *p)
{
	struct expr *expr;

	if (p->token == TOKEN_END)
		return fail(p,
		    arena_printf(p->arena,
			"the expression ends where a name is expected (%s)",
			list_names(p)));
	if (foreign_token(p) != NULL)
		return fail(p, foreign_token(p));
	if (p->token != TOKEN_WORD || token_is(p, "and") || token_is(p, "or"))
		return fail(p,
		    arena_printf(p->arena,
			"stands where a name is expected (%s)", list_names(p)));
	for (size_t i = 0; p->vocabulary[i] != NULL; i++) {
		if (!token_is(p, p->vocabulary[i]))
			continue;
		expr = arena_alloc(p->arena, sizeof(*expr));
		expr->kind = EXPR_NAME;
		expr->name = arena_strdup(p->arena, p->vocabulary[i]);
		next_token(p);
		return expr;
	}
	return fail_name(p);
}

static struct expr *
parse_parenthesis(struct parser *p)
{
	unsigned column = (unsigned)p->at + 1;
	struct expr *expr;

	next_token(p);
	expr = parse_or(p);
	if (expr == NULL)
		return NULL;
	if (p->token == TOKEN_END)
		return fail(p,
		    arena_printf(p->arena,
			"the \"(\" at position "
			"%u of the expression is not closed",
			column));
	if (p->token != TOKEN_CLOSE)
		return fail(p,
		    foreign_token(p) != NULL
			? foreign_token(p)
			: "stands where \"and\", \"or\" or \")\" is expected");
	next_token(p);
	return expr;
}

static struct expr *
parse_not(struct parser *p)
{
	struct expr *expr, *inner;

	if (p->depth == EXPR_DEPTH_MAX)
		return fail(p,
		    arena_printf(p->arena,
			"is nested deeper than "
			"%d levels",
			EXPR_DEPTH_MAX));
	p->depth++;
	if (p->token == TOKEN_OPEN) {
		expr = parse_parenthesis(p);
	} else if (p->token == TOKEN_WORD && token_is(p, "not")) {
		next_token(p);
		inner = parse_not(p);
		if (inner == NULL)
			return NULL;
		expr = arena_alloc(p->arena, sizeof(*expr));
		expr->kind = EXPR_NOT;
		expr->first = inner;
	} else {
		expr = parse_name(p);
	}
	p->depth--;
	return expr;
}

/* Operands joined by one word; a single one stands for itself. */
static struct expr *
parse_chain(struct parser *p, enum expr_kind kind, const char *word,
    struct expr *(*operand)(struct parser *))
{
	struct expr *first = operand(p), *last = first, *expr;

	if (first == NULL || !token_is(p, word))
		return first;
	while (token_is(p, word)) {
		next_token(p);
		last->next = operand(p);
		last = last->next;
		if (last == NULL)
			return NULL;
	}
	expr = arena_alloc(p->arena, sizeof(*expr));
	expr->kind = kind;
	expr->first = first;
	return expr;
}

static struct expr *
parse_and(struct parser *p)
{
	return parse_chain(p, EXPR_AND, "and", parse_not);
}

static struct expr *
parse_or(struct parser *p)
{
	return parse_chain(p, EXPR_OR, "or", parse_and);
}

const struct expr *
expr_parse(struct arena *arena, const char *text, const char *const *vocabulary,
    unsigned *out_column, struct err *err)
{
	unsigned column = 0;
	struct parser p = {.arena = arena,
	    .text = text,
	    .vocabulary = vocabulary,
	    .out_column = &column,
	    .err = err};
	struct expr *expr = NULL;

	if (strlen(text) > EXPR_LENGTH_MAX) {
		column = EXPR_LENGTH_MAX + 1;
		err_set(err, ERR_INVALID,
		    "the expression is longer than "
		    "%d bytes",
		    EXPR_LENGTH_MAX);
	} else {
		next_token(&p);
		if (p.token == TOKEN_END)
			fail(&p,
			    arena_printf(arena,
				"the expression is "
				"empty (names: %s)",
				list_names(&p)));
		else
			expr = parse_or(&p);
		if (expr != NULL && p.token == TOKEN_CLOSE)
			expr = fail(&p, "closes nothing");
		else if (expr != NULL && p.token != TOKEN_END)
			expr = fail(&p,
			    foreign_token(&p) != NULL
				? foreign_token(&p)
				: "stands where \"and\" or \"or\" is expected");
	}
	if (expr == NULL && out_column != NULL)
		*out_column = column;
	return expr;
}

static enum expr_truth
negate(enum expr_truth truth)
{
	switch (truth) {
	case EXPR_FALSE:
		return EXPR_TRUE;
	case EXPR_TRUE:
		return EXPR_FALSE;
	case EXPR_UNKNOWN:
		break;
	}
	return EXPR_UNKNOWN;
}

/* `decides` is the value that settles the whole chain. */
static enum expr_truth
eval_chain(const struct expr *expr, enum expr_truth decides,
    enum expr_truth (*lookup)(const char *name, void *arg), void *arg)
{
	enum expr_truth result = negate(decides), truth;

	for (const struct expr *e = expr->first; e != NULL; e = e->next) {
		truth = expr_eval(e, lookup, arg);
		if (truth == decides)
			return decides;
		if (truth == EXPR_UNKNOWN)
			result = EXPR_UNKNOWN;
	}
	return result;
}

enum expr_truth
expr_eval(const struct expr *expr,
    enum expr_truth (*lookup)(const char *name, void *arg), void *arg)
{
	switch (expr->kind) {
	case EXPR_NAME:
		return lookup(expr->name, arg);
	case EXPR_NOT:
		return negate(expr_eval(expr->first, lookup, arg));
	case EXPR_AND:
		return eval_chain(expr, EXPR_FALSE, lookup, arg);
	case EXPR_OR:
		return eval_chain(expr, EXPR_TRUE, lookup, arg);
	}
	return EXPR_UNKNOWN;
}
