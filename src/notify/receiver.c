/*
 * One receiver: what it is sent next, and when.
 *
 * The outbox decides, not memory: what is pending there and due is sent.  Each
 * row has a backoff of its own that survives a restart.  Above it a receiver
 * has one in memory: while it is failing, one delivery at a time probes it,
 * because a queue of a day against a dead receiver would otherwise be
 * thousands of attempts and database writes per second.
 *
 * A receiver whose secret cannot be read is not sent anything unsigned: its
 * events wait, and the file is tried again.
 */
#include "notify/deliver_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void
receiver_recover(struct receiver *r)
{
	if (r->fails > 0)
		log_info("notify",
		    "receiver %s: deliveries go on after %d "
		    "failures",
		    r->name, r->fails);
	r->fails = 0;
	r->hold.ms = 0;
}

static int
receiver_limit(const struct receiver *r)
{
	return r->fails > 0 ? 1 : DELIVER_PER_RECEIVER;
}

static void
receiver_hold(struct receiver *r, const struct err *err)
{
	if (strncmp(r->last_error, err->msg, sizeof(r->last_error) - 1) != 0)
		log_error("notify",
		    "receiver %s: nothing can be sent to it, "
		    "its events wait: %s",
		    r->name, err->msg);
	snprintf(r->last_error, sizeof(r->last_error), "%.*s",
	    (int)sizeof(r->last_error) - 1, err->msg);
	r->fails++;
	r->hold =
	    mono_add(clock_mono_now(), delivery_backoff(r->deliver, r->fails));
}

static void
receiver_start(const struct store_outbox *row, void *arg)
{
	struct receiver *r = arg;
	const struct delivery *v;
	struct err err;

	LIST_FOREACH(v, &r->deliveries, link)
	{
		if (v->row == row->id)
			return;
	}
	if (r->count >= receiver_limit(r) ||
	    mono_before(clock_mono_now(), r->hold))
		return;
	if (delivery_start(r, row, &err) != 0)
		receiver_hold(r, &err);
}

int64_t
receiver_fill(struct receiver *r)
{
	struct deliver *d = r->deliver;
	struct wall now = clock_wall_now(), due;
	int64_t wait = mono_diff(r->hold, clock_mono_now());
	struct err err;
	int max;

	if (wait > 0)
		return wait;
	if (r->count >= receiver_limit(r))
		return INT64_MAX;
	if (!r->ready &&
	    sign_read_secret(r->secret_file, &r->secret, &err) != 0) {
		receiver_hold(r, &err);
		return mono_diff(r->hold, clock_mono_now());
	}
	if (!r->ready)
		receiver_recover(r);
	r->ready = true;
	max = receiver_limit(r) + r->count;
	if (store_each_due(
		d->store, r->name, now, max, receiver_start, r, &err) != 0) {
		receiver_hold(r, &err);
		return mono_diff(r->hold, clock_mono_now());
	}
	if (mono_before(clock_mono_now(), r->hold))
		return mono_diff(r->hold, clock_mono_now());
	if (!store_receiver_due(d->store, r->name, now, &due))
		return INT64_MAX;
	/* No wait is this long: the clock was set back. */
	if (due.ms - now.ms > 2 * DELIVERY_AFTER_MAX_S * 1000)
		store_each_due(
		    d->store, r->name, due, max, receiver_start, r, NULL);
	return due.ms - now.ms;
}

bool
receiver_settle(struct receiver *r)
{
	struct delivery *v = LIST_FIRST(&r->deliveries), *next;
	bool settled = true;

	for (; v != NULL; v = next) {
		next = LIST_NEXT(v, link);
		if (!v->decided)
			continue;
		if (!delivery_record(v))
			settled = false;
		else if (!v->in_flight)
			delivery_free(v);
	}
	return settled;
}

void
receiver_free(struct receiver *r)
{
	TAILQ_REMOVE(&r->deliver->receivers, r, link);
	while (!LIST_EMPTY(&r->deliveries))
		delivery_free(LIST_FIRST(&r->deliveries));
	explicit_bzero(&r->secret, sizeof(r->secret));
	free(r->name);
	free(r->type);
	free(r->url);
	free(r->secret_file);
	free(r);
}

static char *
receiver_copy(char *old, const char *text)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	if (text != NULL && copy == NULL)
		abort();
	free(old);
	return copy;
}

void
receiver_configure(struct receiver *r, const struct settings_receiver *s)
{
	struct err err;

	r->name = receiver_copy(r->name, s->name);
	r->type = receiver_copy(r->type, s->type);
	r->url = receiver_copy(r->url, s->url);
	r->secret_file = receiver_copy(r->secret_file, s->secret_file);
	r->timeout_ms = s->timeout_ms;
	r->configured = true;
	/* Somebody may just have repaired it. */
	r->fails = 0;
	r->hold.ms = 0;
	r->last_error[0] = '\0';
	r->ready = r->secret_file == NULL ||
	    sign_read_secret(r->secret_file, &r->secret, &err) == 0;
	if (!r->ready)
		receiver_hold(r, &err);
}

json_t *
receiver_status(const struct receiver *r)
{
	struct store_outbox_count count = {0};
	char oldest[CLOCK_RFC3339_SIZE] = "";
	struct err err;

	if (store_count_outbox(r->deliver->store, r->name, &count, &err) != 0)
		return json_pack("{s:s, s:s, s:s}", "name", r->name, "type",
		    r->type, "last_error", err.msg);
	if (count.pending > 0)
		wall_format(count.oldest, oldest);
	return json_pack("{s:s, s:s, s:I, s:I, s:s?, s:I, s:o, s:s?}", "name",
	    r->name, "type", r->type, "pending", (json_int_t)count.pending,
	    "dead", (json_int_t)count.dead, "oldest",
	    count.pending > 0 ? oldest : NULL, "delivered",
	    (json_int_t)r->delivered, "last_code",
	    r->last_code != 0 ? json_integer(r->last_code) : json_null(),
	    "last_error", r->last_error[0] != '\0' ? r->last_error : NULL);
}
