#ifndef DROVER_DECIDE_PLACE_H
#define DROVER_DECIDE_PLACE_H

#include "base/arena.h"
#include "config/settings.h"
#include "decide/strategy.h"
#include "model/snapshot.h"

/*
 * Where could a guest go, and how?  First filters: each host that cannot take it
 * is rejected by the first rule that fails, with the reason; the last of them is
 * that no strategy leads there (strategy.h).  Then a numbered ladder among those
 * that are left: the first step on which two hosts differ decides.
 *
 * All of it is deterministic; the last step is the name.
 */

struct guard;

enum place_rule {
	PLACE_OK,
	PLACE_SAME_HOST,
	PLACE_HOST_DOWN,   /* not connected, or never listed */
	PLACE_HOST_SILENT, /* does not answer since PLACE_SILENT_MS */
	PLACE_CLAIMED,     /* by another daemon, or not known yet: wait */
	PLACE_MAINTENANCE,
	PLACE_CORDONED,
	PLACE_EMPTYING,  /* a policy moves guests away from it */
	PLACE_FORBIDDEN, /* by a policy's forbid */
	PLACE_REQUIRED,  /* the policy's target.require is not true of it */
	PLACE_GAIN,      /* no less busy than its host, by the policy's gain */
	PLACE_SAME_UUID, /* cloned host UUID */
	PLACE_NAME_TAKEN,
	PLACE_UUID_TAKEN,
	PLACE_NETWORK,
	PLACE_BRIDGE,
	PLACE_MACHINE,
	PLACE_FIRMWARE,  /* or another file that the guest starts from */
	PLACE_PLACEMENT, /* a hard rule of `placement` (placement.h) */
	PLACE_MEMORY,
	PLACE_HUGEPAGES,
	PLACE_STRATEGY,  /* no strategy that is wanted leads there */
	PLACE_NOT_ASKED, /* the operator named another target */
};

#define PLACE_SILENT_MS SNAPSHOT_SILENT_MS

/* Reasons that lie in the guest and hold for every host. */
enum place_guest_rule {
	PLACE_GUEST_OK,
	PLACE_GUEST_NOT_RUNNING, /* paused, crashed, ...: stays */
	PLACE_GUEST_STOPPED,     /* shut off, and not to be moved so */
	PLACE_GUEST_PINNED,      /* a device or feature, also for a restart */
	PLACE_GUEST_BUSY,        /* another job holds it: wait */
	PLACE_GUEST_CLAIMED,     /* another daemon acts on its host */
	PLACE_GUEST_GIVEN_UP,    /* retries used up */
};

struct place_rejection {
	const struct snap_host *host;
	enum place_rule rule;
	const char *why; /* "needs 8.1 GiB, 3.1 GiB free of 32.0 GiB (2.1
				 * GiB reserved by 1 move to it, 1.0 GiB kept
				 * free)"; with PLACE_STRATEGY those of the
				 * refusals in one text */
	bool wait;       /* it may pass by itself */
	/* With PLACE_STRATEGY: each strategy's reason. */
	const struct strategy_refusal *refusals;
	size_t refusal_count;
};

/* What moves take in one pool of a target. */
struct place_booking {
	const char *pool;
	int64_t bytes;
	struct place_booking *next;
};

/* A guest that will be at another host. */
struct place_going {
	const struct snap_vm *vm;
	size_t to; /* index of the host */
	const struct place_going *next;
};

/* How a host's figures differ when moves are over; NAN: unknown. */
struct place_shift {
	double cpu;                   /* cores' worth, smoothed */
	double memory_in, memory_out; /* bytes that arrive, and leave */
	int vms;
};

/* What has been handed out since the snapshot was taken (same evaluation). */
struct place_ledger {
	struct arena *arena;
	const struct snapshot *s;
	struct place_booking **disks; /* per host */
	int64_t *memory;              /* per host: bytes reserved */
	int *inbound, *outbound;      /* per host: moves */
	int total;
	/* What those moves bring and take, so that load spreads. */
	double *cpu;               /* per host: cores' worth, may be negative */
	struct place_shift *shift; /* per host: the same for expressions, to
				    * which what is not known matters */
	/* The latest first; those in flight are not among them. */
	const struct place_going *going;
	struct placement_index *placement;  /* placement_view.c's; NULL */
	struct place_names *names;          /* place_taken.c's; NULL */
	struct place_candidate *candidates; /* place.c's: by host; NULL */
	struct guard_crowd *crowds;         /* guard.c's; NULL */
};

/* From the moves in flight of the snapshot, which must stay. */
struct place_ledger *place_ledger_new(
    struct arena *arena, const struct snapshot *s);
/* Books a move of vm to target; `how`: its disks, NULL: none. */
void place_ledger_book(struct place_ledger *ledger, const struct snapshot *s,
    const struct snap_vm *vm, const struct snap_host *target,
    const struct strategy_result *how);
/* Bytes booked in that pool; `arg` is the ledger (see strategy_choose). */
int64_t place_ledger_disk(const char *host, const char *pool, void *arg);

/* What a guest of that much memory takes from a host, QEMU's own included. */
int64_t place_memory_need(int64_t memory);

struct place_request {
	const struct snap_vm *vm;
	const char *only_to; /* the operator's --to; NULL: any */
	const char *prefer;  /* a host that a plan wants; NULL: none */
	int retries;         /* attempts allowed beyond the first; -1: any */
	bool leaving;        /* its host is being emptied; see placement.h */
	const struct strategy_wish *wish;
	const struct guard *guard; /* what policies say of targets; NULL */
};

struct place_choice {
	const struct snap_vm *vm;
	const struct snap_host *from;
	const struct snap_host *target;  /* NULL: none */
	struct strategy_result strategy; /* towards the target */
	enum place_guest_rule guest_rule;
	bool wait;       /* no target yet, but that may change by itself:
				 * an answer or a move is under way */
	const char *why; /* chosen: the step that decided, in words;
				 * not: the whole reason, each host named */
	struct place_rejection *rejections; /* in order of host names */
	size_t rejection_count;
};

void place_choose(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, struct place_ledger *ledger,
    const struct place_request *request, struct place_choice *out);

/* The same choice, with little kept of the reasons, in `arena`: `why` is cut, and
 * of each rule only the first rejections are there. */
#define PLACE_BRIEF_PER_RULE 2
void place_choose_briefly(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, struct place_ledger *ledger,
    const struct place_request *request, struct place_choice *out);

/* One host's answer alone: rule PLACE_OK when it could take the guest.  What lies
 * in the guest itself is not looked at. */
void place_check(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, struct place_ledger *ledger,
    const struct place_request *request, const struct snap_host *host,
    struct place_rejection *out);

const char *place_rule_name(enum place_rule rule); /* "memory" */
const char *place_guest_rule_name(enum place_guest_rule rule);

#endif
