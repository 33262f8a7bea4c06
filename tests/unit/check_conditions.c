/*
 * What is wrong now: it is there after a restart and after a crash as the events
 * said, there are never too many, and who was told that it began is told that it
 * ended.
 */
#include <inttypes.h>

#include "notify/announce.h"
#include "notify/conditions.h"
#include "store_fixture.h"

#include "base/log.h"

static struct store *store;
static char text[4096];

static void
open_all(void)
{
	setup();
	store = open_store();
	log_set_level(LOG_LEVEL_ERROR);
}

static void
close_all(void)
{
	store_close(store);
	teardown();
}

static void
add_text(const struct store_condition *row, void *arg)
{
	size_t used = strlen(text);

	(void)arg;
	snprintf(text + used, sizeof(text) - used, "%s %s %" PRId64 " %s;",
	    row->key, row->type, row->since.ms, row->body);
}

static const char *
each(void)
{
	text[0] = '\0';
	ck_assert_int_eq(store_each_condition(store, add_text, NULL, NULL), 0);
	return text;
}

static int64_t
how_many(void)
{
	return query_sql(store, "SELECT COUNT(*) FROM conditions");
}

static void
put(const char *key, const char *type, int64_t since, const char *body)
{
	const struct store_condition row = {key, type, body, {since}};
	struct err err = {0};

	ck_assert_msg(
	    store_put_condition(store, &row, NULL, &err) == 0, "%s", err.msg);
}

/* ---- rows ---- */

START_TEST(a_condition_is_on_since_it_began_and_has_its_last_event)
{
	struct err err = {0};

	put("host-lost/kvm2", "drover.host.lost", 20, "{\"n\":1}");
	put("host-lost/kvm1", "drover.host.lost", 10, "{}");
	put("host-lost/kvm2", "drover.host.lost", 30, "{\"n\":2}");
	store_close(store);
	store = open_store();
	ck_assert_str_eq(each(),
	    "host-lost/kvm1 drover.host.lost 10 {};"
	    "host-lost/kvm2 drover.host.lost 20 {\"n\":2};");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_find_condition(store, "host-lost/kvm1", add_text, NULL, &err),
	    0);
	ck_assert_str_eq(text, "host-lost/kvm1 drover.host.lost 10 {};");
	text[0] = '\0';
	ck_assert_int_eq(
	    store_find_condition(store, "host-lost", add_text, NULL, &err), 0);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(
	    store_remove_condition(store, "host-lost/kvm1", &err), 0);
	ck_assert_int_eq(
	    store_remove_condition(store, "host-lost/kvm1", &err), 0);
	ck_assert_int_eq(how_many(), 1);
}
END_TEST

START_TEST(of_too_many_conditions_the_oldest_goes)
{
	const struct store_condition row = {"k/last", "t", "{}", {5000}};
	struct err err = {0};
	int gone = -1;

	ck_assert_int_eq(store_begin(store, &err), 0);
	for (int i = 0; i < STORE_CONDITIONS_MAX; i++) {
		char key[32];

		snprintf(key, sizeof(key), "k/%d", i);
		put(key, "t", 1000 + i, "{}");
	}
	ck_assert_int_eq(store_commit(store, &err), 0);
	ck_assert_int_eq(how_many(), STORE_CONDITIONS_MAX);
	ck_assert_int_eq(store_put_condition(store, &row, &gone, &err), 0);
	ck_assert_int_eq(gone, 1);
	ck_assert_int_eq(how_many(), STORE_CONDITIONS_MAX);
	ck_assert_int_eq(
	    query_sql(
		store, "SELECT COUNT(*) FROM conditions WHERE key IN ('k/0')"),
	    0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM conditions WHERE key IN"
			     " ('k/1', 'k/last')"),
	    2);
	/* One that is on is no further one. */
	ck_assert_int_eq(store_put_condition(store, &row, &gone, &err), 0);
	ck_assert_int_eq(gone, 0);
}
END_TEST

/* ---- events ---- */

static struct conditions_change change;

static void
apply(const char *type, int64_t at, json_t *data)
{
	json_t *event = json_pack("{s:s, s:s, s:O}", "id", "e-1", "source",
	    "/drover/lab", "data", data);
	struct store_event row = {
	    .id = "e-1", .type = type, .at = {at}, .seq = 1};
	struct err err = {0};
	char *body = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);

	conditions_free(&change);
	row.body = body;
	ck_assert_msg(conditions_apply(store, &row, data, &change, &err) == 0,
	    "%s", err.msg);
	free(body);
	json_decref(event);
	json_decref(data);
}

static json_t *
of_host(const char *host)
{
	return json_pack("{s:s}", "host", host);
}

START_TEST(events_raise_and_resolve)
{
	apply("drover.host.lost", 10, of_host("kvm1"));
	ck_assert_int_eq(change.effect, CATALOG_RAISES);
	ck_assert_ptr_null(change.type);
	apply("drover.host.lost", 20, of_host("kvm2"));
	apply("drover.host.maintenance", 25,
	    json_pack("{s:s, s:b, s:b}", "host", "kvm1", "maintenance", 1,
		"cordoned", 1));
	ck_assert_int_eq(change.effect, CATALOG_NOTHING);
	apply("drover.host.lost", 30, of_host("kvm1"));
	ck_assert_str_eq(change.type, "drover.host.lost");
	ck_assert_int_eq(how_many(), 2);
	apply("drover.host.recovered", 40, of_host("kvm1"));
	ck_assert_int_eq(change.effect, CATALOG_RESOLVES);
	ck_assert_str_eq(change.type, "drover.host.lost");
	ck_assert_str_eq(each(),
	    "host-lost/kvm2 drover.host.lost 20 {\"data\":"
	    "{\"host\":\"kvm2\"},\"id\":\"e-1\",\"source\":\"/drover/lab\"};");
	/* What is not on does not end. */
	apply("drover.host.recovered", 50, of_host("kvm1"));
	ck_assert_int_eq(change.effect, CATALOG_RESOLVES);
	ck_assert_ptr_null(change.type);
}
END_TEST

START_TEST(what_is_rolled_back_did_not_happen)
{
	ck_assert_int_eq(store_begin(store, NULL), 0);
	apply("drover.host.lost", 10, of_host("kvm1"));
	store_rollback(store);
	ck_assert_int_eq(how_many(), 0);
	apply("drover.host.lost", 10, of_host("kvm1"));
	ck_assert_int_eq(store_begin(store, NULL), 0);
	apply("drover.host.recovered", 20, of_host("kvm1"));
	ck_assert_int_eq(how_many(), 0);
	store_rollback(store);
	ck_assert_int_eq(how_many(), 1);
}
END_TEST

START_TEST(after_a_restart_it_is_known_what_an_event_would_end)
{
	json_t *kvm1 = of_host("kvm1"), *kvm2 = of_host("kvm2");

	apply("drover.host.lost", 10, of_host("kvm1"));
	store_close(store);
	store = open_store();
	ck_assert(conditions_would_end(store, "host.recovered", kvm1));
	ck_assert(!conditions_would_end(store, "host.recovered", kvm2));
	ck_assert(!conditions_would_end(store, "host.lost", kvm1));
	ck_assert(!conditions_would_end(store, "config.accepted", NULL));
	json_decref(kvm1);
	json_decref(kvm2);
}
END_TEST

/* ---- who is told ---- */

static struct settings_receiver
receiver_of(enum receiver_kind kind, const char *const *events)
{
	return (struct settings_receiver){
	    .name = "r", .kind = kind, .events = events, .event_count = 1};
}

static bool
wants(const struct settings_receiver *receiver, const char *type, json_t *data)
{
	struct receiver_event event = catalog_event(type, data);
	bool wanted = conditions_wants(receiver, &change, &event);

	json_decref(data);
	return wanted;
}

START_TEST(who_wanted_the_beginning_is_told_of_the_end)
{
	static const char *const all[] = {"*"}, *const lost[] = {"host.lost"},
				 *const moves[] = {"move.*"};
	struct settings_receiver grave = receiver_of(RECEIVER_PAGERDUTY, all);
	struct settings_receiver named =
	    receiver_of(RECEIVER_ALERTMANAGER, lost);
	struct settings_receiver other =
	    receiver_of(RECEIVER_ALERTMANAGER, moves);
	struct settings_receiver chat = receiver_of(RECEIVER_SLACK, all);

	grave.severity = chat.severity = RECEIVER_ERROR;
	apply("drover.host.lost", 10, of_host("kvm1"));
	ck_assert(wants(&grave, "host.lost", of_host("kvm1")));
	ck_assert(wants(&named, "host.lost", of_host("kvm1")));
	ck_assert(!wants(&other, "host.lost", of_host("kvm1")));
	ck_assert(wants(&chat, "host.lost", of_host("kvm1")));
	apply("drover.host.recovered", 20, of_host("kvm1"));
	/* It is harmless, and of another type. */
	ck_assert(wants(&grave, "host.recovered", of_host("kvm1")));
	ck_assert(wants(&named, "host.recovered", of_host("kvm1")));
	ck_assert(!wants(&other, "host.recovered", of_host("kvm1")));
	ck_assert(!wants(&chat, "host.recovered", of_host("kvm1")));
	/* Nobody was told that it began. */
	apply("drover.host.recovered", 30, of_host("kvm2"));
	ck_assert(!wants(&grave, "host.recovered", of_host("kvm2")));
	ck_assert(!wants(&named, "host.recovered", of_host("kvm2")));
}
END_TEST

START_TEST(a_policy_that_is_wanted_may_be_helped_by_another)
{
	static const char *const all[] = {"*"}, *const balance[] = {"balance"};
	struct settings_receiver pager = receiver_of(RECEIVER_PAGERDUTY, all);

	pager.policies = balance;
	pager.policy_count = 1;
	apply("drover.move.failed", 10,
	    json_pack("{s:s, s:s, s:{s:s}}", "guest", "web1", "uuid", "u-1",
		"why", "policy", "balance"));
	apply("drover.move.completed", 20,
	    json_pack("{s:s, s:s}", "guest", "web1", "uuid", "u-1"));
	ck_assert(wants(&pager, "move.completed",
	    json_pack("{s:s, s:s}", "guest", "web1", "uuid", "u-1")));
}
END_TEST

START_TEST(those_that_hold_state_hear_of_nothing_else)
{
	static const char *const all[] = {"*"};
	struct settings_receiver pager = receiver_of(RECEIVER_PAGERDUTY, all);
	struct settings_receiver chat = receiver_of(RECEIVER_SLACK, all);

	apply("drover.move.started", 10, of_host("kvm1"));
	ck_assert(!wants(&pager, "move.started", of_host("kvm1")));
	ck_assert(wants(&chat, "host.recovered", of_host("kvm1")));
}
END_TEST

static void
say(struct announce *announce, const char *type, json_t *data)
{
	struct err err = {0};

	ck_assert_msg(announce_event(announce, type, NULL, data, &err) == 0,
	    "%s", err.msg);
}

START_TEST(what_is_announced_is_queued_and_kept_together)
{
	static const char *const all[] = {"*"};
	struct settings_receiver pager = receiver_of(RECEIVER_PAGERDUTY, all);
	struct settings settings = {
	    .site = "lab", .receivers = &pager, .receiver_count = 1};
	struct announce *announce = announce_new(store, &settings);

	pager.severity = RECEIVER_ERROR;
	say(announce, "host.recovered", of_host("kvm1"));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 0);
	say(announce, "host.lost", of_host("kvm1"));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 1);
	ck_assert_int_eq(how_many(), 1);
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(*) FROM conditions JOIN events USING (body)"
		" WHERE key = 'host-lost/kvm1' AND since = at"),
	    1);
	ck_assert_int_eq(store_begin(store, NULL), 0);
	say(announce, "host.recovered", of_host("kvm1"));
	store_rollback(store);
	ck_assert_int_eq(how_many(), 1);
	say(announce, "host.recovered", of_host("kvm1"));
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM outbox"), 2);
	ck_assert_int_eq(how_many(), 0);
	announce_free(announce);
}
END_TEST

/* ---- what nobody ends ---- */

START_TEST(what_is_not_configured_any_more_ends)
{
	struct settings_host hosts[] = {{.name = "kvm1"}};
	struct settings_receiver receivers[] = {{.name = "ops"}};
	struct settings settings = {.site = "lab",
	    .hosts = hosts,
	    .host_count = 1,
	    .receivers = receivers,
	    .receiver_count = 1};

	const struct store_disabled gone = {"ops", "hash", {13}, "HTTP 410"};
	struct announce *announce = announce_new(store, &settings);

	apply("drover.host.lost", 10, of_host("kvm1"));
	apply("drover.host.lost", 11, of_host("kvm2"));
	apply("drover.drain.blocked", 12, of_host("kvm2"));
	apply("drover.receiver.disabled", 13,
	    json_pack("{s:s}", "receiver", "ops"));
	apply("drover.receiver.disabled", 14,
	    json_pack("{s:s}", "receiver", "chat"));
	apply("drover.config.rejected", 15, json_pack("{s:s}", "error", "x"));
	ck_assert_int_eq(store_put_disabled(store, &gone, NULL), 0);
	conditions_forget(store, announce, &settings, (struct wall){20});
	ck_assert_int_eq(how_many(), 3);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM conditions WHERE key IN ("
			     "'host-lost/kvm1', 'receiver-disabled/ops',"
			     " 'config-rejected')"),
	    3);
	/* Somebody enabled it. */
	ck_assert_int_eq(store_remove_disabled(store, "ops", NULL), 0);
	conditions_forget(store, announce, &settings, (struct wall){20});
	ck_assert_int_eq(how_many(), 2);
	announce_free(announce);
}
END_TEST

START_TEST(a_move_that_failed_is_news_for_a_day)
{
	const struct settings settings = {.site = "lab"};
	const int64_t day = INT64_C(86400000);
	struct announce *announce = announce_new(store, &settings);
	char body[] = "{\"time\":\"1970-01-01T00:00:01Z\",\"data\":"
		      "{\"uuid\":\"u-1\"}}";

	put("move-failed/u-1", "drover.move.failed", 500, body);
	conditions_forget(store, announce, &settings, (struct wall){day + 999});
	ck_assert_int_eq(how_many(), 1);
	conditions_forget(
	    store, announce, &settings, (struct wall){day + 1000});
	ck_assert_int_eq(how_many(), 0);
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(*) FROM events WHERE type ="
		" 'drover.condition.ended' AND json_extract(body,"
		" '$.data.condition') = 'move-failed/u-1' AND"
		" json_extract(body, '$.data.name') = 'DroverMoveFailed'"),
	    1);
	announce_free(announce);
}
END_TEST

static int64_t
told_of_end(const char *receiver)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "SELECT COUNT(*) FROM outbox JOIN events ON seq = event_seq"
	    " WHERE type = 'drover.condition.ended' AND receiver = '%s'",
	    receiver);
	return query_sql(store, sql);
}

START_TEST(who_was_told_of_the_beginning_is_told_that_it_is_taken_for_over)
{
	static const char *const all[] = {"*"}, *const moves[] = {"move.*"},
				 *const ends[] = {"condition.*"};
	struct settings_receiver receivers[] = {
	    receiver_of(RECEIVER_PAGERDUTY, all),
	    receiver_of(RECEIVER_PAGERDUTY, moves),
	    receiver_of(RECEIVER_SLACK, all),
	    receiver_of(RECEIVER_CLOUDEVENTS, ends)};
	struct settings_host host = {.name = "kvm1"};
	struct settings settings = {.site = "lab",
	    .hosts = &host,
	    .host_count = 1,
	    .receivers = receivers,
	    .receiver_count = 4};
	struct announce *announce = announce_new(store, &settings);

	receivers[0].name = "pager";
	receivers[0].severity = RECEIVER_ERROR;
	receivers[1].name = "movers";
	receivers[2].name = "chat";
	receivers[3].name = "program";
	say(announce, "host.lost", of_host("kvm1"));
	conditions_forget(store, announce, &settings, (struct wall){20});
	ck_assert_int_eq(how_many(), 1);
	ck_assert_int_eq(told_of_end("pager"), 0);
	settings.host_count = 0;
	conditions_forget(store, announce, &settings, (struct wall){20});
	ck_assert_int_eq(how_many(), 0);
	ck_assert_int_eq(told_of_end("pager"), 1);
	ck_assert_int_eq(told_of_end("movers"), 0);
	/* It would be noise there. */
	ck_assert_int_eq(told_of_end("chat"), 0);
	ck_assert_int_eq(told_of_end("program"), 1);
	/* Once. */
	conditions_forget(store, announce, &settings, (struct wall){30});
	ck_assert_int_eq(told_of_end("pager"), 1);
	announce_free(announce);
}
END_TEST

START_TEST(one_condition_too_many_ends_the_oldest_with_an_event)
{
	static const char *const all[] = {"*"};
	struct settings_receiver pager = receiver_of(RECEIVER_PAGERDUTY, all);
	struct settings settings = {
	    .site = "lab", .receivers = &pager, .receiver_count = 1};
	struct announce *announce = announce_new(store, &settings);

	ck_assert_int_eq(store_begin(store, NULL), 0);
	for (int i = 0; i < STORE_CONDITIONS_MAX; i++) {
		char key[32];

		snprintf(key, sizeof(key), "host-lost/old%d", i);
		put(key, "drover.host.lost", 1000 + i, "{}");
	}
	ck_assert_int_eq(store_commit(store, NULL), 0);
	/* One that is on already is not one more. */
	say(announce, "host.lost", of_host("old7"));
	ck_assert_int_eq(told_of_end("r"), 0);
	say(announce, "host.lost", of_host("kvm1"));
	ck_assert_int_eq(how_many(), STORE_CONDITIONS_MAX);
	ck_assert_int_eq(told_of_end("r"), 1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " json_extract(body, '$.data.condition') ="
			     " 'host-lost/old0'"),
	    1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM conditions WHERE key IN"
			     " ('host-lost/old0', 'host-lost/kvm1')"),
	    1);
	announce_free(announce);
}
END_TEST

START_TEST(an_end_that_is_rolled_back_leaves_it_on)
{
	struct settings settings = {.site = "lab"};
	struct announce *announce = announce_new(store, &settings);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s}", "condition",
	    "host-lost/kvm1", "name", "DroverHostLost", "since",
	    "1970-01-01T00:00:00Z", "why", "x");

	say(announce, "host.lost", of_host("kvm1"));
	ck_assert_int_eq(store_begin(store, NULL), 0);
	say(announce, "condition.ended", data);
	ck_assert_int_eq(how_many(), 0);
	store_rollback(store);
	ck_assert_int_eq(how_many(), 1);
	announce_free(announce);
}
END_TEST

static void
close_change(void)
{
	conditions_free(&change);
	close_all();
}

int
main(void)
{
	Suite *suite = suite_create("conditions");
	TCase *tc = tcase_create("conditions");

	tcase_add_checked_fixture(tc, open_all, close_change);
	tcase_add_test(
	    tc, a_condition_is_on_since_it_began_and_has_its_last_event);
	tcase_add_test(tc, of_too_many_conditions_the_oldest_goes);
	tcase_add_test(tc, events_raise_and_resolve);
	tcase_add_test(tc, what_is_rolled_back_did_not_happen);
	tcase_add_test(tc, after_a_restart_it_is_known_what_an_event_would_end);
	tcase_add_test(tc, who_wanted_the_beginning_is_told_of_the_end);
	tcase_add_test(tc, a_policy_that_is_wanted_may_be_helped_by_another);
	tcase_add_test(tc, those_that_hold_state_hear_of_nothing_else);
	tcase_add_test(tc, what_is_announced_is_queued_and_kept_together);
	tcase_add_test(tc, what_is_not_configured_any_more_ends);
	tcase_add_test(tc, a_move_that_failed_is_news_for_a_day);
	tcase_add_test(tc,
	    who_was_told_of_the_beginning_is_told_that_it_is_taken_for_over);
	tcase_add_test(
	    tc, one_condition_too_many_ends_the_oldest_with_an_event);
	tcase_add_test(tc, an_end_that_is_rolled_back_leaves_it_on);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
