/*
 * A language that an operator reads aloud: `cpu > 80% and not maintenance`.
 *
 * This file is its door.  The first form of the language, booleans joined by
 * words, is the same parser with a vocabulary of booleans, to which operators
 * mean nothing; its lookups are asked by name.
 */
#include "decide/expr_priv.h"

#include <stdbool.h>

const char *const expr_host_vocabulary[] = {
    "maintenance", "cordoned", "up", NULL};

const char *
expr_truth_name(enum expr_truth truth)
{
	switch (truth) {
	case EXPR_FALSE:
		return "false";
	case EXPR_TRUE:
		return "true";
	case EXPR_UNKNOWN:
		break;
	}
	return "unknown";
}

const struct expr *
expr_compile(struct arena *arena, const char *text,
    const struct expr_context *context, unsigned *out_column, struct err *err)
{
	struct expr_names *names =
	    arena_array(arena, context->scope_count, sizeof(*names));
	struct expr_parser p = {.arena = arena,
	    .text = text,
	    .names = names,
	    .names_count = context->scope_count,
	    .lists = context->lists,
	    .list_count = context->list_count,
	    .out_column = out_column,
	    .err = err};

	for (size_t i = 0; i < context->scope_count; i++) {
		enum expr_scope scope = context->scopes[i];
		const struct expr_vocabulary *of = expr_vocabulary_of(scope);

		names[i] = (struct expr_names){
		    scope, of->prefix, of->names, of->count};
	}
	return expr_parse_text(&p);
}

const struct expr *
expr_parse(struct arena *arena, const char *text, const char *const *vocabulary,
    unsigned *out_column, struct err *err)
{
	struct expr_names *names = arena_alloc(arena, sizeof(*names));
	struct expr_name *list;
	struct expr_parser p = {.arena = arena,
	    .text = text,
	    .names = names,
	    .names_count = 1,
	    .booleans = true,
	    .out_column = out_column,
	    .err = err};
	size_t count = 0;

	while (vocabulary[count] != NULL)
		count++;
	list = arena_array(arena, count, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		list[i] = (struct expr_name){
		    .name = arena_strdup(arena, vocabulary[i]),
		    .type = EXPR_BOOL};
	*names = (struct expr_names){.names = list, .count = count};
	return expr_parse_text(&p);
}

struct by_name {
	const struct expr *expr;
	enum expr_truth (*lookup)(const char *name, void *arg);
	void *arg;
};

static struct expr_value
look_up_by_name(
    enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	const struct by_name *by_name = arg;
	const char *name = by_name->expr->names[0].names[index].name;
	enum expr_truth truth = by_name->lookup(name, by_name->arg);

	(void)scope;
	(void)label;
	if (truth == EXPR_UNKNOWN)
		return expr_value_unknown();
	return expr_value_bool(truth == EXPR_TRUE);
}

enum expr_truth
expr_eval(const struct expr *expr,
    enum expr_truth (*lookup)(const char *name, void *arg), void *arg)
{
	struct by_name by_name = {expr, lookup, arg};

	return expr_test(expr, look_up_by_name, &by_name);
}
