/*
 * The files of a receiver: taken whole or refused with receiver, key, file and
 * what would be right; nothing of what is in them is told; and what they make of
 * a request.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notify/secret.h"

/* Two signing secrets, and what they make of the published example. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SECRET_2 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define SIGNED_2 "v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI="
#define BODY "{\"test\": 2432232314}"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define TIME 1614265330
#define HOOK "https://chat.example.org/hooks/T0/B0/hidden"

static char dir[64], secret_path[96], token_path[96], url_path[96],
    template_path[96];

static void
put(const char *path, const char *text, size_t len, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void
put_text(const char *path, const char *text)
{
	put(path, text, strlen(text), 0600);
}

static void
setup(void)
{
	strcpy(dir, "/tmp/check_secret.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(secret_path, sizeof(secret_path), "%s/secret", dir);
	snprintf(token_path, sizeof(token_path), "%s/token", dir);
	snprintf(url_path, sizeof(url_path), "%s/url", dir);
	snprintf(template_path, sizeof(template_path), "%s/template", dir);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
teardown(void)
{
	unlink(secret_path);
	unlink(token_path);
	unlink(url_path);
	unlink(template_path);
	rmdir(dir);
}

static struct settings_receiver
receiver_of(enum receiver_kind kind)
{
	return (struct settings_receiver){
	    .name = "ops", .kind = kind, .url = "https://h/"};
}

/* Refused with all of the words, which a `|` divides, and without "hidden". */
static void
assert_refused(const struct settings_receiver *r, const char *words)
{
	struct secret_set set = {.signer_count = 77};
	struct err err = {0};
	char word[64];

	ck_assert_int_eq(secret_load(r, &set, &err), -1);
	ck_assert_uint_eq(set.signer_count, 77);
	ck_assert_ptr_null(set.url);
	while (*words != '\0') {
		size_t n = strcspn(words, "|");

		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		ck_assert_msg(
		    strstr(err.msg, word) != NULL, "\"%s\": %s", word, err.msg);
		words += n + (words[n] == '|');
	}
	ck_assert_ptr_nonnull(strstr(err.msg, "receiver ops"));
	ck_assert_msg(strstr(err.msg, "hidden") == NULL, "%s", err.msg);
}

static struct secret_set
load(const struct settings_receiver *r)
{
	struct secret_set set;
	struct err err = {0};

	ck_assert_msg(secret_load(r, &set, &err) == 0, "%s", err.msg);
	return set;
}

static struct secret_headers
sign(const struct settings_receiver *r, const struct secret_set *set)
{
	struct secret_headers headers;
	struct err err = {0};

	ck_assert_msg(secret_sign(r, set, ID, TIME, BODY, strlen(BODY),
			  &headers, &err) == 0,
	    "%s", err.msg);
	return headers;
}

static bool
has(const struct secret_headers *headers, const char *line)
{
	for (size_t i = 0; i < headers->count; i++)
		if (strcmp(secret_header(headers, i), line) == 0)
			return true;
	return false;
}

/* ---- signing ---- */

START_TEST(a_receiver_without_files_is_not_signed)
{
	struct settings_receiver r = receiver_of(RECEIVER_CLOUDEVENTS);
	struct secret_set set = load(&r);
	struct secret_headers headers = sign(&r, &set);

	ck_assert_str_eq(set.url, "https://h/");
	ck_assert_ptr_null(set.token);
	ck_assert_ptr_null(set.template);
	ck_assert_uint_eq(set.signer_count, 0);
	ck_assert_uint_eq(headers.count, 2);
	ck_assert(has(&headers, "webhook-id: " ID));
	ck_assert(has(&headers, "webhook-timestamp: 1614265330"));
	secret_clear(&set);
}
END_TEST

START_TEST(two_secrets_sign_both_the_first_line_first)
{
	static const struct {
		const char *file, *signature;
	} cases[] = {
	    {SECRET, SIGNED},
	    {SECRET "\n", SIGNED},
	    {SECRET " \r\n\r\n", SIGNED},
	    {SECRET "\n" SECRET_2, SIGNED " " SIGNED_2},
	    {SECRET_2 "\t\r\n" SECRET " \n\n \n", SIGNED_2 " " SIGNED},
	};
	struct settings_receiver r = receiver_of(RECEIVER_CUSTOM);

	r.secret_file = secret_path;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct secret_set set;
		struct secret_headers headers;
		char line[256];

		put_text(secret_path, cases[i].file);
		set = load(&r);
		headers = sign(&r, &set);
		snprintf(line, sizeof(line), "webhook-signature: %s",
		    cases[i].signature);
		ck_assert_uint_eq(headers.count, 3);
		ck_assert_msg(has(&headers, line), "%zu: %s", i,
		    secret_header(&headers, 2));
		ck_assert(has(&headers, "webhook-id: " ID));
		secret_clear(&set);
	}
}
END_TEST

START_TEST(what_is_no_secret_is_refused)
{
	struct settings_receiver r = receiver_of(RECEIVER_CLOUDEVENTS);
	char long_line[4200];

	r.secret_file = secret_path;
	assert_refused(&r, "secret_file|/secret|No such file");
	put_text(secret_path, "");
	assert_refused(&r, "secret_file|/secret|first line is empty");
	put_text(secret_path, "\n" SECRET "\n");
	assert_refused(&r, "/secret|first line is empty");
	put_text(secret_path, "hidden\n");
	assert_refused(&r, "/secret:1|does not start with \"whsec_\"");
	put_text(secret_path, SECRET "\nwhsec_hidden\n");
	assert_refused(&r, "/secret:2|incomplete");
	put_text(secret_path, SECRET "\n" SECRET_2 "\nhidden\n");
	assert_refused(&r, "/secret|more than two lines");
	put_text(secret_path,
	    "hid\x01"
	    "den\n");
	assert_refused(&r, "/secret:1|control character");
	put(secret_path, "hid\0den\n", 8, 0600);
	assert_refused(&r, "/secret|not a text");
	memset(long_line, 'h', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	put_text(secret_path, long_line);
	assert_refused(&r, "/secret:1|longer than 512 bytes");
	put(secret_path, SECRET "\n", strlen(SECRET "\n"), 0644);
	assert_refused(&r, "secret_file|others may read|chmod 0640");
	r.secret_file = dir;
	assert_refused(&r, "secret_file|is not a file");
}
END_TEST

START_TEST(github_signs_the_body_with_any_text)
{
	struct settings_receiver r = receiver_of(RECEIVER_CLOUDEVENTS);
	struct secret_set set;
	struct secret_headers headers;
	struct err err;

	r.secret_file = secret_path;
	r.signature = RECEIVER_SIGN_GITHUB;
	put_text(secret_path, "It's a Secret to Everybody\n");
	set = load(&r);
	ck_assert_int_eq(secret_sign(&r, &set, ID, TIME, "Hello, World!", 13,
			     &headers, &err),
	    0);
	ck_assert(has(&headers,
	    "X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b"
	    "6d7586c22c46f4379c8b043e17"));
	ck_assert(has(&headers, "webhook-id: " ID));
	ck_assert_uint_eq(headers.count, 3);
	secret_clear(&set);

	put_text(secret_path, "hidden\nhidden too\n");
	assert_refused(&r, "/secret:2|room for one secret|remove");
}
END_TEST

/* ---- tokens ---- */

START_TEST(each_kind_shows_its_token_where_it_is_looked_for)
{
	static const struct {
		enum receiver_kind kind;
		const char *line; /* NULL: none */
	} cases[] = {
	    {RECEIVER_CLOUDEVENTS, "Authorization: Bearer tk_1/2=~"},
	    {RECEIVER_CUSTOM, "Authorization: Bearer tk_1/2=~"},
	    {RECEIVER_NTFY, "Authorization: Bearer tk_1/2=~"},
	    {RECEIVER_ALERTMANAGER, "Authorization: Bearer tk_1/2=~"},
	    {RECEIVER_GOTIFY, "X-Gotify-Key: tk_1/2=~"},
	    {RECEIVER_PAGERDUTY, NULL},
	};

	put_text(token_path, "tk_1/2=~ \r\n\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings_receiver r = receiver_of(cases[i].kind);
		size_t others = receiver_kinds[cases[i].kind].signs ? 2 : 0;
		struct secret_headers headers;
		struct secret_set set;

		r.token_file = token_path;
		set = load(&r);
		ck_assert_str_eq(set.token, "tk_1/2=~");
		headers = sign(&r, &set);
		ck_assert_uint_eq(
		    headers.count, others + (cases[i].line != NULL));
		if (cases[i].line != NULL)
			ck_assert(has(&headers, cases[i].line));
		secret_clear(&set);
	}
}
END_TEST

START_TEST(chats_are_sent_no_header_of_ours)
{
	struct settings_receiver r = receiver_of(RECEIVER_SLACK);
	struct secret_set set;

	put_text(url_path, HOOK "\n");
	r.url = NULL;
	r.url_file = url_path;
	set = load(&r);
	ck_assert_str_eq(set.url, HOOK);
	ck_assert_uint_eq(sign(&r, &set).count, 0);
	secret_clear(&set);
}
END_TEST

START_TEST(the_longest_token_fits_its_header)
{
	struct settings_receiver r = receiver_of(RECEIVER_NTFY);
	struct secret_headers headers;
	struct secret_set set;
	char token[4098];

	memset(token, 'h', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	r.token_file = token_path;
	put_text(token_path, token);
	assert_refused(&r, "token_file|/token:1|longer than 4096 bytes");
	token[4096] = '\0';
	put_text(token_path, token);
	set = load(&r);
	headers = sign(&r, &set);
	ck_assert_uint_eq(headers.count, 1);
	ck_assert_uint_eq(strlen(secret_header(&headers, 0)),
	    strlen("Authorization: Bearer ") + 4096);
	secret_clear(&set);
}
END_TEST

START_TEST(what_is_no_token_is_refused)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
	    {"", "first line is empty"},
	    {" \n", "first line is empty"},
	    {"hid den", "/token:1|white space"},
	    {"hidden\xc3\xa4", "/token:1|ASCII"},
	    {"hid\tden", "/token:1|control character"},
	    {"hid\x1b[0mden", "/token:1|control character"},
	    {"hid\rden: x", "/token:1|control character"},
	    {"hidden\nhidden", "/token:2|second line"},
	};
	struct settings_receiver r = receiver_of(RECEIVER_GOTIFY);

	r.token_file = token_path;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_text(token_path, cases[i].text);
		assert_refused(&r, cases[i].words);
	}
	put(token_path, "hidden", 6, 0604);
	assert_refused(&r, "token_file|others may read");
}
END_TEST

/* ---- URLs and templates ---- */

START_TEST(a_url_of_a_file_passes_the_same_check_as_one_of_the_configuration)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
	    {"chat.example.org/hooks/hidden", "is not a URI|https://HOST"},
	    {"ftp://h/hidden", "write http:// or https://"},
	    {"https:///hidden", "names no host"},
	    {"https://hid den/", "white space"},
	    {" https://h/hidden", "white space"},
	    {"https://user:hid/hidden@h/", "not a port"},
	    {"https://h/#hidden", "fragment"},
	    {"https://h/\xc3\xa4hidden", "ASCII"},
	    {"https://h/\nhttps://hidden/", "/url:2|second line"},
	};
	struct settings_receiver r = receiver_of(RECEIVER_SLACK);

	r.url = NULL;
	r.url_file = url_path;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_text(url_path, cases[i].text);
		assert_refused(&r, cases[i].words);
		assert_refused(&r, "url_file|/url");
	}
	put(url_path, HOOK "\n", strlen(HOOK "\n"), 0644);
	assert_refused(&r, "url_file|others may read");
}
END_TEST

START_TEST(a_url_of_a_file_fits_the_rest_of_its_receiver)
{
	struct settings_receiver r = receiver_of(RECEIVER_CLOUDEVENTS);
	struct secret_set set;

	r.url = NULL;
	r.url_file = url_path;
	put_text(url_path, "http://user:hidden@h/");
	set = load(&r);
	secret_clear(&set);
	put_text(token_path, "token");
	r.token_file = token_path;
	assert_refused(&r, "url_file|token_file|user");
	r.token_file = NULL;
	r.server_name = "h.example.org";
	assert_refused(&r, "url_file|tls|https://");
	put_text(url_path, "https://h/");
	set = load(&r);
	secret_clear(&set);
}
END_TEST

START_TEST(templates_are_taken_whole_and_are_no_secret)
{
	enum { MOST = 65536 };
	struct settings_receiver r = receiver_of(RECEIVER_CUSTOM);
	struct secret_set set;
	char *text = calloc(1, MOST + 2);

	r.template = "{ \"a\": ${data.vm} }\n";
	set = load(&r);
	ck_assert_str_eq(set.template, r.template);
	secret_clear(&set);

	r.template = NULL;
	r.template_file = template_path;
	assert_refused(&r, "template_file|/template|No such file");
	memset(text, 'h', MOST + 1);
	memcpy(text, "line\n\tline\n", 11);
	put(template_path, text, MOST, 0644);
	set = load(&r);
	ck_assert_uint_eq(strlen(set.template), MOST);
	ck_assert_mem_eq(set.template, text, MOST);
	secret_clear(&set);

	put(template_path, text, MOST + 1, 0644);
	assert_refused(&r, "template_file|/template|larger than 64 KiB");
	put(template_path, " \n\t\n", 4, 0644);
	assert_refused(&r, "template_file|/template|is empty");
	put(template_path, "hid\0den", 7, 0644);
	assert_refused(&r, "template_file|/template|not a text");
	free(text);
}
END_TEST

/* ---- credentials ---- */

START_TEST(a_credential_is_a_file_of_the_services_folder)
{
	struct settings_receiver r = receiver_of(RECEIVER_CLOUDEVENTS);
	struct secret_headers headers;
	struct secret_set set;

	ck_assert(!secret_needs_service(&r));
	r.secret_file = "credential:secret";
	r.token_file = "credential:token";
	r.url = NULL;
	r.url_file = "credential:url";
	ck_assert(secret_needs_service(&r));
	assert_refused(&r,
	    "url_file|credential:url|$CREDENTIALS_DIRECTORY is not set|"
	    "LoadCredential=url:PATH");

	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	ck_assert(!secret_needs_service(&r));
	assert_refused(&r, "url_file|/url|No such file");
	put(secret_path, SECRET, strlen(SECRET), 0400);
	put(token_path, "token", 5, 0400);
	put(url_path, HOOK, strlen(HOOK), 0440);
	set = load(&r);
	headers = sign(&r, &set);
	ck_assert_str_eq(set.url, HOOK);
	ck_assert(has(&headers, "webhook-signature: " SIGNED));
	ck_assert(has(&headers, "Authorization: Bearer token"));
	secret_clear(&set);

	r.url_file = "credential:../url";
	assert_refused(&r, "url_file|credential:../url|names no file");
}
END_TEST

START_TEST(what_is_cleared_holds_nothing)
{
	struct settings_receiver r = receiver_of(RECEIVER_CUSTOM);
	static const struct secret_set none = {.signer_count = 0};
	struct secret_set set;

	put_text(secret_path, SECRET "\n" SECRET_2 "\n");
	r.secret_file = secret_path;
	set = load(&r);
	ck_assert_uint_eq(set.signer_count, 2);
	secret_clear(&set);
	ck_assert_mem_eq(&set, &none, sizeof(set));
	secret_clear(&set);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("secret");
	TCase *tcase = tcase_create("secret");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_receiver_without_files_is_not_signed);
	tcase_add_test(tcase, two_secrets_sign_both_the_first_line_first);
	tcase_add_test(tcase, what_is_no_secret_is_refused);
	tcase_add_test(tcase, github_signs_the_body_with_any_text);
	tcase_add_test(tcase, each_kind_shows_its_token_where_it_is_looked_for);
	tcase_add_test(tcase, chats_are_sent_no_header_of_ours);
	tcase_add_test(tcase, the_longest_token_fits_its_header);
	tcase_add_test(tcase, what_is_no_token_is_refused);
	tcase_add_test(tcase,
	    a_url_of_a_file_passes_the_same_check_as_one_of_the_configuration);
	tcase_add_test(tcase, a_url_of_a_file_fits_the_rest_of_its_receiver);
	tcase_add_test(tcase, templates_are_taken_whole_and_are_no_secret);
	tcase_add_test(tcase, a_credential_is_a_file_of_the_services_folder);
	tcase_add_test(tcase, what_is_cleared_holds_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
