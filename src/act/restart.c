/*
 * The restart table.
 *
 * The rule that keeps a guest from running twice: it is started at the target only
 * after a look in which it is off at the source and defined and off at the target.
 * From the moment that the journal says that this start may have been sent, it is
 * never started at the source again, unless its definition at the target has
 * been removed by us and then seen to be gone in two looks that both hosts
 * answered: then a start call that is stuck somewhere finds nothing to start.  And
 * if it is found to run at the target, that is the truth, on either way.
 *
 * The rule that keeps its disks: what the target has counts only as long as the
 * source was seen to be off, without a gap, since it was copied.  A guest that runs
 * at the source again makes the copy old, and the way leads back.
 *
 * The rows are tried from the top, the first that fits wins; what no row covers is
 * for a person.
 */
#include "act/restart.h"

#define ROW(n, verdict_, step_, why_)                                          \
	((struct restart_row){                                                 \
	    (n), RESTART_##verdict_, MOVE_STEP_##step_, false, (why_)})
#define TWICE(n, verdict_, step_, why_)                                        \
	((struct restart_row){                                                 \
	    (n), RESTART_##verdict_, MOVE_STEP_##step_, true, (why_)})

static bool
has_begun(const struct restart_view *v, enum move_step step)
{
	return (v->begun & 1U << step) != 0;
}

static bool
has_done(const struct restart_view *v, enum move_step step)
{
	return (v->done & 1U << step) != 0;
}

static bool
is_absent(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_ABSENT;
}

static bool
is_off(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT && s->state == DOMAIN_SHUTOFF;
}

/* It has, or may have, a QEMU there. */
static bool
is_active(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT && s->state != DOMAIN_SHUTOFF;
}

static bool
is_up(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT &&
	    (s->state == DOMAIN_RUNNING || s->state == DOMAIN_BLOCKED ||
		s->state == DOMAIN_PMSUSPENDED ||
		(s->state == DOMAIN_PAUSED && s->reason == DOMAIN_REASON_USER));
}

/* The disks that it has at the target were taken from a guest that was off. */
static bool
took_rest(const struct restart_view *v)
{
	return has_begun(v, MOVE_STEP_COPY_REST) ||
	    has_begun(v, MOVE_STEP_CARRY) || has_begun(v, MOVE_STEP_DEFINE);
}

/* It stays off there: so it was, or so its owner wants it. */
static bool
stays_off(const struct restart_view *v)
{
	return !v->was_running || v->owner_ended;
}

/* What is at the target under its UUID was there before us. */
static bool
is_foreign(const struct restart_view *v)
{
	return v->target.presence == RECONCILE_PRESENT &&
	    !has_begun(v, MOVE_STEP_DEFINE);
}

/* 40 to 46: it is at the target for good. */
static struct restart_row
finish(const struct restart_view *v)
{
	if (is_absent(&v->target))
		return TWICE(45, PERSON, NONE,
		    "it was at the target, and the target does not know it any "
		    "more");
	if (is_off(&v->source) && !has_done(v, MOVE_STEP_UNDEFINE_SOURCE))
		return ROW(40, STEP, UNDEFINE_SOURCE,
		    "it is at the target; the source keeps an old definition");
	if (has_begun(v, MOVE_STEP_FREEZE) &&
	    !has_done(v, MOVE_STEP_MERGE_TARGET))
		return ROW(41, STEP, MERGE_TARGET,
		    "its layers are not needed any more");
	if (v->autostart && !v->target.autostart &&
	    !has_done(v, MOVE_STEP_AUTOSTART))
		return ROW(42, STEP, AUTOSTART, "it starts with its host");
	return ROW(43, DONE, NONE, "it is at the target");
}

/* 22 to 35: there is a QEMU of it at the target, and it is the one that we have
 * defined. */
static struct restart_row
target_active(const struct restart_view *v)
{
	const struct reconcile_side *d = &v->target;

	if (is_active(&v->source) && v->verified)
		return TWICE(22, STEP, DESTROY,
		    "it runs twice: it was started at the source after it had "
		    "moved, from disks that are old");
	if (is_active(&v->source) && !v->back)
		return TWICE(23, BACK, NONE,
		    "it runs twice: it was started at the source while it was "
		    "started at the target");
	if (is_active(&v->source))
		return TWICE(26, STEP, DESTROY_TARGET,
		    "it runs twice, and the copy at the target is the younger "
		    "one");
	if (v->back)
		return ROW(30, FORWARD, NONE,
		    "it runs at the target, so it stays there");
	if (!d->persistent)
		return ROW(34, STEP, DEFINE,
		    "it runs at the target without a definition");
	if (v->verified)
		return finish(v);
	if (is_up(d))
		return ROW(35, VERIFY, NONE, "it runs at the target");
	if (d->state == DOMAIN_PAUSED && d->reason == DOMAIN_REASON_IOERROR)
		return TWICE(31, PERSON, NONE,
		    "it was started at the target, and stopped there on an I/O "
		    "error of its disk");
	if (!v->lingers)
		return ROW(32, WAIT, NONE, "it is being started at the target");
	return TWICE(33, PERSON, NONE,
	    "it was started at the target, and does not come up there");
}

/* 50 to 57: it is on at the source, the way is forward. */
static struct restart_row
source_active(const struct restart_view *v)
{
	if (!v->was_running)
		return ROW(24, BACK, NONE,
		    "somebody has started it at the source meanwhile");
	if (took_rest(v))
		return ROW(25, BACK, NONE,
		    "it was started at the source again after it had been "
		    "shut down");
	if (v->copies && !has_done(v, MOVE_STEP_CHECK))
		return ROW(50, STEP, CHECK,
		    "is there room for its images under their names");
	if (v->copies && !has_done(v, MOVE_STEP_PREPARE))
		return ROW(51, STEP, PREPARE, "its images need volumes");
	if (v->copies && !has_done(v, MOVE_STEP_FREEZE))
		return ROW(52, STEP, FREEZE,
		    "what is copied while it runs must not change");
	if (v->copies && !has_done(v, MOVE_STEP_COPY))
		return ROW(53, STEP, COPY, "its images, while it runs");
	if (v->shutdown_over && v->force_off)
		return ROW(55, STEP, DESTROY,
		    "it did not shut down in time, and may be cut off");
	if (v->shutdown_over)
		return ROW(56, BACK, NONE, "it did not shut down in time");
	if (v->ask_due)
		return ROW(54, STEP, SHUTDOWN, "it is asked to shut down");
	return ROW(57, WAIT, NONE, "it is shutting down");
}

/* 60 to 69: it is off at the source, and not on at the target; forward. */
static struct restart_row
source_off(const struct restart_view *v)
{
	const struct reconcile_side *d = &v->target;

	if (has_begun(v, MOVE_STEP_START) && is_absent(d))
		return TWICE(63, PERSON, NONE,
		    "it may have been started at the target, and the target "
		    "does not know it any more");
	if (has_begun(v, MOVE_STEP_START) &&
	    (stays_off(v) || d->reason == DOMAIN_REASON_SHUTDOWN ||
		d->reason == DOMAIN_REASON_DESTROYED))
		return TWICE(60, VERIFY, NONE,
		    "it ran at the target and was ended there");
	if (has_begun(v, MOVE_STEP_START) && v->may_start)
		return ROW(
		    61, STEP, START, "it is off at the target, once more");
	if (has_begun(v, MOVE_STEP_START))
		return TWICE(
		    62, BACK, NONE, "it does not stay up at the target");
	if (is_absent(&v->source) && !has_done(v, MOVE_STEP_DEFINE))
		return TWICE(69, PERSON, NONE,
		    "somebody has removed its definition at the source; its "
		    "images there were not touched");
	if (v->copies && !has_done(v, MOVE_STEP_CHECK))
		return ROW(50, STEP, CHECK,
		    "is there room for its images under their names");
	if (v->copies && !has_done(v, MOVE_STEP_PREPARE))
		return ROW(51, STEP, PREPARE, "its images need volumes");
	if (has_begun(v, MOVE_STEP_FREEZE) && !has_done(v, MOVE_STEP_FREEZE))
		return ROW(58, BACK, NONE,
		    "it ended while layers were put on its images");
	if (has_done(v, MOVE_STEP_FREEZE) && !has_done(v, MOVE_STEP_COPY))
		return ROW(53, STEP, COPY, "its images, which are frozen");
	if (v->copies && !has_done(v, MOVE_STEP_COPY_REST))
		return ROW(64, STEP, COPY_REST,
		    "it is off: what is left of its images");
	if (!has_done(v, MOVE_STEP_CARRY))
		return ROW(65, STEP, CARRY, "what is kept of it beside disks");
	if (is_absent(d) && has_begun(v, MOVE_STEP_UNDEFINE_SOURCE))
		return TWICE(68, PERSON, NONE,
		    "its definition at the target has vanished");
	if (is_absent(d) || !has_done(v, MOVE_STEP_DEFINE))
		return ROW(66, STEP, DEFINE, "the target gets to know it");
	if (is_off(&v->source) && v->source.autostart)
		return ROW(67, STEP, DISARM,
		    "it must not start with the source any more");
	if (stays_off(v))
		return finish(v);
	return ROW(61, STEP, START,
	    "it is off at the source, and defined and off at the target");
}

/* Its definition, or what CARRY takes along, is at the target. */
static bool
is_brought(const struct restart_view *v)
{
	return !is_foreign(v) &&
	    (has_begun(v, MOVE_STEP_CARRY) || has_begun(v, MOVE_STEP_DEFINE)) &&
	    !has_done(v, MOVE_STEP_UNDEFINE_TARGET);
}

/* 71 to 79: the way back, it is at the source as it should be. */
static struct restart_row
clean_up(const struct restart_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;

	if (is_brought(v) && (is_off(d) || is_absent(d)))
		return TWICE(71, STEP, UNDEFINE_TARGET,
		    "it is at the source; the target keeps a definition, or "
		    "what belongs to one");
	if (has_begun(v, MOVE_STEP_DISARM) && v->autostart && !s->autostart &&
	    !has_done(v, MOVE_STEP_REARM))
		return ROW(73, STEP, REARM, "it starts with the source again");
	if (has_begun(v, MOVE_STEP_FREEZE) &&
	    !has_done(v, MOVE_STEP_MERGE_SOURCE))
		return ROW(74, STEP, MERGE_SOURCE,
		    "its layers are not needed any more");
	if (d->presence == RECONCILE_UNKNOWN && !v->late &&
	    (v->volumes || is_brought(v)))
		return ROW(79, WAIT, NONE,
		    "it is at the source; the target, which is to be cleaned, "
		    "does not answer");
	if (d->presence != RECONCILE_UNKNOWN && v->volumes)
		return ROW(75, STEP, CLEAN,
		    "it is at the source; volumes of this move are at the "
		    "target");
	if (v->grace)
		return ROW(76, WAIT, NONE,
		    "it was asked to shut down a moment ago and may still do "
		    "so");
	/* The second look is begun when it can not obey any more. */
	return TWICE(77, UNDONE, NONE, "it is at the source");
}

/* 21 and 70 to 78: the way back, it is not on at the target, or the target cannot
 * know it. */
static struct restart_row
way_back(const struct restart_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;

	if (is_absent(s))
		return TWICE(70, PERSON, NONE,
		    "somebody has removed its definition at the source; its "
		    "images there were not touched");
	if (is_active(s) || stays_off(v) || has_done(v, MOVE_STEP_START_SOURCE))
		return clean_up(v);
	if (is_foreign(v) && is_active(d))
		return TWICE(21, PERSON, NONE,
		    "it is off at the source, and runs at the target though "
		    "nobody has moved it there");
	if (has_begun(v, MOVE_STEP_START) && is_off(d))
		return TWICE(71, STEP, UNDEFINE_TARGET,
		    "before it is started at the source the target must not be "
		    "able to");
	if (has_begun(v, MOVE_STEP_START) &&
	    !has_begun(v, MOVE_STEP_UNDEFINE_TARGET))
		return TWICE(78, PERSON, NONE,
		    "it may have been started at the target, and the target "
		    "does not know it any more");
	return (struct restart_row){72, RESTART_STEP, MOVE_STEP_START_SOURCE,
	    has_begun(v, MOVE_STEP_START),
	    "it runs nowhere; back to the source"};
}

/* 10 to 13: one of the hosts does not answer. */
static struct restart_row
unknown_side(const struct restart_view *v)
{
	if (v->source.presence == RECONCILE_UNKNOWN)
		return ROW(10, WAIT, NONE,
		    "the source does not answer; until it does nobody knows "
		    "whether the guest runs there");
	if (v->back && !has_begun(v, MOVE_STEP_DEFINE))
		return way_back(v);
	if (!v->back && !has_begun(v, MOVE_STEP_DEFINE) && v->lingers)
		return ROW(13, BACK, NONE, "the target does not answer");
	if (!v->back && !v->verified && is_active(&v->source) && took_rest(v))
		return ROW(25, BACK, NONE,
		    "it was started at the source again after it had been "
		    "shut down");
	return ROW(11, WAIT, NONE, "the target does not answer");
}

struct restart_row
restart_next(const struct restart_view *v)
{
	if (v->source.presence == RECONCILE_UNKNOWN ||
	    v->target.presence == RECONCILE_UNKNOWN)
		return unknown_side(v);
	if (is_foreign(v) && !v->back)
		return ROW(20, BACK, NONE,
		    "the target has a guest with its UUID already");
	if (is_active(&v->target) && !is_foreign(v))
		return target_active(v);
	if (v->verified && is_active(&v->source))
		return TWICE(46, PERSON, NONE,
		    "it has moved and was shut down at the target, and was "
		    "started at the source, from disks that are old");
	if (v->verified)
		return finish(v);
	if (v->back)
		return way_back(v);
	if (is_active(&v->source))
		return source_active(v);
	return source_off(v);
}
