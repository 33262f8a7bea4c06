/*
 * From the code of an expression back to what it says.
 *
 * The code is a postfix notation with jumps that only save work, so that
 * without them it is read with a stack.  Arithmetic on constants is done; what
 * is left of arithmetic, and comparisons of two names, is opaque.
 */
#include "decide/expr_reason_priv.h"

#include <math.h>
#include <string.h>

struct value {
	const struct reason *claim; /* of a boolean, NULL for a plain name */
	const struct expr_code *name;
	const struct expr_value *constant;
	bool is_number; /* constant, and folded */
	double number;
	size_t from;
};

struct reader {
	struct arena *arena;
	const struct expr *expr;
	struct value stack[EXPR_STACK_MAX];
	size_t depth;
};

static struct reason *
make(struct reader *r, enum reason_kind kind, size_t from, size_t to)
{
	struct reason *node = arena_alloc(r->arena, sizeof(*node));

	node->kind = kind;
	node->expr = r->expr;
	node->from = from;
	node->to = to;
	return node;
}

static void
push_claim(struct reader *r, const struct reason *claim, size_t from)
{
	r->stack[r->depth++] = (struct value){.claim = claim, .from = from};
}

static const struct reason *
claim_of(struct reader *r, const struct value *value, size_t to)
{
	struct reason *node;

	if (value->claim != NULL)
		return value->claim;
	node = make(r, value->name != NULL ? REASON_BOOL : REASON_OPAQUE,
	    value->from, to);
	node->name = value->name;
	return node;
}

static void
read_constant(struct reader *r, const struct expr_code *code, size_t at)
{
	const struct expr_value *constant = code->constant;

	r->stack[r->depth++] = (struct value){.constant = constant,
	    .is_number = expr_type_is_numeric(constant->type),
	    .number =
		expr_type_is_numeric(constant->type) ? constant->number : 0,
	    .from = at};
}

static void
read_arithmetic(struct reader *r, const struct expr_code *code)
{
	struct value *left = &r->stack[r->depth - 2];
	const struct value *right = &r->stack[r->depth - 1];
	double a = left->number, b = right->number, result = NAN;

	if (left->is_number && right->is_number) {
		if (code->op == OP_ADD)
			result = a + b;
		else if (code->op == OP_SUBTRACT)
			result = a - b;
		else if (code->op == OP_MULTIPLY)
			result = a * b * code->scale;
		else if (fabs(b) > 0)
			result = a / b * code->scale;
	}
	*left = (struct value){.is_number = isfinite(result),
	    .number = result,
	    .from = left->from};
	r->depth--;
}

static bool
compare_numbers(enum expr_op op, double a, double b)
{
	if (op == OP_LESS)
		return a < b;
	if (op == OP_LESS_EQUAL)
		return a <= b;
	if (op == OP_GREATER)
		return a > b;
	if (op == OP_GREATER_EQUAL)
		return a >= b;
	return (a >= b && a <= b) == (op == OP_EQUAL);
}

static enum expr_op
mirror(enum expr_op op)
{
	if (op == OP_LESS)
		return OP_GREATER;
	if (op == OP_LESS_EQUAL)
		return OP_GREATER_EQUAL;
	if (op == OP_GREATER)
		return OP_LESS;
	return op == OP_GREATER_EQUAL ? OP_LESS_EQUAL : op;
}

static void
read_comparison(struct reader *r, const struct expr_code *code, size_t at)
{
	struct value left = r->stack[r->depth - 2];
	struct value right = r->stack[r->depth - 1];
	struct reason *node;

	r->depth -= 2;
	node = make(r, REASON_OPAQUE, left.from, at + 1);
	node->op = (enum expr_op)code->op;
	if (left.is_number && right.is_number) {
		node->kind = REASON_FIXED;
		node->truth =
		    compare_numbers(node->op, left.number, right.number);
	} else if (left.name != NULL && right.is_number) {
		node->kind = REASON_NUMBER;
		node->name = left.name;
		node->number = right.number;
	} else if (left.is_number && right.name != NULL) {
		node->kind = REASON_NUMBER;
		node->name = right.name;
		node->number = left.number;
		node->op = mirror(node->op);
	}
	push_claim(r, node, left.from);
}

/* = and != of texts. */
static void
read_same(struct reader *r, const struct expr_code *code, size_t at)
{
	struct value left = r->stack[r->depth - 2];
	struct value right = r->stack[r->depth - 1];
	const struct value *name = left.name != NULL ? &left : &right;
	const struct value *text = left.name != NULL ? &right : &left;
	struct reason *node, *not ;
	struct expr_list *list;
	const char **strings;

	r->depth -= 2;
	node = make(r, REASON_OPAQUE, left.from, at + 1);
	if (name->name != NULL && text->constant != NULL) {
		list = arena_alloc(r->arena, sizeof(*list));
		strings = arena_array(r->arena, 1, sizeof(*strings));
		strings[0] = text->constant->string;
		*list = (struct expr_list){
		    .type = EXPR_STRING, .count = 1, .strings = strings};
		node->kind = REASON_TEXT;
		node->name = name->name;
		node->list = list;
		if (code->op == OP_DIFFERENT) {
			not = make(r, REASON_NOT, left.from, at + 1);
			not ->left = node;
			node = not ;
		}
	}
	push_claim(r, node, left.from);
}

static void
read_in(struct reader *r, size_t at)
{
	struct value left = r->stack[r->depth - 2];
	struct value right = r->stack[r->depth - 1];
	struct reason *node;

	r->depth -= 2;
	node = make(r, REASON_OPAQUE, left.from, at + 1);
	if (left.name != NULL && right.constant != NULL &&
	    right.constant->list->count <= REASON_LIST_MAX) {
		node->kind = REASON_SET;
		node->name = left.name;
		node->list = right.constant->list;
	}
	push_claim(r, node, left.from);
}

static void
read_match(struct reader *r, const struct expr_code *code, size_t at)
{
	struct value value = r->stack[--r->depth];
	struct reason *node = make(r, REASON_OPAQUE, value.from, at + 1);

	if (value.name != NULL) {
		node->kind = REASON_MATCH;
		node->name = value.name;
		node->pattern = code->pattern;
	} else if (value.constant != NULL) {
		node->kind = REASON_FIXED;
		node->truth =
		    pattern_matches(code->pattern, value.constant->string);
	}
	push_claim(r, node, value.from);
}

static void
read_join(struct reader *r, enum reason_kind kind, size_t at)
{
	struct value *left = &r->stack[r->depth - 2];
	struct value *right = &r->stack[r->depth - 1];
	struct reason *node = make(r, kind, left->from, at + 1);

	node->left = claim_of(r, left, right->from);
	node->right = claim_of(r, right, at);
	r->depth -= 2;
	push_claim(r, node, node->from);
}

static void
read_not(struct reader *r, size_t at)
{
	struct value *value = &r->stack[r->depth - 1];
	struct reason *node = make(r, REASON_NOT, value->from, at + 1);

	node->left = claim_of(r, value, at);
	r->depth--;
	push_claim(r, node, node->from);
}

static void
read_code(struct reader *r, size_t at)
{
	const struct expr_code *code = &r->expr->code[at];

	switch ((enum expr_op)code->op) {
	case OP_NAME:
		r->stack[r->depth++] = (struct value){.name = code, .from = at};
		break;
	case OP_CONSTANT:
		read_constant(r, code, at);
		break;
	case OP_NOT:
		read_not(r, at);
		break;
	case OP_AND:
		read_join(r, REASON_AND, at);
		break;
	case OP_OR:
		read_join(r, REASON_OR, at);
		break;
	case OP_JUMP_FALSE:
	case OP_JUMP_TRUE:
		break;
	case OP_EQUAL:
	case OP_UNEQUAL:
	case OP_LESS:
	case OP_LESS_EQUAL:
	case OP_GREATER:
	case OP_GREATER_EQUAL:
		read_comparison(r, code, at);
		break;
	case OP_SAME:
	case OP_DIFFERENT:
		read_same(r, code, at);
		break;
	case OP_IN:
		read_in(r, at);
		break;
	case OP_MATCH:
		read_match(r, code, at);
		break;
	case OP_ADD:
	case OP_SUBTRACT:
	case OP_MULTIPLY:
	case OP_DIVIDE:
		read_arithmetic(r, code);
		break;
	}
}

const struct reason *
reason_tree(struct arena *arena, const struct expr *expr)
{
	struct reader *r = arena_alloc(arena, sizeof(*r));

	r->arena = arena;
	r->expr = expr;
	for (size_t i = 0; i < expr->count; i++)
		read_code(r, i);
	return claim_of(r, &r->stack[0], expr->count);
}
