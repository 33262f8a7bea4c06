#ifndef DROVER_PLAN_FROM_SNAPSHOT_H
#define DROVER_PLAN_FROM_SNAPSHOT_H

#include "base/arena.h"
#include "config/settings.h"
#include "model/snapshot.h"
#include "plan/cluster.h"

/*
 * The daemon's picture as the planner's.  Pure; names and UUIDs stay those of the
 * snapshot, which must outlive the cluster.
 *
 * It is what plan_read() makes of plan_write_snapshot(), but for what a file does
 * not hold: moves in flight (their guests stay where they are, and what they
 * take at the target is gone from it), and the rules of `placement`:
 *
 *   apart, hard    `apart`.  A guest has one class there, so classes that share
 *                  a guest become one: no rule is broken, some targets may be
 *                  passed over;
 *   hosts, hard    `allowed`;
 *   spread         `group` of hosts, by the label of the first such rule.
 *
 * Soft rules and `together` are not the planner's: who carries a plan out looks
 * at each move once more (place_check()).  Hosts that were never listed are left
 * out; hosts and guests keep their order.
 */
struct plan_cluster *plan_from_snapshot(struct arena *arena,
    const struct snapshot *s, const struct settings *settings);

#endif
