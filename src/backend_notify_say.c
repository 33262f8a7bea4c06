/*
 * What operators say of receivers and deliveries: again, no more, and "does it
 * work?".  Each word is logged with who said it.
 *
 * A test waits for the receiver's answer, and two may go meanwhile: who asked,
 * which is the server's business, and the daemon, which then tells those who
 * wait before it takes the server down.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "base/cleanup.h"
#include "base/fields.h"
#include "base/log.h"
#include "notify/catalog.h"
#include "notify/remedy.h"

#define SAY_MAX 5000 /* deliveries at once: nothing else happens meanwhile */
#define TEST "test"  /* the type of event that says that it is one */

/* ---- again ---- */

/* What waits now is tried, also at a receiver that was given up. */
static void
wake(struct daemon *d, const char *receiver)
{
	if (backend_find_receiver(d, receiver) != NULL) {
		(void)deliver_enable(d->deliver, receiver, NULL);
		(void)deliver_retry_now(d->deliver, receiver, NULL);
	}
	deliver_kick(d->deliver);
}

static const char *
receiver_of(const json_t *delivery)
{
	const char *name =
	    json_string_value(json_object_get(delivery, "receiver"));

	return name != NULL ? name : "";
}

json_t *
backend_delivery_replay(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	char by[64];
	json_t *o;

	if (store_replay_delivery(d->store, id, clock_wall_now(), err) != 0)
		return NULL;
	o = backend_show_delivery(d, id, false, err);
	if (o == NULL)
		return NULL;
	backend_peer_text(peer, by, sizeof(by));
	log_info("notify", "receiver %s: delivery %" PRId64 " again, by %s",
	    receiver_of(o), id, by);
	wake(d, receiver_of(o));
	return o;
}

json_t *
backend_receiver_replay(void *arg, const char *name,
    const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	const struct settings_receiver *receiver =
	    backend_find_receiver(d, name);
	struct store_receiver_count count;
	int64_t room = STORE_OUTBOX_MAX, replayed = 0;
	char by[64];

	if (backend_check_receiver(d, name, &count, err) != 0)
		return NULL;
	if (receiver != NULL && receiver->queue > 0)
		room = receiver->queue > count.pending
		    ? receiver->queue - count.pending
		    : 0;
	if (room > SAY_MAX)
		room = SAY_MAX;
	if (store_replay_dead(
		d->store, name, room, clock_wall_now(), &replayed, err) != 0)
		return NULL;
	backend_peer_text(peer, by, sizeof(by));
	log_info("notify",
	    "receiver %s: its dead letters again (%" PRId64 " of %" PRId64
	    "), by %s",
	    name, replayed, count.dead, by);
	wake(d, name);
	return json_pack("{s:s, s:I, s:I}", "receiver", name, "replayed",
	    (json_int_t)replayed, "left", (json_int_t)(count.dead - replayed));
}

/* ---- no more ---- */

json_t *
backend_delivery_drop(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	json_t *before = backend_show_delivery(d, id, false, err), *after;
	const char *was = json_string_value(json_object_get(before, "state"));
	bool deletes = was != NULL && strcmp(was, "dead") == 0;
	char by[64], why[96];

	if (before == NULL)
		return NULL;
	backend_peer_text(peer, by, sizeof(by));
	snprintf(why, sizeof(why), "dropped by %s", by);
	if (store_drop_delivery(d->store, id, why, clock_wall_now(), err) !=
	    0) {
		json_decref(before);
		return NULL;
	}
	log_info("notify", "receiver %s: delivery %" PRId64 " %s, by %s",
	    receiver_of(before), id, deletes ? "deleted" : "dropped", by);
	deliver_kick(d->deliver);
	if (deletes) {
		json_object_set_new(before, "deleted", json_true());
		return before;
	}
	after = backend_show_delivery(d, id, false, err);
	json_decref(before);
	return after;
}

json_t *
backend_receiver_drop(void *arg, const char *name, bool dead,
    const struct control_peer *peer, struct err *err)
{
	struct daemon *d = arg;
	struct store_receiver_count all;
	int64_t count = 0;
	char by[64], why[96];
	int rc;

	if (backend_check_receiver(d, name, &all, err) != 0)
		return NULL;
	backend_peer_text(peer, by, sizeof(by));
	snprintf(why, sizeof(why), "dropped by %s", by);
	rc = dead ? store_drop_dead(d->store, name, SAY_MAX, &count, err)
		  : store_drop_pending(d->store, name, SAY_MAX, why,
			clock_wall_now(), &count, err);
	if (rc != 0)
		return NULL;
	log_info("notify",
	    "receiver %s: what is %s (%" PRId64 " of %" PRId64 ") %s, by %s",
	    name, dead ? "dead" : "pending", count,
	    dead ? all.dead : all.pending, dead ? "deleted" : "dropped", by);
	deliver_kick(d->deliver);
	return json_pack("{s:s, s:I, s:I}", "receiver", name,
	    dead ? "deleted" : "dropped", (json_int_t)count, "left",
	    (json_int_t)((dead ? all.dead : all.pending) - count));
}

/* ---- a test ---- */

struct backend_test {
	LIST_ENTRY(backend_test) link;
	struct daemon *d;
	char *receiver;
	const char *event;     /* of the catalogue */
	control_done_fn *done; /* NULL: was told already */
	void *done_arg;
};

static void
test_free(struct backend_test *test)
{
	LIST_REMOVE(test, link);
	free(test->receiver);
	free(test);
}

static json_t *
outcome_json(struct backend_test *test, const struct deliver_outcome *outcome)
{
	bool ok = outcome->code >= 200 && outcome->code < 300;
	json_t *o = json_pack("{s:s, s:s, s:b}", "receiver", test->receiver,
	    "event", test->event, "ok", ok);

	if (outcome->code > 0)
		fields_count(o, "code", outcome->code);
	fields_count(o, "ms", outcome->took_ms);
	fields_text(o, "error", outcome->error);
	backend_set_answer(test->d, o, test->receiver, outcome->answer);
	if (!ok)
		fields_text(
		    o, "remedy", remedy_of(outcome->code, outcome->error));
	return o;
}

static void
on_tested(const struct deliver_outcome *outcome, void *arg)
{
	struct backend_test *test = arg;
	struct err none = {0};

	log_info("notify",
	    "receiver %s: tried with %s: HTTP %d%s%s in %" PRId64 " ms",
	    test->receiver, test->event, outcome->code,
	    outcome->error != NULL ? ", " : "",
	    outcome->error != NULL ? outcome->error : "", outcome->took_ms);
	if (test->done != NULL)
		test->done(outcome_json(test, outcome), &none, test->done_arg);
	test_free(test);
}

void
backend_end_tests(struct daemon *d)
{
	struct backend_test *test;
	struct err err = {0};

	(void)err_set(&err, ERR_ABORTED, "droverd ends");
	LIST_FOREACH(test, &d->tests, link)
	{
		if (test->done != NULL)
			test->done(NULL, &err, test->done_arg);
		test->done = NULL;
	}
}

void
backend_free_tests(struct daemon *d)
{
	while (!LIST_EMPTY(&d->tests))
		test_free(LIST_FIRST(&d->tests));
}

/* The sample as an event of this site; that of a test says whom it is for and
 * who asked for it. */
static json_t *
make_sample(const struct daemon *d, const char *type, const char *receiver,
    const char *by)
{
	json_t *sample = catalog_sample(type), *event;
	json_t *data = json_object_get(sample, "data");
	cleanup_free char *text = NULL;
	char subject[128];

	snprintf(subject, sizeof(subject), "receiver/%s", receiver);
	if (strcmp(type, TEST) == 0) {
		json_object_set_new(sample, "subject", json_string(subject));
		json_object_set_new(data, "receiver", json_string(receiver));
		json_object_set_new(data, "by", json_string(by));
	}
	text = announce_format(d->settings->site, "sample", type,
	    json_string_value(json_object_get(sample, "subject")),
	    clock_wall_now(), data);
	event = text != NULL ? json_loads(text, 0, NULL) : NULL;
	json_decref(sample);
	return event;
}

static int
send_sample(struct daemon *d, const char *event, struct backend_test *test,
    const char *by, struct err *err)
{
	json_t *sample = make_sample(d, event, test->receiver, by);
	int rc;

	if (sample == NULL)
		return err_set(
		    err, ERR_INTERNAL, "there is no sample of %s", event);
	rc = deliver_test(
	    d->deliver, test->receiver, sample, on_tested, test, err);
	json_decref(sample);
	if (rc == 0)
		test->event = event;
	return rc;
}

static bool
wants(const struct settings_receiver *receiver, const char *type)
{
	json_t *sample = catalog_sample(type);
	struct receiver_event event =
	    catalog_event(type, json_object_get(sample, "data"));
	bool wants = receiver_wants(receiver, &event);

	json_decref(sample);
	return wants;
}

/* A kind that holds states has no words for a test: then the first event that
 * it has words for and that the receiver wants. */
static int
send_any(struct daemon *d, const struct settings_receiver *receiver,
    struct backend_test *test, const char *by, struct err *err)
{
	int rc = send_sample(d, TEST, test, by, err);

	for (const struct catalog_type *t = catalog_types;
	     rc != 0 && err->code == ERR_CONFLICT && t->type != NULL; t++) {
		if (wants(receiver, t->type))
			rc = send_sample(d, t->type, test, by, err);
	}
	return rc;
}

int
backend_receiver_test(void *arg, const char *name, const char *event,
    const struct control_peer *peer, control_done_fn *done, void *done_arg,
    struct err *err)
{
	struct daemon *d = arg;
	const struct settings_receiver *receiver =
	    backend_find_receiver(d, name);
	struct backend_test *test;
	char by[64];
	int rc;

	if (receiver == NULL)
		return backend_refuse_receiver(d, name, err);
	if (event != NULL && catalog_find(event) == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "there is no event \"%.64s\"; drover-events(7) lists what "
		    "there is",
		    event);
	test = calloc(1, sizeof(*test));
	if (test == NULL || (test->receiver = strdup(name)) == NULL)
		abort();
	test->d = d;
	test->done = done;
	test->done_arg = done_arg;
	LIST_INSERT_HEAD(&d->tests, test, link);
	backend_peer_text(peer, by, sizeof(by));
	rc = event != NULL
	    ? send_sample(d, catalog_find(event)->type, test, by, err)
	    : send_any(d, receiver, test, by, err);
	if (rc != 0) {
		test_free(test);
		return -1;
	}
	log_info("notify", "receiver %s: tried with %s, by %s", name,
	    test->event, by);
	return 0;
}
