/*
 * What a host and its guests are, read in as few calls as libvirt allows.
 *
 * State and reason of all guests come in one call, which flags they carry in
 * a few more (libvirt can list by flag); only the XML, for those that run
 * whether a job is active, and for those that have snapshots or checkpoints
 * how many, cost a call per guest.  These few lists are not one
 * moment's view.  That is no loss: events are registered before a listing, and
 * what changes meanwhile is read again.
 *
 * The host's own load is read without asking any QEMU, so that a guest that
 * hangs holds up nothing here.  What guests use is in stats.c.
 */
#include "hv/listing.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hv/conn.h"
#include "hv/convert.h"
#include "hv/listing_parts.h"
#include "model/domxml.h"

#define LISTING_PARAMS_MAX 64

struct domain_list {
	virDomainPtr *domains;
	int count;
};

static void
listing_list_clear(struct domain_list *list)
{
	for (int i = 0; i < list->count; i++)
		(void)virDomainFree(list->domains[i]);
	free(list->domains);
}

static void
listing_stats_free(virDomainStatsRecordPtr **stats)
{
	if (*stats != NULL)
		virDomainStatsRecordListFree(*stats);
}

static void *
listing_array(size_t count, size_t size)
{
	void *array = calloc(count > 0 ? count : 1, size);

	if (array == NULL)
		abort();
	return array;
}

static char *
listing_uuid(virDomainPtr domain)
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (virDomainGetUUIDString(domain, uuid) < 0)
		return NULL;
	return str_dup(uuid);
}

static bool
listing_is_active(int state)
{
	return state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED &&
	    state != VIR_DOMAIN_NOSTATE;
}

static enum domain_job
listing_job(virDomainPtr domain)
{
	virDomainJobInfo info;
	virErrorPtr error;

	if (virDomainGetJobInfo(domain, &info) == 0)
		return info.type == VIR_DOMAIN_JOB_NONE ? DOMAIN_JOB_NONE
							: DOMAIN_JOB_ACTIVE;
	/* The target of a migration says: ask the source.  A job it is. */
	error = virGetLastError();
	if (error != NULL && error->code == VIR_ERR_OPERATION_UNSUPPORTED)
		return DOMAIN_JOB_ACTIVE;
	if (error != NULL && error->code == VIR_ERR_OPERATION_INVALID)
		return DOMAIN_JOB_NONE; /* not running any more */
	return DOMAIN_JOB_UNKNOWN;
}

/* The labels are in no other form of the XML. */
static bool
listing_relabels(virDomainPtr domain)
{
	cleanup_free char *xml = virDomainGetXMLDesc(domain, 0);

	return xml != NULL && domxml_relabels(xml);
}

/* -1: the domain is gone (or cannot be read); nothing in *out. */
static int
listing_read(
    virDomainPtr domain, int state, int reason, struct facts_domain *out)
{
	bool active = listing_is_active(state);
	char *xml;

	xml = virDomainGetXMLDesc(domain,
	    active ? VIR_DOMAIN_XML_MIGRATABLE : VIR_DOMAIN_XML_INACTIVE);
	if (xml == NULL && active) {
		virErrorPtr error = virGetLastError();

		/* Whoever may only look does not get the migratable form. */
		if (error != NULL &&
		    (error->code == VIR_ERR_OPERATION_DENIED ||
			error->code == VIR_ERR_ACCESS_DENIED))
			xml = virDomainGetXMLDesc(domain, 0);
	}
	if (xml == NULL)
		return -1;
	out->uuid = listing_uuid(domain);
	out->name = str_dup(virDomainGetName(domain));
	out->state = convert_state(state);
	out->reason = convert_reason(state, reason);
	out->job = active ? listing_job(domain) : DOMAIN_JOB_NONE;
	out->xml = xml;
	out->relabels = active && listing_relabels(domain);
	return 0;
}

/* What a running domain would be the next time. */
static void
listing_read_definition(virDomainPtr domain, struct facts_domain *out)
{
	if (out->persistent && out->state != DOMAIN_SHUTOFF)
		out->defined_xml =
		    virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
}

/* How many snapshots; FACTS_UNKNOWN: it cannot tell.  Also for checkpoints,
 * which came later than all else here. */
static int
listing_snapshots(virDomainPtr domain)
{
	int count = virDomainSnapshotNum(domain, 0);

	return count >= 0 ? count : FACTS_UNKNOWN;
}

static int
listing_checkpoints(virDomainPtr domain)
{
	int count = virDomainListAllCheckpoints(domain, NULL, 0);

	return count >= 0 ? count : FACTS_UNKNOWN;
}

struct facts_domain *
listing_domain(struct hv_conn *conn, const char *uuid, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	struct facts_domain *out;
	int state, reason, persistent, autostart = 0;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return NULL;
	if (virDomainGetState(domain, &state, &reason, 0) < 0 ||
	    (persistent = virDomainIsPersistent(domain)) < 0) {
		(void)conn_fail(conn, err);
		return NULL;
	}
	/* A transient domain has no such thing. */
	if (persistent == 1 && virDomainGetAutostart(domain, &autostart) < 0)
		autostart = 0;
	out = listing_array(1, sizeof(*out));
	if (listing_read(domain, state, reason, out) < 0) {
		(void)conn_fail(conn, err);
		facts_domain_free(out);
		return NULL;
	}
	out->persistent = persistent == 1;
	listing_read_definition(domain, out);
	out->autostart = autostart == 1;
	out->managed_save = virDomainHasManagedSaveImage(domain, 0) == 1;
	out->snapshots = listing_snapshots(domain);
	out->checkpoints = listing_checkpoints(domain);
	return out;
}

static bool
listing_has(const struct domain_list *list, virDomainPtr domain)
{
	unsigned char want[VIR_UUID_BUFLEN], have[VIR_UUID_BUFLEN];

	if (virDomainGetUUID(domain, want) < 0)
		return false;
	for (int i = 0; i < list->count; i++) {
		if (virDomainGetUUID(list->domains[i], have) == 0 &&
		    memcmp(want, have, sizeof(want)) == 0)
			return true;
	}
	return false;
}

static int
listing_by_flag(struct hv_conn *conn, unsigned flag, struct domain_list *out,
    struct err *err)
{
	out->count = virConnectListAllDomains(conn->vir, &out->domains, flag);
	if (out->count >= 0)
		return 0;
	out->count = 0;
	return conn_fail(conn, err);
}

static int
listing_domains(struct hv_conn *conn, struct facts_host *out, struct err *err)
{
	cleanup(listing_list_clear) struct domain_list persistent = {0};
	cleanup(listing_list_clear) struct domain_list autostart = {0};
	cleanup(listing_list_clear) struct domain_list saved = {0};
	cleanup(listing_list_clear) struct domain_list snapshots = {0};
	cleanup(listing_list_clear) struct domain_list checkpoints = {0};
	cleanup(listing_stats_free) virDomainStatsRecordPtr *stats = NULL;
	bool checkpoints_known;
	int count;

	count = virConnectGetAllDomainStats(conn->vir, VIR_DOMAIN_STATS_STATE,
	    &stats, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (count < 0)
		return conn_fail(conn, err);
	if (listing_by_flag(conn, VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
		&persistent, err) < 0 ||
	    listing_by_flag(conn, VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
		&autostart, err) < 0 ||
	    listing_by_flag(
		conn, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, &saved, err) < 0 ||
	    listing_by_flag(conn, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
		&snapshots, err) < 0)
		return -1;
	checkpoints_known =
	    listing_by_flag(conn, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT,
		&checkpoints, NULL) == 0;

	out->domains = listing_array((size_t)count, sizeof(*out->domains));
	for (int i = 0; i < count; i++) {
		struct facts_domain *domain = &out->domains[out->domain_count];
		int state = VIR_DOMAIN_NOSTATE, reason = 0;

		(void)virTypedParamsGetInt(
		    stats[i]->params, stats[i]->nparams, "state.state", &state);
		(void)virTypedParamsGetInt(stats[i]->params, stats[i]->nparams,
		    "state.reason", &reason);
		if (listing_read(stats[i]->dom, state, reason, domain) < 0)
			continue;
		domain->persistent = listing_has(&persistent, stats[i]->dom);
		listing_read_definition(stats[i]->dom, domain);
		domain->autostart = listing_has(&autostart, stats[i]->dom);
		domain->managed_save = listing_has(&saved, stats[i]->dom);
		if (listing_has(&snapshots, stats[i]->dom))
			domain->snapshots = listing_snapshots(stats[i]->dom);
		if (!checkpoints_known)
			domain->checkpoints = FACTS_UNKNOWN;
		else if (listing_has(&checkpoints, stats[i]->dom))
			domain->checkpoints =
			    listing_checkpoints(stats[i]->dom);
		out->domain_count++;
	}
	return 0;
}

static void
listing_memory(struct hv_conn *conn, struct facts_load *out)
{
	virNodeMemoryStats stats[LISTING_PARAMS_MAX];
	int count = 0;
	int64_t free_kib = 0;
	bool total = false, some = false;

	if (virNodeGetMemoryStats(conn->vir, VIR_NODE_MEMORY_STATS_ALL_CELLS,
		NULL, &count, 0) < 0 ||
	    count > LISTING_PARAMS_MAX ||
	    virNodeGetMemoryStats(conn->vir, VIR_NODE_MEMORY_STATS_ALL_CELLS,
		stats, &count, 0) < 0)
		return;
	for (int i = 0; i < count; i++) {
		int64_t kib = (int64_t)stats[i].value;

		if (strcmp(stats[i].field, VIR_NODE_MEMORY_STATS_TOTAL) == 0) {
			out->memory_total = kib * 1024;
			total = true;
		} else if (strcmp(stats[i].field, VIR_NODE_MEMORY_STATS_FREE) ==
		    0) {
			free_kib += kib;
			some = true;
		} else if (strcmp(stats[i].field,
			       VIR_NODE_MEMORY_STATS_BUFFERS) == 0 ||
		    strcmp(stats[i].field, VIR_NODE_MEMORY_STATS_CACHED) == 0) {
			free_kib += kib;
		}
	}
	if (total && some)
		out->memory_free = free_kib * 1024;
}

static void
listing_cpu(struct hv_conn *conn, struct facts_load *out)
{
	virNodeCPUStats stats[LISTING_PARAMS_MAX];
	int64_t busy = 0, idle = 0;
	bool some = false, rest = false;
	int count = 0;

	if (virNodeGetCPUStats(
		conn->vir, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &count, 0) < 0 ||
	    count > LISTING_PARAMS_MAX ||
	    virNodeGetCPUStats(
		conn->vir, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &count, 0) < 0)
		return;
	for (int i = 0; i < count; i++) {
		const char *field = stats[i].field;
		int64_t ns = (int64_t)stats[i].value;

		if (strcmp(field, VIR_NODE_CPU_STATS_KERNEL) == 0 ||
		    strcmp(field, VIR_NODE_CPU_STATS_USER) == 0 ||
		    strcmp(field, VIR_NODE_CPU_STATS_INTR) == 0) {
			busy += ns;
			some = true;
		} else if (strcmp(field, VIR_NODE_CPU_STATS_IDLE) == 0) {
			idle += ns;
			rest = true;
		} else if (strcmp(field, VIR_NODE_CPU_STATS_IOWAIT) == 0) {
			idle += ns;
		}
	}
	if (some && rest) {
		out->cpu_busy_ns = busy;
		out->cpu_idle_ns = idle;
	}
}

static int
listing_load_held(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	*out = (struct facts_load){
	    .memory_total = FACTS_UNKNOWN,
	    .memory_free = FACTS_UNKNOWN,
	    .cpu_busy_ns = FACTS_UNKNOWN,
	    .cpu_idle_ns = FACTS_UNKNOWN,
	};
	listing_memory(conn, out);
	listing_cpu(conn, out);
	if (conn_is_alive(conn))
		return 0;
	return err_set(err, ERR_UNREACHABLE, "the connection was lost");
}

int
listing_load(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	CONN_HOLD(conn);

	return listing_load_held(conn, out, err);
}

/* The host's own UUID is the first in its capabilities. */
static char *
listing_host_uuid(const char *capabilities)
{
	static const char open[] = "<uuid>";
	const char *from = strstr(capabilities, open);
	const char *to = from != NULL ? strstr(from, "</uuid>") : NULL;
	char *uuid;

	if (to == NULL)
		return NULL;
	from += sizeof(open) - 1;
	uuid = strndup(from, (size_t)(to - from));
	if (uuid == NULL)
		abort();
	return uuid;
}

static int
listing_node(struct hv_conn *conn, struct facts_host *out, struct err *err)
{
	unsigned long version;
	virNodeInfo info;

	out->capabilities_xml = virConnectGetCapabilities(conn->vir);
	if (out->capabilities_xml == NULL ||
	    virNodeGetInfo(conn->vir, &info) < 0)
		return conn_fail(conn, err);
	out->cpus = (int)info.cpus;
	out->host_uuid = listing_host_uuid(out->capabilities_xml);
	out->hostname = virConnectGetHostname(conn->vir);
	out->libvirt_version = FACTS_UNKNOWN;
	out->hypervisor_version = FACTS_UNKNOWN;
	if (virConnectGetLibVersion(conn->vir, &version) == 0)
		out->libvirt_version = (int64_t)version;
	if (virConnectGetVersion(conn->vir, &version) == 0)
		out->hypervisor_version = (int64_t)version;
	return 0;
}

struct facts_host *
listing_host(struct hv_conn *conn, struct err *err)
{
	CONN_HOLD(conn);
	struct facts_host *out = listing_array(1, sizeof(*out));

	if (listing_domains(conn, out, err) < 0 ||
	    listing_node(conn, out, err) < 0 ||
	    listing_load_held(conn, &out->load, err) < 0) {
		facts_host_free(out);
		return NULL;
	}
	listing_pages(conn, out);
	listing_pools(conn, out);
	listing_networks(conn, out);
	listing_interfaces(conn, out);
	if (conn_is_alive(conn))
		return out;
	(void)err_set(err, ERR_UNREACHABLE, "the connection was lost");
	facts_host_free(out);
	return NULL;
}
