#ifndef DROVER_TRIAL_TELL_H
#define DROVER_TRIAL_TELL_H

#include <jansson.h>

#include "base/buf.h"
#include "decide/evaluate.h"
#include "trial/trial.h"

/* What a report says of expectations and decisions. */

/* "at 3m cpu-pressure is pending on kvm1 since 2m" */
void tell_expect(const struct trial_expect *expect, struct buf *out);

/* The expectation's own keys but `at`. */
json_t *tell_expected(const struct trial_expect *expect);

/* See run.h. */
json_t *tell_item(const struct evaluate_item *item, bool act);
json_t *tell_decisions(const struct evaluation *evaluation);
enum trial_fate tell_fate(enum evaluate_fate fate, bool act);

#endif
