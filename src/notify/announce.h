#ifndef DROVER_NOTIFY_ANNOUNCE_H
#define DROVER_NOTIFY_ANNOUNCE_H

#include <jansson.h>
#include <stdint.h>

#include "config/settings.h"
#include "record/store.h"

/*
 * Says that something happened.  The event and one outbox row per receiver
 * that wants it are written in the caller's transaction (or one of its own), so
 * that a result and its news are durable together.  After the commit the
 * caller calls announce_flush(): followers hear of it, and one of them kicks
 * the deliveries.  When a receiver's queue is full its oldest news or the new
 * one become dead letters, as `queue_full` says; when the outbox is, the oldest
 * to the receiver with the longest queue do (store_evict_outbox); both are
 * logged.
 */

struct announce;

/* `settings` must stay valid until replaced by announce_configure. */
struct announce *announce_new(
    struct store *store, const struct settings *settings);
void announce_free(struct announce *announce);
void announce_configure(
    struct announce *announce, const struct settings *settings);

/*
 * Type without "drover." ("move.completed"); subject: "vm/web1", "host/kvm1".
 * `data` is taken (its reference is stolen), also on failure.
 */
int announce_event(struct announce *announce, const char *type,
    const char *subject, json_t *data, struct err *err);

/* The same, to those of the receivers that are named (count 0: to all of them). */
int announce_event_to(struct announce *announce, const char *type,
    const char *subject, json_t *data, const char *const *receivers,
    size_t receiver_count, struct err *err);

/* Told of each time that events to a receiver give way (NULL: nobody is). */
void announce_on_evicted(struct announce *announce,
    void (*fn)(const char *receiver, int64_t count, void *arg), void *arg);

/* A random UUID (RFC 9562, version 4). */
#define ANNOUNCE_ID_SIZE 37
int announce_make_id(char out[ANNOUNCE_ID_SIZE], struct err *err);

/* Listeners are called from announce_flush with each new event. */
void announce_listen(struct announce *announce,
    void (*fn)(const struct store_event *event, void *arg), void *arg);
void announce_unlisten(struct announce *announce,
    void (*fn)(const struct store_event *event, void *arg), void *arg);
void announce_flush(struct announce *announce);
/* The transaction was rolled back.  Flush tells only what is durable, so
 * nothing breaks without this call. */
void announce_forget(struct announce *announce);

/*
 * A CloudEvents 1.0 structured-mode body (cloudevents.io): specversion, id,
 * source "/drover/SITE", type "drover.TYPE", subject, time, severity (an
 * extension), datacontenttype, data.  Pure.  NULL only when memory is short.  free() it.
 */
char *announce_format(const char *site, const char *id, const char *type,
    const char *subject, struct wall at, const json_t *data);

#endif
