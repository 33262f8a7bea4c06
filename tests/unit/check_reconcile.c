/*
 * The reconciliation table: one entry per row of act/reconcile.c, with the same
 * numbers, at least one for each row of libvirt's crash matrix, and what must hold
 * for every view that there is.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/reconcile.h"

#define UNKNOWN                                                                \
	{                                                                      \
		.presence = RECONCILE_UNKNOWN                                  \
	}
#define ABSENT                                                                 \
	{                                                                      \
		.presence = RECONCILE_ABSENT                                   \
	}
#define JOB(s, r, j)                                                           \
	{                                                                      \
		.presence = RECONCILE_PRESENT, .state = DOMAIN_##s,            \
		.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_##j,            \
		.persistent = true                                             \
	}
#define IS(s, r) JOB(s, r, NONE)
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

enum {
	FAST = 0,
	STRICT = 1,
	LINGERS = 2,
	CONFIRMED = 4,
	TOOK_BACK = 8,
	DESTROYED = 16,
	REPAIRED = 32,
	NO_DEFINITION = 64,
	AUTOSTART = 128,
	CANCELED_BEFORE = 256,
	SUSPENDED = 512,
	COPIED = 1024,
	TARGET_RAN = 2048
};

static const struct entry {
	int row;
	enum reconcile_verdict verdict;
	struct reconcile_side source, target;
	int flags;
} entries[] = {
    /* One of the hosts does not answer. */
    {10, RECONCILE_FOLLOW, JOB(RUNNING, OTHER, ACTIVE), UNKNOWN, 0},
    {10, RECONCILE_FOLLOW, JOB(PAUSED, MIGRATION, ACTIVE), UNKNOWN, 0},
    {11, RECONCILE_STAYED, IS(RUNNING, OTHER), UNKNOWN, 0},
    {12, RECONCILE_WAIT, UNKNOWN, UNKNOWN, LINGERS},
    {12, RECONCILE_WAIT, UNKNOWN, IS(RUNNING, MIGRATED), LINGERS},
    {12, RECONCILE_WAIT, UNKNOWN, IS(PAUSED, USER), STRICT},
    {13, RECONCILE_WAIT, IS(RUNNING, MIGRATION_CANCELED), UNKNOWN, 0},
    {13, RECONCILE_WAIT, IS(PAUSED, MIGRATION), UNKNOWN, LINGERS},
    {13, RECONCILE_WAIT, IS(RUNNING, OTHER), UNKNOWN, REPAIRED},
    {13, RECONCILE_WAIT, IS(RUNNING, MIGRATION_CANCELED), UNKNOWN,
	CANCELED_BEFORE},
    {13, RECONCILE_WAIT, JOB(RUNNING, OTHER, UNKNOWN), UNKNOWN, 0},
    {13, RECONCILE_WAIT, ABSENT, UNKNOWN, LINGERS},

    /* Post-copy. */
    {20, RECONCILE_PERSON, IS(PAUSED, POSTCOPY_FAILED),
	IS(RUNNING, POSTCOPY_FAILED), 0},
    {20, RECONCILE_PERSON, ABSENT, IS(RUNNING, POSTCOPY_FAILED), 0},
    {21, RECONCILE_FOLLOW, JOB(PAUSED, POSTCOPY, ACTIVE), IS(RUNNING, POSTCOPY),
	0},
    {21, RECONCILE_FOLLOW, IS(PAUSED, POSTCOPY), IS(RUNNING, POSTCOPY), 0},
    {60, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, MIGRATED),
	IS(RUNNING, POSTCOPY), 0},

    /* The migration runs. */
    {30, RECONCILE_FOLLOW, JOB(RUNNING, OTHER, ACTIVE),
	JOB(PAUSED, MIGRATION, ACTIVE), 0},
    {30, RECONCILE_FOLLOW, JOB(PAUSED, MIGRATION, ACTIVE),
	IS(RUNNING, MIGRATED), 0},
    {30, RECONCILE_FOLLOW, JOB(PAUSED, MIGRATION, ACTIVE), ABSENT, LINGERS},
    {31, RECONCILE_WAIT, JOB(RUNNING, OTHER, UNKNOWN), ABSENT, 0},

    /* The source is stopped by the migration, no job is left. */
    {40, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION), IS(RUNNING, MIGRATED),
	FAST},
    {40, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION), IS(RUNNING, OTHER),
	STRICT},
    {40, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION), IS(PAUSED, IOERROR),
	FAST},
    {40, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION),
	IS(PMSUSPENDED, OTHER), FAST},
    {40, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION), IS(PAUSED, USER),
	FAST},
    {41, RECONCILE_RESUME_SOURCE, IS(PAUSED, MIGRATION), ABSENT, FAST},
    {41, RECONCILE_RESUME_SOURCE, IS(PAUSED, MIGRATION), ABSENT, STRICT},
    {42, RECONCILE_RESUME_SOURCE, IS(PAUSED, MIGRATION), IS(SHUTOFF, FAILED),
	FAST},
    {42, RECONCILE_RESUME_SOURCE, IS(PAUSED, MIGRATION), IS(SHUTOFF, OTHER),
	STRICT},
    {43, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION), IS(PAUSED, USER),
	STRICT},
    {44, RECONCILE_WAIT, IS(PAUSED, MIGRATION), JOB(PAUSED, MIGRATION, ACTIVE),
	FAST},
    {45, RECONCILE_PERSON, TRANSIENT(PAUSED, MIGRATION), ABSENT,
	FAST | NO_DEFINITION},
    {46, RECONCILE_DESTROY_SOURCE, IS(PAUSED, MIGRATION), IS(SHUTOFF, SHUTDOWN),
	FAST},
    {47, RECONCILE_PERSON, IS(PAUSED, MIGRATION), IS(SHUTOFF, OTHER), FAST},
    {47, RECONCILE_PERSON, IS(PAUSED, MIGRATION), IS(SHUTOFF, CRASHED), FAST},
    {48, RECONCILE_DESTROY_TARGET, IS(PAUSED, MIGRATION), IS(PAUSED, MIGRATION),
	FAST | LINGERS},
    {49, RECONCILE_PERSON, IS(PAUSED, MIGRATION), IS(PAUSED, OTHER),
	FAST | LINGERS},

    /* The source runs, no job is left. */
    {50, RECONCILE_STAYED, IS(RUNNING, OTHER), ABSENT, 0},
    {50, RECONCILE_STAYED, IS(RUNNING, MIGRATION_CANCELED), ABSENT, TOOK_BACK},
    {51, RECONCILE_UNDEFINE_TARGET, IS(RUNNING, MIGRATION_CANCELED),
	IS(SHUTOFF, FAILED), FAST},
    {51, RECONCILE_UNDEFINE_TARGET, IS(RUNNING, OTHER), IS(SHUTOFF, DESTROYED),
	STRICT},
    {52, RECONCILE_DESTROY_TARGET, IS(RUNNING, MIGRATION_CANCELED),
	IS(RUNNING, MIGRATED), FAST},
    {53, RECONCILE_PERSON, IS(RUNNING, OTHER), IS(RUNNING, MIGRATED), FAST},
    {54, RECONCILE_WAIT, IS(RUNNING, OTHER), JOB(PAUSED, MIGRATION, ACTIVE), 0},
    {55, RECONCILE_DESTROY_TARGET, IS(RUNNING, MIGRATION_CANCELED),
	IS(PAUSED, USER), STRICT},
    {55, RECONCILE_DESTROY_TARGET, IS(RUNNING, OTHER),
	JOB(PAUSED, MIGRATION, ACTIVE), LINGERS},
    {56, RECONCILE_WAIT, IS(RUNNING, OTHER), IS(SHUTDOWN, OTHER), 0},
    {57, RECONCILE_PERSON, IS(RUNNING, OTHER), IS(SHUTDOWN, OTHER), LINGERS},

    /* The source has let go, the target has it. */
    {58, RECONCILE_PERSON, IS(SHUTOFF, SHUTDOWN), IS(RUNNING, MIGRATED), FAST},
    {58, RECONCILE_PERSON, IS(SHUTOFF, OTHER), IS(RUNNING, MIGRATED),
	FAST | TOOK_BACK},
    {59, RECONCILE_PERSON, IS(SHUTOFF, MIGRATED), TRANSIENT(RUNNING, MIGRATED),
	0},
    {60, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, MIGRATED),
	IS(RUNNING, MIGRATED), AUTOSTART},
    {60, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, DESTROYED),
	IS(RUNNING, MIGRATED), DESTROYED},
    {60, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, OTHER), IS(RUNNING, MIGRATED),
	FAST},
    {60, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, MIGRATED), IS(PAUSED, USER),
	FAST},
    {61, RECONCILE_AUTOSTART_TARGET, ABSENT, IS(RUNNING, MIGRATED), AUTOSTART},
    {61, RECONCILE_AUTOSTART_TARGET, ABSENT, IS(SHUTOFF, SHUTDOWN), AUTOSTART},
    {62, RECONCILE_MOVED, ABSENT, IS(RUNNING, MIGRATED), 0},
    {62, RECONCILE_MOVED, ABSENT, AUTOSTARTED(RUNNING, MIGRATED), AUTOSTART},
    {62, RECONCILE_MOVED, ABSENT, TRANSIENT(RUNNING, MIGRATED),
	NO_DEFINITION | AUTOSTART},
    {64, RECONCILE_PERSON, ABSENT, IS(PAUSED, IOERROR), STRICT},
    {65, RECONCILE_MOVED, ABSENT, IS(PAUSED, USER), FAST},
    {67, RECONCILE_MOVED, ABSENT, IS(SHUTOFF, SHUTDOWN), 0},

    /* The source has let go, the target's guest has not run. */
    {63, RECONCILE_RESUME_TARGET, ABSENT, IS(PAUSED, USER), STRICT},
    {63, RECONCILE_RESUME_TARGET, IS(SHUTOFF, MIGRATED), IS(PAUSED, USER),
	STRICT},
    {63, RECONCILE_RESUME_TARGET, IS(SHUTOFF, DESTROYED), IS(PAUSED, USER),
	STRICT | DESTROYED},
    {63, RECONCILE_RESUME_TARGET, IS(SHUTOFF, OTHER), IS(PAUSED, USER), STRICT},
    {63, RECONCILE_RESUME_TARGET, ABSENT, TRANSIENT(PAUSED, USER),
	STRICT | NO_DEFINITION | CONFIRMED},
    {63, RECONCILE_RESUME_TARGET, IS(SHUTOFF, CRASHED), IS(PAUSED, USER),
	STRICT | CONFIRMED},
    {66, RECONCILE_WAIT, ABSENT, JOB(PAUSED, MIGRATION, ACTIVE), 0},
    {66, RECONCILE_WAIT, ABSENT, IS(SHUTDOWN, OTHER), 0},
    {75, RECONCILE_DESTROY_TARGET, IS(SHUTOFF, SHUTDOWN), IS(PAUSED, USER),
	STRICT},
    {75, RECONCILE_DESTROY_TARGET, IS(SHUTOFF, OTHER), IS(PAUSED, USER),
	STRICT | TOOK_BACK},
    {75, RECONCILE_DESTROY_TARGET, IS(SHUTOFF, SHUTDOWN),
	JOB(PAUSED, MIGRATION, ACTIVE), FAST | LINGERS},
    {76, RECONCILE_PERSON, IS(SHUTOFF, CRASHED), IS(PAUSED, USER), STRICT},
    {76, RECONCILE_PERSON, IS(SHUTOFF, DESTROYED), IS(PAUSED, USER), STRICT},
    {76, RECONCILE_PERSON, ABSENT, TRANSIENT(PAUSED, USER),
	STRICT | NO_DEFINITION},
    {77, RECONCILE_PERSON, ABSENT, JOB(PAUSED, MIGRATION, ACTIVE), LINGERS},

    /* Off on both. */
    {68, RECONCILE_PERSON, ABSENT, ABSENT, 0},
    {69, RECONCILE_ENDED, ABSENT, ABSENT, NO_DEFINITION},
    {70, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, MIGRATED),
	IS(SHUTOFF, SHUTDOWN), 0},
    {70, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, DESTROYED),
	IS(SHUTOFF, SHUTDOWN), DESTROYED},
    {71, RECONCILE_PERSON, IS(SHUTOFF, MIGRATED), ABSENT, 0},
    {72, RECONCILE_UNDEFINE_TARGET, IS(SHUTOFF, SHUTDOWN), IS(SHUTOFF, FAILED),
	0},
    {73, RECONCILE_ENDED, IS(SHUTOFF, SHUTDOWN), ABSENT, 0},
    {73, RECONCILE_ENDED, IS(SHUTOFF, FAILED), ABSENT, 0},
    {74, RECONCILE_PERSON, ABSENT, IS(SHUTOFF, FAILED), 0},
    {74, RECONCILE_PERSON, IS(SHUTOFF, MIGRATED), IS(SHUTOFF, FAILED), 0},

    /* The source is paused by a person, asleep, or changing. */
    {80, RECONCILE_STAYED, IS(PAUSED, USER), ABSENT, 0},
    {80, RECONCILE_STAYED, IS(PMSUSPENDED, OTHER), ABSENT, 0},
    {80, RECONCILE_STAYED, IS(PAUSED, IOERROR), ABSENT, 0},
    {81, RECONCILE_UNDEFINE_TARGET, IS(PAUSED, USER), IS(SHUTOFF, FAILED), 0},
    {82, RECONCILE_PERSON, IS(PAUSED, USER), IS(RUNNING, MIGRATED), 0},
    {83, RECONCILE_WAIT, IS(SHUTDOWN, OTHER), ABSENT, 0},
    {83, RECONCILE_WAIT, IS(PAUSED, USER), IS(PAUSED, MIGRATION), 0},
    {84, RECONCILE_DESTROY_TARGET, IS(PAUSED, USER), IS(PAUSED, USER),
	STRICT | LINGERS},
    {84, RECONCILE_DESTROY_TARGET, IS(PAUSED, USER), IS(PAUSED, MIGRATION),
	LINGERS},
    {85, RECONCILE_PERSON, IS(SHUTDOWN, OTHER), ABSENT, LINGERS},

    /* Paused by us: resumed, unless the target runs it. */
    {86, RECONCILE_RESUME_SOURCE, IS(PAUSED, USER), ABSENT, SUSPENDED},
    {86, RECONCILE_RESUME_SOURCE, TRANSIENT(PAUSED, USER), ABSENT,
	SUSPENDED | NO_DEFINITION},
    {81, RECONCILE_UNDEFINE_TARGET, IS(PAUSED, USER), IS(SHUTOFF, FAILED),
	SUSPENDED},
    {82, RECONCILE_PERSON, IS(PAUSED, USER), IS(RUNNING, MIGRATED), SUSPENDED},
    {80, RECONCILE_STAYED, IS(PAUSED, IOERROR), ABSENT, SUSPENDED},
    {41, RECONCILE_RESUME_SOURCE, IS(PAUSED, MIGRATION), ABSENT, SUSPENDED},
    {13, RECONCILE_WAIT, IS(PAUSED, USER), UNKNOWN, SUSPENDED},

    /* Let run at the target by us: that is where the newest is. */
    {38, RECONCILE_PERSON, IS(PAUSED, MIGRATION), ABSENT, STRICT | TARGET_RAN},
    {38, RECONCILE_PERSON, IS(PAUSED, MIGRATION), IS(SHUTOFF, CRASHED),
	STRICT | TARGET_RAN},
    {70, RECONCILE_UNDEFINE_SOURCE, IS(SHUTOFF, OTHER), IS(SHUTOFF, CRASHED),
	STRICT | COPIED | TARGET_RAN},
    {71, RECONCILE_PERSON, IS(SHUTOFF, OTHER), ABSENT,
	STRICT | COPIED | TARGET_RAN},
    {63, RECONCILE_RESUME_TARGET, IS(SHUTOFF, CRASHED), IS(PAUSED, USER),
	STRICT | TARGET_RAN},
    {72, RECONCILE_UNDEFINE_TARGET, IS(SHUTOFF, OTHER), IS(SHUTOFF, CRASHED),
	STRICT | COPIED},
    {78, RECONCILE_PERSON, IS(SHUTOFF, OTHER), IS(SHUTOFF, CRASHED),
	FAST | COPIED},
    {72, RECONCILE_UNDEFINE_TARGET, IS(SHUTOFF, SHUTDOWN), IS(SHUTOFF, FAILED),
	FAST | COPIED},
};
#define ENTRIES ((int)(sizeof(entries) / sizeof(entries[0])))
#define ROWS_MAX 100

static struct reconcile_view
make_view(const struct reconcile_side *source,
    const struct reconcile_side *target, int flags)
{
	return (struct reconcile_view){
	    .source = *source,
	    .target = *target,
	    .strict = (flags & STRICT) != 0,
	    .persistent = (flags & NO_DEFINITION) == 0,
	    .autostart = (flags & AUTOSTART) != 0,
	    .reason_before = (flags & CANCELED_BEFORE) != 0
		? DOMAIN_REASON_MIGRATION_CANCELED
		: DOMAIN_REASON_OTHER,
	    .lingers = (flags & LINGERS) != 0,
	    .confirmed = (flags & CONFIRMED) != 0,
	    .took_back = (flags & TOOK_BACK) != 0,
	    .source_destroyed = (flags & DESTROYED) != 0,
	    .repaired = (flags & REPAIRED) != 0,
	    .suspended = (flags & SUSPENDED) != 0,
	    .copied = (flags & COPIED) != 0,
	    .target_ran = (flags & TARGET_RAN) != 0,
	};
}

START_TEST(each_row_says_what_to_do)
{
	const struct entry *e = &entries[_i];
	struct reconcile_view view =
	    make_view(&e->source, &e->target, e->flags);
	struct reconcile_row row = reconcile(&view);

	ck_assert_msg(row.number == e->row && row.verdict == e->verdict,
	    "entry %d: row %d %s instead of row %d %s", _i, row.number,
	    reconcile_verdict_name(row.verdict), e->row,
	    reconcile_verdict_name(e->verdict));
	ck_assert_ptr_nonnull(row.why);
}
END_TEST

/* ---- every view that there is ---- */

static bool
in(const struct reconcile_side *s, enum domain_state state)
{
	return s->presence == RECONCILE_PRESENT && s->state == state;
}

static bool
off(const struct reconcile_side *s)
{
	return in(s, DOMAIN_SHUTOFF) || in(s, DOMAIN_CRASHED);
}

static bool
absent(const struct reconcile_side *s)
{
	return s->presence == RECONCILE_ABSENT;
}

static bool
up(const struct reconcile_side *s)
{
	return in(s, DOMAIN_RUNNING) || in(s, DOMAIN_BLOCKED);
}

/* What the verdict may never do, whatever the row; NULL: nothing of it. */
static const char *
forbidden(const struct reconcile_view *v, enum reconcile_verdict verdict)
{
	const struct reconcile_side *s = &v->source, *d = &v->target;
	bool unknown = s->presence == RECONCILE_UNKNOWN ||
	    d->presence == RECONCILE_UNKNOWN;
	bool waiting = verdict == RECONCILE_WAIT || verdict == RECONCILE_FOLLOW;

	if (unknown && !waiting && verdict != RECONCILE_STAYED)
		return "acts although one side is not known";
	if (verdict == RECONCILE_WAIT && v->lingers && !unknown &&
	    (s->job != DOMAIN_JOB_UNKNOWN || off(s)))
		return "waits for ever";
	if (s->presence == RECONCILE_PRESENT && !off(s) &&
	    s->job != DOMAIN_JOB_NONE && !waiting &&
	    verdict != RECONCILE_PERSON)
		return "acts while a job may hold the source";
	switch (verdict) {
	case RECONCILE_RESUME_TARGET:
		return v->strict && in(d, DOMAIN_PAUSED) &&
			d->reason == DOMAIN_REASON_USER && (absent(s) || off(s))
		    ? NULL
		    : "resumes a target whose source is not off";
	case RECONCILE_RESUME_SOURCE:
		if (v->target_ran && s->reason == DOMAIN_REASON_MIGRATION)
			return "resumes a source that is older than its disks";
		return in(s, DOMAIN_PAUSED) && (absent(d) || off(d))
		    ? NULL
		    : "resumes a source whose target is not off";
	case RECONCILE_DESTROY_SOURCE:
		return in(s, DOMAIN_PAUSED) &&
			s->reason == DOMAIN_REASON_MIGRATION &&
			d->presence == RECONCILE_PRESENT
		    ? NULL
		    : "destroys a source that may be the only one";
	case RECONCILE_DESTROY_TARGET:
		if (s->presence != RECONCILE_PRESENT || off(d))
			return "destroys a target that may be the only one";
		if (off(s) && (up(d) || s->reason == DOMAIN_REASON_MIGRATED))
			return "destroys the only one that runs";
		return NULL;
	case RECONCILE_UNDEFINE_TARGET:
		return off(d) && s->presence == RECONCILE_PRESENT
		    ? NULL
		    : "undefines what may be the only definition";
	case RECONCILE_UNDEFINE_SOURCE:
		return off(s) && d->presence == RECONCILE_PRESENT &&
			(d->persistent || !v->persistent)
		    ? NULL
		    : "undefines what may be the only definition";
	case RECONCILE_AUTOSTART_TARGET:
	case RECONCILE_MOVED:
		return absent(s) && d->presence == RECONCILE_PRESENT
		    ? NULL
		    : "has moved, but is at the source as well";
	case RECONCILE_STAYED:
		if (v->suspended && in(s, DOMAIN_PAUSED) &&
		    s->reason == DOMAIN_REASON_USER)
			return "leaves it paused";
		return s->presence == RECONCILE_PRESENT && !off(s) &&
			(absent(d) || unknown)
		    ? NULL
		    : "has stayed, but is at the target as well";
	case RECONCILE_ENDED:
		return (off(s) || absent(s)) && absent(d)
		    ? NULL
		    : "has ended, but something is left";
	case RECONCILE_WAIT:
	case RECONCILE_FOLLOW:
	case RECONCILE_PERSON:
		return NULL;
	}
	return "no such verdict";
}

static size_t
list_sides(struct reconcile_side *out, bool jobs)
{
	size_t n = 0;

	out[n++] = (struct reconcile_side)UNKNOWN;
	out[n++] = (struct reconcile_side)ABSENT;
	for (int s = DOMAIN_NOSTATE; s <= DOMAIN_PMSUSPENDED; s++)
		for (int r = DOMAIN_REASON_OTHER; r <= DOMAIN_REASON_CRASHED;
		     r++)
			for (int j = DOMAIN_JOB_UNKNOWN; j <= DOMAIN_JOB_ACTIVE;
			     j++) {
				if (!jobs && j != DOMAIN_JOB_NONE)
					continue;
				out[n++] = (struct reconcile_side){
				    .presence = RECONCILE_PRESENT,
				    .state = (enum domain_state)s,
				    .reason = (enum domain_reason)r,
				    .job = (enum domain_job)j,
				    .persistent = true,
				};
			}
	return n;
}

START_TEST(no_view_leads_to_harm_and_every_row_is_tested)
{
	static struct reconcile_side sources[300], targets[300];
	size_t ns = list_sides(sources, true), nt = list_sides(targets, false);
	static const int more[] = {
	    0, SUSPENDED, COPIED, TARGET_RAN, SUSPENDED | COPIED | TARGET_RAN};
	bool reached[ROWS_MAX] = {false};

	for (size_t i = 0; i < ns * nt; i++) {
		for (int f = 0; f < 128 * 5; f++) {
			int flags = f % 128 | more[f / 128];

			if ((flags & REPAIRED) != 0)
				continue;
			struct reconcile_view view = make_view(
			    &sources[i / nt], &targets[i % nt], flags);
			struct reconcile_row row = reconcile(&view);
			const char *fault = forbidden(&view, row.verdict);

			reached[row.number] = true;
			if (fault == NULL)
				continue;
			ck_abort_msg("row %d: %s (source %d %d %d, target %d "
				     "%d %d, flags %d)",
			    row.number, fault, view.source.presence,
			    view.source.state, view.source.reason,
			    view.target.presence, view.target.state,
			    view.target.reason, flags);
		}
	}
	for (int i = 0; i < ENTRIES; i++)
		reached[entries[i].row] = false;
	for (int row = 0; row < ROWS_MAX; row++)
		ck_assert_msg(!reached[row], "row %d is not tested", row);
}
END_TEST

START_TEST(verdicts_have_names_of_their_own)
{
	for (int a = RECONCILE_WAIT; a <= RECONCILE_PERSON; a++) {
		const char *name =
		    reconcile_verdict_name((enum reconcile_verdict)a);

		ck_assert_str_ne(name, "?");
		for (int b = RECONCILE_WAIT; b < a; b++)
			ck_assert_str_ne(name,
			    reconcile_verdict_name((enum reconcile_verdict)b));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reconcile");
	TCase *tc = tcase_create("table");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_row_says_what_to_do, 0, ENTRIES);
	tcase_add_test(tc, no_view_leads_to_harm_and_every_row_is_tested);
	tcase_add_test(tc, verdicts_have_names_of_their_own);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
