/*
 * A listener that strangers can reach, so that all of it is bounded.
 *
 * evhttp limits what one connection may hold and how long it may be silent, but
 * neither how many there are nor how long one may trickle.  For that each
 * connection's bufferevent is held by a reference of ours: when evhttp is done
 * with one it takes its callbacks off, which is how a look at it tells; and one
 * that has had its time is shut down under evhttp, which sees the end and lets
 * it go.  A full house stops accepting; the kernel's queue holds who waits.
 *
 * The token is compared in a time that does not tell how much of it was right.
 */
#include "control/inbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/routes.h"
#include "notify/sign.h"

#define BODY_MAX (1024 * 1024)
#define HARD_BODY_MAX (2 * BODY_MAX)
#define HEADERS_MAX (16 * 1024)
#define IDLE_TIMEOUT_S 10
#define SWEEP_MS 500
#define QUIET_MS 60000 /* between two complaints about wrong tokens */

struct guest {
	struct bufferevent *connection; /* a reference of ours */
	struct mono until;
	bool shut;
};

struct inbound {
	const struct control_backend *backend;
	struct inbound_token token;
	struct evhttp *http;
	struct evconnlistener *listener; /* evhttp's */
	struct loop_timer *sweep;
	struct guest guests[INBOUND_CONNECTIONS_MAX];
	size_t count;
	unsigned refused; /* since the last complaint */
	struct mono complained;
};

/* ---- who is here ---- */

static bool
is_gone(struct bufferevent *connection)
{
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *arg;

	bufferevent_getcb(connection, &on_read, &on_write, &on_event, &arg);
	return on_event == NULL;
}

static void
sweep(void *arg)
{
	struct inbound *in = arg;
	struct mono now = clock_mono_now();
	size_t kept = 0;

	for (size_t i = 0; i < in->count; i++) {
		struct guest *guest = &in->guests[i];

		if (is_gone(guest->connection)) {
			bufferevent_decref(guest->connection);
			continue;
		}
		if (!guest->shut && !mono_before(now, guest->until)) {
			guest->shut = true;
			(void)shutdown(
			    bufferevent_getfd(guest->connection), SHUT_RDWR);
		}
		in->guests[kept++] = *guest;
	}
	in->count = kept;
	if (in->count < INBOUND_CONNECTIONS_MAX)
		evconnlistener_enable(in->listener);
	if (in->count > 0)
		loop_timer_set(in->sweep, SWEEP_MS);
}

static struct bufferevent *
on_accept(struct event_base *base, void *arg)
{
	struct inbound *in = arg;
	struct bufferevent *connection =
	    bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	if (connection == NULL)
		abort();
	bufferevent_setwatermark(
	    connection, EV_READ, 0, HARD_BODY_MAX + HEADERS_MAX);
	if (in->count >= INBOUND_CONNECTIONS_MAX / 2)
		sweep(in);
	/* There is room: the listener sleeps otherwise. */
	bufferevent_incref(connection);
	in->guests[in->count++] = (struct guest){.connection = connection,
	    .until = mono_add(clock_mono_now(), INBOUND_DEADLINE_MS)};
	if (in->count == INBOUND_CONNECTIONS_MAX)
		evconnlistener_disable(in->listener);
	if (in->count == 1)
		loop_timer_set(in->sweep, SWEEP_MS);
	return connection;
}

/* ---- requests ---- */

static void
reply(struct evhttp_request *http, int status, json_t *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
	struct evbuffer *out = evbuffer_new();
	char *text = json_dumps(body, JSON_COMPACT);

	if (out == NULL || text == NULL)
		abort();
	evbuffer_add_printf(out, "%s\n", text);
	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Connection", "close");
	if (status == 405)
		evhttp_add_header(headers, "Allow", "POST");
	if (status == 401)
		evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
	evhttp_send_reply(http, status, NULL, out);
	evbuffer_free(out);
	free(text);
	json_decref(body);
}

static bool
is_permitted(const struct inbound *in, struct evhttp_request *http)
{
	const char *header = evhttp_find_header(
	    evhttp_request_get_input_headers(http), "Authorization");
	size_t len = strlen(in->token.text);

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0 ||
	    len == 0)
		return false;
	header += 7;
	header += strspn(header, " ");
	return strlen(header) == len &&
	    gnutls_memcmp(header, in->token.text, len) == 0;
}

static void
complain(struct inbound *in, struct evhttp_request *http)
{
	struct mono now = clock_mono_now();
	char *from = NULL;
	ev_uint16_t port = 0;

	in->refused++;
	if (in->complained.ms != 0 && mono_diff(now, in->complained) < QUIET_MS)
		return;
	evhttp_connection_get_peer(
	    evhttp_request_get_connection(http), &from, &port);
	log_warn("alert",
	    "%u request%s without the right token (alerts.token_file), the "
	    "last from %s",
	    in->refused, in->refused == 1 ? "" : "s",
	    from != NULL ? from : "?");
	in->complained = now;
	in->refused = 0;
}

static void
take(struct inbound *in, struct evhttp_request *http)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(http);
	struct routes_request request = {.method = "POST",
	    .path = ROUTES_ALERTS,
	    .body_len = evbuffer_get_length(body)};
	struct routes_reply answer;

	if (request.body_len > BODY_MAX) {
		reply(http, 413,
		    routes_error("limit",
			"the body is larger than 1 MiB: set max_alerts in "
			"Alertmanager's webhook_config",
			NULL));
		return;
	}
	if (request.body_len > 0)
		request.body = (const char *)evbuffer_pullup(body, -1);
	routes_dispatch(in->backend, &request, &answer);
	if (answer.status != 200)
		log_warn("alert", "a post was refused: %s",
		    json_string_value(json_object_get(
			json_object_get(answer.body, "error"), "message")));
	reply(http, answer.status, answer.body);
}

static void
on_request(struct evhttp_request *http, void *arg)
{
	struct inbound *in = arg;
	const char *path =
	    evhttp_uri_get_path(evhttp_request_get_evhttp_uri(http));

	if (path == NULL || strcmp(path, ROUTES_ALERTS) != 0) {
		reply(http, 404,
		    routes_error(
			"not-found", "here is only POST " ROUTES_ALERTS, NULL));
	} else if (evhttp_request_get_command(http) != EVHTTP_REQ_POST) {
		reply(http, 405,
		    routes_error("method-not-allowed",
			"here is only POST " ROUTES_ALERTS, NULL));
	} else if (!is_permitted(in, http)) {
		complain(in, http);
		reply(http, 401,
		    routes_error("refused",
			"the header \"Authorization: Bearer TOKEN\" is "
			"missing or wrong",
			NULL));
	} else {
		take(in, http);
	}
}

/* ---- open and close ---- */

int
inbound_read_token(
    const struct settings *settings, struct inbound_token *out, struct err *err)
{
	char line[SIGN_LINE_SIZE];
	size_t len;

	*out = (struct inbound_token){{0}};
	if (settings->alerts_listen == NULL)
		return 0;
	if (sign_read_line(settings->alerts_token_file, line, err) != 0)
		return err_prefix(err, "alerts.token_file");
	len = strlen(line);
	if (len >= INBOUND_TOKEN_MIN)
		memcpy(out->text, line, len + 1);
	gnutls_memset(line, 0, sizeof(line));
	if (len < INBOUND_TOKEN_MIN)
		return err_set(err, ERR_INVALID,
		    "alerts.token_file: %s: the token has %zu characters and "
		    "wants at least %d (openssl rand -hex 32)",
		    settings->alerts_token_file, len, INBOUND_TOKEN_MIN);
	if (out->text[strcspn(out->text, " \t")] != '\0')
		return err_set(err, ERR_INVALID,
		    "alerts.token_file: %s: a token has no spaces",
		    settings->alerts_token_file);
	return 0;
}

static int
split_address(const char *listen, char host[64], ev_uint16_t *out_port)
{
	const char *colon = strrchr(listen, ':');
	size_t len = colon != NULL ? (size_t)(colon - listen) : 0;

	if (listen[0] == '[' && len > 2) {
		listen++;
		len -= 2;
	}
	if (len == 0 || len >= 64)
		return -1;
	memcpy(host, listen, len);
	host[len] = '\0';
	*out_port = (ev_uint16_t)strtoul(colon + 1, NULL, 10);
	return 0;
}

static bool
is_loopback(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

int
inbound_open(struct loop *loop, const struct settings *settings,
    const struct control_backend *backend, struct inbound **out,
    struct err *err)
{
	struct evhttp_bound_socket *bound;
	struct inbound_token token;
	struct inbound *in;
	ev_uint16_t port;
	char host[64];

	*out = NULL;
	if (settings->alerts_listen == NULL)
		return 0;
	if (inbound_read_token(settings, &token, err) != 0)
		return -1;
	if (split_address(settings->alerts_listen, host, &port) != 0)
		return err_set(err, ERR_INVALID, "alerts.listen: %s",
		    settings->alerts_listen);
	in = calloc(1, sizeof(*in));
	if (in == NULL || (in->http = evhttp_new(loop_base(loop))) == NULL)
		abort();
	in->backend = backend;
	in->token = token;
	gnutls_memset(&token, 0, sizeof(token));
	in->sweep = loop_timer_new(loop, sweep, in);
	evhttp_set_max_headers_size(in->http, HEADERS_MAX);
	evhttp_set_max_body_size(in->http, HARD_BODY_MAX);
	evhttp_set_timeout(in->http, IDLE_TIMEOUT_S);
	evhttp_set_allowed_methods(in->http, 0xffff);
	evhttp_set_bevcb(in->http, on_accept, in);
	evhttp_set_gencb(in->http, on_request, in);
	bound = evhttp_bind_socket_with_handle(in->http, host, port);
	if (bound == NULL) {
		inbound_free(in);
		return err_set(err, ERR_IO, "alerts.listen: %s: %s",
		    settings->alerts_listen, strerror(errno));
	}
	in->listener = evhttp_bound_socket_get_listener(bound);
	if (!is_loopback(host))
		log_warn("alert",
		    "%s is reachable from other machines, and the token goes "
		    "over the network as it is: put a proxy with TLS before it",
		    settings->alerts_listen);
	*out = in;
	return 0;
}

void
inbound_free(struct inbound *in)
{
	if (in == NULL)
		return;
	evhttp_free(in->http);
	for (size_t i = 0; i < in->count; i++)
		bufferevent_decref(in->guests[i].connection);
	loop_timer_free(in->sweep);
	gnutls_memset(&in->token, 0, sizeof(in->token));
	free(in);
}

void
inbound_set_token(struct inbound *in, const struct inbound_token *token)
{
	if (in != NULL)
		in->token = *token;
}
