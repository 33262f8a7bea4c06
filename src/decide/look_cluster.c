/*
 * How even the load of all hosts is.  Hosts that do not answer take no part.  One
 * whose load is not known (yet, or any more) is left out, as the planner leaves
 * it out; but of one host that is known among several nothing follows, as after
 * a start.
 *
 * The score is the one that balancing makes smaller, of memory, CPU load and
 * virtual CPUs.  Local disks are not part of it: that they are local is found
 * out by comparing storage, which takes longer than an evaluation may.
 */
#include <math.h>

#include "decide/look.h"
#include "plan/score.h"

#define LOOK_ARENA_MAX ((size_t)1 << 30)

static bool
look_counts(const struct snap_host *host)
{
	return host->up && host->known;
}

static bool
look_knows_load(const struct snap_host *host)
{
	return host->cpus > 0 && !isnan(host->cpu_smooth);
}

static void
look_fill_host(const struct snap_host *from, struct plan_host *to)
{
	bool up = look_counts(from);

	*to = (struct plan_host){
	    .name = from->name,
	    .cpus = from->cpus,
	    .cpu_used = from->cpu_smooth,
	    .memory = from->memory_total > 0
		? from->memory_total - from->reserve_memory
		: 0,
	    .disk = -1,
	    .accepts = up && !from->cordoned && !from->maintenance,
	    .up = up,
	    .group = PLAN_NONE,
	};
}

static void
look_fill_guest(const struct snap_vm *from, struct plan_guest *to)
{
	bool active = snapshot_vm_active(from);

	*to = (struct plan_guest){
	    .name = from->name,
	    .uuid = from->uuid,
	    .host = (uint32_t)from->host,
	    .cpu = from->cpu_smooth,
	    .vcpus = from->vcpus,
	    .memory = active && from->memory > 0
		? place_memory_need(from->memory)
		: 0,
	    .dirty_rate = -1,
	    .runs = active,
	    .stays = from->pin_count > 0,
	    .apart = PLAN_NONE,
	};
}

static double
look_at_score(const struct snapshot *s)
{
	struct arena *arena = arena_new(LOOK_ARENA_MAX);
	struct plan_cluster cluster = {
	    .host_count = (uint32_t)s->host_count,
	    .hosts =
		arena_array(arena, s->host_count + 1, sizeof(cluster.hosts[0])),
	    .guests =
		arena_array(arena, s->vm_count + 1, sizeof(cluster.guests[0])),
	};
	double score;

	for (size_t i = 0; i < s->host_count; i++)
		look_fill_host(&s->hosts[i], &cluster.hosts[i]);
	for (size_t i = 0; i < s->vm_count; i++) {
		if (snapshot_find_vm(s, s->vms[i].uuid) == &s->vms[i])
			look_fill_guest(
			    &s->vms[i], &cluster.guests[cluster.guest_count++]);
	}
	score = plan_score(&cluster, NULL);
	arena_free(arena);
	return score;
}

void
look_at_cluster(const struct snapshot *s, struct look_cluster *out)
{
	double sum = 0, squares = 0, mean, known = 0;

	*out = (struct look_cluster){.cpu_stddev = NAN, .imbalance = NAN};
	for (size_t i = 0; i < s->host_count; i++) {
		const struct snap_host *host = &s->hosts[i];

		out->hosts_up += look_counts(host);
		if (!look_counts(host) || !look_knows_load(host))
			continue;
		sum += host->cpu_smooth / host->cpus;
		known++;
	}
	if (known < 1 || (known < 2 && out->hosts_up > 1))
		return;
	mean = sum / known;
	/* Two passes, as squares of numbers that are nearly alike cancel. */
	for (size_t i = 0; i < s->host_count; i++) {
		const struct snap_host *host = &s->hosts[i];
		double off;

		if (!look_counts(host) || !look_knows_load(host))
			continue;
		off = host->cpu_smooth / host->cpus - mean;
		squares += off * off;
	}
	out->cpu_stddev = sqrt(squares / known);
	out->imbalance = look_at_score(s);
}
