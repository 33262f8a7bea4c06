/*
 * The alerts of the daemon: what alertset.c decides is written down, timed and
 * told.
 *
 * One post is one transaction: one wait for the disk, however many alerts it
 * brings.  When that fails, what is on in memory is right and what is on disk
 * is old; the sender is told that it failed and comes again, and the repetition
 * writes the rows anew.
 *
 * Which alerts fit no host is said once for each value of the label, because
 * the same alerts are repeated for hours.
 */
#include "act/alerts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/log.h"
#include "base/map.h"
#include "model/view.h"

#define BATCH_SIZE_MAX ((size_t)256 << 20)
#define UNKNOWN_MAX 1000    /* labels that fit no host and were told */
#define LOOK_MAX_MS 3600000 /* the wall clock may be set meanwhile */
#define LOOK_MIN_MS 1000
#define TOLD_MAX 20 /* lines about one post; the rest is a number */

struct alerts {
	struct alerts_deps deps;
	const struct settings *settings;
	struct alertset *set;
	struct map *unknown; /* told already; no values */
	struct loop_timer *timer;
	bool full; /* that was told */
};

struct counts {
	size_t on, again, off, none, old, full;
	size_t changed; /* on or off */
	int rc;         /* of the store */
};

static void on_timer(void *arg);

static void
plan_next(struct alerts *a)
{
	struct wall next = alertset_next(a->set);
	int64_t wait = LOOK_MAX_MS;

	if (next.ms == INT64_MAX) {
		loop_timer_clear(a->timer);
		return;
	}
	if (next.ms - clock_wall_now().ms < wait)
		wait = next.ms - clock_wall_now().ms;
	loop_timer_set(a->timer, wait > LOOK_MIN_MS ? wait : LOOK_MIN_MS);
}

/* ---- on disk ---- */

static int
put_row(struct alerts *a, const struct alertset_item *item, struct err *err)
{
	return store_put_alert(a->deps.store,
	    &(struct store_alert){.labels = item->identity,
		.fingerprint = item->fingerprint,
		.since = item->alert.since,
		.ends = item->ends,
		.seen = item->seen},
	    err);
}

struct restoring {
	struct alerts *alerts;
	struct wall now;
	size_t lost;
};

static void
restore_row(const struct store_alert *row, void *arg)
{
	struct restoring *r = arg;
	struct arena *arena = arena_new(BATCH_SIZE_MAX);
	struct alert_news news = {.firing = true,
	    .identity = row->labels,
	    .fingerprint = row->fingerprint,
	    .ends = row->ends};

	if (alert_read_labels(arena, row->labels, &news.alert) != 0) {
		r->lost++;
	} else {
		news.alert.since = row->since;
		r->lost += alertset_restore(
			       r->alerts->set, &news, row->seen, r->now) != 0;
	}
	arena_free(arena);
}

struct alerts *
alerts_new(const struct alerts_deps *deps, const struct settings *settings,
    struct err *err)
{
	struct alerts *a = calloc(1, sizeof(*a));
	struct restoring r = {.alerts = a, .now = clock_wall_now()};

	if (a == NULL)
		abort();
	a->deps = *deps;
	a->settings = settings;
	a->set = alertset_new();
	a->unknown = map_new(NULL);
	a->timer = loop_timer_new(deps->loop, on_timer, a);
	alertset_configure(a->set, settings);
	if (store_each_alert(deps->store, restore_row, &r, err) < 0) {
		alerts_free(a);
		return NULL;
	}
	if (r.lost > 0)
		log_warn(
		    "alert", "%zu stored alerts were not understood", r.lost);
	plan_next(a);
	return a;
}

void
alerts_free(struct alerts *a)
{
	if (a == NULL)
		return;
	loop_timer_free(a->timer);
	alertset_free(a->set);
	map_free(a->unknown);
	free(a);
}

void
alerts_configure(struct alerts *a, const struct settings *settings)
{
	a->settings = settings;
	alertset_configure(a->set, settings);
	map_free(a->unknown);
	a->unknown = map_new(NULL);
	plan_next(a);
}

/* ---- time ---- */

static void
drop_row(const struct alertset_item *item, void *arg)
{
	struct alerts *a = arg;
	struct err err = {0};

	log_info("alert", "%s: %s: off, %s",
	    item->host != NULL ? item->host : "(no host)", item->alert.name,
	    item->ends.ms > 0 && item->ends.ms <= clock_wall_now().ms
		? "its end has passed"
		: "it was not repeated");
	/* A row that stays is dropped again after the next start. */
	if (store_remove_alert(
		a->deps.store, item->identity, item->fingerprint, &err) != 0)
		log_error("alert", "%s", err.msg);
}

static void
on_timer(void *arg)
{
	struct alerts *a = arg;
	size_t before, after;

	(void)alertset_items(a->set, &before);
	alertset_expire(a->set, clock_wall_now(), drop_row, a);
	(void)alertset_items(a->set, &after);
	plan_next(a);
	if (after != before)
		a->deps.changed(a->deps.arg);
}

/* ---- news ---- */

static void
tell_unknown(struct alerts *a, const struct alertset_item *item)
{
	const char *key = a->settings->alerts_host_label, *value = NULL;
	char clean[128];

	for (size_t i = 0; i < item->alert.label_count; i++)
		if (strcmp(item->alert.label_keys[i], key) == 0)
			value = item->alert.label_values[i];
	if (map_get(a->unknown, value != NULL ? value : "") != NULL ||
	    map_count(a->unknown) >= UNKNOWN_MAX)
		return;
	map_set(a->unknown, value != NULL ? value : "", a);
	(void)err_copy_line(clean, sizeof(clean), value != NULL ? value : "");
	if (value == NULL)
		log_warn("alert",
		    "%s: fits no host: it has no label %s (alerts.host_label)",
		    item->alert.name, key);
	else
		log_warn("alert",
		    "%s: fits no host: its label %s is \"%s\", which is no "
		    "name or address of one",
		    item->alert.name, key, clean);
}

static void
tell(struct alerts *a, const struct alert_news *news,
    enum alertset_effect effect, const struct alertset_item *item)
{
	switch (effect) {
	case ALERTSET_ON:
		if (item->host == NULL)
			tell_unknown(a, item);
		else
			log_info("alert", "%s: %s: on%s%s", item->host,
			    item->alert.name,
			    item->alert.severity != NULL ? ", " : "",
			    item->alert.severity != NULL ? item->alert.severity
							 : "");
		break;
	case ALERTSET_OFF:
		log_info("alert", "%s: off: %s", news->alert.name,
		    news->firing ? "its end has passed" : "resolved");
		break;
	case ALERTSET_FULL:
		if (!a->full)
			log_error("alert",
			    "%d alerts are on, which is the most; others are "
			    "not taken",
			    ALERTSET_MAX);
		a->full = true;
		break;
	case ALERTSET_AGAIN:
	case ALERTSET_NONE:
	case ALERTSET_OLD:
		break;
	}
}

static void
take(struct alerts *a, const struct alert_news *news, struct counts *counts,
    struct err *err)
{
	const struct alertset_item *item;
	enum alertset_effect effect =
	    alertset_apply(a->set, news, clock_wall_now(), &item);

	switch (effect) {
	case ALERTSET_ON:
		counts->on++;
		break;
	case ALERTSET_AGAIN:
		counts->again++;
		break;
	case ALERTSET_OFF:
		counts->off++;
		a->full = false;
		break;
	case ALERTSET_NONE:
		counts->none++;
		break;
	case ALERTSET_OLD:
		counts->old++;
		break;
	case ALERTSET_FULL:
		counts->full++;
		break;
	}
	counts->changed += effect == ALERTSET_ON || effect == ALERTSET_OFF;
	if (counts->changed <= TOLD_MAX || effect == ALERTSET_FULL)
		tell(a, news, effect, item);
	if (counts->rc != 0)
		return;
	/* Also what is not on here: a removal may have failed before.  Before
	 * a new one, what had its fingerprint and other labels. */
	if (effect != ALERTSET_AGAIN && effect != ALERTSET_OLD &&
	    effect != ALERTSET_FULL)
		counts->rc = store_remove_alert(
		    a->deps.store, news->identity, news->fingerprint, err);
	if (counts->rc == 0 && item != NULL)
		counts->rc = put_row(a, item, err);
}

size_t
alerts_without_host(struct alerts *a)
{
	size_t count, without = 0;
	const struct alertset_item *const *items =
	    alertset_items(a->set, &count);

	for (size_t i = 0; i < count; i++)
		without += items[i]->host == NULL;
	return without;
}

static json_t *
answer(struct alerts *a, const struct counts *c, size_t received)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "received",
	    (json_int_t)received, "on", (json_int_t)c->on, "repeated",
	    (json_int_t)c->again, "resolved", (json_int_t)c->off, "ignored",
	    (json_int_t)(c->none + c->old), "dropped", (json_int_t)c->full,
	    "no_host", (json_int_t)alerts_without_host(a));
}

json_t *
alerts_post(struct alerts *a, const char *body, size_t len, struct err *err)
{
	struct arena *arena = arena_new(BATCH_SIZE_MAX);
	struct alert_batch *batch = alert_read(arena, body, len, err);
	struct counts counts = {0};
	size_t received = 0;

	if (batch == NULL) {
		arena_free(arena);
		return NULL;
	}
	received = batch->count;
	counts.rc = store_begin(a->deps.store, err);
	for (size_t i = 0; i < batch->count; i++)
		take(a, &batch->items[i], &counts, err);
	arena_free(arena);
	if (counts.rc != 0)
		store_rollback(a->deps.store);
	else
		counts.rc = store_commit(a->deps.store, err);
	plan_next(a);
	if (counts.changed > TOLD_MAX)
		log_info("alert", "and %zu more that are on or off",
		    counts.changed - TOLD_MAX);
	if (counts.on > 0 || counts.off > 0)
		a->deps.changed(a->deps.arg);
	return counts.rc == 0 ? answer(a, &counts, received) : NULL;
}

/* ---- looking ---- */

json_t *
alerts_json(struct alerts *a)
{
	size_t count;
	const struct alertset_item *const *items =
	    alertset_items(a->set, &count);
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < count; i++) {
		o = view_alert(&items[i]->alert);
		fields_text(o, "host", items[i]->host);
		fields_text(o, "fingerprint", items[i]->fingerprint);
		fields_time(o, "ends", items[i]->ends);
		fields_time(o, "seen", items[i]->seen);
		json_array_append_new(list, o);
	}
	return list;
}

void
alerts_fill(struct alerts *a, struct snapshot *s)
{
	size_t count;
	const struct alertset_item *const *items =
	    alertset_items(a->set, &count);
	struct snap_alert *all = calloc(count + 1, sizeof(*all));
	const char **hosts = calloc(count + 1, sizeof(*hosts));

	if (all == NULL || hosts == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		all[i] = items[i]->alert;
		hosts[i] = items[i]->host;
	}
	snapshot_set_alerts(s, all, hosts, count);
	free(all);
	free(hosts);
}
