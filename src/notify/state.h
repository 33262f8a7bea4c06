#ifndef DROVER_NOTIFY_STATE_H
#define DROVER_NOTIFY_STATE_H

#include <jansson.h>

#include "base/err.h"
#include "notify/catalog.h"
#include "notify/format.h"

/*
 * An event as receivers that hold state (Alertmanager, PagerDuty) see it: which
 * condition it raises or resolves, and on which thing.  Pure.
 *
 * Raise and resolve belong together by their labels.  So these come from the
 * condition's key and from the site alone, never from an event's details.
 */

#define STATE_TEXT_MAX 4096 /* bytes of a description */

struct state {
	struct catalog_state is; /* what, and its key */
	char site[256];
	const char *label; /* what kind of thing: "host", "vm"; NULL: none */
	char thing[256];   /* its name; "" with label NULL */
	enum receiver_severity severity; /* of all conditions of its kind */
	json_t *event;                   /* the CloudEvent */
	const json_t *data;              /* its data; NULL: none */
	const char *type;                /* without "drover." */
	const char *guest; /* the name of the one it is about; NULL: none */
};

/* 0: *out is filled in, see state_clear.  1: the event changes no condition.
 * -1: its body is no event. */
int state_read(
    const struct format_event *event, struct state *out, struct err *err);
void state_clear(struct state *state);

/* How long it stays on when it is not told again; 0: until it is resolved. */
int64_t state_keep_ms(const char *key);

/* Is it a kind of receiver that holds state? */
bool state_holds(enum receiver_kind kind);

/* What people read: the headline, and all else in lines, STATE_TEXT_MAX at the
 * most.  Both are the caller's. */
int state_describe(const struct format_event *event, char **out_summary,
    char **out_text, struct err *err);

/* What `url` (NULL: not known) lacks at its end of `path` ("/api/v2/alerts"),
 * to be freed; NULL: nothing.  One with a query is taken as it is. */
char *state_path(const char *url, const char *path);

/* ---- format_alertmanager.c ---- */

#define ALERTMANAGER_PATH "/api/v2/alerts"
#define ALERTMANAGER_RESEND_MS 60000 /* of a receiver that does not say */
#define ALERTMANAGER_MISSED 4        /* times not told: it is over */

/* How long an alert holds when it is not told again. */
int64_t alertmanager_holds_ms(const struct settings_receiver *receiver);
/* One alert; an `ends` of 0 ms: as the event says.  NULL with ERR_NONE: the
 * event changes no condition.  The caller's reference. */
json_t *alertmanager_alert(const struct settings_receiver *receiver,
    const struct format_event *event, struct wall ends, struct err *err);

#endif
