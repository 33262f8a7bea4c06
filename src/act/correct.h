#ifndef DROVER_ACT_CORRECT_H
#define DROVER_ACT_CORRECT_H

#include <stdint.h>

/*
 * By how much predictions of one strategy were off of late.  What a move costs
 * beside its copying depends on the machines (how fast QEMU starts and ends, how
 * long guests take to shut down), and is learned rather than configured: as so
 * many milliseconds of the time, and as a factor of the downtime, of which all
 * parts go by how fast machines and link are.  Pure.
 */

/* What is off by more was so for another reason, and teaches nothing. */
#define CORRECT_TIME_MAX_MS 10000
#define CORRECT_DOWNTIME_MAX_MS 3000
#define CORRECT_FACTOR_MAX 16.0 /* of the downtime, and its inverse */

struct correction {
	int64_t time_ms;      /* to be added; 0 at first */
	double downtime_ln;   /* logarithm of the factor; 0 at first */
	int times, downtimes; /* moves that have taught it */
};

/* least_ms: the part of a downtime that no link makes shorter, and to which the
 * factor does not apply.  All others -1: unknown.  The prediction is the one that was made with the correction
 * of its time.  One without downtime (the guest was off) is no lesson. */
void correct_learn(struct correction *c, int64_t least_ms, int64_t predicted_ms,
    int64_t actual_ms, int64_t predicted_downtime_ms,
    int64_t actual_downtime_ms);

#endif
