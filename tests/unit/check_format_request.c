/*
 * The request around a body: paths, headers, content types; and CloudEvents, which
 * are nearly nothing else.
 */
#include <check.h>

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

static bool
has_header(const struct format_request *request, const char *line)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (strcmp(request->headers[i], line) == 0)
			return true;
	}
	return false;
}

START_TEST(a_body_that_is_no_event_is_an_error_that_names_it)
{
	struct format_event event = {
	    .id = "e-1", .type = "drover.move.failed", .body = "{"};

	for (int k = RECEIVER_SLACK; k <= RECEIVER_GOTIFY; k++) {
		struct settings_receiver r =
		    samples_receiver((enum receiver_kind)k);
		struct format_request request;
		struct err err = {0};

		ck_assert_int_eq(format_events(&r, &(struct format_secrets){0},
				     &event, 1, SAMPLES_NOW, &request, &err),
		    -1);
		ck_assert_ptr_nonnull(strstr(err.msg, "e-1"));
		ck_assert_ptr_nonnull(strstr(err.msg, "receiver r"));
	}
}
END_TEST

START_TEST(gotify_is_posted_to_its_messages)
{
	static const struct {
		const char *url, *path;
	} rows[] = {{"https://g.example.org", "/message"},
	    {"https://g.example.org/", "message"},
	    {"https://g.example.org/push", "/message"},
	    {"https://g.example.org/message", NULL},
	    {"https://g.example.org/message?token=A", NULL},
	    {NULL, "/message"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct settings_receiver r = samples_receiver(RECEIVER_GOTIFY);
		struct format_request request;

		r.url = rows[i].url;
		request = samples_render(samples, &r, "host.lost");
		if (rows[i].path == NULL)
			ck_assert_ptr_null(request.path);
		else
			ck_assert_str_eq(request.path, rows[i].path);
		format_free(&request);
	}
}
END_TEST

START_TEST(a_structured_event_is_sent_as_it_is_stored)
{
	static const char body[] = "{ \"id\" : \"1\",\"data\":{\"a\":1.50} }";
	struct format_event event = {
	    .id = "1", .type = "drover.x", .body = body};
	struct settings_receiver r = samples_receiver(RECEIVER_CLOUDEVENTS);
	struct format_request request;

	ck_assert_int_eq(
	    format_events(&r, NULL, &event, 1, SAMPLES_NOW, &request, NULL), 0);
	ck_assert_str_eq(request.body, body);
	ck_assert_uint_eq(request.len, strlen(body));
	ck_assert_str_eq(request.content_type,
	    "application/cloudevents+json; charset=utf-8");
	ck_assert_str_eq(request.method, "POST");
	format_free(&request);
}
END_TEST

START_TEST(a_binary_event_has_its_attributes_in_headers)
{
	static const char body[] =
	    "{\"specversion\":\"1.0\",\"id\":\"a b\\\"%\",\"source\":"
	    "\"/drover/lab\",\"type\":\"drover.x\",\"subject\":"
	    "\"vm/\xe2\x82\xac\\r\\nX: 1\",\"datacontenttype\":"
	    "\"application/json\",\"shard\":3,\"data\":{\"guest\":\"w\"}}";
	struct format_event event = {
	    .id = "1", .type = "drover.x", .body = body};
	struct settings_receiver r = samples_receiver(RECEIVER_CLOUDEVENTS);
	struct format_request request;

	r.mode = RECEIVER_BINARY;
	ck_assert_int_eq(
	    format_events(&r, NULL, &event, 1, SAMPLES_NOW, &request, NULL), 0);
	ck_assert_str_eq(request.body, "{\"guest\":\"w\"}");
	ck_assert_str_eq(request.content_type, "application/json");
	ck_assert(has_header(&request, "ce-specversion: 1.0"));
	ck_assert(has_header(&request, "ce-id: a%20b%22%25"));
	ck_assert(has_header(&request, "ce-source: /drover/lab"));
	ck_assert(has_header(&request, "ce-subject: vm/%E2%82%AC%0D%0AX:%201"));
	ck_assert(has_header(&request, "ce-shard: 3"));
	ck_assert_uint_eq(request.header_count, 6);
	format_free(&request);
}
END_TEST

START_TEST(a_binary_event_without_data_has_an_empty_object)
{
	static const char *const bodies[] = {
	    "{\"id\":\"1\",\"type\":\"drover.x\"}",
	    "{\"id\":\"1\",\"type\":\"drover.x\",\"data\":null}"};
	struct settings_receiver r = samples_receiver(RECEIVER_CLOUDEVENTS);

	r.mode = RECEIVER_BINARY;
	for (size_t i = 0; i < 2; i++) {
		struct format_event event = {
		    .id = "1", .type = "drover.x", .body = bodies[i]};
		struct format_request request;
		struct err err = {0};

		ck_assert_msg(format_events(&r, NULL, &event, 1, SAMPLES_NOW,
				  &request, &err) == 0,
		    "%s", err.msg);
		ck_assert_str_eq(request.body, "{}");
		format_free(&request);
	}
}
END_TEST

START_TEST(a_batch_holds_the_events_in_order)
{
	struct settings_receiver r = samples_receiver(RECEIVER_CLOUDEVENTS);
	struct format_request request;
	json_t *list;

	r.mode = RECEIVER_BATCHED;
	request = samples_render(samples, &r, "move.started");
	list = json_loads(request.body, 0, NULL);
	ck_assert_uint_eq(json_array_size(list), 1);
	json_decref(list);
	format_free(&request);

	/* A group has no other form. */
	r.mode = RECEIVER_STRUCTURED;
	request = samples_render(samples, &r, "move.started+move.completed");
	ck_assert_str_eq(request.content_type,
	    "application/cloudevents-batch+json; charset=utf-8");
	list = json_loads(request.body, 0, NULL);
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert(json_equal(json_array_get(list, 1),
	    json_object_get(samples, "move.completed")));
	json_decref(list);
	format_free(&request);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("format_request");
	TCase *tc = tcase_create("requests");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_body_that_is_no_event_is_an_error_that_names_it);
	tcase_add_test(tc, gotify_is_posted_to_its_messages);
	tcase_add_test(tc, a_structured_event_is_sent_as_it_is_stored);
	tcase_add_test(tc, a_binary_event_has_its_attributes_in_headers);
	tcase_add_test(tc, a_binary_event_without_data_has_an_empty_object);
	tcase_add_test(tc, a_batch_holds_the_events_in_order);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
