#ifndef DROVER_DECIDE_STORAGE_H
#define DROVER_DECIDE_STORAGE_H

#include "base/arena.h"
#include "config/settings.h"
#include "model/snapshot.h"

/*
 * Is a guest's storage the same at source and target?  For each disk: shared
 * only when proven, by one of these: a network disk; a file under one of the
 * operator's shared_paths; a file or volume in a pool that both hosts have
 * active with the same type and the same network source; a marker volume made
 * in the one host's pool and seen in the other's (snapshot proofs), unless
 * storage.proof is `declared`.  Not proven means local.  A removable medium that
 * is not shared, and of which the target has no file, is absent.
 */
enum storage_class {
	STORAGE_DISKLESS,
	STORAGE_SHARED,
	STORAGE_MIXED,
	STORAGE_LOCAL
};

enum storage_way { STORAGE_WAY_SHARED, STORAGE_WAY_LOCAL, STORAGE_WAY_ABSENT };

struct storage_disk {
	const struct snap_disk *disk; /* also of a backing image */
	enum storage_way way;
	const char *why; /* the proof, or what is missing */
	bool own_proof; /* by shared_paths or marker: libvirt's test of the file
			  * system may say otherwise */
	bool elsewhere; /* local: the target has this very image, at another
			  * path.  It must never be copied there */
	bool open; /* not shared as far as is known: a marker, or the target's
		    * word about a medium, is awaited */
};

struct storage_result {
	enum storage_class class;
	const char *why; /* names each image that is not shared, and why;
				 * or the proof when all are */
	bool locked;     /* QEMU's image lock protects every writable
				 * disk, and there is one, so that two hosts
				 * cannot both run the guest (see handover
				 * in drover-policy(7)) */
	/* In order of vm->disks, empty drives left out; each disk is followed
	 * by the images below it (disk->backing). */
	struct storage_disk *disks;
	size_t disk_count;
	bool own_proof;     /* of any shared, writable disk */
	const char *unsafe; /* NULL, or why libvirt must not be overruled: a
			      * cache mode, or a relabelled image */
	bool
	    marker_wanted; /* a marker could prove more, and there is no verdict
			      * about it: decisions wait for one.  Where no
			      * marker can be made the verdict is "rejected" */
};

void storage_classify(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, const struct snap_host *source,
    const struct snap_host *target, const struct snap_vm *vm,
    struct storage_result *out);

const char *storage_class_name(enum storage_class class);

/*
 * May pools of two hosts be one storage, which only a marker can tell?  Both are
 * active and hold files (dir, fs, netfs), at the same path or under the same
 * name, and are not proven to be one by their network source.  For whoever makes
 * markers.  Both ways round the same.
 */
bool storage_is_marker_pair(
    const struct snap_pool *here, const struct snap_pool *there);

#endif
