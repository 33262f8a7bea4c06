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
	h->cpus = true;
	return true;
}

/* The guest has got on since it was started. */
static void
live(struct sim *sim, struct host *h)
{
	if (h->qemu && h->cpus)
		h->memory = ++sim->moment;
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
		sim_stop_cpus(sim, host);
		sim->guest_ended = true;
		sim->moment++;
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

static void
inject(struct sim *sim, enum fault_kind kind)
{
	int host = SIM_TARGET;

	sim_trace(sim, "FAULT: %s", sim_fault_name(kind));
	switch (kind) {
	case FAULT_SOURCE_DAEMON_KILLED:
		host = SIM_SOURCE;
		/* fall through */
	case FAULT_TARGET_DAEMON_KILLED:
		daemon_kill(sim, host);
		return;
	case FAULT_SOURCE_DAEMON_FROZEN:
		host = SIM_SOURCE;
		/* fall through */
	case FAULT_TARGET_DAEMON_FROZEN:
		daemon_freeze(sim, host, FREEZE_MS);
		return;
	case FAULT_SOURCE_DAEMON_STALLED:
		host = SIM_SOURCE;
		/* fall through */
	case FAULT_TARGET_DAEMON_STALLED:
		daemon_freeze(sim, host, STALL_MS);
		return;
	case FAULT_SOURCE_QEMU_KILLED:
		host = SIM_SOURCE;
		/* fall through */
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
		/* fall through */
	case FAULT_TARGET_LINK_CUT:
		sim->hosts[host].cut = true;
		sim->hosts[host].cut_at = sim->now;
		sim_after(sim, SIM_KEEPALIVE_MS, drover_keepalive, host, 0);
		sim_after(sim, CUT_MS, heal_link, host, 0);
		return;
	case FAULT_SOURCE_SLOW:
		host = SIM_SOURCE;
		/* fall through */
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
	sim->hosts[SIM_SOURCE].state = DOMAIN_RUNNING;
	sim->hosts[SIM_SOURCE].qemu = true;
	sim->hosts[SIM_SOURCE].cpus = true;
	sim->hosts[SIM_SOURCE].complete = true;
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

static uint64_t
mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * UINT64_C(0x100000001b3);
}

/* What the state is, without how late it is. */
uint64_t
sim_hash(const struct sim *sim)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	const struct drover *d = &sim->drover;

	for (int i = 0; i < 2; i++) {
		const struct host *x = &sim->hosts[i];

		h = mix(h,
		    (uint64_t)x->daemon | (uint64_t)x->present << 2 |
			(uint64_t)x->defined << 3 | (uint64_t)x->job << 4 |
			(uint64_t)x->qemu << 5 | (uint64_t)x->cpus << 6 |
			(uint64_t)x->complete << 7 | (uint64_t)x->peer << 8 |
			(uint64_t)x->peer_lost << 9 | (uint64_t)x->cut << 10 |
			(uint64_t)x->link << 11 | (uint64_t)x->autostart << 12 |
			(uint64_t)(x->memory == sim->moment) << 13 |
			(uint64_t)x->state << 16 | (uint64_t)x->reason << 24 |
			(uint64_t)x->phase << 32 |
			(uint64_t)x->inbox_count << 40 |
			(uint64_t)(x->latency_ms > 100) << 48);
	}
	h = mix(h,
	    (uint64_t)sim->cut | (uint64_t)sim->guest_ended << 1 |
		(uint64_t)d->alive << 2 | (uint64_t)d->ended << 3 |
		(uint64_t)d->acting << 4 | (uint64_t)d->sides_out << 5 |
		(uint64_t)(d->journal_failures > 0) << 8);
	for (int i = d->next_call - 1; i >= 0 && i >= d->next_call - 8; i--) {
		const struct call *c = &d->calls[i % SIM_CALLS];

		if (c->out)
			h = mix(h,
			    (uint64_t)c->kind << 8 | (uint64_t)c->host << 4 |
				(uint64_t)c->op << 16 |
				(uint64_t)(c->drover_life == d->life) << 24);
	}
	if (d->move != NULL)
		h = mix(h,
		    (uint64_t)d->move->state |
			(uint64_t)d->move->last_row << 8 |
			(uint64_t)d->move->sure_row << 16 |
			(uint64_t)d->move->stayed_seen << 24 |
			(uint64_t)d->move->recovered << 32 |
			(uint64_t)d->move->perform_ok << 33 |
			(uint64_t)d->move->uncertain << 34 |
			(uint64_t)d->move->took_back << 35 |
			(uint64_t)d->move->source_destroyed << 36 |
			(uint64_t)d->next_action << 40);
	return mix(h,
	    (uint64_t)sim->variant->strict |
		(uint64_t)sim->variant->persistent << 1);
}
