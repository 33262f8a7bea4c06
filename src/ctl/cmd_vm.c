/* Commands on guests. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/render.h"
#include "ctl/watch.h"
#include "ctl/watch_moves.h"

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

int
ctl_vm_move(struct ctl *ctl)
{
	cleanup_free char *path =
	    ctl_path("/v1/vms/", ctl->args.operands[0], "/move");
	int status = CTL_DONE;
	json_t *move = ctl_ask(ctl, "POST", path, move_body(ctl), &status);

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
