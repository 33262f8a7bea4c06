/*
 * Making a move, and the words for its parts.
 *
 * The words are what the journal and people get to see, so they stay as they
 * are also when the enums grow.
 */
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

static const char *const strategy_names[] = {
    [MOVE_LIVE_SHARED] = "live-shared",
    [MOVE_LIVE_COPY] = "live-copy",
    [MOVE_RESTART] = "restart",
};

const char *
move_strategy_name(enum move_strategy strategy)
{
	return strategy_names[strategy];
}

static const char *const step_names[] = {
    [MOVE_STEP_NONE] = "none",
    [MOVE_STEP_CHECK] = "check",
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
    [MOVE_STEP_DESTROY_TARGET] = "destroy-target",
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

bool
move_step_is_at_source(enum move_step step)
{
	switch (step) {
	case MOVE_STEP_FREEZE:
	case MOVE_STEP_COPY:
	case MOVE_STEP_SHUTDOWN:
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_COPY_REST:
	case MOVE_STEP_CARRY:
	case MOVE_STEP_DISARM:
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_REARM:
	case MOVE_STEP_START_SOURCE:
	case MOVE_STEP_MERGE_SOURCE:
		return true;
	case MOVE_STEP_NONE:
	case MOVE_STEP_CHECK:
	case MOVE_STEP_PREPARE:
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_START:
	case MOVE_STEP_MERGE_TARGET:
	case MOVE_STEP_AUTOSTART:
	case MOVE_STEP_DESTROY_TARGET:
	case MOVE_STEP_UNDEFINE_TARGET:
	case MOVE_STEP_CLEAN:
		return false;
	}
	return false;
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

static void
clear_disk(struct move_disk *disk)
{
	free(disk->target);
	free(disk->path);
	free(disk->format);
	free(disk->pool);
	free(disk->volume);
	free(disk->dest_path);
	free(disk->backing);
	free(disk->backing_format);
	free(disk->layer);
	free(disk->layer_volume);
	free(disk->layer_dest_path);
}

void
move_free(struct move *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->disk_count; i++)
		clear_disk(&m->disks[i]);
	free(m->disks);
	for (size_t i = 0; i < m->eject_count; i++)
		free(m->ejects[i]);
	free(m->ejects);
	free(m->uuid);
	free(m->name);
	free(m->from);
	free(m->to);
	free(m);
}

static char *
copy(const char *text)
{
	char *own = text != NULL ? strdup(text) : NULL;

	if (text != NULL && own == NULL)
		abort();
	return own;
}

struct move_disk *
move_add_disk(struct move *m, const struct move_disk *disk)
{
	struct move_disk *all, *own;

	all = realloc(m->disks, (m->disk_count + 1) * sizeof(*all));
	if (all == NULL)
		abort();
	m->disks = all;
	own = &all[m->disk_count++];
	*own = *disk;
	own->target = copy(disk->target);
	own->path = copy(disk->path);
	own->format = copy(disk->format);
	own->pool = copy(disk->pool);
	own->volume = copy(disk->volume);
	own->dest_path = copy(disk->dest_path);
	own->backing = copy(disk->backing);
	own->backing_format = copy(disk->backing_format);
	own->layer = copy(disk->layer);
	own->layer_volume = copy(disk->layer_volume);
	own->layer_dest_path = copy(disk->layer_dest_path);
	return own;
}

void
move_add_eject(struct move *m, const char *target)
{
	char **all = realloc(m->ejects, (m->eject_count + 1) * sizeof(*all));

	if (all == NULL)
		abort();
	m->ejects = all;
	all[m->eject_count++] = copy(target);
}

bool
move_has_volumes(const struct move *m)
{
	for (size_t i = 0; i < m->disk_count; i++) {
		if (m->disks[i].created || m->disks[i].layer_created)
			return true;
	}
	return false;
}
