/*
 * The control socket: libevent's evhttp on a unix socket, so that any HTTP
 * client can ask, and everything stays on the loop thread.  This file knows
 * evhttp and nothing of what is asked; routes.c knows the questions and nothing
 * of evhttp; sse.c keeps those who follow events, later.c those whose answer
 * takes a while.
 *
 * The socket's mode is the gate.  The peer's credentials say who did it, for
 * the log and the records; a connection that has none is refused.
 *
 * Memory per connection is bounded: evhttp refuses bodies above HARD_BODY_MAX
 * in its own words before they are read, this file refuses those above
 * SERVER_BODY_MAX in ours, and the read watermark stops a client that goes on
 * sending while it is being answered.
 */

#include "control/server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/later.h"
#include "control/routes.h"
#include "control/socket.h"
#include "control/sse.h"

#define ALERTS_BODY_MAX (1024 * 1024)
#define HARD_BODY_MAX (ALERTS_BODY_MAX + 4 * SERVER_BODY_MAX)
#define HEADERS_MAX (16 * 1024)
#define READ_WATERMARK (HARD_BODY_MAX + HEADERS_MAX)
#define IDLE_TIMEOUT_S 60

struct server {
	const struct control_backend *backend;
	char *path;
	struct socket_listener listener;
	struct evhttp *http;
	struct sse *sse;
	struct later *later;
};

static const char *
method_name(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_TRACE:
		return "TRACE";
	case EVHTTP_REQ_CONNECT:
		return "CONNECT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	}
	return "?";
}

static void
send_reply(struct evhttp_request *http, const struct routes_reply *reply)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
	struct evbuffer *out = evbuffer_new();
	/* 15 digits: 0.1 stays 0.1. */
	char *text =
	    json_dumps(reply->body, JSON_COMPACT | JSON_REAL_PRECISION(15));

	if (out == NULL || text == NULL)
		abort();
	evbuffer_add_printf(out, "%s\n", text);
	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (reply->allow != NULL)
		evhttp_add_header(headers, "Allow", reply->allow);
	evhttp_send_reply(http, reply->status, NULL, out);
	evbuffer_free(out);
	free(text);
}

static void
send_text(struct evhttp_request *http, const struct routes_reply *reply)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
	struct evbuffer *out = evbuffer_new();

	if (out == NULL)
		abort();
	evbuffer_add(out, reply->text, strlen(reply->text));
	evhttp_add_header(headers, "Content-Type",
	    "text/plain; version=0.0.4; charset=utf-8");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_send_reply(http, reply->status, NULL, out);
	evbuffer_free(out);
}

static void
send_error(struct evhttp_request *http, int status, const char *code,
    const char *message)
{
	struct routes_reply reply = {.status = status};

	reply.body = routes_error(code, message, NULL);
	send_reply(http, &reply);
	json_decref(reply.body);
}

static void
send_later(struct evhttp_request *http, json_t *answer, const struct err *err)
{
	struct routes_reply reply;

	routes_finish(answer, err, &reply);
	send_reply(http, &reply);
	json_decref(reply.body);
}

static void
begin_test(struct server *server, struct evhttp_request *http,
    const struct routes_request *request, const struct routes_test *test)
{
	const struct control_backend *backend = server->backend;
	struct err err = {0};
	void *held = later_hold(server->later, http, &err);

	if (held != NULL &&
	    backend->receiver_test(backend->arg, test->name,
		test->event[0] != '\0' ? test->event : NULL, &request->peer,
		later_done, held, &err) == 0)
		return;
	if (held != NULL) {
		later_let_go(held);
		/* It has no idle timeout any more. */
		evhttp_add_header(evhttp_request_get_output_headers(http),
		    "Connection", "close");
	}
	log_debug("control", "%s: %s", request->path, err.msg);
	send_later(http, NULL, &err);
}

static void
log_request(const struct routes_request *request, int status)
{
	if (strcmp(request->method, "GET") == 0)
		log_debug("control", "%s %s by uid %u pid %d: %d",
		    request->method, request->path, (unsigned)request->peer.uid,
		    (int)request->peer.pid, status);
	else
		log_info("control", "%s %s by uid %u pid %d: %d",
		    request->method, request->path, (unsigned)request->peer.uid,
		    (int)request->peer.pid, status);
}

static void
answer(struct server *server, struct evhttp_request *http,
    const struct routes_request *request)
{
	struct routes_reply reply;
	struct err err = {0};

	routes_dispatch(server->backend, request, &reply);
	log_request(request, reply.status);
	if (reply.text != NULL)
		send_text(http, &reply);
	else if (reply.test != NULL)
		begin_test(server, http, request, reply.test);
	else if (!reply.follow && reply.body == NULL)
		send_error(http, 500, err_code_name(ERR_INTERNAL),
		    "the answer cannot be put into JSON");
	else if (!reply.follow)
		send_reply(http, &reply);
	else if (sse_follow(server->sse, http, reply.after, &err) != 0)
		send_error(http, 503, err_code_name(err.code), err.msg);
	json_decref(reply.body);
	free(reply.text);
	free(reply.test);
}

static size_t
body_max(const char *path)
{
	return strcmp(path, ROUTES_ALERTS) == 0 ? ALERTS_BODY_MAX
						: SERVER_BODY_MAX;
}

static void
on_request(struct evhttp_request *http, void *arg)
{
	struct server *server = arg;
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(http);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	struct evbuffer *body = evhttp_request_get_input_buffer(http);
	struct routes_request request = {
	    .method = method_name(evhttp_request_get_command(http)),
	    .path = evhttp_uri_get_path(uri),
	    .query = evhttp_uri_get_query(uri),
	    .body_len = evbuffer_get_length(body),
	    .last_event_id = evhttp_find_header(
		evhttp_request_get_input_headers(http), "Last-Event-ID"),
	};

	if (!socket_peer(bufferevent_getfd(
			     evhttp_connection_get_bufferevent(connection)),
		&request.peer)) {
		send_error(http, 403, "refused",
		    "the connection does not say who you are");
		return;
	}
	if (request.path == NULL)
		request.path = "";
	if (request.body_len > body_max(request.path)) {
		send_error(http, 413, "limit",
		    strcmp(request.path, ROUTES_ALERTS) == 0
			? "the body is larger than 1 MiB"
			: "the body is larger than 64 KiB");
		return;
	}
	if (request.body_len > 0)
		request.body = (const char *)evbuffer_pullup(body, -1);
	answer(server, http, &request);
}

static struct bufferevent *
make_bufferevent(struct event_base *base, void *arg)
{
	struct bufferevent *connection =
	    bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	(void)arg;
	if (connection != NULL)
		bufferevent_setwatermark(
		    connection, EV_READ, 0, READ_WATERMARK);
	return connection;
}

struct server *
server_new(struct loop *loop, const char *socket_path, const char *group,
    const struct control_backend *backend, struct err *err)
{
	struct socket_listener listener;
	struct server *server;

	if (socket_listen(socket_path, group, &listener, err) != 0)
		return NULL;
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		abort();
	server->backend = backend;
	server->path = strdup(socket_path);
	server->listener = listener;
	server->http = evhttp_new(loop_base(loop));
	if (server->path == NULL || server->http == NULL)
		abort();
	server->sse = sse_new(loop, backend, SERVER_FOLLOWERS_MAX);
	server->later = later_new(SERVER_LATER_MAX, send_later);
	evhttp_set_max_headers_size(server->http, HEADERS_MAX);
	evhttp_set_max_body_size(server->http, HARD_BODY_MAX);
	evhttp_set_timeout(server->http, IDLE_TIMEOUT_S);
	/* All of them, so that a wrong one gets an answer of ours. */
	evhttp_set_allowed_methods(server->http, 0xffff);
	evhttp_set_bevcb(server->http, make_bufferevent, NULL);
	evhttp_set_gencb(server->http, on_request, server);
	if (evhttp_accept_socket(server->http, listener.fd) != 0) {
		err_set(err, ERR_IO, "%s: libevent does not take the socket",
		    socket_path);
		close(listener.fd);
		server_free(server);
		return NULL;
	}
	return server;
}

void
server_free(struct server *server)
{
	if (server == NULL)
		return;
	socket_unlink(&server->listener, server->path);
	evhttp_free(server->http);
	sse_free(server->sse);
	later_free(server->later);
	free(server->path);
	free(server);
}

void
server_push_event(struct server *server, const struct store_event *event)
{
	(void)event;
	sse_wake(server->sse);
}
