/*
 * Deliveries against a real HTTP server: each event arrives, under the same id
 * however often it is tried, and what is refused for good is not tried again.
 */
#include "deliver_fixture.h"

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
	ck_assert_str_eq(
	    seen[0].type, "application/cloudevents+json; charset=utf-8");
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
	static const int codes[] = {500, 502, 503, 504, 599, 408, 425, 429};

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
	static const int codes[] = {
	    301, 302, 304, 307, 400, 401, 403, 404, 413, 422};
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

	ck_assert(store_receiver_due(store, "ops", (struct wall){0}, &due));
	return due.ms - seen[0].timestamp * 1000;
}

START_TEST(retry_after_is_honoured_up_to_ten_minutes)
{
	static const struct {
		int code;
		const char *text;
		int64_t least, most;
	} cases[] = {
	    {429, "30", 30000, 35000},
	    {503, "30", 30000, 35000},
	    {500, "30", 0, 5000},
	    {429, "999999999999", 600000, 605000},
	    {429, "DATE", 55000, 65000},
	    {429, "Thu, 01 Jan 1970 00:00:00 GMT", 0, 5000},
	    {429, "soon", 0, 5000},
	    {429, "-5", 0, 5000},
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
		ck_assert_int_le(recorded_wait(), cases[_i].most + DEADLINE_MS);
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
	struct wall far = {clock_wall_now().ms + 24 * 3600 * 1000};

	announce("id-1", "ops");
	ck_assert_int_eq(
	    store_mark_outbox(store, 1, STORE_PENDING, 1, far, 0, NULL, NULL),
	    0);
	start_deliver();
	WAIT(delivered, 1);
}
END_TEST

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
static struct bufferevent *raw_kept; /* not closed if raw_keep */
static bool raw_keep;

static void
raw_on_read(struct bufferevent *bev, void *arg)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct evbuffer *in = bufferevent_get_input(bev);
	evutil_socket_t fd = bufferevent_getfd(bev);

	(void)arg;
	if (evbuffer_search(in, "}", 1, NULL).pos < 0)
		return;
	raw_count++;
	if (raw_answer[0] != '\0')
		ck_assert_int_gt(
		    send(fd, raw_answer, strlen(raw_answer), 0), 0);
	if (raw_keep) {
		raw_kept = bev;
		return;
	}
	if (raw_answer[0] == '\0')
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	bufferevent_free(bev);
	raw_answer = "HTTP/1.1 204 No Content\r\n\r\n";
}

static void
raw_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *addr, int len, void *arg)
{
	struct bufferevent *bev =
	    bufferevent_socket_new(loop_base(loop), fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)addr;
	(void)len;
	bufferevent_setcb(bev, raw_on_read, NULL, NULL, arg);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static const struct {
	const char *answer;
	int attempts;
} broken[] = {
    {"", 2},
    {"HTTP/1.1 20", 2},
    {"HTTP/1.1 200 OK\r\nContent-Le", 2},
    {"not HTTP at all\r\n\r\n", 2},
    {"HTTP/1.1 100 Continue\r\n\r\n", 2},
    {"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nab", 2},
    /* Accepted is accepted, whatever becomes of the rest. */
    {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab", 1},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Yes\r\n"
     "Transfer-Encoding: chunked\r\n\r\nzzz",
	1},
};

static struct evconnlistener *
start_raw_server(const char *first_answer)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(addr);
	struct evconnlistener *listener = evconnlistener_new_bind(
	    loop_base(loop), raw_on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
	    (struct sockaddr *)&addr, sizeof(addr));

	ck_assert_ptr_nonnull(listener);
	getsockname(
	    evconnlistener_get_fd(listener), (struct sockaddr *)&addr, &len);
	port = ntohs(addr.sin_port);
	set_url(0, "");
	raw_count = 0;
	raw_answer = first_answer;
	return listener;
}

START_TEST(an_answer_that_breaks_off_counts_by_its_status)
{
	struct evconnlistener *listener = start_raw_server(broken[_i].answer);

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

START_TEST(what_is_accepted_is_recorded_before_the_answer_ends)
{
	struct evconnlistener *listener = start_raw_server(
	    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab");

	raw_keep = true;
	start_deliver();
	announce("id-1", "ops");
	WAIT(delivered, 1);
	/* The request itself still goes on. */
	ck_assert(deliver_busy(deliver));
	bufferevent_free(raw_kept);
	WAIT(idle, 0);
	ck_assert_int_eq(raw_count, 1);
	evconnlistener_free(listener);
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
	tcase_add_loop_test(
	    tcase, a_temporary_refusal_is_tried_again_under_the_same_id, 0, 8);
	tcase_add_loop_test(tcase,
	    a_final_refusal_is_a_dead_letter_and_the_next_event_is_sent, 0, 10);
	tcase_add_loop_test(
	    tcase, retry_after_is_honoured_up_to_ten_minutes, 0, 8);
	tcase_add_test(tcase, the_time_of_the_next_attempt_survives_a_restart);
	tcase_add_test(tcase, a_clock_set_back_holds_nothing_up_for_long);
	tcase_add_test(tcase, a_receiver_that_hangs_is_left_after_the_timeout);
	tcase_add_test(
	    tcase, a_receiver_that_is_down_gets_its_events_once_it_is_up);
	tcase_add_test(tcase, only_the_beginning_of_an_answer_is_kept);
	tcase_add_loop_test(tcase,
	    an_answer_that_breaks_off_counts_by_its_status, 0,
	    (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_test(
	    tcase, what_is_accepted_is_recorded_before_the_answer_ends);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
