/*
 * Values in words, for decision records.  What a record shows is what was
 * compared, so nothing is rounded further than its unit suggests, and a string
 * that somebody else wrote cannot break the line it stands on.
 */
#include "decide/expr_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"

#define ITEMS_SHOWN 8
#define STRING_SIZE 128

const char *
expr_type_name(enum expr_type type)
{
	switch (type) {
	case EXPR_BOOL:
		return "a boolean";
	case EXPR_NUMBER:
		return "a number";
	case EXPR_PERCENT:
		return "a percentage";
	case EXPR_BYTES:
		return "a size in bytes";
	case EXPR_RATE:
		return "a rate";
	case EXPR_DURATION:
		return "a duration";
	case EXPR_STRING:
		return "a text";
	case EXPR_LIST:
		break;
	}
	return "a list";
}

/* At most `digits` behind the point, and no zeros at the end. */
static void
print_decimal(double number, int digits, const char *unit, struct buf *out)
{
	char text[64];
	size_t len;

	if (fabs(number) >= 1e15) {
		buf_addf(out, "%g%s", number, unit);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.*f", digits, number);
	len = strlen(text);
	while (len > 0 && text[len - 1] == '0')
		len--;
	if (len > 0 && text[len - 1] == '.')
		len--;
	text[len] = '\0';
	buf_addf(out, "%s%s", strcmp(text, "-0") == 0 ? "0" : text, unit);
}

static int64_t
whole(double number)
{
	if (number >= 9e18)
		return INT64_MAX;
	if (number <= -9e18)
		return -INT64_MAX;
	return (int64_t)llround(number);
}

static void
print_number(enum expr_type type, double number, struct buf *out)
{
	char text[UNITS_TEXT_SIZE];

	switch (type) {
	case EXPR_PERCENT:
		print_decimal(100 * number, 1, " %", out);
		break;
	case EXPR_BYTES:
	case EXPR_RATE:
		units_format_bytes(whole(number), text);
		buf_addf(out, "%s%s", text, type == EXPR_RATE ? "/s" : "");
		break;
	case EXPR_DURATION:
		units_format_duration(whole(number), text);
		buf_adds(out, text);
		break;
	case EXPR_NUMBER:
	case EXPR_BOOL:
	case EXPR_STRING:
	case EXPR_LIST:
		print_decimal(number, 3, "", out);
		break;
	}
}

static void
print_string(const char *string, struct buf *out)
{
	char text[STRING_SIZE];

	(void)err_copy_line(text, sizeof(text), string);
	buf_addf(out, "\"%s\"", text);
}

static void
print_list(const struct expr_list *list, struct buf *out)
{
	buf_adds(out, "[");
	for (size_t i = 0; i < list->count && i < ITEMS_SHOWN; i++) {
		if (i > 0)
			buf_adds(out, ", ");
		if (list->type == EXPR_STRING)
			print_string(list->strings[i], out);
		else
			print_number(list->type, list->numbers[i], out);
	}
	if (list->count > ITEMS_SHOWN)
		buf_addf(out, ", and %zu more", list->count - ITEMS_SHOWN);
	buf_adds(out, "]");
}

void
expr_value_print(const struct expr_value *value, struct buf *out)
{
	if (!value->known) {
		buf_adds(out, "unknown");
		return;
	}
	switch (value->type) {
	case EXPR_BOOL:
		buf_adds(out, value->truth ? "true" : "false");
		break;
	case EXPR_STRING:
		print_string(value->string, out);
		break;
	case EXPR_LIST:
		print_list(value->list, out);
		break;
	case EXPR_NUMBER:
	case EXPR_PERCENT:
	case EXPR_BYTES:
	case EXPR_RATE:
	case EXPR_DURATION:
		print_number(value->type, value->number, out);
		break;
	}
}
