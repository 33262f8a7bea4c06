/*
 * One row of the outbox on its way: signed, sent, judged, recorded.
 *
 * The verdict is written before the delivery is let go, and for an accepted
 * one at the status line, before the rest of the answer: so a crash costs at
 * most a second copy under the same webhook-id.  When it cannot be written
 * (disk full) the delivery is kept with its verdict, to be written later:
 * sending again instead would flood the receiver for a fault of ours.
 *
 * A receiver's URL may be its secret and is never told, nor is what it
 * answers; both may be looked up, by those who may read the files.
 */
#include "notify/deliver_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

#define DELIVERY_HEADER_MAX 160

static int64_t
delivery_jitter(int64_t max)
{
	uint64_t random;

	if (max <= 0 ||
	    getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return max > 0 ? max : 0;
	return (int64_t)(random % ((uint64_t)max + 1));
}

int64_t
delivery_backoff(const struct deliver *d, int attempts)
{
	int64_t ms = d->first_ms;

	for (int i = 1; i < attempts && ms < d->max_ms; i++)
		ms *= 2;
	return delivery_jitter(ms < d->max_ms ? ms : d->max_ms);
}

void
delivery_free(struct delivery *v)
{
	LIST_REMOVE(v, link);
	v->receiver->count--;
	free(v->event_id);
	free(v->type);
	free(v->answer);
	free(v);
}

bool
delivery_record(struct delivery *v)
{
	struct deliver *d = v->receiver->deliver;
	struct err err;

	if (v->recorded)
		return true;
	if (store_mark_outbox(d->store, v->row, v->state, v->attempts, v->next,
		v->code, v->answer, &err) == 0 ||
	    err.code == ERR_NOT_FOUND) {
		v->recorded = true;
		return true;
	}
	if (!v->complained)
		log_error("notify",
		    "receiver %s: what became of event %s "
		    "cannot be recorded, and is tried again until it can; "
		    "meanwhile nothing else is sent to it: %s",
		    v->receiver->name, v->event_id, err.msg);
	v->complained = true;
	return false;
}

static bool
delivery_is_temporary(int code)
{
	return code < 200 || code == 408 || code == 425 || code == 429 ||
	    code >= 500;
}

static void
delivery_accept(struct delivery *v, int code)
{
	struct receiver *r = v->receiver;

	receiver_recover(r);
	v->state = STORE_DELIVERED;
	r->delivered++;
	r->last_error[0] = '\0';
	log_debug("notify",
	    "receiver %s accepted event %s (%s): HTTP %d, "
	    "attempt %d",
	    r->name, v->event_id, v->type, code, v->attempts);
}

static void
delivery_retry(struct delivery *v, int64_t after_ms, const char *why)
{
	struct receiver *r = v->receiver;
	struct deliver *d = r->deliver;
	int64_t wait = delivery_backoff(d, v->attempts);
	struct mono now = clock_mono_now();
	bool news = strcmp(r->last_error, why) != 0;

	if (wait < after_ms)
		wait = after_ms;
	v->state = STORE_PENDING;
	v->next.ms = clock_wall_now().ms + wait;
	if (!mono_before(now, r->hold)) {
		int64_t hold = delivery_backoff(d, ++r->fails);

		r->hold = mono_add(now, hold);
	}
	if (mono_diff(r->hold, now) < after_ms)
		r->hold = mono_add(now, after_ms);
	(news ? log_warn : log_debug)("notify",
	    "receiver %s: event %s (%s) "
	    "not accepted: %s, attempt %d; again in %" PRId64 " ms",
	    r->name, v->event_id, v->type, why, v->attempts, wait);
}

/* What an exchange means.  Sets the verdict; does not record it. */
static void
delivery_decide(
    struct delivery *v, int code, int64_t after_s, const char *error)
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
	v->attempts++;
	v->code = code;
	r->last_code = code;
	if (code >= 200 && code < 300) {
		delivery_accept(v, code);
		return;
	}
	if (code == 429 || code == 503)
		after_ms = 1000 *
		    (after_s < DELIVERY_AFTER_MAX_S ? after_s
						    : DELIVERY_AFTER_MAX_S);
	if (delivery_is_temporary(code)) {
		delivery_retry(v, after_ms, why);
	} else {
		receiver_recover(r);
		v->state = STORE_DEAD;
		log_error("notify",
		    "receiver %s refused event %s (%s) for "
		    "good: %s, attempt %d; it is kept as a dead letter",
		    r->name, v->event_id, v->type, why, v->attempts);
	}
	snprintf(r->last_error, sizeof(r->last_error), "%s", why);
}

/* At the status line: from here on a crash must not send it again. */
static void
delivery_on_status(int code, void *arg)
{
	struct delivery *v = arg;

	if (code < 200 || code >= 300)
		return;
	delivery_decide(v, code, 0, NULL);
	delivery_record(v);
}

static void
delivery_on_done(const struct http_answer *answer, void *arg)
{
	struct delivery *v = arg;
	struct deliver *d = v->receiver->deliver;

	v->in_flight = false;
	if (!v->decided) {
		delivery_decide(
		    v, answer->code, answer->retry_after_s, answer->error);
		if (answer->text[0] != '\0')
			v->answer = strdup(answer->text);
	}
	if (delivery_record(v))
		delivery_free(v);
	deliver_kick(d);
}

static int
delivery_post(
    struct delivery *v, const struct store_outbox *row, struct err *err)
{
	struct receiver *r = v->receiver;
	int64_t now_s = clock_wall_now().ms / 1000;
	char id[DELIVERY_HEADER_MAX], time[DELIVERY_HEADER_MAX];
	char sum[SIGN_SIZE], signature[DELIVERY_HEADER_MAX];
	struct http_post post = {
	    .url = r->url,
	    .headers = {"Content-Type: application/cloudevents+json; "
			"charset=utf-8",
		id, time},
	    .body = row->body,
	    .len = strlen(row->body),
	    .timeout_ms = r->timeout_ms,
	    .answer_max = DELIVER_ANSWER_MAX,
	    .on_status = delivery_on_status,
	    .on_done = delivery_on_done,
	    .arg = v,
	};

	snprintf(id, sizeof(id), "webhook-id: %s", row->event_id);
	snprintf(time, sizeof(time), "webhook-timestamp: %" PRId64, now_s);
	if (r->secret_file != NULL) {
		if (sign_message(&r->secret, row->event_id, now_s, row->body,
			post.len, sum, err) != 0)
			return -1;
		snprintf(
		    signature, sizeof(signature), "webhook-signature: %s", sum);
		post.headers[3] = signature;
	}
	return http_post(r->deliver->http, &post, err) != NULL ? 0 : -1;
}

int
delivery_start(
    struct receiver *r, const struct store_outbox *row, struct err *err)
{
	struct delivery *v = calloc(1, sizeof(*v));

	if (v == NULL)
		abort();
	v->receiver = r;
	v->row = row->id;
	v->attempts = row->attempts;
	v->event_id = strdup(row->event_id);
	v->type = strdup(row->type);
	v->in_flight = true;
	LIST_INSERT_HEAD(&r->deliveries, v, link);
	r->count++;
	if (v->event_id == NULL || v->type == NULL)
		abort();
	if (delivery_post(v, row, err) == 0)
		return 0;
	delivery_free(v);
	return -1;
}
