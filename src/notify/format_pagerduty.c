/*
 * PagerDuty, Events API v2: one event is one request, which opens an incident or
 * resolves it.  Both name it by their dedup_key, which comes from site and
 * condition.
 *
 * An incident that nobody resolves stays open, and the order of the two matters:
 * see conditions.h for who is told of a resolve.
 *
 * https://developer.pagerduty.com/docs/ZG9jOjExMDI5NTgx-send-an-alert-event
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/hash.h"
#include "notify/state.h"
#include "notify/text.h"

#define PAGERDUTY_PATH "/v2/enqueue"
#define PAGERDUTY_SUMMARY_MAX 1024
#define PAGERDUTY_KEY_MAX 255
#define PAGERDUTY_HASH_LEN 17 /* "~" and 16 digits */

/* Two things whose long names begin alike still have keys of their own. */
static void
pagerduty_key(const struct state *state, char out[PAGERDUTY_KEY_MAX + 1])
{
	char whole[sizeof(state->site) + sizeof(state->is.key) + 2];
	size_t n;

	(void)snprintf(
	    whole, sizeof(whole), "%s/%s", state->site, state->is.key);
	if (strlen(whole) <= PAGERDUTY_KEY_MAX) {
		(void)err_copy_line(out, PAGERDUTY_KEY_MAX + 1, whole);
		return;
	}
	n = err_copy_line(
	    out, PAGERDUTY_KEY_MAX + 1 - PAGERDUTY_HASH_LEN, whole);
	(void)snprintf(out + n, PAGERDUTY_KEY_MAX + 1 - n, "~%016" PRIx64,
	    hash_string(HASH_START, whole));
}

static const char *
pagerduty_severity(enum receiver_severity severity)
{
	return receiver_severity_name(severity);
}

/* Where it is wrong. */
static const char *
pagerduty_source(const struct state *state)
{
	const char *host =
	    json_string_value(json_object_get(state->data, "host"));

	if (host == NULL)
		host = json_string_value(json_object_get(state->data, "from"));
	return host != NULL && host[0] != '\0' ? host : state->site;
}

/* What is wrong; NULL: Drover itself. */
static const char *
pagerduty_component(const struct state *state)
{
	if (state->guest != NULL && state->guest[0] != '\0')
		return state->guest;
	return state->label != NULL ? state->thing : NULL;
}

static json_t *
pagerduty_payload(const struct state *state, const struct format_event *event,
    bool whole, struct err *err)
{
	struct buf cut = BUF_INIT((size_t)4 * PAGERDUTY_SUMMARY_MAX + 1);
	char *summary, *text, at[CLOCK_RFC3339_SIZE];
	json_t *payload, *details;

	if (state_describe(event, &summary, &text, err) != 0)
		return NULL;
	text_escape(
	    &cut, summary, TEXT_PLAIN, TEXT_CHARACTERS, PAGERDUTY_SUMMARY_MAX);
	wall_format(event->at, at);
	details = json_pack("{s:s, s:O*}", "description", text, "event",
	    whole ? state->data : NULL);
	payload = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:o}",
	    "summary", buf_str(&cut), "source", pagerduty_source(state),
	    "severity", pagerduty_severity(state->severity), "timestamp", at,
	    "group", state->site, "class", state->is.name, "component",
	    pagerduty_component(state), "custom_details", details);
	buf_free(&cut);
	free(summary);
	free(text);
	return payload;
}

/* `whole`: with all that the event says, as long as that may be. */
static char *
pagerduty_dump(const struct state *state, const struct format_event *event,
    const char *routing_key, bool whole, struct err *err)
{
	bool raises = state->is.effect == CATALOG_RAISES;
	char key[PAGERDUTY_KEY_MAX + 1], *body;
	json_t *payload = NULL, *request;

	if (raises) {
		payload = pagerduty_payload(state, event, whole, err);
		if (payload == NULL)
			return NULL;
	}
	pagerduty_key(state, key);
	request = json_pack("{s:s, s:s, s:s, s:s, s:o*}", "routing_key",
	    routing_key, "event_action", raises ? "trigger" : "resolve",
	    "dedup_key", key, "client", "Drover", "payload", payload);
	body = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (body == NULL)
		(void)err_set(err, ERR_IO, "memory is short");
	return body;
}

static int
pagerduty_write(const struct state *state, const struct format_event *event,
    const struct format_input *in, struct format_request *out, struct err *err)
{
	const char *token = in->secrets != NULL ? in->secrets->token : NULL;
	char *body;

	if (token == NULL || token[0] == '\0')
		return err_set(err, ERR_INVALID,
		    "PagerDuty wants a routing key: set token_file to a file "
		    "that holds it");
	body = pagerduty_dump(state, event, token, true, err);
	if (body != NULL &&
	    strlen(body) > receiver_kinds[RECEIVER_PAGERDUTY].body_max) {
		free(body);
		body = pagerduty_dump(state, event, token, false, err);
	}
	if (body == NULL)
		return -1;
	out->body = body;
	out->len = strlen(body);
	out->path = state_path(in->receiver->url, PAGERDUTY_PATH);
	return 0;
}

/* One request takes one event: of those of one condition the last counts. */
int
format_pagerduty(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	const struct format_event *last = NULL;
	struct state state = {0};
	int rc = 1;

	for (size_t i = 0; i < in->count; i++) {
		struct state next;

		rc = state_read(&in->events[i], &next, err);
		if (rc > 0)
			continue;
		if (rc == 0 && last != NULL &&
		    strcmp(state.is.key, next.is.key) != 0) {
			state_clear(&next);
			rc = err_set(err, ERR_INVALID,
			    "PagerDuty takes one event at a time: take "
			    "group_by out of the receiver");
		}
		if (rc < 0) {
			state_clear(&state);
			return -1;
		}
		state_clear(&state);
		state = next;
		last = &in->events[i];
	}
	if (last == NULL)
		return 1;
	rc = pagerduty_write(&state, last, in, out, err);
	state_clear(&state);
	return rc;
}
