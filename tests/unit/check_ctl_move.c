/*
 * droverctl vm move at a daemon that cannot say yet: whole commands against the
 * control server with a made-up backend.
 */

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/server.h"
#include "ctl_run.h"
#include "fake_backend.h"

static struct fake_backend fake;
static struct loop *loop;
static struct server *server;
static pthread_t thread;

static void *
run_loop(void *arg)
{
	(void)arg;
	loop_run(loop);
	return NULL;
}

static void
stop_loop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
start_daemon(void)
{
	struct err err = {0};

	log_set_level(LOG_LEVEL_ERROR);
	fake_init(&fake);
	loop = loop_new();
	server = server_new(loop, daemon_socket, NULL, &fake.backend, &err);
	ck_assert_msg(server != NULL, "%s", err.msg);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void
stop_daemon(void)
{
	loop_post(loop, stop_loop, NULL);
	pthread_join(thread, NULL);
	server_free(server);
	loop_free(loop);
	fake_free(&fake);
}

/* How often the daemon was asked for a move since the last time. */
static int
times_asked(void)
{
	char calls[4096];
	int count = 0;

	fake_calls(&fake, calls);
	for (const char *at = calls; (at = strstr(at, "vm_move")) != NULL; at++)
		count++;
	return count;
}

static int
times_told(const char *what)
{
	int count = 0;

	get(complaints);
	for (const char *at = buf_str(&out); (at = strstr(at, what)) != NULL;
	     at++)
		count++;
	return count;
}

START_TEST(a_move_begins_once_the_answer_is_there)
{
	struct mono began = clock_mono_now();

	fake.waits = 2;
	ck_assert_int_eq(run("vm move web1 --no-wait"), CTL_DONE);
	expect_part("moving to");
	ck_assert_int_eq(times_asked(), 3);
	ck_assert_int_ge(mono_diff(clock_mono_now(), began), 600);
	/* What is awaited is said once, and not where answers go. */
	ck_assert_int_eq(times_told("kvm2: is being asked"), 1);
	expect_part("; asking again for 30.0 s\n");
	expect_no_part("nothing was started");
}
END_TEST

START_TEST(it_is_waited_no_longer_than_told)
{
	struct mono began = clock_mono_now();

	fake.waits = 1000;
	ck_assert_int_eq(run("vm move web1 --timeout 500ms"), CTL_FAILED);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_ge(mono_diff(clock_mono_now(), began), 500);
	ck_assert_int_ge(times_asked(), 2);
	ck_assert_int_eq(times_told("no host can take it yet"), 2);
	expect_part("nothing was started in ");
}
END_TEST

START_TEST(force_is_passed_on)
{
	char calls[4096];

	ck_assert_int_eq(
	    run("vm move web1 --force --to kvm2 --no-wait"), CTL_DONE);
	fake_calls(&fake, calls);
	ck_assert_ptr_nonnull(strstr(calls, "vm_move web1 kvm2 - 0 force"));
	ck_assert_int_eq(run("vm move web1 --no-wait"), CTL_DONE);
	fake_calls(&fake, calls);
	ck_assert_ptr_null(strstr(calls, "force"));
}
END_TEST

START_TEST(what_cannot_pass_by_itself_is_not_asked_again)
{
	err_set(&fake.fail, ERR_CONFLICT, "web1 is being moved already");
	ck_assert_int_eq(run("vm move web1"), CTL_FAILED);
	ck_assert_int_eq(times_asked(), 1);
	ck_assert_int_eq(times_told("web1 is being moved already"), 1);
	expect_no_part("asking again");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_move");
	TCase *tcase = tcase_create("waiting");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_unchecked_fixture(tcase, make_folder, remove_folder);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_checked_fixture(tcase, start_daemon, stop_daemon);
	tcase_add_test(tcase, a_move_begins_once_the_answer_is_there);
	tcase_add_test(tcase, it_is_waited_no_longer_than_told);
	tcase_add_test(tcase, force_is_passed_on);
	tcase_add_test(tcase, what_cannot_pass_by_itself_is_not_asked_again);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
