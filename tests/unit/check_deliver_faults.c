/*
 * Deliveries when something is wrong: a receiver that hangs or fails, a
 * database that cannot be written, kill -9, a configuration that changes.
 */
#include "deliver_fixture.h"

/* ---- several at once ---- */

static int
answer_by_turns(int n, const struct seen *s)
{
	(void)s;
	return n % 3 == 1 ? 503 : n % 7 == 3 ? 500 : 200;
}

START_TEST(every_event_is_accepted_exactly_once)
{
	const int events = 60;
	char id[16];
	int accepted[60] = {0};

	answer = answer_by_turns;
	start_deliver();
	for (int i = 0; i < events; i++) {
		snprintf(id, sizeof(id), "%d", i);
		announce(id, "ops");
	}
	WAIT(delivered, events);
	WAIT(idle, 0);
	for (int i = 0; i < seen_count; i++) {
		if (seen[i].code == 200)
			accepted[atoi(seen[i].id)]++;
	}
	for (int i = 0; i < events; i++)
		ck_assert_int_eq(accepted[i], 1);
}
END_TEST

/* "ops" hangs: its ids start with 'h'. */
static int
answer_hang_h(int n, const struct seen *s)
{
	(void)n;
	return s->id[0] == 'h' ? HANG : 200;
}

START_TEST(a_receiver_that_hangs_holds_no_other_up)
{
	char id[16];

	answer = answer_hang_h;
	settings.receiver_count = 2;
	start_deliver();
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		announce(id, "ops");
		snprintf(id, sizeof(id), "c%d", i);
		announce(id, "chat");
	}
	WAIT(delivered, 20);
	ck_assert_int_eq(hanging_count, DELIVER_PER_RECEIVER);
	ck_assert(deliver_busy(deliver));
}
END_TEST

static int
answer_fail_h(int n, const struct seen *s)
{
	(void)n;
	return s->id[0] == 'h' ? 500 : 200;
}

START_TEST(a_failing_receiver_is_probed_not_flooded)
{
	char id[16];
	int fails = 0;

	answer = answer_fail_h;
	settings.receiver_count = 2;
	start_deliver();
	deliver_set_backoff(deliver, 24 * 3600 * 1000, 24 * 3600 * 1000);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		announce(id, "ops");
		snprintf(id, sizeof(id), "c%d", i);
		announce(id, "chat");
	}
	WAIT(delivered, 100);
	for (int i = 0; i < seen_count; i++)
		fails += seen[i].code == 500;
	/* Only those that were under way when it became known. */
	ck_assert_int_le(fails, DELIVER_PER_RECEIVER);
}
END_TEST

/* ---- faults of ours ---- */

START_TEST(what_was_accepted_is_not_sent_again_while_it_cannot_be_recorded)
{
	char path[128];
	sqlite3 *other;

	start_deliver();
	snprintf(path, sizeof(path), "%s/drover.db", state);
	announce("id-1", "ops");
	announce("id-2", "ops");
	sqlite3_busy_timeout(store->db, 1);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	WAIT(saw, 2);
	/* Several more tries to record it. */
	for (int i = 0; i < 20; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(rows(STORE_DELIVERED), 0);
	ck_assert(deliver_busy(deliver));
	ck_assert_int_eq(
	    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	WAIT(delivered, 2);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 2);
	/* Said once, not once per try. */
	ck_assert_int_eq(count_in_log("cannot be recorded"), 1);
}
END_TEST

START_TEST(requests_in_flight_at_the_end_stay_pending)
{
	answer = answer_hang_h;
	start_deliver();
	announce("h1", "ops");
	WAIT(saw, 1);
	deliver_free(deliver);
	deliver = NULL;
	ck_assert_int_eq(rows(STORE_PENDING), 1);
	answer = NULL;
	start_deliver();
	WAIT(delivered, 1);
	ck_assert_str_eq(seen[1].id, "h1");
}
END_TEST

/* The child sends, is killed before the answer; its successor sends again. */
START_TEST(kill_9_before_the_answer_repeats_under_the_same_id)
{
	int status_word;
	pid_t pid;

	store_close(store);
	answer = answer_hang_once;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		loop = loop_new();
		store = open_store();
		start_deliver();
		announce("id-1", "ops");
		loop_run(loop);
		_exit(1);
	}
	WAIT(saw, 1);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status_word, 0), pid);
	store = open_store();
	start_deliver();
	WAIT(delivered, 1);
	ck_assert_int_eq(seen_count, 2);
	ck_assert_str_eq(seen[0].id, "id-1");
	ck_assert_str_eq(seen[1].id, "id-1");
}
END_TEST

/* ---- configuration ---- */

START_TEST(events_of_a_receiver_that_was_removed_wait_for_it)
{
	settings.receiver_count = 1;
	announce("id-1", "chat");
	start_deliver();
	ck_assert_int_eq(count_in_log("1 events wait for receiver chat"), 1);
	announce("id-2", "ops");
	WAIT(delivered, 1);
	ck_assert(!deliver_busy(deliver));
	settings.receiver_count = 2;
	deliver_configure(deliver, &settings);
	WAIT(delivered, 2);
	ck_assert_str_eq(seen[1].id, "id-1");
}
END_TEST

START_TEST(a_receiver_removed_in_flight_still_gets_its_verdict)
{
	answer = answer_hang_h;
	start_deliver();
	announce("h1", "ops");
	WAIT(saw, 1);
	settings.receiver_count = 0;
	deliver_configure(deliver, &settings);
	evhttp_send_reply(hanging[0], 200, "OK", NULL);
	WAIT(delivered, 1);
	WAIT(idle, 0);
	ck_assert_int_eq(seen_count, 1);
}
END_TEST

START_TEST(nothing_is_sent_unsigned_for_want_of_the_secret)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/secret", dir);
	receivers[0].secret_file = path;
	start_deliver();
	announce("id-1", "ops");
	for (int i = 0; i < 10; i++) {
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE);
	}
	ck_assert_int_eq(seen_count, 0);
	ck_assert_ptr_nonnull(strstr(status("last_error"), "secret"));
	ck_assert_int_eq(count_in_log("nothing can be sent"), 1);
	f = fopen(path, "w");
	fchmod(fileno(f), 0600);
	fputs(SECRET "\n", f);
	fclose(f);
	WAIT(delivered, 1);
	ck_assert_int_eq(strncmp(seen[0].signature, "v1,", 3), 0);
}
END_TEST

static void
write_secret(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fchmod(fileno(f), 0600);
	fprintf(f, "%s\n", text);
	fclose(f);
}

/* Signed with it? */
static bool
is_signed_with(const struct seen *s, const char *text)
{
	struct sign_secret secret;
	char expected[SIGN_SIZE];

	ck_assert_int_eq(sign_parse_secret(text, &secret, NULL), 0);
	ck_assert_int_eq(sign_message(&secret, s->id, s->timestamp, s->body,
			     strlen(s->body), expected, NULL),
	    0);
	return strcmp(s->signature, expected) == 0;
}

START_TEST(a_secret_may_be_replaced_in_place)
{
	static const char other[] =
	    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk=";
	char path[128];

	snprintf(path, sizeof(path), "%s/secret", dir);
	write_secret(path, SECRET);
	receivers[0].secret_file = path;
	start_deliver();
	deliver->reread_ms = 0;
	announce("id-1", "ops");
	WAIT(delivered, 1);
	ck_assert(is_signed_with(&seen[0], SECRET));
	write_secret(path, other);
	announce("id-2", "ops");
	WAIT(delivered, 2);
	ck_assert(is_signed_with(&seen[1], other));
	/* Gone for a moment: what it was is good enough. */
	unlink(path);
	announce("id-3", "ops");
	WAIT(delivered, 3);
	ck_assert(is_signed_with(&seen[2], other));
	ck_assert_int_ge(count_in_log("what it had before is used on"), 1);
	ck_assert_int_eq(
	    count_in_log("warn  notify: receiver ops: what it had"), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deliver_faults");
	TCase *tcase = tcase_create("deliver_faults");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tcase, setup_all, teardown_all);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, every_event_is_accepted_exactly_once);
	tcase_add_test(tcase, a_receiver_that_hangs_holds_no_other_up);
	tcase_add_test(tcase, a_failing_receiver_is_probed_not_flooded);
	tcase_add_test(tcase,
	    what_was_accepted_is_not_sent_again_while_it_cannot_be_recorded);
	tcase_add_test(tcase, requests_in_flight_at_the_end_stay_pending);
	tcase_add_test(
	    tcase, kill_9_before_the_answer_repeats_under_the_same_id);
	tcase_add_test(
	    tcase, events_of_a_receiver_that_was_removed_wait_for_it);
	tcase_add_test(
	    tcase, a_receiver_removed_in_flight_still_gets_its_verdict);
	tcase_add_test(tcase, nothing_is_sent_unsigned_for_want_of_the_secret);
	tcase_add_test(tcase, a_secret_may_be_replaced_in_place);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
