/*
 * Kept as a sum and its weight, and not as the mean itself: so the first
 * measurements make a plain mean of what there is, where a mean that starts
 * with the first value would hold on to it for minutes.
 */
#include "model/smooth.h"

#include <math.h>

void
smooth_add(struct smooth *smooth, double value, int64_t elapsed_ms,
    int64_t constant_ms, struct mono now)
{
	double keep;

	if (elapsed_ms <= 0 || isnan(value))
		return;
	keep = exp(-(double)elapsed_ms / (double)constant_ms);
	smooth->sum = smooth->sum * keep + value * (1 - keep);
	smooth->weight = smooth->weight * keep + (1 - keep);
	if (smooth->count < SMOOTH_COUNT_MIN)
		smooth->count++;
	smooth->watched_ms += elapsed_ms;
	if (smooth->watched_ms > constant_ms)
		smooth->watched_ms = constant_ms;
	smooth->at = now;
}

double
smooth_value(const struct smooth *smooth, int64_t constant_ms, int64_t stale_ms,
    struct mono now)
{
	if (smooth->count < SMOOTH_COUNT_MIN ||
	    smooth->watched_ms < constant_ms / 2 || !(smooth->weight > 0) ||
	    mono_diff(now, smooth->at) > stale_ms)
		return NAN;
	return smooth->sum / smooth->weight;
}

void
smooth_shift(struct smooth *smooth, double more)
{
	smooth->sum += more * smooth->weight;
	if (smooth->sum < 0)
		smooth->sum = 0;
}
