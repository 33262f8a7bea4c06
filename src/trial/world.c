/*
 * A site over time.
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

bool
world_set_flag(
    struct world *world, const struct snap_host *host, enum trial_flag flag)
{
	size_t index = (size_t)(host - world->s.hosts);

	switch (flag) {
	case TRIAL_FLAG_MAINTENANCE:
		if (host->maintenance)
			return false;
		world->flagged_maintenance[index] = true;
		return true;
	case TRIAL_FLAG_CORDONED:
		if (host->cordoned)
			return false;
		world->flagged_cordoned[index] = true;
		return true;
	case TRIAL_FLAG_NONE:
		break;
	}
	return false;
}

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
	/* The policy has to look anew, at the host and at all together. */
	watch_acted(world->watch, move->policy, move->from, now);
	watch_acted(world->watch, move->policy, "", now);
}

/* As the daemon remembers them: those that failed do not count. */
const struct evaluate_recent *
world_recent(struct world *world, size_t *out_count)
{
	struct evaluate_recent *recent = world->recent;
	int64_t start = world->trial->start.ms;
	size_t count = 0;

	for (size_t i = 0; i < world->move_count; i++) {
		const struct world_move *move = &world->moves[i];

		if (move->failed)
			continue;
		recent[count++] = (struct evaluate_recent){
		    .policy = move->policy,
		    .uuid = world->s.vms[move->vm].uuid,
		    .from = move->from,
		    .to = move->to,
		    .started = {start + move->begun_ms},
		    .ended = {move->ended ? start + move->ends_ms : 0},
		};
	}
	*out_count = count;
	return recent;
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
		world->recent =
		    arena_array(world->arena, room, sizeof(world->recent[0]));
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
	memset(s->active, 0, s->host_count * sizeof(s->active[0]));
	for (size_t i = 0; i < s->vm_count; i++) {
		world_set_vm(world, i);
		s->active[s->vms[i].host] += snapshot_vm_active(&s->vms[i]);
	}
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
