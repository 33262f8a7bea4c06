#ifndef DROVER_PLAN_READ_H
#define DROVER_PLAN_READ_H

#include <stddef.h>

#include "base/arena.h"
#include "config/diag.h"
#include "plan/cluster.h"

/*
 * The text of a snapshot (YAML, of which JSON is a part; droverctl(1),
 * SNAPSHOTS) as a cluster that can be planned for.  Pure.
 *
 * Hosts are sorted by name and guests by UUID, so that a plan does not depend
 * on the order of the file.  A guest without a UUID has its name as UUID.
 *
 * What an absent key comes to, where the cluster has no word for "unknown":
 * a guest runs; its storage is local; a guest with local disks of unknown size
 * stays, because no room for it can be promised; a host has no local storage,
 * keeps nothing back, and is up; limits are those of drover.yaml(5).
 */

#define PLAN_READ_SIZE_MAX ((size_t)64 << 20) /* bytes of one text */
#define PLAN_READ_NODES_MAX 4000000           /* values and keys */
#define PLAN_READ_HOSTS_MAX 2000
#define PLAN_READ_GUESTS_MAX 100000

/* What a cluster of that size takes at most. */
#define PLAN_READ_ARENA_MAX ((size_t)256 << 20)

/*
 * Returns the cluster, which lives in `arena`, or NULL with every fault in
 * `diags`.  `file` is the text's name in faults.  Nothing refers to `text` or
 * `file` afterwards.
 */
struct plan_cluster *plan_read(struct arena *arena, const char *file,
    const char *text, size_t len, struct diag_list *diags);

/* The host of that name, or PLAN_NONE. */
uint32_t plan_find_host(const struct plan_cluster *cluster, const char *name);

#endif
