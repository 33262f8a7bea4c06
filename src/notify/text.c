/*
 * Words of strangers, made harmless.
 *
 * A guest may be called "<!channel>" or "[pay](https://...)", and a hypervisor's
 * error may quote anything.  So text is escaped one character at a time, by the
 * rules of where it goes; each character gives one piece that is added as a
 * whole or not at all, which makes a cut within "&amp;" or a "\*" impossible.
 * Where a service knows no escape for something (mentions), a character without
 * width comes between, or a look-alike takes its place (backticks in code).
 */
#include "notify/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT_PIECE_MAX 16
#define TEXT_ELLIPSIS "\xe2\x80\xa6"
#define TEXT_NO_WIDTH "\xe2\x80\x8b" /* zero width space */

size_t
text_next(const char *s)
{
	unsigned char c = (unsigned char)s[0];
	size_t n = c == '\0' ? 0
	    : c < 0x80       ? 1
	    : c < 0xe0       ? 2
	    : c < 0xf0       ? 3
			     : 4;

	/* A text that breaks off within a character ends there. */
	for (size_t i = 1; i < n; i++) {
		if (s[i] == '\0')
			return i;
	}
	return n;
}

static size_t
text_size_of(const char *s, size_t bytes, enum text_unit unit)
{
	size_t size = 0;

	if (unit == TEXT_BYTES)
		return bytes;
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x80 || c >= 0xc0)
			size += c >= 0xf0 ? 2 : 1;
	}
	return size;
}

size_t
text_length(const char *text, enum text_unit unit)
{
	return text_size_of(text, strlen(text), unit);
}

/* ---- escaping ---- */

static const char *
text_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	}
	return NULL;
}

/* `start`: of a line, where also "- " and "1." mean something. */
static bool
text_is_markdown(enum text_markup markup, const char *s, bool start)
{
	if (strchr("\\`*_~|[]()#>", s[0]) != NULL)
		return true;
	if (markup == TEXT_DISCORD && s[0] == '<')
		return true;
	if (markup == TEXT_MATTERMOST && (s[0] == '{' || s[0] == '!'))
		return true;
	return start && (s[0] == '-' || s[0] == '+');
}

/* "1. " at the beginning would become a list: the dot is what gives way. */
static bool
text_ends_number(const char *text, const char *s)
{
	return s[0] == '.' && s[1] == ' ' && s > text &&
	    strspn(text, "0123456789") == (size_t)(s - text);
}

/* What the character at `s` becomes. */
static size_t
text_piece(enum text_markup markup, const char *text, const char *s,
    char out[TEXT_PIECE_MAX])
{
	size_t n = text_next(s);
	const char *entity = NULL;
	const char *before = "", *after = "";

	switch (markup) {
	case TEXT_PLAIN:
		break;
	case TEXT_QUIET:
		if (s[0] == '@' || s[0] == '<')
			after = TEXT_NO_WIDTH;
		break;
	case TEXT_ENTITIES:
		entity = text_entity(s[0]);
		break;
	case TEXT_ENTITIES_CODE:
		entity = s[0] == '`' ? "'" : text_entity(s[0]);
		break;
	case TEXT_CODE:
		entity = s[0] == '`' ? "'" : NULL;
		break;
	case TEXT_DISCORD:
	case TEXT_MATTERMOST:
		if (text_is_markdown(markup, s, s == text) ||
		    text_ends_number(text, s))
			before = "\\";
		/* Mattermost reads "&commat;" as "@", and so on. */
		if (s[0] == '@' || (s[0] == '&' && markup == TEXT_MATTERMOST))
			after = TEXT_NO_WIDTH;
		break;
	}
	if (entity != NULL)
		return (size_t)snprintf(out, TEXT_PIECE_MAX, "%s", entity);
	return (size_t)snprintf(
	    out, TEXT_PIECE_MAX, "%s%.*s%s", before, (int)n, s, after);
}

/* Does all from `s` on fit `room`? */
static bool
text_rest_fits(enum text_markup markup, const char *text, const char *s,
    enum text_unit unit, size_t room)
{
	char piece[TEXT_PIECE_MAX];

	for (; *s != '\0'; s += text_next(s)) {
		size_t n = text_piece(markup, text, s, piece);
		size_t size = text_size_of(piece, n, unit);

		if (size > room)
			return false;
		room -= size;
	}
	return true;
}

void
text_escape(struct buf *out, const char *text, enum text_markup markup,
    enum text_unit unit, size_t max)
{
	size_t dots = text_length(TEXT_ELLIPSIS, unit), room = max;
	char piece[TEXT_PIECE_MAX];

	for (const char *s = text; *s != '\0'; s += text_next(s)) {
		size_t n = text_piece(markup, text, s, piece);
		size_t size = text_size_of(piece, n, unit);

		/* The last places are for the ellipsis, unless the end of
		 * the text fits them. */
		if (room < size + dots &&
		    !text_rest_fits(markup, text, s, unit, room)) {
			if (room >= dots)
				(void)buf_adds(out, TEXT_ELLIPSIS);
			return;
		}
		(void)buf_add(out, piece, n);
		room -= size;
	}
}

/* ---- lines ---- */

static uint32_t
text_code(const char *s, size_t n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)s[0] & first[n];

	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

static bool
text_is_space(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
	    c == 0x2029;
}

/* Marks that turn the direction around, or show nothing: a name must not look
 * like another one. */
static bool
text_is_hidden(uint32_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0x061c || c == 0xfeff;
}

char *
text_line(struct arena *arena, const char *text, size_t max)
{
	struct buf clean = BUF_INIT(1 << 20), cut = BUF_INIT(1 << 20);
	bool space = true; /* none at the beginning */
	char *line;

	for (size_t n; (n = text_next(text)) != 0; text += n) {
		uint32_t c = text_code(text, n);

		if (text_is_hidden(c))
			continue;
		if (!text_is_space(c))
			(void)buf_add(&clean, text, n);
		else if (!space)
			(void)buf_adds(&clean, " ");
		space = text_is_space(c);
		if (clean.len > max * 4 + 8)
			break;
	}
	while (clean.len > 0 && clean.data[clean.len - 1] == ' ')
		clean.data[--clean.len] = '\0';
	text_escape(&cut, buf_str(&clean), TEXT_PLAIN, TEXT_CHARACTERS, max);
	line = arena_strdup(arena, buf_str(&cut));
	buf_free(&clean);
	buf_free(&cut);
	return line;
}

size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text += text_next(text))
		width++;
	return width;
}

void
text_pad(struct buf *out, const char *text, size_t width)
{
	size_t have = text_width(text), i = 0;

	for (; *text != '\0' && i + (have > width) < width; i++) {
		size_t n = text_next(text);

		(void)buf_add(out, text, n);
		text += n;
	}
	if (have > width) {
		(void)buf_adds(out, TEXT_ELLIPSIS);
		i++;
	}
	for (; i < width; i++)
		(void)buf_adds(out, " ");
}

/* ---- lines that may not all fit ---- */

struct text_lines
text_lines_new(enum text_unit unit, size_t max)
{
	return (struct text_lines){
	    .buf = BUF_INIT(1 << 20), .unit = unit, .max = max};
}

bool
text_lines_add(struct text_lines *lines, const char *line)
{
	size_t size = text_length(line, lines->unit) + 1;

	if (lines->left_out > 0 ||
	    lines->used + size + TEXT_MORE_MAX > lines->max) {
		lines->left_out++;
		return false;
	}
	(void)buf_adds(&lines->buf, line);
	(void)buf_adds(&lines->buf, "\n");
	lines->used += size;
	lines->taken++;
	return true;
}

void
text_lines_skip(struct text_lines *lines, size_t count)
{
	lines->left_out += count;
}

const char *
text_lines_more(const struct text_lines *lines, char out[TEXT_MORE_MAX])
{
	if (lines->left_out == 0)
		return NULL;
	(void)snprintf(out, TEXT_MORE_MAX, "and %zu more", lines->left_out);
	return out;
}
