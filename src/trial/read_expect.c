/*
 * What a test expects, as tables.
 *
 * Each expectation says one thing, so that each is one line of the report that
 * passes or fails.  The keys beside it narrow down what it is about; one that has
 * no meaning there is refused, since whoever wrote it took it for a condition.
 */

#include <string.h>

#include "decide/strategy.h"
#include "trial/trial.h"

#define DAY (24 * 3600 * INT64_C(1000))
#define NAME_BYTES 255

static const struct schema_choice state_choices[] = {
    {"idle", TRIAL_IDLE, NULL},
    {"pending", TRIAL_PENDING, NULL},
    {"active", TRIAL_ACTIVE, NULL},
    {"inactive", 0, "is called idle"},
    {"firing", 0, "is called active"},
    {"off", 0, "is called idle"},
    {"on", 0, "is called active"},
    {NULL, 0, NULL},
};

static const struct schema_choice fate_choices[] = {
    {"moving", TRIAL_MOVING, NULL},
    {"would-move", TRIAL_WOULD_MOVE, NULL},
    {"waiting", TRIAL_WAITING, NULL},
    {"blocked", TRIAL_BLOCKED, NULL},
    {"excepted", TRIAL_EXCEPTED, NULL},
    {"enough", TRIAL_ENOUGH, NULL},
    {"untouched", TRIAL_UNTOUCHED, NULL},
    {"wait", 0, "is called waiting"},
    {"start", 0, "is called moving"},
    {NULL, 0, NULL},
};

static const struct schema_choice flag_choices[] = {
    {"none", TRIAL_FLAG_NONE, NULL},
    {"cordoned", TRIAL_FLAG_CORDONED, NULL},
    {"maintenance", TRIAL_FLAG_MAINTENANCE, NULL},
    {NULL, 0, NULL},
};

static const struct schema_choice strategy_choices[] = {
    {"live-shared", STRATEGY_LIVE_SHARED, NULL},
    {"live-copy", STRATEGY_LIVE_COPY, NULL},
    {"restart", STRATEGY_RESTART, NULL},
    {"live", 0, "is either live-shared or live-copy"},
    {NULL, 0, NULL},
};

/* ---- moves ---- */

static void
place_moved(void *object, const char *file, unsigned line)
{
	struct trial_moved *moved = object;

	(void)file;
	(void)line;
	moved->strategy = -1;
	moved->at_ms = -1;
}

static const struct schema_key moved_keys[] = {
    {.name = "vm",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_moved, vm),
	.max = NAME_BYTES,
	.meaning = "the guest that moves"},
    {.name = "from",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_moved, from),
	.max = NAME_BYTES,
	.meaning = "the host that it leaves"},
    {.name = "to",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_moved, to),
	.max = NAME_BYTES,
	.meaning = "the host where it goes"},
    {.name = "strategy",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct trial_moved, strategy),
	.choices = strategy_choices,
	.meaning = "the way it goes"},
    {.name = "policy",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_moved, policy),
	.max = NAME_BYTES,
	.meaning = "the policy that moves it"},
    {.name = "at",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct trial_moved, at_ms),
	.min = 0,
	.max = 365 * DAY,
	.meaning = "when its move began"},
    {.name = NULL},
};

static const struct schema moved_schema = {
    .what = "a move",
    .size = sizeof(struct trial_moved),
    .keys = moved_keys,
    .place = place_moved,
};

/* ---- on: { kvm1: [web1, web2] } ---- */

static void
read_on_host(const struct schema_context *ctx, const struct node *node,
    struct trial_on *out)
{
	const char **vms;
	char quoted[TREE_QUOTE_SIZE];

	if (node->kind != NODE_SEQ) {
		schema_refuse_kind(ctx, node, "a list of guests");
		return;
	}
	vms = arena_array(ctx->arena, node->count, sizeof(*vms));
	*out = (struct trial_on){
	    .host = arena_strdup(ctx->arena, node->key->text), .vms = vms};
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		if (n->kind != NODE_SCALAR || tree_is_null(n)) {
			schema_refuse_kind(ctx, n, "the name of a guest");
			continue;
		}
		for (size_t i = 0; i < out->vm_count; i++)
			if (strcmp(vms[i], n->text) == 0)
				tree_fault(ctx->tree, ctx->diags, n,
				    "%s is given twice",
				    tree_quote(n->text, quoted));
		vms[out->vm_count++] = arena_strdup(ctx->arena, n->text);
	}
}

static void
read_on(const struct schema_context *ctx, const struct node *node, void *object)
{
	struct trial_expect *expect = object;

	if (node->kind != NODE_MAP || node->count == 0) {
		schema_refuse_kind(
		    ctx, node, "a mapping such as { kvm1: [ web1, web2 ] }");
		return;
	}
	expect->on =
	    arena_array(ctx->arena, node->count, sizeof(expect->on[0]));
	for (const struct node *n = node->first; n != NULL; n = n->next)
		if (n->kind != NODE_BAD)
			read_on_host(ctx, n, &expect->on[expect->on_count++]);
}

/* ---- an expectation ---- */

static void
place_expect(void *object, const char *file, unsigned line)
{
	struct trial_expect *expect = object;

	(void)file;
	expect->state = expect->fate = expect->flag = -1;
	expect->since_ms = -1;
	expect->line = line;
}

/* What each kind may have beside `at` and its own key, and what it must have. */
static const struct {
	const char *key;
	enum trial_kind kind;
	const char *may[5], *must;
} kinds[] = {
    {"state", TRIAL_EXPECT_STATE, {"policy", "host", "vm", "since", NULL},
	"policy"},
    {"moves", TRIAL_EXPECT_MOVES, {"policy", NULL}, NULL},
    {"fate", TRIAL_EXPECT_FATE, {"policy", "vm", "rule", "why", "to"}, "vm"},
    {"none", TRIAL_EXPECT_NONE, {"policy", "host", "vm", NULL}, NULL},
    {"on", TRIAL_EXPECT_ON, {NULL}, NULL},
    {"flag", TRIAL_EXPECT_FLAG, {"host", NULL}, "host"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool
may_have(size_t kind, const char *key)
{
	if (strcmp(key, "at") == 0 || strcmp(key, kinds[kind].key) == 0)
		return true;
	for (size_t i = 0; i < 5 && kinds[kind].may[i] != NULL; i++)
		if (strcmp(kinds[kind].may[i], key) == 0)
			return true;
	return false;
}

/* KINDS: it has none, or several; says so. */
static size_t
find_kind(const struct schema_context *ctx, const struct node *map)
{
	size_t found = KINDS;

	for (size_t i = 0; i < KINDS; i++) {
		const struct node *node = tree_get(map, kinds[i].key);

		if (node == NULL)
			continue;
		if (found != KINDS) {
			tree_fault_key(ctx->tree, ctx->diags, node,
			    "an expectation says one thing, and this one has "
			    "%s already; make two of them",
			    kinds[found].key);
			return KINDS;
		}
		found = i;
	}
	if (found == KINDS)
		tree_fault(ctx->tree, ctx->diags, map,
		    "says nothing that could be seen (state, moves, fate, "
		    "none, on or flag)");
	return found;
}

static void
finish_expect(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	struct trial_expect *expect = object;
	size_t kind = find_kind(ctx, map);

	if (kind == KINDS)
		return;
	expect->kind = kinds[kind].kind;
	for (const struct node *n = map->first; n != NULL; n = n->next)
		if (!may_have(kind, n->key->text))
			tree_fault_key(ctx->tree, ctx->diags, n,
			    "has no meaning beside %s", kinds[kind].key);
	if (kinds[kind].must != NULL && tree_get(map, kinds[kind].must) == NULL)
		tree_fault(ctx->tree, ctx->diags, map,
		    "%s is missing: whose %s?", kinds[kind].must,
		    kinds[kind].key);
	if (expect->kind == TRIAL_EXPECT_STATE && expect->host != NULL &&
	    expect->vm != NULL)
		tree_fault_key(ctx->tree, ctx->diags, tree_get(map, "vm"),
		    "a state is that of a host, of a vm, or without both of "
		    "all hosts together");
	if (expect->kind == TRIAL_EXPECT_NONE && !expect->none)
		tree_fault(ctx->tree, ctx->diags, tree_get(map, "none"),
		    "is written none: true; list what has moved as moves");
	if (expect->since_ms >= 0 && expect->state == TRIAL_IDLE)
		tree_fault_key(ctx->tree, ctx->diags, tree_get(map, "since"),
		    "has no meaning beside state: idle");
	if (expect->since_ms > expect->at_ms)
		tree_fault(ctx->tree, ctx->diags, tree_get(map, "since"),
		    "is after at");
	if (expect->rule != NULL && expect->fate != TRIAL_BLOCKED &&
	    expect->fate != TRIAL_WAITING)
		tree_fault_key(ctx->tree, ctx->diags, tree_get(map, "rule"),
		    "only a guest that is blocked or waiting was refused by "
		    "rules");
}

static const struct schema_key expect_keys[] = {
    {.name = "at",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct trial_expect, at_ms),
	.min = 0,
	.max = 365 * DAY,
	.meaning = "when it should be so, from the beginning"},
    {.name = "policy",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_expect, policy),
	.max = NAME_BYTES,
	.meaning = "the policy that it is about"},
    {.name = "host",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_expect, host),
	.max = NAME_BYTES,
	.meaning = "the host that it is about"},
    {.name = "vm",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_expect, vm),
	.max = NAME_BYTES,
	.meaning = "the guest that it is about"},
    {.name = "state",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct trial_expect, state),
	.choices = state_choices,
	.meaning = "of the policy: idle, pending or active"},
    {.name = "since",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct trial_expect, since_ms),
	.min = 0,
	.max = 365 * DAY,
	.meaning = "when that state began"},
    {.name = "moves",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct trial_expect, moves),
	.count_offset = offsetof(struct trial_expect, move_count),
	.min = 0,
	.max = 10000,
	.of = &moved_schema,
	.meaning = "all moves that have begun until then"},
    {.name = "none",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct trial_expect, none),
	.meaning = "true: no move has begun until then"},
    {.name = "fate",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct trial_expect, fate),
	.choices = fate_choices,
	.meaning = "of the guest: moving, would-move, waiting, blocked, "
		   "excepted, enough or untouched"},
    {.name = "rule",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_expect, rule),
	.max = 63,
	.meaning = "the rule that refuses the guest, or a host for it"},
    {.name = "why",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_expect, why),
	.max = 512,
	.meaning = "a pattern that the reason fits"},
    {.name = "to",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct trial_expect, to),
	.max = NAME_BYTES,
	.meaning = "its target, or the host that is refused"},
    {.name = "on",
	.type = SCHEMA_CUSTOM,
	.read = read_on,
	.meaning = "all guests that are on the hosts named"},
    {.name = "flag",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct trial_expect, flag),
	.choices = flag_choices,
	.meaning = "of the host: none, cordoned or maintenance"},
    {.name = NULL},
};

const struct schema trial_expect_schema = {
    .what = "an expectation",
    .size = sizeof(struct trial_expect),
    .keys = expect_keys,
    .place = place_expect,
    .finish = finish_expect,
};

const char *
trial_state_name(enum trial_state state)
{
	return state_choices[state].name;
}

const char *
trial_fate_name(enum trial_fate fate)
{
	return fate_choices[fate].name;
}

const char *
trial_flag_name(enum trial_flag flag)
{
	return flag_choices[flag].name;
}
