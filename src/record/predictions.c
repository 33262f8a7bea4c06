/*
 * What was foretold of a move beside what came out.  A row belongs to its move
 * and is forgotten with it, which keeps the table as small as the history.
 */
#include "record/private.h"

int
store_add_prediction(
    struct store *store, const struct store_prediction *row, struct err *err)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO predictions (move_id, strategy,"
	    " predicted_ms, predicted_downtime_ms, actual_ms,"
	    " actual_downtime_ms, at) VALUES (?,?,?,?,?,?,?)";
	struct query q = query_open(store, sql);

	query_bind_int(&q, row->move_id);
	query_bind_text(&q, row->strategy);
	query_bind_int(&q, row->predicted_ms);
	query_bind_int(&q, row->predicted_downtime_ms);
	query_bind_int(&q, row->actual_ms);
	query_bind_int(&q, row->actual_downtime_ms);
	query_bind_int(&q, row->at.ms);
	return query_run(&q, NULL, err);
}

int
store_each_prediction(struct store *store, int max,
    void (*fn)(const struct store_prediction *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT move_id, strategy, predicted_ms, predicted_downtime_ms,"
	    " actual_ms, actual_downtime_ms, at FROM predictions"
	    " ORDER BY at DESC, move_id DESC LIMIT ?";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, max > 0 ? max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_prediction row = {0};

		row.move_id = query_int(&q);
		row.strategy = query_text(&q);
		row.predicted_ms = query_int(&q);
		row.predicted_downtime_ms = query_int(&q);
		row.actual_ms = query_int(&q);
		row.actual_downtime_ms = query_int(&q);
		row.at.ms = query_int(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}
