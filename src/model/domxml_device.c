/*
 * A disk in the sense of a decision is every image that QEMU has open: of a
 * qcow2 overlay also the images under it, which the running domain's XML lists
 * as <backingStore>.  An overlay on shared storage over a base that only this
 * host has does not move, so the base is in the list, read-only.
 *
 * A network disk whose server is "localhost", a unix socket or left to the
 * host's own configuration is not the same disk from elsewhere: it is
 * SNAP_DISK_OTHER, which nothing proves shared.
 */
#include "model/domxml_device.h"

#include <string.h>

#include "model/xmlnode.h"

static enum snap_disk_kind
disk_kind(struct arena *arena, const char *type, const xmlNode *source,
    struct snap_disk *disk)
{
	const char *protocol, *name, *volume;

	if (type == NULL || strcmp(type, "file") == 0) {
		disk->source = xmlnode_attr(arena, source, "file");
		return SNAP_DISK_FILE;
	}
	if (strcmp(type, "block") == 0) {
		disk->source = xmlnode_attr(arena, source, "dev");
		return SNAP_DISK_BLOCK;
	}
	if (strcmp(type, "volume") == 0) {
		disk->pool = xmlnode_attr(arena, source, "pool");
		volume = xmlnode_attr(arena, source, "volume");
		if (disk->pool != NULL && volume != NULL)
			disk->source =
			    arena_printf(arena, "%s/%s", disk->pool, volume);
		return SNAP_DISK_VOLUME;
	}
	if (strcmp(type, "network") == 0) {
		protocol = xmlnode_attr(arena, source, "protocol");
		name = xmlnode_attr(arena, source, "name");
		if (protocol == NULL)
			return SNAP_DISK_NETWORK;
		disk->source =
		    xmlnode_network_source(arena, source, protocol, name);
		if (disk->source != NULL)
			return SNAP_DISK_NETWORK;
		disk->source = arena_printf(arena, "%s disk %s of this host",
		    protocol, name != NULL ? name : "without a name");
		return SNAP_DISK_OTHER;
	}
	disk->source = arena_printf(arena, "disk of type %s", type);
	return SNAP_DISK_OTHER;
}

static void
disk_parse_source(
    struct arena *arena, const xmlNode *node, struct snap_disk *disk)
{
	const char *type = xmlnode_attr(arena, node, "type");

	disk->capacity = SNAPSHOT_UNKNOWN;
	disk->allocation = SNAPSHOT_UNKNOWN;
	disk->top_allocation = SNAPSHOT_UNKNOWN;
	disk->kind =
	    disk_kind(arena, type, xmlnode_child(node, "source"), disk);
	if (disk->source != NULL)
		return;
	/* Only a drive can be empty; anything else is something that we do
	 * not understand, which must not pass for nothing. */
	if (disk->removable) {
		disk->kind = SNAP_DISK_EMPTY;
	} else {
		disk->kind = SNAP_DISK_OTHER;
		disk->source = "disk of a source that is not understood";
	}
}

static void
disk_parse(struct arena *arena, const xmlNode *node, struct snap_disk *disk)
{
	const char *device = xmlnode_attr(arena, node, "device");
	const xmlNode *driver = xmlnode_child(node, "driver");
	const xmlNode *source = xmlnode_child(node, "source");

	disk->removable = device != NULL &&
	    (strcmp(device, "cdrom") == 0 || strcmp(device, "floppy") == 0);
	disk_parse_source(arena, node, disk);
	disk->target = xmlnode_child_attr(arena, node, "target", "dev");
	if (disk->target == NULL)
		disk->target = "disk";
	disk->format = xmlnode_attr(arena, driver, "type");
	disk->cache = xmlnode_attr(arena, driver, "cache");
	disk->shareable = xmlnode_child(node, "shareable") != NULL;
	disk->transient = xmlnode_child(node, "transient") != NULL;
	disk->optional = xmlnode_attr_is(source, "startupPolicy", "optional");
	/* A password or a key that libvirt keeps. */
	disk->encrypted = xmlnode_child(node, "encryption") != NULL ||
	    xmlnode_child(source, "encryption") != NULL ||
	    xmlnode_child(node, "auth") != NULL ||
	    xmlnode_child(source, "auth") != NULL;
	disk->readonly = xmlnode_child(node, "readonly") != NULL ||
	    (device != NULL && strcmp(device, "cdrom") == 0);
}

/* The chain below `node`, or NULL; <backingStore/> without content ends it. */
static const xmlNode *
disk_backing(const xmlNode *node)
{
	const xmlNode *backing = xmlnode_child(node, "backingStore");

	return xmlnode_child(backing, "source") != NULL ? backing : NULL;
}

static void
disk_parse_backing(struct arena *arena, const xmlNode *node, const char *target,
    int depth, struct snap_disk *disk)
{
	disk_parse_source(arena, node, disk);
	disk->target = arena_printf(arena, "%s, backing %d", target, depth);
	disk->format = xmlnode_child_attr(arena, node, "format", "type");
	disk->readonly = true;
	disk->backing = true;
}

static int
domxml_parse_disks(struct arena *arena, const xmlNode *devices,
    struct snap_vm *vm, struct err *err)
{
	size_t count = 0, next = 0;

	for (const xmlNode *node = xmlnode_child(devices, "disk"); node != NULL;
	     node = xmlnode_next(node)) {
		for (const xmlNode *below = node; below != NULL;
		     below = disk_backing(below))
			count++;
	}
	if (count > DOMXML_DEVICES_MAX)
		return err_set(err, ERR_LIMIT, "%zu disk images, at most %d",
		    count, DOMXML_DEVICES_MAX);
	vm->disks = arena_array(arena, count, sizeof(vm->disks[0]));
	for (const xmlNode *node = xmlnode_child(devices, "disk"); node != NULL;
	     node = xmlnode_next(node)) {
		const struct snap_disk *disk = &vm->disks[next];
		int depth = 0;

		disk_parse(arena, node, &vm->disks[next++]);
		for (const xmlNode *below = disk_backing(node); below != NULL;
		     below = disk_backing(below))
			disk_parse_backing(arena, below, disk->target, ++depth,
			    &vm->disks[next++]);
	}
	vm->disk_count = count;
	return 0;
}

static void
nic_parse(struct arena *arena, const xmlNode *node, struct snap_nic *nic)
{
	const char *type = xmlnode_attr(arena, node, "type");
	const xmlNode *source = xmlnode_child(node, "source");

	nic->kind = SNAP_NIC_OTHER;
	if (type == NULL) {
		nic->source = "without a type";
	} else if (strcmp(type, "network") == 0) {
		nic->kind = SNAP_NIC_NETWORK;
		nic->source = xmlnode_attr(arena, source, "network");
	} else if (strcmp(type, "bridge") == 0) {
		nic->kind = SNAP_NIC_BRIDGE;
		nic->source = xmlnode_attr(arena, source, "bridge");
	} else if (strcmp(type, "direct") == 0) {
		nic->kind = SNAP_NIC_DIRECT;
		nic->source = xmlnode_attr(arena, source, "dev");
	} else if (strcmp(type, "user") == 0 || strcmp(type, "null") == 0) {
		nic->kind = SNAP_NIC_USER;
	} else {
		nic->source = type;
	}
}

static int
domxml_parse_nics(struct arena *arena, const xmlNode *devices,
    struct snap_vm *vm, struct err *err)
{
	size_t count = xmlnode_count(devices, "interface");
	size_t next = 0;

	if (count > DOMXML_DEVICES_MAX)
		return err_set(err, ERR_LIMIT, "%zu NICs, at most %d", count,
		    DOMXML_DEVICES_MAX);
	vm->nics = arena_array(arena, count, sizeof(vm->nics[0]));
	for (const xmlNode *node = xmlnode_child(devices, "interface");
	     node != NULL; node = xmlnode_next(node)) {
		/* These two are devices of the host: domxml_pin.c. */
		if (xmlnode_attr_is(node, "type", "hostdev") ||
		    xmlnode_attr_is(node, "type", "vdpa"))
			continue;
		nic_parse(arena, node, &vm->nics[next++]);
	}
	vm->nic_count = next;
	return 0;
}

int
domxml_device_parse(struct arena *arena, const xmlNode *domain,
    struct snap_vm *vm, struct err *err)
{
	const xmlNode *devices = xmlnode_child(domain, "devices");

	if (domxml_parse_disks(arena, devices, vm, err) != 0)
		return -1;
	if (domxml_parse_nics(arena, devices, vm, err) != 0)
		return -1;
	return domxml_pin_parse(arena, domain, vm, err);
}
