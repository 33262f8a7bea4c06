#ifndef DROVER_HV_SURVEY_H
#define DROVER_HV_SURVEY_H

#include "hv/conn.h"

/* The vtable's survey; see hv.h. */
struct facts_survey *survey_guest(struct hv_conn *conn, const char *uuid,
    int64_t dirty_ms, const bool *cancel, struct err *err);

#endif
