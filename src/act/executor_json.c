/*
 * What people and programs get to see of a move: under way from the journey, and
 * afterwards from its row, in the same form.
 */
#include "act/executor_priv.h"

#include <string.h>

#include "base/fields.h"
#include "hv/explain.h"

static int64_t
sum_known(int64_t a, int64_t b)
{
	if (a < 0 && b < 0)
		return -1;
	return (a > 0 ? a : 0) + (b > 0 ? b : 0);
}

void
executor_add_error(json_t *o, const char *error)
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

/* ---- figures of one that has completed ---- */

/* QEMU counts from its switchover until the target could run.  A guest that
 * arrives paused runs later, one that was paused by us stood before that, and of a
 * restart QEMU knows nothing: there what was seen counts. */
int64_t
executor_final_downtime(const struct journey *j, const char **out_source)
{
	int64_t measured = executor_downtime(j);
	bool live = j->move->strategy != MOVE_RESTART;

	*out_source = "measured";
	if (!live)
		return j->move->was_running ? measured : -1;
	if ((j->move->strict || j->plan.suspended) && measured >= 0 &&
	    (!j->final_known || measured >= j->final.downtime_ms))
		return measured;
	*out_source = "qemu";
	return j->final_known ? j->final.downtime_ms : -1;
}

static void
add_prediction(json_t *o, const struct journey *j, int64_t total_ms)
{
	const struct executor_plan *p = &j->plan;

	fields_count(o, "predicted_ms", p->predicted_ms);
	fields_count(o, "predicted_downtime_ms", p->predicted_downtime_ms);
	if (p->predicted_ms > 0)
		json_object_set_new(o, "prediction_error_percent",
		    json_integer(
			(json_int_t)((double)(total_ms - p->predicted_ms) *
			    100.0 / (double)p->predicted_ms)));
}

json_t *
executor_result_json(const struct journey *j, int64_t total_ms)
{
	const struct hv_job *job = &j->final;
	const char *source;
	int64_t downtime = executor_final_downtime(j, &source), disk = -1;
	json_t *o = json_object();

	fields_count(o, "total_ms", total_ms);
	fields_count(o, "downtime_ms", downtime);
	if (downtime >= 0)
		fields_text(o, "downtime_source", source);
	if (j->move->strategy == MOVE_RESTART) {
		fields_count(o, "bytes", j->plan.copied);
		fields_count(o, "disk_bytes", j->plan.copied);
	} else if (j->final_known) {
		disk = j->plan.copied;
		fields_count(o, "bytes", sum_known(job->memory_done, disk));
		fields_count(o, "memory_bytes", job->memory_done);
		fields_count(o, "disk_bytes", disk);
		fields_count(o, "iterations", job->iterations);
		fields_count(o, "job_ms", job->elapsed_ms);
	}
	if (j->move->disk_count > 0)
		fields_time(o, "kept_until",
		    (struct wall){j->ended_at.ms + j->plan.keep_source_ms});
	if (rates_of(j->ex->rates, j->move->to) > 0)
		fields_count(
		    o, "link_rate", rates_of(j->ex->rates, j->move->to));
	add_prediction(o, j, total_ms);
	return o;
}

/* ---- one under way ---- */

static int64_t
moved_bytes(const struct journey *j)
{
	if (j->final_known && j->final.memory_done > 0)
		return j->final.memory_done + j->plan.copied;
	return executor_moved(j);
}

void
executor_fill_report(const struct journey *j, struct executor_report *out)
{
	*out = (struct executor_report){
	    .id = j->id,
	    .drain_id = j->drain_id,
	    .move = j->move,
	    .strategy = move_strategy_name(j->move->strategy),
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
	    .bytes = moved_bytes(j),
	    .journey = j,
	};
}

static json_t *
progress_json(const struct journey *j)
{
	json_t *o = json_pack(
	    "{s:i, s:s}", "percent", j->percent, "phase", executor_phase(j));

	if (j->move->disk_count > 0)
		fields_count(o, "copied_bytes", executor_moved(j));
	if (j->move->asks > 0)
		fields_count(o, "asks", j->move->asks);
	if (!j->job_known && j->copy == NULL)
		return o;
	fields_count(o, "rate", j->rate > 0 ? j->rate : j->job.memory_rate);
	fields_count(o, "remaining", executor_remaining(j));
	fields_count(o, "eta_ms", executor_eta(j));
	if (!j->job_known)
		return o;
	fields_count(o, "dirty_rate", j->job.dirty_rate);
	fields_count(o, "iteration", j->job.iterations);
	fields_count(o, "expected_downtime_ms", j->job.downtime_ms);
	if (j->plan.downtime_limit > 0)
		fields_count(o, "downtime_limit_ms", j->plan.downtime_limit);
	json_object_set_new(o, "converging", json_boolean(j->converging));
	if (j->plan.suspended)
		json_object_set_new(o, "paused", json_true());
	return o;
}

static json_t *
disks_json(const struct move *m)
{
	json_t *all = json_array();

	for (size_t i = 0; i < m->disk_count; i++) {
		const struct move_disk *d = &m->disks[i];
		json_t *o = json_object();

		fields_text(o, "target", d->target);
		fields_text(o, "path", d->path);
		fields_text(o, "pool", d->pool);
		fields_text(o, "volume", d->volume);
		fields_text(o, "dest_path", d->dest_path);
		fields_count(o, "capacity", d->capacity);
		fields_count(o, "allocation", d->allocation);
		json_array_append_new(all, o);
	}
	return all;
}

/* What a move and a row have in common beside their columns. */
static void
add_move(json_t *o, const struct move *m)
{
	if (m->strategy != MOVE_RESTART)
		fields_text(o, "handover", m->strict ? "strict" : "fast");
	if (m->disk_count > 0)
		json_object_set_new(o, "disks", disks_json(m));
	if (m->step != MOVE_STEP_NONE)
		fields_text(o, "step", move_step_name(m->step));
	fields_text(o, "remark", m->remark);
}

json_t *
executor_report_json(const struct executor_report *r)
{
	const struct journey *j = r->journey;
	const struct move *m = r->move;
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "id",
	    (json_int_t)r->id, "vm", m->name, "uuid", m->uuid, "from", m->from,
	    "to", m->to, "strategy", r->strategy, "attempt", r->attempt,
	    "state", move_state_name(m->state));

	add_move(o, m);
	if (r->drain_id != 0)
		fields_count(o, "drain", r->drain_id);
	fields_text(o, "policy", r->policy);
	fields_text(o, "rule", r->rule);
	fields_text(o, "why", r->why);
	fields_text(o, "note", m->note);
	fields_text(o, "outcome", move_outcome_name(m->outcome));
	fields_time(o, "started", r->started);
	fields_count(o, "duration_ms", r->elapsed_ms);
	fields_count(o, "predicted_ms", j->plan.predicted_ms);
	fields_count(o, "predicted_downtime_ms", j->plan.predicted_downtime_ms);
	if (m->outcome != MOVE_COMPLETED) {
		executor_add_error(o, m->error);
		json_object_set_new(o, "progress", progress_json(j));
	} else {
		json_object_set_new(
		    o, "result", executor_result_json(j, r->elapsed_ms));
	}
	return o;
}

/* ---- one from the history ---- */

static void
add_context(json_t *o, const char *text)
{
	json_t *json = text != NULL ? json_loads(text, 0, NULL) : NULL;
	struct executor_plan plan;
	struct move *m;

	if (json == NULL)
		return;
	m = move_load(json, NULL);
	if (m != NULL)
		add_move(o, m);
	move_free(m);
	executor_plan_load(&plan, json_object_get(json, "plan"));
	fields_count(o, "predicted_ms", plan.predicted_ms);
	fields_count(o, "predicted_downtime_ms", plan.predicted_downtime_ms);
	executor_plan_clear(&plan);
	json_decref(json);
}

json_t *
executor_row_json(const struct store_move *row)
{
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "id",
	    (json_int_t)row->id, "vm", row->name, "uuid", row->uuid, "from",
	    row->from, "to", row->to, "strategy", row->strategy, "attempt",
	    row->attempt, "state", row->state);
	json_t *result;

	add_context(o, row->context);
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
	executor_add_error(o, row->error);
	result = row->result != NULL ? json_loads(row->result, 0, NULL) : NULL;
	if (result != NULL)
		json_object_set_new(o, "result", result);
	return o;
}
