/*
 * What policies decided: one row from when the conditions of a policy begin to
 * hold for a host until they do not any more, with what was seen and chosen.
 *
 * The row is for people who ask afterwards, so it is written when something in it
 * changes that they would ask about, and not with every evaluation; who decides
 * that is act/decisions.c.  Ended rows are history and go when they are old, or
 * too many; one that is on never does, since an approval may hang on it.
 */
#include "record/private.h"

#define DECISION_COLUMNS                                                       \
	"SELECT id, at, updated, ended, policy, host, mode, summary, body,"    \
	" approved_by FROM decisions "

int
store_add_decision(
    struct store *store, struct store_decision *row, struct err *err)
{
	static const char add[] =
	    "INSERT INTO decisions (at, updated, ended, policy, host, mode,"
	    " summary, body, approved_by) VALUES (?,?,?,?,?,?,?,?,?)";
	static const char prune[] =
	    "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions"
	    " WHERE id <= ? AND ended > 0 ORDER BY id LIMIT 8)";
	struct query q;
	int64_t id;
	bool own;
	int rc = -1;

	if (store_enter(store, &own, err) != 0)
		return -1;
	q = query_open(store, add);
	query_bind_int(&q, row->at.ms);
	query_bind_int(&q, row->updated.ms);
	query_bind_int(&q, row->ended.ms);
	query_bind_text(&q, row->policy);
	query_bind_text(&q, row->host);
	query_bind_text(&q, row->mode);
	query_bind_text(&q, row->summary);
	query_bind_text(&q, row->body);
	query_bind_text(&q, row->approved_by);
	id = query_insert(&q, err);
	if (id > 0) {
		q = query_open(store, prune);
		query_bind_int(&q, id - STORE_DECISIONS_MAX);
		rc = query_run(&q, NULL, err);
	}
	rc = store_leave(store, own, rc, err);
	if (rc == 0)
		row->id = id;
	return rc;
}

/* Binds the id as the last one. */
static int
decision_change(struct query *q, int64_t id, struct err *err)
{
	int changes;

	query_bind_int(q, id);
	if (query_run(q, &changes, err) != 0)
		return -1;
	if (changes == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no decision %lld",
		    (long long)id);
	return 0;
}

int
store_update_decision(
    struct store *store, const struct store_decision *row, struct err *err)
{
	static const char sql[] =
	    "UPDATE decisions SET updated = ?, mode = ?, summary = ?,"
	    " body = ? WHERE id = ?";
	struct query q = query_open(store, sql);

	query_bind_int(&q, row->updated.ms);
	query_bind_text(&q, row->mode);
	query_bind_text(&q, row->summary);
	query_bind_text(&q, row->body);
	return decision_change(&q, row->id, err);
}

int
store_end_decision(
    struct store *store, int64_t id, struct wall ended, struct err *err)
{
	static const char sql[] = "UPDATE decisions SET ended = ? WHERE id = ?";
	struct query q = query_open(store, sql);

	query_bind_int(&q, ended.ms);
	return decision_change(&q, id, err);
}

int
store_approve_decision(
    struct store *store, int64_t id, const char *by, struct err *err)
{
	static const char sql[] =
	    "UPDATE decisions SET approved_by = ? WHERE id = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, by);
	return decision_change(&q, id, err);
}

static void
decision_read(struct query *q, struct store_decision *row)
{
	row->id = query_int(q);
	row->at.ms = query_int(q);
	row->updated.ms = query_int(q);
	row->ended.ms = query_int(q);
	row->policy = query_text(q);
	row->host = query_text(q);
	row->mode = query_text(q);
	row->summary = query_text(q);
	row->body = query_text(q);
	row->approved_by = query_text(q);
}

int
store_get_decision(struct store *store, int64_t id,
    void (*fn)(const struct store_decision *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = DECISION_COLUMNS "WHERE id = ?";
	struct query q = query_open(store, sql);
	struct store_decision row = {0};
	int rc;

	query_bind_int(&q, id);
	rc = query_next(&q, err);
	if (rc > 0) {
		decision_read(&q, &row);
		fn(&row, arg);
	}
	query_close(&q);
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no decision %lld",
		    (long long)id);
	return rc > 0 ? 0 : -1;
}

/* All with the same parameters, each led by the index that fits. */
static const char *
decision_choose_sql(const struct store_decision_filter *filter)
{
	static const char open[] = DECISION_COLUMNS
	    "WHERE ended = 0"
	    " AND (?1 IS NULL OR policy = ?1) AND (?2 IS NULL OR host = ?2)"
	    " ORDER BY id DESC LIMIT ?3";
	static const char policy[] = DECISION_COLUMNS
	    "WHERE policy = ?1"
	    " AND (?2 IS NULL OR host = ?2) ORDER BY id DESC LIMIT ?3";
	static const char host[] =
	    DECISION_COLUMNS "WHERE ?1 IS NULL"
			     " AND host = ?2 ORDER BY id DESC LIMIT ?3";
	static const char all[] =
	    DECISION_COLUMNS "WHERE ?1 IS NULL AND ?2 IS NULL"
			     " ORDER BY id DESC LIMIT ?3";

	if (filter->open_only)
		return open;
	if (filter->policy != NULL)
		return policy;
	return filter->host != NULL ? host : all;
}

int
store_each_decision(struct store *store,
    const struct store_decision_filter *filter,
    void (*fn)(const struct store_decision *row, void *arg), void *arg,
    struct err *err)
{
	struct query q = query_open(store, decision_choose_sql(filter));
	int rc;

	query_bind_text(&q, filter->policy);
	query_bind_text(&q, filter->host);
	query_bind_int(&q, filter->max > 0 ? filter->max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_decision row = {0};

		decision_read(&q, &row);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}

int
store_prune_decisions(struct store *store, struct wall before, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM decisions WHERE ended > 0 AND ended < ?";
	struct query q = query_open(store, sql);

	query_bind_int(&q, before.ms);
	return query_run(&q, NULL, err);
}
