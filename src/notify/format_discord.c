/*
 * Discord: a webhook with one embed.
 *
 * `allowed_mentions` with nothing in it means that nobody is mentioned, whatever
 * the text says; the text is escaped all the same.  The list of guests is a block
 * of code, since Discord has no tables.
 *
 * Limits (discord.com/developers, embed limits): title 256, description 4096, 25
 * fields with names of 256 and values of 1024, footer 2048, and 6000 characters
 * in all of them together.
 */
#include "notify/format_private.h"

#define DISCORD_BODY_MAX (64 * 1024)
#define DISCORD_TITLE_MAX 256
#define DISCORD_DESCRIPTION_MAX 4096
#define DISCORD_FIELDS_MAX 25
#define DISCORD_VALUE_MAX 250
#define DISCORD_FOOTER_MAX 250
#define DISCORD_ALL_MAX 6000
#define DISCORD_LINE_MAX 300
/* What the fields leave of it for the description. */
#define DISCORD_ROOM_MIN 500
#define DISCORD_SHORT 24

_Static_assert(DISCORD_FIELDS_MAX >= MESSAGE_FIELDS_MAX, "all fields fit");

static const char *
escape(const struct message *m, const char *text, size_t max)
{
	return format_escape(m, text, TEXT_DISCORD, TEXT_CHARACTERS, max);
}

static json_t *
make_fields(const struct message *m, size_t *used)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < m->field_count; i++) {
		const struct message_field *f = &m->fields[i];
		const char *name = escape(m, f->name, DISCORD_VALUE_MAX);
		const char *value = escape(m, f->value, DISCORD_VALUE_MAX);

		size_t size = text_length(name, TEXT_CHARACTERS) +
		    text_length(value, TEXT_CHARACTERS);

		if (*used + size > DISCORD_ALL_MAX - DISCORD_ROOM_MIN)
			break;
		*used += size;
		json_array_append_new(fields,
		    json_pack("{s:s, s:s, s:b}", "name", name, "value", value,
			"inline", text_width(f->value) <= DISCORD_SHORT));
	}
	return fields;
}

static size_t
add_rows(struct text_lines *lines, const struct message *m, size_t rows)
{
	const char **table = message_table(m, rows);
	size_t shown = 0;

	(void)text_lines_add(lines, "```");
	for (size_t i = 0; i <= rows; i++)
		shown += text_lines_add(lines,
			     format_escape(m, table[i], TEXT_CODE,
				 TEXT_CHARACTERS, DISCORD_LINE_MAX)) &&
		    i > 0;
	/* Within what is reserved for the last line. */
	(void)buf_adds(&lines->buf, "```\n");
	return shown;
}

static size_t
add_lines(struct text_lines *lines, const struct message *m, size_t count)
{
	size_t shown = 0;

	for (size_t i = 0; i < count; i++)
		shown += text_lines_add(lines,
		    arena_printf(m->arena, "- %s",
			escape(m, m->lines[i], DISCORD_LINE_MAX)));
	return shown;
}

static json_t *
make_description(const struct message *m, size_t items, size_t room)
{
	size_t max =
	    room < DISCORD_DESCRIPTION_MAX ? room : DISCORD_DESCRIPTION_MAX;
	struct text_lines lines = text_lines_new(TEXT_CHARACTERS, max - 8);
	size_t rows = items < m->row_count ? items : m->row_count, shown = 0;
	const char *more;
	json_t *text;

	if (m->text != NULL)
		(void)text_lines_add(&lines, escape(m, m->text, max / 2));
	if (rows > 0)
		shown = add_rows(&lines, m, rows);
	shown += add_lines(&lines, m,
	    items - rows < m->line_count ? items - rows : m->line_count);
	more = format_left_out(m, shown);
	if (more != NULL)
		(void)buf_adds(&lines.buf, more);
	else if (lines.buf.len > 0)
		lines.buf.data[--lines.buf.len] = '\0';
	/* An empty one is refused, none is not. */
	text = lines.buf.len > 0 ? json_string(buf_str(&lines.buf)) : NULL;
	buf_free(&lines.buf);
	return text;
}

static json_t *
discord_build(const struct message *m, size_t items)
{
	const char *title = escape(m, m->title, DISCORD_TITLE_MAX);
	const char *footer = escape(m,
	    arena_printf(m->arena, "%s%s%s",
		m->site != NULL ? m->site : "Drover",
		m->type != NULL ? ", " : "", m->type != NULL ? m->type : ""),
	    DISCORD_FOOTER_MAX);
	size_t used = text_length(title, TEXT_CHARACTERS) +
	    text_length(footer, TEXT_CHARACTERS);
	json_t *fields = make_fields(m, &used);
	char at[CLOCK_RFC3339_SIZE];

	wall_format(m->at, at);
	return json_pack("{s:{s:[]}, s:[{s:s, s:o*, s:i, s:o, s:{s:s}, s:s}]}",
	    "allowed_mentions", "parse", "embeds", "title", title,
	    "description", make_description(m, items, DISCORD_ALL_MAX - used),
	    "color", format_color(m), "fields", fields, "footer", "text",
	    footer, "timestamp", at);
}

int
format_discord(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	return format_build(in, discord_build, DISCORD_BODY_MAX, out, err);
}
