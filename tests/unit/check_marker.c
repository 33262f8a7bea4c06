/*
 * Proofs by markers on hosts of a fake, with a real store: what is told of pools
 * that are one and of pools that are two, and what is left in them.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/marker.h"
#include "base/log.h"
#include "base/str.h"
#include "fake_hv.h"

#define DEADLINE_MS 20000
#define HOSTS 3

static char dir[64];
static struct loop *loop;
static struct workers *workers;
static struct settings *settings;
static struct inventory *inventory;
static struct store *store;
static struct link *links[HOSTS];
static struct marker *marker;
static int answered;
static int64_t phase_ms, doubt_ms;

#define CONFIG(storage)                                                        \
	"version: 1\n"                                                         \
	"site: lab\n"                                                          \
	"storage: " storage "\n"                                               \
	"hosts:\n"                                                             \
	"  - { name: kvm1, uri: qemu+tcp://kvm1.example.org/system }\n"        \
	"  - { name: kvm2, uri: qemu+tcp://kvm2.example.org/system }\n"        \
	"  - { name: kvm3, uri: qemu+tcp://kvm3.example.org/system }\n"

/* ---- wires ---- */

static struct link *
find_link(const char *host, void *arg)
{
	(void)arg;
	return links[host[strlen(host) - 1] - '1'];
}

static struct snapshot *
look(void *arg)
{
	(void)arg;
	return inventory_snapshot(
	    inventory, NULL, 0, NULL, 0, clock_mono_now(), clock_wall_now());
}

static void
on_answered(void *arg)
{
	(void)arg;
	answered++;
}

static void
on_listed(const char *host, struct facts_host *facts, void *arg)
{
	(void)host;
	(void)arg;
	facts_host_free(facts);
}

static void
on_lost(const char *host, const char *why, void *arg)
{
	(void)host;
	(void)why;
	(void)arg;
}

static void
on_load(const char *host, struct facts_load *load, void *arg)
{
	(void)host;
	(void)arg;
	facts_load_clear(load);
	free(load);
}

static void
on_silent(const char *host, int64_t ms, void *arg)
{
	(void)host;
	(void)ms;
	(void)arg;
}

static const struct link_callbacks callbacks = {
    .listed = on_listed, .lost = on_lost, .load = on_load, .silent = on_silent};

/* ---- waiting ---- */

struct until {
	bool (*holds)(void);
	struct loop_timer *timer;
	struct mono deadline;
};

static void
until_look(void *arg)
{
	struct until *until = arg;

	if (until->holds() || mono_before(until->deadline, clock_mono_now()))
		loop_stop(loop);
	else
		loop_timer_set(until->timer, 2);
}

#define run_until(holds) run_until_(holds, #holds, __LINE__)
static void
run_until_(bool (*holds)(void), const char *name, int line)
{
	struct until until = {
	    holds, NULL, mono_add(clock_mono_now(), DEADLINE_MS)};

	until.timer = loop_timer_new(loop, until_look, &until);
	loop_timer_set(until.timer, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_timer_free(until.timer);
	ck_assert_msg(holds(), "line %d: %s did not come", line, name);
}

static bool
all_up(void)
{
	bool up = true;

	for (int i = 0; i < HOSTS; i++)
		up = up && link_is_up(links[i]);
	return up;
}
static bool
all_closed(void)
{
	return fake_closed() == fake_opened();
}

/* ---- building ---- */

static void
configure(const char *config)
{
	struct settings_file file = {
	    SETTINGS_MAIN, "drover.yaml", config, strlen(config)};
	struct diag_list diags;

	settings_free(settings);
	diag_init(&diags);
	settings = settings_parse(&file, 1, dir, &diags);
	ck_assert_ptr_nonnull(settings);
	diag_free(&diags);
	inventory_configure(inventory, settings);
}

static void
begin(void)
{
	marker = marker_new(&(struct marker_deps){.loop = loop,
	    .inventory = inventory,
	    .store = store,
	    .link = find_link,
	    .look = look,
	    .answered = on_answered,
	    .gap_ms = 10,
	    .phase_ms = phase_ms,
	    .doubt_ms = doubt_ms,
	    .sweep_ms = 20});
	marker_configure(marker, settings);
}

static void
go(void)
{
	struct snapshot *s = look(NULL);

	marker_run(marker, s);
	snapshot_free(s);
}

static void
setup(void)
{
	struct err err = {0};

	strcpy(dir, "/tmp/check_marker.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	log_set_level(getenv("DROVER_TEST_LOG") != NULL ? LOG_LEVEL_DEBUG
							: LOG_LEVEL_ERROR);
	fake_reset();
	answered = 0;
	phase_ms = doubt_ms = 1000000;
	store = store_open(dir, &err);
	ck_assert_msg(store != NULL, "%s", err.msg);
	inventory = inventory_new();
	settings = NULL;
	configure(CONFIG("{ proof: marker }"));
	loop = loop_new();
	workers = workers_new(loop);
	for (int i = 0; i < HOSTS; i++) {
		char name[16], uri[32];

		(void)snprintf(name, sizeof(name), "kvm%d", i + 1);
		(void)snprintf(uri, sizeof(uri), "fake://kvm%d", i + 1);
		links[i] = link_new(
		    loop, workers, &fake_hv, name, uri, 0, &callbacks, NULL);
	}
	run_until(all_up);
	begin();
}

static void
teardown(void)
{
	char command[128];

	for (int i = 0; i < FAKE_CALLS; i++)
		fake_let_go((enum fake_call)i);
	for (int i = 0; i < HOSTS; i++) {
		link_close(links[i]);
		links[i] = NULL;
	}
	run_until(all_closed);
	workers_free(workers, DEADLINE_MS);
	loop_drain(loop);
	marker_free(marker);
	loop_free(loop);
	inventory_free(inventory);
	store_close(store);
	settings_free(settings);
	ck_assert_int_eq(fake_misused(), 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void *
make(size_t count, size_t size)
{
	void *p = calloc(count, size);

	ck_assert_ptr_nonnull(p);
	return p;
}

#define WITH_GUEST true

/* A host with the pool "images", which is this folder. */
static void
list(int host, int folder, bool guest, const char *host_uuid)
{
	struct facts_host *facts = make(1, sizeof(*facts));
	char name[8];

	(void)snprintf(name, sizeof(name), "kvm%d", host);
	fake_set_folder(host, folder);
	facts->host_uuid = str_dup(host_uuid);
	facts->load.memory_total = facts->load.memory_free = FACTS_UNKNOWN;
	facts->pools_known = true;
	facts->pools = make(1, sizeof(facts->pools[0]));
	facts->pools[0] = (struct facts_pool){str_dup("images"), true,
	    str_dup("<pool type='dir'><target><path>/images</path></target>"
		    "</pool>"),
	    10, 5, 5};
	facts->pool_count = 1;
	if (guest) {
		facts->domains = make(1, sizeof(facts->domains[0]));
		facts->domain_count = 1;
		facts->domains[0] = (struct facts_domain){
		    .name = str_dup("web1"),
		    .uuid = str_dup("aaaaaaaa-0000-0000-0000-000000000001"),
		    .state = DOMAIN_RUNNING,
		    .persistent = true,
		    .xml = str_dup(
			"<domain type='kvm'><name>web1</name><memory "
			"unit='KiB'>1024</memory><devices><disk type='file' "
			"device='disk'><source file='/images/web1.qcow2'/>"
			"<target dev='vda'/></disk></devices></domain>")};
	}
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.host = name,
		.now = clock_mono_now(),
		.facts = facts});
}

static enum snap_verdict
verdict(int a, int b)
{
	struct snapshot *s = look(NULL);
	enum snap_verdict same = SNAP_VERDICT_UNKNOWN;

	for (size_t i = 0; i < s->proof_count; i++) {
		const struct snap_proof *p = &s->proofs[i];

		if (p->host_a[3] == '0' + a && p->host_b[3] == '0' + b)
			same = p->same;
	}
	snapshot_free(s);
	return same;
}

static void
count_row(const struct store_marker *row, void *arg)
{
	ck_assert_str_eq(row->pool, "images");
	ck_assert_int_eq(
	    strncmp(row->volume, MARKER_PREFIX, strlen(MARKER_PREFIX)), 0);
	++*(int *)arg;
}

static int
rows(void)
{
	struct err err = {0};
	int count = 0;

	ck_assert_int_eq(store_each_marker(store, count_row, &count, &err), 0);
	return count;
}

static bool
first_two_known(void)
{
	return verdict(1, 2) != SNAP_VERDICT_UNKNOWN;
}
static bool
first_two_one(void)
{
	return verdict(1, 2) == SNAP_VERDICT_OK;
}
static bool
nothing_is_left(void)
{
	return fake_volumes() == 0 && rows() == 0;
}

/* ---- verdicts ---- */

START_TEST(pools_that_are_one_are_proven_so)
{
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_OK);
	ck_assert_int_eq(answered, 1);
	run_until(nothing_is_left);
}
END_TEST

START_TEST(pools_that_are_two_are_proven_so)
{
	list(1, 1, WITH_GUEST, NULL);
	list(2, 2, false, NULL);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_REJECTED);
	run_until(nothing_is_left);
}
END_TEST

START_TEST(each_pair_with_the_guests_pool_is_judged_in_one_round)
{
	list(1, 2, false, NULL);
	list(2, 1, WITH_GUEST, NULL);
	list(3, 1, false, NULL);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_REJECTED);
	ck_assert_int_eq(verdict(2, 3), SNAP_VERDICT_OK);
	/* No guest's image asks about these two. */
	ck_assert_int_eq(verdict(1, 3), SNAP_VERDICT_UNKNOWN);
	run_until(nothing_is_left);
	ck_assert_int_eq(fake_begun(FAKE_PREPARE), 3);
}
END_TEST

START_TEST(a_folder_seen_as_it_was_is_not_believed)
{
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	fake_set_stale(true);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_OK);
}
END_TEST

START_TEST(two_names_of_one_machine_prove_nothing)
{
	static const char same[] = "bbbbbbbb-0000-0000-0000-000000000001";

	list(1, 1, WITH_GUEST, same);
	list(2, 1, false, same);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_REJECTED);
	run_until(nothing_is_left);
}
END_TEST

static struct mono later;
static bool
time_has_passed(void)
{
	return mono_before(later, clock_mono_now());
}

static void
expect_nothing_made(void)
{
	go();
	later = mono_add(clock_mono_now(), 100);
	run_until(time_has_passed);
	ck_assert_int_eq(fake_begun(FAKE_PREPARE), 0);
	ck_assert_int_eq(rows(), 0);
}

START_TEST(nothing_is_made_where_nobody_wants_to_know)
{
	/* No guest has an image there. */
	list(1, 1, false, NULL);
	list(2, 1, false, NULL);
	expect_nothing_made();
	/* The operator's word is asked for, or given. */
	configure(CONFIG("{ proof: declared }"));
	marker_configure(marker, settings);
	list(1, 1, WITH_GUEST, NULL);
	expect_nothing_made();
	configure(CONFIG("{ shared_paths: [ /images ] }"));
	marker_configure(marker, settings);
	expect_nothing_made();
	/* Another daemon acts on the other host. */
	configure(CONFIG("{ proof: marker }"));
	marker_configure(marker, settings);
	(void)inventory_apply(inventory,
	    &(struct inventory_event){.news = INVENTORY_CLAIMED,
		.host = "kvm2",
		.now = clock_mono_now(),
		.why = "another"});
	expect_nothing_made();
}
END_TEST

START_TEST(what_is_known_is_not_asked_again)
{
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	go();
	run_until(first_two_known);
	run_until(nothing_is_left);
	for (int i = 0; i < 5; i++) {
		go();
		later = mono_add(clock_mono_now(), 20);
		run_until(time_has_passed);
	}
	ck_assert_int_eq(fake_begun(FAKE_PREPARE), 2);
}
END_TEST

START_TEST(what_could_not_be_found_out_is_asked_again_later)
{
	doubt_ms = 50;
	marker_free(marker);
	begin();
	fake_fail(FAKE_PREPARE, 2, ERR_REFUSED, "read-only file system");
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_REJECTED);
	run_until(first_two_one);
	run_until(nothing_is_left);
}
END_TEST

/* ---- nothing is left behind ---- */

static bool
is_making(void)
{
	return fake_inside(FAKE_PREPARE) == 2;
}
static bool
is_reading(void)
{
	return fake_inside(FAKE_NAMES) == 2;
}

START_TEST(names_are_in_the_store_before_anything_is_made)
{
	fake_hold(FAKE_PREPARE);
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	go();
	ck_assert_int_eq(rows(), 2);
	run_until(is_making);
	ck_assert_int_eq(fake_volumes(), 0);
	fake_let_go(FAKE_PREPARE);
	run_until(nothing_is_left);
}
END_TEST

START_TEST(what_a_killed_daemon_left_is_removed_by_the_next)
{
	fake_hold(FAKE_NAMES);
	list(1, 1, WITH_GUEST, NULL);
	list(2, 2, false, NULL);
	go();
	run_until(is_reading);
	ck_assert_int_eq(fake_volumes(), 2);
	marker_free(marker);
	fake_let_go(FAKE_NAMES);
	begin();
	ck_assert_int_eq(rows(), 2);
	marker_listed(marker, "kvm1");
	marker_listed(marker, "kvm2");
	run_until(nothing_is_left);
}
END_TEST

START_TEST(what_a_host_makes_late_is_removed)
{
	phase_ms = 30;
	marker_free(marker);
	begin();
	fake_hold(FAKE_PREPARE);
	list(1, 1, WITH_GUEST, NULL);
	list(2, 2, false, NULL);
	go();
	run_until(first_two_known);
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_REJECTED);
	fake_let_go(FAKE_PREPARE);
	run_until(nothing_is_left);
}
END_TEST

START_TEST(a_removal_that_failed_is_tried_again)
{
	fake_fail(FAKE_REMOVE, 3, ERR_UNREACHABLE, "connection reset");
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	go();
	run_until(first_two_known);
	run_until(nothing_is_left);
}
END_TEST

static bool ended;
static void
on_end(void *arg)
{
	(void)arg;
	ended = true;
}
static bool
has_ended(void)
{
	return ended;
}

START_TEST(an_orderly_end_takes_the_markers_along)
{
	ended = false;
	fake_hold(FAKE_NAMES);
	list(1, 1, WITH_GUEST, NULL);
	list(2, 1, false, NULL);
	go();
	run_until(is_reading);
	marker_release(marker, on_end, NULL);
	run_until(has_ended);
	ck_assert(nothing_is_left());
	/* Half a reading is no proof. */
	ck_assert_int_eq(verdict(1, 2), SNAP_VERDICT_UNKNOWN);
	go();
	ck_assert_int_eq(rows(), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("marker");
	TCase *tc = tcase_create("marker");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, pools_that_are_one_are_proven_so);
	tcase_add_test(tc, pools_that_are_two_are_proven_so);
	tcase_add_test(
	    tc, each_pair_with_the_guests_pool_is_judged_in_one_round);
	tcase_add_test(tc, a_folder_seen_as_it_was_is_not_believed);
	tcase_add_test(tc, two_names_of_one_machine_prove_nothing);
	tcase_add_test(tc, nothing_is_made_where_nobody_wants_to_know);
	tcase_add_test(tc, what_is_known_is_not_asked_again);
	tcase_add_test(tc, what_could_not_be_found_out_is_asked_again_later);
	tcase_add_test(tc, names_are_in_the_store_before_anything_is_made);
	tcase_add_test(tc, what_a_killed_daemon_left_is_removed_by_the_next);
	tcase_add_test(tc, what_a_host_makes_late_is_removed);
	tcase_add_test(tc, a_removal_that_failed_is_tried_again);
	tcase_add_test(tc, an_orderly_end_takes_the_markers_along);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
