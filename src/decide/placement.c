/*
 * Whom the rules of placement are about.
 *
 * A rule names its guests by an expression and by a label: those with one value
 * of the label belong together, or must be apart.  So each rule makes classes of
 * guests, one for each value; a guest without the label is in none.
 */
#include "decide/placement.h"

#include <string.h>

#include "decide/look.h"

static const char *
find_label(
    const char *const *keys, const char *const *values, size_t n, const char *k)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i], k) == 0)
			return values[i];
	return NULL;
}

const char *
placement_guest_label(const struct snap_vm *vm, const char *key)
{
	return find_label(
	    vm->label_keys, vm->label_values, vm->label_count, key);
}

const char *
placement_host_label(const struct snap_host *host, const char *key)
{
	return find_label(
	    host->label_keys, host->label_values, host->label_count, key);
}

static struct expr_value
look_at_host(const struct snap_host *host, unsigned index, const char *label)
{
	if (host == NULL)
		return expr_value_unknown();
	switch (index) {
	case EXPR_HOST_NAME:
		return expr_value_string(host->name);
	case EXPR_HOST_UP:
		return expr_value_bool(host->up);
	case EXPR_HOST_MAINTENANCE:
		return expr_value_bool(host->maintenance);
	case EXPR_HOST_CORDONED:
		return expr_value_bool(host->cordoned);
	case EXPR_HOST_LABELS:
		return expr_value_string(placement_host_label(host, label));
	}
	return expr_value_unknown();
}

static struct expr_value
look_at_guest(const struct snap_vm *vm, unsigned index, const char *label)
{
	if (vm == NULL)
		return expr_value_unknown();
	switch (index) {
	case EXPR_VM_NAME:
		return expr_value_string(vm->name);
	case EXPR_VM_STATE:
		return expr_value_string(facts_state_name(vm->state));
	case EXPR_VM_MEMORY:
		return vm->memory < 0
		    ? expr_value_unknown()
		    : expr_value_number(EXPR_BYTES, (double)vm->memory);
	case EXPR_VM_VCPUS:
		return expr_value_number(EXPR_NUMBER, vm->vcpus);
	case EXPR_VM_LABELS:
		return expr_value_string(placement_guest_label(vm, label));
	}
	return expr_value_unknown();
}

/* What does not change from one moment to the next, which is what rules of
 * placement are written about; the rest is look_up()'s. */
static struct expr_value
look_at_what_stays(
    enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	const struct look *look = arg;

	if (scope == EXPR_SCOPE_VM)
		return look_at_guest(look->vm, index, label);
	if (scope == EXPR_SCOPE_TARGET)
		return look_at_host(look->target, index, label);
	return expr_value_unknown();
}

/* The one place where rules of placement meet expressions. */
static bool
is_true(const struct expr *expr, const struct snapshot *s,
    const struct snap_vm *vm, const struct snap_host *target)
{
	struct look look = {
	    .s = s, .vm = vm, .target = target, .now = s->taken_wall};

	return expr_test(expr, look_at_what_stays, &look) == EXPR_TRUE;
}

bool
placement_is_about(const struct placement *rule, const struct snapshot *s,
    const struct snap_vm *vm)
{
	if ((rule->kind == PLACEMENT_APART ||
		rule->kind == PLACEMENT_TOGETHER) &&
	    placement_guest_label(vm, rule->label) == NULL)
		return false;
	return rule->vms.expr == NULL || is_true(rule->vms.expr, s, vm, NULL);
}

bool
placement_allows(const struct placement *rule, const struct snapshot *s,
    const struct snap_vm *vm, const struct snap_host *target)
{
	return rule->hosts.expr == NULL ||
	    is_true(rule->hosts.expr, s, vm, target);
}

bool
placement_is_one_for_all(const struct placement *rule)
{
	const struct expr *expr = rule->hosts.expr;

	/* What a target has after the move depends on the guest. */
	return expr == NULL ||
	    (!expr_asks(expr, EXPR_SCOPE_VM, 0) &&
		!expr_asks(expr, EXPR_SCOPE_TARGET, EXPR_HOST_COUNT));
}
