/* Commands on guests. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/term.h"
#include "ctl/watch.h"
#include "ctl/watch_moves.h"

/* How long, and how often, it is asked again whether a move can begin. */
#define BEGIN_TIMEOUT_MS 30000
#define BEGIN_AGAIN_MS 300

int
ctl_vm_list(struct ctl *ctl)
{
	return ctl_show(ctl, "/v1/vms", "vms", "name", render_vms);
}

int
ctl_vm_show(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/vms/", ctl->args.operands[0], "");

	return ctl_show(ctl, path, NULL, "name", render_vm);
}

static json_t *
move_body(const struct ctl *ctl)
{
	json_t *body = json_object();

	if (ctl->args.to != NULL)
		json_object_set_new(body, "to", json_string(ctl->args.to));
	if (ctl->args.strategy != NULL)
		json_object_set_new(
		    body, "strategy", json_string(ctl->args.strategy));
	if (ctl->args.given & ARGS_DRY_RUN)
		json_object_set_new(body, "dry_run", json_true());
	if (ctl->args.given & ARGS_FORCE)
		json_object_set_new(body, "force", json_true());
	return body;
}

static int
show_move_plan(struct ctl *ctl, const json_t *plan)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);

	switch (ctl->args.output) {
	case ARGS_JSON:
		ctl_print_json(plan);
		break;
	case ARGS_NAME:
		buf_addf(&out, "%s\n", field_text_or(plan, "to", "-"));
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		render_move_plan(plan, &ctl->style, false, &out);
		break;
	}
	ctl_print(&out);
	return field_text(plan, "to") != NULL ? CTL_DONE : CTL_PARTLY;
}

static void
show_started(struct ctl *ctl, const json_t *move)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	long long id = field_int(move, "id");

	if (ctl->args.output == ARGS_JSON)
		ctl_print_json(move);
	else if (ctl->args.output == ARGS_NAME)
		buf_addf(&out, "%lld\n", id);
	else {
		text_add(&out, field_text_or(move, "vm", "-"));
		buf_adds(&out, ": moving to ");
		text_add(&out, field_text_or(move, "to", "another host"));
		buf_addf(&out,
		    "; watch it with \"droverctl move watch "
		    "%lld\"\n",
		    id);
	}
	ctl_print(&out);
}

/* Of a daemon that has just been started, say, which is asking the hosts still. */
static bool
is_awaited(const struct http_reply *reply)
{
	return reply->outcome == HTTP_REFUSED &&
	    json_is_true(json_object_get(reply->body, "wait"));
}

/* Asks again while the daemon awaits an answer, up to --timeout, of which what
 * is left is for the move itself.  NULL as ctl_ask(). */
static json_t *
begin_move(struct ctl *ctl, const char *path, int *out_exit)
{
	int64_t timeout =
	    ctl->args.timeout_ms >= 0 ? ctl->args.timeout_ms : BEGIN_TIMEOUT_MS;
	struct mono began = clock_mono_now();
	json_t *body = move_body(ctl), *move;
	struct http_reply reply;
	char text[TEXT_SIZE];
	int64_t left = timeout;
	bool told = false;

	for (;;) {
		http_ask(ctl->http, "POST", path, body, &reply);
		left = timeout - mono_diff(clock_mono_now(), began);
		if (!is_awaited(&reply) || left <= 0)
			break;
		if (!told)
			ctl_say("%s; asking again for %s", reply.err.msg,
			    text_duration(timeout, text));
		told = true;
		http_reply_free(&reply);
		term_sleep(left < BEGIN_AGAIN_MS ? left : BEGIN_AGAIN_MS);
	}
	json_decref(body);
	if (ctl->args.timeout_ms >= 0)
		ctl->args.timeout_ms = left > 0 ? left : 0;
	if (reply.outcome == HTTP_DONE) {
		move = json_incref(reply.body);
	} else {
		move = NULL;
		*out_exit = ctl_explain(ctl, &reply);
		if (told)
			ctl_say("nothing was started in %s",
			    text_duration(
				mono_diff(clock_mono_now(), began), text));
	}
	http_reply_free(&reply);
	return move;
}

int
ctl_vm_move(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/vms/", ctl->args.operands[0], "/move");
	int status = CTL_DONE;
	json_t *move = begin_move(ctl, path, &status);

	if (move == NULL)
		return status;
	if (ctl->args.given & ARGS_DRY_RUN)
		status = show_move_plan(ctl, move);
	else if (ctl->args.given & ARGS_NO_WAIT)
		show_started(ctl, move);
	else
		status = watch_move(ctl, move);
	json_decref(move);
	return status;
}
