/*
 * Connections for calls that need one of their own.
 *
 * A migration blocks its connection for minutes, an abort must not wait for a
 * listing.  Making a connection costs some round trips, and with TLS or ssh a
 * good deal more, between the decision and the first byte.  So a few idle ones
 * are kept per host that is up.  Who takes one gives it back if it still works;
 * what is missing is opened again, one at a time, in a queue of its own: when
 * that hangs, connecting does not.
 *
 * Only long calls open a connection themselves when none is idle.  Questions
 * that take a while (how fast does a guest write?) have others, so that they
 * never make a migration wait for one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "hv/link_state.h"

#define LINK_OWN_KEY_SIZE 300
#define LINK_OWN_KEYS 16 /* by generation: one that hangs is left */

struct long_call {
	struct link *link;
	uint64_t generation;
	bool aside;
	struct hv_conn *conn; /* the idle one; then the one that was used */
	void (*work)(const struct hv_ops *, struct hv_conn *, void *);
	void (*done)(void *, const struct err *);
	void *item;
	struct err err;
	bool alive;
};

struct open_item {
	struct link *link;
	uint64_t generation;
	struct hv_conn *conn;
	struct err err;
};

struct close_item {
	const struct hv_ops *ops;
	struct hv_conn *conns[LINK_ASIDE_MAX];
	unsigned count;
};

_Static_assert(LINK_IDLE_MAX <= LINK_ASIDE_MAX, "a close_item holds either");

static void
link_own_work_close(void *arg)
{
	struct close_item *item = arg;

	for (unsigned i = 0; i < item->count; i++)
		item->ops->close(item->conns[i]);
}

static void
link_own_closed(void *arg, int cancelled)
{
	(void)cancelled; /* then the process ends and takes it along */
	free(arg);
}

static void
link_own_close(struct link *link, struct hv_conn *const *conns, unsigned count)
{
	struct close_item *item;

	if (count == 0)
		return;
	item = calloc(1, sizeof(*item));
	if (item == NULL)
		abort();
	item->ops = link->ops;
	item->count = count;
	for (unsigned i = 0; i < count; i++)
		item->conns[i] = conns[i];
	if (workers_submit(link->workers, WORKERS_CONTROL, link->host,
		link_own_work_close, link_own_closed, item) < 0)
		free(item);
}

struct hv_conn *
link_own_kept(struct link *link, struct hv_conn *conn)
{
	if (conn == NULL || !link_is_closing(link))
		return conn;
	link->ops->close(conn);
	return NULL;
}

static bool
link_own_is_alive(const struct hv_ops *ops, struct hv_conn *conn)
{
	return ops->alive == NULL || ops->alive(conn);
}

static void
link_own_work_open(void *arg)
{
	struct open_item *item = arg;
	struct link *link = item->link;

	item->conn = link_own_kept(
	    link, link->ops->open(link->uri, NULL, NULL, &item->err));
}

static void
link_own_opened(void *arg, int cancelled)
{
	struct open_item *item = arg;
	struct link *link = item->link;
	bool current = link_is_current(link, item->generation);

	if (current)
		link->idle_opening = false;
	if (item->conn != NULL) {
		link_own_return(link, item->conn, item->generation, true);
		link_own_ready(link);
	} else if (!cancelled) {
		/* The next listing tries again. */
		log_debug("link", "%s: no connection in reserve: %s",
		    link->host, item->err.msg);
	}
	free(item);
	link_unref(link);
}

void
link_own_ready(struct link *link)
{
	char key[LINK_OWN_KEY_SIZE];
	struct open_item *item;

	if (link->phase != LINK_UP || link->idle_opening ||
	    link->idle_count == LINK_IDLE_MAX)
		return;
	item = calloc(1, sizeof(*item));
	if (item == NULL)
		abort();
	item->link = link;
	item->generation = link->generation;
	(void)snprintf(key, sizeof(key), "%s/own%u", link->host,
	    (unsigned)(link->generation % LINK_OWN_KEYS));
	if (workers_submit(link->workers, WORKERS_OPEN, key, link_own_work_open,
		link_own_opened, item) < 0) {
		free(item);
		return;
	}
	link->idle_opening = true;
	link_ref(link);
}

void
link_own_reset(struct link *link)
{
	link_own_close(link, link->idle, link->idle_count);
	link_own_close(link, link->aside, link->aside_count);
	link->aside_count = 0;
	link->idle_count = 0;
	link->idle_opening = false;
}

struct hv_conn *
link_own_take(struct link *link)
{
	struct hv_conn *conn = NULL;

	if (link->idle_count > 0)
		conn = link->idle[--link->idle_count];
	return conn;
}

void
link_own_return(
    struct link *link, struct hv_conn *conn, uint64_t generation, bool alive)
{
	if (conn == NULL)
		return;
	if (alive && link_is_current(link, generation) &&
	    link->idle_count < LINK_IDLE_MAX)
		link->idle[link->idle_count++] = conn;
	else
		link_own_close(link, &conn, 1);
}

static void
link_own_return_aside(
    struct link *link, struct hv_conn *conn, uint64_t generation, bool alive)
{
	if (conn == NULL)
		return;
	if (alive && link_is_current(link, generation) &&
	    link->aside_count < LINK_ASIDE_MAX)
		link->aside[link->aside_count++] = conn;
	else
		link_own_close(link, &conn, 1);
}

static void
link_own_return_long(struct long_call *call, bool alive)
{
	if (call->aside)
		link_own_return_aside(
		    call->link, call->conn, call->generation, alive);
	else
		link_own_return(
		    call->link, call->conn, call->generation, alive);
}

static void
link_own_work_long(void *arg)
{
	struct long_call *call = arg;
	struct link *link = call->link;
	const struct hv_ops *ops = link->ops;
	struct err err = {0};

	if (call->conn != NULL && !link_own_is_alive(ops, call->conn)) {
		ops->close(call->conn);
		call->conn = NULL;
	}
	if (call->conn == NULL)
		call->conn = ops->open(link->uri, NULL, NULL, &err);
	if (call->conn == NULL) {
		(void)err_set(
		    &call->err, ERR_UNREACHABLE, "%s: %s", link->host, err.msg);
		return;
	}
	call->work(ops, call->conn, call->item);
	call->alive = link_own_is_alive(ops, call->conn);
	call->conn = link_own_kept(link, call->conn);
}

static void
link_own_long_finished(void *arg, int cancelled)
{
	struct long_call *call = arg;
	struct link *link = call->link;

	if (cancelled)
		(void)err_set(&call->err, ERR_ABORTED, "shutting down");
	link_own_return_long(call, call->alive);
	call->done(call->item, &call->err);
	free(call);
	link_unref(link);
}

static void
link_own_long_refused(void *arg)
{
	struct long_call *call = arg;
	struct link *link = call->link;

	call->done(call->item, &call->err);
	free(call);
	link_unref(link);
}

static struct hv_conn *
link_own_take_aside(struct link *link)
{
	return link->aside_count > 0 ? link->aside[--link->aside_count] : NULL;
}

static void
link_own_call(struct link *link, bool aside,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item)
{
	struct long_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->link = link;
	call->generation = link->generation;
	call->aside = aside;
	call->work = work;
	call->done = done;
	call->item = item;
	link_ref(link);
	if (link->conn == NULL) {
		(void)err_set(&call->err, ERR_UNREACHABLE, "%s: not connected",
		    link->host);
		loop_post(link->loop, link_own_long_refused, call);
		return;
	}
	call->conn = aside ? link_own_take_aside(link) : link_own_take(link);
	if (workers_submit(link->workers, WORKERS_LONG, link->host,
		link_own_work_long, link_own_long_finished, call) < 0) {
		link_own_return_long(call, true);
		(void)err_set(&call->err, ERR_LIMIT, "%s: too many calls wait",
		    link->host);
		loop_post(link->loop, link_own_long_refused, call);
		return;
	}
	if (!aside)
		link_own_ready(link);
}

void
link_call_long(struct link *link,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item)
{
	link_own_call(link, false, work, done, item);
}

void
link_call_aside(struct link *link,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item)
{
	link_own_call(link, true, work, done, item);
}
