/*
 * Drover's connections to the two daemons: they break when a daemon ends or has been
 * silent for too long, all calls on them end then, and they come back when they can.
 */
#include "sim.h"

#define RECONNECT_MS 500

static void
connected(struct sim *sim, int host, int life)
{
	struct host *h = &sim->hosts[host];

	if (!sim->drover.alive || (unsigned)life != h->link_life || h->link ||
	    h->daemon != DAEMON_UP || h->cut)
		return;
	h->link = true;
	sim_trace(sim, "drover: connected to %d", host);
	drover_tell(sim, MOVE_EV_HOST_NEWS);
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
		if (d->calls[i].out &&
		    (d->calls[i].host == host || d->calls[i].is_copy))
			sim_after(sim, 1, drover_answered, i, ERR_UNREACHABLE);
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
