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

/* Fills vcpus, memory, abi, labels (of the metadata), disks (as far as an XML tells), nics, pins, anchors
 * and what follows `managed_save` in *vm.  With abi.cpu_mode the
 * CPU is not in the XML: abi.cpu_xml is NULL and the key leaves it out. */
int domxml_parse_domain(
    struct arena *arena, const char *xml, struct snap_vm *vm, struct err *err);

/* Fills defined_cpu_mode and defined_differs of a *vm that was parsed from the XML
 * of the running domain.  What is not understood differs. */
void domxml_compare_definition(
    struct arena *arena, const char *xml, struct snap_vm *vm);

/* As snap_vm.relabels, of a live XML; false for what cannot be read. */
bool domxml_relabels(const char *xml);

/* Fills type, path, source of *pool. */
int domxml_parse_pool(struct arena *arena, const char *xml,
    struct snap_pool *pool, struct err *err);

/* Fills machines, host_uuid and cpu_xml of *host. */
int domxml_parse_capabilities(struct arena *arena, const char *xml,
    struct snap_host *host, struct err *err);

#endif
