/*
 * Guests that want to go home: what an evaluation makes of them, on a small site
 * with a clock that the test moves.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "decide/evaluate.h"
#include "world.h"

#define MINUTE INT64_C(60000)
#define DAY (24 * 60 * MINUTE)

static struct world world;
static struct settings *settings;
static struct watch *watch;
static struct evaluate_input input;
static struct evaluate_home home;
static const struct evaluation *e;
static struct mono now;
static struct snap_vm *web1;

static const char maintenance[] = "  - name: maintenance\n    mode: auto\n"
				  "    when: { host: maintenance }\n"
				  "    afterwards: { return_home: true }\n";

static void
load(const char *policies)
{
	static const char hosts[] =
	    "version: 1\nstorage: { shared_paths: [ /srv/images ] }\nhosts:\n"
	    "  - { name: kvm1, uri: qemu+tcp://kvm1/system }\n"
	    "  - { name: kvm2, uri: qemu+tcp://kvm2/system }\n"
	    "  - { name: kvm3, uri: qemu+tcp://kvm3/system }\n";
	char text[4096], why[4096] = "";
	struct diag_list diags;
	struct settings_file files[2] = {
	    {SETTINGS_MAIN, "drover.yaml", hosts, sizeof(hosts) - 1},
	    {SETTINGS_POLICIES, "p.yaml", text, 0},
	};
	struct buf buf = BUF_INIT(sizeof(why));

	(void)snprintf(
	    text, sizeof(text), "version: 1\npolicies:\n%s", policies);
	files[1].len = strlen(text);
	diag_init(&diags);
	settings_free(settings);
	settings = settings_parse(files, 2, "/etc/drover", &diags);
	diag_print(&diags, &buf);
	ck_assert_msg(settings != NULL, "%s", buf_str(&buf));
	buf_free(&buf);
	diag_free(&diags);
}

/* web1 is on kvm2, and its home is kvm1. */
static void
setup(void)
{
	world_init(&world, 3);
	watch = watch_new();
	now.ms = 1000;
	world.s.taken_wall.ms = INT64_C(1790000000000);
	web1 = world_add_vm(&world, 1, "web1", GIB);
	load(maintenance);
	home = (struct evaluate_home){.uuid = web1->uuid,
	    .name = "web1",
	    .host = "kvm1",
	    .was = "kvm1",
	    .at = "kvm2",
	    .policy = "maintenance",
	    .since = world.s.taken_wall};
	input.homes = &home;
	input.home_count = 1;
}

static void
teardown(void)
{
	watch_free(watch);
	watch = NULL;
	settings_free(settings);
	settings = NULL;
	world_clear(&world);
	memset(&input, 0, sizeof(input));
}

/* Evaluates, and remembers what act/homes.c would. */
static void
pass(int64_t ms)
{
	enum evaluate_home_state state;

	now = mono_add(now, ms);
	world.s.taken_wall.ms += ms;
	world.s.taken = now;
	input.settings = settings;
	input.snapshot = &world.s;
	input.now = now;
	input.watch = watch;
	watch_look(
	    watch, settings, input.modes, &world.s, now, world.s.taken_wall);
	e = evaluate(world.arena, &input);
	state = e->homings[0].state;
	if (state != EVALUATE_HOME_FREE)
		home.off_since.ms = 0;
	else if (home.off_since.ms == 0)
		home.off_since = now;
	if (state != EVALUATE_HOME_MISSING)
		home.missing_since.ms = 0;
	else if (home.missing_since.ms == 0)
		home.missing_since = now;
}

/* The item of web1 in the decision about its way home; NULL: there is none. */
static const struct evaluate_item *
item(void)
{
	for (size_t d = 0; d < e->decision_count; d++) {
		const struct evaluate_decision *decision = &e->decisions[d];

		if (decision->home) {
			ck_assert_str_eq(decision->host->name, "kvm1");
			ck_assert_uint_eq(decision->item_count, 1);
			return &decision->items[0];
		}
	}
	return NULL;
}

static void
says(const char *part)
{
	ck_assert_ptr_nonnull(e->homings[0].why);
	ck_assert_msg(strstr(e->homings[0].why, part) != NULL,
	    "\"%s\" in \"%s\"", part, e->homings[0].why);
}

static void
goes_home(void)
{
	ck_assert_ptr_nonnull(item());
	ck_assert_msg(item()->fate == EVALUATE_START, "%s: %s",
	    evaluate_fate_name(item()->fate), e->homings[0].why);
	ck_assert_str_eq(item()->choice.target->name, "kvm1");
}

static void
stays(const char *why)
{
	ck_assert_msg(
	    item() == NULL || item()->fate != EVALUATE_START, "it goes");
	says(why);
}

START_TEST(it_goes_home_a_minute_after_maintenance)
{
	const struct evaluate_decision *decision;

	world.s.hosts[0].maintenance = world.s.hosts[0].cordoned = true;
	pass(0);
	stays("kvm1 is in maintenance");
	ck_assert_ptr_null(item());
	pass(10 * MINUTE);
	stays("kvm1 is in maintenance");
	world.s.hosts[0].maintenance = world.s.hosts[0].cordoned = false;
	pass(0);
	stays("has kept it away for 1 m 00 s");
	ck_assert_int_eq(item()->fate, EVALUATE_WAIT);
	ck_assert_int_eq(e->wake.ms, now.ms + MINUTE);
	pass(MINUTE - 1);
	stays("has kept it away for 1 m 00 s");
	pass(1);
	goes_home();
	decision = &e->decisions[0];
	ck_assert(decision->act && decision->home);
	ck_assert_str_eq(decision->policy->name, "maintenance");
	/* It is not a drain of its home. */
	ck_assert_ptr_null(evaluate_find_drain(e, "kvm1"));
}
END_TEST

START_TEST(what_comes_back_meanwhile_begins_the_wait_anew)
{
	pass(0);
	pass(MINUTE - 1);
	world.s.hosts[0].cordoned = true;
	pass(0);
	stays("kvm1 is cordoned");
	world.s.hosts[0].cordoned = false;
	pass(1);
	pass(MINUTE - 1);
	stays("has kept it away for 1 m 00 s");
	pass(1);
	goes_home();
}
END_TEST

START_TEST(it_waits_as_long_as_the_conditions_of_its_policy)
{
	load("  - name: maintenance\n    mode: auto\n"
	     "    when: { host: cpu > 80%, for: 5m }\n");
	pass(0);
	pass(5 * MINUTE - 1);
	stays("has kept it away for 5 m 00 s");
	pass(1);
	goes_home();
	/* A load that is coming is no time to go home. */
	world.s.hosts[0].cpu_used = world.s.hosts[0].cpu_smooth = 14;
	pass(0);
	stays("the conditions of policy maintenance (p.yaml:");
}
END_TEST

START_TEST(it_waits_for_a_home_that_is_not_there)
{
	pass(0);
	world.s.hosts[0].up = false;
	pass(2 * MINUTE);
	stays("kvm1 is not up");
	world.s.hosts[0].up = true;
	world.s.hosts[0].silent_ms = SNAPSHOT_SILENT_MS;
	pass(2 * MINUTE);
	stays("kvm1 does not answer");
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_WAITS);
}
END_TEST

START_TEST(who_moves_guests_away_from_its_home_is_heard)
{
	load("  - name: maintenance\n    mode: auto\n"
	     "    when: { host: maintenance }\n"
	     "  - name: hot\n    mode: auto\n"
	     "    when: { host: cpu > 80% }\n    select: { max: 1 }\n");
	world.s.hosts[0].cpu_used = world.s.hosts[0].cpu_smooth = 14;
	pass(0);
	pass(2 * MINUTE);
	stays("policy hot (p.yaml:8) moves guests away from kvm1");
}
END_TEST

START_TEST(another_policy_has_the_guest_first)
{
	pass(0);
	world.s.hosts[1].maintenance = world.s.hosts[1].cordoned = true;
	pass(2 * MINUTE);
	stays("another policy has it");
	ck_assert_ptr_nonnull(evaluate_find_drain(e, "kvm2"));
	ck_assert_uint_eq(evaluate_find_drain(e, "kvm2")->starts, 1);
}
END_TEST

START_TEST(what_is_forbidden_is_so_on_the_way_home)
{
	load("  - name: maintenance\n    mode: auto\n"
	     "    when: { host: maintenance }\n"
	     "    target: { require: target.name != \"kvm1\" }\n");
	pass(0);
	pass(MINUTE);
	goes_home(); /* what it requires is of targets, not of homes */
	load("  - name: maintenance\n    mode: auto\n"
	     "    when: { host: maintenance }\n"
	     "  - name: keep-off\n    mode: auto\n"
	     "    forbid: target.name = \"kvm1\"\n");
	pass(MINUTE);
	stays("policy keep-off (p.yaml:8) forbids");
	ck_assert_int_eq(item()->fate, EVALUATE_BLOCKED);
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_FREE);
}
END_TEST

START_TEST(on_its_way_it_stays_in_its_decision)
{
	pass(0);
	pass(MINUTE);
	goes_home();
	world_add_move(&world, web1, "kvm1");
	pass(0);
	ck_assert_int_eq(item()->fate, EVALUATE_MOVING);
	ck_assert_uint_eq(e->decisions[0].starts, 0);
	world.s.moves[0].to = "kvm3";
	pass(0);
	stays("it is being moved");
	ck_assert_ptr_null(item());
}
END_TEST

/* Two decisions of one policy and host would take each other's place in the record,
 * turn by turn. */
START_TEST(on_its_way_to_a_host_that_is_emptied_again_it_has_no_decision)
{
	pass(0);
	pass(MINUTE);
	goes_home();
	world_add_move(&world, web1, "kvm1");
	world_add_vm(&world, 0, "other", GIB);
	world.s.hosts[0].maintenance = world.s.hosts[0].cordoned = true;
	pass(0);
	ck_assert_ptr_null(item());
	ck_assert_ptr_nonnull(evaluate_find_drain(e, "kvm1"));
	stays("it is being moved");
}
END_TEST

START_TEST(limits_and_cooldowns_hold_on_the_way_home)
{
	load("  - name: maintenance\n    mode: auto\n"
	     "    when: { host: maintenance }\n"
	     "    cooldown: { guest: 10m }\n");
	web1->last_moved = world.s.taken_wall;
	pass(0);
	pass(2 * MINUTE);
	stays("cooldown (p.yaml:");
	pass(8 * MINUTE);
	goes_home();
	settings->limits.per_source = 1;
	world_add_move(&world, world_add_vm(&world, 1, "other", GIB), "kvm3");
	pass(0);
	stays("limit");
	ck_assert_int_eq(item()->fate, EVALUATE_WAIT);
}
END_TEST

START_TEST(a_policy_that_observes_brings_nobody_home)
{
	enum policy_mode observe = POLICY_OBSERVE;

	input.modes = &observe;
	pass(0);
	pass(2 * MINUTE);
	ck_assert(!e->decisions[0].act);
	ck_assert_ptr_nonnull(strstr(e->decisions[0].why, "mode observe"));
}
END_TEST

static void
is_given_up(const char *why)
{
	pass(0);
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_OVER);
	says(why);
	ck_assert_ptr_null(item());
}

START_TEST(whom_somebody_else_has_moved_stays)
{
	web1->host = 2;
	home.doubt_until = mono_add(now, 1000);
	pass(0);
	stays("it has just been moved");
	now = home.doubt_until;
	is_given_up("it was moved to kvm3 meanwhile");
}
END_TEST

START_TEST(one_that_is_at_home_has_arrived)
{
	web1->host = 0;
	pass(0);
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_BACK);
}
END_TEST

START_TEST(one_whose_next_move_was_not_made_wants_home_still)
{
	home.was = "kvm2";
	home.at = "kvm3";
	pass(0);
	pass(MINUTE);
	goes_home();
}
END_TEST

START_TEST(what_is_not_in_the_configuration_any_more_is_no_home)
{
	home.host = "kvm9";
	is_given_up("kvm9 is not in the configuration");
	home.host = "kvm1";
	home.policy = "gone";
	is_given_up("policy gone is not in the configuration");
}
END_TEST

START_TEST(after_a_week_it_stays)
{
	home.since.ms -= 7 * DAY - 1;
	pass(0);
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_FREE);
	home.since.ms -= 1;
	is_given_up("7 days");
}
END_TEST

START_TEST(one_that_is_seen_nowhere_is_gone_after_a_while)
{
	world.s.vm_count = 0;
	world.s.hosts[1].up = false;
	pass(0);
	pass(10 * MINUTE);
	stays("kvm2, where it is, is not up");
	world.s.hosts[1].up = true;
	pass(0);
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_MISSING);
	ck_assert_int_eq(e->wake.ms, now.ms + EVALUATE_HOME_GONE_MS);
	pass(EVALUATE_HOME_GONE_MS - 1);
	ck_assert_int_eq(e->homings[0].state, EVALUATE_HOME_MISSING);
	now.ms++;
	is_given_up("it is gone");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("homes");
	TCase *tc = tcase_create("homes");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_goes_home_a_minute_after_maintenance);
	tcase_add_test(tc, what_comes_back_meanwhile_begins_the_wait_anew);
	tcase_add_test(tc, it_waits_as_long_as_the_conditions_of_its_policy);
	tcase_add_test(tc, it_waits_for_a_home_that_is_not_there);
	tcase_add_test(tc, who_moves_guests_away_from_its_home_is_heard);
	tcase_add_test(tc, another_policy_has_the_guest_first);
	tcase_add_test(tc, what_is_forbidden_is_so_on_the_way_home);
	tcase_add_test(tc, on_its_way_it_stays_in_its_decision);
	tcase_add_test(
	    tc, on_its_way_to_a_host_that_is_emptied_again_it_has_no_decision);
	tcase_add_test(tc, limits_and_cooldowns_hold_on_the_way_home);
	tcase_add_test(tc, a_policy_that_observes_brings_nobody_home);
	tcase_add_test(tc, whom_somebody_else_has_moved_stays);
	tcase_add_test(tc, one_that_is_at_home_has_arrived);
	tcase_add_test(tc, one_whose_next_move_was_not_made_wants_home_still);
	tcase_add_test(
	    tc, what_is_not_in_the_configuration_any_more_is_no_home);
	tcase_add_test(tc, after_a_week_it_stays);
	tcase_add_test(tc, one_that_is_seen_nowhere_is_gone_after_a_while);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
