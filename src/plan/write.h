#ifndef DROVER_PLAN_WRITE_H
#define DROVER_PLAN_WRITE_H

#include <jansson.h>

#include "config/settings.h"
#include "model/snapshot.h"
#include "plan/cluster.h"

/*
 * Snapshots and plans as JSON, the contract of `droverctl snapshot save` and of
 * `droverctl simulate -o json`.  Pure.  The caller owns the result.
 */

/*
 * What plan_read() takes, but for the key "schema", which whoever sends it adds.
 * A host that was never listed is left out: nothing about it is known.  A guest
 * that two hosts know is at the one where it is more alive.  Its storage is what
 * it is towards the other hosts; where they differ, the most local.  Load is
 * smoothed where that is known.  Of the rules of placement only the first hard
 * one that keeps all guests of a label apart is told (`apart`).
 */
json_t *plan_write_snapshot(
    const struct snapshot *s, const struct settings *settings);

/*
 * {schema, score_before, score_after, moves: [{vm, from, to, strategy, wave,
 * predicted_ms, predicted_downtime_ms, reason}], blocked: [{vm, reason}],
 * elapsed_ms}.  A prediction that is not known is absent.  A guest is named by
 * its name, or by its UUID where several carry the name.
 */
json_t *plan_write_result(const struct plan_cluster *cluster,
    const struct plan_result *result, double elapsed_ms);

#endif
