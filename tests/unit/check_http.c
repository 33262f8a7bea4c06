/*
 * HTTP against servers that behave: what is sent, where it goes, what is
 * refused before it goes anywhere.
 */
#include "http_fixture.h"

/* ---- what is sent ---- */

START_TEST(a_request_is_what_was_asked_for)
{
	static const char *const more[] = {
	    "X-Team: on call", "X-Empty:", "authorization: Bearer abc"};
	struct http_post post = make_post(NULL);

	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	post.method = "PUT";
	post.more_headers = more;
	post.more_count = 3;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert_str_eq(outcome.error, "");
	ck_assert(
	    server_saw(&server, "PUT /" TOKEN "/hook?x=1 HTTP/1.1\r\nHost: "));
	ck_assert(server_saw(&server,
	    "\r\nContent-Type: application/json\r\nX-Team: on call\r\n"
	    "X-Empty:\r\nauthorization: Bearer abc\r\n"));
	ck_assert(server_saw(&server, "\r\n\r\n{\"guest\":\"web1\"}"));
	ck_assert(!server_saw(&server, "Expect"));
	server_stop(&server);
}
END_TEST

START_TEST(an_empty_body_is_sent_as_such)
{
	struct http_post post = make_post(NULL);

	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	post.body = NULL;
	post.len = 0;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "POST /"));
	ck_assert(server_saw(&server, "\r\nContent-Length: 0\r\n"));
	server_stop(&server);
}
END_TEST

START_TEST(a_connection_serves_many_requests)
{
	struct http_post post = make_post(NULL);

	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	for (int i = 0; i < 20; i++)
		exchange(&post);
	ck_assert_int_eq(server.request_count, 20);
	ck_assert_int_eq(server.peer_count, 1);
	server_stop(&server);
}
END_TEST

/* ---- what is refused ---- */

static const char *const bad_headers[] = {
    "X-Guest: web1\r\nX-Admin: yes",
    "X-Guest: web1\nX-Admin: yes",
    "X-Guest: web1\r",
    "X-Guest: web1\x01",
    "X-Guest: web1\x7f",
    "X Guest: s3cret",
    "X-Guest\r\n: s3cret",
    ": s3cret",
    "s3cret",
    "",
    "Transfer-Encoding: chunked",
    "content-length: 3",
    "Expect: 100-continue",
};

START_TEST(a_header_that_is_none_is_never_sent)
{
	const char *more[] = {"X-Good: yes", bad_headers[_i]};
	struct http_post post = make_post(NULL);
	struct err err = {0};

	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	post.more_headers = more;
	post.more_count = 2;
	ck_assert_ptr_null(http_post(http, &post, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "header"));
	ck_assert_ptr_null(strstr(err.msg, "web1"));
	ck_assert_ptr_null(strstr(err.msg, "s3cret"));
	/* The others are looked at in the same way. */
	post.more_count = 0;
	post.headers[0] = bad_headers[_i];
	ck_assert_ptr_null(http_post(http, &post, &err));
	ck_assert_int_eq(server.peer_count, 0);
	server_stop(&server);
}
END_TEST

static const char *const bad_urls[] = {
    "file:///etc/passwd",
    ("ftp://" TOKEN ".test/x"),
    ("gopher://" TOKEN ".test/x"),
    ("ldap://" TOKEN ".test/x"),
    (TOKEN ".test/x"),
    ("//" TOKEN ".test/x"),
    "http://",
    ("http://127.0.0.1:1/" TOKEN "\r\nX-Admin: yes"),
    ("http://127.0.0.1:1/" TOKEN " HTTP/1.1"),
    ("http://127.0.0.1:99999/" TOKEN),
    "",
};

START_TEST(a_url_that_is_not_http_is_refused)
{
	struct http_post post = make_post(NULL);
	struct err err = {0};

	post.url = bad_urls[_i];
	ck_assert_ptr_null(http_post(http, &post, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "URL"));
	ck_assert_ptr_null(strstr(err.msg, TOKEN));
}
END_TEST

START_TEST(other_methods_are_refused)
{
	static const char *const methods[] = {
	    "GET", "DELETE", "post", "", "POST / HTTP/1.1\r\nX: y"};
	struct http_post post = make_post(NULL);
	struct err err = {0};

	set_url("http", "127.0.0.1", 1);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		post.method = methods[i];
		ck_assert_ptr_null(http_post(http, &post, &err));
		ck_assert_int_eq(err.code, ERR_INVALID);
	}
}
END_TEST

/* ---- where it leads ---- */

static const char *redirect_to;

static bool
talk_redirect(struct peer *p)
{
	char text[300];

	snprintf(text, sizeof(text),
	    "HTTP/1.1 301 Moved\r\nLocation: %s\r\n"
	    "Content-Length: 0\r\n\r\n",
	    redirect_to);
	return peer_send(p, text);
}

START_TEST(a_redirect_is_not_followed)
{
	const char *const targets[] = {url, "file:///etc/passwd",
	    "http://127.0.0.1:1/elsewhere", "/" TOKEN};
	struct http_post post = make_post(NULL);

	redirect_to = targets[_i];
	server.talk = talk_redirect;
	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 301);
	ck_assert_str_eq(outcome.text, "");
	ck_assert_int_eq(server.request_count, 1);
	server_stop(&server);
}
END_TEST

START_TEST(a_unix_socket_is_spoken_to_with_the_name_of_the_url)
{
	char path[96];
	struct http_transport transport = {.unix_socket = path};
	struct http_post post = make_post(&transport);

	snprintf(path, sizeof(path), "%s/" TOKEN, dir);
	snprintf(url, sizeof(url), "http://hooks.test/" TOKEN);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.error, "connect"));
	server_start_unix(&server, path);
	exchange(&post);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "\r\nHost: hooks.test\r\n"));
	ck_assert_int_eq(server.peer_count, 1);
	server_stop(&server);
}
END_TEST

START_TEST(a_unix_socket_that_cannot_be_is_refused)
{
	struct http_transport transport = {
	    .unix_socket = "/tmp/x", .proxy = "http://127.0.0.1:1"};
	struct http_post post = make_post(&transport);
	struct err err = {0};
	char path[200];

	set_url("http", "127.0.0.1", 1);
	ck_assert_ptr_null(http_post(http, &post, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "exclude each other"));
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	transport = (struct http_transport){.unix_socket = path};
	ck_assert_ptr_null(http_post(http, &post, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "unix_socket"));
}
END_TEST

/* ---- proxies ---- */

static void
set_environment(const char *proxy)
{
	static const char *const names[] = {"http_proxy", "https_proxy",
	    "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		setenv(names[i], proxy, 1);
}

START_TEST(the_environment_leads_to_no_proxy)
{
	struct http_post post = make_post(NULL);

	set_environment("http://127.0.0.1:1");
	server_start(&server);
	set_url("http", "127.0.0.1", server.port);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "POST /" TOKEN));
	server_stop(&server);
}
END_TEST

START_TEST(a_proxy_is_used_whatever_the_environment_says)
{
	char proxy[64];
	struct http_transport transport = {.proxy = proxy};
	struct http_post post = make_post(&transport);

	setenv("no_proxy", "*", 1);
	setenv("NO_PROXY", "*", 1);
	set_environment("http://127.0.0.1:1");
	server_start(&server);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
	/* Nobody resolves this name; the proxy would. */
	set_url("http", "hooks.test", 8080);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server,
	    "POST http://hooks.test:8080/" TOKEN "/hook?x=1 HTTP/1.1\r\n"));
	server_stop(&server);
}
END_TEST

static int proxy_code;

static bool
talk_proxy_code(struct peer *p)
{
	char text[100];

	snprintf(text, sizeof(text),
	    "HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno", proxy_code);
	return peer_send(p, text);
}

START_TEST(a_proxy_that_wants_a_login_is_no_answer)
{
	char proxy[64];
	struct http_transport transport = {.proxy = proxy};
	struct http_post post = make_post(&transport);

	proxy_code = 407;
	server.talk = talk_proxy_code;
	server_start(&server);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
	set_url("http", "hooks.test", 80);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_str_eq(outcome.error, "the proxy asks for a login: HTTP 407");
	/* Without a proxy it is what the receiver says. */
	transport.proxy = NULL;
	set_url("http", "127.0.0.1", server.port);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 407);
	server_stop(&server);
}
END_TEST

START_TEST(a_proxy_that_makes_no_tunnel_is_no_answer)
{
	static const int codes[] = {403, 407, 502};
	char proxy[64], expected[80];
	struct http_transport transport = {.proxy = proxy};
	struct http_post post = make_post(&transport);

	proxy_code = codes[_i];
	server.talk = talk_proxy_code;
	server_start(&server);
	snprintf(proxy, sizeof(proxy), "http://drover:" TOKEN "@127.0.0.1:%d",
	    server.port);
	set_url("https", "hooks.test", 443);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_int_eq(outcome.status, 0);
	snprintf(expected, sizeof(expected),
	    "the proxy refused to connect to it: HTTP %d", codes[_i]);
	ck_assert_str_eq(outcome.error, expected);
	ck_assert(server_saw(&server, "CONNECT hooks.test:443 HTTP/1.1\r\n"));
	server_stop(&server);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int
main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");

	tcase_add_checked_fixture(tcase, setup_http, teardown_http);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_request_is_what_was_asked_for);
	tcase_add_test(tcase, an_empty_body_is_sent_as_such);
	tcase_add_test(tcase, a_connection_serves_many_requests);
	tcase_add_loop_test(
	    tcase, a_header_that_is_none_is_never_sent, 0, COUNT(bad_headers));
	tcase_add_loop_test(
	    tcase, a_url_that_is_not_http_is_refused, 0, COUNT(bad_urls));
	tcase_add_test(tcase, other_methods_are_refused);
	tcase_add_loop_test(tcase, a_redirect_is_not_followed, 0, 4);
	tcase_add_test(
	    tcase, a_unix_socket_is_spoken_to_with_the_name_of_the_url);
	tcase_add_test(tcase, a_unix_socket_that_cannot_be_is_refused);
	tcase_add_test(tcase, the_environment_leads_to_no_proxy);
	tcase_add_test(tcase, a_proxy_is_used_whatever_the_environment_says);
	tcase_add_test(tcase, a_proxy_that_wants_a_login_is_no_answer);
	tcase_add_loop_test(
	    tcase, a_proxy_that_makes_no_tunnel_is_no_answer, 0, 3);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
