/*
 * The alerts of the daemon: over a restart, in time, and in snapshots.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/alerts.h"
#include "base/buf.h"
#include "base/log.h"
#include "store_fixture.h"

static struct loop *loop;
static struct store *store;
static struct alerts *alerts;
static unsigned changes;
static struct settings_host hosts[] = {
    {.name = "kvm1", .uri = "qemu+tls://kvm1/system"},
    {.name = "kvm2", .uri = "qemu+tls://kvm2/system"},
};
static struct settings settings;

static void
note_change(void *arg)
{
	(void)arg;
	changes++;
}

static void
start(void)
{
	struct err err = {0};

	store = open_store();
	loop = loop_new();
	alerts = alerts_new(
	    &(struct alerts_deps){
		.loop = loop, .store = store, .changed = note_change},
	    &settings, &err);
	ck_assert_msg(alerts != NULL, "%s", err.msg);
}

static void
stop(void)
{
	alerts_free(alerts);
	loop_free(loop);
	store_close(store);
}

static void
set_up(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	setup();
	changes = 0;
	settings = (struct settings){.hosts = hosts,
	    .host_count = 2,
	    .alerts_host_label = "instance",
	    .alerts_expire_ms = 3600000};
	start();
}

static void
tear_down(void)
{
	stop();
	teardown();
}

static void
add_alert(struct buf *body, bool firing, const char *name, const char *host,
    const char *fingerprint)
{
	buf_addf(body,
	    "%s{\"status\": \"%s\", \"labels\": {\"alertname\": \"%s\", "
	    "\"instance\": \"%s:9100\", \"severity\": \"critical\"}, "
	    "\"startsAt\": \"2026-11-21T03:00:00Z\", \"endsAt\": \"%s\", "
	    "\"fingerprint\": \"%s\"}",
	    body->len > 0 ? ", " : "{\"version\": \"4\", \"alerts\": [",
	    firing ? "firing" : "resolved", name, host,
	    firing ? "0001-01-01T00:00:00Z" : "2026-11-21T04:00:00Z",
	    fingerprint);
}

/* "on 1, repeated 0, resolved 0, ignored 0, dropped 0, no_host 0" */
static const char *
post(struct buf *body)
{
	static const char *const keys[] = {"received", "on", "repeated",
	    "resolved", "ignored", "dropped", "no_host"};
	static char said[256];
	struct err err = {0};
	json_t *answer;
	size_t used = 0;

	buf_adds(body, "]}");
	answer = alerts_post(alerts, body->data, body->len, &err);
	ck_assert_msg(answer != NULL, "%s", err.msg);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		used += (size_t)snprintf(said + used, sizeof(said) - used,
		    "%s%s %lld", i > 0 ? " " : "", keys[i],
		    (long long)json_integer_value(
			json_object_get(answer, keys[i])));
	json_decref(answer);
	buf_clear(body);
	return said;
}

static size_t
count(void)
{
	json_t *list = alerts_json(alerts);
	size_t n = json_array_size(list);

	json_decref(list);
	return n;
}

START_TEST(what_is_on_is_on_after_a_restart)
{
	struct buf body = BUF_INIT(1 << 20);
	json_t *list, *one;

	add_alert(&body, true, "DiskFailing", "kvm1", "1");
	add_alert(&body, true, "Hot", "kvm2", "2");
	add_alert(&body, true, "Other", "printer", "3");
	ck_assert_str_eq(post(&body),
	    "received 3 on 3 repeated 0 resolved 0 ignored 0 dropped 0 "
	    "no_host 1");
	ck_assert_uint_eq(changes, 1);
	add_alert(&body, false, "Hot", "kvm2", "2");
	post(&body);
	stop();
	start();
	list = alerts_json(alerts);
	ck_assert_uint_eq(json_array_size(list), 2);
	one = json_array_get(list, 0);
	ck_assert_str_eq(
	    json_string_value(json_object_get(one, "name")), "DiskFailing");
	ck_assert_str_eq(
	    json_string_value(json_object_get(one, "host")), "kvm1");
	ck_assert_str_eq(json_string_value(json_object_get(one, "since")),
	    "2026-11-21T03:00:00.000Z");
	ck_assert_ptr_null(json_object_get(json_array_get(list, 1), "host"));
	json_decref(list);
	/* It is known for what it is. */
	add_alert(&body, true, "DiskFailing", "kvm1", "1");
	ck_assert_str_eq(post(&body),
	    "received 1 on 0 repeated 1 resolved 0 ignored 0 dropped 0 "
	    "no_host 1");
	buf_free(&body);
}
END_TEST

START_TEST(what_was_resolved_stays_off_after_a_restart)
{
	struct buf body = BUF_INIT(1 << 20);

	/* One fingerprint with other labels, then ended without one. */
	add_alert(&body, true, "A", "kvm1", "1");
	add_alert(&body, true, "A", "kvm2", "1");
	post(&body);
	ck_assert_uint_eq(count(), 1);
	add_alert(&body, false, "A", "kvm2", "");
	post(&body);
	ck_assert_uint_eq(count(), 0);
	stop();
	start();
	ck_assert_uint_eq(count(), 0);
	buf_free(&body);
}
END_TEST

START_TEST(a_bad_body_changes_nothing)
{
	struct buf body = BUF_INIT(1 << 20);
	struct err err = {0};

	add_alert(&body, true, "A", "kvm1", "1");
	buf_adds(&body, ", 7]}");
	ck_assert_ptr_null(alerts_post(alerts, body.data, body.len, &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_uint_eq(count(), 0);
	ck_assert_uint_eq(changes, 0);
	buf_free(&body);
}
END_TEST

START_TEST(a_repetition_is_no_change)
{
	struct buf body = BUF_INIT(1 << 20);

	for (int i = 0; i < 3; i++) {
		add_alert(&body, true, "A", "kvm1", "1");
		post(&body);
	}
	ck_assert_uint_eq(changes, 1);
	buf_free(&body);
}
END_TEST

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

START_TEST(an_alert_that_is_not_repeated_goes_by_itself)
{
	struct buf body = BUF_INIT(1 << 20);
	struct loop_timer *timer = loop_timer_new(loop, stop_loop, loop);

	settings.alerts_expire_ms = 10;
	add_alert(&body, true, "A", "kvm1", "1");
	post(&body);
	loop_timer_set(timer, 1500);
	ck_assert_int_eq(loop_run(loop), 0);
	loop_timer_free(timer);
	ck_assert_uint_eq(count(), 0);
	ck_assert_uint_eq(changes, 2);
	stop();
	start();
	ck_assert_uint_eq(count(), 0);
	buf_free(&body);
}
END_TEST

START_TEST(snapshots_have_the_alerts_of_their_hosts)
{
	struct buf body = BUF_INIT(1 << 20);
	struct arena *arena = arena_new((size_t)16 << 20);
	struct snapshot *s = arena_alloc(arena, sizeof(*s));

	s->arena = arena;
	s->host_count = 2;
	s->hosts = arena_array(arena, 2, sizeof(s->hosts[0]));
	s->hosts[0].name = "kvm0";
	s->hosts[1].name = "kvm1";
	add_alert(&body, true, "B", "kvm1", "1");
	add_alert(&body, true, "A", "kvm1", "2");
	add_alert(&body, true, "C", "kvm2", "3");
	add_alert(&body, true, "D", "printer", "4");
	post(&body);
	alerts_fill(alerts, s);
	/* They are copies. */
	add_alert(&body, false, "A", "kvm1", "2");
	post(&body);
	ck_assert_uint_eq(s->hosts[0].alert_count, 0);
	ck_assert_uint_eq(s->hosts[1].alert_count, 2);
	ck_assert_str_eq(s->hosts[1].alerts[0].name, "A");
	ck_assert_str_eq(s->hosts[1].alerts[0].severity, "critical");
	ck_assert_str_eq(s->hosts[1].alerts[1].name, "B");
	snapshot_free(s);
	buf_free(&body);
}
END_TEST

START_TEST(ten_thousand_alerts_are_kept)
{
	struct buf body = BUF_INIT(1 << 20);
	char name[32];

	for (int i = 0; i < ALERTSET_MAX; i++) {
		snprintf(name, sizeof(name), "A%d", i);
		add_alert(&body, true, name, "kvm1", name);
		if (i % 2000 == 1999)
			post(&body);
	}
	ck_assert_uint_eq(count(), ALERTSET_MAX);
	stop();
	start();
	ck_assert_uint_eq(count(), ALERTSET_MAX);
	add_alert(&body, true, "B", "kvm1", "b");
	ck_assert_str_eq(post(&body),
	    "received 1 on 0 repeated 0 resolved 0 ignored 0 dropped 1 "
	    "no_host 0");
	buf_free(&body);
}
END_TEST

START_TEST(a_disk_that_fails_is_answered_so_that_it_is_sent_again)
{
	struct buf body = BUF_INIT(1 << 20);
	struct err err = {0};

	run_sql(store, "ALTER TABLE alerts RENAME TO away");
	add_alert(&body, true, "A", "kvm1", "1");
	buf_adds(&body, "]}");
	ck_assert_ptr_null(alerts_post(alerts, body.data, body.len, &err));
	ck_assert_int_ne(err.code, ERR_INVALID);
	run_sql(store, "ALTER TABLE away RENAME TO alerts");
	/* It is on all the same, and the next time it is written down. */
	ck_assert_uint_eq(count(), 1);
	buf_clear(&body);
	add_alert(&body, true, "A", "kvm1", "1");
	post(&body);
	stop();
	start();
	ck_assert_uint_eq(count(), 1);
	buf_free(&body);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("alerts");
	TCase *tc = tcase_create("alerts");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_on_is_on_after_a_restart);
	tcase_add_test(tc, what_was_resolved_stays_off_after_a_restart);
	tcase_add_test(tc, a_bad_body_changes_nothing);
	tcase_add_test(tc, a_repetition_is_no_change);
	tcase_add_test(tc, an_alert_that_is_not_repeated_goes_by_itself);
	tcase_add_test(tc, snapshots_have_the_alerts_of_their_hosts);
	tcase_add_test(tc, ten_thousand_alerts_are_kept);
	tcase_add_test(
	    tc, a_disk_that_fails_is_answered_so_that_it_is_sent_again);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
