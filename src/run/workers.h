#ifndef DROVER_RUN_WORKERS_H
#define DROVER_RUN_WORKERS_H

#include <stddef.h>
#include <stdint.h>

#include "run/loop.h"

/*
 * Threads for calls that block.  Work is queued per host (`key`) and lane; a
 * host that hangs holds at most its own share of threads, and what is queued
 * for it waits without holding any.  Threads are made on demand and end after
 * being idle for a while.
 *
 * lane      what for                       running at once per key
 * control   aborts, verification           WORKERS_CONTROL_PER_KEY
 * normal    listing, statistics, checks    WORKERS_NORMAL_PER_KEY
 * open      connecting                     1
 * long      migrations, minutes each       WORKERS_LONG_PER_KEY
 *
 * An item, once taken, is referenced by nobody else; its outcome is in the
 * item, and `done` runs on the loop thread.
 */

#define WORKERS_CONTROL_PER_KEY 2
#define WORKERS_NORMAL_PER_KEY 2
#define WORKERS_LONG_PER_KEY 16
#define WORKERS_THREADS_MAX 512
#define WORKERS_QUEUE_MAX 100000

enum workers_lane {
	WORKERS_CONTROL,
	WORKERS_NORMAL,
	WORKERS_OPEN,
	WORKERS_LONG,
};

struct workers;

struct workers *workers_new(struct loop *loop);

/*
 * Waits at most grace_ms for running calls, then leaves stuck threads behind
 * (they hold no lock of ours; their `done` is never called).  Queued items that
 * did not start are dropped: `done` is called for them with cancelled = true,
 * and for results that come in during the wait with cancelled = false.  Calls
 * in the control lane are still made during the wait, also those that a `done`
 * asks for then: what a call has opened can be closed.
 */
void workers_free(struct workers *workers, int64_t grace_ms);

/*
 * Loop thread only.  `work` runs on a worker, `done` later on the loop thread;
 * `done` frees the item.  Returns -1 (and calls nothing) when the queue is
 * full, or workers_free() has begun (in the control lane: has stopped
 * waiting).
 */
int workers_submit(struct workers *workers, enum workers_lane lane,
    const char *key, void (*work)(void *item),
    void (*done)(void *item, int cancelled), void *item);

/* How many calls of this key run or wait; for status. */
size_t workers_pending(const struct workers *workers, const char *key);

#endif
