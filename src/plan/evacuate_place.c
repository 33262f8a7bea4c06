/*
 * Each guest straight to a host.
 *
 * Two ways are tried.  The first one spreads: a guest goes where least is taken
 * afterwards, of memory and of load, and where few bytes come in already, so that
 * no host is full and no link waits for another.  If that leaves somebody without a
 * place, the second one packs: the large ones first, each where it leaves the
 * smallest rest.  Guests that few hosts may take come first in both.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/evacuate_priv.h"

struct evacuate_turn {
	uint32_t guest, choices;
	int64_t memory, disk;
	const char *uuid;
};

static int
evacuate_compare_turns(const void *left, const void *right)
{
	const struct evacuate_turn *a = left, *b = right;
	int diff;

	if (a->choices != b->choices)
		return a->choices < b->choices ? -1 : 1;
	if (a->memory != b->memory)
		return a->memory > b->memory ? -1 : 1;
	if (a->disk != b->disk)
		return a->disk > b->disk ? -1 : 1;
	diff =
	    a->uuid != NULL && b->uuid != NULL ? strcmp(a->uuid, b->uuid) : 0;
	if (diff != 0)
		return diff;
	return a->guest < b->guest ? -1 : a->guest > b->guest;
}

/* Puts ev->guests into the order in which they choose. */
static void
evacuate_take_turns(struct evacuate *ev)
{
	struct evacuate_turn *turns =
	    arena_array(ev->arena, ev->guest_count, sizeof(*turns));

	for (uint32_t i = 0; i < ev->guest_count; i++) {
		const struct plan_guest *g =
		    &ev->cluster->guests[ev->guests[i]];

		turns[i] = (struct evacuate_turn){.guest = ev->guests[i],
		    .memory = g->memory,
		    .disk = g->disk,
		    .uuid = g->uuid};
		for (uint32_t h = 0; h < ev->cluster->host_count; h++)
			turns[i].choices +=
			    reserve_lacks(ev->reserve, ev->guests[i], h) == 0;
	}
	qsort(turns, ev->guest_count, sizeof(*turns), evacuate_compare_turns);
	for (uint32_t i = 0; i < ev->guest_count; i++)
		ev->guests[i] = turns[i].guest;
}

static double
evacuate_rest(const struct evacuate *ev, uint32_t guest, uint32_t host)
{
	const struct plan_host *h = &ev->cluster->hosts[host];

	return (double)(h->memory - ev->reserve->memory[host] -
	    ev->cluster->guests[guest].memory);
}

static uint32_t
evacuate_choose(const struct evacuate *ev, uint32_t guest, bool pack,
    const double *incoming, double whole)
{
	uint32_t best = PLAN_NONE;
	double cost, least = INFINITY;

	for (uint32_t h = 0; h < ev->cluster->host_count; h++) {
		if (reserve_lacks(ev->reserve, guest, h) != 0)
			continue;
		if (pack)
			cost = evacuate_rest(ev, guest, h);
		else
			cost = reserve_fill(ev->reserve, guest, h) +
			    (whole > 0 ? incoming[h] / whole : 0);
		if (cost < least) {
			least = cost;
			best = h;
		}
	}
	return best;
}

static void
evacuate_place_all(struct evacuate *ev, struct evacuate_list *list, bool pack)
{
	double *incoming, whole = 0;
	uint32_t to;

	incoming =
	    arena_array(ev->arena, ev->cluster->host_count, sizeof(*incoming));
	for (uint32_t i = 0; i < ev->guest_count; i++)
		whole += (double)(ev->cluster->guests[ev->guests[i]].memory +
		    ev->cluster->guests[ev->guests[i]].disk);
	list->count = 0;
	for (uint32_t i = 0; i < ev->guest_count; i++) {
		to = evacuate_choose(ev, ev->guests[i], pack, incoming, whole);
		if (to == PLAN_NONE)
			continue;
		evacuate_add(ev, list, ev->guests[i], ev->host, to);
		incoming[to] += list->jobs[list->count - 1].bytes;
		reserve_move(ev->reserve, ev->guests[i], to);
	}
	evacuate_undo(ev, list);
}

void
evacuate_place(struct evacuate *ev)
{
	evacuate_take_turns(ev);
	evacuate_place_all(ev, &ev->list, false);
	if (ev->list.count == ev->guest_count)
		return;
	evacuate_place_all(ev, &ev->trial, true);
	if (ev->trial.count > ev->list.count)
		evacuate_copy(&ev->list, &ev->trial);
}
