#ifndef DROVER_TESTS_PLACEMENT_FIXTURE_H
#define DROVER_TESTS_PLACEMENT_FIXTURE_H

/*
 * Labels, and rules of placement about them, for the site of world.h.
 */
#include <check.h>

#include "decide/expr.h"
#include "world.h"

#define PLACEMENT_RULES_MAX 8

static inline const char **
placement_text(struct world *world, const char *value)
{
	const char **list = arena_array(world->arena, 1, sizeof(*list));

	list[0] = arena_strdup(world->arena, value);
	return list;
}

static inline struct snap_vm *
placement_label_guest(
    struct world *world, struct snap_vm *vm, const char *key, const char *value)
{
	vm->label_keys = placement_text(world, key);
	vm->label_values = placement_text(world, value);
	vm->label_count = 1;
	return vm;
}

static inline void
placement_label_host(
    struct world *world, size_t host, const char *key, const char *value)
{
	world->s.hosts[host].label_keys = placement_text(world, key);
	world->s.hosts[host].label_values = placement_text(world, value);
	world->s.hosts[host].label_count = 1;
}

static inline struct policy_expr
placement_compile(struct world *world, const char *words, bool of_hosts)
{
	static const enum expr_scope scopes[] = {
	    EXPR_SCOPE_TARGET, EXPR_SCOPE_VM};
	static const enum expr_scope guest[] = {EXPR_SCOPE_VM};
	const struct expr_context context = {
	    .scopes = of_hosts ? scopes : guest,
	    .scope_count = of_hosts ? 2 : 1};
	struct policy_expr expr = {.text = words, .line = 7};
	struct err err = {0};
	unsigned column;

	expr.expr = expr_compile(world->arena, words, &context, &column, &err);
	ck_assert_msg(expr.expr != NULL, "%s", err.msg);
	return expr;
}

/* Hard, about all guests; to be changed by the test. */
static inline struct placement *
placement_add_rule(
    struct world *world, enum placement_kind kind, const char *label)
{
	struct settings *settings = &world->settings;
	struct placement *rule;

	if (settings->placements == NULL)
		settings->placements = arena_array(
		    world->arena, PLACEMENT_RULES_MAX, sizeof(*rule));
	rule = &settings->placements[settings->placement_count++];
	*rule = (struct placement){.name = "keep",
	    .kind = kind,
	    .label = label,
	    .hard = kind != PLACEMENT_SPREAD,
	    .file = "10-x.yaml",
	    .line = 7};
	return rule;
}

#endif
