/* Commands on moves. */

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/watch_moves.h"

int
ctl_move_list(struct ctl *ctl)
{
	char path[64];

	snprintf(path, sizeof(path), "/v1/moves?max=%d%s",
	    ctl->args.max > 0 ? ctl->args.max : 20,
	    ctl->args.given & ARGS_OPEN ? "&open=1" : "");
	return ctl_show(ctl, path, "moves", "id", render_moves);
}

int
ctl_move_show(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/moves/", ctl->args.operands[0], "");

	return ctl_show(ctl, path, NULL, "id", render_move);
}

int
ctl_move_watch(struct ctl *ctl)
{
	int status = CTL_DONE;
	json_t *move;

	if (ctl->args.operand_count == 0)
		return watch_all_moves(ctl);
	{
		cleanup_free char *path =
		    ctl_path("/v1/moves/", ctl->args.operands[0], "");

		move = ctl_ask(ctl, "GET", path, NULL, &status);
	}
	if (move == NULL)
		return status;
	status = watch_move(ctl, move);
	json_decref(move);
	return status;
}

int
ctl_move_abort(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/moves/", ctl->args.operands[0], "/abort");
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *move = ctl_ask(ctl, "POST", path, NULL, &status);

	if (move == NULL)
		return status;
	if (ctl->args.output == ARGS_JSON)
		ctl_print_json(move);
	else if (ctl->args.output == ARGS_NAME)
		buf_addf(&out, "%s\n", ctl->args.operands[0]);
	else
		buf_addf(&out, "%s: aborting move %s\n",
		    field_text_or(move, "vm", "-"), ctl->args.operands[0]);
	ctl_print(&out);
	json_decref(move);
	return CTL_DONE;
}
