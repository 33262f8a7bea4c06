/*
 * Moves and the journal of each.
 *
 * A move's row is what a restarted daemon goes on from: its state, and the
 * context that the state machine asked to keep.  The journal beside it is the
 * trace of irreversible calls: an intent without a result means that the call
 * may or may not have happened, and the hypervisors have to be asked.
 *
 * Ended moves are history and go, journal and all, when there are too many;
 * one that is under way never does.
 */
#include "record/private.h"

#define MOVE_COLUMNS                                                           \
	"SELECT id, drain_id, uuid, name, source, target,"                     \
	" strategy, policy, rule, why, attempt, state, context, outcome,"      \
	" error, result, started, ended FROM moves "

static void
move_bind(struct query *q, const struct store_move *move)
{
	query_bind_text(q, move->to);
	query_bind_text(q, move->strategy);
	query_bind_text(q, move->policy);
	query_bind_text(q, move->rule != NULL ? move->rule : "");
	query_bind_text(q, move->why != NULL ? move->why : "");
	query_bind_int(q, move->attempt);
	query_bind_text(q, move->state);
	query_bind_text(q, move->context);
	query_bind_text(q, move->outcome);
	query_bind_text(q, move->error);
	query_bind_text(q, move->result);
	query_bind_int(q, move->started.ms);
	query_bind_int(q, move->ended.ms);
}

int
store_add_move(struct store *store, struct store_move *move, struct err *err)
{
	static const char add[] =
	    "INSERT INTO moves (target, strategy,"
	    " policy, rule, why, attempt, state, context, outcome, error,"
	    " result, started, ended, drain_id, uuid, name, source)"
	    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
	static const char prune[] =
	    "DELETE FROM moves WHERE id IN (SELECT id"
	    " FROM moves WHERE id <= ? AND outcome IS NOT NULL"
	    " ORDER BY id LIMIT 8)";
	struct query q;
	int64_t id;
	bool own;
	int rc = -1;

	if (store_enter(store, &own, err) != 0)
		return -1;
	q = query_open(store, add);
	move_bind(&q, move);
	query_bind_int(&q, move->drain_id);
	query_bind_text(&q, move->uuid);
	query_bind_text(&q, move->name);
	query_bind_text(&q, move->from);
	id = query_insert(&q, err);
	if (id > 0) {
		q = query_open(store, prune);
		query_bind_int(&q, id - STORE_MOVES_MAX);
		rc = query_run(&q, NULL, err);
	}
	rc = store_leave(store, own, rc, err);
	if (rc == 0)
		move->id = id;
	return rc;
}

int
store_update_move(
    struct store *store, const struct store_move *move, struct err *err)
{
	static const char sql[] =
	    "UPDATE moves SET target = ?, strategy = ?,"
	    " policy = ?, rule = ?, why = ?, attempt = ?, state = ?,"
	    " context = ?, outcome = ?, error = ?, result = ?, started = ?,"
	    " ended = ? WHERE id = ?";
	struct query q;
	int changes = 0, rc = 0;
	bool own;

	if (store_enter(store, &own, err) != 0)
		return -1;
	if (move->outcome != NULL)
		rc = totals_count(store, move, err);
	if (rc == 0) {
		q = query_open(store, sql);
		move_bind(&q, move);
		query_bind_int(&q, move->id);
		rc = query_run(&q, &changes, err);
	}
	if (store_leave(store, own, rc, err) != 0)
		return -1;
	if (changes == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no move %lld",
		    (long long)move->id);
	return 0;
}

static void
move_read(struct query *q, struct store_move *move)
{
	move->id = query_int(q);
	move->drain_id = query_int(q);
	move->uuid = query_text(q);
	move->name = query_text(q);
	move->from = query_text(q);
	move->to = query_text(q);
	move->strategy = query_text(q);
	move->policy = query_text(q);
	move->rule = query_text(q);
	move->why = query_text(q);
	move->attempt = (int)query_int(q);
	move->state = query_text(q);
	move->context = query_text(q);
	move->outcome = query_text(q);
	move->error = query_text(q);
	move->result = query_text(q);
	move->started.ms = query_int(q);
	move->ended.ms = query_int(q);
}

int
store_get_move(struct store *store, int64_t id,
    void (*fn)(const struct store_move *move, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = MOVE_COLUMNS "WHERE id = ?";
	struct query q = query_open(store, sql);
	struct store_move move = {0};
	int rc;

	query_bind_int(&q, id);
	rc = query_next(&q, err);
	if (rc > 0) {
		move_read(&q, &move);
		fn(&move, arg);
	}
	query_close(&q);
	if (rc == 0)
		return err_set(
		    err, ERR_NOT_FOUND, "there is no move %lld", (long long)id);
	return rc > 0 ? 0 : -1;
}

/* All with the same parameters, each led by the index that fits. */
static const char *
move_choose_sql(const struct store_move_filter *filter)
{
	static const char open[] = MOVE_COLUMNS
	    "WHERE outcome IS NULL"
	    " AND (?1 IS NULL OR uuid = ?1) AND (?2 = 0 OR drain_id = ?2)"
	    " ORDER BY id DESC LIMIT ?3";
	static const char uuid[] = MOVE_COLUMNS
	    "WHERE uuid = ?1"
	    " AND (?2 = 0 OR drain_id = ?2) ORDER BY id DESC LIMIT ?3";
	static const char drain[] =
	    MOVE_COLUMNS "WHERE ?1 IS NULL"
			 " AND drain_id = ?2 ORDER BY id DESC LIMIT ?3";
	static const char all[] = MOVE_COLUMNS "WHERE ?1 IS NULL AND ?2 = 0"
					       " ORDER BY id DESC LIMIT ?3";

	if (filter->open_only)
		return open;
	if (filter->uuid != NULL)
		return uuid;
	return filter->drain_id != 0 ? drain : all;
}

int
store_each_move(struct store *store, const struct store_move_filter *filter,
    void (*fn)(const struct store_move *move, void *arg), void *arg,
    struct err *err)
{
	struct query q = query_open(store, move_choose_sql(filter));
	int rc;

	query_bind_text(&q, filter->uuid);
	query_bind_int(&q, filter->drain_id);
	query_bind_int(&q, filter->max > 0 ? filter->max : -1);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_move move = {0};

		move_read(&q, &move);
		fn(&move, arg);
	}
	query_close(&q);
	return rc;
}

int
store_each_last_move(struct store *store,
    void (*fn)(const char *uuid, struct wall ended, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT uuid, MAX(ended) FROM moves WHERE outcome = 'completed'"
	    " GROUP BY uuid ORDER BY uuid";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		const char *uuid = query_text(&q);

		fn(uuid, (struct wall){query_int(&q)}, arg);
	}
	query_close(&q);
	return rc;
}

int
store_add_journal(
    struct store *store, const struct store_journal *entry, struct err *err)
{
	static const char sql[] = "INSERT INTO journal (move_id, at, kind,"
				  " step, detail) VALUES (?,?,?,?,?)";
	struct query q;
	bool own;
	int rc;

	if (store_enter(store, &own, err) != 0)
		return -1;
	q = query_open(store, sql);
	query_bind_int(&q, entry->move_id);
	query_bind_int(&q, entry->at.ms);
	query_bind_text(&q, entry->kind);
	query_bind_text(&q, entry->step);
	query_bind_text(&q, entry->detail);
	rc = query_run(&q, NULL, err);
	if (rc == 0)
		faults_journal_added(&store->faults);
	return store_leave(store, own, rc, err);
}

int
store_each_journal(struct store *store, int64_t move_id,
    void (*fn)(const struct store_journal *entry, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] = "SELECT move_id, at, kind, step, detail"
				  " FROM journal WHERE move_id = ? ORDER BY id";
	struct query q = query_open(store, sql);
	int rc;

	query_bind_int(&q, move_id);
	while ((rc = query_next(&q, err)) > 0) {
		struct store_journal entry = {0};

		entry.move_id = query_int(&q);
		entry.at.ms = query_int(&q);
		entry.kind = query_text(&q);
		entry.step = query_text(&q);
		entry.detail = query_text(&q);
		fn(&entry, arg);
	}
	query_close(&q);
	return rc;
}
