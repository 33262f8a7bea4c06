#ifndef DROVER_NOTIFY_KEEPER_PRIVATE_H
#define DROVER_NOTIFY_KEEPER_PRIVATE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/map.h"
#include "notify/http.h"
#include "notify/keeper.h"

/*
 * What the two files of the keeper share.  Loop thread only.
 */

/* What the last round said of one condition. */
struct keeper_told {
	char *type, *body; /* of the event */
	struct wall since;
	bool over; /* told as over, which was not accepted so far */
};

struct keeper_receiver {
	TAILQ_ENTRY(keeper_receiver) link;
	struct keeper *keeper;
	char *name;
	const struct settings_receiver *settings; /* NULL: it is gone */
	struct mono next;
	struct map *told; /* key -> struct keeper_told; in the last round, and
			   * until one is accepted what is over */
	bool in_flight;
	char trouble[160]; /* why the last round failed; "": it did not */
};

struct keeper {
	struct store *store;
	struct announce *announce;
	struct http *http;
	struct loop_timer *timer;
	const struct settings *settings;
	TAILQ_HEAD(, keeper_receiver) receivers;
};

/* ---- keeper_round.c ---- */

/* Tells the receiver, for which nothing is in flight, of all that is on. */
void keeper_tell(struct keeper_receiver *receiver);
void keeper_free_told(void *told);

#endif
