/*
 * Who hears of an event, when, and what gives way for it.
 *
 * Most rows are due at once.  One that is collected with others (a group) waits
 * until the first of them has waited for the receiver's group_wait; so a person
 * gets one message, and never later than that.
 *
 * Both bounds, of one receiver's queue and of the whole outbox, must not stop
 * the work that is reported on: a host has to be emptied whether or not
 * somebody's chat listens.  So something gives way, to a dead letter that stays
 * readable: the oldest news, those of results last, or, where that is asked
 * for, the new one.  The oldest go a fiftieth of the queue at a time, since
 * finding them costs more than burying them.  The log says how many, at once
 * and then once a minute.  Receivers that keep up lose nothing.
 */
#include "notify/announce_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "notify/catalog.h"
#include "notify/conditions.h"

#define QUEUE_EVICT_PART 50 /* of the queue, at once */
#define QUEUE_QUIET_MS 60000

/* ---- telling of what gave way ---- */

static void
queue_log(struct announce_burst *b)
{
	log_error("notify",
	    "receiver %s: its queue is full: %" PRId64 " events between number "
	    "%" PRId64 " and %" PRId64 " were given up and are kept as dead "
	    "letters: repair the receiver, let it take more at a time, or "
	    "give it fewer events",
	    b->receiver, b->count, b->first_seq, b->last_seq);
	b->count = 0;
	b->quiet = mono_add(clock_mono_now(), QUEUE_QUIET_MS);
}

void
announce_queue_tell(struct announce *a, bool now)
{
	struct announce_burst *b;

	TAILQ_FOREACH(b, &a->bursts, link)
	{
		if (b->count > 0 &&
		    (now || !mono_before(clock_mono_now(), b->quiet)))
			queue_log(b);
	}
}

static void
queue_count(
    struct announce *a, const struct store_evicted *gone, const char *receiver)
{
	struct announce_burst *b;

	TAILQ_FOREACH(b, &a->bursts, link)
	{
		if (strcmp(b->receiver, receiver) == 0)
			break;
	}
	if (b == NULL) {
		b = calloc(1, sizeof(*b));
		if (b == NULL || (b->receiver = strdup(receiver)) == NULL)
			abort();
		TAILQ_INSERT_TAIL(&a->bursts, b, link);
	}
	if (b->count == 0 || gone->first_seq < b->first_seq)
		b->first_seq = gone->first_seq;
	if (b->count == 0 || gone->last_seq > b->last_seq)
		b->last_seq = gone->last_seq;
	b->count += gone->count;
	if (a->on_evicted != NULL)
		a->on_evicted(receiver, gone->count, a->on_evicted_arg);
	if (!mono_before(clock_mono_now(), b->quiet))
		queue_log(b);
}

void
announce_queue_free(struct announce *a)
{
	struct announce_burst *b;

	announce_queue_tell(a, true);
	while ((b = TAILQ_FIRST(&a->bursts)) != NULL) {
		TAILQ_REMOVE(&a->bursts, b, link);
		free(b->receiver);
		free(b);
	}
}

/* ---- making room ---- */

/* In the whole outbox. */
static int
queue_make_room(struct announce *a, struct err *err)
{
	struct store_evicted gone;

	if (store_evict_outbox(a->store, &gone, err) != 0)
		return -1;
	if (gone.count == 0)
		return err_set(err, ERR_LIMIT, "the outbox is full");
	if (a->on_evicted != NULL)
		a->on_evicted(gone.receiver, gone.count, a->on_evicted_arg);
	log_error("notify",
	    "the outbox is full (%d deliveries): receiver %s "
	    "will not be told of %d events between number %" PRId64 " and "
	    "%" PRId64 "; they are kept as dead letters: repair the receiver, "
	    "or remove it from the configuration",
	    STORE_OUTBOX_MAX, gone.receiver, gone.count, gone.first_seq,
	    gone.last_seq);
	return 0;
}

/* In one receiver's queue; *out_refuse: the new row is to give way. */
static int
queue_bound(struct announce *a, const struct settings_receiver *r,
    struct wall now, bool *out_refuse, struct err *err)
{
	int part = r->queue / QUEUE_EVICT_PART;
	struct store_evicted gone = {0};
	int64_t pending;

	*out_refuse = false;
	if (r->queue <= 0)
		return 0;
	if (store_count_pending(a->store, r->name, &pending, err) != 0)
		return -1;
	if (pending < r->queue)
		return 0;
	if (r->queue_full == RECEIVER_FULL_NEWEST) {
		*out_refuse = true;
		return 0;
	}
	/* More than a part when the bound was lowered. */
	if (pending - r->queue > part)
		part = pending - r->queue < STORE_EVICT_MAX
		    ? (int)(pending - r->queue)
		    : STORE_EVICT_MAX;
	if (store_evict_receiver(
		a->store, r->name, part > 0 ? part : 1, now, &gone, err) != 0)
		return -1;
	queue_count(a, &gone, r->name);
	return 0;
}

/* ---- the row ---- */

static int64_t
queue_insert(
    struct announce *a, const struct store_outbox *row, struct err *err)
{
	struct err why = {0};
	int64_t id = store_queue_outbox(a->store, row, &why);

	if (id > 0)
		return id;
	if (why.code != ERR_LIMIT)
		return err_set(err, why.code, "%s", why.msg);
	if (queue_make_room(a, err) != 0)
		return -1;
	return store_queue_outbox(a->store, row, err);
}

static int
queue_refuse(struct announce *a, const struct store_outbox *row, int64_t id,
    struct err *err)
{
	const struct store_verdict verdict = {.state = STORE_DEAD,
	    .at = row->created,
	    .why = "the receiver's queue was full"};
	const struct store_evicted gone = {.count = 1,
	    .first_seq = row->event_seq,
	    .last_seq = row->event_seq};

	if (store_judge_outbox(a->store, id, &verdict, err) != 0)
		return -1;
	queue_count(a, &gone, row->receiver);
	return 0;
}

static int
queue_add(struct announce *a, const struct settings_receiver *r,
    const struct receiver_event *choice, const struct store_event *event,
    struct err *err)
{
	char key[RECEIVER_GROUP_SIZE] = "";
	struct store_outbox row = {.event_seq = event->seq,
	    .receiver = r->name,
	    .created = event->at,
	    .next = event->at};
	bool refuse;
	int64_t id;

	/* Who wants them in order gets each by itself. */
	if (!r->strict)
		receiver_group_key(r, choice, key);
	if (key[0] != '\0') {
		row.group = key;
		if (!store_group_due(a->store, r->name, key, &row.next))
			row.next.ms = event->at.ms + r->group_wait_ms;
	}
	if (queue_bound(a, r, event->at, &refuse, err) != 0)
		return -1;
	id = queue_insert(a, &row, err);
	if (id < 0)
		return -1;
	return refuse ? queue_refuse(a, &row, id, err) : 0;
}

static bool
queue_is_for(const struct announce_to *to, const char *receiver)
{
	for (size_t i = 0; i < to->count; i++) {
		if (strcmp(to->names[i], receiver) == 0)
			return true;
	}
	return to->count == 0;
}

int
announce_queue(struct announce *a, const struct store_event *event,
    const json_t *data, const struct announce_to *to, struct err *err)
{
	const struct receiver_event choice = catalog_event(event->type, data);
	struct conditions_change change;
	int rc = 0;

	if (conditions_make_room(a->store, a, event, data, err) != 0 ||
	    conditions_apply(a->store, event, data, &change, err) != 0)
		return -1;
	for (size_t i = 0; i < a->settings->receiver_count && rc == 0; i++) {
		const struct settings_receiver *r = &a->settings->receivers[i];

		if (conditions_wants(r, &change, &choice) &&
		    queue_is_for(to, r->name))
			rc = queue_add(a, r, &choice, event, err);
	}
	conditions_free(&change);
	return rc;
}
