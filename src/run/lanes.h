#ifndef DROVER_RUN_LANES_H
#define DROVER_RUN_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "run/workers.h"

/*
 * Which call may start next: the bookkeeping behind workers.c, without
 * threads and without a lock (the caller holds one).
 *
 * Jobs of one key and lane start in the order in which they were added and
 * at most as many at once as the lane allows.  Keys take turns.  Among lanes
 * the order is that of enum workers_lane, and over all keys the lower lanes
 * leave threads to the higher ones, out of WORKERS_THREADS_MAX.
 */

struct lanes;
struct lanes_queue;

struct lanes_job {
	STAILQ_ENTRY(lanes_job) next;
	struct lanes_queue *queue; /* NULL once it has left */
	void (*work)(void *item);
	void (*done)(void *item, int cancelled);
	void *item;
};

STAILQ_HEAD(lanes_list, lanes_job);

struct lanes *lanes_new(void);
void lanes_free(struct lanes *lanes); /* empty of jobs */

/* The job belongs to the caller again after lanes_finish() or lanes_drop(). */
void lanes_add(struct lanes *lanes, enum workers_lane lane, const char *key,
    struct lanes_job *job);

/* The next job that may start, counted as running; NULL: none now. */
struct lanes_job *lanes_take(struct lanes *lanes);

/* Undoes lanes_take(): the job is the first of its queue again. */
void lanes_put_back(struct lanes *lanes, struct lanes_job *job);

/* The job's call has returned. */
void lanes_finish(struct lanes *lanes, struct lanes_job *job);

/* Moves all jobs that wait to the end of `out`; `from` is the first lane that
 * is emptied, those above it keep theirs. */
void lanes_drop(
    struct lanes *lanes, enum workers_lane from, struct lanes_list *out);

size_t lanes_waiting(const struct lanes *lanes);
size_t lanes_running(const struct lanes *lanes);

/* Jobs of the key that run or wait. */
size_t lanes_pending(const struct lanes *lanes, const char *key);

#endif
