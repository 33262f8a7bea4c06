/*
 * A drain as JSON: for the API while it runs, for the store when it ends, and for
 * its events.
 */
#include <stdlib.h>
#include <string.h>

#include "act/drains_priv.h"
#include "base/cleanup.h"
#include "base/fields.h"

static const char *
fate_name(enum drain_fate fate)
{
	switch (fate) {
	case DRAIN_GUEST_MOVED:
		return "moved";
	case DRAIN_GUEST_MOVING:
		return "moving";
	case DRAIN_GUEST_WAITING:
		return "waiting";
	case DRAIN_GUEST_BLOCKED:
		return "blocked";
	case DRAIN_GUEST_EXCEPTED:
		return "excepted";
	case DRAIN_GUEST_GONE:
		return "gone";
	}
	return "?";
}

static const char *
state_name(enum store_drain_state state)
{
	switch (state) {
	case STORE_DRAIN_RUNNING:
		return "running";
	case STORE_DRAIN_DONE:
		return "done";
	case STORE_DRAIN_BLOCKED:
		return "blocked";
	case STORE_DRAIN_CANCELLED:
		return "cancelled";
	}
	return "?";
}

/* Only what was asked for. */
static void
set_flags(json_t *o, bool force_off, bool include_stopped, bool return_home)
{
	if (force_off)
		json_object_set_new(o, "force_off", json_true());
	if (include_stopped)
		json_object_set_new(o, "include_stopped", json_true());
	if (return_home)
		json_object_set_new(o, "return_home", json_true());
}

static json_t *
guest_json(struct drains *ds, const struct drain_guest *g)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "vm", g->name, "uuid", g->uuid,
	    "fate", fate_name(g->fate));
	struct executor_report report;

	fields_text(o, "to", g->to);
	if (g->fate != DRAIN_GUEST_MOVED)
		fields_text(o, "why", g->why);
	if (g->attempts > 0)
		json_object_set_new(o, "attempts", json_integer(g->attempts));
	if (g->fate == DRAIN_GUEST_BLOCKED && g->rejected != NULL)
		json_object_set(o, "rejected", g->rejected);
	if (executor_find_guest(ds->executor, g->uuid, &report)) {
		json_object_set_new(o, "move", executor_report_json(&report));
		fields_text(o, "strategy", report.strategy);
		fields_text(o, "to", report.move->to);
		if (report.move->state == MOVE_WAITING)
			fields_text(o, "why", report.move->note);
		json_object_set_new(o, "fate", json_string("moving"));
		json_object_set_new(
		    o, "attempts", json_integer(report.attempt));
	} else if (g->move != NULL) {
		json_object_set(o, "move", g->move);
		fields_text(o, "strategy",
		    json_string_value(json_object_get(g->move, "strategy")));
	}
	return o;
}

static int
compare_guests(const void *a, const void *b)
{
	const struct drain_guest *const *x = a, *const *y = b;
	int c = strcmp((*x)->name, (*y)->name);

	return c != 0 ? c : strcmp((*x)->uuid, (*y)->uuid);
}

static json_t *
guests_json(struct drains *ds, const struct drain *d)
{
	size_t n = 0, count = map_count(d->guests), i = 0;
	struct drain_guest **sorted = calloc(count + 1, sizeof(*sorted));
	json_t *list = json_array();
	const char *uuid;
	void *value;

	if (sorted == NULL || list == NULL)
		abort();
	while (map_next(d->guests, &i, &uuid, &value))
		sorted[n++] = value;
	qsort(sorted, n, sizeof(*sorted), compare_guests);
	for (i = 0; i < n; i++)
		json_array_append_new(list, guest_json(ds, sorted[i]));
	free(sorted);
	return list;
}

char *
drains_dump_guests(struct drains *ds, const struct drain *d)
{
	json_t *list = guests_json(ds, d);
	char *text = json_dumps(list, JSON_COMPACT);

	json_decref(list);
	if (text == NULL)
		abort();
	return text;
}

struct tally {
	int total, moved, moving, waiting, blocked, excepted;
};

static struct tally
count_fates(json_t *guests)
{
	struct tally t = {0};
	size_t i;
	json_t *g;

	json_array_foreach(guests, i, g)
	{
		const char *fate =
		    json_string_value(json_object_get(g, "fate"));

		if (strcmp(fate, "gone") == 0)
			continue;
		t.total++;
		t.moved += strcmp(fate, "moved") == 0;
		t.moving += strcmp(fate, "moving") == 0;
		t.waiting += strcmp(fate, "waiting") == 0;
		t.blocked += strcmp(fate, "blocked") == 0;
		t.excepted += strcmp(fate, "excepted") == 0;
	}
	return t;
}

static void
set_tally(json_t *o, json_t *guests)
{
	struct tally t = count_fates(guests);

	json_object_set_new(o, "total", json_integer(t.total));
	json_object_set_new(o, "moved", json_integer(t.moved));
	json_object_set_new(o, "moving", json_integer(t.moving));
	json_object_set_new(o, "waiting", json_integer(t.waiting));
	json_object_set_new(o, "blocked", json_integer(t.blocked));
	json_object_set_new(o, "excepted", json_integer(t.excepted));
}

static json_t *
head_json(int64_t id, const char *host, enum store_drain_state state,
    struct wall started, struct wall ended)
{
	json_t *o = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)id, "host",
	    host, "state", state_name(state));
	struct wall until = ended.ms != 0 ? ended : clock_wall_now();

	fields_time(o, "started", started);
	if (state != STORE_DRAIN_RUNNING)
		fields_time(o, "ended", ended);
	json_object_set_new(
	    o, "duration_ms", json_integer(until.ms - started.ms));
	return o;
}

static json_t *
drain_json(struct drains *ds, const struct drain *d, bool with_vms)
{
	struct wall ended =
	    d->state == STORE_DRAIN_RUNNING ? (struct wall){0} : d->ended;
	json_t *o = head_json(d->id, d->host, d->state, d->started, ended);
	json_t *guests = guests_json(ds, d);

	fields_text(o, "by", d->by);
	fields_text(o, "reason", d->reason);
	fields_text(o, "to", d->only_to);
	set_flags(o, d->force_off, d->include_stopped, d->return_home);
	fields_time(o, "deadline", d->deadline);
	if (d->parallel >= 0)
		json_object_set_new(o, "parallel", json_integer(d->parallel));
	if (d->unattended)
		fields_text(o, "why",
		    "no policy in mode auto evacuates this "
		    "host; see droverd -t and drover-policy(7)");
	else if (d->unseen)
		fields_text(o, "why",
		    "the host is not connected, so nobody knows "
		    "which guests are on it");
	json_object_set_new(o, "failed", json_integer(d->failed));
	json_object_set_new(o, "bytes", json_integer(d->bytes));
	set_tally(o, guests);
	if (with_vms)
		json_object_set(o, "vms", guests);
	json_decref(guests);
	return o;
}

/* Those that remain, with the reasons, for drain.blocked and .completed.  The
 * reasons of a whole rack would be one for each guest and host: the first guests'
 * are enough to see what is wrong. */
static void
add_remaining(json_t *o, json_t *guests)
{
	json_t *list = json_array(), *g;
	size_t i, count = 0, reasons = 0;

	json_array_foreach(guests, i, g)
	{
		const char *fate =
		    json_string_value(json_object_get(g, "fate"));
		bool whole;

		if (strcmp(fate, "moved") == 0 || strcmp(fate, "gone") == 0 ||
		    count++ >= DRAINS_SUMMARY_MAX)
			continue;
		reasons += json_array_size(json_object_get(g, "rejected"));
		whole = reasons <= DRAINS_REASONS_MAX || count == 1;
		json_array_append_new(list,
		    json_pack("{s:O, s:O, s:O*, s:O*}", "guest",
			json_object_get(g, "vm"), "fate",
			json_object_get(g, "fate"), "why",
			json_object_get(g, "why"), "rejected",
			whole ? json_object_get(g, "rejected") : NULL));
	}
	json_object_set_new(o, "remaining", list);
}

/* ---- one row per guest, for whoever reads the summary ---- */

/* What became of it: of one that is still here, how its last move ended. */
static const char *
outcome_of(const char *fate, const char *last)
{
	if (strcmp(fate, "excepted") == 0)
		return "stayed";
	if (strcmp(fate, "blocked") != 0 && strcmp(fate, "waiting") != 0)
		return fate;
	if (last != NULL && strcmp(last, "rolled-back") == 0)
		return last;
	return last != NULL && strcmp(last, "completed") != 0 ? "failed" : fate;
}

static json_t *
summary_row(const json_t *guest)
{
	const char *fate = json_string_value(json_object_get(guest, "fate"));
	const json_t *move = json_object_get(guest, "move");
	const char *last = json_string_value(json_object_get(move, "outcome"));
	const json_t *figures = last != NULL ? move : NULL;
	json_t *reason = json_object_get(guest, "why");

	if (reason == NULL)
		reason = json_object_get(figures, "error");
	/* One that has gone by itself has no reason to be here. */
	if (strcmp(fate, "moved") == 0 || strcmp(fate, "gone") == 0)
		reason = NULL;
	return json_pack("{s:O, s:O, s:s, s:O*, s:O*, s:O*, s:O*, s:O*, s:O*}",
	    "guest", json_object_get(guest, "vm"), "uuid",
	    json_object_get(guest, "uuid"), "outcome", outcome_of(fate, last),
	    "strategy", json_object_get(move, "strategy"), "to",
	    json_object_get(move, "to"), "duration_ms",
	    json_object_get(figures, "duration_ms"), "downtime_ms",
	    json_object_get(json_object_get(figures, "result"), "downtime_ms"),
	    "attempts", json_object_get(guest, "attempts"), "reason", reason);
}

/* Those that remain are what the reader has to see, so they come first. */
static void
add_summary(json_t *o, json_t *guests)
{
	json_t *list = json_array(), *g;
	json_int_t omitted = 0;
	size_t i;

	for (int turn = 0; turn < 2; turn++) {
		json_array_foreach(guests, i, g)
		{
			const char *fate =
			    json_string_value(json_object_get(g, "fate"));
			bool remains = strcmp(fate, "moved") != 0 &&
			    strcmp(fate, "gone") != 0;

			if (remains != (turn == 0))
				continue;
			if (json_array_size(list) < DRAINS_SUMMARY_MAX)
				json_array_append_new(list, summary_row(g));
			else
				omitted++;
		}
	}
	json_object_set_new(o, "guests", list);
	if (omitted > 0)
		json_object_set_new(o, "guests_omitted", json_integer(omitted));
}

json_t *
drains_event_data(struct drains *ds, const struct drain *d)
{
	json_t *o = drain_json(ds, d, true);

	add_summary(o, json_object_get(o, "vms"));
	add_remaining(o, json_object_get(o, "vms"));
	fields_time(o, "ended", d->ended);
	json_object_del(o, "vms");
	json_object_del(o, "state");
	json_object_del(o, "id");
	json_object_set_new(o, "drain", json_integer(d->id));
	json_object_set_new(
	    o, "duration_ms", json_integer(d->ended.ms - d->started.ms));
	return o;
}

struct row_query {
	int64_t id; /* 0: all */
	bool with_vms, open_only;
	json_t *out; /* an object, or an array */
	struct drains *ds;
};

static void
show_row(const struct store_drain *row, void *arg)
{
	struct row_query *q = arg;
	struct drain *open = drains_find(q->ds, row->host);
	json_t *o, *guests;

	if (open != NULL && open->id == row->id) {
		o = drain_json(q->ds, open, q->with_vms);
	} else if (q->open_only) {
		return;
	} else {
		o = head_json(
		    row->id, row->host, row->state, row->started, row->ended);
		guests = row->detail != NULL ? json_loads(row->detail, 0, NULL)
					     : NULL;
		if (guests == NULL)
			guests = json_array();
		fields_text(o, "by", row->by);
		fields_text(o, "reason", row->reason);
		fields_text(o, "to", row->only_to);
		set_flags(
		    o, row->force_off, row->include_stopped, row->return_home);
		fields_time(o, "deadline", row->deadline);
		json_object_set_new(o, "failed", json_integer(row->failed));
		set_tally(o, guests);
		if (q->with_vms)
			json_object_set(o, "vms", guests);
		json_decref(guests);
	}
	if (q->id != 0)
		q->out = o;
	else
		json_array_append_new(q->out, o);
}

json_t *
drains_show(struct drains *ds, int64_t id, bool with_vms, struct err *err)
{
	struct row_query q = {.id = id, .with_vms = with_vms, .ds = ds};

	if (store_get_drain(ds->store, id, show_row, &q, err) < 0)
		return NULL;
	return q.out;
}

json_t *
drains_list(struct drains *ds, int max, bool open_only, struct err *err)
{
	struct row_query q = {
	    .open_only = open_only, .ds = ds, .out = json_array()};

	if (store_each_drain(ds->store, max, show_row, &q, err) < 0) {
		json_decref(q.out);
		return NULL;
	}
	return q.out;
}
