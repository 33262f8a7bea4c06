#ifndef DROVER_DECIDE_DRAIN_H
#define DROVER_DECIDE_DRAIN_H

#include "decide/evaluate.h"
#include "decide/guard.h"

/*
 * The parts that deciding now (evaluate.c) and planning ahead (plan.c) have in
 * common; nobody else includes this.
 */

/* One host to be emptied under one policy. */
struct drain {
	struct arena *arena;
	const struct evaluate_input *input;
	const struct snap_host *host;
	const struct policy *policy;          /* NULL: none would act */
	const struct evaluate_drain *options; /* NULL: none */
	struct pace_limits limits;
	struct strategy_wish wish;
	/* Guests that another policy has, by index in the snapshot; NULL: none.
	 * They are left out. */
	const bool *claimed;
	struct guard guard;
	const struct look_cluster *cluster; /* NULL: not looked at */
	/* Its conditions are about guests: only those for which they are on. */
	bool by_guest;
	bool wants_storage; /* an expression of it names vm.storage */
};

/* The first policy by which all guests leave the host, whatever `for` says; NULL:
 * none. */
const struct policy *drain_find_policy(
    const struct evaluate_input *input, const struct snap_host *host);

/* The same as if the host were in maintenance (plan.c). */
const struct policy *plan_find_policy(
    const struct evaluate_input *input, const struct snap_host *host);

/* Adds {policy, file, line, mode}; nothing for NULL (explain.c). */
void explain_policy(json_t *object, const struct policy *policy);

void drain_init(struct drain *drain, struct arena *arena,
    const struct evaluate_input *input, const struct snap_host *host,
    const struct policy *policy);

/* The host's guests in the policy's order: those that are active, and where that
 * is wanted those that are shut off and defined. */
const struct snap_vm **drain_list_guests(
    const struct drain *drain, size_t *out_count);

/* Of a guest that may go: select.vm, exceptions and rules that skip it. */
bool drain_selects(const struct drain *drain, const struct snap_vm *vm);

/* What becomes of the guest as far as limits and backoff are not concerned:
 * START means "there is a target". */
void drain_judge(const struct drain *drain, struct place_ledger *ledger,
    const struct snap_vm *vm, struct evaluate_item *out);

#endif
