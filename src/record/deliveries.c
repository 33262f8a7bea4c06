/*
 * Deliveries as operators see and handle them: the queue, the dead letters, and
 * the log of attempts.
 *
 * Sending goes by outbox.c, which reads what is due and nothing else.  Here is
 * what a person asks: rows by receiver and state in pages, one of them with all
 * that is known of it, and the two words that a person may say, "again" and "no
 * more".
 *
 * What went in one request is one thing: its webhook-id names exactly these
 * events, so that "again" to one of them is "again" to all of them.  A delivery
 * that is sent again is as old as that word, or else its receiver's max_age
 * would end it at once.
 *
 * outbox.c keeps count of what is pending; after a change from here it counts
 * anew.
 *
 * Counts run over the partial indexes of pending and dead rows alone: monitoring
 * asks for them all the time, and most rows are delivered ones.
 */
#include "record/private.h"

#include <inttypes.h>

/* A batch has the webhook-id of its first row, and its attempts are recorded
 * with that; unless the first has ended and the others go alone. */
#define DELIVERY_COLUMNS                                                       \
	"SELECT o.id, o.event_seq, o.receiver, o.state, o.attempts, o.code,"   \
	" o.created, o.next, o.ended, o.batch, o.grp IS NOT NULL, o.why,"      \
	" o.answer, (SELECT a.error FROM attempts AS a WHERE a.outbox_id ="    \
	" COALESCE(h.id, o.id) ORDER BY a.id DESC LIMIT 1),"                   \
	" COALESCE((SELECT id FROM events WHERE seq = h.event_seq), e.id),"    \
	" e.type, e.body"                                                      \
	" FROM outbox AS o CROSS JOIN events AS e ON e.seq = o.event_seq"      \
	" LEFT JOIN outbox AS h ON h.id = o.batch AND h.batch = o.batch"       \
	" AND o.batch > 0"                                                     \
	" AND (o.state <> 0 OR h.state = 0) "

static void
deliveries_read(struct query *q, struct store_delivery_row *row)
{
	row->id = query_int(q);
	row->event_seq = query_int(q);
	row->receiver = query_text(q);
	row->state = (enum store_delivery)query_int(q);
	row->attempts = (int)query_int(q);
	row->code = (int)query_int(q);
	row->created.ms = query_int(q);
	row->next.ms = query_int(q);
	row->ended.ms = query_int(q);
	row->batch = query_int(q);
	row->grouped = query_int(q) != 0;
	row->why = query_text(q);
	row->answer = query_text(q);
	row->error = query_text(q);
	row->webhook_id = query_text(q);
	row->type = query_text(q);
	row->body = query_text(q);
}

int
store_each_delivery(struct store *store,
    const struct store_delivery_filter *filter,
    void (*fn)(const struct store_delivery_row *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DELIVERY_COLUMNS
	    "WHERE o.id < ?1 AND (?2 IS NULL OR o.receiver = ?2)"
	    " AND (?3 < 0 OR o.state = ?3) ORDER BY o.id DESC LIMIT ?4";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, filter->before > 0 ? filter->before : INT64_MAX);
	query_bind_text(&q, filter->receiver);
	query_bind_int(&q, filter->state);
	query_bind_int(&q, filter->max > 0 ? filter->max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_delivery_row row = {0};

		deliveries_read(&q, &row);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}

int
store_get_delivery(struct store *store, int64_t id,
    void (*fn)(const struct store_delivery_row *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DELIVERY_COLUMNS "WHERE o.id = ?";
	struct query q = query_open(store, sql);
	struct store_delivery_row row = {0};
	int rc;

	query_bind_int(&q, id);
	rc = query_next(&q, err);
	if (rc > 0) {
		deliveries_read(&q, &row);
		fn(&row, arg);
	}
	query_close(&q);
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND,
		    "there is no delivery %" PRId64
		    ": it was deleted, or its event is too old to be kept",
		    id);
	return rc > 0 ? 0 : -1;
}

static int
attempts_read(struct query *q,
    void (*fn)(const struct store_attempt_row *row, void *arg), void *arg,
    struct err *err)
{
	int rc;

	while ((rc = query_next(q, err)) > 0) {
		struct store_attempt_row row = {0};

		row.id = query_int(q);
		row.outbox_id = query_int(q);
		row.receiver = query_text(q);
		row.at.ms = query_int(q);
		row.took_ms = query_int(q);
		row.events = (int)query_int(q);
		row.code = (int)query_int(q);
		row.error = query_text(q);
		row.answer = query_text(q);
		fn(&row, arg);
	}
	query_close(q);
	return rc;
}

#define ATTEMPT_COLUMNS                                                        \
	"SELECT id, outbox_id, receiver, at, took, events, code, error,"       \
	" answer FROM attempts "

int
store_each_attempt(struct store *store, const char *receiver, int64_t before,
    int max, void (*fn)(const struct store_attempt_row *row, void *arg),
    void *arg, struct err *err)
{
	static const char sql[] =
	    ATTEMPT_COLUMNS "WHERE id < ?1 AND (?2 IS NULL OR receiver = ?2)"
			    " ORDER BY id DESC LIMIT ?3";
	struct query q = query_open(store, sql);

	query_bind_int(&q, before > 0 ? before : INT64_MAX);
	query_bind_text(&q, receiver);
	query_bind_int(&q, max > 0 ? max : -1);
	return attempts_read(&q, fn, arg, err);
}

int
store_each_attempt_at(struct store *store, int64_t delivery, int max,
    void (*fn)(const struct store_attempt_row *row, void *arg), void *arg,
    struct err *err)
{
	/* One request for several rows is recorded with one of them. */
	static const char sql[] = ATTEMPT_COLUMNS
	    "WHERE outbox_id = ?1 OR outbox_id IN (SELECT mate.id"
	    " FROM outbox AS one JOIN outbox AS mate ON mate.batch = one.batch"
	    " WHERE one.id = ?1 AND one.batch > 0 AND mate.batch > 0)"
	    " ORDER BY id DESC LIMIT ?2";
	struct query q = query_open(store, sql);

	query_bind_int(&q, delivery);
	query_bind_int(&q, max > 0 ? max : -1);
	return attempts_read(&q, fn, arg, err);
}

/* ---- counts ---- */

int
store_each_receiver(struct store *store,
    void (*fn)(const struct store_receiver_count *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT receiver, SUM(waiting), SUM(dead), MAX(oldest),"
	    " MAX(newest), MAX(since) FROM (SELECT receiver,"
	    " COUNT(*) AS waiting, 0 AS dead, (SELECT id FROM outbox AS one"
	    " WHERE one.state = 0 AND one.receiver = all_.receiver"
	    " ORDER BY created, id LIMIT 1) AS oldest, 0 AS newest,"
	    " MIN(created) AS since FROM outbox AS all_ INDEXED BY outbox_age"
	    " WHERE state = 0"
	    " GROUP BY receiver"
	    " UNION ALL SELECT receiver, 0, COUNT(*), 0, MAX(id), 0 FROM outbox"
	    " WHERE state = 2 GROUP BY receiver)"
	    " GROUP BY receiver ORDER BY receiver";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_receiver_count row = {0};

		row.receiver = query_text(&q);
		row.pending = query_int(&q);
		row.dead = query_int(&q);
		row.oldest_id = query_int(&q);
		row.last_dead_id = query_int(&q);
		row.oldest.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}

/* ---- what a person says ---- */

/* How many more may be pending; -1: failed. */
static int64_t
deliveries_room(struct store *store, struct err *err)
{
	static const char sql[] = "SELECT COUNT(*) FROM outbox WHERE state = 0";
	int64_t pending = store->pending;
	struct query q;
	int rc;

	if (pending < 0) {
		q = query_open(store, sql);
		rc = query_next(&q, err);
		if (rc > 0)
			pending = query_int(&q);
		query_close(&q);
		if (rc <= 0)
			return -1;
	}
	return pending < STORE_OUTBOX_MAX ? STORE_OUTBOX_MAX - pending : 0;
}

static void
deliveries_take_state(const struct store_delivery_row *row, void *arg)
{
	enum store_delivery *out = arg;

	*out = row->state;
}

#define AGAIN                                                                  \
	"UPDATE outbox SET state = 0, attempts = 0, code = 0, next = ?1,"      \
	" created = ?1, ended = 0, why = NULL, answer = NULL,"                 \
	" grp = CASE WHEN batch > 0 THEN grp END "

int
store_replay_delivery(
    struct store *store, int64_t id, struct wall now, struct err *err)
{
	static const char sql[] =
	    AGAIN "WHERE state <> 0 AND (id = ?2 OR (batch > 0 AND batch ="
		  " (SELECT batch FROM outbox WHERE id = ?2)))";
	enum store_delivery state = STORE_PENDING;
	struct query q;
	int64_t room;
	int changes;

	if (store_get_delivery(store, id, deliveries_take_state, &state, err) !=
	    0)
		return -1;
	if (state == STORE_PENDING)
		return err_set(err, ERR_CONFLICT,
		    "delivery %" PRId64
		    " is pending: it is sent when it is due",
		    id);
	room = deliveries_room(store, err);
	if (room == 0)
		return err_set(err, ERR_LIMIT,
		    "%d deliveries are pending, the most that are kept",
		    STORE_OUTBOX_MAX);
	q = query_open(store, sql);
	query_bind_int(&q, now.ms);
	query_bind_int(&q, id);
	if (room < 0 || query_run(&q, &changes, err) != 0)
		return -1;
	store->pending = -1;
	return 0;
}

int
store_replay_dead(struct store *store, const char *receiver, int64_t max,
    struct wall now, int64_t *out_count, struct err *err)
{
	static const char sql[] =
	    AGAIN "WHERE id IN (SELECT id FROM outbox WHERE state = 2"
		  " AND receiver = ?2 ORDER BY id LIMIT ?3)";
	int64_t room = deliveries_room(store, err);
	struct query q;
	int changes;

	if (room < 0)
		return -1;
	q = query_open(store, sql);
	query_bind_int(&q, now.ms);
	query_bind_text(&q, receiver);
	query_bind_int(&q, max < room ? max : room);
	if (query_run(&q, &changes, err) != 0)
		return -1;
	store->pending = -1;
	*out_count = changes;
	return 0;
}

int
store_drop_delivery(struct store *store, int64_t id, const char *why,
    struct wall now, struct err *err)
{
	static const char drop[] = "UPDATE outbox SET state = 2, ended = ?,"
				   " why = ?, grp = NULL, batch = 0"
				   " WHERE id = ?";
	static const char forget[] = "DELETE FROM outbox WHERE id = ?";
	enum store_delivery state = STORE_PENDING;
	struct query q;

	if (store_get_delivery(store, id, deliveries_take_state, &state, err) !=
	    0)
		return -1;
	if (state == STORE_DELIVERED)
		return err_set(err, ERR_CONFLICT,
		    "delivery %" PRId64 " has been delivered", id);
	q = query_open(store, state == STORE_PENDING ? drop : forget);
	if (state == STORE_PENDING) {
		query_bind_int(&q, now.ms);
		query_bind_text(&q, why);
	}
	query_bind_int(&q, id);
	if (query_run(&q, NULL, err) != 0)
		return -1;
	store->pending = -1;
	return 0;
}

int
store_drop_pending(struct store *store, const char *receiver, int64_t max,
    const char *why, struct wall now, int64_t *out_count, struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET state = 2, ended = ?, why = ?, grp = NULL,"
	    " batch = 0 WHERE id IN (SELECT id FROM outbox WHERE state = 0"
	    " AND receiver = ? ORDER BY id LIMIT ?)";
	struct query q = query_open(store, sql);
	int changes;

	query_bind_int(&q, now.ms);
	query_bind_text(&q, why);
	query_bind_text(&q, receiver);
	query_bind_int(&q, max);
	if (query_run(&q, &changes, err) != 0)
		return -1;
	store->pending = -1;
	*out_count = changes;
	return 0;
}

int
store_drop_dead(struct store *store, const char *receiver, int64_t max,
    int64_t *out_count, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox"
	    " WHERE state = 2 AND receiver = ? ORDER BY id LIMIT ?)";
	struct query q = query_open(store, sql);
	int changes;

	query_bind_text(&q, receiver);
	query_bind_int(&q, max);
	if (query_run(&q, &changes, err) != 0)
		return -1;
	*out_count = changes;
	return 0;
}
