/*
 * The catalogue is whole and agrees with what others have: the types that a
 * configuration may name, the samples, the schemas that are shipped.
 */

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/settings.h"
#include "events_manual.h"
#include "notify/catalog.h"

#define FILE_MAX (1 << 20)

static const char *
source_dir(void)
{
	const char *dir = getenv("top_srcdir");

	if (dir == NULL)
		dir = getenv("srcdir");
	return dir != NULL ? dir : "..";
}

static void
read_source(const char *name, struct buf *out)
{
	char path[4096], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", source_dir(), name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s cannot be read", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		ck_assert_int_eq(buf_add(out, chunk, n), 0);
	fclose(f);
}

static json_t *
data_of(const char *text)
{
	json_t *data = json_loads(text, 0, NULL);

	ck_assert_msg(data != NULL, "%s", text);
	return data;
}

static json_t *
sample_of(const char *type)
{
	json_t *sample = catalog_sample(type);

	ck_assert_msg(sample != NULL, "%s has no sample", type);
	return sample;
}

START_TEST(configurations_may_name_just_the_types_that_there_are)
{
	size_t i;

	for (i = 0; settings_event_types[i] != NULL; i++)
		ck_assert_msg(catalog_find(settings_event_types[i]) != NULL,
		    "%s is not in the catalogue", settings_event_types[i]);
	for (size_t k = 0; catalog_types[k].type != NULL; k++) {
		for (i = 0; settings_event_types[i] != NULL; i++)
			if (strcmp(settings_event_types[i],
				catalog_types[k].type) == 0)
				break;
		ck_assert_msg(settings_event_types[i] != NULL,
		    "%s is not in settings_event_types", catalog_types[k].type);
	}
}
END_TEST

START_TEST(types_are_found_with_and_without_the_prefix)
{
	ck_assert_ptr_nonnull(catalog_find("move.failed"));
	ck_assert_ptr_eq(
	    catalog_find("drover.move.failed"), catalog_find("move.failed"));
	ck_assert_ptr_null(catalog_find("move.faile"));
	ck_assert_ptr_null(catalog_find(""));
	ck_assert_ptr_null(catalog_schema("nothing"));
	ck_assert_ptr_null(catalog_sample("nothing"));
}
END_TEST

START_TEST(every_sample_is_as_its_schema_says_and_always_the_same)
{
	for (size_t i = 0; catalog_types[i].type != NULL; i++) {
		json_t *one = sample_of(catalog_types[i].type);
		json_t *two = sample_of(catalog_types[i].type);
		struct err err = {0};

		ck_assert_msg(catalog_validate(one, &err) == 0, "%s", err.msg);
		ck_assert_int_eq(json_equal(one, two), 1);
		json_decref(one);
		json_decref(two);
	}
}
END_TEST

/* for t in $(droverctl event types -o name); do
 *     droverctl event schema $t >etc/events/$t.schema.json; done */
START_TEST(the_schemas_that_are_shipped_are_those_of_the_tables)
{
	for (size_t i = 0; catalog_types[i].type != NULL; i++) {
		struct buf text = BUF_INIT(FILE_MAX);
		json_t *made = catalog_schema(catalog_types[i].type), *shipped;
		char path[256];

		snprintf(path, sizeof(path), "etc/events/%s.schema.json",
		    catalog_types[i].type);
		read_source(path, &text);
		shipped = json_loadb(text.data, text.len, 0, NULL);
		ck_assert_msg(json_equal(shipped, made) == 1,
		    "write it anew: droverctl event schema %s >%s",
		    catalog_types[i].type, path);
		json_decref(shipped);
		json_decref(made);
		buf_free(&text);
	}
}
END_TEST

/* What stands between the comments is that of check_catalog --manual. */
START_TEST(the_manual_has_each_type_with_its_members_and_a_sample)
{
	static const char begin[] = ".\\\" begin: check_catalog --manual\n";
	static const char end[] = ".\\\" end\n";
	struct buf page = BUF_INIT(FILE_MAX), made = BUF_INIT(FILE_MAX);
	const char *from, *to;

	read_source("man/drover-events.7", &page);
	events_manual(&made);
	ck_assert(!made.overflow);
	from = strstr(buf_str(&page), begin);
	ck_assert_ptr_nonnull(from);
	from += strlen(begin);
	to = strstr(from, end);
	ck_assert_ptr_nonnull(to);
	ck_assert_msg((size_t)(to - from) == made.len &&
		memcmp(from, made.data, made.len) == 0,
	    "put what check_catalog --manual prints into "
	    "man/drover-events.7, between \"begin\" and \"end\"");
	buf_free(&page);
	buf_free(&made);
}
END_TEST

/* ---- events that are wrong ---- */

/* Applies a change to the sample, which is wrong then. */
static void
assert_refused(
    const char *type, void (*spoil)(json_t *event), const char *words)
{
	json_t *event = sample_of(type);
	struct err err = {0};

	spoil(event);
	ck_assert_msg(
	    catalog_validate(event, &err) < 0, "%s is accepted", words);
	ck_assert_msg(
	    strstr(err.msg, words) != NULL, "%s: not in: %s", words, err.msg);
	json_decref(event);
}

static void
lose_guest(json_t *event)
{
	json_object_del(json_object_get(event, "data"), "guest");
}

static void
add_member(json_t *event)
{
	json_object_set_new(
	    json_object_get(event, "data"), "colour", json_string("blue"));
}

static void
negate_count(json_t *event)
{
	json_object_set_new(
	    json_object_get(event, "data"), "duration_ms", json_integer(-1));
}

static void
number_as_text(json_t *event)
{
	json_object_set_new(
	    json_object_get(event, "data"), "duration_ms", json_string("3"));
}

static void
other_word(json_t *event)
{
	json_object_set_new(json_object_get(event, "data"), "strategy",
	    json_string("teleport"));
}

static void
deep_member(json_t *event)
{
	json_t *guests =
	    json_object_get(json_object_get(event, "data"), "guests");

	json_object_set_new(
	    json_array_get(guests, 1), "colour", json_string("blue"));
}

static void
other_severity(json_t *event)
{
	json_object_set_new(event, "severity", json_string("info"));
}

static void
no_time(json_t *event)
{
	json_object_set_new(event, "time", json_string("yesterday"));
}

static void
other_type(json_t *event)
{
	json_object_set_new(event, "type", json_string("drover.move.lost"));
}

static void
lose_data(json_t *event)
{
	json_object_del(event, "data");
}

START_TEST(an_event_that_is_not_as_described_is_refused_with_the_place)
{
	assert_refused(
	    "move.completed", lose_guest, "data: it lacks the member guest");
	assert_refused("move.completed", add_member, "does not know: colour");
	assert_refused("move.completed", negate_count,
	    "data: duration_ms: it is less than its minimum");
	assert_refused("move.completed", number_as_text,
	    "duration_ms: it must be of type integer");
	assert_refused("move.completed", other_word, "may be: teleport");
	assert_refused(
	    "drain.completed", deep_member, "data: guests: 1: it has");
	assert_refused("move.failed", other_severity, "should be error");
	assert_refused(
	    "test", no_time, "event: time: it is no time: yesterday");
	assert_refused("move.failed", other_type, "no such type");
	assert_refused(
	    "host.lost", lose_data, "data: it must be of type object");
}
END_TEST

/* ---- what receivers choose by ---- */

static void
assert_severity(
    const char *type, const char *data, enum receiver_severity severity)
{
	json_t *json = data_of(data);

	ck_assert_msg(catalog_severity(type, json) == severity,
	    "%s of %s is %s", type, data, catalog_severity_word(type, json));
	json_decref(json);
}

START_TEST(severity_is_that_of_the_type_unless_the_data_say_otherwise)
{
	assert_severity("move.failed", "{}", RECEIVER_ERROR);
	assert_severity(
	    "move.failed", "{\"outcome\": \"stuck\"}", RECEIVER_ERROR);
	assert_severity(
	    "move.failed", "{\"outcome\": \"aborted\"}", RECEIVER_WARNING);
	assert_severity("move.rolled_back", "{}", RECEIVER_WARNING);
	assert_severity("drain.blocked", "{}", RECEIVER_ERROR);
	assert_severity("drain.completed", "{\"failed\": 0}", RECEIVER_INFO);
	assert_severity("drain.completed", "{\"failed\": 2}", RECEIVER_WARNING);
	assert_severity("drover.host.lost", "{}", RECEIVER_ERROR);
	assert_severity("config.rejected", "{}", RECEIVER_ERROR);
	assert_severity("receiver.disabled", "{}", RECEIVER_ERROR);
	assert_severity("move.completed", "{}", RECEIVER_INFO);
	assert_severity("of.tomorrow", "{}", RECEIVER_INFO);
}
END_TEST

START_TEST(an_event_is_chosen_by_its_policy_host_and_drain)
{
	json_t *move = sample_of("move.completed");
	json_t *decision = sample_of("decision.made");
	json_t *config = sample_of("config.rejected");
	struct receiver_event e =
	    catalog_event("move.completed", json_object_get(move, "data"));

	ck_assert_str_eq(e.policy, "maintenance");
	ck_assert_str_eq(e.host, "kvm1");
	ck_assert_int_eq(e.drain, 12);
	ck_assert_str_eq(e.type, "move.completed");
	e = catalog_event("decision.made", json_object_get(decision, "data"));
	ck_assert_str_eq(e.policy, "cpu-pressure");
	ck_assert_str_eq(e.host, "kvm2");
	ck_assert_int_eq(e.drain, 0);
	e = catalog_event("config.rejected", json_object_get(config, "data"));
	ck_assert_ptr_null(e.policy);
	ck_assert_ptr_null(e.host);
	ck_assert_int_eq(e.severity, RECEIVER_ERROR);
	e = catalog_event("host.lost", NULL);
	ck_assert_ptr_null(e.host);
	json_decref(move);
	json_decref(decision);
	json_decref(config);
}
END_TEST

/* ---- alerts ---- */

static void
assert_state(const char *type, const char *data, enum catalog_effect effect,
    const char *key, const char *name)
{
	json_t *json = data_of(data);
	struct catalog_state s = catalog_state(type, json);

	ck_assert_msg(s.effect == effect, "%s of %s has effect %d", type, data,
	    (int)s.effect);
	ck_assert_str_eq(s.key, key);
	if (name == NULL)
		ck_assert_ptr_null(s.name);
	else
		ck_assert_str_eq(s.name, name);
	json_decref(json);
}

START_TEST(what_raises_an_alert_is_resolved_under_the_same_key)
{
	static const struct {
		const char *raises, *resolves, *data, *key, *name;
	} pairs[] = {
	    {"host.lost", "host.recovered", "{\"host\": \"kvm3\"}",
		"host-lost/kvm3", "DroverHostLost"},
	    {"drain.blocked", "drain.completed", "{\"host\": \"kvm3\"}",
		"drain-blocked/kvm3", "DroverDrainBlocked"},
	    {"drain.blocked", "drain.started", "{\"host\": \"kvm3\"}",
		"drain-blocked/kvm3", "DroverDrainBlocked"},
	    {"move.failed", "move.completed", "{\"uuid\": \"u-1\"}",
		"move-failed/u-1", "DroverMoveFailed"},
	    {"host.claimed", "host.released", "{\"host\": \"kvm3\"}",
		"host-claimed/kvm3", "DroverHostClaimed"},
	    {"config.rejected", "config.accepted", "{}", "config-rejected",
		"DroverConfigRejected"},
	    {"receiver.disabled", "receiver.enabled",
		"{\"receiver\": \"chat\"}", "receiver-disabled/chat",
		"DroverReceiverDisabled"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_state(pairs[i].raises, pairs[i].data, CATALOG_RAISES,
		    pairs[i].key, pairs[i].name);
		assert_state(pairs[i].resolves, pairs[i].data, CATALOG_RESOLVES,
		    pairs[i].key, pairs[i].name);
	}
	assert_state("drover.receiver.disabled", "{\"receiver\": \"chat\"}",
	    CATALOG_RAISES, "receiver-disabled/chat", "DroverReceiverDisabled");
}
END_TEST

START_TEST(an_end_names_the_condition_itself)
{
	assert_state("drover.condition.ended",
	    "{\"condition\": \"host-lost/kvm3\"}", CATALOG_RESOLVES,
	    "host-lost/kvm3", "DroverHostLost");
	assert_state("condition.ended", "{\"condition\": \"move-failed/u\"}",
	    CATALOG_RESOLVES, "move-failed/u", "DroverMoveFailed");
	assert_state("condition.ended", "{\"condition\": \"config-rejected\"}",
	    CATALOG_RESOLVES, "config-rejected", "DroverConfigRejected");
	assert_state("condition.ended", "{\"condition\": \"hosts/a\"}",
	    CATALOG_RESOLVES, "hosts/a", "DroverCondition");
	assert_state("condition.ended", "{\"condition\": \"\"}",
	    CATALOG_NOTHING, "", NULL);
	assert_state("condition.ended", "{}", CATALOG_NOTHING, "", NULL);
}
END_TEST

START_TEST(only_a_cleared_maintenance_resolves_and_an_abort_raises_nothing)
{
	assert_state("host.maintenance",
	    "{\"host\": \"a\", \"maintenance\": false}", CATALOG_RESOLVES,
	    "drain-blocked/a", "DroverDrainBlocked");
	assert_state("host.maintenance",
	    "{\"host\": \"a\", \"maintenance\": true}", CATALOG_NOTHING, "",
	    NULL);
	assert_state("move.failed",
	    "{\"uuid\": \"u\", \"outcome\": \"aborted\"}", CATALOG_NOTHING, "",
	    NULL);
	assert_state("move.failed", "{\"uuid\": \"u\", \"outcome\": \"stuck\"}",
	    CATALOG_RAISES, "move-failed/u", "DroverMoveFailed");
	assert_state("host.lost", "{}", CATALOG_NOTHING, "", NULL);
	assert_state(
	    "move.started", "{\"uuid\": \"u\"}", CATALOG_NOTHING, "", NULL);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("catalog");
	TCase *types = tcase_create("types"), *choice = tcase_create("choice");
	SRunner *runner;
	int failed;

	if (argc > 1 && strcmp(argv[1], "--manual") == 0) {
		struct buf made = BUF_INIT(FILE_MAX);

		events_manual(&made);
		fputs(buf_str(&made), stdout);
		buf_free(&made);
		return EXIT_SUCCESS;
	}
	tcase_add_test(
	    types, configurations_may_name_just_the_types_that_there_are);
	tcase_add_test(types, types_are_found_with_and_without_the_prefix);
	tcase_add_test(
	    types, every_sample_is_as_its_schema_says_and_always_the_same);
	tcase_add_test(
	    types, the_schemas_that_are_shipped_are_those_of_the_tables);
	tcase_add_test(
	    types, the_manual_has_each_type_with_its_members_and_a_sample);
	tcase_add_test(
	    types, an_event_that_is_not_as_described_is_refused_with_the_place);
	suite_add_tcase(suite, types);
	tcase_add_test(
	    choice, severity_is_that_of_the_type_unless_the_data_say_otherwise);
	tcase_add_test(choice, an_event_is_chosen_by_its_policy_host_and_drain);
	tcase_add_test(
	    choice, what_raises_an_alert_is_resolved_under_the_same_key);
	tcase_add_test(choice, an_end_names_the_condition_itself);
	tcase_add_test(choice,
	    only_a_cleared_maintenance_resolves_and_an_abort_raises_nothing);
	suite_add_tcase(suite, choice);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
