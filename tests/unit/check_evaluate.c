/*
 * Decisions and plans from the inside: limits, waiting, handover, order, and
 * the JSON that people and programs get.  Whole situations are in
 * tests/scenarios.
 */
#include <check.h>
#include <string.h>

#include "decide/evaluate.h"
#include "world.h"

static struct world world;
static struct evaluate_input input;
static struct evaluate_hold holds[4];
static struct evaluate_drain drains[4];

static void
setup(void)
{
	world_init(&world, 4);
	world.s.hosts[0].maintenance = true;
	world.s.hosts[0].cordoned = true;
	input = (struct evaluate_input){.settings = &world.settings,
	    .snapshot = &world.s,
	    .holds = holds,
	    .drains = drains,
	    .now = {50000}};
}

static void
teardown(void)
{
	world_clear(&world);
}

static void
contains(const char *text, const char *part)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(
	    strstr(text, part) != NULL, "\"%s\" in \"%s\"", part, text);
}

static const struct evaluate_decision *
decide_one(void)
{
	const struct evaluation *evaluation = evaluate(world.arena, &input);

	ck_assert_uint_eq(evaluation->decision_count, 1);
	return &evaluation->decisions[0];
}

/* One row per limit: what is booked, what may be. */
static const struct {
	struct pace_limits limits;
	int outbound_limit, inbound_limit;
	int total, outbound, inbound;
	const char *why;
} paces[] = {
    {{-1, -1, -1}, -1, -1, 99, 99, 99, NULL},
    {{6, 2, 2}, -1, -1, 5, 1, 1, NULL},
    {{6, 2, 2}, -1, -1, 6, 1, 1, "limit total 6 reached"},
    {{6, 2, 2}, -1, -1, 5, 2, 1, "limit per_source 2 of kvm1 reached"},
    {{6, 2, 2}, -1, -1, 5, 1, 2, "limit per_target 2 of kvm2 reached"},
    {{6, 2, 2}, 1, -1, 5, 1, 1, "limit outbound 1 of kvm1 reached"},
    {{6, 2, 2}, -1, 1, 5, 1, 1, "limit inbound 1 of kvm2 reached"},
    {{6, 2, 2}, 4, 4, 5, 1, 2, "limit per_target 2 of kvm2 reached"},
    {{6, -1, -1}, 4, 4, 5, 4, 1, "limit outbound 4 of kvm1 reached"},
    {{0, 2, 2}, -1, -1, 0, 0, 0, "limit total 0 reached"},
};

START_TEST(the_strictest_limit_holds_and_is_named)
{
	struct place_ledger *ledger = place_ledger_new(world.arena, &world.s);
	const char *why;

	ledger->total = paces[_i].total;
	ledger->outbound[0] = paces[_i].outbound;
	ledger->inbound[1] = paces[_i].inbound;
	world.s.hosts[0].outbound_limit = paces[_i].outbound_limit;
	world.s.hosts[1].inbound_limit = paces[_i].inbound_limit;
	why = pace_check(world.arena, &world.s, ledger, &paces[_i].limits,
	    &world.s.hosts[0], &world.s.hosts[1]);
	ck_assert_pstr_eq(why, paces[_i].why);
}
END_TEST

START_TEST(limits_combine_to_the_stricter_of_each)
{
	struct pace_limits all = pace_combine(
	    (struct pace_limits){6, -1, 2}, (struct pace_limits){-1, 1, 3});

	ck_assert_int_eq(all.total, 6);
	ck_assert_int_eq(all.per_source, 1);
	ck_assert_int_eq(all.per_target, 2);
	all = pace_combine(
	    (struct pace_limits){-1, -1, -1}, (struct pace_limits){-1, -1, -1});
	ck_assert_int_eq(all.total, -1);
}
END_TEST

START_TEST(moves_in_flight_count_against_the_limits)
{
	struct snap_vm *vm = world_add_vm(&world, 0, "a", GIB);

	world_add_policy(&world, "maintenance");
	world_add_vm(&world, 0, "b", GIB);
	world_add_vm(&world, 0, "c", GIB);
	world_add_move(&world, vm, "kvm2");
	ck_assert_uint_eq(decide_one()->moving, 1);
	ck_assert_uint_eq(decide_one()->starts, 1);
	ck_assert_uint_eq(decide_one()->waiting, 1);
}
END_TEST

START_TEST(the_first_policy_that_is_true_has_the_guests)
{
	const struct evaluation *e;

	world_add_vm(&world, 0, "web1", GIB);
	world_add_policy(&world, "cordoned and not maintenance")->name = "one";
	world_add_policy(&world, "maintenance")->name = "two";
	world_add_policy(&world, "cordoned")->name = "three";
	e = evaluate(world.arena, &input);
	ck_assert_uint_eq(e->decision_count, 2);
	ck_assert_str_eq(e->decisions[0].policy->name, "two");
	ck_assert_uint_eq(e->decisions[0].item_count, 1);
	ck_assert_uint_eq(e->decisions[1].item_count, 0);
	ck_assert_ptr_eq(evaluate_find_drain(e, "kvm1"), &e->decisions[0]);
	world.settings.policies[1].mode = POLICY_OFF;
	ck_assert_str_eq(decide_one()->policy->name, "three");
	ck_assert_uint_eq(decide_one()->item_count, 1);
}
END_TEST

START_TEST(a_host_that_was_never_reached_is_neither_up_nor_down)
{
	world.s.hosts[0].up = false;
	world.s.hosts[0].known = false;
	world.s.host_count = 1;
	world_add_policy(&world, "not up");
	ck_assert_uint_eq(evaluate(world.arena, &input)->decision_count, 0);
	world.s.hosts[0].known = true;
	ck_assert_uint_eq(evaluate(world.arena, &input)->decision_count, 1);
}
END_TEST

START_TEST(a_hold_ends_by_itself)
{
	const struct evaluation *evaluation;

	world_add_policy(&world, "maintenance");
	world_add_vm(&world, 0, "a", GIB);
	holds[0] = (struct evaluate_hold){world.s.vms[0].uuid, {53000}};
	input.hold_count = 1;
	evaluation = evaluate(world.arena, &input);
	ck_assert_int_eq(evaluation->wake.ms, 53000);
	ck_assert_str_eq(
	    evaluation->decisions[0].items[0].why, "tried again in 3.0 s");
	input.now.ms = 53000;
	evaluation = evaluate(world.arena, &input);
	ck_assert_int_eq(evaluation->wake.ms, INT64_MAX);
	ck_assert_uint_eq(evaluation->decisions[0].starts, 1);
}
END_TEST

START_TEST(what_is_only_observed_wakes_nobody)
{
	world_add_policy(&world, "maintenance")->mode = POLICY_OBSERVE;
	world_add_vm(&world, 0, "a", GIB);
	holds[0] = (struct evaluate_hold){world.s.vms[0].uuid, {53000}};
	input.hold_count = 1;
	ck_assert_int_eq(evaluate(world.arena, &input)->wake.ms, INT64_MAX);
	ck_assert(!decide_one()->act);
}
END_TEST

static const struct {
	enum policy_order order;
	const char *names[3];
} orders[] = {
    {POLICY_ORDER_MEMORY_DESC, {"b", "c", "a"}},
    {POLICY_ORDER_MEMORY_ASC, {"a", "b", "c"}},
    {POLICY_ORDER_NAME, {"a", "b", "c"}},
};

START_TEST(guests_come_in_the_order_of_the_policy)
{
	const struct evaluate_decision *decision;

	world_add_policy(&world, "maintenance")->order = orders[_i].order;
	world_add_vm(&world, 0, "b", 4 * GIB); /* equal: by UUID */
	world_add_vm(&world, 0, "c", 4 * GIB);
	world_add_vm(&world, 0, "a", GIB);
	decision = decide_one();
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(
		    decision->items[i].vm->name, orders[_i].names[i]);
}
END_TEST

START_TEST(a_decision_names_policy_place_and_cause)
{
	struct snap_host *host = &world.s.hosts[0];

	world_add_policy(&world, "maintenance");
	ck_assert_str_eq(decide_one()->why,
	    "policy maintenance "
	    "(10-maintenance.yaml:9): \"maintenance\" is true of kvm1");
	host->flag_why = "new memory";
	host->flag_since.ms = 1795230000000;
	ck_assert_str_eq(decide_one()->why,
	    "policy maintenance "
	    "(10-maintenance.yaml:9): \"maintenance\" is true of kvm1 since "
	    "2026-11-21T03:00:00.000Z (new memory)");
}
END_TEST

static const struct {
	enum policy_handover handover;
	bool locked, strict;
} handovers[] = {
    {POLICY_HANDOVER_DEFAULT, true, false},
    {POLICY_HANDOVER_DEFAULT, false, true},
    {POLICY_HANDOVER_STRICT, true, true},
    {POLICY_HANDOVER_STRICT, false, true},
    {POLICY_HANDOVER_FAST, true, false},
    {POLICY_HANDOVER_FAST, false, false},
};

START_TEST(the_handover_is_strict_where_no_lock_protects)
{
	struct policy *policy = world_add_policy(&world, "maintenance");
	struct snap_vm *vm = world_add_vm(&world, 0, "web1", GIB);

	policy->handover = handovers[_i].handover;
	vm->disks[0].shareable = !handovers[_i].locked;
	ck_assert_int_eq(decide_one()->items[0].choice.strategy.strict,
	    handovers[_i].strict);
}
END_TEST

START_TEST(the_operators_pace_makes_more_waves)
{
	const struct plan *plan;

	world_add_policy(&world, "maintenance");
	for (int i = 0; i < 6; i++)
		world_add_vm(&world, 0, "a", GIB);
	plan = plan_drain(world.arena, &input, &world.s.hosts[0]);
	ck_assert_int_eq(plan->waves, 3);
	ck_assert_uint_eq(plan->movable, 6);
	drains[0] = (struct evaluate_drain){.host = "kvm1", .parallel = 1};
	input.drain_count = 1;
	plan = plan_drain(world.arena, &input, &world.s.hosts[0]);
	ck_assert_int_eq(plan->waves, 6);
}
END_TEST

START_TEST(a_limit_of_zero_gives_a_plan_without_waves)
{
	const struct plan *plan;

	world_add_policy(&world, "maintenance");
	world_add_vm(&world, 0, "a", GIB);
	world.s.hosts[0].outbound_limit = 0;
	plan = plan_drain(world.arena, &input, &world.s.hosts[0]);
	ck_assert_int_eq(plan->waves, 0);
	ck_assert_int_eq(plan->steps[0].item.fate, EVALUATE_WAIT);
	ck_assert_str_eq(
	    plan->steps[0].item.why, "limit outbound 0 of kvm1 reached");
}
END_TEST

START_TEST(a_plan_does_not_need_the_flag_and_does_not_set_it)
{
	const struct plan *plan;

	world.s.hosts[0].maintenance = false;
	world.s.hosts[0].cordoned = false;
	world_add_policy(&world, "maintenance");
	world_add_vm(&world, 0, "a", GIB);
	plan = plan_drain(world.arena, &input, &world.s.hosts[0]);
	ck_assert_str_eq(plan->policy->name, "maintenance");
	ck_assert_uint_eq(plan->movable, 1);
	ck_assert(!world.s.hosts[0].maintenance);
}
END_TEST

static const char *
get(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

START_TEST(a_decision_is_told_in_json)
{
	json_t *json;
	const json_t *item, *rejected;

	world_add_policy(&world, "maintenance");
	world_add_vm(&world, 0, "web1", GIB);
	world.s.hosts[1].cordoned = true;
	json = explain_decision(decide_one());
	ck_assert_str_eq(get(json, "host"), "kvm1");
	ck_assert_str_eq(get(json, "policy"), "maintenance");
	ck_assert_str_eq(get(json, "file"), "10-maintenance.yaml");
	ck_assert_str_eq(get(json, "mode"), "auto");
	ck_assert_int_eq(json_integer_value(json_object_get(json, "line")), 4);
	item = json_array_get(json_object_get(json, "items"), 0);
	ck_assert_str_eq(get(item, "vm"), "web1");
	ck_assert_str_eq(get(item, "from"), "kvm1");
	ck_assert_str_eq(get(item, "to"), "kvm3");
	ck_assert_str_eq(get(item, "fate"), "start");
	ck_assert_str_eq(get(item, "strategy"), "live-shared");
	ck_assert_str_eq(get(item, "storage"), "shared");
	ck_assert_str_eq(get(item, "handover"), "fast");
	contains(get(item, "why"), "kvm3 rather than kvm4");
	ck_assert_ptr_null(json_object_get(item, "wave"));
	rejected = json_array_get(json_object_get(item, "rejected"), 1);
	ck_assert_str_eq(get(rejected, "host"), "kvm2");
	ck_assert_str_eq(get(rejected, "rule"), "cordoned");
	ck_assert_str_eq(get(rejected, "why"), "cordoned");
	json_decref(json);
}
END_TEST

START_TEST(a_plan_is_told_in_json)
{
	const json_t *item;
	json_t *json;

	world_add_vm(&world, 0, "web1", GIB);
	json = explain_plan(plan_drain(world.arena, &input, &world.s.hosts[0]));
	ck_assert_ptr_null(json_object_get(json, "policy"));
	ck_assert_int_eq(json_integer_value(json_object_get(json, "waves")), 1);
	item = json_array_get(json_object_get(json, "steps"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(item, "wave")), 1);
	json_decref(json);
}
END_TEST

/* One local image, with a pool for it at kvm2 only. */
static struct snap_vm *
add_local_vm(void)
{
	static struct snap_proof proof = {
	    "kvm1", "images", "kvm2", "images", SNAP_VERDICT_REJECTED};
	struct snap_vm *vm = world_add_vm(&world, 0, "db1", GIB);

	vm->surveyed = true;
	vm->dirty_rate = 0;
	vm->disks[0] = (struct snap_disk){.target = "vda",
	    .kind = SNAP_DISK_FILE,
	    .source = "/pool/db1.raw",
	    .format = "raw",
	    .capacity = 10 * GIB,
	    .allocation = GIB,
	    .top_allocation = GIB,
	    .path_found = "/pool/db1.raw",
	    .pool_found = "images",
	    .volume_found = "db1.raw"};
	for (int i = 0; i < 2; i++) {
		struct snap_host *host = &world.s.hosts[i];

		host->pools[host->pool_count++] = (struct snap_pool){
		    "images", true, "dir", "/pool", NULL, 100 * GIB, 50 * GIB};
	}
	world.s.proofs = &proof;
	world.s.proof_count = 1;
	return vm;
}

START_TEST(a_plan_tells_how_and_what_goes_along)
{
	const json_t *item, *disk, *other, *rejected;
	json_t *json;

	world_add_policy(&world, "maintenance");
	add_local_vm();
	json = explain_plan(plan_drain(world.arena, &input, &world.s.hosts[0]));
	item = json_array_get(json_object_get(json, "steps"), 0);
	ck_assert_str_eq(get(item, "to"), "kvm2");
	ck_assert_str_eq(get(item, "strategy"), "live-copy");
	ck_assert_str_eq(get(item, "storage"), "local");
	ck_assert_str_eq(get(item, "handover"), "strict");
	ck_assert_int_eq(
	    json_integer_value(json_object_get(item, "disk_bytes")), GIB);
	ck_assert_int_gt(
	    json_integer_value(json_object_get(item, "predicted_ms")), 1000);
	ck_assert_int_gt(
	    json_integer_value(json_object_get(item, "predicted_downtime_ms")),
	    0);
	disk = json_array_get(json_object_get(item, "disks"), 0);
	ck_assert_str_eq(get(disk, "target"), "vda");
	ck_assert_str_eq(get(disk, "pool"), "images");
	ck_assert_str_eq(get(disk, "dest_path"), "/pool/db1.raw");
	other = json_array_get(json_object_get(item, "strategies"), 0);
	ck_assert_str_eq(get(other, "strategy"), "live-shared");
	ck_assert_str_eq(get(other, "rule"), "storage-shared");
	/* kvm3 has no pool for it. */
	rejected = json_array_get(json_object_get(item, "rejected"), 1);
	ck_assert_str_eq(get(rejected, "host"), "kvm3");
	ck_assert_str_eq(get(rejected, "rule"), "strategy");
	other = json_array_get(json_object_get(rejected, "strategies"), 1);
	ck_assert_str_eq(get(other, "strategy"), "live-copy");
	ck_assert_str_eq(get(other, "rule"), "target-pool");
	json_decref(json);
}
END_TEST

START_TEST(a_guest_is_explained_from_all_sides)
{
	const json_t *hosts, *host, *one;
	json_t *json;

	world.s.hosts[3].cordoned = true;
	json = explain_vm(world.arena, &input, add_local_vm(), NULL);
	ck_assert_str_eq(get(json, "vm"), "db1");
	ck_assert_str_eq(get(json, "from"), "kvm1");
	ck_assert_str_eq(get(json, "to"), "kvm2");
	ck_assert_str_eq(get(json, "strategy"), "live-copy");
	ck_assert_str_eq(get(json, "state"), "running");
	/* No policy would act: it is explained for an operator. */
	ck_assert_ptr_null(get(json, "policy"));
	ck_assert_ptr_null(get(json, "fate"));
	hosts = json_object_get(json, "hosts");
	ck_assert_uint_eq(json_array_size(hosts), 3);

	host = json_array_get(hosts, 0);
	ck_assert_str_eq(get(host, "host"), "kvm2");
	ck_assert(json_is_true(json_object_get(host, "ok")));
	ck_assert(json_is_true(json_object_get(host, "chosen")));
	one = json_array_get(json_object_get(host, "strategies"), 1);
	ck_assert(json_is_true(json_object_get(one, "ok")));
	ck_assert_ptr_nonnull(json_object_get(one, "predicted_ms"));
	/* Also the one that would come later, with its own forecast. */
	one = json_array_get(json_object_get(host, "strategies"), 2);
	ck_assert_str_eq(get(one, "strategy"), "restart");
	ck_assert(json_is_true(json_object_get(one, "ok")));
	ck_assert_ptr_nonnull(json_object_get(one, "predicted_downtime_ms"));

	/* A host that takes nobody is asked as well what else is wrong. */
	host = json_array_get(hosts, 2);
	ck_assert_str_eq(get(host, "host"), "kvm4");
	ck_assert_str_eq(get(host, "rule"), "cordoned");
	one = json_array_get(json_object_get(host, "strategies"), 1);
	ck_assert_str_eq(get(one, "rule"), "target-pool");
	json_decref(json);
}
END_TEST

START_TEST(a_guest_is_explained_as_its_policy_has_it)
{
	struct policy *policy = world_add_policy(&world, "maintenance");
	struct snap_vm *vm = add_local_vm();
	const json_t *hosts, *one;
	json_t *json;

	policy->strategies[0] = STRATEGY_LIVE_SHARED;
	policy->strategy_count = 1;
	json = explain_vm(world.arena, &input, vm, "kvm2");
	ck_assert_str_eq(get(json, "policy"), "maintenance");
	ck_assert_str_eq(get(json, "fate"), "blocked");
	hosts = json_object_get(json, "hosts");
	ck_assert_uint_eq(json_array_size(hosts), 1);
	one = json_array_get(
	    json_object_get(json_array_get(hosts, 0), "strategies"), 2);
	ck_assert_str_eq(get(one, "rule"), "not-allowed");
	json_decref(json);

	vm->state = DOMAIN_PAUSED;
	json = explain_vm(world.arena, &input, vm, NULL);
	ck_assert_str_eq(get(json, "rule"), "not-running");
	json_decref(json);
}
END_TEST

START_TEST(guests_that_are_off_are_listed_where_they_are_included)
{
	struct policy *policy = world_add_policy(&world, "maintenance");
	struct snap_vm *off = world_add_vm(&world, 0, "off", GIB);
	struct snap_vm *gone = world_add_vm(&world, 0, "gone", GIB);

	off->state = DOMAIN_SHUTOFF;
	gone->state = DOMAIN_SHUTOFF;
	gone->persistent = false;
	ck_assert_uint_eq(decide_one()->item_count, 0);
	policy->include_stopped = true;
	ck_assert_uint_eq(decide_one()->item_count, 1);
	ck_assert_int_eq(
	    decide_one()->items[0].choice.strategy.strategy, STRATEGY_RESTART);
	policy->include_stopped = false;
	drains[0] = (struct evaluate_drain){
	    .host = "kvm1", .parallel = -1, .include_stopped = true};
	input.drain_count = 1;
	ck_assert_uint_eq(decide_one()->item_count, 1);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("evaluate");
	TCase *tc = tcase_create("evaluate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, the_strictest_limit_holds_and_is_named, 0, ROWS(paces));
	tcase_add_test(tc, limits_combine_to_the_stricter_of_each);
	tcase_add_test(tc, moves_in_flight_count_against_the_limits);
	tcase_add_test(tc, the_first_policy_that_is_true_has_the_guests);
	tcase_add_test(
	    tc, a_host_that_was_never_reached_is_neither_up_nor_down);
	tcase_add_test(tc, a_hold_ends_by_itself);
	tcase_add_test(tc, what_is_only_observed_wakes_nobody);
	tcase_add_loop_test(
	    tc, guests_come_in_the_order_of_the_policy, 0, ROWS(orders));
	tcase_add_test(tc, a_decision_names_policy_place_and_cause);
	tcase_add_loop_test(tc, the_handover_is_strict_where_no_lock_protects,
	    0, ROWS(handovers));
	tcase_add_test(tc, the_operators_pace_makes_more_waves);
	tcase_add_test(tc, a_limit_of_zero_gives_a_plan_without_waves);
	tcase_add_test(tc, a_plan_does_not_need_the_flag_and_does_not_set_it);
	tcase_add_test(tc, a_decision_is_told_in_json);
	tcase_add_test(tc, a_plan_is_told_in_json);
	tcase_add_test(tc, a_plan_tells_how_and_what_goes_along);
	tcase_add_test(tc, a_guest_is_explained_from_all_sides);
	tcase_add_test(tc, a_guest_is_explained_as_its_policy_has_it);
	tcase_add_test(
	    tc, guests_that_are_off_are_listed_where_they_are_included);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
