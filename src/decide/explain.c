/*
 * Decisions and plans as JSON: what was chosen, and every host that was not
 * with the reason.  This is what `plan`, `--dry-run`, the journal of decisions
 * and events show; the words come from where the choice was made.
 */
#include "decide/evaluate.h"

#include "base/fields.h"
#include "decide/drain.h"

static void
explain_set(json_t *object, const char *key, const char *text)
{
	if (text != NULL)
		json_object_set_new(object, key, json_string(text));
}

static void
explain_set_count(json_t *object, const char *key, size_t count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

json_t *
explain_refusals(const struct strategy_refusal *refusals, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *object = json_object();

		explain_set(
		    object, "strategy", strategy_name(refusals[i].strategy));
		explain_set(object, "rule", refusals[i].rule);
		explain_set(object, "why", refusals[i].why);
		if (refusals[i].wait)
			json_object_set_new(object, "wait", json_true());
		json_array_append_new(array, object);
	}
	return array;
}

json_t *
explain_rejections(const struct place_choice *choice)
{
	json_t *array = json_array();

	for (size_t i = 0; i < choice->rejection_count; i++) {
		const struct place_rejection *rejection =
		    &choice->rejections[i];
		json_t *object = json_object();

		explain_set(object, "host", rejection->host->name);
		explain_set(object, "rule", place_rule_name(rejection->rule));
		explain_set(object, "why", rejection->why);
		if (rejection->refusal_count > 0)
			json_object_set_new(object, "strategies",
			    explain_refusals(
				rejection->refusals, rejection->refusal_count));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *
explain_disks(const struct strategy_result *how)
{
	json_t *array = json_array();

	for (size_t i = 0; i < how->disk_count; i++) {
		const struct strategy_disk *disk = &how->disks[i];
		json_t *object = json_object();

		explain_set(object, "target", disk->target);
		explain_set(object, "path", disk->path);
		explain_set(object, "format", disk->format);
		explain_set(object, "pool", disk->pool);
		explain_set(object, "volume", disk->volume);
		explain_set(object, "dest_path", disk->dest_path);
		explain_set(object, "backing", disk->backing);
		fields_count(object, "capacity", disk->capacity);
		fields_count(object, "allocation", disk->allocation);
		if (disk->replace)
			json_object_set_new(object, "replace", json_true());
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *
explain_rungs(unsigned rungs)
{
	static const char *const names[] = {
	    "downtime", "throttle", "post-copy", "pause"};
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((rungs & 1U << i) != 0)
			json_array_append_new(array, json_string(names[i]));
	}
	return array;
}

static void
explain_prediction(json_t *object, const struct predict_result *predicted)
{
	fields_count(object, "predicted_ms", predicted->time_ms);
	fields_count(object, "predicted_downtime_ms", predicted->downtime_ms);
	/* It does not end by itself; this long it would have to be stopped. */
	fields_count(
	    object, "forced_downtime_ms", predicted->forced_downtime_ms);
	if (predicted->rungs != 0)
		json_object_set_new(
		    object, "converge", explain_rungs(predicted->rungs));
}

void
explain_strategy(json_t *object, const struct strategy_result *how)
{
	bool live = how->strategy != STRATEGY_RESTART;
	json_t *ejects;

	explain_set(object, "strategy", strategy_name(how->strategy));
	explain_set(object, "storage", storage_class_name(how->storage.class));
	if (live)
		explain_set(
		    object, "handover", how->strict ? "strict" : "fast");
	explain_prediction(object, &how->predicted);
	if (how->disk_count > 0) {
		json_object_set_new(object, "disks", explain_disks(how));
		fields_count(object, "disk_bytes", how->disk_bytes);
	}
	if (how->eject_count > 0) {
		ejects = json_array();
		for (size_t i = 0; i < how->eject_count; i++)
			json_array_append_new(
			    ejects, json_string(how->ejects[i]));
		json_object_set_new(object, "ejects", ejects);
	}
	/* Where libvirt may still say no. */
	if (live && how->storage.own_proof)
		explain_set(object, "caution", how->storage.unsafe);
}

json_t *
explain_choice(const struct place_choice *choice)
{
	json_t *object = json_object();

	explain_set(object, "vm", choice->vm->name);
	explain_set(object, "uuid", choice->vm->uuid);
	explain_set(object, "from", choice->from->name);
	if (choice->target != NULL) {
		explain_set(object, "to", choice->target->name);
		explain_strategy(object, &choice->strategy);
		json_object_set_new(object, "strategies",
		    explain_refusals(choice->strategy.refusals,
			choice->strategy.refusal_count));
	}
	explain_set(object, "why", choice->why);
	json_object_set_new(object, "rejected", explain_rejections(choice));
	return object;
}

static json_t *
explain_item(const struct evaluate_item *item, int wave)
{
	json_t *object = explain_choice(&item->choice);

	explain_set(object, "fate", evaluate_fate_name(item->fate));
	explain_set(object, "why", item->why);
	if (wave > 0)
		json_object_set_new(object, "wave", json_integer(wave));
	return object;
}

void
explain_policy(json_t *object, const struct policy *policy)
{
	if (policy == NULL)
		return;
	explain_set(object, "policy", policy->name);
	explain_set(object, "file", policy->file);
	json_object_set_new(object, "line", json_integer(policy->line));
	explain_set(object, "mode", policy_mode_name(policy->mode));
}

static void
explain_set_time(json_t *object, const char *key, struct wall at)
{
	char text[CLOCK_RFC3339_SIZE];

	if (at.ms <= 0)
		return;
	wall_format(at, text);
	explain_set(object, key, text);
}

static json_t *
explain_actions(unsigned actions)
{
	static const char *const names[] = {
	    "move", "drain", "balance", "cordon", "set_maintenance", "notify"};
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((actions & 1U << i) != 0)
			json_array_append_new(array, json_string(names[i]));
	}
	return array;
}

static json_t *
explain_seen(const struct evaluate_decision *decision)
{
	json_t *array = json_array();

	for (size_t i = 0; i < decision->seen_count; i++) {
		const struct evaluate_seen *seen = &decision->seen[i];
		json_t *object;

		if (seen->text == NULL)
			continue;
		object = json_object();
		explain_set(
		    object, "condition", policy_subject_name(seen->subject));
		explain_set(object, "phase", watch_phase_name(seen->phase));
		explain_set(object, "text", seen->text);
		explain_set_time(object, "since", seen->since);
		json_array_append_new(array, object);
	}
	return array;
}

json_t *
explain_decision(const struct evaluate_decision *decision)
{
	json_t *object = json_object();
	json_t *items = json_array();

	if (decision->host != NULL)
		explain_set(object, "host", decision->host->name);
	if (decision->home)
		json_object_set_new(object, "home", json_true());
	explain_policy(object, decision->policy);
	explain_set(object, "mode", policy_mode_name(decision->mode));
	if (decision->approved)
		json_object_set_new(object, "approved", json_true());
	json_object_set_new(
	    object, "actions", explain_actions(decision->policy->actions));
	explain_set_time(object, "since", decision->since);
	explain_set(object, "why", decision->why);
	explain_set(object, "gate", decision->gate);
	json_object_set_new(object, "seen", explain_seen(decision));
	for (size_t i = 0; i < decision->item_count; i++)
		json_array_append_new(
		    items, explain_item(&decision->items[i], 0));
	json_object_set_new(object, "items", items);
	return object;
}

json_t *
explain_plan(const struct plan *plan)
{
	json_t *object = json_object();
	json_t *steps = json_array();

	explain_set(object, "host", plan->host->name);
	explain_policy(object, plan->policy);
	json_object_set_new(object, "waves", json_integer(plan->waves));
	explain_set_count(object, "movable", plan->movable);
	explain_set_count(object, "blocked", plan->blocked);
	for (size_t i = 0; i < plan->step_count; i++)
		json_array_append_new(steps,
		    explain_item(&plan->steps[i].item, plan->steps[i].wave));
	json_object_set_new(object, "steps", steps);
	return object;
}
