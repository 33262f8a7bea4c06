#ifndef DROVER_TESTS_NOTIFY_SAMPLES_H
#define DROVER_TESTS_NOTIFY_SAMPLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/catalog.h"
#include "notify/format.h"

/*
 * Events as the outbox has them, and requests as JSON.  Shared by
 * check_format*.c and notify_render.c.
 */

#define SAMPLES_NOW ((struct wall){1795230000000})

static const char *const samples_kinds[RECEIVER_KIND_COUNT] = {
    [RECEIVER_CLOUDEVENTS] = "cloudevents",
    [RECEIVER_SLACK] = "slack",
    [RECEIVER_MATTERMOST] = "mattermost",
    [RECEIVER_DISCORD] = "discord",
    [RECEIVER_TEAMS] = "teams",
    [RECEIVER_GOOGLECHAT] = "googlechat",
    [RECEIVER_NTFY] = "ntfy",
    [RECEIVER_GOTIFY] = "gotify",
};

static inline json_t *
samples_load(const char *name)
{
	const char *dir = getenv("top_srcdir");
	char path[4096];
	json_error_t why;
	json_t *json;

	(void)snprintf(path, sizeof(path), "%s/tests/notify/%s",
	    dir != NULL ? dir : "..", name);
	json = json_load_file(path, 0, &why);
	if (json == NULL) {
		fprintf(stderr, "%s:%d: %s\n", path, why.line, why.text);
		exit(99);
	}
	return json;
}

/* Those of tests/notify/events.json, and each type's of the catalogue. */
static inline json_t *
samples_all(void)
{
	json_t *all = samples_load("events.json");
	char name[128];

	for (const struct catalog_type *t = catalog_types; t->type != NULL;
	     t++) {
		(void)snprintf(name, sizeof(name), "catalog.%s", t->type);
		json_object_set_new(all, name, catalog_sample(t->type));
	}
	return all;
}

/* `body` belongs to the caller. */
static inline struct format_event
samples_event(const json_t *event, char **body)
{
	struct format_event out = {
	    .id = json_string_value(json_object_get(event, "id")),
	    .type = json_string_value(json_object_get(event, "type"))};

	*body = json_dumps(event, JSON_COMPACT);
	out.body = *body;
	if (!wall_parse(
		json_string_value(json_object_get(event, "time")), &out.at))
		abort();
	return out;
}

static inline struct settings_receiver
samples_receiver(enum receiver_kind kind)
{
	return (struct settings_receiver){.name = "r",
	    .type = samples_kinds[kind],
	    .kind = kind,
	    .url = "https://push.example.org",
	    .resend_ms = 60000,
	    .method = "POST"};
}

/* Names, with "+" between them: a group. */
static inline struct format_request
samples_render(json_t *samples, const struct settings_receiver *receiver,
    const char *names)
{
	struct format_event events[16];
	struct format_secrets secrets = {0};
	struct format_request request;
	char *bodies[16], copy[256], *rest = copy, *name;
	struct err err = {0};
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	while ((name = strsep(&rest, "+")) != NULL && n < 16) {
		json_t *event = json_object_get(samples, name);

		if (event == NULL) {
			fprintf(stderr, "there is no sample %s\n", name);
			exit(1);
		}
		events[n] = samples_event(event, &bodies[n]);
		n++;
	}
	if (receiver->kind == RECEIVER_PAGERDUTY)
		secrets.token = "...";
	if (format_events(receiver, &secrets, events, n, SAMPLES_NOW, &request,
		&err) != 0) {
		fprintf(stderr, "%s: %s\n", names, err.msg);
		exit(1);
	}
	while (n > 0)
		free(bodies[--n]);
	return request;
}

/* {method, path, content_type, headers, body}; the body parsed, if it is JSON. */
static inline json_t *
samples_request_json(const struct format_request *r)
{
	json_t *o = json_pack("{s:s, s:s, s:s*}", "method", r->method,
	    "content_type", r->content_type, "path", r->path);
	json_t *headers = json_array(), *body;

	for (size_t i = 0; i < r->header_count; i++)
		json_array_append_new(headers, json_string(r->headers[i]));
	if (json_array_size(headers) > 0)
		json_object_set(o, "headers", headers);
	json_decref(headers);
	body = strstr(r->content_type, "json") != NULL
	    ? json_loads(r->body, 0, NULL)
	    : json_string(r->body);
	json_object_set_new(o, "body", body);
	return o;
}

#endif
