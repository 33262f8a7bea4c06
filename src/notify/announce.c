/*
 * From "it happened" to a row per receiver.
 *
 * Followers are told from the database, not from memory: flush reads what is
 * newer than what it told last, so a transaction that was rolled back leaves
 * nothing behind to be forgotten, and nobody hears of what is not durable.
 *
 * Who gets a row, and when it is due, is in announce_queue.c.
 */
#include "notify/announce_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "notify/catalog.h"

#define ANNOUNCE_TYPE_MAX 96
#define ANNOUNCE_BATCH 64
#define ANNOUNCE_SOURCE_MAX 1024

int
announce_make_id(char out[ANNOUNCE_ID_SIZE], struct err *err)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_set(
		    err, ERR_INTERNAL, "the kernel gives no random numbers");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, ANNOUNCE_ID_SIZE,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x-%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
	    b[11], b[12], b[13], b[14], b[15]);
	return 0;
}

/* ---- the body ---- */

/* As a JSON string; bytes that are not UTF-8 become question marks. */
static json_t *
announce_string(const char *text)
{
	json_t *value = json_string(text);
	cleanup_free char *copy = NULL;

	if (value != NULL)
		return value;
	copy = strdup(text);
	for (char *p = copy; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
	return copy != NULL ? json_string(copy) : NULL;
}

/* A URI reference: what a path segment cannot hold is percent-encoded. */
static json_t *
announce_source(const char *site)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	struct buf buf = BUF_INIT(ANNOUNCE_SOURCE_MAX);
	json_t *value;

	buf_adds(&buf, "/drover/");
	for (; *site != '\0'; site++) {
		if (strchr(plain, *site) != NULL)
			buf_add(&buf, site, 1);
		else
			buf_addf(&buf, "%%%02X", (unsigned char)*site);
	}
	value = json_string(buf_str(&buf));
	buf_free(&buf);
	return value;
}

char *
announce_format(const char *site, const char *id, const char *type,
    const char *subject, struct wall at, const json_t *data)
{
	char time[CLOCK_RFC3339_SIZE], full[ANNOUNCE_TYPE_MAX];
	json_t *event = json_object();
	char *text = NULL;
	int rc;

	wall_format(at, time);
	snprintf(full, sizeof(full), "drover.%s", type);
	rc = json_object_set_new(event, "specversion", json_string("1.0"));
	rc |= json_object_set_new(event, "id", announce_string(id));
	rc |= json_object_set_new(event, "source", announce_source(site));
	rc |= json_object_set_new(event, "type", announce_string(full));
	if (subject != NULL && subject[0] != '\0')
		rc |= json_object_set_new(
		    event, "subject", announce_string(subject));
	rc |= json_object_set_new(event, "time", json_string(time));
	rc |= json_object_set_new(
	    event, "severity", json_string(catalog_severity_word(type, data)));
	if (data != NULL) {
		rc |= json_object_set_new(
		    event, "datacontenttype", json_string("application/json"));
		rc |= json_object_set_new(event, "data", json_deep_copy(data));
	}
	if (rc == 0)
		text = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	return text;
}

/* ---- announcing ---- */

static int
announce_write(struct announce *a, struct store_event *event,
    const json_t *data, const struct announce_to *to, struct err *err)
{
	bool own = !store_in_transaction(a->store);

	if (own && store_begin(a->store, err) != 0)
		return -1;
	if (store_add_event(a->store, event, err) != 0 ||
	    announce_queue(a, event, data, to, err) != 0) {
		if (own)
			store_rollback(a->store);
		return -1;
	}
	return own ? store_commit(a->store, err) : 0;
}

int
announce_event(struct announce *a, const char *type, const char *subject,
    json_t *data, struct err *err)
{
	return announce_event_to(a, type, subject, data, NULL, 0, err);
}

int
announce_event_to(struct announce *a, const char *type, const char *subject,
    json_t *data, const char *const *receivers, size_t receiver_count,
    struct err *err)
{
	const struct announce_to to = {receivers, receiver_count};
	char id[ANNOUNCE_ID_SIZE], full[ANNOUNCE_TYPE_MAX];
	struct store_event event = {
	    .id = id, .type = full, .at = clock_wall_now()};
	cleanup_free char *body = NULL;
	int rc = announce_make_id(id, err);

	if (rc == 0) {
		body = announce_format(
		    a->settings->site, id, type, subject, event.at, data);
		if (body == NULL)
			rc = err_set(err, ERR_IO, "memory is short");
	}
	if (rc == 0) {
		snprintf(full, sizeof(full), "drover.%s", type);
		event.body = body;
		rc = announce_write(a, &event, data, &to, err);
	}
	json_decref(data);
	return rc == 0 ? 0 : err_prefix(err, "announce %s", type);
}

/* ---- listeners ---- */

void
announce_listen(struct announce *a,
    void (*fn)(const struct store_event *event, void *arg), void *arg)
{
	struct announce_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		abort();
	listener->fn = fn;
	listener->arg = arg;
	TAILQ_INSERT_TAIL(&a->listeners, listener, link);
}

static void
announce_sweep(struct announce *a)
{
	struct announce_listener *listener = TAILQ_FIRST(&a->listeners), *next;

	for (; listener != NULL; listener = next) {
		next = TAILQ_NEXT(listener, link);
		if (!listener->gone)
			continue;
		TAILQ_REMOVE(&a->listeners, listener, link);
		free(listener);
	}
}

void
announce_unlisten(struct announce *a,
    void (*fn)(const struct store_event *event, void *arg), void *arg)
{
	struct announce_listener *listener;

	TAILQ_FOREACH(listener, &a->listeners, link)
	{
		if (listener->fn == fn && listener->arg == arg)
			listener->gone = true;
	}
	/* Inside a flush the list is being walked. */
	if (!a->flushing)
		announce_sweep(a);
}

static void
announce_tell(const struct store_event *event, void *arg)
{
	struct announce *a = arg;
	struct announce_listener *listener;

	a->told = event->seq;
	TAILQ_FOREACH(listener, &a->listeners, link)
	{
		if (!listener->gone)
			listener->fn(event, listener->arg);
	}
}

void
announce_flush(struct announce *a)
{
	int64_t before;
	struct err err;

	if (a->flushing || store_in_transaction(a->store))
		return;
	a->flushing = true;
	do {
		before = a->told;
		if (store_each_event(a->store, a->told, ANNOUNCE_BATCH,
			announce_tell, a, &err) != 0) {
			log_error("notify",
			    "followers cannot be told of new "
			    "events: %s",
			    err.msg);
			break;
		}
	} while (a->told != before);
	a->flushing = false;
	announce_sweep(a);
	announce_queue_tell(a, false);
}

void
announce_forget(struct announce *a)
{
	/* What was rolled back is not in the database, where flush looks. */
	(void)a;
}

struct announce *
announce_new(struct store *store, const struct settings *settings)
{
	struct announce *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->store = store;
	a->settings = settings;
	a->told = store_last_event(store);
	TAILQ_INIT(&a->listeners);
	TAILQ_INIT(&a->bursts);
	return a;
}

void
announce_on_evicted(struct announce *a,
    void (*fn)(const char *receiver, int64_t count, void *arg), void *arg)
{
	a->on_evicted = fn;
	a->on_evicted_arg = arg;
}

void
announce_configure(struct announce *a, const struct settings *settings)
{
	a->settings = settings;
}

void
announce_free(struct announce *a)
{
	struct announce_listener *listener;

	if (a == NULL)
		return;
	announce_queue_free(a);
	while ((listener = TAILQ_FIRST(&a->listeners)) != NULL) {
		TAILQ_REMOVE(&a->listeners, listener, link);
		free(listener);
	}
	free(a);
}
