/*
 * The site that a test begins with, as good as a person means it who writes down
 * two hosts and three guests: what is not spoken about does not stand in the way.
 * Hosts are alike and have what any guest could ask for; storage is shared where
 * nothing else is said, by a pool that all hosts have.
 */

#include "trial/world.h"

#include <math.h>
#include <string.h>

#define ROOM_UNLIMITED ((int64_t)1 << 50)
#define IMAGES "/var/lib/libvirt/images"

static void
world_copy_labels(struct arena *arena, const struct settings_label *labels,
    size_t count, const char ***out_keys, const char ***out_values)
{
	*out_keys = arena_array(arena, count, sizeof(**out_keys));
	*out_values = arena_array(arena, count, sizeof(**out_values));
	for (size_t i = 0; i < count; i++) {
		(*out_keys)[i] = labels[i].key;
		(*out_values)[i] = labels[i].value;
	}
}

static void
world_add_parts(
    struct arena *arena, const struct read_host *from, struct snap_host *host)
{
	int64_t room = from->disk >= 0 ? from->disk : ROOM_UNLIMITED;

	host->pools = arena_array(arena, 2, sizeof(host->pools[0]));
	host->pools[host->pool_count++] =
	    (struct snap_pool){"local", true, "dir", IMAGES, NULL, room, room};
	host->pools[host->pool_count++] =
	    (struct snap_pool){"shared", true, "netfs", "/srv/shared",
		"nfs://storage/shared", ROOM_UNLIMITED, ROOM_UNLIMITED};
	host->networks = arena_array(arena, 1, sizeof(host->networks[0]));
	host->networks[host->network_count++] =
	    (struct snap_network){"default", true, "virbr0"};
	host->verdicts = arena_array(arena, 1, sizeof(host->verdicts[0]));
	host->verdicts[host->verdict_count++] =
	    (struct snap_abi_verdict){"any", SNAP_VERDICT_OK, NULL};
	world_copy_labels(arena, from->labels, from->label_count,
	    &host->label_keys, &host->label_values);
	host->label_count = from->label_count;
}

static void
world_make_host(struct world *world, size_t index)
{
	struct arena *arena = world->arena;
	const struct read_host *from = &world->trial->hosts[index];
	struct snap_host *host = &world->s.hosts[index];

	*host = (struct snap_host){
	    .name = from->name,
	    .uri = arena_printf(arena, "qemu+tls://%s/system", from->name),
	    .known = true,
	    .host_uuid = from->name,
	    .cpus = (int)ceil(from->cpus),
	    .memory_total = from->memory,
	    .reserve_memory = from->reserve_memory,
	    .outbound_limit = from->outbound > 0 ? from->outbound : -1,
	    .inbound_limit = from->inbound > 0 ? from->inbound : -1,
	    .hypervisor_version = 7002000,
	    .hugepages_free = SNAPSHOT_UNKNOWN,
	    .pools_known = true,
	    .networks_known = true,
	    .interfaces_known = true,
	};
	world_add_parts(arena, from, host);
}

static void
world_add_disk(
    struct snap_vm *vm, struct arena *arena, bool shared, int64_t allocated)
{
	size_t number = vm->disk_count++;
	struct snap_disk *disk = &vm->disks[number];
	const char *volume =
	    arena_printf(arena, "%s-%zu.qcow2", vm->name, number);
	const char *path = arena_printf(
	    arena, "%s/%s", shared ? "/srv/shared" : IMAGES, volume);

	*disk = (struct snap_disk){
	    .target = number == 0 ? "vda" : "vdb",
	    .kind = SNAP_DISK_FILE,
	    .source = path,
	    .format = "qcow2",
	    .capacity = allocated,
	    .allocation = allocated,
	    .top_allocation = allocated,
	    .path_found = path,
	    .pool_found = shared ? "shared" : "local",
	    .volume_found = volume,
	};
}

static void
world_add_disks(
    struct arena *arena, const struct read_vm *from, struct snap_vm *vm)
{
	vm->disks = arena_array(arena, 2, sizeof(vm->disks[0]));
	switch ((enum read_storage)from->storage) {
	case READ_STORAGE_DISKLESS:
		break;
	case READ_STORAGE_UNKNOWN:
	case READ_STORAGE_SHARED:
		world_add_disk(vm, arena, true, from->disk_allocated);
		break;
	case READ_STORAGE_MIXED:
		world_add_disk(vm, arena, true, 0);
		world_add_disk(vm, arena, false, from->disk_allocated);
		break;
	case READ_STORAGE_LOCAL:
		world_add_disk(vm, arena, false, from->disk_allocated);
		break;
	}
}

static void
world_make_vm(struct world *world, size_t index)
{
	struct arena *arena = world->arena;
	const struct read_vm *from = &world->trial->vms[index];
	struct snap_vm *vm = &world->s.vms[index];

	*vm = (struct snap_vm){
	    .name = from->name,
	    .uuid = from->uuid,
	    .state = (enum domain_state)from->state,
	    .job = DOMAIN_JOB_NONE,
	    .persistent = true,
	    .vcpus = from->vcpus > 0 ? from->vcpus : 1,
	    .memory = from->memory,
	    .seen_since = {world->trial->start.ms - WORLD_AGE_MS},
	    .abi = {.key = "any",
		.arch = "x86_64",
		.machine = "q35",
		.virt_type = "kvm"},
	    .surveyed = true,
	    .dirty_rate_long = SNAPSHOT_UNKNOWN,
	    .memory_rss = SNAPSHOT_UNKNOWN,
	    .hugepage_size = SNAPSHOT_UNKNOWN,
	};
	vm->host = (size_t)(snapshot_find_host(&world->s, from->host) -
	    world->s.hosts);
	world->homes[index] = vm->host;
	if (from->pinned) {
		vm->pins = arena_array(arena, 1, sizeof(vm->pins[0]));
		vm->pins[vm->pin_count++] = arena_printf(
		    arena, "%s (pinned: true)", world->trial->told_by);
		vm->anchors = vm->pins;
		vm->anchor_count = 1;
	}
	vm->nics = arena_array(arena, 1, sizeof(vm->nics[0]));
	vm->nics[vm->nic_count++] =
	    (struct snap_nic){SNAP_NIC_NETWORK, "default"};
	world_add_disks(arena, from, vm);
	world_copy_labels(arena, from->labels, from->label_count,
	    &vm->label_keys, &vm->label_values);
	vm->label_count = from->label_count;
}

static void
world_index_series(struct world *world)
{
	const struct trial *trial = world->trial;

	for (size_t i = 0; i < world->c->series_count; i++) {
		const struct trial_series *from = &world->c->series[i];
		struct world_series *of = NULL;

		for (size_t h = 0; from->host != NULL && of == NULL; h++)
			if (strcmp(trial->hosts[h].name, from->host) == 0)
				of = &world->host_series[h];
		for (size_t v = 0; from->vm != NULL && of == NULL; v++)
			if (strcmp(trial->vms[v].name, from->vm) == 0)
				of = &world->vm_series[v];
		for (size_t f = 0; f < TRIAL_FIGURES; f++)
			if (from->figures[f].count > 0)
				of->figures[f] = &from->figures[f];
	}
}

static void
world_index_alerts(struct world *world)
{
	size_t count = world->c->alert_count;

	world->alerts =
	    arena_array(world->arena, count, sizeof(world->alerts[0]));
	world->on = arena_array(
	    world->arena, world->s.host_count, sizeof(world->on[0]));
	for (size_t i = 0; i < count; i++) {
		const struct trial_alert *from = &world->c->alerts[i];
		struct snap_alert *alert = &world->alerts[i];

		*alert = (struct snap_alert){.name = from->name,
		    .severity = from->severity,
		    .since = {world->trial->start.ms + from->at_ms},
		    .label_count = from->label_count};
		world_copy_labels(world->arena, from->labels, from->label_count,
		    &alert->label_keys, &alert->label_values);
	}
	for (size_t h = 0; count > 0 && h < world->s.host_count; h++)
		world->on[h] =
		    arena_array(world->arena, count, sizeof(world->on[h][0]));
}

void
world_init(struct world *world, struct arena *arena, const struct trial *trial,
    const struct trial_case *c)
{
	struct snapshot *s = &world->s;

	*world = (struct world){.arena = arena, .trial = trial, .c = c};
	world->history = history_new();
	world->watch = watch_new();
	s->arena = arena;
	s->host_count = trial->host_count;
	s->vm_count = trial->vm_count;
	s->hosts = arena_array(arena, s->host_count, sizeof(s->hosts[0]));
	s->vms = arena_array(arena, s->vm_count, sizeof(s->vms[0]));
	s->active = arena_array(arena, s->host_count, sizeof(s->active[0]));
	s->moves = arena_array(arena, s->vm_count, sizeof(s->moves[0]));
	world->homes = arena_array(arena, s->vm_count, sizeof(world->homes[0]));
	world->host_series =
	    arena_array(arena, s->host_count, sizeof(world->host_series[0]));
	world->vm_series =
	    arena_array(arena, s->vm_count, sizeof(world->vm_series[0]));
	world_index_series(world);
	world_index_alerts(world);
	world->down_why = arena_printf(arena, "%s has it down", trial->told_by);
	world->sums = arena_array(arena, s->host_count, sizeof(world->sums[0]));
	/* Each host may be cordoned, and then be put into maintenance. */
	world->flags =
	    arena_array(arena, 2 * s->host_count, sizeof(world->flags[0]));
	world->flagged_cordoned = arena_array(arena, s->host_count, 1);
	world->flagged_maintenance = arena_array(arena, s->host_count, 1);
	world->failed =
	    arena_array(arena, c->fail_count, sizeof(world->failed[0]));
	for (size_t i = 0; i < s->host_count; i++)
		world_make_host(world, i);
	for (size_t i = 0; i < s->vm_count; i++)
		world_make_vm(world, i);
	world_set_time(world, 0);
}

void
world_clear(struct world *world)
{
	history_free(world->history);
	watch_free(world->watch);
}
