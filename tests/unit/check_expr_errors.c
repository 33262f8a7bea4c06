/*
 * What is wrong with a typed expression is said when it is loaded: at its
 * column, with what to write instead.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "expr_fixture.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

struct row {
	const char *text;
	unsigned column;
	const char *says;
};

static void
check_row(const struct row *row)
{
	struct arena *arena = arena_new(16 << 20);
	struct err err = {.code = ERR_NONE};
	unsigned column = 0;

	ck_assert_msg(expr_compile(arena, row->text, &fixture_context, &column,
			  &err) == NULL,
	    "%s: is accepted", row->text);
	ck_assert_msg(column == row->column, "%s: column %u: %s", row->text,
	    column, err.msg);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_msg(
	    strstr(err.msg, row->says) != NULL, "%s: %s", row->text, err.msg);
	arena_free(arena);
}

static void
check_rows(const struct row *rows, int count)
{
	for (int i = 0; i < count; i++)
		check_row(&rows[i]);
}

START_TEST(units_that_do_not_go_together)
{
	static const struct row rows[] = {
	    {"host.memory.free > 5m", 20,
		"\"5m\" is a duration, and \"host.memory.free\" before it a "
		"size in bytes"},
	    {"memory > 2GiB", 10,
		"\"2GiB\" is a size in bytes, and \"memory\" before it a "
		"percentage"},
	    {"cpu > 80", 7, "(with its unit, such as 80%)"},
	    {"memory.free < 4096", 15, "(with its unit, such as 2GiB)"},
	    {"vm.age > 60", 10, "(with its unit, such as 5m)"},
	    {"swap_in > 1", 11, "(with its unit, such as 10MiB/s)"},
	    {"swap_in > 1MiB", 11, "is a size in bytes"},
	    {"vms > 80%", 7, "\"80%\" is a percentage"},
	    {"name = 3", 8, "\"3\" is a number, and \"name\" before it a text"},
	    {"vms = '3'", 7, "\"'3'\" is a text"},
	    {"cpu + memory.free > 1%", 7, "is a size in bytes"},
	    {"cpu > 1% + memory.free", 12, "is a size in bytes"},
	    {"cpu > memory.free - 1GiB", 7,
		"\"memory.free - 1GiB\" is a size in bytes"},
	    {"memory.free * 5m > 1", 15, "is not multiplied by"},
	    {"swap_in * swap_in > 1", 11, "is not multiplied by"},
	    {"5 / memory.free > 1", 5, "is not divided by"},
	    {"vms / 0 > 1", 7, "nothing to divide by"},
	    {"cpu / 0% > 1", 7, "nothing to divide by"},
	    {"vm.vcpus in [1GiB]", 13,
		"is a list whose items are each a size in bytes, and "
		"\"vm.vcpus\" before it is a number"},
	    {"name in [1, 2]", 9, "each a number"},
	    {"vm.vcpus in [1, 2, 3%]", 20,
		"is a percentage in a list whose first item is a number"},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(operands_of_the_wrong_kind)
{
	static const struct row rows[] = {
	    {"cpu", 1,
		"is a percentage, where a boolean is expected; compare "
		"it, such as > 80%"},
	    {"not cpu", 5, "is a percentage, where a boolean"},
	    {"cpu and up", 1, "is a percentage, where a boolean"},
	    {"up and vms", 8, "is a number, where a boolean"},
	    {"up or name", 7, "is a text, where a boolean"},
	    {"pools", 1, "is a list, where a boolean"},
	    {"(cpu + 1%)", 1, "\"(cpu + 1%)\" is a percentage"},
	    {"up = maintenance", 4, "opposite is \"not NAME\""},
	    {"up == maintenance", 4, "opposite is \"not NAME\""},
	    {"cpu > up", 7, "is a boolean"},
	    {"name < 'b'", 8, "is a text, and \"<\" compares none"},
	    {"pools = 'a'", 1, "is a list, which is not compared"},
	    {"name = pools", 8, "is a list, which is not compared"},
	    {"name in 'a'", 9, "is a text, where a list is expected"},
	    {"name in name", 9, "is a text, where a list is expected"},
	    {"cpu like '9*'", 1, "is a percentage, and \"like\" takes a text"},
	    {"name like name", 11, "where a pattern in quotes is expected"},
	    {"name matches", 13, "where a pattern in quotes is expected"},
	    {"name + 'a' = 'b'", 1, "is a text, and \"+\" takes numbers"},
	    {"1 + up > 2", 5, "is a boolean, and \"+\" takes numbers"},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(names_that_are_not_known)
{
	static const struct row rows[] = {
	    {"cpuu > 1%", 1, "did you mean \"cpu\"?"},
	    {"up and memory.fre > 1GiB", 8, "did you mean \"memory.free\"?"},
	    {"vm.stat = 'a'", 1, "did you mean \"vm.state\"?"},
	    {"vcpus > 1", 1, "did you mean \"vm.vcpus\"?"},
	    {"dirty_rate > 1MiB/s", 1, "did you mean \"vm.dirty_rate\"?"},
	    {"vm.name in database", 12, "did you mean \"databases\"?"},
	    {"zebra > 1", 1, "known: name, up, maintenance"},
	    {"zebra > 1", 1, "labels.NAME, vm.NAME"},
	    {"labels = 'a'", 1, "write labels.NAME"},
	    {"labels. = 'a'", 1, "write labels.NAME"},
	    {"vm.labels = 'a'", 1, "write labels.NAME"},
	    {"true", 1, "is not known"},
	    {"name = web1", 8, "a text stands in quotes: \"web1\""},
	    {"memory.free-1GiB > 2GiB", 1, "a minus has a space"},
	    {"vm.state = 'runing'", 12,
		"is never its value (did you mean \"running\"?)"},
	    {"'zebra' = vm.storage", 1,
		"it can be: shared, local, mixed, diskless"},
	    {"vm.state in [running, pausd]", 23, "did you mean \"paused\"?"},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(what_other_languages_write)
{
	static const struct row rows[] = {
	    {"cpu == 80%", 5, "write \"=\""},
	    {"cpu <> 80%", 5, "write \"!=\""},
	    {"cpu =< 80%", 5, "write \"<=\""},
	    {"cpu \xe2\x89\xa5 80%", 5, "write \">=\""},
	    {"up && up", 4, "write \"and\""},
	    {"up || up", 4, "write \"or\""},
	    {"!up", 1, "write \"not\""},
	    {"up AND up", 4, "write \"and\""},
	    {"cpu > 1% OR up", 10, "write \"or\""},
	    {"name =~ 'a'", 6, "write \"matches\""},
	    {"name !~ 'a'", 6, "write \"not matches\""},
	    {"name LIKE 'a'", 6, "write \"like\""},
	    {"vm.state is 'running'", 10, "write \"=\""},
	    {"pools contains 'a'", 7, "ITEM \"in\" LIST"},
	    {"name = \xe2\x80\x9c"
	     "a\xe2\x80\x9d",
		8, "write \"'\""},
	    {"1 < vms < 20", 9, "follows another comparison"},
	    {"vms > 1 = up", 9, "follows another comparison"},
	    {"vms > 1 in [1]", 9, "follows another comparison"},
	    {"name in databases not in nobody", 23,
		"follows another comparison"},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(grammar_and_literals)
{
	static const struct row rows[] = {
	    {"", 1, "empty"},
	    {"cpu >", 6, "ends where a value is expected"},
	    {"cpu > and up", 7, "stands where a value is expected"},
	    {"> 3", 1, "stands where a value is expected"},
	    {"up cpu", 4, "\"and\" or \"or\" is expected"},
	    {"cpu 80%", 5, "where an operator is expected"},
	    {"(cpu 80%)", 6, "where an operator or \")\" is expected"},
	    {"(cpu > 80%", 11, "the \"(\" at position 1"},
	    {"cpu > 80%)", 10, "closes nothing"},
	    {"cpu > -5%", 7, "stands where a value is expected"},
	    {"name = 'a", 8, "begins a text that is not closed"},
	    {"name like \"a", 11, "begins a text that is not closed"},
	    {"name in [a", 9, "begins a list that is not closed"},
	    {"name in [a b]", 12, "where \",\" or \"]\" is expected"},
	    {"name in []", 10, "where an item of a list is expected"},
	    {"name in [a,", 12, "ends where an item"},
	    {"name in [[a]]", 10, "where an item of a list is expected"},
	    {"name in", 8, "ends where a value is expected"},
	    {"name not 'a'", 6, "where an operator is expected"},
	    {"cpu > 150%", 7, "is too large for a percentage"},
	    {"memory.free > 2gb", 15, "is no number, percentage, size"},
	    {"memory.free > 2gB", 15, "is not a size"},
	    {"vm.age > 5min", 10, "is no number, percentage, size"},
	    {"vm.age > 1m1h", 10, "is no number, percentage, size"},
	    {"vms > 1.2.3", 7, "is no number"},
	    {"vms > 1.", 7, "is no number"},
	    {"vms > 1234567890123456", 7, "is no number"},
	    {"swap_in > 99999999999TiB/s", 11, "is too large"},
	    {"name like '[a'", 12, "\"[\" in the pattern is not closed"},
	    {"name matches 'a(b'", 16, "is not closed by \")\""},
	    {"name matches ''", 15, "the pattern ends where something"},
	    {"up and name matches '*'", 22, "repeats nothing"},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(the_number_of_patterns_is_bounded)
{
	struct buf text = BUF_INIT(EXPR_LENGTH_MAX);
	struct arena *arena = arena_new(1 << 20);
	struct row row = {.says = "more than 32 patterns"};

	for (int i = 0; i < EXPR_PATTERNS_MAX; i++)
		buf_addf(&text, "%sname matches 'a{255}'", i > 0 ? " or " : "");
	ck_assert_ptr_nonnull(
	    expr_compile(arena, buf_str(&text), &fixture_context, NULL, NULL));
	buf_adds(&text, " or name like 'a'");
	row.text = buf_str(&text);
	row.column = (unsigned)strlen(row.text) - 2;
	check_row(&row);
	buf_free(&text);
	arena_free(arena);
}
END_TEST

START_TEST(other_scopes_are_not_reached)
{
	static const struct expr_context alone = {
	    .scopes = fixture_scopes + 3, .scope_count = 1};
	struct arena *arena = arena_new(1 << 20);
	struct err err = {.code = ERR_NONE};
	unsigned column = 0;

	ck_assert_ptr_null(expr_compile(
	    arena, "hosts_up > 2 and host.cpu > 1%", &alone, &column, &err));
	ck_assert_uint_eq(column, 18);
	ck_assert_ptr_nonnull(
	    expr_compile(arena, "cluster.hosts_up > 2", &alone, NULL, &err));
	arena_free(arena);
}
END_TEST

/* The manual lists each name of the vocabulary, with its scope. */
START_TEST(the_manual_has_every_name)
{
	const char *top = getenv("top_srcdir");
	static char page[1 << 18];
	char path[4096], item[128];
	const char *section;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/man/drover-policy.7",
	    top != NULL ? top : "..");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	len = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	page[len] = '\0';
	section = strstr(page, ".Sh EXPRESSIONS\n");
	ck_assert_ptr_nonnull(section);
	for (int i = 0; i < EXPR_SCOPE_COUNT; i++) {
		const struct expr_vocabulary *vocabulary =
		    expr_vocabulary_of((enum expr_scope)i);

		snprintf(
		    item, sizeof(item), "\n.It Cm %s\n", vocabulary->prefix);
		section = strstr(section, item);
		ck_assert_msg(section != NULL, "%s", item);
		for (size_t k = 0; k < vocabulary->count; k++) {
			const struct expr_name *name = &vocabulary->names[k];

			if (i == EXPR_SCOPE_TARGET && k < EXPR_HOST_COUNT)
				continue;
			snprintf(item, sizeof(item), "\n.It Cm %s%s Pq %s\n",
			    name->name, name->labels ? ".NAME" : "",
			    expr_type_name(name->type) + 2);
			section = strstr(section, item);
			ck_assert_msg(section != NULL, "%s", item);
			ck_assert_ptr_nonnull(name->meaning);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expr_errors");
	TCase *tcase = tcase_create("expr_errors");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, units_that_do_not_go_together);
	tcase_add_test(tcase, operands_of_the_wrong_kind);
	tcase_add_test(tcase, names_that_are_not_known);
	tcase_add_test(tcase, what_other_languages_write);
	tcase_add_test(tcase, grammar_and_literals);
	tcase_add_test(tcase, the_number_of_patterns_is_bounded);
	tcase_add_test(tcase, other_scopes_are_not_reached);
	tcase_add_test(tcase, the_manual_has_every_name);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
