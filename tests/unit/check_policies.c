/*
 * Policies over time, from their text to what they decide: a small site, a clock
 * that the test moves, and moves that it carries out at once.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "decide/evaluate.h"
#include "world.h"

#define MINUTE INT64_C(60000)

static struct world world;
static struct settings *settings;
static struct watch *watch;
static struct evaluate_input input;
static const struct evaluation *e;
static struct mono now;

static void
setup(void)
{
	world_init(&world, 3);
	watch = watch_new();
	now.ms = 1000;
	world.s.taken_wall.ms = INT64_C(1790000000000);
}

static void
teardown(void)
{
	watch_free(watch);
	watch = NULL;
	settings_free(settings);
	settings = NULL;
	world_clear(&world);
	memset(&input, 0, sizeof(input));
}

/* The text of the list of policies, indented by two. */
static void
load(const char *policies)
{
	static const char hosts[] =
	    "version: 1\nstorage: { shared_paths: [ /srv/images ] }\nhosts:\n"
	    "  - { name: kvm1, uri: qemu+tcp://kvm1/system }\n"
	    "  - { name: kvm2, uri: qemu+tcp://kvm2/system }\n"
	    "  - { name: kvm3, uri: qemu+tcp://kvm3/system }\n";
	char text[4096], why[4096] = "";
	struct diag_list diags;
	struct settings_file files[2] = {
	    {SETTINGS_MAIN, "drover.yaml", hosts, sizeof(hosts) - 1},
	    {SETTINGS_POLICIES, "p.yaml", text, 0},
	};
	struct buf buf = BUF_INIT(sizeof(why));

	(void)snprintf(
	    text, sizeof(text), "version: 1\npolicies:\n%s", policies);
	files[1].len = strlen(text);
	diag_init(&diags);
	settings_free(settings);
	settings = settings_parse(files, 2, "/etc/drover", &diags);
	diag_print(&diags, &buf);
	ck_assert_msg(settings != NULL, "%s", buf_str(&buf));
	buf_free(&buf);
	diag_free(&diags);
}

static void
look(void)
{
	world.s.taken = now;
	input.settings = settings;
	input.snapshot = &world.s;
	input.now = now;
	input.watch = watch;
	watch_look(
	    watch, settings, input.modes, &world.s, now, world.s.taken_wall);
	e = evaluate(world.arena, &input);
}

static void
pass(int64_t ms)
{
	now = mono_add(now, ms);
	world.s.taken_wall.ms += ms;
	look();
}

static void
busy(size_t host, double cores)
{
	world.s.hosts[host].cpu_used = cores;
	world.s.hosts[host].cpu_smooth = cores;
}

static struct snap_vm *
guest(size_t host, const char *name, double cores)
{
	struct snap_vm *vm = world_add_vm(&world, host, name, GIB);

	vm->cpu_used = vm->cpu_smooth = cores;
	return vm;
}

static const struct evaluate_item *
item(const char *vm)
{
	for (size_t d = 0; d < e->decision_count; d++) {
		const struct evaluate_decision *decision = &e->decisions[d];

		for (size_t i = 0; i < decision->item_count; i++) {
			if (strcmp(decision->items[i].vm->name, vm) == 0)
				return &decision->items[i];
		}
	}
	ck_abort_msg("nothing is decided about %s", vm);
	return NULL;
}

static void
says(const char *text, const char *part)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(
	    strstr(text, part) != NULL, "\"%s\" in \"%s\"", part, text);
}

static size_t
starts(void)
{
	size_t count = 0;

	for (size_t d = 0; d < e->decision_count; d++)
		count += e->decisions[d].act ? e->decisions[d].starts : 0;
	return count;
}

/* All that starts arrives, and takes its load along. */
static size_t
carry_out(void)
{
	size_t moved = 0;

	for (size_t d = 0; d < e->decision_count; d++) {
		const struct evaluate_decision *decision = &e->decisions[d];

		for (size_t i = 0; decision->act && i < decision->item_count;
		     i++) {
			const struct evaluate_item *it = &decision->items[i];
			struct snap_vm *vm;
			size_t from, to;

			if (it->fate != EVALUATE_START)
				continue;
			vm = &world.s.vms[it->vm - world.s.vms];
			from = vm->host;
			to = (size_t)(it->choice.target - world.s.hosts);
			busy(from,
			    world.s.hosts[from].cpu_smooth - vm->cpu_smooth);
			busy(to, world.s.hosts[to].cpu_smooth + vm->cpu_smooth);
			vm->host = to;
			vm->last_moved = world.s.taken_wall;
			watch_acted(watch, decision->policy->name,
			    world.s.hosts[from].name, now);
			watch_acted(watch, decision->policy->name, "", now);
			moved++;
		}
	}
	return moved;
}

#define PRESSURE                                                               \
	"  - name: cpu\n    mode: auto\n"                                      \
	"    when: { host: cpu > 80%, for: 5m, until: cpu < 70% }\n"           \
	"    select: { order: busiest-first, max: 1 }\n"

/* ---- holding ---- */

START_TEST(load_that_holds_moves_the_busiest_guest)
{
	load(PRESSURE);
	guest(0, "idle", 0.1);
	guest(0, "burner", 6);
	busy(0, 14);
	busy(2, 8);
	pass(0);
	ck_assert_uint_eq(e->decision_count, 0);
	ck_assert_int_eq(e->wake.ms, now.ms + 5 * MINUTE);
	pass(5 * MINUTE - 1);
	ck_assert_uint_eq(e->decision_count, 0);
	pass(1);
	ck_assert_uint_eq(starts(), 1);
	ck_assert_int_eq(item("burner")->fate, EVALUATE_START);
	ck_assert_str_eq(item("burner")->choice.target->name, "kvm2");
	ck_assert_int_eq(item("idle")->fate, EVALUATE_ENOUGH);
	says(item("idle")->why, "select.max, p.yaml:3");
	says(e->decisions[0].why, "\"cpu > 80%\" is true of kvm1 since 20");
	ck_assert_uint_eq(e->decisions[0].seen_count, 1);
	says(e->decisions[0].seen[0].text, "cpu = 87");
}
END_TEST

START_TEST(a_spike_moves_nothing)
{
	load(PRESSURE);
	guest(0, "burner", 6);
	for (int i = 0; i < 10; i++) {
		busy(0, 15);
		pass(4 * MINUTE);
		ck_assert_uint_eq(e->decision_count, 0);
		pass(MINUTE - 1);
		ck_assert_uint_eq(e->decision_count, 0);
		busy(0, 12);
		pass(1000);
	}
	ck_assert_uint_eq(e->decision_count, 0);
}
END_TEST

START_TEST(what_is_on_stays_on_until_the_other_bound)
{
	load(PRESSURE);
	guest(0, "burner", 6);
	busy(0, 14);
	pass(0);
	pass(5 * MINUTE);
	busy(0, 12);
	pass(MINUTE);
	ck_assert_uint_eq(e->decision_count, 1);
	busy(0, 11);
	pass(MINUTE);
	ck_assert_uint_eq(e->decision_count, 0);
	busy(0, 12);
	pass(MINUTE);
	ck_assert_uint_eq(e->decision_count, 0);
}
END_TEST

START_TEST(unknown_breaks_a_wait_and_ends_nothing_at_once)
{
	load(PRESSURE);
	guest(0, "burner", 6);
	busy(0, 14);
	pass(0);
	pass(4 * MINUTE);
	world.s.hosts[0].cpu_smooth = NAN;
	pass(1000);
	busy(0, 14);
	pass(1000);
	pass(2 * MINUTE);
	ck_assert_uint_eq(e->decision_count, 0);
	pass(3 * MINUTE);
	ck_assert_uint_eq(e->decision_count, 1);
	world.s.hosts[0].cpu_smooth = NAN;
	pass(1000);
	pass(WATCH_BLIND_MS - 1);
	ck_assert_uint_eq(e->decision_count, 1);
	pass(1);
	ck_assert_uint_eq(e->decision_count, 0);
}
END_TEST

START_TEST(what_came_of_a_move_is_looked_at_before_the_next)
{
	load(PRESSURE);
	guest(0, "a", 1);
	guest(0, "b", 1);
	busy(0, 14);
	pass(0);
	pass(5 * MINUTE);
	ck_assert_uint_eq(carry_out(), 1);
	pass(1000);
	ck_assert_uint_eq(starts(), 0);
	says(item("b")->why, "a guest has just been moved");
	pass(4 * MINUTE);
	ck_assert_uint_eq(starts(), 0);
	pass(MINUTE);
	ck_assert_uint_eq(starts(), 1);
}
END_TEST

/* A guest that makes any host hot must not travel between two of them. */
START_TEST(nothing_plays_ping_pong)
{
	size_t moved = 0;

	load(PRESSURE "    gain: 10%\n"
		      "    cooldown: { guest: 30m, host: 10m }\n");
	guest(0, "huge", 13);
	busy(0, 14);
	busy(1, 3);
	busy(2, 15);
	for (int i = 0; i < 2 * 60 * 2; i++) {
		pass(MINUTE / 2);
		moved += carry_out();
	}
	ck_assert_uint_eq(moved, 0);
	says(item("huge")->choice.why, "wants a gain of 10 %");
}
END_TEST

START_TEST(load_evens_out_and_then_nothing_moves)
{
	size_t moved = 0, late = 0;

	load(PRESSURE "    gain: 10%\n    cooldown: { guest: 30m }\n");
	for (int i = 0; i < 6; i++) {
		guest(0, arena_printf(world.arena, "g%d", i), 2.4);
	}
	busy(0, 15);
	busy(1, 1);
	busy(2, 1);
	for (int i = 0; i < 4 * 60; i++) {
		size_t n;

		pass(MINUTE);
		n = carry_out();
		moved += n;
		late += i > 60 ? n : 0;
	}
	ck_assert_uint_ge(moved, 1);
	ck_assert_uint_le(moved, 3);
	ck_assert_uint_eq(late, 0);
	ck_assert(world.s.hosts[0].cpu_smooth < 0.7 * 16);
}
END_TEST

/* ---- who is meant ---- */

START_TEST(a_condition_about_guests_concerns_those_alone)
{
	load("  - name: p\n    mode: auto\n"
	     "    when: { vm: vm.cpu > 90% and vm.memory <= 8GiB, for: 2m }\n");
	guest(0, "calm", 0.2);
	guest(1, "burner", 1.95);
	pass(0);
	pass(2 * MINUTE);
	ck_assert_uint_eq(e->decision_count, 1);
	ck_assert_str_eq(e->decisions[0].host->name, "kvm2");
	ck_assert_uint_eq(e->decisions[0].item_count, 1);
	ck_assert_int_eq(item("burner")->fate, EVALUATE_START);
}
END_TEST

START_TEST(conditions_are_joined_by_any_and_all)
{
	load("  - name: all\n    mode: auto\n    when:\n      all:\n"
	     "        - { host: cpu > 80% }\n"
	     "        - { cluster: hosts_up >= 3, for: 1m }\n"
	     "  - name: any\n    mode: auto\n    when:\n      any:\n"
	     "        - { host: cpu > 80% }\n"
	     "        - { host: memory > 99% }\n");
	guest(0, "g", 1);
	busy(0, 15);
	pass(0);
	ck_assert_uint_eq(e->decision_count, 1);
	ck_assert_str_eq(e->decisions[0].policy->name, "any");
	pass(MINUTE);
	ck_assert_uint_eq(e->decision_count, 2);
	ck_assert_str_eq(e->decisions[0].policy->name, "all");
	ck_assert_uint_eq(e->decisions[0].item_count, 1);
	ck_assert_uint_eq(e->decisions[1].item_count, 0);
}
END_TEST

START_TEST(an_alert_that_is_on_speaks_of_its_host)
{
	static const struct snap_alert alerts[] = {
	    {.name = "Slow", .severity = "warning"},
	    {.name = "DiskFailing", .severity = "critical"}};

	load("  - name: disk\n    mode: auto\n"
	     "    when: { event: type = \"DiskFailing\" and severity = "
	     "\"critical\" }\n"
	     "    actions: [ set_maintenance ]\n");
	guest(1, "g", 1);
	pass(0);
	ck_assert_uint_eq(e->decision_count, 0);
	world.s.hosts[1].alerts = alerts;
	world.s.hosts[1].alert_count = 2;
	pass(1000);
	ck_assert_uint_eq(e->decision_count, 1);
	ck_assert_str_eq(e->decisions[0].host->name, "kvm2");
	ck_assert_uint_eq(e->decisions[0].item_count, 0);
	says(e->decisions[0].seen[0].text, "DiskFailing");
}
END_TEST

START_TEST(only_hosts_that_are_meant_are_looked_at)
{
	load("  - name: p\n    mode: auto\n    hosts: name != \"kvm1\"\n"
	     "    when: { host: cpu > 80% }\n");
	guest(0, "a", 1);
	guest(1, "b", 1);
	busy(0, 15);
	busy(1, 15);
	pass(0);
	ck_assert_uint_eq(e->decision_count, 1);
	ck_assert_str_eq(e->decisions[0].host->name, "kvm2");
}
END_TEST

START_TEST(guests_are_selected_excepted_skipped)
{
	load("  - name: p\n    mode: auto\n    when: { host: cpu > 80% }\n"
	     "    select:\n"
	     "      vm: vm.memory < 4GiB\n"
	     "      except: [ \"router-*\", { name: licensed, vm: "
	     "vm.name like \"lic*\" } ]\n"
	     "    strategy:\n"
	     "      - { if: vm.name = \"stay\", use: skip }\n"
	     "      - { if: vm.name = \"cold\", use: restart }\n");
	guest(0, "router-1", 1);
	guest(0, "lic1", 1);
	guest(0, "stay", 1);
	guest(0, "cold", 1);
	guest(0, "web", 1);
	world_add_vm(&world, 0, "large", 8 * GIB);
	busy(0, 15);
	pass(0);
	ck_assert_uint_eq(e->decisions[0].item_count, 5);
	says(item("router-1")->why, "excepts router-*");
	says(item("lic1")->why, "p.yaml:8) excepts licensed");
	says(item("stay")->why, "p.yaml:10) skips it");
	ck_assert_int_eq(item("stay")->fate, EVALUATE_EXCEPTED);
	ck_assert_int_eq(
	    item("cold")->choice.strategy.strategy, STRATEGY_RESTART);
	ck_assert_int_eq(
	    item("web")->choice.strategy.strategy, STRATEGY_LIVE_SHARED);
}
END_TEST

START_TEST(no_more_leave_than_is_enough)
{
	load("  - name: p\n    mode: auto\n    when: { host: cpu > 80% }\n"
	     "    select: { order: busiest-first, until: cpu < 60% }\n"
	     "    limits: { per_source: 9, per_target: 9 }\n");
	settings->limits.per_source = settings->limits.per_target = 9;
	guest(0, "a", 3);
	guest(0, "b", 2.5);
	guest(0, "c", 1);
	busy(0, 14);
	busy(1, 1);
	busy(2, 1);
	pass(0);
	ck_assert_uint_eq(starts(), 2);
	ck_assert_int_eq(item("c")->fate, EVALUATE_ENOUGH);
	says(item("c")->why, "\"cpu < 60%\" will be true of kvm1");
}
END_TEST

/* ---- where to ---- */

START_TEST(a_target_must_meet_what_is_required)
{
	load("  - name: p\n    mode: auto\n    when: { host: cpu > 80% }\n"
	     "    target: { require: target.cpu_after < 50% }\n");
	guest(0, "g", 2);
	busy(0, 15);
	busy(1, 7);
	busy(2, 5);
	pass(0);
	ck_assert_str_eq(item("g")->choice.target->name, "kvm3");
	busy(2, 6);
	pass(0);
	ck_assert_int_eq(item("g")->fate, EVALUATE_BLOCKED);
	ck_assert_int_eq(item("g")->choice.rejections[1].rule, PLACE_REQUIRED);
	says(item("g")->choice.why, "p.yaml:6) requires");
	says(item("g")->choice.why, "cpu_after = 5");
}
END_TEST

START_TEST(the_first_wish_that_differs_decides)
{
	load("  - name: p\n    mode: auto\n    when: { host: cpu > 80% }\n"
	     "    target: { prefer: [ target.vms < 9, "
	     "target.name = \"kvm3\" ] }\n");
	guest(0, "g", 2);
	busy(0, 15);
	busy(1, 1);
	busy(2, 8);
	pass(0);
	ck_assert_str_eq(item("g")->choice.target->name, "kvm3");
	says(item("g")->choice.why, "prefers \"target.name = \"kvm3\"\"");
}
END_TEST

START_TEST(what_is_forbidden_no_policy_does)
{
	load(PRESSURE
	    "  - name: keep\n    mode: auto\n"
	    "    forbid: vm.name like \"db*\" and target.name != \"kvm3\"\n");
	guest(0, "db1", 6);
	busy(0, 14);
	busy(1, 1);
	busy(2, 8);
	pass(0);
	pass(5 * MINUTE);
	ck_assert_str_eq(item("db1")->choice.target->name, "kvm3");
	says(item("db1")->choice.rejections[1].why, "policy keep (p.yaml:");
	ck_assert_int_eq(
	    item("db1")->choice.rejections[1].rule, PLACE_FORBIDDEN);
}
END_TEST

START_TEST(a_host_that_guests_leave_takes_none_of_others)
{
	load("  - name: empty\n    mode: auto\n    priority: 1\n"
	     "    when: { host: name = \"kvm2\" }\n"
	     "    actions: [ drain ]\n" PRESSURE);
	guest(0, "g", 6);
	busy(0, 14);
	busy(1, 1);
	busy(2, 8);
	pass(0);
	pass(5 * MINUTE);
	ck_assert_str_eq(item("g")->choice.target->name, "kvm3");
	says(item("g")->choice.rejections[1].why,
	    "policy empty (p.yaml:6) moves all guests away from it");
}
END_TEST

START_TEST(maintenance_comes_before_balance)
{
	load("  - name: cpu\n    mode: auto\n    priority: 900\n"
	     "    when: { host: cpu > 80% }\n    select: { max: 1 }\n"
	     "    cooldown: { guest: 1h }\n"
	     "  - name: maintenance\n    mode: auto\n"
	     "    when: { host: maintenance }\n");
	guest(0, "g", 6)->last_moved.ms = world.s.taken_wall.ms - MINUTE;
	busy(0, 14);
	world.s.hosts[0].maintenance = world.s.hosts[0].cordoned = true;
	pass(0);
	ck_assert_int_eq(item("g")->fate, EVALUATE_START);
	ck_assert_str_eq(
	    evaluate_find_drain(e, "kvm1")->policy->name, "maintenance");
	ck_assert_uint_eq(e->decisions[0].item_count, 0);
}
END_TEST

/* ---- when not ---- */

START_TEST(a_guest_rests_after_a_move)
{
	load(PRESSURE "    cooldown: { guest: 30m }\n");
	guest(0, "g", 6)->last_moved.ms = world.s.taken_wall.ms;
	busy(0, 14);
	pass(0);
	pass(5 * MINUTE);
	ck_assert_int_eq(item("g")->fate, EVALUATE_WAIT);
	says(item("g")->why,
	    "was moved 5 m 00 s ago; "
	    "cooldown (p.yaml:3) for 25 m 00 s");
	ck_assert_int_eq(e->wake.ms, now.ms + 25 * MINUTE);
	pass(25 * MINUTE);
	ck_assert_uint_eq(starts(), 1);
}
END_TEST

START_TEST(a_host_rests_and_a_policy_is_throttled)
{
	struct evaluate_recent recent[2] = {
	    {"cpu", "u1", "kvm1", "kvm2", world.s.taken_wall,
		world.s.taken_wall},
	    {"cpu", "u2", "kvm3", "kvm2", world.s.taken_wall,
		world.s.taken_wall}};

	input.recent = recent;
	input.recent_count = 2;
	load(PRESSURE "    cooldown: { host: 10m }\n"
		      "    throttle: { moves: 2, per: 1h }\n");
	guest(0, "g", 6);
	busy(0, 14);
	pass(0);
	pass(5 * MINUTE);
	says(e->decisions[0].gate,
	    "cooldown of the host (p.yaml:3) for 5 m 00 s");
	pass(5 * MINUTE);
	says(e->decisions[0].gate, "throttle (p.yaml:3): 2 moves in 1 h 00 m");
	ck_assert_uint_eq(starts(), 0);
	ck_assert_int_eq(e->wake.ms, now.ms + 50 * MINUTE);
	pass(50 * MINUTE);
	ck_assert_uint_eq(starts(), 1);
}
END_TEST

static const char *approved_host;

static bool
approved(const char *policy, const char *host, void *arg)
{
	(void)policy;
	(void)arg;
	return approved_host != NULL && strcmp(host, approved_host) == 0;
}

START_TEST(somebody_has_to_approve)
{
	load("  - name: p\n    mode: approve\n    when: { host: cpu > 80% }\n");
	guest(0, "g", 6);
	busy(0, 14);
	input.approved = approved;
	approved_host = NULL;
	pass(0);
	ck_assert(!e->decisions[0].act);
	says(item("g")->why, "waits for approval");
	ck_assert_ptr_nonnull(item("g")->choice.target);
	approved_host = "kvm1";
	pass(0);
	ck_assert(e->decisions[0].act && e->decisions[0].approved);
	ck_assert_uint_eq(starts(), 1);
}
END_TEST

START_TEST(what_observes_decides_all_and_takes_nothing)
{
	load("  - name: watch\n    mode: observe\n    priority: 9\n"
	     "    when: { host: cpu > 80% }\n"
	     "  - name: act\n    mode: auto\n    when: { host: cpu > 80% }\n");
	guest(0, "g", 6);
	busy(0, 14);
	pass(0);
	ck_assert_uint_eq(e->decision_count, 2);
	ck_assert(!e->decisions[0].act);
	ck_assert_uint_eq(e->decisions[0].starts, 0);
	ck_assert_uint_eq(e->decisions[1].starts, 1);
}
END_TEST

START_TEST(a_mode_set_meanwhile_counts)
{
	enum policy_mode modes[1] = {POLICY_OBSERVE};

	load("  - name: p\n    mode: auto\n    when: { host: cpu > 80% }\n");
	input.modes = modes;
	guest(0, "g", 6);
	busy(0, 14);
	pass(0);
	ck_assert(!e->decisions[0].act);
	ck_assert_uint_eq(e->decisions[0].starts, 1);
	modes[0] = POLICY_OFF;
	pass(0);
	ck_assert_uint_eq(e->decision_count, 0);
}
END_TEST

START_TEST(outside_of_its_windows_it_waits)
{
	/* 2026-09-21T14:13:20Z, a Monday. */
	load("  - name: p\n    mode: auto\n    when: { host: cpu > 80% }\n"
	     "    windows: [ { days: [ mon ], from: \"15:00\", to: \"16:00\" } "
	     "]\n");
	guest(0, "g", 6);
	busy(0, 14);
	world.s.taken_wall.ms = INT64_C(1790000000000);
	pass(0);
	says(item("g")->why,
	    "outside of its windows (p.yaml:6) until "
	    "2026-09-21T15:00:00.000Z");
	pass(46 * MINUTE + 40000);
	ck_assert_uint_eq(starts(), 1);
}
END_TEST

/* ---- all hosts together ---- */

START_TEST(imbalance_is_evened_out_step_by_step)
{
	size_t moved = 0;

	load("  - name: even\n    mode: auto\n"
	     "    when: { cluster: cpu_stddev > 10%, for: 10m }\n"
	     "    actions: [ balance ]\n");
	for (int i = 0; i < 8; i++) {
		guest(0, arena_printf(world.arena, "g%d", i), 1.5);
	}
	busy(0, 13);
	busy(1, 1);
	busy(2, 1);
	pass(0);
	ck_assert_uint_eq(e->decision_count, 0);
	pass(10 * MINUTE);
	ck_assert_uint_eq(e->decision_count, 1);
	ck_assert_ptr_null(e->decisions[0].host);
	ck_assert_uint_ge(starts(), 1);
	ck_assert_uint_ge(e->decisions[0].item_count, 1);
	says(e->decisions[0].items[0].choice.why, "score");
	for (int i = 0; i < 12; i++) {
		moved += carry_out();
		pass(10 * MINUTE);
	}
	ck_assert_uint_eq(e->decision_count, 0);
	ck_assert_uint_ge(moved, 3);
	ck_assert_uint_le(moved, 6);
	ck_assert(world.s.hosts[0].cpu_smooth < 8);
}
END_TEST

START_TEST(balance_leaves_alone_what_others_empty)
{
	load("  - name: even\n    mode: auto\n    priority: 5\n"
	     "    when: { cluster: cpu_stddev > 5% }\n"
	     "    actions: [ balance ]\n"
	     "  - name: maintenance\n    mode: auto\n"
	     "    when: { host: maintenance }\n");
	guest(0, "a", 5);
	guest(0, "b", 5);
	guest(1, "c", 1);
	busy(0, 13);
	busy(1, 2);
	busy(2, 6);
	world.s.hosts[1].maintenance = world.s.hosts[1].cordoned = true;
	pass(0);
	for (size_t i = 0; i < e->decisions[0].item_count; i++) {
		const struct evaluate_item *it = &e->decisions[0].items[i];

		ck_assert_str_ne(it->vm->name, "c");
		ck_assert_str_ne(it->choice.target->name, "kvm2");
	}
	ck_assert_uint_eq(e->decisions[1].item_count, 1);
}
END_TEST

/* ---- many of them ---- */

START_TEST(a_reload_makes_nobody_wait_again)
{
	load(PRESSURE);
	guest(0, "g", 6);
	busy(0, 14);
	pass(0);
	pass(4 * MINUTE);
	load(PRESSURE "    gain: 1%\n");
	pass(MINUTE);
	ck_assert_uint_eq(e->decision_count, 1);
	load("  - name: cpu\n    mode: auto\n"
	     "    when: { host: cpu > 81%, for: 5m }\n");
	pass(1000);
	ck_assert_uint_eq(e->decision_count, 0);
}
END_TEST

START_TEST(a_decision_tells_what_it_saw)
{
	json_t *o, *seen;

	load(PRESSURE);
	guest(0, "g", 6);
	busy(0, 14);
	pass(0);
	pass(5 * MINUTE);
	o = explain_decision(&e->decisions[0]);
	seen = json_array_get(json_object_get(o, "seen"), 0);
	ck_assert_str_eq(
	    json_string_value(json_object_get(seen, "condition")), "host");
	ck_assert_str_eq(
	    json_string_value(json_object_get(seen, "phase")), "on");
	ck_assert_str_eq(
	    json_string_value(json_array_get(json_object_get(o, "actions"), 0)),
	    "move");
	ck_assert_ptr_nonnull(json_object_get(o, "since"));
	json_decref(o);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policies");
	TCase *tc = tcase_create("policies");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, load_that_holds_moves_the_busiest_guest);
	tcase_add_test(tc, a_spike_moves_nothing);
	tcase_add_test(tc, what_is_on_stays_on_until_the_other_bound);
	tcase_add_test(tc, unknown_breaks_a_wait_and_ends_nothing_at_once);
	tcase_add_test(tc, what_came_of_a_move_is_looked_at_before_the_next);
	tcase_add_test(tc, nothing_plays_ping_pong);
	tcase_add_test(tc, load_evens_out_and_then_nothing_moves);
	tcase_add_test(tc, a_condition_about_guests_concerns_those_alone);
	tcase_add_test(tc, conditions_are_joined_by_any_and_all);
	tcase_add_test(tc, an_alert_that_is_on_speaks_of_its_host);
	tcase_add_test(tc, only_hosts_that_are_meant_are_looked_at);
	tcase_add_test(tc, guests_are_selected_excepted_skipped);
	tcase_add_test(tc, no_more_leave_than_is_enough);
	tcase_add_test(tc, a_target_must_meet_what_is_required);
	tcase_add_test(tc, the_first_wish_that_differs_decides);
	tcase_add_test(tc, what_is_forbidden_no_policy_does);
	tcase_add_test(tc, a_host_that_guests_leave_takes_none_of_others);
	tcase_add_test(tc, maintenance_comes_before_balance);
	tcase_add_test(tc, a_guest_rests_after_a_move);
	tcase_add_test(tc, a_host_rests_and_a_policy_is_throttled);
	tcase_add_test(tc, somebody_has_to_approve);
	tcase_add_test(tc, what_observes_decides_all_and_takes_nothing);
	tcase_add_test(tc, a_mode_set_meanwhile_counts);
	tcase_add_test(tc, outside_of_its_windows_it_waits);
	tcase_add_test(tc, imbalance_is_evened_out_step_by_step);
	tcase_add_test(tc, balance_leaves_alone_what_others_empty);
	tcase_add_test(tc, a_reload_makes_nobody_wait_again);
	tcase_add_test(tc, a_decision_tells_what_it_saw);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
