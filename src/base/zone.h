#ifndef DROVER_BASE_ZONE_H
#define DROVER_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

/*
 * The rules of a time zone, as compiled by zic(8): TZif of versions 1 to 4
 * (RFC 9636).  Never changed once made: threads may share one.  NULL is UTC in
 * all that follows.
 */
struct zone;

#define ZONE_SIZE_MAX ((size_t)256 << 10) /* bytes of the file */
#define ZONE_TIMES_MAX 8000               /* changes that it may list */

/*
 * Reads the contents of a file.  It lives in the arena and does not refer to
 * `data`.  On failure NULL, and ERR_INVALID says what is wrong with the file.
 * Refused besides what is malformed: zones that count leap seconds ("right/"),
 * because the time of a system does not.
 */
const struct zone *zone_parse(
    struct arena *arena, const void *data, size_t len, struct err *err);

/* Local time minus UTC, in seconds. */
int64_t zone_offset_s(const struct zone *zone, struct wall t);

/* When the offset may next be another one, later than `t`; until then it stays.
 * ZONE_NEVER: never. */
#define ZONE_NEVER INT64_MAX
struct wall zone_next_change(const struct zone *zone, struct wall t);

/* What the clock on the wall shows: 0 = Monday, and the minute of the day. */
void zone_local(
    const struct zone *zone, struct wall t, int *weekday, int *minute);

#endif
