/*
 * Events in the shape of each service: as in the golden files, as in the manual,
 * and what holds for every kind.
 */
#include <check.h>

#include "base/buf.h"
#include "notify/message.h"
#include "notify_samples.h"

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

static struct message *
read_message(const char *name)
{
	char *body;
	struct format_event event =
	    samples_event(json_object_get(samples, name), &body);
	struct err err = {0};
	struct message *m = message_new(&event, 1, &err);

	ck_assert_msg(m != NULL, "%s: %s", name, err.msg);
	free(body);
	return m;
}

static const char *
field_of(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->field_count; i++) {
		if (strcmp(m->fields[i].name, name) == 0)
			return m->fields[i].value;
	}
	return "";
}

/* ---- what is rendered ---- */

static void
assert_same(const char *what, const json_t *wanted, const json_t *got)
{
	char *text;

	if (json_equal(wanted, got))
		return;
	text = json_dumps(got, JSON_INDENT(1));
	ck_abort_msg("%s is not what is rendered now:\n%s", what, text);
}

START_TEST(each_kind_renders_its_golden_file)
{
	char file[64];
	const char *name;
	json_t *golden, *wanted, *got;

	if (samples_kinds[_i] == NULL)
		return;
	(void)snprintf(file, sizeof(file), "golden/%s.json", samples_kinds[_i]);
	golden = samples_load(file);
	ck_assert_uint_ge(json_object_size(golden), 6);
	json_object_foreach(golden, name, wanted)
	{
		struct settings_receiver r =
		    samples_receiver((enum receiver_kind)_i);
		struct format_request request =
		    samples_render(samples, &r, name);

		got = samples_request_json(&request);
		assert_same(name, wanted, got);
		json_decref(got);
		format_free(&request);
	}
	json_decref(golden);
}
END_TEST

/* An mdoc line as it is read. */
static void
add_man_line(struct buf *out, const char *line)
{
	for (const char *p = line; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] == 'e') {
			(void)buf_adds(out, "\\");
			p++;
		} else if (p[0] == '\\' && p[1] == '&') {
			p++;
		} else if (p[0] == '\\' && p[1] == '-') {
			(void)buf_adds(out, "-");
			p++;
		} else {
			(void)buf_add(out, p, 1);
		}
	}
}

/* Headers, a blank line, and the body: what of a request that is no JSON the
 * manual shows. */
static void
assert_http(const char *shown, const struct format_request *request)
{
	struct buf text = BUF_INIT(1 << 16);

	for (size_t i = 0; i < request->header_count; i++)
		(void)buf_addf(&text, "%s\n", request->headers[i]);
	(void)buf_addf(&text, "\n%s\n", request->body);
	ck_assert_str_eq(shown, buf_str(&text));
	buf_free(&text);
}

static void
compare_with_manual(const char *kind, const char *name, const char *shown)
{
	int k = 0;
	struct settings_receiver r;
	struct format_request request;
	json_t *wanted, *got;

	while (k < RECEIVER_KIND_COUNT &&
	    strcmp(receiver_kinds[k].name, kind) != 0)
		k++;
	ck_assert_msg(k < RECEIVER_KIND_COUNT, "no kind %s", kind);
	r = samples_receiver((enum receiver_kind)k);
	request = samples_render(samples, &r, name);
	if (strstr(request.content_type, "json") == NULL) {
		assert_http(shown, &request);
	} else {
		wanted = json_loads(shown, 0, NULL);
		ck_assert_msg(wanted != NULL, "%s: not JSON", kind);
		got = json_loads(request.body, 0, NULL);
		assert_same(kind, wanted, got);
		json_decref(wanted);
		json_decref(got);
	}
	format_free(&request);
}

/* A block after a comment `rendered: KIND SAMPLE`. */
START_TEST(the_manual_shows_what_is_rendered)
{
	const char *dir = getenv("top_srcdir");
	char path[4096], line[4096], kind[64] = "", name[64];
	struct buf shown = BUF_INIT(1 << 16);
	bool on = false;
	int count = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/man/drover-receivers.7",
	    dir != NULL ? dir : "..");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s is missing", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, ".\\\" rendered: %63s %63s", kind, name) ==
		    2) {
			buf_clear(&shown);
		} else if (kind[0] != '\0' && strncmp(line, ".Bd", 3) == 0) {
			on = true;
		} else if (on && strncmp(line, ".Ed", 3) == 0) {
			compare_with_manual(kind, name, buf_str(&shown));
			count++;
			kind[0] = '\0';
			on = false;
		} else if (on) {
			add_man_line(&shown, line);
		}
	}
	fclose(f);
	buf_free(&shown);
	ck_assert_int_ge(count, 10);
}
END_TEST

/* ---- what is said ---- */

START_TEST(a_move_is_told_with_its_figures)
{
	struct message *m = read_message("move.completed");

	ck_assert_str_eq(m->title, "web1 moved from kvm1 to kvm2");
	ck_assert_str_eq(m->text,
	    "It moved live, over shared storage, in 12.3 s, with a downtime "
	    "of 91 ms.");
	ck_assert_int_eq(m->severity, RECEIVER_INFO);
	ck_assert_str_eq(field_of(m, "Transferred"), "4.2 GiB");
	ck_assert_str_eq(field_of(m, "Policy"), "maintenance (evacuate)");
	ck_assert_str_eq(field_of(m, "Reason"), "kvm1 is in maintenance");
	ck_assert_str_eq(field_of(m, "Attempt"), "");
	message_free(m);
}
END_TEST

START_TEST(a_failure_is_told_with_cause_and_remedy)
{
	struct message *m = read_message("move.failed");

	ck_assert_str_eq(m->title, "db1 could not be moved from kvm1 to kvm2");
	ck_assert_ptr_nonnull(strstr(m->text, "ran full"));
	ck_assert_ptr_nonnull(strstr(m->text, "Make room"));
	ck_assert_ptr_nonnull(strstr(field_of(m, "Error"), "drive-mirror"));
	ck_assert_str_eq(field_of(m, "Attempt"), "2");
	ck_assert_int_eq(m->severity, RECEIVER_ERROR);
	message_free(m);
}
END_TEST

START_TEST(those_that_need_somebody_come_first)
{
	static const char *const order[] = {
	    "gpu1", "mail", "web1", "db1", "build-7"};
	struct message *m = read_message("drain.blocked");

	ck_assert_str_eq(
	    m->title, "Draining kvm1 is blocked: 2 of 5 guests remain");
	ck_assert_uint_eq(m->row_count, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(m->rows[i].guest, order[i]);
	ck_assert_str_eq(m->rows[2].downtime, "91 ms");
	ck_assert_ptr_null(m->rows[0].to);
	message_free(m);
}
END_TEST

START_TEST(a_summary_of_an_older_daemon_has_rows_as_well)
{
	struct message *m = read_message("drain.blocked.old");

	ck_assert_uint_eq(m->row_count, 1);
	ck_assert_str_eq(m->rows[0].outcome, "blocked");
	ck_assert_ptr_nonnull(strstr(m->text, "gpu1: no host has"));
	message_free(m);
}
END_TEST

START_TEST(a_decision_that_waits_says_what_it_wants)
{
	struct message *m = read_message("decision.made");

	ck_assert_str_eq(
	    m->title, "Policy cpu-pressure asks for approval for kvm2");
	ck_assert_str_eq(m->text, "its CPUs were busy for 5 m.");
	ck_assert_uint_eq(m->row_count, 2);
	ck_assert_str_eq(m->rows[0].guest, "web1");
	ck_assert_str_eq(m->rows[0].to, "kvm3");
	message_free(m);
}
END_TEST

START_TEST(an_unknown_type_is_shown_with_what_it_has)
{
	struct message *m = read_message("unknown");

	ck_assert_str_eq(m->title, "weather.changed: sky/north");
	ck_assert_str_eq(field_of(m, "colour"), "grey");
	ck_assert_str_eq(field_of(m, "clouds"), "8");
	ck_assert_str_eq(field_of(m, "rain"), "yes");
	ck_assert_uint_eq(m->field_count, 3);
	message_free(m);
}
END_TEST

START_TEST(every_type_of_the_catalogue_has_words_of_its_own)
{
	for (const struct catalog_type *t = catalog_types; t->type != NULL;
	     t++) {
		char name[128];
		struct message *m;

		(void)snprintf(name, sizeof(name), "catalog.%s", t->type);
		m = read_message(name);
		ck_assert_msg(strncmp(m->title, t->type, strlen(t->type)) != 0,
		    "%s", m->title);
		ck_assert_int_eq(m->severity, t->severity);
		message_free(m);
	}
}
END_TEST

START_TEST(guests_that_a_summary_omits_are_counted)
{
	json_t *event = json_object_get(samples, "drain.completed");
	struct settings_receiver r = samples_receiver(RECEIVER_GOTIFY);
	struct format_request request;

	json_object_set_new(
	    json_object_get(event, "data"), "guests_omitted", json_integer(40));
	request = samples_render(samples, &r, "drain.completed");
	ck_assert_ptr_nonnull(strstr(request.body, "and 40 more"));
	format_free(&request);
}
END_TEST

START_TEST(guests_that_a_decision_leaves_out_are_counted)
{
	json_t *event = json_object_get(samples, "decision.made");
	struct message *m;

	json_object_set_new(
	    json_object_get(event, "data"), "items_left_out", json_integer(7));
	/* Of a drain, and no member of this. */
	json_object_set_new(
	    json_object_get(event, "data"), "guests_omitted", json_integer(9));
	m = read_message("decision.made");
	ck_assert_uint_eq(m->row_count, 2);
	ck_assert_uint_eq(m->rows_left_out, 7);
	message_free(m);
}
END_TEST

START_TEST(every_sample_has_a_title_without_gaps)
{
	const char *name;
	json_t *event;

	json_object_foreach(samples, name, event)
	{
		struct message *m = read_message(name);

		ck_assert_msg(m->title != NULL && m->title[0] != '\0' &&
			strstr(m->title, "? ") == NULL,
		    "%s: %s", name, m->title);
		message_free(m);
	}
}
END_TEST

START_TEST(an_event_without_data_is_no_end)
{
	static const char *const types[] = {"drover.move.completed",
	    "drover.move.failed", "drover.drain.blocked",
	    "drover.drain.completed", "drover.config.rejected",
	    "drover.host.maintenance", "drover.x"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct format_event event = {
		    .id = "1", .type = types[i], .body = "{\"data\": 3}"};
		struct message *m = message_new(&event, 1, NULL);

		ck_assert_ptr_nonnull(m);
		ck_assert_ptr_nonnull(m->title);
		message_free(m);
	}
}
END_TEST

/* Also those of the rows of a list. */
static void
assert_told_with(json_t *event, json_t *object, const char *key, json_t *value)
{
	json_t *old = json_incref(json_object_get(object, key));
	struct format_event e;
	struct message *m;
	char *body;

	json_object_set(object, key, value);
	e = samples_event(event, &body);
	m = message_new(&e, 1, NULL);
	ck_assert_ptr_nonnull(m);
	ck_assert_ptr_nonnull(m->title);
	message_free(m);
	free(body);
	json_object_set_new(object, key, old);
}

START_TEST(members_of_another_kind_are_as_good_as_none)
{
	json_t *kinds = json_pack("[n, b, i, f, s, [s], {s:s}, [{}], I]", 1, -5,
	    1e300, "", "x", "a", "b", (json_int_t)INT64_MAX);
	const char *name, *key;
	json_t *event, *kind, *value, *row;
	void *next;
	size_t i;

	json_object_foreach(samples, name, event)
	{
		json_t *data = json_object_get(event, "data");

		json_array_foreach(kinds, i, kind)
		{
			json_object_foreach_safe(data, next, key, value)
			{
				assert_told_with(event, data, key, kind);
				row = json_array_get(value, 0);
				if (!json_is_object(row))
					continue;
				assert_told_with(event, row, "outcome", kind);
				assert_told_with(event, row, "guest", kind);
				assert_told_with(event, row, "reason", kind);
			}
		}
	}
	json_decref(kinds);
}
END_TEST

START_TEST(several_events_are_counted_by_what_happened)
{
	struct settings_receiver r = samples_receiver(RECEIVER_GOTIFY);
	struct format_request request = samples_render(samples, &r,
	    "move.completed+move.failed+move.completed+host.lost+unknown");
	json_t *body = json_loads(request.body, 0, NULL);
	const char *text;

	ck_assert_str_eq(json_string_value(json_object_get(body, "title")),
	    "5 events: 2 moved, 1 failed, 1 host lost, 1 weather.changed");
	text = json_string_value(json_object_get(body, "message"));
	ck_assert(strncmp(text, "web1 moved from kvm1 to kvm2. It", 32) == 0);
	ck_assert_ptr_nonnull(strstr(text, "\ndb1 could not be moved"));
	/* As grave as the gravest. */
	ck_assert_int_eq(
	    json_integer_value(json_object_get(body, "priority")), 8);
	json_decref(body);
	format_free(&request);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("format");
	TCase *tc = tcase_create("format");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, each_kind_renders_its_golden_file, 0, RECEIVER_KIND_COUNT);
	tcase_add_test(tc, the_manual_shows_what_is_rendered);
	tcase_add_test(tc, a_move_is_told_with_its_figures);
	tcase_add_test(tc, a_failure_is_told_with_cause_and_remedy);
	tcase_add_test(tc, those_that_need_somebody_come_first);
	tcase_add_test(tc, a_summary_of_an_older_daemon_has_rows_as_well);
	tcase_add_test(tc, a_decision_that_waits_says_what_it_wants);
	tcase_add_test(tc, an_unknown_type_is_shown_with_what_it_has);
	tcase_add_test(tc, every_type_of_the_catalogue_has_words_of_its_own);
	tcase_add_test(tc, guests_that_a_summary_omits_are_counted);
	tcase_add_test(tc, guests_that_a_decision_leaves_out_are_counted);
	tcase_add_test(tc, every_sample_has_a_title_without_gaps);
	tcase_add_test(tc, an_event_without_data_is_no_end);
	tcase_add_test(tc, members_of_another_kind_are_as_good_as_none);
	tcase_add_test(tc, several_events_are_counted_by_what_happened);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
