/*
 * HTTPS: whose certificates are accepted, what is shown of ours, and under
 * which name.
 */
#include "http_fixture.h"

#include "cert_fixture.h"

#include <poll.h>

static struct cert authority, stranger, ours;
static struct http_transport transport;

/* The server shows `c`, and if it asks for one, takes those of `authority`. */
static void
start_tls(const struct cert *c)
{
	gnutls_certificate_credentials_t credentials;

	ck_assert_int_eq(
	    gnutls_certificate_allocate_credentials(&credentials), 0);
	ck_assert_int_eq(gnutls_certificate_set_x509_key_file(credentials,
			     c->crt_path, c->key_path, GNUTLS_X509_FMT_PEM),
	    0);
	ck_assert_int_eq(gnutls_certificate_set_x509_trust_file(credentials,
			     authority.crt_path, GNUTLS_X509_FMT_PEM),
	    1);
	server.credentials = credentials;
	server_start(&server);
	set_url("https", "127.0.0.1", server.port);
}

static void
stop_tls(void)
{
	server_stop(&server);
	gnutls_certificate_free_credentials(server.credentials);
	memset(&server, 0, sizeof(server));
}

static void
setup_tls(void)
{
	setup_http();
	cert_make(&authority, NULL, "Authority", -CERT_DAY, CERT_DAY, NULL);
	cert_make(&stranger, NULL, "Stranger", -CERT_DAY, CERT_DAY, NULL);
	cert_make(&ours, &authority, "127.0.0.1", -CERT_DAY, CERT_DAY, NULL);
	transport = (struct http_transport){.ca_file = authority.crt_path};
}

static void
teardown_tls(void)
{
	cert_free(&authority);
	cert_free(&stranger);
	cert_free(&ours);
	teardown_http();
}

/* ---- the server's certificate ---- */

START_TEST(the_authority_of_ca_file_is_accepted)
{
	struct http_post post = make_post(&transport);

	start_tls(&ours);
	exchange(&post);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "POST /" TOKEN "/hook?x=1 HTTP/1.1"));
	for (int i = 0; i < 5; i++)
		exchange(&post);
	ck_assert_int_eq(server.request_count, 6);
	ck_assert_int_eq(server.peer_count, 1);
	stop_tls();
}
END_TEST

static const struct {
	const char *name;
	bool stranger; /* another authority issued it */
	long from, until;
	const char *error;
} refused[] = {
    {"127.0.0.1", true, -CERT_DAY, CERT_DAY, "nobody that is trusted"},
    {"127.0.0.1", false, -2 * CERT_DAY, -CERT_DAY, "has expired"},
    {"127.0.0.1", false, CERT_DAY, 2 * CERT_DAY, "not valid yet"},
    {"other.test", false, -CERT_DAY, CERT_DAY, "another name"},
};

START_TEST(another_certificate_is_refused_and_nothing_is_sent)
{
	struct http_post post = make_post(&transport);
	struct cert bad;

	cert_make(&bad, refused[_i].stranger ? &stranger : &authority,
	    refused[_i].name, refused[_i].from, refused[_i].until, NULL);
	start_tls(&bad);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_msg(strstr(outcome.error, refused[_i].error) != NULL, "%s",
	    outcome.error);
	ck_assert_int_eq(server.request_count, 0);
	stop_tls();
	cert_free(&bad);
}
END_TEST

START_TEST(without_ca_file_only_the_system_is_trusted)
{
	struct http_post post = make_post(NULL);

	start_tls(&ours);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_int_eq(server.request_count, 0);
	/* The connection of one who trusts it is not another's. */
	post.transport = &transport;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	post.transport = NULL;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_int_eq(server.request_count, 1);
	stop_tls();
}
END_TEST

START_TEST(a_ca_file_that_cannot_be_read_is_told)
{
	struct http_post post = make_post(&transport);

	transport.ca_file = "/nonexistent/ca.pem";
	start_tls(&ours);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.error, "CA cert"));
	stop_tls();
}
END_TEST

START_TEST(tls_before_1_2_is_refused)
{
	struct http_post post = make_post(&transport);

	server.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT";
	start_tls(&ours);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_msg(
	    strstr(outcome.error, "1.2 or later") != NULL, "%s", outcome.error);
	stop_tls();
	server.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	start_tls(&ours);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	stop_tls();
}
END_TEST

/* ---- the client's certificate ---- */

START_TEST(a_client_shows_its_certificate)
{
	struct http_post post = make_post(&transport);
	struct cert client;
	gnutls_datum_t key;

	cert_make(&client, &authority, "drover", -CERT_DAY, CERT_DAY, NULL);
	server.wants_certificate = true;
	start_tls(&ours);
	transport.cert_file = client.crt_path;
	transport.key_file = client.key_path;
	exchange(&post);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_int_eq(outcome.code, 200);
	/* Or both in one file. */
	http_free(http);
	http = http_new(loop, NULL);
	gnutls_load_file(client.key_path, &key);
	cert_write(client.crt_path, &key, "a");
	gnutls_free(key.data);
	transport.key_file = NULL;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert_int_eq(server.peer_count, 2);
	stop_tls();
	cert_free(&client);
}
END_TEST

START_TEST(a_client_without_the_right_certificate_is_told)
{
	static const char *const priorities[] = {
	    NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
	struct http_post post = make_post(&transport);
	struct cert client;

	cert_make(&client, &stranger, "drover", -CERT_DAY, CERT_DAY, NULL);
	server.priority = priorities[_i];
	server.wants_certificate = true;
	start_tls(&ours);
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	if (_i == 0)
		ck_assert_msg(strstr(outcome.error, "cert_file") != NULL, "%s",
		    outcome.error);
	transport.cert_file = client.crt_path;
	transport.key_file = client.key_path;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_int_eq(server.request_count, 0);
	stop_tls();
	cert_free(&client);
}
END_TEST

START_TEST(a_key_under_a_password_is_refused_and_nobody_is_asked)
{
	struct http_post post = make_post(&transport);
	struct cert client;
	int talk[2];

	/* What a terminal would say, if it were asked. */
	ck_assert_int_eq(pipe(talk), 0);
	ck_assert_int_eq(dup2(talk[0], STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(write(talk[1], "pass\npass\n", 10), 10);
	cert_make(&client, &authority, "drover", -CERT_DAY, CERT_DAY, "pass");
	server.wants_certificate = true;
	start_tls(&ours);
	transport.cert_file = client.crt_path;
	transport.key_file = client.key_path;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_msg(
	    strstr(outcome.error, "certificate") != NULL, "%s", outcome.error);
	stop_tls();
	cert_free(&client);
	close(talk[0]);
	close(talk[1]);
}
END_TEST

/* ---- the name ---- */

START_TEST(server_name_is_asked_for_and_verified)
{
	struct http_post post = make_post(&transport);
	struct cert named;
	char host[64];

	cert_make(&named, &authority, "hooks.test", -CERT_DAY, CERT_DAY, NULL);
	start_tls(&named);
	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", server.port);
	transport.server_name = "hooks.test";
	exchange(&post);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_int_eq(outcome.code, 200);
	ck_assert_str_eq(server.name, "hooks.test");
	ck_assert(server_saw(&server, "POST /" TOKEN "/hook?x=1 HTTP/1.1"));
	ck_assert(server_saw(&server, host));
	exchange(&post);
	ck_assert_int_eq(server.peer_count, 1);
	/* Neither is that connection for others, nor that certificate. */
	transport.server_name = "other.test";
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.error, "server_name"));
	transport.server_name = NULL;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_int_eq(server.request_count, 2);
	stop_tls();
	cert_free(&named);
}
END_TEST

START_TEST(a_host_header_of_the_user_stays)
{
	static const char *const more[] = {"Host: virtual.test"};
	struct http_post post = make_post(&transport);
	struct cert named;

	cert_make(&named, &authority, "hooks.test", -CERT_DAY, CERT_DAY, NULL);
	start_tls(&named);
	transport.server_name = "hooks.test";
	post.more_headers = more;
	post.more_count = 1;
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "\r\nHost: virtual.test\r\n"));
	ck_assert(!server_saw(&server, "Host: 127.0.0.1"));
	stop_tls();
	cert_free(&named);
}
END_TEST

START_TEST(a_server_name_that_is_none_is_refused)
{
	static const char *const names[] = {
	    "", "a b", "a/b", "a:1", "user@a", "a\r\nX: y", "a?b", "a#b"};
	struct http_post post = make_post(&transport);
	struct err err = {0};

	set_url("https", "127.0.0.1", 1);
	transport.server_name = names[_i];
	ck_assert_ptr_null(http_post(http, &post, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "server_name"));
}
END_TEST

START_TEST(tls_over_a_unix_socket_is_for_the_name_of_the_url)
{
	char path[96];
	struct http_post post = make_post(&transport);
	struct cert named;

	snprintf(path, sizeof(path), "%s/" TOKEN, dir);
	cert_make(&named, &authority, "hooks.test", -CERT_DAY, CERT_DAY, NULL);
	start_tls(&named);
	server_stop(&server);
	server_start_unix(&server, path);
	transport.unix_socket = path;
	snprintf(url, sizeof(url), "https://hooks.test/" TOKEN);
	exchange(&post);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "\r\nHost: hooks.test\r\n"));
	/* Or for that of server_name. */
	snprintf(url, sizeof(url), "https://localhost/" TOKEN);
	transport.server_name = "hooks.test";
	exchange(&post);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&server, "\r\nHost: localhost\r\n"));
	stop_tls();
	cert_free(&named);
}
END_TEST

/* ---- through a proxy ---- */

static void
relay(int a, int b)
{
	struct pollfd fds[2] = {
	    {.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
	char block[4096];

	for (;;) {
		if (poll(fds, 2, -1) <= 0)
			return;
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (fds[i].revents == 0)
				continue;
			n = recv(fds[i].fd, block, sizeof(block), 0);
			if (n <= 0 ||
			    send(fds[1 - i].fd, block, (size_t)n,
				MSG_NOSIGNAL) != n)
				return;
		}
	}
}

/* Whatever name is asked for, the way leads to the server. */
static bool
talk_tunnel(struct peer *p)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)server.port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    peer_send(p, "HTTP/1.1 200 Connected\r\nX-Way: free\r\n\r\n"))
		relay(p->fd, fd);
	close(fd);
	return false;
}

START_TEST(a_proxy_makes_a_tunnel_and_sees_nothing)
{
	struct server tunnel = {.talk = talk_tunnel};
	struct http_post post = make_post(&transport);
	struct cert named;
	char proxy[64];

	cert_make(&named, &authority, "hooks.test", -CERT_DAY, CERT_DAY, NULL);
	start_tls(&named);
	server_start(&tunnel);
	snprintf(proxy, sizeof(proxy), "http://a:b@127.0.0.1:%d", tunnel.port);
	set_url("https", "hooks.test", 443);
	transport.proxy = proxy;
	exchange(&post);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(server_saw(&tunnel, "CONNECT hooks.test:443 HTTP/1.1\r\n"));
	ck_assert(server_saw(&tunnel, "Proxy-Authorization: Basic YTpi\r\n"));
	ck_assert(!server_saw(&tunnel, TOKEN));
	ck_assert(server_saw(&server, "POST /" TOKEN "/hook?x=1 HTTP/1.1"));
	ck_assert(!server_saw(&server, "Proxy-"));
	exchange(&post);
	ck_assert_int_eq(server.peer_count, 1);
	/* With server_name the tunnel leads to the URL's host still. */
	set_url("https", "address.test", 8443);
	transport.server_name = "hooks.test";
	exchange(&post);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert(
	    server_saw(&tunnel, "CONNECT address.test:8443 HTTP/1.1\r\n"));
	ck_assert(server_saw(&server, "\r\nHost: address.test:8443\r\n"));
	ck_assert_str_eq(server.name, "hooks.test");
	http_free(http);
	http = NULL;
	server_stop(&tunnel);
	stop_tls();
	cert_free(&named);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http_tls");
	TCase *tcase = tcase_create("http_tls");

	tcase_add_checked_fixture(tcase, setup_tls, teardown_tls);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, the_authority_of_ca_file_is_accepted);
	tcase_add_loop_test(
	    tcase, another_certificate_is_refused_and_nothing_is_sent, 0, 4);
	tcase_add_test(tcase, without_ca_file_only_the_system_is_trusted);
	tcase_add_test(tcase, a_ca_file_that_cannot_be_read_is_told);
	tcase_add_test(tcase, tls_before_1_2_is_refused);
	tcase_add_test(tcase, a_client_shows_its_certificate);
	tcase_add_loop_test(
	    tcase, a_client_without_the_right_certificate_is_told, 0, 2);
	tcase_add_test(
	    tcase, a_key_under_a_password_is_refused_and_nobody_is_asked);
	tcase_add_test(tcase, server_name_is_asked_for_and_verified);
	tcase_add_test(tcase, a_host_header_of_the_user_stays);
	tcase_add_loop_test(tcase, a_server_name_that_is_none_is_refused, 0, 8);
	tcase_add_test(
	    tcase, tls_over_a_unix_socket_is_for_the_name_of_the_url);
	tcase_add_test(tcase, a_proxy_makes_a_tunnel_and_sees_nothing);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
