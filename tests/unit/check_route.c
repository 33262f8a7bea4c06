/*
 * Plans of drains: when there is one, what it foretells, and that evaluate()
 * follows it as far as it still can.  kvm1 is drained; hosts have 64 GiB, 1 GiB of
 * it is kept free.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/route.h"
#include "placement_fixture.h"

static struct world w;
static struct evaluate_input input;
static struct evaluate_drain drain;
static struct route *route;
static struct policy *policy;

static void
setup(void)
{
	world_init(&w, 3);
	policy = world_add_policy(&w, "maintenance");
	policy->strategies[0] = STRATEGY_LIVE_SHARED;
	policy->strategies[1] = STRATEGY_LIVE_COPY;
	policy->strategies[2] = STRATEGY_RESTART;
	policy->strategy_count = 2;
	w.s.hosts[0].maintenance = w.s.hosts[0].cordoned = true;
	w.s.taken = (struct mono){1000000};
	w.s.taken_wall = (struct wall){1795230000000};
	drain = (struct evaluate_drain){.host = "kvm1", .parallel = -1};
	input = (struct evaluate_input){.settings = &w.settings,
	    .snapshot = &w.s,
	    .drains = &drain,
	    .drain_count = 1,
	    .now = w.s.taken};
}

static void
teardown(void)
{
	world_clear(&w);
}

static struct snap_vm *
add_guest(size_t host, const char *name, int64_t memory)
{
	struct snap_vm *vm = world_add_vm(&w, host, name, memory);

	/* That strategies are sure of their times. */
	vm->dirty_rate = 1 << 20;
	vm->dirty_rate_long = SNAPSHOT_UNKNOWN;
	return vm;
}

static void
plan(void)
{
	route = route_drain(w.arena, &input, &w.s.hosts[0]);
	drain.hints = route->hints;
	drain.hint_count = route->hint_count;
}

static const struct evaluate_hint *
hint_of(const struct snap_vm *vm)
{
	for (size_t i = 0; i < route->hint_count; i++)
		if (strcmp(route->hints[i].uuid, vm->uuid) == 0)
			return &route->hints[i];
	ck_abort_msg("no hint for %s", vm->name);
	return NULL;
}

static const struct evaluate_item *
item_of(const struct evaluate_decision *decision, const struct snap_vm *vm)
{
	for (size_t i = 0; i < decision->item_count; i++)
		if (decision->items[i].vm == vm)
			return &decision->items[i];
	ck_abort_msg("no item for %s", vm->name);
	return NULL;
}

static const struct evaluate_decision *
decide(void)
{
	const struct evaluation *evaluation = evaluate(w.arena, &input);

	ck_assert_uint_eq(evaluation->decision_count, 1);
	return &evaluation->decisions[0];
}

static void
expect_start(const struct snap_vm *vm, const char *to)
{
	const struct evaluate_item *item = item_of(decide(), vm);

	ck_assert_msg(item->fate == EVALUATE_START, "%s: %s, %s", vm->name,
	    item->why, item->choice.why);
	ck_assert_str_eq(item->choice.target->name, to);
}

START_TEST(a_drain_that_the_ladder_can_do_has_no_plan)
{
	add_guest(0, "a", 8 * GIB);
	add_guest(0, "b", 4 * GIB);
	plan();
	ck_assert(!route->planned);
	ck_assert_uint_eq(route->hint_count, 0);
	ck_assert_uint_eq(route->blocked, 0);
	ck_assert_uint_eq(route->filled_count, 0);
}
END_TEST

START_TEST(hosts_that_will_be_nearly_full_are_foretold)
{
	char *text;
	json_t *json;

	w.s.hosts[1].memory_free = 12 * GIB;
	w.s.hosts[2].cordoned = true;
	add_guest(0, "a", 8 * GIB);
	plan();
	ck_assert_uint_eq(route->filled_count, 1);
	ck_assert_ptr_eq(route->filled[0].host, &w.s.hosts[1]);
	ck_assert_int_eq(route->filled[0].before, 81);
	ck_assert_int_eq(route->filled[0].after, 94);
	json = route_json(route, &w.s, w.s.taken_wall);
	text = json_dumps(json, JSON_COMPACT);
	ck_assert_str_eq(text,
	    "{\"blocked\":0,\"filled\":[{\"host\":\"kvm2\","
	    "\"memory_percent_before\":81,\"memory_percent\":94}],"
	    "\"room\":[]}");
	free(text);
	json_decref(json);
}
END_TEST

START_TEST(a_guest_that_the_ladder_leaves_is_placed_by_a_plan)
{
	struct snap_vm *small, *large;

	policy->order = POLICY_ORDER_MEMORY_ASC;
	small = add_guest(0, "small", 4 * GIB);
	large = add_guest(0, "large", 8 * GIB);
	/* By itself the small one takes the larger room. */
	w.s.hosts[1].memory_free = 11 * GIB;
	w.s.hosts[2].memory_free = 6 * GIB;
	ck_assert_int_eq(item_of(decide(), large)->fate, EVALUATE_BLOCKED);
	plan();
	ck_assert(route->planned);
	ck_assert_uint_eq(route->blocked, 0);
	ck_assert_str_eq(hint_of(small)->to, "kvm3");
	ck_assert_str_eq(hint_of(large)->to, "kvm2");
	expect_start(small, "kvm3");
	expect_start(large, "kvm2");
}
END_TEST

START_TEST(the_planner_knows_the_rules_of_hosts)
{
	struct snap_vm *small, *large;

	policy->order = POLICY_ORDER_MEMORY_ASC;
	small = add_guest(0, "small", 4 * GIB);
	large = add_guest(0, "large", 8 * GIB);
	w.s.hosts[1].memory_free = 11 * GIB;
	w.s.hosts[2].memory_free = 6 * GIB;
	/* What would be the plan cannot be: kvm3 has not its bridge. */
	small->nics[0].source = "br7";
	w.s.hosts[1].interfaces[w.s.hosts[1].interface_count++] = "br7";
	plan();
	ck_assert(!route->planned);
	ck_assert_uint_eq(route->blocked, 1);
	ck_assert_int_eq(item_of(decide(), large)->fate, EVALUATE_BLOCKED);
}
END_TEST

static struct snap_vm *in_the_way, *wide;

static void
fill_up(void)
{
	wide = add_guest(0, "wide", 8 * GIB);
	in_the_way = add_guest(1, "x", 4 * GIB);
	w.s.hosts[1].memory_free = 6 * GIB;
	w.s.hosts[2].memory_free = 6 * GIB;
}

START_TEST(others_are_moved_out_of_the_way)
{
	const struct evaluate_decision *decision;
	const struct evaluate_item *item;
	json_t *json, *room;

	fill_up();
	plan();
	ck_assert(route->planned);
	ck_assert_uint_eq(route->hint_count, 2);
	ck_assert_str_eq(
	    hint_of(in_the_way)->room, "makes room on kvm2 for wide");
	ck_assert_str_eq(hint_of(in_the_way)->to, "kvm3");
	json = route_json(route, &w.s, w.s.taken_wall);
	room = json_array_get(json_object_get(json, "room"), 0);
	ck_assert_str_eq(
	    json_string_value(json_object_get(room, "from")), "kvm2");
	json_decref(json);

	decision = decide();
	ck_assert_uint_eq(decision->item_count, 2);
	item = &decision->items[0];
	ck_assert(item->room && item->vm == in_the_way);
	ck_assert_int_eq(item->fate, EVALUATE_START);
	ck_assert_str_eq(item->choice.from->name, "kvm2");
	ck_assert_str_eq(item->choice.why,
	    "makes room on kvm2 for wide, for the drain of kvm1");
	item = &decision->items[1];
	ck_assert_int_eq(item->fate, EVALUATE_WAIT);
	ck_assert_str_eq(item->why,
	    "goes to kvm2 by the plan of the drain, once there is room: x goes "
	    "to kvm3 first");
}
END_TEST

START_TEST(who_waits_for_room_goes_when_it_is_there)
{
	fill_up();
	plan();
	world_add_move(&w, in_the_way, "kvm3");
	ck_assert_int_eq(item_of(decide(), wide)->fate, EVALUATE_WAIT);
	ck_assert_int_eq(decide()->items[0].fate, EVALUATE_MOVING);

	/* It has arrived, and that its memory is free is not seen yet. */
	w.s.move_count = 0;
	in_the_way->host = 2;
	in_the_way->last_moved = (struct wall){w.s.taken_wall.ms - 2000};
	w.s.hosts[2].memory_free = 1 * GIB;
	ck_assert_int_eq(item_of(decide(), wide)->fate, EVALUATE_WAIT);
	w.s.hosts[1].memory_free = 11 * GIB;
	expect_start(wide, "kvm2");
	ck_assert_uint_eq(decide()->item_count, 1);

	/* Nobody waits for ever. */
	w.s.hosts[1].memory_free = 6 * GIB;
	in_the_way->last_moved = (struct wall){w.s.taken_wall.ms - 60000};
	ck_assert_int_eq(item_of(decide(), wide)->fate, EVALUATE_BLOCKED);
}
END_TEST

START_TEST(an_excepted_guest_makes_no_room)
{
	static const char *const except[] = {"x"};

	fill_up();
	policy->except = except;
	policy->except_count = 1;
	plan();
	ck_assert(!route->planned);
	ck_assert_uint_eq(route->blocked, 1);
}
END_TEST

START_TEST(what_the_plan_wants_and_cannot_be_is_left_to_the_ladder)
{
	struct snap_vm *a = add_guest(0, "a", 8 * GIB);

	drain.deadline = (struct wall){w.s.taken_wall.ms + 3600000};
	plan();
	ck_assert(route->planned);
	ck_assert_str_eq(hint_of(a)->to, "kvm2");
	expect_start(a, "kvm2");
	w.s.hosts[1].cordoned = true;
	expect_start(a, "kvm3");
}
END_TEST

START_TEST(a_deadline_says_who_would_be_late)
{
	json_t *json;

	w.settings.limits.bandwidth = 100 << 20;
	w.settings.limits.total = 1;
	add_guest(0, "a", 8 * GIB);
	add_guest(0, "b", 8 * GIB);
	drain.deadline = (struct wall){w.s.taken_wall.ms + 120000};
	plan();
	ck_assert_uint_eq(route->late_count, 1);
	ck_assert_uint_eq(route->blocked, 0);
	ck_assert_int_gt(route->makespan_ms, 120000);
	json = route_json(route, &w.s, w.s.taken_wall);
	ck_assert(json_is_false(json_object_get(json, "met")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "late")), 1);
	json_decref(json);

	drain.deadline.ms += 600000;
	plan();
	ck_assert_uint_eq(route->late_count, 0);
	json = route_json(route, &w.s, w.s.taken_wall);
	ck_assert(json_is_true(json_object_get(json, "met")));
	ck_assert_str_eq(json_string_value(json_object_get(json, "deadline")),
	    "2026-11-21T03:12:00.000Z");
	json_decref(json);
}
END_TEST

START_TEST(a_guest_is_restarted_to_be_in_time_where_the_policy_has_that)
{
	struct snap_vm *a = add_guest(0, "a", 32 * GIB);
	const struct evaluate_item *item;

	w.settings.limits.bandwidth = 100 << 20;
	/* 330 s live; shared disks: a restart sends nothing. */
	drain.deadline = (struct wall){w.s.taken_wall.ms + 200000};
	plan();
	ck_assert_uint_eq(route->late_count, 1);
	ck_assert(!hint_of(a)->restart);

	policy->strategy_count = 3;
	plan();
	ck_assert_uint_eq(route->late_count, 0);
	ck_assert(hint_of(a)->restart);
	item = item_of(decide(), a);
	ck_assert_int_eq(item->fate, EVALUATE_START);
	ck_assert_int_eq(item->choice.strategy.strategy, STRATEGY_RESTART);
}
END_TEST

START_TEST(a_later_turn_is_waited_for_while_others_move)
{
	struct snap_vm *a = add_guest(0, "a", 8 * GIB);
	struct snap_vm *b = add_guest(0, "b", 4 * GIB);
	struct evaluate_hint hints[] = {
	    {.uuid = b->uuid, .to = "kvm3", .order = 0},
	    {.uuid = a->uuid,
		.to = "kvm2",
		.order = 1,
		.not_before = mono_add(w.s.taken, 90000)},
	};
	const struct evaluation *evaluation;

	drain.hints = hints;
	drain.hint_count = 2;
	evaluation = evaluate(w.arena, &input);
	ck_assert_ptr_eq(evaluation->decisions[0].items[0].vm, b);
	expect_start(b, "kvm3");
	ck_assert_int_eq(item_of(decide(), a)->fate, EVALUATE_WAIT);
	ck_assert_str_eq(item_of(decide(), a)->why,
	    "its turn by the plan of the drain is in 1 m 30 s, or when "
	    "the others are out");
	ck_assert_int_eq(evaluation->wake.ms, w.s.taken.ms + 90000);
	world_add_move(&w, b, "kvm3");
	ck_assert_int_eq(item_of(decide(), a)->fate, EVALUATE_WAIT);
	/* It was quicker than foretold. */
	w.s.move_count = 0;
	b->host = 2;
	expect_start(a, "kvm2");
}
END_TEST

START_TEST(limits_of_the_drain_are_those_of_the_plan)
{
	w.settings.limits.bandwidth = 100 << 20;
	add_guest(0, "a", 8 * GIB);
	add_guest(0, "b", 8 * GIB);
	w.settings.limits.per_source = 1;
	drain.deadline = (struct wall){w.s.taken_wall.ms + 3600000};
	plan();
	/* One after the other. */
	ck_assert_int_gt(route->hints[1].not_before.ms, w.s.taken.ms + 60000);
}
END_TEST

START_TEST(rules_of_placement_hold_in_the_plan)
{
	struct snap_vm *a = add_guest(0, "a", 8 * GIB);
	struct snap_vm *b = add_guest(0, "b", 4 * GIB);

	placement_label_guest(&w, a, "app", "web");
	placement_label_guest(&w, b, "app", "web");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	drain.deadline = (struct wall){w.s.taken_wall.ms + 3600000};
	plan();
	ck_assert_str_ne(hint_of(a)->to, hint_of(b)->to);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("route");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_drain_that_the_ladder_can_do_has_no_plan);
	tcase_add_test(tc, hosts_that_will_be_nearly_full_are_foretold);
	tcase_add_test(tc, a_guest_that_the_ladder_leaves_is_placed_by_a_plan);
	tcase_add_test(tc, the_planner_knows_the_rules_of_hosts);
	tcase_add_test(tc, others_are_moved_out_of_the_way);
	tcase_add_test(tc, who_waits_for_room_goes_when_it_is_there);
	tcase_add_test(tc, an_excepted_guest_makes_no_room);
	tcase_add_test(
	    tc, what_the_plan_wants_and_cannot_be_is_left_to_the_ladder);
	tcase_add_test(tc, a_deadline_says_who_would_be_late);
	tcase_add_test(
	    tc, a_guest_is_restarted_to_be_in_time_where_the_policy_has_that);
	tcase_add_test(tc, a_later_turn_is_waited_for_while_others_move);
	tcase_add_test(tc, limits_of_the_drain_are_those_of_the_plan);
	tcase_add_test(tc, rules_of_placement_hold_in_the_plan);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
