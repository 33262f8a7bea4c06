#ifndef DROVER_FLAGFILES_H
#define DROVER_FLAGFILES_H

#include "daemon.h"

/*
 * Watches maintenance_dir (none in the settings: succeeds) and settles what
 * changed there while the daemon was away.  Needs the flags loaded and the loop.
 * The watch is daemon->watchdir, which the caller frees.
 */
int flagfiles_watch(struct daemon *daemon, struct err *err);

#endif
