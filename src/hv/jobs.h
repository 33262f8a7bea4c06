#ifndef DROVER_HV_JOBS_H
#define DROVER_HV_JOBS_H

#include "hv/hv.h"

/* The acting half of struct hv_ops; see there. */

/* jobs_migrate.c */
int jobs_migrate(
    struct hv_conn *conn, const struct hv_migrate *how, struct err *err);
int jobs_set_bandwidth(
    struct hv_conn *conn, const char *uuid, int64_t bandwidth, struct err *err);
int jobs_set_max_downtime(
    struct hv_conn *conn, const char *uuid, int64_t ms, struct err *err);
int jobs_start_postcopy(
    struct hv_conn *conn, const char *uuid, struct err *err);

/* jobs.c */
int jobs_job(struct hv_conn *conn, const char *uuid, struct hv_job *out,
    struct err *err);
int jobs_last_job(struct hv_conn *conn, const char *uuid, struct hv_job *out,
    struct err *err);
int jobs_abort(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_resume(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_suspend(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_destroy(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_undefine(struct hv_conn *conn, const char *uuid, struct err *err);
int jobs_set_autostart(
    struct hv_conn *conn, const char *uuid, bool on, struct err *err);

/* jobs_power.c */
int jobs_shutdown(struct hv_conn *conn, const char *uuid, enum hv_shutdown how,
    struct err *err);
int jobs_start(struct hv_conn *conn, const char *uuid, struct err *err);
char *jobs_export(struct hv_conn *conn, const char *uuid,
    const struct domxml_edit *edits, size_t count, struct err *err);
int jobs_define(struct hv_conn *conn, const char *xml, struct err *err);

#endif
