/*
 * The plans of drains (decide/route.h).  A plan is made when a drain begins, and
 * anew when it went otherwise: a move failed, or what the plan wanted has not
 * helped.  Not more often, because a plan that is made again after each move is
 * none: what it waits for would change all the time.
 */
#include <stdlib.h>

#include "act/drains_priv.h"
#include "base/str.h"

void
drains_forget_route(struct drain *d)
{
	for (size_t i = 0; i < d->hint_count; i++) {
		free((char *)(uintptr_t)d->hints[i].uuid);
		free((char *)(uintptr_t)d->hints[i].to);
		free((char *)(uintptr_t)d->hints[i].room);
	}
	free(d->hints);
	d->hints = NULL;
	d->hint_count = 0;
}

const char *
drains_unrouted(struct drains *ds)
{
	for (struct drain *d = ds->open; d != NULL; d = d->next) {
		if (!d->unrouted)
			continue;
		d->unrouted = false;
		return d->host;
	}
	return NULL;
}

void
drains_set_route(struct drains *ds, const char *host, const struct route *route)
{
	struct drain *d = drains_find(ds, host);

	if (d == NULL)
		return;
	d->unrouted = false;
	drains_forget_route(d);
	if (route->hint_count == 0)
		return;
	d->hints = calloc(route->hint_count, sizeof(*d->hints));
	if (d->hints == NULL)
		abort();
	d->hint_count = route->hint_count;
	for (size_t i = 0; i < d->hint_count; i++) {
		d->hints[i] = route->hints[i];
		d->hints[i].uuid = str_dup(route->hints[i].uuid);
		d->hints[i].to = str_dup(route->hints[i].to);
		d->hints[i].room = str_dup(route->hints[i].room);
	}
}
