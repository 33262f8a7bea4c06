/*
 * The two ends of a simulation as JSON.
 *
 * A snapshot is written for whoever has no hosts at hand: it holds what a plan
 * looks at and nothing that only a host can use (no disks, no XML).  So what
 * takes the hosts' facts to find out, above all whether storage is shared, is
 * found out (seen.h) and written as one word.
 */

#include "plan/write.h"

#include <stdio.h>
#include <string.h>

#include "base/fields.h"
#include "base/map.h"
#include "config/tree.h"
#include "plan/seen.h"

#define NAME_SIZE 256 /* as plan_read() takes */
#define LABELS_MAX 64
#define LABEL_KEY_MAX 63

/* ---- snapshots ---- */

/* A text as a file can hold it. */
static bool
is_writable(const char *text)
{
	char clean[NAME_SIZE];
	struct diag_list diags;
	bool fine;

	(void)err_copy_line(clean, sizeof(clean), text);
	if (strcmp(clean, text) != 0 || clean[0] == '\0')
		return false;
	diag_init(&diags);
	fine = tree_check_text("", clean, strlen(clean), &diags) == 0;
	diag_free(&diags);
	return fine;
}

/* Those that a file can hold: a guest's are its owner's. */
static json_t *
labels_json(const char *const *keys, const char *const *values, size_t count)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < count && i < LABELS_MAX; i++)
		if (is_writable(keys[i]) && strlen(keys[i]) <= LABEL_KEY_MAX &&
		    is_writable(values[i]))
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
	int64_t free_disk = plan_sees_free_disk(host);

	fields_text(object, "name", host->name);
	fields_count(object, "cpus", host->cpus);
	fields_count(object, "memory", host->memory_total);
	fields_count(object, "reserve_memory", host->reserve_memory);
	fields_real(object, "cpu_used", plan_sees_host_cpu(host));
	if (free_disk >= 0)
		fields_count(object, "disk", free_disk + taken);
	json_object_set_new(
	    object, "maintenance", json_boolean(host->maintenance));
	json_object_set_new(object, "cordoned",
	    json_boolean(host->cordoned || host->inbound_limit == 0));
	json_object_set_new(
	    object, "up", json_boolean(plan_sees_host_up(host)));
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

/* A host may have named a guest as no file can hold it; then it is called by its
 * UUID. */
static const char *
writable_name(const struct snap_vm *vm)
{
	return is_writable(vm->name) ? vm->name : vm->uuid;
}

static json_t *
vm_json(const struct snapshot *s, const struct snap_vm *vm,
    const struct plan_storage *storage)
{
	json_t *object = json_object();

	fields_text(object, "name", writable_name(vm));
	fields_text(object, "uuid", vm->uuid);
	fields_text(object, "host", s->hosts[vm->host].name);
	fields_text(object, "state", facts_state_name(vm->state));
	if (vm->vcpus > 0)
		fields_count(object, "vcpus", vm->vcpus);
	fields_count(object, "memory", vm->memory);
	fields_real(object, "cpu_used", plan_sees_guest_cpu(vm));
	fields_count(object, "dirty_rate", vm->dirty_rate);
	if (storage->known) {
		fields_text(
		    object, "storage", storage_class_name(storage->class));
		fields_count(object, "disk_allocated", storage->bytes);
	}
	if (plan_sees_pinned(vm))
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

/* Of the rules of placement a file knows one: that all guests with one value of
 * a label are kept apart.  NULL: there is none. */
static const char *
apart_label(const struct settings *settings)
{
	for (size_t i = 0; i < settings->placement_count; i++) {
		const struct placement *rule = &settings->placements[i];

		if (rule->kind == PLACEMENT_APART && rule->hard &&
		    rule->vms.expr == NULL)
			return rule->label;
	}
	return NULL;
}

json_t *
plan_write_snapshot(const struct snapshot *s, const struct settings *settings)
{
	json_t *object, *hosts = json_array(), *vms = json_array();
	struct arena *arena = arena_new((s->host_count + 1) * 64 + 4096);
	int64_t *taken = arena_array(arena, s->host_count, sizeof(*taken));

	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];
		struct plan_storage storage;

		if (!plan_sees_guest(s, vm))
			continue;
		plan_sees_storage(s, settings, vm, &storage);
		if (storage.bytes > 0 && plan_storage_is_copied(&storage))
			taken[vm->host] += storage.bytes;
		json_array_append_new(vms, vm_json(s, vm, &storage));
	}
	for (size_t i = 0; i < s->host_count; i++)
		if (s->hosts[i].known)
			json_array_append_new(
			    hosts, host_json(&s->hosts[i], taken[i]));
	arena_free(arena);
	object = json_pack("{s:o, s:o, s:o}", "limits",
	    limits_json(&settings->limits), "hosts", hosts, "vms", vms);
	fields_text(object, "apart", apart_label(settings));
	return object;
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
