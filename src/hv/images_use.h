#ifndef DROVER_HV_IMAGES_USE_H
#define DROVER_HV_IMAGES_USE_H

#include "hv/conn.h"

/* 0 when no domain of the host, active or not, names this path, directly or
 * as an image below one of its disks.  ERR_CONFLICT tells which one does; any
 * other error: it is not known.  The caller holds the connection. */
int images_use_check(
    const struct hv_conn *conn, const char *path, struct err *err);

#endif
