/*
 * The ladder against a simulated QEMU: it sends, the guest writes, a pass ends
 * when what is left would fit into the limit and is over when it still does
 * after asking for what was written.  Time is the simulation's.
 */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decide/converge.h"

#define MIB (INT64_C(1) << 20)
#define STEP_MS 50
#define LOOK_MS 250

struct sim {
	/* the guest, in MiB and MiB/s */
	double memory, set, dirty, link;
	bool throttles;     /* auto-converge was asked for */
	int64_t lull_at_ms; /* it stops writing; 0: never */
	bool deaf;          /* calls of ours fail */

	double left, since_sync_s, sent_s, throttle;
	int64_t now_ms, paused_at_ms, iterations, limit_ms;
	bool paused, postcopy, over, given_up;

	int acts, raises, postcopies, pauses;
	int64_t first_act_ms, first_act_iteration;
	char why[256];
};

static struct converge state;

static void
setup(void)
{
	memset(&state, 0, sizeof(state));
}

static double
sim_rate(const struct sim *sim)
{
	if (sim->paused ||
	    (sim->lull_at_ms > 0 && sim->now_ms >= sim->lull_at_ms))
		return 0;
	return sim->dirty * (1 - sim->throttle);
}

static void
sim_step(struct sim *sim)
{
	double dt = STEP_MS / 1000.0, written;
	double fits = sim->link * (double)sim->limit_ms / 1000;

	sim->now_ms += STEP_MS;
	if (sim->postcopy) {
		sim->left -= sim->link * dt;
		sim->over = sim->left <= 0;
		return;
	}
	sim->left -= sim->link * dt;
	sim->since_sync_s += dt;
	sim->sent_s += sim_rate(sim) * dt;
	if (sim->left > fits)
		return;
	if (sim->left < 0)
		sim->left = 0;
	written = (sim->set - fmin(sim->left, sim->set)) *
	    -expm1(-sim->sent_s / sim->set);
	if (sim->throttles && sim->since_sync_s >= 1 &&
	    written > sim->link * sim->since_sync_s / 2)
		sim->throttle =
		    fmin(0.99, sim->throttle == 0 ? 0.2 : sim->throttle + 0.05);
	sim->left += written;
	sim->since_sync_s = sim->sent_s = 0;
	sim->iterations++;
	sim->over = sim->left <= fits;
}

static void
sim_look(struct sim *sim, const struct converge_policy *policy)
{
	struct converge_job job = {.elapsed_ms = sim->now_ms,
	    .iterations = sim->iterations,
	    .memory_total = (int64_t)sim->memory * MIB,
	    .memory_remaining = (int64_t)(sim->left * (double)MIB),
	    .memory_rate = (int64_t)sim->link * MIB,
	    .dirty_rate = (int64_t)(sim_rate(sim) * (double)MIB),
	    .downtime_limit_ms = sim->limit_ms};
	struct converge_step out;

	converge_look(&state, policy, &job, (struct mono){sim->now_ms}, &out);
	if (out.act == CONVERGE_NONE)
		return;
	if (sim->acts++ == 0) {
		sim->first_act_ms = sim->now_ms;
		sim->first_act_iteration = sim->iterations;
	}
	ck_assert(strlen(out.why) > 0);
	memcpy(sim->why, out.why, sizeof(sim->why));
	switch (out.act) {
	case CONVERGE_NONE:
		break;
	case CONVERGE_SET_DOWNTIME:
		ck_assert_int_gt(out.downtime_ms, sim->limit_ms);
		ck_assert_int_le(out.downtime_ms, policy->max_downtime_ms);
		ck_assert_int_le(out.downtime_ms, 2 * sim->limit_ms);
		sim->raises++;
		if (!sim->deaf)
			sim->limit_ms = out.downtime_ms;
		break;
	case CONVERGE_START_POSTCOPY:
		sim->postcopies++;
		if (!sim->deaf)
			sim->postcopy = true;
		break;
	case CONVERGE_SUSPEND:
		sim->pauses++;
		sim->paused = true;
		sim->paused_at_ms = sim->now_ms;
		break;
	case CONVERGE_GIVE_UP:
		sim->given_up = true;
		break;
	}
}

/* Until it is over, given up, or an hour has passed. */
static void
sim_run(struct sim *sim, const struct converge_policy *policy)
{
	sim->left = sim->memory;
	sim->iterations = 1;
	if (sim->limit_ms == 0)
		sim->limit_ms = 300;
	while (!sim->over && !sim->given_up && sim->now_ms < 3600000) {
		sim_step(sim);
		if (sim->now_ms % LOOK_MS == 0 && !sim->over)
			sim_look(sim, policy);
	}
}

static const struct converge_policy all = {.rungs = CONVERGE_DOWNTIME |
	CONVERGE_THROTTLE | CONVERGE_POSTCOPY | CONVERGE_PAUSE,
    .max_downtime_ms = 2000,
    .pause_max_ms = 30000,
    .postcopy_ready = true};

START_TEST(a_job_that_converges_is_left_alone)
{
	struct sim sim = {
	    .memory = 8000, .set = 8000, .dirty = 70, .link = 100};

	sim_run(&sim, &all);
	ck_assert(sim.over);
	ck_assert_int_eq(sim.acts, 0);
	ck_assert_int_eq(sim.limit_ms, 300);
}
END_TEST

START_TEST(an_idle_job_on_a_slow_link_is_left_alone)
{
	struct sim sim = {.memory = 20000, .set = 100, .dirty = 1, .link = 10};

	sim_run(&sim, &all);
	ck_assert(sim.over);
	ck_assert_int_eq(sim.acts, 0);
}
END_TEST

START_TEST(the_downtime_limit_rises_in_steps_until_it_ends)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_DOWNTIME, .max_downtime_ms = 5000};
	/* 200 (1 - 100/200): it needs more than 100 MiB, 1 s. */
	struct sim sim = {
	    .memory = 1000, .set = 200, .dirty = 200, .link = 100};

	sim_run(&sim, &policy);
	ck_assert(sim.over);
	ck_assert_int_ge(sim.raises, 2);
	ck_assert_int_eq(sim.acts, sim.raises);
	ck_assert_int_ge(sim.limit_ms, 1000);
	ck_assert_int_lt(sim.limit_ms, 2300);
	ck_assert_int_eq(state.steps, sim.raises);
}
END_TEST

START_TEST(the_limit_stops_at_the_policy_s_and_then_it_is_given_up)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_DOWNTIME, .max_downtime_ms = 1000};
	struct sim sim = {
	    .memory = 1000, .set = 800, .dirty = 400, .link = 100};

	sim_run(&sim, &policy);
	ck_assert(sim.given_up);
	ck_assert_int_eq(sim.limit_ms, 1000);
	/* 300 600 1000 */
	ck_assert_int_eq(sim.raises, 2);
	ck_assert_ptr_nonnull(strstr(sim.why,
	    "not converging: it writes "
	    "400.0 MiB/s, 100.0 MiB/s get "
	    "through;"));
	ck_assert_ptr_nonnull(strstr(sim.why, "downtime limit 1.0 s"));
	ck_assert_ptr_nonnull(strstr(sim.why, "is not allowed"));
}
END_TEST

START_TEST(throttling_is_given_its_time)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_DOWNTIME | CONVERGE_THROTTLE,
	    .max_downtime_ms = 500};
	struct sim sim = {.memory = 1000,
	    .set = 800,
	    .dirty = 400,
	    .link = 100,
	    .throttles = true};

	sim_run(&sim, &policy);
	ck_assert(sim.over);
	ck_assert(!sim.given_up);
	ck_assert(sim.throttle > 0.5);

	/* The same where it does not help: in the end it is given up. */
	setup();
	sim =
	    (struct sim){.memory = 1000, .set = 800, .dirty = 400, .link = 100};
	sim_run(&sim, &policy);
	ck_assert(sim.given_up);
	ck_assert_int_ge(sim.now_ms, CONVERGE_THROTTLE_MS);
}
END_TEST

START_TEST(post_copy_comes_after_the_gentler_rungs)
{
	struct converge_policy policy = all;
	struct sim sim = {
	    .memory = 1000, .set = 800, .dirty = 400, .link = 100};

	sim_run(&sim, &policy);
	ck_assert(sim.over);
	ck_assert(sim.postcopy);
	ck_assert_int_eq(sim.limit_ms, 2000);
	ck_assert_int_eq(sim.postcopies, 1);
	ck_assert_int_eq(sim.pauses, 0);
	ck_assert((state.taken & CONVERGE_THROTTLE) != 0);
}
END_TEST

START_TEST(post_copy_never_before_the_first_pass_is_over)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_POSTCOPY, .postcopy_ready = true};
	struct sim sim = {
	    .memory = 1000, .set = 800, .dirty = 400, .link = 100};

	sim_run(&sim, &policy);
	ck_assert(sim.postcopy);
	ck_assert_int_ge(sim.first_act_iteration, 2);
	ck_assert_int_ge(sim.first_act_ms, 10000);
}
END_TEST

START_TEST(post_copy_only_where_it_was_prepared_and_allowed)
{
	struct converge_policy policy = {.rungs = CONVERGE_POSTCOPY};
	struct sim sim = {
	    .memory = 1000, .set = 800, .dirty = 400, .link = 100};

	sim_run(&sim, &policy);
	ck_assert_int_eq(sim.postcopies, 0);
	ck_assert(sim.given_up);

	setup();
	policy = (struct converge_policy){.postcopy_ready = true};
	sim =
	    (struct sim){.memory = 1000, .set = 800, .dirty = 400, .link = 100};
	sim_run(&sim, &policy);
	ck_assert_int_eq(sim.acts, 1);
	ck_assert(sim.given_up);
}
END_TEST

START_TEST(a_pause_is_as_long_as_was_said_and_ends_it)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_PAUSE, .pause_max_ms = 20000};
	struct sim sim = {
	    .memory = 1000, .set = 800, .dirty = 400, .link = 100};

	sim_run(&sim, &policy);
	ck_assert(sim.over);
	ck_assert_int_eq(sim.pauses, 1);
	ck_assert_int_eq(sim.acts, 1);
	ck_assert_ptr_nonnull(strstr(sim.why, "paused until the rest is"));
	ck_assert_int_le(sim.now_ms - sim.paused_at_ms, policy.pause_max_ms);
}
END_TEST

START_TEST(a_pause_that_would_be_too_long_is_not_begun)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_PAUSE, .pause_max_ms = 2000};
	struct sim sim = {
	    .memory = 1000, .set = 800, .dirty = 400, .link = 100};

	sim_run(&sim, &policy);
	ck_assert_int_eq(sim.pauses, 0);
	ck_assert(sim.given_up);
	ck_assert_ptr_nonnull(strstr(sim.why, "a pause would last"));
	ck_assert_ptr_nonnull(strstr(sim.why, "2.0 s is allowed"));

	/* No bound: it is. */
	setup();
	policy.pause_max_ms = 0;
	sim =
	    (struct sim){.memory = 1000, .set = 800, .dirty = 400, .link = 100};
	sim_run(&sim, &policy);
	ck_assert_int_eq(sim.pauses, 1);
	ck_assert(sim.over);
}
END_TEST

START_TEST(an_act_that_has_no_effect_is_not_asked_for_again)
{
	struct sim sim = {.memory = 1000,
	    .set = 800,
	    .dirty = 400,
	    .link = 100,
	    .deaf = true};

	sim_run(&sim, &all);
	ck_assert_int_eq(sim.raises, 1);
	ck_assert_int_eq(sim.postcopies, 1);
	ck_assert_int_eq(sim.pauses, 1);
	ck_assert(sim.over);
}
END_TEST

START_TEST(a_guest_that_calms_down_is_left_alone_from_then_on)
{
	struct sim sim = {.memory = 1000,
	    .set = 800,
	    .dirty = 400,
	    .link = 100,
	    .lull_at_ms = 40000};
	int acts;

	sim.left = sim.memory;
	sim.iterations = 1;
	sim.limit_ms = 300;
	while (sim.now_ms < 40000) {
		sim_step(&sim);
		if (sim.now_ms % LOOK_MS == 0)
			sim_look(&sim, &all);
	}
	acts = sim.acts;
	ck_assert_int_ge(acts, 1);
	while (!sim.over) {
		sim_step(&sim);
		if (sim.now_ms % LOOK_MS == 0 && !sim.over)
			sim_look(&sim, &all);
	}
	ck_assert_int_eq(sim.acts, acts);
	ck_assert_int_lt(sim.now_ms, 60000);
}
END_TEST

START_TEST(copying_disks_are_waited_for)
{
	struct converge_job job = {.iterations = 1,
	    .memory_total = 1000 * MIB,
	    .memory_remaining = 1000 * MIB,
	    .memory_rate = 0,
	    .dirty_rate = -1,
	    .disk_remaining = 5000 * MIB};
	struct converge_step out;
	int i;

	for (i = 0; i < 1000; i++) {
		converge_look(
		    &state, &all, &job, (struct mono){i * 1000}, &out);
		ck_assert_int_eq(out.act, CONVERGE_NONE);
	}
}
END_TEST

START_TEST(a_rate_that_is_not_known_begins_no_pause)
{
	struct converge_policy policy = {
	    .rungs = CONVERGE_PAUSE, .pause_max_ms = 2000};
	struct converge_job job = {.memory_total = 1000 * MIB,
	    .memory_remaining = 800 * MIB,
	    .memory_rate = -1,
	    .dirty_rate = -1};
	struct converge_step out = {0};
	int i;

	for (i = 1; i < 10 && out.act == CONVERGE_NONE; i++) {
		job.iterations = i;
		converge_look(
		    &state, &policy, &job, (struct mono){i * 5000}, &out);
	}
	ck_assert_int_eq(out.act, CONVERGE_GIVE_UP);
	ck_assert_ptr_nonnull(strstr(out.why, "not known"));
}
END_TEST

START_TEST(every_ladder_comes_to_an_end)
{
	unsigned rungs;
	int dirty, set;

	for (rungs = 0; rungs < 16; rungs++) {
		for (dirty = 0; dirty <= 1600; dirty += 160) {
			for (set = 10; set <= 1000; set += 330) {
				struct converge_policy policy = all;
				struct sim sim = {.memory = 1000,
				    .set = set,
				    .dirty = dirty,
				    .link = 100,
				    .throttles =
					(rungs & CONVERGE_THROTTLE) != 0};

				setup();
				policy.rungs = rungs;
				sim_run(&sim, &policy);
				ck_assert_msg(sim.over || sim.given_up,
				    "rungs %u dirty %d set %d", rungs, dirty,
				    set);
				ck_assert_int_le(sim.postcopies, 1);
				ck_assert_int_le(sim.pauses, 1);
				ck_assert_int_le(sim.limit_ms,
				    (rungs & CONVERGE_DOWNTIME) != 0 ? 2000
								     : 300);
			}
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("converge");
	TCase *tc = tcase_create("converge");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_job_that_converges_is_left_alone);
	tcase_add_test(tc, an_idle_job_on_a_slow_link_is_left_alone);
	tcase_add_test(tc, the_downtime_limit_rises_in_steps_until_it_ends);
	tcase_add_test(
	    tc, the_limit_stops_at_the_policy_s_and_then_it_is_given_up);
	tcase_add_test(tc, throttling_is_given_its_time);
	tcase_add_test(tc, post_copy_comes_after_the_gentler_rungs);
	tcase_add_test(tc, post_copy_never_before_the_first_pass_is_over);
	tcase_add_test(tc, post_copy_only_where_it_was_prepared_and_allowed);
	tcase_add_test(tc, a_pause_is_as_long_as_was_said_and_ends_it);
	tcase_add_test(tc, a_pause_that_would_be_too_long_is_not_begun);
	tcase_add_test(tc, an_act_that_has_no_effect_is_not_asked_for_again);
	tcase_add_test(tc, a_guest_that_calms_down_is_left_alone_from_then_on);
	tcase_add_test(tc, copying_disks_are_waited_for);
	tcase_add_test(tc, a_rate_that_is_not_known_begins_no_pause);
	tcase_add_test(tc, every_ladder_comes_to_an_end);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
