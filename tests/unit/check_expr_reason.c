/*
 * Reasoning about expressions without values: what can never be true, what is
 * true whenever something else is, and where two can both be.
 */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "decide/expr_reason.h"
#include "expr_fixture.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(1 << 24);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct expr *
compile(const char *text)
{
	struct err err = {.code = ERR_NONE};
	unsigned column;
	const struct expr *expr =
	    expr_compile(arena, text, &fixture_context, &column, &err);

	ck_assert_msg(expr != NULL, "%s: %s", text, err.msg);
	return expr;
}

START_TEST(what_can_never_be_true_is_found_with_its_reason)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: it is possible */
	} rows[] = {
	    {"cpu > 90% and cpu < 10%",
		"cpu cannot be above 90 % and below 10 %"},
	    {"cpu > 10% and cpu < 90%", NULL},
	    {"cpu >= 80% and cpu <= 80%", NULL},
	    {"cpu > 80% and cpu <= 80%",
		"cpu cannot be above 80 % and at most 80 %"},
	    {"80% < cpu and not (cpu > 50%)",
		"cpu cannot be above 80 % and at most 50 %"},
	    {"cpu > 50% + 40% and cpu < 30% * 2",
		"cpu cannot be above 90 % and below 60 %"},
	    {"cpu > 100%", "cpu cannot be above 100 %"},
	    {"target.cpu_after > 100%", NULL},
	    {"cpu < 0%", "cpu cannot be below 0 %"},
	    {"memory.free < 0", "memory.free cannot be below 0 B"},
	    {"host.cpu > 90% and cpu < 10%",
		"cpu cannot be above 90 % and below 10 %"},
	    {"vm.cpu > 90% and cpu < 10%", NULL},
	    {"vms > 3 and vms < 4", "vms cannot be above 3 and below 4"},
	    {"vms > 3 and vms < 5", NULL},
	    {"cpu > 80% and (cpu < 70% or memory > 90%)", NULL},
	    {"cpu > 80% and (cpu < 70% or cpu < 60%)",
		"cpu cannot be above 80 % and below 70 %"},
	    {"(cpu > 80% or memory > 80%) and not (cpu > 80%) and memory < 5%",
		"cpu cannot be above 80 % and at most 80 %"},
	    {"maintenance and not maintenance",
		"maintenance cannot be true and false"},
	    {"not (up or maintenance) and host.up",
		"up cannot be true and false"},
	    {"up and maintenance", NULL},
	    {"name = \"a\" and name = \"b\"", "no value of name fits"},
	    {"name = \"a\" and name != \"b\"", NULL},
	    {"name in databases and name like \"web*\"",
		"no value of name fits"},
	    {"name in databases and name like \"db*\"", NULL},
	    {"name in databases and name not in databases",
		"no value of name fits"},
	    {"name in nobody", "no value of name fits"},
	    {"vm.storage != \"shared\" and vm.storage != \"local\" and "
	     "vm.storage != \"mixed\" and vm.storage != \"diskless\"",
		"no value of vm.storage fits"},
	    {"labels.rack = \"r1\" and labels.rack = \"r2\"",
		"no value of labels.rack fits"},
	    {"labels.rack = \"r1\" and labels.row = \"r2\"", NULL},
	    {"cpu = 50% and cpu != 50%", "no value of cpu fits"},
	    {"cpu in [10%, 20%] and cpu > 30%", "no value of cpu fits"},
	    {"cpu in [10%, 40%] and cpu > 30%", NULL},
	    {"cpu > memory and not (cpu > memory)",
		"a comparison cannot be true and false"},
	    {"cpu > memory and cpu < memory", NULL},
	    {"\"x\" in alerts and not (\"x\" in alerts)",
		"a comparison cannot be true and false"},
	    {"\"x\" in alerts and not (\"y\" in alerts)", NULL},
	    {"3 < 2", "two constants are compared"},
	    {"2 < 3", NULL},
	    {"event.type like \"a*\" and event.type = \"b\"",
		"no value of event.type fits"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct expr_claim claim = {compile(rows[i].text), false};
		struct buf why = BUF_INIT(1024);
		bool impossible = expr_reason_impossible(&claim, 1, &why);

		ck_assert_msg(impossible == (rows[i].why != NULL) &&
			(!impossible ||
			    strcmp(buf_str(&why), rows[i].why) == 0),
		    "%s: %s, \"%s\"", rows[i].text,
		    impossible ? "impossible" : "possible", buf_str(&why));
		buf_free(&why);
	}
}
END_TEST

START_TEST(one_covers_another_when_it_is_true_wherever_that_is)
{
	static const struct {
		const char *wide, *narrow;
		bool covers;
	} rows[] = {
	    {"cpu > 80%", "cpu > 90%", true},
	    {"cpu > 90%", "cpu > 80%", false},
	    {"cpu > 80%", "cpu > 80%", true},
	    {"cpu > 80%", "cpu > 90% and up", true},
	    {"cpu > 80% or memory > 5%", "cpu > 90%",
		false}, /* memory unknown */
	    {"cpu > 80%", "memory > 90%", false},
	    {"not maintenance", "not (maintenance or cordoned)", true},
	    {"name in databases", "name = \"db1\"", true},
	    {"name like \"db*\"", "name in databases", true},
	    {"name like \"db*\"", "name like \"db*\"", true},
	    {"cpu > memory", "cpu > memory and up", true},
	    {"cpu >= 0%", "cpu > 90%", true},
	};

	for (int i = 0; i < COUNT(rows); i++)
		ck_assert_msg(expr_reason_covers(compile(rows[i].wide),
				  compile(rows[i].narrow)) == rows[i].covers,
		    "%s, %s", rows[i].wide, rows[i].narrow);
}
END_TEST

START_TEST(an_overlap_is_shown_by_an_example)
{
	static const struct {
		const char *first, *second, *example;
	} rows[] = {
	    {"cpu > 80%", "cpu < 90%", "cpu above 80 % and below 90 %"},
	    {"cpu > 80%", "cpu < 60%", NULL},
	    {"cpu > 80%", "cpu <= 80%", NULL},
	    {"cpu >= 80%", "cpu <= 80%", "cpu from 80 % and up to 80 %"},
	    {"cpu > 80% or memory > 90%", "cpu < 60%",
		"memory above 90 %, cpu below 60 %"},
	    {"cpu > 80% or memory > 90%", "cpu < 60% and memory < 80%", NULL},
	    {"cpu > 80%", "memory < 60%", NULL}, /* something else */
	    {"maintenance", "not maintenance", NULL},
	    {"cpu > memory", "cpu > memory", NULL}, /* not understood */
	    {"up and cpu > 5%", "up", "up, cpu above 5 %"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct buf example = BUF_INIT(1024);
		bool overlap = expr_reason_overlaps(
		    compile(rows[i].first), compile(rows[i].second), &example);

		ck_assert_msg(overlap == (rows[i].example != NULL) &&
			(!overlap ||
			    strcmp(buf_str(&example), rows[i].example) == 0),
		    "%s, %s: \"%s\"", rows[i].first, rows[i].second,
		    buf_str(&example));
		buf_free(&example);
	}
}
END_TEST

START_TEST(bounds_hold_in_every_alternative)
{
	static const struct {
		const char *text;
		double max; /* of vm.age, minutes; 0: none */
	} rows[] = {
	    {"vm.age < 5m", 5},
	    {"vm.age <= 5m or (vm.age < 7m and up)", 7},
	    {"vm.age < 5m or up", 0},
	    {"vm.age > 5m", 0},
	    {"not (vm.age >= 3m)", 3},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		double max = 0;
		bool found = expr_reason_bound(
		    compile(rows[i].text), EXPR_SCOPE_VM, EXPR_VM_AGE, &max);

		ck_assert_msg(found == (rows[i].max > 0), "%s", rows[i].text);
		if (found)
			ck_assert_double_eq(max, 60000 * rows[i].max);
	}
}
END_TEST

START_TEST(names_come_in_the_order_of_the_text)
{
	const struct expr *expr =
	    compile("cpu > 5% and vm.labels.app-tier = \"a\"");
	enum expr_scope scope;
	const char *label;
	unsigned index;

	ck_assert(expr_reason_name(expr, 0, &scope, &index, &label));
	ck_assert(scope == EXPR_SCOPE_HOST && index == EXPR_HOST_CPU);
	ck_assert(expr_reason_name(expr, 1, &scope, &index, &label));
	ck_assert(scope == EXPR_SCOPE_VM && index == EXPR_VM_LABELS);
	ck_assert_str_eq(label, "app-tier");
	ck_assert(!expr_reason_name(expr, 2, &scope, &index, &label));
}
END_TEST

/* 2^n alternatives, of which none is possible: nothing is claimed of it. */
START_TEST(what_has_too_many_alternatives_is_taken_as_possible)
{
	struct buf text = BUF_INIT(8192);
	struct expr_claim claim;

	buf_adds(&text, "up");
	for (int i = 0; i < 30; i++)
		buf_addf(&text,
		    " and (labels.a%d = \"x\" or labels.b%d = \"x\")", i, i);
	buf_adds(&text, " and not up");
	claim = (struct expr_claim){compile(buf_str(&text)), false};
	ck_assert(!expr_reason_impossible(&claim, 1, NULL));
	buf_free(&text);
}
END_TEST

/* The judgement is that of evaluation: no value makes an impossible one true. */
START_TEST(what_holds_of_the_fixture_is_never_called_impossible)
{
	static const char *const parts[] = {"cpu > 90%", "cpu < 95%",
	    "name = \"kvm1\"", "name in databases", "up", "maintenance",
	    "vms >= 12", "vms < 12", "vm.state = \"running\"",
	    "labels.rack like \"r*\"", "\"fast\" in pools",
	    "memory.free > 2GiB"};
	enum { PARTS = COUNT(parts) };

	for (int i = 0; i < PARTS * PARTS * PARTS * 4; i++) {
		int a = i % PARTS, b = i / PARTS % PARTS;
		int c = i / PARTS / PARTS % PARTS,
		    how = i / PARTS / PARTS / PARTS;
		char text[256];
		struct expr_claim claim;

		snprintf(text, sizeof(text), "%s(%s) %s %s(%s and %s)",
		    how & 1 ? "not " : "", parts[a], how & 2 ? "or" : "and",
		    how & 1 ? "" : "not ", parts[b], parts[c]);
		claim.expr = compile(text);
		claim.negated = false;
		if (expr_test(claim.expr, fixture_lookup, NULL) == EXPR_TRUE)
			ck_assert_msg(!expr_reason_impossible(&claim, 1, NULL),
			    "%s", text);
		claim.negated = true;
		if (expr_test(claim.expr, fixture_lookup, NULL) == EXPR_FALSE)
			ck_assert_msg(!expr_reason_impossible(&claim, 1, NULL),
			    "not %s", text);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    what_can_never_be_true_is_found_with_its_reason,
	    one_covers_another_when_it_is_true_wherever_that_is,
	    an_overlap_is_shown_by_an_example,
	    bounds_hold_in_every_alternative,
	    names_come_in_the_order_of_the_text,
	    what_has_too_many_alternatives_is_taken_as_possible,
	    what_holds_of_the_fixture_is_never_called_impossible,
	};
	Suite *suite = suite_create("expr_reason");
	TCase *tcase = tcase_create("expr_reason");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	for (int i = 0; i < COUNT(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
