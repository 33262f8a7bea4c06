#ifndef DROVER_CONFIG_READ_H
#define DROVER_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "config/policy.h"
#include "config/schema.h"
#include "config/settings.h"
#include "decide/expr_value.h"

/*
 * What the files of one configuration share while they are read: the names
 * that must be unique, each with the place where it stands.  This is
 * schema_context's `user`.
 */
struct read_names {
	struct map *hosts, *uris, *migrate_uris;
	struct map *receivers, *policies, *placements;
	struct read_reference *references; /* the last one first */
	struct read_reference *patterns;   /* on policies, of receivers */

	/* Of the file of policies that is being read. */
	const struct expr_list *lists;
	size_t list_count;
	const struct node *defaults; /* its mapping; NULL: none */
	const struct policy *model;  /* what it makes of a policy; NULL */
};

/* A receiver that a policy names, before all files are read; or a pattern on
 * policies that a receiver has. */
struct read_reference {
	const char *name, *path, *file;
	unsigned line, column;
	struct read_reference *next;
};

/* What a file of hosts.d and of policies.d holds. */
struct read_hosts {
	struct settings_host *hosts;
	size_t count;
};
struct read_policies {
	struct policy *policies;
	size_t count;
	struct placement *placements;
	size_t placement_count;
};

/* The three kinds of file.  drover.yaml fills a struct settings. */
extern const struct schema read_main_schema;
extern const struct schema read_hosts_schema;
extern const struct schema read_policies_schema;
extern const struct schema *const read_all_schemas[]; /* ends with NULL */

/* receiver_schema.c */
extern const struct schema read_receiver_schema;

/* policy.c, policy_with.c */
extern const struct schema read_policy_schema;
extern const struct schema read_with_schema;
/* Once the policy has its final place in memory (policy_strategy.c). */
void read_settle_policy(struct policy *policy);

/* Is the version row's value one that this program knows?  Adds the fault. */
void read_version(
    const struct schema_context *ctx, const struct node *node, void *object);

/* Keeps the name and its place for when all files are read (check.c). */
void read_note_reference(const struct schema_context *ctx,
    const struct node *node, const char *name, struct read_reference **list);
/* Does each pattern of receivers match a policy? (receiver_check.c) */
void read_check_patterns(const struct read_reference *patterns,
    const struct settings *s, struct diag_list *diags);

/* Checks that rows of several tables use (check.c). */
void check_name(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_host_name(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_host_uri(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_migrate_uri(const struct schema_context *ctx,
    const struct node *node, const char **value);
void read_check_placement_name(const struct schema_context *ctx,
    const struct node *node, const char **value);
bool read_is_label_name(const char *name);
void check_label(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_shared_path(const struct schema_context *ctx,
    const struct node *node, const char **value);
void check_socket(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_listen(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_receiver_name(const struct schema_context *ctx,
    const struct node *node, const char **value);
void check_event(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_policy_name(const struct schema_context *ctx,
    const struct node *node, const char **value);
void check_glob(const struct schema_context *ctx, const struct node *node,
    const char **value);

#endif
