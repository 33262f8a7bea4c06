/*
 * Emptying a host, without its pace: which policy asks for it, which guests
 * there are and in which order, and for each whether it has somewhere to go.
 * What happens now (evaluate.c) and what would happen (plan.c) are both made
 * of this, so that a plan cannot promise what a drain then does not do.
 */
#include "decide/drain.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "decide/expr.h"

/* Conditions that hold over time, or of other things than one host, and policies
 * that leave guests out by more than a name, are not for a drain. */
static bool
drain_understands(const struct policy *policy)
{
	const struct policy_condition *condition = policy->conditions;

	return policy->condition_count == 1 &&
	    condition->subject == POLICY_SUBJECT_HOST &&
	    condition->for_ms == 0 && condition->until.expr == NULL &&
	    policy->hosts.expr == NULL && policy->select_vm.expr == NULL &&
	    policy->exception_count == 0 && policy->select_until.expr == NULL &&
	    policy->select_max == 0 && policy->target_require.expr == NULL &&
	    policy->rule_count == 0 && policy->window_count == 0;
}

static enum expr_truth
drain_holds(const struct policy *policy, struct look *look,
    const struct snap_host *host)
{
	if (!drain_understands(policy))
		return EXPR_UNKNOWN;
	look->host = host;
	return expr_test(policy->conditions[0].when.expr, look_up, look);
}

void
drain_look(struct look *look, struct look_cluster *cluster, struct arena *arena,
    const struct evaluate_input *input)
{
	look_at_cluster(input->snapshot, cluster);
	*look = (struct look){
	    .s = input->snapshot,
	    .cluster = cluster,
	    .now = input->snapshot->taken_wall,
	    .arena = arena,
	};
}

const char *
evaluate_holds(struct arena *arena, const struct evaluate_input *input,
    const struct policy *policy, const struct snap_host *host)
{
	struct look_cluster cluster;
	struct look look;

	drain_look(&look, &cluster, arena, input);
	return expr_truth_name(drain_holds(policy, &look, host));
}

const struct policy *
drain_find_policy(const struct settings *settings, struct look *look,
    const struct snap_host *host)
{
	for (size_t i = 0; i < settings->policy_count; i++) {
		const struct policy *policy = &settings->policies[i];

		if (policy->mode != POLICY_OFF &&
		    drain_holds(policy, look, host) == EXPR_TRUE)
			return policy;
	}
	return NULL;
}

void
drain_init(struct drain *drain, struct arena *arena,
    const struct evaluate_input *input, const struct snap_host *host,
    const struct policy *policy)
{
	const struct settings_limits *limits = &input->settings->limits;

	*drain = (struct drain){
	    .arena = arena, .input = input, .host = host, .policy = policy};
	drain->limits = (struct pace_limits){
	    limits->total, limits->per_source, limits->per_target};
	for (size_t i = 0; i < input->drain_count; i++) {
		if (strcmp(input->drains[i].host, host->name) == 0)
			drain->options = &input->drains[i];
	}
	drain->wish = strategy_wish_of(input->settings, policy);
	drain->wish.include_stopped =
	    (policy != NULL && policy->include_stopped) ||
	    (drain->options != NULL && drain->options->include_stopped);
	if (policy != NULL)
		drain->limits = pace_combine(drain->limits,
		    (struct pace_limits){policy->limit_total,
			policy->limit_per_source, policy->limit_per_target});
	if (drain->options != NULL)
		drain->limits = pace_combine(drain->limits,
		    (struct pace_limits){-1, drain->options->parallel, -1});
}

static int
drain_compare_names(const void *a, const void *b)
{
	const struct snap_vm *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order != 0 ? order : strcmp((*x)->uuid, (*y)->uuid);
}

static int
drain_compare_smallest(const void *a, const void *b)
{
	const struct snap_vm *const *x = a, *const *y = b;

	if ((*x)->memory != (*y)->memory)
		return (*x)->memory < (*y)->memory ? -1 : 1;
	return strcmp((*x)->uuid, (*y)->uuid);
}

static int
drain_compare_largest(const void *a, const void *b)
{
	const struct snap_vm *const *x = a, *const *y = b;

	if ((*x)->memory != (*y)->memory)
		return (*x)->memory > (*y)->memory ? -1 : 1;
	return strcmp((*x)->uuid, (*y)->uuid);
}

static bool
drain_takes(const struct drain *drain, const struct snap_vm *vm)
{
	const struct snapshot *s = drain->input->snapshot;

	if (&s->hosts[vm->host] != drain->host)
		return false;
	if (snapshot_vm_active(vm))
		return true;
	return drain->wish.include_stopped && vm->persistent;
}

const struct snap_vm **
drain_list_guests(const struct drain *drain, size_t *out_count)
{
	const struct snapshot *s = drain->input->snapshot;
	size_t count = 0;
	enum policy_order order = drain->policy != NULL
	    ? drain->policy->order
	    : POLICY_ORDER_MEMORY_DESC;
	const struct snap_vm **guests;

	for (size_t i = 0; i < s->vm_count; i++) {
		if (drain_takes(drain, &s->vms[i]))
			count++;
	}
	guests = arena_array(drain->arena, count, sizeof(guests[0]));
	*out_count = count;
	count = 0;
	for (size_t i = 0; i < s->vm_count; i++) {
		if (drain_takes(drain, &s->vms[i]))
			guests[count++] = &s->vms[i];
	}
	switch (order) {
	case POLICY_ORDER_MEMORY_ASC:
		qsort(guests, count, sizeof(guests[0]), drain_compare_smallest);
		break;
	case POLICY_ORDER_MEMORY_DESC:
		qsort(guests, count, sizeof(guests[0]), drain_compare_largest);
		break;
	case POLICY_ORDER_BUSIEST:
	case POLICY_ORDER_CHEAPEST:
	case POLICY_ORDER_NAME:
		qsort(guests, count, sizeof(guests[0]), drain_compare_names);
		break;
	}
	drain_order_by_hints(drain, guests, count);
	return guests;
}

/* The move that has it, in words; NULL: none. */
static const char *
drain_words_moving(const struct drain *drain, const struct snap_vm *vm)
{
	const struct snapshot *s = drain->input->snapshot;

	for (size_t i = 0; i < s->move_count; i++) {
		const struct snap_move *move = &s->moves[i];

		if (strcmp(move->uuid, vm->uuid) == 0)
			return arena_printf(drain->arena,
			    "on its way from %s to %s", move->from, move->to);
	}
	return NULL;
}

const char *
drain_words_excepted(const struct drain *drain, const struct snap_vm *vm)
{
	const struct policy *policy = drain->policy;

	for (size_t i = 0; policy != NULL && i < policy->except_count; i++) {
		if (fnmatch(policy->except[i], vm->name, 0) == 0)
			return arena_printf(drain->arena,
			    "policy %s (%s:%u) excepts %s", policy->name,
			    policy->file, policy->line, policy->except[i]);
	}
	return NULL;
}

void
drain_judge(const struct drain *drain, struct place_ledger *ledger,
    const struct snap_vm *vm, struct evaluate_item *out)
{
	const struct evaluate_hint *hint = drain_find_hint(drain, vm);
	struct strategy_wish wish = drain->wish;
	const struct place_request request = {
	    .vm = vm,
	    .wish = &wish,
	    .prefer = hint != NULL ? hint->to : NULL,
	    .only_to = drain->options != NULL ? drain->options->only_to : NULL,
	    .retries = drain->policy != NULL ? drain->policy->retries : -1,
	    .leaving = true,
	};

	*out = (struct evaluate_item){
	    .vm = vm, .choice = {.vm = vm, .from = drain->host}};
	out->why = drain_words_moving(drain, vm);
	if (out->why != NULL) {
		out->fate = EVALUATE_MOVING;
		return;
	}
	out->why = drain_words_excepted(drain, vm);
	if (out->why != NULL) {
		out->fate = EVALUATE_EXCEPTED;
		return;
	}
	if (hint != NULL && hint->restart)
		strategy_wish_first(&wish, STRATEGY_RESTART);
	place_choose(drain->arena, drain->input->settings,
	    drain->input->snapshot, ledger, &request, &out->choice);
	if (out->choice.target != NULL)
		out->fate = EVALUATE_START;
	else if (out->choice.wait || (hint != NULL && drain->room != NULL))
		out->fate = EVALUATE_WAIT;
	else
		out->fate = EVALUATE_BLOCKED;
	if (out->fate == EVALUATE_WAIT && out->choice.wait)
		out->why = out->choice.why;
	else if (out->fate == EVALUATE_WAIT)
		out->why = arena_printf(drain->arena,
		    "goes to %s by the plan of the drain, once there is room: "
		    "%s",
		    hint->to, drain->room);
}
