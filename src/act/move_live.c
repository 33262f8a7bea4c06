/*
 * A live move, over shared storage or with its disks copied.
 *
 * There is one irreversible call (the migration) and then a loop: ask both hosts,
 * look into the reconciliation table, do the one thing that it says, ask again.
 * The loop ends when the table says so.  A move that goes well takes one round; one
 * that is taken up after a crash enters the same loop.
 *
 * When disks go along, volumes are made for them before that call, and removed when
 * the guest has stayed; move_clean.c says which.  A move that ends with a person
 * removes nothing.
 *
 * A guest that was paused by us, to let the migration end, is not left so: the
 * journal says that we did it before it is done.
 */
#include <stdio.h>

#include "act/move_priv.h"

/* ---- its beginning ---- */

static void
perform(struct move *m, struct mono now, struct move_actions *actions)
{
	m->state = MOVE_PERFORMING;
	m->perform_begun = true;
	move_add_journal(actions, "intent", "perform",
	    m->strict ? "strict handover" : "fast handover");
	move_add(actions, MOVE_DO_PERFORM);
	if (m->deadline.ms != 0)
		move_add_timer(actions,
		    move_is_late(m, now) ? 0 : mono_diff(m->deadline, now));
}

void
move_live_begin(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->disk_count == 0)
		perform(m, now, actions);
	else
		(void)move_add_step(m, MOVE_STEP_CHECK,
		    "are the names of its images free at the target", actions);
}

static enum move_outcome
outcome_at_source(const struct move *m)
{
	if (m->abort_asked)
		return MOVE_ABORTED;
	return m->repaired ? MOVE_ROLLED_BACK : MOVE_FAILED;
}

/* CHECK or PREPARE is over, and something asks for the end. */
static bool
is_called_off(struct move *m, struct mono now)
{
	if (m->abort_asked)
		move_set_error(m, "given up on request");
	else if (m->timed_out || move_is_late(m, now))
		move_set_timeout_error(m);
	return m->error[0] != '\0';
}

static void
prepared(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	move_add_journal(actions, "result", move_step_name(m->step),
	    err != NULL ? err->msg : "done");
	if (err == NULL)
		m->steps_done |= 1U << MOVE_STEP_PREPARE;
	else if (move_is_uncertain(err))
		move_doubt_volumes(m);
	if (err != NULL)
		move_set_error(m, err->msg);
	if (!is_called_off(m, now))
		perform(m, now, actions);
	else if (move_has_volumes(m))
		move_observe(m, actions);
	else
		move_end(m, outcome_at_source(m), actions);
}

void
move_live_stepped(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	if (m->step == MOVE_STEP_PREPARE) {
		prepared(m, err, now, actions);
	} else if (m->step == MOVE_STEP_CLEAN) {
		move_add_journal(actions, "result", move_step_name(m->step),
		    err != NULL ? err->msg : "done");
		if (move_cleaned(m, err, now, actions))
			move_end(m, outcome_at_source(m), actions);
	} else {
		if (err != NULL)
			move_set_error(m, err->msg);
		else
			m->steps_done |= 1U << m->step;
		if (is_called_off(m, now))
			move_end(m, outcome_at_source(m), actions);
		else
			(void)move_add_step(m, MOVE_STEP_PREPARE,
			    "volumes for its images", actions);
	}
}

void
move_live_performed(
    struct move *m, const struct err *err, struct move_actions *actions)
{
	m->perform_ok = err == NULL;
	m->uncertain = err != NULL && move_is_uncertain(err);
	/* What broke when it was called off says nothing: which side noticed
	 * first is chance. */
	if (err != NULL && m->timed_out)
		move_set_timeout_error(m);
	else if (err != NULL && m->abort_asked && !m->uncertain)
		move_set_error(m, MOVE_ABORTED_WORDS);
	else if (err != NULL)
		move_set_error(m, err->msg);
	move_observe(m, actions);
}

void
move_live_recovered(struct move *m, struct move_actions *actions)
{
	if (!m->perform_begun)
		move_set_error(
		    m, "droverd ended before the migration had begun");
	move_doubt_volumes(m);
	move_observe(m, actions);
}

/* ---- its end at the source ---- */

/* Whoever cleans has seen the target: what it has there now, it must have then. */
static void
end_at_source(struct move *m, const struct reconcile_side *target,
    struct mono now, struct move_actions *actions)
{
	if (!move_must_clean(m)) {
		move_end(m, outcome_at_source(m), actions);
	} else if (target->presence != RECONCILE_UNKNOWN) {
		move_add_step(m, MOVE_STEP_CLEAN,
		    "the guest has stayed; volumes of this move are at the "
		    "target",
		    actions)
		    ->expect = *target;
	} else if (move_is_cleaning_late(m, now)) {
		move_end(m, outcome_at_source(m), actions);
	} else {
		move_wait(m, MOVE_WAIT_MS,
		    "the guest has stayed; the target, where volumes are to be "
		    "removed, does not answer",
		    now, actions);
	}
}

/* The migration is over, and the guest is where it was.  A call that broke off may
 * not have begun when that was seen first, and a pause of ours may come late. */
static void
stayed(struct move *m, const struct reconcile_row *row,
    const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	bool again = (m->recovered || m->uncertain) && !m->repaired;

	m->stayed_seen++;
	if ((again || m->suspended) && m->stayed_seen < 2) {
		m->state = MOVE_WAITING;
		m->patient = true;
		(void)snprintf(m->note, sizeof(m->note),
		    "looking again before it counts as not moved");
		move_add_timer(actions, MOVE_STAYED_AGAIN_MS);
		return;
	}
	if (m->timed_out)
		move_set_timeout_error(m);
	move_set_error(m,
	    m->recovered ? "the migration ended without moving it "
			   "while droverd was away"
			 : row->why);
	end_at_source(m, &event->target, now, actions);
}

/* ---- the loop ---- */

static void
wait_for(struct move *m, const struct reconcile_row *row, struct mono now,
    struct move_actions *actions)
{
	/* Only a look at the right time shows it, and we may crash before we
	 * know more. */
	if (m->took_back && !m->took_back_noted) {
		m->took_back_noted = true;
		move_add_journal(actions, "note", "took-back",
		    "the source has taken the guest back and runs it");
	}
	move_wait(m, MOVE_WAIT_MS, row->why, now, actions);
}

/* Which side a repair touches: that is the one that must not have changed. */
static bool
repair_is_at_source(enum reconcile_verdict verdict)
{
	return verdict == RECONCILE_RESUME_SOURCE ||
	    verdict == RECONCILE_DESTROY_SOURCE ||
	    verdict == RECONCILE_UNDEFINE_SOURCE;
}

static void
repair(struct move *m, const struct reconcile_row *row,
    const struct move_event *event, struct move_actions *actions)
{
	struct move_action *a;

	m->state = MOVE_REPAIRING;
	if (m->repair != row->verdict)
		m->repair_failures = 0;
	m->repair = row->verdict;
	m->sure_row = 0;
	m->lingers_since = (struct mono){0};
	if (row->verdict == RECONCILE_RESUME_SOURCE ||
	    row->verdict == RECONCILE_DESTROY_TARGET ||
	    row->verdict == RECONCILE_UNDEFINE_TARGET)
		m->repaired = true;
	if (row->verdict == RECONCILE_DESTROY_SOURCE)
		m->source_destroyed = true;
	if (row->verdict == RECONCILE_RESUME_TARGET)
		m->target_ran = true;
	if (row->number == 52)
		move_add_alarm(actions, "%s", row->why);
	move_add_journal(
	    actions, "intent", reconcile_verdict_name(row->verdict), row->why);
	a = move_add(actions, MOVE_DO_REPAIR);
	a->repair = row->verdict;
	a->expect =
	    repair_is_at_source(row->verdict) ? event->source : event->target;
}

/* libvirt's word that the guest was stopped for the switchover and then ran on at
 * the source. */
static bool
has_taken_back(const struct move *m, const struct reconcile_side *source)
{
	return source->presence == RECONCILE_PRESENT &&
	    source->state == DOMAIN_RUNNING &&
	    source->reason == DOMAIN_REASON_MIGRATION_CANCELED &&
	    m->reason_before != DOMAIN_REASON_MIGRATION_CANCELED;
}

/* Looks both hosts up in the table. */
static struct reconcile_row
look_up(struct move *m, const struct move_event *event, struct mono now)
{
	struct reconcile_view view = {
	    .source = event->source,
	    .target = event->target,
	    .strict = m->strict,
	    .persistent = m->persistent,
	    .autostart = m->autostart,
	    .reason_before = m->reason_before,
	    .confirmed = m->perform_ok,
	    .took_back = m->took_back,
	    .source_destroyed = m->source_destroyed,
	    .repaired = m->repaired,
	    .suspended = m->suspended,
	    .copied = m->disk_count > 0,
	    .target_ran = m->target_ran,
	};
	struct reconcile_row row = reconcile(&view);

	if (move_row_lingers(m, row.number, now)) {
		view.lingers = true;
		row = reconcile(&view);
	}
	return row;
}

static void
carry_out(struct move *m, const struct reconcile_row *row,
    const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	switch (row->verdict) {
	case RECONCILE_WAIT:
		wait_for(m, row, now, actions);
		return;
	case RECONCILE_FOLLOW:
		m->state = MOVE_FOLLOWING;
		m->lingers_since = (struct mono){0};
		move_add_timer(actions, MOVE_FOLLOW_MS);
		return;
	case RECONCILE_RESUME_TARGET:
	case RECONCILE_RESUME_SOURCE:
	case RECONCILE_DESTROY_TARGET:
	case RECONCILE_DESTROY_SOURCE:
	case RECONCILE_UNDEFINE_TARGET:
	case RECONCILE_UNDEFINE_SOURCE:
	case RECONCILE_AUTOSTART_TARGET:
		repair(m, row, event, actions);
		return;
	case RECONCILE_MOVED:
		m->state = MOVE_COLLECTING;
		move_add(actions, MOVE_DO_COLLECT);
		return;
	case RECONCILE_STAYED:
		stayed(m, row, event, now, actions);
		return;
	case RECONCILE_ENDED:
		move_set_error(m, row->why);
		end_at_source(m, &event->target, now, actions);
		return;
	case RECONCILE_PERSON:
		move_give_up(m, row->why, actions);
		return;
	}
}

void
move_live_observed(struct move *m, const struct move_event *event,
    struct mono now, struct move_actions *actions)
{
	struct reconcile_row row;

	/* Nothing was sent that could have changed the guest. */
	if (!m->perform_begun && event->source.presence != RECONCILE_UNKNOWN) {
		end_at_source(m, &event->target, now, actions);
		return;
	}
	m->took_back |= has_taken_back(m, &event->source);
	row = look_up(m, event, now);
	if (reconcile_needs_second_look(row.verdict) &&
	    m->sure_row != row.number) {
		m->sure_row = row.number;
		move_observe(m, actions);
		return;
	}
	m->sure_row = 0;
	if (row.verdict != RECONCILE_STAYED)
		m->stayed_seen = 0;
	if (row.verdict != RECONCILE_WAIT)
		m->note[0] = '\0';
	carry_out(m, &row, event, now, actions);
}

void
move_live_repaired(
    struct move *m, const struct err *err, struct move_actions *actions)
{
	const char *name = reconcile_verdict_name(m->repair);
	char text[400];

	if (err == NULL) {
		m->repair_failures = 0;
		move_add_journal(actions, "result", name, "done");
		move_observe(m, actions);
		return;
	}
	/* Not done, since the guest was not as expected any more. */
	if (err->code == ERR_CONFLICT && m->repair == RECONCILE_DESTROY_SOURCE)
		m->source_destroyed = false;
	if (err->code == ERR_CONFLICT && m->repair == RECONCILE_RESUME_TARGET)
		m->target_ran = false;
	if (err->code == ERR_UNREACHABLE) {
		m->state = MOVE_WAITING;
		m->patient = false;
		(void)snprintf(m->note, sizeof(m->note), "%.200s", err->msg);
		move_add_timer(actions, MOVE_WAIT_MS);
		return;
	}
	m->repair_failures++;
	if (m->repair_failures == 1 &&
	    (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND)) {
		move_observe(m, actions);
		return;
	}
	/* Without autostart the move is still a good one. */
	if (m->repair == RECONCILE_AUTOSTART_TARGET) {
		move_add_alarm(actions, "autostart could not be set at %s: %s",
		    m->to, err->msg);
		m->autostart = false;
		move_observe(m, actions);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s failed: %.300s", name, err->msg);
	if (m->repair_failures >= MOVE_REPAIR_TRIES) {
		move_give_up(m, text, actions);
		return;
	}
	m->state = MOVE_WAITING;
	m->patient = false;
	(void)err_copy_line(m->note, sizeof(m->note), text);
	move_add_timer(actions, MOVE_WAIT_MS);
}

/* ---- while it runs ---- */

void
move_live_timer(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state != MOVE_PERFORMING && m->state != MOVE_FOLLOWING)
		return;
	if (move_is_late(m, now))
		m->timed_out = true;
	if (m->timed_out || (m->state == MOVE_FOLLOWING && m->abort_asked))
		move_add(actions, MOVE_DO_ABORT_JOB);
	if (m->state == MOVE_FOLLOWING)
		move_observe(m, actions);
	else if (m->timed_out)
		move_add_timer(actions, MOVE_WAIT_MS);
	else if (m->deadline.ms != 0)
		move_add_timer(actions, mono_diff(m->deadline, now));
}

void
move_live_give_up(
    struct move *m, const struct err *err, struct move_actions *actions)
{
	if (m->state != MOVE_PERFORMING && m->state != MOVE_FOLLOWING)
		return;
	if (err != NULL)
		move_set_error(m, err->msg);
	m->timed_out = true;
	move_add(actions, MOVE_DO_ABORT_JOB);
	if (m->state == MOVE_PERFORMING)
		move_add_timer(actions, MOVE_WAIT_MS);
}

void
move_live_suspended(struct move *m, struct move_actions *actions)
{
	if ((m->state != MOVE_PERFORMING && m->state != MOVE_FOLLOWING) ||
	    m->suspended || m->abort_asked || m->timed_out)
		return;
	m->suspended = m->writes_suspend = true;
	move_add_journal(actions, "note", "suspend",
	    "it is paused at the source, to let the migration end");
	move_add(actions, MOVE_DO_SUSPEND);
}

bool
move_live_not_written(
    struct move *m, const char *why, struct move_actions *actions)
{
	bool clean = m->state == MOVE_STEPPING && m->step == MOVE_STEP_CLEAN;

	if (m->writes_suspend) {
		m->suspended = false;
		return true;
	}
	if (m->state == MOVE_PERFORMING ||
	    (m->state == MOVE_STEPPING && !clean)) {
		move_set_error(m, why);
		m->perform_begun = false;
		if (move_has_volumes(m))
			return false;
		move_end(m, MOVE_FAILED, actions);
		return true;
	}
	/* The intent, not the result: whoever destroys it now, it is not us. */
	if (m->state == MOVE_REPAIRING && m->repair == RECONCILE_DESTROY_SOURCE)
		m->source_destroyed = false;
	if (m->state == MOVE_REPAIRING && m->repair == RECONCILE_RESUME_TARGET)
		m->target_ran = false;
	m->took_back_noted = false;
	return false;
}
