/*
 * Guests that want to go back to the host that they were moved away from.  The
 * row is there before the move begins, because after a crash only the rows know
 * what was meant.
 */
#include "record/private.h"

int
store_put_home(
    struct store *store, const struct store_home *row, struct err *err)
{
	static const char sql[] = "INSERT OR REPLACE INTO homes"
				  " (uuid, name, host, was, at, policy, since) "
				  "VALUES (?,?,?,?,?,?,?)";
	struct query q = query_open(store, sql);

	query_bind_text(&q, row->uuid);
	query_bind_text(&q, row->name);
	query_bind_text(&q, row->host);
	query_bind_text(&q, row->was);
	query_bind_text(&q, row->at);
	query_bind_text(&q, row->policy);
	query_bind_int(&q, row->since.ms);
	return query_run(&q, NULL, err);
}

int
store_remove_home(struct store *store, const char *uuid, struct err *err)
{
	static const char sql[] = "DELETE FROM homes WHERE uuid = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, uuid);
	return query_run(&q, NULL, err);
}

int
store_each_home(struct store *store,
    void (*fn)(const struct store_home *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT uuid, name, host, was, at, policy,"
				  " since FROM homes ORDER BY uuid";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_home row = {0};

		row.uuid = query_text(&q);
		row.name = query_text(&q);
		row.host = query_text(&q);
		row.was = query_text(&q);
		row.at = query_text(&q);
		row.policy = query_text(&q);
		row.since.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}
