#ifndef DROVER_MODEL_DOMXML_DEVICE_H
#define DROVER_MODEL_DOMXML_DEVICE_H

#include <libxml/tree.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/snapshot.h"

/*
 * Disks, NICs and pins of a <domain> (private to domxml).  More than
 * DOMXML_DEVICES_MAX of a kind is an error.
 */

#define DOMXML_DEVICES_MAX 1024

int domxml_device_parse(struct arena *arena, const xmlNode *domain,
    struct snap_vm *vm, struct err *err);

/* domxml_pin.c: what keeps a running guest where it is.  See
 * qemuMigrationSrcIsAllowed() in libvirt's qemu_migration.c for its half. */
int domxml_pin_parse(struct arena *arena, const xmlNode *domain,
    struct snap_vm *vm, struct err *err);

/* domxml_labels.c: the labels of the metadata, sorted by key. */
#define DOMXML_LABELS_URI "urn:drover:1"
void domxml_labels_parse(
    struct arena *arena, const xmlNode *domain, struct snap_vm *vm);

#endif
