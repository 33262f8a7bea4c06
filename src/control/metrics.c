/*
 * The error of a prediction is what came out, less what was foretold, as a part
 * of what was foretold; its median over the last moves says how far plans can be
 * trusted.  A median and not a mean: one guest that calmed down would spoil it.
 */
#include "control/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRATEGIES_MAX 8
#define PREDICTIONS_READ 1000 /* rows that are looked at, all strategies */

struct errors {
	char strategy[32];
	double time[METRICS_PREDICTIONS], downtime[METRICS_PREDICTIONS];
	size_t times, downtimes;
};

struct collected {
	struct buf *out;
	struct errors errors[STRATEGIES_MAX];
	size_t count;
	const char *family; /* of totals, that is written */
};

static void
add_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_total(const struct store_total *total, void *arg)
{
	struct collected *c = arg;
	bool moves = strcmp(c->family, "drover_moves_total") == 0;

	buf_addf(c->out, "%s{strategy=\"%s\",outcome=\"%s\"} %" PRId64 "\n",
	    c->family, total->strategy, total->outcome,
	    moves ? total->moves : total->bytes);
}

static void
add_error(double *errors, size_t *count, int64_t predicted, int64_t actual)
{
	if (*count < METRICS_PREDICTIONS && predicted > 0 && actual >= 0)
		errors[(*count)++] = fabs((double)actual - (double)predicted) /
		    (double)predicted;
}

static void
add_prediction(const struct store_prediction *row, void *arg)
{
	struct collected *c = arg;
	struct errors *e = NULL;

	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->errors[i].strategy, row->strategy) == 0)
			e = &c->errors[i];
	if (e == NULL && c->count < STRATEGIES_MAX &&
	    strlen(row->strategy) < sizeof(e->strategy)) {
		e = &c->errors[c->count++];
		memcpy(e->strategy, row->strategy, strlen(row->strategy) + 1);
	}
	if (e == NULL)
		return;
	add_error(e->time, &e->times, row->predicted_ms, row->actual_ms);
	add_error(e->downtime, &e->downtimes, row->predicted_downtime_ms,
	    row->actual_downtime_ms);
}

static int
compare_errors(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
add_median(struct buf *out, const char *strategy, const char *figure,
    double *errors, size_t count)
{
	double median;

	if (count == 0)
		return;
	qsort(errors, count, sizeof(errors[0]), compare_errors);
	median = count % 2 == 1
	    ? errors[count / 2]
	    : (errors[count / 2 - 1] + errors[count / 2]) / 2;
	buf_addf(out,
	    "drover_prediction_error_ratio{strategy=\"%s\",figure=\"%s\","
	    "quantile=\"0.5\"} %.4f\n",
	    strategy, figure, median);
}

static int
compare_strategies(const void *a, const void *b)
{
	const struct errors *x = a, *y = b;

	return strcmp(x->strategy, y->strategy);
}

static void
add_predictions(struct collected *c)
{
	qsort(c->errors, c->count, sizeof(c->errors[0]), compare_strategies);
	add_head(c->out, "drover_prediction_error_ratio", "gauge",
	    "Median of |actual - predicted| / predicted, of the last moves.");
	for (size_t i = 0; i < c->count; i++) {
		struct errors *e = &c->errors[i];

		add_median(c->out, e->strategy, "time", e->time, e->times);
		add_median(
		    c->out, e->strategy, "downtime", e->downtime, e->downtimes);
	}
}

static void
add_gauges(struct buf *out, const char *name, const char *label,
    const struct metrics_gauge *gauges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s{%s=\"%s\"} %" PRId64 "\n", name, label,
		    gauges[i].label, gauges[i].value);
}

static void
add_ratio(struct buf *out, const char *name, const char *host, double value)
{
	if (!isnan(value))
		buf_addf(out, "%s{host=\"%s\"} %.4f\n", name, host, value);
}

static void
add_pressure(
    struct buf *out, const char *host, const char *resource, double value)
{
	if (!isnan(value))
		buf_addf(out,
		    "drover_host_pressure_ratio{host=\"%s\","
		    "resource=\"%s\"} %.4f\n",
		    host, resource, value);
}

static void
add_loads(struct buf *out, const struct metrics_now *now)
{
	add_head(out, "drover_host_cpu_ratio", "gauge",
	    "Part of a host's processor time that is used, smoothed.");
	for (size_t i = 0; i < now->load_count; i++)
		add_ratio(out, "drover_host_cpu_ratio", now->loads[i].host,
		    now->loads[i].cpu);
	add_head(out, "drover_host_memory_ratio", "gauge",
	    "Part of a host's memory that is used, smoothed.");
	for (size_t i = 0; i < now->load_count; i++)
		add_ratio(out, "drover_host_memory_ratio", now->loads[i].host,
		    now->loads[i].memory);
	add_head(out, "drover_host_pressure_ratio", "gauge",
	    "Part of the last minute in which something waited at a host.");
	for (size_t i = 0; i < now->load_count; i++) {
		const struct metrics_load *load = &now->loads[i];

		add_pressure(out, load->host, "cpu", load->psi_cpu);
		add_pressure(out, load->host, "memory", load->psi_memory);
		add_pressure(out, load->host, "io", load->psi_io);
	}
}

int
metrics_write(struct store *store, const struct metrics_now *now,
    struct buf *out, struct err *err)
{
	struct collected *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		abort();
	c->out = out;
	add_head(out, "drover_info", "gauge", "Which version runs.");
	buf_addf(out, "drover_info{version=\"%s\"} 1\n", now->version);
	add_head(out, "drover_moves_total", "counter", "Moves that ended.");
	c->family = "drover_moves_total";
	rc = store_each_total(store, add_total, c, err);
	add_head(out, "drover_moved_bytes_total", "counter",
	    "Bytes of memory and disks that moves have sent.");
	c->family = "drover_moved_bytes_total";
	if (rc == 0)
		rc = store_each_total(store, add_total, c, err);
	if (rc == 0)
		rc = store_each_prediction(
		    store, PREDICTIONS_READ, add_prediction, c, err);
	add_predictions(c);
	add_head(out, "drover_moves_in_flight", "gauge",
	    "Moves that are under way.");
	add_gauges(out, "drover_moves_in_flight", "strategy", now->in_flight,
	    now->in_flight_count);
	add_head(out, "drover_hosts", "gauge", "Hosts, by their state.");
	add_gauges(out, "drover_hosts", "state", now->hosts, now->host_count);
	add_loads(out, now);
	add_head(out, "drover_kept_images", "gauge",
	    "Images that are kept at the old hosts of their guests.");
	buf_addf(out, "drover_kept_images %" PRId64 "\n", now->kept);
	add_head(out, "drover_alerts", "gauge",
	    "Alerts that are on, by host; without one: those that fit none.");
	add_gauges(out, "drover_alerts", "host", now->alerts, now->alert_count);
	if (now->deliver != NULL)
		metrics_add_receivers(now->deliver, now->at, out);
	free(c);
	return rc;
}
