/*
 * droverctl policy test: which files it finds, where it looks for policies, what it
 * prints and how it ends.
 */

#include <sys/stat.h>

#include "ctl/field.h"
#include "ctl_run.h"

#define POLICY                                                                 \
	"version: 1\n"                                                         \
	"policies:\n"                                                          \
	"  - name: empty\n"                                                    \
	"    mode: auto\n"                                                     \
	"    when: { host: maintenance }\n"

#define TEST(policy, vm)                                                       \
	"version: 1\n"                                                         \
	"policies: [ " policy " ]\n"                                           \
	"hosts:\n"                                                             \
	"  - { name: kvm1, cpus: 8, memory: 64GiB, maintenance: true }\n"      \
	"  - { name: kvm2, cpus: 8, memory: 64GiB }\n"                         \
	"vms: [ { name: web1, host: kvm1, memory: 4GiB } ]\n"                  \
	"expect:\n"                                                            \
	"  - { at: 1m, on: { kvm2: [ " vm " ] } }\n"

static char below[160];

static void
put_at(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void
make_files(void)
{
	make_folder();
	snprintf(below, sizeof(below), "%s/tests", folder);
	ck_assert_int_eq(mkdir(below, 0700), 0);
	put_at("p.yaml", POLICY);
}

static void
remove_files(void)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
	strcpy(folder, "/tmp/check_ctl.XXXXXX");
}

/* Of the whole folder. */
static int
run_all(const char *options)
{
	char line[512];

	snprintf(line, sizeof(line), "policy test %s%s", folder, options);
	return run(line);
}

START_TEST(tests_are_found_below_and_policies_from_their_folder)
{
	put_at("tests/a_test.yaml", TEST("../p.yaml", "web1"));
	put_at("tests/b_test.yml", "nothing of ours");
	put_at("tests/a_test.yaml.orig", "nothing of ours");
	put_at("tests/.c_test.yaml", "nothing of ours");
	ck_assert_int_eq(run_all(""), CTL_DONE);
	expect_part("TAP version 14\nok 1 - ");
	expect_part("/tests/a_test.yaml:8: at 1m kvm2 has web1\n1..1\n"
		    "# 1 passed\n");
}
END_TEST

START_TEST(a_file_may_be_named_whatever_it_is_called)
{
	char line[512];

	put_at("t.yaml", TEST("p.yaml", "web1"));
	snprintf(line, sizeof(line), "policy test %s/t.yaml", folder);
	ck_assert_int_eq(run(line), CTL_DONE);
	expect_part("ok 1 - ");
}
END_TEST

START_TEST(what_is_not_as_expected_fails)
{
	put_at("tests/a_test.yaml", TEST("../p.yaml", ""));
	put_at("tests/b_test.yaml", TEST("../p.yaml", "web1"));
	ck_assert_int_eq(run_all(""), CTL_FAILED);
	expect_part("not ok 1 - ");
	expect_part("  got:\n    \"on\":\n      kvm2:\n        - web1\n");
	expect_part("\nok 2 - ");
	expect_part("1..2\n# 1 of 2 failed\n");
}
END_TEST

START_TEST(a_wrong_file_is_told_and_does_not_keep_others_from_being_tested)
{
	put_at("tests/a_test.yaml", "version: 1\nexpct: []\n");
	put_at("tests/b_test.yaml", TEST("../gone.yaml", "web1"));
	put_at("tests/c_test.yaml", TEST("../p.yaml", "web1"));
	put_at("tests/d_test.yaml", TEST("../bad.yaml", "web1"));
	put_at("bad.yaml", "version: 1\npolicies: [ { name: x } ]\n");
	ck_assert_int_eq(run_all(""), CTL_INVALID);
	expect_part("not ok 1 - ");
	expect_part("\nok 3 - ");
	expect_part("# 3 of 4 failed\n");
	get(complaints);
	expect_part("a_test.yaml:2:1: expct: unknown key (did you mean "
		    "\"expect\"?)");
	expect_part("/tests/../gone.yaml: cannot be read: No such file");
	expect_part("/tests/../bad.yaml:2:13: policies[0].mode: missing");
}
END_TEST

START_TEST(a_folder_without_tests_is_no_success)
{
	ck_assert_int_eq(run_all(""), CTL_FAILED);
	get(complaints);
	expect_part("has no files of tests; their names end in "
		    "\"_test.yaml\"");
	ck_assert_int_eq(run("policy test /nonexistent"), CTL_FAILED);
	get(complaints);
	expect_part("/nonexistent: No such file");
}
END_TEST

START_TEST(json_has_all_results)
{
	json_t *json, *files, *test;
	char line[512];

	put_at("tests/a_test.yaml", TEST("../p.yaml", ""));
	put_at("tests/b_test.yaml", "version: 2\n");
	snprintf(line, sizeof(line), "policy test %s -o json", folder);
	json = run_json(line, CTL_INVALID);
	ck_assert_int_eq(field_int(json, "passed"), 0);
	ck_assert_int_eq(field_int(json, "failed"), 2);
	files = json_object_get(json, "files");
	ck_assert_uint_eq(json_array_size(files), 2);
	test = json_array_get(
	    json_object_get(
		json_array_get(
		    json_object_get(json_array_get(files, 0), "cases"), 0),
		"tests"),
	    0);
	ck_assert(!field_bool(test, "ok"));
	ck_assert_int_eq(field_int(test, "line"), 8);
	ck_assert_ptr_nonnull(json_object_get(test, "decisions"));
	ck_assert_ptr_nonnull(field_text(json_array_get(files, 1), "faults"));
	json_decref(json);
}
END_TEST

START_TEST(verbose_tells_what_was_decided_when)
{
	put_at("tests/a_test.yaml", TEST("../p.yaml", "web1"));
	ck_assert_int_eq(run_all(" -v"), CTL_DONE);
	expect_part("# at 0:\n");
	expect_part("#     web1: moving: on its way from kvm1 to kvm2\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_policy_test");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_checked_fixture(tcase, make_files, remove_files);
	tcase_add_test(
	    tcase, tests_are_found_below_and_policies_from_their_folder);
	tcase_add_test(tcase, a_file_may_be_named_whatever_it_is_called);
	tcase_add_test(tcase, what_is_not_as_expected_fails);
	tcase_add_test(tcase,
	    a_wrong_file_is_told_and_does_not_keep_others_from_being_tested);
	tcase_add_test(tcase, a_folder_without_tests_is_no_success);
	tcase_add_test(tcase, json_has_all_results);
	tcase_add_test(tcase, verbose_tells_what_was_decided_when);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
