/*
 * A drain is over when no guest of its host moves or waits any more.  Whoever
 * is left then is blocked, with a reason, or excepted by the policy.
 *
 * Open drains are kept here with one entry per guest; when a drain ends, the whole
 * story goes to the store and the entry away.
 */
#include "act/drains.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/drains_priv.h"
#include "base/log.h"

static char *
copy(const char *s)
{
	char *c = s != NULL ? strdup(s) : NULL;

	if (s != NULL && c == NULL)
		abort();
	return c;
}

static void
replace(char **at, const char *s)
{
	char *c = copy(s);

	free(*at);
	*at = c;
}

static void
guest_free(void *p)
{
	struct drain_guest *g = p;

	free(g->uuid);
	free(g->name);
	free(g->to);
	free(g->why);
	json_decref(g->rejected);
	json_decref(g->move);
	free(g);
}

struct drains *
drains_new(struct store *store, struct announce *announce,
    struct executor *executor)
{
	struct drains *ds = calloc(1, sizeof(*ds));

	if (ds == NULL)
		abort();
	ds->store = store;
	ds->announce = announce;
	ds->executor = executor;
	return ds;
}

static void
forget(struct drains *ds, struct drain *d)
{
	struct drain **at = &ds->open;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	map_free(d->guests);
	free(d->host);
	free(d->only_to);
	free(d->reason);
	free(d->by);
	free(d);
}

void
drains_free(struct drains *ds)
{
	if (ds == NULL)
		return;
	while (ds->open != NULL)
		forget(ds, ds->open);
	free(ds->options);
	free(ds);
}

struct drain *
drains_find(const struct drains *ds, const char *host)
{
	for (struct drain *d = ds->open; d != NULL; d = d->next) {
		if (strcmp(d->host, host) == 0)
			return d;
	}
	return NULL;
}

static struct drain *
open_drain(struct drains *ds, const struct store_drain *row)
{
	struct drain *d = calloc(1, sizeof(*d));

	if (d == NULL)
		abort();
	d->id = row->id;
	d->host = copy(row->host);
	d->state = row->state;
	d->started = row->started;
	d->parallel = row->parallel;
	d->only_to = copy(row->only_to);
	d->reason = copy(row->reason);
	d->by = copy(row->by);
	d->guests = map_new(guest_free);
	d->progressed = clock_mono_now();
	d->next = ds->open;
	ds->open = d;
	return d;
}

static struct drain_guest *
guest_of(struct drain *d, const char *uuid, const char *name)
{
	struct drain_guest *g = map_get(d->guests, uuid);

	if (g == NULL) {
		g = calloc(1, sizeof(*g));
		if (g == NULL)
			abort();
		g->uuid = copy(uuid);
		map_set(d->guests, uuid, g);
	}
	replace(&g->name, name);
	return g;
}

/* ---- loading ---- */

static void
load_move(const struct store_move *row, void *arg)
{
	struct drain *d = arg;
	struct drain_guest *g;

	/* Newest first: the first row of a guest is its last move. */
	g = map_get(d->guests, row->uuid);
	if (g == NULL) {
		g = guest_of(d, row->uuid, row->name);
		g->fate = DRAIN_GUEST_WAITING;
		replace(&g->to, row->to);
		g->move = executor_row_json(row);
		g->attempts = row->attempt;
	}
	if (row->outcome == NULL) {
		g->fate = DRAIN_GUEST_MOVING;
	} else if (strcmp(row->outcome, "completed") == 0) {
		g->fate = DRAIN_GUEST_MOVED;
		d->moved++;
		d->bytes += json_integer_value(json_object_get(
		    json_object_get(g->move, "result"), "bytes"));
	} else {
		d->failed++;
	}
}

static void
load_drain(const struct store_drain *row, void *arg)
{
	struct drains *ds = arg;

	if (row->state != STORE_DRAIN_RUNNING &&
	    row->state != STORE_DRAIN_BLOCKED)
		return;
	/* Newest first: older open ones of the same host are history. */
	if (drains_find(ds, row->host) == NULL)
		(void)open_drain(ds, row);
}

int
drains_load(struct drains *ds, struct err *err)
{
	if (store_each_drain(ds->store, 1000, load_drain, ds, err) < 0)
		return -1;
	for (struct drain *d = ds->open; d != NULL; d = d->next) {
		if (store_each_move(ds->store, &(struct store_move_filter){
		    .drain_id = d->id, .max = 10000 }, load_move, d, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- beginning and ending ---- */

static int
write_start(struct drains *ds, struct store_drain *row, struct err *err)
{
	json_t *data;
	char subject[160];

	if (store_begin(ds->store, err) < 0)
		return -1;
	if (store_add_drain(ds->store, row, err) < 0)
		goto fail;
	data = json_pack("{s:I, s:s, s:s, s:s*}", "drain",
	    (json_int_t)row->id, "host", row->host, "by", row->by, "reason",
	    row->reason);
	(void)snprintf(subject, sizeof(subject), "host/%s", row->host);
	if (announce_event(ds->announce, "drain.started", subject, data,
	    err) < 0)
		goto fail;
	if (store_commit(ds->store, err) == 0)
		return 0;
	announce_forget(ds->announce);
	return -1;
fail:
	store_rollback(ds->store);
	announce_forget(ds->announce);
	return -1;
}

/* Options are an operator's word, so they are on disk before they count: guests
 * must not go elsewhere after a crash. */
static int64_t
join(struct drains *ds, struct drain *d, const struct drains_options *o,
    struct err *err)
{
	struct drain changed = *d;
	bool same = o->parallel == d->parallel &&
	    (o->only_to == NULL) == (d->only_to == NULL) &&
	    (o->only_to == NULL || strcmp(o->only_to, d->only_to) == 0);

	d->progressed = clock_mono_now();
	if (same && d->state == STORE_DRAIN_RUNNING)
		return d->id;
	changed.progressed = d->progressed;
	changed.parallel = o->parallel;
	changed.only_to = copy(o->only_to);
	if (drains_write(ds, &changed, STORE_DRAIN_RUNNING, NULL, err) < 0) {
		free(changed.only_to);
		return err_prefix(err, "%s: drain", d->host);
	}
	free(d->only_to);
	*d = changed;
	d->state = STORE_DRAIN_RUNNING;
	return d->id;
}

int64_t
drains_start(struct drains *ds, const char *host,
    const struct drains_options *o, struct err *err)
{
	struct drain *d = drains_find(ds, host);
	struct store_drain row = {
		.host = host,
		.state = STORE_DRAIN_RUNNING,
		.started = clock_wall_now(),
		.parallel = o->parallel,
		.only_to = o->only_to,
		.reason = o->reason,
		.by = o->by,
	};

	if (d != NULL)
		return join(ds, d, o, err);
	if (write_start(ds, &row, err) < 0)
		return err_prefix(err, "%s: drain", host);
	announce_flush(ds->announce);
	(void)open_drain(ds, &row);
	return row.id;
}

int
drains_write(struct drains *ds, struct drain *d,
    enum store_drain_state state, const char *event, struct err *err)
{
	bool over = state == STORE_DRAIN_DONE || state == STORE_DRAIN_CANCELLED;
	struct store_drain row = {
		.id = d->id,
		.host = d->host,
		.state = state,
		.started = d->started,
		.parallel = d->parallel,
		.only_to = d->only_to,
		.reason = d->reason,
		.by = d->by,
		.moved = d->moved,
		.failed = d->failed,
		.blocked = d->blocked,
	};
	char *detail;
	char subject[160];
	int rc;

	if (over || state == STORE_DRAIN_BLOCKED)
		row.ended = clock_wall_now();
	d->ended = row.ended;
	detail = drains_dump_guests(ds, d);
	row.detail = detail;
	(void)snprintf(subject, sizeof(subject), "host/%s", d->host);
	rc = store_begin(ds->store, err);
	if (rc == 0) {
		rc = store_update_drain(ds->store, &row, err);
		if (rc == 0 && event != NULL)
			rc = announce_event(ds->announce, event, subject,
			    drains_event_data(ds, d), err);
		if (rc < 0)
			store_rollback(ds->store);
		else
			rc = store_commit(ds->store, err);
		if (rc < 0)
			announce_forget(ds->announce);
	}
	free(detail);
	return rc;
}

/* Ends or blocks a drain; when that cannot be written it stays as it is and the
 * next evaluation tries again. */
static void
settle(struct drains *ds, struct drain *d, enum store_drain_state state)
{
	struct err err = { 0 };
	const char *event = state == STORE_DRAIN_DONE ? "drain.completed" :
	    state == STORE_DRAIN_BLOCKED ? "drain.blocked" : NULL;

	if (d->state == state)
		return;
	if (drains_write(ds, d, state, event, &err) < 0) {
		log_error("drain", "%s: its end cannot be written, trying "
		    "again: %s", d->host, err.msg);
		return;
	}
	d->state = state;
	announce_flush(ds->announce);
	switch (state) {
	case STORE_DRAIN_RUNNING:
		return;
	case STORE_DRAIN_BLOCKED:
		log_warn("drain", "%s: blocked: %d moved, %d remain", d->host,
		    d->moved, d->blocked);
		return;
	case STORE_DRAIN_DONE:
		log_info("drain", "%s: drained: %d moved", d->host, d->moved);
		break;
	case STORE_DRAIN_CANCELLED:
		log_info("drain", "%s: drain cancelled: %d moved", d->host,
		    d->moved);
		break;
	}
	forget(ds, d);
}

void
drains_cancel(struct drains *ds, const char *host)
{
	struct drain *d = drains_find(ds, host);

	if (d != NULL)
		settle(ds, d, STORE_DRAIN_CANCELLED);
}

int64_t
drains_open_id(const struct drains *ds, const char *host)
{
	const struct drain *d = drains_find(ds, host);

	return d != NULL ? d->id : 0;
}

const struct evaluate_drain *
drains_options(struct drains *ds, size_t *out_count)
{
	size_t n = 0;

	for (struct drain *d = ds->open; d != NULL; d = d->next)
		n++;
	free(ds->options);
	ds->options = calloc(n + 1, sizeof(*ds->options));
	if (ds->options == NULL)
		abort();
	n = 0;
	for (struct drain *d = ds->open; d != NULL; d = d->next)
		ds->options[n++] = (struct evaluate_drain){
			.host = d->host, .parallel = d->parallel,
			.only_to = d->only_to };
	*out_count = n;
	return ds->options;
}

/* ---- following ---- */

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
	struct drain_guest *g = guest_of(d, item->vm->uuid, item->vm->name);
	enum evaluate_fate fate = item->fate;
	const char *why = item->why;

	if (!decision->act && (fate == EVALUATE_START ||
	    fate == EVALUATE_WAIT)) {
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
		g->fate = DRAIN_GUEST_EXCEPTED;
		break;
	}
	if (item->choice.target != NULL)
		replace(&g->to, item->choice.target->name);
	replace(&g->why, why);
}

/* A move of this drain whose guest is no longer listed at the source is still
 * being verified. */
static void
count_in_flight(const struct executor_report *r, void *arg)
{
	struct drain *d = arg;

	if (strcmp(r->move->to, d->host) == 0)
		d->arriving++;
	if (strcmp(r->move->from, d->host) != 0)
		return;
	d->in_flight++;
	/* One that waits looks again and again. */
	if (r->move->state != MOVE_WAITING &&
	    (r->move->state != MOVE_OBSERVING ||
	    r->move->lingers_since.ms == 0))
		d->active++;
	guest_of(d, r->move->uuid, r->move->name)->seen = true;
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
		settle(ds, d, STORE_DRAIN_DONE);
	else if (d->in_flight == 0 && waiting == 0 && (!d->may_return ||
	    mono_diff(now, d->progressed) >= DRAINS_RETURN_MS))
		settle(ds, d, STORE_DRAIN_BLOCKED);
	else if (d->active == 0 && stalled)
		settle(ds, d, STORE_DRAIN_BLOCKED);
	else if (d->state == STORE_DRAIN_BLOCKED && d->active > 0)
		settle(ds, d, STORE_DRAIN_RUNNING);
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
		update_guest(d, decision, &decision->items[i]);
	d->in_flight = d->active = d->arriving = 0;
	executor_each(ds->executor, count_in_flight, d);
	settle_counts(ds, d, now);
}

static bool
is_attended(const struct evaluation *evaluation, const char *host)
{
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		if (strcmp(evaluation->decisions[i].host->name, host) == 0)
			return true;
	}
	return false;
}

void
drains_unattended(struct drains *ds, const struct evaluation *evaluation,
    struct mono now)
{
	struct drain *d, *next;

	for (d = ds->open; d != NULL; d = next) {
		next = d->next;
		if (is_attended(evaluation, d->host))
			continue;
		d->in_flight = d->active = d->arriving = 0;
		executor_each(ds->executor, count_in_flight, d);
		if (d->in_flight == 0 &&
		    mono_diff(now, d->progressed) >= DRAINS_SETTLE_MS) {
			d->unattended = true;
			settle(ds, d, STORE_DRAIN_BLOCKED);
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
	d = drains_find(ds, r->move->from);
	if (d == NULL)
		return;
	g = guest_of(d, r->move->uuid, r->move->name);
	d->progressed = clock_mono_now();
	g->attempts = r->attempt;
	replace(&g->to, r->move->to);
	json_decref(g->move);
	g->move = executor_report_json(r);
	if (r->move->outcome == MOVE_COMPLETED) {
		g->fate = DRAIN_GUEST_MOVED;
		replace(&g->why, NULL);
		d->moved++;
		if (r->final_known && r->final.memory_done > 0)
			d->bytes += r->final.memory_done;
		if (r->final_known && r->final.disk_done > 0)
			d->bytes += r->final.disk_done;
	} else {
		g->fate = DRAIN_GUEST_WAITING;
		replace(&g->why, r->move->error);
		d->failed++;
	}
}

struct mono
drains_wake(const struct drains *ds)
{
	struct mono wake = { INT64_MAX };

	for (const struct drain *d = ds->open; d != NULL; d = d->next) {
		struct mono t = mono_add(d->progressed, d->in_flight > 0 ?
		    DRAINS_STALL_MS : d->may_return ? DRAINS_RETURN_MS :
		    DRAINS_SETTLE_MS);

		if (d->state == STORE_DRAIN_RUNNING && mono_before(t, wake))
			wake = t;
	}
	return wake;
}
