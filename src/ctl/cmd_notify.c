/*
 * Commands on receivers and on what is to be delivered to them.
 *
 * "again" and "no more" take numbers, or with --dead or --pending the name of a
 * receiver, whose deliveries are all meant then.  Of several numbers each is
 * done for itself, and the worst exit status is that of the command.
 */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"

#define PATH_MAX_BYTES 8192
#define TEST_TIMEOUT_MS (10 * 60 * 1000) /* the receiver's own comes first */
#define ROWS 50

int
ctl_notify_list(struct ctl *ctl)
{
	return ctl_show(
	    ctl, "/v1/receivers", "receivers", "name", render_receivers);
}

/* A list of the newest, of all receivers or of the one that is named. */
static int
show_rows(struct ctl *ctl, const char *head, const char *list, const char *name,
    void (*render)(const json_t *, const struct style *, bool, struct buf *))
{
	const struct args *args = &ctl->args;
	cleanup_free char *receiver = args->operand_count > 0
	    ? ctl_path("&receiver=", args->operands[0], "")
	    : NULL;
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	int status;

	buf_addf(&path, "%smax=%d%s", head, args->max > 0 ? args->max : ROWS,
	    receiver != NULL ? receiver : "");
	status = ctl_show(ctl, buf_str(&path), list, name, render);
	buf_free(&path);
	return status;
}

int
ctl_notify_queue(struct ctl *ctl)
{
	return show_rows(ctl,
	    ctl->args.given & ARGS_DEAD ? "/v1/deliveries?state=dead&"
					: "/v1/deliveries?state=pending&",
	    "deliveries", "id", render_deliveries);
}

int
ctl_notify_log(struct ctl *ctl)
{
	return show_rows(
	    ctl, "/v1/attempts?", "attempts", "delivery", render_attempts);
}

int
ctl_notify_show(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/deliveries/", ctl->args.operands[0], "");

	return ctl_show(ctl, path, NULL, "id", render_delivery);
}

int
ctl_notify_test(struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];
	cleanup_free char *path = ctl_path("/v1/receivers/", name, "/test");
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *answer, *body = NULL;
	bool ok;

	http_set_timeout(ctl->http, TEST_TIMEOUT_MS);
	if (ctl->args.event != NULL)
		body = json_pack("{s:s}", "event", ctl->args.event);
	answer = ctl_ask(ctl, "POST", path, body, &status);
	if (answer == NULL)
		return status == CTL_USAGE ? CTL_FAILED : status;
	ok = field_bool(answer, "ok");
	if (ctl->args.output == ARGS_JSON) {
		ctl_print_json(answer);
	} else {
		render_test(answer, &out);
		if (!ok) {
			out.data[out.len - 1] = '\0';
			ctl_say("%s", buf_str(&out));
			buf_clear(&out);
		}
	}
	ctl_print(&out);
	json_decref(answer);
	return ok ? CTL_DONE : CTL_FAILED;
}

/* Frees the answer. */
static void
print_change(struct ctl *ctl, json_t *answer, const char *name,
    void (*say)(const json_t *answer, struct buf *out))
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);

	if (ctl->args.output == ARGS_JSON) {
		ctl_print_json(answer);
	} else if (ctl->args.output == ARGS_NAME) {
		text_add(&out, name);
		buf_adds(&out, "\n");
	} else {
		say(answer, &out);
	}
	ctl_print(&out);
	json_decref(answer);
}

/* The daemon does some thousands at a time, and says how many are left.  No
 * more than there were at first: they may have come back meanwhile. */
static int
change_all(struct ctl *ctl, const char *path, const char *state,
    const char *count, void (*say)(const json_t *answer, struct buf *out))
{
	int64_t all = 0, done = 0, step, left;
	int status = CTL_DONE;
	json_t *last = NULL;

	do {
		json_t *body =
		    state != NULL ? json_pack("{s:s}", "state", state) : NULL;
		json_t *answer = ctl_ask(ctl, "POST", path, body, &status);

		if (answer == NULL)
			break;
		json_decref(last);
		last = answer;
		step = field_count(answer, count);
		left = field_count(answer, "left");
		if (done == 0)
			all = step + left;
		done += step;
	} while (step > 0 && left > 0 && done < all);
	if (last == NULL)
		return status;
	(void)json_object_set_new(last, count, json_integer(done));
	print_change(ctl, last, ctl->args.operands[0], say);
	return status;
}

static int
change_each(struct ctl *ctl, const char *tail,
    void (*say)(const json_t *answer, struct buf *out))
{
	int worst = CTL_DONE;

	for (int i = 0; i < ctl->args.operand_count; i++) {
		const char *id = ctl->args.operands[i];
		cleanup_free char *path = ctl_path("/v1/deliveries/", id, tail);
		int status = CTL_DONE;
		json_t *answer = ctl_ask(ctl, "POST", path, NULL, &status);

		if (answer != NULL)
			print_change(ctl, answer, id, say);
		if (status == CTL_NO_DAEMON || status == CTL_DETACHED)
			return status;
		worst = status > worst ? status : worst;
	}
	return worst;
}

/* With --dead or --pending, the one operand is a receiver. */
static bool
is_one(const struct ctl *ctl, const char *option)
{
	if (ctl->args.operand_count == 1)
		return true;
	ctl_say("%s takes the name of one receiver", option);
	return false;
}

int
ctl_notify_replay(struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];
	cleanup_free char *path = ctl_path("/v1/receivers/", name, "/replay");

	if (!(ctl->args.given & ARGS_DEAD))
		return change_each(ctl, "/replay", render_replayed);
	if (!is_one(ctl, "--dead"))
		return CTL_USAGE;
	return change_all(ctl, path, NULL, "replayed", render_replayed);
}

int
ctl_notify_drop(struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];
	cleanup_free char *path = ctl_path("/v1/receivers/", name, "/drop");
	bool dead = ctl->args.given & ARGS_DEAD;

	if (dead && (ctl->args.given & ARGS_PENDING)) {
		ctl_say("--dead and --pending exclude each other");
		return CTL_USAGE;
	}
	if (!dead && !(ctl->args.given & ARGS_PENDING))
		return change_each(ctl, "/drop", render_dropped);
	if (!is_one(ctl, dead ? "--dead" : "--pending"))
		return CTL_USAGE;
	return change_all(ctl, path, dead ? "dead" : "pending",
	    dead ? "deleted" : "dropped", render_dropped);
}
