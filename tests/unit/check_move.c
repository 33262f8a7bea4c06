/*
 * The life of a move, step by step.  A test feeds events and compares what the
 * machine lists, written as words: "intent:perform perform timer:60000".
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/history.h"
#include "act/move.h"

#define ABSENT { .presence = RECONCILE_ABSENT }
#define UNKNOWN { .presence = RECONCILE_UNKNOWN }
#define IS(s, r) { .presence = RECONCILE_PRESENT, .state = DOMAIN_##s, \
	.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_NONE, \
	.persistent = true }
#define JOB(s, r) { .presence = RECONCILE_PRESENT, .state = DOMAIN_##s, \
	.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_ACTIVE, \
	.persistent = true }
#define UUID "aaaaaaaa-0000-0000-0000-000000000001"

static const struct reconcile_side nowhere = ABSENT, unknown = UNKNOWN,
    runs = IS(RUNNING, OTHER), migrated = IS(RUNNING, MIGRATED),
    canceled = IS(RUNNING, MIGRATION_CANCELED),
    arrived = IS(PAUSED, USER), stopped = IS(PAUSED, MIGRATION),
    copying = JOB(RUNNING, OTHER), incoming = JOB(PAUSED, MIGRATION),
    failed_there = IS(SHUTOFF, FAILED), gone = IS(SHUTOFF, MIGRATED),
    destroyed = IS(SHUTOFF, DESTROYED), shut_down = IS(SHUTOFF, SHUTDOWN),
    off_somehow = IS(SHUTOFF, OTHER);

static struct move *move;
static struct mono now;
static struct move_actions actions;
static char words[512];

static void
setup(void)
{
	move = move_new(UUID, "web1", "kvm1", "kvm2");
	move->persistent = true;
	move->timeout_ms = 60000;
	now = (struct mono){ 1000000 };
}

static void
teardown(void)
{
	move_free(move);
}

static void
add_word(const struct move_action *a)
{
	size_t n = strlen(words);
	char *at = words + n;
	size_t left = sizeof(words) - n;

	if (n > 0) {
		*at++ = ' ';
		left--;
	}
	switch (a->kind) {
	case MOVE_DO_JOURNAL:
		snprintf(at, left, "%s:%s", a->journal, a->step);
		break;
	case MOVE_DO_PERFORM:
		snprintf(at, left, "perform");
		break;
	case MOVE_DO_ABORT_JOB:
		snprintf(at, left, "abort");
		break;
	case MOVE_DO_OBSERVE:
		snprintf(at, left, "observe");
		break;
	case MOVE_DO_REPAIR:
		snprintf(at, left, "%s", reconcile_verdict_name(a->repair));
		break;
	case MOVE_DO_COLLECT:
		snprintf(at, left, "collect");
		break;
	case MOVE_DO_TIMER:
		snprintf(at, left, "timer:%d", (int)a->ms);
		break;
	case MOVE_DO_NOTE:
		snprintf(at, left, "note");
		break;
	case MOVE_DO_ALARM:
		snprintf(at, left, "alarm");
		break;
	case MOVE_DO_END:
		snprintf(at, left, "end:%s", move_outcome_name(move->outcome));
		break;
	}
}

static void
feed(const struct move_event *event)
{
	move_step(move, event, now, &actions);
	words[0] = '\0';
	for (size_t i = 0; i < actions.count; i++)
		add_word(&actions.items[i]);
}

static void
tell(enum move_event_kind kind)
{
	feed(&(struct move_event){ .kind = kind });
}

static void
tell_error(enum move_event_kind kind, enum err_code code, const char *msg)
{
	struct err err = { 0 };

	(void)err_set(&err, code, "%s", msg);
	feed(&(struct move_event){ .kind = kind, .err = &err });
}

static void
see(const struct reconcile_side *source, const struct reconcile_side *target)
{
	feed(&(struct move_event){ .kind = MOVE_EV_OBSERVED,
	    .source = *source, .target = *target });
}

#define expect(what) ck_assert_str_eq(words, what)

/* The same look a second time, for what is not done at the first. */
static void
see_twice(const struct reconcile_side *source,
    const struct reconcile_side *target)
{
	see(source, target);
	expect("observe");
	see(source, target);
}

static void
wait_ms(int64_t ms)
{
	now = mono_add(now, ms);
	tell(MOVE_EV_TIMER);
}

static void
begin(void)
{
	tell(MOVE_EV_BEGIN);
	expect("intent:perform perform timer:60000");
	ck_assert_int_eq(move->state, MOVE_PERFORMING);
}

static void
perform_fails(const char *why)
{
	begin();
	tell_error(MOVE_EV_PERFORMED, ERR_REFUSED, why);
	expect("observe");
}

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
	tell_error(MOVE_EV_PERFORMED, ERR_UNREACHABLE, "no answer to keepalive");
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
	ck_assert_str_eq(move->error, "resume-source failed: no; it began "
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
	ck_assert_str_eq(move->error, "it did not end within 60 s and was "
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
	const struct reconcile_side sides[] = { nowhere, runs, migrated,
	    canceled, arrived, stopped, incoming, failed_there, gone,
	    destroyed, shut_down, off_somehow };
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
			ck_assert_int_eq(actions.items[a - 1].kind,
			    MOVE_DO_JOURNAL);
			ck_assert_str_eq(actions.items[a - 1].journal,
			    "intent");
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
	struct err err = { 0 };
	struct move *again;

	ck_assert_ptr_nonnull(json);
	again = move_load(json, &err);
	ck_assert_msg(again != NULL, "%s", err.msg);
	json_decref(json);
	move_free(move);
	move = again;
	now = (struct mono){ 5 };
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

START_TEST(a_malformed_journal_is_refused)
{
	static const char *const keys[] = { "uuid", "name", "from", "to",
	    "strict", "persistent", "autostart", "reason_before",
	    "max_downtime_ms", "bandwidth", "timeout_ms", "state",
	    "perform_ok", "abort_asked", "timed_out", "repaired", "took_back",
	    "source_destroyed", "memory", "error" };
	json_t *good = move_save(move), *bad;
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		ck_assert_msg(json_object_get(good, keys[i]) != NULL, "%s",
		    keys[i]);
		bad = json_copy(good);
		json_object_del(bad, keys[i]);
		ck_assert_ptr_null(move_load(bad, &err));
		ck_assert_int_eq(err.code, ERR_INVALID);
		json_object_set_new(bad, keys[i], json_array());
		ck_assert_ptr_null(move_load(bad, &err));
		json_decref(bad);
	}
	ck_assert_uint_eq(json_object_size(good),
	    sizeof(keys) / sizeof(keys[0]));
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

/* ---- what comes at the wrong time ---- */

START_TEST(late_and_early_events_are_ignored)
{
	static const enum move_event_kind before[] = { MOVE_EV_PERFORMED,
	    MOVE_EV_REPAIRED, MOVE_EV_COLLECTED, MOVE_EV_TIMER,
	    MOVE_EV_HOST_NEWS };
	static const enum move_event_kind after[] = { MOVE_EV_BEGIN,
	    MOVE_EV_PERFORMED, MOVE_EV_REPAIRED, MOVE_EV_COLLECTED,
	    MOVE_EV_TIMER, MOVE_EV_HOST_NEWS, MOVE_EV_ABORT,
	    MOVE_EV_NOT_WRITTEN, MOVE_EV_RECOVERED };

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

/* ---- history ---- */

START_TEST(failures_are_held_back_longer_each_time)
{
	struct history *h = history_new();
	const struct evaluate_hold *holds;
	const struct snap_attempt *attempts;
	int64_t waits[] = { 5000, 10000, 20000, 40000, 80000, 160000, 300000,
	    300000 };
	size_t n;

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		history_add(h, UUID, "kvm1", i % 2 == 0 ? "kvm2" : "kvm3",
		    "no", false, 5000, now);
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
	ck_assert_int_ge(history_snapshot(h, &n)[0].failures,
	    HISTORY_HOPELESS);
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

static TCase *
add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static void
add_journal_tests(Suite *suite)
{
	TCase *tc = add_case(suite, "journal");

	tcase_add_test(tc, without_a_journal_no_migration_begins);
	tcase_add_test(tc, without_a_journal_no_repair_is_made);
	tcase_add_test(tc, a_result_that_cannot_be_written_only_delays);
	tcase_add_test(tc, a_note_that_cannot_be_written_is_written_later);
	tcase_add_test(tc, every_change_stands_behind_its_journal_entry);
	tc = add_case(suite, "restart");
	tcase_add_test(tc, a_restart_asks_both_hosts_whatever_the_state);
	tcase_add_test(tc, a_move_in_flight_is_followed_after_a_restart);
	tcase_add_test(tc, after_a_restart_stayed_must_be_seen_twice);
	tcase_add_test(tc, a_strict_move_is_finished_after_a_restart);
	tcase_add_test(tc, a_source_that_we_destroyed_is_known_after_a_restart);
	tcase_add_test(tc,
	    a_source_that_had_taken_back_is_known_after_a_restart);
	tcase_add_test(tc, saving_and_loading_keeps_all_that_matters);
	tcase_add_test(tc, a_malformed_journal_is_refused);
	tcase_add_test(tc, late_and_early_events_are_ignored);
	tc = add_case(suite, "history");
	tcase_add_test(tc, failures_are_held_back_longer_each_time);
	tcase_add_test(tc, the_target_that_failed_last_comes_last);
	tcase_add_test(tc, history_is_forgotten_by_guest_and_by_source);
}

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("move");
	TCase *tc = add_case(suite, "well");

	tcase_add_test(tc, a_fast_move_goes_well);
	tcase_add_test(tc,
	    a_strict_move_resumes_the_target_once_the_source_is_gone);
	tcase_add_test(tc, autostart_is_carried_over);
	tcase_add_test(tc, a_move_whose_autostart_fails_is_still_a_good_one);
	tcase_add_test(tc,
	    a_guest_that_changes_while_autostart_is_set_keeps_it);
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
	tcase_add_test(tc,
	    a_source_that_was_not_destroyed_is_not_taken_for_destroyed);
	tc = add_case(suite, "time");
	tcase_add_test(tc, an_abort_is_passed_on_and_named);
	tcase_add_test(tc, an_abort_that_comes_too_late_changes_nothing);
	tcase_add_test(tc,
	    an_abort_between_calls_takes_effect_when_it_runs_again);
	tcase_add_test(tc, a_move_that_takes_too_long_is_given_up);
	tcase_add_test(tc, a_move_without_a_limit_has_no_timer);
	tcase_add_test(tc, a_followed_move_has_a_limit_too);
	add_journal_tests(suite);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
