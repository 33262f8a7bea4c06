/*
 * What lies in the drives of guests, and which other hosts have a file of the
 * same path.  A medium is only read, and people copy their installation images to
 * every host, so that a file of that name counts; a guest whose medium is missing
 * would be refused by libvirt or lose it on the way.
 */
#include <stdlib.h>
#include <string.h>

#include "model/inventory_impl.h"

bool
inventory_medium_read(
    struct inventory_host *host, const struct inventory_event *event)
{
	struct inventory_medium *medium;
	const char *oldest;
	size_t i = 0;

	/* An answer that was under way when the host was lost. */
	if (!host->up || event->key == NULL)
		return false;
	medium = map_get(host->media, event->key);
	if (medium != NULL && medium->there == event->verdict) {
		medium->at = event->now;
		return false;
	}
	if (map_count(host->media) >= INVENTORY_MEDIA_MAX &&
	    map_next(host->media, &i, &oldest, NULL))
		map_remove(host->media, oldest);
	medium = calloc(1, sizeof(*medium));
	if (medium == NULL)
		abort();
	*medium = (struct inventory_medium){event->verdict, event->now};
	map_set(host->media, event->key, medium);
	return true;
}

static int
medium_compare(const void *a, const void *b)
{
	const struct snap_medium *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void
inventory_medium_list(struct arena *arena, const struct inventory_host *host,
    struct snap_host *to)
{
	const char *path;
	void *value;
	size_t i = 0;

	to->media =
	    arena_array(arena, map_count(host->media), sizeof(to->media[0]));
	to->medium_count = 0;
	while (map_next(host->media, &i, &path, &value)) {
		const struct inventory_medium *medium = value;

		to->media[to->medium_count++] =
		    (struct snap_medium){path, medium->there};
	}
	qsort(
	    to->media, to->medium_count, sizeof(to->media[0]), medium_compare);
}

static bool
medium_is_file(const struct snap_disk *disk)
{
	return disk->removable && !disk->backing &&
	    disk->kind == SNAP_DISK_FILE && disk->source != NULL;
}

/* By path, the host whose guests have it; when several have, something else. */
static struct map *
medium_collect(const struct inventory *inventory)
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
				const char *path = vm->disks[d].source;
				const void *seen;

				if (!medium_is_file(&vm->disks[d]))
					continue;
				seen = map_get(paths, path);
				if (seen == NULL)
					map_set(
					    paths, path, inventory->hosts[h]);
				else if (seen != inventory->hosts[h])
					map_set(paths, path, inventory->hosts);
			}
		}
	}
	return paths;
}

void
inventory_each_unseen_medium(const struct inventory *inventory, struct mono now,
    int64_t max_age_ms,
    void (*fn)(const char *host, const char *path, void *arg), void *arg)
{
	struct map *paths = medium_collect(inventory);
	const char *path;
	void *where;

	for (size_t h = 0; h < inventory->host_count; h++) {
		const struct inventory_host *host = inventory->hosts[h];
		size_t i = 0;

		while (host->up && host->known &&
		    map_next(paths, &i, &path, &where)) {
			const struct inventory_medium *medium =
			    map_get(host->media, path);

			/* Nobody would move there what is only there. */
			if (where != host &&
			    (medium == NULL ||
				mono_diff(now, medium->at) >= max_age_ms))
				fn(host->config.name, path, arg);
		}
	}
	map_free(paths);
}
