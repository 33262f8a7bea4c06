/*
 * Rows of decisions, of modes that operators set, and of labels: what is written
 * is there after a restart, and what may be forgotten is.
 */
#include <inttypes.h>

#include "act/labels.h"
#include "store_fixture.h"

static char text[2048];

static void
add_text(const struct store_decision *row, void *arg)
{
	size_t used = strlen(text);

	(void)arg;
	snprintf(text + used, sizeof(text) - used,
	    "%" PRId64 " %s@%s %s %" PRId64 "-%" PRId64 " %s %s %s;", row->id,
	    row->policy, row->host != NULL ? row->host : "*", row->mode,
	    row->at.ms, row->ended.ms, row->summary, row->body,
	    row->approved_by != NULL ? row->approved_by : "-");
}

static int64_t
add_decision(struct store *store, const char *policy, const char *host,
    int64_t at, int64_t ended)
{
	struct err err = {0};
	struct store_decision row = {.at = {at},
	    .updated = {at},
	    .ended = {ended},
	    .policy = policy,
	    .host = host,
	    .mode = "auto",
	    .summary = "1 starts",
	    .body = "{}"};

	ck_assert_msg(
	    store_add_decision(store, &row, &err) == 0, "%s", err.msg);
	return row.id;
}

static const char *
each(struct store *store, struct store_decision_filter filter)
{
	struct err err = {0};

	text[0] = '\0';
	ck_assert_msg(
	    store_each_decision(store, &filter, add_text, NULL, &err) == 0,
	    "%s", err.msg);
	return text;
}

/* ---- decisions ---- */

START_TEST(decisions_come_newest_first_as_the_filter_wants)
{
	struct store *store = open_store();

	(void)add_decision(store, "drain", "kvm1", 10, 20);
	(void)add_decision(store, "balance", NULL, 30, 0);
	(void)add_decision(store, "drain", "kvm2", 40, 0);
	store_close(store);
	store = open_store();
	ck_assert_str_eq(each(store, (struct store_decision_filter){.max = 2}),
	    "3 drain@kvm2 auto 40-0 1 starts {} -;"
	    "2 balance@* auto 30-0 1 starts {} -;");
	ck_assert_str_eq(
	    each(store, (struct store_decision_filter){.policy = "drain"}),
	    "3 drain@kvm2 auto 40-0 1 starts {} -;"
	    "1 drain@kvm1 auto 10-20 1 starts {} -;");
	ck_assert_str_eq(
	    each(store, (struct store_decision_filter){.host = "kvm1"}),
	    "1 drain@kvm1 auto 10-20 1 starts {} -;");
	ck_assert_str_eq(
	    each(store,
		(struct store_decision_filter){
		    .policy = "drain", .host = "kvm2", .open_only = true}),
	    "3 drain@kvm2 auto 40-0 1 starts {} -;");
	ck_assert_str_eq(each(store,
			     (struct store_decision_filter){
				 .host = "kvm1", .open_only = true}),
	    "");
	store_close(store);
}
END_TEST

START_TEST(a_decision_is_updated_in_place)
{
	struct store *store = open_store();
	struct err err = {0};
	struct store_decision row = {.updated = {50},
	    .mode = "approve",
	    .summary = "nothing to do",
	    .body = "{\"items\":[]}"};

	row.id = add_decision(store, "drain", "kvm1", 10, 0);
	ck_assert_int_eq(store_update_decision(store, &row, &err), 0);
	ck_assert_int_eq(
	    store_approve_decision(store, row.id, "uid 0", &err), 0);
	ck_assert_int_eq(
	    store_end_decision(store, row.id, (struct wall){60}, &err), 0);
	text[0] = '\0';
	ck_assert_int_eq(
	    store_get_decision(store, row.id, add_text, NULL, &err), 0);
	ck_assert_str_eq(text,
	    "1 drain@kvm1 approve 10-60 nothing to do {\"items\":[]} uid 0;");
	row.id = 7;
	ck_assert_int_eq(store_update_decision(store, &row, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_int_eq(store_approve_decision(store, 7, "uid 0", &err), -1);
	ck_assert_int_eq(
	    store_end_decision(store, 7, (struct wall){60}, &err), -1);
	ck_assert_int_eq(
	    store_get_decision(store, 7, add_text, NULL, &err), -1);
	ck_assert_str_eq(err.msg, "there is no decision 7");
	store_close(store);
}
END_TEST

START_TEST(ended_decisions_beyond_the_limit_are_forgotten_and_open_ones_never)
{
	struct store *store = open_store();

	(void)add_decision(store, "drain", "kvm1", 10, 0);
	(void)add_decision(store, "drain", "kvm2", 10, 20);
	(void)add_decision(store, "drain", "kvm3", 10, 20);
	run_sql(store,
	    "UPDATE sqlite_sequence SET seq = 10001 WHERE name = 'decisions'");
	(void)add_decision(store, "drain", "kvm4", 30, 0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT group_concat(id, '') = '1310002' FROM"
			     " (SELECT id FROM decisions ORDER BY id)"),
	    1);
	store_close(store);
}
END_TEST

START_TEST(decisions_that_ended_long_ago_are_forgotten)
{
	struct store *store = open_store();
	struct err err = {0};

	(void)add_decision(store, "drain", "kvm1", 10, 0);
	(void)add_decision(store, "drain", "kvm2", 10, 99);
	(void)add_decision(store, "drain", "kvm3", 10, 100);
	ck_assert_int_eq(
	    store_prune_decisions(store, (struct wall){100}, &err), 0);
	ck_assert_int_eq(query_sql(store,
			     "SELECT COUNT(*) FROM decisions WHERE host IN"
			     " ('kvm1', 'kvm3')"),
	    2);
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM decisions"), 2);
	store_close(store);
}
END_TEST

/* ---- modes ---- */

static void
add_mode(const struct store_mode *row, void *arg)
{
	size_t used = strlen(text);

	(void)arg;
	snprintf(text + used, sizeof(text) - used, "%s %s %s %" PRId64 ";",
	    row->policy, row->mode, row->by, row->since.ms);
}

static int
put_mode(struct store *store, const char *policy, const char *mode)
{
	struct err err = {0};

	return store_put_mode(store,
	    &(struct store_mode){
		.policy = policy, .mode = mode, .by = "uid 0", .since = {5}},
	    &err);
}

START_TEST(a_mode_replaces_the_one_before_and_goes)
{
	struct store *store = open_store();
	struct err err = {0};

	ck_assert_int_eq(put_mode(store, "drain", "observe"), 0);
	ck_assert_int_eq(put_mode(store, "balance", "auto"), 0);
	ck_assert_int_eq(put_mode(store, "drain", "off"), 0);
	store_close(store);
	store = open_store();
	text[0] = '\0';
	ck_assert_int_eq(store_each_mode(store, add_mode, NULL, &err), 0);
	ck_assert_str_eq(text, "balance auto uid 0 5;drain off uid 0 5;");
	ck_assert_int_eq(put_mode(store, "drain", NULL), 0);
	ck_assert_int_eq(put_mode(store, "other", NULL), 0);
	text[0] = '\0';
	ck_assert_int_eq(store_each_mode(store, add_mode, NULL, &err), 0);
	ck_assert_str_eq(text, "balance auto uid 0 5;");
	store_close(store);
}
END_TEST

START_TEST(modes_have_a_limit)
{
	struct store *store = open_store();

	run_sql(store,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 1000) INSERT INTO policy_modes SELECT 'p' || i,"
	    " 'auto', 'x', 1 FROM n");
	ck_assert_int_eq(put_mode(store, "one-more", "off"), -1);
	ck_assert_int_eq(put_mode(store, "p7", "off"), 0);
	store_close(store);
}
END_TEST

/* ---- labels ---- */

static const char *
label(const struct inventory *inventory, const char *uuid, const char *key)
{
	const char *value = inventory_get_label(inventory, uuid, key);

	return value != NULL ? value : "-";
}

START_TEST(labels_of_operators_survive_a_restart)
{
	struct store *store = open_store();
	struct inventory *inventory = inventory_new();
	struct err err = {0};
	json_t *changes = json_pack("{s:s, s:s}", "app", "web", "tier", "db");

	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), 2);
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), 0);
	json_decref(changes);
	changes = json_pack("{s:s, s:n, s:n}", "app", "mail", "tier", "none");
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), 2);
	json_decref(changes);
	inventory_free(inventory);
	store_close(store);

	store = open_store();
	inventory = inventory_new();
	ck_assert_int_eq(labels_load(store, inventory, &err), 0);
	ck_assert_str_eq(label(inventory, "u-1", "app"), "mail");
	ck_assert_str_eq(label(inventory, "u-1", "tier"), "-");
	ck_assert_str_eq(label(inventory, "u-2", "app"), "-");
	inventory_free(inventory);
	store_close(store);
}
END_TEST

START_TEST(of_labels_with_a_fault_none_is_taken)
{
	struct store *store = open_store();
	struct inventory *inventory = inventory_new();
	struct err err = {0};
	json_t *changes = json_pack("{s:s, s:s}", "app", "web", "a b", "x");

	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "\"a b\" is not the name"));
	json_decref(changes);
	changes = json_pack("{s:s, s:i}", "app", "web", "n", 7);
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), -1);
	json_decref(changes);
	/* Nor when the disk refuses the second. */
	run_sql(store,
	    "CREATE TRIGGER broken BEFORE INSERT ON vm_labels WHEN"
	    " NEW.key = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END");
	changes = json_pack("{s:s, s:s}", "a", "1", "b", "2");
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), -1);
	json_decref(changes);
	ck_assert_str_eq(label(inventory, "u-1", "app"), "-");
	ck_assert_str_eq(label(inventory, "u-1", "a"), "-");
	ck_assert_int_eq(query_sql(store, "SELECT COUNT(*) FROM vm_labels"), 0);
	inventory_free(inventory);
	store_close(store);
}
END_TEST

START_TEST(a_guest_gets_no_more_labels_than_allowed)
{
	struct store *store = open_store();
	struct inventory *inventory = inventory_new();
	struct err err = {0};
	json_t *changes = json_object();
	char key[16];

	for (int i = 0; i < 64; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		json_object_set_new(changes, key, json_string("x"));
	}
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), 64);
	json_decref(changes);
	changes = json_pack("{s:s}", "more", "x");
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	json_object_set_new(changes, "k0", json_null());
	ck_assert_int_eq(
	    labels_change(store, inventory, "u-1", changes, &err), 2);
	json_decref(changes);
	inventory_free(inventory);
	store_close(store);
}
END_TEST

/* ---- moves ---- */

static void
add_moved(const char *uuid, struct wall ended, void *arg)
{
	size_t used = strlen(text);

	(void)arg;
	snprintf(text + used, sizeof(text) - used, "%s %" PRId64 ";", uuid,
	    ended.ms);
}

static void
put_move(struct store *store, const char *uuid, const char *outcome, int64_t at)
{
	struct store_move move = {.uuid = uuid,
	    .name = "web1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .strategy = "restart",
	    .state = "new",
	    .attempt = 1};
	struct err err = {0};

	ck_assert_int_eq(store_add_move(store, &move, &err), 0);
	move.outcome = outcome;
	move.ended = (struct wall){at};
	ck_assert_int_eq(store_update_move(store, &move, &err), 0);
}

START_TEST(of_each_guest_the_newest_completed_move_is_known)
{
	struct store *store = open_store();
	struct err err = {0};

	put_move(store, "u-2", "completed", 300);
	put_move(store, "u-1", "completed", 100);
	put_move(store, "u-1", "completed", 200);
	put_move(store, "u-1", "failed", 900);
	put_move(store, "u-3", "rolled-back", 900);
	text[0] = '\0';
	ck_assert_int_eq(store_each_last_move(store, add_moved, NULL, &err), 0);
	ck_assert_str_eq(text, "u-1 200;u-2 300;");
	store_close(store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store marks");
	TCase *tc = tcase_create("rows");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, decisions_come_newest_first_as_the_filter_wants);
	tcase_add_test(tc, a_decision_is_updated_in_place);
	tcase_add_test(tc,
	    ended_decisions_beyond_the_limit_are_forgotten_and_open_ones_never);
	tcase_add_test(tc, decisions_that_ended_long_ago_are_forgotten);
	tcase_add_test(tc, a_mode_replaces_the_one_before_and_goes);
	tcase_add_test(tc, modes_have_a_limit);
	tcase_add_test(tc, labels_of_operators_survive_a_restart);
	tcase_add_test(tc, of_labels_with_a_fault_none_is_taken);
	tcase_add_test(tc, a_guest_gets_no_more_labels_than_allowed);
	tcase_add_test(tc, of_each_guest_the_newest_completed_move_is_known);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
