#ifndef DROVER_DECIDE_GUARD_H
#define DROVER_DECIDE_GUARD_H

#include "base/arena.h"
#include "config/settings.h"
#include "decide/look.h"
#include "decide/place.h"
#include "decide/watch.h"

/*
 * What policies say about a target, beside what is technically possible
 * (place_filter.c): hosts that a policy empties take nobody; what a policy forbids
 * no policy does; the policy that moves the guest has its requirements, its least
 * gain and its wishes.  Pure; part of placing, which asks it about each host.
 */

#define GUARD_WISHES_MAX 16

struct guard {
	struct arena *arena;
	const struct settings *settings;
	const enum policy_mode *modes; /* see policy_mode_now() */
	const struct snapshot *s;
	const struct watch
	    *watch; /* NULL: forbids with conditions do not hold */
	const struct look_cluster *cluster;
	struct place_ledger *ledger; /* the one that is placed with */
	/* Per host: the policy that moves guests away from it, or NULL; and
	 * whether all of them. */
	const struct policy *const *leaving;
	const bool *emptied;
	const struct policy *policy; /* that moves the guest; NULL: operator */
	bool force;                  /* the operator's: nothing is forbidden */
	const char *storage;         /* of the guest, look.storage */
	/* By guard_begin(). */
	const struct policy **forbids;
	size_t forbid_count;
};

/* Once for each guest, before it is asked about hosts: which prohibitions hold for
 * it now. */
void guard_begin(struct guard *guard, const struct snap_vm *vm);

/* NULL, or why the guest must not go there; *out_rule is one of PLACE_EMPTYING to
 * PLACE_GAIN. */
const char *guard_refuse(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target, enum place_rule *out_rule);

/* target.prefer: a bit for each wish that is not true of the target, the first
 * wish the highest bit. */
unsigned guard_wishes(const struct guard *guard, const struct snap_vm *vm,
    const struct snap_host *target);
const char *guard_wish_words(const struct guard *guard, struct arena *arena,
    unsigned better, unsigned other);

/* target.spread_by: moves that are on their way to hosts with the target's value
 * of the label (those without one are a value of their own). */
int guard_spread(const struct guard *guard, const struct snap_host *target);
const char *guard_spread_words(const struct guard *guard, struct arena *arena,
    const struct snap_host *better, int better_count,
    const struct snap_host *other, int other_count);

#endif
