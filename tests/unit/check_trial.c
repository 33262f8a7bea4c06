/*
 * Files of policy tests: what is refused and where, how a test goes, and what is
 * reported.  The policies are small ones of this file; those that are shipped have
 * tests of their own (policies/tests).
 */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trial/report.h"
#include "trial/run.h"
#include "trial/world.h"

#define POLICY                                                                 \
	"version: 1\n"                                                         \
	"policies:\n"                                                          \
	"  - name: empty\n"                                                    \
	"    mode: auto\n"                                                     \
	"    when: { host: maintenance }\n"                                    \
	"    select: { except: [ \"router-*\" ] }\n"                           \
	"    on_failure: { retries: 1, backoff: 1m }\n"

#define SITE                                                                   \
	"version: 1\n"                                                         \
	"policies: [ p.yaml ]\n"                                               \
	"hosts:\n"                                                             \
	"  - { name: kvm1, cpus: 8, memory: 64GiB }\n"                         \
	"  - { name: kvm2, cpus: 8, memory: 64GiB }\n"                         \
	"vms:\n"                                                               \
	"  - { name: web1, host: kvm1, memory: 4GiB, cpu_used: 2 }\n"          \
	"  - { name: db1, host: kvm1, memory: 8GiB, vcpus: 4, storage: local," \
	" disk_allocated: 10GiB }\n"                                           \
	"  - { name: router-1, host: kvm1, memory: 1GiB, pinned: true }\n"

static struct diag_list diags;
static struct buf text;

static void
setup(void)
{
	diag_init(&diags);
	text = BUF_INIT((size_t)1 << 20);
}

static void
teardown(void)
{
	diag_free(&diags);
	buf_free(&text);
}

static struct trial *
read_trial(const char *file)
{
	struct trial *trial;

	trial = trial_read("t_test.yaml", file, strlen(file), &diags);
	buf_clear(&text);
	diag_print(&diags, &text);
	return trial;
}

static struct settings *
read_policies(const char *policies)
{
	const struct settings_file files[] = {
	    {SETTINGS_MAIN, "m", "version: 1\n", 11},
	    {SETTINGS_POLICIES, "p.yaml", policies, strlen(policies)},
	};
	struct settings *settings = settings_parse(files, 2, "/", &diags);

	diag_print(&diags, &text);
	ck_assert_msg(settings != NULL, "%s", buf_str(&text));
	return settings;
}

/* Runs the only test of the file; the caller owns the result. */
static json_t *
play_with(const char *policies, const char *file, bool verbose)
{
	struct trial *trial = read_trial(file);
	struct settings *settings;
	json_t *result;

	ck_assert_msg(trial != NULL, "%s", buf_str(&text));
	settings = read_policies(policies);
	ck_assert(trial_check_policies(trial, settings, &diags));
	ck_assert_uint_eq(trial->case_count, 1);
	result = trial_run(trial, settings, &trial->cases[0], verbose);
	settings_free(settings);
	trial_free(trial);
	return result;
}

static const json_t *
test_of(const json_t *result, size_t i)
{
	return json_array_get(json_object_get(result, "tests"), i);
}

/* Whether each of the expectations came out so: "1" for ok, "0" for not. */
static void
assert_outcome(const char *file, const char *outcome)
{
	json_t *result = play_with(POLICY, file, false);
	size_t count = json_array_size(json_object_get(result, "tests"));

	ck_assert_uint_eq(count, strlen(outcome));
	for (size_t i = 0; i < count; i++) {
		char *shown = json_dumps(test_of(result, i), 0);

		ck_assert_msg(json_is_true(json_object_get(test_of(result, i),
				  "ok")) == (outcome[i] == '1'),
		    "%zu: %s", i, shown);
		free(shown);
	}
	json_decref(result);
}

START_TEST(faults_have_their_place_and_say_what_to_do)
{
	static const struct {
		const char *rest, *fault;
	} rows[] = {
	    {"", "t_test.yaml:1:1: nothing is expected: it has neither expect"},
	    {"expect: [ { at: 1m } ]",
		":10:11: expect[0]: says nothing that could be seen"},
	    {"expect: [ { at: 1m, none: true, state: idle } ]",
		":10:21: expect[0].none: an expectation says one thing"},
	    {"expect: [ { at: 1m, none: false } ]",
		":10:27: expect[0].none: is written none: true"},
	    {"expect: [ { at: 1m, none: true, rule: memory } ]",
		":10:33: expect[0].rule: has no meaning beside none"},
	    {"expect: [ { at: 1m, state: idle } ]",
		":10:11: expect[0]: policy is missing: whose state?"},
	    {"expect: [ { at: 1m, state: firing, policy: empty } ]",
		":10:28: expect[0].state: \"firing\" is called active"},
	    {"expect: [ { at: 1m, state: active, policy: empty, since: 2m } ]",
		":10:58: expect[0].since: is after at"},
	    {"expect: [ { at: 1m, fate: blocked, vm: web2 } ]",
		":10:40: expect[0].vm: there is no vm \"web2\" (did you mean "
		"\"web1\"?)"},
	    {"expect: [ { at: 1m, on: { kvm3: [ web1 ] } } ]",
		":10:27: expect[0].on.kvm3: there is no host \"kvm3\" (did "
		"you mean \"kvm1\"?)"},
	    {"expect: [ { at: 1m, on: { kvm1: [ web1, web1 ] } } ]",
		":10:41: expect[0].on.kvm1[1]: \"web1\" is given twice"},
	    {"expect: [ { at: 30d, none: true } ]",
		":10:17: expect[0].at: 86400 samples until then are more"},
	    {"expect: [ { at: 1m, moves: [ { to: kvm2 } ] } ]",
		":10:30: expect[0].moves[0].vm: missing in a move"},
	    {"expect: [ { at: 1m, none: true } ]\nserie: []",
		":11:1: serie: unknown key (did you mean \"series\"?)"},
	    {"expect: [ { at: 1m, none: true } ]\ntests: [ { name: a, expect: "
	     "[ { at: 1m, none: true } ] } ]",
		":10:1: expect: belongs into one of the tests"},
	    {"expect: [ { at: 1m, none: true } ]\nseries: [ { cpu: \"1\" } ]",
		":11:11: series[0]: a series is of a host or of a vm"},
	    {"expect: [ { at: 1m, none: true } ]\nseries: [ { host: kvm1 } ]",
		":11:11: series[0]: has no figure"},
	    {"expect: [ { at: 1m, none: true } ]\n"
	     "series: [ { vm: web1, memory: \"50%\" } ]",
		":11:23: series[0].memory: is a figure of a host"},
	    {"expect: [ { at: 1m, none: true } ]\n"
	     "series: [ { host: kvm1, cpu: \"50% 60\" } ]",
		":11:35: series[0].cpu: \"60\" is a number, and the series"},
	    {"expect: [ { at: 1m, none: true } ]\n"
	     "series: [ { host: kvm1, maintenance: \"0 2\" } ]",
		":11:38: series[0].maintenance: sample 2 of the series is "
		"neither"},
	    {"expect: [ { at: 1m, none: true } ]\nseries: [ { host: kvm1, cpu: "
	     "\"1\" }, { host: kvm1, cpu: \"2\" } ]",
		":11:37: series[1]: this figure of it has a series already"},
	    {"expect: [ { at: 1m, none: true } ]\nmodes: { empty: auto, x: on "
	     "}",
		":11:26: modes.x: unknown mode \"on\" (known: off, observe,"},
	    {"expect: [ { at: 1m, none: true } ]\nstart: 2026-02-30 10:00",
		":11:8: start: \"2026-02-30 10:00\" is no time in UTC"},
	    {"expect: [ { at: 1m, none: true } ]\n"
	     "alerts: [ { at: 5m, until: 5m, host: kvm1, name: X } ]",
		":11:28: alerts[0].until: is not after at"},
	    {"expect: []", ":10:9: expect: the list is empty"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf file = BUF_INIT(65536);

		buf_addf(&file, "%s%s\n", SITE, rows[i].rest);
		ck_assert_msg(read_trial(buf_str(&file)) == NULL,
		    "\"%s\" is taken", rows[i].rest);
		ck_assert_msg(strstr(buf_str(&text), rows[i].fault) != NULL,
		    "\"%s\": %s", rows[i].rest, buf_str(&text));
		buf_free(&file);
		teardown();
		setup();
	}
}
END_TEST

START_TEST(guests_have_one_name_and_a_host_that_is_there)
{
	ck_assert_ptr_null(
	    read_trial("version: 1\npolicies: [ p ]\n"
		       "hosts: [ { name: a, cpus: 1, memory: 1GiB } ]\n"
		       "vms:\n"
		       "  - { name: v, host: a, memory: 1 }\n"
		       "  - { name: v, host: b, memory: 1 }\n"
		       "expect: [ { at: 1m, none: true } ]\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text),
	    ":6:13: vms[1].name: \"v\" is already used in line 5"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text),
	    ":6:22: vms[1].host: there is no host \"b\" in this file"));
}
END_TEST

START_TEST(policies_that_are_not_there_are_found_once_they_are_loaded)
{
	struct trial *trial = read_trial(
	    SITE "modes: { emptyy: off }\n"
		 "expect:\n"
		 "  - { at: 1m, policy: emty, host: kvm1, state: idle }\n"
		 "  - { at: 1m, moves: [ { vm: web1, policy: other } ] }\n");
	struct settings *settings = read_policies(POLICY);

	ck_assert_ptr_nonnull(trial);
	ck_assert(!trial_check_policies(trial, settings, &diags));
	buf_clear(&text);
	diag_print(&diags, &text);
	ck_assert_str_eq(buf_str(&text),
	    "t_test.yaml:10:10: modes.emptyy: there is no policy \"emptyy\" "
	    "(did you mean \"empty\"?)\n"
	    "t_test.yaml:12:23: expect[0].policy: there is no policy \"emty\" "
	    "(did you mean \"empty\"?)\n"
	    "t_test.yaml:13:44: expect[1].moves[0].policy: there is no policy "
	    "\"other\" in the files of policies\n");
	settings_free(settings);
	trial_free(trial);
}
END_TEST

START_TEST(nothing_moves_before_the_flag_is_set)
{
	assert_outcome(SITE
	    "series: [ { host: kvm1, maintenance: \"0x3 1\" } ]\n"
	    "expect:\n"
	    "  - { at: 119s, none: true }\n"
	    "  - { at: 2m, none: true }\n"
	    "  - { at: 2m, policy: empty, host: kvm1, state: active, "
	    "since: 2m }\n"
	    "  - { at: 2m, policy: empty, host: kvm1, state: active, "
	    "since: 1m }\n"
	    "  - { at: 2m, policy: empty, host: kvm2, state: idle }\n"
	    "  - { at: 119s, policy: empty, host: kvm1, state: active }\n",
	    "101010");
}
END_TEST

START_TEST(moves_are_compared_in_order_of_time_and_each_figure_counts)
{
	assert_outcome(SITE
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "limits: { per_source: 1 }\n"
	    "expect:\n"
	    "  - { at: 10m, moves: [ { vm: db1 }, { vm: web1 } ] }\n"
	    "  - { at: 10m, moves: [ { vm: web1 }, { vm: db1 } ] }\n"
	    "  - { at: 10m, moves: [ { vm: db1 } ] }\n"
	    "  - { at: 29s, moves: [ { vm: db1, from: kvm1, to: kvm2, "
	    "strategy: live-copy, policy: empty, at: 0 } ] }\n"
	    "  - { at: 29s, moves: [ { vm: db1, strategy: live-shared } ] }\n"
	    "  - { at: 29s, moves: [ { vm: db1, from: kvm2 } ] }\n"
	    "  - { at: 29s, moves: [ { vm: db1, at: 1s } ] }\n"
	    "  - { at: 29s, vm: web1, none: true }\n"
	    "  - { at: 29s, vm: db1, none: true }\n",
	    "100100010");
}
END_TEST

START_TEST(moves_that_begin_together_are_in_any_order)
{
	assert_outcome(SITE
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "expect:\n"
	    "  - { at: 1s, moves: [ { vm: web1 }, { vm: db1 } ] }\n"
	    "  - { at: 1s, moves: [ { vm: db1 }, { vm: web1 } ] }\n"
	    "  - { at: 1s, moves: [ { vm: db1 }, { vm: db1 } ] }\n",
	    "110");
}
END_TEST

START_TEST(a_guest_arrives_when_its_move_has_ended)
{
	assert_outcome(SITE
	    "move_time: 45s\n"
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "expect:\n"
	    "  - { at: 44s, vm: web1, fate: moving }\n"
	    "  - { at: 44s, on: { kvm2: [] } }\n"
	    "  - { at: 45s, on: { kvm2: [ db1, web1 ], kvm1: [ router-1 ] } }\n"
	    "  - { at: 45s, on: { kvm2: [ web1 ] } }\n"
	    "  - { at: 45s, on: { kvm2: [ web1, db1, router-1 ] } }\n"
	    "  - { at: 45s, vm: web1, fate: untouched }\n"
	    "  - { at: 45s, vm: router-1, fate: excepted, why: \"*router-**\" "
	    "}\n"
	    "  - { at: 45s, vm: router-1, fate: excepted, why: \"*web*\" }\n",
	    "11100110");
}
END_TEST

START_TEST(refusals_are_told_by_rule_host_and_reason)
{
	assert_outcome(SITE
	    "series:\n"
	    "  - { host: kvm1, maintenance: \"1\" }\n"
	    "  - { host: kvm2, memory: \"62GiB\" }\n"
	    "expect:\n"
	    "  - { at: 1m, vm: db1, fate: blocked, rule: memory }\n"
	    "  - { at: 1m, vm: db1, fate: blocked, rule: memory, to: kvm2, "
	    "why: \"needs * free of 64.0 GiB*\" }\n"
	    "  - { at: 1m, vm: db1, fate: blocked, rule: cordoned }\n"
	    "  - { at: 1m, vm: db1, fate: waiting, rule: memory }\n"
	    "  - { at: 1m, vm: db1, fate: blocked, why: \"*no such reason*\" "
	    "}\n",
	    "11000");
}
END_TEST

START_TEST(a_target_without_room_for_the_disks_is_refused)
{
	assert_outcome(
	    "version: 1\npolicies: [ p.yaml ]\n"
	    "hosts:\n"
	    "  - { name: kvm1, cpus: 8, memory: 64GiB }\n"
	    "  - { name: kvm2, cpus: 8, memory: 64GiB, disk: 5GiB }\n"
	    "vms:\n"
	    "  - { name: db1, host: kvm1, memory: 8GiB, storage: local, "
	    "disk_allocated: 10GiB }\n"
	    "  - { name: db2, host: kvm1, memory: 8GiB, storage: local }\n"
	    "  - { name: db3, host: kvm1, memory: 8GiB, storage: mixed, "
	    "disk_allocated: 1GiB }\n"
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "expect:\n"
	    "  - { at: 1s, vm: db1, fate: blocked, rule: pool-room }\n"
	    "  - { at: 1s, vm: db2, fate: blocked, rule: disk-figures }\n"
	    "  - { at: 1m, on: { kvm2: [ db3 ] } }\n",
	    "111");
}
END_TEST

START_TEST(a_failed_move_is_tried_again_as_the_policy_says)
{
	assert_outcome(SITE
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "fail: [ { vm: web1, times: 1, why: \"no route to host\" } ]\n"
	    "expect:\n"
	    "  - { at: 30s, vm: web1, fate: waiting, why: \"*no route to "
	    "host*\" "
	    "}\n"
	    "  - { at: 89s, vm: web1, fate: waiting }\n"
	    "  - { at: 90s, vm: web1, fate: moving }\n"
	    "  - { at: 2m, on: { kvm2: [ db1, web1 ] } }\n",
	    "1111");
	assert_outcome(SITE
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "fail: [ { vm: web1, to: kvm2 } ]\n"
	    "expect:\n"
	    "  - { at: 1h, vm: web1, fate: blocked, rule: given-up }\n"
	    "  - { at: 1h, moves: [ { vm: web1 }, { vm: db1 }, { vm: web1 } ] "
	    "}\n",
	    "11");
}
END_TEST

START_TEST(modes_of_the_test_go_before_those_of_the_file_and_the_policy)
{
	assert_outcome(SITE
	    "modes: { empty: observe }\n"
	    "series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "expect:\n"
	    "  - { at: 1m, none: true }\n"
	    "  - { at: 1m, vm: web1, fate: would-move, to: kvm2 }\n"
	    "  - { at: 1m, vm: web1, fate: would-move, to: kvm1 }\n",
	    "110");
	assert_outcome(SITE
	    "modes: { empty: observe }\n"
	    "tests:\n"
	    "  - name: one\n"
	    "    modes: { empty: auto }\n"
	    "    series: [ { host: kvm1, maintenance: \"1\" } ]\n"
	    "    expect: [ { at: 1m, none: true } ]\n",
	    "0");
}
END_TEST

START_TEST(flags_of_hosts_are_those_of_the_series)
{
	assert_outcome(SITE
	    "series: [ { host: kvm2, cordoned: \"0 1\", maintenance: \"0x1 1\" "
	    "} ]\n"
	    "expect:\n"
	    "  - { at: 0, host: kvm2, flag: none }\n"
	    "  - { at: 30s, host: kvm2, flag: cordoned }\n"
	    "  - { at: 1m, host: kvm2, flag: maintenance }\n"
	    "  - { at: 1m, host: kvm1, flag: maintenance }\n",
	    "1110");
}
END_TEST

/* ---- the site ---- */

static const struct snap_host *
host_at(struct world *world, int64_t ms, const char *name)
{
	world_set_time(world, ms);
	return snapshot_find_host(&world->s, name);
}

START_TEST(a_guest_takes_its_load_along)
{
	struct trial *trial = read_trial(
	    SITE "series:\n"
		 "  - { host: kvm1, cpu: \"50%x9 100%\", memory: \"50%\" }\n"
		 "  - { vm: db1, cpu: \"25% 50%x8 _\" }\n"
		 "expect: [ { at: 1m, none: true } ]\n");
	struct arena *arena = arena_new((size_t)64 << 20);
	struct policy policy = {.name = "p"};
	const struct evaluate_decision decision = {.policy = &policy};
	struct evaluate_item item = {.fate = EVALUATE_START};
	const int64_t gib = (int64_t)1 << 30;
	const struct snap_host *host;
	struct world world;

	ck_assert_msg(trial != NULL, "%s", buf_str(&text));
	world_init(&world, arena, trial, &trial->cases[0]);
	host = host_at(&world, 0, "kvm1");
	ck_assert_double_eq(host->cpu_smooth, 4);
	ck_assert_double_eq(host->memory_smooth, 0.5);
	ck_assert_int_eq(host->memory_free, 32 * gib);
	/* Of kvm2 nothing is told: it has no guests. */
	host = host_at(&world, 0, "kvm2");
	ck_assert_double_eq(host->cpu_smooth, 0);
	ck_assert_int_eq(host->memory_free, 64 * gib);
	item.vm = &world.s.vms[0];
	item.choice.target = snapshot_find_host(&world.s, "kvm2");
	item.choice.strategy.strategy = STRATEGY_LIVE_COPY;
	world_begin_move(&world, &decision, &item);
	ck_assert_str_eq(world.s.vms[0].name, "db1");
	ck_assert_double_eq(host_at(&world, 29000, "kvm1")->cpu_smooth, 4);
	ck_assert_uint_eq(world.s.move_count, 1);
	/* From now on it uses 2 cores, there. */
	host = host_at(&world, 30000, "kvm1");
	ck_assert_uint_eq(world.s.move_count, 0);
	ck_assert_double_eq(host->cpu_smooth, 2);
	ck_assert_int_eq(
	    host->memory_free, 32 * gib + place_memory_need(8 * gib));
	host = host_at(&world, 30000, "kvm2");
	ck_assert_double_eq(host->cpu_smooth, 2);
	ck_assert_int_eq(
	    host->memory_free, 64 * gib - place_memory_need(8 * gib));
	ck_assert_int_eq(world.s.vms[0].last_moved.ms, trial->start.ms + 30000);
	/* Then its load is unknown, and with it that of its new host, but not
	 * of the one of which it is told. */
	ck_assert_double_eq(host_at(&world, 300000, "kvm1")->cpu_smooth, 8);
	ck_assert(isnan(host_at(&world, 300000, "kvm2")->cpu_smooth));
	world_clear(&world);
	arena_free(arena);
	trial_free(trial);
}
END_TEST

START_TEST(what_is_not_measured_is_unknown)
{
	struct trial *trial = read_trial(
	    SITE "series: [ { host: kvm1, cpu: \"_ 10%\", memory: \"_ 10%\", "
		 "up: \"1 0\" } ]\n"
		 "expect: [ { at: 1m, none: true } ]\n");
	struct arena *arena = arena_new((size_t)64 << 20);
	const struct snap_host *host;
	struct world world;

	ck_assert_msg(trial != NULL, "%s", buf_str(&text));
	world_init(&world, arena, trial, &trial->cases[0]);
	host = host_at(&world, 0, "kvm1");
	ck_assert(isnan(host->cpu_smooth));
	ck_assert(isnan(host->memory_smooth));
	ck_assert(isnan(host->steal));
	ck_assert_int_eq(host->memory_free, SNAPSHOT_UNKNOWN);
	ck_assert(host->up);
	host = host_at(&world, 30000, "kvm1");
	ck_assert_double_eq_tol(host->cpu_smooth, 0.8, 1e-9);
	ck_assert(!host->up);
	ck_assert(isnan(world.s.vms[0].cpu_smooth)); /* db1 */
	ck_assert_int_eq(world.s.vms[0].dirty_rate, SNAPSHOT_UNKNOWN);
	world_clear(&world);
	arena_free(arena);
	trial_free(trial);
}
END_TEST

START_TEST(alerts_are_on_between_their_times_in_order_of_names)
{
	struct trial *trial = read_trial(
	    SITE "start: 2026-03-01 00:00\n"
		 "alerts:\n"
		 "  - { at: 1m, host: kvm1, name: Zeta, severity: critical }\n"
		 "  - { at: 90s, until: 2m, host: kvm1, name: Alpha, "
		 "labels: { disk: sda } }\n"
		 "  - { at: 0, host: kvm2, name: Beta }\n"
		 "expect: [ { at: 1m, none: true } ]\n");
	struct arena *arena = arena_new((size_t)64 << 20);
	const struct snap_host *host;
	struct world world;

	ck_assert_msg(trial != NULL, "%s", buf_str(&text));
	ck_assert_int_eq(trial->start.ms, INT64_C(1772323200000));
	world_init(&world, arena, trial, &trial->cases[0]);
	ck_assert_uint_eq(host_at(&world, 59000, "kvm1")->alert_count, 0);
	ck_assert_int_eq(world_next(&world), 60000);
	host = host_at(&world, 91000, "kvm1");
	ck_assert_uint_eq(host->alert_count, 2);
	ck_assert_str_eq(host->alerts[0].name, "Alpha");
	ck_assert_str_eq(host->alerts[0].label_values[0], "sda");
	ck_assert_str_eq(host->alerts[1].severity, "critical");
	ck_assert_int_eq(host->alerts[1].since.ms, trial->start.ms + 60000);
	ck_assert_int_eq(world_next(&world), 120000);
	ck_assert_uint_eq(host_at(&world, 120000, "kvm1")->alert_count, 1);
	world_clear(&world);
	arena_free(arena);
	trial_free(trial);
}
END_TEST

/* ---- the report ---- */

#define FAILING                                                                \
	SITE "series: [ { host: kvm1, maintenance: \"1\" } ]\n"                \
	     "expect:\n"                                                       \
	     "  - { at: 0, none: true }\n"                                     \
	     "  - { at: 0, policy: empty, host: kvm1, state: active }\n"

START_TEST(a_report_says_what_was_expected_and_what_was_decided)
{
	json_t *result = play_with(POLICY, FAILING, false);
	struct report report;

	buf_clear(&text);
	report_begin(&report, &text);
	report_case(&report, "a#b_test.yaml", result);
	report_bad_file(&report, "c_test.yaml", "c:1:2: x: \"y\"\nd\n");
	report_end(&report);
	ck_assert_uint_eq(report.count, 3);
	ck_assert_uint_eq(report.failed, 2);
	ck_assert_msg(
	    strstr(buf_str(&text),
		"TAP version 14\n"
		"not ok 1 - a\\#b_test.yaml:12: at 0 moved so far: nothing\n"
		"  ---\n"
		"  expected:\n"
		"    moves: []\n"
		"  got:\n"
		"    moves:\n"
		"      - at: \"0\"\n"
		"        vm: db1\n"
		"        from: kvm1\n"
		"        to: kvm2\n"
		"        strategy: live-copy\n"
		"        policy: empty\n"
		"      - at: \"0\"\n"
		"        vm: web1\n") == buf_str(&text),
	    "%s", buf_str(&text));
	ck_assert_ptr_nonnull(strstr(buf_str(&text),
	    "  decisions:\n"
	    "    - policy: empty\n"
	    "      host: kvm1\n"
	    "      mode: auto\n"
	    "      why: \"policy empty (p.yaml:5): "));
	ck_assert_ptr_nonnull(strstr(buf_str(&text),
	    "  ...\n"
	    "ok 2 - a\\#b_test.yaml:13: at 0 empty is active on kvm1\n"
	    "not ok 3 - c_test.yaml can be tested\n"
	    "  ---\n"
	    "  faults:\n"
	    "    - \"c:1:2: x: \\\"y\\\"\"\n"
	    "    - d\n"
	    "  ...\n"
	    "1..3\n"
	    "# 2 of 3 failed\n"));
	json_decref(result);
}
END_TEST

START_TEST(a_trace_has_one_entry_for_each_change)
{
	json_t *result = play_with(POLICY,
	    SITE "series: [ { host: kvm1, maintenance: \"0x1 1x9 0\" } ]\n"
		 "expect: [ { at: 1h, none: true } ]\n",
	    true);
	const json_t *trace = json_object_get(result, "trace");
	struct report report;

	/* They begin to move, they have moved, the flag is cleared. */
	ck_assert_uint_eq(json_array_size(trace), 3);
	buf_clear(&text);
	report_begin(&report, &text);
	report_case(&report, "a_test.yaml", result);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "# at 1m:\n"));
	ck_assert_ptr_nonnull(
	    strstr(buf_str(&text), "#     web1: moving: on its way from kvm1"));
	ck_assert_ptr_nonnull(
	    strstr(buf_str(&text), "# at 6m: nothing to be done\n"));
	json_decref(result);
}
END_TEST

START_TEST(the_same_test_gives_the_same_result)
{
	json_t *one = play_with(POLICY, FAILING, true);
	json_t *other = play_with(POLICY, FAILING, true);

	ck_assert(json_equal(one, other));
	json_decref(one);
	json_decref(other);
}
END_TEST

/* ---- the manual ---- */

static void
find_in_page(const char *path, const struct schema_key *key, void *arg)
{
	char item[128];

	(void)snprintf(item, sizeof(item), "\n.It Cm %s", key->name);
	ck_assert_msg(
	    strstr(arg, item) != NULL, "%s is not in the manual", path);
	ck_assert_msg(key->meaning != NULL, "%s has no meaning", path);
}

static void
read_page(struct buf *page)
{
	const char *top = getenv("top_srcdir");
	char path[512], part[4096];
	FILE *file;
	size_t got;

	(void)snprintf(path, sizeof(path), "%s/man/drover-policy.7",
	    top != NULL ? top : ".");
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		ck_assert_int_eq(buf_add(page, part, got), 0);
	fclose(file);
}

START_TEST(the_manual_knows_every_key)
{
	struct buf page = BUF_INIT((size_t)4 << 20);
	char *section;

	read_page(&page);
	section = strstr(page.data, "\n.Sh POLICY TESTS");
	ck_assert_ptr_nonnull(section);
	*strstr(section, "\n.Sh FILES") = '\0';
	for (const struct schema_key *key = trial_schema.keys;
	     key->name != NULL; key++) {
		/* The parts of a site are in droverctl(1), SNAPSHOTS. */
		find_in_page(key->name, key, section);
		if (key->of != NULL && strcmp(key->name, "hosts") != 0 &&
		    strcmp(key->name, "vms") != 0 &&
		    strcmp(key->name, "limits") != 0)
			schema_walk(key->of, key->name, find_in_page, section);
	}
	buf_free(&page);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, faults_have_their_place_and_say_what_to_do);
	tcase_add_test(tcase, guests_have_one_name_and_a_host_that_is_there);
	tcase_add_test(
	    tcase, policies_that_are_not_there_are_found_once_they_are_loaded);
	tcase_add_test(tcase, nothing_moves_before_the_flag_is_set);
	tcase_add_test(
	    tcase, moves_are_compared_in_order_of_time_and_each_figure_counts);
	tcase_add_test(tcase, moves_that_begin_together_are_in_any_order);
	tcase_add_test(tcase, a_guest_arrives_when_its_move_has_ended);
	tcase_add_test(tcase, refusals_are_told_by_rule_host_and_reason);
	tcase_add_test(tcase, a_target_without_room_for_the_disks_is_refused);
	tcase_add_test(tcase, a_failed_move_is_tried_again_as_the_policy_says);
	tcase_add_test(tcase,
	    modes_of_the_test_go_before_those_of_the_file_and_the_policy);
	tcase_add_test(tcase, flags_of_hosts_are_those_of_the_series);
	tcase_add_test(tcase, a_guest_takes_its_load_along);
	tcase_add_test(tcase, what_is_not_measured_is_unknown);
	tcase_add_test(
	    tcase, alerts_are_on_between_their_times_in_order_of_names);
	tcase_add_test(
	    tcase, a_report_says_what_was_expected_and_what_was_decided);
	tcase_add_test(tcase, a_trace_has_one_entry_for_each_change);
	tcase_add_test(tcase, the_same_test_gives_the_same_result);
	tcase_add_test(tcase, the_manual_knows_every_key);
}

int
main(void)
{
	Suite *suite = suite_create("trial");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
