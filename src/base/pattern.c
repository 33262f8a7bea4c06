/*
 * A pattern becomes an automaton of positions (Glushkov, "The abstract theory
 * of automata", 1961): each character of the pattern is a position that takes
 * a set of bytes, and has a set of positions that may follow it.  Sets are
 * words of bits, so that a step over one byte of the text is a few operations
 * on words, and no text makes it slow: there is no going back.
 *
 * The two ends of a text are symbols of their own, which `^` and `$` take.  A
 * pattern that is not bound to the beginning may start at every byte.
 *
 * A repetition is written out: what is repeated is read again, as often as
 * asked, and each time gets positions of its own.  As each character takes one,
 * the maximum of positions also bounds the time this can take.
 *
 * The library's regexec() and fnmatch() are not used because both allocate,
 * depend on the locale, and have patterns that take them ages.
 */
#include "base/pattern_priv.h"

#include <string.h>

/* A part of the pattern. */
struct part {
	bool nullable;
	struct pattern_set first, last;
};

static struct part read_alternatives(struct pattern_builder *b);

void
pattern_fail(struct pattern_builder *b, size_t at, const char *what)
{
	unsigned char c = (unsigned char)b->text[at];
	int len = 1;

	if (b->failed)
		return;
	b->failed = true;
	*b->out_at = at;
	while (c >= 0xc0 &&
	    ((unsigned char)b->text[at + (size_t)len] & 0xc0) == 0x80)
		len++;
	if (c == '\0')
		err_set(b->err, ERR_INVALID, "the pattern %s", what);
	else
		err_set(b->err, ERR_INVALID, "\"%.*s\" in the pattern %s", len,
		    b->text + at, what);
}

static void
unite(struct pattern_set *set, const struct pattern_set *other)
{
	for (size_t i = 0; i < PATTERN_WORDS; i++)
		set->w[i] |= other->w[i];
}

/* What is in `to` may follow what is in `from`. */
static void
follow(struct pattern_builder *b, const struct pattern_set *from,
    const struct pattern_set *to)
{
	for (unsigned p = 0; p < b->count; p++)
		if ((from->w[p / 64] >> p % 64 & 1) != 0)
			unite(&b->follow[p], to);
}

static struct part
add_position(struct pattern_builder *b, const struct pattern_symbols *takes)
{
	struct part part = {.nullable = false};
	unsigned p = b->count;

	if (p == PATTERN_POSITIONS_MAX) {
		pattern_fail(b, b->at,
		    "is too long: more than 256 characters, repetitions "
		    "written out");
		return part;
	}
	b->count++;
	b->takes[p] = *takes;
	part.first.w[p / 64] = part.last.w[p / 64] = UINT64_C(1) << p % 64;
	return part;
}

static struct part
add_symbol(struct pattern_builder *b, unsigned symbol)
{
	struct pattern_symbols takes = {{0}};

	pattern_take(&takes, symbol);
	return add_position(b, &takes);
}

static void
join(struct pattern_builder *b, struct part *part, const struct part *next)
{
	follow(b, &part->last, &next->first);
	if (part->nullable)
		unite(&part->first, &next->first);
	if (next->nullable)
		unite(&part->last, &next->last);
	else
		part->last = next->last;
	part->nullable = part->nullable && next->nullable;
}

static void
loop(struct pattern_builder *b, const struct part *part)
{
	follow(b, &part->last, &part->first);
}

/* A set that may take the first byte of a longer character takes the rest. */
static struct part
add_set(struct pattern_builder *b, const struct pattern_symbols *takes)
{
	struct pattern_symbols rest = {{0}};
	struct part part = add_position(b, takes), more;

	if (!pattern_takes(takes, 0xc3))
		return part;
	for (unsigned c = 0x80; c < 0xc0; c++)
		pattern_take(&rest, c);
	more = add_position(b, &rest);
	loop(b, &more);
	more.nullable = true;
	join(b, &part, &more);
	return part;
}

static struct part
read_literal(struct pattern_builder *b)
{
	struct part part = add_symbol(b, (unsigned char)b->text[b->at++]), next;

	while (((unsigned char)b->text[b->at] & 0xc0) == 0x80) {
		next = add_symbol(b, (unsigned char)b->text[b->at++]);
		join(b, &part, &next);
	}
	return part;
}

static struct part
read_any(struct pattern_builder *b)
{
	struct pattern_symbols takes = {{0}};

	pattern_take_any(&takes);
	b->at++;
	return add_set(b, &takes);
}

static struct part
read_bracket(struct pattern_builder *b)
{
	struct pattern_symbols takes = {{0}};

	pattern_read_bracket(b, &takes);
	return add_set(b, &takes);
}

static struct part
read_escape(struct pattern_builder *b)
{
	char c = b->text[b->at + 1];

	if (c == '\0')
		pattern_fail(b, b->at, "takes no character");
	else if (!b->glob &&
	    ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9')))
		pattern_fail(b, b->at,
		    "begins an escape that is not known; write a bracket, "
		    "such as [0-9] or [[:alnum:]_]");
	if (b->failed)
		return (struct part){.nullable = true};
	b->at++;
	return read_literal(b);
}

static struct part
read_group(struct pattern_builder *b)
{
	size_t start = b->at;
	struct part part = {.nullable = true};

	if (b->depth == PATTERN_DEPTH_MAX) {
		pattern_fail(b, start, "is nested deeper than 32 levels");
		return part;
	}
	b->depth++;
	b->at++;
	part = read_alternatives(b);
	b->depth--;
	if (b->failed)
		return part;
	if (b->text[b->at] != ')')
		pattern_fail(b, start, "is not closed by \")\"");
	else
		b->at++;
	return part;
}

static struct part
read_atom(struct pattern_builder *b)
{
	switch (b->text[b->at]) {
	case '(':
		return read_group(b);
	case '[':
		return read_bracket(b);
	case '.':
		return read_any(b);
	case '\\':
		return read_escape(b);
	case '^':
		b->at++;
		return add_symbol(b, PATTERN_BEGIN);
	case '$':
		b->at++;
		return add_symbol(b, PATTERN_END);
	case ')':
		pattern_fail(b, b->at, "closes nothing");
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		pattern_fail(b, b->at, "repeats nothing");
		break;
	default:
		return read_literal(b);
	}
	return (struct part){.nullable = true};
}

#define REPEAT_MAX 255
#define REPEAT_FOREVER (REPEAT_MAX + 1)

static unsigned
read_count(struct pattern_builder *b, unsigned absent)
{
	unsigned n = 0;
	char c = b->text[b->at];

	if (c < '0' || c > '9')
		return absent;
	for (; c >= '0' && c <= '9' && n <= REPEAT_MAX; c = b->text[++b->at])
		n = n * 10 + (unsigned)(c - '0');
	if (n > REPEAT_MAX)
		pattern_fail(b, b->at - 1, "ends a count above 255");
	return n;
}

/* False when nothing is repeated. */
static bool
read_repetition(struct pattern_builder *b, unsigned *min, unsigned *max)
{
	size_t start = b->at;
	char c = b->text[start];

	if (c != '*' && c != '+' && c != '?' && c != '{')
		return false;
	b->at++;
	*min = c == '+' ? 1 : 0;
	*max = c == '?' ? 1 : REPEAT_FOREVER;
	if (c == '{') {
		*min = read_count(b, REPEAT_FOREVER);
		*max = *min;
		if (b->text[b->at] == ',') {
			b->at++;
			*max = read_count(b, REPEAT_FOREVER);
		}
		if (b->text[b->at] != '}' || *min > *max ||
		    *min == REPEAT_FOREVER)
			pattern_fail(
			    b, start, "begins no count, such as {2} or {1,3}");
		if (b->failed)
			return false;
		b->at++;
	}
	c = b->text[b->at];
	if (c == '*' || c == '+' || c == '?' || c == '{')
		pattern_fail(b, b->at, "repeats a repetition");
	return !b->failed;
}

static struct part
read_piece(struct pattern_builder *b)
{
	size_t start = b->at, end;
	struct part all = {.nullable = true}, part = read_atom(b);
	unsigned min, max, copies;

	if (b->failed || !read_repetition(b, &min, &max))
		return part;
	if (b->text[start] == '^' || b->text[start] == '$')
		pattern_fail(b, start, "is repeated");
	end = b->at;
	copies = max == REPEAT_FOREVER ? (min > 0 ? min : 1) : max;
	for (unsigned i = 0; i < copies && !b->failed; i++) {
		if (i > 0) {
			b->at = start;
			part = read_atom(b);
		}
		if (max == REPEAT_FOREVER && i + 1 == copies)
			loop(b, &part);
		if (i >= min)
			part.nullable = true;
		join(b, &all, &part);
	}
	b->at = end;
	return all;
}

static struct part
read_branch(struct pattern_builder *b)
{
	struct part all = {.nullable = true}, part;
	size_t start = b->at;
	char c;

	while (!b->failed) {
		c = b->text[b->at];
		if (c == '\0' || c == '|' || (c == ')' && b->depth > 0))
			break;
		part = read_piece(b);
		join(b, &all, &part);
	}
	if (b->at == start)
		pattern_fail(b, start,
		    b->text[start] == '\0' ? "ends where something is expected"
					   : "stands beside nothing");
	return all;
}

static struct part
read_alternatives(struct pattern_builder *b)
{
	struct part all = read_branch(b), part;

	while (!b->failed && b->text[b->at] == '|') {
		b->at++;
		part = read_branch(b);
		all.nullable = all.nullable || part.nullable;
		unite(&all.first, &part.first);
		unite(&all.last, &part.last);
	}
	return all;
}

static struct part
read_glob(struct pattern_builder *b)
{
	struct part all = add_symbol(b, PATTERN_BEGIN), part;

	while (!b->failed && b->text[b->at] != '\0') {
		switch (b->text[b->at]) {
		case '*':
			part = read_any(b);
			loop(b, &part);
			part.nullable = true;
			break;
		case '?':
			part = read_any(b);
			break;
		case '[':
			part = read_bracket(b);
			break;
		case '\\':
			part = read_escape(b);
			break;
		default:
			part = read_literal(b);
		}
		join(b, &all, &part);
	}
	part = add_symbol(b, PATTERN_END);
	join(b, &all, &part);
	return all;
}

static const struct pattern *
pack(struct arena *arena, const struct pattern_builder *b,
    const struct part *part)
{
	struct pattern *pattern = arena_alloc(arena, sizeof(*pattern));
	unsigned words = (b->count + 63) / 64;
	uint64_t *bits = arena_array(
	    arena, (2 + b->count + PATTERN_SYMBOLS) * words, sizeof(*bits));

	*pattern = (struct pattern){.words = words,
	    .nullable = part->nullable,
	    .anchored = true,
	    .first = bits,
	    .last = bits + words,
	    .follow = bits + 2 * words,
	    .accepting = bits + (2 + b->count) * words};
	memcpy(pattern->first, part->first.w, words * sizeof(*bits));
	memcpy(pattern->last, part->last.w, words * sizeof(*bits));
	for (unsigned p = 0; p < b->count; p++) {
		memcpy(pattern->follow + p * words, b->follow[p].w,
		    words * sizeof(*bits));
		for (unsigned c = 0; c < PATTERN_SYMBOLS; c++)
			if (pattern_takes(&b->takes[p], c))
				pattern->accepting[c * words + p / 64] |=
				    UINT64_C(1) << p % 64;
	}
	for (unsigned i = 0; i < words; i++)
		if (pattern->first[i] &
		    ~pattern->accepting[PATTERN_BEGIN * words + i])
			pattern->anchored = false;
	return pattern;
}

static const struct pattern *
compile(struct arena *arena, const char *text, bool glob, size_t *out_at,
    struct err *err)
{
	struct pattern_builder b = {
	    .text = text, .glob = glob, .out_at = out_at, .err = err};
	struct part part = glob ? read_glob(&b) : read_alternatives(&b);

	return b.failed ? NULL : pack(arena, &b, &part);
}

const struct pattern *
pattern_compile_glob(
    struct arena *arena, const char *text, size_t *out_at, struct err *err)
{
	return compile(arena, text, true, out_at, err);
}

const struct pattern *
pattern_compile_regex(
    struct arena *arena, const char *text, size_t *out_at, struct err *err)
{
	return compile(arena, text, false, out_at, err);
}
