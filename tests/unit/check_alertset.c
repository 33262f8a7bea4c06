/*
 * Which alerts are on: what Alertmanager posts, in whatever order it arrives,
 * and whose they are.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/alert_hosts.h"
#include "act/alertset.h"
#include "base/buf.h"

#define NOW INT64_C(1795230000000) /* 2026-11-21T03:00:00Z */
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct arena *arena;
static struct alertset *set;
static struct settings_host hosts[] = {
    {.name = "kvm1", .uri = "qemu+tls://kvm1.example.org/system"},
    {.name = "kvm2",
	.uri = "qemu+ssh://root@10.0.0.12:2222/system",
	.migrate_uri = "tcp://10.1.0.12"},
    {.name = "kvm3.example.org", .uri = "qemu+tls://[fd00::3]/system"},
    {.name = "local", .uri = "qemu:///system"},
    {.name = "same1", .uri = "qemu+tls://same.example.org/system"},
    {.name = "same2", .uri = "qemu+tls://same.example.org/session"},
};
static struct settings settings = {.hosts = hosts,
    .host_count = sizeof(hosts) / sizeof(hosts[0]),
    .alerts_host_label = "instance",
    .alerts_expire_ms = 5 * HOUR};

static void
set_up(void)
{
	arena = arena_new((size_t)256 << 20);
	set = alertset_new();
	alertset_configure(set, &settings);
}

static void
tear_down(void)
{
	alertset_free(set);
	arena_free(arena);
}

/* Minutes after NOW; -1: not told. */
static struct alert_news
news(const char *status, const char *name, const char *instance, int since,
    int ends, const char *fingerprint)
{
	char body[1024], begin[CLOCK_RFC3339_SIZE], end[CLOCK_RFC3339_SIZE];
	struct alert_batch *batch;
	struct err err;

	wall_format((struct wall){NOW + since * MINUTE}, begin);
	wall_format((struct wall){NOW + ends * MINUTE}, end);
	snprintf(body, sizeof(body),
	    "{\"version\": \"4\", \"alerts\": [{\"status\": \"%s\", "
	    "\"labels\": {\"instance\": \"%s\", \"alertname\": \"%s\", "
	    "\"severity\": \"critical\"}, \"annotations\": {}, "
	    "\"startsAt\": \"%s\", \"endsAt\": \"%s\", "
	    "\"fingerprint\": \"%s\"}]}",
	    status, instance, name, begin,
	    ends < 0 ? "0001-01-01T00:00:00Z" : end, fingerprint);
	batch = alert_read(arena, body, strlen(body), &err);
	ck_assert_msg(batch != NULL, "%s", err.msg);
	ck_assert_uint_eq(batch->count, 1);
	return batch->items[0];
}

static enum alertset_effect
apply(struct alert_news n, int minute)
{
	const struct alertset_item *item;

	return alertset_apply(
	    set, &n, (struct wall){NOW + minute * MINUTE}, &item);
}

static size_t
count(void)
{
	size_t n;

	(void)alertset_items(set, &n);
	return n;
}

static const struct alertset_item *
only(void)
{
	size_t n;
	const struct alertset_item *const *items = alertset_items(set, &n);

	ck_assert_uint_eq(n, 1);
	return items[0];
}

static void
pass_over(const struct alertset_item *item, void *arg)
{
	(void)item;
	++*(size_t *)arg;
}

static size_t
expire(int minute)
{
	size_t gone = 0;

	alertset_expire(
	    set, (struct wall){NOW + minute * MINUTE}, pass_over, &gone);
	return gone;
}

/* ---- reading ---- */

START_TEST(an_alert_has_its_labels_in_order)
{
	struct alert_news n =
	    news("firing", "DiskFailing", "kvm1:9100", 0, -1, "ab12");

	ck_assert(n.firing);
	ck_assert_str_eq(n.alert.name, "DiskFailing");
	ck_assert_str_eq(n.alert.severity, "critical");
	ck_assert_int_eq(n.alert.since.ms, NOW);
	ck_assert_int_eq(n.ends.ms, 0);
	ck_assert_str_eq(n.fingerprint, "ab12");
	ck_assert_uint_eq(n.alert.label_count, 3);
	ck_assert_str_eq(n.alert.label_keys[1], "instance");
	ck_assert_str_eq(n.alert.label_values[1], "kvm1:9100");
	ck_assert_str_eq(n.identity,
	    "{\"alertname\":\"DiskFailing\",\"instance\":\"kvm1:9100\","
	    "\"severity\":\"critical\"}");
}
END_TEST

#define ALERT(rest) "{\"alerts\": [{" rest "}]}"
#define LABELS "\"status\": \"firing\", \"labels\": {\"a\": \"b\"}"

static const struct {
	const char *body, *said;
} bad[] = {
    {"", "not JSON: line 1 column 0: '[' or '{' expected near end of file"},
    {"{", "not JSON: line 1"},
    {"[]", "is an object, not a list"},
    {"{}", "alerts: a list is wanted, not nothing"},
    {"{\"version\": \"3\", \"alerts\": []}", "version: \"4\" is wanted, not 3"},
    {"{\"version\": 4, \"alerts\": []}", "not a number"},
    {"{\"alerts\": {}}", "alerts: a list is wanted, not an object"},
    {"{\"alerts\": [7]}", "alerts[0]: an object is wanted, not a number"},
    {ALERT("\"labels\": {\"a\": \"b\"}"),
	"alerts[0].status: firing or resolved is wanted, not nothing"},
    {ALERT("\"status\": \"on\", \"labels\": {\"a\": \"b\"}"),
	"alerts[0].status: firing or resolved is wanted, not \"on\""},
    {ALERT("\"status\": \"firing\""),
	"alerts[0].labels: an object with labels is wanted, not nothing"},
    {ALERT("\"status\": \"firing\", \"labels\": {}"), "not an empty one"},
    {ALERT("\"status\": \"firing\", \"labels\": {\"a\": 1}"),
	"alerts[0].labels.a: a text is wanted, not a number"},
    {ALERT(LABELS ", \"startsAt\": \"yesterday\""),
	"alerts[0].startsAt: \"yesterday\" is not a time"},
    {ALERT(LABELS ", \"endsAt\": 12"),
	"alerts[0].endsAt: a text is wanted, not a number"},
    {ALERT(LABELS ", \"endsAt\": \"2026-02-29T00:00:00Z\""),
	"alerts[0].endsAt: \"2026-02-29T00:00:00Z\" is not a time"},
    {ALERT(LABELS ", \"fingerprint\": []"), "fingerprint: a text is wanted"},
    {ALERT(LABELS ", \"status\": \"firing\""), "duplicate object key"},
    {ALERT("\"status\": \"firing\", \"labels\": {\"a\": \"\\u0000\"}"),
	"not JSON"},
    {"{\"alerts\": [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}",
	"nests more than 16 levels deep"},
};

START_TEST(what_is_wrong_is_said_with_its_place)
{
	struct err err = {.code = ERR_NONE};

	ck_assert_ptr_null(
	    alert_read(arena, bad[_i].body, strlen(bad[_i].body), &err));
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_msg(strstr(err.msg, bad[_i].said) != NULL, "%s: %s",
	    bad[_i].body, err.msg);
}
END_TEST

START_TEST(brackets_inside_texts_do_not_nest)
{
	static const char body[] =
	    ALERT("\"status\": \"firing\", \"labels\": {\"a\": "
		  "\"[[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{\"}");

	ck_assert_ptr_nonnull(alert_read(arena, body, strlen(body), NULL));
}
END_TEST

START_TEST(a_body_that_nests_a_million_levels_is_refused)
{
	size_t len = ALERT_BODY_MAX;
	char *body = malloc(len);
	struct err err = {.code = ERR_NONE};

	memset(body, '[', len);
	ck_assert_ptr_null(alert_read(arena, body, len, &err));
	ck_assert_ptr_null(alert_read(arena, body, len + 1, &err));
	free(body);
}
END_TEST

START_TEST(labels_are_bounded)
{
	struct buf body = BUF_INIT(1 << 20);
	struct err err;

	buf_adds(&body, "{\"alerts\": [{\"status\": \"firing\", \"labels\": {");
	for (int i = 0; i <= ALERT_LABELS_MAX; i++)
		buf_addf(&body, "%s\"l%d\": \"x\"", i > 0 ? "," : "", i);
	buf_adds(&body, "}}]}");
	ck_assert_ptr_null(alert_read(arena, body.data, body.len, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "more than 64 labels"));
	buf_clear(&body);
	buf_adds(&body,
	    "{\"alerts\": [{\"status\": \"firing\", \"labels\": {\"a\": \"");
	for (int i = 0; i < ALERT_LABELS_SIZE_MAX; i++)
		buf_adds(&body, "x");
	buf_adds(&body, "\"}}]}");
	ck_assert_ptr_null(alert_read(arena, body.data, body.len, &err));
	buf_free(&body);
}
END_TEST

/* ---- on and off ---- */

START_TEST(firing_is_on_until_resolved)
{
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm1", 0, -1, "1"), 1), ALERTSET_ON);
	ck_assert_str_eq(only()->host, "kvm1");
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm1", 0, -1, "1"), 2), ALERTSET_AGAIN);
	ck_assert_int_eq(only()->alert.since.ms, NOW);
	ck_assert_int_eq(
	    apply(news("resolved", "A", "kvm1", 0, 5, "1"), 6), ALERTSET_OFF);
	ck_assert_uint_eq(count(), 0);
	ck_assert_int_eq(
	    apply(news("resolved", "A", "kvm1", 0, 5, "1"), 7), ALERTSET_NONE);
}
END_TEST

START_TEST(a_fingerprint_may_be_missing_on_either_side)
{
	apply(news("firing", "A", "kvm1", 0, -1, "1"), 0);
	ck_assert_int_eq(
	    apply(news("resolved", "A", "kvm1", 0, 5, ""), 6), ALERTSET_OFF);
	apply(news("firing", "B", "kvm1", 0, -1, ""), 0);
	ck_assert_int_eq(
	    apply(news("firing", "B", "kvm1", 0, -1, "2"), 1), ALERTSET_AGAIN);
	ck_assert_int_eq(
	    apply(news("resolved", "B", "kvm1", 0, 5, "2"), 6), ALERTSET_OFF);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(one_fingerprint_is_one_alert)
{
	apply(news("firing", "A", "kvm1", 0, -1, "1"), 0);
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm2", 0, -1, "1"), 1), ALERTSET_ON);
	ck_assert_str_eq(only()->host, "kvm2");
	/* Labels that two fingerprints claim are one alert as well. */
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm2", 0, -1, "9"), 2), ALERTSET_AGAIN);
	ck_assert_str_eq(only()->fingerprint, "9");
}
END_TEST

START_TEST(a_firing_that_was_overtaken_by_its_resolution_stays_off)
{
	ck_assert_int_eq(
	    apply(news("resolved", "A", "kvm1", 0, 3, "1"), 4), ALERTSET_NONE);
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm1", 0, -1, "1"), 5), ALERTSET_OLD);
	ck_assert_uint_eq(count(), 0);
	/* A new one began after that end. */
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm1", 4, -1, "1"), 5), ALERTSET_ON);
}
END_TEST

START_TEST(what_is_told_again_much_later_went_on)
{
	apply(news("resolved", "A", "kvm1", 0, 3, "1"), 4);
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm1", 0, -1, "1"), 9), ALERTSET_ON);
}
END_TEST

START_TEST(a_resolution_of_an_earlier_one_ends_nothing)
{
	apply(news("firing", "A", "kvm1", 10, -1, "1"), 10);
	ck_assert_int_eq(
	    apply(news("resolved", "A", "kvm1", 0, 5, "1"), 11), ALERTSET_OLD);
	ck_assert_uint_eq(count(), 1);
	ck_assert_int_eq(apply(news("resolved", "A", "kvm1", 10, 12, "1"), 13),
	    ALERTSET_OFF);
}
END_TEST

START_TEST(an_alert_that_is_not_repeated_goes)
{
	apply(news("firing", "A", "kvm1", 0, -1, "1"), 0);
	ck_assert_int_eq(alertset_next(set).ms, NOW + 5 * HOUR);
	ck_assert_uint_eq(expire(299), 0);
	apply(news("firing", "A", "kvm1", 0, -1, "1"), 240);
	ck_assert_uint_eq(expire(539), 0);
	ck_assert_uint_eq(expire(540), 1);
	ck_assert_uint_eq(count(), 0);
	ck_assert_int_eq(alertset_next(set).ms, INT64_MAX);
}
END_TEST

START_TEST(an_alert_goes_at_its_end)
{
	apply(news("firing", "A", "kvm1", 0, 30, "1"), 0);
	ck_assert_uint_eq(expire(29), 0);
	ck_assert_uint_eq(expire(30), 1);
	ck_assert_int_eq(
	    apply(news("firing", "A", "kvm1", 0, 30, "1"), 31), ALERTSET_NONE);
}
END_TEST

START_TEST(what_was_on_before_a_restart_has_time_to_be_repeated)
{
	struct alert_news n = news("firing", "A", "kvm1", 0, -1, "1");

	/* The daemon was away for ten hours. */
	ck_assert_int_eq(alertset_restore(set, &n, (struct wall){NOW},
			     (struct wall){NOW + 10 * HOUR}),
	    0);
	ck_assert_str_eq(only()->host, "kvm1");
	ck_assert_uint_eq(expire(614), 0);
	ck_assert_uint_eq(expire(615), 1);
}
END_TEST

START_TEST(ten_thousand_alerts_are_the_most)
{
	char name[32];

	for (int i = 0; i < ALERTSET_MAX; i++) {
		snprintf(name, sizeof(name), "A%d", i);
		ck_assert_int_eq(
		    apply(news("firing", name, "kvm1", 0, -1, name), 0),
		    ALERTSET_ON);
	}
	ck_assert_int_eq(
	    apply(news("firing", "B", "kvm1", 0, -1, "b"), 0), ALERTSET_FULL);
	ck_assert_int_eq(apply(news("firing", "A7", "kvm1", 0, -1, "A7"), 0),
	    ALERTSET_AGAIN);
	ck_assert_uint_eq(count(), ALERTSET_MAX);
	for (int i = 0; i < ALERTSET_MAX; i++) {
		snprintf(name, sizeof(name), "A%d", i);
		ck_assert_int_eq(
		    apply(news("resolved", name, "kvm1", 0, 1, name), 2),
		    ALERTSET_OFF);
	}
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(items_are_in_an_order_of_their_own)
{
	size_t n;
	const struct alertset_item *const *items;

	apply(news("firing", "B", "kvm1", 0, -1, "1"), 0);
	apply(news("firing", "A", "kvm2", 5, -1, "2"), 0);
	apply(news("firing", "A", "kvm1", 5, -1, "3"), 0);
	apply(news("firing", "A", "kvm1:1", 4, -1, "4"), 0);
	items = alertset_items(set, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert_str_eq(items[0]->fingerprint, "4");
	ck_assert_str_eq(items[1]->fingerprint, "3");
	ck_assert_str_eq(items[2]->fingerprint, "2");
	ck_assert_str_eq(items[3]->fingerprint, "1");
}
END_TEST

START_TEST(hosts_are_found_anew_when_the_configuration_changes)
{
	struct settings_host later = {
	    .name = "new1", .uri = "qemu+tls://new1/system"};
	struct settings next = settings;

	apply(news("firing", "A", "new1:9100", 0, -1, "1"), 0);
	ck_assert_ptr_null(only()->host);
	next.hosts = &later;
	next.host_count = 1;
	alertset_configure(set, &next);
	ck_assert_str_eq(only()->host, "new1");
}
END_TEST

/* ---- hosts ---- */

static const struct {
	const char *value, *host;
} names[] = {
    {"kvm1", "kvm1"},
    {"KVM1:9100", "kvm1"},
    {"kvm1.example.org:9100", "kvm1"},
    {"kvm1.example.org.", "kvm1"},
    {"https://kvm1.example.org:9100/metrics", "kvm1"},
    {"kvm1.elsewhere.org", NULL}, /* its URI says another domain */
    {"10.0.0.12:9100", "kvm2"},
    {"10.1.0.12", "kvm2"},
    {"kvm2.anything.org:9100", "kvm2"},
    {"10.0.0.1", NULL},
    {"[fd00::3]:9100", "kvm3.example.org"},
    {"fd00::3", "kvm3.example.org"},
    {"kvm3", "kvm3.example.org"},
    {"kvm3.example.org:9100", "kvm3.example.org"},
    {"kvm3.elsewhere.org", NULL},
    {"same.example.org", NULL}, /* two hosts are called so */
    {"same", NULL},
    {"same1", "same1"},
    {"local", "local"},
    {"localhost", NULL},
    {"", NULL},
    {":9100", NULL},
    {"[", NULL},
    {"http://", NULL},
    {"kvm", NULL},
};

START_TEST(a_label_names_a_host_or_none)
{
	struct alert_hosts *index = alert_hosts_new(&settings);
	const struct settings_host *host =
	    alert_hosts_find(index, names[_i].value);

	if (names[_i].host == NULL)
		ck_assert_msg(host == NULL, "%s: %s", names[_i].value,
		    host != NULL ? host->name : "");
	else
		ck_assert_msg(
		    host != NULL && strcmp(host->name, names[_i].host) == 0,
		    "%s: %s", names[_i].value,
		    host != NULL ? host->name : "none");
	alert_hosts_free(index);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("alertset");
	TCase *tc = tcase_create("alertset");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_alert_has_its_labels_in_order);
	tcase_add_loop_test(tc, what_is_wrong_is_said_with_its_place, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, brackets_inside_texts_do_not_nest);
	tcase_add_test(tc, a_body_that_nests_a_million_levels_is_refused);
	tcase_add_test(tc, labels_are_bounded);
	tcase_add_test(tc, firing_is_on_until_resolved);
	tcase_add_test(tc, a_fingerprint_may_be_missing_on_either_side);
	tcase_add_test(tc, one_fingerprint_is_one_alert);
	tcase_add_test(
	    tc, a_firing_that_was_overtaken_by_its_resolution_stays_off);
	tcase_add_test(tc, what_is_told_again_much_later_went_on);
	tcase_add_test(tc, a_resolution_of_an_earlier_one_ends_nothing);
	tcase_add_test(tc, an_alert_that_is_not_repeated_goes);
	tcase_add_test(tc, an_alert_goes_at_its_end);
	tcase_add_test(
	    tc, what_was_on_before_a_restart_has_time_to_be_repeated);
	tcase_add_test(tc, ten_thousand_alerts_are_the_most);
	tcase_add_test(tc, items_are_in_an_order_of_their_own);
	tcase_add_test(tc, hosts_are_found_anew_when_the_configuration_changes);
	tcase_add_loop_test(tc, a_label_names_a_host_or_none, 0,
	    (int)(sizeof(names) / sizeof(names[0])));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
