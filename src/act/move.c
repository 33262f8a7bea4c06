/*
 * The life of a move.
 *
 * There is one irreversible call at the start (the migration) and then a loop:
 * ask both hosts, look into the reconciliation table, do the one thing that it
 * says, ask again.  The loop ends when the table says so.  A move that goes well
 * takes one round; one that is taken up after a crash enters the same loop.
 *
 * Each call that changes something is preceded by a journal entry with the whole
 * state of the machine.  If that entry cannot be written, the call is not made:
 * before the migration the move simply ends, later it waits and tries again.
 */
#include "act/move.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct move_action *
add(struct move_actions *actions, enum move_action_kind kind)
{
	struct move_action *a;

	if (actions->count == MOVE_ACTIONS_MAX)
		abort();
	a = &actions->items[actions->count++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

static void
add_timer(struct move_actions *actions, int64_t ms)
{
	add(actions, MOVE_DO_TIMER)->ms = ms;
}

static struct move_action *add_text(struct move_actions *actions,
    enum move_action_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static struct move_action *
add_text(struct move_actions *actions, enum move_action_kind kind,
    const char *fmt, ...)
{
	struct move_action *a = add(actions, kind);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
	return a;
}

static void
add_journal(struct move_actions *actions, const char *kind, const char *step,
    const char *text)
{
	struct move_action *a = add_text(actions, MOVE_DO_JOURNAL, "%s", text);

	a->journal = kind;
	a->step = step;
}

static void
set_error(struct move *m, const char *text)
{
	if (m->error[0] == '\0')
		(void)err_copy_line(m->error, sizeof(m->error), text);
}

static void
observe(struct move *m, struct move_actions *actions)
{
	m->state = MOVE_OBSERVING;
	add(actions, MOVE_DO_OBSERVE);
}

static void
end(struct move *m, enum move_outcome outcome, struct move_actions *actions)
{
	m->state = MOVE_ENDED;
	m->outcome = outcome;
	m->note[0] = '\0';
	add(actions, MOVE_DO_END);
}

static void
begin(struct move *m, struct mono now, struct move_actions *actions)
{
	m->state = MOVE_PERFORMING;
	if (m->timeout_ms > 0)
		m->deadline = mono_add(now, m->timeout_ms);
	add_journal(actions, "intent", "perform",
	    m->strict ? "strict handover" : "fast handover");
	add(actions, MOVE_DO_PERFORM);
	if (m->timeout_ms > 0)
		add_timer(actions, m->timeout_ms);
}

static void
set_timeout_error(struct move *m)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "it did not end within %lld s and "
	    "was given up",
	    (long long)m->timeout_ms / 1000);
	set_error(m, text);
}

/* Whether the call ended, or only our connection did: then libvirt goes on, or has
 * not even begun. */
static bool
is_uncertain(const struct err *err)
{
	return err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT;
}

static void
performed(struct move *m, const struct err *err, struct move_actions *actions)
{
	m->perform_ok = err == NULL;
	m->uncertain = err != NULL && is_uncertain(err);
	if (err != NULL && m->timed_out)
		set_timeout_error(m);
	else if (err != NULL)
		set_error(m, err->msg);
	observe(m, actions);
}

/* A restart: what was sent may have begun, ended, or neither. */
static void
recovered(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state == MOVE_ENDED)
		return;
	m->recovered = true;
	m->stayed_seen = 0;
	m->sure_row = 0;
	m->lingers_since = (struct mono){0};
	m->deadline = (struct mono){0};
	if (m->timeout_ms > 0)
		m->deadline = mono_add(now, m->timeout_ms);
	(void)snprintf(m->note, sizeof(m->note),
	    "taken up after a restart, asking both hosts");
	observe(m, actions);
}

/* The migration is over, and the guest is where it was. */
static void
stayed(struct move *m, const struct reconcile_row *row,
    struct move_actions *actions)
{
	m->stayed_seen++;
	if ((m->recovered || m->uncertain) && m->stayed_seen < 2 &&
	    !m->repaired) {
		m->state = MOVE_WAITING;
		(void)snprintf(m->note, sizeof(m->note),
		    "looking again before it counts as not moved");
		add_timer(actions, MOVE_STAYED_AGAIN_MS);
		return;
	}
	if (m->timed_out)
		set_timeout_error(m);
	set_error(m,
	    m->recovered ? "the migration ended without moving it "
			   "while droverd was away"
			 : row->why);
	end(m,
	    m->abort_asked    ? MOVE_ABORTED
		: m->repaired ? MOVE_ROLLED_BACK
			      : MOVE_FAILED,
	    actions);
}

static void
wait_for(struct move *m, const struct reconcile_row *row, struct mono now,
    struct move_actions *actions)
{
	m->state = MOVE_WAITING;
	if (m->lingers_since.ms == 0)
		m->lingers_since = now;
	(void)snprintf(m->note, sizeof(m->note), "%s", row->why);
	/* Only a look at the right time shows it, and we may crash before we
	 * know more. */
	if (m->took_back && !m->took_back_noted) {
		m->took_back_noted = true;
		add_journal(actions, "note", "took-back",
		    "the source has taken the guest back and runs it");
	}
	add_timer(actions, MOVE_WAIT_MS);
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
	if (row->number == 52)
		(void)add_text(actions, MOVE_DO_ALARM, "%s", row->why);
	add_journal(
	    actions, "intent", reconcile_verdict_name(row->verdict), row->why);
	a = add(actions, MOVE_DO_REPAIR);
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
	};
	struct reconcile_row row = reconcile(&view);

	if (row.number != m->last_row)
		m->lingers_since = (struct mono){0};
	m->last_row = row.number;
	if (m->lingers_since.ms != 0 &&
	    mono_diff(now, m->lingers_since) >= RECONCILE_PATIENCE_MS) {
		view.lingers = true;
		row = reconcile(&view);
	}
	return row;
}

/* What to do is more important than how it came to that: it stands first. */
static void
give_up(struct move *m, const char *why, struct move_actions *actions)
{
	char first[301], text[sizeof(m->error)];

	/* Cut on the border of a character: the journal is JSON. */
	(void)err_copy_line(first, sizeof(first), m->error);
	(void)snprintf(text, sizeof(text), "%s%s%s", why,
	    first[0] != '\0' ? "; it began with: " : "", first);
	(void)err_copy_line(m->error, sizeof(m->error), text);
	(void)add_text(actions, MOVE_DO_ALARM, "%s", why);
	end(m, MOVE_STUCK, actions);
}

static void
observed(struct move *m, const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	struct reconcile_row row;

	m->took_back |= has_taken_back(m, &event->source);
	row = look_up(m, event, now);
	if (reconcile_needs_second_look(row.verdict) &&
	    m->sure_row != row.number) {
		m->sure_row = row.number;
		observe(m, actions);
		return;
	}
	m->sure_row = 0;
	if (row.verdict != RECONCILE_STAYED)
		m->stayed_seen = 0;
	if (row.verdict != RECONCILE_WAIT)
		m->note[0] = '\0';
	switch (row.verdict) {
	case RECONCILE_WAIT:
		wait_for(m, &row, now, actions);
		return;
	case RECONCILE_FOLLOW:
		m->state = MOVE_FOLLOWING;
		m->lingers_since = (struct mono){0};
		add_timer(actions, MOVE_FOLLOW_MS);
		return;
	case RECONCILE_RESUME_TARGET:
	case RECONCILE_RESUME_SOURCE:
	case RECONCILE_DESTROY_TARGET:
	case RECONCILE_DESTROY_SOURCE:
	case RECONCILE_UNDEFINE_TARGET:
	case RECONCILE_UNDEFINE_SOURCE:
	case RECONCILE_AUTOSTART_TARGET:
		repair(m, &row, event, actions);
		return;
	case RECONCILE_MOVED:
		m->state = MOVE_COLLECTING;
		add(actions, MOVE_DO_COLLECT);
		return;
	case RECONCILE_STAYED:
		stayed(m, &row, actions);
		return;
	case RECONCILE_ENDED:
		set_error(m, row.why);
		end(m, MOVE_FAILED, actions);
		return;
	case RECONCILE_PERSON:
		give_up(m, row.why, actions);
		return;
	}
}

static void
repaired(struct move *m, const struct err *err, struct move_actions *actions)
{
	if (err == NULL) {
		m->repair_failures = 0;
		add_journal(actions, "result",
		    reconcile_verdict_name(m->repair), "done");
		observe(m, actions);
		return;
	}
	/* Not done, since the guest was not as expected any more. */
	if (err->code == ERR_CONFLICT && m->repair == RECONCILE_DESTROY_SOURCE)
		m->source_destroyed = false;
	if (err->code == ERR_UNREACHABLE) {
		m->state = MOVE_WAITING;
		(void)snprintf(m->note, sizeof(m->note), "%.200s", err->msg);
		add_timer(actions, MOVE_WAIT_MS);
		return;
	}
	m->repair_failures++;
	if (m->repair_failures == 1 &&
	    (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND)) {
		observe(m, actions);
		return;
	}
	/* Without autostart the move is still a good one. */
	if (m->repair == RECONCILE_AUTOSTART_TARGET) {
		(void)add_text(actions, MOVE_DO_ALARM,
		    "autostart could not be set at %s: %s", m->to, err->msg);
		m->autostart = false;
		observe(m, actions);
		return;
	}
	if (m->repair_failures >= MOVE_REPAIR_TRIES) {
		char text[400];

		(void)snprintf(text, sizeof(text), "%s failed: %.300s",
		    reconcile_verdict_name(m->repair), err->msg);
		give_up(m, text, actions);
		return;
	}
	m->state = MOVE_WAITING;
	(void)snprintf(m->note, sizeof(m->note), "%s failed: %.200s",
	    reconcile_verdict_name(m->repair), err->msg);
	add_timer(actions, MOVE_WAIT_MS);
}

static void
timer(struct move *m, struct mono now, struct move_actions *actions)
{
	switch (m->state) {
	case MOVE_PERFORMING:
		if (m->deadline.ms != 0 && !mono_before(now, m->deadline)) {
			m->timed_out = true;
			add(actions, MOVE_DO_ABORT_JOB);
			add_timer(actions, MOVE_WAIT_MS);
		} else if (m->deadline.ms != 0) {
			add_timer(actions, mono_diff(m->deadline, now));
		}
		return;
	case MOVE_FOLLOWING:
		if (m->deadline.ms != 0 && !mono_before(now, m->deadline))
			m->timed_out = true;
		if (m->abort_asked || m->timed_out)
			add(actions, MOVE_DO_ABORT_JOB);
		observe(m, actions);
		return;
	case MOVE_WAITING:
		observe(m, actions);
		return;
	case MOVE_NEW:
	case MOVE_STEPPING:
	case MOVE_OBSERVING:
	case MOVE_REPAIRING:
	case MOVE_COLLECTING:
	case MOVE_ENDED:
		return;
	}
}

static void
ask_abort(struct move *m, struct mono now, struct move_actions *actions)
{
	if (m->state == MOVE_ENDED || m->state == MOVE_COLLECTING)
		return;
	m->abort_asked = true;
	if (move_is_idle(m, now)) {
		give_up(m,
		    "given up on request while one of its hosts did not "
		    "answer: nobody knows where the guest is; look at both "
		    "hosts before starting it anywhere",
		    actions);
		return;
	}
	if (m->state == MOVE_PERFORMING || m->state == MOVE_FOLLOWING)
		add(actions, MOVE_DO_ABORT_JOB);
}

/* The journal could not be written, so the call behind it was not made. */
static void
not_written(struct move *m, const struct err *err, struct move_actions *actions)
{
	if (m->state == MOVE_PERFORMING) {
		set_error(m,
		    err != NULL ? err->msg
				: "the journal could not be written");
		end(m, MOVE_FAILED, actions);
		return;
	}
	if (m->state == MOVE_ENDED)
		return;
	/* The intent, not the result: whoever destroys it now, it is not us. */
	if (m->state == MOVE_REPAIRING && m->repair == RECONCILE_DESTROY_SOURCE)
		m->source_destroyed = false;
	m->took_back_noted = false;
	m->state = MOVE_WAITING;
	(void)snprintf(m->note, sizeof(m->note),
	    "the journal cannot be written: %.180s",
	    err != NULL ? err->msg : "no reason given");
	add_timer(actions, MOVE_WRITE_RETRY_MS);
}

void
move_step(struct move *m, const struct move_event *event, struct mono now,
    struct move_actions *actions)
{
	actions->count = 0;
	switch (event->kind) {
	case MOVE_EV_BEGIN:
		if (m->state == MOVE_NEW)
			begin(m, now, actions);
		return;
	case MOVE_EV_RECOVERED:
		recovered(m, now, actions);
		return;
	case MOVE_EV_PERFORMED:
		if (m->state == MOVE_PERFORMING)
			performed(m, event->err, actions);
		return;
	case MOVE_EV_OBSERVED:
		if (m->state == MOVE_OBSERVING)
			observed(m, event, now, actions);
		return;
	case MOVE_EV_REPAIRED:
		if (m->state == MOVE_REPAIRING)
			repaired(m, event->err, actions);
		return;
	case MOVE_EV_COLLECTED:
		if (m->state == MOVE_COLLECTING)
			end(m, MOVE_COMPLETED, actions);
		return;
	case MOVE_EV_TIMER:
		timer(m, now, actions);
		return;
	case MOVE_EV_HOST_NEWS:
		if (m->state == MOVE_WAITING && m->stayed_seen == 0)
			observe(m, actions);
		return;
	case MOVE_EV_STEPPED:
	case MOVE_EV_REBOOTED:
	case MOVE_EV_GIVE_UP:
	case MOVE_EV_SUSPENDED:
		return;
	case MOVE_EV_ABORT:
		ask_abort(m, now, actions);
		return;
	case MOVE_EV_NOT_WRITTEN:
		not_written(m, event->err, actions);
		return;
	}
}
