#ifndef DROVER_PLAN_APPLY_H
#define DROVER_PLAN_APPLY_H

#include "base/arena.h"
#include "plan/cluster.h"

/*
 * The cluster once every move of the result has been made, in the arena; names
 * stay those of `cluster`, which is not changed.  A guest takes its load along;
 * one whose load is not known leaves that of both hosts as it is told.
 */
struct plan_cluster *plan_apply(struct arena *arena,
    const struct plan_cluster *cluster, const struct plan_result *result);

#endif
