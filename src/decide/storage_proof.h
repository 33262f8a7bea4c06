#ifndef DROVER_DECIDE_STORAGE_PROOF_H
#define DROVER_DECIDE_STORAGE_PROOF_H

#include "decide/storage.h"

/*
 * What storage.c asks of storage_proof.c; nobody else includes this.
 */

struct storage_look {
	struct arena *arena;
	const struct settings *settings;
	const struct snapshot *s;
	const struct snap_host *source, *target;
};

struct storage_proof {
	bool shared;
	bool own;       /* see struct storage_disk */
	bool elsewhere; /* see struct storage_disk */
	bool wanted;    /* not shared so far; a marker would tell */
	bool asked;     /* not there so far; the target will say */
	const char *why;
};

/* Not of an empty drive. */
void storage_prove(const struct storage_look *look,
    const struct snap_disk *disk, struct storage_proof *out);

/* NULL: none of that name. */
const struct snap_pool *storage_find_pool(
    const struct snap_host *host, const char *name);
/* Does it hold images as files? */
bool storage_has_files(const struct snap_pool *pool);

#endif
