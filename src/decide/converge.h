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
	int64_t pause_max_ms;    /* a pause that would last longer is not begun;
				   * 0: any may be.  max_downtime_ms does not
				   * bind it */
	bool postcopy_ready;     /* it was asked for, and the target can */
};

/* Bytes, bytes/s; -1: unknown. */
struct converge_job {
	int64_t elapsed_ms, iterations; /* passes over the memory begun */
	int64_t memory_total, memory_remaining, memory_rate, dirty_rate;
	int64_t disk_remaining;
	int64_t downtime_limit_ms; /* as set now; 0: QEMU's 300 ms */
};

/* What it remembers between looks; zero at first. */
struct converge {
	int64_t best_remaining; /* least ever left at the beginning of a pass
				 * but the first; 0: none yet */
	int64_t last_iteration;
	int stalled;          /* passes in a row that did not get nearer */
	int steps;            /* of the downtime limit */
	int64_t limit_before; /* the last one */
	unsigned taken;
	struct mono last_act; /* or when it last got nearer */
	struct mono pass_began;
};

/* A pass got nearer when it left this part less than the best before it. */
#define CONVERGE_NEARER 20 /* one in twenty */
/* Passes in a row that did not, until the first act and between acts; and the
 * least time between acts, so that one can show what it does. */
#define CONVERGE_STALLED 2
#define CONVERGE_PATIENCE_MS 1000
/* QEMU throttles in 9 steps, each after two passes of a second or more. */
#define CONVERGE_THROTTLE_PASSES 18
#define CONVERGE_THROTTLE_MS 18000

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

/*
 * Is to be called several times a second, best at least once a pass; `out` is
 * replaced.  Nothing is asked for while disks are copied, before the second pass
 * has begun, after a pause has been asked for, and after giving up.  An act that
 * could not be done (its call failed) is not asked for again: the next rung is.
 */
void converge_look(struct converge *c, const struct converge_policy *policy,
    const struct converge_job *job, struct mono now, struct converge_step *out);

#endif
