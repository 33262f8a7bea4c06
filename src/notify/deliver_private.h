#ifndef DROVER_NOTIFY_DELIVER_PRIVATE_H
#define DROVER_NOTIFY_DELIVER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "notify/deliver.h"
#include "notify/http.h"
#include "notify/sign.h"

/*
 * What the three files of delivering share.  Loop thread only.
 */

#define DELIVERY_AFTER_MAX_S (10 * 60) /* of Retry-After */

/* One row on its way, until its verdict is in the database. */
struct delivery {
	LIST_ENTRY(delivery) link;
	struct receiver *receiver;
	int64_t row;
	char *event_id, *type;
	bool in_flight;
	bool decided; /* there is a verdict: what follows */
	enum store_delivery state;
	int attempts, code;
	struct wall next;
	char *answer;
	bool recorded;   /* ... and it is in the database */
	bool complained; /* ... or cannot be, which was logged */
};

struct receiver {
	TAILQ_ENTRY(receiver) link;
	struct deliver *deliver;
	char *name, *type, *url, *secret_file;
	struct sign_secret secret;
	bool ready;      /* the secret is there, if it needs one */
	bool configured; /* false: goes when nothing is in flight */
	int64_t timeout_ms;
	LIST_HEAD(, delivery) deliveries;
	int count;
	int fails;            /* in a row; those of one round count once */
	struct mono hold;     /* send nothing before */
	int64_t delivered;    /* since the start */
	int last_code;        /* 0: no answer yet, or none to the last */
	char last_error[160]; /* "": none */
};

struct deliver {
	struct store *store;
	struct http *http;
	struct loop_timer *timer;
	TAILQ_HEAD(, receiver) receivers;
	int64_t first_ms, max_ms; /* of backoffs */
};

/* For tests: the first wait and the longest, in place of 1 s and 5 min. */
void deliver_set_backoff(
    struct deliver *deliver, int64_t first_ms, int64_t max_ms);

/* ---- delivery.c ---- */

/* Full jitter: anything from 0 to first_ms * 2^(attempts - 1), capped. */
int64_t delivery_backoff(const struct deliver *deliver, int attempts);
int delivery_start(
    struct receiver *receiver, const struct store_outbox *row, struct err *err);
/* Writes the verdict; true: it is durable (or its row is gone). */
bool delivery_record(struct delivery *delivery);
void delivery_free(struct delivery *delivery);

/* ---- receiver.c ---- */

/* New (zeroed, with its list) or with other settings. */
void receiver_configure(
    struct receiver *receiver, const struct settings_receiver *settings);
/* Starts what is due; returns when to look again, in ms. */
int64_t receiver_fill(struct receiver *receiver);
/* Tries again to write verdicts; false: some are left. */
bool receiver_settle(struct receiver *receiver);
/* It gave an answer that shows that it is there. */
void receiver_recover(struct receiver *receiver);
json_t *receiver_status(const struct receiver *receiver);
void receiver_free(struct receiver *receiver);

#endif
