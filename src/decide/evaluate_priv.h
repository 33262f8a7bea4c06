#ifndef DROVER_DECIDE_EVALUATE_PRIV_H
#define DROVER_DECIDE_EVALUATE_PRIV_H

#include "decide/drain.h"
#include "decide/evaluate.h"

/*
 * Between the files of an evaluation: evaluate.c (which decisions, and their
 * guests), evaluate_gate.c (what holds them back), evaluate_balance.c.
 */

struct evaluate_state {
	struct arena *arena;
	const struct evaluate_input *input;
	const struct watch *watch;
	struct look_cluster cluster;
	struct place_ledger *planned;  /* for placing */
	struct place_ledger *started;  /* for limits */
	bool *claimed;                 /* guests, by a policy that acts */
	const struct policy **leaving; /* hosts, see struct guard */
	bool *emptied;
	size_t decision_cap;
	struct mono wake;
};

void evaluate_wake_at(struct evaluate_state *state, struct mono at);
void evaluate_tell(
    struct evaluate_state *state, struct evaluate_decision *decision);
void evaluate_count(
    struct evaluate_decision *decision, const struct evaluate_item *item);

/* It has a target: does it start, or what holds it? */
void evaluate_start(struct evaluate_state *state, const struct drain *drain,
    const struct evaluate_decision *decision, struct evaluate_item *item);
/* Its guests are its own from here on. */
void evaluate_claim(
    struct evaluate_state *state, const struct evaluate_decision *decision);

/* NULL, or why nothing of the decision may begin now. */
const char *gate_decision(
    struct evaluate_state *state, const struct evaluate_decision *decision);
/* ... this guest may not. */
const char *gate_guest(struct evaluate_state *state,
    const struct evaluate_decision *decision, const struct snap_vm *vm);
/* NULL, or why no more guests have to leave than those that were looked at so
 * far: select.max, select.until. */
const char *gate_enough(
    struct evaluate_state *state, const struct evaluate_decision *decision);

/* A decision more, with its mode and whether it acts. */
struct evaluate_decision *evaluate_append(struct evaluate_state *state,
    struct evaluation *evaluation, const struct policy *policy,
    const struct snap_host *host, struct wall since);

/* Decisions about guests that go home; after all that act. */
void evaluate_homes(
    struct evaluate_state *state, struct evaluation *evaluation);

/* The items of a decision about all hosts together. */
void evaluate_balance(
    struct evaluate_state *state, struct evaluate_decision *decision);

#endif
