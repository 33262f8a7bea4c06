/* Strings that are copied, and JSON members that are left out when unknown. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/fields.h"
#include "base/str.h"

START_TEST(a_string_may_be_replaced_by_itself)
{
	char *s = str_dup("kvm1");

	str_replace(&s, s);
	ck_assert_str_eq(s, "kvm1");
	str_replace(&s, NULL);
	ck_assert_ptr_null(s);
	ck_assert_ptr_null(str_dup(NULL));
	str_replace(&s, "kvm2");
	ck_assert_str_eq(s, "kvm2");
	free(s);
}
END_TEST

START_TEST(what_is_unknown_is_left_out)
{
	json_t *o = json_object();

	fields_text(o, "a", NULL);
	fields_text(o, "b", "");
	fields_text(o, "c", "not \xff text");
	fields_count(o, "d", -1);
	fields_real(o, "e", NAN);
	fields_time(o, "f", (struct wall){0});
	ck_assert_uint_eq(json_object_size(o), 0);
	json_decref(o);
}
END_TEST

START_TEST(what_is_known_is_there_also_a_zero)
{
	json_t *o = json_object();

	fields_text(o, "text", "web1");
	fields_count(o, "count", 0);
	fields_real(o, "real", 0.0);
	fields_time(o, "time", (struct wall){1000});
	ck_assert_str_eq(json_string_value(json_object_get(o, "text")), "web1");
	ck_assert(json_is_integer(json_object_get(o, "count")));
	ck_assert(json_is_real(json_object_get(o, "real")));
	ck_assert_str_eq(json_string_value(json_object_get(o, "time")),
	    "1970-01-01T00:00:01.000Z");
	json_decref(o);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fields");
	TCase *tc = tcase_create("fields");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, a_string_may_be_replaced_by_itself);
	tcase_add_test(tc, what_is_unknown_is_left_out);
	tcase_add_test(tc, what_is_known_is_there_also_a_zero);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
