/*
 * The book of drains: beginning, joining, ending, and what a later daemon finds.
 * When one is over is decided in drains_follow.c.
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
#include "base/str.h"

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
drains_new(
    struct store *store, struct announce *announce, struct executor *executor)
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
	drains_forget_route(d);
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
	d->host = str_dup(row->host);
	d->state = row->state;
	d->started = row->started;
	d->parallel = row->parallel;
	d->only_to = str_dup(row->only_to);
	d->force_off = row->force_off;
	d->include_stopped = row->include_stopped;
	d->return_home = row->return_home;
	d->deadline = row->deadline;
	d->unrouted = true;
	d->reason = str_dup(row->reason);
	d->by = str_dup(row->by);
	d->guests = map_new(guest_free);
	d->progressed = clock_mono_now();
	d->next = ds->open;
	ds->open = d;
	return d;
}

struct drain_guest *
drains_guest(struct drain *d, const char *uuid, const char *name)
{
	struct drain_guest *g = map_get(d->guests, uuid);

	if (g == NULL) {
		g = calloc(1, sizeof(*g));
		if (g == NULL)
			abort();
		g->uuid = str_dup(uuid);
		g->fate = DRAIN_GUEST_WAITING;
		map_set(d->guests, uuid, g);
	}
	str_replace(&g->name, name);
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
		g = drains_guest(d, row->uuid, row->name);
		str_replace(&g->to, row->to);
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
		if (store_each_move(ds->store,
			&(struct store_move_filter){
			    .drain_id = d->id, .max = 10000},
			load_move, d, err) < 0)
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
	data = json_pack("{s:I, s:s, s:s, s:s*}", "drain", (json_int_t)row->id,
	    "host", row->host, "by", row->by, "reason", row->reason);
	(void)snprintf(subject, sizeof(subject), "host/%s", row->host);
	if (announce_event(ds->announce, "drain.started", subject, data, err) <
	    0)
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
	    o->force_off == d->force_off &&
	    o->include_stopped == d->include_stopped &&
	    o->return_home == d->return_home &&
	    o->deadline.ms == d->deadline.ms &&
	    (o->only_to == NULL) == (d->only_to == NULL) &&
	    (o->only_to == NULL || strcmp(o->only_to, d->only_to) == 0);

	d->progressed = clock_mono_now();
	d->unrouted = true;
	if (same && d->state == STORE_DRAIN_RUNNING)
		return d->id;
	changed.progressed = d->progressed;
	changed.parallel = o->parallel;
	changed.force_off = o->force_off;
	changed.include_stopped = o->include_stopped;
	changed.return_home = o->return_home;
	changed.deadline = o->deadline;
	changed.only_to = str_dup(o->only_to);
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
	    .force_off = o->force_off,
	    .include_stopped = o->include_stopped,
	    .return_home = o->return_home,
	    .deadline = o->deadline,
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
drains_write(struct drains *ds, struct drain *d, enum store_drain_state state,
    const char *event, struct err *err)
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
	    .force_off = d->force_off,
	    .include_stopped = d->include_stopped,
	    .return_home = d->return_home,
	    .deadline = d->deadline,
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
void
drains_settle(struct drains *ds, struct drain *d, enum store_drain_state state)
{
	struct err err = {0};
	const char *event = state == STORE_DRAIN_DONE ? "drain.completed"
	    : state == STORE_DRAIN_BLOCKED            ? "drain.blocked"
						      : NULL;

	if (d->state == state)
		return;
	if (drains_write(ds, d, state, event, &err) < 0) {
		log_error("drain",
		    "%s: its end cannot be written, trying "
		    "again: %s",
		    d->host, err.msg);
		return;
	}
	d->state = state;
	announce_flush(ds->announce);
	switch (state) {
	case STORE_DRAIN_RUNNING:
		return;
	case STORE_DRAIN_BLOCKED:
		d->unrouted = true;
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
		drains_settle(ds, d, STORE_DRAIN_CANCELLED);
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
		ds->options[n++] = (struct evaluate_drain){.host = d->host,
		    .parallel = d->parallel,
		    .only_to = d->only_to,
		    .include_stopped = d->include_stopped,
		    .return_home = d->return_home,
		    .force_off = d->force_off,
		    .deadline = d->deadline,
		    .hints = d->hints,
		    .hint_count = d->hint_count};
	*out_count = n;
	return ds->options;
}
