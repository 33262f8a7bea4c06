/*
 * Passing events on to whoever follows, without queues.  The events are in the
 * store already, numbered; so a follower is a number, and what has to be sent
 * to it is read from the store when its connection has taken what was sent
 * before.  Nothing is lost on a slow one, nothing grows, and a client that
 * comes back says where it was (Last-Event-ID) and goes on from there.
 *
 * A follower that takes nothing at all is dropped by the connection's write
 * timeout.  One that sends is not listened to: its input is bounded by the
 * read watermark that the server set.
 *
 * evhttp (2.1) hands a request whose connection broke back to us without a
 * connection, and one whose server is freed not at all: on_close() tells the
 * two apart, so that it is freed exactly once.
 */

#include "control/sse.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"

struct follower {
	LIST_ENTRY(follower) next;
	struct sse *sse;
	struct evhttp_request *request;
	int64_t after; /* the last that was sent */
	bool writing;  /* until the connection took it all */
	bool more;     /* something came meanwhile */
};

struct sse {
	const struct control_backend *backend;
	struct loop_timer *heartbeat;
	int count, max;
	LIST_HEAD(, follower) followers;
};

struct batch {
	struct evbuffer *out;
	int64_t last;
	int count;
};

static void on_written(struct evhttp_connection *connection, void *arg);

static void
send_buffer(struct follower *follower, struct evbuffer *out)
{
	follower->writing = true;
	evhttp_send_reply_chunk_with_cb(
	    follower->request, out, on_written, follower);
}

static void
add_event(const struct store_event *event, void *arg)
{
	struct batch *batch = arg;
	const char *line = event->body;

	/* The rest is read again when this much is through. */
	if (evbuffer_get_length(batch->out) >= SSE_CHUNK_MAX)
		return;
	evbuffer_add_printf(batch->out, "id: %lld\nevent: %s\n",
	    (long long)event->seq, event->type);
	for (;;) {
		int len = (int)strcspn(line, "\r\n");

		evbuffer_add_printf(batch->out, "data: %.*s\n", len, line);
		line += len;
		line += strspn(line, "\r\n");
		if (*line == '\0')
			break;
	}
	evbuffer_add(batch->out, "\n", 1);
	batch->last = event->seq;
	batch->count++;
}

static void
pump(struct follower *follower)
{
	const struct control_backend *backend = follower->sse->backend;
	struct batch batch = {0};
	struct err err = {0};

	if (follower->writing) {
		follower->more = true;
		return;
	}
	batch.out = evbuffer_new();
	if (batch.out == NULL)
		return;
	if (backend->events(backend->arg, follower->after, SSE_BATCH, add_event,
		&batch, &err) != 0)
		log_warn("control", "events after %lld cannot be read: %s",
		    (long long)follower->after, err.msg);
	follower->more = batch.count > 0;
	if (batch.count > 0) {
		follower->after = batch.last;
		send_buffer(follower, batch.out);
	}
	evbuffer_free(batch.out);
}

static void
on_written(struct evhttp_connection *connection, void *arg)
{
	struct follower *follower = arg;

	(void)connection;
	follower->writing = false;
	if (follower->more)
		pump(follower);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
	struct follower *follower = arg;

	(void)connection;
	if (evhttp_request_get_connection(follower->request) == NULL)
		evhttp_send_reply_end(follower->request);
	LIST_REMOVE(follower, next);
	follower->sse->count--;
	free(follower);
}

static void
on_heartbeat(void *arg)
{
	struct sse *sse = arg;
	struct follower *follower;
	struct evbuffer *out = evbuffer_new();

	LIST_FOREACH(follower, &sse->followers, next)
	{
		if (follower->writing || out == NULL)
			continue;
		evbuffer_add_printf(out, ": still here\n\n");
		send_buffer(follower, out);
	}
	if (out != NULL)
		evbuffer_free(out);
	if (sse->count > 0)
		loop_timer_set(sse->heartbeat, SSE_HEARTBEAT_MS);
}

struct sse *
sse_new(
    struct loop *loop, const struct control_backend *backend, int followers_max)
{
	struct sse *sse = calloc(1, sizeof(*sse));

	if (sse == NULL)
		abort();
	sse->backend = backend;
	sse->max = followers_max;
	LIST_INIT(&sse->followers);
	sse->heartbeat = loop_timer_new(loop, on_heartbeat, sse);
	return sse;
}

void
sse_free(struct sse *sse)
{
	if (sse == NULL)
		return;
	loop_timer_free(sse->heartbeat);
	free(sse);
}

int
sse_follow(struct sse *sse, struct evhttp_request *request, int64_t after,
    struct err *err)
{
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(request);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const struct timeval write_timeout = {.tv_sec = 60};
	struct follower *follower;
	struct evbuffer *hello;

	if (sse->count >= sse->max)
		return err_set(err, ERR_LIMIT,
		    "%d clients follow events "
		    "already, which is the limit",
		    sse->count);
	follower = calloc(1, sizeof(*follower));
	hello = evbuffer_new();
	if (follower == NULL || hello == NULL)
		abort();
	follower->sse = sse;
	follower->request = request;
	follower->after = after;
	follower->more = true;
	LIST_INSERT_HEAD(&sse->followers, follower, next);
	if (sse->count++ == 0)
		loop_timer_set(sse->heartbeat, SSE_HEARTBEAT_MS);

	evhttp_add_header(headers, "Content-Type", "text/event-stream");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_connection_set_closecb(connection, on_close, follower);
	/* It has nothing to say: silence is no reason to drop it. */
	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection),
	    NULL, &write_timeout);
	evhttp_send_reply_start(request, 200, "OK");
	evbuffer_add_printf(hello, "retry: 1000\n\n");
	send_buffer(follower, hello);
	evbuffer_free(hello);
	return 0;
}

void
sse_wake(struct sse *sse)
{
	struct follower *follower;

	LIST_FOREACH(follower, &sse->followers, next)
	pump(follower);
}

int
sse_count(const struct sse *sse)
{
	return sse->count;
}
