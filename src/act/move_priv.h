#ifndef DROVER_ACT_MOVE_PRIV_H
#define DROVER_ACT_MOVE_PRIV_H

#include "act/move.h"

/* Shared by move*.c only. */

/* ---- move.c: what the machines list and note ---- */

/* Zeroed but for its kind. */
struct move_action *move_add(
    struct move_actions *actions, enum move_action_kind kind);
void move_add_timer(struct move_actions *actions, int64_t ms);
/* kind: "intent", "result", "note". */
void move_add_journal(struct move_actions *actions, const char *kind,
    const char *step, const char *text);
void move_add_alarm(struct move_actions *actions, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The journal's intent, and the step; returns the latter. */
struct move_action *move_add_step(struct move *move, enum move_step step,
    const char *why, struct move_actions *actions);

/* Only the first one counts. */
void move_set_error(struct move *move, const char *text);
void move_set_timeout_error(struct move *move);
/* For people, also after a good end; the first one counts. */
void move_set_remark(struct move *move, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Whether the call ended, or only our connection did: then what it asked for
 * goes on, or has not even begun. */
bool move_is_uncertain(const struct err *err);
bool move_is_late(const struct move *move, struct mono now); /* its time-out */
/* The table has come to this row: true when it has been the same one for
 * RECONCILE_PATIENCE_MS of waiting. */
bool move_row_lingers(struct move *move, int row, struct mono now);

void move_observe(struct move *move, struct move_actions *actions);
/* Until the timer or news of a host; `why` becomes the note. */
void move_wait(struct move *move, int64_t ms, const char *why, struct mono now,
    struct move_actions *actions);
void move_end(
    struct move *move, enum move_outcome outcome, struct move_actions *actions);
/* Alarm, and the end in the hands of a person. */
void move_give_up(
    struct move *move, const char *why, struct move_actions *actions);

/* ---- move_clean.c: volumes at the target that nobody needs ---- */

/* PREPARE was sent, and what it did is not known. */
void move_doubt_volumes(struct move *move);
/* There are some, and it is worth the wait. */
bool move_must_clean(const struct move *move);
/* The target does not answer: from now on it is waited for, but not for ever.
 * Returns true when that is over. */
bool move_is_cleaning_late(struct move *move, struct mono now);
/* CLEAN has ended.  True: nothing is left to be done about it; false: what is to
 * happen next is on the list. */
bool move_cleaned(struct move *move, const struct err *err, struct mono now,
    struct move_actions *actions);

/* ---- move_live.c ---- */

void move_live_begin(
    struct move *move, struct mono now, struct move_actions *actions);
void move_live_recovered(struct move *move, struct move_actions *actions);
void move_live_performed(
    struct move *move, const struct err *err, struct move_actions *actions);
void move_live_stepped(struct move *move, const struct err *err,
    struct mono now, struct move_actions *actions);
void move_live_observed(struct move *move, const struct move_event *event,
    struct mono now, struct move_actions *actions);
void move_live_repaired(
    struct move *move, const struct err *err, struct move_actions *actions);
void move_live_timer(
    struct move *move, struct mono now, struct move_actions *actions);
void move_live_suspended(struct move *move, struct move_actions *actions);
void move_live_give_up(
    struct move *move, const struct err *err, struct move_actions *actions);
/* True: that has decided it. */
bool move_live_not_written(
    struct move *move, const char *why, struct move_actions *actions);

/* ---- move_restart.c ---- */

/* From here on it can only go forward, unless that fails. */
bool move_restart_is_committed(const struct move *move);
/* Notes it in the journal. */
void move_restart_turn_back(
    struct move *move, const char *why, struct move_actions *actions);

void move_restart_begin(struct move *move, struct move_actions *actions);
void move_restart_recovered(
    struct move *move, struct mono now, struct move_actions *actions);
void move_restart_observed(struct move *move, const struct move_event *event,
    struct mono now, struct move_actions *actions);
void move_restart_timer(
    struct move *move, struct mono now, struct move_actions *actions);
void move_restart_abort(struct move *move, struct move_actions *actions);
void move_restart_rebooted(
    struct move *move, struct mono now, struct move_actions *actions);

/* ---- move_restart_step.c ---- */

void move_restart_stepped(struct move *move, const struct err *err,
    struct mono now, struct move_actions *actions);

#endif
