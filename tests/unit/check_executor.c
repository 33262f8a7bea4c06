/*
 * The executor with everything real but the hypervisor: what is on disk before a
 * call is made, what is there with a result, and what a later daemon makes of an
 * earlier one's moves.
 */
#include <stdatomic.h>

#include "executor_fixture.h"

static int64_t
start(int n, bool strict)
{
	struct err err = {0};
	struct site_guest g = site_look(1, n);
	int64_t id = executor_start(executor,
	    &(struct executor_request){.uuid = g.uuid,
		.name = g.name,
		.from = "kvm1",
		.to = "kvm2",
		.dest_uri = "qemu+tcp://kvm2.example.org/system",
		.strategy = MOVE_LIVE_SHARED,
		.policy = "maintenance",
		.rule = "10-maintenance.yaml:5",
		.why = "kvm1 is in maintenance",
		.attempt = 1,
		.memory = g.memory,
		.strict = strict,
		.persistent = g.defined,
		.autostart = g.autostart,
		.reason_before = g.reason,
		.timeout_ms = 600000},
	    &err);

	ck_assert_msg(id > 0, "%s", err.msg);
	return id;
}

static bool
one_has_ended(void)
{
	return ended_count == 1;
}

static bool
one_hangs(void)
{
	return site_hanging() == 1;
}

static void
setup_guest(void)
{
	setup();
	site_add_guest(1, 1);
	run_until(all_hosts_are_up);
}

/* ---- results ---- */

START_TEST(a_move_is_recorded_with_its_figures_and_news)
{
	int64_t id = start(1, false);

	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(id, 1);
	ck_assert_uint_eq(executor_count(executor), 0);
	ck_assert(site_look(2, 1).present && !site_look(1, 1).present);
	ck_assert_int_eq(
	    ask("SELECT COUNT(*) FROM moves WHERE "
		"outcome = 'completed' AND ended >= started AND error IS NULL"),
	    1);
	ck_assert_int_eq(ask("SELECT json_extract(result, '$.downtime_ms') "
			     "FROM moves"),
	    site_downtime_ms());
	ck_assert_int_eq(ask("SELECT json_extract(result, '$.bytes') "
			     "FROM moves"),
	    (int64_t)1 << 30);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM journal WHERE "
			     "kind = 'intent' AND step = 'perform'"),
	    1);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM journal WHERE "
			     "kind = 'result' AND step = 'completed'"),
	    1);
	ck_assert_int_eq(count_events("move.started"), 1);
	ck_assert_int_eq(count_events("move.completed"), 1);
	ck_assert_int_eq(count_outbox("move.completed"), 2);
	ck_assert_int_eq(
	    ask("SELECT json_extract(body, '$.data.downtime_ms') "
		"FROM events WHERE type = 'drover.move.completed'"),
	    site_downtime_ms());
	ck_assert_int_eq(news_count, 2);
}
END_TEST

START_TEST(a_strict_move_arrives_paused_and_is_resumed)
{
	site_set_autostart(1);
	start(1, true);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_RUNNING);
	ck_assert(site_look(2, 1).autostart);
	ck_assert_int_eq(site_twice(), 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM journal WHERE "
			     "step = 'resume-target'"),
	    2);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM journal WHERE "
			     "step = 'autostart-target'"),
	    2);
}
END_TEST

START_TEST(a_refusal_is_recorded_with_cause_and_remedy)
{
	site_set_mood(2, SITE_REFUSES,
	    "Cannot get interface MTU on 'br7': "
	    "No such device");
	start(1, false);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_FAILED);
	ck_assert_int_eq(site_look(1, 1).state, DOMAIN_RUNNING);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves WHERE "
			     "outcome = 'failed' AND error LIKE 'Cannot get "
			     "interface MTU%'"),
	    1);
	ck_assert_int_eq(
	    ask("SELECT COUNT(*) FROM events WHERE "
		"type = 'drover.move.failed' AND "
		"json_extract(body, '$.data.cause') IS NOT NULL AND "
		"json_extract(body, '$.data.remedy') IS NOT NULL"),
	    1);
	ck_assert_int_eq(count_outbox("move.failed"), 2);
}
END_TEST

START_TEST(what_the_target_keeps_is_removed)
{
	site_set_mood(2, SITE_FAILS_LATE, "Failed to get \"write\" lock");
	start(1, false);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_ROLLED_BACK);
	ck_assert(!site_look(2, 1).present);
	ck_assert_int_eq(count_events("move.rolled_back"), 1);
}
END_TEST

START_TEST(an_aborted_move_stays)
{
	struct err err = {0};
	int64_t id;

	site_set_mood(2, SITE_HANGS, NULL);
	id = start(1, false);
	run_until(one_hangs);
	ck_assert_int_eq(executor_abort(executor, id, &err), 0);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_ABORTED);
	ck_assert_int_eq(site_look(1, 1).state, DOMAIN_RUNNING);
	ck_assert(!site_look(2, 1).present);
	ck_assert_int_eq(executor_abort(executor, id, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_source_that_is_not_configured_is_refused)
{
	struct err err = {0};

	ck_assert_int_lt(
	    executor_start(executor,
		&(struct executor_request){.uuid = site_uuid(1),
		    .name = "vm1",
		    .from = "kvm9",
		    .to = "kvm2",
		    .dest_uri = "qemu+tcp://kvm2.example.org/system",
		    .strategy = MOVE_LIVE_SHARED,
		    .rule = "operator",
		    .why = "asked",
		    .attempt = 1,
		    .persistent = true},
		&err),
	    0);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_uint_eq(executor_count(executor), 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves"), 0);
}
END_TEST

static bool
progress_is_known(void)
{
	struct executor_report report;

	return executor_find(executor, 1, &report) && report.job_known;
}

START_TEST(progress_is_followed)
{
	struct executor_report report;
	json_t *json;

	site_set_mood(2, SITE_HANGS, NULL);
	start(1, false);
	run_until(progress_is_known);
	ck_assert(executor_find_guest(executor, site_uuid(1), &report));
	ck_assert_int_ge(report.percent, 20);
	ck_assert_int_lt(report.percent, 100);
	json = executor_report_json(&report);
	ck_assert_str_eq(json_string_value(json_object_get(json, "vm")), "vm1");
	json_decref(json);
	site_finish(true);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
}
END_TEST

/* ---- order on disk ---- */

static _Atomic int64_t intents_seen, started_seen, resumes_seen;

static void
look_into_the_journal(const char *what, const char *uuid)
{
	(void)uuid;
	if (strcmp(what, "migrate") == 0) {
		intents_seen =
		    ask("SELECT COUNT(*) FROM journal JOIN moves "
			"ON moves.id = move_id WHERE kind = 'intent' AND "
			"step = 'perform' AND outcome IS NULL");
		started_seen = count_outbox("move.started");
	} else {
		resumes_seen =
		    ask("SELECT COUNT(*) FROM journal WHERE "
			"kind = 'intent' AND step = 'resume-target'");
	}
}

START_TEST(an_intent_is_on_disk_before_its_call_is_made)
{
	intents_seen = started_seen = resumes_seen = 0;
	site_watch(look_into_the_journal);
	start(1, true);
	run_until(one_has_ended);
	ck_assert_int_eq(intents_seen, 1);
	ck_assert_int_eq(started_seen, 2);
	ck_assert_int_eq(resumes_seen, 1);
}
END_TEST

START_TEST(without_its_intent_on_disk_nothing_is_started)
{
	struct err err = {0};
	static const char *const tables[] = {
	    "moves", "journal", "events", "outbox"};
	char sql[200];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		snprintf(sql, sizeof(sql),
		    "CREATE TRIGGER broken BEFORE "
		    "INSERT ON %s BEGIN SELECT RAISE(ABORT, 'disk full'); "
		    "END",
		    tables[i]);
		change(sql);
		ck_assert_int_eq(
		    executor_start(executor,
			&(struct executor_request){.uuid = site_uuid(1),
			    .name = "vm1",
			    .from = "kvm1",
			    .to = "kvm2",
			    .dest_uri = "qemu+tcp://kvm2.example.org/system",
			    .strategy = MOVE_LIVE_SHARED,
			    .rule = "operator",
			    .why = "asked",
			    .attempt = 1},
			&err),
		    -1);
		ck_assert_uint_eq(executor_count(executor), 0);
		change("DROP TRIGGER broken");
		ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves"), 0);
		ck_assert_int_eq(ask("SELECT COUNT(*) FROM journal"), 0);
		ck_assert_int_eq(ask("SELECT COUNT(*) FROM events"), 0);
		ck_assert_int_eq(ask("SELECT COUNT(*) FROM outbox"), 0);
	}
	ck_assert_int_eq(site_migrations(), 0);
	ck_assert_int_eq(news_count, 0);
	start(1, false);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
}
END_TEST

static bool
one_is_at_the_target(void)
{
	return site_look(2, 1).present && !site_look(1, 1).present &&
	    executor_count(executor) == 1;
}

static int end_attempts;

static bool
the_end_was_tried(void)
{
	struct executor_report report;

	if (executor_find(executor, 1, &report) &&
	    report.move->state == MOVE_ENDED)
		end_attempts++;
	return end_attempts > 3;
}

START_TEST(a_result_and_its_news_are_one_transaction)
{
	end_attempts = 0;
	change(
	    "CREATE TRIGGER broken BEFORE INSERT ON outbox WHEN "
	    "(SELECT type FROM events WHERE seq = NEW.event_seq) = "
	    "'drover.move.completed' BEGIN SELECT RAISE(ABORT, 'disk full'); "
	    "END");
	start(1, false);
	run_until(one_is_at_the_target);
	run_until(the_end_was_tried);
	ck_assert_int_eq(ended_count, 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves WHERE "
			     "outcome IS NOT NULL"),
	    0);
	ck_assert_int_eq(count_events("move.completed"), 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM journal WHERE "
			     "step = 'completed'"),
	    0);
	change("DROP TRIGGER broken");
	run_until(one_has_ended);
	ck_assert_int_eq(count_events("move.completed"), 1);
	ck_assert_int_eq(count_outbox("move.completed"), 2);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves WHERE "
			     "outcome = 'completed'"),
	    1);
}
END_TEST

static bool
it_waits_for_the_journal(void)
{
	struct executor_report report;

	return executor_find(executor, 1, &report) &&
	    report.move->state == MOVE_WAITING;
}

START_TEST(a_repair_waits_for_its_intent)
{
	change("CREATE TRIGGER broken BEFORE INSERT ON journal WHEN "
	       "NEW.step = 'resume-target' BEGIN "
	       "SELECT RAISE(ABORT, 'disk full'); END");
	start(1, true);
	run_until(it_waits_for_the_journal);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_PAUSED);
	change("DROP TRIGGER broken");
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_RUNNING);
}
END_TEST

/* ---- a later daemon ---- */

static bool
it_is_followed(void)
{
	struct executor_report report;

	return executor_find(executor, 1, &report) &&
	    report.move->state == MOVE_FOLLOWING && report.job_known;
}

START_TEST(a_move_in_flight_is_taken_up_by_a_later_daemon)
{
	struct executor_report report;

	site_set_mood(2, SITE_HANGS, NULL);
	start(1, true);
	run_until(one_hangs);
	take_down();
	ck_assert_int_eq(ended_count, 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves WHERE "
			     "outcome IS NULL"),
	    1);
	build();
	ck_assert_uint_eq(executor_count(executor), 1);
	run_until(it_is_followed);
	ck_assert(executor_find(executor, 1, &report));
	ck_assert_int_eq(report.memory, (int64_t)1 << 30);
	ck_assert_str_eq(report.why, "kvm1 is in maintenance");
	site_finish(true);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_RUNNING);
	ck_assert_int_eq(site_migrations(), 1);
	ck_assert_int_eq(site_twice(), 0);
	ck_assert_int_eq(count_events("move.started"), 1);
	ck_assert_int_eq(count_events("move.completed"), 1);
	take_down();
	build();
	ck_assert_uint_eq(executor_count(executor), 0);
}
END_TEST

START_TEST(a_clock_that_was_set_back_makes_no_negative_duration)
{
	site_set_mood(2, SITE_HANGS, NULL);
	start(1, false);
	run_until(one_hangs);
	take_down();
	change("UPDATE moves SET started = started + 86400000");
	build();
	site_finish(true);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(
	    ask("SELECT json_extract(body, '$.data.duration_ms') FROM events "
		"WHERE type = 'drover.move.completed'"),
	    0);
}
END_TEST

START_TEST(a_move_that_failed_meanwhile_is_seen_twice_and_ends)
{
	site_set_mood(2, SITE_HANGS, NULL);
	start(1, false);
	run_until(one_hangs);
	take_down();
	site_finish(false);
	build();
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_FAILED);
	ck_assert_ptr_nonnull(strstr(last_error, "away"));
	ck_assert_int_eq(site_look(1, 1).state, DOMAIN_RUNNING);
}
END_TEST

START_TEST(a_strict_move_that_arrived_meanwhile_is_resumed)
{
	site_set_mood(2, SITE_HANGS, NULL);
	start(1, true);
	run_until(one_hangs);
	take_down();
	site_finish(true);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_PAUSED);
	build();
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_RUNNING);
}
END_TEST

START_TEST(a_recovered_move_can_be_aborted)
{
	struct err err = {0};

	site_set_mood(2, SITE_HANGS, NULL);
	start(1, false);
	run_until(one_hangs);
	take_down();
	build();
	run_until(it_is_followed);
	ck_assert_int_eq(executor_abort(executor, 1, &err), 0);
	site_finish(false);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_ABORTED);
}
END_TEST

START_TEST(an_entry_that_cannot_be_read_is_reported_and_left)
{
	site_set_mood(2, SITE_HANGS, NULL);
	start(1, false);
	run_until(one_hangs);
	take_down();
	change("UPDATE moves SET context = '{\"state\":\"flying\"}'");
	build();
	ck_assert_uint_eq(executor_count(executor), 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves WHERE "
			     "outcome IS NULL"),
	    1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("executor");
	TCase *tc = tcase_create("moves");

	tcase_add_checked_fixture(tc, setup_guest, teardown);
	tcase_set_timeout(tc, 3 * DEADLINE_S);
	tcase_add_test(tc, a_move_is_recorded_with_its_figures_and_news);
	tcase_add_test(tc, a_strict_move_arrives_paused_and_is_resumed);
	tcase_add_test(tc, a_refusal_is_recorded_with_cause_and_remedy);
	tcase_add_test(tc, what_the_target_keeps_is_removed);
	tcase_add_test(tc, an_aborted_move_stays);
	tcase_add_test(tc, a_source_that_is_not_configured_is_refused);
	tcase_add_test(tc, progress_is_followed);
	tcase_add_test(tc, an_intent_is_on_disk_before_its_call_is_made);
	tcase_add_test(tc, without_its_intent_on_disk_nothing_is_started);
	tcase_add_test(tc, a_result_and_its_news_are_one_transaction);
	tcase_add_test(tc, a_repair_waits_for_its_intent);
	tcase_add_test(tc, a_move_in_flight_is_taken_up_by_a_later_daemon);
	tcase_add_test(
	    tc, a_clock_that_was_set_back_makes_no_negative_duration);
	tcase_add_test(tc, a_move_that_failed_meanwhile_is_seen_twice_and_ends);
	tcase_add_test(tc, a_strict_move_that_arrived_meanwhile_is_resumed);
	tcase_add_test(tc, a_recovered_move_can_be_aborted);
	tcase_add_test(tc, an_entry_that_cannot_be_read_is_reported_and_left);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
