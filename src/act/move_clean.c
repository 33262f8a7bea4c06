/*
 * Volumes that a move has made at its target and that nobody needs, because the
 * guest has stayed.
 *
 * Only what is proven to be ours is removed.  CHECK has seen that there is nothing
 * at those names, and the journal says so before PREPARE is sent.  PREPARE itself
 * refuses a name that is taken and tells which volumes it has made.  What is not
 * told, because the connection or we ourselves ended meanwhile, is ours unless
 * somebody else made an image of that very name in that very moment.  Such
 * a volume is removed only as long as nothing has been written to it: ours is
 * empty, since nothing is copied before PREPARE has answered.  Where an old copy of
 * ours is replaced there is no such doubt: nobody else could have that name, and
 * whether the old or the new image is there, it is ours.  A volume that a guest of
 * the target uses is never removed (hv.h).
 *
 * A target that is lost together with the move must not keep the guest from going
 * elsewhere.  It is waited for, then the move ends, and what is left is noted as a
 * leftover of that host, which is removed when the host is back.
 */
#include "act/move_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

void
move_doubt_volumes(struct move *m)
{
	if (!move_has_begun(m, MOVE_STEP_PREPARE) ||
	    move_has_done(m, MOVE_STEP_PREPARE))
		return;
	for (size_t i = 0; i < m->disk_count; i++) {
		if (m->disks[i].created)
			continue;
		m->disks[i].created = true;
		m->disks[i].unsure = !m->disks[i].replace;
	}
}

bool
move_must_clean(const struct move *m)
{
	return !m->clean_over && move_has_volumes(m);
}

bool
move_is_cleaning_late(struct move *m, struct mono now)
{
	if (m->clean_since.ms == 0)
		m->clean_since = now;
	if (mono_diff(now, m->clean_since) >= MOVE_CLEAN_MS)
		m->clean_over = true;
	return m->clean_over;
}

static void
forget_volumes(struct move *m)
{
	for (size_t i = 0; i < m->disk_count; i++)
		m->disks[i].created = m->disks[i].layer_created = false;
}

/* "images/a.qcow2, images/b.qcow2" */
static void
name_volumes(const struct move *m, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < m->disk_count && n < size; i++) {
		const struct move_disk *d = &m->disks[i];
		const char *pool = d->pool != NULL ? d->pool : "?";

		if (d->created && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s/%s",
			    n > 0 ? ", " : "", pool,
			    d->volume != NULL ? d->volume : d->target);
		if (d->layer_created && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s/%s",
			    n > 0 ? ", " : "", pool,
			    d->layer_volume != NULL ? d->layer_volume
						    : d->target);
	}
}

/* A person has to look: what is there is used, or may be somebody else's. */
static void
leave(struct move *m, const struct err *err, struct move_actions *actions)
{
	char names[160];

	name_volumes(m, names, sizeof(names));
	move_set_remark(m, "left at %s: %s", m->to, names);
	move_add_alarm(actions, "left in the pools of %s: %s; %.250s", m->to,
	    names, err->msg);
	forget_volumes(m);
}

bool
move_cleaned(struct move *m, const struct err *err, struct mono now,
    struct move_actions *actions)
{
	char why[200];

	if (err == NULL) {
		forget_volumes(m);
		return true;
	}
	m->step_failures++;
	if (err->code == ERR_CONFLICT && m->step_failures > 1) {
		leave(m, err, actions);
		return true;
	}
	/* The guest at the target may have changed, no more than that. */
	if (err->code == ERR_CONFLICT) {
		move_observe(m, actions);
		return false;
	}
	if (m->step_failures >= MOVE_REPAIR_TRIES && !move_is_uncertain(err)) {
		move_add_alarm(
		    actions, "%s cannot be cleaned: %.300s", m->to, err->msg);
		m->clean_over = true;
		return true;
	}
	if (move_is_cleaning_late(m, now))
		return true;
	(void)snprintf(
	    why, sizeof(why), "cleaning %.60s: %.110s", m->to, err->msg);
	move_wait(m, MOVE_WAIT_MS, why, now, actions);
	return false;
}
