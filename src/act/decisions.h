#ifndef DROVER_ACT_DECISIONS_H
#define DROVER_ACT_DECISIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "config/settings.h"
#include "decide/evaluate.h"
#include "notify/announce.h"
#include "record/store.h"

/*
 * The record of what policies decide: one row for a policy and a host (or for all
 * hosts together) from when its conditions are on until they are not, with what
 * was seen and chosen last.  An approval hangs on that row.  Loop thread only.
 *
 * Each turn: decisions_note() for each decision of the evaluation, then
 * decisions_turn_over(), which writes what has changed in one transaction; then
 * whatever is carried out can name its decision.  Another figure in a reason is no
 * change; another guest, fate, target or reason is.
 *
 * `drover.decision.made` is announced when a decision begins and when a guest is
 * to be moved that it did not move before.
 */

#define DECISIONS_OPEN_MAX 10000            /* more are not recorded */
#define DECISIONS_BODY_MAX (256 << 10)      /* of a row, bytes */
#define DECISIONS_EVENT_MAX (64 << 10)      /* of an event */
#define DECISIONS_PRUNE_MS (60 * 60 * 1000) /* old ones are looked for */

struct decisions;

struct decisions *decisions_new(struct store *store, struct announce *announce);
void decisions_free(struct decisions *decisions); /* NULL allowed */
/* Takes up those that were on when an earlier daemon ended, approvals with
 * them. */
int decisions_load(struct decisions *decisions, struct err *err);
/* Not owned; must stay until replaced. */
void decisions_configure(
    struct decisions *decisions, const struct settings *settings);

void decisions_note(struct decisions *decisions,
    const struct evaluate_decision *decision, struct wall now);
/* Those that were not noted since the last call have ended.  When nothing can be
 * written, that is logged once, and tried again the next time. */
void decisions_turn_over(struct decisions *decisions, struct wall now);

/* Those that are on; host NULL: all hosts.  0: it is not, or not written. */
int64_t decisions_id(
    const struct decisions *decisions, const char *policy, const char *host);
size_t decisions_count(const struct decisions *decisions, const char *policy);
bool decisions_approved(
    const struct decisions *decisions, const char *policy, const char *host);

/*
 * Somebody wants it done.  Returns 1, or 0 when it was approved before; -1:
 * ERR_NOT_FOUND, or ERR_CONFLICT when it has ended or its policy does not wait for
 * approval.
 */
int decisions_approve(
    struct decisions *decisions, int64_t id, const char *by, struct err *err);

/*
 * {id, policy, host (absent: all), mode, state: waiting|on|ended, summary, at,
 * updated, ended, approved_by} and, with detail, what explain_decision() has
 * beside these (items, why, file, line, ...; items_left_out and, in an item,
 * rejected_left_out: how many did not fit).
 */
json_t *decisions_row_json(const struct store_decision *row, bool detail);

#endif
