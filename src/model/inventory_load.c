/*
 * Load, from figures that only grow.  libvirt gives the nanoseconds of CPU
 * that a host and each guest have used so far; two readings make a rate, in
 * cores' worth.
 *
 * The first reading, and one that is smaller than the last (the host was
 * booted, the guest arrived from elsewhere), say nothing: unknown.  Readings
 * that are close together say little, as the clock is read when the news is
 * applied, a moment after the host was asked; they leave the last rate as it
 * is.
 */
#include <math.h>

#include "model/inventory_impl.h"

#define METER_SHORTEST_MS 500

void
inventory_meter_reset(struct inventory_meter *meter)
{
	meter->last_ns = FACTS_UNKNOWN;
	meter->used = NAN;
}

static void
inventory_meter_read(struct inventory_meter *meter, int64_t ns, struct mono now)
{
	int64_t elapsed_ms = mono_diff(now, meter->last_at);

	if (ns == FACTS_UNKNOWN) {
		inventory_meter_reset(meter);
		return;
	}
	if (meter->last_ns != FACTS_UNKNOWN && ns >= meter->last_ns) {
		if (elapsed_ms < METER_SHORTEST_MS)
			return;
		meter->used =
		    (double)(ns - meter->last_ns) / ((double)elapsed_ms * 1e6);
	} else {
		meter->used = NAN;
	}
	meter->last_ns = ns;
	meter->last_at = now;
}

void
inventory_read_load(
    struct inventory_host *host, const struct facts_load *load, struct mono now)
{
	host->memory_total = load->memory_total;
	host->memory_free = load->memory_free;
	host->memory_arrived = 0;
	inventory_meter_read(&host->cpu, load->cpu_busy_ns, now);
	/* Delays in reading must not make a host use more than it has. */
	if (host->seen.cpus > 0 && host->cpu.used > host->seen.cpus)
		host->cpu.used = host->seen.cpus;
	for (size_t i = 0; i < load->domain_count; i++) {
		struct inventory_domain *domain =
		    map_get(host->domains, load->domains[i].uuid);

		if (domain != NULL)
			inventory_meter_read(
			    &domain->cpu, load->domains[i].cpu_ns, now);
	}
}
