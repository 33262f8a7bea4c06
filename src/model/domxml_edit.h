#ifndef DROVER_MODEL_DOMXML_EDIT_H
#define DROVER_MODEL_DOMXML_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * A domain's XML as it is to be on another host.  Pure; everything that is not
 * named stays as it was, to the byte where libxml2 allows it.
 */

struct domxml_edit {
	const char *target;  /* the disk: "vda" */
	const char *path;    /* new image; NULL: as it was */
	const char *format;  /* of the new image; NULL: as it was */
	const char *backing; /* new image below; NULL: the chain is dropped when
			      * there is a new path, for libvirt to find */
	/* Format of the image below; NULL: as it was, which must be known. */
	const char *backing_format;
	bool eject; /* the drive stays, its medium does not */
	bool thin;  /* discard and detect_zeroes become "unmap" */
};

/* malloc'ed.  NULL with ERR_INVALID when it is no domain or the edit makes no
 * sense for it (a disk that is no drive ejected, a path that XML cannot hold),
 * ERR_NOT_FOUND when a disk to be changed is not in it.
 *
 * A new path makes any source a `file`, whatever it was.  With `eject` all else
 * of the edit is without meaning. */
char *domxml_edit(const char *xml, const struct domxml_edit *edits,
    size_t count, struct err *err);

#endif
