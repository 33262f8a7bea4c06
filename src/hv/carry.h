#ifndef DROVER_HV_CARRY_H
#define DROVER_HV_CARRY_H

#include "hv/conn.h"

/* The vtable's carry and forget; see hv.h. */

int carry_guest(struct hv_conn *conn, const char *uuid, const char *to_uri,
    struct err *err);
int carry_forget(struct hv_conn *conn, const char *uuid, const char *other_uri,
    struct err *err);

#endif
