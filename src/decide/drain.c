/*
 * Emptying a host, without its pace: which policy asks for it, which guests
 * there are and in which order, and for each whether it has somewhere to go.
 * What happens now (evaluate.c) and what would happen (plan.c) are both made
 * of this, so that a plan cannot promise what a drain then does not do.
 */
#include "decide/drain.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/expr.h"

/* From here on little is kept of why hosts refuse guests. */
#define DRAIN_WORDS_MAX ((size_t)256 << 20)

bool
evaluate_empties(const struct policy *policy)
{
	return (policy->actions & (POLICY_ACTION_MOVE | POLICY_ACTION_DRAIN)) !=
	    0 &&
	    policy->select_max == 0 && policy->select_vm.expr == NULL &&
	    policy->select_until.expr == NULL && !watch_is_of_guests(policy);
}

/* ---- do conditions hold, whatever `for` says? ---- */

static enum expr_truth
drain_any(enum expr_truth a, enum expr_truth b)
{
	if (a == EXPR_TRUE || b == EXPR_TRUE)
		return EXPR_TRUE;
	return a == EXPR_UNKNOWN || b == EXPR_UNKNOWN ? EXPR_UNKNOWN
						      : EXPR_FALSE;
}

static enum expr_truth
drain_both(enum expr_truth a, enum expr_truth b)
{
	if (a == EXPR_FALSE || b == EXPR_FALSE)
		return EXPR_FALSE;
	return a == EXPR_UNKNOWN || b == EXPR_UNKNOWN ? EXPR_UNKNOWN
						      : EXPR_TRUE;
}

static enum expr_truth
drain_test_guests(
    const struct settings *settings, const struct expr *expr, struct look *look)
{
	enum expr_truth holds = EXPR_FALSE;
	const struct snapshot *s = look->s;

	for (size_t i = 0; i < s->vm_count; i++) {
		look->vm = &s->vms[i];
		if (strcmp(s->hosts[look->vm->host].name, look->host->name) !=
		    0)
			continue;
		look->storage = look_at_storage(s, settings, look->vm);
		holds = drain_any(holds, expr_test(expr, look_up, look));
	}
	look->vm = NULL;
	look->storage = NULL;
	return holds;
}

static enum expr_truth
drain_test_condition(const struct settings *settings,
    const struct policy_condition *condition, struct look *look)
{
	const struct expr *expr = condition->when.expr;
	enum expr_truth holds = EXPR_FALSE;

	if (condition->subject == POLICY_SUBJECT_VM)
		return drain_test_guests(settings, expr, look);
	if (condition->subject != POLICY_SUBJECT_EVENT)
		return expr_test(expr, look_up, look);
	for (size_t i = 0; i < look->host->alert_count; i++) {
		look->event = &look->host->alerts[i];
		holds = drain_any(holds, expr_test(expr, look_up, look));
	}
	look->event = NULL;
	return holds;
}

static enum expr_truth
drain_holds(const struct settings *settings, const struct snapshot *s,
    const struct look_cluster *cluster, const struct policy *policy,
    const struct snap_host *host)
{
	struct look look = {.s = s,
	    .cluster = cluster,
	    .host = host,
	    .now = s->taken_wall,
	    .arena = s->arena};
	enum expr_truth holds = policy->all ? EXPR_TRUE : EXPR_FALSE, one;

	if (policy->condition_count != 1 ||
	    policy->conditions[0].subject != POLICY_SUBJECT_HOST)
		return EXPR_UNKNOWN;
	if (policy->hosts.expr != NULL) {
		one = expr_test(policy->hosts.expr, look_up, &look);
		if (one != EXPR_TRUE)
			return one;
	}
	for (size_t i = 0; i < policy->condition_count; i++) {
		one = drain_test_condition(
		    settings, &policy->conditions[i], &look);
		holds = policy->all ? drain_both(holds, one)
				    : drain_any(holds, one);
	}
	return holds;
}

const char *
evaluate_holds(const struct settings *settings, const struct snapshot *s,
    const struct look_cluster *cluster, const struct policy *policy,
    const struct snap_host *host)
{
	return expr_truth_name(drain_holds(settings, s, cluster, policy, host));
}

const struct policy *
drain_find_policy(
    const struct evaluate_input *input, const struct snap_host *host)
{
	const struct settings *settings = input->settings;
	struct look_cluster cluster;

	look_at_cluster(input->snapshot, &cluster);
	for (size_t i = 0; i < settings->policy_count; i++) {
		const struct policy *policy = &settings->policies[i];

		if (policy_mode_now(settings, input->modes, policy) !=
			POLICY_OFF &&
		    evaluate_empties(policy) &&
		    drain_holds(settings, input->snapshot, &cluster, policy,
			host) == EXPR_TRUE)
			return policy;
	}
	return NULL;
}

/* ---- one host and its guests ---- */

static bool
drain_names_storage(const struct policy_expr *expr)
{
	return expr->text != NULL && strstr(expr->text, "storage") != NULL;
}

/* To know it costs a look at each disk and many hosts: is it asked for? */
static bool
drain_wants_storage(const struct drain *drain)
{
	const struct settings *settings = drain->input->settings;
	const struct policy *policy = drain->policy;
	bool wants = false;

	for (size_t i = 0; i < settings->policy_count; i++)
		wants |= drain_names_storage(&settings->policies[i].forbid);
	if (policy == NULL)
		return wants;
	wants |= drain_names_storage(&policy->select_vm);
	wants |= drain_names_storage(&policy->target_require);
	for (size_t i = 0; i < policy->exception_count; i++)
		wants |= drain_names_storage(&policy->exceptions[i].vm);
	for (size_t i = 0; i < policy->rule_count; i++)
		wants |= drain_names_storage(&policy->rules[i].when);
	for (size_t i = 0; i < policy->target_prefer_count; i++)
		wants |= drain_names_storage(&policy->target_prefer[i]);
	return wants;
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
	drain->guard = (struct guard){.arena = arena,
	    .settings = input->settings,
	    .modes = input->modes,
	    .s = input->snapshot,
	    .watch = input->watch,
	    .policy = policy};
	drain->wants_storage = drain_wants_storage(drain);
	if (policy == NULL)
		return;
	drain->by_guest = watch_is_of_guests(policy);
	drain->limits = pace_combine(drain->limits,
	    (struct pace_limits){policy->limit_total, policy->limit_per_source,
		policy->limit_per_target});
	if (drain->options != NULL && evaluate_empties(policy))
		drain->limits = pace_combine(drain->limits,
		    (struct pace_limits){-1, drain->options->parallel, -1});
}

static const char *
drain_storage(const struct drain *drain, const struct snap_vm *vm)
{
	if (!drain->wants_storage)
		return NULL;
	return look_at_storage(
	    drain->input->snapshot, drain->input->settings, vm);
}

/* Expressions about a guest of the host. */
static struct look
drain_look(const struct drain *drain, const struct snap_vm *vm)
{
	return (struct look){.s = drain->input->snapshot,
	    .cluster = drain->cluster,
	    .host = drain->host,
	    .vm = vm,
	    .storage = drain_storage(drain, vm),
	    .now = drain->input->snapshot->taken_wall,
	    .arena = drain->arena};
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

static double
drain_load(const struct snap_vm *vm)
{
	double load = isnan(vm->cpu_smooth) ? vm->cpu_used : vm->cpu_smooth;

	return isnan(load) ? -1 : load;
}

static int
drain_compare_busiest(const void *a, const void *b)
{
	const struct snap_vm *const *x = a, *const *y = b;
	double load_x = drain_load(*x), load_y = drain_load(*y);

	if (load_x > load_y || load_x < load_y)
		return load_x > load_y ? -1 : 1;
	return strcmp((*x)->uuid, (*y)->uuid);
}

/* What would be sent; shared disks are not. */
static int64_t
drain_bytes(const struct snap_vm *vm)
{
	int64_t bytes = vm->memory > 0 ? vm->memory : 0;

	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct snap_disk *disk = &vm->disks[i];

		if (!disk->backing && disk->allocation > 0 &&
		    disk->kind != SNAP_DISK_NETWORK)
			bytes += disk->allocation;
	}
	return bytes;
}

static int
drain_compare_cheapest(const void *a, const void *b)
{
	const struct snap_vm *const *x = a, *const *y = b;
	int64_t bytes_x = drain_bytes(*x), bytes_y = drain_bytes(*y);

	if (bytes_x != bytes_y)
		return bytes_x < bytes_y ? -1 : 1;
	return strcmp((*x)->uuid, (*y)->uuid);
}

static bool
drain_takes(const struct drain *drain, const struct snap_vm *vm)
{
	const struct snapshot *s = drain->input->snapshot;
	const struct policy *policy = drain->policy;
	struct look look;

	if (&s->hosts[vm->host] != drain->host ||
	    (drain->claimed != NULL && drain->claimed[vm - s->vms]) ||
	    (!snapshot_vm_active(vm) &&
		!(drain->wish.include_stopped && vm->persistent)))
		return false;
	if (drain->by_guest &&
	    (drain->input->watch == NULL ||
		watch_vm(drain->input->watch, policy, s, vm).phase != WATCH_ON))
		return false;
	if (policy == NULL || policy->select_vm.expr == NULL)
		return true;
	look = drain_look(drain, vm);
	return expr_test(policy->select_vm.expr, look_up, &look) == EXPR_TRUE;
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
		qsort(guests, count, sizeof(guests[0]), drain_compare_busiest);
		break;
	case POLICY_ORDER_CHEAPEST:
		qsort(guests, count, sizeof(guests[0]), drain_compare_cheapest);
		break;
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
	for (size_t i = 0; policy != NULL && i < policy->exception_count; i++) {
		const struct policy_exception *e = &policy->exceptions[i];
		struct look look = drain_look(drain, vm);

		if (expr_test(e->vm.expr, look_up, &look) == EXPR_TRUE)
			return arena_printf(drain->arena,
			    "policy %s (%s:%u) excepts %s: \"%s\"",
			    policy->name, policy->file, e->vm.line, e->name,
			    e->vm.text);
	}
	return NULL;
}

/* The first rule of the policy that is about this guest; NULL: none is. */
static const struct policy_strategy *
drain_find_rule(const struct drain *drain, const struct snap_vm *vm)
{
	const struct policy *policy = drain->policy;
	struct look look;

	if (policy == NULL || policy->rule_count == 0)
		return NULL;
	look = drain_look(drain, vm);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_strategy *rule = &policy->rules[i];

		if (rule->when.expr == NULL ||
		    expr_test(rule->when.expr, look_up, &look) == EXPR_TRUE)
			return rule;
	}
	return NULL;
}

static struct strategy_wish
drain_wish_of(const struct drain *drain, const struct policy_strategy *rule)
{
	struct strategy_wish wish;

	if (rule == NULL)
		return drain->wish;
	wish = strategy_wish_of(drain->input->settings, rule->with);
	wish.include_stopped = drain->wish.include_stopped;
	wish.at_once = drain->wish.at_once;
	if (rule->use == POLICY_USE_DEFAULT)
		return wish;
	wish.count = 1;
	if (rule->use == POLICY_USE_LIVE_SHARED)
		wish.order[0] = STRATEGY_LIVE_SHARED;
	else if (rule->use == POLICY_USE_LIVE_COPY)
		wish.order[0] = STRATEGY_LIVE_COPY;
	else
		wish.order[0] = STRATEGY_RESTART;
	return wish;
}

struct strategy_wish
drain_wish_for(const struct drain *drain, const struct snap_vm *vm)
{
	return drain_wish_of(drain, drain_find_rule(drain, vm));
}

struct guard
drain_guard_for(const struct drain *drain, struct place_ledger *ledger,
    const struct snap_vm *vm)
{
	struct guard guard = drain->guard;

	guard.ledger = ledger;
	guard.cluster = drain->cluster;
	guard.storage = drain_storage(drain, vm);
	guard_begin(&guard, vm);
	return guard;
}

bool
drain_selects(const struct drain *drain, const struct snap_vm *vm)
{
	const struct policy_strategy *rule;
	const struct policy *policy = drain->policy;
	struct look look;

	if (drain_words_excepted(drain, vm) != NULL)
		return false;
	rule = drain_find_rule(drain, vm);
	if (rule != NULL && rule->use == POLICY_USE_SKIP)
		return false;
	if (policy->select_vm.expr == NULL)
		return true;
	look = drain_look(drain, vm);
	return expr_test(policy->select_vm.expr, look_up, &look) == EXPR_TRUE;
}

void
drain_judge(const struct drain *drain, struct place_ledger *ledger,
    const struct snap_vm *vm, struct evaluate_item *out)
{
	const struct policy_strategy *rule;
	const struct evaluate_hint *hint = drain_find_hint(drain, vm);
	struct strategy_wish wish;
	struct guard guard;
	const struct place_request request = {
	    .vm = vm,
	    .wish = &wish,
	    .prefer = hint != NULL ? hint->to : NULL,
	    .only_to = drain->options != NULL ? drain->options->only_to : NULL,
	    .retries = drain->policy != NULL ? drain->policy->retries : -1,
	    .guard = &guard,
	    .leaving = !drain->homing &&
		(drain->policy == NULL || evaluate_empties(drain->policy)),
	};

	*out = (struct evaluate_item){
	    .vm = vm, .choice = {.vm = vm, .from = drain->host}};
	out->why = drain_words_moving(drain, vm);
	if (out->why != NULL) {
		out->fate = EVALUATE_MOVING;
		return;
	}
	out->why = drain_words_excepted(drain, vm);
	rule = drain_find_rule(drain, vm);
	if (out->why == NULL && rule != NULL && rule->use == POLICY_USE_SKIP)
		out->why = arena_printf(drain->arena,
		    "policy %s (%s:%u) skips it%s%s%s", drain->policy->name,
		    drain->policy->file, rule->line,
		    rule->when.text != NULL ? ": \"" : "",
		    rule->when.text != NULL ? rule->when.text : "",
		    rule->when.text != NULL ? "\"" : "");
	if (out->why != NULL) {
		out->fate = EVALUATE_EXCEPTED;
		return;
	}
	wish = drain_wish_of(drain, rule);
	out->with = rule != NULL ? rule->with : NULL;
	if (hint != NULL && hint->restart)
		strategy_wish_first(&wish, STRATEGY_RESTART);
	guard = drain_guard_for(drain, ledger, vm);
	if (arena_used(drain->arena) < DRAIN_WORDS_MAX)
		place_choose(drain->arena, drain->input->settings,
		    drain->input->snapshot, ledger, &request, &out->choice);
	else
		place_choose_briefly(drain->arena, drain->input->settings,
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
