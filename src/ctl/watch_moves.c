/*
 * Following moves outside of a drain.  They are kept in a list by id, in the
 * order in which they were first seen; one that is no longer open is asked for
 * once more, to learn how it ended.  To show them, the list is dressed up as a
 * drain without a host.
 */

#include "ctl/watch_moves.h"

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/watch.h"

struct moves {
	json_t *known; /* [move] */
	bool all;      /* look for new ones too */
};

static json_t *
as_drains(const json_t *moves)
{
	json_t *drains = json_array();

	json_array_append_new(drains, render_moves_as_drain(moves));
	return drains;
}

static json_t *
find_move(const json_t *moves, int64_t id)
{
	json_t *move;
	size_t i;

	json_array_foreach(
	    moves, i, move) if (field_int(move, "id") == id) return move;
	return NULL;
}

/* Takes the answer of one question out of `reply`; NULL when it failed. */
static json_t *
ask(struct ctl *ctl, const char *path, struct http_reply *reply)
{
	json_t *answer;

	http_ask(ctl->http, "GET", path, NULL, reply);
	if (reply->outcome != HTTP_DONE)
		return NULL;
	answer = json_incref(reply->body);
	http_reply_free(reply);
	return answer;
}

static bool
refresh_known(struct ctl *ctl, struct moves *moves, const json_t *open,
    struct http_reply *reply)
{
	json_t *move;
	size_t i;

	json_array_foreach(moves->known, i, move)
	{
		json_t *now = find_move(open, field_int(move, "id"));
		char path[64];

		if (field_text(move, "outcome") != NULL)
			continue;
		if (now != NULL) {
			json_array_set(moves->known, i, now);
			continue;
		}
		snprintf(path, sizeof(path), "/v1/moves/%lld",
		    (long long)field_int(move, "id"));
		now = ask(ctl, path, reply);
		if (now == NULL)
			return false;
		json_array_set_new(moves->known, i, now);
	}
	return true;
}

static json_t *
poll_moves(struct ctl *ctl, void *arg, struct http_reply *reply)
{
	struct moves *moves = arg;
	json_t *answer = NULL, *open = NULL, *move, *drains;
	bool fine;
	size_t i;

	if (moves->all) {
		answer = ask(ctl, "/v1/moves?open=1&max=1000", reply);
		if (answer == NULL)
			return NULL;
		open = json_object_get(answer, "moves");
	}
	fine = refresh_known(ctl, moves, open, reply);
	/* Listed newest first; shown in the order in which they began. */
	for (i = json_array_size(open); fine && i-- > 0;) {
		move = json_array_get(open, i);
		if (find_move(moves->known, field_int(move, "id")) == NULL)
			json_array_append(moves->known, move);
	}
	json_decref(answer);
	drains = fine ? as_drains(moves->known) : NULL;
	return drains;
}

static void
advise_moves(const json_t *drains, struct buf *out)
{
	const json_t *vms = json_object_get(json_array_get(drains, 0), "vms");
	const json_t *vm;
	size_t i;

	json_array_foreach(vms, i, vm)
	{
		const json_t *move = json_object_get(vm, "move");
		long long id = field_int(move, "id");

		if (field_text(move, "outcome") == NULL)
			buf_addf(out,
			    "%s: the move goes on; watch it with "
			    "\"droverctl move watch %lld\", stop it with "
			    "\"droverctl move abort %lld\"\n",
			    field_text_or(vm, "vm", "-"), id, id);
	}
}

static int
show_ends(struct ctl *ctl, const json_t *moves)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	json_t *drain = render_moves_as_drain(moves);
	int status = CTL_DONE;
	const json_t *move;
	size_t i;

	json_array_foreach(moves, i, move)
	{
		status = watch_worse(status, watch_move_exit(move));
		if (ctl->args.output == ARGS_JSON)
			ctl_print_json(move);
		else if (ctl->args.output == ARGS_NAME)
			buf_addf(
			    &out, "%lld\n", (long long)field_int(move, "id"));
	}
	/* A terminal has the frame, which cuts reasons; say them whole. */
	if (ctl->live && status != CTL_DONE &&
	    (ctl->args.output == ARGS_TABLE || ctl->args.output == ARGS_WIDE))
		render_drain_changes(NULL, drain, &out);
	ctl_print(&out);
	json_decref(drain);
	return status;
}

static int
run(struct ctl *ctl, struct moves *moves)
{
	struct watch watch = {poll_moves, moves, NULL, advise_moves};
	json_t *last = NULL;
	int status;

	if (json_array_size(moves->known) > 0)
		watch.first = as_drains(moves->known);
	status = watch_run(ctl, &watch, &last);
	if (status == CTL_DONE && json_array_size(moves->known) == 0 &&
	    ctl->args.output != ARGS_JSON)
		ctl_say("no move is in flight");
	if (status == CTL_DONE)
		status = show_ends(ctl, moves->known);
	json_decref(watch.first);
	json_decref(last);
	return status;
}

int
watch_move(struct ctl *ctl, const json_t *move)
{
	struct moves moves = {json_array(), false};
	int status;

	json_array_append_new(moves.known, json_deep_copy(move));
	status = run(ctl, &moves);
	json_decref(moves.known);
	return status;
}

int
watch_all_moves(struct ctl *ctl)
{
	struct moves moves = {json_array(), true};
	int status = run(ctl, &moves);

	json_decref(moves.known);
	return status;
}
