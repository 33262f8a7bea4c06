/*
 * Asking again and again, rather than following events: the state that is shown
 * is then always a whole one, a daemon that was restarted in between needs
 * nothing special, and 200 ms are no load on either side.
 *
 * A daemon that goes away is waited for.  It continues a drain by itself after
 * a restart (an upgrade, say), so the one thing that would be wrong is to tell
 * a script that the drain failed.
 */

#include "ctl/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/term.h"

struct view {
	struct ctl *ctl;
	const struct watch *watch;
	struct mono started;
	struct progress *progress;
	struct term_frame frame;
	json_t *last; /* what was shown; NULL: nothing yet */
	bool gone;
	struct mono gone_since;
};

int
watch_worse(int a, int b)
{
	static const int order[] = {CTL_DONE, CTL_PARTLY, CTL_TIMED_OUT,
	    CTL_FAILED, CTL_INVALID, CTL_USAGE, CTL_NO_DAEMON, CTL_DETACHED};
	size_t at_a = 0, at_b = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (order[i] == a)
			at_a = i;
		if (order[i] == b)
			at_b = i;
	}
	return at_a >= at_b ? a : b;
}

int
watch_drain_exit(const json_t *drain)
{
	const char *state = field_text_or(drain, "state", "");

	if (strcmp(state, "done") == 0)
		return CTL_DONE;
	if (strcmp(state, "blocked") == 0)
		return CTL_PARTLY;
	return CTL_FAILED;
}

int
watch_move_exit(const json_t *move)
{
	return strcmp(field_text_or(move, "outcome", ""), "completed") == 0
	    ? CTL_DONE
	    : CTL_FAILED;
}

static bool
shows_progress(const struct ctl *ctl)
{
	return ctl->args.output == ARGS_TABLE || ctl->args.output == ARGS_WIDE;
}

/* What a drain as a whole has to say, when any has. */
static const char *
drain_notice(const json_t *drains)
{
	const json_t *drain;
	size_t i;

	json_array_foreach(drains, i, drain) if (field_text(drain, "why") !=
	    NULL) return field_text(drain, "why");
	return NULL;
}

static void
draw_frame(struct view *view, const char *notice)
{
	struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);

	if (notice == NULL)
		notice = drain_notice(view->last);
	term_measure(&view->ctl->style);
	progress_render(view->progress, view->last,
	    mono_diff(clock_mono_now(), view->started), notice,
	    &view->ctl->style, &text);
	term_redraw(&view->frame, &view->ctl->style, buf_str(&text), &out);
	ctl_print(&out);
	buf_free(&text);
}

static void
print_changes(const json_t *before, const json_t *now)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	const json_t *drain;
	size_t i;

	json_array_foreach(now, i, drain)
	    render_drain_changes(json_array_get(before, i), drain, &out);
	ctl_print(&out);
}

/* Takes `now`. */
static void
show(struct view *view, json_t *now)
{
	json_t *before = view->last;

	view->last = now;
	if (!shows_progress(view->ctl))
		;
	else if (view->ctl->live)
		draw_frame(view, NULL);
	else
		print_changes(before, now);
	json_decref(before);
}

static bool
has_ended(const json_t *drains)
{
	const json_t *drain;
	size_t i;

	json_array_foreach(drains, i,
	    drain) if (strcmp(field_text_or(drain, "state", "running"),
			   "running") == 0) return false;
	return true;
}

static void
advise(struct view *view)
{
	struct buf text = BUF_INIT(65536);
	const char *line;

	if (view->last == NULL)
		return;
	view->watch->advise(view->last, &text);
	for (line = buf_str(&text); *line != '\0';) {
		int len = (int)strcspn(line, "\n");

		ctl_say("%.*s", len, line);
		line += len + (line[len] == '\n');
	}
	buf_free(&text);
}

static void
say_gone(struct view *view, const char *text)
{
	if (shows_progress(view->ctl) && view->ctl->live && view->last != NULL)
		draw_frame(view, text);
	else if (!view->gone)
		ctl_say("%s", text);
}

/* -1: go on; else the exit status. */
static int
take_failure(struct view *view, const struct http_reply *reply)
{
	bool busy = reply->outcome == HTTP_REFUSED && reply->status == 503;

	if (reply->outcome == HTTP_INTERRUPTED)
		return -1;
	if (reply->outcome != HTTP_GONE && !busy)
		return ctl_explain(view->ctl, reply);
	say_gone(view,
	    busy ? reply->err.msg
		: reply->err.code == ERR_TIMEOUT
		? "droverd does not answer, waiting for it"
		: "droverd is gone, waiting for it to come back");
	if (!view->gone) {
		view->gone = true;
		view->gone_since = clock_mono_now();
	}
	if (mono_diff(clock_mono_now(), view->gone_since) < WATCH_GONE_MS)
		return -1;
	ctl_say("droverd did not come back; it goes on when it is started "
		"again");
	return ctl_explain(view->ctl, reply);
}

/* -1: go on; else the exit status. */
static int
look(struct view *view, int64_t patience_ms)
{
	struct http_reply reply = {0};
	json_t *now;
	int status;

	/* A daemon that is well answers in time; give it the chance. */
	if (patience_ms < WATCH_LEAST_MS)
		patience_ms = WATCH_LEAST_MS;
	http_set_timeout(view->ctl->http,
	    patience_ms < WATCH_ANSWER_MS ? patience_ms : WATCH_ANSWER_MS);
	now = view->watch->poll(view->ctl, view->watch->arg, &reply);
	if (now == NULL) {
		status = take_failure(view, &reply);
		http_reply_free(&reply);
		return status;
	}
	http_reply_free(&reply);
	if (view->gone && !(view->ctl->live && shows_progress(view->ctl)))
		ctl_say("droverd is back");
	view->gone = false;
	show(view, now);
	return has_ended(now) ? CTL_DONE : -1;
}

static int
detach(struct view *view)
{
	/* The terminal has shown ^C where the cursor was. */
	if (view->ctl->live && shows_progress(view->ctl)) {
		printf("\r\033[K");
		fflush(stdout);
	}
	advise(view);
	return CTL_DETACHED;
}

static int
time_out(struct view *view)
{
	char text[TEXT_SIZE];

	ctl_say("timed out after %s",
	    text_duration(view->ctl->args.timeout_ms, text));
	advise(view);
	return CTL_TIMED_OUT;
}

static int
wait_for_end(struct view *view)
{
	int64_t timeout = view->ctl->args.timeout_ms, left = INT64_MAX;
	struct mono next = view->started;
	int status;

	for (;;) {
		if (timeout >= 0)
			left = timeout -
			    mono_diff(clock_mono_now(), view->started);
		if (term_stop)
			return detach(view);
		if (left < 0)
			return time_out(view);
		status = look(view, left);
		if (term_stop && status != CTL_DONE)
			return detach(view);
		if (status >= 0)
			return status;
		next = mono_add(clock_mono_now(), WATCH_INTERVAL_MS);
		if (timeout >= 0 &&
		    mono_before(mono_add(view->started, timeout + 1), next))
			next = mono_add(view->started, timeout + 1);
		term_sleep(mono_diff(next, clock_mono_now()));
	}
}

int
watch_run(struct ctl *ctl, const struct watch *watch, json_t **out_last)
{
	struct view *view = calloc(1, sizeof(*view));
	int status;

	if (view == NULL)
		abort();
	view->ctl = ctl;
	view->watch = watch;
	view->started = clock_mono_now();
	view->progress = progress_new();
	term_catch_signals();
	if (watch->first != NULL)
		show(view, json_incref(watch->first));
	status = wait_for_end(view);
	term_release_signals();
	http_set_timeout(ctl->http, HTTP_TIMEOUT_MS);
	*out_last = view->last;
	progress_free(view->progress);
	free(view);
	return status;
}
