/*
 * Hosts and guests of a scenario as facts, with XML as libvirt would print it:
 * what is tested begins where a worker hands over what it read.
 */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define XML_MAX (1 << 20)

void *
scenario_calloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size);

	if (p == NULL)
		abort();
	return p;
}

char *
scenario_strdup(const char *s)
{
	char *copy = s != NULL ? strdup(s) : NULL;

	if (s != NULL && copy == NULL)
		abort();
	return copy;
}

/* Guests. */

static void
guest_add_disk(struct buf *xml, const struct node *disk, size_t number)
{
	char target[16];

	snprintf(target, sizeof(target), "vd%c", (char)('a' + number % 26));
	if (disk->kind == NODE_SCALAR) {
		buf_addf(xml,
		    "<disk type='%s' device='disk'><driver "
		    "type='qcow2'/><source %s='%s'/><target dev='%s'/>"
		    "</disk>",
		    strncmp(disk->text, "/dev/", 5) == 0 ? "block" : "file",
		    strncmp(disk->text, "/dev/", 5) == 0 ? "dev" : "file",
		    disk->text, target);
		return;
	}
	if (node_text(disk, "file") != NULL) {
		buf_addf(xml,
		    "<disk type='file' device='disk'><driver type='%s'/>"
		    "<source file='%s'/><target dev='%s'/>",
		    node_text(disk, "format") != NULL
			? node_text(disk, "format")
			: "qcow2",
		    node_text(disk, "file"), target);
		if (node_text(disk, "over") != NULL)
			buf_addf(xml,
			    "<backingStore type='file'><format type='qcow2'/>"
			    "<source file='%s'/></backingStore>",
			    node_text(disk, "over"));
		buf_adds(xml, "</disk>");
	}
	if (node_text(disk, "cdrom") != NULL)
		buf_addf(xml,
		    "<disk type='file' device='cdrom'>"
		    "<source file='%s'%s/><target dev='%s'/><readonly/></disk>",
		    node_text(disk, "cdrom"),
		    node_true(disk, "optional") ? " startupPolicy='optional'"
						: "",
		    target);
	if (node_text(disk, "rbd") != NULL)
		buf_addf(xml,
		    "<disk type='network' device='disk'>"
		    "<source protocol='rbd' name='%s'><host name='mon1'/>"
		    "</source><target dev='%s'/></disk>",
		    node_text(disk, "rbd"), target);
	if (node_text(disk, "pool") != NULL)
		buf_addf(xml,
		    "<disk type='volume' device='disk'>"
		    "<source pool='%s' volume='%s'/><target dev='%s'/></disk>",
		    node_text(disk, "pool"), node_text(disk, "volume"), target);
}

static char *
guest_xml(
    const struct scenario *scenario, const struct node *guest, const char *name)
{
	const char *machine = node_text(guest, "machine");
	const char *pci = node_text(guest, "pci");
	const char *cpu = node_text(guest, "cpu");
	struct buf xml = BUF_INIT(XML_MAX);
	size_t number = 0;

	buf_addf(&xml,
	    "<domain type='kvm'><name>%s</name>%s"
	    "<memory unit='b'>%lld</memory><vcpu>2</vcpu>"
	    "<os><type arch='x86_64' machine='%s'>hvm</type></os>",
	    name,
	    node_true(guest, "hugepages")
		? "<memoryBacking><hugepages/></memoryBacking>"
		: "",
	    (long long)node_bytes(scenario, guest, "memory", "1GiB"),
	    machine != NULL ? machine : "pc-q35-7.2");
	if (node_text(guest, "on_poweroff") != NULL)
		buf_addf(&xml, "<on_poweroff>%s</on_poweroff>",
		    node_text(guest, "on_poweroff"));
	if (cpu != NULL && strcmp(cpu, "host-passthrough") == 0)
		buf_addf(&xml, "<cpu mode='%s'>%s</cpu>", cpu,
		    node_true(guest, "invtsc")
			? "<feature policy='require' name='invtsc'/>"
			: "");
	else
		buf_addf(&xml, "<cpu mode='custom'><model>%s</model></cpu>",
		    cpu != NULL ? cpu : "Nehalem");
	buf_adds(
	    &xml, "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>");
	for (const struct node *disk = node_first(guest, "disks"); disk != NULL;
	     disk = disk->next)
		guest_add_disk(&xml, disk, number++);
	if (tree_get(guest, "disks") == NULL)
		buf_addf(&xml,
		    "<disk type='file' device='disk'><source "
		    "file='/srv/images/%s.qcow2'/><target dev='vda'/></disk>",
		    name);
	for (const struct node *net = node_first(guest, "networks");
	     net != NULL; net = net->next)
		buf_addf(&xml,
		    "<interface type='network'><source "
		    "network='%s'/></interface>",
		    net->text);
	for (const struct node *net = node_first(guest, "bridges"); net != NULL;
	     net = net->next)
		buf_addf(&xml,
		    "<interface type='bridge'><source "
		    "bridge='%s'/></interface>",
		    net->text);
	if (pci != NULL)
		buf_addf(&xml,
		    "<hostdev mode='subsystem' type='pci'><source>"
		    "<address domain='0' bus='%s' slot='0' function='0'/>"
		    "</source></hostdev>",
		    pci);
	buf_adds(&xml, "</devices></domain>");
	return buf_steal(&xml);
}

static void
guest_read(struct scenario *scenario, const struct node *guest,
    struct facts_domain *out)
{
	static const char *const keys[] = {"on", "name", "as", "memory",
	    "state", "reason", "job", "disks", "networks", "bridges", "pci",
	    "machine", "cpu", "cpu_used", "persistent", "snapshots",
	    "managed_save", "hugepages", "on_poweroff", "invtsc", "surveyed",
	    "dirty_rate", "sampled", "labels", NULL};
	static const enum domain_state states[] = {DOMAIN_RUNNING,
	    DOMAIN_PAUSED, DOMAIN_SHUTOFF, DOMAIN_CRASHED, DOMAIN_SHUTDOWN,
	    DOMAIN_PMSUSPENDED, DOMAIN_BLOCKED};
	const char *name = node_text(guest, "name");
	const char *state = node_text(guest, "state");
	const char *reason = node_text(guest, "reason");
	const char *job = node_text(guest, "job");
	bool found = state == NULL;

	node_check_keys(scenario, guest, keys);
	if (name == NULL)
		name = node_text(guest, "as");
	if (name == NULL)
		name = guest->key->text;
	out->name = scenario_strdup(name);
	out->uuid = scenario_strdup(scenario_uuid(scenario, guest->key->text));
	out->state = DOMAIN_RUNNING;
	for (size_t i = 0; !found && i < sizeof(states) / sizeof(states[0]);
	     i++) {
		if (strcmp(state, facts_state_name(states[i])) == 0) {
			out->state = states[i];
			found = true;
		}
	}
	if (!found)
		scenario_die(scenario, guest, "unknown state %s", state);
	if (reason != NULL && strcmp(reason, "migration") == 0)
		out->reason = DOMAIN_REASON_MIGRATION;
	else if (reason != NULL && strcmp(reason, "user") == 0)
		out->reason = DOMAIN_REASON_USER;
	else if (reason != NULL)
		scenario_die(scenario, guest, "unknown reason %s", reason);
	out->job = job != NULL && strcmp(job, "active") == 0 ? DOMAIN_JOB_ACTIVE
							     : DOMAIN_JOB_NONE;
	out->persistent = node_text(guest, "persistent") == NULL ||
	    node_true(guest, "persistent");
	out->snapshots = (int)node_number(guest, "snapshots", 0);
	out->managed_save = node_true(guest, "managed_save");
	out->xml = guest_xml(scenario, guest, name);
}

/* Hosts. */

bool
scenario_guest_is_on(const struct node *guest, const char *host)
{
	const char *on = node_text(guest, "on");

	return on != NULL && strcmp(on, host) == 0;
}

static void
host_read_guests(
    struct scenario *scenario, struct facts_host *facts, const char *name)
{
	facts->domains = scenario_calloc(
	    node_count(scenario->root, "guests"), sizeof(facts->domains[0]));
	for (const struct node *guest = node_first(scenario->root, "guests");
	     guest != NULL; guest = guest->next) {
		if (scenario_guest_is_on(guest, name))
			guest_read(scenario, guest,
			    &facts->domains[facts->domain_count++]);
	}
}

static char *
host_capabilities(const struct node *host)
{
	const char *cpu = node_text(host, "cpu");
	struct buf xml = BUF_INIT(XML_MAX);

	buf_addf(&xml, "<capabilities><host><uuid>%s</uuid>",
	    node_text(host, "uuid") != NULL ? node_text(host, "uuid")
					    : host->key->text);
	if (cpu != NULL)
		buf_addf(&xml,
		    "<cpu><arch>x86_64</arch><model>%s</model></cpu>", cpu);
	buf_adds(&xml, "</host><guest><arch name='x86_64'>");
	for (const struct node *machine = node_first(host, "machines");
	     machine != NULL; machine = machine->next)
		buf_addf(&xml, "<machine>%s</machine>", machine->text);
	buf_adds(&xml, "</arch></guest></capabilities>");
	return buf_steal(&xml);
}

static void
host_read_networks(const struct node *host, struct facts_host *facts)
{
	const struct node *bridges = tree_get(host, "bridges");
	const struct node *networks = tree_get(host, "networks");
	size_t i = 0;

	/* "networks: unknown" is a scalar. */
	facts->networks_known = networks == NULL || networks->kind == NODE_SEQ;
	facts->network_count = node_count(host, "networks");
	facts->networks =
	    scenario_calloc(facts->network_count, sizeof(facts->networks[0]));
	for (const struct node *net = node_first(host, "networks"); net != NULL;
	     net = net->next) {
		facts->networks[i].name = scenario_strdup(net->text);
		facts->networks[i++].active = true;
	}
	facts->interfaces_known = bridges == NULL || bridges->kind == NODE_SEQ;
	facts->interface_count = node_count(host, "bridges");
	facts->interfaces = scenario_calloc(
	    facts->interface_count + 1, sizeof(facts->interfaces[0]));
	i = 0;
	for (const struct node *link = node_first(host, "bridges");
	     link != NULL; link = link->next)
		facts->interfaces[i++] = scenario_strdup(link->text);
	if (bridges == NULL)
		facts->interfaces[facts->interface_count++] =
		    scenario_strdup("br0");
}

static void
host_read_pools(const struct scenario *scenario, const struct node *host,
    struct facts_host *facts)
{
	size_t i = 0;

	facts->pools_known = true;
	facts->pool_count = node_count(host, "pools");
	facts->pools =
	    scenario_calloc(facts->pool_count, sizeof(facts->pools[0]));
	for (const struct node *pool = node_first(host, "pools"); pool != NULL;
	     pool = pool->next) {
		struct buf xml = BUF_INIT(XML_MAX);
		const char *nfs = node_text(pool, "nfs");
		const char *type = node_text(pool, "type");

		buf_addf(&xml, "<pool type='%s'><source>",
		    type != NULL      ? type
			: nfs != NULL ? "netfs"
				      : "dir");
		if (nfs != NULL)
			buf_addf(
			    &xml, "<host name='%s'/><dir path='/vms'/>", nfs);
		buf_addf(&xml,
		    "</source><target><path>%s</path></target>"
		    "</pool>",
		    node_text(pool, "path"));
		facts->pools[i].name = scenario_strdup(node_text(pool, "name"));
		facts->pools[i].active = !node_true(pool, "off");
		facts->pools[i].capacity =
		    node_bytes(scenario, pool, "capacity", "100GiB");
		facts->pools[i].available =
		    node_bytes(scenario, pool, "available", "50GiB");
		facts->pools[i++].xml = buf_steal(&xml);
	}
}

void
scenario_apply(struct scenario *scenario, struct inventory_event event,
    const char *host, int64_t ms)
{
	event.host = host;
	event.now = (struct mono){ms};
	inventory_apply(scenario->inventory, &event);
}

/* The second reading: what was used in the 10 s since the first. */
static void
host_sample(struct scenario *scenario, const struct node *host, int64_t total,
    int64_t free_bytes)
{
	const char *name = host->key->text;
	struct facts_load load = {
	    .memory_total = total,
	    .memory_free = free_bytes,
	    .cpu_busy_ns = (int64_t)(node_number(host, "cpu_used", 4) *
		SCENARIO_SAMPLE_MS * 1e6),
	};

	if (node_text(host, "cpu_used") != NULL &&
	    strcmp(node_text(host, "cpu_used"), "unknown") == 0)
		load.cpu_busy_ns = FACTS_UNKNOWN;
	load.domains = scenario_calloc(
	    node_count(scenario->root, "guests"), sizeof(load.domains[0]));
	for (const struct node *guest = node_first(scenario->root, "guests");
	     guest != NULL; guest = guest->next) {
		if (!scenario_guest_is_on(guest, name))
			continue;
		load.domains[load.domain_count].uuid =
		    scenario_strdup(scenario_uuid(scenario, guest->key->text));
		load.domains[load.domain_count++].cpu_ns =
		    (int64_t)(node_number(guest, "cpu_used", 0.5) *
			SCENARIO_SAMPLE_MS * 1e6);
	}
	scenario_apply(scenario,
	    (struct inventory_event){
		.news = INVENTORY_LOAD_READ, .load = &load},
	    name, SCENARIO_START_MS + SCENARIO_SAMPLE_MS);
}

static void
host_list(struct scenario *scenario, const struct node *host)
{
	struct facts_host *facts = scenario_calloc(1, sizeof(*facts));
	int64_t total = node_bytes(scenario, host, "memory", "64GiB");
	int64_t free_bytes = node_bytes(scenario, host, "free", "60GiB");

	facts->hostname = scenario_strdup(host->key->text);
	facts->capabilities_xml = host_capabilities(host);
	facts->cpus = (int)node_number(host, "cpus", 16);
	facts->load.memory_total = total;
	facts->load.memory_free = free_bytes;
	if (node_text(host, "hugepages") != NULL) {
		facts->pages_known = true;
		facts->pages[facts->page_count++] = (struct facts_pages){
		    2 << 20, node_bytes(scenario, host, "hugepages", "0")};
	}
	host_read_guests(scenario, facts, host->key->text);
	host_read_networks(host, facts);
	host_read_pools(scenario, host, facts);
	facts->load.domain_count = facts->domain_count;
	facts->load.domains = scenario_calloc(
	    facts->domain_count, sizeof(facts->load.domains[0]));
	for (size_t i = 0; i < facts->domain_count; i++)
		facts->load.domains[i].uuid =
		    scenario_strdup(facts->domains[i].uuid);
	scenario_apply(scenario,
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = facts},
	    host->key->text, SCENARIO_START_MS);
	host_sample(scenario, host, total, free_bytes);
}

void
scenario_play_host(struct scenario *scenario, const struct node *host)
{
	static const char *const keys[] = {"memory", "free", "cpus", "cpu_used",
	    "maintenance", "cordoned", "why", "down", "silent", "listed",
	    "uuid", "machines", "networks", "bridges", "pools", "rejects",
	    "rejects_cpu", "undecided", "cpu", "files", "hugepages", "labels",
	    NULL};
	const char *name = host->key->text;
	const char *listed = node_text(host, "listed");

	node_check_keys(scenario, host, keys);
	if (settings_find_host(scenario->settings, name) == NULL)
		scenario_die(scenario, host, "host %s is not configured", name);
	if (listed == NULL || strcmp(listed, "false") != 0)
		host_list(scenario, host);
	if (node_true(host, "maintenance") || node_true(host, "cordoned"))
		scenario_apply(scenario,
		    (struct inventory_event){.news = INVENTORY_FLAG_SET,
			.maintenance = node_true(host, "maintenance"),
			.cordoned = node_true(host, "cordoned"),
			.why = node_text(host, "why"),
			.since = {1795230000000}},
		    name, SCENARIO_START_MS);
	if (node_text(host, "down") != NULL)
		scenario_apply(scenario,
		    (struct inventory_event){.news = INVENTORY_HOST_LOST,
			.why = node_text(host, "down")},
		    name, SCENARIO_START_MS);
	scenario_apply(scenario,
	    (struct inventory_event){.news = INVENTORY_HOST_SILENT,
		.silent_ms = node_duration(scenario, host, "silent")},
	    name, SCENARIO_START_MS);
}
