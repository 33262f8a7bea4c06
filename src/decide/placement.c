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

static bool
is_true(const struct expr *expr, struct arena *arena, const struct snapshot *s,
    const struct snap_vm *vm, const struct snap_host *target,
    const struct place_ledger *ledger)
{
	struct look look = {.s = s,
	    .host = &s->hosts[vm->host],
	    .vm = vm,
	    .target = target,
	    .ledger = ledger,
	    .now = s->taken_wall,
	    .arena = arena};

	return expr_test(expr, look_up, &look) == EXPR_TRUE;
}

bool
placement_is_about(const struct placement *rule, struct arena *arena,
    const struct snapshot *s, const struct snap_vm *vm)
{
	if ((rule->kind == PLACEMENT_APART ||
		rule->kind == PLACEMENT_TOGETHER) &&
	    placement_guest_label(vm, rule->label) == NULL)
		return false;
	return rule->vms.expr == NULL ||
	    is_true(rule->vms.expr, arena, s, vm, NULL, NULL);
}

bool
placement_allows(const struct placement *rule, struct arena *arena,
    const struct snapshot *s, const struct snap_vm *vm,
    const struct snap_host *target, const struct place_ledger *ledger)
{
	return rule->hosts.expr == NULL ||
	    is_true(rule->hosts.expr, arena, s, vm, target, ledger);
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
