#ifndef DROVER_HV_LISTING_PARTS_H
#define DROVER_HV_LISTING_PARTS_H

#include "hv/hv.h"

/*
 * Parts of a host's listing that a driver of its own provides and that may be
 * missing.  They never fail: what cannot be read stays unknown in *out.
 */

void listing_pools(struct hv_conn *conn, struct facts_host *out);
/* Which sizes there are is in the capabilities. */
void listing_pages(struct hv_conn *conn, struct facts_host *out);
void listing_networks(struct hv_conn *conn, struct facts_host *out);
void listing_interfaces(struct hv_conn *conn, struct facts_host *out);

#endif
