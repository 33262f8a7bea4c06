/*
 * From a snapshot's text to a cluster.
 *
 * First the tables say what is wrong with each value (read_schema.c), then what
 * several entries are together is looked at: a guest on a host that is not
 * there, two guests of one UUID.  The second look goes over the tree and not
 * over what was read, so that it also sees entries in which something else is
 * wrong: one reading finds everything.
 *
 * A guest is judged by what is written and never by what is likely.  Storage
 * that nobody called shared is local, and local disks of unknown size keep
 * their guest where it is, since no target can be shown to have room for them.
 * Of memory a guest takes what the daemon asks for when it places it, so that no
 * plan puts more on a host than will be let in: QEMU's own as well, and nothing
 * while the guest is off.
 */

#include "plan/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/place.h"
#include "model/facts.h"
#include "plan/read_priv.h"

#define PATH_SIZE 600 /* "host", a separator and a guest's name */

struct reader {
	struct schema_context ctx; /* its arena is for what is read */
	struct map *hosts;         /* names, to their nodes */
	struct map *vms;           /* UUIDs, or names without one */
	struct map *at_hosts;      /* "HOST\nNAME" */
};

static bool
clean_since(const struct reader *r, size_t before)
{
	return r->ctx.diags->count + r->ctx.diags->dropped == before;
}

/* The mapping that the file consists of, or NULL with the fault. */
static const struct node *
find_root(const struct schema_context *ctx)
{
	size_t before = ctx->diags->count + ctx->diags->dropped;
	const struct node *root, *version;

	root = tree_find_root(
	    ctx->tree, ctx->diags, "a snapshot", "schema: drover/v1");
	if (root == NULL)
		return NULL;
	/* Of another language only that is said. */
	version = tree_get(root, "schema");
	if (version != NULL)
		plan_read_check_version(ctx, version, NULL);
	return ctx->diags->count + ctx->diags->dropped == before ? root : NULL;
}

/* ---- what entries are together ---- */

static void
refuse_host(struct reader *r, const struct node *host)
{
	const char **names, *key, *near;
	char quoted[TREE_QUOTE_SIZE];
	size_t i = 0, count = 0;
	void *value;

	tree_quote(host->text, quoted);
	/* Looking for the nearest takes time, and nobody reads so many. */
	if (r->ctx.diags->count == DIAG_MAX) {
		r->ctx.diags->dropped++;
		return;
	}
	names = calloc(map_count(r->hosts) + 1, sizeof(*names));
	if (names == NULL)
		abort();
	while (map_next(r->hosts, &i, &key, &value))
		names[count++] = key;
	near = diag_suggest(host->text, names);
	if (near != NULL)
		tree_fault(r->ctx.tree, r->ctx.diags, host,
		    "there is no host %s (did you mean \"%s\"?)", quoted, near);
	else
		tree_fault(r->ctx.tree, r->ctx.diags, host,
		    "there is no host %s in this file", quoted);
	free(names);
}

static void
check_vm(struct reader *r, const struct node *vm, bool hosts_known)
{
	const struct node *host = tree_get_text(vm, "host");
	const struct node *name = tree_get_text(vm, "name");
	const struct node *uuid = tree_get_text(vm, "uuid"), *before;
	const struct node *id = uuid != NULL ? uuid : name;
	char path[PATH_SIZE], quoted[TREE_QUOTE_SIZE];

	if (host != NULL && hosts_known &&
	    map_get(r->hosts, host->text) == NULL)
		refuse_host(r, host);
	if (id == NULL)
		return;
	before = map_get(r->vms, id->text);
	tree_quote(id->text, quoted);
	if (before != NULL) {
		tree_fault(r->ctx.tree, r->ctx.diags, id,
		    "%s is already used in line %u, column %u%s", quoted,
		    before->line, before->column,
		    uuid == NULL ? "; guests of one name need a uuid" : "");
		return;
	}
	map_set(r->vms, id->text, (void *)(uintptr_t)id);
	if (uuid == NULL || name == NULL || host == NULL ||
	    (size_t)snprintf(path, sizeof(path), "%s\n%s", host->text,
		name->text) >= sizeof(path))
		return;
	before = map_get(r->at_hosts, path);
	if (before != NULL)
		tree_fault(r->ctx.tree, r->ctx.diags, name,
		    "%s has a guest of this name already, in line %u",
		    tree_quote(host->text, quoted), before->line);
	else
		map_set(r->at_hosts, path, (void *)(uintptr_t)name);
}

static void
check_vms(struct reader *r, const struct node *root)
{
	const struct node *hosts = tree_get(root, "hosts");
	const struct node *vms = tree_get(root, "vms");
	/* With a host whose name is wrong, each of its guests would be too. */
	bool hosts_known = hosts != NULL && hosts->kind == NODE_SEQ &&
	    hosts->count == map_count(r->hosts);

	if (vms == NULL || vms->kind != NODE_SEQ)
		return;
	for (const struct node *vm = vms->first; vm != NULL; vm = vm->next)
		check_vm(r, vm, hosts_known);
}

/* ---- what is read ---- */

static int
compare_hosts(const void *a, const void *b)
{
	const struct read_host *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int
compare_vms(const void *a, const void *b)
{
	const struct read_vm *left = a, *right = b;
	int order = strcmp(left->uuid, right->uuid);

	return order != 0 ? order : strcmp(left->name, right->name);
}

void
plan_read_sort(struct read_host *hosts, size_t host_count, struct read_vm *vms,
    size_t vm_count)
{
	for (size_t i = 0; i < vm_count; i++)
		if (vms[i].uuid == NULL)
			vms[i].uuid = vms[i].name;
	if (host_count > 0)
		qsort(hosts, host_count, sizeof(*hosts), compare_hosts);
	if (vm_count > 0)
		qsort(vms, vm_count, sizeof(*vms), compare_vms);
}

bool
plan_read_snapshot(struct arena *arena, const char *file, const char *text,
    size_t len, struct diag_list *diags, struct read_snapshot *out)
{
	static const struct tree_limits limits = {
	    PLAN_READ_SIZE_MAX, PLAN_READ_NODES_MAX};
	struct reader r = {.ctx = {.diags = diags,
			       .arena = arena,
			       .main_dir = "/",
			       .file = file,
			       .all = plan_read_schemas}};
	size_t before = diags->count + diags->dropped;
	struct read_snapshot site = {0};
	const struct node *root;
	struct tree *tree;

	tree = tree_parse_within(&limits, file, text, len, diags);
	if (tree == NULL)
		return false;
	r.ctx.tree = tree;
	r.ctx.user = r.hosts = map_new(NULL);
	r.vms = map_new(NULL);
	r.at_hosts = map_new(NULL);
	root = find_root(&r.ctx);
	if (root != NULL) {
		schema_fill(&r.ctx, &plan_read_schema, &site);
		schema_read(&r.ctx, &plan_read_schema, root, &site);
		check_vms(&r, root);
	}
	map_free(r.hosts);
	map_free(r.vms);
	map_free(r.at_hosts);
	tree_free(tree);
	if (!clean_since(&r, before))
		return false;
	plan_read_sort(site.hosts, site.host_count, site.vms, site.vm_count);
	*out = site;
	return true;
}

/* ---- the cluster ---- */

static const char *
label_of(const struct settings_label *labels, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i].key, key) == 0)
			return labels[i].value;
	return NULL;
}

static void
make_host(
    struct arena *arena, const struct read_host *from, struct plan_host *to)
{
	*to = (struct plan_host){
	    .name = arena_strdup(arena, from->name),
	    .cpus = from->cpus,
	    .cpu_used = from->cpu_used,
	    .memory = from->memory - from->reserve_memory,
	    .disk = from->disk,
	    .accepts = from->up && !from->maintenance && !from->cordoned,
	    .up = from->up,
	    .limit_in = from->inbound,
	    .limit_out = from->outbound,
	    .group = PLAN_NONE,
	};
}

static bool
is_active(int state)
{
	switch ((enum domain_state)state) {
	case DOMAIN_RUNNING:
	case DOMAIN_BLOCKED:
	case DOMAIN_PAUSED:
	case DOMAIN_SHUTDOWN:
	case DOMAIN_PMSUSPENDED:
		return true;
	case DOMAIN_NOSTATE:
	case DOMAIN_SHUTOFF:
	case DOMAIN_CRASHED:
		break;
	}
	return false;
}

static void
make_guest(
    struct arena *arena, const struct read_vm *from, struct plan_guest *to)
{
	bool copied = from->storage != READ_STORAGE_SHARED &&
	    from->storage != READ_STORAGE_DISKLESS;

	*to = (struct plan_guest){
	    .name = arena_strdup(arena, from->name),
	    .uuid = arena_strdup(arena, from->uuid),
	    .cpu = from->cpu_used,
	    .vcpus = from->vcpus,
	    .dirty_rate = from->dirty_rate,
	    .runs = is_active(from->state),
	    .stays = from->pinned || (copied && from->disk_allocated < 0),
	    .way = copied ? PLAN_LIVE_COPY : PLAN_LIVE_SHARED,
	    .apart = PLAN_NONE,
	};
	if (copied && from->disk_allocated > 0)
		to->disk = from->disk_allocated;
	if (to->runs) {
		to->memory = place_memory_need(from->memory);
		to->overhead = to->memory - from->memory;
	} else {
		to->way = PLAN_RESTART;
	}
}

/* Numbers the values of the label, in order of the guests. */
static void
set_apart(struct plan_cluster *cluster, const struct read_snapshot *from)
{
	struct map *classes = map_new(NULL);

	for (size_t i = 0; i < from->vm_count && from->apart != NULL; i++) {
		const struct read_vm *vm = &from->vms[i];
		const char *value =
		    label_of(vm->labels, vm->label_count, from->apart);
		uintptr_t number;

		if (value == NULL)
			continue;
		number = (uintptr_t)map_get(classes, value);
		if (number == 0) {
			number = ++cluster->apart_count;
			map_set(classes, value, (void *)number);
		}
		cluster->guests[i].apart = (uint32_t)(number - 1);
	}
	map_free(classes);
}

static struct plan_cluster *
make_cluster(struct arena *arena, const struct read_snapshot *from)
{
	struct plan_cluster *cluster = arena_alloc(arena, sizeof(*cluster));
	struct map *hosts = map_new(NULL);

	cluster->host_count = (uint32_t)from->host_count;
	cluster->guest_count = (uint32_t)from->vm_count;
	cluster->hosts =
	    arena_array(arena, from->host_count, sizeof(*cluster->hosts));
	cluster->guests =
	    arena_array(arena, from->vm_count, sizeof(*cluster->guests));
	cluster->limits =
	    (struct plan_limits){from->limits.total, from->limits.per_source,
		from->limits.per_target, from->limits.bandwidth};
	for (size_t i = 0; i < from->host_count; i++) {
		make_host(arena, &from->hosts[i], &cluster->hosts[i]);
		map_set(hosts, from->hosts[i].name, (void *)(i + 1));
	}
	for (size_t i = 0; i < from->vm_count; i++) {
		make_guest(arena, &from->vms[i], &cluster->guests[i]);
		cluster->guests[i].host =
		    (uint32_t)((uintptr_t)map_get(hosts, from->vms[i].host) -
			1);
	}
	map_free(hosts);
	set_apart(cluster, from);
	return cluster;
}

struct plan_cluster *
plan_read(struct arena *arena, const char *file, const char *text, size_t len,
    struct diag_list *diags)
{
	struct arena *own = arena_new(PLAN_READ_SNAPSHOT_MAX(len));
	struct plan_cluster *cluster = NULL;
	struct read_snapshot site;

	if (plan_read_snapshot(own, file, text, len, diags, &site))
		cluster = make_cluster(arena, &site);
	arena_free(own);
	return cluster;
}

uint32_t
plan_find_host(const struct plan_cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->host_count; i++)
		if (strcmp(cluster->hosts[i].name, name) == 0)
			return i;
	return PLAN_NONE;
}
