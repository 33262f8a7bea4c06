/*
 * Events and the outbox: what is due when, what survives, and what gives way
 * once there is too much of it.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store_fixture.h"

static void
copy_row(const struct store_outbox *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%s/%d ", row->event_id,
	    row->attempts);
}

static void
assert_due(struct store *store, const char *receiver, int64_t now, int max,
    const char *expected)
{
	char text[256] = "";
	struct err err;

	ck_assert_int_eq(store_each_due(store, receiver, (struct wall){now},
			     max, copy_row, text, &err),
	    0);
	ck_assert_str_eq(text, expected);
}

static void
queue(struct store *store, int64_t seq, const char *receiver, int64_t at)
{
	struct err err = {0};

	ck_assert_msg(store_add_outbox(
			  store, seq, receiver, (struct wall){at}, &err) == 0,
	    "%s", err.msg);
}

START_TEST(deliveries_fall_due_and_survive_with_their_time)
{
	struct store *store = open_store();
	struct store_outbox_count count;
	struct wall due;
	struct err err;

	ck_assert(!store_next_due(store, &due));
	queue(store, add_event(store, "e1", "t"), "ops", 100);
	queue(store, 1, "chat", 100);
	queue(store, add_event(store, "e2", "t"), "ops", 200);
	ck_assert(store_next_due(store, &due));
	ck_assert_int_eq(due.ms, 100);
	assert_due(store, "ops", 99, 10, "");
	assert_due(store, "ops", 100, 10, "e1/0 ");
	assert_due(store, "ops", 200, 10, "e1/0 e2/0 ");
	assert_due(store, "ops", 200, 1, "e1/0 ");
	/* e1 failed and waits until 500. */
	ck_assert_int_eq(store_mark_outbox(store, 1, STORE_PENDING, 1,
			     (struct wall){500}, 500, "oops", &err),
	    0);
	store_close(store);
	store = open_store();
	assert_due(store, "ops", 400, 10, "e2/0 ");
	/* Fewer attempts go first. */
	assert_due(store, "ops", 500, 10, "e2/0 e1/1 ");
	ck_assert(store_receiver_due(store, "ops", (struct wall){400}, &due));
	ck_assert_int_eq(due.ms, 500);
	ck_assert(!store_receiver_due(store, "ops", (struct wall){500}, &due));
	ck_assert_int_eq(store_mark_outbox(store, 1, STORE_DELIVERED, 2,
			     (struct wall){0}, 204, NULL, &err),
	    0);
	ck_assert_int_eq(store_mark_outbox(store, 3, STORE_DEAD, 1,
			     (struct wall){0}, 404, "who?", &err),
	    0);
	ck_assert_int_eq(store_mark_outbox(store, 99, STORE_DEAD, 1,
			     (struct wall){0}, 404, "who?", &err),
	    -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	assert_due(store, "ops", 10000, 10, "");
	assert_due(store, "chat", 10000, 10, "e1/0 ");
	ck_assert_int_eq(store_count_outbox(store, "ops", &count, &err), 0);
	ck_assert_int_eq(count.pending, 0);
	ck_assert_int_eq(count.dead, 1);
	ck_assert_int_eq(count.oldest.ms, 0);
	ck_assert_int_eq(store_count_outbox(store, "chat", &count, &err), 0);
	ck_assert_int_eq(count.pending, 1);
	ck_assert_int_eq(count.oldest.ms, 100);
	store_close(store);
}
END_TEST

static void
count_event(const struct store_event *event, void *arg)
{
	int64_t *last = arg;

	ck_assert_int_gt(event->seq, *last);
	*last = event->seq;
}

START_TEST(events_are_read_in_order_from_a_place)
{
	struct store *store = open_store();
	struct err err;
	int64_t last = 1;

	add_event(store, "e1", "t");
	add_event(store, "e2", "t");
	add_event(store, "e3", "t");
	ck_assert_int_eq(
	    store_each_event(store, 1, 1, count_event, &last, &err), 0);
	ck_assert_int_eq(last, 2);
	ck_assert_int_eq(
	    store_each_event(store, 2, 10, count_event, &last, &err), 0);
	ck_assert_int_eq(last, 3);
	store_close(store);
}
END_TEST

/* As many events with a pending delivery each as `count`, quickly. */
static void
fill(struct store *store, int count, const char *receiver, const char *type)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
	    "BEGIN; WITH RECURSIVE n (i) AS (SELECT 1"
	    " UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO events"
	    " (id, type, at, body) SELECT '%s%s' || i, '%s', 1, '{}' FROM n;"
	    " INSERT INTO outbox (event_seq, receiver, next, created) SELECT"
	    " seq, '%s', 1, 1 FROM events WHERE type = '%s' AND NOT EXISTS"
	    " (SELECT 1 FROM outbox WHERE event_seq = seq); COMMIT;",
	    count, receiver, type, type, receiver, type);
	run_sql(store, sql);
	store->pending = -1;
}

START_TEST(old_events_go_unless_a_delivery_is_pending)
{
	struct store *store = open_store();
	const int owed = 500, extra = 2000;
	struct err err;
	char id[32];

	fill(store, owed, "ops", "owed");
	fill(store, STORE_EVENTS_MAX, "chat", "done");
	run_sql(store, "UPDATE outbox SET state = 1 WHERE receiver = 'chat'");
	ck_assert_int_eq(store_begin(store, &err), 0);
	for (int i = 0; i < extra; i++) {
		snprintf(id, sizeof(id), "new%d", i);
		add_event(store, id, "new");
	}
	ck_assert_int_eq(store_commit(store, &err), 0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " type = 'owed'"),
	    owed);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " type = 'new'"),
	    extra);
	ck_assert_int_le(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " type = 'done'"),
	    STORE_EVENTS_MAX - extra + 64);
	ck_assert_int_ge(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " type = 'done'"),
	    STORE_EVENTS_MAX - extra);
	/* The deliveries went with their events. */
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(*) FROM outbox LEFT"
		" JOIN events ON seq = event_seq WHERE seq IS NULL"),
	    0);
	/* Paid, they go too. */
	run_sql(store, "UPDATE outbox SET state = 1 WHERE receiver = 'ops'");
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "more%d", i);
		add_event(store, id, "more");
	}
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " type = 'owed'"),
	    0);
	store_close(store);
}
END_TEST

START_TEST(a_full_outbox_is_an_answer_and_room_can_be_made)
{
	struct store *store = open_store();
	struct store_evicted gone;
	struct err err;
	int64_t seq;

	fill(store, 1000, "quick", "drover.move.completed");
	fill(store, STORE_OUTBOX_MAX - 1150, "slow", "drover.move.completed");
	fill(store, 150, "slow", "drover.decision.made");
	seq = add_event(store, "last", "drover.move.completed");
	ck_assert_int_eq(store_begin(store, &err), 0);
	ck_assert_int_eq(
	    store_add_outbox(store, seq, "quick", (struct wall){1}, &err), -1);
	ck_assert_int_eq(err.code, ERR_LIMIT);
	/* That was an answer: the transaction is fine.  What gives way are
	 * the oldest of the longest queue, results last. */
	ck_assert_int_eq(store_evict_outbox(store, &gone, &err), 0);
	ck_assert_str_eq(gone.receiver, "slow");
	ck_assert_int_eq(gone.count, 150);
	ck_assert_int_eq(gone.first_seq, STORE_OUTBOX_MAX - 149);
	ck_assert_int_eq(gone.last_seq, STORE_OUTBOX_MAX);
	queue(store, seq, "quick", 1);
	ck_assert_int_eq(store_commit(store, &err), 0);
	ck_assert_int_eq(store->pending, STORE_OUTBOX_MAX - 149);
	ck_assert_int_eq(store_evict_outbox(store, &gone, &err), 0);
	ck_assert_int_eq(gone.count, STORE_EVICT_MAX);
	ck_assert_int_eq(gone.first_seq, 1001);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " receiver = 'quick' AND state <> 0"),
	    0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " state = 2"),
	    150 + STORE_EVICT_MAX);
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tcase = tcase_create("outbox");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, deliveries_fall_due_and_survive_with_their_time);
	tcase_add_test(tcase, events_are_read_in_order_from_a_place);
	tcase_add_test(tcase, old_events_go_unless_a_delivery_is_pending);
	tcase_add_test(tcase, a_full_outbox_is_an_answer_and_room_can_be_made);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
