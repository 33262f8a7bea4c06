#ifndef DROVER_HV_CLAIM_H
#define DROVER_HV_CLAIM_H

#include "hv/hv.h"

/* The host's mark of who acts on it; see struct hv_ops. */

int claim_take(struct hv_conn *conn, const struct hv_mark *mark,
    const struct hv_mark *dead, struct hv_mark *held, struct err *err);
int claim_drop(struct hv_conn *conn, const char *owner, struct err *err);

#endif
