/*
 * Room for one guest in a cluster that is too large to look through.
 *
 * A guest that fits nowhere looks at the hosts that lack least for it.  There
 * somebody has to go, who in turn may need room: a chain.  Whoever left the
 * emptied host before may be sent on as well, which evacuate_shorten() turns into
 * another target for it.  Each step is carried out in the ledger as it is found, so
 * that the list is possible in its order by construction, and taken back when the
 * chain comes to no end.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/evacuate_priv.h"

/* Hosts that are looked at for one guest, at each depth of the chain. */
#define EVACUATE_CHAIN_HOSTS 24
/* Guests that leave one host for one. */
#define EVACUATE_CHAIN_OUT 3

struct evacuate_room {
	uint32_t host;
	int64_t missing; /* bytes */
};

struct evacuate_links {
	struct evacuate *ev;
	struct evacuate_list *list;
	uint32_t *first, *next; /* guests by host where they were at first */
	uint32_t path[EVACUATE_CHAIN + 1]; /* hosts that make room */
	uint32_t depth;
	uint64_t looks; /* of ev->looks, for the one that is tried */
};

static bool evacuate_find_room(struct evacuate_links *links, uint32_t guest);

static bool
evacuate_on_path(const struct evacuate_links *links, uint32_t host)
{
	for (uint32_t i = 0; i < links->depth; i++)
		if (links->path[i] == host)
			return true;
	return false;
}

static unsigned
evacuate_look(struct evacuate *ev, uint32_t guest, uint32_t host)
{
	ev->looks++;
	return reserve_lacks(ev->reserve, guest, host);
}

static void
evacuate_go(struct evacuate_links *links, uint32_t guest, uint32_t to)
{
	struct evacuate *ev = links->ev;

	evacuate_add(ev, links->list, guest, ev->reserve->at[guest], to);
	reserve_move(ev->reserve, guest, to);
}

static void
evacuate_go_back(struct evacuate_links *links, uint32_t count)
{
	struct evacuate_list *list = links->list;

	while (list->count > count) {
		list->count--;
		reserve_move(links->ev->reserve, list->moves[list->count].guest,
		    list->moves[list->count].from);
	}
}

static int
evacuate_compare_rooms(const void *left, const void *right)
{
	const struct evacuate_room *a = left, *b = right;

	if (a->missing != b->missing)
		return a->missing < b->missing ? -1 : 1;
	return a->host < b->host ? -1 : a->host > b->host;
}

/* The hosts that somebody could make room on, those that lack least first. */
static uint32_t
evacuate_list_rooms(
    struct evacuate_links *links, uint32_t guest, struct evacuate_room *rooms)
{
	struct evacuate *ev = links->ev;
	const struct plan_guest *g = &ev->cluster->guests[guest];
	struct evacuate_room room;
	uint32_t count = 0;

	for (uint32_t h = 0; h < ev->cluster->host_count; h++) {
		const struct plan_host *host = &ev->cluster->hosts[h];
		int64_t memory, disk;

		if ((evacuate_look(ev, guest, h) & RESERVE_FIRM) != 0 ||
		    evacuate_on_path(links, h) || host->memory < g->memory ||
		    (g->disk > 0 && host->disk < g->disk))
			continue;
		memory = g->memory - (host->memory - ev->reserve->memory[h]);
		disk = g->disk > 0
		    ? g->disk - (host->disk - ev->reserve->disk[h])
		    : 0;
		room = (struct evacuate_room){.host = h,
		    .missing =
			(memory > 0 ? memory : 0) + (disk > 0 ? disk : 0)};
		if (count == EVACUATE_CHAIN_HOSTS &&
		    evacuate_compare_rooms(&room, &rooms[count - 1]) >= 0)
			continue;
		if (count < EVACUATE_CHAIN_HOSTS)
			count++;
		rooms[count - 1] = room;
		for (uint32_t i = count - 1; i > 0 &&
		     evacuate_compare_rooms(&rooms[i], &rooms[i - 1]) < 0;
		     i--) {
			rooms[i] = rooms[i - 1];
			rooms[i - 1] = room;
		}
	}
	return count;
}

/* The n-th best to leave `host` for `guest`: those that suffice alone, the small
 * ones first; then the large ones.  PLAN_NONE: no more. */
static uint32_t
evacuate_pick(struct evacuate_links *links, uint32_t guest, uint32_t host,
    bool alone, int64_t *last)
{
	struct evacuate *ev = links->ev;
	const struct plan_guest *guests = ev->cluster->guests;
	int64_t missing = guests[guest].memory -
	    (ev->cluster->hosts[host].memory - ev->reserve->memory[host]);
	uint32_t best = PLAN_NONE, lists[2] = {links->first[host], PLAN_NONE};
	uint32_t twin = reserve_twin(ev->reserve, guest, host), x;
	int64_t key, least = INT64_MAX;

	for (uint32_t i = 0, m = 0; i < 2; i++) {
		for (x = lists[i];; x = i == 0 ? links->next[x] : PLAN_NONE) {
			/* then those that the list has brought here */
			if (i == 1) {
				while (m < links->list->count &&
				    links->list->moves[m].to != host)
					m++;
				if (m == links->list->count)
					break;
				x = links->list->moves[m++].guest;
			}
			if (x == PLAN_NONE)
				break;
			if (ev->reserve->at[x] != host || guests[x].stays ||
			    (twin != PLAN_NONE && x != twin))
				continue;
			/* sizes: sufficient ascending, then descending */
			if ((guests[x].memory >= missing) != alone)
				continue;
			key = alone ? guests[x].memory : -guests[x].memory;
			key = key * 4096 + x % 4096;
			if (key > *last && key < least) {
				least = key;
				best = x;
			}
		}
	}
	if (best != PLAN_NONE)
		*last = least;
	return best;
}

static bool
evacuate_make_room(
    struct evacuate_links *links, uint32_t guest, uint32_t host, int out)
{
	struct evacuate *ev = links->ev;
	uint32_t count = links->list->count, x;
	int64_t last;
	bool alone = true;

	if (evacuate_look(ev, guest, host) == 0)
		return true;
	if (out == 0)
		return false;
	for (int i = 0; i < 2; i++, alone = false) {
		last = INT64_MIN;
		while ((x = evacuate_pick(links, guest, host, alone, &last)) !=
		    PLAN_NONE) {
			if (ev->looks >= links->looks)
				return false;
			if (evacuate_find_room(links, x) &&
			    evacuate_make_room(links, guest, host, out - 1))
				return true;
			evacuate_go_back(links, count);
		}
	}
	return false;
}

static bool
evacuate_find_room(struct evacuate_links *links, uint32_t guest)
{
	struct evacuate *ev = links->ev;
	struct evacuate_room rooms[EVACUATE_CHAIN_HOSTS];
	uint32_t count, best = PLAN_NONE;
	int64_t rest, least = INT64_MAX;
	bool found = false;

	for (uint32_t h = 0; h < ev->cluster->host_count; h++) {
		if (evacuate_on_path(links, h) ||
		    evacuate_look(ev, guest, h) != 0)
			continue;
		rest = ev->cluster->hosts[h].memory - ev->reserve->memory[h];
		if (rest < least) {
			least = rest;
			best = h;
		}
	}
	if (best == PLAN_NONE && links->depth < EVACUATE_CHAIN) {
		count = evacuate_list_rooms(links, guest, rooms);
		for (uint32_t i = 0; i < count && !found; i++) {
			links->path[links->depth++] = rooms[i].host;
			found = evacuate_make_room(
			    links, guest, rooms[i].host, EVACUATE_CHAIN_OUT);
			links->depth--;
			if (found)
				best = rooms[i].host;
		}
	}
	if (best == PLAN_NONE || links->list->count == ev->max)
		return false;
	evacuate_go(links, guest, best);
	return true;
}

void
evacuate_chain(struct evacuate *ev)
{
	const struct plan_cluster *cluster = ev->cluster;
	struct evacuate_links links = {.ev = ev, .list = &ev->list};
	uint32_t count, host;

	links.first = arena_array(ev->arena, cluster->host_count, 4);
	links.next = arena_array(ev->arena, cluster->guest_count, 4);
	memset(links.first, 0xff, (size_t)cluster->host_count * 4);
	for (uint32_t g = cluster->guest_count; g-- > 0;) {
		host = cluster->guests[g].host;
		if (host == PLAN_NONE || host == ev->host ||
		    !cluster->hosts[host].up)
			continue;
		links.next[g] = links.first[host];
		links.first[host] = g;
	}
	evacuate_apply(ev, &ev->list);
	/* The small ones first, each with its share of what may be looked at. */
	for (uint32_t i = ev->guest_count; i-- > 0;) {
		if (ev->reserve->at[ev->guests[i]] != ev->host ||
		    ev->hopeless[ev->guests[i]])
			continue;
		links.looks =
		    ev->looks + (EVACUATE_LOOKS - ev->looks) / (i + 1);
		count = ev->list.count;
		if (!evacuate_find_room(&links, ev->guests[i]))
			evacuate_go_back(&links, count);
	}
	evacuate_undo(ev, &ev->list);
}
