#ifndef DROVER_DECIDE_LOOK_H
#define DROVER_DECIDE_LOOK_H

#include "decide/expr.h"
#include "decide/place.h"
#include "model/snapshot.h"

/*
 * What expressions see of a snapshot: the lookup for expr_test().  What is not
 * measured, or too old, is unknown.
 */

/* Figures of all hosts together; the same for one whole evaluation. */
struct look_cluster {
	double cpu_stddev; /* of the fraction that is busy; NAN */
	double imbalance;  /* plan_score() of it; NAN */
	int hosts_up;
};
void look_at_cluster(const struct snapshot *s, struct look_cluster *out);

struct look {
	const struct snapshot *s;
	const struct look_cluster *cluster; /* NULL: unknown */
	const struct snap_host *host;
	const struct snap_vm *vm;
	const struct snap_host *target;
	const struct snap_alert *event;
	/* How the guest's disks relate to the target, or to all hosts together:
	 * "shared", ...; NULL: unknown. */
	const char *storage;
	/* What moves that were handed out bring and take; NULL: none.  With it
	 * the figures of `host` are those it will have when they are over, and
	 * those of `target` count them in. */
	const struct place_ledger *ledger;
	struct wall now;
	/* Lists that a lookup answered with live here. */
	struct arena *arena;
};

/* vm.storage: the class towards the other hosts; where they differ, the most
 * local.  NULL: not known yet. */
const char *look_at_storage(const struct snapshot *s,
    const struct settings *settings, const struct snap_vm *vm);

/* An expr_lookup; `arg` is a struct look. */
struct expr_value look_up(
    enum expr_scope scope, unsigned index, const char *label, void *arg);

#endif
