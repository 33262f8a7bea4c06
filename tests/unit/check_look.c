/*
 * What each name of the vocabulary stands for, known and unknown, and what moves
 * that were handed out change.  A row says the value as expr_value_print() shows
 * it, so that also its unit is looked at.
 */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "decide/look.h"
#include "world.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define HOUR_MS INT64_C(3600000)
#define NOW_MS INT64_C(1800000000000)

static struct world world;
static struct snap_host *kvm1, *kvm2;
static struct snap_vm *web;
static struct look look;
static struct look_cluster cluster;
static struct snap_alert alert;

static const char *label_keys[] = {"rack"}, *label_values[] = {"r1"};

static void
setup(void)
{
	world_init(&world, 3);
	kvm1 = &world.s.hosts[0];
	kvm2 = &world.s.hosts[1];
	web = world_add_vm(&world, 0, "web", 4 * GIB);
	world_add_vm(&world, 1, "other", 4 * GIB);
	world.s.taken_wall = (struct wall){NOW_MS};
	alert = (struct snap_alert){.name = "DiskFailing",
	    .severity = "critical",
	    .label_keys = label_keys,
	    .label_values = label_values,
	    .label_count = 1};
	cluster = (struct look_cluster){0.125, 0.5, 3};
	look = (struct look){.s = &world.s,
	    .cluster = &cluster,
	    .host = kvm1,
	    .vm = web,
	    .target = kvm2,
	    .event = &alert,
	    .storage = "local",
	    .now = {NOW_MS},
	    .arena = world.arena};
}

static void
teardown(void)
{
	world_clear(&world);
}

/* The index of "cpu_after" of a scope; "labels.rack" is `labels`. */
static unsigned
index_of(enum expr_scope scope, const char *name, const char **out_label)
{
	const struct expr_vocabulary *words = expr_vocabulary_of(scope);

	*out_label = NULL;
	for (unsigned i = 0; i < words->count; i++) {
		if (words->names[i].labels &&
		    strncmp(name, "labels.", 7) == 0) {
			*out_label = name + 7;
			return i;
		}
		if (strcmp(words->names[i].name, name) == 0)
			return i;
	}
	ck_abort_msg("no name %s", name);
	return 0;
}

static void
expect(enum expr_scope scope, const char *name, const char *shown)
{
	const struct expr_vocabulary *words = expr_vocabulary_of(scope);
	const char *label;
	unsigned index = index_of(scope, name, &label);
	struct expr_value value = look_up(scope, index, label, &look);
	struct buf text = BUF_INIT(4096);

	expr_value_print(&value, &text);
	ck_assert_msg(strcmp(buf_str(&text), shown) == 0, "%s.%s: %s, not %s",
	    words->prefix, name, buf_str(&text), shown);
	ck_assert_msg(!value.known || value.type == words->names[index].type,
	    "%s.%s has another type than its own", words->prefix, name);
	buf_free(&text);
}

#define host_is(name, shown) expect(EXPR_SCOPE_HOST, name, shown)
#define vm_is(name, shown) expect(EXPR_SCOPE_VM, name, shown)
#define target_is(name, shown) expect(EXPR_SCOPE_TARGET, name, shown)
#define cluster_is(name, shown) expect(EXPR_SCOPE_CLUSTER, name, shown)
#define event_is(name, shown) expect(EXPR_SCOPE_EVENT, name, shown)

START_TEST(every_name_of_a_host_that_is_watched)
{
	kvm1->steal = 0.03;
	kvm1->swap_in = 2 << 20;
	kvm1->psi_cpu = 0.1;
	kvm1->psi_memory = 0.2;
	kvm1->psi_io = 0.3;
	kvm1->maintenance = true;
	kvm1->alerts = &alert;
	kvm1->alert_count = 1;
	kvm1->label_keys = label_keys;
	kvm1->label_values = label_values;
	kvm1->label_count = 1;
	kvm1->pools[kvm1->pool_count++] =
	    (struct snap_pool){.name = "default", .active = true};
	kvm1->pools[kvm1->pool_count++] = (struct snap_pool){.name = "iso"};
	host_is("name", "\"kvm1\"");
	host_is("up", "true");
	host_is("maintenance", "true");
	host_is("cordoned", "false");
	host_is("cpu", "25 %");
	host_is("steal", "3 %");
	host_is("memory", "6.2 %");
	host_is("memory.free", "60.0 GiB");
	host_is("swap_in", "2.0 MiB/s");
	host_is("psi.cpu", "10 %");
	host_is("psi.memory", "20 %");
	host_is("psi.io", "30 %");
	host_is("vms", "1");
	host_is("pools", "[\"default\"]");
	host_is("alerts", "[\"DiskFailing\"]");
	host_is("labels.rack", "\"r1\"");
	host_is("labels.row", "unknown");
}
END_TEST

START_TEST(what_is_not_measured_of_a_host_is_unknown)
{
	kvm1->cpu_smooth = kvm1->steal = kvm1->memory_smooth = kvm1->swap_in =
	    NAN;
	kvm1->memory_free = SNAPSHOT_UNKNOWN;
	kvm1->pools_known = false;
	host_is("cpu", "unknown");
	host_is("steal", "unknown");
	host_is("memory", "unknown");
	host_is("memory.free", "unknown");
	host_is("swap_in", "unknown");
	host_is("psi.cpu", "unknown");
	host_is("psi.memory", "unknown");
	host_is("psi.io", "unknown");
	host_is("pools", "unknown");
	host_is("vms", "1");
	host_is("alerts", "[]");
	kvm1->cpu_smooth = 1;
	kvm1->cpus = 0;
	host_is("cpu", "unknown");
}
END_TEST

START_TEST(a_host_that_is_down_or_never_listed_has_flags_and_no_figures)
{
	static const char *const figures[] = {"cpu", "steal", "memory",
	    "memory.free", "swap_in", "psi.cpu", "psi.memory", "psi.io", "vms",
	    "pools"};

	kvm1->psi_cpu = kvm1->psi_memory = kvm1->psi_io = 0;
	kvm1->cordoned = true;
	kvm1->up = false;
	host_is("up", "false");
	for (size_t i = 0; i < COUNT(figures); i++)
		host_is(figures[i], "unknown");
	host_is("cordoned", "true");
	host_is("maintenance", "false");
	host_is("name", "\"kvm1\"");
	kvm1->up = true;
	kvm1->known = false;
	for (size_t i = 0; i < COUNT(figures); i++)
		host_is(figures[i], "unknown");
	kvm1->up = false;
	host_is("up", "unknown");
	host_is("cordoned", "true");
}
END_TEST

START_TEST(every_name_of_a_guest_that_is_watched)
{
	web->cpu_smooth = 0.5;
	web->dirty_rate = 1 << 20;
	web->disk_iops = 120;
	web->net_rate = 3 << 20;
	web->hostdevs = 2;
	web->seen_since = (struct wall){NOW_MS - 2 * HOUR_MS};
	web->last_moved = (struct wall){NOW_MS - HOUR_MS};
	web->label_keys = label_keys;
	web->label_values = label_values;
	web->label_count = 1;
	web->disks[0].allocation = 3 * GIB;
	vm_is("name", "\"web\"");
	vm_is("state", "\"running\"");
	vm_is("cpu", "25 %");
	vm_is("memory", "4.0 GiB");
	vm_is("vcpus", "2");
	vm_is("dirty_rate", "1.0 MiB/s");
	vm_is("storage", "\"local\"");
	vm_is("disk.allocated", "3.0 GiB");
	vm_is("disk.iops", "120");
	vm_is("net", "3.0 MiB/s");
	vm_is("hostdev.count", "2");
	vm_is("age", "2 h 00 m");
	vm_is("last_moved", "1 h 00 m");
	vm_is("labels.rack", "\"r1\"");
	vm_is("labels.row", "unknown");
}
END_TEST

START_TEST(what_is_not_measured_of_a_guest_is_unknown)
{
	web->cpu_smooth = web->disk_iops = web->net_rate = NAN;
	web->dirty_rate = web->memory = SNAPSHOT_UNKNOWN;
	web->vcpus = 0;
	web->disks[0].allocation = SNAPSHOT_UNKNOWN;
	look.storage = NULL;
	vm_is("cpu", "unknown");
	vm_is("memory", "unknown");
	vm_is("vcpus", "unknown");
	vm_is("dirty_rate", "unknown");
	vm_is("storage", "unknown");
	vm_is("disk.allocated", "unknown");
	vm_is("disk.iops", "unknown");
	vm_is("net", "unknown");
	vm_is("age", "unknown");
	vm_is("last_moved", "unknown");
}
END_TEST

START_TEST(a_guest_that_never_moved_was_last_moved_when_it_was_first_seen)
{
	web->seen_since = (struct wall){NOW_MS - 2 * HOUR_MS};
	vm_is("last_moved", "2 h 00 m");
	/* The clock was put back. */
	web->seen_since = (struct wall){NOW_MS + HOUR_MS};
	vm_is("age", "0 ms");
}
END_TEST

START_TEST(a_medium_and_a_backing_image_are_no_disks_of_the_guest)
{
	web->disks[0].allocation = GIB;
	web->disks[web->disk_count++] =
	    (struct snap_disk){.target = "vda, backing 1",
		.backing = true,
		.allocation = SNAPSHOT_UNKNOWN};
	web->disks[web->disk_count++] = (struct snap_disk){
	    .target = "sda", .removable = true, .allocation = SNAPSHOT_UNKNOWN};
	vm_is("disk.allocated", "1.0 GiB");
	web->disks[web->disk_count++] =
	    (struct snap_disk){.target = "vdb", .allocation = 2 * GIB};
	vm_is("disk.allocated", "3.0 GiB");
	web->disk_count = 0;
	vm_is("disk.allocated", "0 B");
}
END_TEST

START_TEST(a_target_is_seen_without_and_with_the_guest)
{
	target_is("name", "\"kvm2\"");
	target_is("cpu", "25 %");
	target_is("memory", "6.2 %");
	target_is("memory.free", "60.0 GiB");
	target_is("vms", "1");
	web->cpu_smooth = 1.6;
	target_is("cpu_after", "35 %");
	target_is("vms_after", "2");
	/* 4 GiB and what QEMU needs, 96 MiB. */
	target_is("memory.free_after", "55.9 GiB");
	target_is("memory_after", "12.6 %");
	target_is("vms", "1");
}
END_TEST

START_TEST(nothing_changes_at_the_host_that_has_the_guest)
{
	look.target = kvm1;
	target_is("cpu_after", "25 %");
	target_is("memory_after", "6.2 %");
	target_is("memory.free_after", "60.0 GiB");
	target_is("vms_after", "1");
}
END_TEST

START_TEST(a_guest_that_is_off_brings_no_load)
{
	web->state = DOMAIN_SHUTOFF;
	web->cpu_smooth = NAN;
	target_is("cpu_after", "25 %");
	target_is("memory.free_after", "60.0 GiB");
	target_is("vms_after", "1");
}
END_TEST

START_TEST(a_guest_of_unknown_load_makes_what_follows_unknown)
{
	web->cpu_smooth = NAN;
	target_is("cpu", "25 %");
	target_is("cpu_after", "unknown");
	target_is("memory.free_after", "55.9 GiB");
	web->memory = SNAPSHOT_UNKNOWN;
	target_is("memory_after", "unknown");
	target_is("memory.free_after", "unknown");
	target_is("vms_after", "2");
}
END_TEST

START_TEST(after_is_unknown_where_the_host_or_the_guest_is)
{
	static const char *const after[] = {
	    "cpu_after", "memory_after", "memory.free_after", "vms_after"};

	look.vm = NULL;
	for (size_t i = 0; i < COUNT(after); i++)
		target_is(after[i], "unknown");
	look.vm = web;
	kvm2->up = false;
	for (size_t i = 0; i < COUNT(after); i++)
		target_is(after[i], "unknown");
}
END_TEST

START_TEST(moves_that_were_handed_out_count_for_both_hosts)
{
	struct place_ledger *ledger = place_ledger_new(world.arena, &world.s);

	web->cpu_smooth = 1.6;
	web->memory_rss = 2 * GIB;
	place_ledger_book(ledger, &world.s, web, kvm2, NULL);
	look.ledger = ledger;
	host_is("cpu", "15 %");
	host_is("memory", "3.1 %");
	host_is("memory.free", "62.0 GiB");
	host_is("vms", "0");
	target_is("cpu", "35 %");
	target_is("memory", "12.6 %");
	target_is("memory.free", "55.9 GiB");
	target_is("vms", "2");
	/* And one more guest on top of it. */
	look.vm = world_add_vm(&world, 0, "more", 4 * GIB);
	target_is("cpu_after", "38.1 %");
	target_is("memory.free_after", "51.8 GiB");
	target_is("vms_after", "3");
	look.ledger = NULL;
	host_is("cpu", "25 %");
}
END_TEST

START_TEST(memory_that_a_guest_leaves_behind_is_no_room_for_another)
{
	struct place_ledger *ledger;

	world_add_move(&world, web, "kvm3");
	ledger = place_ledger_new(world.arena, &world.s);
	look.ledger = ledger;
	look.target = kvm1;
	target_is("memory.free", "60.0 GiB");
	host_is("memory.free", "64.0 GiB");
	target_is("cpu", "21.9 %");
}
END_TEST

START_TEST(a_move_of_a_guest_that_has_arrived_changes_nothing)
{
	world_add_move(&world, web, "kvm2");
	web->host = 1;
	look.ledger = place_ledger_new(world.arena, &world.s);
	host_is("cpu", "25 %");
	target_is("cpu", "25 %");
	target_is("vms", "2");
}
END_TEST

START_TEST(a_move_of_unknown_load_makes_its_hosts_load_unknown)
{
	web->cpu_smooth = NAN;
	world_add_move(&world, web, "kvm2");
	look.ledger = place_ledger_new(world.arena, &world.s);
	host_is("cpu", "unknown");
	target_is("cpu", "unknown");
	target_is("memory.free", "55.9 GiB");
}
END_TEST

START_TEST(a_copy_of_a_host_is_looked_at_as_it)
{
	struct snap_host as_if = *kvm2;

	as_if.maintenance = true;
	look.host = &as_if;
	host_is("maintenance", "true");
	host_is("vms", "1");
}
END_TEST

START_TEST(a_guest_that_two_hosts_know_runs_on_one)
{
	struct snap_vm *twin = &world.s.vms[2];

	*twin = world.s.vms[1];
	twin->host = 2;
	twin->state = DOMAIN_PAUSED;
	world.s.vm_count = 3;
	look.host = &world.s.hosts[2];
	host_is("vms", "0");
	host_is("name", "\"kvm3\"");
	look.host = kvm2;
	host_is("vms", "1");
	snapshot_set_active(&world.s);
	host_is("vms", "1");
	look.host = &world.s.hosts[2];
	host_is("vms", "0");
}
END_TEST

START_TEST(every_name_of_the_cluster_and_of_an_event)
{
	cluster_is("cpu_stddev", "12.5 %");
	cluster_is("imbalance", "0.5");
	cluster_is("hosts_up", "3");
	event_is("type", "\"DiskFailing\"");
	event_is("severity", "\"critical\"");
	event_is("labels.rack", "\"r1\"");
	event_is("labels.row", "unknown");
	alert.severity = NULL;
	event_is("severity", "unknown");
}
END_TEST

START_TEST(what_is_not_spoken_about_is_unknown)
{
	look.cluster = NULL;
	look.host = look.target = NULL;
	look.vm = NULL;
	look.event = NULL;
	for (int scope = 0; scope < EXPR_SCOPE_COUNT; scope++) {
		const struct expr_vocabulary *words =
		    expr_vocabulary_of((enum expr_scope)scope);

		for (unsigned i = 0; i < words->count; i++)
			ck_assert_msg(
			    !look_up((enum expr_scope)scope, i, "rack", &look)
				 .known,
			    "%s.%s", words->prefix, words->names[i].name);
	}
}
END_TEST

START_TEST(the_deviation_is_of_hosts_that_answer)
{
	kvm1->cpu_smooth = 12; /* 75 % */
	kvm2->cpu_smooth = 4;  /* 25 % */
	world.s.hosts[2].up = false;
	look_at_cluster(&world.s, &cluster);
	cluster_is("cpu_stddev", "25 %");
	cluster_is("hosts_up", "2");
	world.s.hosts[2].up = true;
	world.s.hosts[2].cpu_smooth = NAN;
	look_at_cluster(&world.s, &cluster);
	cluster_is("cpu_stddev", "25 %");
	cluster_is("hosts_up", "3");
	kvm2->cpu_smooth = NAN;
	look_at_cluster(&world.s, &cluster);
	cluster_is("cpu_stddev", "unknown");
	cluster_is("imbalance", "unknown");
	cluster_is("hosts_up", "3");
}
END_TEST

START_TEST(an_even_cluster_has_no_imbalance_and_a_hot_host_makes_some)
{
	double even;

	world.s.vm_count = 0;
	for (size_t i = 0; i < 3; i++)
		world_add_vm(&world, i, "guest", 4 * GIB);
	look_at_cluster(&world.s, &cluster);
	ck_assert_double_eq_tol(cluster.cpu_stddev, 0, 1e-9);
	ck_assert_double_eq_tol(cluster.imbalance, 0, 1e-9);
	even = cluster.imbalance;
	kvm1->cpu_smooth = 12;
	look_at_cluster(&world.s, &cluster);
	ck_assert_double_gt(cluster.imbalance, even + 0.1);
	ck_assert_double_eq_tol(cluster.imbalance, cluster.cpu_stddev, 1e-9);
}
END_TEST

START_TEST(one_host_alone_is_even)
{
	world.s.host_count = 1;
	world.s.vm_count = 1;
	look_at_cluster(&world.s, &cluster);
	cluster_is("cpu_stddev", "0 %");
	world.s.host_count = 0;
	world.s.vm_count = 0;
	look_at_cluster(&world.s, &cluster);
	cluster_is("cpu_stddev", "unknown");
	cluster_is("hosts_up", "0");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    every_name_of_a_host_that_is_watched,
	    what_is_not_measured_of_a_host_is_unknown,
	    a_host_that_is_down_or_never_listed_has_flags_and_no_figures,
	    every_name_of_a_guest_that_is_watched,
	    what_is_not_measured_of_a_guest_is_unknown,
	    a_guest_that_never_moved_was_last_moved_when_it_was_first_seen,
	    a_medium_and_a_backing_image_are_no_disks_of_the_guest,
	    a_target_is_seen_without_and_with_the_guest,
	    nothing_changes_at_the_host_that_has_the_guest,
	    a_guest_that_is_off_brings_no_load,
	    a_guest_of_unknown_load_makes_what_follows_unknown,
	    after_is_unknown_where_the_host_or_the_guest_is,
	    moves_that_were_handed_out_count_for_both_hosts,
	    memory_that_a_guest_leaves_behind_is_no_room_for_another,
	    a_move_of_a_guest_that_has_arrived_changes_nothing,
	    a_move_of_unknown_load_makes_its_hosts_load_unknown,
	    a_copy_of_a_host_is_looked_at_as_it,
	    a_guest_that_two_hosts_know_runs_on_one,
	    every_name_of_the_cluster_and_of_an_event,
	    what_is_not_spoken_about_is_unknown,
	    the_deviation_is_of_hosts_that_answer,
	    an_even_cluster_has_no_imbalance_and_a_hot_host_makes_some,
	    one_host_alone_is_even,
	};
	Suite *suite = suite_create("look");
	TCase *tcase = tcase_create("look");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < COUNT(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
