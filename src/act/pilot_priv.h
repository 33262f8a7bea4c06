#ifndef DROVER_ACT_PILOT_PRIV_H
#define DROVER_ACT_PILOT_PRIV_H

#include "act/abicheck.h"
#include "act/history.h"
#include "act/homes.h"
#include "act/pilot.h"
#include "act/recent.h"
#include "act/survey.h"

/*
 * Between the files of the pilot: pilot.c (when it looks, and what it sees),
 * pilot_act.c (what follows from a decision), pilot_start.c (a move begins).
 */

#define PILOT_BACKOFF_MS 5000

struct pilot {
	struct pilot_deps deps;
	const struct settings *settings;
	struct history *history;
	struct abicheck *abicheck;
	struct survey *survey;
	struct watch *watch;
	struct recent *recent;
	struct homes *homes;
	/* Flags that a policy has set, by policy and host: once for each time that
	 * its conditions come on, lest it undoes what an operator does. */
	struct map *flagged;
	/* By the last turn: something is to be done or waited for; else hosts
	 * that a policy acts on, though there is nothing to do. */
	bool open;
	struct map *acted_on;
	struct loop_timer *turn;   /* as soon as possible */
	struct loop_timer *wake;   /* when a time comes */
	struct loop_timer *sample; /* some time after a load was read */
	bool sampled;              /* that timer is set ... */
	bool soon;                 /* ... for one who waits */
	int64_t turn_ms;           /* what the last turn took */
	bool begun;
	bool turning;
	bool again;
};

/* pilot_route.c: plans for the drains that want one. */
void pilot_route_all(struct pilot *p);

/* Begins the move of a choice; policy NULL: an operator's own; `with`: how; of the
 * drain of `drained`, NULL: of its own host's, if there is one.  Returns the move's id, -1 with the reason. */
int64_t pilot_start(struct pilot *p, struct arena *arena,
    const struct place_choice *choice, const struct policy *policy,
    const struct policy *with, const char *drained, int64_t decision,
    struct err *err);

/* Starts, sets and tells what the decision says. */
void pilot_act(struct pilot *p, struct arena *arena,
    struct evaluate_decision *decision, struct mono now);

#endif
