/*
 * Finding things in a snapshot.  Hosts are sorted by name and guests by UUID,
 * then host, so that both are found by bisection.
 *
 * During a live migration libvirt shows one guest on two hosts, and after one
 * that broke it may stay so.  The snapshot keeps both entries: that a guest is
 * defined twice is a fact that deciding needs.  Whoever asks for "the" guest
 * gets the entry that is most alive.
 */
#include "model/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "model/copy.h"

void
snapshot_free(struct snapshot *snapshot)
{
	/* The snapshot itself lives in its arena. */
	if (snapshot != NULL)
		arena_free(snapshot->arena);
}

const struct snap_host *
snapshot_find_host(const struct snapshot *s, const char *name)
{
	size_t low = 0, high = s->host_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, s->hosts[middle].name);

		if (order == 0)
			return &s->hosts[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Larger is more alive. */
static int
vm_liveliness(const struct snap_vm *vm)
{
	switch (vm->state) {
	case DOMAIN_RUNNING:
	case DOMAIN_BLOCKED:
		return 4;
	case DOMAIN_PAUSED:
	case DOMAIN_SHUTDOWN:
	case DOMAIN_PMSUSPENDED:
		return 3;
	case DOMAIN_CRASHED:
		return 2;
	case DOMAIN_NOSTATE:
		return 1;
	case DOMAIN_SHUTOFF:
		return 0;
	}
	return 0;
}

const struct snap_vm *
snapshot_find_vm(const struct snapshot *s, const char *uuid)
{
	const struct snap_vm *best = NULL;
	size_t low = 0, high = s->vm_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->vms[middle].uuid, uuid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low;
	     i < s->vm_count && strcmp(s->vms[i].uuid, uuid) == 0; i++) {
		const struct snap_vm *vm = &s->vms[i];

		if (best == NULL || vm_liveliness(vm) > vm_liveliness(best))
			best = vm;
	}
	return best;
}

const struct snap_vm *
snapshot_search_vm(
    const struct snapshot *s, const char *name_or_uuid, bool *out_ambiguous)
{
	const struct snap_vm *found = snapshot_find_vm(s, name_or_uuid);

	if (out_ambiguous != NULL)
		*out_ambiguous = false;
	if (found != NULL)
		return found;
	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];

		if (strcmp(vm->name, name_or_uuid) != 0)
			continue;
		if (found != NULL && strcmp(found->uuid, vm->uuid) != 0) {
			if (out_ambiguous != NULL)
				*out_ambiguous = true;
			return NULL;
		}
		found = vm;
	}
	return found != NULL ? snapshot_find_vm(s, found->uuid) : NULL;
}

int64_t
snapshot_hugepages_free(const struct snap_host *host, int64_t size)
{
	int64_t most = 0;

	if (host->hugepages_free == SNAPSHOT_UNKNOWN)
		return SNAPSHOT_UNKNOWN;
	for (size_t i = 0; i < host->page_count; i++) {
		const struct facts_pages *pages = &host->pages[i];

		if ((size == SNAPSHOT_UNKNOWN || pages->size == size) &&
		    pages->free > most)
			most = pages->free;
	}
	return most;
}

int
snapshot_compare_proofs(const void *a, const void *b)
{
	const struct snap_proof *x = a, *y = b;
	int order = strcmp(x->host_a, y->host_a);

	if (order == 0)
		order = strcmp(x->host_b, y->host_b);
	if (order == 0)
		order = strcmp(x->pool_a, y->pool_a);
	return order != 0 ? order : strcmp(x->pool_b, y->pool_b);
}

enum snap_verdict
snapshot_find_proof(const struct snapshot *s, const char *host,
    const char *pool, const char *other_host, const char *other_pool)
{
	bool first = strcmp(host, other_host) < 0;
	const struct snap_proof wanted = {first ? host : other_host,
	    first ? pool : other_pool, first ? other_host : host,
	    first ? other_pool : pool, SNAP_VERDICT_UNKNOWN};
	const struct snap_proof *found;

	if (s->proof_count == 0)
		return SNAP_VERDICT_UNKNOWN;
	found = bsearch(&wanted, s->proofs, s->proof_count,
	    sizeof(s->proofs[0]), snapshot_compare_proofs);
	return found != NULL ? found->same : SNAP_VERDICT_UNKNOWN;
}

bool
snapshot_is_moving(const struct snapshot *s, const char *uuid)
{
	for (size_t i = 0; i < s->move_count; i++) {
		if (strcmp(s->moves[i].uuid, uuid) == 0)
			return true;
	}
	return false;
}

void
snapshot_set_correction(
    struct snapshot *s, size_t strategy, int64_t time_ms, double downtime_ln)
{
	if (strategy < SNAPSHOT_STRATEGIES)
		s->corrections[strategy] =
		    (struct snap_correction){time_ms, downtime_ln};
}

static int
compare_alerts(const void *a, const void *b)
{
	const struct snap_alert *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0 && x->since.ms != y->since.ms)
		return x->since.ms < y->since.ms ? -1 : 1;
	for (size_t i = 0; order == 0; i++) {
		if (i == x->label_count || i == y->label_count)
			return (x->label_count > i) - (y->label_count > i);
		order = strcmp(x->label_keys[i], y->label_keys[i]);
		if (order == 0)
			order = strcmp(x->label_values[i], y->label_values[i]);
	}
	return order;
}

static void
copy_alert(
    struct arena *arena, const struct snap_alert *from, struct snap_alert *out)
{
	size_t n = from->label_count;

	*out = (struct snap_alert){.name = arena_strdup(arena, from->name),
	    .severity = arena_strdup(arena, from->severity),
	    .since = from->since,
	    .label_keys = arena_array(arena, n, sizeof(out->label_keys[0])),
	    .label_values = arena_array(arena, n, sizeof(out->label_values[0])),
	    .label_count = n};
	for (size_t i = 0; i < n; i++) {
		out->label_keys[i] = arena_strdup(arena, from->label_keys[i]);
		out->label_values[i] =
		    arena_strdup(arena, from->label_values[i]);
	}
}

void
snapshot_set_alerts(struct snapshot *s, const struct snap_alert *alerts,
    const char *const *hosts, size_t count)
{
	size_t *counts = arena_array(s->arena, s->host_count, sizeof(*counts));
	struct snap_alert **lists =
	    arena_array(s->arena, s->host_count, sizeof(lists[0]));
	const struct snap_host *host;

	for (size_t i = 0; i < count; i++) {
		host =
		    hosts[i] != NULL ? snapshot_find_host(s, hosts[i]) : NULL;
		if (host != NULL)
			counts[host - s->hosts]++;
	}
	for (size_t h = 0; h < s->host_count; h++) {
		lists[h] =
		    arena_array(s->arena, counts[h], sizeof(lists[h][0]));
		s->hosts[h].alerts = lists[h];
		s->hosts[h].alert_count = counts[h];
		counts[h] = 0;
	}
	for (size_t i = 0; i < count; i++) {
		host =
		    hosts[i] != NULL ? snapshot_find_host(s, hosts[i]) : NULL;
		if (host != NULL)
			copy_alert(s->arena, &alerts[i],
			    &lists[host - s->hosts][counts[host - s->hosts]++]);
	}
	for (size_t h = 0; h < s->host_count; h++)
		if (counts[h] > 1)
			qsort(lists[h], counts[h], sizeof(lists[h][0]),
			    compare_alerts);
}

void
snapshot_set_leftovers(
    struct snapshot *s, const struct snap_leftover *leftovers, size_t count)
{
	struct arena *arena = s->arena;

	s->leftovers = arena_array(arena, count, sizeof(s->leftovers[0]));
	s->leftover_count = count;
	for (size_t i = 0; i < count; i++) {
		s->leftovers[i] = (struct snap_leftover){
		    .host = arena_strdup(arena, leftovers[i].host),
		    .pool = arena_strdup(arena, leftovers[i].pool),
		    .volume = arena_strdup(arena, leftovers[i].volume),
		    .path = arena_strdup(arena, leftovers[i].path),
		    .uuid = arena_strdup(arena, leftovers[i].uuid),
		};
	}
}

void
snapshot_set_link_rates(struct snapshot *s,
    int64_t (*rate_of)(const char *host, void *arg), void *arg)
{
	for (size_t i = 0; i < s->host_count; i++)
		s->hosts[i].link_rate = rate_of(s->hosts[i].name, arg);
}

bool
snapshot_vm_runs(const struct snap_vm *vm)
{
	return vm->state == DOMAIN_RUNNING || vm->state == DOMAIN_BLOCKED;
}

bool
snapshot_wants_long_sample(const struct snap_vm *vm)
{
	return vm->dirty_rate != SNAPSHOT_UNKNOWN &&
	    (vm->dirty_rate_long == SNAPSHOT_UNKNOWN ||
		mono_before(vm->dirty_long_at, vm->dirty_at));
}

bool
snapshot_vm_active(const struct snap_vm *vm)
{
	return vm->state != DOMAIN_SHUTOFF;
}

void
snapshot_set_active(struct snapshot *s)
{
	s->active = arena_array(s->arena, s->host_count, sizeof(s->active[0]));
	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];

		if (snapshot_vm_active(vm) &&
		    snapshot_find_vm(s, vm->uuid) == vm)
			s->active[vm->host]++;
	}
}

int
snapshot_count_active(const struct snapshot *s, size_t host)
{
	int count = 0;

	if (s->active != NULL)
		return s->active[host];
	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];

		count += vm->host == host && snapshot_vm_active(vm) &&
		    snapshot_find_vm(s, vm->uuid) == vm;
	}
	return count;
}
