/*
 * Facts in words, as they stand behind a lint: "cpu cannot be above 90 % and
 * below 10 %", "cpu above 80 % and below 90 %, maintenance".
 */
#include "decide/expr_reason_priv.h"

void
reason_add_name(
    const struct expr *expr, const struct expr_code *name, struct buf *out)
{
	if (name->scope != (uint8_t)expr->names[0].scope)
		buf_addf(out, "%s.",
		    expr_vocabulary_of((enum expr_scope)name->scope)->prefix);
	buf_adds(out, reason_vocabulary(name)->name);
	if (name->label != NULL)
		buf_addf(out, ".%s", name->label);
}

static void
add_bound(const struct expr_code *name, const char *word,
    const struct bound *bound, struct buf *out)
{
	struct expr_value value =
	    expr_value_number(reason_vocabulary(name)->type, bound->value);

	buf_adds(out, word);
	expr_value_print(&value, out);
}

static const char *
low_word(const struct bound *low)
{
	return low->open ? "above " : "at least ";
}

static const char *
high_word(const struct bound *high)
{
	return high->open ? "below " : "at most ";
}

void
reason_add_empty(const struct expr *expr, const struct expr_code *name,
    const struct interval *all, struct buf *out)
{
	reason_add_name(expr, name, out);
	buf_adds(out, " cannot be ");
	if (all->low.written)
		add_bound(name, low_word(&all->low), &all->low, out);
	if (all->low.written && all->high.written)
		buf_adds(out, " and ");
	if (all->high.written)
		add_bound(name, high_word(&all->high), &all->high, out);
}

static void
describe(const struct fact *facts, size_t count, const struct fact *fact,
    struct buf *out)
{
	const struct expr_code *name = fact->atom->name;
	struct interval all;

	if (fact->atom->kind == REASON_BOOL) {
		buf_adds(out, fact->negated ? "not " : "");
		reason_add_name(fact->atom->expr, name, out);
		return;
	}
	reason_add_name(fact->atom->expr, name, out);
	if (!expr_type_is_numeric(reason_vocabulary(name)->type)) {
		for (size_t i = 0; i < fact->atom->list->count; i++) {
			struct expr_value value =
			    expr_value_string(fact->atom->list->strings[i]);

			buf_adds(out,
			    i > 0               ? ", "
				: fact->negated ? " other than "
						: " = ");
			expr_value_print(&value, out);
		}
		return;
	}
	all = reason_interval(facts, count, name);
	if (all.low.written)
		add_bound(
		    name, all.low.open ? " above " : " from ", &all.low, out);
	if (all.low.written && all.high.written)
		buf_adds(out, " and");
	if (all.high.written)
		add_bound(name, all.high.open ? " below " : " up to ",
		    &all.high, out);
}

void
reason_describe(const struct fact *facts, size_t count, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		bool seen = facts[i].atom->name == NULL;

		for (size_t k = 0; k < i && !seen; k++)
			seen = reason_is_about(&facts[k], facts[i].atom->name);
		if (seen)
			continue;
		buf_adds(out, any ? ", " : "");
		describe(facts, count, &facts[i], out);
		any = true;
	}
}
