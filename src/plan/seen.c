/*
 * What of a snapshot a plan looks at.
 *
 * Whether storage is shared is a question about a pair of hosts, and a large site
 * has millions of pairs with each guest; a plan has one answer for each guest.
 * Each guest is compared with a few hosts only: the next ones after its own in
 * their order, which are all of them in a small site.  Where the answers differ
 * the most local one counts, so that no plan depends on storage that some target
 * has not.
 */
#include "plan/seen.h"

#include <math.h>

#define STORAGE_HOSTS 8 /* that a guest's storage is compared with */
#define STORAGE_ARENA_MAX ((size_t)16 << 20)

bool
plan_sees_host_up(const struct snap_host *host)
{
	return host->up && host->claimed_by == NULL &&
	    host->silent_ms < SNAPSHOT_SILENT_MS;
}

double
plan_sees_host_cpu(const struct snap_host *host)
{
	return isnan(host->cpu_smooth) ? host->cpu_used : host->cpu_smooth;
}

double
plan_sees_guest_cpu(const struct snap_vm *vm)
{
	return isnan(vm->cpu_smooth) ? vm->cpu_used : vm->cpu_smooth;
}

/* Folders of one file system tell the same space each: so the largest, and not
 * the sum. */
int64_t
plan_sees_free_disk(const struct snap_host *host)
{
	int64_t free_disk = -1;

	for (size_t i = 0; i < host->pool_count; i++) {
		const struct snap_pool *pool = &host->pools[i];

		if (pool->active && pool->source == NULL &&
		    pool->path != NULL && pool->available > free_disk)
			free_disk = pool->available;
	}
	return free_disk;
}

bool
plan_sees_guest(const struct snapshot *s, const struct snap_vm *vm)
{
	return s->hosts[vm->host].known && vm->memory > 0 &&
	    snapshot_find_vm(s, vm->uuid) == vm;
}

bool
plan_sees_pinned(const struct snap_vm *vm)
{
	return snapshot_vm_active(vm) ? vm->pin_count > 0
				      : vm->anchor_count > 0;
}

/* Bytes of the images that are wanted; -1 when one is not known. */
static int64_t
allocated(const struct storage_result *storage, bool local_only)
{
	int64_t total = 0;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct storage_disk *image = &storage->disks[i];

		if (image->way == STORAGE_WAY_ABSENT ||
		    (local_only && image->way != STORAGE_WAY_LOCAL))
			continue;
		if (image->disk->allocation < 0)
			return -1;
		total += image->disk->allocation;
	}
	return total;
}

static bool is_local(enum storage_class class)
{
	return class == STORAGE_LOCAL || class == STORAGE_MIXED;
}

void
plan_sees_storage(const struct snapshot *s, const struct settings *settings,
    const struct snap_vm *vm, struct plan_storage *out)
{
	struct arena *arena = arena_new(STORAGE_ARENA_MAX);
	size_t seen = 0;

	*out = (struct plan_storage){.bytes = -1};
	for (size_t i = 1; i < s->host_count && seen < STORAGE_HOSTS &&
	     !(out->known && out->class == STORAGE_LOCAL);
	     i++) {
		const struct snap_host *target =
		    &s->hosts[(vm->host + i) % s->host_count];
		struct storage_result storage = {0};

		if (!target->known)
			continue;
		seen++;
		storage_classify(arena, settings, s, &s->hosts[vm->host],
		    target, vm, &storage);
		if (out->known && storage.class <= out->class)
			continue;
		out->known = true;
		out->class = storage.class;
		out->bytes = allocated(&storage, is_local(storage.class));
	}
	arena_free(arena);
}

bool
plan_storage_is_copied(const struct plan_storage *storage)
{
	return !storage->known || is_local(storage->class);
}
