#ifndef DROVER_CONFIG_RECEIVER_CHECK_H
#define DROVER_CONFIG_RECEIVER_CHECK_H

#include <stdbool.h>

#include "config/receiver.h"
#include "config/schema.h"

/*
 * What the rows of receiver_schema.c call; each adds the faults that it finds.
 */

/* One value (receiver_value.c). */
void receiver_check_type(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_url(const struct schema_context *ctx,
    const struct node *node, const char **value);
/* A path, made absolute, or "credential:NAME". */
void receiver_check_secret_path(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_unix_socket(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_policy(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_content_type(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_method(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_proxy(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_server_name(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_check_header(const struct schema_context *ctx,
    const struct node *node, const char **value);
void receiver_read_ordering(
    const struct schema_context *ctx, const struct node *node, void *object);
void receiver_read_rate(
    const struct schema_context *ctx, const struct node *node, void *object);

/* The whole (receiver_check.c). */
void receiver_place(void *object, const char *file, unsigned line);
bool receiver_may_lack(const struct schema_context *ctx, const struct node *map,
    const struct schema_key *key);
void receiver_check_whole(
    const struct schema_context *ctx, const struct node *map, void *object);

#endif
