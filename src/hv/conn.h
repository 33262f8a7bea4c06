#ifndef DROVER_HV_CONN_H
#define DROVER_HV_CONN_H

#include <libvirt/libvirt.h>
#include <pthread.h>

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
	struct events *events; /* NULL: made for one long call */
	pthread_mutex_t busy;  /* held by the one call that is being made */
};

/*
 * One call at a time on a connection, and this is not for speed: libvirt's
 * client (measured with 9.0) does not survive two.  When keepalive gives a
 * connection up, the first waiting call returns, the second waits on for ever,
 * and crashes the process when the host comes back.  Every function of the
 * vtable that makes calls begins with CONN_HOLD(conn).
 */
#define CONN_HOLD(conn)                                                        \
	cleanup(conn_release)                                                  \
	    __attribute__((unused)) struct hv_conn *conn_held =                \
		conn_hold(conn)

struct hv_conn *conn_hold(struct hv_conn *conn);
void conn_release(struct hv_conn **conn);

/* Fills *err from libvirt's last error on this thread; returns -1.  When the
 * connection is found broken, the code is ERR_UNREACHABLE whatever the error
 * was: what a call did on a broken connection is not known. */
int conn_fail(const struct hv_conn *conn, struct err *err);
/* The same where there is no connection yet (or none any more). */
int conn_fail_open(struct err *err);

/* What a call said does not count: the state that it should have brought about
 * is there.  Clears *err; returns 0. */
int conn_forgive(struct err *err);

bool conn_is_alive(const struct hv_conn *conn);

/* Looks a domain up; the caller frees it.  NULL: *err is set. */
virDomainPtr conn_domain(
    const struct hv_conn *conn, const char *uuid, struct err *err);

/* Typed parameters, as libvirt's own functions fill and grow them. */
struct conn_params {
	virTypedParameterPtr list;
	int count, max;
};

/* For cleanup(). */
static inline void
conn_params_clear(struct conn_params *params)
{
	virTypedParamsFree(params->list, params->count);
}

static inline void
conn_domain_free(virDomainPtr *domain)
{
	if (*domain != NULL)
		(void)virDomainFree(*domain);
}

#endif
