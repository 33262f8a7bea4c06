/*
 * Whether facts about names can all be so: name by name, since facts about
 * different names do not touch each other.
 *
 * A name of a number is an interval, narrowed by each fact and by what the name
 * can be at all.  Where a fact or the vocabulary says which values there are,
 * each of them is tried, which settles texts and whole numbers alike.
 */
#include "decide/expr_reason_priv.h"

#include <math.h>
#include <string.h>

bool
reason_same_name(const struct expr_code *a, const struct expr_code *b)
{
	if (a->scope != b->scope || a->index != b->index ||
	    (a->label == NULL) != (b->label == NULL))
		return false;
	return a->label == NULL || strcmp(a->label, b->label) == 0;
}

static const struct expr_name *
vocabulary_of(const struct expr_code *name)
{
	return &expr_vocabulary_of((enum expr_scope)name->scope)
		    ->names[name->index];
}

struct bound {
	double value;
	bool open;    /* the value itself is out */
	bool written; /* by a fact; else it lies in the name */
};

struct interval {
	struct bound low, high;
};

/* What it can be at all.  Only guests and hosts as they are cannot use more
 * than there is; after a move they might. */
static struct interval
whole_range(const struct expr_code *name)
{
	struct interval all = {{0, false, false}, {INFINITY, true, false}};

	if (vocabulary_of(name)->type == EXPR_PERCENT &&
	    !(name->scope == EXPR_SCOPE_TARGET &&
		name->index >= EXPR_HOST_COUNT))
		all.high = (struct bound){1, false, false};
	return all;
}

static bool
is_counted(const struct expr_code *name)
{
	switch ((enum expr_scope)name->scope) {
	case EXPR_SCOPE_HOST:
		return name->index == EXPR_HOST_VMS;
	case EXPR_SCOPE_TARGET:
		return name->index == EXPR_HOST_VMS ||
		    name->index == EXPR_TARGET_VMS_AFTER;
	case EXPR_SCOPE_VM:
		return name->index == EXPR_VM_VCPUS ||
		    name->index == EXPR_VM_HOSTDEV_COUNT;
	case EXPR_SCOPE_CLUSTER:
		return name->index == EXPR_CLUSTER_HOSTS_UP;
	case EXPR_SCOPE_EVENT:
		break;
	}
	return false;
}

/* The operation that is true where this one is false. */
static enum expr_op
opposite(enum expr_op op)
{
	if (op == OP_LESS)
		return OP_GREATER_EQUAL;
	if (op == OP_LESS_EQUAL)
		return OP_GREATER;
	if (op == OP_GREATER)
		return OP_LESS_EQUAL;
	if (op == OP_GREATER_EQUAL)
		return OP_LESS;
	return op == OP_EQUAL ? OP_UNEQUAL : OP_EQUAL;
}

static void
raise_low(struct interval *all, double value, bool open)
{
	if (value > all->low.value ||
	    (value >= all->low.value && (open || !all->low.written)))
		all->low = (struct bound){value,
		    open || (value <= all->low.value && all->low.open), true};
}

static void
cut_high(struct interval *all, double value, bool open)
{
	if (value < all->high.value ||
	    (value <= all->high.value && (open || !all->high.written)))
		all->high = (struct bound){value,
		    open || (value >= all->high.value && all->high.open), true};
}

static void
narrow(struct interval *all, enum expr_op op, double value)
{
	if (op == OP_GREATER || op == OP_GREATER_EQUAL || op == OP_EQUAL)
		raise_low(all, value, op == OP_GREATER);
	if (op == OP_LESS || op == OP_LESS_EQUAL || op == OP_EQUAL)
		cut_high(all, value, op == OP_LESS);
}

static bool
is_about(const struct fact *fact, const struct expr_code *name)
{
	return fact->atom->name != NULL &&
	    reason_same_name(fact->atom->name, name);
}

/* As the facts say it. */
static struct interval
written_interval(
    const struct fact *facts, size_t count, const struct expr_code *name)
{
	struct interval all = whole_range(name);

	for (size_t i = 0; i < count; i++) {
		const struct reason *atom = facts[i].atom;

		if (is_about(&facts[i], name) && atom->kind == REASON_NUMBER)
			narrow(&all,
			    facts[i].negated ? opposite(atom->op) : atom->op,
			    atom->number);
	}
	return all;
}

/* The same without what lies between whole numbers. */
static struct interval
interval_of(
    const struct fact *facts, size_t count, const struct expr_code *name)
{
	struct interval all = written_interval(facts, count, name);

	if (!is_counted(name))
		return all;
	if (all.low.open || all.low.value > floor(all.low.value))
		all.low.value = floor(all.low.value) + 1;
	if (isfinite(all.high.value) &&
	    (all.high.open || all.high.value > floor(all.high.value)))
		all.high.value = ceil(all.high.value) - 1;
	all.low.open = false;
	all.high.open = !isfinite(all.high.value);
	return all;
}

static bool
is_empty(const struct interval *all)
{
	return all->low.value > all->high.value ||
	    (all->low.value >= all->high.value &&
		(all->low.open || all->high.open));
}

static bool
is_number_in(const struct expr_list *list, double number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->numbers[i] >= number && list->numbers[i] <= number)
			return true;
	return false;
}

/* Do all facts about the name allow this number, or text? */
static bool
allows_number(const struct fact *facts, size_t count,
    const struct expr_code *name, double number)
{
	struct interval one;

	for (size_t i = 0; i < count; i++) {
		const struct reason *atom = facts[i].atom;
		bool equal = atom->number >= number && atom->number <= number;

		if (!is_about(&facts[i], name))
			continue;
		if (atom->kind == REASON_SET &&
		    is_number_in(atom->list, number) == facts[i].negated)
			return false;
		if (atom->kind == REASON_NUMBER &&
		    (atom->op == OP_EQUAL || atom->op == OP_UNEQUAL) &&
		    (equal == (atom->op == OP_EQUAL)) == facts[i].negated)
			return false;
	}
	one = interval_of(facts, count, name);
	narrow(&one, OP_EQUAL, number);
	return !is_empty(&one);
}

static bool
allows_text(const struct fact *facts, size_t count,
    const struct expr_code *name, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		const struct reason *atom = facts[i].atom;
		bool holds = false;

		if (!is_about(&facts[i], name))
			continue;
		if (atom->kind == REASON_MATCH)
			holds = pattern_matches(atom->pattern, text);
		else if (atom->list != NULL)
			for (size_t k = 0; k < atom->list->count && !holds; k++)
				holds =
				    strcmp(atom->list->strings[k], text) == 0;
		if (holds == facts[i].negated)
			return false;
	}
	return true;
}

/* A fact that says which values there are, or NULL. */
static const struct expr_list *
values_of(const struct fact *facts, size_t count, const struct expr_code *name)
{
	const struct expr_list *least = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct expr_list *list = facts[i].atom->list;

		if (is_about(&facts[i], name) && list != NULL &&
		    !facts[i].negated &&
		    (least == NULL || list->count < least->count))
			least = list;
	}
	return least;
}

static void
add_name(const struct expr *expr, const struct expr_code *name, struct buf *out)
{
	if (name->scope != (uint8_t)expr->names[0].scope)
		buf_addf(out, "%s.",
		    expr_vocabulary_of((enum expr_scope)name->scope)->prefix);
	buf_adds(out, vocabulary_of(name)->name);
	if (name->label != NULL)
		buf_addf(out, ".%s", name->label);
}

static void
add_bound(const struct expr_code *name, const char *word,
    const struct bound *bound, struct buf *out)
{
	struct expr_value value =
	    expr_value_number(vocabulary_of(name)->type, bound->value);

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

static bool
number_fits(const struct fact *facts, size_t count, const struct fact *fact,
    struct buf *why)
{
	const struct expr_code *name = fact->atom->name;
	const struct expr_list *values = values_of(facts, count, name);
	struct interval all = interval_of(facts, count, name);

	if (is_empty(&all)) {
		if (why == NULL)
			return false;
		all = written_interval(facts, count, name);
		add_name(fact->atom->expr, name, why);
		buf_adds(why, " cannot be ");
		if (all.low.written)
			add_bound(name, low_word(&all.low), &all.low, why);
		if (all.low.written && all.high.written)
			buf_adds(why, " and ");
		if (all.high.written)
			add_bound(name, high_word(&all.high), &all.high, why);
		return false;
	}
	if (values != NULL) {
		for (size_t i = 0; i < values->count; i++)
			if (allows_number(
				facts, count, name, values->numbers[i]))
				return true;
	} else if (all.low.value < all.high.value ||
	    allows_number(facts, count, name, all.low.value)) {
		return true;
	}
	if (why != NULL) {
		buf_adds(why, "no value of ");
		add_name(fact->atom->expr, name, why);
		buf_adds(why, " fits");
	}
	return false;
}

static bool
text_fits(const struct fact *facts, size_t count, const struct fact *fact,
    struct buf *why)
{
	const struct expr_code *name = fact->atom->name;
	const struct expr_list *values = values_of(facts, count, name);
	const char *const *words = vocabulary_of(name)->words;

	if (values == NULL && words == NULL)
		return true;
	for (size_t i = 0; values != NULL && i < values->count; i++)
		if (allows_text(facts, count, name, values->strings[i]))
			return true;
	for (size_t i = 0; values == NULL && words[i] != NULL; i++)
		if (allows_text(facts, count, name, words[i]))
			return true;
	if (why != NULL) {
		buf_adds(why, "no value of ");
		add_name(fact->atom->expr, name, why);
		buf_adds(why, " fits");
	}
	return false;
}

static bool
same_constant(const struct expr_value *a, const struct expr_value *b)
{
	if (a->type != b->type)
		return false;
	if (expr_type_is_numeric(a->type))
		return a->number >= b->number && a->number <= b->number;
	return a->type == EXPR_STRING && strcmp(a->string, b->string) == 0;
}

static bool
same_code(const struct reason *a, const struct reason *b)
{
	if (a->to - a->from != b->to - b->from)
		return false;
	for (size_t i = 0; i < a->to - a->from; i++) {
		const struct expr_code *x = &a->expr->code[a->from + i];
		const struct expr_code *y = &b->expr->code[b->from + i];

		if (x->op != y->op || x->type != y->type)
			return false;
		if (x->op == OP_NAME && !reason_same_name(x, y))
			return false;
		if (x->op == OP_CONSTANT &&
		    !same_constant(x->constant, y->constant))
			return false;
		if (x->op == OP_MATCH && x->pattern != y->pattern)
			return false;
	}
	return true;
}

/* The fact and its opposite, word for word. */
static bool
is_denied(const struct fact *facts, size_t count, const struct fact *fact)
{
	for (size_t i = 0; i < count; i++) {
		const struct reason *other = facts[i].atom;

		if (facts[i].negated == fact->negated ||
		    other->kind != fact->atom->kind)
			continue;
		if (other->kind == REASON_BOOL
			? reason_same_name(other->name, fact->atom->name)
			: same_code(other, fact->atom))
			return true;
	}
	return false;
}

static bool
fits(const struct fact *facts, size_t count, const struct fact *fact,
    struct buf *why)
{
	const struct reason *atom = fact->atom;

	if (atom->kind == REASON_FIXED) {
		if (atom->truth != fact->negated)
			return true;
		if (why != NULL)
			buf_adds(why, "two constants are compared");
		return false;
	}
	if (atom->kind == REASON_BOOL || atom->kind == REASON_OPAQUE ||
	    atom->kind == REASON_MATCH) {
		if (is_denied(facts, count, fact)) {
			if (why != NULL && atom->name != NULL)
				add_name(atom->expr, atom->name, why);
			if (why != NULL)
				buf_addf(why, "%s cannot be true and false",
				    atom->name != NULL ? "" : "a comparison");
			return false;
		}
		if (atom->kind != REASON_MATCH)
			return true;
	}
	return expr_type_is_numeric(vocabulary_of(atom->name)->type)
	    ? number_fits(facts, count, fact, why)
	    : text_fits(facts, count, fact, why);
}

/* All facts about a number or text are judged with the first of them. */
static bool
is_judged(const struct fact *facts, size_t i)
{
	if (facts[i].atom->kind != REASON_NUMBER &&
	    facts[i].atom->kind != REASON_TEXT &&
	    facts[i].atom->kind != REASON_SET)
		return false;
	for (size_t k = 0; k < i; k++)
		if (is_about(&facts[k], facts[i].atom->name))
			return true;
	return false;
}

bool
reason_consistent(const struct fact *facts, size_t count, struct buf *why)
{
	for (size_t i = 0; i < count; i++)
		if (!is_judged(facts, i) && !fits(facts, count, &facts[i], why))
			return false;
	return true;
}

bool
reason_understood(const struct fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (facts[i].atom->kind == REASON_OPAQUE ||
		    facts[i].atom->kind == REASON_MATCH)
			return false;
	return true;
}

static void
describe(const struct fact *facts, size_t count, const struct fact *fact,
    struct buf *out)
{
	const struct expr_code *name = fact->atom->name;
	struct interval all;

	if (fact->atom->kind == REASON_BOOL) {
		buf_adds(out, fact->negated ? "not " : "");
		add_name(fact->atom->expr, name, out);
		return;
	}
	add_name(fact->atom->expr, name, out);
	if (!expr_type_is_numeric(vocabulary_of(name)->type)) {
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
	all = interval_of(facts, count, name);
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
			seen = is_about(&facts[k], facts[i].atom->name);
		if (seen)
			continue;
		buf_adds(out, any ? ", " : "");
		describe(facts, count, &facts[i], out);
		any = true;
	}
}

double
reason_upper_bound(const struct fact *facts, size_t count,
    enum expr_scope scope, unsigned index)
{
	struct expr_code name = {.scope = (uint8_t)scope, .index = index};

	return interval_of(facts, count, &name).high.value;
}
