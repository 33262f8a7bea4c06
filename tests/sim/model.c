/*
 * Time, faults and the guest.
 *
 * The guest is a number that grows while it runs.  Its disk has the number, and so
 * has each QEMU's memory: a copy that is started while its number is not the
 * disk's is an old one and would destroy the disk; two copies that run at once
 * would do so too.  Both are noticed here, whoever does it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define FREEZE_MS 40000 /* longer than any keepalive */
#define STALL_MS 8000   /* shorter */
#define CUT_MS 60000
#define SLOW_MS 4000

#define SIM_NAME(id, name) name,
static const char *const fault_names[] = {SIM_FAULTS(SIM_NAME)};

const char *
sim_fault_name(enum fault_kind kind)
{
	return fault_names[kind];
}

void
sim_violate(struct sim *sim, const char *fmt, ...)
{
	va_list ap;

	if (sim->violation[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(sim->violation, sizeof(sim->violation), fmt, ap);
	va_end(ap);
	sim_trace(sim, "VIOLATION: %s", sim->violation);
}

void
sim_trace(const struct sim *sim, const char *fmt, ...)
{
	va_list ap;

	if (!sim->verbose)
		return;
	printf("%4d %8.3f ", sim->steps, (double)sim->now / 1000);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* ---- time ---- */

static bool
is_earlier(const struct pending *a, const struct pending *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void
sim_after(struct sim *sim, int64_t ms, sim_fn fn, int a, int b)
{
	size_t i = sim->pending_count++;
	struct pending p = {sim->now + ms, sim->seq++, fn, a, b};

	if (sim->pending_count > SIM_PENDING) {
		sim->pending_count--;
		sim_violate(sim, "too much is pending");
		return;
	}
	while (i > 0 && is_earlier(&p, &sim->pending[(i - 1) / 2])) {
		sim->pending[i] = sim->pending[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	sim->pending[i] = p;
}

static struct pending
take_first(struct sim *sim)
{
	struct pending first = sim->pending[0];
	struct pending last = sim->pending[--sim->pending_count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->pending_count) {
		if (child + 1 < sim->pending_count &&
		    is_earlier(&sim->pending[child + 1], &sim->pending[child]))
			child++;
		if (!is_earlier(&sim->pending[child], &last))
			break;
		sim->pending[i] = sim->pending[child];
		i = child;
	}
	sim->pending[i] = last;
	return first;
}

/* ---- the guest ---- */

bool
sim_start_cpus(struct sim *sim, int host, bool by_drover)
{
	struct host *h = &sim->hosts[host], *other = &sim->hosts[!host];

	if (other->qemu && other->cpus) {
		if (!sim->variant->strict)
			return false; /* QEMU's image lock */
		sim_violate(sim, "the guest runs twice");
	}
	if (h->memory != sim->moment && by_drover)
		sim_violate(sim, "Drover runs an old copy, at the %s",
		    host == SIM_SOURCE ? "source" : "target");
	else if (h->memory != sim->moment)
		sim->own_fault = true;
	if (!disk_is_newest(sim, host) && by_drover)
		sim_violate(sim, "Drover runs it from an old disk, at the %s",
		    host == SIM_SOURCE ? "source" : "target");
	h->cpus = true;
	return true;
}

/* The guest has got on since it was started. */
static void
live(struct sim *sim, struct host *h)
{
	if (h->qemu && h->cpus)
		disk_write(sim, h == sim_source(sim) ? SIM_SOURCE : SIM_TARGET);
}

void
sim_stop_cpus(struct sim *sim, int host)
{
	live(sim, &sim->hosts[host]);
	sim->hosts[host].cpus = false;
}

static void
end_guest(struct sim *sim, enum domain_reason reason)
{
	for (int host = 0; host < 2; host++) {
		struct host *h = &sim->hosts[host];

		if (!h->qemu || !h->cpus)
			continue;
		/* A person needs the daemon to do it. */
		if (reason == DOMAIN_REASON_DESTROYED && h->daemon != DAEMON_UP)
			continue;
		disk_write(sim, host);
		sim_stop_cpus(sim, host);
		sim->guest_ended = true;
		h->memory = -1;
		h->died_at = sim->now;
		h->qemu = false;
		daemon_qemu_died(sim, host, reason);
	}
}

/* ---- faults ---- */

static void
heal_cut(struct sim *sim, int a, int b)
{
	(void)a;
	(void)b;
	sim->cut = false;
	sim_trace(sim, "the migration link is back");
}

static void
heal_link(struct sim *sim, int host, int b)
{
	(void)b;
	sim->hosts[host].cut = false;
	drover_reconnect(sim, host, 0);
}

static void
kill_qemu(struct sim *sim, int host)
{
	struct host *h = &sim->hosts[host];

	if (!h->qemu)
		return;
	sim_stop_cpus(sim, host);
	/* What dies with the only whole copy is the guest itself. */
	if (h->memory == sim->moment &&
	    (!sim->hosts[!host].qemu ||
		sim->hosts[!host].memory != sim->moment ||
		!sim->hosts[!host].complete))
		sim->guest_ended = true;
	h->qemu = false;
	h->died_at = sim->now;
	daemon_qemu_died(sim, host, DOMAIN_REASON_CRASHED);
}

/* The whole host: when it is back it starts what starts with it. */
static void
reboot_source(struct sim *sim)
{
	struct host *h = sim_source(sim);

	if (h->daemon == DAEMON_DOWN)
		return;
	if (h->daemon == DAEMON_FROZEN)
		h->daemon = DAEMON_UP;
	kill_qemu(sim, SIM_SOURCE);
	h->rebooted = true;
	daemon_kill(sim, SIM_SOURCE);
}

/* What guests, owners and pools do. */
static void
inject_more(struct sim *sim, enum fault_kind kind)
{
	if (kind == FAULT_OWNER_STARTS)
		disk_owner_starts(sim);
	else if (kind == FAULT_FOREIGN_EMPTY || kind == FAULT_FOREIGN_IMAGE)
		disk_add_foreign(sim, kind == FAULT_FOREIGN_EMPTY);
	else if (kind == FAULT_FOREIGN_GUEST)
		disk_add_foreign_guest(sim);
	else if (kind == FAULT_SOURCE_REBOOTS)
		reboot_source(sim);
	sim->refuse |= kind == FAULT_REFUSED_START;
	sim->deaf |= kind == FAULT_GUEST_DEAF;
	sim->slow |= kind == FAULT_GUEST_SLOW;
	sim->reboots |= kind == FAULT_GUEST_REBOOTS;
	sim->full |= kind == FAULT_POOL_FULL;
}

static void
inject(struct sim *sim, enum fault_kind kind)
{
	int host = SIM_TARGET;

	sim_trace(sim, "FAULT: %s", sim_fault_name(kind));
	switch (kind) {
	case FAULT_SOURCE_DAEMON_KILLED:
		host = SIM_SOURCE;
		__attribute__((fallthrough));
	case FAULT_TARGET_DAEMON_KILLED:
		daemon_kill(sim, host);
		return;
	case FAULT_SOURCE_DAEMON_FROZEN:
		host = SIM_SOURCE;
		__attribute__((fallthrough));
	case FAULT_TARGET_DAEMON_FROZEN:
		daemon_freeze(sim, host, FREEZE_MS);
		return;
	case FAULT_SOURCE_DAEMON_STALLED:
		host = SIM_SOURCE;
		__attribute__((fallthrough));
	case FAULT_TARGET_DAEMON_STALLED:
		daemon_freeze(sim, host, STALL_MS);
		return;
	case FAULT_SOURCE_QEMU_KILLED:
		host = SIM_SOURCE;
		__attribute__((fallthrough));
	case FAULT_TARGET_QEMU_KILLED:
		kill_qemu(sim, host);
		return;
	case FAULT_MIGRATION_LINK_CUT:
		sim->cut = true;
		sim->cut_at = sim->now;
		sim_after(sim, SIM_KEEPALIVE_MS, daemon_keepalive, 0, 0);
		sim_after(sim, CUT_MS, heal_cut, 0, 0);
		return;
	case FAULT_SOURCE_LINK_CUT:
		host = SIM_SOURCE;
		__attribute__((fallthrough));
	case FAULT_TARGET_LINK_CUT:
		sim->hosts[host].cut = true;
		sim->hosts[host].cut_at = sim->now;
		sim_after(sim, SIM_KEEPALIVE_MS, drover_keepalive, host, 0);
		sim_after(sim, CUT_MS, heal_link, host, 0);
		return;
	case FAULT_SOURCE_SLOW:
		host = SIM_SOURCE;
		__attribute__((fallthrough));
	case FAULT_TARGET_SLOW:
		sim->hosts[host].latency_ms = SLOW_MS;
		return;
	case FAULT_GUEST_SHUT_DOWN:
		end_guest(sim, DOMAIN_REASON_SHUTDOWN);
		return;
	case FAULT_GUEST_DESTROYED:
		end_guest(sim, DOMAIN_REASON_DESTROYED);
		return;
	case FAULT_DROVER_KILLED:
		drover_kill(sim);
		return;
	case FAULT_JOURNAL_FULL:
		sim->drover.journal_failures = 2;
		return;
	case FAULT_ABORT:
		drover_abort(sim);
		return;
	case FAULT_CONVERGE_PAUSE:
		drover_tell(sim, MOVE_EV_SUSPENDED);
		return;
	case FAULT_GIVE_UP:
		drover_tell_code(sim, MOVE_EV_GIVE_UP, ERR_REFUSED);
		return;
	case FAULT_GUEST_DEAF:
	case FAULT_GUEST_SLOW:
	case FAULT_GUEST_REBOOTS:
	case FAULT_OWNER_STARTS:
	case FAULT_POOL_FULL:
	case FAULT_FOREIGN_EMPTY:
	case FAULT_FOREIGN_IMAGE:
	case FAULT_FOREIGN_GUEST:
	case FAULT_REFUSED_START:
	case FAULT_SOURCE_REBOOTS:
		inject_more(sim, kind);
		return;
	case FAULT_KINDS:
		return;
	}
}

/* ---- running ---- */

void
sim_init(struct sim *sim, const struct variant *variant,
    const struct fault *faults, int count)
{
	bool verbose = sim->verbose;

	memset(sim, 0, sizeof(*sim));
	sim->verbose = verbose;
	sim->variant = variant;
	sim->now = 1000000;
	sim->fault_count = count;
	for (int i = 0; i < count; i++)
		sim->faults[i] = faults[i];
	for (int i = 0; i < 2; i++) {
		sim->hosts[i].latency_ms = i == SIM_SOURCE ? 3 : 4;
		sim->hosts[i].link = true;
		sim->hosts[i].perform_call = -1;
	}
	sim->hosts[SIM_SOURCE].present = true;
	sim->hosts[SIM_SOURCE].defined = variant->persistent;
	sim->hosts[SIM_SOURCE].autostart = variant->persistent;
	sim->hosts[SIM_SOURCE].state =
	    variant->off ? DOMAIN_SHUTOFF : DOMAIN_RUNNING;
	sim->hosts[SIM_SOURCE].qemu = !variant->off;
	sim->hosts[SIM_SOURCE].cpus = !variant->off;
	sim->hosts[SIM_SOURCE].complete = !variant->off;
	sim->hosts[SIM_SOURCE].base.there = variant->local;
	sim->hosts[SIM_SOURCE].carried = true;
	sim->shared.there = !variant->local;
	sim->deaf = variant->force;
	drover_begin(sim);
}

void
sim_clear(struct sim *sim)
{
	drover_clear(sim);
}

bool
sim_step(struct sim *sim)
{
	struct pending p;

	while (sim->fault_next < sim->fault_count &&
	    sim->faults[sim->fault_next].step <= sim->steps)
		inject(sim, sim->faults[sim->fault_next++].kind);
	if (sim->pending_count == 0)
		return false;
	p = take_first(sim);
	sim->now = p.at;
	sim->steps++;
	live(sim, &sim->hosts[SIM_SOURCE]);
	live(sim, &sim->hosts[SIM_TARGET]);
	p.fn(sim, p.a, p.b);
	return true;
}
