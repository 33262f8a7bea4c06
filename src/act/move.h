#ifndef DROVER_ACT_MOVE_H
#define DROVER_ACT_MOVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "act/reconcile.h"
#include "base/clock.h"
#include "base/err.h"

/*
 * One guest's journey as a pure state machine.  move_step() takes what happened
 * and the time, and lists what is to be done, in order; executor.c does it and
 * reports back.  Nothing here calls, waits or writes.
 *
 *   new --begin--> performing --the call ended--> observing <--+
 *                      ^                           |  |  |     |
 *                      |  (a restart comes in      |  |  |     |
 *                      |   at observing)           |  |  +--> repairing
 *                      |                           |  |
 *                following <---- still running ----+  +--> collecting --> ended
 *                                                          (only if moved)
 *
 * All that is needed to go on after a crash is in move_save(); it is written
 * with each journal entry, in one transaction.
 */

enum move_state {
	MOVE_NEW,
	MOVE_PERFORMING, /* our migration call is out */
	MOVE_OBSERVING,  /* both hosts are being asked */
	MOVE_FOLLOWING,  /* it runs in libvirt without a call of ours */
	MOVE_WAITING,    /* a host does not answer, or has not settled */
	MOVE_REPAIRING,  /* one call of the reconciliation is out */
	MOVE_COLLECTING, /* it has moved; reading its figures */
	MOVE_ENDED,
};

enum move_outcome {
	MOVE_NO_OUTCOME,
	MOVE_COMPLETED,
	MOVE_FAILED,      /* runs at the source; nothing had to be undone */
	MOVE_ROLLED_BACK, /* runs at the source; Drover undid the rest */
	MOVE_ABORTED,     /* on request; runs at the source */
	MOVE_STUCK,       /* only a person can decide; see error */
};

struct move {
	/* What it is; strings are owned. */
	char *uuid, *name, *from, *to;
	bool strict;
	bool persistent, autostart;
	enum domain_reason reason_before;
	int64_t max_downtime_ms; /* 0: the hypervisor's default */
	int64_t bandwidth;       /* bytes/s, 0: all */
	int64_t timeout_ms;      /* 0: none */
	int64_t memory;          /* bytes that the target keeps free for
					 * it; not used here, only kept */

	/* Where it is. */
	enum move_state state;
	enum move_outcome outcome;
	bool perform_ok;  /* the call returned success */
	bool abort_asked; /* by a person */
	bool timed_out;
	bool repaired;                 /* something was undone */
	bool uncertain;                /* the call's end is not known */
	bool took_back;                /* see struct reconcile_view */
	bool took_back_noted;          /* in the journal */
	bool source_destroyed;         /* by a repair, or about to be */
	bool recovered;                /* taken up again after a restart */
	enum reconcile_verdict repair; /* in repairing: which */
	int stayed_seen;               /* observations that said so, in a row */
	int repair_failures;
	struct mono lingers_since; /* ms 0: not */
	struct mono deadline;      /* ms 0: none; of the attempt */
	char error[768];           /* why the attempt failed */
	char note[256];            /* what it waits for, in words */
	int last_row;              /* of the reconciliation table */
	int sure_row;              /* seen once; see
					 * reconcile_needs_second_look() */
};

enum move_event_kind {
	MOVE_EV_BEGIN,
	MOVE_EV_RECOVERED, /* read from the journal after a restart */
	MOVE_EV_PERFORMED, /* the call ended: err, NULL = success */
	MOVE_EV_OBSERVED,  /* source, target */
	MOVE_EV_REPAIRED,  /* the repair ended: err */
	MOVE_EV_COLLECTED, /* figures read, or not to be had */
	MOVE_EV_TIMER,
	MOVE_EV_HOST_NEWS,   /* one of its hosts came back or changed */
	MOVE_EV_ABORT,       /* a person asks */
	MOVE_EV_NOT_WRITTEN, /* the journal could not be written; what stood
				 * behind it in the list was not done */
};

struct move_event {
	enum move_event_kind kind;
	const struct err *err;
	struct reconcile_side source, target;
};

enum move_action_kind {
	MOVE_DO_JOURNAL, /* durable, before anything that follows */
	MOVE_DO_PERFORM,
	MOVE_DO_ABORT_JOB,
	MOVE_DO_OBSERVE,
	MOVE_DO_REPAIR, /* verdict; only if the side is still as in
				 * `expect` (else report ERR_CONFLICT) */
	MOVE_DO_COLLECT,
	MOVE_DO_TIMER, /* in ms; replaces an earlier one */
	MOVE_DO_ALARM, /* for the log, loudly: text */
	MOVE_DO_END,   /* outcome is set */
};

struct move_action {
	enum move_action_kind kind;
	const char *step;    /* journal: "perform" */
	const char *journal; /* "intent", "result" */
	char text[512];
	int64_t ms;
	enum reconcile_verdict repair;
	struct reconcile_side expect;
};

#define MOVE_ACTIONS_MAX 8
struct move_actions {
	struct move_action items[MOVE_ACTIONS_MAX];
	size_t count;
};

/* How long between looks at a migration that runs without a call of ours. */
#define MOVE_FOLLOW_MS 500
#define MOVE_WAIT_MS 1000
#define MOVE_WRITE_RETRY_MS 2000
/* After a restart, and after a call that broke off, "it stayed" counts only when
 * seen twice, this far apart: a call sent just before may not have begun at the
 * first look. */
#define MOVE_STAYED_AGAIN_MS 1500
#define MOVE_REPAIR_TRIES 5
/* A host that was silent for this long may be dead: the move takes no part of a
 * limit, and a person who aborts it takes the guest into their own hands. */
#define MOVE_IDLE_MS 60000

struct move *move_new(
    const char *uuid, const char *name, const char *from, const char *to);
void move_free(struct move *move); /* NULL allowed */

/* Replaces *actions. */
void move_step(struct move *move, const struct move_event *event,
    struct mono now, struct move_actions *actions);

/* For the journal.  New reference. */
json_t *move_save(const struct move *move);
/* ERR_INVALID when it is not what move_save() wrote. */
struct move *move_load(const json_t *json, struct err *err);

const char *move_state_name(enum move_state state);
/* Nothing of it goes on: it waits, since MOVE_IDLE_MS and longer. */
bool move_is_idle(const struct move *move, struct mono now);
/* "completed", "failed", "rolled-back", "aborted", "stuck"; NULL for none. */
const char *move_outcome_name(enum move_outcome outcome);

#endif
