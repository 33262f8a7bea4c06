#ifndef DROVER_DECIDE_CONVERGE_H
#define DROVER_DECIDE_CONVERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * A live migration that does not end by itself is helped, step by step, on its
 * own figures.  Each rung is taken at most once, except the downtime limit,
 * which rises in steps; a rung that the policy does not allow is left out.
 * Pure: figures and time in, at most one act out.
 */

enum converge_rung {
	CONVERGE_DOWNTIME = 1 << 0, /* raise the downtime limit, up to max */
	CONVERGE_THROTTLE = 1 << 1, /* auto-converge; set at the beginning, QEMU
				     * does it by itself */
	CONVERGE_POSTCOPY = 1 << 2,
	CONVERGE_PAUSE = 1 << 3, /* stop the guest until the rest is over */
};

struct converge_policy {
	unsigned rungs;          /* allowed */
	int64_t max_downtime_ms; /* the limit may rise to this */
	int64_t pause_max_ms;    /* a pause longer than this is not begun; 0:
				   * max_downtime_ms does not bind it */
	bool postcopy_ready;     /* it was asked for, and the target can */
};

struct converge_job {
	int64_t elapsed_ms, iterations;
	int64_t memory_total, memory_remaining, memory_rate, dirty_rate;
	int64_t disk_remaining;
	int64_t downtime_limit_ms; /* as set now */
};

/* What it remembers between looks; zero at first. */
struct converge {
	int64_t best_remaining; /* least ever left at the end of a pass */
	int64_t last_iteration;
	int stalled; /* passes in a row that did not get nearer */
	int steps;   /* of the downtime limit */
	unsigned taken;
	struct mono last_act;
};

enum converge_act {
	CONVERGE_NONE,
	CONVERGE_SET_DOWNTIME, /* to `downtime_ms` */
	CONVERGE_START_POSTCOPY,
	CONVERGE_SUSPEND,
	CONVERGE_GIVE_UP, /* abort and say so: `why` */
};

struct converge_step {
	enum converge_act act;
	int64_t downtime_ms;
	char why[256]; /* the figures that led to it, in words */
};

void converge_look(struct converge *c, const struct converge_policy *policy,
    const struct converge_job *job, struct mono now, struct converge_step *out);

#endif
