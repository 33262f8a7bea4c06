/*
 * The record of decisions: what begins, changes and ends of it, when that is told,
 * what an approval holds for, and what is cut.
 */
#include <inttypes.h>

#include "events_fixture.h"
#include "store_fixture.h"

#include "act/decisions.h"
#include "act/decisions_priv.h"
#include "base/log.h"

#define GUESTS 4

static struct policy policies[2];
static struct settings settings;
static struct snap_host hosts[3];
static struct snap_vm vms[GUESTS];
static struct evaluate_item items[GUESTS];
static struct evaluate_decision decision;
static struct store *store;
static struct announce *announce;
static struct decisions *decisions;
static int64_t now;

static void
build(void)
{
	struct err err = {0};

	store = open_store();
	announce = announce_new(store, &settings);
	decisions = decisions_new(store, announce);
	decisions_configure(decisions, &settings);
	ck_assert_msg(decisions_load(decisions, &err) == 0, "%s", err.msg);
}

static void
take_down(void)
{
	decisions_free(decisions);
	announce_free(announce);
	events_check_store(store);
	store_close(store);
}

static void
setup_all(void)
{
	static char uuids[GUESTS][16], names[GUESTS][16];

	setup();
	log_set_level(LOG_LEVEL_ERROR);
	policies[0] = (struct policy){.name = "drain",
	    .mode = POLICY_AUTO,
	    .file = "10-drain.yaml",
	    .line = 3};
	policies[1] = (struct policy){.name = "careful",
	    .mode = POLICY_APPROVE,
	    .file = "20-careful.yaml",
	    .line = 3};
	settings = (struct settings){.site = "lab",
	    .policies = policies,
	    .policy_count = 2,
	    .keep_decisions_ms = 1000};
	for (int i = 0; i < 3; i++) {
		static char host_names[3][16];

		snprintf(host_names[i], sizeof(host_names[i]), "kvm%d", i + 1);
		hosts[i] = (struct snap_host){.name = host_names[i]};
	}
	for (int i = 0; i < GUESTS; i++) {
		snprintf(uuids[i], sizeof(uuids[i]), "u-%d", i + 1);
		snprintf(names[i], sizeof(names[i]), "web%d", i + 1);
		vms[i] = (struct snap_vm){.uuid = uuids[i], .name = names[i]};
		items[i] = (struct evaluate_item){.vm = &vms[i],
		    .fate = EVALUATE_START,
		    .choice = {.vm = &vms[i],
			.from = &hosts[0],
			.target = &hosts[1],
			.why = "the least loaded"}};
	}
	decision = (struct evaluate_decision){.host = &hosts[0],
	    .policy = &policies[0],
	    .mode = POLICY_AUTO,
	    .act = true,
	    .why = "maintenance is true of kvm1",
	    .items = items,
	    .item_count = 2};
	now = 1000;
	build();
}

static void
teardown_all(void)
{
	take_down();
	teardown();
}

/* One evaluation in which the decision is on. */
static void
turn(void)
{
	now += 10;
	decisions_note(decisions, &decision, (struct wall){now});
	decisions_turn_over(decisions, (struct wall){now});
}

/* One without. */
static void
turn_off(void)
{
	now += 10;
	decisions_turn_over(decisions, (struct wall){now});
}

#define count_rows() query_sql(store, "SELECT COUNT(*) FROM decisions")
#define count_events()                                                         \
	query_sql(store,                                                       \
	    "SELECT COUNT(*) FROM events WHERE"                                \
	    " type = 'drover.decision.made'")
#define updated() query_sql(store, "SELECT MAX(updated) FROM decisions")

static const char *
column(const char *name)
{
	static char text[4096];
	char sql[128];
	sqlite3_stmt *stmt;

	snprintf(sql, sizeof(sql),
	    "SELECT %s FROM decisions ORDER BY id DESC LIMIT 1", name);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	snprintf(text, sizeof(text), "%s",
	    sqlite3_column_text(stmt, 0) != NULL
		? (const char *)sqlite3_column_text(stmt, 0)
		: "-");
	sqlite3_finalize(stmt);
	return text;
}

/* ---- beginning and ending ---- */

START_TEST(an_activation_is_one_row_from_its_beginning_to_its_end)
{
	for (int i = 0; i < 5; i++)
		turn();
	ck_assert_int_eq(count_rows(), 1);
	ck_assert_str_eq(column("policy || '@' || host"), "drain@kvm1");
	ck_assert_str_eq(column("mode"), "auto");
	ck_assert_str_eq(column("summary"), "2 start");
	ck_assert_str_eq(column("at || ' ' || ended"), "1010 0");
	ck_assert_str_eq(column("body ->> '$.items[1].vm'"), "web2");
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 1);
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm2"), 0);
	ck_assert_int_eq(decisions_id(decisions, "drain", NULL), 0);
	ck_assert_uint_eq(decisions_count(decisions, "drain"), 1);
	turn_off();
	ck_assert_str_eq(column("ended"), "1060");
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 0);
	turn();
	ck_assert_int_eq(count_rows(), 2);
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 2);
}
END_TEST

START_TEST(hosts_and_policies_have_each_their_own)
{
	struct evaluate_decision other = decision;

	other.host = &hosts[1];
	for (int i = 0; i < 3; i++) {
		decisions_note(decisions, &decision, (struct wall){now});
		decisions_note(decisions, &other, (struct wall){now});
		decisions_turn_over(decisions, (struct wall){now});
	}
	other.policy = &policies[1];
	decisions_note(decisions, &other, (struct wall){now});
	decisions_turn_over(decisions, (struct wall){now});
	ck_assert_int_eq(count_rows(), 3);
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(*) FROM decisions WHERE ended > 0 AND"
		" policy = 'drain'"),
	    2);
}
END_TEST

START_TEST(a_later_daemon_goes_on_with_the_row)
{
	turn();
	take_down();
	build();
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 1);
	turn();
	ck_assert_int_eq(count_rows(), 1);
	ck_assert_int_eq(count_events(), 1);
	take_down();
	build();
	turn_off();
	ck_assert_str_ne(column("ended"), "0");
}
END_TEST

/* ---- changes ---- */

START_TEST(the_way_home_is_a_decision_of_its_own)
{
	struct err err = {0};

	decision.policy = &policies[1];
	decision.mode = POLICY_APPROVE;
	turn();
	ck_assert_int_eq(decisions_approve(decisions, 1, "uid 7", &err), 1);
	decision.home = true;
	turn();
	turn();
	ck_assert_int_eq(count_rows(), 2);
	ck_assert_int_eq(
	    query_sql(store, "SELECT ended > 0 FROM decisions WHERE id = 1"),
	    1);
	ck_assert_int_eq(
	    query_sql(store, "SELECT ended > 0 FROM decisions WHERE id = 2"),
	    0);
	ck_assert(!decisions_approved(decisions, "careful", "kvm1"));
	/* Also to a later daemon, and the other way round. */
	take_down();
	build();
	turn();
	ck_assert_int_eq(count_rows(), 2);
	decision.home = false;
	turn();
	ck_assert_int_eq(count_rows(), 3);
	ck_assert_uint_eq(decisions_count(decisions, "careful"), 1);
}
END_TEST

START_TEST(another_figure_is_no_change)
{
	static const char *const same[] = {
	    "tried again in 4.8 s; the last attempt, to kvm2: no room",
	    "tried again in 900 ms; the last attempt, to kvm2: no room",
	    "tried again in 1m 30s; the last attempt, to kvm2: no room",
	    "tried again in 2h; the last attempt, to kvm2: no room"};

	items[0].fate = EVALUATE_WAIT;
	items[0].why = same[0];
	decision.why = "cpu > 80% is true of kvm1: cpu = 91 %";
	turn();
	for (size_t i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
		items[0].why = same[i];
		turn();
		ck_assert_msg(updated() == 1010, "%s", same[i]);
	}
	decision.why = "cpu > 80% is true of kvm1: cpu = 9 %";
	turn();
	ck_assert_int_eq(updated(), 1010);
	items[0].why = "tried again in 2h; the last attempt, to kvm3: no room";
	turn();
	ck_assert_int_eq(updated(), now);
	items[0].why = "2 moves away from kvm1 are under way";
	turn();
	ck_assert_int_eq(updated(), now);
	ck_assert_int_eq(count_rows(), 1);
	ck_assert_int_eq(count_events(), 1);
}
END_TEST

START_TEST(another_order_is_no_change)
{
	struct evaluate_item swapped = items[0];

	turn();
	items[0] = items[1];
	items[1] = swapped;
	turn();
	ck_assert_int_eq(updated(), 1010);
}
END_TEST

START_TEST(another_fate_or_target_is_a_change)
{
	turn();
	items[0].fate = EVALUATE_MOVING;
	turn();
	ck_assert_int_eq(updated(), now);
	ck_assert_str_eq(column("summary"), "1 starts, 1 moving");
	items[1].choice.target = &hosts[2];
	turn();
	ck_assert_int_eq(updated(), now);
	items[1].fate = EVALUATE_BLOCKED;
	items[1].choice.target = NULL;
	turn();
	ck_assert_str_eq(column("summary"), "1 moving, 1 blocked");
	decision.item_count = 0;
	turn();
	ck_assert_str_eq(column("summary"), "no guest to move");
	/* Where one would go that waits is not. */
	decision.item_count = 1;
	items[0].fate = EVALUATE_WAIT;
	items[0].why = "a limit";
	turn();
	items[0].choice.target = &hosts[2];
	turn();
	ck_assert_int_eq(updated(), now - 10);
}
END_TEST

/* ---- news ---- */

START_TEST(a_beginning_and_guests_that_start_anew_are_told)
{
	turn();
	ck_assert_int_eq(count_events(), 1);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM events WHERE"
			     " body ->> '$.subject' = 'policy/drain' AND"
			     " body ->> '$.data.id' = 1 AND"
			     " body ->> '$.data.host' = 'kvm1' AND"
			     " body ->> '$.data.summary' = '2 start' AND"
			     " body ->> '$.data.file' = '10-drain.yaml' AND"
			     " body ->> '$.data.items[0].to' = 'kvm2'"),
	    1);
	/* The same guests, on their way and again. */
	items[0].fate = EVALUATE_MOVING;
	turn();
	items[0].fate = EVALUATE_START;
	turn();
	ck_assert_int_eq(count_events(), 1);
	/* One more that waits is no news; that it starts is. */
	decision.item_count = 3;
	items[2].fate = EVALUATE_WAIT;
	turn();
	ck_assert_int_eq(count_events(), 1);
	items[2].fate = EVALUATE_START;
	turn();
	ck_assert_int_eq(count_events(), 2);
	turn_off();
	ck_assert_int_eq(count_events(), 2);
}
END_TEST

START_TEST(what_cannot_be_written_is_written_later_with_its_news)
{
	run_sql(store,
	    "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN"
	    " SELECT RAISE(ABORT, 'disk full'); END");
	turn();
	turn();
	ck_assert_int_eq(count_rows(), 0);
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 0);
	run_sql(store, "DROP TRIGGER broken");
	turn();
	ck_assert_int_eq(count_rows(), 1);
	ck_assert_int_eq(count_events(), 1);
	ck_assert_str_eq(column("at"), "1010");
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 1);
	/* An end, too. */
	run_sql(store,
	    "CREATE TRIGGER broken BEFORE UPDATE ON decisions BEGIN"
	    " SELECT RAISE(ABORT, 'disk full'); END");
	turn_off();
	run_sql(store, "DROP TRIGGER broken");
	turn_off();
	ck_assert_str_eq(column("ended"), "1050");
}
END_TEST

START_TEST(a_row_that_is_gone_is_written_anew)
{
	turn();
	run_sql(store, "DELETE FROM decisions");
	items[0].fate = EVALUATE_MOVING;
	turn();
	ck_assert_int_eq(count_rows(), 1);
	ck_assert_int_eq(decisions_id(decisions, "drain", "kvm1"), 2);
	run_sql(store, "DELETE FROM decisions");
	turn_off();
	ck_assert_uint_eq(decisions_count(decisions, "drain"), 0);
}
END_TEST

/* ---- approval ---- */

static int
approve(int64_t id)
{
	struct err err = {0};

	return decisions_approve(decisions, id, "uid 0", &err);
}

static const char *
refused(int64_t id)
{
	static struct err err;

	err = (struct err){0};
	ck_assert_int_eq(decisions_approve(decisions, id, "uid 0", &err), -1);
	return err.msg;
}

static const char *
state_of(int64_t id)
{
	static char text[16];
	struct store_decision row = {.id = id, .policy = "p", .body = "{}"};
	json_t *o;
	char mode[16], by[16];

	snprintf(mode, sizeof(mode), "%s", column("mode"));
	snprintf(by, sizeof(by), "%s", column("approved_by"));
	row.mode = mode;
	row.approved_by = strcmp(by, "-") != 0 ? by : NULL;
	row.ended.ms = strtoll(column("ended"), NULL, 10);
	o = decisions_row_json(&row, true);
	snprintf(text, sizeof(text), "%s",
	    json_string_value(json_object_get(o, "state")));
	json_decref(o);
	return text;
}

START_TEST(an_approval_holds_for_this_activation_and_a_later_daemon)
{
	decision.policy = &policies[1];
	decision.mode = POLICY_APPROVE;
	turn();
	ck_assert(!decisions_approved(decisions, "careful", "kvm1"));
	ck_assert_str_eq(state_of(1), "waiting");
	ck_assert_int_eq(approve(1), 1);
	ck_assert_int_eq(approve(1), 0);
	ck_assert(decisions_approved(decisions, "careful", "kvm1"));
	ck_assert(!decisions_approved(decisions, "careful", "kvm2"));
	ck_assert(!decisions_approved(decisions, "careful", NULL));
	ck_assert_str_eq(state_of(1), "on");
	take_down();
	build();
	ck_assert(decisions_approved(decisions, "careful", "kvm1"));
	items[0].fate = EVALUATE_MOVING;
	turn();
	ck_assert_str_eq(column("approved_by"), "uid 0");
	turn_off();
	ck_assert(!decisions_approved(decisions, "careful", "kvm1"));
	ck_assert_str_eq(state_of(1), "ended");
	turn();
	ck_assert(!decisions_approved(decisions, "careful", "kvm1"));
}
END_TEST

START_TEST(what_cannot_be_approved_is_refused_with_the_reason)
{
	turn();
	ck_assert_str_eq(refused(7), "there is no decision 7");
	ck_assert_ptr_nonnull(
	    strstr(refused(1), "policy drain is in mode auto: only what"));
	turn_off();
	ck_assert_str_eq(refused(1),
	    "decision 1 has ended at 1970-01-01T00:00:01.020Z: its policy "
	    "does not want this any more");
}
END_TEST

START_TEST(a_policy_that_is_turned_down_and_up_asks_again)
{
	decision.policy = &policies[1];
	decision.mode = POLICY_APPROVE;
	turn();
	ck_assert_int_eq(approve(1), 1);
	decision.mode = POLICY_OBSERVE;
	turn();
	ck_assert(!decisions_approved(decisions, "careful", "kvm1"));
	ck_assert_str_eq(column("approved_by"), "-");
	decision.mode = POLICY_APPROVE;
	turn();
	ck_assert_str_eq(state_of(1), "waiting");
	ck_assert_int_eq(count_rows(), 1);
}
END_TEST

/* ---- what is forgotten and cut ---- */

START_TEST(decisions_are_kept_as_long_as_the_settings_say)
{
	turn();
	turn_off();
	now += DECISIONS_PRUNE_MS + 2000;
	turn_off();
	ck_assert_int_eq(count_rows(), 0);
}
END_TEST

static size_t
size_of(const json_t *object)
{
	return json_dumpb(object, NULL, 0, JSON_COMPACT);
}

static json_t *
make_body(size_t item_count, size_t rejected_count)
{
	json_t *body = json_pack("{s:s, s:[]}", "host", "kvm1", "items");

	for (size_t i = 0; i < item_count; i++) {
		json_t *item =
		    json_pack("{s:i, s:[]}", "n", (int)i, "rejected");

		for (size_t k = 0; k < rejected_count; k++)
			json_array_append_new(json_object_get(item, "rejected"),
			    json_pack("{s:i, s:s}", "host", (int)k, "why",
				"memory: 12 GiB are wanted, 3 GiB are there"));
		json_array_append_new(json_object_get(body, "items"), item);
	}
	return body;
}

START_TEST(a_body_is_cut_where_it_hurts_least)
{
	json_t *body = make_body(4, 5), *whole = json_deep_copy(body), *item;

	decisions_cut(body, 10000);
	ck_assert(json_equal(body, whole));
	json_decref(body);

	/* Hosts first ... */
	body = json_deep_copy(whole);
	decisions_cut(body, size_of(whole) - 1);
	ck_assert_uint_eq(json_array_size(json_object_get(body, "items")), 4);
	item = json_array_get(json_object_get(body, "items"), 3);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(item, "rejected")), 3);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(item, "rejected_left_out")), 2);
	ck_assert_ptr_null(json_object_get(body, "items_left_out"));
	json_decref(body);
	json_decref(whole);

	/* ... then guests, from the end on. */
	body = make_body(1000, 5);
	decisions_cut(body, 5000);
	ck_assert_uint_le(size_of(body), 5000);
	ck_assert_uint_gt(size_of(body), 4000);
	item = json_array_get(json_object_get(body, "items"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(item, "n")), 0);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(body, "items_left_out")) +
		(json_int_t)json_array_size(json_object_get(body, "items")),
	    1000);
	decisions_cut(body, 2500);
	ck_assert_uint_le(size_of(body), 2500);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(body, "items_left_out")) +
		(json_int_t)json_array_size(json_object_get(body, "items")),
	    1000);
	json_decref(body);
}
END_TEST

START_TEST(an_event_stays_within_its_bound)
{
	static struct evaluate_item many[2000];

	for (size_t i = 0; i < 2000; i++) {
		many[i] = items[0];
		many[i].vm = &vms[i % GUESTS];
	}
	decision.items = many;
	decision.item_count = 2000;
	turn();
	ck_assert_int_eq(count_events(), 1);
	ck_assert_int_le(
	    query_sql(store, "SELECT MAX(LENGTH(body)) FROM events"),
	    DECISIONS_EVENT_MAX + 512);
	ck_assert_int_gt(
	    query_sql(
		store, "SELECT body ->> '$.data.items_left_out' FROM events"),
	    500);
	ck_assert_int_le(query_sql(store, "SELECT LENGTH(body) FROM decisions"),
	    DECISIONS_BODY_MAX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decisions");
	TCase *tc = tcase_create("decisions");

	tcase_add_checked_fixture(tc, setup_all, teardown_all);
	tcase_add_test(
	    tc, an_activation_is_one_row_from_its_beginning_to_its_end);
	tcase_add_test(tc, hosts_and_policies_have_each_their_own);
	tcase_add_test(tc, a_later_daemon_goes_on_with_the_row);
	tcase_add_test(tc, the_way_home_is_a_decision_of_its_own);
	tcase_add_test(tc, another_figure_is_no_change);
	tcase_add_test(tc, another_order_is_no_change);
	tcase_add_test(tc, another_fate_or_target_is_a_change);
	tcase_add_test(tc, a_beginning_and_guests_that_start_anew_are_told);
	tcase_add_test(
	    tc, what_cannot_be_written_is_written_later_with_its_news);
	tcase_add_test(tc, a_row_that_is_gone_is_written_anew);
	tcase_add_test(
	    tc, an_approval_holds_for_this_activation_and_a_later_daemon);
	tcase_add_test(tc, what_cannot_be_approved_is_refused_with_the_reason);
	tcase_add_test(tc, a_policy_that_is_turned_down_and_up_asks_again);
	tcase_add_test(tc, decisions_are_kept_as_long_as_the_settings_say);
	tcase_add_test(tc, a_body_is_cut_where_it_hurts_least);
	tcase_add_test(tc, an_event_stays_within_its_bound);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
