/*
 * What is sent next, and together with what.
 *
 * A request is for one row, or for a batch: rows that were collected for a
 * while (a group, by its key) or that happened to be due at the same time.
 * Which rows make a batch is settled before its first attempt and written down
 * as the id of the first one, so that every further attempt, also after a
 * crash, sends the same set under the same webhook-id.
 *
 * Rows are asked for in the order in which they fell due.  A row that is
 * refused falls due again later, behind those that waited meanwhile; so it
 * needs no order of its own, and rows that are not due are never walked over,
 * however many there are.
 */
#include "record/private.h"

#define DUE_COLUMNS                                                            \
	"SELECT o.id, o.event_seq, o.receiver, o.attempts, o.next, o.created," \
	" o.grp, o.batch, e.id, e.type, e.body FROM outbox AS o"

static int
due_each(struct query *q, void (*fn)(const struct store_outbox *row, void *arg),
    void *arg, struct err *err)
{
	int rc;

	while ((rc = query_next(q, err)) > 0) {
		struct store_outbox row = {0};

		row.id = query_int(q);
		row.event_seq = query_int(q);
		row.receiver = query_text(q);
		row.attempts = (int)query_int(q);
		row.next.ms = query_int(q);
		row.created.ms = query_int(q);
		row.group = query_text(q);
		row.batch = query_int(q);
		row.event_id = query_text(q);
		row.type = query_text(q);
		row.body = query_text(q);
		fn(&row, arg);
	}
	query_close(q);
	return rc;
}

int
store_each_due(struct store *store, const char *receiver, struct wall now,
    int max, void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err)
{
	/* A batch whose first row was given up or dropped has none: then each
	 * of its rows may begin it. */
	static const char sql[] = DUE_COLUMNS
	    " INDEXED BY outbox_due CROSS JOIN events AS e"
	    " ON e.seq = o.event_seq"
	    " WHERE o.state = 0 AND o.receiver = ? AND o.next <= ?"
	    " AND (o.batch = 0 OR o.batch = o.id OR NOT EXISTS (SELECT 1"
	    " FROM outbox AS h WHERE h.id = o.batch AND h.batch = o.batch"
	    " AND h.state = 0))"
	    " ORDER BY o.next, o.id LIMIT ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, receiver);
	query_bind_int(&q, now.ms);
	query_bind_int(&q, max > 0 ? max : -1);
	return due_each(&q, fn, arg, err);
}

int
store_each_oldest(struct store *store, const char *receiver, int max,
    void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DUE_COLUMNS
	    " INDEXED BY outbox_queue CROSS JOIN events AS e"
	    " ON e.seq = o.event_seq WHERE o.state = 0 AND o.receiver = ?"
	    " ORDER BY o.id LIMIT ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, receiver);
	query_bind_int(&q, max > 0 ? max : -1);
	return due_each(&q, fn, arg, err);
}

int
store_each_by_age(struct store *store, const char *receiver, int max,
    void (*fn)(int64_t id, struct wall created, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT id, created FROM outbox INDEXED BY outbox_age"
	    " WHERE state = 0 AND receiver = ? ORDER BY created, id LIMIT ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_text(&q, receiver);
	query_bind_int(&q, max > 0 ? max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		int64_t id = query_int(&q);

		fn(id, (struct wall){query_int(&q)}, arg);
	}
	query_close(&q);
	return rc;
}

int
store_each_in_batch(struct store *store, int64_t batch,
    void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DUE_COLUMNS
	    " INDEXED BY outbox_batch CROSS JOIN events AS e"
	    " ON e.seq = o.event_seq WHERE o.batch = ? AND o.batch > 0"
	    " AND o.state = 0 ORDER BY o.id";
	struct query q = query_open(store, sql);

	query_bind_int(&q, batch);
	return due_each(&q, fn, arg, err);
}

static bool
due_read_time(struct query *q, struct wall *out)
{
	bool found = query_next(q, NULL) > 0;

	if (found)
		out->ms = query_int(q);
	query_close(q);
	return found;
}

bool
store_receiver_due(struct store *store, const char *receiver, struct wall after,
    struct wall *out)
{
	static const char sql[] =
	    "SELECT next FROM outbox WHERE state = 0"
	    " AND receiver = ? AND next > ? ORDER BY next LIMIT 1";
	struct query q = query_open(store, sql);

	query_bind_text(&q, receiver);
	query_bind_int(&q, after.ms);
	return due_read_time(&q, out);
}

/* ---- groups and batches ---- */

bool
store_group_due(struct store *store, const char *receiver, const char *group,
    struct wall *out)
{
	static const char sql[] =
	    "SELECT next FROM outbox INDEXED BY outbox_group"
	    " WHERE state = 0 AND receiver = ? AND grp = ? AND batch = 0"
	    " ORDER BY id LIMIT 1";
	struct query q = query_open(store, sql);

	query_bind_text(&q, receiver);
	query_bind_text(&q, group);
	return due_read_time(&q, out);
}

static int
due_form_group(struct store *store, const char *receiver, const char *group,
    int64_t first, int max, struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET batch = ? WHERE id IN (SELECT id FROM outbox"
	    " INDEXED BY outbox_group WHERE state = 0 AND receiver = ?"
	    " AND grp = ? AND batch = 0 AND id >= ? ORDER BY id LIMIT ?)";
	struct query q = query_open(store, sql);

	query_bind_int(&q, first);
	query_bind_text(&q, receiver);
	query_bind_text(&q, group);
	query_bind_int(&q, first);
	query_bind_int(&q, max);
	return query_run(&q, NULL, err);
}

int
store_form_batch(struct store *store, const char *receiver, const char *group,
    int64_t first, struct wall now, int max, struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET batch = ? WHERE id IN (SELECT id FROM outbox"
	    " INDEXED BY outbox_queue WHERE state = 0 AND receiver = ?"
	    " AND grp IS NULL AND batch = 0 AND id >= ? AND next <= ?"
	    " ORDER BY id LIMIT ?)";
	struct query q;

	if (group != NULL)
		return due_form_group(store, receiver, group, first, max, err);
	q = query_open(store, sql);
	query_bind_int(&q, first);
	query_bind_text(&q, receiver);
	query_bind_int(&q, first);
	query_bind_int(&q, now.ms);
	query_bind_int(&q, max);
	return query_run(&q, NULL, err);
}

int
store_leave_batch(
    struct store *store, int64_t id, struct wall next, struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET batch = 0, next = ? WHERE id = ?";
	struct query q = query_open(store, sql);

	query_bind_int(&q, next.ms);
	query_bind_int(&q, id);
	return query_run(&q, NULL, err);
}

int
store_each_backlog(struct store *store,
    void (*fn)(const char *receiver, int64_t pending, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT COUNT(*) AS n, receiver FROM outbox"
	    " WHERE state = 0 GROUP BY receiver ORDER BY n DESC, receiver";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		int64_t pending = query_int(&q);

		fn(query_text(&q), pending, arg);
	}
	query_close(&q);
	return rc;
}
