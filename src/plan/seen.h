#ifndef DROVER_PLAN_SEEN_H
#define DROVER_PLAN_SEEN_H

#include "config/settings.h"
#include "decide/storage.h"
#include "model/snapshot.h"

/*
 * What a plan sees of a snapshot, for plan/write.c, which writes it down, and for
 * plan/from_snapshot.c, which plans at once: both must mean the same.  Pure.
 */

/* It answers, and it is this daemon's. */
bool plan_sees_host_up(const struct snap_host *host);
/* Cores' worth: smoothed where that is known.  NAN: unknown. */
double plan_sees_host_cpu(const struct snap_host *host);
double plan_sees_guest_cpu(const struct snap_vm *vm);
/* Bytes free in local pools; -1: there is none, or it is not known. */
int64_t plan_sees_free_disk(const struct snap_host *host);

/* It is planned for, at this host: of several entries the one that is most alive
 * counts. */
bool plan_sees_guest(const struct snapshot *s, const struct snap_vm *vm);
bool plan_sees_pinned(const struct snap_vm *vm);

struct plan_storage {
	bool known; /* there is another host to compare with */
	enum storage_class class;
	int64_t bytes; /* of the images that go along; where all is shared, of
			* all images.  -1: unknown */
};

/* Towards the other hosts; where they differ, the most local. */
void plan_sees_storage(const struct snapshot *s,
    const struct settings *settings, const struct snap_vm *vm,
    struct plan_storage *out);
/* Images go along: it is not known that none must. */
bool plan_storage_is_copied(const struct plan_storage *storage);

#endif
