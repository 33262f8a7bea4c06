/*
 * How fast a policy may go: moves at once, the time between moves of the same
 * guest or host, moves in a span of time.  drover.yaml's limits hold as well.
 */

#include <stddef.h>

#include "config/policy_read.h"

#define SECOND INT64_C(1000)
#define DAY (24 * 3600 * SECOND)

static const struct schema_key limits_keys[] = {
    {.name = "total",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, limit_total),
	.min = 1,
	.max = 1000,
	.meaning = "moves of this policy at once; drover.yaml's limits "
		   "hold as well"},
    {.name = "per_source",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, limit_per_source),
	.min = 1,
	.max = 100,
	.meaning = "moves of this policy at once from one host"},
    {.name = "per_target",
	.type = SCHEMA_INT,
	.offset = offsetof(struct policy, limit_per_target),
	.min = 1,
	.max = 100,
	.meaning = "moves of this policy at once to one host"},
    {.name = NULL},
};

const struct schema policy_limits_schema = {
    .what = "limits",
    .keys = limits_keys,
};

static const struct schema_key cooldown_keys[] = {
    {.name = "guest",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct policy, cooldown_guest_ms),
	.min = 1 * SECOND,
	.max = 30 * DAY,
	.meaning = "how long a guest stays after a move before this policy "
		   "moves it again"},
    {.name = "host",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct policy, cooldown_host_ms),
	.min = 1 * SECOND,
	.max = 30 * DAY,
	.meaning = "how long a host is left alone after this policy moved a "
		   "guest off it"},
    {.name = NULL},
};

const struct schema policy_cooldown_schema = {
    .what = "cooldown",
    .keys = cooldown_keys,
};

static const struct schema_key throttle_keys[] = {
    {.name = "moves",
	.type = SCHEMA_INT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy, throttle_moves),
	.min = 1,
	.max = 10000,
	.meaning = "so many moves of this policy"},
    {.name = "per",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct policy, throttle_ms),
	.min = 1 * SECOND,
	.max = 30 * DAY,
	.meaning = "in any span of this length, as 1h"},
    {.name = NULL},
};

const struct schema policy_throttle_schema = {
    .what = "throttle",
    .keys = throttle_keys,
};
