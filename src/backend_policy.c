/*
 * Answers about policies: what they are, what they decided, and the words of
 * operators about them and about guests (modes, approvals, labels).  Whatever may
 * change what is decided is followed by a turn at once, so that the next question
 * finds it done.
 */
#include <stdio.h>
#include <string.h>

#include "act/labels.h"
#include "backend.h"
#include "base/fields.h"
#include "base/log.h"
#include "decide/evaluate.h"
#include "model/view.h"

/* ---- decisions ---- */

static void
add_decision(const struct store_decision *row, void *arg)
{
	json_array_append_new(arg, decisions_row_json(row, false));
}

json_t *
backend_decisions(
    void *arg, const struct control_decision_filter *filter, struct err *err)
{
	struct daemon *d = arg;
	json_t *list = json_array();

	if (store_each_decision(d->store,
		&(struct store_decision_filter){.policy = filter->policy,
		    .host = filter->host,
		    .open_only = filter->open_only,
		    .brief = true,
		    .max = filter->max},
		add_decision, list, err) < 0) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "decisions", list);
}

static void
take_decision(const struct store_decision *row, void *arg)
{
	json_t **out = arg;

	*out = decisions_row_json(row, true);
}

json_t *
backend_decision(void *arg, int64_t id, struct err *err)
{
	struct daemon *d = arg;
	json_t *found = NULL;

	if (store_get_decision(d->store, id, take_decision, &found, err) < 0)
		return NULL;
	return found;
}

json_t *
backend_approve(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	char by[64];

	backend_peer_text(peer, by, sizeof(by));
	if (decisions_approve(d->decisions, id, by, err) < 0)
		return NULL;
	pilot_turn(d->pilot);
	return backend_decision(d, id, err);
}

/* ---- policies ---- */

static json_t *
policy_json(struct daemon *d, const struct policy *policy)
{
	const struct store_mode *said = modes_find(d->modes, policy->name);
	json_t *object = json_object();

	fields_text(object, "policy", policy->name);
	fields_text(object, "description", policy->description);
	fields_text(
	    object, "mode", policy_mode_name(modes_get(d->modes, policy)));
	fields_text(object, "file_mode", policy_mode_name(policy->mode));
	if (said != NULL) {
		fields_text(object, "mode_by", said->by);
		fields_time(object, "mode_since", said->since);
	}
	json_object_set_new(object, "priority", json_integer(policy->priority));
	fields_text(object, "file", policy->file);
	fields_count(object, "line", policy->line);
	fields_count(object, "decisions",
	    (int64_t)decisions_count(d->decisions, policy->name));
	return object;
}

/* Each host with "true", "false" or "unknown". */
static json_t *
holds_json(const struct settings *settings, const struct snapshot *s,
    const struct look_cluster *cluster, const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; policy->condition_count > 0 && i < s->host_count;
	     i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "host", s->hosts[i].name, "holds",
			evaluate_holds(
			    settings, s, cluster, policy, &s->hosts[i])));
	return list;
}

static const char *
subject_word(const struct policy *policy)
{
	return policy->condition_count > 0
	    ? policy_subject_name(policy->conditions[0].subject)
	    : NULL;
}

json_t *
backend_policies(void *arg, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	struct look_cluster cluster;
	json_t *list = json_array();

	(void)err;
	look_at_cluster(s, &cluster);
	for (size_t i = 0; i < d->settings->policy_count; i++) {
		const struct policy *policy = &d->settings->policies[i];
		json_t *object = policy_json(d, policy), *hosts, *one;
		json_t *names = json_array();
		size_t k;

		hosts = holds_json(d->settings, s, &cluster, policy);
		json_array_foreach(hosts, k, one)
		{
			if (strcmp(json_string_value(
				       json_object_get(one, "holds")),
				"true") == 0)
				json_array_append(
				    names, json_object_get(one, "host"));
		}
		json_decref(hosts);
		json_object_set_new(object, "holds_for", names);
		json_array_append_new(list, object);
	}
	return json_pack("{s:o}", "policies", list);
}

static const struct policy *
find_policy(const struct daemon *d, const char *name, struct err *err)
{
	for (size_t i = 0; i < d->settings->policy_count; i++) {
		if (strcmp(d->settings->policies[i].name, name) == 0)
			return &d->settings->policies[i];
	}
	(void)modes_check_policy(d->settings, name, err);
	return NULL;
}

static json_t *
conditions_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->condition_count; i++) {
		const struct policy_condition *c = &policy->conditions[i];
		json_t *object = json_object();

		fields_text(object, "subject", policy_subject_name(c->subject));
		fields_text(object, "when", c->when.text);
		fields_text(object, "until",
		    c->until.expr != NULL ? c->until.text : NULL);
		if (c->for_ms > 0)
			fields_count(object, "for_ms", c->for_ms);
		fields_count(object, "line", c->when.line);
		json_array_append_new(list, object);
	}
	return list;
}

json_t *
backend_policy(void *arg, const char *name, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	const struct policy *policy = find_policy(d, name, err);
	struct look_cluster cluster;
	json_t *object, *newest = NULL;
	json_t *rows = json_array();

	if (policy == NULL ||
	    store_each_decision(d->store,
		&(struct store_decision_filter){
		    .policy = name, .brief = true, .max = 1},
		add_decision, rows, err) < 0) {
		json_decref(rows);
		return NULL;
	}
	if (json_array_size(rows) > 0)
		newest = backend_decision(d,
		    json_integer_value(
			json_object_get(json_array_get(rows, 0), "id")),
		    NULL);
	json_decref(rows);
	look_at_cluster(s, &cluster);
	object = policy_json(d, policy);
	fields_text(object, "subject", subject_word(policy));
	if (policy->condition_count > 1)
		fields_text(object, "match", policy->all ? "all" : "any");
	json_object_set_new(object, "conditions", conditions_json(policy));
	json_object_set_new(
	    object, "hosts", holds_json(d->settings, s, &cluster, policy));
	if (newest != NULL)
		json_object_set_new(object, "decision", newest);
	return object;
}

json_t *
backend_set_mode(void *arg, const char *name, const char *mode,
    const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	char by[64];
	int changed;

	backend_peer_text(peer, by, sizeof(by));
	changed = modes_set(d->modes, d->settings, name, mode, by, err);
	if (changed < 0)
		return NULL;
	if (changed > 0)
		pilot_turn(d->pilot);
	for (size_t i = 0; i < d->settings->policy_count; i++) {
		if (strcmp(d->settings->policies[i].name, name) == 0)
			return policy_json(d, &d->settings->policies[i]);
	}
	return json_pack("{s:s}", "policy", name);
}

/* ---- labels ---- */

json_t *
backend_label(void *arg, const char *name, json_t *changes,
    const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	cleanup_snapshot struct snapshot *s = pilot_snapshot(d->pilot);
	const struct snap_vm *vm = backend_find_vm(s, name, err);
	cleanup_snapshot struct snapshot *after = NULL;
	int changed;

	if (vm == NULL)
		return NULL;
	changed = labels_change(d->store, d->inventory, vm->uuid, changes, err);
	if (changed < 0)
		return NULL;
	if (changed > 0) {
		log_info("control", "%s: %d label%s changed by uid %u",
		    vm->name, changed, changed == 1 ? "" : "s",
		    (unsigned)peer->uid);
		pilot_changed(d->pilot);
	}
	after = pilot_snapshot(d->pilot);
	vm = backend_find_vm(after, vm->uuid, err);
	return vm != NULL ? view_vm(after, vm, true) : NULL;
}
