/*
 * What is wrong now, for receivers that hold state: they are told of it again and
 * again, and a daemon that forgot it at its end would let their alerts expire
 * while the fault is still there.
 *
 * A condition ends with the event that resolves it, which may never come (the
 * host was taken out of the configuration), so that their number has a limit.
 */
#include "record/private.h"

/* Too many: those that have been on for longest go. */
static int
conditions_trim(struct store *store, int *out_gone, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM conditions WHERE key IN (SELECT key FROM conditions"
	    " ORDER BY since DESC, key LIMIT -1 OFFSET ?)";
	struct query q = query_open(store, sql);

	query_bind_int(&q, STORE_CONDITIONS_MAX);
	return query_run(&q, out_gone, err);
}

int
store_put_condition(struct store *store, const struct store_condition *row,
    int *out_gone, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO conditions (key, type, since, body) VALUES (?,?,?,?)"
	    " ON CONFLICT (key) DO UPDATE SET type = excluded.type,"
	    " body = excluded.body";
	struct query q;
	bool own;
	int rc, gone = 0;

	if (store_enter(store, &own, err) != 0)
		return -1;
	q = query_open(store, sql);
	query_bind_text(&q, row->key);
	query_bind_text(&q, row->type);
	query_bind_int(&q, row->since.ms);
	query_bind_text(&q, row->body);
	rc = query_run(&q, NULL, err);
	if (rc == 0)
		rc = conditions_trim(store, &gone, err);
	rc = store_leave(store, own, rc, err);
	if (rc == 0 && out_gone != NULL)
		*out_gone = gone;
	return rc;
}

int
store_remove_condition(struct store *store, const char *key, struct err *err)
{
	static const char sql[] = "DELETE FROM conditions WHERE key = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, key);
	return query_run(&q, NULL, err);
}

/* Calls fn with what the query finds, and closes it. */
static int
conditions_read(struct query *q,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err)
{
	int rc;

	while ((rc = query_next(q, err)) > 0) {
		struct store_condition row = {0};

		row.key = query_text(q);
		row.type = query_text(q);
		row.since.ms = query_int(q);
		row.body = query_text(q);
		fn(&row, arg);
	}
	query_close(q);
	return rc;
}

int
store_find_condition(struct store *store, const char *key,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT key, type, since, body"
				  " FROM conditions WHERE key = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, key);
	return conditions_read(&q, fn, arg, err);
}

int
store_each_condition(struct store *store,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT key, type, since, body"
				  " FROM conditions ORDER BY since, key";
	struct query q = query_open(store, sql);

	return conditions_read(&q, fn, arg, err);
}

int
store_find_surplus_condition(struct store *store,
    void (*fn)(const struct store_condition *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT key, type, since, body FROM conditions"
	    " WHERE (SELECT COUNT(*) FROM conditions) >= ?"
	    " ORDER BY since, key DESC LIMIT 1";
	struct query q = query_open(store, sql);

	query_bind_int(&q, STORE_CONDITIONS_MAX);
	return conditions_read(&q, fn, arg, err);
}
