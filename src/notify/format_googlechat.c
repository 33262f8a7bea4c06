/*
 * Google Chat: an incoming webhook with a card (cardsV2).
 *
 * Texts of widgets read a little HTML, so & < > become entities there.  What is
 * said of heads and of the fallback is that they are plain; should a client read
 * them all the same, a space without width after < leaves neither a tag nor a
 * mention such as <users/all>.
 *
 * Limits (developers.google.com/chat): 32,000 bytes in all, 100 widgets.
 */
#include "notify/format_private.h"

#define CHAT_BODY_MAX 32000
#define CHAT_TITLE_MAX 600
#define CHAT_TEXT_MAX 4000
#define CHAT_VALUE_MAX 600
#define CHAT_LINE_MAX 600
#define CHAT_ONE_LINE 60 /* what the head of a card shows */

static json_t *
paragraph(const char *html)
{
	return json_pack("{s:{s:s}}", "textParagraph", "text", html);
}

static const char *
escape(const struct message *m, const char *text, size_t max)
{
	return format_escape(m, text, TEXT_ENTITIES, TEXT_BYTES, max);
}

static json_t *
make_widgets(const struct message *m)
{
	json_t *widgets = json_array();

	if (text_width(m->title) > CHAT_ONE_LINE)
		json_array_append_new(widgets,
		    paragraph(arena_printf(m->arena, "<b>%s</b>",
			escape(m, m->title, CHAT_TITLE_MAX))));
	if (m->text != NULL)
		json_array_append_new(
		    widgets, paragraph(escape(m, m->text, CHAT_TEXT_MAX)));
	for (size_t i = 0; i < m->field_count; i++)
		json_array_append_new(widgets,
		    json_pack("{s:{s:s, s:s, s:b}}", "decoratedText",
			"topLabel", m->fields[i].name, "text",
			escape(m, m->fields[i].value, CHAT_VALUE_MAX),
			"wrapText", 1));
	return widgets;
}

/* One paragraph: a widget for each would be too many of them. */
static json_t *
make_list(const struct message *m, size_t items)
{
	size_t rows = items < m->row_count ? items : m->row_count;
	size_t lines =
	    items - rows < m->line_count ? items - rows : m->line_count;
	const char *more = format_left_out(m, rows + lines);
	struct buf html = BUF_INIT(1 << 22);
	json_t *list;

	for (size_t i = 0; i < rows; i++)
		(void)buf_addf(&html, "%s%s", html.len > 0 ? "\n" : "",
		    escape(m, message_row_line(m, &m->rows[i]), CHAT_LINE_MAX));
	for (size_t i = 0; i < lines; i++)
		(void)buf_addf(&html, "%s%s", html.len > 0 ? "\n" : "",
		    escape(m, m->lines[i], CHAT_LINE_MAX));
	if (more != NULL)
		(void)buf_addf(&html, "%s%s", html.len > 0 ? "\n" : "", more);
	list = json_pack("{s:s, s:[o]}", "header",
	    m->row_count > 0 ? "Guests" : "Details", "widgets",
	    paragraph(buf_str(&html)));
	buf_free(&html);
	return list;
}

static json_t *
googlechat_build(const struct message *m, size_t items)
{
	json_t *sections = json_array(), *widgets = make_widgets(m);
	const char *title = format_escape(
	    m, format_title(m), TEXT_QUIET, TEXT_BYTES, CHAT_TITLE_MAX);

	if (json_array_size(widgets) > 0)
		json_array_append_new(
		    sections, json_pack("{s:o}", "widgets", widgets));
	else
		json_decref(widgets);
	if (format_items(m) > 0)
		json_array_append_new(sections, make_list(m, items));
	if (json_array_size(sections) == 0)
		json_array_append_new(sections,
		    json_pack("{s:[o]}", "widgets",
			paragraph(escape(m, m->title, CHAT_TITLE_MAX))));
	return json_pack("{s:s, s:[{s:s, s:{s:{s:s, s:o}, s:o}}]}",
	    "fallbackText", title, "cardsV2", "cardId", "drover", "card",
	    "header", "title", title, "subtitle",
	    format_string(
		message_origin(m), TEXT_QUIET, TEXT_BYTES, CHAT_TITLE_MAX),
	    "sections", sections);
}

int
format_googlechat(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	return format_build(in, googlechat_build, CHAT_BODY_MAX, out, err);
}
