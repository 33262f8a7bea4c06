#ifndef DROVER_TRIAL_SERIES_H
#define DROVER_TRIAL_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * A figure over time in one line (drover-policy(7), POLICY TESTS): items with
 * spaces between, each of them one sample or several.
 *
 *	50%		one sample
 *	50%x4		five: the value, and four times again
 *	50%+10%x3	four: 50% 60% 70% 80%; with a minus they fall
 *	_ _x3		one that is unknown; three that are
 *
 * All values of a series have one unit; 0 goes with any.  Pure.
 */

#define SERIES_SAMPLES_MAX 20000
#define SERIES_LENGTH_MAX 8192 /* bytes of the text */

enum series_unit {
	SERIES_NUMBER = 1 << 0,  /* 1.5 */
	SERIES_PERCENT = 1 << 1, /* 50%: 0.5, 0 to 1 */
	SERIES_BYTES = 1 << 2,   /* 2GiB; a bare number where numbers have no
				  * other meaning */
	SERIES_RATE = 1 << 3,    /* 10MiB/s; the same */
};

struct series {
	enum series_unit unit; /* of those asked for */
	double *values;        /* not negative; NAN: unknown */
	size_t count;          /* 0: there is no series */
};

/*
 * `units` are those that may be used, or-ed.  On failure -1, *out_at is the
 * offset in `text` of what is wrong, and *out is left alone.
 */
int series_parse(struct arena *arena, const char *text, unsigned units,
    struct series *out, size_t *out_at, struct err *err);

/* The sample in force `at_ms` after the beginning: the last one holds on.  NAN
 * without any. */
double series_at(
    const struct series *series, int64_t interval_ms, int64_t at_ms);

#endif
