/*
 * The life of a move, step by step: going well, going wrong, and what comes too
 * late or too early.
 */
#include "move_fixture.h"

/* ---- going well ---- */

START_TEST(a_fast_move_goes_well)
{
	begin();
	tell(MOVE_EV_PERFORMED);
	expect("observe");
	see(&nowhere, &migrated);
	expect("collect");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
	ck_assert_int_eq(move->state, MOVE_ENDED);
	ck_assert_str_eq(move->error, "");
}
END_TEST

START_TEST(a_strict_move_resumes_the_target_once_the_source_is_gone)
{
	move->strict = true;
	begin();
	ck_assert_str_eq(actions.items[0].text, "strict handover");
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &arrived);
	expect("intent:resume-target resume-target");
	ck_assert_int_eq(actions.items[1].expect.state, DOMAIN_PAUSED);
	ck_assert_int_eq(actions.items[1].expect.reason, DOMAIN_REASON_USER);
	tell(MOVE_EV_REPAIRED);
	expect("result:resume-target observe");
	see(&nowhere, &runs);
	expect("collect");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
	ck_assert(!move->repaired);
}
END_TEST

START_TEST(autostart_is_carried_over)
{
	struct reconcile_side set = migrated;

	move->autostart = true;
	begin();
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	expect("intent:autostart-target autostart-target");
	tell(MOVE_EV_REPAIRED);
	expect("result:autostart-target observe");
	set.autostart = true;
	see(&nowhere, &set);
	expect("collect");
}
END_TEST

START_TEST(a_move_whose_autostart_fails_is_still_a_good_one)
{
	move->autostart = true;
	begin();
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	tell_error(MOVE_EV_REPAIRED, ERR_REFUSED, "read-only file system");
	expect("alarm observe");
	see(&nowhere, &migrated);
	expect("collect");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
}
END_TEST

START_TEST(a_definition_left_at_the_source_goes)
{
	begin();
	tell(MOVE_EV_PERFORMED);
	see_twice(&gone, &migrated);
	expect("intent:undefine-source undefine-source");
	ck_assert_int_eq(actions.items[1].expect.state, DOMAIN_SHUTOFF);
	tell(MOVE_EV_REPAIRED);
	see(&nowhere, &migrated);
	expect("collect");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
}
END_TEST

START_TEST(a_guest_that_changes_while_autostart_is_set_keeps_it)
{
	struct reconcile_side off = IS(SHUTOFF, SHUTDOWN);

	move->autostart = true;
	begin();
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	tell_error(MOVE_EV_REPAIRED, ERR_CONFLICT, "its state has changed");
	expect("observe");
	see(&nowhere, &off);
	expect("intent:autostart-target autostart-target");
}
END_TEST

/* ---- going wrong ---- */

START_TEST(a_refused_move_has_failed_with_the_hosts_words)
{
	perform_fails("Cannot get interface MTU on 'br7'");
	see(&runs, &nowhere);
	expect("end:failed");
	ck_assert_str_eq(move->error, "Cannot get interface MTU on 'br7'");
}
END_TEST

START_TEST(what_had_to_be_undone_makes_it_rolled_back)
{
	perform_fails("Failed to get \"write\" lock");
	see_twice(&canceled, &failed_there);
	expect("intent:undefine-target undefine-target");
	tell(MOVE_EV_REPAIRED);
	expect("result:undefine-target observe");
	see(&canceled, &nowhere);
	expect("end:rolled-back");
	ck_assert_str_eq(move->error, "Failed to get \"write\" lock");
}
END_TEST

START_TEST(a_guest_that_runs_twice_is_an_alarm)
{
	perform_fails("client socket is closed");
	see_twice(&canceled, &migrated);
	expect("alarm intent:destroy-target destroy-target");
	tell(MOVE_EV_REPAIRED);
	see_twice(&canceled, &destroyed);
	expect("intent:undefine-target undefine-target");
	tell(MOVE_EV_REPAIRED);
	see(&canceled, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_source_left_paused_by_its_daemon_is_resumed)
{
	perform_fails("client socket is closed");
	see_twice(&stopped, &nowhere);
	expect("intent:resume-source resume-source");
	tell(MOVE_EV_REPAIRED);
	see(&runs, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_strict_arrival_whose_source_is_stuck_is_not_lost)
{
	move->strict = true;
	perform_fails("client socket is closed");
	see_twice(&stopped, &arrived);
	expect("intent:destroy-source destroy-source");
	ck_assert_int_eq(actions.items[1].expect.state, DOMAIN_PAUSED);
	tell(MOVE_EV_REPAIRED);
	expect("result:destroy-source observe");
	see(&destroyed, &arrived);
	expect("intent:resume-target resume-target");
	tell(MOVE_EV_REPAIRED);
	see_twice(&destroyed, &runs);
	expect("intent:undefine-source undefine-source");
	tell(MOVE_EV_REPAIRED);
	see(&nowhere, &runs);
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
}
END_TEST

START_TEST(a_source_destroyed_by_others_is_for_a_person)
{
	move->strict = true;
	perform_fails("client socket is closed");
	see_twice(&destroyed, &arrived);
	expect("alarm end:stuck");
	ck_assert_ptr_nonnull(strstr(move->error, "virsh resume"));
}
END_TEST

START_TEST(a_guest_that_shuts_down_on_the_way_has_not_moved)
{
	perform_fails("domain is not running");
	see_twice(&shut_down, &nowhere);
	expect("end:failed");
}
END_TEST

START_TEST(a_split_answer_is_looked_at_again)
{
	/* The source answered before the switchover, the target after it. */
	perform_fails("client socket is closed");
	see(&canceled, &migrated);
	expect("observe");
	see(&nowhere, &migrated);
	expect("collect");

	/* A different row at the second look counts as a first one. */
	teardown();
	setup();
	perform_fails("client socket is closed");
	see(&canceled, &migrated);
	expect("observe");
	see(&canceled, &failed_there);
	expect("observe");
	see(&canceled, &failed_there);
	expect("intent:undefine-target undefine-target");
}
END_TEST

START_TEST(a_call_that_broke_off_may_not_have_begun)
{
	begin();
	tell_error(
	    MOVE_EV_PERFORMED, ERR_UNREACHABLE, "no answer to keepalive");
	see(&runs, &nowhere);
	expect("timer:1500");
	wait_ms(MOVE_STAYED_AGAIN_MS);
	expect("observe");
	see(&copying, &incoming);
	expect("timer:500");
	ck_assert_int_eq(move->state, MOVE_FOLLOWING);
	wait_ms(MOVE_FOLLOW_MS);
	expect("observe");
	see(&nowhere, &migrated);
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
}
END_TEST

START_TEST(a_silent_host_is_waited_for)
{
	perform_fails("client socket is closed");
	for (int i = 0; i < 100; i++) {
		see(&canceled, &unknown);
		expect(i == 0 ? "note:took-back timer:1000" : "timer:1000");
		ck_assert_int_eq(move->state, MOVE_WAITING);
		ck_assert_str_ne(move->note, "");
		wait_ms(MOVE_WAIT_MS);
		expect("observe");
	}
	see(&canceled, &unknown);
	tell(MOVE_EV_HOST_NEWS);
	expect("observe");
	see(&canceled, &nowhere);
	expect("end:failed");
	ck_assert_str_eq(move->note, "");
}
END_TEST

START_TEST(a_target_that_lingers_is_dropped_after_a_while)
{
	perform_fails("client socket is closed");
	for (int i = 0; i < RECONCILE_PATIENCE_MS / MOVE_WAIT_MS; i++) {
		see(&runs, &incoming);
		expect("timer:1000");
		wait_ms(MOVE_WAIT_MS);
	}
	see_twice(&runs, &incoming);
	expect("intent:destroy-target destroy-target");
}
END_TEST

START_TEST(another_state_begins_the_patience_anew)
{
	perform_fails("client socket is closed");
	see(&runs, &incoming);
	wait_ms(RECONCILE_PATIENCE_MS - 1);
	see(&unknown, &incoming);
	expect("timer:1000");
	wait_ms(MOVE_WAIT_MS);
	see(&runs, &incoming);
	expect("timer:1000");
	wait_ms(RECONCILE_PATIENCE_MS - 1);
	see(&runs, &incoming);
	expect("timer:1000");
}
END_TEST

/* ---- repairs that fail ---- */

START_TEST(a_changed_guest_is_looked_at_again_at_once)
{
	perform_fails("client socket is closed");
	see_twice(&stopped, &nowhere);
	tell_error(MOVE_EV_REPAIRED, ERR_CONFLICT, "its state has changed");
	expect("observe");
	see(&canceled, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_conflict_that_stays_does_not_spin)
{
	perform_fails("client socket is closed");
	see_twice(&stopped, &nowhere);
	tell_error(MOVE_EV_REPAIRED, ERR_CONFLICT, "its state has changed");
	expect("observe");
	see_twice(&stopped, &nowhere);
	tell_error(MOVE_EV_REPAIRED, ERR_CONFLICT, "its state has changed");
	expect("timer:1000");
}
END_TEST

START_TEST(a_host_that_is_lost_during_a_repair_is_waited_for)
{
	perform_fails("client socket is closed");
	for (int i = 0; i < 3 * MOVE_REPAIR_TRIES; i++) {
		see_twice(&stopped, &nowhere);
		expect("intent:resume-source resume-source");
		tell_error(MOVE_EV_REPAIRED, ERR_UNREACHABLE, "not connected");
		expect("timer:1000");
		tell(MOVE_EV_HOST_NEWS);
		expect("observe");
	}
}
END_TEST

START_TEST(a_repair_that_fails_again_and_again_is_for_a_person)
{
	perform_fails("client socket is closed");
	for (int i = 1; i < MOVE_REPAIR_TRIES; i++) {
		see_twice(&stopped, &nowhere);
		expect("intent:resume-source resume-source");
		tell_error(MOVE_EV_REPAIRED, ERR_REFUSED, "no");
		expect("timer:1000");
		wait_ms(MOVE_WAIT_MS);
	}
	see_twice(&stopped, &nowhere);
	tell_error(MOVE_EV_REPAIRED, ERR_REFUSED, "no");
	expect("alarm end:stuck");
	ck_assert_str_eq(move->error,
	    "resume-source failed: no; it began "
	    "with: client socket is closed");
}
END_TEST

START_TEST(a_source_that_was_not_destroyed_is_not_taken_for_destroyed)
{
	move->strict = true;
	perform_fails("client socket is closed");
	see_twice(&stopped, &arrived);
	expect("intent:destroy-source destroy-source");
	ck_assert(move->source_destroyed);
	tell_error(MOVE_EV_REPAIRED, ERR_CONFLICT, "its state has changed");
	ck_assert(!move->source_destroyed);
	see_twice(&canceled, &arrived);
	expect("intent:destroy-target destroy-target");
}
END_TEST

/* ---- aborts and time ---- */

START_TEST(an_abort_is_passed_on_and_named)
{
	begin();
	tell(MOVE_EV_ABORT);
	expect("abort");
	tell_error(MOVE_EV_PERFORMED, ERR_ABORTED, "canceled by client");
	see(&runs, &nowhere);
	expect("end:aborted");
}
END_TEST

START_TEST(what_breaks_by_an_abort_is_told_as_the_abort)
{
	begin();
	tell(MOVE_EV_ABORT);
	tell_error(MOVE_EV_PERFORMED, ERR_REFUSED,
	    "qemu unexpectedly closed the monitor: check_section_footer");
	see(&runs, &nowhere);
	expect("end:aborted");
	ck_assert_str_eq(move->error, MOVE_ABORTED_WORDS);
}
END_TEST

START_TEST(an_abort_that_comes_too_late_changes_nothing)
{
	begin();
	tell(MOVE_EV_ABORT);
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	expect("collect");
	tell(MOVE_EV_ABORT);
	expect("");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
	tell(MOVE_EV_ABORT);
	expect("");
}
END_TEST

START_TEST(an_abort_between_calls_takes_effect_when_it_runs_again)
{
	begin();
	tell_error(MOVE_EV_PERFORMED, ERR_UNREACHABLE, "lost");
	tell(MOVE_EV_ABORT);
	expect("");
	see(&copying, &incoming);
	expect("timer:500");
	wait_ms(MOVE_FOLLOW_MS);
	expect("abort observe");
	tell(MOVE_EV_ABORT);
	expect("");
	see(&copying, &incoming);
	tell(MOVE_EV_ABORT);
	expect("abort");
}
END_TEST

START_TEST(a_move_that_takes_too_long_is_given_up)
{
	begin();
	wait_ms(59999);
	expect("timer:1");
	wait_ms(1);
	expect("abort timer:1000");
	wait_ms(MOVE_WAIT_MS);
	expect("abort timer:1000");
	tell_error(MOVE_EV_PERFORMED, ERR_ABORTED, "canceled by client");
	see(&runs, &nowhere);
	expect("end:failed");
	ck_assert_str_eq(move->error,
	    "it did not end within 60 s and was "
	    "given up");
}
END_TEST

START_TEST(a_move_without_a_limit_has_no_timer)
{
	move->timeout_ms = 0;
	tell(MOVE_EV_BEGIN);
	expect("intent:perform perform");
	wait_ms(1000000);
	expect("");
}
END_TEST

START_TEST(a_followed_move_has_a_limit_too)
{
	begin();
	tell(MOVE_EV_RECOVERED);
	see(&copying, &incoming);
	wait_ms(59999);
	expect("observe");
	see(&copying, &incoming);
	wait_ms(MOVE_FOLLOW_MS);
	expect("abort observe");
	see(&runs, &nowhere);
	expect("timer:1500");
	wait_ms(MOVE_STAYED_AGAIN_MS);
	see(&runs, &nowhere);
	expect("end:failed");
	ck_assert_ptr_nonnull(strstr(move->error, "60 s"));
}
END_TEST

/* ---- what comes at the wrong time ---- */

START_TEST(late_and_early_events_are_ignored)
{
	static const enum move_event_kind before[] = {MOVE_EV_PERFORMED,
	    MOVE_EV_REPAIRED, MOVE_EV_COLLECTED, MOVE_EV_TIMER,
	    MOVE_EV_HOST_NEWS};
	static const enum move_event_kind after[] = {MOVE_EV_BEGIN,
	    MOVE_EV_PERFORMED, MOVE_EV_REPAIRED, MOVE_EV_COLLECTED,
	    MOVE_EV_TIMER, MOVE_EV_HOST_NEWS, MOVE_EV_ABORT,
	    MOVE_EV_NOT_WRITTEN, MOVE_EV_RECOVERED};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		tell(before[i]);
		expect("");
	}
	begin();
	tell(MOVE_EV_BEGIN);
	expect("");
	see(&nowhere, &migrated);
	expect("");
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		tell(after[i]);
		expect("");
	}
	see(&runs, &nowhere);
	expect("");
	ck_assert_int_eq(move->outcome, MOVE_COMPLETED);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("move");
	TCase *tc = add_case(suite, "well");

	tcase_add_test(tc, a_fast_move_goes_well);
	tcase_add_test(
	    tc, a_strict_move_resumes_the_target_once_the_source_is_gone);
	tcase_add_test(tc, autostart_is_carried_over);
	tcase_add_test(tc, a_move_whose_autostart_fails_is_still_a_good_one);
	tcase_add_test(
	    tc, a_guest_that_changes_while_autostart_is_set_keeps_it);
	tcase_add_test(tc, a_definition_left_at_the_source_goes);
	tc = add_case(suite, "wrong");
	tcase_add_test(tc, a_refused_move_has_failed_with_the_hosts_words);
	tcase_add_test(tc, what_had_to_be_undone_makes_it_rolled_back);
	tcase_add_test(tc, a_guest_that_runs_twice_is_an_alarm);
	tcase_add_test(tc, a_source_left_paused_by_its_daemon_is_resumed);
	tcase_add_test(tc, a_strict_arrival_whose_source_is_stuck_is_not_lost);
	tcase_add_test(tc, a_source_destroyed_by_others_is_for_a_person);
	tcase_add_test(tc, a_guest_that_shuts_down_on_the_way_has_not_moved);
	tcase_add_test(tc, a_split_answer_is_looked_at_again);
	tcase_add_test(tc, a_call_that_broke_off_may_not_have_begun);
	tcase_add_test(tc, a_silent_host_is_waited_for);
	tcase_add_test(tc, a_target_that_lingers_is_dropped_after_a_while);
	tcase_add_test(tc, another_state_begins_the_patience_anew);
	tc = add_case(suite, "repairs");
	tcase_add_test(tc, a_changed_guest_is_looked_at_again_at_once);
	tcase_add_test(tc, a_conflict_that_stays_does_not_spin);
	tcase_add_test(tc, a_host_that_is_lost_during_a_repair_is_waited_for);
	tcase_add_test(tc, a_repair_that_fails_again_and_again_is_for_a_person);
	tcase_add_test(
	    tc, a_source_that_was_not_destroyed_is_not_taken_for_destroyed);
	tc = add_case(suite, "time");
	tcase_add_test(tc, an_abort_is_passed_on_and_named);
	tcase_add_test(tc, what_breaks_by_an_abort_is_told_as_the_abort);
	tcase_add_test(tc, an_abort_that_comes_too_late_changes_nothing);
	tcase_add_test(
	    tc, an_abort_between_calls_takes_effect_when_it_runs_again);
	tcase_add_test(tc, a_move_that_takes_too_long_is_given_up);
	tcase_add_test(tc, a_move_without_a_limit_has_no_timer);
	tcase_add_test(tc, a_followed_move_has_a_limit_too);
	tcase_add_test(tc, late_and_early_events_are_ignored);
	return suite;
}

int
main(void)
{
	return run_suite(make_suite());
}
