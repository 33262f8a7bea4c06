#ifndef DROVER_ACT_RESTART_H
#define DROVER_ACT_RESTART_H

#include <stdbool.h>

#include "act/move.h"
#include "act/reconcile.h"

/*
 * Moving by shutdown and start: given what source and target say about the guest
 * and which steps were begun and done, what is the next thing to do?  Pure; a
 * table, in restart.c.
 *
 * It is looked into after every step, after a crash of anything, and whenever
 * there is news, always with a fresh look at both hosts.  So going on after a
 * crash is the same path as going on.
 */

enum restart_verdict {
	RESTART_STEP,    /* do `step` */
	RESTART_WAIT,    /* look again later */
	RESTART_BACK,    /* it cannot go on: from now on the way back */
	RESTART_FORWARD, /* it runs at the target: no way back any more */
	RESTART_VERIFY,  /* it is up at the target: is it, when seen again? */
	RESTART_PERSON,  /* end: only a person can decide */
	RESTART_DONE,    /* end: it is at the target */
	RESTART_UNDONE,  /* end: it is at the source, as it was */
};

struct restart_view {
	struct reconcile_side source, target;
	unsigned begun, done; /* 1 << step */
	bool copies;          /* its disks go along */
	bool was_running, autostart;
	bool owner_ended; /* its owner has ended it meanwhile */
	bool force_off;
	bool back;      /* it is on the way back */
	bool verified;  /* it was seen to run at the target, or to have run */
	bool volumes;   /* there are volumes of ours at the target */
	bool may_start; /* it has not been tried too often */
	/* Time. */
	bool ask_due;       /* to be asked (again) to shut down */
	bool shutdown_over; /* it was asked for long enough */
	bool late;    /* the target was silent for too long to be cleaned now */
	bool grace;   /* it was asked so lately that it may still obey */
	bool lingers; /* nothing has changed for RECONCILE_PATIENCE_MS */
};

struct restart_row {
	int number; /* of the row, as in restart.c and its test */
	enum restart_verdict verdict;
	enum move_step step;
	/* Must be seen in two looks, the second begun after the first had
	 * ended: the sides are not asked at the same instant. */
	bool twice;
	const char *why; /* static text */
};

struct restart_row restart_next(const struct restart_view *view);

#endif
