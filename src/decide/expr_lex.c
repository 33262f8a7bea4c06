/*
 * Tokens, and what is said about wrong ones.
 *
 * A word may hold points and dashes (memory.free, labels.app-tier), so a minus
 * needs a space before it after a name.  A number takes its unit along: 80%,
 * 2GiB, 10MiB/s.  A string ends at the quote that began it; there is nothing
 * that escapes, so that the backslashes of patterns stand as they are.
 */
#include "decide/expr_priv.h"

#include <string.h>

#define SHOWN 40 /* of a long token, by its beginning */

/* ASCII alone, whatever the locale. */
static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void
read_number(struct expr_parser *p, const char *s)
{
	p->token = TOKEN_NUMBER;
	while (is_word_char(s[p->len]) && s[p->len] != '-')
		p->len++;
	if (s[p->len] == '%')
		p->len++;
	else if (s[p->len - 1] == 'B' && s[p->len] == '/' &&
	    s[p->len + 1] == 's' && !is_word_char(s[p->len + 2]))
		p->len += 2;
}

static void
read_string(struct expr_parser *p, const char *s)
{
	const char *end = strchr(s + 1, *s);

	p->token = end != NULL ? TOKEN_STRING : TOKEN_UNCLOSED;
	if (end != NULL)
		p->len = (size_t)(end - s) + 1;
}

static void
read_other(struct expr_parser *p, const char *s)
{
	p->token = TOKEN_OTHER;
	if ((unsigned char)*s >= 0x80) {
		while (((unsigned char)s[p->len] & 0xc0) == 0x80)
			p->len++;
	} else if (strchr("&|=<>!", *s) != NULL &&
	    (s[1] == *s || s[1] == '=')) {
		p->len++;
	} else if (!p->booleans &&
	    (strncmp(s, "=~", 2) == 0 || strncmp(s, "!~", 2) == 0 ||
		strncmp(s, "<>", 2) == 0 || strncmp(s, "=<", 2) == 0 ||
		strncmp(s, "**", 2) == 0)) {
		p->len++;
	}
}

void
expr_lex_next(struct expr_parser *p)
{
	static const char single[] = "()[],";
	static const enum expr_token tokens[] = {TOKEN_OPEN, TOKEN_CLOSE,
	    TOKEN_OPEN_LIST, TOKEN_CLOSE_LIST, TOKEN_COMMA};
	const char *s, *found;

	p->end = p->at + p->len;
	p->at = p->end + strspn(p->text + p->end, " \t\r\n");
	s = p->text + p->at;
	p->len = 1;
	found = *s != '\0' ? strchr(single, *s) : NULL;
	if (*s == '\0') {
		p->token = TOKEN_END;
		p->len = 0;
	} else if (found != NULL && (*s == '(' || *s == ')' || !p->booleans)) {
		p->token = tokens[found - single];
	} else if (!p->booleans && is_digit(*s)) {
		read_number(p, s);
	} else if (is_word_char(*s) && (*s != '-' || p->booleans)) {
		p->token = TOKEN_WORD;
		while (is_word_char(s[p->len]))
			p->len++;
	} else if (!p->booleans && (*s == '"' || *s == '\'')) {
		read_string(p, s);
	} else {
		read_other(p, s);
	}
}

bool
expr_lex_is(const struct expr_parser *p, const char *word)
{
	return strlen(word) == p->len &&
	    strncmp(p->text + p->at, word, p->len) == 0;
}

bool
expr_lex_fail_at(struct expr_parser *p, size_t at, const char *message)
{
	if (p->failed)
		return false;
	p->failed = true;
	*p->out_column = (unsigned)at + 1;
	err_set(p->err, ERR_INVALID, "%s", message);
	return false;
}

bool
expr_lex_fail_span(
    struct expr_parser *p, size_t at, size_t end, const char *what)
{
	size_t len = end - at, shown = len > SHOWN ? SHOWN : len;
	unsigned char c = (unsigned char)p->text[at];

	if (len == 0)
		return expr_lex_fail_at(p, at, what);
	if (c < 0x20 || c == 0x7f)
		return expr_lex_fail_at(p, at,
		    arena_printf(p->arena, "a control character %s", what));
	while (shown > 0 && shown < len &&
	    ((unsigned char)p->text[at + shown] & 0xc0) == 0x80)
		shown--;
	if (c == '"' && shown == len && len > 1)
		return expr_lex_fail_at(p, at,
		    arena_printf(
			p->arena, "%.*s %s", (int)shown, p->text + at, what));
	return expr_lex_fail_at(p, at,
	    arena_printf(
		p->arena, "\"%.*s\" %s", (int)shown, p->text + at, what));
}

bool
expr_lex_fail(struct expr_parser *p, const char *what)
{
	return expr_lex_fail_span(p, p->at, p->at + p->len, what);
}

struct foreign {
	const char *found, *say;
};

#define ALONE "is not known; a name stands alone, its opposite is \"not NAME\""
#define NO_NUMBERS "is not known; this version compares no numbers"
#define WRITE(word) "is not known; write \"" word "\""

static const struct foreign foreign_to_booleans[] = {
    {"==", ALONE},
    {"=", ALONE},
    {"!=", ALONE},
    {"<", NO_NUMBERS},
    {">", NO_NUMBERS},
    {"<=", NO_NUMBERS},
    {">=", NO_NUMBERS},
    {NULL, NULL},
};

static const struct foreign foreign_to_both[] = {
    {"&&", WRITE("and")},
    {"&", WRITE("and")},
    {"||", WRITE("or")},
    {"|", WRITE("or")},
    {"!", WRITE("not")},
    {"AND", WRITE("and")},
    {"OR", WRITE("or")},
    {"NOT", WRITE("not")},
    {NULL, NULL},
};

static const struct foreign foreign_to_full[] = {
    {"==", WRITE("=")},
    {"<>", WRITE("!=")},
    {"=<", WRITE("<=")},
    {"\xe2\x89\xa4", WRITE("<=")},
    {"\xe2\x89\xa5", WRITE(">=")},
    {"\xe2\x89\xa0", WRITE("!=")},
    {"\xc3\x97", WRITE("*")},
    {"\xe2\x80\x9c", WRITE("'")},
    {"\xe2\x80\x9d", WRITE("'")},
    {"=~", WRITE("matches")},
    {"~", WRITE("matches")},
    {"!~", WRITE("not matches")},
    {"IN", WRITE("in")},
    {"LIKE", WRITE("like")},
    {"MATCHES", WRITE("matches")},
    {"is", WRITE("=")},
    {"eq", WRITE("=")},
    {"ne", WRITE("!=")},
    {"lt", WRITE("<")},
    {"le", WRITE("<=")},
    {"gt", WRITE(">")},
    {"ge", WRITE(">=")},
    {"contains", "is not known; write ITEM \"in\" LIST"},
    {"between", "is not known; write a >= LOW and a <= HIGH"},
    {NULL, NULL},
};

static const char *
find_foreign(const struct expr_parser *p, const struct foreign *table)
{
	for (; table->found != NULL; table++)
		if (expr_lex_is(p, table->found))
			return table->say;
	return NULL;
}

const char *
expr_lex_foreign(const struct expr_parser *p)
{
	const char *say = find_foreign(p, foreign_to_both);

	if (say != NULL)
		return say;
	return find_foreign(
	    p, p->booleans ? foreign_to_booleans : foreign_to_full);
}
