/*
 * From events to something to read.
 *
 * An event is written for programs: it has everything.  A person in a chat wants
 * the one thing that happened as a headline, why in a sentence, and the figures
 * that one asks for next.  What that is for each type stands in message_type.c;
 * here an event is taken apart, and several become one message with a line for
 * each, because a group that is collected for half a minute is read as one thing.
 *
 * A type that is not known here is shown all the same, with what its data holds:
 * a message that says little is better than one that does not come.
 */
#include "notify/message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "notify/catalog.h"
#include "notify/text.h"

#define MESSAGE_ARENA_MAX (64 << 20)
#define MESSAGE_KINDS_MAX 8

const char *
message_get(const struct message_event *event, const char *key, size_t max)
{
	const char *text = json_string_value(json_object_get(event->data, key));

	if (text == NULL)
		return NULL;
	text = text_line(event->arena, text, max);
	return text[0] != '\0' ? text : NULL;
}

int64_t
message_count(const struct message_event *event, const char *key)
{
	const json_t *value = json_object_get(event->data, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

void
message_add_field(struct message *m, const char *name, const char *value)
{
	if (value == NULL || m->field_count == MESSAGE_FIELDS_MAX)
		return;
	value = text_line(m->arena, value, MESSAGE_VALUE_MAX);
	if (value[0] != '\0')
		m->fields[m->field_count++] =
		    (struct message_field){name, value};
}

const char *
message_origin(const struct message *m)
{
	char at[CLOCK_RFC3339_SIZE];

	wall_format(m->at, at);
	return arena_printf(m->arena, "%s%s%s%s%.10s %.8s UTC",
	    m->site != NULL ? m->site : "", m->site != NULL ? ", " : "",
	    m->type != NULL ? m->type : "", m->type != NULL ? ", " : "", at,
	    at + 11);
}

/* ---- one of a type that is not known ---- */

static const char *
message_scalar(struct arena *arena, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		return arena_printf(
		    arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return arena_printf(arena, "%g", json_real_value(value));
	case JSON_TRUE:
		return "yes";
	case JSON_FALSE:
		return "no";
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NULL:
		return NULL;
	}
	return NULL;
}

/* A key is a stranger's word as well. */
static const char *
message_field_name(struct arena *arena, const char *key)
{
	char *name = arena_strndup(arena, key, MESSAGE_NAME_MAX);

	for (char *p = name; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr(" _-.", *p) == NULL)
			*p = '-';
	}
	return name[0] != '\0' ? name : "-";
}

static void
message_describe_anything(struct message *m, const struct message_event *e)
{
	const char *key;
	json_t *value;

	m->title = e->subject != NULL
	    ? arena_printf(e->arena, "%s: %s", e->type, e->subject)
	    : e->type;
	json_object_foreach((json_t *)(uintptr_t)e->data, key, value)
	{
		message_add_field(m, message_field_name(e->arena, key),
		    message_scalar(e->arena, value));
	}
}

/* ---- one event ---- */

static const char *
message_site(struct arena *arena, const json_t *body)
{
	static const char prefix[] = "/drover/";
	const char *source = json_string_value(json_object_get(body, "source"));

	if (source == NULL)
		return NULL;
	if (strncmp(source, prefix, sizeof(prefix) - 1) == 0)
		source += sizeof(prefix) - 1;
	source = text_line(arena, source, MESSAGE_NAME_MAX);
	return source[0] != '\0' ? source : NULL;
}

/* The body stays the caller's: the event points into it. */
static int
message_open(const struct format_event *in, struct arena *arena,
    json_t **out_body, struct message_event *out, struct err *err)
{
	static const char prefix[] = "drover.";
	const char *type = in->type;
	json_error_t why;
	json_t *body = json_loads(in->body, 0, &why);

	if (!json_is_object(body)) {
		json_decref(body);
		return err_set(err, ERR_INVALID,
		    "event %s: its body is not a CloudEvent: %s", in->id,
		    body == NULL ? why.text : "an object is wanted");
	}
	if (strncmp(type, prefix, sizeof(prefix) - 1) == 0)
		type += sizeof(prefix) - 1;
	*out = (struct message_event){.arena = arena,
	    .type = text_line(arena, type, MESSAGE_NAME_MAX),
	    .data = json_object_get(body, "data")};
	if (!json_is_object(out->data))
		out->data = NULL;
	type = json_string_value(json_object_get(body, "subject"));
	if (type != NULL)
		type = text_line(arena, type, MESSAGE_NAME_MAX);
	if (type != NULL && type[0] != '\0')
		out->subject = type;
	*out_body = body;
	return 0;
}

static int
message_from_one(
    struct message *m, const struct format_event *in, struct err *err)
{
	struct message_event event;
	json_t *body = NULL;

	if (message_open(in, m->arena, &body, &event, err) < 0)
		return -1;
	m->site = message_site(m->arena, body);
	m->type = event.type;
	m->at = in->at;
	m->severity = catalog_severity(event.type, event.data);
	if (!message_describe(m, &event))
		message_describe_anything(m, &event);
	json_decref(body);
	return 0;
}

/* ---- several ---- */

/* How many events of a kind there are: "10 moved". */
struct message_tally {
	struct {
		const char *type;
		int64_t count;
	} kinds[MESSAGE_KINDS_MAX];
	size_t count;
	int64_t others;
};

struct message_words {
	const char *type, *one, *many;
};

static struct message_words
message_words(const char *type)
{
	static const struct message_words words[] = {
	    {"move.started", "started", "started"},
	    {"move.completed", "moved", "moved"},
	    {"move.failed", "failed", "failed"},
	    {"move.rolled_back", "rolled back", "rolled back"},
	    {"drain.started", "drain begun", "drains begun"},
	    {"drain.completed", "host drained", "hosts drained"},
	    {"drain.blocked", "drain blocked", "drains blocked"},
	    {"decision.made", "decision", "decisions"},
	    {"host.lost", "host lost", "hosts lost"},
	    {"host.recovered", "host back", "hosts back"},
	    {"host.maintenance", "host flagged", "hosts flagged"},
	    {"policy.mode", "policy changed", "policies changed"},
	    {"config.rejected", "configuration rejected",
		"configurations rejected"},
	    {"config.accepted", "configuration accepted",
		"configurations accepted"},
	    {"receiver.disabled", "receiver disabled", "receivers disabled"},
	    {"receiver.enabled", "receiver enabled", "receivers enabled"},
	    {"condition.ended", "condition over", "conditions over"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].type, type) == 0)
			return words[i];
	}
	return (struct message_words){type, type, type};
}

static void
message_tally(
    struct arena *arena, struct message_tally *tally, const char *type)
{
	size_t i = 0;

	while (i < tally->count && strcmp(tally->kinds[i].type, type) != 0)
		i++;
	if (i == MESSAGE_KINDS_MAX) {
		tally->others++;
		return;
	}
	if (i == tally->count) {
		tally->count++;
		tally->kinds[i].type = arena_strdup(arena, type);
	}
	tally->kinds[i].count++;
}

static const char *
message_tally_title(
    struct arena *arena, const struct message_tally *tally, size_t count)
{
	struct buf title = BUF_INIT(1024);
	const char *text;

	(void)buf_addf(&title, "%zu events: ", count);
	for (size_t i = 0; i < tally->count; i++) {
		struct message_words words =
		    message_words(tally->kinds[i].type);
		int64_t n = tally->kinds[i].count;

		(void)buf_addf(&title, "%s%" PRId64 " %s", i > 0 ? ", " : "", n,
		    n == 1 ? words.one : words.many);
	}
	if (tally->others > 0)
		(void)buf_addf(&title, ", %" PRId64 " others", tally->others);
	text = arena_strdup(arena, buf_str(&title));
	buf_free(&title);
	return text;
}

/* What one line says of an event; in short, but with the reason of a failure. */
static const char *
message_short(struct arena *arena, const struct message *one)
{
	if (one->text == NULL)
		return arena_strdup(arena, one->title);
	return arena_printf(arena, "%s%s %s", one->title,
	    islower((unsigned char)one->text[0]) ? ":" : ".",
	    text_line(arena, one->text, MESSAGE_VALUE_MAX));
}

static int
message_from_many(struct message *m, const struct format_event *events,
    size_t count, struct err *err)
{
	struct message_tally tally = {0};

	m->lines = arena_array(m->arena, MESSAGE_LINES_MAX, sizeof(*m->lines));
	for (size_t i = 0; i < count; i++) {
		struct message one = {.arena = arena_new(MESSAGE_ARENA_MAX)};

		if (message_from_one(&one, &events[i], err) < 0) {
			arena_free(one.arena);
			return -1;
		}
		message_tally(m->arena, &tally, one.type);
		if (one.severity > m->severity)
			m->severity = one.severity;
		if (m->line_count < MESSAGE_LINES_MAX)
			m->lines[m->line_count++] =
			    message_short(m->arena, &one);
		else
			m->lines_left_out++;
		if (m->site == NULL && one.site != NULL)
			m->site = arena_strdup(m->arena, one.site);
		arena_free(one.arena);
	}
	m->at = events[count - 1].at;
	m->title = message_tally_title(m->arena, &tally, count);
	return 0;
}

struct message *
message_new(const struct format_event *events, size_t count, struct err *err)
{
	struct arena *arena = arena_new(MESSAGE_ARENA_MAX);
	struct message *m = arena_alloc(arena, sizeof(*m));
	int rc;

	m->arena = arena;
	if (count == 0)
		rc = err_set(err, ERR_INVALID, "there are no events to tell");
	else if (count == 1)
		rc = message_from_one(m, &events[0], err);
	else
		rc = message_from_many(m, events, count, err);
	if (rc == 0)
		return m;
	arena_free(arena);
	return NULL;
}

void
message_free(struct message *m)
{
	if (m != NULL)
		arena_free(m->arena);
}
