/*
 * Storage is shared when that is proven, and only then.  A wrong "shared" makes
 * libvirt start a guest on an image that is not its own, or two guests on one;
 * a wrong "local" costs a copy.  So every doubt counts as local, and the words
 * name the disk, what was looked for and what was not found.  The proofs are in
 * storage_proof.c.
 *
 * A disk is one with the images below it: it is shared when all of them are.
 *
 * libvirt has a proof of its own, the type of the file system, and refuses what
 * it does not know.  It may be overruled where Drover knows better, but not where
 * its doubt is about something else: a cache that the target would not see, and
 * an owner that it takes away from the image when the guest has left, although
 * the guest runs on it elsewhere.
 */
#include "decide/storage.h"

#include <string.h>

#include "base/buf.h"
#include "decide/storage_proof.h"

#define STORAGE_WHY_MAX (16 << 10)

/* From here on QEMU drops its host's cached pages of an image when a guest
 * arrives (file-posix: drop-cache). */
#define STORAGE_QEMU_DROPS_CACHE 4000000

/* Does QEMU lock this image so that no other host can open it for writing?  It
 * does for files, and not for those that several guests may write. */
static bool
storage_is_locked(const struct snap_host *source, const struct snap_disk *disk)
{
	const struct snap_pool *pool;

	if (disk->shareable)
		return false;
	if (disk->kind == SNAP_DISK_FILE)
		return true;
	if (disk->kind != SNAP_DISK_VOLUME)
		return false;
	pool = storage_find_pool(source, disk->pool);
	return pool != NULL && storage_has_files(pool);
}

/* One guest's look at one target. */
struct storage_sum {
	struct storage_look look;
	const struct snap_vm *vm;
	struct storage_result *out;
	struct buf proofs, doubts;
	size_t shared, local;
	bool locked, written;
};

static bool
storage_same_word(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* Why libvirt's doubts about this shared disk may be right. */
static const char *
storage_words_unsafe(
    const struct storage_sum *sum, const struct snap_disk *disk)
{
	struct arena *arena = sum->look.arena;

	if (disk->kind != SNAP_DISK_FILE && disk->kind != SNAP_DISK_VOLUME)
		return NULL;
	if (storage_same_word(disk->cache, "unsafe"))
		return arena_printf(arena,
		    "%s has cache='unsafe', and what the guest wrote last may "
		    "not be there when the target reads it: give it "
		    "cache='none'",
		    disk->target);
	if (sum->look.target->hypervisor_version < STORAGE_QEMU_DROPS_CACHE &&
	    !storage_same_word(disk->cache, "none") &&
	    !storage_same_word(disk->cache, "directsync"))
		return arena_printf(arena,
		    "%s is cached by its hosts, and QEMU at %s may not drop "
		    "what it has cached: give it cache='none'",
		    disk->target, sum->look.target->name);
	if (sum->vm->relabels)
		return arena_printf(arena,
		    "libvirt at %s would give the image of %s to root when "
		    "the guest has left: set dynamic_ownership = 0 in "
		    "qemu.conf of both hosts",
		    sum->look.source->name, disk->target);
	return NULL;
}

static void
storage_add_why(struct buf *buf, const struct snap_disk *disk, const char *why)
{
	/* For each guest and host: a format would take as long as all else. */
	if (buf->len > 0)
		buf_adds(buf, "; ");
	buf_adds(buf, disk->target);
	buf_adds(buf, ": ");
	buf_adds(buf, why);
}

static struct storage_disk *
storage_look_at(struct storage_sum *sum, const struct snap_disk *disk)
{
	struct storage_result *out = sum->out;
	struct storage_disk *found = &out->disks[out->disk_count++];
	struct storage_proof proof;

	storage_prove(&sum->look, disk, &proof);
	*found = (struct storage_disk){.disk = disk,
	    .way = STORAGE_WAY_LOCAL,
	    .why = proof.why,
	    .own_proof = proof.shared && proof.own,
	    .elsewhere = proof.elsewhere,
	    .open = proof.wanted || proof.asked};
	if (proof.shared)
		found->way = STORAGE_WAY_SHARED;
	else if (disk->removable)
		found->way = STORAGE_WAY_ABSENT;
	out->marker_wanted = out->marker_wanted || proof.wanted;
	return found;
}

/* A shut-off guest's XML does not tell what is below its images; a survey may. */
static const struct snap_disk *
storage_found_below(const struct storage_sum *sum, const struct snap_disk *disk)
{
	struct snap_disk *below;

	if (disk->backing_found == NULL)
		return NULL;
	below = arena_alloc(sum->look.arena, sizeof(*below));
	*below = (struct snap_disk){
	    .target =
		arena_printf(sum->look.arena, "%s, backing 1", disk->target),
	    .kind = SNAP_DISK_FILE,
	    .source = disk->backing_found,
	    .format = disk->backing_format,
	    .readonly = true,
	    .backing = true,
	    .capacity = SNAPSHOT_UNKNOWN,
	    .allocation = SNAPSHOT_UNKNOWN,
	    .top_allocation = SNAPSHOT_UNKNOWN,
	};
	return below;
}

/* The disk at vm->disks[i] with what is below it; returns the next one. */
static size_t
storage_sum_disk(struct storage_sum *sum, size_t i)
{
	const struct snap_vm *vm = sum->vm;
	const struct snap_disk *disk = &vm->disks[i++], *below;
	struct storage_result *out = sum->out;
	size_t first = out->disk_count;
	bool shared = true, writable = !disk->readonly;
	const struct storage_disk *top;

	if (disk->kind == SNAP_DISK_EMPTY)
		return i;
	top = storage_look_at(sum, disk);
	below = storage_found_below(sum, disk);
	if (i < vm->disk_count && vm->disks[i].backing)
		below = NULL;
	if (below != NULL)
		storage_look_at(sum, below);
	for (; i < vm->disk_count && vm->disks[i].backing; i++) {
		if (vm->disks[i].kind != SNAP_DISK_EMPTY)
			storage_look_at(sum, &vm->disks[i]);
	}
	for (size_t d = first; d < out->disk_count; d++) {
		const struct storage_disk *image = &out->disks[d];
		bool is = image->way == STORAGE_WAY_SHARED;

		shared = shared && is;
		storage_add_why(
		    is ? &sum->proofs : &sum->doubts, image->disk, image->why);
	}
	if (top->way != STORAGE_WAY_ABSENT) {
		sum->shared += shared;
		sum->local += !shared;
	}
	if (writable) {
		sum->written = true;
		sum->locked = sum->locked && shared &&
		    storage_is_locked(sum->look.source, disk);
	}
	if (shared && writable && top->own_proof) {
		out->own_proof = true;
		if (out->unsafe == NULL)
			out->unsafe = storage_words_unsafe(sum, disk);
	}
	return i;
}

void
storage_classify(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, const struct snap_host *source,
    const struct snap_host *target, const struct snap_vm *vm,
    struct storage_result *out)
{
	struct storage_sum sum = {
	    .look = {arena, settings, s, source, target},
	    .vm = vm,
	    .out = out,
	    .proofs = BUF_INIT(STORAGE_WHY_MAX),
	    .doubts = BUF_INIT(STORAGE_WHY_MAX),
	    .locked = true,
	};
	const char *doubts;

	*out = (struct storage_result){0};
	/* Each disk, and at most one more below it. */
	out->disks =
	    arena_array(arena, 2 * vm->disk_count, sizeof(out->disks[0]));
	for (size_t i = 0; i < vm->disk_count;)
		i = storage_sum_disk(&sum, i);
	if (sum.local == 0)
		out->class = sum.shared > 0 ? STORAGE_SHARED : STORAGE_DISKLESS;
	else
		out->class = sum.shared > 0 ? STORAGE_MIXED : STORAGE_LOCAL;
	/* Without a disk to lock nothing keeps a second copy from running. */
	out->locked = sum.locked && sum.written;
	doubts = arena_strdup(arena, buf_str(&sum.doubts));
	out->why = doubts;
	if (doubts[0] == '\0')
		out->why = sum.shared > 0
		    ? arena_strdup(arena, buf_str(&sum.proofs))
		    : "no disks";
	buf_free(&sum.proofs);
	buf_free(&sum.doubts);
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
