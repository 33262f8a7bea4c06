/*
 * Alerts that are on.  Nobody repeats one for hours, so that a daemon that forgot
 * them at its end would take the guests of a failing host back.
 */
#include "record/private.h"

int
store_put_alert(
    struct store *store, const struct store_alert *row, struct err *err)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO alerts"
	    " (labels, fingerprint, since, ends, seen) VALUES (?,?,?,?,?)";
	struct query q = query_open(store, sql);

	query_bind_text(&q, row->labels);
	query_bind_text(&q, row->fingerprint);
	query_bind_int(&q, row->since.ms);
	query_bind_int(&q, row->ends.ms);
	query_bind_int(&q, row->seen.ms);
	return query_run(&q, NULL, err);
}

int
store_remove_alert(struct store *store, const char *labels,
    const char *fingerprint, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM alerts WHERE labels = ? OR fingerprint = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, labels);
	query_bind_text(&q, fingerprint);
	return query_run(&q, NULL, err);
}

int
store_each_alert(struct store *store,
    void (*fn)(const struct store_alert *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT labels, fingerprint, since, ends,"
				  " seen FROM alerts ORDER BY labels";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_alert row = {0};

		row.labels = query_text(&q);
		row.fingerprint = query_text(&q);
		row.since.ms = query_int(&q);
		row.ends.ms = query_int(&q);
		row.seen.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}
