/*
 * A drain as droverctl shows it: line by line for logs, and redrawn in place on
 * a terminal.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/term.h"
#include "ctl_helper.h"

/* ---- drains, line by line ---- */

#define DRAIN(counts, vms)                                                     \
	"{'id': 1, 'host': 'kvm1', 'state': 'running', " counts                \
	", 'vms': [" vms "]}"
#define VM(name, rest) "{'vm': '" name "', 'uuid': 'u-" name "', " rest "}"
#define MOVED(id)                                                              \
	"'fate': 'moved', 'to': 'kvm2', 'move': {'id': " id                    \
	", 'outcome': 'completed', 'duration_ms': 1210, 'result': "            \
	"{'downtime_ms': 64, 'bytes': 199229440}}"
#define MOVING(id)                                                             \
	"'fate': 'moving', 'to': 'kvm2', 'strategy': "                         \
	"'live-shared', 'move': {'id': " id "}"
#define BLOCKED                                                                \
	"'fate': 'blocked', 'why': 'no host', 'rejected': [{'host': "          \
	"'kvm2', 'rule': 'cpu', 'why': 'lacks avx2'}]"

static void
changes(const char *before, const char *now)
{
	json_t *b = before != NULL ? parse(before) : NULL, *n = parse(now);

	buf_clear(&out);
	render_drain_changes(b, n, &out);
	json_decref(b);
	json_decref(n);
}

START_TEST(each_change_of_a_drain_is_one_line)
{
	const char *waiting = DRAIN("'total': 2, 'moved': 0",
	    VM("a", "'fate': 'waiting'") "," VM("b", "'fate': 'waiting'"));
	const char *moving = DRAIN("'total': 2, 'moved': 0",
	    VM("a", MOVING("5")) "," VM("b", BLOCKED));
	const char *moved = DRAIN(
	    "'total': 2, 'moved': 1", VM("a", MOVED("5")) "," VM("b", BLOCKED));

	changes(NULL, waiting);
	expect_text("kvm1: draining: 2 guests\n");
	changes(waiting, waiting);
	expect_text("");
	changes(waiting, moving);
	expect_text("a: moving to kvm2 (live-shared)\nb: blocked: no host\n"
		    "    kvm2: cpu: lacks avx2\n");
	changes(moving, moving);
	expect_text("");
	changes(moving, moved);
	expect_text("a: moved to kvm2 in 1.2 s, downtime 64 ms, 190.0 MiB\n");
	/* Between two looks, all of it. */
	changes(waiting, moved);
	expect_part("a: moved to kvm2 in 1.2 s");
	expect_no_part("moving");
}
END_TEST

START_TEST(what_happened_before_one_joined_is_no_news)
{
	changes(NULL,
	    DRAIN("'total': 2, 'moved': 1",
		VM("a", MOVED("5")) "," VM("b", MOVING("6"))));
	expect_text("kvm1: draining: 2 guests, 1 moved already\n"
		    "b: moving to kvm2 (live-shared)\n");
}
END_TEST

#define FAILED                                                                 \
	"'move': {'id': 5, 'to': 'kvm2', 'outcome': 'failed', "                \
	"'error': 'kvm2 went away', 'remedy': 'look at kvm2'}"

START_TEST(a_failed_attempt_says_why_and_what_next)
{
	const char *moving = DRAIN("'total': 1", VM("a", MOVING("5")));
	const char *waiting =
	    DRAIN("'total': 1", VM("a", "'fate': 'waiting', " FAILED));
	const char *again = DRAIN("'total': 1",
	    VM("a",
		"'fate': 'moving', "
		"'to': 'kvm3', 'move': {'id': 6, 'attempt': 2}"));
	const char *blocked = DRAIN("'total': 1",
	    VM("a",
		"'fate': 'blocked',"
		"'why': 'tried all', " FAILED));

	changes(moving, waiting);
	expect_text("a: did not move to kvm2: kvm2 went away; look at kvm2 "
		    "(will be tried again)\n");
	changes(waiting, waiting);
	expect_text("");
	changes(waiting, again);
	expect_text("a: moving to kvm3, attempt 2\n");
	changes(moving, blocked);
	expect_text("a: did not move to kvm2: kvm2 went away; look at kvm2\n"
		    "a: blocked: tried all\n");
}
END_TEST

START_TEST(guests_that_stay_or_go_are_said)
{
	changes(
	    DRAIN("'total': 2",
		VM("a", "'fate': 'waiting'") "," VM("b", "'fate': 'waiting'")),
	    DRAIN("'total': 2",
		VM("a", "'fate': 'gone'") "," VM(
		    "b", "'fate': 'excepted', 'why': 'label stay'")));
	expect_text("a: is gone from the host\nb: stays: label stay\n");
}
END_TEST

START_TEST(what_holds_a_move_or_a_drain_is_said_once)
{
	const char *moving = DRAIN("'total': 1", VM("a", MOVING("5")));
	const char *held = DRAIN("'total': 1",
	    VM("a", MOVING("5") ", 'why': 'kvm2 does not answer for 3 s'"));
	const char *still = DRAIN("'total': 1",
	    VM("a", MOVING("5") ", 'why': 'kvm2 does not answer for 4 s'"));
	const char *idle = DRAIN(
	    "'total': 1, 'why': 'no policy evacuates'", VM("a", MOVING("5")));

	changes(moving, held);
	expect_text("a: still moving: kvm2 does not answer for 3 s\n");
	changes(held, still);
	expect_text("");
	changes(moving, idle);
	expect_text("kvm1: no policy evacuates\n");
	changes(idle, idle);
	expect_text("");
}
END_TEST

static void
summary(const char *text)
{
	json_t *drain = parse(text);

	render_drain_summary(drain, &pipe_style, &out);
	json_decref(drain);
}

START_TEST(a_summary_says_how_it_ended)
{
	summary("{'host': 'kvm1', 'state': 'done', 'moved': 3, 'duration_ms': "
		"5210, 'vms': []}");
	expect_text("kvm1: drained: 3 moved, 0 remain, 5.2 s\n");
	summary(
	    "{'host': 'kvm1', 'state': 'blocked', 'moved': 2, 'failed': 2,"
	    "'vms': [" VM("a", BLOCKED) "," VM("b", "'fate': 'excepted'") "]}");
	expect_text("kvm1: blocked: 2 moved, 1 remains, 1 left alone by "
		    "policy, 2 attempts failed\n");
	summary("{'host': 'kvm1', 'state': 'cancelled', 'moved': 1, "
		"'waiting': 2}");
	expect_text("kvm1: cancelled: 1 moved, 2 remain\n");
}
END_TEST

START_TEST(what_blocks_is_listed_unless_it_was_said)
{
	json_t *one = parse(DRAIN("'total': 1", VM("a", BLOCKED)));
	json_t *other = parse(DRAIN("'total': 1",
	    VM("a",
		"'fate': 'blocked',"
		"'why': 'another'")));

	render_drain_blocked(NULL, one, &pipe_style, &out);
	expect_text("a: blocked: no host\n    kvm2: cpu: lacks avx2\n");
	render_drain_blocked(one, one, &pipe_style, &out);
	expect_text("");
	render_drain_blocked(one, other, &pipe_style, &out);
	expect_text("a: blocked: another\n");
	json_decref(one);
	json_decref(other);
}
END_TEST

START_TEST(moves_without_a_drain_are_told_the_same_way)
{
	json_t *moves =
	    parse("[{'id': 1, 'vm': 'a', 'uuid': 'u', 'to': "
		  "'kvm2', 'strategy': 'live-shared'}, {'id': 2, 'vm': 'a', "
		  "'uuid': 'u', 'to': 'kvm3', 'outcome': 'failed', 'error': "
		  "'no'}]");
	json_t *drain = render_moves_as_drain(moves);

	ck_assert_str_eq(field_text(drain, "state"), "running");
	render_drain_changes(NULL, drain, &out);
	expect_text("a: moving to kvm2 (live-shared)\n"
		    "a: did not move to kvm3: no\n");
	render_drain_changes(drain, drain, &out);
	expect_text("");
	json_decref(drain);
	json_decref(moves);
}
END_TEST

/* ---- progress ---- */

static json_t *
busy_drain(const char *host, int guests, int moving, int moved, double percent)
{
	json_t *vms = json_array(), *vm;
	char name[64];

	for (int i = 0; i < guests; i++) {
		snprintf(name, sizeof(name), "größe-%03d", i);
		vm = json_pack("{s:s, s:s, s:s, s:s}", "vm", name, "uuid", name,
		    "to", "kvm2", "fate",
		    i < moved                ? "moved"
			: i < moved + moving ? "moving"
					     : "waiting");
		if (i >= moved && i < moved + moving)
			json_object_set_new(vm, "move",
			    json_pack("{s:i, s:{s:s, s:f, s:i, s:i, s:b}}",
				"id", i, "progress", "phase", "pre-copy",
				"percent", percent, "rate", 327155712, "eta_ms",
				4200, "converging", i % 2 == 0));
		json_array_append_new(vms, vm);
	}
	return json_pack(
	    "{s:s, s:s, s:o}", "host", host, "state", "running", "vms", vms);
}

static void
frame(struct progress *progress, json_t *drain, const struct style *style,
    const char *notice)
{
	json_t *drains = json_array();

	json_array_append_new(drains, drain);
	buf_clear(&out);
	progress_render(progress, drains, 12300, notice, style, &out);
	json_decref(drains);
}

START_TEST(progress_has_a_line_per_guest_and_a_total)
{
	struct progress *progress = progress_new();
	struct style style = {.utf8 = true, .width = 100, .height = 24};
	size_t lines;

	frame(progress, busy_drain("kvm1", 4, 2, 1, 50), &style, NULL);
	widest_line(&lines);
	ck_assert_uint_eq(lines, 5);
	expect_part("größe-001  pre-copy    ━━━");
	expect_part(" 50%   312.0 MiB/s  not converging  → kvm2\n");
	expect_part(" 50%   312.0 MiB/s  4.2 s left      → kvm2\n");
	expect_part("größe-003  waiting\n");
	expect_part("kvm1       1 of 4 moved, 2 moving, 1 waiting  ━");
	expect_part(" 50%   624.0 MiB/s  12.3 s");
	style.utf8 = false;
	frame(progress, busy_drain("kvm1", 4, 2, 1, 50), &style, NULL);
	expect_part("#####");
	expect_no_part("━");
	expect_no_part("→");
	progress_free(progress);
}
END_TEST

/* The share of the first line with a bar. */
static int
shown_percent(const char *name)
{
	const char *line = strstr(buf_str(&out), name), *sign;
	int percent = -1;

	ck_assert_ptr_nonnull(line);
	sign = strchr(line, '%');
	ck_assert_ptr_nonnull(sign);
	ck_assert_int_eq(sscanf(sign - 3, "%d", &percent), 1);
	return percent;
}

START_TEST(bars_never_run_backwards)
{
	static const double reported[] = {0, 12, 40, 31, 45, 44, 90, 10, 99};
	struct progress *progress = progress_new();
	struct style style = {.utf8 = true, .width = 100, .height = 24};
	int guest = 0, total = 0;

	for (size_t i = 0; i < sizeof(reported) / sizeof(reported[0]); i++) {
		frame(progress, busy_drain("kvm1", 2, 2, 0, reported[i]),
		    &style, NULL);
		ck_assert_int_ge(shown_percent("größe-000"), guest);
		ck_assert_int_ge(shown_percent("kvm1"), total);
		guest = shown_percent("größe-000");
		total = shown_percent("kvm1");
	}
	ck_assert_int_eq(guest, 99);
	/* Also over frames that had no room for it. */
	style.height = 2;
	frame(progress, busy_drain("kvm1", 2, 2, 0, 99.9), &style, NULL);
	style.height = 24;
	frame(progress, busy_drain("kvm1", 2, 2, 0, 5), &style, NULL);
	ck_assert_int_eq(shown_percent("größe-001"), 99);
	progress_free(progress);
}
END_TEST

START_TEST(a_total_starts_at_nothing_before_guests_are_known)
{
	struct progress *progress = progress_new();
	struct style style = {.utf8 = true, .width = 100, .height = 24};

	frame(progress, parse("{'host': 'kvm1', 'state': 'running'}"), &style,
	    NULL);
	ck_assert_int_eq(shown_percent("kvm1"), 0);
	frame(progress,
	    parse("{'host': 'kvm1', 'state': 'done', 'vms': "
		  "[]}"),
	    &style, NULL);
	ck_assert_int_eq(shown_percent("kvm1"), 100);
	progress_free(progress);
}
END_TEST

START_TEST(frames_fit_every_window)
{
	struct progress *progress = progress_new();
	size_t lines;

	for (int width = 10; width <= 160; width++) {
		struct style style = {.utf8 = true, .width = width};

		for (style.height = 2; style.height < 40; style.height += 7) {
			frame(progress, busy_drain("kvm1", 60, 7, 20, 50),
			    &style,
			    style.height % 2 ? "a notice that is "
					       "longer than some windows are"
					     : NULL);
			ck_assert_msg(widest_line(&lines) < (size_t)width,
			    "%d columns:\n%s", width, buf_str(&out));
			ck_assert_uint_lt(lines, (size_t)style.height);
		}
	}
	progress_free(progress);
}
END_TEST

START_TEST(what_holds_a_move_takes_the_place_of_its_figures)
{
	struct progress *progress = progress_new();
	struct style style = {.utf8 = true, .height = 24};
	json_t *drain = parse("{'host': 'kvm1', 'vms': [" VM("a",
	    MOVING("5") ", 'why': 'kvm2 does not answer, for as long as it "
			"takes to fill "
			"a line and some more'") "]}");
	size_t lines;

	for (style.width = 20; style.width < 200; style.width++) {
		frame(progress, json_incref(drain), &style, NULL);
		ck_assert_uint_lt(widest_line(&lines), (size_t)style.width);
		if (style.width >= 60)
			expect_part("→ kvm2  kvm2 does not");
	}
	expect_part("and some more\n");
	json_decref(drain);
	progress_free(progress);
}
END_TEST

START_TEST(what_moves_comes_first_and_the_rest_is_counted)
{
	struct progress *progress = progress_new();
	struct style style = {.utf8 = true, .width = 80, .height = 8};

	frame(progress, busy_drain("kvm1", 40, 3, 2, 50), &style, NULL);
	ck_assert_int_eq(strncmp(buf_str(&out), "größe-002  pre-copy", 17), 0);
	expect_part("… 33 more waiting, 2 moved\n");
	expect_part("größe-004  pre-copy");
	expect_part("kvm1       2 of 40 moved");
	progress_free(progress);
}
END_TEST

START_TEST(several_drains_share_the_window)
{
	struct progress *progress = progress_new();
	struct style style = {.utf8 = true, .width = 80, .height = 12};
	json_t *drains = json_array();
	size_t lines;

	json_array_append_new(drains, busy_drain("kvm1", 40, 3, 2, 50));
	json_array_append_new(drains, busy_drain("kvm2", 2, 1, 0, 50));
	progress_render(progress, drains, 0, NULL, &style, &out);
	widest_line(&lines);
	ck_assert_uint_eq(lines, 11);
	expect_part("kvm1       2 of 40 moved");
	expect_part("kvm2       0 of 2 moved, 1 moving, 1 waiting");
	json_decref(drains);
	progress_free(progress);
}
END_TEST

START_TEST(redrawing_finds_its_place_in_a_narrower_window)
{
	struct term_frame drawn = {.count = 0};
	struct style style = {.width = 80};

	term_redraw(&drawn, &style, "\033[32m0123456789\033[0m\nab\n", &out);
	ck_assert_uint_eq(drawn.count, 2);
	ck_assert_uint_eq(drawn.widths[0], 10);
	buf_clear(&out);
	term_redraw(&drawn, &style, "x\n", &out);
	expect_text("\r\033[2Ax\033[K\n\033[J");
	term_redraw(&drawn, &style, "0123456789\nab\n", &out);
	buf_clear(&out);
	style.width = 4; /* the first line takes three rows now */
	term_redraw(&drawn, &style, "x\n", &out);
	expect_text("\r\033[4A\033[Jx\033[K\n\033[J");
}
END_TEST

START_TEST(what_a_drain_comes_to_is_said)
{
	json_t *drain = parse(
	    "{'outlook': {'deadline': '2026-11-21T02:00:00.000Z', 'met': true,"
	    " 'late': [], 'ends': '2026-11-21T01:41:12.000Z', 'blocked': 0,"
	    " 'room': [{'vm': 'web3', 'from': 'kvm2', 'to': 'kvm4', 'why':"
	    " 'makes room on kvm2 for db1'}], 'filled': [{'host': 'kvm2',"
	    " 'memory_percent': 93}, {'host': 'kvm3', 'memory_percent': "
	    "91}]}}");

	setenv("TZ", "UTC", 1);
	tzset();
	buf_clear(&out);
	render_outlook(drain, &pipe_style, &out);
	expect_text("by 02:00: yes, ends 01:41\n"
		    "web3 goes from kvm2 to kvm4: makes room on kvm2 for db1\n"
		    "after this drain 2 hosts above 90 % memory: kvm2 93 %, "
		    "kvm3 91 %\n");
	json_decref(drain);
	drain = parse(
	    "{'outlook': {'deadline': '2026-11-20T23:50:00.000Z', 'met': false,"
	    " 'late': ['a', 'b'], 'ends': '2026-11-21T00:10:00.000Z',"
	    " 'blocked': 1, 'room': [], 'filled': []}}");
	buf_clear(&out);
	render_outlook(drain, &pipe_style, &out);
	expect_text(
	    "by 23:50: no, 2 guests would be late: a, b, 1 guest cannot "
	    "leave; ends 2026-11-21 00:10\n");
	json_decref(drain);
	/* Nothing is said of what is fine. */
	drain = parse("{'outlook': {'blocked': 0, 'room': [], 'filled': []}}");
	buf_clear(&out);
	render_outlook(drain, &pipe_style, &out);
	expect_text("");
	json_decref(drain);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_drain");
	TCase *lines = add_case(suite, "lines");
	TCase *live = add_case(suite, "progress");
	SRunner *runner;
	int failed;

	tcase_add_test(lines, each_change_of_a_drain_is_one_line);
	tcase_add_test(lines, what_happened_before_one_joined_is_no_news);
	tcase_add_test(lines, a_failed_attempt_says_why_and_what_next);
	tcase_add_test(lines, guests_that_stay_or_go_are_said);
	tcase_add_test(lines, what_holds_a_move_or_a_drain_is_said_once);
	tcase_add_test(lines, a_summary_says_how_it_ended);
	tcase_add_test(lines, what_blocks_is_listed_unless_it_was_said);
	tcase_add_test(lines, moves_without_a_drain_are_told_the_same_way);
	tcase_add_test(live, progress_has_a_line_per_guest_and_a_total);
	tcase_add_test(live, bars_never_run_backwards);
	tcase_add_test(live, a_total_starts_at_nothing_before_guests_are_known);
	tcase_add_test(live, frames_fit_every_window);
	tcase_add_test(live, what_holds_a_move_takes_the_place_of_its_figures);
	tcase_add_test(live, what_moves_comes_first_and_the_rest_is_counted);
	tcase_add_test(live, several_drains_share_the_window);
	tcase_add_test(live, what_a_drain_comes_to_is_said);
	tcase_add_test(live, redrawing_finds_its_place_in_a_narrower_window);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
