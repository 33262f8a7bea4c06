#ifndef DROVER_TESTS_PLAN_EVACUATE_FIXTURE_H
#define DROVER_TESTS_PLAN_EVACUATE_FIXTURE_H

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "plan/evacuate.h"
#include "plan_solver.h"

/* A cluster that a test puts together; host 0 is emptied, and each plan is
 * replayed. */

#define GIB (INT64_C(1) << 30)
/* A link on which a GiB takes ten seconds. */
#define LINK (GIB / 10)

/* More than the planner looks through. */
#define PADDED_HOSTS (EVACUATE_SMALL + 8)

static struct arena *arena;
static struct plan_host hosts[PADDED_HOSTS];
static struct plan_guest guests[SOLVER_GUESTS];
static uint64_t allowed[SOLVER_GUESTS];
static struct plan_cluster cluster;
static struct plan_evacuate_options options;
static struct plan_result out;
static struct plan_outlook outlook;

static void
begin(void)
{
	arena = arena_new((size_t)1 << 26);
	memset(hosts, 0, sizeof(hosts));
	memset(guests, 0, sizeof(guests));
	memset(&options, 0, sizeof(options));
	cluster = (struct plan_cluster){.hosts = hosts,
	    .guests = guests,
	    .apart_count = 4,
	    .limits = {.link = LINK}};
}

static void
end(void)
{
	arena_free(arena);
}

static struct plan_host *
host(int gib)
{
	static const char *const names[] = {
	    "kvm1", "kvm2", "kvm3", "kvm4", "kvm5", "kvm6"};
	struct plan_host *h = &hosts[cluster.host_count];

	*h = (struct plan_host){.name = names[cluster.host_count++],
	    .cpus = 16,
	    .cpu_used = 1,
	    .memory = gib * GIB,
	    .disk = -1,
	    .accepts = true,
	    .up = true,
	    .group = PLAN_NONE};
	return h;
}

static struct plan_guest *
guest(uint32_t at, int gib)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g",
	    "h", "i", "j", "k", "l", "m", "n", "o", "p"};
	struct plan_guest *g = &guests[cluster.guest_count];

	*g = (struct plan_guest){.name = names[cluster.guest_count],
	    .uuid = names[cluster.guest_count],
	    .host = at,
	    .cpu = 0.5,
	    .vcpus = 1,
	    .memory = gib * GIB,
	    .runs = true,
	    .apart = PLAN_NONE};
	cluster.guest_count++;
	return g;
}

static void
evacuate(void)
{
	const char *said;

	plan_evacuate(arena, &cluster, 0, &options, &out);
	plan_evacuate_outlook(arena, &cluster, 0, &options, &out, &outlook);
	said = solver_replay(&cluster, 0, &out);
	ck_assert_msg(said == NULL, "%s", said);
}

#endif
