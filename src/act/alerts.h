#ifndef DROVER_ACT_ALERTS_H
#define DROVER_ACT_ALERTS_H

#include <jansson.h>
#include <stdbool.h>

#include "act/alertset.h"
#include "record/store.h"
#include "run/loop.h"

/*
 * The alerts that monitoring posts: kept over a restart, shown, and put into
 * snapshots for the policies.  What is on, and until when: act/alertset.h.
 * Loop thread only.
 */

struct alerts;

struct alerts_deps {
	struct loop *loop;
	struct store *store;
	void (*changed)(void *arg); /* another alert is on, or one is not */
	void *arg;
};

/* Reads what was on before the restart. */
struct alerts *alerts_new(const struct alerts_deps *deps,
    const struct settings *settings, struct err *err);
void alerts_free(struct alerts *alerts); /* NULL allowed */
void alerts_configure(struct alerts *alerts, const struct settings *settings);

/*
 * A body that was posted.  Returns {received, on, repeated, resolved, ignored,
 * dropped, no_host}, or NULL: ERR_INVALID, nothing of it was taken; or what
 * the store says, and then it is to be sent again.
 */
json_t *alerts_post(
    struct alerts *alerts, const char *body, size_t len, struct err *err);

/* Those that are on: [view_alert with host, ends, seen, fingerprint], by name. */
json_t *alerts_json(struct alerts *alerts);
/* How many that are on fit no host. */
size_t alerts_without_host(struct alerts *alerts);
void alerts_fill(struct alerts *alerts, struct snapshot *snapshot);

#endif
