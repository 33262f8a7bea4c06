/* What a drain comes to: is it in time, who makes room, which hosts get full. */

#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"

#define CLOCK_AT 11 /* of "2026-11-21 03:12:45" */
#define CLOCK_LEN 5

/* "03:12", with the day where it is another one than `other`. */
static void
add_time(struct buf *out, const char *rfc3339, const char *other)
{
	char text[TEXT_SIZE], beside[TEXT_SIZE];

	text_time(rfc3339, text);
	text_time(other, beside);
	if (strlen(text) < CLOCK_AT + CLOCK_LEN) {
		buf_adds(out, text);
		return;
	}
	if (strncmp(text, beside, CLOCK_AT) != 0)
		buf_addf(out, "%.*s", CLOCK_AT, text);
	buf_addf(out, "%.*s", CLOCK_LEN, text + CLOCK_AT);
}

static void
add_names(const json_t *names, struct buf *out)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		buf_adds(out, i > 0 ? ", " : "");
		text_add(out, json_string_value(name));
	}
}

static void
add_deadline(const json_t *outlook, const struct style *style, struct buf *out)
{
	const char *deadline = field_text(outlook, "deadline");
	const char *ends = field_text(outlook, "ends");
	const json_t *late = json_object_get(outlook, "late");
	bool met = json_is_true(json_object_get(outlook, "met"));
	int64_t blocked = field_count(outlook, "blocked");
	enum text_colour colour = met ? TEXT_GREEN : TEXT_RED;
	char text[TEXT_SIZE];

	if (deadline == NULL)
		return;
	buf_adds(out, "by ");
	add_time(out, deadline, deadline);
	buf_adds(out, ": ");
	text_colour_on(out, style, colour);
	buf_adds(out, met ? "yes" : "no");
	text_colour_off(out, style, colour);
	if (json_array_size(late) > 0) {
		buf_addf(out, ", %s would be late: ",
		    text_plural((int64_t)json_array_size(late), "guest", text));
		add_names(late, out);
	}
	if (blocked > 0)
		buf_addf(out, ", %s cannot leave",
		    text_plural(blocked, "guest", text));
	if (ends != NULL) {
		buf_adds(out, met ? ", ends " : "; ends ");
		add_time(out, ends, deadline);
	}
	buf_adds(out, "\n");
}

static void
add_room(const json_t *outlook, struct buf *out)
{
	const json_t *move;
	size_t i;

	json_array_foreach(json_object_get(outlook, "room"), i, move)
	{
		text_add(out, field_text_or(move, "vm", "-"));
		buf_adds(out, " goes from ");
		text_add(out, field_text_or(move, "from", "-"));
		buf_adds(out, " to ");
		text_add(out, field_text_or(move, "to", "-"));
		buf_adds(out, ": ");
		text_add(out, field_text_or(move, "why", "-"));
		buf_adds(out, "\n");
	}
}

void
render_outlook(const json_t *drain, const struct style *style, struct buf *out)
{
	const json_t *outlook = json_object_get(drain, "outlook"), *host;
	const json_t *filled = json_object_get(outlook, "filled");
	char text[TEXT_SIZE];
	size_t i;

	add_deadline(outlook, style, out);
	add_room(outlook, out);
	if (json_array_size(filled) == 0)
		return;
	buf_addf(out, "after this drain %s above 90 %% memory: ",
	    text_plural((int64_t)json_array_size(filled), "host", text));
	json_array_foreach(filled, i, host)
	{
		buf_adds(out, i > 0 ? ", " : "");
		text_add(out, field_text_or(host, "host", "-"));
		buf_addf(out, " %lld %%",
		    (long long)field_count(host, "memory_percent"));
	}
	buf_adds(out, "\n");
}
