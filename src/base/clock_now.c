/*
 * The only place that reads a clock, apart from libcore so that nothing pure
 * can reach it.  CLOCK_MONOTONIC stands still while the machine is suspended,
 * which is what waiting wants: a laptop's nap is not a host that hung.
 */
#include "base/clock.h"

#include <time.h>

static int64_t
clock_read_ms(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct mono
clock_mono_now(void)
{
	return (struct mono){clock_read_ms(CLOCK_MONOTONIC)};
}

struct wall
clock_wall_now(void)
{
	return (struct wall){clock_read_ms(CLOCK_REALTIME)};
}
