/*
 * libvirt's errors, told apart by what the caller must do about them.
 *
 * The hard question after a failed call is whether the host said no or whether
 * nobody knows what it did.  The error itself does not tell: "client socket is
 * closed" comes from our own connection as well as, through it, from the
 * source's connection to a migration's target.  So the connection is asked:
 * virConnectIsAlive() only looks at the local socket and is reliable once a
 * call has failed on it.
 */
#include "hv/conn.h"

#include <libvirt/virterror.h>
#include <string.h>

static enum err_code
conn_code(int code)
{
	switch (code) {
	case VIR_ERR_NO_DOMAIN:
	case VIR_ERR_NO_NETWORK:
	case VIR_ERR_NO_STORAGE_POOL:
	case VIR_ERR_NO_STORAGE_VOL:
	case VIR_ERR_NO_NODE_DEVICE:
	case VIR_ERR_NO_SECRET:
		return ERR_NOT_FOUND;
	case VIR_ERR_OPERATION_ABORTED:
		return ERR_ABORTED;
	case VIR_ERR_OPERATION_TIMEOUT:
	case VIR_ERR_AGENT_UNRESPONSIVE:
		return ERR_TIMEOUT;
	case VIR_ERR_DOM_EXIST:
		return ERR_CONFLICT;
	case VIR_ERR_NO_MEMORY:
		return ERR_LIMIT;
	default:
		return ERR_REFUSED;
	}
}

static const char *
conn_message(virErrorPtr error)
{
	if (error == NULL || error->message == NULL ||
	    error->message[0] == '\0')
		return "libvirt gave no reason";
	return error->message;
}

struct hv_conn *
conn_hold(struct hv_conn *conn)
{
	(void)pthread_mutex_lock(&conn->busy);
	return conn;
}

void
conn_release(struct hv_conn **conn)
{
	(void)pthread_mutex_unlock(&(*conn)->busy);
}

bool
conn_is_alive(const struct hv_conn *conn)
{
	/* -1 (cannot tell) counts as broken. */
	return conn->vir != NULL && virConnectIsAlive(conn->vir) == 1;
}

int
conn_fail(const struct hv_conn *conn, struct err *err)
{
	virErrorPtr error = virSaveLastError(); /* asking resets it */
	enum err_code code;

	code = error != NULL ? conn_code(error->code) : ERR_REFUSED;
	if (!conn_is_alive(conn))
		code = ERR_UNREACHABLE;
	(void)err_set(err, code, "%s", conn_message(error));
	virFreeError(error);
	return -1;
}

int
conn_forgive(struct err *err)
{
	if (err != NULL)
		*err = (struct err){0};
	return 0;
}

int
conn_fail_open(struct err *err)
{
	virErrorPtr error = virGetLastError();
	enum err_code code = ERR_UNREACHABLE;

	if (error != NULL &&
	    (error->code == VIR_ERR_AUTH_FAILED ||
		error->code == VIR_ERR_AUTH_CANCELLED ||
		error->code == VIR_ERR_ACCESS_DENIED ||
		error->code == VIR_ERR_OPERATION_DENIED))
		code = ERR_REFUSED;
	else if (error != NULL &&
	    (error->code == VIR_ERR_INVALID_ARG ||
		error->code == VIR_ERR_NO_CONNECT))
		code = ERR_INVALID;
	return err_set(err, code, "%s", conn_message(error));
}

virDomainPtr
conn_domain(const struct hv_conn *conn, const char *uuid, struct err *err)
{
	virDomainPtr domain = virDomainLookupByUUIDString(conn->vir, uuid);

	if (domain == NULL)
		(void)conn_fail(conn, err);
	return domain;
}
