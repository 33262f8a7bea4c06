/*
 * The tables, and the way from each older version to the present one.
 *
 * A file is only touched after it has been recognised: SQLite's application id
 * says whose it is, user_version how old.  Damage is looked for here, at the
 * start, because later it would surface in the middle of a move.  Whatever is
 * refused stays as it was, for a person to look at.
 *
 * A step, once released, never changes; a new form of the tables is a new
 * step at the end.
 */
#include "record/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_TEXT_SIZE 64

static const char schema_1[] =
    "CREATE TABLE flags ("
    " host TEXT PRIMARY KEY, maintenance INTEGER NOT NULL,"
    " cordoned INTEGER NOT NULL, source TEXT NOT NULL, by TEXT NOT NULL,"
    " reason TEXT, since INTEGER NOT NULL) STRICT;"

    "CREATE TABLE drains ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL,"
    " state TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,"
    " parallel INTEGER NOT NULL, only_to TEXT, reason TEXT, by TEXT NOT NULL,"
    " moved INTEGER NOT NULL, failed INTEGER NOT NULL,"
    " blocked INTEGER NOT NULL, detail TEXT) STRICT;"

    "CREATE TABLE moves ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, drain_id INTEGER NOT NULL,"
    " uuid TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,"
    " target TEXT NOT NULL, strategy TEXT NOT NULL, policy TEXT,"
    " rule TEXT NOT NULL, why TEXT NOT NULL, attempt INTEGER NOT NULL,"
    " state TEXT NOT NULL, context TEXT, outcome TEXT, error TEXT,"
    " result TEXT, started INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;"
    "CREATE INDEX moves_open ON moves (id) WHERE outcome IS NULL;"
    "CREATE INDEX moves_uuid ON moves (uuid, id);"
    "CREATE INDEX moves_drain ON moves (drain_id, id);"

    "CREATE TABLE journal ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " move_id INTEGER NOT NULL REFERENCES moves ON DELETE CASCADE,"
    " at INTEGER NOT NULL, kind TEXT NOT NULL, step TEXT NOT NULL,"
    " detail TEXT) STRICT;"
    "CREATE INDEX journal_move ON journal (move_id, id);"

    "CREATE TABLE events ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " type TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;"

    /* state: 0 pending, 1 delivered, 2 dead (enum store_delivery). */
    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " event_seq INTEGER NOT NULL REFERENCES events ON DELETE CASCADE,"
    " receiver TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL,"
    " created INTEGER NOT NULL, code INTEGER NOT NULL DEFAULT 0,"
    " answer TEXT) STRICT;"
    "CREATE INDEX outbox_event ON outbox (event_seq, state);"
    "CREATE INDEX outbox_order ON outbox (receiver, attempts, id)"
    " WHERE state = 0;"
    "CREATE INDEX outbox_due ON outbox (receiver, next) WHERE state = 0;"
    "CREATE INDEX outbox_next ON outbox (next) WHERE state = 0;"
    "CREATE INDEX outbox_dead ON outbox (receiver) WHERE state = 2;";

/* A leftover may outlive the history of its move. */
static const char schema_2[] =
    "CREATE TABLE leftovers ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, move_id INTEGER NOT NULL,"
    " host TEXT NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL,"
    " pool TEXT NOT NULL, volume TEXT NOT NULL, path TEXT NOT NULL,"
    " since INTEGER NOT NULL, due INTEGER NOT NULL,"
    " UNIQUE (host, path)) STRICT;"
    "CREATE INDEX leftovers_due ON leftovers (due, id);"

    "CREATE TABLE markers ("
    " host TEXT NOT NULL, pool TEXT NOT NULL, volume TEXT NOT NULL,"
    " since INTEGER NOT NULL,"
    " PRIMARY KEY (host, pool, volume)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE predictions ("
    " move_id INTEGER PRIMARY KEY REFERENCES moves ON DELETE CASCADE,"
    " strategy TEXT NOT NULL, predicted_ms INTEGER NOT NULL,"
    " predicted_downtime_ms INTEGER NOT NULL, actual_ms INTEGER NOT NULL,"
    " actual_downtime_ms INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX predictions_at ON predictions (at, move_id);";

/* Totals begin with what the history still has. */
static const char schema_3[] =
    "ALTER TABLE drains ADD COLUMN force_off INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE drains ADD COLUMN include_stopped INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE totals ("
    " strategy TEXT NOT NULL, outcome TEXT NOT NULL, moves INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " PRIMARY KEY (strategy, outcome)) STRICT, WITHOUT ROWID;"
    "INSERT INTO totals SELECT strategy, outcome, COUNT(*), SUM(CASE WHEN"
    " json_valid(result) THEN COALESCE(CAST(json_extract(result, '$.bytes')"
    " AS INTEGER), 0) ELSE 0 END) FROM moves WHERE outcome IS NOT NULL"
    " GROUP BY strategy, outcome;";

/* What policies decided, what operators said about policies and guests; and when
 * a guest was last moved is asked of the moves. */
static const char schema_4[] =
    "CREATE TABLE decisions ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " updated INTEGER NOT NULL, ended INTEGER NOT NULL,"
    " policy TEXT NOT NULL, host TEXT, mode TEXT NOT NULL,"
    " summary TEXT NOT NULL, body TEXT NOT NULL, approved_by TEXT) STRICT;"
    "CREATE INDEX decisions_policy ON decisions (policy, id);"
    "CREATE INDEX decisions_host ON decisions (host, id);"
    "CREATE INDEX decisions_open ON decisions (id) WHERE ended = 0;"
    "CREATE INDEX decisions_ended ON decisions (ended) WHERE ended > 0;"

    "CREATE TABLE policy_modes ("
    " policy TEXT PRIMARY KEY, mode TEXT NOT NULL, by TEXT NOT NULL,"
    " since INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE vm_labels ("
    " uuid TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (uuid, key)) STRICT, WITHOUT ROWID;"

    "CREATE INDEX moves_completed ON moves (uuid, ended)"
    " WHERE outcome = 'completed';";
/* labels: a JSON object, its keys in order. */
static const char schema_5[] =
    "CREATE TABLE alerts ("
    " labels TEXT PRIMARY KEY, fingerprint TEXT, since INTEGER NOT NULL,"
    " ends INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX alerts_fingerprint ON alerts (fingerprint);";

static const char schema_6[] =
    "ALTER TABLE drains ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;";

/* Guests that want to go back; host: their home. */
static const char schema_7[] =
    "ALTER TABLE drains ADD COLUMN return_home INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE homes ("
    " uuid TEXT PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL,"
    " was TEXT NOT NULL, at TEXT NOT NULL, policy TEXT NOT NULL,"
    " since INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Events that go in one request have the row of the first as their batch.
 * `grp`: those that are collected.  `why`: of a dead letter. */
static const char schema_8[] =
    "ALTER TABLE outbox ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN grp TEXT;"
    "ALTER TABLE outbox ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN why TEXT;"
    "CREATE INDEX outbox_group ON outbox (receiver, grp, id)"
    " WHERE state = 0 AND grp IS NOT NULL AND batch = 0;"
    "CREATE INDEX outbox_batch ON outbox (batch) WHERE batch > 0;"
    /* What is due comes by its time (outbox_due), or in strict order. */
    "CREATE INDEX outbox_queue ON outbox (receiver, id) WHERE state = 0;"
    "CREATE INDEX outbox_age ON outbox (receiver, created) WHERE state = 0;"
    "DROP INDEX outbox_order;"
    "DROP INDEX outbox_next;"

    "CREATE TABLE attempts ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " outbox_id INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE,"
    " receiver TEXT NOT NULL, at INTEGER NOT NULL, took INTEGER NOT NULL,"
    " events INTEGER NOT NULL, code INTEGER NOT NULL, error TEXT,"
    " answer TEXT) STRICT;"
    "CREATE INDEX attempts_outbox ON attempts (outbox_id, id);"
    "CREATE INDEX attempts_receiver ON attempts (receiver, id);"

    /* A receiver that said that it is gone. */
    "CREATE TABLE disabled ("
    " receiver TEXT PRIMARY KEY, url_hash TEXT NOT NULL,"
    " since INTEGER NOT NULL, why TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    /* What is wrong now, for receivers that hold state. */
    "CREATE TABLE conditions ("
    " key TEXT PRIMARY KEY, type TEXT NOT NULL, since INTEGER NOT NULL,"
    " body TEXT NOT NULL) STRICT, WITHOUT ROWID;";

const char *const schema_steps[] = {schema_1, schema_2, schema_3, schema_4,
    schema_5, schema_6, schema_7, schema_8};
const int schema_step_count = sizeof(schema_steps) / sizeof(schema_steps[0]);

/* Copies the first column of the first row; "" when there is none. */
static int
schema_read_text(sqlite3 *db, const char *path, const char *sql,
    char out[SCHEMA_TEXT_SIZE], struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	out[0] = '\0';
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const char *s = (const char *)sqlite3_column_text(stmt, 0);

		snprintf(out, SCHEMA_TEXT_SIZE, "%s", s != NULL ? s : "");
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		query_explain(db, path, rc, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_OK || rc == SQLITE_DONE ? 0 : -1;
}

static int
schema_read_int(sqlite3 *db, const char *path, const char *sql, long long *out,
    struct err *err)
{
	char text[SCHEMA_TEXT_SIZE];

	if (schema_read_text(db, path, sql, text, err) != 0)
		return -1;
	*out = strtoll(text, NULL, 10);
	return 0;
}

/* Ours (or empty), of a version that we know, and whole?  Only reads. */
static int
schema_recognise(sqlite3 *db, const char *path, int step_count,
    long long *out_version, struct err *err)
{
	long long application, version, tables;
	char check[SCHEMA_TEXT_SIZE];

	if (schema_read_int(
		db, path, "PRAGMA application_id", &application, err) != 0 ||
	    schema_read_int(db, path, "PRAGMA user_version", &version, err) !=
		0 ||
	    schema_read_int(db, path, "SELECT COUNT(*) FROM sqlite_schema",
		&tables, err) != 0)
		return -1;
	if (tables == 0 && application == 0 && version == 0) {
		*out_version = 0;
		return 0;
	}
	if (application != SCHEMA_APPLICATION_ID)
		return err_set(err, ERR_INVALID,
		    "%s is the database of "
		    "another program (application id %lld); it was left as it "
		    "is: set another state_dir, or move the file away",
		    path, application);
	if (version > step_count)
		return err_set(err, ERR_INVALID,
		    "%s was written by a newer "
		    "Drover (schema %lld, this one knows up to %d); it was "
		    "left as it is: install that version, or restore the "
		    "backup from before the upgrade",
		    path, version, step_count);
	if (version < 1)
		return err_set(err, ERR_INVALID,
		    "%s has no valid schema "
		    "version (%lld); it was left as it is: restore a backup, "
		    "or move the file away",
		    path, version);
	if (schema_read_text(db, path, "PRAGMA quick_check(1)", check, err) !=
	    0)
		return -1;
	if (strcmp(check, "ok") != 0)
		return query_explain(NULL, path, SQLITE_CORRUPT, err);
	*out_version = version;
	return 0;
}

int
schema_prepare(sqlite3 *db, const char *path, const char *const *steps,
    int step_count, struct err *err)
{
	long long version = 0;
	char text[SCHEMA_TEXT_SIZE];
	int rc;

	if (schema_recognise(db, path, step_count, &version, err) != 0)
		return -1;
	if (schema_read_text(db, path, "PRAGMA journal_mode=WAL", text, err) !=
	    0)
		return -1;
	if (strcmp(text, "wal") != 0)
		return err_set(err, ERR_IO,
		    "%s: its file system cannot hold "
		    "a write-ahead log: set state_dir to a local file system",
		    path);
	rc = sqlite3_exec(db,
	    "PRAGMA synchronous=FULL;"
	    "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;",
	    NULL, NULL, NULL);
	if (rc == SQLITE_OK && version < step_count) {
		rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		for (int i = (int)version; i < step_count && rc == SQLITE_OK;
		     i++)
			rc = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
		snprintf(text, sizeof(text),
		    "PRAGMA application_id=%d;"
		    "PRAGMA user_version=%d;",
		    SCHEMA_APPLICATION_ID, step_count);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db, text, NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		return 0;
	query_explain(db, path, rc, err);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err_prefix(err, "prepare the tables");
}
