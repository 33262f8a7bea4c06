/*
 * What should happen now.  For each policy, and each host where its conditions are
 * on, every guest that it selects gets its fate; then limits and whatever else
 * holds a policy back say which of those that have a target start at once.
 *
 * Two ledgers are kept.  The one for limits has what really moves.  The one
 * for placing has also what waits, as if it were under way: a guest that will
 * not fit once the others have arrived is told so at the beginning of the
 * drain, while there is time to do something about it.
 *
 * Whoever empties a host comes first, since its guests must all go; then policies
 * of higher priority take their guests, and their share of the limits; hosts of one
 * policy by name.  What does not act (observe, and approve
 * without approval) comes after all that does, and takes nothing from it.
 */
#include "decide/evaluate.h"

#include <string.h>

#include "base/buf.h"
#include "base/units.h"
#include "decide/evaluate_priv.h"

#define EVALUATE_SEEN_MAX 4096

void
evaluate_wake_at(struct evaluate_state *state, struct mono at)
{
	if (mono_before(at, state->wake))
		state->wake = at;
}

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
	char text[UNITS_TEXT_SIZE];

	if (hint == NULL || !mono_before(state->input->now, hint->not_before) ||
	    state->started->outbound[vm->host] == 0)
		return NULL;
	evaluate_wake_at(state, hint->not_before);
	units_format_duration(
	    mono_diff(hint->not_before, state->input->now), text);
	return arena_printf(state->arena,
	    "its turn by the plan of the drain is in %s, or when the others "
	    "are out",
	    text);
}

void
evaluate_start(struct evaluate_state *state, const struct drain *drain,
    const struct evaluate_decision *decision, struct evaluate_item *item)
{
	const struct snapshot *s = state->input->snapshot;
	const struct snap_host *target = item->choice.target;
	const struct evaluate_hold *hold =
	    evaluate_find_hold(state->input, item->vm->uuid);

	place_ledger_book(
	    state->planned, s, item->vm, target, &item->choice.strategy);
	item->why = gate_guest(state, decision, item->vm);
	if (hold != NULL) {
		item->held = true;
		item->why = evaluate_words_hold(state, hold);
		evaluate_wake_at(state, hold->until);
	} else if (item->why == NULL && decision->gate != NULL) {
		item->why = decision->gate;
	} else if (item->why == NULL) {
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

/* ---- what is told of a decision ---- */

static const char *
evaluate_words_of(struct arena *arena, const struct evaluate_decision *decision)
{
	const struct snap_host *host = decision->host;
	const struct policy *policy = decision->policy;
	const struct evaluate_seen *on = NULL;
	const char *text = policy->conditions[0].when.text;
	char time[CLOCK_RFC3339_SIZE] = "";
	struct wall since = decision->since;
	const char *why = host != NULL ? host->flag_why : NULL;
	bool flag, reason;

	for (size_t i = 0; i < decision->seen_count && on == NULL; i++) {
		if (decision->seen[i].phase != WATCH_ON)
			continue;
		on = &decision->seen[i];
		text = policy->conditions[i].when.text;
	}
	flag = host != NULL && host->cordoned &&
	    (strstr(text, "maintenance") != NULL ||
		strstr(text, "cordoned") != NULL);
	reason = flag && why != NULL && why[0] != '\0';
	if (flag)
		since = host->flag_since;
	if (since.ms > 0 && (flag || policy->conditions[0].for_ms > 0))
		wall_format(since, time);
	return arena_printf(arena,
	    "policy %s (%s:%u): \"%s\" is true of %s%s%s%s%s%s%s", policy->name,
	    policy->file, policy->when_line, text,
	    host != NULL ? host->name : "all hosts together",
	    time[0] != '\0' ? " since " : "", time, reason ? " (" : "",
	    reason ? why : "", reason ? ")" : "",
	    decision->mode == POLICY_OBSERVE
		? "; mode observe, nothing is started"
		: "");
}

static void
evaluate_look_at(struct evaluate_state *state,
    struct evaluate_decision *decision, size_t index, struct look *look)
{
	const struct policy_condition *c = &decision->policy->conditions[index];
	struct evaluate_seen *seen = &decision->seen[index];
	struct buf buf = BUF_INIT(EVALUATE_SEEN_MAX);
	struct watch_state at = {.phase = WATCH_OFF};

	seen->subject = c->subject;
	if (c->subject != POLICY_SUBJECT_VM) {
		at = watch_condition(state->watch, decision->policy, index,
		    decision->host, NULL);
		/* One of the alerts that it speaks of, else the first. */
		for (size_t i = 0; c->subject == POLICY_SUBJECT_EVENT &&
		     i < decision->host->alert_count;
		     i++) {
			look->event = &decision->host->alerts[i];
			if (expr_test(c->when.expr, look_up, look) == EXPR_TRUE)
				break;
		}
		(void)expr_explain(c->when.expr, look_up, look, &buf);
		look->event = NULL;
	} else {
		buf_adds(&buf, c->when.text);
	}
	seen->phase = at.phase;
	seen->since = at.since_wall;
	seen->text = arena_strdup(state->arena, buf_str(&buf));
	buf_free(&buf);
}

void
evaluate_tell(struct evaluate_state *state, struct evaluate_decision *decision)
{
	struct look look = {.s = state->input->snapshot,
	    .cluster = &state->cluster,
	    .host = decision->host,
	    .now = state->input->snapshot->taken_wall,
	    .arena = state->arena};

	decision->seen_count = decision->policy->condition_count;
	decision->seen = arena_array(
	    state->arena, decision->seen_count, sizeof(decision->seen[0]));
	for (size_t i = 0; i < decision->seen_count; i++) {
		if (decision->host != NULL ||
		    decision->policy->conditions[i].subject ==
			POLICY_SUBJECT_CLUSTER)
			evaluate_look_at(state, decision, i, &look);
	}
	decision->why = evaluate_words_of(state->arena, decision);
}

/* ---- the guests of one host ---- */

void
evaluate_count(
    struct evaluate_decision *decision, const struct evaluate_item *item)
{
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
	case EVALUATE_ENOUGH:
		decision->enough++;
		break;
	}
}

void
evaluate_claim(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct snapshot *s = state->input->snapshot;

	if (!decision->act)
		return;
	for (size_t i = 0; i < decision->item_count; i++) {
		if (decision->items[i].fate != EVALUATE_EXCEPTED)
			state->claimed[decision->items[i].vm - s->vms] = true;
	}
}

/* Guests of other hosts that the plan moves out of the way. */
static void
evaluate_room(struct evaluate_state *state, struct drain *drain,
    struct evaluate_decision *decision)
{
	const struct snapshot *s = state->input->snapshot;
	size_t count = drain->options != NULL ? drain->options->hint_count : 0;

	for (size_t i = 0; i < count && evaluate_empties(drain->policy); i++) {
		struct evaluate_item *item =
		    &decision->items[decision->item_count];

		if (!drain_judge_room(drain, state->planned,
			&drain->options->hints[i], item) ||
		    state->claimed[item->vm - s->vms])
			continue;
		if (item->fate == EVALUATE_START)
			evaluate_start(state, drain, decision, item);
		evaluate_count(decision, item);
		decision->item_count++;
	}
}

static void
evaluate_host(struct evaluate_state *state, struct evaluate_decision *decision)
{
	const struct snap_vm **guests;
	struct drain drain;
	size_t count;

	drain_init(&drain, state->arena, state->input, decision->host,
	    decision->policy);
	drain.claimed = state->claimed;
	drain.cluster = &state->cluster;
	drain.guard.leaving = state->leaving;
	drain.guard.emptied = state->emptied;
	drain.guard.watch = state->watch;
	guests = drain_list_guests(&drain, &count);
	decision->items = arena_array(state->arena,
	    count + (drain.options != NULL ? drain.options->hint_count : 0),
	    sizeof(decision->items[0]));
	decision->gate = gate_decision(state, decision);
	evaluate_room(state, &drain, decision);
	for (size_t i = 0; i < count; i++) {
		struct evaluate_item *item =
		    &decision->items[decision->item_count++];
		const char *enough = gate_enough(state, decision);

		drain_judge(&drain, state->planned, guests[i], item);
		if (enough != NULL && item->fate != EVALUATE_MOVING &&
		    item->fate != EVALUATE_EXCEPTED) {
			item->fate = EVALUATE_ENOUGH;
			item->why = enough;
		} else if (item->fate == EVALUATE_START) {
			evaluate_start(state, &drain, decision, item);
		}
		evaluate_count(decision, item);
	}
	evaluate_claim(state, decision);
}

/* ---- which decisions there are ---- */

static bool
evaluate_acts(
    const struct evaluate_state *state, struct evaluate_decision *decision)
{
	const struct evaluate_input *input = state->input;
	const char *host = decision->host != NULL ? decision->host->name : NULL;

	decision->mode =
	    policy_mode_now(input->settings, input->modes, decision->policy);
	decision->approved = decision->mode == POLICY_APPROVE &&
	    input->approved != NULL &&
	    input->approved(decision->policy->name, host, input->arg);
	return decision->mode == POLICY_AUTO || decision->approved;
}

struct evaluate_decision *
evaluate_append(struct evaluate_state *state, struct evaluation *evaluation,
    const struct policy *policy, const struct snap_host *host,
    struct wall since)
{
	struct evaluate_decision *decision;

	if (evaluation->decision_count == state->decision_cap) {
		size_t cap = 2 * state->decision_cap + 16;
		struct evaluate_decision *more =
		    arena_array(state->arena, cap, sizeof(more[0]));

		if (state->decision_cap > 0)
			memcpy(more, evaluation->decisions,
			    evaluation->decision_count * sizeof(more[0]));
		evaluation->decisions = more;
		state->decision_cap = cap;
	}
	decision = &evaluation->decisions[evaluation->decision_count++];
	*decision = (struct evaluate_decision){
	    .policy = policy, .host = host, .since = since};
	decision->act = evaluate_acts(state, decision);
	return decision;
}

static void
evaluate_add(struct evaluate_state *state, struct evaluation *evaluation,
    const struct policy *policy, const struct snap_host *host,
    struct wall since)
{
	const struct evaluate_decision *decision =
	    evaluate_append(state, evaluation, policy, host, since);
	size_t index;

	if (!decision->act || host == NULL ||
	    (policy->actions & (POLICY_ACTION_MOVE | POLICY_ACTION_DRAIN)) == 0)
		return;
	index = (size_t)(host - state->input->snapshot->hosts);
	if (state->leaving[index] == NULL)
		state->leaving[index] = policy;
	if (evaluate_empties(policy) ||
	    (policy->actions & POLICY_ACTION_DRAIN) != 0)
		state->emptied[index] = true;
}

/* Hosts of whose guests some have the policy's conditions on, and since when. */
static void
evaluate_find_guests(struct evaluate_state *state,
    struct evaluation *evaluation, const struct policy *policy)
{
	const struct snapshot *s = state->input->snapshot;
	struct wall *since =
	    arena_array(state->arena, s->host_count, sizeof(since[0]));
	bool *on = arena_array(state->arena, s->host_count, sizeof(on[0]));

	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];
		struct watch_state at = watch_vm(state->watch, policy, s, vm);

		if (at.phase != WATCH_ON)
			continue;
		if (!on[vm->host] || at.since_wall.ms < since[vm->host].ms)
			since[vm->host] = at.since_wall;
		on[vm->host] = true;
	}
	for (size_t i = 0; i < s->host_count; i++) {
		if (on[i])
			evaluate_add(
			    state, evaluation, policy, &s->hosts[i], since[i]);
	}
}

static void
evaluate_find(struct evaluate_state *state, struct evaluation *evaluation,
    const struct policy *policy)
{
	const struct snapshot *s = state->input->snapshot;
	struct watch_state at;

	if (watch_is_quiet(state->watch, policy))
		return;
	if ((policy->actions & POLICY_ACTION_BALANCE) != 0 ||
	    policy->condition_count == 0) {
		at = watch_host(state->watch, policy, NULL);
		if (at.phase == WATCH_ON)
			evaluate_add(
			    state, evaluation, policy, NULL, at.since_wall);
		return;
	}
	if (watch_is_of_guests(policy)) {
		evaluate_find_guests(state, evaluation, policy);
		return;
	}
	for (size_t i = 0; i < s->host_count; i++) {
		at = watch_host(state->watch, policy, &s->hosts[i]);
		if (at.phase == WATCH_ON)
			evaluate_add(state, evaluation, policy, &s->hosts[i],
			    at.since_wall);
	}
}

static void
evaluate_decide(struct evaluate_state *state, struct evaluation *evaluation,
    bool act, bool empties)
{
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		struct evaluate_decision *decision = &evaluation->decisions[i];
		unsigned actions = decision->policy->actions;

		if (decision->home || decision->act != act ||
		    evaluate_empties(decision->policy) != empties)
			continue;
		evaluate_tell(state, decision);
		if (decision->host == NULL)
			evaluate_balance(state, decision);
		else if ((actions &
			     (POLICY_ACTION_MOVE | POLICY_ACTION_DRAIN)) != 0)
			evaluate_host(state, decision);
		else
			decision->gate = gate_decision(state, decision);
	}
}

struct evaluation *
evaluate(struct arena *arena, const struct evaluate_input *input)
{
	const struct snapshot *s = input->snapshot;
	struct evaluation *evaluation = arena_alloc(arena, sizeof(*evaluation));
	struct watch *own = NULL;
	struct evaluate_state state = {
	    .arena = arena,
	    .input = input,
	    .watch = input->watch,
	    .planned = place_ledger_new(arena, s),
	    .started = place_ledger_new(arena, s),
	    .claimed = arena_array(arena, s->vm_count, sizeof(bool)),
	    .leaving = arena_array(
		arena, s->host_count, sizeof(const struct policy *)),
	    .emptied = arena_array(arena, s->host_count, sizeof(bool)),
	    .wake = {INT64_MAX},
	};

	if (state.watch == NULL) {
		own = watch_new();
		watch_look(own, input->settings, input->modes, s, input->now,
		    s->taken_wall);
		state.watch = own;
	}
	look_at_cluster(s, &state.cluster);
	for (size_t i = 0; i < input->settings->policy_count; i++) {
		const struct policy *policy = &input->settings->policies[i];

		if (policy_mode_now(input->settings, input->modes, policy) !=
		    POLICY_OFF)
			evaluate_find(&state, evaluation, policy);
	}
	evaluate_decide(&state, evaluation, true, true);
	evaluate_decide(&state, evaluation, true, false);
	evaluate_homes(&state, evaluation);
	evaluation->wake = state.wake;
	evaluate_decide(&state, evaluation, false, true);
	evaluate_decide(&state, evaluation, false, false);
	if (mono_before(watch_wake(state.watch), evaluation->wake))
		evaluation->wake = watch_wake(state.watch);
	watch_free(own);
	return evaluation;
}

const struct evaluate_decision *
evaluate_find_drain(const struct evaluation *evaluation, const char *host)
{
	const struct evaluate_decision *found = NULL;

	for (size_t i = 0; i < evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &evaluation->decisions[i];

		if (decision->host == NULL || decision->home ||
		    strcmp(decision->host->name, host) != 0 ||
		    !evaluate_empties(decision->policy))
			continue;
		if (decision->act)
			return decision;
		if (found == NULL)
			found = decision;
	}
	return found;
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
	case EVALUATE_ENOUGH:
		return "enough";
	}
	return "blocked";
}
