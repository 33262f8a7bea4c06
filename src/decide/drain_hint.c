/*
 * How a drain follows its plan (route.h).  The plan was made from figures of its
 * time, and the world has gone on: so what it wants is looked at each time anew,
 * by the same rules as anything else, and what cannot be any more is left out.
 */
#include <stdlib.h>
#include <string.h>

#include "decide/drain.h"

/* A guest that has moved out of the way is gone at once; that its memory is free
 * there is seen with the next sample. */
#define ROOM_SEEN_MS 30000

const struct evaluate_hint *
drain_find_hint(const struct drain *drain, const struct snap_vm *vm)
{
	const struct evaluate_drain *options = drain->options;

	if (options == NULL ||
	    (drain->policy != NULL && !evaluate_empties(drain->policy)) ||
	    &drain->input->snapshot->hosts[vm->host] != drain->host)
		return NULL;
	for (size_t i = 0; i < options->hint_count; i++)
		if (options->hints[i].room == NULL &&
		    strcmp(options->hints[i].uuid, vm->uuid) == 0)
			return &options->hints[i];
	return NULL;
}

struct ordered {
	const struct snap_vm *vm;
	size_t order, before;
};

static int
compare_ordered(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->before < y->before ? -1 : x->before > y->before;
}

void
drain_order_by_hints(
    const struct drain *drain, const struct snap_vm **guests, size_t count)
{
	struct ordered *list;

	if (drain->options == NULL || drain->options->hint_count == 0 ||
	    count == 0)
		return;
	list = arena_array(drain->arena, count, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		const struct evaluate_hint *hint =
		    drain_find_hint(drain, guests[i]);

		list[i] = (struct ordered){
		    guests[i], hint != NULL ? hint->order : SIZE_MAX, i};
	}
	qsort(list, count, sizeof(*list), compare_ordered);
	for (size_t i = 0; i < count; i++)
		guests[i] = list[i].vm;
}

/* Has it left a moment ago? */
static bool
is_fresh(const struct snapshot *s, const struct snap_vm *vm)
{
	return vm->last_moved.ms > 0 &&
	    s->taken_wall.ms - vm->last_moved.ms < ROOM_SEEN_MS;
}

bool
drain_judge_room(struct drain *drain, struct place_ledger *ledger,
    const struct evaluate_hint *hint, struct evaluate_item *out)
{
	const struct snapshot *s = drain->input->snapshot;
	const struct snap_vm *vm =
	    hint->room != NULL ? snapshot_find_vm(s, hint->uuid) : NULL;
	const struct place_request request = {
	    .vm = vm, .only_to = hint->to, .retries = 0, .wish = &drain->wish};
	struct place_choice choice;

	if (vm == NULL || &s->hosts[vm->host] == drain->host)
		return false;
	if (strcmp(s->hosts[vm->host].name, hint->to) == 0) {
		if (is_fresh(s, vm))
			drain->room = arena_printf(
			    drain->arena, "%s has just left", vm->name);
		return false;
	}
	if (drain_words_excepted(drain, vm) != NULL)
		return false;
	*out = (struct evaluate_item){.vm = vm,
	    .fate = EVALUATE_MOVING,
	    .choice = {.vm = vm, .from = &s->hosts[vm->host]},
	    .room = true};
	if (snapshot_is_moving(s, vm->uuid)) {
		drain->room = arena_printf(
		    drain->arena, "%s is on its way to %s", vm->name, hint->to);
		out->why = drain->room;
		return true;
	}
	place_choose(
	    drain->arena, drain->input->settings, s, ledger, &request, &choice);
	if (choice.target == NULL && !choice.wait)
		return false;
	out->fate = choice.target != NULL ? EVALUATE_START : EVALUATE_WAIT;
	out->choice = choice;
	out->choice.why = arena_printf(drain->arena, "%s, for the drain of %s",
	    hint->room, drain->host->name);
	if (choice.target == NULL)
		out->why = choice.why;
	drain->room = arena_printf(
	    drain->arena, "%s goes to %s first", vm->name, hint->to);
	return true;
}
