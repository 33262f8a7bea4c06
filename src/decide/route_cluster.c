/*
 * What the planner is told of a drain.
 *
 * The planner knows memory, disks, classes and sets of hosts.  All the rest that
 * decides about a target (networks, CPU models, machine types, strategies) is
 * asked of the rules that will judge each move when its turn comes, and becomes
 * the set of hosts that a guest may be on.  Only what moves can change, memory
 * and the company of other guests, is left to the planner.
 */
#include <string.h>

#include "decide/route_priv.h"
#include "plan/from_snapshot.h"

static bool
may_pass(const struct place_rejection *rejection)
{
	return rejection->wait || rejection->rule == PLACE_MEMORY ||
	    rejection->rule == PLACE_PLACEMENT;
}

static uint32_t
find_host(const struct plan_cluster *cluster, const char *name)
{
	for (uint32_t h = 0; h < cluster->host_count; h++)
		if (strcmp(cluster->hosts[h].name, name) == 0)
			return h;
	return PLAN_NONE;
}

/* Leaves the hosts of the choice that took it or could yet. */
static void
cut_hosts(struct route_state *state, struct plan_guest *guest,
    const struct place_choice *choice)
{
	size_t words = ((size_t)state->cluster->host_count + 63) / 64;
	uint64_t *allowed = arena_array(state->arena, words, sizeof(*allowed));

	if (guest->allowed != NULL)
		memcpy(allowed, guest->allowed, words * sizeof(*allowed));
	else
		memset(allowed, 0xff, words * sizeof(*allowed));
	for (size_t i = 0; i < choice->rejection_count; i++) {
		const struct place_rejection *rejection =
		    &choice->rejections[i];
		uint32_t h = may_pass(rejection)
		    ? PLAN_NONE
		    : find_host(state->cluster, rejection->host->name);

		if (h != PLAN_NONE)
			allowed[h / 64] &= ~(UINT64_C(1) << h % 64);
	}
	guest->allowed = allowed;
}

static bool
wants_restart(const struct strategy_wish *wish)
{
	for (size_t i = 0; i < wish->count; i++)
		if (wish->order[i] == STRATEGY_RESTART)
			return true;
	return false;
}

static void
take_choice(
    struct route_state *state, uint32_t g, const struct place_choice *choice)
{
	struct plan_guest *guest = &state->cluster->guests[g];
	struct strategy_wish wish;

	guest->stays = choice->guest_rule != PLACE_GUEST_OK ||
	    snapshot_is_moving(state->input->snapshot, guest->uuid);
	cut_hosts(state, guest, choice);
	if (choice->target == NULL)
		return;
	switch (choice->strategy.strategy) {
	case STRATEGY_LIVE_SHARED:
		guest->way = PLAN_LIVE_SHARED;
		break;
	case STRATEGY_LIVE_COPY:
		guest->way = PLAN_LIVE_COPY;
		break;
	case STRATEGY_RESTART:
		guest->way = PLAN_RESTART;
		break;
	}
	guest->disk = choice->strategy.disk_bytes;
	wish = drain_wish_for(&state->drain, choice->vm);
	if (guest->runs && guest->way != PLAN_RESTART &&
	    choice->vm->anchor_count == 0 && wants_restart(&wish))
		state->may_restart[g / 64] |= UINT64_C(1) << g % 64;
}

static void
set_limits(struct route_state *state)
{
	const struct pace_limits *limits = &state->drain.limits;
	struct plan_limits *to = &state->cluster->limits;

	to->total = limits->total > 0 ? limits->total : 0;
	to->per_source = limits->per_source > 0 ? limits->per_source : 0;
	to->per_target = limits->per_target > 0 ? limits->per_target : 0;
}

/* What a host has for guests is what they have and what is free, whatever else
 * may run there. */
static void
set_memory(struct route_state *state)
{
	const struct snapshot *s = state->input->snapshot;
	struct place_ledger *ledger = place_ledger_new(state->arena, s);

	for (uint32_t h = 0; h < state->cluster->host_count; h++) {
		struct plan_host *to = &state->cluster->hosts[h];
		const struct snap_host *from = snapshot_find_host(s, to->name);
		int64_t taken = 0;

		if (from == NULL || from->memory_free == SNAPSHOT_UNKNOWN) {
			to->accepts = false;
			continue;
		}
		for (uint32_t g = 0; g < state->cluster->guest_count; g++)
			if (state->cluster->guests[g].host == h)
				taken += state->cluster->guests[g].memory;
		to->memory = taken + from->memory_free - from->memory_arrived -
		    from->reserve_memory - ledger->memory[from - s->hosts];
	}
}

static uint32_t
find_guest(const struct route_state *state, const struct snap_vm *vm)
{
	for (uint32_t g = 0; g < state->cluster->guest_count; g++)
		if (state->vm[g] == vm)
			return g;
	return PLAN_NONE;
}

void
route_make_cluster(struct route_state *state)
{
	const struct snapshot *s = state->input->snapshot;
	struct plan_cluster *cluster =
	    plan_from_snapshot(state->arena, s, state->input->settings);
	size_t words = ((size_t)cluster->guest_count + 63) / 64;

	state->cluster = cluster;
	state->index = find_host(cluster, state->host->name);
	if (state->index == PLAN_NONE)
		return;
	state->may_restart =
	    arena_array(state->arena, words, sizeof(*state->may_restart));
	state->vm =
	    arena_array(state->arena, cluster->guest_count, sizeof(*state->vm));
	cluster->hosts[state->index].accepts = false;
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		state->vm[g] = snapshot_find_vm(s, cluster->guests[g].uuid);
		cluster->guests[g].stays = true;
	}
	set_limits(state);
	set_memory(state);
	for (size_t i = 0; i < state->plan->step_count; i++) {
		const struct evaluate_item *item = &state->plan->steps[i].item;
		uint32_t g = find_guest(state, item->vm);

		if (g != PLAN_NONE && item->fate != EVALUATE_EXCEPTED &&
		    item->fate != EVALUATE_MOVING)
			take_choice(state, g, &item->choice);
	}
}

bool
route_allow_room(struct route_state *state)
{
	const struct snapshot *s = state->input->snapshot;
	struct plan_cluster *cluster = state->cluster;
	struct place_ledger *ledger;

	if ((uint64_t)cluster->guest_count * cluster->host_count >
	    ROUTE_ROOM_PAIRS)
		return false;
	ledger = place_ledger_new(state->arena, s);
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		const struct plan_guest *guest = &cluster->guests[g];
		struct strategy_wish wish;
		struct guard guard;
		struct place_request request = {
		    .vm = state->vm[g], .wish = &wish, .guard = &guard};
		struct place_choice choice;

		if (guest->host == state->index || !guest->runs ||
		    !cluster->hosts[guest->host].accepts ||
		    drain_words_excepted(&state->drain, state->vm[g]) != NULL)
			continue;
		wish = drain_wish_for(&state->drain, state->vm[g]);
		guard = drain_guard_for(&state->drain, ledger, state->vm[g]);
		place_choose(state->arena, state->input->settings, s, ledger,
		    &request, &choice);
		/* Nobody is shut down to make room for others. */
		if (choice.target != NULL &&
		    choice.strategy.strategy != STRATEGY_RESTART) {
			take_choice(state, g, &choice);
			state->may_restart[g / 64] &= ~(UINT64_C(1) << g % 64);
		}
	}
	return true;
}
