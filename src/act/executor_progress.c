/*
 * How far a move is, as one number that never goes back.
 *
 * A live move is measured by what is left of memory and disks.  A restart is a
 * row of steps of which only some carry bytes; each has a weight in bytes (what
 * it copies, or what could be copied in the time that it usually takes), so that
 * the bar runs about evenly.  On the way back it stays where it was.
 */
#include "act/executor_priv.h"

#include <stdlib.h>

#define MIB ((int64_t)1 << 20)
#define STEP_BYTES (4 * MIB)       /* a call that answers at once */
#define SHUTDOWN_BYTES (256 * MIB) /* some seconds of a guest's */
#define START_BYTES (64 * MIB)
#define LAYER_BYTES (32 * MIB) /* what is written while a base is copied */

/* ---- percent ---- */

static bool
is_layered(const struct move *m)
{
	return m->was_running && m->disk_count > 0 && m->disks[0].layer != NULL;
}

static int64_t
allocated(const struct move *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->disk_count; i++)
		sum += m->disks[i].allocation > 0 ? m->disks[i].allocation : 0;
	return sum;
}

/* What a step of the way forward weighs; 0: it is not on this way. */
static int64_t
weight(const struct move *m, enum move_step step)
{
	bool disks = m->disk_count > 0, layered = is_layered(m);

	switch (step) {
	case MOVE_STEP_CHECK:
	case MOVE_STEP_PREPARE:
		return disks ? STEP_BYTES : 0;
	case MOVE_STEP_FREEZE:
		return layered ? STEP_BYTES : 0;
	case MOVE_STEP_COPY:
		return layered ? allocated(m) + STEP_BYTES : 0;
	case MOVE_STEP_SHUTDOWN:
		return m->was_running ? SHUTDOWN_BYTES : 0;
	case MOVE_STEP_COPY_REST:
		if (!disks)
			return 0;
		return layered ? LAYER_BYTES : allocated(m) + STEP_BYTES;
	case MOVE_STEP_CARRY:
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_DISARM:
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_AUTOSTART:
		return STEP_BYTES;
	case MOVE_STEP_START:
		return m->was_running ? START_BYTES : 0;
	case MOVE_STEP_MERGE_TARGET:
		return layered ? LAYER_BYTES : 0;
	case MOVE_STEP_NONE:
	case MOVE_STEP_DESTROY:
	case MOVE_STEP_DESTROY_TARGET:
	case MOVE_STEP_UNDEFINE_TARGET:
	case MOVE_STEP_REARM:
	case MOVE_STEP_START_SOURCE:
	case MOVE_STEP_MERGE_SOURCE:
	case MOVE_STEP_CLEAN:
		return 0;
	}
	return 0;
}

/* Bytes that are over, of the images that are copied now. */
static int64_t
copied_now(const struct journey *j)
{
	if (j->copy == NULL)
		return 0;
	return __atomic_load_n(&j->copy->before, __ATOMIC_RELAXED) +
	    __atomic_load_n(&j->copy->done, __ATOMIC_RELAXED);
}

/* How many bytes this copy will be. */
static int64_t
expected_now(const struct journey *j)
{
	const struct move *m = j->move;
	int64_t all, told;

	all =
	    m->step == MOVE_STEP_COPY_REST && is_layered(m) ? 0 : allocated(m);
	told = __atomic_load_n(&j->copy->before, __ATOMIC_RELAXED) +
	    __atomic_load_n(&j->copy->total, __ATOMIC_RELAXED);
	return told > all ? told : all;
}

static int
percent_of_steps(const struct journey *j)
{
	const struct move *m = j->move;
	int64_t total = 0, over = 0, expected;

	for (unsigned s = MOVE_STEP_NONE + 1; s < MOVE_STEP_COUNT; s++) {
		int64_t w = weight(m, (enum move_step)s);

		total += w;
		if (move_has_done(m, (enum move_step)s))
			over += w;
		else if (s == m->step && j->copy != NULL) {
			expected = expected_now(j);
			if (expected > 0)
				over += (int64_t)((double)w *
				    (double)copied_now(j) / (double)expected);
		}
	}
	if (total <= 0)
		return 0;
	return (int)((double)over / (double)total * 99);
}

static int
percent_of_job(const struct hv_job *job)
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
	if (total == 0 || left >= total)
		return 0;
	return (int)(99 - left * 99 / total);
}

/* ---- rate ---- */

int64_t
executor_disk_data(const struct journey *j, int64_t told)
{
	int64_t all = allocated(j->move), total = j->job.disk_total;

	if (told <= 0)
		return 0;
	if (all <= 0 || total <= all)
		return told;
	return (int64_t)((double)told * (double)all / (double)total);
}

void
executor_copied_all(struct journey *j)
{
	int64_t all = executor_disk_data(j, j->job.disk_total);

	if (j->move->strategy != MOVE_RESTART && all > j->plan.copied)
		j->plan.copied = all;
}

int64_t
executor_moved(const struct journey *j)
{
	const struct hv_job *job = &j->job;

	if (j->move->strategy == MOVE_RESTART)
		return j->plan.copied + copied_now(j);
	return (job->memory_done > 0 ? job->memory_done : 0) +
	    executor_disk_data(j, job->disk_done);
}

static void
measure_rate(struct journey *j)
{
	struct mono now = clock_mono_now();
	int64_t moved = executor_moved(j), rate;
	int64_t ms = mono_diff(now, j->moved_seen_at);

	if (j->moved_seen_at.ms != 0 && ms < EXECUTOR_POLL_MS / 2)
		return;
	if (j->moved_seen_at.ms != 0 && moved >= j->moved_seen) {
		rate = (int64_t)((double)(moved - j->moved_seen) * 1000.0 /
		    (double)ms);
		j->rate = j->rate > 0 ? j->rate + (rate - j->rate) / 4 : rate;
	}
	j->moved_seen = moved;
	j->moved_seen_at = now;
}

void
executor_progress(struct journey *j)
{
	int percent = j->move->strategy == MOVE_RESTART
	    ? percent_of_steps(j)
	    : percent_of_job(&j->job);

	if (percent > 99)
		percent = 99;
	if (percent > j->percent && !j->move->back)
		j->percent = percent;
	if (j->job_known || j->copy != NULL)
		measure_rate(j);
}

int64_t
executor_remaining(const struct journey *j)
{
	const struct hv_job *job = &j->job;
	int64_t left;

	if (j->copy != NULL) {
		left = expected_now(j) - copied_now(j);
		return left > 0 ? left : 0;
	}
	if (!j->job_known ||
	    (job->memory_remaining < 0 && job->disk_remaining < 0))
		return -1;
	return (job->memory_remaining > 0 ? job->memory_remaining : 0) +
	    executor_disk_data(j, job->disk_remaining);
}

int64_t
executor_eta(const struct journey *j)
{
	int64_t left = executor_remaining(j);

	if (left < 0 || j->rate <= 0 || (j->copy == NULL && !j->converging) ||
	    left > INT64_MAX / 1000)
		return -1;
	return left * 1000 / j->rate;
}

/* ---- words ---- */

static const char *
step_phase(const struct move *m)
{
	switch (m->step) {
	case MOVE_STEP_NONE:
	case MOVE_STEP_CHECK:
	case MOVE_STEP_PREPARE:
	case MOVE_STEP_FREEZE:
		return "preparing";
	case MOVE_STEP_COPY:
		return "copying disks";
	case MOVE_STEP_SHUTDOWN:
	case MOVE_STEP_DESTROY:
		return "shutting down";
	case MOVE_STEP_COPY_REST:
		return is_layered(m) ? "copying the rest" : "copying disks";
	case MOVE_STEP_CARRY:
	case MOVE_STEP_DEFINE:
	case MOVE_STEP_DISARM:
		return "defining";
	case MOVE_STEP_START:
		return "starting";
	case MOVE_STEP_UNDEFINE_SOURCE:
	case MOVE_STEP_AUTOSTART:
		return "finishing";
	case MOVE_STEP_MERGE_TARGET:
		return "merging";
	case MOVE_STEP_DESTROY_TARGET:
	case MOVE_STEP_UNDEFINE_TARGET:
	case MOVE_STEP_REARM:
	case MOVE_STEP_START_SOURCE:
	case MOVE_STEP_MERGE_SOURCE:
	case MOVE_STEP_CLEAN:
		return "going back";
	}
	return "?";
}

static const char *
job_phase(const struct journey *j)
{
	if (j->plan.postcopy_begun)
		return "post-copy";
	if (j->plan.suspended)
		return "paused, sending the rest";
	if (j->job.iterations > 0 && j->job.disk_remaining <= 0)
		return "pre-copy";
	if (j->move->disk_count > 0 && j->job_known)
		return "copying disks";
	return j->job.iterations > 0 ? "pre-copy" : "preparing";
}

const char *
executor_phase(const struct journey *j)
{
	const struct move *m = j->move;

	switch (m->state) {
	case MOVE_NEW:
		return "preparing";
	case MOVE_STEPPING:
		return step_phase(m);
	case MOVE_PERFORMING:
	case MOVE_FOLLOWING:
		return job_phase(j);
	case MOVE_OBSERVING:
	case MOVE_COLLECTING:
		return m->back ? "going back" : "verifying";
	case MOVE_WAITING:
		return m->asks > 0 && m->step == MOVE_STEP_SHUTDOWN
		    ? "shutting down"
		    : "waiting";
	case MOVE_REPAIRING:
		return "repairing";
	case MOVE_ENDED:
		return "ended";
	}
	return "?";
}

/* ---- downtime ---- */

void
executor_saw_off(struct journey *j)
{
	if (j->plan.off_at.ms == 0)
		j->plan.off_at = clock_wall_now();
}

void
executor_saw_on(struct journey *j)
{
	if (j->plan.off_at.ms != 0 && j->plan.on_at.ms == 0)
		j->plan.on_at = clock_wall_now();
}

int64_t
executor_downtime(const struct journey *j)
{
	if (j->plan.off_at.ms == 0 || j->plan.on_at.ms < j->plan.off_at.ms)
		return -1;
	return j->plan.on_at.ms - j->plan.off_at.ms;
}
