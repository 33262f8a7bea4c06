/*
 * `when`: one condition, or several under `any` or `all`.
 *
 * What a condition is about is the key that its expression stands under, and
 * decides which names stand alone in it, and in `until` as well.  Whichever of
 * the two keys is written first, `until` looks for its neighbour in the file.
 */

#include <stddef.h>
#include <string.h>

#include "config/policy_read.h"

#define SECOND INT64_C(1000)
#define DAY (24 * 3600 * SECOND)

/* As it is read; `of` is `any` or `all` with their conditions. */
struct draft {
	struct policy_condition condition;
	struct draft *any, *all;
	size_t any_count, all_count;
};

static const struct subject {
	const char *name;
	enum policy_subject subject;
	struct policy_scopes scopes;
} subjects[] = {
    {"host", POLICY_SUBJECT_HOST, {{EXPR_SCOPE_HOST, EXPR_SCOPE_CLUSTER}, 2}},
    {"vm", POLICY_SUBJECT_VM,
	{{EXPR_SCOPE_VM, EXPR_SCOPE_HOST, EXPR_SCOPE_CLUSTER}, 3}},
    {"cluster", POLICY_SUBJECT_CLUSTER, {{EXPR_SCOPE_CLUSTER}, 1}},
    {"event", POLICY_SUBJECT_EVENT, {{EXPR_SCOPE_EVENT, EXPR_SCOPE_HOST}, 2}},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* Of the keys of the mapping, the n-th that is a subject; NULL. */
static const struct subject *
find_subject(const struct node *map, size_t n, const struct node **out)
{
	for (const struct node *key = map->first; key != NULL;
	     key = key->next) {
		for (size_t i = 0; i < SUBJECTS; i++) {
			if (strcmp(key->key->text, subjects[i].name) != 0)
				continue;
			if (n-- > 0)
				continue;
			*out = key;
			return &subjects[i];
		}
	}
	return NULL;
}

static void
read_subject(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	const struct subject *subject = key->detail;
	struct draft *draft = object;

	draft->condition.subject = subject->subject;
	policy_read_expr(ctx, node, &subject->scopes, &draft->condition.when);
}

static void
read_until(const struct schema_context *ctx, const struct schema_key *key,
    const struct node *node, void *object)
{
	const struct node *with;
	const struct subject *subject = find_subject(node->up, 0, &with);
	struct draft *draft = object;

	(void)key;
	if (subject != NULL)
		policy_read_expr(
		    ctx, node, &subject->scopes, &draft->condition.until);
}

/* clang-format off */
#define CONDITION_KEYS \
    {.name = "host", \
	.type = SCHEMA_CUSTOM, \
	.read_row = read_subject, \
	.detail = &subjects[0], \
	.shape = POLICY_SHAPE_EXPR, \
	.meaning = "an expression over a host: maintenance, cpu > 80%"}, \
    {.name = "vm", \
	.type = SCHEMA_CUSTOM, \
	.read_row = read_subject, \
	.detail = &subjects[1], \
	.shape = POLICY_SHAPE_EXPR, \
	.meaning = "an expression over a guest: storage = \"local\""}, \
    {.name = "cluster", \
	.type = SCHEMA_CUSTOM, \
	.read_row = read_subject, \
	.detail = &subjects[2], \
	.shape = POLICY_SHAPE_EXPR, \
	.meaning = "an expression over all hosts: cpu_stddev > 15%"}, \
    {.name = "event", \
	.type = SCHEMA_CUSTOM, \
	.read_row = read_subject, \
	.detail = &subjects[3], \
	.shape = POLICY_SHAPE_EXPR, \
	.meaning = "an expression over an alert that is on: " \
		   "type = \"DiskFailing\""}, \
    {.name = "for", \
	.type = SCHEMA_DURATION, \
	.flags = SCHEMA_ZERO, \
	.offset = offsetof(struct draft, condition.for_ms), \
	.min = 1 * SECOND, \
	.max = 7 * DAY, \
	.meaning = "how long it must hold before it counts; without it at " \
		   "once"}, \
    {.name = "until", \
	.type = SCHEMA_CUSTOM, \
	.read_row = read_until, \
	.shape = POLICY_SHAPE_EXPR, \
	.meaning = "what ends it; without it it ends as soon as it does not " \
		   "hold any more"}
/* clang-format on */

static const struct schema_alias aliases[] = {
    {"guest", "vm"},
    {"guests", "vm"},
    {"domain", "vm"},
    {"alert", "event"},
    {"expr", "host"},
    {"duration", "for"},
    {NULL, NULL},
};

static void
finish_condition(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct node *first, *second;

	(void)object;
	if (find_subject(map, 0, &first) == NULL)
		tree_fault(ctx->tree, ctx->diags, map,
		    "does not say what it is about (one of host, vm, cluster, "
		    "event)");
	else if (find_subject(map, 1, &second) != NULL)
		tree_fault_key(ctx->tree, ctx->diags, second,
		    "is a second condition beside %s; write any: [ ... ] or "
		    "all: [ ... ] with one of them in each item",
		    first->key->text);
}

static const struct schema_key condition_keys[] = {
    CONDITION_KEYS,
    {.name = NULL},
};

static const struct schema condition_schema = {
    .what = "a condition",
    .size = sizeof(struct draft),
    .keys = condition_keys,
    .aliases = aliases,
    .finish = finish_condition,
};

static void
finish_when(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct node *any = tree_get(map, "any");
	const struct node *all = tree_get(map, "all");
	const struct node *one = any != NULL ? any : all;

	if (one == NULL && map->count == 0) {
		tree_fault(ctx->tree, ctx->diags, map,
		    "holds no condition (host, vm, cluster or event; or any "
		    "or all of several)");
	} else if (one == NULL) {
		finish_condition(ctx, map, object);
	} else if (any != NULL && all != NULL) {
		tree_fault_key(ctx->tree, ctx->diags, all,
		    "cannot stand beside any; join expressions by and, or");
	} else if (map->count > 1) {
		const struct node *other =
		    map->first != one ? map->first : one->next;

		tree_fault_key(ctx->tree, ctx->diags, other,
		    "cannot stand beside %s; write it into the items of %s",
		    one->key->text, one->key->text);
	}
}

static const struct schema_key when_keys[] = {
    CONDITION_KEYS,
    {.name = "any",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct draft, any),
	.count_offset = offsetof(struct draft, any_count),
	.min = 1,
	.max = POLICY_CONDITIONS_MAX,
	.of = &condition_schema,
	.meaning = "conditions of which one is enough"},
    {.name = "all",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct draft, all),
	.count_offset = offsetof(struct draft, all_count),
	.min = 1,
	.max = POLICY_CONDITIONS_MAX,
	.of = &condition_schema,
	.meaning = "conditions that must all hold"},
    {.name = NULL},
};

const struct schema policy_when_schema = {
    .what = "when",
    .size = sizeof(struct draft),
    .keys = when_keys,
    .aliases = aliases,
    .finish = finish_when,
};

void
policy_read_when(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	struct draft draft = {.any = NULL};
	struct policy_condition *conditions;
	struct policy *policy = object;
	const struct draft *from = &draft;
	size_t count = 1;

	schema_read_group(ctx, &policy_when_schema, node, &draft);
	policy->all = draft.all_count > 0;
	if (draft.any_count > 0 || draft.all_count > 0) {
		from = policy->all ? draft.all : draft.any;
		count = policy->all ? draft.all_count : draft.any_count;
	}
	conditions = arena_array(ctx->arena, count, sizeof(*conditions));
	for (size_t i = 0; i < count; i++)
		conditions[i] = from[i].condition;
	policy->conditions = conditions;
	policy->condition_count = count;
	policy->when_line = conditions[0].when.line;
}
