/*
 * Questions to a node, and faults that name it.  A node knows what holds it,
 * so that its path needs no bookkeeping while a file is read: it is made when
 * something is wrong, and only then.
 */

#include "config/tree.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FAULT_SIZE 800 /* bytes of a message without its path */

const struct node *
tree_get(const struct node *map, const char *name)
{
	for (const struct node *n = map->first; n != NULL; n = n->next)
		if (n->key != NULL && strcmp(n->key->text, name) == 0)
			return n;
	return NULL;
}

const struct node *
tree_get_text(const struct node *map, const char *name)
{
	const struct node *value =
	    map->kind == NODE_MAP ? tree_get(map, name) : NULL;

	return value != NULL && value->kind == NODE_SCALAR &&
		!tree_is_null(value) && value->len > 0
	    ? value
	    : NULL;
}

const struct node *
tree_find_root(const struct tree *tree, struct diag_list *diags,
    const char *what, const char *begins)
{
	const struct node *root = tree->root;

	if (root == NULL || tree_is_null(root)) {
		diag_add(diags, tree->file, 1, 1,
		    "holds nothing; %s begins with \"%s\"", what, begins);
		return NULL;
	}
	if (root->kind == NODE_MAP)
		return root;
	if (root->kind != NODE_BAD)
		tree_fault(tree, diags, root,
		    "%s is a mapping that begins with \"%s\", not %s", what,
		    begins, tree_kind_name(root));
	return NULL;
}

bool
tree_is_null(const struct node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_SCALAR || !node->plain)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(node->text, words[i]) == 0)
			return true;
	return false;
}

const char *
tree_kind_name(const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		return tree_is_null(node) ? "nothing" : "a value";
	case NODE_SEQ:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	case NODE_BAD:
		break;
	}
	return "something else";
}

static bool
is_plain_word(const char *s)
{
	size_t len = strspn(s,
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len > 0 && len < TREE_QUOTE_SIZE && s[len] == '\0';
}

/* Nodes nest at most TREE_DEPTH_MAX deep, and so does this. */
static size_t
write_path(const struct node *node, char *out, size_t size)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *word;
	size_t len;
	int n;

	if (node->up == NULL)
		return 0;
	len = write_path(node->up, out, size);
	if (node->key != NULL) {
		word = is_plain_word(node->key->text)
		    ? node->key->text
		    : tree_quote(node->key->text, quoted);
		n = snprintf(
		    out + len, size - len, "%s%s", len > 0 ? "." : "", word);
	} else if (node->index != SIZE_MAX) {
		n = snprintf(out + len, size - len, "[%zu]", node->index);
	} else {
		return len; /* a key: named by what holds it */
	}
	if (n < 0 || (size_t)n >= size - len) {
		out[len] = '\0';
		return len;
	}
	return len + (size_t)n;
}

void
tree_path(const struct node *node, char out[TREE_PATH_SIZE])
{
	out[0] = '\0';
	if (node != NULL)
		write_path(node, out, TREE_PATH_SIZE);
}

static void add_fault(const struct tree *tree, struct diag_list *diags,
    const struct node *node, unsigned line, unsigned column, const char *fmt,
    va_list ap) __attribute__((format(printf, 6, 0)));

static void
add_fault(const struct tree *tree, struct diag_list *diags,
    const struct node *node, unsigned line, unsigned column, const char *fmt,
    va_list ap)
{
	char path[TREE_PATH_SIZE], text[FAULT_SIZE];

	tree_path(node, path);
	vsnprintf(text, sizeof(text), fmt, ap);
	diag_add(diags, tree->file, line, column, "%s%s%s", path,
	    path[0] != '\0' ? ": " : "", text);
}

void
tree_fault(const struct tree *tree, struct diag_list *diags,
    const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_fault(tree, diags, node, node->line, node->column, fmt, ap);
	va_end(ap);
}

void
tree_fault_key(const struct tree *tree, struct diag_list *diags,
    const struct node *node, const char *fmt, ...)
{
	const struct node *place = node->key != NULL ? node->key : node;
	va_list ap;

	va_start(ap, fmt);
	add_fault(tree, diags, node, place->line, place->column, fmt, ap);
	va_end(ap);
}

void
tree_fault_at(const struct tree *tree, struct diag_list *diags,
    const struct node *node, unsigned line, unsigned column, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_fault(tree, diags, node, line, column, fmt, ap);
	va_end(ap);
}
