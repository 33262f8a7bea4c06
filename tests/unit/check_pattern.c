/*
 * Patterns: what they match, what is refused and where, and that the C
 * library's regexec() and fnmatch() agree on a few ten thousand random ones.
 */

#include <check.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static bool
matches(bool glob, const char *text, const char *subject)
{
	struct arena *arena = arena_new(1 << 20);
	struct err err = {.code = ERR_NONE};
	size_t at = 0;
	const struct pattern *pattern = glob
	    ? pattern_compile_glob(arena, text, &at, &err)
	    : pattern_compile_regex(arena, text, &at, &err);
	bool result;

	ck_assert_msg(pattern != NULL, "%s: %s", text, err.msg);
	result = pattern_matches(pattern, subject);
	arena_free(arena);
	return result;
}

struct row {
	const char *pattern, *yes, *no;
};

START_TEST(globs_match_whole_texts)
{
	static const struct row rows[] = {
	    {"web*", "web", "xweb"},
	    {"web*", "web-1/a.b", "we"},
	    {"*", "", NULL},
	    {"", "", "a"},
	    {"?", "a", "ab"},
	    {"?", "\xc3\xa9", "\xc3\xa9\xc3\xa9"},
	    {"?", "\xf0\x9f\x90\x84", ""},
	    {"*\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa8"},
	    {"[a-c]1", "b1", "d1"},
	    {"[!a-c]1", "d1", "b1"},
	    {"[!a]", "\xc3\xa9", "a"},
	    {"[]a]", "]", "b"},
	    {"[[:digit:]]*", "7up", "up7"},
	    {"a\\*b", "a*b", "axb"},
	    {"[\\]]", "]", "\\"},
	    {"*a*b*", "xxaxxbxx", "xxbxxaxx"},
	    {"a.b$", "a.b$", "axb$"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		ck_assert_msg(matches(true, rows[i].pattern, rows[i].yes), "%s",
		    rows[i].pattern);
		ck_assert_msg(rows[i].no == NULL ||
			!matches(true, rows[i].pattern, rows[i].no),
		    "%s", rows[i].pattern);
	}
}
END_TEST

START_TEST(regular_expressions_are_found_in_texts)
{
	static const struct row rows[] = {
	    {"b", "abc", "acd"},
	    {"^b", "bc", "ab"},
	    {"b$", "ab", "bc"},
	    {"^$", "", "a"},
	    {"^(db|app)[0-9]+$", "app12", "app"},
	    {"a{2,3}b", "xaab", "ab"},
	    {"^a{2,3}$", "aaa", "aaaa"},
	    {"^a{2}$", "aa", "a"},
	    {"^a{2,}$", "aaaaa", "a"},
	    {"^(ab?){2}c", "aabc", "abc"},
	    {"a{0}b", "b", "a"},
	    {"^a?b+c*$", "bbb", "aac"},
	    {"(^a|b)c", "ac", "xac"},
	    {"^(^a|b)", "a", "xa"},
	    {"a|b|cd", "xcd", "xc"},
	    {"\\.", "a.b", "ab"},
	    {"[.]", "a.b", "ab"},
	    {"[\\]", "\\", "a"},
	    {"^.$", "\xc3\xa9", "ab"},
	    {"^[^a]$", "\xe2\x82\xac", "a"},
	    {"^\xc3\xa9{2}$", "\xc3\xa9\xc3\xa9", "\xc3\xa9"},
	    {"[[:alpha:]_-]+", "-", "9"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		ck_assert_msg(matches(false, rows[i].pattern, rows[i].yes),
		    "%s", rows[i].pattern);
		ck_assert_msg(!matches(false, rows[i].pattern, rows[i].no),
		    "%s", rows[i].pattern);
	}
}
END_TEST

START_TEST(what_means_nothing_is_refused_at_its_place)
{
	static const struct {
		bool glob;
		const char *pattern;
		size_t at;
		const char *says;
	} rows[] = {
	    {true, "a[b", 1, "is not closed by \"]\""},
	    {true, "a[", 1, "is not closed by \"]\""},
	    {true, "a\\", 1, "takes no character"},
	    {true, "[b-a]", 1, "runs backwards"},
	    {true, "[[:digits:]]", 1, "no class of characters"},
	    {true, "[[:", 1, "no class of characters"},
	    {true, "[[.a.]]", 1, "depends on a locale"},
	    {true, "[\xc3\xa9]", 1, "is not ASCII"},
	    {false, "", 0, "ends where something is expected"},
	    {false, "a|", 2, "ends where something is expected"},
	    {false, "|a", 0, "stands beside nothing"},
	    {false, "()", 1, "stands beside nothing"},
	    {false, "(a", 0, "is not closed by \")\""},
	    {false, "a)", 1, "closes nothing"},
	    {false, "*a", 0, "repeats nothing"},
	    {false, "a**", 2, "repeats a repetition"},
	    {false, "a{2}{3}", 4, "repeats a repetition"},
	    {false, "^*", 0, "is repeated"},
	    {false, "a{", 1, "begins no count"},
	    {false, "a{x}", 1, "begins no count"},
	    {false, "a{3,2}", 1, "begins no count"},
	    {false, "a{,2}", 1, "begins no count"},
	    {false, "a{256}", 4, "above 255"},
	    {false, "a\\d", 1, "write a bracket"},
	    {false, "a\\", 1, "takes no character"},
	    {false, "((a{99}){99}){99}", 4, "is too long"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct err err = {.code = ERR_NONE};
		size_t at = 99;
		const struct pattern *pattern = rows[i].glob
		    ? pattern_compile_glob(arena, rows[i].pattern, &at, &err)
		    : pattern_compile_regex(arena, rows[i].pattern, &at, &err);

		ck_assert_ptr_null(pattern);
		ck_assert_msg(strstr(err.msg, rows[i].says) != NULL, "%s: %s",
		    rows[i].pattern, err.msg);
		ck_assert_msg(
		    at == rows[i].at || strstr(err.msg, "too long") != NULL,
		    "%s: at %zu", rows[i].pattern, at);
		arena_free(arena);
	}
}
END_TEST

START_TEST(depth_and_size_are_bounded)
{
	struct arena *arena = arena_new(1 << 20);
	struct err err = {.code = ERR_NONE};
	char text[600];
	size_t at = 0;

	memset(text, '(', PATTERN_DEPTH_MAX);
	text[PATTERN_DEPTH_MAX] = 'a';
	memset(text + PATTERN_DEPTH_MAX + 1, ')', PATTERN_DEPTH_MAX);
	text[2 * PATTERN_DEPTH_MAX + 1] = '\0';
	ck_assert(matches(false, text, "a"));
	memset(text, '(', 500);
	text[500] = '\0';
	ck_assert_ptr_null(pattern_compile_regex(arena, text, &at, &err));
	ck_assert_uint_eq(at, PATTERN_DEPTH_MAX);
	memset(text, 'a', PATTERN_POSITIONS_MAX);
	text[PATTERN_POSITIONS_MAX] = '\0';
	ck_assert(matches(false, text, text));
	strcat(text, "a");
	ck_assert_ptr_null(pattern_compile_regex(arena, text, &at, &err));
	arena_free(arena);
}
END_TEST

/* Numbers that are the same each time. */
static unsigned
draw(unsigned *state, unsigned below)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 16) % below;
}

static void
make(unsigned *state, const char *const *parts, unsigned count, unsigned max,
    char *out)
{
	unsigned n = draw(state, max + 1);

	*out = '\0';
	for (unsigned i = 0; i < n; i++)
		strcat(out, parts[draw(state, count)]);
}

START_TEST(the_c_library_agrees_on_regular_expressions)
{
	static const char *const parts[] = {"a", "b", "ab", ".", "a*", "b+",
	    "(a|b)", "(ab)*", "[ab]", "[^a]", "a{2}", "b{1,2}", "(a|bc)+", "^",
	    "$", "|", "(a?b)?", "c"};
	static const char *const letters[] = {"a", "b", "c"};
	struct arena *arena = arena_new((size_t)64 << 20);
	unsigned state = 1, compared = 0;
	char text[256], subject[64];
	const struct pattern *pattern;
	regex_t regex;
	size_t at;

	for (int i = 0; i < 4000; i++) {
		make(&state, parts, COUNT(parts), 6, text);
		pattern = pattern_compile_regex(arena, text, &at, NULL);
		if (pattern == NULL ||
		    regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
			continue;
		for (int k = 0; k < 12; k++) {
			make(&state, letters, 3, 8, subject);
			ck_assert_msg(pattern_matches(pattern, subject) ==
				(regexec(&regex, subject, 0, NULL, 0) == 0),
			    "/%s/ \"%s\"", text, subject);
			compared++;
		}
		regfree(&regex);
	}
	ck_assert_uint_gt(compared, 20000);
	arena_free(arena);
}
END_TEST

START_TEST(the_c_library_agrees_on_globs)
{
	static const char *const parts[] = {
	    "a", "b", "*", "?", "[ab]", "[!a]", "c", "**", "[b-c]", "\\a", "."};
	static const char *const letters[] = {"a", "b", "c", ".", "/"};
	struct arena *arena = arena_new((size_t)64 << 20);
	unsigned state = 7;
	char text[256], subject[64];
	const struct pattern *pattern;
	size_t at;

	for (int i = 0; i < 4000; i++) {
		make(&state, parts, COUNT(parts), 7, text);
		pattern = pattern_compile_glob(arena, text, &at, NULL);
		ck_assert_ptr_nonnull(pattern);
		for (int k = 0; k < 12; k++) {
			make(&state, letters, 5, 8, subject);
			ck_assert_msg(pattern_matches(pattern, subject) ==
				(fnmatch(text, subject, 0) == 0),
			    "%s \"%s\"", text, subject);
		}
	}
	arena_free(arena);
}
END_TEST

START_TEST(no_pattern_makes_a_text_slow)
{
	static char subject[20001];

	memset(subject, 'a', sizeof(subject) - 1);
	ck_assert(!matches(true, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", subject));
	ck_assert(!matches(false, "^(a|aa)+(a*a*a*a*)*b", subject));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pattern");
	TCase *tcase = tcase_create("pattern");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, globs_match_whole_texts);
	tcase_add_test(tcase, regular_expressions_are_found_in_texts);
	tcase_add_test(tcase, what_means_nothing_is_refused_at_its_place);
	tcase_add_test(tcase, depth_and_size_are_bounded);
	tcase_add_test(tcase, the_c_library_agrees_on_regular_expressions);
	tcase_add_test(tcase, the_c_library_agrees_on_globs);
	tcase_add_test(tcase, no_pattern_makes_a_text_slow);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
