/*
 * Slack: an incoming webhook with Block Kit.
 *
 * Slack has no escape for its formatting characters, so nothing of a stranger
 * stands in mrkdwn: titles, texts and values are plain_text objects, where only
 * & < > mean something, and the table of guests is a block of code, in which a
 * backtick becomes an apostrophe.  `verbatim` keeps Slack from making links of
 * what it takes for names.
 *
 * Limits (docs.slack.dev, block kit): header 150, text 3000, 10 fields of 2000
 * in a section, 50 blocks.  All texts together must stay below about 13,000
 * characters; that one is not written down, and answers msg_blocks_too_long.
 */
#include "notify/format_private.h"

#include <stdint.h>
#include <string.h>

#define SLACK_BODY_MAX (100 * 1024)
#define SLACK_HEADER_MAX 150
#define SLACK_TEXT_MAX 3000
#define SLACK_VALUE_MAX 400
#define SLACK_FIELDS_MAX 10 /* a name and its value are two */
#define SLACK_ALL_MAX 12000
#define SLACK_CONTEXT_MAX 300

static json_t *
plain(const char *text, size_t max)
{
	return json_pack("{s:s, s:o, s:b}", "type", "plain_text", "text",
	    format_string(text, TEXT_ENTITIES, TEXT_CHARACTERS, max), "emoji",
	    0);
}

static void
add_section(json_t *blocks, json_t *text)
{
	json_array_append_new(
	    blocks, json_pack("{s:s, s:o}", "type", "section", "text", text));
}

/* In two columns: names at the left, values beside them. */
static void
add_fields(json_t *blocks, const struct message *m)
{
	json_t *fields = NULL;

	for (size_t i = 0; i < m->field_count; i++) {
		const struct message_field *f = &m->fields[i];

		if (i * 2 % SLACK_FIELDS_MAX == 0) {
			fields = json_array();
			json_array_append_new(blocks,
			    json_pack("{s:s, s:o}", "type", "section", "fields",
				fields));
		}
		json_array_append_new(fields,
		    json_pack("{s:s, s:s, s:b}", "type", "mrkdwn", "text",
			arena_printf(m->arena, "*%s*", f->name), "verbatim",
			1));
		json_array_append_new(fields, plain(f->value, SLACK_VALUE_MAX));
	}
}

/* The characters of all texts below. */
static size_t
count_text(const json_t *json)
{
	size_t used = 0, i;
	const char *key;
	json_t *value;

	json_array_foreach(json, i, value) used += count_text(value);
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		if (json_is_string(value) && strcmp(key, "text") == 0)
			used += text_length(
			    json_string_value(value), TEXT_CHARACTERS);
		else
			used += count_text(value);
	}
	return used;
}

/* Lines in as many blocks as they need, of `room` characters in all. */
static size_t
add_lines(json_t *blocks, const struct message *m, const char **lines,
    size_t count, bool code, size_t room)
{
	size_t i = 0;

	while (i < count) {
		size_t max = room < SLACK_TEXT_MAX ? room : SLACK_TEXT_MAX;
		struct text_lines part = text_lines_new(TEXT_CHARACTERS, max);
		size_t first = i;

		if (code)
			(void)text_lines_add(&part, "```");
		while (i < count &&
		    text_lines_add(&part,
			format_escape(m, lines[i],
			    code ? TEXT_ENTITIES_CODE : TEXT_ENTITIES,
			    TEXT_CHARACTERS, SLACK_VALUE_MAX)))
			i++;
		if (i > first && code) {
			(void)buf_adds(&part.buf, "```");
			add_section(blocks,
			    json_pack("{s:s, s:s, s:b}", "type", "mrkdwn",
				"text", buf_str(&part.buf), "verbatim", 1));
		} else if (i > first) {
			add_section(blocks,
			    json_pack("{s:s, s:s, s:b}", "type", "plain_text",
				"text", buf_str(&part.buf), "emoji", 0));
		}
		room -= part.used < room ? part.used : room;
		buf_free(&part.buf);
		if (i == first)
			break;
	}
	return i;
}

static size_t
add_items(json_t *blocks, const struct message *m, size_t items)
{
	size_t used = count_text(blocks) + 2 * SLACK_CONTEXT_MAX, shown = 0;
	size_t room = used < SLACK_ALL_MAX ? SLACK_ALL_MAX - used : 0;
	size_t rows = items < m->row_count ? items : m->row_count;

	if (rows > 0) {
		shown = add_lines(
		    blocks, m, message_table(m, rows), rows + 1, true, room);
		return shown - (shown > 0); /* the heads */
	}
	return add_lines(blocks, m, m->lines,
	    items < m->line_count ? items : m->line_count, false, room);
}

static json_t *
slack_build(const struct message *m, size_t items)
{
	json_t *blocks = json_array();
	const char *title = format_title(m), *more;

	json_array_append_new(blocks,
	    json_pack("{s:s, s:o}", "type", "header", "text",
		plain(title, SLACK_HEADER_MAX)));
	if (m->text != NULL)
		add_section(blocks, plain(m->text, SLACK_TEXT_MAX));
	add_fields(blocks, m);
	more = format_left_out(m, add_items(blocks, m, items));
	if (more != NULL)
		add_section(blocks, plain(more, SLACK_CONTEXT_MAX));
	json_array_append_new(blocks,
	    json_pack("{s:s, s:[o]}", "type", "context", "elements",
		plain(message_origin(m), SLACK_CONTEXT_MAX)));
	return json_pack("{s:o, s:o}", "text",
	    format_string(
		title, TEXT_ENTITIES, TEXT_CHARACTERS, SLACK_HEADER_MAX * 2),
	    "blocks", blocks);
}

int
format_slack(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	return format_build(in, slack_build, SLACK_BODY_MAX, out, err);
}
