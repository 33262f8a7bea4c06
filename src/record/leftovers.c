/*
 * Images that guests left behind, and markers.
 *
 * Both are things of ours on other people's disks, so their rows are what allows
 * us to remove them: a row is there before the thing is (markers), or in the
 * transaction with which the thing became ours (leftovers), and goes only after
 * the thing is gone.  They are not pruned, unlike history: each stands for a
 * file, and a file that nobody remembers stays for ever.
 */
#include "record/private.h"

int
store_add_leftover(
    struct store *store, struct store_leftover *row, struct err *err)
{
	/* A new image of the same name is in the place of the old one. */
	static const char sql[] =
	    "INSERT OR REPLACE INTO leftovers (move_id, host, uuid, name, pool,"
	    " volume, path, since, due) VALUES (?,?,?,?,?,?,?,?,?)";
	struct query q = query_open(store, sql);
	int64_t id;

	query_bind_int(&q, row->move_id);
	query_bind_text(&q, row->host);
	query_bind_text(&q, row->uuid);
	query_bind_text(&q, row->name);
	query_bind_text(&q, row->pool);
	query_bind_text(&q, row->volume);
	query_bind_text(&q, row->path);
	query_bind_int(&q, row->since.ms);
	query_bind_int(&q, row->due.ms);
	id = query_insert(&q, err);
	if (id <= 0)
		return -1;
	row->id = id;
	return 0;
}

int
store_defer_leftover(
    struct store *store, int64_t id, struct wall due, struct err *err)
{
	static const char sql[] = "UPDATE leftovers SET due = ? WHERE id = ?";
	struct query q = query_open(store, sql);
	int changes;

	query_bind_int(&q, due.ms);
	query_bind_int(&q, id);
	if (query_run(&q, &changes, err) != 0)
		return -1;
	if (changes == 0)
		return err_set(err, ERR_NOT_FOUND,
		    "there is no kept image %lld", (long long)id);
	return 0;
}

int
store_remove_leftover(struct store *store, int64_t id, struct err *err)
{
	static const char sql[] = "DELETE FROM leftovers WHERE id = ?";
	struct query q = query_open(store, sql);

	query_bind_int(&q, id);
	return query_run(&q, NULL, err);
}

int
store_each_leftover(struct store *store,
    void (*fn)(const struct store_leftover *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT id, move_id, host, uuid, name, pool, volume, path, since,"
	    " due FROM leftovers ORDER BY due, id";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_leftover row = {0};

		row.id = query_int(&q);
		row.move_id = query_int(&q);
		row.host = query_text(&q);
		row.uuid = query_text(&q);
		row.name = query_text(&q);
		row.pool = query_text(&q);
		row.volume = query_text(&q);
		row.path = query_text(&q);
		row.since.ms = query_int(&q);
		row.due.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}

int
store_put_marker(
    struct store *store, const struct store_marker *row, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO markers (host, pool, volume, since) VALUES (?,?,?,?)"
	    " ON CONFLICT (host, pool, volume) DO UPDATE SET"
	    " since = excluded.since";
	struct query q = query_open(store, sql);

	query_bind_text(&q, row->host);
	query_bind_text(&q, row->pool);
	query_bind_text(&q, row->volume);
	query_bind_int(&q, row->since.ms);
	return query_run(&q, NULL, err);
}

int
store_remove_marker(struct store *store, const char *host, const char *pool,
    const char *volume, struct err *err)
{
	static const char sql[] = "DELETE FROM markers WHERE host = ?"
				  " AND pool = ? AND volume = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, host);
	query_bind_text(&q, pool);
	query_bind_text(&q, volume);
	return query_run(&q, NULL, err);
}

int
store_each_marker(struct store *store,
    void (*fn)(const struct store_marker *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT host, pool, volume, since"
				  " FROM markers ORDER BY host, pool, volume";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_marker row = {0};

		row.host = query_text(&q);
		row.pool = query_text(&q);
		row.volume = query_text(&q);
		row.since.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}
