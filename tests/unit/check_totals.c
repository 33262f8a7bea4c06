/*
 * Totals of moves: they count each end once, whoever writes it, and go on when
 * the moves themselves are forgotten; a state directory from before has them
 * filled in.
 */
#include <inttypes.h>
#include <sys/stat.h>

#include "record/private.h"
#include "store_fixture.h"

static int64_t
start_move(struct store *store, const char *strategy)
{
	struct store_move move = {.uuid = "u",
	    .name = "web1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .strategy = strategy,
	    .rule = "operator",
	    .why = "asked",
	    .attempt = 1,
	    .state = "new",
	    .started = {1}};
	struct err err = {0};

	ck_assert_msg(store_add_move(store, &move, &err) == 0, "%s", err.msg);
	return move.id;
}

static void
end_move(struct store *store, int64_t id, const char *strategy,
    const char *outcome, const char *result)
{
	struct store_move move = {.id = id,
	    .uuid = "u",
	    .name = "web1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .strategy = strategy,
	    .rule = "operator",
	    .why = "asked",
	    .attempt = 1,
	    .state = "ended",
	    .outcome = outcome,
	    .result = result,
	    .started = {1},
	    .ended = {2}};
	struct err err = {0};

	ck_assert_msg(
	    store_update_move(store, &move, &err) == 0, "%s", err.msg);
}

static void
add_text(const struct store_total *t, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 512 - strlen(out),
	    "%s %s %" PRId64 " %" PRId64 ";", t->strategy, t->outcome, t->moves,
	    t->bytes);
}

static void
expect_totals(struct store *store, const char *want)
{
	struct err err = {0};
	char text[512] = "";

	ck_assert_int_eq(store_each_total(store, add_text, text, &err), 0);
	ck_assert_str_eq(text, want);
}

START_TEST(each_end_is_counted_once)
{
	struct store *store = open_store();
	int64_t a = start_move(store, "live-copy");
	int64_t b = start_move(store, "live-copy");
	int64_t c = start_move(store, "restart");

	expect_totals(store, "");
	end_move(store, a, "live-copy", NULL, NULL); /* goes on */
	expect_totals(store, "");
	end_move(store, a, "live-copy", "completed", "{\"bytes\":1000}");
	end_move(store, a, "live-copy", "completed", "{\"bytes\":1000}");
	end_move(store, b, "live-copy", "completed", "{\"bytes\":24}");
	end_move(store, c, "restart", "rolled-back", NULL);
	expect_totals(
	    store, "live-copy completed 2 1024;restart rolled-back 1 0;");
	store_close(store);
	store = open_store();
	expect_totals(
	    store, "live-copy completed 2 1024;restart rolled-back 1 0;");
	store_close(store);
}
END_TEST

START_TEST(figures_that_cannot_be_read_do_not_keep_a_move_from_ending)
{
	struct store *store = open_store();

	end_move(store, start_move(store, "restart"), "restart", "completed",
	    "{broken");
	end_move(store, start_move(store, "restart"), "restart", "completed",
	    "{\"bytes\":\"many\"}");
	end_move(store, start_move(store, "restart"), "restart", "completed",
	    "{\"bytes\":null}");
	expect_totals(store, "restart completed 3 0;");
	store_close(store);
}
END_TEST

START_TEST(totals_outlive_the_moves)
{
	struct store *store = open_store();

	end_move(store, start_move(store, "restart"), "restart", "completed",
	    "{\"bytes\":7}");
	run_sql(store, "DELETE FROM moves");
	expect_totals(store, "restart completed 1 7;");
	store_close(store);
}
END_TEST

START_TEST(what_was_rolled_back_is_not_counted)
{
	struct store *store = open_store();
	int64_t id = start_move(store, "restart");
	struct err err = {0};

	ck_assert_int_eq(store_begin(store, &err), 0);
	end_move(store, id, "restart", "completed", NULL);
	store_rollback(store);
	expect_totals(store, "");
	store_close(store);
}
END_TEST

START_TEST(an_older_history_is_counted_once_when_it_is_brought_up_to_date)
{
	char path[128];
	sqlite3 *db;
	struct store *store;
	struct err err = {0};

	ck_assert_int_eq(mkdir(state, 0700), 0);
	snprintf(path, sizeof(path), "%s/drover.db", state);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(schema_prepare(db, path, schema_steps, 2, &err), 0);
	ck_assert_int_eq(
	    sqlite3_exec(db,
		"INSERT INTO moves (drain_id, uuid, name, source, target,"
		" strategy, rule, why, attempt, state, outcome, result,"
		" started, ended) VALUES"
		" (0, 'u', 'a', 'kvm1', 'kvm2', 'live-shared', 'operator', '',"
		" 1, 'ended', 'completed', '{\"bytes\":30}', 5, 6),"
		" (0, 'u', 'a', 'kvm1', 'kvm2', 'live-shared', 'operator', '',"
		" 1, 'ended', 'completed', '{', 5, 6),"
		" (0, 'u', 'a', 'kvm1', 'kvm2', 'live-shared', 'operator', '',"
		" 1, 'performing', NULL, NULL, 5, 0)",
		NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	store = open_store();
	expect_totals(store, "live-shared completed 2 30;");
	end_move(store, 3, "live-shared", "aborted", NULL);
	expect_totals(
	    store, "live-shared aborted 1 0;live-shared completed 2 30;");
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("totals");
	TCase *tcase = tcase_create("totals");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_end_is_counted_once);
	tcase_add_test(
	    tcase, figures_that_cannot_be_read_do_not_keep_a_move_from_ending);
	tcase_add_test(tcase, totals_outlive_the_moves);
	tcase_add_test(tcase, what_was_rolled_back_is_not_counted);
	tcase_add_test(tcase,
	    an_older_history_is_counted_once_when_it_is_brought_up_to_date);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
