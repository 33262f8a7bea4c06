/*
 * What the guests of a host use, all of them in one call.
 *
 * Some of libvirt's groups are answered by QEMU, and one that hangs is waited
 * for; NOWAIT leaves out a guest that somebody waits for already, but not the
 * first time.  So this is asked on a connection where nothing else waits, disks
 * (the dearest group) with some of the readings only, and a second time beside
 * a first that hangs.
 *
 * A daemon without such statistics is asked guest by guest, for what it has at
 * hand.
 */
#include "hv/stats.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hv/conn.h"

struct stats_list {
	virDomainStatsRecordPtr *records;
	int count;
};

static void
stats_list_clear(struct stats_list *list)
{
	if (list->records != NULL)
		virDomainStatsRecordListFree(list->records);
}

struct stats_domains {
	virDomainPtr *domains;
	int count;
};

static void
stats_domains_clear(struct stats_domains *list)
{
	for (int i = 0; i < list->count; i++)
		(void)virDomainFree(list->domains[i]);
	free(list->domains);
}

static char *
stats_uuid(virDomainPtr domain)
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (virDomainGetUUIDString(domain, uuid) < 0)
		return NULL;
	return str_dup(uuid);
}

static bool
stats_ends(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* The sum of all "BEGIN.N.END"; unknown when there is none. */
static int64_t
stats_sum(
    const virDomainStatsRecord *record, const char *begin, const char *end)
{
	size_t len = strlen(begin);
	int64_t sum = FACTS_UNKNOWN;

	for (int i = 0; i < record->nparams; i++) {
		const virTypedParameter *p = &record->params[i];

		if (p->type != VIR_TYPED_PARAM_ULLONG ||
		    strncmp(p->field, begin, len) != 0 ||
		    !stats_ends(p->field, end))
			continue;
		sum = (sum < 0 ? 0 : sum) + (int64_t)p->value.ul;
	}
	return sum;
}

static int64_t
stats_value(const virDomainStatsRecord *record, const char *name)
{
	unsigned long long value;

	if (virTypedParamsGetULLong(
		record->params, record->nparams, name, &value) != 1)
		return FACTS_UNKNOWN;
	return (int64_t)value;
}

static bool
stats_has_none(const virDomainStatsRecord *record, const char *count_name)
{
	unsigned count;

	return virTypedParamsGetUInt(
		   record->params, record->nparams, count_name, &count) == 1 &&
	    count == 0;
}

/* Two sums of devices; none of them is 0, one that is not told unknown. */
static int64_t
stats_both(const virDomainStatsRecord *record, const char *begin,
    const char *count_name, const char *one, const char *other)
{
	int64_t first = stats_sum(record, begin, one);
	int64_t second = stats_sum(record, begin, other);

	if (stats_has_none(record, count_name))
		return 0;
	return first >= 0 && second >= 0 ? first + second : FACTS_UNKNOWN;
}

static void
stats_read(const virDomainStatsRecord *record, struct facts_domain_load *out)
{
	int64_t vcpu = stats_sum(record, "vcpu.", ".time");

	out->cpu_ns = stats_value(record, "cpu.time");
	out->vcpu_ns = vcpu > 0 ? vcpu : 0;
	/* What it waited in the run queue; "wait" is the same by another way
	 * of counting, which a kernel may have switched off. */
	out->delay_ns = stats_sum(record, "vcpu.", ".delay");
	out->net_bytes =
	    stats_both(record, "net.", "net.count", ".rx.bytes", ".tx.bytes");
	out->disk_requests =
	    stats_both(record, "block.", "block.count", ".rd.reqs", ".wr.reqs");
}

static struct facts_domain_load *
stats_array(size_t count)
{
	struct facts_domain_load *array =
	    calloc(count > 0 ? count : 1, sizeof(*array));

	if (array == NULL)
		abort();
	return array;
}

/* A libvirt, or a driver of it, that does not have them. */
static bool
stats_are_missing(void)
{
	virErrorPtr error = virGetLastError();

	return error != NULL &&
	    (error->code == VIR_ERR_NO_SUPPORT ||
		error->code == VIR_ERR_INVALID_ARG ||
		error->code == VIR_ERR_ARGUMENT_UNSUPPORTED ||
		error->code == VIR_ERR_OPERATION_UNSUPPORTED);
}

static int
stats_one_by_one(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	cleanup(stats_domains_clear) struct stats_domains active = {0};

	active.count = virConnectListAllDomains(
	    conn->vir, &active.domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (active.count < 0) {
		active.count = 0;
		return conn_fail(conn, err);
	}
	out->disks = false;
	out->domains = stats_array((size_t)active.count);
	for (int i = 0; i < active.count; i++) {
		struct facts_domain_load *load =
		    &out->domains[out->domain_count];
		virDomainInfo info;

		if (virDomainGetInfo(active.domains[i], &info) < 0)
			continue;
		*load = (struct facts_domain_load){
		    .uuid = stats_uuid(active.domains[i]),
		    .cpu_ns = (int64_t)info.cpuTime,
		    .delay_ns = FACTS_UNKNOWN,
		    .net_bytes = FACTS_UNKNOWN,
		    .disk_requests = FACTS_UNKNOWN,
		};
		if (load->uuid != NULL)
			out->domain_count++;
	}
	return 0;
}

int
stats_guests(
    struct hv_conn *conn, bool disks, struct facts_load *out, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(stats_list_clear) struct stats_list list = {0};
	unsigned groups = VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VCPU |
	    VIR_DOMAIN_STATS_INTERFACE;

	*out = (struct facts_load){.guests_only = true, .disks = disks};
	if (disks)
		groups |= VIR_DOMAIN_STATS_BLOCK;
	list.count =
	    virConnectGetAllDomainStats(conn->vir, groups, &list.records,
		VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
		    VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (list.count < 0)
		return stats_are_missing() ? stats_one_by_one(conn, out, err)
					   : conn_fail(conn, err);
	out->domains = stats_array((size_t)list.count);
	for (int i = 0; i < list.count; i++) {
		struct facts_domain_load *load =
		    &out->domains[out->domain_count];

		load->uuid = stats_uuid(list.records[i]->dom);
		if (load->uuid == NULL)
			continue;
		stats_read(list.records[i], load);
		out->domain_count++;
	}
	return 0;
}
