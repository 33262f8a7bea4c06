#ifndef DROVER_RUN_LOOP_H
#define DROVER_RUN_LOOP_H

#include <stdint.h>

struct event_base;

/*
 * The loop thread owns all state of the daemon.  This is the only door that
 * other threads have to it: loop_post().  Everything else here is for the
 * loop thread alone.
 *
 * The mailbox keeps the order of posts.  It is bounded by those who post: a
 * worker has one result in it at a time, and the hypervisor's event thread
 * coalesces; see LOOP_MAILBOX_WARN for when it says that it lags.
 */

#define LOOP_MAILBOX_WARN 10000

struct loop;
struct loop_timer;

struct loop *loop_new(void); /* NULL: out of descriptors */

/* Runs what is still in the mailbox.  Timers and whatever hangs on loop_base()
 * are freed before; nobody posts any more.  NULL allowed. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(), may be run again.  Returns 0, or -1 when the loop
 * broke. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Runs what is in the mailbox, until it is empty: for an orderly end, before those
 * are freed to whom the posts are addressed. */
void loop_drain(struct loop *loop);

/* For libraries that speak libevent (evhttp, curl's multi interface). */
struct event_base *loop_base(struct loop *loop);

/* Any thread: fn(arg) runs on the loop thread, soon, in order of posting. */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* One-shot timers.  A timer may be set again, also from its own callback. */
struct loop_timer *loop_timer_new(
    struct loop *loop, void (*fn)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *timer, int64_t in_ms);
void loop_timer_clear(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL allowed */

/* Calls fn(signal, arg) on the loop thread.  Freed with the loop. */
int loop_on_signal(struct loop *loop, int signal,
    void (*fn)(int signal, void *arg), void *arg);

#endif
