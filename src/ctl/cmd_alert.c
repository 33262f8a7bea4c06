/* Commands on alerts. */

#include "ctl/ctl.h"
#include "ctl/render.h"

int
ctl_alert_list(struct ctl *ctl)
{
	return ctl_show(ctl, "/v1/alerts", "alerts", "name", render_alerts);
}
