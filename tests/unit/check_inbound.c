/*
 * The door for monitoring as a stranger sees it: by hand over TCP.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/inbound.h"
#include "fake_backend.h"

#define TOKEN "0123456789abcdef0123"
#define BODY "{\"alerts\": []}"

static char dir[64], token_file[96], listen_at[32];
static uint16_t port;
static struct fake_backend fake;
static struct settings settings;
static struct loop *loop;
static struct inbound *inbound;
static pthread_t thread;

static void
write_token(const char *text, mode_t mode)
{
	FILE *f = fopen(token_file, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(token_file, mode), 0);
}

/* A port that nobody has in this moment. */
static uint16_t
find_port(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void *
run_loop(void *arg)
{
	(void)arg;
	loop_run(loop);
	return NULL;
}

static void
stop_loop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
set_up_files(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(dir, "/tmp/check_inbound.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(token_file, sizeof(token_file), "%s/token", dir);
	write_token(TOKEN "\n", 0640);
	port = find_port();
	snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%u", port);
	settings = (struct settings){
	    .alerts_listen = listen_at, .alerts_token_file = token_file};
	fake_init(&fake);
	loop = loop_new();
}

static void
tear_down_files(void)
{
	loop_free(loop);
	fake_free(&fake);
	unlink(token_file);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
set_up(void)
{
	struct err err = {0};

	set_up_files();
	ck_assert_msg(
	    inbound_open(loop, &settings, &fake.backend, &inbound, &err) == 0,
	    "%s", err.msg);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void
tear_down(void)
{
	loop_post(loop, stop_loop, NULL);
	pthread_join(thread, NULL);
	inbound_free(inbound);
	tear_down_files();
}

/* ---- a client ---- */

static int
dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(port)};
	struct timeval timeout = {.tv_sec = 40};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	ck_assert_msg(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
	    "connect: %s", strerror(errno));
	return fd;
}

static void
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* Reads to the end; the status, or 0. */
static int
read_answer(int fd, char *out, size_t size)
{
	size_t used = 0;
	ssize_t n;
	int status = 0;

	while (used + 1 < size &&
	    (n = recv(fd, out + used, size - 1 - used, 0)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	(void)sscanf(out, "HTTP/1.1 %d", &status);
	close(fd);
	return status;
}

static char answer[65536];

static int
ask(const char *method, const char *path, const char *token, const char *body,
    size_t len)
{
	char head[1024];
	int fd = dial();

	snprintf(head, sizeof(head),
	    "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%sContent-Length: %zu\r\n\r\n",
	    method, path, token != NULL ? "Authorization: " : "",
	    token != NULL ? token : "", token != NULL ? "\r\n" : "", len);
	send_all(fd, head, strlen(head));
	send_all(fd, body, len);
	return read_answer(fd, answer, sizeof(answer));
}

static const char *
calls(void)
{
	static char text[4096];

	fake_calls(&fake, text);
	return text;
}

START_TEST(the_right_token_reaches_the_backend)
{
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer " TOKEN, BODY, strlen(BODY)),
	    200);
	ck_assert_str_eq(calls(), "alerts_post 14 " BODY "\n");
	ck_assert_ptr_nonnull(strstr(answer, "Connection: close"));
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "bearer  " TOKEN, BODY, strlen(BODY)),
	    200);
}
END_TEST

static const char *const wrong[] = {NULL, "", "Bearer", "Bearer ",
    "Bearer 0123456789abcdef0124", "Bearer 0123456789abcdef012",
    "Bearer 0123456789abcdef01230", "Basic " TOKEN, TOKEN,
    "Bearer " TOKEN " x"};

START_TEST(a_wrong_token_does_not)
{
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", wrong[_i], BODY, strlen(BODY)), 401);
	ck_assert_ptr_nonnull(strstr(answer, "WWW-Authenticate: Bearer"));
	ck_assert_str_eq(calls(), "");
}
END_TEST

START_TEST(nothing_else_is_there)
{
	static const char *const paths[] = {"/", "/v1/status", "/metrics",
	    "/v1/hosts/kvm1/drain", "/v1/alerts/", "/v1/reload", "/healthz"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ck_assert_int_eq(
		    ask("GET", paths[i], "Bearer " TOKEN, "", 0), 404);
		ck_assert_int_eq(
		    ask("POST", paths[i], "Bearer " TOKEN, "", 0), 404);
	}
	ck_assert_int_eq(ask("GET", "/v1/alerts", "Bearer " TOKEN, "", 0), 405);
	ck_assert_ptr_nonnull(strstr(answer, "Allow: POST"));
	ck_assert_int_eq(
	    ask("DELETE", "/v1/alerts", "Bearer " TOKEN, "", 0), 405);
	ck_assert_str_eq(calls(), "");
}
END_TEST

START_TEST(a_mistake_is_answered_with_what_is_wrong)
{
	fake.fail.code = ERR_INVALID;
	strcpy(fake.fail.msg, "alerts[0].labels: ...");
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer " TOKEN, BODY, strlen(BODY)),
	    400);
	ck_assert_ptr_nonnull(strstr(answer, "alerts[0].labels: ..."));
}
END_TEST

START_TEST(a_large_body_is_refused)
{
	size_t len = (1 << 20) + 1;
	char *body = malloc(len);

	memset(body, ' ', len);
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer " TOKEN, body, len), 413);
	ck_assert_str_eq(calls(), "");
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer " TOKEN, body, len - 1), 200);
	free(body);
}
END_TEST

struct renewal {
	struct inbound_token token;
};

static void
renew(void *arg)
{
	inbound_set_token(inbound, &((struct renewal *)arg)->token);
}

START_TEST(a_new_token_replaces_the_old)
{
	static struct renewal renewal;
	struct err err = {0};

	write_token("another-token-that-is-long\nrest\n", 0600);
	ck_assert_int_eq(
	    inbound_read_token(&settings, &renewal.token, &err), 0);
	loop_post(loop, renew, &renewal);
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer another-token-that-is-long", BODY,
		strlen(BODY)),
	    200);
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer " TOKEN, BODY, strlen(BODY)),
	    401);
}
END_TEST

START_TEST(who_trickles_is_shown_out)
{
	struct mono begin = clock_mono_now();
	char text[256];
	int fd = dial();
	ssize_t n = -1;

	send_all(fd, "POST /v1/alerts HTTP/1.1\r\nX: ", 29);
	/* A byte now and then is not silence. */
	while (mono_diff(clock_mono_now(), begin) < 3 * INBOUND_DEADLINE_MS) {
		send_all(fd, "x", 1);
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		usleep(200000);
	}
	close(fd);
	ck_assert_int_le(n, 0);
	ck_assert_int_ge(
	    mono_diff(clock_mono_now(), begin), INBOUND_DEADLINE_MS - 1000);
	ck_assert_int_lt(
	    mono_diff(clock_mono_now(), begin), INBOUND_DEADLINE_MS + 5000);
}
END_TEST

START_TEST(a_full_house_lets_others_wait_and_then_in)
{
	int idle[INBOUND_CONNECTIONS_MAX + 20];
	const size_t count = sizeof(idle) / sizeof(idle[0]);
	struct mono begin = clock_mono_now();

	for (size_t i = 0; i < count; i++)
		idle[i] = dial();
	/* Silent ones leave after 10 s, and then it is our turn. */
	ck_assert_int_eq(
	    ask("POST", "/v1/alerts", "Bearer " TOKEN, BODY, strlen(BODY)),
	    200);
	ck_assert_int_ge(mono_diff(clock_mono_now(), begin), 5000);
	for (size_t i = 0; i < count; i++)
		close(idle[i]);
}
END_TEST

START_TEST(many_one_after_another_leave_no_trace)
{
	for (int i = 0; i < 10 * INBOUND_CONNECTIONS_MAX; i++)
		ck_assert_int_eq(ask("POST", "/v1/alerts", "Bearer " TOKEN,
				     BODY, strlen(BODY)),
		    200);
	ck_assert_ptr_nonnull(strstr(calls(), "alerts_post"));
}
END_TEST

static const struct {
	const char *text;
	mode_t mode;
	const char *said;
} files[] = {
    {TOKEN "\n", 0644, "others may read or change it (mode 0644): chmod 0640"},
    {TOKEN "\n", 0660, "chmod 0640"},
    {"", 0600, "the token has 0 characters and wants at least 16"},
    {"short\n", 0600, "the token has 5 characters"},
    {"0123456789 abcdef0123\n", 0600, "a token has no spaces"},
    {NULL, 0600, "No such file or directory"},
};

START_TEST(a_token_that_is_none_is_refused)
{
	struct inbound_token token;
	struct err err = {0};

	if (files[_i].text != NULL)
		write_token(files[_i].text, files[_i].mode);
	else
		unlink(token_file);
	ck_assert_int_eq(inbound_read_token(&settings, &token, &err), -1);
	ck_assert_msg(strstr(err.msg, files[_i].said) != NULL, "%s", err.msg);
	ck_assert_ptr_nonnull(strstr(err.msg, "alerts.token_file: "));
	ck_assert_ptr_null(strstr(err.msg, "0123"));
	ck_assert_int_eq(
	    inbound_open(loop, &settings, &fake.backend, &inbound, &err), -1);
	ck_assert_ptr_null(inbound);
}
END_TEST

START_TEST(without_listen_there_is_no_door)
{
	struct err err = {0};

	settings.alerts_listen = NULL;
	ck_assert_int_eq(
	    inbound_open(loop, &settings, &fake.backend, &inbound, &err), 0);
	ck_assert_ptr_null(inbound);
	inbound_free(inbound);
}
END_TEST

START_TEST(an_address_that_is_taken_is_an_error)
{
	struct inbound *first = NULL;
	struct err err = {0};

	ck_assert_int_eq(
	    inbound_open(loop, &settings, &fake.backend, &first, &err), 0);
	ck_assert_int_eq(
	    inbound_open(loop, &settings, &fake.backend, &inbound, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, listen_at));
	inbound_free(first);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inbound");
	TCase *tc = tcase_create("door"), *still = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_right_token_reaches_the_backend);
	tcase_add_loop_test(tc, a_wrong_token_does_not, 0,
	    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tc, nothing_else_is_there);
	tcase_add_test(tc, a_mistake_is_answered_with_what_is_wrong);
	tcase_add_test(tc, a_large_body_is_refused);
	tcase_add_test(tc, a_new_token_replaces_the_old);
	tcase_add_test(tc, who_trickles_is_shown_out);
	tcase_add_test(tc, a_full_house_lets_others_wait_and_then_in);
	tcase_add_test(tc, many_one_after_another_leave_no_trace);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(still, set_up_files, tear_down_files);
	tcase_add_loop_test(still, a_token_that_is_none_is_refused, 0,
	    (int)(sizeof(files) / sizeof(files[0])));
	tcase_add_test(still, without_listen_there_is_no_door);
	tcase_add_test(still, an_address_that_is_taken_is_an_error);
	suite_add_tcase(suite, still);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
