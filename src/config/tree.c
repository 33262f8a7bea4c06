/*
 * YAML is a large language and most of what is surprising about it is of no
 * use in a configuration: an anchor that drags a key into a place where nobody
 * looks for it, a key given twice of which one wins.  The tree takes the plain
 * part and says no to the rest, each with its place.
 *
 * It reads events and not documents, because the document interface of the
 * library resolves aliases and forgets where keys stood.
 *
 * Everything is bounded (depth, nodes, keys of a mapping, length of a scalar),
 * so that time and memory stay in proportion to the text.
 */

#include "config/tree.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"

/* What a node and its text take in the arena at most, beside the text. */
#define NODE_BYTES (sizeof(struct node) + 64)

struct builder {
	yaml_parser_t parser;
	const struct tree_limits *limits;
	struct tree *tree;
	struct diag_list *diags;
	size_t nodes;
	unsigned depth;
	bool failed;          /* nothing more can be read */
	size_t cursor_index;  /* a character and the byte where ... */
	size_t cursor_offset; /* ... it begins */
};

static struct node *build_node(struct builder *b, const yaml_event_t *event,
    const struct node *up, const struct node *key, size_t index);

/* What the library says, and what a person who reads it may do. */
static const struct hint {
	const char *problem; /* its beginning */
	char at;             /* the character there; 0: any */
	const char *hint;
} hints[] = {
    {"found character that cannot start any token", '\t',
	"indent with spaces, not with tabs"},
    {"found character that cannot start any token", 0,
	"a value that begins with this character needs quotes"},
    {"found a tab character", 0, "indent with spaces, not with tabs"},
    {"mapping values are not allowed", 0,
	"wrong indentation, or a value with \": \" in it needs quotes"},
    {"did not find expected key", 0,
	"wrong indentation, or something before is not closed"},
    {"did not find expected '-' indicator", 0,
	"the items of a list begin with \"- \" in the same column"},
    {"did not find expected ',' or ']'", 0,
	"a [ is not closed, or a comma is missing"},
    {"did not find expected ',' or '}'", 0,
	"a { is not closed, or a comma is missing"},
    {"did not find expected node content", 0,
	"a value is missing, or begins with a character that needs "
	"quotes"},
    {"found unexpected end of stream", 0, "a quote is not closed"},
    {"found unexpected document indicator", 0, "a quote is not closed"},
    {"could not find expected ':'", 0, "a key is followed by \": \""},
    {"did not find expected alphabetic or numeric character", 0,
	"a value that begins with * or & needs quotes"},
    {"found unknown escape character", 0,
	"write \\\\ for a backslash, or use single quotes"},
    {"did not find expected <document start>", 0,
	"wrong indentation, or text after the end of the document"},
    {"block sequence entries are not allowed", 0,
	"begin the list on a line of its own"},
    {"block mapping entries are not allowed", 0, "wrong indentation"},
    {"did not find expected comment or line break", 0,
	"the text of a | or > block begins on the next line"},
    {"did not find expected hexdecimal number", 0,
	"write \\\\ for a backslash, or use single quotes"},
};

static void
delete_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

/* The byte where a character begins; asked in ascending order. */
static size_t
offset_of(struct builder *b, size_t index)
{
	const struct tree *tree = b->tree;

	if (index < b->cursor_index)
		return b->cursor_offset;
	while (b->cursor_index < index && b->cursor_offset < tree->len) {
		do
			b->cursor_offset++;
		while (b->cursor_offset < tree->len &&
		    ((unsigned char)tree->source[b->cursor_offset] & 0xc0) ==
			0x80);
		b->cursor_index++;
	}
	return b->cursor_offset;
}

static void
report_problem(struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;
	const yaml_mark_t *mark = &parser->problem_mark;
	const char *problem =
	    parser->problem != NULL ? parser->problem : "cannot be read";
	const char *hint = NULL;
	char context[128] = "";
	char at = '\0';

	if (parser->error == YAML_MEMORY_ERROR)
		abort();
	/* An error ends the reading: the cursor may pass all events. */
	if (mark->index >= b->cursor_index) {
		size_t offset = offset_of(b, mark->index);

		if (offset < b->tree->len)
			at = b->tree->source[offset];
	}
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (strncmp(problem, hints[i].problem,
			strlen(hints[i].problem)) == 0 &&
		    (hints[i].at == '\0' || hints[i].at == at)) {
			hint = hints[i].hint;
			break;
		}
	}
	if (parser->context != NULL && parser->context_mark.line != mark->line)
		snprintf(context, sizeof(context),
		    ", %s that begins in "
		    "line %zu",
		    parser->context, parser->context_mark.line + 1);
	else if (parser->context != NULL)
		snprintf(context, sizeof(context), ", %s", parser->context);
	diag_add(b->diags, b->tree->file, (unsigned)mark->line + 1,
	    (unsigned)mark->column + 1, "not YAML: %s%s%s%s%s", problem,
	    context, hint != NULL ? " (" : "", hint != NULL ? hint : "",
	    hint != NULL ? ")" : "");
}

static int
next_event(struct builder *b, yaml_event_t *event)
{
	if (b->failed)
		return -1;
	if (!yaml_parser_parse(&b->parser, event)) {
		report_problem(b);
		b->failed = true;
		return -1;
	}
	return 0;
}

static void
fault_event(struct builder *b, const yaml_event_t *event,
    const struct node *node, const char *text)
{
	tree_fault_at(b->tree, b->diags, node,
	    (unsigned)event->start_mark.line + 1,
	    (unsigned)event->start_mark.column + 1, "%s", text);
}

static void
refuse_rest(struct builder *b, struct node *node, const char *what, size_t max)
{
	tree_fault(b->tree, b->diags, node, "more than %zu %s", max, what);
	b->failed = true;
}

/* Anchors and tags make the node bad, wherever they stand. */
static void
check_decoration(struct builder *b, const yaml_event_t *event,
    struct node *node, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		fault_event(b, event, node,
		    "anchors (&) are not supported; "
		    "write the value where it is needed");
	else if (tag != NULL)
		fault_event(b, event, node,
		    "tags (!) are not supported; "
		    "write the value alone");
	else
		return;
	node->kind = NODE_BAD;
}

static void
build_scalar(struct builder *b, const yaml_event_t *event, struct node *node)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	node->kind = NODE_SCALAR;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->source = offset_of(b, event->start_mark.index);
	node->text = "";
	check_decoration(
	    b, event, node, event->data.scalar.anchor, event->data.scalar.tag);
	if (len > TREE_SCALAR_MAX) {
		node->kind = NODE_BAD;
		tree_fault(b->tree, b->diags, node, "longer than %d bytes",
		    TREE_SCALAR_MAX);
	} else if (memchr(value, '\0', len) != NULL) {
		node->kind = NODE_BAD;
		tree_fault(b->tree, b->diags, node, "contains a NUL character");
	} else {
		node->text = arena_strndup(b->tree->arena, value, len);
		node->len = len;
	}
}

static void
append_node(struct node *holder, struct node *node)
{
	if (holder->last == NULL)
		holder->first = node;
	else
		holder->last->next = node;
	holder->last = node;
	holder->count++;
}

static void
build_sequence(struct builder *b, const yaml_event_t *start, struct node *node)
{
	node->kind = NODE_SEQ;
	for (size_t i = 0;; i++) {
		cleanup(delete_event) yaml_event_t event = {0};
		struct node *item;

		if (next_event(b, &event) != 0 ||
		    event.type == YAML_SEQUENCE_END_EVENT)
			break;
		item = build_node(b, &event, node, NULL, i);
		if (item == NULL)
			break;
		append_node(node, item);
	}
	check_decoration(b, start, node, start->data.sequence_start.anchor,
	    start->data.sequence_start.tag);
}

/* Says what is wrong with a key; its value is then left out. */
static bool
check_key(struct builder *b, struct node *map, const struct node *key,
    struct node *value)
{
	const struct node *same;

	if (key->kind == NODE_BAD)
		return false;
	if (key->kind != NODE_SCALAR) {
		tree_fault_at(b->tree, b->diags, map, key->line, key->column,
		    "a key must be a word, not %s%s", tree_kind_name(key),
		    key->kind == NODE_MAP ? " (text with {{ }} that was not "
					    "filled in?)"
					  : "");
		map->kind = NODE_BAD;
		return false;
	}
	if (key->plain && strcmp(key->text, "<<") == 0) {
		tree_fault_at(b->tree, b->diags, map, key->line, key->column,
		    "merge keys (<<) are not supported; write the keys out");
		return false;
	}
	if (key->len == 0) {
		tree_fault_at(b->tree, b->diags, map, key->line, key->column,
		    "a key is missing before \":\"");
		return false;
	}
	same = tree_get(map, key->text);
	if (same != NULL) {
		tree_fault_key(b->tree, b->diags, value,
		    "given twice, first in line %u", same->key->line);
		return false;
	}
	return true;
}

static void
build_mapping(struct builder *b, const yaml_event_t *start, struct node *node)
{
	node->kind = NODE_MAP;
	for (;;) {
		cleanup(delete_event) yaml_event_t key_event = {0};
		cleanup(delete_event) yaml_event_t event = {0};
		struct node *key, *value;

		if (next_event(b, &key_event) != 0 ||
		    key_event.type == YAML_MAPPING_END_EVENT)
			break;
		key = build_node(b, &key_event, node, NULL, SIZE_MAX);
		if (key == NULL || next_event(b, &event) != 0)
			break;
		value = build_node(b, &event, node, key, 0);
		if (value == NULL)
			break;
		if (check_key(b, node, key, value))
			append_node(node, value);
		if (node->count > TREE_KEYS_MAX) {
			refuse_rest(
			    b, value, "keys in one mapping", TREE_KEYS_MAX);
			break;
		}
	}
	check_decoration(b, start, node, start->data.mapping_start.anchor,
	    start->data.mapping_start.tag);
}

/*
 * The node that begins with this event, whole; NULL when reading has ended
 * before its end.  A key has no key of its own and the index SIZE_MAX.
 */
static struct node *
build_node(struct builder *b, const yaml_event_t *event, const struct node *up,
    const struct node *key, size_t index)
{
	struct node *node = arena_alloc(b->tree->arena, sizeof(*node));

	node->kind = NODE_BAD;
	node->line = (unsigned)event->start_mark.line + 1;
	node->column = (unsigned)event->start_mark.column + 1;
	node->up = up;
	node->key = key;
	node->index = index;
	node->text = "";
	if (++b->nodes > b->limits->nodes) {
		refuse_rest(b, node, "values in one file", b->limits->nodes);
		return NULL;
	}
	if (b->depth == TREE_DEPTH_MAX) {
		tree_fault_at(b->tree, b->diags, NULL, node->line, node->column,
		    "nested deeper than %d levels", TREE_DEPTH_MAX);
		b->failed = true;
		return NULL;
	}
	b->depth++;
	if (event->type == YAML_SCALAR_EVENT)
		build_scalar(b, event, node);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		build_sequence(b, event, node);
	else if (event->type == YAML_MAPPING_START_EVENT)
		build_mapping(b, event, node);
	else if (key == NULL || strcmp(key->text, "<<") != 0)
		fault_event(b, event, node,
		    "aliases (*) are not supported; "
		    "write the value itself, in quotes if it begins with *");
	b->depth--;
	return b->failed ? NULL : node;
}

static void
build_document(struct builder *b, const yaml_event_t *event)
{
	if (event->data.document_start.version_directive != NULL ||
	    event->data.document_start.tag_directives.start !=
		event->data.document_start.tag_directives.end)
		fault_event(b, event, NULL,
		    "directives (%) are not "
		    "supported; remove the line");
	cleanup(delete_event) yaml_event_t content = {0};

	if (next_event(b, &content) == 0)
		b->tree->root = build_node(b, &content, NULL, NULL, 0);
}

static void
build_stream(struct builder *b)
{
	bool seen = false;

	for (;;) {
		cleanup(delete_event) yaml_event_t event = {0};

		if (next_event(b, &event) != 0 ||
		    event.type == YAML_STREAM_END_EVENT)
			return;
		if (event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (seen) {
			fault_event(b, &event, NULL,
			    "a second document "
			    "(---); a file holds one");
			b->failed = true;
			return;
		}
		seen = true;
		build_document(b, &event);
	}
}

struct tree *
tree_parse(
    const char *file, const char *text, size_t len, struct diag_list *diags)
{
	static const struct tree_limits limits = {
	    TREE_SIZE_MAX, TREE_NODES_MAX};

	return tree_parse_within(&limits, file, text, len, diags);
}

struct tree *
tree_parse_within(const struct tree_limits *limits, const char *file,
    const char *text, size_t len, struct diag_list *diags)
{
	struct builder b = {.limits = limits, .diags = diags};
	struct tree *tree;

	if (len > limits->size) {
		diag_add(diags, file, 1, 1, "larger than %zu MiB",
		    limits->size >> 20);
		return NULL;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (tree_check_text(file, text, len, diags) != 0)
		return NULL;
	tree = calloc(1, sizeof(*tree));
	if (tree == NULL || !yaml_parser_initialize(&b.parser))
		abort();
	tree->arena =
	    arena_new(limits->nodes * NODE_BYTES + 2 * limits->size + 65536);
	tree->file = file;
	tree->source = text;
	tree->len = len;
	b.tree = tree;
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &b.parser, (const unsigned char *)text, len);
	build_stream(&b);
	yaml_parser_delete(&b.parser);
	if (!b.failed)
		return tree;
	tree_free(tree);
	return NULL;
}

void
tree_free(struct tree *tree)
{
	if (tree == NULL)
		return;
	arena_free(tree->arena);
	free(tree);
}
