/*
 * The two ends of a simulation as JSON.
 *
 * A snapshot is written for whoever has no hosts at hand: it holds what a plan
 * looks at and nothing that only a host can use (no disks, no XML).  So what
 * takes the hosts' facts to find out, above all whether storage is shared, is
 * found out here and written as one word.
 *
 * That word is about pairs of hosts, and a large site has millions of them with
 * each guest.  Each guest is compared with a few hosts only: the next ones after
 * its own in their order, which are all of them in a small site.
 */

#include "plan/write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fields.h"
#include "base/map.h"
#include "config/tree.h"
#include "decide/storage.h"

#define NAME_SIZE 256   /* as plan_read() takes */
#define STORAGE_HOSTS 8 /* that a guest's storage is compared with */
#define STORAGE_ARENA_MAX ((size_t)16 << 20)

/* ---- snapshots ---- */

static bool
has_room(const struct snap_pool *pool)
{
	return pool->active && pool->source == NULL && pool->path != NULL &&
	    pool->available >= 0;
}

static json_t *
labels_json(const char *const *keys, const char *const *values, size_t count)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < count; i++)
		fields_text(labels, keys[i], values[i]);
	return labels;
}

static void
set_flag(json_t *object, const char *key)
{
	json_object_set_new(object, key, json_true());
}

/* `taken`: what the local disks of its guests take. */
static json_t *
host_json(const struct snap_host *host, int64_t taken)
{
	json_t *object = json_object(), *limits = json_object();
	int64_t free_disk = -1;

	/* Folders of one file system tell the same space each: so the largest,
	 * and not the sum. */
	for (size_t i = 0; i < host->pool_count; i++)
		if (has_room(&host->pools[i]) &&
		    host->pools[i].available > free_disk)
			free_disk = host->pools[i].available;
	fields_text(object, "name", host->name);
	fields_count(object, "cpus", host->cpus);
	fields_count(object, "memory", host->memory_total);
	fields_count(object, "reserve_memory", host->reserve_memory);
	fields_real(object, "cpu_used", host->cpu_used);
	if (free_disk >= 0)
		fields_count(object, "disk", free_disk + taken);
	json_object_set_new(
	    object, "maintenance", json_boolean(host->maintenance));
	json_object_set_new(object, "cordoned", json_boolean(host->cordoned));
	json_object_set_new(object, "up",
	    json_boolean(host->up && host->claimed_by == NULL &&
		host->silent_ms < SNAPSHOT_SILENT_MS));
	json_object_set_new(object, "labels",
	    labels_json(
		host->label_keys, host->label_values, host->label_count));
	if (host->outbound_limit > 0)
		fields_count(limits, "outbound", host->outbound_limit);
	if (host->inbound_limit > 0)
		fields_count(limits, "inbound", host->inbound_limit);
	if (json_object_size(limits) > 0)
		json_object_set(object, "limits", limits);
	json_decref(limits);
	return object;
}

/* Bytes of the images that are wanted; -1 when one is not known. */
static int64_t
allocated(const struct storage_result *storage, bool local_only)
{
	int64_t total = 0;

	for (size_t i = 0; i < storage->disk_count; i++) {
		const struct storage_disk *image = &storage->disks[i];

		if (image->way == STORAGE_WAY_ABSENT ||
		    (local_only && image->way != STORAGE_WAY_LOCAL))
			continue;
		if (image->disk->allocation < 0)
			return -1;
		total += image->disk->allocation;
	}
	return total;
}

struct vm_storage {
	bool known;
	enum storage_class class;
	int64_t bytes; /* -1 unknown */
};

static struct vm_storage
look_at_storage(const struct snapshot *s, const struct settings *settings,
    const struct snap_vm *vm)
{
	struct arena *arena = arena_new(STORAGE_ARENA_MAX);
	struct vm_storage found = {.bytes = -1};
	size_t seen = 0;

	for (size_t i = 1; i < s->host_count && seen < STORAGE_HOSTS &&
	     !(found.known && found.class == STORAGE_LOCAL);
	     i++) {
		const struct snap_host *target =
		    &s->hosts[(vm->host + i) % s->host_count];
		struct storage_result storage = {0};

		if (!target->known)
			continue;
		seen++;
		storage_classify(arena, settings, s, &s->hosts[vm->host],
		    target, vm, &storage);
		if (found.known && storage.class <= found.class)
			continue;
		found.known = true;
		found.class = storage.class;
		found.bytes = allocated(&storage,
		    storage.class == STORAGE_LOCAL ||
			storage.class == STORAGE_MIXED);
	}
	arena_free(arena);
	return found;
}

/* A host may have named a guest as no file can hold it; then it is called by its
 * UUID. */
static const char *
writable_name(const struct snap_vm *vm)
{
	char clean[NAME_SIZE];
	struct diag_list diags;
	bool fine;

	(void)err_copy_line(clean, sizeof(clean), vm->name);
	if (strcmp(clean, vm->name) != 0 || clean[0] == '\0')
		return vm->uuid;
	diag_init(&diags);
	fine = tree_check_text("", clean, strlen(clean), &diags) == 0;
	diag_free(&diags);
	return fine ? vm->name : vm->uuid;
}

static json_t *
vm_json(const struct snapshot *s, const struct snap_vm *vm,
    const struct vm_storage *storage)
{
	json_t *object = json_object();

	fields_text(object, "name", writable_name(vm));
	fields_text(object, "uuid", vm->uuid);
	fields_text(object, "host", s->hosts[vm->host].name);
	fields_text(object, "state", facts_state_name(vm->state));
	if (vm->vcpus > 0)
		fields_count(object, "vcpus", vm->vcpus);
	fields_count(object, "memory", vm->memory);
	fields_real(object, "cpu_used", vm->cpu_used);
	fields_count(object, "dirty_rate", vm->dirty_rate);
	if (storage->known) {
		fields_text(
		    object, "storage", storage_class_name(storage->class));
		fields_count(object, "disk_allocated", storage->bytes);
	}
	if (snapshot_vm_active(vm) ? vm->pin_count > 0 : vm->anchor_count > 0)
		set_flag(object, "pinned");
	if (vm->label_count > 0)
		json_object_set_new(object, "labels",
		    labels_json(
			vm->label_keys, vm->label_values, vm->label_count));
	return object;
}

static json_t *
limits_json(const struct settings_limits *limits)
{
	json_t *object = json_object();

	fields_count(object, "total", limits->total);
	fields_count(object, "per_source", limits->per_source);
	fields_count(object, "per_target", limits->per_target);
	if (limits->bandwidth > 0)
		fields_count(object, "bandwidth", limits->bandwidth);
	return object;
}

json_t *
plan_write_snapshot(const struct snapshot *s, const struct settings *settings)
{
	json_t *hosts = json_array(), *vms = json_array();
	struct arena *arena = arena_new((s->host_count + 1) * 64 + 4096);
	int64_t *taken = arena_array(arena, s->host_count, sizeof(*taken));

	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];
		struct vm_storage storage;

		if (!s->hosts[vm->host].known || vm->memory <= 0 ||
		    snapshot_find_vm(s, vm->uuid) != vm)
			continue;
		storage = look_at_storage(s, settings, vm);
		if (storage.known && storage.bytes > 0 &&
		    (storage.class == STORAGE_LOCAL ||
			storage.class == STORAGE_MIXED))
			taken[vm->host] += storage.bytes;
		json_array_append_new(vms, vm_json(s, vm, &storage));
	}
	for (size_t i = 0; i < s->host_count; i++)
		if (s->hosts[i].known)
			json_array_append_new(
			    hosts, host_json(&s->hosts[i], taken[i]));
	arena_free(arena);
	return json_pack("{s:o, s:o, s:o}", "limits",
	    limits_json(&settings->limits), "hosts", hosts, "vms", vms);
}

/* ---- results ---- */

static const char *
way_name(enum plan_way way)
{
	switch (way) {
	case PLAN_LIVE_SHARED:
		return "live-shared";
	case PLAN_LIVE_COPY:
		return "live-copy";
	case PLAN_RESTART:
		break;
	}
	return "restart";
}

/* Who is meant by the name alone; NULL for a name that several carry. */
static struct map *
index_names(const struct plan_cluster *cluster)
{
	struct map *names = map_new(NULL);

	for (uint32_t i = 0; i < cluster->guest_count; i++) {
		const struct plan_guest *guest = &cluster->guests[i];
		size_t before = map_count(names);

		map_set(names, guest->name, (void *)(uintptr_t)guest);
		if (map_count(names) == before)
			map_set(names, guest->name, NULL);
	}
	return names;
}

static const char *
name_of(const struct map *names, const struct plan_guest *guest)
{
	return map_get(names, guest->name) != NULL ? guest->name : guest->uuid;
}

static json_t *
move_json(const struct plan_cluster *cluster, const struct map *names,
    const struct plan_move *move)
{
	json_t *object = json_object();

	fields_text(
	    object, "vm", name_of(names, &cluster->guests[move->guest]));
	fields_text(object, "from", cluster->hosts[move->from].name);
	fields_text(object, "to", cluster->hosts[move->to].name);
	fields_text(object, "strategy", way_name(move->way));
	fields_count(object, "wave", move->wave);
	fields_count(object, "predicted_ms", move->ms);
	fields_count(object, "predicted_downtime_ms", move->downtime_ms);
	fields_text(object, "reason", move->reason);
	return object;
}

json_t *
plan_write_result(const struct plan_cluster *cluster,
    const struct plan_result *result, double elapsed_ms)
{
	struct map *names = index_names(cluster);
	json_t *object = json_object();
	json_t *moves = json_array(), *blocked = json_array();

	for (uint32_t i = 0; i < result->move_count; i++)
		json_array_append_new(
		    moves, move_json(cluster, names, &result->moves[i]));
	for (uint32_t i = 0; i < result->blocked_count; i++) {
		const struct plan_blocked *b = &result->blocked[i];
		json_t *row = json_object();

		fields_text(
		    row, "vm", name_of(names, &cluster->guests[b->guest]));
		fields_text(row, "reason", b->reason);
		json_array_append_new(blocked, row);
	}
	json_object_set_new(object, "schema", json_string("drover/v1"));
	fields_real(object, "score_before", result->score_before);
	fields_real(object, "score_after", result->score_after);
	json_object_set_new(object, "moves", moves);
	json_object_set_new(object, "blocked", blocked);
	fields_real(object, "elapsed_ms", elapsed_ms);
	map_free(names);
	return object;
}
