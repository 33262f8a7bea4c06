/*
 * Operands: literals with their units, strings, lists, names.
 *
 * The items of a list are constants, and so a bare word in it is a string; all
 * have one type.  The number 0 has any unit.
 */
#include "decide/expr_priv.h"

#include <string.h>

#include "base/units.h"

#define NUMBER_SIZE 64 /* of a literal, with its NUL */
#define FRACTION_MAX 6 /* digits, as in units.h */

const char *
expr_operand_expected(const struct expr_parser *p)
{
	if (p->booleans)
		return arena_printf(
		    p->arena, "a name is expected (%s)", expr_names_all(p));
	return "a value is expected";
}

/* "3", "0.25"; at most 15 digits, which are exact. */
static bool
read_plain(const char *s, double *out)
{
	double number = 0, scale = 1;
	unsigned digits = 0, fraction = 0;
	bool point = false;

	for (; *s != '\0'; s++) {
		if (*s == '.' && !point && digits > 0) {
			point = true;
			continue;
		}
		if (*s < '0' || *s > '9' || ++digits > 15)
			return false;
		number = 10 * number + (*s - '0');
		if (point) {
			scale *= 10;
			fraction++;
		}
	}
	if ((point && fraction == 0) || fraction > FRACTION_MAX)
		return false;
	*out = number / scale;
	return true;
}

/* Its type by its end, and its value; *out_none: it is no number at all. */
static bool
read_literal(const char *text, enum expr_type *type, double *out,
    struct err *err, bool *out_none)
{
	char last = text[strlen(text) - 1];
	int64_t whole = 0;

	*out_none = false;
	if (read_plain(text, out)) {
		*type = EXPR_NUMBER;
		return true;
	}
	if (last == '%') {
		*type = EXPR_PERCENT;
		return units_parse_percent(text, out, err) == 0;
	}
	if (strchr(text, '/') != NULL) {
		*type = EXPR_RATE;
		if (units_parse_rate(text, &whole, err) < 0)
			return false;
	} else if (last == 'B') {
		*type = EXPR_BYTES;
		if (units_parse_bytes(text, &whole, err) < 0)
			return false;
	} else {
		*type = EXPR_DURATION;
		*out_none = units_parse_duration(text, &whole, err) < 0;
		if (*out_none)
			return false;
	}
	*out = (double)whole;
	return true;
}

bool
expr_parse_number(const char *text, enum expr_type *out_type, double *out)
{
	struct err err = {.code = ERR_NONE};
	bool none;

	return text[0] >= '0' && text[0] <= '9' && strlen(text) < NUMBER_SIZE &&
	    read_literal(text, out_type, out, &err, &none);
}

static bool
read_number(struct expr_parser *p, enum expr_type *type, double *out)
{
	struct err err = {.code = ERR_NONE};
	char text[NUMBER_SIZE];
	bool none;

	if (p->len >= sizeof(text))
		return expr_lex_fail(p, "is too long for a number");
	memcpy(text, p->text + p->at, p->len);
	text[p->len] = '\0';
	if (read_literal(text, type, out, &err, &none))
		return true;
	if (!none)
		return expr_lex_fail_at(p, p->at, err.msg);
	return expr_lex_fail(p,
	    "is no number, percentage, size, rate or duration (such as 3, "
	    "80%, 2GiB, 10MiB/s, 1h30m)");
}

const char *
expr_operand_string(const struct expr_parser *p)
{
	return arena_strndup(p->arena, p->text + p->at + 1, p->len - 2);
}

static bool
push_constant(
    struct expr_parser *p, struct expr_value value, struct expr_operand *out)
{
	struct expr_value *constant = arena_alloc(p->arena, sizeof(*constant));

	*constant = value;
	expr_emit(p, OP_CONSTANT)->constant = constant;
	*out = (struct expr_operand){.type = value.type,
	    .at = p->at,
	    .end = p->at + p->len,
	    .constant = constant};
	return true;
}

static bool
read_number_operand(struct expr_parser *p, struct expr_operand *out)
{
	enum expr_type type;
	double number;

	if (!read_number(p, &type, &number))
		return false;
	push_constant(p, expr_value_number(type, number), out);
	out->zero = type == EXPR_NUMBER && number == 0;
	expr_lex_next(p);
	return true;
}

static bool
read_string_operand(struct expr_parser *p, struct expr_operand *out)
{
	push_constant(p, expr_value_string(expr_operand_string(p)), out);
	expr_lex_next(p);
	return true;
}

struct items {
	enum expr_type type;
	size_t count;
	const char **strings;
	double *numbers;
};

static bool
read_item(struct expr_parser *p, struct items *items)
{
	enum expr_type type = EXPR_STRING;
	const char *string = NULL;
	double number = 0;

	if (p->token == TOKEN_STRING)
		string = expr_operand_string(p);
	else if (p->token == TOKEN_WORD)
		string = arena_strndup(p->arena, p->text + p->at, p->len);
	else if (p->token != TOKEN_NUMBER)
		return expr_lex_fail(p,
		    p->token == TOKEN_END
			? "the list ends where an item is expected"
			: "stands where an item of a list is expected");
	else if (!read_number(p, &type, &number))
		return false;
	if (items->count > 0 && type != items->type)
		return expr_lex_fail(p,
		    arena_printf(p->arena,
			"is %s in a list whose first item "
			"is %s",
			expr_type_name(type), expr_type_name(items->type)));
	if (string != NULL &&
	    !expr_names_check_word(p, p->words, p->at, p->at + p->len, string))
		return false;
	items->type = type;
	items->strings[items->count] = string;
	items->numbers[items->count++] = number;
	expr_lex_next(p);
	return true;
}

/* How many items the list that begins here has room for: its commas, and
 * one. */
static size_t
count_items(const char *s)
{
	size_t count = 1;
	char quote = '\0';

	for (; *s != '\0' && (quote != '\0' || *s != ']'); s++) {
		if (*s == quote)
			quote = '\0';
		else if (quote == '\0' && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote == '\0' && *s == ',')
			count++;
	}
	return count;
}

static bool
read_list_operand(struct expr_parser *p, struct expr_operand *out)
{
	size_t start = p->at, max = count_items(p->text + p->at);
	struct expr_list *list = arena_alloc(p->arena, sizeof(*list));
	struct items items = {.type = EXPR_STRING};

	items.strings = arena_array(p->arena, max, sizeof(*items.strings));
	items.numbers = arena_array(p->arena, max, sizeof(*items.numbers));
	do {
		expr_lex_next(p);
		if (!read_item(p, &items))
			return false;
	} while (p->token == TOKEN_COMMA);
	if (p->token == TOKEN_END)
		return expr_lex_fail_span(
		    p, start, start + 1, "begins a list that is not closed");
	if (p->token != TOKEN_CLOSE_LIST)
		return expr_lex_fail(
		    p, "stands where \",\" or \"]\" is expected");
	*list = (struct expr_list){.type = items.type,
	    .count = items.count,
	    .strings = items.strings,
	    .numbers = items.numbers};
	push_constant(p, expr_value_list(list), out);
	out->item = items.type;
	out->at = start;
	out->constant = NULL;
	expr_lex_next(p);
	return true;
}

static bool
is_operator_word(const struct expr_parser *p)
{
	static const char *const words[] = {
	    "and", "or", "not", "in", "like", "matches"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (expr_lex_is(p, words[i]))
			return i < 2 || !p->booleans;
	return false;
}

bool
expr_operand_read(struct expr_parser *p, struct expr_operand *out)
{
	if (p->token == TOKEN_END)
		return expr_lex_fail(p,
		    arena_printf(p->arena, "the expression ends where %s",
			expr_operand_expected(p)));
	if (p->token == TOKEN_UNCLOSED)
		return expr_lex_fail(p, "begins a text that is not closed");
	if (expr_lex_foreign(p) != NULL)
		return expr_lex_fail(p, expr_lex_foreign(p));
	if (p->token == TOKEN_NUMBER)
		return read_number_operand(p, out);
	if (p->token == TOKEN_STRING)
		return read_string_operand(p, out);
	if (p->token == TOKEN_OPEN_LIST)
		return read_list_operand(p, out);
	if (p->token == TOKEN_WORD && !is_operator_word(p))
		return expr_names_read(p, out);
	return expr_lex_fail(p,
	    arena_printf(
		p->arena, "stands where %s", expr_operand_expected(p)));
}
