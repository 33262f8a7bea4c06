/*
 * Pools, networks and links of a host.
 *
 * Each of these has a driver, and with the modular daemons a process, of its
 * own.  A host without the storage driver can still run guests; so a list that
 * cannot be had is unknown, which is not the same as empty, and the rest goes
 * on.  Something that vanishes while it is being read is left out.
 *
 * Links come from two places because neither is complete: the interface
 * driver may be missing, and node devices know only what udev told them.
 */
#include "hv/listing_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hv/conn.h"
#include "hv/statedir.h"

static void *
parts_array(int count, size_t size)
{
	void *array = calloc(count > 0 ? (size_t)count : 1, size);

	if (array == NULL)
		abort();
	return array;
}

static int
parts_read_pool(virStoragePoolPtr pool, struct facts_pool *out)
{
	virStoragePoolInfo info;
	char *xml;

	if (virStoragePoolGetInfo(pool, &info) < 0)
		return -1;
	xml = virStoragePoolGetXMLDesc(pool, 0);
	if (xml == NULL)
		return -1;
	out->name = str_dup(virStoragePoolGetName(pool));
	out->active = info.state == VIR_STORAGE_POOL_RUNNING ||
	    info.state == VIR_STORAGE_POOL_DEGRADED;
	out->xml = xml;
	out->capacity = out->active ? (int64_t)info.capacity : FACTS_UNKNOWN;
	out->allocation =
	    out->active ? (int64_t)info.allocation : FACTS_UNKNOWN;
	out->available = out->active ? (int64_t)info.available : FACTS_UNKNOWN;
	return 0;
}

/* Sizes of pages in KiB, as the capabilities name them for the CPU and again for
 * each cell: how many, the smallest first, which is that of common pages. */
static unsigned
parts_page_sizes(const char *capabilities, unsigned sizes[FACTS_PAGES_MAX + 1])
{
	static const char open[] = "<pages unit='KiB' size='";
	unsigned count = 0;

	for (const char *at = capabilities; (at = strstr(at, open)) != NULL;) {
		unsigned long size;
		bool known = false;

		at += strlen(open);
		size = strtoul(at, NULL, 10);
		for (unsigned i = 0; i < count; i++)
			known = known || sizes[i] == size;
		if (known || size == 0 || size > UINT_MAX ||
		    count > FACTS_PAGES_MAX)
			continue;
		sizes[count++] = (unsigned)size;
		if (sizes[0] > size) {
			sizes[count - 1] = sizes[0];
			sizes[0] = (unsigned)size;
		}
	}
	return count;
}

void
listing_pages(struct hv_conn *conn, struct facts_host *out)
{
	unsigned sizes[FACTS_PAGES_MAX + 1], huge;
	unsigned long long counts[FACTS_PAGES_MAX];

	if (out->capabilities_xml == NULL)
		return;
	huge = parts_page_sizes(out->capabilities_xml, sizes);
	if (huge == 0)
		return;
	huge--;
	if (huge > 0 &&
	    virNodeGetFreePages(conn->vir, huge, sizes + 1, -1, 1, counts, 0) !=
		(int)huge)
		return;
	out->pages_known = true;
	for (unsigned i = 0; i < huge; i++)
		out->pages[out->page_count++] =
		    (struct facts_pages){.size = (int64_t)sizes[i + 1] * 1024,
			.free = (int64_t)counts[i] * sizes[i + 1] * 1024};
}

void
listing_pools(struct hv_conn *conn, struct facts_host *out)
{
	virStoragePoolPtr *pools = NULL;
	int count = virConnectListAllStoragePools(conn->vir, &pools, 0);

	if (count < 0)
		return;
	out->pools = parts_array(count, sizeof(*out->pools));
	for (int i = 0; i < count; i++) {
		if (!statedir_is_name(virStoragePoolGetName(pools[i])) &&
		    parts_read_pool(pools[i], &out->pools[out->pool_count]) ==
			0)
			out->pool_count++;
		(void)virStoragePoolFree(pools[i]);
	}
	free(pools);
	out->pools_known = true;
}

void
listing_networks(struct hv_conn *conn, struct facts_host *out)
{
	virNetworkPtr *networks = NULL;
	int count = virConnectListAllNetworks(conn->vir, &networks, 0);

	if (count < 0)
		return;
	out->networks = parts_array(count, sizeof(*out->networks));
	for (int i = 0; i < count; i++) {
		struct facts_network *network =
		    &out->networks[out->network_count];
		int active = virNetworkIsActive(networks[i]);

		if (active >= 0) {
			network->name = str_dup(virNetworkGetName(networks[i]));
			network->active = active == 1;
			/* Fails for a network that has none. */
			network->bridge = virNetworkGetBridgeName(networks[i]);
			out->network_count++;
		}
		(void)virNetworkFree(networks[i]);
	}
	free(networks);
	out->networks_known = true;
}

static bool
parts_has_interface(const struct facts_host *out, const char *name)
{
	for (size_t i = 0; i < out->interface_count; i++) {
		if (strcmp(out->interfaces[i], name) == 0)
			return true;
	}
	return false;
}

static void
parts_add_interface(struct facts_host *out, const char *name, size_t len)
{
	char *copy = strndup(name, len);
	void *grown;

	if (copy == NULL)
		abort();
	if (parts_has_interface(out, copy)) {
		free(copy);
		return;
	}
	grown = reallocarray(out->interfaces, out->interface_count + 1,
	    sizeof(*out->interfaces));
	if (grown == NULL)
		abort();
	out->interfaces = grown;
	out->interfaces[out->interface_count++] = copy;
}

/* The name as the kernel has it stands only in the XML; in the device's own
 * name all but letters and digits has been replaced. */
static void
parts_read_link(virNodeDevicePtr device, struct facts_host *out)
{
	static const char open[] = "<interface>", close[] = "</interface>";
	const char *name = virNodeDeviceGetName(device);
	const char *from, *to;
	char *xml;

	/* One per running guest, and of no interest to others. */
	if (name == NULL || strncmp(name, "net_vnet", 8) == 0)
		return;
	xml = virNodeDeviceGetXMLDesc(device, 0);
	if (xml == NULL)
		return;
	from = strstr(xml, open);
	to = from != NULL ? strstr(from, close) : NULL;
	if (to != NULL) {
		from += sizeof(open) - 1;
		parts_add_interface(out, from, (size_t)(to - from));
	}
	free(xml);
}

void
listing_interfaces(struct hv_conn *conn, struct facts_host *out)
{
	virInterfacePtr *interfaces = NULL;
	virNodeDevicePtr *devices = NULL;
	int count;

	/* Inactive ones too: a bridge to which nothing is plugged yet has no
	 * carrier and counts as inactive, and still takes guests. */
	count = virConnectListAllInterfaces(conn->vir, &interfaces, 0);
	for (int i = 0; i < count; i++) {
		const char *name = virInterfaceGetName(interfaces[i]);

		if (name != NULL)
			parts_add_interface(out, name, strlen(name));
		(void)virInterfaceFree(interfaces[i]);
	}
	free(interfaces);
	if (count >= 0)
		out->interfaces_known = true;

	count = virConnectListAllNodeDevices(
	    conn->vir, &devices, VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET);
	for (int i = 0; i < count; i++) {
		parts_read_link(devices[i], out);
		(void)virNodeDeviceFree(devices[i]);
	}
	free(devices);
	if (count >= 0)
		out->interfaces_known = true;
}
