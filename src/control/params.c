/*
 * Arguments come as JSON in a body or as words in a query; the rest of the
 * control interface sees one kind of thing, a JSON object whose keys and types
 * were checked against the route's list.  Words of a query are turned into the
 * type that the list wants first, so that one check serves both.
 */

#include "control/params.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/diag.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
decode(const char *text, size_t len, bool plus_is_space, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high, low;

			if (i + 2 >= len)
				return false;
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = high * 16 + low;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0' || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return true;
}

bool
params_decode(const char *text, size_t len, char *out, size_t size)
{
	return decode(text, len, false, out, size);
}

static const struct param *
find_param(const struct param *params, const char *name)
{
	for (size_t i = 0; i < PARAMS_MAX; i++)
		if (params[i].name != NULL && strcmp(params[i].name, name) == 0)
			return &params[i];
	return NULL;
}

static int
refuse_key(const struct param *params, const char *key, struct err *err)
{
	const char *names[PARAMS_MAX + 1] = {NULL};
	char known[128] = "none";
	const char *nearest;
	size_t used = 0;

	for (size_t i = 0; i < PARAMS_MAX; i++) {
		if ((names[i] = params[i].name) == NULL)
			break;
		used += (size_t)snprintf(known + used, sizeof(known) - used,
		    "%s\"%s\"", i > 0 ? ", " : "", names[i]);
	}
	nearest = diag_suggest(key, names);
	if (nearest != NULL)
		return err_set(err, ERR_INVALID,
		    "unknown key \"%.64s\" (did "
		    "you mean \"%s\"?)",
		    key, nearest);
	return err_set(
	    err, ERR_INVALID, "unknown key \"%.64s\" (known: %s)", key, known);
}

static int
check_pairs(const struct param *param, const json_t *value, struct err *err)
{
	size_t size = json_object_size(value);
	const char *key;
	json_t *one;

	if (!json_is_object(value) || size < (size_t)param->min ||
	    size > (size_t)param->max)
		return err_set(err, ERR_INVALID,
		    "\"%s\": an object of %lld to %lld keys is wanted",
		    param->name, (long long)param->min, (long long)param->max);
	json_object_foreach((json_t *)(uintptr_t)value, key, one)
	{
		if (!json_is_string(one) && !json_is_null(one))
			return err_set(err, ERR_INVALID,
			    "\"%s\": \"%.64s\": a text, or null, is wanted",
			    param->name, key);
	}
	return 0;
}

static int
check_value(const struct param *param, const json_t *value, struct err *err)
{
	switch (param->type) {
	case PARAM_TEXT:
		if (json_is_string(value) &&
		    json_string_length(value) >= (size_t)param->min &&
		    json_string_length(value) <= (size_t)param->max)
			return 0;
		return err_set(err, ERR_INVALID,
		    "\"%s\": a text of 1 to %lld bytes is wanted", param->name,
		    (long long)param->max);
	case PARAM_NUMBER:
		if (json_is_integer(value) &&
		    json_integer_value(value) >= param->min &&
		    json_integer_value(value) <= param->max)
			return 0;
		if (param->max == INT64_MAX)
			return err_set(err, ERR_INVALID,
			    "\"%s\": a whole number from %lld on is wanted",
			    param->name, (long long)param->min);
		return err_set(err, ERR_INVALID,
		    "\"%s\": a whole number from %lld to %lld is wanted",
		    param->name, (long long)param->min, (long long)param->max);
	case PARAM_BOOL:
		if (json_is_boolean(value))
			return 0;
		break;
	case PARAM_PAIRS:
		return check_pairs(param, value, err);
	}
	return err_set(
	    err, ERR_INVALID, "\"%s\": true or false is wanted", param->name);
}

static int
check_args(const struct param *params, json_t *args, struct err *err)
{
	const struct param *param;
	const char *key;
	json_t *value;

	json_object_foreach(args, key, value)
	{
		param = find_param(params, key);
		if (param == NULL)
			return refuse_key(params, key, err);
		if (check_value(param, value, err) != 0)
			return -1;
	}
	return 0;
}

static json_t *
checked(const struct param *params, json_t *args, struct err *err)
{
	if (args != NULL && check_args(params, args, err) != 0) {
		json_decref(args);
		return NULL;
	}
	return args;
}

json_t *
params_from_body(const struct param *params, const char *query,
    const char *body, size_t body_len, struct err *err)
{
	json_error_t where;
	json_t *args;

	if (query != NULL && query[0] != '\0') {
		err_set(err, ERR_INVALID,
		    "arguments go into the body (a JSON "
		    "object) here, not into the query");
		return NULL;
	}
	if (body_len == 0)
		return json_object();
	args = json_loadb(body, body_len, JSON_REJECT_DUPLICATES, &where);
	if (args == NULL) {
		err_set(err, ERR_INVALID,
		    "the body is not JSON: line %d, "
		    "column %d: %s",
		    where.line, where.column, where.text);
		return NULL;
	}
	if (!json_is_object(args)) {
		json_decref(args);
		err_set(err, ERR_INVALID, "the body is not a JSON object");
		return NULL;
	}
	return checked(params, args, err);
}

/* A query's words become the JSON type that the table wants. */
static json_t *
typed_value(const struct param *param, const char *text)
{
	char *end;
	long long number;

	switch (param->type) {
	case PARAM_TEXT:
	case PARAM_PAIRS:
		break;
	case PARAM_NUMBER:
		errno = 0;
		number = strtoll(text, &end, 10);
		if (errno == 0 && end != text && *end == '\0')
			return json_integer(number);
		break;
	case PARAM_BOOL:
		if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
			return json_true();
		if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
			return json_false();
		break;
	}
	return json_string(text);
}

static int
parse_pair(const struct param *params, const char *text, size_t len,
    json_t *args, struct err *err)
{
	char key[64], value[PARAMS_VALUE_MAX + 1];
	size_t key_len = strcspn(text, "=&");
	const struct param *param;
	json_t *typed;

	if (key_len > len)
		key_len = len;
	if (!decode(text, key_len, true, key, sizeof(key)))
		return err_set(err, ERR_INVALID,
		    "the query has a malformed or too long key");
	param = find_param(params, key);
	if (param == NULL)
		return refuse_key(params, key, err);
	if (json_object_get(args, key) != NULL)
		return err_set(err, ERR_INVALID, "\"%s\" is given twice", key);
	value[0] = '\0';
	if (key_len < len &&
	    !decode(text + key_len + 1, len - key_len - 1, true, value,
		sizeof(value)))
		return err_set(
		    err, ERR_INVALID, "\"%s\": malformed or too long", key);
	typed = typed_value(param, value);
	if (typed == NULL)
		return err_set(err, ERR_INVALID, "\"%s\": not UTF-8", key);
	json_object_set_new(args, key, typed);
	return 0;
}

json_t *
params_from_query(const struct param *params, const char *query,
    size_t body_len, struct err *err)
{
	json_t *args;

	if (body_len > 0) {
		err_set(err, ERR_INVALID,
		    "arguments go into the query here, "
		    "not into a body");
		return NULL;
	}
	args = json_object();
	while (query != NULL && *query != '\0') {
		size_t len = strcspn(query, "&");

		if (len > 0 && parse_pair(params, query, len, args, err) != 0) {
			json_decref(args);
			return NULL;
		}
		query += len;
		query += *query == '&';
	}
	return checked(params, args, err);
}
