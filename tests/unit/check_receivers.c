/*
 * Which events a receiver gets, which of them are one message, what is true of
 * each kind, and that no fault shows a URL.  What is said about each mistake in
 * a configuration is the business of tests/conf.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/receiver.h"
#include "config/settings.h"
#include "config/uri.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define HOUR INT64_C(3600000)

/* ---- kinds ---- */

START_TEST(every_kind_has_a_name_of_its_own_limits_and_defaults)
{
	for (int i = 0; i < RECEIVER_KIND_COUNT; i++) {
		const struct receiver_kind_info *k = &receiver_kinds[i];

		ck_assert_ptr_nonnull(k->name);
		ck_assert_int_eq(receiver_find_kind(k->name), i);
		ck_assert_uint_ge(k->body_max, 4096);
		ck_assert_int_ge(k->max_age_ms, HOUR);
		ck_assert_int_eq(k->rate == 0, k->rate_ms == 0);
		ck_assert(k->group_by == RECEIVER_GROUP_NONE ||
		    k->group_by == RECEIVER_GROUP_DRAIN);
		/* What is required is of use. */
		ck_assert(!k->token || k->takes_token);
		/* Chats forget sooner than those that signs are checked by. */
		ck_assert(!k->secret_url || k->max_age_ms == 6 * HOUR);
		ck_assert(!k->signs || k->max_age_ms == 7 * 24 * HOUR);
	}
	ck_assert_int_eq(receiver_find_kind("telegram"), -1);
	ck_assert_int_eq(receiver_find_kind(""), -1);
}
END_TEST

/* A receiver of each kind, with no more than it needs. */
static struct settings *
parse_kind(int kind)
{
	bool pagerduty = kind == RECEIVER_PAGERDUTY;
	struct settings_file file = {
	    .kind = SETTINGS_MAIN, .name = "drover.yaml"};
	struct settings *settings;
	struct diag_list diags;
	char text[512];

	snprintf(text, sizeof(text),
	    "version: 1\nreceivers:\n  - name: r\n    type: %s\n%s%s%s",
	    receiver_kinds[kind].name, pagerduty ? "" : "    url: https://h/\n",
	    receiver_kinds[kind].token ? "    token_file: t\n" : "",
	    kind == RECEIVER_CUSTOM ? "    template: x\n" : "");
	file.text = text;
	file.len = strlen(text);
	diag_init(&diags);
	settings = settings_parse(&file, 1, "/etc/drover", &diags);
	ck_assert_msg(settings != NULL, "%s: %s", receiver_kinds[kind].name,
	    diags.count > 0 ? diags.items[0].text : "");
	diag_free(&diags);
	return settings;
}

START_TEST(a_short_entry_gets_the_defaults_of_its_kind)
{
	const struct receiver_kind_info *k = &receiver_kinds[_i];
	struct settings *s = parse_kind(_i);
	const struct settings_receiver *r = &s->receivers[0];

	ck_assert_int_eq((int)r->kind, _i);
	ck_assert_str_eq(r->type, k->name);
	ck_assert_str_eq(r->url,
	    _i == RECEIVER_PAGERDUTY ? "https://events.pagerduty.com/v2/enqueue"
				     : "https://h/");
	ck_assert_uint_eq(r->group_by, k->group_by);
	ck_assert_int_eq(r->max_age_ms, k->max_age_ms);
	ck_assert_int_eq(r->rate, k->rate);
	ck_assert_int_eq(r->rate_ms, k->rate_ms);
	ck_assert_uint_eq(r->event_count, 1);
	ck_assert_str_eq(r->events[0], "*");
	ck_assert_uint_eq(r->policy_count, 0);
	ck_assert_int_eq(r->severity, RECEIVER_INFO);
	ck_assert_int_eq(r->group_wait_ms, 30000);
	ck_assert_int_eq(r->mode, RECEIVER_STRUCTURED);
	ck_assert_int_eq(r->batch, 100);
	ck_assert_int_eq(r->signature, RECEIVER_SIGN_STANDARD);
	ck_assert_str_eq(r->content_type, "application/json");
	ck_assert_str_eq(r->method, "POST");
	ck_assert_ptr_null(r->unix_socket);
	ck_assert_ptr_null(r->secret_file);
	ck_assert_ptr_null(r->proxy);
	ck_assert_ptr_null(r->ca_file);
	ck_assert_ptr_null(r->server_name);
	ck_assert_uint_eq(r->header_count, 0);
	ck_assert_int_eq(r->timeout_ms, 10000);
	ck_assert_int_eq(r->connect_timeout_ms, 5000);
	/* An end that overtakes its beginning would leave it on. */
	ck_assert(r->strict ==
	    (_i == RECEIVER_ALERTMANAGER || _i == RECEIVER_PAGERDUTY));
	ck_assert_int_eq(r->queue, 50000);
	ck_assert_int_eq(r->queue_full, RECEIVER_FULL_OLDEST);
	ck_assert_int_eq(r->resend_ms, _i == RECEIVER_ALERTMANAGER ? 60000 : 0);
	settings_free(s);
}
END_TEST

/* ---- who gets what ---- */

static const char *const all[] = {"*"};
static const char *const moves[] = {"move.*"};
static const char *const blocked[] = {"move.*", "drain.blocked"};
static const char *const night[] = {"night-*", "maintenance"};

/* A receiver of everything, of a kind that groups by drain when not told. */
static struct settings_receiver
chat(void)
{
	return (struct settings_receiver){.name = "chat",
	    .kind = RECEIVER_SLACK,
	    .events = all,
	    .event_count = 1,
	    .group_wait_ms = 30000};
}

static struct receiver_event
move_event(enum receiver_severity severity, int64_t drain)
{
	return (struct receiver_event){.type = "drover.move.completed",
	    .severity = severity,
	    .policy = "maintenance",
	    .host = "kvm1",
	    .drain = drain};
}

START_TEST(events_are_chosen_by_type_severity_and_policy)
{
	struct settings_receiver r = chat();
	struct receiver_event e = move_event(RECEIVER_INFO, 0);

	ck_assert(receiver_wants(&r, &e));
	e.type = "move.completed"; /* without its prefix, too */
	ck_assert(receiver_wants(&r, &e));
	r.events = moves;
	ck_assert(receiver_wants(&r, &e));
	e.type = "drover.drain.started";
	ck_assert(!receiver_wants(&r, &e));
	r.events = blocked;
	r.event_count = 2;
	e.type = "drover.drain.blocked";
	ck_assert(receiver_wants(&r, &e));

	r = chat();
	r.severity = RECEIVER_WARNING;
	ck_assert(!receiver_wants(&r, &e));
	e.severity = RECEIVER_WARNING;
	ck_assert(receiver_wants(&r, &e));
	e.severity = RECEIVER_ERROR;
	ck_assert(receiver_wants(&r, &e));

	r = chat();
	r.policies = night;
	r.policy_count = COUNT(night);
	ck_assert(receiver_wants(&r, &e));
	e.policy = "night-balance";
	ck_assert(receiver_wants(&r, &e));
	e.policy = "balance";
	ck_assert(!receiver_wants(&r, &e));
	e.policy = NULL;
	ck_assert(!receiver_wants(&r, &e));
}
END_TEST

START_TEST(an_end_for_want_of_news_is_told_to_who_names_it)
{
	static const char *const both[] = {"*", "cond*"};
	struct settings_receiver r = {
	    .kind = RECEIVER_SLACK, .events = all, .event_count = 1};
	struct receiver_event e = {.type = "drover.condition.ended"};

	ck_assert(!receiver_wants(&r, &e));
	r.events = both;
	r.event_count = 2;
	ck_assert(receiver_wants(&r, &e));
	e.type = "drover.receiver.enabled";
	r.event_count = 1;
	ck_assert(receiver_wants(&r, &e));
}
END_TEST

START_TEST(a_drain_is_told_by_its_start_its_summary_and_its_failures)
{
	static const struct receiver_event start = {
	    .type = "drover.drain.started", .host = "kvm1", .drain = 7};
	static const struct receiver_event summary = {
	    .type = "drover.drain.completed", .host = "kvm1", .drain = 7};
	struct settings_receiver r = chat();
	struct receiver_event e = move_event(RECEIVER_INFO, 7);

	ck_assert(receiver_wants(&r, &start));
	ck_assert(receiver_wants(&r, &summary));
	ck_assert(!receiver_wants(&r, &e));
	e.severity = RECEIVER_WARNING;
	ck_assert(!receiver_wants(&r, &e));
	e.severity = RECEIVER_ERROR;
	ck_assert(receiver_wants(&r, &e));
	e = move_event(RECEIVER_INFO, 0);
	ck_assert(receiver_wants(&r, &e));

	e = move_event(RECEIVER_INFO, 7);
	r.group_by = RECEIVER_GROUP_NONE;
	ck_assert(receiver_wants(&r, &e));
	r.group_by = RECEIVER_GROUP_HOST | RECEIVER_GROUP_TYPE;
	ck_assert(receiver_wants(&r, &e));
	r.group_by = RECEIVER_GROUP_HOST | RECEIVER_GROUP_DRAIN;
	ck_assert(!receiver_wants(&r, &e));
	r.kind = RECEIVER_CLOUDEVENTS;
	r.group_by = 0;
	ck_assert(receiver_wants(&r, &e));
}
END_TEST

START_TEST(moves_of_a_drain_are_told_where_its_summary_would_not_be)
{
	struct settings_receiver r = chat();
	struct receiver_event e = move_event(RECEIVER_INFO, 7);

	r.events = moves;
	ck_assert(receiver_wants(&r, &e));
	r.events = blocked; /* is told of the drain when it ends badly only */
	r.event_count = 2;
	ck_assert(receiver_wants(&r, &e));

	r = chat();
	r.severity = RECEIVER_WARNING;
	e.severity = RECEIVER_WARNING;
	ck_assert(receiver_wants(&r, &e));

	r = chat(); /* an operator's drain is of no policy */
	r.policies = night;
	r.policy_count = COUNT(night);
	ck_assert(receiver_wants(&r, &e));
}
END_TEST

/* ---- groups ---- */

static const char *
key_of(const struct settings_receiver *r, const struct receiver_event *e)
{
	static char key[RECEIVER_GROUP_SIZE];

	receiver_group_key(r, e, key);
	return key;
}

START_TEST(events_of_one_group_have_one_key)
{
	struct settings_receiver r = chat();
	struct receiver_event e = move_event(RECEIVER_INFO, 7);

	ck_assert_str_eq(key_of(&r, &e), "drain=7");
	r.group_by = RECEIVER_GROUP_HOST;
	ck_assert_str_eq(key_of(&r, &e), "host=kvm1");
	r.group_by |= RECEIVER_GROUP_POLICY;
	ck_assert_str_eq(key_of(&r, &e), "host=kvm1/policy=maintenance");
	r.group_by |= RECEIVER_GROUP_TYPE | RECEIVER_GROUP_DRAIN;
	ck_assert_str_eq(key_of(&r, &e),
	    "drain=7/host=kvm1/policy=maintenance/type=move.completed");
	e.type = "move.completed";
	ck_assert_str_eq(key_of(&r, &e),
	    "drain=7/host=kvm1/policy=maintenance/type=move.completed");
	e.drain = 0;
	e.host = NULL;
	ck_assert_str_eq(
	    key_of(&r, &e), "policy=maintenance/type=move.completed");
}
END_TEST

START_TEST(what_is_urgent_or_of_no_group_goes_alone)
{
	static const struct receiver_event start = {
	    .type = "drover.drain.started", .host = "kvm1", .drain = 7};
	struct settings_receiver r = chat();
	struct receiver_event e = move_event(RECEIVER_ERROR, 7);

	r.group_by = RECEIVER_GROUP_HOST | RECEIVER_GROUP_TYPE;
	ck_assert_str_eq(key_of(&r, &e), "");
	e.severity = RECEIVER_WARNING;
	ck_assert_str_ne(key_of(&r, &e), "");
	r.group_wait_ms = 0;
	ck_assert_str_eq(key_of(&r, &e), "");
	r = chat();
	r.group_by = RECEIVER_GROUP_NONE;
	ck_assert_str_eq(key_of(&r, &e), "");
	r.group_by = RECEIVER_GROUP_POLICY;
	e.policy = NULL;
	ck_assert_str_eq(key_of(&r, &e), "");
	r.group_by = RECEIVER_GROUP_DRAIN;
	e.drain = 0;
	ck_assert_str_eq(key_of(&r, &e), "");
	/* Neither waits for the other. */
	ck_assert_str_eq(key_of(&r, &start), "");
}
END_TEST

START_TEST(the_longest_names_are_told_apart)
{
	struct settings_receiver r = chat();
	struct receiver_event e = {.type = "decision.made",
	    .severity = RECEIVER_INFO,
	    .drain = INT64_MAX};
	char host[64], policy[64], type[64], first[RECEIVER_GROUP_SIZE];

	memset(host, 'h', 63);
	memset(policy, 'p', 63);
	memcpy(type, "move.", 5);
	memset(type + 5, 't', 58);
	host[63] = policy[63] = type[63] = '\0';
	e.host = host;
	e.policy = policy;
	e.type = type;
	r.group_by = RECEIVER_GROUP_DRAIN | RECEIVER_GROUP_HOST |
	    RECEIVER_GROUP_POLICY | RECEIVER_GROUP_TYPE;
	receiver_group_key(&r, &e, first);
	type[62] = 'x';
	ck_assert_str_ne(key_of(&r, &e), first);
	type[62] = 't';
	ck_assert_str_eq(key_of(&r, &e), first);
}
END_TEST

START_TEST(severities_have_names)
{
	ck_assert_str_eq(receiver_severity_name(RECEIVER_INFO), "info");
	ck_assert_str_eq(receiver_severity_name(RECEIVER_WARNING), "warning");
	ck_assert_str_eq(receiver_severity_name(RECEIVER_ERROR), "error");
}
END_TEST

/* ---- URLs ---- */

START_TEST(no_fault_of_a_url_shows_a_part_of_it)
{
	static const char *const urls[] = {"hidden", "hidden/hidden",
	    "https:hidden", "https:/hidden", "https://hidden:hidden",
	    "https://hidden:hidden:hidden/", "https://user:hid/hidden@h/",
	    "https://[hidden", "https://[hidden]/", "https://[::1]hidden/",
	    "https://hid den/", "https://h/#hidden", "https://h/hidden<",
	    "https://hidden!/", "https://@hidden", "https://hidden..de/",
	    "https://1.2.3.hidden.4:x/", "https://h/hidden\xc3\xa4",
	    "https:///hidden", "hidden.example.org:8080/hidden"};
	struct err err;

	for (size_t i = 0; i < COUNT(urls); i++) {
		ck_assert_msg(
		    uri_check_http(urls[i], &err) == -1, "%s", urls[i]);
		ck_assert_msg(
		    strstr(err.msg, "hid") == NULL, "%s: %s", urls[i], err.msg);
		ck_assert_msg(
		    uri_check_proxy(urls[i], &err) == -1, "%s", urls[i]);
		ck_assert_msg(
		    strstr(err.msg, "hid") == NULL, "%s: %s", urls[i], err.msg);
	}
}
END_TEST

START_TEST(users_and_schemes_of_urls_are_seen)
{
	ck_assert(uri_has_user("https://u@h/"));
	ck_assert(uri_has_user("https://u:p@h:8443/a?b=c"));
	ck_assert(!uri_has_user("https://h/u@h"));
	ck_assert(!uri_has_user("https://h?q=u@h"));
	ck_assert(uri_is_https("https://h/"));
	ck_assert(!uri_is_https("http://h/"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("receivers");
	TCase *tcase = tcase_create("receivers");
	SRunner *runner;
	int failed;

	tcase_add_test(
	    tcase, every_kind_has_a_name_of_its_own_limits_and_defaults);
	tcase_add_loop_test(tcase, a_short_entry_gets_the_defaults_of_its_kind,
	    0, RECEIVER_KIND_COUNT);
	tcase_add_test(tcase, events_are_chosen_by_type_severity_and_policy);
	tcase_add_test(tcase, an_end_for_want_of_news_is_told_to_who_names_it);
	tcase_add_test(
	    tcase, a_drain_is_told_by_its_start_its_summary_and_its_failures);
	tcase_add_test(
	    tcase, moves_of_a_drain_are_told_where_its_summary_would_not_be);
	tcase_add_test(tcase, events_of_one_group_have_one_key);
	tcase_add_test(tcase, what_is_urgent_or_of_no_group_goes_alone);
	tcase_add_test(tcase, the_longest_names_are_told_apart);
	tcase_add_test(tcase, severities_have_names);
	tcase_add_test(tcase, no_fault_of_a_url_shows_a_part_of_it);
	tcase_add_test(tcase, users_and_schemes_of_urls_are_seen);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
