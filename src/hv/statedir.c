/*
 * Files of a host without an agent there.
 *
 * libvirt serves any directory as a storage pool.  A transient one over, say,
 * the directory of firmware variables lets their files be read and written as
 * volumes.  libvirt allows one pool per directory: one that the operator has
 * is used as it is, one that another thread of this process has at the moment
 * is waited for, and one that bears our name but not this process's belongs to
 * a daemon that died and goes.
 *
 * The pools are named after the directory as well, so that they never clash on
 * the name, and are never defined: a restart of the host ends them.  One of the
 * host's daemon does not (libvirt 9.0), hence the look for those of the dead.
 */
#include "hv/statedir.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <libvirt/virterror.h>
#include <libxml/tree.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "hv/volume.h"

#define STATEDIR_NAME_SIZE 64
#define STATEDIR_XML_MAX (16 << 10)
#define STATEDIR_WAIT_MS 30000
#define STATEDIR_POLL_MS 100

static pthread_once_t statedir_once = PTHREAD_ONCE_INIT;
static char statedir_process[17]; /* tells our pools from a dead daemon's */

static void
statedir_begin(void)
{
	uint64_t number;

	if (gnutls_rnd(GNUTLS_RND_NONCE, &number, sizeof(number)) != 0)
		abort();
	(void)snprintf(
	    statedir_process, sizeof(statedir_process), "%016" PRIx64, number);
}

static void
statedir_name(char out[STATEDIR_NAME_SIZE])
{
	static _Atomic unsigned count;

	(void)pthread_once(&statedir_once, statedir_begin);
	(void)snprintf(out, STATEDIR_NAME_SIZE, STATEDIR_PREFIX "%s-%u",
	    statedir_process, atomic_fetch_add(&count, 1));
}

bool
statedir_is_name(const char *name)
{
	return name != NULL &&
	    strncmp(name, STATEDIR_PREFIX, strlen(STATEDIR_PREFIX)) == 0;
}

static char *
statedir_xml(const char *name, const char *dir)
{
	struct buf buf = BUF_INIT(STATEDIR_XML_MAX);
	xmlChar *safe = xmlEncodeSpecialChars(NULL, (const xmlChar *)dir);

	if (safe == NULL)
		abort();
	(void)buf_addf(&buf,
	    "<pool type=\"dir\"><name>%s</name><target><path>%s</path>"
	    "<permissions><mode>0700</mode></permissions></target></pool>",
	    name, (const char *)safe);
	xmlFree(safe);
	return buf_steal(&buf);
}

/* A pool over the directory that is in the way: taken, waited for, or ended.
 * 1: *out is one to use; 0: try again; -1: none. */
static int
statedir_share(const struct hv_conn *conn, const char *dir,
    struct statedir *out, struct err *err)
{
	virStoragePoolPtr pool = volume_pool_at(conn, dir, err);
	const char *name;

	if (pool == NULL)
		return -1;
	name = virStoragePoolGetName(pool);
	if (!statedir_is_name(name)) {
		*out = (struct statedir){.pool = pool, .ours = false};
		return volume_refresh(conn, pool, err) < 0 ? -1 : 1;
	}
	if (strncmp(name + strlen(STATEDIR_PREFIX), statedir_process,
		strlen(statedir_process)) != 0)
		(void)virStoragePoolDestroy(pool);
	(void)virStoragePoolFree(pool);
	return 0;
}

/* There is no directory, which libvirt tells by its error number only. */
static bool
statedir_is_missing(void)
{
	virErrorPtr error = virGetLastError();

	return error != NULL && error->code == VIR_ERR_SYSTEM_ERROR &&
	    error->int1 == ENOENT;
}

int
statedir_open(const struct hv_conn *conn, const char *dir, bool make,
    struct statedir *out, struct err *err)
{
	struct mono end = mono_add(clock_mono_now(), STATEDIR_WAIT_MS);
	struct timespec pause = {.tv_nsec = STATEDIR_POLL_MS * 1000000};
	char name[STATEDIR_NAME_SIZE];
	cleanup_free char *xml = NULL;

	*out = (struct statedir){0};
	statedir_name(name);
	xml = statedir_xml(name, dir);
	if (xml == NULL)
		return err_set(err, ERR_LIMIT, "the path is too long");
	for (;;) {
		struct err why = {0}, ignored = {0};
		/* Building sets the mode of a directory that is there too. */
		virStoragePoolPtr pool =
		    virStoragePoolCreateXML(conn->vir, xml, 0);
		int shared;

		if (pool == NULL && statedir_is_missing() && make)
			pool = virStoragePoolCreateXML(
			    conn->vir, xml, VIR_STORAGE_POOL_CREATE_WITH_BUILD);
		else if (pool == NULL && statedir_is_missing())
			return err_set(
			    err, ERR_NOT_FOUND, "no directory %s", dir);
		if (pool != NULL) {
			*out = (struct statedir){.pool = pool, .ours = true};
			return 0;
		}
		(void)conn_fail(conn, &why);
		shared = statedir_share(conn, dir, out, &ignored);
		if (shared > 0)
			return 0;
		if (shared < 0 || !mono_before(clock_mono_now(), end))
			return err_set(err, why.code, "%s", why.msg);
		(void)nanosleep(&pause, NULL);
	}
}

void
statedir_close(struct statedir *dir)
{
	if (dir->pool == NULL)
		return;
	if (dir->ours)
		(void)virStoragePoolDestroy(dir->pool);
	(void)virStoragePoolFree(dir->pool);
	*dir = (struct statedir){0};
}

/* ---- files ---- */

static int
statedir_download(const struct hv_conn *conn, virStorageVolPtr vol,
    virStreamPtr stream, char *data, size_t len, struct err *err)
{
	size_t have = 0;

	if (virStorageVolDownload(vol, stream, 0, len, 0) < 0)
		return conn_fail(conn, err);
	while (have < len) {
		int got = virStreamRecv(stream, data + have, len - have);

		if (got < 0)
			return conn_fail(conn, err);
		if (got == 0)
			return err_set(err, ERR_IO, "ended half-way");
		have += (size_t)got;
	}
	return virStreamFinish(stream) < 0 ? conn_fail(conn, err) : 0;
}

static int
statedir_upload(const struct hv_conn *conn, virStorageVolPtr vol,
    virStreamPtr stream, const char *data, size_t len, struct err *err)
{
	if (virStorageVolUpload(vol, stream, 0, len, 0) < 0)
		return conn_fail(conn, err);
	while (len > 0) {
		int sent = virStreamSend(stream, data, len);

		if (sent < 0)
			return conn_fail(conn, err);
		data += sent;
		len -= (size_t)sent;
	}
	return virStreamFinish(stream) < 0 ? conn_fail(conn, err) : 0;
}

static int
statedir_stream(const struct hv_conn *conn, virStorageVolPtr vol, bool down,
    char *data, size_t len, struct err *err)
{
	virStreamPtr stream;
	int rc;

	if (len == 0)
		return 0;
	stream = virStreamNew(conn->vir, 0);
	if (stream == NULL)
		return conn_fail(conn, err);
	rc = down ? statedir_download(conn, vol, stream, data, len, err)
		  : statedir_upload(conn, vol, stream, data, len, err);
	if (rc < 0)
		(void)virStreamAbort(stream);
	(void)virStreamFree(stream);
	return rc;
}

static int
statedir_read_file(const struct hv_conn *conn, virStorageVolPtr vol,
    struct arena *arena, const struct volume *volume, struct statefile *out,
    struct err *err)
{
	if (volume->physical < 0 || volume->physical > STATEDIR_FILE_MAX)
		return err_set(err, ERR_LIMIT,
		    "%s has %" PRId64 " bytes; at most %d are carried",
		    volume->path, volume->physical, STATEDIR_FILE_MAX);
	*out = (struct statefile){
	    .name = volume->name,
	    .mode = volume->mode,
	    .owner = volume->owner,
	    .group = volume->group,
	    .len = (size_t)volume->physical,
	    .data = arena_alloc(arena, (size_t)volume->physical + 1),
	};
	if (statedir_stream(conn, vol, true, out->data, out->len, err) < 0)
		return err_prefix(err, "reading %s", volume->path);
	return 0;
}

int
statedir_read(const struct hv_conn *conn, const struct statedir *dir,
    const char *only, struct arena *arena, struct statefile **files,
    size_t *count, struct err *err)
{
	virStorageVolPtr *vols = NULL;
	int found = virStoragePoolListAllVolumes(dir->pool, &vols, 0), rc = 0;

	if (found < 0)
		return conn_fail(conn, err);
	*files = arena_array(arena, (size_t)found + 1, sizeof(**files));
	*count = 0;
	for (int i = 0; i < found; i++) {
		const char *name = virStorageVolGetName(vols[i]);
		struct volume volume;

		if (rc == 0 && (only == NULL || strcmp(name, only) == 0)) {
			rc =
			    volume_describe(conn, vols[i], arena, &volume, err);
			if (rc == 0 && volume.format != NULL &&
			    strcmp(volume.format, "dir") != 0)
				rc = statedir_read_file(conn, vols[i], arena,
				    &volume, &(*files)[(*count)++], err);
		}
		(void)virStorageVolFree(vols[i]);
	}
	free(vols);
	return rc;
}

static int
statedir_fill(const struct hv_conn *conn, virStorageVolPtr vol,
    const struct statefile *file, struct err *err)
{
	char *back = malloc(file->len + 1);
	int rc;

	if (back == NULL)
		abort();
	rc = statedir_stream(conn, vol, false, file->data, file->len, err);
	if (rc == 0)
		rc = statedir_stream(conn, vol, true, back, file->len, err);
	if (rc == 0 && memcmp(back, file->data, file->len) != 0)
		rc = err_set(err, ERR_IO, "read back, it differs");
	gnutls_memset(back, 0, file->len);
	free(back);
	return rc;
}

/* Has the directory a file with the same content already? */
static bool
statedir_has_same(const struct hv_conn *conn, const struct statedir *dir,
    const struct statefile *file)
{
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(VOLUME_ARENA_MAX + STATEDIR_FILE_MAX);
	struct statefile *there;
	size_t count;

	return statedir_read(
		   conn, dir, file->name, arena, &there, &count, NULL) == 0 &&
	    count == 1 && there->len == file->len &&
	    memcmp(there->data, file->data, file->len) == 0;
}

int
statedir_write(const struct hv_conn *conn, const struct statedir *dir,
    const struct statefile *file, struct err *err)
{
	struct hv_volume how = {
	    .pool = virStoragePoolGetName(dir->pool),
	    .name = file->name,
	    .format = "raw",
	    .capacity = (int64_t)file->len,
	};
	struct volume like = {
	    .mode = file->mode, .owner = file->owner, .group = file->group};
	cleanup(volume_free) virStorageVolPtr vol = NULL;

	if (statedir_has_same(conn, dir, file))
		return 0;
	if (statedir_remove(conn, dir, file->name, err) < 0)
		return -1;
	vol = volume_make(conn, dir->pool, &how, &like, err);
	if (vol == NULL || statedir_fill(conn, vol, file, err) < 0)
		return err_prefix(err, "writing %s", file->name);
	return 0;
}

int
statedir_remove(const struct hv_conn *conn, const struct statedir *dir,
    const char *name, struct err *err)
{
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	struct err why = {0};

	vol = volume_named(conn, dir->pool, name, &why);
	if (vol == NULL && why.code == ERR_NOT_FOUND)
		return 0;
	if (vol == NULL)
		return err_set(err, why.code, "%s", why.msg);
	if (virStorageVolDelete(vol, 0) < 0) {
		(void)conn_fail(conn, err);
		return err_prefix(err, "removing %s", name);
	}
	return 0;
}

int
statedir_is_shared(const struct hv_conn *a, const struct statedir *at_a,
    const struct hv_conn *b, const struct statedir *at_b, bool *out,
    struct err *err)
{
	char name[STATEDIR_NAME_SIZE];
	struct hv_volume how = {
	    .pool = virStoragePoolGetName(at_a->pool),
	    .name = name,
	    .format = "raw",
	};
	cleanup(volume_free) virStorageVolPtr probe = NULL, seen = NULL;
	struct err why = {0};
	int rc;

	statedir_name(name);
	probe = volume_make(a, at_a->pool, &how, NULL, err);
	if (probe == NULL)
		return -1;
	rc = volume_refresh(b, at_b->pool, err);
	if (rc == 0) {
		seen = volume_named(b, at_b->pool, name, &why);
		if (seen == NULL && why.code != ERR_NOT_FOUND)
			rc = err_set(err, why.code, "%s", why.msg);
	}
	*out = seen != NULL;
	if (virStorageVolDelete(probe, 0) < 0 && rc == 0)
		rc = conn_fail(a, err);
	return rc;
}
