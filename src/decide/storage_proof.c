/*
 * The proofs, from the word of the operator and of libvirt to what was tried out.
 *
 * A disk is reached over the network by every host; or the operator declared its
 * path to be the same everywhere (storage.shared_paths); or both hosts have an
 * active pool of the same type and the same network source, and the image is in
 * it; or a marker that was made in the pool of one host was seen in that of the
 * other (storage.proof).  The name of a pool proves nothing.
 *
 * A marker speaks for one folder: what lies below it may be mounted from
 * elsewhere.  And it may show that two pools are one storage at two paths.  That
 * is no storage of another host: a "copy" would be made onto its own source.
 *
 * A block device path alone proves nothing either: libvirt lets a guest on a
 * host's own logical volume go, and it arrives at another disk.
 */
#include "decide/storage_proof.h"

#include <string.h>

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

bool
storage_has_files(const struct snap_pool *pool)
{
	return pool->type != NULL &&
	    (strcmp(pool->type, "dir") == 0 || strcmp(pool->type, "fs") == 0 ||
		strcmp(pool->type, "netfs") == 0);
}

const struct snap_pool *
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

/* The same network source, wherever it is mounted. */
static bool
storage_has_source(const struct snap_host *host, const struct snap_pool *pool)
{
	for (size_t i = 0; i < host->pool_count; i++) {
		if (storage_same(host->pools[i].source, pool->source))
			return true;
	}
	return false;
}

/* A file system that libvirt knows as shared is left to its own judgement. */
static bool
storage_is_known_to_libvirt(const char *source)
{
	return source != NULL && strncmp(source, "cifs:", 5) != 0 &&
	    strncmp(source, "smb", 3) != 0;
}

/* "in nfs://nas/v, which both hosts have": the usual answer, for each guest and
 * host, so without a format. */
static const char *
storage_words_twin(struct arena *arena, const struct snap_pool *pool)
{
	static const char before[] = "in ", after[] = ", which both hosts have";
	size_t len = strlen(pool->source);
	char *text =
	    arena_alloc(arena, sizeof(before) + len + sizeof(after) - 1);

	memcpy(text, before, sizeof(before) - 1);
	memcpy(text + sizeof(before) - 1, pool->source, len);
	memcpy(text + sizeof(before) - 1 + len, after, sizeof(after));
	return text;
}

static void
storage_prove_path(const struct storage_look *look, const char *path,
    struct storage_proof *out)
{
	const char *shared = storage_shared_path(look->settings, path);

	if (shared != NULL) {
		out->shared = true;
		out->own = true;
		out->why = arena_printf(
		    look->arena, "under %s (storage.shared_paths)", shared);
		return;
	}
	for (size_t i = 0; i < look->source->pool_count; i++) {
		const struct snap_pool *pool = &look->source->pools[i];

		if (!storage_pool_holds(pool, path))
			continue;
		if (!look->target->pools_known) {
			out->why = arena_printf(look->arena,
			    "unknown whether %s has %s, where %s is",
			    look->target->name, pool->source, path);
			return;
		}
		if (storage_find_twin(look->target, pool) != NULL) {
			out->shared = true;
			out->own = !storage_is_known_to_libvirt(pool->source);
			out->why = storage_words_twin(look->arena, pool);
			return;
		}
		out->elsewhere = storage_has_source(look->target, pool);
		out->why = arena_printf(look->arena,
		    "%s is in %s, and %s has no active %s pool of it at %s",
		    path, pool->source, look->target->name, pool->type,
		    pool->path);
		return;
	}
	out->why = arena_printf(look->arena,
	    look->source->pools_known
		? "%s is not under storage.shared_paths nor in a pool of "
		  "network storage"
		: "%s is not under storage.shared_paths, and the pools "
		  "of its host are unknown",
	    path);
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

static void
storage_prove_volume(const struct storage_look *look, const char *name,
    struct storage_proof *out)
{
	const struct snap_pool *here, *there;
	const char *shared;

	here = storage_use_pool(look, look->source, name, &out->why);
	if (here == NULL)
		return;
	there = storage_use_pool(look, look->target, name, &out->why);
	if (there == NULL)
		return;
	if (storage_same(here->type, there->type) &&
	    storage_same(here->source, there->source)) {
		out->shared = true;
		out->own = storage_has_files(here) &&
		    !storage_is_known_to_libvirt(here->source);
		out->why = arena_printf(look->arena,
		    "pool %s is %s on both hosts", name, here->source);
		return;
	}
	shared = here->path != NULL
	    ? storage_shared_path(
		  look->settings, arena_printf(look->arena, "%s/", here->path))
	    : NULL;
	if (shared != NULL && storage_same(here->type, there->type) &&
	    storage_same(here->path, there->path)) {
		out->shared = true;
		out->own = true;
		out->why = arena_printf(look->arena,
		    "pool %s is at %s on both hosts (storage.shared_paths)",
		    name, here->path);
		return;
	}
	out->why = arena_printf(look->arena, "pool %s is %s on %s and %s on %s",
	    name, here->source != NULL ? here->source : "local storage",
	    look->source->name,
	    there->source != NULL ? there->source : "local storage",
	    look->target->name);
}

static const struct snap_file *
storage_find_file(const struct snap_host *host, const char *path)
{
	for (size_t i = 0; i < host->file_count; i++) {
		if (strcmp(host->files[i].path, path) == 0)
			return &host->files[i];
	}
	return NULL;
}

bool
storage_is_marker_pair(
    const struct snap_pool *here, const struct snap_pool *there)
{
	if (!here->active || !there->active || !storage_has_files(here) ||
	    !storage_has_files(there) || here->path == NULL ||
	    there->path == NULL || here->name == NULL || there->name == NULL)
		return false;
	if (storage_same(here->type, there->type) &&
	    storage_same(here->source, there->source))
		return false;
	return strcmp(here->path, there->path) == 0 ||
	    strcmp(here->name, there->name) == 0;
}

/* Is the image in the folder of the pool itself? */
static bool
storage_is_in_folder(const struct snap_pool *pool, const char *path)
{
	return pool->path != NULL && storage_is_under(path, pool->path) &&
	    strchr(path + strlen(pool->path) + 1, '/') == NULL;
}

/* One pair of pools; true when that is the last word.  `path` is NULL of a
 * volume, which is found by the name of its pool. */
static bool
storage_prove_pair(const struct storage_look *look, const char *path,
    const struct snap_pool *here, const struct snap_pool *there,
    struct storage_proof *out)
{
	if (!storage_is_marker_pair(here, there))
		return false;
	switch (snapshot_find_proof(look->s, look->source->name, here->name,
	    look->target->name, there->name)) {
	case SNAP_VERDICT_UNKNOWN:
		out->wanted = true;
		out->why = arena_printf(look->arena,
		    "%s; whether pool %s of %s is the same storage is not "
		    "known yet",
		    out->why, there->name, look->target->name);
		return false;
	case SNAP_VERDICT_REJECTED:
		out->why = arena_printf(look->arena,
		    "%s; a marker made in pool %s was not seen in pool %s of "
		    "%s",
		    out->why, here->name, there->name, look->target->name);
		return false;
	case SNAP_VERDICT_OK:
		break;
	}
	out->wanted = false;
	if (path != NULL && strcmp(here->path, there->path) != 0) {
		out->elsewhere = true;
		out->why = arena_printf(look->arena,
		    "%s is at %s on %s, which is the same storage: give both "
		    "pools the same path",
		    here->path, there->path, look->target->name);
		return true;
	}
	out->shared = true;
	out->own = true;
	out->why = arena_printf(look->arena,
	    "pool %s is the same storage on both hosts (a marker was seen)",
	    here->name);
	return true;
}

/* By markers, when the words of the other proofs said no. */
static void
storage_prove_by_marker(const struct storage_look *look,
    const struct snap_disk *disk, struct storage_proof *out)
{
	const char *path = disk->kind == SNAP_DISK_VOLUME ? NULL : disk->source;

	if (look->settings->proof != SETTINGS_PROOF_MARKER)
		return;
	for (size_t i = 0; i < look->source->pool_count; i++) {
		const struct snap_pool *here = &look->source->pools[i];

		if (path != NULL ? !storage_is_in_folder(here, path)
				 : strcmp(here->name, disk->pool) != 0)
			continue;
		for (size_t j = 0; j < look->target->pool_count; j++) {
			const struct snap_pool *there = &look->target->pools[j];

			if (path == NULL &&
			    strcmp(there->name, disk->pool) != 0)
				continue;
			if (storage_prove_pair(look, path, here, there, out))
				return;
		}
	}
}

static void
storage_prove_medium(const struct storage_look *look,
    const struct snap_disk *disk, struct storage_proof *out)
{
	const struct snap_file *medium =
	    storage_find_file(look->target, disk->source);

	if (medium == NULL || medium->there == SNAP_VERDICT_UNKNOWN) {
		out->asked = medium == NULL;
		out->why =
		    arena_printf(look->arena, "unknown whether %s has %s",
			look->target->name, disk->source);
		return;
	}
	out->shared = medium->there == SNAP_VERDICT_OK;
	out->why = arena_printf(look->arena,
	    out->shared ? "%s has %s too" : "%s has no %s", look->target->name,
	    disk->source);
}

void
storage_prove(const struct storage_look *look, const struct snap_disk *disk,
    struct storage_proof *out)
{
	*out = (struct storage_proof){0};
	switch (disk->kind) {
	case SNAP_DISK_FILE:
		storage_prove_path(look, disk->source, out);
		if (!out->shared)
			storage_prove_by_marker(look, disk, out);
		if (!out->shared && !out->wanted && disk->removable)
			storage_prove_medium(look, disk, out);
		return;
	case SNAP_DISK_BLOCK:
		storage_prove_path(look, disk->source, out);
		return;
	case SNAP_DISK_VOLUME:
		storage_prove_volume(look, disk->pool, out);
		if (!out->shared)
			storage_prove_by_marker(look, disk, out);
		return;
	case SNAP_DISK_NETWORK:
		out->shared = true;
		out->why = disk->source;
		return;
	case SNAP_DISK_EMPTY:
		out->shared = true;
		out->why = "empty";
		return;
	case SNAP_DISK_OTHER:
		out->why = arena_printf(look->arena,
		    "%s: nothing proves it to be shared", disk->source);
		return;
	}
}
