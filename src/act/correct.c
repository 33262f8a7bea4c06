/*
 * An average in which the first move counts whole and later ones for a quarter,
 * so that a new place is known after one move and one odd move does no harm.
 */
#include "act/correct.h"

#include <math.h>
#include <stdbool.h>

#define CORRECT_WEIGHT 4

static int
correct_weight(int *count)
{
	int weight = *count < CORRECT_WEIGHT ? *count + 1 : CORRECT_WEIGHT;

	if (*count < CORRECT_WEIGHT)
		(*count)++;
	return weight;
}

/* Known, and off by so little that it is a lesson. */
static bool
correct_teaches(int64_t predicted, int64_t actual, int64_t most)
{
	return predicted >= 0 && actual >= 0 && actual - predicted <= most &&
	    predicted - actual <= most;
}

static double
correct_within(double value, double most)
{
	if (value > most)
		return most;
	return value < -most ? -most : value;
}

static void
correct_time(struct correction *c, int64_t predicted, int64_t actual)
{
	double now = (double)c->time_ms +
	    (double)((actual - predicted) / correct_weight(&c->times));

	c->time_ms = (int64_t)correct_within(now, CORRECT_TIME_MAX_MS);
}

static void
correct_downtime(struct correction *c, int64_t predicted, int64_t actual)
{
	double ratio = (double)(actual > 0 ? actual : 1) /
	    (double)(predicted > 0 ? predicted : 1);

	c->downtime_ln = correct_within(
	    c->downtime_ln + log(ratio) / correct_weight(&c->downtimes),
	    log(CORRECT_FACTOR_MAX));
}

void
correct_learn(struct correction *c, int64_t least_ms, int64_t predicted_ms,
    int64_t actual_ms, int64_t predicted_downtime_ms,
    int64_t actual_downtime_ms)
{
	if (predicted_downtime_ms == 0)
		return;
	if (correct_teaches(predicted_ms, actual_ms, CORRECT_TIME_MAX_MS))
		correct_time(c, predicted_ms, actual_ms);
	if (correct_teaches(predicted_downtime_ms, actual_downtime_ms,
		CORRECT_DOWNTIME_MAX_MS))
		correct_downtime(c, predicted_downtime_ms - least_ms,
		    actual_downtime_ms - least_ms);
}
