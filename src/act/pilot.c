/*
 * The turn: snapshot, evaluate, start, settle the drains, sleep until something
 * changes or a time comes.  All thinking is in decide/, all doing in the
 * executor; this is the wire between them.
 */
#include "act/pilot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/abicheck.h"
#include "act/history.h"
#include "act/survey.h"
#include "base/log.h"
#include "hv/explain.h"

#define ARENA_MAX ((size_t)1 << 30)
#define DEFAULT_BACKOFF_MS 5000
#define DEFAULT_TIMEOUT_MS (30 * 60 * 1000)
#define DRAINS_LOOK_MS 1000   /* a drain whose time has passed */
#define DRAINS_AGAIN_MS 10000 /* any that is open */

struct pilot {
	struct pilot_deps deps;
	const struct settings *settings;
	struct history *history;
	struct abicheck *abicheck;
	struct survey *survey;
	struct loop_timer *turn; /* as soon as possible */
	struct loop_timer *wake; /* when a time comes */
	bool begun;
	bool turning;
	bool again;
};

static void take_turn(void *arg);

static void
on_answered(void *arg)
{
	pilot_changed(arg);
}

static bool
is_moving(const char *uuid, void *arg)
{
	struct pilot *p = arg;
	struct executor_report report;

	return executor_find_guest(p->deps.executor, uuid, &report);
}

static struct link *
find_link(const char *host, void *arg)
{
	struct pilot *p = arg;

	return p->deps.link(host, p->deps.arg);
}

static struct snapshot *
look_around(void *arg)
{
	return pilot_snapshot(arg);
}

struct pilot *
pilot_new(const struct pilot_deps *deps)
{
	struct pilot *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->deps = *deps;
	p->history = history_new();
	p->turn = loop_timer_new(deps->loop, take_turn, p);
	p->wake = loop_timer_new(deps->loop, take_turn, p);
	p->abicheck = abicheck_new(
	    deps->loop, deps->inventory, deps->link, deps->arg, on_answered, p);
	p->survey = survey_new(&(struct survey_deps){.loop = deps->loop,
	    .inventory = deps->inventory,
	    .link = find_link,
	    .moving = is_moving,
	    .look = look_around,
	    .answered = on_answered,
	    .arg = p});
	return p;
}

void
pilot_close(struct pilot *p)
{
	if (p != NULL)
		survey_close(p->survey);
}

void
pilot_free(struct pilot *p)
{
	if (p == NULL)
		return;
	loop_timer_free(p->turn);
	loop_timer_free(p->wake);
	abicheck_free(p->abicheck);
	survey_free(p->survey);
	history_free(p->history);
	free(p);
}

void
pilot_configure(struct pilot *p, const struct settings *settings)
{
	p->settings = settings;
	executor_set_bandwidth(p->deps.executor, settings->limits.bandwidth);
	pilot_changed(p);
}

void
pilot_begin(struct pilot *p)
{
	p->begun = true;
	pilot_changed(p);
}

void
pilot_changed(struct pilot *p)
{
	if (p->turning)
		p->again = true;
	else if (p->begun)
		loop_timer_set(p->turn, 0);
}

struct moves_in_flight {
	struct snap_move *items;
	size_t count, cap;
};

/* What it writes at the target, in the pool of its first disk: a guest with disks
 * in several pools is rare, and then counts against one. */
static int64_t
disk_bytes(const struct move *move)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < move->disk_count; i++)
		bytes += move->disks[i].allocation;
	return bytes;
}

static void
add_in_flight(const struct executor_report *r, void *arg)
{
	struct moves_in_flight *m = arg;
	const struct move *move = r->move;

	if (m->count < m->cap)
		m->items[m->count++] = (struct snap_move){.uuid = r->move->uuid,
		    .from = r->move->from,
		    .to = r->move->to,
		    .memory = r->memory,
		    .disk = disk_bytes(move),
		    .pool = move->disk_count > 0 ? move->disks[0].pool : NULL,
		    .idle = r->idle};
}

static int64_t
link_rate(const char *host, void *arg)
{
	const struct pilot *p = arg;

	return executor_link_rate(p->deps.executor, host);
}

static void
set_corrections(const struct pilot *p, struct snapshot *s)
{
	static const struct {
		enum strategy strategy;
		enum move_strategy move;
	} same[] = {{STRATEGY_LIVE_SHARED, MOVE_LIVE_SHARED},
	    {STRATEGY_LIVE_COPY, MOVE_LIVE_COPY},
	    {STRATEGY_RESTART, MOVE_RESTART}};
	struct correction c;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		c = executor_correction(p->deps.executor, same[i].move);
		snapshot_set_correction(
		    s, same[i].strategy, c.time_ms, c.downtime_ln);
	}
}

struct snapshot *
pilot_snapshot(struct pilot *p)
{
	struct moves_in_flight m = {.cap = executor_count(p->deps.executor)};
	const struct snap_attempt *attempts;
	const struct snap_leftover *left;
	struct snapshot *s;
	size_t n;

	m.items = calloc(m.cap + 1, sizeof(*m.items));
	if (m.items == NULL)
		abort();
	executor_each(p->deps.executor, add_in_flight, &m);
	attempts = history_snapshot(p->history, &n);
	s = inventory_snapshot(p->deps.inventory, m.items, m.count, attempts, n,
	    clock_mono_now(), clock_wall_now());
	free(m.items);
	snapshot_set_link_rates(s, link_rate, p);
	set_corrections(p, s);
	if (p->deps.leftovers != NULL) {
		left = leftovers_snapshot(p->deps.leftovers, &n);
		snapshot_set_leftovers(s, left, n);
	}
	if (p->deps.alerts != NULL)
		alerts_fill(p->deps.alerts, s);
	return s;
}

void
pilot_fill_input(struct pilot *p, const struct snapshot *snapshot,
    struct evaluate_input *out)
{
	*out = (struct evaluate_input){
	    .settings = p->settings,
	    .snapshot = snapshot,
	    .now = snapshot->taken,
	};
	out->drains = drains_options(p->deps.drains, &out->drain_count);
	out->holds = history_holds(p->history, out->now, &out->hold_count);
}

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

static int64_t
start(struct pilot *p, struct arena *arena, const struct place_choice *choice,
    const struct policy *policy, struct err *err)
{
	const struct settings_host *to =
	    settings_find_host(p->settings, choice->target->name);
	const char *from = choice->from->name;
	const struct snap_vm *vm = choice->vm;
	const struct strategy_result *how = &choice->strategy;
	struct executor_request request;
	struct policy defaults;
	char rule[512];

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
	    .drain_id =
		policy != NULL ? drains_open_id(p->deps.drains, from) : 0,
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
	if (policy == NULL)
		policy = &defaults;
	request.max_downtime_ms = policy->max_downtime_ms;
	request.bandwidth = policy->bandwidth;
	request.timeout_ms = policy->timeout_ms;
	request.shutdown_ms = policy->shutdown_ms;
	request.repeat_ms = policy->shutdown_repeat_ms;
	request.force_off = policy->force_off || may_force_off(p, from);
	request.converge = (struct converge_policy){
	    .rungs = policy->converge,
	    .max_downtime_ms = policy->downtime_step_max_ms,
	    .pause_max_ms = policy->pause_max_ms,
	};
	return executor_start(p->deps.executor, &request, err);
}

static void
carry_out(struct pilot *p, struct arena *arena,
    struct evaluate_decision *decision, struct mono now)
{
	/* A host emptied by its flag has its drain from the flag on; one that got a
	 * guest afterwards gets a new drain.  Guests that the policy leaves alone
	 * are no reason for one: it would be over at once, again and again. */
	if (decision->item_count > decision->excepted && decision->act &&
	    drains_open_id(p->deps.drains, decision->host->name) == 0)
		(void)drains_start(p->deps.drains, decision->host->name,
		    &(struct drains_options){.parallel = -1, .by = "policy"},
		    NULL);
	for (size_t i = 0; i < decision->item_count; i++) {
		struct evaluate_item *item = &decision->items[i];
		struct err err = {0};

		if (item->fate != EVALUATE_START || !decision->act)
			continue;
		if (start(p, arena, &item->choice, decision->policy, &err) <
		    0) {
			log_error("move", "%s", err.msg);
			item->fate = EVALUATE_WAIT;
			item->why = "its move could not be begun, see the log";
			item->held = true;
			/* Full disk, lost link: not a try of this guest. */
			history_defer(p->history, item->vm->uuid,
			    DEFAULT_BACKOFF_MS, now);
			p->again = true;
		}
	}
}

/* Drains whose flag is gone: cleared when that could not be written, or by a
 * daemon that ended in between. */
static void
cancel_unwanted(struct pilot *p, const struct snapshot *s,
    const struct evaluation *evaluation)
{
	for (size_t i = 0; i < s->host_count; i++) {
		const char *name = s->hosts[i].name;
		bool wanted = s->hosts[i].maintenance;

		for (size_t k = 0; k < evaluation->decision_count; k++)
			wanted |= evaluation->decisions[k].host == &s->hosts[i];
		if (!wanted)
			drains_cancel(p->deps.drains, name);
	}
}

static void
take_turn(void *arg)
{
	struct pilot *p = arg;
	struct mono now = clock_mono_now(), wake, look;
	struct snapshot *s;
	struct arena *arena;
	struct evaluate_input input;
	struct evaluation *evaluation;

	if (!p->begun || p->settings == NULL)
		return;
	p->turning = true;
	p->again = false;
	loop_timer_clear(p->wake);
	abicheck_run(p->abicheck);
	s = pilot_snapshot(p);
	arena = arena_new(ARENA_MAX);
	pilot_fill_input(p, s, &input);
	evaluation = evaluate(arena, &input);
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		carry_out(p, arena, &evaluation->decisions[i], now);
		drains_update(p->deps.drains, &evaluation->decisions[i], now);
	}
	cancel_unwanted(p, s, evaluation);
	survey_run(p->survey, s);
	if (p->deps.marker != NULL)
		marker_run(p->deps.marker, s);
	drains_unattended(p->deps.drains, evaluation, now);
	wake = evaluation->wake;
	look = drains_wake(p->deps.drains);
	if (mono_before(look, mono_add(now, DRAINS_LOOK_MS)))
		look = mono_add(now, DRAINS_LOOK_MS);
	/* Also one that is blocked: memory that was freed is not told. */
	if (input.drain_count > 0 &&
	    mono_before(mono_add(now, DRAINS_AGAIN_MS), look))
		look = mono_add(now, DRAINS_AGAIN_MS);
	if (mono_before(look, wake))
		wake = look;
	arena_free(arena);
	snapshot_free(s);
	p->turning = false;
	if (p->again)
		loop_timer_set(p->turn, 0);
	else if (wake.ms != INT64_MAX)
		loop_timer_set(p->wake,
		    mono_diff(wake, now) > 50 ? mono_diff(wake, now) : 50);
}

void
pilot_turn(struct pilot *p)
{
	if (p->turning)
		return;
	loop_timer_clear(p->turn);
	take_turn(p);
}

static const struct policy *
find_policy(const struct pilot *p, const char *name)
{
	for (size_t i = 0; name != NULL && i < p->settings->policy_count; i++) {
		if (strcmp(p->settings->policies[i].name, name) == 0)
			return &p->settings->policies[i];
	}
	return NULL;
}

/* What holds for every target may still not hold for every strategy: a live move
 * that libvirt refuses is no reason against a restart. */
static void
note_failure(struct pilot *p, const struct executor_report *r)
{
	const struct policy *policy = find_policy(p, r->policy);
	const struct move *m = r->move;
	const struct hv_explanation *x = hv_explain(m->error);
	bool refused = x->permanent && x->any_target;
	bool live = m->strategy != MOVE_RESTART;

	history_add(p->history, m->uuid, m->from, m->to, m->error,
	    m->outcome == MOVE_STUCK || m->outcome == MOVE_ABORTED ||
		(refused && !live),
	    policy != NULL ? policy->backoff_ms : DEFAULT_BACKOFF_MS,
	    clock_mono_now());
	if (refused && live)
		history_refused(
		    p->history, m->uuid, move_strategy_name(m->strategy));
}

void
pilot_move_ended(struct pilot *p, const struct executor_report *r)
{
	drains_move_ended(p->deps.drains, r);
	if (r->move->outcome == MOVE_COMPLETED)
		history_moved(p->history, r->move->uuid, clock_mono_now());
	else if (r->policy != NULL)
		note_failure(p, r);
	pilot_changed(p);
}

void
pilot_wonder(struct pilot *p, const char *uuid)
{
	survey_ask(p->survey, uuid);
	pilot_changed(p);
}

void
pilot_retry(struct pilot *p, const char *host)
{
	history_forget_source(p->history, host);
	pilot_changed(p);
}

int64_t
pilot_move_guest(struct pilot *p, struct arena *arena, const struct snapshot *s,
    const struct snap_vm *vm, const char *only_to, const enum strategy *only_by,
    bool dry_run, struct place_choice *choice, struct err *err)
{
	struct strategy_wish wish = strategy_wish_of(p->settings, NULL);
	struct place_ledger *ledger = place_ledger_new(arena, s);
	const char *held;
	struct pace_limits limits = {
	    .total = p->settings->limits.total,
	    .per_source = p->settings->limits.per_source,
	    .per_target = p->settings->limits.per_target,
	};

	wish.at_once = true;
	if (only_by != NULL) {
		wish.order[0] = *only_by;
		wish.count = 1;
	}
	place_choose(arena, p->settings, s, ledger,
	    &(struct place_request){
		.vm = vm, .only_to = only_to, .retries = -1, .wish = &wish},
	    choice);
	if (choice->target == NULL)
		return err_set(
		    err, ERR_CONFLICT, "%s: %s", vm->name, choice->why);
	if (dry_run)
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
	return start(p, arena, choice, NULL, err);
}
