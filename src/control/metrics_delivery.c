/*
 * Figures of the deliveries.  The format wants all samples of a name together, so
 * the figures are kept while the receivers are walked once for each name: to count
 * a long queue again each time would take long.
 *
 * Attempts are requests, all else counts events: a batch is one request.
 */
#include "control/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include "config/settings.h"

struct family {
	struct buf *out;
	struct wall now;
	const char *name;
	int64_t (*value)(
	    const struct deliver_figures *figures, struct wall now);
};

static int64_t
value_pending(const struct deliver_figures *f, struct wall now)
{
	(void)now;
	return f->pending;
}

static int64_t
value_oldest(const struct deliver_figures *f, struct wall now)
{
	if (f->pending == 0 || f->oldest.ms == 0 || now.ms < f->oldest.ms)
		return 0;
	return (now.ms - f->oldest.ms) / 1000;
}

static int64_t
value_dead(const struct deliver_figures *f, struct wall now)
{
	(void)now;
	return f->dead_letters;
}

static int64_t
value_up(const struct deliver_figures *f, struct wall now)
{
	(void)now;
	return !f->disabled && !f->open;
}

static int64_t
value_delivered(const struct deliver_figures *f, struct wall now)
{
	(void)now;
	return f->counters.delivered;
}

static int64_t
value_evicted(const struct deliver_figures *f, struct wall now)
{
	(void)now;
	return f->counters.evicted;
}

static int64_t
value_expired(const struct deliver_figures *f, struct wall now)
{
	(void)now;
	return f->counters.expired;
}

static const struct {
	const char *name, *type, *help;
	int64_t (*value)(
	    const struct deliver_figures *figures, struct wall now);
} families[] = {
    {"drover_delivery_pending", "gauge", "Events that wait for a receiver.",
	value_pending},
    {"drover_delivery_oldest_seconds", "gauge",
	"How long the oldest of them has been waiting; 0: none waits.",
	value_oldest},
    {"drover_delivery_dead", "gauge", "Dead letters that are kept.",
	value_dead},
    {"drover_receiver_up", "gauge",
	"0: it is disabled, or its last answer was a temporary failure.",
	value_up},
    {"drover_delivery_delivered_total", "counter",
	"Events that a receiver accepted.", value_delivered},
    {"drover_delivery_evicted_total", "counter",
	"Events that became dead letters because the queue was full.",
	value_evicted},
    {"drover_delivery_expired_total", "counter",
	"Events that became dead letters because of their age.", value_expired},
};

static void
add_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_value(const struct deliver_figures *figures, void *arg)
{
	struct family *family = arg;

	buf_addf(family->out, "%s{receiver=\"%s\"} %" PRId64 "\n", family->name,
	    figures->receiver, family->value(figures, family->now));
}

static void
add_attempts(const struct deliver_figures *figures, void *arg)
{
	for (int i = 0; i < DELIVER_CODE_COUNT; i++)
		buf_addf(arg,
		    "drover_delivery_attempts_total{receiver=\"%s\","
		    "code=\"%s\"} %" PRId64 "\n",
		    figures->receiver, deliver_code_names[i],
		    figures->counters.attempts[i]);
}

#define LATENCY "drover_delivery_latency_seconds"

static void
add_latency(const struct deliver_figures *figures, void *arg)
{
	const struct deliver_counters *c = &figures->counters;
	int64_t sum = 0;

	for (int i = 0; i < DELIVER_BUCKETS; i++) {
		sum += c->latency[i];
		buf_addf(arg,
		    LATENCY "_bucket{receiver=\"%s\",le=\"%g\"} %" PRId64 "\n",
		    figures->receiver, deliver_bucket_s[i], sum);
	}
	sum += c->latency[DELIVER_BUCKETS];
	buf_addf(arg,
	    LATENCY "_bucket{receiver=\"%s\",le=\"+Inf\"} %" PRId64 "\n" LATENCY
		    "_sum{receiver=\"%s\"} %.3f\n" LATENCY
		    "_count{receiver=\"%s\"} %" PRId64 "\n",
	    figures->receiver, sum, figures->receiver, c->latency_sum_s,
	    figures->receiver, sum);
}

struct all_figures {
	struct deliver_figures rows[SETTINGS_RECEIVERS_MAX];
	size_t count;
};

static void
keep(const struct deliver_figures *figures, void *arg)
{
	struct all_figures *all = arg;

	if (all->count < SETTINGS_RECEIVERS_MAX)
		all->rows[all->count++] = *figures;
}

static void
each(const struct all_figures *all,
    void (*fn)(const struct deliver_figures *figures, void *arg), void *arg)
{
	for (size_t i = 0; i < all->count; i++)
		fn(&all->rows[i], arg);
}

void
metrics_add_receivers(
    const struct deliver *deliver, struct wall now, struct buf *out)
{
	struct all_figures *all = calloc(1, sizeof(*all));
	struct family family = {.out = out, .now = now};

	if (all == NULL)
		abort();
	deliver_each_figures(deliver, keep, all);
	add_head(out, "drover_delivery_attempts_total", "counter",
	    "Requests to a receiver, by the class of the answer.");
	each(all, add_attempts, out);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		add_head(
		    out, families[i].name, families[i].type, families[i].help);
		family.name = families[i].name;
		family.value = families[i].value;
		each(all, add_value, &family);
	}
	add_head(out, LATENCY, "histogram",
	    "From what happened to its acceptance by a receiver.");
	each(all, add_latency, out);
	free(all);
}
