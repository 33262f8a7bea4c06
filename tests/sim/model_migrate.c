/*
 * Peer-to-peer migration, phase by phase, as the source's daemon drives it.
 *
 * What matters for crashes: the target's half is destroyed when the source's
 * connection is lost before Finish; the definition is written before the CPUs
 * start; a source that loses the target while it waits for Finish resumes; and
 * what a restarted daemon does depends on the phase that it died in.
 *
 * "Failed" is the reason only of a target whose CPUs could not be started; a QEMU
 * that dies, also before it ran, is "crashed" (its event says "failed").
 *
 * Steps carry the life of the daemon that takes them.  A frozen one takes its
 * step later.
 */
#include "sim.h"

#define CONNECT_MS 20
#define PREPARE_MS 50
#define PASS_MS 300
#define PASSES 2
#define SWITCH_MS 20
#define NET_MS 5
#define START_MS 10
#define EXIT_MS 1500
#define AGAIN_MS 2000

static void
answer_perform(struct sim *sim, enum err_code code)
{
	struct host *s = sim_source(sim);

	sim_trace(
	    sim, "source: the migration call ends: %s", err_code_name(code));
	if (s->perform_call >= 0)
		drover_reply(sim, s->perform_call, code);
	s->perform_call = -1;
}

static void
set_state(struct sim *sim, int host, enum domain_state state,
    enum domain_reason reason)
{
	sim->hosts[host].state = state;
	sim->hosts[host].reason = reason;
	sim_trace(sim, "%s: %s (%s)", host == SIM_SOURCE ? "source" : "target",
	    facts_state_name(state), facts_reason_name(reason));
}

/* The source gets its guest back, unless another QEMU holds the image. */
static void
take_back(struct sim *sim)
{
	if (sim_start_cpus(sim, SIM_SOURCE, false))
		set_state(sim, SIM_SOURCE, DOMAIN_RUNNING,
		    DOMAIN_REASON_MIGRATION_CANCELED);
}

/* ---- the source's end ---- */

static void
undefine(struct sim *sim, int a, int life)
{
	if (!daemon_may_step(sim, SIM_SOURCE, undefine, a, life))
		return;
	sim_source(sim)->defined = sim_source(sim)->present = false;
	answer_perform(sim, ERR_NONE);
}

static void
confirmed(struct sim *sim, int a, int life)
{
	struct host *s = sim_source(sim);

	if (!daemon_may_step(sim, SIM_SOURCE, confirmed, a, life) ||
	    s->phase != PHASE_CONFIRM)
		return;
	if (!s->qemu) {
		/* It had died before; nothing is left to be undefined. */
		s->job = false;
		s->phase = PHASE_NONE;
		answer_perform(sim, ERR_NONE);
		return;
	}
	daemon_set_off(sim, SIM_SOURCE, DOMAIN_REASON_MIGRATED);
	if (s->defined)
		sim_after(sim, NET_MS, undefine, 0, life);
	else
		answer_perform(sim, ERR_NONE);
}

static void
finished(struct sim *sim, int ok, int life)
{
	struct host *s = sim_source(sim);

	if (sim->cut || !daemon_may_step(sim, SIM_SOURCE, finished, ok, life) ||
	    s->phase != PHASE_PERFORM_DONE)
		return;
	if (!ok) {
		migrate_failed(sim, ERR_REFUSED);
		return;
	}
	s->phase = PHASE_CONFIRM;
	s->peer = false;
	sim_after(sim, NET_MS, daemon_lose_peer, SIM_TARGET, 0);
	sim_after(sim, s->qemu ? EXIT_MS : 1, confirmed, 0, life);
}

void
migrate_failed(struct sim *sim, enum err_code code)
{
	struct host *s = sim_source(sim);

	if (s->phase == PHASE_NONE || s->phase == PHASE_CONFIRM)
		return;
	if (s->phase != PHASE_PERFORM_DONE && s->peer)
		sim_after(sim, NET_MS, daemon_deliver, SIM_TARGET,
		    SIM_MSG(MSG_CANCEL, 0));
	if (s->peer && !sim->cut)
		sim_after(sim, NET_MS + 1, daemon_lose_peer, SIM_TARGET, 0);
	s->peer = false;
	s->phase = PHASE_NONE;
	s->job = false;
	if (s->qemu && !s->cpus)
		take_back(sim);
	answer_perform(sim, code);
}

enum err_code
migrate_abort(struct sim *sim)
{
	struct host *s = sim_source(sim);

	if (s->phase != PHASE_BEGIN && s->phase != PHASE_PERFORM)
		return ERR_REFUSED;
	migrate_failed(sim, ERR_ABORTED);
	return ERR_NONE;
}

void
migrate_source_died(struct sim *sim, enum domain_reason reason)
{
	struct host *s = sim_source(sim);
	bool waiting =
	    s->phase == PHASE_PERFORM_DONE || s->phase == PHASE_CONFIRM;
	enum phase phase = s->phase;

	if (phase != PHASE_NONE && !waiting)
		migrate_failed(sim, ERR_REFUSED);
	daemon_set_off(sim, SIM_SOURCE, reason);
	/* Finish goes on without it. */
	if (waiting)
		s->phase = phase;
}

/* ---- the target ---- */

static void
answer_finish(struct sim *sim, bool ok)
{
	sim_after(sim, NET_MS, finished, ok, (int)sim_source(sim)->life);
}

static void
started(struct sim *sim, int a, int life)
{
	struct host *d = sim_target(sim);

	if (!daemon_may_step(sim, SIM_TARGET, started, a, life))
		return;
	d->phase = PHASE_NONE;
	d->job = false;
	answer_finish(sim, d->qemu);
}

static void
start(struct sim *sim, int a, int life)
{
	struct host *d = sim_target(sim);

	if (!daemon_may_step(sim, SIM_TARGET, start, a, life) ||
	    d->phase != PHASE_FINISH || !d->qemu)
		return;
	if (sim->variant->strict) {
		set_state(sim, SIM_TARGET, DOMAIN_PAUSED, DOMAIN_REASON_USER);
	} else if (sim_start_cpus(sim, SIM_TARGET, false)) {
		set_state(
		    sim, SIM_TARGET, DOMAIN_RUNNING, DOMAIN_REASON_MIGRATED);
	} else {
		daemon_set_off(sim, SIM_TARGET, DOMAIN_REASON_FAILED);
		answer_finish(sim, false);
		return;
	}
	sim_after(sim, 2, started, 0, life);
}

void
migrate_finish(struct sim *sim)
{
	struct host *d = sim_target(sim);

	if (!d->present || !d->qemu || d->phase != PHASE_PREPARED) {
		answer_finish(sim, false);
		return;
	}
	d->phase = PHASE_FINISH;
	d->defined = sim->variant->persistent;
	sim_after(sim, START_MS, start, 0, (int)d->life);
}

/* Cancelled, or its source is lost: before Finish that is its end. */
void
migrate_cancel(struct sim *sim)
{
	if (sim_target(sim)->phase == PHASE_PREPARED)
		daemon_set_off(sim, SIM_TARGET, DOMAIN_REASON_DESTROYED);
}

void
migrate_target_died(struct sim *sim, enum domain_reason reason)
{
	enum phase phase = sim_target(sim)->phase;

	daemon_set_off(sim, SIM_TARGET, reason);
	if (phase == PHASE_FINISH)
		answer_finish(sim, false);
	else if (phase == PHASE_PREPARED && !sim->cut)
		migrate_thawed(sim, SIM_SOURCE);
}

/* ---- the source's way there ---- */

static void
send_finish(struct sim *sim, int a, int life)
{
	if (!daemon_may_step(sim, SIM_SOURCE, send_finish, a, life) ||
	    sim_source(sim)->phase != PHASE_PERFORM_DONE)
		return;
	sim_after(
	    sim, NET_MS, daemon_deliver, SIM_TARGET, SIM_MSG(MSG_FINISH, 0));
}

static void
switched(struct sim *sim, int a, int life)
{
	struct host *s = sim_source(sim), *d = sim_target(sim);

	if (!daemon_may_step(sim, SIM_SOURCE, switched, a, life) ||
	    s->phase != PHASE_PERFORM || !s->qemu)
		return;
	if (sim->cut) {
		sim_after(sim, AGAIN_MS, switched, a, life);
		return;
	}
	if (!d->qemu) {
		migrate_failed(sim, ERR_REFUSED);
		return;
	}
	d->complete = true;
	d->memory = s->memory;
	if (sim->variant->local) {
		d->base.moment = disk_top(sim, SIM_SOURCE)->moment;
		d->base.torn = false;
	}
	s->phase = PHASE_PERFORM_DONE;
	sim_trace(sim, "source: perform done");
	sim_after(sim, 1, send_finish, 0, life);
}

static void
pass(struct sim *sim, int n, int life)
{
	struct host *s = sim_source(sim);

	if (s->phase != PHASE_PERFORM || !s->qemu)
		return;
	if (sim->cut) {
		sim_after(sim, AGAIN_MS, pass, n, life);
		return;
	}
	if (!sim_target(sim)->qemu) {
		if (daemon_may_step(sim, SIM_SOURCE, pass, n, life))
			migrate_failed(sim, ERR_REFUSED);
		return;
	}
	if (sim->full && sim->variant->local) {
		if (daemon_may_step(sim, SIM_SOURCE, pass, n, life))
			migrate_failed(sim, ERR_REFUSED);
		return;
	}
	if (n < PASSES) {
		sim_after(sim, PASS_MS, pass, n + 1, life);
		return;
	}
	if (!daemon_may_step(sim, SIM_SOURCE, pass, n, life))
		return;
	sim_stop_cpus(sim, SIM_SOURCE);
	set_state(sim, SIM_SOURCE, DOMAIN_PAUSED, DOMAIN_REASON_MIGRATION);
	sim_after(sim, SWITCH_MS, switched, 0, life);
}

static void
prepared(struct sim *sim, int ok, int life)
{
	struct host *s = sim_source(sim);

	if (sim->cut || !daemon_may_step(sim, SIM_SOURCE, prepared, ok, life) ||
	    s->phase != PHASE_BEGIN)
		return;
	if (!ok) {
		migrate_failed(sim, ERR_REFUSED);
		return;
	}
	s->phase = PHASE_PERFORM;
	if (sim->variant->local) {
		struct image *image = &sim_target(sim)->base;

		if (image->there && !image->ours && !image->empty)
			sim_violate(sim, "somebody's image is overwritten");
		image->empty = false;
		image->torn = true;
	}
	sim_after(sim, PASS_MS, pass, 0, life);
}

void
migrate_prepare(struct sim *sim)
{
	struct host *d = sim_target(sim);

	if (d->present || (sim->variant->local && !d->base.there)) {
		sim_after(
		    sim, NET_MS, prepared, false, (int)sim_source(sim)->life);
		return;
	}
	d->present = d->qemu = d->job = true;
	d->cpus = d->complete = false;
	d->memory = -1;
	d->phase = PHASE_PREPARED;
	set_state(sim, SIM_TARGET, DOMAIN_PAUSED, DOMAIN_REASON_MIGRATION);
	sim_after(sim, PREPARE_MS, prepared, true, (int)sim_source(sim)->life);
}

static void
connect_target(struct sim *sim, int a, int life)
{
	struct host *s = sim_source(sim), *d = sim_target(sim);

	if (!daemon_may_step(sim, SIM_SOURCE, connect_target, a, life) ||
	    s->phase != PHASE_BEGIN)
		return;
	if (d->daemon == DAEMON_DOWN) {
		migrate_failed(sim, ERR_REFUSED);
		return;
	}
	if (d->daemon == DAEMON_FROZEN || sim->cut) {
		sim_after(sim, AGAIN_MS, connect_target, a, life);
		return;
	}
	s->peer = d->peer = true;
	sim_after(
	    sim, NET_MS, daemon_deliver, SIM_TARGET, SIM_MSG(MSG_PREPARE, 0));
}

enum err_code
migrate_begin(struct sim *sim, int call)
{
	struct host *s = sim_source(sim);

	if (!s->present || s->state != DOMAIN_RUNNING || s->job)
		return ERR_REFUSED;
	s->job = true;
	s->phase = PHASE_BEGIN;
	s->perform_call = call;
	sim_after(sim, CONNECT_MS, connect_target, 0, (int)s->life);
	return ERR_NONE;
}

/* ---- coming back ---- */

void
migrate_thawed(struct sim *sim, int host)
{
	struct host *s = sim_source(sim);

	if (host != SIM_SOURCE || s->daemon != DAEMON_UP)
		return;
	if (s->phase == PHASE_PERFORM && !sim_target(sim)->qemu)
		migrate_failed(sim, ERR_REFUSED);
}

void
migrate_recover(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];
	enum phase phase = h->phase;

	h->phase = PHASE_NONE;
	h->job = false;
	switch (phase) {
	case PHASE_NONE:
	case PHASE_PERFORM_DONE: /* left as it is: "third party" */
		return;
	case PHASE_BEGIN:
	case PHASE_PERFORM:
		if (!h->cpus)
			take_back(sim);
		return;
	case PHASE_CONFIRM:
		daemon_set_off(sim, host, DOMAIN_REASON_OTHER);
		return;
	case PHASE_PREPARED:
		daemon_set_off(sim, host, DOMAIN_REASON_OTHER);
		return;
	case PHASE_FINISH:
		if (!h->cpus)
			daemon_set_off(sim, host, DOMAIN_REASON_OTHER);
		return;
	case PHASE_START:
		daemon_set_off(sim, host, DOMAIN_REASON_FAILED);
		return;
	case PHASE_MERGE:
		daemon_set_off(sim, host, DOMAIN_REASON_DESTROYED);
		return;
	}
}
