/*
 * What operators said about policies and guests: another mode than the file has,
 * and labels.  Both outlive what they are about (a policy that is taken out of
 * the configuration for a day, a guest whose host is down), so nothing here is
 * forgotten by itself; a limit bounds what a script that runs wild can do.
 */
#include "record/private.h"

static int
marks_check_room(
    struct query *q, int64_t max, const char *what, struct err *err)
{
	int rc = query_next(q, err);
	int64_t count = rc > 0 ? query_int(q) : 0;

	query_close(q);
	if (rc < 0)
		return -1;
	if (count >= max)
		return err_set(err, ERR_LIMIT,
		    "there are %lld %s already: remove some that are not "
		    "needed any more",
		    (long long)max, what);
	return 0;
}

int
store_put_mode(
    struct store *store, const struct store_mode *row, struct err *err)
{
	static const char count[] =
	    "SELECT COUNT(*) FROM policy_modes WHERE policy <> ?";
	static const char put[] =
	    "INSERT OR REPLACE INTO policy_modes (policy, mode, by, since)"
	    " VALUES (?,?,?,?)";
	static const char drop[] = "DELETE FROM policy_modes WHERE policy = ?";
	struct query q;

	if (row->mode == NULL) {
		q = query_open(store, drop);
		query_bind_text(&q, row->policy);
		return query_run(&q, NULL, err);
	}
	q = query_open(store, count);
	query_bind_text(&q, row->policy);
	if (marks_check_room(&q, STORE_MODES_MAX, "modes set", err) != 0)
		return -1;
	q = query_open(store, put);
	query_bind_text(&q, row->policy);
	query_bind_text(&q, row->mode);
	query_bind_text(&q, row->by);
	query_bind_int(&q, row->since.ms);
	return query_run(&q, NULL, err);
}

int
store_each_mode(struct store *store,
    void (*fn)(const struct store_mode *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT policy, mode, by, since FROM policy_modes ORDER BY policy";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_mode row = {0};

		row.policy = query_text(&q);
		row.mode = query_text(&q);
		row.by = query_text(&q);
		row.since.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}

int
store_put_label(struct store *store, const char *uuid, const char *key,
    const char *value, struct err *err)
{
	static const char count[] =
	    "SELECT COUNT(*) FROM vm_labels WHERE uuid <> ?1 OR key <> ?2";
	static const char put[] =
	    "INSERT OR REPLACE INTO vm_labels (uuid, key, value)"
	    " VALUES (?1,?2,?3)";
	static const char drop[] =
	    "DELETE FROM vm_labels WHERE uuid = ?1 AND key = ?2";
	struct query q;

	if (value == NULL) {
		q = query_open(store, drop);
		query_bind_text(&q, uuid);
		query_bind_text(&q, key);
		return query_run(&q, NULL, err);
	}
	q = query_open(store, count);
	query_bind_text(&q, uuid);
	query_bind_text(&q, key);
	if (marks_check_room(&q, STORE_LABELS_MAX, "labels of guests", err) !=
	    0)
		return -1;
	q = query_open(store, put);
	query_bind_text(&q, uuid);
	query_bind_text(&q, key);
	query_bind_text(&q, value);
	return query_run(&q, NULL, err);
}

int
store_each_label(struct store *store,
    void (*fn)(const char *uuid, const char *key, const char *value, void *arg),
    void *arg, struct err *err)
{
	static const char sql[] =
	    "SELECT uuid, key, value FROM vm_labels ORDER BY uuid, key";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		const char *uuid = query_text(&q);
		const char *key = query_text(&q);

		fn(uuid, key, query_text(&q), arg);
	}
	query_close(&q);
	return rc;
}
