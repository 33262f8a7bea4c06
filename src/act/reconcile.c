/*
 * The reconciliation table.
 *
 * libvirt tells three things about a guest on a host: whether it is there, its
 * state with the reason, and whether a job holds it.  After a migration call
 * ended in any way, or after a crash of anything, those of both hosts together tell
 * who owns the guest.  The rows below are tried from the top, the first that fits
 * wins, and what no row covers is for a person: nothing is guessed, and a guest
 * is never started on one side while it may run on the other.
 *
 * Rows about "lingering" exist because some states pass by themselves within a
 * second or two (an incoming guest whose source vanished is destroyed by its
 * libvirt); they are left to pass first.
 */
#include "act/reconcile.h"

static bool
is_absent(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_ABSENT;
}

static bool
in_state(const struct reconcile_side *s, enum domain_state state)
{
	return s->presence == RECONCILE_PRESENT && s->state == state;
}

static bool
is_running(const struct reconcile_side *s)
{
	return in_state(s, DOMAIN_RUNNING) || in_state(s, DOMAIN_BLOCKED);
}

static bool
is_off(const struct reconcile_side *s)
{
	return in_state(s, DOMAIN_SHUTOFF) || in_state(s, DOMAIN_CRASHED);
}

static bool
is_gone_or_off(const struct reconcile_side *s)
{
	return is_absent(s) || is_off(s);
}

static bool
is_paused(const struct reconcile_side *s)
{
	return in_state(s, DOMAIN_PAUSED);
}

static bool
is_paused_for_migration(const struct reconcile_side *s)
{
	return is_paused(s) && s->reason == DOMAIN_REASON_MIGRATION;
}

static bool
has_postcopy(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT &&
	    (s->reason == DOMAIN_REASON_POSTCOPY ||
	    s->reason == DOMAIN_REASON_POSTCOPY_FAILED);
}

/* The guest ran on without a stop: the target never got its last pages, so it
 * cannot be started there, whatever the target is. */
static bool
never_switched(const struct reconcile_view *v)
{
	return is_running(&v->source) &&
	    v->source.job == DOMAIN_JOB_NONE &&
	    v->reason_before != DOMAIN_REASON_MIGRATION_CANCELED &&
	    v->source.reason == v->reason_before;
}

#define ROW(n, verdict_, why_) \
	((struct reconcile_row){ (n), (verdict_), (why_) })

/* 10 to 19: one of the hosts does not answer. */
static struct reconcile_row
unknown_side(const struct reconcile_view *v)
{
	if (v->source.presence == RECONCILE_PRESENT &&
	    v->source.job == DOMAIN_JOB_ACTIVE)
		return ROW(10, RECONCILE_FOLLOW, "the migration is running");
	if (v->target.presence == RECONCILE_UNKNOWN && never_switched(v))
		return ROW(11, RECONCILE_STAYED,
		    "it was never stopped at the source, so the target, "
		    "which does not answer, cannot run it");
	if (v->source.presence == RECONCILE_UNKNOWN)
		return ROW(12, RECONCILE_WAIT,
		    "the source does not answer; until it does nobody knows "
		    "whether the guest runs there");
	return ROW(13, RECONCILE_WAIT,
	    "the target does not answer; until it does nobody knows "
	    "whether the guest runs there");
}

/* 40 to 49: the source's guest is stopped by the migration, no job is left. */
static struct reconcile_row
source_stopped_for_migration(const struct reconcile_view *v)
{
	const struct reconcile_side *d = &v->target;

	if (is_running(d))
		return ROW(40, RECONCILE_DESTROY_SOURCE,
		    "the guest runs at the target; what is left at the source "
		    "must not run again");
	if (is_absent(d))
		return ROW(41, RECONCILE_RESUME_SOURCE,
		    "the target does not have the guest");
	if (is_off(d))
		return ROW(42, RECONCILE_RESUME_SOURCE,
		    "the guest did not start at the target");
	if (is_paused(d) && !is_paused_for_migration(d) && v->strict)
		return ROW(43, RECONCILE_DESTROY_SOURCE,
		    "the guest has arrived, paused; the source goes first");
	return ROW(44, RECONCILE_WAIT,
	    "both sides are stopped; waiting for libvirt to settle");
}

/* 50 to 59: the source's guest runs, no job is left. */
static struct reconcile_row
source_runs(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;

	if (is_absent(d))
		return ROW(50, RECONCILE_STAYED, "it runs at the source");
	if (is_off(d))
		return ROW(51, RECONCILE_UNDEFINE_TARGET,
		    "it runs at the source; the target keeps an empty "
		    "definition");
	if (is_running(d) && s->reason == DOMAIN_REASON_MIGRATION_CANCELED)
		return ROW(52, RECONCILE_DESTROY_TARGET,
		    "it runs twice: the source had taken it back, so the "
		    "copy at the target ends");
	if (is_running(d))
		return ROW(53, RECONCILE_PERSON,
		    "it runs on both hosts and neither says why; stop one "
		    "with virsh destroy after looking at both");
	if (is_paused_for_migration(d) && !v->target_lingers)
		return ROW(54, RECONCILE_WAIT,
		    "it runs at the source; the target is about to drop its "
		    "half");
	if (is_paused(d))
		return ROW(55, RECONCILE_DESTROY_TARGET,
		    "it runs at the source; the target's half never ran");
	return ROW(56, RECONCILE_WAIT, "the target has not settled");
}

/* 60 to 69: the source has let go of the guest, or never runs it again. */
static struct reconcile_row
source_let_go(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;
	bool migrated = is_off(s) && s->reason == DOMAIN_REASON_MIGRATED;

	if (is_running(d)) {
		if (is_off(s) && v->persistent && !d->persistent)
			return ROW(59, RECONCILE_PERSON,
			    "it runs at the target without a definition; the "
			    "only one is at the source");
		if (is_off(s))
			return ROW(60, RECONCILE_UNDEFINE_SOURCE,
			    "it runs at the target; the source keeps an old "
			    "definition");
		if (v->autostart && d->persistent && !d->autostart)
			return ROW(61, RECONCILE_AUTOSTART_TARGET,
			    "libvirt does not carry autostart over");
		return ROW(62, RECONCILE_MOVED, "it runs at the target");
	}
	if (is_paused(d) && !is_paused_for_migration(d)) {
		if (v->strict && (is_absent(s) || migrated))
			return ROW(63, RECONCILE_RESUME_TARGET,
			    "the source is proven to be stopped");
		if (d->reason == DOMAIN_REASON_IOERROR)
			return ROW(64, RECONCILE_PERSON,
			    "it arrived, and stopped there on an I/O error of "
			    "its disk");
		return ROW(65, RECONCILE_MOVED,
		    "it arrived, and somebody has paused it there");
	}
	if (is_paused_for_migration(d))
		return ROW(66, v->target_lingers ? RECONCILE_PERSON :
		    RECONCILE_WAIT, "the target has not finished taking it");
	if (is_absent(s) && is_off(d) && d->reason == DOMAIN_REASON_FAILED)
		return ROW(74, RECONCILE_PERSON,
		    "it was handed over, and the target failed to run it; "
		    "start it there after looking at its QEMU log");
	if (is_absent(s) && is_off(d))
		return ROW(67, RECONCILE_MOVED,
		    "it arrived, and has been shut down there since");
	if (is_absent(s) && is_absent(d)) {
		if (v->persistent)
			return ROW(68, RECONCILE_PERSON,
			    "neither host knows the guest any more; its disks "
			    "were not touched");
		return ROW(69, RECONCILE_ENDED,
		    "the guest ended, and it was never defined");
	}
	if (migrated && is_off(d) && d->persistent &&
	    d->reason != DOMAIN_REASON_FAILED)
		return ROW(70, RECONCILE_UNDEFINE_SOURCE,
		    "it arrived, and has been shut down there since");
	if (migrated)
		return ROW(71, RECONCILE_PERSON,
		    "the source says it has gone, the target does not have "
		    "it running");
	if (is_off(s) && is_off(d))
		return ROW(72, RECONCILE_UNDEFINE_TARGET,
		    "the guest stopped at the source during the move");
	return ROW(73, RECONCILE_ENDED,
	    "the guest stopped at the source during the move");
}

struct reconcile_row
reconcile(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;

	if (s->presence == RECONCILE_UNKNOWN ||
	    d->presence == RECONCILE_UNKNOWN)
		return unknown_side(v);
	if (has_postcopy(s) || has_postcopy(d)) {
		if (s->presence == RECONCILE_PRESENT &&
		    s->reason == DOMAIN_REASON_POSTCOPY_FAILED)
			return ROW(20, RECONCILE_PERSON,
			    "post-copy broke: each host holds memory that "
			    "the other lacks; resume the migration, destroy "
			    "neither");
		return ROW(21, RECONCILE_FOLLOW, "post-copy is under way");
	}
	if (s->presence == RECONCILE_PRESENT && s->job == DOMAIN_JOB_ACTIVE)
		return ROW(30, RECONCILE_FOLLOW, "the migration is running");
	if (s->presence == RECONCILE_PRESENT && !is_off(s) &&
	    s->job == DOMAIN_JOB_UNKNOWN)
		return ROW(31, RECONCILE_WAIT,
		    "the source does not say whether the job has ended");
	if (is_paused_for_migration(s))
		return source_stopped_for_migration(v);
	if (is_running(s))
		return source_runs(v);
	if (is_gone_or_off(s))
		return source_let_go(v);
	if (is_paused(s) && is_absent(d))
		return ROW(80, RECONCILE_STAYED,
		    "it is at the source, where somebody has paused it");
	if (is_paused(s) && is_off(d))
		return ROW(81, RECONCILE_UNDEFINE_TARGET,
		    "it is at the source; the target keeps an empty "
		    "definition");
	if (is_paused(s) && is_running(d))
		return ROW(82, RECONCILE_PERSON,
		    "it runs at the target and is paused, not by a "
		    "migration, at the source");
	return ROW(83, RECONCILE_WAIT, "the source has not settled");
}

const char *
reconcile_verdict_name(enum reconcile_verdict verdict)
{
	switch (verdict) {
	case RECONCILE_WAIT:
		return "wait";
	case RECONCILE_FOLLOW:
		return "follow";
	case RECONCILE_RESUME_TARGET:
		return "resume-target";
	case RECONCILE_RESUME_SOURCE:
		return "resume-source";
	case RECONCILE_DESTROY_TARGET:
		return "destroy-target";
	case RECONCILE_DESTROY_SOURCE:
		return "destroy-source";
	case RECONCILE_UNDEFINE_TARGET:
		return "undefine-target";
	case RECONCILE_UNDEFINE_SOURCE:
		return "undefine-source";
	case RECONCILE_AUTOSTART_TARGET:
		return "autostart-target";
	case RECONCILE_MOVED:
		return "moved";
	case RECONCILE_STAYED:
		return "stayed";
	case RECONCILE_ENDED:
		return "ended";
	case RECONCILE_PERSON:
		return "person";
	}
	return "?";
}
