/*
 * Which combinations of facts make claims true: alternatives are followed one
 * by one, each to the end.  Their number is bounded; what has more is taken as
 * possible, so that nothing is claimed that was not looked at.
 */
#include "decide/expr_reason_priv.h"

#include <math.h>
#include <string.h>

#define ALTERNATIVES_MAX 256
#define FACTS_MAX 256
#define STEPS_MAX 100000
#define ARENA_MAX ((size_t)32 << 20)

/* What remains to be made true, or false. */
struct todo {
	const struct reason *node;
	bool negated;
	const struct todo *next;
};

enum found { FOUND_NONE, FOUND_ONE, FOUND_TOO_MANY };

struct search {
	struct arena *arena;
	struct fact facts[FACTS_MAX];
	size_t count;
	unsigned alternatives, steps;
	struct buf *why; /* of the first contradiction; NULL once it is said */
	/* Asked about each alternative that is possible; true ends it. */
	bool (*fn)(const struct fact *facts, size_t count, void *arg);
	void *arg;
};

static const struct todo *
push(struct search *s, const struct reason *node, bool negated,
    const struct todo *next)
{
	struct todo *todo = arena_alloc(s->arena, sizeof(*todo));

	s->steps++;
	*todo = (struct todo){node, negated, next};
	return todo;
}

static enum found
end_alternative(struct search *s)
{
	size_t before = s->why != NULL ? s->why->len : 0;

	if (++s->alternatives > ALTERNATIVES_MAX)
		return FOUND_TOO_MANY;
	if (reason_consistent(s->facts, s->count, s->why))
		return s->fn == NULL || s->fn(s->facts, s->count, s->arg)
		    ? FOUND_ONE
		    : FOUND_NONE;
	if (s->why != NULL && s->why->len > before)
		s->why = NULL;
	return FOUND_NONE;
}

static enum found
follow(struct search *s, const struct todo *todo)
{
	size_t count = s->count;
	enum found found;

	while (todo != NULL) {
		const struct reason *node = todo->node;
		bool negated = todo->negated;
		const struct todo *next = todo->next;

		if (node->kind == REASON_NOT) {
			todo = push(s, node->left, !negated, next);
		} else if (node->kind == REASON_AND ||
		    node->kind == REASON_OR) {
			bool both = (node->kind == REASON_AND) != negated;

			if (!both) {
				found = follow(
				    s, push(s, node->left, negated, next));
				if (found != FOUND_NONE) {
					s->count = count;
					return found;
				}
				todo = push(s, node->right, negated, next);
				continue;
			}
			next = push(s, node->right, negated, next);
			todo = push(s, node->left, negated, next);
		} else if (s->count == FACTS_MAX || s->steps > STEPS_MAX) {
			s->count = count;
			return FOUND_TOO_MANY;
		} else {
			s->facts[s->count++] = (struct fact){node, negated};
			todo = next;
		}
	}
	found = end_alternative(s);
	s->count = count;
	return found;
}

static enum found
search(const struct expr_claim *claims, size_t count, struct buf *why,
    bool (*fn)(const struct fact *facts, size_t count, void *arg), void *arg)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct search *s = arena_alloc(arena, sizeof(*s));
	const struct todo *todo = NULL;
	enum found found;

	s->arena = arena;
	s->why = why;
	s->fn = fn;
	s->arg = arg;
	for (size_t i = count; i > 0; i--)
		todo = push(s, reason_tree(arena, claims[i - 1].expr),
		    claims[i - 1].negated, todo);
	found = follow(s, todo);
	arena_free(arena);
	return found;
}

bool
expr_reason_impossible(
    const struct expr_claim *claims, size_t count, struct buf *why)
{
	return search(claims, count, why, NULL, NULL) == FOUND_NONE;
}

bool
expr_reason_name(const struct expr *expr, size_t n, enum expr_scope *scope,
    unsigned *index, const char **label)
{
	for (size_t i = 0; i < expr->count; i++) {
		const struct expr_code *code = &expr->code[i];

		if (code->op != OP_NAME || n-- > 0)
			continue;
		*scope = (enum expr_scope)code->scope;
		*index = code->index;
		*label = code->label;
		return true;
	}
	return false;
}

static bool
speaks_of(const struct expr *expr, const struct expr_code *name)
{
	for (size_t i = 0; i < expr->count; i++)
		if (expr->code[i].op == OP_NAME &&
		    reason_same_name(&expr->code[i], name))
			return true;
	return false;
}

/* Does `second` speak of nothing but what `first` speaks of? */
static bool
has_all_names(const struct expr *first, const struct expr *second)
{
	for (size_t i = 0; i < second->count; i++)
		if (second->code[i].op == OP_NAME &&
		    !speaks_of(first, &second->code[i]))
			return false;
	return true;
}

bool
expr_reason_covers(const struct expr *wide, const struct expr *narrow)
{
	const struct expr_claim claims[] = {{narrow, false}, {wide, true}};

	if (strcmp(wide->text, narrow->text) == 0 &&
	    has_all_names(narrow, wide))
		return true;
	return has_all_names(narrow, wide) &&
	    expr_reason_impossible(claims, 2, NULL);
}

static bool
take_example(const struct fact *facts, size_t count, void *arg)
{
	if (!reason_understood(facts, count))
		return false;
	reason_describe(facts, count, arg);
	return true;
}

bool
expr_reason_overlaps(
    const struct expr *first, const struct expr *second, struct buf *example)
{
	const struct expr_claim claims[] = {{first, false}, {second, false}};

	return has_all_names(first, second) &&
	    search(claims, 2, NULL, take_example, example) == FOUND_ONE;
}

struct bound_of {
	enum expr_scope scope;
	unsigned index;
	double max;
};

static bool
widen_bound(const struct fact *facts, size_t count, void *arg)
{
	struct bound_of *bound = arg;
	double max =
	    reason_upper_bound(facts, count, bound->scope, bound->index);

	if (max > bound->max)
		bound->max = max;
	return false;
}

bool
expr_reason_bound(const struct expr *expr, enum expr_scope scope,
    unsigned index, double *out_max)
{
	const struct expr_claim claim = {expr, false};
	struct bound_of bound = {scope, index, -INFINITY};

	if (search(&claim, 1, NULL, widen_bound, &bound) == FOUND_TOO_MANY ||
	    !isfinite(bound.max))
		return false;
	*out_max = bound.max;
	return true;
}
