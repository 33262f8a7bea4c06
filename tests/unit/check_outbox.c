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

	queue(store, add_event(store, "e1", "t"), "ops", 100);
	queue(store, 1, "chat", 100);
	queue(store, add_event(store, "e2", "t"), "ops", 200);
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
	/* Behind those that waited meanwhile. */
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

START_TEST(the_oldest_is_the_one_that_has_waited_longest)
{
	struct store *store = open_store();
	struct store_outbox_count count;
	struct err err;

	queue(store, add_event(store, "e1", "t"), "ops", 100);
	queue(store, add_event(store, "e2", "t"), "ops", 200);
	/* An operator sent the first one again. */
	run_sql(store, "UPDATE outbox SET created = 300 WHERE id = 1");
	ck_assert_int_eq(store_count_outbox(store, "ops", &count, &err), 0);
	ck_assert_int_eq(count.pending, 2);
	ck_assert_int_eq(count.oldest.ms, 200);
	store_close(store);
}
END_TEST

START_TEST(what_ends_unsent_leaves_its_batch_and_keeps_its_last_answer)
{
	static const struct store_verdict old = {
	    .state = STORE_DEAD, .at = {9}, .why = "too old"};
	struct store *store = open_store();
	struct err err;

	queue(store, add_event(store, "e1", "t"), "ops", 100);
	queue(store, add_event(store, "e2", "t"), "ops", 100);
	run_sql(store, "UPDATE outbox SET batch = 1");
	for (int i = 1; i <= 2; i++)
		ck_assert_int_eq(store_mark_outbox(store, i, STORE_PENDING, 3,
				     (struct wall){500}, 503, "busy", &err),
		    0);
	ck_assert_int_eq(store_judge_outbox(store, 1, &old, &err), 0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE id = 1"
			     " AND state = 2 AND attempts = 3 AND code = 503"
			     " AND answer = 'busy' AND why = 'too old'"
			     " AND batch = 0"),
	    1);
	/* Refused by an answer it is one of its request. */
	ck_assert_int_eq(store_mark_outbox(store, 2, STORE_DEAD, 4,
			     (struct wall){0}, 404, "who?", &err),
	    0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE id = 2"
			     " AND attempts = 4 AND code = 404"
			     " AND answer = 'who?' AND batch = 1"),
	    1);
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

/* ---- groups and batches ---- */

static void
queue_group(struct store *store, const char *id, const char *group, int64_t at,
    int64_t due)
{
	const struct store_outbox row = {.event_seq = add_event(store, id, "t"),
	    .receiver = "ops",
	    .group = group,
	    .created = {at},
	    .next = {due}};

	ck_assert_int_gt(store_queue_outbox(store, &row, NULL), 0);
}

static void
assert_batch(struct store *store, int64_t batch, const char *expected)
{
	char text[256] = "";

	ck_assert_int_eq(
	    store_each_in_batch(store, batch, copy_row, text, NULL), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(a_group_is_due_with_its_first_and_stays_what_it_was)
{
	struct store *store = open_store();
	struct wall due;

	ck_assert(!store_group_due(store, "ops", "a", &due));
	queue_group(store, "a1", "a", 100, 500);
	queue_group(store, "b1", "b", 100, 400);
	queue_group(store, "a2", "a", 200, 500);
	queue_group(store, "x", NULL, 200, 200);
	ck_assert(store_group_due(store, "ops", "a", &due));
	ck_assert_int_eq(due.ms, 500);
	ck_assert(!store_group_due(store, "chat", "a", &due));
	assert_due(store, "ops", 399, 10, "x/0 ");
	assert_due(store, "ops", 499, 10, "x/0 b1/0 ");
	ck_assert_int_eq(store_form_batch(store, "ops", "a", 1,
			     (struct wall){500}, 10, NULL),
	    0);
	assert_batch(store, 1, "a1/0 a2/0 ");
	/* One that comes later begins another. */
	queue_group(store, "a3", "a", 600, 900);
	ck_assert(store_group_due(store, "ops", "a", &due));
	ck_assert_int_eq(due.ms, 900);
	assert_due(store, "ops", 1000, 10, "x/0 b1/0 a1/0 a3/0 ");
	/* Without its first row either of the others may begin it. */
	ck_assert_int_eq(store_mark_outbox(store, 1, STORE_DEAD, 0,
			     (struct wall){0}, 0, NULL, NULL),
	    0);
	assert_batch(store, 1, "a2/0 ");
	assert_due(store, "ops", 1000, 10, "x/0 b1/0 a2/0 a3/0 ");
	ck_assert_int_eq(
	    store_leave_batch(store, 3, (struct wall){300}, NULL), 0);
	assert_batch(store, 1, "");
	store_close(store);
}
END_TEST

START_TEST(a_batch_takes_what_is_due_and_in_no_group)
{
	struct store *store = open_store();

	queue_group(store, "e1", NULL, 1, 1);
	queue_group(store, "g", "a", 1, 1);
	queue_group(store, "late", NULL, 1, 500);
	queue_group(store, "e2", NULL, 1, 1);
	queue_group(store, "e3", NULL, 1, 1);
	ck_assert_int_eq(store_form_batch(store, "ops", NULL, 1,
			     (struct wall){100}, 2, NULL),
	    0);
	assert_batch(store, 1, "e1/0 e2/0 ");
	ck_assert_int_eq(store_form_batch(store, "ops", NULL, 5,
			     (struct wall){100}, 2, NULL),
	    0);
	assert_batch(store, 5, "e3/0 ");
	store_close(store);
}
END_TEST

/* ---- what ended ---- */

START_TEST(what_ended_is_not_pending_again_by_a_late_verdict)
{
	struct store *store = open_store();
	struct store_verdict verdict = {
	    .state = STORE_DEAD, .at = {700}, .why = "older than 6h"};
	int64_t pending;

	queue(store, add_event(store, "e1", "t"), "ops", 100);
	ck_assert_int_eq(store_judge_outbox(store, 1, &verdict, NULL), 0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT ended FROM outbox WHERE"
			     " why = 'older than 6h'"),
	    700);
	verdict = (struct store_verdict){.state = STORE_PENDING, .next = {900}};
	ck_assert_int_eq(store_judge_outbox(store, 1, &verdict, NULL), 0);
	ck_assert_int_eq(query_sql(store, "SELECT state FROM outbox"), 2);
	ck_assert_int_eq(store_count_pending(store, "ops", &pending, NULL), 0);
	ck_assert_int_eq(pending, 0);
	/* But it may have been accepted all the same. */
	verdict = (struct store_verdict){.state = STORE_DELIVERED, .at = {950}};
	ck_assert_int_eq(store_judge_outbox(store, 1, &verdict, NULL), 0);
	ck_assert_int_eq(query_sql(store, "SELECT state FROM outbox"), 1);
	store_close(store);
}
END_TEST

START_TEST(pending_rows_are_counted_by_receiver)
{
	struct store *store = open_store();
	int64_t pending;

	queue(store, add_event(store, "e1", "t"), "ops", 100);
	queue(store, 1, "chat", 100);
	ck_assert_int_eq(store_begin(store, NULL), 0);
	queue(store, add_event(store, "e2", "t"), "ops", 100);
	ck_assert_int_eq(store_count_pending(store, "ops", &pending, NULL), 0);
	ck_assert_int_eq(pending, 2);
	store_rollback(store);
	ck_assert_int_eq(store_count_pending(store, "ops", &pending, NULL), 0);
	ck_assert_int_eq(pending, 1);
	ck_assert_int_eq(store_mark_outbox(store, 1, STORE_DELIVERED, 1,
			     (struct wall){0}, 200, NULL, NULL),
	    0);
	ck_assert_int_eq(store_count_pending(store, "ops", &pending, NULL), 0);
	ck_assert_int_eq(pending, 0);
	ck_assert_int_eq(store_count_pending(store, "chat", &pending, NULL), 0);
	ck_assert_int_eq(pending, 1);
	store_close(store);
}
END_TEST

START_TEST(one_receivers_oldest_give_way_results_last)
{
	struct store *store = open_store();
	struct store_evicted gone;
	struct err err;

	fill(store, 3, "ops", "drover.move.completed");
	fill(store, 3, "ops", "drover.decision.made");
	fill(store, 3, "chat", "drover.decision.made");
	ck_assert_int_eq(store_evict_receiver(
			     store, "ops", 2, (struct wall){5}, &gone, &err),
	    0);
	ck_assert_int_eq(gone.count, 2);
	ck_assert_int_eq(gone.first_seq, 4);
	ck_assert_int_eq(gone.last_seq, 5);
	ck_assert_int_eq(store_evict_receiver(
			     store, "ops", 2, (struct wall){5}, &gone, &err),
	    0);
	ck_assert_int_eq(gone.first_seq, 6);
	ck_assert_int_eq(gone.count, 1);
	ck_assert_int_eq(store_evict_receiver(
			     store, "ops", 2, (struct wall){5}, &gone, &err),
	    0);
	ck_assert_int_eq(gone.first_seq, 1);
	ck_assert_int_eq(gone.last_seq, 2);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE state = 2"
			     " AND ended = 5 AND receiver = 'ops'"
			     " AND why LIKE '%queue was full%'"),
	    5);
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
	tcase_add_test(tcase, the_oldest_is_the_one_that_has_waited_longest);
	tcase_add_test(
	    tcase, what_ends_unsent_leaves_its_batch_and_keeps_its_last_answer);
	tcase_add_test(tcase, events_are_read_in_order_from_a_place);
	tcase_add_test(tcase, old_events_go_unless_a_delivery_is_pending);
	tcase_add_test(tcase, a_full_outbox_is_an_answer_and_room_can_be_made);
	tcase_add_test(
	    tcase, a_group_is_due_with_its_first_and_stays_what_it_was);
	tcase_add_test(tcase, a_batch_takes_what_is_due_and_in_no_group);
	tcase_add_test(
	    tcase, what_ended_is_not_pending_again_by_a_late_verdict);
	tcase_add_test(tcase, pending_rows_are_counted_by_receiver);
	tcase_add_test(tcase, one_receivers_oldest_give_way_results_last);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
