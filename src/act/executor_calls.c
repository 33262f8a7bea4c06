/*
 * What the executor asks of hosts.  Each call is an item that owns copies of all
 * it needs; it knows its journey by number and its round, so that an answer
 * that comes late, to a question that nobody asks any more, is dropped.
 *
 * The calls that stop or remove something look once more, in the same work item,
 * whether the guest is still in the state that the decision was made on.
 */
#include <stdlib.h>
#include <string.h>

#include "act/executor_priv.h"
#include "base/log.h"

struct call {
	struct executor *ex;
	int64_t id;
	uint64_t round;
	char uuid[HV_UUID_SIZE];
	/* of particular calls */
	bool at_source;
	enum reconcile_verdict repair;
	struct reconcile_side expect, side;
	struct hv_migrate how;
	char *dest_uri, *migrate_uri;
	struct hv_job job;
	struct err err;                           /* of the call itself */
	void (*done)(void *, const struct err *); /* see no_such_host */
};

static struct call *
call_new(struct journey *j)
{
	struct call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->ex = j->ex;
	c->id = j->id;
	c->round = j->round;
	(void)snprintf(c->uuid, sizeof(c->uuid), "%s", j->move->uuid);
	return c;
}

static void
call_free(struct call *c)
{
	free(c->dest_uri);
	free(c->migrate_uri);
	free(c);
}

/* The error of the transport, else of the call, else NULL. */
static const struct err *
call_error(const struct call *c, const struct err *transport)
{
	if (transport->code != ERR_NONE)
		return transport;
	return c->err.code != ERR_NONE ? &c->err : NULL;
}

typedef void (*work_fn)(const struct hv_ops *, struct hv_conn *, void *);
typedef void (*done_fn)(void *, const struct err *);

static void
no_such_host(void *item)
{
	struct call *c = item;
	struct err err = {0};

	(void)err_set(&err, ERR_UNREACHABLE, "the host is not configured");
	c->done(c, &err);
}

/* Answers never come from within the call that asks, also not this one. */
static void
send_call(struct journey *j, const char *host, struct call *c, work_fn work,
    done_fn done)
{
	struct link *link = j->ex->deps.link(host, j->ex->deps.arg);

	c->done = done;
	if (link != NULL)
		link_call(link, WORKERS_CONTROL, work, done, c);
	else
		loop_post(j->ex->deps.loop, no_such_host, c);
}

/* ---- the migration ---- */

static void
work_perform(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *c = item;

	log_debug("move", "%s: calling for the migration", c->uuid);
	(void)ops->migrate(conn, &c->how, &c->err);
}

static void
done_perform(void *item, const struct err *transport)
{
	struct call *c = item;
	struct journey *j = executor_by_id(c->ex, c->id);

	if (j != NULL)
		executor_feed(j,
		    &(struct move_event){.kind = MOVE_EV_PERFORMED,
			.err = call_error(c, transport)});
	call_free(c);
}

void
executor_perform(struct journey *j)
{
	struct link *link = j->ex->deps.link(j->move->from, j->ex->deps.arg);
	struct call *c = call_new(j);

	c->done = done_perform;
	c->dest_uri = strdup(j->dest_uri);
	c->migrate_uri = j->migrate_uri != NULL ? strdup(j->migrate_uri) : NULL;
	c->how = (struct hv_migrate){
	    .uuid = c->uuid,
	    .dest_uri = c->dest_uri,
	    .migrate_uri = c->migrate_uri,
	    .paused = j->move->strict,
	    .persistent = j->move->persistent,
	    .max_downtime_ms = j->move->max_downtime_ms,
	    .bandwidth = j->move->bandwidth,
	};
	if (link != NULL)
		link_call_long(link, work_perform, done_perform, c);
	else
		loop_post(j->ex->deps.loop, no_such_host, c);
}

/* ---- abort ---- */

static void
work_abort(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *c = item;

	(void)ops->abort(conn, c->uuid, &c->err);
}

static void
done_abort(void *item, const struct err *transport)
{
	struct call *c = item;
	struct journey *j = executor_by_id(c->ex, c->id);
	const struct err *err = call_error(c, transport);

	/* Not begun yet, or just ended: the next poll tries again. */
	if (j != NULL && err != NULL)
		log_info("move", "%s: abort: %s", j->move->name, err->msg);
	call_free(c);
}

void
executor_abort_job(struct journey *j)
{
	send_call(j, j->move->from, call_new(j), work_abort, done_abort);
}

/* ---- asking both hosts ---- */

static void
look(const struct hv_ops *ops, struct hv_conn *conn, const char *uuid,
    struct reconcile_side *side, struct err *err)
{
	struct facts_domain *d = ops->domain(conn, uuid, err);

	*side = (struct reconcile_side){.presence = RECONCILE_UNKNOWN};
	if (d == NULL) {
		if (err->code == ERR_NOT_FOUND) {
			side->presence = RECONCILE_ABSENT;
			*err = (struct err){0};
		}
		return;
	}
	*side = (struct reconcile_side){
	    .presence = RECONCILE_PRESENT,
	    .state = d->state,
	    .reason = d->reason,
	    .job = d->job,
	    .persistent = d->persistent,
	    .autostart = d->autostart,
	};
	facts_domain_free(d);
}

static void
work_observe(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *c = item;

	look(ops, conn, c->uuid, &c->side, &c->err);
}

static void
done_observe(void *item, const struct err *transport)
{
	struct call *c = item;
	struct journey *j = executor_by_id(c->ex, c->id);

	if (j != NULL && j->round == c->round) {
		if (call_error(c, transport) != NULL)
			c->side.presence = RECONCILE_UNKNOWN;
		if (c->at_source)
			j->source = c->side;
		else
			j->target = c->side;
		if (--j->sides_out == 0)
			executor_feed(j,
			    &(struct move_event){.kind = MOVE_EV_OBSERVED,
				.source = j->source,
				.target = j->target});
	}
	call_free(c);
}

void
executor_observe(struct journey *j)
{
	struct call *source;

	j->round++;
	j->sides_out = 2;
	source = call_new(j);
	source->at_source = true;
	send_call(j, j->move->from, source, work_observe, done_observe);
	send_call(j, j->move->to, call_new(j), work_observe, done_observe);
}

/* ---- repairs ---- */

static bool
is_as_expected(
    const struct reconcile_side *now, const struct reconcile_side *then)
{
	return now->presence == then->presence && now->state == then->state &&
	    now->reason == then->reason && now->job == then->job;
}

static void
work_repair(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *c = item;

	look(ops, conn, c->uuid, &c->side, &c->err);
	if (c->err.code != ERR_NONE)
		return;
	if (!is_as_expected(&c->side, &c->expect)) {
		(void)err_set(
		    &c->err, ERR_CONFLICT, "its state has changed meanwhile");
		return;
	}
	switch (c->repair) {
	case RECONCILE_RESUME_TARGET:
	case RECONCILE_RESUME_SOURCE:
		(void)ops->resume(conn, c->uuid, &c->err);
		return;
	case RECONCILE_DESTROY_TARGET:
	case RECONCILE_DESTROY_SOURCE:
		(void)ops->destroy(conn, c->uuid, &c->err);
		return;
	case RECONCILE_UNDEFINE_TARGET:
	case RECONCILE_UNDEFINE_SOURCE:
		(void)ops->undefine(conn, c->uuid, &c->err);
		return;
	case RECONCILE_AUTOSTART_TARGET:
		(void)ops->set_autostart(conn, c->uuid, true, &c->err);
		return;
	case RECONCILE_WAIT:
	case RECONCILE_FOLLOW:
	case RECONCILE_MOVED:
	case RECONCILE_STAYED:
	case RECONCILE_ENDED:
	case RECONCILE_PERSON:
		(void)err_set(&c->err, ERR_INTERNAL, "not a repair");
		return;
	}
}

static void
done_repair(void *item, const struct err *transport)
{
	struct call *c = item;
	struct journey *j = executor_by_id(c->ex, c->id);

	if (j != NULL)
		executor_feed(j,
		    &(struct move_event){.kind = MOVE_EV_REPAIRED,
			.err = call_error(c, transport)});
	call_free(c);
}

void
executor_repair(struct journey *j, const struct move_action *action)
{
	struct call *c = call_new(j);
	bool at_source = action->repair == RECONCILE_RESUME_SOURCE ||
	    action->repair == RECONCILE_DESTROY_SOURCE ||
	    action->repair == RECONCILE_UNDEFINE_SOURCE;

	c->repair = action->repair;
	c->expect = action->expect;
	log_info("move", "%s: %s", j->move->name,
	    reconcile_verdict_name(action->repair));
	send_call(j, at_source ? j->move->from : j->move->to, c, work_repair,
	    done_repair);
}

/* ---- figures ---- */

static void
work_collect(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *c = item;

	(void)ops->last_job(conn, c->uuid, &c->job, &c->err);
}

static void
done_collect(void *item, const struct err *transport)
{
	struct call *c = item;
	struct journey *j = executor_by_id(c->ex, c->id);

	if (j != NULL) {
		if (call_error(c, transport) == NULL) {
			int64_t iterations = c->job.iterations;

			if (iterations < 0)
				iterations = j->final_known
				    ? j->final.iterations
				    : j->job.iterations;
			j->final = c->job;
			j->final.iterations = iterations;
			j->final_known = true;
		}
		executor_feed(
		    j, &(struct move_event){.kind = MOVE_EV_COLLECTED});
	}
	call_free(c);
}

void
executor_collect(struct journey *j)
{
	send_call(j, j->move->to, call_new(j), work_collect, done_collect);
}

static void
work_poll(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct call *c = item;

	(void)ops->job(conn, c->uuid, &c->job, &c->err);
}

static int
percent_of(const struct hv_job *job)
{
	int64_t total = 0, left = 0;

	if (job->memory_total > 0) {
		total += job->memory_total;
		left += job->memory_remaining > 0 ? job->memory_remaining : 0;
	}
	if (job->disk_total > 0) {
		total += job->disk_total;
		left += job->disk_remaining > 0 ? job->disk_remaining : 0;
	}
	if (total == 0)
		return 0;
	return left >= total ? 0 : (int)(99 - left * 99 / total);
}

static void
done_poll(void *item, const struct err *transport)
{
	struct call *c = item;
	struct journey *j = executor_by_id(c->ex, c->id);

	if (j == NULL) {
		call_free(c);
		return;
	}
	j->poll_out = false;
	if (call_error(c, transport) == NULL && c->job.active) {
		int percent = percent_of(&c->job);

		if (c->job.iterations < j->job.iterations)
			c->job.iterations = j->job.iterations;
		j->job = c->job;
		j->job_known = true;
		if (percent > j->percent)
			j->percent = percent;
		/* Not converging: after the first pass it dirties memory faster
		 * than the link carries it away. */
		j->converging =
		    !(c->job.iterations > 2 && c->job.memory_rate > 0 &&
			c->job.dirty_rate >= c->job.memory_rate);
		if (j->move->abort_asked || j->move->timed_out)
			executor_abort_job(j);
	}
	if (j->move->state == MOVE_PERFORMING ||
	    j->move->state == MOVE_FOLLOWING)
		loop_timer_set(j->poll, EXECUTOR_POLL_MS);
	call_free(c);
}

void
executor_poll(struct journey *j)
{
	if (j->poll_out)
		return;
	j->poll_out = true;
	send_call(j, j->move->from, call_new(j), work_poll, done_poll);
}
