/*
 * What the executor writes: the journal, and the result with its news.
 *
 * What has to hold together is one transaction.  The images that a guest leaves
 * behind become ours to remove with the outcome that says so; and an old image
 * that is in the way at the target stops being one with the intent to replace it.
 */
#include "act/executor_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fields.h"
#include "base/log.h"

#define SUBJECT_SIZE 512 /* a guest's name has up to 255 bytes */

/* A row as the store wants it, with the machine's state in `context`. */
static struct store_move
make_row(const struct journey *j, const char *context)
{
	return (struct store_move){
	    .id = j->id,
	    .drain_id = j->drain_id,
	    .uuid = j->move->uuid,
	    .name = j->move->name,
	    .from = j->move->from,
	    .to = j->move->to,
	    .strategy = move_strategy_name(j->move->strategy),
	    .policy = j->policy,
	    .rule = j->rule,
	    .why = j->why,
	    .attempt = j->attempt,
	    .state = move_state_name(j->move->state),
	    .context = context,
	    .started = j->started,
	};
}

static char *
dump_context(const struct journey *j)
{
	json_t *json = move_save(j->move);
	char *text;

	json_object_set_new(json, "plan", executor_plan_save(&j->plan));
	text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text == NULL)
		abort();
	return text;
}

/* The `data` of move.* events (drover-events in the contract). */
static json_t *
event_data(const struct journey *j)
{
	const struct move *m = j->move;
	json_t *why = json_object(), *o;

	if (j->plan.decision != 0)
		fields_count(why, "decision", j->plan.decision);
	fields_text(why, "policy", j->policy);
	fields_text(why, "rule", j->rule);
	fields_text(why, "text", j->why);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:o}", "guest",
	    m->name, "uuid", m->uuid, "from", m->from, "to", m->to, "strategy",
	    move_strategy_name(m->strategy), "move", (json_int_t)j->id,
	    "attempts", j->attempt, "why", why);
	if (m->strategy != MOVE_RESTART)
		fields_text(o, "handover", m->strict ? "strict" : "fast");
	if (j->drain_id != 0)
		fields_count(o, "drain", j->drain_id);
	return o;
}

static int
add_journal(struct journey *j, const char *kind, const char *step,
    const char *detail, struct err *err)
{
	return store_add_journal(j->ex->deps.store,
	    &(struct store_journal){
		.move_id = j->id,
		.at = clock_wall_now(),
		.kind = kind,
		.step = step,
		.detail = detail,
	    },
	    err);
}

int
executor_write_start(
    struct journey *j, const struct move_action *action, struct err *err)
{
	cleanup_free char *context = dump_context(j);
	struct store *store = j->ex->deps.store;
	struct store_move row = make_row(j, context);
	char subject[SUBJECT_SIZE];

	(void)snprintf(subject, sizeof(subject), "vm/%s", j->move->name);
	if (store_begin(store, err) < 0)
		return -1;
	if (store_add_move(store, &row, err) < 0)
		goto fail;
	j->id = row.id;
	if (add_journal(j, action->journal, action->step, action->text, err) <
	    0)
		goto fail;
	if (announce_event(j->ex->deps.announce, "move.started", subject,
		event_data(j), err) < 0)
		goto fail;
	if (store_commit(store, err) == 0)
		return 0;
	announce_forget(j->ex->deps.announce);
	return -1;
fail:
	store_rollback(store);
	announce_forget(j->ex->deps.announce);
	return -1;
}

/* The row and an entry; `release`: old images at the target stop being kept. */
static int
write_entry(struct journey *j, const char *kind, const char *step,
    const char *text, bool release, struct err *err)
{
	cleanup_free char *context = dump_context(j);
	struct store *store = j->ex->deps.store;
	struct store_move row = make_row(j, context);
	int rc;

	if (store_begin(store, err) < 0)
		return -1;
	rc = store_update_move(store, &row, err);
	if (rc == 0)
		rc = add_journal(j, kind, step, text, err);
	for (size_t i = 0; i < j->move->disk_count && release && rc == 0; i++)
		rc = leftovers_release(j->ex->deps.leftovers, j->move->to,
		    j->move->disks[i].pool, j->move->disks[i].volume, err);
	if (rc == 0)
		rc = store_commit(store, err);
	else
		store_rollback(store);
	if (release)
		leftovers_changed(j->ex->deps.leftovers);
	return rc;
}

int
executor_write_journal(
    struct journey *j, const struct move_action *action, struct err *err)
{
	bool release = strcmp(action->journal, "intent") == 0 &&
	    strcmp(action->step, move_step_name(MOVE_STEP_PREPARE)) == 0;

	return write_entry(
	    j, action->journal, action->step, action->text, release, err);
}

int
executor_write_note(
    struct journey *j, const char *step, const char *text, struct err *err)
{
	return write_entry(j, "note", step, text, false, err);
}

/* ---- the end ---- */

static const char *
event_type(enum move_outcome outcome)
{
	switch (outcome) {
	case MOVE_COMPLETED:
		return "move.completed";
	case MOVE_ROLLED_BACK:
		return "move.rolled_back";
	case MOVE_NO_OUTCOME:
	case MOVE_FAILED:
	case MOVE_ABORTED:
	case MOVE_STUCK:
		return "move.failed";
	}
	return "move.failed";
}

/* The images that stay at the source, each where one could be found. */
static int
keep_images(struct journey *j, struct err *err)
{
	const struct move *m = j->move;
	const struct executor_plan *p = &j->plan;

	for (size_t i = 0; i < m->disk_count && i < p->source_count; i++) {
		const struct move_disk *d = &m->disks[i];
		struct store_leftover row = {
		    .move_id = j->id,
		    .host = m->from,
		    .uuid = m->uuid,
		    .name = m->name,
		    .pool = p->sources[i].pool,
		    .volume = p->sources[i].volume,
		    .path = d->path,
		    .since = j->ended_at,
		    .due = {j->ended_at.ms + p->keep_source_ms},
		};

		if (leftovers_keep(j->ex->deps.leftovers, &row, err) < 0)
			return -1;
		if (d->layer == NULL || !move_has_begun(m, MOVE_STEP_FREEZE))
			continue;
		row.volume = d->layer_volume;
		row.path = d->layer;
		if (leftovers_keep(j->ex->deps.leftovers, &row, err) < 0)
			return -1;
	}
	return 0;
}

static int
keep_at_target(struct journey *j, const struct move_disk *d, const char *volume,
    const char *path, struct err *err)
{
	return leftovers_keep(j->ex->deps.leftovers,
	    &(struct store_leftover){
		.move_id = j->id,
		.host = j->move->to,
		.uuid = j->move->uuid,
		.name = j->move->name,
		.pool = d->pool,
		.volume = volume,
		.path = path,
		.since = j->ended_at,
		.due = j->ended_at,
	    },
	    err);
}

/* Volumes of a move that has failed which could not be removed at the target in
 * time.  One that may be somebody else's is never ours to remove later. */
static int
keep_rest(struct journey *j, struct err *err)
{
	const struct move *m = j->move;

	for (size_t i = 0; i < m->disk_count; i++) {
		const struct move_disk *d = &m->disks[i];

		if (d->created && d->unsure)
			log_warn("move",
			    "%s: %s in pool %s of %s may be a rest of the "
			    "move, or somebody's: it was left as it is",
			    m->name, d->volume, d->pool, m->to);
		else if (d->created && d->dest_path != NULL &&
		    keep_at_target(j, d, d->volume, d->dest_path, err) < 0)
			return -1;
		if (d->layer_created && d->layer_dest_path != NULL &&
		    keep_at_target(
			j, d, d->layer_volume, d->layer_dest_path, err) < 0)
			return -1;
	}
	return 0;
}

static int
keep_prediction(struct journey *j, int64_t total_ms, struct err *err)
{
	const struct executor_plan *p = &j->plan;
	const char *source;

	if (p->predicted_ms < 0 && p->predicted_downtime_ms < 0)
		return 0;
	return store_add_prediction(j->ex->deps.store,
	    &(struct store_prediction){
		.move_id = j->id,
		.strategy = move_strategy_name(j->move->strategy),
		.predicted_ms = p->predicted_ms,
		.predicted_downtime_ms = p->predicted_downtime_ms,
		.actual_ms = total_ms,
		.actual_downtime_ms = executor_final_downtime(j, &source),
		.at = j->ended_at,
	    },
	    err);
}

/* Within the transaction; takes `data`. */
static int
write_end(struct journey *j, const struct store_move *row, json_t *data,
    int64_t total_ms, struct err *err)
{
	struct store *store = j->ex->deps.store;
	bool good = j->move->outcome == MOVE_COMPLETED;
	char subject[SUBJECT_SIZE];

	(void)snprintf(subject, sizeof(subject), "vm/%s", j->move->name);
	if (store_update_move(store, row, err) < 0 ||
	    add_journal(j, "result", row->outcome, row->error, err) < 0 ||
	    (good && keep_images(j, err) < 0) ||
	    (!good && j->move->outcome != MOVE_STUCK &&
		keep_rest(j, err) < 0) ||
	    (good && keep_prediction(j, total_ms, err) < 0)) {
		json_decref(data);
		return -1;
	}
	return announce_event(j->ex->deps.announce,
	    event_type(j->move->outcome), subject, data, err);
}

int
executor_write_end(struct journey *j, struct err *err)
{
	cleanup_free char *context = dump_context(j);
	cleanup_free char *result_text = NULL;
	struct store *store = j->ex->deps.store;
	struct store_move row = make_row(j, context);
	bool good = j->move->outcome == MOVE_COMPLETED;
	int64_t total = j->ended_at.ms - j->started.ms;
	json_t *data = event_data(j), *result;

	/* The wall clock may have been set back. */
	if (total < 0)
		total = 0;
	row.ended = j->ended_at;
	row.outcome = move_outcome_name(j->move->outcome);
	row.error = !good && j->move->error[0] != '\0' ? j->move->error : NULL;
	json_object_set_new(data, "outcome", json_string(row.outcome));
	json_object_set_new(data, "duration_ms", json_integer(total));
	if (good) {
		result = executor_result_json(j, total);
		row.result = result_text = json_dumps(result, JSON_COMPACT);
		json_object_update_missing(data, result);
		json_decref(result);
	} else {
		executor_add_error(data, row.error);
	}
	fields_text(data, "remark", j->move->remark);
	if (store_begin(store, err) < 0) {
		json_decref(data);
		return -1;
	}
	if (write_end(j, &row, data, total, err) == 0 &&
	    store_commit(store, err) == 0) {
		if (j->move->disk_count > 0)
			leftovers_changed(j->ex->deps.leftovers);
		return 0;
	}
	store_rollback(store);
	announce_forget(j->ex->deps.announce);
	return -1;
}
