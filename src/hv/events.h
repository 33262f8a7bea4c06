#ifndef DROVER_HV_EVENTS_H
#define DROVER_HV_EVENTS_H

#include <libvirt/libvirt.h>

#include "base/err.h"
#include "hv/hv.h"

/*
 * All event registrations of one connection.  Both calls make RPCs.  Guest
 * events must be had; pools, networks and devices are optional, a host may
 * lack their drivers.
 */
struct events;

struct events *events_register(
    virConnectPtr vir, hv_event_fn fn, void *arg, struct err *err);

/* Removes everything, also on a broken connection; must come before
 * virConnectClose(), which would otherwise not close.  After it returns, fn is
 * not called any more. */
void events_unregister(struct events *events);

#endif
