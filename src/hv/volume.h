#ifndef DROVER_HV_VOLUME_H
#define DROVER_HV_VOLUME_H

#include "base/arena.h"
#include "hv/conn.h"

/*
 * One volume, one pool: found, described, made, removed.  Private to the files
 * of hv/ that deal with images; they hold the connection.
 */

#define VOLUME_ARENA_MAX (16 << 20)

/* What libvirt says of a volume; strings in the arena. */
struct volume {
	const char *path, *name;
	const char *format;                   /* "raw", "qcow2", "dir" */
	const char *backing, *backing_format; /* NULL: none */
	int64_t capacity;   /* virtual size; FACTS_UNKNOWN when not told */
	int64_t allocation; /* on the host */
	int64_t physical;   /* length of the file */
	const char *mode, *owner, *group; /* NULL: not told */
};

int volume_describe(const struct hv_conn *conn, virStorageVolPtr vol,
    struct arena *arena, struct volume *out, struct err *err);

/* Refreshes; waits while the pool is busy with jobs that forbid it. */
int volume_refresh(
    const struct hv_conn *conn, virStoragePoolPtr pool, struct err *err);

/* An active pool, freshly read.  NULL: *err is set, with what to do. */
virStoragePoolPtr volume_pool(
    const struct hv_conn *conn, const char *name, struct err *err);

/* The active pool whose directory this is; NULL with ERR_NOT_FOUND. */
virStoragePoolPtr volume_pool_at(
    const struct hv_conn *conn, const char *dir, struct err *err);

/* The volume at a path.  With `fresh` the pool over its directory is read
 * first, else only when it is not found.  NULL: ERR_NOT_FOUND. */
virStorageVolPtr volume_at(
    const struct hv_conn *conn, const char *path, bool fresh, struct err *err);

/* NULL with ERR_NOT_FOUND; the pool is not read anew. */
virStorageVolPtr volume_named(const struct hv_conn *conn,
    virStoragePoolPtr pool, const char *name, struct err *err);

/* Makes it, thin; `like` (NULL allowed) gives mode and owner. */
virStorageVolPtr volume_make(const struct hv_conn *conn, virStoragePoolPtr pool,
    const struct hv_volume *how, const struct volume *like, struct err *err);

/* Removes it.  Refuses (ERR_CONFLICT) while a domain has it. */
int volume_remove(
    const struct hv_conn *conn, virStorageVolPtr vol, struct err *err);

/* Frees what virStoragePoolGetName() and the like do not own. */
static inline void
volume_free(virStorageVolPtr *vol)
{
	if (*vol != NULL)
		(void)virStorageVolFree(*vol);
}

static inline void
volume_pool_free(virStoragePoolPtr *pool)
{
	if (*pool != NULL)
		(void)virStoragePoolFree(*pool);
}

static inline void
volume_arena_free(struct arena **arena)
{
	arena_free(*arena);
}

#endif
