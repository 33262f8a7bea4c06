/*
 * How long one evaluation takes, and one compilation:
 *
 *	bench_expr [EXPRESSION...]
 *
 * Names have the values of the unit tests.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/expr_fixture.h"

#define ROUNDS 2000000
#define COMPILE_ROUNDS 20000

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void
measure(const char *text)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	struct err err = {.code = ERR_NONE};
	unsigned column = 0, truths[3] = {0};
	const struct expr *expr =
	    expr_compile(arena, text, &fixture_context, &column, &err);
	double start, eval, compile;
	size_t size = arena_used(arena);

	if (expr == NULL) {
		fprintf(stderr, "%s: %u: %s\n", text, column, err.msg);
		exit(2);
	}
	start = now_ns();
	for (int i = 0; i < ROUNDS; i++)
		truths[expr_test(expr, fixture_lookup, NULL)]++;
	eval = (now_ns() - start) / ROUNDS;
	arena_free(arena);
	start = now_ns();
	for (int i = 0; i < COMPILE_ROUNDS; i++) {
		arena = arena_new((size_t)1 << 20);
		(void)expr_compile(arena, text, &fixture_context, NULL, NULL);
		arena_free(arena);
	}
	compile = (now_ns() - start) / COMPILE_ROUNDS;
	printf("%7.1f ns  %7.2f us to compile  %5zu bytes  %-7s  %s\n", eval,
	    compile / 1000, size,
	    expr_truth_name(truths[EXPR_TRUE] ? EXPR_TRUE
		    : truths[EXPR_FALSE]      ? EXPR_FALSE
					      : EXPR_UNKNOWN),
	    text);
}

int
main(int argc, char **argv)
{
	static const char *const typical[] = {
	    "up",
	    "cpu > 80%",
	    "cpu > 80% and not maintenance",
	    "(cpu > 80% or memory > 90%) and up and not maintenance and not "
	    "cordoned",
	    "vm.memory <= 8GiB and vm.state = 'running' and vm.name not in "
	    "databases",
	    "memory.free - vm.memory > 2GiB and vm.memory / vm.dirty_rate > "
	    "10s",
	    "vm.name like 'web*'",
	    "vm.name matches '^(web|app)[0-9]+$'",
	};

	for (int i = 1; i < argc; i++)
		measure(argv[i]);
	for (size_t i = 0; argc < 2 && i < sizeof(typical) / sizeof(typical[0]);
	     i++)
		measure(typical[i]);
	return 0;
}
