/* The command that asks for reasons. */

#include <stdlib.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/render.h"

int
ctl_explain_name(struct ctl *ctl)
{
	cleanup_free char *to =
	    ctl->args.to != NULL ? ctl_path("?to=", ctl->args.to, "") : NULL;
	cleanup_free char *path = ctl_path(
	    "/v1/explain/", ctl->args.operands[0], to != NULL ? to : "");

	return ctl_show(ctl, path, NULL, "to", render_explain);
}
