/*
 * Hosts and guests as JSON: one shape for `droverctl -o json`, for the HTTP API
 * and for saved snapshots.  A key that is absent means "unknown", so a program
 * cannot take a missing figure for a zero.
 */
#include "model/view.h"

#include <math.h>
#include <string.h>

#include "base/fields.h"

static void
view_set_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new(object, key, json_boolean(value));
}

static json_t *
view_strings(const char *const *strings, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(strings[i]));
	return array;
}

static json_t *
view_labels(const char *const *keys, const char *const *values, size_t count)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < count; i++)
		fields_text(labels, keys[i], values[i]);
	return labels;
}

static const char *
view_host_state(const struct snap_host *host)
{
	if (!host->up)
		return "down";
	if (host->silent_ms >= SNAPSHOT_SILENT_MS)
		return "silent";
	return host->claimed_by != NULL ? "claimed" : "up";
}

json_t *
view_alert(const struct snap_alert *alert)
{
	json_t *object = json_object(), *labels = json_object();

	fields_text(object, "name", alert->name);
	fields_text(object, "severity", alert->severity);
	fields_time(object, "since", alert->since);
	for (size_t i = 0; i < alert->label_count; i++)
		fields_text(
		    labels, alert->label_keys[i], alert->label_values[i]);
	json_object_set_new(object, "labels", labels);
	return object;
}

static json_t *
view_pools(const struct snap_host *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < host->pool_count; i++) {
		const struct snap_pool *pool = &host->pools[i];
		json_t *object = json_object();

		fields_text(object, "name", pool->name);
		view_set_bool(object, "active", pool->active);
		fields_text(object, "type", pool->type);
		fields_text(object, "path", pool->path);
		fields_text(object, "source", pool->source);
		fields_count(object, "capacity", pool->capacity);
		fields_count(object, "available", pool->available);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *
view_networks(const struct snap_host *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < host->network_count; i++) {
		const struct snap_network *network = &host->networks[i];
		json_t *object = json_object();

		fields_text(object, "name", network->name);
		view_set_bool(object, "active", network->active);
		fields_text(object, "bridge", network->bridge);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *
view_alerts(const struct snap_host *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < host->alert_count; i++)
		json_array_append_new(array, view_alert(&host->alerts[i]));
	return array;
}

static void
view_host_details(
    json_t *object, const struct snapshot *s, const struct snap_host *host)
{
	size_t index = (size_t)(host - s->hosts);
	json_t *guests = json_array();

	if (host->pools_known)
		json_object_set_new(object, "pools", view_pools(host));
	if (host->networks_known)
		json_object_set_new(object, "networks", view_networks(host));
	if (host->interfaces_known)
		json_object_set_new(object, "interfaces",
		    view_strings(host->interfaces, host->interface_count));
	for (size_t i = 0; i < s->vm_count; i++) {
		if (s->vms[i].host == index)
			json_array_append_new(
			    guests, view_vm(s, &s->vms[i], false));
	}
	json_object_set_new(object, "guests", guests);
	json_object_set_new(object, "alerts", view_alerts(host));
}

static void
view_host_guests(
    json_t *object, const struct snapshot *s, const struct snap_host *host)
{
	size_t index = (size_t)(host - s->hosts);
	int64_t active = 0, inactive = 0;

	/* Never listed: nobody knows its guests. */
	if (!host->known)
		return;
	for (size_t i = 0; i < s->vm_count; i++) {
		if (s->vms[i].host != index)
			continue;
		if (snapshot_vm_active(&s->vms[i]))
			active++;
		else
			inactive++;
	}
	fields_count(object, "vms", active);
	fields_count(object, "vms_inactive", inactive);
}

static void
view_host_moves(
    json_t *object, const struct snapshot *s, const struct snap_host *host)
{
	int64_t in = 0, out = 0, reserved = 0;

	for (size_t i = 0; i < s->move_count; i++) {
		const struct snap_move *move = &s->moves[i];

		if (strcmp(move->to, host->name) == 0) {
			in++;
			reserved += move->memory;
		}
		if (strcmp(move->from, host->name) == 0)
			out++;
	}
	fields_count(object, "memory_reserved_by_moves", reserved);
	fields_count(object, "moves_in", in);
	fields_count(object, "moves_out", out);
}

json_t *
view_host(const struct snapshot *s, const struct snap_host *host, bool detail)
{
	json_t *object = json_object();
	char since[CLOCK_RFC3339_SIZE];

	fields_text(object, "name", host->name);
	fields_text(object, "uri", host->uri);
	fields_text(object, "state", view_host_state(host));
	fields_text(object, "down_reason", host->down_why);
	fields_text(object, "claimed_by", host->claimed_by);
	view_set_bool(object, "maintenance", host->maintenance);
	view_set_bool(object, "cordoned", host->cordoned);
	fields_text(object, "reason", host->flag_why);
	if (host->cordoned && host->flag_since.ms > 0) {
		wall_format(host->flag_since, since);
		fields_text(object, "since", since);
	}
	fields_count(object, "cpus", host->cpus);
	fields_real(object, "cpu_used", host->cpu_used);
	fields_real(object, "cpu_smooth", host->cpu_smooth);
	fields_real(object, "memory_smooth", host->memory_smooth);
	fields_real(object, "steal", host->steal);
	fields_real(object, "swap_in", host->swap_in);
	fields_real(object, "psi_cpu", host->psi_cpu);
	fields_real(object, "psi_memory", host->psi_memory);
	fields_real(object, "psi_io", host->psi_io);
	fields_count(object, "memory", host->memory_total);
	fields_count(object, "memory_free", host->memory_free);
	fields_count(object, "reserve_memory", host->reserve_memory);
	view_host_moves(object, s, host);
	view_host_guests(object, s, host);
	json_object_set_new(object, "labels",
	    view_labels(
		host->label_keys, host->label_values, host->label_count));
	if (detail)
		view_host_details(object, s, host);
	return object;
}

static const char *
view_disk_kind(enum snap_disk_kind kind)
{
	switch (kind) {
	case SNAP_DISK_FILE:
		return "file";
	case SNAP_DISK_BLOCK:
		return "block";
	case SNAP_DISK_VOLUME:
		return "volume";
	case SNAP_DISK_NETWORK:
		return "network";
	case SNAP_DISK_EMPTY:
		return "empty";
	case SNAP_DISK_OTHER:
		return "other";
	}
	return "other";
}

static const char *
view_nic_kind(enum snap_nic_kind kind)
{
	switch (kind) {
	case SNAP_NIC_NETWORK:
		return "network";
	case SNAP_NIC_BRIDGE:
		return "bridge";
	case SNAP_NIC_DIRECT:
		return "direct";
	case SNAP_NIC_USER:
		return "user";
	case SNAP_NIC_OTHER:
		return "other";
	}
	return "other";
}

static void
view_vm_details(json_t *object, const struct snap_vm *vm)
{
	json_t *disks = json_array();
	json_t *nics = json_array();

	fields_text(object, "machine", vm->abi.machine);
	fields_text(object, "arch", vm->abi.arch);
	fields_text(object, "emulator", vm->abi.emulator);
	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct snap_disk *disk = &vm->disks[i];
		json_t *item = json_object();

		fields_text(item, "target", disk->target);
		fields_text(item, "kind", view_disk_kind(disk->kind));
		fields_text(item, "source", disk->source);
		fields_text(item, "pool", disk->pool);
		fields_text(item, "format", disk->format);
		fields_text(item, "cache", disk->cache);
		view_set_bool(item, "readonly", disk->readonly);
		view_set_bool(item, "shareable", disk->shareable);
		view_set_bool(item, "removable", disk->removable);
		view_set_bool(item, "optional", disk->optional);
		view_set_bool(item, "backing", disk->backing);
		fields_count(item, "capacity", disk->capacity);
		fields_count(item, "allocation", disk->allocation);
		fields_text(item, "found_pool", disk->pool_found);
		fields_text(item, "found_volume", disk->volume_found);
		json_array_append_new(disks, item);
	}
	json_object_set_new(object, "disks", disks);
	for (size_t i = 0; i < vm->nic_count; i++) {
		json_t *item = json_object();

		fields_text(item, "kind", view_nic_kind(vm->nics[i].kind));
		fields_text(item, "source", vm->nics[i].source);
		json_array_append_new(nics, item);
	}
	json_object_set_new(object, "nics", nics);
	json_object_set_new(
	    object, "pins", view_strings(vm->pins, vm->pin_count));
	json_object_set_new(
	    object, "anchors", view_strings(vm->anchors, vm->anchor_count));
	view_set_bool(object, "agent", vm->agent);
	view_set_bool(object, "managed_save", vm->managed_save);
	fields_count(object, "snapshots", vm->snapshots);
}

json_t *
view_vm(const struct snapshot *s, const struct snap_vm *vm, bool detail)
{
	json_t *object = json_object();

	fields_text(object, "name", vm->name);
	fields_text(object, "uuid", vm->uuid);
	fields_text(object, "host", s->hosts[vm->host].name);
	fields_text(object, "state", facts_state_name(vm->state));
	if (vm->reason != DOMAIN_REASON_OTHER)
		fields_text(object, "reason", facts_reason_name(vm->reason));
	view_set_bool(object, "persistent", vm->persistent);
	view_set_bool(object, "autostart", vm->autostart);
	fields_count(object, "vcpus", vm->vcpus);
	fields_count(object, "memory", vm->memory);
	fields_real(object, "cpu_used", vm->cpu_used);
	fields_real(object, "cpu_smooth", vm->cpu_smooth);
	fields_real(object, "disk_iops", vm->disk_iops);
	fields_real(object, "net_rate", vm->net_rate);
	fields_count(object, "dirty_rate", vm->dirty_rate);
	if (vm->dirty_rate != SNAPSHOT_UNKNOWN)
		fields_count(object, "dirty_rate_age_ms",
		    mono_diff(s->taken, vm->dirty_at));
	fields_count(object, "dirty_rate_long", vm->dirty_rate_long);
	if (vm->dirty_rate_long != SNAPSHOT_UNKNOWN)
		fields_count(object, "dirty_rate_long_age_ms",
		    mono_diff(s->taken, vm->dirty_long_at));
	view_set_bool(object, "moving", snapshot_is_moving(s, vm->uuid));
	fields_time(object, "last_moved", vm->last_moved);
	json_object_set_new(object, "labels",
	    view_labels(vm->label_keys, vm->label_values, vm->label_count));
	if (detail)
		view_vm_details(object, vm);
	return object;
}
