/*
 * From the daemon's snapshot to the planner's cluster.
 *
 * The planner knows numbers only, so all that takes facts of libvirt to find out
 * is found out here, once for each guest: whether its disks go along, which hosts
 * it may be on, whom it must not meet.  A cluster of twenty thousand guests and
 * a thousand hosts is made in one go; so an expression about hosts is asked once
 * for each host wherever its answer does not depend on the guest, and guests of
 * which the same rules hold share one set of hosts.
 *
 * What moves now is where it came from, and what it needs at its target is
 * taken from there: a plan adds to what goes on and takes nothing of it back.
 */
#include "plan/from_snapshot.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "decide/place.h"
#include "decide/placement.h"
#include "plan/seen.h"

#define KEY_MAX 4096

struct seer {
	struct arena *arena;
	const struct snapshot *s;
	const struct settings *settings;
	struct plan_cluster *cluster;
	uint32_t *host_of;         /* by host of the snapshot; PLAN_NONE */
	const struct snap_vm **vm; /* by guest of the cluster */
};

/* ---- hosts ---- */

static void
add_host(struct seer *seer, const struct snap_host *from)
{
	bool sized = from->memory_total > 0 && from->cpus > 0;
	bool up = plan_sees_host_up(from) && sized;

	seer->cluster->hosts[seer->cluster->host_count++] = (struct plan_host){
	    .name = from->name,
	    .cpus = from->cpus > 0 ? from->cpus : 1,
	    .cpu_used = plan_sees_host_cpu(from),
	    .memory = sized ? from->memory_total - from->reserve_memory : 0,
	    .disk = plan_sees_free_disk(from),
	    .accepts = up && !from->maintenance && !from->cordoned &&
		from->inbound_limit != 0,
	    .up = up,
	    .limit_in = from->inbound_limit > 0 ? from->inbound_limit : 0,
	    .limit_out = from->outbound_limit > 0 ? from->outbound_limit : 0,
	    .group = PLAN_NONE,
	};
}

static void
add_hosts(struct seer *seer)
{
	const struct snapshot *s = seer->s;

	seer->cluster->hosts = arena_array(
	    seer->arena, s->host_count, sizeof(*seer->cluster->hosts));
	seer->host_of =
	    arena_array(seer->arena, s->host_count, sizeof(*seer->host_of));
	for (size_t i = 0; i < s->host_count; i++) {
		seer->host_of[i] = PLAN_NONE;
		if (!s->hosts[i].known)
			continue;
		seer->host_of[i] = seer->cluster->host_count;
		add_host(seer, &s->hosts[i]);
	}
}

/* Numbers the values of the label that guests are spread by. */
static void
set_groups(struct seer *seer)
{
	const struct settings *settings = seer->settings;
	const char *label = NULL;
	struct map *groups = map_new(NULL);

	for (size_t i = settings->placement_count; i-- > 0;)
		if (settings->placements[i].kind == PLACEMENT_SPREAD)
			label = settings->placements[i].label;
	for (size_t i = 0; label != NULL && i < seer->s->host_count; i++) {
		const char *value =
		    placement_host_label(&seer->s->hosts[i], label);
		uintptr_t number;

		if (seer->host_of[i] == PLAN_NONE || value == NULL)
			continue;
		number = (uintptr_t)map_get(groups, value);
		if (number == 0) {
			number = map_count(groups) + 1;
			map_set(groups, value, (void *)number);
		}
		seer->cluster->hosts[seer->host_of[i]].group =
		    (uint32_t)(number - 1);
	}
	map_free(groups);
}

/* ---- guests ---- */

static void
add_guest(struct seer *seer, const struct snap_vm *vm)
{
	struct plan_cluster *cluster = seer->cluster;
	uint32_t host = seer->host_of[vm->host];
	struct plan_guest *guest = &cluster->guests[cluster->guest_count];
	struct plan_storage storage;
	bool copied;

	plan_sees_storage(seer->s, seer->settings, vm, &storage);
	copied = plan_storage_is_copied(&storage);
	seer->vm[cluster->guest_count++] = vm;
	*guest = (struct plan_guest){
	    .name = vm->name,
	    .uuid = vm->uuid,
	    .host = host,
	    .cpu = plan_sees_guest_cpu(vm),
	    .vcpus = vm->vcpus > 0 ? vm->vcpus : 0,
	    .dirty_rate = vm->dirty_rate,
	    .runs = snapshot_vm_active(vm),
	    .stays = plan_sees_pinned(vm) || (copied && storage.bytes < 0) ||
		snapshot_is_moving(seer->s, vm->uuid),
	    .way = copied ? PLAN_LIVE_COPY : PLAN_LIVE_SHARED,
	    .apart = PLAN_NONE,
	};
	if (copied && storage.bytes > 0)
		guest->disk = storage.bytes;
	if (!guest->runs) {
		guest->way = PLAN_RESTART;
	} else {
		guest->memory = place_memory_need(vm->memory);
		guest->overhead = guest->memory - vm->memory;
	}
	/* What the host told to be free is beside what its guests have. */
	if (cluster->hosts[host].disk >= 0)
		cluster->hosts[host].disk += guest->disk;
}

static void
add_guests(struct seer *seer)
{
	const struct snapshot *s = seer->s;

	seer->cluster->guests = arena_array(
	    seer->arena, s->vm_count, sizeof(*seer->cluster->guests));
	seer->vm = arena_array(seer->arena, s->vm_count, sizeof(*seer->vm));
	for (size_t i = 0; i < s->vm_count; i++)
		if (plan_sees_guest(s, &s->vms[i]))
			add_guest(seer, &s->vms[i]);
}

static void
add_moves(struct seer *seer)
{
	const struct snapshot *s = seer->s;

	for (size_t i = 0; i < s->move_count; i++) {
		const struct snap_move *move = &s->moves[i];
		const struct snap_host *to = snapshot_find_host(s, move->to);
		const struct snap_vm *vm = snapshot_find_vm(s, move->uuid);
		struct plan_host *host;

		/* Once it runs there it is one of the host's guests. */
		if (to == NULL || seer->host_of[to - s->hosts] == PLAN_NONE ||
		    (vm != NULL && &s->hosts[vm->host] == to))
			continue;
		host = &seer->cluster->hosts[seer->host_of[to - s->hosts]];
		if (vm == NULL || snapshot_vm_active(vm))
			host->memory -= place_memory_need(move->memory);
		if (host->disk >= 0)
			host->disk = host->disk > move->disk
			    ? host->disk - move->disk
			    : 0;
	}
}

/* ---- placement: apart ---- */

static uint32_t
find_root(uint32_t *parent, uint32_t class)
{
	while (parent[class] != class) {
		parent[class] = parent[parent[class]];
		class = parent[class];
	}
	return class;
}

/* The number of this rule's class of this value. */
static uint32_t
number_class(struct map *classes, size_t rule, const char *value)
{
	struct buf key = BUF_INIT(KEY_MAX);
	uintptr_t number;

	buf_addf(&key, "%zu\n%s", rule, value);
	number = (uintptr_t)map_get(classes, buf_str(&key));
	if (number == 0) {
		number = map_count(classes) + 1;
		map_set(classes, buf_str(&key), (void *)number);
	}
	buf_free(&key);
	return (uint32_t)(number - 1);
}

static bool
is_hard(const struct placement *rule, enum placement_kind kind)
{
	return rule->kind == kind && rule->hard;
}

static void
set_apart(struct seer *seer)
{
	const struct settings *settings = seer->settings;
	struct plan_cluster *cluster = seer->cluster;
	struct map *classes = map_new(NULL);
	size_t max = (size_t)cluster->guest_count * settings->placement_count;
	uint32_t *parent = arena_array(seer->arena, max, sizeof(*parent));

	for (uint32_t i = 0; i < max; i++)
		parent[i] = i;
	for (size_t r = 0; r < settings->placement_count; r++) {
		const struct placement *rule = &settings->placements[r];

		if (!is_hard(rule, PLACEMENT_APART))
			continue;
		for (uint32_t g = 0; g < cluster->guest_count; g++) {
			struct plan_guest *guest = &cluster->guests[g];
			uint32_t class;

			if (!placement_is_about(
				rule, seer->arena, seer->s, seer->vm[g]))
				continue;
			class = number_class(classes, r,
			    placement_guest_label(seer->vm[g], rule->label));
			if (guest->apart != PLAN_NONE)
				parent[find_root(parent, class)] =
				    find_root(parent, guest->apart);
			guest->apart = class;
		}
	}
	cluster->apart_count = (uint32_t)map_count(classes);
	for (uint32_t g = 0; g < cluster->guest_count; g++)
		if (cluster->guests[g].apart != PLAN_NONE)
			cluster->guests[g].apart =
			    find_root(parent, cluster->guests[g].apart);
	map_free(classes);
}

/* ---- placement: hosts ---- */

static uint64_t *
new_hosts(struct seer *seer)
{
	size_t words = ((size_t)seer->cluster->host_count + 63) / 64;

	return arena_array(seer->arena, words, sizeof(uint64_t));
}

/* Leaves those of `allowed` that the rule allows. */
static void
cut_hosts(struct seer *seer, const struct placement *rule,
    const struct snap_vm *vm, uint64_t *allowed)
{
	for (size_t i = 0; i < seer->s->host_count; i++) {
		uint32_t host = seer->host_of[i];

		if (host != PLAN_NONE &&
		    (allowed[host / 64] >> host % 64 & 1) != 0 &&
		    !placement_allows(rule, seer->arena, seer->s, vm,
			&seer->s->hosts[i], NULL))
			allowed[host / 64] &= ~(UINT64_C(1) << host % 64);
	}
}

/* The rules about the guest, as "1,4,": guests of one text may share a set of
 * hosts, unless *out_own. */
static bool
name_rules(const struct seer *seer, const struct snap_vm *vm, struct buf *out,
    bool *out_own)
{
	const struct settings *settings = seer->settings;

	out->len = 0;
	*out_own = false;
	for (size_t r = 0; r < settings->placement_count; r++) {
		const struct placement *rule = &settings->placements[r];

		if (!is_hard(rule, PLACEMENT_HOSTS) ||
		    !placement_is_about(rule, seer->arena, seer->s, vm))
			continue;
		buf_addf(out, "%zu,", r);
		*out_own |= !placement_is_one_for_all(rule);
	}
	return out->len > 0;
}

static uint64_t *
find_hosts(struct seer *seer, const struct snap_vm *vm)
{
	const struct settings *settings = seer->settings;
	uint64_t *allowed = new_hosts(seer);

	for (uint32_t h = 0; h < seer->cluster->host_count; h++)
		allowed[h / 64] |= UINT64_C(1) << h % 64;
	for (size_t r = 0; r < settings->placement_count; r++)
		if (is_hard(&settings->placements[r], PLACEMENT_HOSTS) &&
		    placement_is_about(
			&settings->placements[r], seer->arena, seer->s, vm))
			cut_hosts(seer, &settings->placements[r], vm, allowed);
	return allowed;
}

static void
set_allowed(struct seer *seer)
{
	struct map *shared = map_new(NULL);
	struct buf rules = BUF_INIT(KEY_MAX);

	for (uint32_t g = 0; g < seer->cluster->guest_count; g++) {
		uint64_t *allowed;
		bool own;

		if (!name_rules(seer, seer->vm[g], &rules, &own))
			continue;
		allowed = own ? NULL : map_get(shared, buf_str(&rules));
		if (allowed == NULL)
			allowed = find_hosts(seer, seer->vm[g]);
		if (!own)
			map_set(shared, buf_str(&rules), allowed);
		seer->cluster->guests[g].allowed = allowed;
	}
	buf_free(&rules);
	map_free(shared);
}

struct plan_cluster *
plan_from_snapshot(struct arena *arena, const struct snapshot *s,
    const struct settings *settings)
{
	struct seer seer = {.arena = arena,
	    .s = s,
	    .settings = settings,
	    .cluster = arena_alloc(arena, sizeof(*seer.cluster))};

	seer.cluster->limits = (struct plan_limits){settings->limits.total,
	    settings->limits.per_source, settings->limits.per_target,
	    settings->limits.bandwidth};
	add_hosts(&seer);
	add_guests(&seer);
	add_moves(&seer);
	set_groups(&seer);
	set_apart(&seer);
	set_allowed(&seer);
	return seer.cluster;
}
