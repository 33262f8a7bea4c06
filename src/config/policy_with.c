/*
 * How a policy moves a guest: the table of `with`, and what several keys mean
 * together.  A key that another one makes void is refused: whoever wrote it
 * expects something of it.
 */

#include <stddef.h>

#include "config/policy_read.h"
#include "decide/converge.h"
#include "decide/strategy.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define MIB (INT64_C(1) << 20)
#define TIB (INT64_C(1) << 40)

/* How far the downtime limit may rise where nothing else is said. */
#define DOWNTIME_STEP_MS (2 * SECOND)

static const struct schema_choice handover_choices[] = {
    {"default", POLICY_HANDOVER_DEFAULT, NULL},
    {"fast", POLICY_HANDOVER_FAST, NULL},
    {"strict", POLICY_HANDOVER_STRICT, NULL},
    {NULL, 0, NULL},
};

static const struct schema_choice strategy_choices[] = {
    {"live-shared", STRATEGY_LIVE_SHARED, NULL},
    {"live-copy", STRATEGY_LIVE_COPY, NULL},
    {"restart", STRATEGY_RESTART, NULL},
    {"live", 0, "is two strategies: live-shared and live-copy"},
    {"cold", 0, "is called restart"},
    {"offline", 0, "is called restart"},
    {NULL, 0, NULL},
};

static const struct schema_choice converge_choices[] = {
    {"downtime", CONVERGE_DOWNTIME, NULL},
    {"throttle", CONVERGE_THROTTLE, NULL},
    {"post-copy", CONVERGE_POSTCOPY, NULL},
    {"pause", CONVERGE_PAUSE, NULL},
    {"auto-converge", 0, "is called throttle"},
    {"postcopy", 0, "is written post-copy"},
    {NULL, 0, NULL},
};

static const struct schema_key shutdown_keys[] = {
    {.name = "timeout",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct policy, shutdown_ms),
	.fallback = "3m",
	.min = 1 * SECOND,
	.max = 24 * HOUR,
	.meaning = "how long a guest is asked to shut down"},
    {.name = "repeat",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct policy, shutdown_repeat_ms),
	.fallback = "30s",
	.min = 1 * SECOND,
	.max = 1 * HOUR,
	.meaning = "the time from one request to the next"},
    {.name = "force",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct policy, force_off),
	.fallback = "false",
	.meaning = "cut the power of a guest that does not listen; else "
		   "it stays where it is"},
    {.name = NULL},
};

static const struct schema shutdown_schema = {
    .what = "shutdown",
    .keys = shutdown_keys,
};

static const struct schema_key with_keys[] = {
    {.name = "strategies",
	.type = SCHEMA_WORDS,
	.offset = offsetof(struct policy, strategies),
	.count_offset = offsetof(struct policy, strategy_count),
	.fallback = "live-shared, live-copy, restart",
	.choices = strategy_choices,
	.min = 1,
	.max = POLICY_STRATEGIES_MAX,
	.meaning = "the ways a guest may go, best first"},
    {.name = "handover",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct policy, handover),
	.fallback = "default",
	.choices = handover_choices,
	.meaning = "when the target's guest may run: strict, fast, or what "
		   "suits the disks"},
    {.name = "max_downtime",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct policy, max_downtime_ms),
	.min = 1,
	.max = MINUTE,
	.meaning = "the pause at switchover that QEMU aims for; its own "
		   "default is 300ms"},
    {.name = "timeout",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct policy, timeout_ms),
	.fallback = "30m",
	.min = 1 * SECOND,
	.max = 7 * 24 * HOUR,
	.meaning = "how long one attempt may take"},
    {.name = "bandwidth",
	.type = SCHEMA_RATE,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct policy, bandwidth),
	.fallback = "0",
	.min = MIB,
	.max = TIB,
	.meaning = "what one move may use; 0: its share of the link"},
    {.name = "converge",
	.type = SCHEMA_FLAGS,
	.offset = offsetof(struct policy, converge),
	.fallback = "downtime, throttle",
	.choices = converge_choices,
	.min = 0,
	.max = 4,
	.meaning = "what may be done for a live move that does not end by "
		   "itself"},
    {.name = "converge_downtime",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct policy, downtime_step_max_ms),
	.min = 1,
	.max = MINUTE,
	.meaning = "to what the downtime limit may rise then; without it "
		   "to max_downtime, or to 2s"},
    {.name = "max_pause",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct policy, pause_max_ms),
	.fallback = "30s",
	.min = 1,
	.max = 24 * HOUR,
	.meaning = "the longest pause that is begun to end a live move"},
    {.name = "shutdown",
	.type = SCHEMA_GROUP,
	.of = &shutdown_schema,
	.meaning = "how a guest is asked to shut down for a restart"},
    {.name = NULL},
};

const struct schema read_with_schema = {
    .what = "with",
    .keys = with_keys,
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

const struct schema policy_failure_schema = {
    .what = "on_failure",
    .keys = failure_keys,
};

/* The node of a key in `group` of the policy, or NULL. */
static const struct node *
find_key(const struct node *map, const char *group, const char *name)
{
	const struct node *in = tree_get(map, group);

	return in != NULL && in->kind == NODE_MAP ? tree_get(in, name) : NULL;
}

static bool
allows(const struct policy *policy, int strategy)
{
	for (size_t i = 0; i < policy->strategy_count; i++)
		if (policy->strategies[i] == strategy)
			return true;
	return false;
}

/* What needs a rung of with.converge, or a strategy. */
static void
check_void_keys(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	const struct node *raise = find_key(map, "with", "converge_downtime");
	const struct node *pause = find_key(map, "with", "max_pause");
	const struct node *shutdown = find_key(map, "with", "shutdown");
	const struct node *stopped = find_key(map, "select", "include_stopped");
	bool restart = allows(policy, STRATEGY_RESTART);

	if (raise != NULL && (policy->converge & CONVERGE_DOWNTIME) == 0)
		tree_fault(ctx->tree, ctx->diags, raise,
		    "has no effect without downtime in with.converge");
	if (pause != NULL && (policy->converge & CONVERGE_PAUSE) == 0)
		tree_fault(ctx->tree, ctx->diags, pause,
		    "has no effect without pause in with.converge");
	if (shutdown != NULL && !restart)
		tree_fault(ctx->tree, ctx->diags, shutdown,
		    "has no effect without restart in with.strategies");
	if (stopped != NULL && policy->include_stopped && !restart)
		tree_fault(ctx->tree, ctx->diags, stopped,
		    "has no effect without restart in with.strategies: a "
		    "guest that is shut off cannot go live");
}

/* Where a contradiction is shown: at the key, or at what holds it. */
static const struct node *
find_place(const struct node *map, const char *name)
{
	const struct node *with = tree_get(map, "with");
	const struct node *key = find_key(map, "with", name);

	if (key != NULL)
		return key;
	return with != NULL ? with : map;
}

/* What contradicts itself. */
static void
check_together(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy)
{
	const struct node *shutdown = find_key(map, "with", "shutdown");
	const struct node *timeout =
	    shutdown != NULL ? tree_get(shutdown, "timeout") : NULL;
	const struct node *repeat =
	    shutdown != NULL ? tree_get(shutdown, "repeat") : NULL;

	if (policy->handover == POLICY_HANDOVER_STRICT &&
	    (policy->converge & CONVERGE_POSTCOPY) != 0)
		tree_fault(ctx->tree, ctx->diags, find_place(map, "converge"),
		    "post-copy and handover: strict exclude each other: in "
		    "post-copy the guest already runs at the target while "
		    "the source still has a part of its memory, and strict "
		    "waits with running until the source has ended");
	if (policy->max_downtime_ms > policy->downtime_step_max_ms)
		tree_fault(ctx->tree, ctx->diags,
		    find_place(map, "converge_downtime"),
		    "is less than max_downtime, which it is to exceed");
	if (timeout != NULL && policy->shutdown_ms >= policy->timeout_ms)
		tree_fault(ctx->tree, ctx->diags, timeout,
		    "is not shorter than with.timeout, which ends the whole "
		    "attempt");
	if (repeat != NULL && policy->shutdown_repeat_ms > policy->shutdown_ms)
		tree_fault(ctx->tree, ctx->diags, repeat,
		    "is longer than timeout: the guest would never be asked "
		    "again");
}

void
policy_finish_with(const struct schema_context *ctx, const struct node *map,
    struct policy *policy)
{
	if (policy->downtime_step_max_ms == 0) {
		policy->downtime_step_max_ms = policy->max_downtime_ms > 0
		    ? policy->max_downtime_ms
		    : DOWNTIME_STEP_MS;
	}
	if (map == NULL)
		return;
	check_void_keys(ctx, map, policy);
	check_together(ctx, map, policy);
}
