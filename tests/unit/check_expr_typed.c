/*
 * Typed expressions: what each operator gives, which types go together, what
 * unknown does, and how a decision is explained.  Errors have a file of their
 * own, check_expr_errors.c.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "expr_fixture.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define F EXPR_FALSE
#define T EXPR_TRUE
#define U EXPR_UNKNOWN

static enum expr_truth
value_of(const char *text)
{
	struct arena *arena = arena_new(16 << 20);
	struct err err = {.code = ERR_NONE};
	const struct expr *expr =
	    expr_compile(arena, text, &fixture_context, NULL, &err);
	enum expr_truth truth;

	ck_assert_msg(expr != NULL, "%s: %s", text, err.msg);
	truth = expr_test(expr, fixture_lookup, NULL);
	arena_free(arena);
	return truth;
}

struct row {
	const char *text;
	enum expr_truth truth;
};

static void
check_rows(const struct row *rows, int count)
{
	for (int i = 0; i < count; i++) {
		enum expr_truth truth = value_of(rows[i].text);

		ck_assert_msg(truth == rows[i].truth, "%s: %s", rows[i].text,
		    expr_truth_name(truth));
	}
}

START_TEST(each_comparison_of_each_type)
{
	static const struct row rows[] = {
	    {"vms = 12", T},
	    {"vms = 11", F},
	    {"vms != 12", F},
	    {"vms != 11", T},
	    {"vms < 12", F},
	    {"vms < 12.5", T},
	    {"vms <= 12", T},
	    {"vms <= 11.999999", F},
	    {"vms > 12", F},
	    {"vms > 11", T},
	    {"vms >= 12", T},
	    {"vms >= 13", F},
	    {"cpu > 80%", T},
	    {"cpu > 91%", F},
	    {"cpu >= 91%", T},
	    {"cpu<91.5%", T},
	    {"memory = 50%", T},
	    {"memory.free = 4GiB", T},
	    {"memory.free > 4GB", T},
	    {"memory.free < 4096MiB", F},
	    {"swap_in >= 10MiB/s", T},
	    {"swap_in < 10MB/s", F},
	    {"vm.age = 2h", T},
	    {"vm.age > 1h59m", T},
	    {"vm.age <= 7200s", T},
	    {"5m < vm.age", T},
	    {"name = 'kvm1'", T},
	    {"name = \"kvm2\"", F},
	    {"name != \"kvm2\"", T},
	    {"name = host.name", T},
	    {"name = vm.name", F},
	    {"labels.rack = 'r1'", T},
	    {"host.labels.rack != 'r2'", T},
	    {"vm.labels.app-tier = 'front end'", T},
	    {"vm.state = 'running'", T},
	    {"event.type = 'DiskFailing'", T},
	    {"cluster.hosts_up >= 3", T},
	    {"target.cpu_after < 75%", T},
	    /* 0 has any unit */
	    {"swap_in > 0", T},
	    {"0 < memory.free", T},
	    {"cpu = 0", F},
	    {"vm.age - 0 = 2h", T},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(lists_and_patterns)
{
	static const struct row rows[] = {
	    {"vm.name in [web1, web2]", T},
	    {"vm.name in [\"web2\", 'web3']", F},
	    {"vm.name not in [web1]", F},
	    {"vm.name not in [ web2 ]", T},
	    {"vm.name in databases", F},
	    {"'db2' in databases", T},
	    {"vm.name not in databases", T},
	    {"vm.name in nobody", F},
	    {"'fast' in pools", T},
	    {"'archive' in host.pools", F},
	    {"vm.vcpus in [2, 4, 8]", T},
	    {"vm.vcpus in [1]", F},
	    {"vm.memory in [1GiB, 2GiB]", T},
	    {"vm.state in [running, 'shut off']", T},
	    {"vm.name in ['a, b]', web1]", T},
	    {"vm.name like 'web*'", T},
	    {"vm.name like 'web?'", T},
	    {"vm.name like 'eb*'", F},
	    {"vm.name not like 'db*'", T},
	    {"vm.name matches '^web[0-9]+$'", T},
	    {"vm.name matches 'eb'", T},
	    {"vm.name matches '^(db|app)[0-9]'", F},
	    {"vm.name not matches '\\.'", T},
	    {"labels.rack like '*'", T},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(arithmetic_keeps_units)
{
	static const struct row rows[] = {
	    {"vms + 1 = 13", T},
	    {"vms - 2 - 3 = 7", T},
	    {"vms - (2 - 3) = 13", T},
	    {"2 + 3 * 4 = 14", T},
	    {"(2 + 3) * 4 = 20", T},
	    {"24 / 4 / 2 = 3", T},
	    {"24 / (4 / 2) = 12", T},
	    {"1 + 2 < 2 * 2 and not 1 > 2", T},
	    {"cpu - memory > 40%", T},
	    {"memory * 2 = 100%", T},
	    {"memory.free - vm.memory = 2GiB", T},
	    {"memory.free / vm.memory = 2", T},
	    {"2 * vm.memory = memory.free", T},
	    {"50% * memory.free = 2GiB", T},
	    {"memory.free / 50% = 8GiB", T},
	    {"swap_in * 3s = 30MiB", T},
	    {"500ms * swap_in = 5MiB", T},
	    {"vm.memory / vm.dirty_rate = 20480ms", T},
	    {"vm.memory / vm.dirty_rate > 20s", T},
	    {"20MiB / 2s = swap_in", T},
	    {"vm.age / 2 = 1h", T},
	    {"vm.age / 30m = 4", T},
	    /* a number times a percentage is a percentage */
	    {"vms * cpu > 99%", T},
	    {"vms * cpu / 100% > 10", T},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(unknown_is_never_true_and_never_zero)
{
	static const struct row rows[] = {
	    {"steal > 0", U},
	    {"steal = 0", U},
	    {"steal != 0", U},
	    {"steal <= 0", U},
	    {"0 >= steal", U},
	    {"not steal > 5%", U},
	    {"steal = steal", U},
	    {"steal + cpu > 1%", U},
	    {"cpu - steal > 1%", U},
	    {"steal * 0 = 0", U},
	    {"cpu / steal > 1", U},
	    {"vms / (vms - 12) > 1", U},
	    {"cordoned", U},
	    {"not cordoned", U},
	    {"cordoned and up", U},
	    {"cordoned and maintenance", F},
	    {"cordoned or up", T},
	    {"steal > 5% and maintenance", F},
	    {"steal > 5% or up", T},
	    {"steal > 5% or not up", U},
	    {"labels.room = 'a'", U},
	    {"labels.room != 'a'", U},
	    {"labels.room in [a]", U},
	    {"labels.room not in [a]", U},
	    {"labels.room like '*'", U},
	    {"labels.room not like '*'", U},
	    {"labels.room matches '.'", U},
	    {"'x' in alerts", U},
	    {"'x' not in alerts", U},
	    {"vm.last_moved > 1h", U},
	    /* answers that are none */
	    {"vm.disk.iops > 1", U},
	    {"vm.disk.iops != 1", U},
	    {"vm.net > 0", U},
	    {"psi.io >= 0", U},
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

/*
 * Each pair of types with each operator: what comes out, by its letter, or `.`
 * where it is an error.
 */
static const struct {
	char letter;
	const char *name;
} samples[] = {
    {'B', "up"},
    {'n', "vms"},
    {'p', "cpu"},
    {'b', "memory.free"},
    {'r', "swap_in"},
    {'d', "vm.age"},
    {'s', "name"},
    {'l', "pools"},
};

static bool
compiles(const char *text)
{
	struct arena *arena = arena_new(1 << 20);
	struct err err = {.code = ERR_NONE};
	unsigned column = 0;
	bool good =
	    expr_compile(arena, text, &fixture_context, &column, &err) != NULL;

	ck_assert_int_eq(good, err.code == ERR_NONE);
	ck_assert_int_eq(good, column == 0);
	arena_free(arena);
	return good;
}

static char
result_of(const char *left, const char *op, const char *right)
{
	char text[128], found = '.';

	snprintf(text, sizeof(text), "%s %s %s", left, op, right);
	if (compiles(text))
		return 'B';
	for (int i = 1; i < 6; i++) {
		snprintf(text, sizeof(text), "(%s %s %s) = %s", left, op, right,
		    samples[i].name);
		if (!compiles(text))
			continue;
		ck_assert_msg(found == '.', "%s has two types", text);
		found = samples[i].letter;
	}
	return found;
}

START_TEST(each_pair_of_types_with_each_operator)
{
	static const struct {
		const char *op;
		/* left: boolean, number, percentage, bytes, rate, duration,
		 * text, list; and in each the same to the right */
		const char *results[8];
	} rows[] = {
	    {"=",
		{"........", ".B......", "..B.....", "...B....", "....B...",
		    ".....B..", "......B.", "........"}},
	    {"!=",
		{"........", ".B......", "..B.....", "...B....", "....B...",
		    ".....B..", "......B.", "........"}},
	    {"<",
		{"........", ".B......", "..B.....", "...B....", "....B...",
		    ".....B..", "........", "........"}},
	    {">=",
		{"........", ".B......", "..B.....", "...B....", "....B...",
		    ".....B..", "........", "........"}},
	    {"+",
		{"........", ".n......", "..p.....", "...b....", "....r...",
		    ".....d..", "........", "........"}},
	    {"-",
		{"........", ".n......", "..p.....", "...b....", "....r...",
		    ".....d..", "........", "........"}},
	    {"*",
		{"........", ".npbrd..", ".ppbrd..", ".bb.....", ".rr..b..",
		    ".dd.b...", "........", "........"}},
	    {"/",
		{"........", ".nn.....", ".pn.....", ".bbndr..", ".rr.n...",
		    ".dd..n..", "........", "........"}},
	    {"in",
		{"........", "........", "........", "........", "........",
		    "........", ".......B", "........"}},
	    {"and",
		{"B.......", "........", "........", "........", "........",
		    "........", "........", "........"}},
	    {"or",
		{"B.......", "........", "........", "........", "........",
		    "........", "........", "........"}},
	};

	for (int i = 0; i < COUNT(rows); i++)
		for (int left = 0; left < 8; left++)
			for (int right = 0; right < 8; right++) {
				char found = result_of(samples[left].name,
				    rows[i].op, samples[right].name);

				ck_assert_msg(
				    found == rows[i].results[left][right],
				    "%s %s %s: %c", samples[left].name,
				    rows[i].op, samples[right].name, found);
			}
}
END_TEST

START_TEST(what_cannot_change_the_result_is_not_asked)
{
	struct arena *arena = arena_new(1 << 20);
	unsigned asked = 0;
	const struct expr *expr = expr_compile(arena,
	    "maintenance and (cpu > 1% or memory > 1%) and vms > 3",
	    &fixture_context, NULL, NULL);

	ck_assert_int_eq(expr_test(expr, fixture_lookup, &asked), F);
	ck_assert_uint_eq(asked, 1);
	expr =
	    expr_compile(arena, "cordoned and (cpu > 1% or memory > 1%) or up",
		&fixture_context, NULL, NULL);
	asked = 0;
	ck_assert_int_eq(expr_test(expr, fixture_lookup, &asked), T);
	ck_assert_uint_eq(asked, 3);
	arena_free(arena);
}
END_TEST

START_TEST(evaluation_takes_no_memory_of_the_arena)
{
	struct arena *arena = arena_new(1 << 20);
	const struct expr *expr = expr_compile(arena,
	    "vm.name matches '^w' and vm.name in databases or cpu * 2 > 100%",
	    &fixture_context, NULL, NULL);
	size_t used = arena_used(arena);

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(expr_test(expr, fixture_lookup, NULL), T);
	ck_assert_uint_eq(arena_used(arena), used);
	arena_free(arena);
}
END_TEST

static void
check_nested(const char *before, const char *middle, enum expr_truth truth)
{
	struct buf text = BUF_INIT(1 << 16);

	for (int i = 0; i < EXPR_DEPTH_MAX - 1; i++)
		buf_adds(&text, before);
	buf_adds(&text, middle);
	for (int i = 0; i < EXPR_DEPTH_MAX - 1; i++)
		buf_adds(&text, ")");
	ck_assert_int_eq(value_of(buf_str(&text)), truth);
	buf_free(&text);
}

START_TEST(the_deepest_nesting_fits_the_stack)
{
	struct buf text = BUF_INIT(1 << 16);

	check_nested("cordoned or cordoned and (",
	    "cordoned or cordoned and 1 = 1 + 1 * 2", U);
	check_nested("maintenance or up and (",
	    "maintenance or up and 3 = 1 + 1 * 2", T);
	/* Of sums of products: 1 + 2 (1 + 2 (... 1)) = 2^63 - 1 */
	buf_adds(&text, "maintenance or up and 9000000000000 * 1000000 < ");
	for (int i = 0; i < EXPR_DEPTH_MAX - 1; i++)
		buf_adds(&text, "1 + 2 * (");
	buf_adds(&text, "1 + 0 * 1");
	for (int i = 0; i < EXPR_DEPTH_MAX - 1; i++)
		buf_adds(&text, ")");
	ck_assert_int_eq(value_of(buf_str(&text)), T);
	buf_free(&text);
}
END_TEST

START_TEST(an_explanation_shows_what_was_seen)
{
	static const struct {
		const char *text, *explained;
	} rows[] = {
	    {"cpu > 80% and not  maintenance",
		"cpu > 80% and not maintenance (true: cpu = 91 %, for 6 m "
		"00 s; maintenance = false)"},
	    {" maintenance and\n cpu > 80% ",
		"maintenance and cpu > 80% (false: maintenance = false)"},
	    {"steal > 5%", "steal > 5% (unknown: steal = unknown)"},
	    {"vm.memory > host.memory.free or vm.memory > 3GiB",
		"vm.memory > host.memory.free or vm.memory > 3GiB (false: "
		"vm.memory = 2.0 GiB; memory.free = 4.0 GiB)"},
	    {"labels.rack = 'r1' and 'x' in pools",
		"labels.rack = 'r1' and 'x' in pools (false: labels.rack = "
		"\"r1\"; pools = [\"fast\", \"slow\"])"},
	    {"swap_in > vm.dirty_rate or vms > vm.disk.iops",
		"swap_in > vm.dirty_rate or vms > vm.disk.iops (unknown: "
		"swap_in = 10.0 MiB/s; vm.dirty_rate = 100.0 MiB/s; vms = 12; "
		"vm.disk.iops = unknown)"},
	    {"vm.age < 1h", "vm.age < 1h (false: vm.age = 2 h 00 m)"},
	    {"1 < 2", "1 < 2 (true)"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct buf out = BUF_INIT(4096);
		const struct expr *expr = expr_compile(
		    arena, rows[i].text, &fixture_context, NULL, NULL);

		ck_assert_ptr_nonnull(expr);
		ck_assert_int_eq(expr_explain(expr, fixture_lookup, NULL, &out),
		    expr_test(expr, fixture_lookup, NULL));
		ck_assert_str_eq(buf_str(&out), rows[i].explained);
		buf_free(&out);
		arena_free(arena);
	}
}
END_TEST

START_TEST(values_are_printed_for_people)
{
	static const char *const names[] = {
	    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
	static const double sizes[] = {1024, 2048};
	static const struct expr_list many = {
	    .type = EXPR_STRING, .count = 10, .strings = names};
	static const struct expr_list numbers = {
	    .type = EXPR_BYTES, .count = 2, .numbers = sizes};
	struct {
		struct expr_value value;
		const char *text;
	} rows[] = {
	    {expr_value_number(EXPR_PERCENT, 0.8768), "87.7 %"},
	    {expr_value_number(EXPR_PERCENT, 0), "0 %"},
	    {expr_value_number(EXPR_NUMBER, 0.25), "0.25"},
	    {expr_value_number(EXPR_NUMBER, -0.0001), "0"},
	    {expr_value_number(EXPR_NUMBER, 100), "100"},
	    {expr_value_number(EXPR_NUMBER, 1e300), "1e+300"},
	    {expr_value_number(EXPR_BYTES, 1e300), "8.0 EiB"},
	    {expr_value_number(EXPR_DURATION, 1500), "1.5 s"},
	    {expr_value_string("a\nb"), "\"a b\""},
	    {expr_value_list(&many),
		"[\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", "
		"and 2 more]"},
	    {expr_value_list(&numbers), "[1.0 KiB, 2.0 KiB]"},
	    {expr_value_unknown(), "unknown"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT(4096);

		expr_value_print(&rows[i].value, &out);
		ck_assert_str_eq(buf_str(&out), rows[i].text);
		buf_free(&out);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expr_typed");
	TCase *tcase = tcase_create("expr_typed");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, each_comparison_of_each_type);
	tcase_add_test(tcase, lists_and_patterns);
	tcase_add_test(tcase, arithmetic_keeps_units);
	tcase_add_test(tcase, unknown_is_never_true_and_never_zero);
	tcase_add_test(tcase, each_pair_of_types_with_each_operator);
	tcase_add_test(tcase, what_cannot_change_the_result_is_not_asked);
	tcase_add_test(tcase, evaluation_takes_no_memory_of_the_arena);
	tcase_add_test(tcase, the_deepest_nesting_fits_the_stack);
	tcase_add_test(tcase, an_explanation_shows_what_was_seen);
	tcase_add_test(tcase, values_are_printed_for_people);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
