/*
 * Figures of load on a fake clock: what smoothing makes of them, when they are
 * known, and what becomes of them when a guest moves.
 */

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/inventory.h"
#include "model/smooth.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define CONSTANT_MS 60000
#define STALE_MS 60000
#define A "aaaaaaaa-0000-0000-0000-000000000001"
#define NS 1e9

static struct inventory *inventory;
static struct snapshot *s;
static struct settings settings;
static int64_t now_ms;

/* What the hosts and the guest have counted so far. */
static double busy[2], guest_cpu, guest_delay, guest_net, guest_disk;
static double free_part[2];

static void
setup(void)
{
	static struct settings_host hosts[] = {
	    {.name = "kvm1", .uri = "qemu+tls://kvm1/system"},
	    {.name = "kvm2", .uri = "qemu+tls://kvm2/system"}};

	settings = (struct settings){.hosts = hosts,
	    .host_count = 2,
	    .sample_interval_ms = 10000,
	    .smoothing_ms = CONSTANT_MS};
	now_ms = 1000000;
	busy[0] = busy[1] = guest_cpu = guest_delay = guest_net = guest_disk =
	    0;
	free_part[0] = free_part[1] = 0.5;
	inventory = inventory_new();
	inventory_configure(inventory, &settings);
	s = NULL;
}

static void
teardown(void)
{
	snapshot_free(s);
	inventory_free(inventory);
}

static struct snapshot *
look(void)
{
	snapshot_free(s);
	s = inventory_snapshot(inventory, NULL, 0, NULL, 0,
	    (struct mono){now_ms}, (struct wall){1800000000000});
	return s;
}

static void *
make(size_t count, size_t size)
{
	void *p = calloc(count, size);

	ck_assert_ptr_nonnull(p);
	return p;
}

static char *
copy(const char *text)
{
	char *result = strdup(text);

	ck_assert_ptr_nonnull(result);
	return result;
}

static void
apply(size_t host, struct inventory_event event)
{
	event.host = host == 0 ? "kvm1" : "kvm2";
	event.now = (struct mono){now_ms};
	(void)inventory_apply(inventory, &event);
}

static void
fill_guest(struct facts_domain *domain, enum domain_state state)
{
	*domain = (struct facts_domain){.name = copy("web"),
	    .uuid = copy(A),
	    .state = state,
	    .job = DOMAIN_JOB_NONE,
	    .xml = copy("<domain type='kvm'><name>web</name><memory "
			"unit='GiB'>1</memory><vcpu>2</vcpu><os><type "
			"arch='x86_64' machine='q35'>hvm</type></os>"
			"</domain>")};
}

static void
fill_load(size_t host, struct facts_load *load)
{
	load->memory_total = (int64_t)10 << 30;
	load->memory_free =
	    (int64_t)(free_part[host] * (double)load->memory_total);
	load->cpu_busy_ns = (int64_t)(busy[host] * NS);
}

static void
list(size_t host, bool with_guest)
{
	struct facts_host *facts = make(1, sizeof(*facts));

	facts->cpus = 16;
	facts->domains = make(1, sizeof(facts->domains[0]));
	if (with_guest)
		fill_guest(
		    &facts->domains[facts->domain_count++], DOMAIN_RUNNING);
	fill_load(host, &facts->load);
	apply(host,
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = facts});
}

static void
read_guest(size_t host, enum domain_state state)
{
	struct facts_domain *domain = make(1, sizeof(*domain));

	fill_guest(domain, state);
	apply(host,
	    (struct inventory_event){
		.news = INVENTORY_DOMAIN_READ, .domain = domain});
}

static void
guest_gone(size_t host)
{
	apply(host,
	    (struct inventory_event){.news = INVENTORY_DOMAIN_GONE, .uuid = A});
}

static void
sample_host(size_t host)
{
	struct facts_load load = {0};

	fill_load(host, &load);
	apply(host,
	    (struct inventory_event){
		.news = INVENTORY_LOAD_READ, .load = &load});
}

static void
sample_guest(size_t host, bool disks)
{
	struct facts_load load = {.guests_only = true, .disks = disks};

	load.domains = make(1, sizeof(load.domains[0]));
	load.domain_count = 1;
	load.domains[0] = (struct facts_domain_load){.uuid = copy(A),
	    .cpu_ns = (int64_t)(guest_cpu * NS),
	    .vcpu_ns = (int64_t)(guest_cpu * NS) + 1,
	    .delay_ns = (int64_t)(guest_delay * NS),
	    .net_bytes = (int64_t)guest_net,
	    .disk_requests = disks ? (int64_t)guest_disk : FACTS_UNKNOWN};
	apply(host,
	    (struct inventory_event){
		.news = INVENTORY_LOAD_READ, .load = &load});
}

/* So many times 10 s: cores' worth of the first host, of the guest on it, and
 * of the second host. */
static void
run(int times, double first, double guest, double second)
{
	for (int i = 0; i < times; i++) {
		now_ms += 10000;
		busy[0] += first * 10;
		busy[1] += second * 10;
		guest_cpu += guest * 10;
		guest_delay += guest;
		guest_net += 10 * 1000;
		guest_disk += 10 * 50;
		sample_host(0);
		sample_host(1);
		sample_guest(0, i % FACTS_LOAD_DISKS_EVERY == 0);
	}
	look();
}

#define is_near(value, wanted) ck_assert_double_eq_tol(value, wanted, 1e-3)

/* ---- a figure ---- */

static struct smooth figure;

static double
after(double value, int64_t ms)
{
	now_ms += ms;
	smooth_add(&figure, value, ms, CONSTANT_MS, (struct mono){now_ms});
	return smooth_value(
	    &figure, CONSTANT_MS, STALE_MS, (struct mono){now_ms});
}

START_TEST(a_figure_is_known_after_two_measurements_and_half_the_constant)
{
	figure = (struct smooth){0};
	ck_assert(isnan(smooth_value(
	    &figure, CONSTANT_MS, STALE_MS, (struct mono){now_ms})));
	ck_assert(isnan(after(1, 10000)));
	ck_assert(isnan(after(1, 10000)));
	is_near(after(1, 10000), 1);
	/* One that is about a long time is one all the same. */
	figure = (struct smooth){0};
	ck_assert(isnan(after(1, 100000)));
	is_near(after(1, 1000), 1);
}
END_TEST

START_TEST(the_first_measurements_count_alike)
{
	figure = (struct smooth){0};
	after(0, 15000);
	ck_assert(fabs(after(1, 15000) - 0.5) < 0.07);
}
END_TEST

START_TEST(a_step_shows_to_63_percent_after_the_constant)
{
	figure = (struct smooth){0};
	for (int i = 0; i < 100; i++)
		after(0, 10000);
	for (int i = 0; i < 5; i++)
		after(1, 10000);
	is_near(after(1, 10000), 1 - exp(-1));
	for (int i = 0; i < 11; i++)
		after(1, 10000);
	is_near(after(1, 10000), 1 - exp(-3));
}
END_TEST

START_TEST(irregular_measurements_come_to_the_same)
{
	static const int64_t steps[] = {1000, 29000, 500, 4500, 15000, 10000};

	figure = (struct smooth){0};
	for (int i = 0; i < 100; i++)
		after(0, 10000);
	for (size_t i = 0; i + 1 < COUNT(steps); i++)
		after(1, steps[i]);
	is_near(after(1, steps[COUNT(steps) - 1]), 1 - exp(-1));
}
END_TEST

START_TEST(a_figure_goes_out_of_date)
{
	figure = (struct smooth){0};
	after(1, 30000);
	is_near(after(1, 30000), 1);
	now_ms += STALE_MS;
	is_near(
	    smooth_value(&figure, CONSTANT_MS, STALE_MS, (struct mono){now_ms}),
	    1);
	now_ms++;
	ck_assert(isnan(smooth_value(
	    &figure, CONSTANT_MS, STALE_MS, (struct mono){now_ms})));
}
END_TEST

START_TEST(what_says_nothing_changes_nothing)
{
	figure = (struct smooth){0};
	after(1, 30000);
	after(1, 30000);
	smooth_add(&figure, 9, 0, CONSTANT_MS, (struct mono){now_ms});
	smooth_add(&figure, NAN, 9, CONSTANT_MS, (struct mono){now_ms});
	is_near(after(1, 10000), 1);
	smooth_shift(&figure, -0.25);
	is_near(after(0.75, 1), 0.75);
	smooth_shift(&figure, -5);
	is_near(after(0, 1), 0);
}
END_TEST

/* ---- of hosts and guests ---- */

START_TEST(figures_are_unknown_until_enough_was_seen)
{
	look();
	ck_assert(isnan(s->hosts[0].cpu_smooth));
	list(0, true);
	list(1, false);
	run(2, 4, 2, 0);
	ck_assert(isnan(s->hosts[0].cpu_smooth));
	ck_assert(isnan(s->vms[0].cpu_smooth));
	ck_assert(!isnan(s->hosts[0].cpu_used));
	run(2, 4, 2, 0);
	is_near(s->hosts[0].cpu_smooth, 4);
	is_near(s->hosts[0].memory_smooth, 0.5);
	is_near(s->hosts[1].cpu_smooth, 0);
	is_near(s->vms[0].cpu_smooth, 2);
	is_near(s->vms[0].net_rate, 1000);
	ck_assert(isnan(s->vms[0].disk_iops));
	/* Of 1.1 parts that it could run, it waited for 0.1. */
	is_near(s->hosts[0].steal, 0.1 / 1.1);
	ck_assert(isnan(s->hosts[1].steal));
	ck_assert(isnan(s->hosts[0].swap_in));
}
END_TEST

static void
sample_pressure(double cpu, double memory, double io)
{
	struct facts_load load = {.pressure_only = true,
	    .psi_cpu = cpu,
	    .psi_memory = memory,
	    .psi_io = io};

	apply(0,
	    (struct inventory_event){
		.news = INVENTORY_LOAD_READ, .load = &load});
}

START_TEST(pressure_is_known_from_the_first_reading_until_it_is_old)
{
	list(0, true);
	list(1, false);
	run(3, 4, 2, 0);
	ck_assert(isnan(s->hosts[0].psi_cpu));
	sample_pressure(0.25, 0, 0.5);
	look();
	is_near(s->hosts[0].psi_cpu, 0.25);
	is_near(s->hosts[0].psi_memory, 0);
	is_near(s->hosts[0].psi_io, 0.5);
	ck_assert(isnan(s->hosts[1].psi_cpu));
	/* It says nothing of the rest, and the rest nothing of it. */
	is_near(s->hosts[0].cpu_smooth, 4);
	is_near(s->hosts[0].memory_smooth, 0.5);
	run(3 * FACTS_PRESSURE_EVERY, 4, 2, 0);
	is_near(s->hosts[0].psi_cpu, 0.25);
	run(1, 4, 2, 0);
	ck_assert(isnan(s->hosts[0].psi_cpu));
	ck_assert(isnan(s->hosts[0].psi_memory));
	ck_assert(isnan(s->hosts[0].psi_io));
}
END_TEST

START_TEST(disks_are_known_though_they_are_read_rarely)
{
	list(0, true);
	list(1, false);
	run(3 * FACTS_LOAD_DISKS_EVERY + 5, 4, 2, 0);
	is_near(s->vms[0].disk_iops, 50);
}
END_TEST

START_TEST(a_spike_hardly_shows)
{
	list(0, true);
	list(1, false);
	run(60, 2, 1, 0);
	run(1, 16, 1, 0);
	ck_assert_double_lt(s->hosts[0].cpu_smooth, 5);
	is_near(s->hosts[0].cpu_used, 16);
	run(18, 16, 1, 0);
	ck_assert_double_gt(s->hosts[0].cpu_smooth, 15);
}
END_TEST

START_TEST(figures_that_do_not_come_any_more_are_unknown)
{
	list(0, true);
	list(1, false);
	run(10, 4, 2, 1);
	now_ms += 60000;
	look();
	is_near(s->hosts[0].cpu_smooth, 4);
	now_ms++;
	look();
	ck_assert(isnan(s->hosts[0].cpu_smooth));
	ck_assert(isnan(s->hosts[0].memory_smooth));
	ck_assert(isnan(s->hosts[0].steal));
	ck_assert(isnan(s->vms[0].cpu_smooth));
	ck_assert(isnan(s->vms[0].net_rate));
}
END_TEST

START_TEST(with_a_long_interval_figures_live_longer)
{
	settings.sample_interval_ms = 60000;
	inventory_configure(inventory, &settings);
	list(0, true);
	list(1, false);
	run(10, 4, 2, 1);
	now_ms += 180000;
	is_near(look()->hosts[0].cpu_smooth, 4);
	now_ms++;
	ck_assert(isnan(look()->hosts[0].cpu_smooth));
}
END_TEST

START_TEST(a_host_that_was_booted_counts_on)
{
	list(0, true);
	list(1, false);
	run(10, 4, 2, 1);
	busy[0] = 0;
	run(1, 0, 2, 1);
	is_near(s->hosts[0].cpu_smooth, 4);
	run(30, 2, 2, 1);
	ck_assert(fabs(s->hosts[0].cpu_smooth - 2) < 0.1);
}
END_TEST

START_TEST(a_guest_takes_its_load_along)
{
	list(0, true);
	list(1, false);
	run(60, 6, 2, 1);
	/* It arrives paused, and nothing has changed. */
	read_guest(1, DOMAIN_PAUSED);
	look();
	is_near(s->hosts[0].cpu_smooth, 6);
	is_near(s->hosts[1].cpu_smooth, 1);
	read_guest(1, DOMAIN_RUNNING);
	read_guest(0, DOMAIN_SHUTOFF);
	look();
	is_near(s->hosts[0].cpu_smooth, 4);
	is_near(s->hosts[1].cpu_smooth, 3);
	is_near(s->hosts[0].memory_smooth, 0.4);
	is_near(s->hosts[1].memory_smooth, 0.6);
	ck_assert_uint_eq(s->vms[1].host, 1);
	is_near(s->vms[1].cpu_smooth, 2);
	ck_assert(isnan(s->vms[0].cpu_smooth));
	guest_gone(0);
	is_near(look()->hosts[0].cpu_smooth, 4);
}
END_TEST

START_TEST(a_guest_that_vanishes_takes_its_load_along)
{
	list(0, true);
	list(1, false);
	run(60, 6, 2, 1);
	guest_gone(0);
	is_near(look()->hosts[0].cpu_smooth, 4);
	read_guest(1, DOMAIN_RUNNING);
	is_near(look()->hosts[1].cpu_smooth, 3);
	/* What the listing does not have is gone as well. */
	list(1, false);
	is_near(look()->hosts[1].cpu_smooth, 1);
}
END_TEST

START_TEST(a_load_never_falls_below_none)
{
	list(0, true);
	list(1, false);
	run(60, 1, 2, 1);
	guest_gone(0);
	is_near(look()->hosts[0].cpu_smooth, 0);
}
END_TEST

START_TEST(a_guest_that_was_just_started_brings_no_load_that_is_known)
{
	list(0, true);
	list(1, false);
	run(60, 6, 2, 1);
	read_guest(0, DOMAIN_SHUTOFF);
	is_near(look()->hosts[0].cpu_smooth, 4);
	for (int i = 0; i < 7; i++) {
		now_ms += 10000;
		busy[0] += 40;
		sample_host(0);
	}
	read_guest(0, DOMAIN_RUNNING);
	look();
	is_near(s->hosts[0].cpu_smooth, 4);
	ck_assert(isnan(s->vms[0].cpu_smooth));
}
END_TEST

START_TEST(a_guest_is_as_old_as_it_is_known_also_where_it_moved_to)
{
	int64_t seen;

	list(0, true);
	list(1, false);
	seen = look()->vms[0].seen_since.ms;
	ck_assert_int_eq(seen, 1800000000000);
	now_ms += 5000;
	read_guest(1, DOMAIN_RUNNING);
	guest_gone(0);
	look();
	ck_assert_uint_eq(s->vm_count, 1);
	ck_assert_uint_eq(s->vms[0].host, 1);
	ck_assert_int_eq(s->vms[0].seen_since.ms, seen - 5000);
}
END_TEST

START_TEST(what_is_not_told_is_unknown)
{
	list(0, true);
	list(1, false);
	for (int i = 0; i < 20; i++) {
		struct facts_load load = {.guests_only = true, .disks = true};

		now_ms += 10000;
		load.domains = make(1, sizeof(load.domains[0]));
		load.domain_count = 1;
		load.domains[0] = (struct facts_domain_load){.uuid = copy(A),
		    .cpu_ns = FACTS_UNKNOWN,
		    .delay_ns = FACTS_UNKNOWN,
		    .net_bytes = FACTS_UNKNOWN,
		    .disk_requests = FACTS_UNKNOWN};
		apply(0,
		    (struct inventory_event){
			.news = INVENTORY_LOAD_READ, .load = &load});
	}
	look();
	ck_assert(isnan(s->vms[0].cpu_smooth));
	ck_assert(isnan(s->vms[0].net_rate));
	ck_assert(isnan(s->vms[0].disk_iops));
	ck_assert(isnan(s->hosts[0].steal));
	/* The guests' news says nothing of their host. */
	ck_assert_int_eq(s->hosts[0].memory_total, (int64_t)10 << 30);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_figure_is_known_after_two_measurements_and_half_the_constant,
	    the_first_measurements_count_alike,
	    a_step_shows_to_63_percent_after_the_constant,
	    irregular_measurements_come_to_the_same,
	    a_figure_goes_out_of_date,
	    what_says_nothing_changes_nothing,
	    figures_are_unknown_until_enough_was_seen,
	    pressure_is_known_from_the_first_reading_until_it_is_old,
	    disks_are_known_though_they_are_read_rarely,
	    a_spike_hardly_shows,
	    figures_that_do_not_come_any_more_are_unknown,
	    with_a_long_interval_figures_live_longer,
	    a_host_that_was_booted_counts_on,
	    a_guest_takes_its_load_along,
	    a_guest_that_vanishes_takes_its_load_along,
	    a_load_never_falls_below_none,
	    a_guest_that_was_just_started_brings_no_load_that_is_known,
	    a_guest_is_as_old_as_it_is_known_also_where_it_moved_to,
	    what_is_not_told_is_unknown,
	};
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");
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
