#ifndef DROVER_NOTIFY_DELIVER_H
#define DROVER_NOTIFY_DELIVER_H

#include <jansson.h>

#include "config/settings.h"
#include "notify/announce.h"
#include "record/store.h"
#include "run/loop.h"

/*
 * Empties the outbox by curl's multi interface on the loop.  Loop thread only.
 *
 * What an answer means: 2xx is accepted.  Network errors, 408, 425, 429 and 5xx
 * are tried again with exponential backoff (1 s doubling to 5 min) and full
 * jitter; 429 and 503 honour Retry-After in seconds or as a date, at most 10
 * min.  410 disables the receiver until its URL changes or an operator enables
 * it; its events wait.  Other 4xx, and 3xx, make a dead letter, and so does
 * what got older than the receiver's max_age.  413 to several events at once
 * halves their request until there is one.  Accepted and refused are written
 * down at the status line, as soon as the loop comes round, together with what
 * else came in that turn: a crash costs at most a second copy of what was
 * answered since, under the same webhook-id.
 *
 * How much at once: DELIVER_PER_RECEIVER requests to receivers of the kinds
 * cloudevents and custom; to the former one more after each round that was
 * accepted, up to DELIVER_WINDOW_MAX, or to about 3200 events in batches; one
 * to all other kinds, since order matters to people and to alerts.  Oldest
 * first; what is tried again lets the others by, unless `ordering: strict`: then
 * one request at a time goes out, in the order of the events, and one that is
 * tried again holds up those behind it.  `rate` limits requests by a token
 * bucket that holds one period's worth.
 *
 * Circuit breaker: it opens with the first failure.  While it is open one
 * request at a time probes the receiver, after a backoff of the receiver's own;
 * any answer that is not temporary closes it.
 *
 * A receiver never holds up anything else; answers are read up to
 * DELIVER_ANSWER_MAX and then cut off; each turn of the loop does a bounded
 * slice of the work.
 */

#define DELIVER_PER_RECEIVER 4
#define DELIVER_WINDOW_MAX 32
#define DELIVER_GROUP_MAX 500 /* events of one request for a group */
#define DELIVER_ANSWER_MAX 4096

struct deliver;

/* `settings` must stay valid until replaced by deliver_configure.  A receiver
 * whose files cannot be read is no error: it is logged, its events wait, and the
 * files are tried again.  They are read anew now and then, so that secrets may
 * be replaced in place. */
struct deliver *deliver_new(struct loop *loop, struct store *store,
    const struct settings *settings, struct err *err);
/* Ends requests in flight; their rows stay pending. */
void deliver_free(struct deliver *deliver);
void deliver_configure(
    struct deliver *deliver, const struct settings *settings);
/* Tells of disabled receivers there, and counts what its queues gave up. */
void deliver_attach(struct deliver *deliver, struct announce *announce);
/* There may be something new. */
void deliver_kick(struct deliver *deliver);
/* Pending rows or requests in flight that are due now?  For a clean end. */
bool deliver_busy(const struct deliver *deliver);

/* What was disabled is sent to again.  ERR_NOT_FOUND: no such receiver. */
int deliver_enable(
    struct deliver *deliver, const char *receiver, struct err *err);
/* Ends its backoff and that of its rows: all are tried now (an enabled one's).
 * ERR_NOT_FOUND. */
int deliver_retry_now(
    struct deliver *deliver, const char *receiver, struct err *err);

/*
 * [{name, type, pending, dead, oldest, delivered, last_code, last_error, state,
 * until, open_since, in_flight}]; URLs and secrets are not in it.
 *
 * type: the kind's name.  state: "disabled" (it answered 410), "retrying" (the
 * breaker is open since open_since), "held" (its files cannot be read, or its
 * rate is used up), "ok".  until: when it is tried next, null if at once or
 * not by itself.  in_flight: requests.
 */
json_t *deliver_status(const struct deliver *deliver);

/* ---- for metrics: since the start, by receiver ---- */

enum deliver_code {
	DELIVER_2XX,
	DELIVER_3XX,
	DELIVER_4XX,
	DELIVER_5XX,
	DELIVER_NETWORK, /* no answer */
	DELIVER_CODE_COUNT
};
extern const char *const deliver_code_names[DELIVER_CODE_COUNT];

#define DELIVER_BUCKETS 8
extern const double deliver_bucket_s[DELIVER_BUCKETS]; /* upper bounds */

struct deliver_counters {
	int64_t attempts[DELIVER_CODE_COUNT]; /* requests */
	int64_t delivered, dead;              /* events */
	int64_t expired; /* of the dead: older than max_age */
	int64_t evicted; /* of the dead: the queue was full */
	/* From what happened to accepted, events; each bucket alone, the last
	 * is what took longer than all bounds. */
	int64_t latency[DELIVER_BUCKETS + 1];
	double latency_sum_s;
};
/* The configured ones, in their order; `pending` and `dead_letters` are the
 * rows that there are now, oldest ms 0: none. */
struct deliver_figures {
	const char *receiver, *kind;
	struct deliver_counters counters;
	int64_t pending, dead_letters;
	struct wall oldest;
	bool disabled, open;
	int in_flight;
};
void deliver_each_figures(const struct deliver *deliver,
    void (*fn)(const struct deliver_figures *figures, void *arg), void *arg);

/* ---- trying a receiver out ---- */

struct deliver_outcome {
	int code;          /* 0: no answer */
	const char *error; /* NULL: none */
	const char *answer;
	int64_t took_ms;
};
/*
 * Sends one event to the receiver, once, past the outbox and whatever holds the
 * receiver back.  `event` is a CloudEvent; it is sent with an id and a time of
 * its own, so that nobody takes it for a copy.  done() is called later, unless
 * deliver_free comes before; what it gets is valid during the call.  -1: it
 * could not be sent at all (ERR_NOT_FOUND: no such receiver; ERR_CONFLICT: this
 * kind says nothing about such an event).
 */
int deliver_test(struct deliver *deliver, const char *receiver,
    const json_t *event,
    void (*done)(const struct deliver_outcome *outcome, void *arg), void *arg,
    struct err *err);

#endif
