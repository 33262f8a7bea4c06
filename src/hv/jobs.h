#ifndef DROVER_HV_JOBS_H
#define DROVER_HV_JOBS_H

#include "hv/hv.h"

/* The acting half of struct hv_ops; see there. */

int jobs_migrate(
    struct hv_conn *conn, const struct hv_migrate *how, struct err *err);
int jobs_job(struct hv_conn *conn, const char *uuid, struct hv_job *out,
    struct err *err);
int jobs_last_job(struct hv_conn *conn, const char *uuid, struct hv_job *out,
    struct err *err);
int jobs_abort(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_resume(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_destroy(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_undefine(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_set_autostart(
    struct hv_conn *conn, const char *uuid, bool on, struct err *err);

#endif
