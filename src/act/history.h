#ifndef DROVER_ACT_HISTORY_H
#define DROVER_ACT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "decide/evaluate.h"
#include "model/snapshot.h"

/*
 * Which guests failed to move where, and until when they are left in peace.
 * Forgotten when a guest has moved, when its host's flag is cleared, and when an
 * operator asks for a drain again.  Pure; loop thread only.
 */

#define HISTORY_BACKOFF_MAX_MS (5 * 60 * 1000)
/* Failures that count for one which no other attempt can mend. */
#define HISTORY_HOPELESS SNAPSHOT_HOPELESS

struct history;

struct history *history_new(void);
void history_free(struct history *history);

/* A failed attempt.  `hopeless`: it would fail the same way on any target. */
void history_add(struct history *history, const char *uuid, const char *from,
    const char *to, const char *why, bool hopeless, int64_t backoff_ms,
    struct mono now);
/* The hypervisor refuses to move the guest in this way, wherever to; counts for
 * the attempt that was added last.  `strategy` is a word of strategy_name(). */
void history_refused(
    struct history *history, const char *uuid, const char *strategy);
/* No attempt was made, for a reason that is not the guest's; the next one is not
 * made before that time. */
void history_defer(struct history *history, const char *uuid,
    int64_t backoff_ms, struct mono now);
void history_forget_guest(struct history *history, const char *uuid);
/* It has moved: its failures are forgotten, and for HISTORY_SETTLE_MS it is not
 * moved again, since a listing that was on its way may still show it where it
 * was. */
#define HISTORY_SETTLE_MS 5000
void history_moved(struct history *history, const char *uuid, struct mono now);
void history_forget_source(struct history *history, const char *from);

/* Attempts so far (hopeless ones count as one). */
int history_attempts(const struct history *history, const char *uuid);

/* For a snapshot and an evaluation; the arrays are valid until the next change
 * and belong to the history. */
const struct snap_attempt *history_snapshot(
    struct history *history, size_t *out_count);
const struct evaluate_hold *history_holds(
    struct history *history, struct mono now, size_t *out_count);

#endif
