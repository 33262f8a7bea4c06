/*
 * Labels of guests, and rules of placement: written as in a file of policies, and
 * put in place as if they had been read from one.
 */
#include "scenario.h"

#include <string.h>

#include "decide/expr.h"

static void
label_guest(
    struct scenario *scenario, const struct node *labels, struct snap_vm *vm)
{
	size_t max = 0;

	for (const struct node *label = labels->first; label != NULL;
	     label = label->next)
		max++;
	vm->label_keys = arena_array(scenario->arena, max, sizeof(char *));
	vm->label_values = arena_array(scenario->arena, max, sizeof(char *));
	for (const struct node *label = labels->first; label != NULL;
	     label = label->next) {
		size_t at = vm->label_count++;

		for (; at > 0 &&
		     strcmp(vm->label_keys[at - 1], label->key->text) > 0;
		     at--) {
			vm->label_keys[at] = vm->label_keys[at - 1];
			vm->label_values[at] = vm->label_values[at - 1];
		}
		vm->label_keys[at] = label->key->text;
		vm->label_values[at] = label->text;
	}
}

static struct policy_expr
compile(struct scenario *scenario, const struct node *rule, const char *key,
    const enum expr_scope *scopes, size_t count)
{
	const struct expr_context context = {
	    .scopes = scopes, .scope_count = count};
	struct policy_expr expr = {.text = node_text(rule, key)};
	struct err err = {0};
	unsigned column;

	if (expr.text == NULL)
		return expr;
	expr.line = rule->line;
	expr.expr =
	    expr_compile(scenario->arena, expr.text, &context, &column, &err);
	if (expr.expr == NULL)
		scenario_die(scenario, tree_get(rule, key), "%s", err.msg);
	return expr;
}

static void
read_rule(
    struct scenario *scenario, const struct node *node, struct placement *out)
{
	static const char *const keys[] = {"name", "vms", "apart", "together",
	    "hosts", "spread_by", "strength", NULL};
	static const enum expr_scope of_guests[] = {EXPR_SCOPE_VM};
	static const enum expr_scope of_hosts[] = {
	    EXPR_SCOPE_TARGET, EXPR_SCOPE_VM};
	const char *strength = node_text(node, "strength");

	node_check_keys(scenario, node, keys);
	*out = (struct placement){.name = node_text(node, "name"),
	    .vms = compile(scenario, node, "vms", of_guests, 1),
	    .hosts = compile(scenario, node, "hosts", of_hosts, 2),
	    .hard = strength == NULL || strcmp(strength, "soft") != 0,
	    .file = "10-placement.yaml",
	    .line = node->line};
	if (node_text(node, "apart") != NULL) {
		out->kind = PLACEMENT_APART;
		out->label = node_text(node, "apart");
	} else if (node_text(node, "together") != NULL) {
		out->kind = PLACEMENT_TOGETHER;
		out->label = node_text(node, "together");
	} else if (node_text(node, "spread_by") != NULL) {
		out->kind = PLACEMENT_SPREAD;
		out->label = node_text(node, "spread_by");
		out->hard = false;
	} else if (out->hosts.expr != NULL) {
		out->kind = PLACEMENT_HOSTS;
	} else {
		scenario_die(scenario, node,
		    "one of apart, together, hosts, spread_by is wanted");
	}
	if (out->name == NULL)
		scenario_die(scenario, node, "it has no name");
}

void
scenario_place(struct scenario *scenario)
{
	struct snapshot *s = scenario->snapshot;
	struct settings *settings = scenario->settings;

	for (size_t i = 0; i < s->vm_count; i++) {
		const struct node *labels = NULL;

		for (const struct node *guest =
			 node_first(scenario->root, "guests");
		     guest != NULL; guest = guest->next)
			if (strcmp(scenario_uuid(scenario, guest->key->text),
				s->vms[i].uuid) == 0 &&
			    tree_get(guest, "labels") != NULL)
				labels = tree_get(guest, "labels");
		if (labels != NULL)
			label_guest(scenario, labels, &s->vms[i]);
	}
	if (node_count(scenario->root, "placement") == 0)
		return;
	settings->placements = arena_array(scenario->arena,
	    node_count(scenario->root, "placement"),
	    sizeof(settings->placements[0]));
	for (const struct node *rule = node_first(scenario->root, "placement");
	     rule != NULL; rule = rule->next)
		read_rule(scenario, rule,
		    &settings->placements[settings->placement_count++]);
}
