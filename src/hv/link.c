/*
 * One host's connection over its whole life.
 *
 * connect -> register for events -> list -> up -> ... -> lost -> wait -> again
 *
 * The one call that nothing can interrupt is the open: no keepalive exists yet,
 * so against a daemon that is frozen it lasts as long as the freeze, and
 * against a machine that is reset meanwhile possibly for ever.  So an open is
 * given LINK_OPEN_MS, then the host is reported as lost and the call left to
 * itself.  When it comes back with a connection after all, that connection is
 * as good as any and is taken.  In case it never does, further attempts are
 * made beside it, at growing distances and at most LINK_OPENS_MAX.
 *
 * A connection carries a generation, and so does every result; what comes back
 * from an earlier connection is dropped.  It is closed on a worker once the
 * last call on it has returned.
 *
 * link_read.c lists and re-reads, link_events.c takes events, link_call.c runs
 * calls and watches for answers, link_own.c has connections for those that
 * need one of their own.
 */
#include "hv/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "hv/link_state.h"

/* Up for this long: the next failure counts as the first one. */
#define LINK_STABLE_MS 10000
/* Between attempts beside hanging ones: tripled each time.  LINK_OPENS_MAX of
 * them last for hours. */
#define LINK_HANG_MIN_MS 10000
#define LINK_HANG_MAX_MS 3600000
#define LINK_KEY_SIZE 300

struct attempt {
	struct link *link;
	struct link_conn *conn;
	struct err err;
	unsigned slot;
	unsigned number;
};

void
link_ref(struct link *link)
{
	link->refs++;
}

void
link_unref(struct link *link)
{
	if (--link->refs > 0)
		return;
	(void)pthread_mutex_destroy(&link->lock);
	free(link->lost_why);
	free(link->host);
	free(link->uri);
	free(link);
}

bool
link_is_closing(struct link *link)
{
	bool closing;

	(void)pthread_mutex_lock(&link->lock);
	closing = link->closing;
	(void)pthread_mutex_unlock(&link->lock);
	return closing;
}

static struct link_conn *
link_conn_new(struct link *link)
{
	struct link_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		abort();
	conn->link = link;
	conn->refs = 1;
	atomic_init(&conn->uses, 1);
	link_ref(link);
	return conn;
}

void
link_conn_free(struct link_conn *conn)
{
	struct link *link = conn->link;
	bool wait;

	(void)pthread_mutex_lock(&link->lock);
	conn->dead = true;
	wait = conn->posted;
	(void)pthread_mutex_unlock(&link->lock);
	if (wait)
		return; /* the drain comes back here */
	free(conn->events);
	free(conn);
	link_unref(link);
}

void
link_conn_unref(struct link_conn *conn)
{
	if (--conn->refs == 0)
		link_conn_free(conn);
}

static void
link_conn_work_close(void *item)
{
	struct link_conn *conn = item;

	conn->link->ops->close(conn->conn);
}

static void
link_conn_closed(void *item, int cancelled)
{
	/* Cancelled: the process ends, and the connection is still open. */
	if (!cancelled)
		link_conn_unref(item);
}

void
link_conn_use(struct link_conn *conn)
{
	conn->refs++;
	(void)atomic_fetch_add(&conn->uses, 1);
}

void
link_conn_used(struct link_conn *conn)
{
	if (atomic_fetch_sub(&conn->uses, 1) == 1)
		conn->link->ops->close(conn->conn);
}

void
link_conn_unused(struct link_conn *conn)
{
	struct link *link = conn->link;

	if (atomic_fetch_sub(&conn->uses, 1) > 1 || conn->conn == NULL)
		return;
	conn->refs++;
	/* Refused only when the process is about to end. */
	if (workers_submit(link->workers, WORKERS_CONTROL, link->host,
		link_conn_work_close, link_conn_closed, conn) < 0)
		log_debug("link", "%s: a connection is left open", link->host);
}

/* Its owner lets go of it: no more events, and it is closed when the last call
 * on it has returned. */
static void
link_conn_release(struct link_conn *conn)
{
	(void)pthread_mutex_lock(&conn->link->lock);
	conn->muted = true;
	(void)pthread_mutex_unlock(&conn->link->lock);
	link_conn_unused(conn);
	link_conn_unref(conn);
}

bool
link_is_current(const struct link *link, uint64_t generation)
{
	return link->phase != LINK_CLOSED && link->conn != NULL &&
	    link->generation == generation;
}

/* 1 to `max`: full jitter, so that hosts lost together return apart. */
static int64_t
link_random(int64_t max)
{
	uint64_t value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(value))
		return max;
	return 1 + (int64_t)(value % (uint64_t)max);
}

/* Tells the owner, once per outage and again when the cause changes. */
static void
link_report_lost(struct link *link, const char *why)
{
	char *copy;

	if (link->lost_reported && link->lost_why != NULL &&
	    strcmp(link->lost_why, why) == 0)
		return;
	copy = strdup(why);
	if (copy == NULL)
		abort();
	free(link->lost_why);
	link->lost_why = copy;
	link->lost_reported = true;
	log_warn("link", "%s: lost: %s", link->host, copy);
	link->callbacks.lost(link->host, copy, link->arg);
}

static void
link_back_off(struct link *link)
{
	int64_t max = LINK_BACKOFF_MIN_MS;

	for (unsigned i = 0; i < link->failures && max < LINK_BACKOFF_MAX_MS;
	     i++)
		max *= 2;
	if (max > LINK_BACKOFF_MAX_MS)
		max = LINK_BACKOFF_MAX_MS;
	link->failures++;
	link->phase = LINK_WAITING;
	loop_timer_set(link->connect_timer, link_random(max));
}

void
link_drop(struct link *link, const char *why)
{
	struct link_conn *conn = link->conn;

	if (conn == NULL)
		return;
	if (link->phase == LINK_UP &&
	    mono_diff(clock_mono_now(), link->up_since) > LINK_STABLE_MS)
		link->failures = 0;
	link->conn = NULL;
	link_read_reset(link);
	link_call_reset(link);
	link_own_reset(link);
	link_conn_release(conn);
	link_back_off(link);
	link_report_lost(link, why);
}

static void
link_adopt(struct link *link, struct link_conn *conn)
{
	link->conn = conn;
	conn->adopted = true;
	link->generation++;
	link->phase = LINK_LISTING;
	link->hang_ms = LINK_HANG_MIN_MS;
	link->last_answer = clock_mono_now();
	loop_timer_clear(link->connect_timer);
	log_debug("link", "%s: connected", link->host);
	link_read_begin(link);
	link_events_drain(conn);
}

static void
link_open_failed(struct link *link, const struct attempt *attempt)
{
	if (link->phase == LINK_OPENING && attempt->number == link->attempt) {
		link_back_off(link);
		link_report_lost(link, attempt->err.msg);
	} else if (link->phase == LINK_WAITING) {
		/* One that hung has ended: time for another. */
		link->failures = 0;
		link->hang_ms = LINK_HANG_MIN_MS;
		link_back_off(link);
	}
}

static void
link_work_open(void *item)
{
	struct attempt *attempt = item;
	struct link *link = attempt->link;

	attempt->conn->conn = link->ops->open(
	    link->uri, link_events_on_event, attempt->conn, &attempt->err);
	if (attempt->conn->conn != NULL && link_is_closing(link)) {
		link->ops->close(attempt->conn->conn);
		attempt->conn->conn = NULL;
	}
}

static void
link_opened(void *item, int cancelled)
{
	struct attempt *attempt = item;
	struct link *link = attempt->link;
	struct link_conn *conn = attempt->conn;

	link->open_slots &= ~(1U << attempt->slot);
	if (cancelled || conn->conn == NULL || link->phase == LINK_CLOSED ||
	    link->conn != NULL) {
		bool failed = !cancelled && conn->conn == NULL;

		link_conn_release(conn);
		if (failed)
			link_open_failed(link, attempt);
	} else {
		link_adopt(link, conn);
	}
	free(attempt);
	link_unref(link);
}

/* Attempts beside one that hangs need a queue of their own. */
static void
link_open_key(const struct link *link, unsigned slot, char key[LINK_KEY_SIZE])
{
	if (slot == 0)
		(void)snprintf(key, LINK_KEY_SIZE, "%s", link->host);
	else
		(void)snprintf(
		    key, LINK_KEY_SIZE, "%s/open%u", link->host, slot);
}

static void
link_open(struct link *link)
{
	char key[LINK_KEY_SIZE];
	struct attempt *attempt;
	unsigned slot = 0;

	while (slot < LINK_OPENS_MAX && (link->open_slots & (1U << slot)) != 0)
		slot++;
	if (slot == LINK_OPENS_MAX) {
		loop_timer_set(link->connect_timer, LINK_BACKOFF_MAX_MS);
		return;
	}
	attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL)
		abort();
	attempt->link = link;
	attempt->slot = slot;
	attempt->number = ++link->attempt;
	attempt->conn = link_conn_new(link);
	link_ref(link);
	link->open_slots |= 1U << slot;
	link->phase = LINK_OPENING;
	loop_timer_set(link->connect_timer, link->open_ms);
	link_open_key(link, slot, key);
	if (workers_submit(link->workers, WORKERS_OPEN, key, link_work_open,
		link_opened, attempt) < 0) {
		(void)err_set(&attempt->err, ERR_LIMIT,
		    "too many calls wait for a thread");
		link_opened(attempt, 0);
	}
}

static void
link_on_connect_timer(void *arg)
{
	struct link *link = arg;
	char why[128];

	switch (link->phase) {
	case LINK_WAITING:
		link_open(link);
		return;
	case LINK_OPENING:
		link->phase = LINK_WAITING;
		loop_timer_set(link->connect_timer, link->hang_ms);
		if (link->hang_ms < LINK_HANG_MAX_MS)
			link->hang_ms *= 3;
		(void)snprintf(why, sizeof(why),
		    "no answer to the attempt to connect after %" PRId64 " ms",
		    link->open_ms);
		link_report_lost(link, why);
		return;
	case LINK_LISTING:
	case LINK_UP:
	case LINK_CLOSED:
		return;
	}
}

struct link *
link_new(struct loop *loop, struct workers *workers, const struct hv_ops *ops,
    const char *host, const char *uri, int64_t sample_interval_ms,
    const struct link_callbacks *callbacks, void *arg)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		abort();
	link->loop = loop;
	link->workers = workers;
	link->ops = ops;
	link->host = strdup(host);
	link->uri = strdup(uri);
	if (link->host == NULL || link->uri == NULL)
		abort();
	link->callbacks = *callbacks;
	link->arg = arg;
	link->refs = 1;
	(void)pthread_mutex_init(&link->lock, NULL);
	link->open_ms = LINK_OPEN_MS;
	link->hang_ms = LINK_HANG_MIN_MS;
	link->silent_ms = LINK_SILENT_MS;
	link->sample_interval_ms = sample_interval_ms;
	link->rereads = map_new(free);
	LIST_INIT(&link->calls);
	link->connect_timer = loop_timer_new(loop, link_on_connect_timer, link);
	link->relist_timer = loop_timer_new(loop, link_read_on_relist, link);
	link->sample_timer = loop_timer_new(loop, link_read_on_sample, link);
	link->tick_timer = loop_timer_new(loop, link_call_on_tick, link);
	loop_timer_set(link->connect_timer, 0);
	return link;
}

void
link_close(struct link *link)
{
	struct link_conn *conn;

	if (link == NULL)
		return;
	(void)pthread_mutex_lock(&link->lock);
	link->closing = true;
	(void)pthread_mutex_unlock(&link->lock);
	conn = link->conn;
	link->conn = NULL;
	link->phase = LINK_CLOSED;
	link_read_reset(link);
	link_call_reset(link);
	link_own_reset(link);
	loop_timer_free(link->connect_timer);
	loop_timer_free(link->relist_timer);
	loop_timer_free(link->sample_timer);
	loop_timer_free(link->tick_timer);
	map_free(link->rereads);
	link->rereads = NULL;
	if (conn != NULL)
		link_conn_release(conn);
	link_unref(link);
}

bool
link_is_up(const struct link *link)
{
	return link->phase == LINK_UP;
}

const char *
link_host(const struct link *link)
{
	return link->host;
}

const char *
link_uri(const struct link *link)
{
	return link->uri;
}

uint64_t
link_generation(const struct link *link)
{
	return link->generation;
}

void
link_hurry(struct link *link)
{
	if (link->phase != LINK_WAITING)
		return;
	link->failures = 0;
	link->hang_ms = LINK_HANG_MIN_MS;
	loop_timer_set(link->connect_timer, 0);
}
