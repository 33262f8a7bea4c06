/*
 * Any bytes as the rules of a time zone.  What is taken has an offset of at
 * most a good day at every instant, and stays as it is until the change that
 * it announces.
 */

#include <stdint.h>
#include <stdlib.h>

#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DAY_S 86400

static void
follow(const struct zone *zone, int64_t from)
{
	struct wall t = {from};

	for (int i = 0; i < 40; i++) {
		int64_t offset = zone_offset_s(zone, t);
		struct wall next = zone_next_change(zone, t);
		int weekday, minute;

		zone_local(zone, t, &weekday, &minute);
		/* Rules may say 24:59:59 and an hour of summer time. */
		if (offset < -27 * 3600 || offset > 27 * 3600 || weekday < 0 ||
		    weekday > 6 || minute < 0 || minute > 1439)
			abort();
		if (next.ms <= t.ms)
			abort();
		if (next.ms == ZONE_NEVER)
			break;
		if (zone_offset_s(zone, (struct wall){next.ms - 1}) != offset)
			abort();
		t = next;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t from[] = {-INT64_C(5000000000000), 0,
	    INT64_C(1767225600000), INT64_C(253402300799999)};
	struct arena *arena = arena_new((size_t)4 << 20);
	struct err err = {.code = ERR_NONE};
	const struct zone *zone = zone_parse(arena, data, size, &err);

	if (zone == NULL && (err.code != ERR_INVALID || err.msg[0] == '\0'))
		abort();
	for (size_t i = 0; zone != NULL && i < sizeof(from) / sizeof(from[0]);
	     i++)
		follow(zone, from[i]);
	arena_free(arena);
	return 0;
}
