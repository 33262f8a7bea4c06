/*
 * Lists whose items are words of a fixed set: an order of preference
 * (SCHEMA_WORDS) or a choice of several (SCHEMA_FLAGS).  A word given twice is a
 * mistake in both; what was meant cannot be seen from it.
 */

#include "config/schema.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16
#define FALLBACK_MAX 256

static void
store_words(
    const struct schema_key *key, void *object, const int *values, size_t count)
{
	char *slot = (char *)object + key->offset;
	unsigned flags = 0;

	if (key->type == SCHEMA_WORDS) {
		memcpy(slot, values, count * sizeof(*values));
		memcpy(
		    (char *)object + key->count_offset, &count, sizeof(count));
		return;
	}
	for (size_t i = 0; i < count; i++)
		flags |= (unsigned)values[i];
	memcpy(slot, &flags, sizeof(flags));
}

static bool
is_among(const int *values, size_t count, int value)
{
	for (size_t i = 0; i < count; i++)
		if (values[i] == value)
			return true;
	return false;
}

void
schema_read_words(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node, void *object)
{
	int values[WORDS_MAX], value;
	char quoted[TREE_QUOTE_SIZE];
	size_t count = 0;

	if (!schema_check_list(ctx, key, node))
		return;
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		struct err err = {.code = ERR_NONE};

		if (n->kind != NODE_SCALAR || tree_is_null(n)) {
			schema_refuse_kind(ctx, n, "a word");
			continue;
		}
		if (!schema_check_text(ctx, key, n))
			continue;
		if (schema_parse_choice(key->choices, n->text, &value, &err) !=
		    0)
			tree_fault(ctx->tree, ctx->diags, n, "%s", err.msg);
		else if (is_among(values, count, value))
			tree_fault(ctx->tree, ctx->diags, n,
			    "%s is given twice", tree_quote(n->text, quoted));
		else if (count < WORDS_MAX)
			values[count++] = value;
	}
	store_words(key, object, values, count);
}

int
schema_store_words(const struct schema_key *key, const char *text, void *object)
{
	char copy[FALLBACK_MAX], *rest = NULL;
	int values[WORDS_MAX];
	size_t count = 0;

	if (strlen(text) >= sizeof(copy))
		return -1;
	memcpy(copy, text, strlen(text) + 1);
	for (char *word = strtok_r(copy, ", ", &rest);
	     word != NULL && count < WORDS_MAX;
	     word = strtok_r(NULL, ", ", &rest))
		if (schema_parse_choice(
			key->choices, word, &values[count++], NULL) != 0)
			return -1;
	store_words(key, object, values, count);
	return 0;
}
