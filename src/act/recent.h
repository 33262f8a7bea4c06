#ifndef DROVER_ACT_RECENT_H
#define DROVER_ACT_RECENT_H

#include "decide/evaluate.h"
#include "record/store.h"

/*
 * The moves that policies made of late, for cooldowns and throttles; read from the
 * journal when the daemon starts, so that a restart does not forget them.  Loop
 * thread only.
 */

#define RECENT_MS ((int64_t)7 * 24 * 3600 * 1000) /* as long as is remembered */
#define RECENT_MAX 20000

struct recent;

struct recent *recent_new(void);
void recent_free(struct recent *recent); /* NULL allowed */
int recent_load(struct recent *recent, struct store *store, struct wall now,
    struct err *err);

void recent_started(struct recent *recent, int64_t move, const char *policy,
    const char *uuid, const char *from, const char *to, struct wall now);
/* `made`: the guest has moved; a move that was not made does not count. */
void recent_ended(
    struct recent *recent, int64_t move, bool made, struct wall now);

/* For an evaluation; valid until the next change. */
const struct evaluate_recent *recent_list(
    struct recent *recent, struct wall now, size_t *out_count);

#endif
