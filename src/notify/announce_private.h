#ifndef DROVER_NOTIFY_ANNOUNCE_PRIVATE_H
#define DROVER_NOTIFY_ANNOUNCE_PRIVATE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "notify/announce.h"

/*
 * What the two files of announcing share.  Loop thread only.
 */

struct announce_listener {
	TAILQ_ENTRY(announce_listener) link;
	void (*fn)(const struct store_event *event, void *arg);
	void *arg;
	bool gone;
};

/* What a receiver's queue gave up that the log was not told of. */
struct announce_burst {
	TAILQ_ENTRY(announce_burst) link;
	char *receiver;
	int64_t count, first_seq, last_seq;
	struct mono quiet; /* until then */
};

struct announce {
	struct store *store;
	const struct settings *settings;
	TAILQ_HEAD(, announce_listener) listeners;
	TAILQ_HEAD(, announce_burst) bursts;
	void (*on_evicted)(const char *receiver, int64_t count, void *arg);
	void *on_evicted_arg;
	int64_t told; /* last event that listeners heard of */
	bool flushing;
};

/* Whom an event is for; count 0: everybody. */
struct announce_to {
	const char *const *names;
	size_t count;
};

/* ---- announce_queue.c ---- */

/* A row for each receiver that is to hear of it; `data` is the event's. */
int announce_queue(struct announce *announce, const struct store_event *event,
    const json_t *data, const struct announce_to *to, struct err *err);
/* Logs of what was given up, unless it did so a moment ago (or `now`). */
void announce_queue_tell(struct announce *announce, bool now);
void announce_queue_free(struct announce *announce);

#endif
