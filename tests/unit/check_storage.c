/*
 * Shared or not, one row per way that a disk can be reached: what the two hosts
 * have, and what may be concluded.  The guest is on kvm1, the target is kvm2.
 */
#include <check.h>
#include <string.h>

#include "decide/storage.h"
#include "world.h"

static struct world world;
static struct snap_vm *vm;

static void
setup(void)
{
	world_init(&world, 2);
	vm = world_add_vm(&world, 0, "web1", 8 * GIB);
}

static void
teardown(void)
{
	world_clear(&world);
}

static void
contains(const char *text, const char *part)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(
	    strstr(text, part) != NULL, "\"%s\" in \"%s\"", part, text);
}

static const struct {
	struct snap_disk disk;
	struct snap_pool here, there;
	enum storage_class class;
	bool locked;
	const char *why;
} storages[] = {
    {{.kind = SNAP_DISK_EMPTY, .removable = true}, {0}, {0}, STORAGE_DISKLESS,
	false, "no disks"},
    {{.kind = SNAP_DISK_FILE, .source = "/srv/images/a"}, {0}, {0},
	STORAGE_SHARED, true, "vda: under /srv/images (storage.shared_paths)"},
    {{.kind = SNAP_DISK_FILE, .source = "/srv/images/a", .shareable = true},
	{0}, {0}, STORAGE_SHARED, false,
	"vda: under /srv/images (storage.shared_paths)"},
    {{.kind = SNAP_DISK_FILE, .source = "/srv/images-of-mine/a"}, {0}, {0},
	STORAGE_LOCAL, true,
	"vda: /srv/images-of-mine/a is "
	"not under storage.shared_paths nor in a pool of network "
	"storage"},
    {{.kind = SNAP_DISK_FILE, .source = "/srv/images/../a"}, {0}, {0},
	STORAGE_LOCAL, true, "not under"},
    {{.kind = SNAP_DISK_FILE,
	 .source = "/local/iso/a.iso",
	 .readonly = true,
	 .removable = true},
	{0}, {0}, STORAGE_LOCAL, false, "vda: /local/iso/a.iso is not under"},
    {{.kind = SNAP_DISK_BLOCK, .source = "/dev/vg0/a"}, {0}, {0}, STORAGE_LOCAL,
	false, "/dev/vg0/a is not under"},
    {{.kind = SNAP_DISK_NETWORK, .source = "rbd://mon1/vms/a"}, {0}, {0},
	STORAGE_SHARED, false, "vda: rbd://mon1/vms/a"},
    {{.kind = SNAP_DISK_OTHER, .source = "nbd disk a of this host"}, {0}, {0},
	STORAGE_LOCAL, false, "nothing proves it"},
    {{.kind = SNAP_DISK_FILE, .source = "/mnt/nfs/a"},
	{"one", true, "netfs", "/mnt/nfs", "nfs://nas/vms", 0, 0},
	{"two", true, "netfs", "/mnt/nfs", "nfs://nas/vms", 0, 0},
	STORAGE_SHARED, true, "vda: in nfs://nas/vms, which both hosts have"},
    {{.kind = SNAP_DISK_FILE, .source = "/mnt/nfs/a"},
	{"one", true, "netfs", "/mnt/nfs", "nfs://nas/vms", 0, 0},
	{"one", true, "netfs", "/mnt/nfs", "nfs://nas2/vms", 0, 0},
	STORAGE_LOCAL, true, "kvm2 has no active netfs pool of it"},
    {{.kind = SNAP_DISK_FILE, .source = "/mnt/nfs/a"},
	{"one", true, "netfs", "/mnt/nfs", "nfs://nas/vms", 0, 0},
	{"one", true, "netfs", "/mnt/other", "nfs://nas/vms", 0, 0},
	STORAGE_LOCAL, true, "kvm2 has no active netfs pool of it"},
    {{.kind = SNAP_DISK_BLOCK,
	 .source = "/dev/disk/by-path/ip-10.0.0.9-iscsi-iqn.x:s-lun-1"},
	{"san", true, "iscsi", "/dev/disk/by-path", "iscsi://10.0.0.9/iqn.x:s",
	    0, 0},
	{"san", true, "iscsi", "/dev/disk/by-path", "iscsi://10.0.0.9/iqn.x:s",
	    0, 0},
	STORAGE_SHARED, false, "in iscsi://10.0.0.9/iqn.x:s"},
    {{.kind = SNAP_DISK_BLOCK,
	 .source = "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"},
	{"san", true, "iscsi", "/dev/disk/by-path", "iscsi://10.0.0.9/iqn.x:s",
	    0, 0},
	{"san", true, "iscsi", "/dev/disk/by-path", "iscsi://10.0.0.9/iqn.x:s",
	    0, 0},
	STORAGE_LOCAL, false, "is not under"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "netfs", "/a", "nfs://nas/vms", 0, 0},
	{"p", true, "netfs", "/b", "nfs://nas/vms", 0, 0}, STORAGE_SHARED, true,
	"vda: pool p is nfs://nas/vms on both"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "rbd", NULL, "rbd://mon1/vms", 0, 0},
	{"p", true, "rbd", NULL, "rbd://mon1/vms", 0, 0}, STORAGE_SHARED, false,
	"vda: pool p is rbd://mon1/vms on both"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "dir", "/srv/images", NULL, 0, 0},
	{"p", true, "dir", "/srv/images", NULL, 0, 0}, STORAGE_SHARED, true,
	"pool p is at /srv/images on both hosts"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "dir", "/var/images", NULL, 0, 0},
	{"p", true, "dir", "/var/images", NULL, 0, 0}, STORAGE_LOCAL, true,
	"pool p is local storage on kvm1 and local "
	"storage on kvm2"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "netfs", "/a", "nfs://nas/vms", 0, 0},
	{"p", false, "netfs", "/a", "nfs://nas/vms", 0, 0}, STORAGE_LOCAL, true,
	"pool p is not active on kvm2"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "netfs", "/a", "nfs://nas/vms", 0, 0},
	{"q", true, "netfs", "/a", "nfs://nas/vms", 0, 0}, STORAGE_LOCAL, true,
	"kvm2 has no pool p"},
};

static void
classify(size_t row, struct storage_result *out)
{
	vm->disks[0] = storages[row].disk;
	vm->disks[0].target = "vda";
	world.s.hosts[0].pools[0] = storages[row].here;
	world.s.hosts[1].pools[0] = storages[row].there;
	world.s.hosts[0].pool_count = storages[row].here.name != NULL;
	world.s.hosts[1].pool_count = storages[row].there.name != NULL;
	storage_classify(world.arena, &world.settings, &world.s,
	    &world.s.hosts[0], &world.s.hosts[1], vm, out);
}

START_TEST(storage_is_shared_only_when_proven)
{
	struct storage_result result;

	classify((size_t)_i, &result);
	ck_assert_msg(result.class == storages[_i].class, "%s: %s",
	    storage_class_name(result.class), result.why);
	contains(result.why, storages[_i].why);
	ck_assert_int_eq(result.locked, storages[_i].locked);
}
END_TEST

START_TEST(unknown_pools_prove_nothing)
{
	struct storage_result result;

	world.s.hosts[1].pools_known = false;
	classify(9, &result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	contains(result.why, "unknown whether kvm2 has nfs://nas/vms");
}
END_TEST

START_TEST(one_local_disk_makes_mixed_storage)
{
	struct storage_result result;

	vm->disks[vm->disk_count++] = (struct snap_disk){
	    .target = "vdb", .kind = SNAP_DISK_FILE, .source = "/local/b"};
	storage_classify(world.arena, &world.settings, &world.s,
	    &world.s.hosts[0], &world.s.hosts[1], vm, &result);
	ck_assert_int_eq(result.class, STORAGE_MIXED);
	contains(result.why, "vdb: /local/b");
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("storage");
	TCase *tc = tcase_create("storage");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, storage_is_shared_only_when_proven, 0, ROWS(storages));
	tcase_add_test(tc, unknown_pools_prove_nothing);
	tcase_add_test(tc, one_local_disk_makes_mixed_storage);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
