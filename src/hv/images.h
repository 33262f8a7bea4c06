#ifndef DROVER_HV_IMAGES_H
#define DROVER_HV_IMAGES_H

#include "hv/conn.h"

/* The vtable's volumes; see hv.h. */

int images_prepare(struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct hv_prepared *out, struct err *err);
int images_remove(struct hv_conn *conn, const struct hv_volume *volumes,
    size_t count, struct err *err);
int images_names(struct hv_conn *conn, const char *pool, const char *prefix,
    char ***out, size_t *out_count, struct err *err);
int images_locate(struct hv_conn *conn, const char *path, char **pool,
    char **name, struct err *err);
int images_has_file(
    struct hv_conn *conn, const char *path, bool *out, struct err *err);

/* Makes room for a name: nothing there is good, an old copy of ours goes when
 * `how` allows it, anything else is ERR_CONFLICT.  The caller holds the
 * connection. */
int images_clear_name(const struct hv_conn *conn, virStoragePoolPtr pool,
    const struct hv_volume *how, struct err *err);

#endif
