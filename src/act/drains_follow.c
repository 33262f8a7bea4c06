/*
 * A drain is over when no guest of its host moves or waits any more.  Whoever
 * is left then is blocked, with a reason, or excepted by the policy.
 *
 * "Nobody is left" must be known: a host that is not connected, a guest that is
 * on its way to it, or a move that could not be begun keep a drain open.
 */
#include <string.h>

#include "base/str.h"

#include "act/drains_priv.h"

static bool
is_transient(const struct place_choice *choice)
{
	for (size_t i = 0; i < choice->rejection_count; i++) {
		if (choice->rejections[i].rule == PLACE_HOST_DOWN ||
		    choice->rejections[i].rule == PLACE_HOST_SILENT)
			return true;
	}
	return false;
}

static void
update_guest(struct drain *d, const struct evaluate_decision *decision,
    const struct evaluate_item *item)
{
	struct drain_guest *g = drains_guest(d, item->vm->uuid, item->vm->name);
	enum evaluate_fate fate = item->fate;
	const char *why = item->why;

	if (!decision->act &&
	    (fate == EVALUATE_START || fate == EVALUATE_WAIT)) {
		fate = EVALUATE_BLOCKED;
		why = "the policy only observes";
	}
	g->seen = true;
	/* It has moved, and its host has not been asked since. */
	if (g->fate == DRAIN_GUEST_MOVED && fate == EVALUATE_WAIT) {
		d->lagging++;
		return;
	}
	json_decref(g->rejected);
	g->rejected = NULL;
	switch (fate) {
	case EVALUATE_START:
	case EVALUATE_MOVING:
		g->fate = DRAIN_GUEST_MOVING;
		why = NULL;
		break;
	case EVALUATE_WAIT:
		g->fate = DRAIN_GUEST_WAITING;
		d->held |= item->held;
		break;
	case EVALUATE_BLOCKED:
		g->fate = DRAIN_GUEST_BLOCKED;
		if (why == NULL)
			why = item->choice.why;
		g->rejected = explain_rejections(&item->choice);
		d->may_return |= is_transient(&item->choice);
		break;
	case EVALUATE_EXCEPTED:
	case EVALUATE_ENOUGH:
		g->fate = DRAIN_GUEST_EXCEPTED;
		break;
	}
	if (item->choice.target != NULL)
		str_replace(&g->to, item->choice.target->name);
	str_replace(&g->why, why);
}

/* A move of this drain whose guest is no longer listed at the source is still
 * being verified. */
static void
count_in_flight(const struct executor_report *r, void *arg)
{
	struct drain *d = arg;

	if (strcmp(r->move->to, d->host) == 0)
		d->arriving++;
	if (strcmp(r->move->from, d->host) != 0) {
		/* It makes room for a guest of this host. */
		if (r->drain_id == d->id) {
			d->in_flight++;
			d->active++;
		}
		return;
	}
	d->in_flight++;
	/* One that waits looks again and again. */
	if (r->move->state != MOVE_WAITING &&
	    (r->move->state != MOVE_OBSERVING ||
		r->move->lingers_since.ms == 0))
		d->active++;
	drains_guest(d, r->move->uuid, r->move->name)->seen = true;
}

static void
settle_counts(struct drains *ds, struct drain *d, struct mono now)
{
	const char *uuid;
	void *value;
	size_t i = 0;
	int waiting = 0;
	bool stalled;

	d->blocked = 0;
	while (map_next(d->guests, &i, &uuid, &value)) {
		struct drain_guest *g = value;

		if (!g->seen && g->fate != DRAIN_GUEST_MOVED)
			g->fate = DRAIN_GUEST_GONE;
		if (g->fate == DRAIN_GUEST_BLOCKED)
			d->blocked++;
		/* Moving, and yet not in flight from here: it is on its way
		 * to here, or its move could not be begun. */
		if (g->fate == DRAIN_GUEST_WAITING ||
		    g->fate == DRAIN_GUEST_MOVING)
			waiting++;
	}
	/* Whoever arrives has to leave again, also one that has just arrived and
	 * is not listed yet; and what was not listed is not known to be empty. */
	waiting += d->arriving + d->lagging + d->unseen +
	    (d->arrived.ms != 0 &&
		mono_diff(now, d->arrived) < DRAINS_SETTLE_MS);
	if (d->active > 0 || d->held)
		d->progressed = now;
	stalled = mono_diff(now, d->progressed) >= DRAINS_STALL_MS;
	if (d->in_flight == 0 && waiting == 0 && d->blocked == 0)
		drains_settle(ds, d, STORE_DRAIN_DONE);
	else if (d->in_flight == 0 && waiting == 0 &&
	    (!d->may_return ||
		mono_diff(now, d->progressed) >= DRAINS_RETURN_MS))
		drains_settle(ds, d, STORE_DRAIN_BLOCKED);
	else if (d->active == 0 && stalled)
		drains_settle(ds, d, STORE_DRAIN_BLOCKED);
	else if (d->state == STORE_DRAIN_BLOCKED && d->active > 0)
		drains_settle(ds, d, STORE_DRAIN_RUNNING);
}

void
drains_update(struct drains *ds, const struct evaluate_decision *decision,
    struct mono now)
{
	struct drain *d = drains_find(ds, decision->host->name);
	const char *uuid;
	void *value;
	size_t i = 0;

	if (d == NULL)
		return;
	while (map_next(d->guests, &i, &uuid, &value))
		((struct drain_guest *)value)->seen = false;
	d->may_return = d->held = d->unattended = false;
	d->lagging = 0;
	d->unseen = !decision->host->up || !decision->host->known;
	for (i = 0; i < decision->item_count; i++)
		if (!decision->items[i].room)
			update_guest(d, decision, &decision->items[i]);
	d->in_flight = d->active = d->arriving = 0;
	executor_each(ds->executor, count_in_flight, d);
	settle_counts(ds, d, now);
}

void
drains_unattended(
    struct drains *ds, const struct evaluation *evaluation, struct mono now)
{
	struct drain *d, *next;

	for (d = ds->open; d != NULL; d = next) {
		next = d->next;
		if (evaluate_find_drain(evaluation, d->host) != NULL)
			continue;
		d->in_flight = d->active = d->arriving = 0;
		executor_each(ds->executor, count_in_flight, d);
		if (d->in_flight == 0 &&
		    mono_diff(now, d->progressed) >= DRAINS_SETTLE_MS) {
			d->unattended = true;
			drains_settle(ds, d, STORE_DRAIN_BLOCKED);
		}
	}
}

void
drains_move_ended(struct drains *ds, const struct executor_report *r)
{
	struct drain *d = drains_find(ds, r->move->to);
	struct drain_guest *g;

	if (d != NULL)
		d->arrived = clock_mono_now();
	for (d = ds->open; d != NULL; d = d->next)
		if (d->id == r->drain_id && r->move->outcome != MOVE_COMPLETED)
			d->unrouted = true;
	d = drains_find(ds, r->move->from);
	if (d == NULL)
		return;
	g = drains_guest(d, r->move->uuid, r->move->name);
	d->progressed = clock_mono_now();
	g->attempts = r->attempt;
	str_replace(&g->to, r->move->to);
	json_decref(g->move);
	g->move = executor_report_json(r);
	if (r->move->outcome == MOVE_COMPLETED) {
		g->fate = DRAIN_GUEST_MOVED;
		str_replace(&g->why, NULL);
		d->moved++;
		d->bytes += r->bytes;
	} else {
		g->fate = DRAIN_GUEST_WAITING;
		str_replace(&g->why, r->move->error);
		d->failed++;
	}
}

struct mono
drains_wake(const struct drains *ds)
{
	struct mono wake = {INT64_MAX};

	for (const struct drain *d = ds->open; d != NULL; d = d->next) {
		struct mono t = mono_add(d->progressed,
		    d->in_flight > 0    ? DRAINS_STALL_MS
			: d->may_return ? DRAINS_RETURN_MS
					: DRAINS_SETTLE_MS);

		if (d->state == STORE_DRAIN_RUNNING && mono_before(t, wake))
			wake = t;
	}
	return wake;
}
