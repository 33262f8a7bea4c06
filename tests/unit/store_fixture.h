#ifndef DROVER_TESTS_STORE_FIXTURE_H
#define DROVER_TESTS_STORE_FIXTURE_H

/* A state directory per test, and looking into the database behind the store's
 * back.  Included once per test program. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/private.h"

static char dir[64];   /* a scratch directory per test */
static char state[96]; /* state_dir inside it; does not exist */

static inline void
setup(void)
{
	strcpy(dir, "/tmp/check_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(state, sizeof(state), "%s/state", dir);
}

static inline void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline struct store *
open_store(void)
{
	struct err err = {0};
	struct store *store = store_open(state, &err);

	ck_assert_msg(store != NULL, "%s", err.msg);
	return store;
}

static inline void
run_sql(struct store *store, const char *sql)
{
	ck_assert_int_eq(
	    sqlite3_exec(store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static inline int64_t
query_sql(struct store *store, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value;

	ck_assert_int_eq(
	    sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static inline int64_t
add_event(struct store *store, const char *id, const char *type)
{
	struct store_event event = {
	    .id = id, .type = type, .at = {1000}, .body = "{}"};
	struct err err = {0};

	ck_assert_msg(store_add_event(store, &event, &err) == 0, "%s", err.msg);
	return event.seq;
}

static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
