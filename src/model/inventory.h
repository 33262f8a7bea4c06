#ifndef DROVER_MODEL_INVENTORY_H
#define DROVER_MODEL_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "config/settings.h"
#include "model/facts.h"
#include "model/snapshot.h"

/*
 * What is known of all hosts, kept up to date by news.  Pure: each piece of
 * news is one inventory_apply().  Loop thread only.
 *
 * News about a host that is not configured is ignored.  A host that was lost
 * keeps what was last seen of it (its guests are still there as far as anyone
 * knows), marked as not up.
 */

enum inventory_news {
	INVENTORY_HOST_LISTED, /* facts: the whole truth; host is up */
	INVENTORY_HOST_LOST,   /* why */
	INVENTORY_HOST_SILENT, /* silent_ms */
	INVENTORY_DOMAIN_READ, /* domain: one guest re-read */
	INVENTORY_DOMAIN_GONE, /* uuid */
	INVENTORY_LOAD_READ,   /* load */
	INVENTORY_FLAG_SET,    /* maintenance, cordoned, why, since */
	INVENTORY_ABI_CHECKED, /* key, verdict, why */
	INVENTORY_SURVEYED,    /* survey: of a guest at this host; its images
				* until the guest has others, its dirty rate
				* (when asked for) until it stops.  An empty one
				* says that there is nothing to be found out */
	INVENTORY_SAMPLED,     /* uuid: there was a try to measure how fast it
				* writes to its memory; a dirty rate, if it came
				* to one, is in a survey before */
	INVENTORY_PROVEN,      /* proof: of this host's pool and another's;
				* forgotten when one of the two pools is
				* another or a host is lost */
	INVENTORY_ARRIVED,     /* memory: of a guest; until load is read */
	INVENTORY_FILE_SEEN,   /* key: a path; verdict: is there a readable
				* file at this host (unknown: that cannot be
				* found out)?  Until it is lost */
	INVENTORY_CLAIMED, /* why: who else acts on it, NULL nobody; or open */
};

struct inventory_event {
	enum inventory_news news;
	const char *host;
	struct mono now;
	/* Taken over (freed) by inventory_apply: */
	struct facts_host *facts;
	struct facts_domain *domain;
	struct facts_load *load; /* contents taken, struct is not */
	struct facts_survey *survey;
	/* Copied: */
	const char *uuid;
	const char *why;
	int64_t silent_ms, memory;
	bool maintenance, cordoned, open;
	struct wall since;
	const char *key;
	enum snap_verdict verdict;
	const struct snap_proof *proof;
};

struct inventory;

struct inventory *inventory_new(void);
void inventory_free(struct inventory *inventory);

/* The configured hosts; those that are gone from it are forgotten, the rest
 * keep what is known (of one whose URI is another now, only its flags).  The
 * settings need not outlive the call. */
void inventory_configure(
    struct inventory *inventory, const struct settings *settings);

/* True when something changed that a decision could depend on (a new load
 * figure alone does not count). */
bool inventory_apply(
    struct inventory *inventory, struct inventory_event *event);

/*
 * What is known of a guest wherever it is, and also before it is seen.  Labels:
 * those of an operator go before those of its metadata, which go before those of
 * the settings.  value NULL: takes the operator's back.
 */
void inventory_set_label(struct inventory *inventory, const char *uuid,
    const char *key, const char *value);
/* An operator's; NULL: none.  Valid until it changes. */
const char *inventory_get_label(
    const struct inventory *inventory, const char *uuid, const char *key);
size_t inventory_count_labels(
    const struct inventory *inventory, const char *uuid);
/* A move of it succeeded; an earlier one than is known changes nothing. */
void inventory_set_moved(
    struct inventory *inventory, const char *uuid, struct wall at);

/* Grows with each change; equal numbers mean equal content. */
uint64_t inventory_version(const struct inventory *inventory);

/* The caller's arrays are copied.  Free with snapshot_free(). */
struct snapshot *inventory_snapshot(const struct inventory *inventory,
    const struct snap_move *moves, size_t move_count,
    const struct snap_attempt *attempts, size_t attempt_count, struct mono now,
    struct wall now_wall);

/*
 * ABIs of running guests for which an up host has no verdict yet: calls fn once
 * for each (host, abi).  A verdict is forgotten when its host is lost (it may
 * come back with another QEMU).  Nobody is asked about what is incomparable.
 */
void inventory_each_unchecked_abi(const struct inventory *inventory,
    void (*fn)(const char *host, const struct snap_abi *abi, void *arg),
    void *arg);

/* `vm` is the inventory's own, for the time of the call; of the figures of a
 * survey it has `surveyed`, `dirty_rate` and `dirty_at` only. */
typedef void (*inventory_guest_fn)(
    const char *host, const struct snap_vm *vm, void *arg);

/* Guests of hosts that are up, running or not, that have an image on a disk
 * which is not a network disk, and whose images were never looked at or not
 * for max_age_ms.  By host. */
void inventory_each_unsurveyed(const struct inventory *inventory,
    struct mono now, int64_t max_age_ms, inventory_guest_fn fn, void *arg);

/* What lies in the drives (cdrom, floppy) of guests of other hosts, and their
 * firmware and kernels, of which it is not known, or was last asked max_age_ms
 * ago, whether this host (which is up) has a file of that path too. */
void inventory_each_unseen_file(const struct inventory *inventory,
    struct mono now, int64_t max_age_ms,
    void (*fn)(const char *host, const char *path, void *arg), void *arg);

/* Running guests whose dirty rate was not measured for max_age_ms, or a good deal
 * less when they were measured only a few times since they run. */
void inventory_each_unsampled(const struct inventory *inventory,
    struct mono now, int64_t max_age_ms, inventory_guest_fn fn, void *arg);

#endif
