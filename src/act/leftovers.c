/*
 * What is kept is mirrored in memory, read anew from the store after each
 * change, so that nobody waits for the disk to look at it.
 *
 * One image is removed at a time: nobody waits for that either, and a pool that
 * hangs then costs one call.  A refusal because a guest uses the image is no
 * failure (somebody has brought the guest back by hand, or made another one on
 * it): the image is looked at again later, and the log says so each time.
 */
#include "act/leftovers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/log.h"
#include "base/str.h"

struct kept {
	struct store_leftover row; /* its strings are owned */
	char *note;                /* why it is still there; NULL */
	struct wall not_before;    /* in memory only */
};

struct leftovers {
	struct leftovers_deps deps;
	struct kept *rows; /* by due time */
	struct snap_leftover *snap;
	size_t count;
	struct loop_timer *timer;
	bool begun;
	char out[HV_UUID_SIZE]; /* whose image is being removed; "": none */
};

struct remove_call {
	struct leftovers *l;
	int64_t id;
	char *host, *path, *pool, *volume;
	bool gone; /* there is no such image any more */
	struct err err;
};

static void on_timer(void *arg);

/* ---- the mirror ---- */

static void
clear_rows(struct kept *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)rows[i].row.host);
		free((char *)(uintptr_t)rows[i].row.uuid);
		free((char *)(uintptr_t)rows[i].row.name);
		free((char *)(uintptr_t)rows[i].row.pool);
		free((char *)(uintptr_t)rows[i].row.volume);
		free((char *)(uintptr_t)rows[i].row.path);
		free(rows[i].note);
	}
	free(rows);
}

static void
add_row(const struct store_leftover *row, void *arg)
{
	struct leftovers *l = arg;
	struct kept *all = realloc(l->rows, (l->count + 1) * sizeof(*all));

	if (all == NULL)
		abort();
	l->rows = all;
	all[l->count++] = (struct kept){.row = {
					    .id = row->id,
					    .move_id = row->move_id,
					    .host = str_dup(row->host),
					    .uuid = str_dup(row->uuid),
					    .name = str_dup(row->name),
					    .pool = str_dup(row->pool),
					    .volume = str_dup(row->volume),
					    .path = str_dup(row->path),
					    .since = row->since,
					    .due = row->due,
					}};
}

static struct kept *
find_row(struct leftovers *l, int64_t id)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->rows[i].row.id == id)
			return &l->rows[i];
	}
	return NULL;
}

static int
read_rows(struct leftovers *l, struct err *err)
{
	struct kept *old = l->rows, *same;
	size_t old_count = l->count;
	int rc;

	l->rows = NULL;
	l->count = 0;
	rc = store_each_leftover(l->deps.store, add_row, l, err);
	if (rc < 0) {
		clear_rows(l->rows, l->count);
		l->rows = old;
		l->count = old_count;
		return -1;
	}
	for (size_t i = 0; i < old_count; i++) {
		same = find_row(l, old[i].row.id);
		if (same == NULL)
			continue;
		same->note = old[i].note;
		old[i].note = NULL;
		same->not_before = old[i].not_before;
	}
	clear_rows(old, old_count);
	free(l->snap);
	l->snap = calloc(l->count + 1, sizeof(*l->snap));
	if (l->snap == NULL)
		abort();
	for (size_t i = 0; i < l->count; i++)
		l->snap[i] = (struct snap_leftover){.host = l->rows[i].row.host,
		    .pool = l->rows[i].row.pool,
		    .volume = l->rows[i].row.volume,
		    .path = l->rows[i].row.path,
		    .uuid = l->rows[i].row.uuid};
	return 0;
}

struct leftovers *
leftovers_new(const struct leftovers_deps *deps, struct err *err)
{
	struct leftovers *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->deps = *deps;
	l->timer = loop_timer_new(deps->loop, on_timer, l);
	if (read_rows(l, err) < 0) {
		leftovers_free(l);
		return NULL;
	}
	return l;
}

void
leftovers_free(struct leftovers *l)
{
	if (l == NULL)
		return;
	loop_timer_free(l->timer);
	clear_rows(l->rows, l->count);
	free(l->snap);
	free(l);
}

/* ---- when ---- */

static int64_t
due_ms(const struct kept *k)
{
	return k->row.due.ms > k->not_before.ms ? k->row.due.ms
						: k->not_before.ms;
}

static void
arm(struct leftovers *l)
{
	int64_t now = clock_wall_now().ms, next = INT64_MAX;

	if (!l->begun || l->out[0] != '\0')
		return;
	for (size_t i = 0; i < l->count; i++) {
		if (due_ms(&l->rows[i]) < next)
			next = due_ms(&l->rows[i]);
	}
	if (next == INT64_MAX) {
		loop_timer_clear(l->timer);
		return;
	}
	/* Not for longer than an hour: the wall clock may be set. */
	if (next - now > LEFTOVERS_IN_USE_MS)
		next = now + LEFTOVERS_IN_USE_MS;
	loop_timer_set(l->timer, next > now ? next - now : 0);
}

void
leftovers_begin(struct leftovers *l)
{
	l->begun = true;
	arm(l);
}

void
leftovers_changed(struct leftovers *l)
{
	struct err err = {0};

	if (read_rows(l, &err) < 0)
		log_error("leftovers", "kept images: %s", err.msg);
	arm(l);
}

void
leftovers_host_news(struct leftovers *l, const char *host)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->rows[i].row.host, host) == 0)
			l->rows[i].not_before = (struct wall){0};
	}
	arm(l);
}

/* ---- removing one ---- */

static void
call_free(struct remove_call *c)
{
	free(c->host);
	free(c->path);
	free(c->pool);
	free(c->volume);
	free(c);
}

static void
work_remove(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct remove_call *c = item;
	struct hv_volume volume;
	bool there = false;

	if (c->pool[0] == '\0') {
		if (ops->has_file(conn, c->path, &there, &c->err) < 0)
			return;
		c->gone = !there;
		if (!there)
			return;
		free(c->pool);
		free(c->volume);
		c->pool = c->volume = NULL;
		if (ops->locate(conn, c->path, &c->pool, &c->volume, &c->err) <
		    0) {
			c->pool = str_dup("");
			c->volume = str_dup("");
			return;
		}
	}
	volume = (struct hv_volume){.pool = c->pool, .name = c->volume};
	(void)ops->remove(conn, &volume, 1, &c->err);
}

static void
stays(struct leftovers *l, struct kept *k, const struct err *err)
{
	struct wall now = clock_wall_now();
	int64_t wait = LEFTOVERS_AGAIN_MS;
	struct err mine = {0};

	str_replace(&k->note, err->msg);
	if (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND) {
		wait = LEFTOVERS_IN_USE_MS;
		log_warn("leftovers", "%s: %s of %s stays for now: %s",
		    k->row.host, k->row.path, k->row.name, err->msg);
		if (store_defer_leftover(l->deps.store, k->row.id,
			(struct wall){now.ms + wait}, &mine) < 0)
			log_error("leftovers", "%s: %s", k->row.path, mine.msg);
		else
			k->row.due.ms = now.ms + wait;
	} else {
		log_info("leftovers", "%s: %s of %s cannot be removed now: %s",
		    k->row.host, k->row.path, k->row.name, err->msg);
	}
	k->not_before.ms = now.ms + wait;
}

static void
done_remove(void *item, const struct err *transport)
{
	struct remove_call *c = item;
	struct leftovers *l = c->l;
	struct kept *k = find_row(l, c->id);
	const struct err *err =
	    transport->code != ERR_NONE ? transport : &c->err;
	struct err mine = {0};

	l->out[0] = '\0';
	if (k == NULL) {
		/* It was released meanwhile. */
	} else if (err->code != ERR_NONE) {
		stays(l, k, err);
	} else if (store_remove_leftover(l->deps.store, c->id, &mine) < 0) {
		log_error("leftovers", "%s: %s", c->path, mine.msg);
		k->not_before.ms = clock_wall_now().ms + LEFTOVERS_AGAIN_MS;
	} else {
		log_info("leftovers", "%s: %s of %s removed", k->row.host,
		    k->row.path, k->row.name);
		leftovers_changed(l);
	}
	call_free(c);
	arm(l);
}

static void
remove_one(struct leftovers *l, struct kept *k, struct link *link)
{
	struct remove_call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->l = l;
	c->id = k->row.id;
	c->host = str_dup(k->row.host);
	c->path = str_dup(k->row.path);
	c->pool = str_dup(k->row.pool);
	c->volume = str_dup(k->row.volume);
	(void)snprintf(l->out, sizeof(l->out), "%s", k->row.uuid);
	link_call_long(link, work_remove, done_remove, c);
}

static void
on_timer(void *arg)
{
	struct leftovers *l = arg;
	int64_t now = clock_wall_now().ms;

	for (size_t i = 0; i < l->count && l->out[0] == '\0'; i++) {
		struct kept *k = &l->rows[i];
		struct link *link;

		if (due_ms(k) > now)
			continue;
		link = l->deps.link(k->row.host, l->deps.arg);
		if (link != NULL && link_is_up(link) &&
		    !l->deps.is_moving(k->row.uuid, l->deps.arg))
			remove_one(l, k, link);
		else
			k->not_before.ms = now + LEFTOVERS_AGAIN_MS;
	}
	arm(l);
}

/* ---- changes ---- */

int
leftovers_keep(struct leftovers *l, struct store_leftover *row, struct err *err)
{
	return store_add_leftover(l->deps.store, row, err);
}

int
leftovers_release(struct leftovers *l, const char *host, const char *pool,
    const char *volume, struct err *err)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct store_leftover *row = &l->rows[i].row;

		if (strcmp(row->host, host) == 0 &&
		    strcmp(row->pool, pool) == 0 &&
		    strcmp(row->volume, volume) == 0 &&
		    store_remove_leftover(l->deps.store, row->id, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- looking ---- */

bool
leftovers_is_removing(const struct leftovers *l, const char *uuid)
{
	return strcmp(l->out, uuid) == 0;
}

bool
leftovers_has(const struct leftovers *l, const char *host, const char *pool,
    const char *volume, const char *uuid)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct store_leftover *row = &l->rows[i].row;

		if (strcmp(row->host, host) == 0 &&
		    strcmp(row->pool, pool) == 0 &&
		    strcmp(row->volume, volume) == 0 &&
		    strcmp(row->uuid, uuid) == 0)
			return true;
	}
	return false;
}

const struct snap_leftover *
leftovers_snapshot(const struct leftovers *l, size_t *out_count)
{
	*out_count = l->count;
	return l->snap;
}

json_t *
leftovers_json(const struct leftovers *l, const char *host)
{
	json_t *all = json_array();

	for (size_t i = 0; i < l->count; i++) {
		const struct store_leftover *row = &l->rows[i].row;
		json_t *o;

		if (host != NULL && strcmp(row->host, host) != 0)
			continue;
		o = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s}", "id",
		    (json_int_t)row->id, "move", (json_int_t)row->move_id, "vm",
		    row->name, "uuid", row->uuid, "host", row->host, "path",
		    row->path);
		fields_text(o, "pool", row->pool);
		fields_text(o, "volume", row->volume);
		fields_time(o, "since", row->since);
		fields_time(o, "until", row->due);
		fields_text(o, "note", l->rows[i].note);
		json_array_append_new(all, o);
	}
	return all;
}
