#ifndef DROVER_HV_ABI_H
#define DROVER_HV_ABI_H

#include "hv/hv.h"

/* See struct hv_ops.  Without cpu_xml only emulator and machine type count. */
int abi_check(struct hv_conn *conn, const char *emulator, const char *arch,
    const char *machine, const char *virt_type, const char *cpu_xml,
    struct hv_abi_verdict *out, struct err *err);

#endif
