#ifndef DROVER_CTL_PLAYING_H
#define DROVER_CTL_PLAYING_H

#include "base/buf.h"
#include "ctl/ctl.h"

/* `simulate --policy`: reads the policies that the options name and plays them on
 * the snapshot `text`, which is called `name` in faults; a text that overflowed its
 * buffer is too large.  Shows what came of it as -o says, and returns the exit
 * status. */
int playing_show(struct ctl *ctl, const char *name, const struct buf *text);

#endif
