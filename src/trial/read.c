/*
 * From the text of a file of policy tests to what it says.
 *
 * The tables judge each value (read_schema.c, read_expect.c); here is looked at
 * what several of them are together: a series of a host that is not there, two
 * guests of one name, a test that would take a million samples.  That goes over
 * the tree, so that each fault has its line and column.  Which policies there are
 * is known only once their files are loaded, and so the tree is kept until then.
 */

#include "trial/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "config/read.h"

#define ARENA_MAX ((size_t)1 << 30)

struct reader {
	struct schema_context ctx;
	struct map *hosts, *vms;    /* names, to their nodes */
	const struct map *policies; /* NULL: not looked at now */
};

static size_t
faults(const struct diag_list *diags)
{
	return diags->count + diags->dropped;
}

/* ---- names ---- */

/* `node` is a value, or a mapping's value whose key is the name. */
static void
refuse_name(const struct reader *r, const struct node *node, bool by_key,
    const struct map *known, const char *what)
{
	const char *name = by_key ? node->key->text : node->text;
	const struct node *place = by_key ? node->key : node;
	const char **names = calloc(map_count(known) + 1, sizeof(*names));
	char quoted[TREE_QUOTE_SIZE];
	const char *near, *key;
	size_t i = 0, count = 0;
	void *value;

	if (names == NULL)
		abort();
	while (map_next(known, &i, &key, &value))
		names[count++] = key;
	near = diag_suggest(name, names);
	tree_quote(name, quoted);
	if (near != NULL)
		tree_fault_at(r->ctx.tree, r->ctx.diags, node, place->line,
		    place->column, "there is no %s %s (did you mean \"%s\"?)",
		    what, quoted, near);
	else
		tree_fault_at(r->ctx.tree, r->ctx.diags, node, place->line,
		    place->column, "there is no %s %s in %s", what, quoted,
		    known == r->policies ? "the files of policies"
					 : "this file");
	free(names);
}

static void
check_known(const struct reader *r, const struct node *map, const char *key,
    const struct map *known, const char *what)
{
	const struct node *node = tree_get_text(map, key);

	if (node != NULL && map_get(known, node->text) == NULL)
		refuse_name(r, node, false, known, what);
}

static void
check_entry(const struct reader *r, const struct node *map)
{
	if (r->policies != NULL) {
		check_known(r, map, "policy", r->policies, "policy");
		return;
	}
	check_known(r, map, "host", r->hosts, "host");
	check_known(r, map, "from", r->hosts, "host");
	check_known(r, map, "to", r->hosts, "host");
	check_known(r, map, "vm", r->vms, "vm");
}

static void
check_on(const struct reader *r, const struct node *on)
{
	for (const struct node *n = on->first; n != NULL; n = n->next) {
		if (n->kind != NODE_SEQ)
			continue;
		if (map_get(r->hosts, n->key->text) == NULL)
			refuse_name(r, n, true, r->hosts, "host");
		for (const struct node *vm = n->first; vm != NULL;
		     vm = vm->next)
			if (vm->kind == NODE_SCALAR && vm->len > 0 &&
			    map_get(r->vms, vm->text) == NULL)
				refuse_name(r, vm, false, r->vms, "vm");
	}
}

static const struct node *
list_of(const struct node *map, const char *key)
{
	const struct node *list =
	    map->kind == NODE_MAP ? tree_get(map, key) : NULL;

	return list != NULL && list->kind == NODE_SEQ ? list->first : NULL;
}

static void
check_modes(const struct reader *r, const struct node *map)
{
	const struct node *modes =
	    map->kind == NODE_MAP ? tree_get(map, "modes") : NULL;

	if (modes == NULL || modes->kind != NODE_MAP || r->policies == NULL)
		return;
	for (const struct node *n = modes->first; n != NULL; n = n->next)
		if (map_get(r->policies, n->key->text) == NULL)
			refuse_name(r, n, true, r->policies, "policy");
}

/* What stands at the top level, or in one of `tests`. */
static void
check_case(const struct reader *r, const struct node *map)
{
	static const char *const lists[] = {"series", "alerts", "fail"};

	check_modes(r, map);
	for (size_t i = 0; i < 3; i++)
		for (const struct node *n = list_of(map, lists[i]); n != NULL;
		     n = n->next)
			check_entry(r, n);
	for (const struct node *n = list_of(map, "expect"); n != NULL;
	     n = n->next) {
		const struct node *on =
		    n->kind == NODE_MAP ? tree_get(n, "on") : NULL;

		check_entry(r, n);
		for (const struct node *m = list_of(n, "moves"); m != NULL;
		     m = m->next)
			check_entry(r, m);
		if (on != NULL && on->kind == NODE_MAP && r->policies == NULL)
			check_on(r, on);
	}
}

static void
check_cases(const struct reader *r, const struct node *root)
{
	check_case(r, root);
	for (const struct node *n = list_of(root, "tests"); n != NULL;
	     n = n->next)
		if (n->kind == NODE_MAP)
			check_case(r, n);
}

static void
check_vms(struct reader *r, const struct node *root)
{
	for (const struct node *vm = list_of(root, "vms"); vm != NULL;
	     vm = vm->next) {
		const struct node *name = tree_get_text(vm, "name");
		const struct node *before;
		char quoted[TREE_QUOTE_SIZE];

		check_known(r, vm, "host", r->hosts, "host");
		if (name == NULL)
			continue;
		before = map_get(r->vms, name->text);
		if (before != NULL)
			tree_fault(r->ctx.tree, r->ctx.diags, name,
			    "%s is already used in line %u; tests know guests "
			    "by their names",
			    tree_quote(name->text, quoted), before->line);
		else
			map_set(r->vms, name->text, (void *)(uintptr_t)name);
	}
}

/* ---- together ---- */

static bool
has_series(const struct trial_case *c, const struct trial_series *other)
{
	for (size_t i = 0; i < c->series_count; i++) {
		const struct trial_series *one = &c->series[i];

		if (one == other)
			return false;
		if ((one->host != NULL) != (other->host != NULL) ||
		    strcmp(one->host != NULL ? one->host : one->vm,
			other->host != NULL ? other->host : other->vm) != 0)
			continue;
		for (size_t f = 0; f < TRIAL_FIGURES; f++)
			if (one->figures[f].count > 0 &&
			    other->figures[f].count > 0)
				return true;
	}
	return false;
}

/* Once everything is read without a fault, lists and nodes are in step. */
static void
check_one(const struct reader *r, const struct trial *trial,
    const struct trial_case *c, const struct node *map)
{
	const struct node *n = list_of(map, "series");

	for (size_t i = 0; i < c->series_count; i++, n = n->next)
		if (has_series(c, &c->series[i]))
			tree_fault(r->ctx.tree, r->ctx.diags, n,
			    "this figure of it has a series already");
	n = list_of(map, "expect");
	for (size_t i = 0; i < c->expect_count; i++, n = n->next) {
		int64_t samples = c->expects[i].at_ms / trial->interval_ms;

		if (samples > TRIAL_SAMPLES_MAX)
			tree_fault(r->ctx.tree, r->ctx.diags, tree_get(n, "at"),
			    "%lld samples until then are more than the %d "
			    "allowed; make the interval longer",
			    (long long)samples, TRIAL_SAMPLES_MAX);
	}
}

static void
check_all(const struct reader *r, struct trial *trial)
{
	const struct node *n = list_of(r->ctx.tree->root, "tests");

	if (trial->case_count == 0) {
		check_one(r, trial, &trial->one, r->ctx.tree->root);
		trial->cases = &trial->one;
		trial->case_count = 1;
		trial->one.line = r->ctx.tree->root->line;
		return;
	}
	for (size_t i = 0; i < trial->case_count; i++, n = n->next)
		check_one(r, trial, &trial->cases[i], n);
}

static void
check_uuids(const struct reader *r, const struct trial *trial)
{
	for (size_t i = 1; i < trial->vm_count; i++)
		if (strcmp(trial->vms[i - 1].uuid, trial->vms[i].uuid) == 0)
			diag_add(r->ctx.diags, r->ctx.file, 1, 1,
			    "vms: %s and %s have one uuid",
			    trial->vms[i - 1].name, trial->vms[i].name);
}

static const struct node *
find_root(const struct schema_context *ctx)
{
	size_t before = faults(ctx->diags);
	const struct node *root, *version;

	root = tree_find_root(
	    ctx->tree, ctx->diags, "a file of policy tests", "version: 1");
	if (root == NULL)
		return NULL;
	version = tree_get(root, "version");
	if (version != NULL)
		read_version(ctx, version, NULL);
	return faults(ctx->diags) == before ? root : NULL;
}

static void
read_root(struct reader *r, struct trial *trial)
{
	const struct node *root = find_root(&r->ctx);
	size_t before = faults(r->ctx.diags);

	if (root == NULL)
		return;
	schema_fill(&r->ctx, &trial_schema, trial);
	schema_read(&r->ctx, &trial_schema, root, trial);
	check_vms(r, root);
	check_cases(r, root);
	if (faults(r->ctx.diags) != before)
		return;
	check_all(r, trial);
	plan_read_sort(
	    trial->hosts, trial->host_count, trial->vms, trial->vm_count);
	check_uuids(r, trial);
}

struct trial *
trial_read(
    const char *file, const char *text, size_t len, struct diag_list *diags)
{
	static const struct tree_limits limits = {
	    TRIAL_SIZE_MAX, TREE_NODES_MAX};
	struct reader r = {
	    .ctx = {.diags = diags, .main_dir = "/", .all = trial_schemas}};
	size_t before = faults(diags);
	struct arena *arena;
	struct trial *trial;

	if (len > TRIAL_SIZE_MAX) {
		diag_add(diags, file, 1, 1, "larger than %zu MiB",
		    TRIAL_SIZE_MAX >> 20);
		return NULL;
	}
	arena = arena_new(ARENA_MAX);
	trial = arena_alloc(arena, sizeof(*trial));
	trial->arena = r.ctx.arena = arena;
	trial->file = r.ctx.file = arena_strdup(arena, file);
	trial->told_by = "the test";
	trial->tree = tree_parse_within(
	    &limits, trial->file, arena_strndup(arena, text, len), len, diags);
	r.ctx.tree = trial->tree;
	r.ctx.user = r.hosts = map_new(NULL);
	r.vms = map_new(NULL);
	if (trial->tree != NULL)
		read_root(&r, trial);
	map_free(r.hosts);
	map_free(r.vms);
	if (faults(diags) == before)
		return trial;
	trial_free(trial);
	return NULL;
}

void
trial_free(struct trial *trial)
{
	if (trial == NULL)
		return;
	tree_free(trial->tree);
	arena_free(trial->arena);
}

bool
trial_check_policies(const struct trial *trial, const struct settings *settings,
    struct diag_list *diags)
{
	struct map *policies = map_new(NULL);
	struct reader r = {
	    .ctx = {.tree = trial->tree, .diags = diags}, .policies = policies};
	size_t before = faults(diags);

	for (size_t i = 0; i < settings->policy_count; i++)
		map_set(policies, settings->policies[i].name,
		    &settings->policies[i]);
	check_cases(&r, trial->tree->root);
	map_free(policies);
	return faults(diags) == before;
}

bool
trial_parse_mode(const char *word, enum policy_mode *out)
{
	static const enum policy_mode modes[] = {
	    POLICY_OFF, POLICY_OBSERVE, POLICY_APPROVE, POLICY_AUTO};

	for (size_t i = 0; i < 4; i++) {
		if (strcmp(policy_mode_name(modes[i]), word) != 0)
			continue;
		*out = modes[i];
		return true;
	}
	return false;
}

static const char *
find_label(const struct settings_label *labels, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i].key, key) == 0)
			return labels[i].value;
	return NULL;
}

const char *
trial_find_mode(
    const struct trial *trial, const struct trial_case *c, const char *policy)
{
	const char *mode = find_label(c->modes, c->mode_count, policy);

	return mode != NULL
	    ? mode
	    : find_label(trial->modes, trial->mode_count, policy);
}

const char *
trial_words_time(int64_t ms, char out[TRIAL_TIME_SIZE])
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"},
	    {1, "ms"}};
	size_t len = 0;

	if (ms == 0)
		return strcpy(out, "0");
	for (size_t i = 0; i < 5 && len < TRIAL_TIME_SIZE; i++) {
		int64_t n = ms / units[i].ms;

		ms %= units[i].ms;
		if (n != 0)
			len +=
			    (size_t)snprintf(out + len, TRIAL_TIME_SIZE - len,
				"%lld%s", (long long)n, units[i].name);
	}
	return out;
}
