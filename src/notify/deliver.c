/*
 * Emptying the outbox: which receivers there are, and one timer for all.
 *
 * The timer is set to the earliest time at which any receiver has something
 * to do; news, finished requests and a new configuration set it to now.  What
 * is done then is in receiver.c, and what becomes of one row in delivery.c.
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
#define DELIVER_LOOK_MS (60 * 1000) /* look again: the clock may be set */

void
deliver_set_backoff(struct deliver *d, int64_t first_ms, int64_t max_ms)
{
	d->first_ms = first_ms;
	d->max_ms = max_ms;
}

void
deliver_kick(struct deliver *d)
{
	loop_timer_set(d->timer, 0);
}

static void
deliver_wake(void *arg)
{
	struct deliver *d = arg;
	struct receiver *r = TAILQ_FIRST(&d->receivers), *next;
	int64_t wait = DELIVER_LOOK_MS;

	for (; r != NULL; r = next) {
		int64_t again = INT64_MAX;

		next = TAILQ_NEXT(r, link);
		if (!receiver_settle(r))
			again = d->first_ms;
		else if (r->configured)
			again = receiver_fill(r);
		else if (r->count == 0)
			receiver_free(r);
		if (again < wait)
			wait = again;
	}
	loop_timer_set(d->timer, wait);
}

static struct receiver *
deliver_find(const struct deliver *d, const char *name)
{
	struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

static void
deliver_add_receiver(struct deliver *d, const struct settings_receiver *s)
{
	struct receiver *r = deliver_find(d, s->name);

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
	const struct receiver *r = deliver_find(arg, name);

	if (r == NULL || !r->configured)
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
	r->configured = false;
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
	d->first_ms = DELIVER_FIRST_MS;
	d->max_ms = DELIVER_MAX_MS;
	TAILQ_INIT(&d->receivers);
	d->timer = loop_timer_new(loop, deliver_wake, d);
	deliver_configure(d, settings);
	return d;
}

void
deliver_free(struct deliver *d)
{
	if (d == NULL)
		return;
	http_free(d->http);
	while (!TAILQ_EMPTY(&d->receivers)) {
		receiver_settle(TAILQ_FIRST(&d->receivers));
		receiver_free(TAILQ_FIRST(&d->receivers));
	}
	loop_timer_free(d->timer);
	free(d);
}

static void
deliver_see_row(const struct store_outbox *row, void *arg)
{
	(void)row;
	*(bool *)arg = true;
}

bool
deliver_busy(const struct deliver *d)
{
	struct mono now = clock_mono_now();
	struct receiver *r;
	bool busy = false;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		if (r->count > 0)
			return true;
		if (r->configured && !mono_before(now, r->hold))
			store_each_due(d->store, r->name, clock_wall_now(), 1,
			    deliver_see_row, &busy, NULL);
		if (busy)
			return true;
	}
	return false;
}

json_t *
deliver_status(const struct deliver *d)
{
	json_t *list = json_array();
	const struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		if (r->configured)
			json_array_append_new(list, receiver_status(r));
	}
	return list;
}
