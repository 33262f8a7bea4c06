/*
 * An average in which the first move counts whole and later ones for a quarter,
 * so that a new place is known after one move and one odd move does no harm.
 */
#include "act/correct.h"

#include <stdbool.h>

#define CORRECT_WEIGHT 4

static void
correct_one(int64_t *correction, int *count, int64_t predicted, int64_t actual,
    int64_t most)
{
	int64_t error;
	int weight = *count < CORRECT_WEIGHT ? *count + 1 : CORRECT_WEIGHT;

	if (predicted < 0 || actual < 0)
		return;
	error = actual - predicted;
	if (error > most || error < -most)
		return;
	*correction += error / weight;
	if (*correction > most)
		*correction = most;
	if (*correction < -most)
		*correction = -most;
	if (*count < CORRECT_WEIGHT)
		(*count)++;
}

void
correct_learn(struct correction *c, int64_t predicted_ms, int64_t actual_ms,
    int64_t predicted_downtime_ms, int64_t actual_downtime_ms)
{
	if (predicted_downtime_ms == 0)
		return;
	correct_one(&c->time_ms, &c->times, predicted_ms, actual_ms,
	    CORRECT_TIME_MAX_MS);
	correct_one(&c->downtime_ms, &c->downtimes, predicted_downtime_ms,
	    actual_downtime_ms, CORRECT_DOWNTIME_MAX_MS);
}
