/*
 * Receivers that hold state: what they are told raises and resolves the same
 * alert, whatever else the two events say and whoever chose the names.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/state.h"
#include "notify/text.h"

#define AT INT64_C(1795230000000) /* 2026-11-21T03:00:00Z */
#define UUID "6c1a2f0e-9f5d-4c1b-8a53-0d9b7e3c4f21"
#define EVENTS_MAX 4
#define KEY "R0UT1NGKEY0000000000000000000000"

static struct settings_receiver receiver;
static struct format_secrets secrets;
static struct format_event events[EVENTS_MAX];
static char *bodies[EVENTS_MAX];
static size_t count;
static const char *site;
static struct wall now;
static struct format_request request;
static json_t *sent; /* its body */
static struct err err;

static void
setup(void)
{
	receiver = (struct settings_receiver){.name = "am",
	    .type = "alertmanager",
	    .kind = RECEIVER_ALERTMANAGER,
	    .url = "http://am:9093",
	    .resend_ms = 60000};
	secrets = (struct format_secrets){.token = KEY};
	site = "lab";
	now = (struct wall){AT + 1000};
}

static void
forget(void)
{
	for (size_t i = 0; i < count; i++)
		free(bodies[i]);
	count = 0;
	json_decref(sent);
	sent = NULL;
	free(request.body);
	free(request.path);
	request = (struct format_request){0};
	err = (struct err){0};
}

/* `data` is taken. */
static void
add_json(const char *type, int64_t at, json_t *data)
{
	char full[64], source[256];
	json_t *event;

	ck_assert_uint_lt(count, EVENTS_MAX);
	ck_assert_ptr_nonnull(data);
	snprintf(full, sizeof(full), "drover.%s", type);
	snprintf(source, sizeof(source), "/drover/%s", site);
	event = json_pack("{s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0",
	    "id", "e-1", "source", source, "type", full, "data", data);
	bodies[count] = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	ck_assert_ptr_nonnull(bodies[count]);
	events[count] = (struct format_event){
	    .id = "e-1", .type = full, .at = {at}, .body = bodies[count]};
	events[count].type = catalog_find(type)->type;
	count++;
}

/* ' stands for ". */
static void
add(const char *type, int64_t at, const char *data)
{
	char text[1024];
	size_t n = strlen(data);

	ck_assert_uint_lt(n, sizeof(text));
	for (size_t i = 0; i <= n; i++)
		text[i] = data[i];
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	add_json(type, at, json_loads(text, 0, NULL));
}

static int
format(format_fn *fn)
{
	const struct format_input in = {
	    &receiver, &secrets, events, count, now};
	int rc;

	json_decref(sent);
	sent = NULL;
	free(request.body);
	free(request.path);
	request = (struct format_request){0};
	rc = fn(&in, &request, &err);
	if (rc == 0) {
		ck_assert_uint_eq(request.len, strlen(request.body));
		sent = json_loads(request.body, 0, NULL);
		ck_assert_ptr_nonnull(sent);
	}
	return rc;
}

static void
format_alerts(void)
{
	ck_assert_msg(format(format_alertmanager) == 0, "%s", err.msg);
}

static void
format_incident(void)
{
	ck_assert_msg(format(format_pagerduty) == 0, "%s", err.msg);
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "(none)";
}

static json_t *
labels_of(size_t i)
{
	json_t *labels = json_object_get(json_array_get(sent, i), "labels");

	ck_assert_ptr_nonnull(labels);
	return labels;
}

static void
assert_labels(size_t i, const char *want)
{
	char *text = json_dumps(labels_of(i), JSON_COMPACT | JSON_SORT_KEYS);

	for (char *p = text; *p != '\0'; p++)
		*p = *p == '"' ? '\'' : *p;
	ck_assert_str_eq(text, want);
	free(text);
}

/* ---- labels ---- */

START_TEST(raise_and_resolve_have_the_same_labels_whatever_else_they_say)
{
	static const struct {
		const char *raise, *raised, *resolve, *resolved, *labels;
	} rows[] = {
	    {"host.lost", "{'host': 'kvm3', 'why': 'keepalive'}",
		"host.recovered", "{'host': 'kvm3'}",
		"{'alertname':'DroverHostLost','host':'kvm3',"
		"'severity':'critical','site':'lab'}"},
	    {"host.claimed", "{'host': 'kvm3', 'by': 'other'}", "host.released",
		"{'host': 'kvm3'}",
		"{'alertname':'DroverHostClaimed','host':'kvm3',"
		"'severity':'warning','site':'lab'}"},
	    {"move.failed",
		"{'guest': 'web1', 'uuid': '" UUID "', 'from': 'kvm1',"
		" 'to': 'kvm2', 'outcome': 'failed', 'error': 'no memory'}",
		"move.completed",
		"{'guest': 'web1', 'uuid': '" UUID "', 'from': 'kvm1',"
		" 'to': 'kvm9', 'outcome': 'completed',"
		" 'why': {'policy': 'maintenance'}}",
		"{'alertname':'DroverMoveFailed','severity':'critical',"
		"'site':'lab','uuid':'" UUID "'}"},
	    {"drain.blocked",
		"{'drain': 7, 'host': 'kvm1', 'total': 2, 'moved': 1}",
		"drain.completed", "{'drain': 8, 'host': 'kvm1', 'failed': 3}",
		"{'alertname':'DroverDrainBlocked','host':'kvm1',"
		"'severity':'critical','site':'lab'}"},
	    {"config.rejected", "{'error': 'x', 'faults': 'a:1: b'}",
		"config.accepted", "{'hosts': 1}",
		"{'alertname':'DroverConfigRejected','severity':'critical',"
		"'site':'lab'}"},
	    {"receiver.disabled", "{'receiver': 'chat', 'why': 'HTTP 410'}",
		"receiver.enabled", "{'receiver': 'chat', 'why': 'x'}",
		"{'alertname':'DroverReceiverDisabled','receiver':'chat',"
		"'severity':'critical','site':'lab'}"},
	    {"move.failed",
		"{'guest': 'web1', 'uuid': '" UUID "', 'from': 'kvm1',"
		" 'to': 'kvm2', 'outcome': 'failed'}",
		"condition.ended",
		"{'condition': 'move-failed/" UUID "', 'name': 'x'}",
		"{'alertname':'DroverMoveFailed','severity':'critical',"
		"'site':'lab','uuid':'" UUID "'}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		add(rows[i].raise, AT, rows[i].raised);
		add(rows[i].resolve, AT + 500, rows[i].resolved);
		format_alerts();
		ck_assert_uint_eq(json_array_size(sent), 2);
		assert_labels(0, rows[i].labels);
		assert_labels(1, rows[i].labels);
		forget();
	}
}
END_TEST

START_TEST(each_condition_of_the_catalogue_has_a_label_and_a_severity)
{
	int raised = 0;

	for (const struct catalog_type *t = catalog_types; t->type != NULL;
	     t++) {
		json_t *sample = catalog_sample(t->type);
		char *body = json_dumps(sample, JSON_COMPACT);
		struct format_event event = {
		    .id = "e", .type = t->type, .at = {AT}, .body = body};
		struct state state;
		int rc = state_read(&event, &state, &err);

		ck_assert_msg(rc >= 0, "%s: %s", t->type, err.msg);
		if (rc == 0) {
			ck_assert_msg(state.label == NULL ||
				strcmp(state.label, "thing") != 0,
			    "%s: %s is not known to state.c", t->type,
			    state.is.key);
			if (state.is.effect == CATALOG_RAISES) {
				ck_assert_int_eq(state.severity, t->severity);
				raised++;
			}
			state_clear(&state);
		}
		free(body);
		json_decref(sample);
	}
	ck_assert_int_ge(raised, 5);
}
END_TEST

START_TEST(what_is_taken_for_over_resolves_the_incident)
{
	receiver.kind = RECEIVER_PAGERDUTY;
	add("host.lost", AT, "{'host': 'kvm3'}");
	add("condition.ended", AT + 500,
	    "{'condition': 'host-lost/kvm3', 'name': 'DroverHostLost',"
	    " 'why': 'the host is not configured any more'}");
	format_incident();
	ck_assert_str_eq(text_of(sent, "event_action"), "resolve");
	ck_assert_str_eq(text_of(sent, "dedup_key"), "lab/host-lost/kvm3");
}
END_TEST

START_TEST(a_site_is_the_same_word_as_in_the_configuration)
{
	site = "rack%201%2F%C3%A4%";
	add("host.lost", AT, "{'host': 'kvm3'}");
	format_alerts();
	ck_assert_str_eq(text_of(labels_of(0), "site"), "rack 1/\xc3\xa4%");
}
END_TEST

/* ---- Alertmanager ---- */

START_TEST(a_raise_says_when_it_ends_unless_it_is_told_again)
{
	json_t *alert, *notes;

	receiver.resend_ms = 30000;
	add("host.lost", AT, "{'host': 'kvm3', 'why': 'keepalive timeout'}");
	format_alerts();
	ck_assert_uint_eq(json_array_size(sent), 1);
	alert = json_array_get(sent, 0);
	ck_assert_str_eq(
	    text_of(alert, "startsAt"), "2026-11-21T03:00:00.000Z");
	ck_assert_str_eq(text_of(alert, "endsAt"), "2026-11-21T03:02:00.000Z");
	ck_assert_str_eq(text_of(alert, "generatorURL"), "");
	notes = json_object_get(alert, "annotations");
	ck_assert_ptr_nonnull(strstr(text_of(notes, "summary"), "kvm3"));
	ck_assert_ptr_nonnull(
	    strstr(text_of(notes, "description"), "keepalive timeout"));
	ck_assert_uint_eq(json_object_size(alert), 5);
	ck_assert_str_eq(request.path, "/api/v2/alerts");
}
END_TEST

START_TEST(a_resolve_ends_with_its_event_and_leaves_the_start_alone)
{
	json_t *alert;

	/* However late it comes. */
	now.ms = AT + 86400000;
	add("host.recovered", AT, "{'host': 'kvm3'}");
	format_alerts();
	alert = json_array_get(sent, 0);
	ck_assert_ptr_null(json_object_get(alert, "startsAt"));
	ck_assert_str_eq(text_of(alert, "endsAt"), "2026-11-21T03:00:00.000Z");
}
END_TEST

START_TEST(a_raise_that_is_over_on_arrival_is_not_sent)
{
	add("host.lost", AT, "{'host': 'kvm3'}");
	now.ms = AT + 239999;
	format_alerts();
	now.ms = AT + 240000;
	ck_assert_int_eq(format(format_alertmanager), 1);
	/* What comes with it is. */
	add("host.recovered", AT + 1, "{'host': 'kvm4'}");
	format_alerts();
	ck_assert_uint_eq(json_array_size(sent), 1);
	ck_assert_str_eq(text_of(labels_of(0), "host"), "kvm4");
}
END_TEST

START_TEST(events_that_change_no_condition_are_not_sent)
{
	add("move.started", AT, "{'guest': 'web1', 'uuid': '" UUID "'}");
	add("policy.mode", AT, "{'policy': 'p', 'mode': 'off'}");
	add("move.failed", AT,
	    "{'guest': 'web1', 'uuid': '" UUID "', 'outcome': 'aborted'}");
	ck_assert_int_eq(format(format_alertmanager), 1);
	ck_assert_int_eq(format(format_pagerduty), 1);
}
END_TEST

START_TEST(who_tries_a_receiver_out_sees_an_alert)
{
	add("test", AT, "{'receiver': 'am'}");
	format_alerts();
	assert_labels(
	    0, "{'alertname':'DroverTest','severity':'info','site':'lab'}");
	format_incident();
	ck_assert_str_eq(text_of(sent, "dedup_key"), "lab/test");
}
END_TEST

START_TEST(the_path_is_appended_once)
{
	static const struct {
		const char *url, *path;
	} rows[] = {
	    {"http://am:9093", "/api/v2/alerts"},
	    {"http://am:9093/", "api/v2/alerts"},
	    {"https://h/prefix", "/api/v2/alerts"},
	    {"https://h/prefix/", "api/v2/alerts"},
	    {"https://h/prefix/api/v2/alerts", NULL},
	    {"https://h/prefix?a=b", NULL},
	    {NULL, "/api/v2/alerts"},
	};

	add("host.lost", AT, "{'host': 'kvm3'}");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		receiver.url = rows[i].url;
		format_alerts();
		if (rows[i].path == NULL)
			ck_assert_ptr_null(request.path);
		else
			ck_assert_str_eq(request.path, rows[i].path);
	}
}
END_TEST

START_TEST(a_record_that_is_damaged_is_an_error_that_names_the_event)
{
	add("host.lost", AT, "{'host': 'kvm3'}");
	bodies[0][5] = '\0';
	ck_assert_int_eq(format(format_alertmanager), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "e-1"));
	ck_assert_int_eq(format(format_pagerduty), -1);
}
END_TEST

/* ---- names and texts of strangers ---- */

START_TEST(names_of_strangers_stay_names)
{
	static const char *const names[] = {
	    "\"},{\"labels\":{}},{\"x\":\"",
	    "{{ .Labels }} {{ template \"x\" }}",
	    "a\nb\tc",
	    "@everyone <!channel>",
	    "\xd7\x90\xe2\x80\xae\xf0\x9f\x90\x91",
	    "../../etc/passwd",
	    "%s%n%d",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *host;

		add_json("host.lost", AT, json_pack("{s:s}", "host", names[i]));
		add_json("host.recovered", AT + 1,
		    json_pack("{s:s, s:s}", "host", names[i], "x", "y"));
		format_alerts();
		ck_assert_uint_eq(json_array_size(sent), 2);
		ck_assert(json_equal(labels_of(0), labels_of(1)));
		host = text_of(labels_of(0), "host");
		ck_assert_ptr_null(strpbrk(host, "\n\t\r"));
		ck_assert_uint_eq(strlen(host), strlen(names[i]));
		forget();
	}
}
END_TEST

static json_t *
long_text(size_t bytes)
{
	char *text = malloc(bytes + 3);
	size_t n = 0;
	json_t *value;

	while (n < bytes) {
		memcpy(text + n, "\xc3\xa4", 2);
		n += 2;
	}
	text[n] = '\0';
	value = json_string(text);
	free(text);
	return value;
}

static json_t *
many_guests(int n)
{
	json_t *guests = json_array();

	for (int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "guest-%d", i);
		json_array_append_new(guests,
		    json_pack("{s:s, s:s, s:s, s:s}", "guest", name, "uuid",
			UUID, "outcome", "blocked", "why",
			"no host has the memory for it"));
	}
	return guests;
}

START_TEST(texts_are_cut_to_their_limits)
{
	json_t *notes;
	const char *text;

	add_json("host.lost", AT,
	    json_pack("{s:s, s:o}", "host", "kvm3", "why", long_text(100000)));
	add_json("drain.blocked", AT,
	    json_pack("{s:i, s:s, s:i, s:i, s:o}", "drain", 1, "host", "kvm1",
		"total", 900, "moved", 0, "guests", many_guests(900)));
	format_alerts();
	for (size_t i = 0; i < 2; i++) {
		notes = json_object_get(json_array_get(sent, i), "annotations");
		text = text_of(notes, "description");
		ck_assert_uint_le(strlen(text), STATE_TEXT_MAX);
		ck_assert_uint_gt(strlen(text), 100);
		ck_assert_uint_le(
		    text_length(text_of(notes, "summary"), TEXT_CHARACTERS),
		    1024);
	}
	/* Nobody takes the part for the whole. */
	ck_assert_ptr_nonnull(strstr(text, "more"));
}
END_TEST

/* ---- PagerDuty ---- */

START_TEST(an_incident_is_triggered_with_what_is_known)
{
	json_t *payload;

	receiver.url = "https://events.pagerduty.com/v2/enqueue";
	add("host.lost", AT, "{'host': 'kvm3', 'why': 'keepalive timeout'}");
	format_incident();
	ck_assert_ptr_null(request.path);
	ck_assert_str_eq(text_of(sent, "routing_key"), KEY);
	ck_assert_str_eq(text_of(sent, "event_action"), "trigger");
	ck_assert_str_eq(text_of(sent, "dedup_key"), "lab/host-lost/kvm3");
	ck_assert_str_eq(text_of(sent, "client"), "Drover");
	payload = json_object_get(sent, "payload");
	ck_assert_ptr_nonnull(strstr(text_of(payload, "summary"), "kvm3"));
	ck_assert_str_eq(text_of(payload, "source"), "kvm3");
	ck_assert_str_eq(text_of(payload, "severity"), "error");
	ck_assert_str_eq(
	    text_of(payload, "timestamp"), "2026-11-21T03:00:00.000Z");
	ck_assert_str_eq(text_of(payload, "component"), "kvm3");
	ck_assert_str_eq(text_of(payload, "group"), "lab");
	ck_assert_str_eq(text_of(payload, "class"), "DroverHostLost");
	ck_assert_str_eq(
	    text_of(json_object_get(
			json_object_get(payload, "custom_details"), "event"),
		"why"),
	    "keepalive timeout");
	ck_assert_uint_eq(json_object_size(sent), 5);
	ck_assert_uint_eq(json_object_size(payload), 8);
}
END_TEST

START_TEST(a_guest_is_told_by_its_name)
{
	add("move.failed", AT,
	    "{'guest': 'web1', 'uuid': '" UUID "', 'from': 'kvm1',"
	    " 'to': 'kvm2', 'outcome': 'failed', 'error': 'no memory'}");
	format_incident();
	ck_assert_str_eq(
	    text_of(json_object_get(sent, "payload"), "component"), "web1");
	ck_assert_str_eq(
	    text_of(json_object_get(sent, "payload"), "source"), "kvm1");
	format_alerts();
	ck_assert_str_eq(
	    text_of(
		json_object_get(json_array_get(sent, 0), "annotations"), "vm"),
	    "web1");
}
END_TEST

START_TEST(an_incident_is_resolved_by_its_key)
{
	add("host.recovered", AT, "{'host': 'kvm3'}");
	format_incident();
	ck_assert_str_eq(text_of(sent, "event_action"), "resolve");
	ck_assert_str_eq(text_of(sent, "dedup_key"), "lab/host-lost/kvm3");
	ck_assert_ptr_null(json_object_get(sent, "payload"));
	ck_assert_str_eq(request.path, "/v2/enqueue");
}
END_TEST

START_TEST(long_keys_are_cut_and_stay_apart)
{
	char name[201], key[2][300];

	memset(name, 'k', sizeof(name));
	site =
	    "a-site-with-a-name-of-sixty-three-letters-which-is-the-most-yes";
	for (int i = 0; i < 2; i++) {
		name[199] = (char)('0' + i);
		name[200] = '\0';
		add_json("host.lost", AT, json_pack("{s:s}", "host", name));
		format_incident();
		snprintf(
		    key[i], sizeof(key[i]), "%s", text_of(sent, "dedup_key"));
		ck_assert_uint_le(strlen(key[i]), 255);
		forget();
		add_json(
		    "host.recovered", AT, json_pack("{s:s}", "host", name));
		format_incident();
		ck_assert_str_eq(text_of(sent, "dedup_key"), key[i]);
		forget();
	}
	ck_assert_str_ne(key[0], key[1]);
}
END_TEST

START_TEST(an_incident_is_never_larger_than_what_is_taken)
{
	json_t *payload;

	add_json("host.lost", AT,
	    json_pack("{s:s, s:o}", "host", "kvm3", "why", long_text(600000)));
	format_incident();
	ck_assert_uint_le(request.len, 512 * 1000);
	payload = json_object_get(sent, "payload");
	ck_assert_ptr_null(json_object_get(
	    json_object_get(payload, "custom_details"), "event"));
	ck_assert_uint_gt(
	    strlen(text_of(
		json_object_get(payload, "custom_details"), "description")),
	    100);
}
END_TEST

START_TEST(without_a_routing_key_it_is_said_what_to_do)
{
	secrets.token = NULL;
	add("host.lost", AT, "{'host': 'kvm3'}");
	ck_assert_int_eq(format(format_pagerduty), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "token_file"));
}
END_TEST

START_TEST(of_several_events_of_one_condition_the_last_counts)
{
	add("host.lost", AT, "{'host': 'kvm3'}");
	add("move.started", AT, "{'guest': 'web1', 'uuid': '" UUID "'}");
	add("host.recovered", AT, "{'host': 'kvm3'}");
	format_incident();
	ck_assert_str_eq(text_of(sent, "event_action"), "resolve");
	add("host.lost", AT, "{'host': 'kvm4'}");
	ck_assert_int_eq(format(format_pagerduty), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "group_by"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("states");
	TCase *tc = tcase_create("states");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, forget);
	tcase_add_test(
	    tc, raise_and_resolve_have_the_same_labels_whatever_else_they_say);
	tcase_add_test(
	    tc, each_condition_of_the_catalogue_has_a_label_and_a_severity);
	tcase_add_test(tc, what_is_taken_for_over_resolves_the_incident);
	tcase_add_test(tc, a_site_is_the_same_word_as_in_the_configuration);
	tcase_add_test(tc, a_raise_says_when_it_ends_unless_it_is_told_again);
	tcase_add_test(
	    tc, a_resolve_ends_with_its_event_and_leaves_the_start_alone);
	tcase_add_test(tc, a_raise_that_is_over_on_arrival_is_not_sent);
	tcase_add_test(tc, events_that_change_no_condition_are_not_sent);
	tcase_add_test(tc, who_tries_a_receiver_out_sees_an_alert);
	tcase_add_test(tc, the_path_is_appended_once);
	tcase_add_test(
	    tc, a_record_that_is_damaged_is_an_error_that_names_the_event);
	tcase_add_test(tc, names_of_strangers_stay_names);
	tcase_add_test(tc, texts_are_cut_to_their_limits);
	tcase_add_test(tc, an_incident_is_triggered_with_what_is_known);
	tcase_add_test(tc, a_guest_is_told_by_its_name);
	tcase_add_test(tc, an_incident_is_resolved_by_its_key);
	tcase_add_test(tc, long_keys_are_cut_and_stay_apart);
	tcase_add_test(tc, an_incident_is_never_larger_than_what_is_taken);
	tcase_add_test(tc, without_a_routing_key_it_is_said_what_to_do);
	tcase_add_test(tc, of_several_events_of_one_condition_the_last_counts);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
