#ifndef DROVER_HV_ADDRESS_H
#define DROVER_HV_ADDRESS_H

#include <stddef.h>

#include "base/err.h"

/*
 * Puts an address in the place of the name in a migration URI:
 * "tcp://kvm1:49200" becomes "tcp://10.0.0.11:49200", IPv6 in brackets.  What
 * holds an address already, and URIs without a host, are copied.  Asks the
 * resolver (blocks).  A name that means this machine's loopback is refused:
 * the source would take itself for the target.
 */
int address_resolve_uri(
    const char *uri, char *out, size_t size, struct err *err);

/* "tcp://ADDRESS" of the host that a libvirt URI leads to. */
int address_from_uri(
    const char *libvirt_uri, char *out, size_t size, struct err *err);

#endif
