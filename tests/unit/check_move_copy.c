/*
 * A live move that brings disks along: what is made for them, and when it is removed
 * again.  And what a live move does to end at all: pausing the guest, giving up.
 */
#include "move_fixture.h"

static const struct reconcile_side crashed = IS(SHUTOFF, CRASHED);

static void
add_disk(const char *target, const char *volume)
{
	(void)move_add_disk(move,
	    &(struct move_disk){.target = (char *)(uintptr_t)target,
		.path = (char *)(uintptr_t) "/images/a",
		.format = (char *)(uintptr_t) "qcow2",
		.pool = (char *)(uintptr_t) "images",
		.volume = (char *)(uintptr_t)volume});
}

static void
setup_copy(void)
{
	setup();
	move->strategy = MOVE_LIVE_COPY;
	add_disk("vda", "a.qcow2");
	add_disk("vdb", "b.qcow2");
}

/* Up to the step that makes volumes. */
static void
check_names(void)
{
	tell(MOVE_EV_BEGIN);
	expect("intent:check check");
	tell(MOVE_EV_STEPPED);
	expect("intent:prepare prepare");
}

static void
prepare(void)
{
	check_names();
	move->disks[0].created = move->disks[1].created = true;
	tell(MOVE_EV_STEPPED);
	expect("result:prepare intent:perform perform timer:60000");
}

static void
copy_fails(void)
{
	prepare();
	tell_error(MOVE_EV_PERFORMED, ERR_REFUSED, "No space left on device");
	expect("observe");
}

/* Through the journal and back, as if the process had ended here. */
static void
restart(void)
{
	json_t *json = move_save(move);
	struct err err = {0};
	struct move *again = move_load(json, &err);

	ck_assert_msg(again != NULL, "%s", err.msg);
	json_decref(json);
	move_free(move);
	move = again;
	now = (struct mono){5};
	tell(MOVE_EV_RECOVERED);
	expect("observe");
}

/* ---- going well ---- */

START_TEST(disks_that_go_along_have_volumes_before_the_migration)
{
	prepare();
	ck_assert(move->perform_begun);
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	expect("collect");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
	ck_assert(move->disks[0].created);
}
END_TEST

START_TEST(the_time_for_volumes_counts)
{
	check_names();
	now = mono_add(now, 20000);
	tell(MOVE_EV_STEPPED);
	expect("result:prepare intent:perform perform timer:40000");
	teardown();
	setup_copy();
	check_names();
	move->disks[0].created = true;
	now = mono_add(now, 60000);
	tell(MOVE_EV_STEPPED);
	expect("result:prepare observe");
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
	ck_assert_ptr_nonnull(strstr(move->error, "60 s"));
}
END_TEST

/* ---- going wrong ---- */

START_TEST(a_name_that_is_taken_ends_it_before_anything_is_made)
{
	tell(MOVE_EV_BEGIN);
	tell_error(MOVE_EV_STEPPED, ERR_CONFLICT, "a.qcow2 is there already");
	expect("end:failed");
	ck_assert_str_eq(move->error, "a.qcow2 is there already");
	ck_assert(!move_has_volumes(move));
}
END_TEST

START_TEST(what_a_failed_prepare_has_made_goes)
{
	check_names();
	move->disks[0].created = true;
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "b.qcow2: no space");
	expect("result:prepare observe");
	see(&runs, &nowhere);
	expect("intent:clean clean");
	ck_assert_int_eq(actions.items[1].expect.presence, RECONCILE_ABSENT);
	ck_assert(!move->disks[1].created);
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
	ck_assert_str_eq(move->error, "b.qcow2: no space");
	ck_assert(!move_has_volumes(move));
}
END_TEST

START_TEST(a_prepare_that_has_made_nothing_leaves_nothing_to_do)
{
	check_names();
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no such pool");
	expect("result:prepare end:failed");
}
END_TEST

START_TEST(a_prepare_that_was_not_answered_may_have_made_all)
{
	check_names();
	move->disks[0].created = true;
	tell_error(MOVE_EV_STEPPED, ERR_UNREACHABLE, "the connection broke");
	expect("result:prepare observe");
	ck_assert(move->disks[0].created && !move->disks[0].unsure);
	ck_assert(move->disks[1].created && move->disks[1].unsure);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
}
END_TEST

START_TEST(volumes_of_a_failed_copy_go)
{
	copy_fails();
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
	ck_assert_str_eq(move->error, "No space left on device");
}
END_TEST

START_TEST(volumes_go_only_when_the_target_does_not_have_the_guest)
{
	copy_fails();
	see_twice(&canceled, &failed_there);
	expect("intent:undefine-target undefine-target");
	tell(MOVE_EV_REPAIRED);
	see(&canceled, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:rolled-back");
}
END_TEST

START_TEST(a_guest_that_ended_on_the_way_leaves_no_volumes)
{
	copy_fails();
	see_twice(&shut_down, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
}
END_TEST

START_TEST(what_has_run_at_the_target_is_not_removed_there)
{
	move->strict = true;
	copy_fails();
	/* Its daemon died in the last phase: gone, and no reason is known. */
	see(&off_somehow, &arrived);
	expect("intent:resume-target resume-target");
	restart();
	see_twice(&off_somehow, &crashed);
	expect("intent:undefine-source undefine-source");

	/* But if it was not let run there, the source has the newest. */
	teardown();
	setup_copy();
	move->strict = true;
	copy_fails();
	see(&off_somehow, &arrived);
	tell_error(MOVE_EV_REPAIRED, ERR_CONFLICT, "its state has changed");
	see_twice(&off_somehow, &crashed);
	expect("intent:undefine-target undefine-target");
	teardown();
	setup_copy();
	move->strict = true;
	copy_fails();
	see(&off_somehow, &arrived);
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	ck_assert(!move->target_ran);
}
END_TEST

START_TEST(a_move_that_ends_with_a_person_removes_nothing)
{
	move->strict = true;
	copy_fails();
	see_twice(&destroyed, &arrived);
	expect("alarm end:stuck");
	ck_assert(move->disks[0].created);
}
END_TEST

/* ---- cleaning ---- */

START_TEST(a_silent_target_is_waited_for_and_then_left)
{
	copy_fails();
	for (int i = 0; i < MOVE_CLEAN_MS / MOVE_WAIT_MS; i++) {
		see(&runs, &unknown);
		expect("timer:1000");
		wait_ms(MOVE_WAIT_MS);
		expect("observe");
	}
	see(&runs, &unknown);
	expect("end:failed");
	/* They are leftovers then. */
	ck_assert(move->disks[0].created && move->disks[1].created);
}
END_TEST

START_TEST(a_target_that_comes_back_in_time_is_cleaned)
{
	copy_fails();
	see(&runs, &unknown);
	tell(MOVE_EV_HOST_NEWS);
	expect("observe");
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell_error(MOVE_EV_STEPPED, ERR_UNREACHABLE, "the connection broke");
	expect("result:clean timer:1000");
	tell(MOVE_EV_HOST_NEWS);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
}
END_TEST

START_TEST(nobody_must_wait_for_a_silent_target)
{
	copy_fails();
	see(&runs, &unknown);
	expect("timer:1000");
	tell(MOVE_EV_ABORT);
	expect("observe");
	see(&runs, &unknown);
	expect("end:aborted");
	ck_assert(move->disks[0].created);
}
END_TEST

START_TEST(a_volume_that_is_used_is_left_and_named)
{
	copy_fails();
	see(&runs, &nowhere);
	tell_error(MOVE_EV_STEPPED, ERR_CONFLICT, "a.qcow2 is used by db1");
	expect("result:clean observe");
	see(&runs, &nowhere);
	expect("intent:clean clean");
	move->disks[1].created = false;
	tell_error(MOVE_EV_STEPPED, ERR_CONFLICT, "a.qcow2 is used by db1");
	expect("result:clean alarm end:failed");
	ck_assert_str_eq(move->remark, "left at kvm2: images/a.qcow2");
	ck_assert(!move_has_volumes(move));
}
END_TEST

START_TEST(cleaning_that_fails_again_and_again_is_left)
{
	copy_fails();
	for (int i = 1; i < MOVE_REPAIR_TRIES; i++) {
		see(&runs, &nowhere);
		expect("intent:clean clean");
		tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
		expect("result:clean timer:1000");
		wait_ms(MOVE_WAIT_MS);
	}
	see(&runs, &nowhere);
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
	expect("result:clean alarm end:failed");
	ck_assert(move->disks[0].created);
}
END_TEST

/* ---- aborts, the journal, a restart of the daemon ---- */

START_TEST(an_abort_before_the_migration_begins_none)
{
	tell(MOVE_EV_BEGIN);
	tell(MOVE_EV_ABORT);
	expect("");
	tell(MOVE_EV_STEPPED);
	expect("end:aborted");

	teardown();
	setup_copy();
	check_names();
	tell(MOVE_EV_ABORT);
	expect("");
	move->disks[0].created = true;
	tell(MOVE_EV_STEPPED);
	expect("result:prepare observe");
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:aborted");
}
END_TEST

START_TEST(without_a_journal_no_volume_is_made_and_none_stays)
{
	tell(MOVE_EV_BEGIN);
	tell(MOVE_EV_STEPPED);
	expect("intent:prepare prepare");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("end:failed");

	teardown();
	setup_copy();
	prepare();
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	ck_assert(!move->perform_begun);
	wait_ms(MOVE_WRITE_RETRY_MS);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	wait_ms(MOVE_WRITE_RETRY_MS);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
	/* What stood behind that entry is not lost. */
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("end:failed");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("");
	ck_assert_str_eq(move->error, "disk full");
}
END_TEST

START_TEST(a_crash_before_volumes_were_asked_for_leaves_nothing)
{
	tell(MOVE_EV_BEGIN);
	restart();
	ck_assert(!move_has_volumes(move));
	see(&runs, &nowhere);
	expect("end:failed");
	ck_assert_ptr_nonnull(strstr(move->error, "droverd"));
}
END_TEST

START_TEST(after_a_crash_in_prepare_volumes_may_be_there)
{
	check_names();
	restart();
	ck_assert(move->disks[0].unsure && move->disks[1].unsure);
	see(&runs, &unknown);
	expect("timer:1000");
	tell(MOVE_EV_HOST_NEWS);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	restart();
	ck_assert(move->disks[0].unsure);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	expect("result:clean end:failed");
}
END_TEST

START_TEST(after_a_crash_in_prepare_an_old_copy_of_ours_goes)
{
	move->disks[0].replace = true;
	check_names();
	restart();
	ck_assert(move->disks[0].created && !move->disks[0].unsure);
	ck_assert(move->disks[1].created && move->disks[1].unsure);
	see(&runs, &nowhere);
	expect("intent:clean clean");
}
END_TEST

START_TEST(a_definition_that_was_there_before_is_not_ours)
{
	/* The migration was never sent: what is at the target is not its. */
	check_names();
	restart();
	see(&runs, &failed_there);
	expect("intent:clean clean");
	ck_assert_int_eq(actions.items[1].expect.presence, RECONCILE_PRESENT);
}
END_TEST

START_TEST(a_crash_during_the_copy_is_followed_and_cleaned)
{
	prepare();
	restart();
	ck_assert(move->disks[0].created && !move->disks[0].unsure);
	see(&copying, &incoming);
	expect("timer:500");
	wait_ms(MOVE_FOLLOW_MS);
	see(&runs, &nowhere);
	expect("timer:1500");
	wait_ms(MOVE_STAYED_AGAIN_MS);
	see(&runs, &nowhere);
	expect("intent:clean clean");
}
END_TEST

/* ---- pausing, and giving up ---- */

START_TEST(a_pause_of_ours_is_noted_before_it_is_made)
{
	begin();
	tell(MOVE_EV_SUSPENDED);
	expect("note:suspend suspend");
	ck_assert(move->suspended);
	tell(MOVE_EV_SUSPENDED);
	expect("");
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	expect("collect");
}
END_TEST

START_TEST(a_pause_that_cannot_be_noted_is_not_made)
{
	begin();
	tell(MOVE_EV_SUSPENDED);
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("");
	ck_assert(!move->suspended);
	ck_assert_int_eq(move->state, MOVE_PERFORMING);
	/* The move itself has been written, and goes on. */
	tell(MOVE_EV_PERFORMED);
	see(&nowhere, &migrated);
	expect("collect");
}
END_TEST

START_TEST(a_guest_that_we_paused_is_resumed_when_it_stays)
{
	begin();
	tell(MOVE_EV_SUSPENDED);
	tell_error(MOVE_EV_PERFORMED, ERR_ABORTED, "canceled by client");
	see_twice(&arrived, &nowhere); /* paused, by a user: that was us */
	expect("intent:resume-source resume-source");
	tell(MOVE_EV_REPAIRED);
	see(&runs, &nowhere);
	/* Our pause may have been late: seen twice. */
	expect("timer:1500");
	wait_ms(MOVE_STAYED_AGAIN_MS);
	see_twice(&arrived, &nowhere);
	expect("intent:resume-source resume-source");
	tell(MOVE_EV_REPAIRED);
	see(&runs, &nowhere);
	wait_ms(MOVE_STAYED_AGAIN_MS);
	see(&runs, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_pause_of_ours_is_known_after_a_restart)
{
	begin();
	tell(MOVE_EV_SUSPENDED);
	restart();
	see_twice(&arrived, &nowhere);
	expect("intent:resume-source resume-source");
}
END_TEST

START_TEST(a_guest_that_a_person_paused_stays_paused)
{
	perform_fails("canceled by client");
	see(&arrived, &nowhere);
	expect("end:failed");
}
END_TEST

START_TEST(a_guest_that_we_paused_is_not_resumed_while_the_target_runs_it)
{
	begin();
	tell(MOVE_EV_SUSPENDED);
	tell_error(MOVE_EV_PERFORMED, ERR_REFUSED, "client socket is closed");
	see_twice(&arrived, &migrated);
	expect("alarm end:stuck");
}
END_TEST

START_TEST(a_move_that_does_not_converge_is_given_up)
{
	begin();
	tell_error(MOVE_EV_GIVE_UP, ERR_REFUSED,
	    "it writes 120 MB/s, the link carries 100 MB/s");
	expect("abort timer:1000");
	wait_ms(MOVE_WAIT_MS);
	expect("abort timer:1000");
	tell(MOVE_EV_SUSPENDED);
	expect("");
	tell_error(MOVE_EV_PERFORMED, ERR_ABORTED, "canceled by client");
	see(&runs, &nowhere);
	expect("end:failed");
	ck_assert_str_eq(
	    move->error, "it writes 120 MB/s, the link carries 100 MB/s");
}
END_TEST

START_TEST(a_followed_move_is_given_up_too)
{
	begin();
	tell(MOVE_EV_RECOVERED);
	see(&copying, &incoming);
	tell_error(MOVE_EV_GIVE_UP, ERR_REFUSED, "it does not converge");
	expect("abort");
	wait_ms(MOVE_FOLLOW_MS);
	expect("abort observe");
}
END_TEST

static TCase *
add_copy_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup_copy, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

int
main(void)
{
	Suite *suite = suite_create("move_copy");
	TCase *tc = add_copy_case(suite, "volumes");

	tcase_add_test(
	    tc, disks_that_go_along_have_volumes_before_the_migration);
	tcase_add_test(tc, the_time_for_volumes_counts);
	tcase_add_test(
	    tc, a_name_that_is_taken_ends_it_before_anything_is_made);
	tcase_add_test(tc, what_a_failed_prepare_has_made_goes);
	tcase_add_test(
	    tc, a_prepare_that_has_made_nothing_leaves_nothing_to_do);
	tcase_add_test(tc, a_prepare_that_was_not_answered_may_have_made_all);
	tcase_add_test(tc, volumes_of_a_failed_copy_go);
	tcase_add_test(
	    tc, volumes_go_only_when_the_target_does_not_have_the_guest);
	tcase_add_test(tc, a_guest_that_ended_on_the_way_leaves_no_volumes);
	tcase_add_test(tc, what_has_run_at_the_target_is_not_removed_there);
	tcase_add_test(tc, a_move_that_ends_with_a_person_removes_nothing);
	tc = add_copy_case(suite, "cleaning");
	tcase_add_test(tc, a_silent_target_is_waited_for_and_then_left);
	tcase_add_test(tc, a_target_that_comes_back_in_time_is_cleaned);
	tcase_add_test(tc, nobody_must_wait_for_a_silent_target);
	tcase_add_test(tc, a_volume_that_is_used_is_left_and_named);
	tcase_add_test(tc, cleaning_that_fails_again_and_again_is_left);
	tc = add_copy_case(suite, "journal");
	tcase_add_test(tc, an_abort_before_the_migration_begins_none);
	tcase_add_test(tc, without_a_journal_no_volume_is_made_and_none_stays);
	tcase_add_test(
	    tc, a_crash_before_volumes_were_asked_for_leaves_nothing);
	tcase_add_test(tc, after_a_crash_in_prepare_volumes_may_be_there);
	tcase_add_test(tc, after_a_crash_in_prepare_an_old_copy_of_ours_goes);
	tcase_add_test(tc, a_definition_that_was_there_before_is_not_ours);
	tcase_add_test(tc, a_crash_during_the_copy_is_followed_and_cleaned);
	tc = add_case(suite, "converge");
	tcase_add_test(tc, a_pause_of_ours_is_noted_before_it_is_made);
	tcase_add_test(tc, a_pause_that_cannot_be_noted_is_not_made);
	tcase_add_test(tc, a_guest_that_we_paused_is_resumed_when_it_stays);
	tcase_add_test(tc, a_pause_of_ours_is_known_after_a_restart);
	tcase_add_test(tc, a_guest_that_a_person_paused_stays_paused);
	tcase_add_test(
	    tc, a_guest_that_we_paused_is_not_resumed_while_the_target_runs_it);
	tcase_add_test(tc, a_move_that_does_not_converge_is_given_up);
	tcase_add_test(tc, a_followed_move_is_given_up_too);
	return run_suite(suite);
}
