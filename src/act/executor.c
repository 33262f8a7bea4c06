/*
 * The executor owns the moves in flight ("journeys": the pure move plus timers,
 * figures and calls that are out).
 *
 * A call that comes back finds its journey by number, never by pointer, because
 * the journey may have ended meanwhile.  The list that the machine hands over is
 * done in order, and an entry that cannot be written to the journal cuts the
 * list there: what stands behind it is not done.
 */
#include "act/executor_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

struct executor *
executor_new(const struct executor_deps *deps)
{
	struct executor *ex = calloc(1, sizeof(*ex));

	if (ex == NULL)
		abort();
	ex->deps = *deps;
	ex->rates = rates_new();
	return ex;
}

static void
journey_free(struct journey *j)
{
	loop_timer_free(j->timer);
	loop_timer_free(j->poll);
	move_free(j->move);
	executor_plan_clear(&j->plan);
	free(j->policy);
	free(j->rule);
	free(j->why);
	free(j->dest_uri);
	free(j->migrate_uri);
	free(j);
}

void
executor_close(struct executor *ex)
{
	ex->closed = true;
	/* A copy is begun again by whoever takes the move up. */
	for (struct journey *j = ex->journeys; j != NULL; j = j->next)
		executor_cancel(j);
}

void
executor_free(struct executor *ex)
{
	if (ex == NULL)
		return;
	while (ex->journeys != NULL)
		executor_forget(ex->journeys);
	rates_free(ex->rates);
	free(ex);
}

struct journey *
executor_by_id(struct executor *ex, int64_t id)
{
	for (struct journey *j = ex->journeys; j != NULL; j = j->next) {
		if (j->id == id)
			return j;
	}
	return NULL;
}

static void
unlink_journey(struct journey *j)
{
	struct journey **at = &j->ex->journeys;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	j->ex->count--;
}

void
executor_forget(struct journey *j)
{
	unlink_journey(j);
	journey_free(j);
}

static void
on_timer(void *arg)
{
	struct journey *j = arg;

	executor_feed(j, &(struct move_event){.kind = MOVE_EV_TIMER});
}

static void
on_poll(void *arg)
{
	executor_poll(arg);
}

/* Into the list, before the first with a larger number (0: at the end). */
static void
insert(struct executor *ex, struct journey *j)
{
	struct journey **at = &ex->journeys;

	while (*at != NULL && (j->id == 0 || (*at)->id < j->id))
		at = &(*at)->next;
	j->next = *at;
	*at = j;
	ex->count++;
}

static struct journey *
journey_new(struct executor *ex, struct move *move, int64_t id)
{
	struct journey *j = calloc(1, sizeof(*j));

	if (j == NULL)
		abort();
	j->ex = ex;
	j->id = id;
	j->move = move;
	j->started_mono = clock_mono_now();
	j->started = clock_wall_now();
	j->converging = true;
	j->timer = loop_timer_new(ex->deps.loop, on_timer, j);
	j->poll = loop_timer_new(ex->deps.loop, on_poll, j);
	insert(ex, j);
	return j;
}

static void
log_end(const struct journey *j)
{
	const struct move *m = j->move;
	const char *source;

	if (m->outcome == MOVE_COMPLETED)
		log_info("move",
		    "%s: moved from %s to %s (%s) in %" PRId64
		    " ms, downtime %" PRId64 " ms (predicted %" PRId64
		    " and %" PRId64 ")%s%s",
		    m->name, m->from, m->to, move_strategy_name(m->strategy),
		    j->ended_at.ms - j->started.ms,
		    executor_final_downtime(j, &source), j->plan.predicted_ms,
		    j->plan.predicted_downtime_ms,
		    m->remark[0] != '\0' ? ": " : "", m->remark);
	else
		log_warn("move", "%s: move from %s to %s %s: %s", m->name,
		    m->from, m->to, move_outcome_name(m->outcome), m->error);
}

/* Tries to make the outcome durable; tells the world when it is. */
static void
finish(struct journey *j)
{
	struct executor *ex = j->ex;
	struct executor_report report;
	struct err err = {0};

	if (!j->ended) {
		j->ended_at = clock_wall_now();
		if (j->move->outcome == MOVE_COMPLETED) {
			executor_copied_all(j);
			executor_learn(j);
		}
	}
	j->ended = true;
	loop_timer_clear(j->poll);
	if (executor_write_end(j, &err) < 0) {
		log_error("move",
		    "%s: move %" PRId64 " has ended (%s) but that "
		    "cannot be written, trying again: %s",
		    j->move->name, j->id, move_outcome_name(j->move->outcome),
		    err.msg);
		loop_timer_set(j->timer, EXECUTOR_FINISH_RETRY_MS);
		return;
	}
	announce_flush(ex->deps.announce);
	executor_fill_report(j, &report);
	log_end(j);
	/* Off the list before telling, so that what is told is all there is. */
	unlink_journey(j);
	executor_divide(ex);
	ex->deps.ended(&report, ex->deps.arg);
	journey_free(j);
}

/* Does one action.  Returns false when the rest of the list is void. */
static bool
act(struct journey *j, const struct move_action *action, struct err *err)
{
	switch (action->kind) {
	case MOVE_DO_JOURNAL:
		return executor_write_journal(j, action, err) == 0;
	case MOVE_DO_PERFORM:
		executor_perform(j);
		loop_timer_set(j->poll, EXECUTOR_POLL_MS);
		return true;
	case MOVE_DO_STEP:
		executor_step(j, action);
		return true;
	case MOVE_DO_CANCEL:
		executor_cancel(j);
		return true;
	case MOVE_DO_SUSPEND:
		executor_suspend(j);
		return true;
	case MOVE_DO_ABORT_JOB:
		executor_abort_job(j);
		return true;
	case MOVE_DO_OBSERVE:
		loop_timer_clear(j->poll);
		executor_observe(j);
		return true;
	case MOVE_DO_REPAIR:
		executor_repair(j, action);
		return true;
	case MOVE_DO_COLLECT:
		executor_collect(j);
		return true;
	case MOVE_DO_TIMER:
		loop_timer_set(j->timer, action->ms);
		if (j->move->state == MOVE_FOLLOWING)
			loop_timer_set(j->poll, EXECUTOR_POLL_MS);
		return true;
	case MOVE_DO_ALARM:
		log_error("move", "%s: ALARM: %s", j->move->name, action->text);
		return true;
	case MOVE_DO_END:
		finish(j);
		return false;
	}
	return true;
}

void
executor_feed(struct journey *j, const struct move_event *event)
{
	struct executor *ex = j->ex;
	struct move_actions actions;
	struct err err = {0};
	enum move_state before = j->move->state;

	if (ex->closed)
		return;
	if (j->ended) {
		if (event->kind == MOVE_EV_TIMER)
			finish(j);
		return;
	}
	move_step(j->move, event, clock_mono_now(), &actions);
	executor_progress(j);
	log_debug("move", "%s: %s -> %s (row %d)", j->move->name,
	    move_state_name(before), move_state_name(j->move->state),
	    j->move->last_row);
	for (size_t i = 0; i < actions.count; i++) {
		if (act(j, &actions.items[i], &err))
			continue;
		if (actions.items[i].kind == MOVE_DO_JOURNAL)
			executor_feed(j,
			    &(struct move_event){
				.kind = MOVE_EV_NOT_WRITTEN, .err = &err});
		break;
	}
}

int64_t
executor_start(
    struct executor *ex, const struct executor_request *r, struct err *err)
{
	struct executor_report other;
	struct move *move;
	struct move_actions actions;
	struct journey *j;

	/* However two may have come to decide it: one guest, one move. */
	if (executor_find_guest(ex, r->uuid, &other))
		return err_set(err, ERR_CONFLICT,
		    "%s is on its way from %s to "
		    "%s already (move %" PRId64 ")",
		    r->name, other.move->from, other.move->to, other.id);
	if (ex->deps.link(r->from, ex->deps.arg) == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "%s: its host %s is not "
		    "configured",
		    r->name, r->from);
	if (leftovers_is_removing(ex->deps.leftovers, r->uuid))
		return err_set(err, ERR_CONFLICT,
		    "%s: an old image of it is being removed in this moment",
		    r->name);
	move = move_new(r->uuid, r->name, r->from, r->to);
	j = journey_new(ex, move, 0);
	j->drain_id = r->drain_id;
	executor_plan_take(j, r);
	j->policy = str_dup(r->policy);
	j->rule = str_dup(r->rule);
	j->why = str_dup(r->why);
	j->dest_uri = str_dup(r->dest_uri);
	j->migrate_uri = str_dup(r->migrate_uri);
	j->attempt = r->attempt;
	executor_divide(ex);

	/* The row, the intent and the news of it are one transaction. */
	move_step(move, &(struct move_event){.kind = MOVE_EV_BEGIN},
	    clock_mono_now(), &actions);
	if (executor_write_start(j, &actions.items[0], err) < 0) {
		executor_forget(j);
		executor_divide(ex);
		return err_prefix(err, "%s", r->name);
	}
	for (size_t i = 1; i < actions.count; i++)
		(void)act(j, &actions.items[i], err);
	announce_flush(ex->deps.announce);
	log_info("move", "%s: moving from %s to %s (%s, attempt %d): %s",
	    r->name, r->from, r->to, move_strategy_name(r->strategy),
	    r->attempt, r->why);
	return j->id;
}

static void
recover_row(const struct store_move *row, void *arg)
{
	struct executor *ex = arg;
	struct journey *j;
	struct move *move;
	struct err err = {0};
	json_t *json;

	json = json_loads(row->context, 0, NULL);
	move = json != NULL ? move_load(json, &err) : NULL;
	if (move == NULL) {
		json_decref(json);
		log_error("move",
		    "%s: move %" PRId64 " from %s to %s cannot be "
		    "taken up, look at both hosts: %s",
		    row->name, row->id, row->from, row->to, err.msg);
		return;
	}
	j = journey_new(ex, move, row->id);
	j->drain_id = row->drain_id;
	executor_plan_load(&j->plan, json_object_get(json, "plan"));
	json_decref(json);
	j->policy = str_dup(row->policy);
	j->rule = str_dup(row->rule);
	j->why = str_dup(row->why);
	j->attempt = row->attempt;
	j->started = row->started;
	j->started_mono =
	    mono_add(clock_mono_now(), row->started.ms - clock_wall_now().ms);
	log_info("move",
	    "%s: taking up the move from %s to %s again (it was "
	    "%s)",
	    row->name, row->from, row->to, row->state);
	/* No host is connected yet, so this is answered with "unknown"; it is
	 * asked again as soon as both are: see executor_host_news(). */
	executor_feed(j, &(struct move_event){.kind = MOVE_EV_RECOVERED});
}

int
executor_recover(struct executor *ex, struct err *err)
{
	if (executor_learn_again(ex, err) < 0)
		return -1;
	return store_each_move(ex->deps.store,
	    &(struct store_move_filter){.open_only = true, .max = 10000},
	    recover_row, ex, err);
}

int
executor_abort(struct executor *ex, int64_t id, struct err *err)
{
	struct journey *j = executor_by_id(ex, id);

	if (j == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "move %" PRId64 " is not under way", id);
	if (j->move->state == MOVE_COLLECTING || j->ended)
		return err_set(
		    err, ERR_CONFLICT, "move %" PRId64 " has just ended", id);
	executor_feed(j, &(struct move_event){.kind = MOVE_EV_ABORT});
	return 0;
}

size_t
executor_count(const struct executor *ex)
{
	return ex->count;
}

void
executor_each(struct executor *ex,
    void (*fn)(const struct executor_report *report, void *arg), void *arg)
{
	struct executor_report report;

	for (struct journey *j = ex->journeys; j != NULL; j = j->next) {
		executor_fill_report(j, &report);
		fn(&report, arg);
	}
}

bool
executor_find(struct executor *ex, int64_t id, struct executor_report *out)
{
	struct journey *j = executor_by_id(ex, id);

	if (j != NULL)
		executor_fill_report(j, out);
	return j != NULL;
}

bool
executor_find_guest(
    struct executor *ex, const char *uuid, struct executor_report *out)
{
	for (struct journey *j = ex->journeys; j != NULL; j = j->next) {
		if (strcmp(j->move->uuid, uuid) == 0) {
			executor_fill_report(j, out);
			return true;
		}
	}
	return false;
}
