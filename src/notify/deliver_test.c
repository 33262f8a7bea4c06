/*
 * Trying a receiver out: the whole way of an event, short of the outbox.
 *
 * Format, files, signature and transport are those of a real delivery, so what
 * comes out is what a real one would do; but nothing waits for it, nothing is
 * retried, and neither the breaker nor the counters hear of it.
 */
#include "notify/deliver_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct deliver_trial {
	LIST_ENTRY(deliver_trial) link;
	struct mono started;
	void (*done)(const struct deliver_outcome *outcome, void *arg);
	void *arg;
};

static void
test_free(struct deliver_trial *trial)
{
	LIST_REMOVE(trial, link);
	free(trial);
}

void
deliver_drop_trials(struct deliver *d)
{
	while (!LIST_EMPTY(&d->trials))
		test_free(LIST_FIRST(&d->trials));
}

static void
test_on_status(int code, void *arg)
{
	(void)code;
	(void)arg;
}

static void
test_on_done(const struct http_answer *answer, void *arg)
{
	struct deliver_trial *trial = arg;
	const struct deliver_outcome outcome = {.code = answer->code,
	    .error = answer->error,
	    .answer = answer->text,
	    .took_ms = mono_diff(clock_mono_now(), trial->started)};

	trial->done(&outcome, trial->arg);
	test_free(trial);
}

static int
test_send(struct deliver *d, const struct settings_receiver *s,
    const struct format_event *event, struct deliver_trial *trial,
    struct err *err)
{
	struct http_post post = {
	    .on_status = test_on_status, .on_done = test_on_done, .arg = trial};
	struct secret_set secrets = {0};
	enum delivery_sent sent;

	if (d->ops->load(s, &secrets, err) != 0)
		return -1;
	sent = delivery_send(d, s, &secrets, event, 1, &post, err);
	secret_clear(&secrets);
	if (sent == DELIVERY_NOTHING)
		return err_set(err, ERR_CONFLICT,
		    "receiver %s is of type %s, which says nothing about %s: "
		    "try another event",
		    s->name, s->type, event->type);
	return sent == DELIVERY_SENT ? 0 : -1;
}

int
deliver_test(struct deliver *d, const char *receiver, const json_t *sample,
    void (*done)(const struct deliver_outcome *outcome, void *arg), void *arg,
    struct err *err)
{
	struct receiver *r = deliver_find(d, receiver);
	char id[ANNOUNCE_ID_SIZE], time[CLOCK_RFC3339_SIZE];
	struct format_event event = {.id = id, .at = clock_wall_now()};
	cleanup_free char *body = NULL;
	struct deliver_trial *trial;
	json_t *copy;
	int rc = -1;

	if (r == NULL)
		return err_set(
		    err, ERR_NOT_FOUND, "there is no receiver %s", receiver);
	if (announce_make_id(id, err) != 0)
		return -1;
	wall_format(event.at, time);
	copy = json_deep_copy(sample);
	trial = calloc(1, sizeof(*trial));
	if (copy == NULL || trial == NULL)
		abort();
	json_object_set_new(copy, "id", json_string(id));
	json_object_set_new(copy, "time", json_string(time));
	event.type = json_string_value(json_object_get(copy, "type"));
	event.body = body = json_dumps(copy, JSON_COMPACT);
	*trial = (struct deliver_trial){
	    .started = clock_mono_now(), .done = done, .arg = arg};
	LIST_INSERT_HEAD(&d->trials, trial, link);
	if (event.type == NULL || event.body == NULL)
		err_set(err, ERR_INVALID, "that is not an event");
	else
		rc = test_send(d, r->settings, &event, trial, err);
	json_decref(copy);
	if (rc != 0)
		test_free(trial);
	return rc;
}
