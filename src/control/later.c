/*
 * A held request belongs to three who may leave first: the client, who closes
 * the connection; the one who works on the answer; and the server, which ends.
 * The place in the list outlives the first, is given back by the second, and
 * goes with the third.
 *
 * As in sse.c: evhttp (2.1) hands a request whose connection broke back to us
 * without a connection, and frees it itself when the server is freed.
 */
#include "control/later.h"

#include <event2/bufferevent.h>
#include <stdlib.h>
#include <sys/queue.h>

struct held {
	LIST_ENTRY(held) link;
	struct later *later;
	struct evhttp_request *request; /* NULL: the client has left */
};

struct later {
	later_send_fn *send;
	int count, max;
	LIST_HEAD(, held) helds;
};

struct later *
later_new(int max, later_send_fn *send)
{
	struct later *later = calloc(1, sizeof(*later));

	if (later == NULL)
		abort();
	later->max = max;
	later->send = send;
	LIST_INIT(&later->helds);
	return later;
}

static void
held_free(struct held *held)
{
	LIST_REMOVE(held, link);
	held->later->count--;
	free(held);
}

void
later_free(struct later *later)
{
	if (later == NULL)
		return;
	while (!LIST_EMPTY(&later->helds))
		held_free(LIST_FIRST(&later->helds));
	free(later);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
	struct held *held = arg;

	(void)connection;
	if (evhttp_request_get_connection(held->request) == NULL)
		evhttp_send_reply_end(held->request);
	held->request = NULL;
}

void *
later_hold(struct later *later, struct evhttp_request *request, struct err *err)
{
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(request);
	const struct timeval write_timeout = {.tv_sec = 60};
	struct held *held;

	if (later->count >= later->max) {
		err_set(err, ERR_LIMIT,
		    "%d requests wait for their answer already, which is the "
		    "limit: try again",
		    later->count);
		return NULL;
	}
	held = calloc(1, sizeof(*held));
	if (held == NULL)
		abort();
	held->later = later;
	held->request = request;
	LIST_INSERT_HEAD(&later->helds, held, link);
	later->count++;
	evhttp_connection_set_closecb(connection, on_close, held);
	/* It waits for us: its silence is no reason to drop it. */
	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection),
	    NULL, &write_timeout);
	return held;
}

void
later_let_go(void *arg)
{
	struct held *held = arg;

	if (held->request != NULL)
		evhttp_connection_set_closecb(
		    evhttp_request_get_connection(held->request), NULL, NULL);
	held_free(held);
}

void
later_done(json_t *answer, const struct err *err, void *arg)
{
	struct held *held = arg;
	struct evhttp_request *request = held->request;
	struct later *later = held->later;

	later_let_go(held);
	if (request != NULL) {
		/* Its timeouts are not those of an idle connection. */
		evhttp_add_header(evhttp_request_get_output_headers(request),
		    "Connection", "close");
		later->send(request, answer, err);
	}
	json_decref(answer);
}
