/*
 * Runs the code of an expression on a stack of values.
 *
 * Truth is Kleene's: unknown stays unknown unless the other operand decides
 * alone (false and unknown is false, true or unknown is true).  A comparison or
 * a sum with something unknown is unknown, and so is what has no result, as a
 * division by zero: nothing that is not known is ever taken for 0.
 *
 * The stack is bounded by what the parser lets through (EXPR_STACK_MAX), and
 * types were checked there, except those of values that come from outside.
 */
#include "decide/expr_priv.h"

#include <math.h>
#include <string.h>

struct expr_value
expr_check_value(struct expr_value value, enum expr_type type)
{
	bool known = value.known && value.type == type;

	if (known && expr_type_is_numeric(type))
		known = isfinite(value.number);
	else if (known && type == EXPR_STRING)
		known = value.string != NULL;
	else if (known && type == EXPR_LIST)
		known = value.list != NULL;
	if (!known)
		return (struct expr_value){.type = type};
	return value;
}

static struct expr_value
look_up(const struct expr_code *code, expr_lookup lookup, void *arg)
{
	return expr_check_value(
	    lookup((enum expr_scope)code->scope, code->index, code->label, arg),
	    (enum expr_type)code->type);
}

static void
set_truth(struct expr_value *value, bool known, bool truth)
{
	value->type = EXPR_BOOL;
	value->known = known;
	value->truth = truth;
}

/* `decides` settles it alone. */
static void
join(struct expr_value *left, const struct expr_value *right, bool decides)
{
	if ((left->known && left->truth == decides) ||
	    (right->known && right->truth == decides))
		set_truth(left, true, decides);
	else
		set_truth(left, left->known && right->known, !decides);
}

static bool
compare(enum expr_op op, double a, double b)
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

static bool
contains(const struct expr_list *list, const struct expr_value *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (item->type == EXPR_STRING
			? strcmp(list->strings[i], item->string) == 0
			: compare(OP_EQUAL, list->numbers[i], item->number))
			return true;
	}
	return false;
}

static void
set_in(struct expr_value *item, const struct expr_value *list)
{
	/* What the lookup gave may be a list of something else. */
	if (!item->known || !list->known || list->list->type != item->type)
		set_truth(item, false, false);
	else
		set_truth(item, true, contains(list->list, item));
}

static void
calculate(const struct expr_code *code, struct expr_value *left,
    const struct expr_value *right)
{
	double a = left->number, b = right->number, result = 0;
	bool known = left->known && right->known;

	if (known && code->op == OP_ADD)
		result = a + b;
	else if (known && code->op == OP_SUBTRACT)
		result = a - b;
	else if (known && code->op == OP_MULTIPLY)
		result = a * b * code->scale;
	else if (known && fabs(b) > 0)
		result = a / b * code->scale;
	else
		known = false;
	left->type = (enum expr_type)code->type;
	left->known = known && isfinite(result);
	left->number = result;
}

static void
match(const struct pattern *pattern, struct expr_value *value)
{
	if (value->known)
		set_truth(value, true, pattern_matches(pattern, value->string));
	else
		set_truth(value, false, false);
}

static bool
settles(const struct expr_code *code, const struct expr_value *top)
{
	return top->known && top->truth == (code->op == OP_JUMP_TRUE);
}

/* An operation on the two values at `left`, which is replaced. */
static void
apply(const struct expr_code *code, struct expr_value *left)
{
	const struct expr_value *right = left + 1;
	enum expr_op op = (enum expr_op)code->op;
	bool known = left->known && right->known;

	if (op == OP_AND || op == OP_OR)
		join(left, right, op == OP_OR);
	else if (op == OP_SAME || op == OP_DIFFERENT)
		set_truth(left, known,
		    known &&
			(strcmp(left->string, right->string) == 0) ==
			    (op == OP_SAME));
	else if (op == OP_IN)
		set_in(left, right);
	else if (op >= OP_ADD)
		calculate(code, left, right);
	else
		set_truth(left, known,
		    known && compare(op, left->number, right->number));
}

struct expr_value
expr_run(const struct expr *expr, expr_lookup lookup, void *arg)
{
	struct expr_value stack[EXPR_STACK_MAX], *free = stack;

	for (size_t i = 0; i < expr->count; i++) {
		const struct expr_code *code = &expr->code[i];

		switch ((enum expr_op)code->op) {
		case OP_NAME:
			*free++ = look_up(code, lookup, arg);
			break;
		case OP_CONSTANT:
			*free++ = *code->constant;
			break;
		case OP_NOT:
			set_truth(free - 1, free[-1].known, !free[-1].truth);
			break;
		case OP_MATCH:
			match(code->pattern, free - 1);
			break;
		case OP_JUMP_FALSE:
		case OP_JUMP_TRUE:
			if (settles(code, free - 1))
				i = code->index - 1;
			break;
		case OP_AND:
		case OP_OR:
		case OP_EQUAL:
		case OP_UNEQUAL:
		case OP_LESS:
		case OP_LESS_EQUAL:
		case OP_GREATER:
		case OP_GREATER_EQUAL:
		case OP_SAME:
		case OP_DIFFERENT:
		case OP_IN:
		case OP_ADD:
		case OP_SUBTRACT:
		case OP_MULTIPLY:
		case OP_DIVIDE:
			free--;
			apply(code, free - 1);
			break;
		}
	}
	return stack[0];
}

static enum expr_truth
truth_of(struct expr_value value)
{
	if (!value.known)
		return EXPR_UNKNOWN;
	return value.truth ? EXPR_TRUE : EXPR_FALSE;
}

enum expr_truth
expr_test(const struct expr *expr, expr_lookup lookup, void *arg)
{
	return truth_of(expr_run(expr, lookup, arg));
}

bool
expr_asks(const struct expr *expr, enum expr_scope scope, unsigned first)
{
	for (size_t i = 0; i < expr->count; i++) {
		const struct expr_code *code = &expr->code[i];

		if (code->op == OP_NAME && code->scope == scope &&
		    code->index >= first)
			return true;
	}
	return false;
}
