/*
 * What an expression saw.  The evaluation is the same as ever; a lookup stands
 * between it and the caller's and writes down what it passes on, so that the
 * explanation cannot differ from the decision.
 */
#include "decide/expr_priv.h"

#include <string.h>

#include "base/units.h"

struct seen {
	enum expr_scope scope;
	unsigned index;
	const char *label;
};

struct witness {
	const struct expr *expr;
	expr_lookup lookup;
	void *arg;
	struct buf values;
	struct seen seen[EXPR_EXPLAIN_MAX];
	size_t count;
};

static bool
same_label(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* False when it was there before, or there is no room. */
static bool
note(struct witness *witness, const struct seen *new)
{
	for (size_t i = 0; i < witness->count; i++) {
		const struct seen *old = &witness->seen[i];

		if (old->scope == new->scope &&
		    old->index ==
			new->index &&same_label(old->label, new->label))
			return false;
	}
	if (witness->count == EXPR_EXPLAIN_MAX)
		return false;
	witness->seen[witness->count++] = *new;
	return true;
}

static const struct expr_names *
find_names(const struct expr *expr, enum expr_scope scope)
{
	for (size_t i = 0; i < expr->names_count; i++)
		if (expr->names[i].scope == scope)
			return &expr->names[i];
	return &expr->names[0];
}

/* With its prefix, unless it can stand alone. */
static void
print_name(const struct expr *expr, const struct seen *seen, struct buf *out)
{
	const struct expr_names *names = find_names(expr, seen->scope);

	if (names != &expr->names[0])
		buf_addf(out, "%s.", names->prefix);
	buf_adds(out, names->names[seen->index].name);
	if (seen->label != NULL)
		buf_addf(out, ".%s", seen->label);
}

static struct expr_value
watch(enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	struct witness *witness = arg;
	struct expr_value value =
	    witness->lookup(scope, index, label, witness->arg);
	struct seen seen = {scope, index, label};
	const struct expr_names *names = find_names(witness->expr, scope);
	char text[UNITS_TEXT_SIZE];

	value = expr_check_value(value, names->names[index].type);
	if (!note(witness, &seen))
		return value;
	if (witness->count > 1)
		buf_adds(&witness->values, "; ");
	print_name(witness->expr, &seen, &witness->values);
	buf_adds(&witness->values, " = ");
	expr_value_print(&value, &witness->values);
	if (value.for_ms > 0) {
		units_format_duration(value.for_ms, text);
		buf_addf(&witness->values, ", for %s", text);
	}
	return value;
}

/* On one line, with no spaces at its ends. */
static void
print_text(const char *text, struct buf *out)
{
	bool space = false, any = false;

	for (; *text != '\0'; text++) {
		if (strchr(" \t\r\n", *text) != NULL) {
			space = any;
			continue;
		}
		if (space)
			buf_adds(out, " ");
		buf_add(out, text, 1);
		space = false;
		any = true;
	}
}

#define VALUES_MAX 65536

enum expr_truth
expr_explain(
    const struct expr *expr, expr_lookup lookup, void *arg, struct buf *out)
{
	struct witness witness = {.expr = expr,
	    .lookup = lookup,
	    .arg = arg,
	    .values = BUF_INIT(VALUES_MAX)};
	enum expr_truth truth = expr_test(expr, watch, &witness);

	print_text(expr->text, out);
	buf_addf(out, " (%s%s%s)", expr_truth_name(truth),
	    witness.count > 0 ? ": " : "", buf_str(&witness.values));
	buf_free(&witness.values);
	return truth;
}
