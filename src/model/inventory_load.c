/*
 * Load, from figures that only grow.  libvirt gives the nanoseconds of CPU
 * that a host and each guest have used so far; two readings make a rate, in
 * cores' worth.  What disks and networks did is counted likewise.
 *
 * The first reading, and one that is smaller than the last (the host was
 * booted, the guest arrived from elsewhere), say nothing: unknown.  Readings
 * that are close together say little, as the clock is read when the news is
 * applied, a moment after the host was asked; they leave the last rate as it
 * is.
 *
 * Decisions see smoothed figures.  A smoothed figure follows slowly, which is
 * what it is for; but when a guest comes or goes it would go on showing for
 * minutes what is known to be over, and more guests would be sent after it.  So
 * a guest's own load is taken off its old host's figure and put on its new
 * host's at once.
 */
#include <math.h>
#include <stdlib.h>

#include "model/inventory_impl.h"

#define METER_SHORTEST_MS 500
#define METER_PER_SECOND 1e9

/* A figure is out of date after so many intervals, and not before so long. */
#define LOAD_STALE_INTERVALS 3
#define LOAD_STALE_MS 60000

void
inventory_meter_reset(struct inventory_meter *meter)
{
	meter->last = FACTS_UNKNOWN;
	meter->used = NAN;
}

void
inventory_domain_reset_meters(struct inventory_domain *domain)
{
	inventory_meter_reset(&domain->cpu);
	inventory_meter_reset(&domain->vcpu);
	inventory_meter_reset(&domain->delay);
	inventory_meter_reset(&domain->disk);
	inventory_meter_reset(&domain->net);
}

/* For how long the rate is that it came to; 0: it came to none. */
static int64_t
inventory_meter_read(
    struct inventory_meter *meter, int64_t figure, struct mono now)
{
	int64_t elapsed_ms = mono_diff(now, meter->last_at);
	bool goes_on = meter->last != FACTS_UNKNOWN && figure >= meter->last;

	if (figure == FACTS_UNKNOWN) {
		inventory_meter_reset(meter);
		return 0;
	}
	if (goes_on && elapsed_ms < METER_SHORTEST_MS)
		return 0;
	meter->used = goes_on
	    ? (double)(figure - meter->last) / ((double)elapsed_ms * 1e6)
	    : NAN;
	meter->last = figure;
	meter->last_at = now;
	return goes_on ? elapsed_ms : 0;
}

/* A guest that is busy is left out of its host's statistics: then the next
 * reading is about a longer time. */
static int64_t
inventory_read_figure(struct inventory_meter *meter, int64_t figure,
    bool may_lack, struct mono now)
{
	if (may_lack && figure == FACTS_UNKNOWN)
		return 0;
	return inventory_meter_read(meter, figure, now);
}

/* ---- guests ---- */

static bool
inventory_is_known(const struct inventory *inventory, const char *uuid)
{
	for (size_t h = 0; h < inventory->host_count; h++) {
		if (map_get(inventory->hosts[h]->domains, uuid) != NULL)
			return true;
	}
	return false;
}

/* Those that no host has any more are kept for a while: it may be one that
 * moves in a moment when nobody has it. */
static void
inventory_forget_guests(struct inventory *inventory)
{
	const char *uuid;
	size_t i = 0;

	while (map_next(inventory->guests, &i, &uuid, NULL)) {
		if (!inventory_is_known(inventory, uuid))
			map_remove(inventory->guests, uuid);
	}
}

static struct inventory_guest *
inventory_guest_of(
    struct inventory *inventory, const char *uuid, struct mono now)
{
	struct inventory_guest *guest = map_get(inventory->guests, uuid);

	if (guest != NULL)
		return guest;
	if (map_count(inventory->guests) >= INVENTORY_SAMPLES_MAX)
		inventory_forget_guests(inventory);
	guest = calloc(1, sizeof(*guest));
	if (guest == NULL)
		abort();
	guest->seen = now;
	map_set(inventory->guests, uuid, guest);
	return guest;
}

static int64_t
inventory_stale_ms(const struct inventory *inventory, int every)
{
	int64_t ms = LOAD_STALE_INTERVALS * every * inventory->sample_ms;

	return ms > LOAD_STALE_MS ? ms : LOAD_STALE_MS;
}

static double
inventory_smooth_of(const struct inventory *inventory,
    const struct smooth *smooth, int every, struct mono now)
{
	return smooth_value(smooth, inventory->smoothing_ms,
	    inventory_stale_ms(inventory, every), now);
}

static void
inventory_shift_by(const struct inventory *inventory,
    struct inventory_host *host, const struct inventory_domain *domain,
    int sign, struct mono now)
{
	const struct inventory_guest *guest =
	    map_get(inventory->guests, domain->vm.uuid);
	double cpu = guest != NULL
	    ? inventory_smooth_of(inventory, &guest->cpu, 1, now)
	    : NAN;
	int64_t memory = domain->vm.memory_rss > 0 ? domain->vm.memory_rss
						   : domain->vm.memory;

	/* What was never seen to use anything takes nothing along, and what
	 * has just been started brings nothing that is known. */
	if (isnan(cpu))
		return;
	smooth_shift(&host->cpu_smooth, sign * cpu);
	if (memory > 0 && host->memory_total > 0)
		smooth_shift(&host->memory_smooth,
		    sign * (double)memory / (double)host->memory_total);
}

void
inventory_leave(const struct inventory *inventory, struct inventory_host *host,
    struct inventory_domain *domain, struct mono now)
{
	if (domain->ran)
		inventory_shift_by(inventory, host, domain, -1, now);
	domain->ran = false;
}

void
inventory_shift_load(
    struct inventory *inventory, struct inventory_host *host, struct mono now)
{
	void *value;
	size_t i = 0;

	while (map_next(host->domains, &i, NULL, &value)) {
		struct inventory_domain *domain = value;
		struct inventory_guest *guest =
		    inventory_guest_of(inventory, domain->vm.uuid, now);
		bool runs = snapshot_vm_runs(&domain->vm);

		if (runs == domain->ran)
			continue;
		/* Of an earlier life; what follows has nothing to do with
		 * it. */
		if (runs &&
		    mono_diff(now, guest->cpu.at) >
			inventory_stale_ms(inventory, 1))
			*guest = (struct inventory_guest){.seen = guest->seen};
		inventory_shift_by(inventory, host, domain, runs ? 1 : -1, now);
		domain->ran = runs;
	}
}

/* ---- readings ---- */

static void
inventory_read_host(const struct inventory *inventory,
    struct inventory_host *host, const struct facts_load *load, struct mono now)
{
	int64_t elapsed_ms;

	host->memory_total = load->memory_total;
	host->memory_free = load->memory_free;
	host->memory_arrived = 0;
	elapsed_ms = inventory_meter_read(&host->cpu, load->cpu_busy_ns, now);
	/* Delays in reading must not make a host use more than it has. */
	if (host->seen.cpus > 0 && host->cpu.used > host->seen.cpus)
		host->cpu.used = host->seen.cpus;
	smooth_add(&host->cpu_smooth, host->cpu.used, elapsed_ms,
	    inventory->smoothing_ms, now);
	if (load->memory_total <= 0 || load->memory_free < 0) {
		host->memory_at = (struct mono){0};
		return;
	}
	if (host->memory_at.ms != 0)
		smooth_add(&host->memory_smooth,
		    1 - (double)load->memory_free / (double)load->memory_total,
		    mono_diff(now, host->memory_at), inventory->smoothing_ms,
		    now);
	host->memory_at = now;
}

/* The kernel has made means of them already. */
static void
inventory_read_pressure(
    struct inventory_host *host, const struct facts_load *load, struct mono now)
{
	host->psi_cpu = load->psi_cpu;
	host->psi_memory = load->psi_memory;
	host->psi_io = load->psi_io;
	host->psi_at = now;
}

/* Of all guests of a host. */
struct load_steal {
	double ran, waited; /* cores' worth */
	int64_t elapsed_ms;
};

static void
inventory_read_vcpus(struct inventory_domain *domain,
    const struct facts_domain_load *load, struct mono now,
    struct load_steal *steal)
{
	int64_t elapsed_ms, waited_ms;

	if (load->vcpu_ns <= 0 || load->delay_ns < 0)
		return;
	elapsed_ms = inventory_meter_read(&domain->vcpu, load->vcpu_ns, now);
	waited_ms = inventory_meter_read(&domain->delay, load->delay_ns, now);
	if (elapsed_ms == 0 || waited_ms == 0)
		return;
	steal->ran += domain->vcpu.used;
	steal->waited += domain->delay.used;
	if (elapsed_ms > steal->elapsed_ms)
		steal->elapsed_ms = elapsed_ms;
}

static void
inventory_read_guest(const struct inventory *inventory,
    struct inventory_domain *domain, const struct facts_load *load,
    const struct facts_domain_load *figures, struct mono now)
{
	struct inventory_guest *guest =
	    map_get(inventory->guests, domain->vm.uuid);
	int64_t elapsed_ms;

	elapsed_ms = inventory_read_figure(
	    &domain->cpu, figures->cpu_ns, load->guests_only, now);
	if (guest != NULL && snapshot_vm_runs(&domain->vm))
		smooth_add(&guest->cpu, domain->cpu.used, elapsed_ms,
		    inventory->smoothing_ms, now);
	if (!load->guests_only)
		return;
	elapsed_ms =
	    inventory_read_figure(&domain->net, figures->net_bytes, true, now);
	if (guest != NULL)
		smooth_add(&guest->net, domain->net.used * METER_PER_SECOND,
		    elapsed_ms, inventory->smoothing_ms, now);
	if (!load->disks)
		return;
	elapsed_ms = inventory_read_figure(
	    &domain->disk, figures->disk_requests, true, now);
	if (guest != NULL)
		smooth_add(&guest->iops, domain->disk.used * METER_PER_SECOND,
		    elapsed_ms, inventory->smoothing_ms, now);
}

void
inventory_read_load(const struct inventory *inventory,
    struct inventory_host *host, const struct facts_load *load, struct mono now)
{
	struct load_steal steal = {0};

	if (load->pressure_only) {
		inventory_read_pressure(host, load, now);
		return;
	}
	if (!load->guests_only)
		inventory_read_host(inventory, host, load, now);
	for (size_t i = 0; i < load->domain_count; i++) {
		const struct facts_domain_load *figures = &load->domains[i];
		struct inventory_domain *domain =
		    map_get(host->domains, figures->uuid);

		if (domain == NULL)
			continue;
		inventory_read_guest(inventory, domain, load, figures, now);
		inventory_read_vcpus(domain, figures, now, &steal);
	}
	if (steal.elapsed_ms > 0)
		smooth_add(&host->steal,
		    steal.waited > 0 ? steal.waited / (steal.ran + steal.waited)
				     : 0,
		    steal.elapsed_ms, inventory->smoothing_ms, now);
}

/* ---- as a picture ---- */

void
inventory_load_show_host(const struct inventory *inventory,
    const struct inventory_host *host, struct mono now, struct snap_host *to)
{
	to->cpu_used = host->cpu.used;
	to->cpu_smooth =
	    inventory_smooth_of(inventory, &host->cpu_smooth, 1, now);
	to->memory_smooth =
	    inventory_smooth_of(inventory, &host->memory_smooth, 1, now);
	to->steal = inventory_smooth_of(inventory, &host->steal, 1, now);
	/* Nobody tells of swap (see hv/pressure.c). */
	to->swap_in = to->psi_cpu = to->psi_memory = to->psi_io = NAN;
	if (host->psi_at.ms == 0 ||
	    mono_diff(now, host->psi_at) >
		inventory_stale_ms(inventory, FACTS_PRESSURE_EVERY))
		return;
	to->psi_cpu = host->psi_cpu;
	to->psi_memory = host->psi_memory;
	to->psi_io = host->psi_io;
}

void
inventory_load_show_vm(const struct inventory *inventory,
    const struct inventory_domain *domain, struct mono now, struct wall wall,
    struct snap_vm *to)
{
	const struct inventory_guest *guest =
	    map_get(inventory->guests, domain->vm.uuid);

	to->cpu_smooth = to->disk_iops = to->net_rate = NAN;
	if (guest == NULL)
		return;
	to->seen_since = (struct wall){wall.ms - mono_diff(now, guest->seen)};
	if (!snapshot_vm_runs(&domain->vm))
		return;
	to->cpu_smooth = inventory_smooth_of(inventory, &guest->cpu, 1, now);
	to->net_rate = inventory_smooth_of(inventory, &guest->net, 1, now);
	to->disk_iops = inventory_smooth_of(
	    inventory, &guest->iops, FACTS_LOAD_DISKS_EVERY, now);
}
