/*
 * Images that guests left behind: removed when their time has come, by nobody's
 * guess, and never while somebody uses them.
 */
#include "executor_fixture.h"

#define HOUR_MS ((int64_t)3600000)

static void
keep(const char *volume, const char *pool, int64_t due_in_ms)
{
	struct err err = {0};
	char path[64];

	snprintf(path, sizeof(path), "/local/%s", volume);
	ck_assert_int_eq(leftovers_keep(leftovers,
			     &(struct store_leftover){.move_id = 1,
				 .host = "kvm1",
				 .uuid = site_uuid(1),
				 .name = "vm1",
				 .pool = pool,
				 .volume = pool[0] != '\0' ? volume : "",
				 .path = path,
				 .since = clock_wall_now(),
				 .due = {clock_wall_now().ms + due_in_ms}},
			     &err),
	    0);
	leftovers_changed(leftovers);
}

static void
setup_volumes(void)
{
	setup();
	site_add_guest(1, 1);
	site_add_volume(1, "local", "old.qcow2", 7);
	site_add_volume(1, "local", "young.qcow2", 8);
	site_add_volume(1, "local", "foreign.qcow2", 9);
	run_until(all_hosts_are_up);
}

static int64_t
rows(void)
{
	return ask("SELECT COUNT(*) FROM leftovers");
}

static bool
one_row_is_left(void)
{
	return rows() == 1;
}

static bool
no_row_is_left(void)
{
	return rows() == 0;
}

START_TEST(what_is_due_is_removed_and_nothing_else)
{
	keep("old.qcow2", "local", -1);
	keep("young.qcow2", "local", HOUR_MS);
	leftovers_begin(leftovers);
	run_until(one_row_is_left);
	ck_assert(!site_has_volume(1, "local", "old.qcow2"));
	ck_assert(site_has_volume(1, "local", "young.qcow2"));
	ck_assert(site_has_volume(1, "local", "foreign.qcow2"));
	ck_assert_int_eq(site_calls("remove"), 1);
}
END_TEST

START_TEST(nothing_is_removed_before_the_daemon_has_begun)
{
	keep("old.qcow2", "local", -1);
	keep("young.qcow2", "local", -1);
	run_until(all_hosts_are_up);
	ck_assert_int_eq(site_calls("remove"), 0);
	take_down();
	build();
	ck_assert_int_eq(rows(), 2);
	leftovers_begin(leftovers);
	/* No host is up yet; when it is, it goes on. */
	run_until(all_hosts_are_up);
	leftovers_host_news(leftovers, "kvm1");
	run_until(no_row_is_left);
}
END_TEST

static bool
it_was_deferred(void)
{
	return ask("SELECT COUNT(*) FROM leftovers WHERE due > since + "
		   "1800000") == 1;
}

START_TEST(an_image_that_a_guest_uses_stays_and_is_looked_at_later)
{
	json_t *json;

	site_give_disk(1, 1, 5);
	keep("vm1.qcow2", "local", -1);
	leftovers_begin(leftovers);
	run_until(it_was_deferred);
	ck_assert(site_has_volume(1, "local", "vm1.qcow2"));
	json = leftovers_json(leftovers, "kvm1");
	ck_assert_uint_eq(json_array_size(json), 1);
	ck_assert_ptr_nonnull(strstr(
	    json_string_value(json_object_get(json_array_get(json, 0), "note")),
	    "a disk of a guest"));
	json_decref(json);
}
END_TEST

static bool
one_removal_was_tried(void)
{
	return site_calls("remove") == 1;
}

START_TEST(a_failure_is_tried_again_when_the_host_has_news)
{
	keep("old.qcow2", "local", -1);
	keep("young.qcow2", "local", HOUR_MS);
	site_fail("remove", ERR_TIMEOUT, "the pool is busy");
	leftovers_begin(leftovers);
	run_until(one_removal_was_tried);
	run_until(all_hosts_are_up);
	ck_assert_int_eq(rows(), 2);
	leftovers_host_news(leftovers, "kvm1");
	run_until(one_row_is_left);
	ck_assert(!site_has_volume(1, "local", "old.qcow2"));
}
END_TEST

START_TEST(an_image_whose_pool_was_unknown_is_looked_for)
{
	keep("old.qcow2", "", -1);
	leftovers_begin(leftovers);
	run_until(no_row_is_left);
	ck_assert(!site_has_volume(1, "local", "old.qcow2"));
	ck_assert(site_has_volume(1, "local", "young.qcow2"));
}
END_TEST

START_TEST(one_that_somebody_else_has_removed_is_forgotten)
{
	keep("gone.qcow2", "", -1);
	keep("gone2.qcow2", "local", -1);
	leftovers_begin(leftovers);
	run_until(no_row_is_left);
}
END_TEST

static bool
one_hangs(void)
{
	return site_hanging() == 1;
}

static bool
one_has_ended(void)
{
	return ended_count == 1;
}

START_TEST(images_of_a_guest_that_is_on_its_way_are_left_alone)
{
	struct err err = {0};

	site_set_mood(2, SITE_HANGS, NULL);
	ck_assert_int_eq(
	    executor_start(executor,
		&(struct executor_request){.uuid = site_uuid(1),
		    .name = "vm1",
		    .from = "kvm1",
		    .to = "kvm2",
		    .dest_uri = "qemu+tcp://kvm2.example.org/system",
		    .strategy = MOVE_LIVE_SHARED,
		    .rule = "operator",
		    .why = "asked",
		    .attempt = 1,
		    .was_running = true,
		    .persistent = true},
		&err),
	    1);
	run_until(one_hangs);
	keep("old.qcow2", "local", -1);
	leftovers_begin(leftovers);
	run_until(all_hosts_are_up);
	ck_assert_int_eq(site_calls("remove"), 0);
	site_finish(true);
	run_until(one_has_ended);
	leftovers_host_news(leftovers, "kvm1");
	run_until(no_row_is_left);
}
END_TEST

START_TEST(one_that_is_replaced_stops_being_kept)
{
	struct err err = {0};
	const struct snap_leftover *all;
	size_t count;

	keep("old.qcow2", "local", HOUR_MS);
	keep("young.qcow2", "local", HOUR_MS);
	all = leftovers_snapshot(leftovers, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(all[0].host, "kvm1");
	ck_assert_str_eq(all[0].pool, "local");
	ck_assert_str_eq(all[0].uuid, site_uuid(1));
	ck_assert(leftovers_has(
	    leftovers, "kvm1", "local", "old.qcow2", site_uuid(1)));
	ck_assert(!leftovers_has(
	    leftovers, "kvm1", "local", "old.qcow2", site_uuid(2)));
	ck_assert(!leftovers_has(
	    leftovers, "kvm2", "local", "old.qcow2", site_uuid(1)));
	ck_assert_int_eq(
	    leftovers_release(leftovers, "kvm1", "local", "old.qcow2", &err),
	    0);
	leftovers_changed(leftovers);
	ck_assert(!leftovers_has(
	    leftovers, "kvm1", "local", "old.qcow2", site_uuid(1)));
	ck_assert_int_eq(rows(), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("leftovers");
	TCase *tc = tcase_create("leftovers");

	tcase_add_checked_fixture(tc, setup_volumes, teardown);
	tcase_set_timeout(tc, 3 * DEADLINE_S);
	tcase_add_test(tc, what_is_due_is_removed_and_nothing_else);
	tcase_add_test(tc, nothing_is_removed_before_the_daemon_has_begun);
	tcase_add_test(
	    tc, an_image_that_a_guest_uses_stays_and_is_looked_at_later);
	tcase_add_test(tc, a_failure_is_tried_again_when_the_host_has_news);
	tcase_add_test(tc, an_image_whose_pool_was_unknown_is_looked_for);
	tcase_add_test(tc, one_that_somebody_else_has_removed_is_forgotten);
	tcase_add_test(tc, images_of_a_guest_that_is_on_its_way_are_left_alone);
	tcase_add_test(tc, one_that_is_replaced_stops_being_kept);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
