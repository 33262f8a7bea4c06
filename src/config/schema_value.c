/*
 * One value: from what a person writes to what the program stores.  Defaults
 * take the same way as values from a file, so that the text in the table is
 * what the manual can print.
 */

#include "config/schema.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define SHORT_SIZE 32

static const struct schema_choice bool_choices[] = {
    {"true", 1, NULL},
    {"false", 0, NULL},
    {"yes", 0, "is written true"},
    {"on", 0, "is written true"},
    {"no", 0, "is written false"},
    {"off", 0, "is written false"},
    {NULL, 0, NULL},
};

/* A bound as one would write it: 10m, 1MiB, 6. */
static const char *
write_bound(enum schema_type type, int64_t value, char out[SHORT_SIZE])
{
	static const struct unit {
		enum schema_type type;
		int64_t factor;
		const char *name;
	} units[] = {
	    {SCHEMA_DURATION, 86400000, "d"},
	    {SCHEMA_DURATION, 3600000, "h"},
	    {SCHEMA_DURATION, 60000, "m"},
	    {SCHEMA_DURATION, 1000, "s"},
	    {SCHEMA_DURATION, 1, "ms"},
	    {SCHEMA_BYTES, (int64_t)1 << 40, "TiB"},
	    {SCHEMA_BYTES, 1 << 30, "GiB"},
	    {SCHEMA_BYTES, 1 << 20, "MiB"},
	    {SCHEMA_BYTES, 1, "B"},
	    {SCHEMA_RATE, (int64_t)1 << 40, "TiB/s"},
	    {SCHEMA_RATE, 1 << 30, "GiB/s"},
	    {SCHEMA_RATE, 1 << 20, "MiB/s"},
	    {SCHEMA_RATE, 1, "B/s"},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].type != type || value == 0 ||
		    value % units[i].factor != 0)
			continue;
		snprintf(out, SHORT_SIZE, "%lld%s",
		    (long long)(value / units[i].factor), units[i].name);
		return out;
	}
	snprintf(out, SHORT_SIZE, "%lld", (long long)value);
	return out;
}

static int
check_range(const struct schema_key *key, const char *text, int64_t value,
    struct err *err)
{
	char low[SHORT_SIZE], high[SHORT_SIZE], quoted[TREE_QUOTE_SIZE];

	if (key->max == 0 || (value >= key->min && value <= key->max))
		return 0;
	if (value == 0 && (key->flags & SCHEMA_ZERO) != 0)
		return 0;
	return err_set(err, ERR_INVALID, "%s is out of range (%s%s to %s)",
	    tree_quote(text, quoted),
	    (key->flags & SCHEMA_ZERO) != 0 ? "0, or " : "",
	    write_bound(key->type, key->min, low),
	    write_bound(key->type, key->max, high));
}

static int
parse_int(const char *text, int64_t *out, struct err *err)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char quoted[TREE_QUOTE_SIZE];
	long long value;

	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
	    (digits[0] == '0' && digits[1] != '\0'))
		return err_set(err, ERR_INVALID,
		    "%s is not a whole number in decimal digits",
		    tree_quote(text, quoted));
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno != 0)
		value = text[0] == '-' ? LLONG_MIN : LLONG_MAX;
	*out = value;
	return 0;
}

int
schema_parse_choice(const struct schema_choice *choices, const char *text,
    int *out, struct err *err)
{
	const char *names[16];
	char known[256], quoted[TREE_QUOTE_SIZE];
	const char *near;
	size_t count = 0, len = 0;

	known[0] = '\0';
	for (; choices->name != NULL; choices++) {
		if (strcmp(choices->name, text) == 0) {
			if (choices->instead != NULL)
				return err_set(err, ERR_INVALID, "%s %s",
				    tree_quote(text, quoted), choices->instead);
			*out = choices->value;
			return 0;
		}
		if (choices->instead != NULL || count == 15)
			continue;
		len += (size_t)snprintf(known + len, sizeof(known) - len,
		    "%s%s", count > 0 ? ", " : "", choices->name);
		names[count++] = choices->name;
	}
	names[count] = NULL;
	near = diag_suggest(text, names);
	if (near != NULL)
		return err_set(err, ERR_INVALID,
		    "unknown word %s (did you mean \"%s\"?)",
		    tree_quote(text, quoted), near);
	return err_set(err, ERR_INVALID, "unknown word %s (known: %s)",
	    tree_quote(text, quoted), known);
}

static int
check_length(const struct schema_key *key, const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (key->max > 0 && len > (size_t)key->max)
		return err_set(err, ERR_INVALID, "longer than %lld bytes",
		    (long long)key->max);
	return 0;
}

const char *
schema_resolve_path(const struct schema_context *ctx, const char *path)
{
	const char *whole = path[0] == '/'
	    ? path
	    : arena_printf(ctx->arena, "%s/%s", ctx->main_dir, path);
	size_t len = strlen(whole);

	while (len > 1 && whole[len - 1] == '/')
		len--;
	return arena_strndup(ctx->arena, whole, len);
}

static int
store_number(
    const struct schema_key *key, const char *text, void *slot, struct err *err)
{
	int64_t value = 0;
	int rc = -1;

	if (key->type == SCHEMA_INT)
		rc = parse_int(text, &value, err);
	else if (key->type == SCHEMA_DURATION)
		rc = units_parse_duration(text, &value, err);
	else if (key->type == SCHEMA_BYTES)
		rc = units_parse_bytes(text, &value, err);
	else if (key->type == SCHEMA_RATE)
		rc = units_parse_rate(text, &value, err);
	if (rc != 0 || check_range(key, text, value, err) != 0)
		return -1;
	if (key->type == SCHEMA_INT) {
		int narrow = (int)value;

		memcpy(slot, &narrow, sizeof(narrow));
	} else {
		memcpy(slot, &value, sizeof(value));
	}
	return 0;
}

int
schema_store(const struct schema_context *ctx, const struct schema_key *key,
    const char *text, void *object, struct err *err)
{
	void *slot = (char *)object + key->offset;
	const char *copy;
	double fraction;
	bool truth;
	int choice;

	switch (key->type) {
	case SCHEMA_TEXT:
	case SCHEMA_PATH:
		if (check_length(key, text, err) != 0)
			return -1;
		copy = key->type == SCHEMA_PATH
		    ? schema_resolve_path(ctx, text)
		    : arena_strdup(ctx->arena, text);
		memcpy(slot, &copy, sizeof(copy));
		return 0;
	case SCHEMA_BOOL:
		if (schema_parse_choice(bool_choices, text, &choice, err) != 0)
			return -1;
		truth = choice != 0;
		memcpy(slot, &truth, sizeof(truth));
		return 0;
	case SCHEMA_CHOICE:
		if (schema_parse_choice(key->choices, text, &choice, err) != 0)
			return -1;
		memcpy(slot, &choice, sizeof(choice));
		return 0;
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_BYTES:
	case SCHEMA_RATE:
		return store_number(key, text, slot, err);
	case SCHEMA_PERCENT:
		if (units_parse_percent(text, &fraction, err) != 0)
			return -1;
		memcpy(slot, &fraction, sizeof(fraction));
		return 0;
	case SCHEMA_GROUP:
	case SCHEMA_LIST:
	case SCHEMA_TEXTS:
	case SCHEMA_WORDS:
	case SCHEMA_FLAGS:
	case SCHEMA_PAIRS:
	case SCHEMA_CUSTOM:
		break;
	}
	return err_set(err, ERR_INTERNAL, "%s has no single value", key->name);
}

bool
schema_check_text(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node)
{
	char quoted[TREE_QUOTE_SIZE];

	if (node->text[0] == '\0' && (key->flags & SCHEMA_EMPTY) == 0) {
		tree_fault(ctx->tree, ctx->diags, node, "is empty");
		return false;
	}
	for (const char *s = node->text; *s != '\0'; s++) {
		bool newline = *s == '\n' || *s == '\t';

		if ((unsigned char)*s >= 0x20 && *s != 0x7f)
			continue;
		if (newline && (key->flags & SCHEMA_LINES) != 0)
			continue;
		tree_fault(ctx->tree, ctx->diags, node, "%s holds %s",
		    (key->flags & SCHEMA_SECRET) != 0
			? "it"
			: tree_quote(node->text, quoted),
		    newline ? "a line break or tab" : "a control character");
		return false;
	}
	return true;
}
