#ifndef DROVER_NOTIFY_CONDITIONS_H
#define DROVER_NOTIFY_CONDITIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "config/settings.h"
#include "notify/catalog.h"
#include "record/store.h"

struct announce;

/*
 * What is wrong now, kept in the store with the events that say so: for
 * receivers that hold state, and for the keeper who tells them again.  Loop
 * thread only.
 *
 * At most STORE_CONDITIONS_MAX; the oldest end, and the log says so.
 */

struct conditions_change {
	enum catalog_effect effect;
	/* The event that told of it last, type and data; NULL: it was not on. */
	char *type;
	json_t *body;
};

/* What the event does to the conditions, in the caller's transaction.  *out
 * (see conditions_free) is what conditions_wants() needs. */
int conditions_apply(struct store *store, const struct store_event *event,
    const json_t *data, struct conditions_change *out, struct err *err);
void conditions_free(struct conditions_change *change);

/* Before that: when the event raises one condition too many, the oldest ends
 * (CATALOG_ENDED is announced), in the same transaction. */
int conditions_make_room(struct store *store, struct announce *announce,
    const struct store_event *event, const json_t *data, struct err *err);

/*
 * Whether the receiver is to be told.  As receiver_wants(), but for those that
 * hold state: they hear of nothing else than conditions, and of the end of those
 * alone whose beginning they wanted, whatever their filters say of the event
 * that ends it.
 */
bool conditions_wants(const struct settings_receiver *receiver,
    const struct conditions_change *change, const struct receiver_event *event);

/* Would the event end something that is on?  For things that are found to be
 * right after a restart, when nobody saw them get so. */
bool conditions_would_end(
    struct store *store, const char *type, const json_t *data);

/* Ends what nobody ends: conditions of hosts and receivers that are not
 * configured, of receivers that were enabled, and those of which nothing was
 * heard for state_keep_ms().  CATALOG_ENDED is announced for each, in one
 * transaction, so that who was told of the beginning is told of the end. */
void conditions_forget(struct store *store, struct announce *announce,
    const struct settings *settings, struct wall now);

/* Did the receiver say that it is gone (store_put_disabled)? */
bool conditions_is_disabled(struct store *store, const char *receiver);

#endif
