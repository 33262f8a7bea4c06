/*
 * A plan for a drain, from how everything is now.  It is made before the
 * evaluation that begins the drain's first move, so that the first move is one of
 * the plan's.
 */
#include "act/pilot_priv.h"
#include "base/log.h"

#define ARENA_MAX ((size_t)1 << 30)

static void
tell(const struct route *route, const char *host)
{
	if (route->planned)
		log_info("drain",
		    "%s: planned: %zu moves, %zu guests late, %zu cannot leave",
		    host, route->hint_count, route->late_count, route->blocked);
}

json_t *
pilot_route(struct pilot *p, const char *host)
{
	struct snapshot *s = pilot_snapshot(p);
	struct arena *arena = arena_new(ARENA_MAX);
	const struct snap_host *h = snapshot_find_host(s, host);
	struct evaluate_input input;
	struct route *route;
	json_t *json = NULL;

	if (h != NULL && h->known) {
		pilot_fill_input(p, s, &input);
		route = route_drain(arena, &input, h);
		json = route_json(route, s, s->taken_wall);
		tell(route, host);
		/* It refers to what is freed here: copied. */
		drains_set_route(p->deps.drains, host, route);
	}
	arena_free(arena);
	snapshot_free(s);
	return json;
}

void
pilot_route_all(struct pilot *p)
{
	const char *host;

	while ((host = drains_unrouted(p->deps.drains)) != NULL)
		json_decref(pilot_route(p, host));
}
