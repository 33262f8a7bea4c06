/*
 * Opening, locking and transactions.
 *
 * Everything that a crash must not take is in one SQLite file, because flags,
 * moves, their journal and the news about them have to change together or not
 * at all; a single writer with a write-ahead log gives that with one sync per
 * transaction.  The lock is a file of its own, held by an open file
 * description lock: it ends with the process however that ends, and people may
 * read the database with other tools meanwhile.
 *
 * The database is created for its owner alone before SQLite sees it, since
 * SQLite gives its log files the mode of the database.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf, F_OFD_SETLK */
#endif
#include "record/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STORE_BUSY_MS 1000

static int
store_make_dir(const char *dir, struct err *err)
{
	struct stat st;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_IO,
		    "create state_dir %s: %s: create "
		    "it for the user that runs droverd (install -d -m 0700)",
		    dir, strerror(errno));
	if (stat(dir, &st) != 0)
		return err_set(
		    err, ERR_IO, "state_dir %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_IO,
		    "state_dir %s is not a directory: "
		    "move it away or set another state_dir",
		    dir);
	return 0;
}

static int
store_open_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_IO,
		    "open %s: %s: give state_dir and "
		    "what is in it to the user that runs droverd",
		    path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(
		    err, ERR_IO, "%s is not a file: move it away", path);
	}
	return fd;
}

static int
store_take_lock(const char *dir, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	cleanup_free char *path = NULL;
	char pid[24] = "";
	int fd, saved;

	if (asprintf(&path, "%s/lock", dir) < 0) {
		path = NULL;
		return err_set(err, ERR_IO, "memory is short");
	}
	fd = store_open_file(path, err);
	if (fd < 0)
		return -1;
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		saved = errno;
		if (pread(fd, pid, sizeof(pid) - 1, 0) < 0)
			pid[0] = '\0';
		pid[strspn(pid, "0123456789")] = '\0';
		close(fd);
		if (saved != EAGAIN && saved != EACCES)
			return err_set(
			    err, ERR_IO, "lock %s: %s", path, strerror(saved));
		return err_set(err, ERR_CONFLICT,
		    "state_dir %s is in use by "
		    "another droverd (process %s): stop that one first, or "
		    "give this one a state_dir of its own",
		    dir, pid[0] != '\0' ? pid : "unknown");
	}
	/* For the message above; the lock holds without it. */
	snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		errno = 0;
	return fd;
}

static int
store_sync_dir(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) != 0 ? -1 : 0;
	int saved = errno;

	if (fd >= 0)
		close(fd);
	return rc == 0
	    ? 0
	    : err_set(err, ERR_IO, "sync %s: %s", dir, strerror(saved));
}

static int
store_open_database(struct store *store, const char *dir, struct err *err)
{
	int fd, rc;

	if (asprintf(&store->path, "%s/drover.db", dir) < 0) {
		store->path = NULL;
		return err_set(err, ERR_IO, "memory is short");
	}
	fd = store_open_file(store->path, err);
	if (fd < 0)
		return -1;
	close(fd);
	rc = sqlite3_open_v2(store->path, &store->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return query_explain(store->db, store->path, rc, err);
	sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
	/* Should it be refused, closing must not change it either. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (schema_prepare(store->db, store->path, schema_steps,
		schema_step_count, err) != 0)
		return -1;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return store_sync_dir(dir, err);
}

struct store *
store_open(const char *state_dir, struct err *err)
{
	struct store *store;

	if (store_make_dir(state_dir, err) != 0)
		return NULL;
	store = calloc(1, sizeof(*store));
	if (store == NULL) {
		err_set(err, ERR_IO, "memory is short");
		return NULL;
	}
	store->pending = -1;
	faults_open(&store->faults);
	store->lock_fd = store_take_lock(state_dir, err);
	if (store->lock_fd < 0 ||
	    store_open_database(store, state_dir, err) != 0) {
		store_close(store);
		return NULL;
	}
	return store;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	store_rollback(store);
	query_drop_statements(store);
	sqlite3_close_v2(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	outbox_forget_counts(store);
	free(store->path);
	free(store);
}

int
store_begin(struct store *store, struct err *err)
{
	int rc;

	if (store->open_tx)
		return err_set(
		    err, ERR_INTERNAL, "a transaction is open already");
	rc = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return query_explain(store->db, store->path, rc, err);
	store->open_tx = true;
	store->doomed = false;
	return 0;
}

int
store_commit(struct store *store, struct err *err)
{
	int rc;

	if (!store->open_tx)
		return err_set(err, ERR_INTERNAL, "no transaction is open");
	if (store->doomed) {
		err_set(err, store->cause.code, "%s", store->cause.msg);
		store_rollback(store);
		return -1;
	}
	rc = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		query_explain(store->db, store->path, rc, err);
		store_rollback(store);
		return -1;
	}
	store->open_tx = false;
	faults_ended(&store->faults, true);
	return 0;
}

void
store_rollback(struct store *store)
{
	if (!store->open_tx)
		return;
	/* SQLite may have done it already. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->open_tx = false;
	store->doomed = false;
	store->pending = -1;
	faults_ended(&store->faults, false);
}

bool
store_in_transaction(const struct store *store)
{
	return store->open_tx;
}

int
store_enter(struct store *store, bool *out_own, struct err *err)
{
	*out_own = !store->open_tx;
	return *out_own ? store_begin(store, err) : 0;
}

int
store_leave(struct store *store, bool own, int rc, struct err *err)
{
	if (!own)
		return rc;
	if (rc == 0)
		return store_commit(store, err);
	store_rollback(store);
	return -1;
}
