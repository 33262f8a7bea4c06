/*
 * run/: the workers and their lanes.
 *
 * Calls that hang are calls that wait at a gate of the test.  A test waits for
 * conditions; the one deadline is Check's, per test, and only says that
 * something never happened.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "run/lanes.h"
#include "run/loop.h"
#include "run/workers.h"

#define DEADLINE_S 60
#define POLL_MS 2

static struct loop *loop;
static pthread_t loop_thread;

static void
setup(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	loop_thread = pthread_self();
}

static void
teardown(void)
{
	loop_free(loop);
	loop = NULL;
}

static void
assert_loop_thread(void)
{
	if (!pthread_equal(pthread_self(), loop_thread))
		ck_abort_msg("not on the loop thread");
}

/* Runs the loop until the condition holds. */
struct until {
	bool (*holds)(void);
	struct loop_timer *timer;
};

static void
until_check(void *arg)
{
	struct until *until = arg;

	if (until->holds())
		loop_stop(loop);
	else
		loop_timer_set(until->timer, POLL_MS);
}

static void
run_until(bool (*holds)(void))
{
	struct until until = {holds, NULL};

	until.timer = loop_timer_new(loop, until_check, &until);
	loop_timer_set(until.timer, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_timer_free(until.timer);
}

static void
stop_loop(void *arg)
{
	(void)arg;
	assert_loop_thread();
	loop_stop(loop);
}

static int
count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Waits until only as many threads are left as there were. */
static void
wait_threads(int count)
{
	const struct timespec pause = {0, POLL_MS * 1000000};

	while (count_threads() > count)
		(void)nanosleep(&pause, NULL);
}

/* lanes: who is next, without threads */

static struct lanes_job lane_jobs[64];

static void
assert_takes(struct lanes *lanes, const struct lanes_job *job)
{
	ck_assert_ptr_eq(lanes_take(lanes), job);
}

START_TEST(lanes_take_turns_between_keys)
{
	struct lanes *lanes = lanes_new();
	struct lanes_job *j = lane_jobs;

	for (int i = 0; i < 4; i++)
		lanes_add(lanes, WORKERS_LONG, "kvm1", &j[i]);
	lanes_add(lanes, WORKERS_LONG, "kvm2", &j[4]);
	lanes_add(lanes, WORKERS_LONG, "kvm3", &j[5]);
	assert_takes(lanes, &j[0]);
	assert_takes(lanes, &j[4]);
	assert_takes(lanes, &j[5]);
	assert_takes(lanes, &j[1]);
	assert_takes(lanes, &j[2]);
	assert_takes(lanes, &j[3]);
	assert_takes(lanes, NULL);
	ck_assert_uint_eq(lanes_running(lanes), 6);
	for (int i = 0; i < 6; i++)
		lanes_finish(lanes, &j[i]);
	ck_assert_uint_eq(lanes_running(lanes), 0);
	ck_assert_uint_eq(lanes_pending(lanes, "kvm1"), 0);
	lanes_free(lanes);
}
END_TEST

START_TEST(lanes_keep_their_order_and_cap)
{
	struct lanes *lanes = lanes_new();
	struct lanes_job *j = lane_jobs;

	lanes_add(lanes, WORKERS_LONG, "kvm1", &j[9]);
	for (int i = 0; i < 3; i++)
		lanes_add(lanes, WORKERS_OPEN, "kvm1", &j[i]);
	for (int i = 3; i < 6; i++)
		lanes_add(lanes, WORKERS_CONTROL, "kvm1", &j[i]);
	ck_assert_uint_eq(lanes_pending(lanes, "kvm1"), 7);
	ck_assert_uint_eq(lanes_waiting(lanes), 7);
	assert_takes(lanes, &j[3]); /* control first, two of it */
	assert_takes(lanes, &j[4]);
	assert_takes(lanes, &j[0]); /* one open */
	assert_takes(lanes, &j[9]);
	assert_takes(lanes, NULL);
	lanes_finish(lanes, &j[0]);
	assert_takes(lanes, &j[1]);
	lanes_put_back(lanes, &j[1]);
	assert_takes(lanes, &j[1]);
	lanes_finish(lanes, &j[4]);
	assert_takes(lanes, &j[5]);
	assert_takes(lanes, NULL);
	lanes_finish(lanes, &j[1]);
	assert_takes(lanes, &j[2]);
	for (int i = 2; i < 6; i++) {
		if (i != 4)
			lanes_finish(lanes, &j[i]);
	}
	lanes_finish(lanes, &j[9]);
	ck_assert_uint_eq(lanes_pending(lanes, "kvm1"), 0);
	lanes_free(lanes);
}
END_TEST

START_TEST(lanes_drop_only_what_waits)
{
	struct lanes_list out = STAILQ_HEAD_INITIALIZER(out);
	struct lanes *lanes = lanes_new();
	struct lanes_job *j = lane_jobs, *job;
	int dropped = 0;

	for (int i = 0; i < 4; i++)
		lanes_add(lanes, WORKERS_OPEN, "kvm1", &j[i]);
	lanes_add(lanes, WORKERS_OPEN, "kvm2", &j[4]);
	assert_takes(lanes, &j[0]);
	lanes_add(lanes, WORKERS_CONTROL, "kvm1", &j[5]);
	lanes_drop(lanes, WORKERS_NORMAL, &out);
	STAILQ_FOREACH(job, &out, next)
	ck_assert_ptr_eq(job, &j[1 + dropped++]);
	ck_assert_int_eq(dropped, 4);
	ck_assert_uint_eq(lanes_waiting(lanes), 1);
	lanes_drop(lanes, WORKERS_CONTROL, &out);
	while (STAILQ_NEXT(job = STAILQ_FIRST(&out), next) != NULL)
		STAILQ_REMOVE_HEAD(&out, next);
	ck_assert_ptr_eq(job, &j[5]);
	ck_assert_uint_eq(lanes_waiting(lanes), 0);
	ck_assert_uint_eq(lanes_pending(lanes, "kvm1"), 1);
	ck_assert_uint_eq(lanes_pending(lanes, "kvm2"), 0);
	assert_takes(lanes, NULL);
	lanes_finish(lanes, &j[0]);
	lanes_free(lanes);
}
END_TEST

/* workers */

struct call {
	sem_t *gate; /* waits there; NULL: returns at once */
	atomic_int *running;
	atomic_int *most;
	int number;
	int worked;
	int done;
	int cancelled;
};

static atomic_int started; /* calls that have begun */
static int finished;       /* calls whose done() ran */
static int expected;
static sem_t gate;

static void
call_work(void *item)
{
	struct call *call = item;

	if (pthread_equal(pthread_self(), loop_thread))
		abort();
	if (call->running != NULL) {
		int now = atomic_fetch_add(call->running, 1) + 1;
		int most = atomic_load(call->most);

		while (now > most &&
		    !atomic_compare_exchange_weak(call->most, &most, now))
			continue;
	}
	atomic_fetch_add(&started, 1);
	if (call->gate != NULL) {
		while (sem_wait(call->gate) < 0 && errno == EINTR)
			continue;
	}
	call->worked = 1;
	if (call->running != NULL)
		atomic_fetch_sub(call->running, 1);
}

static void
call_done(void *item, int cancelled)
{
	struct call *call = item;

	assert_loop_thread();
	if (call->done || call->worked == cancelled)
		ck_abort_msg("done=%d worked=%d cancelled=%d", call->done,
		    call->worked, cancelled);
	call->done = 1;
	call->cancelled = cancelled;
	finished++;
}

static bool
all_finished(void)
{
	return finished == expected;
}

static bool
all_started(void)
{
	return atomic_load(&started) == expected;
}

static void
gate_open(int count)
{
	for (int i = 0; i < count; i++)
		(void)sem_post(&gate);
}

static void
submit(struct workers *workers, enum workers_lane lane, const char *key,
    struct call *call)
{
	if (workers_submit(workers, lane, key, call_work, call_done, call) < 0)
		ck_abort_msg("refused");
}

static void *
no_work(void *arg)
{
	return arg;
}

static void
setup_workers(void)
{
	pthread_t first;

	setup();
	ck_assert_int_eq(sem_init(&gate, 0, 0), 0);
	/* A sanitizer's own thread comes with the first one of ours; from
	 * here on count_threads() counts only what the test makes. */
	ck_assert_int_eq(pthread_create(&first, NULL, no_work, NULL), 0);
	ck_assert_int_eq(pthread_join(first, NULL), 0);
}

START_TEST(work_runs_elsewhere_and_done_on_the_loop)
{
	struct workers *workers = workers_new(loop);
	static struct call calls[500];

	expected = 500;
	for (int i = 0; i < 500; i++)
		submit(workers, (enum workers_lane)(i % 4), i % 3 ? "a" : "b",
		    &calls[i]);
	run_until(all_finished);
	ck_assert_uint_eq(workers_pending(workers, "a"), 0);
	ck_assert_uint_eq(workers_pending(workers, "nobody"), 0);
	workers_free(workers, 10000);
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(calls[i].cancelled, 0);
}
END_TEST

static int open_order[200];
static atomic_int open_count;

static void
open_work(void *item)
{
	struct call *call = item;

	open_order[atomic_fetch_add(&open_count, 1)] = call->number;
	call->worked = 1;
}

START_TEST(calls_of_a_key_and_lane_start_in_order)
{
	struct workers *workers = workers_new(loop);
	static struct call calls[200];

	expected = 200;
	for (int i = 0; i < 200; i++) {
		calls[i].number = i;
		ck_assert_int_eq(workers_submit(workers, WORKERS_OPEN, "kvm1",
				     open_work, call_done, &calls[i]),
		    0);
	}
	run_until(all_finished);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(open_order[i], i);
	workers_free(workers, 10000);
}
END_TEST

static const struct {
	enum workers_lane lane;
	int cap;
} cap_rows[] = {
    {WORKERS_CONTROL, WORKERS_CONTROL_PER_KEY},
    {WORKERS_NORMAL, WORKERS_NORMAL_PER_KEY},
    {WORKERS_OPEN, 1},
    {WORKERS_LONG, WORKERS_LONG_PER_KEY},
};

START_TEST(a_lane_runs_as_many_calls_of_a_key_as_it_may)
{
	struct workers *workers = workers_new(loop);
	static struct call calls[3 * WORKERS_LONG_PER_KEY];
	atomic_int running = 0, most = 0;
	int cap = cap_rows[_i].cap;

	for (int i = 0; i < 3 * cap; i++) {
		calls[i] = (struct call){
		    .gate = &gate, .running = &running, .most = &most};
		submit(workers, cap_rows[_i].lane, "kvm1", &calls[i]);
	}
	expected = cap;
	run_until(all_started);
	ck_assert_uint_eq(workers_pending(workers, "kvm1"), (size_t)cap * 3);
	expected = 3 * cap;
	gate_open(3 * cap);
	run_until(all_finished);
	ck_assert_int_eq(atomic_load(&most), cap);
	workers_free(workers, 10000);
}
END_TEST

/* Fills all lanes of the key with calls that hang; returns how many run. */
static int
hang_key(
    struct workers *workers, const char *key, struct call *calls, int per_lane)
{
	int run = 0;

	for (int row = 0; row < 4; row++) {
		int cap = cap_rows[row].cap;

		run += cap < per_lane ? cap : per_lane;
		for (int i = 0; i < per_lane; i++) {
			calls->gate = &gate;
			submit(workers, cap_rows[row].lane, key, calls++);
		}
	}
	return run;
}

START_TEST(a_key_that_hangs_does_not_hold_up_the_others)
{
	struct workers *workers = workers_new(loop);
	static struct call hung[4 * 200], calls[100];

	expected = hang_key(workers, "kvm1", hung, 200);
	run_until(all_started);

	expected = 100;
	for (int i = 0; i < 100; i++)
		submit(workers, (enum workers_lane)(i % 4), "kvm2", &calls[i]);
	run_until(all_finished);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(calls[i].worked, 1);
	ck_assert_uint_eq(workers_pending(workers, "kvm1"), 800);

	expected = 900;
	gate_open(800);
	run_until(all_finished);
	workers_free(workers, 10000);
}
END_TEST

START_TEST(control_and_normal_calls_do_not_wait_behind_long_ones)
{
	struct workers *workers = workers_new(loop);
	enum { KEYS = 40, ALL = KEYS * WORKERS_LONG_PER_KEY };
	static struct call hung[ALL], calls[40];

	ck_assert_int_gt(ALL, WORKERS_THREADS_MAX);
	for (int i = 0; i < ALL; i++) {
		char key[8] = {'k', (char)('A' + i % KEYS), '\0'};

		hung[i].gate = &gate;
		submit(workers, WORKERS_LONG, key, &hung[i]);
	}
	expected = 40;
	for (int i = 0; i < 40; i++) {
		submit(workers, i % 2 ? WORKERS_CONTROL : WORKERS_NORMAL, "kA",
		    &calls[i]);
	}
	run_until(all_finished);
	ck_assert_int_le(count_threads(), WORKERS_THREADS_MAX);
	expected += ALL;
	gate_open(ALL);
	run_until(all_finished);
	workers_free(workers, 10000);
}
END_TEST

static struct workers *chain_workers;
static int chain_left;

static void
chain_done(void *item, int cancelled)
{
	struct call *call = item;

	ck_assert_int_eq(cancelled, 0);
	if (--chain_left == 0)
		loop_stop(loop);
	else if (workers_submit(chain_workers, WORKERS_NORMAL, "kvm1",
		     call_work, chain_done, call) < 0)
		ck_abort_msg("refused");
}

START_TEST(a_done_may_submit_the_next_call)
{
	struct call call = {0};

	chain_workers = workers_new(loop);
	chain_left = 1001;
	chain_done(&call, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(atomic_load(&started), 1000);
	workers_free(chain_workers, 10000);
}
END_TEST

static int plain_cancelled;

static void
plain_work(void *item)
{
	(void)item;
}

static void
plain_done(void *item, int cancelled)
{
	(void)item;
	plain_cancelled += cancelled;
}

START_TEST(the_queue_has_a_maximum)
{
	int threads = count_threads(), taken = 0;
	struct workers *workers = workers_new(loop);
	static struct call hung;

	hung.gate = &gate;
	submit(workers, WORKERS_OPEN, "kvm1", &hung);
	expected = 1;
	run_until(all_started);
	while (taken <= WORKERS_QUEUE_MAX &&
	    workers_submit(workers, WORKERS_OPEN, "kvm1", plain_work,
		plain_done, NULL) == 0)
		taken++;
	ck_assert_int_eq(taken, WORKERS_QUEUE_MAX);
	ck_assert_int_eq(workers_submit(workers, WORKERS_CONTROL, "kvm2",
			     plain_work, plain_done, NULL),
	    -1);
	workers_free(workers, 0);
	ck_assert_int_eq(plain_cancelled, taken);
	gate_open(1);
	wait_threads(threads);
}
END_TEST

/* Opens the gate for two calls once all that waited behind them is gone. */
static void *
open_gate_when_dropped(void *workers)
{
	const struct timespec pause = {0, POLL_MS * 1000000};

	while (workers_pending(workers, "kvm1") > 2)
		(void)nanosleep(&pause, NULL);
	gate_open(2);
	return NULL;
}

START_TEST(free_waits_for_calls_and_drops_what_did_not_start)
{
	int threads = count_threads();
	struct workers *workers = workers_new(loop);
	static struct call running[2], queued[5], quick;
	pthread_t opener;

	submit(workers, WORKERS_OPEN, "kvm9", &quick);
	for (int i = 0; i < 2; i++) {
		running[i].gate = &gate;
		submit(workers, WORKERS_NORMAL, "kvm1", &running[i]);
	}
	for (int i = 0; i < 5; i++)
		submit(workers, WORKERS_NORMAL, "kvm1", &queued[i]);
	expected = 3;
	run_until(all_started);
	ck_assert_int_eq(
	    pthread_create(&opener, NULL, open_gate_when_dropped, workers), 0);
	workers_free(workers, 1000 * DEADLINE_S);
	ck_assert_int_eq(pthread_join(opener, NULL), 0);
	ck_assert_int_eq(finished, 8);
	ck_assert_int_eq(quick.cancelled, 0);
	ck_assert_int_eq(running[0].cancelled + running[1].cancelled, 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(queued[i].cancelled, 1);
	wait_threads(threads);
}
END_TEST

START_TEST(free_leaves_stuck_calls_behind)
{
	int threads = count_threads();
	struct workers *workers = workers_new(loop);
	static struct call stuck[4 * 3], fine;
	int run = hang_key(workers, "kvm1", stuck, 3), done = 0;

	submit(workers, WORKERS_NORMAL, "kvm2", &fine);
	expected = run + 1;
	run_until(all_started);
	expected = 1;
	run_until(all_finished);
	workers_free(workers, 20);
	for (int i = 0; i < 12; i++)
		done += stuck[i].done;
	ck_assert_int_eq(done, 12 - run);
	ck_assert_int_eq(finished, 12 - run + 1);
	loop_free(loop);
	loop = NULL;
	/* They come back when neither workers nor loop exist any more. */
	gate_open(run);
	wait_threads(threads);
	ck_assert_int_eq(finished, 12 - run + 1);
}
END_TEST

static struct workers *freed_workers;

static void
submit_when_freed_done(void *item, int cancelled)
{
	(void)item;
	ck_assert_int_eq(cancelled, 1);
	ck_assert_int_eq(workers_submit(freed_workers, WORKERS_NORMAL, "kvm1",
			     plain_work, plain_done, NULL),
	    -1);
	finished++;
}

START_TEST(nothing_new_starts_during_free)
{
	int threads = count_threads();
	static struct call hung;

	hung.gate = &gate;
	freed_workers = workers_new(loop);
	submit(freed_workers, WORKERS_OPEN, "kvm1", &hung);
	ck_assert_int_eq(workers_submit(freed_workers, WORKERS_OPEN, "kvm1",
			     plain_work, submit_when_freed_done, NULL),
	    0);
	expected = 1;
	run_until(all_started);
	workers_free(freed_workers, 0);
	ck_assert_int_eq(finished, 1);
	gate_open(1);
	wait_threads(threads);
}
END_TEST

/* What a call has brought, and the call that takes it away again. */
static atomic_int brought, taken_away;

static void
bring(void *item)
{
	(void)item;
	(void)atomic_fetch_add(&brought, 1);
}

static void
take_away(void *item)
{
	(void)item;
	(void)atomic_fetch_add(&taken_away, 1);
}

static void
when_brought(void *item, int cancelled)
{
	(void)item;
	ck_assert_int_eq(cancelled, 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(workers_submit(freed_workers, WORKERS_CONTROL,
				     "kvm1", take_away, plain_done, NULL),
		    0);
}

START_TEST(what_a_call_brought_is_let_go_of_during_free)
{
	int threads = count_threads();

	atomic_store(&brought, 0);
	atomic_store(&taken_away, 0);
	plain_cancelled = 0;
	freed_workers = workers_new(loop);
	ck_assert_int_eq(workers_submit(freed_workers, WORKERS_LONG, "kvm1",
			     bring, when_brought, NULL),
	    0);
	/* Its result is there, and the loop has not seen it yet. */
	while (workers_pending(freed_workers, "kvm1") > 0)
		(void)sched_yield();
	workers_free(freed_workers, 1000 * DEADLINE_S);
	ck_assert_int_eq(atomic_load(&taken_away), 5);
	ck_assert_int_eq(plain_cancelled, 0);
	wait_threads(threads);
}
END_TEST

/* Ends while calls begin and end: each item is done once or left behind. */
START_TEST(free_at_any_moment)
{
	int threads = count_threads();
	static struct call all[100][60]; /* the abandoned stay apart */

	for (int round = 0; round < 100; round++) {
		struct workers *workers = workers_new(loop);
		struct call *calls = all[round];

		finished = 0;
		for (int i = 0; i < 60; i++) {
			submit(workers, (enum workers_lane)(i % 4),
			    i % 2 ? "a" : "b", &calls[i]);
		}
		if (round % 3 != 0) {
			loop_post(loop, stop_loop, NULL);
			ck_assert_int_eq(loop_run(loop), 0);
		}
		workers_free(workers, round % 2 ? 10000 : 0);
		if (round % 2)
			ck_assert_int_eq(finished, 60);
		wait_threads(threads);
	}
}
END_TEST

static Suite *
suite_run(void)
{
	Suite *suite = suite_create("run");
	TCase *tc = tcase_create("lanes");

	tcase_add_test(tc, lanes_take_turns_between_keys);
	tcase_add_test(tc, lanes_keep_their_order_and_cap);
	tcase_add_test(tc, lanes_drop_only_what_waits);
	suite_add_tcase(suite, tc);

	tc = tcase_create("workers");
	tcase_set_timeout(tc, DEADLINE_S);
	tcase_add_checked_fixture(tc, setup_workers, teardown);
	tcase_add_test(tc, work_runs_elsewhere_and_done_on_the_loop);
	tcase_add_test(tc, calls_of_a_key_and_lane_start_in_order);
	tcase_add_loop_test(tc, a_lane_runs_as_many_calls_of_a_key_as_it_may, 0,
	    (int)(sizeof(cap_rows) / sizeof(cap_rows[0])));
	tcase_add_test(tc, a_key_that_hangs_does_not_hold_up_the_others);
	tcase_add_test(
	    tc, control_and_normal_calls_do_not_wait_behind_long_ones);
	tcase_add_test(tc, a_done_may_submit_the_next_call);
	tcase_add_test(tc, the_queue_has_a_maximum);
	tcase_add_test(tc, free_waits_for_calls_and_drops_what_did_not_start);
	tcase_add_test(tc, free_leaves_stuck_calls_behind);
	tcase_add_test(tc, nothing_new_starts_during_free);
	tcase_add_test(tc, what_a_call_brought_is_let_go_of_during_free);
	tcase_add_test(tc, free_at_any_moment);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite_run());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
