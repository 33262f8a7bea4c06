/*
 * The mode that an operator sets: it holds, it lasts, it is told, and it can be
 * taken back.
 */
#include "events_fixture.h"
#include "store_fixture.h"

#include "act/modes.h"
#include "base/log.h"

static struct policy policies[2];
static struct settings settings;
static struct store *store;
static struct announce *announce;
static struct modes *modes;

static void
build(void)
{
	struct err err = {0};

	store = open_store();
	announce = announce_new(store, &settings);
	modes = modes_new(store, announce);
	ck_assert_msg(modes_load(modes, &err) == 0, "%s", err.msg);
}

static void
take_down(void)
{
	modes_free(modes);
	announce_free(announce);
	events_check_store(store);
	store_close(store);
}

static void
setup_all(void)
{
	setup();
	log_set_level(LOG_LEVEL_ERROR);
	policies[0] = (struct policy){.name = "drain", .mode = POLICY_AUTO};
	policies[1] =
	    (struct policy){.name = "balance", .mode = POLICY_OBSERVE};
	settings = (struct settings){
	    .site = "lab", .policies = policies, .policy_count = 2};
	build();
}

static void
teardown_all(void)
{
	take_down();
	teardown();
}

static int
set(const char *policy, const char *mode)
{
	struct err err = {0};

	return modes_set(modes, &settings, policy, mode, "uid 0", &err);
}

static const char *
refused(const char *policy, const char *mode)
{
	static struct err err;

	err = (struct err){0};
	ck_assert_int_eq(
	    modes_set(modes, &settings, policy, mode, "uid 0", &err), -1);
	return err.msg;
}

static void
assert_modes(enum policy_mode drain, enum policy_mode balance)
{
	const enum policy_mode *now = modes_of(modes, &settings);

	ck_assert_int_eq(now[0], drain);
	ck_assert_int_eq(now[1], balance);
}

#define count_events() query_sql(store, "SELECT COUNT(*) FROM events")

START_TEST(a_mode_that_was_set_holds_in_a_later_daemon)
{
	assert_modes(POLICY_AUTO, POLICY_OBSERVE);
	ck_assert_int_eq(set("drain", "observe"), 1);
	assert_modes(POLICY_OBSERVE, POLICY_OBSERVE);
	ck_assert_int_eq(set("balance", "approve"), 1);
	take_down();
	build();
	assert_modes(POLICY_OBSERVE, POLICY_APPROVE);
	ck_assert_str_eq(modes_find(modes, "drain")->by, "uid 0");
	ck_assert_int_eq(set("drain", "default"), 1);
	ck_assert_int_eq(set("drain", "default"), 0);
	take_down();
	build();
	assert_modes(POLICY_AUTO, POLICY_APPROVE);
	ck_assert_ptr_null(modes_find(modes, "drain"));
}
END_TEST

START_TEST(a_change_is_told_and_what_changes_nothing_is_not)
{
	ck_assert_int_eq(set("drain", "auto"), 0);
	ck_assert_int_eq(count_events(), 0);
	/* It was said even so: another word in the file changes nothing. */
	policies[0].mode = POLICY_OFF;
	assert_modes(POLICY_AUTO, POLICY_OBSERVE);
	ck_assert_int_eq(set("drain", "observe"), 1);
	ck_assert_int_eq(
	    query_sql(store,
		"SELECT COUNT(*) FROM events WHERE type = 'drover.policy.mode'"
		" AND body ->> '$.subject' = 'policy/drain'"
		" AND body ->> '$.data.mode' = 'observe'"
		" AND body ->> '$.data.before' = 'auto'"
		" AND body ->> '$.data.file_mode' = 'off'"
		" AND body ->> '$.data.by' = 'uid 0'"),
	    1);
}
END_TEST

START_TEST(wrong_names_are_refused_with_what_was_meant)
{
	ck_assert_str_eq(refused("drian", "off"),
	    "there is no policy \"drian\" (did you mean \"drain\"?)");
	ck_assert_str_eq(
	    refused("xyzzy", "off"), "there is no policy \"xyzzy\"");
	ck_assert_str_eq(refused("drain", "obserev"),
	    "\"obserev\" is not a mode: off, observe, approve, auto or "
	    "default is wanted (did you mean observe?)");
	ck_assert_str_eq(
	    refused("gone", "default"), "there is no policy \"gone\"");
	assert_modes(POLICY_AUTO, POLICY_OBSERVE);
}
END_TEST

START_TEST(what_was_said_of_a_policy_waits_for_its_return)
{
	ck_assert_int_eq(set("drain", "off"), 1);
	ck_assert_int_eq(set("balance", "auto"), 1);
	settings.policy_count = 1;
	ck_assert_int_eq(modes_of(modes, &settings)[0], POLICY_OFF);
	/* Not to be set, but to be taken back. */
	(void)refused("balance", "off");
	ck_assert_int_eq(set("balance", "default"), 0);
	settings.policy_count = 2;
	assert_modes(POLICY_OFF, POLICY_OBSERVE);
}
END_TEST

START_TEST(a_mode_that_cannot_be_written_is_not_set)
{
	run_sql(store,
	    "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN"
	    " SELECT RAISE(ABORT, 'disk full'); END");
	ck_assert_ptr_nonnull(
	    strstr(refused("drain", "off"), "the mode is unchanged"));
	assert_modes(POLICY_AUTO, POLICY_OBSERVE);
	ck_assert_int_eq(
	    query_sql(store, "SELECT COUNT(*) FROM policy_modes"), 0);
	run_sql(store, "DROP TRIGGER broken");
	ck_assert_int_eq(set("drain", "off"), 1);
}
END_TEST

START_TEST(a_mode_of_a_later_version_does_not_act)
{
	run_sql(store,
	    "INSERT INTO policy_modes VALUES ('drain',"
	    " 'auto-with-care', 'uid 0', 1)");
	take_down();
	build();
	assert_modes(POLICY_OBSERVE, POLICY_OBSERVE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("modes");
	TCase *tc = tcase_create("modes");

	tcase_add_checked_fixture(tc, setup_all, teardown_all);
	tcase_add_test(tc, a_mode_that_was_set_holds_in_a_later_daemon);
	tcase_add_test(tc, a_change_is_told_and_what_changes_nothing_is_not);
	tcase_add_test(tc, wrong_names_are_refused_with_what_was_meant);
	tcase_add_test(tc, what_was_said_of_a_policy_waits_for_its_return);
	tcase_add_test(tc, a_mode_that_cannot_be_written_is_not_set);
	tcase_add_test(tc, a_mode_of_a_later_version_does_not_act);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
