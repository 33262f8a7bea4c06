/*
 * Most clusters have so much room that the answer takes one comparison: while
 * guests are placed one by one, one of size s finds no host only when each
 * host has less than s left.  Then each has handed out more than its free
 * memory less s.  So when the sum over the other hosts of (free - largest
 * guest), counting what is above 0, is at least what must be placed, any order
 * of placing succeeds.  That sum, over all hosts and for the largest guest of
 * all, is kept up to date with each move (`roomy`).
 *
 * Where that is too coarse it is asked anew for one host and its own largest
 * guest, and where that fails too, its guests are placed for a try: the largest
 * first, each where it leaves the least.
 */
#include "plan/spare.h"

#include <stdlib.h>

static bool
spare_takes(const struct plan_host *host)
{
	return host->up && host->accepts;
}

static int64_t
spare_free(const struct score *score, uint32_t host)
{
	const struct plan_host *h = &score->cluster->hosts[host];

	if (!spare_takes(h) || h->memory <= score->memory[host])
		return 0;
	return h->memory - score->memory[host];
}

int64_t
spare_roomy(const struct score *score, uint32_t host)
{
	int64_t room = spare_free(score, host) - score->largest;

	return room > 0 ? room : 0;
}

/* The guests that run there, largest first. */
static uint32_t
spare_list(struct score *score, uint32_t host, int64_t *out_need)
{
	const struct plan_guest *guests = score->cluster->guests;
	uint32_t count = 0;

	*out_need = 0;
	for (uint32_t g = score->first[host]; g != PLAN_NONE;
	     g = score->next[g]) {
		uint32_t at = count++;

		if (!guests[g].runs) {
			count--;
			continue;
		}
		*out_need += guests[g].memory;
		while (at > 0 &&
		    guests[score->order[at - 1]].memory < guests[g].memory) {
			score->order[at] = score->order[at - 1];
			at--;
		}
		score->order[at] = g;
	}
	return count;
}

/* Tries it: score->scratch becomes what is left on each host. */
static bool
spare_place(struct score *score, uint32_t host, uint32_t count)
{
	const struct plan_cluster *c = score->cluster;

	for (uint32_t h = 0; h < c->host_count; h++)
		score->scratch[h] = h == host ? 0 : spare_free(score, h);
	for (uint32_t i = 0; i < count; i++) {
		int64_t size = c->guests[score->order[i]].memory;
		uint32_t best = PLAN_NONE;

		for (uint32_t h = 0; h < c->host_count; h++)
			if (score->scratch[h] >= size &&
			    (best == PLAN_NONE ||
				score->scratch[h] < score->scratch[best]))
				best = h;
		if (best == PLAN_NONE && size > 0)
			return false;
		if (best != PLAN_NONE)
			score->scratch[best] -= size;
	}
	return true;
}

static bool
spare_holds(struct score *score, uint32_t host, uint64_t *work)
{
	const struct plan_cluster *c = score->cluster;
	int64_t need, roomy = 0, largest;
	uint32_t count = spare_list(score, host, &need);

	*work += count + c->host_count;
	if (count == 0)
		return true;
	largest = c->guests[score->order[0]].memory;
	for (uint32_t h = 0; h < c->host_count; h++) {
		int64_t room = spare_free(score, h) - largest;

		if (h != host && room > 0)
			roomy += room;
	}
	if (roomy >= need)
		return true;
	*work += (uint64_t)count * c->host_count;
	return spare_place(score, host, count);
}

uint32_t
spare_count(struct score *score, uint32_t enough, uint64_t *work)
{
	const struct plan_cluster *c = score->cluster;
	uint32_t count = 0;

	(*work)++;
	if (score->overfull == 0 && score->roomy >= score->largest_host)
		return 0;
	for (uint32_t h = 0; h < c->host_count && count <= enough; h++)
		if (c->hosts[h].up && !spare_holds(score, h, work))
			count++;
	return count;
}

static void
spare_relink(struct score *score, uint32_t guest, uint32_t to)
{
	uint32_t from = score->where[guest];
	int64_t size = score->cluster->guests[guest].memory;

	score->roomy -= spare_roomy(score, from) + spare_roomy(score, to);
	score->memory[from] -= size;
	score->memory[to] += size;
	score->roomy += spare_roomy(score, from) + spare_roomy(score, to);
	score_relink(score, guest, to);
}

uint32_t
spare_count_after(struct score *score, uint32_t guest, uint32_t to,
    uint32_t enough, uint64_t *work)
{
	uint32_t from = score->where[guest], count;

	spare_relink(score, guest, to);
	count = spare_count(score, enough, work);
	spare_relink(score, guest, from);
	return count;
}
