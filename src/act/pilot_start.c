/*
 * A move begins: what was decided becomes a request to the executor, and an
 * operator's own move is decided here as a policy's would be, one guest at a time.
 */
#include <stdio.h>
#include <string.h>

#include "act/pilot_priv.h"
#include "decide/guard.h"

/* Did the operator allow this drain to cut the power of its guests? */
static bool
may_force_off(const struct pilot *p, const char *host)
{
	const struct evaluate_drain *drains;
	size_t n;

	drains = drains_options(p->deps.drains, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(drains[i].host, host) == 0)
			return drains[i].force_off;
	}
	return false;
}

static void
take_disks(struct arena *arena, const struct strategy_result *how,
    struct executor_request *request)
{
	struct executor_disk *disks =
	    arena_array(arena, how->disk_count, sizeof(disks[0]));

	for (size_t i = 0; i < how->disk_count; i++)
		disks[i] = (struct executor_disk){
		    .disk = &how->disks[i],
		    .source_pool = how->disks[i].source_pool,
		    .source_volume = how->disks[i].source_volume,
		    .replace = how->disks[i].replace,
		};
	request->disks = disks;
	request->disk_count = how->disk_count;
	request->ejects = how->ejects;
	request->eject_count = how->eject_count;
}

static enum move_strategy
move_strategy_of(enum strategy strategy)
{
	switch (strategy) {
	case STRATEGY_LIVE_SHARED:
		return MOVE_LIVE_SHARED;
	case STRATEGY_LIVE_COPY:
		return MOVE_LIVE_COPY;
	case STRATEGY_RESTART:
		break;
	}
	return MOVE_RESTART;
}

int64_t
pilot_start(struct pilot *p, struct arena *arena,
    const struct place_choice *choice, const struct policy *policy,
    const struct policy *with, const char *drained, int64_t decision,
    struct err *err)
{
	const struct settings_host *to =
	    settings_find_host(p->settings, choice->target->name);
	const char *from = choice->from->name;
	const struct snap_vm *vm = choice->vm;
	const struct strategy_result *how = &choice->strategy;
	struct executor_request request;
	struct policy defaults;
	char rule[512];
	int64_t id;

	if (to == NULL)
		return err_set(err, ERR_NOT_FOUND, "%s is not configured",
		    choice->target->name);
	if (policy != NULL)
		(void)snprintf(rule, sizeof(rule), "%s:%u", policy->file,
		    policy->when_line);
	else
		(void)snprintf(rule, sizeof(rule), "operator");
	policy_set_defaults(&defaults);
	request = (struct executor_request){
	    .uuid = vm->uuid,
	    .name = vm->name,
	    .from = from,
	    .to = to->name,
	    .dest_uri = to->uri,
	    .migrate_uri = to->migrate_uri,
	    .strategy = move_strategy_of(how->strategy),
	    .policy = policy != NULL ? policy->name : NULL,
	    .rule = rule,
	    .why = choice->why,
	    .drain_id = policy != NULL ? drains_open_id(p->deps.drains,
					     drained != NULL ? drained : from)
				       : 0,
	    .decision = decision,
	    .attempt = history_attempts(p->history, vm->uuid) + 1,
	    .memory = vm->memory,
	    .strict = how->strict,
	    .persistent = vm->persistent,
	    .autostart = vm->autostart,
	    .reason_before = vm->reason,
	    .incremental = how->incremental,
	    .unsafe_ok = how->unsafe_ok,
	    .was_running = snapshot_vm_active(vm),
	    .agent = vm->agent,
	    .predicted_ms = how->predicted.time_ms,
	    .predicted_downtime_ms = how->predicted.downtime_ms,
	    .keep_source_ms = p->settings->keep_source_ms,
	};
	take_disks(arena, how, &request);
	/* An operator's own move goes by the defaults of policies. */
	if (with == NULL)
		with = policy != NULL ? policy : &defaults;
	request.max_downtime_ms = with->max_downtime_ms;
	request.bandwidth = with->bandwidth;
	request.timeout_ms = with->timeout_ms;
	request.shutdown_ms = with->shutdown_ms;
	request.repeat_ms = with->shutdown_repeat_ms;
	request.force_off = with->force_off || may_force_off(p, from);
	request.converge = (struct converge_policy){
	    .rungs = with->converge,
	    .max_downtime_ms = with->downtime_step_max_ms,
	    .pause_max_ms = with->pause_max_ms,
	};
	id = executor_start(p->deps.executor, &request, err);
	if (id > 0 && policy != NULL)
		recent_started(p->recent, id, policy->name, vm->uuid, from,
		    to->name, clock_wall_now());
	return id;
}

/* What policies say about targets, to one who is none of them. */
static struct guard
operators_guard(struct pilot *p, struct arena *arena, const struct snapshot *s,
    struct place_ledger *ledger, const struct snap_vm *vm, bool force)
{
	struct look_cluster *cluster = arena_alloc(arena, sizeof(*cluster));
	struct guard guard = {.arena = arena,
	    .settings = p->settings,
	    .s = s,
	    .watch = p->watch,
	    .cluster = cluster,
	    .ledger = ledger,
	    .force = force,
	    .storage = look_at_storage(s, p->settings, vm)};

	look_at_cluster(s, cluster);
	if (p->deps.modes != NULL)
		guard.modes = modes_of(p->deps.modes, p->settings);
	guard_begin(&guard, vm);
	return guard;
}

/* Whoever is told that a policy forbids it should know that it is up to him. */
static void
add_hint(struct arena *arena, struct place_choice *choice)
{
	bool forbidden = false;

	for (size_t i = 0; i < choice->rejection_count; i++)
		forbidden |= choice->rejections[i].rule == PLACE_FORBIDDEN;
	if (forbidden)
		choice->why = arena_printf(arena,
		    "%s; --force overrides what a policy forbids", choice->why);
}

int64_t
pilot_move_guest(struct pilot *p, struct arena *arena, const struct snapshot *s,
    const struct snap_vm *vm, const struct pilot_wish *by,
    struct place_choice *choice, struct err *err)
{
	struct strategy_wish wish = strategy_wish_of(p->settings, NULL);
	struct place_ledger *ledger = place_ledger_new(arena, s);
	struct guard guard =
	    operators_guard(p, arena, s, ledger, vm, by->force);
	const char *held;
	struct pace_limits limits = {
	    .total = p->settings->limits.total,
	    .per_source = p->settings->limits.per_source,
	    .per_target = p->settings->limits.per_target,
	};

	wish.at_once = true;
	if (by->only_by != NULL) {
		wish.order[0] = *by->only_by;
		wish.count = 1;
	}
	place_choose(arena, p->settings, s, ledger,
	    &(struct place_request){.vm = vm,
		.only_to = by->only_to,
		.retries = -1,
		.wish = &wish,
		.guard = &guard},
	    choice);
	if (choice->target == NULL) {
		add_hint(arena, choice);
		return err_set(
		    err, ERR_CONFLICT, "%s: %s", vm->name, choice->why);
	}
	if (by->dry_run)
		return 0;
	if (snapshot_is_moving(s, vm->uuid))
		return err_set(
		    err, ERR_CONFLICT, "%s is being moved already", vm->name);
	held = pace_check(
	    arena, s, ledger, &limits, &s->hosts[vm->host], choice->target);
	if (held != NULL)
		return err_set(err, ERR_LIMIT,
		    "%s: %s; try again when a move "
		    "has ended",
		    vm->name, held);
	return pilot_start(p, arena, choice, NULL, NULL, NULL, 0, err);
}
