/*
 * What is asked of a move, split: the machine's part goes into the move, the
 * executor's own beside it.  Both are written with every journal entry, so that a
 * later daemon drives the move and tells of it as this one would.
 */
#include "act/executor_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void
add_source(struct executor_plan *plan, const char *pool, const char *volume)
{
	struct executor_source *all = realloc(
	    plan->sources, (plan->source_count + 1) * sizeof(*plan->sources));

	if (all == NULL)
		abort();
	plan->sources = all;
	all[plan->source_count++] =
	    (struct executor_source){str_dup(pool != NULL ? pool : ""),
		str_dup(volume != NULL ? volume : "")};
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Strings of a move are its own, so they are not const; it copies them. */
static char *
lend(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* The layer lies beside its base and is named after it; the time makes it another
 * one than that of an earlier attempt. */
static void
name_layer(struct move_disk *d, struct wall now)
{
	const char *name = last_part(d->path);

	if (asprintf(&d->layer, "%s.drover-%llx", d->path,
		(unsigned long long)now.ms) < 0 ||
	    asprintf(&d->layer_volume, "%s.drover-%llx", name,
		(unsigned long long)now.ms) < 0)
		abort();
}

static void
take_disk(struct journey *j, const struct executor_request *r,
    const struct executor_disk *disk)
{
	const struct strategy_disk *s = disk->disk;
	struct move_disk d = {
	    .target = lend(s->target),
	    .path = lend(s->path),
	    .format = lend(s->format),
	    .pool = lend(s->pool),
	    .volume = lend(s->volume),
	    .dest_path = lend(s->dest_path),
	    .backing = lend(s->backing),
	    .backing_format = lend(s->backing_format),
	    .capacity = s->capacity,
	    .allocation = s->allocation,
	    .replace = disk->replace,
	};

	if (r->strategy == MOVE_RESTART && r->was_running)
		name_layer(&d, j->started);
	(void)move_add_disk(j->move, &d);
	free(d.layer);
	free(d.layer_volume);
	add_source(&j->plan, disk->source_pool, disk->source_volume);
}

void
executor_plan_take(struct journey *j, const struct executor_request *r)
{
	struct move *m = j->move;

	m->strategy = r->strategy;
	m->strict = r->strict;
	m->persistent = r->persistent;
	m->autostart = r->autostart;
	m->reason_before = r->reason_before;
	m->max_downtime_ms = r->max_downtime_ms;
	m->bandwidth = r->bandwidth;
	m->timeout_ms = r->timeout_ms;
	m->memory = r->memory;
	m->incremental = r->incremental;
	m->unsafe_ok = r->unsafe_ok;
	m->auto_converge = (r->converge.rungs & CONVERGE_THROTTLE) != 0;
	/* QEMU cannot switch over to a guest that is to arrive paused. */
	m->postcopy =
	    (r->converge.rungs & CONVERGE_POSTCOPY) != 0 && !r->strict;
	m->was_running = r->was_running;
	m->shutdown_ms = r->shutdown_ms;
	m->repeat_ms = r->repeat_ms;
	m->force_off = r->force_off;
	for (size_t i = 0; i < r->disk_count; i++)
		take_disk(j, r, &r->disks[i]);
	for (size_t i = 0; i < r->eject_count; i++)
		move_add_eject(m, r->ejects[i]);
	j->plan.agent = r->agent;
	j->plan.converge = r->converge;
	j->plan.bandwidth = r->bandwidth;
	j->plan.predicted_ms = r->predicted_ms;
	j->plan.predicted_downtime_ms = r->predicted_downtime_ms;
	j->plan.keep_source_ms = r->keep_source_ms;
	j->plan.decision = r->decision;
}

json_t *
executor_plan_save(const struct executor_plan *p)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < p->source_count; i++)
		json_array_append_new(sources,
		    json_pack(
			"[s, s]", p->sources[i].pool, p->sources[i].volume));
	return json_pack("{s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, "
			 "s:I, s:I, s:I, s:I, s:b, s:b, s:I}",
	    "agent", p->agent, "rungs", (int)p->converge.rungs,
	    "converge_downtime_ms", (json_int_t)p->converge.max_downtime_ms,
	    "pause_max_ms", (json_int_t)p->converge.pause_max_ms, "bandwidth",
	    (json_int_t)p->bandwidth, "predicted_ms",
	    (json_int_t)p->predicted_ms, "predicted_downtime_ms",
	    (json_int_t)p->predicted_downtime_ms, "keep_source_ms",
	    (json_int_t)p->keep_source_ms, "sources", sources, "copied",
	    (json_int_t)p->copied, "copied_ms", (json_int_t)p->copied_ms,
	    "off_at", (json_int_t)p->off_at.ms, "on_at",
	    (json_int_t)p->on_at.ms, "downtime_limit",
	    (json_int_t)p->downtime_limit, "postcopy_begun", p->postcopy_begun,
	    "suspended", p->suspended, "decision", (json_int_t)p->decision);
}

static int64_t
number(const json_t *json, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(json, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static bool
truth(const json_t *json, const char *key)
{
	return json_is_true(json_object_get(json, key));
}

/* A journal of a version that knew no plan gives an empty one. */
void
executor_plan_load(struct executor_plan *p, const json_t *json)
{
	const json_t *sources = json_object_get(json, "sources"), *source;
	size_t i;

	*p = (struct executor_plan){
	    .agent = truth(json, "agent"),
	    .converge =
		{
		    .rungs = (unsigned)number(json, "rungs", 0),
		    .max_downtime_ms = number(json, "converge_downtime_ms", 0),
		    .pause_max_ms = number(json, "pause_max_ms", 0),
		},
	    .bandwidth = number(json, "bandwidth", 0),
	    .predicted_ms = number(json, "predicted_ms", -1),
	    .predicted_downtime_ms = number(json, "predicted_downtime_ms", -1),
	    .keep_source_ms = number(json, "keep_source_ms", 0),
	    .decision = number(json, "decision", 0),
	    .copied = number(json, "copied", 0),
	    .copied_ms = number(json, "copied_ms", 0),
	    .off_at = {number(json, "off_at", 0)},
	    .on_at = {number(json, "on_at", 0)},
	    .downtime_limit = number(json, "downtime_limit", 0),
	    .postcopy_begun = truth(json, "postcopy_begun"),
	    .suspended = truth(json, "suspended"),
	};
	json_array_foreach(sources, i, source)
	    add_source(p, json_string_value(json_array_get(source, 0)),
		json_string_value(json_array_get(source, 1)));
}

void
executor_plan_clear(struct executor_plan *p)
{
	for (size_t i = 0; i < p->source_count; i++) {
		free(p->sources[i].pool);
		free(p->sources[i].volume);
	}
	free(p->sources);
}
