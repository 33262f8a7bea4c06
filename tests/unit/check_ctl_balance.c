/*
 * droverctl plan balance: asked of a daemon with made-up hosts, and of none; and
 * which options belong to which plan.
 */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "ctl_run.h"

static pid_t daemon_pid;

/* The made-up daemon, with its host kvm1 of that many guests; kvm3 is cordoned
 * and kvm4 down. */
static void
begin_daemon(const char *guests)
{
	const char *build = getenv("top_builddir");
	char program[512];

	snprintf(program, sizeof(program), "%s/fake_daemon",
	    build != NULL ? build : ".");
	ck_assert_msg(access(program, X_OK) == 0, "no %s", program);
	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid == 0) {
		/* Not longer than this test, however that ends. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, daemon_socket, guests, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		struct http *http = http_new(daemon_socket, NULL);
		struct http_reply reply;
		bool there;

		http_ask(http, "GET", "/healthz", NULL, &reply);
		there = reply.outcome == HTTP_DONE;
		http_reply_free(&reply);
		http_free(http);
		if (there)
			return;
		usleep(10000);
	}
	ck_abort_msg("the daemon does not answer");
}

static void
end_daemon(void)
{
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
}

START_TEST(a_balance_of_the_daemons_hosts_is_planned_here)
{
	json_t *json, *moves, *move, *filed;
	size_t i;

	begin_daemon("20");
	json = run_json("plan balance -o json", CTL_DONE);
	moves = json_object_get(json, "moves");
	ck_assert_uint_gt(json_array_size(moves), 2);
	json_array_foreach(moves, i, move)
	{
		ck_assert_str_eq(field_text_or(move, "from", ""), "kvm1");
		ck_assert_str_eq(field_text_or(move, "to", ""), "kvm2");
		ck_assert_str_ne(field_text_or(move, "vm", ""), "gpu1");
	}
	ck_assert_uint_eq(json_object_size(json), 6);
	ck_assert_double_lt(
	    json_number_value(json_object_get(json, "score_after")),
	    json_number_value(json_object_get(json, "score_before")));
	/* The same plan as for the file. */
	ck_assert_int_eq(run("snapshot save FILE"), CTL_DONE);
	filed = run_json("simulate FILE -o json", CTL_DONE);
	json_object_del(filed, "elapsed_ms");
	json_object_del(json, "elapsed_ms");
	ck_assert(json_equal(json, filed));
	json_decref(filed);
	json_decref(json);
	json = run_json("plan balance --max 2 --score -o json", CTL_DONE);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "moves")), 2);
	ck_assert(json_is_array(json_object_get(json, "parts_after")));
	json_decref(json);
	/* Nothing has moved. */
	ck_assert_int_eq(run("move list -o name"), CTL_DONE);
	expect_text("");
	end_daemon();
}
END_TEST

START_TEST(a_balance_says_when_there_is_nothing_to_gain)
{
	begin_daemon("20");
	ck_assert_int_eq(run("plan balance --min-gain 9"), CTL_DONE);
	expect_no_part("GUEST");
	expect_part("; nothing to gain: no possible move is worth 9; planned");
	ck_assert_int_eq(run("plan balance --min-gain 9 -o name"), CTL_DONE);
	expect_text("");
	end_daemon();
}
END_TEST

START_TEST(a_balance_of_the_daemons_hosts_needs_the_daemon)
{
	ck_assert_int_eq(run("plan balance -o json"), CTL_NO_DAEMON);
	expect_text("");
	get(complaints);
	expect_part("There is no socket");
}
END_TEST

START_TEST(options_of_one_plan_are_not_for_the_other)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
	    {"simulate f --balance --drain a",
		"--drain and --balance exclude each other"},
	    {"simulate f --max 3 --drain a",
		"--max and --min-gain are for --balance, not for --drain"},
	    {"simulate f --min-gain 0.1 --drain a",
		"--max and --min-gain are for --balance, not for --drain"},
	    {"plan balance --drain a", "plan balance has no option --drain"},
	    {"plan balance kvm1", "plan balance: \"kvm1\" is too much"},
	    {"plan drain a --max 3", "plan drain has no option --max"},
	    {"plan balance --min-gain -1",
		"--min-gain -1: a number from 0 on is wanted"},
	    {"plan balance --min-gain nan",
		"--min-gain nan: a number from 0 on is wanted"},
	    {"plan balance --min-gain 0x1",
		"--min-gain 0x1: a number from 0 on is wanted"},
	    {"plan balance --min-gain 1e999",
		"--min-gain 1e999: a number from 0 on is wanted"},
	    {"plan balance --max 0",
		"--max 0: a whole number from 1 on is "
		"wanted"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char copy[128], *argv[8] = {(char *)(uintptr_t) "droverctl"};
		struct args args;
		struct err err = {0};
		char *rest;
		int argc = 1;

		snprintf(copy, sizeof(copy), "%s", cases[i].line);
		for (char *word = strtok_r(copy, " ", &rest); word != NULL;
		     word = strtok_r(NULL, " ", &rest))
			argv[argc++] = word;
		ck_assert_int_eq(args_parse(argc, argv, &args, &err), -1);
		ck_assert_str_eq(err.msg, cases[i].message);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_balance");
	TCase *asking = add_case(suite, "asking");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(asking, make_folder, remove_folder);
	tcase_add_test(asking, a_balance_of_the_daemons_hosts_is_planned_here);
	tcase_add_test(asking, a_balance_says_when_there_is_nothing_to_gain);
	tcase_add_test(asking, a_balance_of_the_daemons_hosts_needs_the_daemon);
	tcase_add_test(asking, options_of_one_plan_are_not_for_the_other);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
