#ifndef DROVER_MODEL_SMOOTH_H
#define DROVER_MODEL_SMOOTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * A figure that is measured again and again, smoothed: the mean of all that was
 * measured, in which what is older counts less, by half in 0.69 time constants.
 * Each measurement counts for the time that it is about, so that it does not
 * matter whether they come regularly.
 *
 * Pure.  All zero is a figure that was never measured.
 */

struct smooth {
	double sum, weight; /* the mean is sum / weight */
	int count;          /* of measurements, up to SMOOTH_COUNT_MIN */
	int64_t watched_ms; /* that they are about, up to a time constant */
	struct mono at;     /* of the last */
};

/* Nothing is told from fewer, nor from less than half a time constant. */
#define SMOOTH_COUNT_MIN 2

/* `value` was the mean over the last `elapsed_ms`; not NAN. */
void smooth_add(struct smooth *smooth, double value, int64_t elapsed_ms,
    int64_t constant_ms, struct mono now);

/* NAN: too little was measured, or the last is older than `stale_ms`. */
double smooth_value(const struct smooth *smooth, int64_t constant_ms,
    int64_t stale_ms, struct mono now);

/* From now on it is so much more or less, but not less than 0. */
void smooth_shift(struct smooth *smooth, double more);

#endif
