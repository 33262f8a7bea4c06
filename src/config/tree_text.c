/*
 * What the tree knows about the raw text.
 *
 * The YAML library reports a bad byte by its offset alone and takes a few
 * characters for line breaks that no editor does, so the text is looked over
 * first: it is UTF-8, it has no control characters, and its lines are the lines
 * that the editor counts.
 *
 * A fault inside a scalar (an expression, say) shall point at the word and not
 * at the beginning of the scalar.  The scalar's text differs from the file's in
 * white space only (folding, indentation), so its n-th other byte is the n-th
 * other byte of the file from where the scalar begins.
 */

#include "config/tree.h"

#include <string.h>

/*
 * Decodes one character.  Returns its length in bytes, or 0 when it is not
 * UTF-8 (too long a form, a surrogate, cut off).
 */
static size_t
decode_utf8(const unsigned char *s, size_t len, unsigned *out)
{
	static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned value;
	size_t width;

	if (s[0] < 0x80) {
		*out = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		width = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		width = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		width = 4;
	else
		return 0;
	if (width > len)
		return 0;
	value = s[0] & (0x7fu >> width);
	for (size_t i = 1; i < width; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3fu);
	}
	if (value < least[width] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*out = value;
	return width;
}

static const char *
refuse_character(unsigned value)
{
	switch (value) {
	case 0x85:
	case 0x2028:
	case 0x2029:
		return "is a line break that editors do not show; remove it";
	case 0xfeff:
		return "is a byte order mark in the middle; remove it";
	default:
		break;
	}
	if ((value < 0x20 && value != '\t' && value != '\n' && value != '\r') ||
	    (value >= 0x7f && value < 0xa0))
		return "is a control character; this is not a YAML text";
	if (value == 0xfffe || value == 0xffff)
		return "is not a character; this is not a YAML text";
	return NULL;
}

int
tree_check_text(
    const char *file, const char *text, size_t len, struct diag_list *diags)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned line = 1, column = 1, value;
	const char *why;
	size_t width;

	if (len >= 2 &&
	    ((s[0] == 0xff && s[1] == 0xfe) ||
		(s[0] == 0xfe && s[1] == 0xff))) {
		diag_add(
		    diags, file, 1, 1, "the file is UTF-16; save it as UTF-8");
		return -1;
	}
	for (size_t i = 0; i < len; i += width) {
		width = decode_utf8(s + i, len - i, &value);
		if (width == 0) {
			diag_add(diags, file, line, column,
			    "byte 0x%02x is not UTF-8; save the file as UTF-8",
			    s[i]);
			return -1;
		}
		why = refuse_character(value);
		if (why != NULL) {
			diag_add(
			    diags, file, line, column, "U+%04X %s", value, why);
			return -1;
		}
		if (value == '\n' ||
		    (value == '\r' && (i + 1 == len || s[i + 1] != '\n'))) {
			line++;
			column = 1;
		} else if (value != '\r') {
			column++;
		}
	}
	return 0;
}

const char *
tree_quote(const char *text, char out[TREE_QUOTE_SIZE])
{
	const size_t room = TREE_QUOTE_SIZE - sizeof("...\"");
	size_t len = 1;

	out[0] = '"';
	for (; *text != '\0' && len < room; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n' || c == '\t' || c == '\r') {
			if (len + 2 > room)
				break;
			out[len++] = '\\';
			out[len++] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
		} else {
			out[len++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
		}
	}
	if (*text != '\0') {
		/* Not in the middle of a character. */
		if (((unsigned char)*text & 0xc0) == 0x80) {
			while (((unsigned char)out[len - 1] & 0xc0) == 0x80)
				len--;
			len--;
		}
		memcpy(out + len, "...", 3);
		len += 3;
	}
	out[len++] = '"';
	out[len] = '\0';
	return out;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Steps over one byte of the source, keeping line and column. */
static size_t
step(const struct tree *tree, size_t at, unsigned *line, unsigned *column)
{
	char c = tree->source[at];

	if (c == '\n' ||
	    (c == '\r' &&
		(at + 1 == tree->len || tree->source[at + 1] != '\n'))) {
		(*line)++;
		*column = 1;
	} else if (c != '\r' && ((unsigned char)c & 0xc0) != 0x80) {
		(*column)++;
	}
	return at + 1;
}

void
tree_scalar_place(const struct tree *tree, const struct node *node,
    size_t offset, unsigned *line, unsigned *column)
{
	size_t at = node->source, before = 0;
	char first = at < tree->len ? tree->source[at] : '\0';

	*line = node->line;
	*column = node->column;
	for (size_t i = 0; i < offset && i < node->len; i++)
		before += is_space(node->text[i]) ? 0 : 1;

	if (!node->plain && first == '"') {
		size_t raw = at + 1;

		for (; raw < tree->len && tree->source[raw] != '"'; raw++)
			if (tree->source[raw] == '\\')
				return;
	}
	if (!node->plain && (first == '"' || first == '\''))
		at = step(tree, at, line, column);
	else if (!node->plain)
		while (at < tree->len && tree->source[at] != '\n')
			at = step(tree, at, line, column);

	while (at < tree->len && before > 0) {
		before -= is_space(tree->source[at]) ? 0 : 1;
		at = step(tree, at, line, column);
	}
	if (offset < node->len)
		while (at < tree->len && is_space(tree->source[at]))
			at = step(tree, at, line, column);
}
