/*
 * The control socket as a client sees it.  The server runs on a loop thread of
 * its own; the test talks HTTP by hand over the socket, so that what goes over
 * the wire is what is checked.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/later.h"
#include "control/server.h"
#include "control/sse.h"
#include "fake_backend.h"

#define DEADLINE_MS 10000

static char dir[64], path[96];
static struct fake_backend fake;
static struct loop *loop;
static struct server *server;
static pthread_t thread;

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
setup(void)
{
	struct err err = {0};

	log_set_level(LOG_LEVEL_ERROR);
	strcpy(dir, "/tmp/check_control.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/drover.sock", dir);
	fake_init(&fake);
	loop = loop_new();
	server = server_new(loop, path, NULL, &fake.backend, &err);
	ck_assert_msg(server != NULL, "%s", err.msg);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void
teardown(void)
{
	loop_post(loop, stop_loop, NULL);
	pthread_join(thread, NULL);
	server_free(server);
	loop_free(loop);
	fake_free(&fake);
	ck_assert_int_eq(access(path, F_OK), -1);
	rmdir(dir);
}

/* ---- a client ---- */

static int
dial(int receive_buffer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = DEADLINE_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (receive_buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
		    sizeof(receive_buffer));
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
			return; /* refused before it was read */
		data += n;
		len -= (size_t)n;
	}
}

struct answer {
	int status;
	char head[2048];
	json_t *body; /* NULL: not JSON */
	char text[2048];
};

static void
answer_free(struct answer *answer)
{
	json_decref(answer->body);
}

/* Sends one request with "Connection: close" and reads to the end. */
static struct answer
ask_body(
    const char *method, const char *target, const char *body, size_t body_len)
{
	static char text[1 << 20];
	struct answer answer = {0};
	char head[512];
	size_t used = 0;
	const char *split;
	ssize_t n;
	int fd = dial(0);

	snprintf(head, sizeof(head),
	    "%s %s HTTP/1.1\r\nHost: drover\r\n"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n",
	    method, target, body_len);
	send_all(fd, head, strlen(head));
	send_all(fd, body, body_len);
	while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = '\0';
	split = strstr(text, "\r\n\r\n");
	ck_assert_msg(split != NULL, "no answer to %s %s", method, target);
	ck_assert_int_eq(sscanf(text, "HTTP/1.1 %d", &answer.status), 1);
	snprintf(answer.head, sizeof(answer.head), "%.*s", (int)(split - text),
	    text);
	answer.body = json_loads(split + 4, 0, NULL);
	snprintf(answer.text, sizeof(answer.text), "%.*s",
	    (int)sizeof(answer.text) - 1, split + 4);
	return answer;
}

static struct answer
ask(const char *method, const char *target, const char *body)
{
	return ask_body(method, target, body, strlen(body));
}

static const char *
member(const struct answer *answer, const char *object, const char *key)
{
	const json_t *at = answer->body;

	if (object != NULL)
		at = json_object_get(at, object);
	return json_string_value(json_object_get(at, key));
}

static void expect(const char *method, const char *target, const char *body,
    int status, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void
expect(const char *method, const char *target, const char *body, int status,
    const char *fmt, ...)
{
	struct answer answer = ask(method, target, body);
	char want[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	ck_assert_msg(answer.status == status, "%s %s: %d, not %d", method,
	    target, answer.status, status);
	ck_assert_msg(answer.body != NULL, "%s: not JSON", target);
	ck_assert_str_eq(member(&answer, NULL, "schema"), "drover/v1");
	if (status < 300)
		ck_assert_str_eq(member(&answer, NULL, "called"), want);
	else
		ck_assert_msg(
		    strstr(member(&answer, "error", "message"), want) != NULL,
		    "%s %s: \"%s\" lacks \"%s\"", method, target,
		    member(&answer, "error", "message"), want);
	answer_free(&answer);
}

/* ---- routes ---- */

START_TEST(each_route_reaches_its_call)
{
	unsigned uid = (unsigned)getuid();
	int pid = (int)getpid();

	expect("GET", "/v1/status", "", 200, "status");
	expect("GET", "/v1/hosts", "", 200, "hosts");
	expect("GET", "/v1/hosts/kvm1", "", 200, "host kvm1");
	expect("GET", "/v1/vms", "", 200, "vms");
	expect("GET", "/v1/vms/web%201%2Fb", "", 200, "vm web 1/b");
	expect("GET", "/v1/plan/drain/kvm1?parallel=2&to=kvm2", "", 200,
	    "plan_drain kvm1 2 kvm2 -");
	expect("GET", "/v1/plan/drain/kvm1", "", 200, "plan_drain kvm1 -1 - -");
	expect("GET", "/v1/snapshot", "", 200, "snapshot");
	expect("GET", "/v1/explain/web1", "", 200, "explain web1 -");
	expect("GET", "/v1/explain/web1?to=kvm2", "", 200, "explain web1 kvm2");
	expect("POST", "/v1/hosts/kvm1/drain", "", 202,
	    "drain kvm1 -1 - - uid=%u pid=%d", uid, pid);
	expect("POST", "/v1/hosts/kvm1/drain",
	    "{\"parallel\": 3, \"to\": \"kvm2\", \"reason\": \"new disk\"}",
	    202, "drain kvm1 3 kvm2 new disk uid=%u pid=%d", uid, pid);
	expect("POST", "/v1/hosts/kvm1/drain",
	    "{\"force_off\": true, \"include_stopped\": true}", 202,
	    "drain kvm1 -1 - - force stopped uid=%u pid=%d", uid, pid);
	expect("POST", "/v1/hosts/kvm1/drain", "{\"return_home\": true}", 202,
	    "drain kvm1 -1 - - home uid=%u pid=%d", uid, pid);
	expect("GET", "/v1/plan/drain/kvm1?include_stopped=1", "", 200,
	    "plan_drain kvm1 -1 - - stopped");
	expect("GET", "/v1/plan/drain/kvm1?deadline=2026-11-21T03:00:00Z", "",
	    200, "plan_drain kvm1 -1 - - by then");
	expect("POST", "/v1/hosts/kvm1/undrain", "{}", 200,
	    "undrain kvm1 uid=%u", uid);
	expect("POST", "/v1/hosts/kvm1/cordon", "{\"reason\": \"fan\"}", 200,
	    "cordon kvm1 fan uid=%u", uid);
	expect("POST", "/v1/hosts/kvm1/uncordon", "", 200,
	    "uncordon kvm1 uid=%u", uid);
	expect("GET", "/v1/drains?max=5", "", 200, "drains 5");
	expect("GET", "/v1/drains/7", "", 200, "drain_show 7");
	expect("GET", "/v1/moves", "", 200, "moves 100 0");
	expect("GET", "/v1/moves?max=3&open=1", "", 200, "moves 3 1");
	expect("GET", "/v1/moves/12", "", 200, "move 12");
	expect(
	    "POST", "/v1/moves/12/abort", "", 202, "move_abort 12 uid=%u", uid);
	expect("POST", "/v1/vms/web1/move",
	    "{\"to\": \"kvm2\", "
	    "\"strategy\": \"live-shared\"}",
	    202, "vm_move web1 kvm2 live-shared 0 uid=%u", uid);
	expect("POST", "/v1/vms/web1/move", "{\"dry_run\": true}", 200,
	    "vm_move web1 - - 1 uid=%u", uid);
	expect("POST", "/v1/vms/web1/move", "{\"force\": true}", 202,
	    "vm_move web1 - - 0 force uid=%u", uid);
	expect("GET", "/v1/alerts", "", 200, "alerts");
	expect("POST", "/v1/alerts", "{\"any\": 1}", 200,
	    "alerts_post 10 {\"any\": 1}");
	expect("POST", "/v1/vms/web1/labels",
	    "{\"labels\": {\"app\": \"web\", \"tier\": null}}", 200,
	    "label web1 {\"app\":\"web\",\"tier\":null} uid=%u", uid);
	expect("GET", "/v1/decisions", "", 200, "decisions - - 100 0");
	expect("GET", "/v1/decisions?policy=drain&host=kvm1&max=3&open=1", "",
	    200, "decisions drain kvm1 3 1");
	expect("GET", "/v1/decisions/7", "", 200, "decision 7");
	expect("POST", "/v1/decisions/7/approve", "", 200, "approve 7 uid=%u",
	    uid);
	expect("GET", "/v1/policies", "", 200, "policies");
	expect("GET", "/v1/policies/drain", "", 200, "policy drain");
	expect("POST", "/v1/policies/drain/mode", "{\"mode\": \"observe\"}",
	    200, "set_mode drain observe uid=%u", uid);
	expect("POST", "/v1/reload", "", 200, "reload");
}
END_TEST

START_TEST(routes_of_deliveries_reach_their_calls)
{
	unsigned uid = (unsigned)getuid();
	char calls[4096];

	expect("GET", "/v1/receivers", "", 200, "receivers");
	expect("GET", "/v1/deliveries", "", 200, "deliveries - - 0 100");
	expect("GET",
	    "/v1/deliveries?receiver=my%20chat&state=dead&before=7&max=5", "",
	    200, "deliveries my chat dead 7 5");
	expect("GET", "/v1/deliveries/17", "", 200, "delivery 17");
	expect("GET", "/v1/attempts", "", 200, "attempts - 0 100");
	expect("GET", "/v1/attempts?receiver=ops&before=9&max=2", "", 200,
	    "attempts ops 9 2");
	expect("POST", "/v1/deliveries/17/replay", "", 200,
	    "delivery_replay 17 uid=%u", uid);
	expect("POST", "/v1/deliveries/17/drop", "", 200,
	    "delivery_drop 17 uid=%u", uid);
	expect("POST", "/v1/receivers/ops/replay", "", 200,
	    "receiver_replay ops uid=%u", uid);
	expect("POST", "/v1/receivers/ops/drop", "{\"state\": \"dead\"}", 200,
	    "receiver_drop ops dead uid=%u", uid);
	expect("POST", "/v1/receivers/ops/drop", "{\"state\": \"pending\"}",
	    200, "receiver_drop ops pending uid=%u", uid);
	fake.test_answer = "{\"called\": \"it\"}";
	expect("POST", "/v1/receivers/ops/test", "", 200, "it");
	expect("POST", "/v1/receivers/ops/test",
	    "{\"event\": \"drain.completed\"}", 200, "it");
	fake_calls(&fake, calls);
	ck_assert_ptr_nonnull(strstr(calls, "receiver_test ops - uid="));
	ck_assert_ptr_nonnull(
	    strstr(calls, "receiver_test ops drain.completed uid="));
}
END_TEST

START_TEST(a_drop_of_all_wants_to_know_which)
{
	struct answer answer = ask("POST", "/v1/receivers/ops/drop", "{}");

	ck_assert_int_eq(answer.status, 400);
	answer_free(&answer);
	answer =
	    ask("POST", "/v1/receivers/ops/drop", "{\"state\": \"delivered\"}");
	ck_assert_int_eq(answer.status, 400);
	answer_free(&answer);
}
END_TEST

/* ---- answers that come later ---- */

static bool
test_waits(void)
{
	bool waits;

	pthread_mutex_lock(&fake.lock);
	waits = fake.done != NULL;
	pthread_mutex_unlock(&fake.lock);
	return waits;
}

/* Asks for a test and returns the connection, when the backend works on it. */
static int
begin_test(void)
{
	static const char request[] =
	    "POST /v1/receivers/ops/test HTTP/1.1\r\nHost: drover\r\n"
	    "Content-Length: 0\r\n\r\n";
	struct mono began = clock_mono_now();
	int fd = dial(0);

	send_all(fd, request, sizeof(request) - 1);
	while (!test_waits()) {
		ck_assert_int_lt(
		    mono_diff(clock_mono_now(), began), DEADLINE_MS);
		usleep(1000);
	}
	return fd;
}

/* To the end; the server closes. */
static void
read_rest(int fd, char *out, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used + 1 < size &&
	    (n = recv(fd, out + used, size - 1 - used, 0)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	close(fd);
}

START_TEST(others_are_answered_while_a_test_is_under_way)
{
	char text[4096];
	int fd = begin_test();

	expect("GET", "/v1/status", "", 200, "status");
	fake.test_answer = "{\"ok\": true, \"ms\": 12}";
	loop_post(loop, fake_finish_test, &fake);
	read_rest(fd, text, sizeof(text));
	ck_assert_msg(strncmp(text, "HTTP/1.1 200 ", 13) == 0, "%s", text);
	ck_assert_ptr_nonnull(
	    strstr(text, "{\"schema\":\"drover/v1\",\"ok\":true,\"ms\":12}"));
}
END_TEST

START_TEST(a_test_that_fails_later_says_why)
{
	char text[4096];
	int fd = begin_test();

	loop_post(loop, fake_finish_test, &fake);
	read_rest(fd, text, sizeof(text));
	ck_assert_msg(strncmp(text, "HTTP/1.1 500 ", 13) == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "it took too long"));
}
END_TEST

START_TEST(a_client_that_left_costs_nothing)
{
	struct answer answer;

	close(begin_test());
	/* Both orders: its leaving was seen, or not yet. */
	if (_i == 1) {
		answer = ask("GET", "/healthz", "");
		answer_free(&answer);
	}
	fake.test_answer = "{\"ok\": true}";
	loop_post(loop, fake_finish_test, &fake);
	answer = ask("GET", "/healthz", "");
	ck_assert_int_eq(answer.status, 200);
	answer_free(&answer);
	ck_assert(!test_waits());
}
END_TEST

START_TEST(so_many_may_wait_and_no_more)
{
	int fds[SERVER_LATER_MAX];
	struct answer answer;
	char text[4096];

	for (int i = 0; i < SERVER_LATER_MAX; i++) {
		fds[i] = begin_test();
		pthread_mutex_lock(&fake.lock);
		fake.done = NULL;
		pthread_mutex_unlock(&fake.lock);
	}
	answer = ask("POST", "/v1/receivers/ops/test", "");
	ck_assert_int_eq(answer.status, 503);
	answer_free(&answer);
	/* The place of one that has been answered is free again. */
	pthread_mutex_lock(&fake.lock);
	fake.done = later_done;
	pthread_mutex_unlock(&fake.lock);
	loop_post(loop, fake_finish_test, &fake);
	read_rest(fds[SERVER_LATER_MAX - 1], text, sizeof(text));
	close(begin_test());
	for (int i = 0; i < SERVER_LATER_MAX - 1; i++)
		close(fds[i]);
}
END_TEST

static void
expect_refused(const char *where, const char *body, const char *part)
{
	struct answer answer = ask("POST", where, body);
	const char *message = json_string_value(
	    json_object_get(json_object_get(answer.body, "error"), "message"));

	ck_assert_int_eq(answer.status, 400);
	ck_assert_msg(message != NULL && strstr(message, part) != NULL,
	    "%s: %s", body, message != NULL ? message : "-");
	answer_free(&answer);
}

START_TEST(labels_and_modes_are_checked_for_their_form)
{
	char calls[4096];

	expect_refused("/v1/vms/web1/labels", "", "\"labels\" is missing");
	expect_refused("/v1/vms/web1/labels", "{\"labels\": {}}",
	    "\"labels\": an object of 1 to 64 keys is wanted");
	expect_refused("/v1/vms/web1/labels", "{\"labels\": [\"app\"]}",
	    "\"labels\": an object of 1 to 64 keys is wanted");
	expect_refused("/v1/vms/web1/labels", "{\"labels\": {\"app\": 7}}",
	    "\"app\": a text, or null, is wanted");
	expect_refused("/v1/policies/drain/mode", "{}", "\"mode\" is missing");
	fake_calls(&fake, calls);
	ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(health_answers_without_the_backend)
{
	struct answer answer = ask("GET", "/healthz", "");
	char calls[4096];

	ck_assert_int_eq(answer.status, 200);
	ck_assert(json_is_true(json_object_get(answer.body, "ok")));
	fake_calls(&fake, calls);
	ck_assert_str_eq(calls, "");
	answer_free(&answer);
}
END_TEST

START_TEST(metrics_are_text)
{
	struct answer answer = ask("GET", "/metrics", "");

	ck_assert_int_eq(answer.status, 200);
	ck_assert_ptr_null(answer.body);
	ck_assert_ptr_nonnull(
	    strstr(answer.head, "Content-Type: text/plain; version=0.0.4"));
	ck_assert_ptr_nonnull(strstr(answer.text, "\ndrover_up 1\n"));
	answer_free(&answer);
	fake.fail.code = ERR_IO;
	strcpy(fake.fail.msg, "the disk is gone");
	expect("GET", "/metrics", "", 500, "the disk is gone");
	expect("POST", "/metrics", "", 405, "it is GET /metrics");
}
END_TEST

START_TEST(schema_comes_first_and_numbers_stay_as_they_were)
{
	struct answer answer = ask("GET", "/v1/status", "");
	json_t *number = json_object_get(answer.body, "number");

	ck_assert_str_eq(
	    json_object_iter_key(json_object_iter(answer.body)), "schema");
	ck_assert(json_real_value(number) == 0.1);
	ck_assert_ptr_nonnull(
	    strstr(answer.head, "Content-Type: application/json"));
	answer_free(&answer);
}
END_TEST

START_TEST(a_wrong_method_is_told_the_right_one)
{
	static const char *const wrong[] = {"PUT", "DELETE", "POST"};

	for (size_t i = 0; i < 3; i++) {
		struct answer answer = ask(wrong[i], "/v1/hosts/kvm1", "");

		ck_assert_int_eq(answer.status, 405);
		ck_assert_ptr_nonnull(strstr(answer.head, "Allow: GET"));
		ck_assert_str_eq(
		    member(&answer, "error", "code"), "method-not-allowed");
		answer_free(&answer);
	}
	expect("GET", "/v1/hosts/kvm1/drain", "", 405,
	    "it is POST /v1/hosts/NAME/drain");
}
END_TEST

START_TEST(a_wrong_path_is_told_which_exist)
{
	static const char *const wrong[] = {"/", "/v1", "/v1/hots",
	    "/v1/hosts/kvm1/drain/x", "/v2/status", "/v1/statusx"};
	char calls[4096];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct answer answer = ask("GET", wrong[i], "");

		ck_assert_int_eq(answer.status, 404);
		ck_assert_str_eq(member(&answer, "error", "code"), "not-found");
		ck_assert_uint_gt(
		    json_array_size(json_object_get(
			json_object_get(answer.body, "error"), "details")),
		    10);
		answer_free(&answer);
	}
	fake_calls(&fake, calls);
	ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(malformed_names_and_numbers_in_the_path_are_refused)
{
	char target[600] = "/v1/hosts/";

	expect("GET", "/v1/moves/x12", "", 400, "not \"x12\"");
	expect("GET", "/v1/moves/-1", "", 400, "a number is wanted");
	expect("GET", "/v1/moves/99999999999999999999", "", 400,
	    "a number is wanted");
	expect("GET", "/v1/hosts/", "", 400, "a name of 1 to 255 bytes");
	expect("GET", "/v1/vms/a%00b", "", 400, "a name");
	memset(target + 10, 'a', 300);
	expect("GET", target, "", 400, "a name of 1 to 255 bytes");
}
END_TEST

START_TEST(wrong_bodies_are_refused_with_what_is_wanted)
{
	const char *drain = "/v1/hosts/kvm1/drain";
	char calls[4096];

	expect("POST", drain, "{\"parallel\": 2", 400, "line 1, column");
	expect("POST", drain, "[1]", 400, "not a JSON object");
	expect("POST", drain, "{\"parralel\": 2}", 400,
	    "unknown key \"parralel\" (did you mean \"parallel\"?)");
	expect("POST", drain, "{\"zzz\": 2}", 400,
	    "known: \"parallel\", \"to\", \"reason\", \"force_off\", "
	    "\"include_stopped\"");
	expect("POST", "/v1/reload", "{\"zzz\": 2}", 400, "known: none");
	expect("POST", drain, "{\"parallel\": \"2\"}", 400,
	    "\"parallel\": a whole number from 1 to 1000 is wanted");
	expect("POST", drain, "{\"parallel\": 0}", 400, "from 1 to 1000");
	expect("POST", drain, "{\"parallel\": 1.5}", 400, "whole number");
	expect("POST", drain, "{\"to\": 5}", 400, "\"to\": a text of");
	expect("POST", drain, "{\"to\": \"\"}", 400, "\"to\": a text of");
	expect(
	    "POST", drain, "{\"to\": \"a\", \"to\": \"b\"}", 400, "duplicate");
	expect("POST", "/v1/vms/web1/move", "{\"dry_run\": 1}", 400,
	    "\"dry_run\": true or false");
	expect("POST", "/v1/hosts/kvm1/drain?parallel=2", "", 400,
	    "into the body");
	expect("GET", "/v1/moves?maximum=2", "", 400, "unknown key");
	expect("GET", "/v1/moves?max=abc", "", 400, "\"max\": a whole");
	expect("GET", "/v1/moves?max=1&max=2", "", 400, "given twice");
	expect("GET", "/v1/moves?open=maybe", "", 400, "true or false");
	expect("GET", "/v1/plan/drain/kvm1?to=%ff", "", 400, "not UTF-8");
	expect("GET", "/v1/plan/drain/kvm1?to=%f", "", 400, "malformed");
	fake_calls(&fake, calls);
	ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(a_move_that_is_refused_for_now_only_says_so)
{
	struct answer answer;

	fake.waits = 1;
	answer = ask("POST", "/v1/vms/web1/move", "{}");
	ck_assert_int_eq(answer.status, 409);
	ck_assert(json_is_true(json_object_get(answer.body, "wait")));
	ck_assert_ptr_nonnull(strstr(
	    member(&answer, "error", "message"), "no host can take it yet"));
	answer_free(&answer);
	err_set(&fake.fail, ERR_CONFLICT, "web1 is being moved already");
	answer = ask("POST", "/v1/vms/web1/move", "{}");
	ck_assert_int_eq(answer.status, 409);
	ck_assert_ptr_null(json_object_get(answer.body, "wait"));
	answer_free(&answer);
}
END_TEST

START_TEST(a_body_too_large_is_refused_unread)
{
	size_t len = SERVER_BODY_MAX + 1;
	char *body = malloc(16 * SERVER_BODY_MAX);
	struct answer answer;
	char calls[4096];

	memset(body, ' ', 16 * SERVER_BODY_MAX);
	answer = ask_body("POST", "/v1/hosts/kvm1/drain", body, len);
	ck_assert_int_eq(answer.status, 413);
	ck_assert_str_eq(member(&answer, "error", "code"), "limit");
	answer_free(&answer);
	answer = ask_body(
	    "POST", "/v1/hosts/kvm1/drain", body, 16 * SERVER_BODY_MAX);
	ck_assert_int_eq(answer.status, 413);
	answer_free(&answer);
	fake_calls(&fake, calls);
	ck_assert_str_eq(calls, "");
	/* The largest that is allowed is read. */
	body[0] = '{';
	body[SERVER_BODY_MAX - 1] = '}';
	answer =
	    ask_body("POST", "/v1/hosts/kvm1/undrain", body, SERVER_BODY_MAX);
	ck_assert_int_eq(answer.status, 200);
	answer_free(&answer);
	free(body);
}
END_TEST

START_TEST(errors_of_the_backend_have_their_status)
{
	static const struct {
		enum err_code code;
		int status;
	} cases[] = {
	    {ERR_INVALID, 400},
	    {ERR_NOT_FOUND, 404},
	    {ERR_CONFLICT, 409},
	    {ERR_LIMIT, 503},
	    {ERR_UNREACHABLE, 503},
	    {ERR_IO, 500},
	    {ERR_INTERNAL, 500},
	    {ERR_REFUSED, 500},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer;

		fake.fail.code = cases[i].code;
		strcpy(fake.fail.msg, "kvm9: \"nothing\" there");
		answer = ask("GET", "/v1/hosts/kvm9", "");
		ck_assert_int_eq(answer.status, cases[i].status);
		ck_assert_str_eq(member(&answer, "error", "code"),
		    err_code_name(cases[i].code));
		ck_assert_str_eq(member(&answer, "error", "message"),
		    "kvm9: \"nothing\" there");
		answer_free(&answer);
	}
}
END_TEST

START_TEST(a_refused_reload_lists_every_fault)
{
	struct answer answer;
	json_t *details;

	fake.faults = "drover.yaml:1:1: a\ndrover.yaml:2:5: b\n";
	answer = ask("POST", "/v1/reload", "");
	ck_assert_int_eq(answer.status, 400);
	details =
	    json_object_get(json_object_get(answer.body, "error"), "details");
	ck_assert_uint_eq(json_array_size(details), 2);
	ck_assert_str_eq(json_string_value(json_array_get(details, 1)),
	    "drover.yaml:2:5: b");
	answer_free(&answer);
}
END_TEST

START_TEST(garbage_does_not_stop_the_server)
{
	static const char *const garbage[] = {"\r\n\r\n", "GET\r\n\r\n",
	    "GET /v1/status HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02",
	    "POST /v1/reload HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
	    "POST /v1/reload HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"};

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		int fd = dial(0);

		send_all(fd, garbage[i], strlen(garbage[i]));
		close(fd);
	}
	expect("GET", "/v1/status", "", 200, "status");
}
END_TEST

/* ---- events ---- */

static void
wake_followers(void *arg)
{
	struct store_event event = {.seq = fake.event_count};

	(void)arg;
	server_push_event(server, &event);
}

static void
add_events(int64_t count)
{
	pthread_mutex_lock(&fake.lock);
	fake.event_count += count;
	pthread_mutex_unlock(&fake.lock);
	loop_post(loop, wake_followers, NULL);
}

#define FDS_MAX 256

/* Per connection, by its descriptor. */
static struct unread {
	char data[66000];
	size_t len;
} unread[FDS_MAX];

static int
follow(const char *target, const char *headers, int receive_buffer)
{
	char head[512];
	int fd = dial(receive_buffer);

	ck_assert_int_lt(fd, FDS_MAX);
	unread[fd].data[0] = '\0';
	unread[fd].len = 0;
	snprintf(head, sizeof(head),
	    "GET %s HTTP/1.1\r\nHost: drover\r\n"
	    "%s\r\n",
	    target, headers);
	send_all(fd, head, strlen(head));
	return fd;
}

/* Reads until `want` was seen, or fails.  What came after it is kept for the
 * next time. */
static void
read_until(int fd, const char *want)
{
	struct unread *kept = &unread[fd];
	const char *found;
	size_t rest;

	while ((found = strstr(kept->data, want)) == NULL) {
		ssize_t n;

		/* Only the end can be the beginning of it. */
		if (kept->len > 256) {
			memmove(kept->data, kept->data + kept->len - 256, 256);
			kept->len = 256;
		}
		n = recv(fd, kept->data + kept->len, 65536, 0);
		ck_assert_msg(n > 0, "\"%s\" never came", want);
		kept->len += (size_t)n;
		kept->data[kept->len] = '\0';
	}
	found += strlen(want);
	rest = kept->len - (size_t)(found - kept->data);
	memmove(kept->data, found, rest + 1);
	kept->len = rest;
}

START_TEST(a_follower_sees_what_comes_after_it_came)
{
	int fd;

	fake.event_count = 5;
	fd = follow("/v1/events", "", 0);
	read_until(fd, "retry: 1000");
	add_events(1);
	read_until(fd,
	    "id: 6\nevent: drover.move.completed\n"
	    "data: {\"n\":6,\"pad\":\"\"}\n\n");
	add_events(2);
	read_until(fd, "id: 8\n");
	ck_assert_int_eq(fake.events_read, 3);
	close(fd);
}
END_TEST

START_TEST(a_follower_goes_on_where_it_was)
{
	int fd;

	fake.event_count = 500;
	fd = follow("/v1/events", "Last-Event-ID: 350\r\n", 0);
	read_until(fd, "id: 351\n");
	read_until(fd, "id: 500\n");
	ck_assert_int_eq(fake.events_read, 150);
	close(fd);
	fd = follow("/v1/events?after=498", "", 0);
	read_until(fd, "id: 499\n");
	close(fd);
	/* The header is newer than the address of a client that returns. */
	fd = follow("/v1/events?after=0", "Last-Event-ID: 499\r\n", 0);
	read_until(fd, "id: 500\n");
	ck_assert_int_eq(fake.events_read, 153);
	close(fd);
	fd = follow("/v1/events", "Last-Event-ID: yes\r\n", 0);
	read_until(fd, "400 Bad Request");
	close(fd);
}
END_TEST

START_TEST(events_can_be_listed_without_following)
{
	struct answer answer;
	json_t *rows;

	fake.event_count = 300;
	answer = ask("GET", "/v1/events?follow=false&max=10", "");
	rows = json_object_get(answer.body, "events");
	ck_assert_uint_eq(json_array_size(rows), 10);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(json_array_get(rows, 0), "seq")),
	    291);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(answer.body, "last")), 300);
	answer_free(&answer);
	answer = ask("GET", "/v1/events?follow=false&after=5", "");
	rows = json_object_get(answer.body, "events");
	ck_assert_uint_eq(json_array_size(rows), 100);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(
		json_object_get(json_array_get(rows, 0), "event"), "n")),
	    6);
	answer_free(&answer);
}
END_TEST

/*
 * The follower reads nothing while 20000 events of 1 kB come.  What was read
 * from the store for it is what waits for it: that must stay at what one chunk
 * and the socket's buffers hold.  Afterwards it gets all of them.
 */
START_TEST(a_slow_follower_costs_no_memory_and_loses_nothing)
{
	int64_t read_for_it;
	int slow, quick;

	fake.event_size = 1024;
	slow = follow("/v1/events", "", 4096);
	read_until(slow, "retry: 1000");
	quick = follow("/v1/events", "", 0);
	read_until(quick, "retry: 1000");
	for (int i = 0; i < 20; i++)
		add_events(1000);
	read_until(quick, "id: 20000\n");
	pthread_mutex_lock(&fake.lock);
	read_for_it = fake.events_read - 20000;
	pthread_mutex_unlock(&fake.lock);
	ck_assert_msg(read_for_it < 1000, "%lld events of 1 kB wait in memory",
	    (long long)read_for_it);
	read_until(slow, "id: 20000\n");
	ck_assert_int_eq(fake.events_read, 40000);
	close(slow);
	close(quick);
}
END_TEST

START_TEST(followers_are_limited_and_leave_their_place)
{
	int fds[SERVER_FOLLOWERS_MAX], fd;
	struct mono start;

	for (int i = 0; i < SERVER_FOLLOWERS_MAX; i++) {
		fds[i] = follow("/v1/events", "", 0);
		read_until(fds[i], "retry: 1000");
	}
	expect("GET", "/v1/events", "", 503, "64 clients follow");
	for (int i = 0; i < SERVER_FOLLOWERS_MAX; i++)
		close(fds[i]);
	start = clock_mono_now();
	for (;;) {
		char head[16] = "";

		fd = follow("/v1/events", "", 0);
		ck_assert_int_gt(recv(fd, head, 12, MSG_WAITALL), 0);
		close(fd);
		if (strncmp(head, "HTTP/1.1 200", 12) == 0)
			break;
		ck_assert(mono_diff(clock_mono_now(), start) < DEADLINE_MS);
	}
}
END_TEST

START_TEST(the_server_may_end_while_followed)
{
	int fd;

	fake.event_size = 60000;
	fd = follow("/v1/events", "", 0);
	read_until(fd, "retry: 1000");
	add_events(100);
	read_until(fd, "id: 1\n");
	/* teardown() ends it with data on its way; close() comes after. */
}
END_TEST

/* ---- the socket ---- */

START_TEST(the_socket_is_for_owner_and_group_only)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
}
END_TEST

START_TEST(a_living_socket_is_left_alone)
{
	struct err err = {0};
	struct loop *other = loop_new();

	ck_assert_ptr_null(server_new(other, path, NULL, &fake.backend, &err));
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.msg, "another droverd answers"));
	loop_free(other);
	expect("GET", "/v1/status", "", 200, "status");
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct loop *other = loop_new();
	struct server *second;
	struct err err = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/old", dir);
	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	second = server_new(other, address.sun_path, "", &fake.backend, &err);
	ck_assert_msg(second != NULL, "%s", err.msg);
	server_free(second);
	ck_assert_int_eq(access(address.sun_path, F_OK), -1);
	loop_free(other);
}
END_TEST

START_TEST(what_is_not_a_socket_is_not_removed)
{
	struct loop *other = loop_new();
	struct err err = {0};
	char file[128];
	int fd;

	snprintf(file, sizeof(file), "%s/file", dir);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_ptr_null(server_new(other, file, NULL, &fake.backend, &err));
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_int_eq(unlink(file), 0);
	loop_free(other);
}
END_TEST

START_TEST(impossible_sockets_say_why)
{
	struct loop *other = loop_new();
	struct err err = {0};
	char file[256];

	memset(file, 'x', sizeof(file) - 1);
	file[0] = '/';
	file[sizeof(file) - 1] = '\0';
	ck_assert_ptr_null(server_new(other, file, NULL, &fake.backend, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "1 to 107 bytes"));
	snprintf(file, sizeof(file), "%s/none/x.sock", dir);
	ck_assert_ptr_null(server_new(other, file, NULL, &fake.backend, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "directory has to exist"));
	snprintf(file, sizeof(file), "%s/x.sock", dir);
	ck_assert_ptr_null(
	    server_new(other, file, "no-such-group-here", &fake.backend, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "there is no group"));
	ck_assert_int_eq(access(file, F_OK), -1);
	loop_free(other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control");
	TCase *routes = tcase_create("routes");
	TCase *events = tcase_create("events");
	TCase *sockets = tcase_create("socket");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(routes, setup, teardown);
	tcase_add_test(routes, each_route_reaches_its_call);
	tcase_add_test(routes, routes_of_deliveries_reach_their_calls);
	tcase_add_test(routes, a_drop_of_all_wants_to_know_which);
	tcase_add_test(routes, others_are_answered_while_a_test_is_under_way);
	tcase_add_test(routes, a_test_that_fails_later_says_why);
	tcase_add_loop_test(routes, a_client_that_left_costs_nothing, 0, 2);
	tcase_add_test(routes, so_many_may_wait_and_no_more);
	tcase_add_test(routes, health_answers_without_the_backend);
	tcase_add_test(routes, labels_and_modes_are_checked_for_their_form);
	tcase_add_test(routes, metrics_are_text);
	tcase_add_test(
	    routes, schema_comes_first_and_numbers_stay_as_they_were);
	tcase_add_test(routes, a_wrong_method_is_told_the_right_one);
	tcase_add_test(routes, a_wrong_path_is_told_which_exist);
	tcase_add_test(
	    routes, malformed_names_and_numbers_in_the_path_are_refused);
	tcase_add_test(routes, wrong_bodies_are_refused_with_what_is_wanted);
	tcase_add_test(routes, a_move_that_is_refused_for_now_only_says_so);
	tcase_add_test(routes, a_body_too_large_is_refused_unread);
	tcase_add_test(routes, errors_of_the_backend_have_their_status);
	tcase_add_test(routes, a_refused_reload_lists_every_fault);
	tcase_add_test(routes, garbage_does_not_stop_the_server);
	suite_add_tcase(suite, routes);
	tcase_add_checked_fixture(events, setup, teardown);
	tcase_set_timeout(events, 60);
	tcase_add_test(events, a_follower_sees_what_comes_after_it_came);
	tcase_add_test(events, a_follower_goes_on_where_it_was);
	tcase_add_test(events, events_can_be_listed_without_following);
	tcase_add_test(
	    events, a_slow_follower_costs_no_memory_and_loses_nothing);
	tcase_add_test(events, followers_are_limited_and_leave_their_place);
	tcase_add_test(events, the_server_may_end_while_followed);
	suite_add_tcase(suite, events);
	tcase_add_checked_fixture(sockets, setup, teardown);
	tcase_add_test(sockets, the_socket_is_for_owner_and_group_only);
	tcase_add_test(sockets, a_living_socket_is_left_alone);
	tcase_add_test(sockets, a_stale_socket_is_replaced);
	tcase_add_test(sockets, what_is_not_a_socket_is_not_removed);
	tcase_add_test(sockets, impossible_sockets_say_why);
	suite_add_tcase(suite, sockets);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
