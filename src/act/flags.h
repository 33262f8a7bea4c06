#ifndef DROVER_ACT_FLAGS_H
#define DROVER_ACT_FLAGS_H

#include "notify/announce.h"
#include "record/store.h"

/*
 * The maintenance and cordon flags of hosts.  A flag is on disk, with its event,
 * before anything acts on it.  Loop thread only.
 */

struct flags;

struct flags *flags_new(struct store *store, struct announce *announce,
    void (*changed)(const struct store_flag *flag, void *arg), void *arg);
void flags_free(struct flags *flags);

/* Reads them from the store; calls `changed` for each. */
int flags_load(struct flags *flags, struct err *err);

/*
 * Sets the flag as given (since is filled in; kept when nothing changes), or
 * clears it when neither maintenance nor cordoned.  Returns 1 when it changed, 0
 * when it already was so, -1 on failure: then nothing has changed.
 */
int flags_set(
    struct flags *flags, const struct store_flag *flag, struct err *err);

/* NULL: none is set.  Valid until the next change. */
const struct store_flag *flags_get(const struct flags *flags, const char *host);

void flags_each(const struct flags *flags,
    void (*fn)(const struct store_flag *flag, void *arg), void *arg);

#endif
