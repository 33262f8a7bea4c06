#ifndef DROVER_DECIDE_PLACEMENT_H
#define DROVER_DECIDE_PLACEMENT_H

#include "config/settings.h"
#include "decide/expr.h"
#include "model/snapshot.h"

/*
 * The rules of `placement` (drover-policy(7), PLACEMENT): which guests each is
 * about.  Pure.  Unknown is not true: a rule is not about a guest of which that
 * is not known, and a host of which it is not known is not one of `hosts`.
 */

/* `vms` is true of it, and it has the label that the rule compares. */
bool placement_is_about(const struct placement *rule, const struct snapshot *s,
    const struct snap_vm *vm);

/* PLACEMENT_HOSTS: `hosts` is true of it. */
bool placement_allows(const struct placement *rule, const struct snapshot *s,
    const struct snap_vm *vm, const struct snap_host *target);
/* ... and for one guest as for any other. */
bool placement_is_one_for_all(const struct placement *rule);

/* NULL: it has none of that name. */
const char *placement_guest_label(const struct snap_vm *vm, const char *key);
const char *placement_host_label(const struct snap_host *host, const char *key);

#endif
