/*
 * Events as lines.  Their data differs by type and grows over time; a line
 * takes what it knows from it, in one order, and leaves the rest to -o json.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"

#define TYPE_WIDTH 18
#define SUBJECT_WIDTH 14

static void
add_padded(const char *text, size_t width, struct buf *out)
{
	size_t used = text_width(text);

	text_add(out, text);
	text_add_spaces(out, (used < width ? width - used : 0) + 2);
}

static enum text_colour
colour_of(const char *type)
{
	static const struct {
		const char *end;
		enum text_colour colour;
	} ends[] = {
	    {".completed", TEXT_GREEN},
	    {".recovered", TEXT_GREEN},
	    {".failed", TEXT_RED},
	    {".rolled_back", TEXT_RED},
	    {".blocked", TEXT_RED},
	    {".lost", TEXT_RED},
	    {".rejected", TEXT_RED},
	};
	size_t len = strlen(type);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i].end);

		if (len >= end && strcmp(type + len - end, ends[i].end) == 0)
			return ends[i].colour;
	}
	return TEXT_PLAIN;
}

static void
add_word(struct buf *out, bool *any, const char *before, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_addf(out, "%s%s", *any ? ", " : "", before);
	text_add(out, text);
	*any = true;
}

/* How many guests of a drain, when its event says. */
static void
add_count(struct buf *out, bool *any, const json_t *data, const char *key)
{
	int64_t count = field_int(data, key);
	char text[TEXT_SIZE];

	if (count == FIELD_UNKNOWN || (count == 0 && *any))
		return;
	snprintf(text, sizeof(text), "%lld %s", (long long)count, key);
	add_word(out, any, "", text);
}

static void
add_flag(struct buf *out, bool *any, const json_t *data, const char *key)
{
	const json_t *flag = json_object_get(data, key);

	if (json_is_boolean(flag))
		add_word(out, any, json_is_true(flag) ? "" : "no ", key);
}

static void
add_data(const json_t *data, struct buf *out)
{
	const json_t *result = json_object_get(data, "result");
	const char *from = field_text(data, "from");
	const char *to = field_text(data, "to");
	static const char *const texts[] = {
	    "strategy", "outcome", "error", "remedy", "reason", "why"};
	char text[TEXT_SIZE];
	bool any = false;

	if (from != NULL && to != NULL) {
		text_add(out, from);
		add_word(out, &any, " to ", to);
	}
	if (field_int(data, "duration_ms") != FIELD_UNKNOWN)
		add_word(out, &any, "in ",
		    text_duration(field_int(data, "duration_ms"), text));
	for (int i = 0; i < 2; i++) {
		const json_t *at = i == 0 ? data : result;

		if (field_int(at, "downtime_ms") != FIELD_UNKNOWN)
			add_word(out, &any, "downtime ",
			    text_duration(field_int(at, "downtime_ms"), text));
		if (field_int(at, "bytes") != FIELD_UNKNOWN)
			add_word(out, &any, "",
			    text_bytes(field_int(at, "bytes"), text));
	}
	add_count(out, &any, data, "moved");
	add_count(out, &any, data, "blocked");
	add_flag(out, &any, data, "maintenance");
	/* Of a decision, and of a policy's mode. */
	if (field_text(data, "summary") != NULL)
		add_word(out, &any, "", field_text(data, "host"));
	add_word(out, &any, "", field_text(data, "summary"));
	add_word(out, &any, "mode ", field_text(data, "mode"));
	add_word(out, &any, "was ", field_text(data, "before"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add_word(out, &any, "", field_text(data, texts[i]));
	/* A move's reason has parts; the text is the one for people. */
	add_word(
	    out, &any, "", field_text(json_object_get(data, "why"), "text"));
}

void
render_event(const json_t *event, const struct style *style, struct buf *out)
{
	const char *type = field_text_or(event, "type", "-");
	enum text_colour colour;
	char text[TEXT_SIZE];

	if (strncmp(type, "drover.", 7) == 0)
		type += 7;
	buf_addf(out, "%s  ", text_time(field_text(event, "time"), text));
	colour = colour_of(type);
	text_colour_on(out, style, colour);
	add_padded(type, TYPE_WIDTH, out);
	text_colour_off(out, style, colour);
	add_padded(field_text_or(event, "subject", "-"), SUBJECT_WIDTH, out);
	add_data(json_object_get(event, "data"), out);
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_adds(out, "\n");
}

void
render_events(
    const json_t *answer, const struct style *style, bool wide, struct buf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(answer, "events"), i, row)
	{
		if (wide)
			buf_addf(
			    out, "%6lld  ", (long long)field_count(row, "seq"));
		render_event(json_object_get(row, "event"), style, out);
	}
}
