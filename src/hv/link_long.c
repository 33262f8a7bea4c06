/*
 * Connections for long calls.
 *
 * A libvirt daemon works on at most five requests of one connection at a time
 * (max_client_requests); a sixth migration on it would block keepalive and
 * aborts and end in a reset.  So a migration has a connection to itself.
 *
 * Making one costs a few round trips, and with TLS or ssh a good deal more,
 * between the decision and the first byte.  So one idle connection is kept per
 * host that is up; the first call takes it, and another is made.  One that
 * comes back from a call fills the place when it is empty.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "hv/link_state.h"

#define LINK_LONG_KEY_SIZE 300

struct long_call {
	struct link *link;
	uint64_t generation;
	struct hv_conn *conn;	/* the spare; then the one that was used */
	void (*work)(const struct hv_ops *, struct hv_conn *, void *);
	void (*done)(void *, const struct err *);
	void *item;
	struct err err;
	bool alive;
};

struct spare_item {
	struct link *link;
	uint64_t generation;
	struct hv_conn *conn;
	struct err err;
};

struct dispose_item {
	const struct hv_ops *ops;
	struct hv_conn *conn;
};

static void
link_long_work_dispose(void *arg)
{
	struct dispose_item *item = arg;

	item->ops->close(item->conn);
}

static void
link_long_disposed(void *arg, int cancelled)
{
	(void)cancelled;	/* then the process ends and takes it along */
	free(arg);
}

void
link_long_dispose(struct link *link, struct hv_conn *conn)
{
	struct dispose_item *item;

	if (conn == NULL)
		return;
	item = calloc(1, sizeof(*item));
	if (item == NULL)
		abort();
	item->ops = link->ops;
	item->conn = conn;
	if (workers_submit(link->workers, WORKERS_NORMAL, link->host,
	    link_long_work_dispose, link_long_disposed, item) < 0)
		free(item);
}

static bool
link_long_is_alive(const struct hv_ops *ops, struct hv_conn *conn)
{
	return ops->alive == NULL || ops->alive(conn);
}

static void
link_long_work_spare(void *arg)
{
	struct spare_item *item = arg;
	struct link *link = item->link;

	item->conn = link->ops->open(link->uri, NULL, NULL, &item->err);
}

static void
link_long_spare_opened(void *arg, int cancelled)
{
	struct spare_item *item = arg;
	struct link *link = item->link;

	link->spare_opening = false;
	if (link_is_current(link, item->generation) && link->spare == NULL)
		link->spare = item->conn;
	else
		link_long_dispose(link, item->conn);
	if (item->conn == NULL && !cancelled)
		log_debug("link", "%s: no connection in reserve: %s",
		    link->host, item->err.msg);
	free(item);
	link_unref(link);
}

void
link_long_ready(struct link *link)
{
	char key[LINK_LONG_KEY_SIZE];
	struct spare_item *item;

	if (link->phase != LINK_UP || link->spare != NULL ||
	    link->spare_opening)
		return;
	item = calloc(1, sizeof(*item));
	if (item == NULL)
		abort();
	item->link = link;
	item->generation = link->generation;
	/* A queue of its own: if this hangs, connecting must not. */
	(void)snprintf(key, sizeof(key), "%s/spare", link->host);
	if (workers_submit(link->workers, WORKERS_OPEN, key,
	    link_long_work_spare, link_long_spare_opened, item) < 0) {
		free(item);
		return;
	}
	link->spare_opening = true;
	link_ref(link);
}

void
link_long_reset(struct link *link)
{
	link_long_dispose(link, link->spare);
	link->spare = NULL;
}

static void
link_long_work(void *arg)
{
	struct long_call *call = arg;
	struct link *link = call->link;
	const struct hv_ops *ops = link->ops;
	struct err err = { 0 };

	if (call->conn != NULL && !link_long_is_alive(ops, call->conn)) {
		ops->close(call->conn);
		call->conn = NULL;
	}
	if (call->conn == NULL)
		call->conn = ops->open(link->uri, NULL, NULL, &err);
	if (call->conn == NULL) {
		(void)err_set(&call->err, ERR_UNREACHABLE, "%s: %s",
		    link->host, err.msg);
		return;
	}
	call->work(ops, call->conn, call->item);
	call->alive = link_long_is_alive(ops, call->conn);
}

static void
link_long_finished(void *arg, int cancelled)
{
	struct long_call *call = arg;
	struct link *link = call->link;

	if (cancelled)
		(void)err_set(&call->err, ERR_ABORTED, "shutting down");
	if (call->alive && link_is_current(link, call->generation) &&
	    link->spare == NULL && !link->spare_opening)
		link->spare = call->conn;
	else
		link_long_dispose(link, call->conn);
	call->done(call->item, &call->err);
	free(call);
	link_unref(link);
}

static void
link_long_refused(void *arg)
{
	struct long_call *call = arg;
	struct link *link = call->link;

	call->done(call->item, &call->err);
	free(call);
	link_unref(link);
}

void
link_call_long(struct link *link,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item)
{
	struct long_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->link = link;
	call->generation = link->generation;
	call->work = work;
	call->done = done;
	call->item = item;
	link_ref(link);
	if (link->conn == NULL) {
		(void)err_set(&call->err, ERR_UNREACHABLE,
		    "%s: not connected", link->host);
		loop_post(link->loop, link_long_refused, call);
		return;
	}
	call->conn = link->spare;
	link->spare = NULL;
	if (workers_submit(link->workers, WORKERS_LONG, link->host,
	    link_long_work, link_long_finished, call) < 0) {
		link_long_dispose(link, call->conn);
		(void)err_set(&call->err, ERR_LIMIT,
		    "%s: too many calls wait", link->host);
		loop_post(link->loop, link_long_refused, call);
		return;
	}
	link_long_ready(link);
}
