/*
 * Prepared statements, kept and handed out one user at a time.
 *
 * Callbacks of store_each_*() may call the store again, even the function that
 * called them; then the kept statement is in use and a second one is prepared
 * for that call alone.
 *
 * SQLite itself undoes a whole transaction on some failures (disk full, I/O)
 * and only the statement on others.  Were the difference to show, a change
 * after such a failure would stand alone although its caller believes it to
 * be part of a whole.  So any failed change dooms the open transaction: the
 * ones after it are refused and the commit becomes a rollback.
 */
#include "record/private.h"

#include <string.h>

struct query
query_open(struct store *store, const char *sql)
{
	struct query q = {.store = store, .rc = SQLITE_OK};
	struct store_statement *slot = NULL;

	for (size_t i = 0; i < STORE_STATEMENTS_MAX && slot == NULL; i++) {
		struct store_statement *s = &store->statements[i];

		if (s->sql == sql || s->sql == NULL)
			slot = s;
	}
	if (slot != NULL && slot->stmt != NULL && !slot->taken) {
		slot->taken = true;
		q.stmt = slot->stmt;
		q.cached = true;
		return q;
	}
	q.rc = sqlite3_prepare_v3(
	    store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q.stmt, NULL);
	if (q.rc == SQLITE_OK && slot != NULL && slot->stmt == NULL) {
		*slot = (struct store_statement){sql, q.stmt, true};
		q.cached = true;
	}
	return q;
}

static void
query_keep(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void
query_bind_int(struct query *q, int64_t value)
{
	if (q->rc == SQLITE_OK)
		query_keep(q, sqlite3_bind_int64(q->stmt, ++q->bound, value));
}

void
query_bind_text(struct query *q, const char *text)
{
	if (q->rc == SQLITE_OK)
		query_keep(q,
		    sqlite3_bind_text(
			q->stmt, ++q->bound, text, -1, SQLITE_STATIC));
}

void
query_close(struct query *q)
{
	if (q->stmt == NULL)
		return;
	if (!q->cached) {
		sqlite3_finalize(q->stmt);
		q->stmt = NULL;
		return;
	}
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	for (size_t i = 0; i < STORE_STATEMENTS_MAX; i++) {
		if (q->store->statements[i].stmt == q->stmt)
			q->store->statements[i].taken = false;
	}
	q->stmt = NULL;
}

void
query_drop_statements(struct store *store)
{
	for (size_t i = 0; i < STORE_STATEMENTS_MAX; i++)
		sqlite3_finalize(store->statements[i].stmt);
	memset(store->statements, 0, sizeof(store->statements));
}

int
query_explain(sqlite3 *db, const char *path, int rc, struct err *err)
{
	const char *text = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return err_set(err, ERR_IO,
		    "%s: the disk is full: free some "
		    "space on its file system",
		    path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_IO,
		    "%s is damaged or not a database "
		    "(%s); it was left as it is: stop droverd, keep a copy, "
		    "then restore a backup or repair it (sqlite3 FILE "
		    ".recover); moving the file away starts with an empty "
		    "record, without flags, history and undelivered events",
		    path, text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_IO,
		    "%s is locked by another program: "
		    "end what else has it open for writing",
		    path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return err_set(err, ERR_IO,
		    "%s cannot be opened for writing "
		    "(%s): give it and its directory to the user that runs "
		    "droverd",
		    path, text);
	case SQLITE_NOMEM:
		return err_set(err, ERR_IO, "%s: memory is short", path);
	case SQLITE_CONSTRAINT:
		if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
			return err_set(err, ERR_NOT_FOUND,
			    "%s: what the row belongs to is not there", path);
		if (rc == SQLITE_CONSTRAINT_UNIQUE ||
		    rc == SQLITE_CONSTRAINT_PRIMARYKEY)
			return err_set(err, ERR_CONFLICT,
			    "%s: it is there already (%s)", path, text);
		return err_set(err, ERR_INVALID, "%s: %s", path, text);
	case SQLITE_IOERR:
		return err_set(err, ERR_IO,
		    "%s: reading or writing failed "
		    "(%s, errno %d)",
		    path, text, db != NULL ? sqlite3_system_errno(db) : 0);
	}
	return err_set(err, ERR_IO, "%s: %s", path, text);
}

static int
query_fail_change(struct query *q, int rc, struct err *err)
{
	struct store *store = q->store;
	struct err cause;

	query_explain(store->db, store->path, rc, &cause);
	query_close(q);
	if (store->open_tx) {
		store->doomed = true;
		store->cause = cause;
	} else if (!sqlite3_get_autocommit(store->db)) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	}
	store->pending = -1;
	return err_set(err, cause.code, "%s", cause.msg);
}

int
query_run(struct query *q, int *out_changes, struct err *err)
{
	struct store *store = q->store;
	int rc = q->rc;

	if (store->doomed) {
		query_close(q);
		return err_set(err, store->cause.code,
		    "an earlier change in "
		    "the same transaction failed: %s",
		    store->cause.msg);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q->stmt);
	if (rc != SQLITE_DONE)
		return query_fail_change(q, rc, err);
	if (out_changes != NULL)
		*out_changes = sqlite3_changes(store->db);
	/* For autocommit, step() has already committed and reported. */
	query_close(q);
	return 0;
}

int64_t
query_insert(struct query *q, struct err *err)
{
	struct store *store = q->store;

	if (query_run(q, NULL, err) != 0)
		return -1;
	return sqlite3_last_insert_rowid(store->db);
}

int
query_next(struct query *q, struct err *err)
{
	int rc = q->rc;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q->stmt);
	q->column = 0;
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return query_explain(q->store->db, q->store->path, rc, err);
}

int64_t
query_int(struct query *q)
{
	return sqlite3_column_int64(q->stmt, q->column++);
}

const char *
query_text(struct query *q)
{
	return (const char *)sqlite3_column_text(q->stmt, q->column++);
}
