/*
 * What a table's row cannot say by a range: the form of names, paths, URIs and
 * patterns, and that a name is used once, in whatever file.
 *
 * Two hosts with one URI are refused like two hosts with one name: Drover would
 * see every guest of that machine twice, and might move one from the machine to
 * itself.
 */

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/read.h"
#include "config/uri.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define SOCKET_MAX 107 /* sun_path of sockaddr_un, without its NUL */
#define PATH_LENGTH_MAX 1024

const char *const settings_event_types[] = {"move.started", "move.completed",
    "move.failed", "move.rolled_back", "drain.started", "drain.completed",
    "drain.blocked", "decision.made", "host.lost", "host.recovered",
    "host.maintenance", "host.claimed", "host.released", "policy.mode",
    "config.rejected", "config.accepted", "receiver.disabled",
    "receiver.enabled", "condition.ended", "test", NULL};

void
check_name(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *s = *value;

	tree_quote(s, quoted);
	if (strlen(s) > 63)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is longer than 63 characters", quoted);
	else if (s[strspn(s, LETTERS DIGITS "._-")] != '\0')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a name "
		    "(letters, digits, \".\", \"_\" and \"-\")",
		    quoted);
	else if (s[0] == '.' || s[0] == '-')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not a name "
		    "(it begins with a letter, a digit or \"_\")",
		    quoted);
}

/* Remembers where the value stands, or says where it was used before. */
static void
check_unique(const struct schema_context *ctx, const struct node *node,
    const char *value, struct map *used)
{
	const char *before = map_get(used, value);
	char quoted[TREE_QUOTE_SIZE], *place;
	int size;

	if (before != NULL) {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is already used at %s", tree_quote(value, quoted),
		    before);
		return;
	}
	size =
	    snprintf(NULL, 0, "%s:%u:%u", ctx->file, node->line, node->column) +
	    1;
	place = malloc((size_t)size);
	if (place == NULL)
		abort();
	snprintf(place, (size_t)size, "%s:%u:%u", ctx->file, node->line,
	    node->column);
	map_set(used, value, place);
}

void
check_host_name(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	const struct read_names *names = ctx->user;

	check_name(ctx, node, value);
	check_unique(ctx, node, *value, names->hosts);
}

void
check_receiver_name(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	const struct read_names *names = ctx->user;

	check_name(ctx, node, value);
	check_unique(ctx, node, *value, names->receivers);
}

void
check_policy_name(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	const struct read_names *names = ctx->user;

	check_name(ctx, node, value);
	check_unique(ctx, node, *value, names->policies);
}

void
read_check_placement_name(const struct schema_context *ctx,
    const struct node *node, const char **value)
{
	const struct read_names *names = ctx->user;

	check_name(ctx, node, value);
	check_unique(ctx, node, *value, names->placements);
}

void
check_host_uri(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	const struct read_names *names = ctx->user;
	struct err err = {.code = ERR_NONE};

	if (uri_check_libvirt(*value, &err) != 0)
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
	else
		check_unique(ctx, node, *value, names->uris);
}

void
check_migrate_uri(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	const struct read_names *names = ctx->user;
	struct err err = {.code = ERR_NONE};

	if (uri_check_migrate(*value, &err) != 0)
		tree_fault(ctx->tree, ctx->diags, node, "%s", err.msg);
	else
		check_unique(ctx, node, *value, names->migrate_uris);
}

bool
read_is_label_name(const char *name)
{
	return strlen(name) <= 63 &&
	    name[strspn(name, LETTERS DIGITS "._-/")] == '\0';
}

void
check_label(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	if (!read_is_label_name(node->key->text))
		tree_fault_key(ctx->tree, ctx->diags, node,
		    "is not the name "
		    "of a label (letters, digits, \".\", \"_\", \"-\" and "
		    "\"/\", at most 63)");
	if (strlen(*value) > 255)
		tree_fault(
		    ctx->tree, ctx->diags, node, "longer than 255 bytes");
}

/* Without doubled and final slashes and "." parts; NULL when it has "..". */
static const char *
tidy_path(struct arena *arena, const char *path)
{
	char *out = arena_alloc(arena, strlen(path) + 2);
	size_t used = 0;

	while (*path != '\0') {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && strncmp(path, "..", 2) == 0)
			return NULL;
		if (len > 0 && !(len == 1 && path[0] == '.')) {
			out[used++] = '/';
			memcpy(out + used, path, len);
			used += len;
		}
		path += len;
	}
	out[used] = '\0';
	return out;
}

void
check_shared_path(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *tidy;

	tree_quote(*value, quoted);
	if (strlen(*value) > PATH_LENGTH_MAX) {
		tree_fault(ctx->tree, ctx->diags, node, "longer than %d bytes",
		    PATH_LENGTH_MAX);
		return;
	}
	if ((*value)[0] != '/') {
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is relative; it "
		    "is a path on the hosts and begins with \"/\"",
		    quoted);
		return;
	}
	tidy = tidy_path(ctx->arena, *value);
	if (tidy == NULL)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s holds \"..\"; write the path that is meant", quoted);
	else if (tidy[0] == '\0')
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is all of a host and cannot be shared", quoted);
	else
		*value = tidy;
}

/* 127.0.0.1:9464, or [::1]:9464 */
static bool
listen_is_valid(const char *text)
{
	const char *colon = strrchr(text, ':');
	unsigned char address[16];
	char host[64];
	size_t len, digits;

	if (colon == NULL)
		return false;
	len = (size_t)(colon - text);
	digits = strspn(colon + 1, DIGITS);
	if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' ||
	    atoi(colon + 1) < 1 || atoi(colon + 1) > 65535 ||
	    len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] != '[')
		return inet_pton(AF_INET, host, address) == 1;
	if (host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, address) == 1;
}

void
check_socket(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	if (strlen(*value) > SOCKET_MAX)
		tree_fault(ctx->tree, ctx->diags, node,
		    "the path of a socket "
		    "has at most %d bytes, and this has %zu",
		    SOCKET_MAX, strlen(*value));
}

void
check_listen(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];

	if (!listen_is_valid(*value))
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is not an address and a port (write 127.0.0.1:9464, "
		    "or [::1]:9464)",
		    tree_quote(*value, quoted));
}

static bool
matches_event(const char *pattern)
{
	for (size_t i = 0; settings_event_types[i] != NULL; i++)
		if (fnmatch(pattern, settings_event_types[i], 0) == 0)
			return true;
	return false;
}

/* "mov.*" may mean "move.*": the part before the dot decides. */
static const char *
suggest_event(const char *pattern)
{
	static const char *const groups[] = {"move.*", "drain.*", "decision.*",
	    "host.*", "policy.*", "config.*", "receiver.*", "condition.*",
	    NULL};
	const char *near = strchr(pattern, '.') == NULL
	    ? NULL
	    : diag_suggest(pattern, settings_event_types);

	return near != NULL && strchr(pattern, '*') == NULL
	    ? near
	    : diag_suggest(pattern, groups);
}

void
check_event(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *near;

	tree_quote(*value, quoted);
	if (strlen(*value) > 63)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is longer than 63 bytes", quoted);
	else if (strncmp(*value, "drover.", 7) == 0)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s: leave out "
		    "\"drover.\" and write \"%.60s\"",
		    quoted, *value + 7);
	else if (!matches_event(*value)) {
		near = suggest_event(*value);
		if (near != NULL)
			tree_fault(ctx->tree, ctx->diags, node,
			    "%s matches "
			    "no event (did you mean \"%s\"?)",
			    quoted, near);
		else
			tree_fault(ctx->tree, ctx->diags, node,
			    "%s matches "
			    "no event (known: move.*, drain.*, decision.made, "
			    "host.*, policy.mode, config.*, receiver.*, "
			    "condition.ended, test)",
			    quoted);
	}
}

void
check_glob(const struct schema_context *ctx, const struct node *node,
    const char **value)
{
	char quoted[TREE_QUOTE_SIZE];
	const char *open = strchr(*value, '[');

	tree_quote(*value, quoted);
	if (strlen(*value) > 255)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s is longer than 255 bytes", quoted);
	else if (open != NULL &&
	    (open[1] == '\0' || strchr(open + 2, ']') == NULL))
		tree_fault(ctx->tree, ctx->diags, node, "%s: a [ is not closed",
		    quoted);
	else if (strchr(*value, '/') != NULL)
		tree_fault(ctx->tree, ctx->diags, node,
		    "%s: the name of a "
		    "guest holds no \"/\"",
		    quoted);
}

void
read_note_reference(const struct schema_context *ctx, const struct node *node,
    const char *name, struct read_reference **list)
{
	struct read_reference *ref = arena_alloc(ctx->arena, sizeof(*ref));
	char path[TREE_PATH_SIZE];

	tree_path(node, path);
	*ref = (struct read_reference){
	    .name = arena_strdup(ctx->arena, name),
	    .path = arena_strdup(ctx->arena, path),
	    .file = ctx->file,
	    .line = node->line,
	    .column = node->column,
	    .next = *list,
	};
	*list = ref;
}
