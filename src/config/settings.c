/*
 * The reading of all files as one configuration.
 *
 * Every file is read to its end, whatever was wrong with those before it, and
 * only then is the whole refused: a reload applies either all or nothing.  A
 * file in a later version of the language is the exception; about it only the
 * version is said, since its other keys would be judged by the wrong table.
 *
 * Trees live as long as their file is read.  What must be unique across files
 * is remembered by name and place (struct read_names).
 */

#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/policy_lint.h"
#include "config/read.h"

/* All texts together; the arena holds what they can become. */
#define TEXTS_MAX ((size_t)64 << 20)
#define ARENA_MAX ((size_t)1 << 30)

struct reader {
	struct settings *settings;
	const char *main_dir;
	struct diag_list *diags, *lints;
	struct read_names names;
	struct read_hosts *hosts; /* of each file; the main one too */
	struct read_policies *policies;
	size_t file_count;
	bool alone; /* files of policies without a main file */
};

void
read_version(
    const struct schema_context *ctx, const struct node *node, void *object)
{
	char quoted[TREE_QUOTE_SIZE];

	(void)object;
	if (node->kind != NODE_SCALAR || tree_is_null(node)) {
		schema_refuse_kind(ctx, node, "the number 1");
		return;
	}
	if (strcmp(node->text, "1") == 0) {
		if (!node->plain)
			tree_fault(ctx->tree, ctx->diags, node,
			    "\"1\" is a text; write 1 without quotes");
		return;
	}
	tree_fault(ctx->tree, ctx->diags, node,
	    "version %s is not known to "
	    "this program (write 1)",
	    tree_quote(node->text, quoted));
}

/* The mapping that the file consists of, or NULL with the fault. */
static const struct node *
find_root(const struct schema_context *ctx, const struct schema *schema)
{
	size_t before = ctx->diags->count + ctx->diags->dropped;
	const struct node *root, *version;

	root =
	    tree_find_root(ctx->tree, ctx->diags, schema->what, "version: 1");
	if (root == NULL)
		return NULL;
	version = tree_get(root, "version");
	if (version != NULL)
		read_version(ctx, version, NULL);
	return ctx->diags->count + ctx->diags->dropped == before ? root : NULL;
}

static void
read_file(struct reader *r, const struct settings_file *file, size_t index)
{
	struct schema_context ctx = {.diags = r->diags,
	    .lints = r->lints,
	    .arena = r->settings->arena,
	    .main_dir = r->main_dir,
	    .all = read_all_schemas,
	    .user = &r->names};
	const struct schema *schema = &read_main_schema;
	void *object = r->settings;
	const struct node *root;
	struct tree *tree;

	switch (file->kind) {
	case SETTINGS_MAIN:
		break;
	case SETTINGS_HOSTS:
		schema = &read_hosts_schema;
		object = &r->hosts[index];
		break;
	case SETTINGS_POLICIES:
		schema = &read_policies_schema;
		object = &r->policies[index];
		break;
	}
	ctx.file = arena_strdup(r->settings->arena, file->name);
	tree = tree_parse(ctx.file, file->text, file->len, r->diags);
	if (tree == NULL)
		return;
	ctx.tree = tree;
	r->names.lists = NULL;
	r->names.list_count = 0;
	r->names.defaults = NULL;
	r->names.model = NULL;
	root = find_root(&ctx, schema);
	if (root != NULL)
		schema_read(&ctx, schema, root, object);
	tree_free(tree);
	if (file->kind == SETTINGS_MAIN) {
		r->hosts[index].hosts = r->settings->hosts;
		r->hosts[index].count = r->settings->host_count;
	}
}

static int
compare_hosts(const void *a, const void *b)
{
	const struct settings_host *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void
join_hosts(struct reader *r)
{
	struct settings *s = r->settings;
	size_t count = 0, at = 0;

	for (size_t i = 0; i < r->file_count; i++)
		count += r->hosts[i].count;
	if (count > SETTINGS_HOSTS_MAX) {
		for (size_t i = 0; i < r->file_count; i++)
			if (r->hosts[i].count > 0)
				diag_add(r->diags, r->hosts[i].hosts[0].file,
				    r->hosts[i].hosts[0].line, 1,
				    "%zu hosts "
				    "in all files are more than the %d "
				    "allowed",
				    count, SETTINGS_HOSTS_MAX);
		return;
	}
	s->hosts = arena_array(s->arena, count, sizeof(*s->hosts));
	for (size_t i = 0; i < r->file_count; i++) {
		if (r->hosts[i].count == 0)
			continue;
		memcpy(s->hosts + at, r->hosts[i].hosts,
		    r->hosts[i].count * sizeof(*s->hosts));
		at += r->hosts[i].count;
	}
	s->host_count = count;
	if (count > 0)
		qsort(s->hosts, count, sizeof(*s->hosts), compare_hosts);
}

/* Larger priority first, then as the files and lines are in order. */
static bool
policy_before(const struct policy *a, const struct policy *b)
{
	int order;

	if (a->priority != b->priority)
		return a->priority > b->priority;
	order = strcmp(a->file, b->file);
	return order != 0 ? order < 0 : a->line < b->line;
}

static void
join_policies(struct reader *r)
{
	struct settings *s = r->settings;
	size_t count = 0;

	for (size_t i = 0; i < r->file_count; i++)
		count += r->policies[i].count;
	if (count > SETTINGS_POLICIES_MAX) {
		for (size_t i = 0; i < r->file_count; i++)
			if (r->policies[i].count > 0)
				diag_add(r->diags,
				    r->policies[i].policies[0].file,
				    r->policies[i].policies[0].line, 1,
				    "%zu policies in all files are more than "
				    "the %d allowed",
				    count, SETTINGS_POLICIES_MAX);
		return;
	}
	s->policies = arena_array(s->arena, count, sizeof(*s->policies));
	for (size_t i = 0; i < r->file_count; i++) {
		for (size_t j = 0; j < r->policies[i].count; j++) {
			const struct policy *p = &r->policies[i].policies[j];
			size_t at = s->policy_count++;

			/* Insertion keeps the order of equals. */
			for (; at > 0 && policy_before(p, &s->policies[at - 1]);
			     at--)
				s->policies[at] = s->policies[at - 1];
			s->policies[at] = *p;
		}
	}
	for (size_t i = 0; i < s->policy_count; i++)
		read_settle_policy(&s->policies[i]);
}

static bool
placement_before(const struct placement *a, const struct placement *b)
{
	int order = strcmp(a->file, b->file);

	return order != 0 ? order < 0 : a->line < b->line;
}

static void
join_placements(struct reader *r)
{
	struct settings *s = r->settings;
	size_t count = 0;

	for (size_t i = 0; i < r->file_count; i++)
		count += r->policies[i].placement_count;
	if (count > SETTINGS_PLACEMENTS_MAX) {
		for (size_t i = 0; i < r->file_count; i++)
			if (r->policies[i].placement_count > 0)
				diag_add(r->diags,
				    r->policies[i].placements[0].file,
				    r->policies[i].placements[0].line, 1,
				    "%zu placement rules in all files are more "
				    "than the %d allowed",
				    count, SETTINGS_PLACEMENTS_MAX);
		return;
	}
	s->placements = arena_array(s->arena, count, sizeof(*s->placements));
	for (size_t i = 0; i < r->file_count; i++) {
		for (size_t j = 0; j < r->policies[i].placement_count; j++) {
			const struct placement *p =
			    &r->policies[i].placements[j];
			size_t at = s->placement_count++;

			for (; at > 0 &&
			     placement_before(p, &s->placements[at - 1]);
			     at--)
				s->placements[at] = s->placements[at - 1];
			s->placements[at] = *p;
		}
	}
}

/* Receivers that policies name must be there. */
static void
check_references(struct reader *r)
{
	const struct settings *s = r->settings;
	const char *names[SETTINGS_RECEIVERS_MAX + 1];
	struct buf known = BUF_INIT(512);
	size_t count = s->receiver_count;

	for (size_t i = 0; i < count; i++) {
		names[i] = s->receivers[i].name;
		buf_addf(&known, "%s%s", i > 0 ? ", " : "known: ", names[i]);
	}
	names[count] = NULL;
	for (const struct read_reference *ref = r->names.references;
	     ref != NULL; ref = ref->next) {
		const char *near = diag_suggest(ref->name, names);
		char quoted[TREE_QUOTE_SIZE];

		if (map_get(r->names.receivers, ref->name) != NULL)
			continue;
		tree_quote(ref->name, quoted);
		if (near != NULL)
			diag_add(r->diags, ref->file, ref->line, ref->column,
			    "%s: there is no receiver %s (did you mean "
			    "\"%s\"?)",
			    ref->path, quoted, near);
		else
			diag_add(r->diags, ref->file, ref->line, ref->column,
			    "%s: there is no receiver %s (%s)", ref->path,
			    quoted,
			    count > 0 ? buf_str(&known)
				      : "drover.yaml has no receivers");
	}
	buf_free(&known);
}

static bool
check_files(const struct settings_file *files, size_t count, bool alone,
    struct diag_list *diags)
{
	const char *first = NULL;
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		total +=
		    files[i].len > TEXTS_MAX ? TEXTS_MAX + 1 : files[i].len;
		if (total > TEXTS_MAX) {
			diag_add(diags, files[i].name, 1, 1,
			    "the files "
			    "together are larger than %zu MiB",
			    TEXTS_MAX >> 20);
			return false;
		}
		if (files[i].kind != SETTINGS_MAIN)
			continue;
		if (first != NULL) {
			diag_add(diags, files[i].name, 1, 1,
			    "a second main file beside %s", first);
			return false;
		}
		first = files[i].name;
	}
	if (first == NULL && !alone) {
		diag_add(diags, "drover.yaml", 0, 0, "no main file is given");
		return false;
	}
	return true;
}

static void
read_files(struct reader *r, const struct settings_file *files)
{
	struct schema_context ctx = {.diags = r->diags,
	    .arena = r->settings->arena,
	    .main_dir = r->main_dir};

	schema_fill(&ctx, &read_main_schema, r->settings);
	for (size_t i = 0; i < r->file_count; i++)
		read_file(r, &files[i], i);
	if (!r->alone)
		check_references(r);
	if (!diag_any(r->diags))
		join_hosts(r);
	if (!diag_any(r->diags))
		join_policies(r);
	if (!diag_any(r->diags))
		read_check_patterns(r->names.patterns, r->settings, r->diags);
	if (!diag_any(r->diags))
		join_placements(r);
}

struct settings *
settings_parse(const struct settings_file *files, size_t count,
    const char *main_dir, struct diag_list *diags)
{
	return settings_parse_linted(files, count, main_dir, diags, NULL);
}

static struct settings *
parse(struct reader *r, const struct settings_file *files)
{
	struct arena *arena = arena_new(ARENA_MAX);

	r->settings = arena_alloc(arena, sizeof(*r->settings));
	r->settings->arena = arena;
	r->hosts = arena_array(arena, r->file_count, sizeof(*r->hosts));
	r->policies = arena_array(arena, r->file_count, sizeof(*r->policies));
	r->names = (struct read_names){.hosts = map_new(free),
	    .uris = map_new(free),
	    .migrate_uris = map_new(free),
	    .receivers = map_new(free),
	    .policies = map_new(free),
	    .placements = map_new(free)};
	read_files(r, files);
	map_free(r->names.hosts);
	map_free(r->names.uris);
	map_free(r->names.migrate_uris);
	map_free(r->names.receivers);
	map_free(r->names.policies);
	map_free(r->names.placements);
	if (!diag_any(r->diags) && r->lints != NULL)
		policy_lint_all(r->settings, r->lints);
	if (!diag_any(r->diags))
		return r->settings;
	settings_free(r->settings);
	return NULL;
}

struct settings *
settings_parse_linted(const struct settings_file *files, size_t count,
    const char *main_dir, struct diag_list *diags, struct diag_list *lints)
{
	struct reader r = {.main_dir = main_dir,
	    .diags = diags,
	    .lints = lints,
	    .file_count = count};

	return check_files(files, count, false, diags) ? parse(&r, files)
						       : NULL;
}

struct settings *
settings_parse_policies(const struct settings_file *files, size_t count,
    struct diag_list *diags, struct diag_list *lints)
{
	struct reader r = {.main_dir = "/",
	    .diags = diags,
	    .lints = lints,
	    .file_count = count,
	    .alone = true};

	return check_files(files, count, true, diags) ? parse(&r, files) : NULL;
}

void
settings_free(struct settings *settings)
{
	if (settings != NULL)
		arena_free(settings->arena);
}

const struct settings_host *
settings_find_host(const struct settings *s, const char *name)
{
	struct settings_host key = {.name = name};

	if (s->host_count == 0)
		return NULL;
	return bsearch(
	    &key, s->hosts, s->host_count, sizeof(key), compare_hosts);
}

struct reload_check {
	const struct settings *now, *next;
	struct buf keys;
};

static void
compare_key(const char *path, const struct schema_key *key, void *arg)
{
	struct reload_check *check = arg;
	const char *now, *next;

	/* All such keys are texts of struct settings itself. */
	if ((key->flags & SCHEMA_NO_RELOAD) == 0)
		return;
	memcpy(&now, (const char *)check->now + key->offset, sizeof(now));
	memcpy(&next, (const char *)check->next + key->offset, sizeof(next));
	if (now == next ||
	    (now != NULL && next != NULL && strcmp(now, next) == 0))
		return;
	buf_addf(&check->keys, "%s%s", check->keys.len > 0 ? ", " : "", path);
}

int
settings_check_reload(
    const struct settings *now, const struct settings *next, struct err *err)
{
	struct reload_check check = {now, next, BUF_INIT(512)};
	int rc = 0;

	schema_walk(&read_main_schema, "", compare_key, &check);
	if (check.keys.len > 0)
		rc = err_set(err, ERR_CONFLICT,
		    "a change of %s needs a restart of droverd",
		    buf_str(&check.keys));
	buf_free(&check.keys);
	return rc;
}
