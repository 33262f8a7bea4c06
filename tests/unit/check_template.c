/*
 * Templates: what they give for real events, how texts of strangers are kept
 * apart from the format around them, and what is said of one that is wrong.
 */

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/catalog.h"
#include "notify/format.h"
#include "notify/template.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"
#define PLAIN "text/plain"

/* ---- what comes out ---- */

static char *
render(const char *text, const char *content_type, const json_t *events)
{
	struct template_place place = {0, 0, 0};
	struct err err = {0};
	struct template *t = template_compile(text, content_type, &place, &err);
	size_t len = 0;
	char *out;

	ck_assert_msg(t != NULL, "%s: %u:%u: %s", text, place.line,
	    place.column, err.msg);
	out = template_render(t, events, &len, &err);
	ck_assert_msg(out != NULL, "%s: %s", text, err.msg);
	ck_assert_uint_eq(len, strlen(out));
	template_free(t);
	return out;
}

static void
assert_renders(const char *text, const char *content_type, const char *type,
    const char *expected)
{
	json_t *events = json_pack("[o]", catalog_sample(type));
	char *out = render(text, content_type, events);

	ck_assert_msg(strcmp(out, expected) == 0,
	    "%s of %s is\n%s\nand not\n%s", text, type, out, expected);
	free(out);
	json_decref(events);
}

START_TEST(members_of_an_event_are_put_in)
{
	assert_renders("${data.guest} to ${data.to}: ${severity}", PLAIN,
	    "move.completed", "web1 to kvm2: info");
	assert_renders("${ type } ${id}", PLAIN, "host.recovered",
	    "drover.host.recovered 3f0c6f0e-7b1d-4c53-9d0a-5a2f3b1c7e0a");
	assert_renders("${data.guests.0.guest}, ${data.guests.7.guest}.", PLAIN,
	    "drain.blocked", "db1, .");
	assert_renders("${data.why.policy} ${data.why.decision}", PLAIN,
	    "move.started", "maintenance 57");
	assert_renders(
	    "${data.maintenance}", PLAIN, "host.maintenance", "true");
	assert_renders("no member", PLAIN, "test", "no member");
}
END_TEST

START_TEST(a_dollar_is_written_twice_or_before_what_is_no_name)
{
	assert_renders("$$ $$$$ 5$ $5 $", PLAIN, "test", "$ $$ 5$ $5 $");
	assert_renders("$${data.text}", PLAIN, "test", "${data.text}");
}
END_TEST

START_TEST(what_an_event_does_not_have_is_empty_or_the_default)
{
	assert_renders("<${data.reason}>", PLAIN, "host.lost", "<>");
	assert_renders("<${data.reason|default:none given}>", PLAIN,
	    "host.lost", "<none given>");
	assert_renders("<${data.reason|default:}>", PLAIN, "host.lost", "<>");
	assert_renders("${data.reason|default:x|upper}", PLAIN, "drain.started",
	    "NEW MEMORY");
	assert_renders(
	    "{\"n\": ${data.moved|json}}", JSON, "host.lost", "{\"n\": null}");
	assert_renders("{\"n\": ${data.reason|default:no|json}}", JSON,
	    "host.lost", "{\"n\": \"no\"}");
}
END_TEST

START_TEST(filters_make_figures_readable)
{
	assert_renders("${data.bytes|bytes} in ${data.duration_ms|duration}",
	    PLAIN, "move.completed", "1.2 GiB in 2.9 s");
	assert_renders("${data.guest|upper} ${data.by|lower}", PLAIN,
	    "move.completed", "WEB1 ");
	assert_renders("${data.downtime_ms|duration|upper}", PLAIN,
	    "move.completed", "43 MS");
	assert_renders(
	    "${data.prediction_error_percent}", PLAIN, "move.completed", "-5");
}
END_TEST

START_TEST(numbers_and_lists_are_json_as_they_are)
{
	assert_renders("[${data.moved}, ${data.remaining}, ${data.drain|json}]",
	    JSON, "drain.completed", "[2, [], 12]");
	assert_renders("{\"g\": ${data.guest|json}, \"f\": ${data.to|json}}",
	    JSON, "move.completed", "{\"g\": \"web1\", \"f\": \"kvm2\"}");
	assert_renders("${data}", "application/vnd.x+json", "host.recovered",
	    "{\"host\":\"kvm3\"}");
}
END_TEST

/* An event whose texts are as bad as can be. */
static json_t *
hostile_events(void)
{
	json_t *event = catalog_sample("move.started");

	json_object_set_new(json_object_get(event, "data"), "guest",
	    json_string("a\"b\\c\n}&=+% \xc3\xa4${data.to}"));
	return json_pack("[o]", event);
}

START_TEST(texts_of_strangers_stay_inside_of_what_is_around_them)
{
	json_t *events = hostile_events(), *json;
	char *out = render("{\"guest\": \"x ${data.guest}\"}", JSON, events);

	json = json_loads(out, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(json, "guest")),
	    "x a\"b\\c\n}&=+% \xc3\xa4${data.to}");
	ck_assert_uint_eq(json_object_size(json), 1);
	json_decref(json);
	free(out);
	out = render("g=${data.guest}&t=${data.to}", FORM, events);
	ck_assert_str_eq(out,
	    "g=a%22b%5Cc%0A%7D%26%3D%2B%25%20%C3%A4%24%7Bdata.to%7D&t=kvm2");
	free(out);
	out = render("${data.guest}", PLAIN, events);
	ck_assert_str_eq(out, "a\"b\\c\n}&=+% \xc3\xa4${data.to}");
	free(out);
	json_decref(events);
}
END_TEST

START_TEST(of_several_events_the_first_all_and_their_number_are_at_hand)
{
	json_t *events = json_pack("[o, o, o]", catalog_sample("host.lost"),
	    catalog_sample("host.recovered"), catalog_sample("move.failed"));
	char *out = render("{\"n\": ${count}, \"first\": \"${data.host}\", "
			   "\"third\": \"${events.2.data.guest}\", "
			   "\"all\": ${events}}",
	    JSON, events);
	json_t *json = json_loads(out, 0, NULL);

	ck_assert_int_eq(json_integer_value(json_object_get(json, "n")), 3);
	ck_assert_str_eq(
	    json_string_value(json_object_get(json, "first")), "kvm3");
	ck_assert_str_eq(
	    json_string_value(json_object_get(json, "third")), "web1");
	ck_assert_int_eq(json_equal(json_object_get(json, "all"), events), 1);
	json_decref(json);
	free(out);
	json_decref(events);
}
END_TEST

START_TEST(what_is_no_json_is_refused_with_the_place)
{
	struct err err = {0};
	struct template *t =
	    template_compile("{\"moved\":\n ${data.moved}}", JSON, NULL, &err);
	json_t *events = json_pack("[o]", catalog_sample("host.lost"));
	size_t len;

	ck_assert_ptr_nonnull(t);
	ck_assert_ptr_null(template_render(t, events, &len, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "is no JSON: line 2, column 2"));
	ck_assert_ptr_nonnull(strstr(err.msg, "|default:TEXT"));
	json_decref(events);
	template_free(t);
}
END_TEST

/* ---- what is wrong with it ---- */

static void
assert_fault(const char *text, const char *expected)
{
	struct err err = {0};

	ck_assert_msg(
	    template_check(text, JSON, &err) < 0, "%s is accepted", text);
	ck_assert_msg(strcmp(err.msg, expected) == 0, "%s:\n%s\nand not\n%s",
	    text, err.msg, expected);
}

START_TEST(a_mistyped_member_is_a_fault_with_its_place_and_the_right_name)
{
	assert_fault("{\n  \"text\": \"${data.gust}\"\n}",
	    "line 2, column 14: no event has data.gust (did you mean "
	    "data.guest?)");
	assert_fault("${data.vm}",
	    "line 1, column 3: no event has data.vm (did you mean "
	    "data.guest?)");
	assert_fault("${data.guests.0.outcme}",
	    "line 1, column 3: no event has data.guests.0.outcme (did you "
	    "mean data.guests.0.outcome?)");
	assert_fault("${severty}",
	    "line 1, column 3: no event has severty (did you mean severity?)");
	assert_fault("${data.zzzzzzzzz}",
	    "line 1, column 3: no event has data.zzzzzzzzz; what they have is "
	    "in drover-events(7)");
	assert_fault("${data.guests.first.guest}",
	    "line 1, column 3: no event has data.guests.first.guest: "
	    "data.guests is no object with members");
	assert_fault("${data.guest.name}",
	    "line 1, column 3: no event has data.guest.name: data.guest is no "
	    "object with members");
}
END_TEST

START_TEST(a_filter_that_is_not_there_or_of_no_use_is_a_fault)
{
	assert_fault("${data.guest|uper}",
	    "line 1, column 14: there is no filter \"uper\" (did you mean "
	    "upper?)");
	assert_fault("${data.guest|zzzzzz}",
	    "line 1, column 14: there is no filter \"zzzzzz\" (known: bytes, "
	    "duration, upper, lower, default:TEXT, json)");
	assert_fault("${data.guest|bytes}",
	    "line 1, column 14: bytes wants a number, and this is a text");
	assert_fault("${data.guests|upper}",
	    "line 1, column 15: upper wants a text, and this is a list or an "
	    "object");
	assert_fault("${data.guest|default}",
	    "line 1, column 21: default wants a text: default:TEXT");
	assert_fault("${data.guest|upper:x}",
	    "line 1, column 19: upper takes no text after a colon");
	assert_fault("${data.guest|json|upper}",
	    "line 1, column 19: json has to be the last filter");
}
END_TEST

START_TEST(brackets_and_dollars_are_read_strictly)
{
	assert_fault("a\n${data.guest",
	    "line 2, column 1: \"${\" is not closed: \"}\" is wanted on the "
	    "same line (a dollar is $$)");
	assert_fault("${data.guest\n}",
	    "line 1, column 1: \"${\" is not closed: \"}\" is wanted on the "
	    "same line (a dollar is $$)");
	assert_fault("${}",
	    "line 1, column 3: ${} names no member, such as ${data.guest}");
	assert_fault("${data..guest}",
	    "line 1, column 8: \"data..guest\" is no path: names with dots "
	    "between them are wanted, such as data.guest");
	assert_fault("x $data.guest",
	    "line 1, column 3: a member is written as ${data.guest}, and a "
	    "dollar as $$");
	assert_fault("", "line 1, column 1: it is empty");
	assert_fault("\xff", "line 1, column 1: it is not UTF-8");
}
END_TEST

START_TEST(in_json_quotes_are_where_a_text_stands)
{
	static const char bare[] =
	    "line 1, column 8: this may be a text, which wants quotes around "
	    "it, or |json";

	assert_fault("{\"a\":${data.guest}}", bare);
	assert_fault("{\"a\":${data.why}}", bare);
	assert_fault("{\"a\":${data.moved|default:no}}", bare);
	assert_fault("{\"a\":${data.bytes|bytes}}", bare);
	assert_fault("{\"a\":${data.guest|upper|default:0}}", bare);
	assert_fault("{\"b\\\"\":\n ${type}}",
	    "line 2, column 4: this may be a text, which wants quotes around "
	    "it, or |json");
	assert_fault("\"x ${data.guest|json}\"",
	    "line 1, column 17: json gives quotes of its own: leave it out "
	    "between quotes");
	assert_fault("\"${data.guests}\"",
	    "line 1, column 4: this is a list or an object, which stands "
	    "without quotes around it");
	assert_fault("\"$$\\${data.guest}\"",
	    "line 1, column 5: a backslash before \"${\" would change what "
	    "follows: a backslash in a text is \\\\");
	assert_fault("\"\\u00${data.guest}\"",
	    "line 1, column 6: a backslash before \"${\" would change what "
	    "follows: a backslash in a text is \\\\");
}
END_TEST

START_TEST(in_json_what_cannot_break_out_is_right)
{
	assert_renders(
	    "\"\\\\${data.guest}\"", JSON, "move.completed", "\"\\\\web1\"");
	assert_renders("\"\\u0041${data.guest}\\\"${data.to}\"", JSON,
	    "move.completed", "\"\\u0041web1\\\"kvm2\"");
	assert_renders("[${data.moved|default:0}, ${data.guest|json}]", JSON,
	    "host.lost", "[0, null]");
	assert_renders("[${data.bytes|bytes|json}]", JSON, "move.completed",
	    "[\"1.2 GiB\"]");
	/* A text in one event, an object in another. */
	assert_renders("\"${data.why}\"", JSON, "host.lost",
	    "\"the connection was closed: keepalive timeout\"");
	assert_renders("[\"${data.why}\"]", JSON, "move.started",
	    "[\"{\\\"decision\\\":57,\\\"policy\\\":\\\"maintenance\\\","
	    "\\\"rule\\\":\\\"/etc/drover/policies.d/10-maintenance.yaml:9\\\","
	    "\\\"text\\\":\\\"host kvm1 is in maintenance\\\"}\"]");
	/* Other types have no such rules. */
	assert_renders("\"\\${data.guest|json}\" ${data.to}", PLAIN,
	    "move.completed", "\"\\\"web1\"\" kvm2");
}
END_TEST

START_TEST(types_of_several_documents_are_not_held_to_be_one)
{
	assert_renders("{\"g\":\"${data.guest}\"}\n{\"t\":${data.to|json}}\n",
	    "application/x-ndjson", "move.completed",
	    "{\"g\":\"web1\"}\n{\"t\":\"kvm2\"}\n");
	assert_renders("\x1e${data}\n\x1e[]\n", "application/json-seq",
	    "host.recovered", "\x1e{\"host\":\"kvm3\"}\n\x1e[]\n");
}
END_TEST

START_TEST(a_template_and_its_outcome_have_a_limit)
{
	char *text = malloc(TEMPLATE_TEXT_MAX + 2);
	struct err err = {0};
	struct template *t;
	json_t *events;
	size_t len, i;

	memset(text, 'x', TEMPLATE_TEXT_MAX + 1);
	text[TEMPLATE_TEXT_MAX + 1] = '\0';
	ck_assert_int_lt(template_check(text, PLAIN, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "longer than 65536 bytes"));
	for (i = 0; i + 9 <= TEMPLATE_TEXT_MAX; i += 9)
		memcpy(text + i, "${events}", 10);
	ck_assert_int_lt(template_check(text, PLAIN, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "more than 4096 parts"));
	text[(size_t)9 * TEMPLATE_PARTS_MAX] = '\0';
	t = template_compile(text, PLAIN, NULL, &err);
	ck_assert_ptr_nonnull(t);
	events = json_pack("[o]", catalog_sample("decision.made"));
	ck_assert_ptr_null(template_render(t, events, &len, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "what comes out is over"));
	json_decref(events);
	template_free(t);
	free(text);
}
END_TEST

/* ---- the format ---- */

static char *
body_of(const char *type)
{
	json_t *event = catalog_sample(type);
	char *text = json_dumps(event, JSON_COMPACT);

	json_decref(event);
	return text;
}

START_TEST(a_request_has_method_type_and_body_of_the_receiver)
{
	struct settings_receiver r = {.name = "sms",
	    .content_type = FORM,
	    .method = "PUT",
	    .template = "to=ops&text=${data.host}+is+${type}+(${count})"};
	struct format_event events[2] = {{.id = "1"}, {.id = "2"}};
	struct format_input in = {.receiver = &r, .events = events, .count = 2};
	struct format_request out = {0};
	struct err err = {0};
	char *one = body_of("host.lost"), *two = body_of("host.recovered");

	events[0].body = one;
	events[1].body = two;
	ck_assert_msg(format_custom(&in, &out, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(out.body, "to=ops&text=kvm3+is+drover.host.lost+(2)");
	ck_assert_uint_eq(out.len, strlen(out.body));
	ck_assert_str_eq(out.method, "PUT");
	ck_assert_str_eq(out.content_type, FORM);
	free(out.body);
	free(out.content_type);
	free(one);
	free(two);
}
END_TEST

START_TEST(the_text_of_a_file_counts_and_json_is_the_default)
{
	struct settings_receiver r = {.name = "x"};
	struct format_secrets secrets = {.template = "{\"t\": \"${type}\"}"};
	char *body = body_of("test");
	struct format_event event = {.id = "1", .body = body};
	struct format_input in = {
	    .receiver = &r, .secrets = &secrets, .events = &event, .count = 1};
	struct format_request out = {0};
	struct err err = {0};

	ck_assert_msg(format_custom(&in, &out, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(out.body, "{\"t\": \"drover.test\"}");
	ck_assert_str_eq(out.method, "POST");
	ck_assert_str_eq(out.content_type, JSON);
	free(out.body);
	free(out.content_type);
	free(body);
}
END_TEST

START_TEST(a_body_that_is_no_json_is_never_sent)
{
	struct settings_receiver r = {
	    .name = "x", .template = "{\"n\": ${data.moved}}"};
	char *body = body_of("test");
	struct format_event event = {.id = "1", .body = body};
	struct format_input in = {.receiver = &r, .events = &event, .count = 1};
	struct format_request out = {0};
	struct err err = {0};

	ck_assert_int_eq(format_custom(&in, &out, &err), -1);
	ck_assert_ptr_null(out.body);
	ck_assert_ptr_nonnull(
	    strstr(err.msg, "template: what comes out is no"));
	r.template = NULL;
	ck_assert_int_eq(format_custom(&in, &out, &err), -1);
	ck_assert_str_eq(err.msg, "it has no template");
	free(body);
}
END_TEST

/* ---- before the first event ---- */

static const char *const all_events[] = {"*"};
static const char *const drain_events[] = {"drain.*"};

static struct settings_receiver
custom_receiver(
    const char *text, const char *const *events, enum receiver_severity least)
{
	return (struct settings_receiver){.name = "x",
	    .kind = RECEIVER_CUSTOM,
	    .template = text,
	    .events = events,
	    .event_count = 1,
	    .severity = least,
	    .group_by = RECEIVER_GROUP_NONE};
}

static void
assert_rehearsed(const struct settings_receiver *r, int count)
{
	struct err err = {0};
	int got = format_custom_rehearse(r, NULL, &err);

	ck_assert_msg(got == count, "%d, and not %d: %s", got, count, err.msg);
}

START_TEST(a_template_is_tried_with_each_event_that_the_receiver_wants)
{
	struct settings_receiver r =
	    custom_receiver("{\"t\": \"${type}\"}", all_events, RECEIVER_INFO);
	static const char *const policies[] = {"of-somebody-else"};
	int all = 0;

	for (const struct catalog_type *t = catalog_types; t->type != NULL; t++)
		all += strcmp(t->type, CATALOG_ENDED) != 0; /* "*" is not it */
	assert_rehearsed(&r, all);
	r.policies = policies;
	r.policy_count = 1;
	assert_rehearsed(&r, all);
	/* Moves are left to the summaries of drains, but for those of none. */
	r.policy_count = 0;
	r.group_by = RECEIVER_GROUP_DRAIN;
	r.group_wait_ms = 30000;
	assert_rehearsed(&r, all);
	r = custom_receiver(
	    "{\"n\": ${data.drain}}", drain_events, RECEIVER_INFO);
	assert_rehearsed(&r, 3);
	/* One that completes may have had moves that failed. */
	r.severity = RECEIVER_WARNING;
	assert_rehearsed(&r, 2);
	r.severity = RECEIVER_ERROR;
	assert_rehearsed(&r, 1);
}
END_TEST

START_TEST(an_event_that_does_not_come_out_right_is_named)
{
	struct settings_receiver r = custom_receiver(
	    "{\"n\": ${data.moved}}", drain_events, RECEIVER_INFO);
	struct err err = {0};

	ck_assert_int_eq(format_custom_rehearse(&r, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "drain.started: template: what"));
	/* Alone each is right. */
	r.template = "${data.guests.0|json}${events.1}";
	r.content_type = "text/json";
	r.group_by = RECEIVER_GROUP_DRAIN;
	r.group_wait_ms = 30000;
	ck_assert_int_eq(format_custom_rehearse(&r, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "several events at once: "));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("template");
	TCase *out = tcase_create("out"), *faults = tcase_create("faults");
	TCase *format = tcase_create("format");
	SRunner *runner;
	int failed;

	tcase_add_test(out, members_of_an_event_are_put_in);
	tcase_add_test(
	    out, a_dollar_is_written_twice_or_before_what_is_no_name);
	tcase_add_test(
	    out, what_an_event_does_not_have_is_empty_or_the_default);
	tcase_add_test(out, filters_make_figures_readable);
	tcase_add_test(out, numbers_and_lists_are_json_as_they_are);
	tcase_add_test(
	    out, texts_of_strangers_stay_inside_of_what_is_around_them);
	tcase_add_test(
	    out, of_several_events_the_first_all_and_their_number_are_at_hand);
	tcase_add_test(out, what_is_no_json_is_refused_with_the_place);
	suite_add_tcase(suite, out);
	tcase_add_test(faults,
	    a_mistyped_member_is_a_fault_with_its_place_and_the_right_name);
	tcase_add_test(
	    faults, a_filter_that_is_not_there_or_of_no_use_is_a_fault);
	tcase_add_test(faults, brackets_and_dollars_are_read_strictly);
	tcase_add_test(faults, in_json_quotes_are_where_a_text_stands);
	tcase_add_test(faults, in_json_what_cannot_break_out_is_right);
	tcase_add_test(
	    faults, types_of_several_documents_are_not_held_to_be_one);
	tcase_add_test(faults, a_template_and_its_outcome_have_a_limit);
	suite_add_tcase(suite, faults);
	tcase_add_test(
	    format, a_request_has_method_type_and_body_of_the_receiver);
	tcase_add_test(
	    format, the_text_of_a_file_counts_and_json_is_the_default);
	tcase_add_test(format, a_body_that_is_no_json_is_never_sent);
	tcase_add_test(format,
	    a_template_is_tried_with_each_event_that_the_receiver_wants);
	tcase_add_test(format, an_event_that_does_not_come_out_right_is_named);
	suite_add_tcase(suite, format);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
