/*
 * A decision about all hosts together: the planner's moves that even out the load
 * (plan/balance.h), each of them judged once more as every other move is, because
 * the planner knows neither networks nor CPUs nor what policies forbid.
 *
 * The planner is told what it must not touch: hosts that guests leave, guests that
 * another policy has, that are excepted or were moved just now.  What it plans is
 * begun as far as limits allow; the rest is planned anew when that is over, from
 * what then is.
 */
#include <math.h>
#include <string.h>

#include "decide/evaluate_priv.h"
#include "plan/balance.h"
#include "plan/from_snapshot.h"
#include "plan/read.h"

/* Moves that are planned at once: more would be outdated before their turn. */
#define BALANCE_MOVES_MAX 32

static const struct snap_host *
balance_find_host(const struct evaluate_state *state,
    const struct plan_cluster *cluster, uint32_t index)
{
	return snapshot_find_host(
	    state->input->snapshot, cluster->hosts[index].name);
}

/* Hosts that are none of its business. */
static void
balance_limit_hosts(struct evaluate_state *state, const struct policy *policy,
    struct plan_cluster *cluster)
{
	const struct snapshot *s = state->input->snapshot;
	struct look look = {.s = s,
	    .cluster = &state->cluster,
	    .now = s->taken_wall,
	    .arena = state->arena};

	for (uint32_t i = 0; i < cluster->host_count; i++) {
		look.host = balance_find_host(state, cluster, i);
		if (look.host == NULL ||
		    state->leaving[look.host - s->hosts] != NULL ||
		    (policy->hosts.expr != NULL &&
			expr_test(policy->hosts.expr, look_up, &look) !=
			    EXPR_TRUE))
			cluster->hosts[i].accepts = false;
	}
}

static void
balance_limit_guests(struct evaluate_state *state,
    const struct evaluate_decision *decision, struct plan_cluster *cluster)
{
	const struct snapshot *s = state->input->snapshot;

	for (uint32_t i = 0; i < cluster->guest_count; i++) {
		struct plan_guest *guest = &cluster->guests[i];
		const struct snap_vm *vm = snapshot_find_vm(s, guest->uuid);
		struct drain drain;

		if (guest->stays || vm == NULL)
			continue;
		drain_init(&drain, state->arena, state->input,
		    &s->hosts[vm->host], decision->policy);
		drain.cluster = &state->cluster;
		guest->stays = state->claimed[vm - s->vms] ||
		    !drain_selects(&drain, vm) ||
		    gate_guest(state, decision, vm) != NULL;
	}
}

/* What is on its way counts as having arrived, with its load and its memory: else
 * the same imbalance would be evened out again until it is over, and then the
 * other way round. */
static void
balance_settle_move(const struct evaluate_state *state,
    struct plan_cluster *cluster, const struct snap_move *move)
{
	const struct snap_vm *vm =
	    snapshot_find_vm(state->input->snapshot, move->uuid);
	uint32_t to = plan_find_host(cluster, move->to);
	double cpu;

	for (uint32_t i = 0; vm != NULL && i < cluster->guest_count; i++) {
		struct plan_guest *guest = &cluster->guests[i];

		if (strcmp(guest->uuid, move->uuid) != 0)
			continue;
		guest->stays = true;
		if (to == PLAN_NONE || guest->host == to)
			return;
		cpu = isnan(guest->cpu) ? 0 : guest->cpu;
		/* Less than none is a matter of when it was measured; what
		 * is unknown stays so. */
		cluster->hosts[guest->host].cpu_used -= cpu;
		if (cluster->hosts[guest->host].cpu_used < 0)
			cluster->hosts[guest->host].cpu_used = 0;
		cluster->hosts[to].cpu_used += cpu;
		/* It was kept free for the guest, which takes it now. */
		cluster->hosts[to].memory += guest->memory;
		guest->host = to;
		return;
	}
}

static void
balance_item(struct evaluate_state *state, struct evaluate_decision *decision,
    const struct plan_cluster *cluster, const struct plan_move *move,
    struct evaluate_item *item)
{
	const struct snapshot *s = state->input->snapshot;
	const struct snap_vm *vm =
	    snapshot_find_vm(s, cluster->guests[move->guest].uuid);
	const struct snap_host *from = &s->hosts[vm->host];
	const struct evaluate_drain options = {.host = from->name,
	    .parallel = -1,
	    .only_to = cluster->hosts[move->to].name};
	struct drain drain;

	drain_init(&drain, state->arena, state->input, from, decision->policy);
	drain.options = &options;
	drain.cluster = &state->cluster;
	drain.guard.leaving = state->leaving;
	drain.guard.emptied = state->emptied;
	drain.guard.watch = state->watch;
	drain_judge(&drain, state->planned, vm, item);
	if (item->fate == EVALUATE_START) {
		item->choice.why = move->reason;
		evaluate_start(state, &drain, decision, item);
	}
	evaluate_count(decision, item);
}

void
evaluate_balance(
    struct evaluate_state *state, struct evaluate_decision *decision)
{
	const struct evaluate_input *input = state->input;
	const struct policy *policy = decision->policy;
	struct plan_cluster *cluster =
	    plan_from_snapshot(state->arena, input->snapshot, input->settings);
	struct plan_balance_options options = plan_balance_defaults(cluster);
	struct plan_result plan = {0};

	decision->gate = gate_decision(state, decision);
	balance_limit_hosts(state, policy, cluster);
	balance_limit_guests(state, decision, cluster);
	for (size_t i = 0; i < input->snapshot->move_count; i++)
		balance_settle_move(state, cluster, &input->snapshot->moves[i]);
	options.max_moves = BALANCE_MOVES_MAX;
	if (policy->select_max > 0 && policy->select_max < BALANCE_MOVES_MAX)
		options.max_moves = (uint32_t)policy->select_max;
	if (policy->gain > 0 && !isnan(state->cluster.imbalance) &&
	    policy->gain * state->cluster.imbalance > options.min_gain)
		options.min_gain = policy->gain * state->cluster.imbalance;
	plan_balance(state->arena, cluster, &options, &plan);
	decision->items = arena_array(
	    state->arena, plan.move_count, sizeof(decision->items[0]));
	for (uint32_t i = 0; i < plan.move_count; i++)
		balance_item(state, decision, cluster, &plan.moves[i],
		    &decision->items[decision->item_count++]);
	evaluate_claim(state, decision);
}
