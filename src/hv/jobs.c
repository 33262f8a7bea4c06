/*
 * What is asked of guests and of the jobs that they are busy with.
 *
 * Calls that ask for a state which is already reached (resume what runs,
 * destroy what is off) succeed: they are repeated after a crash.  So the state
 * is asked after a refusal, and what the refusal said does not count when the
 * state that was wanted is there.
 */
#include "hv/jobs.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "hv/conn.h"
#include "hv/convert.h"

int
jobs_job(
    struct hv_conn *conn, const char *uuid, struct hv_job *out, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup(conn_params_clear) struct conn_params params = {0};
	virErrorPtr error;
	int type;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainGetJobStats(
		domain, &type, &params.list, &params.count, 0) == 0) {
		convert_job(params.list, params.count, out);
		out->active = type != VIR_DOMAIN_JOB_NONE;
		return 0;
	}
	/* Figures of a migration are at its source; that there is one is
	 * known here as well.  No job without a process. */
	error = virGetLastError();
	if (error != NULL &&
	    (error->code == VIR_ERR_OPERATION_UNSUPPORTED ||
		error->code == VIR_ERR_OPERATION_INVALID)) {
		convert_job_unknown(out);
		out->active = error->code == VIR_ERR_OPERATION_UNSUPPORTED;
		return 0;
	}
	return conn_fail(conn, err);
}

int
jobs_last_job(
    struct hv_conn *conn, const char *uuid, struct hv_job *out, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup(conn_params_clear) struct conn_params params = {0};
	int type;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainGetJobStats(domain, &type, &params.list, &params.count,
		VIR_DOMAIN_JOB_STATS_COMPLETED |
		    VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED) < 0)
		return conn_fail(conn, err);
	if (type == VIR_DOMAIN_JOB_NONE)
		return err_set(err, ERR_NOT_FOUND,
		    "the host remembers no job of this guest");
	convert_job(params.list, params.count, out);
	out->active = false;
	return 0;
}

/* A backup or a dump, which nobody asked Drover to end.  A daemon that does not
 * tell what its job is gets the benefit of the doubt. */
static bool
jobs_is_foreign(virDomainPtr domain)
{
	cleanup(conn_params_clear) struct conn_params params = {0};
	int type, operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;

	if (virDomainGetJobStats(
		domain, &type, &params.list, &params.count, 0) < 0 ||
	    virTypedParamsGetInt(params.list, params.count,
		VIR_DOMAIN_JOB_OPERATION, &operation) != 1)
		return false;
	return operation != VIR_DOMAIN_JOB_OPERATION_UNKNOWN &&
	    operation != VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
}

int
jobs_abort(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (jobs_is_foreign(domain))
		return err_set(err, ERR_CONFLICT,
		    "the job that holds the domain is no migration");
	if (virDomainAbortJob(domain) < 0)
		return conn_fail(conn, err);
	return 0;
}

int
jobs_resume(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	int state;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainResume(domain) == 0)
		return 0;
	(void)conn_fail(conn, err);
	if (virDomainGetState(domain, &state, NULL, 0) == 0 &&
	    state == VIR_DOMAIN_RUNNING)
		return conn_forgive(err);
	return -1;
}

int
jobs_suspend(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	int state;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainSuspend(domain) == 0)
		return 0;
	(void)conn_fail(conn, err);
	if (virDomainGetState(domain, &state, NULL, 0) == 0 &&
	    state == VIR_DOMAIN_PAUSED)
		return conn_forgive(err);
	return -1;
}

int
jobs_destroy(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainDestroy(domain) == 0)
		return 0;
	(void)conn_fail(conn, err);
	return virDomainIsActive(domain) == 0 ? conn_forgive(err) : -1;
}

static bool
jobs_has_tpm(virDomainPtr domain)
{
	char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	bool has = xml == NULL || strstr(xml, "<tpm") != NULL;

	free(xml);
	return has;
}

int
jobs_undefine(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	virErrorPtr error;
	int active;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	active = virDomainIsActive(domain);
	if (active < 0)
		return conn_fail(conn, err);
	if (active == 1)
		return err_set(err, ERR_CONFLICT, "the domain is active");
	if (virDomainUndefineFlags(domain,
		VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |
		    VIR_DOMAIN_UNDEFINE_KEEP_TPM) == 0)
		return 0;
	/* libvirt before 8.9 cannot promise to keep TPM state, which matters
	 * only where there is some. */
	error = virGetLastError();
	if (error == NULL || error->code != VIR_ERR_INVALID_ARG)
		return conn_fail(conn, err);
	(void)conn_fail(conn, err);
	if (!jobs_has_tpm(domain) &&
	    virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) == 0)
		return conn_forgive(err);
	return -1;
}

int
jobs_set_autostart(
    struct hv_conn *conn, const char *uuid, bool on, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainSetAutostart(domain, on ? 1 : 0) < 0)
		return conn_fail(conn, err);
	return 0;
}
