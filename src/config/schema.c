/*
 * The walk of a table over a mapping.  Each row is looked up in the mapping
 * and read; then what the mapping holds beside the rows is refused.
 *
 * A mistake shall be one message: an unknown key that is a misspelt required
 * one is reported as unknown with a suggestion, and the required key is not
 * reported as missing on top.  Values that the tree has refused already
 * (NODE_BAD) are passed over.
 */

#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

#define NUMBER_MAX 40 /* bytes of a number with its unit */

void
schema_refuse_kind(const struct schema_context *ctx, const struct node *node,
    const char *wanted)
{
	if (node->kind == NODE_BAD)
		return;
	if (tree_is_null(node) && node->len == 0)
		tree_fault(ctx->tree, ctx->diags, node,
		    "has no value (%s is expected)", wanted);
	else if (tree_is_null(node))
		tree_fault(ctx->tree, ctx->diags, node,
		    "\"%s\" is no value (%s is expected)", node->text, wanted);
	else
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is expected, not %s", wanted, tree_kind_name(node));
}

static const char *
type_name(const struct schema_key *key)
{
	switch (key->type) {
	case SCHEMA_TEXT:
		return "a text";
	case SCHEMA_PATH:
		return "a path";
	case SCHEMA_INT:
		return "a whole number";
	case SCHEMA_DURATION:
		return "a duration such as 10s";
	case SCHEMA_BYTES:
		return "an amount of bytes such as 2GiB";
	case SCHEMA_RATE:
		return "a rate such as 100MiB/s";
	case SCHEMA_PERCENT:
		return "a percentage such as 10%";
	case SCHEMA_BOOL:
		return "true or false";
	case SCHEMA_CHOICE:
		return "a word";
	case SCHEMA_GROUP:
	case SCHEMA_PAIRS:
		return "a mapping (key: value)";
	case SCHEMA_LIST:
	case SCHEMA_TEXTS:
	case SCHEMA_WORDS:
	case SCHEMA_FLAGS:
		return "a list";
	case SCHEMA_CUSTOM:
		break;
	}
	return "a value";
}

static void
read_scalar(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	bool textual = key->type == SCHEMA_TEXT || key->type == SCHEMA_PATH ||
	    key->type == SCHEMA_CHOICE || key->type == SCHEMA_BOOL;
	struct err err = {.code = ERR_NONE};
	char quoted[TREE_QUOTE_SIZE];
	const char *value;
	size_t before = ctx->diags->count + ctx->diags->dropped;

	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, type_name(key));
		return;
	}
	if (!schema_check_text(ctx, key, node))
		return;
	if (key->type == SCHEMA_INT && !node->plain) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is a text; write "
		    "the number without quotes",
		    tree_quote(node->text, quoted));
		return;
	}
	if (key->type == SCHEMA_BOOL && !node->plain) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is a text; write true or false without quotes",
		    tree_quote(node->text, quoted));
		return;
	}
	if (!textual && node->len > NUMBER_MAX) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is too long (%s "
		    "is expected)",
		    tree_quote(node->text, quoted), type_name(key));
		return;
	}
	if (!textual && key->min >= 0 && node->text[0] == '-' &&
	    node->text[1] >= '0' && node->text[1] <= '9') {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is negative (%s is expected)",
		    tree_quote(node->text, quoted), type_name(key));
		return;
	}
	if (schema_store(ctx, key, node->text, object, &err) != 0) {
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
		return;
	}
	if (key->check == NULL ||
	    ctx->diags->count + ctx->diags->dropped != before)
		return;
	memcpy(&value, (char *)object + key->offset, sizeof(value));
	key->check(ctx, node, &value);
	memcpy((char *)object + key->offset, &value, sizeof(value));
}

bool
schema_check_list(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node)
{
	if (node->kind == NODE_SCALAR && !tree_is_null(node) &&
	    key->type != SCHEMA_LIST) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "a list is expected; write [ %.60s ]", node->text);
		return false;
	}
	if (node->kind == NODE_MAP && key->type == SCHEMA_LIST) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "a list is expected, "
		    "not a mapping; begin %s with \"- \"",
		    key->of->what);
		return false;
	}
	if (node->kind != NODE_SEQ) {
		schema_refuse_kind(ctx, node, type_name(key));
		return false;
	}
	if (key->max > 0 && node->count > (size_t)key->max) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%zu items are more than the %lld allowed", node->count,
		    (long long)key->max);
		return false;
	}
	if (key->max > 0 && node->count < (size_t)key->min) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "the list is empty; "
		    "leave the key out for its default");
		return false;
	}
	return true;
}

static void
store_list(
    const struct schema_key *key, void *object, const void *items, size_t count)
{
	memcpy((char *)object + key->offset, &items, sizeof(items));
	memcpy((char *)object + key->count_offset, &count, sizeof(count));
}

static void
read_list(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	char *items, wanted[64];
	size_t count = 0;

	if (!schema_check_list(ctx, key, node))
		return;
	items = arena_array(ctx->arena, node->count, key->of->size);
	snprintf(wanted, sizeof(wanted), "%s (a mapping)", key->of->what);
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		void *item = items + count * key->of->size;

		if (n->kind != NODE_MAP) {
			schema_refuse_kind(ctx, n, wanted);
			continue;
		}
		schema_fill(ctx, key->of, item);
		schema_read(ctx, key->of, n, item);
		count++;
	}
	store_list(key, object, items, count);
}

static void
read_texts(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	char quoted[TREE_QUOTE_SIZE];
	const char **items;
	size_t count = 0;

	if (!schema_check_list(ctx, key, node))
		return;
	items = arena_array(ctx->arena, node->count, sizeof(*items));
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		const char *value = n->text;
		bool same = false;

		if (n->kind != NODE_SCALAR || tree_is_null(n)) {
			schema_refuse_kind(ctx, n, "a text");
			continue;
		}
		if (!schema_check_text(ctx, key, n))
			continue;
		if (key->check != NULL)
			key->check(ctx, n, &value);
		for (size_t i = 0; i < count && !same; i++)
			same = strcmp(items[i], value) == 0;
		if (same)
			tree_fault(ctx->tree, ctx->diags, n,
			    "%s is given twice", tree_quote(value, quoted));
		else
			items[count++] = arena_strdup(ctx->arena, value);
	}
	store_list(key, object, items, count);
}

static int
compare_labels(const void *a, const void *b)
{
	const struct settings_label *left = a, *right = b;

	return strcmp(left->key, right->key);
}

static void
read_pairs(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	struct settings_label *items;
	size_t count = 0;

	if (node->kind != NODE_MAP) {
		schema_refuse_kind(ctx, node, type_name(key));
		return;
	}
	if (key->max > 0 && node->count > (size_t)key->max) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%zu items are more than the %lld allowed", node->count,
		    (long long)key->max);
		return;
	}
	items = arena_array(ctx->arena, node->count, sizeof(*items));
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		const char *value = n->text;

		if (n->kind != NODE_SCALAR || tree_is_null(n)) {
			schema_refuse_kind(ctx, n, "a text");
			continue;
		}
		if (!schema_check_text(ctx, key, n))
			continue;
		if (key->check != NULL)
			key->check(ctx, n, &value);
		items[count].key = arena_strdup(ctx->arena, n->key->text);
		items[count].value = arena_strdup(ctx->arena, value);
		count++;
	}
	if (count > 0)
		qsort(items, count, sizeof(*items), compare_labels);
	store_list(key, object, items, count);
}

void
schema_read_group(const struct schema_context *ctx, const struct schema *schema,
    const struct node *node, void *object)
{
	char keys[SCHEMA_KNOWN_SIZE], wanted[SCHEMA_KNOWN_SIZE + 32];

	if (node->kind == NODE_MAP) {
		schema_read(ctx, schema, node, object);
		return;
	}
	snprintf(wanted, sizeof(wanted), "a mapping with the key%s %s",
	    schema->keys[1].name != NULL ? "s" : "",
	    schema_list_keys(schema, keys));
	schema_refuse_kind(ctx, node, wanted);
}

static void
read_value(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	if (node->kind == NODE_BAD)
		return;
	switch (key->type) {
	case SCHEMA_TEXT:
	case SCHEMA_PATH:
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_BYTES:
	case SCHEMA_RATE:
	case SCHEMA_PERCENT:
	case SCHEMA_BOOL:
	case SCHEMA_CHOICE:
		read_scalar(ctx, key, node, object);
		break;
	case SCHEMA_GROUP:
		schema_read_group(
		    ctx, key->of, node, (char *)object + key->offset);
		break;
	case SCHEMA_LIST:
		read_list(ctx, key, node, object);
		break;
	case SCHEMA_TEXTS:
		read_texts(ctx, key, node, object);
		break;
	case SCHEMA_WORDS:
	case SCHEMA_FLAGS:
		schema_read_words(ctx, key, node, object);
		break;
	case SCHEMA_PAIRS:
		read_pairs(ctx, key, node, object);
		break;
	case SCHEMA_CUSTOM:
		if (key->read != NULL)
			key->read(ctx, node, object);
		else
			key->read_row(ctx, key, node, object);
		break;
	}
}

static void
report_missing(const struct schema_context *ctx, const struct schema *schema,
    const struct node *map, const struct schema_key *key)
{
	char path[TREE_PATH_SIZE];

	tree_path(map, path);
	diag_add(ctx->diags, ctx->tree->file, map->line, map->column,
	    "%s%s%s: missing in %s (%s)", path, path[0] != '\0' ? "." : "",
	    key->name, schema->what, key->meaning);
}

/* In the order of the table. */
static void
read_first_keys(const struct schema_context *ctx, const struct schema *schema,
    const struct node *map, void *object)
{
	for (const struct schema_key *k = schema->keys; k->name != NULL; k++) {
		const struct node *node = (k->flags & SCHEMA_FIRST) != 0
		    ? tree_get(map, k->name)
		    : NULL;

		if (node != NULL)
			read_value(ctx, k, node, object);
	}
}

/* Was something in it refused when the tree was built, before any table? */
static bool
holds_bad(const struct node *node)
{
	if (node->kind == NODE_BAD)
		return true;
	for (const struct node *n = node->first; n != NULL; n = n->next)
		if (holds_bad(n))
			return true;
	return false;
}

void
schema_read(const struct schema_context *ctx, const struct schema *schema,
    const struct node *map, void *object)
{
	const char *meant[SCHEMA_KEYS_MAX] = {NULL};
	const struct schema_key *keys = schema->keys;
	size_t before = ctx->diags->count + ctx->diags->dropped;

	if (schema->place != NULL)
		schema->place(object, ctx->file, map->line);
	if (schema->begin != NULL)
		schema->begin(ctx, map, object);
	read_first_keys(ctx, schema, map, object);
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		size_t i = 0;
		const char *near;

		while (keys[i].name != NULL &&
		    strcmp(keys[i].name, n->key->text) != 0)
			i++;
		if (keys[i].name != NULL) {
			if ((keys[i].flags & SCHEMA_FIRST) == 0)
				read_value(ctx, &keys[i], n, object);
			continue;
		}
		near = schema_refuse_unknown(ctx, schema, n);
		for (i = 0; near != NULL && keys[i].name != NULL; i++)
			if (strcmp(keys[i].name, near) == 0)
				meant[i] = near;
	}
	for (size_t i = 0; keys[i].name != NULL; i++)
		if ((keys[i].flags & SCHEMA_REQUIRED) != 0 &&
		    meant[i] == NULL && tree_get(map, keys[i].name) == NULL &&
		    ((keys[i].flags & SCHEMA_UNLESS) == 0 ||
			!schema->optional(ctx, map, &keys[i])))
			report_missing(ctx, schema, map, &keys[i]);
	if (schema->finish != NULL &&
	    ctx->diags->count + ctx->diags->dropped == before &&
	    !holds_bad(map))
		schema->finish(ctx, map, object);
}

static void
fill_texts(const struct schema_context *ctx, const struct schema_key *key,
    void *object)
{
	const char **items = arena_array(ctx->arena, 1, sizeof(*items));

	items[0] = key->fallback;
	store_list(key, object, items, 1);
}

void
schema_fill(
    const struct schema_context *ctx, const struct schema *schema, void *object)
{
	for (const struct schema_key *k = schema->keys; k->name != NULL; k++) {
		if (k->type == SCHEMA_GROUP)
			schema_fill(ctx, k->of, (char *)object + k->offset);
		else if (k->fallback != NULL && k->type == SCHEMA_TEXTS)
			fill_texts(ctx, k, object);
		else if (k->type == SCHEMA_WORDS || k->type == SCHEMA_FLAGS) {
			if (schema_store_words(k, k->fallback, object) != 0)
				abort();
		} else if (k->fallback != NULL &&
		    schema_store(ctx, k, k->fallback, object, NULL) != 0)
			abort(); /* the table contradicts itself */
	}
}

void
schema_walk(const struct schema *schema, const char *prefix,
    void (*fn)(const char *path, const struct schema_key *key, void *arg),
    void *arg)
{
	char path[TREE_PATH_SIZE];

	for (const struct schema_key *k = schema->keys; k->name != NULL; k++) {
		snprintf(path, sizeof(path), "%s%s%s%s", prefix,
		    prefix[0] != '\0' ? "." : "", k->name,
		    k->type == SCHEMA_LIST ? "[]" : "");
		fn(path, k, arg);
		if (k->of != NULL)
			schema_walk(k->of, path, fn, arg);
	}
}
