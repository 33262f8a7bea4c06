/*
 * What could go wrong between the parts that are right by themselves: a drain
 * that is called done too early, a guest that is decided upon twice, words that
 * are lost with the process.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor_fixture.h"
#include "run/watchdir.h"
#include "world.h"

static void
setup_site(void)
{
	with_pilot = true;
	setup();
}

static void
setup_listed(void)
{
	setup_site();
	pilot_begin(pilot);
	run_until(all_hosts_are_up);
}

static void
put_flag(const char *host, bool maintenance)
{
	struct err err = {0};

	ck_assert_msg(flags_set(flags,
			  &(struct store_flag){.host = host,
			      .maintenance = maintenance,
			      .source = "operator",
			      .by = "uid 0"},
			  &err) == 1,
	    "%s", err.msg);
}

static void
take_link(const char *host)
{
	link_close(map_get(links, host));
	(void)map_remove(links, host);
}

static bool
drain_is(int64_t id, const char *state)
{
	json_t *o = drains_show(drains, id, false, NULL);
	bool is = o != NULL &&
	    strcmp(state, json_string_value(json_object_get(o, "state"))) == 0;

	json_decref(o);
	return is;
}

static bool
drain_is_done(void)
{
	return drain_is(1, "done");
}

static bool
drain_is_cancelled(void)
{
	return drain_is(1, "cancelled");
}

static size_t
guests_known(void)
{
	struct snapshot *s = pilot_snapshot(pilot);
	size_t count = s->vm_count;

	snapshot_free(s);
	return count;
}

static bool
one_guest_is_known(void)
{
	return guests_known() == 1;
}

static void
add_guest(void)
{
	site_add_guest(1, 1);
	link_relist(map_get(links, "kvm1"));
	run_until(one_guest_is_known);
}

/* Whether vm1 could go there now, or (begin) sends it there. */
static int64_t
move_vm1(const char *to, bool begin)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct snapshot *s = pilot_snapshot(pilot);
	struct place_choice choice;
	int64_t id =
	    pilot_move_guest(pilot, arena, s, snapshot_find_vm(s, site_uuid(1)),
		&(struct pilot_wish){.only_to = to, .dry_run = !begin}, &choice,
		NULL);

	snapshot_free(s);
	arena_free(arena);
	return id;
}

static bool
vm1_can_go_to_kvm2(void)
{
	return move_vm1("kvm2", false) == 0;
}

static bool
one_hangs(void)
{
	return site_hanging() == 1;
}

/* ---- drains ---- */

START_TEST(a_host_that_was_never_seen_is_not_drained)
{
	take_link("kvm1");
	pilot_begin(pilot);
	put_flag("kvm1", true);
	for (int i = 0; i < 3; i++)
		pilot_turn(pilot);
	ck_assert(drain_is(1, "running"));
	ck_assert_int_eq(count_events("drain.completed"), 0);
}
END_TEST

START_TEST(a_host_that_was_lost_is_not_called_empty)
{
	(void)inventory_apply(inventory,
	    &(struct inventory_event){
		.news = INVENTORY_HOST_LOST, .host = "kvm1", .why = "test"});
	take_link("kvm1");
	put_flag("kvm1", true);
	pilot_turn(pilot);
	ck_assert(drain_is(1, "running"));
	ck_assert_int_eq(count_events("drain.completed"), 0);
}
END_TEST

START_TEST(a_drain_whose_moves_cannot_begin_is_not_done)
{
	struct snapshot *s;

	add_guest();
	run_until(vm1_can_go_to_kvm2);
	take_link("kvm1");
	put_flag("kvm1", true);
	pilot_turn(pilot);
	ck_assert_uint_eq(executor_count(executor), 0);
	ck_assert(drain_is(1, "running"));
	/* Nothing was tried, so no try is used up. */
	s = pilot_snapshot(pilot);
	ck_assert_uint_eq(s->attempt_count, 0);
	snapshot_free(s);
}
END_TEST

START_TEST(guests_that_stay_by_policy_do_not_start_drains)
{
	static const char *except[] = {"vm1"};

	settings->policies[0].except = except;
	settings->policies[0].except_count = 1;
	add_guest();
	put_flag("kvm1", true);
	run_until(drain_is_done);
	for (int i = 0; i < 5; i++)
		pilot_turn(pilot);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM drains"), 1);
	ck_assert_int_eq(count_events("drain.completed"), 1);
}
END_TEST

START_TEST(a_host_with_a_guest_on_its_way_to_it_is_not_drained)
{
	add_guest();
	run_until(vm1_can_go_to_kvm2);
	site_set_mood(2, SITE_HANGS, NULL);
	ck_assert_int_eq(move_vm1("kvm2", true), 1);
	run_until(one_hangs);
	put_flag("kvm2", true);
	pilot_turn(pilot);
	ck_assert(drain_is(1, "running"));
	site_finish(true);
	run_until(drain_is_done);
	ck_assert_int_eq(site_running_at(2), 0);
	ck_assert_int_eq(site_running_at(1) + site_running_at(3), 1);
	ck_assert_int_eq(site_twice(), 0);
}
END_TEST

START_TEST(the_targets_of_a_drain_outlive_the_daemon)
{
	const struct evaluate_drain *options;
	size_t count;

	add_guest();
	site_set_mood(3, SITE_HANGS, NULL);
	put_flag("kvm1", true);
	ck_assert_int_eq(drains_start(drains, "kvm1",
			     &(struct drains_options){.parallel = 1,
				 .only_to = "kvm3",
				 .by = "uid 0",
				 .force_off = true},
			     NULL),
	    1);
	take_down();
	build();
	options = drains_options(drains, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(options[0].parallel, 1);
	ck_assert_ptr_nonnull(options[0].only_to);
	ck_assert_str_eq(options[0].only_to, "kvm3");
	ck_assert(options[0].force_off);
	ck_assert(!options[0].include_stopped);
	site_finish(true);
}
END_TEST

START_TEST(a_flag_cleared_right_before_a_crash_cancels_its_drain)
{
	take_link("kvm1");
	put_flag("kvm1", true);
	ck_assert(drain_is(1, "running"));
	take_down();
	change("DELETE FROM flags");
	build();
	pilot_begin(pilot);
	run_until(drain_is_cancelled);
	ck_assert_int_eq(count_events("drain.blocked"), 0);
	run_until(all_hosts_are_up);
}
END_TEST

/* ---- moves ---- */

START_TEST(one_guest_has_one_move)
{
	struct executor_request request = {.uuid = site_uuid(1),
	    .name = "vm1",
	    .from = "kvm1",
	    .to = "kvm2",
	    .dest_uri = "qemu+tcp://kvm2.example.org/system",
	    .strategy = MOVE_LIVE_SHARED,
	    .rule = "test",
	    .why = "test",
	    .attempt = 1,
	    .persistent = true};
	struct err err = {0};

	add_guest();
	site_set_mood(2, SITE_HANGS, NULL);
	ck_assert_int_eq(executor_start(executor, &request, &err), 1);
	request.from = "kvm2";
	request.to = "kvm3";
	ck_assert_int_eq(executor_start(executor, &request, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM moves"), 1);
	run_until(one_hangs);
	site_finish(true);
}
END_TEST

START_TEST(a_long_error_can_be_written)
{
	struct move *move = move_new(site_uuid(1), "vm1", "kvm1", "kvm2");
	struct move_event event = {.kind = MOVE_EV_BEGIN};
	struct move_actions actions;
	struct err err = {0};
	char text[400] = "x";

	/* Odd, so that a cut after an even number of bytes is inside of one. */
	while (strlen(text) < 350)
		strcat(text, "\303\244");
	(void)err_set(&err, ERR_REFUSED, "%s", text);
	move_step(move, &event, (struct mono){1}, &actions);
	event = (struct move_event){.kind = MOVE_EV_PERFORMED, .err = &err};
	move_step(move, &event, (struct mono){2}, &actions);
	/* Nobody knows it any more: a person has to look. */
	event = (struct move_event){.kind = MOVE_EV_OBSERVED,
	    .source = {.presence = RECONCILE_ABSENT},
	    .target = {.presence = RECONCILE_ABSENT}};
	move->persistent = true;
	for (int i = 0; i < 5 && move->state != MOVE_ENDED; i++)
		move_step(move, &event, (struct mono){3 + i}, &actions);
	ck_assert_int_eq(move->outcome, MOVE_STUCK);
	json_t *saved = move_save(move);
	ck_assert_ptr_nonnull(saved);
	json_decref(saved);
	move_free(move);
}
END_TEST

START_TEST(a_move_of_a_dead_host_can_be_abandoned)
{
	struct move *move = move_new(site_uuid(1), "vm1", "kvm1", "kvm2");
	struct move_event event = {.kind = MOVE_EV_BEGIN};
	struct move_actions actions;

	move_step(move, &event, (struct mono){1}, &actions);
	event = (struct move_event){.kind = MOVE_EV_PERFORMED};
	move_step(move, &event, (struct mono){2}, &actions);
	event = (struct move_event){
	    .kind = MOVE_EV_OBSERVED, .target = {.presence = RECONCILE_ABSENT}};
	move_step(move, &event, (struct mono){3}, &actions);
	ck_assert_int_eq(move->state, MOVE_WAITING);
	event = (struct move_event){.kind = MOVE_EV_ABORT};
	move_step(move, &event, (struct mono){5000}, &actions);
	ck_assert_int_eq(move->state, MOVE_WAITING);
	move_step(move, &event, (struct mono){3 + MOVE_IDLE_MS}, &actions);
	ck_assert_int_eq(move->outcome, MOVE_STUCK);
	for (size_t i = 0; i < actions.count; i++) {
		ck_assert(actions.items[i].kind == MOVE_DO_ALARM ||
		    actions.items[i].kind == MOVE_DO_END);
	}
	move_free(move);
}
END_TEST

/* ---- placing ---- */

START_TEST(a_guest_that_has_arrived_takes_memory_before_it_is_measured)
{
	struct facts_load load = {
	    .memory_total = 64 * GIB, .memory_free = 50 * GIB};
	struct inventory_event event = {
	    .news = INVENTORY_ARRIVED, .host = "kvm2", .memory = 8 * GIB};
	struct snapshot *s;

	(void)inventory_apply(inventory, &event);
	s = pilot_snapshot(pilot);
	ck_assert_int_eq(
	    snapshot_find_host(s, "kvm2")->memory_arrived, 8 * GIB);
	snapshot_free(s);
	event = (struct inventory_event){.news = INVENTORY_LOAD_READ,
	    .host = "kvm2",
	    .load = &load,
	    .now = clock_mono_now()};
	(void)inventory_apply(inventory, &event);
	s = pilot_snapshot(pilot);
	ck_assert_int_eq(snapshot_find_host(s, "kvm2")->memory_arrived, 0);
	snapshot_free(s);
}
END_TEST

static const struct strategy_wish live = {
    .order = {STRATEGY_LIVE_SHARED}, .count = 1, .include_stopped = true};

START_TEST(memory_of_arrivals_makes_wait_and_not_refuse)
{
	struct place_choice choice;
	struct place_request request = {.retries = -1, .wish = &live};
	struct world w;

	world_init(&w, 2);
	request.vm = world_add_vm(&w, 0, "a", 40 * GIB);
	w.s.hosts[1].memory_arrived = 30 * GIB;
	place_choose(w.arena, &w.settings, &w.s,
	    place_ledger_new(w.arena, &w.s), &request, &choice);
	ck_assert_ptr_null(choice.target);
	ck_assert(choice.wait);
	ck_assert_ptr_nonnull(strstr(choice.why, "just arrived"));
	world_clear(&w);
}
END_TEST

START_TEST(a_guest_that_is_seen_twice_goes_nowhere)
{
	struct place_choice choice;
	struct place_request request = {.retries = -1, .wish = &live};
	struct snap_vm *vm, *twin;
	struct world w;

	world_init(&w, 3);
	vm = world_add_vm(&w, 0, "a", GIB);
	twin = world_add_vm(&w, 1, "a", GIB);
	twin->uuid = vm->uuid;
	request.vm = vm;
	place_choose(w.arena, &w.settings, &w.s,
	    place_ledger_new(w.arena, &w.s), &request, &choice);
	ck_assert_ptr_null(choice.target);
	ck_assert(choice.wait);
	ck_assert_ptr_nonnull(strstr(choice.why, "on kvm2 as well (running)"));
	/* Nobody is there to correct it. */
	w.s.hosts[1].up = false;
	place_choose(w.arena, &w.settings, &w.s,
	    place_ledger_new(w.arena, &w.s), &request, &choice);
	ck_assert_ptr_null(choice.target);
	ck_assert(!choice.wait);
	/* What is off there only takes that host out. */
	twin->state = DOMAIN_SHUTOFF;
	place_choose(w.arena, &w.settings, &w.s,
	    place_ledger_new(w.arena, &w.s), &request, &choice);
	ck_assert_str_eq(choice.target->name, "kvm3");
	world_clear(&w);
}
END_TEST

START_TEST(a_move_that_waits_for_a_lost_host_takes_no_part_of_the_limits)
{
	struct place_ledger *ledger;
	struct snap_vm *vm;
	struct world w;

	world_init(&w, 2);
	vm = world_add_vm(&w, 0, "a", GIB);
	world_add_move(&w, vm, "kvm2");
	w.s.moves[0].idle = true;
	ledger = place_ledger_new(w.arena, &w.s);
	ck_assert_int_eq(
	    ledger->total + ledger->inbound[1] + ledger->outbound[0], 0);
	/* But it may arrive. */
	ck_assert_int_ge(ledger->memory[1], GIB);
	world_clear(&w);
}
END_TEST

START_TEST(what_is_given_up_at_once_does_not_claim_attempts)
{
	struct place_choice choice;
	struct place_request request = {.retries = 3, .wish = &live};
	struct snap_vm *vm;
	struct world w;

	world_init(&w, 2);
	request.vm = vm = world_add_vm(&w, 0, "a", GIB);
	world_add_attempt(&w, vm, "kvm2", SNAPSHOT_HOPELESS, "aborted");
	place_choose(w.arena, &w.settings, &w.s,
	    place_ledger_new(w.arena, &w.s), &request, &choice);
	ck_assert_int_eq(choice.guest_rule, PLACE_GUEST_GIVEN_UP);
	ck_assert_ptr_null(strstr(choice.why, "1000"));
	world_clear(&w);
}
END_TEST

/* ---- flags ---- */

static int removed;

static void
on_file(const char *name, bool present, void *arg)
{
	(void)name;
	(void)arg;
	removed += !present;
}

static bool
one_is_removed(void)
{
	return removed == 1;
}

static void
make_file(const char *name, bool present)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/flags/%s", dir, name);
	if (present)
		(void)close(open(path, O_CREAT | O_WRONLY, 0600));
	else
		(void)unlink(path);
}

static struct mono looked;

static bool
a_moment_has_passed(void)
{
	return mono_diff(clock_mono_now(), looked) > 200;
}

START_TEST(a_folder_that_cannot_be_read_clears_no_flag)
{
	struct rlimit old, none;
	struct watchdir *watch;
	char path[128];

	snprintf(path, sizeof(path), "%s/flags", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	make_file("kvm1", true);
	make_file("kvm2", true);
	removed = 0;
	watch = watchdir_new(loop, path, on_file, NULL, NULL);
	ck_assert_ptr_nonnull(watch);
	make_file("kvm2", false);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	looked = clock_mono_now();
	run_until(a_moment_has_passed);
	ck_assert_int_eq(removed, 0);
	ck_assert(watchdir_has(watch, "kvm1"));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	run_until(one_is_removed);
	ck_assert(watchdir_has(watch, "kvm1"));
	watchdir_free(watch);
}
END_TEST

START_TEST(an_operators_drain_outlives_the_file_that_came_first)
{
	struct store_flag flag = {.host = "kvm1",
	    .maintenance = true,
	    .cordoned = true,
	    .source = "file",
	    .by = "file"};

	ck_assert_int_eq(flags_set(flags, &flag, NULL), 1);
	flag.source = "operator";
	flag.by = "uid 0";
	ck_assert_int_eq(flags_set(flags, &flag, NULL), 1);
	ck_assert_str_eq(flags_get(flags, "kvm1")->source, "operator");
	ck_assert_int_eq(flags_set(flags, &flag, NULL), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("review");
	TCase *fresh = tcase_create("fresh"), *listed = tcase_create("listed");

	tcase_set_timeout(fresh, 60);
	tcase_add_checked_fixture(fresh, setup_site, teardown);
	tcase_add_test(fresh, a_host_that_was_never_seen_is_not_drained);
	tcase_add_test(
	    fresh, a_flag_cleared_right_before_a_crash_cancels_its_drain);
	tcase_add_test(fresh, a_long_error_can_be_written);
	tcase_add_test(fresh, a_move_of_a_dead_host_can_be_abandoned);
	tcase_add_test(
	    fresh, a_guest_that_has_arrived_takes_memory_before_it_is_measured);
	tcase_add_test(fresh, memory_of_arrivals_makes_wait_and_not_refuse);
	tcase_add_test(fresh, a_guest_that_is_seen_twice_goes_nowhere);
	tcase_add_test(fresh,
	    a_move_that_waits_for_a_lost_host_takes_no_part_of_the_limits);
	tcase_add_test(fresh, what_is_given_up_at_once_does_not_claim_attempts);
	tcase_add_test(fresh, a_folder_that_cannot_be_read_clears_no_flag);
	tcase_add_test(
	    fresh, an_operators_drain_outlives_the_file_that_came_first);
	suite_add_tcase(suite, fresh);
	tcase_set_timeout(listed, 60);
	tcase_add_checked_fixture(listed, setup_listed, teardown);
	tcase_add_test(listed, a_host_that_was_lost_is_not_called_empty);
	tcase_add_test(listed, a_drain_whose_moves_cannot_begin_is_not_done);
	tcase_add_test(listed, guests_that_stay_by_policy_do_not_start_drains);
	tcase_add_test(
	    listed, a_host_with_a_guest_on_its_way_to_it_is_not_drained);
	tcase_add_test(listed, the_targets_of_a_drain_outlive_the_daemon);
	tcase_add_test(listed, one_guest_has_one_move);
	suite_add_tcase(suite, listed);
	return run_suite(suite);
}
