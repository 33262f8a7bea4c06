/*
 * Lints that need everything: policies that an earlier one leaves nothing to,
 * and policies and rules that are about none of the hosts.
 *
 * Of a host its name and its labels are known here; every figure is unknown.
 */

#include "config/policy_lint.h"

#include <string.h>

#include "decide/expr_reason.h"

static struct expr_value
look_up(enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	const struct settings_host *host = arg;

	if (scope != EXPR_SCOPE_HOST && scope != EXPR_SCOPE_TARGET)
		return expr_value_unknown();
	if (index == EXPR_HOST_NAME)
		return expr_value_string(host->name);
	for (size_t i = 0; index == EXPR_HOST_LABELS && i < host->label_count;
	     i++)
		if (strcmp(host->labels[i].key, label) == 0)
			return expr_value_string(host->labels[i].value);
	return expr_value_unknown();
}

/* Does it ask only for what never changes? */
static bool
is_fixed(const struct expr *expr)
{
	enum expr_scope scope;
	const char *label;
	unsigned index;

	for (size_t n = 0; expr_reason_name(expr, n, &scope, &index, &label);
	     n++)
		if ((scope != EXPR_SCOPE_HOST && scope != EXPR_SCOPE_TARGET) ||
		    (index != EXPR_HOST_NAME && index != EXPR_HOST_LABELS))
			return false;
	return true;
}

static bool
matches_no_host(const struct settings *s, const struct policy_expr *expr)
{
	bool fixed;

	if (expr->expr == NULL || s->host_count == 0)
		return false;
	fixed = is_fixed(expr->expr);
	for (size_t i = 0; i < s->host_count; i++) {
		enum expr_truth truth =
		    expr_test(expr->expr, look_up, &s->hosts[i]);

		if (truth == EXPR_TRUE || (!fixed && truth == EXPR_UNKNOWN))
			return false;
	}
	return true;
}

static bool
selects_all(const struct policy *p)
{
	return p->select_vm.expr == NULL && p->except_count == 0 &&
	    p->exception_count == 0 && p->select_max == 0 &&
	    p->select_until.expr == NULL;
}

static bool
same_text(const struct policy_expr *a, const struct policy_expr *b)
{
	if (a->expr == NULL || b->expr == NULL)
		return a->expr == b->expr;
	return strcmp(a->text, b->text) == 0;
}

/* Is the first on whenever the second is? */
static bool
is_on_with(const struct policy *first, const struct policy *second)
{
	const struct policy_condition *a, *b;

	if (first->condition_count != 1 || second->condition_count != 1)
		return false;
	a = &first->conditions[0];
	b = &second->conditions[0];
	return a->subject == b->subject && a->for_ms <= b->for_ms &&
	    (b->until.expr == NULL || same_text(&a->until, &b->until)) &&
	    expr_reason_covers(a->when.expr, b->when.expr);
}

static bool
leaves_nothing(const struct policy *first, const struct policy *second)
{
	const unsigned moving = POLICY_ACTION_MOVE | POLICY_ACTION_DRAIN;

	return first->mode != POLICY_OFF && second->mode != POLICY_OFF &&
	    (first->actions & moving) != 0 &&
	    (second->actions & ~moving) == 0 &&
	    (second->actions & moving) != 0 && second->forbid.expr == NULL &&
	    first->window_count == 0 && selects_all(first) &&
	    (first->include_stopped || !second->include_stopped) &&
	    (first->hosts.expr == NULL ||
		same_text(&first->hosts, &second->hosts)) &&
	    is_on_with(first, second);
}

static void
lint_shadow(const struct settings *s, size_t index, struct diag_list *lints)
{
	const struct policy *policy = &s->policies[index];

	for (size_t i = 0; i < index; i++) {
		const struct policy *first = &s->policies[i];

		if (!leaves_nothing(first, policy))
			continue;
		diag_add(lints, policy->file, policy->line, policy->column,
		    "policy %s never moves a guest: %s (%s:%u) comes first, "
		    "holds whenever this one does and takes every guest; give "
		    "this one a larger priority, or that one a select",
		    policy->name, first->name, first->file, first->line);
		return;
	}
}

static void
lint_hosts(const char *what, const char *file, const struct settings *s,
    const struct policy_expr *expr, struct diag_list *lints)
{
	if (matches_no_host(s, expr))
		diag_add(lints, file, expr->line, expr->column,
		    "%s: hosts is true of none of the %zu hosts", what,
		    s->host_count);
}

void
policy_lint_all(const struct settings *s, struct diag_list *lints)
{
	for (size_t i = 0; i < s->policy_count; i++) {
		const struct policy *p = &s->policies[i];

		lint_shadow(s, i, lints);
		lint_hosts(p->name, p->file, s, &p->hosts, lints);
	}
	for (size_t i = 0; i < s->placement_count; i++)
		lint_hosts(s->placements[i].name, s->placements[i].file, s,
		    &s->placements[i].hosts, lints);
}
