/*
 * The tables of a policy and of a file of policies.  The comments in policy.h
 * say what the fields are for; here stands what may be written, and what is
 * said about what may not.
 *
 * A file's `defaults` are a policy that is read once and that every policy of
 * the file begins as, so that a policy's own keys replace them one by one, also
 * inside of groups.  `lists` and `defaults` are read before the policies,
 * wherever they stand.
 */

#include "config/policy.h"

#include <stddef.h>
#include <string.h>

#include "config/policy_lint.h"
#include "config/policy_read.h"

static const struct schema_choice mode_choices[] = {
    {"off", POLICY_OFF, NULL},
    {"observe", POLICY_OBSERVE, NULL},
    {"approve", POLICY_APPROVE, NULL},
    {"auto", POLICY_AUTO, NULL},
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

static const struct schema_choice action_choices[] = {
    {"move", POLICY_ACTION_MOVE, NULL},
    {"drain", POLICY_ACTION_DRAIN, NULL},
    {"balance", POLICY_ACTION_BALANCE, NULL},
    {"cordon", POLICY_ACTION_CORDON, NULL},
    {"set_maintenance", POLICY_ACTION_MAINTENANCE, NULL},
    {"notify", POLICY_ACTION_NOTIFY, NULL},
    {"maintenance", 0, "is called set_maintenance"},
    {"migrate", 0, "is called move"},
    {"evacuate", 0, "is called drain"},
    {"alert", 0, "is called notify"},
    {NULL, 0, NULL},
};

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

static const struct schema_key afterwards_keys[] = {
    {.name = "return_home",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct policy, return_home),
	.fallback = "false",
	.meaning = "guests go back to the host that they left"},
    {.name = NULL},
};

static const struct schema afterwards_schema = {
    .what = "afterwards",
    .keys = afterwards_keys,
};

/* Rows of one policy alone, which a file's defaults do not have. */
#define OWN_ROWS 3

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
    {.name = "when",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED | SCHEMA_UNLESS,
	.read = policy_read_when,
	.of = &policy_when_schema,
	.shape = "{\"$of\": true}",
	.meaning = "the condition: when: { host: maintenance }"},
    {.name = "mode",
	.type = SCHEMA_CHOICE,
	.flags = SCHEMA_REQUIRED | SCHEMA_UNLESS,
	.offset = offsetof(struct policy, mode),
	.choices = mode_choices,
	.meaning = "off, observe (decide and record), approve (act once "
		   "somebody agrees), auto (act)"},
    {.name = "priority",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, priority),
	.fallback = "0",
	.min = -1000,
	.max = 1000,
	.meaning = "the larger goes first"},
    {.name = "hosts",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy, hosts),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_host,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over a host: which ones it is about; "
		   "without it all"},
    {.name = "actions",
	.type = SCHEMA_FLAGS,
	.offset = offsetof(struct policy, actions),
	.fallback = "move",
	.choices = action_choices,
	.min = 1,
	.max = 6,
	.meaning = "what is done: move, drain, balance, cordon, "
		   "set_maintenance, notify"},
    {.name = "select",
	.type = SCHEMA_GROUP,
	.of = &policy_select_schema,
	.meaning = "which guests, and in which order"},
    {.name = "strategy",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct policy, rules),
	.count_offset = offsetof(struct policy, rule_count),
	.min = 0,
	.max = POLICY_RULES_MAX,
	.of = &policy_rule_schema,
	.meaning = "rules for how a guest goes; the first that fits counts"},
    {.name = "target",
	.type = SCHEMA_GROUP,
	.of = &policy_target_schema,
	.meaning = "where guests go"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &policy_limits_schema,
	.meaning = "how many moves at once"},
    {.name = "gain",
	.type = SCHEMA_PERCENT,
	.offset = offsetof(struct policy, gain),
	.meaning = "by how much a move must make things better, as 10%"},
    {.name = "cooldown",
	.type = SCHEMA_GROUP,
	.of = &policy_cooldown_schema,
	.meaning = "how long guests and hosts are left alone after a move"},
    {.name = "throttle",
	.type = SCHEMA_GROUP,
	.of = &policy_throttle_schema,
	.meaning = "moves in a span of time: { moves: 10, per: 1h }"},
    {.name = "windows",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct policy, windows),
	.count_offset = offsetof(struct policy, window_count),
	.min = 0,
	.max = POLICY_WINDOWS_MAX,
	.of = &policy_window_schema,
	.meaning = "when it may begin something; outside it observes"},
    {.name = "with",
	.type = SCHEMA_GROUP,
	.of = &read_with_schema,
	.meaning = "how a guest is moved"},
    {.name = "on_failure",
	.type = SCHEMA_GROUP,
	.of = &policy_failure_schema,
	.meaning = "what happens after a failed attempt"},
    {.name = "afterwards",
	.type = SCHEMA_GROUP,
	.of = &afterwards_schema,
	.meaning = "what happens once the condition is over"},
    {.name = "forbid",
	.type = SCHEMA_CUSTOM,
	.offset = offsetof(struct policy, forbid),
	.read_row = policy_read_expr_row,
	.detail = &policy_scopes_vm_host_target,
	.shape = POLICY_SHAPE_EXPR,
	.meaning = "an expression over a guest, its host and a target: no "
		   "policy makes a move for which it is true"},
    {.name = "notify",
	.type = SCHEMA_TEXTS,
	.offset = offsetof(struct policy, notify),
	.count_offset = offsetof(struct policy, notify_count),
	.min = 1,
	.max = SETTINGS_RECEIVERS_MAX,
	.check = policy_check_receiver,
	.meaning = "names of receivers that are told; without it all that "
		   "want the event"},
    {.name = NULL},
};

const struct node *
policy_find_key(const struct schema_context *ctx, const struct node *map,
    const char *group, const char *name)
{
	const struct read_names *names = ctx->user;
	const struct node *maps[] = {map, names->defaults};

	for (size_t i = 0; i < 2 && maps[i] != NULL; i++) {
		const struct node *in =
		    group != NULL ? tree_get(maps[i], group) : maps[i];
		const struct node *found = in != NULL && in->kind == NODE_MAP
		    ? tree_get(in, name)
		    : NULL;

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* What the defaults say already; and one that only forbids acts on nothing. */
static bool
may_lack(const struct schema_context *ctx, const struct node *map,
    const struct schema_key *key)
{
	if (strcmp(key->name, "when") == 0)
		return policy_find_key(ctx, map, NULL, "forbid") != NULL;
	return policy_find_key(ctx, map, NULL, key->name) != NULL;
}

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

static void
begin_policy(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct read_names *names = ctx->user;
	struct policy *policy = object;

	if (names->model != NULL)
		*policy = *names->model;
	policy->line = map->line;
	policy->column = map->column;
}

static void
finish_policy(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct node *actions = policy_find_key(ctx, map, NULL, "actions");
	struct policy *policy = object;
	const struct policy raw = *policy;

	policy_finish_with(ctx, map, policy);
	policy_finish_rules(ctx, map, &raw, policy);
	if (policy->condition_count == 0)
		policy->when_line = policy->forbid.line;
	if (policy->forbid.expr != NULL && actions == NULL)
		policy->actions = 0;
	else if (policy->forbid.expr != NULL && policy->condition_count == 0)
		tree_fault_key(ctx->tree, ctx->diags, actions,
		    "has no effect without when: a policy that only forbids "
		    "acts on nothing");
	policy_lint(ctx, map, policy);
}

const struct schema read_policy_schema = {
    .what = "a policy",
    .size = sizeof(struct policy),
    .keys = policy_keys,
    .place = place_policy,
    .begin = begin_policy,
    .optional = may_lack,
    .finish = finish_policy,
};

void
policy_set_defaults(struct policy *policy)
{
	struct schema_context ctx = {0};

	memset(policy, 0, sizeof(*policy));
	place_policy(policy, NULL, 0);
	schema_fill(&ctx, &policy_select_schema, policy);
	schema_fill(&ctx, &read_with_schema, policy);
	schema_fill(&ctx, &policy_failure_schema, policy);
	policy_finish_with(&ctx, NULL, policy);
}

/* ---- a file ---- */

static bool
may_lack_all(const struct schema_context *ctx, const struct node *map,
    const struct schema_key *key)
{
	(void)ctx;
	(void)map;
	(void)key;
	return true;
}

static const struct schema defaults_schema = {
    .what = "defaults",
    .size = sizeof(struct policy),
    .keys = policy_keys + OWN_ROWS,
    .place = place_policy,
    .optional = may_lack_all,
};

static void
read_defaults(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	struct policy *model = arena_alloc(ctx->arena, sizeof(*model));
	size_t before = ctx->diags->count + ctx->diags->dropped;
	struct read_names *names = ctx->user;

	(void)object;
	schema_fill(ctx, &read_policy_schema, model);
	schema_read_group(ctx, &defaults_schema, node, model);
	if (node->kind == NODE_MAP)
		names->defaults = node;
	if (ctx->diags->count + ctx->diags->dropped != before)
		return;
	names->model = model;
	policy_lint(ctx, node, model);
}

static const struct schema_key file_keys[] = {
    {.name = "version",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = read_version,
	.shape = "{\"const\": 1}",
	.meaning = "the language of this file, as version: 1"},
    {.name = "policies",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct read_policies, policies),
	.count_offset = offsetof(struct read_policies, count),
	.min = 0,
	.max = SETTINGS_POLICIES_MAX,
	.flags = SCHEMA_REQUIRED | SCHEMA_UNLESS,
	.of = &read_policy_schema,
	.meaning = "the list of policies"},
    {.name = "lists",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_FIRST,
	.read = policy_read_lists,
	.shape = "{\"type\": \"object\", \"additionalProperties\": {\"type\": "
		 "\"array\", \"items\": {\"type\": [\"string\", "
		 "\"number\"]}}}",
	.meaning = "lists that expressions of this file may use: name: "
		   "[ items ]"},
    {.name = "defaults",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_FIRST,
	.read = read_defaults,
	.detail = &defaults_schema,
	.shape = "{\"$detail\": true}",
	.meaning = "keys of a policy that all policies of this file have "
		   "unless they say otherwise"},
    {.name = "placement",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct read_policies, placements),
	.count_offset = offsetof(struct read_policies, placement_count),
	.min = 0,
	.max = SETTINGS_PLACEMENTS_MAX,
	.of = &policy_placement_schema,
	.meaning = "rules that hold wherever guests are moved"},
    {.name = NULL},
};

/* A file of placement rules alone needs no policies. */
static bool
may_lack_policies(const struct schema_context *ctx, const struct node *map,
    const struct schema_key *key)
{
	(void)ctx;
	(void)key;
	return tree_get(map, "placement") != NULL;
}

const struct schema read_policies_schema = {
    .what = "a file of policies",
    .where = "policies.d/*.yaml",
    .size = sizeof(struct read_policies),
    .keys = file_keys,
    .optional = may_lack_policies,
};

enum policy_mode
policy_mode_now(const struct settings *settings, const enum policy_mode *modes,
    const struct policy *policy)
{
	return modes != NULL ? modes[policy - settings->policies]
			     : policy->mode;
}
