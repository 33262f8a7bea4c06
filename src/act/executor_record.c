/*
 * What the executor writes: the journal, the result with its news, and the JSON
 * that people and programs get to see of a move.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/executor_priv.h"
#include "base/cleanup.h"
#include "base/fields.h"
#include "base/log.h"
#include "hv/explain.h"

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
	    .strategy = j->strategy,
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
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text == NULL)
		abort();
	return text;
}

static int64_t
sum_known(int64_t a, int64_t b)
{
	if (a < 0 && b < 0)
		return -1;
	return (a > 0 ? a : 0) + (b > 0 ? b : 0);
}

/* The figures of a move that has completed, by the hypervisor's word. */
static json_t *
result_json(bool known, const struct hv_job *job, int64_t total_ms)
{
	json_t *o = json_object();

	fields_count(o, "total_ms", total_ms);
	if (!known)
		return o;
	fields_count(o, "downtime_ms", job->downtime_ms);
	if (job->downtime_ms >= 0)
		fields_text(o, "downtime_source", "qemu");
	fields_count(o, "bytes", sum_known(job->memory_done, job->disk_done));
	fields_count(o, "memory_bytes", job->memory_done);
	fields_count(o, "disk_bytes", job->disk_done);
	fields_count(o, "iterations", job->iterations);
	fields_count(o, "job_ms", job->elapsed_ms);
	return o;
}

/* The `data` of move.* events (drover-events in the contract). */
static json_t *
event_data(const struct journey *j)
{
	const struct move *m = j->move;
	json_t *why = json_object(), *o;

	fields_text(why, "policy", j->policy);
	fields_text(why, "rule", j->rule);
	fields_text(why, "text", j->why);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:o}", "guest",
	    m->name, "uuid", m->uuid, "from", m->from, "to", m->to, "strategy",
	    j->strategy, "handover", m->strict ? "strict" : "fast", "move",
	    (json_int_t)j->id, "attempts", j->attempt, "why", why);
	if (j->drain_id != 0)
		fields_count(o, "drain", j->drain_id);
	return o;
}

static void
add_error(json_t *o, const char *error)
{
	const struct hv_explanation *x;

	if (error == NULL || error[0] == '\0')
		return;
	x = hv_explain(error);
	fields_text(o, "error", error);
	fields_text(o, "error_token", x->token);
	fields_text(o, "cause", x->cause);
	fields_text(o, "remedy", x->remedy);
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
	char subject[160];

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

int
executor_write_journal(
    struct journey *j, const struct move_action *action, struct err *err)
{
	cleanup_free char *context = dump_context(j);
	struct store *store = j->ex->deps.store;
	struct store_move row = make_row(j, context);

	if (store_begin(store, err) < 0)
		return -1;
	if (store_update_move(store, &row, err) == 0 &&
	    add_journal(j, action->journal, action->step, action->text, err) ==
		0)
		return store_commit(store, err);
	store_rollback(store);
	return -1;
}

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

int
executor_write_end(struct journey *j, struct err *err)
{
	cleanup_free char *context = dump_context(j);
	cleanup_free char *result_text = NULL;
	struct store *store = j->ex->deps.store;
	struct store_move row = make_row(j, context);
	const char *outcome = move_outcome_name(j->move->outcome);
	bool good = j->move->outcome == MOVE_COMPLETED;
	json_t *result, *data;
	char subject[160];
	int64_t total;
	int rc;

	row.ended = clock_wall_now();
	row.outcome = outcome;
	row.error = !good && j->move->error[0] != '\0' ? j->move->error : NULL;
	total = mono_diff(clock_mono_now(), j->started_mono);
	result = result_json(j->final_known, &j->final, total);
	if (good)
		row.result = result_text = json_dumps(result, JSON_COMPACT);
	data = event_data(j);
	json_object_set_new(data, "outcome", json_string(outcome));
	json_object_set_new(data, "duration_ms", json_integer(total));
	if (good)
		json_object_update_missing(data, result);
	else
		add_error(data, row.error);
	json_decref(result);
	(void)snprintf(subject, sizeof(subject), "vm/%s", j->move->name);
	if (store_begin(store, err) < 0) {
		json_decref(data);
		return -1;
	}
	rc = store_update_move(store, &row, err);
	if (rc == 0)
		rc = add_journal(j, "result", outcome, row.error, err);
	if (rc == 0)
		rc = announce_event(j->ex->deps.announce,
		    event_type(j->move->outcome), subject, data, err);
	else
		json_decref(data);
	if (rc == 0 && store_commit(store, err) == 0)
		return 0;
	if (rc != 0)
		store_rollback(store);
	announce_forget(j->ex->deps.announce);
	return -1;
}

void
executor_fill_report(const struct journey *j, struct executor_report *out)
{
	*out = (struct executor_report){
	    .id = j->id,
	    .drain_id = j->drain_id,
	    .move = j->move,
	    .strategy = j->strategy,
	    .policy = j->policy,
	    .rule = j->rule,
	    .why = j->why,
	    .attempt = j->attempt,
	    .memory = j->move->memory,
	    .started = j->started,
	    .elapsed_ms = mono_diff(clock_mono_now(), j->started_mono),
	    .idle = move_is_idle(j->move, clock_mono_now()),
	    .job_known = j->job_known,
	    .job = j->job,
	    .percent = j->percent,
	    .converging = j->converging,
	    .final_known = j->final_known,
	    .final = j->final,
	};
}

static const char *
phase_name(const struct move *m, const struct hv_job *job)
{
	switch (m->state) {
	case MOVE_NEW:
		return "starting";
	case MOVE_STEPPING:
		return move_step_name(m->step);
	case MOVE_PERFORMING:
	case MOVE_FOLLOWING:
		return job->iterations > 0 ? "pre-copy" : "preparing";
	case MOVE_OBSERVING:
	case MOVE_COLLECTING:
		return "verifying";
	case MOVE_WAITING:
		return "waiting";
	case MOVE_REPAIRING:
		return "repairing";
	case MOVE_ENDED:
		return "ended";
	}
	return "?";
}

static json_t *
progress_json(const struct executor_report *r)
{
	json_t *o = json_pack("{s:i, s:s}", "percent", r->percent, "phase",
	    phase_name(r->move, &r->job));

	if (!r->job_known)
		return o;
	fields_count(o, "rate", r->job.memory_rate);
	fields_count(o, "dirty_rate", r->job.dirty_rate);
	fields_count(o, "remaining",
	    sum_known(r->job.memory_remaining, r->job.disk_remaining));
	fields_count(o, "iteration", r->job.iterations);
	fields_count(o, "expected_downtime_ms", r->job.downtime_ms);
	json_object_set_new(o, "converging", json_boolean(r->converging));
	if (r->converging && r->job.memory_rate > 0 &&
	    r->job.memory_remaining >= 0)
		fields_count(o, "eta_ms",
		    r->job.memory_remaining * 1000 / r->job.memory_rate);
	return o;
}

json_t *
executor_report_json(const struct executor_report *r)
{
	const struct move *m = r->move;
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}",
	    "id", (json_int_t)r->id, "vm", m->name, "uuid", m->uuid, "from",
	    m->from, "to", m->to, "strategy", r->strategy, "handover",
	    m->strict ? "strict" : "fast", "attempt", r->attempt, "state",
	    move_state_name(m->state));

	if (r->drain_id != 0)
		fields_count(o, "drain", r->drain_id);
	fields_text(o, "policy", r->policy);
	fields_text(o, "rule", r->rule);
	fields_text(o, "why", r->why);
	fields_text(o, "note", m->note);
	fields_text(o, "outcome", move_outcome_name(m->outcome));
	fields_time(o, "started", r->started);
	fields_count(o, "duration_ms", r->elapsed_ms);
	if (m->outcome != MOVE_COMPLETED)
		add_error(o, m->error);
	if (m->outcome == MOVE_COMPLETED)
		json_object_set_new(o, "result",
		    result_json(r->final_known, &r->final, r->elapsed_ms));
	else
		json_object_set_new(o, "progress", progress_json(r));
	return o;
}

json_t *
executor_row_json(const struct store_move *row)
{
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "id",
	    (json_int_t)row->id, "vm", row->name, "uuid", row->uuid, "from",
	    row->from, "to", row->to, "strategy", row->strategy, "attempt",
	    row->attempt, "state", row->state);
	json_t *context = json_loads(row->context, 0, NULL), *result;

	if (context != NULL)
		fields_text(o, "handover",
		    json_is_true(json_object_get(context, "strict")) ? "strict"
								     : "fast");
	json_decref(context);
	if (row->drain_id != 0)
		fields_count(o, "drain", row->drain_id);
	fields_text(o, "policy", row->policy);
	fields_text(o, "rule", row->rule);
	fields_text(o, "why", row->why);
	fields_text(o, "outcome", row->outcome);
	fields_time(o, "started", row->started);
	fields_time(o, "ended", row->ended);
	if (row->ended.ms != 0)
		fields_count(o, "duration_ms", row->ended.ms - row->started.ms);
	add_error(o, row->error);
	result = row->result != NULL ? json_loads(row->result, 0, NULL) : NULL;
	if (result != NULL)
		json_object_set_new(o, "result", result);
	return o;
}
