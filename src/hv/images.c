/*
 * Volumes for guests that are to come, and their removal.
 *
 * A volume is made empty and thin: libvirt's own way of making one for a
 * migration reserves all of a qcow2 image, which then arrives at its full
 * virtual size.  Its capacity is compared afterwards, since a mirror between
 * images of different sizes fails only minutes later.
 *
 * All names are looked at before the first volume is made, so that a name that
 * is taken leaves nothing behind.
 */
#include "hv/images.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hv/statedir.h"
#include "hv/volume.h"

int
images_clear_name(const struct hv_conn *conn, virStoragePoolPtr pool,
    const struct hv_volume *how, struct err *err)
{
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	struct err found = {0};

	vol = volume_named(conn, pool, how->name, &found);
	if (vol == NULL && found.code == ERR_NOT_FOUND)
		return 0;
	if (vol == NULL)
		return err_set(err, found.code, "%s", found.msg);
	if (!how->replace)
		return err_set(err, ERR_CONFLICT,
		    "the volume %s/%s is there already and not known as an old "
		    "copy; remove or rename it (virsh vol-delete %s --pool %s)",
		    how->pool, how->name, how->name, how->pool);
	if (volume_remove(conn, vol, err) < 0)
		return err_prefix(err, "old copy %s/%s", how->pool, how->name);
	return 0;
}

static int
images_check_size(const struct hv_conn *conn, virStorageVolPtr vol,
    const struct hv_volume *how, struct err *err)
{
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(VOLUME_ARENA_MAX);
	struct volume volume;

	if (volume_describe(conn, vol, arena, &volume, err) < 0)
		return -1;
	if (volume.capacity != how->capacity)
		return err_set(err, ERR_REFUSED,
		    "the new volume has %" PRId64 " bytes instead of %" PRId64,
		    volume.capacity, how->capacity);
	return 0;
}

static int
images_make(const struct hv_conn *conn, const struct hv_volume *how,
    struct hv_prepared *out, struct err *err)
{
	cleanup(volume_pool_free) virStoragePoolPtr pool = NULL;
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	cleanup_free char *path = NULL;

	pool = virStoragePoolLookupByName(conn->vir, how->pool);
	if (pool == NULL)
		return conn_fail(conn, err);
	vol = volume_make(conn, pool, how, NULL, err);
	if (vol == NULL)
		return -1;
	out->created = true;
	path = virStorageVolGetPath(vol);
	if (path == NULL)
		return conn_fail(conn, err);
	if (strlen(path) >= sizeof(out->path))
		return err_set(err, ERR_LIMIT, "its path is too long");
	(void)snprintf(out->path, sizeof(out->path), "%s", path);
	return images_check_size(conn, vol, how, err);
}

static bool
images_is_first_of_pool(const struct hv_volume *volumes, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(volumes[i].pool, volumes[at].pool) == 0)
			return false;
	}
	return true;
}

/* Looks at all names; nothing is made yet. */
static int
images_clear_names(const struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		cleanup(volume_pool_free) virStoragePoolPtr pool = NULL;

		if (images_is_first_of_pool(volumes, i)) {
			pool = volume_pool(conn, volumes[i].pool, err);
			if (pool == NULL)
				return -1;
		} else {
			pool = virStoragePoolLookupByName(
			    conn->vir, volumes[i].pool);
			if (pool == NULL)
				return conn_fail(conn, err);
		}
		if (images_clear_name(conn, pool, &volumes[i], err) < 0)
			return -1;
	}
	return 0;
}

int
images_prepare(struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct hv_prepared *out, struct err *err)
{
	CONN_HOLD(conn);

	memset(out, 0, count * sizeof(*out));
	if (images_clear_names(conn, volumes, count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (images_make(conn, &volumes[i], &out[i], err) < 0)
			return err_prefix(err, "volume %s/%s", volumes[i].pool,
			    volumes[i].name);
	}
	return 0;
}

/*
 * Nothing was ever written to it, as far as its size on the disk can tell: a raw
 * one takes nothing, a qcow2 one its header, tables of 64 KiB and eight bytes
 * for each 512 MiB; what is written first takes 128 KiB more.
 */
static int
images_check_empty(
    const struct hv_conn *conn, virStorageVolPtr vol, struct err *err)
{
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(VOLUME_ARENA_MAX);
	struct volume volume;
	int64_t most = 0;

	if (volume_describe(conn, vol, arena, &volume, err) < 0)
		return -1;
	if (volume.format != NULL && strcmp(volume.format, "qcow2") == 0)
		most = (256 << 10) + (volume.capacity >> 29) * 8;
	if (volume.allocation >= 0 && volume.allocation <= most)
		return 0;
	return err_set(
	    err, ERR_CONFLICT, "it holds data and may be somebody else's");
}

static int
images_remove_one(
    const struct hv_conn *conn, const struct hv_volume *which, struct err *err)
{
	cleanup(volume_pool_free) virStoragePoolPtr pool = NULL;
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	struct err found = {0};

	pool = volume_pool(conn, which->pool, err);
	if (pool == NULL)
		return -1;
	vol = volume_named(conn, pool, which->name, &found);
	if (vol == NULL && found.code == ERR_NOT_FOUND)
		return 0;
	if (vol == NULL)
		return err_set(err, found.code, "%s", found.msg);
	if (which->only_empty && images_check_empty(conn, vol, err) < 0)
		return -1;
	return volume_remove(conn, vol, err);
}

int
images_remove(struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct err *err)
{
	CONN_HOLD(conn);
	int rc = 0;

	/* One that can't go keeps none of the others; the first is told. */
	for (size_t i = 0; i < count; i++) {
		struct err why = {0};

		if (images_remove_one(conn, &volumes[i], &why) == 0)
			continue;
		if (rc == 0)
			rc = err_set(err, why.code, "volume %s/%s: %s",
			    volumes[i].pool, volumes[i].name, why.msg);
	}
	return rc;
}

int
images_names(struct hv_conn *conn, const char *pool, const char *prefix,
    char ***out, size_t *out_count, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(volume_pool_free) virStoragePoolPtr home = NULL;
	virStorageVolPtr *vols = NULL;
	char **names;
	size_t n = 0;
	int count;

	home = volume_pool(conn, pool, err);
	if (home == NULL)
		return -1;
	count = virStoragePoolListAllVolumes(home, &vols, 0);
	if (count < 0)
		return conn_fail(conn, err);
	names = calloc((size_t)count + 1, sizeof(*names));
	if (names == NULL)
		abort();
	for (int i = 0; i < count; i++) {
		const char *name = virStorageVolGetName(vols[i]);

		if (name != NULL && strncmp(name, prefix, strlen(prefix)) == 0)
			names[n++] = str_dup(name);
		(void)virStorageVolFree(vols[i]);
	}
	free(vols);
	*out = names;
	*out_count = n;
	return 0;
}

int
images_locate(struct hv_conn *conn, const char *path, char **pool, char **name,
    struct err *err)
{
	CONN_HOLD(conn);
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	cleanup(volume_pool_free) virStoragePoolPtr home = NULL;

	vol = volume_at(conn, path, false, err);
	if (vol == NULL)
		return -1;
	home = virStoragePoolLookupByVolume(vol);
	if (home == NULL)
		return conn_fail(conn, err);
	*pool = str_dup(virStoragePoolGetName(home));
	*name = str_dup(virStorageVolGetName(vol));
	return 0;
}

/* In a pool or not: a directory that no pool covers gets one for the moment. */
int
images_has_file(
    struct hv_conn *conn, const char *path, bool *out, struct err *err)
{
	CONN_HOLD(conn);
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = NULL;
	cleanup(statedir_close) struct statedir at = {0};
	cleanup(volume_free) virStorageVolPtr vol = NULL;
	struct err why = {0};

	/* Not over all that there is, nor over the device files. */
	if (slash == NULL || slash == path || strncmp(path, "/dev/", 5) == 0)
		return err_set(
		    err, ERR_REFUSED, "%s cannot be looked for", path);
	dir = strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		abort();
	if (statedir_open(conn, dir, false, &at, &why) == 0)
		vol = volume_named(conn, at.pool, slash + 1, &why);
	if (vol == NULL && why.code != ERR_NOT_FOUND)
		return err_set(err, why.code, "%s", why.msg);
	*out = vol != NULL;
	return 0;
}
