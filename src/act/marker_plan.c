/*
 * A pool matters when an image of a guest is in it and nothing else proves that
 * the image is the same everywhere.  Its possible twins are the pools of the
 * other hosts that storage.h calls a marker pair.
 *
 * Hosts that do not answer, or that another daemon acts on, are left out: they
 * come back with news of their own.
 */
#include "act/marker_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "decide/storage.h"

struct plan_work {
	struct arena *arena;
	const struct settings *settings;
	const struct snapshot *s;
	bool (*doubted)(const struct snap_proof *proof, void *arg);
	void *arg;
	bool **matters;      /* per host and pool */
	size_t **nodes;      /* per host and pool: index + 1; 0: none yet */
	struct map *proofs;  /* of the snapshot, by plan_key() */
	struct map *planned; /* pairs, by plan_key() */
	struct marker_plan *plan;
	size_t node_max, pair_max;
};

static bool
plan_is_under(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	    (path[len] == '/' || strcmp(folder, "/") == 0);
}

static bool
plan_is_declared(const struct settings *settings, const char *path)
{
	for (size_t i = 0; i < settings->shared_path_count; i++) {
		if (plan_is_under(path, settings->shared_paths[i]))
			return true;
	}
	return false;
}

static bool
plan_host_answers(const struct snap_host *host)
{
	return host->up && host->known && host->pools_known &&
	    host->silent_ms < SNAPSHOT_SILENT_MS && host->claimed_by == NULL &&
	    !host->claim_open;
}

static bool
plan_holds(const struct plan_work *w, const struct snap_pool *pool,
    const struct snap_disk *disk)
{
	if (!pool->active || pool->path == NULL ||
	    plan_is_declared(w->settings, pool->path))
		return false;
	switch (disk->kind) {
	case SNAP_DISK_VOLUME:
		return disk->pool != NULL &&
		    strcmp(disk->pool, pool->name) == 0;
	case SNAP_DISK_FILE:
		return disk->source != NULL &&
		    plan_is_under(disk->source, pool->path) &&
		    !plan_is_declared(w->settings, disk->source);
	case SNAP_DISK_BLOCK:
	case SNAP_DISK_NETWORK:
	case SNAP_DISK_EMPTY:
	case SNAP_DISK_OTHER:
		return false;
	}
	return false;
}

static void
plan_find_pools(struct plan_work *w)
{
	const struct snapshot *s = w->s;

	w->matters = arena_array(w->arena, s->host_count, sizeof(*w->matters));
	w->nodes = arena_array(w->arena, s->host_count, sizeof(*w->nodes));
	for (size_t h = 0; h < s->host_count; h++) {
		size_t count = s->hosts[h].pool_count;

		w->matters[h] = arena_array(w->arena, count, sizeof(bool));
		w->nodes[h] = arena_array(w->arena, count, sizeof(size_t));
	}
	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];
		const struct snap_host *host = &s->hosts[vm->host];

		for (size_t p = 0;
		     plan_host_answers(host) && p < host->pool_count; p++) {
			for (size_t d = 0; d < vm->disk_count; d++)
				w->matters[vm->host][p] |= plan_holds(
				    w, &host->pools[p], &vm->disks[d]);
		}
	}
}

static const char *
plan_key(struct arena *arena, const char *host_a, const char *pool_a,
    const char *host_b, const char *pool_b)
{
	/* Names of hosts have no slash. */
	return arena_printf(arena, "%s/%s/%zu/%s/%s", host_a, host_b,
	    strlen(pool_a), pool_a, pool_b);
}

static void
plan_index_proofs(struct plan_work *w)
{
	for (size_t i = 0; i < w->s->proof_count; i++) {
		struct snap_proof *p = &w->s->proofs[i];

		map_set(w->proofs,
		    plan_key(
			w->arena, p->host_a, p->pool_a, p->host_b, p->pool_b),
		    p);
	}
}

static size_t
plan_node(struct plan_work *w, size_t host, size_t pool)
{
	struct marker_plan *plan = w->plan;
	size_t *index = &w->nodes[host][pool];

	if (*index > 0)
		return *index - 1;
	plan->nodes[plan->node_count++] = (struct marker_node){
	    w->s->hosts[host].name, w->s->hosts[host].pools[pool].name};
	*index = plan->node_count;
	return *index - 1;
}

static void
plan_add_pair(struct plan_work *w, size_t a, size_t b, bool alike)
{
	struct marker_plan *plan = w->plan;

	if (plan->pair_count == w->pair_max) {
		struct marker_pair *more =
		    arena_array(w->arena, w->pair_max * 2 + 64, sizeof(*more));

		if (plan->pair_count > 0)
			memcpy(more, plan->pairs,
			    plan->pair_count * sizeof(*more));
		plan->pairs = more;
		w->pair_max = w->pair_max * 2 + 64;
	}
	plan->pairs[plan->pair_count++] = (struct marker_pair){a, b, alike};
}

/* Host g sorts before host h. */
static void
plan_pair(struct plan_work *w, size_t g, size_t p, size_t h, size_t q)
{
	const struct snap_host *a = &w->s->hosts[g], *b = &w->s->hosts[h];
	const struct snap_pool *here = &a->pools[p], *there = &b->pools[q];
	const struct snap_proof *proof;
	const char *key;
	size_t first;

	if (!storage_is_marker_pair(here, there))
		return;
	key = plan_key(w->arena, a->name, here->name, b->name, there->name);
	proof = map_get(w->proofs, key);
	if (map_get(w->planned, key) != NULL ||
	    (proof != NULL &&
		(w->doubted == NULL || !w->doubted(proof, w->arg))))
		return;
	map_set(w->planned, key, w);
	first = plan_node(w, g, p);
	plan_add_pair(w, first, plan_node(w, h, q),
	    a->host_uuid != NULL && b->host_uuid != NULL &&
		strcmp(a->host_uuid, b->host_uuid) == 0);
}

/* All possible twins of one pool. */
static void
plan_twins(struct plan_work *w, size_t host, size_t pool)
{
	for (size_t h = 0; h < w->s->host_count; h++) {
		const struct snap_host *other = &w->s->hosts[h];

		if (h == host || !plan_host_answers(other))
			continue;
		for (size_t q = 0; q < other->pool_count; q++) {
			if (host < h)
				plan_pair(w, host, pool, h, q);
			else
				plan_pair(w, h, q, host, pool);
		}
	}
}

void
marker_plan_make(struct arena *arena, const struct settings *settings,
    const struct snapshot *s,
    bool (*doubted)(const struct snap_proof *proof, void *arg), void *arg,
    struct marker_plan *out)
{
	struct plan_work w = {.arena = arena,
	    .settings = settings,
	    .s = s,
	    .doubted = doubted,
	    .arg = arg,
	    .plan = out};
	size_t pools = 0;

	*out = (struct marker_plan){0};
	if (settings->proof != SETTINGS_PROOF_MARKER)
		return;
	for (size_t h = 0; h < s->host_count; h++)
		pools += s->hosts[h].pool_count;
	out->nodes = arena_array(arena, pools, sizeof(*out->nodes));
	w.proofs = map_new(NULL);
	w.planned = map_new(NULL);
	plan_find_pools(&w);
	plan_index_proofs(&w);
	for (size_t h = 0; h < s->host_count; h++) {
		for (size_t p = 0; p < s->hosts[h].pool_count; p++) {
			if (w.matters[h][p])
				plan_twins(&w, h, p);
		}
	}
	map_free(w.proofs);
	map_free(w.planned);
}
