#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hv/address.h"

START_TEST(what_holds_an_address_stays_as_it_is)
{
	const char *const uris[] = {"tcp://10.0.0.11", "tcp://10.0.0.11:49200",
	    "tcp://[fd00::1]", "tcp://[fd00::1]:49200", "rdma://10.0.0.11",
	    "unix:///run/drover.sock", "tcp://user@10.0.0.11/x"};
	char out[128];

	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		ck_assert_int_eq(
		    address_resolve_uri(uris[i], out, sizeof(out), NULL), 0);
		ck_assert_str_eq(out, uris[i]);
	}
}
END_TEST

START_TEST(a_name_that_means_this_machine_is_refused)
{
	struct err err;
	char out[128];

	ck_assert_int_eq(address_resolve_uri(
			     "tcp://localhost:49200", out, sizeof(out), &err),
	    -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "loopback"));
	ck_assert_ptr_nonnull(strstr(err.msg, "migrate_uri"));
}
END_TEST

START_TEST(a_name_that_nobody_knows_is_an_error)
{
	struct err err;
	char out[128];

	ck_assert_int_eq(
	    address_resolve_uri("tcp://host.invalid", out, sizeof(out), &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "host.invalid"));
}
END_TEST

START_TEST(the_address_of_a_libvirt_uri_is_found)
{
	char out[128];

	ck_assert_int_eq(address_from_uri("qemu+tcp://10.0.0.2/system", out,
			     sizeof(out), NULL),
	    0);
	ck_assert_str_eq(out, "tcp://10.0.0.2");
	ck_assert_int_eq(
	    address_from_uri("qemu+ssh://root@10.0.0.2:2222/system?keyfile=/x",
		out, sizeof(out), NULL),
	    0);
	ck_assert_str_eq(out, "tcp://10.0.0.2");
	ck_assert_int_eq(address_from_uri("qemu+tls://[fd00::2]/system", out,
			     sizeof(out), NULL),
	    0);
	ck_assert_str_eq(out, "tcp://[fd00::2]");
	ck_assert_int_eq(
	    address_from_uri("qemu:///system", out, sizeof(out), NULL), -1);
	ck_assert_int_eq(
	    address_from_uri("nonsense", out, sizeof(out), NULL), -1);
}
END_TEST

START_TEST(what_does_not_fit_is_an_error)
{
	char out[8];

	ck_assert_int_eq(
	    address_resolve_uri("tcp://10.0.0.11", out, sizeof(out), NULL), -1);
	ck_assert_int_eq(address_from_uri("qemu+tcp://10.0.0.11/system", out,
			     sizeof(out), NULL),
	    -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tc = tcase_create("address");
	SRunner *runner;
	int failed;

	/* A resolver without a network may take its time to say no. */
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_holds_an_address_stays_as_it_is);
	tcase_add_test(tc, a_name_that_means_this_machine_is_refused);
	tcase_add_test(tc, a_name_that_nobody_knows_is_an_error);
	tcase_add_test(tc, the_address_of_a_libvirt_uri_is_found);
	tcase_add_test(tc, what_does_not_fit_is_an_error);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
