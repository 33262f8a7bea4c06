#ifndef DROVER_MODEL_DOMXML_H
#define DROVER_MODEL_DOMXML_H

#include "base/arena.h"
#include "base/err.h"
#include "model/snapshot.h"

/*
 * libvirt's XML understood (libvirt.org/formatdomain.html, formatstorage.html,
 * formatcaps.html).  Pure: no network, no entities, no DTD, sizes bounded.
 * Strings go to the arena.  What an XML does not say stays unknown.
 */

#define DOMXML_SIZE_MAX (4 << 20)

/* Fills vcpus, memory, abi, disks, nics, pins of *vm. */
int domxml_parse_domain(
    struct arena *arena, const char *xml, struct snap_vm *vm, struct err *err);

/* Fills type, path, source of *pool. */
int domxml_parse_pool(struct arena *arena, const char *xml,
    struct snap_pool *pool, struct err *err);

/* Fills machines and host_uuid of *host. */
int domxml_parse_capabilities(struct arena *arena, const char *xml,
    struct snap_host *host, struct err *err);

#endif
