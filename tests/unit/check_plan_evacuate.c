/*
 * Emptying a host: one small cluster for each rule, worked out by hand.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "plan/schedule.h"
#include "plan_evacuate_fixture.h"

static void
near(int64_t value, int64_t expected)
{
	ck_assert_int_ge(value, expected - 5);
	ck_assert_int_le(value, expected + 5);
}

static const struct plan_move *
move_of(const char *name)
{
	for (uint32_t i = 0; i < out.move_count; i++)
		if (strcmp(guests[out.moves[i].guest].name, name) == 0)
			return &out.moves[i];
	ck_abort_msg("%s does not move", name);
	return NULL;
}

static const char *
reason_of(const char *name)
{
	for (uint32_t i = 0; i < out.blocked_count; i++)
		if (strcmp(guests[out.blocked[i].guest].name, name) == 0)
			return out.blocked[i].reason;
	ck_abort_msg("%s is not blocked", name);
	return NULL;
}

START_TEST(an_empty_host_needs_no_moves)
{
	host(16);
	host(16);
	guest(1, 4);
	evacuate();
	ck_assert_uint_eq(out.move_count, 0);
	ck_assert_uint_eq(out.blocked_count, 0);
	ck_assert_int_eq(out.makespan_ms, 0);
	ck_assert(outlook.met);
}
END_TEST

START_TEST(one_guest_takes_what_its_bytes_take)
{
	host(16);
	host(16);
	guest(0, 4);
	cluster.limits.per_source = 1;
	evacuate();
	ck_assert_uint_eq(out.move_count, 1);
	ck_assert_uint_eq(out.moves[0].to, 1);
	ck_assert_uint_eq(out.moves[0].wave, 1);
	/* 40 s of memory, 0.5 s to begin and end, the switch, the queue */
	near(out.makespan_ms, 40000 + 500 + 35 + 39);
	ck_assert_int_ge(out.moves[0].downtime_ms, 35);
}
END_TEST

START_TEST(guests_go_where_most_is_left)
{
	host(64);
	host(32);
	host(32);
	guest(0, 8);
	guest(1, 16);
	evacuate();
	ck_assert_uint_eq(move_of("a")->to, 2);
}
END_TEST

START_TEST(a_busy_host_is_left_alone)
{
	host(64);
	host(32)->cpu_used = 15;
	host(32)->cpu_used = 2;
	guest(0, 4);
	evacuate();
	ck_assert_uint_eq(move_of("a")->to, 2);
	ck_assert_ptr_nonnull(strstr(move_of("a")->reason, "leaves kvm1"));
}
END_TEST

START_TEST(guests_are_packed_where_spreading_leaves_one_behind)
{
	host(64);
	host(12);
	host(8);
	guest(0, 4);
	guest(0, 4);
	guest(0, 4);
	guest(0, 8);
	evacuate();
	ck_assert_uint_eq(out.blocked_count, 0);
	ck_assert_uint_eq(outlook.parking_count, 0);
}
END_TEST

START_TEST(each_hard_rule_is_a_reason)
{
	host(64);
	host(64)->up = false;
	host(64)->accepts = false;
	host(64);
	host(64);
	host(4);
	guest(0, 6);
	guests[0].disk = 4 * GIB;
	guests[0].apart = 1;
	allowed[0] = ~(UINT64_C(1) << 3);
	guests[0].allowed = &allowed[0];
	guest(4, 1)->apart = 1;
	guests[1].stays = true;
	hosts[4].disk = hosts[5].disk = 8 * GIB;
	evacuate();
	ck_assert_uint_eq(out.move_count, 0);
	ck_assert_str_eq(reason_of("a"),
	    "kvm2: down; kvm3: takes in no guests; kvm4: a may not be there; "
	    "kvm5: kept apart from b; kvm6: 2.0 GiB of memory missing at most; "
	    "moving other guests makes no room either");
	ck_assert(!outlook.met);
}
END_TEST

START_TEST(hosts_that_lack_the_same_are_named_together)
{
	host(64);
	host(7);
	host(6);
	host(1);
	guest(0, 8);
	guests[0].disk = GIB;
	hosts[1].disk = hosts[2].disk = 4 * GIB;
	evacuate();
	ck_assert_str_eq(reason_of("a"),
	    "kvm4: no room for disks known; kvm2, kvm3: 2.0 GiB of memory "
	    "missing at most; moving other guests makes no room either");
}
END_TEST

START_TEST(disks_need_room_of_their_own)
{
	host(64);
	host(64)->disk = 4 * GIB;
	host(64)->disk = 9 * GIB;
	guest(0, 2)->disk = 5 * GIB;
	guests[0].way = PLAN_LIVE_COPY;
	evacuate();
	ck_assert_uint_eq(move_of("a")->to, 2);
	cluster.hosts[2].disk = 4 * GIB;
	evacuate();
	ck_assert_ptr_nonnull(strstr(
	    reason_of("a"), "kvm2, kvm3: 1.0 GiB of disk missing at most"));
}
END_TEST

START_TEST(what_stays_and_what_is_down_blocks_with_its_reason)
{
	host(64);
	host(64);
	guest(0, 2)->stays = true;
	guest(0, 2);
	evacuate();
	ck_assert_uint_eq(out.move_count, 1);
	ck_assert_str_eq(
	    reason_of("a"), "pinned to kvm1 or excepted from moves");
	hosts[0].up = false;
	evacuate();
	ck_assert_uint_eq(out.move_count, 0);
	ck_assert_str_eq(
	    reason_of("b"), "kvm1: down, nothing can be moved off it");
}
END_TEST

START_TEST(a_single_host_says_that_there_is_no_other)
{
	host(64);
	guest(0, 2);
	evacuate();
	ck_assert_str_eq(reason_of("a"), "there is no other host");
}
END_TEST

START_TEST(guests_of_a_class_go_to_different_hosts)
{
	host(64);
	host(64);
	host(16);
	guest(0, 4)->apart = 2;
	guest(0, 4)->apart = 2;
	evacuate();
	ck_assert_uint_ne(move_of("a")->to, move_of("b")->to);
}
END_TEST

START_TEST(a_guest_that_is_off_needs_no_memory_of_a_full_host)
{
	host(64);
	host(8);
	guest(0, 0)->runs = false;
	guest(1, 10);
	evacuate();
	ck_assert_uint_eq(out.blocked_count, 0);
	near(out.makespan_ms, SCHEDULE_OVERHEAD_MS);
}
END_TEST

START_TEST(room_is_made_by_parking_another_guest)
{
	host(64);
	host(12);
	host(4);
	guest(0, 8);
	guest(1, 4);
	guest(1, 1)->stays = true;
	evacuate();
	ck_assert_uint_eq(out.blocked_count, 0);
	ck_assert_uint_eq(out.move_count, 2);
	ck_assert(out.moves[0].parking);
	ck_assert_str_eq(out.moves[0].reason, "makes room on kvm2 for a");
	ck_assert(!out.moves[1].parking);
	/* The room is there only when it has left. */
	ck_assert_int_ge(
	    out.moves[1].begin_ms, out.moves[0].begin_ms + out.moves[0].ms);
	ck_assert_uint_eq(out.moves[1].wave, 2);
	ck_assert_uint_eq(outlook.parking_count, 1);
}
END_TEST

START_TEST(one_that_is_kept_apart_is_parked_elsewhere)
{
	host(64);
	host(64);
	host(2);
	guest(0, 8)->apart = 0;
	guest(1, 2)->apart = 0;
	evacuate();
	ck_assert_uint_eq(out.blocked_count, 0);
	ck_assert_uint_eq(move_of("b")->to, 2);
	ck_assert_uint_eq(move_of("a")->to, 1);
}
END_TEST

START_TEST(the_quicker_one_of_two_is_parked)
{
	host(64);
	host(8);
	host(8);
	host(4);
	guest(0, 8);
	guest(1, 4);
	guest(2, 1);
	evacuate();
	ck_assert_uint_eq(out.blocked_count, 0);
	ck_assert_uint_eq(out.move_count, 2);
	ck_assert_uint_eq(move_of("c")->from, 2);
}
END_TEST

START_TEST(who_cannot_leave_does_not_keep_the_others)
{
	host(64);
	host(8);
	guest(0, 16);
	guest(0, 4);
	guest(0, 4);
	evacuate();
	ck_assert_uint_eq(out.move_count, 2);
	ck_assert_uint_eq(out.blocked_count, 1);
	ck_assert_str_eq(reason_of("a"),
	    "kvm2: 16.0 GiB of memory missing at most; moving other guests "
	    "makes no room either");
}
END_TEST

START_TEST(one_too_large_for_any_host_is_proven_to_stay_in_any_cluster)
{
	host(64);
	host(8);
	guest(0, 9);
	guest(0, 3);
	guest(1, 4);
	while (cluster.host_count < PADDED_HOSTS) {
		hosts[cluster.host_count] = hosts[1];
		hosts[cluster.host_count++].accepts = false;
	}
	evacuate();
	ck_assert_uint_eq(out.move_count, 1);
	ck_assert_ptr_nonnull(
	    strstr(reason_of("a"), "moving other guests makes no room either"));
}
END_TEST

START_TEST(limits_hold_at_once_and_by_host)
{
	host(64);
	host(64);
	host(64);
	for (int i = 0; i < 4; i++) {
		guest(0, 0);
		guests[i].way = PLAN_RESTART;
	}
	/* 5.5 s each and nothing over the link */
	evacuate();
	near(out.makespan_ms, 5500);
	cluster.limits.total = 3;
	evacuate();
	near(out.makespan_ms, 11000);
	ck_assert_uint_eq(out.moves[3].wave, 2);
	cluster.limits.total = 0;
	cluster.limits.per_source = 1;
	evacuate();
	near(out.makespan_ms, 22000);
	hosts[0].limit_out = 4;
	evacuate();
	near(out.makespan_ms, 5500);
	cluster.limits.per_target = 1;
	evacuate();
	near(out.makespan_ms, 11000);
	hosts[1].limit_in = 3;
	evacuate();
	near(out.makespan_ms, 5500);
}
END_TEST

START_TEST(moves_of_one_link_share_it)
{
	struct reserve *reserve;
	struct schedule *schedule;
	struct plan_move moves[2] = {
	    {.guest = 0, .from = 0, .to = 1}, {.guest = 1, .from = 0, .to = 2}};
	struct schedule_job jobs[2] = {{.bytes = LINK}, {.bytes = 3.0 * LINK}};

	host(64);
	host(64);
	host(64);
	guest(0, 1);
	guest(0, 1);
	reserve = reserve_new(arena, &cluster, 0);
	schedule = schedule_new(arena, reserve, 2);
	/* Half the link each for 2 s, then 2 s with all of it. */
	ck_assert_int_eq(schedule_run(schedule, moves, jobs, 2, 0), 4000);
	ck_assert_int_eq(moves[0].ms, 2000);
	ck_assert_int_eq(moves[1].ms, 4000);
	/* One after the other it ends no sooner, but the first one does. */
	ck_assert_int_eq(schedule_run(schedule, moves, jobs, 2, 1), 4000);
	ck_assert_int_eq(moves[0].ms, 1000);
	ck_assert_int_eq(moves[1].begin_ms, 1000);
	/* From two hosts into one: its link is shared as well. */
	moves[1] = (struct plan_move){.guest = 1, .from = 2, .to = 1};
	guests[1].host = 2;
	reserve = reserve_new(arena, &cluster, 0);
	schedule = schedule_new(arena, reserve, 2);
	ck_assert_int_eq(schedule_run(schedule, moves, jobs, 2, 0), 4000);
	ck_assert_int_eq(moves[0].ms, 2000);
	/* What waits first does not use the link. */
	jobs[0].fixed_ms = 3000;
	ck_assert_int_eq(schedule_run(schedule, moves, jobs, 2, 0), 4000);
	ck_assert_int_eq(moves[1].ms, 3000);
	ck_assert_int_eq(moves[0].ms, 4000);
}
END_TEST

START_TEST(an_order_that_is_not_feasible_is_told)
{
	struct reserve *reserve;
	struct schedule *schedule;
	struct plan_move moves[2] = {
	    {.guest = 0, .from = 0, .to = 1}, {.guest = 1, .from = 1, .to = 2}};
	struct schedule_job jobs[2] = {{.bytes = LINK}, {.bytes = LINK}};

	host(8);
	host(8);
	host(4);
	guest(0, 8);
	guest(1, 4);
	reserve = reserve_new(arena, &cluster, 0);
	schedule = schedule_new(arena, reserve, 2);
	/* The second one lets the first one in. */
	ck_assert_int_eq(schedule_run(schedule, moves, jobs, 2, 0), 2000);
	schedule_sort(schedule, moves, jobs, 2);
	ck_assert_uint_eq(moves[0].guest, 1);
	ck_assert_uint_eq(moves[1].wave, 2);
	hosts[2].accepts = false;
	ck_assert_int_eq(schedule_run(schedule, moves, jobs, 2, 0), -1);
	ck_assert_int_eq(reserve->memory[0], 8 * GIB);
	ck_assert_int_eq(reserve->memory[1], 4 * GIB);
	ck_assert_int_eq(reserve->memory[2], 0);
}
END_TEST

START_TEST(a_busy_writer_is_priced_higher)
{
	struct schedule_job idle, busy, lost, unknown, off;

	host(64);
	guest(0, 4);
	schedule_price(&cluster, 0, PLAN_LIVE_SHARED, LINK, &idle);
	guests[0].dirty_rate = LINK / 4;
	schedule_price(&cluster, 0, PLAN_LIVE_SHARED, LINK, &busy);
	guests[0].dirty_rate = LINK * 4;
	schedule_price(&cluster, 0, PLAN_LIVE_SHARED, LINK, &lost);
	guests[0].dirty_rate = -1;
	schedule_price(&cluster, 0, PLAN_LIVE_SHARED, LINK, &unknown);
	ck_assert(busy.bytes > idle.bytes * 1.1);
	ck_assert(lost.bytes > busy.bytes);
	ck_assert_int_eq(lost.downtime_ms, -1);
	ck_assert_int_eq(unknown.downtime_ms, -1);
	guests[0].disk = GIB;
	schedule_price(&cluster, 0, PLAN_RESTART, LINK, &off);
	ck_assert_int_eq((int64_t)off.bytes, GIB);
	ck_assert_int_eq((int64_t)off.fixed_ms, 5500);
}
END_TEST

START_TEST(a_deadline_that_can_be_met_is)
{
	host(64);
	host(64);
	guest(0, 2);
	guest(0, 2);
	options.deadline_ms = 60000;
	evacuate();
	ck_assert(outlook.met);
	ck_assert_uint_eq(outlook.late_count, 0);
	ck_assert_int_eq(outlook.makespan_ms, out.makespan_ms);
	ck_assert_int_le(out.makespan_ms, 60000);
}
END_TEST

START_TEST(what_cannot_be_met_brings_most_guests_out)
{
	host(64);
	host(64);
	guest(0, 16);
	guest(0, 1);
	guest(0, 1);
	guest(0, 1);
	evacuate();
	options.deadline_ms = 45000;
	evacuate();
	ck_assert(!outlook.met);
	ck_assert_uint_eq(outlook.late_count, 1);
	ck_assert_uint_eq(outlook.late[0], 0);
	ck_assert_int_le(move_of("d")->begin_ms + move_of("d")->ms, 45000);
	/* One at a time: two at once would share the link, and both be late. */
	options.deadline_ms = 11500;
	evacuate();
	ck_assert_uint_eq(outlook.late_count, 3);
}
END_TEST

START_TEST(a_deadline_shuts_down_only_who_may_and_must)
{
	uint64_t may = 3;

	host(64);
	host(64);
	guest(0, 16);
	guest(0, 2);
	guest(0, 16);
	options.deadline_ms = 200000;
	options.may_restart = &may;
	evacuate();
	ck_assert(outlook.met);
	ck_assert_int_eq(move_of("a")->way, PLAN_RESTART);
	ck_assert_int_eq(move_of("b")->way, PLAN_LIVE_SHARED);
	ck_assert_int_eq(move_of("c")->way, PLAN_LIVE_SHARED);
	ck_assert_ptr_nonnull(strstr(move_of("a")->reason, "in time"));
	/* No need, no restart. */
	options.deadline_ms = 2000000;
	evacuate();
	ck_assert_int_eq(move_of("a")->way, PLAN_LIVE_SHARED);
}
END_TEST

START_TEST(the_preview_names_hosts_that_get_full)
{
	host(64);
	host(10);
	host(10);
	guest(0, 5);
	guest(1, 5);
	guest(2, 10);
	evacuate();
	ck_assert_uint_eq(outlook.filled_count, 1);
	ck_assert_uint_eq(outlook.filled[0].host, 1);
	ck_assert_int_eq(outlook.filled[0].before, 5 * GIB);
	ck_assert_int_eq(outlook.filled[0].after, 10 * GIB);
	ck_assert_int_eq(outlook.filled[0].memory, 10 * GIB);
	guests[0].memory = 4 * GIB; /* exactly 90 % */
	evacuate();
	ck_assert_uint_eq(outlook.filled_count, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_evacuate");
	TCase *tc = tcase_create("plan_evacuate");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, an_empty_host_needs_no_moves);
	tcase_add_test(tc, one_guest_takes_what_its_bytes_take);
	tcase_add_test(tc, guests_go_where_most_is_left);
	tcase_add_test(tc, a_busy_host_is_left_alone);
	tcase_add_test(tc, guests_are_packed_where_spreading_leaves_one_behind);
	tcase_add_test(tc, each_hard_rule_is_a_reason);
	tcase_add_test(tc, hosts_that_lack_the_same_are_named_together);
	tcase_add_test(tc, disks_need_room_of_their_own);
	tcase_add_test(tc, what_stays_and_what_is_down_blocks_with_its_reason);
	tcase_add_test(tc, a_single_host_says_that_there_is_no_other);
	tcase_add_test(tc, guests_of_a_class_go_to_different_hosts);
	tcase_add_test(tc, a_guest_that_is_off_needs_no_memory_of_a_full_host);
	tcase_add_test(tc, room_is_made_by_parking_another_guest);
	tcase_add_test(tc, one_that_is_kept_apart_is_parked_elsewhere);
	tcase_add_test(tc, the_quicker_one_of_two_is_parked);
	tcase_add_test(tc, who_cannot_leave_does_not_keep_the_others);
	tcase_add_test(
	    tc, one_too_large_for_any_host_is_proven_to_stay_in_any_cluster);
	tcase_add_test(tc, limits_hold_at_once_and_by_host);
	tcase_add_test(tc, moves_of_one_link_share_it);
	tcase_add_test(tc, an_order_that_is_not_feasible_is_told);
	tcase_add_test(tc, a_busy_writer_is_priced_higher);
	tcase_add_test(tc, a_deadline_that_can_be_met_is);
	tcase_add_test(tc, what_cannot_be_met_brings_most_guests_out);
	tcase_add_test(tc, a_deadline_shuts_down_only_who_may_and_must);
	tcase_add_test(tc, the_preview_names_hosts_that_get_full);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
