/*
 * Evening out the load of the daemon's hosts, as a plan.  The daemon only says what
 * it sees; planning takes a second on a large site, and that is the time of
 * whoever asks and not of the loop that moves guests.
 */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/planning.h"
#include "plan/read.h"

int
ctl_plan_balance(struct ctl *ctl)
{
	/* With room for more than is taken, so that too much is seen. */
	struct buf text = BUF_INIT(PLAN_READ_SIZE_MAX + 65536);
	struct plan_cluster *cluster;
	struct arena *arena;
	int status = CTL_DONE;
	json_t *snapshot = ctl_ask(ctl, "GET", "/v1/snapshot", NULL, &status);

	if (snapshot == NULL)
		return status;
	{
		cleanup_free char *json = json_dumps(
		    snapshot, JSON_COMPACT | JSON_REAL_PRECISION(15));

		buf_adds(&text, json != NULL ? json : "");
	}
	json_decref(snapshot);
	arena = arena_new(PLANNING_ARENA_MAX);
	cluster = planning_read(arena, "the daemon's snapshot", &text, &status);
	if (cluster != NULL)
		status = planning_show(ctl, arena, cluster, PLAN_NONE);
	arena_free(arena);
	buf_free(&text);
	return status;
}
