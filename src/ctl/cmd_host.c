/*
 * Commands on hosts, above all the one that Drover is for.  A drain of several
 * hosts is started for all of them before any is waited for, and one that
 * cannot be started does not keep the others from it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/watch.h"

int
ctl_host_list(struct ctl *ctl)
{
	return ctl_show(ctl, "/v1/hosts", "hosts", "name", render_hosts);
}

int
ctl_host_show(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/hosts/", ctl->args.operands[0], "");

	return ctl_show(ctl, path, NULL, "name", render_host);
}

/* ---- plans ---- */

/* NULL: none was given.  A time of the day is the next one. */
static const char *
deadline_text(const struct ctl *ctl, char out[CLOCK_RFC3339_SIZE])
{
	time_t now = time(NULL);
	struct wall at = {(int64_t)now * 1000 + ctl->args.deadline_ms};
	struct tm day;

	if ((ctl->args.given & ARGS_DEADLINE) == 0)
		return NULL;
	if (ctl->args.deadline_minute >= 0 && localtime_r(&now, &day) != NULL) {
		day.tm_hour = ctl->args.deadline_minute / 60;
		day.tm_min = ctl->args.deadline_minute % 60;
		day.tm_sec = 0;
		day.tm_isdst = -1;
		if (mktime(&day) <= now) {
			day.tm_mday++;
			day.tm_isdst = -1;
		}
		at.ms = (int64_t)mktime(&day) * 1000;
	}
	wall_format(at, out);
	return out;
}

static char *
plan_path(const struct ctl *ctl, const char *host)
{
	cleanup_free char *base = ctl_path("/v1/plan/drain/", host, "");
	cleanup_free char *to =
	    ctl->args.to != NULL ? ctl_path("&to=", ctl->args.to, "") : NULL;
	struct buf path = BUF_INIT(16384);
	char deadline[CLOCK_RFC3339_SIZE];

	buf_adds(&path, base);
	if (ctl->args.parallel >= 0)
		buf_addf(&path, "&parallel=%d", ctl->args.parallel);
	if (to != NULL)
		buf_adds(&path, to);
	if (ctl->args.given & ARGS_STOPPED)
		buf_adds(&path, "&include_stopped=1");
	if (deadline_text(ctl, deadline) != NULL)
		buf_addf(&path, "&deadline=%s", deadline);
	/* The first of them begins the query. */
	if (strchr(buf_str(&path), '&') != NULL)
		*strchr(path.data, '&') = '?';
	return buf_steal(&path);
}

static int
show_plan(struct ctl *ctl, const char *host)
{
	cleanup_free char *path = plan_path(ctl, host);
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *plan = ctl_ask(ctl, "GET", path, NULL, &status);
	const json_t *step;
	size_t i;

	if (plan == NULL)
		return status;
	switch (ctl->args.output) {
	case ARGS_JSON:
		ctl_print_json(plan);
		break;
	case ARGS_NAME:
		json_array_foreach(json_object_get(plan, "steps"), i, step)
		    buf_addf(&out, "%s\n", field_text_or(step, "vm", "-"));
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		render_plan(
		    plan, &ctl->style, ctl->args.output == ARGS_WIDE, &out);
		break;
	}
	ctl_print(&out);
	status = field_count(plan, "blocked") > 0 ? CTL_PARTLY : CTL_DONE;
	json_decref(plan);
	return status;
}

int
ctl_plan_drain(struct ctl *ctl)
{
	return show_plan(ctl, ctl->args.operands[0]);
}

/* ---- drains ---- */

static json_t *
drain_body(const struct ctl *ctl)
{
	json_t *body = json_object();
	char deadline[CLOCK_RFC3339_SIZE];

	if (deadline_text(ctl, deadline) != NULL)
		json_object_set_new(body, "deadline", json_string(deadline));
	if (ctl->args.parallel >= 0)
		json_object_set_new(
		    body, "parallel", json_integer(ctl->args.parallel));
	if (ctl->args.to != NULL)
		json_object_set_new(body, "to", json_string(ctl->args.to));
	if (ctl->args.reason != NULL)
		json_object_set_new(
		    body, "reason", json_string(ctl->args.reason));
	if (ctl->args.given & ARGS_FORCE_OFF)
		json_object_set_new(body, "force_off", json_true());
	if (ctl->args.given & ARGS_STOPPED)
		json_object_set_new(body, "include_stopped", json_true());
	if (ctl->args.given & ARGS_RETURN_HOME)
		json_object_set_new(body, "return_home", json_true());
	return body;
}

/* Asks for each drain that runs; one that has ended stays as it was. */
static json_t *
poll_drains(struct ctl *ctl, void *arg, struct http_reply *reply)
{
	json_t *drains = arg, *drain;
	size_t i;

	json_array_foreach(drains, i, drain)
	{
		char path[64];

		if (strcmp(field_text_or(drain, "state", ""), "running") != 0 &&
		    json_object_get(drain, "vms") != NULL)
			continue;
		snprintf(path, sizeof(path), "/v1/drains/%lld",
		    (long long)field_int(drain, "id"));
		http_ask(ctl->http, "GET", path, NULL, reply);
		if (reply->outcome != HTTP_DONE)
			return NULL;
		json_array_set(drains, i, reply->body);
		http_reply_free(reply);
	}
	return json_copy(drains);
}

static void
advise_drains(const json_t *drains, struct buf *out)
{
	const json_t *drain;
	size_t i;

	json_array_foreach(drains, i, drain)
	{
		const char *host = field_text_or(drain, "host", "-");

		if (strcmp(field_text_or(drain, "state", "running"),
			"running") != 0)
			continue;
		buf_addf(out,
		    "%s: the drain goes on: %lld of %lld moved; "
		    "watch it with \"droverctl host drain %s\", stop it with "
		    "\"droverctl host undrain %s\"\n",
		    host, (long long)field_count(drain, "moved"),
		    (long long)field_count(drain, "total"), host, host);
	}
}

/* `seen` is what was said while waiting (NULL: nothing). */
static int
show_ends(struct ctl *ctl, const json_t *seen, const json_t *drains)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	const json_t *drain;
	size_t i;

	json_array_foreach(drains, i, drain)
	{
		status = watch_worse(status, watch_drain_exit(drain));
		switch (ctl->args.output) {
		case ARGS_JSON:
			ctl_print_json(drain);
			break;
		case ARGS_NAME:
			buf_addf(
			    &out, "%lld\n", (long long)field_int(drain, "id"));
			break;
		case ARGS_TABLE:
		case ARGS_WIDE:
			render_drain_blocked(
			    json_array_get(seen, i), drain, &ctl->style, &out);
			render_drain_summary(drain, &ctl->style, &out);
			break;
		}
	}
	ctl_print(&out);
	return status;
}

static int
wait_for_drains(struct ctl *ctl, json_t *drains)
{
	json_t *first = json_copy(drains), *last = NULL;
	struct watch watch = {poll_drains, drains, first, advise_drains};
	int status = watch_run(ctl, &watch, &last);

	/* Line by line, what blocks a guest was said when it came up. */
	if (status == CTL_DONE)
		status = show_ends(ctl, ctl->live ? NULL : last, last);
	else if (last != NULL && ctl->args.output == ARGS_JSON)
		show_ends(ctl, NULL, last); /* as far as it came */
	json_decref(first);
	json_decref(last);
	return status;
}

static void
show_started(struct ctl *ctl, const json_t *drains)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	const json_t *drain;
	size_t i;

	json_array_foreach(drains, i, drain)
	{
		const char *host = field_text_or(drain, "host", "-");
		char text[TEXT_SIZE];

		switch (ctl->args.output) {
		case ARGS_JSON:
			ctl_print_json(drain);
			break;
		case ARGS_NAME:
			buf_addf(
			    &out, "%lld\n", (long long)field_int(drain, "id"));
			break;
		case ARGS_TABLE:
		case ARGS_WIDE:
			buf_addf(&out,
			    "%s: draining: %s; watch it with "
			    "\"droverctl host drain %s\"\n",
			    host,
			    text_plural(
				field_count(drain, "total"), "guest", text),
			    host);
			break;
		}
	}
	ctl_print(&out);
}

/* Said at the beginning, while one could still think again. */
static void
show_outlook(struct ctl *ctl, const json_t *drain)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);

	if (ctl->args.output == ARGS_TABLE || ctl->args.output == ARGS_WIDE)
		render_outlook(drain, &ctl->style, &out);
	ctl_print(&out);
}

int
ctl_host_drain(struct ctl *ctl)
{
	json_t *drains = json_array();
	int status = CTL_DONE, one;

	for (int i = 0; i < ctl->args.operand_count; i++) {
		const char *host = ctl->args.operands[i];
		cleanup_free char *path =
		    ctl_path("/v1/hosts/", host, "/drain");
		json_t *drain;

		one = CTL_DONE;
		if (ctl->args.given & ARGS_DRY_RUN) {
			one = show_plan(ctl, host);
		} else {
			drain =
			    ctl_ask(ctl, "POST", path, drain_body(ctl), &one);
			if (drain != NULL) {
				show_outlook(ctl, drain);
				json_array_append_new(drains, drain);
			}
		}
		status = watch_worse(status, one);
		if (one == CTL_NO_DAEMON)
			break;
	}
	if (ctl->args.given & ARGS_NO_WAIT)
		show_started(ctl, drains);
	else if (json_array_size(drains) > 0)
		status = watch_worse(status, wait_for_drains(ctl, drains));
	json_decref(drains);
	return status;
}

/* ---- flags ---- */

/* POSTs to each host that is named, and says what it is now. */
static int
for_each_host(
    struct ctl *ctl, const char *action, const char *done, bool with_reason)
{
	int status = CTL_DONE, one;

	for (int i = 0; i < ctl->args.operand_count; i++) {
		const char *name = ctl->args.operands[i];
		cleanup_free char *path = ctl_path("/v1/hosts/", name, action);
		json_t *body = json_object(), *host;

		one = CTL_DONE;
		if (with_reason && ctl->args.reason != NULL)
			json_object_set_new(
			    body, "reason", json_string(ctl->args.reason));
		host = ctl_ask(ctl, "POST", path, body, &one);
		status = watch_worse(status, one);
		if (host == NULL && one == CTL_NO_DAEMON)
			break;
		if (host == NULL)
			continue;
		if (ctl->args.output == ARGS_JSON)
			ctl_print_json(host);
		else if (ctl->args.output == ARGS_NAME)
			printf("%s\n", name);
		else
			printf("%s: %s\n", name, done);
		json_decref(host);
	}
	return status;
}

int
ctl_host_undrain(struct ctl *ctl)
{
	return for_each_host(ctl, "/undrain", "takes guests again", false);
}

int
ctl_host_cordon(struct ctl *ctl)
{
	return for_each_host(
	    ctl, "/cordon", "cordoned: takes no more guests", true);
}

int
ctl_host_uncordon(struct ctl *ctl)
{
	return for_each_host(
	    ctl, "/uncordon", "uncordoned: takes guests again", false);
}
