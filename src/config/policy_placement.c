/*
 * `placement`: rules about where guests are in relation to each other and to
 * hosts.  They hold for every move, so that they have no mode and no condition.
 */

#include <stddef.h>
#include <string.h>

#include "config/policy_read.h"

static const struct kind {
	const char *name;
	enum placement_kind kind;
} kinds[] = {
    {"apart", PLACEMENT_APART},
    {"together", PLACEMENT_TOGETHER},
    {"hosts", PLACEMENT_HOSTS},
    {"spread_by", PLACEMENT_SPREAD},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
read_label(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	const struct kind *kind = key->detail;
	struct placement *placement = object;

	placement->kind = kind->kind;
	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "the name of a label");
		return;
	}
	if (!schema_check_text(ctx, key, node))
		return;
	placement->label = arena_strdup(ctx->arena, node->text);
	policy_check_label(ctx, node, &placement->label);
}

static void
read_hosts(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	struct placement *placement = object;

	placement->kind = PLACEMENT_HOSTS;
	policy_read_expr(
	    ctx, node, &policy_scopes_target_vm, &placement->hosts);
}

static void
read_strength(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	static const struct schema_choice choices[] = {
	    {"hard", 1, NULL},
	    {"soft", 0, NULL},
	    {"required", 0, "is called hard"},
	    {"must", 0, "is called hard"},
	    {"preferred", 0, "is called soft"},
	    {"should", 0, "is called soft"},
	    {NULL, 0, NULL},
	};
	static const struct schema_key row = {.name = "strength"};
	struct placement *placement = object;
	struct err err = {.code = ERR_NONE};
	int hard = 1;

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "hard or soft");
		return;
	}
	if (!schema_check_text(ctx, &row, node))
		return;
	if (schema_parse_choice(choices, node->text, &hard, &err) != 0)
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
	placement->hard = hard != 0;
}

static void
place_placement(void *object, const char *file, unsigned line)
{
	struct placement *placement = object;

	placement->hard = true;
	placement->file = file;
	placement->line = line;
}

static void
finish_placement(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct node *strength = tree_get(map, "strength");
	struct placement *placement = object;
	const struct node *first = NULL;

	for (const struct node *n = map->first; n != NULL; n = n->next) {
		for (size_t i = 0; i < KINDS; i++) {
			if (strcmp(n->key->text, kinds[i].name) != 0)
				continue;
			if (first != NULL) {
				tree_fault_key(ctx->tree, ctx->diags, n,
				    "cannot stand beside %s; write a rule for "
				    "each",
				    first->key->text);
				return;
			}
			first = n;
		}
	}
	if (first == NULL) {
		tree_fault(ctx->tree, ctx->diags, map,
		    "does not say what holds (one of apart, together, hosts, "
		    "spread_by)");
		return;
	}
	if (placement->kind != PLACEMENT_SPREAD)
		return;
	if (strength != NULL && placement->hard)
		tree_fault(ctx->tree, ctx->diags, strength,
		    "spreading is always soft; apart keeps guests on "
		    "different hosts");
	placement->hard = false;
}

static const struct schema_key placement_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct placement, name),
	.check = read_check_placement_name,
	.meaning = "how refusals call it"},
    {.name = "vms",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct placement, vms),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_vm,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over a guest: whom it is about; without it "
		   "all"},
    {.name = "apart",
	.type = SCHEMA_CUSTOM,
	.read_row = read_label,
	.detail = &kinds[0],
	.shape = "{\"type\": \"string\"}",
	.meaning = "a label of guests: those with the same value are on "
		   "different hosts"},
    {.name = "together",
	.type = SCHEMA_CUSTOM,
	.read_row = read_label,
	.detail = &kinds[1],
	.shape = "{\"type\": \"string\"}",
	.meaning = "a label of guests: those with the same value are on one "
		   "host"},
    {.name = "hosts",
	.type = SCHEMA_CUSTOM,
	.read = read_hosts,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over the target: the guests are only where "
		   "it is true"},
    {.name = "spread_by",
	.type = SCHEMA_CUSTOM,
	.read_row = read_label,
	.detail = &kinds[3],
	.shape = "{\"type\": \"string\"}",
	.meaning = "a label of hosts: the guests are spread over its values"},
    {.name = "strength",
	.type = SCHEMA_CUSTOM,
	.read = read_strength,
	.shape = "{\"enum\": [\"hard\", \"soft\"]}",
	.meaning = "hard (a target against it is refused) or soft (it is "
		   "liked less)"},
    {.name = NULL},
};

const struct schema policy_placement_schema = {
    .what = "a placement rule",
    .size = sizeof(struct placement),
    .keys = placement_keys,
    .place = place_placement,
    .finish = finish_placement,
};
