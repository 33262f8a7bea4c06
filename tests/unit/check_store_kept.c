/*
 * Rows that stand for things on hosts' disks, rows that remember how predictions
 * came out, and the hook that ends the process at a journal entry.
 */
#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"

static int64_t
add_move(struct store *store)
{
	struct store_move move = {.uuid = "u-1",
	    .name = "web1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .strategy = "restart",
	    .state = "new",
	    .attempt = 1};
	struct err err = {0};

	ck_assert_msg(store_add_move(store, &move, &err) == 0, "%s", err.msg);
	return move.id;
}

/* ---- an older file ---- */

START_TEST(a_database_of_version_1_keeps_its_moves_and_gets_the_new_tables)
{
	char path[128];
	sqlite3 *db;
	struct store *store;
	struct err err = {0};

	ck_assert_int_eq(mkdir(state, 0700), 0);
	snprintf(path, sizeof(path), "%s/drover.db", state);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(schema_prepare(db, path, schema_steps, 1, &err), 0);
	ck_assert_int_eq(
	    sqlite3_exec(db,
		"INSERT INTO moves (drain_id, uuid, name, source, target,"
		" strategy, rule, why, attempt, state, context, started,"
		" ended) VALUES (0, 'u-1', 'web1', 'kvm1', 'kvm2',"
		" 'live-shared', 'operator', '', 1, 'performing', '{}', 5, 0)",
		NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);

	store = open_store();
	ck_assert_int_eq(
	    query_sql(store, "PRAGMA user_version"), schema_step_count);
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(*) FROM moves WHERE name = 'web1'"),
	    1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT (SELECT COUNT(*) FROM leftovers) +"
			     " (SELECT COUNT(*) FROM markers) +"
			     " (SELECT COUNT(*) FROM predictions)"),
	    0);
	store_close(store);
}
END_TEST

/* ---- leftovers ---- */

static void
copy_leftover(const struct store_leftover *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 512 - strlen(out),
	    "%" PRId64 " m%" PRId64 " %s %s %s %s/%s %s %" PRId64 "..%" PRId64
	    ";",
	    row->id, row->move_id, row->host, row->uuid, row->name, row->pool,
	    row->volume, row->path, row->since.ms, row->due.ms);
}

static int64_t
add_leftover(struct store *store, const char *volume, int64_t due)
{
	char path[64];
	struct store_leftover row = {.move_id = 7,
	    .host = "kvm1",
	    .uuid = "u-1",
	    .name = "web1",
	    .pool = "images",
	    .volume = volume,
	    .path = path,
	    .since = {100},
	    .due = {due}};
	struct err err = {0};

	snprintf(path, sizeof(path), "/images/%s", volume);
	ck_assert_msg(
	    store_add_leftover(store, &row, &err) == 0, "%s", err.msg);
	return row.id;
}

START_TEST(leftovers_come_back_in_the_order_in_which_they_are_due)
{
	struct store *store = open_store();
	char text[512] = "";
	struct err err;
	int64_t late = add_leftover(store, "b", 900);
	int64_t soon = add_leftover(store, "a", 500);

	store_close(store);
	store = open_store();
	ck_assert_int_eq(
	    store_each_leftover(store, copy_leftover, text, &err), 0);
	ck_assert_str_eq(text,
	    "2 m7 kvm1 u-1 web1 images/a /images/a 100..500;"
	    "1 m7 kvm1 u-1 web1 images/b /images/b 100..900;");
	ck_assert_int_eq(
	    store_defer_leftover(store, soon, (struct wall){1000}, &err), 0);
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_leftover(store, copy_leftover, text, &err), 0);
	ck_assert_str_eq(text,
	    "1 m7 kvm1 u-1 web1 images/b /images/b 100..900;"
	    "2 m7 kvm1 u-1 web1 images/a /images/a 100..1000;");
	ck_assert_int_eq(store_remove_leftover(store, late, &err), 0);
	ck_assert_int_eq(store_remove_leftover(store, late, &err), 0);
	ck_assert_int_eq(
	    store_defer_leftover(store, late, (struct wall){1}, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_leftover(store, copy_leftover, text, &err), 0);
	ck_assert_str_eq(
	    text, "2 m7 kvm1 u-1 web1 images/a /images/a 100..1000;");
	store_close(store);
}
END_TEST

START_TEST(an_image_is_a_leftover_once)
{
	struct store *store = open_store();
	int64_t old = add_leftover(store, "a", 500);
	int64_t new = add_leftover(store, "a", 900);

	ck_assert_int_ne(old, new);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM leftovers"), 1);
	ck_assert_int_eq(query_sql(store, "SELECT due FROM leftovers"), 900);
	store_close(store);
}
END_TEST

static void
remove_it(const struct store_leftover *row, void *arg)
{
	struct err err = {0};

	ck_assert_int_eq(store_remove_leftover(arg, row->id, &err), 0);
}

START_TEST(leftovers_may_be_removed_while_they_are_read)
{
	struct store *store = open_store();
	struct err err;

	add_leftover(store, "a", 1);
	add_leftover(store, "b", 2);
	add_leftover(store, "c", 3);
	ck_assert_int_eq(store_each_leftover(store, remove_it, store, &err), 0);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM leftovers"), 0);
	store_close(store);
}
END_TEST

/* ---- markers ---- */

static void
copy_marker(const struct store_marker *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%s/%s/%s %" PRId64 ";",
	    row->host, row->pool, row->volume, row->since.ms);
}

START_TEST(markers_are_known_until_they_are_seen_to_be_gone)
{
	struct store *store = open_store();
	struct store_marker row = {
	    .host = "kvm2", .pool = "images", .volume = "m-1", .since = {5}};
	char text[256] = "";
	struct err err;

	ck_assert_int_eq(store_put_marker(store, &row, &err), 0);
	row.since.ms = 6;
	ck_assert_int_eq(store_put_marker(store, &row, &err), 0);
	row.host = "kvm1";
	ck_assert_int_eq(store_put_marker(store, &row, &err), 0);
	store_close(store);
	store = open_store();
	ck_assert_int_eq(store_each_marker(store, copy_marker, text, &err), 0);
	ck_assert_str_eq(text, "kvm1/images/m-1 6;kvm2/images/m-1 6;");
	ck_assert_int_eq(
	    store_remove_marker(store, "kvm2", "images", "m-1", &err), 0);
	ck_assert_int_eq(
	    store_remove_marker(store, "kvm2", "images", "m-1", &err), 0);
	text[0] = '\0';
	ck_assert_int_eq(store_each_marker(store, copy_marker, text, &err), 0);
	ck_assert_str_eq(text, "kvm1/images/m-1 6;");
	store_close(store);
}
END_TEST

/* ---- predictions ---- */

static void
copy_prediction(const struct store_prediction *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out),
	    "%" PRId64 " %s %" PRId64 "/%" PRId64 " %" PRId64 "/%" PRId64
	    " @%" PRId64 ";",
	    row->move_id, row->strategy, row->predicted_ms,
	    row->predicted_downtime_ms, row->actual_ms, row->actual_downtime_ms,
	    row->at.ms);
}

START_TEST(predictions_are_told_newest_first_and_end_with_their_move)
{
	struct store *store = open_store();
	struct store_prediction row = {.move_id = add_move(store),
	    .strategy = "restart",
	    .predicted_ms = 10,
	    .predicted_downtime_ms = -1,
	    .actual_ms = 12,
	    .actual_downtime_ms = 3,
	    .at = {50}};
	char text[256] = "";
	struct err err;

	ck_assert_int_eq(store_add_prediction(store, &row, &err), 0);
	row.move_id = add_move(store);
	row.at.ms = 60;
	ck_assert_int_eq(store_add_prediction(store, &row, &err), 0);
	ck_assert_int_eq(
	    store_each_prediction(store, 10, copy_prediction, text, &err), 0);
	ck_assert_str_eq(
	    text, "2 restart 10/-1 12/3 @60;1 restart 10/-1 12/3 @50;");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_prediction(store, 1, copy_prediction, text, &err), 0);
	ck_assert_str_eq(text, "2 restart 10/-1 12/3 @60;");
	row.move_id = 99;
	ck_assert_int_eq(store_add_prediction(store, &row, &err), -1);
	run_sql(store, "DELETE FROM moves WHERE id = 2");
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(*) FROM predictions"), 1);
	store_close(store);
}
END_TEST

/* ---- the hook for tests of crashes ---- */

static void
write_journal(void)
{
	struct store *store = open_store();
	struct store_journal entry = {
	    .move_id = add_move(store), .kind = "note", .step = "step"};
	struct err err;

	/* One that is rolled back does not count. */
	ck_assert_int_eq(store_begin(store, &err), 0);
	ck_assert_int_eq(store_add_journal(store, &entry, &err), 0);
	store_rollback(store);
	for (int i = 0; i < 5; i++) {
		if (i % 2 == 0)
			ck_assert_int_eq(store_begin(store, &err), 0);
		ck_assert_int_eq(store_add_journal(store, &entry, &err), 0);
		if (i % 2 == 0)
			ck_assert_int_eq(store_commit(store, &err), 0);
	}
	store_close(store);
}

START_TEST(the_process_ends_after_the_entry_that_was_named_if_compiled_so)
{
	struct store *store;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setenv("DROVER_KILL_AT_JOURNAL", "3", 1);
		write_journal();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	store = open_store();
#ifdef DROVER_FAULTS
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM journal"), 3);
#else
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM journal"), 5);
#endif
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_kept");
	TCase *tc = tcase_create("kept");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    a_database_of_version_1_keeps_its_moves_and_gets_the_new_tables);
	tcase_add_test(
	    tc, leftovers_come_back_in_the_order_in_which_they_are_due);
	tcase_add_test(tc, an_image_is_a_leftover_once);
	tcase_add_test(tc, leftovers_may_be_removed_while_they_are_read);
	tcase_add_test(tc, markers_are_known_until_they_are_seen_to_be_gone);
	tcase_add_test(
	    tc, predictions_are_told_newest_first_and_end_with_their_move);
	tcase_add_test(
	    tc, the_process_ends_after_the_entry_that_was_named_if_compiled_so);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
