/*
 * What runs is watched four times a second, and driven on what is seen: a
 * migration that does not end by itself is helped up the ladder of converge.h,
 * and the links are divided among the moves that use them.
 *
 * An act stands in the journal with the figures that led to it before it is
 * carried out.  One that cannot be written is not done, and the ladder forgets
 * that it asked for it.
 *
 * A link is divided evenly among the moves of its host; a move gets the smaller
 * of its two parts.  The figure goes to what already runs as well: to copies at
 * once, to libvirt with the next look.
 */
#include "act/executor_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* ---- acts on a running migration ---- */

enum drive {
	DRIVE_DOWNTIME,
	DRIVE_POSTCOPY,
	DRIVE_SUSPEND,
	DRIVE_BANDWIDTH,
};

static const char *const drive_names[] = {
    [DRIVE_DOWNTIME] = "raise the downtime limit",
    [DRIVE_POSTCOPY] = "switch to post-copy",
    [DRIVE_SUSPEND] = "pause the guest",
    [DRIVE_BANDWIDTH] = "set its bandwidth",
};

struct drive_call {
	struct executor_call call;
	enum drive drive;
	int64_t value; /* ms or bytes/s */
};

static void
work_drive(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct drive_call *c = item;
	const char *uuid = c->call.uuid;
	struct hv_job job;

	switch (c->drive) {
	case DRIVE_DOWNTIME:
		(void)ops->set_max_downtime(conn, uuid, c->value, &c->call.err);
		return;
	case DRIVE_POSTCOPY:
		(void)ops->start_postcopy(conn, uuid, &c->call.err);
		return;
	case DRIVE_SUSPEND:
		/* Not a guest whose migration has ended meanwhile. */
		if (ops->job(conn, uuid, &job, &c->call.err) < 0)
			return;
		if (!job.active)
			(void)err_set(&c->call.err, ERR_CONFLICT,
			    "its migration has ended");
		else
			(void)ops->suspend(conn, uuid, &c->call.err);
		return;
	case DRIVE_BANDWIDTH:
		(void)ops->set_bandwidth(conn, uuid, c->value, &c->call.err);
		return;
	}
}

static void
done_drive(void *item, const struct err *transport)
{
	struct drive_call *c = item;
	struct journey *j = executor_call_journey(&c->call);
	const struct err *err = executor_call_error(&c->call, transport);

	if (j == NULL) {
		free(c);
		return;
	}
	j->acting = false;
	if (err != NULL)
		log_warn("move", "%s: %s: %s", j->move->name,
		    drive_names[c->drive], err->msg);
	switch (c->drive) {
	case DRIVE_DOWNTIME:
		if (err == NULL)
			j->plan.downtime_limit = c->value;
		break;
	case DRIVE_POSTCOPY:
		if (err == NULL)
			j->plan.postcopy_begun = true;
		break;
	case DRIVE_SUSPEND:
		/* Tried again at the next look, while it runs. */
		j->suspend_pending = err != NULL;
		if (err == NULL)
			j->plan.suspended = true;
		break;
	case DRIVE_BANDWIDTH:
		/* What is out of date is seen at the next look. */
		if (err == NULL)
			j->share_applied = c->value;
		break;
	}
	free(c);
}

static void
drive(struct journey *j, enum drive what, int64_t value)
{
	struct drive_call *c = executor_call_new(j, sizeof(*c));

	c->drive = what;
	c->value = value;
	j->acting = true;
	executor_call_send(j, j->move->from, false, c, work_drive, done_drive);
}

void
executor_suspend(struct journey *j)
{
	j->suspend_pending = true;
	if (!j->acting)
		drive(j, DRIVE_SUSPEND, 0);
}

/* ---- the ladder ---- */

static bool
postcopy_can(const struct journey *j)
{
	return j->move->postcopy && j->postcopy_refused != NULL &&
	    !__atomic_load_n(j->postcopy_refused, __ATOMIC_RELAXED);
}

/* False when it could not be written: then it is not done. */
static bool
note(struct journey *j, const struct converge_step *step)
{
	struct err err = {0};

	if (executor_write_note(j, "converge", step->why, &err) == 0) {
		log_info("move", "%s: %s", j->move->name, step->why);
		return true;
	}
	log_warn("move", "%s: %s", j->move->name, err.msg);
	return false;
}

/* Feeding the machine may end the journey, so it comes last. */
static void
climb(struct journey *j)
{
	struct converge before = j->converge;
	struct converge_policy policy = j->plan.converge;
	struct converge_step step;
	struct err err = {0};

	policy.postcopy_ready = postcopy_can(j);
	converge_look(&j->converge, &policy,
	    &(struct converge_job){
		.elapsed_ms = j->job.elapsed_ms,
		.iterations = j->job.iterations,
		.memory_total = j->job.memory_total,
		.memory_remaining = j->job.memory_remaining,
		.memory_rate = j->job.memory_rate,
		.dirty_rate = j->job.dirty_rate,
		.disk_remaining = j->job.disk_remaining,
		.downtime_limit_ms = j->plan.downtime_limit,
	    },
	    clock_mono_now(), &step);
	if (step.act == CONVERGE_NONE)
		return;
	if (!note(j, &step)) {
		j->converge = before;
		return;
	}
	switch (step.act) {
	case CONVERGE_NONE:
		return;
	case CONVERGE_SET_DOWNTIME:
		drive(j, DRIVE_DOWNTIME, step.downtime_ms);
		return;
	case CONVERGE_START_POSTCOPY:
		drive(j, DRIVE_POSTCOPY, 0);
		return;
	case CONVERGE_SUSPEND:
		executor_feed(
		    j, &(struct move_event){.kind = MOVE_EV_SUSPENDED});
		return;
	case CONVERGE_GIVE_UP:
		(void)err_set(&err, ERR_TIMEOUT, "%s", step.why);
		executor_feed(j,
		    &(struct move_event){.kind = MOVE_EV_GIVE_UP, .err = &err});
		return;
	}
}

/* ---- looking ---- */

struct poll_call {
	struct executor_call call;
	struct hv_job job;
};

static void
work_poll(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct poll_call *c = item;

	(void)ops->job(conn, c->call.uuid, &c->job, &c->call.err);
}

/* The next look, while there is something to be looked at. */
static void
look_again(struct journey *j)
{
	enum move_state state = j->move->state;

	if (state == MOVE_PERFORMING || state == MOVE_FOLLOWING ||
	    (state == MOVE_STEPPING && j->copy != NULL))
		loop_timer_set(j->poll, EXECUTOR_POLL_MS);
}

/* At most one thing at a time.  Feeding the machine may end the journey. */
static void
act_on_job(struct journey *j)
{
	const struct move *m = j->move;

	if (m->abort_asked || m->timed_out) {
		executor_abort_job(j);
		return;
	}
	if (j->acting)
		return;
	if (j->suspend_pending)
		drive(j, DRIVE_SUSPEND, 0);
	else if (j->share != j->share_applied)
		drive(j, DRIVE_BANDWIDTH, j->share);
	else if (m->state == MOVE_PERFORMING || m->state == MOVE_FOLLOWING)
		climb(j);
}

static void
done_poll(void *item, const struct err *transport)
{
	struct poll_call *c = item;
	struct journey *j = executor_call_journey(&c->call);
	int64_t told;

	if (j == NULL) {
		free(c);
		return;
	}
	j->poll_out = false;
	look_again(j);
	if (executor_call_error(&c->call, transport) == NULL && c->job.active) {
		if (c->job.iterations < j->job.iterations)
			c->job.iterations = j->job.iterations;
		j->job = c->job;
		j->job_known = true;
		told = executor_disk_data(j, c->job.disk_done);
		if (told > j->plan.copied)
			j->plan.copied = told;
		/* Not converging: after the first pass it dirties memory faster
		 * than the link carries it away. */
		j->converging =
		    !(c->job.iterations > 2 && c->job.memory_rate > 0 &&
			c->job.dirty_rate >= c->job.memory_rate);
		executor_progress(j);
		act_on_job(j);
	}
	free(c);
}

void
executor_poll(struct journey *j)
{
	if (j->copy != NULL) {
		executor_progress(j);
		look_again(j);
		return;
	}
	if (j->poll_out)
		return;
	j->poll_out = true;
	executor_call_send(j, j->move->from, false,
	    executor_call_new(j, sizeof(struct poll_call)), work_poll,
	    done_poll);
}

/* ---- dividing the links ---- */

static int
moves_at(const struct executor *ex, const char *host)
{
	int count = 0;

	for (const struct journey *j = ex->journeys; j != NULL; j = j->next) {
		if (!j->ended && !move_is_idle(j->move, clock_mono_now()))
			count += strcmp(j->move->from, host) == 0 ||
			    strcmp(j->move->to, host) == 0;
	}
	return count > 0 ? count : 1;
}

static int64_t
share_of(const struct journey *j)
{
	const struct executor *ex = j->ex;
	int64_t share = j->plan.bandwidth, part;
	int from, to;

	if (ex->link_bandwidth <= 0)
		return share;
	from = moves_at(ex, j->move->from);
	to = moves_at(ex, j->move->to);
	part = ex->link_bandwidth / (from > to ? from : to);
	if (part < 1)
		part = 1;
	return share > 0 && share < part ? share : part;
}

void
executor_divide(struct executor *ex)
{
	for (struct journey *j = ex->journeys; j != NULL; j = j->next) {
		j->share = share_of(j);
		if (j->copy != NULL)
			__atomic_store_n(
			    &j->copy->limit, j->share, __ATOMIC_RELAXED);
	}
}

void
executor_set_bandwidth(struct executor *ex, int64_t bandwidth)
{
	ex->link_bandwidth = bandwidth;
	executor_divide(ex);
}

int64_t
executor_link_rate(const struct executor *ex, const char *to)
{
	return rates_of(ex->rates, to);
}
