/*
 * droverctl notify: what its tables and lines look like, and whole commands
 * against the control server with a made-up backend.
 */

#include <pthread.h>

#include "base/log.h"
#include "control/server.h"
#include "ctl/render.h"
#include "ctl_run.h"
#include "fake_backend.h"

static struct fake_backend fake;
static struct loop *loop;
static struct server *server;
static pthread_t thread;

static void
show(void (*render)(const json_t *, const struct style *, bool, struct buf *),
    bool wide, const char *text)
{
	json_t *json = parse(text);

	buf_clear(&out);
	render(json, &pipe_style, wide, &out);
	json_decref(json);
}

static void
say(void (*render)(const json_t *, struct buf *), const char *text)
{
	json_t *json = parse(text);

	buf_clear(&out);
	render(json, &out);
	json_decref(json);
}

/* ---- receivers ---- */

START_TEST(each_receiver_says_how_it_is_and_why)
{
	show(render_receivers, false,
	    "{'receivers': [{'name': 'ops', 'type': 'cloudevents', 'state': "
	    "'ok', 'pending': 0, 'dead': 0, 'delivered': 812, 'last_code': "
	    "204}, {'name': 'chat', 'type': 'slack', 'state': 'retrying', "
	    "'why': 'HTTP 503', 'pending': 12, 'oldest_ms': 180000, 'dead': "
	    "1, 'delivered': 3, 'last_code': 503, 'last_error': 'HTTP 503'}, "
	    "{'name': 'page', 'type': 'pagerduty', 'state': 'disabled', "
	    "'why': 'HTTP 410', 'pending': 2, 'oldest_ms': 1000, 'dead': 0, "
	    "'delivered': 0, 'last_code': 410}, {'name': 'old', 'state': "
	    "'not-configured', 'pending': 1, 'oldest_ms': 90000, 'dead': "
	    "0}]}");
	expect_text("NAME  TYPE         STATE                "
		    "PENDING    OLDEST  DEAD  DELIVERED  LAST\n"
		    "ops   cloudevents  ok                   "
		    "      0         -     0        812  HTTP 204\n"
		    "chat  slack        retrying (HTTP 503)  "
		    "     12  3 m 00 s     1          3  HTTP 503\n"
		    "page  pagerduty    disabled (HTTP 410)  "
		    "      2     1.0 s     0          0  HTTP 410\n"
		    "old   -            not configured       "
		    "      1  1 m 30 s     0          -  -\n");
	show(render_receivers, true,
	    "{'receivers': [{'name': 'chat', 'state': 'held', 'until': "
	    "'2026-11-21T03:00:00.000Z', 'pending': 1, 'oldest_id': 17, "
	    "'dead_id': 9}]}");
	expect_part("held (until 2026-11-2");
	expect_part("OLDEST ID  DEAD ID\n");
	expect_part("       17        9\n");
}
END_TEST

START_TEST(status_has_a_line_for_what_wants_attention)
{
	static const struct {
		const char *receiver, *line;
	} lines[] = {{"{'name': 'ops', 'type': 'cloudevents', 'state': 'ok', "
		      "'pending': 0, 'dead': 0}",
			 "ops (cloudevents): ok"},
	    {"{'name': 'ops', 'type': 'cloudevents', 'state': 'ok', "
	     "'pending': 2, 'dead': 0, 'oldest_id': 5}",
		"ops (cloudevents): 2 pending"},
	    {"{'name': 'chat', 'type': 'slack', 'state': 'retrying', 'why': "
	     "'HTTP 503', 'pending': 12, 'oldest_ms': 180000, 'oldest_id': "
	     "17, 'dead': 0}",
		"chat (slack): 12 events wait since 3 m 00 s: HTTP 503; "
		"droverctl notify show 17"},
	    {"{'name': 'chat', 'type': 'slack', 'state': 'ok', 'pending': 0, "
	     "'dead': 1, 'dead_id': 9}",
		"chat (slack): 1 dead letter: droverctl notify show 9"},
	    {"{'name': 'chat', 'type': 'slack', 'state': 'disabled', 'why': "
	     "'HTTP 410', 'pending': 1, 'oldest_ms': 60000, 'oldest_id': 4, "
	     "'dead': 3, 'dead_id': 2}",
		"chat (slack): disabled: HTTP 410; 1 event waits since 1 m 00 "
		"s; droverctl notify show 4; 3 dead letters: droverctl notify "
		"show 2"},
	    {"{'name': 'chat', 'type': 'slack', 'state': 'disabled', 'why': "
	     "'HTTP 410', 'pending': 0, 'dead': 0}",
		"chat (slack): disabled: HTTP 410; droverctl notify test "
		"chat"},
	    {"{'name': 'chat', 'type': 'slack', 'state': 'held', 'why': "
	     "'secret: it is empty', 'pending': 0, 'dead': 0}",
		"chat (slack): held: secret: it is empty"},
	    {"{'name': 'old', 'state': 'not-configured', 'pending': 1, "
	     "'oldest_ms': 1000, 'oldest_id': 4, 'dead': 0}",
		"old: 1 event waits since 1.0 s: it is not configured; "
		"droverctl notify show 4"}};

	say(render_receiver_line, lines[_i].receiver);
	expect_text(lines[_i].line);
}
END_TEST

START_TEST(the_lines_are_in_the_status)
{
	show(render_status, false,
	    "{'version': '1', 'receivers': [{'name': 'ops', 'type': "
	    "'cloudevents', 'state': 'ok', 'pending': 0, 'dead': 0}, {'name': "
	    "'chat', 'type': 'slack', 'state': 'ok', 'pending': 0, 'dead': 1, "
	    "'dead_id': 9}]}");
	expect_part("receivers  ops (cloudevents): ok\n"
		    "           chat (slack): 1 dead letter: droverctl notify "
		    "show 9\n");
}
END_TEST

/* ---- deliveries ---- */

START_TEST(the_queue_says_when_and_why)
{
	show(render_deliveries, false,
	    "{'deliveries': [{'id': 19, 'receiver': 'chat', 'event': "
	    "'move.completed', 'subject': 'vm/web1', 'state': 'pending', "
	    "'age_ms': 1000, 'attempts': 0, 'next_ms': 20000, 'grouped': "
	    "true}, {'id': 17, 'receiver': 'chat', 'event': "
	    "'config.rejected', 'subject': 'config', 'state': 'pending', "
	    "'age_ms': 180000, 'attempts': 4, 'next_ms': 0, 'why': 'HTTP "
	    "503'}, "
	    "{'id': 3, 'receiver': 'ops', 'event': 'move.failed', 'subject': "
	    "'vm/a', 'state': 'dead', 'age_ms': 86400000, 'attempts': 1, "
	    "'why': 'HTTP 400', 'code': 400}]}");
	expect_text("ID  RECEIVER  EVENT            SUBJECT       AGE  "
		    "ATTEMPTS  NEXT       WHY\n"
		    "19  chat      move.completed   vm/web1     1.0 s  "
		    "       0  in 20.0 s  is collected with others\n"
		    "17  chat      config.rejected  config   3 m 00 s  "
		    "       4  now        HTTP 503\n"
		    " 3  ops       move.failed      vm/a     1 d 00 h  "
		    "       1  never      HTTP 400\n");
}
END_TEST

START_TEST(a_delivery_shows_its_attempts_and_the_event)
{
	show(render_delivery, false,
	    "{'id': 17, 'receiver': 'chat', 'event': 'move.completed', "
	    "'subject': 'vm/web1', 'seq': 812, 'state': 'dead', "
	    "'webhook_id': 'b0f3', 'attempts': 2, 'why': 'HTTP 400', 'log': "
	    "[{'at': '2026-11-21T03:00:00.000Z', 'events': 1, 'code': 400, "
	    "'ms': 12, 'answer': 'invalid\\u001b[2J_payload'}, {'at': "
	    "'2026-11-21T02:59:00.000Z', 'events': 1, 'ms': 5000, 'error': "
	    "'Timeout was reached'}], 'body': {'id': 'b0f3', 'data': {'vm': "
	    "'web1'}}}");
	expect_part("delivery   17\n"
		    "receiver   chat\n"
		    "event      move.completed of vm/web1, number 812\n"
		    "webhook-id b0f3\n"
		    "state      dead letter: HTTP 400\n"
		    "queued     -\n"
		    "attempts   2\n"
		    "\n"
		    "AT                   EVENTS  CODE   TIME  ERROR OR "
		    "ANSWER\n");
	/* What a receiver says cannot clear the screen. */
	expect_part("       1   400  12 ms  invalid?[2J_payload\n");
	expect_part("       1     -  5.0 s  Timeout was reached\n");
	expect_part("\n\n{\n  \"id\": \"b0f3\",\n  \"data\": {\n    \"vm\": "
		    "\"web1\"\n  }\n}\n");
}
END_TEST

START_TEST(a_pending_one_says_when_it_is_sent)
{
	show(render_delivery, false,
	    "{'id': 17, 'receiver': 'chat', 'event': 'x', 'state': 'pending', "
	    "'next_ms': 12000, 'why': 'HTTP 503', 'attempts': 1, 'log': []}");
	expect_part("state      pending, sent in 12.0 s: HTTP 503\n");
	show(render_delivery, false,
	    "{'id': 17, 'receiver': 'chat', 'event': 'x', 'state': "
	    "'delivered', 'code': 200, 'attempts': 1}");
	expect_part("state      delivered\n");
}
END_TEST

START_TEST(the_log_names_receiver_and_delivery)
{
	show(render_attempts, false,
	    "{'attempts': [{'at': '2026-11-21T03:00:00.000Z', 'receiver': "
	    "'chat', 'delivery': 17, 'events': 3, 'code': 429, 'ms': 12, "
	    "'answer': 'slow\\ndown'}]}");
	expect_part("AT                   RECEIVER  ID  EVENTS  CODE   TIME  "
		    "ERROR OR ANSWER\n");
	expect_part("  chat      17       3   429  12 ms  slow?down\n");
}
END_TEST

/* ---- changes ---- */

START_TEST(changes_say_what_came_of_them)
{
	static const char one[] =
	    "{'id': 17, 'receiver': 'chat', 'event': 'move.failed'}";

	say(render_replayed, one);
	expect_text("delivery 17 (chat, move.failed): is sent again\n");
	say(render_replayed, "{'receiver': 'chat', 'replayed': 12, 'left': 0}");
	expect_text("chat: 12 dead letters are sent again\n");
	say(render_replayed, "{'receiver': 'chat', 'replayed': 1, 'left': 5}");
	expect_text("chat: 1 dead letter is sent again, the oldest; 5 are "
		    "left, for which the queue has no room now\n");
	say(render_dropped, one);
	expect_text("delivery 17 (chat, move.failed): dropped, it is a dead "
		    "letter now\n");
	say(render_dropped,
	    "{'id': 17, 'receiver': 'chat', 'event': 'move.failed', "
	    "'deleted': true}");
	expect_text("delivery 17 (chat, move.failed): deleted\n");
	say(render_dropped, "{'receiver': 'chat', 'dropped': 2}");
	expect_text("chat: 2 events dropped, they are dead letters now\n");
	say(render_dropped, "{'receiver': 'chat', 'dropped': 0}");
	expect_text("chat: 0 events dropped\n");
	say(render_dropped, "{'receiver': 'chat', 'deleted': 3}");
	expect_text("chat: 3 dead letters deleted\n");
}
END_TEST

START_TEST(a_test_says_what_was_answered_and_what_to_do)
{
	say(render_test,
	    "{'receiver': 'ops', 'ok': true, 'code': 200, 'ms': 12, "
	    "'answer': 'ok'}");
	expect_text("ops: HTTP 200 in 12 ms\n");
	say(render_test,
	    "{'receiver': 'chat', 'ok': false, 'code': 403, 'ms': 20, "
	    "'answer': 'no_team', 'remedy': 'look at its url'}");
	expect_text("chat: HTTP 403 in 20 ms: \"no_team\": look at its url\n");
	say(render_test,
	    "{'receiver': 'chat', 'ok': false, 'ms': 5000, 'error': 'Timeout "
	    "was reached', 'remedy': 'is it up?'}");
	expect_text("chat: Timeout was reached after 5.0 s: is it up?\n");
}
END_TEST

/* ---- whole commands ---- */

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
start_daemon(void)
{
	struct err err = {0};

	setup();
	make_folder();
	log_set_level(LOG_LEVEL_ERROR);
	fake_init(&fake);
	loop = loop_new();
	server = server_new(loop, daemon_socket, NULL, &fake.backend, &err);
	ck_assert_msg(server != NULL, "%s", err.msg);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void
stop_daemon(void)
{
	loop_post(loop, stop_loop, NULL);
	pthread_join(thread, NULL);
	server_free(server);
	loop_free(loop);
	fake_free(&fake);
	remove_folder();
	teardown();
}

static void
expect_calls(const char *line, int status, const char *calls)
{
	char text[4096], *at;

	ck_assert_int_eq(run(line), status);
	fake_calls(&fake, text);
	/* Who asked is another test's business. */
	while ((at = strstr(text, " uid=")) != NULL)
		memmove(at, at + strcspn(at, "\n"),
		    strlen(at + strcspn(at, "\n")) + 1);
	ck_assert_str_eq(text, calls);
}

START_TEST(commands_ask_for_what_they_say)
{
	expect_calls("notify list", CTL_DONE, "receivers\n");
	expect_calls("notify queue", CTL_DONE, "deliveries - pending 0 50\n");
	expect_calls("notify queue my:chat --dead -n 3", CTL_DONE,
	    "deliveries my:chat dead 0 3\n");
	expect_calls("notify log", CTL_DONE, "attempts - 0 50\n");
	expect_calls("notify log ops --max 5", CTL_DONE, "attempts ops 0 5\n");
	expect_calls("notify show 17", CTL_DONE, "delivery 17\n");
	expect_calls("notify replay 17 18", CTL_DONE,
	    "delivery_replay 17\ndelivery_replay 18\n");
	expect_calls(
	    "notify replay --dead chat", CTL_DONE, "receiver_replay chat\n");
	expect_part("3 dead letters are sent again\n");
	expect_calls("notify drop 17", CTL_DONE, "delivery_drop 17\n");
	expect_calls("notify drop chat --pending", CTL_DONE,
	    "receiver_drop chat pending\n");
	expect_part("2 events dropped");
	expect_calls(
	    "notify drop --dead chat", CTL_DONE, "receiver_drop chat dead\n");
	expect_part("2 dead letters deleted\n");
}
END_TEST

START_TEST(what_the_daemon_does_in_slices_is_one_command)
{
	fake.slices = 3;
	expect_calls("notify drop chat --pending", CTL_DONE,
	    "receiver_drop chat pending\nreceiver_drop chat pending\n"
	    "receiver_drop chat pending\n");
	expect_part("6 events dropped");
}
END_TEST

START_TEST(what_is_ambiguous_is_refused_before_the_daemon_is_asked)
{
	expect_calls("notify replay --dead chat ops", CTL_USAGE, "");
	expect_calls("notify drop --dead --pending ops", CTL_USAGE, "");
	expect_calls("notify drop --pending ops chat", CTL_USAGE, "");
}
END_TEST

START_TEST(one_that_fails_does_not_keep_the_others)
{
	err_set(&fake.fail, ERR_CONFLICT, "delivery 17 has been delivered");
	expect_calls("notify drop 17 18", CTL_FAILED,
	    "delivery_drop 17\ndelivery_drop 18\n");
	get(complaints);
	expect_text("droverctl: delivery 17 has been delivered\n"
		    "droverctl: delivery 17 has been delivered\n");
}
END_TEST

START_TEST(a_test_exits_by_what_came_of_it)
{
	fake.test_answer = "{\"receiver\": \"ops\", \"ok\": true, \"code\": "
			   "200, \"ms\": 12}";
	expect_calls("notify test ops", CTL_DONE, "receiver_test ops -\n");
	expect_text("ops: HTTP 200 in 12 ms\n");
	fake.test_answer = "{\"receiver\": \"ops\", \"ok\": false, \"code\": "
			   "404, \"ms\": 12, \"remedy\": \"look at its url\"}";
	expect_calls("notify test ops", CTL_FAILED, "receiver_test ops -\n");
	ck_assert_uint_eq(out.len, 0);
	get(complaints);
	expect_text("droverctl: ops: HTTP 404 in 12 ms: look at its url\n");
	expect_calls("notify test ops -o json --event move.failed", CTL_FAILED,
	    "receiver_test ops move.failed\n");
	expect_part("\"code\": 404");
	err_set(&fake.fail, ERR_NOT_FOUND, "there is no receiver \"x\"");
	expect_calls("notify test x", CTL_FAILED, "receiver_test x -\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl notify");
	TCase *shown = add_case(suite, "shown");
	TCase *commands = tcase_create("commands");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(shown, each_receiver_says_how_it_is_and_why);
	tcase_add_loop_test(
	    shown, status_has_a_line_for_what_wants_attention, 0, 8);
	tcase_add_test(shown, the_lines_are_in_the_status);
	tcase_add_test(shown, the_queue_says_when_and_why);
	tcase_add_test(shown, a_delivery_shows_its_attempts_and_the_event);
	tcase_add_test(shown, a_pending_one_says_when_it_is_sent);
	tcase_add_test(shown, the_log_names_receiver_and_delivery);
	tcase_add_test(shown, changes_say_what_came_of_them);
	tcase_add_test(shown, a_test_says_what_was_answered_and_what_to_do);
	tcase_add_checked_fixture(commands, start_daemon, stop_daemon);
	tcase_add_test(commands, commands_ask_for_what_they_say);
	tcase_add_test(commands, what_the_daemon_does_in_slices_is_one_command);
	tcase_add_test(
	    commands, what_is_ambiguous_is_refused_before_the_daemon_is_asked);
	tcase_add_test(commands, one_that_fails_does_not_keep_the_others);
	tcase_add_test(commands, a_test_exits_by_what_came_of_it);
	suite_add_tcase(suite, commands);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
