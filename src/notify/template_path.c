/*
 * Which paths lead somewhere.  The catalogue knows each member that an event can
 * have, so a name that was mistyped is found when the configuration is loaded,
 * and not by an empty line in a message months later.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/diag.h"
#include "notify/catalog_priv.h"
#include "notify/template_priv.h"

#define CANDIDATES_MAX 256

/* What stands beside the events. */
static const struct catalog_field group_fields[] = {
    {"count", CATALOG_COUNT, true, "how many events", NULL, NULL},
    {"events", CATALOG_OBJECTS, true, "all of them", NULL, NULL},
    {"data", CATALOG_OBJECT, true, "the data", NULL, NULL},
    {NULL, CATALOG_TEXT, false, NULL, NULL, NULL},
};

struct walk {
	const struct template_path *path;
	size_t failed; /* the deepest segment that was not found */
	const char *names[CANDIDATES_MAX + 1]; /* that it could have been */
	size_t count;
};

static bool
is_index(const char *segment)
{
	return segment[0] != '\0' &&
	    segment[strspn(segment, "0123456789")] == '\0';
}

static unsigned
kind_of(const struct catalog_field *f)
{
	switch (f->kind) {
	case CATALOG_TEXT:
	case CATALOG_TIME:
		return TEMPLATE_TEXT;
	case CATALOG_COUNT:
	case CATALOG_INTEGER:
		return TEMPLATE_NUMBER;
	case CATALOG_FLAG:
		return TEMPLATE_FLAG;
	case CATALOG_TEXTS:
	case CATALOG_OBJECT:
	case CATALOG_OBJECTS:
		break;
	}
	return TEMPLATE_STRUCTURE;
}

static void
add_candidates(struct walk *w, const struct catalog_field *fields, size_t depth)
{
	if (depth < w->failed)
		return;
	if (depth > w->failed) {
		w->failed = depth;
		w->count = 0;
	}
	for (; fields != NULL && fields->name != NULL; fields++)
		if (w->count < CANDIDATES_MAX)
			w->names[w->count++] = fields->name;
	w->names[w->count] = NULL;
}

static const struct catalog_field *
find_field(const struct catalog_field *fields, const char *name)
{
	for (; fields != NULL && fields->name != NULL; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

/* From segment `depth` on, in such an object. */
static unsigned
walk_object(struct walk *w, const struct catalog_field *fields, size_t depth)
{
	const struct template_path *path = w->path;

	while (depth < path->count) {
		const struct catalog_field *f =
		    find_field(fields, path->segments[depth]);
		bool list;

		if (f == NULL) {
			add_candidates(w, fields, depth);
			return 0;
		}
		list = f->kind == CATALOG_TEXTS || f->kind == CATALOG_OBJECTS;
		if (++depth == path->count)
			return kind_of(f);
		if (list && !is_index(path->segments[depth])) {
			add_candidates(w, NULL, depth);
			return 0;
		}
		if (list && ++depth == path->count)
			return f->kind == CATALOG_TEXTS ? TEMPLATE_TEXT
							: TEMPLATE_STRUCTURE;
		fields = f->of;
	}
	return 0;
}

static unsigned
walk_type(struct walk *w, const struct catalog_data *d, size_t depth)
{
	unsigned kinds = 0;

	if (d == NULL)
		return 0;
	if (d->as != NULL)
		kinds = walk_type(w, catalog_data_find(d->as), depth);
	return kinds | walk_object(w, d->own, depth);
}

static unsigned
walk_event(struct walk *w, size_t depth)
{
	const struct template_path *path = w->path;
	unsigned kinds = 0;

	if (strcmp(path->segments[depth], "data") != 0)
		return walk_object(w, catalog_envelope, depth);
	if (depth + 1 == path->count)
		return TEMPLATE_STRUCTURE;
	for (const struct catalog_data *d = catalog_data; d->type != NULL; d++)
		kinds |= walk_type(w, d, depth + 1);
	return kinds;
}

static unsigned
walk_all(struct walk *w)
{
	const struct template_path *path = w->path;
	const char *first = path->segments[0];

	if (strcmp(first, "events") == 0 && path->count > 2 &&
	    is_index(path->segments[1]))
		return walk_event(w, 2);
	if (strcmp(first, "data") != 0 &&
	    find_field(group_fields, first) != NULL)
		return walk_object(w, group_fields, 0);
	add_candidates(w, group_fields, 0);
	return walk_event(w, 0);
}

static void
join(const struct template_path *path, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s%s", i > 0 ? "." : "", path->segments[i]);
}

static int
refuse(struct walk *w, struct err *err)
{
	const char *wrong = w->path->segments[w->failed];
	struct buf all = BUF_INIT(1024), near = BUF_INIT(1024);
	const char *name = diag_suggest(wrong, w->names);

	/* The client calls it so. */
	if (name == NULL && strcmp(wrong, "vm") == 0)
		for (size_t i = 0; i < w->count; i++)
			if (strcmp(w->names[i], "guest") == 0)
				name = "guest";
	join(w->path, w->path->count, &all);
	join(w->path, w->failed, &near);
	if (name != NULL)
		err_set(err, ERR_INVALID,
		    "no event has %s (did you mean %s%s%s?)", buf_str(&all),
		    buf_str(&near), w->failed > 0 ? "." : "", name);
	else if (w->count == 0 && w->failed > 0)
		err_set(err, ERR_INVALID,
		    "no event has %s: %s is no object with members",
		    buf_str(&all), buf_str(&near));
	else
		err_set(err, ERR_INVALID,
		    "no event has %s; what they have is in drover-events(7)",
		    buf_str(&all));
	buf_free(&all);
	buf_free(&near);
	return -1;
}

unsigned
template_path_kinds(const struct template_path *path, struct err *err)
{
	struct walk w = {.path = path};
	unsigned kinds = walk_all(&w);

	if (kinds == 0)
		(void)refuse(&w, err);
	return kinds;
}

static json_t *
get_from(const struct template_path *path, size_t depth, json_t *value)
{
	for (; depth < path->count && value != NULL; depth++) {
		const char *segment = path->segments[depth];

		if (json_is_array(value))
			value = is_index(segment)
			    ? json_array_get(value, strtoul(segment, NULL, 10))
			    : NULL;
		else
			value = json_object_get(value, segment);
	}
	return json_is_null(value) ? NULL : value;
}

json_t *
template_path_get(const struct template_path *path, const json_t *events)
{
	json_t *all = (json_t *)(uintptr_t)events;

	if (strcmp(path->segments[0], "events") == 0)
		return get_from(path, 1, all);
	return get_from(path, 0, json_array_get(all, 0));
}
