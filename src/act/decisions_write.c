/*
 * The end of a turn: what was noted is written, and what was not has ended.  The
 * memory of it is only changed once all of it is on disk.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/decisions_priv.h"
#include "base/cleanup.h"
#include "base/log.h"

/* NULL: it is not configured any more. */
static const struct policy *
find_policy(const struct decisions *d, const char *name)
{
	for (size_t i = 0; d->settings != NULL && i < d->settings->policy_count;
	     i++) {
		if (strcmp(d->settings->policies[i].name, name) == 0)
			return &d->settings->policies[i];
	}
	return NULL;
}

static int
announce_one(
    struct decisions *d, const struct store_decision *row, struct err *err)
{
	json_t *data = decisions_row_json(row, true);
	const struct policy *policy = find_policy(d, row->policy);
	struct buf subject = BUF_INIT(512);
	int rc;

	decisions_cut(data, DECISIONS_EVENT_MAX);
	buf_addf(&subject, "policy/%s", row->policy);
	rc = announce_event_to(d->announce, "decision.made", buf_str(&subject),
	    data, policy != NULL ? policy->notify : NULL,
	    policy != NULL ? policy->notify_count : 0, err);
	buf_free(&subject);
	return rc;
}

/* A row that is not there any more, as when the database was restored from a
 * backup meanwhile, is written anew. */
static int
put_row(struct decisions *d, struct store_decision *row, struct err *err)
{
	struct err why = {0};

	if (row->id != 0) {
		if (store_update_decision(d->store, row, &why) == 0)
			return 0;
		if (why.code != ERR_NOT_FOUND)
			return err_set(err, why.code, "%s", why.msg);
	}
	return store_add_decision(d->store, row, err);
}

static int
write_one(struct decisions *d, struct activation *a, struct err *err)
{
	cleanup_free char *body = json_dumps(a->body, JSON_COMPACT);
	struct store_decision row = {.id = a->id,
	    .at = a->at,
	    .updated = a->updated,
	    .policy = a->policy,
	    .host = a->host,
	    .mode = policy_mode_name(a->mode),
	    .summary = a->summary,
	    .body = body,
	    .approved_by = a->by};

	if (body == NULL)
		return err_set(err, ERR_INTERNAL, "%s: no text", a->policy);
	if (put_row(d, &row, err) < 0)
		return -1;
	if (a->withdrawn &&
	    store_approve_decision(d->store, row.id, NULL, err) < 0)
		return -1;
	if (a->announce && announce_one(d, &row, err) < 0)
		return -1;
	a->id = row.id;
	return 0;
}

static int
write_turn(struct decisions *d, struct wall now, struct err *err)
{
	void *value;
	size_t i = 0;

	while (map_next(d->map, &i, NULL, &value)) {
		struct activation *a = value;

		if (a->noted == d->turn) {
			if (a->body != NULL && write_one(d, a, err) < 0)
				return -1;
		} else if (a->id != 0 &&
		    store_end_decision(d->store, a->id, now, err) < 0 &&
		    err->code != ERR_NOT_FOUND) {
			return -1;
		}
	}
	return 0;
}

static bool
is_changed(const struct decisions *d)
{
	void *value;
	size_t i = 0;

	while (map_next(d->map, &i, NULL, &value)) {
		const struct activation *a = value;

		if (a->noted != d->turn || a->body != NULL)
			return true;
	}
	return false;
}

/* What is written needs no writing, what has ended no remembering. */
static void
settle(struct decisions *d)
{
	const char *key;
	void *value;
	size_t i = 0;

	while (map_next(d->map, &i, &key, &value)) {
		struct activation *a = value;
		const char *host = a->host != NULL ? a->host : "all hosts";

		if (a->noted != d->turn) {
			log_info("decision",
			    "policy %s, %s: decision %" PRId64 " has ended",
			    a->policy, host, a->id);
			(void)map_remove(d->map, key);
			d->full = false;
			continue;
		}
		if (a->announce)
			log_info("decision",
			    "policy %s, %s: decision %" PRId64 ", mode %s: %s",
			    a->policy, host, a->id, policy_mode_name(a->mode),
			    a->summary);
		json_decref(a->body);
		a->body = NULL;
		a->announce = a->withdrawn = false;
	}
}

/* Ids that were given in a transaction which was rolled back are none. */
static void
unsettle(struct decisions *d, const int64_t *ids)
{
	void *value;
	size_t i = 0, n = 0;

	while (map_next(d->map, &i, NULL, &value))
		((struct activation *)value)->id = ids[n++];
}

static int64_t *
remember_ids(const struct decisions *d)
{
	int64_t *ids = calloc(map_count(d->map) + 1, sizeof(*ids));
	void *value;
	size_t i = 0, n = 0;

	if (ids == NULL)
		abort();
	while (map_next(d->map, &i, NULL, &value))
		ids[n++] = ((struct activation *)value)->id;
	return ids;
}

static void
prune(struct decisions *d, struct wall now)
{
	struct err err = {0};

	if (d->settings == NULL ||
	    llabs(now.ms - d->pruned.ms) < DECISIONS_PRUNE_MS)
		return;
	d->pruned = now;
	if (store_prune_decisions(d->store,
		(struct wall){now.ms - d->settings->keep_decisions_ms},
		&err) < 0)
		log_error("decision", "old decisions stay: %s", err.msg);
}

void
decisions_turn_over(struct decisions *d, struct wall now)
{
	struct err err = {0};
	cleanup_free int64_t *ids = NULL;

	prune(d, now);
	if (!is_changed(d)) {
		d->turn++;
		return;
	}
	ids = remember_ids(d);
	if (store_begin(d->store, &err) == 0 && write_turn(d, now, &err) == 0 &&
	    store_commit(d->store, &err) == 0) {
		settle(d);
		d->failing = false;
	} else {
		store_rollback(d->store);
		announce_forget(d->announce);
		unsettle(d, ids);
		if (!d->failing)
			log_error("decision",
			    "the record of decisions is behind: %s", err.msg);
		d->failing = true;
	}
	d->turn++;
	announce_flush(d->announce);
}
