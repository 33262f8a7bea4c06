#ifndef DROVER_TRIAL_RUN_PRIV_H
#define DROVER_TRIAL_RUN_PRIV_H

#include <jansson.h>

#include "decide/evaluate.h"
#include "trial/world.h"

/*
 * A site under its policies at one moment, between run.c and judge.c, which play
 * tests, and simulate.c, which has nothing to expect.
 */
struct run {
	const struct trial *trial;
	const struct trial_case *c;
	struct settings settings; /* with the modes of the test */
	struct arena *arena;      /* of the whole test */
	struct arena *turn;       /* of the evaluation */
	struct world world;
	const struct evaluation *evaluation;
};

/* Everything must outlive the run.  It stands at its beginning then, before
 * anything was evaluated. */
void run_begin(struct run *run, const struct trial *trial,
    const struct trial_case *c, const struct settings *settings);
void run_end(struct run *run);

/* Evaluates, and begins what is wanted, until nothing more begins now. */
void run_turn(struct run *run);

/* The same, but the evaluation is still the one that the last moves began with:
 * half the work, where nobody looks at it. */
void run_step(struct run *run);

/* When the next turn is due: a sample, an alert, the end of a move or of a wait. */
int64_t run_due(const struct run *run);

struct run_state {
	enum trial_state state;
	int64_t since_ms; /* of pending and active */
};

/* host and vm NULL: of all hosts together. */
struct run_state run_state_of(const struct run *run,
    const struct policy *policy, const struct snap_host *host,
    const struct snap_vm *vm);

/* One policy as simulate.h has it, but for its mode and the moves that it made
 * (simulate_tell.c). */
json_t *simulate_tell_policy(
    const struct run *run, const struct policy *policy);

/* Is it so?  The object of one test (run.h). */
json_t *judge_expect(const struct run *run, const struct trial_expect *expect);

#endif
