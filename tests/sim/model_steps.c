/*
 * What the daemons do for the steps of a restart, and for disks that go along with
 * a live move.
 *
 * A step takes a while.  It is answered at its end, and what it changes it changes
 * then, by a daemon that is still the same one; a frozen one does it later, whoever
 * waits for it.  A start and a merge are seen while they are under way, and are half
 * done when the daemon or the QEMU ends.
 */
#include "sim.h"

static const char *const names[] = {"source", "target"};

static struct call *
call_of(struct sim *sim, int call)
{
	return &sim->drover.calls[call % SIM_CALLS];
}

static int64_t
duration(enum move_step step)
{
	switch (step) {
	case MOVE_STEP_PREPARE:
	case MOVE_STEP_FREEZE:
	case MOVE_STEP_CLEAN:
		return 50;
	case MOVE_STEP_START:
	case MOVE_STEP_START_SOURCE:
		return 300;
	case MOVE_STEP_MERGE_TARGET:
	case MOVE_STEP_MERGE_SOURCE:
		return 400;
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_DESTROY_TARGET:
		return 100;
	case MOVE_STEP_NONE:
	case MOVE_STEP_CHECK:
	case MOVE_STEP_COPY:
	case MOVE_STEP_SHUTDOWN:
	case MOVE_STEP_COPY_REST:
	case MOVE_STEP_CARRY:
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_DISARM:
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_AUTOSTART:
	case MOVE_STEP_UNDEFINE_TARGET:
	case MOVE_STEP_REARM:
		break;
	}
	return 5;
}

/* ---- volumes ---- */

static enum err_code
prepare(struct sim *sim, struct image *image, const struct call *c)
{
	if (image->there && !c->replace)
		return ERR_CONFLICT;
	if (sim->full)
		return ERR_REFUSED;
	*image = (struct image){
	    .there = true, .ours = true, .empty = true, .torn = true};
	return ERR_NONE;
}

static enum err_code
clean(struct sim *sim, struct host *h, const struct call *c)
{
	if (h->present && !h->foreign && (h->base.there || h->layer.there))
		return ERR_CONFLICT;
	if (c->has_layer)
		h->layer = (struct image){0};
	if (!c->has_base || !h->base.there)
		return ERR_NONE;
	if (c->only_empty && !h->base.empty)
		return ERR_CONFLICT;
	if (!h->base.ours && !h->base.empty)
		sim_violate(sim, "somebody's image is removed");
	h->base = (struct image){0};
	return ERR_NONE;
}

/* ---- layers ---- */

static enum err_code
freeze(struct sim *sim, struct host *h)
{
	if (h->on_layer)
		return ERR_NONE;
	if (!h->qemu || !h->cpus)
		return ERR_REFUSED;
	h->on_layer = true;
	h->layer = (struct image){.there = true,
	    .moment = sim->moment,
	    .base_moment = h->base.moment};
	return ERR_NONE;
}

static enum err_code
begin_merge(struct host *h)
{
	if (!h->present)
		return ERR_NOT_FOUND;
	if (!h->on_layer)
		return ERR_NONE;
	if (!h->qemu) {
		h->qemu = true;
		h->cpus = h->complete = false;
		h->state = DOMAIN_PAUSED;
		h->reason = DOMAIN_REASON_OTHER;
		h->phase = PHASE_MERGE;
	}
	h->base.merging = true;
	return ERR_NONE;
}

static enum err_code
end_merge(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];
	bool only_for_it = h->phase == PHASE_MERGE;

	if (!h->on_layer)
		return ERR_NONE;
	if (!h->qemu)
		return ERR_REFUSED;
	h->base.moment = h->layer.moment;
	h->base.merging = false;
	h->layer = (struct image){0};
	h->on_layer = false;
	if (only_for_it)
		daemon_set_off(sim, host, DOMAIN_REASON_DESTROYED);
	return ERR_NONE;
}

/* ---- the guest ---- */

static enum err_code
begin_start(struct host *h)
{
	if (!h->present || !h->defined)
		return ERR_NOT_FOUND;
	if (h->qemu)
		return ERR_NONE;
	h->qemu = true;
	h->cpus = h->complete = false;
	h->boot++;
	h->state = DOMAIN_PAUSED;
	h->reason = DOMAIN_REASON_OTHER;
	h->phase = PHASE_START;
	return ERR_NONE;
}

static enum err_code
end_start(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (!h->qemu)
		return ERR_REFUSED;
	if (h->phase != PHASE_START)
		return ERR_NONE;
	if (host == SIM_TARGET && sim->refuse)
		sim->refuse = false;
	else if (disk_boot(sim, host, true))
		return ERR_NONE;
	daemon_set_off(sim, host, DOMAIN_REASON_FAILED);
	return ERR_REFUSED;
}

static enum err_code
destroy(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];
	const struct host *other = &sim->hosts[!host];
	/* When it was looked at; no care helps against what comes after. */
	bool twice = other->qemu || other->died_at >= other->looked_at;

	if (!h->qemu)
		return ERR_NONE;
	if (!twice && !(host == SIM_SOURCE && sim->variant->force))
		sim_violate(sim, "Drover cuts it off, at the %s", names[host]);
	sim_stop_cpus(sim, host);
	daemon_set_off(sim, host, DOMAIN_REASON_DESTROYED);
	return ERR_NONE;
}

static enum err_code
undefine(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (h->qemu)
		return ERR_CONFLICT;
	if (disk_was_used_since(sim, h))
		sim->diverged = true;
	if (h->foreign && h->foreign_seen)
		sim_violate(sim, "somebody's guest is undefined");
	if (h->present && !sim->hosts[!host].defined)
		sim_violate(sim,
		    "Drover removes the only definition, at the %s",
		    names[host]);
	h->defined = h->present = h->carried = h->on_layer = false;
	return ERR_NONE;
}

static void
define(struct sim *sim, struct host *h, bool layered)
{
	if (!h->present) {
		h->present = true;
		h->state = DOMAIN_SHUTOFF;
		h->reason = DOMAIN_REASON_OTHER;
		h->phase = PHASE_NONE;
		h->autostart = false;
	}
	h->defined = true;
	if (h->foreign && h->foreign_seen)
		sim_violate(sim, "somebody's guest is defined anew");
	h->foreign = false;
	if (!h->qemu)
		h->on_layer = layered;
}

/* ---- steps ---- */

static enum err_code
set_autostart(struct host *h, bool on)
{
	if (!h->present)
		return ERR_NOT_FOUND;
	h->autostart = on;
	return ERR_NONE;
}

static enum err_code
do_step(struct sim *sim, int host, const struct call *c)
{
	struct host *h = &sim->hosts[host];

	switch (c->step) {
	case MOVE_STEP_CHECK:
		return h->base.there && !c->replace ? ERR_CONFLICT : ERR_NONE;
	case MOVE_STEP_PREPARE:
		return prepare(sim, &h->base, c);
	case MOVE_STEP_FREEZE:
		return freeze(sim, h);
	case MOVE_STEP_SHUTDOWN:
		if (h->qemu)
			disk_ask_guest(sim, host);
		return h->present ? ERR_NONE : ERR_NOT_FOUND;
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_DESTROY_TARGET:
		return destroy(sim, host);
	case MOVE_STEP_CARRY:
		if (sim_target(sim)->daemon != DAEMON_UP)
			return ERR_UNREACHABLE;
		sim_target(sim)->carried = true;
		return ERR_NONE;
	case MOVE_STEP_DEFINE:
		define(sim, h, c->layered);
		return ERR_NONE;
	case MOVE_STEP_DISARM:
		return set_autostart(h, false);
	case MOVE_STEP_REARM:
	case MOVE_STEP_AUTOSTART:
		return set_autostart(h, true);
	case MOVE_STEP_START:
	case MOVE_STEP_START_SOURCE:
		return end_start(sim, host);
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_UNDEFINE_TARGET:
		return undefine(sim, host);
	case MOVE_STEP_MERGE_TARGET:
	case MOVE_STEP_MERGE_SOURCE:
		return end_merge(sim, host);
	case MOVE_STEP_CLEAN:
		return clean(sim, h, c);
	case MOVE_STEP_NONE:
	case MOVE_STEP_COPY:
	case MOVE_STEP_COPY_REST:
		break;
	}
	sim_violate(sim, "%s is not for a daemon", move_step_name(c->step));
	return ERR_INTERNAL;
}

static void
end_step(struct sim *sim, int call, int life)
{
	struct call *c = call_of(sim, call);
	enum err_code code;

	if (!daemon_may_step(sim, c->host, end_step, call, life))
		return;
	sim_trace(sim, "%s: does %s", names[c->host], move_step_name(c->step));
	code = do_step(sim, c->host, c);
	drover_reply(sim, call, code);
}

void
steps_begin(struct sim *sim, int host, int call)
{
	struct call *c = call_of(sim, call);
	struct host *h = &sim->hosts[host];
	enum err_code code = ERR_NONE;

	if (c->step == MOVE_STEP_START || c->step == MOVE_STEP_START_SOURCE)
		code = begin_start(h);
	else if (c->step == MOVE_STEP_MERGE_TARGET ||
	    c->step == MOVE_STEP_MERGE_SOURCE)
		code = begin_merge(h);
	if (code != ERR_NONE) {
		drover_reply(sim, call, code);
		return;
	}
	sim_after(sim, duration(c->step), end_step, call, (int)h->life);
}

/* Pauses the guest, during a migration or after it. */
void
steps_suspend(struct sim *sim, int call)
{
	struct host *h = sim_source(sim);

	if (!h->present || !h->qemu) {
		drover_reply(sim, call, ERR_REFUSED);
		return;
	}
	if (h->cpus) {
		sim_stop_cpus(sim, SIM_SOURCE);
		h->state = DOMAIN_PAUSED;
		h->reason =
		    h->job ? DOMAIN_REASON_MIGRATION : DOMAIN_REASON_USER;
		sim_trace(sim, "source: paused");
	}
	drover_reply(sim, call, ERR_NONE);
}
