/*
 * Decisions and plans as JSON: what was chosen, and every host that was not
 * with the reason.  This is what `plan`, `--dry-run`, the journal of decisions
 * and events show; the words come from where the choice was made.
 */
#include "decide/evaluate.h"

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
		json_array_append_new(array, object);
	}
	return array;
}

void
explain_choice(json_t *object, const struct policy *policy,
    const struct place_choice *choice)
{
	if (choice->target != NULL) {
		explain_set(object, "to", choice->target->name);
		explain_set(object, "strategy", "live-shared");
		explain_set(object, "storage",
		    storage_class_name(choice->storage.class));
		explain_set(object, "handover",
		    evaluate_strict(policy, choice) ? "strict" : "fast");
	}
	json_object_set_new(object, "rejected", explain_rejections(choice));
}

static json_t *
explain_item(const struct snap_host *from, const struct policy *policy,
    const struct evaluate_item *item, int wave)
{
	const struct place_choice *choice = &item->choice;
	json_t *object = json_object();

	explain_set(object, "vm", item->vm->name);
	explain_set(object, "uuid", item->vm->uuid);
	explain_set(object, "from", from->name);
	explain_set(object, "fate", evaluate_fate_name(item->fate));
	explain_choice(object, policy, choice);
	explain_set(object, "why", item->why != NULL ? item->why : choice->why);
	if (wave > 0)
		json_object_set_new(object, "wave", json_integer(wave));
	return object;
}

static void
explain_policy(json_t *object, const struct policy *policy)
{
	if (policy == NULL)
		return;
	explain_set(object, "policy", policy->name);
	explain_set(object, "file", policy->file);
	json_object_set_new(object, "line", json_integer(policy->line));
	explain_set(object, "mode", policy_mode_name(policy->mode));
}

json_t *
explain_decision(const struct evaluate_decision *decision)
{
	json_t *object = json_object();
	json_t *items = json_array();

	explain_set(object, "host", decision->host->name);
	explain_policy(object, decision->policy);
	explain_set(object, "why", decision->why);
	for (size_t i = 0; i < decision->item_count; i++)
		json_array_append_new(items,
		    explain_item(decision->host, decision->policy,
			&decision->items[i], 0));
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
		    explain_item(plan->host, plan->policy, &plan->steps[i].item,
			plan->steps[i].wave));
	json_object_set_new(object, "steps", steps);
	return object;
}

json_t *
explain_guest(const struct snapshot *s, const struct plan_guest *guest)
{
	json_t *object = explain_item(
	    &s->hosts[guest->item.vm->host], guest->policy, &guest->item, 0);

	explain_policy(object, guest->policy);
	return object;
}
