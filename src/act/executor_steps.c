/*
 * The steps of a restart, and those with which a live move brings disks along.
 *
 * Each step is one work item at one host, except DEFINE, which reads at the
 * source and then writes at the target.  It has a copy of the move for itself,
 * looks once more whether the guest is as the machine saw it, does its calls and
 * brings back what it learned of the disks.  Every step may be done again after a
 * crash, so all of them succeed where everything is done already.
 *
 * Only calls that answer at once use the connection that aborts and looks need;
 * whatever waits for a guest, a disk or a QEMU has one of its own.
 */
#include "act/executor_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

struct step_call {
	struct executor_call call;
	enum move_step step;
	int ask;
	bool agent;
	struct reconcile_side expect;
	struct move *own; /* what it was when this began */
	char *from_uri, *to_uri;
	char *xml; /* between the two halves of DEFINE */
	struct hv_prepared *prepared;
	struct executor_copy copy;
	int64_t copied, copied_ms;
};

static void
step_free(struct step_call *c)
{
	move_free(c->own);
	free(c->from_uri);
	free(c->to_uri);
	free(c->xml);
	free(c->prepared);
	free(c);
}

/* Whether the guest wrote to layers while its bases were copied. */
static bool
is_layered(const struct move *m)
{
	return m->was_running && move_has_done(m, MOVE_STEP_FREEZE);
}

/* ---- images ---- */

static void
work_check(const struct hv_ops *ops, struct hv_conn *conn, struct step_call *c)
{
	struct err *err = &c->call.err;

	for (size_t i = 0; i < c->own->disk_count; i++) {
		const struct move_disk *d = &c->own->disks[i];
		bool there = false;

		if (d->replace)
			continue;
		if (d->dest_path == NULL) {
			(void)err_set(err, ERR_REFUSED,
			    "where %s will be in pool %s of %s is not known",
			    d->volume, d->pool, c->own->to);
			return;
		}
		if (ops->has_file(conn, d->dest_path, &there, err) < 0)
			return;
		if (there) {
			(void)err_set(err, ERR_CONFLICT,
			    "pool %s of %s has an image %s already (%s), and "
			    "it is not one that Drover left there",
			    d->pool, c->own->to, d->volume, d->dest_path);
			return;
		}
	}
}

static void
work_prepare(
    const struct hv_ops *ops, struct hv_conn *conn, struct step_call *c)
{
	const struct move *m = c->own;
	struct hv_volume *volumes = calloc(m->disk_count + 1, sizeof(*volumes));
	bool flat = m->strategy == MOVE_RESTART;

	if (volumes == NULL)
		abort();
	for (size_t i = 0; i < m->disk_count; i++) {
		const struct move_disk *d = &m->disks[i];

		/* A restart copies the file as it is, its header included;
		 * until then the volume only keeps the name. */
		volumes[i] = (struct hv_volume){
		    .pool = d->pool,
		    .name = d->volume,
		    .format = d->format,
		    .capacity = d->capacity,
		    .backing = m->incremental && !flat ? d->backing : NULL,
		    .backing_format =
			m->incremental && !flat ? d->backing_format : NULL,
		    .replace = d->replace || (d->created && !d->unsure),
		};
	}
	(void)ops->prepare(
	    conn, volumes, m->disk_count, c->prepared, &c->call.err);
	free(volumes);
}

static void
work_copy_one(const struct hv_ops *ops, struct hv_conn *conn,
    struct step_call *c, const char *from, const char *pool, const char *volume,
    bool replace)
{
	struct hv_copied copied = {0};
	struct hv_copy how = {
	    .from_path = from,
	    .to_uri = c->to_uri,
	    .to_pool = pool,
	    .to_name = volume,
	    .replace = replace,
	    .limit = &c->copy.limit,
	    .done = &c->copy.done,
	    .total = &c->copy.total,
	    .cancel = &c->copy.cancel,
	    .verify = true,
	};

	if (ops->copy(conn, &how, &copied, &c->call.err) < 0) {
		(void)err_prefix(&c->call.err, "copy %s", from);
		return;
	}
	c->copied += copied.data;
	__atomic_store_n(&c->copy.done, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&c->copy.before, c->copied, __ATOMIC_RELAXED);
	log_info("move", "%s: %s copied: %lld bytes, %lld of them data, %s",
	    c->own->name, from, (long long)copied.length,
	    (long long)copied.data, copied.sha256);
}

static void
work_copy(const struct hv_ops *ops, struct hv_conn *conn, struct step_call *c)
{
	bool layers = c->step == MOVE_STEP_COPY_REST && is_layered(c->own);
	struct mono began = clock_mono_now();

	for (size_t i = 0; i < c->own->disk_count; i++) {
		const struct move_disk *d = &c->own->disks[i];

		if (c->call.err.code != ERR_NONE)
			return;
		if (layers)
			work_copy_one(ops, conn, c, d->layer, d->pool,
			    d->layer_volume, true);
		else
			work_copy_one(ops, conn, c, d->path, d->pool, d->volume,
			    d->created || d->replace);
	}
	c->copied_ms = mono_diff(clock_mono_now(), began);
}

/* One after the other, so that it is known of each whether it is gone; the first
 * error is told. */
static void
work_clean_one(const struct hv_ops *ops, struct hv_conn *conn,
    struct step_call *c, const struct hv_volume *volume, bool *there)
{
	struct err err = {0};

	if (ops->remove(conn, volume, 1, &err) == 0)
		*there = false;
	else if (c->call.err.code == ERR_NONE)
		c->call.err = err;
}

/* What lies above goes first. */
static void
work_clean(const struct hv_ops *ops, struct hv_conn *conn, struct step_call *c)
{
	for (size_t i = 0; i < c->own->disk_count; i++) {
		struct move_disk *d = &c->own->disks[i];

		if (d->layer_created && d->layer_volume != NULL)
			work_clean_one(ops, conn, c,
			    &(struct hv_volume){
				.pool = d->pool, .name = d->layer_volume},
			    &d->layer_created);
		if (d->created)
			work_clean_one(ops, conn, c,
			    &(struct hv_volume){.pool = d->pool,
				.name = d->volume,
				.only_empty = d->unsure},
			    &d->created);
	}
}

/* ---- layers ---- */

static void
work_layers(const struct hv_ops *ops, struct hv_conn *conn, struct step_call *c)
{
	const struct move *m = c->own;
	bool there = c->step == MOVE_STEP_MERGE_TARGET;
	struct hv_layer *layers = calloc(m->disk_count + 1, sizeof(*layers));
	size_t count = 0;

	if (layers == NULL)
		abort();
	for (size_t i = 0; i < m->disk_count; i++) {
		const struct move_disk *d = &m->disks[i];

		if (d->layer == NULL || (there && d->layer_dest_path == NULL))
			continue;
		layers[count++] = (struct hv_layer){
		    .target = d->target,
		    .path = there ? d->layer_dest_path : d->layer,
		    .base = there ? d->dest_path : d->path,
		    .base_format = d->format,
		};
	}
	if (c->step == MOVE_STEP_FREEZE)
		(void)ops->freeze(
		    conn, c->call.uuid, layers, count, &c->call.err);
	else
		(void)ops->merge(
		    conn, c->call.uuid, layers, count, &c->call.err);
	free(layers);
}

/* ---- the definition ---- */

static void
work_export(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct step_call *c = item;
	const struct move *m = c->own;
	struct domxml_edit *edits =
	    calloc(m->disk_count + m->eject_count + 1, sizeof(*edits));
	size_t count = 0;

	if (edits == NULL)
		abort();
	for (size_t i = 0; i < m->disk_count; i++) {
		const struct move_disk *d = &m->disks[i];

		if (is_layered(m))
			edits[count++] = (struct domxml_edit){
			    .target = d->target,
			    .path = d->layer_dest_path,
			    .format = "qcow2",
			    .backing = d->dest_path,
			    .backing_format = d->format,
			};
		else if (d->dest_path != NULL &&
		    strcmp(d->dest_path, d->path) != 0)
			edits[count++] = (struct domxml_edit){
			    .target = d->target,
			    .path = d->dest_path,
			    .backing = d->backing,
			    .backing_format = d->backing_format,
			};
	}
	for (size_t i = 0; i < m->eject_count; i++)
		edits[count++] =
		    (struct domxml_edit){.target = m->ejects[i], .eject = true};
	c->xml = ops->export(conn, c->call.uuid, edits, count, &c->call.err);
	free(edits);
}

/* The guest has left for good: so may what libvirt keeps of it.  The definition
 * is gone already, so a failure here is no failure of the move. */
static void
work_undefine(
    const struct hv_ops *ops, struct hv_conn *conn, struct step_call *c)
{
	bool source = c->step == MOVE_STEP_UNDEFINE_SOURCE;
	struct err err = {0};

	if (ops->undefine(conn, c->call.uuid, &c->call.err) < 0) {
		if (c->call.err.code != ERR_NOT_FOUND)
			return;
		c->call.err = (struct err){0};
	}
	if (move_has_begun(c->own, MOVE_STEP_CARRY) &&
	    ops->forget(
		conn, c->call.uuid, source ? c->to_uri : c->from_uri, &err) < 0)
		log_warn("move",
		    "%s: what libvirt keeps of it beside its disks stays at "
		    "%s: %s",
		    c->own->name, source ? c->own->from : c->own->to, err.msg);
}

/* ---- one step ---- */

static void
work_step(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct step_call *c = item;
	const char *uuid = c->call.uuid;
	struct err *err = &c->call.err;

	if (executor_look_again(ops, conn, uuid, &c->expect, err) < 0)
		return;
	switch (c->step) {
	case MOVE_STEP_CHECK:
		work_check(ops, conn, c);
		return;
	case MOVE_STEP_PREPARE:
		work_prepare(ops, conn, c);
		return;
	case MOVE_STEP_FREEZE:
	case MOVE_STEP_MERGE_TARGET:
	case MOVE_STEP_MERGE_SOURCE:
		work_layers(ops, conn, c);
		return;
	case MOVE_STEP_COPY:
	case MOVE_STEP_COPY_REST:
		work_copy(ops, conn, c);
		return;
	case MOVE_STEP_SHUTDOWN:
		(void)ops->shutdown(conn, uuid,
		    c->agent && c->ask % 2 == 0 ? HV_SHUTDOWN_AGENT
						: HV_SHUTDOWN_ACPI,
		    err);
		return;
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_DESTROY_TARGET:
		(void)ops->destroy(conn, uuid, err);
		return;
	case MOVE_STEP_CARRY:
		(void)ops->carry(conn, uuid, c->to_uri, err);
		return;
	case MOVE_STEP_DEFINE:
		(void)ops->define(conn, c->xml, err);
		return;
	case MOVE_STEP_DISARM:
		(void)ops->set_autostart(conn, uuid, false, err);
		return;
	case MOVE_STEP_REARM:
	case MOVE_STEP_AUTOSTART:
		(void)ops->set_autostart(conn, uuid, true, err);
		return;
	case MOVE_STEP_START:
	case MOVE_STEP_START_SOURCE:
		(void)ops->start(conn, uuid, err);
		return;
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_UNDEFINE_TARGET:
		work_undefine(ops, conn, c);
		return;
	case MOVE_STEP_CLEAN:
		work_clean(ops, conn, c);
		return;
	case MOVE_STEP_NONE:
		(void)err_set(err, ERR_INTERNAL, "not a step");
		return;
	}
}

/* Beside `dir_of`, under another name.  malloc'ed. */
static char *
path_beside(const char *dir_of, const char *name)
{
	const char *slash = strrchr(dir_of, '/');
	int dir = slash != NULL ? (int)(slash - dir_of) + 1 : 0;
	char *path = NULL;

	if (asprintf(&path, "%.*s%s", dir, dir_of, name) < 0)
		abort();
	return path;
}

/* What the step has found out, for the move. */
static void
learn(struct journey *j, const struct step_call *c, bool ok)
{
	struct move *m = j->move;
	size_t count = m->disk_count < c->own->disk_count ? m->disk_count
							  : c->own->disk_count;

	for (size_t i = 0; i < count; i++) {
		struct move_disk *d = &m->disks[i];

		if (c->step == MOVE_STEP_PREPARE && c->prepared[i].created)
			d->created = true;
		if (c->step == MOVE_STEP_PREPARE &&
		    c->prepared[i].path[0] != '\0')
			str_replace(&d->dest_path, c->prepared[i].path);
		if (c->step == MOVE_STEP_CLEAN) {
			d->created = c->own->disks[i].created;
			d->layer_created = c->own->disks[i].layer_created;
		}
		if (c->step != MOVE_STEP_COPY_REST || !is_layered(c->own))
			continue;
		/* Also of a copy that broke off in the middle. */
		d->layer_created = true;
		if (d->dest_path != NULL && d->layer_dest_path == NULL)
			d->layer_dest_path =
			    path_beside(d->dest_path, d->layer_volume);
	}
	j->plan.copied += c->copied;
	if (ok)
		j->plan.copied_ms += c->copied_ms;
}

static void
done_step(void *item, const struct err *transport)
{
	struct step_call *c = item;
	struct journey *j = executor_call_journey(&c->call);
	const struct err *err = executor_call_error(&c->call, transport);

	if (j == NULL) {
		step_free(c);
		return;
	}
	if (j->copy == &c->copy)
		j->copy = NULL;
	learn(j, c, err == NULL);
	if (err == NULL && c->step == MOVE_STEP_START)
		executor_saw_on(j);
	executor_feed(
	    j, &(struct move_event){.kind = MOVE_EV_STEPPED, .err = err});
	step_free(c);
}

static void
done_export(void *item, const struct err *transport)
{
	struct step_call *c = item;
	struct journey *j = executor_call_journey(&c->call);

	if (j == NULL || executor_call_error(&c->call, transport) != NULL)
		done_step(item, transport);
	else
		executor_call_send(
		    j, j->move->to, false, c, work_step, done_step);
}

/* A deep copy of what a step may need, for its worker. */
static struct move *
copy_move(const struct move *m)
{
	struct move *own = move_new(m->uuid, m->name, m->from, m->to);

	for (size_t i = 0; i < m->disk_count; i++)
		(void)move_add_disk(own, &m->disks[i]);
	for (size_t i = 0; i < m->eject_count; i++)
		move_add_eject(own, m->ejects[i]);
	own->strategy = m->strategy;
	own->incremental = m->incremental;
	own->was_running = m->was_running;
	own->steps_done = m->steps_done;
	own->steps_begun = m->steps_begun;
	return own;
}

static bool
is_long(enum move_step step)
{
	switch (step) {
	case MOVE_STEP_CHECK:
	case MOVE_STEP_PREPARE:
	case MOVE_STEP_FREEZE:
	case MOVE_STEP_COPY:
	case MOVE_STEP_SHUTDOWN: /* an agent may not answer */
	case MOVE_STEP_COPY_REST:
	case MOVE_STEP_CARRY:
	case MOVE_STEP_START:
	case MOVE_STEP_MERGE_TARGET:
	case MOVE_STEP_START_SOURCE:
	case MOVE_STEP_MERGE_SOURCE:
	case MOVE_STEP_CLEAN:
	case MOVE_STEP_UNDEFINE_TARGET: /* they may remove files as well */
	case MOVE_STEP_UNDEFINE_SOURCE:
		return true;
	case MOVE_STEP_NONE:
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_DESTROY_TARGET:
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_DISARM:
	case MOVE_STEP_REARM:
	case MOVE_STEP_AUTOSTART:
		return false;
	}
	return false;
}

void
executor_step(struct journey *j, const struct move_action *action)
{
	struct step_call *c = executor_call_new(j, sizeof(*c));
	struct link *to = j->ex->deps.link(j->move->to, j->ex->deps.arg);
	struct link *from = j->ex->deps.link(j->move->from, j->ex->deps.arg);
	const char *host = move_step_is_at_source(action->perform_step)
	    ? j->move->from
	    : j->move->to;

	c->step = action->perform_step;
	c->ask = action->ask;
	c->agent = j->plan.agent;
	c->expect = action->expect;
	c->own = copy_move(j->move);
	c->prepared = calloc(j->move->disk_count + 1, sizeof(*c->prepared));
	if (c->prepared == NULL)
		abort();
	c->from_uri = str_dup(from != NULL ? link_uri(from) : "");
	c->to_uri = str_dup(to != NULL ? link_uri(to) : "");
	c->copy.limit = j->share;
	log_info("move", "%s: %s", j->move->name, move_step_name(c->step));
	if (c->step == MOVE_STEP_COPY || c->step == MOVE_STEP_COPY_REST) {
		j->copy = &c->copy;
		loop_timer_set(j->poll, EXECUTOR_POLL_MS);
	}
	if (c->step == MOVE_STEP_DEFINE)
		executor_call_send(
		    j, j->move->from, false, c, work_export, done_export);
	else
		executor_call_send(
		    j, host, is_long(c->step), c, work_step, done_step);
}

void
executor_cancel(struct journey *j)
{
	if (j->copy != NULL)
		__atomic_store_n(&j->copy->cancel, true, __ATOMIC_RELAXED);
}
