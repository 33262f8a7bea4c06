#ifndef DROVER_NOTIFY_KEEPER_H
#define DROVER_NOTIFY_KEEPER_H

#include <jansson.h>

#include "config/settings.h"
#include "notify/announce.h"
#include "record/store.h"
#include "run/loop.h"

/*
 * Tells receivers of type alertmanager of everything that is on, each `resend`
 * anew, in one request: they believe it for four times that long, so that the
 * alerts of a droverd that is gone expire.  It goes past the outbox: what gets
 * lost is told in the next round.  Raises and resolves themselves are events,
 * and go through the outbox like all others.
 *
 * It also ends what no event ends, for all receivers (conditions_forget).
 *
 * A receiver's filters hold for this as well.  A round that finds the one before
 * still under way is left out, so that a slow receiver gets one at a time.
 *
 * Loop thread only.
 */

struct keeper;

/* `settings` must stay valid until replaced by keeper_configure. */
struct keeper *keeper_new(struct loop *loop, struct store *store,
    struct announce *announce, const struct settings *settings,
    struct err *err);
void keeper_free(struct keeper *keeper); /* NULL allowed */
void keeper_configure(struct keeper *keeper, const struct settings *settings);

/* What is on: [{key, name, since, type}], oldest first. */
json_t *keeper_status(const struct keeper *keeper);

#endif
