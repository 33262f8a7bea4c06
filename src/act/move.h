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
 * The three strategies share the frame: journal, observing, ending.  A live move
 * (shared or with its disks copied) has one irreversible call and the
 * reconciliation table: move_live.c.  A restart is a row of steps, each of which
 * may be repeated, with a way forward and a way back: move_restart.c.
 *
 * Live (the first steps only when disks are copied):
 *
 *   new --begin--> stepping: check, prepare
 *                      |
 *                      v
 *                  performing --the call ended--> observing <--+
 *                      ^                           |  |  |     |
 *                      |  (a restart comes in      |  |  |     |
 *                      |   at observing)           |  |  +--> repairing
 *                      |                           |  |
 *                following <---- still running ----+  +--> collecting --> ended
 *                                                     |    (only if moved)
 *                                                     +--> stepping: clean
 *                                                          (only if it stayed)
 *
 * Restart: new --begin--> observing --> stepping --> observing --> ... --> ended,
 * with waiting wherever there is something to wait for.
 *
 * All that is needed to go on after a crash is in move_save(); it is written
 * with each journal entry, in one transaction.
 */

enum move_strategy { MOVE_LIVE_SHARED, MOVE_LIVE_COPY, MOVE_RESTART };

/* An image that goes along.  Strings are owned. */
struct move_disk {
	char *target; /* "vda" */
	char *path;   /* at the source */
	char *format;
	char *pool, *volume;            /* at the target */
	char *dest_path;                /* there; NULL until it is known */
	char *backing, *backing_format; /* at the target; NULL */
	int64_t capacity, allocation;   /* bytes */
	bool replace; /* an old copy of ours may be in the way there */
	bool created; /* there, by us */
	/* `created`, but its making was not answered: it goes only while nothing
	 * has been written to it (hv_volume.only_empty) */
	bool unsure;
	/* restart of a running guest: the layer over it while it is copied */
	char *layer;        /* path at the source; NULL: none */
	char *layer_volume; /* its name at the target */
	char *layer_dest_path;
	bool layer_created; /* at the target */
};

/*
 * The steps of a restart, in their order forward; CHECK, PREPARE and CLEAN are of
 * a live-copy too.  Each is done by the executor as a whole and may be done again
 * after it was done, in part or in full.  Its result is MOVE_EV_STEPPED, with the
 * codes of hv.h; ERR_UNREACHABLE and ERR_TIMEOUT mean that its end is not known.
 */
enum move_step {
	MOVE_STEP_NONE,
	/* Changes nothing: ERR_CONFLICT, naming it, when at the target there is
	 * an image where one of the disks is to be, unless its `replace` is set.
	 * What is found there later has been made by us, or in the moment in
	 * which we made ours; see move_doubt_volumes(). */
	MOVE_STEP_CHECK,
	/* Volumes at the target, for each disk.  Sets `created` of those that it
	 * made, also when it fails; `replace` is as hv_volume wants it. */
	MOVE_STEP_PREPARE,
	MOVE_STEP_FREEZE, /* layers at the source, for each disk */
	/* The bases, while it runs (or after it has ended by itself): frozen. */
	MOVE_STEP_COPY,
	/* Ask the guest: `ask` is the number of the request, from 0; 0 goes to
	 * the agent if it has one, later ones to ACPI and agent in turn. */
	MOVE_STEP_SHUTDOWN,
	/* Kill its QEMU, at the source: it did not listen, and that is allowed,
	 * or it runs at the target. */
	MOVE_STEP_DESTROY,
	/* The guest is off.  The layers, if FREEZE is among steps_done; else the
	 * images, all of them. */
	MOVE_STEP_COPY_REST,
	MOVE_STEP_CARRY,  /* NVRAM, TPM, secrets */
	MOVE_STEP_DEFINE, /* at the target; on the layers, if there are any */
	MOVE_STEP_DISARM, /* no autostart at the source any more */
	MOVE_STEP_START,  /* at the target */
	MOVE_STEP_UNDEFINE_SOURCE,
	MOVE_STEP_MERGE_TARGET, /* layers into their bases, there */
	MOVE_STEP_AUTOSTART,    /* there */
	/* the way back */
	MOVE_STEP_DESTROY_TARGET,  /* kill its QEMU there: it runs twice */
	MOVE_STEP_UNDEFINE_TARGET, /* and what CARRY has brought */
	MOVE_STEP_REARM,           /* autostart at the source */
	MOVE_STEP_START_SOURCE,
	MOVE_STEP_MERGE_SOURCE, /* layers at the source */
	/* Volumes at the target: those `created`, the layers `layer_created`.
	 * Clears both flags of what it has removed, also when it fails.
	 * ERR_CONFLICT: something is used, or not empty though `unsure`; the
	 * others are gone. */
	MOVE_STEP_CLEAN,
};
#define MOVE_STEP_COUNT (MOVE_STEP_CLEAN + 1)

enum move_state {
	MOVE_NEW,
	MOVE_STEPPING,   /* a step (see `step`) is out */
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
	enum move_strategy strategy;
	struct move_disk *disks; /* that are copied */
	size_t disk_count;
	char **ejects; /* drives ("sda") whose medium does not come along */
	size_t eject_count;
	bool incremental, unsafe_ok, auto_converge, postcopy; /* hv_migrate */
	/* restart */
	bool was_running;    /* when it began: only then it is started there */
	int64_t shutdown_ms; /* how long the guest is asked */
	int64_t repeat_ms;   /* and how often */
	bool force_off;      /* then its power is cut; else it goes back */
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
	bool perform_begun; /* the intent is in the journal */
	bool perform_ok;    /* the call returned success */
	bool abort_asked;   /* by a person */
	bool timed_out;
	bool repaired;        /* something was undone */
	enum move_step step;  /* that is out, or was last */
	unsigned steps_done;  /* 1 << step, by the journal */
	unsigned steps_begun; /* their intents are in the journal */
	bool back;            /* on the way back */
	bool cut_off;         /* its power was cut, by force_off */
	bool owner_ended;     /* its owner has shut it down during the move: it
			   * stays off at the target */
	int starts;           /* at the target: how often it was tried */
	bool verified;        /* seen running there twice: no way back */
	int step_failures;    /* of this step, in a row */
	bool stirred;  /* it may have run at the source since it was seen */
	int runs_seen; /* looks that saw it run at the target, in a row */
	struct mono clean_since; /* ms 0: not; waits for a host to clean */
	bool clean_over;         /* what is left is left */
	bool writes_suspend;     /* the journal entry of this moment */
	bool first_try;          /* of this step, since we know it */
	unsigned begun_before;   /* steps_begun, before the intent of this
				  * moment */
	int asks;                /* shutdown requests so far */
	int reboots;             /* seen since the first */
	bool ask_heard;  /* a request has reached it, since we know it */
	bool ask_unsure; /* one may have */
	struct mono asked_at, shutdown_deadline;
	struct mono heard_at;  /* one may have reached it as late as this */
	bool suspended;        /* by us, to make it end (converge) */
	bool uncertain;        /* the call's end is not known */
	bool took_back;        /* see struct reconcile_view */
	bool took_back_noted;  /* in the journal */
	bool target_ran;       /* let run by a repair, or about to be */
	bool source_destroyed; /* by a repair, or about to be */
	bool recovered;        /* taken up again after a restart */
	enum reconcile_verdict repair; /* in repairing: which */
	int stayed_seen;               /* observations that said so, in a row */
	int repair_failures;
	struct mono lingers_since; /* ms 0: not */
	struct mono deadline;      /* ms 0: none; of the attempt */
	char error[768];           /* why the attempt failed */
	char note[256];            /* what it waits for, in words */
	char remark[256];          /* what a person should know of its end,
				    * also of a good one; "" mostly */
	bool ends_now;             /* the list of this moment has the end */
	bool patient; /* this wait is not cut short by news of a host */
	int last_row; /* of the reconciliation table */
	int sure_row; /* seen once; see
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
	MOVE_EV_HOST_NEWS, /* one of its hosts came back; news of its guests may
			    * have been lost */
	MOVE_EV_ABORT,     /* a person asks */
	MOVE_EV_STEPPED,   /* the step ended: err; what it learned of the disks
			    * (dest_path, created, layer_created) stands in
			    * `disks` already */
	MOVE_EV_REBOOTED,  /* the guest has reset itself, at the source */
	MOVE_EV_STARTED, /* it was started at the source; it may be off again */
	MOVE_EV_GIVE_UP, /* the convergence ladder has no rung left: err */
	MOVE_EV_SUSPENDED,   /* it is about to be paused by us: err NULL; the
			      * answer is a journal entry, and the act after it */
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
	MOVE_DO_STEP,   /* `perform_step`, only if the guest at the side that it
		       * changes (move_step_is_at_source) is still as in
		       * `expect`, unless that is RECONCILE_UNKNOWN; else report
		       * ERR_CONFLICT */
	MOVE_DO_CANCEL, /* the copy that is out: it ends with ERR_ABORTED */
	MOVE_DO_SUSPEND, /* the running migration's guest */
	MOVE_DO_ABORT_JOB,
	MOVE_DO_OBSERVE,
	MOVE_DO_REPAIR, /* verdict; only if the side is still as in
				 * `expect` (else report ERR_CONFLICT) */
	MOVE_DO_COLLECT,
	MOVE_DO_TIMER, /* in ms; replaces an earlier one */
	MOVE_DO_ALARM, /* for the log, loudly: text */
	/* Outcome is set.  Disks that are still `created` or `layer_created`
	 * although it has not completed (and is not stuck) could not be removed
	 * at the target in time: they are leftovers there, due at once. */
	MOVE_DO_END,
};

struct move_action {
	enum move_action_kind kind;
	const char *step;    /* journal: "perform" */
	const char *journal; /* "intent", "result" */
	char text[512];
	int64_t ms;
	enum reconcile_verdict repair;
	enum move_step perform_step;
	int ask; /* shutdown: which request this is, from 0 */
	struct reconcile_side expect;
};

#define MOVE_ACTIONS_MAX 8
struct move_actions {
	struct move_action items[MOVE_ACTIONS_MAX];
	size_t count;
};

/* The error of a live move that was called off; hv/explain.c knows it. */
#define MOVE_ABORTED_WORDS "aborted on request"

/* How long between looks at a migration that runs without a call of ours. */
#define MOVE_FOLLOW_MS 500
#define MOVE_WAIT_MS 1000
#define MOVE_WRITE_RETRY_MS 2000
/* After a restart, and after a call that broke off, "it stayed" counts only when
 * seen twice, this far apart: a call sent just before may not have begun at the
 * first look. */
#define MOVE_STAYED_AGAIN_MS 1500
#define MOVE_REPAIR_TRIES 5
#define MOVE_COPY_TRIES 3
#define MOVE_STARTS 2 /* of a guest that does not stay up at the target */
/* How often a guest that is to shut down is looked at (a host's news make it
 * sooner), and when one that was started is looked at again. */
#define MOVE_SHUTDOWN_LOOK_MS 200
#define MOVE_VERIFY_MS 500
/* A guest that was asked to shut down, and is given up, may still obey: for as long
 * as it would have been waited for, but no longer than this after the last
 * request. */
#define MOVE_OBEY_MS 60000
/* How long a move that has failed waits for its target to remove volumes. */
#define MOVE_CLEAN_MS 60000
/* A host that was silent for this long may be dead: the move takes no part of a
 * limit, and a person who aborts it takes the guest into their own hands. */
#define MOVE_IDLE_MS 60000

struct move *move_new(
    const char *uuid, const char *name, const char *from, const char *to);
void move_free(struct move *move); /* NULL allowed */

/* Replaces *actions. */
void move_step(struct move *move, const struct move_event *event,
    struct mono now, struct move_actions *actions);

const char *move_strategy_name(enum move_strategy strategy);
const char *move_step_name(enum move_step step); /* "copy-rest" */
/* Whose guest a step changes, or needs as it is: true for the source's.  Steps
 * that copy or define use both hosts. */
bool move_step_is_at_source(enum move_step step);
/* By the journal: the intent of it, or its good end, is written. */
bool move_has_begun(const struct move *move, enum move_step step);
bool move_has_done(const struct move *move, enum move_step step);

/* Adds a disk, all of whose strings are copied, and returns it. */
struct move_disk *move_add_disk(
    struct move *move, const struct move_disk *disk);
/* Volumes of ours are, or may be, at the target. */
bool move_has_volumes(const struct move *move);
void move_add_eject(struct move *move, const char *target);

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
