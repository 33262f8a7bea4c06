/*
 * The turn: snapshot, evaluate, start, settle the drains, sleep until something
 * changes or a time comes.  All thinking is in decide/, all doing in the
 * executor; this is the wire between them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/pilot_priv.h"
#include "base/log.h"
#include "base/map.h"
#include "hv/explain.h"

#define ARENA_MAX ((size_t)1 << 30)
#define DRAINS_LOOK_MS 1000   /* a drain whose time has passed */
#define DRAINS_AGAIN_MS 10000 /* any that is open */
#define CHEAP_TURN_MS 10      /* is taken for each guest that changes */

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
	p->watch = watch_new();
	p->recent = recent_new();
	p->homes = homes_new();
	p->flagged = map_new(free);
	p->acted_on = map_new(NULL);
	p->open = true;
	p->turn = loop_timer_new(deps->loop, take_turn, p);
	p->wake = loop_timer_new(deps->loop, take_turn, p);
	p->sample = loop_timer_new(deps->loop, take_turn, p);
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
	loop_timer_free(p->sample);
	abicheck_free(p->abicheck);
	survey_free(p->survey);
	history_free(p->history);
	watch_free(p->watch);
	recent_free(p->recent);
	homes_free(p->homes);
	map_free(p->flagged);
	map_free(p->acted_on);
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

void
pilot_sampled(struct pilot *p)
{
	if (!p->begun || p->sampled || p->soon)
		return;
	p->sampled = true;
	loop_timer_set(p->sample, PILOT_SAMPLED_MS);
}

/* Somebody waits for what may have changed: a move, a drain, a guest that has no
 * place yet, or a host that guests leave, where another one may have come up. */
static bool
is_awaited(const struct pilot *p, const char *host)
{
	return p->settings == NULL || p->open || p->turning ||
	    executor_count(p->deps.executor) > 0 ||
	    map_get(p->acted_on, host) != NULL;
}

/* As soon as turns have had half of the time, at the latest as for a load. */
static void
look_in_turn(struct pilot *p)
{
	int64_t wait = 2 * p->turn_ms;

	if (!p->begun || p->soon)
		return;
	p->soon = true;
	loop_timer_set(
	    p->sample, wait < PILOT_SAMPLED_MS ? wait : PILOT_SAMPLED_MS);
}

void
pilot_guest_changed(struct pilot *p, const char *host)
{
	if (!is_awaited(p, host))
		pilot_sampled(p);
	else if (p->turn_ms < CHEAP_TURN_MS)
		pilot_changed(p);
	else
		look_in_turn(p);
}

/* For is_awaited(), until the next turn. */
static void
note_open(struct pilot *p, const struct evaluation *evaluation, bool drains)
{
	map_free(p->acted_on);
	p->acted_on = map_new(NULL);
	p->open = drains;
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		const struct evaluate_decision *d = &evaluation->decisions[i];

		if (!d->act)
			continue;
		if (d->host == NULL ||
		    d->starts + d->moving + d->waiting + d->blocked > 0)
			p->open = true;
		else
			map_set(p->acted_on, d->host->name, p);
	}
}

int
pilot_load(struct pilot *p, struct store *store, struct err *err)
{
	if (homes_load(p->homes, store, err) < 0)
		return -1;
	return recent_load(p->recent, store, clock_wall_now(), err);
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

static bool
is_approved(const char *policy, const char *host, void *arg)
{
	const struct pilot *p = arg;

	return p->deps.decisions != NULL &&
	    decisions_approved(p->deps.decisions, policy, host);
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
	out->watch = p->watch;
	if (p->deps.modes != NULL)
		out->modes = modes_of(p->deps.modes, p->settings);
	out->approved = is_approved;
	out->arg = p;
	out->recent =
	    recent_list(p->recent, snapshot->taken_wall, &out->recent_count);
	out->homes = homes_list(p->homes, &out->home_count);
	out->drains = drains_options(p->deps.drains, &out->drain_count);
	out->holds = history_holds(p->history, out->now, &out->hold_count);
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

		wanted |= evaluate_find_drain(evaluation, name) != NULL;
		if (!wanted)
			drains_cancel(p->deps.drains, name);
	}
}

/* Before anything is carried out, so that moves can name their decision. */
static void
record(struct pilot *p, const struct evaluation *evaluation)
{
	struct wall now = clock_wall_now();

	if (p->deps.decisions == NULL)
		return;
	for (size_t i = 0; i < evaluation->decision_count; i++)
		decisions_note(
		    p->deps.decisions, &evaluation->decisions[i], now);
	decisions_turn_over(p->deps.decisions, now);
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
	p->sampled = false;
	p->soon = false;
	loop_timer_clear(p->sample);
	loop_timer_clear(p->wake);
	abicheck_run(p->abicheck);
	pilot_route_all(p);
	s = pilot_snapshot(p);
	arena = arena_new(ARENA_MAX);
	pilot_fill_input(p, s, &input);
	watch_look(p->watch, p->settings, input.modes, s, now, s->taken_wall);
	evaluation = evaluate(arena, &input);
	homes_settle(p->homes, evaluation, now);
	record(p, evaluation);
	note_open(p, evaluation, input.drain_count > 0);
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		struct evaluate_decision *d = &evaluation->decisions[i];

		pilot_act(p, arena, d, now);
		if (d->host != NULL &&
		    evaluate_find_drain(evaluation, d->host->name) == d)
			drains_update(p->deps.drains, d, now);
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
	p->turn_ms = mono_diff(clock_mono_now(), now);
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
	    policy != NULL ? policy->backoff_ms : PILOT_BACKOFF_MS,
	    clock_mono_now());
	if (refused && live)
		history_refused(
		    p->history, m->uuid, move_strategy_name(m->strategy));
}

/* For cooldowns, and for looking anew at what the policy saw. */
static void
note_end(struct pilot *p, const struct executor_report *r)
{
	bool made = r->move->outcome == MOVE_COMPLETED;
	struct mono now = clock_mono_now();

	recent_ended(p->recent, r->id, made, clock_wall_now());
	if (!made)
		return;
	watch_acted(p->watch, r->policy, r->move->from, now);
	watch_acted(p->watch, r->policy, "", now);
}

void
pilot_move_ended(struct pilot *p, const struct executor_report *r)
{
	drains_move_ended(p->deps.drains, r);
	homes_move_ended(p->homes, r, clock_mono_now());
	if (r->policy != NULL)
		note_end(p, r);
	if (r->move->outcome == MOVE_COMPLETED) {
		history_moved(p->history, r->move->uuid, clock_mono_now());
		inventory_set_moved(
		    p->deps.inventory, r->move->uuid, clock_wall_now());
	} else if (r->policy != NULL) {
		note_failure(p, r);
	}
	pilot_changed(p);
}

void
pilot_wonder(struct pilot *p, const char *uuid)
{
	survey_ask(p->survey, uuid);
	pilot_changed(p);
}

json_t *
pilot_home(const struct pilot *p, const char *uuid)
{
	return homes_json(p->homes, uuid);
}

json_t *
pilot_homes(const struct pilot *p, const char *host)
{
	return homes_json_of(p->homes, host);
}

void
pilot_retry(struct pilot *p, const char *host)
{
	history_forget_source(p->history, host);
	pilot_changed(p);
}
