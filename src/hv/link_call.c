/*
 * Calls, and the watch for answers.
 *
 * Connections make one call at a time (hv/conn.h says why).  Reads and checks
 * take turns on the main connection.  A call in the control lane must not wait
 * for them, so it gets an idle connection for itself; only when there is none
 * it takes its turn as well.
 *
 * A host is silent when a call waits on the main connection and none has been
 * answered there since it began: a slow operation does not make a host silent
 * as long as small questions are answered.  When only operations wait, a small
 * question is asked for this reason.  libvirt's keepalive ends a connection
 * that is silent for about twenty seconds; until then nobody is told anything
 * but this.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "hv/link_state.h"

struct link_call_item {
	LIST_ENTRY(link_call_item) next;
	struct link *link;
	uint64_t generation;
	struct link_conn *conn; /* the main one; NULL: there was none */
	bool control;           /* has an idle one to itself, if any */
	struct hv_conn *own;    /* that one; the worker's meanwhile */
	void (*work)(const struct hv_ops *, struct hv_conn *, void *);
	void (*done)(void *, const struct err *);
	void *item;
	struct err err;
	_Atomic int64_t started_ms; /* 0: waits for a worker */
	bool on_main;               /* it was made on the main connection */
	bool alive;                 /* the connection, after the call */
};

/* When the oldest call that waits on the main connection began; 0: none. */
static int64_t
link_call_oldest(const struct link *link)
{
	const struct link_call_item *call;
	int64_t oldest = 0;

	LIST_FOREACH(call, &link->calls, next)
	{
		int64_t started = atomic_load(&call->started_ms);

		if (call->conn != link->conn || call->control || started == 0)
			continue;
		if (oldest == 0 || started < oldest)
			oldest = started;
	}
	return oldest;
}

int64_t
link_silent_ms(const struct link *link, struct mono now)
{
	int64_t since = 0;

	if (link->conn != NULL)
		since = link_call_oldest(link);
	if (since == 0)
		return 0;
	if (since < link->last_answer.ms)
		since = link->last_answer.ms;
	return now.ms > since ? now.ms - since : 0;
}

static void
link_call_tick_arm(struct link *link)
{
	if (link->ticking || link->phase == LINK_CLOSED)
		return;
	link->ticking = true;
	loop_timer_set(link->tick_timer,
	    LINK_TICK_MS < link->silent_ms ? LINK_TICK_MS : link->silent_ms);
}

void
link_call_on_tick(void *arg)
{
	struct link *link = arg;
	struct mono now = clock_mono_now();
	int64_t silent;

	link->ticking = false;
	if (link->conn == NULL || LIST_EMPTY(&link->calls))
		return;
	link_call_tick_arm(link);
	if (mono_diff(now, link->last_answer) >= link->silent_ms / 2 &&
	    !link_read_is_busy(link))
		link_read_sample(link);
	silent = link_silent_ms(link, now);
	if (silent < link->silent_ms)
		return;
	link->silent_reported = true;
	link->callbacks.silent(link->host, silent, link->arg);
}

static void
link_call_answered(struct link *link)
{
	link->last_answer = clock_mono_now();
	if (!link->silent_reported || link->phase != LINK_UP)
		return;
	link->silent_reported = false;
	link->callbacks.silent(link->host, 0, link->arg);
}

void
link_call_reset(struct link *link)
{
	loop_timer_clear(link->tick_timer);
	link->ticking = false;
}

static void
link_call_work(void *arg)
{
	struct link_call_item *call = arg;
	const struct hv_ops *ops = call->link->ops;
	struct hv_conn *conn = call->conn->conn;

	if (call->own != NULL && ops->alive != NULL && !ops->alive(call->own)) {
		ops->close(call->own);
		call->own = NULL;
	}
	if (call->own != NULL)
		conn = call->own;
	call->on_main = conn == call->conn->conn;
	atomic_store(&call->started_ms, clock_mono_now().ms);
	call->work(ops, conn, call->item);
	call->alive = ops->alive == NULL || ops->alive(conn);
	call->own = link_own_kept(call->link, call->own);
	link_conn_used(call->conn);
}

static void
link_call_finished(void *arg, int cancelled)
{
	struct link_call_item *call = arg;
	struct link *link = call->link;
	bool answered = !cancelled && call->alive && call->on_main &&
	    call->conn == link->conn;

	LIST_REMOVE(call, next);
	if (cancelled) {
		(void)err_set(&call->err, ERR_ABORTED, "shutting down");
		link_conn_unused(call->conn);
	}
	link_own_return(link, call->own, call->generation, call->alive);
	link_conn_unref(call->conn);
	if (answered)
		link_call_answered(link);
	call->done(call->item, &call->err);
	free(call);
	link_unref(link);
}

static void
link_call_refused(void *arg)
{
	struct link_call_item *call = arg;
	struct link *link = call->link;

	call->done(call->item, &call->err);
	free(call);
	link_unref(link);
}

void
link_call(struct link *link, enum workers_lane lane,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item)
{
	struct link_call_item *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->link = link;
	call->generation = link->generation;
	call->conn = link->conn;
	call->work = work;
	call->done = done;
	call->item = item;
	link_ref(link);
	if (link->conn == NULL) {
		(void)err_set(&call->err, ERR_UNREACHABLE, "%s: not connected",
		    link->host);
		loop_post(link->loop, link_call_refused, call);
		return;
	}
	if (lane == WORKERS_CONTROL) {
		call->control = true;
		call->own = link_own_take(link);
	}
	link_conn_use(call->conn);
	LIST_INSERT_HEAD(&link->calls, call, next);
	link_call_tick_arm(link);
	if (workers_submit(link->workers, lane, link->host, link_call_work,
		link_call_finished, call) < 0) {
		LIST_REMOVE(call, next);
		link_own_return(link, call->own, call->generation, true);
		link_conn_unused(call->conn);
		link_conn_unref(call->conn);
		(void)err_set(&call->err, ERR_LIMIT, "%s: too many calls wait",
		    link->host);
		loop_post(link->loop, link_call_refused, call);
	}
}
