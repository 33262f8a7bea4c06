/*
 * `target`: what a host must be, and what it had better be, to take a guest of
 * this policy in.  That it can take it at all is checked anyway.
 */

#include <stddef.h>

#include "config/policy_read.h"

#define WISHES_MAX 16

static void
read_prefer(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	struct policy *policy = object;
	struct policy_expr *wishes;
	size_t count = 0;

	wishes = arena_array(ctx->arena,
	    node->kind == NODE_SEQ ? node->count : 1, sizeof(*wishes));
	if (node->kind != NODE_SEQ) {
		if (policy_read_expr(ctx, node, key->detail, &wishes[0]))
			count = 1;
	} else if (schema_check_list(ctx, key, node)) {
		for (const struct node *n = node->first; n != NULL; n = n->next)
			if (policy_read_expr(
				ctx, n, key->detail, &wishes[count]))
				count++;
	}
	policy->target_prefer = wishes;
	policy->target_prefer_count = count;
}

static const struct schema_key target_keys[] = {
    {.name = "require",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy, target_require),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_target_vm_host,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over the target: hosts for which it is not "
		   "true are none: cpu_after < 70%"},
    {.name = "prefer",
	.type = SCHEMA_CUSTOM,
	.min = 1,
	.max = WISHES_MAX,
	.read_row = read_prefer,
	.detail = &policy_scopes_target_vm_host,
	.shape = "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", "
		 "\"items\": {\"type\": \"string\"}}]}",
	.meaning = "expressions over the target, what is wanted most first; "
		   "or one"},
    {.name = "spread_by",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct policy, spread_by),
	.check = policy_check_label,
	.meaning = "a label of hosts over whose values guests are spread: "
		   "rack"},
    {.name = NULL},
};

const struct schema policy_target_schema = {
    .what = "target",
    .keys = target_keys,
};
