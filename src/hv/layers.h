#ifndef DROVER_HV_LAYERS_H
#define DROVER_HV_LAYERS_H

#include "hv/conn.h"

/* The vtable's freeze and merge; see hv.h. */

int layers_freeze(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err);
int layers_merge(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err);

#endif
