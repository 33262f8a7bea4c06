/* What is secret of a receiver is taken out of what it answered. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "notify/hide.h"

static void
expect_hidden(
    const char *url, const char *token, const char *text, const char *want)
{
	struct hide *hide = hide_of(url, token);
	char *got = hide_text(hide, text);

	ck_assert_str_eq(got, want);
	free(got);
	hide_free(hide);
}

START_TEST(keys_of_a_url_are_secret_and_words_are_not)
{
	static const char url[] =
	    "https://hooks.example.org/services/T00000042/B1/kEyOfIt99"
	    "?token=abcdefghijklmnopqrstu";

	expect_hidden(url, NULL, "no such hook: kEyOfIt99, of T00000042",
	    "no such hook: [secret], of [secret]");
	expect_hidden(url, NULL, "services of hooks.example.org",
	    "services of hooks.example.org");
	expect_hidden(url, NULL, "token abcdefghijklmnopqrstu is old",
	    "token [secret] is old");
	/* As a whole: nothing of it is left behind. */
	expect_hidden(url, NULL,
	    "GET /services/T00000042/B1/kEyOfIt99?token=abcdefghijklmnopqrstu",
	    "GET [secret]");
	expect_hidden(url, NULL, url, "[secret]");
	expect_hidden(
	    "http://127.0.0.1/", NULL, "GET / failed", "GET / failed");
	expect_hidden("http://user:pass@h/x", NULL, "user:pass is wrong",
	    "[secret] is wrong");
}
END_TEST

START_TEST(tokens_and_what_is_added_are_secret)
{
	struct hide *hide = hide_of(NULL, "tk_12345");
	char *text;

	hide_add(hide, "X-Key-Value");
	hide_add(hide, NULL);
	hide_add(hide, "");
	text = hide_text(hide, "tk_12345tk_12345 and X-Key-Value; tk_123x");
	ck_assert_str_eq(text, "[secret][secret] and [secret]; tk_123x");
	free(text);
	hide_free(hide);
}
END_TEST

/* Answers are cut. */
START_TEST(a_secret_that_begins_at_the_end_is_hidden)
{
	expect_hidden(NULL, "tk_12345", "no: tk_12345", "no: [secret]");
	expect_hidden(NULL, "tk_12345", "no: tk_1234", "no: [secret]");
	expect_hidden(NULL, "tk_12345", "no: tk_1", "no: [secret]");
	expect_hidden(NULL, "tk_12345", "no: tk_", "no: tk_");
	expect_hidden(NULL, "tk_12345", "tk_1 and on", "tk_1 and on");
}
END_TEST

START_TEST(a_password_is_secret_without_its_user)
{
	expect_hidden("http://user:passw0rd@h/x", NULL,
	    "user, passw0rd: no; user:passw0rd: no",
	    "user, [secret]: no; [secret]: no");
	/* The last one is what divides. */
	expect_hidden(
	    "http://user:pa@ss@h/x", NULL, "pa@ss pa@s no", "[secret] pa@s no");
	expect_hidden("http://h/x?a=user:mail@h", NULL, "mail user:mail no",
	    "mail user:mail no");
}
END_TEST

START_TEST(the_last_word_of_a_header_is_secret_like_the_whole)
{
	struct receiver_header headers[] = {
	    {"Authorization", "Bearer kEy45678"},
	    {"X-Note", "of the people here in the lab"}};
	struct settings_receiver receiver = {
	    .name = "ops", .headers = headers, .header_count = 2};
	struct hide *hide = hide_known(&receiver, NULL, NULL);
	char *text = hide_text(hide, "Bearer, kEy45678, lab; Bearer kEy45678.");

	ck_assert_str_eq(text, "Bearer, [secret], lab; [secret].");
	free(text);
	hide_free(hide);
}
END_TEST

START_TEST(the_longest_secret_goes_first)
{
	struct hide *hide = hide_of(NULL, "abcd");
	char *text;

	hide_add(hide, "abcdefgh");
	hide_add(hide, "abcdef");
	text = hide_text(hide, "abcdefgh abcdef abcd");
	ck_assert_str_eq(text, "[secret] [secret] [secret]");
	free(text);
	hide_free(hide);
}
END_TEST

START_TEST(an_answer_becomes_one_printable_line)
{
	expect_hidden(NULL, NULL, "a\033[2Jb\r\nc\xff", "a [2Jb  c?");
	expect_hidden(NULL, NULL,
	    "gr\xc3\xb6\xc3\x9f"
	    "e",
	    "gr\xc3\xb6\xc3\x9f"
	    "e");
	expect_hidden(NULL, NULL, "", "");
}
END_TEST

START_TEST(the_files_of_a_receiver_are_read)
{
	char path[] = "/tmp/check_hide.XXXXXX";
	struct settings_receiver receiver = {.name = "chat",
	    .type = "slack",
	    .kind = RECEIVER_SLACK,
	    .url = "https://h.example/x/AAAABBBB0000"};
	struct receiver_header header = {"X-Key", "hEaDerValue1"};
	struct hide *hide;
	char *text;

	receiver.headers = &header;
	receiver.header_count = 1;
	hide = hide_new(&receiver);
	text = hide_text(hide, "AAAABBBB0000, hEaDerValue1");
	ck_assert_str_eq(text, "[secret], [secret]");
	free(text);
	hide_free(hide);
	/* Files that cannot be read keep nothing else from being hidden. */
	receiver.secret_file = path;
	hide = hide_new(&receiver);
	text = hide_text(hide, "AAAABBBB0000");
	ck_assert_str_eq(text, "[secret]");
	free(text);
	hide_free(hide);
	hide = hide_new(NULL);
	text = hide_text(hide, "as it is");
	ck_assert_str_eq(text, "as it is");
	free(text);
	hide_free(hide);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hide");
	TCase *tc = tcase_create("hide");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, keys_of_a_url_are_secret_and_words_are_not);
	tcase_add_test(tc, tokens_and_what_is_added_are_secret);
	tcase_add_test(tc, a_secret_that_begins_at_the_end_is_hidden);
	tcase_add_test(tc, a_password_is_secret_without_its_user);
	tcase_add_test(tc, the_last_word_of_a_header_is_secret_like_the_whole);
	tcase_add_test(tc, the_longest_secret_goes_first);
	tcase_add_test(tc, an_answer_becomes_one_printable_line);
	tcase_add_test(tc, the_files_of_a_receiver_are_read);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
