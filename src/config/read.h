#ifndef DROVER_CONFIG_READ_H
#define DROVER_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "config/policy.h"
#include "config/schema.h"
#include "config/settings.h"

/*
 * What the files of one configuration share while they are read: the names
 * that must be unique, each with the place where it stands.  This is
 * schema_context's `user`.
 */
struct read_names {
	struct map *hosts, *uris, *migrate_uris;
	struct map *receivers, *policies;
};

/* What a file of hosts.d and of policies.d holds. */
struct read_hosts {
	struct settings_host *hosts;
	size_t count;
};
struct read_policies {
	struct policy *policies;
	size_t count;
};

/* The three kinds of file.  drover.yaml fills a struct settings. */
extern const struct schema read_main_schema;
extern const struct schema read_hosts_schema;
extern const struct schema read_policies_schema;
extern const struct schema *const read_all_schemas[]; /* ends with NULL */

extern const struct schema read_policy_schema; /* policy.c */
/* policy_with.c: how a guest is moved, part of a struct policy; and what the
 * keys of a policy are together.  `map` NULL: only the defaults. */
extern const struct schema read_with_schema;
void read_finish_policy(
    const struct schema_context *ctx, const struct node *map, void *object);

/* Is the version row's value one that this program knows?  Adds the fault. */
void read_version(
    const struct schema_context *ctx, const struct node *node, void *object);

/* Checks that rows of several tables use (check.c). */
void check_name(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_host_name(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_host_uri(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_migrate_uri(const struct schema_context *ctx,
    const struct node *node, const char **value);
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
void check_receiver_type(const struct schema_context *ctx,
    const struct node *node, const char **value);
void check_url(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_event(const struct schema_context *ctx, const struct node *node,
    const char **value);
void check_policy_name(const struct schema_context *ctx,
    const struct node *node, const char **value);
void check_glob(const struct schema_context *ctx, const struct node *node,
    const char **value);

#endif
