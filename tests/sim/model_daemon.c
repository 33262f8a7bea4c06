/*
 * The libvirt daemons: killed, frozen, thawed, asked, and told what to do, with
 * the states and reasons as measured of the real ones.
 *
 * A frozen daemon keeps what it is sent and does it when it thaws, whoever has
 * given up waiting meanwhile.
 */
#include <string.h>

#include "sim.h"

#define RESTART_MS 3000
/* From the loss of the source's connection until its half is destroyed. */
#define AUTODESTROY_MS 1500
#define DROVER_KEEPALIVE_MS 28000
#define AGAIN_MS 2000
#define RESEND_MS 2500

static const char *const names[] = {"source", "target"};

bool
daemon_may_step(struct sim *sim, int host, sim_fn step, int a, int life)
{
	struct host *h = &sim->hosts[host];

	if ((unsigned)life != h->life || h->daemon == DAEMON_DOWN)
		return false;
	if (h->daemon == DAEMON_UP)
		return true;
	sim_after(sim, AGAIN_MS, step, a, life);
	return false;
}

void
daemon_set_off(struct sim *sim, int host, enum domain_reason reason)
{
	struct host *h = &sim->hosts[host];

	h->qemu = h->cpus = h->complete = false;
	h->boot++;
	h->job = false;
	h->phase = PHASE_NONE;
	h->state = DOMAIN_SHUTOFF;
	h->reason = reason;
	h->present = h->defined;
	sim_trace(sim, "%s: %s", names[host],
	    h->present ? facts_reason_name(reason) : "gone");
}

/* ---- what Drover asks ---- */

static void
look(struct sim *sim, int host, int call)
{
	struct host *h = &sim->hosts[host];
	struct reconcile_side side = {.presence = RECONCILE_ABSENT};

	if (h->present)
		side = (struct reconcile_side){
		    .presence = RECONCILE_PRESENT,
		    .state = h->state,
		    .reason = h->reason,
		    .job = h->job ? DOMAIN_JOB_ACTIVE : DOMAIN_JOB_NONE,
		    .persistent = h->defined,
		    .autostart = h->defined && h->autostart,
		};
	h->looked_at = sim->now;
	h->foreign_seen |= h->foreign && sim->drover.move != NULL &&
	    (sim->drover.move->steps_begun & 1U << MOVE_STEP_DEFINE) == 0;
	drover_reply_side(sim, call, &side);
}

static bool
is_whole(const struct sim *sim, const struct host *h)
{
	return h->qemu && h->complete && h->memory == sim->moment;
}

static enum err_code
op_destroy(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host], *other = &sim->hosts[!host];
	/* It was there when it was asked, and died since: no care helps. */
	bool late = !other->qemu && other->died_at >= other->looked_at;

	if (!h->qemu)
		return ERR_NONE;
	sim_stop_cpus(sim, host);
	if (is_whole(sim, h) && !is_whole(sim, other) && !sim->guest_ended &&
	    !late)
		sim_violate(sim,
		    "Drover destroys the only whole copy, at the "
		    "%s",
		    names[host]);
	daemon_set_off(sim, host, DOMAIN_REASON_DESTROYED);
	return ERR_NONE;
}

static enum err_code
op_resume(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (!h->qemu || h->job)
		return ERR_REFUSED;
	if (h->cpus)
		return ERR_NONE;
	if (!sim_start_cpus(sim, host, true))
		return ERR_REFUSED;
	h->state = DOMAIN_RUNNING;
	h->reason = DOMAIN_REASON_OTHER;
	return ERR_NONE;
}

static enum err_code
op_undefine(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (h->qemu)
		return ERR_CONFLICT;
	if (!sim->hosts[!host].defined)
		sim_violate(sim,
		    "Drover removes the only definition, at the "
		    "%s",
		    names[host]);
	h->defined = h->present = false;
	return ERR_NONE;
}

static enum err_code
do_op(struct sim *sim, int host, enum reconcile_verdict verdict)
{
	struct host *h = &sim->hosts[host];

	sim_trace(
	    sim, "%s: does %s", names[host], reconcile_verdict_name(verdict));
	if (!h->present)
		return ERR_NOT_FOUND;
	switch (verdict) {
	case RECONCILE_RESUME_TARGET:
	case RECONCILE_RESUME_SOURCE:
		return op_resume(sim, host);
	case RECONCILE_DESTROY_TARGET:
	case RECONCILE_DESTROY_SOURCE:
		return op_destroy(sim, host);
	case RECONCILE_UNDEFINE_TARGET:
	case RECONCILE_UNDEFINE_SOURCE:
		return op_undefine(sim, host);
	case RECONCILE_AUTOSTART_TARGET:
		h->autostart = true;
		return ERR_NONE;
	case RECONCILE_WAIT:
	case RECONCILE_FOLLOW:
	case RECONCILE_MOVED:
	case RECONCILE_STAYED:
	case RECONCILE_ENDED:
	case RECONCILE_PERSON:
		break;
	}
	sim_violate(sim, "%s is not a repair", reconcile_verdict_name(verdict));
	return ERR_INTERNAL;
}

static void
handle(struct sim *sim, int host, struct msg msg)
{
	enum err_code code;

	switch (msg.kind) {
	case MSG_LOOK:
		look(sim, host, msg.call);
		return;
	case MSG_OP:
		drover_reply(sim, msg.call,
		    do_op(
			sim, host, sim->drover.calls[msg.call % SIM_CALLS].op));
		return;
	case MSG_PERFORM:
		code = migrate_begin(sim, msg.call);
		if (code != ERR_NONE)
			drover_reply(sim, msg.call, code);
		return;
	case MSG_ABORT:
		drover_reply(sim, msg.call, migrate_abort(sim));
		return;
	case MSG_COLLECT:
	case MSG_EXPORT:
		drover_reply(sim, msg.call,
		    sim->hosts[host].present ? ERR_NONE : ERR_NOT_FOUND);
		return;
	case MSG_STEP:
		steps_begin(sim, host, msg.call);
		return;
	case MSG_SUSPEND:
		steps_suspend(sim, msg.call);
		return;
	case MSG_PREPARE:
		migrate_prepare(sim);
		return;
	case MSG_FINISH:
		migrate_finish(sim);
		return;
	case MSG_CANCEL:
		migrate_cancel(sim);
		return;
	}
}

void
daemon_deliver(struct sim *sim, int host, int kind_and_call)
{
	struct host *h = &sim->hosts[host];
	struct msg msg = {
	    (enum msg_kind)(kind_and_call >> 16), kind_and_call & 0xffff};
	bool from_peer = msg.kind >= MSG_PREPARE;

	if (h->daemon == DAEMON_DOWN || (from_peer && sim->cut))
		return; /* whoever waits learns it from keepalive */
	/* What was sent before a cable broke may come long after, whoever has
	 * closed the connection meanwhile. */
	if (!from_peer && h->cut) {
		sim_after(sim, RESEND_MS, daemon_deliver, host, kind_and_call);
		return;
	}
	if (h->daemon == DAEMON_UP)
		handle(sim, host, msg);
	else if (h->inbox_count == SIM_INBOX)
		sim_violate(sim, "too much is asked of a frozen daemon");
	else
		h->inbox[h->inbox_count++] = msg;
}

/* ---- the other daemon ---- */

void
daemon_lose_peer(struct sim *sim, int host, int unused)
{
	struct host *h = &sim->hosts[host];

	(void)unused;
	if (!h->peer || h->daemon == DAEMON_DOWN)
		return;
	if (h->daemon == DAEMON_FROZEN) {
		h->peer_lost = true;
		return;
	}
	h->peer = false;
	sim_trace(sim, "%s: lost the other daemon", names[host]);
	if (host == SIM_SOURCE)
		migrate_failed(sim, ERR_REFUSED);
	else
		migrate_cancel(sim);
}

static bool
is_mute(const struct sim *sim, const struct host *h)
{
	return h->daemon == DAEMON_FROZEN &&
	    sim->now - h->frozen_at >= SIM_KEEPALIVE_MS;
}

void
daemon_keepalive(struct sim *sim, int unused, int unused_too)
{
	(void)unused;
	(void)unused_too;
	if (!is_mute(sim, sim_source(sim)) && !is_mute(sim, sim_target(sim)) &&
	    !(sim->cut && sim->now - sim->cut_at >= SIM_KEEPALIVE_MS))
		return;
	daemon_lose_peer(sim, SIM_SOURCE, 0);
	daemon_lose_peer(sim, SIM_TARGET, 0);
}

/* ---- death and return ---- */

void
daemon_qemu_died(struct sim *sim, int host, enum domain_reason reason)
{
	struct host *h = &sim->hosts[host];

	if (h->daemon != DAEMON_UP) {
		h->death = reason;
		return;
	}
	sim_trace(sim, "%s: its QEMU has ended", names[host]);
	if (host == SIM_SOURCE)
		migrate_source_died(sim, reason);
	else
		migrate_target_died(sim, reason);
}

static bool
is_unnoticed_death(const struct host *h)
{
	return h->present && h->state != DOMAIN_SHUTOFF && !h->qemu;
}

static void
restart(struct sim *sim, int host, int life)
{
	struct host *h = &sim->hosts[host];

	if ((unsigned)life != h->life)
		return;
	h->daemon = DAEMON_UP;
	h->peer = h->peer_lost = false;
	h->perform_call = -1;
	sim_trace(sim, "%s: the daemon is back", names[host]);
	if (is_unnoticed_death(h))
		daemon_set_off(sim, host, DOMAIN_REASON_CRASHED);
	else if (h->present)
		migrate_recover(sim, host);
	if (h->rebooted)
		disk_autostart(sim, host);
	h->rebooted = false;
	drover_reconnect(sim, host, 0);
}

void
daemon_kill(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (h->daemon == DAEMON_DOWN)
		return;
	h->daemon = DAEMON_DOWN;
	h->life++;
	h->inbox_count = 0;
	h->peer = h->peer_lost = false;
	if (!sim->cut)
		sim_after(sim, host == SIM_SOURCE ? AUTODESTROY_MS : 1,
		    daemon_lose_peer, !host, 0);
	if (!h->cut)
		drover_lose_link(sim, host);
	sim_after(sim, RESTART_MS, restart, host, (int)h->life);
}

static void
thaw(struct sim *sim, int host, int life)
{
	struct host *h = &sim->hosts[host];
	struct msg inbox[SIM_INBOX];
	int n = h->inbox_count;

	if ((unsigned)life != h->life || h->daemon != DAEMON_FROZEN)
		return;
	h->daemon = DAEMON_UP;
	sim_trace(sim, "%s: thaws", names[host]);
	memcpy(inbox, h->inbox, sizeof(inbox));
	h->inbox_count = 0;
	if (is_unnoticed_death(h))
		daemon_qemu_died(sim, host, h->death);
	for (int i = 0; i < n; i++)
		handle(sim, host, inbox[i]);
	if (h->peer_lost) {
		h->peer_lost = false;
		daemon_lose_peer(sim, host, 0);
	}
	migrate_thawed(sim, host);
	drover_reconnect(sim, host, 0);
}

void
daemon_freeze(struct sim *sim, int host, int64_t ms)
{
	struct host *h = &sim->hosts[host];

	if (h->daemon != DAEMON_UP)
		return;
	h->daemon = DAEMON_FROZEN;
	h->frozen_at = sim->now;
	sim_after(sim, SIM_KEEPALIVE_MS, daemon_keepalive, 0, 0);
	sim_after(sim, DROVER_KEEPALIVE_MS, drover_keepalive, host, 0);
	sim_after(sim, ms, thaw, host, (int)h->life);
}
