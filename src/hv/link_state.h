#ifndef DROVER_HV_LINK_STATE_H
#define DROVER_HV_LINK_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/map.h"
#include "hv/link.h"

/*
 * The inside of a link, for link*.c alone.  All of it belongs to the loop
 * thread, except what is marked.
 *
 * A link is kept by `refs`: one for its owner, until link_close(), and one for
 * each thing that is on its way (an open, a call, a connection that is not
 * closed yet).  Callbacks to the owner come last in every function, because the
 * owner may close the link in them.
 */

#define LINK_SILENT_MS 5000
#define LINK_TICK_MS 1000
/* Statistics of guests: another call goes beside one that takes so long. */
#define LINK_STATS_HANG_MS 30000
#define LINK_STATS_MAX 2
/* Listings because of events: at most one in this time. */
#define LINK_HOST_EVENT_MS 1000
/* Attempts that hang, at once. */
#define LINK_OPENS_MAX 8
#define LINK_EVENTS_MAX 4096
#define LINK_IDLE_MAX 2

enum link_phase {
	LINK_WAITING, /* for the next attempt to connect */
	LINK_OPENING,
	LINK_LISTING, /* connected; what the host has is not known yet */
	LINK_UP,
	LINK_CLOSED,
};

/* The main connection, from before it is opened until after it is closed.
 * Who uses it last closes it, on a worker. */
struct link_conn {
	struct link *link;
	struct hv_conn *conn;  /* set by the worker that opens it */
	unsigned refs;         /* of this struct */
	_Atomic unsigned uses; /* its owner's, and one per call; any thread */
	bool adopted;

	/* For the event thread as well, under the link's lock. */
	struct hv_event *events;
	size_t event_count, event_max;
	bool posted; /* a drain is in the mailbox */
	bool muted;
	bool overflow;
	bool dead; /* not referenced; the drain frees it */
};

struct link_call_item;

struct link {
	struct loop *loop;
	struct workers *workers;
	const struct hv_ops *ops;
	char *host, *uri;
	struct link_callbacks callbacks;
	void *arg;
	unsigned refs;
	enum link_phase phase;
	pthread_mutex_t lock; /* for `closing` and for event queues */
	bool closing;         /* no more posts to the loop */

	/* Connecting. */
	struct link_conn *conn; /* NULL: none */
	uint64_t generation;
	struct loop_timer *connect_timer;
	unsigned open_slots; /* one bit per attempt on its way */
	unsigned attempt;    /* number of the newest */
	unsigned failures;   /* in a row */
	int64_t open_ms;     /* LINK_OPEN_MS; less in tests */
	int64_t hang_ms;     /* until one more beside hanging ones */
	struct mono up_since;
	bool lost_reported;
	char *lost_why;

	/* Listing, and reading single guests again. */
	struct loop_timer *relist_timer;
	bool relist_armed;
	struct mono relist_due;
	bool listing;
	bool relist_again;
	struct mono list_started;
	struct map *rereads; /* uuid -> struct link_reread */

	/* Load. */
	struct loop_timer *sample_timer;
	int64_t sample_interval_ms;
	bool sampling;
	unsigned stats_waiting; /* of the guests */
	unsigned stats_count;
	struct mono stats_started; /* the newest */
	bool pressure;             /* is wanted */
	bool pressure_waiting;
	bool pressure_unknown; /* which has been said */
	unsigned pressure_count;

	/* Calls without an answer. */
	LIST_HEAD(, link_call_item) calls;
	struct loop_timer *tick_timer;
	bool ticking;
	struct mono last_answer;
	int64_t silent_ms; /* LINK_SILENT_MS; less in tests */
	bool silent_reported;

	/* Idle connections, ready for calls that need one of their own. */
	struct hv_conn *idle[LINK_IDLE_MAX];
	unsigned idle_count;
	bool idle_opening;
	struct hv_conn *aside[LINK_ASIDE_MAX]; /* of link_call_aside */
	unsigned aside_count;
};

/* link.c */
void link_ref(struct link *link);
void link_unref(struct link *link);
/* Gives the current connection up and connects again after a backoff. */
void link_drop(struct link *link, const char *why);
/* link_close() was called; for workers. */
bool link_is_closing(struct link *link);
/* A call's use of the main connection, and its end: on the worker that made
 * it, or on the loop thread when it was never made. */
void link_conn_use(struct link_conn *conn);
void link_conn_used(struct link_conn *conn);
void link_conn_unused(struct link_conn *conn);
void link_conn_unref(struct link_conn *conn);
/* For the drain of a connection that is dead. */
void link_conn_free(struct link_conn *conn);
/* Whether a result of that generation still means something. */
bool link_is_current(const struct link *link, uint64_t generation);

/* link_events.c */
void link_events_on_event(const struct hv_event *event, void *arg);
void link_events_drain(struct link_conn *conn);

/* link_read.c */
void link_read_begin(struct link *link); /* the first listing */
void link_read_reset(struct link *link); /* the connection is gone */
void link_read_relist_in(struct link *link, int64_t ms);
void link_read_on_relist(void *link);
void link_read_on_sample(void *link);
void link_read_sample(struct link *link);
bool link_read_is_busy(const struct link *link);

/* link_pressure.c */
void link_pressure_begin(struct link *link); /* it is up */
void link_pressure_sample(struct link *link);
void link_pressure_reset(struct link *link);

/* link_call.c */
void link_call_on_tick(void *link);
void link_call_reset(struct link *link);

/* link_own.c */
void link_own_ready(struct link *link); /* opens what is missing */
void link_own_reset(struct link *link);
struct hv_conn *link_own_take(struct link *link); /* NULL: none idle */
/* Takes one back after a call: keeps it for the next, or closes it. */
void link_own_return(
    struct link *link, struct hv_conn *conn, uint64_t generation, bool alive);
/* On the worker that holds it: itself, or NULL once it was closed because the
 * link is closing. */
struct hv_conn *link_own_kept(struct link *link, struct hv_conn *conn);

#endif
