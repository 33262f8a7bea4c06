/*
 * Live migration.
 *
 * It is peer-to-peer: the source's daemon drives it, and it goes on when
 * Drover ends.  Only the call that waits for it lives here.  The flags are few
 * on purpose: ABORT_ON_ERROR because a guest that hits an I/O error on the way
 * belongs back at its source, PAUSED for the strict handover, where the target
 * may not start a guest that the source could have resumed.  Never PARALLEL:
 * with post-copy it is refused by some QEMUs and accepted wrongly by others.
 *
 * What a guest is to look like at the target is two definitions.  The live one
 * is what its QEMU is started from; there, copied disks unmap zeros, so that
 * the copy comes out as thin as what was read.  The persistent one is what its
 * owner wrote, but for the paths.  libvirt 9.0 would take the live one for
 * both, so that it gets both or none.
 *
 * Two refusals are answered here and now, because libvirt gives them before
 * anything has happened to the guest: a target that cannot do post-copy is
 * asked without, and libvirt's own test of shared storage is overruled where
 * Drover has a proof.  What it says about caches is not overruled.
 *
 * Maximum downtime and the rate without a limit are no parameters of the call.
 * QEMU and libvirt keep them for the running process, from an earlier move
 * perhaps, so they are set right before.
 */
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hv/address.h"
#include "hv/conn.h"
#include "hv/jobs.h"

#define MIGRATE_URI_MAX 512
#define MIGRATE_MIB (1024 * 1024)
/* The most that libvirt takes, and its word for no limit. */
#define MIGRATE_MIB_MAX ((unsigned long)(INT64_MAX / MIGRATE_MIB))
#define MIGRATE_DISKS_MAX 256

static int
migrate_add_string(struct conn_params *params, const char *name,
    const char *value, struct err *err)
{
	if (virTypedParamsAddString(
		&params->list, &params->count, &params->max, name, value) < 0)
		return err_set(
		    err, ERR_INTERNAL, "%s", virGetLastErrorMessage());
	return 0;
}

static unsigned
migrate_flags(const struct hv_migrate *how)
{
	unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER |
	    VIR_MIGRATE_ABORT_ON_ERROR;

	if (how->persistent)
		flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	if (how->paused)
		flags |= VIR_MIGRATE_PAUSED;
	if (how->copy_count > 0)
		flags |= how->incremental ? VIR_MIGRATE_NON_SHARED_INC
					  : VIR_MIGRATE_NON_SHARED_DISK;
	if (how->auto_converge)
		flags |= VIR_MIGRATE_AUTO_CONVERGE;
	if (how->postcopy)
		flags |= VIR_MIGRATE_POSTCOPY;
	return flags;
}

/* An address to send to.  Without one given, the one of the target's libvirt
 * daemon; without that, libvirt's own guess. */
static int
migrate_add_uri(
    const struct hv_migrate *how, struct conn_params *params, struct err *err)
{
	char uri[MIGRATE_URI_MAX];
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
	return migrate_add_string(params, VIR_MIGRATE_PARAM_URI, uri, err);
}

static unsigned long
migrate_mib(int64_t bandwidth)
{
	if (bandwidth <= 0)
		return MIGRATE_MIB_MAX;
	return (unsigned long)(bandwidth / MIGRATE_MIB +
	    (bandwidth % MIGRATE_MIB > 0));
}

static int
migrate_add_bandwidth(
    const struct hv_migrate *how, struct conn_params *params, struct err *err)
{
	if (how->bandwidth <= 0)
		return 0;
	if (virTypedParamsAddULLong(&params->list, &params->count, &params->max,
		VIR_MIGRATE_PARAM_BANDWIDTH,
		(unsigned long long)migrate_mib(how->bandwidth)) < 0)
		return err_set(
		    err, ERR_INTERNAL, "%s", virGetLastErrorMessage());
	return 0;
}

/* The definition edited; the persistent one without what is only for the
 * copy, and without the disks that only the running guest has. */
static char *
migrate_edit(const char *xml, const struct hv_migrate *how, bool persistent,
    struct err *err)
{
	char *now = strdup(xml);

	for (size_t i = 0; i < how->edit_count && now != NULL; i++) {
		struct domxml_edit edit = how->edits[i];
		struct err why = {0};
		char *next;

		if (persistent)
			edit.thin = false;
		next = domxml_edit(now, &edit, 1, &why);
		if (next == NULL && persistent && why.code == ERR_NOT_FOUND)
			continue;
		free(now);
		now = next;
		if (now == NULL)
			(void)err_set(err, why.code, "%s", why.msg);
	}
	return now;
}

static int
migrate_add_xml(struct hv_conn *conn, virDomainPtr domain,
    const struct hv_migrate *how, bool persistent, struct conn_params *params,
    struct err *err)
{
	unsigned flags = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE;
	char *xml, *edited;
	int rc;

	if (persistent)
		flags |= VIR_DOMAIN_XML_INACTIVE;
	xml = virDomainGetXMLDesc(domain, flags);
	if (xml == NULL)
		return conn_fail(conn, err);
	edited = migrate_edit(xml, how, persistent, err);
	free(xml);
	if (edited == NULL)
		return err_prefix(err, "the guest's definition for the target");
	rc = migrate_add_string(params,
	    persistent ? VIR_MIGRATE_PARAM_PERSIST_XML
		       : VIR_MIGRATE_PARAM_DEST_XML,
	    edited, err);
	free(edited);
	return rc;
}

static int
migrate_fill(struct hv_conn *conn, virDomainPtr domain,
    const struct hv_migrate *how, struct conn_params *params, struct err *err)
{
	if (how->copy_count > MIGRATE_DISKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d disks to copy",
		    MIGRATE_DISKS_MAX);
	if (migrate_add_uri(how, params, err) < 0 ||
	    migrate_add_bandwidth(how, params, err) < 0)
		return -1;
	for (size_t i = 0; i < how->copy_count; i++) {
		if (migrate_add_string(params, VIR_MIGRATE_PARAM_MIGRATE_DISKS,
			how->copy[i], err) < 0)
			return -1;
	}
	if (how->edit_count == 0)
		return 0;
	if (migrate_add_xml(conn, domain, how, false, params, err) < 0)
		return -1;
	return how->persistent
	    ? migrate_add_xml(conn, domain, how, true, params, err)
	    : 0;
}

/* What is kept for the process.  Wishes: a hypervisor that cannot keeps its
 * own. */
static void
migrate_set_kept(virDomainPtr domain, const struct hv_migrate *how)
{
	if (how->max_downtime_ms > 0 &&
	    virDomainMigrateSetMaxDowntime(
		domain, (unsigned long long)how->max_downtime_ms, 0) < 0)
		log_debug("migrate", "%s: maximum downtime: %s", how->uuid,
		    virGetLastErrorMessage());
	if (how->bandwidth <= 0 &&
	    virDomainMigrateSetMaxSpeed(domain, MIGRATE_MIB_MAX, 0) < 0)
		log_debug("migrate", "%s: rate without a limit: %s", how->uuid,
		    virGetLastErrorMessage());
}

/* The flags of another try after libvirt's last error; 0: none. */
static unsigned
migrate_next_try(unsigned flags, const struct hv_migrate *how)
{
	virErrorPtr error = virGetLastError();

	if (error == NULL)
		return 0;
	if (how->unsafe_ok && (flags & VIR_MIGRATE_UNSAFE) == 0 &&
	    error->code == VIR_ERR_MIGRATE_UNSAFE && error->message != NULL &&
	    strstr(error->message, "without shared storage") != NULL) {
		log_debug("migrate",
		    "%s: libvirt's doubt about the storage is overruled: %s",
		    how->uuid, error->message);
		return flags | VIR_MIGRATE_UNSAFE;
	}
	if ((flags & VIR_MIGRATE_POSTCOPY) != 0 && error->message != NULL &&
	    strstr(error->message, "ostcopy is not supported") != NULL) {
		log_debug("migrate", "%s: without post-copy: %s", how->uuid,
		    error->message);
		if (how->postcopy_refused != NULL)
			*how->postcopy_refused = true;
		return flags & ~(unsigned)VIR_MIGRATE_POSTCOPY;
	}
	return 0;
}

int
jobs_migrate(
    struct hv_conn *conn, const struct hv_migrate *how, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup(conn_params_clear) struct conn_params params = {0};
	unsigned flags = migrate_flags(how);

	if (how->postcopy_refused != NULL)
		*how->postcopy_refused = false;
	domain = conn_domain(conn, how->uuid, err);
	if (domain == NULL || migrate_fill(conn, domain, how, &params, err) < 0)
		return -1;
	migrate_set_kept(domain, how);
	while (virDomainMigrateToURI3(domain, how->dest_uri, params.list,
		   (unsigned)params.count, flags) < 0) {
		flags = migrate_next_try(flags, how);
		if (flags == 0)
			return conn_fail(conn, err);
	}
	return 0;
}

int
jobs_set_bandwidth(
    struct hv_conn *conn, const char *uuid, int64_t bandwidth, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainMigrateSetMaxSpeed(domain, migrate_mib(bandwidth), 0) < 0)
		return conn_fail(conn, err);
	return 0;
}

int
jobs_set_max_downtime(
    struct hv_conn *conn, const char *uuid, int64_t ms, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	if (ms <= 0)
		return err_set(err, ERR_INVALID, "a maximum downtime of 0");
	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainMigrateSetMaxDowntime(domain, (unsigned long long)ms, 0) <
	    0)
		return conn_fail(conn, err);
	return 0;
}

int
jobs_start_postcopy(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return -1;
	if (virDomainMigrateStartPostCopy(domain, 0) < 0)
		return conn_fail(conn, err);
	return 0;
}
