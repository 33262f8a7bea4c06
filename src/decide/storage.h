#ifndef DROVER_DECIDE_STORAGE_H
#define DROVER_DECIDE_STORAGE_H

#include "base/arena.h"
#include "config/settings.h"
#include "model/snapshot.h"

/*
 * Is a guest's storage the same at source and target?  Shared only when proven:
 * a network disk; a file under one of the operator's shared_paths; a file or
 * volume in a pool that both hosts have active with the same type and the same
 * network source.  Not proven means local.
 */
enum storage_class {
	STORAGE_DISKLESS,
	STORAGE_SHARED,
	STORAGE_MIXED,
	STORAGE_LOCAL
};

struct storage_result {
	enum storage_class class;
	const char *why; /* names each disk that is not shared, and why;
				 * or the proof when shared */
	bool locked;     /* QEMU's image lock protects every writable
				 * disk, and there is one, so that two hosts
				 * cannot both run the guest (see handover
				 * in drover-policy(7)) */
};

void storage_classify(struct arena *arena, const struct settings *settings,
    const struct snap_host *source, const struct snap_host *target,
    const struct snap_vm *vm, struct storage_result *out);

const char *storage_class_name(enum storage_class class);

#endif
