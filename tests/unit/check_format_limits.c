/*
 * What services refuse is never sent to them: every kind, with names and errors
 * of strangers that are hostile and far too long, with 500 guests, and with
 * groups of hundreds.  The rules are the services' own, written down here a
 * second time.
 */
#include <check.h>

#include "notify_samples.h"
#include "notify/text.h"

#define LONG 1100
#define GUESTS 500
#define GROUP 300

static json_t *samples;

static void
setup(void)
{
	samples = samples_all();
}

static void
teardown(void)
{
	json_decref(samples);
}

/* ---- the rules ---- */

static const char *
text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text != NULL ? text : "";
}

static size_t
chars(const char *text)
{
	return text_length(text, TEXT_CHARACTERS);
}

static void
assert_between(const char *what, const char *text, size_t max)
{
	if (text[0] == '\0' || chars(text) > max)
		ck_abort_msg(
		    "%s has %zu characters, of %zu", what, chars(text), max);
}

static size_t
check_slack_text(const json_t *text, size_t max)
{
	const char *s = text_at(text, "text"), *p;
	bool mrkdwn = strcmp(text_at(text, "type"), "mrkdwn") == 0;
	size_t n = strlen(s);

	assert_between("slack text", s, max);
	/* No mention, no link, no date. */
	ck_assert_ptr_null(strpbrk(s, "<>"));
	for (p = s; (p = strchr(p, '&')) != NULL; p++) {
		if (strncmp(p, "&amp;", 5) != 0 && strncmp(p, "&lt;", 4) != 0 &&
		    strncmp(p, "&gt;", 4) != 0)
			ck_abort_msg("not escaped: %s", p);
	}
	if (!mrkdwn) {
		ck_assert_str_eq(text_at(text, "type"), "plain_text");
		ck_assert(json_is_false(json_object_get(text, "emoji")));
		return chars(s);
	}
	ck_assert(json_is_true(json_object_get(text, "verbatim")));
	if (strncmp(s, "```\n", 4) == 0) {
		/* One block of code, and nothing that ends it sooner. */
		ck_assert_ptr_eq(strchr(s + 4, '`'), s + n - 3);
	} else {
		ck_assert(s[0] == '*' && s[n - 1] == '*');
		ck_assert_uint_eq(strspn(s + 1,
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789 "
				      "_-."),
		    n - 2);
	}
	return chars(s);
}

static void
check_slack(const json_t *body)
{
	const json_t *blocks = json_object_get(body, "blocks"), *block, *item;
	size_t i, j, all = 0;

	ck_assert_ptr_null(strpbrk(text_at(body, "text"), "<>"));
	assert_between("fallback", text_at(body, "text"), 3000);
	ck_assert_uint_le(json_array_size(blocks), 50);
	ck_assert_uint_ge(json_array_size(blocks), 2);
	json_array_foreach(blocks, i, block)
	{
		const char *type = text_at(block, "type");
		const json_t *fields = json_object_get(block, "fields");

		if (strcmp(type, "header") == 0)
			all += check_slack_text(
			    json_object_get(block, "text"), 150);
		else if (strcmp(type, "section") == 0 && fields == NULL)
			all += check_slack_text(
			    json_object_get(block, "text"), 3000);
		ck_assert_uint_le(json_array_size(fields), 10);
		json_array_foreach(fields, j, item)
		{
			all += check_slack_text(item, 2000);
		}
		json_array_foreach(json_object_get(block, "elements"), j, item)
		{
			all += check_slack_text(item, 3000);
		}
	}
	ck_assert_uint_le(all, 13000);
}

/* Every character that is markup stands behind a backslash; nothing follows @. */
static void
check_markdown(const char *text, const char *marks)
{
	bool code = false, escaped = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (strncmp(p, "```", 3) == 0 && !escaped) {
			code = !code;
			p += 2;
			continue;
		}
		if (code && *p == '`')
			ck_abort_msg("a backtick in code: %s", text);
		if (code)
			continue;
		if (!escaped && strchr(marks, *p) != NULL)
			ck_abort_msg("'%c' is not escaped at %s", *p, p);
		if (*p == '@' && strncmp(p + 1, "\xe2\x80\x8b", 3) != 0)
			ck_abort_msg("a mention at %s", p);
		escaped = *p == '\\' && !escaped;
	}
	ck_assert_msg(!code && !escaped, "it does not end: %s", text);
}

static void
check_mattermost(const json_t *body)
{
	const json_t *a =
	    json_array_get(json_object_get(body, "attachments"), 0);
	const json_t *field;
	const char *text = text_at(a, "text");
	size_t i, all = chars(text) + chars(text_at(a, "title"));

	assert_between("title", text_at(a, "title"), 1000);
	check_markdown(text_at(a, "title"), "`*_~[]()#>|");
	check_markdown(text, "`*_~[]()#>");
	ck_assert_ptr_null(strstr(text_at(a, "fallback"), "@a"));
	json_array_foreach(json_object_get(a, "fields"), i, field)
	{
		assert_between("value", text_at(field, "value"), 1000);
		check_markdown(text_at(field, "value"), "`*_~[]()#>|");
		all += chars(text_at(field, "value"));
	}
	ck_assert_uint_le(all, 16383);
}

static void
check_discord(const json_t *body)
{
	const json_t *e = json_array_get(json_object_get(body, "embeds"), 0);
	const json_t *fields = json_object_get(e, "fields"), *field;
	const char *footer = text_at(json_object_get(e, "footer"), "text");
	size_t i, all;

	ck_assert_uint_eq(
	    json_array_size(json_object_get(
		json_object_get(body, "allowed_mentions"), "parse")),
	    0);
	ck_assert(json_is_array(json_object_get(
	    json_object_get(body, "allowed_mentions"), "parse")));
	assert_between("title", text_at(e, "title"), 256);
	ck_assert_uint_le(chars(text_at(e, "description")), 4096);
	if (json_object_get(e, "description") != NULL)
		ck_assert_str_ne(text_at(e, "description"), "");
	ck_assert_uint_le(json_array_size(fields), 25);
	assert_between("footer", footer, 2048);
	all = chars(text_at(e, "title")) + chars(text_at(e, "description")) +
	    chars(footer);
	check_markdown(text_at(e, "title"), "`*_~[]()#>|<");
	check_markdown(text_at(e, "description"), "`*_~[]()#>|<");
	json_array_foreach(fields, i, field)
	{
		assert_between("name", text_at(field, "name"), 256);
		assert_between("value", text_at(field, "value"), 1024);
		check_markdown(text_at(field, "value"), "`*_~[]()#>|<");
		all += chars(text_at(field, "name")) +
		    chars(text_at(field, "value"));
	}
	ck_assert_uint_le(all, 6000);
}

/* Texts of strangers stand in runs, which read no markup. */
static void
check_card(const json_t *json)
{
	const char *type = text_at(json, "type"), *key;
	json_t *value;
	size_t i;

	if (strcmp(type, "TextBlock") == 0 || strcmp(type, "FactSet") == 0)
		ck_abort_msg("a %s reads Markdown", type);
	json_array_foreach(json, i, value) check_card(value);
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		check_card(value);
	}
}

static void
check_teams(const json_t *body)
{
	const json_t *a =
	    json_array_get(json_object_get(body, "attachments"), 0);

	ck_assert_str_eq(text_at(body, "type"), "message");
	ck_assert_str_eq(text_at(a, "contentType"),
	    "application/vnd.microsoft.card.adaptive");
	check_card(json_object_get(a, "content"));
}

static void
check_chat_text(const char *text)
{
	for (const char *p = text; (p = strpbrk(p, "<>")) != NULL; p++) {
		bool bold = strncmp(p, "<b>", 3) == 0 ||
		    strncmp(p, "</b>", 4) == 0 ||
		    (p - text >= 2 && strncmp(p - 2, "<b>", 3) == 0) ||
		    (p - text >= 3 && strncmp(p - 3, "</b>", 4) == 0);

		if (!bold)
			ck_abort_msg("a tag: %s", p);
	}
}

static void
check_googlechat(const json_t *body)
{
	const json_t *card = json_object_get(
	    json_array_get(json_object_get(body, "cardsV2"), 0), "card");
	const json_t *section, *widget;
	size_t i, j, widgets = 0;

	ck_assert_ptr_null(strstr(text_at(body, "fallbackText"), "<u"));
	ck_assert_uint_ge(
	    json_array_size(json_object_get(card, "sections")), 1);
	json_array_foreach(json_object_get(card, "sections"), i, section)
	{
		json_array_foreach(
		    json_object_get(section, "widgets"), j, widget)
		{
			widgets++;
			check_chat_text(text_at(
			    json_object_get(widget, "textParagraph"), "text"));
			check_chat_text(text_at(
			    json_object_get(widget, "decoratedText"), "text"));
		}
	}
	ck_assert_uint_ge(widgets, 1);
	ck_assert_uint_le(widgets, 100);
}

static void
check_gotify(const json_t *body)
{
	assert_between("title", text_at(body, "title"), 500);
	assert_between("message", text_at(body, "message"), 16384);
	ck_assert_str_eq(
	    text_at(json_object_get(
			json_object_get(body, "extras"), "client::display"),
		"contentType"),
	    "text/plain");
}

static void
check_ntfy(const struct format_request *request)
{
	ck_assert_uint_ge(request->len, 1);
	ck_assert_uint_eq(request->header_count, 3);
	/* Encoded words of at most 75 characters, or none at all. */
	for (const char *p = request->headers[0];
	     (p = strstr(p, "=?UTF-8?B?")) != NULL; p += 10)
		ck_assert_uint_le(strcspn(p, " "), 75);
}

static const struct {
	size_t max;
	void (*check)(const json_t *body);
} rules[RECEIVER_KIND_COUNT] = {
    [RECEIVER_SLACK] = {100 * 1024, check_slack},
    [RECEIVER_MATTERMOST] = {64 * 1024, check_mattermost},
    [RECEIVER_DISCORD] = {64 * 1024, check_discord},
    [RECEIVER_TEAMS] = {28 * 1024, check_teams},
    [RECEIVER_GOOGLECHAT] = {32000, check_googlechat},
    [RECEIVER_NTFY] = {4096, NULL},
    [RECEIVER_GOTIFY] = {64 * 1024, check_gotify},
};

/* Renders, and holds the request against the rules. */
static json_t *
render(enum receiver_kind kind, const struct format_event *events, size_t count)
{
	struct settings_receiver r = samples_receiver(kind);
	struct format_request request;
	struct err err = {0};
	json_t *body = NULL;

	ck_assert_msg(format_events(&r, NULL, events, count, SAMPLES_NOW,
			  &request, &err) == 0,
	    "%s: %s", r.type, err.msg);
	ck_assert_uint_eq(request.len, strlen(request.body));
	ck_assert_uint_le(request.len, rules[kind].max);
	ck_assert_uint_le(request.len, receiver_kinds[kind].body_max);
	for (size_t i = 0; i < request.header_count; i++) {
		ck_assert_ptr_null(strpbrk(request.headers[i], "\r\n"));
		for (const char *p = request.headers[i]; *p != '\0'; p++) {
			if (*p < 0x20 || *p > 0x7e)
				ck_abort_msg("not ASCII: %s", p);
		}
	}
	if (rules[kind].check != NULL) {
		body = json_loads(request.body, 0, NULL);
		ck_assert_ptr_nonnull(body);
		rules[kind].check(body);
	} else {
		check_ntfy(&request);
		body = json_string(request.body);
		ck_assert_ptr_nonnull(body);
	}
	format_free(&request);
	return body;
}

/* ---- what is held against them ---- */

static json_t *
render_json(enum receiver_kind kind, const json_t *event)
{
	char *text;
	struct format_event e = samples_event(event, &text);
	json_t *body = render(kind, &e, 1);

	free(text);
	return body;
}

static bool
is_person_kind(int kind)
{
	return kind >= RECEIVER_SLACK && kind <= RECEIVER_GOTIFY;
}

START_TEST(every_sample_is_within_the_rules)
{
	const char *name;
	json_t *event;

	json_object_foreach(samples, name, event)
	{
		if (is_person_kind(_i))
			json_decref(render_json((enum receiver_kind)_i, event));
	}
}
END_TEST

/* Each text below becomes `text`. */
static json_t *
stretched(const json_t *json, const char *text)
{
	json_t *copy, *value;
	const char *key;
	size_t i;

	if (json_is_string(json))
		return json_string(text);
	if (json_is_array(json)) {
		copy = json_array();
		json_array_foreach(json, i, value)
		    json_array_append_new(copy, stretched(value, text));
		return copy;
	}
	if (!json_is_object(json))
		return json_deep_copy(json);
	copy = json_object();
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	    json_object_set_new(copy, key, stretched(value, text));
	return copy;
}

static const char *const pieces[] = {"<", "&", "\\", "`", "@a", "\xe2\x82\xac",
    "\xf0\x9f\x90\x8b", "\r\n\xe2\x80\xae",
    "x<!channel>@everyone [a](b) *c* \"1. "};

START_TEST(texts_that_are_far_too_long_are_within_the_rules)
{
	char text[LONG + 64];
	const char *name;
	json_t *event;

	if (!is_person_kind(_i))
		return;
	for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
		text[0] = '\0';
		for (size_t n = 0; n + strlen(pieces[p]) < LONG;
		     n += strlen(pieces[p]))
			memcpy(text + n, pieces[p], strlen(pieces[p]) + 1);
		json_object_foreach(samples, name, event)
		{
			json_t *copy;

			/* Their types are all there already. */
			if (strncmp(name, "catalog.", 8) == 0)
				continue;
			copy = json_copy(event);

			json_object_set_new(copy, "data",
			    stretched(json_object_get(event, "data"), text));
			json_object_set_new(copy, "source", json_string(text));
			json_object_set_new(copy, "subject", json_string(text));
			json_decref(render_json((enum receiver_kind)_i, copy));
			json_decref(copy);
		}
	}
}
END_TEST

/* As many as there can be, with names that are as long once they are escaped. */
START_TEST(fields_that_are_too_many_are_within_the_rules)
{
	json_t *data, *event, *body;
	char name[256], value[LONG];

	if (!is_person_kind(_i))
		return;
	data = json_object();
	memset(value, '*', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(name, '_', sizeof(name));
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name + 200, sizeof(name) - 200, "%d", i);
		json_object_set_new(data, name, json_string(value));
	}
	event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "specversion",
	    "1.0", "id", "1", "source", "/drover/lab", "type", "drover.x",
	    "subject", value, "time", "2026-11-21T03:00:00Z", "data", data);
	body = render_json((enum receiver_kind)_i, event);
	ck_assert_ptr_nonnull(body);
	json_decref(body);
	json_decref(event);
}
END_TEST

static json_t *
big_drain(const char *name, const char *reason)
{
	json_t *event =
	    json_deep_copy(json_object_get(samples, "drain.blocked"));
	json_t *data = json_object_get(event, "data"), *list = json_array();

	for (int i = 0; i < GUESTS; i++)
		json_array_append_new(list,
		    json_pack("{s:o, s:s, s:s*, s:s, s:s, s:i, s:i}", "guest",
			json_sprintf("%s%d", name, i), "outcome",
			i % 10 == 0 ? "blocked" : "moved", "reason",
			i % 10 == 0 ? reason : NULL, "to", "kvm2", "strategy",
			"live-shared", "duration_ms", 12340 + i, "downtime_ms",
			91));
	json_object_set_new(data, "guests", list);
	json_object_set_new(data, "total", json_integer(GUESTS));
	json_object_set_new(data, "moved", json_integer(GUESTS * 9 / 10));
	return event;
}

/* The last number behind "and " before " more". */
static int
left_out(const json_t *body)
{
	char *text = json_dumps(body, JSON_ENCODE_ANY);
	const char *p = text;
	int n = 0;

	while ((p = strstr(p, "and ")) != NULL) {
		int more = 0, end = 0;

		if (sscanf(p, "and %d more%n", &more, &end) == 1 && end > 0)
			n = more;
		p++;
	}
	free(text);
	return n;
}

static int
count_of(const json_t *body, const char *word)
{
	char *text = json_dumps(body, JSON_ENCODE_ANY);
	int n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		n++;
	free(text);
	return n;
}

START_TEST(a_drain_of_500_guests_is_cut_and_counted)
{
	json_t *event, *body;
	int shown, more;

	if (!is_person_kind(_i))
		return;
	event = big_drain("guest-", "no host has room");
	body = render_json((enum receiver_kind)_i, event);
	shown = count_of(body, "guest-");
	more = left_out(body);
	/* The first of the blocked is named in the text as well. */
	ck_assert_int_ge(shown, 20);
	ck_assert_int_ge(more, 1);
	ck_assert_msg(
	    shown - 1 + more == GUESTS, "%d shown, %d more", shown - 1, more);
	json_decref(body);
	json_decref(event);

	/* Those that are blocked are there, if any are. */
	event = big_drain("n`<@*", "<!channel> | ``` \xf0\x9f\x90\x8b");
	json_decref(render_json((enum receiver_kind)_i, event));
	json_decref(event);
}
END_TEST

START_TEST(a_group_of_hundreds_is_cut_and_counted)
{
	struct format_event events[GROUP];
	char *bodies[2];
	json_t *body;
	int shown;

	if (!is_person_kind(_i))
		return;
	for (int i = 0; i < 2; i++)
		events[i] =
		    samples_event(json_object_get(samples,
				      i > 0 ? "hostile" : "move.completed"),
			&bodies[i]);
	for (int i = 2; i < GROUP; i++)
		events[i] = events[i % 2];
	json_decref(render((enum receiver_kind)_i, events, GROUP));
	for (int i = 1; i < GROUP; i++)
		events[i] = events[0];
	body = render((enum receiver_kind)_i, events, GROUP);
	shown = count_of(body, "web1 moved");
	ck_assert_int_ge(shown, 5);
	ck_assert_int_eq(shown + left_out(body), GROUP);
	json_decref(body);
	free(bodies[0]);
	free(bodies[1]);
}
END_TEST

START_TEST(a_batch_that_is_too_large_is_refused_and_one_event_is_not)
{
	const size_t size = receiver_kinds[RECEIVER_CLOUDEVENTS].body_max;
	struct settings_receiver r = samples_receiver(RECEIVER_CLOUDEVENTS);
	struct format_event events[2];
	struct format_request request;
	struct err err = {0};
	char *body = malloc(size);

	r.mode = RECEIVER_BATCHED;
	memset(body, 'x', size);
	memcpy(body, "{\"a\":\"", 6);
	memcpy(body + size - 3, "\"}", 3);
	for (int i = 0; i < 2; i++)
		events[i] = (struct format_event){
		    .id = "e", .type = "drover.move.failed", .body = body};
	ck_assert_int_eq(
	    format_events(&r, NULL, events, 2, SAMPLES_NOW, &request, &err),
	    -1);
	ck_assert_int_eq(err.code, ERR_LIMIT);
	ck_assert_int_eq(
	    format_events(&r, NULL, events, 1, SAMPLES_NOW, &request, &err), 0);
	ck_assert_uint_ge(request.len, size);
	format_free(&request);
	free(body);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("format_limits");
	TCase *tc = tcase_create("limits");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, every_sample_is_within_the_rules, 0, RECEIVER_KIND_COUNT);
	tcase_add_loop_test(tc,
	    texts_that_are_far_too_long_are_within_the_rules, 0,
	    RECEIVER_KIND_COUNT);
	tcase_add_loop_test(tc, fields_that_are_too_many_are_within_the_rules,
	    0, RECEIVER_KIND_COUNT);
	tcase_add_loop_test(tc, a_drain_of_500_guests_is_cut_and_counted, 0,
	    RECEIVER_KIND_COUNT);
	tcase_add_loop_test(
	    tc, a_group_of_hundreds_is_cut_and_counted, 0, RECEIVER_KIND_COUNT);
	tcase_add_test(
	    tc, a_batch_that_is_too_large_is_refused_and_one_event_is_not);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
