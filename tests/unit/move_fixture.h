#ifndef DROVER_TESTS_MOVE_FIXTURE_H
#define DROVER_TESTS_MOVE_FIXTURE_H

/*
 * A move to be fed with events.  What the machine lists is written as words, so
 * that a test can say all of it in one line: "intent:perform perform
 * timer:60000".  Included once per test program.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/move.h"

#define ABSENT                                                                 \
	{                                                                      \
		.presence = RECONCILE_ABSENT                                   \
	}
#define UNKNOWN                                                                \
	{                                                                      \
		.presence = RECONCILE_UNKNOWN                                  \
	}
#define IS(s, r)                                                               \
	{                                                                      \
		.presence = RECONCILE_PRESENT, .state = DOMAIN_##s,            \
		.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_NONE,           \
		.persistent = true                                             \
	}
#define JOB(s, r)                                                              \
	{                                                                      \
		.presence = RECONCILE_PRESENT, .state = DOMAIN_##s,            \
		.reason = DOMAIN_REASON_##r, .job = DOMAIN_JOB_ACTIVE,         \
		.persistent = true                                             \
	}
#define UUID "aaaaaaaa-0000-0000-0000-000000000001"

static const struct reconcile_side nowhere = ABSENT, unknown = UNKNOWN,
				   runs = IS(RUNNING, OTHER),
				   migrated = IS(RUNNING, MIGRATED),
				   canceled = IS(RUNNING, MIGRATION_CANCELED),
				   arrived = IS(PAUSED, USER),
				   stopped = IS(PAUSED, MIGRATION),
				   copying = JOB(RUNNING, OTHER),
				   incoming = JOB(PAUSED, MIGRATION),
				   failed_there = IS(SHUTOFF, FAILED),
				   gone = IS(SHUTOFF, MIGRATED),
				   destroyed = IS(SHUTOFF, DESTROYED),
				   shut_down = IS(SHUTOFF, SHUTDOWN),
				   off_somehow = IS(SHUTOFF, OTHER);

static struct move *move;
static struct mono now;
static struct move_actions actions;
static char words[512];

static inline void
setup(void)
{
	move = move_new(UUID, "web1", "kvm1", "kvm2");
	move->persistent = true;
	move->timeout_ms = 60000;
	now = (struct mono){1000000};
}

static inline void
teardown(void)
{
	move_free(move);
}

static inline void
add_word(const struct move_action *a)
{
	size_t n = strlen(words);
	char *at = words + n;
	size_t left = sizeof(words) - n;

	if (n > 0) {
		*at++ = ' ';
		left--;
	}
	switch (a->kind) {
	case MOVE_DO_JOURNAL:
		snprintf(at, left, "%s:%s", a->journal, a->step);
		break;
	case MOVE_DO_PERFORM:
		snprintf(at, left, "perform");
		break;
	case MOVE_DO_STEP:
		snprintf(at, left, "%s", move_step_name(a->perform_step));
		break;
	case MOVE_DO_CANCEL:
		snprintf(at, left, "cancel");
		break;
	case MOVE_DO_SUSPEND:
		snprintf(at, left, "suspend");
		break;
	case MOVE_DO_ABORT_JOB:
		snprintf(at, left, "abort");
		break;
	case MOVE_DO_OBSERVE:
		snprintf(at, left, "observe");
		break;
	case MOVE_DO_REPAIR:
		snprintf(at, left, "%s", reconcile_verdict_name(a->repair));
		break;
	case MOVE_DO_COLLECT:
		snprintf(at, left, "collect");
		break;
	case MOVE_DO_TIMER:
		snprintf(at, left, "timer:%d", (int)a->ms);
		break;
	case MOVE_DO_ALARM:
		snprintf(at, left, "alarm");
		break;
	case MOVE_DO_END:
		snprintf(at, left, "end:%s", move_outcome_name(move->outcome));
		break;
	}
}

static inline void
feed(const struct move_event *event)
{
	move_step(move, event, now, &actions);
	words[0] = '\0';
	for (size_t i = 0; i < actions.count; i++)
		add_word(&actions.items[i]);
}

static inline void
tell(enum move_event_kind kind)
{
	feed(&(struct move_event){.kind = kind});
}

static inline void
tell_error(enum move_event_kind kind, enum err_code code, const char *msg)
{
	struct err err = {0};

	(void)err_set(&err, code, "%s", msg);
	feed(&(struct move_event){.kind = kind, .err = &err});
}

static inline void
see(const struct reconcile_side *source, const struct reconcile_side *target)
{
	feed(&(struct move_event){
	    .kind = MOVE_EV_OBSERVED, .source = *source, .target = *target});
}

#define expect(what) ck_assert_str_eq(words, what)

/* The same look a second time, for what is not done at the first. */
static inline void
see_twice(
    const struct reconcile_side *source, const struct reconcile_side *target)
{
	see(source, target);
	expect("observe");
	see(source, target);
}

static inline void
wait_ms(int64_t ms)
{
	now = mono_add(now, ms);
	tell(MOVE_EV_TIMER);
}

static inline void
begin(void)
{
	tell(MOVE_EV_BEGIN);
	expect("intent:perform perform timer:60000");
	ck_assert_int_eq(move->state, MOVE_PERFORMING);
}

static inline void
perform_fails(const char *why)
{
	begin();
	tell_error(MOVE_EV_PERFORMED, ERR_REFUSED, why);
	expect("observe");
}

static inline TCase *
add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
