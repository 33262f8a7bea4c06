#ifndef DROVER_TESTS_DELIVER_FIXTURE_H
#define DROVER_TESTS_DELIVER_FIXTURE_H

/*
 * A real HTTP server and a deliver on one loop.  Every URL holds TOKEN, which
 * must not be found in any log line or status.  Included once per program.
 */

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_fixture.h"

#include "base/log.h"
#include "notify/deliver_private.h"

#define TOKEN "T0KEN"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define DEADLINE_MS 30000
#define SEEN_MAX 600
#define HANG (-1)

struct seen {
	char id[64], signature[SIGN_SIZE], type[80], agent[64], body[512],
	    path[64];
	int64_t timestamp;
	int code;         /* what was answered */
	ev_uint16_t port; /* of the client */
};

/* The server. */
static struct evhttp *server;
static int port;
static struct seen seen[SEEN_MAX];
static int seen_count;
static int (*answer)(int n, const struct seen *s);
static const char *retry_after, *location;
static size_t answer_len;
static struct evhttp_request *hanging[16];
static int hanging_count;

/* The client. */
static struct loop *loop;
static struct store *store;
static struct deliver *deliver;
static struct settings_receiver receivers[2];
static struct settings settings = {.site = "lab", .receivers = receivers};
static char url[2][128], log_path[128];
static int old_stderr;

static inline void
copy_header(
    struct evhttp_request *req, const char *name, char *out, size_t size)
{
	const char *value =
	    evhttp_find_header(evhttp_request_get_input_headers(req), name);

	snprintf(out, size, "%s", value != NULL ? value : "");
}

static inline void
serve(struct evhttp_request *req, void *arg)
{
	struct seen *s = &seen[seen_count];
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();
	char *peer, time[32];

	(void)arg;
	ck_assert_int_lt(seen_count, SEEN_MAX);
	ck_assert_int_eq(evhttp_request_get_command(req), EVHTTP_REQ_POST);
	memset(s, 0, sizeof(*s));
	copy_header(req, "webhook-id", s->id, sizeof(s->id));
	copy_header(
	    req, "webhook-signature", s->signature, sizeof(s->signature));
	copy_header(req, "webhook-timestamp", time, sizeof(time));
	copy_header(req, "content-type", s->type, sizeof(s->type));
	copy_header(req, "user-agent", s->agent, sizeof(s->agent));
	s->timestamp = strtoll(time, NULL, 10);
	snprintf(s->path, sizeof(s->path), "%s", evhttp_request_get_uri(req));
	evbuffer_remove(
	    evhttp_request_get_input_buffer(req), s->body, sizeof(s->body) - 1);
	evhttp_connection_get_peer(
	    evhttp_request_get_connection(req), &peer, &s->port);
	s->code = answer != NULL ? answer(seen_count, s) : 200;
	seen_count++;
	if (s->code == HANG) {
		ck_assert_int_lt(hanging_count, 16);
		hanging[hanging_count++] = req;
		evbuffer_free(body);
		return;
	}
	if (retry_after != NULL)
		evhttp_add_header(headers, "Retry-After", retry_after);
	if (location != NULL)
		evhttp_add_header(headers, "Location", location);
	for (size_t i = 0; i < answer_len; i++)
		evbuffer_add(body, "\xff", 1);
	evhttp_send_reply(req, s->code, "Answer", body);
	evbuffer_free(body);
}

static inline void
start_server(int want_port)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	server = evhttp_new(loop_base(loop));
	evhttp_set_gencb(server, serve, NULL);
	bound = evhttp_bind_socket_with_handle(
	    server, "127.0.0.1", (ev_uint16_t)want_port);
	ck_assert_ptr_nonnull(bound);
	ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(bound),
			     (struct sockaddr *)&addr, &len),
	    0);
	port = ntohs(addr.sin_port);
}

static inline void
set_url(int i, const char *path)
{
	snprintf(url[i], sizeof(url[i]), "http://127.0.0.1:%d/" TOKEN "%s",
	    port, path);
	receivers[i].url = url[i];
}

static inline void
set_receivers(size_t count)
{
	static const char *const names[] = {"ops", "chat"};

	settings.receiver_count = count;
	for (int i = 0; i < 2; i++) {
		receivers[i] = (struct settings_receiver){.name = names[i],
		    .type = "cloudevents",
		    .timeout_ms = DEADLINE_MS};
		set_url(i, "");
	}
}

static inline void
setup_all(void)
{
	int fd;

	unsetenv("http_proxy");
	unsetenv("HTTP_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	setup();
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	old_stderr = dup(STDERR_FILENO);
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	log_set_level(LOG_LEVEL_DEBUG);
	store = open_store();
	loop = loop_new();
	start_server(0);
	set_receivers(1);
}

static inline int
count_in_log(const char *words)
{
	char line[4096];
	int count = 0;
	FILE *f = fopen(log_path, "r");

	while (fgets(line, sizeof(line), f) != NULL)
		count += strstr(line, words) != NULL;
	fclose(f);
	return count;
}

static inline void
teardown_all(void)
{
	deliver_free(deliver);
	deliver = NULL;
	if (server != NULL)
		evhttp_free(server);
	loop_free(loop);
	store_close(store);
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	ck_assert_int_eq(count_in_log(TOKEN), 0);
	teardown();
}

/* ---- the format ---- */

/* In place of the default, which is the body, or of several events their ids
 * with commas between them. */
static int (*format_as)(const struct format_event *events, size_t count,
    struct format_request *out, struct err *err);

static inline int
fixture_format(const struct settings_receiver *receiver,
    const struct format_secrets *secrets, const struct format_event *events,
    size_t count, struct wall now, struct format_request *out, struct err *err)
{
	char text[8192] = "";
	int rc = 0;

	(void)receiver;
	(void)secrets;
	(void)now;
	*out = (struct format_request){.method = "POST"};
	if (format_as != NULL)
		rc = format_as(events, count, out, err);
	if (rc != 0 || out->body != NULL)
		return rc;
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%s", i > 0 ? "," : "",
		    count > 1 ? events[i].id : events[i].body);
	out->body = strdup(text);
	out->len = strlen(text);
	out->content_type = strdup("application/cloudevents+json; "
				   "charset=utf-8");
	return 0;
}

static const struct deliver_ops fixture_ops = {
    .load = secret_load, .sign = secret_sign, .format = fixture_format};

static inline void
start_deliver(void)
{
	struct err err = {0};

	deliver = deliver_new(loop, store, &settings, &err);
	ck_assert_msg(deliver != NULL, "%s", err.msg);
	deliver_set_backoff(deliver, 1, 10);
	deliver_set_ops(deliver, &fixture_ops);
}

/* ---- waiting ---- */

static inline void
tick(void *arg)
{
	(void)arg;
}

static inline void
run_until(bool (*done)(int n), int n, const char *what)
{
	struct mono end = mono_add(clock_mono_now(), DEADLINE_MS);
	struct loop_timer *timer = loop_timer_new(loop, tick, NULL);

	while (!done(n)) {
		ck_assert_msg(mono_before(clock_mono_now(), end),
		    "not within the deadline: %s %d", what, n);
		loop_timer_set(timer, 20);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	loop_timer_free(timer);
}
#define WAIT(done, n) run_until(done, n, #done)

static inline bool
saw(int n)
{
	return seen_count >= n;
}

static inline int
rows(enum store_delivery which)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
	    "SELECT COUNT(*) FROM outbox WHERE state = %d", (int)which);
	return (int)query_sql(store, sql);
}

static inline bool
delivered(int n)
{
	return rows(STORE_DELIVERED) == n;
}

static inline bool
dead(int n)
{
	return rows(STORE_DEAD) == n;
}

static inline bool
tried(int n)
{
	return query_sql(store, "SELECT MAX(attempts) FROM outbox") >= n;
}

static inline bool
idle(int n)
{
	(void)n;
	return !deliver_busy(deliver);
}

static inline void
announce_in(
    const char *id, const char *receiver, const char *group, int64_t in_ms)
{
	struct store_event event = {.id = id,
	    .type = "drover.move.completed",
	    .at = clock_wall_now(),
	    .body = "{\"guest\":\"web1\"}"};
	struct store_outbox row = {
	    .receiver = receiver, .group = group, .created = event.at};
	struct err err = {0};

	ck_assert_msg(store_add_event(store, &event, &err) == 0, "%s", err.msg);
	row.event_seq = event.seq;
	row.next.ms = event.at.ms + in_ms;
	ck_assert_msg(store_queue_outbox(store, &row, &err) > 0, "%s", err.msg);
	if (deliver != NULL)
		deliver_kick(deliver);
}

static inline void
announce(const char *id, const char *receiver)
{
	announce_in(id, receiver, NULL, 0);
}

/* The only receiver's member of the status, and nothing secret in it. */
static inline const char *
status(const char *key)
{
	static char text[256];
	json_t *list = deliver_status(deliver), *value;
	char *dump = json_dumps(list, 0);

	ck_assert_ptr_null(strstr(dump, TOKEN));
	ck_assert_ptr_null(strstr(dump, "127.0.0.1"));
	free(dump);
	value = json_object_get(json_array_get(list, 0), key);
	ck_assert_ptr_nonnull(value);
	dump = json_dumps(value, JSON_ENCODE_ANY);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	json_decref(list);
	return text;
}

static int answer_code;

static inline int
answer_fixed(int n, const struct seen *s)
{
	(void)n;
	(void)s;
	return answer_code;
}

static int wanted_codes[4];

static inline int
answer_in_turn(int n, const struct seen *s)
{
	(void)s;
	return n < 4 ? wanted_codes[n] : 200;
}

static inline int
format_nothing(const struct format_event *events, size_t count,
    struct format_request *out, struct err *err)
{
	(void)events;
	(void)count;
	(void)out;
	(void)err;
	return 1;
}

static inline int
answer_hang_once(int n, const struct seen *s)
{
	(void)s;
	return n == 0 ? HANG : 200;
}

#endif
