/*
 * What should happen now.  For each host the first policy that is true for it
 * decides; every guest of the host gets its fate; then the limits say which of
 * those that have a target start at once.
 *
 * Two ledgers are kept.  The one for limits has what really moves.  The one
 * for placing has also what waits, as if it were under way: a guest that will
 * not fit once the others have arrived is told so at the beginning of the
 * drain, while there is time to do something about it.
 *
 * Policies of higher priority take their share of the limits first; hosts of
 * one policy by name.  What a policy in mode `observe` would do takes nothing
 * from those that act.
 */
#include "decide/evaluate.h"

#include <string.h>

#include "base/units.h"
#include "decide/drain.h"

struct evaluate_state {
	struct arena *arena;
	const struct evaluate_input *input;
	struct place_ledger *planned; /* for placing */
	struct place_ledger *started; /* for limits */
	struct mono wake;
};

static const struct evaluate_hold *
evaluate_find_hold(const struct evaluate_input *input, const char *uuid)
{
	for (size_t i = 0; i < input->hold_count; i++) {
		const struct evaluate_hold *hold = &input->holds[i];

		if (strcmp(hold->uuid, uuid) == 0 &&
		    mono_before(input->now, hold->until))
			return hold;
	}
	return NULL;
}

/* Why the guest was held back: the last attempt. */
static const char *
evaluate_words_hold(
    struct evaluate_state *state, const struct evaluate_hold *hold)
{
	const struct snapshot *s = state->input->snapshot;
	const struct snap_attempt *last = NULL;
	char text[UNITS_TEXT_SIZE];

	for (size_t i = 0; i < s->attempt_count; i++) {
		if (strcmp(s->attempts[i].uuid, hold->uuid) == 0 &&
		    s->attempts[i].failures > 0)
			last = &s->attempts[i];
	}
	units_format_duration(mono_diff(hold->until, state->input->now), text);
	if (last == NULL)
		return arena_printf(state->arena, "tried again in %s", text);
	return arena_printf(state->arena,
	    "tried again in %s; the last "
	    "attempt, to %s: %s",
	    text, last->to, last->why != NULL ? last->why : "failed");
}

/* The plan of the drain has it begin later, so that those before it are quicker.
 * When none of them moves any more there is nothing to wait for. */
static const char *
evaluate_words_later(struct evaluate_state *state, const struct drain *drain,
    const struct snap_vm *vm)
{
	const struct evaluate_hint *hint = drain_find_hint(drain, vm);
	size_t host = (size_t)(drain->host - state->input->snapshot->hosts);
	char text[UNITS_TEXT_SIZE];

	if (hint == NULL || !mono_before(state->input->now, hint->not_before) ||
	    state->started->outbound[host] == 0)
		return NULL;
	if (mono_before(hint->not_before, state->wake))
		state->wake = hint->not_before;
	units_format_duration(
	    mono_diff(hint->not_before, state->input->now), text);
	return arena_printf(state->arena,
	    "its turn by the plan of the drain is in %s, or when the others "
	    "are out",
	    text);
}

/* It has a target: does it start, or what holds it? */
static void
evaluate_start(struct evaluate_state *state, const struct drain *drain,
    struct evaluate_item *item)
{
	const struct snapshot *s = state->input->snapshot;
	const struct snap_host *target = item->choice.target;
	const struct evaluate_hold *hold =
	    evaluate_find_hold(state->input, item->vm->uuid);

	place_ledger_book(
	    state->planned, s, item->vm, target, &item->choice.strategy);
	if (hold != NULL) {
		item->held = true;
		item->why = evaluate_words_hold(state, hold);
		if (mono_before(hold->until, state->wake))
			state->wake = hold->until;
	} else {
		item->why = pace_check(state->arena, s, state->started,
		    &drain->limits, item->choice.from, target);
		if (item->why == NULL)
			item->why =
			    evaluate_words_later(state, drain, item->vm);
	}
	if (item->why != NULL)
		item->fate = EVALUATE_WAIT;
	else
		place_ledger_book(state->started, s, item->vm, target,
		    &item->choice.strategy);
}

static const char *
evaluate_words_decision(struct arena *arena, const struct policy *policy,
    const struct snap_host *host)
{
	char time[CLOCK_RFC3339_SIZE] = "";
	const char *why = host->flag_why;
	bool reason = host->cordoned && why != NULL && why[0] != '\0';

	if (host->cordoned && host->flag_since.ms > 0)
		wall_format(host->flag_since, time);
	return arena_printf(arena,
	    "policy %s (%s:%u): \"%s\" is true of %s"
	    "%s%s%s%s%s%s",
	    policy->name, policy->file, policy->when_line,
	    policy->conditions[0].when.text, host->name,
	    time[0] != '\0' ? " since " : "", time, reason ? " (" : "",
	    reason ? why : "", reason ? ")" : "",
	    policy->mode == POLICY_OBSERVE
		? "; mode observe, nothing is started"
		: "");
}

/* Guests of other hosts that the plan moves out of the way. */
static void
evaluate_room(struct evaluate_state *state, struct drain *drain,
    struct evaluate_decision *decision)
{
	size_t count = drain->options != NULL ? drain->options->hint_count : 0;

	for (size_t i = 0; i < count; i++) {
		struct evaluate_item *item =
		    &decision->items[decision->item_count];

		if (!drain_judge_room(
			drain, state->planned, &drain->options->hints[i], item))
			continue;
		if (item->fate == EVALUATE_START)
			evaluate_start(state, drain, item);
		decision->item_count++;
	}
}

static void
evaluate_host(struct evaluate_state *state, struct evaluate_decision *decision)
{
	const struct snap_vm **guests;
	struct drain drain;
	size_t count, first;

	drain_init(&drain, state->arena, state->input, decision->host,
	    decision->policy);
	decision->act = decision->policy->mode == POLICY_AUTO;
	decision->why = evaluate_words_decision(
	    state->arena, decision->policy, decision->host);
	guests = drain_list_guests(&drain, &count);
	decision->items = arena_array(state->arena,
	    count + (drain.options != NULL ? drain.options->hint_count : 0),
	    sizeof(decision->items[0]));
	evaluate_room(state, &drain, decision);
	first = decision->item_count;
	decision->item_count += count;
	for (size_t i = 0; i < decision->item_count; i++) {
		struct evaluate_item *item = &decision->items[i];

		if (i >= first) {
			drain_judge(
			    &drain, state->planned, guests[i - first], item);
			if (item->fate == EVALUATE_START)
				evaluate_start(state, &drain, item);
		}
		switch (item->fate) {
		case EVALUATE_START:
			decision->starts++;
			break;
		case EVALUATE_MOVING:
			decision->moving++;
			break;
		case EVALUATE_WAIT:
			decision->waiting++;
			break;
		case EVALUATE_BLOCKED:
			decision->blocked++;
			break;
		case EVALUATE_EXCEPTED:
			decision->excepted++;
			break;
		}
	}
}

/* All hosts whose policy is of this mode: policies in their order, hosts by
 * name. */
static void
evaluate_mode(struct evaluate_state *state, struct evaluation *evaluation,
    enum policy_mode mode)
{
	const struct settings *settings = state->input->settings;

	for (size_t p = 0; p < settings->policy_count; p++) {
		const struct policy *policy = &settings->policies[p];

		if (policy->mode != mode)
			continue;
		for (size_t i = 0; i < evaluation->decision_count; i++) {
			if (evaluation->decisions[i].policy == policy)
				evaluate_host(state, &evaluation->decisions[i]);
		}
	}
}

struct evaluation *
evaluate(struct arena *arena, const struct evaluate_input *input)
{
	const struct snapshot *s = input->snapshot;
	struct evaluation *evaluation = arena_alloc(arena, sizeof(*evaluation));
	struct evaluate_state state = {
	    .arena = arena,
	    .input = input,
	    .planned = place_ledger_new(arena, s),
	    .started = place_ledger_new(arena, s),
	    .wake = {INT64_MAX},
	};
	struct look_cluster cluster;
	struct look look;

	drain_look(&look, &cluster, arena, input);
	evaluation->decisions =
	    arena_array(arena, s->host_count, sizeof(evaluation->decisions[0]));
	for (size_t i = 0; i < s->host_count; i++) {
		const struct policy *policy =
		    drain_find_policy(input->settings, &look, &s->hosts[i]);

		if (policy != NULL)
			evaluation->decisions[evaluation->decision_count++] =
			    (struct evaluate_decision){
				.host = &s->hosts[i], .policy = policy};
	}
	evaluate_mode(&state, evaluation, POLICY_AUTO);
	evaluation->wake = state.wake;
	evaluate_mode(&state, evaluation, POLICY_OBSERVE);
	return evaluation;
}

const char *
evaluate_fate_name(enum evaluate_fate fate)
{
	switch (fate) {
	case EVALUATE_START:
		return "start";
	case EVALUATE_MOVING:
		return "moving";
	case EVALUATE_WAIT:
		return "wait";
	case EVALUATE_BLOCKED:
		return "blocked";
	case EVALUATE_EXCEPTED:
		return "excepted";
	}
	return "blocked";
}
