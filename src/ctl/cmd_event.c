/*
 * Events, those that are stored and those that come.  Following goes on over a
 * restart of the daemon and misses nothing: after a break it asks for what came
 * after the last event that it printed.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/stream.h"
#include "ctl/term.h"
#include "ctl/watch.h"

#define AGAIN_MS 500

int
ctl_event_list(struct ctl *ctl)
{
	char path[128], after[48] = "";

	if (ctl->args.since >= 0)
		snprintf(after, sizeof(after), "&after=%lld",
		    (long long)ctl->args.since);
	snprintf(path, sizeof(path), "/v1/events?follow=false&max=%d%s",
	    ctl->args.max > 0 ? ctl->args.max : 50, after);
	return ctl_show(ctl, path, "events", "seq", render_events);
}

static bool
print_event(const char *id, const char *data, void *arg)
{
	struct ctl *ctl = arg;
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	json_t *event;

	switch (ctl->args.output) {
	case ARGS_JSON:
		buf_addf(&out, "%s\n", data);
		break;
	case ARGS_NAME:
		buf_addf(&out, "%s\n", id);
		break;
	case ARGS_WIDE:
	case ARGS_TABLE:
		if (ctl->args.output == ARGS_WIDE)
			buf_addf(&out, "%6s  ", id);
		event = json_loads(data, 0, NULL);
		render_event(event, &ctl->style, &out);
		json_decref(event);
		break;
	}
	ctl_print(&out);
	return !ferror(stdout);
}

static bool
feed(const char *data, size_t len, void *arg)
{
	return stream_feed(arg, data, len);
}

/* One connection, until it breaks. */
static void
follow_once(struct ctl *ctl, struct stream *stream, struct http_reply *reply)
{
	char path[64] = "/v1/events", header[96];

	if (stream->id[0] == '\0' && ctl->args.since >= 0)
		snprintf(path, sizeof(path), "/v1/events?after=%lld",
		    (long long)ctl->args.since);
	snprintf(header, sizeof(header), "Last-Event-ID: %s", stream->id);
	http_stream(ctl->http, path, stream->id[0] != '\0' ? header : NULL,
	    feed, stream, reply);
	stream_reset(stream);
}

/* Where following begins, so that a break before the first event loses none:
 * -1 when that is not known. */
static int
find_start(struct ctl *ctl, struct stream *stream)
{
	int status = CTL_DONE;
	json_t *answer;

	if (ctl->args.since >= 0)
		return CTL_DONE;
	answer =
	    ctl_ask(ctl, "GET", "/v1/events?follow=false&max=1", NULL, &status);
	if (answer != NULL)
		snprintf(stream->id, sizeof(stream->id), "%lld",
		    (long long)field_count(answer, "last"));
	json_decref(answer);
	return status;
}

static int
follow(struct ctl *ctl, struct stream *stream)
{
	struct mono seen = clock_mono_now();
	bool told = false;

	for (;;) {
		struct http_reply reply;
		int status;

		follow_once(ctl, stream, &reply);
		status = ctl_exit_of(&reply);
		/* 200: it had been going on until now. */
		if (reply.status == 200) {
			seen = clock_mono_now();
			told = false;
		}
		if (reply.outcome != HTTP_GONE ||
		    mono_diff(clock_mono_now(), seen) > WATCH_GONE_MS) {
			ctl_explain(ctl, &reply);
			http_reply_free(&reply);
			return status;
		}
		http_reply_free(&reply);
		if (!told)
			ctl_say("droverd is gone, waiting for it to come "
				"back");
		told = true;
		term_sleep(AGAIN_MS);
		if (term_stop)
			return CTL_DETACHED;
	}
}

int
ctl_event_follow(struct ctl *ctl)
{
	struct stream stream;
	int status;

	stream_init(&stream, print_event, ctl);
	term_catch_signals();
	status = find_start(ctl, &stream);
	if (status == CTL_DONE)
		status = follow(ctl, &stream);
	term_release_signals();
	stream_free(&stream);
	return status;
}
