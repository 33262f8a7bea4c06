/*
 * Policies on a snapshot: what they do with it over time, and what is said where
 * they do nothing.
 */

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trial/simulate.h"
#include "trial/world.h"

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)

/* kvm1 is hot: two guests make 6 of its 8 cores busy. */
#define HOT                                                                    \
	"schema: drover/v1\n"                                                  \
	"hosts:\n"                                                             \
	"  - { name: kvm2, cpus: 8, memory: 64GiB, cpu_used: 1 }\n"            \
	"  - { name: kvm1, cpus: 8, memory: 64GiB, cpu_used: 7 }\n"            \
	"vms:\n"                                                               \
	"  - { name: web1, host: kvm1, memory: 4GiB, vcpus: 4, cpu_used: "     \
	"3.5, storage: shared, dirty_rate: 1MiB/s }\n"                         \
	"  - { name: web2, host: kvm1, memory: 8GiB, vcpus: 4, cpu_used: "     \
	"2.5, storage: shared, dirty_rate: 1MiB/s }\n"

#define RELIEF(mode)                                                           \
	"version: 1\n"                                                         \
	"policies:\n"                                                          \
	"  - name: relief\n"                                                   \
	"    mode: " mode "\n"                                                 \
	"    when: { host: cpu > 80%, for: 5m, until: cpu < 60% }\n"           \
	"    select: { order: busiest-first, max: 1 }\n"

static json_t *answer;

static void
play_at(const char *site, const char *policies, int64_t for_ms, int64_t start)
{
	const struct settings_file file = {
	    SETTINGS_POLICIES, "p.yaml", policies, strlen(policies)};
	struct simulate_options options = {{start}, for_ms, "s.yaml"};
	struct arena *arena = arena_new((size_t)1 << 30);
	struct buf faults = BUF_INIT(65536);
	struct read_snapshot snapshot;
	struct settings *settings;
	struct diag_list diags;
	bool read;

	diag_init(&diags);
	read = plan_read_snapshot(
	    arena, "s.yaml", site, strlen(site), &diags, &snapshot);
	settings = settings_parse_policies(&file, 1, &diags, NULL);
	diag_print(&diags, &faults);
	ck_assert_msg(read && settings != NULL, "%s", buf_str(&faults));
	json_decref(answer);
	answer = trial_simulate(&snapshot, settings, &options);
	settings_free(settings);
	buf_free(&faults);
	diag_free(&diags);
	arena_free(arena);
}

static void
play(const char *site, const char *policies)
{
	play_at(site, policies, HOUR, 0);
}

static void
teardown(void)
{
	json_decref(answer);
	answer = NULL;
}

static const json_t *
row(const char *list, size_t index)
{
	const json_t *found =
	    json_array_get(json_object_get(answer, list), index);

	ck_assert_msg(found != NULL, "no %s[%zu]", list, index);
	return found;
}

static size_t
rows(const char *list)
{
	return json_array_size(json_object_get(answer, list));
}

static const char *
text_in(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static int64_t
number_in(const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);

	return number != NULL ? json_integer_value(number) : -1;
}

static void
expect_text(const char *list, size_t index, const char *key, const char *want)
{
	ck_assert_str_eq(text_in(row(list, index), key), want);
}

static void
expect_part(const char *list, size_t index, const char *key, const char *want)
{
	const char *got = text_in(row(list, index), key);

	ck_assert_msg(strstr(got, want) != NULL, "%s", got);
}

static void
expect_move(size_t index, int64_t at_ms, const char *vm, const char *to)
{
	ck_assert_int_eq(number_in(row("moves", index), "at_ms"), at_ms);
	expect_text("moves", index, "vm", vm);
	expect_text("moves", index, "to", to);
}

START_TEST(one_move_relieves_a_hot_host_and_then_nothing_happens)
{
	play(HOT, RELIEF("auto"));
	ck_assert_uint_eq(rows("moves"), 1);
	expect_move(0, 5 * MINUTE, "web1", "kvm2");
	expect_text("moves", 0, "from", "kvm1");
	expect_text("moves", 0, "policy", "relief");
	expect_text("moves", 0, "strategy", "live-shared");
	expect_text("moves", 0, "why",
	    "cpu > 80% (true: cpu = 87.5 %), until cpu < 60%");
	expect_text(
	    "moves", 0, "reason", "kvm2 is the only host that can take it");
	ck_assert_uint_eq(rows("blocked"), 0);
	ck_assert_int_eq(number_in(answer, "waiting"), 0);
	expect_text("policies", 0, "state", "idle");
	ck_assert_int_eq(number_in(row("policies", 0), "moves"), 1);
	/* It took its load along: 7 - 3.5 and 1 + 3.5 cores are left. */
	expect_text("policies", 0, "why",
	    "kvm2 (and 1 more): cpu > 80% (false: cpu = 56.2 %)");
	ck_assert_int_eq(number_in(row("policies", 0), "line"), 3);
}
END_TEST

START_TEST(every_mode_but_off_acts)
{
	static const struct {
		const char *policy, *mode;
		bool as_auto, acts;
	} cases[] = {
	    {RELIEF("auto"), "auto", false, true},
	    {RELIEF("observe"), "observe", true, true},
	    {RELIEF("approve"), "approve", true, true},
	    {RELIEF("off"), "off", false, false},
	};

	for (size_t i = 0; i < 4; i++) {
		play(HOT, cases[i].policy);
		ck_assert_uint_eq(rows("moves"), cases[i].acts);
		expect_text("policies", 0, "mode", cases[i].mode);
		ck_assert_int_eq(json_is_true(json_object_get(
				     row("policies", 0), "as_auto")),
		    cases[i].as_auto);
		expect_text(
		    "policies", 0, "state", cases[i].acts ? "idle" : "off");
	}
}
END_TEST

START_TEST(a_host_that_one_policy_puts_into_maintenance_is_emptied_by_another)
{
	play(HOT "  - { name: gpu1, host: kvm1, memory: 1GiB, storage: shared, "
		 "pinned: true }\n"
		 "  - { name: old1, host: kvm1, memory: 1GiB }\n",
	    "version: 1\n"
	    "policies:\n"
	    "  - name: empty\n"
	    "    mode: auto\n"
	    "    when: { host: maintenance }\n"
	    "  - name: worn\n"
	    "    mode: auto\n"
	    "    hosts: name = \"kvm1\"\n"
	    "    when: { host: cpu > 80%, for: 1m }\n"
	    "    actions: [ set_maintenance ]\n");
	ck_assert_uint_eq(rows("flags"), 1);
	ck_assert_int_eq(number_in(row("flags", 0), "at_ms"), MINUTE);
	expect_text("flags", 0, "host", "kvm1");
	expect_text("flags", 0, "flag", "maintenance");
	expect_text("flags", 0, "policy", "worn");
	ck_assert_uint_eq(rows("moves"), 2);
	expect_move(0, MINUTE, "web2", "kvm2");
	expect_move(1, MINUTE, "web1", "kvm2");
	ck_assert_uint_eq(rows("blocked"), 2);
	expect_text("blocked", 0, "vm", "gpu1");
	expect_text("blocked", 0, "host", "kvm1");
	expect_text("blocked", 0, "policy", "empty");
	expect_text("blocked", 0, "reason",
	    "pinned to its host by the snapshot (pinned: true)");
	/* Nobody said that its storage is shared, or how large it is. */
	expect_text("blocked", 1, "vm", "old1");
	expect_part("blocked", 1, "reason", "its size is unknown");
	expect_text("policies", 0, "state", "active");
	expect_text("policies", 0, "why", "2 blocked");
}
END_TEST

START_TEST(what_policies_see_is_told_where_nothing_happens)
{
	play(HOT,
	    "version: 1\n"
	    "policies:\n"
	    "  - name: far\n"
	    "    mode: auto\n"
	    "    when: { host: memory > 90% }\n"
	    "  - name: long\n"
	    "    mode: auto\n"
	    "    when: { host: cpu > 80%, for: 2h }\n"
	    "  - name: alarm\n"
	    "    mode: auto\n"
	    "    when: { event: type = \"DiskFailing\" }\n"
	    "  - name: nowhere\n"
	    "    mode: auto\n"
	    "    hosts: maintenance\n"
	    "    when: { host: cpu > 10% }\n"
	    "  - name: guests\n"
	    "    mode: auto\n"
	    "    when: { vm: cpu > 99% }\n"
	    "  - name: uneven\n"
	    "    mode: auto\n"
	    "    when: { cluster: cpu_stddev > 90% }\n"
	    "    actions: [ balance ]\n"
	    "  - name: swap\n"
	    "    mode: auto\n"
	    "    when: { host: swap_in > 1MiB/s }\n");
	ck_assert_uint_eq(rows("moves"), 0);
	/* The fullest host, for a condition on memory. */
	expect_part("policies", 0, "why",
	    "kvm1 (and 1 more): memory > 90% (false: memory = ");
	expect_text("policies", 1, "state", "pending");
	ck_assert_int_eq(number_in(row("policies", 1), "since_ms"), 0);
	ck_assert_str_eq(json_string_value(json_array_get(
			     json_object_get(row("policies", 1), "hosts"), 0)),
	    "kvm1");
	expect_text("policies", 1, "why",
	    "has to hold for 2 h 00 m: kvm1: cpu > 80% (true: cpu = 87.5 %)");
	expect_text(
	    "policies", 2, "why", "no alert is on: a snapshot has none");
	expect_part("policies", 3, "why",
	    "kvm1 (and 1 more): maintenance (false: maintenance = false)");
	expect_part("policies", 4, "why", "web1 (and 1 more): cpu > 99% (");
	expect_part("policies", 5, "why", "cpu_stddev > 90% (false: ");
	expect_part("policies", 6, "why",
	    "kvm1 (and 1 more): swap_in > 1MiB/s (unknown: swap_in = unknown)");
	for (size_t i = 0; i < 7; i++)
		expect_text(
		    "policies", i, "state", i == 1 ? "pending" : "idle");
}
END_TEST

/* Both hosts are equally busy; only their memory differs.  What a target's load
 * would be is no reason against a move that makes the score better. */
START_TEST(the_gain_of_a_balance_is_of_the_score)
{
	play("schema: drover/v1\n"
	     "hosts:\n"
	     "  - { name: kvm1, cpus: 8, memory: 32GiB, cpu_used: 2 }\n"
	     "  - { name: kvm2, cpus: 8, memory: 32GiB, cpu_used: 2 }\n"
	     "vms:\n"
	     "  - { name: a, host: kvm1, memory: 12GiB, cpu_used: 0, storage: "
	     "shared }\n"
	     "  - { name: b, host: kvm1, memory: 12GiB, cpu_used: 0, storage: "
	     "shared }\n",
	    "version: 1\n"
	    "policies:\n"
	    "  - name: even\n"
	    "    mode: auto\n"
	    "    when: { cluster: imbalance > 0.01 }\n"
	    "    actions: [ balance ]\n"
	    "    gain: 2%\n");
	ck_assert_uint_eq(rows("moves"), 1);
	expect_part("moves", 0, "why", "memory ");
	expect_part("moves", 0, "reason", "imbalance > 0.01 (true: ");
	ck_assert_uint_eq(rows("blocked"), 0);
}
END_TEST

START_TEST(what_waits_in_the_end_is_told)
{
	play_at(HOT,
	    RELIEF("auto") "    windows: [ { from: \"22:00\", to: "
			   "\"06:00\", time_zone: UTC } ]\n",
	    HOUR, 20 * HOUR);
	ck_assert_uint_eq(rows("moves"), 0);
	ck_assert_int_eq(number_in(answer, "waiting"), 2);
	expect_text("policies", 0, "state", "active");
	ck_assert_int_eq(number_in(row("policies", 0), "since_ms"), 5 * MINUTE);
	expect_part("policies", 0, "why", "2 waiting: outside of its windows");
	/* In three hours the window opens. */
	play_at(HOT,
	    RELIEF("auto") "    windows: [ { from: \"22:00\", to: "
			   "\"06:00\", time_zone: UTC } ]\n",
	    3 * HOUR, 20 * HOUR);
	ck_assert_uint_eq(rows("moves"), 1);
	expect_move(0, 2 * HOUR, "web1", "kvm2");
	ck_assert_str_eq(text_in(answer, "start"), "1970-01-01T20:00:00.000Z");
}
END_TEST

#define QUORUM                                                                 \
	"schema: drover/v1\n"                                                  \
	"apart: quorum\n"                                                      \
	"hosts:\n"                                                             \
	"  - { name: kvm1, cpus: 8, memory: 64GiB, maintenance: true }\n"      \
	"  - { name: kvm2, cpus: 8, memory: 64GiB }\n"                         \
	"vms:\n"                                                               \
	"  - { name: q2, uuid: u2, host: kvm2, memory: 1GiB, storage: "        \
	"shared, "                                                             \
	"labels: { quorum: a } }\n"                                            \
	"  - { name: q1, uuid: u1, host: kvm1, memory: 1GiB, storage: "        \
	"shared, "                                                             \
	"labels: { quorum: a } }\n"
#define EMPTY                                                                  \
	"version: 1\n"                                                         \
	"policies:\n"                                                          \
	"  - { name: empty, mode: auto, when: { host: maintenance } }\n"

START_TEST(moves_take_as_long_as_is_foretold)
{
	int64_t ends_ms;

	play(HOT, RELIEF("auto"));
	ends_ms = number_in(row("moves", 0), "ends_ms");
	ck_assert_int_gt(ends_ms, 5 * MINUTE);
	play("limits: { bandwidth: 1GiB/s }\n" HOT, RELIEF("auto"));
	ck_assert_int_lt(number_in(row("moves", 0), "ends_ms"), ends_ms);
	ck_assert_int_ge(
	    number_in(row("moves", 0), "ends_ms"), 5 * MINUTE + 4000);
	/* How fast it writes is not known. */
	play(QUORUM "  - { name: lone, host: kvm1, memory: 1GiB, storage: "
		    "shared }\n",
	    EMPTY);
	expect_move(0, 0, "lone", "kvm2");
	ck_assert_int_eq(number_in(row("moves", 0), "ends_ms"), WORLD_MOVE_MS);
}
END_TEST

START_TEST(guests_that_the_snapshot_keeps_apart_stay_apart)
{
	play(QUORUM, EMPTY);
	ck_assert_uint_eq(rows("moves"), 0);
	ck_assert_uint_eq(rows("blocked"), 1);
	expect_text("blocked", 0, "vm", "q1");
	expect_part("blocked", 0, "reason", "(rule apart, s.yaml:1)");
	/* A rule of the policies says the same. */
	play(QUORUM, EMPTY "placement: [ { name: mine, apart: quorum } ]\n");
	expect_part("blocked", 0, "reason", "(rule mine, p.yaml:");
}
END_TEST

START_TEST(guests_of_one_name_are_told_by_their_uuids)
{
	play(QUORUM
	    "  - { name: twin, uuid: u3, host: kvm1, memory: 1GiB, storage: "
	    "shared }\n"
	    "  - { name: twin, uuid: u4, host: kvm2, memory: 1GiB, storage: "
	    "shared }\n",
	    EMPTY);
	ck_assert_uint_eq(rows("blocked"), 2);
	expect_text("blocked", 0, "vm", "q1");
	expect_text("blocked", 1, "vm", "u3");
	expect_part("blocked", 1, "reason", "has another guest named twin");
}
END_TEST

START_TEST(what_grows_older_is_looked_at_again)
{
	play_at(HOT,
	    "version: 1\n"
	    "policies:\n"
	    "  - name: old\n"
	    "    mode: auto\n"
	    "    when: { vm: age > 25h }\n"
	    "    actions: [ notify ]\n",
	    2 * HOUR, 0);
	expect_text("policies", 0, "state", "active");
	ck_assert_int_ge(number_in(row("policies", 0), "since_ms"), HOUR);
	ck_assert_int_le(
	    number_in(row("policies", 0), "since_ms"), HOUR + MINUTE);
}
END_TEST

static void
add_busy_site(struct buf *site, double used)
{
	buf_adds(site, "schema: drover/v1\nhosts:\n");
	for (int i = 0; i < 300; i++)
		buf_addf(site,
		    "  - { name: h%d, cpus: 8, memory: 64GiB, cpu_used: %g }\n",
		    i, used);
	buf_adds(site, "vms:\n");
	for (int i = 0; i < 3000; i++)
		buf_addf(site,
		    "  - { name: v%d, host: h%d, memory: 1GiB, pinned: true, "
		    "cpu_used: 0.1 }\n",
		    i, i % 300);
}

START_TEST(much_that_is_to_be_decided_is_in_steps)
{
	struct buf site = BUF_INIT((size_t)1 << 20);

	add_busy_site(&site, 2);
	play(buf_str(&site), RELIEF("auto"));
	ck_assert_int_eq(number_in(answer, "step_ms"), 1000);
	expect_text("policies", 0, "state", "idle");
	buf_clear(&site);
	add_busy_site(&site, 8);
	play(buf_str(&site), RELIEF("auto"));
	/* 3,000 guests times 300 hosts in a turn, of 40 million in an hour */
	ck_assert_int_eq(number_in(answer, "step_ms"), 82000);
	expect_text("policies", 0, "state", "active");
	ck_assert_uint_eq(rows("blocked"), 3000);
	buf_free(&site);
}
END_TEST

START_TEST(a_site_without_anything_is_simulated_too)
{
	play("schema: drover/v1\nhosts: []\nvms: []\n", RELIEF("auto"));
	ck_assert_uint_eq(rows("moves"), 0);
	expect_text("policies", 0, "state", "idle");
	play(HOT, "version: 1\npolicies: []\n");
	ck_assert_uint_eq(rows("policies"), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trial_simulate");
	TCase *acts = tcase_create("acts");
	TCase *tells = tcase_create("tells");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(acts, NULL, teardown);
	tcase_add_checked_fixture(tells, NULL, teardown);
	tcase_add_test(
	    acts, one_move_relieves_a_hot_host_and_then_nothing_happens);
	tcase_add_test(acts, every_mode_but_off_acts);
	tcase_add_test(acts,
	    a_host_that_one_policy_puts_into_maintenance_is_emptied_by_another);
	tcase_add_test(acts, the_gain_of_a_balance_is_of_the_score);
	tcase_add_test(acts, moves_take_as_long_as_is_foretold);
	tcase_add_test(acts, guests_that_the_snapshot_keeps_apart_stay_apart);
	tcase_add_test(acts, guests_of_one_name_are_told_by_their_uuids);
	tcase_add_test(acts, what_grows_older_is_looked_at_again);
	tcase_add_test(acts, much_that_is_to_be_decided_is_in_steps);
	tcase_add_test(tells, what_policies_see_is_told_where_nothing_happens);
	tcase_add_test(tells, what_waits_in_the_end_is_told);
	tcase_add_test(tells, a_site_without_anything_is_simulated_too);
	suite_add_tcase(suite, acts);
	suite_add_tcase(suite, tells);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
