/*
 * Making a move, and a move as JSON, for the journal: all that a later daemon
 * needs to go on.
 *
 * States are stored by name, so that a database can be read by a person and by a
 * daemon whose enums have grown.  Times are not stored: a clock of one process
 * means nothing to the next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/move.h"

static const char *const state_names[] = {
    [MOVE_NEW] = "new",
    [MOVE_STEPPING] = "stepping",
    [MOVE_PERFORMING] = "performing",
    [MOVE_OBSERVING] = "observing",
    [MOVE_FOLLOWING] = "following",
    [MOVE_WAITING] = "waiting",
    [MOVE_REPAIRING] = "repairing",
    [MOVE_COLLECTING] = "collecting",
    [MOVE_ENDED] = "ended",
};
#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))

static const char *const outcome_names[] = {
    [MOVE_NO_OUTCOME] = NULL,
    [MOVE_COMPLETED] = "completed",
    [MOVE_FAILED] = "failed",
    [MOVE_ROLLED_BACK] = "rolled-back",
    [MOVE_ABORTED] = "aborted",
    [MOVE_STUCK] = "stuck",
};

const char *
move_state_name(enum move_state state)
{
	return state_names[state];
}

static const char *const step_names[] = {
    [MOVE_STEP_NONE] = "none",
    [MOVE_STEP_PREPARE] = "prepare",
    [MOVE_STEP_FREEZE] = "freeze",
    [MOVE_STEP_COPY] = "copy",
    [MOVE_STEP_SHUTDOWN] = "shutdown",
    [MOVE_STEP_DESTROY] = "power-off",
    [MOVE_STEP_COPY_REST] = "copy-rest",
    [MOVE_STEP_CARRY] = "carry",
    [MOVE_STEP_DEFINE] = "define",
    [MOVE_STEP_DISARM] = "disarm",
    [MOVE_STEP_START] = "start",
    [MOVE_STEP_UNDEFINE_SOURCE] = "undefine-source",
    [MOVE_STEP_MERGE_TARGET] = "merge-target",
    [MOVE_STEP_AUTOSTART] = "autostart",
    [MOVE_STEP_UNDEFINE_TARGET] = "undefine-target",
    [MOVE_STEP_REARM] = "rearm",
    [MOVE_STEP_START_SOURCE] = "start-source",
    [MOVE_STEP_MERGE_SOURCE] = "merge-source",
    [MOVE_STEP_CLEAN] = "clean",
};

const char *
move_step_name(enum move_step step)
{
	return step_names[step];
}

const char *
move_outcome_name(enum move_outcome outcome)
{
	return outcome_names[outcome];
}

bool
move_is_idle(const struct move *m, struct mono now)
{
	return (m->state == MOVE_WAITING || m->state == MOVE_OBSERVING) &&
	    m->lingers_since.ms != 0 &&
	    mono_diff(now, m->lingers_since) >= MOVE_IDLE_MS;
}

struct move *
move_new(const char *uuid, const char *name, const char *from, const char *to)
{
	struct move *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->uuid = strdup(uuid);
	m->name = strdup(name);
	m->from = strdup(from);
	m->to = strdup(to);
	if (!m->uuid || !m->name || !m->from || !m->to)
		abort();
	return m;
}

void
move_free(struct move *m)
{
	if (m == NULL)
		return;
	free(m->uuid);
	free(m->name);
	free(m->from);
	free(m->to);
	free(m);
}

json_t *
move_save(const struct move *m)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:I, s:I, "
			 "s:I, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:s}",
	    "uuid", m->uuid, "name", m->name, "from", m->from, "to", m->to,
	    "strict", m->strict, "persistent", m->persistent, "autostart",
	    m->autostart, "reason_before", (int)m->reason_before,
	    "max_downtime_ms", (json_int_t)m->max_downtime_ms, "bandwidth",
	    (json_int_t)m->bandwidth, "timeout_ms", (json_int_t)m->timeout_ms,
	    "state", move_state_name(m->state), "perform_ok", m->perform_ok,
	    "abort_asked", m->abort_asked, "timed_out", m->timed_out,
	    "repaired", m->repaired, "took_back", m->took_back,
	    "source_destroyed", m->source_destroyed, "memory",
	    (json_int_t)m->memory, "error", m->error);
}

static int
find_state(const char *name, enum move_state *out)
{
	for (size_t i = 0; i < STATE_COUNT; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*out = (enum move_state)i;
			return 0;
		}
	}
	return -1;
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
	m->state = st;
	m->perform_ok = perform_ok;
	m->abort_asked = abort_asked;
	m->timed_out = timed_out;
	m->repaired = was_repaired;
	m->took_back = m->took_back_noted = took_back;
	m->source_destroyed = source_destroyed;
	m->memory = memory;
	(void)snprintf(m->error, sizeof(m->error), "%s", error);
	return m;
}
