/*
 * The restart table: one entry per row of act/restart.c, with the same numbers, and
 * what must hold for every view that there is.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "act/restart.h"

#define UNKNOWN                                                                \
	{                                                                      \
		.presence = RECONCILE_UNKNOWN                                  \
	}
#define ABSENT                                                                 \
	{                                                                      \
		.presence = RECONCILE_ABSENT                                   \
	}
#define IS(s, r)                                                               \
	{                                                                      \
		.presence = RECONCILE_PRESENT, .state = DOMAIN_##s,            \
		.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_NONE,           \
		.persistent = true                                             \
	}
#define TRANSIENT(s, r)                                                        \
	{                                                                      \
		.presence = RECONCILE_PRESENT, .state = DOMAIN_##s,            \
		.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_NONE            \
	}
#define AUTOSTARTED(s, r)                                                      \
	{                                                                      \
		.presence = RECONCILE_PRESENT, .state = DOMAIN_##s,            \
		.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_NONE,           \
		.persistent = true, .autostart = true                          \
	}

#define B(step) (1U << MOVE_STEP_##step)
/* Up to, and with, this step on the way there. */
#define CHECKED B(CHECK)
#define PREPARED (CHECKED | B(PREPARE))
#define FROZEN (PREPARED | B(FREEZE))
#define COPIED (FROZEN | B(COPY))
#define ASKED (COPIED | B(SHUTDOWN))
#define RESTED (ASKED | B(COPY_REST))
#define CARRIED (RESTED | B(CARRY))
#define DEFINED (CARRIED | B(DEFINE))
#define DISARMED (DEFINED | B(DISARM))
#define STARTED (DISARMED | B(START))
#define UNDEFINED (STARTED | B(UNDEFINE_SOURCE))
#define MERGED (UNDEFINED | B(MERGE_TARGET))
/* Without disks. */
#define PLAIN (B(SHUTDOWN) | B(CARRY) | B(DEFINE) | B(DISARM))
/* That was off. */
#define COLD (PREPARED | B(COPY_REST) | B(CARRY) | B(DEFINE) | B(DISARM))

enum {
	OFF = 1, /* when it began */
	AUTOSTART = 2,
	OWNER = 4,
	FORCE = 8,
	BACK = 16,
	VERIFIED = 32,
	VOLUMES = 64,
	TIRED = 128, /* of starting it */
	DUE = 256,
	OVER = 512,
	GRACE = 1024,
	LATE = 2048,
	LINGERS = 4096,
	NO_DISKS = 8192,
	TWICE = 16384 /* the row needs two looks */
};

static const struct entry {
	int row;
	enum restart_verdict verdict;
	enum move_step step;
	struct reconcile_side source, target;
	unsigned begun, done;
	int flags;
} entries[] = {
    /* One of the hosts does not answer. */
    {10, RESTART_WAIT, 0, UNKNOWN, ABSENT, 0, 0, LINGERS},
    {10, RESTART_WAIT, 0, UNKNOWN, IS(RUNNING, OTHER), STARTED, STARTED,
	VERIFIED},
    {10, RESTART_WAIT, 0, UNKNOWN, UNKNOWN, DEFINED, DEFINED, BACK},
    {11, RESTART_WAIT, 0, IS(RUNNING, OTHER), UNKNOWN, COPIED, COPIED, 0},
    {11, RESTART_WAIT, 0, IS(SHUTOFF, SHUTDOWN), UNKNOWN, DEFINED, DEFINED,
	BACK | LINGERS},
    {11, RESTART_WAIT, 0, IS(SHUTOFF, SHUTDOWN), UNKNOWN, STARTED, DISARMED,
	LINGERS},
    {11, RESTART_WAIT, 0, IS(RUNNING, OTHER), UNKNOWN, UNDEFINED, STARTED,
	VERIFIED},
    {13, RESTART_BACK, 0, IS(RUNNING, OTHER), UNKNOWN, COPIED, COPIED, LINGERS},
    {13, RESTART_BACK, 0, IS(SHUTOFF, SHUTDOWN), UNKNOWN, RESTED, ASKED,
	LINGERS},
    {72, RESTART_STEP, MOVE_STEP_START_SOURCE, IS(SHUTOFF, SHUTDOWN), UNKNOWN,
	RESTED, ASKED, BACK},
    {79, RESTART_WAIT, 0, IS(RUNNING, OTHER), UNKNOWN, PREPARED, PREPARED,
	BACK | VOLUMES},
    {79, RESTART_WAIT, 0, IS(RUNNING, OTHER), UNKNOWN, B(CARRY), 0,
	BACK | NO_DISKS},
    {77, RESTART_UNDONE, 0, IS(RUNNING, OTHER), UNKNOWN, PREPARED, PREPARED,
	BACK | LATE | TWICE},

    /* What is there is not ours. */
    {20, RESTART_BACK, 0, IS(RUNNING, OTHER), IS(SHUTOFF, OTHER), COPIED,
	COPIED, 0},
    {20, RESTART_BACK, 0, IS(RUNNING, OTHER), IS(RUNNING, OTHER), 0, 0, 0},
    {21, RESTART_PERSON, 0, IS(SHUTOFF, SHUTDOWN), IS(RUNNING, OTHER), RESTED,
	RESTED, BACK | TWICE},
    {75, RESTART_STEP, MOVE_STEP_CLEAN, IS(RUNNING, OTHER), IS(RUNNING, OTHER),
	PREPARED, PREPARED, BACK | VOLUMES},

    /* It runs twice. */
    {22, RESTART_STEP, MOVE_STEP_DESTROY, IS(RUNNING, OTHER),
	IS(RUNNING, OTHER), STARTED, STARTED, VERIFIED | TWICE},
    {23, RESTART_BACK, 0, IS(RUNNING, OTHER), IS(RUNNING, OTHER), STARTED,
	DISARMED, TWICE},
    {26, RESTART_STEP, MOVE_STEP_DESTROY_TARGET, IS(RUNNING, OTHER),
	IS(RUNNING, OTHER), STARTED, DISARMED, BACK | TWICE},

    /* Started again at the source. */
    {24, RESTART_BACK, 0, IS(RUNNING, OTHER), ABSENT, PREPARED, PREPARED, OFF},
    {25, RESTART_BACK, 0, IS(RUNNING, OTHER), ABSENT, RESTED, ASKED, 0},
    {25, RESTART_BACK, 0, IS(RUNNING, OTHER), IS(SHUTOFF, OTHER), STARTED,
	DISARMED, 0},
    {25, RESTART_BACK, 0, IS(PAUSED, USER), IS(SHUTOFF, OTHER), PLAIN, PLAIN,
	NO_DISKS},
    {25, RESTART_BACK, 0, IS(RUNNING, OTHER), UNKNOWN, DEFINED, DEFINED, 0},

    /* It is on at the target. */
    {30, RESTART_FORWARD, 0, IS(SHUTOFF, SHUTDOWN), IS(RUNNING, OTHER), STARTED,
	DISARMED, BACK},
    {30, RESTART_FORWARD, 0, IS(SHUTOFF, SHUTDOWN), TRANSIENT(RUNNING, OTHER),
	STARTED | B(UNDEFINE_TARGET), DISARMED, BACK},
    {31, RESTART_PERSON, 0, IS(SHUTOFF, SHUTDOWN), IS(PAUSED, IOERROR), STARTED,
	DISARMED, TWICE},
    {32, RESTART_WAIT, 0, IS(SHUTOFF, SHUTDOWN), IS(PAUSED, OTHER), STARTED,
	DISARMED, 0},
    {33, RESTART_PERSON, 0, IS(SHUTOFF, SHUTDOWN), IS(PAUSED, OTHER), STARTED,
	DISARMED, LINGERS | TWICE},
    {34, RESTART_STEP, MOVE_STEP_DEFINE, IS(SHUTOFF, SHUTDOWN),
	TRANSIENT(RUNNING, OTHER), STARTED, DISARMED, 0},
    {35, RESTART_VERIFY, 0, IS(SHUTOFF, SHUTDOWN), IS(RUNNING, OTHER), STARTED,
	DISARMED, 0},
    {35, RESTART_VERIFY, 0, ABSENT, IS(PAUSED, USER), STARTED, DISARMED, 0},

    /* It is there for good. */
    {40, RESTART_STEP, MOVE_STEP_UNDEFINE_SOURCE, IS(SHUTOFF, SHUTDOWN),
	IS(RUNNING, OTHER), STARTED, STARTED, VERIFIED},
    {40, RESTART_STEP, MOVE_STEP_UNDEFINE_SOURCE, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, SHUTDOWN), STARTED, STARTED, VERIFIED},
    {40, RESTART_STEP, MOVE_STEP_UNDEFINE_SOURCE, IS(SHUTOFF, OTHER),
	IS(SHUTOFF, OTHER), COLD, COLD, OFF},
    {40, RESTART_STEP, MOVE_STEP_UNDEFINE_SOURCE, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, OTHER), DISARMED, DISARMED, OWNER},
    {41, RESTART_STEP, MOVE_STEP_MERGE_TARGET, ABSENT, IS(RUNNING, OTHER),
	UNDEFINED, UNDEFINED, VERIFIED},
    {41, RESTART_STEP, MOVE_STEP_MERGE_TARGET, IS(SHUTOFF, SHUTDOWN),
	IS(RUNNING, OTHER), UNDEFINED, UNDEFINED, VERIFIED},
    {42, RESTART_STEP, MOVE_STEP_AUTOSTART, ABSENT, IS(RUNNING, OTHER), MERGED,
	MERGED, VERIFIED | AUTOSTART},
    {42, RESTART_STEP, MOVE_STEP_AUTOSTART, ABSENT, IS(SHUTOFF, OTHER),
	COLD | B(UNDEFINE_SOURCE), COLD | B(UNDEFINE_SOURCE), OFF | AUTOSTART},
    {43, RESTART_DONE, 0, ABSENT, IS(RUNNING, OTHER), MERGED, MERGED, VERIFIED},
    {43, RESTART_DONE, 0, ABSENT, AUTOSTARTED(RUNNING, OTHER), MERGED, MERGED,
	VERIFIED | AUTOSTART},
    {43, RESTART_DONE, 0, ABSENT, IS(RUNNING, OTHER),
	PLAIN | B(START) | B(UNDEFINE_SOURCE),
	PLAIN | B(START) | B(UNDEFINE_SOURCE), VERIFIED | NO_DISKS},
    {45, RESTART_PERSON, 0, ABSENT, ABSENT, MERGED, MERGED, VERIFIED | TWICE},
    {46, RESTART_PERSON, 0, IS(RUNNING, OTHER), IS(SHUTOFF, SHUTDOWN), STARTED,
	STARTED, VERIFIED | TWICE},

    /* It is on at the source. */
    {50, RESTART_STEP, MOVE_STEP_CHECK, IS(RUNNING, OTHER), ABSENT, 0, 0, DUE},
    {51, RESTART_STEP, MOVE_STEP_PREPARE, IS(RUNNING, OTHER), ABSENT, CHECKED,
	CHECKED, DUE},
    {52, RESTART_STEP, MOVE_STEP_FREEZE, IS(RUNNING, OTHER), ABSENT, PREPARED,
	PREPARED, DUE},
    {52, RESTART_STEP, MOVE_STEP_FREEZE, IS(RUNNING, OTHER), ABSENT, FROZEN,
	PREPARED, DUE},
    {53, RESTART_STEP, MOVE_STEP_COPY, IS(RUNNING, OTHER), ABSENT, FROZEN,
	FROZEN, DUE},
    {54, RESTART_STEP, MOVE_STEP_SHUTDOWN, IS(RUNNING, OTHER), ABSENT, COPIED,
	COPIED, DUE},
    {54, RESTART_STEP, MOVE_STEP_SHUTDOWN, IS(RUNNING, OTHER), ABSENT, 0, 0,
	DUE | NO_DISKS},
    {55, RESTART_STEP, MOVE_STEP_DESTROY, IS(RUNNING, OTHER), ABSENT, ASKED,
	COPIED, DUE | OVER | FORCE},
    {56, RESTART_BACK, 0, IS(RUNNING, OTHER), ABSENT, ASKED, COPIED,
	DUE | OVER},
    {57, RESTART_WAIT, 0, IS(RUNNING, OTHER), ABSENT, ASKED, COPIED, 0},
    {57, RESTART_WAIT, 0, IS(SHUTDOWN, OTHER), ABSENT, ASKED, COPIED, 0},

    /* It is off at the source. */
    {58, RESTART_BACK, 0, IS(SHUTOFF, CRASHED), ABSENT, FROZEN, PREPARED, 0},
    {53, RESTART_STEP, MOVE_STEP_COPY, IS(SHUTOFF, CRASHED), ABSENT, FROZEN,
	FROZEN, 0},
    {64, RESTART_STEP, MOVE_STEP_COPY_REST, IS(SHUTOFF, SHUTDOWN), ABSENT,
	ASKED, COPIED, 0},
    {64, RESTART_STEP, MOVE_STEP_COPY_REST, IS(SHUTOFF, OTHER), ABSENT,
	PREPARED, PREPARED, OFF},
    {64, RESTART_STEP, MOVE_STEP_COPY_REST, IS(SHUTOFF, CRASHED), ABSENT,
	PREPARED, PREPARED, 0},
    {65, RESTART_STEP, MOVE_STEP_CARRY, IS(SHUTOFF, SHUTDOWN), ABSENT, RESTED,
	RESTED, 0},
    {65, RESTART_STEP, MOVE_STEP_CARRY, IS(SHUTOFF, SHUTDOWN), ABSENT,
	B(SHUTDOWN), 0, NO_DISKS},
    {66, RESTART_STEP, MOVE_STEP_DEFINE, IS(SHUTOFF, SHUTDOWN), ABSENT, CARRIED,
	CARRIED, 0},
    {66, RESTART_STEP, MOVE_STEP_DEFINE, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, OTHER), DEFINED, CARRIED, 0},
    {67, RESTART_STEP, MOVE_STEP_DISARM, AUTOSTARTED(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, OTHER), DEFINED, DEFINED, AUTOSTART},
    {68, RESTART_PERSON, 0, IS(SHUTOFF, OTHER), ABSENT,
	COLD | B(UNDEFINE_SOURCE), COLD, OFF | TWICE},
    {69, RESTART_PERSON, 0, ABSENT, ABSENT, ASKED, COPIED, TWICE},
    {61, RESTART_STEP, MOVE_STEP_START, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, OTHER), DISARMED, DISARMED, 0},
    {61, RESTART_STEP, MOVE_STEP_START, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, CRASHED), STARTED, STARTED, 0},
    {62, RESTART_BACK, 0, IS(SHUTOFF, SHUTDOWN), IS(SHUTOFF, CRASHED), STARTED,
	STARTED, TIRED | TWICE},
    {60, RESTART_VERIFY, 0, IS(SHUTOFF, SHUTDOWN), IS(SHUTOFF, SHUTDOWN),
	STARTED, STARTED, TWICE},
    {60, RESTART_VERIFY, 0, IS(SHUTOFF, SHUTDOWN), IS(SHUTOFF, DESTROYED),
	STARTED, DISARMED, TIRED | TWICE},
    {63, RESTART_PERSON, 0, IS(SHUTOFF, SHUTDOWN), ABSENT, STARTED, STARTED,
	TWICE},

    /* The way back. */
    {70, RESTART_PERSON, 0, ABSENT, ABSENT, ASKED, COPIED, BACK | TWICE},
    {71, RESTART_STEP, MOVE_STEP_UNDEFINE_TARGET, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, FAILED), STARTED, DISARMED, BACK | TWICE},
    {71, RESTART_STEP, MOVE_STEP_UNDEFINE_TARGET, IS(RUNNING, OTHER),
	IS(SHUTOFF, OTHER), DEFINED, DEFINED, BACK | TWICE},
    {71, RESTART_STEP, MOVE_STEP_UNDEFINE_TARGET, IS(RUNNING, OTHER), ABSENT,
	CARRIED, RESTED, BACK | TWICE},
    {72, RESTART_STEP, MOVE_STEP_START_SOURCE, IS(SHUTOFF, SHUTDOWN), ABSENT,
	RESTED, ASKED, BACK},
    {72, RESTART_STEP, MOVE_STEP_START_SOURCE, IS(SHUTOFF, SHUTDOWN),
	IS(SHUTOFF, OTHER), DEFINED, DEFINED, BACK},
    {72, RESTART_STEP, MOVE_STEP_START_SOURCE, IS(SHUTOFF, SHUTDOWN), ABSENT,
	STARTED | B(UNDEFINE_TARGET), STARTED, BACK | TWICE},
    {73, RESTART_STEP, MOVE_STEP_REARM, IS(RUNNING, OTHER), ABSENT,
	DISARMED | B(UNDEFINE_TARGET), DISARMED | B(UNDEFINE_TARGET),
	BACK | AUTOSTART},
    {74, RESTART_STEP, MOVE_STEP_MERGE_SOURCE, IS(RUNNING, OTHER), ABSENT,
	ASKED, COPIED, BACK | VOLUMES},
    {74, RESTART_STEP, MOVE_STEP_MERGE_SOURCE, IS(SHUTOFF, SHUTDOWN), ABSENT,
	COPIED, COPIED, BACK | OWNER},
    {75, RESTART_STEP, MOVE_STEP_CLEAN, IS(RUNNING, OTHER), ABSENT,
	COPIED | B(MERGE_SOURCE), COPIED | B(MERGE_SOURCE), BACK | VOLUMES},
    {76, RESTART_WAIT, 0, IS(RUNNING, OTHER), ABSENT, B(SHUTDOWN), 0,
	BACK | GRACE | NO_DISKS},
    {77, RESTART_UNDONE, 0, IS(RUNNING, OTHER), ABSENT, B(SHUTDOWN), 0,
	BACK | NO_DISKS | TWICE},
    {77, RESTART_UNDONE, 0, IS(SHUTOFF, OTHER), ABSENT, CHECKED, 0,
	BACK | OFF | TWICE},
    {77, RESTART_UNDONE, 0, IS(SHUTOFF, CRASHED), ABSENT,
	B(SHUTDOWN) | B(START_SOURCE), B(START_SOURCE),
	BACK | NO_DISKS | TWICE},
    {78, RESTART_PERSON, 0, IS(SHUTOFF, SHUTDOWN), ABSENT, STARTED, DISARMED,
	BACK | TWICE},
};
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

static struct restart_view
view_of(const struct entry *e)
{
	return (struct restart_view){
	    .source = e->source,
	    .target = e->target,
	    .begun = e->begun,
	    .done = e->done,
	    .copies = !(e->flags & NO_DISKS),
	    .was_running = !(e->flags & OFF),
	    .autostart = e->flags & AUTOSTART,
	    .owner_ended = e->flags & OWNER,
	    .force_off = e->flags & FORCE,
	    .back = e->flags & BACK,
	    .verified = e->flags & VERIFIED,
	    .volumes = e->flags & VOLUMES,
	    .may_start = !(e->flags & TIRED),
	    .ask_due = e->flags & DUE,
	    .shutdown_over = e->flags & OVER,
	    .late = e->flags & LATE,
	    .grace = e->flags & GRACE,
	    .lingers = e->flags & LINGERS,
	};
}

START_TEST(each_row_is_found)
{
	const struct entry *e = &entries[_i];
	struct restart_view view = view_of(e);
	struct restart_row row = restart_next(&view);

	ck_assert_msg(row.number == e->row && row.verdict == e->verdict &&
		row.step == e->step,
	    "entry %d: row %d instead of %d: %s (%s)", _i, row.number, e->row,
	    move_step_name(row.step), row.why);
	ck_assert_msg(row.twice == ((e->flags & TWICE) != 0),
	    "entry %d, row %d: twice", _i, e->row);
	ck_assert_ptr_nonnull(row.why);
}
END_TEST

/* ---- what holds for every view ---- */

static const struct reconcile_side sides[] = {UNKNOWN, ABSENT,
    IS(RUNNING, OTHER), TRANSIENT(RUNNING, OTHER), AUTOSTARTED(RUNNING, OTHER),
    IS(PAUSED, USER), IS(PAUSED, OTHER), IS(PAUSED, IOERROR),
    IS(SHUTDOWN, OTHER), IS(CRASHED, OTHER), IS(SHUTOFF, OTHER),
    IS(SHUTOFF, SHUTDOWN), IS(SHUTOFF, DESTROYED), IS(SHUTOFF, CRASHED),
    IS(SHUTOFF, FAILED), AUTOSTARTED(SHUTOFF, OTHER)};
#define SIDES (sizeof(sides) / sizeof(sides[0]))

/* How far it has come, there and back. */
static const unsigned ways[] = {0, CHECKED, PREPARED, FROZEN, COPIED, ASKED,
    ASKED | B(DESTROY), RESTED, CARRIED, DEFINED, DISARMED, STARTED, UNDEFINED,
    MERGED, PLAIN, PLAIN | B(START), COLD, COLD | B(UNDEFINE_SOURCE)};
#define WAYS (sizeof(ways) / sizeof(ways[0]))
static const unsigned returns[] = {0, B(DESTROY_TARGET), B(UNDEFINE_TARGET),
    B(UNDEFINE_TARGET) | B(START_SOURCE),
    B(UNDEFINE_TARGET) | B(REARM) | B(START_SOURCE) | B(MERGE_SOURCE)};
#define RETURNS (sizeof(returns) / sizeof(returns[0]))

static bool
is_known(const struct reconcile_side *s)
{
	return s->presence != RECONCILE_UNKNOWN;
}

static bool
is_on(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT && s->state != DOMAIN_SHUTOFF;
}

static bool
is_off(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_PRESENT && s->state == DOMAIN_SHUTOFF;
}

#define has(mask, step) (((mask)&B(step)) != 0)
/* Asserting costs a system call each time. */
#define must(what)                                                             \
	do {                                                                   \
		if (!(what))                                                   \
			broken(v, row, #what);                                 \
	} while (0)

static void
broken(const struct restart_view *v, const struct restart_row *row,
    const char *what)
{
	ck_abort_msg("row %d, source %d/%d/%d, target %d/%d/%d, begun %x, "
		     "done %x, back %d, verified %d: %s",
	    row->number, v->source.presence, v->source.state, v->source.reason,
	    v->target.presence, v->target.state, v->target.reason, v->begun,
	    v->done, v->back, v->verified, what);
}

static void
check_start(const struct restart_view *v, const struct restart_row *row)
{
	must(is_known(&v->source) && !is_on(&v->source));
	must(is_off(&v->target) && v->target.persistent);
	must(has(v->begun, DEFINE) && has(v->done, CARRY));
	must(!v->copies || has(v->done, COPY_REST));
	must(has(v->begun, START) ||
	    !(is_off(&v->source) && v->source.autostart));
	must(!v->back && !v->verified && v->was_running && !v->owner_ended);
}

static void
check_start_source(const struct restart_view *v, const struct restart_row *row)
{
	must(v->back && !v->verified && v->was_running && !v->owner_ended);
	must(is_off(&v->source) && !is_on(&v->target));
	must(!has(v->begun, DEFINE) || is_known(&v->target));
	if (!has(v->begun, START))
		return;
	must(v->target.presence == RECONCILE_ABSENT && row->twice);
	must(has(v->begun, UNDEFINE_TARGET));
}

/* What takes something away must not take the last of it. */
static void
check_removal(const struct restart_view *v, const struct restart_row *row)
{
	switch (row->step) {
	case MOVE_STEP_UNDEFINE_SOURCE:
		must(is_off(&v->source) && !v->back);
		must(v->target.presence == RECONCILE_PRESENT &&
		    v->target.persistent);
		must(v->verified || !v->was_running || v->owner_ended);
		must(!v->copies || v->verified || has(v->done, COPY_REST));
		return;
	case MOVE_STEP_UNDEFINE_TARGET:
		must(v->back && !v->verified && row->twice);
		must(is_known(&v->target) && !is_on(&v->target));
		must(v->source.presence == RECONCILE_PRESENT);
		must(has(v->begun, DEFINE) || has(v->begun, CARRY));
		return;
	case MOVE_STEP_DESTROY:
		must(is_on(&v->source));
		must(v->verified ? is_on(&v->target) && row->twice
				 : v->force_off && v->shutdown_over &&
			    !has(v->begun, START) && !v->back);
		return;
	case MOVE_STEP_DESTROY_TARGET:
		must(is_on(&v->source) && is_on(&v->target) && row->twice);
		must(!v->verified && v->back && has(v->begun, DEFINE));
		return;
	case MOVE_STEP_CLEAN:
		must(v->back && !v->verified && is_known(&v->target));
		must(!is_on(&v->target) || !has(v->begun, DEFINE));
		must(v->source.presence == RECONCILE_PRESENT);
		return;
	default:
		return;
	}
}

static void
check_row(const struct restart_view *v, const struct restart_row *row)
{
	must(row->number > 0);
	if (!is_known(&v->source))
		must(row->verdict == RESTART_WAIT);
	if (!is_known(&v->target) && row->verdict == RESTART_STEP)
		must(v->back &&
		    (row->step == MOVE_STEP_START_SOURCE ||
			row->step == MOVE_STEP_REARM ||
			row->step == MOVE_STEP_MERGE_SOURCE));
	if (row->verdict == RESTART_PERSON)
		must(row->twice);
	if (v->verified)
		must(row->verdict != RESTART_BACK &&
		    row->verdict != RESTART_UNDONE);
	if (row->verdict == RESTART_UNDONE)
		must(v->back && v->source.presence == RECONCILE_PRESENT &&
		    (!is_on(&v->target) || !has(v->begun, DEFINE)));
	if (row->verdict == RESTART_DONE)
		must(!v->back && v->target.presence == RECONCILE_PRESENT &&
		    !is_on(&v->source));
	if (row->verdict != RESTART_STEP) {
		must(row->step == MOVE_STEP_NONE);
		return;
	}
	if (row->step == MOVE_STEP_START)
		check_start(v, row);
	if (row->step == MOVE_STEP_START_SOURCE)
		check_start_source(v, row);
	if (row->step == MOVE_STEP_COPY_REST || row->step == MOVE_STEP_CARRY)
		must(is_off(&v->source) && !v->back);
	check_removal(v, row);
}

static unsigned long views, seen_rows[128];

static void
check_flags(struct restart_view *v)
{
	for (unsigned f = 0; f < 1U << 9; f++) {
		struct restart_row row;

		v->copies = f & 1;
		v->was_running = f & 2;
		v->owner_ended = f & 4;
		v->back = f & 8;
		v->verified = f & 16;
		v->volumes = v->autostart = f & 32;
		v->may_start = v->force_off = f & 64;
		v->ask_due = v->grace = v->lingers = v->late = f & 128;
		v->shutdown_over = f & 256;
		/* Such are not. */
		if ((v->begun & DEFINED) != 0 &&
		    v->copies != has(v->begun, CHECK))
			continue;
		if ((v->owner_ended && !v->was_running) ||
		    (v->verified && (v->back || !(v->begun & B(START)))))
			continue;
		row = restart_next(v);
		check_row(v, &row);
		views++;
		seen_rows[row.number]++;
	}
}

START_TEST(no_view_leads_to_two_copies_or_to_none)
{
	struct restart_view v = {0};

	for (size_t w = 0; w < WAYS * RETURNS * 2; w++) {
		unsigned way = ways[w / 2 / RETURNS];

		v.begun = way | returns[w / 2 % RETURNS];
		/* The last one is done, or its end is not known. */
		v.done = w % 2 == 0
		    ? v.begun
		    : (w / 2 / RETURNS == 0 ? 0
					    : ways[w / 2 / RETURNS - 1] & way);
		for (size_t i = 0; i < SIDES * SIDES; i++) {
			v.source = sides[i / SIDES];
			v.target = sides[i % SIDES];
			check_flags(&v);
		}
	}
	ck_assert_uint_gt(views, 3000000);
	/* And every row has been one of them. */
	for (size_t i = 0; i < ENTRIES; i++)
		ck_assert_msg(
		    seen_rows[entries[i].row] > 0, "row %d", entries[i].row);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("restart");
	TCase *tc = tcase_create("table");
	SRunner *runner;
	int bad;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, each_row_is_found, 0, (int)ENTRIES);
	tcase_add_test(tc, no_view_leads_to_two_copies_or_to_none);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	bad = srunner_ntests_failed(runner);
	srunner_free(runner);
	return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
