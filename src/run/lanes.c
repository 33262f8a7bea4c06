/*
 * One queue per key and lane.  A queue that has work and is below its cap
 * stands in its lane's ready list, so finding the next job looks at no queue
 * that could not give one: a host that hangs, with thousands of calls behind
 * it, costs the others nothing.  A queue that gave a job goes to the end of
 * its list, so a host with much to do does not delay one with little.
 *
 * The lower lanes leave some threads to the higher ones: an abort finds a
 * thread also while migrations and listings hold all that they may.  A key
 * with nothing left is forgotten.
 */
#include "run/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

/* How many threads the calls of a lane, and of those below it, hold. */
#define LANES_ALL_LONG (WORKERS_THREADS_MAX * 5 / 8)
#define LANES_ALL_NORMAL (WORKERS_THREADS_MAX * 7 / 8)

#define LANES_COUNT (WORKERS_LONG + 1)

struct lanes_key {
	char *name;
	size_t pending; /* jobs that run or wait */
	struct lanes_queue {
		TAILQ_ENTRY(lanes_queue) ready;
		struct lanes_key *key;
		enum workers_lane lane;
		struct lanes_list jobs;
		unsigned int running;
		bool is_ready;
	} queues[LANES_COUNT];
};

struct lanes {
	struct map *keys;
	TAILQ_HEAD(, lanes_queue) ready[LANES_COUNT];
	unsigned int running[LANES_COUNT];
	size_t waiting;
};

static unsigned int
lanes_cap_per_key(enum workers_lane lane)
{
	switch (lane) {
	case WORKERS_CONTROL:
		return WORKERS_CONTROL_PER_KEY;
	case WORKERS_NORMAL:
		return WORKERS_NORMAL_PER_KEY;
	case WORKERS_OPEN:
		return 1;
	case WORKERS_LONG:
		return WORKERS_LONG_PER_KEY;
	}
	return 1;
}

/* Whether one more call of the lane may start, over all keys. */
static bool
lanes_is_open(const struct lanes *lanes, enum workers_lane lane)
{
	unsigned int held_long = lanes->running[WORKERS_LONG];
	unsigned int held = held_long + lanes->running[WORKERS_NORMAL] +
	    lanes->running[WORKERS_OPEN];

	switch (lane) {
	case WORKERS_CONTROL:
		return true;
	case WORKERS_NORMAL:
	case WORKERS_OPEN:
		return held < LANES_ALL_NORMAL;
	case WORKERS_LONG:
		return held < LANES_ALL_NORMAL && held_long < LANES_ALL_LONG;
	}
	return false;
}

static void
lanes_key_free(void *p)
{
	struct lanes_key *key = p;

	free(key->name);
	free(key);
}

static struct lanes_key *
lanes_key_get(struct lanes *lanes, const char *name)
{
	struct lanes_key *key = map_get(lanes->keys, name);

	if (key != NULL)
		return key;
	key = calloc(1, sizeof(*key));
	if (key == NULL || (key->name = strdup(name)) == NULL)
		abort();
	for (int i = 0; i < LANES_COUNT; i++) {
		key->queues[i].key = key;
		key->queues[i].lane = (enum workers_lane)i;
		STAILQ_INIT(&key->queues[i].jobs);
	}
	map_set(lanes->keys, name, key);
	return key;
}

static void
lanes_key_release(struct lanes *lanes, struct lanes_key *key, size_t jobs)
{
	key->pending -= jobs;
	if (key->pending == 0)
		(void)map_remove(lanes->keys, key->name);
}

/* Puts the queue into its ready list, or takes it out, as its state says. */
static void
lanes_queue_update(struct lanes *lanes, struct lanes_queue *queue)
{
	bool ready = !STAILQ_EMPTY(&queue->jobs) &&
	    queue->running < lanes_cap_per_key(queue->lane);

	if (ready && !queue->is_ready)
		TAILQ_INSERT_TAIL(&lanes->ready[queue->lane], queue, ready);
	else if (!ready && queue->is_ready)
		TAILQ_REMOVE(&lanes->ready[queue->lane], queue, ready);
	queue->is_ready = ready;
}

struct lanes *
lanes_new(void)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));

	if (lanes == NULL)
		abort();
	lanes->keys = map_new(lanes_key_free);
	for (int i = 0; i < LANES_COUNT; i++)
		TAILQ_INIT(&lanes->ready[i]);
	return lanes;
}

void
lanes_free(struct lanes *lanes)
{
	if (lanes == NULL)
		return;
	map_free(lanes->keys);
	free(lanes);
}

void
lanes_add(struct lanes *lanes, enum workers_lane lane, const char *key,
    struct lanes_job *job)
{
	struct lanes_queue *queue = &lanes_key_get(lanes, key)->queues[lane];

	job->queue = queue;
	STAILQ_INSERT_TAIL(&queue->jobs, job, next);
	queue->key->pending++;
	lanes->waiting++;
	lanes_queue_update(lanes, queue);
}

struct lanes_job *
lanes_take(struct lanes *lanes)
{
	for (int i = 0; i < LANES_COUNT; i++) {
		struct lanes_queue *queue = TAILQ_FIRST(&lanes->ready[i]);
		struct lanes_job *job;

		if (queue == NULL ||
		    !lanes_is_open(lanes, (enum workers_lane)i))
			continue;
		job = STAILQ_FIRST(&queue->jobs);
		STAILQ_REMOVE_HEAD(&queue->jobs, next);
		lanes->waiting--;
		lanes->running[i]++;
		queue->running++;
		TAILQ_REMOVE(&lanes->ready[i], queue, ready);
		queue->is_ready = false;
		lanes_queue_update(lanes, queue);
		return job;
	}
	return NULL;
}

void
lanes_put_back(struct lanes *lanes, struct lanes_job *job)
{
	struct lanes_queue *queue = job->queue;

	STAILQ_INSERT_HEAD(&queue->jobs, job, next);
	lanes->waiting++;
	lanes->running[queue->lane]--;
	queue->running--;
	lanes_queue_update(lanes, queue);
}

void
lanes_finish(struct lanes *lanes, struct lanes_job *job)
{
	struct lanes_queue *queue = job->queue;

	job->queue = NULL;
	lanes->running[queue->lane]--;
	queue->running--;
	lanes_queue_update(lanes, queue);
	lanes_key_release(lanes, queue->key, 1);
}

void
lanes_drop(struct lanes *lanes, enum workers_lane from, struct lanes_list *out)
{
	void *value;
	size_t i = 0;

	while (map_next(lanes->keys, &i, NULL, &value)) {
		struct lanes_key *key = value;
		size_t dropped = 0;

		for (int lane = (int)from; lane < LANES_COUNT; lane++) {
			struct lanes_queue *queue = &key->queues[lane];
			struct lanes_job *job;

			STAILQ_FOREACH(job, &queue->jobs, next)
			{
				job->queue = NULL;
				dropped++;
			}
			STAILQ_CONCAT(out, &queue->jobs);
			lanes_queue_update(lanes, queue);
		}
		lanes->waiting -= dropped;
		lanes_key_release(lanes, key, dropped);
	}
}

size_t
lanes_waiting(const struct lanes *lanes)
{
	return lanes->waiting;
}

size_t
lanes_running(const struct lanes *lanes)
{
	size_t running = 0;

	for (int i = 0; i < LANES_COUNT; i++)
		running += lanes->running[i];
	return running;
}

size_t
lanes_pending(const struct lanes *lanes, const char *key)
{
	const struct lanes_key *entry = map_get(lanes->keys, key);

	return entry != NULL ? entry->pending : 0;
}
