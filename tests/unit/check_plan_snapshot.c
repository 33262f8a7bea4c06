/*
 * The daemon's snapshot as the planner's cluster: the same that a file of it
 * would give, and what no file holds.
 */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/place.h"
#include "plan/evacuate.h"
#include "plan/from_snapshot.h"
#include "plan/read.h"
#include "plan/write.h"
#include "placement_fixture.h"

static struct world w;

static void
setup(void)
{
	world_init(&w, 4);
}

static void
teardown(void)
{
	world_clear(&w);
}

static struct plan_cluster *
see(void)
{
	return plan_from_snapshot(w.arena, &w.s, &w.settings);
}

static struct plan_cluster *
write_and_read(void)
{
	json_t *json = plan_write_snapshot(&w.s, &w.settings);
	struct plan_cluster *cluster;
	struct diag_list diags;
	char *words;

	diag_init(&diags);
	json_object_set_new(json, "schema", json_string("drover/v1"));
	words = json_dumps(json, JSON_REAL_PRECISION(17));
	cluster = plan_read(w.arena, "s.json", words, strlen(words), &diags);
	ck_assert_msg(cluster != NULL, "%s",
	    diags.count > 0 ? diags.items[0].text : "no cluster");
	diag_free(&diags);
	free(words);
	json_decref(json);
	return cluster;
}

static void
expect_same_load(double a, double b)
{
	if (isnan(a))
		ck_assert(isnan(b));
	else
		ck_assert_double_eq(a, b);
}

static void
expect_same(const struct plan_cluster *a, const struct plan_cluster *b)
{
	ck_assert_uint_eq(a->host_count, b->host_count);
	ck_assert_uint_eq(a->guest_count, b->guest_count);
	ck_assert_uint_eq(a->apart_count, b->apart_count);
	ck_assert_mem_eq(&a->limits, &b->limits, sizeof(a->limits));
	for (uint32_t i = 0; i < a->host_count; i++) {
		const struct plan_host *x = &a->hosts[i], *y = &b->hosts[i];

		ck_assert_str_eq(x->name, y->name);
		ck_assert_double_eq(x->cpus, y->cpus);
		expect_same_load(x->cpu_used, y->cpu_used);
		ck_assert_int_eq(x->memory, y->memory);
		ck_assert_int_eq(x->disk, y->disk);
		ck_assert_int_eq(x->accepts, y->accepts);
		ck_assert_int_eq(x->up, y->up);
		ck_assert_int_eq(x->limit_in, y->limit_in);
		ck_assert_int_eq(x->limit_out, y->limit_out);
		ck_assert_uint_eq(x->group, y->group);
	}
	for (uint32_t i = 0; i < a->guest_count; i++) {
		const struct plan_guest *x = &a->guests[i], *y = &b->guests[i];

		ck_assert_str_eq(x->name, y->name);
		ck_assert_str_eq(x->uuid, y->uuid);
		ck_assert_uint_eq(x->host, y->host);
		expect_same_load(x->cpu, y->cpu);
		ck_assert_int_eq(x->vcpus, y->vcpus);
		ck_assert_int_eq(x->memory, y->memory);
		ck_assert_int_eq(x->overhead, y->overhead);
		ck_assert_int_eq(x->disk, y->disk);
		ck_assert_int_eq(x->dirty_rate, y->dirty_rate);
		ck_assert_int_eq(x->runs, y->runs);
		ck_assert_int_eq(x->stays, y->stays);
		ck_assert_int_eq(x->way, y->way);
		ck_assert_uint_eq(x->apart, y->apart);
		ck_assert_ptr_null(x->allowed);
		ck_assert_ptr_null(y->allowed);
	}
}

/* Hosts and guests of every kind that the two ways could see differently. */
static void
fill(void)
{
	static const char *pins[] = {"PCI passthrough 0000:3b:00.0"};
	struct snap_vm *vm, *twin;

	w.settings.limits.bandwidth = 123456789;
	for (size_t i = 0; i < 2; i++) {
		w.s.hosts[i].pools[0] = (struct snap_pool){.name = "a",
		    .active = true,
		    .type = "dir",
		    .path = "/var/lib/a",
		    .available = 20 * GIB};
		w.s.hosts[i].pool_count = 1;
	}
	w.s.hosts[0].cpu_smooth = 7.25;
	w.s.hosts[0].outbound_limit = 3;
	w.s.hosts[1].maintenance = w.s.hosts[1].cordoned = true;
	w.s.hosts[2].inbound_limit = 0;
	w.s.hosts[2].silent_ms = SNAPSHOT_SILENT_MS;
	w.s.hosts[2].cpu_used = NAN;
	w.s.hosts[3].known = false;
	vm = world_add_vm(&w, 0, "web1", 2 * GIB);
	vm->cpu_smooth = 0.75;
	vm->dirty_rate = 4096;
	placement_label_guest(&w, vm, "app", "web");
	vm = world_add_vm(&w, 1, "web2", 2 * GIB);
	placement_label_guest(&w, vm, "app", "web");
	vm = world_add_vm(&w, 0, "copied", 3 * GIB);
	vm->disks[0].source = "/var/lib/a/copied";
	vm->disks[0].allocation = 5 * GIB;
	vm = world_add_vm(&w, 0, "unknown-disk", 3 * GIB);
	vm->disks[0].source = "/var/lib/a/unknown";
	vm->disks[0].allocation = SNAPSHOT_UNKNOWN;
	vm = world_add_vm(&w, 2, "off", GIB);
	vm->state = DOMAIN_SHUTOFF;
	vm->cpu_used = NAN;
	vm = world_add_vm(&w, 0, "pinned", GIB);
	vm->pins = pins;
	vm->pin_count = 1;
	vm = world_add_vm(&w, 0, "moved", GIB);
	placement_label_guest(&w, vm, "app", "db");
	/* The definition that it left at its old host. */
	twin = world_add_vm(&w, 1, "moved", GIB);
	twin->uuid = vm->uuid;
	twin->state = DOMAIN_SHUTOFF;
	(void)world_add_vm(&w, 3, "never listed", GIB);
	(void)world_add_vm(&w, 0, "no size", 0);
}

START_TEST(a_cluster_is_that_of_the_file_of_the_same_snapshot)
{
	fill();
	placement_add_rule(&w, PLACEMENT_APART, "app");
	expect_same(see(), write_and_read());
	ck_assert_uint_eq(see()->guest_count, 7);
	ck_assert_double_eq(see()->hosts[0].cpu_used, 7.25);
	ck_assert_double_eq(see()->guests[0].cpu, 0.75);
}
END_TEST

START_TEST(what_moves_stays_and_its_room_at_the_target_is_taken)
{
	const struct plan_cluster *c;
	struct snap_vm *vm;

	fill();
	vm = &w.s.vms[0];
	world_add_move(&w, vm, "kvm2");
	w.s.moves[0].disk = 6 * GIB;
	c = see();
	ck_assert(c->guests[0].stays);
	ck_assert_uint_eq(c->guests[0].host, 0);
	ck_assert_int_eq(
	    c->hosts[1].memory, 63 * GIB - place_memory_need(2 * GIB));
	ck_assert_int_eq(c->hosts[1].disk, 14 * GIB);

	/* It has arrived: what it takes is a guest's, and no move's. */
	vm->host = 1;
	c = see();
	ck_assert_uint_eq(c->guests[0].host, 1);
	ck_assert_int_eq(c->hosts[1].memory, 63 * GIB);
}
END_TEST

START_TEST(guests_of_one_value_are_one_class_where_the_rule_is_about_them)
{
	const struct plan_cluster *c;
	struct placement *rule;

	placement_label_guest(&w, world_add_vm(&w, 0, "a", GIB), "app", "web");
	placement_label_guest(&w, world_add_vm(&w, 1, "b", GIB), "app", "web");
	placement_label_guest(&w, world_add_vm(&w, 1, "c", GIB), "app", "db");
	placement_label_guest(
	    &w, world_add_vm(&w, 1, "small", 1), "app", "web");
	(void)world_add_vm(&w, 1, "e", GIB);
	rule = placement_add_rule(&w, PLACEMENT_APART, "app");
	rule->vms = placement_compile(&w, "memory >= 1GiB", false);
	c = see();
	ck_assert_uint_eq(c->guests[0].apart, c->guests[1].apart);
	ck_assert_uint_ne(c->guests[0].apart, c->guests[2].apart);
	ck_assert(c->guests[0].apart < c->apart_count);
	ck_assert(c->guests[2].apart < c->apart_count);
	ck_assert_uint_eq(c->guests[3].apart, PLAN_NONE);
	ck_assert_uint_eq(c->guests[4].apart, PLAN_NONE);

	rule->hard = false;
	ck_assert_uint_eq(see()->guests[0].apart, PLAN_NONE);
}
END_TEST

START_TEST(classes_of_two_rules_with_a_guest_in_common_are_one)
{
	static const char *keys[] = {"app", "tier"}, *values[] = {"web", "x"};
	const struct plan_cluster *c;
	struct snap_vm *both;

	placement_label_guest(&w, world_add_vm(&w, 0, "a", GIB), "app", "web");
	both = world_add_vm(&w, 1, "both", GIB);
	both->label_keys = keys;
	both->label_values = values;
	both->label_count = 2;
	placement_label_guest(&w, world_add_vm(&w, 2, "c", GIB), "tier", "x");
	placement_label_guest(&w, world_add_vm(&w, 3, "d", GIB), "tier", "y");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	placement_add_rule(&w, PLACEMENT_APART, "tier");
	c = see();
	ck_assert_uint_eq(c->guests[0].apart, c->guests[1].apart);
	ck_assert_uint_eq(c->guests[1].apart, c->guests[2].apart);
	ck_assert_uint_ne(c->guests[2].apart, c->guests[3].apart);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(c->guests[i].apart < c->apart_count);
}
END_TEST

static bool
is_allowed(const struct plan_guest *guest, uint32_t host)
{
	return (guest->allowed[host / 64] >> host % 64 & 1) != 0;
}

START_TEST(a_rule_of_hosts_leaves_those_for_which_it_is_true)
{
	const struct plan_cluster *c;
	struct placement *rule;

	w.s.hosts[0].known = false; /* so that indexes differ */
	placement_label_host(&w, 1, "licensed", "yes");
	placement_label_host(&w, 2, "licensed", "no");
	(void)world_add_vm(&w, 1, "oracle1", GIB);
	(void)world_add_vm(&w, 1, "oracle2", GIB);
	(void)world_add_vm(&w, 2, "web", GIB);
	rule = placement_add_rule(&w, PLACEMENT_HOSTS, NULL);
	rule->vms = placement_compile(&w, "name like \"oracle*\"", false);
	rule->hosts = placement_compile(&w, "labels.licensed = \"yes\"", true);
	c = see();
	ck_assert(is_allowed(&c->guests[0], 0));
	ck_assert(!is_allowed(&c->guests[0], 1));
	/* It has no such label, and unknown is not true. */
	ck_assert(!is_allowed(&c->guests[0], 2));
	ck_assert_ptr_eq(c->guests[0].allowed, c->guests[1].allowed);
	ck_assert_ptr_null(c->guests[2].allowed);

	/* One that depends on the guest: each has its own. */
	rule->hosts = placement_compile(
	    &w, "vm.name = \"oracle1\" or name = \"kvm4\"", true);
	c = see();
	ck_assert(is_allowed(&c->guests[0], 1));
	ck_assert(!is_allowed(&c->guests[1], 1));
	ck_assert(is_allowed(&c->guests[1], 2));
}
END_TEST

START_TEST(hosts_of_one_value_of_the_spread_label_are_one_group)
{
	const struct plan_cluster *c;

	placement_label_host(&w, 0, "rack", "r1");
	placement_label_host(&w, 1, "rack", "r2");
	placement_label_host(&w, 2, "rack", "r1");
	ck_assert_uint_eq(see()->hosts[0].group, PLAN_NONE);
	placement_add_rule(&w, PLACEMENT_SPREAD, "rack");
	c = see();
	ck_assert_uint_eq(c->hosts[0].group, c->hosts[2].group);
	ck_assert_uint_ne(c->hosts[0].group, c->hosts[1].group);
	ck_assert_uint_eq(c->hosts[3].group, PLAN_NONE);
}
END_TEST

START_TEST(a_plan_of_the_snapshot_keeps_guests_apart)
{
	struct plan_result result;

	placement_label_guest(
	    &w, world_add_vm(&w, 0, "web1", GIB), "app", "web");
	placement_label_guest(
	    &w, world_add_vm(&w, 1, "web2", GIB), "app", "web");
	placement_label_guest(
	    &w, world_add_vm(&w, 2, "web3", GIB), "app", "web");
	placement_add_rule(&w, PLACEMENT_APART, "app");
	plan_evacuate(
	    w.arena, see(), 0, &(struct plan_evacuate_options){0}, &result);
	ck_assert_uint_eq(result.move_count, 1);
	ck_assert_uint_eq(result.moves[0].to, 3);
}
END_TEST

START_TEST(a_host_of_unknown_size_is_no_target)
{
	const struct plan_cluster *c;

	w.s.hosts[1].memory_total = SNAPSHOT_UNKNOWN;
	w.s.hosts[2].cpus = SNAPSHOT_UNKNOWN;
	c = see();
	ck_assert(c->hosts[0].accepts);
	ck_assert(!c->hosts[1].accepts && !c->hosts[1].up);
	ck_assert(!c->hosts[2].accepts && c->hosts[2].cpus > 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_snapshot");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_cluster_is_that_of_the_file_of_the_same_snapshot);
	tcase_add_test(
	    tc, what_moves_stays_and_its_room_at_the_target_is_taken);
	tcase_add_test(
	    tc, guests_of_one_value_are_one_class_where_the_rule_is_about_them);
	tcase_add_test(tc, classes_of_two_rules_with_a_guest_in_common_are_one);
	tcase_add_test(tc, a_rule_of_hosts_leaves_those_for_which_it_is_true);
	tcase_add_test(
	    tc, hosts_of_one_value_of_the_spread_label_are_one_group);
	tcase_add_test(tc, a_plan_of_the_snapshot_keeps_guests_apart);
	tcase_add_test(tc, a_host_of_unknown_size_is_no_target);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
