/*
 * Emptying the outbox: which receivers there are, and one timer for all.
 *
 * The timer is set to the earliest time at which any receiver has something
 * to do; news, finished requests and a new configuration set it to now.  It
 * fires after all sockets that were ready have been served: so the verdicts of
 * one turn of the loop are written first, together (verdict.c), and then every
 * receiver is filled up (receiver.c).  A request is in delivery.c.
 *
 * A receiver that left the configuration keeps its rows: it may be a mistake
 * in a file, and an event is not less true for it.
 */
#include "notify/deliver_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define DELIVER_FIRST_MS 1000
#define DELIVER_MAX_MS (5 * 60 * 1000)
#define DELIVER_REREAD_MS 10000

static const struct deliver_ops deliver_hands = {
    .load = secret_load, .sign = secret_sign, .format = format_events};

void
deliver_set_backoff(struct deliver *d, int64_t first_ms, int64_t max_ms)
{
	d->first_ms = first_ms;
	d->max_ms = max_ms;
}

void
deliver_set_ops(struct deliver *d, const struct deliver_ops *ops)
{
	d->ops = ops;
}

void
deliver_kick(struct deliver *d)
{
	loop_timer_set(d->timer, 0);
}

/* Also to receivers that had their turn already. */
static void
deliver_tell_news(struct deliver *d)
{
	if (!d->news)
		return;
	d->news = false;
	announce_flush(d->announce);
	deliver_kick(d);
}

static void
deliver_wake(void *arg)
{
	struct deliver *d = arg;
	struct receiver *r, *next;
	int64_t wait = DELIVER_LOOK_MS;
	bool settled = verdict_settle(d);

	for (r = TAILQ_FIRST(&d->receivers); r != NULL; r = next) {
		int64_t again = INT64_MAX;

		next = TAILQ_NEXT(r, link);
		if (!settled && receiver_is_unsettled(r))
			again = d->first_ms;
		else if (r->settings != NULL)
			again = receiver_fill(r);
		else if (r->count == 0)
			receiver_free(r);
		if (again < wait)
			wait = again;
	}
	loop_timer_set(d->timer, wait > 0 ? wait : 0);
	deliver_tell_news(d);
}

static struct receiver *
deliver_find_any(const struct deliver *d, const char *name)
{
	struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

struct receiver *
deliver_find(const struct deliver *d, const char *name)
{
	struct receiver *r = deliver_find_any(d, name);

	return r != NULL && r->settings != NULL ? r : NULL;
}

static struct receiver *
deliver_expect(const struct deliver *d, const char *name, struct err *err)
{
	struct receiver *r = deliver_find(d, name);

	if (r == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no receiver %s", name);
	return r;
}

/* ---- configuration ---- */

static void
deliver_add_receiver(struct deliver *d, const struct settings_receiver *s)
{
	struct receiver *r = deliver_find_any(d, s->name);

	if (r != NULL) {
		TAILQ_REMOVE(&d->receivers, r, link);
	} else {
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			abort();
		r->deliver = d;
		LIST_INIT(&r->deliveries);
	}
	TAILQ_INSERT_TAIL(&d->receivers, r, link);
	receiver_configure(r, s);
}

static void
deliver_tell_orphan(const char *name, int64_t pending, void *arg)
{
	if (deliver_find(arg, name) == NULL)
		log_warn("notify",
		    "%" PRId64 " events wait for receiver %s, "
		    "which is not configured; they are kept, and sent when it "
		    "is again",
		    pending, name);
}

void
deliver_configure(struct deliver *d, const struct settings *settings)
{
	struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	receiver_configure(r, NULL);
	for (size_t i = 0; i < settings->receiver_count; i++)
		deliver_add_receiver(d, &settings->receivers[i]);
	store_each_backlog(d->store, deliver_tell_orphan, d, NULL);
	deliver_kick(d);
}

struct deliver *
deliver_new(struct loop *loop, struct store *store,
    const struct settings *settings, struct err *err)
{
	struct deliver *d = calloc(1, sizeof(*d));

	if (d == NULL)
		abort();
	d->http = http_new(loop, err);
	if (d->http == NULL) {
		free(d);
		return NULL;
	}
	d->store = store;
	d->ops = &deliver_hands;
	d->first_ms = DELIVER_FIRST_MS;
	d->max_ms = DELIVER_MAX_MS;
	d->reread_ms = DELIVER_REREAD_MS;
	TAILQ_INIT(&d->receivers);
	LIST_INIT(&d->trials);
	d->timer = loop_timer_new(loop, deliver_wake, d);
	deliver_configure(d, settings);
	return d;
}

/* What the queue of a receiver gave up, for the metrics. */
static void
deliver_count_evicted(const char *receiver, int64_t count, void *arg)
{
	struct receiver *r = deliver_find(arg, receiver);

	if (r == NULL)
		return;
	r->counters.evicted += count;
	r->counters.dead += count;
}

void
deliver_attach(struct deliver *d, struct announce *announce)
{
	d->announce = announce;
	announce_on_evicted(announce, deliver_count_evicted, d);
}

void
deliver_free(struct deliver *d)
{
	if (d == NULL)
		return;
	http_free(d->http);
	deliver_drop_trials(d);
	verdict_settle(d);
	if (d->announce != NULL)
		announce_on_evicted(d->announce, NULL, NULL);
	while (!TAILQ_EMPTY(&d->receivers))
		receiver_free(TAILQ_FIRST(&d->receivers));
	loop_timer_free(d->timer);
	free(d);
}

/* ---- by hand ---- */

int
deliver_enable(struct deliver *d, const char *name, struct err *err)
{
	struct receiver *r = deliver_expect(d, name, err);

	if (r == NULL || receiver_enable(r, "an operator wished it", err) != 0)
		return -1;
	if (r->disabled) {
		log_info("notify",
		    "receiver %s is sent to again, as an operator wished",
		    name);
		r->disabled = false;
		r->last_error[0] = '\0';
	}
	deliver_tell_news(d);
	deliver_kick(d);
	return 0;
}

int
deliver_retry_now(struct deliver *d, const char *name, struct err *err)
{
	struct receiver *r = deliver_expect(d, name, err);

	if (r == NULL ||
	    store_hurry_outbox(d->store, name, clock_wall_now(), err) != 0)
		return -1;
	r->hold.ms = 0;
	deliver_kick(d);
	return 0;
}

/* ---- asking ---- */

static void
deliver_see_row(const struct store_outbox *row, void *arg)
{
	bool *busy = arg;

	*busy = row->next.ms <= clock_wall_now().ms;
}

static bool
deliver_has_due(const struct deliver *d, const struct receiver *r)
{
	bool busy = false;

	if (r->settings == NULL || r->disabled ||
	    mono_before(clock_mono_now(), r->hold) || receiver_rate_wait(r) > 0)
		return false;
	if (r->settings->strict)
		store_each_oldest(
		    d->store, r->name, 1, deliver_see_row, &busy, NULL);
	else
		store_each_due(d->store, r->name, clock_wall_now(), 1,
		    deliver_see_row, &busy, NULL);
	return busy;
}

bool
deliver_busy(const struct deliver *d)
{
	const struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		if (r->count > 0 || deliver_has_due(d, r))
			return true;
	}
	return false;
}
