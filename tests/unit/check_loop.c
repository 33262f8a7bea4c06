/*
 * run/: the loop, its mailbox, timers and signals.
 *
 * A test waits for conditions; the one deadline is Check's, per test, and only
 * says that something never happened.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/loop.h"

#define DEADLINE_S 60

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

static void
stop_loop(void *arg)
{
	(void)arg;
	assert_loop_thread();
	loop_stop(loop);
}

#define POSTERS 8
#define POSTS 2000

static int posted_last[POSTERS];
static int posted_total;

struct post {
	int poster;
	int number;
};

static void
post_arrives(void *arg)
{
	struct post *post = arg;

	assert_loop_thread();
	if (post->number != posted_last[post->poster] + 1)
		ck_abort_msg(
		    "%d after %d", post->number, posted_last[post->poster]);
	posted_last[post->poster] = post->number;
	free(post);
	if (++posted_total == POSTERS * POSTS)
		loop_stop(loop);
}

static void *
post_many(void *arg)
{
	int poster = *(int *)arg;

	for (int i = 1; i <= POSTS; i++) {
		struct post *post = malloc(sizeof(*post));

		if (post == NULL)
			abort();
		*post = (struct post){poster, i};
		loop_post(loop, post_arrives, post);
	}
	return NULL;
}

START_TEST(posts_of_many_threads_arrive_each_in_order)
{
	pthread_t threads[POSTERS];
	int numbers[POSTERS];

	for (int i = 0; i < POSTERS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, post_many, &numbers[i]),
		    0);
	}
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(posted_total, POSTERS * POSTS);
	for (int i = 0; i < POSTERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

static int ran;

static void
count_run(void *arg)
{
	(void)arg;
	ran++;
}

static void
post_three(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		loop_post(loop, count_run, NULL);
}

START_TEST(freeing_the_loop_runs_what_is_in_the_mailbox)
{
	loop_post(loop, count_run, NULL);
	loop_post(loop, post_three, NULL); /* and what that posts */
	ck_assert_int_eq(ran, 0);
	loop_free(loop);
	loop = NULL;
	ck_assert_int_eq(ran, 4);
}
END_TEST

START_TEST(a_stop_before_the_run_counts_once)
{
	loop_stop(loop);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_post(loop, count_run, NULL);
	loop_post(loop, stop_loop, NULL);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ran, 1);
}
END_TEST

static void
post_forever(void *arg)
{
	bool *enough = arg;

	if (!*enough)
		loop_post(loop, post_forever, enough);
}

static void
say_enough(void *arg)
{
	*(bool *)arg = true;
	loop_stop(loop);
}

START_TEST(a_flood_of_posts_does_not_hold_up_a_timer)
{
	static bool enough; /* read until the loop is freed */
	struct loop_timer *timer = loop_timer_new(loop, say_enough, &enough);

	for (int i = 0; i < 1000; i++)
		loop_post(loop, post_forever, &enough);
	loop_timer_set(timer, 20);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert(enough);
	loop_timer_free(timer);
}
END_TEST

struct tick {
	struct loop_timer *timer;
	struct mono due;
	int64_t in_ms;
	int left;
	int early;
};

static void
tick_fires(void *arg)
{
	struct tick *tick = arg;

	assert_loop_thread();
	tick->early += mono_before(clock_mono_now(), tick->due);
	if (--tick->left == 0) {
		loop_stop(loop);
		return;
	}
	tick->due = mono_add(clock_mono_now(), tick->in_ms);
	loop_timer_set(tick->timer, tick->in_ms);
}

START_TEST(a_timer_sets_itself_again_and_is_never_early)
{
	struct tick tick = {.in_ms = 3, .left = 40};

	tick.timer = loop_timer_new(loop, tick_fires, &tick);
	tick.due = mono_add(clock_mono_now(), tick.in_ms);
	loop_timer_set(tick.timer, tick.in_ms);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(tick.left, 0);
	ck_assert_int_eq(tick.early, 0);
	loop_timer_free(tick.timer);
	loop_timer_free(NULL);
}
END_TEST

static char order[16];

static void
note_order(void *arg)
{
	(void)strcat(order, arg);
}

START_TEST(timers_fire_by_due_time_and_not_when_cleared)
{
	struct loop_timer *a = loop_timer_new(loop, note_order, "a");
	struct loop_timer *b = loop_timer_new(loop, note_order, "b");
	struct loop_timer *c = loop_timer_new(loop, note_order, "c");
	struct loop_timer *d = loop_timer_new(loop, note_order, "d");
	struct loop_timer *end = loop_timer_new(loop, stop_loop, NULL);

	loop_timer_set(end, 60);
	loop_timer_set(c, 30);
	loop_timer_set(b, 3600000);
	loop_timer_set(b, 15); /* the later word counts */
	loop_timer_set(d, 1);
	loop_timer_clear(d);
	loop_timer_clear(d);
	loop_timer_set(a, -5); /* at once */
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_str_eq(order, "abc");
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(c);
	loop_timer_free(d);
	loop_timer_free(end);
}
END_TEST

static void
signal_arrives(int signal, void *arg)
{
	assert_loop_thread();
	*(int *)arg = signal;
	loop_stop(loop);
}

START_TEST(a_signal_arrives_on_the_loop)
{
	int got = 0;

	ck_assert_int_eq(
	    loop_on_signal(loop, SIGUSR1, signal_arrives, &got), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(got, SIGUSR1);
}
END_TEST

START_TEST(a_broken_pipe_is_only_an_error)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	ck_assert_int_eq((int)write(fds[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(fds[1]);
}
END_TEST

static Suite *
suite_loop(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_set_timeout(tc, DEADLINE_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, posts_of_many_threads_arrive_each_in_order);
	tcase_add_test(tc, freeing_the_loop_runs_what_is_in_the_mailbox);
	tcase_add_test(tc, a_stop_before_the_run_counts_once);
	tcase_add_test(tc, a_flood_of_posts_does_not_hold_up_a_timer);
	tcase_add_test(tc, a_timer_sets_itself_again_and_is_never_early);
	tcase_add_test(tc, timers_fire_by_due_time_and_not_when_cleared);
	tcase_add_test(tc, a_signal_arrives_on_the_loop);
	tcase_add_test(tc, a_broken_pipe_is_only_an_error);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite_loop());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
