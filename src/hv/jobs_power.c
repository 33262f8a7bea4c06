/*
 * What a move by shutdown and start asks of both hosts.
 *
 * A shutdown is a wish that the guest may ignore; the call only passes it on.
 * Whether the guest is off is for the listing to say.
 *
 * A guest with a managed save is never started: libvirt would restore it, and
 * what the saved memory knows of its disks may be long gone.
 *
 * Exported definitions carry secrets (VNC passwords).  They go from one host
 * to the other and are never logged.
 */
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "hv/conn.h"
#include "hv/jobs.h"

int
jobs_shutdown(struct hv_conn *conn, const char *uuid, enum hv_shutdown how,
    struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	unsigned flags = VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	switch (how) {
	case HV_SHUTDOWN_AGENT:
		flags = VIR_DOMAIN_SHUTDOWN_GUEST_AGENT;
		break;
	case HV_SHUTDOWN_ACPI:
		break;
	}
	if (virDomainShutdownFlags(domain, flags) == 0)
		return 0;
	(void)conn_fail(conn, err);
	return virDomainIsActive(domain) == 0 ? conn_forgive(err) : -1;
}

int
jobs_start(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	int saved, state;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	saved = virDomainHasManagedSaveImage(domain, 0);
	if (saved < 0)
		return conn_fail(conn, err);
	if (saved == 1)
		return err_set(err, ERR_CONFLICT,
		    "a managed save waits to be restored: start the guest or "
		    "remove it (virsh managedsave-remove)");
	if (virDomainCreate(domain) == 0)
		return 0;
	(void)conn_fail(conn, err);
	if (virDomainGetState(domain, &state, NULL, 0) == 0 &&
	    state == VIR_DOMAIN_RUNNING)
		return conn_forgive(err);
	return -1;
}

char *
jobs_export(struct hv_conn *conn, const char *uuid,
    const struct domxml_edit *edits, size_t count, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	char *xml, *edited;
	int persistent;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return NULL;
	persistent = virDomainIsPersistent(domain);
	if (persistent == 0) {
		(void)err_set(err, ERR_CONFLICT,
		    "the guest is transient: there is no definition to move");
		return NULL;
	}
	xml = persistent < 0
	    ? NULL
	    : virDomainGetXMLDesc(
		  domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	if (xml == NULL) {
		(void)conn_fail(conn, err);
		return NULL;
	}
	edited = domxml_edit(xml, edits, count, err);
	free(xml);
	return edited;
}

int
jobs_define(struct hv_conn *conn, const char *xml, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	domain = virDomainDefineXMLFlags(conn->vir, xml, 0);
	return domain != NULL ? 0 : conn_fail(conn, err);
}
