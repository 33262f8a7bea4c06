#ifndef DROVER_TESTS_HTTP_FIXTURE_H
#define DROVER_TESTS_HTTP_FIXTURE_H

/*
 * A server in threads of its own, which may speak TLS and may misbehave, and
 * one exchange with it on a loop.  Every URL holds TOKEN, which must not be
 * found in any error.  Included once per program.
 */

#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "notify/http.h"

#define TOKEN "T0KEN"
#define DEADLINE_MS 30000
#define PEERS_MAX 16
#define REQUEST_MAX 4096
#define ANSWER_MAX 4096

/* ---- the server ---- */

struct server;

struct peer {
	struct server *server;
	int fd;
	gnutls_session_t tls; /* NULL: plain */
	pthread_t thread;
	char request[REQUEST_MAX]; /* the last one */
};

struct server {
	int fd, port;
	pthread_t thread;
	gnutls_certificate_credentials_t credentials; /* NULL: plain */
	const char *priority;                         /* NULL: usual */
	bool wants_certificate;
	/* After each request; false ends the connection.  NULL: 200. */
	bool (*talk)(struct peer *peer);
	bool deaf; /* never reads, and talks at once */
	pthread_mutex_t lock;
	struct peer peers[PEERS_MAX];
	int peer_count, request_count;
	char request[REQUEST_MAX], name[256]; /* last; name: of TLS */
	atomic_size_t sent;
};

static inline bool
peer_send_all(struct peer *p, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = p->tls != NULL
		    ? gnutls_record_send(p->tls, data, len)
		    : send(p->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p->server->sent += (size_t)n;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static inline bool
peer_send(struct peer *p, const char *text)
{
	return peer_send_all(p, text, strlen(text));
}

static inline bool
peer_reset(struct peer *p)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return false;
}

static inline bool
peer_receive(struct peer *p)
{
	size_t len = 0, body = 0;
	char *end = NULL;

	while (len < sizeof(p->request) - 1) {
		size_t room = sizeof(p->request) - 1 - len;
		ssize_t n = p->tls != NULL
		    ? gnutls_record_recv(p->tls, p->request + len, room)
		    : recv(p->fd, p->request + len, room, 0);
		const char *said;

		if (n <= 0)
			return false;
		len += (size_t)n;
		p->request[len] = '\0';
		end = strstr(p->request, "\r\n\r\n");
		if (end == NULL)
			continue;
		said = strstr(p->request, "Content-Length: ");
		body = said != NULL ? strtoul(said + 16, NULL, 10) : 0;
		if (len >= (size_t)(end + 4 - p->request) + body)
			return true;
	}
	return false;
}

static inline bool
peer_shake_hands(struct peer *p)
{
	struct server *s = p->server;
	size_t len = sizeof(s->name) - 1;
	unsigned kind;
	int rc;

	if (s->credentials == NULL)
		return true;
	gnutls_init(&p->tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
	if (s->priority != NULL)
		gnutls_priority_set_direct(p->tls, s->priority, NULL);
	else
		gnutls_set_default_priority(p->tls);
	gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, s->credentials);
	gnutls_certificate_server_set_request(p->tls,
	    s->wants_certificate ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
	if (s->wants_certificate)
		gnutls_session_set_verify_cert(p->tls, NULL, 0);
	gnutls_transport_set_int(p->tls, p->fd);
	do {
		rc = gnutls_handshake(p->tls);
	} while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
	pthread_mutex_lock(&s->lock);
	s->name[0] = '\0';
	if (gnutls_server_name_get(p->tls, s->name, &len, &kind, 0) == 0)
		s->name[len] = '\0';
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		return true;
	/* A close with something unread would take the alert back. */
	gnutls_alert_send_appropriate(p->tls, rc);
	shutdown(p->fd, SHUT_WR);
	while (recv(p->fd, p->request, sizeof(p->request), 0) > 0)
		;
	return false;
}

static inline void *
peer_run(void *arg)
{
	struct peer *p = arg;
	struct server *s = p->server;
	bool on = true;

	if (!s->deaf)
		on = peer_shake_hands(p);
	while (on && (s->deaf || peer_receive(p))) {
		pthread_mutex_lock(&s->lock);
		s->request_count++;
		memcpy(s->request, p->request, sizeof(s->request));
		pthread_mutex_unlock(&s->lock);
		if (s->talk != NULL)
			on = s->talk(p);
		else
			on = peer_send(
			    p, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	}
	if (p->tls != NULL)
		gnutls_deinit(p->tls);
	pthread_mutex_lock(&s->lock);
	close(p->fd);
	p->fd = -1;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static inline void *
server_run(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		struct peer *p = &s->peers[s->peer_count];

		pthread_mutex_lock(&s->lock);
		ck_assert_int_lt(s->peer_count, PEERS_MAX);
		s->peer_count++;
		p->server = s;
		p->fd = fd;
		pthread_mutex_unlock(&s->lock);
		ck_assert_int_eq(
		    pthread_create(&p->thread, NULL, peer_run, p), 0);
	}
	return NULL;
}

static inline void
server_listen(struct server *s, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in bound;

	s->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(s->fd, 0);
	ck_assert_int_eq(bind(s->fd, addr, len), 0);
	ck_assert_int_eq(listen(s->fd, 16), 0);
	if (addr->sa_family == AF_INET) {
		len = sizeof(bound);
		getsockname(s->fd, (struct sockaddr *)&bound, &len);
		s->port = ntohs(bound.sin_port);
	}
	pthread_mutex_init(&s->lock, NULL);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, server_run, s), 0);
}

static inline void
server_start(struct server *s)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	server_listen(s, (const struct sockaddr *)&addr, sizeof(addr));
}

static inline void
server_start_unix(struct server *s, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	server_listen(s, (const struct sockaddr *)&addr, sizeof(addr));
}

static inline void
server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < s->peer_count; i++)
		if (s->peers[i].fd >= 0)
			shutdown(s->peers[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < s->peer_count; i++)
		pthread_join(s->peers[i].thread, NULL);
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
}

/* ---- the client ---- */

static struct loop *loop;
static struct http *http;
static char dir[64], url[160];
static struct server server; /* zeroed for each test */

/* What became of the last exchange. */
static struct {
	bool done;
	int code,
	    status; /* status: what on_status said; 0: it was not called */
	int64_t retry_after_s;
	char error[256], text[ANSWER_MAX + 1];
} outcome;

static inline void
on_status(int code, void *arg)
{
	(void)arg;
	outcome.status = code;
}

static inline void
on_done(const struct http_answer *answer, void *arg)
{
	(void)arg;
	ck_assert(!outcome.done);
	outcome.done = true;
	outcome.code = answer->code;
	outcome.retry_after_s = answer->retry_after_s;
	snprintf(outcome.text, sizeof(outcome.text), "%s", answer->text);
	snprintf(outcome.error, sizeof(outcome.error), "%s",
	    answer->error != NULL ? answer->error : "");
}

static inline void
tick(void *arg)
{
	(void)arg;
}

static inline void
run_until_done(void)
{
	struct mono end = mono_add(clock_mono_now(), DEADLINE_MS);
	struct loop_timer *timer = loop_timer_new(loop, tick, NULL);

	while (!outcome.done) {
		ck_assert_msg(mono_before(clock_mono_now(), end),
		    "no end of the exchange");
		loop_timer_set(timer, 20);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	loop_timer_free(timer);
}

static inline struct http_post
make_post(const struct http_transport *transport)
{
	return (struct http_post){.url = url,
	    .transport = transport,
	    .headers = {"Content-Type: application/json"},
	    .body = "{\"guest\":\"web1\"}",
	    .len = 16,
	    .timeout_ms = DEADLINE_MS,
	    .answer_max = ANSWER_MAX,
	    .on_status = on_status,
	    .on_done = on_done};
}

static inline void
begin_exchange(const struct http_post *post)
{
	struct err err = {0};

	memset(&outcome, 0, sizeof(outcome));
	ck_assert_msg(http_post(http, post, &err) != NULL, "%s", err.msg);
}

static inline void
exchange(const struct http_post *post)
{
	begin_exchange(post);
	run_until_done();
	ck_assert_ptr_null(strstr(outcome.error, TOKEN));
	ck_assert_ptr_null(strstr(outcome.error, "127.0.0.1"));
	ck_assert_ptr_null(strstr(outcome.error, ".test"));
	ck_assert_ptr_null(strstr(outcome.error, dir));
	ck_assert(outcome.code == 0 || outcome.code == outcome.status);
	ck_assert(outcome.code != 0 || outcome.error[0] != '\0');
}

static inline void
set_url(const char *scheme, const char *host, int port)
{
	snprintf(url, sizeof(url), "%s://%s:%d/" TOKEN "/hook?x=1", scheme,
	    host, port);
}

/* What came has this in it. */
static inline bool
server_saw(struct server *s, const char *text)
{
	bool found;

	pthread_mutex_lock(&s->lock);
	found = strstr(s->request, text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static inline void
setup_http(void)
{
	struct err err = {0};

	strcpy(dir, "/tmp/check_http.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&server, 0, sizeof(server));
	loop = loop_new();
	http = http_new(loop, &err);
	ck_assert_msg(http != NULL, "%s", err.msg);
}

static inline void
teardown_http(void)
{
	char command[128];

	http_free(http);
	loop_free(loop);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
