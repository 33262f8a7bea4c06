/*
 * Deliveries against a real HTTP server: each event arrives, under the same id
 * however often it is tried, and what is refused for good is not tried again.
 *
 * Server and client share one loop.  Every URL holds TOKEN, which must not be
 * found in any log line or status.
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
	char id[64], signature[SIGN_SIZE], type[80], agent[64], body[64];
	int64_t timestamp;
	int code;		/* what was answered */
	ev_uint16_t port;	/* of the client */
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
static struct settings settings = { .site = "lab", .receivers = receivers };
static char url[2][128], log_path[128];
static int old_stderr;

static void
copy_header(struct evhttp_request *req, const char *name, char *out,
    size_t size)
{
	const char *value = evhttp_find_header(
	    evhttp_request_get_input_headers(req), name);

	snprintf(out, size, "%s", value != NULL ? value : "");
}

static void
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
	copy_header(req, "webhook-signature", s->signature,
	    sizeof(s->signature));
	copy_header(req, "webhook-timestamp", time, sizeof(time));
	copy_header(req, "content-type", s->type, sizeof(s->type));
	copy_header(req, "user-agent", s->agent, sizeof(s->agent));
	s->timestamp = strtoll(time, NULL, 10);
	evbuffer_remove(evhttp_request_get_input_buffer(req), s->body,
	    sizeof(s->body) - 1);
	evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer,
	    &s->port);
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

static void
start_server(int want_port)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	server = evhttp_new(loop_base(loop));
	evhttp_set_gencb(server, serve, NULL);
	bound = evhttp_bind_socket_with_handle(server, "127.0.0.1",
	    (ev_uint16_t)want_port);
	ck_assert_ptr_nonnull(bound);
	ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(bound),
	    (struct sockaddr *)&addr, &len), 0);
	port = ntohs(addr.sin_port);
}

static void
set_url(int i, const char *path)
{
	snprintf(url[i], sizeof(url[i]), "http://127.0.0.1:%d/" TOKEN "%s",
	    port, path);
	receivers[i].url = url[i];
}

static void
set_receivers(size_t count)
{
	static const char *const names[] = { "ops", "chat" };

	settings.receiver_count = count;
	for (int i = 0; i < 2; i++) {
		receivers[i] = (struct settings_receiver){ .name = names[i],
		    .type = "cloudevents", .timeout_ms = DEADLINE_MS };
		set_url(i, "");
	}
}

static void
start_deliver(void)
{
	struct err err = { 0 };

	deliver = deliver_new(loop, store, &settings, &err);
	ck_assert_msg(deliver != NULL, "%s", err.msg);
	deliver_set_backoff(deliver, 1, 10);
}

static void
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

static int
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

static void
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

/* ---- waiting ---- */

static void
tick(void *arg)
{
	(void)arg;
}

static void
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

static bool
saw(int n)
{
	return seen_count >= n;
}

static int
rows(enum store_delivery which)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
	    "SELECT COUNT(*) FROM outbox WHERE state = %d", (int)which);
	return (int)query_sql(store, sql);
}

static bool
delivered(int n)
{
	return rows(STORE_DELIVERED) == n;
}

static bool
dead(int n)
{
	return rows(STORE_DEAD) == n;
}

static bool
tried(int n)
{
	return query_sql(store, "SELECT MAX(attempts) FROM outbox") >= n;
}

static bool
idle(int n)
{
	(void)n;
	return !deliver_busy(deliver);
}

static void
announce(const char *id, const char *receiver)
{
	struct store_event event = { .id = id, .type = "drover.move.completed",
	    .at = clock_wall_now(), .body = "{\"guest\":\"web1\"}" };
	struct err err = { 0 };

	ck_assert_msg(store_add_event(store, &event, &err) == 0, "%s",
	    err.msg);
	ck_assert_msg(store_add_outbox(store, event.seq, receiver,
	    clock_wall_now(), &err) == 0, "%s", err.msg);
	if (deliver != NULL)
		deliver_kick(deliver);
}

/* The only receiver's member of the status, and nothing secret in it. */
static const char *
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

/* ---- what is sent ---- */

START_TEST(an_event_arrives_as_the_standards_ask)
{
	struct sign_secret secret;
	char path[128], expected[SIGN_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/secret", dir);
	f = fopen(path, "w");
	fputs(SECRET "\n", f);
	fchmod(fileno(f), 0600);
	fclose(f);
	receivers[0].secret_file = path;
	start_deliver();
	announce("id-1", "ops");
	ck_assert(deliver_busy(deliver));
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[0].id, "id-1");
	ck_assert_str_eq(seen[0].body, "{\"guest\":\"web1\"}");
	ck_assert_str_eq(seen[0].type,
	    "application/cloudevents+json; charset=utf-8");
	ck_assert_int_eq(strncmp(seen[0].agent, "Drover/", 7), 0);
	ck_assert_int_eq(sign_parse_secret(SECRET, &secret, NULL), 0);
	sign_message(&secret, "id-1", seen[0].timestamp, seen[0].body,
	    strlen(seen[0].body), expected, NULL);
	ck_assert_str_eq(seen[0].signature, expected);
	WAIT(idle, 0);
	ck_assert_str_eq(status("pending"), "0");
	ck_assert_str_eq(status("delivered"), "1");
	ck_assert_str_eq(status("last_code"), "200");
	ck_assert_str_eq(status("last_error"), "null");
	ck_assert_str_eq(status("oldest"), "null");
}
END_TEST

START_TEST(a_connection_serves_many_deliveries)
{
	char id[16];

	start_deliver();
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "id-%d", i);
		announce(id, "ops");
		WAIT(delivered, i + 1);
		WAIT(idle, 0);
		ck_assert_uint_eq(seen[i].port, seen[0].port);
		ck_assert_str_eq(seen[i].signature, "");
	}
}
END_TEST

START_TEST(what_is_pending_at_the_start_is_sent_at_once)
{
	announce("id-1", "ops");
	announce("id-2", "ops");
	store_close(store);
	store = open_store();
	start_deliver();
	WAIT(delivered, 2);
	ck_assert_int_eq(seen_count, 2);
}
END_TEST

/* ---- what the answer means ---- */

static int wanted_code;

static int
answer_wanted_once(int n, const struct seen *s)
{
	(void)s;
	return n == 0 ? wanted_code : 200;
}

START_TEST(a_temporary_refusal_is_tried_again_under_the_same_id)
{
	static const int codes[] = { 500, 502, 503, 504, 599, 408, 425, 429 };

	wanted_code = codes[_i];
	answer = answer_wanted_once;
	start_deliver();
	announce("id-1", "ops");
	WAIT(delivered, 1);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[0].id, "id-1");
	ck_assert_str_eq(seen[1].id, "id-1");
	ck_assert_int_eq(query_sql(store, "SELECT attempts FROM outbox"), 2);
}
END_TEST

START_TEST(a_final_refusal_is_a_dead_letter_and_the_next_event_is_sent)
{
	static const int codes[] = { 301, 302, 304, 307, 400, 401, 403, 404,
	    410, 413, 422 };
	char target[160];

	wanted_code = codes[_i];
	answer = answer_wanted_once;
	snprintf(target, sizeof(target), "%s/elsewhere", url[0]);
	location = target;
	start_deliver();
	announce("id-1", "ops");
	WAIT(dead, 1);
	ck_assert_int_eq(count_in_log("refused event id-1"), 1);
	WAIT(idle, 0);
	ck_assert_str_eq(status("dead"), "1");
	announce("id-2", "ops");
	WAIT(delivered, 1);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[1].id, "id-2");
}
END_TEST

/* How far away the retry is, as recorded, from when it was sent. */
static int64_t
recorded_wait(void)
{
	struct wall due;

	ck_assert(store_receiver_due(store, "ops", (struct wall){ 0 }, &due));
	return due.ms - seen[0].timestamp * 1000;
}

START_TEST(retry_after_is_honoured_up_to_ten_minutes)
{
	static const struct { int code; const char *text; int64_t least, most;
	} cases[] = {
		{ 429, "30", 30000, 35000 },
		{ 503, "30", 30000, 35000 },
		{ 500, "30", 0, 5000 },
		{ 429, "999999999999", 600000, 605000 },
		{ 429, "DATE", 55000, 65000 },
		{ 429, "Thu, 01 Jan 1970 00:00:00 GMT", 0, 5000 },
		{ 429, "soon", 0, 5000 },
		{ 429, "-5", 0, 5000 },
	};
	time_t later = time(NULL) + 60;
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
	    gmtime_r(&later, &tm));
	wanted_code = cases[_i].code;
	answer = answer_wanted_once;
	retry_after = cases[_i].text;
	if (strcmp(retry_after, "DATE") == 0)
		retry_after = date;
	start_deliver();
	/* Long enough to look at it before it is over. */
	deliver_set_backoff(deliver, 2000, 2000);
	announce("id-1", "ops");
	WAIT(tried, 1);
	if (rows(STORE_PENDING) == 1) {
		ck_assert_int_ge(recorded_wait(), cases[_i].least);
		ck_assert_int_le(recorded_wait(), cases[_i].most +
		    DEADLINE_MS);
	} else {
		ck_assert_int_eq(cases[_i].least, 0);
	}
	/* While that receiver is let alone, there is nothing to wait for. */
	if (cases[_i].least > 0) {
		ck_assert(!deliver_busy(deliver));
		announce("id-2", "ops");
		ck_assert(!deliver_busy(deliver));
	}
}
END_TEST

START_TEST(the_time_of_the_next_attempt_survives_a_restart)
{
	wanted_code = 429;
	retry_after = "300";
	answer = answer_wanted_once;
	start_deliver();
	announce("id-1", "ops");
	WAIT(tried, 1);
	WAIT(idle, 0);
	deliver_free(deliver);
	store_close(store);
	store = open_store();
	start_deliver();
	ck_assert_int_ge(recorded_wait(), 300000);
	announce("id-2", "ops");
	WAIT(delivered, 1);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[1].id, "id-2");
}
END_TEST

START_TEST(a_clock_set_back_holds_nothing_up_for_long)
{
	struct wall far = { clock_wall_now().ms + 24 * 3600 * 1000 };

	announce("id-1", "ops");
	ck_assert_int_eq(store_mark_outbox(store, 1, STORE_PENDING, 1, far, 0,
	    NULL, NULL), 0);
	start_deliver();
	WAIT(delivered, 1);
}
END_TEST

static int
answer_hang_once(int n, const struct seen *s)
{
	(void)s;
	return n == 0 ? HANG : 200;
}

START_TEST(a_receiver_that_hangs_is_left_after_the_timeout)
{
	answer = answer_hang_once;
	receivers[0].timeout_ms = 100;
	start_deliver();
	announce("id-1", "ops");
	WAIT(delivered, 1);
	ck_assert_int_ge(seen_count, 2);
	ck_assert_str_eq(seen[1].id, "id-1");
	ck_assert_int_ge(count_in_log("Timeout"), 1);
}
END_TEST

START_TEST(a_receiver_that_is_down_gets_its_events_once_it_is_up)
{
	int old = port;

	evhttp_free(server);
	server = NULL;
	start_deliver();
	announce("id-1", "ops");
	announce("id-2", "ops");
	WAIT(tried, 3);
	ck_assert_int_ge(count_in_log("Connection refused"), 1);
	ck_assert_ptr_nonnull(strstr(status("last_error"), "refused"));
	start_server(old);
	WAIT(delivered, 2);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_int_eq(count_in_log("deliveries go on"), 1);
}
END_TEST

START_TEST(only_the_beginning_of_an_answer_is_kept)
{
	wanted_code = 400;
	answer = answer_wanted_once;
	answer_len = 1 << 20;
	start_deliver();
	announce("id-1", "ops");
	WAIT(dead, 1);
	ck_assert_int_eq(query_sql(store, "SELECT LENGTH(answer) FROM outbox"),
	    DELIVER_ANSWER_MAX);
	announce("id-2", "ops");
	WAIT(delivered, 1);
	ck_assert_int_eq(seen_count, 2);
}
END_TEST

/* ---- a server that breaks off ---- */

static const char *raw_answer;
static int raw_count;

static void
raw_on_read(struct bufferevent *bev, void *arg)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	struct evbuffer *in = bufferevent_get_input(bev);
	evutil_socket_t fd = bufferevent_getfd(bev);

	(void)arg;
	if (evbuffer_search(in, "}", 1, NULL).pos < 0)
		return;
	raw_count++;
	if (raw_answer[0] != '\0')
		ck_assert_int_gt(send(fd, raw_answer, strlen(raw_answer), 0),
		    0);
	/* What was sent arrives; then the connection is reset. */
	if (raw_answer[0] == '\0')
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
		    sizeof(linger));
	bufferevent_free(bev);
	raw_answer = "HTTP/1.1 204 No Content\r\n\r\n";
}

static void
raw_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *addr, int len, void *arg)
{
	struct bufferevent *bev = bufferevent_socket_new(loop_base(loop), fd,
	    BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)addr;
	(void)len;
	bufferevent_setcb(bev, raw_on_read, NULL, NULL, arg);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static const struct { const char *answer; int attempts; } broken[] = {
	{ "", 2 },
	{ "HTTP/1.1 20", 2 },
	{ "HTTP/1.1 200 OK\r\nContent-Le", 2 },
	{ "not HTTP at all\r\n\r\n", 2 },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 2 },
	{ "HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nab", 2 },
	/* Accepted is accepted, whatever becomes of the rest. */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab", 1 },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Yes\r\n"
	    "Transfer-Encoding: chunked\r\n\r\nzzz", 1 },
};

START_TEST(an_answer_that_breaks_off_counts_by_its_status)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	struct evconnlistener *listener = evconnlistener_new_bind(
	    loop_base(loop), raw_on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
	    (struct sockaddr *)&addr, sizeof(addr));

	ck_assert_ptr_nonnull(listener);
	getsockname(evconnlistener_get_fd(listener),
	    (struct sockaddr *)&addr, &len);
	port = ntohs(addr.sin_port);
	set_url(0, "");
	raw_count = 0;
	raw_answer = broken[_i].answer;
	start_deliver();
	announce("id-1", "ops");
	WAIT(delivered, 1);
	WAIT(idle, 0);
	ck_assert_int_eq(raw_count, broken[_i].attempts);
	ck_assert_int_eq(query_sql(store, "SELECT attempts FROM outbox"),
	    broken[_i].attempts);
	evconnlistener_free(listener);
}
END_TEST

/* ---- several at once ---- */

static int
answer_by_turns(int n, const struct seen *s)
{
	(void)s;
	return n % 3 == 1 ? 503 : n % 7 == 3 ? 500 : 200;
}

START_TEST(every_event_is_accepted_exactly_once)
{
	const int events = 60;
	char id[16];
	int accepted[60] = { 0 };

	answer = answer_by_turns;
	start_deliver();
	for (int i = 0; i < events; i++) {
		snprintf(id, sizeof(id), "%d", i);
		announce(id, "ops");
	}
	WAIT(delivered, events);
	WAIT(idle, 0);
	for (int i = 0; i < seen_count; i++) {
		if (seen[i].code == 200)
			accepted[atoi(seen[i].id)]++;
	}
	for (int i = 0; i < events; i++)
		ck_assert_int_eq(accepted[i], 1);
}
END_TEST

/* "ops" hangs: its ids start with 'h'. */
static int
answer_hang_h(int n, const struct seen *s)
{
	(void)n;
	return s->id[0] == 'h' ? HANG : 200;
}

START_TEST(a_receiver_that_hangs_holds_no_other_up)
{
	char id[16];

	answer = answer_hang_h;
	settings.receiver_count = 2;
	start_deliver();
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		announce(id, "ops");
		snprintf(id, sizeof(id), "c%d", i);
		announce(id, "chat");
	}
	WAIT(delivered, 20);
	ck_assert_int_eq(hanging_count, DELIVER_PER_RECEIVER);
	ck_assert(deliver_busy(deliver));
}
END_TEST

static int
answer_fail_h(int n, const struct seen *s)
{
	(void)n;
	return s->id[0] == 'h' ? 500 : 200;
}

START_TEST(a_failing_receiver_is_probed_not_flooded)
{
	char id[16];
	int fails = 0;

	answer = answer_fail_h;
	settings.receiver_count = 2;
	start_deliver();
	deliver_set_backoff(deliver, 24 * 3600 * 1000, 24 * 3600 * 1000);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		announce(id, "ops");
		snprintf(id, sizeof(id), "c%d", i);
		announce(id, "chat");
	}
	WAIT(delivered, 100);
	for (int i = 0; i < seen_count; i++)
		fails += seen[i].code == 500;
	/* Only those that were under way when it became known. */
	ck_assert_int_le(fails, DELIVER_PER_RECEIVER);
}
END_TEST

/* ---- faults of ours ---- */

START_TEST(what_was_accepted_is_not_sent_again_while_it_cannot_be_recorded)
{
	char path[128];
	sqlite3 *other;

	start_deliver();
	snprintf(path, sizeof(path), "%s/drover.db", state);
	announce("id-1", "ops");
	announce("id-2", "ops");
	sqlite3_busy_timeout(store->db, 1);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	WAIT(saw, 2);
	/* Several more tries to record it. */
	for (int i = 0; i < 20; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(rows(STORE_DELIVERED), 0);
	ck_assert(deliver_busy(deliver));
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	WAIT(delivered, 2);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 2);
	/* Said once each, not once per try. */
	ck_assert_int_eq(count_in_log("cannot be recorded"), 2);
}
END_TEST

START_TEST(requests_in_flight_at_the_end_stay_pending)
{
	answer = answer_hang_h;
	start_deliver();
	announce("h1", "ops");
	WAIT(saw, 1);
	deliver_free(deliver);
	deliver = NULL;
	ck_assert_int_eq(rows(STORE_PENDING), 1);
	answer = NULL;
	start_deliver();
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[1].id, "h1");
}
END_TEST

/* The child sends, is killed before the answer; its successor sends again. */
START_TEST(kill_9_before_the_answer_repeats_under_the_same_id)
{
	int status_word;
	pid_t pid;

	store_close(store);
	answer = answer_hang_once;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		loop = loop_new();
		store = open_store();
		start_deliver();
		announce("id-1", "ops");
		loop_run(loop);
		_exit(1);
	}
	WAIT(saw, 1);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status_word, 0), pid);
	store = open_store();
	start_deliver();
	WAIT(delivered, 1);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[0].id, "id-1");
	ck_assert_str_eq(seen[1].id, "id-1");
}
END_TEST

/* ---- configuration ---- */

START_TEST(events_of_a_receiver_that_was_removed_wait_for_it)
{
	settings.receiver_count = 1;
	announce("id-1", "chat");
	start_deliver();
	ck_assert_int_eq(count_in_log("1 events wait for receiver chat"), 1);
	announce("id-2", "ops");
	WAIT(delivered, 1);
	ck_assert(!deliver_busy(deliver));
	settings.receiver_count = 2;
	deliver_configure(deliver, &settings);
	WAIT(delivered, 2);
	ck_assert_str_eq(seen[1].id, "id-1");
}
END_TEST

START_TEST(a_receiver_removed_in_flight_still_gets_its_verdict)
{
	answer = answer_hang_h;
	start_deliver();
	announce("h1", "ops");
	WAIT(saw, 1);
	settings.receiver_count = 0;
	deliver_configure(deliver, &settings);
	evhttp_send_reply(hanging[0], 200, "OK", NULL);
	WAIT(delivered, 1);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 1);
}
END_TEST

START_TEST(nothing_is_sent_unsigned_for_want_of_the_secret)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/secret", dir);
	receivers[0].secret_file = path;
	start_deliver();
	announce("id-1", "ops");
	for (int i = 0; i < 10; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(seen_count, 0);
	ck_assert_ptr_nonnull(strstr(status("last_error"), "secret"));
	ck_assert_int_eq(count_in_log("nothing can be sent"), 1);
	f = fopen(path, "w");
	fchmod(fileno(f), 0600);
	fputs(SECRET "\n", f);
	fclose(f);
	WAIT(delivered, 1);
	ck_assert_int_eq(strncmp(seen[0].signature, "v1,", 3), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deliver");
	TCase *tcase = tcase_create("deliver");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tcase, setup_all, teardown_all);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, an_event_arrives_as_the_standards_ask);
	tcase_add_test(tcase, a_connection_serves_many_deliveries);
	tcase_add_test(tcase, what_is_pending_at_the_start_is_sent_at_once);
	tcase_add_loop_test(tcase,
	    a_temporary_refusal_is_tried_again_under_the_same_id, 0, 8);
	tcase_add_loop_test(tcase,
	    a_final_refusal_is_a_dead_letter_and_the_next_event_is_sent, 0,
	    11);
	tcase_add_loop_test(tcase,
	    retry_after_is_honoured_up_to_ten_minutes, 0, 8);
	tcase_add_test(tcase, the_time_of_the_next_attempt_survives_a_restart);
	tcase_add_test(tcase, a_clock_set_back_holds_nothing_up_for_long);
	tcase_add_test(tcase, a_receiver_that_hangs_is_left_after_the_timeout);
	tcase_add_test(tcase,
	    a_receiver_that_is_down_gets_its_events_once_it_is_up);
	tcase_add_test(tcase, only_the_beginning_of_an_answer_is_kept);
	tcase_add_loop_test(tcase,
	    an_answer_that_breaks_off_counts_by_its_status, 0,
	    (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_test(tcase, every_event_is_accepted_exactly_once);
	tcase_add_test(tcase, a_receiver_that_hangs_holds_no_other_up);
	tcase_add_test(tcase, a_failing_receiver_is_probed_not_flooded);
	tcase_add_test(tcase,
	    what_was_accepted_is_not_sent_again_while_it_cannot_be_recorded);
	tcase_add_test(tcase, requests_in_flight_at_the_end_stay_pending);
	tcase_add_test(tcase,
	    kill_9_before_the_answer_repeats_under_the_same_id);
	tcase_add_test(tcase,
	    events_of_a_receiver_that_was_removed_wait_for_it);
	tcase_add_test(tcase,
	    a_receiver_removed_in_flight_still_gets_its_verdict);
	tcase_add_test(tcase, nothing_is_sent_unsigned_for_want_of_the_secret);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
