#ifndef DROVER_HV_LINK_H
#define DROVER_HV_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/clock.h"
#include "base/err.h"
#include "hv/hv.h"
#include "run/loop.h"
#include "run/workers.h"

/*
 * One host's connection over its whole life, for the loop thread.  It connects,
 * reconnects with backoff (0.5 s doubling to 30 s, full jitter), registers for
 * events and then lists, re-reads guests when events hint at a change
 * (coalesced per guest), re-lists everything now and then, and samples load.
 *
 * A host that hangs: an open that does not return within LINK_OPEN_MS is reported
 * (`lost`) and left to itself; calls that get no answer show in
 * link_silent_ms().  Nothing here ever blocks the loop.
 */

#define LINK_OPEN_MS 15000
#define LINK_RELIST_MS 60000
#define LINK_BACKOFF_MIN_MS 500
#define LINK_BACKOFF_MAX_MS 30000

struct link;

/* All on the loop thread.  Facts are given to the callee. */
struct link_callbacks {
	void (*listed)(const char *host, struct facts_host *facts, void *arg);
	/* Once per outage, and again when the cause changes; also for a host that
	 * was never reached.  `listed` ends the outage. */
	void (*lost)(const char *host, const char *why, void *arg);
	void (*domain)(
	    const char *host, struct facts_domain *domain, void *arg);
	void (*domain_gone)(const char *host, const char *uuid, void *arg);
	void (*load)(const char *host, struct facts_load *load, void *arg);
	/* A call waits for its answer and nothing else has been answered for
	 * this long; 0: it answers again.  Reported when it passes 5 s, then
	 * every second.  A host that is lost while silent says 0 right before
	 * its next `listed`. */
	void (*silent)(const char *host, int64_t silent_ms, void *arg);
	/* Raw events, for followers of migrations. */
	void (*event)(
	    const char *host, const struct hv_event *event, void *arg);
};

struct link *link_new(struct loop *loop, struct workers *workers,
    const struct hv_ops *ops, const char *host, const char *uri,
    int64_t sample_interval_ms, const struct link_callbacks *callbacks,
    void *arg);

/*
 * Closes in the background; no callback comes after this returns, except the
 * `done` of link_call()s that are on their way.  The struct frees itself once
 * its last worker item is back.
 */
void link_close(struct link *link);

bool link_is_up(const struct link *link);
const char *link_host(const struct link *link);
const char *link_uri(const struct link *link); /* as this process reaches it */
int64_t link_silent_ms(const struct link *link, struct mono now);
/* A number that grows with each successful connection. */
uint64_t link_generation(const struct link *link);
/* Reads one guest again, or everything.  Nothing while not connected: the
 * listing to come has it. */
void link_reread(struct link *link, const char *uuid);
void link_relist(struct link *link);
/* Do not wait for the backoff (an operator asked). */
void link_hurry(struct link *link);
void link_set_sample_interval(struct link *link, int64_t ms);
/* Whether pressure is read as well; it is not until this says so. */
void link_set_pressure(struct link *link, bool on);

/*
 * A call on this host.  `work` runs on a worker with a connection that stays
 * open for its duration: in the control lane one that nobody else uses (if one
 * is idle), in the normal lane the one that reads and checks take turns on.
 * `done` runs on the loop thread, never inside this call, with err.code
 * ERR_NONE when work was called.  With any other code it was not:
 * ERR_UNREACHABLE when there was no connection, ERR_LIMIT when too much waits
 * already, ERR_ABORTED when the workers end.  `work` puts its outcome into the
 * item.  The item belongs to the call until `done`, which frees it.
 */
void link_call(struct link *link, enum workers_lane lane,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item);

/* The same in the long lane, for migrations: always with a connection of its
 * own.  Idle ones are kept ready, so that it starts at once. */
void link_call_long(struct link *link,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item);

/* As link_call_long, but never with a connection that is kept ready for
 * migrations: for questions that take a while.  Their own ones are kept for
 * the next, LINK_ASIDE_MAX per host. */
#define LINK_ASIDE_MAX 3
void link_call_aside(struct link *link,
    void (*work)(const struct hv_ops *ops, struct hv_conn *conn, void *item),
    void (*done)(void *item, const struct err *err), void *item);

#endif
