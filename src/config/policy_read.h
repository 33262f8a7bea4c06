#ifndef DROVER_CONFIG_POLICY_READ_H
#define DROVER_CONFIG_POLICY_READ_H

#include "config/policy.h"
#include "config/read.h"
#include "config/schema.h"
#include "decide/expr.h"

/*
 * Between the files that read policies.  The tables are spread over them by
 * what their keys are about; policy.c puts them together.
 *
 *	policy.c            a policy, a file
 *	policy_expr.c       expressions with their places
 *	policy_when.c       when
 *	policy_select.c     select
 *	policy_target.c     target
 *	policy_strategy.c   strategy, and what its rules make of `with`
 *	policy_with.c       with, on_failure
 *	policy_pace.c       limits, cooldown, throttle
 *	policy_window.c     windows
 *	policy_lists.c      lists, receivers by name
 *	policy_placement.c  placement
 *	policy_words.c      names of the enums
 */

/* ---- expressions ---- */

#define POLICY_SCOPES_MAX 3
struct policy_scopes {
	enum expr_scope scopes[POLICY_SCOPES_MAX]; /* the first stands alone */
	size_t count;
};
extern const struct policy_scopes policy_scopes_host;
extern const struct policy_scopes policy_scopes_vm_host;
extern const struct policy_scopes policy_scopes_vm_host_target;
extern const struct policy_scopes policy_scopes_target_vm_host;
extern const struct policy_scopes policy_scopes_target_vm;
extern const struct policy_scopes policy_scopes_vm;

/* Compiles the node; on failure adds the fault and leaves out->expr NULL. */
bool policy_read_expr(const struct schema_context *ctx, const struct node *node,
    const struct policy_scopes *scopes, struct policy_expr *out);

/* For rows: a struct policy_expr at the offset, `detail` the scopes. */
void policy_read_expr_row(const struct schema_context *ctx,
    const struct schema_key *key, const struct node *node, void *object);
#define POLICY_SHAPE_EXPR "{\"type\": \"string\"}"

/* ---- keys of a policy ---- */

extern const struct schema policy_when_schema;
void policy_read_when(
    const struct schema_context *ctx, const struct node *node, void *object);
#define POLICY_CONDITIONS_MAX 16

extern const struct schema policy_select_schema;
extern const struct schema policy_target_schema;
extern const struct schema policy_rule_schema;
#define POLICY_RULES_MAX 32
/* What each rule's own `with` makes of the policy; `raw` is the policy without
 * the defaults that depend on other keys. */
void policy_finish_rules(const struct schema_context *ctx,
    const struct node *map, const struct policy *raw, struct policy *policy);

extern const struct schema policy_failure_schema;
extern const struct schema policy_limits_schema;
extern const struct schema policy_cooldown_schema;
extern const struct schema policy_throttle_schema;
extern const struct schema policy_window_schema;
#define POLICY_WINDOWS_MAX 32

/* policy_with.c: the default of converge_downtime, and what keys of `with`
 * are together; `map` holds the key `with`. */
void policy_finish_with(const struct schema_context *ctx,
    const struct node *map, struct policy *policy);

/* ---- keys of a file ---- */

void policy_read_lists(
    const struct schema_context *ctx, const struct node *node, void *object);
void policy_check_receiver(const struct schema_context *ctx,
    const struct node *node, const char **value);
/* A name of a label, without "labels.". */
void policy_check_label(const struct schema_context *ctx,
    const struct node *node, const char **value);
extern const struct schema policy_placement_schema;

/* The node of a key, or of a key in a group, that the policy has itself or from
 * the file's defaults; NULL. */
const struct node *policy_find_key(const struct schema_context *ctx,
    const struct node *map, const char *group, const char *name);

#endif
