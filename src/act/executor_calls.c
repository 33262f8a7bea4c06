/*
 * Live migrations, and what the reconciliation table asks for: both hosts' word
 * and repairs.
 *
 * The calls that stop or remove something look once more, in the same work item,
 * whether the guest is still in the state that the decision was made on.
 */
#include "act/executor_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

/* ---- the migration ---- */

struct perform_call {
	struct executor_call call;
	struct hv_migrate how;
	char *dest_uri, *migrate_uri;
	struct move *own; /* whose disks and drives `how` names */
	const char **copy;
	struct domxml_edit *edits;
	bool postcopy_refused;
};

static void
perform_free(struct perform_call *c)
{
	free(c->dest_uri);
	free(c->migrate_uri);
	free(c->copy);
	free(c->edits);
	move_free(c->own);
	free(c);
}

static void
work_perform(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct perform_call *c = item;

	log_debug("move", "%s: calling for the migration", c->call.uuid);
	(void)ops->migrate(conn, &c->how, &c->call.err);
}

static void
done_perform(void *item, const struct err *transport)
{
	struct perform_call *c = item;
	struct journey *j = executor_call_journey(&c->call);

	if (j != NULL) {
		j->postcopy_refused = NULL;
		executor_feed(j,
		    &(struct move_event){.kind = MOVE_EV_PERFORMED,
			.err = executor_call_error(&c->call, transport)});
	}
	perform_free(c);
}

/* The copied disks, and how the guest differs at the target. */
static void
fill_disks(struct perform_call *c, const struct move *m)
{
	struct move *own = c->own = move_new(m->uuid, m->name, m->from, m->to);
	size_t edits = 0;

	c->copy = calloc(m->disk_count + 1, sizeof(*c->copy));
	c->edits =
	    calloc(m->disk_count + m->eject_count + 1, sizeof(*c->edits));
	if (c->copy == NULL || c->edits == NULL)
		abort();
	for (size_t i = 0; i < m->disk_count; i++)
		(void)move_add_disk(own, &m->disks[i]);
	for (size_t i = 0; i < m->eject_count; i++)
		move_add_eject(own, m->ejects[i]);
	for (size_t i = 0; i < own->disk_count; i++) {
		const struct move_disk *d = &own->disks[i];

		c->copy[i] = d->target;
		c->edits[edits++] = (struct domxml_edit){
		    .target = d->target,
		    .path = d->dest_path,
		    .backing = m->incremental ? d->backing : NULL,
		    .backing_format = m->incremental ? d->backing_format : NULL,
		    .thin = true,
		};
	}
	for (size_t i = 0; i < own->eject_count; i++)
		c->edits[edits++] = (struct domxml_edit){
		    .target = own->ejects[i], .eject = true};
	c->how.copy = c->copy;
	c->how.copy_count = own->disk_count;
	c->how.edits = c->edits;
	c->how.edit_count = edits;
}

void
executor_perform(struct journey *j)
{
	struct perform_call *c = executor_call_new(j, sizeof(*c));
	const struct move *m = j->move;

	c->dest_uri = str_dup(j->dest_uri);
	c->migrate_uri = str_dup(j->migrate_uri);
	c->how = (struct hv_migrate){
	    .uuid = c->call.uuid,
	    .dest_uri = c->dest_uri,
	    .migrate_uri = c->migrate_uri,
	    .paused = m->strict,
	    .persistent = m->persistent,
	    .max_downtime_ms = m->max_downtime_ms,
	    .bandwidth = j->share,
	    .incremental = m->incremental,
	    .auto_converge = m->auto_converge,
	    .postcopy = m->postcopy,
	    .postcopy_refused = &c->postcopy_refused,
	    .unsafe_ok = m->unsafe_ok,
	};
	fill_disks(c, m);
	j->postcopy_refused = &c->postcopy_refused;
	j->share_applied = j->share;
	j->plan.downtime_limit = m->max_downtime_ms;
	executor_call_send(j, m->from, true, c, work_perform, done_perform);
}

/* ---- abort ---- */

static void
work_abort(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct executor_call *c = item;

	(void)ops->abort(conn, c->uuid, &c->err);
}

static void
done_abort(void *item, const struct err *transport)
{
	struct executor_call *c = item;
	struct journey *j = executor_call_journey(c);
	const struct err *err = executor_call_error(c, transport);

	/* Not begun yet, or just ended: the next poll tries again. */
	if (j != NULL && err != NULL)
		log_info("move", "%s: abort: %s", j->move->name, err->msg);
	free(c);
}

void
executor_abort_job(struct journey *j)
{
	executor_call_send(j, j->move->from, false,
	    executor_call_new(j, sizeof(struct executor_call)), work_abort,
	    done_abort);
}

/* ---- asking both hosts ---- */

struct observe_call {
	struct executor_call call;
	uint64_t round;
	bool at_source;
	struct reconcile_side side;
};

static void
work_observe(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct observe_call *c = item;

	executor_look(ops, conn, c->call.uuid, &c->side, &c->call.err);
}

static bool
is_on(const struct reconcile_side *side)
{
	return side->presence == RECONCILE_PRESENT &&
	    (side->state == DOMAIN_RUNNING || side->state == DOMAIN_BLOCKED);
}

static bool
is_off(const struct reconcile_side *side)
{
	return side->presence == RECONCILE_ABSENT ||
	    (side->presence == RECONCILE_PRESENT &&
		(side->state == DOMAIN_SHUTOFF ||
		    side->state == DOMAIN_CRASHED));
}

static void
done_observe(void *item, const struct err *transport)
{
	struct observe_call *c = item;
	struct journey *j = executor_call_journey(&c->call);

	/* The answer to a question that nobody asks any more is dropped. */
	if (j == NULL || j->round != c->round) {
		free(c);
		return;
	}
	if (executor_call_error(&c->call, transport) != NULL)
		c->side.presence = RECONCILE_UNKNOWN;
	if (c->at_source)
		j->source = c->side;
	else
		j->target = c->side;
	free(c);
	if (--j->sides_out > 0)
		return;
	if (is_off(&j->source))
		executor_saw_off(j);
	if (is_on(&j->target))
		executor_saw_on(j);
	executor_feed(j,
	    &(struct move_event){.kind = MOVE_EV_OBSERVED,
		.source = j->source,
		.target = j->target});
}

static void
observe_side(struct journey *j, bool at_source)
{
	struct observe_call *c = executor_call_new(j, sizeof(*c));

	c->round = j->round;
	c->at_source = at_source;
	executor_call_send(j, at_source ? j->move->from : j->move->to, false, c,
	    work_observe, done_observe);
}

void
executor_observe(struct journey *j)
{
	j->round++;
	j->sides_out = 2;
	observe_side(j, true);
	observe_side(j, false);
}

/* ---- repairs ---- */

struct repair_call {
	struct executor_call call;
	enum reconcile_verdict repair;
	struct reconcile_side expect;
};

static void
work_repair(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct repair_call *c = item;
	const char *uuid = c->call.uuid;
	struct err *err = &c->call.err;

	if (c->expect.presence == RECONCILE_UNKNOWN) {
		(void)err_set(err, ERR_CONFLICT, "nothing is known of it");
		return;
	}
	if (executor_look_again(ops, conn, uuid, &c->expect, err) < 0)
		return;
	switch (c->repair) {
	case RECONCILE_RESUME_TARGET:
	case RECONCILE_RESUME_SOURCE:
		(void)ops->resume(conn, uuid, err);
		return;
	case RECONCILE_DESTROY_TARGET:
	case RECONCILE_DESTROY_SOURCE:
		(void)ops->destroy(conn, uuid, err);
		return;
	case RECONCILE_UNDEFINE_TARGET:
	case RECONCILE_UNDEFINE_SOURCE:
		(void)ops->undefine(conn, uuid, err);
		return;
	case RECONCILE_AUTOSTART_TARGET:
		(void)ops->set_autostart(conn, uuid, true, err);
		return;
	case RECONCILE_WAIT:
	case RECONCILE_FOLLOW:
	case RECONCILE_MOVED:
	case RECONCILE_STAYED:
	case RECONCILE_ENDED:
	case RECONCILE_PERSON:
		(void)err_set(err, ERR_INTERNAL, "not a repair");
		return;
	}
}

static void
done_repair(void *item, const struct err *transport)
{
	struct repair_call *c = item;
	struct journey *j = executor_call_journey(&c->call);

	if (j != NULL)
		executor_feed(j,
		    &(struct move_event){.kind = MOVE_EV_REPAIRED,
			.err = executor_call_error(&c->call, transport)});
	free(c);
}

void
executor_repair(struct journey *j, const struct move_action *action)
{
	struct repair_call *c = executor_call_new(j, sizeof(*c));
	bool at_source = action->repair == RECONCILE_RESUME_SOURCE ||
	    action->repair == RECONCILE_DESTROY_SOURCE ||
	    action->repair == RECONCILE_UNDEFINE_SOURCE;

	c->repair = action->repair;
	c->expect = action->expect;
	log_info("move", "%s: %s", j->move->name,
	    reconcile_verdict_name(action->repair));
	executor_call_send(j, at_source ? j->move->from : j->move->to, false, c,
	    work_repair, done_repair);
}

/* ---- figures ---- */

struct collect_call {
	struct executor_call call;
	struct hv_job job;
};

static void
work_collect(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct collect_call *c = item;

	(void)ops->last_job(conn, c->call.uuid, &c->job, &c->call.err);
}

static void
done_collect(void *item, const struct err *transport)
{
	struct collect_call *c = item;
	struct journey *j = executor_call_journey(&c->call);

	if (j != NULL) {
		if (executor_call_error(&c->call, transport) == NULL) {
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
	free(c);
}

void
executor_collect(struct journey *j)
{
	struct collect_call *c = executor_call_new(j, sizeof(*c));

	executor_call_send(
	    j, j->move->to, false, c, work_collect, done_collect);
}
