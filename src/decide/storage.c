/*
 * Storage is shared when that is proven, and only then.  A wrong "shared" makes
 * libvirt start a guest on an image that is not its own, or two guests on one;
 * a wrong "local" costs a copy.  So every doubt counts as local, and the words
 * name the disk, what was looked for and what was not found.
 *
 * Proofs are of three kinds: the disk is reached over the network by every
 * host; the operator declared its path to be the same everywhere
 * (storage.shared_paths); or both hosts have an active pool of the same type
 * and the same network source, and the image is in it.  The name of a pool
 * proves nothing.
 *
 * A block device path alone proves nothing either: libvirt lets a guest on a
 * host's own logical volume go, and it arrives at another disk.
 */
#include "decide/storage.h"

#include <string.h>

#include "base/buf.h"

#define STORAGE_WHY_MAX (16 << 10)

struct storage_look {
	struct arena *arena;
	const struct settings *settings;
	const struct snap_host *source, *target;
};

static bool
storage_is_under(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	/* "/srv/../etc" is not under /srv. */
	if (strstr(path, "/../") != NULL)
		return false;
	if (strcmp(folder, "/") == 0)
		return path[0] == '/';
	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

static const char *
storage_shared_path(const struct settings *settings, const char *path)
{
	for (size_t i = 0; i < settings->shared_path_count; i++) {
		if (storage_is_under(path, settings->shared_paths[i]))
			return settings->shared_paths[i];
	}
	return NULL;
}

static const struct snap_pool *
storage_find_pool(const struct snap_host *host, const char *name)
{
	for (size_t i = 0; i < host->pool_count; i++) {
		if (strcmp(host->pools[i].name, name) == 0)
			return &host->pools[i];
	}
	return NULL;
}

/* Is the image at `path` in this pool of network storage? */
static bool
storage_pool_holds(const struct snap_pool *pool, const char *path)
{
	const char *target;

	if (!pool->active || pool->source == NULL || pool->path == NULL ||
	    pool->type == NULL || !storage_is_under(path, pool->path))
		return false;
	if (strcmp(pool->type, "netfs") == 0)
		return true;
	if (strcmp(pool->type, "iscsi") != 0)
		return false;
	/* /dev/disk/by-path holds the host's own disks too: the name of the
	 * link must have the iSCSI target. */
	target = strstr(pool->source, "://");
	target = target != NULL ? strchr(target + 3, '/') : NULL;
	return target != NULL && target[1] != '\0' &&
	    strstr(path, target + 1) != NULL;
}

static bool
storage_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static const struct snap_pool *
storage_find_twin(const struct snap_host *host, const struct snap_pool *pool)
{
	for (size_t i = 0; i < host->pool_count; i++) {
		const struct snap_pool *twin = &host->pools[i];

		if (twin->active && storage_same(twin->type, pool->type) &&
		    storage_same(twin->source, pool->source) &&
		    storage_same(twin->path, pool->path))
			return twin;
	}
	return NULL;
}

static bool
storage_prove_path(
    const struct storage_look *look, const char *path, const char **why)
{
	const char *shared = storage_shared_path(look->settings, path);

	if (shared != NULL) {
		*why = arena_printf(
		    look->arena, "under %s (storage.shared_paths)", shared);
		return true;
	}
	for (size_t i = 0; i < look->source->pool_count; i++) {
		const struct snap_pool *pool = &look->source->pools[i];

		if (!storage_pool_holds(pool, path))
			continue;
		if (!look->target->pools_known) {
			*why = arena_printf(look->arena,
			    "unknown whether %s has %s, where %s is",
			    look->target->name, pool->source, path);
			return false;
		}
		if (storage_find_twin(look->target, pool) != NULL) {
			*why = arena_printf(look->arena,
			    "in %s, which both hosts have", pool->source);
			return true;
		}
		*why = arena_printf(look->arena,
		    "%s is in %s, and %s has no "
		    "active %s pool of it at %s",
		    path, pool->source, look->target->name, pool->type,
		    pool->path);
		return false;
	}
	*why = arena_printf(look->arena,
	    look->source->pools_known
		? "%s is not under storage.shared_paths nor in a pool of "
		  "network "
		  "storage"
		: "%s is not under storage.shared_paths, and the pools "
		  "of its host are unknown",
	    path);
	return false;
}

/* The pool of that name at this host, or NULL and why not. */
static const struct snap_pool *
storage_use_pool(const struct storage_look *look, const struct snap_host *host,
    const char *name, const char **why)
{
	const struct snap_pool *pool = storage_find_pool(host, name);

	if (!host->pools_known)
		*why = arena_printf(look->arena,
		    "unknown whether %s has the pool %s", host->name, name);
	else if (pool == NULL)
		*why = arena_printf(
		    look->arena, "%s has no pool %s", host->name, name);
	else if (!pool->active)
		*why = arena_printf(look->arena, "pool %s is not active on %s",
		    name, host->name);
	else
		return pool;
	return NULL;
}

static bool
storage_prove_volume(
    const struct storage_look *look, const char *name, const char **why)
{
	const struct snap_pool *here, *there;
	const char *shared;

	here = storage_use_pool(look, look->source, name, why);
	if (here == NULL)
		return false;
	there = storage_use_pool(look, look->target, name, why);
	if (there == NULL)
		return false;
	if (storage_same(here->type, there->type) &&
	    storage_same(here->source, there->source)) {
		*why = arena_printf(look->arena, "pool %s is %s on both hosts",
		    name, here->source);
		return true;
	}
	shared = here->path != NULL
	    ? storage_shared_path(
		  look->settings, arena_printf(look->arena, "%s/", here->path))
	    : NULL;
	if (shared != NULL && storage_same(here->type, there->type) &&
	    storage_same(here->path, there->path)) {
		*why = arena_printf(look->arena,
		    "pool %s is at %s on both "
		    "hosts (storage.shared_paths)",
		    name, here->path);
		return true;
	}
	*why = arena_printf(look->arena, "pool %s is %s on %s and %s on %s",
	    name, here->source != NULL ? here->source : "local storage",
	    look->source->name,
	    there->source != NULL ? there->source : "local storage",
	    look->target->name);
	return false;
}

static bool
storage_prove(const struct storage_look *look, const struct snap_disk *disk,
    const char **why)
{
	switch (disk->kind) {
	case SNAP_DISK_FILE:
	case SNAP_DISK_BLOCK:
		return storage_prove_path(look, disk->source, why);
	case SNAP_DISK_VOLUME:
		return storage_prove_volume(look, disk->pool, why);
	case SNAP_DISK_NETWORK:
		*why = disk->source;
		return true;
	case SNAP_DISK_EMPTY:
		*why = "empty";
		return true;
	case SNAP_DISK_OTHER:
		*why = arena_printf(look->arena,
		    "%s: nothing proves it to be "
		    "shared",
		    disk->source);
		return false;
	}
	return false;
}

/* Does QEMU lock this image so that no other host can open it for writing?  It
 * does for files, and not for those that several guests may write. */
static bool
storage_is_locked(const struct snap_host *source, const struct snap_disk *disk)
{
	const struct snap_pool *pool;

	if (disk->kind == SNAP_DISK_EMPTY || disk->readonly)
		return true;
	if (disk->shareable)
		return false;
	if (disk->kind == SNAP_DISK_FILE)
		return true;
	if (disk->kind != SNAP_DISK_VOLUME)
		return false;
	pool = storage_find_pool(source, disk->pool);
	return pool != NULL && pool->type != NULL &&
	    (strcmp(pool->type, "dir") == 0 ||
		strcmp(pool->type, "netfs") == 0 ||
		strcmp(pool->type, "fs") == 0);
}

static void
storage_add_why(struct buf *buf, const struct snap_disk *disk, const char *why)
{
	buf_addf(buf, "%s%s: %s", buf->len > 0 ? "; " : "", disk->target, why);
}

void
storage_classify(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, const struct snap_host *source,
    const struct snap_host *target, const struct snap_vm *vm,
    struct storage_result *out)
{
	struct storage_look look = {arena, settings, source, target};
	struct buf proofs = BUF_INIT(STORAGE_WHY_MAX);
	struct buf doubts = BUF_INIT(STORAGE_WHY_MAX);
	size_t shared = 0, local = 0;
	bool locked = true, written = false;

	(void)s;
	*out = (struct storage_result){0};

	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct snap_disk *disk = &vm->disks[i];
		const char *why = NULL;

		locked = locked && storage_is_locked(source, disk);
		written |= disk->kind != SNAP_DISK_EMPTY && !disk->readonly;
		if (disk->kind == SNAP_DISK_EMPTY)
			continue;
		if (storage_prove(&look, disk, &why)) {
			shared++;
			storage_add_why(&proofs, disk, why);
		} else {
			local++;
			storage_add_why(&doubts, disk, why);
		}
	}
	if (local == 0)
		out->class = shared > 0 ? STORAGE_SHARED : STORAGE_DISKLESS;
	else
		out->class = shared > 0 ? STORAGE_MIXED : STORAGE_LOCAL;
	/* Without a disk to lock nothing keeps a second copy from running. */
	out->locked = locked && written;
	if (local > 0)
		out->why = arena_strdup(arena, buf_str(&doubts));
	else
		out->why = shared > 0 ? arena_strdup(arena, buf_str(&proofs))
				      : "no disks";
	buf_free(&proofs);
	buf_free(&doubts);
}

const char *storage_class_name(enum storage_class class)
{
	switch (class) {
	case STORAGE_DISKLESS:
		return "diskless";
	case STORAGE_SHARED:
		return "shared";
	case STORAGE_MIXED:
		return "mixed";
	case STORAGE_LOCAL:
		return "local";
	}
	return "local";
}
