#ifndef DROVER_HV_STATS_H
#define DROVER_HV_STATS_H

#include "hv/hv.h"

/* `stats` of struct hv_ops; see there. */
int stats_guests(
    struct hv_conn *conn, bool disks, struct facts_load *out, struct err *err);

#endif
