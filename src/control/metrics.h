#ifndef DROVER_CONTROL_METRICS_H
#define DROVER_CONTROL_METRICS_H

#include "base/buf.h"
#include "base/err.h"
#include "notify/deliver.h"
#include "record/store.h"

/*
 * Figures for monitoring, in the text format of Prometheus (0.0.4).  Counters
 * come from the store, so that they go on after a restart; what is under way and
 * how the hosts are is given; those of deliveries are since the start.  Documented in droverd(8), METRICS.
 */

/* The last of each strategy that are taken for the error of predictions. */
#define METRICS_PREDICTIONS 100

struct metrics_gauge {
	const char *label; /* a strategy, a state of hosts */
	int64_t value;
};

/* Of one host; NAN: unknown, and left out. */
struct metrics_load {
	const char *host;
	double cpu, memory;                 /* fractions, smoothed */
	double psi_cpu, psi_memory, psi_io; /* fractions */
};

struct metrics_now {
	const char *version;
	const struct metrics_gauge *in_flight; /* by strategy */
	size_t in_flight_count;
	const struct metrics_gauge *hosts; /* by state */
	size_t host_count;
	const struct metrics_load *loads; /* by host */
	size_t load_count;
	const struct metrics_gauge *alerts; /* by host; "": fit none */
	size_t alert_count;
	int64_t kept;                  /* images that guests have left behind */
	const struct deliver *deliver; /* NULL: there are no receivers */
	struct wall at;                /* now */
};

/* Those of the receivers alone (metrics_delivery.c). */
void metrics_add_receivers(
    const struct deliver *deliver, struct wall now, struct buf *out);

int metrics_write(struct store *store, const struct metrics_now *now,
    struct buf *out, struct err *err);

#endif
