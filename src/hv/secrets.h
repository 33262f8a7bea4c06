#ifndef DROVER_HV_SECRETS_H
#define DROVER_HV_SECRETS_H

#include <libxml/tree.h>

#include "hv/conn.h"

/* Makes sure that the other host has, with the same value, each secret that a
 * domain's definition names.  ERR_CONFLICT: it has another, or one that can't
 * be compared.  The caller holds both connections. */
int secrets_carry(const struct hv_conn *from, const struct hv_conn *to,
    const xmlNode *domain, struct err *err);
bool secrets_has_any(const xmlNode *domain);

#endif
