/*
 * All limits in one place: of moves at once in all, out of a host and into a
 * host.  A limit may be set in drover.yaml, in the policy, for the host and for
 * one drain; the strictest counts, and the words name it, so that a person who
 * wonders why nothing moves knows which number to change.
 *
 * Counted is what the ledger has booked: moves in flight and those that this
 * evaluation has started.
 */
#include "decide/pace.h"

static int
pace_stricter(int a, int b)
{
	if (a < 0)
		return b;
	if (b < 0)
		return a;
	return a < b ? a : b;
}

struct pace_limits
pace_combine(struct pace_limits a, struct pace_limits b)
{
	return (struct pace_limits){
	    .total = pace_stricter(a.total, b.total),
	    .per_source = pace_stricter(a.per_source, b.per_source),
	    .per_target = pace_stricter(a.per_target, b.per_target),
	};
}

/* One host's side: the common limit and the host's own. */
static const char *
pace_check_host(struct arena *arena, const struct snap_host *host, int booked,
    int common, const char *common_name, int own, const char *own_name)
{
	int limit = pace_stricter(common, own);

	if (limit < 0 || booked < limit)
		return NULL;
	return arena_printf(arena, "limit %s %d of %s reached",
	    own == limit && own != common ? own_name : common_name, limit,
	    host->name);
}

const char *
pace_check(struct arena *arena, const struct snapshot *s,
    const struct place_ledger *ledger, const struct pace_limits *limits,
    const struct snap_host *from, const struct snap_host *to)
{
	const char *why;

	if (limits->total >= 0 && ledger->total >= limits->total)
		return arena_printf(
		    arena, "limit total %d reached", limits->total);
	why = pace_check_host(arena, from, ledger->outbound[from - s->hosts],
	    limits->per_source, "per_source", from->outbound_limit, "outbound");
	if (why != NULL)
		return why;
	return pace_check_host(arena, to, ledger->inbound[to - s->hosts],
	    limits->per_target, "per_target", to->inbound_limit, "inbound");
}
