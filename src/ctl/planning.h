#ifndef DROVER_CTL_PLANNING_H
#define DROVER_CTL_PLANNING_H

#include "base/arena.h"
#include "ctl/ctl.h"
#include "plan/cluster.h"

/* Plans that the client makes itself: what `simulate` and `plan balance` share. */

/* A cluster and the plan for it. */
#define PLANNING_ARENA_MAX ((size_t)4 << 30)

/* The text of a snapshot, which is called `name` in faults.  NULL with the faults
 * said and *out_status set.  A text that overflowed its buffer is too large. */
struct plan_cluster *planning_read(struct arena *arena, const char *name,
    const struct buf *text, int *out_status);

/* Plans to empty the host `drained`, or (PLAN_NONE) to even out the load, as the
 * options say, and shows that as -o says.  Returns the exit status. */
int planning_show(struct ctl *ctl, struct arena *arena,
    const struct plan_cluster *cluster, uint32_t drained);

/* Shows the objective alone. */
int planning_show_score(struct ctl *ctl, const struct plan_cluster *cluster);

#endif
