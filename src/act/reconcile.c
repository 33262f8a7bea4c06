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
 * "Lingering" exists because some states pass by themselves within a
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

/* Its QEMU is there and runs the guest, or the guest has put itself to sleep. */
static bool
is_awake(const struct reconcile_side *s)
{
	return is_running(s) || in_state(s, DOMAIN_PMSUSPENDED);
}

static bool
has_reason(const struct reconcile_side *s, enum domain_reason reason)
{
	return s->presence == RECONCILE_PRESENT && s->reason == reason;
}

/* The target's guest has run: it is awake, or its disk failed under it, or, where
 * arriving is starting, somebody has paused it since. */
static bool
has_run(const struct reconcile_view *v)
{
	const struct reconcile_side *d = &v->target;

	if (is_awake(d) || (is_paused(d) && d->reason == DOMAIN_REASON_IOERROR))
		return true;
	return is_paused(d) && !v->strict && d->reason == DOMAIN_REASON_USER;
}

/* It has arrived whole, and waits for us to let it run. */
static bool
has_arrived_paused(const struct reconcile_view *v)
{
	return v->strict && is_paused(&v->target) &&
	    v->target.reason == DOMAIN_REASON_USER;
}

/* The guest ran on without a stop: the target never got its last pages, so it
 * cannot be started there, whatever the target is. */
static bool
never_switched(const struct reconcile_view *v)
{
	return is_running(&v->source) && !v->repaired && !v->took_back &&
	    v->source.job == DOMAIN_JOB_NONE &&
	    v->reason_before != DOMAIN_REASON_MIGRATION_CANCELED &&
	    v->source.reason == v->reason_before;
}

static bool
is_destroyed_by_us(const struct reconcile_view *v)
{
	return v->source_destroyed &&
	    v->source.reason == DOMAIN_REASON_DESTROYED;
}

/*
 * The source has stopped for good, and not after running on.  A definition goes
 * only when all went well; a guest without one vanishes also when it ends.  A
 * daemon that comes back in the last phase of a migration kills what is left and
 * gives a reason that is none of the known ones.
 */
static bool
has_handed_over(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source;

	if (v->confirmed || v->target_ran || (is_absent(s) && v->persistent))
		return true;
	return is_off(s) &&
	    (s->reason == DOMAIN_REASON_MIGRATED || is_destroyed_by_us(v) ||
		(s->reason == DOMAIN_REASON_OTHER && !v->took_back));
}

/* The guest ended at the source by its own wish, or after running on there. */
static bool
has_ended_at_source(const struct reconcile_view *v)
{
	return is_off(&v->source) && !v->confirmed && !is_destroyed_by_us(v) &&
	    (v->source.reason == DOMAIN_REASON_SHUTDOWN ||
		(v->took_back && v->source.reason != DOMAIN_REASON_MIGRATED));
}

#define ROW(n, verdict_, why_) ((struct reconcile_row){(n), (verdict_), (why_)})

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

/* 38 and 40 to 49: the source's guest is stopped by the migration, no job is left. */
static struct reconcile_row
source_stopped_for_migration(const struct reconcile_view *v)
{
	const struct reconcile_side *d = &v->target;

	if (v->target_ran && is_gone_or_off(d))
		return ROW(38, RECONCILE_PERSON,
		    "it was let run at the target, where it is not on any "
		    "more; what is stopped at the source is older than its "
		    "disks");
	if (has_run(v))
		return ROW(40, RECONCILE_DESTROY_SOURCE,
		    "the guest runs at the target; what is left at the source "
		    "must not run again");
	if (is_absent(d) && (v->persistent || v->strict))
		return ROW(41, RECONCILE_RESUME_SOURCE,
		    "the target does not have the guest");
	if (is_absent(d))
		return ROW(45, RECONCILE_PERSON,
		    "the target does not have the guest, which has no "
		    "definition: it may have run there and ended");
	if (is_off(d) && (v->strict || d->reason == DOMAIN_REASON_FAILED))
		return ROW(42, RECONCILE_RESUME_SOURCE,
		    "the guest did not start at the target");
	if (has_arrived_paused(v))
		return ROW(43, RECONCILE_DESTROY_SOURCE,
		    "the guest has arrived, paused; the source goes first");
	if (is_off(d) && d->reason == DOMAIN_REASON_SHUTDOWN)
		return ROW(46, RECONCILE_DESTROY_SOURCE,
		    "the guest ran at the target and has been shut down "
		    "there; what is left at the source is old");
	if (is_off(d))
		return ROW(47, RECONCILE_PERSON,
		    "the guest is stopped at the source and off at the "
		    "target, which does not say whether it ran there; if it "
		    "did not, virsh resume at the source, else virsh destroy "
		    "there");
	if (!v->lingers)
		return ROW(44, RECONCILE_WAIT,
		    "both sides are stopped; waiting for libvirt to settle");
	if (is_paused_for_migration(d))
		return ROW(48, RECONCILE_DESTROY_TARGET,
		    "nobody finishes the migration any more; the target's "
		    "half never ran");
	return ROW(49, RECONCILE_PERSON,
	    "both sides are stopped and neither says which one is newer");
}

/* 50 to 57: the source's guest runs, no job is left. */
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
	if (is_awake(d) && s->reason == DOMAIN_REASON_MIGRATION_CANCELED)
		return ROW(52, RECONCILE_DESTROY_TARGET,
		    "it runs twice: the source had taken it back, so the "
		    "copy at the target ends");
	if (is_awake(d))
		return ROW(53, RECONCILE_PERSON,
		    "it runs on both hosts and neither says why; stop one "
		    "with virsh destroy after looking at both");
	if (is_paused_for_migration(d) && !v->lingers)
		return ROW(54, RECONCILE_WAIT,
		    "it runs at the source; the target is about to drop its "
		    "half");
	if (is_paused(d))
		return ROW(55, RECONCILE_DESTROY_TARGET,
		    "it runs at the source; the target's half is stopped");
	if (!v->lingers)
		return ROW(56, RECONCILE_WAIT, "the target has not settled");
	return ROW(57, RECONCILE_PERSON,
	    "it runs at the source, and the target does not settle");
}

/* 58 to 67: the source has let go of the guest, and the target has it. */
static struct reconcile_row
target_has_it(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;

	if (has_ended_at_source(v))
		return ROW(58, RECONCILE_PERSON,
		    "the guest ended at the source after the source had taken "
		    "it back, and runs at the target from an older state");
	if (is_off(s) && v->persistent && !d->persistent)
		return ROW(59, RECONCILE_PERSON,
		    "it runs at the target without a definition; the only "
		    "one is at the source");
	if (is_paused(d) && d->reason == DOMAIN_REASON_IOERROR)
		return ROW(64, RECONCILE_PERSON,
		    "it arrived, and stopped there on an I/O error of its "
		    "disk");
	if (is_off(s))
		return ROW(60, RECONCILE_UNDEFINE_SOURCE,
		    "it is at the target; the source keeps an old definition");
	if (v->autostart && d->persistent && !d->autostart)
		return ROW(61, RECONCILE_AUTOSTART_TARGET,
		    "libvirt does not carry autostart over");
	if (is_off(d))
		return ROW(67, RECONCILE_MOVED,
		    "it arrived, and has been shut down there since");
	if (is_paused(d))
		return ROW(65, RECONCILE_MOVED,
		    "it arrived, and somebody has paused it there");
	return ROW(62, RECONCILE_MOVED, "it runs at the target");
}

/* 63, 66 and 75 to 79: the source has let go, the target's guest is there but
 * has not run. */
static struct reconcile_row
target_holds_it(const struct reconcile_view *v)
{
	const struct reconcile_side *d = &v->target;

	if (is_paused(d) && has_ended_at_source(v) &&
	    (has_arrived_paused(v) || v->lingers))
		return ROW(75, RECONCILE_DESTROY_TARGET,
		    "the guest ended at the source; the target's half never "
		    "ran and is old");
	if (has_arrived_paused(v) && has_handed_over(v))
		return ROW(63, RECONCILE_RESUME_TARGET,
		    "the source is proven to be stopped");
	if (has_arrived_paused(v))
		return ROW(76, RECONCILE_PERSON,
		    "the guest has arrived, paused, and its source has ended "
		    "without saying whether it ran on before; if it did not, "
		    "virsh resume at the target");
	if (!v->lingers)
		return ROW(66, RECONCILE_WAIT,
		    "the target has not finished taking it");
	return ROW(77, RECONCILE_PERSON,
	    "the source has let go of the guest, and the target does not "
	    "finish taking it");
}

/* 68 to 74 and 78: the source has let go of the guest, and it is off at the target. */
static struct reconcile_row
off_on_both(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;
	bool gave = is_absent(s) || v->confirmed || v->target_ran ||
	    is_destroyed_by_us(v) || s->reason == DOMAIN_REASON_MIGRATED;

	if (is_absent(s) && is_absent(d) && v->persistent)
		return ROW(68, RECONCILE_PERSON,
		    "neither host knows the guest any more; its disks were "
		    "not touched");
	if (is_absent(s) && is_absent(d))
		return ROW(69, RECONCILE_ENDED,
		    "the guest ended, and it was never defined");
	if (gave && is_off(d) && d->reason == DOMAIN_REASON_FAILED)
		return ROW(74, RECONCILE_PERSON,
		    "it was handed over, and the target failed to run it; "
		    "start it there after looking at its QEMU log");
	if (gave && is_off(s) && is_off(d) && d->persistent)
		return ROW(70, RECONCILE_UNDEFINE_SOURCE,
		    "it arrived, and has been shut down there since");
	if (is_absent(s))
		return target_has_it(v);
	if (gave)
		return ROW(71, RECONCILE_PERSON,
		    "the source says it has gone, the target does not have "
		    "it");
	if (is_off(d) && v->copied && !v->strict &&
	    s->reason != DOMAIN_REASON_SHUTDOWN)
		return ROW(78, RECONCILE_PERSON,
		    "it is off on both hosts, each with disks of its own, and "
		    "neither says whether it has run at the target");
	if (is_off(d))
		return ROW(72, RECONCILE_UNDEFINE_TARGET,
		    "the guest stopped at the source during the move");
	return ROW(73, RECONCILE_ENDED,
	    "the guest stopped at the source during the move");
}

/* 80 to 86: the source's guest is neither running nor off, and not stopped by
 * the migration: paused by a person, asleep, or changing. */
static struct reconcile_row
source_halted(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;
	bool still = is_paused(s) || in_state(s, DOMAIN_PMSUSPENDED);
	/* By a pause that came when the migration was over: one that comes
	 * during it, or during a switchover, has migration's own reason. */
	bool ours =
	    v->suspended && is_paused(s) && has_reason(s, DOMAIN_REASON_USER);

	if (ours && is_absent(d))
		return ROW(86, RECONCILE_RESUME_SOURCE,
		    "Drover has paused it for a migration that did not end");
	if (still && is_absent(d))
		return ROW(80, RECONCILE_STAYED,
		    "it is at the source, where it is paused or asleep");
	if (still && is_off(d))
		return ROW(81, RECONCILE_UNDEFINE_TARGET,
		    "it is at the source; the target keeps an empty "
		    "definition");
	if (still && has_run(v))
		return ROW(82, RECONCILE_PERSON,
		    "it is at the target and is paused, not by a migration, "
		    "at the source");
	if (!v->lingers)
		return ROW(83, RECONCILE_WAIT, "the source has not settled");
	if (still && (has_arrived_paused(v) || is_paused_for_migration(d)))
		return ROW(84, RECONCILE_DESTROY_TARGET,
		    "it is at the source, paused or asleep; the target's half "
		    "never ran");
	return ROW(85, RECONCILE_PERSON, "the guest does not settle");
}

struct reconcile_row
reconcile(const struct reconcile_view *v)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;

	if (s->presence == RECONCILE_UNKNOWN ||
	    d->presence == RECONCILE_UNKNOWN)
		return unknown_side(v);
	if (has_reason(s, DOMAIN_REASON_POSTCOPY_FAILED) ||
	    has_reason(d, DOMAIN_REASON_POSTCOPY_FAILED))
		return ROW(20, RECONCILE_PERSON,
		    "post-copy broke: each host holds memory that the other "
		    "lacks; resume the migration, destroy neither");
	if (has_reason(s, DOMAIN_REASON_POSTCOPY) ||
	    (has_reason(d, DOMAIN_REASON_POSTCOPY) && !is_gone_or_off(s)))
		return ROW(21, RECONCILE_FOLLOW, "post-copy is under way");
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
	if (!is_gone_or_off(s))
		return source_halted(v);
	if (is_gone_or_off(d))
		return off_on_both(v);
	return has_run(v) ? target_has_it(v) : target_holds_it(v);
}

bool
reconcile_needs_second_look(enum reconcile_verdict verdict)
{
	switch (verdict) {
	case RECONCILE_RESUME_SOURCE:
	case RECONCILE_DESTROY_TARGET:
	case RECONCILE_DESTROY_SOURCE:
	case RECONCILE_UNDEFINE_TARGET:
	case RECONCILE_UNDEFINE_SOURCE:
	case RECONCILE_ENDED:
	case RECONCILE_PERSON:
		return true;
	case RECONCILE_WAIT:
	case RECONCILE_FOLLOW:
	/* A source that has let go stays so, the target is looked at again right
	 * before it is resumed, and each look would be downtime. */
	case RECONCILE_RESUME_TARGET:
	case RECONCILE_AUTOSTART_TARGET:
	case RECONCILE_MOVED:
	case RECONCILE_STAYED:
		return false;
	}
	return true;
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
