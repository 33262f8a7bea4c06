#ifndef DROVER_ACT_RECONCILE_H
#define DROVER_ACT_RECONCILE_H

#include <stdbool.h>

#include "model/facts.h"

/*
 * Given what source and target say about one guest, both asked after the call
 * that moved it had ended (or after this daemon had started): who owns the guest, and
 * what is the one next thing to do?  Pure; a table, in reconcile.c.
 *
 * The caller does that one thing, asks both hosts again and comes back, until the
 * answer is an end.  So every path, also after a crash, is the same path.
 */

enum reconcile_presence {
	RECONCILE_UNKNOWN, /* the host did not answer */
	RECONCILE_ABSENT,  /* the host answered: no such guest */
	RECONCILE_PRESENT,
};

struct reconcile_side {
	enum reconcile_presence presence;
	enum domain_state state; /* these when present */
	enum domain_reason reason;
	enum domain_job job;
	bool persistent, autostart;
};

struct reconcile_view {
	struct reconcile_side source, target;
	bool strict;     /* the target arrived paused, by our wish */
	bool persistent; /* the guest was defined at the source */
	bool autostart;  /* and was to start with its host */
	/* Why the source's guest ran before the move began: as long as that is
	 * unchanged, the guest was never stopped for a switchover. */
	enum domain_reason reason_before;
	bool lingers; /* a state that should pass by itself has not,
				 * for RECONCILE_PATIENCE_MS */

	/* What is known from before this look. */
	bool confirmed;        /* the call ended with success: by libvirt's word
				 * the source has let go for good */
	bool took_back;        /* the source ran on after a switchover: what the
				 * target has got is old */
	bool source_destroyed; /* by Drover, because the target owns it */
	bool repaired;         /* Drover has resumed the source, or removed
				 * something at the target */
	bool copied;           /* its disks are copied: each side has its own */
	bool target_ran; /* Drover has let it run there, or was about to */
	bool suspended;  /* Drover has paused it at the source, or was about
				* to, to let the migration end */
};

#define RECONCILE_PATIENCE_MS 15000

enum reconcile_verdict {
	RECONCILE_WAIT,   /* ask again later */
	RECONCILE_FOLLOW, /* the migration is still running */
	RECONCILE_RESUME_TARGET,
	RECONCILE_RESUME_SOURCE,
	RECONCILE_DESTROY_TARGET, /* kill its QEMU: the source runs */
	RECONCILE_DESTROY_SOURCE, /* kill its QEMU: the target owns it */
	RECONCILE_UNDEFINE_TARGET,
	RECONCILE_UNDEFINE_SOURCE,
	RECONCILE_AUTOSTART_TARGET,
	RECONCILE_MOVED,  /* end: it is at the target */
	RECONCILE_STAYED, /* end: it is at the source */
	RECONCILE_ENDED,  /* end: it stopped by itself */
	RECONCILE_PERSON, /* end: only a person can decide */
};

struct reconcile_row {
	int number; /* of the row, as in reconcile.c and its test */
	enum reconcile_verdict verdict;
	const char *why; /* static text */
};

struct reconcile_row reconcile(const struct reconcile_view *view);

/*
 * The two sides are not asked at the same instant, and one answer may be old when
 * the other comes.  True for verdicts that must be seen in two looks, the
 * second begun after the first had ended, before anything is done: then what the
 * first said of one side was still so when the other answered.
 */
bool reconcile_needs_second_look(enum reconcile_verdict verdict);

const char *reconcile_verdict_name(enum reconcile_verdict verdict);

#endif
