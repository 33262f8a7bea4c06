/*
 * Answers about receivers and deliveries.
 *
 * What a receiver answered is shown, because it often says what is wrong; but
 * whoever may ask here need not be allowed to read the files with the secrets,
 * and an error page likes to repeat the address or token that it was given.  So
 * those are taken out of what was answered, and nothing else of them is shown.
 *
 * A receiver that left the configuration is still there as long as something
 * is kept for it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "base/cleanup.h"
#include "base/fields.h"
#include "config/diag.h"
#include "notify/hide.h"

#define NAMES_MAX 64
#define ATTEMPTS_SHOWN 200 /* of one delivery */

/* ---- what is there ---- */

const struct settings_receiver *
backend_find_receiver(const struct daemon *d, const char *name)
{
	for (size_t i = 0; i < d->settings->receiver_count; i++) {
		if (strcmp(d->settings->receivers[i].name, name) == 0)
			return &d->settings->receivers[i];
	}
	return NULL;
}

int
backend_refuse_receiver(
    const struct daemon *d, const char *name, struct err *err)
{
	const char *names[NAMES_MAX + 1] = {NULL}, *nearest;

	for (size_t i = 0; i < d->settings->receiver_count && i < NAMES_MAX;
	     i++)
		names[i] = d->settings->receivers[i].name;
	nearest = diag_suggest(name, names);
	return err_set(err, ERR_NOT_FOUND,
	    "there is no receiver \"%.64s\"%s%s%s", name,
	    nearest != NULL ? " (did you mean \"" : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "");
}

struct sought {
	const char *name;
	struct store_receiver_count count;
	bool found;
};

static void
seek_receiver(const struct store_receiver_count *row, void *arg)
{
	struct sought *sought = arg;

	if (strcmp(row->receiver, sought->name) != 0)
		return;
	sought->count = *row;
	sought->count.receiver = NULL;
	sought->found = true;
}

int
backend_check_receiver(const struct daemon *d, const char *name,
    struct store_receiver_count *out, struct err *err)
{
	struct sought sought = {.name = name};

	if (store_each_receiver(d->store, seek_receiver, &sought, err) != 0)
		return -1;
	if (!sought.found && backend_find_receiver(d, name) == NULL)
		return backend_refuse_receiver(d, name, err);
	if (out != NULL)
		*out = sought.count;
	return 0;
}

/* ---- receivers ---- */

struct listing {
	json_t *list;
	struct wall now;
};

static json_t *
find_row(const json_t *list, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		const char *is =
		    json_string_value(json_object_get(row, "name"));

		if (is != NULL && strcmp(is, name) == 0)
			return row;
	}
	return NULL;
}

static void
add_count(const struct store_receiver_count *count, void *arg)
{
	struct listing *listing = arg;
	json_t *row = find_row(listing->list, count->receiver);

	if (row == NULL) {
		row = json_pack("{s:s, s:s}", "name", count->receiver, "state",
		    "not-configured");
		json_array_append_new(listing->list, row);
	}
	fields_count(row, "pending", count->pending);
	fields_count(row, "dead", count->dead);
	if (count->oldest_id > 0) {
		fields_count(row, "oldest_id", count->oldest_id);
		fields_time(row, "oldest", count->oldest);
		fields_count(row, "oldest_ms",
		    listing->now.ms > count->oldest.ms
			? listing->now.ms - count->oldest.ms
			: 0);
	}
	if (count->last_dead_id > 0)
		fields_count(row, "dead_id", count->last_dead_id);
}

/* Absent is unknown here, and null has no place. */
static void
drop_nulls(json_t *row)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(row, next, key, value)
	{
		if (json_is_null(value))
			json_object_del(row, key);
	}
}

static void
add_disabled(const struct store_disabled *disabled, void *arg)
{
	json_t *row = find_row(arg, disabled->receiver);

	if (row == NULL)
		return;
	json_object_set_new(row, "state", json_string("disabled"));
	json_object_del(row, "why");
	json_object_del(row, "until");
	fields_text(row, "why", disabled->why);
	fields_time(row, "since", disabled->since);
}

json_t *
backend_receiver_rows(struct daemon *d, struct err *err)
{
	struct listing listing = {deliver_status(d->deliver), clock_wall_now()};
	json_t *row;
	size_t i;

	json_array_foreach(listing.list, i, row)
	{
		drop_nulls(row);
		if (json_object_get(row, "last_error") != NULL)
			json_object_set(
			    row, "why", json_object_get(row, "last_error"));
	}
	if (store_each_receiver(d->store, add_count, &listing, err) != 0 ||
	    store_each_disabled(d->store, add_disabled, listing.list, err) !=
		0) {
		json_decref(listing.list);
		return NULL;
	}
	return listing.list;
}

json_t *
backend_receivers(void *arg, struct err *err)
{
	json_t *rows = backend_receiver_rows(arg, err);

	return rows != NULL ? json_pack("{s:o}", "receivers", rows) : NULL;
}

/* ---- deliveries ---- */

static const char *const states[] = {"pending", "delivered", "dead"};

static const char *
short_type(const char *type)
{
	return strncmp(type, "drover.", 7) == 0 ? type + 7 : type;
}

/* Why it has not been accepted. */
static void
set_why(json_t *o, const struct store_delivery_row *row)
{
	char status[32];

	snprintf(status, sizeof(status), "HTTP %d", row->code);
	if (row->why != NULL)
		fields_text(o, "why", row->why);
	else if (row->state != STORE_DELIVERED && row->code > 0)
		fields_text(o, "why", status);
	else if (row->state != STORE_DELIVERED)
		fields_text(o, "why", row->error);
}

static json_t *
delivery_json(const struct store_delivery_row *row, struct wall now)
{
	json_t *o = json_object(), *body = json_loads(row->body, 0, NULL);
	int64_t age = now.ms - row->created.ms;

	json_object_set_new(o, "id", json_integer(row->id));
	fields_text(o, "receiver", row->receiver);
	fields_text(o, "event", short_type(row->type));
	fields_text(
	    o, "subject", json_string_value(json_object_get(body, "subject")));
	fields_count(o, "seq", row->event_seq);
	fields_text(o, "state", states[row->state]);
	fields_text(o, "webhook_id", row->webhook_id);
	fields_time(o, "created", row->created);
	fields_count(o, "age_ms", age > 0 ? age : 0);
	fields_count(o, "attempts", row->attempts);
	if (row->state == STORE_PENDING) {
		fields_time(o, "next", row->next);
		fields_count(o, "next_ms",
		    row->next.ms > now.ms ? row->next.ms - now.ms : 0);
	}
	if (row->state == STORE_PENDING && row->grouped)
		json_object_set_new(o, "grouped", json_true());
	fields_time(o, "ended", row->ended);
	if (row->code > 0)
		fields_count(o, "code", row->code);
	set_why(o, row);
	json_decref(body);
	return o;
}

static void
add_delivery(const struct store_delivery_row *row, void *arg)
{
	struct listing *listing = arg;

	json_array_append_new(listing->list, delivery_json(row, listing->now));
}

static int
parse_state(const char *text, int *out, struct err *err)
{
	*out = -1;
	for (int i = 0; text != NULL && i < 3; i++) {
		if (strcmp(text, states[i]) == 0)
			*out = i;
	}
	if (text == NULL || *out >= 0)
		return 0;
	return err_set(err, ERR_INVALID,
	    "\"state\": pending, delivered or dead is wanted, not \"%s\"",
	    text);
}

json_t *
backend_deliveries(
    void *arg, const struct control_delivery_filter *filter, struct err *err)
{
	struct daemon *d = arg;
	struct listing listing = {NULL, clock_wall_now()};
	struct store_delivery_filter wanted = {.receiver = filter->receiver,
	    .before = filter->before,
	    .max = filter->max};

	if (parse_state(filter->state, &wanted.state, err) != 0)
		return NULL;
	if (filter->receiver != NULL &&
	    backend_check_receiver(d, filter->receiver, NULL, err) != 0)
		return NULL;
	listing.list = json_array();
	if (store_each_delivery(
		d->store, &wanted, add_delivery, &listing, err) != 0) {
		json_decref(listing.list);
		return NULL;
	}
	return json_pack("{s:o}", "deliveries", listing.list);
}

/* ---- attempts ---- */

struct attempts {
	const struct daemon *d;
	json_t *list;
	char *receiver; /* whose secrets are in: */
	struct hide *hide;
};

static void
attempts_end(struct attempts *a)
{
	hide_free(a->hide);
	free(a->receiver);
}

static void
set_answer(
    struct attempts *a, json_t *o, const char *receiver, const char *answer)
{
	cleanup_free char *text = NULL;

	/* Of one that left the configuration nobody knows what is secret. */
	if (answer == NULL || answer[0] == '\0' ||
	    backend_find_receiver(a->d, receiver) == NULL)
		return;
	if (a->receiver == NULL || strcmp(a->receiver, receiver) != 0) {
		attempts_end(a);
		a->receiver = strdup(receiver);
		a->hide = hide_new(backend_find_receiver(a->d, receiver));
	}
	text = hide_text(a->hide, answer);
	fields_text(o, "answer", text);
}

void
backend_set_answer(
    const struct daemon *d, json_t *o, const char *receiver, const char *answer)
{
	struct attempts a = {.d = d};

	set_answer(&a, o, receiver, answer);
	attempts_end(&a);
}

static void
add_attempt(const struct store_attempt_row *row, void *arg)
{
	struct attempts *a = arg;
	json_t *o = json_object();

	json_object_set_new(o, "id", json_integer(row->id));
	fields_count(o, "delivery", row->outbox_id);
	fields_text(o, "receiver", row->receiver);
	fields_time(o, "at", row->at);
	fields_count(o, "ms", row->took_ms);
	fields_count(o, "events", row->events);
	if (row->code > 0)
		fields_count(o, "code", row->code);
	fields_text(o, "error", row->error);
	set_answer(a, o, row->receiver, row->answer);
	json_array_append_new(a->list, o);
}

json_t *
backend_attempts(
    void *arg, const struct control_delivery_filter *filter, struct err *err)
{
	struct daemon *d = arg;
	struct attempts a = {.d = d};
	int rc;

	if (filter->receiver != NULL &&
	    backend_check_receiver(d, filter->receiver, NULL, err) != 0)
		return NULL;
	a.list = json_array();
	rc = store_each_attempt(d->store, filter->receiver, filter->before,
	    filter->max, add_attempt, &a, err);
	attempts_end(&a);
	if (rc != 0) {
		json_decref(a.list);
		return NULL;
	}
	return json_pack("{s:o}", "attempts", a.list);
}

/* ---- one delivery ---- */

static void
take_delivery(const struct store_delivery_row *row, void *arg)
{
	json_t **out = arg;
	json_t *body = json_loads(row->body, 0, NULL);

	*out = delivery_json(row, clock_wall_now());
	if (body != NULL)
		json_object_set_new(*out, "body", body);
}

json_t *
backend_show_delivery(
    struct daemon *d, int64_t id, bool detail, struct err *err)
{
	struct attempts a = {.d = d};
	json_t *o = NULL;
	int rc;

	if (store_get_delivery(d->store, id, take_delivery, &o, err) != 0)
		return NULL;
	if (!detail) {
		json_object_del(o, "body");
		return o;
	}
	a.list = json_array();
	rc = store_each_attempt_at(
	    d->store, id, ATTEMPTS_SHOWN, add_attempt, &a, err);
	attempts_end(&a);
	json_object_set_new(o, "log", a.list);
	if (rc != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

json_t *
backend_delivery(void *arg, int64_t id, struct err *err)
{
	return backend_show_delivery(arg, id, true, err);
}
