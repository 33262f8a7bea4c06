/*
 * The body is what the receiver's template says; see template.h.  It was checked
 * when the configuration was loaded, and is read anew for each request: that
 * costs less than the request's signature, and a template in a file may be
 * another one by then.
 */
#include <stdlib.h>
#include <string.h>

#include "notify/catalog.h"
#include "notify/format.h"
#include "notify/template.h"

static json_t *
read_events(const struct format_input *in, struct err *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < in->count; i++) {
		json_t *event = json_loads(in->events[i].body, 0, NULL);

		if (event == NULL) {
			err_set(err, ERR_INVALID, "event %s is no JSON",
			    in->events[i].id);
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, event);
	}
	return list;
}

int
format_custom(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	const struct settings_receiver *r = in->receiver;
	const char *text = in->secrets != NULL && in->secrets->template != NULL
	    ? in->secrets->template
	    : r->template;
	const char *type =
	    r->content_type != NULL ? r->content_type : "application/json";
	struct template_place place;
	struct template *t;
	json_t *events;

	if (text == NULL)
		return err_set(err, ERR_INVALID, "it has no template");
	t = template_compile(text, type, &place, err);
	if (t == NULL)
		return err_prefix(err, "template: line %u, column %u",
		    place.line, place.column);
	events = read_events(in, err);
	if (events != NULL)
		out->body = template_render(t, events, &out->len, err);
	json_decref(events);
	template_free(t);
	if (out->body == NULL)
		return err_prefix(err, "template");
	out->content_type = strdup(type);
	if (out->content_type == NULL)
		abort();
	out->method =
	    r->method != NULL && strcmp(r->method, "PUT") == 0 ? "PUT" : "POST";
	return 0;
}

/* ---- before the first event ---- */

/* Would it ever be sent one of this type?  Whose policy or drain it is changes
 * nothing about its form. */
static bool
may_want(const struct settings_receiver *receiver, const char *type)
{
	struct settings_receiver any = *receiver;
	const struct receiver_event event = {
	    .type = type, .severity = catalog_severity_most(type)};

	any.policy_count = 0;
	return receiver_wants(&any, &event);
}

static int
rehearse_one(const struct format_input *in, const char *what, struct err *err)
{
	struct format_request out = {0};
	int rc = format_custom(in, &out, err);

	free(out.body);
	free(out.content_type);
	return rc < 0 ? err_prefix(err, "%s", what) : 0;
}

#define REHEARSE_MAX 64

int
format_custom_rehearse(const struct settings_receiver *receiver,
    const struct format_secrets *secrets, struct err *err)
{
	struct format_event events[REHEARSE_MAX];
	struct format_input in = {.receiver = receiver, .secrets = secrets};
	size_t count = 0;
	int rc = 0;

	for (const struct catalog_type *t = catalog_types;
	     t->type != NULL && count < REHEARSE_MAX; t++) {
		json_t *sample;

		if (!may_want(receiver, t->type))
			continue;
		sample = catalog_sample(t->type);
		events[count++] = (struct format_event){.id = "sample",
		    .type = t->type,
		    .body = json_dumps(sample, JSON_COMPACT)};
		json_decref(sample);
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		in.events = &events[i];
		in.count = 1;
		rc = rehearse_one(&in, events[i].type, err);
	}
	in.events = events;
	in.count = count;
	if (rc == 0 && count > 1 && receiver->group_wait_ms > 0 &&
	    (receiver->group_by & RECEIVER_GROUP_NONE) == 0)
		rc = rehearse_one(&in, "several events at once", err);
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)events[i].body);
	return rc < 0 ? -1 : (int)count;
}
