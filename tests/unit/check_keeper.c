/*
 * Receivers of type alertmanager are told again and again of what is on, of
 * nothing else, and by nobody who is slow or gone more than they can take.  A real
 * server and a keeper on one loop; its rounds are some milliseconds apart.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "notify/conditions.h"
#include "notify/keeper.h"
#include "notify/state.h"
#include "store_fixture.h"

#define DEADLINE_MS 30000
#define RESEND_MS 20
#define TOKEN "T0KEN"
#define SEEN_MAX 4096

static struct loop *loop;
static struct store *store;
static struct keeper *keeper;
static struct announce *announcer;
static struct mono started;
static struct settings_receiver receivers[2];
static struct settings_host hosts[3] = {
    {.name = "kvm1"}, {.name = "kvm2"}, {.name = "kvm3"}};
static struct settings settings = {
    .site = "lab", .hosts = hosts, .host_count = 3, .receivers = receivers};
static const char *const all[] = {"*"};
static char url[128], token_path[128], log_path[128];
static int old_stderr;

/* ---- the server ---- */

static struct evhttp *server;
static int port, answer, hung;
static int seen;     /* requests */
static json_t *last; /* the body of the last one */
static struct wall last_at;
static char path[128], type[64], bearer[64], extra[64];
static struct evhttp_request *hanging;

static void
copy_header(
    struct evhttp_request *req, const char *name, char *out, size_t size)
{
	const char *value =
	    evhttp_find_header(evhttp_request_get_input_headers(req), name);

	snprintf(out, size, "%s", value != NULL ? value : "");
}

static void
serve(struct evhttp_request *req, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);

	(void)arg;
	ck_assert_int_lt(seen, SEEN_MAX);
	json_decref(last);
	last = json_loadb((const char *)evbuffer_pullup(in, -1), len, 0, NULL);
	ck_assert_ptr_nonnull(last);
	last_at = clock_wall_now();
	snprintf(path, sizeof(path), "%s", evhttp_request_get_uri(req));
	copy_header(req, "content-type", type, sizeof(type));
	copy_header(req, "authorization", bearer, sizeof(bearer));
	copy_header(req, "x-scope", extra, sizeof(extra));
	seen++;
	if (answer == 0) {
		hung++;
		hanging = req;
		return;
	}
	evhttp_send_reply(req, answer, "Answer", NULL);
}

static void
start_server(void)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	server = evhttp_new(loop_base(loop));
	evhttp_set_gencb(server, serve, NULL);
	bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
	ck_assert_ptr_nonnull(bound);
	ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(bound),
			     (struct sockaddr *)&addr, &len),
	    0);
	port = ntohs(addr.sin_port);
}

/* ---- the keeper ---- */

static void
start_keeper(void)
{
	struct err err = {0};

	if (announcer == NULL)
		announcer = announce_new(store, &settings);
	keeper = keeper_new(loop, store, announcer, &settings, &err);
	ck_assert_msg(keeper != NULL, "%s", err.msg);
	started = clock_mono_now();
}

static void
open_all(void)
{
	int fd;

	setup();
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	old_stderr = dup(STDERR_FILENO);
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	store = open_store();
	loop = loop_new();
	start_server();
	answer = 200;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/" TOKEN, port);
	receivers[0] = (struct settings_receiver){.name = "am",
	    .type = "alertmanager",
	    .kind = RECEIVER_ALERTMANAGER,
	    .events = all,
	    .event_count = 1,
	    .url = url,
	    .timeout_ms = DEADLINE_MS,
	    .resend_ms = RESEND_MS};
	settings.receiver_count = 1;
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
close_all(void)
{
	keeper_free(keeper);
	announce_free(announcer);
	evhttp_free(server);
	loop_free(loop);
	store_close(store);
	json_decref(last);
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	ck_assert_int_eq(count_in_log(TOKEN), 0);
	teardown();
}

static void
event(const char *kind, const char *host)
{
	char full[64], at[CLOCK_RFC3339_SIZE];
	struct store_event row = {
	    .id = "e-1", .type = full, .at = clock_wall_now(), .seq = 1};
	struct conditions_change change;
	json_t *data = json_pack("{s:s}", "host", host), *body;
	struct err err = {0};
	char *text;

	snprintf(full, sizeof(full), "drover.%s", kind);
	wall_format(row.at, at);
	body = json_pack("{s:s, s:s, s:s, s:s, s:O}", "id", "e-1", "type", full,
	    "time", at, "source", "/drover/lab", "data", data);
	text = json_dumps(body, 0);
	row.body = text;
	ck_assert_msg(conditions_apply(store, &row, data, &change, &err) == 0,
	    "%s", err.msg);
	conditions_free(&change);
	free(text);
	json_decref(body);
	json_decref(data);
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
		loop_timer_set(timer, 5);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	loop_timer_free(timer);
}
#define WAIT(done, n) run_until(done, n, #done)

static bool
saw(int n)
{
	return seen >= n;
}

static bool
log_says_so(int n)
{
	static const char *const words[] = {
	    "could not be told again", "is told again"};

	return count_in_log(words[n]) >= 1;
}

static bool
is_on(const json_t *alert)
{
	struct wall ends = {0};

	ck_assert(wall_parse(
	    json_string_value(json_object_get(alert, "endsAt")), &ends));
	return ends.ms > last_at.ms;
}

/* The last request's: "kvm1+ kvm2-". */
static const char *
told(void)
{
	static char text[256];
	size_t n = 0, i;
	json_t *alert;

	text[0] = '\0';
	json_array_foreach(last, i, alert)
	{
		json_t *labels = json_object_get(alert, "labels");
		const char *host =
		    json_string_value(json_object_get(labels, "host"));

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%c",
		    n > 0 ? " " : "", host != NULL ? host : "?",
		    is_on(alert) ? '+' : '-');
	}
	return text;
}

static const char *wanted;

static bool
told_wanted(int n)
{
	(void)n;
	return last != NULL && strcmp(told(), wanted) == 0;
}

static void
wait_told(const char *text)
{
	wanted = text;
	run_until(told_wanted, 0, text);
}

/* ---- rounds ---- */

START_TEST(what_is_on_is_told_again_until_it_is_over)
{
	int before;

	receivers[0].resend_ms = 1000;
	event("host.lost", "kvm1");
	start_keeper();
	wait_told("kvm1+");
	ck_assert_str_eq(path, "/" TOKEN "/api/v2/alerts");
	ck_assert_str_eq(type, "application/json");
	receivers[0].resend_ms = RESEND_MS;
	keeper_configure(keeper, &settings);
	WAIT(saw, 5);
	event("host.lost", "kvm2");
	wait_told("kvm1+ kvm2+");
	event("host.recovered", "kvm1");
	/* Once more, as over: whatever overtook the resolve is undone. */
	wait_told("kvm2+ kvm1-");
	wait_told("kvm2+");
	event("host.recovered", "kvm2");
	wait_told("kvm2-");
	/* Then there is nothing to say. */
	before = seen;
	event("host.lost", "kvm3");
	wait_told("kvm3+");
	ck_assert_int_eq(seen, before + 1);
}
END_TEST

START_TEST(alerts_hold_for_four_rounds_and_begin_when_they_began)
{
	struct wall starts = {0}, ends = {0}, before = clock_wall_now(), after;
	json_t *alert;

	receivers[0].resend_ms = 10000;
	event("host.lost", "kvm1");
	after = clock_wall_now();
	start_keeper();
	WAIT(saw, 1);
	alert = json_array_get(last, 0);
	ck_assert(wall_parse(
	    json_string_value(json_object_get(alert, "startsAt")), &starts));
	ck_assert(wall_parse(
	    json_string_value(json_object_get(alert, "endsAt")), &ends));
	ck_assert_int_ge(starts.ms, before.ms);
	ck_assert_int_le(starts.ms, after.ms);
	ck_assert_int_ge(ends.ms, before.ms + 40000);
	ck_assert_int_le(ends.ms, last_at.ms + 40000);
}
END_TEST

START_TEST(after_a_restart_it_goes_on_from_the_store)
{
	event("host.lost", "kvm1");
	start_keeper();
	WAIT(saw, 1);
	keeper_free(keeper);
	store_close(store);
	store = open_store();
	json_decref(last);
	last = NULL;
	start_keeper();
	wait_told("kvm1+");
}
END_TEST

START_TEST(filters_hold_here_as_well)
{
	static const char *const moves[] = {"move.*", "host.claimed"};

	receivers[0].events = moves;
	receivers[0].event_count = 2;
	event("host.lost", "kvm1");
	event("host.claimed", "kvm2");
	start_keeper();
	wait_told("kvm2+");
	/* It is a warning. */
	receivers[0].severity = RECEIVER_ERROR;
	receivers[0].events = all;
	receivers[0].event_count = 1;
	keeper_configure(keeper, &settings);
	wait_told("kvm1+ kvm2-");
	wait_told("kvm1+");
}
END_TEST

START_TEST(others_are_not_told)
{
	receivers[1] = receivers[0];
	receivers[1].name = "ops";
	receivers[1].kind = RECEIVER_CLOUDEVENTS;
	receivers[1].url = "http://127.0.0.1:1/";
	settings.receiver_count = 2;
	event("host.lost", "kvm1");
	start_keeper();
	WAIT(saw, 3);
	ck_assert_int_eq(count_in_log("ops"), 0);
}
END_TEST

START_TEST(what_is_not_configured_is_over)
{
	event("host.lost", "kvm1");
	event("host.lost", "kvm3");
	start_keeper();
	wait_told("kvm1+ kvm3+");
	settings.host_count = 2;
	keeper_configure(keeper, &settings);
	wait_told("kvm1+ kvm3-");
	/* Those that the keeper does not tell hear of it, too. */
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox JOIN events ON"
			     " seq = event_seq WHERE type ="
			     " 'drover.condition.ended' AND body LIKE"
			     " '%host-lost/kvm3%'"),
	    1);
	settings.host_count = 3;
	/* A receiver that goes is left alone. */
	settings.receiver_count = 0;
	keeper_configure(keeper, &settings);
	json_decref(last);
	last = NULL;
	settings.receiver_count = 1;
	keeper_configure(keeper, &settings);
	wait_told("kvm1+");
}
END_TEST

START_TEST(nothing_begins_after_its_end_when_the_clock_was_set_back)
{
	struct wall starts = {0}, ends = {0};
	json_t *alert;
	size_t i;

	event("host.lost", "kvm1");
	event("host.lost", "kvm2");
	run_sql(store, "UPDATE conditions SET since = since + 3600000");
	start_keeper();
	wait_told("kvm1+ kvm2+");
	event("host.recovered", "kvm1");
	wait_told("kvm2+ kvm1-");
	json_array_foreach(last, i, alert)
	{
		ck_assert(wall_parse(
		    json_string_value(json_object_get(alert, "startsAt")),
		    &starts));
		ck_assert(wall_parse(
		    json_string_value(json_object_get(alert, "endsAt")),
		    &ends));
		ck_assert_int_le(starts.ms, ends.ms);
		ck_assert_int_le(starts.ms, last_at.ms);
	}
}
END_TEST

/* ---- trouble ---- */

START_TEST(an_end_is_told_until_it_is_heard)
{
	int before;

	event("host.lost", "kvm1");
	event("host.lost", "kvm2");
	start_keeper();
	wait_told("kvm1+ kvm2+");
	answer = 503;
	event("host.recovered", "kvm1");
	wait_told("kvm2+ kvm1-");
	before = seen;
	WAIT(saw, before + 3);
	ck_assert_str_eq(told(), "kvm2+ kvm1-");
	/* It is on again. */
	event("host.lost", "kvm1");
	wait_told("kvm2+ kvm1+");
	event("host.recovered", "kvm2");
	wait_told("kvm1+ kvm2-");
	answer = 200;
	wait_told("kvm1+");
}
END_TEST

static bool
rounds_passed(int n)
{
	return mono_diff(clock_mono_now(), started) >= (int64_t)n * RESEND_MS;
}

START_TEST(a_slow_receiver_gets_one_round_at_a_time)
{
	answer = 0;
	event("host.lost", "kvm1");
	start_keeper();
	WAIT(saw, 1);
	WAIT(rounds_passed, 10);
	ck_assert_int_eq(seen, 1);
	event("host.recovered", "kvm1");
	event("host.lost", "kvm2");
	answer = 200;
	evhttp_send_reply(hanging, 200, "Answer", NULL);
	/* What it was told meanwhile is not forgotten. */
	wait_told("kvm2+ kvm1-");
}
END_TEST

START_TEST(trouble_is_told_once_and_so_is_its_end)
{
	int first;

	answer = 503;
	event("host.lost", "kvm1");
	start_keeper();
	WAIT(saw, 5);
	WAIT(log_says_so, 0);
	ck_assert_int_eq(count_in_log("could not be told again: HTTP 503"), 1);
	answer = 200;
	WAIT(log_says_so, 1);
	first = seen;
	WAIT(saw, first + 3);
	ck_assert_int_eq(count_in_log("is told again"), 1);
}
END_TEST

static void
write_token(const char *token)
{
	FILE *f = fopen(token_path, "w");

	fprintf(f, "%s\n", token);
	fclose(f);
	ck_assert_int_eq(chmod(token_path, 0600), 0);
}

START_TEST(files_and_headers_of_the_receiver_count)
{
	static const struct receiver_header headers[] = {{"X-Scope", "team"}};

	snprintf(token_path, sizeof(token_path), "%s/token", dir);
	receivers[0].token_file = token_path;
	receivers[0].headers = headers;
	receivers[0].header_count = 1;
	event("host.lost", "kvm1");
	start_keeper();
	WAIT(log_says_so, 0);
	ck_assert_int_eq(seen, 0);
	ck_assert_int_eq(count_in_log("token_file"), 1);
	write_token(TOKEN "1");
	WAIT(saw, 1);
	ck_assert_str_eq(bearer, "Bearer " TOKEN "1");
	ck_assert_str_eq(extra, "team");
}
END_TEST

START_TEST(a_receiver_that_said_that_it_is_gone_is_left_alone)
{
	const struct store_disabled gone = {"am", "hash", {1}, "HTTP 410"};

	event("host.lost", "kvm1");
	ck_assert_int_eq(store_put_disabled(store, &gone, NULL), 0);
	start_keeper();
	WAIT(rounds_passed, 5);
	ck_assert_int_eq(seen, 0);
	ck_assert_int_eq(store_remove_disabled(store, "am", NULL), 0);
	wait_told("kvm1+");
}
END_TEST

START_TEST(the_keeper_may_be_freed_in_the_middle_of_a_round)
{
	answer = 0;
	event("host.lost", "kvm1");
	start_keeper();
	WAIT(saw, 1);
	settings.receiver_count = 0;
	keeper_configure(keeper, &settings);
	keeper_free(keeper);
	keeper = NULL;
	evhttp_send_reply(hanging, 200, "Answer", NULL);
}
END_TEST

START_TEST(it_says_what_is_on)
{
	json_t *list, *row;

	event("host.lost", "kvm1");
	event("host.lost", "kvm2");
	start_keeper();
	list = keeper_status(keeper);
	ck_assert_uint_eq(json_array_size(list), 2);
	row = json_array_get(list, 0);
	ck_assert_str_eq(
	    json_string_value(json_object_get(row, "key")), "host-lost/kvm1");
	ck_assert_str_eq(
	    json_string_value(json_object_get(row, "name")), "DroverHostLost");
	ck_assert_str_eq(
	    json_string_value(json_object_get(row, "type")), "host.lost");
	ck_assert_ptr_nonnull(json_object_get(row, "since"));
	json_decref(list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keeper");
	TCase *tc = tcase_create("keeper");

	tcase_add_checked_fixture(tc, open_all, close_all);
	tcase_add_test(tc, what_is_on_is_told_again_until_it_is_over);
	tcase_add_test(
	    tc, alerts_hold_for_four_rounds_and_begin_when_they_began);
	tcase_add_test(tc, after_a_restart_it_goes_on_from_the_store);
	tcase_add_test(tc, filters_hold_here_as_well);
	tcase_add_test(tc, others_are_not_told);
	tcase_add_test(tc, what_is_not_configured_is_over);
	tcase_add_test(
	    tc, nothing_begins_after_its_end_when_the_clock_was_set_back);
	tcase_add_test(tc, an_end_is_told_until_it_is_heard);
	tcase_add_test(tc, a_slow_receiver_gets_one_round_at_a_time);
	tcase_add_test(tc, trouble_is_told_once_and_so_is_its_end);
	tcase_add_test(tc, files_and_headers_of_the_receiver_count);
	tcase_add_test(tc, a_receiver_that_said_that_it_is_gone_is_left_alone);
	tcase_add_test(tc, the_keeper_may_be_freed_in_the_middle_of_a_round);
	tcase_add_test(tc, it_says_what_is_on);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
