#ifndef DROVER_HV_DISKS_H
#define DROVER_HV_DISKS_H

#include "base/arena.h"
#include "hv/conn.h"

/*
 * A domain's disks as its XML has them at this moment, with what a block job
 * does to them; model/domxml.h is for decisions, this is for doing.
 */

enum disk_mirror {
	DISK_MIRROR_NONE,
	DISK_MIRROR_BUSY,   /* a commit of the top image runs */
	DISK_MIRROR_READY,  /* and may be ended */
	DISK_MIRROR_ENDING, /* and is being ended */
	DISK_MIRROR_OTHER,  /* another job, not ours */
};

struct disk {
	const char *target; /* "vda" */
	const char *device; /* "disk", "cdrom" */
	const char *path;   /* of a file or block device; NULL: neither, or no
			     * medium */
	const char *format; /* NULL: not told */
	const char *backing, *backing_format; /* NULL: none, or not told */
	bool block;                           /* path is a block device */
	enum disk_mirror mirror;
};

struct disks {
	struct arena *arena;
	struct disk *list;
	size_t count;
};

/* The caller holds the connection, which is asked for the paths of disks that
 * are named by pool and volume. */
int disks_read(const struct hv_conn *conn, const char *xml, struct disks *out,
    struct err *err);
void disks_clear(struct disks *disks);

/* The domain's own word, VIR_DOMAIN_XML_INACTIVE or 0. */
int disks_of(const struct hv_conn *conn, virDomainPtr domain, unsigned flags,
    struct disks *out, struct err *err);

/* NULL when there is none. */
const struct disk *disks_find(const struct disks *disks, const char *target);

#endif
