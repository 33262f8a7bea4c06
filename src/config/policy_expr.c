/*
 * Expressions of policies: compiled when they are read, so that a fault shows
 * the line and the column of the word inside the expression.  The text is kept
 * beside the compiled form, because every decision that follows from it shows
 * both the rule and its line.
 */

#include <string.h>

#include "config/policy_read.h"

const struct policy_scopes policy_scopes_host = {{EXPR_SCOPE_HOST}, 1};
const struct policy_scopes policy_scopes_vm = {{EXPR_SCOPE_VM}, 1};
const struct policy_scopes policy_scopes_vm_host = {
    {EXPR_SCOPE_VM, EXPR_SCOPE_HOST}, 2};
const struct policy_scopes policy_scopes_vm_host_target = {
    {EXPR_SCOPE_VM, EXPR_SCOPE_HOST, EXPR_SCOPE_TARGET}, 3};
const struct policy_scopes policy_scopes_target_vm_host = {
    {EXPR_SCOPE_TARGET, EXPR_SCOPE_VM, EXPR_SCOPE_HOST}, 3};
const struct policy_scopes policy_scopes_target_vm = {
    {EXPR_SCOPE_TARGET, EXPR_SCOPE_VM}, 2};

/* On one line, for records and explanations. */
static const char *
flatten_text(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) + 1);
	size_t len = 0;

	for (; *text != '\0'; text++) {
		bool space = *text == ' ' || *text == '\n' || *text == '\t';

		if (!space)
			out[len++] = *text;
		else if (len > 0 && out[len - 1] != ' ')
			out[len++] = ' ';
	}
	if (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
	return out;
}

bool
policy_read_expr(const struct schema_context *ctx, const struct node *node,
    const struct policy_scopes *scopes, struct policy_expr *out)
{
	static const struct schema_key row = {
	    .name = "expression", .flags = SCHEMA_EMPTY | SCHEMA_LINES};
	const struct read_names *names = ctx->user;
	const struct expr_context context = {
	    .scopes = scopes->scopes,
	    .scope_count = scopes->count,
	    .lists = names->lists,
	    .list_count = names->list_count,
	};
	struct err err = {.code = ERR_NONE};
	unsigned line, column, at = 1;

	if (node->kind == NODE_BAD)
		return false;
	if (node->kind != NODE_SCALAR ||
	    (tree_is_null(node) && node->len > 0)) {
		schema_refuse_kind(ctx, node, "an expression");
		return false;
	}
	if (!schema_check_text(ctx, &row, node))
		return false;
	*out = (struct policy_expr){
	    .expr = expr_compile(ctx->arena, node->text, &context, &at, &err),
	    .text = flatten_text(ctx->arena, node->text),
	    .line = node->line,
	    .column = node->column,
	};
	if (out->expr != NULL)
		return true;
	tree_scalar_place(ctx->tree, node, at - 1, &line, &column);
	tree_fault_at(ctx->tree, ctx->diags, node, line, column, "%s", err.msg);
	return false;
}

void
policy_read_expr_row(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node, void *object)
{
	struct policy_expr expr = {.expr = NULL};

	policy_read_expr(ctx, node, key->detail, &expr);
	memcpy((char *)object + key->offset, &expr, sizeof(expr));
}
