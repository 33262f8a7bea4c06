/*
 * Moving guests and what belongs to it.
 *
 * Migration is peer-to-peer: the source's daemon drives it, and it goes on
 * when Drover ends.  Only the call that waits for it lives here.  The flags
 * are few on purpose: ABORT_ON_ERROR because a guest that hits an I/O error on
 * the way belongs back at its source, PAUSED for the strict handover, where
 * the target may not start a guest that the source could have resumed.
 *
 * Maximum downtime is not a parameter of the call.  QEMU keeps it as a
 * property of the running process, so it is set right before the call, where
 * no race with a short migration can miss it.
 *
 * Calls that ask for a state which is already reached (resume what runs,
 * destroy what is off) succeed: they are repeated after a crash.
 */
#include "hv/jobs.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hv/address.h"
#include "hv/conn.h"
#include "hv/convert.h"

#define JOBS_URI_MAX 512
#define JOBS_MIB (1024 * 1024)

struct params {
	virTypedParameterPtr list;
	int count, max;
};

static void
jobs_params_clear(struct params *params)
{
	virTypedParamsFree(params->list, params->count);
}

static unsigned
jobs_flags(const struct hv_migrate *how)
{
	unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER |
	    VIR_MIGRATE_ABORT_ON_ERROR;

	if (how->persistent)
		flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	if (how->paused)
		flags |= VIR_MIGRATE_PAUSED;
	return flags;
}

/* An address to send to.  Without one given, the one of the target's libvirt
 * daemon; without that, libvirt's own guess. */
static int
jobs_add_uri(
    const struct hv_migrate *how, struct params *params, struct err *err)
{
	char uri[JOBS_URI_MAX];
	struct err ignored;

	if (how->migrate_uri != NULL) {
		if (address_resolve_uri(
			how->migrate_uri, uri, sizeof(uri), err) < 0)
			return err_prefix(err, "migrate_uri");
	} else if (address_from_uri(how->dest_uri, uri, sizeof(uri), &ignored) <
	    0) {
		log_debug("migrate", "%s: no address of the target: %s",
		    how->uuid, ignored.msg);
		return 0;
	}
	if (virTypedParamsAddString(&params->list, &params->count, &params->max,
		VIR_MIGRATE_PARAM_URI, uri) < 0)
		return err_set(
		    err, ERR_INTERNAL, "%s", virGetLastErrorMessage());
	return 0;
}

static int
jobs_add_bandwidth(
    const struct hv_migrate *how, struct params *params, struct err *err)
{
	int64_t mib =
	    how->bandwidth / JOBS_MIB + (how->bandwidth % JOBS_MIB > 0);

	if (how->bandwidth <= 0)
		return 0;
	if (virTypedParamsAddULLong(&params->list, &params->count, &params->max,
		VIR_MIGRATE_PARAM_BANDWIDTH, (unsigned long long)mib) < 0)
		return err_set(
		    err, ERR_INTERNAL, "%s", virGetLastErrorMessage());
	return 0;
}

int
jobs_migrate(
    struct hv_conn *conn, const struct hv_migrate *how, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup(jobs_params_clear) struct params params = {0};

	domain = conn_domain(conn, how->uuid, err);
	if (domain == NULL)
		return -1;
	if (jobs_add_uri(how, &params, err) < 0 ||
	    jobs_add_bandwidth(how, &params, err) < 0)
		return -1;
	/* A wish: a hypervisor that cannot keeps its default. */
	if (how->max_downtime_ms > 0 &&
	    virDomainMigrateSetMaxDowntime(
		domain, (unsigned long long)how->max_downtime_ms, 0) < 0)
		log_debug("migrate", "%s: maximum downtime: %s", how->uuid,
		    virGetLastErrorMessage());
	if (virDomainMigrateToURI3(domain, how->dest_uri, params.list,
		(unsigned)params.count, jobs_flags(how)) < 0)
		return conn_fail(conn, err);
	return 0;
}

int
jobs_job(
    struct hv_conn *conn, const char *uuid, struct hv_job *out, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup(jobs_params_clear) struct params params = {0};
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
	cleanup(jobs_params_clear) struct params params = {0};
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
	cleanup(jobs_params_clear) struct params params = {0};
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

/* What the first try said does not count: the state that was wanted is there. */
static int
jobs_forgive(struct err *err)
{
	if (err != NULL)
		*err = (struct err){0};
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
		return jobs_forgive(err);
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
	return virDomainIsActive(domain) == 0 ? jobs_forgive(err) : -1;
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
		return jobs_forgive(err);
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
