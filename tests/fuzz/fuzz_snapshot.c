/*
 * Any bytes as a snapshot: refused with positions, or a cluster whose parts all
 * refer to one another, never a crash.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "plan/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What planners rely on. */
static void
judge(const struct plan_cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->host_count; i++) {
		const struct plan_host *host = &cluster->hosts[i];

		if (host->memory <= 0 || !(host->cpus > 0) ||
		    host->cpu_used < 0 || (host->accepts && !host->up))
			abort();
		if (i > 0 && strcmp(host[-1].name, host->name) >= 0)
			abort();
	}
	for (uint32_t i = 0; i < cluster->guest_count; i++) {
		const struct plan_guest *guest = &cluster->guests[i];

		if (guest->host >= cluster->host_count ||
		    (guest->memory > 0) != guest->runs || guest->overhead < 0 ||
		    guest->overhead > guest->memory || guest->cpu < 0 ||
		    guest->disk < 0)
			abort();
		if (guest->apart != PLAN_NONE &&
		    guest->apart >= cluster->apart_count)
			abort();
		if (i > 0 && strcmp(guest[-1].uuid, guest->uuid) >= 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(PLAN_READ_ARENA_MAX);
	struct buf out = BUF_INIT(1 << 20);
	struct diag_list diags;
	struct plan_cluster *cluster;

	diag_init(&diags);
	cluster =
	    plan_read(arena, "fuzz.yaml", (const char *)data, size, &diags);
	if ((cluster == NULL) != diag_any(&diags))
		abort();
	for (size_t i = 0; i < diags.count; i++)
		if (diags.items[i].line == 0 || diags.items[i].column == 0)
			abort();
	if (cluster != NULL)
		judge(cluster);
	diag_print(&diags, &out);
	buf_free(&out);
	diag_free(&diags);
	arena_free(arena);
	return 0;
}
