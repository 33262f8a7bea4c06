/*
 * What a drain of a host would do, before anybody sets the flag.  Each guest is
 * placed after the others have arrived, and put into the first wave that has
 * room under the limits.  Real moves do not wait for each other in waves; a
 * wave says how many rounds of the limits the drain takes.
 *
 * Moves that are already in flight take their part of the first wave.  Waiting
 * times (backoff) are left out: they pass.
 */
#include "decide/evaluate.h"

#include <string.h>

#include "decide/drain.h"

/* The limits as of one wave: booked are the moves of that wave alone. */
struct plan_wave {
	struct place_ledger *ledger;
};

struct plan_state {
	struct drain drain;
	struct place_ledger *planned; /* all that was placed */
	struct plan_wave *waves;
	size_t wave_count, wave_max;
};

const struct policy *
plan_find_policy(
    const struct evaluate_input *input, const struct snap_host *host)
{
	struct snap_host as_if = *host;

	as_if.maintenance = true;
	as_if.cordoned = true;
	return drain_find_policy(input, &as_if);
}

/* A wave without moves in flight. */
static struct place_ledger *
plan_new_wave(struct plan_state *state)
{
	const struct snapshot *s = state->drain.input->snapshot;
	struct snapshot *idle = arena_alloc(state->drain.arena, sizeof(*idle));

	*idle = *s;
	if (state->wave_count > 0)
		idle->move_count = 0;
	return place_ledger_new(state->drain.arena, idle);
}

/* The wave from 1; 0 when even an empty one has no room, and then *out_why. */
static int
plan_find_wave(struct plan_state *state, const struct evaluate_item *item,
    const char **out_why)
{
	const struct snapshot *s = state->drain.input->snapshot;
	struct arena *arena = state->drain.arena;

	for (size_t w = 0; w < state->wave_max; w++) {
		struct plan_wave *wave = &state->waves[w];

		if (w == state->wave_count) {
			wave->ledger = plan_new_wave(state);
			state->wave_count++;
		}
		*out_why =
		    pace_check(arena, s, wave->ledger, &state->drain.limits,
			state->drain.host, item->choice.target);
		if (*out_why == NULL) {
			place_ledger_book(wave->ledger, s, item->vm,
			    item->choice.target, &item->choice.strategy);
			return (int)w + 1;
		}
		/* An empty wave that refuses will always refuse. */
		if (w > 0 && wave->ledger->total == 0) {
			state->wave_count--;
			break;
		}
	}
	return 0;
}

static void
plan_step(struct plan_state *state, struct plan *plan, const struct snap_vm *vm,
    struct plan_step *step)
{
	const struct snapshot *s = state->drain.input->snapshot;
	const char *why = "";

	drain_judge(&state->drain, state->planned, vm, &step->item);
	if (step->item.fate == EVALUATE_BLOCKED)
		plan->blocked++;
	if (step->item.fate != EVALUATE_START)
		return;
	step->wave = plan_find_wave(state, &step->item, &why);
	if (step->wave == 0) {
		step->item.fate = EVALUATE_WAIT;
		step->item.why = why;
		return;
	}
	place_ledger_book(state->planned, s, vm, step->item.choice.target,
	    &step->item.choice.strategy);
	plan->movable++;
	if (step->wave > plan->waves)
		plan->waves = step->wave;
}

/* Those that go out of the way first; the caller of the planner shows them. */
static void
plan_make_room(struct plan_state *state)
{
	const struct evaluate_drain *options = state->drain.options;
	const struct snapshot *s = state->drain.input->snapshot;
	struct evaluate_item item;

	for (size_t i = 0; options != NULL && i < options->hint_count; i++) {
		if (drain_judge_room(&state->drain, state->planned,
			&options->hints[i], &item) &&
		    item.choice.target != NULL)
			place_ledger_book(state->planned, s, item.vm,
			    item.choice.target, &item.choice.strategy);
	}
}

struct plan *
plan_drain(struct arena *arena, const struct evaluate_input *input,
    const struct snap_host *host)
{
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	struct plan_state state = {0};
	const struct snap_vm **guests;

	plan->host = host;
	plan->policy = plan_find_policy(input, host);
	drain_init(&state.drain, arena, input, host, plan->policy);
	state.drain.wish.at_once = true;
	state.planned = place_ledger_new(arena, input->snapshot);
	plan_make_room(&state);
	guests = drain_list_guests(&state.drain, &plan->step_count);
	/* One wave each at worst, after the first with its moves in flight,
	 * and one more to find out that there is no room in an empty one. */
	state.wave_max = plan->step_count + 2;
	state.waves =
	    arena_array(arena, state.wave_max, sizeof(state.waves[0]));
	plan->steps =
	    arena_array(arena, plan->step_count, sizeof(plan->steps[0]));
	for (size_t i = 0; i < plan->step_count; i++)
		plan_step(&state, plan, guests[i], &plan->steps[i]);
	return plan;
}
