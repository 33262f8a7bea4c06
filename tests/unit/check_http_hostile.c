/*
 * HTTP against servers that do not behave: every exchange ends, in time, and
 * takes no more memory than what it keeps.
 */
#include "http_fixture.h"

static bool
talk_nothing(struct peer *p)
{
	char byte;

	/* Until the other side gives up. */
	while (recv(p->fd, &byte, 1, 0) > 0)
		;
	return false;
}

static bool
talk_drip(struct peer *p, const char *text, const char *drop)
{
	bool on = peer_send(p, text);

	while (on) {
		on = peer_send(p, drop);
		usleep(20 * 1000);
	}
	return false;
}

static bool
talk_drip_body(struct peer *p)
{
	return talk_drip(
	    p, "HTTP/1.1 503 No\r\nContent-Length: 100000\r\n\r\n", "x");
}

static bool
talk_drip_line(struct peer *p)
{
	return talk_drip(p, "HTTP/1.1 200 OK\r\nX-Long: ", "x");
}

static bool
talk_drip_1xx(struct peer *p)
{
	return talk_drip(p, "", "HTTP/1.1 102 Wait\r\n\r\n");
}

static bool
talk_flood(struct peer *p, const char *first, const char *then)
{
	static char block[65536];
	size_t len = strlen(then), fill = 0;
	bool on = peer_send(p, first);

	for (; fill + len <= sizeof(block); fill += len)
		memcpy(block + fill, then, len);
	while (on)
		on = peer_send_all(p, block, fill);
	return false;
}

static bool
talk_huge_body(struct peer *p)
{
	return talk_flood(
	    p, "HTTP/1.1 500 No\r\nContent-Length: 10737418240\r\n\r\n", "x");
}

static bool
talk_huge_chunks(struct peer *p)
{
	return talk_flood(p,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "4\r\nabcd\r\n");
}

static bool
talk_endless_trailer(struct peer *p)
{
	return talk_flood(p,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	    "X-More: trailers\r\n");
}

static bool
talk_endless_headers(struct peer *p)
{
	return talk_flood(p, "HTTP/1.1 200 OK\r\n", "X-More: headers\r\n");
}

static bool
talk_endless_header(struct peer *p)
{
	return talk_flood(p, "HTTP/1.1 200 OK\r\nX-Long: ", "x");
}

static bool
talk_endless_status(struct peer *p)
{
	return talk_flood(p, "HTTP/1.1 200 ", "x");
}

static bool
talk_endless_1xx(struct peer *p)
{
	return talk_flood(p, "", "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool
talk_other_protocol(struct peer *p)
{
	peer_send(p,
	    "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n"
	    "\r\nhello");
	return false;
}

static bool
talk_garbage(struct peer *p)
{
	return talk_flood(p, "\x15\x03\x01", "\x80\x02\xff");
}

static bool
talk_close(struct peer *p)
{
	(void)p;
	return false;
}

static bool
talk_half_header(struct peer *p)
{
	peer_send(p, "HTTP/1.1 200 OK\r\nContent-Le");
	return false;
}

static bool
talk_half_body(struct peer *p)
{
	peer_send(p, "HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nhalf");
	return false;
}

#define SHORT_MS 200

static const struct {
	const char *name;
	bool (*talk)(struct peer *peer);
	bool deaf; /* at once, and whatever is sent */
	const char *scheme;
	int code; /* expected */
	const char *error;
} hostile[] = {
    {"never", talk_nothing, false, "http", 0, "Timeout"},
    {"never, at once", talk_nothing, true, "http", 0, "Timeout"},
    {"no handshake", talk_nothing, true, "https", 0, "Timeout"},
    {"drips a body", talk_drip_body, false, "http", 503, "Timeout"},
    {"drips a header", talk_drip_line, false, "http", 0, "Timeout"},
    {"drips 1xx", talk_drip_1xx, false, "http", 0, "Timeout"},
    {"10 GiB", talk_huge_body, false, "http", 500, ""},
    {"endless chunks", talk_huge_chunks, false, "http", 200, ""},
    {"endless trailers", talk_endless_trailer, false, "http", 200, ""},
    {"endless headers", talk_endless_headers, false, "http", 0, "no end"},
    {"endless header", talk_endless_header, false, "http", 0, "no end"},
    {"endless status", talk_endless_status, false, "http", 0, "no end"},
    {"endless 1xx", talk_endless_1xx, false, "http", 0, "no end"},
    {"101", talk_other_protocol, false, "http", 0, "no whole"},
    {"garbage", talk_garbage, false, "http", 0, "not speak HTTP"},
    {"garbage at once", talk_garbage, true, "http", 0, "not speak HTTP"},
    {"garbage for TLS", talk_garbage, true, "https", 0, "not speak TLS"},
    {"HTTP for TLS", talk_endless_1xx, true, "https", 0, "not speak TLS"},
    {"closes", talk_close, false, "http", 0, ""},
    {"closes at once", talk_close, true, "https", 0, ""},
    {"resets", peer_reset, false, "http", 0, ""},
    {"resets at once", peer_reset, true, "https", 0, ""},
    {"half a header", talk_half_header, false, "http", 0, "no whole"},
    {"half a body", talk_half_body, false, "http", 503, ""},
};

START_TEST(every_exchange_ends_and_takes_no_more_than_it_keeps)
{
	struct http_post post = make_post(NULL);
	bool waits = strcmp(hostile[_i].error, "Timeout") == 0;

	server.talk = hostile[_i].talk;
	server.deaf = hostile[_i].deaf;
	server_start(&server);
	set_url(hostile[_i].scheme, "127.0.0.1", server.port);
	/* One that answers must have the time to be heard. */
	if (waits)
		post.timeout_ms = SHORT_MS * (hostile[_i].code != 0 ? 8 : 1);
	exchange(&post);
	ck_assert_msg(outcome.code == hostile[_i].code, "%s: %d (%s)",
	    hostile[_i].name, outcome.code, outcome.error);
	ck_assert_msg(strstr(outcome.error, hostile[_i].error) != NULL,
	    "%s: %s", hostile[_i].name, outcome.error);
	ck_assert_uint_le(strlen(outcome.text), ANSWER_MAX);
	server_stop(&server);
	/* What the kernel holds for both is all that was ever taken. */
	ck_assert_uint_lt(server.sent, 32u << 20);
}
END_TEST

static const struct {
	const char *text;
	int64_t least, most;
} waits[] = {
    {"30", 30, 30},
    {"999999999999", 999999999999, 999999999999},
    {"99999999999999999999999999", 0, INT64_MAX},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 1, INT64_MAX},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
    {"-5", 0, 0},
    {"-9223372036854775808", 0, 0},
    {"soon, perhaps", 0, 0},
    {"", 0, 0},
};
static const char *wait_text;

static bool
talk_wait(struct peer *p)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "HTTP/1.1 429 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n"
	    "\r\n",
	    wait_text);
	return peer_send(p, text);
}

START_TEST(absurd_waits_are_never_negative)
{
	struct http_post post = make_post(NULL);

	wait_text = waits[_i].text;
	server.talk = talk_wait;
	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 429);
	ck_assert_int_ge(outcome.retry_after_s, waits[_i].least);
	ck_assert_int_le(outcome.retry_after_s, waits[_i].most);
	server_stop(&server);
}
END_TEST

START_TEST(connecting_has_a_timeout_of_its_own)
{
	struct http_transport transport = {.connect_timeout_ms = SHORT_MS};
	struct http_post post = make_post(&transport);

	post.timeout_ms = 24 * 3600 * 1000;
	server.talk = talk_nothing;
	server.deaf = true;
	server_start(&server);
	set_url("https", "127.0.0.1", server.port);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.error, "Timeout"));
	server_stop(&server);
}
END_TEST

START_TEST(a_proxy_that_says_nothing_is_left_after_the_timeout)
{
	static const char *const kinds[] = {"http", "https", "socks5"};
	char proxy[64];
	struct http_transport transport = {
	    .proxy = proxy, .connect_timeout_ms = SHORT_MS};
	struct http_post post = make_post(&transport);

	post.timeout_ms = 24 * 3600 * 1000;
	server.talk = talk_nothing;
	server.deaf = true;
	server_start(&server);
	snprintf(
	    proxy, sizeof(proxy), "%s://127.0.0.1:%d", kinds[_i], server.port);
	set_url("https", "127.0.0.1", 1);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.error, "Timeout"));
	server_stop(&server);
}
END_TEST

START_TEST(an_end_breaks_exchanges_off_without_a_word)
{
	struct http_post post = make_post(NULL);

	server.talk = talk_nothing;
	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	for (int i = 0; i < 5; i++)
		begin_exchange(&post);
	while (server.request_count < 1)
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	http_free(http);
	http = NULL;
	ck_assert(!outcome.done);
	server_stop(&server);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int
main(void)
{
	Suite *suite = suite_create("http_hostile");
	TCase *tcase = tcase_create("http_hostile");

	tcase_add_checked_fixture(tcase, setup_http, teardown_http);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase,
	    every_exchange_ends_and_takes_no_more_than_it_keeps, 0,
	    COUNT(hostile));
	tcase_add_loop_test(
	    tcase, absurd_waits_are_never_negative, 0, COUNT(waits));
	tcase_add_test(tcase, connecting_has_a_timeout_of_its_own);
	tcase_add_loop_test(
	    tcase, a_proxy_that_says_nothing_is_left_after_the_timeout, 0, 3);
	tcase_add_test(tcase, an_end_breaks_exchanges_off_without_a_word);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
