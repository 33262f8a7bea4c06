/*
 * `strategy`: rules, of which the first that fits a guest says how it goes.
 *
 * A rule's own `with` stands over that of the policy, key by key.  Since the
 * policy's may be written further down, it is read twice: where it stands, for
 * its faults, and once the policy is complete, into a copy of it.
 */

#include <stddef.h>
#include <string.h>

#include "config/policy_read.h"

static const struct schema_choice use_choices[] = {
    {"live-shared", POLICY_USE_LIVE_SHARED, NULL},
    {"live-copy", POLICY_USE_LIVE_COPY, NULL},
    {"restart", POLICY_USE_RESTART, NULL},
    {"skip", POLICY_USE_SKIP, NULL},
    {"default", POLICY_USE_DEFAULT, NULL},
    {"live", 0, "is two strategies: live-shared and live-copy"},
    {"cold", 0, "is called restart"},
    {"offline", 0, "is called restart"},
    {"stay", 0, "is called skip"},
    {"none", 0, "is called skip"},
    {NULL, 0, NULL},
};

static void
read_rule_with(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	struct policy scratch;

	(void)object;
	policy_set_defaults(&scratch);
	schema_read_group(ctx, &read_with_schema, node, &scratch);
}

static void
place_rule(void *object, const char *file, unsigned line)
{
	struct policy_strategy *rule = object;

	(void)file;
	rule->line = line;
}

static void
finish_rule(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct policy_strategy *rule = object;
	const struct node *with = tree_get(map, "with");
	const struct node *strategies =
	    with != NULL ? tree_get(with, "strategies") : NULL;

	if (with != NULL && rule->use == POLICY_USE_SKIP)
		tree_fault_key(ctx->tree, ctx->diags, with,
		    "has no effect with use: skip, which leaves the guest "
		    "where it is");
	else if (strategies != NULL && rule->use != POLICY_USE_DEFAULT)
		tree_fault_key(ctx->tree, ctx->diags, strategies,
		    "has no effect with use: %s; only use: default chooses "
		    "among strategies",
		    policy_use_name(rule->use));
}

static const struct schema_key rule_keys[] = {
    {.name = "if",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy_strategy, when),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_vm_host,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over the guest; without it the rule fits "
		   "all"},
    {.name = "use",
	.type = SCHEMA_CHOICE,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy_strategy, use),
	.choices = use_choices,
	.meaning = "live-shared, live-copy, restart, skip (it stays), or "
		   "default (with.strategies)"},
    {.name = "with",
	.type = SCHEMA_CUSTOM,
	.read = read_rule_with,
	.detail = &read_with_schema,
	.shape = "{\"$detail\": true}",
	.meaning = "keys of with that are different for these guests"},
    {.name = NULL},
};

const struct schema policy_rule_schema = {
    .what = "a rule",
    .size = sizeof(struct policy_strategy),
    .keys = rule_keys,
    .place = place_rule,
    .finish = finish_rule,
};

void
policy_finish_rules(const struct schema_context *ctx, const struct node *map,
    const struct policy *raw, struct policy *policy)
{
	const struct node *list = policy_find_key(ctx, map, NULL, "strategy");
	const struct node *node = list != NULL ? list->first : NULL;
	struct policy_strategy *rules;

	if (policy->rule_count == 0 || node == NULL)
		return;
	/* Rules of the defaults belong to many policies. */
	rules = arena_array(ctx->arena, policy->rule_count, sizeof(*rules));
	memcpy(rules, policy->rules, policy->rule_count * sizeof(*rules));
	for (size_t i = 0; i < policy->rule_count && node != NULL;
	     i++, node = node->next) {
		const struct node *with = tree_get(node, "with");
		struct policy *own;

		if (with == NULL)
			continue;
		own = arena_alloc(ctx->arena, sizeof(*own));
		*own = *raw;
		schema_read(ctx, &read_with_schema, with, own);
		policy_finish_with(ctx, node, own);
		own->rules = rules;
		rules[i].with = own;
	}
	policy->rules = rules;
}

void
read_settle_policy(struct policy *policy)
{
	/* Made by policy_finish_rules() for this policy alone. */
	struct policy_strategy *rules =
	    (struct policy_strategy *)(uintptr_t)policy->rules;

	for (size_t i = 0; i < policy->rule_count; i++)
		if (rules[i].with == NULL)
			rules[i].with = policy;
}
