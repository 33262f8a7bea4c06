/*
 * droverctl policy check and policy schema: whole commands with their files,
 * what they print and how they end.
 */

#include <sys/stat.h>

#include "ctl_run.h"

#define GOOD                                                                   \
	"version: 1\npolicies:\n  - { name: a, mode: auto, when: { host: up "  \
	"} }\n"
#define LINT                                                                   \
	GOOD "  - { name: b, mode: off, when: { host: cpu > 85% } }\n"         \
	     "  - { name: c, mode: observe, when: { host: maintenance } }\n"

/* A line of `out`, with FILE for the name of the file. */
static void
expect_line(const char *tail)
{
	char line[512];

	snprintf(line, sizeof(line), "%s:%s\n", snapshot, tail);
	expect_part(line);
}

static void
write_beside(const char *name, const char *text)
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
remove_beside(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(remove(path), 0);
}

static int
run_in_folder(const char *before, const char *name)
{
	char line[512];

	snprintf(
	    line, sizeof(line), "policy check %s %s/%s", before, folder, name);
	return run(line);
}

START_TEST(a_policy_that_is_right_has_a_line)
{
	put(GOOD);
	ck_assert_int_eq(run("policy check FILE"), CTL_DONE);
	expect_line("3: a: ok, mode auto");
	expect_part("\n1 policy, 0 warnings\n");
	ck_assert_int_eq(run("policy check --strict FILE"), CTL_DONE);
	ck_assert_int_eq(run("policy check FILE -o name"), CTL_DONE);
	ck_assert_str_eq(buf_str(&out), "a\n");
}
END_TEST

START_TEST(faults_are_told_with_their_places_and_end_with_6)
{
	put("version: 1\npolicies:\n"
	    "  - { name: a, mode: auto, when: { host: cpo > 5% } }\n"
	    "  - { name: b, mode: aut, when: { host: up } }\n");
	ck_assert_int_eq(run("policy check FILE"), CTL_INVALID);
	ck_assert_uint_eq(out.len, 0);
	get(complaints);
	expect_line("3:42: policies[0].when.host: \"cpo\" is not known (did "
		    "you mean \"cpu\"?)");
	expect_line("4:22: policies[1].mode: unknown word \"aut\" (did you "
		    "mean \"auto\"?)");
}
END_TEST

START_TEST(lints_are_warnings_unless_they_are_to_be_errors)
{
	put(LINT);
	ck_assert_int_eq(run("policy check FILE"), CTL_DONE);
	expect_part(":4:41: policies[1].when.host: counts as soon as one "
		    "sample shows it");
	expect_line("3: a: ok, mode auto");
	expect_no_part(" b: ok");
	expect_line("5: c: ok, mode observe");
	expect_part("\n3 policies, 1 warning\n");
	ck_assert_int_eq(run("policy check --strict FILE"), CTL_INVALID);
	expect_part("\n3 policies, 1 warning\n");
}
END_TEST

START_TEST(programs_get_it_as_json)
{
	json_t *json, *row;

	put(LINT);
	json = run_json("policy check FILE -o json", CTL_DONE);
	ck_assert(json_is_true(json_object_get(json, "valid")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "errors")), 0);
	row = json_array_get(json_object_get(json, "warnings"), 0);
	ck_assert_str_eq(field_text_or(row, "file", ""), snapshot);
	ck_assert_int_eq(field_int(row, "line"), 4);
	ck_assert_int_eq(field_int(row, "column"), 41);
	row = json_array_get(json_object_get(json, "policies"), 1);
	ck_assert_str_eq(field_text_or(row, "policy", ""), "b");
	ck_assert_str_eq(field_text_or(row, "mode", ""), "off");
	ck_assert(json_is_false(json_object_get(row, "ok")));
	json_decref(json);
	put("version: 1\npolicies: 5\n");
	json = run_json("policy check FILE -o json", CTL_INVALID);
	ck_assert(json_is_false(json_object_get(json, "valid")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "errors")), 1);
	json_decref(json);
}
END_TEST

START_TEST(receivers_and_hosts_are_those_of_the_configuration)
{
	char line[512];

	put("version: 1\npolicies:\n"
	    "  - { name: a, mode: auto, when: { host: up }, notify: [ ops ],"
	    " hosts: name = \"kvm9\" }\n");
	ck_assert_int_eq(run("policy check --strict FILE"), CTL_DONE);
	write_beside("drover.yaml",
	    "version: 1\nhosts: [ { name: kvm1, uri: \"qemu:///system\" } ]\n"
	    "receivers: [ { name: ops, type: cloudevents, url: \"http://h/\" "
	    "} ]\n");
	snprintf(line, sizeof(line),
	    "policy check FILE --config %s/drover.yaml", folder);
	ck_assert_int_eq(run(line), CTL_DONE);
	expect_part("a: hosts is true of none of the 1 hosts");
	write_beside("drover.yaml", "version: 1\n");
	ck_assert_int_eq(run(line), CTL_INVALID);
	get(complaints);
	expect_part("there is no receiver \"ops\" (drover.yaml has no "
		    "receivers)");
	remove_beside("drover.yaml");
	ck_assert_int_eq(run(line), CTL_INVALID);
	get(complaints);
	expect_part("/drover.yaml: cannot be read: No such file");
}
END_TEST

START_TEST(all_files_of_a_folder_are_checked_in_order)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/p.d", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(run_in_folder("", "p.d"), CTL_INVALID);
	get(complaints);
	expect_part("/p.d: holds no *.yaml\n");
	write_beside("p.d/20.yaml", GOOD);
	write_beside("p.d/10.yaml", GOOD);
	write_beside("p.d/x.yaml~", "no: policy\n");
	ck_assert_int_eq(run_in_folder("", "p.d/"), CTL_INVALID);
	get(complaints);
	expect_part("/p.d/20.yaml:3:13: policies[0].name: \"a\" is already "
		    "used at ");
	remove_beside("p.d/10.yaml");
	ck_assert_int_eq(run_in_folder("", "p.d"), CTL_DONE);
	write_beside("p.d/30.yml", GOOD);
	ck_assert_int_eq(run_in_folder("", "p.d"), CTL_INVALID);
	get(complaints);
	expect_part("/p.d/30.yml: is not read; its name must end with .yaml");
	remove_beside("p.d/30.yml");
	remove_beside("p.d/20.yaml");
	remove_beside("p.d/x.yaml~");
	remove_beside("p.d");
	ck_assert_int_eq(run_in_folder("", "nowhere.yaml"), CTL_INVALID);
	get(complaints);
	expect_part("/nowhere.yaml: cannot be read: No such file");
}
END_TEST

START_TEST(editors_get_a_schema)
{
	json_error_t where;
	json_t *json;

	ck_assert_int_eq(run("policy schema"), CTL_DONE);
	json = json_loads(buf_str(&out), 0, &where);
	ck_assert_msg(json != NULL, "%s", where.text);
	ck_assert_str_eq(field_text_or(json, "$schema", ""),
	    "http://json-schema.org/draft-07/schema#");
	ck_assert(json_is_object(
	    json_object_get(json_object_get(json, "properties"), "placement")));
	json_decref(json);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_policy_that_is_right_has_a_line,
	    faults_are_told_with_their_places_and_end_with_6,
	    lints_are_warnings_unless_they_are_to_be_errors,
	    programs_get_it_as_json,
	    receivers_and_hosts_are_those_of_the_configuration,
	    all_files_of_a_folder_are_checked_in_order,
	    editors_get_a_schema,
	};
	Suite *suite = suite_create("ctl_policy");
	TCase *commands = add_case(suite, "commands");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(commands, make_folder, remove_folder);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(commands, tests[i]);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
