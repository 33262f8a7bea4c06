/*
 * Lints of one policy by itself.  They are found where it is read, since the
 * file's text is at hand there with the place of every key.
 */

#include "config/policy_lint.h"

#include <string.h>

#include "decide/expr_reason.h"
#include "decide/strategy.h"

#define WHY_MAX 1024

static const struct node *
find_own(const struct node *map, const char *group, const char *name)
{
	const struct node *in = group != NULL ? tree_get(map, group) : map;

	return in != NULL && in->kind == NODE_MAP ? tree_get(in, name) : NULL;
}

void
policy_lint_expr(const struct schema_context *ctx, const struct node *node,
    const struct policy_expr *expr, const char *always)
{
	struct expr_claim claim = {expr->expr, false};
	struct buf why = BUF_INIT(WHY_MAX);

	if (node == NULL || expr->expr == NULL)
		return;
	if (expr_reason_impossible(&claim, 1, &why)) {
		tree_fault(ctx->tree, ctx->lints, node, "can never be true%s%s",
		    why.len > 0 ? ": " : "", buf_str(&why));
	} else if (always != NULL) {
		claim.negated = true;
		if (expr_reason_impossible(&claim, 1, NULL))
			tree_fault(ctx->tree, ctx->lints, node,
			    "is true whatever happens: %s", always);
	}
	buf_free(&why);
}

static void
lint_select(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	const struct node *except = find_own(map, "select", "except");
	const struct node *node = except != NULL ? except->first : NULL;
	size_t count = 0;

	policy_lint_expr(
	    ctx, find_own(map, "select", "vm"), &policy->select_vm, NULL);
	policy_lint_expr(ctx, find_own(map, "select", "until"),
	    &policy->select_until, "no guest would ever leave");
	for (; node != NULL; node = node->next) {
		if (node->kind == NODE_SCALAR &&
		    node->text[strspn(node->text, "*")] == '\0')
			tree_fault(ctx->tree, ctx->lints, node,
			    "is every guest, so that none is moved");
		if (node->kind != NODE_MAP || count == policy->exception_count)
			continue;
		policy_lint_expr(ctx, tree_get(node, "vm"),
		    &policy->exceptions[count++].vm, "every guest would stay");
	}
}

static void
lint_target(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	const struct node *prefer = find_own(map, "target", "prefer");
	const struct node *node = prefer;

	policy_lint_expr(ctx, find_own(map, "target", "require"),
	    &policy->target_require, NULL);
	policy_lint_expr(ctx, find_own(map, NULL, "forbid"), &policy->forbid,
	    "no policy would move anything");
	if (prefer != NULL && prefer->kind == NODE_SEQ)
		node = prefer->first;
	for (size_t i = 0;
	     prefer != NULL && node != NULL && i < policy->target_prefer_count;
	     i++, node = node->next)
		policy_lint_expr(ctx, node, &policy->target_prefer[i],
		    "it prefers no host to another");
}

static bool
allows(const struct policy *policy, enum policy_use use)
{
	static const struct {
		enum policy_use use;
		enum strategy strategy;
	} pairs[] = {
	    {POLICY_USE_LIVE_SHARED, STRATEGY_LIVE_SHARED},
	    {POLICY_USE_LIVE_COPY, STRATEGY_LIVE_COPY},
	    {POLICY_USE_RESTART, STRATEGY_RESTART},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (size_t k = 0; pairs[i].use == use; k++) {
			if (k == policy->strategy_count)
				return false;
			if (policy->strategies[k] == (int)pairs[i].strategy)
				break;
		}
	return true;
}

/* The rule before it that leaves nothing to it. */
static const struct policy_strategy *
find_shadow(const struct policy *policy, size_t index)
{
	const struct policy_strategy *rule = &policy->rules[index];

	for (size_t i = 0; i < index; i++) {
		const struct policy_strategy *before = &policy->rules[i];

		if (before->when.expr == NULL)
			return before;
		if (rule->when.expr != NULL &&
		    expr_reason_covers(before->when.expr, rule->when.expr))
			return before;
	}
	return NULL;
}

static void
lint_rule(const struct schema_context *ctx, const struct node *node,
    const struct policy *policy, size_t index)
{
	const struct policy_strategy *rule = &policy->rules[index];
	const struct policy_strategy *shadow = find_shadow(policy, index);
	const struct expr_claim claims[] = {
	    {policy->select_vm.expr, false}, {rule->when.expr, false}};
	struct buf why = BUF_INIT(WHY_MAX);

	if (shadow != NULL)
		tree_fault(ctx->tree, ctx->lints, node,
		    "is never reached: the rule in line %u fits %s; put this "
		    "one before it",
		    shadow->line,
		    shadow->when.expr == NULL ? "every guest"
					      : "whenever this one does");
	policy_lint_expr(ctx, tree_get(node, "if"), &rule->when, NULL);
	if (claims[0].expr != NULL && claims[1].expr != NULL &&
	    !expr_reason_impossible(&claims[1], 1, NULL) &&
	    expr_reason_impossible(claims, 2, &why))
		tree_fault(ctx->tree, ctx->lints, tree_get(node, "if"),
		    "fits no guest that select.vm selects%s%s",
		    why.len > 0 ? ": " : "", buf_str(&why));
	if (!allows(policy, rule->use))
		tree_fault(ctx->tree, ctx->lints, tree_get(node, "use"),
		    "%s is not among with.strategies, so that guests of this "
		    "rule stay; add it there, or write use: skip",
		    policy_use_name(rule->use));
	buf_free(&why);
}

static void
lint_rules(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	const struct node *list = find_own(map, NULL, "strategy");
	const struct node *node = list != NULL ? list->first : NULL;

	for (size_t i = 0; node != NULL && i < policy->rule_count;
	     i++, node = node->next)
		lint_rule(ctx, node, policy, i);
}

/* Keys of moves, in a policy that makes none. */
static void
lint_void_keys(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	static const char *const keys[] = {"select", "strategy", "target",
	    "limits", "gain", "cooldown", "throttle", "with", "on_failure",
	    "afterwards", NULL};
	const unsigned moving =
	    POLICY_ACTION_MOVE | POLICY_ACTION_DRAIN | POLICY_ACTION_BALANCE;

	if ((policy->actions & moving) != 0)
		return;
	for (size_t i = 0; keys[i] != NULL; i++) {
		const struct node *node = find_own(map, NULL, keys[i]);

		if (node != NULL)
			tree_fault_key(ctx->tree, ctx->lints, node,
			    "has no effect: the policy moves no guests (%s)",
			    policy->actions == 0
				? "with forbid, actions must name move"
				: "actions holds none of move, drain, "
				  "balance");
	}
}

/* An action that another one includes. */
static void
lint_actions(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	static const struct {
		enum policy_action more, less;
		const char *text;
	} rows[] = {
	    {POLICY_ACTION_DRAIN, POLICY_ACTION_MOVE,
		"holds move beside drain, which moves guests as well"},
	    {POLICY_ACTION_MAINTENANCE, POLICY_ACTION_CORDON,
		"holds cordon beside set_maintenance, which lets no guests "
		"in either"},
	};
	const struct node *node = find_own(map, NULL, "actions");

	for (size_t i = 0; node != NULL && i < sizeof(rows) / sizeof(rows[0]);
	     i++) {
		unsigned both = (unsigned)rows[i].more | (unsigned)rows[i].less;

		if ((policy->actions & both) == both)
			tree_fault(ctx->tree, ctx->lints, node,
			    "%s; leave it out", rows[i].text);
	}
}

void
policy_lint(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	if (ctx->lints == NULL)
		return;
	policy_lint_expr(
	    ctx, find_own(map, NULL, "hosts"), &policy->hosts, NULL);
	policy_lint_when(ctx, map, policy);
	lint_select(ctx, map, policy);
	lint_target(ctx, map, policy);
	lint_rules(ctx, map, policy);
	lint_actions(ctx, map, policy);
	lint_void_keys(ctx, map, policy);
}
