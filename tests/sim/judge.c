/*
 * What must hold when a run is over, whatever has happened: the guest is in one
 * place, whole, with its newest disk, and nothing of the move is left anywhere else.
 */
#include "sim.h"

#define LONGEST_MS (INT64_C(3600) * 1000)

bool
judge_applies(const struct variant *v, enum fault_kind kind)
{
	bool restart = v->strategy == MOVE_RESTART;

	switch (kind) {
	case FAULT_CONVERGE_PAUSE:
	case FAULT_GIVE_UP:
	case FAULT_MIGRATION_LINK_CUT:
		return !restart;
	case FAULT_GUEST_DEAF:
	case FAULT_GUEST_SLOW:
	case FAULT_GUEST_REBOOTS:
		return restart && !v->off;
	case FAULT_OWNER_STARTS:
	case FAULT_FOREIGN_GUEST:
	case FAULT_SOURCE_REBOOTS:
		return restart;
	case FAULT_REFUSED_START:
		return restart && !v->off;
	case FAULT_POOL_FULL:
	case FAULT_FOREIGN_EMPTY:
	case FAULT_FOREIGN_IMAGE:
		return v->local;
	case FAULT_SOURCE_DAEMON_KILLED:
	case FAULT_TARGET_DAEMON_KILLED:
	case FAULT_SOURCE_DAEMON_FROZEN:
	case FAULT_TARGET_DAEMON_FROZEN:
	case FAULT_SOURCE_DAEMON_STALLED:
	case FAULT_TARGET_DAEMON_STALLED:
	case FAULT_SOURCE_QEMU_KILLED:
	case FAULT_TARGET_QEMU_KILLED:
	case FAULT_SOURCE_LINK_CUT:
	case FAULT_TARGET_LINK_CUT:
	case FAULT_SOURCE_SLOW:
	case FAULT_TARGET_SLOW:
	case FAULT_GUEST_SHUT_DOWN:
	case FAULT_GUEST_DESTROYED:
	case FAULT_DROVER_KILLED:
	case FAULT_JOURNAL_FULL:
	case FAULT_ABORT:
		return true;
	case FAULT_KINDS:
		break;
	}
	return false;
}

static bool
had(const struct sim *sim, enum fault_kind kind)
{
	for (int i = 0; i < sim->fault_count; i++) {
		if (sim->faults[i].kind == kind)
			return true;
	}
	return false;
}

/* The guest itself ended, or died with a QEMU. */
static bool
may_be_off(const struct sim *sim)
{
	return sim->guest_ended || sim->variant->off ||
	    had(sim, FAULT_SOURCE_REBOOTS) ||
	    had(sim, FAULT_SOURCE_QEMU_KILLED) ||
	    had(sim, FAULT_TARGET_QEMU_KILLED);
}

static void
check_owner(struct sim *sim, int owner)
{
	const struct host *h = &sim->hosts[owner], *other = &sim->hosts[!owner];
	const char *name = owner == SIM_SOURCE ? "source" : "target";

	if (other->present && !other->foreign)
		sim_violate(sim,
		    "it is at the %s, but something is left at "
		    "the other host",
		    name);
	if (!h->present && (sim->variant->persistent || !may_be_off(sim)))
		sim_violate(sim, "it is not at the %s", name);
	if (!may_be_off(sim) && !(h->qemu && h->cpus))
		sim_violate(sim, "it does not run at the %s", name);
	if (sim->variant->off && h->qemu && !had(sim, FAULT_OWNER_STARTS) &&
	    !had(sim, FAULT_SOURCE_REBOOTS))
		sim_violate(sim, "it was off, and runs at the %s", name);
	if (h->present && h->defined != sim->variant->persistent)
		sim_violate(sim, "its definition is not at the %s", name);
	if (h->present && sim->variant->persistent && !h->autostart)
		sim_violate(sim, "autostart was lost");
	if (h->present && !disk_is_newest(sim, owner))
		sim_violate(sim, "its disk at the %s is not the newest", name);
	if (h->on_layer || h->layer.there)
		sim_violate(sim, "a layer is left at the %s", name);
	if (sim->variant->strategy == MOVE_RESTART && other->carried &&
	    !other->foreign &&
	    !(sim->drover.move->clean_over &&
		sim->drover.move->remark[0] != '\0'))
		sim_violate(sim, "its firmware is left at the other host");
}

/* Volumes that the move has made are gone, or noted to be removed. */
static void
check_target_clean(struct sim *sim)
{
	const struct host *d = sim_target(sim);
	const struct drover *drover = &sim->drover;

	if (!sim->variant->local)
		return;
	if (d->base.there && d->base.ours && !drover->leaves_base)
		sim_violate(sim, "its volume is left at the target");
	if (d->layer.there && !drover->leaves_layer)
		sim_violate(sim, "its layer is left at the target");
	if (drover->leaves_base && !had(sim, FAULT_TARGET_DAEMON_FROZEN) &&
	    !had(sim, FAULT_TARGET_LINK_CUT) && !had(sim, FAULT_ABORT))
		sim_violate(sim, "it was not waited for the target");
}

void
judge_end(struct sim *sim)
{
	const struct drover *d = &sim->drover;

	if (!d->ended) {
		sim_violate(sim, "the move never ends: %s: %s",
		    move_state_name(d->move->state), d->move->note);
		return;
	}
	if (sim->now > LONGEST_MS + 1000000)
		sim_violate(sim, "it takes too long");
	switch (d->outcome) {
	case MOVE_COMPLETED:
		check_owner(sim, SIM_TARGET);
		return;
	case MOVE_NO_OUTCOME:
	case MOVE_FAILED:
	case MOVE_ROLLED_BACK:
	case MOVE_ABORTED:
		check_owner(sim, SIM_SOURCE);
		check_target_clean(sim);
		return;
	case MOVE_STUCK:
		return;
	}
}
