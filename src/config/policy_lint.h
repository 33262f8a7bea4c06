#ifndef DROVER_CONFIG_POLICY_LINT_H
#define DROVER_CONFIG_POLICY_LINT_H

#include "config/policy_read.h"
#include "config/settings.h"

/*
 * What loads and is hardly meant: conditions that can never come on or that end
 * at once, rules that nothing reaches, keys that nothing uses.  A lint says where
 * it is and what to do.  It goes to ctx->lints, and never refuses a load.
 */

/* A policy, or a file's defaults, once it is complete.  Only what `map` itself
 * holds is looked at. */
void policy_lint(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy);

/* Of its conditions (policy_lint_when.c). */
void policy_lint_when(const struct schema_context *ctx, const struct node *map,
    const struct policy *policy);

/* An expression that can never be true, or is true whatever happens; `always`
 * says what that means, NULL: it is no mistake. */
void policy_lint_expr(const struct schema_context *ctx, const struct node *node,
    const struct policy_expr *expr, const char *always);

/* What policies are to each other and to the hosts (policy_lint_all.c). */
void policy_lint_all(const struct settings *settings, struct diag_list *lints);

#endif
