/*
 * The frame of a move: what all strategies share.
 *
 * Events come in here and go to the machine of the strategy; what waits, ends and
 * is written looks the same for all.  Each call that changes something is preceded
 * by a journal entry with the whole state of the machine.  If that entry cannot be
 * written, the call is not made: nothing of what it would have changed counts, and
 * the move waits and tries again.
 */
#include "act/move.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/move_priv.h"

/* ---- lists ---- */

struct move_action *
move_add(struct move_actions *actions, enum move_action_kind kind)
{
	struct move_action *a;

	if (actions->count == MOVE_ACTIONS_MAX)
		abort();
	a = &actions->items[actions->count++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

void
move_add_timer(struct move_actions *actions, int64_t ms)
{
	move_add(actions, MOVE_DO_TIMER)->ms = ms;
}

void
move_add_journal(struct move_actions *actions, const char *kind,
    const char *step, const char *text)
{
	struct move_action *a = move_add(actions, MOVE_DO_JOURNAL);

	(void)err_copy_line(a->text, sizeof(a->text), text);
	a->journal = kind;
	a->step = step;
}

void
move_add_alarm(struct move_actions *actions, const char *fmt, ...)
{
	struct move_action *a = move_add(actions, MOVE_DO_ALARM);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

struct move_action *
move_add_step(struct move *m, enum move_step step, const char *why,
    struct move_actions *actions)
{
	struct move_action *a;

	if (m->step != step)
		m->step_failures = 0;
	m->state = MOVE_STEPPING;
	m->step = step;
	m->first_try = !move_has_begun(m, step);
	m->steps_begun |= 1U << step;
	m->sure_row = 0;
	m->lingers_since = (struct mono){0};
	m->note[0] = '\0';
	move_add_journal(actions, "intent", move_step_name(step), why);
	a = move_add(actions, MOVE_DO_STEP);
	a->perform_step = step;
	return a;
}

/* ---- notes ---- */

void
move_set_error(struct move *m, const char *text)
{
	if (m->error[0] == '\0')
		(void)err_copy_line(m->error, sizeof(m->error), text);
}

void
move_set_timeout_error(struct move *m)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "it did not end within %lld s and "
	    "was given up",
	    (long long)m->timeout_ms / 1000);
	move_set_error(m, text);
}

void
move_set_remark(struct move *m, const char *fmt, ...)
{
	char text[sizeof(m->remark)];
	va_list ap;

	if (m->remark[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)err_copy_line(m->remark, sizeof(m->remark), text);
}

bool
move_is_uncertain(const struct err *err)
{
	return err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT;
}

bool
move_is_late(const struct move *m, struct mono now)
{
	return m->deadline.ms != 0 && !mono_before(now, m->deadline);
}

bool
move_has_begun(const struct move *m, enum move_step step)
{
	return (m->steps_begun & 1U << step) != 0;
}

bool
move_has_done(const struct move *m, enum move_step step)
{
	return (m->steps_done & 1U << step) != 0;
}

/* ---- states ---- */

void
move_observe(struct move *m, struct move_actions *actions)
{
	m->state = MOVE_OBSERVING;
	move_add(actions, MOVE_DO_OBSERVE);
}

void
move_wait(struct move *m, int64_t ms, const char *why, struct mono now,
    struct move_actions *actions)
{
	m->state = MOVE_WAITING;
	m->patient = false;
	if (m->lingers_since.ms == 0)
		m->lingers_since = now;
	(void)err_copy_line(m->note, sizeof(m->note), why);
	move_add_timer(actions, ms);
}

bool
move_row_lingers(struct move *m, int row, struct mono now)
{
	if (row != m->last_row)
		m->lingers_since = (struct mono){0};
	m->last_row = row;
	return m->lingers_since.ms != 0 &&
	    mono_diff(now, m->lingers_since) >= RECONCILE_PATIENCE_MS;
}

void
move_end(
    struct move *m, enum move_outcome outcome, struct move_actions *actions)
{
	m->state = MOVE_ENDED;
	m->outcome = outcome;
	m->ends_now = true;
	m->note[0] = '\0';
	move_add(actions, MOVE_DO_END);
}

/* What to do is more important than how it came to that: it stands first. */
void
move_give_up(struct move *m, const char *why, struct move_actions *actions)
{
	char first[301], text[sizeof(m->error)];

	/* Cut on the border of a character: the journal is JSON. */
	(void)err_copy_line(first, sizeof(first), m->error);
	(void)snprintf(text, sizeof(text), "%s%s%s", why,
	    first[0] != '\0' ? "; it began with: " : "", first);
	(void)err_copy_line(m->error, sizeof(m->error), text);
	move_add_alarm(actions, "%s", why);
	move_end(m, MOVE_STUCK, actions);
}

/* ---- events ---- */

static void
begin(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->timeout_ms > 0)
		m->deadline = mono_add(now, m->timeout_ms);
	if (m->strategy == MOVE_RESTART)
		move_restart_begin(m, actions);
	else
		move_live_begin(m, now, actions);
}

/* A restart of the daemon: what was sent may have begun, ended, or neither. */
static void
recovered(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state == MOVE_ENDED)
		return;
	m->recovered = true;
	m->stayed_seen = m->runs_seen = 0;
	m->sure_row = 0;
	m->lingers_since = m->clean_since = (struct mono){0};
	m->deadline = (struct mono){0};
	if (m->timeout_ms > 0)
		m->deadline = mono_add(now, m->timeout_ms);
	(void)snprintf(m->note, sizeof(m->note),
	    "taken up after a restart, asking both hosts");
	if (m->strategy == MOVE_RESTART)
		move_restart_recovered(m, now, actions);
	else
		move_live_recovered(m, actions);
}

static void
timer(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state == MOVE_WAITING)
		move_observe(m, actions);
	else if (m->strategy == MOVE_RESTART)
		move_restart_timer(m, now, actions);
	else
		move_live_timer(m, now, actions);
}

static void
ask_abort(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state == MOVE_ENDED || m->state == MOVE_COLLECTING)
		return;
	m->abort_asked = true;
	/* Where it is, is known: at the source. */
	if (m->state == MOVE_WAITING && m->clean_since.ms != 0) {
		m->clean_over = true;
		move_observe(m, actions);
		return;
	}
	if (move_is_idle(m, now)) {
		move_give_up(m,
		    "given up on request while one of its hosts did not "
		    "answer: nobody knows where the guest is; look at both "
		    "hosts before starting it anywhere",
		    actions);
		return;
	}
	if (m->strategy == MOVE_RESTART)
		move_restart_abort(m, actions);
	else if (m->state == MOVE_PERFORMING || m->state == MOVE_FOLLOWING)
		move_add(actions, MOVE_DO_ABORT_JOB);
}

/* The journal could not be written, so the call behind it was not made. */
static void
not_written(struct move *m, const struct err *err, struct move_actions *actions)
{
	const char *why =
	    err != NULL ? err->msg : "the journal could not be written";

	/* Behind what could not be written stood the end, which is written by
	 * itself. */
	if (m->state == MOVE_ENDED) {
		if (m->ends_now)
			move_add(actions, MOVE_DO_END);
		m->ends_now = false;
		return;
	}
	m->steps_begun = m->begun_before;
	if (m->strategy != MOVE_RESTART &&
	    move_live_not_written(m, why, actions))
		return;
	m->state = MOVE_WAITING;
	m->patient = false;
	(void)snprintf(m->note, sizeof(m->note),
	    "the journal cannot be written: %.180s", why);
	move_add_timer(actions, MOVE_WRITE_RETRY_MS);
}

static void
step_live(struct move *m, const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	if (event->kind == MOVE_EV_PERFORMED && m->state == MOVE_PERFORMING)
		move_live_performed(m, event->err, actions);
	else if (event->kind == MOVE_EV_OBSERVED && m->state == MOVE_OBSERVING)
		move_live_observed(m, event, now, actions);
	else if (event->kind == MOVE_EV_REPAIRED && m->state == MOVE_REPAIRING)
		move_live_repaired(m, event->err, actions);
	else if (event->kind == MOVE_EV_STEPPED && m->state == MOVE_STEPPING)
		move_live_stepped(m, event->err, now, actions);
	else if (event->kind == MOVE_EV_GIVE_UP)
		move_live_give_up(m, event->err, actions);
	else if (event->kind == MOVE_EV_SUSPENDED)
		move_live_suspended(m, actions);
}

static void
step_restart(struct move *m, const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	if (event->kind == MOVE_EV_OBSERVED && m->state == MOVE_OBSERVING)
		move_restart_observed(m, event, now, actions);
	else if (event->kind == MOVE_EV_STEPPED && m->state == MOVE_STEPPING)
		move_restart_stepped(m, event->err, now, actions);
	else if (event->kind == MOVE_EV_REBOOTED)
		move_restart_rebooted(m, now, actions);
}

void
move_step(struct move *m, const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	actions->count = 0;
	if (event->kind != MOVE_EV_NOT_WRITTEN) {
		m->begun_before = m->steps_begun;
		m->writes_suspend = m->ends_now = false;
	}
	switch (event->kind) {
	case MOVE_EV_BEGIN:
		if (m->state == MOVE_NEW)
			begin(m, now, actions);
		return;
	case MOVE_EV_RECOVERED:
		recovered(m, now, actions);
		return;
	case MOVE_EV_COLLECTED:
		if (m->state == MOVE_COLLECTING)
			move_end(m, MOVE_COMPLETED, actions);
		return;
	case MOVE_EV_TIMER:
		timer(m, now, actions);
		return;
	case MOVE_EV_HOST_NEWS:
		m->stirred = true;
		if (m->state == MOVE_WAITING && !m->patient)
			move_observe(m, actions);
		return;
	case MOVE_EV_ABORT:
		ask_abort(m, now, actions);
		return;
	case MOVE_EV_NOT_WRITTEN:
		not_written(m, event->err, actions);
		return;
	case MOVE_EV_STARTED:
		m->stirred = true;
		return;
	case MOVE_EV_PERFORMED:
	case MOVE_EV_OBSERVED:
	case MOVE_EV_REPAIRED:
	case MOVE_EV_STEPPED:
	case MOVE_EV_REBOOTED:
	case MOVE_EV_GIVE_UP:
	case MOVE_EV_SUSPENDED:
		if (m->strategy == MOVE_RESTART)
			step_restart(m, event, now, actions);
		else
			step_live(m, event, now, actions);
		return;
	}
}
