#ifndef DROVER_DECIDE_PLACEMENT_H
#define DROVER_DECIDE_PLACEMENT_H

#include "config/settings.h"
#include "decide/place.h"
#include "model/snapshot.h"

/*
 * The rules of `placement` (drover-policy(7), PLACEMENT): which guests each is
 * about, and what they say of the hosts that a guest could go to.  Pure.
 * Unknown is not true: a rule is not about a guest of which that is not known,
 * and a host of which it is not known is not one of `hosts`.
 *
 * A guest on its way, by a move in flight or by one that the ledger has booked,
 * is at its old host and at its new one for a rule that keeps guests apart, and
 * at its new one for all others.
 */

/* `vms` is true of it, and it has the label that the rule compares. */
bool placement_is_about(const struct placement *rule, struct arena *arena,
    const struct snapshot *s, const struct snap_vm *vm);

/* PLACEMENT_HOSTS: `hosts` is true of it.  `ledger`: NULL allowed. */
bool placement_allows(const struct placement *rule, struct arena *arena,
    const struct snapshot *s, const struct snap_vm *vm,
    const struct snap_host *target, const struct place_ledger *ledger);
/* ... and for one guest as for any other. */
bool placement_is_one_for_all(const struct placement *rule);

/* NULL: it has none of that name. */
const char *placement_guest_label(const struct snap_vm *vm, const char *key);
const char *placement_host_label(const struct snap_host *host, const char *key);

/* All rules about one guest, and all hosts. */
struct placement_view;

/*
 * `leaving`: the guest's host is being emptied, so what must be together leaves
 * together: the first goes anywhere where all have room, and the others follow.
 * NULL: no rule is about the guest.  What it returns is the ledger's: good until
 * it is asked again or a move is booked.
 */
const struct placement_view *placement_see(const struct settings *settings,
    struct place_ledger *ledger, const struct snap_vm *vm, bool leaving);

/* Where the words of the functions below are written from now on; NULL: to the
 * ledger's arena. */
void placement_write_to(struct place_ledger *ledger, struct arena *words);

/* NULL, or why a hard rule keeps the guest from going there; *out_wait: what is
 * in the way is leaving.  `free`: memory there for guests; SNAPSHOT_UNKNOWN. */
const char *placement_refuse(const struct placement_view *view,
    const struct snap_host *host, int64_t free, bool *out_wait);

/* How many soft rules it would break; *out_why is the first of them in words. */
int placement_count_broken(const struct placement_view *view,
    const struct snap_host *host, const char **out_why);

/* For each PLACEMENT_SPREAD about the guest, in their order: how many of the
 * other guests are on hosts with this host's value of the label. */
struct placement_crowd {
	const struct placement *rule;
	const char *value; /* NULL: the host has no such label */
	int guests;
};
#define PLACEMENT_CROWDS_MAX 8 /* more rules are not looked at */
size_t placement_list_crowds(const struct placement_view *view,
    const struct snap_host *host,
    struct placement_crowd out[PLACEMENT_CROWDS_MAX]);

#endif
