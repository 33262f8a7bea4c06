/*
 * One entry per guest.  An entry is written when a move away begins, not when it
 * has ended: where the guest really is, everybody can see, but only here is said
 * where it belongs.  So every question after a crash is answered by looking: a
 * guest that is at home after all needs nothing, one that is where it was to be
 * put wants back.
 */
#include "act/homes.h"

#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

/* So long after a move hosts may still list the guest where it was. */
#define HOMES_DOUBT_MS 10000

struct homes_entry {
	char *uuid, *name, *host, *was, *at, *policy;
	struct wall since;
	struct mono off_since, missing_since, doubt_until;
	char *why; /* of the last evaluation; NULL: none yet */
};

struct homes {
	struct store *store; /* NULL: none */
	struct map *map;     /* uuid -> struct homes_entry */
	struct homes_entry **order;
	struct evaluate_home *list;
	size_t cap;
};

static void
entry_free(void *p)
{
	struct homes_entry *e = p;

	free(e->uuid);
	free(e->name);
	free(e->host);
	free(e->was);
	free(e->at);
	free(e->policy);
	free(e->why);
	free(e);
}

struct homes *
homes_new(void)
{
	struct homes *homes = calloc(1, sizeof(*homes));

	if (homes == NULL)
		abort();
	homes->map = map_new(entry_free);
	return homes;
}

void
homes_free(struct homes *homes)
{
	if (homes == NULL)
		return;
	map_free(homes->map);
	free(homes->order);
	free(homes->list);
	free(homes);
}

static void
take_row(const struct store_home *row, void *arg)
{
	struct homes *homes = arg;
	struct homes_entry *e = map_get(homes->map, row->uuid);

	if (e == NULL) {
		e = calloc(1, sizeof(*e));
		if (e == NULL)
			abort();
		e->uuid = str_dup(row->uuid);
		map_set(homes->map, row->uuid, e);
	}
	str_replace(&e->name, row->name);
	str_replace(&e->host, row->host);
	/* The row may be made of this entry's own texts: `at` of its `was`. */
	str_replace(&e->at, row->at);
	str_replace(&e->was, row->was);
	str_replace(&e->policy, row->policy);
	e->since = row->since;
	e->off_since.ms = e->missing_since.ms = e->doubt_until.ms = 0;
}

int
homes_load(struct homes *homes, struct store *store, struct err *err)
{
	homes->store = store;
	return store_each_home(store, take_row, homes, err);
}

/* On disk first. */
static int
put(struct homes *homes, const struct store_home *row, struct err *err)
{
	if (homes->store != NULL && store_put_home(homes->store, row, err) < 0)
		return -1;
	take_row(row, homes);
	return 0;
}

/* When that cannot be written it comes up again after a restart, and is found to
 * be over once more. */
static void
drop(struct homes *homes, const char *uuid)
{
	struct err err = {0};

	if (homes->store != NULL &&
	    store_remove_home(homes->store, uuid, &err) < 0)
		log_error("home", "%s: %s", uuid, err.msg);
	(void)map_remove(homes->map, uuid);
}

int
homes_leave(struct homes *homes, const struct snap_vm *vm, const char *from,
    const char *to, const char *policy, struct wall now, struct err *err)
{
	const struct homes_entry *e = map_get(homes->map, vm->uuid);
	struct store_home row = {.uuid = vm->uuid,
	    .name = vm->name,
	    .host = from,
	    .was = from,
	    .at = to,
	    .policy = policy,
	    .since = now};

	if (e == NULL && map_count(homes->map) >= HOMES_MAX)
		return err_set(err, ERR_LIMIT,
		    "%zu guests want to go home already",
		    map_count(homes->map));
	if (e != NULL && strcmp(e->host, from) != 0 &&
	    (strcmp(e->at, from) == 0 || strcmp(e->was, from) == 0)) {
		/* It goes home by this; if not, it still wants to. */
		if (strcmp(e->host, to) == 0)
			return 0;
		row.host = e->host;
		row.since = e->since;
	}
	return put(homes, &row, err);
}

void
homes_not_left(struct homes *homes, const char *uuid, const char *to)
{
	const struct homes_entry *e = map_get(homes->map, uuid);
	struct err err = {0};
	struct store_home row;

	if (e == NULL || strcmp(e->at, to) != 0)
		return;
	if (strcmp(e->was, e->host) == 0) {
		drop(homes, uuid);
		return;
	}
	row = (struct store_home){.uuid = uuid,
	    .name = e->name,
	    .host = e->host,
	    .was = e->was,
	    .at = e->was,
	    .policy = e->policy,
	    .since = e->since};
	/* Left as it is, it is right as well, since `was` counts too. */
	if (put(homes, &row, &err) < 0)
		log_error("home", "%s: %s", e->name, err.msg);
}

void
homes_move_ended(
    struct homes *homes, const struct executor_report *report, struct mono now)
{
	const struct move *move = report->move;
	struct homes_entry *e = map_get(homes->map, move->uuid);

	if (e == NULL)
		return;
	if (move->outcome != MOVE_COMPLETED) {
		if (strcmp(e->was, move->from) == 0)
			homes_not_left(homes, move->uuid, move->to);
	} else if (strcmp(e->host, move->to) == 0) {
		log_info("home", "%s: is home again on %s", e->name, e->host);
		drop(homes, move->uuid);
	} else if (strcmp(e->at, move->to) == 0) {
		e->doubt_until = mono_add(now, HOMES_DOUBT_MS);
	} else {
		log_info("home",
		    "%s: does not go home to %s: it was moved to %s meanwhile",
		    e->name, e->host, move->to);
		drop(homes, move->uuid);
	}
}

/* ---- evaluations ---- */

static int
compare(const void *a, const void *b)
{
	const struct homes_entry *const *x = a, *const *y = b;

	return strcmp((*x)->uuid, (*y)->uuid);
}

/* Into homes->order; returns how many. */
static size_t
put_in_order(struct homes *homes)
{
	size_t count = map_count(homes->map), i = 0, n = 0;
	void *value;

	if (homes->cap < count) {
		homes->cap = 2 * count;
		free(homes->order);
		free(homes->list);
		homes->order = calloc(homes->cap, sizeof(homes->order[0]));
		homes->list = calloc(homes->cap, sizeof(homes->list[0]));
		if (homes->order == NULL || homes->list == NULL)
			abort();
	}
	while (map_next(homes->map, &i, NULL, &value))
		homes->order[n++] = value;
	if (n > 1)
		qsort(homes->order, n, sizeof(homes->order[0]), compare);
	return n;
}

const struct evaluate_home *
homes_list(struct homes *homes, size_t *out_count)
{
	size_t count = put_in_order(homes);

	for (size_t i = 0; i < count; i++) {
		const struct homes_entry *e = homes->order[i];

		homes->list[i] = (struct evaluate_home){.uuid = e->uuid,
		    .name = e->name,
		    .host = e->host,
		    .was = e->was,
		    .at = e->at,
		    .policy = e->policy,
		    .since = e->since,
		    .off_since = e->off_since,
		    .missing_since = e->missing_since,
		    .doubt_until = e->doubt_until};
	}
	*out_count = count;
	return homes->list;
}

static void
settle_one(struct homes *homes, struct homes_entry *e,
    const struct evaluate_homing *homing, struct mono now)
{
	bool free_now = homing->state == EVALUATE_HOME_FREE;
	bool missing = homing->state == EVALUATE_HOME_MISSING;

	if (homing->state == EVALUATE_HOME_BACK) {
		log_info("home", "%s: is home again on %s", e->name, e->host);
		drop(homes, e->uuid);
		return;
	}
	if (homing->state == EVALUATE_HOME_OVER) {
		log_info("home", "%s: does not go home to %s: %s", e->name,
		    e->host, homing->why);
		drop(homes, e->uuid);
		return;
	}
	if (!free_now)
		e->off_since.ms = 0;
	else if (e->off_since.ms == 0)
		e->off_since = now;
	if (!missing)
		e->missing_since.ms = 0;
	else if (e->missing_since.ms == 0)
		e->missing_since = now;
	str_replace(&e->why, homing->why);
}

void
homes_settle(
    struct homes *homes, const struct evaluation *evaluation, struct mono now)
{
	size_t count = put_in_order(homes);

	for (size_t i = 0; i < count; i++)
		settle_one(
		    homes, homes->order[i], &evaluation->homings[i], now);
}

/* ---- telling ---- */

static json_t *
entry_json(const struct homes_entry *e)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "host", e->host, "at", e->at,
	    "policy", e->policy);

	fields_time(o, "since", e->since);
	fields_text(
	    o, "why", e->why != NULL ? e->why : "it has just been moved");
	return o;
}

json_t *
homes_json(const struct homes *homes, const char *uuid)
{
	const struct homes_entry *e = map_get(homes->map, uuid);

	return e != NULL ? entry_json(e) : NULL;
}

json_t *
homes_json_of(struct homes *homes, const char *host)
{
	size_t count = put_in_order(homes);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct homes_entry *e = homes->order[i];
		json_t *o;

		if (strcmp(e->host, host) != 0)
			continue;
		o = entry_json(e);
		fields_text(o, "vm", e->name);
		fields_text(o, "uuid", e->uuid);
		json_array_append_new(list, o);
	}
	return list;
}
