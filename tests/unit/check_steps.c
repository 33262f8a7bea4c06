/*
 * Moves that bring disks along, and moves by shutdown and start, with everything
 * real but the hypervisor: what is asked of which host, what becomes of the
 * images, and what a later daemon makes of it.
 */
#include "executor_fixture.h"

#define HOUR_MS ((int64_t)3600000)

static struct strategy_disk disk;
static struct executor_request request;

static struct executor_request *
make_request(enum move_strategy strategy, const char *from, const char *to)
{
	const struct site_guest g = site_look(from[3] - '0', 1);
	static struct executor_disk along;
	static char dest_uri[64];

	snprintf(
	    dest_uri, sizeof(dest_uri), "qemu+tcp://%s.example.org/system", to);
	disk = (struct strategy_disk){.target = "vda",
	    .path = "/local/vm1.qcow2",
	    .format = "qcow2",
	    .pool = "local",
	    .volume = "vm1.qcow2",
	    .dest_path = "/local/vm1.qcow2",
	    .capacity = 200000000,
	    .allocation = 100000000};
	along = (struct executor_disk){.disk = &disk,
	    .source_pool = "local",
	    .source_volume = "vm1.qcow2",
	    .replace = leftovers_has(
		leftovers, to, "local", "vm1.qcow2", site_uuid(1))};
	request = (struct executor_request){.uuid = site_uuid(1),
	    .name = "vm1",
	    .from = from,
	    .to = to,
	    .dest_uri = dest_uri,
	    .strategy = strategy,
	    .rule = "operator",
	    .why = "asked",
	    .attempt = 1,
	    .persistent = true,
	    .autostart = g.autostart,
	    .reason_before = g.reason,
	    .disks = &along,
	    .disk_count = 1,
	    .was_running = g.state == DOMAIN_RUNNING,
	    .agent = true,
	    .shutdown_ms = 60000,
	    .repeat_ms = 50,
	    .timeout_ms = 600000,
	    .predicted_ms = 4000,
	    .predicted_downtime_ms = 3000,
	    .keep_source_ms = HOUR_MS};
	return &request;
}

static int64_t
begin(struct executor_request *r)
{
	struct err err = {0};
	int64_t id = executor_start(executor, r, &err);

	ck_assert_msg(id > 0, "%s", err.msg);
	return id;
}

static void
setup_disks(void)
{
	setup();
	site_add_guest(1, 1);
	site_give_disk(1, 1, 70);
	run_until(all_hosts_are_up);
}

static bool
one_has_ended(void)
{
	return ended_count == 1;
}

static bool
two_have_ended(void)
{
	return ended_count == 2;
}

static bool
one_copies(void)
{
	return site_copying() == 1;
}

/* One running copy, whole, nothing mixed up on the way. */
static void
assert_whole(int host, int content)
{
	ck_assert_int_eq(site_look(host, 1).state, DOMAIN_RUNNING);
	ck_assert_int_eq(site_content(host, 1), content);
	ck_assert_int_eq(site_twice(), 0);
	ck_assert_int_eq(site_spoiled(), 0);
	for (int h = 1; h <= SITE_HOSTS; h++) {
		if (h != host)
			ck_assert(!site_look(h, 1).present);
	}
}

static void
assert_completed(void)
{
	ck_assert_msg(last_outcome == MOVE_COMPLETED, "%s", last_error);
}

/* ---- restart ---- */

START_TEST(a_guest_with_a_local_disk_is_started_elsewhere_with_all_it_wrote)
{
	site_set_autostart(1);
	site_hold_copies(true);
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_copies);
	site_write(1, 1);
	site_write(1, 1);
	site_hold_copies(false);
	run_until(one_has_ended);
	assert_completed();
	assert_whole(2, 72);
	ck_assert(site_look(2, 1).autostart);
	ck_assert_str_eq(site_look(2, 1).layer, "");
	ck_assert_int_eq(site_volumes(2), 1);
	ck_assert_int_eq(site_calls("shutdown-agent"), 1);
	ck_assert_int_eq(site_last_value("carry"), 2);
	/* What libvirt keeps of it goes at the source only. */
	ck_assert_int_eq(site_calls("forget"), 1);
	ck_assert_int_eq(site_last_value("forget"), 1);
}
END_TEST

START_TEST(its_result_tells_what_was_copied_and_how_long_it_was_off)
{
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_has_ended);
	assert_completed();
	/* The base and the layer, by the site's word. */
	ck_assert_int_eq(
	    ask("SELECT json_extract(result, '$.disk_bytes') FROM moves"),
	    200000000);
	ck_assert_int_eq(
	    ask("SELECT json_extract(result, '$.downtime_source') = "
		"'measured' AND json_extract(result, '$.downtime_ms') >= 0 "
		"AND json_extract(result, '$.kept_until') IS NOT NULL "
		"FROM moves"),
	    1);
	ck_assert_int_eq(
	    ask("SELECT COUNT(*) FROM events WHERE type = "
		"'drover.move.completed' AND json_extract(body, "
		"'$.data.strategy') = 'restart' AND json_extract(body, "
		"'$.data.disk_bytes') = 200000000 AND json_extract(body, "
		"'$.data.handover') IS NULL"),
	    1);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM predictions WHERE "
			     "strategy = 'restart' AND predicted_ms = 4000 "
			     "AND actual_downtime_ms >= 0"),
	    1);
}
END_TEST

START_TEST(its_old_images_are_kept_and_then_removed)
{
	struct executor_request *r = make_request(MOVE_RESTART, "kvm1", "kvm2");

	begin(r);
	run_until(one_has_ended);
	assert_completed();
	ck_assert(site_has_volume(1, "local", "vm1.qcow2"));
	ck_assert_int_eq(site_volumes(1), 2);
	ck_assert_int_eq(
	    ask("SELECT COUNT(*) FROM leftovers WHERE host = 'kvm1' AND "
		"pool = 'local' AND due - since = 3600000"),
	    2);
	ck_assert(leftovers_has(
	    leftovers, "kvm1", "local", "vm1.qcow2", site_uuid(1)));
}
END_TEST

static bool
progress_is_shown(void)
{
	struct executor_report report;

	return executor_find(executor, 1, &report) && report.percent >= 10;
}

START_TEST(a_copy_shows_how_far_it_is)
{
	struct executor_report report;
	json_t *json, *progress;
	int percent;

	site_hold_copies(true);
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_copies);
	run_until(progress_is_shown);
	ck_assert(executor_find(executor, 1, &report));
	percent = report.percent;
	json = executor_report_json(&report);
	progress = json_object_get(json, "progress");
	ck_assert_str_eq(json_string_value(json_object_get(progress, "phase")),
	    "copying disks");
	ck_assert_int_eq(
	    json_integer_value(json_object_get(progress, "copied_bytes")),
	    50000000);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(progress, "remaining")),
	    50000000);
	ck_assert_str_eq(
	    json_string_value(json_object_get(json, "step")), "copy");
	ck_assert_str_eq(json_string_value(json_object_get(
			     json_array_get(json_object_get(json, "disks"), 0),
			     "dest_path")),
	    "/local/vm1.qcow2");
	json_decref(json);
	ck_assert_int_lt(percent, 99);
	site_hold_copies(false);
	run_until(one_has_ended);
	assert_completed();
}
END_TEST

START_TEST(a_copy_that_is_aborted_leaves_no_trace)
{
	struct err err = {0};
	int64_t id;

	site_set_autostart(1);
	site_hold_copies(true);
	id = begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_copies);
	site_write(1, 1);
	ck_assert_int_eq(executor_abort(executor, id, &err), 0);
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_ABORTED);
	assert_whole(1, 71);
	ck_assert(site_look(1, 1).autostart);
	ck_assert_int_eq(site_volumes(1), 1);
	ck_assert_int_eq(site_volumes(2), 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers"), 0);
}
END_TEST

START_TEST(a_guest_that_does_not_listen_is_asked_in_turn_and_then_stays)
{
	struct executor_request *r = make_request(MOVE_RESTART, "kvm1", "kvm2");

	site_set_manners(1, SITE_IGNORES);
	r->shutdown_ms = 2500;
	begin(r);
	run_until(one_has_ended);
	ck_assert_int_ne(last_outcome, MOVE_COMPLETED);
	ck_assert_int_ge(site_calls("shutdown-agent"), 2);
	ck_assert_int_ge(site_calls("shutdown-acpi"), 1);
	ck_assert_int_le(
	    abs(site_calls("shutdown-agent") - site_calls("shutdown-acpi")), 1);
	assert_whole(1, 70);
	ck_assert_int_eq(site_volumes(1), 1);
	ck_assert_int_eq(site_volumes(2), 0);
}
END_TEST

START_TEST(its_power_is_cut_where_that_is_allowed)
{
	struct executor_request *r = make_request(MOVE_RESTART, "kvm1", "kvm2");

	site_set_manners(1, SITE_IGNORES);
	r->shutdown_ms = 500;
	r->force_off = true;
	r->agent = false;
	begin(r);
	run_until(one_has_ended);
	assert_completed();
	assert_whole(2, 70);
	ck_assert_int_eq(site_calls("shutdown-agent"), 0);
	ck_assert_int_ge(site_calls("shutdown-acpi"), 1);
}
END_TEST

START_TEST(an_image_of_somebody_else_is_never_replaced)
{
	site_add_volume(2, "local", "vm1.qcow2", 1000);
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_has_ended);
	ck_assert_int_eq(last_outcome, MOVE_FAILED);
	ck_assert_ptr_nonnull(strstr(last_error, "vm1.qcow2"));
	ck_assert_int_eq(site_calls("prepare"), 0);
	ck_assert_int_eq(site_calls("remove"), 0);
	ck_assert(site_has_volume(2, "local", "vm1.qcow2"));
	assert_whole(1, 70);
}
END_TEST

START_TEST(a_guest_comes_back_over_its_own_old_image)
{
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_has_ended);
	assert_completed();
	site_write(2, 1);
	begin(make_request(MOVE_RESTART, "kvm2", "kvm1"));
	run_until(two_have_ended);
	assert_completed();
	assert_whole(1, 71);
	/* The base was replaced and is in use; the old layer still waits. */
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers WHERE "
			     "host = 'kvm1' AND volume = 'vm1.qcow2'"),
	    0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers WHERE "
			     "host = 'kvm1'"),
	    1);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers WHERE "
			     "host = 'kvm2'"),
	    2);
}
END_TEST

START_TEST(a_guest_that_is_off_moves_and_stays_off)
{
	site_set_off(1);
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_has_ended);
	assert_completed();
	ck_assert_int_eq(site_look(2, 1).state, DOMAIN_SHUTOFF);
	ck_assert(!site_look(1, 1).present);
	ck_assert_int_eq(site_content(2, 1), 70);
	ck_assert_int_eq(site_calls("freeze"), 0);
	ck_assert_int_eq(site_calls("start"), 0);
	ck_assert_int_eq(site_spoiled(), 0);
}
END_TEST

START_TEST(a_guest_on_shared_disks_is_defined_there_and_started)
{
	struct executor_request *r = make_request(MOVE_RESTART, "kvm1", "kvm2");

	r->disk_count = 0;
	site_share_disk(1, 2);
	begin(r);
	run_until(one_has_ended);
	assert_completed();
	ck_assert_int_eq(site_calls("prepare"), 0);
	ck_assert_int_eq(site_calls("copy"), 0);
	ck_assert_int_eq(site_calls("freeze"), 0);
	assert_whole(2, 70);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers"), 0);
}
END_TEST

START_TEST(a_failed_start_brings_it_back)
{
	site_fail("start", ERR_REFUSED, "Cannot get interface MTU on 'br7'");
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_has_ended);
	if (last_outcome == MOVE_COMPLETED) {
		/* The second attempt to start was as good as any. */
		assert_whole(2, 70);
		return;
	}
	assert_whole(1, 70);
	ck_assert_int_eq(site_volumes(2), 0);
	ck_assert_int_eq(site_volumes(1), 1);
}
END_TEST

START_TEST(a_later_daemon_goes_on_with_the_copy)
{
	site_hold_copies(true);
	begin(make_request(MOVE_RESTART, "kvm1", "kvm2"));
	run_until(one_copies);
	site_write(1, 1);
	take_down();
	site_hold_copies(false);
	build();
	run_until(one_has_ended);
	assert_completed();
	assert_whole(2, 71);
	ck_assert_int_eq(site_volumes(2), 1);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers"), 2);
	ck_assert_int_eq(ask("SELECT predicted_ms FROM predictions"), 4000);
}
END_TEST

/* ---- live, with the disk ---- */

START_TEST(a_running_guest_takes_its_disk_along)
{
	struct executor_request *r =
	    make_request(MOVE_LIVE_COPY, "kvm1", "kvm2");

	r->strict = true;
	begin(r);
	run_until(one_has_ended);
	assert_completed();
	assert_whole(2, 70);
	ck_assert_uint_eq(site_asked().copies, 1);
	ck_assert_uint_eq(site_asked().edits, 1);
	ck_assert(site_asked().paused);
	ck_assert_int_eq(site_volumes(1), 1);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers WHERE "
			     "host = 'kvm1' AND volume = 'vm1.qcow2'"),
	    1);
	ck_assert_int_eq(site_calls("forget"), 0);
}
END_TEST

START_TEST(volumes_of_a_live_move_that_failed_are_removed)
{
	site_set_mood(2, SITE_REFUSES, "no network with matching name 'x'");
	begin(make_request(MOVE_LIVE_COPY, "kvm1", "kvm2"));
	run_until(one_has_ended);
	ck_assert_int_ne(last_outcome, MOVE_COMPLETED);
	assert_whole(1, 70);
	ck_assert_int_eq(site_calls("prepare"), 1);
	ck_assert_int_eq(site_volumes(2), 0);
	ck_assert_int_eq(ask("SELECT COUNT(*) FROM leftovers"), 0);
}
END_TEST

START_TEST(what_the_policy_allows_is_asked_for)
{
	struct executor_request *r =
	    make_request(MOVE_LIVE_COPY, "kvm1", "kvm2");

	r->converge.rungs = CONVERGE_THROTTLE | CONVERGE_POSTCOPY;
	r->unsafe_ok = true;
	r->max_downtime_ms = 777;
	begin(r);
	run_until(one_has_ended);
	assert_completed();
	ck_assert(site_asked().auto_converge);
	ck_assert(site_asked().postcopy);
	ck_assert(site_asked().unsafe_ok);
	ck_assert_int_eq(site_asked().max_downtime_ms, 777);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("steps");
	TCase *tc = tcase_create("steps");

	tcase_add_checked_fixture(tc, setup_disks, teardown);
	tcase_set_timeout(tc, 3 * DEADLINE_S);
	tcase_add_test(tc,
	    a_guest_with_a_local_disk_is_started_elsewhere_with_all_it_wrote);
	tcase_add_test(
	    tc, its_result_tells_what_was_copied_and_how_long_it_was_off);
	tcase_add_test(tc, its_old_images_are_kept_and_then_removed);
	tcase_add_test(tc, a_copy_shows_how_far_it_is);
	tcase_add_test(tc, a_copy_that_is_aborted_leaves_no_trace);
	tcase_add_test(
	    tc, a_guest_that_does_not_listen_is_asked_in_turn_and_then_stays);
	tcase_add_test(tc, its_power_is_cut_where_that_is_allowed);
	tcase_add_test(tc, an_image_of_somebody_else_is_never_replaced);
	tcase_add_test(tc, a_guest_comes_back_over_its_own_old_image);
	tcase_add_test(tc, a_guest_that_is_off_moves_and_stays_off);
	tcase_add_test(
	    tc, a_guest_on_shared_disks_is_defined_there_and_started);
	tcase_add_test(tc, a_failed_start_brings_it_back);
	tcase_add_test(tc, a_later_daemon_goes_on_with_the_copy);
	tcase_add_test(tc, a_running_guest_takes_its_disk_along);
	tcase_add_test(tc, volumes_of_a_live_move_that_failed_are_removed);
	tcase_add_test(tc, what_the_policy_allows_is_asked_for);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
