#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_hv.h"
#include "hv/link.h"
#include "hv/link_state.h"

#define DEADLINE_MS 20000
#define UUID "680fd844-cebb-45f4-aea1-4178ccd989cf"

static struct loop *loop;
static struct workers *workers;
static struct link *link_;

/* What the link has told. */
static struct {
	int listed, lost, domains, gone, loads, silent, answers, events,
	    pressures;
	int stats, stats_of_disks;
	int list_version, domain_version;
	char why[256];
	bool close_on_listed;
} told;

static void
on_listed(const char *host, struct facts_host *facts, void *arg)
{
	(void)arg;
	ck_assert_str_eq(host, "kvm1");
	told.listed++;
	told.list_version = atoi(facts->hostname);
	facts_host_free(facts);
	if (told.close_on_listed) {
		link_close(link_);
		link_ = NULL;
	}
}

static void
on_lost(const char *host, const char *why, void *arg)
{
	(void)host;
	(void)arg;
	told.lost++;
	(void)snprintf(told.why, sizeof(told.why), "%s", why);
}

static void
on_domain(const char *host, struct facts_domain *domain, void *arg)
{
	(void)host;
	(void)arg;
	ck_assert_str_eq(domain->uuid, UUID);
	/* Never an older view after a newer one. */
	ck_assert_int_ge(atoi(domain->name), told.domain_version);
	ck_assert_int_ge(atoi(domain->name), told.list_version);
	told.domains++;
	told.domain_version = atoi(domain->name);
	facts_domain_free(domain);
}

static void
on_domain_gone(const char *host, const char *uuid, void *arg)
{
	(void)host;
	(void)arg;
	ck_assert_str_eq(uuid, UUID);
	told.gone++;
}

static void
on_load(const char *host, struct facts_load *load, void *arg)
{
	(void)host;
	(void)arg;
	told.loads += !load->guests_only && !load->pressure_only;
	told.pressures += load->pressure_only;
	told.stats += load->guests_only;
	told.stats_of_disks += load->disks;
	facts_load_clear(load);
	free(load);
}

static void
on_silent(const char *host, int64_t silent_ms, void *arg)
{
	(void)host;
	(void)arg;
	if (silent_ms > 0)
		told.silent++;
	else
		told.answers++;
}

static void
on_event(const char *host, const struct hv_event *event, void *arg)
{
	(void)host;
	(void)event;
	(void)arg;
	told.events++;
}

static const struct link_callbacks callbacks = {
    .listed = on_listed,
    .lost = on_lost,
    .domain = on_domain,
    .domain_gone = on_domain_gone,
    .load = on_load,
    .silent = on_silent,
    .event = on_event,
};

/* Running the loop until something holds. */

static bool (*until_fn)(void);
static bool until_met;
static struct mono until_deadline;
static struct loop_timer *until_timer;

static void
until_tick(void *arg)
{
	(void)arg;
	until_met = until_fn();
	if (until_met || mono_before(until_deadline, clock_mono_now()))
		loop_stop(loop);
	else
		loop_timer_set(until_timer, 1);
}

static void
run_until(bool (*fn)(void))
{
	until_fn = fn;
	until_deadline = mono_add(clock_mono_now(), DEADLINE_MS);
	loop_timer_set(until_timer, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_msg(until_met, "not in time");
}

static void
setup_link(int64_t sample_ms)
{
	link_ = link_new(loop, workers, &fake_hv, "kvm1", "fake://kvm1",
	    sample_ms, &callbacks, NULL);
}

static void
setup(void)
{
	fake_reset();
	memset(&told, 0, sizeof(told));
	loop = loop_new();
	workers = workers_new(loop);
	until_timer = loop_timer_new(loop, until_tick, NULL);
	setup_link(0);
}

static bool
is_listed(void)
{
	return told.listed > 0;
}
static bool
is_lost(void)
{
	return told.lost > 0;
}
static bool
is_up_again(void)
{
	return told.listed > 1;
}
static bool
has_domain(void)
{
	return told.domains > 0;
}
static bool
has_gone(void)
{
	return told.gone > 0;
}
static bool
is_listing(void)
{
	return fake_inside(FAKE_LIST) > 0;
}
static bool
is_reading(void)
{
	return fake_inside(FAKE_DOMAIN) > 0;
}
static bool
is_opening(void)
{
	return fake_inside(FAKE_OPEN) > 0;
}
static bool
two_opening(void)
{
	return fake_inside(FAKE_OPEN) > 1;
}
static bool
is_migrating(void)
{
	return fake_inside(FAKE_MIGRATE) > 0;
}
static bool
is_sampling(void)
{
	return fake_inside(FAKE_LOAD) > 0;
}
static bool
has_loads(void)
{
	return told.loads > 2;
}
static bool
is_silent(void)
{
	return told.silent > 1;
}
static bool
answers(void)
{
	return told.answers > 0;
}
static bool
is_calm(void)
{
	return !link_read_is_busy(link_);
}
static bool
has_idle(void)
{
	return link_->idle_count == LINK_IDLE_MAX;
}
static bool
all_closed(void)
{
	return fake_closed() == fake_opened();
}

static void
teardown(void)
{
	for (int i = 0; i < FAKE_CALLS; i++)
		fake_let_go((enum fake_call)i);
	link_close(link_);
	link_ = NULL;
	run_until(all_closed);
	ck_assert_int_eq(fake_misused(), 0);
	workers_free(workers, DEADLINE_MS);
	loop_timer_free(until_timer);
	loop_free(loop);
}

/* A call of the owner. */
struct call {
	int works, dones;
	bool inside, own;
	enum err_code code;
};

static void
call_work(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *call = item;
	struct hv_job job = {0};

	call->works++;
	(void)ops->job(conn, UUID, &job, NULL);
	call->own = job.active;
}

static void
call_work_long(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *call = item;

	call->works++;
	(void)ops->migrate(conn, NULL, NULL);
}

static void
call_done(void *item, const struct err *err)
{
	struct call *call = item;

	ck_assert(!call->inside);
	call->dones++;
	call->code = err->code;
}

static struct call call;
static bool
is_done(void)
{
	return call.dones > 0;
}
static bool
is_calling(void)
{
	return fake_inside(FAKE_JOB) > 0;
}

static void
call_start(enum workers_lane lane)
{
	call = (struct call){.inside = true};
	if (lane == WORKERS_LONG)
		link_call_long(link_, call_work_long, call_done, &call);
	else
		link_call(link_, lane, call_work, call_done, &call);
	call.inside = false;
}

START_TEST(it_registers_for_events_and_then_lists)
{
	fake_hold(FAKE_LIST);
	run_until(is_listing);
	ck_assert(!link_is_up(link_));
	/* An event that comes before the listing is read after it. */
	fake_change();
	fake_emit(HV_EVENT_DOMAIN, UUID);
	fake_let_go(FAKE_LIST);
	run_until(has_domain);
	ck_assert(link_is_up(link_));
	ck_assert_int_eq(told.listed, 1);
	ck_assert_int_eq(told.lost, 0);
	ck_assert_int_eq(told.domain_version, 1);
	ck_assert_uint_eq(link_generation(link_), 1);
}
END_TEST

START_TEST(a_failing_open_is_told_once_and_tried_again)
{
	fake_fail(FAKE_OPEN, 2, ERR_UNREACHABLE, "refused");
	run_until(is_listed);
	ck_assert_int_eq(told.lost, 1);
	ck_assert_str_eq(told.why, "refused");
	ck_assert_int_ge(fake_begun(FAKE_OPEN), 3);
}
END_TEST

START_TEST(a_failing_first_listing_starts_over)
{
	fake_fail(FAKE_LIST, 1, ERR_REFUSED, "no driver");
	run_until(is_listed);
	ck_assert_int_eq(told.lost, 1);
	ck_assert_str_eq(told.why, "no driver");
	ck_assert_uint_eq(link_generation(link_), 2);
}
END_TEST

START_TEST(a_hanging_open_is_told_and_its_connection_taken_when_it_comes)
{
	link_->open_ms = 20;
	fake_hold(FAKE_OPEN);
	run_until(is_lost);
	ck_assert_ptr_nonnull(strstr(told.why, "no answer"));
	ck_assert_int_eq(fake_inside(FAKE_OPEN), 1);
	fake_let_go(FAKE_OPEN);
	run_until(is_listed);
	ck_assert_int_eq(told.lost, 1);
}
END_TEST

START_TEST(beside_a_hanging_open_another_is_tried_and_one_connection_kept)
{
	link_->open_ms = 20;
	fake_hold(FAKE_OPEN);
	run_until(is_lost);
	link_hurry(link_);
	run_until(two_opening);
	fake_let_go(FAKE_OPEN);
	run_until(has_idle);
	ck_assert_uint_eq(link_generation(link_), 1);
	/* The main one and the idle ones stay, the other is closed. */
	while (fake_closed() == 0)
		run_until(has_idle);
	ck_assert_int_eq(fake_opened() - fake_closed(), 1 + LINK_IDLE_MAX);
}
END_TEST

START_TEST(a_burst_of_events_reads_a_guest_twice_at_most)
{
	run_until(is_listed);
	fake_hold(FAKE_DOMAIN);
	fake_emit(HV_EVENT_DOMAIN, UUID);
	run_until(is_reading);
	for (int i = 0; i < 50; i++) {
		fake_change();
		fake_emit(HV_EVENT_DOMAIN, UUID);
		link_reread(link_, UUID);
	}
	fake_let_go(FAKE_DOMAIN);
	run_until(has_domain);
	run_until(is_calm);
	ck_assert_int_eq(fake_begun(FAKE_DOMAIN), 2);
	ck_assert_int_eq(told.domain_version, 50);
	ck_assert_int_eq(told.events, 51);
}
END_TEST

START_TEST(a_read_that_a_listing_overtook_is_made_again)
{
	run_until(is_listed);
	fake_hold(FAKE_DOMAIN);
	link_reread(link_, UUID);
	run_until(is_reading);
	fake_change();
	link_relist(link_);
	run_until(is_up_again);
	ck_assert_int_eq(told.list_version, 1);
	fake_let_go(FAKE_DOMAIN);
	run_until(has_domain); /* on_domain checks the order */
	ck_assert_int_eq(told.domains, 1);
	ck_assert_int_eq(fake_begun(FAKE_DOMAIN), 2);
}
END_TEST

START_TEST(a_guest_that_is_not_found_is_gone)
{
	run_until(is_listed);
	fake_remove_domain();
	fake_emit(HV_EVENT_DOMAIN_GONE, UUID);
	run_until(has_gone);
	ck_assert_int_eq(told.domains, 0);
}
END_TEST

START_TEST(host_events_are_gathered_into_one_listing)
{
	struct mono first;

	run_until(is_listed);
	first = link_->list_started;
	for (int i = 0; i < 100; i++)
		fake_emit(HV_EVENT_HOST, "");
	run_until(is_up_again);
	run_until(is_calm);
	ck_assert_int_eq(fake_begun(FAKE_LIST), 2);
	ck_assert_int_ge(
	    mono_diff(link_->list_started, first), LINK_HOST_EVENT_MS);
}
END_TEST

START_TEST(a_flood_of_events_costs_a_listing_and_nothing_more)
{
	run_until(is_listed);
	for (int i = 0; i < LINK_EVENTS_MAX * 3; i++)
		fake_emit(HV_EVENT_ITERATION, UUID);
	run_until(is_up_again);
	ck_assert_int_eq(told.events, LINK_EVENTS_MAX);
}
END_TEST

START_TEST(a_flood_does_not_hide_that_the_connection_broke)
{
	run_until(is_listed);
	for (int i = 0; i < LINK_EVENTS_MAX * 2; i++)
		fake_emit(HV_EVENT_ITERATION, UUID);
	fake_break("gone away");
	run_until(is_up_again);
	ck_assert_str_eq(told.why, "gone away");
}
END_TEST

START_TEST(what_an_earlier_connection_answers_is_dropped)
{
	run_until(is_listed);
	fake_hold(FAKE_DOMAIN);
	link_reread(link_, UUID);
	run_until(is_reading);
	fake_break("no answer to keepalive");
	run_until(is_up_again);
	ck_assert_str_eq(told.why, "no answer to keepalive");
	ck_assert_uint_eq(link_generation(link_), 2);
	fake_let_go(FAKE_DOMAIN);
	call_start(WORKERS_NORMAL);
	run_until(is_done);
	run_until(is_calm);
	ck_assert_int_eq(told.domains, 0);
}
END_TEST

START_TEST(a_read_that_finds_the_host_unreachable_ends_the_connection)
{
	run_until(is_listed);
	fake_fail(FAKE_DOMAIN, 1, ERR_UNREACHABLE, "socket is closed");
	link_reread(link_, UUID);
	run_until(is_up_again);
	ck_assert_str_eq(told.why, "socket is closed");
}
END_TEST

START_TEST(a_later_listing_that_fails_keeps_the_connection)
{
	run_until(is_listed);
	fake_fail(FAKE_LIST, 1, ERR_REFUSED, "busy");
	link_relist(link_);
	run_until(is_calm);
	while (fake_begun(FAKE_LIST) < 2)
		run_until(is_calm);
	run_until(is_calm);
	ck_assert(link_is_up(link_));
	ck_assert_int_eq(told.lost, 0);
}
END_TEST

START_TEST(a_connection_stays_open_until_its_last_call_returned)
{
	int before;

	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_JOB);
	call_start(WORKERS_NORMAL);
	run_until(is_calling);
	fake_break("broken");
	run_until(is_up_again);
	run_until(has_idle);
	/* Only the idle ones have been closed. */
	ck_assert_int_eq(fake_closed(), LINK_IDLE_MAX);
	before = fake_closed();
	fake_let_go(FAKE_JOB);
	run_until(is_done);
	ck_assert_int_eq(call.code, ERR_NONE);
	while (fake_closed() == before)
		run_until(is_done);
}
END_TEST

START_TEST(a_call_while_down_is_refused_but_not_on_the_spot)
{
	fake_hold(FAKE_OPEN);
	run_until(is_opening);
	call_start(WORKERS_CONTROL);
	ck_assert_int_eq(call.dones, 0);
	run_until(is_done);
	ck_assert_int_eq(call.works, 0);
	ck_assert_int_eq(call.code, ERR_UNREACHABLE);
	call_start(WORKERS_LONG);
	ck_assert_int_eq(call.dones, 0);
	run_until(is_done);
	ck_assert_int_eq(call.works, 0);
	ck_assert_int_eq(call.code, ERR_UNREACHABLE);
}
END_TEST

START_TEST(a_control_call_does_not_wait_for_reads)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_DOMAIN);
	link_reread(link_, UUID);
	run_until(is_reading);
	call_start(WORKERS_CONTROL);
	run_until(is_done);
	ck_assert_int_eq(call.code, ERR_NONE);
	ck_assert(call.own);
	ck_assert_int_eq(told.domains, 0);
	ck_assert_uint_eq(link_->idle_count, LINK_IDLE_MAX);
}
END_TEST

START_TEST(a_control_call_without_an_idle_connection_uses_the_main_one)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_break_idle();
	call_start(WORKERS_CONTROL);
	run_until(is_done);
	ck_assert_int_eq(call.code, ERR_NONE);
	ck_assert(!call.own);
}
END_TEST

START_TEST(a_long_call_takes_an_idle_connection_and_another_is_made)
{
	int before;

	run_until(is_listed);
	run_until(has_idle);
	before = fake_opened();
	fake_hold(FAKE_MIGRATE);
	call_start(WORKERS_LONG);
	run_until(is_migrating);
	run_until(has_idle);
	ck_assert_int_eq(fake_opened(), before + 1);
	fake_let_go(FAKE_MIGRATE);
	run_until(is_done);
	ck_assert_int_eq(call.works, 1);
	ck_assert_int_eq(call.code, ERR_NONE);
}
END_TEST

START_TEST(a_long_call_replaces_an_idle_connection_that_broke)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_break_idle();
	call_start(WORKERS_LONG);
	run_until(is_done);
	ck_assert_int_eq(call.works, 1);
	ck_assert_int_eq(call.code, ERR_NONE);
}
END_TEST

static struct call second_call;
static bool
second_is_done(void)
{
	return second_call.dones > 0;
}

START_TEST(a_question_aside_takes_no_connection_that_is_kept_ready)
{
	int before;

	run_until(is_listed);
	run_until(has_idle);
	before = fake_opened();
	fake_hold(FAKE_MIGRATE);
	call = (struct call){0};
	link_call_aside(link_, call_work_long, call_done, &call);
	run_until(is_migrating);
	ck_assert_int_eq(link_->idle_count, LINK_IDLE_MAX);
	fake_let_go(FAKE_MIGRATE);
	run_until(is_done);
	ck_assert_int_eq(fake_opened(), before + 1);
	/* The next one finds the connection of the first. */
	second_call = (struct call){0};
	link_call_aside(link_, call_work_long, call_done, &second_call);
	run_until(second_is_done);
	ck_assert_int_eq(second_call.code, ERR_NONE);
	ck_assert_int_eq(fake_opened(), before + 1);
}
END_TEST

/* ---- statistics of guests ---- */

static struct hv_ops ops_with_stats;

static void
setup_link_with_stats(void)
{
	link_close(link_);
	ops_with_stats = fake_hv;
	ops_with_stats.stats = fake_stats;
	link_ = link_new(loop, workers, &ops_with_stats, "kvm1", "fake://kvm1",
	    1, &callbacks, NULL);
}

static bool
has_many_stats(void)
{
	return told.stats >= 2 * FACTS_LOAD_DISKS_EVERY;
}
static bool
is_in_stats(void)
{
	return fake_inside(FAKE_STATS) > 0;
}
static bool
has_two_in_stats(void)
{
	return fake_inside(FAKE_STATS) == LINK_STATS_MAX;
}
static bool
has_many_loads(void)
{
	return told.loads > 20;
}

START_TEST(disks_are_asked_for_with_every_sixth_reading)
{
	setup_link_with_stats();
	run_until(has_many_stats);
	ck_assert_int_eq(told.stats_of_disks,
	    (told.stats + FACTS_LOAD_DISKS_EVERY - 1) / FACTS_LOAD_DISKS_EVERY);
	ck_assert_int_eq(fake_most_inside(FAKE_STATS), 1);
	ck_assert_int_eq(fake_misused(), 0);
}
END_TEST

START_TEST(a_guest_that_hangs_holds_up_statistics_alone)
{
	setup_link_with_stats();
	link_->silent_ms = 20;
	fake_hold(FAKE_STATS);
	run_until(is_in_stats);
	told.loads = 0;
	run_until(has_many_loads);
	ck_assert_int_eq(told.silent, 0);
	ck_assert_int_eq(fake_begun(FAKE_STATS), 1);
	/* It takes very long: another one goes beside it, and no third. */
	link_->stats_started.ms -= LINK_STATS_HANG_MS;
	run_until(has_two_in_stats);
	link_->stats_started.ms -= LINK_STATS_HANG_MS;
	told.loads = 0;
	run_until(has_many_loads);
	ck_assert_int_eq(fake_begun(FAKE_STATS), LINK_STATS_MAX);
	ck_assert_int_eq(told.stats, 0);
	fake_let_go(FAKE_STATS);
	run_until(has_many_stats);
}
END_TEST

/* ---- pressure ---- */

static struct hv_ops ops_with_pressure;
/* Written by workers. */
static _Atomic int pressure_reads, pressure_sweeps, pressure_failures;

static int
fake_pressure(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	(void)conn;
	if (out == NULL) {
		pressure_sweeps++;
		return 0;
	}
	pressure_reads++;
	if (pressure_failures > 0) {
		pressure_failures--;
		return err_set(err, ERR_NOT_FOUND, "no such directory");
	}
	*out = (struct facts_load){.pressure_only = true};
	return 0;
}

static void
setup_link_with_pressure(bool on)
{
	link_close(link_);
	pressure_reads = pressure_sweeps = pressure_failures = 0;
	ops_with_pressure = fake_hv;
	ops_with_pressure.pressure = fake_pressure;
	link_ = link_new(loop, workers, &ops_with_pressure, "kvm1",
	    "fake://kvm1", 1, &callbacks, NULL);
	link_set_pressure(link_, on);
}

static bool
has_pressures(void)
{
	return told.pressures > 3;
}

START_TEST(pressure_is_read_with_every_third_reading_at_most)
{
	setup_link_with_pressure(true);
	run_until(has_pressures);
	ck_assert_int_le(told.pressures,
	    (int)link_->pressure_count / FACTS_PRESSURE_EVERY + 1);
	ck_assert_int_eq(pressure_sweeps, 0);
	/* On a connection of its own. */
	ck_assert_uint_le(link_->aside_count, 1);
	ck_assert_int_eq(fake_misused(), 0);
}
END_TEST

static bool
is_swept(void)
{
	return pressure_sweeps > 0;
}

START_TEST(where_pressure_is_off_only_what_was_left_goes)
{
	setup_link_with_pressure(false);
	run_until(is_swept);
	run_until(has_many_loads);
	ck_assert_int_eq(pressure_reads, 0);
	ck_assert_int_eq(pressure_sweeps, 1);
	link_set_pressure(link_, true);
	run_until(has_pressures);
	link_set_pressure(link_, false);
	told.loads = told.pressures = 0;
	run_until(has_many_loads);
	ck_assert_int_eq(told.pressures, 0);
}
END_TEST

/* How often the log, which goes to this file, says so. */
static int
times_said(FILE *file, const char *what)
{
	char line[1024];
	int count = 0;

	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, what) != NULL;
	return count;
}

START_TEST(that_pressure_cannot_be_read_is_said_once)
{
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
	setup_link_with_pressure(true);
	pressure_failures = 3;
	run_until(has_pressures);
	ck_assert_int_ge(pressure_reads, 3 + told.pressures);
	ck_assert_int_eq(
	    times_said(file, "kvm1: its pressure is unknown: no such"), 1);
	ck_assert_int_eq(times_said(file, "its pressure is known again"), 1);
	ck_assert_int_eq(told.lost, 0);
	(void)fclose(file);
}
END_TEST

START_TEST(load_is_not_asked_again_before_it_answered)
{
	link_set_sample_interval(link_, 1);
	run_until(is_listed);
	run_until(has_loads);
	fake_hold(FAKE_LOAD);
	run_until(is_sampling);
	call_start(WORKERS_NORMAL);
	run_until(is_done);
	fake_let_go(FAKE_LOAD);
	told.loads = 0;
	run_until(has_loads);
	ck_assert_int_eq(fake_most_inside(FAKE_LOAD), 1);
}
END_TEST

START_TEST(a_host_that_does_not_answer_is_called_silent_until_it_does)
{
	link_->silent_ms = 20;
	run_until(is_listed);
	fake_hold(FAKE_DOMAIN);
	link_reread(link_, UUID);
	run_until(is_silent);
	ck_assert_int_ge(link_silent_ms(link_, clock_mono_now()), 20);
	ck_assert_int_eq(told.answers, 0);
	fake_let_go(FAKE_DOMAIN);
	run_until(answers);
	ck_assert_int_eq(link_silent_ms(link_, clock_mono_now()), 0);
	ck_assert_int_eq(told.lost, 0);
}
END_TEST

START_TEST(a_slow_operation_does_not_make_a_host_silent)
{
	link_->silent_ms = 2000;
	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_JOB);
	call_start(WORKERS_CONTROL);
	run_until(is_calling);
	/* It is asked something small, and answers. */
	while (told.loads == 0)
		run_until(is_calling);
	ck_assert_int_eq(told.silent, 0);
	ck_assert_int_eq(call.dones, 0);
}
END_TEST

START_TEST(after_close_nothing_is_told_but_calls_are_done)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_JOB);
	fake_hold(FAKE_MIGRATE);
	fake_hold(FAKE_DOMAIN);
	link_reread(link_, UUID);
	call_start(WORKERS_NORMAL);
	run_until(is_calling);
	link_call_long(link_, call_work_long, call_done, &call);
	run_until(is_migrating);
	run_until(is_reading);
	fake_emit(HV_EVENT_DOMAIN, UUID);
	link_close(link_);
	link_ = NULL;
	fake_emit(HV_EVENT_DOMAIN, UUID);
	fake_let_go(FAKE_JOB);
	fake_let_go(FAKE_MIGRATE);
	fake_let_go(FAKE_DOMAIN);
	while (call.dones < 2)
		run_until(is_done);
	ck_assert_int_eq(call.works, 2);
	run_until(all_closed);
	ck_assert_int_eq(told.domains + told.events + told.lost, 0);
}
END_TEST

START_TEST(ending_right_after_close_leaves_no_connection_open)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_JOB);
	call_start(WORKERS_NORMAL);
	run_until(is_calling);
	link_close(link_);
	link_ = NULL;
	fake_let_go(FAKE_JOB);
	workers_free(workers, DEADLINE_MS);
	ck_assert_int_eq(call.dones, 1);
	ck_assert_int_eq(fake_opened(), fake_closed());
	workers = workers_new(loop);
}
END_TEST

/* The loop has not heard yet that the calls are over. */
START_TEST(ending_with_results_under_way_leaves_no_connection_open)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_MIGRATE);
	call = (struct call){0};
	link_call_long(link_, call_work_long, call_done, &call);
	link_call_aside(link_, call_work_long, call_done, &call);
	while (fake_inside(FAKE_MIGRATE) < 2)
		run_until(is_migrating);
	fake_let_go(FAKE_MIGRATE);
	while (workers_pending(workers, "kvm1") > 0)
		(void)sched_yield();
	link_close(link_);
	link_ = NULL;
	workers_free(workers, DEADLINE_MS);
	ck_assert_int_eq(call.dones, 2);
	ck_assert_int_eq(fake_opened(), fake_closed());
	workers = workers_new(loop);
}
END_TEST

static struct call aside_calls[LINK_ASIDE_MAX];

static bool
all_aside_are_inside(void)
{
	return fake_inside(FAKE_MIGRATE) == LINK_ASIDE_MAX;
}

static bool
all_aside_are_done(void)
{
	int dones = 0;

	for (int i = 0; i < LINK_ASIDE_MAX; i++)
		dones += aside_calls[i].dones;
	return dones == LINK_ASIDE_MAX;
}

START_TEST(all_that_are_kept_aside_are_closed_with_it)
{
	run_until(is_listed);
	run_until(has_idle);
	fake_hold(FAKE_MIGRATE);
	for (int i = 0; i < LINK_ASIDE_MAX; i++) {
		aside_calls[i] = (struct call){0};
		link_call_aside(
		    link_, call_work_long, call_done, &aside_calls[i]);
	}
	run_until(all_aside_are_inside);
	fake_let_go(FAKE_MIGRATE);
	run_until(all_aside_are_done);
	ck_assert_uint_eq(link_->aside_count, LINK_ASIDE_MAX);
	link_close(link_);
	link_ = NULL;
	run_until(all_closed);
	ck_assert_int_eq(fake_misused(), 0);
}
END_TEST

START_TEST(closing_while_an_open_hangs_closes_what_comes_of_it)
{
	fake_hold(FAKE_OPEN);
	run_until(is_opening);
	link_close(link_);
	link_ = NULL;
	fake_let_go(FAKE_OPEN);
	while (fake_opened() == 0)
		run_until(all_closed);
	run_until(all_closed);
	ck_assert_int_eq(told.listed + told.lost, 0);
}
END_TEST

START_TEST(it_may_be_closed_from_a_callback)
{
	told.close_on_listed = true;
	run_until(is_listed);
	run_until(all_closed);
	ck_assert_ptr_null(link_);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = tcase_create("link");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
#define ADD(name) tcase_add_test(tc, name)
	ADD(it_registers_for_events_and_then_lists);
	ADD(a_failing_open_is_told_once_and_tried_again);
	ADD(a_failing_first_listing_starts_over);
	ADD(a_hanging_open_is_told_and_its_connection_taken_when_it_comes);
	ADD(beside_a_hanging_open_another_is_tried_and_one_connection_kept);
	ADD(a_burst_of_events_reads_a_guest_twice_at_most);
	ADD(a_read_that_a_listing_overtook_is_made_again);
	ADD(a_guest_that_is_not_found_is_gone);
	ADD(host_events_are_gathered_into_one_listing);
	ADD(a_flood_of_events_costs_a_listing_and_nothing_more);
	ADD(a_flood_does_not_hide_that_the_connection_broke);
	ADD(what_an_earlier_connection_answers_is_dropped);
	ADD(a_read_that_finds_the_host_unreachable_ends_the_connection);
	ADD(a_later_listing_that_fails_keeps_the_connection);
	ADD(a_connection_stays_open_until_its_last_call_returned);
	ADD(a_call_while_down_is_refused_but_not_on_the_spot);
	ADD(a_control_call_does_not_wait_for_reads);
	ADD(a_control_call_without_an_idle_connection_uses_the_main_one);
	ADD(a_long_call_takes_an_idle_connection_and_another_is_made);
	ADD(a_long_call_replaces_an_idle_connection_that_broke);
	ADD(a_question_aside_takes_no_connection_that_is_kept_ready);
	ADD(load_is_not_asked_again_before_it_answered);
	ADD(disks_are_asked_for_with_every_sixth_reading);
	ADD(a_guest_that_hangs_holds_up_statistics_alone);
	ADD(pressure_is_read_with_every_third_reading_at_most);
	ADD(where_pressure_is_off_only_what_was_left_goes);
	ADD(that_pressure_cannot_be_read_is_said_once);
	ADD(a_host_that_does_not_answer_is_called_silent_until_it_does);
	ADD(a_slow_operation_does_not_make_a_host_silent);
	ADD(after_close_nothing_is_told_but_calls_are_done);
	ADD(ending_right_after_close_leaves_no_connection_open);
	ADD(ending_with_results_under_way_leaves_no_connection_open);
	ADD(all_that_are_kept_aside_are_closed_with_it);
	ADD(closing_while_an_open_hangs_closes_what_comes_of_it);
	ADD(it_may_be_closed_from_a_callback);
#undef ADD
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
