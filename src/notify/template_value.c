/*
 * From a member of an event to the bytes in the body: filters first, then what
 * the content type asks for.  All of it is text of strangers, so there is no way
 * to write a text into JSON or a form unescaped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "notify/template_priv.h"

const char *const template_filter_names[] = {
    "bytes", "duration", "upper", "lower", "default", "json", NULL};

static const char *
kind_name(unsigned kinds)
{
	if ((kinds & TEMPLATE_STRUCTURE) != 0)
		return "a list or an object";
	if ((kinds & TEMPLATE_FLAG) != 0)
		return "true or false";
	return (kinds & TEMPLATE_NUMBER) != 0 ? "a number" : "a text";
}

int
template_filter_check(
    enum template_filter filter, unsigned *kinds, struct err *err)
{
	unsigned wanted = 0;

	switch (filter) {
	case TEMPLATE_BYTES:
	case TEMPLATE_DURATION:
		wanted = TEMPLATE_NUMBER;
		break;
	case TEMPLATE_UPPER:
	case TEMPLATE_LOWER:
		wanted = TEMPLATE_TEXT;
		break;
	case TEMPLATE_DEFAULT:
		*kinds |= TEMPLATE_TEXT;
		return 0;
	case TEMPLATE_JSON:
		return 0;
	}
	if ((*kinds & wanted) == 0)
		return err_set(err, ERR_INVALID, "%s wants %s, and this is %s",
		    template_filter_names[filter], kind_name(wanted),
		    kind_name(*kinds));
	*kinds = TEMPLATE_TEXT;
	return 0;
}

/* Such as 0 or null, which may stand without quotes. */
static bool
is_bare(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	json_decref(value);
	return value != NULL && strpbrk(text, "\"\\\n\t\r") == NULL;
}

bool
template_may_be_text(const struct template_part *part, unsigned kinds)
{
	bool text = (kinds & TEMPLATE_TEXT) != 0;

	for (size_t i = 0; i < part->use_count; i++)
		switch (part->uses[i].filter) {
		case TEMPLATE_BYTES:
		case TEMPLATE_DURATION:
		case TEMPLATE_UPPER:
		case TEMPLATE_LOWER:
			text = true;
			break;
		case TEMPLATE_DEFAULT:
			text = text || !is_bare(part->uses[i].text);
			break;
		case TEMPLATE_JSON:
			return false;
		}
	return text;
}

/* ---- filters; each takes a reference and gives one ---- */

static json_t *
change_case(json_t *value, char from, int by)
{
	char *text = strdup(json_string_value(value));
	json_t *out;

	if (text == NULL)
		abort();
	for (char *p = text; *p != '\0'; p++)
		if (*p >= from && *p <= from + 25)
			*p = (char)(*p + by);
	out = json_string(text);
	free(text);
	json_decref(value);
	return out;
}

static json_t *
format_number(json_t *value, void format(int64_t, char *))
{
	char text[UNITS_TEXT_SIZE];
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0)
		return value;
	format(number, text);
	json_decref(value);
	return json_string(text);
}

static void
format_bytes(int64_t bytes, char *out)
{
	units_format_bytes(bytes, out);
}

static void
format_duration(int64_t ms, char *out)
{
	units_format_duration(ms, out);
}

static json_t *
apply(const struct template_use *use, json_t *value)
{
	if (value == NULL)
		return use->filter == TEMPLATE_DEFAULT ? json_string(use->text)
						       : NULL;
	switch (use->filter) {
	case TEMPLATE_BYTES:
		return format_number(value, format_bytes);
	case TEMPLATE_DURATION:
		return format_number(value, format_duration);
	case TEMPLATE_UPPER:
		return json_is_string(value)
		    ? change_case(value, 'a', 'A' - 'a')
		    : value;
	case TEMPLATE_LOWER:
		return json_is_string(value)
		    ? change_case(value, 'A', 'a' - 'A')
		    : value;
	case TEMPLATE_DEFAULT:
	case TEMPLATE_JSON:
		break;
	}
	return value;
}

/* ---- writing ---- */

static void
add_encoded(const char *text, struct buf *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			buf_add(out, text, 1);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

static void
add_text(const char *text, size_t len, enum template_form form, struct buf *out)
{
	if (form == TEMPLATE_AS_FORM)
		add_encoded(text, out);
	else
		buf_add(out, text, len);
}

/* What may be a text or an object was put between quotes: it is the text of the
 * object there. */
static json_t *
as_text(json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);
	json_t *out = json_string(text);

	free(text);
	json_decref(value);
	return out;
}

/* A text without its quotes, unless they are wanted. */
static void
add_json(
    const json_t *value, bool quotes, enum template_form form, struct buf *out)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	size_t len, cut = !quotes && json_is_string(value) ? 1 : 0;

	if (text == NULL)
		abort();
	len = strlen(text);
	add_text(text + cut, len - 2 * cut, form, out);
	free(text);
}

void
template_add_value(const struct template_part *part, enum template_form form,
    const json_t *events, struct buf *out)
{
	json_t *value;
	bool quotes;

	if (part->path.count == 1 &&
	    strcmp(part->path.segments[0], "count") == 0)
		value = json_integer((json_int_t)json_array_size(events));
	else
		value = json_incref(template_path_get(&part->path, events));
	/* Where the catalogue says that it is none. */
	quotes =
	    form == TEMPLATE_AS_JSON && !part->in_text && json_is_string(value);
	for (size_t i = 0; i < part->use_count; i++) {
		quotes = quotes || part->uses[i].filter == TEMPLATE_JSON;
		value = apply(&part->uses[i], value);
	}
	if (part->in_text && (json_is_object(value) || json_is_array(value)))
		value = as_text(value);
	if (value == NULL && quotes)
		add_text("null", 4, form, out);
	else if (json_is_string(value) && !quotes && form != TEMPLATE_AS_JSON)
		add_text(json_string_value(value), json_string_length(value),
		    form, out);
	else if (value != NULL)
		add_json(value, quotes, form, out);
	json_decref(value);
}
