/*
 * What the names of expressions stand for.  There is one place for it, so that
 * `memory` is the same thing in a condition, in a selection, and where a target
 * is chosen.
 *
 * A host that does not answer, or was never listed, has no figures: the last
 * ones would look like the present.  What the settings and the operator say of
 * it (name, labels, flags, alerts) is known nevertheless.
 *
 * Moves that were handed out change what is seen, else the same reason would be
 * found again until they are over and too many guests would go.  Memory that a
 * guest leaves behind counts for its old host alone: another guest cannot come
 * to it before it is free.
 */
#include "decide/look.h"

#include <math.h>
#include <string.h>

#include "model/facts.h"

/* A host as one of the two roles sees it. */
struct look_at {
	const struct look *look;
	const struct snap_host *host;
	bool target;
	struct place_shift shift; /* that is to come */
};

/* NAN is unknown. */
static struct expr_value
look_number(enum expr_type type, double number)
{
	if (isnan(number))
		return expr_value_unknown();
	return expr_value_number(type, number);
}

static struct expr_value
look_count(enum expr_type type, int64_t number)
{
	if (number < 0)
		return expr_value_unknown();
	return expr_value_number(type, (double)number);
}

/* Rounding, and what was measured at two times, must not give less than none. */
static double
look_floor(double number)
{
	return number < 0 ? 0 : number;
}

static struct expr_value
look_label(const char *const *keys, const char *const *values, size_t count,
    const char *label)
{
	for (size_t i = 0; label != NULL && i < count; i++) {
		if (strcmp(keys[i], label) == 0)
			return expr_value_string(values[i]);
	}
	return expr_value_unknown();
}

/* ---- hosts ---- */

static bool
look_has_figures(const struct snap_host *host)
{
	return host->up && host->known;
}

/* By name, as a host may be a copy that is looked at as if. */
static size_t
look_index(const struct snapshot *s, const struct snap_host *host)
{
	const struct snap_host *found = snapshot_find_host(s, host->name);

	return found != NULL ? (size_t)(found - s->hosts) : s->host_count;
}

static struct look_at
look_at_role(const struct look *look, bool target)
{
	struct look_at at = {.look = look,
	    .host = target ? look->target : look->host,
	    .target = target};

	if (at.host != NULL && look->ledger != NULL) {
		size_t index = look_index(look->s, at.host);

		if (index < look->s->host_count)
			at.shift = look->ledger->shift[index];
		if (target)
			at.shift.memory_out = 0;
	}
	return at;
}

/* The same once the guest has arrived there; nothing changes by one that is
 * there, and one that is off brings no load. */
static void
look_add_guest(struct look_at *at)
{
	const struct snap_vm *vm = at->look->vm;

	if (vm == NULL) {
		at->shift = (struct place_shift){NAN, NAN, 0, 0};
		return;
	}
	if (look_index(at->look->s, at->host) == vm->host ||
	    !snapshot_vm_active(vm))
		return;
	at->shift.cpu += vm->cpu_smooth;
	at->shift.memory_in +=
	    vm->memory > 0 ? (double)place_memory_need(vm->memory) : NAN;
	at->shift.vms++;
}

static struct expr_value
look_cpu(const struct look_at *at)
{
	const struct snap_host *host = at->host;

	if (host->cpus <= 0)
		return expr_value_unknown();
	return look_number(EXPR_PERCENT,
	    look_floor((host->cpu_smooth + at->shift.cpu) / host->cpus));
}

static struct expr_value
look_memory(const struct look_at *at)
{
	const struct snap_host *host = at->host;
	double more = at->shift.memory_in - at->shift.memory_out;

	if (host->memory_total <= 0)
		return expr_value_unknown();
	return look_number(EXPR_PERCENT,
	    look_floor(
		host->memory_smooth + more / (double)host->memory_total));
}

static struct expr_value
look_memory_free(const struct look_at *at)
{
	const struct snap_host *host = at->host;
	double more = at->shift.memory_in - at->shift.memory_out;

	double left = (double)(host->memory_free - host->memory_arrived) - more;

	if (host->memory_free < 0 || host->memory_total <= 0)
		return expr_value_unknown();
	if (left > (double)host->memory_total)
		left = (double)host->memory_total;
	return look_number(EXPR_BYTES, look_floor(left));
}

static struct expr_value
look_vms(const struct look_at *at)
{
	const struct snapshot *s = at->look->s;
	size_t index = look_index(s, at->host);

	if (index == s->host_count)
		return expr_value_unknown();
	return look_count(EXPR_NUMBER,
	    (int64_t)snapshot_count_active(s, index) + at->shift.vms);
}

static struct expr_value
look_list(const struct look *look, const char **strings, size_t count)
{
	struct expr_list *list = arena_alloc(look->arena, sizeof(*list));

	*list = (struct expr_list){
	    .type = EXPR_STRING, .count = count, .strings = strings};
	return expr_value_list(list);
}

static struct expr_value
look_pools(const struct look_at *at)
{
	const struct snap_host *host = at->host;
	const char **names;
	size_t count = 0;

	if (!host->pools_known)
		return expr_value_unknown();
	names =
	    arena_array(at->look->arena, host->pool_count, sizeof(names[0]));
	for (size_t i = 0; i < host->pool_count; i++) {
		if (host->pools[i].active)
			names[count++] = host->pools[i].name;
	}
	return look_list(at->look, names, count);
}

static struct expr_value
look_alerts(const struct look_at *at)
{
	const struct snap_host *host = at->host;
	const char **names =
	    arena_array(at->look->arena, host->alert_count, sizeof(names[0]));

	for (size_t i = 0; i < host->alert_count; i++)
		names[i] = host->alerts[i].name;
	return look_list(at->look, names, host->alert_count);
}

static struct expr_value
look_figure(struct look_at *at, unsigned index)
{
	const struct snap_host *host = at->host;

	switch (index) {
	case EXPR_HOST_CPU:
		return look_cpu(at);
	case EXPR_HOST_STEAL:
		return look_number(EXPR_PERCENT, host->steal);
	case EXPR_HOST_MEMORY:
		return look_memory(at);
	case EXPR_HOST_MEMORY_FREE:
		return look_memory_free(at);
	case EXPR_HOST_SWAP_IN:
		return look_number(EXPR_RATE, host->swap_in);
	case EXPR_HOST_PSI_CPU:
		return look_number(EXPR_PERCENT, host->psi_cpu);
	case EXPR_HOST_PSI_MEMORY:
		return look_number(EXPR_PERCENT, host->psi_memory);
	case EXPR_HOST_PSI_IO:
		return look_number(EXPR_PERCENT, host->psi_io);
	case EXPR_HOST_VMS:
		return look_vms(at);
	case EXPR_HOST_POOLS:
		return look_pools(at);
	case EXPR_TARGET_CPU_AFTER:
		look_add_guest(at);
		return look_cpu(at);
	case EXPR_TARGET_MEMORY_AFTER:
		look_add_guest(at);
		return look_memory(at);
	case EXPR_TARGET_MEMORY_FREE_AFTER:
		look_add_guest(at);
		return look_memory_free(at);
	case EXPR_TARGET_VMS_AFTER:
		if (at->look->vm == NULL)
			return expr_value_unknown();
		look_add_guest(at);
		return look_vms(at);
	default:
		return expr_value_unknown();
	}
}

static struct expr_value
look_at_host(struct look_at at, unsigned index, const char *label)
{
	const struct snap_host *host = at.host;

	if (host == NULL)
		return expr_value_unknown();
	switch (index) {
	case EXPR_HOST_NAME:
		return expr_value_string(host->name);
	case EXPR_HOST_UP:
		/* One that was never reached may be up or not. */
		return host->up || host->known ? expr_value_bool(host->up)
					       : expr_value_unknown();
	case EXPR_HOST_MAINTENANCE:
		return expr_value_bool(host->maintenance);
	case EXPR_HOST_CORDONED:
		return expr_value_bool(host->cordoned);
	case EXPR_HOST_ALERTS:
		return look_alerts(&at);
	case EXPR_HOST_LABELS:
		return look_label(host->label_keys, host->label_values,
		    host->label_count, label);
	default:
		return look_has_figures(host) ? look_figure(&at, index)
					      : expr_value_unknown();
	}
}

/* ---- guests ---- */

static struct expr_value
look_since(const struct look *look, struct wall since)
{
	if (since.ms == 0)
		return expr_value_unknown();
	return expr_value_number(
	    EXPR_DURATION, look_floor((double)(look->now.ms - since.ms)));
}

/* What its own disks take; a medium in a drive is not its own. */
static struct expr_value
look_allocated(const struct snap_vm *vm)
{
	int64_t total = 0;

	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct snap_disk *disk = &vm->disks[i];

		if (disk->backing || disk->removable ||
		    disk->kind == SNAP_DISK_EMPTY)
			continue;
		if (disk->allocation < 0)
			return expr_value_unknown();
		total += disk->allocation;
	}
	return look_count(EXPR_BYTES, total);
}

static struct expr_value
look_at_vm(const struct look *look, enum expr_vm_name name, const char *label)
{
	const struct snap_vm *vm = look->vm;

	if (vm == NULL)
		return expr_value_unknown();
	switch (name) {
	case EXPR_VM_NAME:
		return expr_value_string(vm->name);
	case EXPR_VM_STATE:
		return expr_value_string(facts_state_name(vm->state));
	case EXPR_VM_CPU:
		return vm->vcpus > 0
		    ? look_number(EXPR_PERCENT, vm->cpu_smooth / vm->vcpus)
		    : expr_value_unknown();
	case EXPR_VM_MEMORY:
		return look_count(EXPR_BYTES, vm->memory);
	case EXPR_VM_VCPUS:
		return vm->vcpus > 0 ? look_count(EXPR_NUMBER, vm->vcpus)
				     : expr_value_unknown();
	case EXPR_VM_DIRTY_RATE:
		return look_count(EXPR_RATE, vm->dirty_rate);
	case EXPR_VM_STORAGE:
		return expr_value_string(look->storage);
	case EXPR_VM_DISK_ALLOCATED:
		return look_allocated(vm);
	case EXPR_VM_DISK_IOPS:
		return look_number(EXPR_NUMBER, vm->disk_iops);
	case EXPR_VM_NET:
		return look_number(EXPR_RATE, vm->net_rate);
	case EXPR_VM_HOSTDEV_COUNT:
		return look_count(EXPR_NUMBER, vm->hostdevs);
	case EXPR_VM_AGE:
		return look_since(look, vm->seen_since);
	case EXPR_VM_LAST_MOVED:
		return look_since(look,
		    vm->last_moved.ms != 0 ? vm->last_moved : vm->seen_since);
	case EXPR_VM_LABELS:
		return look_label(
		    vm->label_keys, vm->label_values, vm->label_count, label);
	case EXPR_VM_COUNT:
		break;
	}
	return expr_value_unknown();
}

/* ---- the rest ---- */

static struct expr_value
look_at_all(const struct look_cluster *cluster, enum expr_cluster_name name)
{
	if (cluster == NULL)
		return expr_value_unknown();
	switch (name) {
	case EXPR_CLUSTER_CPU_STDDEV:
		return look_number(EXPR_PERCENT, cluster->cpu_stddev);
	case EXPR_CLUSTER_IMBALANCE:
		return look_number(EXPR_NUMBER, cluster->imbalance);
	case EXPR_CLUSTER_HOSTS_UP:
		return look_count(EXPR_NUMBER, cluster->hosts_up);
	case EXPR_CLUSTER_COUNT:
		break;
	}
	return expr_value_unknown();
}

static struct expr_value
look_at_event(const struct snap_alert *event, enum expr_event_name name,
    const char *label)
{
	if (event == NULL)
		return expr_value_unknown();
	switch (name) {
	case EXPR_EVENT_TYPE:
		return expr_value_string(event->name);
	case EXPR_EVENT_SEVERITY:
		return expr_value_string(event->severity);
	case EXPR_EVENT_LABELS:
		return look_label(event->label_keys, event->label_values,
		    event->label_count, label);
	case EXPR_EVENT_COUNT:
		break;
	}
	return expr_value_unknown();
}

struct expr_value
look_up(enum expr_scope scope, unsigned index, const char *label, void *arg)
{
	const struct look *look = arg;

	switch (scope) {
	case EXPR_SCOPE_HOST:
		return look_at_host(look_at_role(look, false), index, label);
	case EXPR_SCOPE_VM:
		return look_at_vm(look, (enum expr_vm_name)index, label);
	case EXPR_SCOPE_TARGET:
		return look_at_host(look_at_role(look, true), index, label);
	case EXPR_SCOPE_CLUSTER:
		return look_at_all(
		    look->cluster, (enum expr_cluster_name)index);
	case EXPR_SCOPE_EVENT:
		return look_at_event(
		    look->event, (enum expr_event_name)index, label);
	}
	return expr_value_unknown();
}
