#ifndef DROVER_ACT_SURVEY_H
#define DROVER_ACT_SURVEY_H

#include "hv/link.h"
#include "model/inventory.h"

/*
 * Finds out, ahead of need, what no listing tells: the figures of guests' images
 * (those that look local), how fast running guests write to their memory, and
 * which hosts have the media too that guests elsewhere have in their drives.  The
 * answers go into the inventory.
 *
 * It is always somebody else's turn first: at most one question of each kind
 * at a time per host, over a connection of their own, never at
 * a host that is silent or that another daemon acts on, never of a guest that is
 * being moved or that a job holds.  Nothing waits here for a guest whose storage
 * is shared.
 *
 * First come guests that somebody asked about, then those never looked at, then
 * those of hosts that are being emptied, then the rest, the oldest first.  Loop
 * thread only.
 */

#define SURVEY_AGE_MS (5 * 60 * 1000) /* figures older than this are renewed */
#define SURVEY_LOOK_MS 5000
#define SURVEY_REST_MS 30000 /* after a failure */

struct survey;

struct survey_deps {
	struct loop *loop;
	struct inventory *inventory;
	struct link *(*link)(const char *host, void *arg);
	bool (*moving)(const char *uuid, void *arg); /* in this moment */
	struct snapshot *(*look)(void *arg);         /* given to the caller */
	void (*answered)(void *arg); /* a decision could depend on it */
	void *arg;
	int64_t age_ms, look_ms, rest_ms; /* 0: as above; less in tests */
};

struct survey *survey_new(const struct survey_deps *deps);
/* Answers that are on their way find nobody and are dropped. */
/* Before the workers are freed: samples that are being taken end at once. */
void survey_close(struct survey *s);
void survey_free(struct survey *survey); /* NULL allowed */

/* Something has changed: asks what is new to ask. */
void survey_run(struct survey *survey, const struct snapshot *snapshot);

/* Somebody wants to know about this guest: if its figures are not fresh it is
 * next, from the next survey_run() on. */
void survey_ask(struct survey *survey, const char *uuid);

#endif
