/*
 * A move by shutdown and start.
 *
 * Ask both hosts, look into the restart table, do the step that it names, ask
 * again: until it names an end.  Before each step the journal has what is about to
 * be done, and after it what came of it; after a crash the loop is entered at
 * asking, and knows from the journal which steps may have been done.
 *
 * Steps whose end is not known are looked at, not guessed.  A step that fails leads
 * to the way back, as long as there is one; on the parts of the ways that have no
 * alternative it is tried again, and what cannot be done there although the guest
 * is where it should be is said, not waited for.
 */
#include "act/restart.h"

#include <stdio.h>

#include "act/move_priv.h"

#define BIT(step) (1U << MOVE_STEP_##step)

/* The disks at the target count only while the source was seen to be off. */
#define TAKEN (BIT(COPY_REST) | BIT(CARRY) | BIT(DEFINE))

bool
move_restart_is_committed(const struct move *m)
{
	return (m->steps_begun & (BIT(START) | BIT(UNDEFINE_SOURCE))) != 0;
}

void
move_restart_turn_back(
    struct move *m, const char *why, struct move_actions *actions)
{
	m->back = true;
	m->runs_seen = 0;
	move_set_error(m, why);
	move_add_journal(actions, "note", "back", why);
}

/* Somebody may have used the guest at the source: it was out of sight, or an event
 * says so, which a look after a short life does not show. */
static void
lose_sight(struct move *m, const struct reconcile_side *source)
{
	bool unseen = source->presence == RECONCILE_UNKNOWN;

	m->stirred |= unseen;
	if (unseen || !m->stirred)
		return;
	m->stirred = false;
	/* Nothing is left there that could have been used, or it is too late. */
	if (move_has_begun(m, MOVE_STEP_START) ||
	    move_has_done(m, MOVE_STEP_UNDEFINE_SOURCE) ||
	    source->presence == RECONCILE_ABSENT)
		return;
	m->steps_done &= ~TAKEN;
}

/* ---- its beginning ---- */

void
move_restart_begin(struct move *m, struct move_actions *actions)
{
	move_add_journal(actions, "intent", "restart",
	    m->was_running ? "shut down here, started there"
			   : "it is off, and stays so");
	move_observe(m, actions);
}

void
move_restart_recovered(
    struct move *m, struct mono now, struct move_actions *actions)
{
	m->stirred = true;
	/* Nothing is lost yet, and what there is now is easily made again. */
	if (move_has_begun(m, MOVE_STEP_PREPARE) &&
	    !move_has_done(m, MOVE_STEP_PREPARE) && !m->back) {
		move_doubt_volumes(m);
		m->back = true;
		move_set_error(
		    m, "droverd ended while volumes were made for it");
	}
	m->shutdown_deadline = mono_add(now, m->shutdown_ms);
	m->ask_unsure = move_has_begun(m, MOVE_STEP_SHUTDOWN);
	move_observe(m, actions);
}

/* ---- what is seen ---- */

static bool
is_off(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT && s->state == DOMAIN_SHUTOFF;
}

/* A request that was under way when the source fell silent reaches the guest when
 * the source is back: its time begins then. */
static void
count_anew(struct move *m, struct mono now)
{
	m->ask_unsure = false;
	m->heard_at = now;
	if (!m->ask_heard)
		m->shutdown_deadline = mono_add(now, m->shutdown_ms);
}

/* By whom it was ended is told only as long as its daemon remembers. */
static void
notice(struct move *m, const struct reconcile_side *source, struct mono now)
{
	bool by_guest = source->reason == DOMAIN_REASON_SHUTDOWN &&
	    !move_has_begun(m, MOVE_STEP_SHUTDOWN);
	/* A merge ends the QEMU that it needed in the same way. */
	bool cut_off = source->reason == DOMAIN_REASON_DESTROYED &&
	    (m->steps_begun & (BIT(DESTROY) | BIT(MERGE_SOURCE))) == 0;

	lose_sight(m, source);
	if (source->presence != RECONCILE_UNKNOWN && m->ask_unsure)
		count_anew(m, now);
	if (!m->was_running || move_restart_is_committed(m) ||
	    move_has_done(m, MOVE_STEP_START_SOURCE))
		return;
	if (is_off(source) && (by_guest || cut_off))
		m->owner_ended = true;
	else if (source->presence == RECONCILE_PRESENT && !is_off(source))
		m->owner_ended = false;
}

static int64_t
repeat_ms(const struct move *m)
{
	return m->repeat_ms > MOVE_WAIT_MS ? m->repeat_ms : MOVE_WAIT_MS;
}

/* It was asked: it may still obey as long as it would have been waited for, and as
 * long again as lies between two requests; see MOVE_OBEY_MS. */
static bool
may_obey(const struct move *m, struct mono now)
{
	int64_t heard = mono_diff(now, m->heard_at);

	return heard < repeat_ms(m) ||
	    (heard < MOVE_OBEY_MS &&
		mono_diff(now, m->shutdown_deadline) < repeat_ms(m));
}

static struct restart_view
make_view(const struct move *m, const struct move_event *event, struct mono now)
{
	bool asked = move_has_begun(m, MOVE_STEP_SHUTDOWN);
	bool lately =
	    m->asked_at.ms != 0 && mono_diff(now, m->asked_at) < repeat_ms(m);

	return (struct restart_view){
	    .source = event->source,
	    .target = event->target,
	    .begun = m->steps_begun,
	    .done = m->steps_done,
	    .copies = m->disk_count > 0,
	    .was_running = m->was_running,
	    .autostart = m->autostart,
	    .owner_ended = m->owner_ended,
	    .force_off = m->force_off,
	    .back = m->back,
	    .verified = m->verified,
	    .volumes = move_must_clean(m),
	    .may_start = m->starts < MOVE_STARTS,
	    .ask_due = m->asks == 0 || !lately,
	    .shutdown_over = asked && !mono_before(now, m->shutdown_deadline),
	    .late = m->clean_over,
	    .grace = asked && may_obey(m, now) &&
		!move_has_done(m, MOVE_STEP_START_SOURCE) && !m->cut_off,
	};
}

static struct restart_row
look_up(struct move *m, const struct move_event *event, struct mono now)
{
	struct restart_view view = make_view(m, event, now);
	struct restart_row row = restart_next(&view);

	if (move_row_lingers(m, row.number, now)) {
		view.lingers = true;
		row = restart_next(&view);
	}
	return row;
}

/* ---- what is done about it ---- */

/* Of the side whose guest must not have changed since it was seen. */
static struct reconcile_side
expect(enum move_step step, const struct move_event *event)
{
	switch (step) {
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_COPY_REST:
	case MOVE_STEP_CARRY:
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_START_SOURCE:
		return event->source;
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_START:
	case MOVE_STEP_DESTROY_TARGET:
	case MOVE_STEP_UNDEFINE_TARGET:
	case MOVE_STEP_CLEAN:
		return event->target;
	case MOVE_STEP_NONE:
	case MOVE_STEP_CHECK:
	case MOVE_STEP_PREPARE:
	case MOVE_STEP_FREEZE:
	case MOVE_STEP_COPY:
	case MOVE_STEP_SHUTDOWN:
	case MOVE_STEP_DISARM:
	case MOVE_STEP_MERGE_TARGET:
	case MOVE_STEP_AUTOSTART:
	case MOVE_STEP_REARM:
	case MOVE_STEP_MERGE_SOURCE:
		break;
	}
	return (struct reconcile_side){.presence = RECONCILE_UNKNOWN};
}

static void
do_step(struct move *m, const struct restart_row *row,
    const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	struct move_action *a;

	if (row->number == 22 || row->number == 26)
		move_add_alarm(actions, "%s", row->why);
	/* Their names are this move's own. */
	if (row->step == MOVE_STEP_COPY_REST) {
		for (size_t i = 0; i < m->disk_count; i++)
			m->disks[i].layer_created =
			    move_has_done(m, MOVE_STEP_FREEZE);
	}
	a = move_add_step(m, row->step, row->why, actions);
	a->ask = m->asks;
	a->expect = expect(row->step, event);
	if (m->deadline.ms != 0 && !move_restart_is_committed(m) &&
	    !move_is_late(m, now))
		move_add_timer(actions, mono_diff(m->deadline, now));
}

static int64_t
wait_ms(const struct restart_row *row)
{
	return row->number == 57 || row->number == 76 ? MOVE_SHUTDOWN_LOOK_MS
						      : MOVE_WAIT_MS;
}

/* Says so as long as it waits for the guest. */
static void
wait_for(struct move *m, const struct restart_row *row, struct mono now,
    struct move_actions *actions)
{
	char text[200];

	if (row->number == 79)
		(void)move_is_cleaning_late(m, now);
	(void)snprintf(text, sizeof(text), "%s", row->why);
	if (row->number == 57 && m->reboots > 0)
		(void)snprintf(text, sizeof(text),
		    "it was asked to shut down %d times and has rebooted %d "
		    "times instead",
		    m->asks, m->reboots);
	else if (row->number == 57)
		(void)snprintf(text, sizeof(text),
		    "it was asked to shut down (request %d), %lld s are left",
		    m->asks,
		    (long long)mono_diff(m->shutdown_deadline, now) / 1000);
	move_wait(m, wait_ms(row), text, now, actions);
	/* Nobody is silent: it is not idle. */
	if (row->number == 57 || row->number == 76)
		m->lingers_since = (struct mono){0};
}

static enum move_outcome
outcome_at_source(const struct move *m)
{
	if (m->abort_asked)
		return MOVE_ABORTED;
	return (m->steps_begun & (BIT(FREEZE) | BIT(SHUTDOWN) | TAKEN)) != 0
	    ? MOVE_ROLLED_BACK
	    : MOVE_FAILED;
}

static void
shutdown_failed(struct move *m, const char *why, struct move_actions *actions)
{
	char text[200];

	if (m->reboots > 0)
		(void)snprintf(text, sizeof(text),
		    "it did not shut down within %lld s: it was asked %d times "
		    "and has rebooted %d times instead",
		    (long long)m->shutdown_ms / 1000, m->asks, m->reboots);
	else
		(void)snprintf(text, sizeof(text),
		    "it did not shut down within %lld s: it was asked %d times",
		    (long long)m->shutdown_ms / 1000, m->asks);
	move_restart_turn_back(m, m->shutdown_ms > 0 ? text : why, actions);
}

/* Turns, and things that only have to be known.  False: that was not one. */
static bool
take_note(struct move *m, const struct restart_row *row,
    const struct move_event *event, struct move_actions *actions)
{
	if (row->verdict == RESTART_BACK && row->number == 56) {
		shutdown_failed(m, row->why, actions);
	} else if (row->verdict == RESTART_BACK) {
		move_restart_turn_back(m, row->why, actions);
	} else if (row->verdict == RESTART_FORWARD) {
		m->back = false;
		m->steps_begun |= BIT(START);
		move_add_journal(actions, "note", "forward", row->why);
	} else if (row->verdict == RESTART_VERIFY &&
	    (is_off(&event->target) || m->runs_seen > 0)) {
		m->verified = true;
		if (is_off(&event->target))
			move_set_remark(
			    m, "it ran at the target and was ended there");
		move_add_journal(actions, "note", "verified", row->why);
	} else {
		return false;
	}
	return true;
}

static void
carry_out(struct move *m, const struct restart_row *row,
    const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	switch (row->verdict) {
	case RESTART_STEP:
		do_step(m, row, event, now, actions);
		return;
	case RESTART_WAIT:
		wait_for(m, row, now, actions);
		return;
	case RESTART_VERIFY:
		m->runs_seen++;
		move_wait(m, MOVE_VERIFY_MS, row->why, now, actions);
		m->patient = true;
		return;
	case RESTART_PERSON:
		move_give_up(m, row->why, actions);
		return;
	case RESTART_DONE:
		if (m->owner_ended)
			move_set_remark(m,
			    "it was shut down by its owner during the move, "
			    "and is off at the target");
		move_end(m, MOVE_COMPLETED, actions);
		return;
	case RESTART_UNDONE:
		if (m->owner_ended)
			move_set_remark(
			    m, "it was shut down by its owner during the move");
		if (m->clean_over && move_has_begun(m, MOVE_STEP_CARRY) &&
		    !move_has_done(m, MOVE_STEP_UNDEFINE_TARGET))
			move_set_remark(m,
			    "what libvirt keeps of it beside its disks may be "
			    "left at %s",
			    m->to);
		move_end(m, outcome_at_source(m), actions);
		return;
	case RESTART_BACK:
	case RESTART_FORWARD:
		return;
	}
}

/* Too late, or on request: it goes back, if it can. */
static void
call_off(struct move *m, struct mono now, struct move_actions *actions)
{
	if (move_is_late(m, now))
		m->timed_out = true;
	if (m->back || move_restart_is_committed(m))
		return;
	if (m->abort_asked) {
		move_restart_turn_back(m, "given up on request", actions);
	} else if (m->timed_out) {
		move_set_timeout_error(m);
		move_restart_turn_back(m, m->error, actions);
	}
}

void
move_restart_observed(struct move *m, const struct move_event *event,
    struct mono now, struct move_actions *actions)
{
	struct restart_row row;

	notice(m, &event->source, now);
	call_off(m, now, actions);
	/* Each turn is made at most once: back, forward, verified. */
	do {
		row = look_up(m, event, now);
		if (row.twice && m->sure_row != row.number) {
			m->sure_row = row.number;
			move_observe(m, actions);
			return;
		}
		m->sure_row = 0;
		if (row.verdict != RESTART_VERIFY)
			m->runs_seen = 0;
		if (row.verdict != RESTART_WAIT)
			m->note[0] = '\0';
	} while (take_note(m, &row, event, actions));
	carry_out(m, &row, event, now, actions);
}

/* ---- what else happens ---- */

static void
cancel(const struct move *m, struct move_actions *actions)
{
	if (m->state == MOVE_STEPPING &&
	    (m->step == MOVE_STEP_COPY || m->step == MOVE_STEP_COPY_REST))
		move_add(actions, MOVE_DO_CANCEL);
}

void
move_restart_timer(
    struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state != MOVE_STEPPING || !move_is_late(m, now))
		return;
	m->timed_out = true;
	move_set_timeout_error(m);
	cancel(m, actions);
}

void
move_restart_abort(struct move *m, struct move_actions *actions)
{
	if (move_restart_is_committed(m)) {
		(void)snprintf(m->note, sizeof(m->note),
		    "too late to be given up: it is being started at the "
		    "target");
		return;
	}
	cancel(m, actions);
	if (m->state == MOVE_WAITING && !m->patient)
		move_observe(m, actions);
}

void
move_restart_rebooted(
    struct move *m, struct mono now, struct move_actions *actions)
{
	(void)actions;
	if (m->asks == 0 || m->back || move_has_begun(m, MOVE_STEP_START))
		return;
	m->reboots++;
	/* What it was asked before it began anew is forgotten: it is asked
	 * again, when it is likely to listen. */
	m->asked_at = now;
}
