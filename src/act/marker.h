#ifndef DROVER_ACT_MARKER_H
#define DROVER_ACT_MARKER_H

#include "config/settings.h"
#include "hv/link.h"
#include "model/inventory.h"
#include "record/store.h"

/*
 * Proves whether pools of different hosts are one and the same storage: a small
 * volume with a name that was never there before is made in the one, and looked
 * for in the other.  The verdicts go into the inventory (INVENTORY_PROVEN).
 *
 * It is done in rounds: each pool that matters gets one marker, then each pool is
 * read once, and that tells about all pairs.  Every pool is written to before it
 * is read, also where only one marker would be needed, because a network file
 * system may show a folder as it was a minute ago until the host changes it
 * itself.
 *
 * What cannot be found out counts as "not one" and is asked again after
 * MARKER_DOUBT_MS.
 *
 * No marker is ever left behind: its name is in the store before it is made and
 * until it has been removed.  What a crash or a lost host leaves is removed when
 * the host is there again.  Loop thread only.
 */

#define MARKER_PREFIX ".drover-marker-"
#define MARKER_GAP_MS 1000    /* from the begin of a round to the next */
#define MARKER_PHASE_MS 15000 /* who has not answered then is left out */
#define MARKER_DOUBT_MS (5 * 60 * 1000)
#define MARKER_SWEEP_MS 10000

struct marker;

struct marker_deps {
	struct loop *loop;
	struct inventory *inventory;
	struct store *store;
	struct link *(*link)(const char *host, void *arg);
	struct snapshot *(*look)(void *arg); /* given to the caller */
	void (*answered)(void *arg);         /* a decision could depend on it */
	void *arg;
	/* 0: as above; less in tests */
	int64_t gap_ms, phase_ms, doubt_ms, sweep_ms;
};

struct marker *marker_new(const struct marker_deps *deps);
/* After the workers have ended.  NULL allowed. */
void marker_free(struct marker *marker);
/* Not owned; must stay until replaced. */
void marker_configure(struct marker *marker, const struct settings *settings);

/* Something has changed: begins a round if that could tell anything new. */
void marker_run(struct marker *marker, const struct snapshot *snapshot);
/* The host was listed: what is left of earlier rounds is removed there. */
void marker_listed(struct marker *marker, const char *host);
/* Ends the round that is under way and makes no more.  Calls done(arg) once its
 * markers are gone; not when freed before. */
void marker_release(
    struct marker *marker, void (*done)(void *arg), void *done_arg);

#endif
