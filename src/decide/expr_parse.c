/*
 * The grammar, from loose to close:
 *
 *	or         = and { "or" and }
 *	and        = not { "and" not }
 *	not        = "not" not | comparison
 *	comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum
 *	           | [ "not" ] "in" operand
 *	           | [ "not" ] ( "like" | "matches" ) STRING ]
 *	sum        = product { ( "+" | "-" ) product }
 *	product    = primary { ( "*" | "/" ) primary }
 *	primary    = "(" or ")" | operand
 *
 * The parser descends by hand, checks types and emits code as it goes, so that
 * there is no tree.  Nesting is bounded by EXPR_DEPTH_MAX, and chains cost no
 * depth, neither here nor in evaluation.  Comparisons do not chain: a < b < c
 * means something else in each language that has it.
 */
#include "decide/expr_priv.h"

#include <string.h>

static bool parse_or(struct expr_parser *p, struct expr_operand *out);

struct expr_code *
expr_emit(struct expr_parser *p, enum expr_op op)
{
	/* Every operation has a character of the text, `and` and `or` two. */
	struct expr_code *code = &p->code[p->code_count++];

	code->op = (uint8_t)op;
	return code;
}

static bool
is_word(const struct expr_parser *p, const char *word)
{
	return p->token == TOKEN_WORD && expr_lex_is(p, word);
}

static bool
is_other(const struct expr_parser *p, const char *text)
{
	return p->token == TOKEN_OTHER && expr_lex_is(p, text);
}

/* What is said about a token that cannot follow an operand. */
static const char *
misplaced(const struct expr_parser *p, const struct expr_operand *before,
    const char *or_else)
{
	if (expr_lex_foreign(p) != NULL)
		return expr_lex_foreign(p);
	if (before->type != EXPR_BOOL)
		return arena_printf(p->arena,
		    "stands where an operator%s is expected", or_else);
	return *or_else != '\0'
	    ? "stands where \"and\", \"or\" or \")\" is expected"
	    : "stands where \"and\" or \"or\" is expected";
}

static bool
parse_parenthesis(struct expr_parser *p, struct expr_operand *out)
{
	size_t start = p->at;

	p->beside_text = false;
	expr_lex_next(p);
	if (!parse_or(p, out))
		return false;
	if (p->token == TOKEN_END)
		return expr_lex_fail(p,
		    arena_printf(p->arena,
			"the \"(\" at position %u of the expression is not "
			"closed",
			(unsigned)start + 1));
	if (p->token != TOKEN_CLOSE)
		return expr_lex_fail(p, misplaced(p, out, " or \")\""));
	expr_lex_next(p);
	out->at = start;
	out->end = p->end;
	return true;
}

static bool
parse_primary(struct expr_parser *p, struct expr_operand *out)
{
	if (p->token == TOKEN_OPEN)
		return parse_parenthesis(p, out);
	return expr_operand_read(p, out);
}

/* A result that is no name and no literal. */
static void
set_result(
    const struct expr_parser *p, struct expr_operand *left, enum expr_type type)
{
	*left =
	    (struct expr_operand){.type = type, .at = left->at, .end = p->end};
}

static bool
parse_product(struct expr_parser *p, struct expr_operand *out)
{
	if (!parse_primary(p, out))
		return false;
	while (is_other(p, "*") || is_other(p, "/")) {
		bool divides = expr_lex_is(p, "/");
		struct expr_operand right;
		struct expr_code *code;
		enum expr_type type;
		double scale;

		expr_lex_next(p);
		if (!parse_primary(p, &right))
			return false;
		if (divides
			? !expr_types_divide(p, out, &right, &type, &scale)
			: !expr_types_multiply(p, out, &right, &type, &scale))
			return false;
		code = expr_emit(p, divides ? OP_DIVIDE : OP_MULTIPLY);
		code->type = (uint8_t)type;
		code->scale = scale;
		set_result(p, out, type);
	}
	return true;
}

static bool
parse_sum(struct expr_parser *p, struct expr_operand *out)
{
	if (!parse_product(p, out))
		return false;
	while (is_other(p, "+") || is_other(p, "-")) {
		bool adds = expr_lex_is(p, "+");
		struct expr_operand right;
		enum expr_type type;

		expr_lex_next(p);
		if (!parse_product(p, &right) ||
		    !expr_types_add(p, adds ? "+" : "-", out, &right, &type))
			return false;
		expr_emit(p, adds ? OP_ADD : OP_SUBTRACT)->type = (uint8_t)type;
		set_result(p, out, type);
	}
	return true;
}

struct comparison {
	const char *text;
	enum expr_op op;
	bool ordered;
};

static const struct comparison comparisons[] = {
    {"=", OP_EQUAL, false},
    {"!=", OP_UNEQUAL, false},
    {"<", OP_LESS, true},
    {"<=", OP_LESS_EQUAL, true},
    {">", OP_GREATER, true},
    {">=", OP_GREATER_EQUAL, true},
};

static const struct comparison *
find_comparison(const struct expr_parser *p)
{
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]);
	     i++)
		if (is_other(p, comparisons[i].text))
			return &comparisons[i];
	return NULL;
}

static bool
is_word_operator(const struct expr_parser *p)
{
	return is_word(p, "in") || is_word(p, "like") || is_word(p, "matches");
}

static bool
parse_compared(struct expr_parser *p, const struct comparison *comparison,
    struct expr_operand *left)
{
	struct expr_operand right;
	enum expr_op op = comparison->op;

	if (left->type == EXPR_BOOL)
		return expr_lex_fail(p,
		    "compares no booleans; a name of one stands alone, its "
		    "opposite is \"not NAME\"");
	expr_lex_next(p);
	p->beside_text = left->type == EXPR_STRING;
	if (!parse_sum(p, &right))
		return false;
	p->beside_text = false;
	if (!expr_types_compare(
		p, comparison->text, comparison->ordered, left, &right))
		return false;
	if (left->type == EXPR_STRING)
		op = op == OP_EQUAL ? OP_SAME : OP_DIFFERENT;
	expr_emit(p, op);
	return true;
}

static bool
parse_in(struct expr_parser *p, struct expr_operand *left)
{
	struct expr_operand right;

	expr_lex_next(p);
	p->words = left->words;
	if (!expr_operand_read(p, &right))
		return false;
	p->words = NULL;
	if (!expr_types_in(p, left, &right))
		return false;
	expr_emit(p, OP_IN);
	return true;
}

static bool
parse_pattern(struct expr_parser *p, const struct expr_operand *left)
{
	bool glob = expr_lex_is(p, "like");
	const char *op = glob ? "like" : "matches", *text;
	struct err err = {.code = ERR_NONE};
	const struct pattern *pattern;
	size_t at = 0;

	if (left->type != EXPR_STRING)
		return expr_lex_fail_span(p, left->at, left->end,
		    arena_printf(p->arena, "is %s, and \"%s\" takes a text",
			expr_type_name(left->type), op));
	expr_lex_next(p);
	if (p->token == TOKEN_UNCLOSED)
		return expr_lex_fail(p, "begins a text that is not closed");
	if (p->token != TOKEN_STRING)
		return expr_lex_fail(p,
		    arena_printf(p->arena,
			"%s where a pattern in quotes is expected, such as %s",
			p->token == TOKEN_END ? "the expression ends"
					      : "stands",
			glob ? "\"web*\"" : "\"^web[0-9]+$\""));
	if (p->patterns++ == EXPR_PATTERNS_MAX)
		return expr_lex_fail(p,
		    arena_printf(p->arena,
			"is one of more than %d patterns in an expression",
			EXPR_PATTERNS_MAX));
	text = expr_operand_string(p);
	pattern = glob ? pattern_compile_glob(p->arena, text, &at, &err)
		       : pattern_compile_regex(p->arena, text, &at, &err);
	if (pattern == NULL)
		return expr_lex_fail_at(p, p->at + 1 + at, err.msg);
	expr_emit(p, OP_MATCH)->pattern = pattern;
	expr_lex_next(p);
	return true;
}

/* Moves over the "not" of "not in". */
static bool
skip_not(struct expr_parser *p)
{
	struct expr_parser ahead = *p;

	if (!is_word(p, "not"))
		return false;
	expr_lex_next(&ahead);
	if (!is_word_operator(&ahead))
		return false;
	expr_lex_next(p);
	return true;
}

static bool
parse_comparison(struct expr_parser *p, struct expr_operand *out)
{
	const struct comparison *comparison;
	bool negated;

	if (p->booleans)
		return parse_primary(p, out);
	if (!parse_sum(p, out))
		return false;
	if (out->type == EXPR_BOOL && is_other(p, "=="))
		return expr_lex_fail(p,
		    "is not known; a name of a boolean stands alone, its "
		    "opposite is \"not NAME\"");
	comparison = find_comparison(p);
	negated = skip_not(p);
	if (comparison != NULL) {
		if (!parse_compared(p, comparison, out))
			return false;
	} else if (is_word(p, "in")) {
		if (!parse_in(p, out))
			return false;
	} else if (is_word_operator(p)) {
		if (!parse_pattern(p, out))
			return false;
	} else {
		return true;
	}
	if (negated)
		expr_emit(p, OP_NOT);
	set_result(p, out, EXPR_BOOL);
	if (find_comparison(p) != NULL || is_word_operator(p) || skip_not(p))
		return expr_lex_fail(p,
		    "follows another comparison; join two with \"and\", such "
		    "as a < b and b < c");
	return true;
}

static bool
parse_not(struct expr_parser *p, struct expr_operand *out)
{
	size_t start = p->at;

	if (p->depth == EXPR_DEPTH_MAX)
		return expr_lex_fail(p,
		    arena_printf(p->arena, "is nested deeper than %d levels",
			EXPR_DEPTH_MAX));
	p->depth++;
	if (is_word(p, "not")) {
		expr_lex_next(p);
		if (!parse_not(p, out) || !expr_types_need_bool(p, out))
			return false;
		expr_emit(p, OP_NOT);
		out->at = start;
		set_result(p, out, EXPR_BOOL);
	} else if (!parse_comparison(p, out)) {
		return false;
	}
	p->depth--;
	return true;
}

/*
 * Operands joined by one word; a single one stands for itself.  What settles
 * the whole chain jumps behind it; until that place is known, the jumps hold
 * the index of the one before them.
 */
static bool
parse_chain(struct expr_parser *p, struct expr_operand *out, bool is_and,
    bool (*operand)(struct expr_parser *, struct expr_operand *))
{
	const char *word = is_and ? "and" : "or";
	const size_t none = p->code_max;
	size_t last_jump = none, before;
	struct expr_operand right;

	if (!operand(p, out))
		return false;
	while (is_word(p, word)) {
		if (!expr_types_need_bool(p, out))
			return false;
		before = last_jump;
		last_jump = p->code_count;
		expr_emit(p, is_and ? OP_JUMP_FALSE : OP_JUMP_TRUE)->index =
		    (uint32_t)before;
		expr_lex_next(p);
		if (!operand(p, &right) || !expr_types_need_bool(p, &right))
			return false;
		expr_emit(p, is_and ? OP_AND : OP_OR);
		set_result(p, out, EXPR_BOOL);
	}
	while (last_jump != none) {
		before = p->code[last_jump].index;
		p->code[last_jump].index = (uint32_t)p->code_count;
		last_jump = before;
	}
	return true;
}

static bool
parse_and(struct expr_parser *p, struct expr_operand *out)
{
	return parse_chain(p, out, true, parse_not);
}

static bool
parse_or(struct expr_parser *p, struct expr_operand *out)
{
	return parse_chain(p, out, false, parse_and);
}

static bool
parse_all(struct expr_parser *p, struct arena *scratch)
{
	struct expr_operand all;

	if (strlen(p->text) > EXPR_LENGTH_MAX)
		return expr_lex_fail_at(p, EXPR_LENGTH_MAX,
		    arena_printf(p->arena,
			"the expression is longer than %d bytes",
			EXPR_LENGTH_MAX));
	p->code_max = strlen(p->text) + 1;
	p->code = arena_array(scratch, p->code_max, sizeof(*p->code));
	expr_lex_next(p);
	if (p->token == TOKEN_END)
		return expr_lex_fail(p,
		    arena_printf(p->arena,
			"the expression is empty (names: %s)",
			expr_names_all(p)));
	if (!parse_or(p, &all))
		return false;
	if (p->token == TOKEN_CLOSE)
		return expr_lex_fail(p, "closes nothing");
	if (p->token != TOKEN_END)
		return expr_lex_fail(p, misplaced(p, &all, ""));
	return expr_types_need_bool(p, &all);
}

#define SCRATCH_MAX ((EXPR_LENGTH_MAX + 1024) * sizeof(struct expr_code))

const struct expr *
expr_parse_text(struct expr_parser *p)
{
	struct arena *scratch = arena_new(SCRATCH_MAX);
	unsigned column = 0, *out_column = p->out_column;
	struct expr_code *code;
	struct expr *expr;

	p->out_column = &column;
	if (!parse_all(p, scratch)) {
		if (out_column != NULL)
			*out_column = column;
		arena_free(scratch);
		return NULL;
	}
	code = arena_array(p->arena, p->code_count, sizeof(*code));
	memcpy(code, p->code, p->code_count * sizeof(*code));
	arena_free(scratch);
	expr = arena_alloc(p->arena, sizeof(*expr));
	*expr = (struct expr){.text = arena_strdup(p->arena, p->text),
	    .code = code,
	    .count = p->code_count,
	    .names = p->names,
	    .names_count = p->names_count};
	return expr;
}
