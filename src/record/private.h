#ifndef DROVER_RECORD_PRIVATE_H
#define DROVER_RECORD_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/store.h"

/*
 * What the files of the store share, and what its tests look into.  Nobody
 * else includes this.
 */

#define STORE_STATEMENTS_MAX 128

struct store_statement {
	const char *sql; /* compared by address */
	sqlite3_stmt *stmt;
	bool taken;
};

/* See faults.c. */
struct store_faults {
	int64_t kill_at;          /* the journal entry; 0: none */
	int64_t durable, waiting; /* entries, since the store was opened */
};

struct store_backlog {
	char *receiver;
	int64_t pending;
	int attempts; /* since old ones were looked for */
};

struct store {
	sqlite3 *db;
	char *path; /* of the database, for messages */
	int lock_fd;
	bool open_tx; /* between store_begin and commit/rollback */
	bool doomed;  /* ... and a change in it failed: */
	struct err cause;
	struct store_statement statements[STORE_STATEMENTS_MAX];
	int64_t pending; /* outbox rows; -1: to be counted, with: */
	struct store_backlog *backlogs; /* one for each name of a receiver */
	size_t backlog_count;
	int64_t prune_from; /* where the search for old events goes on */
	struct store_faults faults;
};

/* ---- query.c: one prepared statement in use ---- */

/*
 * Parameters are bound and columns read in order.  A failure (open, bind) is
 * kept and told by run, next or insert.  Strings that are bound must live until
 * then; those read live until the next call on the query.
 */
struct query {
	struct store *store;
	sqlite3_stmt *stmt;
	bool cached;
	int bound, column;
	int rc; /* first failure; SQLITE_OK: none */
};

/* `sql` must be a constant: it is prepared once and kept. */
struct query query_open(struct store *store, const char *sql);
void query_bind_int(struct query *q, int64_t value);
void query_bind_text(struct query *q, const char *text); /* NULL allowed */

/* Carries out a change and closes the query; changed rows go to *out_changes
 * (may be NULL). */
int query_run(struct query *q, int *out_changes, struct err *err);
/* The same; the new row's id, or -1. */
int64_t query_insert(struct query *q, struct err *err);

/* 1: there is a row; 0: no more; -1: failed.  Close it in any case. */
int query_next(struct query *q, struct err *err);
int64_t query_int(struct query *q);
const char *query_text(struct query *q);
void query_close(struct query *q);

/* What an SQLite result means, in words and with what to do; returns -1. */
int query_explain(sqlite3 *db, const char *path, int rc, struct err *err);
void query_drop_statements(struct store *store);

/* ---- store.c ---- */

/* A transaction for a change of several statements, unless one is open.
 * store_leave() commits it, or rolls it back when rc is not 0; returns -1 on
 * either failure. */
int store_enter(struct store *store, bool *out_own, struct err *err);
int store_leave(struct store *store, bool own, int rc, struct err *err);

/* ---- outbox.c ---- */

/* Rows became or ceased to be pending in another way than by the functions of
 * the outbox: `pending = -1` says the same. */
void outbox_forget_counts(struct store *store);
struct store_backlog *outbox_backlog(struct store *store, const char *receiver);

/* ---- totals.c ---- */

/* The move, which is open so far, ends with its outcome. */
int totals_count(
    struct store *store, const struct store_move *move, struct err *err);

/* ---- faults.c: nothing, unless compiled with DROVER_FAULTS ---- */

void faults_open(struct store_faults *faults);
void faults_journal_added(struct store_faults *faults);
/* The transaction ended; may not return. */
void faults_ended(struct store_faults *faults, bool committed);

/* ---- schema.c ---- */

#define SCHEMA_APPLICATION_ID 0x44727672 /* "Drvr" */

/* steps[i] brings a database of version i to i + 1. */
extern const char *const schema_steps[];
extern const int schema_step_count;

/* Refuses what is damaged, foreign or newer, without changing it; makes the
 * tables in an empty file; brings older ones up to date, all or nothing. */
int schema_prepare(sqlite3 *db, const char *path, const char *const *steps,
    int step_count, struct err *err);

#endif
