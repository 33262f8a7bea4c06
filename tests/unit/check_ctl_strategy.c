/*
 * What droverctl shows of the three strategies: the choice and its reasons, what
 * was foretold beside what came out, the steps of a restart as they come, and
 * the images that stay behind.
 */

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl_helper.h"

static void
show(void (*render)(const json_t *, const struct style *, bool, struct buf *),
    const char *text)
{
	json_t *json = parse(text);

	buf_clear(&out);
	render(json, &pipe_style, false, &out);
	json_decref(json);
}

/* ---- the choice ---- */

#define REJECTED                                                               \
	"[{'host': 'kvm2', 'rule': 'strategy', 'why': 'no strategy fits', "    \
	"'strategies': [{'strategy': 'live-shared', 'rule': "                  \
	"'storage-shared', 'why': 'vda: is local'}, {'strategy': "             \
	"'restart', 'rule': 'not-allowed', 'why': 'the policy leaves it "      \
	"out'}]}, {'host': 'kvm3', 'rule': 'memory', 'why': 'too little'}]"

START_TEST(a_guest_is_explained_down_to_the_strategies_of_each_host)
{
	show(render_explain,
	    "{'kind': 'vm', 'vm': 'db1', 'uuid': 'u-1', 'from': 'kvm1', "
	    "'state': 'running', 'policy': 'maintenance', 'to': 'kvm4', "
	    "'strategy': 'live-copy', 'handover': 'strict', 'storage': "
	    "'local', 'disk_bytes': 1610612736, 'predicted_ms': 12000, "
	    "'predicted_downtime_ms': 800, 'why': 'most free memory', "
	    "'home': {'host': 'kvm9', 'why': 'kvm9 is cordoned'}, "
	    "'strategies': [{'strategy': 'live-shared', 'rule': "
	    "'storage-shared', 'why': 'vda: is local'}], 'rejected': " REJECTED
	    "}");
	expect_part("guest      db1 (u-1)\n");
	expect_part("host       kvm1, running\n");
	expect_part("goes to    kvm4: live-copy, handover strict\n");
	expect_part("copied     1.5 GiB\n");
	expect_part("home       wants to go home to kvm9: kvm9 is cordoned\n");
	expect_part("predicted  12.0 s, downtime 800 ms\n");
	expect_part("not in these ways:\n"
		    "    live-shared: storage-shared: vda: is local\n");
	expect_part("not to these hosts:\n"
		    "    kvm2: strategy: no strategy fits\n"
		    "        live-shared: storage-shared: vda: is local\n"
		    "        restart: not-allowed: the policy leaves it out\n"
		    "    kvm3: memory: too little\n");
}
END_TEST

START_TEST(each_strategy_is_told_for_each_host)
{
	show(render_explain,
	    "{'kind': 'vm', 'vm': 'db1', 'from': 'kvm1', 'to': 'kvm2', "
	    "'strategy': 'live-copy', 'strategies': [{'strategy': "
	    "'live-shared', 'rule': 'storage-shared', 'why': 'vda is local'}], "
	    "'hosts': [{'host': 'kvm2', 'ok': true, 'chosen': true, "
	    "'strategies': [{'strategy': 'live-shared', 'ok': false, 'rule': "
	    "'storage-shared', 'why': 'vda is local'}, {'strategy': "
	    "'live-copy', 'ok': true, 'predicted_ms': 12000, "
	    "'predicted_downtime_ms': 800}, {'strategy': 'restart', 'ok': "
	    "true}]}, {'host': 'kvm3', 'ok': false, 'rule': 'memory', 'why': "
	    "'too little', 'strategies': []}, {'host': 'kvm4', 'ok': true}]}");
	expect_part("\n    kvm2: chosen\n"
		    "        live-shared: storage-shared: vda is local\n"
		    "        live-copy: possible, 12.0 s, downtime 800 ms\n"
		    "        restart: possible\n"
		    "    kvm3: memory: too little\n"
		    "    kvm4: possible\n");
	expect_no_part("not in these ways");
}
END_TEST

START_TEST(a_move_without_end_is_told_with_the_pause_that_would_end_it)
{
	show(render_explain,
	    "{'kind': 'vm', 'vm': 'db1', 'to': 'kvm2', 'strategy': "
	    "'live-copy', 'forced_downtime_ms': 9000}");
	expect_part("predicted  no end; it writes faster than it can be sent: "
		    "paused, the rest would take 9.0 s\n");
	show(render_explain,
	    "{'kind': 'vm', 'vm': 'db1', 'to': 'kvm2', 'strategy': "
	    "'live-copy', 'predicted_ms': 30000, 'predicted_downtime_ms': "
	    "1500, 'forced_downtime_ms': 9000, 'converge': ['downtime', "
	    "'throttle']}");
	expect_part("predicted  30.0 s, downtime 1.5 s; it writes faster than "
		    "it can be sent: paused, the rest would take 9.0 s; ends "
		    "with the help of downtime, throttle\n");
}
END_TEST

START_TEST(a_guest_without_a_target_has_no_prediction)
{
	show(render_explain,
	    "{'kind': 'vm', 'vm': 'db1', 'uuid': 'u-1', 'from': 'kvm1', "
	    "'fate': 'blocked', 'why': 'no host can take it', 'rejected': "
	    "" REJECTED "}");
	expect_part("goes to    blocked\nwhy        no host can take it\n");
	expect_no_part("predicted");
	/* What is not known is not made up either. */
	show(render_explain,
	    "{'kind': 'vm', 'vm': 'a', 'to': 'kvm2', 'strategy': 'restart'}");
	expect_part("predicted  unknown: figures are missing\n");
}
END_TEST

START_TEST(a_host_is_explained_by_its_policies_and_its_guests)
{
	show(render_explain,
	    "{'kind': 'host', 'host': 'kvm1', 'state': 'up', 'policies': "
	    "[{'policy': 'maintenance', 'file': '10.yaml', 'line': 5, 'mode': "
	    "'auto', 'when': 'maintenance', 'holds': 'false'}], 'movable': 1, "
	    "'blocked': 1, 'waves': 1, 'steps': [{'vm': 'web1', 'to': 'kvm4', "
	    "'strategy': 'live-shared', 'wave': 1, 'rejected': " REJECTED
	    "}, {'vm': 'gpu1', 'fate': 'blocked', 'why': 'pinned'}]}");
	expect_part("policies   maintenance (auto, 10.yaml:5): maintenance: "
		    "false\n");
	expect_part("kvm1: 1 guest would move in 1 wave, 1 blocked\n");
	expect_part("gpu1: blocked: pinned\n");
	expect_part("web1: to kvm4 by live-shared, and not\n"
		    "    kvm2: strategy: no strategy fits\n");
}
END_TEST

START_TEST(a_plan_foretells_time_and_downtime)
{
	show(render_plan,
	    "{'host': 'kvm1', 'movable': 2, 'waves': 1, 'steps': [{'vm': "
	    "'web1', 'to': 'kvm2', 'strategy': 'live-shared', 'storage': "
	    "'shared', 'wave': 1, 'predicted_ms': 2500, "
	    "'predicted_downtime_ms': 60}, {'vm': 'db1', 'to': 'kvm2', "
	    "'strategy': 'restart', 'wave': 1}]}");
	expect_part("WAVE  GUEST  TO    STRATEGY     STORAGE   TIME  DOWNTIME"
		    "  WHY\n");
	expect_part("   1  web1   kvm2  live-shared  shared   2.5 s     60 ms"
		    "  -\n");
	expect_part("   1  db1    kvm2  restart      -            -         -"
		    "  -\n");
	show(render_move_plan,
	    "{'vm': 'a', 'from': 'kvm1', 'to': 'kvm2', 'strategy': 'restart', "
	    "'predicted_ms': 60000, 'predicted_downtime_ms': 30000, "
	    "'strategies': [{'strategy': 'live-copy', 'rule': 'pool-room', "
	    "'why': 'full'}]}");
	expect_text("a: would move from kvm1 to kvm2 (restart), in about "
		    "1 m 00 s, downtime about 30.0 s\n"
		    "    live-copy: pool-room: full\n");
}
END_TEST

/* ---- one move ---- */

START_TEST(a_move_shows_what_was_foretold_and_what_came)
{
	setenv("TZ", "UTC", 1);
	show(render_move,
	    "{'id': 7, 'vm': 'db1', 'uuid': 'u-1', 'from': 'kvm1', 'to': "
	    "'kvm2', 'strategy': 'live-copy', 'handover': 'strict', "
	    "'outcome': 'completed', 'duration_ms': 12500, 'predicted_ms': "
	    "10000, 'predicted_downtime_ms': 1000, 'result': {'downtime_ms': "
	    "800, 'downtime_source': 'measured', 'bytes': 1073741824, "
	    "'kept_until': '2026-11-22T03:00:00.000Z'}, 'disks': [{'target': "
	    "'vda', 'path': '/a/db1.qcow2', 'pool': 'default', 'volume': "
	    "'db1.qcow2', 'dest_path': '/b/db1.qcow2', 'capacity': "
	    "10737418240, 'allocation': 1610612736}, {'target': 'vdb', "
	    "'path': '/a/d', 'volume': 'd'}]}");
	expect_part("took       12.5 s, predicted 10.0 s (+25 %)\n");
	expect_part("downtime   800 ms (measured), predicted 1.0 s (-20 %)\n");
	expect_part("disks      vda: 1.5 GiB of 10.0 GiB, /a/db1.qcow2 to "
		    "pool default, /b/db1.qcow2\n");
	expect_part("           vdb: -, /a/d to d\n");
	expect_part("kept       the images on kvm1, until 2026-11-22 "
		    "03:00:00\n");
}
END_TEST

START_TEST(a_move_under_way_shows_what_is_foretold_and_its_steps)
{
	setenv("TZ", "UTC", 1);
	show(render_move,
	    "{'id': 7, 'vm': 'db1', 'strategy': 'restart', 'duration_ms': "
	    "2000, 'predicted_ms': 10000, 'predicted_downtime_ms': 4000, "
	    "'progress': {'percent': 40, 'phase': 'shutting down', 'asks': 2}, "
	    "'journal': [{'at': '2026-11-21T03:00:00.100Z', 'kind': 'intent', "
	    "'step': 'freeze'}, {'at': '2026-11-21T03:00:01.600Z', 'kind': "
	    "'result', 'step': 'freeze', 'detail': 'vda'}]}");
	expect_part("outcome    shutting down (asked 2 times) 40%\n");
	expect_part("took       2.0 s, predicted 10.0 s\n");
	expect_part("downtime   predicted 4.0 s\n");
	expect_part("2026-11-21 03:00:00   0 ms  intent  freeze  -\n"
		    "2026-11-21 03:00:01  1.5 s  result  freeze  vda\n");
}
END_TEST

START_TEST(a_host_lists_the_images_that_it_keeps)
{
	setenv("TZ", "UTC", 1);
	show(render_host,
	    "{'name': 'kvm1', 'state': 'up', 'kept': [{'id': 1, 'move': 7, "
	    "'vm': 'db1', 'pool': 'default', 'volume': 'db1.qcow2', 'since': "
	    "'2026-11-21T03:00:00Z', 'until': '2026-11-22T03:00:00Z'}]}");
	expect_part("KEPT FOR  POOL     VOLUME     SINCE                "
		    "REMOVED AT           MOVE  NOTE\n"
		    "db1       default  db1.qcow2  2026-11-21 03:00:00  "
		    "2026-11-22 03:00:00     7  -\n");
	show(render_host, "{'name': 'kvm1', 'state': 'up', 'kept': []}");
	expect_no_part("KEPT");
}
END_TEST

/* ---- as it goes ---- */

static json_t *
drain_of(const char *phase, double percent, int asks, int64_t copied)
{
	json_t *move = json_pack(
	    "{s:i, s:s, s:{s:f, s:s}, s:[{s:s, s:I}, {s:s, s:I}]}", "id", 1,
	    "strategy", "restart", "progress", "percent", percent, "phase",
	    phase, "disks", "target", "vda", "allocation", (json_int_t)3 << 30,
	    "target", "vdb", "allocation", (json_int_t)1 << 30);
	json_t *progress = json_object_get(move, "progress");

	if (asks > 0)
		json_object_set_new(progress, "asks", json_integer(asks));
	if (copied >= 0)
		json_object_set_new(
		    progress, "copied_bytes", json_integer(copied));
	return json_pack("{s:s, s:s, s:[{s:s, s:s, s:s, s:s, s:o}]}", "host",
	    "kvm1", "state", "running", "vms", "vm", "db1", "uuid", "u", "to",
	    "kvm2", "fate", "moving", "move", move);
}

static void
frame(struct progress *progress, json_t *drain, int width)
{
	struct style style = {.utf8 = true, .width = width, .height = 24};
	json_t *drains = json_array();

	json_array_append_new(drains, drain);
	buf_clear(&out);
	progress_render(progress, drains, 12300, NULL, &style, &out);
	json_decref(drains);
}

static int
bar_width(void)
{
	int full = 0;

	for (const char *s = buf_str(&out); (s = strstr(s, "━")) != NULL;
	     s += strlen("━"))
		full++;
	return full;
}

START_TEST(a_restart_has_one_bar_over_its_steps)
{
	static const struct {
		const char *phase;
		double percent;
		int asks;
		int64_t copied;
		const char *words;
	} steps[] = {
	    {"preparing", 1, 0, -1, "db1   preparing  "},
	    {"copying disks", 20, 0, (int64_t)1 << 30, "1.0 GiB of 4.0 GiB"},
	    {"copying disks", 60, 0, (int64_t)5 << 30, "4.0 GiB of 4.0 GiB"},
	    {"shutting down", 61, 1, -1, "db1   shutting down  ━"},
	    {"shutting down", 61, 2, -1, "shutting down (asked 2 times)  ━"},
	    /* What is left after the layer may look like less. */
	    {"copying the rest", 55, 2, (int64_t)4 << 30, " 61%"},
	    {"starting", 90, 2, -1, "db1   starting"},
	    {"going back", 10, 2, -1, " 90%"},
	};
	struct progress *progress = progress_new();
	int before = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		frame(progress,
		    drain_of(steps[i].phase, steps[i].percent, steps[i].asks,
			steps[i].copied),
		    120);
		expect_part(steps[i].words);
		ck_assert_int_ge(bar_width(), before);
		before = bar_width();
	}
	progress_free(progress);
}
END_TEST

START_TEST(bytes_of_disks_give_way_first_and_lines_never_wrap)
{
	struct progress *progress = progress_new();
	size_t lines;
	int width;

	frame(progress, drain_of("copying disks", 20, 0, 1 << 30), 100);
	expect_part("1.0 GiB of 4.0 GiB");
	frame(progress, drain_of("copying disks", 20, 0, 1 << 30), 60);
	expect_no_part("of 4.0 GiB");
	expect_part("━");
	expect_part("copying disks");
	for (width = 8; width < 130; width++) {
		frame(progress,
		    drain_of("shutting down", 20, 12, (int64_t)1 << 40), width);
		ck_assert_uint_lt(widest_line(&lines), (size_t)width);
		ck_assert_uint_eq(lines, 2);
	}
	progress_free(progress);
}
END_TEST

static void
change(json_t *before, json_t *now)
{
	buf_clear(&out);
	render_drain_changes(before, now, &out);
	json_decref(before);
	json_decref(now);
}

START_TEST(line_by_line_the_steps_of_a_restart_are_told_once)
{
	json_t *first = drain_of("preparing", 1, 0, -1);

	render_drain_changes(NULL, first, &out);
	expect_part("db1: moving to kvm2 (restart)\n");
	change(first, drain_of("copying disks", 5, 0, 1));
	expect_text("db1: copying disks\n");
	change(drain_of("copying disks", 5, 0, 1),
	    drain_of("copying disks", 9, 0, 2));
	expect_text("");
	change(drain_of("copying disks", 9, 0, 2),
	    drain_of("shutting down", 20, 1, 2));
	expect_text("db1: shutting down\n");
	change(drain_of("shutting down", 20, 1, 2),
	    drain_of("shutting down", 20, 2, 2));
	expect_text("db1: shutting down (asked 2 times)\n");
	change(drain_of("shutting down", 20, 2, 2),
	    drain_of("defining", 30, 2, 2));
	expect_text("");
	change(
	    drain_of("defining", 30, 2, 2), drain_of("going back", 30, 2, 2));
	expect_text("db1: going back\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_strategy");
	TCase *choice, *move, *progress;
	SRunner *runner;
	int failed;

	choice = add_case(suite, "choice");
	tcase_add_test(
	    choice, a_guest_is_explained_down_to_the_strategies_of_each_host);
	tcase_add_test(choice, each_strategy_is_told_for_each_host);
	tcase_add_test(choice,
	    a_move_without_end_is_told_with_the_pause_that_would_end_it);
	tcase_add_test(choice, a_guest_without_a_target_has_no_prediction);
	tcase_add_test(
	    choice, a_host_is_explained_by_its_policies_and_its_guests);
	tcase_add_test(choice, a_plan_foretells_time_and_downtime);
	move = add_case(suite, "move");
	tcase_add_test(move, a_move_shows_what_was_foretold_and_what_came);
	tcase_add_test(
	    move, a_move_under_way_shows_what_is_foretold_and_its_steps);
	tcase_add_test(move, a_host_lists_the_images_that_it_keeps);
	progress = add_case(suite, "progress");
	tcase_add_test(progress, a_restart_has_one_bar_over_its_steps);
	tcase_add_test(
	    progress, bytes_of_disks_give_way_first_and_lines_never_wrap);
	tcase_add_test(
	    progress, line_by_line_the_steps_of_a_restart_are_told_once);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
