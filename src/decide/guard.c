/*
 * What policies say about targets.  A requirement, a wish and a prohibition are
 * expressions over the guest, its host and the target as it will be when what is
 * on its way has arrived.  Only what is true counts: a requirement that is unknown
 * is not met, a prohibition that is unknown does not hold, as everywhere in the
 * language.
 *
 * A host that a policy empties takes nobody from others: what goes there would
 * leave again.  Where a policy takes only some guests away, because the host is
 * too busy, other such policies and the balancer keep off; somebody who empties
 * another host may still use it when nothing else is left, since a guest that
 * stays in maintenance is worse off.
 */
#include "decide/guard.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "decide/evaluate.h"

#define GUARD_WORDS_MAX 8192

static struct look
guard_look(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target)
{
	return (struct look){.s = guard->s,
	    .cluster = guard->cluster,
	    .host = &guard->s->hosts[vm->host],
	    .vm = vm,
	    .target = target,
	    .storage = guard->storage,
	    .ledger = guard->ledger,
	    .now = guard->s->taken_wall,
	    .arena = guard->arena};
}

/* The expression with what was seen, in the arena. */
static const char *
guard_words(const struct guard *guard, const struct policy_expr *expr,
    struct look *look)
{
	struct buf buf = BUF_INIT(GUARD_WORDS_MAX);
	const char *text;

	(void)expr_explain(expr->expr, look_up, look, &buf);
	text = arena_strdup(guard->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

/* ---- hosts that guests leave ---- */

static const char *
guard_check_leaving(const struct guard *guard, const struct snap_host *target)
{
	size_t index = (size_t)(target - guard->s->hosts);
	const struct policy *by;

	if (guard->leaving == NULL || guard->leaving[index] == NULL)
		return NULL;
	by = guard->leaving[index];
	if (!guard->emptied[index] &&
	    (guard->policy == NULL || evaluate_empties(guard->policy)))
		return NULL;
	return arena_printf(guard->arena,
	    "policy %s (%s:%u) moves %s away from it", by->name, by->file,
	    by->when_line, guard->emptied[index] ? "all guests" : "guests");
}

/* ---- forbid ---- */

static bool
guard_forbids_now(const struct guard *guard, const struct policy *by,
    const struct snap_vm *vm)
{
	if (by->forbid.expr == NULL ||
	    policy_mode_now(guard->settings, guard->modes, by) != POLICY_AUTO)
		return false;
	if (by->condition_count == 0)
		return true;
	return guard->watch != NULL &&
	    watch_vm(guard->watch, by, guard->s, vm).phase == WATCH_ON;
}

void
guard_begin(struct guard *guard, const struct snap_vm *vm)
{
	const struct settings *settings = guard->settings;

	guard->forbids = arena_array(
	    guard->arena, settings->policy_count, sizeof(guard->forbids[0]));
	guard->forbid_count = 0;
	for (size_t i = 0; i < settings->policy_count; i++) {
		if (guard_forbids_now(guard, &settings->policies[i], vm))
			guard->forbids[guard->forbid_count++] =
			    &settings->policies[i];
	}
}

static const char *
guard_check_forbid(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target)
{
	struct look look = guard_look(guard, vm, target);

	for (size_t i = 0; i < guard->forbid_count; i++) {
		const struct policy *by = guard->forbids[i];

		if (expr_test(by->forbid.expr, look_up, &look) != EXPR_TRUE)
			continue;
		return arena_printf(guard->arena,
		    "policy %s (%s:%u) forbids: %s", by->name, by->file,
		    by->forbid.line, guard_words(guard, &by->forbid, &look));
	}
	return NULL;
}

/* ---- target.require, gain ---- */

static const char *
guard_check_require(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target)
{
	const struct policy_expr *require = &guard->policy->target_require;
	struct look look = guard_look(guard, vm, target);

	if (require->expr == NULL ||
	    expr_test(require->expr, look_up, &look) == EXPR_TRUE)
		return NULL;
	return arena_printf(guard->arena, "policy %s (%s:%u) requires: %s",
	    guard->policy->name, guard->policy->file, require->line,
	    guard_words(guard, require, &look));
}

static const char *
guard_check_gain(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target)
{
	struct look look = guard_look(guard, vm, target);
	struct expr_value here, there;

	/* A balance's is of the score, and the planner has seen to it. */
	if (!(guard->policy->gain > 0) ||
	    (guard->policy->actions & POLICY_ACTION_BALANCE) != 0)
		return NULL;
	/* Both as they will be when what is on its way is over. */
	here = look_up(EXPR_SCOPE_HOST, EXPR_HOST_CPU, NULL, &look);
	there = look_up(EXPR_SCOPE_TARGET, EXPR_TARGET_CPU_AFTER, NULL, &look);
	if (!here.known || !there.known)
		return arena_printf(guard->arena,
		    "its CPU load, or that of %s, or of the guest, is not "
		    "known, and policy %s (%s:%u) wants a gain of %.0f %%",
		    look.host->name, guard->policy->name, guard->policy->file,
		    guard->policy->line, guard->policy->gain * 100);
	if (here.number - there.number >= guard->policy->gain - 1e-9)
		return NULL;
	return arena_printf(guard->arena,
	    "would be at %.0f %% CPU, %s is at %.0f %%: policy %s (%s:%u) "
	    "wants "
	    "a gain of %.0f %%",
	    there.number * 100, look.host->name, here.number * 100,
	    guard->policy->name, guard->policy->file, guard->policy->line,
	    guard->policy->gain * 100);
}

const char *
guard_refuse(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target, enum place_rule *out_rule)
{
	const char *why = guard_check_leaving(guard, target);

	*out_rule = PLACE_EMPTYING;
	if (why != NULL)
		return why;
	*out_rule = PLACE_FORBIDDEN;
	if (!guard->force)
		why = guard_check_forbid(guard, vm, target);
	if (why != NULL || guard->policy == NULL)
		return why;
	*out_rule = PLACE_REQUIRED;
	why = guard_check_require(guard, vm, target);
	if (why != NULL)
		return why;
	*out_rule = PLACE_GAIN;
	return guard_check_gain(guard, vm, target);
}

/* ---- target.prefer, target.spread_by ---- */

unsigned
guard_wishes(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target)
{
	const struct policy *policy = guard->policy;
	struct look look = guard_look(guard, vm, target);
	unsigned open = 0;

	if (policy == NULL)
		return 0;
	for (size_t i = 0; i < policy->target_prefer_count; i++) {
		const struct policy_expr *wish = &policy->target_prefer[i];

		open <<= 1;
		if (expr_test(wish->expr, look_up, &look) != EXPR_TRUE)
			open |= 1;
	}
	return open;
}

const char *
guard_wish_words(const struct guard *guard, struct arena *arena,
    unsigned better, unsigned other)
{
	size_t count = guard->policy->target_prefer_count;

	for (size_t i = 0; i < count; i++) {
		unsigned bit = 1U << (count - 1 - i);
		const struct policy_expr *wish =
		    &guard->policy->target_prefer[i];

		if ((better & bit) == 0 && (other & bit) != 0)
			return arena_printf(arena,
			    "policy %s (%s:%u) prefers \"%s\"",
			    guard->policy->name, guard->policy->file,
			    wish->line, wish->text);
	}
	return "the policy prefers it";
}

/* NULL: it has no such label. */
static const char *
guard_label(const struct snap_host *host, const char *key)
{
	for (size_t i = 0; i < host->label_count; i++) {
		if (strcmp(host->label_keys[i], key) == 0)
			return host->label_values[i];
	}
	return NULL;
}

/* Moves to hosts of each value of a label, counted once for all hosts and again
 * when the ledger has more. */
struct guard_crowd {
	const char *key;
	size_t *group; /* by host: of its value */
	int *moves;    /* by group */
	int total;     /* of the ledger's moves that were counted */
	struct guard_crowd *next;
};

static struct guard_crowd *
guard_new_crowd(const struct guard *guard, const char *key)
{
	struct arena *arena = guard->ledger->arena;
	size_t count = guard->s->host_count;
	struct guard_crowd *crowd = arena_alloc(arena, sizeof(*crowd));
	struct map *values = map_new(NULL);

	*crowd = (struct guard_crowd){.key = key,
	    .group = arena_array(arena, count, sizeof(crowd->group[0])),
	    .moves = arena_array(arena, count + 1, sizeof(crowd->moves[0])),
	    .total = -1,
	    .next = guard->ledger->crowds};
	/* Those without the label are group 0. */
	for (size_t i = 0; i < count; i++) {
		const char *value = guard_label(&guard->s->hosts[i], key);
		uintptr_t number;

		if (value == NULL)
			continue;
		number = (uintptr_t)map_get(values, value);
		if (number == 0) {
			number = map_count(values) + 1;
			map_set(values, value, (void *)number);
		}
		crowd->group[i] = number;
	}
	map_free(values);
	guard->ledger->crowds = crowd;
	return crowd;
}

int
guard_spread(const struct guard *guard, const struct snap_host *target)
{
	const struct place_ledger *ledger = guard->ledger;
	const char *key =
	    guard->policy != NULL ? guard->policy->spread_by : NULL;
	size_t count = guard->s->host_count;
	struct guard_crowd *crowd = ledger->crowds;

	if (key == NULL)
		return 0;
	while (crowd != NULL && strcmp(crowd->key, key) != 0)
		crowd = crowd->next;
	if (crowd == NULL)
		crowd = guard_new_crowd(guard, key);
	if (crowd->total != ledger->total) {
		memset(crowd->moves, 0, (count + 1) * sizeof(crowd->moves[0]));
		for (size_t i = 0; i < count; i++)
			crowd->moves[crowd->group[i]] += ledger->inbound[i];
		crowd->total = ledger->total;
	}
	return crowd->moves[crowd->group[target - guard->s->hosts]];
}

const char *
guard_spread_words(const struct guard *guard, struct arena *arena,
    const struct snap_host *better, int better_count,
    const struct snap_host *other, int other_count)
{
	const char *key = guard->policy->spread_by;
	const char *a = guard_label(better, key), *b = guard_label(other, key);

	return arena_printf(arena,
	    "policy %s (%s:%u) spreads by %s: %d moves to %s, %d to %s",
	    guard->policy->name, guard->policy->file, guard->policy->line, key,
	    better_count, a != NULL ? a : "hosts without it", other_count,
	    b != NULL ? b : "hosts without it");
}
