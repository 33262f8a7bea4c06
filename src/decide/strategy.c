/*
 * The choice of how.  Each strategy has a row of rules, looked at in order, and
 * the first that fails is the reason why it is not this one; so a person reads
 * first what matters most.  All of them are tried although one is enough, because
 * "why not live?" is asked after the move more often than before it.
 *
 * A strategy that is wanted more and may still pass (its answer is awaited) holds
 * back those that come after it: nobody shuts a guest down because a daemon had
 * no time yet to say that it could have gone live.
 *
 * Live, over shared storage:
 *
 *	 1 not-allowed     by the policy or the operator
 *	 2 not-running
 *	 3 pinned          a device, or a feature that QEMU does not send
 *	 4 reachable       the source's libvirt connects to the target's
 *	 5 snapshots       libvirt sends no guest that has metadata of them
 *	 6 cpu             the target's word about CPU and machine
 *	 7 storage-shared  all of it is proven to be
 *	 8 media           what lies in the drives is there, or may be left
 *	 9 cache           that would hide the last writes from the target
 *	10 abi-unknown     that word is still awaited
 */
#include "decide/strategy_look.h"

#include <string.h>

#include "base/buf.h"

#define STRATEGY_WHY_MAX (16 << 10)

bool
strategy_runs(const struct snap_vm *vm)
{
	return vm->state == DOMAIN_RUNNING || vm->state == DOMAIN_BLOCKED;
}

bool
strategy_is_local(const struct storage_result *storage, size_t i)
{
	const struct storage_disk *disk = &storage->disks[i];

	if (disk->disk->backing || disk->way == STORAGE_WAY_ABSENT)
		return false;
	if (disk->way == STORAGE_WAY_LOCAL)
		return true;
	for (i++; i < storage->disk_count && storage->disks[i].disk->backing;
	     i++) {
		if (storage->disks[i].way == STORAGE_WAY_LOCAL)
			return true;
	}
	return false;
}

const char *
strategy_check_running(struct strategy_try *try)
{
	return strategy_runs(try->look->vm)
	    ? NULL
	    : "it does not run: only a restart moves it";
}

const char *
strategy_check_pins(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;
	struct buf buf = BUF_INIT(STRATEGY_WHY_MAX);
	const char *text;

	if (vm->pin_count == 0)
		return NULL;
	buf_adds(&buf, "pinned to its host by ");
	for (size_t i = 0; i < vm->pin_count; i++)
		buf_addf(&buf, "%s%s", i > 0 ? "; " : "", vm->pins[i]);
	text = arena_strdup(try->look->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

const char *
strategy_check_reachable(struct strategy_try *try)
{
	const struct snap_host *target = try->look->target;

	if (!target->uri_local)
		return NULL;
	return arena_printf(try->look->arena,
	    "its URI %s means nothing to %s: give it one with an address "
	    "(qemu+tls://...)",
	    target->uri, try->look->source->name);
}

const char *
strategy_check_metadata(struct strategy_try *try)
{
	const struct snap_vm *vm = try->look->vm;
	bool restart = try->strategy == STRATEGY_RESTART;

	if (vm->snapshots > 0)
		return arena_printf(try->look->arena,
		    "libvirt keeps metadata of %d snapshot%s, which would "
		    "stay behind: delete them, or only the metadata (virsh "
		    "snapshot-delete --metadata)",
		    vm->snapshots, vm->snapshots == 1 ? "" : "s");
	if (!restart)
		return NULL;
	if (vm->checkpoints > 0)
		return arena_printf(try->look->arena,
		    "libvirt keeps metadata of %d checkpoint%s, which would "
		    "stay behind: delete them (virsh checkpoint-delete)",
		    vm->checkpoints, vm->checkpoints == 1 ? "" : "s");
	if (vm->snapshots < 0 || vm->checkpoints < 0)
		return "unknown whether libvirt keeps metadata of snapshots";
	return NULL;
}

static const struct snap_abi_verdict *
strategy_find_verdict(const struct strategy_look *look)
{
	const struct snap_host *target = look->target;
	const char *key = look->vm->abi.key;

	for (size_t i = 0; key != NULL && i < target->verdict_count; i++) {
		if (strcmp(target->verdicts[i].key, key) == 0)
			return &target->verdicts[i];
	}
	return NULL;
}

const char *
strategy_check_cpu(struct strategy_try *try)
{
	const struct snap_abi *abi = &try->look->vm->abi;
	const struct snap_abi_verdict *verdict;

	/* A guest that is started anew gets what the new host has. */
	if (try->strategy == STRATEGY_RESTART && abi->cpu_mode != NULL)
		return NULL;
	if (abi->incomparable != NULL)
		return abi->incomparable;
	verdict = strategy_find_verdict(try->look);
	if (verdict == NULL || verdict->verdict != SNAP_VERDICT_REJECTED)
		return NULL;
	return verdict->why != NULL ? verdict->why
				    : "does not accept the guest's CPU";
}

const char *
strategy_check_abi_known(struct strategy_try *try)
{
	const struct snap_abi *abi = &try->look->vm->abi;
	const struct snap_abi_verdict *verdict;

	if (try->strategy == STRATEGY_RESTART &&
	    (abi->cpu_mode != NULL || !strategy_runs(try->look->vm)))
		return NULL;
	verdict = strategy_find_verdict(try->look);
	if (verdict != NULL && verdict->verdict == SNAP_VERDICT_OK)
		return NULL;
	try->wait = true;
	return "has not said yet whether it can run the guest's CPU and "
	       "machine";
}

static const char *
strategy_check_shared(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	if (storage->class == STORAGE_DISKLESS ||
	    storage->class == STORAGE_SHARED)
		return NULL;
	try->wait = storage->marker_wanted;
	return arena_printf(
	    try->look->arena, "storage not shared: %s", storage->why);
}

/* Notes the drives to be emptied. */
const char *
strategy_check_media(struct strategy_try *try)
{
	const struct strategy_look *look = try->look;
	const struct storage_result *storage = look->storage;
	struct strategy_result *plan = &try->plan;

	plan->ejects = arena_array(
	    look->arena, storage->disk_count, sizeof(plan->ejects[0]));
	plan->eject_count = 0;
	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct storage_disk *medium = &storage->disks[i];

		if (medium->way != STORAGE_WAY_ABSENT)
			continue;
		if (medium->open) {
			try->wait = true;
			return arena_printf(look->arena, "%s: %s",
			    medium->disk->target, medium->why);
		}
		if (!medium->disk->optional)
			return arena_printf(look->arena,
			    "%s: %s: eject it, give it startupPolicy "
			    "'optional', or copy it there",
			    medium->disk->target, medium->why);
		plan->ejects[plan->eject_count++] = medium->disk->target;
	}
	return NULL;
}

const char *
strategy_check_cache(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct snap_disk *disk = storage->disks[i].disk;

		if (disk->backing || disk->readonly || disk->cache == NULL ||
		    storage->disks[i].way != STORAGE_WAY_SHARED ||
		    (disk->kind != SNAP_DISK_FILE &&
			disk->kind != SNAP_DISK_VOLUME) ||
		    strcmp(disk->cache, "unsafe") != 0)
			continue;
		return arena_printf(try->look->arena,
		    "%s has cache='unsafe', and what the guest wrote last may "
		    "not be there when the target reads it: give it "
		    "cache='none'",
		    disk->target);
	}
	return NULL;
}

const struct strategy_rule strategy_live_shared_rules[] = {
    {"not-running", strategy_check_running},
    {"pinned", strategy_check_pins},
    {"reachable", strategy_check_reachable},
    {"snapshots", strategy_check_metadata},
    {"cpu", strategy_check_cpu},
    {"storage-shared", strategy_check_shared},
    {"media", strategy_check_media},
    {"cache", strategy_check_cache},
    {"abi-unknown", strategy_check_abi_known},
    {NULL, NULL},
};

static const struct strategy_rule *
strategy_rules(enum strategy strategy)
{
	switch (strategy) {
	case STRATEGY_LIVE_SHARED:
		return strategy_live_shared_rules;
	case STRATEGY_LIVE_COPY:
		return strategy_live_copy_rules;
	case STRATEGY_RESTART:
		break;
	}
	return strategy_restart_rules;
}

static bool
strategy_is_strict(const struct strategy_look *look)
{
	switch (look->wish->handover) {
	case POLICY_HANDOVER_STRICT:
		return true;
	case POLICY_HANDOVER_FAST:
		return false;
	case POLICY_HANDOVER_DEFAULT:
		break;
	}
	return !look->storage->locked;
}

/* The plan of one strategy in *plan, or the refusal. */
static bool
strategy_attempt(const struct strategy_look *look, enum strategy strategy,
    struct strategy_result *plan, struct strategy_refusal *refusal)
{
	struct strategy_try try = {.look = look, .strategy = strategy};

	try.plan.strategy = strategy;
	for (const struct strategy_rule *rule = strategy_rules(strategy);
	     rule->name != NULL; rule++) {
		const char *why = rule->check(&try);

		if (why == NULL)
			continue;
		*refusal = (struct strategy_refusal){
		    strategy, rule->name, why, try.wait};
		return false;
	}
	*plan = try.plan;
	plan->found = true;
	if (strategy != STRATEGY_RESTART) {
		plan->strict = strategy_is_strict(look);
		plan->unsafe_ok =
		    look->storage->own_proof && look->storage->unsafe == NULL;
	}
	strategy_predict(look, plan);
	return true;
}

/* Its place in the wish; the count when it is not in it. */
static size_t
strategy_rank(const struct strategy_wish *wish, enum strategy strategy)
{
	size_t i;

	for (i = 0; i < wish->count; i++) {
		if (wish->order[i] == strategy)
			break;
	}
	return i;
}

static const char *
strategy_words_not_allowed(const struct strategy_look *look)
{
	if (look->wish->policy == NULL)
		return "it was not asked for";
	return arena_printf(look->arena,
	    "policy %s does not allow it (with.strategies)",
	    look->wish->policy);
}

void
strategy_choose(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, const struct snap_host *target,
    const struct snap_vm *vm, const struct strategy_wish *wish,
    int64_t (*disk_taken)(const char *host, const char *pool, void *arg),
    void *arg, struct strategy_result *out)
{
	struct storage_result storage;
	const struct strategy_look look = {arena, settings, s,
	    &s->hosts[vm->host], target, vm, wish, &storage, disk_taken, arg};
	struct strategy_result plans[STRATEGY_COUNT] = {0};
	struct strategy_refusal refusals[STRATEGY_COUNT] = {0};
	size_t best = wish->count;

	storage_classify(arena, settings, s, look.source, target, vm, &storage);
	for (size_t i = 0; i < STRATEGY_COUNT; i++) {
		enum strategy strategy = (enum strategy)i;
		size_t rank = strategy_rank(wish, strategy);

		if (rank == wish->count) {
			refusals[i] =
			    (struct strategy_refusal){strategy, "not-allowed",
				strategy_words_not_allowed(&look), false};
			continue;
		}
		if ((strategy_attempt(
			 &look, strategy, &plans[i], &refusals[i]) ||
			refusals[i].wait) &&
		    rank < best)
			best = rank;
	}
	*out = (struct strategy_result){.rank = best};
	if (best < wish->count) {
		enum strategy first = wish->order[best];

		if (plans[first].found)
			*out = plans[first];
		out->rank = best;
		out->wait = !out->found;
	}
	for (size_t i = 0; i < STRATEGY_COUNT; i++) {
		if (out->found && out->strategy == (enum strategy)i)
			continue;
		if (plans[i].found)
			refusals[i] = (struct strategy_refusal){
			    (enum strategy)i, "later",
			    arena_printf(arena,
				out->found ? "possible, but %s comes first"
					   : "possible, but %s comes first and "
					     "may be so too",
				strategy_name(wish->order[best])),
			    false};
		out->refusals[out->refusal_count++] = refusals[i];
	}
	out->storage = storage;
}

static struct converge_policy
strategy_converge(const struct policy *policy)
{
	return (struct converge_policy){
	    .rungs = policy->converge,
	    .max_downtime_ms = policy->downtime_step_max_ms,
	    .pause_max_ms = policy->pause_max_ms,
	};
}

struct strategy_wish
strategy_wish_of(const struct settings *settings, const struct policy *policy)
{
	struct strategy_wish wish = {
	    .order = {STRATEGY_LIVE_SHARED, STRATEGY_LIVE_COPY,
		STRATEGY_RESTART},
	    .count = STRATEGY_COUNT,
	    .bandwidth = settings->limits.bandwidth,
	    .include_stopped = true,
	};
	struct policy defaults;

	policy_set_defaults(&defaults);
	wish.converge = strategy_converge(policy != NULL ? policy : &defaults);
	if (policy == NULL)
		return wish;
	wish.policy = policy->name;
	wish.handover = policy->handover;
	wish.max_downtime_ms = policy->max_downtime_ms;
	wish.include_stopped = policy->include_stopped;
	if (policy->bandwidth > 0 &&
	    (wish.bandwidth <= 0 || policy->bandwidth < wish.bandwidth))
		wish.bandwidth = policy->bandwidth;
	if (policy->strategy_count > 0) {
		wish.count = policy->strategy_count;
		for (size_t i = 0; i < wish.count; i++)
			wish.order[i] = (enum strategy)policy->strategies[i];
	}
	return wish;
}

/* Is that all there is to say of it?  Of a guest that has nothing to copy nobody
 * asks why it is not copied. */
static bool
strategy_is_aside(const struct strategy_refusal *refusal)
{
	static const char *const rules[] = {
	    "not-allowed", "later", "nothing-local", "not-running"};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(refusal->rule, rules[i]) == 0)
			return true;
	}
	return false;
}

/* When there is one for all; NULL when there are several. */
static const char *
strategy_only_reason(const struct strategy_result *result)
{
	const char *only = NULL, *aside = "no strategy is allowed";

	for (size_t i = 0; i < result->refusal_count; i++) {
		const struct strategy_refusal *refusal = &result->refusals[i];

		if (strategy_is_aside(refusal)) {
			if (strcmp(refusal->rule, "not-allowed") != 0)
				aside = refusal->why;
			continue;
		}
		if (only != NULL && strcmp(only, refusal->why) != 0)
			return NULL;
		only = refusal->why;
	}
	return only != NULL ? only : aside;
}

const char *
strategy_words(struct arena *arena, const struct strategy_result *result)
{
	struct buf buf = BUF_INIT(STRATEGY_WHY_MAX);
	bool told[STRATEGY_COUNT] = {false};
	const char *text = strategy_only_reason(result);

	if (text != NULL)
		return text;
	for (size_t i = 0; i < result->refusal_count; i++) {
		const struct strategy_refusal *first = &result->refusals[i];

		if (told[i] || strategy_is_aside(first))
			continue;
		buf_addf(&buf, "%s%s", buf.len > 0 ? "; " : "",
		    strategy_name(first->strategy));
		for (size_t j = i + 1; j < result->refusal_count; j++) {
			const struct strategy_refusal *same =
			    &result->refusals[j];

			if (strcmp(same->why, first->why) != 0)
				continue;
			told[j] = true;
			buf_addf(&buf, ", %s", strategy_name(same->strategy));
		}
		buf_addf(&buf, ": %s", first->why);
	}
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

const char *
strategy_name(enum strategy strategy)
{
	switch (strategy) {
	case STRATEGY_LIVE_SHARED:
		return "live-shared";
	case STRATEGY_LIVE_COPY:
		return "live-copy";
	case STRATEGY_RESTART:
		break;
	}
	return "restart";
}

bool
strategy_parse(const char *name, enum strategy *out)
{
	for (int i = 0; i < STRATEGY_COUNT; i++) {
		if (strcmp(name, strategy_name((enum strategy)i)) != 0)
			continue;
		*out = (enum strategy)i;
		return true;
	}
	return false;
}
