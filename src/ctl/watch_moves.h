#ifndef DROVER_CTL_WATCH_MOVES_H
#define DROVER_CTL_WATCH_MOVES_H

#include "ctl/ctl.h"

/* Waits for one move (as the daemon described it; only "id" is needed) and
 * shows how it ended; the exit status. */
int watch_move(struct ctl *ctl, const json_t *move);

/* The same for all that are in flight and all that start meanwhile. */
int watch_all_moves(struct ctl *ctl);

#endif
