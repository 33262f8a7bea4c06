/*
 * Volumes and pools.
 *
 * libvirt keeps a list of each pool's volumes and does not look at the disk
 * again until it is told to: files that came since are not there for it, files
 * that went still are.  Both have cost people their images, so that whoever
 * decides by the presence of a volume has the pool refreshed first.
 *
 * A refresh that fails stops the pool (libvirt's habit), and one that meets a
 * job of the pool is refused; the latter passes and is waited for.
 */
#include "hv/volume.h"

#include <inttypes.h>
#include <libvirt/virterror.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "hv/images_use.h"
#include "model/xmlnode.h"

#define VOLUME_BUSY_MS 30000
#define VOLUME_BUSY_POLL_MS 100
#define VOLUME_XML_MAX (64 << 10)

static int64_t
volume_size(struct arena *arena, const xmlNode *volume, const char *name)
{
	const xmlNode *node = xmlnode_child(volume, name);

	return node != NULL ? xmlnode_bytes(arena, node) : FACTS_UNKNOWN;
}

int
volume_describe(const struct hv_conn *conn, virStorageVolPtr vol,
    struct arena *arena, struct volume *out, struct err *err)
{
	cleanup_free char *xml = virStorageVolGetXMLDesc(vol, 0);
	cleanup_xmldoc xmlDoc *doc = NULL;
	const xmlNode *root, *target, *backing, *permissions;

	if (xml == NULL)
		return conn_fail(conn, err);
	doc = xmlnode_read(xml, "volume", err);
	if (doc == NULL)
		return -1;
	root = xmlDocGetRootElement(doc);
	target = xmlnode_child(root, "target");
	backing = xmlnode_child(root, "backingStore");
	permissions = xmlnode_child(target, "permissions");
	*out = (struct volume){
	    .path = xmlnode_child_text(arena, target, "path"),
	    .name = xmlnode_child_text(arena, root, "name"),
	    .format = xmlnode_child_attr(arena, target, "format", "type"),
	    .backing = xmlnode_child_text(arena, backing, "path"),
	    .backing_format =
		xmlnode_child_attr(arena, backing, "format", "type"),
	    .capacity = volume_size(arena, root, "capacity"),
	    .allocation = volume_size(arena, root, "allocation"),
	    .physical = volume_size(arena, root, "physical"),
	    .mode = xmlnode_child_text(arena, permissions, "mode"),
	    .owner = xmlnode_child_text(arena, permissions, "owner"),
	    .group = xmlnode_child_text(arena, permissions, "group"),
	};
	if (out->path == NULL || out->name == NULL)
		return err_set(err, ERR_REFUSED, "a volume without a path");
	/* Of an empty file the length is not told. */
	if (out->physical < 0 && out->capacity == 0)
		out->physical = 0;
	return 0;
}

static bool
volume_pool_is_busy(void)
{
	const char *text = virGetLastErrorMessage();

	return text != NULL && strstr(text, "asynchronous jobs") != NULL;
}

static void
volume_wait(int64_t ms)
{
	struct timespec pause = {
	    .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&pause, NULL);
}

int
volume_refresh(
    const struct hv_conn *conn, virStoragePoolPtr pool, struct err *err)
{
	struct mono end = mono_add(clock_mono_now(), VOLUME_BUSY_MS);

	while (virStoragePoolRefresh(pool, 0) < 0) {
		if (!volume_pool_is_busy() ||
		    !mono_before(clock_mono_now(), end)) {
			(void)conn_fail(conn, err);
			return err_prefix(
			    err, "pool %s", virStoragePoolGetName(pool));
		}
		volume_wait(VOLUME_BUSY_POLL_MS);
	}
	return 0;
}

virStoragePoolPtr
volume_pool(const struct hv_conn *conn, const char *name, struct err *err)
{
	virStoragePoolPtr pool = virStoragePoolLookupByName(conn->vir, name);
	int active;

	if (pool == NULL) {
		(void)conn_fail(conn, err);
		return NULL;
	}
	active = virStoragePoolIsActive(pool);
	if (active < 0) {
		(void)conn_fail(conn, err);
	} else if (active == 0) {
		(void)err_set(err, ERR_REFUSED,
		    "pool %s is not active; start it (virsh pool-start)", name);
	} else if (volume_refresh(conn, pool, err) == 0) {
		return pool;
	}
	(void)virStoragePoolFree(pool);
	return NULL;
}

/* Without slashes at its end, of which "/" keeps its own. */
static size_t
volume_dir_len(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return len;
}

static bool
volume_pool_has_dir(virStoragePoolPtr pool, const char *dir, size_t len)
{
	cleanup_free char *xml = virStoragePoolGetXMLDesc(pool, 0);
	cleanup_xmldoc xmlDoc *doc = NULL;
	cleanup(volume_arena_free) struct arena *arena = NULL;
	const char *path;

	doc = xml != NULL ? xmlnode_read(xml, "pool", NULL) : NULL;
	if (doc == NULL)
		return false;
	arena = arena_new(VOLUME_ARENA_MAX);
	path = xmlnode_child_text(
	    arena, xmlnode_child(xmlDocGetRootElement(doc), "target"), "path");
	return path != NULL && volume_dir_len(path) == len &&
	    strncmp(path, dir, len) == 0;
}

virStoragePoolPtr
volume_pool_at(const struct hv_conn *conn, const char *dir, struct err *err)
{
	virStoragePoolPtr *pools = NULL, found = NULL;
	int count = virConnectListAllStoragePools(
	    conn->vir, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);

	if (count < 0) {
		(void)conn_fail(conn, err);
		return NULL;
	}
	for (int i = 0; i < count; i++) {
		if (found == NULL &&
		    volume_pool_has_dir(pools[i], dir, volume_dir_len(dir)))
			found = pools[i];
		else
			(void)virStoragePoolFree(pools[i]);
	}
	free(pools);
	if (found == NULL)
		(void)err_set(err, ERR_NOT_FOUND,
		    "no active pool over the directory %s", dir);
	return found;
}

static int
volume_refresh_at(const struct hv_conn *conn, const char *path, struct err *err)
{
	cleanup(volume_pool_free) virStoragePoolPtr pool = NULL;
	cleanup_free char *dir = NULL;
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return err_set(err, ERR_INVALID, "%s is no path", path);
	dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		abort();
	pool = volume_pool_at(conn, dir, err);
	return pool != NULL ? volume_refresh(conn, pool, err) : -1;
}

virStorageVolPtr
volume_at(
    const struct hv_conn *conn, const char *path, bool fresh, struct err *err)
{
	virStorageVolPtr vol = NULL;
	virErrorPtr error;

	if (!fresh) {
		vol = virStorageVolLookupByPath(conn->vir, path);
		error = virGetLastError();
		if (vol != NULL)
			return vol;
		if (error == NULL || error->code != VIR_ERR_NO_STORAGE_VOL) {
			(void)conn_fail(conn, err);
			return NULL;
		}
	}
	if (volume_refresh_at(conn, path, err) < 0)
		return NULL;
	vol = virStorageVolLookupByPath(conn->vir, path);
	if (vol == NULL)
		(void)conn_fail(conn, err);
	return vol;
}

virStorageVolPtr
volume_named(const struct hv_conn *conn, virStoragePoolPtr pool,
    const char *name, struct err *err)
{
	virStorageVolPtr vol = virStorageVolLookupByName(pool, name);

	if (vol == NULL)
		(void)conn_fail(conn, err);
	return vol;
}

static void
volume_add_element(struct buf *buf, const char *name, const char *text)
{
	xmlChar *safe = xmlEncodeSpecialChars(NULL, (const xmlChar *)text);

	if (safe == NULL)
		abort();
	(void)buf_addf(buf, "<%s>%s</%s>", name, (const char *)safe, name);
	xmlFree(safe);
}

static void
volume_add_format(struct buf *buf, const char *format)
{
	xmlChar *safe = xmlEncodeSpecialChars(NULL, (const xmlChar *)format);

	if (safe == NULL)
		abort();
	(void)buf_addf(buf, "<format type=\"%s\"/>", (const char *)safe);
	xmlFree(safe);
}

static char *
volume_xml(const struct hv_volume *how, const struct volume *like)
{
	struct buf buf = BUF_INIT(VOLUME_XML_MAX);
	bool qcow2 = strcmp(how->format, "qcow2") == 0;

	(void)buf_adds(&buf, "<volume>");
	volume_add_element(&buf, "name", how->name);
	(void)buf_addf(&buf, "<capacity unit=\"bytes\">%" PRId64 "</capacity>",
	    how->capacity);
	(void)buf_adds(&buf, "<allocation>0</allocation><target>");
	volume_add_format(&buf, how->format);
	if (qcow2)
		volume_add_element(&buf, "compat", "1.1");
	if (like != NULL && like->mode != NULL && like->owner != NULL &&
	    like->group != NULL) {
		(void)buf_adds(&buf, "<permissions>");
		volume_add_element(&buf, "mode", like->mode);
		volume_add_element(&buf, "owner", like->owner);
		volume_add_element(&buf, "group", like->group);
		(void)buf_adds(&buf, "</permissions>");
	}
	(void)buf_adds(&buf, "</target>");
	if (how->backing != NULL) {
		(void)buf_adds(&buf, "<backingStore>");
		volume_add_element(&buf, "path", how->backing);
		if (how->backing_format != NULL)
			volume_add_format(&buf, how->backing_format);
		(void)buf_adds(&buf, "</backingStore>");
	}
	(void)buf_adds(&buf, "</volume>");
	return buf_steal(&buf);
}

virStorageVolPtr
volume_make(const struct hv_conn *conn, virStoragePoolPtr pool,
    const struct hv_volume *how, const struct volume *like, struct err *err)
{
	cleanup_free char *xml = volume_xml(how, like);
	virStorageVolPtr vol;

	if (xml == NULL) {
		(void)err_set(err, ERR_LIMIT, "names too long for a volume");
		return NULL;
	}
	vol = virStorageVolCreateXML(pool, xml, 0);
	if (vol == NULL)
		(void)conn_fail(conn, err);
	return vol;
}

int
volume_remove(const struct hv_conn *conn, virStorageVolPtr vol, struct err *err)
{
	cleanup_free char *path = virStorageVolGetPath(vol);

	if (path == NULL)
		return conn_fail(conn, err);
	if (images_use_check(conn, path, err) < 0)
		return -1;
	if (virStorageVolDelete(vol, 0) < 0)
		return conn_fail(conn, err);
	return 0;
}
