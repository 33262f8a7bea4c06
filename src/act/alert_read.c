/*
 * Reading what somebody's monitoring posts.
 *
 * The body comes from the network.  How deep it nests is counted before the
 * parser sees it, because the parser recurses; sizes are bounded by the body's
 * and by the limits of one alert, so that ten thousand alerts that stay are
 * still a known amount of memory.
 *
 * A body is taken as a whole or not at all: whoever sends something else than
 * was agreed should hear so at once, and not find out by a drain that did not
 * happen.
 */
#include "act/alert_read.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct reading {
	struct arena *arena;
	size_t index; /* of the alert */
	struct err *err;
};

static void
cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define cleanup_json_ref cleanup(cleanup_json)

static const char *
kind_of(const json_t *value)
{
	if (value == NULL)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "null";
}

/* Brackets outside of texts; more than the limit is not JSON for us. */
static bool
is_too_deep(const char *body, size_t len)
{
	size_t depth = 0;
	bool text = false;

	for (size_t i = 0; i < len; i++) {
		if (text) {
			if (body[i] == '\\')
				i++;
			else if (body[i] == '"')
				text = false;
			continue;
		}
		if (body[i] == '"')
			text = true;
		else if (body[i] == '{' || body[i] == '[')
			depth++;
		else if ((body[i] == '}' || body[i] == ']') && depth > 0)
			depth--;
		if (depth > ALERT_DEPTH_MAX)
			return true;
	}
	return false;
}

/* A text of the alert; NULL with *err when it is none, NULL alone when it is
 * absent, null or empty. */
static const char *
read_text(const struct reading *r, const json_t *alert, const char *key)
{
	const json_t *value = json_object_get(alert, key);

	if (value == NULL || json_is_null(value))
		return NULL;
	if (!json_is_string(value)) {
		err_set(r->err, ERR_INVALID,
		    "alerts[%zu].%s: a text is wanted, not %s", r->index, key,
		    kind_of(value));
		return NULL;
	}
	if (json_string_length(value) > ALERT_TEXT_MAX) {
		err_set(r->err, ERR_INVALID,
		    "alerts[%zu].%s: longer than %d bytes", r->index, key,
		    ALERT_TEXT_MAX);
		return NULL;
	}
	return json_string_length(value) > 0
	    ? arena_strdup(r->arena, json_string_value(value))
	    : NULL;
}

/* The year 1 is how the sender's language writes "no time". */
static struct wall
read_time(const struct reading *r, const json_t *alert, const char *key)
{
	const char *text = read_text(r, alert, key);
	struct wall t = {0};

	if (text != NULL && !wall_parse(text, &t))
		err_set(r->err, ERR_INVALID,
		    "alerts[%zu].%s: \"%.40s\" is not a time as "
		    "2026-11-21T03:00:00Z",
		    r->index, key, text);
	return t.ms > 0 ? t : (struct wall){0};
}

static void
read_status(const struct reading *r, const json_t *alert, bool *out_firing)
{
	const char *status = read_text(r, alert, "status");

	if (r->err->code != ERR_NONE)
		return;
	*out_firing = status != NULL && strcmp(status, "firing") == 0;
	if (!*out_firing && (status == NULL || strcmp(status, "resolved") != 0))
		err_set(r->err, ERR_INVALID,
		    "alerts[%zu].status: firing or resolved is wanted, not "
		    "%s%.40s%s",
		    r->index, status != NULL ? "\"" : "",
		    status != NULL ? status : "nothing",
		    status != NULL ? "\"" : "");
}

static int
compare_keys(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Those of an object whose values are known to be texts. */
static void
take_labels(struct arena *arena, const json_t *labels, struct snap_alert *out)
{
	json_t *object = (json_t *)(uintptr_t)labels, *value;
	const char *key;
	size_t n = 0;

	out->label_count = json_object_size(labels);
	out->label_keys =
	    arena_array(arena, out->label_count, sizeof(out->label_keys[0]));
	out->label_values =
	    arena_array(arena, out->label_count, sizeof(out->label_values[0]));
	json_object_foreach(object, key, value) out->label_keys[n++] =
	    arena_strdup(arena, key);
	if (n > 0)
		qsort(out->label_keys, n, sizeof(out->label_keys[0]),
		    compare_keys);
	out->name = "";
	for (size_t i = 0; i < n; i++) {
		value = json_object_get(labels, out->label_keys[i]);
		out->label_values[i] =
		    arena_strdup(arena, json_string_value(value));
		if (strcmp(out->label_keys[i], "alertname") == 0)
			out->name = out->label_values[i];
		else if (strcmp(out->label_keys[i], "severity") == 0 &&
		    out->label_values[i][0] != '\0')
			out->severity = out->label_values[i];
	}
}

static const char *
make_identity(struct arena *arena, const json_t *labels)
{
	cleanup_free char *text =
	    json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		abort();
	return arena_strdup(arena, text);
}

static void
read_labels(
    const struct reading *r, const json_t *alert, struct alert_news *out)
{
	json_t *labels = json_object_get(alert, "labels"), *value;
	const char *key;
	size_t size = 0;

	if (!json_is_object(labels) || json_object_size(labels) == 0) {
		err_set(r->err, ERR_INVALID,
		    "alerts[%zu].labels: an object with labels is wanted, "
		    "not %s",
		    r->index,
		    json_is_object(labels) ? "an empty one" : kind_of(labels));
		return;
	}
	json_object_foreach(labels, key, value)
	{
		size += strlen(key) + json_string_length(value);
		if (!json_is_string(value)) {
			err_set(r->err, ERR_INVALID,
			    "alerts[%zu].labels.%.60s: a text is wanted, "
			    "not %s",
			    r->index, key, kind_of(value));
			return;
		}
	}
	if (json_object_size(labels) > ALERT_LABELS_MAX ||
	    size > ALERT_LABELS_SIZE_MAX) {
		err_set(r->err, ERR_INVALID,
		    "alerts[%zu].labels: more than %d labels, or than %d "
		    "bytes in all",
		    r->index, ALERT_LABELS_MAX, ALERT_LABELS_SIZE_MAX);
		return;
	}
	take_labels(r->arena, labels, &out->alert);
	out->identity = make_identity(r->arena, labels);
}

static int
read_alert(const struct reading *r, const json_t *alert, struct alert_news *out)
{
	if (!json_is_object(alert))
		return err_set(r->err, ERR_INVALID,
		    "alerts[%zu]: an object is wanted, not %s", r->index,
		    kind_of(alert));
	read_status(r, alert, &out->firing);
	if (r->err->code == ERR_NONE)
		read_labels(r, alert, out);
	if (r->err->code == ERR_NONE)
		out->fingerprint = read_text(r, alert, "fingerprint");
	if (r->err->code == ERR_NONE)
		out->alert.since = read_time(r, alert, "startsAt");
	if (r->err->code == ERR_NONE)
		out->ends = read_time(r, alert, "endsAt");
	return r->err->code == ERR_NONE ? 0 : -1;
}

/* Alertmanager says "4", Grafana "1", and both mean the same of alerts. */
static int
check_frame(const json_t *body, struct err *err)
{
	const json_t *version = json_object_get(body, "version");
	const json_t *alerts = json_object_get(body, "alerts");
	const char *text = json_string_value(version);

	if (!json_is_object(body))
		return err_set(err, ERR_INVALID,
		    "what Alertmanager posts to a webhook is an object, not %s",
		    kind_of(body));
	if (version != NULL &&
	    (text == NULL ||
		(strcmp(text, "4") != 0 && strcmp(text, "1") != 0)))
		return err_set(err, ERR_INVALID,
		    "version: \"4\" is wanted, not %s%.20s",
		    text != NULL ? "" : kind_of(version),
		    text != NULL ? text : "");
	if (!json_is_array(alerts))
		return err_set(err, ERR_INVALID,
		    "alerts: a list is wanted, not %s", kind_of(alerts));
	return 0;
}

struct alert_batch *
alert_read(struct arena *arena, const char *body, size_t len, struct err *err)
{
	struct err mine = {.code = ERR_NONE};
	struct reading r = {.arena = arena, .err = err != NULL ? err : &mine};
	cleanup_json_ref json_t *json = NULL;
	struct alert_batch *batch;
	json_error_t where;
	const json_t *alerts;

	r.err->code = ERR_NONE;
	if (len > ALERT_BODY_MAX) {
		err_set(r.err, ERR_INVALID, "larger than 1 MiB");
		return NULL;
	}
	if (is_too_deep(body, len)) {
		err_set(r.err, ERR_INVALID,
		    "JSON that nests more than %d levels deep",
		    ALERT_DEPTH_MAX);
		return NULL;
	}
	json = json_loadb(body, len, JSON_REJECT_DUPLICATES, &where);
	if (json == NULL) {
		err_set(r.err, ERR_INVALID, "not JSON: line %d column %d: %s",
		    where.line, where.column, where.text);
		return NULL;
	}
	if (check_frame(json, r.err) != 0)
		return NULL;
	alerts = json_object_get(json, "alerts");
	batch = arena_alloc(arena, sizeof(*batch));
	batch->count = json_array_size(alerts);
	batch->items = arena_array(arena, batch->count, sizeof(*batch->items));
	for (r.index = 0; r.index < batch->count; r.index++)
		if (read_alert(&r, json_array_get(alerts, r.index),
			&batch->items[r.index]) != 0)
			return NULL;
	return batch;
}

int
alert_read_labels(
    struct arena *arena, const char *identity, struct snap_alert *out)
{
	cleanup_json_ref json_t *labels = json_loads(identity, 0, NULL);
	const char *key;
	json_t *value;

	if (!json_is_object(labels))
		return -1;
	json_object_foreach(
	    labels, key, value) if (!json_is_string(value)) return -1;
	take_labels(arena, labels, out);
	return 0;
}
