/*
 * Any text as an expression, of the first form and of the full one.  What
 * parses has a value for every assignment, the same with and without
 * explanation, and what does not has a column inside the text or just behind
 * it.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decide/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(const char *text, unsigned column, const struct err *err)
{
	if (column == 0 || column > strlen(text) + 1 ||
	    err->code != ERR_INVALID || err->msg[0] == '\0')
		abort();
}

static enum expr_truth
look_up_boolean(const char *name, void *arg)
{
	const unsigned *assignment = arg;
	unsigned index = name[0] == 'm' ? 1 : name[0] == 'c' ? 3 : 9;

	return (enum expr_truth)(*assignment / index % 3);
}

static void
try_booleans(struct arena *arena, const char *text)
{
	struct err err = {.code = ERR_NONE};
	unsigned column = 0;
	const struct expr *expr =
	    expr_parse(arena, text, expr_host_vocabulary, &column, &err);

	if (expr == NULL)
		check_error(text, column, &err);
	for (unsigned i = 0; expr != NULL && i < 27; i++)
		if (expr_eval(expr, look_up_boolean, &i) > EXPR_UNKNOWN)
			abort();
}

static const char *const words[] = {"running", "web1", "", "a\xc3\xa9\xffz"};
static const double numbers[] = {0, 1, 0.8, -3, 4294967296.0, 1e300};
static const struct expr_list lists[] = {
    {.name = "databases", .type = EXPR_STRING, .count = 4, .strings = words},
    {.name = "nobody", .type = EXPR_STRING},
    {.name = "sizes", .type = EXPR_BYTES, .count = 6, .numbers = numbers},
};

/* A value that depends on the name and the round; some are of a wrong type, or
 * no numbers. */
static struct expr_value
look_up(enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	unsigned round = *(const unsigned *)arg;
	unsigned n = (unsigned)scope * 7 + index + round;
	enum expr_type type = expr_vocabulary_of(scope)->names[index].type;

	if (label != NULL)
		n += (unsigned)strlen(label);
	if (n % 5 == 0)
		return expr_value_unknown();
	if (n % 17 == 0)
		type = (enum expr_type)(n % 8);
	switch (type) {
	case EXPR_BOOL:
		return expr_value_bool(n % 2 != 0);
	case EXPR_STRING:
		return expr_value_string(n % 7 == 0 ? NULL : words[n % 4]);
	case EXPR_LIST:
		return expr_value_list(&lists[n % 3]);
	case EXPR_NUMBER:
	case EXPR_PERCENT:
	case EXPR_BYTES:
	case EXPR_RATE:
	case EXPR_DURATION:
		break;
	}
	return expr_value_number(
	    type, n % 11 == 0 ? (double)NAN : numbers[n % 6]);
}

static void
try_all(struct arena *arena, const char *text)
{
	static const enum expr_scope scopes[] = {EXPR_SCOPE_VM, EXPR_SCOPE_HOST,
	    EXPR_SCOPE_TARGET, EXPR_SCOPE_CLUSTER, EXPR_SCOPE_EVENT};
	const struct expr_context context = {scopes, 5, lists, 3};
	struct err err = {.code = ERR_NONE};
	unsigned column = 0;
	const struct expr *expr =
	    expr_compile(arena, text, &context, &column, &err);

	if (expr == NULL)
		check_error(text, column, &err);
	for (unsigned i = 0; expr != NULL && i < 24; i++) {
		struct buf out = BUF_INIT(1 << 20);
		enum expr_truth truth = expr_test(expr, look_up, &i);

		if (truth > EXPR_UNKNOWN ||
		    expr_explain(expr, look_up, &i, &out) != truth ||
		    out.overflow || strchr(buf_str(&out), '\n') != NULL)
			abort();
		buf_free(&out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	try_booleans(arena, text);
	try_all(arena, text);
	free(text);
	arena_free(arena);
	return 0;
}
