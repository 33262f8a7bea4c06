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
	bool homing;        /* a guest goes back to where it came from */
	const char *room; /* a guest is making room, in words; NULL: none is */
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

/* drain_hint.c: what the plan of the drain wants of the guest; NULL: nothing. */
const struct evaluate_hint *drain_find_hint(
    const struct drain *drain, const struct snap_vm *vm);
/* Those of the plan first, in its order. */
void drain_order_by_hints(
    const struct drain *drain, const struct snap_vm **guests, size_t count);
/* A guest that is to make room: `true` when it (still) has to, and then *out has
 * what becomes of it, START, WAIT or MOVING.  Sets drain->room. */
bool drain_judge_room(struct drain *drain, struct place_ledger *ledger,
    const struct evaluate_hint *hint, struct evaluate_item *out);

/* The policy leaves it alone: in words; NULL: no. */
const char *drain_words_excepted(
    const struct drain *drain, const struct snap_vm *vm);
/* By the first of the policy's strategy rules that is about the guest. */
struct strategy_wish drain_wish_for(
    const struct drain *drain, const struct snap_vm *vm);
/* The policy's word on targets for this guest. */
struct guard drain_guard_for(const struct drain *drain,
    struct place_ledger *ledger, const struct snap_vm *vm);

/* Of a guest that may go: select.vm, exceptions and rules that skip it. */
bool drain_selects(const struct drain *drain, const struct snap_vm *vm);

/* What becomes of the guest as far as limits and backoff are not concerned:
 * START means "there is a target". */
void drain_judge(const struct drain *drain, struct place_ledger *ledger,
    const struct snap_vm *vm, struct evaluate_item *out);

#endif
