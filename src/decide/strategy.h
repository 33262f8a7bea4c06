#ifndef DROVER_DECIDE_STRATEGY_H
#define DROVER_DECIDE_STRATEGY_H

#include "base/arena.h"
#include "config/settings.h"
#include "decide/predict.h"
#include "decide/storage.h"
#include "model/snapshot.h"

/*
 * How one guest could move to one host: each strategy is tried in the order
 * that is wanted, the first that passes wins, and every other keeps the reason
 * why it did not.  Here stands what depends on the strategy; what holds for any
 * of them (the host is up, takes guests, has the memory and the networks) is
 * place_filter.c.
 */

enum strategy { STRATEGY_LIVE_SHARED, STRATEGY_LIVE_COPY, STRATEGY_RESTART };
#define STRATEGY_COUNT 3

/* What the policy, or the operator, wants. */
struct strategy_wish {
	enum strategy order[STRATEGY_COUNT]; /* the allowed ones, best first */
	size_t count;
	enum policy_handover handover;
	int64_t max_downtime_ms; /* 0: default */
	struct converge_policy converge;
	int64_t bandwidth; /* bytes/s that one move can get; 0: unknown,
				  * then what moves to that host got before */
	bool include_stopped;
	/* Somebody waits for it: figures that only foretell are not. */
	bool at_once;
	const char *policy; /* its name, for words; NULL: an operator's */
};

/* One image that goes along. */
struct strategy_disk {
	const char *target; /* "vda" */
	const char *path;   /* at the source */
	const char *format;
	/* At the source; NULL: in no pool (only of a live-copy). */
	const char *source_pool, *source_volume;
	const char *pool;      /* at the target */
	const char *volume;    /* its name there */
	const char *dest_path; /* where it will be, if the pool tells */
	const char *backing, *backing_format; /* at the target; NULL */
	int64_t capacity;                     /* bytes */
	int64_t allocation;                   /* bytes that come along */
	bool replace; /* an image that we left there may be in the way */
};

/* The rules are in strategy_live.c, strategy_copy.c and strategy_restart.c, numbered
 * in the order in which they are looked at; the first that fails refuses. */
struct strategy_refusal {
	enum strategy strategy;
	const char *rule; /* "storage-shared", "cpu", "pool-room"; also
			   * "not-allowed" (by the wish) and "later": it would
			   * pass, but another comes first */
	const char *why;
	bool wait; /* it may pass by itself (an answer is awaited) */
};

struct strategy_result {
	bool found;
	enum strategy strategy;
	bool strict;      /* handover of a live move */
	bool incremental; /* live-copy onto backing images */
	/* See hv_migrate.  False, with own proof of storage, means that libvirt
	 * has the last word for storage.unsafe's reason. */
	bool unsafe_ok;
	struct strategy_disk *disks; /* to be copied */
	size_t disk_count;
	const char **ejects; /* drives whose medium does not come along */
	size_t eject_count;
	int64_t disk_bytes; /* sum of allocations */
	/* What counts against a limit when QEMU copies: what was never
	 * written counts there, though nothing is sent for it. */
	int64_t paced_bytes;
	struct predict_result predicted;
	struct strategy_refusal refusals[STRATEGY_COUNT];
	size_t refusal_count; /* all but the one found; in order of the enum */
	/* None is found as long as one may pass by itself that is wanted more
	 * than those that pass. */
	bool wait;
	size_t rank; /* in the wish, of what was found or is waited for */
	struct storage_result storage;
};

/* `disk_taken`: bytes that moves in flight take in this host's pools, by
 * pool; see place_ledger. */
void strategy_choose(struct arena *arena, const struct settings *settings,
    const struct snapshot *s, const struct snap_host *target,
    const struct snap_vm *vm, const struct strategy_wish *wish,
    int64_t (*disk_taken)(const char *host, const char *pool, void *arg),
    void *arg, struct strategy_result *out);

/* From a policy, or NULL for an operator's own move, which may be of a guest that
 * is shut off. */
struct strategy_wish strategy_wish_of(
    const struct settings *settings, const struct policy *policy);

/* Wants that one before the others, where it is allowed at all. */
void strategy_wish_first(struct strategy_wish *wish, enum strategy strategy);

/* The reasons of those that the wish allows, strategies of one reason together:
 * "live-shared: ...; live-copy, restart: ..."; or one for all without a name. */
const char *strategy_words(
    struct arena *arena, const struct strategy_result *result);

const char *strategy_name(enum strategy strategy); /* "live-copy" */
/* False: no such strategy. */
bool strategy_parse(const char *name, enum strategy *out);

#endif
