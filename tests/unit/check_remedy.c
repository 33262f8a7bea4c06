/* What to do about a receiver that does not accept an event. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "notify/remedy.h"

static const struct {
	int code;
	const char *error, *part;
} rows[] = {
    {301, NULL, "redirects are not followed"},
    {401, NULL, "secret_file"},
    {404, NULL, "the path in its url"},
    {410, NULL, "gone for good"},
    {418, NULL, "what it answered may say why"},
    {429, NULL, "its rate can be lowered"},
    {500, NULL, "events are tried again"},
    {503, NULL, "events are tried again"},
    {0, "Couldn't resolve host name", "name server"},
    {0, "Couldn't connect to server (Connection refused)", "is it running"},
    {0, "Timeout was reached", "in time"},
    {0, "SSL peer certificate or SSH remote key was not OK", "ca_file"},
    {0, "SSL connect error", "cert_file"},
    {0, "Server returned nothing (no headers, no data)", "HTTP server"},
    {0, "the proxy refused to connect to it: HTTP 403", "look at its proxy"},
    {0, "it wants a certificate of the client; see cert_file",
	"look at its cert_file and key_file"},
    {0, NULL, "HTTP server"},
};

START_TEST(each_failure_has_a_place_to_look_at)
{
	const char *text = remedy_of(rows[_i].code, rows[_i].error);

	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strstr(text, rows[_i].part) != NULL,
	    "%d %s: \"%s\" lacks \"%s\"", rows[_i].code,
	    rows[_i].error != NULL ? rows[_i].error : "-", text, rows[_i].part);
}
END_TEST

START_TEST(what_was_accepted_needs_nothing)
{
	ck_assert_ptr_null(remedy_of(200, NULL));
	ck_assert_ptr_null(remedy_of(204, NULL));
}
END_TEST

START_TEST(every_status_has_one)
{
	for (int code = 300; code < 600; code++)
		ck_assert_ptr_nonnull(remedy_of(code, NULL));
	/* Whatever else a server makes up. */
	ck_assert_ptr_nonnull(remedy_of(100, NULL));
	ck_assert_ptr_nonnull(remedy_of(999, NULL));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("remedy");
	TCase *tc = tcase_create("remedy");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, each_failure_has_a_place_to_look_at, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, what_was_accepted_needs_nothing);
	tcase_add_test(tc, every_status_has_one);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
