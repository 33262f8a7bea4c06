/*
 * What becomes of a restart when one of its steps has ended.
 *
 * A step that fails leads to the way back, as long as there is one.  One whose end
 * is not known is looked at.  Where there is no other way it is tried again; and
 * what cannot be done although the guest is where it should be is said, not waited
 * for.
 */
#include <stdio.h>

#include "act/move_priv.h"

/* The guest is where it should be; this is missing, and a person may see to it. */
static void
leave_undone(
    struct move *m, const struct err *err, struct move_actions *actions)
{
	const char *name = move_step_name(m->step);

	m->steps_done |= 1U << m->step;
	move_set_remark(m, "%s failed: %.200s", name, err->msg);
	move_add_alarm(actions, "%s failed: %.400s", name, err->msg);
	move_observe(m, actions);
}

static void
again(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%s failed: %.200s",
	    move_step_name(m->step), err->msg);
	move_wait(m, MOVE_WAIT_MS, text, now, actions);
}

static void
give_up_step(
    struct move *m, const struct err *err, struct move_actions *actions)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "%s failed: %.300s",
	    move_step_name(m->step), err->msg);
	move_give_up(m, text, actions);
}

/* On the way there: the guest can still go back. */
static void
forward_failed(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	bool retry = (move_is_uncertain(err) || m->step == MOVE_STEP_DISARM) &&
	    m->step != MOVE_STEP_CHECK && m->step != MOVE_STEP_PREPARE;

	if (move_is_uncertain(err))
		move_doubt_volumes(m);
	if (retry && m->step_failures < MOVE_COPY_TRIES) {
		again(m, err, now, actions);
		return;
	}
	/* It runs at the target already, only its definition is not there. */
	if (move_restart_is_committed(m) && m->step == MOVE_STEP_DEFINE) {
		if (m->step_failures < MOVE_REPAIR_TRIES)
			again(m, err, now, actions);
		else
			give_up_step(m, err, actions);
		return;
	}
	move_restart_turn_back(m, err->msg, actions);
	move_observe(m, actions);
}

/* It may be up nevertheless: a look decides. */
static void
start_failed(
    struct move *m, const struct err *err, struct move_actions *actions)
{
	if (!move_is_uncertain(err))
		move_restart_turn_back(m, err->msg, actions);
	move_observe(m, actions);
}

/* Where there is no other way: until it works, or a person must help. */
static void
must_do(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	if (move_is_uncertain(err) || m->step_failures < MOVE_REPAIR_TRIES)
		again(m, err, now, actions);
	else
		give_up_step(m, err, actions);
}

static void
should_do(struct move *m, const struct err *err, int tries, struct mono now,
    struct move_actions *actions)
{
	if (move_is_uncertain(err) || m->step_failures < tries)
		again(m, err, now, actions);
	else
		leave_undone(m, err, actions);
}

static void
failed(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	switch (m->step) {
	case MOVE_STEP_CHECK:
	case MOVE_STEP_PREPARE:
	case MOVE_STEP_FREEZE:
	case MOVE_STEP_COPY:
	case MOVE_STEP_COPY_REST:
	case MOVE_STEP_CARRY:
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_DISARM:
		forward_failed(m, err, now, actions);
		return;
	case MOVE_STEP_SHUTDOWN:
		move_observe(m, actions);
		return;
	case MOVE_STEP_START:
		start_failed(m, err, actions);
		return;
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_REARM:
	case MOVE_STEP_MERGE_SOURCE:
	case MOVE_STEP_AUTOSTART:
		should_do(m, err, MOVE_REPAIR_TRIES, now, actions);
		return;
	case MOVE_STEP_MERGE_TARGET:
		should_do(m, err, MOVE_COPY_TRIES, now, actions);
		return;
	case MOVE_STEP_UNDEFINE_TARGET:
		/* Without it the source must not be started. */
		if (move_has_begun(m, MOVE_STEP_START))
			must_do(m, err, now, actions);
		else
			should_do(m, err, MOVE_REPAIR_TRIES, now, actions);
		return;
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_DESTROY_TARGET:
	case MOVE_STEP_START_SOURCE:
		must_do(m, err, now, actions);
		return;
	case MOVE_STEP_NONE:
	case MOVE_STEP_CLEAN:
		move_observe(m, actions);
		return;
	}
}

/* Its time begins with the first request that reaches it. */
static void
count_request(struct move *m, const struct err *err, struct mono now)
{
	bool unsure = err != NULL && move_is_uncertain(err);

	m->asks++;
	m->asked_at = m->heard_at = now;
	if (m->shutdown_deadline.ms == 0 || (err == NULL && !m->ask_heard))
		m->shutdown_deadline = mono_add(now, m->shutdown_ms);
	m->ask_heard |= err == NULL;
	m->ask_unsure = unsure;
	/* No agent, mostly: the next way is tried at once. */
	if (unsure || (err != NULL && m->asks == 1))
		m->asked_at = (struct mono){0};
}

static void
count(struct move *m, const struct err *err, struct mono now)
{
	if (m->step == MOVE_STEP_SHUTDOWN) {
		count_request(m, err, now);
	} else if (m->step == MOVE_STEP_START) {
		m->starts++;
	} else if (m->step == MOVE_STEP_DESTROY && err == NULL) {
		m->cut_off = !move_has_begun(m, MOVE_STEP_START);
	}
}

void
move_restart_stepped(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	move_add_journal(actions, "result", move_step_name(m->step),
	    err != NULL ? err->msg : "done");
	count(m, err, now);
	if (m->step == MOVE_STEP_CLEAN) {
		if (move_cleaned(m, err, now, actions))
			move_observe(m, actions);
		return;
	}
	if (err == NULL) {
		m->step_failures = 0;
		m->steps_done |= 1U << m->step;
		move_observe(m, actions);
		return;
	}
	m->step_failures++;
	/* The guest was not as expected any more: nothing was done. */
	if (err->code == ERR_CONFLICT && m->first_try)
		m->steps_begun &= ~(1U << m->step);
	if (err->code == ERR_CONFLICT && m->step_failures == 1 &&
	    m->step != MOVE_STEP_CHECK && m->step != MOVE_STEP_PREPARE) {
		move_observe(m, actions);
		return;
	}
	failed(m, err, now, actions);
}
