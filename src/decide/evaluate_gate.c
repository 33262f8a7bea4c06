/*
 * What holds a policy back that has something to do: its windows, what it did
 * just now, cooldowns, its throttle, and that somebody has to approve.  None of
 * these makes a decision disappear: what would be done is still worked out and
 * shown, with the reason why it is not done now and when that ends.
 */
#include <string.h>

#include "base/units.h"
#include "decide/evaluate_priv.h"
#include "decide/window.h"

static void
gate_wake_in(struct evaluate_state *state, int64_t ms)
{
	evaluate_wake_at(state, mono_add(state->input->now, ms));
}

/* NULL: it had none, or it is over. */
static const char *
gate_quiet(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;
	struct watch_state at =
	    watch_host(state->watch, policy, decision->host);
	int64_t left = mono_diff(at.quiet_until, state->input->now);
	char text[UNITS_TEXT_SIZE];

	if (at.quiet_until.ms == 0 || left <= 0)
		return NULL;
	gate_wake_in(state, left);
	units_format_duration(left, text);
	return arena_printf(state->arena,
	    "a guest has just been moved; what came of it is looked at for %s "
	    "more",
	    text);
}

static const char *
gate_cooldown(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;
	int64_t now = state->input->snapshot->taken_wall.ms, last = 0, left;
	char text[UNITS_TEXT_SIZE];

	if (policy->cooldown_host_ms == 0 || decision->host == NULL)
		return NULL;
	for (size_t i = 0; i < state->input->recent_count; i++) {
		const struct evaluate_recent *r = &state->input->recent[i];

		if (strcmp(r->policy, policy->name) == 0 &&
		    strcmp(r->from, decision->host->name) == 0 &&
		    r->ended.ms > last)
			last = r->ended.ms;
	}
	left = last + policy->cooldown_host_ms - now;
	if (last == 0 || left <= 0)
		return NULL;
	gate_wake_in(state, left);
	units_format_duration(left, text);
	return arena_printf(state->arena,
	    "cooldown of the host (%s:%u) for %s more", policy->file,
	    policy->line, text);
}

static const char *
gate_throttle(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;
	int64_t now = state->input->snapshot->taken_wall.ms, oldest = now;
	char text[UNITS_TEXT_SIZE];
	int made = 0;

	if (policy->throttle_moves == 0)
		return NULL;
	for (size_t i = 0; i < state->input->recent_count; i++) {
		const struct evaluate_recent *r = &state->input->recent[i];

		if (strcmp(r->policy, policy->name) != 0 ||
		    now - r->started.ms >= policy->throttle_ms)
			continue;
		made++;
		if (r->started.ms < oldest)
			oldest = r->started.ms;
	}
	for (size_t i = 0; i < decision->item_count; i++)
		made += decision->items[i].fate == EVALUATE_START &&
		    decision->items[i].choice.target != NULL;
	if (made < policy->throttle_moves)
		return NULL;
	if (oldest < now)
		gate_wake_in(state, oldest + policy->throttle_ms - now);
	units_format_duration(policy->throttle_ms, text);
	return arena_printf(state->arena,
	    "throttle (%s:%u): %d moves in %s are made", policy->file,
	    policy->line, policy->throttle_moves, text);
}

static const char *
gate_window(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;
	struct wall now = state->input->snapshot->taken_wall, next;
	char text[CLOCK_RFC3339_SIZE];

	if (window_open(policy, now, &next))
		return NULL;
	if (next.ms == 0)
		return arena_printf(state->arena,
		    "outside of its windows (%s:%u)", policy->file,
		    policy->windows[0].line);
	gate_wake_in(state, next.ms - now.ms);
	wall_format(next, text);
	return arena_printf(state->arena,
	    "outside of its windows (%s:%u) until %s", policy->file,
	    policy->windows[0].line, text);
}

const char *
gate_decision(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const char *why;

	if (decision->mode == POLICY_APPROVE && !decision->approved)
		return "mode approve: it waits for approval";
	why = gate_window(state, decision);
	if (why == NULL)
		why = gate_quiet(state, decision);
	if (why == NULL)
		why = gate_cooldown(state, decision);
	return why != NULL ? why : gate_throttle(state, decision);
}

const char *
gate_guest(struct evaluate_state *state,
    const struct evaluate_decision *decision, const struct snap_vm *vm)
{
	const struct policy *policy = decision->policy;
	int64_t now = state->input->snapshot->taken_wall.ms;
	int64_t left = vm->last_moved.ms + policy->cooldown_guest_ms - now;
	char since[UNITS_TEXT_SIZE], text[UNITS_TEXT_SIZE];

	if (policy->cooldown_guest_ms > 0 && vm->last_moved.ms > 0 &&
	    left > 0) {
		gate_wake_in(state, left);
		units_format_duration(now - vm->last_moved.ms, since);
		units_format_duration(left, text);
		return arena_printf(state->arena,
		    "was moved %s ago; cooldown (%s:%u) for %s more", since,
		    policy->file, policy->line, text);
	}
	return gate_throttle(state, decision);
}

/* Moves away from the host that are under way, whosever they are. */
static size_t
gate_leaving(const struct evaluate_state *state,
    const struct evaluate_decision *decision)
{
	const struct snapshot *s = state->input->snapshot;
	size_t count = 0;

	for (size_t i = 0; i < s->move_count; i++)
		count += strcmp(s->moves[i].from, decision->host->name) == 0;
	return count;
}

const char *
gate_enough(
    struct evaluate_state *state, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;
	struct look look = {.s = state->input->snapshot,
	    .cluster = &state->cluster,
	    .host = decision->host,
	    .ledger = state->started,
	    .now = state->input->snapshot->taken_wall,
	    .arena = state->arena};
	size_t leave = gate_leaving(state, decision) + decision->starts;

	if (policy->select_max > 0 && leave >= (size_t)policy->select_max)
		return arena_printf(state->arena,
		    "%zu of %s leave already (select.max, %s:%u)", leave,
		    decision->host->name, policy->file, policy->line);
	if (policy->select_until.expr == NULL ||
	    expr_test(policy->select_until.expr, look_up, &look) != EXPR_TRUE)
		return NULL;
	return arena_printf(state->arena,
	    "with those that leave, \"%s\" will be true of %s (%s:%u)",
	    policy->select_until.text, decision->host->name, policy->file,
	    policy->select_until.line);
}
