#ifndef DROVER_HV_CONN_H
#define DROVER_HV_CONN_H

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "hv/hv.h"

/*
 * What the libvirt part of hv/ shares: the connection itself and how libvirt's
 * errors become ours.  Any worker thread; only files that talk to libvirt
 * include this.
 */

struct events;

struct hv_conn {
	virConnectPtr vir;
	struct events *events;	/* NULL: made for one long call */
};

/* Fills *err from libvirt's last error on this thread; returns -1.  When the
 * connection is found broken, the code is ERR_UNREACHABLE whatever the error
 * was: what a call did on a broken connection is not known. */
int conn_fail(const struct hv_conn *conn, struct err *err);
/* The same where there is no connection yet (or none any more). */
int conn_fail_open(struct err *err);

bool conn_is_alive(const struct hv_conn *conn);

/* Looks a domain up; the caller frees it.  NULL: *err is set. */
virDomainPtr conn_domain(const struct hv_conn *conn, const char *uuid,
    struct err *err);

/* For cleanup(). */
static inline void
conn_domain_free(virDomainPtr *domain)
{
	if (*domain != NULL)
		(void)virDomainFree(*domain);
}

#endif
