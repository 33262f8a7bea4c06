#ifndef DROVER_ACT_MARKER_PLAN_H
#define DROVER_ACT_MARKER_PLAN_H

#include "base/arena.h"
#include "config/settings.h"
#include "model/snapshot.h"

/*
 * Which pools of which hosts need a marker, so that it is known of each pair
 * that could be one storage, and matters to a guest, whether it is.  Pure.
 */

struct marker_node {
	const char *host, *pool;
};

struct marker_pair {
	size_t a, b; /* indexes of nodes; a's host sorts first */
	bool alike;  /* two names of one machine: no marker can tell */
};

struct marker_plan {
	struct marker_node *nodes; /* by host, then pool */
	size_t node_count;
	struct marker_pair *pairs;
	size_t pair_count;
};

/*
 * A pair with a verdict is left out, unless `doubted` says that its time has
 * come again (NULL: none has).  Everything is in the arena or the snapshot.
 */
void marker_plan_make(struct arena *arena, const struct settings *settings,
    const struct snapshot *s,
    bool (*doubted)(const struct snap_proof *proof, void *arg), void *arg,
    struct marker_plan *out);

#endif
