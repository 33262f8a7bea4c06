/*
 * What gives way when too many deliveries are pending.
 *
 * A full outbox must not stop the work that is reported on, so something has to
 * go; nothing goes silently: it becomes a dead letter that stays readable and
 * can be replayed, and the caller is told how many.  Progress and decisions go
 * before results, because who reads a result can do without the steps to it.
 */
#include "record/private.h"

#include <stdio.h>

/* What must not be lost before anything else is. */
#define RESULT_TYPES                                                           \
	"'drover.move.completed', 'drover.move.failed',"                       \
	" 'drover.move.rolled_back', 'drover.drain.completed',"                \
	" 'drover.drain.blocked'"

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
    const struct store_verdict *verdict, struct store_evicted *out,
    struct err *err)
{
	struct query q = query_open(store, sql);
	int64_t ids[STORE_EVICT_MAX];
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
		rc = store_judge_outbox(store, ids[i], verdict, err);
	return rc == 0 ? count : -1;
}

/* Those that are not results, or when there is none the others. */
static int
evict_receiver(struct store *store, int max,
    const struct store_verdict *verdict, struct store_evicted *out,
    struct err *err)
{
	/* CROSS: from the receiver's rows to their events, not through all
	 * events. */
	static const char others[] =
	    "SELECT o.id, o.event_seq"
	    " FROM outbox AS o INDEXED BY outbox_queue"
	    " CROSS JOIN events AS e ON e.seq = o.event_seq"
	    " WHERE o.state = 0 AND o.receiver = ?"
	    " AND e.type NOT IN (" RESULT_TYPES ")"
	    " ORDER BY o.id LIMIT ?";
	static const char any[] =
	    "SELECT id, event_seq FROM outbox INDEXED BY outbox_queue"
	    " WHERE state = 0 AND receiver = ? ORDER BY id LIMIT ?";
	int count = evict_rows(store, others, max, verdict, out, err);

	if (count == 0)
		count = evict_rows(store, any, max, verdict, out, err);
	if (count < 0)
		return -1;
	out->count = count;
	return 0;
}

int
store_evict_outbox(
    struct store *store, struct store_evicted *out, struct err *err)
{
	const struct store_verdict verdict = {
	    .state = STORE_DEAD, .why = "the outbox was full"};
	struct store_evicted evicted = {0};
	bool own;
	int rc;

	if (store_enter(store, &own, err) != 0)
		return -1;
	rc = store_each_backlog(store, evict_take_first, &evicted, err);
	if (rc == 0)
		rc = evict_receiver(
		    store, STORE_EVICT_MAX, &verdict, &evicted, err);
	rc = store_leave(store, own, rc, err);
	if (rc == 0)
		*out = evicted;
	return rc;
}

int
store_evict_receiver(struct store *store, const char *receiver, int max,
    struct wall now, struct store_evicted *out, struct err *err)
{
	const struct store_verdict verdict = {.state = STORE_DEAD,
	    .at = now,
	    .why = "the receiver's queue was full"};
	struct store_evicted evicted = {0};
	bool own;
	int rc;

	if (store_enter(store, &own, err) != 0)
		return -1;
	snprintf(evicted.receiver, sizeof(evicted.receiver), "%s", receiver);
	rc =
	    evict_receiver(store, max < STORE_EVICT_MAX ? max : STORE_EVICT_MAX,
		&verdict, &evicted, err);
	rc = store_leave(store, own, rc, err);
	if (rc == 0)
		*out = evicted;
	return rc;
}
