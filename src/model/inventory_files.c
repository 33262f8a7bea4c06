/*
 * Files of a host that guests need beside their disks: what lies in their drives,
 * and their firmware or kernel.  All are only read, and people copy or install
 * them on every host, so that a file of the same path counts as the same.  A guest
 * whose medium is missing would be refused by libvirt or lose it on the way, and
 * without its firmware it would not start.
 */
#include <stdlib.h>
#include <string.h>

#include "model/inventory_impl.h"

bool
inventory_file_read(
    struct inventory_host *host, const struct inventory_event *event)
{
	struct inventory_file *file;
	const char *oldest;
	size_t i = 0;

	/* An answer that was under way when the host was lost. */
	if (!host->up || event->key == NULL)
		return false;
	file = map_get(host->files, event->key);
	if (file != NULL && file->there == event->verdict) {
		file->at = event->now;
		return false;
	}
	if (map_count(host->files) >= INVENTORY_FILES_MAX &&
	    map_next(host->files, &i, &oldest, NULL))
		map_remove(host->files, oldest);
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		abort();
	*file = (struct inventory_file){event->verdict, event->now};
	map_set(host->files, event->key, file);
	return true;
}

static int
file_compare(const void *a, const void *b)
{
	const struct snap_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void
inventory_file_list(struct arena *arena, const struct inventory_host *host,
    struct snap_host *to)
{
	const char *path;
	void *value;
	size_t i = 0;

	to->files =
	    arena_array(arena, map_count(host->files), sizeof(to->files[0]));
	to->file_count = 0;
	while (map_next(host->files, &i, &path, &value)) {
		const struct inventory_file *file = value;

		to->files[to->file_count++] =
		    (struct snap_file){path, file->there};
	}
	qsort(to->files, to->file_count, sizeof(to->files[0]), file_compare);
}

static bool
file_is_in_drive(const struct snap_disk *disk)
{
	return disk->removable && !disk->backing &&
	    disk->kind == SNAP_DISK_FILE && disk->source != NULL;
}

/* Several hosts have it: something else than a host. */
static void
file_note(struct map *paths, const char *path,
    const struct inventory *inventory, struct inventory_host *host)
{
	const void *seen = map_get(paths, path);

	if (seen == NULL)
		map_set(paths, path, host);
	else if (seen != host)
		map_set(paths, path, inventory->hosts);
}

/* By path, the host whose guests need it. */
static struct map *
file_collect(const struct inventory *inventory)
{
	struct map *paths = map_new(NULL);
	void *value;

	for (size_t h = 0; h < inventory->host_count; h++) {
		struct map *domains = inventory->hosts[h]->domains;
		size_t i = 0;

		while (map_next(domains, &i, NULL, &value)) {
			const struct snap_vm *vm =
			    &((const struct inventory_domain *)value)->vm;

			for (size_t d = 0; d < vm->disk_count; d++) {
				if (file_is_in_drive(&vm->disks[d]))
					file_note(paths, vm->disks[d].source,
					    inventory, inventory->hosts[h]);
			}
			for (size_t f = 0; f < vm->file_count; f++)
				file_note(paths, vm->files[f], inventory,
				    inventory->hosts[h]);
		}
	}
	return paths;
}

/* What is missing keeps a guest where it is, and somebody may have brought it
 * meanwhile: it is looked for ten times as often. */
static bool
file_is_old(
    const struct inventory_file *file, struct mono now, int64_t max_age_ms)
{
	if (file == NULL)
		return true;
	if (file->there == SNAP_VERDICT_REJECTED)
		max_age_ms /= 10;
	return mono_diff(now, file->at) >= max_age_ms;
}

void
inventory_each_unseen_file(const struct inventory *inventory, struct mono now,
    int64_t max_age_ms,
    void (*fn)(const char *host, const char *path, void *arg), void *arg)
{
	struct map *paths = file_collect(inventory);
	const char *path;
	void *where;

	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct inventory_host *host = inventory->hosts[h];
		size_t i = 0;

		while (host->up && host->known &&
		    map_next(paths, &i, &path, &where)) {
			const struct inventory_file *file =
			    map_get(host->files, path);

			/* Nobody would move there what is only there. */
			if (where != host && file_is_old(file, now, max_age_ms))
				fn(host->config.name, path, arg);
		}
	}
	map_free(paths);
}
