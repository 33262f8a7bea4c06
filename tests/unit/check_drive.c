/*
 * Migrations that run, driven: the ladder for those that do not end by
 * themselves, and the links divided among all.
 */
#include "executor_fixture.h"

#define MIB ((int64_t)1 << 20)

static int64_t
start_with(int n, int64_t bandwidth, unsigned rungs)
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
		.persistent = true,
		.was_running = true,
		.bandwidth = bandwidth,
		.converge = {.rungs = rungs,
		    .max_downtime_ms = 2000,
		    .pause_max_ms = 0},
		.predicted_ms = 5000,
		.predicted_downtime_ms = 100,
		.timeout_ms = 600000},
	    &err);

	ck_assert_msg(id > 0, "%s", err.msg);
	return id;
}

static void
setup_guests(void)
{
	setup();
	site_add_guest(1, 1);
	site_add_guest(1, 2);
	site_set_mood(2, SITE_HANGS, NULL);
	run_until(all_hosts_are_up);
}

static bool
one_hangs(void)
{
	return site_hanging() == 1;
}

static bool
two_hang(void)
{
	return site_hanging() == 2;
}

static bool
all_have_ended(void)
{
	return executor_count(executor) == 0;
}

/* ---- the ladder ---- */

static int64_t iteration;

/* Writes as fast as the link carries: each pass leaves as much as the last. */
static void
tell_a_pass(void)
{
	site_set_job(&(struct hv_job){.active = true,
	    .elapsed_ms = iteration * 1000,
	    .downtime_ms = 5000,
	    .memory_total = 1024 * MIB,
	    .memory_done = iteration * 100 * MIB,
	    .memory_remaining = 500 * MIB,
	    .memory_rate = 100 * MIB,
	    .dirty_rate = 120 * MIB,
	    .disk_total = 0,
	    .disk_done = 0,
	    .disk_remaining = 0,
	    .iterations = iteration + 1});
	iteration++;
}

static bool
the_limit_was_raised(void)
{
	tell_a_pass();
	return site_calls("set-max-downtime") > 0;
}

static bool
the_limit_was_raised_again(void)
{
	tell_a_pass();
	return site_calls("set-max-downtime") > 1;
}

START_TEST(a_limit_is_raised_step_by_step_and_each_is_in_the_journal)
{
	int64_t first;

	iteration = 0;
	start_with(1, 0, CONVERGE_DOWNTIME);
	run_until(one_hangs);
	run_until(the_limit_was_raised);
	first = site_last_value("set-max-downtime");
	ck_assert_int_gt(first, 300);
	run_until(the_limit_was_raised_again);
	ck_assert_int_gt(site_last_value("set-max-downtime"), first);
	ck_assert_int_le(site_last_value("set-max-downtime"), 2000);
	ck_assert_int_ge(ask("SELECT COUNT(*) FROM journal WHERE "
			     "kind = 'note' AND step = 'converge' AND "
			     "length(detail) > 20"),
	    2);
	site_finish(true);
	run_until(all_have_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
}
END_TEST

static bool
some_passes_went_by(void)
{
	tell_a_pass();
	return iteration > 400;
}

START_TEST(what_cannot_be_written_is_not_done)
{
	iteration = 0;
	start_with(1, 0, CONVERGE_DOWNTIME);
	run_until(one_hangs);
	change("CREATE TRIGGER broken BEFORE INSERT ON journal WHEN "
	       "NEW.step = 'converge' BEGIN SELECT RAISE(ABORT, 'disk full'); "
	       "END");
	run_until(some_passes_went_by);
	ck_assert_int_eq(site_calls("set-max-downtime"), 0);
	change("DROP TRIGGER broken");
	run_until(the_limit_was_raised);
	site_finish(true);
	run_until(all_have_ended);
}
END_TEST

START_TEST(without_a_rung_nothing_is_done)
{
	iteration = 0;
	start_with(1, 0, 0);
	run_until(one_hangs);
	run_until(some_passes_went_by);
	ck_assert_int_eq(site_calls("set-max-downtime"), 0);
	ck_assert_int_eq(site_calls("suspend"), 0);
	ck_assert_int_eq(site_calls("start-postcopy"), 0);
	site_finish(true);
	run_until(all_have_ended);
}
END_TEST

static bool
it_is_paused(void)
{
	tell_a_pass();
	return site_look(1, 1).state == DOMAIN_PAUSED;
}

static _Atomic int64_t notes_seen;

static void
look_into_the_journal(const char *what, const char *uuid)
{
	(void)uuid;
	if (strcmp(what, "suspend") == 0)
		notes_seen = ask("SELECT COUNT(*) FROM journal WHERE "
				 "step = 'converge' AND kind = 'note'");
}

START_TEST(a_pause_is_in_the_journal_before_the_guest_stands)
{
	iteration = 0;
	notes_seen = 0;
	site_watch(look_into_the_journal);
	start_with(1, 0, CONVERGE_PAUSE);
	run_until(one_hangs);
	run_until(it_is_paused);
	ck_assert_int_ge(notes_seen, 1);
	ck_assert_int_eq(site_calls("suspend"), 1);
	site_finish(true);
	run_until(all_have_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_RUNNING);
}
END_TEST

static bool
it_was_tried_twice(void)
{
	tell_a_pass();
	return site_calls("suspend") == 2;
}

START_TEST(a_pause_that_failed_is_tried_again)
{
	iteration = 0;
	site_fail("suspend", ERR_TIMEOUT, "cannot acquire state change lock");
	start_with(1, 0, CONVERGE_PAUSE);
	run_until(one_hangs);
	run_until(it_was_tried_twice);
	run_until(it_is_paused);
	site_finish(true);
	run_until(all_have_ended);
}
END_TEST

START_TEST(a_guest_that_was_paused_for_nothing_runs_again)
{
	iteration = 0;
	start_with(1, 0, CONVERGE_PAUSE);
	run_until(one_hangs);
	run_until(it_is_paused);
	site_finish(false);
	run_until(all_have_ended);
	ck_assert_int_ne(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(site_look(1, 1).state, DOMAIN_RUNNING);
}
END_TEST

static bool
all_have_ended_meanwhile(void)
{
	tell_a_pass();
	return executor_count(executor) == 0;
}

START_TEST(with_no_rung_left_it_is_given_up_with_its_figures)
{
	iteration = 0;
	start_with(1, 0, CONVERGE_DOWNTIME);
	run_until(one_hangs);
	run_until(all_have_ended_meanwhile);
	ck_assert_int_ne(last_outcome, MOVE_COMPLETED);
	ck_assert_msg(strstr(last_error, "MiB") != NULL, "%s", last_error);
	ck_assert_int_eq(site_look(1, 1).state, DOMAIN_RUNNING);
	ck_assert(!site_look(2, 1).present);
}
END_TEST

static bool
it_has_switched_to_postcopy(void)
{
	tell_a_pass();
	return site_calls("start-postcopy") > 0;
}

START_TEST(postcopy_is_begun_where_it_was_asked_for)
{
	iteration = 0;
	start_with(1, 0, CONVERGE_POSTCOPY);
	run_until(one_hangs);
	ck_assert(site_asked().postcopy);
	run_until(it_has_switched_to_postcopy);
	ck_assert_int_eq(site_calls("suspend"), 0);
	site_finish(true);
	run_until(all_have_ended);
}
END_TEST

/* ---- links ---- */

static bool
the_first_was_slowed_down(void)
{
	return site_calls("set-bandwidth") > 0 &&
	    site_last_value("set-bandwidth") == 50 * MIB;
}

static bool
the_first_has_the_link_again(void)
{
	return site_last_value("set-bandwidth") == 100 * MIB;
}

START_TEST(a_link_is_divided_and_divided_again)
{
	int64_t other;
	struct err err = {0};

	executor_set_bandwidth(executor, 100 * MIB);
	start_with(1, 0, 0);
	run_until(one_hangs);
	other = start_with(2, 0, 0);
	run_until(two_hang);
	run_until(the_first_was_slowed_down);
	ck_assert_int_eq(executor_abort(executor, other, &err), 0);
	run_until(one_hangs);
	run_until(the_first_has_the_link_again);
	site_finish(true);
	run_until(all_have_ended);
}
END_TEST

static bool
it_was_slowed_down(void)
{
	return site_last_value("set-bandwidth") == 10 * MIB;
}

START_TEST(a_policy_may_allow_less_than_the_share)
{
	executor_set_bandwidth(executor, 100 * MIB);
	start_with(1, 20 * MIB, 0);
	run_until(one_hangs);
	ck_assert_int_eq(site_asked().bandwidth, 20 * MIB);
	executor_set_bandwidth(executor, 10 * MIB);
	run_until(it_was_slowed_down);
	site_finish(true);
	run_until(all_have_ended);
}
END_TEST

/* ---- disks of a live move ---- */

static bool
it_is_known(void)
{
	struct executor_report report;

	return executor_find(executor, 1, &report) && report.job_known &&
	    report.bytes > 0;
}

/* QEMU counts 1000 MiB of a disk in which there are 100. */
START_TEST(of_a_thin_disk_only_its_data_counts)
{
	static const struct strategy_disk disk = {.target = "vda",
	    .path = "/local/vm1.qcow2",
	    .format = "qcow2",
	    .pool = "local",
	    .volume = "vm1.qcow2",
	    .dest_path = "/local/vm1.qcow2",
	    .capacity = 1000 * MIB,
	    .allocation = 100 * MIB};
	struct executor_request request = {.uuid = site_uuid(1),
	    .name = "vm1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .dest_uri = "qemu+tcp://kvm2.example.org/system",
	    .strategy = MOVE_LIVE_COPY,
	    .rule = "operator",
	    .why = "asked",
	    .attempt = 1,
	    .persistent = true,
	    .was_running = true,
	    .disks = &(struct executor_disk){.disk = &disk},
	    .disk_count = 1,
	    .timeout_ms = 600000};
	struct executor_report report;
	struct err err = {0};
	json_t *json, *progress;

	site_give_disk(1, 1, 5);
	site_set_job(&(struct hv_job){.active = true,
	    .memory_total = 1024 * MIB,
	    .memory_done = 0,
	    .memory_remaining = 1024 * MIB,
	    .disk_total = 1000 * MIB,
	    .disk_done = 500 * MIB,
	    .disk_remaining = 500 * MIB,
	    .iterations = 0});
	ck_assert_int_eq(executor_start(executor, &request, &err), 1);
	run_until(it_is_known);
	ck_assert(executor_find(executor, 1, &report));
	ck_assert_int_eq(report.bytes, 50 * MIB);
	json = executor_report_json(&report);
	progress = json_object_get(json, "progress");
	ck_assert_str_eq(json_string_value(json_object_get(progress, "phase")),
	    "copying disks");
	ck_assert_int_eq(
	    json_integer_value(json_object_get(progress, "remaining")),
	    1074 * MIB);
	json_decref(json);
	site_finish(true);
	run_until(all_have_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(
	    ask("SELECT json_extract(result, '$.disk_bytes') FROM moves"),
	    100 * MIB);
}
END_TEST

/* ---- predictions and rates ---- */

START_TEST(a_prediction_stands_beside_what_came_out)
{
	site_set_mood(2, SITE_TAKES, NULL);
	start_with(1, 0, 0);
	run_until(all_have_ended);
	ck_assert_int_eq(last_outcome, MOVE_COMPLETED);
	ck_assert_int_eq(ask("SELECT predicted_ms FROM predictions"), 5000);
	ck_assert_int_eq(ask("SELECT actual_downtime_ms FROM predictions"),
	    site_downtime_ms());
	ck_assert_int_ge(ask("SELECT actual_ms FROM predictions"), 0);
	ck_assert_int_lt(
	    ask("SELECT json_extract(body, "
		"'$.data.prediction_error_percent') FROM events WHERE "
		"type = 'drover.move.completed'"),
	    0);
	ck_assert_int_eq(ask("SELECT json_extract(result, "
			     "'$.predicted_downtime_ms') FROM moves"),
	    100);
}
END_TEST

START_TEST(the_link_is_known_by_what_moved_over_it_also_later)
{
	site_set_mood(2, SITE_TAKES, NULL);
	ck_assert_int_eq(executor_link_rate(executor, "kvm2"), 0);
	start_with(1, 0, 0);
	run_until(all_have_ended);
	/* 1 GiB in a second, by its last job. */
	ck_assert_int_eq(executor_link_rate(executor, "kvm2"), 1024 * MIB);
	ck_assert_int_eq(executor_link_rate(executor, "kvm1"), 0);
	take_down();
	build();
	ck_assert_int_eq(executor_link_rate(executor, "kvm2"), 1024 * MIB);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("drive");
	TCase *tc = tcase_create("drive");

	tcase_add_checked_fixture(tc, setup_guests, teardown);
	tcase_set_timeout(tc, 3 * DEADLINE_S);
	tcase_add_test(
	    tc, a_limit_is_raised_step_by_step_and_each_is_in_the_journal);
	tcase_add_test(tc, what_cannot_be_written_is_not_done);
	tcase_add_test(tc, without_a_rung_nothing_is_done);
	tcase_add_test(tc, a_pause_is_in_the_journal_before_the_guest_stands);
	tcase_add_test(tc, a_pause_that_failed_is_tried_again);
	tcase_add_test(tc, a_guest_that_was_paused_for_nothing_runs_again);
	tcase_add_test(tc, with_no_rung_left_it_is_given_up_with_its_figures);
	tcase_add_test(tc, postcopy_is_begun_where_it_was_asked_for);
	tcase_add_test(tc, a_link_is_divided_and_divided_again);
	tcase_add_test(tc, a_policy_may_allow_less_than_the_share);
	tcase_add_test(tc, of_a_thin_disk_only_its_data_counts);
	tcase_add_test(tc, a_prediction_stands_beside_what_came_out);
	tcase_add_test(tc, the_link_is_known_by_what_moved_over_it_also_later);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
