/*
 * Whole restarts: against a small world of two hosts, there and back, ended at every
 * action and taken up again; and step by step where the order of things matters.
 */
#include "move_fixture.h"

static const struct reconcile_side off = IS(SHUTOFF, OTHER),
				   crashed = IS(SHUTOFF, CRASHED);

/* ---- the world ---- */

static struct world {
	struct reconcile_side sides[2]; /* source, target */
	bool ignores;                   /* the guest, being asked */
	unsigned fails;                 /* 1 << step, once each */
	bool always;                    /* not once */
	enum err_code how;
	bool layers[2];
	bool volumes; /* at the target */
	int starts[2];
	bool twice; /* it has run on both */
} world;

static void
setup_restart(void)
{
	setup();
	memset(&world, 0, sizeof(world));
	move->strategy = MOVE_RESTART;
	move->was_running = move->autostart = true;
	move->shutdown_ms = 60000;
	move->repeat_ms = 20000;
	move->timeout_ms = 0;
	world.sides[0] = runs;
	world.sides[0].autostart = true;
	world.sides[1] = nowhere;
}

static void
add_disk(void)
{
	(void)move_add_disk(move,
	    &(struct move_disk){.target = (char *)(uintptr_t) "vda",
		.path = (char *)(uintptr_t) "/images/a",
		.pool = (char *)(uintptr_t) "images",
		.volume = (char *)(uintptr_t) "a",
		.layer = (char *)(uintptr_t) "/images/a.drover-1",
		.layer_volume = (char *)(uintptr_t) "a.drover-1"});
}

static void
setup_local(void)
{
	setup_restart();
	add_disk();
}

static void
set_off(int host, enum domain_reason reason)
{
	world.sides[host].state = DOMAIN_SHUTOFF;
	world.sides[host].reason = reason;
}

static bool
is_on(int host)
{
	return world.sides[host].presence == RECONCILE_PRESENT &&
	    world.sides[host].state == DOMAIN_RUNNING;
}

static void
start_guest(int host)
{
	ck_assert_int_eq(world.sides[host].presence, RECONCILE_PRESENT);
	if (!is_on(host))
		world.starts[host]++;
	world.sides[host].state = DOMAIN_RUNNING;
	world.sides[host].reason = DOMAIN_REASON_OTHER;
	world.twice |= is_on(!host);
}

static void
define_target(void)
{
	if (world.sides[1].presence == RECONCILE_PRESENT)
		return;
	world.sides[1] = off;
}

static void
clean_target(void)
{
	ck_assert_int_eq(world.sides[1].presence, RECONCILE_ABSENT);
	world.volumes = world.layers[1] = false;
	for (size_t i = 0; i < move->disk_count; i++)
		move->disks[i].created = move->disks[i].layer_created = false;
}

/* Does it, and all of it may have been done before. */
static void
do_step(enum move_step step)
{
	switch (step) {
	case MOVE_STEP_PREPARE:
		world.volumes = true;
		move->disks[0].created = true;
		return;
	case MOVE_STEP_FREEZE:
		world.layers[0] = true;
		return;
	case MOVE_STEP_SHUTDOWN:
		if (!world.ignores)
			set_off(0, DOMAIN_REASON_SHUTDOWN);
		return;
	case MOVE_STEP_DESTROY:
		set_off(0, DOMAIN_REASON_DESTROYED);
		return;
	case MOVE_STEP_COPY_REST:
		ck_assert(!is_on(0));
		world.layers[1] = world.layers[0];
		return;
	case MOVE_STEP_DEFINE:
		define_target();
		return;
	case MOVE_STEP_DISARM:
	case MOVE_STEP_REARM:
		world.sides[0].autostart = step == MOVE_STEP_REARM;
		return;
	case MOVE_STEP_START:
		start_guest(1);
		return;
	case MOVE_STEP_UNDEFINE_SOURCE:
		ck_assert(!is_on(0));
		world.sides[0] = nowhere;
		return;
	case MOVE_STEP_MERGE_TARGET:
		world.layers[1] = false;
		return;
	case MOVE_STEP_AUTOSTART:
		world.sides[1].autostart = true;
		return;
	case MOVE_STEP_DESTROY_TARGET:
		set_off(1, DOMAIN_REASON_DESTROYED);
		return;
	case MOVE_STEP_UNDEFINE_TARGET:
		ck_assert(!is_on(1));
		world.sides[1] = nowhere;
		return;
	case MOVE_STEP_START_SOURCE:
		start_guest(0);
		return;
	case MOVE_STEP_MERGE_SOURCE:
		world.layers[0] = false;
		return;
	case MOVE_STEP_CLEAN:
		clean_target();
		return;
	case MOVE_STEP_NONE:
	case MOVE_STEP_CHECK:
	case MOVE_STEP_COPY:
	case MOVE_STEP_CARRY:
		return;
	}
}

/* ---- driving it ---- */

static json_t *journal;
static int crash_at; /* before this action; those of steps count twice */
static int action_number;
static char trail[2048]; /* names of the steps that were done */

static bool
crashes(void)
{
	return crash_at > 0 && ++action_number == crash_at;
}

static void
recover(void)
{
	struct err err = {0};
	struct move *again;

	ck_assert_ptr_nonnull(journal);
	again = move_load(journal, &err);
	ck_assert_msg(again != NULL, "%s", err.msg);
	move_free(move);
	move = again;
	now = mono_add(now, 3000);
	tell(MOVE_EV_RECOVERED);
}

static void
take_step(enum move_step step)
{
	unsigned bit = 1U << step;
	size_t n = strlen(trail);

	snprintf(trail + n, sizeof(trail) - n, "%s%s", n > 0 ? " " : "",
	    move_step_name(step));
	if ((world.fails & bit) != 0) {
		if (!world.always)
			world.fails &= ~bit;
		if (world.how == ERR_UNREACHABLE)
			do_step(step);
		tell_error(MOVE_EV_STEPPED, world.how, "it did not work");
		return;
	}
	do_step(step);
	if (crashes())
		recover();
	else
		tell(MOVE_EV_STEPPED);
}

/* Does what is listed, until that asks for an event, and gives it. */
static bool
do_listed(void)
{
	struct move_actions list = actions;
	int64_t timer = -1;

	for (size_t i = 0; i < list.count; i++) {
		const struct move_action *a = &list.items[i];

		if (crashes()) {
			recover();
			return true;
		}
		switch (a->kind) {
		case MOVE_DO_JOURNAL:
			json_decref(journal);
			journal = move_save(move);
			break;
		case MOVE_DO_STEP:
			take_step(a->perform_step);
			return true;
		case MOVE_DO_OBSERVE:
			see(&world.sides[0], &world.sides[1]);
			return true;
		case MOVE_DO_TIMER:
			timer = a->ms;
			break;
		case MOVE_DO_END:
			return false;
		case MOVE_DO_ALARM:
			break;
		case MOVE_DO_PERFORM:
		case MOVE_DO_CANCEL:
		case MOVE_DO_SUSPEND:
		case MOVE_DO_ABORT_JOB:
		case MOVE_DO_REPAIR:
		case MOVE_DO_COLLECT:
			ck_abort_msg("not an action of a restart");
		}
	}
	ck_assert_int_ge(timer, 0);
	wait_ms(timer);
	return true;
}

static void
run_on(void)
{
	for (int i = 0; i < 2000; i++) {
		if (!do_listed())
			return;
	}
	ck_abort_msg("it never ends: %s", move->note);
}

static void
run_all(void)
{
	trail[0] = '\0';
	action_number = 0;
	tell(MOVE_EV_BEGIN);
	/* The first entry is written by whoever starts it. */
	journal = move_save(move);
	run_on();
	json_decref(journal);
	journal = NULL;
}

static void
check_there(void)
{
	ck_assert_int_eq(move->outcome, MOVE_COMPLETED);
	ck_assert_int_eq(world.sides[0].presence, RECONCILE_ABSENT);
	ck_assert_int_eq(world.sides[1].presence, RECONCILE_PRESENT);
	ck_assert_int_eq(is_on(1), move->was_running && !move->owner_ended);
	ck_assert_int_eq(world.sides[1].autostart, move->autostart);
	ck_assert(!world.layers[1] && !world.twice);
	ck_assert_int_le(world.starts[1], 1);
}

static void
check_back(enum move_outcome outcome)
{
	ck_assert_int_eq(move->outcome, outcome);
	ck_assert_int_eq(world.sides[1].presence, RECONCILE_ABSENT);
	ck_assert_int_eq(world.sides[0].presence, RECONCILE_PRESENT);
	ck_assert_int_eq(is_on(0), move->was_running && !move->owner_ended);
	ck_assert_int_eq(world.sides[0].autostart, move->autostart);
	ck_assert(!world.layers[0] && !world.layers[1] && !world.volumes);
	ck_assert(!world.twice);
}

/* ---- going well ---- */

START_TEST(a_guest_with_disks_goes_there)
{
	run_all();
	check_there();
	ck_assert_str_eq(trail,
	    "check prepare freeze copy shutdown copy-rest carry define disarm "
	    "start undefine-source merge-target autostart");
	ck_assert_str_eq(move->remark, "");
}
END_TEST

START_TEST(a_guest_on_shared_storage_goes_there)
{
	run_all();
	check_there();
	ck_assert_str_eq(trail,
	    "shutdown carry define disarm start undefine-source autostart");
}
END_TEST

START_TEST(a_guest_that_is_off_stays_off)
{
	move->was_running = false;
	set_off(0, DOMAIN_REASON_OTHER);
	run_all();
	check_there();
	ck_assert_int_eq(world.starts[1], 0);
	ck_assert_str_eq(trail,
	    "check prepare copy-rest carry define disarm undefine-source "
	    "autostart");
}
END_TEST

START_TEST(up_there_counts_when_seen_twice)
{
	tell(MOVE_EV_BEGIN);
	expect("intent:restart observe");
	see(&runs, &nowhere);
	expect("intent:shutdown shutdown");
	tell(MOVE_EV_STEPPED);
	expect("result:shutdown observe");
	see(&runs, &nowhere);
	expect("timer:200");
	wait_ms(MOVE_SHUTDOWN_LOOK_MS);
	see(&shut_down, &nowhere);
	expect("intent:carry carry");
	ck_assert_int_eq(actions.items[1].expect.state, DOMAIN_SHUTOFF);
	tell(MOVE_EV_STEPPED);
	see(&shut_down, &nowhere);
	expect("intent:define define");
	ck_assert_int_eq(actions.items[1].expect.presence, RECONCILE_ABSENT);
	tell(MOVE_EV_STEPPED);
	see(&shut_down, &off);
	expect("intent:start start");
	ck_assert_int_eq(actions.items[1].expect.state, DOMAIN_SHUTOFF);
	tell(MOVE_EV_STEPPED);
	expect("result:start observe");
	see(&shut_down, &runs);
	expect("timer:500");
	/* News do not shorten it. */
	tell(MOVE_EV_HOST_NEWS);
	expect("");
	wait_ms(MOVE_VERIFY_MS);
	see(&shut_down, &runs);
	expect("note:verified intent:undefine-source undefine-source");
}
END_TEST

/* ---- asking the guest ---- */

static void
ask(void)
{
	tell(MOVE_EV_BEGIN);
	see(&runs, &nowhere);
	expect("intent:shutdown shutdown");
	ck_assert_int_eq(actions.items[1].ask, 0);
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	expect("timer:200");
}

static void
look_after(int64_t ms)
{
	wait_ms(ms);
	expect("observe");
	see(&runs, &nowhere);
}

START_TEST(a_guest_that_does_not_listen_is_asked_again)
{
	ask();
	look_after(19900);
	expect("timer:200");
	look_after(200);
	expect("intent:shutdown shutdown");
	ck_assert_int_eq(actions.items[1].ask, 1);
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	look_after(20000);
	expect("intent:shutdown shutdown");
	ck_assert_int_eq(actions.items[1].ask, 2);
}
END_TEST

START_TEST(without_an_agent_the_button_is_pressed_at_once)
{
	tell(MOVE_EV_BEGIN);
	see(&runs, &nowhere);
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "agent is not configured");
	expect("result:shutdown observe");
	see(&runs, &nowhere);
	expect("intent:shutdown shutdown");
	ck_assert_int_eq(actions.items[1].ask, 1);
	/* But not again and again. */
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no button");
	see(&runs, &nowhere);
	expect("timer:200");
}
END_TEST

START_TEST(a_guest_that_ignores_it_goes_back)
{
	world.ignores = true;
	run_all();
	check_back(MOVE_ROLLED_BACK);
	ck_assert_ptr_nonnull(strstr(move->error, "within 60 s"));
	ck_assert_int_eq(move->asks, 3);
	ck_assert_int_eq(world.starts[0], 0);
}
END_TEST

START_TEST(a_guest_that_ignores_it_is_cut_off_when_allowed)
{
	world.ignores = move->force_off = true;
	run_all();
	check_there();
	ck_assert(move->cut_off);
	ck_assert_ptr_nonnull(strstr(trail, "power-off copy-rest"));
}
END_TEST

START_TEST(a_guest_that_obeys_too_late_is_started_again)
{
	ask();
	look_after(50000);
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	look_after(10000);
	/* It may still obey: it is waited for. */
	expect("note:back timer:200");
	wait_ms(MOVE_SHUTDOWN_LOOK_MS);
	see(&shut_down, &nowhere);
	expect("intent:start-source start-source");
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_guest_that_reboots_is_noticed)
{
	tell(MOVE_EV_REBOOTED);
	expect("");
	ask();
	ck_assert_int_eq(move->reboots, 0);
	now = mono_add(now, 15000);
	tell(MOVE_EV_REBOOTED);
	/* It gets time to come up before it is asked again. */
	look_after(19000);
	expect("timer:200");
	ck_assert_ptr_nonnull(strstr(move->note, "rebooted 1 times"));
	look_after(1000);
	expect("intent:shutdown shutdown");
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	look_after(25000);
	/* It was asked in time, and may obey late. */
	expect("note:back timer:200");
	ck_assert_ptr_nonnull(strstr(move->error, "rebooted 1 times"));
	look_after(20000);
	expect("observe");
	see(&runs, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(a_request_that_broke_off_is_made_again)
{
	tell(MOVE_EV_BEGIN);
	see(&runs, &nowhere);
	tell_error(MOVE_EV_STEPPED, ERR_UNREACHABLE, "the connection broke");
	expect("result:shutdown observe");
	see(&unknown, &nowhere);
	expect("timer:1000");
	now = mono_add(now, 100000);
	tell(MOVE_EV_HOST_NEWS);
	see(&runs, &nowhere);
	expect("intent:shutdown shutdown");
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	/* Its time begins with the first that has surely reached it. */
	look_after(19000);
	expect("timer:200");
	look_after(40999);
	expect("intent:shutdown shutdown");
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	expect("timer:200");
	look_after(MOVE_SHUTDOWN_LOOK_MS);
	expect("note:back timer:200");
}
END_TEST

START_TEST(an_abort_waits_for_a_guest_that_was_asked)
{
	ask();
	tell(MOVE_EV_ABORT);
	expect("observe");
	see(&runs, &nowhere);
	expect("note:back timer:200");
	look_after(59000);
	expect("timer:200");
	wait_ms(MOVE_SHUTDOWN_LOOK_MS);
	see(&shut_down, &nowhere);
	expect("intent:start-source start-source");
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &nowhere);
	expect("end:aborted");
}
END_TEST

START_TEST(an_abort_does_not_wait_for_ever)
{
	move->shutdown_ms = 3600000;
	ask();
	tell(MOVE_EV_ABORT);
	see(&runs, &nowhere);
	expect("note:back timer:200");
	look_after(MOVE_OBEY_MS - 1000);
	expect("timer:200");
	look_after(1000);
	expect("observe");
	see(&runs, &nowhere);
	expect("end:aborted");
}
END_TEST

START_TEST(the_time_of_a_silent_source_is_its_own)
{
	ask();
	for (int i = 0; i < 100; i++) {
		wait_ms(MOVE_WAIT_MS);
		see(&unknown, &nowhere);
		expect("timer:1000");
	}
	ck_assert(move_is_idle(move, now));
	tell(MOVE_EV_HOST_NEWS);
	see(&shut_down, &nowhere);
	expect("intent:carry carry");
}
END_TEST

/* ---- a guest that ends by itself ---- */

START_TEST(what_its_owner_ends_stays_off)
{
	world.sides[0] = shut_down;
	run_all();
	check_there();
	ck_assert(move->owner_ended);
	ck_assert_int_eq(world.starts[1], 0);
	ck_assert_ptr_nonnull(strstr(move->remark, "owner"));

	teardown();
	setup_local();
	world.sides[0] = destroyed;
	run_all();
	check_there();
	ck_assert_int_eq(world.starts[1], 0);
}
END_TEST

START_TEST(a_guest_that_crashed_is_started_there)
{
	world.sides[0] = crashed;
	run_all();
	check_there();
	ck_assert_int_eq(world.starts[1], 1);
	/* Nobody was to be asked. */
	ck_assert_ptr_null(strstr(trail, "shutdown"));
}
END_TEST

START_TEST(a_guest_whose_owner_changes_their_mind_runs)
{
	tell(MOVE_EV_BEGIN);
	see(&shut_down, &unknown);
	ck_assert(move->owner_ended);
	tell(MOVE_EV_HOST_NEWS);
	see(&runs, &nowhere);
	ck_assert(!move->owner_ended);
	expect("intent:shutdown shutdown");
}
END_TEST

/* ---- started again at the source ---- */

START_TEST(a_guest_that_is_started_again_makes_the_copy_old)
{
	ask();
	wait_ms(MOVE_SHUTDOWN_LOOK_MS);
	see(&shut_down, &nowhere);
	tell(MOVE_EV_STEPPED);
	see(&shut_down, &nowhere);
	expect("intent:define define");
	tell(MOVE_EV_STEPPED);
	see(&runs, &off);
	expect("note:back observe");
	see(&runs, &off);
	expect("intent:undefine-target undefine-target");
	/* Also when it is off again: that is not what was copied. */
	tell(MOVE_EV_STEPPED);
	see(&shut_down, &nowhere);
	expect("intent:start-source start-source");
}
END_TEST

START_TEST(what_was_out_of_sight_is_copied_again)
{
	tell(MOVE_EV_BEGIN);
	world.sides[0] = crashed;
	see(&crashed, &nowhere);
	tell(MOVE_EV_STEPPED);
	see(&crashed, &nowhere);
	move->disks[0].created = true;
	tell(MOVE_EV_STEPPED);
	see(&crashed, &nowhere);
	expect("intent:copy-rest copy-rest");
	tell(MOVE_EV_STEPPED);
	see(&unknown, &nowhere);
	expect("timer:1000");
	tell(MOVE_EV_HOST_NEWS);
	see(&crashed, &nowhere);
	expect("intent:copy-rest copy-rest");
	tell(MOVE_EV_STEPPED);
	see(&crashed, &nowhere);
	expect("intent:carry carry");
}
END_TEST

START_TEST(a_short_life_at_the_source_makes_the_copy_old_too)
{
	move->was_running = false;
	tell(MOVE_EV_BEGIN);
	see(&off, &nowhere);
	tell(MOVE_EV_STEPPED);
	see(&off, &nowhere);
	move->disks[0].created = true;
	tell(MOVE_EV_STEPPED);
	see(&off, &nowhere);
	expect("intent:copy-rest copy-rest");
	/* Only an event shows it: when it is looked at it is off again. */
	tell(MOVE_EV_STARTED);
	expect("");
	tell(MOVE_EV_STEPPED);
	see(&off, &nowhere);
	expect("intent:copy-rest copy-rest");
	/* And events may have been lost. */
	tell(MOVE_EV_HOST_NEWS);
	tell(MOVE_EV_STEPPED);
	see(&off, &nowhere);
	expect("intent:copy-rest copy-rest");
	tell(MOVE_EV_STEPPED);
	see(&off, &nowhere);
	expect("intent:carry carry");
}
END_TEST

START_TEST(an_undefinition_that_was_not_made_commits_to_nothing)
{
	move->was_running = false;
	move->steps_begun = move->steps_done = 1U << MOVE_STEP_CHECK |
	    1U << MOVE_STEP_PREPARE | 1U << MOVE_STEP_COPY_REST |
	    1U << MOVE_STEP_CARRY | 1U << MOVE_STEP_DEFINE;
	move->state = MOVE_OBSERVING;
	see(&off, &off);
	expect("intent:undefine-source undefine-source");
	tell(MOVE_EV_STARTED);
	tell_error(MOVE_EV_STEPPED, ERR_CONFLICT, "its state has changed");
	expect("result:undefine-source observe");
	see(&runs, &off);
	expect("note:back observe");
}
END_TEST

START_TEST(the_end_of_a_merge_is_not_the_owners)
{
	ask();
	move->back = true;
	move->steps_begun |=
	    1U << MOVE_STEP_FREEZE | 1U << MOVE_STEP_MERGE_SOURCE;
	move->steps_done |= 1U << MOVE_STEP_MERGE_SOURCE;
	wait_ms(MOVE_SHUTDOWN_LOOK_MS);
	/* It obeyed late, and was merged while it was off. */
	see(&destroyed, &nowhere);
	expect("intent:start-source start-source");
}
END_TEST

START_TEST(a_guest_that_runs_twice_is_an_alarm)
{
	move->steps_begun = move->steps_done = 1U << MOVE_STEP_SHUTDOWN |
	    1U << MOVE_STEP_CARRY | 1U << MOVE_STEP_DEFINE;
	move->steps_begun |= 1U << MOVE_STEP_START;
	move->state = MOVE_OBSERVING;
	see_twice(&runs, &runs);
	expect("note:back observe");
	see(&runs, &runs);
	expect("alarm intent:destroy-target destroy-target");
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &destroyed);
	expect("intent:undefine-target undefine-target");
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &nowhere);
	expect("end:rolled-back");
}
END_TEST

START_TEST(an_old_copy_started_at_the_source_ends)
{
	move->steps_begun = move->steps_done = 1U << MOVE_STEP_SHUTDOWN |
	    1U << MOVE_STEP_CARRY | 1U << MOVE_STEP_DEFINE |
	    1U << MOVE_STEP_START;
	move->verified = true;
	move->state = MOVE_OBSERVING;
	see_twice(&runs, &runs);
	expect("alarm intent:power-off power-off");
	tell(MOVE_EV_STEPPED);
	see(&destroyed, &runs);
	expect("intent:undefine-source undefine-source");
}
END_TEST

/* ---- starting it there ---- */

static void
come_to_start(void)
{
	move->steps_begun = move->steps_done = 1U << MOVE_STEP_SHUTDOWN |
	    1U << MOVE_STEP_CARRY | 1U << MOVE_STEP_DEFINE |
	    1U << MOVE_STEP_DISARM;
	move->state = MOVE_OBSERVING;
	see(&shut_down, &off);
	expect("intent:start start");
}

START_TEST(a_start_that_is_refused_leads_back_by_the_rule)
{
	come_to_start();
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "unsupported machine type");
	expect("result:start note:back observe");
	see_twice(&shut_down, &failed_there);
	expect("intent:undefine-target undefine-target");
	tell(MOVE_EV_STEPPED);
	/* Gone, as both say, and once more. */
	see(&shut_down, &unknown);
	expect("timer:1000");
	tell(MOVE_EV_HOST_NEWS);
	see_twice(&shut_down, &nowhere);
	expect("intent:start-source start-source");
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	expect("intent:rearm rearm");
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &nowhere);
	expect("end:rolled-back");
	ck_assert_str_eq(move->error, "unsupported machine type");
}
END_TEST

START_TEST(a_start_that_broke_off_is_looked_at)
{
	come_to_start();
	tell_error(MOVE_EV_STEPPED, ERR_UNREACHABLE, "the connection broke");
	expect("result:start observe");
	for (int i = 0; i < 200; i++) {
		see(&shut_down, &unknown);
		expect("timer:1000");
		wait_ms(MOVE_WAIT_MS);
	}
	see(&shut_down, &runs);
	expect("timer:500");
}
END_TEST

START_TEST(a_guest_that_does_not_stay_up_there_gets_two_tries)
{
	come_to_start();
	tell(MOVE_EV_STEPPED);
	see(&shut_down, &crashed);
	expect("intent:start start");
	tell(MOVE_EV_STEPPED);
	see_twice(&shut_down, &crashed);
	expect("note:back observe");
	see(&shut_down, &crashed);
	expect("intent:undefine-target undefine-target");
}
END_TEST

START_TEST(a_guest_that_ran_there_and_was_ended_has_moved)
{
	come_to_start();
	tell(MOVE_EV_STEPPED);
	see_twice(&shut_down, &destroyed);
	expect("note:verified intent:undefine-source undefine-source");
	ck_assert_ptr_nonnull(strstr(move->remark, "ended"));
}
END_TEST

START_TEST(on_the_way_back_a_guest_that_runs_there_stays)
{
	come_to_start();
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
	see(&shut_down, &runs);
	expect("note:forward timer:500");
	wait_ms(MOVE_VERIFY_MS);
	see(&shut_down, &runs);
	expect("note:verified intent:undefine-source undefine-source");
}
END_TEST

START_TEST(a_start_that_was_not_written_was_not_sent)
{
	come_to_start();
	tell_error(MOVE_EV_NOT_WRITTEN, ERR_IO, "disk full");
	expect("timer:2000");
	ck_assert(!(move->steps_begun & 1U << MOVE_STEP_START));
	tell(MOVE_EV_ABORT);
	expect("observe");
	see(&shut_down, &off);
	expect("note:back intent:start-source start-source");
}
END_TEST

/* ---- steps that fail ---- */

START_TEST(a_step_that_fails_on_the_way_leads_back)
{
	static const enum move_step steps[] = {MOVE_STEP_PREPARE,
	    MOVE_STEP_FREEZE, MOVE_STEP_COPY, MOVE_STEP_COPY_REST,
	    MOVE_STEP_CARRY, MOVE_STEP_DEFINE, MOVE_STEP_START};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		teardown();
		setup_local();
		world.fails = 1U << steps[i];
		world.how = ERR_REFUSED;
		run_all();
		check_back(i == 0 ? MOVE_FAILED : MOVE_ROLLED_BACK);
		ck_assert_str_eq(move->error, "it did not work");
	}
}
END_TEST

START_TEST(a_step_that_broke_off_is_done_again)
{
	static const enum move_step steps[] = {MOVE_STEP_FREEZE, MOVE_STEP_COPY,
	    MOVE_STEP_SHUTDOWN, MOVE_STEP_COPY_REST, MOVE_STEP_CARRY,
	    MOVE_STEP_DEFINE, MOVE_STEP_DISARM, MOVE_STEP_START,
	    MOVE_STEP_UNDEFINE_SOURCE, MOVE_STEP_MERGE_TARGET,
	    MOVE_STEP_AUTOSTART};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		teardown();
		setup_local();
		world.fails = 1U << steps[i];
		world.how = ERR_UNREACHABLE;
		run_all();
		check_there();
	}
	/* But for this one: nothing is lost by beginning anew. */
	teardown();
	setup_local();
	world.fails = 1U << MOVE_STEP_PREPARE;
	world.how = ERR_UNREACHABLE;
	run_all();
	check_back(MOVE_FAILED);
}
END_TEST

START_TEST(what_fails_after_it_has_moved_is_said)
{
	come_to_start();
	move->verified = true;
	move->steps_begun |= 1U << MOVE_STEP_FREEZE;
	move->state = MOVE_OBSERVING;
	for (int i = 1; i < MOVE_REPAIR_TRIES; i++) {
		see(&shut_down, &runs);
		expect("intent:undefine-source undefine-source");
		tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
		expect("result:undefine-source timer:1000");
		wait_ms(MOVE_WAIT_MS);
	}
	see(&shut_down, &runs);
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
	expect("result:undefine-source alarm observe");
	for (int i = 1; i < MOVE_COPY_TRIES; i++) {
		see(&shut_down, &runs);
		expect("intent:merge-target merge-target");
		tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
		wait_ms(MOVE_WAIT_MS);
	}
	see(&shut_down, &runs);
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
	expect("result:merge-target alarm observe");
	move->steps_done |= 1U << MOVE_STEP_AUTOSTART;
	see(&shut_down, &runs);
	expect("end:completed");
	ck_assert_str_eq(move->remark, "undefine-source failed: no");
}
END_TEST

START_TEST(a_source_that_cannot_be_started_is_for_a_person)
{
	ask();
	move->back = true;
	wait_ms(MOVE_SHUTDOWN_LOOK_MS);
	for (int i = 1; i < MOVE_REPAIR_TRIES; i++) {
		see(&shut_down, &nowhere);
		expect("intent:start-source start-source");
		tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
		expect("result:start-source timer:1000");
		wait_ms(MOVE_WAIT_MS);
	}
	see(&shut_down, &nowhere);
	tell_error(MOVE_EV_STEPPED, ERR_REFUSED, "no");
	expect("result:start-source alarm end:stuck");
}
END_TEST

/* ---- aborts and time ---- */

static void
come_to_copy(void)
{
	tell(MOVE_EV_BEGIN);
	see(&runs, &nowhere);
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	move->disks[0].created = true;
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
}

START_TEST(a_copy_is_cancelled_on_request)
{
	come_to_copy();
	expect("intent:copy copy");
	tell(MOVE_EV_ABORT);
	expect("cancel");
	tell_error(MOVE_EV_STEPPED, ERR_ABORTED, "cancelled");
	expect("result:copy note:back observe");
	see(&runs, &nowhere);
	expect("intent:merge-source merge-source");
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	expect("intent:clean clean");
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &nowhere);
	expect("end:aborted");
}
END_TEST

START_TEST(a_copy_that_takes_too_long_is_given_up)
{
	move->timeout_ms = 60000;
	come_to_copy();
	expect("intent:copy copy timer:60000");
	wait_ms(60000);
	expect("cancel");
	tell_error(MOVE_EV_STEPPED, ERR_ABORTED, "cancelled");
	see(&runs, &nowhere);
	expect("intent:merge-source merge-source");
	tell(MOVE_EV_STEPPED);
	see(&runs, &nowhere);
	tell(MOVE_EV_STEPPED);
	see_twice(&runs, &nowhere);
	expect("end:rolled-back");
	ck_assert_ptr_nonnull(strstr(move->error, "60 s"));
}
END_TEST

START_TEST(an_abort_after_the_start_comes_too_late)
{
	come_to_start();
	tell(MOVE_EV_ABORT);
	expect("");
	ck_assert_ptr_nonnull(strstr(move->note, "too late"));
	tell(MOVE_EV_STEPPED);
	see(&shut_down, &runs);
	expect("timer:500");
	wait_ms(MOVE_VERIFY_MS);
	see(&shut_down, &runs);
	expect("note:verified intent:undefine-source undefine-source");
}
END_TEST

START_TEST(a_silent_target_does_not_hold_up_the_guest)
{
	ask();
	for (int i = 0; i < RECONCILE_PATIENCE_MS / MOVE_WAIT_MS; i++) {
		wait_ms(MOVE_WAIT_MS);
		see(&shut_down, &unknown);
		expect("timer:1000");
	}
	wait_ms(MOVE_WAIT_MS);
	see(&shut_down, &unknown);
	expect("note:back intent:start-source start-source");
}
END_TEST

/* ---- ended at every action ---- */

static void
crash_everywhere(void (*prepare)(void), void (*change)(void), bool there)
{
	for (crash_at = 1; crash_at < 400; crash_at++) {
		teardown();
		prepare();
		if (change != NULL)
			change();
		run_all();
		if (move->outcome == MOVE_COMPLETED)
			check_there();
		else
			check_back(move->outcome);
		/* Only while volumes are made it is not known what was done. */
		ck_assert_msg((move->outcome == MOVE_COMPLETED) == there ||
			strstr(move->error, "volumes") != NULL,
		    "crash at %d: %s", crash_at, move->error);
		if (action_number < crash_at)
			break;
	}
	ck_assert_int_ge(crash_at, 25);
	ck_assert_int_lt(crash_at, 400);
	crash_at = 0;
}

static void
make_deaf(void)
{
	world.ignores = true;
	move->shutdown_ms = move->repeat_ms = 2000;
}

static void
make_unstartable(void)
{
	world.fails = 1U << MOVE_STEP_START;
	world.how = ERR_REFUSED;
	world.always = true;
}

static void
make_cold(void)
{
	move->was_running = false;
	set_off(0, DOMAIN_REASON_OTHER);
}

START_TEST(a_restart_that_is_interrupted_goes_on)
{
	crash_everywhere(setup_local, NULL, true);
	crash_everywhere(setup_restart, NULL, true);
	crash_everywhere(setup_local, make_cold, true);
}
END_TEST

START_TEST(a_way_back_that_is_interrupted_goes_on)
{
	crash_everywhere(setup_local, make_deaf, false);
	crash_everywhere(setup_restart, make_deaf, false);
	crash_everywhere(setup_local, make_unstartable, false);
}
END_TEST

static TCase *
add(Suite *suite, const char *name, void (*fixture)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static void
add_cases_with_disks(Suite *suite)
{
	TCase *tc = add(suite, "local", setup_local);

	tcase_add_test(tc, a_guest_with_disks_goes_there);
	tcase_add_test(tc, a_guest_that_is_off_stays_off);
	tcase_add_test(tc, a_guest_that_ignores_it_goes_back);
	tcase_add_test(tc, a_guest_that_ignores_it_is_cut_off_when_allowed);
	tcase_add_test(tc, what_its_owner_ends_stays_off);
	tcase_add_test(tc, a_guest_that_crashed_is_started_there);
	tcase_add_test(tc, what_was_out_of_sight_is_copied_again);
	tcase_add_test(tc, a_short_life_at_the_source_makes_the_copy_old_too);
	tcase_add_test(
	    tc, an_undefinition_that_was_not_made_commits_to_nothing);
	tcase_add_test(tc, a_step_that_fails_on_the_way_leads_back);
	tcase_add_test(tc, a_step_that_broke_off_is_done_again);
	tcase_add_test(tc, a_copy_is_cancelled_on_request);
	tcase_add_test(tc, a_copy_that_takes_too_long_is_given_up);
	tc = add(suite, "interrupted", setup_local);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_restart_that_is_interrupted_goes_on);
	tcase_add_test(tc, a_way_back_that_is_interrupted_goes_on);
}

int
main(void)
{
	Suite *suite = suite_create("restart_run");
	TCase *tc = add(suite, "shared", setup_restart);

	tcase_add_test(tc, a_guest_on_shared_storage_goes_there);
	tcase_add_test(tc, up_there_counts_when_seen_twice);
	tcase_add_test(tc, a_guest_that_does_not_listen_is_asked_again);
	tcase_add_test(tc, without_an_agent_the_button_is_pressed_at_once);
	tcase_add_test(tc, a_guest_that_obeys_too_late_is_started_again);
	tcase_add_test(tc, a_guest_that_reboots_is_noticed);
	tcase_add_test(tc, a_request_that_broke_off_is_made_again);
	tcase_add_test(tc, an_abort_waits_for_a_guest_that_was_asked);
	tcase_add_test(tc, an_abort_does_not_wait_for_ever);
	tcase_add_test(tc, the_end_of_a_merge_is_not_the_owners);
	tcase_add_test(tc, the_time_of_a_silent_source_is_its_own);
	tcase_add_test(tc, a_guest_whose_owner_changes_their_mind_runs);
	tcase_add_test(tc, a_guest_that_is_started_again_makes_the_copy_old);
	tcase_add_test(tc, a_guest_that_runs_twice_is_an_alarm);
	tcase_add_test(tc, an_old_copy_started_at_the_source_ends);
	tcase_add_test(tc, a_start_that_is_refused_leads_back_by_the_rule);
	tcase_add_test(tc, a_start_that_broke_off_is_looked_at);
	tcase_add_test(tc, a_guest_that_does_not_stay_up_there_gets_two_tries);
	tcase_add_test(tc, a_guest_that_ran_there_and_was_ended_has_moved);
	tcase_add_test(tc, on_the_way_back_a_guest_that_runs_there_stays);
	tcase_add_test(tc, a_start_that_was_not_written_was_not_sent);
	tcase_add_test(tc, what_fails_after_it_has_moved_is_said);
	tcase_add_test(tc, a_source_that_cannot_be_started_is_for_a_person);
	tcase_add_test(tc, an_abort_after_the_start_comes_too_late);
	tcase_add_test(tc, a_silent_target_does_not_hold_up_the_guest);
	add_cases_with_disks(suite);
	return run_suite(suite);
}
