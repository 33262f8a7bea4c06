/*
 * Brackets: [a-z], [!a-z] or [^a-z], [[:digit:]].
 *
 * Members are ASCII, so that a bracket is a set of bytes.  Its opposite takes
 * all other characters, also those of several bytes, which are known by their
 * first one.  Equivalence classes and collating symbols depend on a locale and
 * are refused.
 */
#include "base/pattern_priv.h"

#include <string.h>

static bool
in_range(unsigned c, unsigned low, unsigned high)
{
	return c >= low && c <= high;
}

static bool
is_alpha(unsigned c)
{
	return in_range(c, 'a', 'z') || in_range(c, 'A', 'Z');
}

static bool
is_alnum(unsigned c)
{
	return is_alpha(c) || in_range(c, '0', '9');
}

static bool
is_class(const char *name, unsigned c)
{
	if (strcmp(name, "alpha") == 0)
		return is_alpha(c);
	if (strcmp(name, "digit") == 0)
		return in_range(c, '0', '9');
	if (strcmp(name, "alnum") == 0)
		return is_alnum(c);
	if (strcmp(name, "upper") == 0)
		return in_range(c, 'A', 'Z');
	if (strcmp(name, "lower") == 0)
		return in_range(c, 'a', 'z');
	if (strcmp(name, "space") == 0)
		return c == ' ' || in_range(c, '\t', '\r');
	if (strcmp(name, "blank") == 0)
		return c == ' ' || c == '\t';
	if (strcmp(name, "punct") == 0)
		return in_range(c, '!', '~') && !is_alnum(c);
	if (strcmp(name, "print") == 0)
		return in_range(c, ' ', '~');
	if (strcmp(name, "graph") == 0)
		return in_range(c, '!', '~');
	if (strcmp(name, "cntrl") == 0)
		return c < ' ' || c == 0x7f;
	return strcmp(name, "xdigit") == 0 &&
	    (in_range(c, '0', '9') || in_range(c, 'a', 'f') ||
		in_range(c, 'A', 'F'));
}

/* "[:digit:]" at b->at. */
static void
read_class(struct pattern_builder *b, struct pattern_symbols *out)
{
	const char *s = b->text + b->at + 2;
	const char *end = strstr(s, ":]");
	bool any = false;
	char name[8];
	size_t len;

	len = end != NULL ? (size_t)(end - s) : sizeof(name);
	if (len < sizeof(name)) {
		memcpy(name, s, len);
		name[len] = '\0';
		for (unsigned c = 1; c < 0x80; c++)
			if (is_class(name, c)) {
				pattern_take(out, c);
				any = true;
			}
	}
	if (!any)
		pattern_fail(
		    b, b->at, "is no class of characters, such as [:digit:]");
	else
		b->at += len + 4;
}

/* One member; the backslash is one in a regular expression. */
static unsigned
read_member(struct pattern_builder *b)
{
	unsigned char c = (unsigned char)b->text[b->at];

	if (b->glob && c == '\\' && b->text[b->at + 1] != '\0')
		c = (unsigned char)b->text[++b->at];
	if (c >= 0x80)
		pattern_fail(b, b->at, "is not ASCII, and stands in brackets");
	b->at++;
	return c;
}

void
pattern_take_any(struct pattern_symbols *out)
{
	for (unsigned c = 1; c < 0x80; c++)
		pattern_take(out, c);
	for (unsigned c = 0xc0; c < 0x100; c++)
		pattern_take(out, c);
}

static void
negate(struct pattern_symbols *symbols)
{
	struct pattern_symbols any = {{0}};

	pattern_take_any(&any);
	for (size_t i = 0; i < sizeof(any.w) / sizeof(any.w[0]); i++)
		symbols->w[i] = any.w[i] & ~symbols->w[i];
}

static void
read_range(struct pattern_builder *b, struct pattern_symbols *out)
{
	size_t start = b->at;
	unsigned low = read_member(b), high = low;
	const char *s = b->text + b->at;

	if (!b->failed && s[0] == '-' && s[1] != ']' && s[1] != '\0') {
		b->at++;
		high = read_member(b);
	}
	if (high < low)
		pattern_fail(b, start, "begins a range that runs backwards");
	for (unsigned c = low; c <= high && !b->failed; c++)
		pattern_take(out, c);
}

void
pattern_read_bracket(struct pattern_builder *b, struct pattern_symbols *out)
{
	size_t start = b->at, first;
	bool negated;
	const char *s;

	b->at++;
	negated = b->text[b->at] == '^' || (b->glob && b->text[b->at] == '!');
	if (negated)
		b->at++;
	first = b->at;
	while (!b->failed) {
		s = b->text + b->at;
		if (*s == '\0') {
			pattern_fail(b, start, "is not closed by \"]\"");
		} else if (*s == ']' && b->at > first) {
			b->at++;
			break;
		} else if (s[0] == '[' && s[1] == ':') {
			read_class(b, out);
		} else if (s[0] == '[' && (s[1] == '.' || s[1] == '=')) {
			pattern_fail(b, b->at, "depends on a locale");
		} else {
			read_range(b, out);
		}
	}
	if (negated)
		negate(out);
}
