/*
 * Threads for calls that block.  What may start next is lanes.c's matter; this
 * file finds a thread for it and brings the outcome back.
 *
 * A job that may start is handed to an idle thread, the one that became idle
 * last, or to a new one.  The end of one call lets at most one more start, and
 * the thread that made the call takes it.
 *
 * `struct workers` belongs to the loop thread; `struct workers_pool` is shared
 * with the threads and lives until the last of them lets go.  A thread that is
 * stuck in a call when the daemon ends keeps the pool and its item, nothing
 * else: it finds `closed` set when it comes back, and leaves.  Whoever holds
 * the pool's lock and sees `closed` unset may use the loop.
 *
 * Results go through a list in the pool and one post at a time, so that
 * workers_free() can hand out those that come in while it waits.
 */
#include "run/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/log.h"
#include "run/lanes.h"

#define WORKERS_STACK_SIZE ((size_t)512 * 1024)
#ifndef WORKERS_IDLE_MS /* a build for tests may shorten it */
#define WORKERS_IDLE_MS 30000
#endif
#define WORKERS_RETRY_MS 1000 /* after no thread could be made */
#define WORKERS_DELIVER_BATCH 64

struct workers_thread {
	LIST_ENTRY(workers_thread) idle;
	pthread_cond_t wake;
	struct workers_pool *pool;
	struct lanes_job *job; /* handed over; NULL: look for one */
};

struct workers_pool {
	pthread_mutex_t lock; /* for everything here */
	pthread_cond_t ended; /* a thread did, or a call while closing */
	unsigned int refs;
	struct loop *loop; /* not to be used once closed */
	bool closing;      /* nothing new starts, but control */
	bool closed;       /* nobody wants results any more */
	bool posted;       /* workers_deliver() is in the mailbox */

	struct lanes *lanes;
	LIST_HEAD(, workers_thread) idle; /* last in, first out */
	unsigned int threads;
	struct lanes_list finished;
};

struct workers {
	struct workers_pool *pool;
	struct loop_timer *retry;
};

static struct workers_pool *
workers_pool_new(struct loop *loop)
{
	struct workers_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attr;

	if (pool == NULL)
		abort();
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->ended, &attr);
	(void)pthread_condattr_destroy(&attr);
	pool->refs = 1;
	pool->loop = loop;
	pool->lanes = lanes_new();
	LIST_INIT(&pool->idle);
	STAILQ_INIT(&pool->finished);
	return pool;
}

/* Gives up a reference and the lock, in this order. */
static void
workers_pool_unref_unlock(struct workers_pool *pool)
{
	bool last = --pool->refs == 0;

	(void)pthread_mutex_unlock(&pool->lock);
	if (!last)
		return;
	lanes_free(pool->lanes);
	(void)pthread_cond_destroy(&pool->ended);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct timespec
workers_deadline(int64_t in_ms)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (time_t)(in_ms / 1000);
	ts.tv_nsec += (long)(in_ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

/* Calls `done` for what has finished; runs on the loop thread. */
static void
workers_deliver(void *arg)
{
	struct workers_pool *pool = arg;
	struct lanes_job *job;

	(void)pthread_mutex_lock(&pool->lock);
	for (int i = 0; i < WORKERS_DELIVER_BATCH; i++) {
		job = STAILQ_FIRST(&pool->finished);
		if (job == NULL)
			break;
		STAILQ_REMOVE_HEAD(&pool->finished, next);
		(void)pthread_mutex_unlock(&pool->lock);
		job->done(job->item, 0);
		free(job);
		(void)pthread_mutex_lock(&pool->lock);
	}
	if (!STAILQ_EMPTY(&pool->finished) && !pool->closed) {
		loop_post(pool->loop, workers_deliver, pool);
		(void)pthread_mutex_unlock(&pool->lock);
		return;
	}
	pool->posted = false;
	workers_pool_unref_unlock(pool);
}

/* Takes a job off the books and its result to the loop. */
static void
workers_finish(struct workers_pool *pool, struct lanes_job *job)
{
	lanes_finish(pool->lanes, job);
	if (pool->closed) {
		free(job); /* the item has no owner any more */
		return;
	}
	STAILQ_INSERT_TAIL(&pool->finished, job, next);
	if (pool->closing) {
		(void)pthread_cond_signal(&pool->ended);
		return;
	}
	if (!pool->posted) {
		pool->posted = true;
		pool->refs++;
		loop_post(pool->loop, workers_deliver, pool);
	}
}

/* Waits for a job to be handed over; NULL: it is time to end. */
static struct lanes_job *
workers_thread_wait(struct workers_thread *self)
{
	struct workers_pool *pool = self->pool;
	struct timespec until = workers_deadline(WORKERS_IDLE_MS);
	int rc = 0;

	LIST_INSERT_HEAD(&pool->idle, self, idle);
	while (self->job == NULL && !pool->closing && rc != ETIMEDOUT) {
		rc = pthread_cond_timedwait(&self->wake, &pool->lock, &until);
	}
	if (self->job == NULL)
		LIST_REMOVE(self, idle);
	return self->job;
}

static void *
workers_thread_main(void *arg)
{
	struct workers_thread *self = arg;
	struct workers_pool *pool = self->pool;
	struct lanes_job *job;

	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		job = self->job;
		if (job == NULL)
			job = lanes_take(pool->lanes);
		if (job == NULL)
			job = workers_thread_wait(self);
		if (job == NULL)
			break;
		self->job = NULL;
		(void)pthread_mutex_unlock(&pool->lock);
		job->work(job->item);
		(void)pthread_mutex_lock(&pool->lock);
		workers_finish(pool, job);
	}
	pool->threads--;
	(void)pthread_cond_signal(&pool->ended);
	workers_pool_unref_unlock(pool);
	(void)pthread_cond_destroy(&self->wake);
	free(self);
	return NULL;
}

/* Signals are the loop thread's; faults stay with who makes them. */
static void
workers_thread_signal_mask(sigset_t *out)
{
	static const int faults[] = {
	    SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};

	(void)sigfillset(out);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(out, faults[i]);
}

static int
workers_thread_start(struct workers_pool *pool, struct lanes_job *job)
{
	struct workers_thread *thread = calloc(1, sizeof(*thread));
	pthread_condattr_t cond_attr;
	pthread_attr_t attr;
	sigset_t blocked, saved;
	pthread_t id;
	int rc;

	if (thread == NULL)
		abort();
	thread->pool = pool;
	thread->job = job;
	(void)pthread_condattr_init(&cond_attr);
	(void)pthread_condattr_setclock(&cond_attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&thread->wake, &cond_attr);
	(void)pthread_condattr_destroy(&cond_attr);

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, WORKERS_STACK_SIZE);
	workers_thread_signal_mask(&blocked);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &saved);
	rc = pthread_create(&id, &attr, workers_thread_main, thread);
	(void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
	(void)pthread_attr_destroy(&attr);
	if (rc != 0) {
		(void)pthread_cond_destroy(&thread->wake);
		free(thread);
		log_warn("workers", "no new thread beside %u: %s",
		    pool->threads, strerror(rc));
		return -1;
	}
	pool->threads++;
	pool->refs++;
	return 0;
}

/* Finds threads for all that may start; -1: one could not be made. */
static int
workers_dispatch(struct workers_pool *pool)
{
	struct lanes_job *job;

	for (;;) {
		struct workers_thread *thread = LIST_FIRST(&pool->idle);

		if (thread == NULL && pool->threads >= WORKERS_THREADS_MAX)
			return 0;
		job = lanes_take(pool->lanes);
		if (job == NULL)
			return 0;
		if (thread != NULL) {
			LIST_REMOVE(thread, idle);
			thread->job = job;
			(void)pthread_cond_signal(&thread->wake);
		} else if (workers_thread_start(pool, job) < 0) {
			lanes_put_back(pool->lanes, job);
			return -1;
		}
	}
}

static void
workers_retry(void *arg)
{
	struct workers *workers = arg;
	int rc;

	(void)pthread_mutex_lock(&workers->pool->lock);
	rc = workers_dispatch(workers->pool);
	(void)pthread_mutex_unlock(&workers->pool->lock);
	if (rc < 0)
		loop_timer_set(workers->retry, WORKERS_RETRY_MS);
}

struct workers *
workers_new(struct loop *loop)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (workers == NULL)
		abort();
	workers->pool = workers_pool_new(loop);
	workers->retry = loop_timer_new(loop, workers_retry, workers);
	return workers;
}

static void
workers_done_all(struct lanes_list *jobs, int cancelled)
{
	struct lanes_job *job;

	while ((job = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, next);
		job->done(job->item, cancelled);
		free(job);
	}
}

/*
 * Hands out what comes in until the last thread has ended or it is time; what
 * is done may still ask for control calls (a connection is to be closed), and
 * they are made.  With the lock held.
 */
static void
workers_wind_up(struct workers_pool *pool, int64_t grace_ms)
{
	struct timespec until = workers_deadline(grace_ms);
	int rc = 0;

	for (;;) {
		struct lanes_list finished = STAILQ_HEAD_INITIALIZER(finished);

		if (!STAILQ_EMPTY(&pool->finished)) {
			STAILQ_CONCAT(&finished, &pool->finished);
			(void)pthread_mutex_unlock(&pool->lock);
			workers_done_all(&finished, 0);
			(void)pthread_mutex_lock(&pool->lock);
		} else if (pool->threads > 0 && rc != ETIMEDOUT) {
			rc = pthread_cond_timedwait(
			    &pool->ended, &pool->lock, &until);
		} else {
			return;
		}
	}
}

void
workers_free(struct workers *workers, int64_t grace_ms)
{
	struct lanes_list dropped = STAILQ_HEAD_INITIALIZER(dropped);
	struct workers_thread *thread;
	struct workers_pool *pool;
	size_t left;

	if (workers == NULL)
		return;
	pool = workers->pool;
	(void)pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	lanes_drop(pool->lanes, WORKERS_NORMAL, &dropped);
	LIST_FOREACH(thread, &pool->idle, idle)
	(void)pthread_cond_signal(&thread->wake);
	(void)pthread_mutex_unlock(&pool->lock);

	workers_done_all(&dropped, 1);
	(void)pthread_mutex_lock(&pool->lock);
	workers_wind_up(pool, grace_ms > 0 ? grace_ms : 0);
	pool->closed = true;
	pool->loop = NULL;
	lanes_drop(pool->lanes, WORKERS_CONTROL, &dropped);
	left = lanes_running(pool->lanes);
	(void)pthread_mutex_unlock(&pool->lock);

	if (left > 0)
		log_warn("workers", "%zu calls hang and are left behind", left);
	workers_done_all(&dropped, 1);
	loop_timer_free(workers->retry);
	free(workers);
	(void)pthread_mutex_lock(&pool->lock);
	workers_pool_unref_unlock(pool);
}

/* While the workers end, only what lets go of something is taken. */
static bool
workers_takes(const struct workers_pool *pool, enum workers_lane lane)
{
	return !pool->closed && (!pool->closing || lane == WORKERS_CONTROL) &&
	    lanes_waiting(pool->lanes) < WORKERS_QUEUE_MAX;
}

int
workers_submit(struct workers *workers, enum workers_lane lane, const char *key,
    void (*work)(void *item), void (*done)(void *item, int cancelled),
    void *item)
{
	struct workers_pool *pool = workers->pool;
	struct lanes_job *job;
	int rc;

	(void)pthread_mutex_lock(&pool->lock);
	if (!workers_takes(pool, lane)) {
		(void)pthread_mutex_unlock(&pool->lock);
		return -1;
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		abort();
	job->work = work;
	job->done = done;
	job->item = item;
	lanes_add(pool->lanes, lane, key, job);
	rc = workers_dispatch(pool);
	(void)pthread_mutex_unlock(&pool->lock);
	if (rc < 0)
		loop_timer_set(workers->retry, WORKERS_RETRY_MS);
	return 0;
}

size_t
workers_pending(const struct workers *workers, const char *key)
{
	struct workers_pool *pool = workers->pool;
	size_t pending;

	(void)pthread_mutex_lock(&pool->lock);
	pending = lanes_pending(pool->lanes, key);
	(void)pthread_mutex_unlock(&pool->lock);
	return pending;
}
