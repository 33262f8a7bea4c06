#ifndef DROVER_CTL_WATCH_H
#define DROVER_CTL_WATCH_H

#include "ctl/ctl.h"

/*
 * Waiting for what was started, with progress.  Nothing here changes anything
 * on the daemon: stopping to watch leaves it going.
 */

#define WATCH_INTERVAL_MS 50
#define WATCH_ANSWER_MS 5000 /* how long one answer may take */
#define WATCH_LEAST_MS 1000  /* ... even if less is left of --timeout */
#define WATCH_GONE_MS 60000  /* how long the daemon may be away */

struct watch {
	/* The state as an array of drains (render.h), a new reference; NULL
	 * with the reply saying why. */
	json_t *(*poll)(struct ctl *ctl, void *arg, struct http_reply *reply);
	void *arg;
	json_t *first; /* what starting it said, such an array */
	/* Says what goes on, and how to watch and to stop it. */
	void (*advise)(const json_t *drains, struct buf *out);
};

/*
 * CTL_DONE once no drain's state is "running"; else why it stopped waiting
 * (which has been said).  *out_last: the last state, a new reference, also when
 * it did not end; with CTL_DONE every change was shown and the result was not.
 */
int watch_run(struct ctl *ctl, const struct watch *watch, json_t **out_last);

/* The worse of two exit statuses, for several things in one command. */
int watch_worse(int a, int b);

/* What a drain's end, or a move's, means as an exit status. */
int watch_drain_exit(const json_t *drain);
int watch_move_exit(const json_t *move);

#endif
