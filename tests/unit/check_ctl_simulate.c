/*
 * droverctl simulate and snapshot save: whole commands with their files, what
 * they print and how they end, and what people are shown of a plan.
 */

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl_helper.h"

static char folder[] = "/tmp/check_ctl_simulate.XXXXXX";
static char snapshot[128], printed[128], complaints[128];

static void
make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(snapshot, sizeof(snapshot), "%s/s.yaml", folder);
	snprintf(printed, sizeof(printed), "%s/out", folder);
	snprintf(complaints, sizeof(complaints), "%s/err", folder);
}

static void
remove_folder(void)
{
	unlink(snapshot);
	unlink(printed);
	unlink(complaints);
	rmdir(folder);
}

static void
put(const char *text)
{
	FILE *file = fopen(snapshot, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* Into `out`. */
static void
get(const char *path)
{
	char part[4096];
	FILE *file = fopen(path, "r");
	size_t got;

	ck_assert_ptr_nonnull(file);
	buf_clear(&out);
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(&out, part, got);
	fclose(file);
}

static int
redirect(FILE *stream, const char *path)
{
	int kept = dup(fileno(stream));
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	fflush(stream);
	ck_assert_int_ge(fd, 0);
	dup2(fd, fileno(stream));
	close(fd);
	return kept;
}

static void
restore(FILE *stream, int kept)
{
	fflush(stream);
	dup2(kept, fileno(stream));
	close(kept);
}

/* Runs "simulate FILE --score"; what it printed is in `out`.  FILE stands for
 * the snapshot. */
static int
run(const char *line)
{
	char copy[512], *argv[32] = {(char *)(uintptr_t) "droverctl"}, *rest;
	struct ctl ctl = {.style = {.utf8 = true}};
	struct err err = {0};
	int argc = 1, kept[2], status;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(word, "FILE") == 0 ? snapshot : word;
	ck_assert_msg(
	    args_parse(argc, argv, &ctl.args, &err) == 0, "%s", err.msg);
	kept[0] = redirect(stdout, printed);
	kept[1] = redirect(stderr, complaints);
	ctl.http = http_new("/nonexistent/drover.sock", NULL);
	status = ctl.args.command->run(&ctl);
	http_free(ctl.http);
	restore(stdout, kept[0]);
	restore(stderr, kept[1]);
	get(printed);
	return status;
}

static json_t *
run_json(const char *line, int want_status)
{
	json_error_t where;
	json_t *json;

	ck_assert_int_eq(run(line), want_status);
	json = json_loads(buf_str(&out), 0, &where);
	ck_assert_msg(json != NULL, "%s: %s", where.text, buf_str(&out));
	ck_assert_str_eq(field_text_or(json, "schema", ""), "drover/v1");
	return json;
}

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

START_TEST(a_plan_is_for_a_drain_or_a_balance)
{
	char *argv[] = {(char *)(uintptr_t) "droverctl",
	    (char *)(uintptr_t) "simulate", (char *)(uintptr_t) "f",
	    (char *)(uintptr_t) "--balance", (char *)(uintptr_t) "--drain",
	    (char *)(uintptr_t) "kvm1"};
	struct args args;
	struct err err = {0};

	ck_assert_int_eq(args_parse(6, argv, &args, &err), -1);
	ck_assert_str_eq(err.msg, "--drain and --balance exclude each other");
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
	json = parse("{'score_before': 0.5, 'score_after': 0.5, 'makespan_ms': "
		     "0, 'elapsed_ms': 1.0, 'moves': [], 'blocked': []}");
	render_simulation(json, &pipe_style, false, &out);
	expect_text("score 0.5000 -> 0.5000; 0 moves; planned in 1 ms\n");
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
		    "score 1.5000 -> 0.5000; 0 moves\n");
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
	tcase_add_test(commands, a_plan_is_for_a_drain_or_a_balance);
	tcase_add_test(people, a_plan_is_a_table_with_a_summary);
	tcase_add_test(people, parts_are_shown_before_and_after);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
