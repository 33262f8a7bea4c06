/*
 * The table of a policy.  The comments in policy.h say what the fields are for;
 * here stands what may be written, and what is said about what may not.
 *
 * `when.host` keeps its text beside the parsed form, because every decision
 * that follows from it shows both the rule and its line.
 */

#include "config/policy.h"

#include <stddef.h>
#include <string.h>

#include "config/read.h"
#include "decide/expr.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static const struct schema_choice mode_choices[] = {
    {"off", POLICY_OFF, NULL},
    {"observe", POLICY_OBSERVE, NULL},
    {"auto", POLICY_AUTO, NULL},
    {"approve", 0, "is not available yet (off, observe or auto)"},
    {"on", 0,
	"says too little: observe decides and only records, "
	"auto acts"},
    {"true", 0,
	"says too little: observe decides and only records, "
	"auto acts"},
    {"dry-run", 0, "is called observe"},
    {"false", 0, "is called off"},
    {NULL, 0, NULL},
};

static const struct schema_choice order_choices[] = {
    {"largest-first", POLICY_ORDER_MEMORY_DESC, NULL},
    {"smallest-first", POLICY_ORDER_MEMORY_ASC, NULL},
    {"name", POLICY_ORDER_NAME, NULL},
    {"memory", 0, "is called smallest-first"},
    {"-memory", 0, "is called largest-first"},
    {NULL, 0, NULL},
};

/* On one line, for records and explanations. */
static const char *
flatten_text(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) + 1);
	size_t len = 0;

	for (; *text != '\0'; text++) {
		bool space = *text == ' ' || *text == '\n' || *text == '\t';

		if (!space)
			out[len++] = *text;
		else if (len > 0 && out[len - 1] != ' ')
			out[len++] = ' ';
	}
	if (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
	return out;
}

static void
trim_text(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	size_t len = strlen(*value);

	(void)node;
	while (
	    len > 0 && ((*value)[len - 1] == '\n' || (*value)[len - 1] == ' '))
		len--;
	*value = arena_strndup(ctx->arena, *value, len);
}

static void
read_when_host(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	static const struct schema_key row = {
	    .name = "host", .flags = SCHEMA_EMPTY | SCHEMA_LINES};
	static const enum expr_scope scopes[] = {
	    EXPR_SCOPE_HOST, EXPR_SCOPE_CLUSTER};
	static const struct expr_context context = {
	    .scopes = scopes, .scope_count = 2};
	struct err err = {.code = ERR_NONE};
	struct policy *policy = object;
	struct policy_condition *condition =
	    arena_array(ctx->arena, 1, sizeof(*condition));
	unsigned line, column, at = 1;

	if (node->kind != NODE_SCALAR ||
	    (tree_is_null(node) && node->len > 0)) {
		schema_refuse_kind(ctx, node, "an expression");
		return;
	}
	if (!schema_check_text(ctx, &row, node))
		return;
	condition->when = (struct policy_expr){
	    .expr = expr_compile(ctx->arena, node->text, &context, &at, &err),
	    .text = flatten_text(ctx->arena, node->text),
	    .line = node->line,
	};
	policy->conditions = condition;
	policy->condition_count = 1;
	policy->when_line = node->line;
	if (condition->when.expr != NULL)
		return;
	tree_scalar_place(ctx->tree, node, at - 1, &line, &column);
	tree_fault_at(ctx->tree, ctx->diags, node, line, column, "%s", err.msg);
}

static const struct schema_key when_keys[] = {
    {.name = "host",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = read_when_host,
	.meaning = "an expression over a host: maintenance, cordoned, up, "
		   "joined by and, or, not"},
    {.name = NULL},
};

static const struct schema when_schema = {
    .what = "when",
    .keys = when_keys,
};

static const struct schema_key select_keys[] = {
    {.name = "except",
	.type = SCHEMA_TEXTS,
	.offset = offsetof(struct policy, except),
	.count_offset = offsetof(struct policy, except_count),
	.min = 0,
	.max = 256,
	.check = check_glob,
	.meaning = "patterns on names of guests that stay (*, ?, [...])"},
    {.name = "order",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct policy, order),
	.fallback = "largest-first",
	.choices = order_choices,
	.meaning = "which guest goes first, by memory or by name"},
    {.name = "include_stopped",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct policy, include_stopped),
	.fallback = "false",
	.meaning = "guests that are shut off go too"},
    {.name = NULL},
};

static const struct schema select_schema = {
    .what = "select",
    .keys = select_keys,
};

static const struct schema_key limits_keys[] = {
    {.name = "total",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, limit_total),
	.min = 1,
	.max = 1000,
	.meaning = "moves of this policy at once; drover.yaml's limits "
		   "hold as well"},
    {.name = "per_source",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, limit_per_source),
	.min = 1,
	.max = 100,
	.meaning = "moves of this policy at once from one host"},
    {.name = "per_target",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, limit_per_target),
	.min = 1,
	.max = 100,
	.meaning = "moves of this policy at once to one host"},
    {.name = NULL},
};

static const struct schema limits_schema = {
    .what = "limits",
    .keys = limits_keys,
};

static const struct schema_key failure_keys[] = {
    {.name = "retries",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, retries),
	.fallback = "3",
	.min = 0,
	.max = 100,
	.meaning = "further attempts after one that failed"},
    {.name = "backoff",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct policy, backoff_ms),
	.fallback = "5s",
	.min = 1,
	.max = 1 * HOUR,
	.meaning = "the wait before the second attempt; it doubles"},
    {.name = NULL},
};

static const struct schema failure_schema = {
    .what = "on_failure",
    .keys = failure_keys,
};

static const struct schema_key policy_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy, name),
	.check = check_policy_name,
	.meaning = "how it is called in decisions and events"},
    {.name = "description",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_EMPTY | SCHEMA_LINES,
	.offset = offsetof(struct policy, description),
	.fallback = "",
	.min = 0,
	.max = 4096,
	.check = trim_text,
	.meaning = "for people"},
    {.name = "mode",
	.type = SCHEMA_CHOICE,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy, mode),
	.choices = mode_choices,
	.meaning = "off, observe (decide and record), auto (act)"},
    {.name = "priority",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, priority),
	.fallback = "0",
	.min = -1000,
	.max = 1000,
	.meaning = "the larger goes first"},
    {.name = "when",
	.type = SCHEMA_GROUP,
	.flags = SCHEMA_REQUIRED,
	.of = &when_schema,
	.meaning = "the condition: when: { host: maintenance }"},
    {.name = "select",
	.type = SCHEMA_GROUP,
	.of = &select_schema,
	.meaning = "which guests, and in which order"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &limits_schema,
	.meaning = "how many moves at once"},
    {.name = "with",
	.type = SCHEMA_GROUP,
	.of = &read_with_schema,
	.meaning = "how a guest is moved"},
    {.name = "on_failure",
	.type = SCHEMA_GROUP,
	.of = &failure_schema,
	.meaning = "what happens after a failed attempt"},
    {.name = NULL},
};

static void
place_policy(void *object, const char *file, unsigned line)
{
	struct policy *policy = object;

	policy->limit_total = -1;
	policy->limit_per_source = -1;
	policy->limit_per_target = -1;
	policy->actions = POLICY_ACTION_MOVE;
	policy->file = file;
	policy->line = line;
}

const struct schema read_policy_schema = {
    .what = "a policy",
    .size = sizeof(struct policy),
    .keys = policy_keys,
    .place = place_policy,
    .finish = read_finish_policy,
};

void
policy_set_defaults(struct policy *policy)
{
	struct schema_context ctx = {NULL};

	memset(policy, 0, sizeof(*policy));
	place_policy(policy, NULL, 0);
	schema_fill(&ctx, &select_schema, policy);
	schema_fill(&ctx, &read_with_schema, policy);
	schema_fill(&ctx, &failure_schema, policy);
	read_finish_policy(NULL, NULL, policy);
}

static const struct schema_key file_keys[] = {
    {.name = "version",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = read_version,
	.meaning = "the language of this file, as version: 1"},
    {.name = "policies",
	.type = SCHEMA_LIST,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_policies, policies),
	.count_offset = offsetof(struct read_policies, count),
	.min = 0,
	.max = SETTINGS_POLICIES_MAX,
	.of = &read_policy_schema,
	.meaning = "the list of policies"},
    {.name = NULL},
};

const struct schema read_policies_schema = {
    .what = "a file of policies",
    .where = "policies.d/*.yaml",
    .size = sizeof(struct read_policies),
    .keys = file_keys,
};

enum policy_mode
policy_mode_now(const struct settings *settings, const enum policy_mode *modes,
    const struct policy *policy)
{
	return modes != NULL ? modes[policy - settings->policies]
			     : policy->mode;
}

const char *
policy_mode_name(enum policy_mode mode)
{
	switch (mode) {
	case POLICY_OFF:
		return "off";
	case POLICY_OBSERVE:
		return "observe";
	case POLICY_APPROVE:
		return "approve";
	case POLICY_AUTO:
		break;
	}
	return "auto";
}

const char *
policy_order_name(enum policy_order order)
{
	switch (order) {
	case POLICY_ORDER_MEMORY_ASC:
		return "smallest-first";
	case POLICY_ORDER_MEMORY_DESC:
		return "largest-first";
	case POLICY_ORDER_BUSIEST:
		return "busiest-first";
	case POLICY_ORDER_CHEAPEST:
		return "cheapest-first";
	case POLICY_ORDER_NAME:
		break;
	}
	return "name";
}

const char *
policy_subject_name(enum policy_subject subject)
{
	switch (subject) {
	case POLICY_SUBJECT_VM:
		return "vm";
	case POLICY_SUBJECT_CLUSTER:
		return "cluster";
	case POLICY_SUBJECT_EVENT:
		return "event";
	case POLICY_SUBJECT_HOST:
		break;
	}
	return "host";
}

const char *
policy_use_name(enum policy_use use)
{
	switch (use) {
	case POLICY_USE_LIVE_SHARED:
		return "live-shared";
	case POLICY_USE_LIVE_COPY:
		return "live-copy";
	case POLICY_USE_RESTART:
		return "restart";
	case POLICY_USE_SKIP:
		return "skip";
	case POLICY_USE_DEFAULT:
		break;
	}
	return "default";
}

const char *
policy_handover_name(enum policy_handover handover)
{
	switch (handover) {
	case POLICY_HANDOVER_FAST:
		return "fast";
	case POLICY_HANDOVER_STRICT:
		return "strict";
	case POLICY_HANDOVER_DEFAULT:
		break;
	}
	return "default";
}
