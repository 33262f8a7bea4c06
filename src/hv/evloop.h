#ifndef DROVER_HV_EVLOOP_H
#define DROVER_HV_EVLOOP_H

#include "base/err.h"

/* Starts libvirt's event loop on a thread of its own, once per process; later
 * calls return what the first one did.  It runs until the process ends. */
int evloop_start(struct err *err);

#endif
