/*
 * Drover: the real machine in a stand-in for its executor, which does the same
 * as act/executor.c.  Between any two of its actions it can be killed; then what
 * it has sent is still done, and what it had in its journal is all it knows.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define RESTART_MS 2000
#define RECONNECT_MS 500

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

static void
tell(struct sim *sim, enum move_event_kind kind)
{
	feed(sim, &(struct move_event){.kind = kind});
}

static void
tell_code(struct sim *sim, enum move_event_kind kind, enum err_code code)
{
	struct err err = {.code = code};

	strcpy(err.msg, err_code_name(code));
	feed(sim,
	    &(struct move_event){
		.kind = kind, .err = code == ERR_NONE ? NULL : &err});
}

/* ---- calls ---- */

static void
answered(struct sim *sim, int call, int code)
{
	struct drover *d = &sim->drover;
	struct call *c = &d->calls[call];

	if (!c->out || c->drover_life != d->life || !d->alive)
		return;
	c->out = false;
	if (c->repair) {
		tell_code(sim, MOVE_EV_REPAIRED, (enum err_code)code);
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
		tell_code(sim, MOVE_EV_PERFORMED, (enum err_code)code);
		return;
	case MSG_COLLECT:
		tell(sim, MOVE_EV_COLLECTED);
		return;
	case MSG_OP:
	case MSG_ABORT:
	case MSG_PREPARE:
	case MSG_FINISH:
	case MSG_CANCEL:
		return;
	}
}

static void
send_call(struct sim *sim, int call)
{
	struct call *c = &sim->drover.calls[call];
	struct host *h = &sim->hosts[c->host];

	c->out = true;
	if (!h->link)
		sim_after(sim, 0, answered, call, ERR_UNREACHABLE);
	else
		sim_after(sim, h->latency_ms, daemon_deliver, c->host,
		    SIM_MSG(c->kind, call));
}

static int
new_call(struct sim *sim, int host, enum msg_kind kind)
{
	struct drover *d = &sim->drover;
	int call = d->next_call++ % SIM_CALLS;

	if (d->calls[call].out && d->calls[call].drover_life == d->life)
		sim_violate(sim, "a call is never answered");
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
		sim_after(sim, sim->hosts[c->host].latency_ms, answered, call,
		    (int)code);
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
	c->kind = MSG_OP;
	if (as_expected)
		send_call(sim, call);
	else
		answered(sim, call, ERR_CONFLICT);
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
		tell(sim, MOVE_EV_TIMER);
}

static void
observe(struct sim *sim)
{
	struct drover *d = &sim->drover;

	d->round++;
	d->sides_out = 2;
	send_call(sim, new_call(sim, SIM_SOURCE, MSG_LOOK));
	send_call(sim, new_call(sim, SIM_TARGET, MSG_LOOK));
}

static void
repair(struct sim *sim, const struct move_action *action)
{
	bool at_source = action->repair == RECONCILE_RESUME_SOURCE ||
	    action->repair == RECONCILE_DESTROY_SOURCE ||
	    action->repair == RECONCILE_UNDEFINE_SOURCE;
	int call = new_call(sim, at_source ? SIM_SOURCE : SIM_TARGET, MSG_LOOK);

	sim->drover.calls[call].repair = true;
	sim->drover.calls[call].op = action->repair;
	sim->drover.calls[call].expect = action->expect;
	send_call(sim, call);
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
	json_decref(d->journal);
	d->journal = move_save(d->move);
	sim_trace(sim, "drover: %s:%s", action->journal, action->step);
	return true;
}

static bool
act_one(struct sim *sim, const struct move_action *action)
{
	struct drover *d = &sim->drover;

	switch (action->kind) {
	case MOVE_DO_JOURNAL:
		return write_journal(sim, action);
	case MOVE_DO_STEP:
	case MOVE_DO_CANCEL:
	case MOVE_DO_SUSPEND:
		return false;
	case MOVE_DO_PERFORM:
		send_call(sim, new_call(sim, SIM_SOURCE, MSG_PERFORM));
		return true;
	case MOVE_DO_ABORT_JOB:
		send_call(sim, new_call(sim, SIM_SOURCE, MSG_ABORT));
		return true;
	case MOVE_DO_OBSERVE:
		observe(sim);
		return true;
	case MOVE_DO_REPAIR:
		repair(sim, action);
		return true;
	case MOVE_DO_COLLECT:
		send_call(sim, new_call(sim, SIM_TARGET, MSG_COLLECT));
		return true;
	case MOVE_DO_TIMER:
		sim_after(
		    sim, action->ms, on_timer, (int)++d->timer, (int)d->life);
		return true;
	case MOVE_DO_ALARM:
		sim_trace(sim, "drover: ALARM: %s", action->text);
		return true;
	case MOVE_DO_END:
		d->ended = true;
		d->outcome = d->move->outcome;
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

/* ---- connections ---- */

static void
connected(struct sim *sim, int host, int life)
{
	struct host *h = &sim->hosts[host];

	if (!sim->drover.alive || (unsigned)life != h->link_life || h->link ||
	    h->daemon != DAEMON_UP || h->cut)
		return;
	h->link = true;
	sim_trace(sim, "drover: connected to %d", host);
	tell(sim, MOVE_EV_HOST_NEWS);
}

void
drover_reconnect(struct sim *sim, int host, int unused)
{
	struct host *h = &sim->hosts[host];

	(void)unused;
	if (sim->drover.alive && !h->link)
		sim_after(
		    sim, RECONNECT_MS, connected, host, (int)h->link_life);
}

void
drover_lose_link(struct sim *sim, int host)
{
	struct drover *d = &sim->drover;
	struct host *h = &sim->hosts[host];

	if (!d->alive || !h->link)
		return;
	h->link = false;
	h->link_life++;
	for (int i = 0; i < SIM_CALLS; i++) {
		if (d->calls[i].out && d->calls[i].host == host)
			sim_after(sim, 1, answered, i, ERR_UNREACHABLE);
	}
	drover_reconnect(sim, host, 0);
}

void
drover_keepalive(struct sim *sim, int host, int unused)
{
	const struct host *h = &sim->hosts[host];

	(void)unused;
	if ((h->daemon == DAEMON_FROZEN &&
		sim->now - h->frozen_at >= SIM_KEEPALIVE_MS - 5000) ||
	    (h->cut && sim->now - h->cut_at >= SIM_KEEPALIVE_MS - 5000))
		drover_lose_link(sim, host);
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
	tell(sim, MOVE_EV_RECOVERED);
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
	tell(sim, MOVE_EV_ABORT);
}

void
drover_begin(struct sim *sim)
{
	struct drover *d = &sim->drover;

	d->alive = true;
	d->move = move_new("uuid", "web1", "kvm1", "kvm2");
	d->move->strict = sim->variant->strict;
	d->move->persistent = sim->variant->persistent;
	d->move->autostart = sim->variant->persistent;
	d->move->reason_before = DOMAIN_REASON_OTHER;
	d->move->timeout_ms = 1800000;
	tell(sim, MOVE_EV_BEGIN);
}

void
drover_clear(struct sim *sim)
{
	move_free(sim->drover.move);
	json_decref(sim->drover.journal);
	sim->drover.move = NULL;
	sim->drover.journal = NULL;
}
