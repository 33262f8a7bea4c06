/*
 * What pins a running guest to its host: a piece of the host that it uses
 * directly, or state that QEMU cannot send.  libvirt refuses most of these
 * itself when the move starts; Drover says so before it starts, in the words
 * that the owner of the guest knows the device by.
 *
 * Where libvirt would allow it and still the guest would lose something (a USB
 * stick that is plugged into this host), it counts as pinned too.  Most pins hold
 * a guest that is shut down as well, because its definition names what only this
 * host has, or what ends with it (a block job): its anchors.  A device
 * that the guest can do without for the time of a move (`teaming
 * type='transient'`: libvirt unplugs it and plugs it in again) does not.
 */
#include "model/domxml_device.h"

#include <stdlib.h>
#include <string.h>

#include "model/xmlnode.h"

struct pins {
	struct arena *arena;
	struct snap_vm *vm;
};

/* Of a guest that runs. */
static void
pins_add(struct pins *pins, const char *pin)
{
	/* The lists were sized for every element of <devices>, and more. */
	pins->vm->pins[pins->vm->pin_count++] = pin;
}

/* Also of one that could be shut down and started elsewhere. */
static void
pins_add_anchor(struct pins *pins, const char *pin)
{
	pins_add(pins, pin);
	pins->vm->anchors[pins->vm->anchor_count++] = pin;
}

static unsigned long
pin_hex(struct arena *arena, const xmlNode *address, const char *name)
{
	const char *text = xmlnode_attr(arena, address, name);

	return text != NULL ? strtoul(text, NULL, 0) : 0;
}

static const char *
pin_pci(struct arena *arena, const xmlNode *source)
{
	const xmlNode *address = xmlnode_child(source, "address");

	if (address == NULL)
		return "of a device without an address";
	return arena_printf(arena, "%04lx:%02lx:%02lx.%lx",
	    pin_hex(arena, address, "domain"), pin_hex(arena, address, "bus"),
	    pin_hex(arena, address, "slot"),
	    pin_hex(arena, address, "function"));
}

static const char *
pin_usb(struct arena *arena, const xmlNode *source)
{
	const char *vendor = xmlnode_child_attr(arena, source, "vendor", "id");
	const char *product =
	    xmlnode_child_attr(arena, source, "product", "id");

	if (vendor != NULL && product != NULL)
		return arena_printf(arena, "USB device %s:%s", vendor, product);
	return arena_printf(arena, "USB device on bus %lu, number %lu",
	    pin_hex(arena, xmlnode_child(source, "address"), "bus"),
	    pin_hex(arena, xmlnode_child(source, "address"), "device"));
}

static bool
pin_is_transient_teaming(const xmlNode *node)
{
	return xmlnode_attr_is(
	    xmlnode_child(node, "teaming"), "type", "transient");
}

static void
pins_add_hostdev(struct pins *pins, const xmlNode *node)
{
	struct arena *arena = pins->arena;
	const char *type = xmlnode_attr(arena, node, "type");
	const xmlNode *source = xmlnode_child(node, "source");
	const char *name;

	if (pin_is_transient_teaming(node))
		return;
	if (type == NULL) {
		pins_add_anchor(pins, "host device");
	} else if (strcmp(type, "pci") == 0) {
		pins_add_anchor(pins,
		    arena_printf(
			arena, "PCI passthrough %s", pin_pci(arena, source)));
	} else if (strcmp(type, "usb") == 0) {
		pins_add_anchor(pins, pin_usb(arena, source));
	} else if (strcmp(type, "mdev") == 0) {
		name = xmlnode_child_attr(arena, source, "address", "uuid");
		pins_add_anchor(pins,
		    arena_printf(arena, "mediated device %s",
			name != NULL ? name : "without a UUID"));
	} else if (strcmp(type, "scsi") == 0) {
		name = xmlnode_child_attr(arena, source, "adapter", "name");
		pins_add_anchor(pins,
		    arena_printf(arena, "SCSI passthrough %s",
			name != NULL ? name : "of the host"));
	} else {
		pins_add_anchor(
		    pins, arena_printf(arena, "host device of type %s", type));
	}
}

static void
pins_add_interface(struct pins *pins, const xmlNode *node)
{
	struct arena *arena = pins->arena;
	const xmlNode *source = xmlnode_child(node, "source");
	const char *dev;

	if (xmlnode_attr_is(node, "type", "hostdev") &&
	    !pin_is_transient_teaming(node)) {
		pins_add_anchor(pins,
		    arena_printf(
			arena, "NIC passthrough %s", pin_pci(arena, source)));
	} else if (xmlnode_attr_is(node, "type", "vdpa")) {
		dev = xmlnode_attr(arena, source, "dev");
		pins_add_anchor(pins,
		    arena_printf(arena, "vDPA NIC %s",
			dev != NULL ? dev : "of the host"));
	}
}

static void
pins_add_disk(struct pins *pins, const xmlNode *node)
{
	struct arena *arena = pins->arena;
	const char *type = xmlnode_attr(arena, node, "type");
	const char *dev = xmlnode_child_attr(arena, node, "target", "dev");

	if (dev == NULL)
		dev = "disk";
	if (type != NULL &&
	    (strcmp(type, "nvme") == 0 || strcmp(type, "vhostuser") == 0 ||
		strcmp(type, "vhostvdpa") == 0))
		pins_add_anchor(pins,
		    arena_printf(arena, "%s device as disk %s", type, dev));
	else if (xmlnode_child(node, "transient") != NULL)
		pins_add(pins, arena_printf(arena, "transient disk %s", dev));
	else if (xmlnode_child(node, "mirror") != NULL)
		pins_add_anchor(pins,
		    arena_printf(arena, "block job (mirror) on disk %s", dev));
}

static void
pins_add_filesystem(struct pins *pins, const xmlNode *node)
{
	struct arena *arena = pins->arena;
	const char *name = xmlnode_child_attr(arena, node, "target", "dir");
	bool virtiofs =
	    xmlnode_attr_is(xmlnode_child(node, "driver"), "type", "virtiofs");

	pins_add_anchor(pins,
	    arena_printf(arena, "%s share %s", virtiofs ? "virtiofs" : "9p",
		name != NULL ? name : "of the host"));
}

static void
pins_add_shmem(struct pins *pins, const xmlNode *node)
{
	const char *name = xmlnode_attr(pins->arena, node, "name");

	/* libvirt sends the memory of the master only. */
	if (xmlnode_attr_is(node, "role", "master"))
		return;
	pins_add_anchor(pins,
	    arena_printf(pins->arena,
		"memory shared with other guests (shmem %s)",
		name != NULL ? name : "without a name"));
}

static void
pins_add_character(struct pins *pins, const xmlNode *node)
{
	const char *path;

	if (!xmlnode_attr_is(node, "type", "dev"))
		return;
	path = xmlnode_child_attr(pins->arena, node, "source", "path");
	pins_add_anchor(pins,
	    arena_printf(pins->arena, "%s port of the host %s",
		(const char *)node->name, path != NULL ? path : ""));
}

static void
pins_add_video(struct pins *pins, const xmlNode *node)
{
	const xmlNode *model = xmlnode_child(node, "model");

	if (xmlnode_attr_is(
		xmlnode_child(model, "acceleration"), "accel3d", "yes"))
		pins_add_anchor(pins, "3D graphics of the host (accel3d)");
}

static void
pins_add_tpm(struct pins *pins, const xmlNode *node)
{
	if (xmlnode_attr_is(
		xmlnode_child(node, "backend"), "type", "passthrough"))
		pins_add_anchor(pins, "TPM passthrough");
}

static void
pins_add_memory(struct pins *pins, const xmlNode *node)
{
	const char *model = xmlnode_attr(pins->arena, node, "model");
	const char *path = xmlnode_child_text(
	    pins->arena, xmlnode_child(node, "source"), "path");

	if (model != NULL && path != NULL &&
	    (strcmp(model, "nvdimm") == 0 || strcmp(model, "virtio-pmem") == 0))
		pins_add_anchor(pins,
		    arena_printf(pins->arena, "persistent memory (%s) in %s",
			model, path));
}

static void
pins_add_smartcard(struct pins *pins, const xmlNode *node)
{
	if (xmlnode_attr_is(node, "mode", "host") ||
	    xmlnode_attr_is(node, "mode", "host-certificates"))
		pins_add_anchor(pins, "smart card of the host");
}

/* A guest that reads the host's TSC needs a frequency that a target can be held
 * to, else QEMU marks it as unable to migrate. */
static void
pins_add_cpu(struct pins *pins, const xmlNode *domain)
{
	bool invtsc = false, frequency = false;

	for (const xmlNode *node =
		 xmlnode_child(xmlnode_child(domain, "cpu"), "feature");
	     node != NULL; node = xmlnode_next(node)) {
		if (xmlnode_attr_is(node, "name", "invtsc") &&
		    xmlnode_attr_is(node, "policy", "require"))
			invtsc = true;
	}
	for (const xmlNode *node =
		 xmlnode_child(xmlnode_child(domain, "clock"), "timer");
	     node != NULL; node = xmlnode_next(node)) {
		if (xmlnode_attr_is(node, "name", "tsc") &&
		    xmlnode_attr(pins->arena, node, "frequency") != NULL)
			frequency = true;
	}
	if (invtsc && !frequency)
		pins_add(pins, "CPU feature invtsc without a TSC frequency");
}

static void
pins_add_launch_security(struct pins *pins, const xmlNode *domain)
{
	const xmlNode *node = xmlnode_child(domain, "launchSecurity");
	const char *type = xmlnode_attr(pins->arena, node, "type");

	if (node != NULL)
		pins_add_anchor(pins,
		    arena_printf(pins->arena, "encrypted memory (%s)",
			type != NULL ? type : "?"));
}

static const struct {
	const char *element;
	void (*add)(struct pins *pins, const xmlNode *node);
} pin_devices[] = {
    {"hostdev", pins_add_hostdev},
    {"interface", pins_add_interface},
    {"disk", pins_add_disk},
    {"filesystem", pins_add_filesystem},
    {"shmem", pins_add_shmem},
    {"serial", pins_add_character},
    {"parallel", pins_add_character},
    {"video", pins_add_video},
    {"tpm", pins_add_tpm},
    {"memory", pins_add_memory},
    {"smartcard", pins_add_smartcard},
};

int
domxml_pin_parse(struct arena *arena, const xmlNode *domain, struct snap_vm *vm,
    struct err *err)
{
	const size_t kinds = sizeof(pin_devices) / sizeof(pin_devices[0]);
	const xmlNode *devices = xmlnode_child(domain, "devices");
	struct pins pins = {arena, vm};
	size_t most = 2; /* CPU and launch security */

	for (size_t i = 0; i < kinds; i++)
		most += xmlnode_count(devices, pin_devices[i].element);
	if (most > DOMXML_DEVICES_MAX)
		return err_set(
		    err, ERR_LIMIT, "more than %d devices", DOMXML_DEVICES_MAX);
	vm->pins = arena_array(arena, most, sizeof(vm->pins[0]));
	vm->pin_count = 0;
	vm->anchors = arena_array(arena, most, sizeof(vm->anchors[0]));
	vm->anchor_count = 0;
	for (size_t i = 0; i < kinds; i++) {
		for (const xmlNode *node =
			 xmlnode_child(devices, pin_devices[i].element);
		     node != NULL; node = xmlnode_next(node))
			pin_devices[i].add(&pins, node);
	}
	vm->hostdevs = (int)xmlnode_count(devices, "hostdev");
	for (const xmlNode *node = xmlnode_child(devices, "interface");
	     node != NULL; node = xmlnode_next(node))
		vm->hostdevs += xmlnode_attr_is(node, "type", "hostdev");
	pins_add_cpu(&pins, domain);
	pins_add_launch_security(&pins, domain);
	return 0;
}
