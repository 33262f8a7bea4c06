/*
 * droverctl simulate and snapshot save: whole commands with their files, what
 * they print and how they end, and what people are shown of a plan.
 */

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl_run.h"

/* kvm1 is busy and kvm2 is not; kvm3 is cordoned. */
#define SITE                                                                   \
	"schema: drover/v1\n"                                                  \
	"hosts:\n"                                                             \
	"  - { name: kvm1, cpus: 8, memory: 64GiB, cpu_used: 7 }\n"            \
	"  - { name: kvm2, cpus: 8, memory: 64GiB, cpu_used: 0 }\n"            \
	"  - { name: kvm3, cpus: 8, memory: 64GiB, cpu_used: 3, cordoned: "    \
	"true }\n"                                                             \
	"vms:\n"                                                               \
	"  - { name: web1, host: kvm1, memory: 4GiB, vcpus: 2, cpu_used: 3, "  \
	"storage: shared, dirty_rate: 1MiB/s }\n"                              \
	"  - { name: web2, host: kvm1, memory: 4GiB, vcpus: 2, cpu_used: 3, "  \
	"storage: shared, dirty_rate: 1MiB/s }\n"

/* ---- commands ---- */

START_TEST(a_drain_moves_every_guest_to_where_it_may_be)
{
	json_t *json, *moves, *move;
	size_t i;

	put(SITE);
	json = run_json("simulate FILE --drain kvm1 -o json", CTL_DONE);
	moves = json_object_get(json, "moves");
	ck_assert_uint_eq(json_array_size(moves), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "blocked")), 0);
	json_array_foreach(moves, i, move)
	{
		ck_assert_str_eq(field_text_or(move, "from", ""), "kvm1");
		ck_assert_str_eq(field_text_or(move, "to", ""), "kvm2");
		ck_assert_str_eq(
		    field_text_or(move, "strategy", ""), "live-shared");
		ck_assert_int_ge(field_int(move, "wave"), 1);
		ck_assert_int_gt(field_int(move, "predicted_ms"), 0);
		ck_assert_int_ge(field_int(move, "predicted_downtime_ms"), 0);
		ck_assert_ptr_nonnull(field_text(move, "reason"));
		ck_assert_uint_eq(json_object_size(move), 8);
	}
	/* The contract, and nothing besides. */
	ck_assert_uint_eq(json_object_size(json), 6);
	ck_assert(json_is_number(json_object_get(json, "score_before")));
	ck_assert(json_is_number(json_object_get(json, "score_after")));
	ck_assert(json_is_number(json_object_get(json, "elapsed_ms")));
	json_decref(json);
	ck_assert_int_eq(run("simulate FILE --drain kvm1 -o name"), CTL_DONE);
	expect_part("web1\n");
	expect_part("web2\n");
}
END_TEST

START_TEST(balance_is_the_default_and_lowers_the_score)
{
	json_t *json, *same;

	put(SITE);
	json = run_json("simulate FILE --balance -o json", CTL_DONE);
	same = run_json("simulate FILE -o json", CTL_DONE);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "moves")), 1);
	ck_assert_str_eq(
	    field_text_or(
		json_array_get(json_object_get(json, "moves"), 0), "to", ""),
	    "kvm2");
	ck_assert_double_lt(
	    json_number_value(json_object_get(json, "score_after")),
	    json_number_value(json_object_get(json, "score_before")));
	ck_assert(json_equal(
	    json_object_get(json, "moves"), json_object_get(same, "moves")));
	json_decref(json);
	json_decref(same);
}
END_TEST

START_TEST(guests_that_remain_make_it_partly)
{
	json_t *json;

	put(SITE "  - { name: gpu1, host: kvm1, memory: 1GiB, storage: shared, "
		 "pinned: true }\n");
	json = run_json("simulate FILE --drain kvm1 -o json", CTL_PARTLY);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "moves")), 2);
	ck_assert_str_eq(
	    field_text_or(
		json_array_get(json_object_get(json, "blocked"), 0), "vm", ""),
	    "gpu1");
	json_decref(json);
	ck_assert_int_eq(run("simulate FILE --drain kvm1"), CTL_PARTLY);
	expect_part("WAVE  GUEST  FROM  TO    STRATEGY");
	expect_part("gpu1: blocked: ");
	expect_part("; 1 blocked; planned in ");
}
END_TEST

START_TEST(the_objective_is_shown_with_its_parts)
{
	json_t *alone, *both;

	put(SITE);
	alone = run_json("simulate FILE --score -o json", CTL_DONE);
	both = run_json("simulate FILE --balance --score -o json", CTL_DONE);
	ck_assert_double_eq(json_number_value(json_object_get(alone, "score")),
	    json_number_value(json_object_get(both, "score_before")));
	ck_assert(json_equal(json_object_get(alone, "parts"),
	    json_object_get(both, "parts_before")));
	ck_assert(!json_equal(json_object_get(both, "parts_after"),
	    json_object_get(both, "parts_before")));
	ck_assert_ptr_null(json_object_get(alone, "moves"));
	json_decref(alone);
	json_decref(both);
	ck_assert_int_eq(run("simulate FILE --score"), CTL_DONE);
	expect_part("PART       WEIGHT   VALUE\n");
	expect_part("\nscore ");
	expect_no_part("moves");
}
END_TEST

START_TEST(faults_of_the_file_are_told_with_their_places)
{
	put("schema: drover/v1\nhosts: [ { name: a, cpus: 0, memory: 1 } ]\n"
	    "vmz: []\n");
	ck_assert_int_eq(run("simulate FILE -o json"), CTL_INVALID);
	expect_text("");
	get(complaints);
	expect_part("/s.yaml:2:27: hosts[0].cpus: \"0\" is out of range");
	expect_part("/s.yaml:3:1: vmz: unknown key (did you mean \"vms\"?)");
}
END_TEST

START_TEST(what_is_not_there_is_told)
{
	put(SITE);
	ck_assert_int_eq(run("simulate FILE --drain kvm11"), CTL_FAILED);
	expect_text("");
	get(complaints);
	expect_part("there is no host \"kvm11\" in ");
	expect_part("(did you mean \"kvm1\"?)");
	unlink(snapshot);
	ck_assert_int_eq(run("simulate FILE --balance"), CTL_FAILED);
	get(complaints);
	expect_part("/s.yaml: No such file or directory");
}
END_TEST

START_TEST(without_a_daemon_a_snapshot_that_is_there_is_kept)
{
	put("kept");
	ck_assert_int_eq(run("snapshot save FILE"), CTL_NO_DAEMON);
	get(snapshot);
	expect_text("kept");
}
END_TEST

START_TEST(a_balance_is_bounded_by_moves_and_by_gain)
{
	json_t *all, *one, *none, *moves;

	put(SITE
	    "  - { name: web3, host: kvm1, memory: 4GiB, vcpus: 2, cpu_used: "
	    "0.5, storage: shared, dirty_rate: 1MiB/s }\n");
	all = run_json("simulate FILE --min-gain 0 -o json", CTL_DONE);
	one = run_json("simulate FILE --min-gain 0 --max 1 -o json", CTL_DONE);
	none = run_json("simulate FILE --min-gain 9.5e0 -o json", CTL_DONE);
	moves = json_object_get(all, "moves");
	ck_assert_uint_gt(json_array_size(moves), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(one, "moves")), 1);
	ck_assert_str_eq(
	    field_text(json_array_get(json_object_get(one, "moves"), 0), "vm"),
	    field_text(json_array_get(moves, 0), "vm"));
	ck_assert_uint_eq(json_array_size(json_object_get(none, "moves")), 0);
	json_decref(all);
	json_decref(one);
	json_decref(none);
	/* They ask for a plan, also beside --score. */
	ck_assert_int_eq(run("simulate FILE --score --max 1"), CTL_DONE);
	expect_part("; 1 move in 1 wave, ");
}
END_TEST

START_TEST(a_plan_without_moves_says_why)
{
	put(SITE);
	ck_assert_int_eq(run("simulate FILE --drain kvm2"), CTL_DONE);
	expect_part("; kvm2 has no guests; planned in ");
	ck_assert_int_eq(run("simulate FILE --min-gain 2.5"), CTL_DONE);
	expect_part("; nothing to gain: no possible move is worth 2.5; planned "
		    "in ");
	put("schema: drover/v1\n"
	    "hosts: [ { name: a, cpus: 1, memory: 8GiB } ]\n"
	    "vms: [ { name: v, host: a, memory: 1GiB, pinned: true } ]\n");
	ck_assert_int_eq(run("simulate FILE --drain a"), CTL_PARTLY);
	expect_part("v: blocked: ");
	expect_part("; no guest can leave a; 1 blocked; planned in ");
	/* Off, and its disks are where it goes: done at once. */
	put("schema: drover/v1\n"
	    "hosts: [ { name: a, cpus: 1, memory: 8GiB },\n"
	    "  { name: b, cpus: 1, memory: 8GiB } ]\n"
	    "vms: [ { name: v, host: a, memory: 9GiB, storage: shared, state: "
	    "shut off } ]\n");
	ck_assert_int_eq(run("simulate FILE --drain a"), CTL_DONE);
	expect_part("; 1 move in 1 wave, ");
}
END_TEST

/* Whatever is missing in the file, or of the hosts. */
START_TEST(scores_are_numbers)
{
	static const char *const sites[] = {
	    "hosts: []\nvms: []\n",
	    "hosts: [ { name: a, cpus: 1, memory: 1GiB } ]\nvms: []\n",
	    "hosts: [ { name: a, cpus: 1, memory: 1GiB, up: false } ]\n"
	    "vms: [ { name: v, host: a, memory: 1GiB } ]\n",
	    "hosts: [ { name: a, cpus: 1, memory: 1GiB, cpu_used: 1 },\n"
	    "  { name: b, cpus: 1, memory: 4GiB } ]\n"
	    "vms: [ { name: v, host: a, memory: 1GiB, storage: shared },\n"
	    "  { name: w, host: b, memory: 1GiB, cpu_used: 3 } ]\n",
	};
	static const char *const lines[] = {"simulate FILE -o json --score",
	    "simulate FILE -o json", "simulate FILE -o json --drain a"};

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		for (size_t j = 0; j < (i == 0 ? 2 : 3); j++) {
			char text[1024];
			json_t *json;
			int status;

			snprintf(text, sizeof(text), "schema: drover/v1\n%s",
			    sites[i]);
			put(text);
			status = run(lines[j]);
			ck_assert(status == CTL_DONE || status == CTL_PARTLY);
			expect_no_part("nan");
			json = json_loads(buf_str(&out), 0, NULL);
			ck_assert_msg(json != NULL, "%s", buf_str(&out));
			if (j == 0)
				ck_assert(json_is_number(
				    json_object_get(json, "score")));
			else
				ck_assert(json_is_number(json_object_get(
					      json, "score_before")) &&
				    json_is_number(
					json_object_get(json, "score_after")));
			json_decref(json);
		}
}
END_TEST

/* 8 GiB beside 8 GiB are too much for 16 GiB: each takes QEMU with it. */
START_TEST(a_plan_fits_no_tighter_than_the_daemon_does)
{
	put("schema: drover/v1\n"
	    "hosts: [ { name: a, cpus: 1, memory: 16GiB },\n"
	    "  { name: b, cpus: 1, memory: 16GiB } ]\n"
	    "vms: [ { name: v, host: a, memory: 8GiB, storage: shared },\n"
	    "  { name: w, host: b, memory: 8GiB, storage: shared } ]\n");
	ck_assert_int_eq(run("simulate FILE --drain a"), CTL_PARTLY);
	expect_part("256.0 MiB of memory missing");
}
END_TEST

/* ---- for people ---- */

START_TEST(a_plan_is_a_table_with_a_summary)
{
	json_t *json = parse(
	    "{'score_before': 12.36, 'score_after': 0.8451, 'makespan_ms': "
	    "125000, 'elapsed_ms': 31.25, 'moves': [{'vm': 'web1', 'from': "
	    "'kvm1', 'to': 'kvm2', 'strategy': 'live-shared', 'wave': 1, "
	    "'predicted_ms': 2500, 'predicted_downtime_ms': 60, 'reason': "
	    "'evens out'}, {'vm': 'db1', 'from': 'kvm1', 'to': 'kvm3', "
	    "'strategy': 'restart', 'wave': 2}], 'blocked': [{'vm': 'gpu1', "
	    "'reason': 'pinned'}]}");

	render_simulation(json, &pipe_style, false, &out);
	expect_text(
	    "WAVE  GUEST  FROM  TO    STRATEGY      TIME  DOWNTIME  WHY\n"
	    "   1  web1   kvm1  kvm2  live-shared  2.5 s     60 ms  evens out\n"
	    "   2  db1    kvm1  kvm3  restart          -         -  -\n"
	    "gpu1: blocked: pinned\n"
	    "score 12.3600 -> 0.8451; 2 moves in 2 waves, 2 m 05 s; 1 "
	    "blocked; planned in 31 ms\n");
	json_decref(json);
	json =
	    parse("{'score_before': 0.5, 'score_after': 0.5, 'makespan_ms': "
		  "0, 'elapsed_ms': 1.0, 'min_gain': 0.0016667, 'moves': [], "
		  "'blocked': []}");
	render_simulation(json, &pipe_style, false, &out);
	expect_text("score 0.5000 -> 0.5000; nothing to gain: no possible move "
		    "is worth 0.00167; planned in 1 ms\n");
	json_decref(json);
}
END_TEST

START_TEST(parts_are_shown_before_and_after)
{
	json_t *json = parse(
	    "{'score_before': 1.5, 'score_after': 0.5, 'moves': [], 'blocked': "
	    "[], 'parts_before': [{'part': 'cpu', 'weight': 1.0, 'value': "
	    "0.25}, {'part': 'exposed', 'value': 1}], 'parts_after': [{'part': "
	    "'cpu', 'weight': 1.0, 'value': null}, {'part': 'exposed', "
	    "'value': 0}]}");

	render_simulation(json, &pipe_style, false, &out);
	expect_text("PART     WEIGHT  BEFORE  AFTER\n"
		    "cpu      1.0000  0.2500      -\n"
		    "exposed       -       1      0\n"
		    "score 1.5000 -> 0.5000; nothing to gain\n");
	json_decref(json);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_simulate");
	TCase *commands = add_case(suite, "commands");
	TCase *people = add_case(suite, "people");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(commands, make_folder, remove_folder);
	tcase_add_test(commands, a_drain_moves_every_guest_to_where_it_may_be);
	tcase_add_test(commands, balance_is_the_default_and_lowers_the_score);
	tcase_add_test(commands, guests_that_remain_make_it_partly);
	tcase_add_test(commands, the_objective_is_shown_with_its_parts);
	tcase_add_test(commands, faults_of_the_file_are_told_with_their_places);
	tcase_add_test(commands, what_is_not_there_is_told);
	tcase_add_test(
	    commands, without_a_daemon_a_snapshot_that_is_there_is_kept);
	tcase_add_test(commands, a_balance_is_bounded_by_moves_and_by_gain);
	tcase_add_test(commands, a_plan_without_moves_says_why);
	tcase_add_test(commands, scores_are_numbers);
	tcase_add_test(commands, a_plan_fits_no_tighter_than_the_daemon_does);
	tcase_add_test(people, a_plan_is_a_table_with_a_summary);
	tcase_add_test(people, parts_are_shown_before_and_after);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
