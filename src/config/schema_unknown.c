/*
 * Keys that a table does not have: what was meant is the nearest key that is not
 * given yet, or what people call it elsewhere, or the same key in another
 * place.
 */

#include "config/schema.h"

#include <stdio.h>
#include <string.h>

const char *
schema_list_keys(const struct schema *schema, char out[SCHEMA_KNOWN_SIZE])
{
	size_t len = 0;

	out[0] = '\0';
	for (const struct schema_key *k = schema->keys;
	     k->name != NULL && len < SCHEMA_KNOWN_SIZE; k++)
		len += (size_t)snprintf(out + len, SCHEMA_KNOWN_SIZE - len,
		    "%s%s", len > 0 ? ", " : "", k->name);
	return out;
}

/* All the places where a key of this name would be right. */
struct search {
	const char *name;
	const char *where; /* of the schema being walked */
	char found[SCHEMA_KNOWN_SIZE];
};

static void
note_key(const char *path, const struct schema_key *key, void *arg)
{
	struct search *search = arg;
	size_t len = strlen(search->found);

	if (strcmp(key->name, search->name) != 0)
		return;
	snprintf(search->found + len, sizeof(search->found) - len, "%s%s%s%s",
	    len > 0 ? ", " : "", path, search->where != NULL ? " in " : "",
	    search->where != NULL ? search->where : "");
}

const char *
schema_refuse_unknown(const struct schema_context *ctx,
    const struct schema *schema, const struct node *node)
{
	struct search search = {.name = node->key->text};
	const char *names[SCHEMA_KEYS_MAX + 1], *near;
	char known[SCHEMA_KNOWN_SIZE];
	size_t count = 0;

	/* What is there already is not what was meant. */
	for (const struct schema_key *k = schema->keys; k->name != NULL; k++)
		if (count < SCHEMA_KEYS_MAX &&
		    tree_get(node->up, k->name) == NULL)
			names[count++] = k->name;
	names[count] = NULL;
	near = diag_suggest(node->key->text, names);
	for (const struct schema_alias *a = schema->aliases;
	     near == NULL && a != NULL && a->name != NULL; a++)
		if (strcmp(a->name, node->key->text) == 0)
			near = a->key;
	if (near != NULL) {
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "unknown key (did you mean \"%s\"?)", near);
		return near;
	}
	for (const struct schema *const *s = ctx->all; *s != NULL; s++) {
		search.where = (*s)->where;
		schema_walk(*s, "", note_key, &search);
	}
	if (search.found[0] != '\0')
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "unknown key in %s (it belongs to %s)", schema->what,
		    search.found);
	else
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "unknown key in %s (known: %s)", schema->what,
		    schema_list_keys(schema, known));
	return NULL;
}
