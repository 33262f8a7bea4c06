/*
 * Alertmanager, API v2: a list of alerts, each of which is known by its labels.
 *
 * It believes an alert until its endsAt, so that a raise says when it ends unless
 * it is told again: that is what the keeper does (keeper.h), and why alerts of a
 * droverd that is gone go away.  The resolve says that it has ended, and gives no
 * start: Alertmanager keeps the one that it knows.
 *
 * A raise that comes so late that it would be over on arrival is not sent.  If
 * the condition is still on, the keeper has told of it since, and an alert that
 * is over would resolve that one.
 *
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
#include <stdlib.h>
#include <string.h>

#include "notify/state.h"

int64_t
alertmanager_holds_ms(const struct settings_receiver *receiver)
{
	int64_t resend = receiver->resend_ms;

	return ALERTMANAGER_MISSED *
	    (resend > 0 ? resend : ALERTMANAGER_RESEND_MS);
}

static const char *
alertmanager_severity(enum receiver_severity severity)
{
	switch (severity) {
	case RECEIVER_INFO:
		return "info";
	case RECEIVER_WARNING:
		return "warning";
	case RECEIVER_ERROR:
		return "critical";
	}
	return "critical";
}

static json_t *
alertmanager_labels(const struct state *state)
{
	json_t *labels = json_pack("{s:s, s:s, s:s}", "alertname",
	    state->is.name, "severity", alertmanager_severity(state->severity),
	    "site", state->site);

	if (state->label != NULL)
		(void)json_object_set_new(
		    labels, state->label, json_string(state->thing));
	return labels;
}

static void
alertmanager_set_time(json_t *alert, const char *key, struct wall t)
{
	char text[CLOCK_RFC3339_SIZE];

	wall_format(t, text);
	(void)json_object_set_new(alert, key, json_string(text));
}

json_t *
alertmanager_alert(const struct settings_receiver *receiver,
    const struct format_event *event, struct wall ends, struct err *err)
{
	char *summary, *text;
	struct state state;
	json_t *alert = NULL;

	if (state_read(event, &state, err) != 0)
		return NULL;
	if (state_describe(event, &summary, &text, err) != 0) {
		state_clear(&state);
		return NULL;
	}
	/* A label it must not be: guests are renamed. */
	alert = json_pack("{s:o, s:{s:s, s:s, s:s*}, s:s}", "labels",
	    alertmanager_labels(&state), "annotations", "summary", summary,
	    "description", text, "vm", state.guest, "generatorURL", "");
	if (state.is.effect == CATALOG_RESOLVES)
		ends = event->at;
	else if (ends.ms == 0)
		ends.ms = event->at.ms + alertmanager_holds_ms(receiver);
	if (state.is.effect == CATALOG_RAISES)
		alertmanager_set_time(alert, "startsAt", event->at);
	alertmanager_set_time(alert, "endsAt", ends);
	free(summary);
	free(text);
	state_clear(&state);
	return alert;
}

/* Is it a raise that nobody has to hear of any more? */
static bool
alertmanager_is_late(
    const struct format_input *in, const struct format_event *event)
{
	return event->at.ms + alertmanager_holds_ms(in->receiver) <= in->now.ms;
}

static int
alertmanager_add(json_t *list, const struct format_input *in,
    const struct format_event *event, struct err *err)
{
	struct err why = {0};
	json_t *alert =
	    alertmanager_alert(in->receiver, event, (struct wall){0}, &why);

	if (alert == NULL)
		return why.code == ERR_NONE
		    ? 0
		    : err_set(err, why.code, "%s", why.msg);
	if (json_object_get(alert, "startsAt") != NULL &&
	    alertmanager_is_late(in, event))
		json_decref(alert);
	else
		(void)json_array_append_new(list, alert);
	return 0;
}

int
format_alertmanager(
    const struct format_input *in, struct format_request *out, struct err *err)
{
	json_t *list = json_array();
	size_t count;

	for (size_t i = 0; i < in->count; i++) {
		if (alertmanager_add(list, in, &in->events[i], err) != 0) {
			json_decref(list);
			return -1;
		}
	}
	count = json_array_size(list);
	if (count > 0)
		out->body = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	if (count == 0)
		return 1;
	if (out->body == NULL)
		return err_set(err, ERR_IO, "memory is short");
	out->len = strlen(out->body);
	out->path = state_path(in->receiver->url, ALERTMANAGER_PATH);
	return 0;
}
