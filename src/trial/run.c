/*
 * Time goes from one event to the next: a sample, an alert, the end of a move, the
 * end of a wait, an expectation.  At each of them what has changed is taken in,
 * then the policies are evaluated and the moves that they want begin; then they
 * are evaluated again, until nothing more begins, so that what is expected of that
 * time is compared with what an operator would see after it.
 */

#include "trial/run.h"

#include <string.h>

#include "base/buf.h"
#include "trial/run_priv.h"
#include "trial/tell.h"

/* Of a turn it is most where many guests are refused by many hosts: a reason for
 * each of both. */
#define ARENA_MAX ((size_t)8 << 30)
#define MARK_MAX ((size_t)16 << 20)

/* ---- the settings of the test ---- */

static void
run_take_settings(struct run *run, const struct settings *from)
{
	struct settings *settings = &run->settings;
	struct policy *policies =
	    arena_array(run->arena, from->policy_count, sizeof(policies[0]));

	*settings = *from;
	settings->limits = run->trial->limits;
	/* In snapshots 0 is "any number". */
	if (settings->limits.total == 0)
		settings->limits.total = -1;
	if (settings->limits.per_source == 0)
		settings->limits.per_source = -1;
	if (settings->limits.per_target == 0)
		settings->limits.per_target = -1;
	/* Pools tell what is shared; nobody makes markers. */
	settings->proof = SETTINGS_PROOF_DECLARED;
	for (size_t i = 0; i < from->policy_count; i++) {
		const char *mode =
		    trial_find_mode(run->trial, run->c, from->policies[i].name);

		policies[i] = from->policies[i];
		if (mode != NULL)
			(void)trial_parse_mode(mode, &policies[i].mode);
	}
	settings->policies = policies;
}

/* ---- evaluating ---- */

static void
run_evaluate(struct run *run)
{
	struct world *world = &run->world;
	struct evaluate_input input = {
	    .settings = &run->settings,
	    .snapshot = &world->s,
	    .now = world->s.taken,
	};
	size_t count;

	arena_free(run->turn);
	run->turn = arena_new(ARENA_MAX);
	world->s.attempts = (struct snap_attempt *)(uintptr_t)history_snapshot(
	    world->history, &count);
	world->s.attempt_count = count;
	input.holds =
	    history_holds(world->history, input.now, &input.hold_count);
	input.recent = world_recent(world, &input.recent_count);
	watch_look(world->watch, &run->settings, NULL, &world->s, input.now,
	    world->s.taken_wall);
	input.watch = world->watch;
	run->evaluation = evaluate(run->turn, &input);
}

/* Begins what is to be begun; false: nothing was. */
static bool
run_begin_moves(struct run *run)
{
	bool any = false;

	for (size_t i = 0; i < run->evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &run->evaluation->decisions[i];

		for (size_t k = 0; decision->act && k < decision->item_count;
		     k++) {
			const struct evaluate_item *item = &decision->items[k];

			if (item->fate != EVALUATE_START)
				continue;
			world_begin_move(&run->world, decision, item);
			any = true;
		}
	}
	return any;
}

/* What policies do to hosts themselves; false: nothing. */
static bool
run_set_flags(struct run *run)
{
	bool any = false;

	for (size_t i = 0; i < run->evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &run->evaluation->decisions[i];
		unsigned actions = decision->policy->actions;

		if (!decision->act || decision->host == NULL ||
		    decision->gate != NULL)
			continue;
		if ((actions & POLICY_ACTION_MAINTENANCE) != 0)
			any |= world_set_flag(&run->world, decision->host,
			    TRIAL_FLAG_MAINTENANCE, decision->policy);
		else if ((actions & POLICY_ACTION_CORDON) != 0)
			any |= world_set_flag(&run->world, decision->host,
			    TRIAL_FLAG_CORDONED, decision->policy);
	}
	if (any)
		world_set_time(&run->world, run->world.now_ms);
	return any;
}

/* ---- states ---- */

static struct run_state
run_translate(struct watch_state at)
{
	switch (at.phase) {
	case WATCH_OFF:
		break;
	case WATCH_PENDING:
		return (struct run_state){TRIAL_PENDING, world_since(at.since)};
	case WATCH_ON:
		return (struct run_state){TRIAL_ACTIVE, world_since(at.since)};
	}
	return (struct run_state){TRIAL_IDLE, -1};
}

/* A policy about guests is as active on their host as any of them has it. */
static struct run_state
run_state_of_guests(const struct run *run, const struct policy *policy,
    const struct snap_host *host)
{
	const struct snapshot *s = &run->world.s;
	struct run_state found = {TRIAL_IDLE, -1};

	for (size_t i = 0; i < s->vm_count; i++) {
		struct run_state state;

		if (&s->hosts[s->vms[i].host] != host)
			continue;
		state = run_translate(
		    watch_vm(run->world.watch, policy, s, &s->vms[i]));
		if (state.state > found.state ||
		    (state.state == found.state &&
			state.since_ms < found.since_ms))
			found = state;
	}
	return found;
}

struct run_state
run_state_of(const struct run *run, const struct policy *policy,
    const struct snap_host *host, const struct snap_vm *vm)
{
	const struct watch *watch = run->world.watch;

	if (policy->condition_count == 0)
		return (struct run_state){TRIAL_IDLE, -1};
	if (vm != NULL)
		return run_translate(
		    watch_vm(watch, policy, &run->world.s, vm));
	if (host != NULL && watch_is_of_guests(policy))
		return run_state_of_guests(run, policy, host);
	return run_translate(watch_host(watch, policy, host));
}

void
run_step(struct run *run)
{
	run_evaluate(run);
	while (run_set_flags(run))
		run_evaluate(run);
	(void)run_begin_moves(run);
}

void
run_turn(struct run *run)
{
	run_evaluate(run);
	/* Each round at least one guest more is on its way, or one flag more is
	 * set. */
	while (run_set_flags(run) || run_begin_moves(run))
		run_evaluate(run);
}

/* ---- what has changed ---- */

/* Who is decided about, and how, without figures that change all the time. */
static void
run_mark(const struct run *run, struct buf *out)
{
	for (size_t i = 0; i < run->evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &run->evaluation->decisions[i];

		buf_addf(out, "%s %s\n", decision->policy->name,
		    decision->host != NULL ? decision->host->name : "-");
		for (size_t k = 0; k < decision->item_count; k++) {
			const struct evaluate_item *item = &decision->items[k];

			buf_addf(out, "%s %s %s\n", item->vm->uuid,
			    evaluate_fate_name(item->fate),
			    item->choice.target != NULL
				? item->choice.target->name
				: "-");
		}
	}
}

static void
run_trace(const struct run *run, struct buf *last, json_t *trace)
{
	struct buf mark = BUF_INIT(MARK_MAX);
	char at[TRIAL_TIME_SIZE];

	run_mark(run, &mark);
	if (strcmp(buf_str(&mark), buf_str(last)) != 0)
		json_array_append_new(trace,
		    json_pack("{s:s, s:o}", "at",
			trial_words_time(run->world.now_ms, at), "decisions",
			tell_decisions(run->evaluation)));
	buf_clear(last);
	buf_adds(last, buf_str(&mark));
	buf_free(&mark);
}

/* ---- time ---- */

int64_t
run_due(const struct run *run)
{
	int64_t next = world_next(&run->world);
	int64_t wake = world_since(run->evaluation->wake);

	return wake > run->world.now_ms && wake < next ? wake : next;
}

/* The next event after now, or -1 when nothing more is expected. */
static int64_t
run_next(const struct run *run)
{
	int64_t now = run->world.now_ms, next = run_due(run);
	bool more = false;

	for (size_t i = 0; i < run->c->expect_count; i++) {
		int64_t at = run->c->expects[i].at_ms;

		if (at <= now)
			continue;
		more = true;
		if (at < next)
			next = at;
	}
	return more ? next : -1;
}

static void
run_judge(const struct run *run, json_t **results)
{
	for (size_t i = 0; i < run->c->expect_count; i++)
		if (run->c->expects[i].at_ms == run->world.now_ms)
			results[i] = judge_expect(run, &run->c->expects[i]);
}

void
run_begin(struct run *run, const struct trial *trial,
    const struct trial_case *c, const struct settings *settings)
{
	*run =
	    (struct run){.trial = trial, .c = c, .arena = arena_new(ARENA_MAX)};
	run_take_settings(run, settings);
	world_init(&run->world, run->arena, trial, c);
}

void
run_end(struct run *run)
{
	world_clear(&run->world);
	arena_free(run->turn);
	arena_free(run->arena);
}

json_t *
trial_run(const struct trial *trial, const struct settings *settings,
    const struct trial_case *c, bool verbose)
{
	struct buf last = BUF_INIT(MARK_MAX);
	json_t *result = json_object(), *tests = json_array();
	json_t *trace = json_array(), **results;
	struct run run;

	run_begin(&run, trial, c, settings);
	results = arena_array(run.arena, c->expect_count, sizeof(results[0]));
	for (int64_t now = 0; now >= 0; now = run_next(&run)) {
		if (now > 0)
			world_set_time(&run.world, now);
		run_turn(&run);
		if (verbose)
			run_trace(&run, &last, trace);
		run_judge(&run, results);
	}
	/* In the order of the file. */
	for (size_t i = 0; i < c->expect_count; i++)
		json_array_append_new(tests, results[i]);
	if (c->name != NULL)
		json_object_set_new(result, "name", json_string(c->name));
	json_object_set_new(result, "line", json_integer(c->line));
	json_object_set_new(result, "tests", tests);
	if (verbose)
		json_object_set(result, "trace", trace);
	json_decref(trace);
	buf_free(&last);
	run_end(&run);
	return result;
}
