/*
 * The site of a test, as good as a person means it who writes down two hosts and
 * three guests: what is not spoken about does not stand in the way.
 *
 * Figures are those of the series at the time.  A host's are told as they would
 * be if every guest had stayed where it was at the beginning; what has moved since
 * takes its load along, so that one writes down what the site does, and not what
 * the policy is supposed to make of it.  A host of which nothing is told has the
 * load of its guests.
 *
 * Moves take as long as the test says.  Until one has ended, its guest is at its
 * source, as it is in the daemon's snapshots.
 */

#include "trial/world.h"

#include <math.h>
#include <string.h>

#define ROOM_UNLIMITED ((int64_t)1 << 50)
#define IMAGES "/var/lib/libvirt/images"

/* ---- what stays as it is ---- */

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
	static const char *const pin[] = {"the test (pinned: true)"};
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
	while (strcmp(world->trial->hosts[vm->host].name, from->host) != 0)
		vm->host++;
	world->homes[index] = vm->host;
	if (from->pinned) {
		vm->pins = arena_array(arena, 1, sizeof(vm->pins[0]));
		vm->pins[vm->pin_count++] = pin[0];
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
	s->arena = arena;
	s->host_count = trial->host_count;
	s->vm_count = trial->vm_count;
	s->hosts = arena_array(arena, s->host_count, sizeof(s->hosts[0]));
	s->vms = arena_array(arena, s->vm_count, sizeof(s->vms[0]));
	s->moves = arena_array(arena, s->vm_count, sizeof(s->moves[0]));
	world->homes = arena_array(arena, s->vm_count, sizeof(world->homes[0]));
	world->host_series =
	    arena_array(arena, s->host_count, sizeof(world->host_series[0]));
	world->vm_series =
	    arena_array(arena, s->vm_count, sizeof(world->vm_series[0]));
	world_index_series(world);
	world_index_alerts(world);
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
}

/* ---- figures ---- */

static double
world_figure(const struct world *world, const struct world_series *of,
    enum trial_figure figure)
{
	const struct series *series = of->figures[figure];

	return series != NULL
	    ? series_at(series, world->trial->interval_ms, world->now_ms)
	    : NAN;
}

static int64_t
world_whole(double value)
{
	return isnan(value) ? SNAPSHOT_UNKNOWN : (int64_t)value;
}

static void
world_set_vm(struct world *world, size_t index)
{
	const struct read_vm *from = &world->trial->vms[index];
	struct snap_vm *vm = &world->s.vms[index];
	const struct world_series *of = &world->vm_series[index];
	const struct series *cpu = of->figures[TRIAL_CPU];
	double used = from->cpu_used;

	if (cpu != NULL) {
		used = world_figure(world, of, TRIAL_CPU);
		if (cpu->unit == SERIES_PERCENT)
			used *= vm->vcpus;
	}
	if (!snapshot_vm_active(vm))
		used = 0;
	vm->cpu_used = vm->cpu_smooth = used;
	vm->disk_iops = world_figure(world, of, TRIAL_DISK_IOPS);
	vm->net_rate = world_figure(world, of, TRIAL_NET);
	vm->dirty_rate = of->figures[TRIAL_DIRTY_RATE] != NULL
	    ? world_whole(world_figure(world, of, TRIAL_DIRTY_RATE))
	    : from->dirty_rate;
}

static int64_t
world_memory_of(const struct snap_vm *vm)
{
	return snapshot_vm_active(vm) ? place_memory_need(vm->memory) : 0;
}

/* Cores' worth, of a host of which that is told (`told`, of the guests that it
 * began with) or not (NAN, and then of those that it has). */
static double
world_host_cpu(
    const struct world *world, size_t host, bool is_told, double told)
{
	double used = is_told ? told : 0;

	for (size_t i = 0; i < world->s.vm_count; i++) {
		const struct snap_vm *vm = &world->s.vms[i];
		bool here = vm->host == host;
		bool was = is_told && world->homes[i] == host;

		/* Told figures forgive a guest of unknown load. */
		if (here == was || (is_told && isnan(vm->cpu_smooth)))
			continue;
		used += here ? vm->cpu_smooth : -vm->cpu_smooth;
	}
	/* fmax() would make 0 of what is unknown. */
	return isnan(used) ? NAN
			   : fmin(fmax(used, 0), world->s.hosts[host].cpus);
}

static void
world_set_cpu(struct world *world, size_t index)
{
	const struct read_host *from = &world->trial->hosts[index];
	struct snap_host *host = &world->s.hosts[index];
	const struct world_series *of = &world->host_series[index];
	const struct series *series = of->figures[TRIAL_CPU];
	double told = from->cpu_used;

	if (series != NULL) {
		told = world_figure(world, of, TRIAL_CPU);
		if (series->unit == SERIES_PERCENT)
			told *= host->cpus;
	}
	host->cpu_used = host->cpu_smooth = series != NULL && isnan(told)
	    ? NAN
	    : world_host_cpu(world, index, !isnan(told), told);
}

static void
world_set_memory(struct world *world, size_t index)
{
	struct snap_host *host = &world->s.hosts[index];
	const struct world_series *of = &world->host_series[index];
	const struct series *series = of->figures[TRIAL_MEMORY];
	double told = world_figure(world, of, TRIAL_MEMORY);
	int64_t used = 0;

	host->memory_smooth = NAN;
	host->memory_free = SNAPSHOT_UNKNOWN;
	if (series != NULL && isnan(told))
		return;
	if (series != NULL)
		used = (int64_t)(series->unit == SERIES_PERCENT
			? told * (double)host->memory_total
			: told);
	for (size_t i = 0; i < world->s.vm_count; i++) {
		const struct snap_vm *vm = &world->s.vms[i];

		if (vm->host == index)
			used += world_memory_of(vm);
		if (series != NULL && world->homes[i] == index)
			used -= world_memory_of(vm);
	}
	if (used < 0)
		used = 0;
	if (used > host->memory_total)
		used = host->memory_total;
	host->memory_free = host->memory_total - used;
	host->memory_smooth = (double)used / (double)host->memory_total;
}

static void
world_set_room(struct world *world, size_t index)
{
	struct snap_pool *pool = &world->s.hosts[index].pools[0];

	pool->available = pool->capacity;
	for (size_t i = 0; i < world->s.vm_count; i++) {
		const struct snap_vm *vm = &world->s.vms[i];

		for (size_t d = 0; d < vm->disk_count; d++)
			if (vm->host == index && vm->disks[d].allocation > 0 &&
			    strcmp(vm->disks[d].pool_found, "local") == 0)
				pool->available -= vm->disks[d].allocation;
	}
	if (pool->available < 0)
		pool->available = 0;
}

/* ---- flags and alerts ---- */

/* As the series says, else as it is in the list of hosts. */
static bool
world_flag(const struct world *world, size_t host, enum trial_figure figure,
    bool otherwise)
{
	double value = world_figure(world, &world->host_series[host], figure);

	return isnan(value) ? otherwise : value > 0;
}

static void
world_set_flags(struct world *world, size_t index)
{
	const struct read_host *from = &world->trial->hosts[index];
	struct snap_host *host = &world->s.hosts[index];
	bool before = host->cordoned, policy;

	policy =
	    world->flagged_maintenance[index] || world->flagged_cordoned[index];
	host->up = world_flag(world, index, TRIAL_UP, from->up);
	host->down_why = host->up ? NULL : "the test has it down";
	host->maintenance = world->flagged_maintenance[index] ||
	    world_flag(world, index, TRIAL_MAINTENANCE, from->maintenance);
	host->cordoned = host->maintenance || world->flagged_cordoned[index] ||
	    world_flag(world, index, TRIAL_CORDONED, from->cordoned);
	if (host->cordoned && !before) {
		host->flag_since = world->s.taken_wall;
		host->flag_why = policy ? "a policy" : "the test";
	}
	/* What an operator clears is given another chance. */
	if (before && !host->cordoned)
		history_forget_source(world->history, host->name);
}

static void
world_set_alerts(struct world *world, size_t index)
{
	struct snap_host *host = &world->s.hosts[index];
	struct snap_alert *on = world->on[index];
	size_t count = 0;

	for (size_t i = 0; i < world->c->alert_count; i++) {
		const struct trial_alert *from = &world->c->alerts[i];
		size_t at = count;

		if (strcmp(from->host, host->name) != 0 ||
		    from->at_ms > world->now_ms ||
		    (from->until_ms >= 0 && from->until_ms <= world->now_ms))
			continue;
		for (count++; at > 0 && strcmp(from->name, on[at - 1].name) < 0;
		     at--)
			on[at] = on[at - 1];
		on[at] = world->alerts[i];
	}
	host->alerts = on;
	host->alert_count = count;
}

/* ---- moves ---- */

/* Is it one of those that the test lets fail?  Counts it. */
static const char *
world_fails(struct world *world, const struct world_move *move)
{
	for (size_t i = 0; i < world->c->fail_count; i++) {
		const struct trial_fail *fail = &world->c->fails[i];

		if (strcmp(fail->vm, world->s.vms[move->vm].name) != 0 ||
		    (fail->to != NULL && strcmp(fail->to, move->to) != 0) ||
		    (fail->times > 0 && world->failed[i] >= fail->times))
			continue;
		world->failed[i]++;
		return fail->why;
	}
	return NULL;
}

static void
world_end_move(struct world *world, struct world_move *move)
{
	struct snap_vm *vm = &world->s.vms[move->vm];
	struct mono now = world_mono(move->ends_ms);

	move->ended = true;
	move->why = world_fails(world, move);
	move->failed = move->why != NULL;
	if (move->failed) {
		history_add(world->history, vm->uuid, move->from, move->to,
		    move->why, false, move->backoff_ms, now);
		return;
	}
	vm->host =
	    (size_t)(snapshot_find_host(&world->s, move->to) - world->s.hosts);
	vm->last_moved = (struct wall){world->trial->start.ms + move->ends_ms};
	history_moved(world->history, vm->uuid, now);
}

static void
world_list_moves(struct world *world)
{
	struct snapshot *s = &world->s;

	s->move_count = 0;
	for (size_t i = 0; i < world->move_count; i++) {
		const struct world_move *move = &world->moves[i];
		const struct snap_vm *vm = &s->vms[move->vm];

		if (move->ended)
			continue;
		s->moves[s->move_count++] = (struct snap_move){
		    .uuid = vm->uuid,
		    .from = move->from,
		    .to = move->to,
		    .memory = world_memory_of(vm) > 0 ? vm->memory : 0,
		    .disk = move->strategy != STRATEGY_LIVE_SHARED &&
			    vm->disk_count > 0
			? vm->disks[vm->disk_count - 1].allocation
			: 0,
		    .pool = move->strategy != STRATEGY_LIVE_SHARED &&
			    vm->disk_count > 0
			? vm->disks[vm->disk_count - 1].pool_found
			: NULL,
		};
	}
}

void
world_begin_move(struct world *world, const struct snap_vm *vm,
    const struct snap_host *to, enum strategy strategy,
    const struct policy *policy)
{
	if (world->move_count == world->move_room) {
		size_t room = 2 * world->move_room + 16;
		struct world_move *moves =
		    arena_array(world->arena, room, sizeof(moves[0]));

		if (world->move_count > 0)
			memcpy(moves, world->moves,
			    world->move_count * sizeof(moves[0]));
		world->moves = moves;
		world->move_room = room;
	}
	world->moves[world->move_count++] = (struct world_move){
	    .vm = (size_t)(vm - world->s.vms),
	    .from = world->s.hosts[vm->host].name,
	    .to = to->name,
	    .policy = policy->name,
	    .backoff_ms = policy->backoff_ms,
	    .strategy = strategy,
	    .begun_ms = world->now_ms,
	    .ends_ms = world->now_ms + world->trial->move_ms,
	};
	world_list_moves(world);
}

/* ---- time ---- */

void
world_set_time(struct world *world, int64_t now_ms)
{
	struct snapshot *s = &world->s;

	world->now_ms = now_ms;
	s->taken = world_mono(now_ms);
	s->taken_wall = (struct wall){world->trial->start.ms + now_ms};
	for (size_t i = 0; i < world->move_count; i++)
		if (!world->moves[i].ended && world->moves[i].ends_ms <= now_ms)
			world_end_move(world, &world->moves[i]);
	for (size_t i = 0; i < s->vm_count; i++)
		world_set_vm(world, i);
	for (size_t i = 0; i < s->host_count; i++) {
		const struct world_series *of = &world->host_series[i];
		struct snap_host *host = &s->hosts[i];

		world_set_flags(world, i);
		world_set_alerts(world, i);
		world_set_cpu(world, i);
		world_set_memory(world, i);
		world_set_room(world, i);
		host->steal = world_figure(world, of, TRIAL_STEAL);
		host->swap_in = world_figure(world, of, TRIAL_SWAP_IN);
		host->psi_cpu = world_figure(world, of, TRIAL_PSI_CPU);
		host->psi_memory = world_figure(world, of, TRIAL_PSI_MEMORY);
		host->psi_io = world_figure(world, of, TRIAL_PSI_IO);
	}
	world_list_moves(world);
}

static void
world_note(const struct world *world, int64_t at_ms, int64_t *next)
{
	if (at_ms > world->now_ms && at_ms < *next)
		*next = at_ms;
}

int64_t
world_next(const struct world *world)
{
	int64_t interval = world->trial->interval_ms;
	int64_t next = (world->now_ms / interval + 1) * interval;

	for (size_t i = 0; i < world->c->alert_count; i++) {
		world_note(world, world->c->alerts[i].at_ms, &next);
		world_note(world, world->c->alerts[i].until_ms, &next);
	}
	for (size_t i = 0; i < world->move_count; i++)
		if (!world->moves[i].ended)
			world_note(world, world->moves[i].ends_ms, &next);
	return next;
}
