/*
 * CloudEvents 1.0 over HTTP (the HTTP protocol binding 1.0.2), in its three
 * content modes.
 *
 * Structured and batched bodies are the bytes that are stored: what is signed
 * and sent is what the journal shows.  In binary mode the attributes become
 * headers, and the body is the data alone.
 *
 * A receiver with another mode than batched gets one event at a time, unless its
 * events are collected into groups: then a batch is the only form that can hold
 * them.
 */
#include "notify/format_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOUDEVENTS_STRUCTURED "application/cloudevents+json; charset=utf-8"
#define CLOUDEVENTS_BATCH "application/cloudevents-batch+json; charset=utf-8"
#define CLOUDEVENTS_BODY_MAX (64 << 20)
#define CLOUDEVENTS_VALUE_MAX 4096

static int
structured(const struct format_event *event, struct format_request *out,
    struct err *err)
{
	struct buf body = BUF_INIT(CLOUDEVENTS_BODY_MAX);

	(void)buf_adds(&body, event->body);
	format_set_type(out, CLOUDEVENTS_STRUCTURED);
	return format_set_body(out, &body, err);
}

static int
batched(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	struct buf body = BUF_INIT(CLOUDEVENTS_BODY_MAX);

	(void)buf_adds(&body, "[");
	for (size_t i = 0; i < in->count; i++) {
		if (i > 0)
			(void)buf_adds(&body, ",");
		(void)buf_adds(&body, in->events[i].body);
	}
	(void)buf_adds(&body, "]");
	format_set_type(out, CLOUDEVENTS_BATCH);
	return format_set_body(out, &body, err);
}

/* ---- binary ---- */

/* Section 3.1.3.2: all but printable ASCII without space, '"' and '%' is
 * encoded, byte by byte of its UTF-8. */
static int
add_attribute(struct format_request *out, const char *key, const char *value,
    struct err *err)
{
	struct buf text = BUF_INIT(CLOUDEVENTS_VALUE_MAX);
	char name[64];
	int rc;

	for (const char *p = value; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c > 0x20 && c < 0x7f && c != '"' && c != '%')
			(void)buf_add(&text, p, 1);
		else
			(void)buf_addf(&text, "%%%02X", c);
	}
	(void)snprintf(name, sizeof(name), "ce-%s", key);
	rc = text.overflow
	    ? err_set(err, ERR_LIMIT, "the attribute %s is too long", key)
	    : format_add_header(out, name, buf_str(&text), err);
	buf_free(&text);
	return rc;
}

/* Attributes' names have lower case letters and digits alone (section 3.1 of
 * the specification), so nothing else can be one. */
static bool
is_attribute(const char *key)
{
	return strcmp(key, "data") != 0 && strcmp(key, "data_base64") != 0 &&
	    strcmp(key, "datacontenttype") != 0 && strlen(key) < 40 &&
	    strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(key);
}

static int
add_attributes(struct format_request *out, const json_t *event, struct err *err)
{
	const char *key;
	json_t *value;
	char number[32];

	json_object_foreach((json_t *)(uintptr_t)event, key, value)
	{
		const char *text = json_string_value(value);

		if (json_is_boolean(value))
			text = json_is_true(value) ? "true" : "false";
		if (json_is_integer(value)) {
			(void)snprintf(number, sizeof(number),
			    "%" JSON_INTEGER_FORMAT, json_integer_value(value));
			text = number;
		}
		if (text != NULL && is_attribute(key) &&
		    add_attribute(out, key, text, err) < 0)
			return -1;
	}
	return 0;
}

static int
binary(const struct format_event *event, struct format_request *out,
    struct err *err)
{
	json_error_t why;
	json_t *root = json_loads(event->body, 0, &why), *data;
	const char *type;
	int rc;

	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, ERR_INVALID,
		    "event %s: its body is not a CloudEvent", event->id);
	}
	type = json_string_value(json_object_get(root, "datacontenttype"));
	if (type != NULL && strpbrk(type, "\r\n") == NULL)
		format_set_type(out, type);
	data = json_object_get(root, "data");
	rc = add_attributes(out, root, err);
	if (rc == 0)
		rc = format_set_json(out,
		    data != NULL && !json_is_null(data) ? json_incref(data)
							: json_object(),
		    err);
	json_decref(root);
	return rc;
}

int
format_cloudevents(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	if (in->receiver->mode == RECEIVER_BATCHED || in->count != 1)
		return batched(in, out, err);
	if (in->receiver->mode == RECEIVER_BINARY)
		return binary(&in->events[0], out, err);
	return structured(&in->events[0], out, err);
}
