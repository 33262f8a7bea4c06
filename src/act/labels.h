#ifndef DROVER_ACT_LABELS_H
#define DROVER_ACT_LABELS_H

#include <jansson.h>

#include "model/inventory.h"
#include "record/store.h"

/*
 * What is durably known of guests: the labels that operators gave them, and when
 * they were last moved.  On disk first, then in the inventory, which everything
 * else looks at.  Loop thread only.
 */

/* At the start. */
int labels_load(
    struct store *store, struct inventory *inventory, struct err *err);

/*
 * `changes`: key to a text, or to null, which takes the label back.  All or
 * nothing.  Returns how many were not so before, or -1: ERR_INVALID when a key
 * or value has not the form of one, or the guest would have too many.
 */
int labels_change(struct store *store, struct inventory *inventory,
    const char *uuid, json_t *changes, struct err *err);

#endif
