/*
 * Words of strangers, escaped and cut: at every length, in every markup, what
 * comes out is whole, within the limit, and says nothing that it should not.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/text.h"

#define DOTS "\xe2\x80\xa6"
#define NO_WIDTH "\xe2\x80\x8b"
/* One, two, three and four bytes a character, and all that is markup. */
#define MIXED                                                                  \
	"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b<&>`*_~|[x](y)@all\\#\"'{!-+1. " \
	"\xf0\x9f\x90\x8b\xf0\x9f\x90\x8b"

static const enum text_markup all_markups[] = {TEXT_PLAIN, TEXT_QUIET,
    TEXT_ENTITIES, TEXT_ENTITIES_CODE, TEXT_CODE, TEXT_DISCORD,
    TEXT_MATTERMOST};
#define MARKUP_COUNT (sizeof(all_markups) / sizeof(all_markups[0]))

static const char *
escaped(
    const char *text, enum text_markup markup, enum text_unit unit, size_t max)
{
	static struct buf buf;

	buf_free(&buf);
	buf = BUF_INIT(1 << 16);
	text_escape(&buf, text, markup, unit, max);
	return buf_str(&buf);
}

/* Whole characters alone. */
static void
assert_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s != '\0') {
		size_t n = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;

		ck_assert(*s < 0x80 || *s >= 0xc2);
		for (size_t i = 1; i < n; i++)
			ck_assert_msg((s[i] & 0xc0) == 0x80,
			    "cut within a character: %s", text);
		s += n;
	}
}

static void
assert_cut(const char *full, const char *cut, size_t max, enum text_unit unit)
{
	size_t n = strlen(cut);

	ck_assert_uint_le(text_length(cut, unit), max);
	assert_utf8(cut);
	if (strcmp(full, cut) == 0)
		return;
	ck_assert_uint_gt(text_length(full, unit), max);
	if (n == 0)
		return;
	ck_assert_uint_ge(n, strlen(DOTS));
	ck_assert_str_eq(cut + n - strlen(DOTS), DOTS);
	ck_assert(strncmp(full, cut, n - strlen(DOTS)) == 0);
}

START_TEST(a_cut_is_within_the_limit_and_on_a_border)
{
	for (size_t m = 0; m < MARKUP_COUNT; m++) {
		for (int u = TEXT_BYTES; u <= TEXT_CHARACTERS; u++) {
			enum text_unit unit = (enum text_unit)u;
			char *full =
			    strdup(escaped(MIXED, all_markups[m], unit, 1000));

			for (size_t max = 0; max < 200; max++)
				assert_cut(full,
				    escaped(MIXED, all_markups[m], unit, max),
				    max, unit);
			free(full);
		}
	}
}
END_TEST

/* Nothing but whole entities begins with &. */
START_TEST(no_entity_is_cut_in_two)
{
	for (size_t max = 0; max < 60; max++) {
		const char *text =
		    escaped("<&><&><&>", TEXT_ENTITIES, TEXT_CHARACTERS, max);

		for (const char *p = text; (p = strchr(p, '&')) != NULL; p++)
			ck_assert(strncmp(p, "&amp;", 5) == 0 ||
			    strncmp(p, "&lt;", 4) == 0 ||
			    strncmp(p, "&gt;", 4) == 0);
		ck_assert_ptr_null(strpbrk(text, "<>"));
	}
}
END_TEST

/* An odd number of backslashes at the end would escape what follows. */
START_TEST(no_backslash_is_left_alone)
{
	for (size_t max = 0; max < 30; max++) {
		const char *text =
		    escaped("\\*\\*\\*\\*", TEXT_DISCORD, TEXT_CHARACTERS, max);
		size_t n = strcspn(text, "\xe2"), slashes = 0;

		while (slashes < n && text[n - 1 - slashes] == '\\')
			slashes++;
		ck_assert_uint_eq(slashes % 2, 0);
	}
}
END_TEST

START_TEST(markup_becomes_text)
{
	ck_assert_str_eq(
	    escaped("<!channel> & <@U1>", TEXT_ENTITIES, TEXT_CHARACTERS, 100),
	    "&lt;!channel&gt; &amp; &lt;@U1&gt;");
	ck_assert_str_eq(
	    escaped("```<b>", TEXT_ENTITIES_CODE, TEXT_CHARACTERS, 100),
	    "'''&lt;b&gt;");
	ck_assert_str_eq(
	    escaped("```<b>", TEXT_CODE, TEXT_CHARACTERS, 100), "'''<b>");
	ck_assert_str_eq(escaped("[x](javascript:1) **b** <@1> ||s||",
			     TEXT_DISCORD, TEXT_CHARACTERS, 100),
	    "\\[x\\]\\(javascript:1\\) \\*\\*b\\*\\* \\<@" NO_WIDTH "1\\> "
	    "\\|\\|s\\|\\|");
	ck_assert_str_eq(escaped("@all ~town #x ![y](z)", TEXT_MATTERMOST,
			     TEXT_CHARACTERS, 100),
	    "@" NO_WIDTH "all \\~town \\#x \\!\\[y\\]\\(z\\)");
	ck_assert_str_eq(
	    escaped("&commat;all", TEXT_MATTERMOST, TEXT_CHARACTERS, 100),
	    "&" NO_WIDTH "commat;all");
	ck_assert_str_eq(
	    escaped("<users/all> @x", TEXT_QUIET, TEXT_CHARACTERS, 100),
	    "<" NO_WIDTH "users/all> @" NO_WIDTH "x");
}
END_TEST

START_TEST(only_the_beginning_can_become_a_list)
{
	ck_assert_str_eq(
	    escaped("- a - b", TEXT_MATTERMOST, TEXT_BYTES, 99), "\\- a - b");
	ck_assert_str_eq(
	    escaped("1. a 2. b", TEXT_DISCORD, TEXT_BYTES, 99), "1\\. a 2. b");
	ck_assert_str_eq(
	    escaped("57.0 GiB", TEXT_DISCORD, TEXT_BYTES, 99), "57.0 GiB");
}
END_TEST

START_TEST(a_line_has_no_control_characters_and_no_turns)
{
	struct arena *arena = arena_new(1 << 20);

	ck_assert_str_eq(
	    text_line(arena, "a\r\nX: 1\tb\x01\x7f  c ", 99), "a X: 1 b c");
	ck_assert_str_eq(text_line(arena,
			     "\xe2\x80\xae"
			     "txt.exe\xe2\x80\xac",
			     99),
	    "txt.exe");
	ck_assert_str_eq(text_line(arena,
			     "a\xe2\x80\xa8"
			     "b\xc2\x85"
			     "c",
			     99),
	    "a b c");
	ck_assert_str_eq(text_line(arena, "", 99), "");
	ck_assert_str_eq(text_line(arena, "   ", 99), "");
	ck_assert_str_eq(text_line(arena, "abcdef", 4), "abc" DOTS);
	ck_assert_str_eq(text_line(arena, "abcd", 4), "abcd");
	arena_free(arena);
}
END_TEST

START_TEST(columns_are_as_wide_as_they_say)
{
	struct buf buf = BUF_INIT(1000);

	text_pad(&buf,
	    "\xc3\xa4"
	    "b",
	    4);
	ck_assert_str_eq(buf_str(&buf),
	    "\xc3\xa4"
	    "b  ");
	buf_clear(&buf);
	text_pad(&buf,
	    "\xc3\xa4"
	    "bcde",
	    4);
	ck_assert_str_eq(buf_str(&buf),
	    "\xc3\xa4"
	    "bc" DOTS);
	ck_assert_uint_eq(text_width(buf_str(&buf)), 4);
	buf_free(&buf);
}
END_TEST

START_TEST(lines_that_do_not_fit_are_counted)
{
	struct text_lines lines = text_lines_new(TEXT_BYTES, 100);
	char more[TEXT_MORE_MAX];

	ck_assert_ptr_null(text_lines_more(&lines, more));
	for (int i = 0; i < 20; i++)
		(void)text_lines_add(&lines, "123456789");
	text_lines_skip(&lines, 5);
	ck_assert_uint_eq(lines.taken, 6);
	ck_assert_str_eq(text_lines_more(&lines, more), "and 19 more");
	ck_assert_uint_le(lines.buf.len + strlen(more), 100);
	/* A shorter one does not slip in behind a longer one. */
	ck_assert(!text_lines_add(&lines, ""));
	buf_free(&lines.buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("format_text");
	TCase *tc = tcase_create("text");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, a_cut_is_within_the_limit_and_on_a_border);
	tcase_add_test(tc, no_entity_is_cut_in_two);
	tcase_add_test(tc, no_backslash_is_left_alone);
	tcase_add_test(tc, markup_becomes_text);
	tcase_add_test(tc, only_the_beginning_can_become_a_list);
	tcase_add_test(tc, a_line_has_no_control_characters_and_no_turns);
	tcase_add_test(tc, columns_are_as_wide_as_they_say);
	tcase_add_test(tc, lines_that_do_not_fit_are_counted);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
