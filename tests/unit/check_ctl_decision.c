/*
 * What droverctl shows of policies, their decisions and labels, and what its
 * commands take.
 */

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/ctl.h"
#include "ctl/render.h"
#include "ctl_helper.h"

static void
show(void (*render)(const json_t *, const struct style *, bool, struct buf *),
    bool wide, const char *text)
{
	json_t *json = parse(text);

	buf_clear(&out);
	render(json, &pipe_style, wide, &out);
	json_decref(json);
}

static void
say(void (*render)(const json_t *, struct buf *), const char *text)
{
	json_t *json = parse(text);

	buf_clear(&out);
	render(json, &out);
	json_decref(json);
}

/* ---- decisions ---- */

START_TEST(the_list_shows_what_waits_for_approval)
{
	show(render_decisions, false,
	    "{'decisions': [{'id': 8, 'policy': 'careful', 'host': 'kvm1', "
	    "'mode': 'approve', 'state': 'waiting', 'summary': '2 start', "
	    "'at': '2026-11-21T03:00:00.000Z'}, {'id': 7, 'policy': "
	    "'balance', 'mode': 'auto', 'state': 'ended', 'summary': "
	    "'1 moving', 'at': '2026-11-21T02:00:00.000Z'}]}");
	expect_part("ID  POLICY   HOST       MODE     STATE               "
		    "GUESTS    SINCE\n");
	expect_part(
	    " 8  careful  kvm1       approve  waits for approval  2 start   ");
	expect_part(
	    " 7  balance  all hosts  auto     ended               1 moving  ");
}
END_TEST

#define DECISION                                                               \
	"'id': 8, 'policy': 'careful', 'host': 'kvm1', 'mode': 'approve', "    \
	"'state': 'waiting', 'summary': '1 starts, 1 blocked', 'at': "         \
	"'2026-11-21T03:00:00.000Z', 'file': '20-careful.yaml', 'line': 3, "   \
	"'actions': ['move'], 'why': 'cpu > 80% is true of kvm1', 'gate': "    \
	"'it waits for approval', 'seen': [{'condition': 'host', 'phase': "    \
	"'on', 'text': 'cpu > 80% (true: cpu = 91 %)'}], 'items': [{'vm': "    \
	"'web1', 'fate': 'start', 'to': 'kvm2', 'strategy': 'live-shared', "   \
	"'why': 'the least loaded', 'rejected': [{'host': 'kvm3', 'rule': "    \
	"'memory', 'why': 'too little'}], 'rejected_left_out': 2}, {'vm': "    \
	"'gpu1', 'fate': 'blocked', 'why': 'no host can take it'}], "          \
	"'items_left_out': 1"

START_TEST(a_decision_shows_what_was_seen_chosen_and_rejected)
{
	show(render_decision, false, "{" DECISION "}");
	expect_part("decision   8\n"
		    "policy     careful (20-careful.yaml:3), mode approve\n"
		    "host       kvm1\n"
		    "state      waits for approval: droverctl policy approve "
		    "8\n");
	expect_part("why        cpu > 80% is true of kvm1\n"
		    "held back  it waits for approval\n"
		    "seen       host on: cpu > 80% (true: cpu = 91 %)\n"
		    "guests     1 starts, 1 blocked\n"
		    "\n"
		    "web1: start, to kvm2 by live-shared: the least loaded\n"
		    "    kvm3: memory: too little\n"
		    "    and 2 hosts more, not recorded\n"
		    "\n"
		    "gpu1: blocked: no host can take it\n"
		    "\n"
		    "and 1 guest more, not recorded\n");
}
END_TEST

START_TEST(an_approval_says_what_may_be_done)
{
	say(render_approval,
	    "{'id': 8, 'policy': 'careful', 'host': 'kvm1', 'approved_by': "
	    "'uid 0 (pid 7)', 'summary': '2 start'}");
	expect_text("decision 8 (careful, kvm1): approved by uid 0 (pid 7); "
		    "2 start\n");
}
END_TEST

/* ---- policies ---- */

#define POLICY                                                                 \
	"'policy': 'careful', 'mode': 'observe', 'file_mode': 'auto', "        \
	"'mode_by': 'uid 0 (pid 7)', 'mode_since': "                           \
	"'2026-11-21T03:00:00.000Z', 'priority': 5, 'file': "                  \
	"'20-careful.yaml', 'line': 3, 'decisions': 1"

START_TEST(the_list_of_policies_shows_both_modes)
{
	show(render_policies, false,
	    "{'policies': [{" POLICY ", 'holds_for': ['kvm1', 'kvm2']}, "
	    "{'policy': 'drain', 'mode': 'auto', 'file_mode': 'auto', "
	    "'priority': 0, 'file': 'a.yaml', 'line': 2, 'decisions': 0, "
	    "'holds_for': []}]}");
	expect_text("POLICY   MODE                  PRIORITY  HOLDS FOR   "
		    "DECISIONS  FILE\n"
		    "careful  observe (file: auto)         5  kvm1, kvm2  "
		    "        1  20-careful.yaml:3\n"
		    "drain    auto                         0  none        "
		    "        0  a.yaml:2\n");
}
END_TEST

START_TEST(a_policy_shows_where_it_holds_and_what_it_decided_last)
{
	show(render_policy, false,
	    "{" POLICY ", 'match': 'any', 'conditions': [{'subject': 'host', "
	    "'when': 'cpu > 80%', 'until': 'cpu < 60%', 'for_ms': 300000}, "
	    "{'subject': 'cluster', 'when': 'hosts_up < 3'}], 'hosts': "
	    "[{'host': 'kvm1', 'holds': 'true'}, {'host': 'kvm2', 'holds': "
	    "'false'}, {'host': 'kvm3', 'holds': 'true'}, {'host': 'kvm4', "
	    "'holds': 'unknown'}], 'decision': {" DECISION "}}");
	expect_part("policy     careful\n"
		    "file       20-careful.yaml:3\n"
		    "mode       observe (file: auto)\n"
		    "set by     uid 0 (pid 7), ");
	expect_part(
	    "when any   host: cpu > 80%, for 5 m 00 s, until cpu < 60%\n"
	    "           cluster: hosts_up < 3\n"
	    "holds      true: kvm1, kvm3\n"
	    "           unknown: kvm4\n"
	    "           false: kvm2\n"
	    "\n"
	    "decision   8\n");
	show(render_policy, false,
	    "{'policy': 'fence', 'mode': 'auto', 'conditions': []}");
	expect_part("when       always\n");
	expect_part("It has decided nothing yet.\n");
}
END_TEST

START_TEST(a_change_of_mode_says_what_holds_now)
{
	say(render_mode_change, "{" POLICY "}");
	expect_text("careful: mode observe (file: auto)\n");
	say(render_mode_change,
	    "{'policy': 'careful', 'mode': 'auto', 'file_mode': 'auto'}");
	expect_text("careful: mode auto\n");
	say(render_mode_change, "{'policy': 'gone'}");
	expect_text("gone: not in the configuration; nothing is set any "
		    "more\n");
}
END_TEST

/* ---- labels ---- */

START_TEST(labels_are_a_wide_column_and_a_line)
{
	static const char vm[] = "'name': 'web1', 'labels': {'app': 'web', "
				 "'tier': 'front'}, 'last_moved': "
				 "'2026-11-21T03:00:00.000Z'";
	char text[512];

	snprintf(text, sizeof(text), "{'vms': [{%s}, {'name': 'b'}]}", vm);
	show(render_vms, true, text);
	expect_part("LABELS");
	expect_part("  app=web tier=front  ");
	show(render_vms, false, text);
	ck_assert_ptr_null(strstr(buf_str(&out), "app=web"));
	snprintf(text, sizeof(text), "{%s}", vm);
	show(render_vm, false, text);
	expect_part("labels     app=web tier=front\n");
	expect_part("last moved 2026-11-21 ");
	say(render_labels, text);
	expect_text("web1: app=web tier=front\n");
	say(render_labels, "{'name': 'web1', 'labels': {}}");
	expect_text("web1: no labels\n");
}
END_TEST

/* ---- the command line ---- */

static int
run(int argc, const char *const *argv)
{
	struct ctl ctl = {.http = NULL};
	struct err err = {0};

	ck_assert_msg(args_parse(argc, (char *const *)(uintptr_t)argv,
			  &ctl.args, &err) == 0,
	    "%s", err.msg);
	return ctl.args.command->run(&ctl);
}

START_TEST(a_word_that_is_no_label_is_refused_before_the_daemon_is_asked)
{
	static const char *const wrong[][5] = {
	    {"droverctl", "vm", "label", "web1", "app"},
	    {"droverctl", "vm", "label", "web1", "=web"},
	    {"droverctl", "vm", "label", "web1", ""}};

	ck_assert_int_eq(run(5, wrong[_i]), CTL_USAGE);
}
END_TEST

START_TEST(decisions_are_listed_by_policy_and_host)
{
	static const char *const argv[] = {"droverctl", "decision", "list",
	    "--policy", "drain", "--host=kvm1", "--open", "-n", "3"};
	static const char *const wrong[] = {
	    "droverctl", "move", "list", "--policy", "drain"};
	struct args args = {0};
	struct err err = {0};

	ck_assert_int_eq(
	    args_parse(9, (char *const *)(uintptr_t)argv, &args, &err), 0);
	ck_assert_str_eq(args.policy, "drain");
	ck_assert_str_eq(args.host, "kvm1");
	ck_assert_int_eq(args.max, 3);
	ck_assert_int_eq(
	    args_parse(5, (char *const *)(uintptr_t)wrong, &args, &err), -1);
	ck_assert_str_eq(err.msg, "move list has no option --policy");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl decision");
	TCase *tc = tcase_create("decision");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_list_shows_what_waits_for_approval);
	tcase_add_test(tc, a_decision_shows_what_was_seen_chosen_and_rejected);
	tcase_add_test(tc, an_approval_says_what_may_be_done);
	tcase_add_test(tc, the_list_of_policies_shows_both_modes);
	tcase_add_test(
	    tc, a_policy_shows_where_it_holds_and_what_it_decided_last);
	tcase_add_test(tc, a_change_of_mode_says_what_holds_now);
	tcase_add_test(tc, labels_are_a_wide_column_and_a_line);
	tcase_add_loop_test(tc,
	    a_word_that_is_no_label_is_refused_before_the_daemon_is_asked, 0,
	    3);
	tcase_add_test(tc, decisions_are_listed_by_policy_and_host);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
