/*
 * `select`: which guests of a host go, in which order, and how many.
 *
 * An exception is a pattern on names, or a mapping with a name of its own and
 * an expression; the name is what explanations show of it.
 */

#include <stddef.h>
#include <string.h>

#include "config/policy_read.h"

#define EXCEPT_MAX 256

static const struct schema_choice order_choices[] = {
    {"largest-first", POLICY_ORDER_MEMORY_DESC, NULL},
    {"smallest-first", POLICY_ORDER_MEMORY_ASC, NULL},
    {"busiest-first", POLICY_ORDER_BUSIEST, NULL},
    {"cheapest-first", POLICY_ORDER_CHEAPEST, NULL},
    {"name", POLICY_ORDER_NAME, NULL},
    {"memory", 0, "is called smallest-first"},
    {"-memory", 0, "is called largest-first"},
    {"cpu", 0, "is called busiest-first"},
    {"-cpu", 0, "is called busiest-first"},
    {NULL, 0, NULL},
};

static const struct schema_key exception_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy_exception, name),
	.check = check_name,
	.meaning = "how explanations call it"},
    {.name = "vm",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy_exception, vm),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_vm_host,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over a guest: those for which it is true "
		   "stay"},
    {.name = NULL},
};

static const struct schema exception_schema = {
    .what = "an exception",
    .size = sizeof(struct policy_exception),
    .keys = exception_keys,
};

static void
add_pattern(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, const char **patterns, size_t *count)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *value = node->text;

	if (!schema_check_text(ctx, key, node))
		return;
	check_glob(ctx, node, &value);
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(patterns[i], value) != 0)
			continue;
		tree_fault(ctx->tree, ctx->diags, node, "%s is given twice",
		    tree_quote(value, quoted));
		return;
	}
	patterns[(*count)++] = arena_strdup(ctx->arena, value);
}

static void
add_exception(const struct schema_context *ctx, const struct node *node,
    struct policy_exception *list, size_t *count)
{
	struct policy_exception *item = &list[*count];
	char quoted[TREE_QUOTE_SIZE];

	schema_read(ctx, &exception_schema, node, item);
	if (item->name == NULL)
		return;
	for (size_t i = 0; i < *count; i++)
		if (strcmp(list[i].name, item->name) == 0)
			tree_fault(ctx->tree, ctx->diags,
			    tree_get(node, "name"), "%s is given twice",
			    tree_quote(item->name, quoted));
	(*count)++;
}

static void
read_except(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	struct policy *policy = object;
	struct schema_key row = *key;
	struct policy_exception *exceptions;
	const char **patterns;

	row.type = SCHEMA_TEXTS;
	if (!schema_check_list(ctx, &row, node))
		return;
	policy->except_count = 0;
	policy->exception_count = 0;
	patterns = arena_array(ctx->arena, node->count, sizeof(*patterns));
	exceptions = arena_array(ctx->arena, node->count, sizeof(*exceptions));
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		if (n->kind == NODE_MAP)
			add_exception(
			    ctx, n, exceptions, &policy->exception_count);
		else if (n->kind == NODE_SCALAR && !tree_is_null(n))
			add_pattern(
			    ctx, &row, n, patterns, &policy->except_count);
		else
			schema_refuse_kind(ctx, n,
			    "a pattern on names, or { name: NAME, vm: "
			    "EXPRESSION }");
	}
	policy->except = patterns;
	policy->exceptions = exceptions;
}

static const struct schema_key select_keys[] = {
    {.name = "vm",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy, select_vm),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_vm_host,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over a guest; without it all"},
    {.name = "except",
	.type = SCHEMA_CUSTOM,
	.min = 0,
	.max = EXCEPT_MAX,
	.read_row = read_except,
	.of = &exception_schema,
	.shape = "{\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": "
		 "\"string\"}, {\"$of\": true}]}}",
	.meaning = "guests that stay: patterns on names (*, ?, [...]), or "
		   "{ name: NAME, vm: EXPRESSION }"},
    {.name = "order",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct policy, order),
	.fallback = "largest-first",
	.choices = order_choices,
	.meaning = "which guest goes first"},
    {.name = "max",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, select_max),
	.min = 1,
	.max = 1000,
	.meaning = "guests of one host that are on their way at once"},
    {.name = "until",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy, select_until),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_host,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over the host: no more guests go once it "
		   "will be true: cpu < 65%"},
    {.name = "include_stopped",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct policy, include_stopped),
	.fallback = "false",
	.meaning = "guests that are shut off go too"},
    {.name = NULL},
};

const struct schema policy_select_schema = {
    .what = "select",
    .keys = select_keys,
};
