/*
 * droverctl simulate --policy: whole commands, what people and programs are shown,
 * and what is refused.  What policies do is trial/'s (check_trial_simulate).
 */

#include "ctl/render.h"
#include "ctl_run.h"

#define SITE                                                                   \
	"schema: drover/v1\n"                                                  \
	"hosts:\n"                                                             \
	"  - { name: kvm1, cpus: 8, memory: 64GiB, cpu_used: 7.5 }\n"          \
	"  - { name: kvm2, cpus: 8, memory: 64GiB, cpu_used: 0.5 }\n"          \
	"vms:\n"                                                               \
	"  - { name: web1, host: kvm1, memory: 4GiB, vcpus: 4, cpu_used: 3, "  \
	"storage: shared }\n"                                                  \
	"  - { name: web2, host: kvm1, memory: 8GiB, vcpus: 4, cpu_used: 3, "  \
	"storage: shared }\n"                                                  \
	"  - { name: gpu1, host: kvm1, memory: 8GiB, vcpus: 1, cpu_used: "     \
	"0.5, storage: shared, pinned: true }\n"

static char policies[160], line[512];

static void
make_files(void)
{
	make_folder();
	snprintf(policies, sizeof(policies), "%s/p.yaml", folder);
	put(SITE);
}

static void
remove_files(void)
{
	unlink(policies);
	remove_folder();
}

static void
put_policies(const char *text)
{
	FILE *file = fopen(policies, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* "simulate FILE --policy POLICIES" and more. */
static const char *
with(const char *options)
{
	snprintf(line, sizeof(line), "simulate FILE --policy %s %s", policies,
	    options);
	return line;
}

static const char *
shipped(const char *name, const char *options)
{
	const char *source = getenv("top_srcdir");

	ck_assert_ptr_nonnull(source);
	snprintf(line, sizeof(line), "simulate FILE --policy %s/policies/%s %s",
	    source, name, options);
	return line;
}

#define WORN                                                                   \
	"version: 1\n"                                                         \
	"policies:\n"                                                          \
	"  - name: worn\n"                                                     \
	"    mode: observe\n"                                                  \
	"    when: { host: cpu > 90%, for: 1m }\n"                             \
	"    actions: [ set_maintenance ]\n"                                   \
	"  - { name: empty, mode: auto, when: { host: maintenance } }\n"

START_TEST(moves_flags_and_what_stays_are_shown_in_order)
{
	char part[256];

	put_policies(WORN);
	ck_assert_int_eq(run(with("--for 2h")), CTL_PARTLY);
	expect_part(
	    "AT  POLICY  GUEST  FROM  TO    STRATEGY     WHY\n"
	    "1m  empty   web2   kvm1  kvm2  live-shared  maintenance (true: "
	    "maintenance = true)\n"
	    "1m  empty   web1   kvm1  kvm2  live-shared  maintenance (true: "
	    "maintenance = true)\n"
	    "kvm1 is in maintenance from 1m on, by worn\n"
	    "gpu1 stays on kvm1: blocked for empty: pinned to its host by the "
	    "snapshot (pinned: true)\n"
	    "\n"
	    "after 2h:\n");
	expect_part("worn    observe      0  idle                     kvm2 "
		    "(and 1 more): cpu > 90% (false: cpu = 81.2 %)\n");
	expect_part("empty   auto         2  active on kvm1 since 1m  1 "
		    "blocked\n");
	expect_part(
	    "observe and approve are simulated as if they were auto\n"
	    "2 moves in 2h, the last at 1m; after that nothing; 1 blocked\n");
	expect_no_part("WHY THERE");
	ck_assert_int_eq(run(with("-o wide")), CTL_PARTLY);
	expect_part("WHY THERE\n");
	snprintf(part, sizeof(part), "%s:3\n", policies);
	expect_part(part);
	ck_assert_int_eq(run(with("-o name")), CTL_PARTLY);
	expect_text("web2\nweb1\n");
}
END_TEST

START_TEST(where_nothing_happens_the_reason_is_what_is_left)
{
	put_policies("version: 1\n"
		     "policies:\n"
		     "  - name: far\n"
		     "    mode: auto\n"
		     "    when: { host: memory > 95% }\n"
		     "  - { name: never, mode: off, when: { host: up } }\n");
	ck_assert_int_eq(run(with("")), CTL_DONE);
	expect_part("after 1h:\n"
		    "POLICY  MODE  MOVES  STATE  WHY\n"
		    "far     auto      0  idle   kvm1 (and 1 more): memory > "
		    "95% (false: memory = ");
	expect_part("never   off       0  off    its mode is off\n"
		    "no policy does anything in 1h\n");
	expect_no_part("as if they were auto");
	ck_assert_int_eq(run(with("-o name")), CTL_DONE);
	expect_text("");
}
END_TEST

START_TEST(programs_get_the_same)
{
	json_t *json, *moves;

	put_policies(WORN);
	json = run_json(with("--at 2026-01-05T20:00:00Z -o json"), CTL_PARTLY);
	ck_assert_str_eq(
	    field_text_or(json, "start", ""), "2026-01-05T20:00:00.000Z");
	ck_assert_int_eq(field_int(json, "for_ms"), 3600000);
	moves = json_object_get(json, "moves");
	ck_assert_uint_eq(json_array_size(moves), 2);
	ck_assert_uint_eq(json_object_size(json_array_get(moves, 0)), 9);
	ck_assert_int_eq(field_int(json_array_get(moves, 0), "at_ms"), 60000);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "flags")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "blocked")), 1);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(json, "policies")), 2);
	ck_assert_uint_eq(json_object_size(json), 9);
	json_decref(json);
}
END_TEST

START_TEST(shipped_policies_can_be_tried)
{
	ck_assert_int_eq(run(shipped("20-cpu-pressure.yaml", "")), CTL_DONE);
	expect_part("5m  cpu-pressure  web1   kvm1  kvm2  live-shared  cpu > "
		    "85% (true: cpu = 93.8 %), until cpu < 70%\n");
	expect_part("1 move in 1h, begun at 5m; after that nothing\n");
	ck_assert_int_eq(run(shipped("40-balance.yaml", "")), CTL_DONE);
	expect_part("10m  balance  ");
	ck_assert_int_eq(run(shipped("50-failing-disk.yaml", "")), CTL_DONE);
	expect_part("idle   no alert is on: a snapshot has none\n");
	/* All of the folder; cpu-pressure has a reason to hurry. */
	ck_assert_int_eq(
	    run(shipped("", "--at 2026-01-05T12:00:00Z")), CTL_DONE);
	expect_part("\n5m  cpu-pressure  web1 ");
	expect_part("active since 30m  outside of its windows");
	expect_part("1 move in 1h, begun at 5m; after that nothing\n");
}
END_TEST

START_TEST(files_of_policies_may_be_several)
{
	char more[200];

	put_policies("version: 1\n"
		     "policies: [ { name: a, mode: auto, when: { host: "
		     "cordoned } } ]\n");
	snprintf(more, sizeof(more), "--policy %s", policies);
	ck_assert_int_eq(run(shipped("10-maintenance.yaml", more)), CTL_DONE);
	expect_part("\nmaintenance  auto      0  idle ");
	expect_part("\na            auto      0  idle ");
}
END_TEST

START_TEST(faults_of_both_files_are_told_with_their_places)
{
	put("schema: drover/v1\nhosts: []\nvmz: []\n");
	put_policies("version: 1\npolicies:\n  - { name: a, mode: auto, when: "
		     "{ host: cpuu > 5% } }\n");
	ck_assert_int_eq(run(with("-o json")), CTL_INVALID);
	expect_text("");
	get(complaints);
	expect_part("/p.yaml:3:42: policies[0].when.host: \"cpuu\" is not "
		    "known (did you mean \"cpu\"?)");
	expect_part("/s.yaml:3:1: vmz: unknown key (did you mean \"vms\"?)");
	unlink(policies);
	ck_assert_int_eq(run(with("")), CTL_INVALID);
	get(complaints);
	expect_part("/p.yaml: cannot be read: No such file or directory");
	put_policies("version: 1\npolicies: []\n");
	unlink(snapshot);
	ck_assert_int_eq(run(with("")), CTL_FAILED);
	get(complaints);
	expect_part("/s.yaml: No such file or directory");
}
END_TEST

START_TEST(a_site_that_would_take_hours_is_refused)
{
	FILE *file;

	put_policies(WORN);
	put("schema: drover/v1\nhosts:\n");
	file = fopen(snapshot, "a");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 2000; i++)
		fprintf(file, "- { name: h%d, cpus: 1, memory: 1GiB }\n", i);
	fputs("vms:\n", file);
	for (int i = 0; i < 10001; i++)
		fprintf(file, "- { name: v%d, host: h0, memory: 1 }\n", i);
	fclose(file);
	ck_assert_int_eq(run(with("")), CTL_FAILED);
	get(complaints);
	expect_part("2000 hosts with 10001 guests are too many for --policy: "
		    "their product is more than 20 million");
}
END_TEST

START_TEST(options_that_do_not_go_together_are_refused)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
	    {"simulate f --policy p --drain a",
		"--drain is for a plan that no policy makes"},
	    {"simulate f --policy p --balance", "--balance is for a plan"},
	    {"simulate f --policy p --score", "--score is for a plan"},
	    {"simulate f --policy p --max 3", "--max is for a plan"},
	    {"simulate f --policy p --min-gain 0.1", "--min-gain is for"},
	    {"simulate f --for 2h", "--policy FILE is wanted"},
	    {"simulate f --at 2026-01-05T20:00:00Z", "--policy FILE is wanted"},
	    {"simulate f --policy p --for 8d", "from 1s to 7d"},
	    {"simulate f --policy p --for 0", "from 1s to 7d"},
	    {"simulate f --policy p --for soon", "from 1s to 7d"},
	    {"simulate f --policy p --at noon", "a time in UTC such as"},
	    {"decision list --for 1h", "has no option --for"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char copy[256], *argv[16] = {(char *)(uintptr_t) "droverctl"};
		struct args args;
		struct err err = {0};
		int argc = 1;
		char *rest;

		snprintf(copy, sizeof(copy), "%s", cases[i].line);
		for (char *word = strtok_r(copy, " ", &rest); word != NULL;
		     word = strtok_r(NULL, " ", &rest))
			argv[argc++] = word;
		ck_assert_int_eq(args_parse(argc, argv, &args, &err), -1);
		ck_assert_msg(strstr(err.msg, cases[i].want) != NULL, "%s: %s",
		    cases[i].line, err.msg);
	}
}
END_TEST

/* ---- for people ---- */

static void
render(const char *text)
{
	json_error_t where;
	json_t *json = json_loads(text, 0, &where);

	ck_assert_msg(json != NULL, "%s", where.text);
	buf_clear(&out);
	render_playing(json, &pipe_style, false, &out);
	json_decref(json);
}

START_TEST(guests_that_move_to_and_fro_are_told)
{
	render("{\"for_ms\": 3600000, \"step_ms\": 30000, \"waiting\": 2,"
	       " \"moves\": [{\"vm\": \"a\", \"at_ms\": 0},"
	       " {\"vm\": \"b\", \"at_ms\": 1000},"
	       " {\"vm\": \"a\", \"at_ms\": 2000},"
	       " {\"vm\": \"b\", \"at_ms\": 3000},"
	       " {\"vm\": \"b\", \"at_ms\": 90000}]}");
	expect_part("2 guests move more than once, most often b, 3 times\n"
		    "5 moves in 1h, the last at 1m30s; 2 guests wait in the "
		    "end\n");
	expect_part("times are in steps of 30s, as much is to be decided\n");
	render("{\"for_ms\": 3600000, \"step_ms\": 1000, \"waiting\": 0,"
	       " \"moves\": [{\"vm\": \"a\", \"at_ms\": 3599000,"
	       " \"ends_ms\": 3620000}]}");
	expect_part("1 move in 1h, begun at 59m59s, and under way in the "
		    "end\n");
	expect_no_part("more than once");
	expect_no_part("in steps");
}
END_TEST

START_TEST(hosts_of_a_policy_are_named_up_to_three)
{
	render("{\"for_ms\": 60000, \"moves\": [], \"policies\": [{\"policy\":"
	       " \"p\", \"mode\": \"auto\", \"state\": \"active\","
	       " \"since_ms\": 1000, \"hosts\": [\"a\", \"b\", \"c\", \"d\","
	       " \"e\"], \"moves\": 0, \"why\": \"w\"}]}");
	expect_part("active on a, b, c and 2 more since 1s");
	expect_part("no policy does anything in 1m\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_playing");
	TCase *commands = add_case(suite, "commands");
	TCase *people = add_case(suite, "people");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(commands, make_files, remove_files);
	tcase_add_test(commands, moves_flags_and_what_stays_are_shown_in_order);
	tcase_add_test(
	    commands, where_nothing_happens_the_reason_is_what_is_left);
	tcase_add_test(commands, programs_get_the_same);
	tcase_add_test(commands, shipped_policies_can_be_tried);
	tcase_add_test(commands, files_of_policies_may_be_several);
	tcase_add_test(
	    commands, faults_of_both_files_are_told_with_their_places);
	tcase_add_test(commands, a_site_that_would_take_hours_is_refused);
	tcase_add_test(commands, options_that_do_not_go_together_are_refused);
	tcase_add_test(people, guests_that_move_to_and_fro_are_told);
	tcase_add_test(people, hosts_of_a_policy_are_named_up_to_three);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
