/*
 * Which types go together, and what comes out.
 *
 *	= !=           two of one type, but no booleans and no lists
 *	< <= > >=      two of one type that has numbers
 *	in             an item and a list of such
 *	+ -            two of one type that has numbers, and gives that
 *	a number * X, a percentage * X: X          a rate * a duration: a size
 *	X / a number, X / a percentage: X          X / X: a number
 *	a size / a duration: a rate                a size / a rate: a duration
 *
 * The number 0 goes with any unit.  Durations are milliseconds and rates are
 * per second, which is what the scales are for.
 */
#include "decide/expr_priv.h"

#define MS_PER_SECOND 1000.0

/* The operand as it stands in the text. */
static const char *
quote(const struct expr_parser *p, const struct expr_operand *operand)
{
	size_t len = operand->end - operand->at;
	const char *text = arena_strndup(p->arena, p->text + operand->at, len);
	char *shown = arena_alloc(p->arena, 48);

	if (err_copy_line(shown, 44, text) == 43)
		return arena_printf(p->arena, "%s...", shown);
	return shown;
}

static bool
fail_operand(
    struct expr_parser *p, const struct expr_operand *operand, const char *what)
{
	return expr_lex_fail_span(p, operand->at, operand->end, what);
}

bool
expr_types_need_bool(struct expr_parser *p, const struct expr_operand *operand)
{
	const char *hint = "";

	switch (operand->type) {
	case EXPR_BOOL:
		return true;
	case EXPR_NUMBER:
		hint = "> 3";
		break;
	case EXPR_PERCENT:
		hint = "> 80%";
		break;
	case EXPR_BYTES:
		hint = "> 2GiB";
		break;
	case EXPR_RATE:
		hint = "> 10MiB/s";
		break;
	case EXPR_DURATION:
		hint = "> 5m";
		break;
	case EXPR_STRING:
		hint = "= \"...\"";
		break;
	case EXPR_LIST:
		return fail_operand(p, operand,
		    "is a list, where a boolean is expected; ask for an item "
		    "of it, such as \"x\" in LIST");
	}
	return fail_operand(p, operand,
	    arena_printf(p->arena,
		"is %s, where a boolean is expected; compare it, such as %s",
		expr_type_name(operand->type), hint));
}

/* What would have been right beside this type, for a bare number. */
static const char *
unit_hint(enum expr_type type)
{
	switch (type) {
	case EXPR_PERCENT:
		return " (with its unit, such as 80%)";
	case EXPR_BYTES:
		return " (with its unit, such as 2GiB)";
	case EXPR_RATE:
		return " (with its unit, such as 10MiB/s)";
	case EXPR_DURATION:
		return " (with its unit, such as 5m)";
	case EXPR_BOOL:
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_LIST:
		break;
	}
	return "";
}

static bool
fail_mismatch(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right)
{
	const char *hint = "";

	if (right->constant != NULL && right->type == EXPR_NUMBER)
		hint = unit_hint(left->type);
	return fail_operand(p, right,
	    arena_printf(p->arena, "is %s, and \"%s\" before it %s%s",
		expr_type_name(right->type), quote(p, left),
		expr_type_name(left->type), hint));
}

/* The type that both have or, being 0, can have. */
static bool
common_type(const struct expr_operand *left, const struct expr_operand *right,
    enum expr_type *out)
{
	*out = left->zero ? right->type : left->type;
	if (left->type == right->type)
		return true;
	return (left->zero && expr_type_is_numeric(right->type)) ||
	    (right->zero && expr_type_is_numeric(left->type));
}

static bool
check_word(struct expr_parser *p, const struct expr_operand *name,
    const struct expr_operand *literal)
{
	if (name->words == NULL || literal->constant == NULL)
		return true;
	return expr_names_check_word(p, name->words, literal->at, literal->end,
	    literal->constant->string);
}

bool
expr_types_compare(struct expr_parser *p, const char *op, bool ordered,
    const struct expr_operand *left, const struct expr_operand *right)
{
	const struct expr_operand *odd = NULL;
	enum expr_type type;

	if (left->type == EXPR_LIST || right->type == EXPR_LIST)
		odd = left->type == EXPR_LIST ? left : right;
	if (odd != NULL)
		return fail_operand(p, odd,
		    "is a list, which is not compared; ask for an item of it, "
		    "such as \"x\" in LIST");
	if (!common_type(left, right, &type))
		return fail_mismatch(p, left, right);
	if (ordered && type == EXPR_STRING)
		return fail_operand(p, right,
		    arena_printf(p->arena,
			"is a text, and \"%s\" compares none (use =, !=, in, "
			"like or matches)",
			op));
	return check_word(p, left, right) && check_word(p, right, left);
}

bool
expr_types_in(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right)
{
	if (right->type != EXPR_LIST)
		return fail_operand(p, right,
		    arena_printf(p->arena,
			"is %s, where a list is expected, such as [a, b]",
			expr_type_name(right->type)));
	if (left->type != right->item)
		return fail_operand(p, right,
		    arena_printf(p->arena,
			"is a list whose items are each %s, and \"%s\" before "
			"it is %s",
			expr_type_name(right->item), quote(p, left),
			expr_type_name(left->type)));
	return true;
}

static bool
need_numeric(
    struct expr_parser *p, const char *op, const struct expr_operand *operand)
{
	if (expr_type_is_numeric(operand->type))
		return true;
	return fail_operand(p, operand,
	    arena_printf(p->arena, "is %s, and \"%s\" takes numbers",
		expr_type_name(operand->type), op));
}

bool
expr_types_add(struct expr_parser *p, const char *op,
    const struct expr_operand *left, const struct expr_operand *right,
    enum expr_type *out)
{
	if (!need_numeric(p, op, left) || !need_numeric(p, op, right))
		return false;
	if (!common_type(left, right, out))
		return fail_mismatch(p, left, right);
	return true;
}

bool
expr_types_multiply(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right, enum expr_type *out, double *scale)
{
	enum expr_type a = left->type, b = right->type;

	if (!need_numeric(p, "*", left) || !need_numeric(p, "*", right))
		return false;
	*scale = 1;
	if (a == EXPR_NUMBER || (a == EXPR_PERCENT && b != EXPR_NUMBER)) {
		*out = b;
	} else if (b == EXPR_NUMBER || b == EXPR_PERCENT) {
		*out = a;
	} else if ((a == EXPR_RATE && b == EXPR_DURATION) ||
	    (a == EXPR_DURATION && b == EXPR_RATE)) {
		*out = EXPR_BYTES;
		*scale = 1 / MS_PER_SECOND;
	} else {
		return fail_operand(p, right,
		    arena_printf(p->arena,
			"is %s, which \"%s\" before it, %s, is not multiplied "
			"by",
			expr_type_name(b), quote(p, left), expr_type_name(a)));
	}
	return true;
}

bool
expr_types_divide(struct expr_parser *p, const struct expr_operand *left,
    const struct expr_operand *right, enum expr_type *out, double *scale)
{
	enum expr_type a = left->type, b = right->type;

	if (!need_numeric(p, "/", left) || !need_numeric(p, "/", right))
		return false;
	if (right->constant != NULL && right->constant->number == 0)
		return fail_operand(p, right, "is nothing to divide by");
	*scale = 1;
	if (a == b) {
		*out = EXPR_NUMBER;
	} else if (b == EXPR_NUMBER || b == EXPR_PERCENT) {
		*out = a;
	} else if (a == EXPR_BYTES && b == EXPR_DURATION) {
		*out = EXPR_RATE;
		*scale = MS_PER_SECOND;
	} else if (a == EXPR_BYTES && b == EXPR_RATE) {
		*out = EXPR_DURATION;
		*scale = MS_PER_SECOND;
	} else {
		return fail_operand(p, right,
		    arena_printf(p->arena,
			"is %s, which \"%s\" before it, %s, is not divided by",
			expr_type_name(b), quote(p, left), expr_type_name(a)));
	}
	return true;
}
