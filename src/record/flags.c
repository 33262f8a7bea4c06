/*
 * Flags of hosts, and drains.
 *
 * A flag is what an operator said and stays until he takes it back; a drain is
 * one attempt to act on it and becomes history.  So flags are one row per
 * host, replaced in place, and drains are appended, the oldest ended ones going
 * when there are too many.
 */
#include "record/private.h"

#include <string.h>

#define DRAIN_COLUMNS                                                          \
	"SELECT id, host, state, started, ended, parallel,"                    \
	" only_to, reason, by, moved, failed, blocked, detail,"                \
	" force_off, include_stopped, deadline, return_home FROM drains "

static const char *const drain_names[] = {
    [STORE_DRAIN_RUNNING] = "running",
    [STORE_DRAIN_DONE] = "done",
    [STORE_DRAIN_BLOCKED] = "blocked",
    [STORE_DRAIN_CANCELLED] = "cancelled",
};

int
store_put_flag(
    struct store *store, const struct store_flag *flag, struct err *err)
{
	static const char put[] =
	    "INSERT INTO flags (host, maintenance,"
	    " cordoned, source, by, reason, since) VALUES (?,?,?,?,?,?,?)"
	    " ON CONFLICT (host) DO UPDATE SET"
	    " maintenance = excluded.maintenance,"
	    " cordoned = excluded.cordoned, source = excluded.source,"
	    " by = excluded.by, reason = excluded.reason,"
	    " since = excluded.since";
	static const char drop[] = "DELETE FROM flags WHERE host = ?";
	struct query q;

	if (!flag->maintenance && !flag->cordoned) {
		q = query_open(store, drop);
		query_bind_text(&q, flag->host);
		return query_run(&q, NULL, err);
	}
	q = query_open(store, put);
	query_bind_text(&q, flag->host);
	query_bind_int(&q, flag->maintenance);
	query_bind_int(&q, flag->cordoned);
	query_bind_text(&q, flag->source);
	query_bind_text(&q, flag->by);
	query_bind_text(&q, flag->reason);
	query_bind_int(&q, flag->since.ms);
	return query_run(&q, NULL, err);
}

int
store_each_flag(struct store *store,
    void (*fn)(const struct store_flag *flag, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT host, maintenance, cordoned, source,"
				  " by, reason, since FROM flags ORDER BY host";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_flag flag = {0};

		flag.host = query_text(&q);
		flag.maintenance = query_int(&q) != 0;
		flag.cordoned = query_int(&q) != 0;
		flag.source = query_text(&q);
		flag.by = query_text(&q);
		flag.reason = query_text(&q);
		flag.since.ms = query_int(&q);
		fn(&flag, arg);
	}
	query_close(&q);
	return rc;
}

static void
drain_bind(struct query *q, const struct store_drain *drain)
{
	query_bind_text(q, drain_names[drain->state]);
	query_bind_int(q, drain->ended.ms);
	query_bind_int(q, drain->parallel);
	query_bind_text(q, drain->only_to);
	query_bind_text(q, drain->reason);
	query_bind_int(q, drain->moved);
	query_bind_int(q, drain->failed);
	query_bind_int(q, drain->blocked);
	query_bind_text(q, drain->detail);
	query_bind_int(q, drain->force_off);
	query_bind_int(q, drain->include_stopped);
	query_bind_int(q, drain->deadline.ms);
	query_bind_int(q, drain->return_home);
}

int
store_add_drain(struct store *store, struct store_drain *drain, struct err *err)
{
	static const char add[] =
	    "INSERT INTO drains (state, ended, parallel,"
	    " only_to, reason, moved, failed, blocked, detail, force_off,"
	    " include_stopped, deadline, return_home, host, started, by)"
	    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
	static const char prune[] =
	    "DELETE FROM drains WHERE id IN (SELECT id"
	    " FROM drains WHERE id <= ? AND state <> 'running'"
	    " ORDER BY id LIMIT 8)";
	struct query q;
	int64_t id;
	bool own;
	int rc = -1;

	if (store_enter(store, &own, err) != 0)
		return -1;
	q = query_open(store, add);
	drain_bind(&q, drain);
	query_bind_text(&q, drain->host);
	query_bind_int(&q, drain->started.ms);
	query_bind_text(&q, drain->by);
	id = query_insert(&q, err);
	if (id > 0) {
		q = query_open(store, prune);
		query_bind_int(&q, id - STORE_DRAINS_MAX);
		rc = query_run(&q, NULL, err);
	}
	rc = store_leave(store, own, rc, err);
	if (rc == 0)
		drain->id = id;
	return rc;
}

int
store_update_drain(
    struct store *store, const struct store_drain *drain, struct err *err)
{
	static const char sql[] =
	    "UPDATE drains SET state = ?, ended = ?,"
	    " parallel = ?, only_to = ?, reason = ?, moved = ?, failed = ?,"
	    " blocked = ?, detail = ?, force_off = ?, include_stopped = ?,"
	    " deadline = ?, return_home = ? WHERE id = ?";
	struct query q = query_open(store, sql);
	int changes;

	drain_bind(&q, drain);
	query_bind_int(&q, drain->id);
	if (query_run(&q, &changes, err) != 0)
		return -1;
	if (changes == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no drain %lld",
		    (long long)drain->id);
	return 0;
}

static enum store_drain_state
drain_state(const char *name)
{
	for (size_t i = 0; i < sizeof(drain_names) / sizeof(drain_names[0]);
	     i++) {
		if (name != NULL && strcmp(name, drain_names[i]) == 0)
			return (enum store_drain_state)i;
	}
	return STORE_DRAIN_CANCELLED;
}

static void
drain_read(struct query *q, struct store_drain *drain)
{
	drain->id = query_int(q);
	drain->host = query_text(q);
	drain->state = drain_state(query_text(q));
	drain->started.ms = query_int(q);
	drain->ended.ms = query_int(q);
	drain->parallel = (int)query_int(q);
	drain->only_to = query_text(q);
	drain->reason = query_text(q);
	drain->by = query_text(q);
	drain->moved = (int)query_int(q);
	drain->failed = (int)query_int(q);
	drain->blocked = (int)query_int(q);
	drain->detail = query_text(q);
	drain->force_off = query_int(q) != 0;
	drain->include_stopped = query_int(q) != 0;
	drain->deadline.ms = query_int(q);
	drain->return_home = query_int(q) != 0;
}

int
store_get_drain(struct store *store, int64_t id,
    void (*fn)(const struct store_drain *drain, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DRAIN_COLUMNS "WHERE id = ?";
	struct query q = query_open(store, sql);
	struct store_drain drain = {0};
	int rc;

	query_bind_int(&q, id);
	rc = query_next(&q, err);
	if (rc > 0) {
		drain_read(&q, &drain);
		fn(&drain, arg);
	}
	query_close(&q);
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no drain %lld",
		    (long long)id);
	return rc > 0 ? 0 : -1;
}

int
store_each_drain(struct store *store, int max,
    void (*fn)(const struct store_drain *drain, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DRAIN_COLUMNS "ORDER BY id DESC LIMIT ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, max > 0 ? max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_drain drain = {0};

		drain_read(&q, &drain);
		fn(&drain, arg);
	}
	query_close(&q);
	return rc;
}
