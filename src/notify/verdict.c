/*
 * What became of a request, and writing it down.
 *
 * A verdict is made at the status line when that says "accepted", before the
 * rest of the answer.  All verdicts of one turn of the loop are written in one
 * transaction, together with the log of attempts: one sync to disk then serves
 * as many events as were answered while the last one was under way, and that is
 * what a fast receiver's rate hangs on.  Until a verdict is durable its rows
 * count as under way, so nothing is sent twice by a process that lives; one
 * that dies repeats what was answered since the last sync, once.
 *
 * When they cannot be written (disk full) they are kept, to be written later:
 * sending again instead would flood the receiver for a fault of ours.
 */
#include "notify/deliver_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

#define VERDICT_NAMES_MAX 256 /* receivers that hear of another */

const char *const deliver_code_names[DELIVER_CODE_COUNT] = {
    "2xx", "3xx", "4xx", "5xx", "network"};
const double deliver_bucket_s[DELIVER_BUCKETS] = {
    0.1, 0.5, 1, 5, 30, 60, 300, 3600};

/* ---- how long to wait ---- */

static int64_t
verdict_jitter(int64_t max)
{
	uint64_t random;

	if (max <= 0 ||
	    getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return max > 0 ? max : 0;
	return (int64_t)(random % ((uint64_t)max + 1));
}

int64_t
verdict_backoff(const struct deliver *d, int attempts)
{
	int64_t ms = d->first_ms;

	for (int i = 1; i < attempts && ms < d->max_ms; i++)
		ms *= 2;
	return verdict_jitter(ms < d->max_ms ? ms : d->max_ms);
}

/* ---- deciding ---- */

static bool
verdict_is_temporary(int code)
{
	return code < 200 || code == 408 || code == 425 || code == 429 ||
	    code >= 500;
}

static void
verdict_count(struct delivery *v)
{
	struct deliver_counters *c = &v->receiver->counters;
	int code = v->code;

	c->attempts[code < 200 ? DELIVER_NETWORK
		: code < 300   ? DELIVER_2XX
		: code < 400   ? DELIVER_3XX
		: code < 500   ? DELIVER_4XX
			       : DELIVER_5XX]++;
}

/* An answer to what was asked before the last failure says nothing of what is
 * true since, and ends no wait that was asked for then. */
static void
verdict_recover(struct delivery *v)
{
	struct receiver *r = v->receiver;

	if (mono_before(v->started, r->failed))
		return;
	receiver_recover(r);
	r->last_error[0] = '\0';
}

static void
verdict_accept(struct delivery *v)
{
	struct receiver *r = v->receiver;
	struct deliver_counters *c = &r->counters;
	int64_t now = clock_wall_now().ms;

	verdict_recover(v);
	receiver_widen(r);
	v->state = STORE_DELIVERED;
	c->delivered += (int64_t)v->count;
	for (size_t i = 0; i < v->count; i++) {
		int64_t ms = now - v->rows[i].created.ms;
		double s = ms > 0 ? (double)ms / 1000 : 0;
		int bucket = 0;

		while (bucket < DELIVER_BUCKETS && s > deliver_bucket_s[bucket])
			bucket++;
		c->latency[bucket]++;
		c->latency_sum_s += s;
	}
	log_debug("notify",
	    "receiver %s accepted event %s (%s, %zu in all): HTTP %d, "
	    "attempt %d",
	    r->name, v->rows[0].event_id, v->rows[0].type, v->count, v->code,
	    v->attempts);
}

static void
verdict_retry(struct delivery *v, int64_t after_ms, const char *why)
{
	struct receiver *r = v->receiver;
	struct deliver *d = r->deliver;
	int64_t wait = verdict_backoff(d, v->attempts);
	struct mono now = clock_mono_now();
	bool news = strcmp(r->last_error, why) != 0;

	if (wait < after_ms)
		wait = after_ms;
	v->state = STORE_PENDING;
	v->next.ms = clock_wall_now().ms + wait;
	r->failed = now;
	if (r->fails == 0)
		r->open_since = clock_wall_now();
	if (!mono_before(now, r->hold)) {
		int64_t hold = verdict_backoff(d, ++r->fails);

		r->hold = mono_add(now, hold);
	}
	if (mono_diff(r->hold, now) < after_ms)
		r->hold = mono_add(now, after_ms);
	(news ? log_warn : log_debug)("notify",
	    "receiver %s: event %s (%s, %zu in all) "
	    "not accepted: %s, attempt %d; again in %" PRId64 " ms",
	    r->name, v->rows[0].event_id, v->rows[0].type, v->count, why,
	    v->attempts, wait);
}

static void
verdict_bury(struct delivery *v, const char *why)
{
	struct receiver *r = v->receiver;

	v->state = STORE_DEAD;
	r->counters.dead += (int64_t)v->count;
	log_error("notify",
	    "receiver %s refused event %s (%s, %zu in all) for good: %s, "
	    "attempt %d; it is kept as a dead letter",
	    r->name, v->rows[0].event_id, v->rows[0].type, v->count, why,
	    v->attempts);
}

/* Too much at once: the halves go by themselves. */
static void
verdict_halve(struct delivery *v, const char *why)
{
	v->state = STORE_PENDING;
	v->next = clock_wall_now();
	v->halves = true;
	log_warn("notify",
	    "receiver %s: %zu events (%s first) are too much for it in one "
	    "request (%s): they are sent again in two",
	    v->receiver->name, v->count, v->rows[0].event_id, why);
}

/* The event itself waits like all others. */
static void
verdict_disable(struct delivery *v, const char *why)
{
	struct receiver *r = v->receiver;

	v->state = STORE_PENDING;
	v->next = clock_wall_now();
	if (r->disabled)
		return;
	r->disabled = v->disables = true;
	log_error("notify",
	    "receiver %s says that it is gone for good (%s): it is disabled, "
	    "and its events wait; give it another url, or, should it be there "
	    "after all, send to it again with droverctl notify replay",
	    r->name, why);
}

/* Is nobody there any more?  What an URL said that it had before, or may have
 * had, is not true of the one that it has. */
static bool
verdict_is_gone(const struct delivery *v)
{
	const struct receiver *r = v->receiver;

	return v->code == 410 && r->settings != NULL && r->checked &&
	    strcmp(v->url_hash, r->url_hash) == 0;
}

void
verdict_decide(struct delivery *v, int code, int64_t after_s, const char *error)
{
	struct receiver *r = v->receiver;
	int64_t after_ms = 0;
	char why[sizeof(r->last_error)];

	if (code != 0)
		snprintf(why, sizeof(why), "HTTP %d", code);
	else
		snprintf(why, sizeof(why), "%s",
		    error != NULL ? error : "no answer");
	v->decided = true;
	v->took_ms = mono_diff(clock_mono_now(), v->started);
	v->attempts++;
	v->code = code;
	r->last_code = code;
	verdict_count(v);
	if (code >= 200 && code < 300) {
		verdict_accept(v);
		return;
	}
	v->why = strdup(why);
	if (code == 429 || code == 503)
		after_ms = 1000 *
		    (after_s < DELIVERY_AFTER_MAX_S ? after_s
						    : DELIVERY_AFTER_MAX_S);
	if (verdict_is_temporary(code) ||
	    (code == 410 && !verdict_is_gone(v))) {
		verdict_retry(v, after_ms, why);
	} else {
		verdict_recover(v);
		if (code == 410)
			verdict_disable(v, why);
		else if (code == 413 && v->count > 1)
			verdict_halve(v, why);
		else
			verdict_bury(v, why);
	}
	snprintf(r->last_error, sizeof(r->last_error), "%s", why);
}

void
verdict_decide_unsent(struct delivery *v, const char *why)
{
	struct receiver *r = v->receiver;

	v->decided = true;
	if (why == NULL) {
		v->state = STORE_DELIVERED;
		return;
	}
	v->state = STORE_DEAD;
	v->why = strdup(why);
	r->counters.dead += (int64_t)v->count;
	snprintf(r->last_error, sizeof(r->last_error), "%.*s",
	    (int)sizeof(r->last_error) - 1, why);
	log_error("notify",
	    "receiver %s: event %s (%s) can never be sent to it: %s; it is "
	    "kept as a dead letter",
	    r->name, v->rows[0].event_id, v->rows[0].type, why);
}

/* ---- writing it down ---- */

/* In the same transaction: it must not be forgotten by a restart. */
static int
verdict_write_disabled(struct delivery *v, struct err *err)
{
	struct receiver *r = v->receiver, *other;
	struct deliver *d = r->deliver;
	const struct store_disabled row = {.receiver = r->name,
	    .url_hash = v->url_hash,
	    .since = v->at,
	    .why = v->why != NULL ? v->why : ""};
	const char *names[VERDICT_NAMES_MAX] = {""};
	char subject[128], since[CLOCK_RFC3339_SIZE];
	size_t count = 0;

	if (store_put_disabled(d->store, &row, err) != 0)
		return -1;
	if (d->announce == NULL)
		return 0;
	TAILQ_FOREACH(other, &d->receivers, link)
	{
		if (other != r && other->settings != NULL &&
		    count < VERDICT_NAMES_MAX)
			names[count++] = other->name;
	}
	snprintf(subject, sizeof(subject), "receiver/%s", r->name);
	wall_format(row.since, since);
	/* Nobody else: the event is for followers, under no receiver's name. */
	return announce_event_to(d->announce, "receiver.disabled", subject,
	    json_pack("{s:s, s:s, s:s}", "receiver", r->name, "why", row.why,
		"since", since),
	    names, count > 0 ? count : 1, err);
}

static int
verdict_write(struct delivery *v, struct err *err)
{
	struct store *store = v->receiver->deliver->store;
	const struct store_verdict verdict = {.state = v->state,
	    .attempts = v->attempts,
	    .code = v->code,
	    .next = v->next,
	    .at = clock_wall_now(),
	    .answer = v->answer,
	    .why = v->state == STORE_DEAD ? v->why : NULL};
	struct store_attempt attempt = {.receiver = v->receiver->name,
	    .at = v->at,
	    .took_ms = v->took_ms,
	    .events = (int)v->count,
	    .code = v->code,
	    .error = v->code == 0 ? v->why : NULL,
	    .answer = v->answer};

	for (size_t i = 0; i < v->count; i++) {
		struct err mine = {0};

		if (store_judge_outbox(store, v->rows[i].id, &verdict, &mine) !=
		    0) {
			if (mine.code != ERR_NOT_FOUND)
				return err_set(err, mine.code, "%s", mine.msg);
			continue;
		}
		if (attempt.outbox_id == 0)
			attempt.outbox_id = v->rows[i].id;
		if (v->halves && i >= v->count / 2 &&
		    store_leave_batch(store, v->rows[i].id, v->next, err) != 0)
			return -1;
	}
	if (v->sent && attempt.outbox_id != 0 &&
	    store_add_attempt(store, &attempt, err) != 0)
		return -1;
	return v->disables ? verdict_write_disabled(v, err) : 0;
}

static bool
verdict_is_due(const struct delivery *v)
{
	return v->decided && !v->recorded;
}

/* How many there are; with `write` they are written, -1: they cannot be. */
static int
verdict_each(struct deliver *d, bool write, struct err *err)
{
	struct receiver *r;
	struct delivery *v;
	int count = 0;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		LIST_FOREACH(v, &r->deliveries, link)
		{
			if (!verdict_is_due(v))
				continue;
			count++;
			if (write && verdict_write(v, err) != 0)
				return -1;
		}
	}
	return count;
}

static void
verdict_let_go(struct deliver *d)
{
	struct receiver *r;
	bool told = false;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		struct delivery *v = LIST_FIRST(&r->deliveries), *next;

		for (; v != NULL; v = next) {
			next = LIST_NEXT(v, link);
			if (!verdict_is_due(v))
				continue;
			v->recorded = true;
			told |= v->disables;
			if (!v->in_flight)
				delivery_free(v);
		}
	}
	d->complained = false;
	if (told && d->announce != NULL)
		announce_flush(d->announce);
}

bool
verdict_settle(struct deliver *d)
{
	struct err err = {0};
	int count = verdict_each(d, false, NULL), rc;

	if (count == 0)
		return true;
	rc = store_begin(d->store, &err);
	if (rc == 0) {
		rc = verdict_each(d, true, &err) > 0 ? 0 : -1;
		if (rc == 0)
			rc = store_commit(d->store, &err);
		else
			store_rollback(d->store);
	}
	if (rc == 0) {
		verdict_let_go(d);
		return true;
	}
	if (!d->complained)
		log_error("notify",
		    "what became of %d requests to receivers cannot be "
		    "recorded, and is tried again until it can; meanwhile "
		    "nothing else is sent to them: %s",
		    count, err.msg);
	d->complained = true;
	return false;
}
