/* How the daemon is, on one screen: what runs, and what wants attention. */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"

#define KEY_WIDTH 11

void
render_field(const char *key, const char *value, struct buf *out)
{
	size_t used = text_width(key);

	text_add(out, key);
	text_add_spaces(out, used < KEY_WIDTH ? KEY_WIDTH - used : 1);
	text_add(out, value != NULL && value[0] != '\0' ? value : "-");
	buf_adds(out, "\n");
}

/* "2 up, 1 down" of what is not zero; the first is always said. */
static void
add_counts(const json_t *object, const char *const *keys,
    const char *const *words, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; keys[i] != NULL; i++) {
		int64_t count = field_int(object, keys[i]);

		if (count == FIELD_UNKNOWN || (count == 0 && i > 0))
			continue;
		buf_addf(out, "%s%lld %s", any ? ", " : "", (long long)count,
		    words[i]);
		any = true;
	}
}

static void
add_drains(const json_t *drains, struct buf *out)
{
	const json_t *drain;
	char text[512];
	size_t i;

	json_array_foreach(drains, i, drain)
	{
		int n = snprintf(text, sizeof(text), "%s: %lld of %lld moved",
		    field_text_or(drain, "host", "-"),
		    (long long)field_count(drain, "moved"),
		    (long long)field_count(drain, "total"));

		if (field_count(drain, "blocked") > 0)
			snprintf(text + n, sizeof(text) - (size_t)n,
			    ", %lld blocked",
			    (long long)field_count(drain, "blocked"));
		render_field(i == 0 ? "draining" : "", text, out);
	}
}

static void
add_receivers(
    const json_t *receivers, const struct style *style, struct buf *out)
{
	const json_t *receiver;
	size_t i;

	json_array_foreach(receivers, i, receiver)
	{
		bool fine = render_receiver_is_fine(receiver);
		struct buf line = BUF_INIT(4096);

		render_receiver_line(receiver, &line);
		if (!fine)
			text_colour_on(out, style, TEXT_RED);
		render_field(i == 0 ? "receivers" : "", buf_str(&line), out);
		if (!fine)
			text_colour_off(out, style, TEXT_RED);
		buf_free(&line);
	}
}

/* What is wrong, of what is told to receivers that hold state. */
static void
add_conditions(const json_t *conditions, struct buf *out)
{
	const json_t *condition;
	char text[512], since[TEXT_SIZE];
	size_t i;

	json_array_foreach(conditions, i, condition)
	{
		snprintf(text, sizeof(text), "%s, since %s",
		    field_text_or(condition, "key", "-"),
		    text_time(field_text(condition, "since"), since));
		render_field(i == 0 ? "wrong" : "", text, out);
	}
}

void
render_status(
    const json_t *status, const struct style *style, bool wide, struct buf *out)
{
	static const char *const host_keys[] = {
	    "up", "down", "silent", "claimed", "maintenance", "cordoned", NULL};
	static const char *const host_words[] = {"up", "down", "silent",
	    "claimed by another droverd", "in maintenance", "cordoned", NULL};
	static const char *const move_keys[] = {
	    "in_flight", "completed", "failed", NULL};
	static const char *const move_words[] = {
	    "in flight", "completed", "failed", NULL};
	const json_t *config = json_object_get(status, "config");
	const json_t *vms = json_object_get(status, "vms");
	const char *rejected = field_text(config, "rejected");
	struct buf text = BUF_INIT(1024);
	char figure[TEXT_SIZE];

	(void)wide;
	buf_addf(&text, "%s, site %s, pid %s",
	    field_text_or(status, "version", "-"),
	    field_text_or(status, "site", "-"),
	    text_number(field_int(status, "pid"), figure));
	buf_addf(&text, ", up %s",
	    text_duration(field_int(status, "uptime_ms"), figure));
	render_field("droverd", buf_str(&text), out);
	buf_clear(&text);
	add_counts(
	    json_object_get(status, "hosts"), host_keys, host_words, &text);
	render_field("hosts", buf_str(&text), out);
	buf_clear(&text);
	buf_addf(&text, "%s running",
	    text_number(field_int(vms, "running"), figure));
	buf_addf(&text, " of %s", text_number(field_int(vms, "total"), figure));
	render_field("guests", buf_str(&text), out);
	buf_clear(&text);
	add_counts(
	    json_object_get(status, "moves"), move_keys, move_words, &text);
	render_field("moves", buf_str(&text), out);
	buf_clear(&text);
	add_drains(json_object_get(status, "drains"), out);
	add_receivers(json_object_get(status, "receivers"), style, out);
	add_conditions(json_object_get(status, "conditions"), out);
	if (config != NULL) {
		buf_addf(&text, "%s, loaded %s",
		    field_text_or(config, "path", "-"),
		    text_time(field_text(config, "loaded"), figure));
		render_field("config", buf_str(&text), out);
	}
	if (rejected != NULL) {
		text_colour_on(out, style, TEXT_RED);
		render_field("", "the last reload was refused:", out);
		text_colour_off(out, style, TEXT_RED);
		while (*rejected != '\0') {
			int len = (int)strcspn(rejected, "\n");

			buf_clear(&text);
			buf_addf(&text, "%.*s", len, rejected);
			render_field("", buf_str(&text), out);
			rejected += len + (rejected[len] == '\n');
		}
	}
	buf_free(&text);
}
