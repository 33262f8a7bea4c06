/*
 * What a plan means for the operator who has to say yes to it: is it in time, who
 * is not, and which hosts are nearly full afterwards.  It is read off the finished
 * plan, so that it holds for one that was changed by hand as well.
 */
#include <string.h>

#include "plan/evacuate.h"

static void
outlook_moves(uint32_t host, const struct plan_cluster *cluster,
    const struct plan_result *result, int64_t *after, bool *takes,
    struct plan_outlook *out)
{
	for (uint32_t i = 0; i < result->move_count; i++) {
		const struct plan_move *move = &result->moves[i];
		const struct plan_guest *g = &cluster->guests[move->guest];

		after[move->from] -= g->memory;
		after[move->to] += g->memory;
		takes[move->to] = true;
		out->moved_bytes += g->memory - g->overhead + g->disk;
		out->parking_count += move->parking;
		if (move->from == host && out->deadline_ms > 0 &&
		    move->begin_ms + move->ms > out->deadline_ms)
			out->late[out->late_count++] = move->guest;
	}
}

void
plan_evacuate_outlook(struct arena *arena, const struct plan_cluster *cluster,
    uint32_t host, const struct plan_evacuate_options *options,
    const struct plan_result *result, struct plan_outlook *out)
{
	int64_t *before, *after;
	bool *takes;

	memset(out, 0, sizeof(*out));
	out->makespan_ms = result->makespan_ms;
	out->deadline_ms = options != NULL ? options->deadline_ms : 0;
	before = arena_array(arena, cluster->host_count, sizeof(*before));
	after = arena_array(arena, cluster->host_count, sizeof(*after));
	takes = arena_array(arena, cluster->host_count, sizeof(*takes));
	out->late = arena_array(arena, result->move_count, sizeof(*out->late));
	out->filled =
	    arena_array(arena, cluster->host_count, sizeof(*out->filled));
	for (uint32_t g = 0; g < cluster->guest_count; g++)
		if (cluster->guests[g].host != PLAN_NONE)
			before[cluster->guests[g].host] +=
			    cluster->guests[g].memory;
	memcpy(after, before, cluster->host_count * sizeof(*after));
	outlook_moves(host, cluster, result, after, takes, out);
	for (uint32_t h = 0; h < cluster->host_count; h++) {
		int64_t memory = cluster->hosts[h].memory;

		if (takes[h] &&
		    (double)after[h] * 100 > (double)memory * EVACUATE_FULL)
			out->filled[out->filled_count++] = (struct plan_filled){
			    h, before[h], after[h], memory};
	}
	out->met = out->late_count == 0 && result->blocked_count == 0;
}
