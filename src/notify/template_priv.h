#ifndef DROVER_NOTIFY_TEMPLATE_PRIV_H
#define DROVER_NOTIFY_TEMPLATE_PRIV_H

#include "base/buf.h"
#include "notify/template.h"

/* Between template.c (reading), template_path.c (what a path may be) and
 * template_value.c (filters and escaping). */

#define TEMPLATE_DEPTH_MAX 12
#define TEMPLATE_FILTERS_MAX 8
#define TEMPLATE_NAME_MAX 64

/* What a value may be: flags, since types of events differ. */
enum template_kind {
	TEMPLATE_TEXT = 1 << 0,
	TEMPLATE_NUMBER = 1 << 1,
	TEMPLATE_FLAG = 1 << 2,
	TEMPLATE_STRUCTURE = 1 << 3, /* list or object */
};

struct template_path {
	char *segments[TEMPLATE_DEPTH_MAX];
	size_t count;
};

/* The kinds that it has in the events that have it; 0 with the reason: none. */
unsigned template_path_kinds(const struct template_path *path, struct err *err);
/* Borrowed; NULL: the events do not have it. */
json_t *template_path_get(
    const struct template_path *path, const json_t *events);

enum template_filter {
	TEMPLATE_BYTES,
	TEMPLATE_DURATION,
	TEMPLATE_UPPER,
	TEMPLATE_LOWER,
	TEMPLATE_DEFAULT,
	TEMPLATE_JSON
};
extern const char *const template_filter_names[]; /* ends with NULL */

struct template_use {
	enum template_filter filter;
	char *text; /* of default */
};

enum template_form { TEMPLATE_AS_JSON, TEMPLATE_AS_FORM, TEMPLATE_AS_IS };

/* Text, or (path.count > 0) a value. */
struct template_part {
	char *text;
	size_t len;
	struct template_path path;
	struct template_use uses[TEMPLATE_FILTERS_MAX];
	size_t use_count;
	bool in_text; /* between quotes of JSON */
};

struct template
{
	enum template_form form;
	bool sequence; /* of JSON texts */
	struct template_part *parts;
	size_t count, size;
};

/* Is a filter of use there?  Changes *kinds to what comes out. */
int template_filter_check(
    enum template_filter filter, unsigned *kinds, struct err *err);
/* May a text come out that has no quotes?  `kinds`: before the filters. */
bool template_may_be_text(const struct template_part *part, unsigned kinds);
void template_add_value(const struct template_part *part,
    enum template_form form, const json_t *events, struct buf *out);

#endif
