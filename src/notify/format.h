#ifndef DROVER_NOTIFY_FORMAT_H
#define DROVER_NOTIFY_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/receiver.h"

/*
 * From events to the request that a receiver understands.  Pure: no clock, no
 * network, no files.
 *
 * Names of guests and hosts, reasons and all else that comes from outside is
 * text of strangers: it is escaped for the receiver's markup, mentions nobody,
 * and is cut at the borders of UTF-8 characters with an ellipsis where the
 * receiver has limits.
 */

struct format_event {
	const char *id, *type;
	struct wall at;
	const char *body; /* the CloudEvent, JSON */
};

/* What of the receiver's secrets has to be in the request. */
struct format_secrets {
	const char *token;    /* NULL: none */
	const char *template; /* the template's text; NULL: none */
};

struct format_request {
	char *body;
	size_t len;
	const char *method; /* "POST" or "PUT"; constant */
	char *content_type;
	char **headers; /* "Name: value", without CR and LF */
	size_t header_count;
	char *path; /* appended to the URL; NULL: nothing */
};

/*
 * One request for `count` events of one receiver (more than one: a group or a
 * batch, oldest first).  1: this receiver has nothing to say about them, they
 * count as delivered.  0: *out is the caller's, see format_free.  -1: it can
 * never be sent, the error says why (ERR_LIMIT: fewer of them may fit).
 */
int format_events(const struct settings_receiver *receiver,
    const struct format_secrets *secrets, const struct format_event *events,
    size_t count, struct wall now, struct format_request *out, struct err *err);
void format_free(struct format_request *request);

/* One formatter: a row of the table in format.c. */
struct format_input {
	const struct settings_receiver *receiver;
	const struct format_secrets *secrets;
	const struct format_event *events;
	size_t count;
	struct wall now;
};
/* Fills body, len, and what differs from "POST", "application/json" and no
 * headers; returns as format_events. */
typedef int format_fn(
    const struct format_input *in, struct format_request *out, struct err *err);

/*
 * Would the template of a `custom` receiver do?  It is rendered with a sample of
 * each event that the receiver wants, and, where it collects events, with all
 * of them at once.  Returns how many there were; -1 with "move.failed: what".
 */
int format_custom_rehearse(const struct settings_receiver *receiver,
    const struct format_secrets *secrets, struct err *err);

/* format_cloudevents.c; format_slack.c (and mattermost); ... */
format_fn format_cloudevents, format_slack, format_mattermost, format_discord,
    format_teams, format_googlechat, format_ntfy, format_gotify,
    format_alertmanager, format_pagerduty, format_custom;

#endif
