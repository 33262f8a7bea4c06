/*
 * Layers over a guest's images: put on while it runs, written down again.
 *
 * Both are repeated after a crash of anything, so each begins by looking where
 * the guest is: a disk is on its layer, on its base, or somewhere else, which
 * is nobody's business here.
 *
 * Writing down a layer takes a running QEMU.  A guest that is off is started
 * for it with its CPUs stopped, in such a way that it ends with our connection.
 * It carries a mark in its live metadata: a guest that is paused with the mark
 * has outlived its connection (the daemon was killed) and is ended too.  QEMU's
 * death in the middle costs nothing: until the pivot the layer is complete and
 * above the base.
 *
 * A layer's file goes when the guest is on the base.  That is safe because a
 * guest is only frozen when its persistent definition has the same images as
 * itself, so that both went onto the layer together: one that is on the base
 * was never on the layer, or has been written down.
 */
#include "hv/layers.h"

#include <libvirt/virterror.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "hv/disks.h"
#include "hv/volume.h"

#define LAYERS_XML_MAX (256 << 10)
#define LAYERS_POLL_MS 50
#define LAYERS_MARK_URI "https://drover.invalid/merging"
#define LAYERS_MARK_KEY "drover-merge"
#define LAYERS_MARK "<merging/>"

enum layer_place { LAYER_ON_BASE, LAYER_ON_LAYER, LAYER_ELSEWHERE };

static enum layer_place
layers_place(const struct disks *disks, const struct hv_layer *layer)
{
	const struct disk *disk = disks_find(disks, layer->target);

	if (disk == NULL || disk->path == NULL)
		return LAYER_ELSEWHERE;
	if (strcmp(disk->path, layer->path) == 0)
		return LAYER_ON_LAYER;
	if (strcmp(disk->path, layer->base) == 0)
		return LAYER_ON_BASE;
	return LAYER_ELSEWHERE;
}

static int
layers_refuse(
    const struct disks *disks, const struct hv_layer *layer, struct err *err)
{
	const struct disk *disk = disks_find(disks, layer->target);

	return err_set(err, ERR_CONFLICT,
	    "%s: the guest has %s there, neither %s nor a layer of ours above "
	    "it",
	    layer->target,
	    disk != NULL && disk->path != NULL ? disk->path : "no image",
	    layer->base);
}

/* Removes a layer's file if it is there and nobody's. */
static int
layers_remove_file(
    const struct hv_conn *conn, const struct hv_layer *layer, struct err *err)
{
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	struct err why = {0};

	vol = volume_at(conn, layer->path, true, &why);
	if (vol == NULL && why.code == ERR_NOT_FOUND)
		return 0;
	if (vol == NULL)
		return err_set(err, why.code, "%s", why.msg);
	if (volume_remove(conn, vol, err) < 0)
		return err_prefix(err, "layer %s", layer->path);
	return 0;
}

/* ---- freeze ---- */

static void
layers_add_attr(struct buf *buf, const char *name, const char *text)
{
	xmlChar *safe = xmlEncodeSpecialChars(NULL, (const xmlChar *)text);

	if (safe == NULL)
		abort();
	(void)buf_addf(buf, " %s=\"%s\"", name, (const char *)safe);
	xmlFree(safe);
}

static const struct hv_layer *
layers_of(const struct hv_layer *layers, size_t count, const char *target)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(layers[i].target, target) == 0)
			return &layers[i];
	}
	return NULL;
}

static char *
layers_snapshot_xml(
    const struct disks *disks, const struct hv_layer *layers, size_t count)
{
	struct buf buf = BUF_INIT(LAYERS_XML_MAX);

	(void)buf_adds(&buf, "<domainsnapshot><disks>");
	for (size_t i = 0; i < disks->count; i++) {
		const char *target = disks->list[i].target;
		const struct hv_layer *layer = layers_of(layers, count, target);

		(void)buf_adds(&buf, "<disk");
		layers_add_attr(&buf, "name", target);
		if (layer == NULL) {
			(void)buf_adds(&buf, " snapshot=\"no\"/>");
			continue;
		}
		(void)buf_adds(&buf,
		    " snapshot=\"external\" type=\"file\">"
		    "<driver type=\"qcow2\"/><source");
		layers_add_attr(&buf, "file", layer->path);
		(void)buf_adds(&buf, "/></disk>");
	}
	(void)buf_adds(&buf, "</disks></domainsnapshot>");
	return buf_steal(&buf);
}

static int
layers_snapshot(const struct hv_conn *conn, virDomainPtr domain,
    const struct disks *disks, const struct hv_layer *layers, size_t count,
    struct err *err)
{
	cleanup_free char *xml = layers_snapshot_xml(disks, layers, count);
	virDomainSnapshotPtr snapshot;

	if (xml == NULL)
		return err_set(err, ERR_LIMIT, "too many disks");
	snapshot = virDomainSnapshotCreateXML(domain, xml,
	    VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY |
		VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA |
		VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC);
	if (snapshot == NULL)
		return conn_fail(conn, err);
	(void)virDomainSnapshotFree(snapshot);
	return 0;
}

/* All of the guest's layers or none; *on: it is. */
static int
layers_look(const struct disks *disks, const struct hv_layer *layers,
    size_t count, bool *on, struct err *err)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		enum layer_place place = layers_place(disks, &layers[i]);

		if (place == LAYER_ELSEWHERE)
			return layers_refuse(disks, &layers[i], err);
		found += place == LAYER_ON_LAYER;
	}
	if (found > 0 && found < count)
		return err_set(err, ERR_CONFLICT,
		    "%zu of %zu disks are on their layers already", found,
		    count);
	*on = found == count;
	return 0;
}

int
layers_freeze(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup(disks_clear) struct disks disks = {0}, later = {0};
	bool on, later_on;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainIsActive(domain) == 0)
		return err_set(err, ERR_CONFLICT, "the domain is not running");
	if (disks_of(conn, domain, 0, &disks, err) < 0 ||
	    layers_look(&disks, layers, count, &on, err) < 0)
		return -1;
	if (disks_of(conn, domain, VIR_DOMAIN_XML_INACTIVE, &later, err) < 0 ||
	    layers_look(&later, layers, count, &later_on, err) < 0)
		return err_prefix(err, "persistent definition");
	if (on != later_on)
		return err_set(err, ERR_CONFLICT,
		    "the persistent definition has other images than the "
		    "running guest");
	if (on)
		return 0;
	/* What a try that failed has left is empty: nobody wrote to it. */
	for (size_t i = 0; i < count; i++) {
		if (layers_remove_file(conn, &layers[i], err) < 0)
			return -1;
	}
	return layers_snapshot(conn, domain, &disks, layers, count, err);
}

/* ---- merge ---- */

static void
layers_pause(void)
{
	struct timespec pause = {.tv_nsec = LAYERS_POLL_MS * 1000000};

	(void)nanosleep(&pause, NULL);
}

static int
layers_pivot(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layer, struct err *err)
{
	virErrorPtr error;

	if (virDomainBlockJobAbort(
		domain, layer->target, VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT) == 0)
		return 0;
	/* It was not ready after all. */
	error = virGetLastError();
	if (error != NULL && error->code == VIR_ERR_BLOCK_COPY_ACTIVE)
		return 0;
	return conn_fail(conn, err);
}

/* One look at a disk that is on its layer; a job that stopped without an end
 * counts as failed when we began it. */
static int
layers_commit_step(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layer, const struct disk *disk, bool *begun,
    struct err *err)
{
	switch (disk->mirror) {
	case DISK_MIRROR_NONE:
		if (*begun)
			return err_set(err, ERR_REFUSED,
			    "writing the layer down ended with an error (is "
			    "the file system of %s full?)",
			    layer->base);
		*begun = true;
		if (virDomainBlockCommit(domain, layer->target, layer->base,
			NULL, 0, VIR_DOMAIN_BLOCK_COMMIT_ACTIVE) < 0)
			return conn_fail(conn, err);
		return 0;
	case DISK_MIRROR_BUSY:
	case DISK_MIRROR_ENDING:
		*begun = true;
		layers_pause();
		return 0;
	case DISK_MIRROR_READY:
		*begun = true;
		return layers_pivot(conn, domain, layer, err);
	case DISK_MIRROR_OTHER:
		break;
	}
	return err_set(err, ERR_CONFLICT, "another block job is at the disk");
}

static int
layers_commit(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layer, struct err *err)
{
	bool begun = false;

	for (;;) {
		cleanup(disks_clear) struct disks disks = {0};

		if (disks_of(conn, domain, 0, &disks, err) < 0)
			return -1;
		switch (layers_place(&disks, layer)) {
		case LAYER_ON_BASE:
			return 0;
		case LAYER_ELSEWHERE:
			return layers_refuse(&disks, layer, err);
		case LAYER_ON_LAYER:
			break;
		}
		if (layers_commit_step(conn, domain, layer,
			disks_find(&disks, layer->target), &begun, err) < 0)
			return err_prefix(err, "%s", layer->target);
	}
}

static int
layers_commit_all(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (layers_commit(conn, domain, &layers[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Started by us, and has its CPUs stopped since. */
static bool
layers_is_ours(virDomainPtr domain)
{
	char *mark = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
	    LAYERS_MARK_URI, VIR_DOMAIN_AFFECT_LIVE);
	int state;
	bool is = mark != NULL &&
	    virDomainGetState(domain, &state, NULL, 0) == 0 &&
	    state == VIR_DOMAIN_PAUSED;

	free(mark);
	return is;
}

/* Does the persistent definition name a layer? */
static int
layers_is_on_any(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layers, size_t count, bool *any, struct err *err)
{
	cleanup(disks_clear) struct disks disks = {0};

	*any = false;
	if (disks_of(conn, domain, VIR_DOMAIN_XML_INACTIVE, &disks, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		switch (layers_place(&disks, &layers[i])) {
		case LAYER_ON_BASE:
			break;
		case LAYER_ELSEWHERE:
			return layers_refuse(&disks, &layers[i], err);
		case LAYER_ON_LAYER:
			*any = true;
			break;
		}
	}
	return 0;
}

static int
layers_merge_active(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	bool ours = layers_is_ours(domain);
	int rc = layers_commit_all(conn, domain, layers, count, err);

	/* Also after an error: it is not to stay up.  Unless somebody has
	 * resumed it meanwhile: then it is his. */
	if (ours && layers_is_ours(domain) && virDomainDestroy(domain) < 0 &&
	    virDomainIsActive(domain) != 0 && rc == 0)
		return conn_fail(conn, err);
	return rc;
}

static int
layers_merge_off(const struct hv_conn *conn, virDomainPtr domain,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	bool any;

	if (layers_is_on_any(conn, domain, layers, count, &any, err) < 0)
		return -1;
	if (!any)
		return 0;
	if (virDomainHasManagedSaveImage(domain, 0) == 1)
		return err_set(err, ERR_CONFLICT,
		    "the guest has a managed save; start it or remove that "
		    "(virsh managedsave-remove)");
	if (virDomainCreateWithFlags(domain,
		VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY) < 0) {
		(void)conn_fail(conn, err);
		return err_prefix(err, "starting it to merge");
	}
	if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
		LAYERS_MARK, LAYERS_MARK_KEY, LAYERS_MARK_URI,
		VIR_DOMAIN_AFFECT_LIVE) < 0) {
		(void)conn_fail(conn, err);
		(void)virDomainDestroy(domain);
		return err_prefix(err, "starting it to merge");
	}
	return layers_merge_active(conn, domain, layers, count, err);
}

int
layers_merge(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	int active, rc;

	if (count == 0)
		return 0;
	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	active = virDomainIsActive(domain);
	if (active < 0)
		return conn_fail(conn, err);
	rc = active == 1 ? layers_merge_active(conn, domain, layers, count, err)
			 : layers_merge_off(conn, domain, layers, count, err);
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (layers_remove_file(conn, &layers[i], err) < 0)
			return -1;
	}
	return 0;
}
