#ifndef DROVER_NOTIFY_DELIVER_H
#define DROVER_NOTIFY_DELIVER_H

#include <jansson.h>

#include "config/settings.h"
#include "record/store.h"
#include "run/loop.h"

/*
 * Empties the outbox: HTTP POST by curl's multi interface on the loop, at most
 * DELIVER_PER_RECEIVER requests at once per receiver, oldest first, until
 * accepted (2xx).  Network errors, 408, 425, 429 and 5xx are retried with
 * exponential backoff (1 s doubling to 5 min) and full jitter; 429 and 503
 * honour Retry-After in seconds or as a date, at most 10 min.  Other 4xx, and
 * 3xx, go to the dead letters and are logged.  While a receiver fails, one
 * request at a time probes it, with a backoff of the receiver's own.  A
 * receiver never holds up anything else; answers are read up to
 * DELIVER_ANSWER_MAX and then cut off.
 */

#define DELIVER_PER_RECEIVER 4
#define DELIVER_ANSWER_MAX 4096

struct deliver;

/* `settings` are copied.  A receiver whose secret cannot be read is no error:
 * it is logged, its events wait, and the file is tried again. */
struct deliver *deliver_new(struct loop *loop, struct store *store,
    const struct settings *settings, struct err *err);
/* Ends requests in flight; their rows stay pending. */
void deliver_free(struct deliver *deliver);
void deliver_configure(
    struct deliver *deliver, const struct settings *settings);
/* There may be something new. */
void deliver_kick(struct deliver *deliver);
/* Pending rows or requests in flight that are due now?  For a clean end. */
bool deliver_busy(const struct deliver *deliver);
/* [{name, type, pending, dead, oldest, delivered, last_code, last_error}];
 * URLs and secrets are not in it. */
json_t *deliver_status(const struct deliver *deliver);

#endif
