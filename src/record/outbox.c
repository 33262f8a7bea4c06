/*
 * Events, and the deliveries that each of them owes.
 *
 * Two things grow without anybody asking: events, of which the last
 * STORE_EVENTS_MAX are kept for those who want to look back, and deliveries to
 * a receiver that is away.  Old events are removed a few at a time as new ones
 * come, from where the last search ended, so that a long queue of undelivered
 * ones costs the same as a short one.  Deliveries have a hard limit; reaching
 * it is an answer to the caller, who decides what gives way.
 *
 * `pending` mirrors the number of pending rows, because counting them for each
 * new event would cost more than the event.
 */
#include "record/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUTBOX_PRUNE_EVERY 32   /* events between two searches */
#define OUTBOX_PRUNE_WINDOW 512 /* events looked at in one */

/* What must not be lost before anything else is. */
#define RESULT_TYPES                                                           \
	"'drover.move.completed', 'drover.move.failed',"                       \
	" 'drover.move.rolled_back', 'drover.drain.completed',"                \
	" 'drover.drain.blocked'"

/* The last event that the next search looks at; 0: none is left. */
static int
prune_find_end(struct store *store, int64_t limit, int64_t *out_end,
    int64_t *out_count, struct err *err)
{
	static const char sql[] =
	    "SELECT MAX(seq), COUNT(*) FROM (SELECT seq"
	    " FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?)";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, store->prune_from);
	query_bind_int(&q, limit);
	query_bind_int(&q, OUTBOX_PRUNE_WINDOW);
	rc = query_next(&q, err);
	if (rc > 0) {
		*out_end = query_int(&q);
		*out_count = query_int(&q);
	}
	query_close(&q);
	return rc > 0 ? 0 : -1;
}

static int
prune_events(struct store *store, int64_t newest, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM events WHERE seq > ?"
	    " AND seq <= ? AND NOT EXISTS (SELECT 1 FROM outbox"
	    " WHERE event_seq = events.seq AND state = 0)";
	int64_t end = 0, count = 0;
	struct query q;

	if (newest % OUTBOX_PRUNE_EVERY != 0 || newest <= STORE_EVENTS_MAX)
		return 0;
	if (prune_find_end(
		store, newest - STORE_EVENTS_MAX, &end, &count, err) != 0)
		return -1;
	q = query_open(store, sql);
	query_bind_int(&q, store->prune_from);
	query_bind_int(&q, end);
	if (query_run(&q, NULL, err) != 0)
		return -1;
	/* At the end of what is old it starts over: deliveries that held an
	 * event back may be done by then. */
	store->prune_from = count < OUTBOX_PRUNE_WINDOW ? 0 : end;
	return 0;
}

int
store_add_event(struct store *store, struct store_event *event, struct err *err)
{
	static const char sql[] = "INSERT INTO events (id, type, at, body)"
				  " VALUES (?,?,?,?)";
	struct query q;
	int64_t seq;
	bool own;
	int rc = -1;

	if (store_enter(store, &own, err) != 0)
		return -1;
	q = query_open(store, sql);
	query_bind_text(&q, event->id);
	query_bind_text(&q, event->type);
	query_bind_int(&q, event->at.ms);
	query_bind_text(&q, event->body);
	seq = query_insert(&q, err);
	if (seq > 0)
		rc = prune_events(store, seq, err);
	rc = store_leave(store, own, rc, err);
	if (rc == 0)
		event->seq = seq;
	return rc;
}

int
store_each_event(struct store *store, int64_t after, int max,
    void (*fn)(const struct store_event *event, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT seq, id, type, at, body FROM events"
				  " WHERE seq > ? ORDER BY seq LIMIT ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, after);
	query_bind_int(&q, max > 0 ? max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_event event = {0};

		event.seq = query_int(&q);
		event.id = query_text(&q);
		event.type = query_text(&q);
		event.at.ms = query_int(&q);
		event.body = query_text(&q);
		fn(&event, arg);
	}
	query_close(&q);
	return rc;
}

int64_t
store_last_event(struct store *store)
{
	static const char sql[] = "SELECT COALESCE(MAX(seq), 0) FROM events";
	struct query q = query_open(store, sql);
	int64_t seq = query_next(&q, NULL) > 0 ? query_int(&q) : 0;

	query_close(&q);
	return seq;
}

static int
outbox_count_pending(struct store *store, struct err *err)
{
	static const char sql[] = "SELECT COUNT(*) FROM outbox"
				  " WHERE state = 0";
	struct query q;
	int rc;

	if (store->pending >= 0)
		return 0;
	q = query_open(store, sql);
	rc = query_next(&q, err);
	if (rc > 0)
		store->pending = query_int(&q);
	query_close(&q);
	return rc > 0 ? 0 : -1;
}

int
store_add_outbox(struct store *store, int64_t event_seq, const char *receiver,
    struct wall now, struct err *err)
{
	static const char sql[] = "INSERT INTO outbox (event_seq, receiver,"
				  " next, created) VALUES (?,?,?,?)";
	struct query q;

	if (outbox_count_pending(store, err) != 0)
		return -1;
	if (store->pending >= STORE_OUTBOX_MAX)
		return err_set(err, ERR_LIMIT,
		    "%d deliveries are pending, the "
		    "most that are kept",
		    STORE_OUTBOX_MAX);
	q = query_open(store, sql);
	query_bind_int(&q, event_seq);
	query_bind_text(&q, receiver);
	query_bind_int(&q, now.ms);
	query_bind_int(&q, now.ms);
	if (query_run(&q, NULL, err) != 0)
		return -1;
	store->pending++;
	return 0;
}

int
store_each_due(struct store *store, const char *receiver, struct wall now,
    int max, void (*fn)(const struct store_outbox *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT o.id, o.event_seq, o.receiver,"
	    " o.attempts, o.next, o.created, e.id, e.type, e.body"
	    " FROM outbox AS o INDEXED BY outbox_order"
	    " JOIN events AS e ON e.seq = o.event_seq"
	    " WHERE o.state = 0 AND o.receiver = ? AND o.next <= ?"
	    " ORDER BY o.attempts, o.id LIMIT ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_text(&q, receiver);
	query_bind_int(&q, now.ms);
	query_bind_int(&q, max > 0 ? max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_outbox row = {0};

		row.id = query_int(&q);
		row.event_seq = query_int(&q);
		row.receiver = query_text(&q);
		row.attempts = (int)query_int(&q);
		row.next.ms = query_int(&q);
		row.created.ms = query_int(&q);
		row.event_id = query_text(&q);
		row.type = query_text(&q);
		row.body = query_text(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}

static bool
outbox_read_due(struct query *q, struct wall *out)
{
	bool found = query_next(q, NULL) > 0;

	if (found)
		out->ms = query_int(q);
	query_close(q);
	return found;
}

bool
store_next_due(struct store *store, struct wall *out)
{
	static const char sql[] = "SELECT next FROM outbox WHERE state = 0"
				  " ORDER BY next LIMIT 1";
	struct query q = query_open(store, sql);

	return outbox_read_due(&q, out);
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
	return outbox_read_due(&q, out);
}

/* 1 with its state, 0: no such row, -1. */
static int
outbox_read_state(
    struct store *store, int64_t id, int64_t *out, struct err *err)
{
	static const char sql[] = "SELECT state FROM outbox WHERE id = ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, id);
	rc = query_next(&q, err);
	if (rc > 0)
		*out = query_int(&q);
	query_close(&q);
	return rc;
}

int
store_mark_outbox(struct store *store, int64_t id, enum store_delivery state,
    int attempts, struct wall next, int code, const char *answer,
    struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET state = ?, attempts = ?,"
	    " next = ?, code = ?, answer = ? WHERE id = ?";
	int64_t before = STORE_PENDING;
	struct query q;
	int rc = outbox_read_state(store, id, &before, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(
		    err, ERR_NOT_FOUND, "there is no delivery %" PRId64, id);
	q = query_open(store, sql);
	query_bind_int(&q, state);
	query_bind_int(&q, attempts);
	query_bind_int(&q, next.ms);
	query_bind_int(&q, code);
	query_bind_text(&q, answer);
	query_bind_int(&q, id);
	if (query_run(&q, NULL, err) != 0)
		return -1;
	if (store->pending >= 0)
		store->pending +=
		    (state == STORE_PENDING) - (before == STORE_PENDING);
	return 0;
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

static void
evict_take_first(const char *receiver, int64_t pending, void *arg)
{
	struct store_evicted *out = arg;

	(void)pending;
	if (out->receiver[0] == '\0')
		snprintf(out->receiver, sizeof(out->receiver), "%s", receiver);
}

/* The rows that go: those of `sql`, whose parameters are the receiver and the
 * maximum.  Returns how many, or -1. */
static int
evict_rows(struct store *store, const char *sql, int max,
    int64_t ids[STORE_EVICT_MAX], struct store_evicted *out, struct err *err)
{
	struct query q = query_open(store, sql);
	int rc, count = 0;

	query_bind_text(&q, out->receiver);
	query_bind_int(&q, max);
	while ((rc = query_next(&q, err)) > 0) {
		int64_t seq;

		ids[count++] = query_int(&q);
		seq = query_int(&q);
		if (out->first_seq == 0 || seq < out->first_seq)
			out->first_seq = seq;
		if (seq > out->last_seq)
			out->last_seq = seq;
	}
	query_close(&q);
	for (int i = 0; i < count && rc == 0; i++)
		rc = store_mark_outbox(store, ids[i], STORE_DEAD, 0,
		    (struct wall){0}, 0, "the outbox was full", err);
	return rc == 0 ? count : -1;
}

int
store_evict_outbox(
    struct store *store, struct store_evicted *out, struct err *err)
{
	/* CROSS: from the receiver's rows to their events, not through all
	 * events. */
	static const char others[] =
	    "SELECT o.id, o.event_seq"
	    " FROM outbox AS o INDEXED BY outbox_order"
	    " CROSS JOIN events AS e ON e.seq = o.event_seq"
	    " WHERE o.state = 0 AND o.receiver = ?"
	    " AND e.type NOT IN (" RESULT_TYPES ")"
	    " ORDER BY o.id LIMIT ?";
	static const char any[] =
	    "SELECT id, event_seq FROM outbox"
	    " WHERE state = 0 AND receiver = ? ORDER BY id LIMIT ?";
	struct store_evicted evicted = {0};
	int64_t ids[STORE_EVICT_MAX];
	int count = 0;
	bool own;
	int rc;

	if (store_enter(store, &own, err) != 0)
		return -1;
	rc = store_each_backlog(store, evict_take_first, &evicted, err);
	if (rc == 0)
		count = evict_rows(
		    store, others, STORE_EVICT_MAX, ids, &evicted, err);
	if (count == 0 && rc == 0)
		count =
		    evict_rows(store, any, STORE_EVICT_MAX, ids, &evicted, err);
	rc = store_leave(store, own, rc == 0 && count >= 0 ? 0 : -1, err);
	if (rc == 0) {
		evicted.count = count;
		*out = evicted;
	}
	return rc;
}

int
store_count_outbox(struct store *store, const char *receiver,
    struct store_outbox_count *out, struct err *err)
{
	static const char sql[] =
	    "SELECT (SELECT COUNT(*) FROM outbox WHERE"
	    " state = 0 AND receiver = ?1), (SELECT COUNT(*) FROM outbox"
	    " WHERE state = 2 AND receiver = ?1), (SELECT created FROM outbox"
	    " WHERE id = (SELECT MIN(id) FROM outbox WHERE state = 0"
	    " AND receiver = ?1))";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_text(&q, receiver);
	rc = query_next(&q, err);
	if (rc > 0) {
		out->pending = query_int(&q);
		out->dead = query_int(&q);
		out->oldest.ms = query_int(&q);
	}
	query_close(&q);
	return rc > 0 ? 0 : -1;
}
