/*
 * The ledger of a plan.
 *
 * A plan tries thousands of moves and takes most of them back, so that a move must
 * cost a few additions, whatever the size of the cluster, and nothing is copied to
 * try one.  Who is kept apart from whom is found by looking at the members of the
 * guest's class, which are few; a table of classes by hosts would be larger than
 * all of the rest.
 *
 * A guest without memory (it is off) or without local disks is not held back by a
 * host that has given away more than it has: it takes nothing there.
 */
#include "plan/reserve.h"

#include <math.h>

static void
reserve_index_classes(struct reserve *reserve, struct arena *arena)
{
	const struct plan_cluster *cluster = reserve->cluster;
	uint32_t *first, *fill, class;

	first = arena_array(arena, (size_t)cluster->apart_count + 1, 4);
	fill = arena_array(arena, (size_t)cluster->apart_count + 1, 4);
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		class = cluster->guests[g].apart;
		if (class != PLAN_NONE)
			first[class + 1]++;
	}
	for (uint32_t c = 0; c < cluster->apart_count; c++) {
		first[c + 1] += first[c];
		fill[c] = first[c];
	}
	reserve->class_first = first;
	reserve->class_members =
	    arena_array(arena, first[cluster->apart_count], 4);
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		class = cluster->guests[g].apart;
		if (class != PLAN_NONE)
			reserve->class_members[fill[class]++] = g;
	}
}

static void
reserve_add(struct reserve *reserve, uint32_t guest, uint32_t host, int sign)
{
	const struct plan_guest *g = &reserve->cluster->guests[guest];

	if (host == PLAN_NONE)
		return;
	reserve->memory[host] += sign * g->memory;
	reserve->disk[host] += sign * g->disk;
}

struct reserve *
reserve_new(
    struct arena *arena, const struct plan_cluster *cluster, uint32_t emptied)
{
	struct reserve *reserve = arena_alloc(arena, sizeof(*reserve));
	size_t hosts = cluster->host_count, guests = cluster->guest_count;

	reserve->cluster = cluster;
	reserve->emptied = emptied;
	reserve->memory = arena_array(arena, hosts, sizeof(int64_t));
	reserve->disk = arena_array(arena, hosts, sizeof(int64_t));
	reserve->cpu = arena_array(arena, hosts, sizeof(double));
	reserve->at = arena_array(arena, guests, sizeof(uint32_t));
	reserve->going = arena_array(arena, guests, sizeof(uint32_t));
	for (uint32_t h = 0; h < cluster->host_count; h++)
		reserve->cpu[h] = cluster->hosts[h].cpu_used;
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		reserve->at[g] = cluster->guests[g].host;
		reserve->going[g] = PLAN_NONE;
		reserve_add(reserve, g, reserve->at[g], 1);
	}
	reserve_index_classes(reserve, arena);
	return reserve;
}

uint32_t
reserve_twin(const struct reserve *reserve, uint32_t guest, uint32_t host)
{
	uint32_t class = reserve->cluster->guests[guest].apart, other;

	if (class == PLAN_NONE)
		return PLAN_NONE;
	for (uint32_t i = reserve->class_first[class];
	     i < reserve->class_first[class + 1]; i++) {
		other = reserve->class_members[i];
		if (other != guest &&
		    (reserve->at[other] == host ||
			reserve->going[other] == host))
			return other;
	}
	return PLAN_NONE;
}

unsigned
reserve_lacks(const struct reserve *reserve, uint32_t guest, uint32_t host)
{
	const struct plan_host *h = &reserve->cluster->hosts[host];
	const struct plan_guest *g = &reserve->cluster->guests[guest];
	unsigned lacks = 0;

	if (!h->up)
		lacks |= RESERVE_DOWN;
	if (!h->accepts || host == reserve->emptied ||
	    host == reserve->at[guest])
		lacks |= RESERVE_CLOSED;
	if (g->allowed != NULL &&
	    (g->allowed[host / 64] >> (host % 64) & 1) == 0)
		lacks |= RESERVE_FORBIDDEN;
	if (g->disk > 0 &&
	    (h->disk < 0 || reserve->disk[host] > h->disk - g->disk))
		lacks |= RESERVE_DISK;
	if (g->memory > 0 && reserve->memory[host] > h->memory - g->memory)
		lacks |= RESERVE_MEMORY;
	if (reserve_twin(reserve, guest, host) != PLAN_NONE)
		lacks |= RESERVE_APART;
	return lacks;
}

void
reserve_begin(struct reserve *reserve, uint32_t guest, uint32_t to)
{
	reserve->going[guest] = to;
	reserve_add(reserve, guest, to, 1);
}

void
reserve_end(struct reserve *reserve, uint32_t guest)
{
	uint32_t from = reserve->at[guest], to = reserve->going[guest];
	double cpu = reserve->cluster->guests[guest].cpu;

	reserve_add(reserve, guest, from, -1);
	reserve->at[guest] = to;
	reserve->going[guest] = PLAN_NONE;
	if (isnan(cpu))
		return;
	if (from != PLAN_NONE)
		reserve->cpu[from] -= cpu;
	reserve->cpu[to] += cpu;
}

void
reserve_move(struct reserve *reserve, uint32_t guest, uint32_t to)
{
	reserve_begin(reserve, guest, to);
	reserve_end(reserve, guest);
}

double
reserve_fill(const struct reserve *reserve, uint32_t guest, uint32_t host)
{
	const struct plan_host *h = &reserve->cluster->hosts[host];
	const struct plan_guest *g = &reserve->cluster->guests[guest];
	double memory = 1, load = 1;

	if (h->memory > 0)
		memory = (double)(reserve->memory[host] + g->memory) /
		    (double)h->memory;
	if (h->cpus > 0 && !isnan(reserve->cpu[host]))
		load = (reserve->cpu[host] + (isnan(g->cpu) ? 0 : g->cpu)) /
		    h->cpus;
	return memory > load ? memory : load;
}
