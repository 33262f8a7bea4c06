/*
 * How the executor asks a host for something.  A call is an item that owns copies
 * of all it needs; an answer that finds its journey ended is dropped.
 *
 * A host of which nothing is configured any more answers like one that cannot be
 * reached: also then the answer comes later, never from within the asking.
 */
#include "act/executor_priv.h"

#include <stdio.h>
#include <stdlib.h>

void *
executor_call_new(struct journey *j, size_t size)
{
	struct executor_call *call = calloc(1, size);

	if (call == NULL)
		abort();
	call->ex = j->ex;
	call->id = j->id;
	(void)snprintf(call->uuid, sizeof(call->uuid), "%s", j->move->uuid);
	return call;
}

struct journey *
executor_call_journey(const struct executor_call *call)
{
	return executor_by_id(call->ex, call->id);
}

const struct err *
executor_call_error(
    const struct executor_call *call, const struct err *transport)
{
	if (transport->code != ERR_NONE)
		return transport;
	return call->err.code != ERR_NONE ? &call->err : NULL;
}

static void
no_such_host(void *item)
{
	struct executor_call *call = item;
	struct err err = {0};

	(void)err_set(&err, ERR_UNREACHABLE, "the host is not configured");
	call->done(item, &err);
}

void
executor_call_send(struct journey *j, const char *host, bool is_long,
    void *item, executor_work_fn work, executor_done_fn done)
{
	struct link *link = j->ex->deps.link(host, j->ex->deps.arg);
	struct executor_call *call = item;

	call->done = done;
	call->err = (struct err){0};
	if (link == NULL)
		loop_post(j->ex->deps.loop, no_such_host, item);
	else if (is_long)
		link_call_long(link, work, done, item);
	else
		link_call(link, WORKERS_CONTROL, work, done, item);
}

void
executor_look(const struct hv_ops *ops, struct hv_conn *conn, const char *uuid,
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

int
executor_look_again(const struct hv_ops *ops, struct hv_conn *conn,
    const char *uuid, const struct reconcile_side *expect, struct err *err)
{
	struct reconcile_side now;

	if (expect->presence == RECONCILE_UNKNOWN)
		return 0;
	executor_look(ops, conn, uuid, &now, err);
	if (err->code != ERR_NONE)
		return -1;
	if (now.presence == expect->presence && now.state == expect->state &&
	    now.reason == expect->reason && now.job == expect->job)
		return 0;
	return err_set(err, ERR_CONFLICT, "its state has changed meanwhile");
}
