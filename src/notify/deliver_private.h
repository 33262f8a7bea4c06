#ifndef DROVER_NOTIFY_DELIVER_PRIVATE_H
#define DROVER_NOTIFY_DELIVER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "notify/deliver.h"
#include "notify/format.h"
#include "notify/http.h"
#include "notify/secret.h"

/*
 * What the files of delivering share.  Loop thread only.
 */

#define DELIVERY_AFTER_MAX_S (10 * 60) /* of Retry-After */
#define DELIVER_HASH_SIZE 65           /* SHA-256 in hexadecimal */
#define DELIVER_BATCH 100              /* events, unless it says other */
#define DELIVER_LOOK_MS (60 * 1000)    /* look again: the clock may be set */

/* What is done by others, so that tests can do it their way. */
struct deliver_ops {
	int (*load)(const struct settings_receiver *receiver,
	    struct secret_set *out, struct err *err);
	int (*sign)(const struct settings_receiver *receiver,
	    const struct secret_set *set, const char *webhook_id, int64_t now_s,
	    const void *body, size_t len, struct secret_headers *out,
	    struct err *err);
	int (*format)(const struct settings_receiver *receiver,
	    const struct format_secrets *secrets,
	    const struct format_event *events, size_t count, struct wall now,
	    struct format_request *out, struct err *err);
};

/* One event of a request. */
struct delivery_row {
	int64_t id;
	struct wall created;
	char *event_id, *type;
	char *body; /* NULL once it is sent */
};

/* One request on its way, until its verdict is in the database. */
struct delivery {
	LIST_ENTRY(delivery) link;
	struct receiver *receiver;
	int64_t batch; /* 0: a row alone */
	bool gathers;  /* the batch is not made yet */
	char *group;   /* of which rows; NULL: of those without */
	struct delivery_row *rows;
	size_t count;
	bool in_flight, sent;
	struct wall at;
	struct mono started;
	int64_t took_ms;
	char url_hash[DELIVER_HASH_SIZE]; /* of where it went */

	bool decided; /* there is a verdict: what follows */
	enum store_delivery state;
	int attempts, code;
	struct wall next;
	char *answer, *why;
	bool disables; /* ... and the receiver is gone */
	bool halves;   /* ... and its second half goes another time */
	bool recorded; /* ... and it is in the database */
};

struct receiver {
	TAILQ_ENTRY(receiver) link;
	struct deliver *deliver;
	char *name;
	const struct settings_receiver *settings; /* NULL: not configured any
						   * more; goes when nothing is
						   * in flight */
	struct secret_set secrets;
	struct mono loaded; /* when, if they are */
	bool ready;         /* they are */
	bool stale;         /* ... but could not be read again */
	bool checked;       /* ... and it was looked up whether it is: */
	bool disabled;
	char url_hash[DELIVER_HASH_SIZE];

	LIST_HEAD(, delivery) deliveries;
	int count, window, credit; /* requests: now, at most, see receiver.c */
	int64_t level;             /* of the token bucket, see receiver.c */
	struct mono filled;

	int fails;               /* in a row; those of one round count once */
	struct wall open_since;  /* the breaker */
	struct mono hold;        /* send nothing before */
	struct mono failed;      /* the last time; ms 0: see fails */
	bool unreadable;         /* ... because of its files */
	int64_t expired;         /* since the log told of it */
	struct mono expired_log; /* when it did */
	struct deliver_counters counters;
	int last_code;        /* 0: no answer yet, or none to the last */
	char last_error[160]; /* "": none */
};

struct deliver_trial;

struct deliver {
	struct store *store;
	struct http *http;
	struct loop_timer *timer;
	struct announce *announce; /* NULL allowed */
	const struct deliver_ops *ops;
	TAILQ_HEAD(, receiver) receivers;
	LIST_HEAD(, deliver_trial) trials;
	int64_t first_ms, max_ms; /* of backoffs */
	int64_t reread_ms;        /* files are read anew when so old */
	bool complained;          /* verdicts cannot be written */
	bool news;                /* an event that nobody was told of yet */
};

/* For tests: the first wait and the longest, in place of 1 s and 5 min; and
 * other hands. */
void deliver_set_backoff(
    struct deliver *deliver, int64_t first_ms, int64_t max_ms);
void deliver_set_ops(struct deliver *deliver, const struct deliver_ops *ops);

/* NULL: there is none that is configured. */
struct receiver *deliver_find(const struct deliver *deliver, const char *name);

/* ---- deliver_test.c ---- */

/* Their requests are gone. */
void deliver_drop_trials(struct deliver *deliver);

/* ---- delivery.c: a request is built and sent ---- */

struct delivery *delivery_new(struct receiver *receiver);
void delivery_add_row(
    struct delivery *delivery, const struct store_outbox *row);
void delivery_drop_rows(struct delivery *delivery);
/* Sends it, or decides at once; -1: it cannot be sent now. */
int delivery_start(struct delivery *delivery, struct err *err);
void delivery_free(struct delivery *delivery);

enum delivery_sent {
	DELIVERY_SENT,
	DELIVERY_NOTHING, /* the receiver has nothing to say about them */
	DELIVERY_NEVER,   /* it can never be sent: the error says why */
	DELIVERY_NOT_NOW, /* ... or not now */
};
/* Builds the request of these events and sends it: `post` has the callbacks. */
enum delivery_sent delivery_send(struct deliver *deliver,
    const struct settings_receiver *settings, const struct secret_set *secrets,
    const struct format_event *events, size_t count, struct http_post *post,
    struct err *err);

/* ---- verdict.c: what its outcome means, and writing it down ---- */

/* Full jitter: anything from 0 to first_ms * 2^(attempts - 1), capped. */
int64_t verdict_backoff(const struct deliver *deliver, int attempts);
void verdict_decide(
    struct delivery *delivery, int code, int64_t after_s, const char *error);
/* It has nothing to say, or (why) can never be sent. */
void verdict_decide_unsent(struct delivery *delivery, const char *why);
/* Writes all verdicts that there are, together; false: it cannot now. */
bool verdict_settle(struct deliver *deliver);

/* ---- receiver.c ---- */

/* New (zeroed, with its list) or with other settings; NULL: it has none. */
void receiver_configure(
    struct receiver *receiver, const struct settings_receiver *settings);
/* Starts what is due; returns when to look again, in ms. */
int64_t receiver_fill(struct receiver *receiver);
/* It is there: it answered what was asked after it failed last. */
void receiver_recover(struct receiver *receiver);
/* Something was accepted. */
void receiver_widen(struct receiver *receiver);
/* Requests that it may be sent now; and one of them was. */
int receiver_slots(const struct receiver *receiver);
void receiver_pay(struct receiver *receiver);
/* Nothing can be sent to it for a reason of ours; returns for how long. */
int64_t receiver_hold(struct receiver *receiver, const struct err *err);
/* How long its token bucket keeps it from sending, in ms. */
int64_t receiver_rate_wait(const struct receiver *receiver);
/* It is not disabled any more, durably, and that is announced (deliver->news):
 * together, in a transaction.  Nothing happens when it is not disabled. */
int receiver_enable(
    struct receiver *receiver, const char *why, struct err *err);
bool receiver_has_row(const struct receiver *receiver, int64_t row);
bool receiver_is_unsettled(const struct receiver *receiver);
void receiver_free(struct receiver *receiver);

/* ---- pick.c ---- */

/* Sends what is due, as far as there are slots; returns when to look again. */
int64_t pick_send(struct receiver *receiver);

/* ---- expire.c ---- */

/* Gives a slice of what is too old up; returns when to look again, in ms. */
int64_t expire_rows(struct receiver *receiver);
/* Tells of what it did not tell so far. */
void expire_end(struct receiver *receiver);

#endif
