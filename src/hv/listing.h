#ifndef DROVER_HV_LISTING_H
#define DROVER_HV_LISTING_H

#include "hv/hv.h"

/* The reading half of struct hv_ops; see there. */

struct facts_host *listing_host(struct hv_conn *conn, struct err *err);
struct facts_domain *listing_domain(
    struct hv_conn *conn, const char *uuid, struct err *err);
int listing_load(struct hv_conn *conn, struct facts_load *out, struct err *err);

#endif
