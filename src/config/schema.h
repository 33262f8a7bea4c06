#ifndef DROVER_CONFIG_SCHEMA_H
#define DROVER_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "config/diag.h"
#include "config/tree.h"

/*
 * Tables that say what a mapping may hold: one row for each key, with its type,
 * its place in the C object, its default, its range and its meaning.  Reading
 * is a walk of the table, and so are defaults, suggestions for unknown keys,
 * the list of keys that a reload cannot change, and the check that the manual
 * mentions every key.
 */

enum schema_type {
	SCHEMA_TEXT,     /* const char * */
	SCHEMA_PATH,     /* const char *, made absolute */
	SCHEMA_INT,      /* int */
	SCHEMA_DURATION, /* int64_t, milliseconds */
	SCHEMA_BYTES,    /* int64_t */
	SCHEMA_RATE,     /* int64_t, bytes per second */
	SCHEMA_PERCENT,  /* double, a fraction: 80 % is 0.8 */
	SCHEMA_BOOL,     /* bool: true or false */
	SCHEMA_CHOICE,   /* an enum, stored as int */
	SCHEMA_WORDS,    /* a list of choices, none twice, in its order: an
			  * array of int of `max` items, and size_t */
	SCHEMA_FLAGS,    /* a list of choices, none twice, joined by or:
			  * unsigned */
	SCHEMA_GROUP,    /* a mapping; `of` describes it; offsets
				 * inside start at this key's offset */
	SCHEMA_LIST,     /* T * and size_t; `of` describes a T */
	SCHEMA_TEXTS,    /* const char ** and size_t */
	SCHEMA_PAIRS,    /* struct settings_label * and size_t */
	SCHEMA_CUSTOM,   /* `read` or `read_row` does it all */
};

enum {
	SCHEMA_REQUIRED = 1 << 0,
	SCHEMA_NO_RELOAD = 1 << 1, /* a change needs a restart */
	SCHEMA_ZERO = 1 << 2,      /* 0 is allowed below the range */
	SCHEMA_EMPTY = 1 << 3,     /* a text may be "" */
	SCHEMA_LINES = 1 << 4,     /* a text may have several lines */
	SCHEMA_FIRST = 1 << 5,     /* read before the other keys, wherever it
				    * stands; several in the order of rows */
	SCHEMA_UNLESS = 1 << 6,    /* required unless schema.optional says no */
	SCHEMA_SECRET = 1 << 7,    /* faults do not quote the value */
};

struct schema;
struct schema_key;

struct schema_context {
	const struct tree *tree;
	struct diag_list *diags;
	struct arena *arena;             /* where the results live */
	const char *main_dir;            /* for relative paths */
	const char *file;                /* the file's name, in the arena */
	const struct schema *const *all; /* every schema, NULL at the
					 * end: where a stray key belongs */
	struct diag_list *lints;         /* what loads and yet is hardly
					  * meant; NULL: not wanted */
	void *user;                      /* for checks */
};

struct schema_choice {
	const char *name; /* NULL: the end */
	int value;
	const char *instead; /* not NULL: a known mistake, and what
					 * to say about it */
};

struct schema_key {
	const char *name; /* NULL: the end of the table */
	enum schema_type type;
	unsigned flags;
	size_t offset;
	size_t count_offset;
	const char *fallback; /* the default, as one writes it */
	int64_t min, max;     /* of numbers; of the length of texts
					 * and lists (max 0: not limited here,
					 * min then has no meaning either) */
	const struct schema_choice *choices;
	const struct schema *of;
	/* Further checks of a text, or of each of a list's; says what is
	 * wrong itself.  May replace *value (arena). */
	void (*check)(const struct schema_context *ctx, const struct node *node,
	    const char **value);
	void (*read)(const struct schema_context *ctx, const struct node *node,
	    void *object);
	/* The same for several rows, which it is told apart by. */
	void (*read_row)(const struct schema_context *ctx,
	    const struct schema_key *key, const struct node *node,
	    void *object);
	const void *detail; /* for read_row */
	const char *shape;  /* of SCHEMA_CUSTOM: the value as a JSON Schema */
	const char *meaning;
};

/* What people call a key that has another name. */
struct schema_alias {
	const char *name; /* NULL: the end */
	const char *key;
};

struct schema {
	const char *what;  /* "a host" */
	const char *where; /* "hosts[]", for stray keys */
	size_t size;
	const struct schema_key *keys;
	const struct schema_alias *aliases; /* may be NULL */
	/* Told where the object began, before it is read; may be NULL. */
	void (*place)(void *object, const char *file, unsigned line);
	/* After `place`, before the first key; may be NULL. */
	void (*begin)(const struct schema_context *ctx, const struct node *map,
	    void *object);
	/* May this mapping lack a key that is SCHEMA_UNLESS? */
	bool (*optional)(const struct schema_context *ctx,
	    const struct node *map, const struct schema_key *key);
	/* Checks what several keys are together, once each for itself is
	 * right, and fills defaults that depend on others; may be NULL. */
	void (*finish)(const struct schema_context *ctx, const struct node *map,
	    void *object);
};

/* Fills the object with the table's defaults; the rest stays as it is. */
void schema_fill(const struct schema_context *ctx, const struct schema *schema,
    void *object);

/*
 * Reads a mapping into the object, which has its defaults.  Faults go to
 * ctx->diags; the object is then of no use.
 */
void schema_read(const struct schema_context *ctx, const struct schema *schema,
    const struct node *map, void *object);

/* The same for a value that should be such a mapping; else the fault says so. */
void schema_read_group(const struct schema_context *ctx,
    const struct schema *schema, const struct node *node, void *object);

/* Calls fn for each key, "hosts[].limits.inbound", depth first. */
void schema_walk(const struct schema *schema, const char *prefix,
    void (*fn)(const char *path, const struct schema_key *key, void *arg),
    void *arg);

/*
 * Parses one value as its row says (schema_value.c).  On success it is stored
 * in the object.  The error is without the path.
 */
int schema_store(const struct schema_context *ctx, const struct schema_key *key,
    const char *text, void *object, struct err *err);

/* The value of a word; the error says which there are. */
int schema_parse_choice(const struct schema_choice *choices, const char *text,
    int *out, struct err *err);

/* Lists of words (schema_words.c): from a node, and from the table's default,
 * "a, b". */
void schema_read_words(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node, void *object);
int schema_store_words(
    const struct schema_key *key, const char *text, void *object);

/* A list of the wanted length?  Adds the fault. */
bool schema_check_list(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node);

/* A text that may stand in a path, a name or a URI: no control characters,
 * not empty.  Adds the fault. */
bool schema_check_text(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node);

/* "version, site, ..." (schema_unknown.c) */
#define SCHEMA_KEYS_MAX 32 /* rows of one table */
#define SCHEMA_KNOWN_SIZE 512
const char *schema_list_keys(
    const struct schema *schema, char out[SCHEMA_KNOWN_SIZE]);

/* Says that there is no such key; returns the one that is probably meant, or
 * NULL. */
const char *schema_refuse_unknown(const struct schema_context *ctx,
    const struct schema *schema, const struct node *node);

/* Says that the node is not of the kind wanted. */
void schema_refuse_kind(const struct schema_context *ctx,
    const struct node *node, const char *wanted);

/* The path made absolute, without a final slash. */
const char *schema_resolve_path(
    const struct schema_context *ctx, const char *path);

#endif
