#ifndef DROVER_CONFIG_TREE_H
#define DROVER_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "config/diag.h"

/*
 * A YAML text as a tree whose every node knows its line and column.  Only the
 * plain part of YAML is taken: mappings with scalar keys, sequences, scalars.
 * Anchors, aliases, tags, merge keys, directives, further documents and keys
 * given twice are faults.  A node with such a fault becomes NODE_BAD, about
 * which readers say nothing more, so that one mistake is one message.
 */

#define TREE_SIZE_MAX (4 << 20) /* bytes of one text */
#define TREE_DEPTH_MAX 32
#define TREE_NODES_MAX 200000
#define TREE_KEYS_MAX 256     /* of one mapping */
#define TREE_SCALAR_MAX 65536 /* bytes */

enum node_kind { NODE_SCALAR, NODE_SEQ, NODE_MAP, NODE_BAD };

struct node {
	enum node_kind kind;
	unsigned line, column;     /* from 1 */
	const struct node *up;     /* what holds it; NULL: the root */
	const struct node *key;    /* in a mapping: its key, a scalar */
	size_t index;              /* in a sequence */
	struct node *first, *last; /* of a mapping or sequence */
	struct node *next;
	size_t count;
	const char *text; /* of a scalar; no NUL inside */
	size_t len;
	bool plain;    /* neither quoted nor a block */
	size_t source; /* offset in the text of the file */
};

struct tree {
	struct arena *arena; /* owns the nodes */
	const char *file;    /* as shown in messages */
	const char *source;  /* the text (borrowed), without BOM */
	size_t len;
	struct node *root; /* NULL: the text holds no document */
};

/*
 * Returns the tree, or NULL when the text is not YAML; `diags` then has grown,
 * and may also have otherwise.  `text` and `file` must outlive the tree.
 */
struct tree *tree_parse(
    const char *file, const char *text, size_t len, struct diag_list *diags);

/* The same for files that programs write and that are larger by nature. */
struct tree_limits {
	size_t size;  /* bytes of the text */
	size_t nodes; /* keys count as well */
};
struct tree *tree_parse_within(const struct tree_limits *limits,
    const char *file, const char *text, size_t len, struct diag_list *diags);
void tree_free(struct tree *tree); /* NULL allowed */

/* The value of `name` in a mapping, or NULL. */
const struct node *tree_get(const struct node *map, const char *name);

/* The same when it is a text with at least one byte; else NULL, as for what is no
 * mapping. */
const struct node *tree_get_text(const struct node *map, const char *name);

/*
 * The mapping that the whole text is.  NULL with the fault, unless there is one
 * at that place already; it says what such a text is and begins with ("a
 * snapshot", "schema: drover/v1").
 */
const struct node *tree_find_root(const struct tree *tree,
    struct diag_list *diags, const char *what, const char *begins);

/* Is it what YAML calls null: nothing, ~ or null? */
bool tree_is_null(const struct node *node);

/* "a mapping", "a list", "a value". */
const char *tree_kind_name(const struct node *node);

/* Adds a fault at the node, or at its key, prefixed by the node's path. */
void tree_fault(const struct tree *tree, struct diag_list *diags,
    const struct node *node, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void tree_fault_key(const struct tree *tree, struct diag_list *diags,
    const struct node *node, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* At line:column, with the path of the node. */
void tree_fault_at(const struct tree *tree, struct diag_list *diags,
    const struct node *node, unsigned line, unsigned column, const char *fmt,
    ...) __attribute__((format(printf, 6, 7)));

/* hosts[0].uri, "" for the root. */
#define TREE_PATH_SIZE 256
void tree_path(const struct node *node, char out[TREE_PATH_SIZE]);

/* The text in double quotes, on one line and shortened. */
#define TREE_QUOTE_SIZE 64
const char *tree_quote(const char *text, char out[TREE_QUOTE_SIZE]);

/*
 * Where the byte `offset` of a scalar's text stands in the file; exact but for
 * escapes in double quotes, where it is the scalar's beginning.
 */
void tree_scalar_place(const struct tree *tree, const struct node *node,
    size_t offset, unsigned *line, unsigned *column);

/*
 * Is the text UTF-8 without control characters?  Else adds the fault with its
 * place and returns -1.
 */
int tree_check_text(
    const char *file, const char *text, size_t len, struct diag_list *diags);

#endif
