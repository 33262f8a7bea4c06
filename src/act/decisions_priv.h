#ifndef DROVER_ACT_DECISIONS_PRIV_H
#define DROVER_ACT_DECISIONS_PRIV_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "decide/evaluate.h"

/* decisions_body.c: what is written of a decision.  Shared by decisions*.c and
 * their test only. */

/* Of all that makes it another decision to a person; figures in reasons do not,
 * nor does the order of its guests. */
uint64_t decisions_print(
    const struct evaluate_decision *decision, enum policy_mode mode);

/* "3 start, 1 moving, 2 wait, 1 blocked" */
void decisions_summarise(
    const struct evaluate_decision *decision, struct buf *out);

/*
 * Makes the object's text no longer than `max` bytes: first hosts that were
 * rejected go, but for three of each guest, then guests from the end on; how many
 * is said (rejected_left_out, items_left_out).
 */
void decisions_cut(json_t *object, size_t max);

#endif
