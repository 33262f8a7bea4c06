#ifndef DROVER_HV_CONVERT_H
#define DROVER_HV_CONVERT_H

#include <libvirt/libvirt.h>

#include "hv/hv.h"

/* libvirt's numbers in words of ours.  What is not known to this table maps to
 * the value that claims least. */

enum domain_state convert_state(int state);
enum domain_reason convert_reason(int state, int reason);

/* A job's parameters, live or completed; `active` is not set here. */
void convert_job(virTypedParameterPtr params, int count, struct hv_job *out);
void convert_job_unknown(struct hv_job *out);

/* "stopped (migrated)"; never NULL. */
void convert_lifecycle(int event, int detail, char *out, size_t size);
const char *convert_close_reason(int reason);

#endif
