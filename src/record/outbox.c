/*
 * Events, and the deliveries that each of them owes.
 *
 * Two things grow without anybody asking: events, of which the last
 * STORE_EVENTS_MAX are kept for those who want to look back, and deliveries to
 * a receiver that is away.  Old events are removed a few at a time as new ones
 * come, from where the last search ended, so that a long queue of undelivered
 * ones costs the same as a short one.  Deliveries have a hard limit; reaching
 * it is an answer to the caller, who decides what gives way (outbox_evict.c).
 *
 * `pending` and `backlogs` mirror the numbers of pending rows, all together and
 * of each receiver, because counting them for each new event would cost more
 * than the event.  What is sent next is in outbox_due.c.
 */
#include "record/private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX_PRUNE_EVERY 32   /* events between two searches */
#define OUTBOX_PRUNE_WINDOW 512 /* events looked at in one */

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

/* ---- how many are pending ---- */

void
outbox_forget_counts(struct store *store)
{
	for (size_t i = 0; i < store->backlog_count; i++)
		free(store->backlogs[i].receiver);
	free(store->backlogs);
	store->backlogs = NULL;
	store->backlog_count = 0;
	store->pending = -1;
}

struct store_backlog *
outbox_backlog(struct store *store, const char *receiver)
{
	struct store_backlog *b;

	for (size_t i = 0; i < store->backlog_count; i++) {
		if (strcmp(store->backlogs[i].receiver, receiver) == 0)
			return &store->backlogs[i];
	}
	b = realloc(store->backlogs, (store->backlog_count + 1) * sizeof(*b));
	if (b == NULL)
		abort();
	store->backlogs = b;
	b += store->backlog_count++;
	*b = (struct store_backlog){.receiver = strdup(receiver)};
	if (b->receiver == NULL)
		abort();
	return b;
}

static void
outbox_learn(const char *receiver, int64_t pending, void *arg)
{
	struct store *store = arg;

	outbox_backlog(store, receiver)->pending = pending;
	store->pending += pending;
}

static int
outbox_count(struct store *store, struct err *err)
{
	if (store->pending >= 0)
		return 0;
	outbox_forget_counts(store);
	store->pending = 0;
	if (store_each_backlog(store, outbox_learn, store, err) == 0)
		return 0;
	store->pending = -1;
	return -1;
}

int
store_count_pending(
    struct store *store, const char *receiver, int64_t *out, struct err *err)
{
	if (outbox_count(store, err) != 0)
		return -1;
	*out = outbox_backlog(store, receiver)->pending;
	return 0;
}

/* ---- rows ---- */

int64_t
store_queue_outbox(
    struct store *store, const struct store_outbox *row, struct err *err)
{
	static const char sql[] = "INSERT INTO outbox (event_seq, receiver,"
				  " next, created, grp) VALUES (?,?,?,?,?)";
	struct query q;
	int64_t id;

	if (outbox_count(store, err) != 0)
		return -1;
	if (store->pending >= STORE_OUTBOX_MAX)
		return err_set(err, ERR_LIMIT,
		    "%d deliveries are pending, the "
		    "most that are kept",
		    STORE_OUTBOX_MAX);
	q = query_open(store, sql);
	query_bind_int(&q, row->event_seq);
	query_bind_text(&q, row->receiver);
	query_bind_int(&q, row->next.ms);
	query_bind_int(&q, row->created.ms);
	query_bind_text(&q, row->group);
	id = query_insert(&q, err);
	if (id < 0)
		return -1;
	store->pending++;
	outbox_backlog(store, row->receiver)->pending++;
	return id;
}

int
store_add_outbox(struct store *store, int64_t event_seq, const char *receiver,
    struct wall now, struct err *err)
{
	const struct store_outbox row = {.event_seq = event_seq,
	    .receiver = receiver,
	    .next = now,
	    .created = now};

	return store_queue_outbox(store, &row, err) > 0 ? 0 : -1;
}

/* 1 with its state and whose it is, 0: no such row, -1. */
static int
outbox_read_state(struct store *store, int64_t id, int64_t *out,
    struct store_backlog **out_backlog, struct err *err)
{
	static const char sql[] =
	    "SELECT state, receiver FROM outbox WHERE id = ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, id);
	rc = query_next(&q, err);
	if (rc > 0) {
		*out = query_int(&q);
		*out_backlog = outbox_backlog(store, query_text(&q));
	}
	query_close(&q);
	return rc;
}

/* Dead without an answer is what was not sent: the last answer is that to an
 * earlier attempt; and it goes with no others, that were sent or will be. */
int
store_judge_outbox(struct store *store, int64_t id,
    const struct store_verdict *v, struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET state = ?1, attempts = MAX(attempts, ?2),"
	    " next = ?3, code = IIF(?1 = 2 AND ?4 = 0, code, ?4),"
	    " answer = IIF(?1 = 2 AND ?4 = 0, answer, ?5), ended = ?6,"
	    " why = ?7, batch = IIF(?1 = 2 AND ?4 = 0, 0, batch)"
	    " WHERE id = ?8";
	struct store_backlog *backlog = NULL;
	int64_t before = STORE_PENDING;
	struct query q;
	int rc, change;

	if (outbox_count(store, err) != 0)
		return -1;
	rc = outbox_read_state(store, id, &before, &backlog, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(
		    err, ERR_NOT_FOUND, "there is no delivery %" PRId64, id);
	if (v->state == STORE_PENDING && before != STORE_PENDING)
		return 0;
	q = query_open(store, sql);
	query_bind_int(&q, v->state);
	query_bind_int(&q, v->attempts);
	query_bind_int(&q, v->next.ms);
	query_bind_int(&q, v->code);
	query_bind_text(&q, v->answer);
	query_bind_int(&q, v->state == STORE_PENDING ? 0 : v->at.ms);
	query_bind_text(&q, v->why);
	query_bind_int(&q, id);
	if (query_run(&q, NULL, err) != 0)
		return -1;
	change = (v->state == STORE_PENDING) - (before == STORE_PENDING);
	store->pending += change;
	backlog->pending += change;
	return 0;
}

int
store_mark_outbox(struct store *store, int64_t id, enum store_delivery state,
    int attempts, struct wall next, int code, const char *answer,
    struct err *err)
{
	const struct store_verdict verdict = {.state = state,
	    .attempts = attempts,
	    .code = code,
	    .next = next,
	    .answer = answer};

	return store_judge_outbox(store, id, &verdict, err);
}

int
store_hurry_outbox(
    struct store *store, const char *receiver, struct wall now, struct err *err)
{
	static const char sql[] =
	    "UPDATE outbox SET next = ?1 WHERE state = 0 AND receiver = ?2"
	    " AND next > ?1 AND attempts > 0";
	struct query q = query_open(store, sql);

	query_bind_int(&q, now.ms);
	query_bind_text(&q, receiver);
	return query_run(&q, NULL, err);
}

int
store_count_outbox(struct store *store, const char *receiver,
    struct store_outbox_count *out, struct err *err)
{
	static const char sql[] =
	    "SELECT (SELECT COUNT(*) FROM outbox WHERE"
	    " state = 0 AND receiver = ?1), (SELECT COUNT(*) FROM outbox"
	    " WHERE state = 2 AND receiver = ?1), (SELECT MIN(created)"
	    " FROM outbox INDEXED BY outbox_age WHERE state = 0"
	    " AND receiver = ?1)";
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
