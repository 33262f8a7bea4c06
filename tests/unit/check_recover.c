/*
 * What of a move survives: the journal before each change, a restart at each
 * state, and the memory of what failed where.
 */
#include "move_fixture.h"

#include "act/history.h"

/* ---- the journal ---- */

START_TEST(without_a_journal_no_migration_begins)
{
	begin();
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("end:failed");
	ck_assert_str_eq(move->error, "disk full");
}
END_TEST

START_TEST(without_a_journal_no_repair_is_made)
{
	perform_fails("client socket is closed");
	see_twice(&stopped, &nowhere);
	expect("intent:resume-source resume-source");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	ck_assert_ptr_nonnull(strstr(move->note, "disk full"));
	wait_ms(MOVE_WRITE_RETRY_MS);
	expect("observe");
	see_twice(&stopped, &nowhere);
	expect("intent:resume-source resume-source");
}
END_TEST

START_TEST(a_result_that_cannot_be_written_only_delays)
{
	perform_fails("client socket is closed");
	see_twice(&stopped, &nowhere);
	tell(MOVE_EV_REPAIRED);
	expect("result:resume-source observe");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	wait_ms(MOVE_WRITE_RETRY_MS);
	see(&runs, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_destruction_that_was_not_written_did_not_happen)
{
	move->strict = true;
	perform_fails("client socket is closed");
	see_twice(&stopped, &arrived);
	expect("intent:destroy-source destroy-source");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	ck_assert(!move->source_destroyed);
	/* Somebody else does it meanwhile: that is not ours to go on from. */
	wait_ms(MOVE_WRITE_RETRY_MS);
	see_twice(&destroyed, &arrived);
	expect("alarm end:stuck");
}
END_TEST

START_TEST(a_destruction_whose_result_was_not_written_did_happen)
{
	move->strict = true;
	perform_fails("client socket is closed");
	see_twice(&stopped, &arrived);
	tell(MOVE_EV_REPAIRED);
	expect("result:destroy-source observe");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	ck_assert(move->source_destroyed);
}
END_TEST

START_TEST(a_note_that_cannot_be_written_is_written_later)
{
	perform_fails("client socket is closed");
	see(&canceled, &unknown);
	expect("note:took-back timer:1000");
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	wait_ms(MOVE_WRITE_RETRY_MS);
	see(&canceled, &unknown);
	expect("note:took-back timer:1000");
}
END_TEST

START_TEST(every_change_stands_behind_its_journal_entry)
{
	const struct reconcile_side sides[] = {nowhere, runs, migrated,
	    canceled, arrived, stopped, incoming, failed_there, gone, destroyed,
	    shut_down, off_somehow};
	size_t n = sizeof(sides) / sizeof(sides[0]);

	for (size_t i = 0; i < n * n * 2; i++) {
		teardown();
		setup();
		move->strict = i % 2 == 1;
		begin();
		tell(MOVE_EV_PERFORMED);
		see(&sides[i / 2 / n], &sides[i / 2 % n]);
		if (move->state == MOVE_OBSERVING)
			see(&sides[i / 2 / n], &sides[i / 2 % n]);
		for (size_t a = 0; a < actions.count; a++) {
			if (actions.items[a].kind != MOVE_DO_REPAIR)
				continue;
			ck_assert_uint_gt(a, 0);
			ck_assert_int_eq(
			    actions.items[a - 1].kind, MOVE_DO_JOURNAL);
			ck_assert_str_eq(
			    actions.items[a - 1].journal, "intent");
			ck_assert_str_eq(actions.items[a - 1].step,
			    reconcile_verdict_name(actions.items[a].repair));
		}
	}
}
END_TEST

/* ---- after a restart ---- */

/* Through the journal and back, as if the process had ended here. */
static void
restart(void)
{
	json_t *json = move_save(move);
	struct err err = {0};
	struct move *again;

	ck_assert_ptr_nonnull(json);
	again = move_load(json, &err);
	ck_assert_msg(again != NULL, "%s", err.msg);
	json_decref(json);
	move_free(move);
	move = again;
	now = (struct mono){5};
	tell(MOVE_EV_RECOVERED);
}

START_TEST(a_restart_asks_both_hosts_whatever_the_state)
{
	for (int s = MOVE_NEW; s < MOVE_ENDED; s++) {
		teardown();
		setup();
		move->state = (enum move_state)s;
		restart();
		expect("observe");
		ck_assert_int_eq(move->state, MOVE_OBSERVING);
		ck_assert(move->recovered);
	}
	move->state = MOVE_ENDED;
	tell(MOVE_EV_RECOVERED);
	expect("");
}
END_TEST

START_TEST(a_move_in_flight_is_followed_after_a_restart)
{
	begin();
	restart();
	see(&unknown, &unknown);
	expect("timer:1000");
	tell(MOVE_EV_HOST_NEWS);
	expect("observe");
	see(&copying, &incoming);
	expect("timer:500");
	wait_ms(MOVE_FOLLOW_MS);
	see(&nowhere, &migrated);
	expect("collect");
	tell(MOVE_EV_COLLECTED);
	expect("end:completed");
}
END_TEST

START_TEST(after_a_restart_stayed_must_be_seen_twice)
{
	begin();
	restart();
	see(&runs, &nowhere);
	expect("timer:1500");
	/* News do not shorten it. */
	tell(MOVE_EV_HOST_NEWS);
	expect("");
	wait_ms(MOVE_STAYED_AGAIN_MS);
	see(&copying, &incoming);
	expect("timer:500");
	wait_ms(MOVE_FOLLOW_MS);
	/* And it begins again after having been otherwise. */
	see(&runs, &nowhere);
	expect("timer:1500");
	wait_ms(MOVE_STAYED_AGAIN_MS);
	see(&runs, &nowhere);
	expect("end:failed");
	ck_assert_ptr_nonnull(strstr(move->error, "away"));
}
END_TEST

START_TEST(a_strict_move_is_finished_after_a_restart)
{
	move->strict = true;
	begin();
	restart();
	see(&nowhere, &arrived);
	expect("intent:resume-target resume-target");
	restart();
	see(&nowhere, &runs);
	expect("collect");
}
END_TEST

START_TEST(a_source_that_we_destroyed_is_known_after_a_restart)
{
	move->strict = true;
	begin();
	tell_error(MOVE_EV_PERFORMED, ERR_REFUSED, "client socket is closed");
	see_twice(&stopped, &arrived);
	expect("intent:destroy-source destroy-source");
	restart();
	see(&destroyed, &arrived);
	expect("intent:resume-target resume-target");
}
END_TEST

START_TEST(a_source_that_had_taken_back_is_known_after_a_restart)
{
	move->strict = true;
	perform_fails("client socket is closed");
	see(&canceled, &unknown);
	expect("note:took-back timer:1000");
	restart();
	see_twice(&off_somehow, &arrived);
	expect("intent:destroy-target destroy-target");
}
END_TEST

START_TEST(saving_and_loading_keeps_all_that_matters)
{
	json_t *json, *again;
	struct move *m;

	move->strict = move->autostart = move->perform_ok = true;
	move->abort_asked = move->timed_out = move->repaired = true;
	move->took_back = move->source_destroyed = true;
	move->reason_before = DOMAIN_REASON_MIGRATION_CANCELED;
	move->max_downtime_ms = 250;
	move->bandwidth = INT64_C(1) << 40;
	move->memory = INT64_C(3) << 30;
	move->state = MOVE_REPAIRING;
	snprintf(move->error, sizeof(move->error), "caf\xc3\xa9 \"x\"");
	json = move_save(move);
	ck_assert_ptr_nonnull(json);
	m = move_load(json, NULL);
	ck_assert_ptr_nonnull(m);
	again = move_save(m);
	ck_assert(json_equal(json, again));
	ck_assert_int_eq(m->state, MOVE_REPAIRING);
	ck_assert_int_eq(m->memory, INT64_C(3) << 30);
	ck_assert(m->source_destroyed && m->took_back);
	ck_assert_str_eq(m->error, "caf\xc3\xa9 \"x\"");
	json_decref(json);
	json_decref(again);
	move_free(m);
}
END_TEST

START_TEST(saving_and_loading_keeps_disks_and_steps)
{
	struct move_disk *disk;
	json_t *json, *again;
	struct move *m;

	move->strategy = MOVE_RESTART;
	(void)move_add_disk(move,
	    &(struct move_disk){.target = "vda",
		.path = "/images/a.qcow2",
		.format = "qcow2",
		.pool = "images",
		.volume = "a.qcow2",
		.capacity = INT64_C(10) << 30,
		.allocation = 1 << 20});
	disk = move_add_disk(move,
	    &(struct move_disk){.target = "vdb",
		.path = "/images/b",
		.dest_path = "/other/b",
		.backing = "/base",
		.backing_format = "raw",
		.layer = "/images/b.drover-1",
		.layer_volume = "b.drover-1",
		.layer_dest_path = "/other/b.drover-1",
		.layer_created = true});
	ck_assert_ptr_eq(disk, &move->disks[1]);
	disk->created = disk->replace = true;
	move_add_eject(move, "sda");
	move->incremental = move->was_running = move->force_off = true;
	move->shutdown_ms = 120000;
	move->repeat_ms = 20000;
	move->step = MOVE_STEP_COPY_REST;
	move->steps_done = 1U << MOVE_STEP_PREPARE | 1U << MOVE_STEP_COPY;
	move->steps_begun = move->steps_done | 1U << MOVE_STEP_COPY_REST;
	move->back = move->cut_off = move->owner_ended = true;
	move->asks = 3;
	move->reboots = 1;
	move->suspended = true;
	json = move_save(move);
	m = move_load(json, NULL);
	ck_assert_ptr_nonnull(m);
	again = move_save(m);
	ck_assert(json_equal(json, again));
	ck_assert_int_eq(m->strategy, MOVE_RESTART);
	ck_assert_uint_eq(m->disk_count, 2);
	ck_assert_int_eq(m->disks[0].capacity, INT64_C(10) << 30);
	ck_assert_ptr_null(m->disks[0].dest_path);
	ck_assert_str_eq(m->disks[1].layer_dest_path, "/other/b.drover-1");
	ck_assert(m->disks[1].created && !m->disks[0].created);
	ck_assert_str_eq(m->ejects[0], "sda");
	ck_assert_uint_eq(m->steps_begun, move->steps_begun);
	ck_assert_int_eq(m->asks, 3);
	json_array_append_new(
	    json_object_get(json, "steps_done"), json_string("dance"));
	ck_assert_ptr_null(move_load(json, NULL));
	json_decref(json);
	json_decref(again);
	move_free(m);
}
END_TEST

START_TEST(names_are_told_apart)
{
	for (int s = 0; s < MOVE_STEP_COUNT; s++) {
		for (int t = 0; t < s; t++)
			ck_assert_str_ne(move_step_name((enum move_step)s),
			    move_step_name((enum move_step)t));
	}
	ck_assert_str_eq(move_strategy_name(MOVE_LIVE_COPY), "live-copy");
	ck_assert(move_step_is_at_source(MOVE_STEP_COPY_REST));
	ck_assert(move_step_is_at_source(MOVE_STEP_START_SOURCE));
	ck_assert(!move_step_is_at_source(MOVE_STEP_START));
	ck_assert(!move_step_is_at_source(MOVE_STEP_CLEAN));
}
END_TEST

START_TEST(a_malformed_journal_is_refused)
{
	static const char *const keys[] = {"uuid", "name", "from", "to",
	    "strict", "persistent", "autostart", "reason_before",
	    "max_downtime_ms", "bandwidth", "timeout_ms", "state", "perform_ok",
	    "abort_asked", "timed_out", "repaired", "took_back",
	    "source_destroyed", "memory", "error"};
	/* Not in journals of live moves over shared storage only. */
	static const char *const later[] = {"strategy", "disks", "ejects",
	    "incremental", "unsafe_ok", "auto_converge", "postcopy",
	    "was_running", "shutdown_ms", "repeat_ms", "force_off", "step",
	    "steps_done", "steps_begun", "back", "cut_off", "owner_ended",
	    "asks", "reboots", "suspended", "perform_begun", "starts",
	    "verified", "remark", "target_ran"};
	json_t *good = move_save(move), *bad;
	struct err err = {0};
	struct move *m;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		ck_assert_msg(
		    json_object_get(good, keys[i]) != NULL, "%s", keys[i]);
		bad = json_copy(good);
		json_object_del(bad, keys[i]);
		ck_assert_ptr_null(move_load(bad, &err));
		ck_assert_int_eq(err.code, ERR_INVALID);
		json_object_set_new(bad, keys[i], json_array());
		ck_assert_ptr_null(move_load(bad, &err));
		json_decref(bad);
	}
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		ck_assert_msg(
		    json_object_get(good, later[i]) != NULL, "%s", later[i]);
		bad = json_copy(good);
		json_object_del(bad, later[i]);
		m = move_load(bad, &err);
		ck_assert_msg(m != NULL, "%s: %s", later[i], err.msg);
		move_free(m);
		json_object_set_new(bad, later[i], json_real(1.5));
		ck_assert_ptr_null(move_load(bad, &err));
		ck_assert_int_eq(err.code, ERR_INVALID);
		json_decref(bad);
	}
	ck_assert_uint_eq(json_object_size(good),
	    sizeof(keys) / sizeof(keys[0]) + sizeof(later) / sizeof(later[0]));
	json_object_set_new(good, "state", json_string("flying"));
	ck_assert_ptr_null(move_load(good, &err));
	json_object_set_new(good, "state", json_string("new"));
	json_object_set_new(good, "reason_before", json_integer(99));
	ck_assert_ptr_null(move_load(good, &err));
	json_object_set_new(good, "reason_before", json_integer(-1));
	ck_assert_ptr_null(move_load(good, &err));
	json_decref(good);
	bad = json_string("move");
	ck_assert_ptr_null(move_load(bad, &err));
	json_decref(bad);
	ck_assert_ptr_null(move_load(NULL, &err));
}
END_TEST

/* ---- history ---- */

START_TEST(failures_are_held_back_longer_each_time)
{
	struct history *h = history_new();
	const struct evaluate_hold *holds;
	const struct snap_attempt *attempts;
	int64_t waits[] = {
	    5000, 10000, 20000, 40000, 80000, 160000, 300000, 300000};
	size_t n;

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		history_add(h, UUID, "kvm1", i % 2 == 0 ? "kvm2" : "kvm3", "no",
		    false, 5000, now);
		ck_assert_int_eq(history_attempts(h, UUID), (int)i + 1);
		(void)history_holds(h, mono_add(now, waits[i]), &n);
		ck_assert_uint_eq(n, 0);
		holds = history_holds(h, mono_add(now, waits[i] - 1), &n);
		ck_assert_uint_eq(n, 1);
		ck_assert_str_eq(holds[0].uuid, UUID);
		now = mono_add(now, waits[i]);
	}
	attempts = history_snapshot(h, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(attempts[0].failures, 4);
	ck_assert_int_eq(attempts[1].failures, 4);
	history_free(h);
}
END_TEST

START_TEST(the_target_that_failed_last_comes_last)
{
	struct history *h = history_new();
	const struct snap_attempt *attempts;
	size_t n;

	history_add(h, UUID, "kvm1", "kvm2", "first", false, 0, now);
	history_add(h, UUID, "kvm1", "kvm3", "second", false, 0, now);
	history_add(h, UUID, "kvm1", "kvm2", "third", false, 0, now);
	attempts = history_snapshot(h, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(attempts[1].to, "kvm2");
	ck_assert_str_eq(attempts[1].why, "third");
	history_free(h);
}
END_TEST

START_TEST(history_is_forgotten_by_guest_and_by_source)
{
	struct history *h = history_new();
	size_t n;

	history_add(h, "a", "kvm1", "kvm2", "no", true, 0, now);
	history_add(h, "b", "kvm1", "kvm2", "no", false, 0, now);
	history_add(h, "c", "kvm3", "kvm2", "no", false, 0, now);
	ck_assert_int_eq(history_attempts(h, "a"), 1);
	ck_assert_int_ge(history_snapshot(h, &n)[0].failures, HISTORY_HOPELESS);
	history_forget_guest(h, "a");
	(void)history_snapshot(h, &n);
	ck_assert_uint_eq(n, 2);
	history_forget_source(h, "kvm1");
	(void)history_snapshot(h, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(history_attempts(h, "b"), 0);
	history_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recover");
	TCase *tc = add_case(suite, "journal");

	tcase_add_test(tc, without_a_journal_no_migration_begins);
	tcase_add_test(tc, without_a_journal_no_repair_is_made);
	tcase_add_test(tc, a_result_that_cannot_be_written_only_delays);
	tcase_add_test(tc, a_destruction_that_was_not_written_did_not_happen);
	tcase_add_test(
	    tc, a_destruction_whose_result_was_not_written_did_happen);
	tcase_add_test(tc, a_note_that_cannot_be_written_is_written_later);
	tcase_add_test(tc, every_change_stands_behind_its_journal_entry);
	tc = add_case(suite, "restart");
	tcase_add_test(tc, a_restart_asks_both_hosts_whatever_the_state);
	tcase_add_test(tc, a_move_in_flight_is_followed_after_a_restart);
	tcase_add_test(tc, after_a_restart_stayed_must_be_seen_twice);
	tcase_add_test(tc, a_strict_move_is_finished_after_a_restart);
	tcase_add_test(tc, a_source_that_we_destroyed_is_known_after_a_restart);
	tcase_add_test(
	    tc, a_source_that_had_taken_back_is_known_after_a_restart);
	tcase_add_test(tc, saving_and_loading_keeps_all_that_matters);
	tcase_add_test(tc, saving_and_loading_keeps_disks_and_steps);
	tcase_add_test(tc, names_are_told_apart);
	tcase_add_test(tc, a_malformed_journal_is_refused);
	tc = add_case(suite, "history");
	tcase_add_test(tc, failures_are_held_back_longer_each_time);
	tcase_add_test(tc, the_target_that_failed_last_comes_last);
	tcase_add_test(tc, history_is_forgotten_by_guest_and_by_source);
	return run_suite(suite);
}
