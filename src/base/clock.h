#ifndef DROVER_BASE_CLOCK_H
#define DROVER_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Two kinds of time that the compiler keeps apart.  `struct mono` is for
 * waiting and measuring, `struct wall` for people and records.  Both count
 * milliseconds; wall counts from the Unix epoch (UTC).
 *
 * The pure core takes time as an argument.  Only clock_mono_now() and
 * clock_wall_now() read a clock; they live in clock_now.c, which is not part
 * of libcore.
 */

struct mono {
	int64_t ms;
};
struct wall {
	int64_t ms;
};

struct mono clock_mono_now(void);
struct wall clock_wall_now(void);

static inline struct mono
mono_add(struct mono t, int64_t ms)
{
	return (struct mono){t.ms + ms};
}

/* Milliseconds from `from` to `to` (negative when `to` is earlier). */
static inline int64_t
mono_diff(struct mono to, struct mono from)
{
	return to.ms - from.ms;
}

static inline bool
mono_before(struct mono a, struct mono b)
{
	return a.ms < b.ms;
}

/* RFC 3339 in UTC with milliseconds: 2026-11-21T03:00:00.123Z. */
#define CLOCK_RFC3339_SIZE 32
void wall_format(struct wall t, char out[CLOCK_RFC3339_SIZE]);

/* Any RFC 3339: 2026-11-21T03:00:00.123456789+01:00; what is finer than a
 * millisecond is cut off, and a leap second counts as the one after it.  False:
 * it is none. */
bool wall_parse(const char *text, struct wall *out);

#endif
