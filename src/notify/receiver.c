/*
 * One receiver: whether it can be sent to, and how much.
 *
 * The outbox decides what is sent, not memory (pick.c).  Each row has a backoff
 * of its own that survives a restart.  Above it a receiver has a circuit breaker
 * in memory: while it is failing, one delivery at a time probes it, because a
 * queue of a day against a dead receiver would otherwise be thousands of attempts
 * and database writes per second.
 *
 * How many requests it takes at once is found out: the window starts small and
 * grows by one for each window that was accepted; a failure closes it.
 *
 * The token bucket counts in milliseconds times requests, so that it is whole
 * numbers: it gains `rate` each millisecond, a request takes `rate_ms`, and it
 * holds as much as `rate` requests take.
 */
#include "notify/deliver_private.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define RECEIVER_ROWS_MAX 3200 /* events under way in batches */

/* ---- how much it takes ---- */

void
receiver_recover(struct receiver *r)
{
	if (r->fails > 0) {
		log_info("notify",
		    "receiver %s: deliveries go on after %d "
		    "failures",
		    r->name, r->fails);
		r->window = DELIVER_PER_RECEIVER;
		r->credit = 0;
	}
	r->fails = 0;
	r->failed.ms = r->hold.ms = 0;
	r->unreadable = false;
}

void
receiver_widen(struct receiver *r)
{
	if (r->window >= DELIVER_WINDOW_MAX || ++r->credit < r->window)
		return;
	r->window++;
	r->credit = 0;
}

/* Whatever a batch is: so many events, that many requests. */
static int
receiver_most(const struct settings_receiver *s)
{
	int batch = s->batch > 0 ? s->batch : DELIVER_BATCH;
	int most = RECEIVER_ROWS_MAX / batch;

	if (s->mode != RECEIVER_BATCHED || most > DELIVER_WINDOW_MAX)
		return DELIVER_WINDOW_MAX;
	return most > 0 ? most : 1;
}

static int
receiver_limit(const struct receiver *r)
{
	const struct settings_receiver *s = r->settings;

	if (r->fails > 0 || s->strict)
		return 1;
	if (s->kind == RECEIVER_CLOUDEVENTS)
		return receiver_most(s) < r->window ? receiver_most(s)
						    : r->window;
	return s->kind == RECEIVER_CUSTOM ? DELIVER_PER_RECEIVER : 1;
}

static int64_t
receiver_level(const struct receiver *r)
{
	const struct settings_receiver *s = r->settings;
	int64_t full = s->rate * s->rate_ms, level = r->level;
	int64_t ms = mono_diff(clock_mono_now(), r->filled);

	if (r->filled.ms == 0 || ms >= s->rate_ms)
		return full;
	level += ms * s->rate;
	return level < full ? level : full;
}

int64_t
receiver_rate_wait(const struct receiver *r)
{
	const struct settings_receiver *s = r->settings;
	int64_t lacks;

	if (s->rate <= 0 || s->rate_ms <= 0)
		return 0;
	lacks = s->rate_ms - receiver_level(r);
	return lacks > 0 ? (lacks + s->rate - 1) / s->rate : 0;
}

int
receiver_slots(const struct receiver *r)
{
	const struct settings_receiver *s = r->settings;
	int slots = receiver_limit(r) - r->count;

	if (s->rate > 0 && s->rate_ms > 0) {
		int64_t tokens = receiver_level(r) / s->rate_ms;

		slots = tokens < slots ? (int)tokens : slots;
	}
	return slots;
}

void
receiver_pay(struct receiver *r)
{
	if (r->settings->rate <= 0 || r->settings->rate_ms <= 0)
		return;
	r->level = receiver_level(r) - r->settings->rate_ms;
	r->filled = clock_mono_now();
}

/* ---- its files, and whether it is disabled ---- */

int64_t
receiver_hold(struct receiver *r, const struct err *err)
{
	if (strncmp(r->last_error, err->msg, sizeof(r->last_error) - 1) != 0)
		log_error("notify",
		    "receiver %s: nothing can be sent to it, "
		    "its events wait: %s",
		    r->name, err->msg);
	snprintf(r->last_error, sizeof(r->last_error), "%.*s",
	    (int)sizeof(r->last_error) - 1, err->msg);
	if (r->fails == 0)
		r->open_since = clock_wall_now();
	r->fails++;
	r->failed = clock_mono_now();
	r->unreadable = true;
	r->hold =
	    mono_add(clock_mono_now(), verdict_backoff(r->deliver, r->fails));
	return mono_diff(r->hold, clock_mono_now());
}

static void
receiver_hash_url(const char *url, char out[DELIVER_HASH_SIZE])
{
	unsigned char sum[32];

	out[0] = '\0';
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, url, strlen(url), sum) != 0)
		return;
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* Secrets may be replaced in place; a file that is gone for a moment does not
 * stop what was fine a moment ago. */
static int
receiver_read_files(struct receiver *r, struct err *err)
{
	const struct settings_receiver *s = r->settings;
	struct mono now = clock_mono_now();
	struct secret_set set = {0};
	bool files = s->url_file != NULL || s->secret_file != NULL ||
	    s->token_file != NULL || s->template_file != NULL;

	if (r->ready &&
	    (!files || mono_diff(now, r->loaded) < r->deliver->reread_ms))
		return 0;
	r->loaded = now;
	if (r->deliver->ops->load(s, &set, err) != 0) {
		if (!r->ready)
			return -1;
		(r->stale ? log_debug : log_warn)("notify",
		    "receiver %s: what it had before is used on: %s", r->name,
		    err->msg);
		r->stale = true;
		return 0;
	}
	if (!r->ready && r->unreadable)
		receiver_recover(r);
	if (!r->ready || strcmp(r->secrets.url, set.url) != 0)
		r->checked = false;
	secret_clear(&r->secrets);
	r->secrets = set;
	explicit_bzero(&set, sizeof(set));
	r->ready = true;
	r->stale = false;
	return 0;
}

struct receiver_search {
	const char *name;
	struct wall since;
	bool found;
};

static void
receiver_search_row(const struct store_disabled *row, void *arg)
{
	struct receiver_search *search = arg;

	if (strcmp(row->receiver, search->name) != 0)
		return;
	search->found = true;
	search->since = row->since;
}

static int
receiver_announce_enabled(
    struct receiver *r, struct wall since, const char *why, struct err *err)
{
	char subject[128], text[CLOCK_RFC3339_SIZE];
	struct deliver *d = r->deliver;

	if (d->announce == NULL)
		return 0;
	snprintf(subject, sizeof(subject), "receiver/%s", r->name);
	wall_format(since, text);
	return announce_event(d->announce, "receiver.enabled", subject,
	    json_pack("{s:s, s:s, s:s}", "receiver", r->name, "since", text,
		"why", why),
	    err);
}

int
receiver_enable(struct receiver *r, const char *why, struct err *err)
{
	struct receiver_search search = {.name = r->name};
	struct deliver *d = r->deliver;

	if (store_each_disabled(d->store, receiver_search_row, &search, err) !=
	    0)
		return -1;
	if (!search.found)
		return 0;
	if (store_begin(d->store, err) != 0)
		return -1;
	if (store_remove_disabled(d->store, r->name, err) != 0 ||
	    receiver_announce_enabled(r, search.since, why, err) != 0) {
		store_rollback(d->store);
		return -1;
	}
	if (store_commit(d->store, err) != 0)
		return -1;
	d->news = d->announce != NULL;
	return 0;
}

struct receiver_check {
	struct receiver *receiver;
	bool other; /* it was disabled, under another URL */
};

static void
receiver_check_row(const struct store_disabled *row, void *arg)
{
	struct receiver_check *check = arg;
	struct receiver *r = check->receiver;
	char since[CLOCK_RFC3339_SIZE];

	if (strcmp(row->receiver, r->name) != 0)
		return;
	check->other = strcmp(row->url_hash, r->url_hash) != 0;
	r->disabled = !check->other;
	if (!r->disabled)
		return;
	wall_format(row->since, since);
	snprintf(r->last_error, sizeof(r->last_error), "%s", row->why);
	log_warn("notify",
	    "receiver %s is disabled since %s (%s), and its events wait; give "
	    "it another url, or replay one of them",
	    r->name, since, row->why);
}

static int
receiver_check(struct receiver *r, struct err *err)
{
	struct receiver_check check = {.receiver = r};

	if (r->checked)
		return 0;
	receiver_hash_url(r->secrets.url, r->url_hash);
	r->disabled = false;
	if (store_each_disabled(
		r->deliver->store, receiver_check_row, &check, err) != 0)
		return -1;
	if (check.other) {
		if (receiver_enable(r, "its url is another one", err) != 0)
			return -1;
		log_info("notify",
		    "receiver %s has another URL: it is not disabled any more",
		    r->name);
	}
	r->checked = true;
	return 0;
}

/* ---- what is under way ---- */

bool
receiver_has_row(const struct receiver *r, int64_t row)
{
	const struct delivery *v;

	LIST_FOREACH(v, &r->deliveries, link)
	{
		for (size_t i = 0; i < v->count; i++) {
			if (v->rows[i].id == row)
				return true;
		}
	}
	return false;
}

bool
receiver_is_unsettled(const struct receiver *r)
{
	const struct delivery *v;

	LIST_FOREACH(v, &r->deliveries, link)
	{
		if (v->decided && !v->recorded)
			return true;
	}
	return false;
}

/* ---- sending ---- */

static int64_t
receiver_look(struct receiver *r)
{
	int64_t wait = mono_diff(r->hold, clock_mono_now());
	struct err err = {0};

	if (wait > 0)
		return wait;
	if (receiver_read_files(r, &err) != 0 || receiver_check(r, &err) != 0)
		return receiver_hold(r, &err);
	if (r->disabled || r->count >= receiver_limit(r))
		return INT64_MAX;
	wait = receiver_rate_wait(r);
	return wait > 0 ? wait : pick_send(r);
}

int64_t
receiver_fill(struct receiver *r)
{
	int64_t again = expire_rows(r), wait;

	/* Nothing is sent that the next slice would give up. */
	if (again == 0)
		return 0;
	wait = receiver_look(r);
	return again < wait ? again : wait;
}

/* ---- coming and going ---- */

void
receiver_free(struct receiver *r)
{
	expire_end(r);
	TAILQ_REMOVE(&r->deliver->receivers, r, link);
	while (!LIST_EMPTY(&r->deliveries))
		delivery_free(LIST_FIRST(&r->deliveries));
	secret_clear(&r->secrets);
	free(r->name);
	free(r);
}

void
receiver_configure(struct receiver *r, const struct settings_receiver *s)
{
	r->settings = s;
	if (s == NULL)
		return;
	if (r->name == NULL) {
		r->name = strdup(s->name);
		r->window = DELIVER_PER_RECEIVER;
	}
	if (r->name == NULL)
		abort();
	/* Somebody may just have repaired it. */
	r->ready = r->checked = r->unreadable = false;
	r->fails = 0;
	r->failed.ms = r->hold.ms = 0;
	r->last_error[0] = '\0';
}
