/*
 * How many moves have ended, in which way, and what they sent: counted in the
 * transaction that ends a move, so that none is missed or counted twice, and
 * kept when the move itself is forgotten.
 */
#include "record/private.h"

#include <jansson.h>

/* Of the move's own figures; 0 where it has none. */
static int64_t
totals_bytes(const char *result)
{
	json_t *json = result != NULL ? json_loads(result, 0, NULL) : NULL;
	int64_t bytes = json_integer_value(json_object_get(json, "bytes"));

	json_decref(json);
	return bytes > 0 ? bytes : 0;
}

int
totals_count(
    struct store *store, const struct store_move *move, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO totals (strategy, outcome, moves, bytes)"
	    " SELECT ?, ?, 1, ? FROM moves WHERE id = ? AND outcome IS NULL"
	    " ON CONFLICT (strategy, outcome) DO UPDATE SET"
	    " moves = moves + 1, bytes = bytes + excluded.bytes";
	struct query q = query_open(store, sql);

	query_bind_text(&q, move->strategy);
	query_bind_text(&q, move->outcome);
	query_bind_int(&q, totals_bytes(move->result));
	query_bind_int(&q, move->id);
	return query_run(&q, NULL, err);
}

int
store_each_total(struct store *store,
    void (*fn)(const struct store_total *total, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT strategy, outcome, moves, bytes"
				  " FROM totals ORDER BY strategy, outcome";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_total total = {0};

		total.strategy = query_text(&q);
		total.outcome = query_text(&q);
		total.moves = query_int(&q);
		total.bytes = query_int(&q);
		fn(&total, arg);
	}
	query_close(&q);
	return rc;
}
