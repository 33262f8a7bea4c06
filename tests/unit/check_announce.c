/*
 * What is announced is durable together with what it is about, goes to those
 * who want it, and is told to followers only once it is durable.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#include "store_fixture.h"

#include "notify/announce.h"

static const char *const all[] = {"*"};
static const char *const moves[] = {"move.*"};
static struct settings_receiver receivers[2];
static struct settings settings;
static struct store *store;
static struct announce *announce;
static char heard[512];

static void
setup_all(void)
{
	setup();
	receivers[0] = (struct settings_receiver){
	    .name = "ops", .events = all, .event_count = 1};
	receivers[1] = (struct settings_receiver){
	    .name = "chat", .events = moves, .event_count = 1};
	settings = (struct settings){
	    .site = "lab", .receivers = receivers, .receiver_count = 2};
	store = open_store();
	announce = announce_new(store, &settings);
	heard[0] = '\0';
}

static void
teardown_all(void)
{
	announce_free(announce);
	store_close(store);
	teardown();
}

static void
hear(const struct store_event *event, void *arg)
{
	(void)arg;
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard),
	    "%" PRId64 " %s;", event->seq, event->type);
}

static void
say(const char *type)
{
	struct err err = {0};

	ck_assert_msg(announce_event(announce, type, "vm/web1",
			  json_pack("{s:s}", "guest", "web1"), &err) == 0,
	    "%s", err.msg);
}

static const char *
text_of(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text != NULL ? text : "(none)";
}

START_TEST(a_body_is_a_cloudevent)
{
	json_t *data = json_pack("{s:i}", "duration_ms", 1200), *event;
	char *text = announce_format("lab", "id-1", "move.completed", "vm/web1",
	    (struct wall){1795230000123}, data);

	event = json_loads(text, 0, NULL);
	ck_assert_str_eq(text_of(event, "specversion"), "1.0");
	ck_assert_str_eq(text_of(event, "id"), "id-1");
	ck_assert_str_eq(text_of(event, "source"), "/drover/lab");
	ck_assert_str_eq(text_of(event, "type"), "drover.move.completed");
	ck_assert_str_eq(text_of(event, "subject"), "vm/web1");
	ck_assert_str_eq(text_of(event, "time"), "2026-11-21T03:00:00.123Z");
	ck_assert_str_eq(text_of(event, "datacontenttype"), "application/json");
	ck_assert_int_eq(json_integer_value(json_object_get(
			     json_object_get(event, "data"), "duration_ms")),
	    1200);
	ck_assert_str_eq(text_of(event, "severity"), "info");
	ck_assert_uint_eq(json_object_size(event), 9);
	json_decref(event);
	free(text);
	json_decref(data);
}
END_TEST

START_TEST(odd_names_still_make_a_valid_body)
{
	char *text = announce_format(
	    "rack 1/\xc3\xa4", "id", "t", "vm/\xff\n", (struct wall){0}, NULL);
	json_t *event = json_loads(text, 0, NULL);

	ck_assert_str_eq(text_of(event, "source"), "/drover/rack%201%2F%C3%A4");
	ck_assert_str_eq(text_of(event, "subject"), "vm/?\n");
	ck_assert_ptr_null(json_object_get(event, "data"));
	json_decref(event);
	free(text);
	text = announce_format("lab", "id", "t", NULL, (struct wall){0}, NULL);
	event = json_loads(text, 0, NULL);
	ck_assert_ptr_null(json_object_get(event, "subject"));
	json_decref(event);
	free(text);
}
END_TEST

START_TEST(an_event_may_be_for_some_receivers_alone)
{
	const char *const names[] = {"chat", "nobody"};
	struct err err = {0};

	ck_assert_int_eq(announce_event_to(announce, "move.completed",
			     "vm/web1", json_object(), names, 2, &err),
	    0);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " receiver = 'chat'"),
	    1);
	/* What it does not want it does not get. */
	ck_assert_int_eq(announce_event_to(announce, "host.lost", "host/kvm1",
			     json_object(), names, 2, &err),
	    0);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 1);
}
END_TEST

START_TEST(each_receiver_gets_what_it_wants)
{
	say("move.completed");
	say("host.lost");
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " receiver = 'ops'"),
	    2);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " receiver = 'chat'"),
	    1);
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(DISTINCT id) FROM"
		" events WHERE id LIKE '________-____-4___-____-____________'"),
	    2);
	settings.receiver_count = 0;
	announce_configure(announce, &settings);
	say("move.completed");
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 3);
	ck_assert_int_eq(store_last_event(store), 3);
}
END_TEST

START_TEST(followers_hear_of_what_is_durable_and_nothing_else)
{
	announce_listen(announce, hear, NULL);
	say("move.started");
	ck_assert_str_eq(heard, "");
	announce_flush(announce);
	ck_assert_str_eq(heard, "1 drover.move.started;");
	ck_assert_int_eq(store_begin(store, NULL), 0);
	say("move.completed");
	announce_flush(announce);
	ck_assert_str_eq(heard, "1 drover.move.started;");
	store_rollback(store);
	announce_forget(announce);
	announce_flush(announce);
	ck_assert_str_eq(heard, "1 drover.move.started;");
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 2);
	ck_assert_int_eq(store_begin(store, NULL), 0);
	say("move.failed");
	ck_assert_int_eq(store_commit(store, NULL), 0);
	announce_flush(announce);
	announce_flush(announce);
	ck_assert_str_eq(heard, "1 drover.move.started;2 drover.move.failed;");
	announce_unlisten(announce, hear, NULL);
	say("host.lost");
	announce_flush(announce);
	ck_assert_str_eq(heard, "1 drover.move.started;2 drover.move.failed;");
}
END_TEST

START_TEST(what_was_told_before_a_restart_is_not_told_again)
{
	say("move.started");
	announce_free(announce);
	announce = announce_new(store, &settings);
	announce_listen(announce, hear, NULL);
	announce_flush(announce);
	ck_assert_str_eq(heard, "");
}
END_TEST

/* Announces once more, and leaves. */
static void
hear_once(const struct store_event *event, void *arg)
{
	hear(event, arg);
	announce_unlisten(announce, hear_once, NULL);
	say("host.lost");
	announce_flush(announce);
}

START_TEST(a_listener_may_announce_and_leave)
{
	announce_listen(announce, hear_once, NULL);
	announce_listen(announce, hear, &heard);
	say("move.started");
	announce_flush(announce);
	ck_assert_str_eq(heard,
	    "1 drover.move.started;"
	    "1 drover.move.started;2 drover.host.lost;");
}
END_TEST

START_TEST(a_failure_leaves_neither_event_nor_delivery)
{
	struct err err = {0};
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%" PRId64,
	    query_sql(store, "PRAGMA page_count"));
	run_sql(store, sql);
	/* Until the last page is full. */
	while (announce_event(announce, "move.started", "vm/web1",
		   json_pack("{s:s}", "guest", "web1"), &err) == 0)
		continue;
	ck_assert_int_eq(err.code, ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.msg, "announce move.started"));
	ck_assert(!store_in_transaction(store));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"),
	    2 * query_sql(store, "SELECT COUNT(*) FROM events"));
	run_sql(store, "PRAGMA max_page_count=1000000");
	say("move.completed");
}
END_TEST

START_TEST(a_full_outbox_makes_room_at_the_longest_queue)
{
	run_sql(store,
	    "BEGIN; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 199999) INSERT INTO events (id,"
	    " type, at, body) SELECT 'x' || i, 'drover.move.started', 1, '{}'"
	    " FROM n; INSERT INTO outbox (event_seq, receiver, next, created)"
	    " SELECT seq, 'gone', 1, 1 FROM events; COMMIT;");
	say("move.completed");
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " state = 0 AND receiver IN ('ops', 'chat')"),
	    2);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " state = 2 AND receiver = 'gone'"),
	    STORE_EVICT_MAX);
}
END_TEST

/* ---- groups ---- */

static void
say_of_host(const char *type, const char *host)
{
	struct err err = {0};

	ck_assert_msg(announce_event(announce, type, "host/x",
			  json_pack("{s:s}", "host", host), &err) == 0,
	    "%s", err.msg);
}

static void
collect_by_host(void)
{
	settings.receiver_count = 1;
	receivers[0].group_by = RECEIVER_GROUP_HOST;
	receivers[0].group_wait_ms = 30000;
}

START_TEST(a_group_waits_as_long_as_its_first_row)
{
	collect_by_host();
	say_of_host("host.maintenance", "kvm1");
	run_sql(store, "UPDATE outbox SET next = next - 1000");
	say_of_host("host.maintenance", "kvm1");
	say_of_host("host.maintenance", "kvm2");
	ck_assert_int_eq(
	    query_sql(store, "SELECT next - created FROM outbox WHERE id = 1"),
	    29000);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(DISTINCT next) FROM outbox"
			     " WHERE id <= 2"),
	    1);
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(DISTINCT grp) FROM outbox"), 2);
	ck_assert_int_eq(
	    query_sql(store, "SELECT next - created FROM outbox WHERE id = 3"),
	    30000);
}
END_TEST

START_TEST(what_is_urgent_or_in_order_is_in_no_group)
{
	collect_by_host();
	say_of_host("move.failed", "kvm1");
	receivers[0].strict = true;
	say_of_host("host.maintenance", "kvm1");
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE grp IS NULL"
			     " AND next = created"),
	    2);
}
END_TEST

/* ---- a full queue ---- */

static int64_t evicted;

static void
count_evicted(const char *receiver, int64_t count, void *arg)
{
	(void)arg;
	ck_assert_str_eq(receiver, "ops");
	evicted += count;
}

static int64_t
events_of(int which, const char *type)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "SELECT COUNT(*) FROM outbox, events ON seq = event_seq WHERE"
	    " receiver = 'ops' AND state = %d AND type = 'drover.%s'",
	    which, type);
	return query_sql(store, sql);
}

START_TEST(a_full_queue_gives_the_oldest_up_results_last)
{
	evicted = 0;
	receivers[0].queue = 3;
	announce_on_evicted(announce, count_evicted, NULL);
	say("move.completed");
	say("move.started");
	say("move.completed");
	say("host.lost");
	ck_assert_int_eq(events_of(STORE_DEAD, "move.started"), 1);
	say("host.lost");
	say("host.lost");
	ck_assert_int_eq(events_of(STORE_DEAD, "host.lost"), 2);
	ck_assert_int_eq(events_of(STORE_PENDING, "move.completed"), 2);
	ck_assert_int_eq(events_of(STORE_PENDING, "host.lost"), 1);
	ck_assert_int_eq(evicted, 3);
	/* The other one has no such bound. */
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE"
			     " receiver = 'chat' AND state = 0"),
	    3);
}
END_TEST

START_TEST(a_full_queue_may_refuse_what_is_new)
{
	evicted = 0;
	receivers[0].queue = 2;
	receivers[0].queue_full = RECEIVER_FULL_NEWEST;
	announce_on_evicted(announce, count_evicted, NULL);
	say("move.started");
	say("host.lost");
	say("move.completed");
	ck_assert_int_eq(events_of(STORE_DEAD, "move.completed"), 1);
	ck_assert_int_eq(events_of(STORE_PENDING, "move.started"), 1);
	ck_assert_int_eq(events_of(STORE_PENDING, "host.lost"), 1);
	ck_assert_int_eq(evicted, 1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM outbox WHERE state = 2"
			     " AND ended > 0 AND why LIKE '%queue was full'"),
	    1);
}
END_TEST

/* What was written to standard error, once `fd` is it again. */
static int
lines_with(const char *path, int fd, const char *words)
{
	char line[1024];
	int count = 0;
	FILE *f;

	dup2(fd, STDERR_FILENO);
	close(fd);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		count += strstr(line, words) != NULL;
	if (f != NULL)
		fclose(f);
	return count;
}

START_TEST(a_full_queue_is_told_of_once_and_then_with_the_number)
{
	int old = dup(STDERR_FILENO), fd;
	char path[128];

	snprintf(path, sizeof(path), "%s/log", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	receivers[0].queue = 1;
	for (int i = 0; i < 11; i++)
		say("host.lost");
	announce_flush(announce);
	announce_free(announce);
	announce = NULL;
	fd = dup(old);
	ck_assert_int_eq(lines_with(path, old, "queue is full"), 2);
	ck_assert_int_eq(
	    lines_with(path, fd, "ops: its queue is full: 9 events"), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("announce");
	TCase *tcase = tcase_create("announce");

	tcase_add_checked_fixture(tcase, setup_all, teardown_all);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_body_is_a_cloudevent);
	tcase_add_test(tcase, odd_names_still_make_a_valid_body);
	tcase_add_test(tcase, each_receiver_gets_what_it_wants);
	tcase_add_test(tcase, an_event_may_be_for_some_receivers_alone);
	tcase_add_test(
	    tcase, followers_hear_of_what_is_durable_and_nothing_else);
	tcase_add_test(tcase, what_was_told_before_a_restart_is_not_told_again);
	tcase_add_test(tcase, a_listener_may_announce_and_leave);
	tcase_add_test(tcase, a_failure_leaves_neither_event_nor_delivery);
	tcase_add_test(tcase, a_full_outbox_makes_room_at_the_longest_queue);
	tcase_add_test(tcase, a_group_waits_as_long_as_its_first_row);
	tcase_add_test(tcase, what_is_urgent_or_in_order_is_in_no_group);
	tcase_add_test(tcase, a_full_queue_gives_the_oldest_up_results_last);
	tcase_add_test(tcase, a_full_queue_may_refuse_what_is_new);
	tcase_add_test(
	    tcase, a_full_queue_is_told_of_once_and_then_with_the_number);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
