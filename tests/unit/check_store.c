/*
 * The store keeps what it said it keeps: across closing, across kill -9 in the
 * middle of a transaction, across a full disk; and it never touches a file
 * that is not its own.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"

static int64_t
add_move(struct store *store, const char *name)
{
	struct store_move move = {.uuid = "u-1",
	    .name = name,
	    .from = "kvm1",
	    .to = "kvm2",
	    .strategy = "live-shared",
	    .rule = "operator",
	    .why = "asked to",
	    .attempt = 1,
	    .state = "performing",
	    .context = "{\"n\":1}",
	    .started = {5}};
	struct err err = {0};

	ck_assert_msg(store_add_move(store, &move, &err) == 0, "%s", err.msg);
	return move.id;
}

/* ---- opening ---- */

START_TEST(a_missing_state_dir_is_made_for_its_owner_alone)
{
	struct store *store = open_store();
	struct stat st;
	char path[128];

	ck_assert_int_eq(stat(state, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/drover.db", state);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/drover.db-wal", state);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	store_close(store);
}
END_TEST

START_TEST(a_state_dir_that_cannot_be_made_says_what_to_do)
{
	struct err err;

	snprintf(state, sizeof(state), "%s/no/state", dir);
	ck_assert_ptr_null(store_open(state, &err));
	ck_assert_int_eq(err.code, ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.msg, state));
	ck_assert_ptr_nonnull(strstr(err.msg, "create it"));
}
END_TEST

START_TEST(a_file_in_place_of_the_state_dir_is_refused)
{
	struct err err;
	FILE *f = fopen(state, "w");

	fclose(f);
	ck_assert_ptr_null(store_open(state, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "not a directory"));
}
END_TEST

START_TEST(a_second_daemon_on_the_same_state_is_refused)
{
	struct store *store = open_store();
	struct err err;
	char pid[32];

	ck_assert_ptr_null(store_open(state, &err));
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	ck_assert_msg(strstr(err.msg, pid) != NULL, "%s", err.msg);
	/* The refusal changed nothing for the first. */
	add_move(store, "web1");
	store_close(store);
	store_close(open_store());
}
END_TEST

static void
write_file(const char *name, const char *bytes, size_t len)
{
	char path[128];
	FILE *f;

	ck_assert(mkdir(state, 0700) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s", state, name);
	f = fopen(path, "w");
	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static char *
read_database(size_t *len)
{
	char path[128], *bytes;
	FILE *f;

	snprintf(path, sizeof(path), "%s/drover.db", state);
	f = fopen(path, "r");
	bytes = malloc(1 << 20);
	*len = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

/* Opening fails with `words`, and the file is what it was. */
static void
assert_refused(enum err_code code, const char *words)
{
	size_t before_len, after_len;
	char *before = read_database(&before_len), *after;
	struct err err = {0};

	ck_assert_ptr_null(store_open(state, &err));
	ck_assert_msg(strstr(err.msg, words) != NULL, "%s", err.msg);
	ck_assert_int_eq(err.code, code);
	after = read_database(&after_len);
	ck_assert_uint_eq(before_len, after_len);
	ck_assert_mem_eq(before, after, before_len);
	free(before);
	free(after);
}

START_TEST(what_is_not_a_database_is_refused_and_left_alone)
{
	char junk[8192];

	memset(junk, 'x', sizeof(junk));
	write_file("drover.db", junk, sizeof(junk));
	assert_refused(ERR_IO, "damaged or not a database");
}
END_TEST

START_TEST(the_database_of_another_program_is_refused_and_left_alone)
{
	char path[128];
	sqlite3 *db;

	write_file("drover.db", "", 0);
	snprintf(path, sizeof(path), "%s/drover.db", state);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
			     "CREATE TABLE moves (id);"
			     "PRAGMA user_version=1",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_refused(ERR_INVALID, "another program");
}
END_TEST

START_TEST(a_damaged_database_is_refused_and_left_alone)
{
	struct store *store = open_store();
	char path[128], junk[4096];
	int fd;

	for (int i = 0; i < 300; i++)
		add_move(store, "web1");
	store_close(store);
	snprintf(path, sizeof(path), "%s/drover.db", state);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	memset(junk, 0x5a, sizeof(junk));
	for (off_t page = 3; page < 20; page++)
		ck_assert_int_eq(
		    pwrite(fd, junk, sizeof(junk), page * 4096), sizeof(junk));
	close(fd);
	assert_refused(ERR_IO, "damaged");
}
END_TEST

START_TEST(a_database_of_a_newer_version_is_refused_and_left_alone)
{
	struct store *store = open_store();

	run_sql(store, "PRAGMA user_version=999");
	store_close(store);
	assert_refused(ERR_INVALID, "newer");
}
END_TEST

START_TEST(an_older_database_is_brought_up_to_date_all_or_nothing)
{
	struct store *store = open_store();
	const char *good[32], *bad[32];
	int now = schema_step_count;
	struct err err;

	ck_assert_int_lt(now, 32);
	for (int i = 0; i < now; i++)
		good[i] = bad[i] = schema_steps[i];
	good[now] = "ALTER TABLE flags ADD COLUMN extra TEXT";
	bad[now] =
	    "ALTER TABLE flags ADD COLUMN more TEXT; CREATE TABLE flags (x)";
	add_move(store, "web1");
	ck_assert_int_eq(
	    schema_prepare(store->db, store->path, bad, now + 1, &err), -1);
	ck_assert_int_eq(query_sql(store, "PRAGMA user_version"), now);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM"
			     " pragma_table_info('flags') WHERE name = 'more'"),
	    0);
	ck_assert_int_eq(
	    schema_prepare(store->db, store->path, good, now + 1, &err), 0);
	ck_assert_int_eq(query_sql(store, "PRAGMA user_version"), now + 1);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM moves"), 1);
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(*) FROM"
		" pragma_table_info('flags') WHERE name = 'extra'"),
	    1);
	store_close(store);
}
END_TEST

/* ---- flags, drains, moves ---- */

static void
copy_flag(const struct store_flag *flag, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out),
	    "%s %d%d %s/%s/%s %" PRId64 ";", flag->host, flag->maintenance,
	    flag->cordoned, flag->source, flag->by,
	    flag->reason != NULL ? flag->reason : "-", flag->since.ms);
}

START_TEST(flags_are_replaced_in_place_and_survive)
{
	struct store *store = open_store();
	struct store_flag flag = {.host = "kvm2",
	    .maintenance = true,
	    .cordoned = true,
	    .source = "operator",
	    .by = "uid 0",
	    .reason = "memory",
	    .since = {42}};
	struct err err;
	char text[256] = "";

	ck_assert_int_eq(store_put_flag(store, &flag, &err), 0);
	flag = (struct store_flag){.host = "kvm1",
	    .cordoned = true,
	    .source = "api",
	    .by = "uid 7",
	    .since = {43}};
	ck_assert_int_eq(store_put_flag(store, &flag, &err), 0);
	flag.source = "file";
	ck_assert_int_eq(store_put_flag(store, &flag, &err), 0);
	store_close(store);
	store = open_store();
	ck_assert_int_eq(store_each_flag(store, copy_flag, text, &err), 0);
	ck_assert_str_eq(text,
	    "kvm1 01 file/uid 7/- 43;"
	    "kvm2 11 operator/uid 0/memory 42;");
	flag.cordoned = false;
	ck_assert_int_eq(store_put_flag(store, &flag, &err), 0);
	text[0] = '\0';
	ck_assert_int_eq(store_each_flag(store, copy_flag, text, &err), 0);
	ck_assert_str_eq(text, "kvm2 11 operator/uid 0/memory 42;");
	store_close(store);
}
END_TEST

static void
copy_drain(const struct store_drain *d, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out),
	    "%" PRId64 " %s %d %d/%d/%d p%d %s %s%s%s;", d->id, d->host,
	    (int)d->state, d->moved, d->failed, d->blocked, d->parallel,
	    d->only_to != NULL ? d->only_to : "-",
	    d->detail != NULL ? d->detail : "-", d->force_off ? " force" : "",
	    d->include_stopped ? " stopped" : "");
}

START_TEST(drains_are_listed_newest_first)
{
	struct store *store = open_store();
	struct store_drain drain = {.host = "kvm1",
	    .state = STORE_DRAIN_RUNNING,
	    .started = {1},
	    .parallel = -1,
	    .by = "uid 0"};
	struct err err;
	char text[256] = "";

	ck_assert_int_eq(store_add_drain(store, &drain, &err), 0);
	ck_assert_int_eq(drain.id, 1);
	drain.state = STORE_DRAIN_BLOCKED;
	drain.moved = 3;
	drain.blocked = 1;
	drain.detail = "[\"web1\"]";
	drain.force_off = true;
	ck_assert_int_eq(store_update_drain(store, &drain, &err), 0);
	drain = (struct store_drain){.host = "kvm2",
	    .parallel = 4,
	    .only_to = "kvm3",
	    .by = "uid 0",
	    .include_stopped = true};
	ck_assert_int_eq(store_add_drain(store, &drain, &err), 0);
	ck_assert_int_eq(
	    store_each_drain(store, 10, copy_drain, text, &err), 0);
	ck_assert_str_eq(text,
	    "2 kvm2 0 0/0/0 p4 kvm3 - stopped;"
	    "1 kvm1 2 3/0/1 p-1 - [\"web1\"] force;");
	drain.id = 77;
	ck_assert_int_eq(store_update_drain(store, &drain, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	store_close(store);
}
END_TEST

START_TEST(one_drain_is_read_without_the_others)
{
	struct store *store = open_store();
	struct store_drain drain = {
	    .parallel = -1, .by = "uid 0", .detail = "[]"};
	static const char *const names[] = {"kvm1", "kvm2", "kvm3"};
	struct err err;
	char text[256] = "";

	for (size_t i = 0; i < 3; i++) {
		drain.host = names[i];
		ck_assert_int_eq(store_add_drain(store, &drain, &err), 0);
	}
	ck_assert_int_eq(store_get_drain(store, 2, copy_drain, text, &err), 0);
	ck_assert_str_eq(text, "2 kvm2 0 0/0/0 p-1 - [];");
	ck_assert_int_eq(store_get_drain(store, 4, copy_drain, text, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_drain(store, 0, copy_drain, text, &err), -1);
	ck_assert_str_eq(text, "2 kvm2 0 0/0/0 p-1 - [];");
	store_close(store);
}
END_TEST

static void
copy_move(const struct store_move *m, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 512 - strlen(out),
	    "%" PRId64 " %s %s>%s %s %s %s;", m->id, m->name, m->from, m->to,
	    m->state, m->context != NULL ? m->context : "-",
	    m->outcome != NULL ? m->outcome : "-");
}

static void
keep_move(const struct store_move *move, void *arg)
{
	ck_assert_int_eq(*(int64_t *)arg, move->id);
	*(int64_t *)arg = -1;
}

static void
copy_journal(const struct store_journal *j, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%s %s %s;", j->kind,
	    j->step, j->detail != NULL ? j->detail : "-");
}

START_TEST(a_move_and_its_journal_survive)
{
	struct store *store = open_store();
	int64_t first = add_move(store, "web1"), second;
	struct store_journal entry = {
	    .move_id = first, .at = {9}, .kind = "intent", .step = "perform"};
	struct store_move move = {.id = first,
	    .to = "kvm3",
	    .strategy = "live-shared",
	    .attempt = 2,
	    .state = "done",
	    .outcome = "completed",
	    .ended = {10}};
	struct store_move_filter filter = {.open_only = true};
	char text[512] = "";
	struct err err;
	int64_t id = first;

	second = add_move(store, "db1");
	ck_assert_int_eq(store_add_journal(store, &entry, &err), 0);
	entry.kind = "result";
	entry.detail = "{\"ok\":true}";
	ck_assert_int_eq(store_add_journal(store, &entry, &err), 0);
	ck_assert_int_eq(store_update_move(store, &move, &err), 0);
	store_close(store);
	store = open_store();
	ck_assert_int_eq(
	    store_each_move(store, &filter, copy_move, text, &err), 0);
	ck_assert_str_eq(text, "2 db1 kvm1>kvm2 performing {\"n\":1} -;");
	filter = (struct store_move_filter){.uuid = "u-1", .max = 5};
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_move(store, &filter, copy_move, text, &err), 0);
	ck_assert_str_eq(text,
	    "2 db1 kvm1>kvm2 performing {\"n\":1} -;"
	    "1 web1 kvm1>kvm3 done - completed;");
	filter = (struct store_move_filter){.max = 1};
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_move(store, &filter, copy_move, text, &err), 0);
	ck_assert_str_eq(text, "2 db1 kvm1>kvm2 performing {\"n\":1} -;");
	filter = (struct store_move_filter){.drain_id = 5};
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_move(store, &filter, copy_move, text, &err), 0);
	ck_assert_str_eq(text, "");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_journal(store, first, copy_journal, text, &err), 0);
	ck_assert_str_eq(
	    text, "intent perform -;result perform {\"ok\":true};");
	ck_assert_int_eq(store_get_move(store, first, keep_move, &id, &err), 0);
	ck_assert_int_eq(id, -1);
	ck_assert_int_eq(
	    store_get_move(store, second + 1, keep_move, &id, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	store_close(store);
}
END_TEST

START_TEST(a_journal_entry_needs_its_move)
{
	struct store *store = open_store();
	struct store_journal entry = {
	    .move_id = 5, .kind = "intent", .step = "perform"};
	struct err err;

	ck_assert_int_eq(store_add_journal(store, &entry, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	store_close(store);
}
END_TEST

struct nest {
	struct store *store;
	int depth;
	int seen;
};

static void
nest_moves(const struct store_move *move, void *arg)
{
	const struct store_move_filter filter = {.max = 2};
	struct nest *nest = arg;
	char name[32];

	snprintf(name, sizeof(name), "%s", move->name);
	nest->seen++;
	if (nest->depth++ < 2)
		ck_assert_int_eq(store_each_move(nest->store, &filter,
				     nest_moves, nest, NULL),
		    0);
	nest->depth--;
	/* What the callback got is still there. */
	ck_assert_str_eq(move->name, name);
}

START_TEST(a_callback_may_use_the_store)
{
	struct store *store = open_store();
	struct nest nest = {.store = store};
	const struct store_move_filter filter = {.max = 2};

	add_move(store, "web1");
	add_move(store, "web2");
	ck_assert_int_eq(
	    store_each_move(store, &filter, nest_moves, &nest, NULL), 0);
	ck_assert_int_eq(nest.seen, 2 + 4 + 8);
	store_close(store);
}
END_TEST

/* ---- transactions ---- */

START_TEST(a_transaction_is_all_or_nothing)
{
	struct store *store = open_store();
	struct err err;

	ck_assert_int_eq(store_begin(store, &err), 0);
	ck_assert(store_in_transaction(store));
	ck_assert_int_eq(store_begin(store, &err), -1);
	add_move(store, "web1");
	add_event(store, "e1", "drover.move.started");
	store_rollback(store);
	ck_assert(!store_in_transaction(store));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM moves"), 0);
	ck_assert_int_eq(store_last_event(store), 0);
	ck_assert_int_eq(store_begin(store, &err), 0);
	add_move(store, "web1");
	add_event(store, "e1", "drover.move.started");
	ck_assert_int_eq(store_commit(store, &err), 0);
	ck_assert_int_eq(store_commit(store, &err), -1);
	ck_assert_int_eq(store_last_event(store), 1);
	store_close(store);
}
END_TEST

/* After a failure the rest of a transaction must not stand alone. */
START_TEST(a_failed_change_dooms_its_transaction)
{
	struct store *store = open_store();
	struct store_event twin = {.id = "e1", .type = "t", .body = "{}"};
	struct err err;

	ck_assert_int_eq(store_begin(store, &err), 0);
	add_event(store, "e1", "t");
	ck_assert_int_eq(store_add_event(store, &twin, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	twin.id = "e2";
	ck_assert_int_eq(store_add_event(store, &twin, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "earlier change"));
	ck_assert_int_eq(store_commit(store, &err), -1);
	ck_assert_int_eq(store_last_event(store), 0);
	add_event(store, "e1", "t");
	store_close(store);
}
END_TEST

/* The child commits one move, then is killed within a transaction. */
static void
crash_in_transaction(int out)
{
	struct store *store = open_store();
	struct err err;

	add_move(store, "kept");
	ck_assert_int_eq(store_begin(store, &err), 0);
	for (int i = 0; i < 2000; i++)
		add_move(store, "lost");
	add_event(store, "lost", "t");
	/* Have it spill into the log file, as a large one would. */
	sqlite3_db_cacheflush(store->db);
	ck_assert_int_eq(write(out, "x", 1), 1);
	for (;;)
		pause();
}

START_TEST(what_was_committed_survives_kill_9_and_the_rest_does_not)
{
	struct store *store;
	int fds[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		crash_in_transaction(fds[1]);
		_exit(1);
	}
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	ck_assert_ptr_null(store_open(state, NULL));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	store = open_store();
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM moves"), 1);
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(*) FROM moves WHERE name = 'kept'"),
	    1);
	ck_assert_int_eq(store_last_event(store), 0);
	ck_assert_int_eq(add_move(store, "next"), 2);
	store_close(store);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_full_disk_is_an_error_and_the_store_goes_on_after_it)
{
	struct store *store = open_store();
	struct err err = {0};
	char sql[64], big[8192];
	struct store_event event = {.id = "big", .type = "t", .body = big};
	int64_t pages = query_sql(store, "PRAGMA page_count");

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%" PRId64, pages);
	run_sql(store, sql);
	ck_assert_int_eq(store_begin(store, &err), 0);
	add_move(store, "web1");
	ck_assert_int_eq(store_add_event(store, &event, &err), -1);
	ck_assert_int_eq(err.code, ERR_IO);
	ck_assert_msg(strstr(err.msg, "disk is full") != NULL, "%s", err.msg);
	ck_assert_int_eq(store_commit(store, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "disk is full"));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM moves"), 0);
	/* Alone as well. */
	ck_assert_int_eq(store_add_event(store, &event, &err), -1);
	ck_assert(sqlite3_get_autocommit(store->db));
	run_sql(store, "PRAGMA max_page_count=1000000");
	ck_assert_int_eq(store_add_event(store, &event, &err), 0);
	store_close(store);
	store = open_store();
	ck_assert_int_eq(store_last_event(store), 1);
	store_close(store);
}
END_TEST

START_TEST(a_write_that_the_system_refuses_is_an_error_and_passes)
{
	struct store *store = open_store();
	struct rlimit old, none;
	struct err err = {0};
	char big[65536];
	struct store_event event = {.id = "big", .type = "t", .body = big};

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = old;
	none.rlim_cur = 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(store_begin(store, &err), 0);
	store_add_event(store, &event, &err);
	ck_assert_int_eq(store_commit(store, &err), -1);
	ck_assert_int_eq(err.code, ERR_IO);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(store_last_event(store), 0);
	ck_assert_int_eq(store_add_event(store, &event, &err), 0);
	store_close(store);
	store = open_store();
	ck_assert_int_eq(store_last_event(store), 1);
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_missing_state_dir_is_made_for_its_owner_alone);
	tcase_add_test(tcase, a_state_dir_that_cannot_be_made_says_what_to_do);
	tcase_add_test(tcase, a_file_in_place_of_the_state_dir_is_refused);
	tcase_add_test(tcase, a_second_daemon_on_the_same_state_is_refused);
	tcase_add_test(tcase, what_is_not_a_database_is_refused_and_left_alone);
	tcase_add_test(
	    tcase, the_database_of_another_program_is_refused_and_left_alone);
	tcase_add_test(tcase, a_damaged_database_is_refused_and_left_alone);
	tcase_add_test(
	    tcase, a_database_of_a_newer_version_is_refused_and_left_alone);
	tcase_add_test(
	    tcase, an_older_database_is_brought_up_to_date_all_or_nothing);
	tcase_add_test(tcase, flags_are_replaced_in_place_and_survive);
	tcase_add_test(tcase, drains_are_listed_newest_first);
	tcase_add_test(tcase, one_drain_is_read_without_the_others);
	tcase_add_test(tcase, a_move_and_its_journal_survive);
	tcase_add_test(tcase, a_journal_entry_needs_its_move);
	tcase_add_test(tcase, a_callback_may_use_the_store);
	tcase_add_test(tcase, a_transaction_is_all_or_nothing);
	tcase_add_test(tcase, a_failed_change_dooms_its_transaction);
	tcase_add_test(
	    tcase, what_was_committed_survives_kill_9_and_the_rest_does_not);
	tcase_add_test(
	    tcase, a_full_disk_is_an_error_and_the_store_goes_on_after_it);
	tcase_add_test(
	    tcase, a_write_that_the_system_refuses_is_an_error_and_passes);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
