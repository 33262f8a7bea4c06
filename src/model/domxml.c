/*
 * The three XML documents of libvirt that Drover reads: of a domain, of a
 * pool, and the capabilities of a host.  Only what a decision depends on is
 * taken; disks, NICs and what pins a guest have their own file
 * (domxml_device.c).
 *
 * Everything is lenient about what is missing (it is unknown then) and strict
 * about the form: a text that is not XML, or not of the kind that was asked
 * for, is an error, because an empty answer would read as "a guest without
 * disks", which is the easiest of all to move.
 */
#include "model/domxml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "model/domxml_device.h"
#include "model/hash.h"
#include "model/xmlnode.h"

#define DOMXML_MACHINES_MAX 4096

static int
domxml_parse_vcpus(struct arena *arena, const xmlNode *domain)
{
	const xmlNode *node = xmlnode_child(domain, "vcpu");
	const char *text = xmlnode_attr(arena, node, "current");
	char *end;
	long number;

	if (text == NULL)
		text = xmlnode_text(arena, node);
	if (text == NULL)
		return SNAPSHOT_UNKNOWN;
	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || number < 1 || number > 65536)
		return SNAPSHOT_UNKNOWN;
	return (int)number;
}

static void
domxml_drop_children(xmlNode *parent, const char *name)
{
	xmlNode *node;

	while ((node = xmlnode_child(parent, name)) != NULL) {
		xmlUnlinkNode(node);
		xmlFreeNode(node);
	}
}

static const char *
domxml_print(struct arena *arena, xmlDoc *doc, xmlNode *node)
{
	xmlBuffer *buffer = xmlBufferCreate();
	const char *text = NULL;

	if (buffer != NULL && xmlNodeDump(buffer, doc, node, 0, 0) >= 0)
		text =
		    arena_strdup(arena, (const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

/* <cpu> as text, without what says nothing about the CPU itself: guests that
 * differ in NUMA cells or topology share one verdict of a host. */
static const char *
domxml_print_cpu(struct arena *arena, xmlDoc *doc, xmlNode *domain)
{
	xmlNode *cpu = xmlnode_child(domain, "cpu");

	if (cpu == NULL)
		return NULL;
	domxml_drop_children(cpu, "numa");
	domxml_drop_children(cpu, "topology");
	return domxml_print(arena, doc, cpu);
}

/* The same of a host: microcode, clock rate and pages are not looked at when
 * CPUs are compared, and differ between machines of one kind. */
static const char *
domxml_print_host_cpu(struct arena *arena, xmlDoc *doc, const xmlNode *host)
{
	static const char *const kept[] = {
	    "arch", "model", "vendor", "maxphysaddr", "feature"};
	xmlNode *cpu = xmlnode_child(host, "cpu"), *next;

	if (xmlnode_child_text(arena, cpu, "model") == NULL)
		return NULL;
	for (xmlNode *node = cpu->children; node != NULL; node = next) {
		bool keep = false;

		next = node->next;
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			keep |= node->type == XML_ELEMENT_NODE &&
			    strcmp((const char *)node->name, kept[i]) == 0;
		if (keep)
			continue;
		xmlUnlinkNode(node);
		xmlFreeNode(node);
	}
	return domxml_print(arena, doc, cpu);
}

/* The modes in which the guest's CPU is whatever its host has. */
static void
domxml_parse_cpu_mode(
    struct arena *arena, const xmlNode *domain, struct snap_abi *abi)
{
	const char *mode = xmlnode_child_attr(arena, domain, "cpu", "mode");

	abi->cpu_mode = NULL;
	abi->incomparable = NULL;
	if (mode == NULL ||
	    (strcmp(mode, "host-passthrough") != 0 &&
		strcmp(mode, "maximum") != 0 &&
		strcmp(mode, "host-model") != 0))
		return;
	abi->cpu_mode = mode;
	/* An emulated CPU has nothing to do with the one that emulates it. */
	if (abi->virt_type != NULL && strcmp(abi->virt_type, "qemu") == 0)
		abi->incomparable = arena_printf(arena,
		    "the guest's CPU cannot be compared: in mode %s it is "
		    "whatever its QEMU can emulate; give it a CPU model",
		    mode);
}

static void
domxml_parse_abi(
    struct arena *arena, xmlDoc *doc, xmlNode *domain, struct snap_abi *abi)
{
	const xmlNode *type =
	    xmlnode_child(xmlnode_child(domain, "os"), "type");
	uint64_t hash = HASH_START;

	abi->virt_type = xmlnode_attr(arena, domain, "type");
	abi->arch = xmlnode_attr(arena, type, "arch");
	abi->machine = xmlnode_attr(arena, type, "machine");
	abi->emulator = xmlnode_child_text(
	    arena, xmlnode_child(domain, "devices"), "emulator");
	domxml_parse_cpu_mode(arena, domain, abi);
	abi->cpu_xml =
	    abi->cpu_mode == NULL ? domxml_print_cpu(arena, doc, domain) : NULL;
	hash = hash_string(hash, abi->emulator);
	hash = hash_string(hash, abi->cpu_xml);
	abi->key = arena_printf(arena, "%s %s %s %016" PRIx64,
	    abi->arch != NULL ? abi->arch : "?",
	    abi->machine != NULL ? abi->machine : "?",
	    abi->virt_type != NULL ? abi->virt_type : "?", hash);
}

static void
domxml_parse_files(struct arena *arena, const xmlNode *os, struct snap_vm *vm)
{
	static const char *const names[] = {
	    "loader", "kernel", "initrd", "dtb"};
	const size_t count = sizeof(names) / sizeof(names[0]);

	vm->files = arena_array(arena, count, sizeof(vm->files[0]));
	vm->file_count = 0;
	for (size_t i = 0; i < count; i++) {
		const char *path = xmlnode_child_text(arena, os, names[i]);

		if (path != NULL && path[0] == '/')
			vm->files[vm->file_count++] = path;
	}
}

static void
domxml_parse_firmware(
    struct arena *arena, const xmlNode *domain, struct snap_vm *vm)
{
	const xmlNode *os = xmlnode_child(domain, "os");
	const xmlNode *loader = xmlnode_child(os, "loader");
	const xmlNode *nvram = xmlnode_child(os, "nvram");
	const xmlNode *feature =
	    xmlnode_child(xmlnode_child(os, "firmware"), "feature");

	vm->loader = xmlnode_text(arena, loader);
	vm->nvram = xmlnode_child_attr(arena, nvram, "source", "file");
	if (vm->nvram == NULL)
		vm->nvram = xmlnode_text(arena, nvram);
	domxml_parse_files(arena, os, vm);
	vm->secure_boot = xmlnode_attr_is(loader, "secure", "yes");
	for (; feature != NULL; feature = xmlnode_next(feature)) {
		if (xmlnode_attr_is(feature, "name", "secure-boot") &&
		    xmlnode_attr_is(feature, "enabled", "yes"))
			vm->secure_boot = true;
	}
}

static void
domxml_parse_hugepages(
    struct arena *arena, const xmlNode *domain, struct snap_vm *vm)
{
	const xmlNode *pages =
	    xmlnode_child(xmlnode_child(domain, "memoryBacking"), "hugepages");

	vm->hugepages = pages != NULL;
	vm->hugepage_size =
	    xmlnode_attr_bytes(arena, xmlnode_child(pages, "page"), "size");
}

static bool
domxml_has_agent(const xmlNode *devices)
{
	for (const xmlNode *node = xmlnode_child(devices, "channel");
	     node != NULL; node = xmlnode_next(node)) {
		if (xmlnode_attr_is(xmlnode_child(node, "target"), "name",
			"org.qemu.guest_agent.0"))
			return true;
	}
	return false;
}

static bool
domxml_has_tpm(const xmlNode *devices)
{
	for (const xmlNode *node = xmlnode_child(devices, "tpm"); node != NULL;
	     node = xmlnode_next(node)) {
		if (xmlnode_attr_is(
			xmlnode_child(node, "backend"), "type", "emulator"))
			return true;
	}
	return false;
}

/* What only matters to one strategy or another. */
static void
domxml_parse_habits(
    struct arena *arena, const xmlNode *domain, struct snap_vm *vm)
{
	const xmlNode *devices = xmlnode_child(domain, "devices");
	const char *off = xmlnode_child_text(arena, domain, "on_poweroff");

	domxml_parse_firmware(arena, domain, vm);
	domxml_parse_hugepages(arena, domain, vm);
	vm->restarts_on_poweroff = off != NULL && strcmp(off, "destroy") != 0;
	vm->agent = domxml_has_agent(devices);
	vm->tpm = domxml_has_tpm(devices);
}

int
domxml_parse_domain(
    struct arena *arena, const char *xml, struct snap_vm *vm, struct err *err)
{
	cleanup_xmldoc xmlDoc *doc = xmlnode_read(xml, "domain", err);
	struct snap_vm parsed = *vm;
	xmlNode *domain;

	if (doc == NULL)
		return -1;
	domain = xmlDocGetRootElement(doc);
	parsed.vcpus = domxml_parse_vcpus(arena, domain);
	parsed.memory = xmlnode_bytes(arena, xmlnode_child(domain, "memory"));
	/* The pins look into <cpu>, which printing it for the ABI trims. */
	if (domxml_device_parse(arena, domain, &parsed, err) != 0)
		return -1;
	domxml_parse_habits(arena, domain, &parsed);
	domxml_labels_parse(arena, domain, &parsed);
	domxml_parse_abi(arena, doc, domain, &parsed.abi);
	*vm = parsed;
	return 0;
}

/* The network source of a pool; NULL for what is this host's own. */
static const char *
domxml_pool_source(struct arena *arena, const xmlNode *pool, const char *type)
{
	const xmlNode *source = xmlnode_child(pool, "source");
	const char *name = NULL;
	const char *format;

	if (strcmp(type, "netfs") == 0) {
		name = xmlnode_child_attr(arena, source, "dir", "path");
		format = xmlnode_child_attr(arena, source, "format", "type");
		/* "auto" lets mount(8) find out, which tries NFS first. */
		if (format != NULL && strcmp(format, "auto") != 0)
			type = format;
		else
			type = "nfs";
	} else if (strcmp(type, "iscsi") == 0 ||
	    strcmp(type, "iscsi-direct") == 0) {
		name = xmlnode_child_attr(arena, source, "device", "path");
		type = "iscsi";
	} else if (strcmp(type, "gluster") == 0) {
		const char *dir =
		    xmlnode_child_attr(arena, source, "dir", "path");

		name = xmlnode_child_text(arena, source, "name");
		if (name != NULL && dir != NULL && strcmp(dir, "/") != 0)
			name = arena_printf(arena, "%s%s%s", name,
			    dir[0] == '/' ? "" : "/", dir);
	} else if (strcmp(type, "rbd") == 0 || strcmp(type, "sheepdog") == 0) {
		name = xmlnode_child_text(arena, source, "name");
	} else {
		return NULL;
	}
	if (name == NULL)
		return NULL;
	return xmlnode_network_source(arena, source, type, name);
}

int
domxml_parse_pool(struct arena *arena, const char *xml, struct snap_pool *pool,
    struct err *err)
{
	cleanup_xmldoc xmlDoc *doc = xmlnode_read(xml, "pool", err);
	const xmlNode *node;
	const char *type;
	char *path;

	if (doc == NULL)
		return -1;
	node = xmlDocGetRootElement(doc);
	type = xmlnode_attr(arena, node, "type");
	if (type == NULL)
		return err_set(err, ERR_INVALID, "<pool> without a type");
	pool->type = type;
	path = arena_strdup(arena,
	    xmlnode_child_text(arena, xmlnode_child(node, "target"), "path"));
	for (size_t len = path != NULL ? strlen(path) : 0;
	     len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	pool->path = path;
	pool->source = domxml_pool_source(arena, node, type);
	return 0;
}

/* Each machine once, under its own name and its canonical one. */
static void
domxml_add_machines(struct arena *arena, const xmlNode *parent,
    struct snap_host *host, struct map *seen)
{
	for (const xmlNode *node = xmlnode_child(parent, "machine");
	     node != NULL; node = xmlnode_next(node)) {
		const char *names[] = {xmlnode_text(arena, node),
		    xmlnode_attr(arena, node, "canonical")};

		for (size_t i = 0; i < 2; i++) {
			if (names[i] == NULL ||
			    host->machine_count == DOMXML_MACHINES_MAX ||
			    map_get(seen, names[i]) != NULL)
				continue;
			map_set(seen, names[i], host);
			host->machines[host->machine_count++] = names[i];
		}
	}
}

int
domxml_parse_capabilities(struct arena *arena, const char *xml,
    struct snap_host *host, struct err *err)
{
	cleanup_xmldoc xmlDoc *doc = xmlnode_read(xml, "capabilities", err);
	const xmlNode *root, *node;
	struct map *seen;

	if (doc == NULL)
		return -1;
	root = xmlDocGetRootElement(doc);
	node = xmlnode_child(root, "host");
	host->host_uuid = xmlnode_child_text(arena, node, "uuid");
	host->cpu_xml = domxml_print_host_cpu(arena, doc, node);
	host->machines =
	    arena_array(arena, DOMXML_MACHINES_MAX, sizeof(host->machines[0]));
	host->machine_count = 0;
	seen = map_new(NULL);
	for (const xmlNode *guest = xmlnode_child(root, "guest"); guest != NULL;
	     guest = xmlnode_next(guest)) {
		const xmlNode *arch = xmlnode_child(guest, "arch");

		domxml_add_machines(arena, arch, host, seen);
		for (const xmlNode *domain = xmlnode_child(arch, "domain");
		     domain != NULL; domain = xmlnode_next(domain))
			domxml_add_machines(arena, domain, host, seen);
	}
	map_free(seen);
	return 0;
}

/* "+0:+0", "root:root", "0:0" */
static bool
domxml_is_root_label(const char *label)
{
	const char *name = label[0] == '+' ? label + 1 : label;

	return strncmp(name, "0:", 2) == 0 || strncmp(name, "root:", 5) == 0;
}

/* Would libvirt, when the guest ends here, give its images to root?  (DAC with
 * dynamic ownership, under another user.) */
bool
domxml_relabels(const char *xml)
{
	struct err ignored = {0};
	cleanup_xmldoc xmlDoc *doc = xmlnode_read(xml, "domain", &ignored);
	struct arena *arena;
	bool found = false;

	if (doc == NULL)
		return false;
	arena = arena_new(DOMXML_SIZE_MAX);
	for (const xmlNode *node =
		 xmlnode_child(xmlDocGetRootElement(doc), "seclabel");
	     node != NULL && !found; node = xmlnode_next(node)) {
		const char *label = xmlnode_child_text(arena, node, "label");

		found = xmlnode_attr_is(node, "model", "dac") &&
		    xmlnode_attr_is(node, "type", "dynamic") &&
		    xmlnode_attr_is(node, "relabel", "yes") &&
		    (label == NULL || !domxml_is_root_label(label));
	}
	arena_free(arena);
	return found;
}
