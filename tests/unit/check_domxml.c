/*
 * libvirt's XML understood.  The samples are the seeds of the fuzzer, in
 * tests/fuzz/corpus/domxml: what a daemon prints, and what it never would.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/domxml.h"

static struct arena *arena;
static struct err err;

static void
setup(void)
{
	arena = arena_new((size_t)1 << 30);
	err = (struct err){0};
}

static void
teardown(void)
{
	arena_free(arena);
}

static const char *
sample(const char *name)
{
	const char *srcdir = getenv("top_srcdir");
	struct buf buf = BUF_INIT(1 << 20);
	char path[512], chunk[4096];
	const char *text;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/domxml/%s",
	    srcdir != NULL ? srcdir : ".", name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&buf, chunk, len);
	fclose(file);
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static struct snap_vm
parse_sample(const char *name)
{
	struct snap_vm vm = {0};

	ck_assert_msg(domxml_parse_domain(arena, sample(name), &vm, &err) == 0,
	    "%s: %s", name, err.msg);
	return vm;
}

START_TEST(a_domain_gives_its_size_and_abi)
{
	struct snap_vm vm = parse_sample("domain-web.xml");

	ck_assert_int_eq(vm.memory, (int64_t)8 << 30);
	ck_assert_int_eq(vm.vcpus, 2);
	ck_assert_str_eq(vm.abi.arch, "x86_64");
	ck_assert_str_eq(vm.abi.machine, "pc-q35-7.2");
	ck_assert_str_eq(vm.abi.virt_type, "kvm");
	ck_assert_str_eq(vm.abi.emulator, "/usr/bin/qemu-system-x86_64");
	ck_assert_ptr_nonnull(strstr(vm.abi.cpu_xml, "Skylake-Server-IBRS"));
	ck_assert_uint_eq(vm.pin_count, 0);
}
END_TEST

START_TEST(the_abi_is_the_same_for_guests_that_differ_in_size_only)
{
	const char *one =
	    "<domain type='kvm'><os><type arch='x86_64' "
	    "machine='q35'/></os><cpu mode='custom'><model>Nehalem</model>"
	    "<topology sockets='1' cores='2' threads='1'/></cpu></domain>";
	const char *two =
	    "<domain type='kvm'><memory>77</memory>"
	    "<os><type arch='x86_64' machine='q35'/></os><cpu mode='custom'>"
	    "<model>Nehalem</model><topology sockets='4' cores='2' "
	    "threads='1'/><numa><cell id='0'/></numa></cpu></domain>";
	const char *other =
	    "<domain type='kvm'><os><type arch='x86_64' "
	    "machine='q35'/></os><cpu mode='custom'><model>Haswell</model>"
	    "</cpu></domain>";
	struct snap_vm a = {0}, b = {0}, c = {0};

	ck_assert_int_eq(domxml_parse_domain(arena, one, &a, &err), 0);
	ck_assert_int_eq(domxml_parse_domain(arena, two, &b, &err), 0);
	ck_assert_int_eq(domxml_parse_domain(arena, other, &c, &err), 0);
	ck_assert_str_eq(a.abi.key, b.abi.key);
	ck_assert_str_ne(a.abi.key, c.abi.key);
}
END_TEST

static struct snap_abi
abi_of_cpu(const char *type, const char *cpu)
{
	struct snap_vm vm = {0};
	char xml[512];

	snprintf(xml, sizeof(xml),
	    "<domain type='%s'><os><type arch='x86_64' machine='q35'/></os>%s"
	    "</domain>",
	    type, cpu);
	ck_assert_int_eq(domxml_parse_domain(arena, xml, &vm, &err), 0);
	return vm.abi;
}

START_TEST(a_guest_with_its_hosts_cpu_names_none)
{
	struct snap_abi abi = abi_of_cpu("kvm",
	    "<cpu mode='host-passthrough' check='none' migratable='on'/>");

	ck_assert_str_eq(abi.cpu_mode, "host-passthrough");
	ck_assert_ptr_null(abi.cpu_xml);
	ck_assert_ptr_null(abi.incomparable);
	abi = abi_of_cpu("kvm", "<cpu mode='maximum'/>");
	ck_assert_str_eq(abi.cpu_mode, "maximum");
	abi = abi_of_cpu("kvm", "<cpu><model>Nehalem</model></cpu>");
	ck_assert_ptr_null(abi.cpu_mode);
	ck_assert_ptr_nonnull(abi.cpu_xml);
	ck_assert_ptr_null(abi_of_cpu("kvm", "").cpu_mode);
}
END_TEST

START_TEST(all_that_an_emulator_can_do_is_not_comparable)
{
	struct snap_abi abi = abi_of_cpu("qemu", "<cpu mode='maximum'/>");

	ck_assert_ptr_nonnull(strstr(abi.incomparable, "cannot be compared"));
	ck_assert_ptr_nonnull(strstr(abi.incomparable, "mode maximum"));
	ck_assert_ptr_null(
	    abi_of_cpu("qemu", "<cpu><model>max</model></cpu>").incomparable);
}
END_TEST

static void
disk_is(const struct snap_disk *disk, const char *target,
    enum snap_disk_kind kind, const char *source)
{
	ck_assert_str_eq(disk->target, target);
	ck_assert_int_eq(disk->kind, kind);
	if (source == NULL)
		ck_assert_ptr_null(disk->source);
	else
		ck_assert_str_eq(disk->source, source);
}

START_TEST(disks_include_the_images_below_an_overlay)
{
	struct snap_vm vm = parse_sample("domain-web.xml");

	ck_assert_uint_eq(vm.disk_count, 4);
	disk_is(&vm.disks[0], "vda", SNAP_DISK_FILE, "/srv/images/web1.qcow2");
	ck_assert_str_eq(vm.disks[0].format, "qcow2");
	ck_assert_str_eq(vm.disks[0].cache, "none");
	ck_assert(!vm.disks[0].readonly && !vm.disks[0].backing);
	disk_is(&vm.disks[1], "vda, backing 1", SNAP_DISK_FILE,
	    "/srv/images/debian-12.qcow2");
	ck_assert(vm.disks[1].readonly && vm.disks[1].backing);
	disk_is(&vm.disks[2], "vdb", SNAP_DISK_NETWORK,
	    "rbd://mon1.example.org:6789,mon2.example.org:6789/vms/web1-data");
	disk_is(&vm.disks[3], "sda", SNAP_DISK_EMPTY, NULL);
	ck_assert(vm.disks[3].removable && vm.disks[3].readonly);
}
END_TEST

START_TEST(a_disk_that_another_host_would_not_find_is_not_a_network_disk)
{
	struct snap_vm vm = parse_sample("domain-storage.xml");

	ck_assert_uint_eq(vm.disk_count, 11);
	disk_is(&vm.disks[0], "sda", SNAP_DISK_BLOCK, "/dev/vg0/store1");
	disk_is(&vm.disks[1], "vda", SNAP_DISK_VOLUME, "nfs1/store1.qcow2");
	ck_assert_str_eq(vm.disks[1].pool, "nfs1");
	ck_assert(vm.disks[1].shareable);
	disk_is(&vm.disks[2], "vdb", SNAP_DISK_NETWORK,
	    "iscsi://10.0.0.9/iqn.2004-10.org.example:store/1");
	disk_is(&vm.disks[3], "vdc", SNAP_DISK_OTHER,
	    "nbd disk export of this host");
	disk_is(&vm.disks[4], "vdd", SNAP_DISK_OTHER,
	    "nbd disk without a name of this host");
	disk_is(&vm.disks[5], "vde", SNAP_DISK_OTHER,
	    "rbd disk vms/by-ceph-conf of this host");
	disk_is(&vm.disks[6], "vdf", SNAP_DISK_OTHER, "disk of type dir");
	disk_is(&vm.disks[7], "vdg", SNAP_DISK_OTHER,
	    "disk of a source that is not understood");
	disk_is(&vm.disks[8], "hda", SNAP_DISK_FILE, "/srv/iso/debian.iso");
	disk_is(&vm.disks[9], "fda", SNAP_DISK_EMPTY, NULL);
	ck_assert_uint_eq(vm.pin_count, 1);
	ck_assert_str_eq(vm.pins[0], "block job (mirror) on disk vdh");
	ck_assert_int_eq(vm.memory, 262144 * 1024);
}
END_TEST

START_TEST(nics_name_what_they_need)
{
	struct snap_vm vm = parse_sample("domain-web.xml");

	ck_assert_uint_eq(vm.nic_count, 4);
	ck_assert_int_eq(vm.nics[0].kind, SNAP_NIC_NETWORK);
	ck_assert_str_eq(vm.nics[0].source, "front");
	ck_assert_int_eq(vm.nics[1].kind, SNAP_NIC_BRIDGE);
	ck_assert_str_eq(vm.nics[1].source, "br0");
	ck_assert_int_eq(vm.nics[2].kind, SNAP_NIC_DIRECT);
	ck_assert_str_eq(vm.nics[2].source, "eno2");
	ck_assert_int_eq(vm.nics[3].kind, SNAP_NIC_USER);
}
END_TEST

START_TEST(pins_are_named_as_their_owner_knows_them)
{
	static const char *const pins[] = {
	    "PCI passthrough 0000:3b:00.0",
	    "USB device 0x046d:0xc52b",
	    "mediated device c2177883-f1bb-47f0-914d-32a22e3a8804",
	    "SCSI passthrough scsi_host0",
	    "NIC passthrough 0000:86:02.3",
	    "vDPA NIC /dev/vhost-vdpa-0",
	    "nvme device as disk vda",
	    "transient disk vdb",
	    "virtiofs share data",
	    "9p share home",
	    "memory shared with other guests (shmem lookingglass)",
	    "serial port of the host /dev/ttyS0",
	    "3D graphics of the host (accel3d)",
	    "TPM passthrough",
	    "persistent memory (nvdimm) in /dev/dax0.0",
	    "smart card of the host",
	    "CPU feature invtsc without a TSC frequency",
	    "encrypted memory (sev)",
	};
	struct snap_vm vm = parse_sample("domain-pinned.xml");

	ck_assert_uint_eq(vm.pin_count, sizeof(pins) / sizeof(pins[0]));
	for (size_t i = 0; i < vm.pin_count; i++)
		ck_assert_str_eq(vm.pins[i], pins[i]);
	/* The passed-through NICs are no NICs that a host must serve. */
	ck_assert_uint_eq(vm.nic_count, 1);
	ck_assert_int_eq(vm.nics[0].kind, SNAP_NIC_OTHER);
	ck_assert_str_eq(vm.nics[0].source, "vhostuser");
}
END_TEST

START_TEST(most_pins_hold_a_guest_that_is_shut_down_too)
{
	struct snap_vm vm = parse_sample("domain-pinned.xml");

	ck_assert_uint_eq(vm.anchor_count, vm.pin_count - 2);
	for (size_t i = 0; i < vm.anchor_count; i++) {
		ck_assert_ptr_null(strstr(vm.anchors[i], "transient disk"));
		ck_assert_ptr_null(strstr(vm.anchors[i], "invtsc"));
	}
	ck_assert_str_eq(vm.anchors[0], "PCI passthrough 0000:3b:00.0");
}
END_TEST

START_TEST(what_matters_to_a_shutdown_and_start_is_read)
{
	struct snap_vm vm = parse_sample("domain-habits.xml");

	ck_assert(vm.hugepages);
	ck_assert_int_eq(vm.hugepage_size, 1 << 30);
	ck_assert(vm.secure_boot);
	ck_assert_str_eq(vm.loader, "/usr/share/OVMF/OVMF_CODE_4M.ms.fd");
	ck_assert_uint_eq(vm.file_count, 1);
	ck_assert_str_eq(vm.files[0], vm.loader);
	ck_assert_str_eq(vm.nvram, "/var/lib/libvirt/qemu/nvram/db1_VARS.fd");
	ck_assert(vm.restarts_on_poweroff);
	ck_assert(vm.agent);
	ck_assert(vm.tpm);
	ck_assert_uint_eq(vm.anchor_count, 0);
	ck_assert(vm.disks[0].encrypted);
	ck_assert(vm.disks[1].encrypted);
	ck_assert(vm.disks[2].optional);
	/* Needed when it boots, whatever a migration may do to it. */
	ck_assert(!vm.disks[3].optional);

	vm = parse_sample("domain-direct-boot.xml");
	ck_assert(!vm.hugepages && !vm.secure_boot && !vm.tpm);
	ck_assert(!vm.restarts_on_poweroff);
	ck_assert(!vm.disks[0].encrypted && !vm.disks[0].optional);
	ck_assert_int_eq(vm.disks[0].capacity, SNAPSHOT_UNKNOWN);
}
END_TEST

static const struct {
	const char *label;
	bool relabels;
} labels[] = {
    {"", false},
    {"<seclabel type='dynamic' model='dac' relabel='yes'>"
     "<label>+107:+107</label></seclabel>",
	true},
    {"<seclabel type='dynamic' model='dac' relabel='yes'/>", true},
    {"<seclabel type='dynamic' model='dac' relabel='yes'>"
     "<label>+0:+0</label></seclabel>",
	false},
    {"<seclabel type='dynamic' model='dac' relabel='yes'>"
     "<label>root:root</label></seclabel>",
	false},
    {"<seclabel type='static' model='dac' relabel='no'>"
     "<label>+107:+107</label></seclabel>",
	false},
    {"<seclabel type='none' model='dac'/>", false},
    {"<seclabel type='dynamic' model='selinux' relabel='yes'>"
     "<label>system_u:system_r:svirt_t:s0</label></seclabel>",
	false},
};

START_TEST(an_owner_that_ends_with_the_guest_is_noticed)
{
	const char *xml =
	    arena_printf(arena, "<domain>%s</domain>", labels[_i].label);

	ck_assert_int_eq(domxml_relabels(xml), labels[_i].relabels);
}
END_TEST

START_TEST(what_is_no_domain_is_not_taken_to_relabel)
{
	ck_assert(!domxml_relabels("<pool/>"));
	ck_assert(!domxml_relabels("no XML"));
}
END_TEST

#define VDA "<disk type='file'><source file='/a'/><target dev='vda'/></disk>"
#define VDB "<disk type='file'><source file='/b'/><target dev='vdb'/></disk>"
#define CD                                                                     \
	"<disk type='file' device='cdrom'><source file='/c'/>"                 \
	"<target dev='sda'/></disk>"

static const struct {
	const char *runs, *next, *differs;
} definitions[] = {
    {VDA, VDA, NULL},
    /* Media come and go. */
    {VDA, VDA CD, NULL},
    {VDA CD, VDA, NULL},
    {VDA VDB, VDB VDA, NULL},
    {VDA VDB, VDA, "it runs with vdb (/b), which its definition does not have"},
    {VDA, VDA VDB, "its definition has vdb (/b), which it runs without"},
    {VDA, "<disk type='file'><source file='/z'/><target dev='vda'/></disk>",
	"vda is /z in its definition, and it runs with /a"},
    {VDA, "<disk type='block'><source dev='/a'/><target dev='vda'/></disk>",
	"vda is /a in its definition, and it runs with /a"},
};

START_TEST(a_running_guest_may_differ_from_its_definition)
{
	struct snap_vm vm = {0};
	const char *runs = arena_printf(arena,
	    "<domain><devices>%s</devices></domain>", definitions[_i].runs);
	const char *next = arena_printf(arena,
	    "<domain><cpu mode='host-model'/><devices>%s</devices></domain>",
	    definitions[_i].next);

	ck_assert_int_eq(domxml_parse_domain(arena, runs, &vm, &err), 0);
	domxml_compare_definition(arena, next, &vm);
	ck_assert_pstr_eq(vm.defined_differs, definitions[_i].differs);
	ck_assert_str_eq(vm.defined_cpu_mode, "host-model");
}
END_TEST

START_TEST(a_definition_that_is_not_understood_differs)
{
	struct snap_vm vm = {0};

	domxml_compare_definition(arena, "<domain>", &vm);
	ck_assert_ptr_nonnull(vm.defined_differs);
	ck_assert_ptr_nonnull(
	    strstr(vm.defined_differs, "its definition was not understood"));
}
END_TEST

START_TEST(a_guest_of_direct_boot_and_extra_arguments_is_not_pinned)
{
	struct snap_vm vm = parse_sample("domain-direct-boot.xml");

	ck_assert_uint_eq(vm.pin_count, 0);
	ck_assert_uint_eq(vm.disk_count, 1);
	disk_is(&vm.disks[0], "vda", SNAP_DISK_FILE, "/srv/images/g1.raw");
	ck_assert_int_eq(vm.memory, 131072 * 1024);
}
END_TEST

START_TEST(what_is_not_said_or_makes_no_sense_is_unknown)
{
	struct snap_vm vm = parse_sample("odd-numbers.xml");

	ck_assert_int_eq(vm.memory, SNAPSHOT_UNKNOWN);
	ck_assert_int_eq(vm.vcpus, SNAPSHOT_UNKNOWN);
	ck_assert_ptr_null(vm.abi.cpu_xml);
	ck_assert_ptr_null(vm.abi.machine);
	ck_assert_int_eq(vm.disks[0].kind, SNAP_DISK_OTHER);
}
END_TEST

static const struct {
	const char *text;
	int64_t bytes;
} memories[] = {
    {"<memory>1</memory>", 1024},
    {"<memory unit='b'>5</memory>", 5},
    {"<memory unit='bytes'>5</memory>", 5},
    {"<memory unit='KB'>2</memory>", 2000},
    {"<memory unit='k'>2</memory>", 2048},
    {"<memory unit='MB'>2</memory>", 2000000},
    {"<memory unit='M'>2</memory>", 2 << 20},
    {"<memory unit='MiB'> 2 </memory>", 2 << 20},
    {"<memory unit='GB'>2</memory>", 2000000000},
    {"<memory unit='TiB'>2</memory>", (int64_t)2 << 40},
    {"<memory unit='PiB'>2</memory>", SNAPSHOT_UNKNOWN},
    {"<memory>-2</memory>", SNAPSHOT_UNKNOWN},
    {"<memory>2.5</memory>", SNAPSHOT_UNKNOWN},
    {"<memory unit='KiB'>9223372036854775807</memory>", SNAPSHOT_UNKNOWN},
    {"<memory/>", SNAPSHOT_UNKNOWN},
    {"", SNAPSHOT_UNKNOWN},
};

START_TEST(memory_has_all_units_of_libvirt)
{
	struct snap_vm vm = {0};
	const char *xml =
	    arena_printf(arena, "<domain>%s</domain>", memories[_i].text);

	ck_assert_int_eq(domxml_parse_domain(arena, xml, &vm, &err), 0);
	ck_assert_int_eq(vm.memory, memories[_i].bytes);
}
END_TEST

static const struct {
	const char *sample, *type, *path, *source;
} pools[] = {
    {"pool-netfs.xml", "netfs", "/srv/nfs1",
	"nfs://nas.example.org/export/vms"},
    {"pool-rbd.xml", "rbd", NULL, "rbd://mon1:6789,mon2:6789/vms"},
    {"pool-dir.xml", "dir", "/var/lib/libvirt/images", NULL},
    {"pool-iscsi.xml", "iscsi", "/dev/disk/by-path",
	"iscsi://10.0.0.9/iqn.2004-10.org.example:store"},
};

START_TEST(a_pool_has_a_source_only_when_it_is_on_the_network)
{
	struct snap_pool pool = {0};

	ck_assert_int_eq(
	    domxml_parse_pool(arena, sample(pools[_i].sample), &pool, &err), 0);
	ck_assert_str_eq(pool.type, pools[_i].type);
	ck_assert_pstr_eq(pool.path, pools[_i].path);
	ck_assert_pstr_eq(pool.source, pools[_i].source);
}
END_TEST

START_TEST(a_mount_from_localhost_is_no_network_source)
{
	struct snap_pool pool = {0};

	ck_assert_int_eq(domxml_parse_pool(arena,
			     "<pool type='netfs'><source>"
			     "<host name='localhost'/><dir path='gv0'/>"
			     "<format type='glusterfs'/></source></pool>",
			     &pool, &err),
	    0);
	ck_assert_ptr_null(pool.source);
}
END_TEST

START_TEST(capabilities_name_each_machine_once)
{
	struct snap_host host = {0};
	static const char *const machines[] = {"pc-i440fx-7.2", "pc",
	    "pc-q35-7.2", "q35", "old-alias", "pc-q35-6.2", "microvm"};

	ck_assert_int_eq(domxml_parse_capabilities(
			     arena, sample("capabilities.xml"), &host, &err),
	    0);
	ck_assert_str_eq(
	    host.host_uuid, "07fc82b7-cf54-4248-a5c7-27c854d049b7");
	ck_assert_uint_eq(host.machine_count, 7);
	for (size_t i = 0; i < 7; i++)
		ck_assert_str_eq(host.machines[i], machines[i]);
}
END_TEST

static const char *
host_cpu(const char *cpu)
{
	struct snap_host host = {0};
	char xml[1024];

	snprintf(xml, sizeof(xml),
	    "<capabilities><host>%s</host></capabilities>", cpu);
	ck_assert_int_eq(domxml_parse_capabilities(arena, xml, &host, &err), 0);
	return host.cpu_xml;
}

START_TEST(capabilities_tell_the_cpu_without_what_tells_machines_apart)
{
	const char *told = host_cpu("<cpu>\n  <arch>x86_64</arch>"
				    "<model>EPYC</model><vendor>AMD</vendor>"
				    "<microcode version='1'/><signature "
				    "family='25' model='17' stepping='1'/>"
				    "<counter name='tsc' frequency='2596144000'"
				    "/><topology sockets='1'/><feature "
				    "name='avx2'/><feature name='vme'/><pages "
				    "unit='KiB' size='4'/></cpu>");

	ck_assert_str_eq(told,
	    "<cpu><arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor>"
	    "<feature name=\"avx2\"/><feature name=\"vme\"/></cpu>");
}
END_TEST

START_TEST(capabilities_without_a_model_tell_no_cpu)
{
	ck_assert_ptr_null(host_cpu(""));
	ck_assert_ptr_null(host_cpu("<cpu><arch>aarch64</arch></cpu>"));
	ck_assert_ptr_null(host_cpu("<cpu/>"));
}
END_TEST

static const struct {
	const char *sample, *says;
} refused[] = {
    {"broken-end.xml", "not well-formed"},
    {"broken-entities.xml", "DTD"},
    {"pool-dir.xml", "expected <domain>, found <pool>"},
};

START_TEST(what_is_no_domain_is_refused_and_changes_nothing)
{
	struct snap_vm vm = {.vcpus = 77};

	ck_assert_int_eq(
	    domxml_parse_domain(arena, sample(refused[_i].sample), &vm, &err),
	    -1);
	ck_assert_msg(strstr(err.msg, refused[_i].says) != NULL, "%s", err.msg);
	ck_assert_int_eq(vm.vcpus, 77);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	struct buf buf = BUF_INIT(DOMXML_SIZE_MAX + 100);
	struct snap_vm vm = {0};

	buf_adds(&buf, "<domain><devices>");
	for (int i = 0; i < 1025; i++)
		buf_adds(&buf, "<disk/>");
	buf_adds(&buf, "</devices></domain>");
	ck_assert_int_eq(
	    domxml_parse_domain(arena, buf_str(&buf), &vm, &err), -1);
	ck_assert_int_eq(err.code, ERR_LIMIT);
	while (buf.len <= DOMXML_SIZE_MAX)
		buf_adds(&buf, " ");
	ck_assert_int_eq(
	    domxml_parse_domain(arena, buf_str(&buf), &vm, &err), -1);
	ck_assert_int_eq(err.code, ERR_LIMIT);
	buf_free(&buf);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("domxml");
	TCase *tc = tcase_create("domxml");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_domain_gives_its_size_and_abi);
	tcase_add_test(
	    tc, the_abi_is_the_same_for_guests_that_differ_in_size_only);
	tcase_add_test(tc, disks_include_the_images_below_an_overlay);
	tcase_add_test(
	    tc, a_disk_that_another_host_would_not_find_is_not_a_network_disk);
	tcase_add_test(tc, nics_name_what_they_need);
	tcase_add_test(tc, pins_are_named_as_their_owner_knows_them);
	tcase_add_loop_test(tc, a_running_guest_may_differ_from_its_definition,
	    0, sizeof(definitions) / sizeof(definitions[0]));
	tcase_add_test(tc, a_definition_that_is_not_understood_differs);
	tcase_add_test(tc, most_pins_hold_a_guest_that_is_shut_down_too);
	tcase_add_test(tc, what_matters_to_a_shutdown_and_start_is_read);
	tcase_add_loop_test(tc, an_owner_that_ends_with_the_guest_is_noticed, 0,
	    sizeof(labels) / sizeof(labels[0]));
	tcase_add_test(tc, what_is_no_domain_is_not_taken_to_relabel);
	tcase_add_test(
	    tc, a_guest_of_direct_boot_and_extra_arguments_is_not_pinned);
	tcase_add_test(tc, what_is_not_said_or_makes_no_sense_is_unknown);
	tcase_add_loop_test(
	    tc, memory_has_all_units_of_libvirt, 0, ROWS(memories));
	tcase_add_loop_test(tc,
	    a_pool_has_a_source_only_when_it_is_on_the_network, 0, ROWS(pools));
	tcase_add_test(tc, a_mount_from_localhost_is_no_network_source);
	tcase_add_test(tc, a_guest_with_its_hosts_cpu_names_none);
	tcase_add_test(tc, all_that_an_emulator_can_do_is_not_comparable);
	tcase_add_test(tc, capabilities_name_each_machine_once);
	tcase_add_test(
	    tc, capabilities_tell_the_cpu_without_what_tells_machines_apart);
	tcase_add_test(tc, capabilities_without_a_model_tell_no_cpu);
	tcase_add_test(tc, what_is_no_domain_is_not_taken_to_relabel);
	tcase_add_loop_test(tc,
	    what_is_no_domain_is_refused_and_changes_nothing, 0, ROWS(refused));
	tcase_add_test(tc, sizes_are_bounded);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
