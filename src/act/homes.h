#ifndef DROVER_ACT_HOMES_H
#define DROVER_ACT_HOMES_H

#include <jansson.h>

#include "act/executor.h"
#include "decide/evaluate.h"
#include "record/store.h"

/*
 * Guests that were moved away from their host for a time only (a policy's
 * `afterwards: { return_home: true }`, a drain's --return-home) and want to go
 * back.  When they do, decides the evaluation (decide/evaluate.h, struct
 * evaluate_home); here is who they are, durably.  A guest that is moved on before
 * it is home keeps its first home.  Loop thread only.
 */

#define HOMES_MAX 100000 /* guests; further ones stay where they are put */

struct homes;

struct homes *homes_new(void);
void homes_free(struct homes *homes); /* NULL allowed */
/* The store must stay; without this call nothing is kept on disk. */
int homes_load(struct homes *homes, struct store *store, struct err *err);

/* A policy is about to move the guest away.  On disk before this returns; -1: it
 * is not, and the guest will not come back by itself. */
int homes_leave(struct homes *homes, const struct snap_vm *vm, const char *from,
    const char *to, const char *policy, struct wall now, struct err *err);
/* ... and that move could not be begun. */
void homes_not_left(struct homes *homes, const char *uuid, const char *to);
/* Any move of any guest. */
void homes_move_ended(
    struct homes *homes, const struct executor_report *report, struct mono now);

/* For an evaluation, by UUID; valid until the next change. */
const struct evaluate_home *homes_list(struct homes *homes, size_t *out_count);
/* What the evaluation of that list says; nothing changed in between. */
void homes_settle(
    struct homes *homes, const struct evaluation *evaluation, struct mono now);

/* {host, at, policy, since, why}; NULL: it wants to go nowhere. */
json_t *homes_json(const struct homes *homes, const char *uuid);
/* Those of one home, each with its vm and uuid. */
json_t *homes_json_of(struct homes *homes, const char *host);

#endif
