/* status and reload. */

#include "ctl/ctl.h"
#include "ctl/render.h"

int
ctl_status(struct ctl *ctl)
{
	return ctl_show(ctl, "/v1/status", NULL, NULL, render_status);
}

int
ctl_reload(struct ctl *ctl)
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *answer = ctl_ask(ctl, "POST", "/v1/reload", NULL, &status);

	if (answer == NULL)
		return status == CTL_USAGE ? CTL_INVALID : status;
	if (ctl->args.output == ARGS_JSON)
		ctl_print_json(answer);
	else
		buf_adds(&out, "reloaded\n");
	ctl_print(&out);
	json_decref(answer);
	return CTL_DONE;
}
