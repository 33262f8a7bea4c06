/*
 * Disks out of a domain's XML.  Kept apart from model/domxml.c because what is
 * done to images needs other facts than a decision does: the one image that is
 * written, the one below it, and whether a job is at it.
 */
#include "hv/disks.h"

#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "hv/volume.h"
#include "model/xmlnode.h"

/* <source file=... | dev=... | pool= volume=>, the three that are paths. */
static const char *
disks_path(const struct hv_conn *conn, struct arena *arena,
    const xmlNode *source, bool *block)
{
	const char *path = xmlnode_attr(arena, source, "file");
	const char *pool_name = xmlnode_attr(arena, source, "pool");
	const char *name = xmlnode_attr(arena, source, "volume");
	cleanup(volume_pool_free) virStoragePoolPtr pool = NULL;
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	cleanup_free char *text = NULL;

	if (path != NULL)
		return path;
	path = xmlnode_attr(arena, source, "dev");
	*block = path != NULL;
	if (path != NULL || pool_name == NULL || name == NULL)
		return path;
	pool = virStoragePoolLookupByName(conn->vir, pool_name);
	vol = pool != NULL ? virStorageVolLookupByName(pool, name) : NULL;
	text = vol != NULL ? virStorageVolGetPath(vol) : NULL;
	return arena_strdup(arena, text);
}

static enum disk_mirror
disks_mirror(const xmlNode *node)
{
	const xmlNode *mirror = xmlnode_child(node, "mirror");

	if (mirror == NULL)
		return DISK_MIRROR_NONE;
	if (!xmlnode_attr_is(mirror, "job", "active-commit"))
		return DISK_MIRROR_OTHER;
	if (xmlnode_attr_is(mirror, "ready", "yes"))
		return DISK_MIRROR_READY;
	if (xmlnode_attr_is(mirror, "ready", "abort") ||
	    xmlnode_attr_is(mirror, "ready", "pivot"))
		return DISK_MIRROR_ENDING;
	return DISK_MIRROR_BUSY;
}

static void
disks_read_one(const struct hv_conn *conn, struct arena *arena,
    const xmlNode *node, struct disk *out)
{
	const xmlNode *backing = xmlnode_child(node, "backingStore");
	const char *device = xmlnode_attr(arena, node, "device");
	bool ignored;

	out->target = xmlnode_child_attr(arena, node, "target", "dev");
	out->device = device != NULL ? device : "disk";
	out->path =
	    disks_path(conn, arena, xmlnode_child(node, "source"), &out->block);
	out->format = xmlnode_child_attr(arena, node, "driver", "type");
	out->backing =
	    disks_path(conn, arena, xmlnode_child(backing, "source"), &ignored);
	out->backing_format =
	    xmlnode_child_attr(arena, backing, "format", "type");
	out->mirror = disks_mirror(node);
}

int
disks_read(const struct hv_conn *conn, const char *xml, struct disks *out,
    struct err *err)
{
	cleanup_xmldoc xmlDoc *doc = xmlnode_read(xml, "domain", err);
	const xmlNode *devices;

	if (doc == NULL)
		return -1;
	devices = xmlnode_child(xmlDocGetRootElement(doc), "devices");
	out->arena = arena_new(VOLUME_ARENA_MAX);
	out->count = 0;
	out->list = arena_array(
	    out->arena, xmlnode_count(devices, "disk") + 1, sizeof(*out->list));
	for (const xmlNode *node = xmlnode_child(devices, "disk"); node != NULL;
	     node = xmlnode_next(node)) {
		struct disk *disk = &out->list[out->count];

		disks_read_one(conn, out->arena, node, disk);
		if (disk->target != NULL)
			out->count++;
	}
	return 0;
}

void
disks_clear(struct disks *disks)
{
	arena_free(disks->arena);
	*disks = (struct disks){0};
}

int
disks_of(const struct hv_conn *conn, virDomainPtr domain, unsigned flags,
    struct disks *out, struct err *err)
{
	cleanup_free char *xml = virDomainGetXMLDesc(domain, flags);

	if (xml == NULL)
		return conn_fail(conn, err);
	return disks_read(conn, xml, out, err);
}

const struct disk *
disks_find(const struct disks *disks, const char *target)
{
	for (size_t i = 0; i < disks->count; i++) {
		if (strcmp(disks->list[i].target, target) == 0)
			return &disks->list[i];
	}
	return NULL;
}
