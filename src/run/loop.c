/*
 * The loop thread: libevent, with a mailbox as its only door.
 *
 * The mailbox is a list under a mutex and an eventfd that is readable while
 * the list is not empty.  One wake-up runs at most LOOP_BATCH items and leaves
 * the eventfd readable when more are waiting: libevent then looks at timers
 * and sockets before it comes back, so a flood of events does not stop the
 * control socket from answering.
 *
 * Timers are exact to the millisecond of clock_mono_now() and never early;
 * libevent's default clock is coarser than ours, and a timer that fires
 * before its time makes its owner wait again.
 *
 * Timers are freed before the loop.  Nobody posts once loop_free() has begun,
 * except the items that it runs.
 */
#include "run/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/log.h"

#define LOOP_BATCH 256

struct loop_item {
	STAILQ_ENTRY(loop_item) next;
	void (*fn)(void *arg);
	void *arg;
};

struct loop_signal {
	SLIST_ENTRY(loop_signal) next;
	struct event *event;
	void (*fn)(int signal, void *arg);
	void *arg;
};

struct loop_timer {
	struct event_base *base;
	struct event *event;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	int wake_fd;
	bool stop;
	bool lagging; /* said so, and not caught up since */
	SLIST_HEAD(, loop_signal) signals;

	pthread_mutex_t lock; /* for what follows */
	STAILQ_HEAD(, loop_item) items;
	size_t count;
};

static void
loop_wake(struct loop *loop)
{
	const uint64_t one = 1;

	while (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

/* Takes the oldest item; *left is how many remain. */
static struct loop_item *
loop_take(struct loop *loop, size_t *left)
{
	struct loop_item *item;

	(void)pthread_mutex_lock(&loop->lock);
	item = STAILQ_FIRST(&loop->items);
	if (item != NULL) {
		STAILQ_REMOVE_HEAD(&loop->items, next);
		loop->count--;
	}
	*left = loop->count;
	(void)pthread_mutex_unlock(&loop->lock);
	return item;
}

/* Runs the oldest item; false when there is none. */
static bool
loop_run_item(struct loop *loop, size_t *left)
{
	struct loop_item *item = loop_take(loop, left);

	if (item == NULL)
		return false;
	item->fn(item->arg);
	free(item);
	return true;
}

static void
loop_watch_lag(struct loop *loop, size_t left)
{
	if (!loop->lagging && left > LOOP_MAILBOX_WARN) {
		loop->lagging = true;
		log_warn("loop", "the mailbox lags: %zu items wait", left);
	} else if (loop->lagging && left == 0) {
		loop->lagging = false;
		log_info("loop", "the mailbox has caught up");
	}
}

static void
loop_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t posts;
	size_t left = 0;

	(void)what;
	/* Read first: a post from here on makes it readable again. */
	while (read(fd, &posts, sizeof(posts)) < 0 && errno == EINTR)
		continue;
	for (int i = 0; i < LOOP_BATCH; i++) {
		if (!loop_run_item(loop, &left))
			break;
		loop_watch_lag(loop, left);
	}
	if (left > 0)
		loop_wake(loop);
}

static struct event_base *
loop_base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return base;
}

struct loop *
loop_new(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct loop *loop;

	if (evthread_use_pthreads() < 0)
		return NULL;
	/* A peer that hangs up is an error of a write, not our end. */
	(void)sigaction(SIGPIPE, &ignore, NULL);

	loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		abort();
	(void)pthread_mutex_init(&loop->lock, NULL);
	STAILQ_INIT(&loop->items);
	SLIST_INIT(&loop->signals);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd >= 0)
		loop->base = loop_base_new();
	if (loop->base != NULL) {
		loop->wake = event_new(loop->base, loop->wake_fd,
		    EV_READ | EV_PERSIST, loop_on_wake, loop);
	}
	if (loop->wake == NULL || event_add(loop->wake, NULL) < 0) {
		loop_free(loop);
		return NULL;
	}
	return loop;
}

void
loop_free(struct loop *loop)
{
	struct loop_signal *sig;

	if (loop == NULL)
		return;
	loop_drain(loop);
	while ((sig = SLIST_FIRST(&loop->signals)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->signals, next);
		event_free(sig->event);
		free(sig);
	}
	if (loop->wake != NULL)
		event_free(loop->wake);
	if (loop->base != NULL)
		event_base_free(loop->base);
	if (loop->wake_fd >= 0)
		(void)close(loop->wake_fd);
	(void)pthread_mutex_destroy(&loop->lock);
	free(loop);
}

int
loop_run(struct loop *loop)
{
	int rc = 0;

	/* A stop that came before the start counts as well. */
	if (!loop->stop)
		rc = event_base_dispatch(loop->base);
	if (!loop->stop) {
		log_error("loop", "the event loop broke (%d)", rc);
		return -1;
	}
	loop->stop = false;
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
	(void)event_base_loopbreak(loop->base);
}

void
loop_drain(struct loop *loop)
{
	size_t left;

	while (loop_run_item(loop, &left))
		continue;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

void
loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_item *item = malloc(sizeof(*item));
	bool first;

	if (item == NULL)
		abort();
	item->fn = fn;
	item->arg = arg;
	(void)pthread_mutex_lock(&loop->lock);
	first = STAILQ_EMPTY(&loop->items);
	STAILQ_INSERT_TAIL(&loop->items, item, next);
	loop->count++;
	/* Under the lock: what was posted may free the loop. */
	if (first)
		loop_wake(loop);
	(void)pthread_mutex_unlock(&loop->lock);
}

static void
loop_timer_fire(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fn(timer->arg);
}

struct loop_timer *
loop_timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL)
		abort();
	timer->base = loop->base;
	timer->fn = fn;
	timer->arg = arg;
	timer->event = evtimer_new(loop->base, loop_timer_fire, timer);
	if (timer->event == NULL)
		abort();
	return timer;
}

void
loop_timer_set(struct loop_timer *timer, int64_t in_ms)
{
	struct timeval tv;

	if (in_ms < 0)
		in_ms = 0;
	tv.tv_sec = (time_t)(in_ms / 1000);
	tv.tv_usec = (suseconds_t)(in_ms % 1000 * 1000);
	/* libevent counts from the start of the iteration; we from now. */
	(void)event_base_update_cache_time(timer->base);
	if (evtimer_add(timer->event, &tv) < 0)
		abort();
}

void
loop_timer_clear(struct loop_timer *timer)
{
	(void)evtimer_del(timer->event);
}

void
loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}

static void
loop_signal_fire(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *sig = arg;

	(void)what;
	sig->fn((int)fd, sig->arg);
}

int
loop_on_signal(
    struct loop *loop, int signal, void (*fn)(int signal, void *arg), void *arg)
{
	struct loop_signal *sig = calloc(1, sizeof(*sig));

	if (sig == NULL)
		abort();
	sig->fn = fn;
	sig->arg = arg;
	sig->event = evsignal_new(loop->base, signal, loop_signal_fire, sig);
	if (sig->event == NULL || event_add(sig->event, NULL) < 0) {
		if (sig->event != NULL)
			event_free(sig->event);
		free(sig);
		return -1;
	}
	SLIST_INSERT_HEAD(&loop->signals, sig, next);
	return 0;
}
