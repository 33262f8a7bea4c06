/*
 * One guest, from all sides: where could it go and how, and everything that says
 * no.  Each strategy is tried for itself, also at hosts that refuse the guest for
 * another reason, because that is what a person asks who wants to change
 * something.
 */
#include "decide/evaluate.h"

#include <string.h>

#include "decide/drain.h"

struct explain_vm {
	struct arena *arena;
	const struct evaluate_input *input;
	struct place_ledger *ledger;
	struct place_request request;
	struct place_choice choice;
};

static void
explain_set(json_t *object, const char *key, const char *text)
{
	if (text != NULL)
		json_object_set_new(object, key, json_string(text));
}

static bool
explain_wants(const struct strategy_wish *wish, enum strategy strategy)
{
	for (size_t i = 0; i < wish->count; i++) {
		if (wish->order[i] == strategy)
			return true;
	}
	return false;
}

static json_t *
explain_one_strategy(const struct explain_vm *look,
    const struct snap_host *host, enum strategy strategy)
{
	struct strategy_wish wish = *look->request.wish;
	struct strategy_result *how = arena_alloc(look->arena, sizeof(*how));
	const struct strategy_refusal *refusal;
	json_t *object = json_object();

	/* One that is not allowed is refused for that reason alone. */
	if (explain_wants(&wish, strategy)) {
		wish.order[0] = strategy;
		wish.count = 1;
	}
	strategy_choose(look->arena, look->input->settings,
	    look->input->snapshot, host, look->request.vm, &wish,
	    place_ledger_disk, look->ledger, how);
	explain_set(object, "strategy", strategy_name(strategy));
	if (how->found && how->strategy == strategy) {
		json_object_set_new(object, "ok", json_true());
		explain_strategy(object, how);
		return object;
	}
	json_object_set_new(object, "ok", json_false());
	for (size_t i = 0; i < how->refusal_count; i++) {
		refusal = &how->refusals[i];
		if (refusal->strategy != strategy)
			continue;
		explain_set(object, "rule", refusal->rule);
		explain_set(object, "why", refusal->why);
		if (refusal->wait)
			json_object_set_new(object, "wait", json_true());
	}
	return object;
}

static json_t *
explain_one_host(const struct explain_vm *look, const struct snap_host *host)
{
	json_t *object = json_object(), *strategies = json_array();
	struct place_rejection answer;
	bool ok;

	place_check(look->arena, look->input->settings, look->input->snapshot,
	    look->ledger, &look->request, host, &answer);
	ok = answer.rule == PLACE_OK || answer.rule == PLACE_STRATEGY;
	explain_set(object, "host", host->name);
	json_object_set_new(
	    object, "ok", json_boolean(answer.rule == PLACE_OK));
	if (look->choice.target == host)
		json_object_set_new(object, "chosen", json_true());
	if (!ok) {
		explain_set(object, "rule", place_rule_name(answer.rule));
		explain_set(object, "why", answer.why);
		if (answer.wait)
			json_object_set_new(object, "wait", json_true());
	}
	for (int i = 0; i < STRATEGY_COUNT; i++)
		json_array_append_new(strategies,
		    explain_one_strategy(look, host, (enum strategy)i));
	json_object_set_new(object, "strategies", strategies);
	return object;
}

json_t *
explain_vm(struct arena *arena, const struct evaluate_input *input,
    const struct snap_vm *vm, const char *only_to)
{
	const struct snapshot *s = input->snapshot;
	const struct snap_host *from = &s->hosts[vm->host];
	const struct policy *policy = plan_find_policy(input, from);
	struct strategy_wish wish = strategy_wish_of(input->settings, policy);
	struct look_cluster cluster;
	struct drain drain;
	struct guard guard;
	struct explain_vm look = {.arena = arena,
	    .input = input,
	    .ledger = place_ledger_new(arena, s),
	    .request = {.vm = vm,
		.only_to = only_to,
		.retries = -1,
		.wish = &wish,
		.guard = &guard,
		.leaving = policy != NULL}};
	json_t *object, *hosts = json_array();

	drain_init(&drain, arena, input, from, policy);
	look_at_cluster(s, &cluster);
	drain.cluster = &cluster;
	guard = drain_guard_for(&drain, look.ledger, vm);
	if (policy != NULL)
		wish = drain.wish;
	wish.at_once = true;
	place_choose(arena, input->settings, s, look.ledger, &look.request,
	    &look.choice);
	object = explain_choice(&look.choice);
	json_object_del(object, "rejected");
	explain_set(object, "state", facts_state_name(vm->state));
	explain_policy(object, policy);
	if (look.choice.target == NULL)
		explain_set(object, "fate",
		    evaluate_fate_name(
			look.choice.wait ? EVALUATE_WAIT : EVALUATE_BLOCKED));
	if (look.choice.guest_rule != PLACE_GUEST_OK)
		explain_set(object, "rule",
		    place_guest_rule_name(look.choice.guest_rule));
	for (size_t i = 0; i < s->host_count; i++) {
		const struct snap_host *host = &s->hosts[i];

		if (i != vm->host &&
		    (only_to == NULL || strcmp(only_to, host->name) == 0))
			json_array_append_new(
			    hosts, explain_one_host(&look, host));
	}
	json_object_set_new(object, "hosts", hosts);
	return object;
}
