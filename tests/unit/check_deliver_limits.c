/*
 * How insistently: order, rate, age, and what holds a receiver back.
 */
#include "deliver_fixture.h"

/* ---- order ---- */

static int
answer_now_and_then(int n, const struct seen *s)
{
	return strcmp(s->id, "e4") == 0 ? 400 : n % 3 == 1 ? 503 : 200;
}

START_TEST(strict_order_is_kept_whatever_is_refused)
{
	char id[16];
	int next = 0;

	receivers[0].strict = true;
	answer = answer_now_and_then;
	for (int i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		announce(id, "ops");
	}
	start_deliver();
	WAIT(delivered, 11);
	ck_assert_int_eq(rows(STORE_DEAD), 1);
	for (int i = 0; i < seen_count; i++) {
		snprintf(id, sizeof(id), "e%d", next);
		ck_assert_str_eq(seen[i].id, id);
		next += seen[i].code != 503;
	}
	ck_assert_int_eq(next, 12);
}
END_TEST

START_TEST(strict_order_waits_for_a_row_that_is_tried_again)
{
	struct wall later = {clock_wall_now().ms + 300 * 1000};

	receivers[0].strict = true;
	announce("e1", "ops");
	announce("e2", "ops");
	ck_assert_int_eq(
	    store_mark_outbox(store, 1, STORE_PENDING, 1, later, 0, NULL, NULL),
	    0);
	start_deliver();
	for (int i = 0; i < 10; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(seen_count, 0);
	ck_assert(!deliver_busy(deliver));
	ck_assert_int_eq(deliver_retry_now(deliver, "ops", NULL), 0);
	WAIT(delivered, 2);
	ck_assert_str_eq(seen[0].id, "e1");
	ck_assert_str_eq(seen[1].id, "e2");
}
END_TEST

START_TEST(strict_order_waits_for_no_time_that_the_clock_has_left)
{
	receivers[0].strict = true;
	announce_in("e1", "ops", NULL, 300 * 1000);
	announce("e2", "ops");
	start_deliver();
	WAIT(delivered, 2);
	ck_assert_str_eq(seen[0].id, "e1");
}
END_TEST

START_TEST(in_strict_order_each_goes_by_itself)
{
	receivers[0].strict = true;
	receivers[0].mode = RECEIVER_BATCHED;
	announce("e1", "ops");
	announce("e2", "ops");
	start_deliver();
	WAIT(delivered, 2);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[0].id, "e1");
}
END_TEST

START_TEST(a_chat_is_sent_one_after_the_other)
{
	receivers[0].kind = RECEIVER_SLACK;
	answer_code = HANG;
	answer = answer_fixed;
	announce("e1", "ops");
	announce("e2", "ops");
	start_deliver();
	WAIT(saw, 1);
	for (int i = 0; i < 10; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(seen_count, 1);
	ck_assert_str_eq(status("in_flight"), "1");
}
END_TEST

/* ---- rate ---- */

START_TEST(a_rate_lets_a_burst_through_and_then_waits)
{
	char id[16];

	receivers[0].rate = 3;
	receivers[0].rate_ms = 3600 * 1000;
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		announce(id, "ops");
	}
	start_deliver();
	WAIT(delivered, 3);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 3);
	ck_assert_str_eq(status("state"), "\"held\"");
	ck_assert_str_ne(status("until"), "null");
	ck_assert_str_eq(status("open_since"), "null");
	/* The bucket fills with time. */
	receivers[0].rate_ms = 30;
	deliver_configure(deliver, &settings);
	WAIT(delivered, 5);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 5);
}
END_TEST

START_TEST(batches_under_way_have_so_many_events_at_most)
{
	struct settings_receiver s = {.mode = RECEIVER_BATCHED};
	struct receiver r = {.settings = &s, .window = DELIVER_WINDOW_MAX};

	ck_assert_int_eq(receiver_slots(&r), 32);
	s.batch = 1000;
	ck_assert_int_eq(receiver_slots(&r), 3);
	s.batch = 10000;
	ck_assert_int_eq(receiver_slots(&r), 1);
	s.mode = RECEIVER_STRUCTURED;
	ck_assert_int_eq(receiver_slots(&r), 32);
}
END_TEST

static struct mono seen_at;

static bool
clock_went_on(int n)
{
	(void)n;
	return mono_before(seen_at, clock_mono_now());
}

static int
answer_one_late_and_the_other_no(int n, const struct seen *s)
{
	(void)n;
	return strcmp(s->id, "e1") == 0 ? HANG : 503;
}

START_TEST(a_late_answer_ends_no_wait_that_was_asked_for_since)
{
	answer = answer_one_late_and_the_other_no;
	retry_after = "600";
	start_deliver();
	announce("e1", "ops");
	WAIT(saw, 1);
	seen_at = clock_mono_now();
	WAIT(clock_went_on, 0);
	announce("e2", "ops");
	WAIT(tried, 1);
	answer = NULL;
	evhttp_send_reply(hanging[0], 200, "Answer", NULL);
	WAIT(delivered, 1);
	announce("e3", "ops");
	for (int i = 0; i < 10; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(status("state"), "\"retrying\"");
	ck_assert_str_eq(status("last_error"), "\"HTTP 503\"");
	ck_assert_int_eq(deliver_retry_now(deliver, "ops", NULL), 0);
	WAIT(delivered, 3);
	ck_assert_str_eq(status("state"), "\"ok\"");
}
END_TEST

static int unsigned_so_far;

static int
sign_the_third(const struct settings_receiver *receiver,
    const struct secret_set *set, const char *webhook_id, int64_t now_s,
    const void *body, size_t len, struct secret_headers *out, struct err *err)
{
	if (unsigned_so_far++ < 2)
		return err_set(err, ERR_IO, "memory is short");
	return secret_sign(
	    receiver, set, webhook_id, now_s, body, len, out, err);
}

START_TEST(a_wait_of_no_time_is_none)
{
	static const struct deliver_ops ops = {.load = secret_load,
	    .sign = sign_the_third,
	    .format = fixture_format};

	unsigned_so_far = 0;
	announce("e1", "ops");
	start_deliver();
	deliver_set_ops(deliver, &ops);
	deliver_set_backoff(deliver, 0, 0);
	WAIT(delivered, 1);
	ck_assert_int_eq(unsigned_so_far, 3);
}
END_TEST

/* ---- age ---- */

static bool
expired(int n)
{
	return query_sql(store,
		   "SELECT COUNT(*) FROM outbox WHERE state = 2"
		   " AND why = 'older than 1h' AND ended > 0") == n;
}

START_TEST(what_is_too_old_is_a_dead_letter_and_told_of_once)
{
	const int old = 451;
	char id[16];

	receivers[0].max_age_ms = 3600 * 1000;
	ck_assert_int_eq(store_begin(store, NULL), 0);
	for (int i = 0; i < old; i++) {
		snprintf(id, sizeof(id), "old%d", i);
		announce(id, "ops");
	}
	ck_assert_int_eq(store_commit(store, NULL), 0);
	/* The first one was sent again by an operator just now. */
	run_sql(store,
	    "UPDATE outbox SET created = created - 3600001 WHERE id > 1");
	announce("new", "ops");
	start_deliver();
	WAIT(expired, old - 1);
	WAIT(delivered, 2);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[0].id, "old0");
	ck_assert_str_eq(seen[1].id, "new");
	ck_assert_int_eq(
	    count_in_log("events were not delivered within 1h"), 1);
	ck_assert_int_eq(count_in_log("450 events were not delivered"), 1);
	ck_assert_int_eq(rows(STORE_PENDING), 0);
}
END_TEST

START_TEST(a_receiver_that_is_away_loses_the_old_ones_alone)
{
	evhttp_free(server);
	server = NULL;
	receivers[0].max_age_ms = 3600 * 1000;
	start_deliver();
	announce("e1", "ops");
	announce("e2", "ops");
	WAIT(tried, 2);
	run_sql(store, "UPDATE outbox SET created = 1 WHERE event_seq = 1");
	WAIT(expired, 1);
	ck_assert_int_eq(rows(STORE_PENDING), 1);
	start_server(port);
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[0].id, "e2");
}
END_TEST

/* ---- 410 ---- */

static struct announce *announcer;

static void
end_announcer(void)
{
	deliver_free(deliver);
	deliver = NULL;
	announce_free(announcer);
}

static void
kick_some(void)
{
	for (int i = 0; i < 10; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
}

static bool
is_disabled(int n)
{
	return query_sql(store, "SELECT COUNT(*) FROM disabled") == n;
}

static int
answer_410_to_x(int n, const struct seen *s)
{
	(void)n;
	return s->id[0] == 'x' ? 410 : 200;
}

START_TEST(gone_disables_a_receiver_and_the_others_hear_of_it)
{
	static const char *const all[] = {"*"};

	for (int i = 0; i < 2; i++) {
		receivers[i].events = all;
		receivers[i].event_count = 1;
	}
	settings.receiver_count = 2;
	announcer = announce_new(store, &settings);
	answer = answer_410_to_x;
	start_deliver();
	deliver_attach(deliver, announcer);
	announce("x1", "ops");
	WAIT(is_disabled, 1);
	announce("x2", "ops");
	WAIT(delivered, 1); /* the news, to the other one */
	kick_some();
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox, events ON seq ="
			     " event_seq WHERE type ="
			     " 'drover.receiver.disabled' AND receiver ="
			     " 'chat'"),
	    1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE receiver ="
			     " 'ops' AND state = 0"),
	    2);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_int_eq(count_in_log("gone for good (HTTP 410)"), 1);
	ck_assert_str_eq(status("state"), "\"disabled\"");
	ck_assert_str_eq(status("until"), "null");
	end_announcer();
}
END_TEST

static bool
enabled_told(int n)
{
	return query_sql(store,
		   "SELECT COUNT(*) FROM outbox JOIN events ON seq ="
		   " event_seq WHERE type = 'drover.receiver.enabled' AND"
		   " receiver = 'chat' AND state = 1") == n;
}

static int64_t
conditions_on(void)
{
	return query_sql(store, "SELECT COUNT(*) FROM conditions");
}

START_TEST(the_others_hear_when_a_receiver_is_enabled_again)
{
	static const char *const all[] = {"receiver.*"};

	receivers[1].events = all;
	receivers[1].event_count = 1;
	settings.receiver_count = 2;
	announcer = announce_new(store, &settings);
	answer = answer_410_to_x;
	start_deliver();
	deliver_attach(deliver, announcer);
	announce("x1", "ops");
	WAIT(is_disabled, 1);
	ck_assert_int_eq(conditions_on(), 1);
	/* Of an operator who only sends again nobody hears. */
	ck_assert_int_eq(deliver_enable(deliver, "chat", NULL), 0);
	ck_assert_int_eq(conditions_on(), 1);
	answer = NULL;
	ck_assert_int_eq(deliver_enable(deliver, "ops", NULL), 0);
	ck_assert_int_eq(conditions_on(), 0);
	ck_assert(is_disabled(0));
	WAIT(enabled_told, 1);
	answer = answer_410_to_x;
	announce("x2", "ops");
	WAIT(is_disabled, 1);
	ck_assert_int_eq(conditions_on(), 1);
	answer = NULL;
	set_url(0, "/moved");
	deliver_configure(deliver, &settings);
	WAIT(enabled_told, 2);
	ck_assert_int_eq(conditions_on(), 0);
	ck_assert(is_disabled(0));
	end_announcer();
}
END_TEST

START_TEST(a_disabled_receiver_stays_so_until_somebody_enables_it)
{
	struct err err;

	answer_code = 410;
	answer = answer_fixed;
	start_deliver();
	announce("e1", "ops");
	WAIT(is_disabled, 1);
	deliver_free(deliver);
	store_close(store);
	store = open_store();
	answer = NULL;
	start_deliver();
	kick_some();
	ck_assert_int_eq(seen_count, 1);
	ck_assert_str_eq(status("state"), "\"disabled\"");
	ck_assert_str_eq(status("last_error"), "\"HTTP 410\"");
	ck_assert_int_eq(count_in_log("receiver ops is disabled since 20"), 1);
	ck_assert_int_eq(deliver_enable(deliver, "nobody", &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_int_eq(deliver_enable(deliver, "ops", &err), 0);
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[1].id, "e1");
	ck_assert(is_disabled(0));
}
END_TEST

START_TEST(another_url_enables_a_receiver)
{
	answer_code = 410;
	answer = answer_fixed;
	start_deliver();
	announce("e1", "ops");
	WAIT(is_disabled, 1);
	answer = NULL;
	deliver_configure(deliver, &settings);
	kick_some();
	ck_assert_int_eq(seen_count, 1);
	set_url(0, "/moved");
	deliver_configure(deliver, &settings);
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[1].path, "/" TOKEN "/moved");
	ck_assert(is_disabled(0));
	ck_assert_str_eq(status("state"), "\"ok\"");
}
END_TEST

START_TEST(a_late_word_of_the_old_url_is_not_true_of_the_new_one)
{
	answer = answer_hang_once;
	start_deliver();
	announce("e1", "ops");
	WAIT(saw, 1);
	set_url(0, "/moved");
	deliver_configure(deliver, &settings);
	kick_some();
	evhttp_send_reply(hanging[0], 410, "Answer", NULL);
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[1].path, "/" TOKEN "/moved");
	ck_assert(is_disabled(0));
	ck_assert_int_eq(count_in_log("gone for good"), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deliver_limits");
	TCase *tcase = tcase_create("deliver_limits");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tcase, setup_all, teardown_all);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, strict_order_is_kept_whatever_is_refused);
	tcase_add_test(tcase, strict_order_waits_for_a_row_that_is_tried_again);
	tcase_add_test(
	    tcase, strict_order_waits_for_no_time_that_the_clock_has_left);
	tcase_add_test(tcase, in_strict_order_each_goes_by_itself);
	tcase_add_test(tcase, a_chat_is_sent_one_after_the_other);
	tcase_add_test(tcase, a_rate_lets_a_burst_through_and_then_waits);
	tcase_add_test(tcase, a_wait_of_no_time_is_none);
	tcase_add_test(tcase, batches_under_way_have_so_many_events_at_most);
	tcase_add_test(
	    tcase, a_late_answer_ends_no_wait_that_was_asked_for_since);
	tcase_add_test(
	    tcase, what_is_too_old_is_a_dead_letter_and_told_of_once);
	tcase_add_test(tcase, a_receiver_that_is_away_loses_the_old_ones_alone);
	tcase_add_test(
	    tcase, gone_disables_a_receiver_and_the_others_hear_of_it);
	tcase_add_test(tcase, the_others_hear_when_a_receiver_is_enabled_again);
	tcase_add_test(
	    tcase, a_disabled_receiver_stays_so_until_somebody_enables_it);
	tcase_add_test(tcase, another_url_enables_a_receiver);
	tcase_add_test(
	    tcase, a_late_word_of_the_old_url_is_not_true_of_the_new_one);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
