/*
 * Expressions of policies: precedence, Kleene's truth, and errors that point
 * at the right column.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "decide/expr.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define F EXPR_FALSE
#define T EXPR_TRUE
#define U EXPR_UNKNOWN

/* a, b, c take the values that a test gives them; boom must not be asked. */
static const char *const letters[] = {"a", "b", "c", "boom", NULL};

static enum expr_truth
look_up(const char *name, void *arg)
{
	const enum expr_truth *values = arg;

	ck_assert_str_ne(name, "boom");
	return values[name[0] - 'a'];
}

static enum expr_truth
value_of(
    const char *text, enum expr_truth a, enum expr_truth b, enum expr_truth c)
{
	enum expr_truth values[] = {a, b, c}, result;
	struct arena *arena = arena_new(1 << 20);
	struct err err = {.code = ERR_NONE};
	const struct expr *expr = expr_parse(arena, text, letters, NULL, &err);

	ck_assert_msg(expr != NULL, "%s: %s", text, err.msg);
	result = expr_eval(expr, look_up, values);
	arena_free(arena);
	return result;
}

static unsigned
error_column(const char *text, struct err *err)
{
	struct arena *arena = arena_new(1 << 20);
	unsigned column = 0;

	ck_assert_ptr_null(
	    expr_parse(arena, text, expr_host_vocabulary, &column, err));
	arena_free(arena);
	return column;
}

START_TEST(truth_is_kleenes)
{
	static const struct {
		enum expr_truth a, b, and, or ;
	} rows[] = {
	    {F, F, F, F},
	    {F, T, F, T},
	    {F, U, F, U},
	    {T, F, F, T},
	    {T, T, T, T},
	    {T, U, U, T},
	    {U, F, F, U},
	    {U, T, U, T},
	    {U, U, U, U},
	};

	ck_assert_int_eq(value_of("not a", F, F, F), T);
	ck_assert_int_eq(value_of("not a", T, F, F), F);
	ck_assert_int_eq(value_of("not a", U, F, F), U);
	for (int i = 0; i < COUNT(rows); i++) {
		ck_assert_int_eq(
		    value_of("a and b", rows[i].a, rows[i].b, F), rows[i].and);
		ck_assert_int_eq(
		    value_of("a or b", rows[i].a, rows[i].b, F), rows[i].or);
	}
}
END_TEST

START_TEST(not_binds_closest_then_and_then_or)
{
	ck_assert_int_eq(value_of("a or b and c", T, F, F), T);
	ck_assert_int_eq(value_of("(a or b) and c", T, F, F), F);
	ck_assert_int_eq(value_of("not a and b", F, F, F), F);
	ck_assert_int_eq(value_of("not (a and b)", F, F, F), T);
	ck_assert_int_eq(value_of("not not a", T, F, F), T);
	ck_assert_int_eq(value_of("a and b or c", F, T, T), T);
	ck_assert_int_eq(value_of("a and (b or c)", F, T, T), F);
	ck_assert_int_eq(value_of(" (\t(a)\n) ", U, F, F), U);
}
END_TEST

START_TEST(what_cannot_change_the_result_is_not_asked)
{
	ck_assert_int_eq(value_of("a and boom", F, F, F), F);
	ck_assert_int_eq(value_of("a or boom", T, F, F), T);
	ck_assert_int_eq(value_of("a and b and boom", U, F, F), F);
}
END_TEST

START_TEST(errors_point_at_the_word)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *says;
	} rows[] = {
	    {"", 1, "empty"},
	    {"  ", 3, "empty"},
	    {"maintenence", 1, "did you mean \"maintenance\"?"},
	    {"up and cordonned", 8, "did you mean \"cordoned\"?"},
	    {"up and zebra", 8, "known: maintenance, cordoned, up"},
	    {"up and", 7, "ends where a name is expected"},
	    {"up and ", 8, "ends where a name is expected"},
	    {"and up", 1, "where a name is expected"},
	    {"up up", 4, "\"and\" or \"or\" is expected"},
	    {"up && cordoned", 4, "write \"and\""},
	    {"up || cordoned", 4, "write \"or\""},
	    {"!up", 1, "write \"not\""},
	    {"up AND cordoned", 4, "write \"and\""},
	    {"up == cordoned", 4, "not NAME"},
	    {"up >= 3", 4, "compares no numbers"},
	    {"(up", 4, "the \"(\" at position 1"},
	    {"up)", 3, "closes nothing"},
	    {"()", 2, "where a name is expected"},
	    {"up \xe2\x88\xa7 up", 4, "\"\xe2\x88\xa7\""},
	    {"up \x01", 4, "a control character"},
	    {"UP", 1, "did you mean \"up\"?"},
	    {"not", 4, "ends where a name is expected"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct err err = {.code = ERR_NONE};

		ck_assert_msg(
		    error_column(rows[i].text, &err) == rows[i].column,
		    "\"%s\": column", rows[i].text);
		ck_assert_int_eq(err.code, ERR_INVALID);
		ck_assert_msg(strstr(err.msg, rows[i].says) != NULL,
		    "\"%s\": %s", rows[i].text, err.msg);
	}
}
END_TEST

static char *
repeat(const char *before, int count, const char *middle, const char *after)
{
	struct buf buf = BUF_INIT(1 << 20);

	for (int i = 0; i < count; i++)
		buf_adds(&buf, before);
	buf_adds(&buf, middle);
	for (int i = 0; i < count; i++)
		buf_adds(&buf, after);
	return buf_steal(&buf);
}

START_TEST(depth_and_length_are_bounded)
{
	struct err err = {.code = ERR_NONE};
	char *text = repeat("(", EXPR_DEPTH_MAX - 1, "a", ")");

	ck_assert_int_eq(value_of(text, T, F, F), T);
	free(text);
	text = repeat("(", EXPR_DEPTH_MAX, "up", ")");
	ck_assert_uint_eq(error_column(text, &err), EXPR_DEPTH_MAX + 1);
	free(text);
	text = repeat("not ", EXPR_DEPTH_MAX, "up", "");
	ck_assert_uint_eq(error_column(text, &err), 4 * EXPR_DEPTH_MAX + 1);
	free(text);

	/* A chain costs no depth. */
	text = repeat("b or ", 800, "a", "");
	ck_assert_int_eq(value_of(text, T, F, F), T);
	free(text);
	text = repeat("up or ", EXPR_LENGTH_MAX / 6 + 1, "up", "");
	ck_assert_uint_eq(error_column(text, &err), EXPR_LENGTH_MAX + 1);
	free(text);
}
END_TEST

START_TEST(truth_has_names)
{
	ck_assert_str_eq(expr_truth_name(EXPR_FALSE), "false");
	ck_assert_str_eq(expr_truth_name(EXPR_TRUE), "true");
	ck_assert_str_eq(expr_truth_name(EXPR_UNKNOWN), "unknown");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expr");
	TCase *tcase = tcase_create("expr");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, truth_is_kleenes);
	tcase_add_test(tcase, not_binds_closest_then_and_then_or);
	tcase_add_test(tcase, what_cannot_change_the_result_is_not_asked);
	tcase_add_test(tcase, errors_point_at_the_word);
	tcase_add_test(tcase, depth_and_length_are_bounded);
	tcase_add_test(tcase, truth_has_names);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
