#ifndef DROVER_NOTIFY_CATALOG_PRIV_H
#define DROVER_NOTIFY_CATALOG_PRIV_H

#include <stdbool.h>

#include "notify/catalog.h"

/* Shared by catalog*.c and template*.c, and by what checks the manual. */

enum catalog_kind {
	CATALOG_TEXT,
	CATALOG_TIME,  /* RFC 3339 */
	CATALOG_COUNT, /* not negative */
	CATALOG_INTEGER,
	CATALOG_FLAG,
	CATALOG_TEXTS,  /* a list */
	CATALOG_OBJECT, /* `of` says what is in it */
	CATALOG_OBJECTS /* a list of them */
};

/* A member of an object of `data`; a list of them ends with name NULL. */
struct catalog_field {
	const char *name;
	enum catalog_kind kind;
	bool always; /* else it is left out when it is not known */
	const char *meaning;
	const char *words; /* "live-shared|restart": no others; NULL: any */
	const struct catalog_field *of;
};

struct catalog_data {
	const char *type;
	const char *as; /* it has that type's members too; NULL */
	const struct catalog_field *own;
	const char *subject; /* of the event: "vm/GUEST" */
	const char *when;    /* it is sent; NULL: the meaning says it */
};

/* In the order of catalog_types; ends with type NULL. */
extern const struct catalog_data catalog_data[];
const struct catalog_data *catalog_data_find(const char *type);

/* The attributes of the envelope: what stands beside `data`. */
extern const struct catalog_field catalog_envelope[];

/* catalog_sample.c */
struct catalog_example {
	const char *type, *subject, *id, *time;
	const char *data; /* JSON with ' for " */
};
extern const struct catalog_example catalog_examples[];

#endif
