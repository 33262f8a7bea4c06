/*
 * Lints of conditions.
 *
 * A condition with `until` is to stay on in a band: on above one figure, off
 * below a smaller one.  Where both can be true at once the band is turned
 * around, and the condition ends as soon as it counts.
 */

#include "config/policy_lint.h"

#include <math.h>

#include "base/units.h"
#include "decide/expr_reason.h"

#define EXAMPLE_MAX 1024

/* Names whose figures rise and fall from one sample to the next. */
static bool
is_load(enum expr_scope scope, unsigned index)
{
	switch (scope) {
	case EXPR_SCOPE_HOST:
		return index == EXPR_HOST_CPU || index == EXPR_HOST_STEAL ||
		    index == EXPR_HOST_MEMORY ||
		    index == EXPR_HOST_MEMORY_FREE ||
		    index == EXPR_HOST_SWAP_IN || index == EXPR_HOST_PSI_CPU ||
		    index == EXPR_HOST_PSI_MEMORY || index == EXPR_HOST_PSI_IO;
	case EXPR_SCOPE_VM:
		return index == EXPR_VM_CPU || index == EXPR_VM_DIRTY_RATE ||
		    index == EXPR_VM_DISK_IOPS || index == EXPR_VM_NET;
	case EXPR_SCOPE_CLUSTER:
		return index == EXPR_CLUSTER_CPU_STDDEV ||
		    index == EXPR_CLUSTER_IMBALANCE;
	case EXPR_SCOPE_TARGET:
	case EXPR_SCOPE_EVENT:
		break;
	}
	return false;
}

static bool
speaks_of_load(const struct expr *expr)
{
	enum expr_scope scope;
	const char *label;
	unsigned index;

	for (size_t n = 0; expr_reason_name(expr, n, &scope, &index, &label);
	     n++)
		if (is_load(scope, index))
			return true;
	return false;
}

static void
lint_for(const struct schema_context *ctx, const struct node *map,
    const struct policy_condition *c, const struct node *subject)
{
	static const struct {
		unsigned index;
		const char *name;
	} ages[] = {
	    {EXPR_VM_AGE, "age"},
	    {EXPR_VM_LAST_MOVED, "last_moved"},
	};
	const struct node *node = tree_get(map, "for");
	char text[UNITS_TEXT_SIZE];
	double max;

	if (node == NULL && speaks_of_load(c->when.expr))
		tree_fault(ctx->tree, ctx->lints, subject,
		    "counts as soon as one sample shows it; add for: 5m to act "
		    "on what lasts, or for: 0 if this is meant");
	for (size_t i = 0; node != NULL && i < sizeof(ages) / sizeof(ages[0]);
	     i++) {
		if (!expr_reason_bound(
			c->when.expr, EXPR_SCOPE_VM, ages[i].index, &max) ||
		    max > (double)c->for_ms)
			continue;
		units_format_duration((int64_t)max, text);
		tree_fault(ctx->tree, ctx->lints, node,
		    "can never pass: the condition ends when %s reaches %s",
		    ages[i].name, text);
	}
}

static void
lint_until(const struct schema_context *ctx, const struct node *map,
    const struct policy_condition *c, const struct node *subject)
{
	const struct node *node = tree_get(map, "until");
	struct buf example = BUF_INIT(EXAMPLE_MAX);

	policy_lint_expr(ctx, node, &c->until, NULL);
	if (node != NULL && c->until.expr != NULL &&
	    expr_reason_overlaps(c->when.expr, c->until.expr, &example))
		tree_fault(ctx->tree, ctx->lints, node,
		    "is true while %s is (%s), so that the condition would end "
		    "at once; write a bound on the other side of that of %s",
		    subject->key->text, buf_str(&example), subject->key->text);
	buf_free(&example);
}

static void
lint_condition(const struct schema_context *ctx, const struct node *map,
    const struct policy_condition *c)
{
	const struct node *subject =
	    tree_get(map, policy_subject_name(c->subject));

	if (subject == NULL || c->when.expr == NULL)
		return;
	policy_lint_expr(ctx, subject, &c->when,
	    c->subject == POLICY_SUBJECT_VM ? "it concerns every guest"
					    : "it is never off");
	lint_for(ctx, map, c, subject);
	lint_until(ctx, map, c, subject);
}

void
policy_lint_when(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	const struct node *when = tree_get(map, "when"), *list, *node;

	if (when == NULL || when->kind != NODE_MAP)
		return;
	list = tree_get(when, policy->all ? "all" : "any");
	if (list == NULL) {
		if (policy->condition_count == 1)
			lint_condition(ctx, when, &policy->conditions[0]);
		return;
	}
	node = list->first;
	for (size_t i = 0; node != NULL && i < policy->condition_count;
	     i++, node = node->next)
		lint_condition(ctx, node, &policy->conditions[i]);
}
