#ifndef DROVER_TRIAL_RUN_H
#define DROVER_TRIAL_RUN_H

#include <jansson.h>

#include "trial/trial.h"

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

#endif
