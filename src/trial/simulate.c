/*
 * From a snapshot to what policies make of it.
 *
 * The site is the one of a policy test that expects nothing: its hosts and guests
 * are those of the snapshot, and where a snapshot does not say what a test would
 * take for granted, the careful meaning is taken that plans have (plan/read.h), so
 * that no move is promised which a host would refuse.
 */

#include "trial/simulate.h"

#include <string.h>

#include "base/fields.h"
#include "base/map.h"
#include "trial/run_priv.h"

#define ARENA_MAX ((size_t)1 << 30)
#define SECOND INT64_C(1000)
#define BALANCE_COST 20   /* of a guest, in hosts */
#define TURNS_LEFT_MIN 20 /* when all is spent */

struct simulation {
	struct arena *arena;
	const struct simulate_options *options;
	struct trial trial;
	struct trial_case nothing; /* is expected */
	struct settings settings;
	struct run run;
	struct map *names; /* of guests; NULL where several carry it */
	int64_t step_ms;   /* the longest one */
};

/* ---- the site ---- */

static void
simulate_take_site(struct simulation *sim, const struct read_snapshot *site)
{
	struct arena *arena = sim->arena;
	struct trial *trial = &sim->trial;

	trial->hosts =
	    arena_array(arena, site->host_count, sizeof(trial->hosts[0]));
	trial->vms = arena_array(arena, site->vm_count, sizeof(trial->vms[0]));
	trial->host_count = site->host_count;
	trial->vm_count = site->vm_count;
	trial->limits = site->limits;
	for (size_t i = 0; i < site->host_count; i++) {
		trial->hosts[i] = site->hosts[i];
		if (trial->hosts[i].disk < 0)
			trial->hosts[i].disk = 0;
	}
	for (size_t i = 0; i < site->vm_count; i++) {
		trial->vms[i] = site->vms[i];
		if (trial->vms[i].storage == READ_STORAGE_UNKNOWN)
			trial->vms[i].storage = READ_STORAGE_LOCAL;
	}
}

/* ---- the policies ---- */

static bool
simulate_has_rule(const struct settings *settings, const char *label)
{
	for (size_t i = 0; i < settings->placement_count; i++) {
		const struct placement *rule = &settings->placements[i];

		if (rule->kind == PLACEMENT_APART && rule->hard &&
		    rule->vms.expr == NULL && strcmp(rule->label, label) == 0)
			return true;
	}
	return false;
}

/* The one rule of placement that a snapshot can have. */
static void
simulate_take_apart(struct simulation *sim, const char *label)
{
	struct settings *settings = &sim->settings;
	size_t count = settings->placement_count;
	struct placement *rules =
	    arena_array(sim->arena, count + 1, sizeof(rules[0]));

	if (label == NULL || simulate_has_rule(settings, label))
		return;
	if (count > 0)
		memcpy(rules, settings->placements, count * sizeof(rules[0]));
	rules[count] = (struct placement){.name = "apart",
	    .kind = PLACEMENT_APART,
	    .label = label,
	    .hard = true,
	    .file = sim->options->file,
	    .line = 1};
	settings->placements = rules;
	settings->placement_count = count + 1;
}

static void
simulate_take_policies(struct simulation *sim, const struct settings *from)
{
	struct policy *policies =
	    arena_array(sim->arena, from->policy_count, sizeof(policies[0]));

	sim->settings = *from;
	for (size_t i = 0; i < from->policy_count; i++) {
		policies[i] = from->policies[i];
		if (policies[i].mode != POLICY_OFF)
			policies[i].mode = POLICY_AUTO;
	}
	sim->settings.policies = policies;
}

/* ---- what came of it ---- */

static struct map *
simulate_index_names(const struct trial *trial)
{
	struct map *names = map_new(NULL);

	for (size_t i = 0; i < trial->vm_count; i++) {
		struct read_vm *vm = &trial->vms[i];
		size_t before = map_count(names);

		map_set(names, vm->name, vm);
		if (map_count(names) == before)
			map_set(names, vm->name, NULL);
	}
	return names;
}

static const char *
simulate_name(const struct simulation *sim, const struct snap_vm *vm)
{
	return map_get(sim->names, vm->name) != NULL ? vm->name : vm->uuid;
}

static json_t *
simulate_tell_moves(const struct simulation *sim)
{
	const struct world *world = &sim->run.world;
	json_t *moves = json_array();

	for (size_t i = 0; i < world->move_count; i++) {
		const struct world_move *move = &world->moves[i];
		json_t *object = json_object();

		fields_count(object, "at_ms", move->begun_ms);
		fields_count(object, "ends_ms", move->ends_ms);
		fields_text(object, "policy", move->policy);
		fields_text(
		    object, "vm", simulate_name(sim, &world->s.vms[move->vm]));
		fields_text(object, "from", move->from);
		fields_text(object, "to", move->to);
		fields_text(object, "strategy", strategy_name(move->strategy));
		fields_text(
		    object, "why", move->together ? move->reason : move->seen);
		fields_text(object, "reason",
		    move->together ? move->seen : move->reason);
		json_array_append_new(moves, object);
	}
	return moves;
}

static json_t *
simulate_tell_flags(const struct simulation *sim)
{
	const struct world *world = &sim->run.world;
	json_t *flags = json_array();

	for (size_t i = 0; i < world->flag_count; i++) {
		const struct world_flag *flag = &world->flags[i];
		json_t *object = json_object();

		fields_count(object, "at_ms", flag->at_ms);
		fields_text(object, "host", flag->host);
		fields_text(object, "flag", trial_flag_name(flag->flag));
		fields_text(object, "policy", flag->policy);
		json_array_append_new(flags, object);
	}
	return flags;
}

static json_t *
simulate_tell_blocked(const struct simulation *sim, int64_t *out_waiting)
{
	const struct evaluation *evaluation = sim->run.evaluation;
	const struct snapshot *s = &sim->run.world.s;
	json_t *blocked = json_array();

	*out_waiting = 0;
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &evaluation->decisions[i];

		*out_waiting += (int64_t)decision->waiting;
		for (size_t k = 0; k < decision->item_count; k++) {
			const struct evaluate_item *item = &decision->items[k];
			const struct snap_vm *vm = item->vm;
			json_t *object;

			if (item->fate != EVALUATE_BLOCKED ||
			    decision->host == NULL)
				continue;
			object = json_object();
			fields_text(object, "vm", simulate_name(sim, vm));
			fields_text(object, "host", s->hosts[vm->host].name);
			fields_text(object, "policy", decision->policy->name);
			fields_text(object, "reason",
			    item->why != NULL ? item->why : item->choice.why);
			json_array_append_new(blocked, object);
		}
	}
	return blocked;
}

static json_t *
simulate_tell_policies(
    const struct simulation *sim, const struct settings *asked)
{
	const struct world *world = &sim->run.world;
	json_t *policies = json_array();

	for (size_t i = 0; i < asked->policy_count; i++) {
		const struct policy *policy = &sim->run.settings.policies[i];
		enum policy_mode mode = asked->policies[i].mode;
		json_t *object = simulate_tell_policy(&sim->run, policy);
		int64_t moves = 0;

		for (size_t m = 0; m < world->move_count; m++)
			moves +=
			    strcmp(world->moves[m].policy, policy->name) == 0;
		fields_text(object, "mode", policy_mode_name(mode));
		if (mode == POLICY_OBSERVE || mode == POLICY_APPROVE)
			json_object_set_new(object, "as_auto", json_true());
		fields_count(object, "moves", moves);
		json_array_append_new(policies, object);
	}
	return policies;
}

static json_t *
simulate_tell(const struct simulation *sim, const struct settings *asked)
{
	json_t *answer = json_object(), *blocked;
	int64_t waiting;

	fields_time(answer, "start", sim->options->start);
	fields_count(answer, "for_ms", sim->options->for_ms);
	fields_count(answer, "step_ms", sim->step_ms);
	json_object_set_new(answer, "moves", simulate_tell_moves(sim));
	json_object_set_new(answer, "flags", simulate_tell_flags(sim));
	blocked = simulate_tell_blocked(sim, &waiting);
	json_object_set_new(answer, "blocked", blocked);
	fields_count(answer, "waiting", waiting);
	json_object_set_new(
	    answer, "policies", simulate_tell_policies(sim, asked));
	return answer;
}

/* ---- time ---- */

/* Does what it says change by time alone? */
static bool
simulate_is_of_time(const struct policy_expr *expr)
{
	return expr->text != NULL &&
	    (strstr(expr->text, "age") != NULL ||
		strstr(expr->text, "last_moved") != NULL);
}

static bool
simulate_policy_is_of_time(const struct policy *policy)
{
	bool found = simulate_is_of_time(&policy->hosts) ||
	    simulate_is_of_time(&policy->select_vm) ||
	    simulate_is_of_time(&policy->select_until) ||
	    simulate_is_of_time(&policy->target_require) ||
	    simulate_is_of_time(&policy->forbid);

	for (size_t i = 0; i < policy->condition_count; i++)
		found = found ||
		    simulate_is_of_time(&policy->conditions[i].when) ||
		    simulate_is_of_time(&policy->conditions[i].until);
	for (size_t i = 0; i < policy->exception_count; i++)
		found = found || simulate_is_of_time(&policy->exceptions[i].vm);
	for (size_t i = 0; i < policy->rule_count; i++)
		found = found || simulate_is_of_time(&policy->rules[i].when);
	return found;
}

/* Samples are all alike where nothing is said of ages: then there is nothing to
 * see between one event and the next. */
static int64_t
simulate_interval(const struct simulation *sim)
{
	int64_t end = sim->options->for_ms, interval = end / SIMULATE_LOOKS;
	bool found = false;

	for (size_t i = 0; i < sim->settings.policy_count; i++)
		found = found ||
		    simulate_policy_is_of_time(&sim->settings.policies[i]);
	for (size_t i = 0; i < sim->settings.placement_count; i++)
		found = found ||
		    simulate_is_of_time(&sim->settings.placements[i].vms) ||
		    simulate_is_of_time(&sim->settings.placements[i].hosts);
	if (!found)
		return end;
	return interval > SIMULATE_INTERVAL_MS ? interval
					       : SIMULATE_INTERVAL_MS;
}

/* What the turn took: each guest of a decision is held against each host, each
 * guest is looked at, and so is each move that was made. */
static int64_t
simulate_cost(const struct run *run)
{
	const struct snapshot *s = &run->world.s;
	int64_t hosts = (int64_t)s->host_count, cost = hosts + 1;

	cost += (int64_t)s->vm_count / 4 + (int64_t)run->world.move_count / 16;

	for (size_t i = 0; i < run->evaluation->decision_count; i++) {
		const struct evaluate_decision *decision =
		    &run->evaluation->decisions[i];

		cost += hosts * (int64_t)decision->item_count;
		if (decision->host == NULL)
			cost += BALANCE_COST * (int64_t)s->vm_count;
	}
	return cost;
}

/*
 * How far apart turns are at least, if all cost what the last one did: so that an
 * hour of them is what may be spent; and once half of that is gone, which takes
 * policies that never rest, so that the other half does for the rest.
 */
static int64_t
simulate_step(const struct simulation *sim, int64_t cost, int64_t spent)
{
	int64_t step = SIMULATE_FOR_MS * cost / SIMULATE_WORK;
	int64_t rest = sim->options->for_ms - sim->run.world.now_ms;
	int64_t left = (SIMULATE_WORK - spent) / cost;

	if (spent > SIMULATE_WORK / 2 && left >= TURNS_LEFT_MIN &&
	    rest / left > step)
		step = rest / left;
	if (left < TURNS_LEFT_MIN &&
	    sim->options->for_ms / TURNS_LEFT_MIN > step)
		step = sim->options->for_ms / TURNS_LEFT_MIN;
	return step < SECOND ? SECOND : (step + SECOND - 1) / SECOND * SECOND;
}

static void
simulate_run(struct simulation *sim)
{
	int64_t end = sim->options->for_ms, now = 0, spent = 0, cost, step;
	struct run *run = &sim->run;

	while (now < end) {
		run_step(run);
		cost = simulate_cost(run);
		spent += cost;
		step = simulate_step(sim, cost, spent);
		if (step > sim->step_ms)
			sim->step_ms = step;
		now = (run_due(run) + step - 1) / step * step;
		if (now > end)
			now = end;
		world_set_time(&run->world, now);
	}
	run_turn(run);
}

json_t *
trial_simulate(const struct read_snapshot *site,
    const struct settings *settings, const struct simulate_options *options)
{
	struct simulation sim = {
	    .arena = arena_new(ARENA_MAX), .options = options};
	json_t *answer;

	sim.trial = (struct trial){.file = options->file,
	    .told_by = "the snapshot",
	    .start = options->start};
	simulate_take_site(&sim, site);
	simulate_take_policies(&sim, settings);
	simulate_take_apart(&sim, site->apart);
	sim.trial.interval_ms = simulate_interval(&sim);
	sim.names = simulate_index_names(&sim.trial);
	run_begin(&sim.run, &sim.trial, &sim.nothing, &sim.settings);
	simulate_run(&sim);
	answer = simulate_tell(&sim, settings);
	run_end(&sim.run);
	map_free(sim.names);
	arena_free(sim.arena);
	return answer;
}
