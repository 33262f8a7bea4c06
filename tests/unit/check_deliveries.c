/*
 * Deliveries as operators see and handle them: pages of the queue and of the
 * dead letters, one with its attempts, "again" and "no more".
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store_fixture.h"

#define NOW ((struct wall){5000})

static int64_t
queue(struct store *store, const char *id, const char *receiver)
{
	struct err err = {0};
	int64_t seq = add_event(store, id, "drover.move.completed");

	ck_assert_msg(store_add_outbox(
			  store, seq, receiver, (struct wall){1000}, &err) == 0,
	    "%s", err.msg);
	return query_sql(store, "SELECT MAX(id) FROM outbox");
}

static void
mark(struct store *store, int64_t id, enum store_delivery becomes, int attempts)
{
	struct err err = {0};

	ck_assert_msg(store_mark_outbox(store, id, becomes, attempts,
			  (struct wall){9000}, 400, "no", &err) == 0,
	    "%s", err.msg);
}

static int64_t
count(struct store *store, const char *where)
{
	char sql[256];

	snprintf(
	    sql, sizeof(sql), "SELECT COUNT(*) FROM outbox WHERE %s", where);
	return query_sql(store, sql);
}

static void
note_row(const struct store_delivery_row *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%" PRId64 ":%s ",
	    row->id, row->receiver);
}

static void
assert_rows(struct store *store, const char *receiver, int which,
    int64_t before, int max, const char *expected)
{
	const struct store_delivery_filter filter = {
	    receiver, which, before, max};
	char text[256] = "";
	struct err err = {0};

	ck_assert_msg(
	    store_each_delivery(store, &filter, note_row, text, &err) == 0,
	    "%s", err.msg);
	ck_assert_str_eq(text, expected);
}

START_TEST(the_queue_is_read_in_pages_by_receiver_and_state)
{
	struct store *store = open_store();

	queue(store, "e1", "ops");
	queue(store, "e2", "chat");
	queue(store, "e3", "ops");
	queue(store, "e4", "ops");
	mark(store, 3, STORE_DEAD, 1);
	mark(store, 4, STORE_DELIVERED, 1);
	assert_rows(store, NULL, -1, 0, 0, "4:ops 3:ops 2:chat 1:ops ");
	assert_rows(store, NULL, STORE_PENDING, 0, 0, "2:chat 1:ops ");
	assert_rows(store, "ops", STORE_PENDING, 0, 0, "1:ops ");
	assert_rows(store, "ops", STORE_DEAD, 0, 0, "3:ops ");
	assert_rows(store, NULL, -1, 0, 2, "4:ops 3:ops ");
	assert_rows(store, NULL, -1, 3, 2, "2:chat 1:ops ");
	assert_rows(store, "nobody", -1, 0, 0, "");
	store_close(store);
}
END_TEST

static void
check_row(const struct store_delivery_row *row, void *arg)
{
	bool *seen = arg;

	ck_assert_int_eq(row->id, 1);
	ck_assert_int_eq(row->event_seq, 1);
	ck_assert_int_eq(row->state, STORE_DEAD);
	ck_assert_int_eq(row->attempts, 2);
	ck_assert_int_eq(row->code, 400);
	ck_assert_int_eq(row->created.ms, 1000);
	ck_assert_str_eq(row->answer, "no");
	ck_assert_str_eq(row->webhook_id, "e1");
	ck_assert_ptr_null(row->error);
	ck_assert_str_eq(row->type, "drover.move.completed");
	ck_assert_str_eq(row->body, "{}");
	ck_assert_int_eq(row->batch, 0);
	ck_assert(!row->grouped);
	*seen = true;
}

START_TEST(one_delivery_is_shown_whole_and_a_missing_one_is_said)
{
	struct store *store = open_store();
	struct err err = {0};
	bool seen = false;

	queue(store, "e1", "ops");
	mark(store, 1, STORE_DEAD, 2);
	ck_assert_int_eq(
	    store_get_delivery(store, 1, check_row, &seen, &err), 0);
	ck_assert(seen);
	ck_assert_int_eq(
	    store_get_delivery(store, 2, check_row, &seen, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	store_close(store);
}
END_TEST

static void
note_request(const struct store_delivery_row *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%" PRId64 ":%s/%s ",
	    row->id, row->webhook_id, row->error != NULL ? row->error : "-");
}

START_TEST(what_goes_in_one_request_has_its_id_and_its_error)
{
	const struct store_delivery_filter all = {NULL, -1, 0, 0};
	struct store *store = open_store();
	struct err err = {0};
	char text[256] = "";

	queue(store, "e1", "ops");
	queue(store, "e2", "ops");
	queue(store, "e3", "ops");
	run_sql(store, "UPDATE outbox SET batch = 1 WHERE id <= 2");
	run_sql(store,
	    "INSERT INTO attempts (outbox_id, receiver, at, took, events,"
	    " code, error) VALUES (1,'ops',10,5,2,0,'old'), (1,'ops',20,5,2,0,"
	    " 'refused'), (3,'ops',20,5,1,503,NULL)");
	ck_assert_int_eq(
	    store_each_delivery(store, &all, note_request, text, &err), 0);
	ck_assert_str_eq(text, "3:e3/- 2:e1/refused 1:e1/refused ");
	/* Without its first, each goes alone. */
	run_sql(store, "UPDATE outbox SET state = 2 WHERE id = 1");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_delivery(store, &all, note_request, text, &err), 0);
	ck_assert_str_eq(text, "3:e3/- 2:e2/- 1:e1/refused ");
	store_close(store);
}
END_TEST

/* ---- attempts ---- */

static void
note_attempt(const struct store_attempt_row *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out),
	    "%" PRId64 "/%" PRId64 "/%d/%s/%s ", row->id, row->outbox_id,
	    row->code, row->error != NULL ? row->error : "-",
	    row->answer != NULL ? row->answer : "-");
}

START_TEST(attempts_are_those_of_a_receiver_or_of_a_delivery_and_its_batch)
{
	struct store *store = open_store();
	struct err err = {0};
	char text[256] = "";

	for (int i = 0; i < 4; i++)
		queue(store, (const char *[]){"e1", "e2", "e3", "e4"}[i],
		    i == 3 ? "chat" : "ops");
	run_sql(store, "UPDATE outbox SET batch = 1 WHERE id <= 2");
	run_sql(store,
	    "INSERT INTO attempts (outbox_id, receiver, at, took, events,"
	    " code, error, answer) VALUES (1,'ops',10,5,2,503,NULL,'busy'),"
	    " (3,'ops',20,6,1,0,'refused',NULL), (4,'chat',30,7,1,204,NULL,"
	    " NULL), (1,'ops',40,8,2,200,NULL,NULL)");
	ck_assert_int_eq(
	    store_each_attempt(store, NULL, 0, 0, note_attempt, text, &err), 0);
	ck_assert_str_eq(
	    text, "4/1/200/-/- 3/4/204/-/- 2/3/0/refused/- 1/1/503/-/busy ");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_attempt(store, "ops", 4, 1, note_attempt, text, &err),
	    0);
	ck_assert_str_eq(text, "2/3/0/refused/- ");
	text[0] = '\0';
	/* The second of the batch took part in its first row's requests. */
	ck_assert_int_eq(
	    store_each_attempt_at(store, 2, 0, note_attempt, text, &err), 0);
	ck_assert_str_eq(text, "4/1/200/-/- 1/1/503/-/busy ");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_each_attempt_at(store, 3, 0, note_attempt, text, &err), 0);
	ck_assert_str_eq(text, "2/3/0/refused/- ");
	store_close(store);
}
END_TEST

/* ---- counts ---- */

static void
note_count(const struct store_receiver_count *row, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out),
	    "%s:%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 " ",
	    row->receiver, row->pending, row->dead, row->oldest_id,
	    row->last_dead_id, row->oldest.ms);
}

START_TEST(receivers_are_counted_whether_configured_or_not)
{
	struct store *store = open_store();
	struct err err = {0};
	char text[256] = "";

	queue(store, "e1", "ops");
	queue(store, "e2", "ops");
	queue(store, "e3", "gone");
	queue(store, "e4", "gone");
	queue(store, "e5", "quiet");
	mark(store, 1, STORE_DELIVERED, 1);
	mark(store, 3, STORE_DEAD, 1);
	mark(store, 4, STORE_DEAD, 1);
	mark(store, 5, STORE_DELIVERED, 1);
	ck_assert_int_eq(store_each_receiver(store, note_count, text, &err), 0);
	ck_assert_str_eq(text, "gone:0,2,0,4,0 ops:1,0,2,0,1000 ");
	/* What is sent again is as old as that word, whatever its number. */
	ck_assert_int_eq(store_replay_delivery(store, 1, NOW, &err), 0);
	text[0] = '\0';
	ck_assert_int_eq(store_each_receiver(store, note_count, text, &err), 0);
	ck_assert_str_eq(text, "gone:0,2,0,4,0 ops:2,0,2,0,1000 ");
	store_close(store);
}
END_TEST

/* ---- again ---- */

START_TEST(again_makes_a_dead_letter_new_but_for_its_id)
{
	struct store *store = open_store();
	struct err err = {0};

	queue(store, "e1", "ops");
	mark(store, 1, STORE_DEAD, 7);
	ck_assert_int_eq(store_replay_delivery(store, 1, NOW, &err), 0);
	ck_assert_int_eq(
	    count(store,
		"id = 1 AND state = 0 AND attempts = 0 AND code = 0 AND"
		" next = 5000 AND created = 5000 AND answer IS NULL AND"
		" why IS NULL AND event_seq = 1"),
	    1);
	/* Now it is pending. */
	ck_assert_int_eq(store_replay_delivery(store, 1, NOW, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_int_eq(store_replay_delivery(store, 9, NOW, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	mark(store, 1, STORE_DELIVERED, 1);
	ck_assert_int_eq(store_replay_delivery(store, 1, NOW, &err), 0);
	ck_assert_int_eq(count(store, "state = 0"), 1);
	store_close(store);
}
END_TEST

START_TEST(again_to_one_of_a_batch_is_again_to_all_of_it)
{
	struct store *store = open_store();
	struct err err = {0};

	for (int i = 0; i < 4; i++)
		queue(
		    store, (const char *[]){"e1", "e2", "e3", "e4"}[i], "ops");
	run_sql(store, "UPDATE outbox SET batch = 1 WHERE id <= 3");
	run_sql(store, "UPDATE outbox SET state = 2");
	ck_assert_int_eq(store_replay_delivery(store, 2, NOW, &err), 0);
	ck_assert_int_eq(count(store, "state = 0 AND batch = 1"), 3);
	ck_assert_int_eq(count(store, "state = 2 AND id = 4"), 1);
	/* Those of no batch are not one batch. */
	run_sql(store, "UPDATE outbox SET state = 2, batch = 0");
	ck_assert_int_eq(store_replay_delivery(store, 2, NOW, &err), 0);
	ck_assert_int_eq(count(store, "state = 0"), 1);
	store_close(store);
}
END_TEST

START_TEST(the_oldest_dead_letters_of_a_receiver_go_first)
{
	struct store *store = open_store();
	struct err err = {0};
	int64_t replayed = 0;

	for (int i = 0; i < 4; i++)
		queue(store, (const char *[]){"e1", "e2", "e3", "e4"}[i],
		    i == 0 ? "chat" : "ops");
	run_sql(store, "UPDATE outbox SET state = 2");
	ck_assert_int_eq(
	    store_replay_dead(store, "ops", 2, NOW, &replayed, &err), 0);
	ck_assert_int_eq(replayed, 2);
	ck_assert_int_eq(count(store, "state = 0 AND id IN (2, 3)"), 2);
	ck_assert_int_eq(
	    store_replay_dead(store, "ops", 1000, NOW, &replayed, &err), 0);
	ck_assert_int_eq(replayed, 1);
	ck_assert_int_eq(count(store, "state = 2"), 1);
	store_close(store);
}
END_TEST

START_TEST(again_keeps_to_the_bound_of_the_queue)
{
	struct store *store = open_store();
	struct err err = {0};
	int64_t replayed = 0;

	queue(store, "e1", "ops");
	mark(store, 1, STORE_DEAD, 1);
	run_sql(store,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 200000) INSERT INTO outbox (event_seq, receiver, next,"
	    " created) SELECT 1, 'slow', 0, 0 FROM n");
	store->pending = -1; /* behind its back */
	ck_assert_int_eq(STORE_OUTBOX_MAX, 200000);
	ck_assert_int_eq(store_replay_delivery(store, 1, NOW, &err), -1);
	ck_assert_int_eq(err.code, ERR_LIMIT);
	ck_assert_int_eq(
	    store_replay_dead(store, "ops", 10, NOW, &replayed, &err), 0);
	ck_assert_int_eq(replayed, 0);
	store_close(store);
}
END_TEST

/* ---- no more ---- */

START_TEST(what_is_dropped_is_a_dead_letter_and_then_gone)
{
	struct store *store = open_store();
	struct err err = {0};

	queue(store, "e1", "ops");
	queue(store, "e2", "ops");
	ck_assert_int_eq(
	    store_drop_delivery(store, 1, "dropped by uid 0", NOW, &err), 0);
	ck_assert_int_eq(count(store,
			     "id = 1 AND state = 2 AND ended = 5000 AND"
			     " why = 'dropped by uid 0'"),
	    1);
	run_sql(store,
	    "INSERT INTO attempts (outbox_id, receiver, at, took, events,"
	    " code) VALUES (1,'ops',10,5,1,503)");
	ck_assert_int_eq(store_drop_delivery(store, 1, "", NOW, &err), 0);
	ck_assert_int_eq(count(store, "id = 1"), 0);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM attempts"), 0);
	ck_assert_int_eq(store_drop_delivery(store, 1, "", NOW, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	mark(store, 2, STORE_DELIVERED, 1);
	ck_assert_int_eq(store_drop_delivery(store, 2, "", NOW, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_int_eq(count(store, "id = 2 AND state = 1"), 1);
	store_close(store);
}
END_TEST

START_TEST(all_of_one_receiver_are_dropped_and_no_others)
{
	struct store *store = open_store();
	struct err err = {0};
	int64_t n = 0;

	queue(store, "e1", "ops");
	queue(store, "e2", "chat");
	queue(store, "e3", "ops");
	queue(store, "e4", "ops");
	mark(store, 4, STORE_DELIVERED, 1);
	ck_assert_int_eq(
	    store_drop_pending(store, "ops", 100, "said so", NOW, &n, &err), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(count(store, "state = 2 AND why = 'said so'"), 2);
	ck_assert_int_eq(store_drop_dead(store, "chat", 100, &n, &err), 0);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(store_drop_dead(store, "ops", 100, &n, &err), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(count(store, "1"), 2);
	store_close(store);
}
END_TEST

START_TEST(what_is_dropped_alone_is_sent_again_alone)
{
	struct store *store = open_store();
	struct err err = {0};
	int64_t n;

	for (int i = 0; i < 4; i++)
		queue(
		    store, (const char *[]){"e1", "e2", "e3", "e4"}[i], "ops");
	run_sql(store, "UPDATE outbox SET batch = 1");
	ck_assert_int_eq(store_drop_delivery(store, 2, "x", NOW, &err), 0);
	mark(store, 1, STORE_DELIVERED, 1);
	mark(store, 3, STORE_DELIVERED, 1);
	ck_assert_int_eq(
	    store_drop_pending(store, "ops", 100, "x", NOW, &n, &err), 0);
	ck_assert_int_eq(store_replay_delivery(store, 2, NOW, &err), 0);
	ck_assert_int_eq(count(store, "state = 0"), 1);
	ck_assert_int_eq(store_replay_delivery(store, 4, NOW, &err), 0);
	ck_assert_int_eq(count(store, "state = 0"), 2);
	ck_assert_int_eq(count(store, "state = 1"), 2);
	store_close(store);
}
END_TEST

START_TEST(a_long_queue_is_dropped_in_slices)
{
	struct store *store = open_store();
	struct err err = {0};
	int64_t n;

	for (int i = 0; i < 3; i++)
		queue(store, (const char *[]){"e1", "e2", "e3"}[i], "ops");
	ck_assert_int_eq(
	    store_drop_pending(store, "ops", 2, "x", NOW, &n, &err), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(count(store, "state = 2 AND id <= 2"), 2);
	ck_assert_int_eq(store_drop_dead(store, "ops", 1, &n, &err), 0);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(count(store, "id = 1"), 0);
	ck_assert_int_eq(count(store, "1"), 2);
	store_close(store);
}
END_TEST

/* The bound is kept by a count that others keep: it must follow. */
static void
take_pending(const char *receiver, int64_t pending, void *arg)
{
	(void)receiver;
	*(int64_t *)arg += pending;
}

START_TEST(the_count_of_what_is_pending_follows_each_word)
{
	struct store *store = open_store();
	struct err err = {0};
	int64_t n, pending;

	for (int i = 0; i < 6; i++)
		queue(store,
		    (const char *[]){"e1", "e2", "e3", "e4", "e5", "e6"}[i],
		    "ops");
	ck_assert_int_eq(store_drop_delivery(store, 1, "x", NOW, &err), 0);
	ck_assert_int_eq(
	    store_drop_pending(store, "ops", 100, "x", NOW, &n, &err), 0);
	ck_assert_int_eq(store_replay_delivery(store, 2, NOW, &err), 0);
	ck_assert_int_eq(store_replay_dead(store, "ops", 2, NOW, &n, &err), 0);
	queue(store, "e7", "ops");
	pending = 0;
	ck_assert_int_eq(
	    store_each_backlog(store, take_pending, &pending, &err), 0);
	ck_assert_int_eq(pending, 4);
	ck_assert_int_eq(store->pending, 4);
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deliveries");
	TCase *tc = tcase_create("deliveries");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_queue_is_read_in_pages_by_receiver_and_state);
	tcase_add_test(
	    tc, one_delivery_is_shown_whole_and_a_missing_one_is_said);
	tcase_add_test(tc, what_goes_in_one_request_has_its_id_and_its_error);
	tcase_add_test(tc,
	    attempts_are_those_of_a_receiver_or_of_a_delivery_and_its_batch);
	tcase_add_test(tc, receivers_are_counted_whether_configured_or_not);
	tcase_add_test(tc, again_makes_a_dead_letter_new_but_for_its_id);
	tcase_add_test(tc, again_to_one_of_a_batch_is_again_to_all_of_it);
	tcase_add_test(tc, the_oldest_dead_letters_of_a_receiver_go_first);
	tcase_add_test(tc, again_keeps_to_the_bound_of_the_queue);
	tcase_add_test(tc, what_is_dropped_is_a_dead_letter_and_then_gone);
	tcase_add_test(tc, all_of_one_receiver_are_dropped_and_no_others);
	tcase_add_test(tc, what_is_dropped_alone_is_sent_again_alone);
	tcase_add_test(tc, a_long_queue_is_dropped_in_slices);
	tcase_add_test(tc, the_count_of_what_is_pending_follows_each_word);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
