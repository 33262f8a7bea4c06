/*
 * Signatures as receivers will compute them, and secrets taken exactly or not
 * at all.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notify/sign.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static char path[64];

static void
setup(void)
{
	int fd;

	strcpy(path, "/tmp/check_sign.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void
teardown(void)
{
	unlink(path);
}

static void
write_secret(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* The example that the specification's libraries test themselves with. */
START_TEST(the_published_example_is_signed_as_published)
{
	static const char body[] = "{\"test\": 2432232314}";
	struct sign_secret secret;
	char out[SIGN_SIZE];
	struct err err;

	ck_assert_int_eq(sign_parse_secret(SECRET, &secret, &err), 0);
	ck_assert_uint_eq(secret.len, 24);
	ck_assert_int_eq(sign_message(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek",
			     1614265330, body, strlen(body), out, &err),
	    0);
	ck_assert_str_eq(out, SIGNED);
	/* Each part counts. */
	ck_assert_int_eq(sign_message(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek",
			     1614265331, body, strlen(body), out, &err),
	    0);
	ck_assert_str_ne(out, SIGNED);
	ck_assert_int_eq(sign_message(&secret, "m", 1614265330, body,
			     strlen(body), out, &err),
	    0);
	ck_assert_str_ne(out, SIGNED);
	ck_assert_int_eq(sign_message(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek",
			     1614265330, "", 0, out, &err),
	    0);
	ck_assert_uint_eq(strlen(out), strlen("v1,") + 44);
}
END_TEST

/* Another that is published; its key is shorter than the specification wants. */
START_TEST(a_second_published_example_is_signed_as_published)
{
	static const char body[] =
	    "{\"event_type\":\"ping\",\"data\":{\"success\":true}}";
	static const struct sign_secret secret = {
	    .key = {0xa6, 0x52, 0x77, 0x9e, 0x6c, 0x82, 0x0c, 0x60, 0x4a, 0x22,
		0x76, 0xaf, 0x74, 0xe2, 0xb5, 0xe6, 0x3b, 0x25},
	    .len = 18};
	char out[SIGN_SIZE];
	struct err err;

	ck_assert_int_eq(sign_message(&secret, "msg_loFOjxBNrRLzqYUf",
			     1731705121, body, strlen(body), out, &err),
	    0);
	ck_assert_str_eq(
	    out, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
}
END_TEST

/* GitHub's own, and of RFC 4231 the one whose key is longer than a block. */
START_TEST(github_signs_with_any_text)
{
	static const char body[] = "Test Using Larger Than Block-Size Key - "
				   "Hash Key First";
	struct sign_secret secret = {.len = 7};
	char out[SIGN_GITHUB_SIZE], key[132];
	struct err err;

	ck_assert_int_eq(
	    sign_take_text("It's a Secret to Everybody", &secret, &err), 0);
	ck_assert_int_eq(
	    sign_github(&secret, "Hello, World!", 13, out, &err), 0);
	ck_assert_str_eq(out,
	    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b"
	    "043e17");
	ck_assert_int_eq(
	    sign_github(&secret, "Hello, World?", 13, out, &err), 0);
	ck_assert_ptr_null(strstr(out, "757107ea"));

	memset(key, 0xaa, 131);
	key[131] = '\0';
	ck_assert_int_eq(sign_take_text(key, &secret, &err), 0);
	ck_assert_int_eq(
	    sign_github(&secret, body, strlen(body), out, &err), 0);
	ck_assert_str_eq(out,
	    "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0e"
	    "e37f54");

	secret.len = 7;
	ck_assert_int_eq(sign_take_text("", &secret, &err), -1);
	ck_assert_uint_eq(secret.len, 7);
}
END_TEST

static const struct {
	const char *text, *words;
} malformed[] = {
    {"", "does not start"},
    {"whsec", "does not start"},
    {"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not start"},
    {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not start"},
    {"whsec_", "empty"},
    {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "incomplete"},
    {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS=", "not valid|short"},
    {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS===", "incomplete"},
    {"whsec_====", "incomplete"},
    {"whsec_MfKQ9r8GKYqrTwjUPD8I=PZIo2LaLaSw", "character"},
    {"whsec_MfKQ9r8GKYqr-wjUPD8ILPZIo2LaLaSw", "character"},
    {"whsec_MfKQ9r8GKYqr_wjUPD8ILPZIo2LaLaSw", "character"},
    {"whsec_MfKQ9r8GKYqr wjUPD8ILPZIo2LaLaSw", "character"},
    {"whsec_MfKQ9r8GKYqr\nwjUPD8ILPZIo2LaLaSw", "character"},
    {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwA\xc3\xa4"
     "A",
	"character"},
    /* bits that no byte holds */
    {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", "not valid"},
};

START_TEST(a_malformed_secret_is_refused_and_not_repeated)
{
	const char *text = malformed[_i].text, *words = malformed[_i].words;
	struct sign_secret secret = {.len = 7};
	struct err err = {0};
	char word[32];
	bool found = false;

	ck_assert_int_eq(sign_parse_secret(text, &secret, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_uint_eq(secret.len, 7);
	while (*words != '\0') {
		size_t n = strcspn(words, "|");

		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		found = found || strstr(err.msg, word) != NULL;
		words += n + (words[n] == '|');
	}
	ck_assert_msg(found, "%s", err.msg);
	if (strlen(text) > 10)
		ck_assert_ptr_null(strstr(err.msg, text + 6));
}
END_TEST

/* "whsec_" and the base64 of n zero bytes. */
static void
make_secret(size_t n, char out[256])
{
	size_t letters = (n * 8 + 5) / 6;

	strcpy(out, "whsec_");
	memset(out + 6, 'A', letters);
	memset(out + 6 + letters, '=', (4 - letters % 4) % 4);
	out[6 + letters + (4 - letters % 4) % 4] = '\0';
}

START_TEST(secrets_of_24_to_64_bytes_are_taken)
{
	struct sign_secret secret;
	struct err err = {0};
	char text[256];

	for (size_t n = 1; n <= 150; n++) {
		bool fits = n >= 24 && n <= 64;

		make_secret(n, text);
		ck_assert_msg(
		    (sign_parse_secret(text, &secret, &err) == 0) == fits,
		    "%zu: %s", n, err.msg);
		if (fits)
			ck_assert_uint_eq(secret.len, n);
		else
			ck_assert_ptr_nonnull(
			    strstr(err.msg, n < 24 ? "too short" : "too long"));
	}
}
END_TEST

START_TEST(the_first_line_of_a_file_is_the_secret)
{
	static const char *const texts[] = {
	    SECRET, SECRET "\n", SECRET " \r\n", SECRET "\t\nwhsec_old\n"};
	struct sign_secret secret, expected;
	struct err err = {0};

	sign_parse_secret(SECRET, &expected, NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_secret(texts[i], i % 2 == 0 ? 0600 : 0640);
		ck_assert_msg(
		    sign_read_secret(path, &secret, &err) == 0, "%s", err.msg);
		ck_assert_uint_eq(secret.len, expected.len);
		ck_assert_mem_eq(secret.key, expected.key, secret.len);
	}
}
END_TEST

START_TEST(a_file_that_others_may_read_or_change_is_refused)
{
	static const mode_t modes[] = {0644, 0604, 0602, 0660, 0777};
	struct sign_secret secret;
	struct err err;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_secret(SECRET "\n", modes[i]);
		ck_assert_int_eq(sign_read_secret(path, &secret, &err), -1);
		ck_assert_int_eq(err.code, ERR_INVALID);
		ck_assert_ptr_nonnull(strstr(err.msg, path));
		ck_assert_ptr_nonnull(strstr(err.msg, "chmod 0640"));
	}
}
END_TEST

START_TEST(an_error_names_the_file_and_not_what_is_in_it)
{
	struct sign_secret secret;
	struct err err;

	write_secret("hunter2\n", 0600);
	ck_assert_int_eq(sign_read_secret(path, &secret, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, path));
	ck_assert_ptr_null(strstr(err.msg, "hunter2"));
	write_secret("", 0600);
	ck_assert_int_eq(sign_read_secret(path, &secret, &err), -1);
	ck_assert_int_eq(
	    sign_read_secret("/nowhere/at/all", &secret, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.msg, "/nowhere/at/all"));
	ck_assert_int_eq(sign_read_secret("/tmp", &secret, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "not a file"));
	/* A pipe without a writer must not hold us. */
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(sign_read_secret(path, &secret, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "not a file"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sign");
	TCase *tcase = tcase_create("sign");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_published_example_is_signed_as_published);
	tcase_add_test(
	    tcase, a_second_published_example_is_signed_as_published);
	tcase_add_test(tcase, github_signs_with_any_text);
	tcase_add_loop_test(tcase,
	    a_malformed_secret_is_refused_and_not_repeated, 0,
	    (int)(sizeof(malformed) / sizeof(malformed[0])));
	tcase_add_test(tcase, secrets_of_24_to_64_bytes_are_taken);
	tcase_add_test(tcase, the_first_line_of_a_file_is_the_secret);
	tcase_add_test(tcase, a_file_that_others_may_read_or_change_is_refused);
	tcase_add_test(tcase, an_error_names_the_file_and_not_what_is_in_it);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
