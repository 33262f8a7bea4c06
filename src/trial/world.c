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

/* ---- hosts, by their guests ---- */

/* Cores' worth that is told of the host as it would be without any move; NAN: not
 * now.  False: nothing ever is. */
static bool
world_told_cpu(const struct world *world, size_t index, double *out)
{
	const struct series *series =
	    world->host_series[index].figures[TRIAL_CPU];

	if (series == NULL) {
		*out = world->trial->hosts[index].cpu_used;
		return !isnan(*out);
	}
	*out = world_figure(world, &world->host_series[index], TRIAL_CPU);
	if (series->unit == SERIES_PERCENT)
		*out *= world->s.hosts[index].cpus;
	return true;
}

/* Told figures know of those that began there, and forgive a guest of unknown
 * load. */
static void
world_add_cpu(struct world *world, size_t index)
{
	const struct snap_vm *vm = &world->s.vms[index];
	struct world_sum *here = &world->sums[vm->host];
	struct world_sum *home = &world->sums[world->homes[index]];
	bool known = !isnan(vm->cpu_smooth);

	if (!here->cpu_told || (here != home && known))
		here->cpu += vm->cpu_smooth;
	if (here != home && home->cpu_told && known)
		home->cpu -= vm->cpu_smooth;
}

static int64_t
world_local_bytes(const struct snap_vm *vm)
{
	int64_t bytes = 0;

	for (size_t d = 0; d < vm->disk_count; d++)
		if (vm->disks[d].allocation > 0 &&
		    strcmp(vm->disks[d].pool_found, "local") == 0)
			bytes += vm->disks[d].allocation;
	return bytes;
}

static void
world_add_up(struct world *world)
{
	const struct snapshot *s = &world->s;

	for (size_t i = 0; i < s->host_count; i++) {
		double told;
		bool is_told = world_told_cpu(world, i, &told);

		world->sums[i] = (struct world_sum){
		    .cpu = is_told ? told : 0, .cpu_told = is_told};
	}
	for (size_t i = 0; i < s->vm_count; i++) {
		const struct snap_vm *vm = &s->vms[i];

		world_add_cpu(world, i);
		world->sums[vm->host].memory += world_memory_of(vm);
		world->sums[world->homes[i]].memory_began +=
		    world_memory_of(vm);
		world->sums[vm->host].local += world_local_bytes(vm);
	}
}

static void
world_set_cpu(struct world *world, size_t index)
{
	struct snap_host *host = &world->s.hosts[index];
	double used = world->sums[index].cpu;

	/* fmax() would make 0 of what is unknown. */
	host->cpu_used = host->cpu_smooth =
	    isnan(used) ? NAN : fmin(fmax(used, 0), host->cpus);
}

static void
world_set_memory(struct world *world, size_t index)
{
	struct snap_host *host = &world->s.hosts[index];
	const struct world_sum *sum = &world->sums[index];
	const struct world_series *of = &world->host_series[index];
	const struct series *series = of->figures[TRIAL_MEMORY];
	double told = world_figure(world, of, TRIAL_MEMORY);
	int64_t used = sum->memory;

	host->memory_smooth = NAN;
	host->memory_free = SNAPSHOT_UNKNOWN;
	if (series != NULL && isnan(told))
		return;
	if (series != NULL)
		used += (int64_t)(series->unit == SERIES_PERCENT
				? told * (double)host->memory_total
				: told) -
		    sum->memory_began;
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

	pool->available = pool->capacity - world->sums[index].local;
	if (pool->available < 0)
		pool->available = 0;
}

/* ---- flags and alerts ---- */

bool
world_set_flag(struct world *world, const struct snap_host *host,
    enum trial_flag flag, const struct policy *policy)
{
	size_t index = (size_t)(host - world->s.hosts);

	switch (flag) {
	case TRIAL_FLAG_MAINTENANCE:
		if (host->maintenance || world->flagged_maintenance[index])
			return false;
		world->flagged_maintenance[index] = true;
		break;
	case TRIAL_FLAG_CORDONED:
		if (host->cordoned || world->flagged_cordoned[index])
			return false;
		world->flagged_cordoned[index] = true;
		break;
	case TRIAL_FLAG_NONE:
		return false;
	}
	world->flags[world->flag_count++] =
	    (struct world_flag){host->name, policy->name, flag, world->now_ms};
	return true;
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
	host->down_why = host->up ? NULL : world->down_why;
	host->maintenance = world->flagged_maintenance[index] ||
	    world_flag(world, index, TRIAL_MAINTENANCE, from->maintenance);
	host->cordoned = host->maintenance || world->flagged_cordoned[index] ||
	    world_flag(world, index, TRIAL_CORDONED, from->cordoned);
	if (host->cordoned && !before) {
		host->flag_since = world->s.taken_wall;
		host->flag_why = policy ? "a policy" : world->trial->told_by;
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

/* Whole seconds, so that moves which began together often end together. */
static int64_t
world_move_time(const struct world *world, const struct evaluate_item *item)
{
	int64_t ms = item->choice.strategy.predicted.time_ms;

	if (world->trial->move_ms > 0)
		return world->trial->move_ms;
	return ms > 0 ? (ms + 999) / 1000 * 1000 : WORLD_MOVE_MS;
}

/* "cpu > 85% (true: cpu = 91 %), until cpu < 70%" */
static const char *
world_seen(struct arena *arena, const struct evaluate_decision *decision)
{
	const struct policy *policy = decision->policy;
	size_t at = 0;

	while (
	    at < decision->seen_count && decision->seen[at].phase != WATCH_ON)
		at++;
	/* Of those of guests no state is told. */
	if (at == decision->seen_count)
		at = 0;
	if (decision->seen_count == 0)
		return NULL;
	if (policy->conditions[at].until.text == NULL)
		return arena_strdup(arena, decision->seen[at].text);
	return arena_printf(arena, "%s, until %s", decision->seen[at].text,
	    policy->conditions[at].until.text);
}

void
world_begin_move(struct world *world, const struct evaluate_decision *decision,
    const struct evaluate_item *item)
{
	const struct snap_vm *vm = item->vm;

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
	    .to = item->choice.target->name,
	    .policy = decision->policy->name,
	    .together = decision->host == NULL,
	    .backoff_ms = decision->policy->backoff_ms,
	    .strategy = item->choice.strategy.strategy,
	    .begun_ms = world->now_ms,
	    .ends_ms = world->now_ms + world_move_time(world, item),
	    .seen = world_seen(world->arena, decision),
	    .reason = arena_strdup(world->arena, item->choice.why),
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
	world_add_up(world);
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
