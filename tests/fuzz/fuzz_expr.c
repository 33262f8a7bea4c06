/*
 * Any text as an expression.  What parses has a value for every assignment,
 * and what does not has a column inside the text or just behind it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decide/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum expr_truth
look_up(const char *name, void *arg)
{
	const unsigned *assignment = arg;
	unsigned index = name[0] == 'm' ? 1 : name[0] == 'c' ? 3 : 9;

	return (enum expr_truth)(*assignment / index % 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct err err = {.code = ERR_NONE};
	const struct expr *expr;
	unsigned column = 0;
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	expr = expr_parse(arena, text, expr_host_vocabulary, &column, &err);
	if (expr == NULL &&
	    (column == 0 || column > strlen(text) + 1 ||
		err.code != ERR_INVALID || err.msg[0] == '\0'))
		abort();
	for (unsigned i = 0; expr != NULL && i < 27; i++)
		if (expr_eval(expr, look_up, &i) > EXPR_UNKNOWN)
			abort();
	free(text);
	arena_free(arena);
	return 0;
}
