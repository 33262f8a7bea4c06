/*
 * The guest's disk, and what the guest does when it is started or asked to stop.
 *
 * A disk's content is a number: the moment of the guest that was written last.  A
 * guest that is started from anything but the newest moment has lost something, and
 * one whose image is half a copy does not come up.  Layers hold the moments since
 * they were made, and are worth nothing without the base that they were made on.
 */
#include "sim.h"

#define OBEY_MS 1500
#define NEWS_MS 10         /* until Drover knows of what it is told at once */
#define OBEY_LATE_MS 22000 /* after the deadline, and before it is given up */

struct image *
disk_top(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (!sim->variant->local)
		return &sim->shared;
	return h->on_layer ? &h->layer : &h->base;
}

void
disk_write(struct sim *sim, int host)
{
	sim->hosts[host].memory = ++sim->moment;
	disk_top(sim, host)->moment = sim->moment;
	disk_top(sim, host)->empty = false;
}

bool
disk_is_whole(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];
	struct image *top = disk_top(sim, host);

	if (!top->there || top->torn)
		return false;
	if (top != &h->layer)
		return !top->merging;
	return h->base.there && !h->base.torn &&
	    (h->base.merging || h->base.moment == h->layer.base_moment);
}

bool
disk_is_newest(struct sim *sim, int host)
{
	return sim->diverged ||
	    (disk_is_whole(sim, host) &&
		disk_top(sim, host)->moment == sim->moment);
}

bool
disk_was_used_since(const struct sim *sim, const struct host *h)
{
	return h->owner_started_at != 0 &&
	    h->owner_started_at >= sim->drover.sent_at - NEWS_MS;
}

/* Whether two moments of the guest that both are newest may be its end: it has run
 * at the target for a while, and did not stay up there. */
static bool
may_go_back(const struct sim *sim, int host)
{
	return host == SIM_SOURCE && sim->drover.move != NULL &&
	    !sim->drover.move->verified && sim->drover.move->starts > 0;
}

bool
disk_boot(struct sim *sim, int host, bool by_drover)
{
	struct host *h = &sim->hosts[host], *other = &sim->hosts[!host];

	if (!disk_is_whole(sim, host)) {
		if (by_drover && !sim->diverged)
			sim_violate(sim,
			    "Drover starts it from half a disk, at the %s",
			    host == SIM_SOURCE ? "source" : "target");
		return false;
	}
	if (by_drover && disk_was_used_since(sim, other))
		sim->diverged = true;
	if (other->qemu && other->cpus) {
		if (by_drover && !sim->diverged)
			sim_violate(sim, "the guest runs twice");
		sim->diverged = true;
	}
	if (may_go_back(sim, host))
		sim->diverged = true;
	if (!disk_is_newest(sim, host) && by_drover)
		sim_violate(sim, "Drover starts it from an old disk, at the %s",
		    host == SIM_SOURCE ? "source" : "target");
	if (host == SIM_TARGET && !h->carried)
		sim_violate(sim, "it is started without its firmware");
	h->boot++;
	h->qemu = h->cpus = h->complete = true;
	h->state = DOMAIN_RUNNING;
	h->reason = DOMAIN_REASON_OTHER;
	h->phase = PHASE_NONE;
	disk_write(sim, host);
	sim_trace(sim, "%s: it runs", host == SIM_SOURCE ? "source" : "target");
	return true;
}

static void
tell_started(struct sim *sim, int a, int b)
{
	(void)a;
	(void)b;
	drover_tell(sim, MOVE_EV_STARTED);
}

void
disk_owner_starts(struct sim *sim)
{
	struct host *h = sim_source(sim);

	if (h->daemon != DAEMON_UP || !h->present || !h->defined || h->qemu)
		return;
	if (!disk_is_whole(sim, SIM_SOURCE))
		return;
	h->owner_started_at = sim->now;
	/* From here on the owner's is the truth, unless the target runs. */
	if (sim_target(sim)->qemu ||
	    !(disk_top(sim, SIM_SOURCE)->moment == sim->moment))
		sim->diverged = true;
	sim->guest_ended = false;
	(void)disk_boot(sim, SIM_SOURCE, false);
	if (h->link && !h->cut)
		sim_after(sim, h->latency_ms, tell_started, 0, 0);
}

/* An image of that name, made by somebody else. */
void
disk_add_foreign(struct sim *sim, bool empty)
{
	struct image *image = &sim_target(sim)->base;

	if (image->there)
		return;
	*image = (struct image){.there = true, .empty = empty, .moment = -2};
}

/* A definition with the same UUID, by somebody's hand.  Once Drover has begun to
 * define it there, nobody can tell whose is whose. */
void
disk_add_foreign_guest(struct sim *sim)
{
	struct host *h = sim_target(sim);

	if (h->present || h->daemon != DAEMON_UP || sim->drover.move == NULL ||
	    (sim->drover.move->steps_begun & 1U << MOVE_STEP_DEFINE) != 0)
		return;
	h->present = h->defined = h->foreign = true;
	h->state = DOMAIN_SHUTOFF;
	h->reason = DOMAIN_REASON_OTHER;
	h->on_layer = false;
}

void
disk_autostart(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (!h->present || !h->defined || !h->autostart || h->qemu ||
	    !disk_is_whole(sim, host))
		return;
	if (sim->hosts[!host].qemu && !sim->diverged)
		sim_violate(sim, "autostart runs it twice");
	h->owner_started_at = sim->now;
	(void)disk_boot(sim, host, false);
}

static void
react(struct sim *sim, int host, int boot)
{
	struct host *h = &sim->hosts[host];

	sim->asked--;
	if (h->boot != (unsigned)boot || !h->qemu || !h->cpus || sim->deaf)
		return;
	if (sim->reboots) {
		sim->reboots = false;
		h->boot++;
		sim_trace(sim, "the guest reboots");
		if (h->link && h->daemon == DAEMON_UP)
			drover_tell(sim, MOVE_EV_REBOOTED);
		return;
	}
	sim_trace(sim, "the guest shuts down");
	sim_stop_cpus(sim, host);
	h->qemu = false;
	h->died_at = sim->now;
	daemon_qemu_died(sim, host, DOMAIN_REASON_SHUTDOWN);
}

void
disk_ask_guest(struct sim *sim, int host)
{
	int64_t ms = OBEY_MS;

	if (sim->asked_at == 0)
		sim->asked_at = sim->now;
	if (sim->slow && sim->asked_at + OBEY_LATE_MS > sim->now + ms)
		ms = sim->asked_at + OBEY_LATE_MS - sim->now;
	sim->asked++;
	sim_after(sim, ms, react, host, (int)sim->hosts[host].boot);
}
