/*
 * Why a guest moves, and why one stays.
 *
 * A host is named under the first thing that it lacks, in the order in which an
 * operator could do something about it last: what is down or closed does not get
 * better by freeing memory.  What is missing is told by its largest figure, since
 * that is what would have to be freed to use any of the hosts.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/units.h"
#include "plan/evacuate_priv.h"

/* Hosts that are named; the rest is counted. */
#define EVACUATE_NAMED 6
#define EVACUATE_REASON_MAX ((size_t)4096)

static const unsigned evacuate_lacks[] = {RESERVE_DOWN, RESERVE_CLOSED,
    RESERVE_FORBIDDEN, RESERVE_APART, RESERVE_DISK, RESERVE_MEMORY};

static unsigned
evacuate_first_lack(unsigned lacks)
{
	for (size_t i = 0;
	     i < sizeof(evacuate_lacks) / sizeof(evacuate_lacks[0]); i++)
		if ((lacks & evacuate_lacks[i]) != 0)
			return evacuate_lacks[i];
	return 0;
}

static int64_t
evacuate_missing(
    const struct evacuate *ev, uint32_t guest, uint32_t host, unsigned lack)
{
	const struct plan_host *h = &ev->cluster->hosts[host];
	const struct plan_guest *g = &ev->cluster->guests[guest];

	if (lack == RESERVE_MEMORY)
		return ev->reserve->memory[host] + g->memory - h->memory;
	if (lack == RESERVE_DISK && h->disk >= 0)
		return ev->reserve->disk[host] + g->disk - h->disk;
	return 0;
}

static void
evacuate_say_lack(struct evacuate *ev, struct buf *buf, uint32_t guest,
    unsigned lack, int64_t most, uint32_t twin)
{
	char size[UNITS_TEXT_SIZE];

	units_format_bytes(most, size);
	switch ((enum reserve_lack)lack) {
	case RESERVE_DOWN:
		buf_adds(buf, "down");
		break;
	case RESERVE_CLOSED:
		buf_adds(buf, "takes in no guests");
		break;
	case RESERVE_FORBIDDEN:
		buf_addf(buf, "%s may not be there",
		    ev->cluster->guests[guest].name);
		break;
	case RESERVE_APART:
		buf_addf(
		    buf, "kept apart from %s", ev->cluster->guests[twin].name);
		break;
	case RESERVE_DISK:
		if (most > 0)
			buf_addf(buf, "%s of disk missing at most", size);
		else
			buf_adds(buf, "no room for disks known");
		break;
	case RESERVE_MEMORY:
		buf_addf(buf, "%s of memory missing at most", size);
		break;
	}
}

/* "kvm2, kvm3: 2.0 GiB of memory missing at most" */
static void
evacuate_say_group(
    struct evacuate *ev, struct buf *buf, uint32_t guest, unsigned lack)
{
	uint32_t count = 0, twin = PLAN_NONE, other;
	int64_t most = 0, missing;
	bool several = false;

	for (uint32_t h = 0; h < ev->cluster->host_count; h++) {
		if (h == ev->host ||
		    evacuate_first_lack(reserve_lacks(ev->reserve, guest, h)) !=
			lack)
			continue;
		if (count == 0 && buf->len > 0)
			buf_adds(buf, "; ");
		if (count < EVACUATE_NAMED)
			buf_addf(buf, "%s%s", count > 0 ? ", " : "",
			    ev->cluster->hosts[h].name);
		count++;
		missing = evacuate_missing(ev, guest, h, lack);
		if (missing > most)
			most = missing;
		other = reserve_twin(ev->reserve, guest, h);
		if (lack == RESERVE_APART) {
			several |= twin != PLAN_NONE && twin != other;
			twin = twin == PLAN_NONE ? other : twin;
		}
	}
	if (count == 0)
		return;
	if (count > EVACUATE_NAMED)
		buf_addf(buf, " and %" PRIu32 " more", count - EVACUATE_NAMED);
	buf_adds(buf, ": ");
	evacuate_say_lack(ev, buf, guest, lack, most, twin);
	if (several)
		buf_adds(buf, " and others");
}

const char *
evacuate_say_blocked(struct evacuate *ev, struct arena *arena, uint32_t guest)
{
	struct buf buf = BUF_INIT(EVACUATE_REASON_MAX);
	const struct plan_host *source = &ev->cluster->hosts[ev->host];
	const char *text;
	bool could = false;

	if (!source->up)
		return arena_printf(arena,
		    "%s: down, nothing can be moved off it", source->name);
	if (ev->cluster->guests[guest].stays)
		return arena_printf(
		    arena, "pinned to %s or excepted from moves", source->name);
	for (size_t i = 0;
	     i < sizeof(evacuate_lacks) / sizeof(evacuate_lacks[0]); i++) {
		uint32_t before = (uint32_t)buf.len;

		evacuate_say_group(ev, &buf, guest, evacuate_lacks[i]);
		if ((evacuate_lacks[i] & RESERVE_FIRM) == 0)
			could |= buf.len > before;
	}
	if (buf.len == 0)
		buf_adds(&buf, "there is no other host");
	if (could)
		buf_adds(&buf,
		    ev->proven
			? "; moving other guests makes no room either"
			: "; no way found to make room by moving others");
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static const char *
evacuate_say_parking(struct evacuate *ev, struct arena *arena,
    const struct evacuate_list *list, uint32_t i)
{
	const char *on = ev->cluster->hosts[list->moves[i].from].name;

	for (uint32_t k = i + 1; k < list->count; k++)
		if (list->moves[k].to == list->moves[i].from)
			return arena_printf(arena, "makes room on %s for %s",
			    on, ev->cluster->guests[list->moves[k].guest].name);
	return arena_printf(arena, "makes room on %s", on);
}

const char *
evacuate_say_move(struct evacuate *ev, struct arena *arena,
    const struct evacuate_list *list, uint32_t i)
{
	const struct plan_move *move = &list->moves[i];
	const struct plan_host *to = &ev->cluster->hosts[move->to];
	char rest[UNITS_TEXT_SIZE];
	const char *way = "";

	if (evacuate_is_parking(ev, list, i))
		return evacuate_say_parking(ev, arena, list, i);
	if (move->way != ev->cluster->guests[move->guest].way)
		way = "; shut down to be in time";
	units_format_bytes(to->memory - ev->reserve->memory[move->to], rest);
	if (isnan(ev->reserve->cpu[move->to]) || to->cpus <= 0)
		return arena_printf(arena,
		    "leaves %s; %s has %s of memory left then%s",
		    ev->cluster->hosts[ev->host].name, to->name, rest, way);
	return arena_printf(arena,
	    "leaves %s; %s has %s of memory left then and a load of %.0f %%%s",
	    ev->cluster->hosts[ev->host].name, to->name, rest,
	    ev->reserve->cpu[move->to] * 100 / to->cpus, way);
}
