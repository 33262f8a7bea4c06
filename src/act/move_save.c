/*
 * A move as JSON, for the journal: all that a later daemon needs to go on.
 *
 * States, strategies and steps are stored by name, so that a database can be read
 * by a person and by a daemon whose enums have grown.  Times are not stored: a
 * clock of one process means nothing to the next.  What came with the other
 * strategies may be missing: a journal from before them has only live moves over
 * shared storage.
 */
#include <stdio.h>
#include <string.h>

#include "act/move.h"

/* ---- saving ---- */

static json_t *
save_steps(unsigned steps)
{
	json_t *all = json_array();

	for (unsigned s = MOVE_STEP_NONE + 1; s < MOVE_STEP_COUNT; s++) {
		if ((steps & 1U << s) != 0)
			json_array_append_new(all,
			    json_string(move_step_name((enum move_step)s)));
	}
	return all;
}

static json_t *
save_disk(const struct move_disk *d)
{
	return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, "
			 "s:I, s:I, s:b, s:b, s:b, s:s*, s:s*, s:s*, s:b}",
	    "target", d->target, "path", d->path, "format", d->format, "pool",
	    d->pool, "volume", d->volume, "dest_path", d->dest_path, "backing",
	    d->backing, "backing_format", d->backing_format, "capacity",
	    (json_int_t)d->capacity, "allocation", (json_int_t)d->allocation,
	    "replace", d->replace, "created", d->created, "unsure", d->unsure,
	    "layer", d->layer, "layer_volume", d->layer_volume,
	    "layer_dest_path", d->layer_dest_path, "layer_created",
	    d->layer_created);
}

static json_t *
save_strategy(const struct move *m)
{
	json_t *disks = json_array(), *ejects = json_array();

	for (size_t i = 0; i < m->disk_count; i++)
		json_array_append_new(disks, save_disk(&m->disks[i]));
	for (size_t i = 0; i < m->eject_count; i++)
		json_array_append_new(ejects, json_string(m->ejects[i]));
	return json_pack("{s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:I, s:I, "
			 "s:b, s:s, s:o, s:o, s:b, s:b, s:b, s:i, s:i, s:b, "
			 "s:b, s:i, s:b, s:s, s:b}",
	    "strategy", move_strategy_name(m->strategy), "disks", disks,
	    "ejects", ejects, "incremental", m->incremental, "unsafe_ok",
	    m->unsafe_ok, "auto_converge", m->auto_converge, "postcopy",
	    m->postcopy, "was_running", m->was_running, "shutdown_ms",
	    (json_int_t)m->shutdown_ms, "repeat_ms", (json_int_t)m->repeat_ms,
	    "force_off", m->force_off, "step", move_step_name(m->step),
	    "steps_done", save_steps(m->steps_done), "steps_begun",
	    save_steps(m->steps_begun), "back", m->back, "cut_off", m->cut_off,
	    "owner_ended", m->owner_ended, "asks", m->asks, "reboots",
	    m->reboots, "suspended", m->suspended, "perform_begun",
	    m->perform_begun, "starts", m->starts, "verified", m->verified,
	    "remark", m->remark, "target_ran", m->target_ran);
}

json_t *
move_save(const struct move *m)
{
	json_t *o =
	    json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:I, s:I, "
		      "s:I, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:s}",
		"uuid", m->uuid, "name", m->name, "from", m->from, "to", m->to,
		"strict", m->strict, "persistent", m->persistent, "autostart",
		m->autostart, "reason_before", (int)m->reason_before,
		"max_downtime_ms", (json_int_t)m->max_downtime_ms, "bandwidth",
		(json_int_t)m->bandwidth, "timeout_ms",
		(json_int_t)m->timeout_ms, "state", move_state_name(m->state),
		"perform_ok", m->perform_ok, "abort_asked", m->abort_asked,
		"timed_out", m->timed_out, "repaired", m->repaired, "took_back",
		m->took_back, "source_destroyed", m->source_destroyed, "memory",
		(json_int_t)m->memory, "error", m->error);
	json_t *more = save_strategy(m);

	if (o == NULL || more == NULL || json_object_update(o, more) != 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(more);
	return o;
}

/* ---- loading ---- */

static int
find_state(const char *name, enum move_state *out)
{
	for (int s = MOVE_NEW; s <= MOVE_ENDED; s++) {
		if (strcmp(move_state_name((enum move_state)s), name) == 0) {
			*out = (enum move_state)s;
			return 0;
		}
	}
	return -1;
}

static int
find_strategy(const char *name, enum move_strategy *out)
{
	for (int s = MOVE_LIVE_SHARED; s <= MOVE_RESTART; s++) {
		if (strcmp(move_strategy_name((enum move_strategy)s), name) ==
		    0) {
			*out = (enum move_strategy)s;
			return 0;
		}
	}
	return -1;
}

static int
find_step(const char *name, enum move_step *out)
{
	for (int s = MOVE_STEP_NONE; s < MOVE_STEP_COUNT; s++) {
		if (strcmp(move_step_name((enum move_step)s), name) == 0) {
			*out = (enum move_step)s;
			return 0;
		}
	}
	return -1;
}

/* What an unknown step did or did not do cannot be undone by this daemon. */
static int
load_steps(const json_t *all, unsigned *out, struct err *err)
{
	*out = 0;
	if (all != NULL && !json_is_array(all))
		return err_set(err, ERR_INVALID, "journal: move: no steps");
	for (size_t i = 0; i < json_array_size(all); i++) {
		const char *name = json_string_value(json_array_get(all, i));
		enum move_step step;

		if (name == NULL || find_step(name, &step) < 0)
			return err_set(err, ERR_INVALID,
			    "journal: move: unknown step \"%s\"",
			    name != NULL ? name : "");
		*out |= 1U << step;
	}
	return 0;
}

static int
load_disk(struct move *m, json_t *o, struct err *err)
{
	struct move_disk d = {0};
	int replace = 0, created = 0, unsure = 0, layer_created = 0;
	json_int_t capacity, allocation;
	json_error_t jerr;

	if (json_unpack_ex(o, &jerr, 0,
		"{s:s, s:s, s?s, s?s, s?s, s?s, s?s, s?s, s:I, s:I, s:b, s:b, "
		"s?b, s?s, s?s, s?s, s:b}",
		"target", &d.target, "path", &d.path, "format", &d.format,
		"pool", &d.pool, "volume", &d.volume, "dest_path", &d.dest_path,
		"backing", &d.backing, "backing_format", &d.backing_format,
		"capacity", &capacity, "allocation", &allocation, "replace",
		&replace, "created", &created, "unsure", &unsure, "layer",
		&d.layer, "layer_volume", &d.layer_volume, "layer_dest_path",
		&d.layer_dest_path, "layer_created", &layer_created) != 0)
		return err_set(
		    err, ERR_INVALID, "journal: move: disk: %s", jerr.text);
	d.capacity = capacity;
	d.allocation = allocation;
	d.replace = replace;
	d.created = created;
	d.unsure = unsure;
	d.layer_created = layer_created;
	(void)move_add_disk(m, &d);
	return 0;
}

static int
load_disks(struct move *m, json_t *disks, json_t *ejects, struct err *err)
{
	if ((disks != NULL && !json_is_array(disks)) ||
	    (ejects != NULL && !json_is_array(ejects)))
		return err_set(err, ERR_INVALID, "journal: move: no disks");
	for (size_t i = 0; i < json_array_size(disks); i++) {
		if (load_disk(m, json_array_get(disks, i), err) < 0)
			return -1;
	}
	for (size_t i = 0; i < json_array_size(ejects); i++) {
		const char *target =
		    json_string_value(json_array_get(ejects, i));

		if (target == NULL)
			return err_set(
			    err, ERR_INVALID, "journal: move: no drive");
		move_add_eject(m, target);
	}
	return 0;
}

static int
load_strategy(struct move *m, json_t *json, struct err *err)
{
	const char *strategy = "live-shared", *step = "none", *remark = "";
	json_t *disks = NULL, *ejects = NULL, *done = NULL, *begun = NULL;
	int incremental = 0, unsafe_ok = 0, auto_converge = 0, postcopy = 0;
	int was_running = 0, force_off = 0, back = 0, cut_off = 0;
	int target_ran = 0, owner_ended = 0, suspended = 0, perform_begun = 1,
	    verified = 0;
	json_int_t shutdown_ms = 0, repeat_ms = 0;
	json_error_t jerr;

	if (json_unpack_ex(json, &jerr, 0,
		"{s?s, s?o, s?o, s?b, s?b, s?b, s?b, s?b, s?I, s?I, s?b, s?s, "
		"s?o, s?o, s?b, s?b, s?b, s?i, s?i, s?b, s?b, s?i, s?b, s?s, "
		"s?b}",
		"strategy", &strategy, "disks", &disks, "ejects", &ejects,
		"incremental", &incremental, "unsafe_ok", &unsafe_ok,
		"auto_converge", &auto_converge, "postcopy", &postcopy,
		"was_running", &was_running, "shutdown_ms", &shutdown_ms,
		"repeat_ms", &repeat_ms, "force_off", &force_off, "step", &step,
		"steps_done", &done, "steps_begun", &begun, "back", &back,
		"cut_off", &cut_off, "owner_ended", &owner_ended, "asks",
		&m->asks, "reboots", &m->reboots, "suspended", &suspended,
		"perform_begun", &perform_begun, "starts", &m->starts,
		"verified", &verified, "remark", &remark, "target_ran",
		&target_ran) != 0)
		return err_set(
		    err, ERR_INVALID, "journal: move: %s", jerr.text);
	if (find_strategy(strategy, &m->strategy) < 0 ||
	    find_step(step, &m->step) < 0)
		return err_set(err, ERR_INVALID,
		    "journal: move: unknown strategy \"%s\" or step \"%s\"",
		    strategy, step);
	m->incremental = incremental;
	m->unsafe_ok = unsafe_ok;
	m->auto_converge = auto_converge;
	m->postcopy = postcopy;
	m->was_running = was_running;
	m->shutdown_ms = shutdown_ms;
	m->repeat_ms = repeat_ms;
	m->force_off = force_off;
	m->back = back;
	m->cut_off = cut_off;
	m->owner_ended = owner_ended;
	m->suspended = suspended;
	m->perform_begun = perform_begun;
	m->verified = verified;
	m->target_ran = target_ran;
	(void)snprintf(m->remark, sizeof(m->remark), "%s", remark);
	if (load_steps(done, &m->steps_done, err) < 0 ||
	    load_steps(begun, &m->steps_begun, err) < 0)
		return -1;
	return load_disks(m, disks, ejects, err);
}

struct move *
move_load(const json_t *json, struct err *err)
{
	const char *uuid, *name, *from, *to, *state, *error;
	int strict, persistent, autostart, reason, perform_ok, abort_asked;
	int timed_out, was_repaired, took_back, source_destroyed;
	json_int_t max_downtime, bandwidth, timeout, memory;
	json_error_t jerr;
	enum move_state st;
	struct move *m;

	/* jansson's unpack takes a pointer to non-const but changes nothing. */
	if (json_unpack_ex((json_t *)(uintptr_t)json, &jerr, 0,
		"{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:I, s:I, s:I, s:s, "
		"s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:s}",
		"uuid", &uuid, "name", &name, "from", &from, "to", &to,
		"strict", &strict, "persistent", &persistent, "autostart",
		&autostart, "reason_before", &reason, "max_downtime_ms",
		&max_downtime, "bandwidth", &bandwidth, "timeout_ms", &timeout,
		"state", &state, "perform_ok", &perform_ok, "abort_asked",
		&abort_asked, "timed_out", &timed_out, "repaired",
		&was_repaired, "took_back", &took_back, "source_destroyed",
		&source_destroyed, "memory", &memory, "error", &error) != 0) {
		(void)err_set(err, ERR_INVALID, "journal: move: %s", jerr.text);
		return NULL;
	}
	if (find_state(state, &st) < 0 || reason < 0 ||
	    reason > DOMAIN_REASON_CRASHED) {
		(void)err_set(err, ERR_INVALID,
		    "journal: move of %s: "
		    "unknown state \"%s\" or reason %d",
		    name, state, reason);
		return NULL;
	}
	m = move_new(uuid, name, from, to);
	m->strict = strict;
	m->persistent = persistent;
	m->autostart = autostart;
	m->reason_before = (enum domain_reason)reason;
	m->max_downtime_ms = max_downtime;
	m->bandwidth = bandwidth;
	m->timeout_ms = timeout;
	/* An entry may have been written on the way to an end that was not. */
	m->state = st == MOVE_ENDED ? MOVE_OBSERVING : st;
	m->perform_ok = perform_ok;
	m->abort_asked = abort_asked;
	m->timed_out = timed_out;
	m->repaired = was_repaired;
	m->took_back = m->took_back_noted = took_back;
	m->source_destroyed = source_destroyed;
	m->memory = memory;
	(void)snprintf(m->error, sizeof(m->error), "%s", error);
	if (load_strategy(m, (json_t *)(uintptr_t)json, err) < 0) {
		move_free(m);
		return NULL;
	}
	return m;
}
