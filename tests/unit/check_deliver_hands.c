/*
 * What operators do with deliveries, and what is told of them: ending a wait,
 * trying a receiver out, the log of attempts, figures.
 */
#include "deliver_fixture.h"

/* ---- by hand ---- */

START_TEST(an_operator_ends_the_wait)
{
	struct err err;

	answer_code = 503;
	answer = answer_fixed;
	start_deliver();
	deliver_set_backoff(deliver, 24 * 3600 * 1000, 24 * 3600 * 1000);
	announce("e1", "ops");
	WAIT(tried, 1);
	ck_assert_str_eq(status("state"), "\"retrying\"");
	ck_assert_str_ne(status("open_since"), "null");
	answer = NULL;
	ck_assert_int_eq(deliver_retry_now(deliver, "nobody", &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_int_eq(deliver_retry_now(deliver, "ops", &err), 0);
	WAIT(delivered, 1);
	ck_assert_str_eq(status("state"), "\"ok\"");
	ck_assert_str_eq(status("open_since"), "null");
}
END_TEST

static struct deliver_outcome outcome;
static char outcome_error[128];
static int outcomes;

static void
keep_outcome(const struct deliver_outcome *o, void *arg)
{
	ck_assert_ptr_eq(arg, &outcome);
	outcome = *o;
	snprintf(outcome_error, sizeof(outcome_error), "%s",
	    o->error != NULL ? o->error : "");
	outcomes++;
}

static bool
came_out(int n)
{
	return outcomes == n;
}

static int
try_out(const char *receiver, struct err *err)
{
	json_t *event = json_pack(
	    "{s:s, s:s}", "id", "sample", "type", "drover.move.completed");
	int rc =
	    deliver_test(deliver, receiver, event, keep_outcome, &outcome, err);

	json_decref(event);
	return rc;
}

START_TEST(a_receiver_can_be_tried_out_past_what_holds_it_back)
{
	struct err err = {0};

	outcomes = 0;
	receivers[0].rate = 1;
	receivers[0].rate_ms = 3600 * 1000;
	start_deliver();
	ck_assert_int_eq(try_out("nobody", &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_int_eq(try_out("ops", &err), 0);
	WAIT(came_out, 1);
	ck_assert_int_eq(outcome.code, 200);
	ck_assert_str_eq(outcome_error, "");
	ck_assert_str_ne(seen[0].id, "sample");
	answer_code = 404;
	answer = answer_fixed;
	ck_assert_int_eq(try_out("ops", &err), 0);
	WAIT(came_out, 2);
	ck_assert_int_eq(outcome.code, 404);
	ck_assert_str_ne(seen[0].id, seen[1].id);
	format_as = format_nothing;
	ck_assert_int_eq(try_out("ops", &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	format_as = NULL;
	evhttp_free(server);
	server = NULL;
	ck_assert_int_eq(try_out("ops", &err), 0);
	WAIT(came_out, 3);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome_error, "refused"));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 0);
	ck_assert_str_eq(status("state"), "\"ok\"");
	ck_assert_str_eq(status("last_error"), "null");
}
END_TEST

START_TEST(a_trial_that_is_under_way_at_the_end_is_dropped)
{
	struct err err = {0};

	outcomes = 0;
	answer_code = HANG;
	answer = answer_fixed;
	start_deliver();
	ck_assert_int_eq(try_out("ops", &err), 0);
	WAIT(saw, 1);
	deliver_free(deliver);
	deliver = NULL;
	ck_assert_int_eq(outcomes, 0);
}
END_TEST

/* ---- what is told ---- */

START_TEST(the_last_attempts_are_kept_with_their_answers)
{
	answer_len = 2000;
	wanted_codes[0] = 503;
	wanted_codes[1] = 200;
	answer = answer_in_turn;
	start_deliver();
	announce("e1", "ops");
	WAIT(delivered, 1);
	WAIT(idle, 0);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM attempts"), 2);
	ck_assert_int_eq(query_sql(store,
			     "SELECT code FROM attempts WHERE id = 1 AND"
			     " outbox_id = 1 AND receiver = 'ops' AND at > 0"
			     " AND took >= 0 AND events = 1"),
	    503);
	ck_assert_int_eq(query_sql(store,
			     "SELECT LENGTH(answer) FROM attempts"
			     " WHERE id = 1"),
	    STORE_ANSWER_MAX);
	ck_assert_int_eq(
	    query_sql(store, "SELECT code FROM attempts WHERE id = 2"), 200);
	ck_assert_int_eq(
	    query_sql(store, "SELECT ended > 0 AND why IS NULL FROM outbox"),
	    1);
}
END_TEST

START_TEST(old_attempts_are_forgotten)
{
	char id[16];

	ck_assert_int_eq(store_begin(store, NULL), 0);
	for (int i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		announce(id, "ops");
	}
	ck_assert_int_eq(store_commit(store, NULL), 0);
	start_deliver();
	WAIT(delivered, 400);
	ck_assert_int_le(query_sql(store, "SELECT COUNT(*) FROM attempts"),
	    STORE_ATTEMPTS_MAX + 32);
	ck_assert_int_ge(query_sql(store, "SELECT COUNT(*) FROM attempts"),
	    STORE_ATTEMPTS_MAX);
}
END_TEST

static struct deliver_figures figures;

static void
keep_figures(const struct deliver_figures *f, void *arg)
{
	(void)arg;
	if (strcmp(f->receiver, "ops") == 0)
		figures = *f;
}

START_TEST(what_happened_is_counted)
{
	const struct deliver_counters *c = &figures.counters;
	static const int codes[] = {200, 404, 503, 200};

	memcpy(wanted_codes, codes, sizeof(codes));
	answer = answer_in_turn;
	start_deliver();
	announce("e1", "ops");
	WAIT(delivered, 1);
	announce("e2", "ops");
	WAIT(dead, 1);
	announce("e3", "ops");
	WAIT(delivered, 2);
	evhttp_free(server);
	server = NULL;
	run_sql(store, "UPDATE outbox SET created = created - 7200000");
	announce("e4", "ops");
	WAIT(tried, 3);
	deliver_each_figures(deliver, keep_figures, NULL);
	ck_assert_int_eq(c->attempts[DELIVER_2XX], 2);
	ck_assert_int_eq(c->attempts[DELIVER_4XX], 1);
	ck_assert_int_eq(c->attempts[DELIVER_5XX], 1);
	ck_assert_int_ge(c->attempts[DELIVER_NETWORK], 3);
	ck_assert_int_eq(c->delivered, 2);
	ck_assert_int_eq(c->dead, 1);
	ck_assert_int_eq(c->latency[DELIVER_BUCKETS], 0);
	ck_assert_int_eq(figures.pending, 1);
	ck_assert_int_eq(figures.dead_letters, 1);
	ck_assert(figures.open);
	ck_assert(!figures.disabled);
	run_sql(store, "UPDATE outbox SET created = created - 7200000");
	/* What is under way knows the old time. */
	WAIT(tried, (int)c->attempts[DELIVER_NETWORK] + 3);
	start_server(port);
	answer = NULL;
	WAIT(delivered, 3);
	deliver_each_figures(deliver, keep_figures, NULL);
	ck_assert_int_eq(c->latency[DELIVER_BUCKETS], 1);
	ck_assert(c->latency_sum_s >= 7200);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deliver_hands");
	TCase *tcase = tcase_create("deliver_hands");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tcase, setup_all, teardown_all);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, an_operator_ends_the_wait);
	tcase_add_test(
	    tcase, a_receiver_can_be_tried_out_past_what_holds_it_back);
	tcase_add_test(tcase, a_trial_that_is_under_way_at_the_end_is_dropped);
	tcase_add_test(tcase, the_last_attempts_are_kept_with_their_answers);
	tcase_add_test(tcase, old_attempts_are_forgotten);
	tcase_add_test(tcase, what_happened_is_counted);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
