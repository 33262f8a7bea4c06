#ifndef DROVER_HV_PRESSURE_H
#define DROVER_HV_PRESSURE_H

#include "hv/hv.h"

/* The pool over /proc/pressure, which is there only while it is read.  It
 * begins with STATEDIR_PREFIX, so that nobody lists it. */
#define PRESSURE_POOL "drover-state-pressure"

/* `pressure` of struct hv_ops; see there. */
int pressure_read(
    struct hv_conn *conn, struct facts_load *out, struct err *err);

/* What one of the kernel's files says of the last minute, as a fraction: of
 * "some avg10=0.12 avg60=1.50 ..." 0.015.  False: it is no such file. */
bool pressure_parse(const char *text, double *out);

#endif
