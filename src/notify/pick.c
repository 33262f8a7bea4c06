/*
 * What a receiver is sent next, and together with what.
 *
 * What is pending in the outbox and due, and not under way.  A row that is
 * collected with others, or that the receiver takes in batches, stands for all
 * of them: which ones is written down before the first attempt, so that every
 * other one sends the same set.
 */
#include "notify/deliver_private.h"

#include <stdlib.h>
#include <string.h>

struct pick {
	struct receiver *receiver;
	struct wall now;
	int slots;
	struct delivery *fresh[DELIVER_WINDOW_MAX];
	int count;
	int64_t wait; /* strict: for the first one */
};

/* Whether rows are put together to one request before it is sent. */
static bool
pick_gathers(const struct receiver *r, const struct store_outbox *row)
{
	return row->batch > 0 || row->group != NULL ||
	    (r->settings->kind == RECEIVER_CLOUDEVENTS &&
		r->settings->mode == RECEIVER_BATCHED && !r->settings->strict);
}

/* Is it in a request that is under way, or will it be in one of `fresh`? */
static bool
pick_is_taken(const struct receiver *r, const struct store_outbox *row)
{
	bool gathers = pick_gathers(r, row);
	/* One that left its batch may begin another of the same number. */
	int64_t batch = gathers && row->batch == 0 ? row->id : row->batch;
	const struct delivery *v;

	LIST_FOREACH(v, &r->deliveries, link)
	{
		if (batch > 0 && v->gathers &&
		    (v->batch > 0 ? v->batch : v->rows[0].id) == batch)
			return true;
		/* A row alone that is under way is not to get into a batch. */
		if (gathers && row->batch == 0 && v->batch == 0 &&
		    (v->group == NULL ? row->group == NULL
				      : row->group != NULL &&
				strcmp(v->group, row->group) == 0))
			return true;
	}
	return receiver_has_row(r, row->id);
}

static void
pick_take(const struct store_outbox *row, void *arg)
{
	struct pick *take = arg;
	struct receiver *r = take->receiver;
	struct delivery *v;

	if (take->count == take->slots || pick_is_taken(r, row))
		return;
	v = delivery_new(r);
	v->batch = row->batch;
	v->gathers = pick_gathers(r, row);
	v->group = row->group != NULL ? strdup(row->group) : NULL;
	delivery_add_row(v, row);
	take->fresh[take->count++] = v;
}

/* No wait is this long: the clock was set back. */
static bool
pick_is_far(struct wall due, struct wall now)
{
	return due.ms - now.ms > 2 * DELIVERY_AFTER_MAX_S * 1000;
}

static void
pick_take_strictly(const struct store_outbox *row, void *arg)
{
	struct pick *take = arg;

	bool due = row->next.ms <= take->now.ms;
	/* One that waits for nothing: the clock was set back, too. */
	bool waits = row->attempts > 0 || row->group != NULL;

	if (!due && waits && !pick_is_far(row->next, take->now)) {
		take->wait = row->next.ms - take->now.ms;
		return;
	}
	if (!due)
		take->now = row->next;
	pick_take(row, arg);
}

static void
pick_add_row(const struct store_outbox *row, void *arg)
{
	delivery_add_row(arg, row);
}

/* Makes the batches durable, then fetches all of their rows. */
static int
pick_gather(struct receiver *r, struct pick *take, struct err *err)
{
	const struct settings_receiver *s = r->settings;
	struct store *store = r->deliver->store;
	int rc = store_begin(store, err);

	if (rc != 0)
		return -1;
	for (int i = 0; i < take->count && rc == 0; i++) {
		struct delivery *v = take->fresh[i];

		if (!v->gathers || v->batch != 0)
			continue;
		v->batch = v->rows[0].id;
		rc = store_form_batch(store, r->name, v->group, v->batch,
		    take->now,
		    v->group != NULL   ? DELIVER_GROUP_MAX
			: s->batch > 0 ? s->batch
				       : DELIVER_BATCH,
		    err);
	}
	if (rc == 0)
		rc = store_commit(store, err);
	else
		store_rollback(store);
	for (int i = 0; i < take->count && rc == 0; i++) {
		if (!take->fresh[i]->gathers)
			continue;
		delivery_drop_rows(take->fresh[i]);
		rc = store_each_in_batch(store, take->fresh[i]->batch,
		    pick_add_row, take->fresh[i], err);
		if (rc == 0 && take->fresh[i]->count == 0)
			rc = err_set(err, ERR_INTERNAL, "a batch is empty");
	}
	return rc;
}

/* When to look again because of these; INT64_MAX: not because of them. */
static int64_t
pick_start(struct receiver *r, struct pick *take, struct err *err)
{
	bool gathers = false, more = false;
	int rc = 0;

	for (int i = 0; i < take->count; i++)
		gathers |= take->fresh[i]->gathers;
	if (gathers)
		rc = pick_gather(r, take, err);
	for (int i = 0; i < take->count; i++) {
		struct delivery *v = take->fresh[i];

		if (rc == 0)
			rc = delivery_start(v, err);
		if (rc != 0) {
			delivery_free(v);
			continue;
		}
		more |= v->decided || v->gathers;
		if (v->sent)
			receiver_pay(r);
	}
	if (rc != 0 && !more)
		return receiver_hold(r, err);
	if (rc != 0)
		(void)receiver_hold(r, err);
	return more ? 0 : INT64_MAX;
}

int64_t
pick_send(struct receiver *r)
{
	struct store *store = r->deliver->store;
	struct pick take = {
	    .receiver = r, .now = clock_wall_now(), .slots = receiver_slots(r)};
	int max = take.slots + r->count;
	struct wall due;
	struct err err = {0};
	int64_t wait;
	int rc;

	if (r->settings->strict)
		rc = store_each_oldest(
		    store, r->name, 1, pick_take_strictly, &take, &err);
	else
		rc = store_each_due(
		    store, r->name, take.now, max, pick_take, &take, &err);
	if (rc != 0)
		return receiver_hold(r, &err);
	if (take.count == 0 && take.wait > 0)
		return take.wait;
	if (take.count == 0 && !r->settings->strict && r->count == 0 &&
	    store_receiver_due(store, r->name, take.now, &due) &&
	    pick_is_far(due, take.now)) {
		take.now = due;
		if (store_each_due(
			store, r->name, due, max, pick_take, &take, &err) != 0)
			return receiver_hold(r, &err);
	}
	wait = pick_start(r, &take, &err);
	if (wait != INT64_MAX)
		return wait;
	if (mono_before(clock_mono_now(), r->hold))
		return mono_diff(r->hold, clock_mono_now());
	if (take.count > 0 && receiver_rate_wait(r) > 0)
		return receiver_rate_wait(r);
	if (!r->settings->strict &&
	    store_receiver_due(store, r->name, take.now, &due))
		return due.ms - take.now.ms;
	return INT64_MAX;
}
