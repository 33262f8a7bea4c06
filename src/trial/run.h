#ifndef DROVER_TRIAL_RUN_H
#define DROVER_TRIAL_RUN_H

#include <jansson.h>

#include "decide/evaluate.h"
#include "trial/world.h"

/*
 * Carries out a test: lets time pass, has the policies evaluated whenever
 * something has changed, makes their moves, and looks at what is expected when its
 * time has come.  Pure.
 */

/*
 * The result as JSON, owned by the caller: {name (absent in a file of one test),
 * line, tests: [test]}, and with `verbose` trace: [{at, decisions}], one for each
 * time at which what the policies decide has changed.
 *
 * test: {ok, name, file, line}, and of one that has failed expected and got, which
 * have the keys of the expectation, seen: [text] with what the conditions of the
 * policy that it is about see, and decisions.
 * decisions: [{policy, host, mode, why, gate, seen: [text], guests: [{vm, fate, to, strategy, why,
 * rejected: [{host, rule, why}]}]}].
 */
json_t *trial_run(const struct trial *trial, const struct settings *settings,
    const struct trial_case *c, bool verbose);

/* ---- between run.c and judge.c ---- */

struct run {
	const struct trial *trial;
	const struct trial_case *c;
	struct settings settings; /* with the modes of the test */
	struct arena *arena;      /* of the whole test */
	struct arena *turn;       /* of the evaluation */
	struct world world;
	const struct evaluation *evaluation;
};

struct run_state {
	enum trial_state state;
	int64_t since_ms; /* of pending and active */
};

/* host and vm NULL: of all hosts together. */
struct run_state run_state_of(const struct run *run,
    const struct policy *policy, const struct snap_host *host,
    const struct snap_vm *vm);

/* Is it so?  The object of one test, as above. */
json_t *judge_expect(const struct run *run, const struct trial_expect *expect);

#endif
