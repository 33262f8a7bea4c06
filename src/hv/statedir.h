#ifndef DROVER_HV_STATEDIR_H
#define DROVER_HV_STATEDIR_H

#include "base/arena.h"
#include "hv/conn.h"

/*
 * Small files of a host's own directories, through a pool that exists only
 * meanwhile.  The caller holds the connection.
 */

#define STATEDIR_FILE_MAX (16 << 20)
/* Such a pool is nothing of the host's: nobody lists it or tells of it. */
#define STATEDIR_PREFIX "drover-state-"

struct statedir {
	virStoragePoolPtr pool;
	bool ours; /* goes when it is closed */
};

/* ERR_NOT_FOUND when the host has no such directory, unless `make`: then it is
 * made, for nobody but root, with what leads to it. */
int statedir_open(const struct hv_conn *conn, const char *dir, bool make,
    struct statedir *out, struct err *err);
void statedir_close(struct statedir *dir); /* for cleanup() */

/* Whether a pool of this name (NULL: none) is one of these. */
bool statedir_is_name(const char *name);

struct statefile {
	const char *name;
	const char *mode, *owner, *group; /* NULL: not told */
	char *data;
	size_t len;
};

/* All files (in the arena), or the one of that name. */
int statedir_read(const struct hv_conn *conn, const struct statedir *dir,
    const char *only, struct arena *arena, struct statefile **files,
    size_t *count, struct err *err);
/* Replaces what differs, and reads back what was written. */
int statedir_write(const struct hv_conn *conn, const struct statedir *dir,
    const struct statefile *file, struct err *err);
/* Succeeds when there is none.  An empty directory goes too. */
int statedir_remove(const struct hv_conn *conn, const struct statedir *dir,
    const char *name, struct err *err);

/* Is it one directory that two hosts see?  Found out with a file that is there
 * for a moment. */
int statedir_is_shared(const struct hv_conn *a, const struct statedir *at_a,
    const struct hv_conn *b, const struct statedir *at_b, bool *out,
    struct err *err);

#endif
