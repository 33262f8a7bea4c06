/*
 * Events that nobody wants to hear of any more.
 *
 * A chat that was away for a day should not tell of yesterday's moves one by
 * one; an audit wants them all the same.  So each receiver has a max_age.  What
 * is older becomes a dead letter: it stays readable and can be replayed.  A
 * whole day's worth may fall due at once, so it is done in slices, and told of
 * once, with the number.
 */
#include "notify/deliver_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

#define EXPIRE_SLICE 200
#define EXPIRE_LOG_MS 60000 /* between two lines about one receiver */

#define EXPIRE_AGE_SIZE 32

struct expire {
	const struct receiver *receiver;
	struct wall before; /* what is from before it goes */
	int64_t ids[EXPIRE_SLICE];
	int count, seen;
	struct wall oldest; /* of those that stay; ms 0: none */
};

/* As people write it in the configuration: 6h. */
static void
expire_format(int64_t ms, char out[EXPIRE_AGE_SIZE])
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = {{24 * 3600 * 1000, "d"}, {3600 * 1000, "h"},
	    {60 * 1000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	snprintf(out, EXPIRE_AGE_SIZE, "%" PRId64 "%s", ms / units[i].ms,
	    units[i].name);
}

static void
expire_look(int64_t id, struct wall created, void *arg)
{
	struct expire *x = arg;

	x->seen++;
	if (created.ms >= x->before.ms) {
		if (x->oldest.ms == 0)
			x->oldest = created;
	} else if (!receiver_has_row(x->receiver, id)) {
		x->ids[x->count++] = id;
	}
}

static int
expire_bury(struct receiver *r, const struct expire *x, struct err *err)
{
	struct store *store = r->deliver->store;
	char age[EXPIRE_AGE_SIZE], why[EXPIRE_AGE_SIZE + 16];
	struct store_verdict verdict = {
	    .state = STORE_DEAD, .at = clock_wall_now(), .why = why};
	int rc = store_begin(store, err);

	expire_format(r->settings->max_age_ms, age);
	snprintf(why, sizeof(why), "older than %s", age);
	for (int i = 0; i < x->count && rc == 0; i++)
		rc = store_judge_outbox(store, x->ids[i], &verdict, err);
	if (rc == 0)
		rc = store_commit(store, err);
	else
		store_rollback(store);
	if (rc != 0)
		return -1;
	r->expired += x->count;
	r->counters.expired += x->count;
	r->counters.dead += x->count;
	return 0;
}

/* When to look again because of it, in ms. */
static int64_t
expire_tell(struct receiver *r, bool at_once)
{
	struct mono now = clock_mono_now();
	int64_t wait = mono_diff(r->expired_log, now);
	char age[EXPIRE_AGE_SIZE];

	if (r->expired == 0)
		return INT64_MAX;
	if (wait > 0 && !at_once)
		return wait;
	expire_format(r->settings->max_age_ms, age);
	log_error("notify",
	    "receiver %s: %" PRId64 " events were not delivered within %s "
	    "(its max_age), and are kept as dead letters",
	    r->name, r->expired, age);
	r->expired = 0;
	r->expired_log = mono_add(now, EXPIRE_LOG_MS);
	return INT64_MAX;
}

int64_t
expire_rows(struct receiver *r)
{
	struct wall now = clock_wall_now();
	struct expire x = {.receiver = r};
	struct err err;
	int64_t wait, tell;

	if (r->settings->max_age_ms <= 0)
		return INT64_MAX;
	/* Mostly the first one says that all others are young enough. */
	x.before.ms = now.ms - r->settings->max_age_ms;
	if (store_each_by_age(
		r->deliver->store, r->name, 1, expire_look, &x, &err) == 0 &&
	    x.oldest.ms == 0 && x.seen > 0) {
		x.count = x.seen = 0;
		if (store_each_by_age(r->deliver->store, r->name, EXPIRE_SLICE,
			expire_look, &x, &err) != 0 ||
		    (x.count > 0 && expire_bury(r, &x, &err) != 0))
			return r->deliver->first_ms;
		/* The next slice; unless all of them are under way. */
		if (x.oldest.ms == 0 && x.count > 0 && x.seen == EXPIRE_SLICE)
			return 0;
	}
	wait = x.oldest.ms != 0 ? x.oldest.ms - x.before.ms + 1 : INT64_MAX;
	tell = expire_tell(r, false);
	return wait < tell ? wait : tell;
}

void
expire_end(struct receiver *r)
{
	if (r->settings != NULL)
		(void)expire_tell(r, true);
}
