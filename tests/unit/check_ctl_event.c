/*
 * droverctl event types, schema and sample: they need no daemon, and what they
 * print is of use to programs.
 */

#include "ctl_run.h"
#include "notify/catalog.h"

START_TEST(types_are_listed_with_their_severity)
{
	json_t *json;

	ck_assert_int_eq(run("event types"), CTL_DONE);
	expect_part("TYPE");
	expect_part("move.rolled_back   warning   a move was undone\n");
	ck_assert_int_eq(run("event types -o name"), CTL_DONE);
	expect_part("drain.blocked\ndecision.made\n");
	json = run_json("event types -o json", CTL_DONE);
	ck_assert_str_eq(
	    field_text(
		json_array_get(json_object_get(json, "types"), 0), "type"),
	    "move.started");
	json_decref(json);
}
END_TEST

START_TEST(a_schema_is_of_one_type_or_of_all)
{
	json_t *one, *all;

	ck_assert_int_eq(run("event schema host.lost"), CTL_DONE);
	one = json_loads(buf_str(&out), 0, NULL);
	ck_assert_ptr_nonnull(
	    json_object_get(json_object_get(one, "properties"), "why"));
	ck_assert_int_eq(run("event schema"), CTL_DONE);
	all = json_loads(buf_str(&out), 0, NULL);
	ck_assert(json_equal(json_object_get(all, "host.lost"), one));
	json_decref(one);
	json_decref(all);
}
END_TEST

START_TEST(samples_are_events_that_a_receiver_could_be_sent)
{
	json_t *sample;
	struct err err = {0};
	size_t lines = 0, types = 0;

	ck_assert_int_eq(run("event sample drain.completed"), CTL_DONE);
	sample = json_loads(buf_str(&out), 0, NULL);
	ck_assert_msg(catalog_validate(sample, &err) == 0, "%s", err.msg);
	json_decref(sample);
	ck_assert_int_eq(run("event sample"), CTL_DONE);
	for (const char *p = buf_str(&out); *p != '\0'; p++)
		lines += *p == '\n';
	while (catalog_types[types].type != NULL)
		types++;
	ck_assert_uint_eq(lines, types);
}
END_TEST

START_TEST(a_type_that_is_not_there_is_refused_with_the_nearest)
{
	ck_assert_int_eq(run("event schema move.fialed"), CTL_USAGE);
	get(complaints);
	expect_part("there are no events of type \"move.fialed\" (did you mean "
		    "move.failed?)");
	ck_assert_int_eq(run("event sample nothing"), CTL_USAGE);
	get(complaints);
	expect_part("droverctl event types lists them");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_event");
	TCase *commands = add_case(suite, "commands");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(commands, make_folder, remove_folder);
	tcase_add_test(commands, types_are_listed_with_their_severity);
	tcase_add_test(commands, a_schema_is_of_one_type_or_of_all);
	tcase_add_test(
	    commands, samples_are_events_that_a_receiver_could_be_sent);
	tcase_add_test(
	    commands, a_type_that_is_not_there_is_refused_with_the_nearest);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
