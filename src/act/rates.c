/*
 * The rate of a link as an average in which a new move counts for a quarter: one
 * that was slowed down by something else does not spoil it, and a link that has
 * become another one is known after a few moves.
 */
#include "act/rates.h"

#include <stdlib.h>

#include "base/map.h"

struct rates {
	struct map *hosts; /* name -> struct rate */
};

struct rate {
	int64_t bytes_per_second;
};

struct rates *
rates_new(void)
{
	struct rates *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->hosts = map_new(free);
	return r;
}

void
rates_free(struct rates *r)
{
	if (r == NULL)
		return;
	map_free(r->hosts);
	free(r);
}

void
rates_remember(struct rates *r, const char *to, int64_t rate)
{
	struct rate *new;

	if (rate <= 0 || map_get(r->hosts, to) != NULL ||
	    map_count(r->hosts) >= RATES_HOSTS_MAX)
		return;
	new = malloc(sizeof(*new));
	if (new == NULL)
		abort();
	new->bytes_per_second = rate;
	map_set(r->hosts, to, new);
}

void
rates_learn(
    struct rates *r, const char *to, int64_t bytes, int64_t ms, int64_t limit)
{
	struct rate *rate = map_get(r->hosts, to);
	int64_t now;

	if (bytes < RATES_BYTES_MIN || ms < RATES_MS_MIN ||
	    bytes > INT64_MAX / 1000)
		return;
	now = bytes * 1000 / ms;
	if (limit > 0 && now > limit / 5 * 4)
		return;
	if (rate != NULL)
		rate->bytes_per_second += (now - rate->bytes_per_second) / 4;
	else
		rates_remember(r, to, now);
}

int64_t
rates_of(const struct rates *r, const char *to)
{
	const struct rate *rate = map_get(r->hosts, to);

	return rate != NULL ? rate->bytes_per_second : 0;
}
