#ifndef DROVER_TESTS_FAKE_BACKEND_H
#define DROVER_TESTS_FAKE_BACKEND_H

#include <pthread.h>

#include "control/backend.h"

/*
 * A backend that answers with little and remembers what it was asked: `calls`
 * has one line per call, with its arguments.  Its functions run on the loop
 * thread; the test reads through fake_calls() and changes `fail` while nothing
 * is being asked.
 */

#define FAKE_EVENT_MAX 20000

struct fake_backend {
	struct control_backend backend;
	pthread_mutex_t lock;
	char calls[4096];
	struct err fail;    /* code set: every call fails so */
	const char *faults; /* of a reload */
	int slices;         /* so many requests it takes to drop all */
	int waits;          /* so many moves are refused for now only */
	/* Events 1..event_count exist; each has event_size bytes of text. */
	int64_t event_count;
	size_t event_size;
	int64_t events_read; /* how many were asked for and given */
	/* A test of a receiver ends at once with this JSON; NULL: it waits for
	 * fake_finish_test(). */
	const char *test_answer;
	control_done_fn *done; /* NULL: none waits */
	void *done_arg;
};

void fake_init(struct fake_backend *fake);
void fake_free(struct fake_backend *fake);
/* What was called since the last time, in `out`; forgets it. */
void fake_calls(struct fake_backend *fake, char out[4096]);

/* Answers the test that waits: with test_answer, or (NULL) a failure.  On the
 * loop thread. */
void fake_finish_test(void *fake);

#endif
