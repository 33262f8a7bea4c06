/*
 * Drover: the real machine in a stand-in for its executor, which does the same
 * as act/executor.c.  Between any two of its actions it can be killed; then what
 * it has sent is still done, and what it had in its journal is all it knows.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define RESTART_MS 2000

static void act(struct sim *sim, int unused, int life);

static struct mono
drover_now(const struct sim *sim)
{
	return (struct mono){sim->now};
}

static void
next_event(struct sim *sim)
{
	struct drover *d = &sim->drover;
	struct move_event event;

	if (d->acting || d->queue_count == 0 || d->ended)
		return;
	event = d->queue[0];
	d->queue_count--;
	memmove(d->queue, d->queue + 1,
	    (size_t)d->queue_count * sizeof(d->queue[0]));
	move_step(d->move, &event, drover_now(sim), &d->actions);
	sim_trace(sim, "drover: event %d -> %s (row %d)", (int)event.kind,
	    move_state_name(d->move->state), d->move->last_row);
	d->next_action = 0;
	d->acting = true;
	sim_after(sim, 0, act, 0, (int)d->life);
}

static void
feed(struct sim *sim, const struct move_event *event)
{
	struct drover *d = &sim->drover;
	size_t max = sizeof(d->queue) / sizeof(d->queue[0]);
	struct move_event copy = *event;

	if (!d->alive || d->ended)
		return;
	if ((size_t)d->queue_count == max) {
		sim_violate(sim, "too much happens at once");
		return;
	}
	if (copy.err != NULL) {
		struct err *err = &d->errs[d->err_next++ % 16];

		*err = *copy.err;
		copy.err = err;
	}
	d->queue[d->queue_count++] = copy;
	next_event(sim);
}

void
drover_tell(struct sim *sim, enum move_event_kind kind)
{
	feed(sim, &(struct move_event){.kind = kind});
}

void
drover_tell_code(struct sim *sim, enum move_event_kind kind, enum err_code code)
{
	struct err err = {.code = code};

	strcpy(err.msg, err_code_name(code));
	feed(sim,
	    &(struct move_event){
		.kind = kind, .err = code == ERR_NONE ? NULL : &err});
}

/* ---- calls ---- */

void
drover_answered(struct sim *sim, int call, int code)
{
	struct drover *d = &sim->drover;
	struct call *c = &d->calls[call];

	if (!c->out || c->drover_life != d->life || !d->alive)
		return;
	c->out = false;
	if (c->is_step) {
		if (drover_step_answered(sim, call, (enum err_code)code))
			drover_tell_code(
			    sim, MOVE_EV_STEPPED, (enum err_code)code);
		return;
	}
	if (c->repair) {
		drover_tell_code(sim, MOVE_EV_REPAIRED, (enum err_code)code);
		return;
	}
	switch (c->kind) {
	case MSG_LOOK:
		if (c->round != d->round)
			return;
		if (code != ERR_NONE)
			d->sides[c->host] = (struct reconcile_side){
			    .presence = RECONCILE_UNKNOWN};
		if (--d->sides_out == 0)
			feed(sim,
			    &(struct move_event){.kind = MOVE_EV_OBSERVED,
				.source = d->sides[SIM_SOURCE],
				.target = d->sides[SIM_TARGET]});
		return;
	case MSG_PERFORM:
		drover_tell_code(sim, MOVE_EV_PERFORMED, (enum err_code)code);
		return;
	case MSG_COLLECT:
		drover_tell(sim, MOVE_EV_COLLECTED);
		return;
	case MSG_OP:
	case MSG_ABORT:
	case MSG_STEP:
	case MSG_EXPORT:
	case MSG_SUSPEND:
	case MSG_PREPARE:
	case MSG_FINISH:
	case MSG_CANCEL:
		return;
	}
}

void
drover_send_call(struct sim *sim, int call)
{
	struct call *c = &sim->drover.calls[call];
	struct host *h = &sim->hosts[c->host];

	c->out = true;
	if (!h->link)
		sim_after(sim, 0, drover_answered, call, ERR_UNREACHABLE);
	else
		sim_after(sim, h->latency_ms, daemon_deliver, c->host,
		    SIM_MSG(c->kind, call));
}

int
drover_new_call(struct sim *sim, int host, enum msg_kind kind)
{
	struct drover *d = &sim->drover;
	int call = d->next_call++ % SIM_CALLS;

	if (d->calls[call].out && d->calls[call].drover_life == d->life)
		sim_violate(sim, "a call is never drover_answered");
	d->calls[call] = (struct call){.host = host,
	    .kind = kind,
	    .drover_life = d->life,
	    .round = d->round};
	return call;
}

void
drover_reply(struct sim *sim, int call, enum err_code code)
{
	struct call *c = &sim->drover.calls[call];

	if (!sim->hosts[c->host].cut)
		sim_after(sim, sim->hosts[c->host].latency_ms, drover_answered,
		    call, (int)code);
}

static bool
is_as_expected(
    const struct reconcile_side *now, const struct reconcile_side *then)
{
	return now->presence == then->presence && now->state == then->state &&
	    now->reason == then->reason && now->job == then->job;
}

/* The look before a repair is over: do it, or not. */
static void
looked(struct sim *sim, int call, int as_expected)
{
	struct drover *d = &sim->drover;
	struct call *c = &d->calls[call];

	if (!c->out || c->drover_life != d->life || !d->alive)
		return;
	c->repair = c->repair && !c->is_step;
	c->kind = c->is_step ? MSG_STEP : MSG_OP;
	if (as_expected && c->is_copy)
		drover_start_copy(sim, call);
	else if (as_expected)
		drover_send_call(sim, call);
	else
		drover_answered(sim, call, ERR_CONFLICT);
}

void
drover_reply_side(struct sim *sim, int call, const struct reconcile_side *side)
{
	struct drover *d = &sim->drover;
	struct call *c = &d->calls[call];

	if (sim->hosts[c->host].cut)
		return;
	if (c->repair) {
		sim_after(sim, sim->hosts[c->host].latency_ms, looked, call,
		    is_as_expected(side, &c->expect));
		return;
	}
	if (c->round == d->round && c->drover_life == d->life)
		d->sides[c->host] = *side;
	drover_reply(sim, call, ERR_NONE);
}

/* ---- actions ---- */

static void
on_timer(struct sim *sim, int timer, int life)
{
	struct drover *d = &sim->drover;

	if (d->alive && (unsigned)life == d->life &&
	    (unsigned)timer == d->timer)
		drover_tell(sim, MOVE_EV_TIMER);
}

static void
observe(struct sim *sim)
{
	struct drover *d = &sim->drover;

	d->round++;
	d->sides_out = 2;
	drover_send_call(sim, drover_new_call(sim, SIM_SOURCE, MSG_LOOK));
	drover_send_call(sim, drover_new_call(sim, SIM_TARGET, MSG_LOOK));
}

static void
repair(struct sim *sim, const struct move_action *action)
{
	bool at_source = action->repair == RECONCILE_RESUME_SOURCE ||
	    action->repair == RECONCILE_DESTROY_SOURCE ||
	    action->repair == RECONCILE_UNDEFINE_SOURCE;
	int call =
	    drover_new_call(sim, at_source ? SIM_SOURCE : SIM_TARGET, MSG_LOOK);

	sim->drover.calls[call].repair = true;
	sim->drover.calls[call].op = action->repair;
	sim->drover.calls[call].expect = action->expect;
	drover_send_call(sim, call);
}

/* Only then it matters what is in the journal. */
static bool
will_be_killed(const struct sim *sim)
{
	for (int i = sim->fault_next; i < sim->fault_count; i++) {
		if (sim->faults[i].kind == FAULT_DROVER_KILLED)
			return true;
	}
	return false;
}

static bool
write_journal(struct sim *sim, const struct move_action *action)
{
	struct drover *d = &sim->drover;

	if (d->journal_failures > 0) {
		d->journal_failures--;
		sim_trace(sim, "drover: %s:%s cannot be written",
		    action->journal, action->step);
		return false;
	}
	if (will_be_killed(sim)) {
		json_decref(d->journal);
		d->journal = move_save(d->move);
	}
	sim_trace(sim, "drover: %s:%s", action->journal, action->step);
	return true;
}

/* What stays at the target is noted in the same transaction. */
static void
end(struct drover *d)
{
	const struct move *m = d->move;

	d->ended = true;
	d->outcome = m->outcome;
	if (m->disk_count == 0 || m->outcome == MOVE_COMPLETED ||
	    m->outcome == MOVE_STUCK)
		return;
	d->leaves_base = m->disks[0].created;
	d->leaves_layer = m->disks[0].layer_created;
}

static bool
act_one(struct sim *sim, const struct move_action *action)
{
	struct drover *d = &sim->drover;

	switch (action->kind) {
	case MOVE_DO_JOURNAL:
		return write_journal(sim, action);
	case MOVE_DO_STEP:
		drover_step(sim, action);
		return true;
	case MOVE_DO_CANCEL:
		drover_cancel(sim);
		return true;
	case MOVE_DO_SUSPEND:
		drover_send_call(
		    sim, drover_new_call(sim, SIM_SOURCE, MSG_SUSPEND));
		return true;
	case MOVE_DO_PERFORM:
		drover_send_call(
		    sim, drover_new_call(sim, SIM_SOURCE, MSG_PERFORM));
		return true;
	case MOVE_DO_ABORT_JOB:
		drover_send_call(
		    sim, drover_new_call(sim, SIM_SOURCE, MSG_ABORT));
		return true;
	case MOVE_DO_OBSERVE:
		observe(sim);
		return true;
	case MOVE_DO_REPAIR:
		repair(sim, action);
		return true;
	case MOVE_DO_COLLECT:
		drover_send_call(
		    sim, drover_new_call(sim, SIM_TARGET, MSG_COLLECT));
		return true;
	case MOVE_DO_TIMER:
		sim_after(
		    sim, action->ms, on_timer, (int)++d->timer, (int)d->life);
		return true;
	case MOVE_DO_ALARM:
		sim_trace(sim, "drover: ALARM: %s", action->text);
		return true;
	case MOVE_DO_END:
		end(d);
		sim_trace(sim, "drover: ended: %s: %s",
		    move_outcome_name(d->outcome), d->move->error);
		return false;
	}
	return true;
}

static void
act(struct sim *sim, int unused, int life)
{
	struct drover *d = &sim->drover;
	const struct move_action *action;
	struct err err = {ERR_IO, "the disk is full"};

	(void)unused;
	if (!d->alive || (unsigned)life != d->life || !d->acting)
		return;
	action = &d->actions.items[d->next_action];
	if (d->next_action == d->actions.count) {
		d->acting = false;
	} else if (act_one(sim, action)) {
		d->next_action++;
		sim_after(sim, 0, act, 0, life);
		return;
	} else if (action->kind == MOVE_DO_JOURNAL) {
		/* At once, before anything that waits. */
		move_step(d->move,
		    &(struct move_event){
			.kind = MOVE_EV_NOT_WRITTEN, .err = &err},
		    drover_now(sim), &d->actions);
		d->next_action = 0;
		sim_after(sim, 0, act, 0, life);
		return;
	}
	d->acting = false;
	next_event(sim);
}

/* ---- its own life ---- */

static void
restart(struct sim *sim, int unused, int life)
{
	struct drover *d = &sim->drover;
	struct err err = {0};

	(void)unused;
	if ((unsigned)life != d->life || d->alive)
		return;
	d->alive = true;
	sim_trace(sim, "drover: back");
	move_free(d->move);
	d->move = d->journal != NULL ? move_load(d->journal, &err) : NULL;
	if (d->move == NULL) {
		if (d->journal != NULL)
			sim_violate(sim, "its journal: %s", err.msg);
		d->ended = true; /* it had not begun */
		d->outcome = MOVE_NO_OUTCOME;
		return;
	}
	drover_tell(sim, MOVE_EV_RECOVERED);
	for (int host = 0; host < 2; host++)
		drover_reconnect(sim, host, 0);
}

void
drover_kill(struct sim *sim)
{
	struct drover *d = &sim->drover;

	if (!d->alive)
		return;
	d->alive = false;
	d->life++;
	d->acting = false;
	d->queue_count = 0;
	d->timer++;
	for (int host = 0; host < 2; host++) {
		sim->hosts[host].link = false;
		sim->hosts[host].link_life++;
	}
	if (!d->ended)
		sim_after(sim, RESTART_MS, restart, 0, (int)d->life);
}

void
drover_abort(struct sim *sim)
{
	drover_tell(sim, MOVE_EV_ABORT);
}

void
drover_begin(struct sim *sim)
{
	struct drover *d = &sim->drover;
	char text[] = "vda";
	const struct move_disk disk = {.target = text,
	    .path = text,
	    .pool = text,
	    .volume = text,
	    .layer = text,
	    .layer_volume = text};

	d->alive = true;
	d->move = move_new("uuid", "web1", "kvm1", "kvm2");
	d->move->strategy = sim->variant->strategy;
	d->move->strict = sim->variant->strict;
	d->move->persistent = sim->variant->persistent;
	d->move->autostart = sim->variant->persistent;
	d->move->reason_before = DOMAIN_REASON_OTHER;
	d->move->timeout_ms = 1800000;
	d->move->was_running = !sim->variant->off;
	d->move->force_off = sim->variant->force;
	d->move->shutdown_ms = sim->variant->force ? 3000 : 20000;
	d->move->repeat_ms = sim->variant->force ? 1000 : 8000;
	if (sim->variant->local)
		(void)move_add_disk(d->move, &disk);
	drover_tell(sim, MOVE_EV_BEGIN);
}

void
drover_clear(struct sim *sim)
{
	move_free(sim->drover.move);
	json_decref(sim->drover.journal);
	sim->drover.move = NULL;
	sim->drover.journal = NULL;
}
