/*
 * `lists`: names for lists that several expressions of a file use; and names of
 * receivers, which other files hold.
 *
 * Items are read like those of a list inside an expression: numbers with their
 * units where they all are, else texts.  Quotes make a text of anything.
 */

#include <string.h>

#include "config/policy_read.h"

#define LISTS_MAX 64
#define ITEMS_MAX 1000

static const char *const reserved[] = {"and", "or", "not", "in", "like",
    "matches", "true", "false", "unknown", NULL};

/* Why the word cannot be the name of a list; NULL: it can. */
static const char *
check_list_name(const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char more[] = "0123456789-"
				   "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	if (strlen(name) > 63 || strspn(name, letters) == 0 ||
	    name[strspn(name, more)] != '\0')
		return "is not the name of a list (a letter, then letters, "
		       "digits, \"_\" and \"-\", at most 63)";
	for (size_t i = 0; reserved[i] != NULL; i++)
		if (strcmp(reserved[i], name) == 0)
			return "is a word of expressions; choose another name";
	for (int scope = 0; scope < EXPR_SCOPE_COUNT; scope++) {
		const struct expr_vocabulary *words =
		    expr_vocabulary_of((enum expr_scope)scope);

		if (strcmp(words->prefix, name) == 0)
			return "is a word of expressions; choose another name";
		for (size_t i = 0; i < words->count; i++)
			if (strcmp(words->names[i].name, name) == 0)
				return "is a name that expressions know "
				       "already and would never mean the "
				       "list; choose another one";
	}
	return NULL;
}

static bool
read_item(const struct schema_context *ctx, const struct node *node,
    enum expr_type *type, double *number)
{
	static const struct schema_key row = {.name = "item"};

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "a text or a number");
		return false;
	}
	if (!schema_check_text(ctx, &row, node))
		return false;
	if (!node->plain || !expr_parse_number(node->text, type, number))
		*type = EXPR_STRING;
	return true;
}

static void
read_items(const struct schema_context *ctx, const struct node *node,
    struct expr_list *list)
{
	const char **strings =
	    arena_array(ctx->arena, node->count, sizeof(*strings));
	double *numbers =
	    arena_array(ctx->arena, node->count, sizeof(*numbers));
	char quoted[TREE_QUOTE_SIZE];
	size_t count = 0;

	for (const struct node *n = node->first; n != NULL; n = n->next) {
		enum expr_type type = EXPR_STRING;

		if (!read_item(ctx, n, &type, &numbers[count]))
			continue;
		if (count > 0 && type != list->type) {
			tree_fault(ctx->tree, ctx->diags, n,
			    "%s is %s in a list whose first item is %s; quotes "
			    "make a text of it",
			    tree_quote(n->text, quoted), expr_type_name(type),
			    expr_type_name(list->type));
			continue;
		}
		list->type = type;
		strings[count++] = arena_strdup(ctx->arena, n->text);
	}
	list->count = count;
	list->strings = strings;
	list->numbers = numbers;
}

void
policy_read_lists(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	static const struct schema_key row = {
	    .name = "items", .type = SCHEMA_TEXTS, .min = 1, .max = ITEMS_MAX};
	struct read_names *names = ctx->user;
	struct expr_list *lists;
	size_t count = 0;

	(void)object;
	if (node->kind != NODE_MAP) {
		schema_refuse_kind(ctx, node, "a mapping (name: [ items ])");
		return;
	}
	if (node->count > LISTS_MAX) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%zu lists are more than the %d allowed", node->count,
		    LISTS_MAX);
		return;
	}
	lists = arena_array(ctx->arena, node->count, sizeof(*lists));
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		const char *why = check_list_name(n->key->text);

		if (why != NULL)
			tree_fault_key(ctx->tree, ctx->diags, n, "%s", why);
		if (n->kind == NODE_BAD || !schema_check_list(ctx, &row, n))
			continue;
		if (n->count == 0)
			tree_fault(ctx->tree, ctx->diags, n, "has no items");
		lists[count].name = arena_strdup(ctx->arena, n->key->text);
		read_items(ctx, n, &lists[count++]);
	}
	names->lists = lists;
	names->list_count = count;
}

/* Whether it exists is known once all files are read. */
void
policy_check_receiver(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	struct read_names *names = ctx->user;

	read_note_reference(ctx, node, *value, &names->references);
}

void
policy_check_label(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];

	tree_quote(*value, quoted);
	if (strncmp(*value, "labels.", 7) == 0)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s: leave out \"labels.\" and write \"%.60s\"", quoted,
		    *value + 7);
	else if (!read_is_label_name(*value))
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not the name of a label (letters, digits, \".\", "
		    "\"_\", \"-\" and \"/\", at most 63)",
		    quoted);
}
