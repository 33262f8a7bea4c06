/*
 * A plan's end, so that it can be judged by what does not know the plan: the
 * score of a cluster that looks as if it had always been like this.
 */

#include "plan/apply.h"

#include <math.h>
#include <string.h>

struct plan_cluster *
plan_apply(struct arena *arena, const struct plan_cluster *cluster,
    const struct plan_result *result)
{
	struct plan_cluster *after = arena_alloc(arena, sizeof(*after));

	*after = *cluster;
	after->hosts =
	    arena_array(arena, cluster->host_count, sizeof(*after->hosts));
	after->guests =
	    arena_array(arena, cluster->guest_count, sizeof(*after->guests));
	if (cluster->host_count > 0)
		memcpy(after->hosts, cluster->hosts,
		    cluster->host_count * sizeof(*after->hosts));
	if (cluster->guest_count > 0)
		memcpy(after->guests, cluster->guests,
		    cluster->guest_count * sizeof(*after->guests));
	for (uint32_t i = 0; i < result->move_count; i++) {
		const struct plan_move *move = &result->moves[i];
		struct plan_guest *guest = &after->guests[move->guest];

		guest->host = move->to;
		if (isnan(guest->cpu))
			continue;
		after->hosts[move->from].cpu_used -= guest->cpu;
		after->hosts[move->to].cpu_used += guest->cpu;
	}
	return after;
}
