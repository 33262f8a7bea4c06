#ifndef DROVER_TESTS_FAKE_SITE_PRIV_H
#define DROVER_TESTS_FAKE_SITE_PRIV_H

#include "fake_site.h"

/* What the files of the site share. */

struct hv_conn {
	int host;
};

/* With the lock held. */
extern struct site_guest guests[SITE_HOSTS][SITE_GUESTS];
extern int twice;
void site_reset_disks(void);
void site_disks_arrive(int from, int to, int n);

void site_lock(void);
void site_unlock(void);
int site_number(const char *uuid);
int site_host_of(const char *uri); /* from 0 */
void site_tell(const char *what, const char *uuid);

/* fake_site_disks.c */
int site_set_bandwidth(
    struct hv_conn *conn, const char *uuid, int64_t value, struct err *err);
int site_set_max_downtime(
    struct hv_conn *conn, const char *uuid, int64_t value, struct err *err);
int site_start_postcopy(
    struct hv_conn *conn, const char *uuid, struct err *err);
int site_suspend(struct hv_conn *conn, const char *uuid, struct err *err);
int site_prepare(struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct hv_prepared *out, struct err *err);
int site_remove(struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct err *err);
int site_locate(struct hv_conn *conn, const char *path, char **pool,
    char **name, struct err *err);
int site_has_file(
    struct hv_conn *conn, const char *path, bool *out, struct err *err);
int site_copy(struct hv_conn *conn, const struct hv_copy *how,
    struct hv_copied *out, struct err *err);
int site_freeze(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err);
int site_merge(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err);
int site_shutdown(struct hv_conn *conn, const char *uuid, enum hv_shutdown how,
    struct err *err);
int site_start(struct hv_conn *conn, const char *uuid, struct err *err);
char *site_export(struct hv_conn *conn, const char *uuid,
    const struct domxml_edit *edits, size_t count, struct err *err);
int site_define(struct hv_conn *conn, const char *xml, struct err *err);
int site_carry(struct hv_conn *conn, const char *uuid, const char *to_uri,
    struct err *err);
int site_forget(struct hv_conn *conn, const char *uuid, const char *other_uri,
    struct err *err);

#endif
