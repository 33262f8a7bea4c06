#ifndef DROVER_HV_STREAMS_H
#define DROVER_HV_STREAMS_H

#include "hv/conn.h"

/* The vtable's copy; see hv.h. */
int streams_copy(struct hv_conn *conn, const struct hv_copy *how,
    struct hv_copied *out, struct err *err);

#endif
