/*
 * The images that go along: may they, from where, to where, and is there room.
 *
 * An image keeps its name, and goes into the pool of the same name at the target,
 * else into one at the same path; so its path changes only where the pool's does.
 * Room is counted by what is allocated, against what the pool has available less
 * what moves in flight will still write into it.
 *
 * Nothing is ever copied to where it may already be: not onto storage that is the
 * same at another path, and not before a marker has told which is which.
 */
#include "decide/strategy_look.h"

#include <string.h>

#include "base/units.h"
#include "decide/storage_proof.h"

/* Not the disks that go along whatever is checked, but those that must. */
const char *
strategy_check_path(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct storage_disk *image = &storage->disks[i];

		if (image->way != STORAGE_WAY_LOCAL ||
		    (!image->open && !image->elsewhere))
			continue;
		try->wait = image->open;
		return arena_printf(try->look->arena, "%s: %s",
		    image->disk->target, image->why);
	}
	return NULL;
}

/* Of a disk that is local; NULL: it can be copied. */
static const char *
disks_words_kind(const struct strategy_try *try, const struct snap_disk *disk)
{
	bool live = try->strategy == STRATEGY_LIVE_COPY;

	switch (disk->kind) {
	case SNAP_DISK_FILE:
	case SNAP_DISK_VOLUME:
		break;
	case SNAP_DISK_BLOCK:
		return "is a block device, and only images in files are copied";
	case SNAP_DISK_NETWORK:
	case SNAP_DISK_EMPTY:
	case SNAP_DISK_OTHER:
		return "is no image in a file, and nothing else is copied";
	}
	if (disk->shareable)
		return "may be written by other guests too (shareable)";
	if (disk->transient && snapshot_vm_runs(try->look->vm))
		return "is transient: what it has now is to be lost";
	if (live && disk->encrypted)
		return "is encrypted, and a live copy would not be";
	if (live && disk->readonly)
		return "is read-only, and libvirt copies no such disk";
	return NULL;
}

const char *
strategy_check_kinds(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct snap_disk *disk = storage->disks[i].disk;
		const char *why;

		if (!strategy_is_local(storage, i))
			continue;
		if (storage->disks[i].way == STORAGE_WAY_SHARED)
			return arena_printf(try->look->arena,
			    "%s is on shared storage, over an image that is "
			    "not: %s",
			    disk->target, storage->why);
		why = disks_words_kind(try, disk);
		if (why != NULL)
			return arena_printf(try->look->arena, "%s (%s) %s",
			    disk->target, disk->source, why);
	}
	return NULL;
}

static const char *
disks_path(const struct snap_disk *disk)
{
	if (disk->path_found != NULL)
		return disk->path_found;
	return disk->kind == SNAP_DISK_FILE ? disk->source : NULL;
}

const char *
strategy_check_surveyed(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct snap_disk *disk = storage->disks[i].disk;

		if (!strategy_is_local(storage, i))
			continue;
		if (!try->look->vm->surveyed) {
			try->wait = true;
			return "its images have not been looked at yet";
		}
		if (disk->capacity < 0 || disk->allocation < 0 ||
		    disk->top_allocation < 0 || disks_path(disk) == NULL)
			return arena_printf(try->look->arena,
			    "%s: %s could not be read, so its size is unknown",
			    disk->target, disk->source);
		if (disk->format == NULL ||
		    (strcmp(disk->format, "raw") != 0 &&
			strcmp(disk->format, "qcow2") != 0))
			return arena_printf(try->look->arena,
			    "%s has the format %s, and only raw and qcow2 are "
			    "copied",
			    disk->target,
			    disk->format != NULL ? disk->format : "?");
	}
	return NULL;
}

/* The image below, at i + 1; NULL: none. */
static const struct storage_disk *
disks_below(const struct storage_result *storage, size_t i)
{
	if (i + 1 < storage->disk_count && storage->disks[i + 1].disk->backing)
		return &storage->disks[i + 1];
	return NULL;
}

/* The first image below that is not shared; NULL: all are. */
static const struct storage_disk *
disks_local_below(const struct storage_result *storage, size_t i)
{
	for (i++; i < storage->disk_count && storage->disks[i].disk->backing;
	     i++) {
		if (storage->disks[i].way != STORAGE_WAY_SHARED)
			return &storage->disks[i];
	}
	return NULL;
}

/* Live, a chain is copied as one image, or over its shared base if all of them
 * have one.  A restart copies files as they are, so the rest of the chain must be
 * there. */
const char *
strategy_check_chains(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;
	bool chains = false, shared = true;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct storage_disk *local;

		if (!strategy_is_local(storage, i))
			continue;
		chains = chains || disks_below(storage, i) != NULL;
		local = disks_local_below(storage, i);
		shared = shared && local == NULL;
		if (local != NULL && try->strategy == STRATEGY_RESTART)
			return arena_printf(try->look->arena,
			    "%s is a layer over an image that does not come "
			    "along: %s: merge them (virsh blockpull)",
			    storage->disks[i].disk->target, local->why);
	}
	try->plan.incremental =
	    try->strategy == STRATEGY_LIVE_COPY && chains && shared;
	return NULL;
}

/* "/a/b" of "/a/b/c" */
static const char *
disks_folder(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return "/";
	return arena_strndup(arena, path, (size_t)(slash - path));
}

static const char *
disks_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const struct snap_pool *
disks_find_pool_at(const struct snap_host *host, const char *path)
{
	for (size_t i = 0; i < host->pool_count; i++) {
		const struct snap_pool *pool = &host->pools[i];

		if (pool->active && storage_has_files(pool) &&
		    pool->path != NULL && strcmp(pool->path, path) == 0)
			return pool;
	}
	return NULL;
}

/* The pool at the target for an image of this pool (NULL: of none) and folder;
 * NULL and why not. */
static const struct snap_pool *
disks_choose_pool(const struct strategy_look *look,
    const struct snap_disk *disk, const char *name, const char *folder,
    const char **why)
{
	const struct snap_host *target = look->target;
	const struct snap_pool *named =
	    name != NULL ? storage_find_pool(target, name) : NULL;
	const struct snap_pool *pool = NULL;

	if (named != NULL && named->active && storage_has_files(named))
		return named;
	/* A volume is found by the name of its pool. */
	if (disk->kind != SNAP_DISK_VOLUME)
		pool = disks_find_pool_at(target, folder);
	if (pool != NULL)
		return pool;
	if (!target->pools_known)
		*why = arena_printf(
		    look->arena, "unknown which pools %s has", target->name);
	else if (named != NULL && !named->active)
		*why = arena_printf(look->arena,
		    "pool %s of %s is not active: virsh -c %s pool-start %s",
		    name, target->name, target->uri, name);
	else if (named != NULL)
		*why = arena_printf(look->arena,
		    "pool %s of %s is of type %s, which holds no files", name,
		    target->name, named->type != NULL ? named->type : "?");
	else if (name != NULL)
		*why = arena_printf(look->arena,
		    "%s has no active pool %s, nor one at %s", target->name,
		    name, folder);
	else
		*why = arena_printf(look->arena, "%s has no active pool at %s",
		    target->name, folder);
	return NULL;
}

static const char *
disks_plan_one(struct strategy_try *try, size_t i, struct strategy_disk *out)
{
	const struct strategy_look *look = try->look;
	const struct storage_result *storage = look->storage;
	const struct snap_disk *disk = storage->disks[i].disk;
	const struct storage_disk *below = disks_below(storage, i);
	const char *path = disks_path(disk), *why = NULL;
	const char *folder = disks_folder(look->arena, path);
	const char *name =
	    disk->pool_found != NULL ? disk->pool_found : disk->pool;
	const struct snap_pool *pool;
	bool whole;

	if (try->strategy == STRATEGY_RESTART &&
	    (disk->pool_found == NULL || disk->volume_found == NULL))
		return arena_printf(look->arena,
		    "%s: %s is in no active pool of %s, and images are read "
		    "through one: define a pool at %s",
		    disk->target, path, look->source->name, folder);
	pool = disks_choose_pool(look, disk, name, folder, &why);
	if (pool == NULL)
		return arena_printf(look->arena, "%s: %s", disk->target, why);
	whole = try->strategy == STRATEGY_LIVE_COPY && !try->plan.incremental;
	*out = (struct strategy_disk){
	    .target = disk->target,
	    .path = path,
	    .format = disk->format,
	    .source_pool = disk->pool_found,
	    .source_volume = disk->volume_found,
	    .pool = pool->name,
	    .volume = disks_base_name(path),
	    .capacity = disk->capacity,
	    .allocation = whole ? disk->allocation : disk->top_allocation,
	};
	if (pool->path != NULL)
		out->dest_path =
		    arena_printf(look->arena, "%s/%s", pool->path, out->volume);
	if (!whole && below != NULL) {
		out->backing = below->disk->source;
		out->backing_format = below->disk->format;
	}
	try->plan.disk_bytes += out->allocation;
	try->plan.paced_bytes += disk->capacity;
	return NULL;
}

/* Fills in the plan's disks. */
const char *
strategy_check_pool(struct strategy_try *try)
{
	const struct storage_result *storage = try->look->storage;
	struct strategy_result *plan = &try->plan;

	plan->disks = arena_array(
	    try->look->arena, storage->disk_count, sizeof(plan->disks[0]));
	for (size_t i = 0; i < storage->disk_count; i++) {
		const char *why;

		if (!strategy_is_local(storage, i))
			continue;
		why = disks_plan_one(try, i, &plan->disks[plan->disk_count]);
		if (why != NULL)
			return why;
		plan->disk_count++;
	}
	return NULL;
}

/* Is an image that we left at the target in the way? */
static const struct snap_leftover *
disks_find_leftover(
    const struct strategy_look *look, const struct strategy_disk *disk)
{
	for (size_t i = 0; i < look->s->leftover_count; i++) {
		const struct snap_leftover *left = &look->s->leftovers[i];

		if (strcmp(left->host, look->target->name) == 0 &&
		    strcmp(left->pool, disk->pool) == 0 &&
		    strcmp(left->volume, disk->volume) == 0)
			return left;
	}
	return NULL;
}

const char *
strategy_check_volume(struct strategy_try *try)
{
	const struct strategy_look *look = try->look;
	struct strategy_result *plan = &try->plan;

	for (size_t i = 0; i < plan->disk_count; i++) {
		struct strategy_disk *disk = &plan->disks[i];
		const struct snap_leftover *left;

		for (size_t j = 0; j < i; j++) {
			if (strcmp(disk->pool, plan->disks[j].pool) == 0 &&
			    strcmp(disk->volume, plan->disks[j].volume) == 0)
				return arena_printf(look->arena,
				    "%s and %s would both be %s in pool %s of "
				    "%s",
				    plan->disks[j].target, disk->target,
				    disk->volume, disk->pool,
				    look->target->name);
		}
		left = disks_find_leftover(look, disk);
		if (left == NULL)
			continue;
		if (strcmp(left->uuid, look->vm->uuid) != 0)
			return arena_printf(look->arena,
			    "%s: pool %s of %s still keeps %s of another "
			    "guest (%s), which has left",
			    disk->target, disk->pool, look->target->name,
			    disk->volume, left->uuid);
		disk->replace = true;
	}
	return NULL;
}

static const char *
disks_words_room(const struct strategy_look *look, const struct snap_pool *pool,
    int64_t need, int64_t taken)
{
	char needed[UNITS_TEXT_SIZE], available[UNITS_TEXT_SIZE];
	char capacity[UNITS_TEXT_SIZE], reserved[UNITS_TEXT_SIZE];

	units_format_bytes(need, needed);
	units_format_bytes(pool->available, available);
	units_format_bytes(pool->capacity, capacity);
	units_format_bytes(taken, reserved);
	return arena_printf(look->arena,
	    "needs %s in pool %s, %s available of %s%s%s%s", needed, pool->name,
	    available, capacity, taken > 0 ? " (" : "",
	    taken > 0 ? reserved : "",
	    taken > 0 ? " of it taken by moves to it)" : "");
}

static const char *
disks_check_pool_room(struct strategy_try *try, const char *name)
{
	const struct strategy_look *look = try->look;
	const struct strategy_result *plan = &try->plan;
	const struct snap_pool *pool = storage_find_pool(look->target, name);
	int64_t need = 0, taken = 0;

	for (size_t i = 0; i < plan->disk_count; i++) {
		if (strcmp(plan->disks[i].pool, name) == 0)
			need += plan->disks[i].allocation;
	}
	if (pool == NULL || pool->available < 0)
		return arena_printf(
		    look->arena, "unknown how much room pool %s has", name);
	if (look->disk_taken != NULL)
		taken = look->disk_taken(look->target->name, name, look->arg);
	if (pool->available - taken >= need)
		return NULL;
	/* What has already arrived of them is counted twice. */
	try->wait = pool->available >= need;
	return disks_words_room(look, pool, need, taken);
}

const char *
strategy_check_room(struct strategy_try *try)
{
	const struct strategy_result *plan = &try->plan;

	for (size_t i = 0; i < plan->disk_count; i++) {
		const char *why =
		    disks_check_pool_room(try, plan->disks[i].pool);

		if (why != NULL)
			return why;
	}
	return NULL;
}
