#ifndef DROVER_RUN_WATCHDIR_H
#define DROVER_RUN_WATCHDIR_H

#include <stdbool.h>

#include "base/err.h"
#include "run/loop.h"

/*
 * Follows which plain files are in a folder (inotify(7)).  Calls
 * fn(name, present, arg) on the loop thread for each that is there at the start,
 * then for each that comes or goes.  Names that start with a dot are passed
 * over.  When the folder itself is removed, all its files are gone; it is made
 * again (mode 0755) and watched again.  An overrun of the kernel's queue is
 * answered by reading the folder anew.
 */

#define WATCHDIR_FILES_MAX 4096

struct watchdir;

struct watchdir *watchdir_new(struct loop *loop, const char *path,
    void (*fn)(const char *name, bool present, void *arg), void *arg,
    struct err *err);
void watchdir_free(struct watchdir *watchdir); /* NULL allowed */

const char *watchdir_path(const struct watchdir *watchdir);
/* Is a file of that name there now, as far as was seen? */
bool watchdir_has(const struct watchdir *watchdir, const char *name);

#endif
