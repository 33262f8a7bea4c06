/*
 * How many guests stay at the least, whatever is moved.
 *
 * A guest is hopeless if no host could take it were all guests gone from there that
 * may go.  And of the others no more can leave than have room together in what all
 * hosts have left: moving guests about makes no memory.  Where a plan reaches that
 * number there is nothing more to look for, and who stays is proven to.
 */
#include <stdlib.h>

#include "plan/evacuate_priv.h"

struct evacuate_firm {
	int64_t memory, disk; /* of guests that may not go */
};

static bool
evacuate_firm_twin(const struct evacuate *ev, uint32_t guest, uint32_t host)
{
	const struct plan_guest *guests = ev->cluster->guests;
	uint32_t class = guests[guest].apart, other;

	if (class == PLAN_NONE)
		return false;
	for (uint32_t i = ev->reserve->class_first[class];
	     i < ev->reserve->class_first[class + 1]; i++) {
		other = ev->reserve->class_members[i];
		if (other != guest && guests[other].stays &&
		    guests[other].host == host)
			return true;
	}
	return false;
}

static bool
evacuate_is_hopeless(
    const struct evacuate *ev, const struct evacuate_firm *firm, uint32_t guest)
{
	const struct plan_guest *g = &ev->cluster->guests[guest];

	for (uint32_t i = 0; i < ev->cluster->host_count; i++) {
		const struct plan_host *h = &ev->cluster->hosts[i];

		if ((reserve_lacks(ev->reserve, guest, i) & RESERVE_FIRM) ==
			0 &&
		    (g->memory == 0 ||
			firm[i].memory + g->memory <= h->memory) &&
		    (g->disk == 0 ||
			(h->disk >= 0 && firm[i].disk + g->disk <= h->disk)) &&
		    !evacuate_firm_twin(ev, guest, i))
			return false;
	}
	return true;
}

static int
evacuate_compare_sizes(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

void
evacuate_find_least(struct evacuate *ev)
{
	const struct plan_cluster *cluster = ev->cluster;
	struct evacuate_firm *firm =
	    arena_array(ev->arena, cluster->host_count, sizeof(*firm));
	int64_t *sizes =
	    arena_array(ev->arena, ev->guest_count, sizeof(*sizes));
	int64_t room = 0, rest;
	uint32_t count = 0, leave = 0;

	ev->hopeless = arena_array(ev->arena, cluster->guest_count, 1);
	for (uint32_t g = 0; g < cluster->guest_count; g++) {
		if (cluster->guests[g].host == PLAN_NONE ||
		    !cluster->guests[g].stays)
			continue;
		firm[cluster->guests[g].host].memory +=
		    cluster->guests[g].memory;
		firm[cluster->guests[g].host].disk += cluster->guests[g].disk;
	}
	for (uint32_t h = 0; h < cluster->host_count; h++) {
		rest = cluster->hosts[h].memory - ev->reserve->memory[h];
		if (h != ev->host && cluster->hosts[h].up &&
		    cluster->hosts[h].accepts && rest > 0)
			room += rest;
	}
	for (uint32_t i = 0; i < ev->guest_count; i++) {
		ev->hopeless[ev->guests[i]] =
		    evacuate_is_hopeless(ev, firm, ev->guests[i]);
		if (!ev->hopeless[ev->guests[i]])
			sizes[count++] = cluster->guests[ev->guests[i]].memory;
	}
	qsort(sizes, count, sizeof(*sizes), evacuate_compare_sizes);
	while (leave < count && sizes[leave] <= room)
		room -= sizes[leave++];
	ev->least = ev->guest_count - leave;
}
