/*
 * A host is emptied in four steps: a target for each guest, straight there
 * (evacuate_place.c); if somebody is left, room is made by moving others
 * (evacuate_park.c in a small cluster, evacuate_chain.c in a large one); moves that
 * turn out not to be needed are left out; then the order (evacuate_order.c).
 *
 * Who stays although it may go is the outcome of the second step, which never
 * gives up a guest for another one: it counts how many leave.  The reasons are
 * told from how the cluster stands when the plan is done, since that is what the
 * operator will see.
 */
#include "plan/evacuate.h"

#include <math.h>
#include <string.h>

#include "plan/evacuate_priv.h"

/* Of the working memory. */
#define EVACUATE_ARENA_MAX ((size_t)1 << 30)

void
evacuate_copy(struct evacuate_list *to, const struct evacuate_list *from)
{
	memcpy(to->moves, from->moves, from->count * sizeof(*to->moves));
	memcpy(to->jobs, from->jobs, from->count * sizeof(*to->jobs));
	to->count = from->count;
}

void
evacuate_price(
    const struct evacuate *ev, struct evacuate_list *list, uint32_t i)
{
	struct plan_move *move = &list->moves[i];

	move->way = ev->ways[move->guest];
	schedule_price(ev->cluster, move->guest, move->way,
	    schedule_share(ev->cluster, move->from), &list->jobs[i]);
	move->downtime_ms = list->jobs[i].downtime_ms;
}

void
evacuate_add(struct evacuate *ev, struct evacuate_list *list, uint32_t guest,
    uint32_t from, uint32_t to)
{
	uint32_t i = list->count++;

	list->moves[i] = (struct plan_move){
	    .guest = guest, .from = from, .to = to, .score = NAN};
	evacuate_price(ev, list, i);
}

void
evacuate_apply(struct evacuate *ev, const struct evacuate_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		reserve_move(
		    ev->reserve, list->moves[i].guest, list->moves[i].to);
}

void
evacuate_undo(struct evacuate *ev, const struct evacuate_list *list)
{
	for (uint32_t i = list->count; i-- > 0;)
		reserve_move(
		    ev->reserve, list->moves[i].guest, list->moves[i].from);
}

uint32_t
evacuate_leaves(const struct evacuate *ev, const struct evacuate_list *list)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < list->count; i++)
		count += list->moves[i].from == ev->host;
	return count;
}

bool
evacuate_is_parking(
    const struct evacuate *ev, const struct evacuate_list *list, uint32_t i)
{
	return list->moves[i].from != ev->host;
}

static void
evacuate_begin(struct evacuate *ev)
{
	const struct plan_cluster *cluster = ev->cluster;
	bool up = cluster->hosts[ev->host].up;
	uint32_t all = 0;

	ev->ways =
	    arena_array(ev->arena, cluster->guest_count, sizeof(*ev->ways));
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		ev->ways[g] = cluster->guests[g].way;
		all += cluster->guests[g].host == ev->host;
	}
	ev->guests = arena_array(ev->arena, all, sizeof(*ev->guests));
	for (uint32_t g = 0; g < cluster->guest_count; g++)
		if (cluster->guests[g].host == ev->host && up &&
		    !cluster->guests[g].stays)
			ev->guests[ev->guest_count++] = g;
	ev->max = 4 * ev->guest_count + 64;
	ev->reserve = reserve_new(ev->arena, cluster, ev->host);
	ev->schedule = schedule_new(ev->arena, ev->reserve, ev->max);
	for (size_t i = 0; i < 3; i++) {
		struct evacuate_list *const lists[] = {
		    &ev->list, &ev->trial, &ev->kept};
		struct evacuate_list *list = lists[i];

		list->moves =
		    arena_array(ev->arena, ev->max, sizeof(*list->moves));
		list->jobs =
		    arena_array(ev->arena, ev->max, sizeof(*list->jobs));
	}
}

static void
evacuate_report(
    struct evacuate *ev, struct arena *arena, struct plan_result *out)
{
	const struct plan_cluster *cluster = ev->cluster;
	uint32_t stay = 0, moved = ev->list.count;

	out->score_before = out->score_after = NAN;
	out->makespan_ms = schedule_run(
	    ev->schedule, ev->list.moves, ev->list.jobs, moved, ev->total);
	schedule_sort(ev->schedule, ev->list.moves, ev->list.jobs, moved);
	out->moves = arena_array(arena, moved, sizeof(*out->moves));
	for (uint32_t i = 0; i < moved; i++) {
		struct plan_move *move = &ev->list.moves[i];

		reserve_move(ev->reserve, move->guest, move->to);
		move->parking = evacuate_is_parking(ev, &ev->list, i);
		move->reason = evacuate_say_move(ev, arena, &ev->list, i);
		out->moves[i] = *move;
	}
	out->move_count = moved;
	for (uint32_t g = 0; g < cluster->guest_count; g++)
		stay += ev->reserve->at[g] == ev->host;
	out->blocked = arena_array(arena, stay, sizeof(*out->blocked));
	for (uint32_t g = 0; g < cluster->guest_count; g++)
		if (ev->reserve->at[g] == ev->host)
			out->blocked[out->blocked_count++] =
			    (struct plan_blocked){.guest = g,
				.reason = evacuate_say_blocked(ev, arena, g)};
}

static void
evacuate_make_room_for_all(struct evacuate *ev)
{
	evacuate_find_least(ev);
	/* Who leaves instead of whom makes a difference too: looked at where
	 * that is possible. */
	if (evacuate_is_small(ev))
		evacuate_park(ev);
	else if (evacuate_leaves(ev, &ev->list) + ev->least < ev->guest_count)
		evacuate_chain(ev);
	evacuate_shorten(ev);
	ev->proven |=
	    evacuate_leaves(ev, &ev->list) + ev->least == ev->guest_count;
}

void
plan_evacuate(struct arena *arena, const struct plan_cluster *cluster,
    uint32_t host, const struct plan_evacuate_options *options,
    struct plan_result *out)
{
	static const struct plan_evacuate_options none = {0};
	struct evacuate ev = {.arena = arena_new(EVACUATE_ARENA_MAX),
	    .cluster = cluster,
	    .host = host,
	    .options = options != NULL ? options : &none};

	memset(out, 0, sizeof(*out));
	evacuate_begin(&ev);
	evacuate_place(&ev);
	if (evacuate_leaves(&ev, &ev.list) < ev.guest_count)
		evacuate_make_room_for_all(&ev);
	evacuate_order(&ev);
	evacuate_report(&ev, arena, out);
	arena_free(ev.arena);
}
