/*
 * Several events in one request: groups, batches, and what the format makes of
 * them.
 */
#include "deliver_fixture.h"

/* ---- groups ---- */

START_TEST(a_group_is_one_request_under_its_first_id)
{
	receivers[0].kind = RECEIVER_SLACK; /* one after the other */
	start_deliver();
	announce_in("g1", "ops", "drain/1", 600 * 1000);
	announce_in("g2", "ops", "drain/1", 600 * 1000);
	announce_in("other", "ops", "drain/2", 600 * 1000);
	announce_in("g3", "ops", "drain/1", 600 * 1000);
	announce("alone", "ops");
	WAIT(delivered, 1);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 1);
	run_sql(store, "UPDATE outbox SET next = event_seq WHERE state = 0");
	deliver_kick(deliver);
	WAIT(delivered, 5);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 3);
	ck_assert_str_eq(seen[0].id, "alone");
	ck_assert_str_eq(seen[1].id, "g1");
	ck_assert_str_eq(seen[1].body, "g1,g2,g3");
	ck_assert_str_eq(seen[2].id, "other");
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(*) FROM outbox WHERE batch = 1"), 3);
}
END_TEST

static int
answer_503_once(int n, const struct seen *s)
{
	(void)s;
	return n == 0 ? 503 : 200;
}

START_TEST(a_group_is_sent_again_as_the_same_set_after_a_restart)
{
	receivers[0].kind = RECEIVER_SLACK;
	answer = answer_503_once;
	start_deliver();
	/* So that it is not tried again before the end. */
	deliver_set_backoff(deliver, 24 * 3600 * 1000, 24 * 3600 * 1000);
	announce_in("g1", "ops", "drain/1", 0);
	announce_in("g2", "ops", "drain/1", 0);
	WAIT(tried, 1);
	deliver_free(deliver);
	deliver = NULL;
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(*) FROM outbox WHERE attempts = 1"),
	    2);
	announce_in("g3", "ops", "drain/1", 0);
	run_sql(store, "UPDATE outbox SET next = 1");
	store_close(store);
	store = open_store();
	start_deliver();
	WAIT(delivered, 3);
	ck_assert_int_eq(seen_count, 3);
	ck_assert_str_eq(seen[0].body, "g1,g2");
	ck_assert_str_eq(seen[1].id, "g1");
	ck_assert_str_eq(seen[1].body, "g1,g2");
	ck_assert_str_eq(seen[2].id, "g3");
}
END_TEST

START_TEST(a_group_without_its_first_row_still_goes_as_one)
{
	announce_in("g1", "ops", "drain/1", 0);
	announce_in("g2", "ops", "drain/1", 0);
	announce_in("g3", "ops", "drain/1", 0);
	run_sql(store,
	    "UPDATE outbox SET batch = 1; UPDATE outbox SET state = 2"
	    " WHERE id = 1");
	store->pending = -1;
	start_deliver();
	WAIT(delivered, 2);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 1);
	ck_assert_str_eq(seen[0].body, "g2,g3");
}
END_TEST

/* ---- batches ---- */

START_TEST(a_receiver_of_batches_gets_what_is_due_together)
{
	char id[16];

	receivers[0].mode = RECEIVER_BATCHED;
	receivers[0].batch = 10;
	for (int i = 0; i < 25; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		announce(id, "ops");
	}
	start_deliver();
	WAIT(delivered, 25);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 3);
	for (int i = 0; i < 3; i++) {
		/* They may overtake each other. */
		if (strcmp(seen[i].id, "e0") == 0)
			ck_assert_str_eq(
			    seen[i].body, "e0,e1,e2,e3,e4,e5,e6,e7,e8,e9");
		else if (strcmp(seen[i].id, "e20") == 0)
			ck_assert_str_eq(seen[i].body, "e20,e21,e22,e23,e24");
		else
			ck_assert_str_eq(seen[i].id, "e10");
	}
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM attempts"), 3);
	ck_assert_int_eq(
	    query_sql(store, "SELECT SUM(events) FROM attempts"), 25);
}
END_TEST

START_TEST(a_refused_batch_is_dead_letters_all_of_it)
{
	receivers[0].mode = RECEIVER_BATCHED;
	announce("e1", "ops");
	announce("e2", "ops");
	answer_code = 400;
	answer = answer_fixed;
	start_deliver();
	WAIT(dead, 2);
	ck_assert_int_eq(seen_count, 1);
	ck_assert_int_eq(count_in_log("for good"), 1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " why = 'HTTP 400' AND ended > 0"),
	    2);
}
END_TEST

static int
answer_too_large(int n, const struct seen *s)
{
	(void)n;
	return strchr(s->body, 'e') == s->body && strchr(s->body, ',') != NULL
	    ? 413
	    : strcmp(s->id, "e3") == 0 ? 413
				       : 200;
}

START_TEST(what_is_too_much_at_once_goes_in_halves)
{
	char id[16];

	receivers[0].mode = RECEIVER_BATCHED;
	answer = answer_too_large;
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		announce(id, "ops");
	}
	start_deliver();
	WAIT(delivered, 4);
	WAIT(dead, 1);
	WAIT(idle, 0);
	ck_assert_str_eq(seen[0].body, "e0,e1,e2,e3,e4");
	ck_assert_int_eq(query_sql(store,
			     "SELECT event_seq FROM outbox WHERE state = 2"
			     " AND why = 'HTTP 413'"),
	    4);
	/* The first half is known by the same id. */
	for (int i = 1; i < seen_count; i++) {
		if (strcmp(seen[i].body, "e0,e1") == 0)
			ck_assert_str_eq(seen[i].id, "e0");
		ck_assert_str_ne(seen[i].body, seen[0].body);
	}
	ck_assert_int_eq(count_in_log("for good"), 1);
}
END_TEST

START_TEST(what_left_a_batch_and_is_sent_again_is_in_one_request_only)
{
	static const struct store_verdict evicted = {.state = STORE_DEAD};

	receivers[0].mode = RECEIVER_BATCHED;
	announce("e1", "ops");
	announce("e2", "ops");
	announce("e3", "ops");
	run_sql(store, "UPDATE outbox SET batch = 1");
	ck_assert_int_eq(store_judge_outbox(store, 1, &evicted, NULL), 0);
	ck_assert_int_eq(
	    store_replay_delivery(store, 1, clock_wall_now(), NULL), 0);
	answer = answer_in_turn;
	wanted_codes[0] = 503;
	for (int i = 1; i < 4; i++)
		wanted_codes[i] = 200;
	start_deliver();
	WAIT(delivered, 3);
	WAIT(idle, 0);
	ck_assert_int_eq(
	    query_sql(
		store, "SELECT SUM(events) FROM attempts WHERE code = 200"),
	    3);
}
END_TEST

/* ---- the format's word ---- */

static int
format_dislikes_bad(const struct format_event *events, size_t count,
    struct format_request *out, struct err *err)
{
	(void)out;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(events[i].id, "bad") == 0)
			return err_set(err, ERR_INVALID, "bad does not fit");
	}
	return 0;
}

START_TEST(an_event_that_cannot_be_sent_takes_no_other_with_it)
{
	static const char *const ids[] = {"e1", "e2", "bad", "e4", "e5"};

	receivers[0].mode = RECEIVER_BATCHED;
	format_as = format_dislikes_bad;
	for (int i = 0; i < 5; i++)
		announce(ids[i], "ops");
	start_deliver();
	WAIT(delivered, 4);
	WAIT(dead, 1);
	WAIT(idle, 0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT event_seq FROM outbox WHERE state = 2"
			     " AND why = 'bad does not fit' AND ended > 0"),
	    3);
	ck_assert_int_eq(count_in_log("bad does not fit"), 1);
	ck_assert_ptr_nonnull(strstr(status("last_error"), "null"));
}
END_TEST

static int
format_says_nothing(const struct format_event *events, size_t count,
    struct format_request *out, struct err *err)
{
	(void)count;
	(void)out;
	(void)err;
	return strcmp(events[0].id, "dull") == 0 ? 1 : 0;
}

START_TEST(what_a_receiver_has_no_words_for_counts_as_delivered)
{
	format_as = format_says_nothing;
	start_deliver();
	announce("dull", "ops");
	announce("e2", "ops");
	WAIT(delivered, 2);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 1);
	ck_assert_str_eq(seen[0].id, "e2");
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM attempts"), 1);
	ck_assert_str_eq(status("delivered"), "1");
}
END_TEST

static int
format_adds(const struct format_event *events, size_t count,
    struct format_request *out, struct err *err)
{
	(void)count;
	(void)err;
	out->body = strdup(events[0].body);
	out->len = strlen(out->body);
	out->content_type = strdup("text/plain");
	out->path = strdup("/added");
	out->header_count = 1;
	out->headers = calloc(1, sizeof(char *));
	out->headers[0] = strdup("User-Agent: format");
	return 0;
}

START_TEST(the_request_is_as_the_format_asks)
{
	format_as = format_adds;
	start_deliver();
	announce("e1", "ops");
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[0].type, "text/plain");
	ck_assert_str_eq(seen[0].agent, "format");
	ck_assert_str_eq(seen[0].path, "/" TOKEN "/added");
	ck_assert_str_eq(seen[0].id, "e1");
}
END_TEST

/* ---- writing verdicts together ---- */

static int commits;

static int
count_commit(void *arg)
{
	(void)arg;
	commits++;
	return 0;
}

START_TEST(verdicts_of_one_turn_are_one_transaction)
{
	char id[16];

	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		announce(id, "ops");
	}
	sqlite3_commit_hook(store->db, count_commit, NULL);
	start_deliver();
	WAIT(delivered, 200);
	ck_assert_int_eq(seen_count, 200);
	ck_assert_int_le(commits, 150);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deliver_batch");
	TCase *tcase = tcase_create("deliver_batch");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tcase, setup_all, teardown_all);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_group_is_one_request_under_its_first_id);
	tcase_add_test(
	    tcase, a_group_is_sent_again_as_the_same_set_after_a_restart);
	tcase_add_test(tcase, a_group_without_its_first_row_still_goes_as_one);
	tcase_add_test(tcase, a_receiver_of_batches_gets_what_is_due_together);
	tcase_add_test(tcase, a_refused_batch_is_dead_letters_all_of_it);
	tcase_add_test(tcase, what_is_too_much_at_once_goes_in_halves);
	tcase_add_test(
	    tcase, what_left_a_batch_and_is_sent_again_is_in_one_request_only);
	tcase_add_test(
	    tcase, an_event_that_cannot_be_sent_takes_no_other_with_it);
	tcase_add_test(
	    tcase, what_a_receiver_has_no_words_for_counts_as_delivered);
	tcase_add_test(tcase, the_request_is_as_the_format_asks);
	tcase_add_test(tcase, verdicts_of_one_turn_are_one_transaction);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
