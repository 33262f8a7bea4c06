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
	STORAGE_LOCAL, false,
	"vda: /srv/images-of-mine/a is "
	"not under storage.shared_paths nor in a pool of network "
	"storage"},
    {{.kind = SNAP_DISK_FILE, .source = "/srv/images/../a"}, {0}, {0},
	STORAGE_LOCAL, false, "not under"},
    {{.kind = SNAP_DISK_FILE,
	 .source = "/local/iso/a.iso",
	 .readonly = true,
	 .removable = true},
	{0}, {0}, STORAGE_DISKLESS, false,
	"vda: unknown whether kvm2 has /local/iso/a.iso"},
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
	STORAGE_LOCAL, false, "kvm2 has no active netfs pool of it"},
    {{.kind = SNAP_DISK_FILE, .source = "/mnt/nfs/a"},
	{"one", true, "netfs", "/mnt/nfs", "nfs://nas/vms", 0, 0},
	{"one", true, "netfs", "/mnt/other", "nfs://nas/vms", 0, 0},
	STORAGE_LOCAL, false, "kvm2 has no active netfs pool of it"},
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
	{"p", true, "dir", "/var/images", NULL, 0, 0}, STORAGE_LOCAL, false,
	"pool p is local storage on kvm1 and local "
	"storage on kvm2"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "netfs", "/a", "nfs://nas/vms", 0, 0},
	{"p", false, "netfs", "/a", "nfs://nas/vms", 0, 0}, STORAGE_LOCAL,
	false, "pool p is not active on kvm2"},
    {{.kind = SNAP_DISK_VOLUME, .source = "p/a", .pool = "p"},
	{"p", true, "netfs", "/a", "nfs://nas/vms", 0, 0},
	{"q", true, "netfs", "/a", "nfs://nas/vms", 0, 0}, STORAGE_LOCAL, false,
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

static void
look(struct storage_result *out)
{
	storage_classify(world.arena, &world.settings, &world.s,
	    &world.s.hosts[0], &world.s.hosts[1], vm, out);
}

static void
add_pool(size_t host, const char *name, const char *path)
{
	struct snap_host *h = &world.s.hosts[host];

	h->pools[h->pool_count++] =
	    (struct snap_pool){name, true, "dir", path, NULL, 0, 0};
}

static struct snap_proof proof;

static void
prove(const char *host_a, const char *pool_a, const char *host_b,
    const char *pool_b, enum snap_verdict same)
{
	proof = (struct snap_proof){host_a, pool_a, host_b, pool_b, same};
	world.s.proofs = &proof;
	world.s.proof_count = 1;
}

START_TEST(a_marker_proves_the_folder_that_it_was_seen_in)
{
	struct storage_result result;

	vm->disks[0].source = "/data/web1.qcow2";
	add_pool(0, "here", "/data");
	add_pool(1, "there", "/data");
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(result.marker_wanted && result.disks[0].open);
	contains(result.why, "whether pool there of kvm2 is the same storage");

	prove("kvm1", "here", "kvm2", "there", SNAP_VERDICT_OK);
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_SHARED);
	ck_assert(!result.marker_wanted);
	ck_assert(result.own_proof && result.disks[0].own_proof);
	ck_assert(result.locked);
	contains(result.why, "pool here is the same storage on both hosts");

	/* From the other side it is the same proof. */
	ck_assert_int_eq(
	    snapshot_find_proof(&world.s, "kvm2", "there", "kvm1", "here"),
	    SNAP_VERDICT_OK);
	ck_assert_int_eq(
	    snapshot_find_proof(&world.s, "kvm2", "here", "kvm1", "there"),
	    SNAP_VERDICT_UNKNOWN);

	/* What is below may be mounted from elsewhere. */
	vm->disks[0].source = "/data/more/web1.qcow2";
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(!result.marker_wanted);
}
END_TEST

START_TEST(a_marker_that_was_not_seen_makes_local_storage)
{
	struct storage_result result;

	vm->disks[0].source = "/data/web1.qcow2";
	add_pool(0, "here", "/data");
	add_pool(1, "there", "/data");
	prove("kvm1", "here", "kvm2", "there", SNAP_VERDICT_REJECTED);
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(!result.marker_wanted && !result.disks[0].elsewhere);
	contains(result.why, "was not seen in pool there of kvm2");
}
END_TEST

START_TEST(markers_are_not_asked_for_where_only_words_count)
{
	struct storage_result result;

	vm->disks[0].source = "/data/web1.qcow2";
	add_pool(0, "here", "/data");
	add_pool(1, "there", "/data");
	prove("kvm1", "here", "kvm2", "there", SNAP_VERDICT_OK);
	world.settings.proof = SETTINGS_PROOF_DECLARED;
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(!result.marker_wanted);
}
END_TEST

START_TEST(a_block_device_is_not_proven_by_a_marker)
{
	struct storage_result result;

	vm->disks[0].kind = SNAP_DISK_BLOCK;
	vm->disks[0].source = "/data/web1";
	add_pool(0, "here", "/data");
	add_pool(1, "there", "/data");
	prove("kvm1", "here", "kvm2", "there", SNAP_VERDICT_OK);
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
}
END_TEST

START_TEST(one_storage_at_two_paths_is_no_place_to_copy_to)
{
	struct storage_result result;

	vm->disks[0].source = "/data/web1.qcow2";
	add_pool(0, "data", "/data");
	add_pool(1, "data", "/mnt/data");
	prove("kvm1", "data", "kvm2", "data", SNAP_VERDICT_OK);
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(result.disks[0].elsewhere);
	contains(result.why, "give both pools the same path");

	/* A volume is found by its pool, wherever that is. */
	vm->disks[0] = (struct snap_disk){.target = "vda",
	    .kind = SNAP_DISK_VOLUME,
	    .source = "data/web1.qcow2",
	    .pool = "data"};
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_SHARED);
	ck_assert(result.own_proof);
}
END_TEST

START_TEST(a_medium_is_there_or_absent)
{
	struct storage_result result;
	struct snap_file medium = {"/iso/a.iso", SNAP_VERDICT_OK};

	vm->disks[vm->disk_count++] = (struct snap_disk){.target = "sda",
	    .kind = SNAP_DISK_FILE,
	    .source = "/iso/a.iso",
	    .readonly = true,
	    .removable = true};
	look(&result);
	ck_assert_uint_eq(result.disk_count, 2);
	ck_assert_int_eq(result.class, STORAGE_SHARED);
	ck_assert_int_eq(result.disks[1].way, STORAGE_WAY_ABSENT);
	ck_assert(result.disks[1].open && !result.marker_wanted);
	contains(result.disks[1].why, "unknown whether kvm2 has /iso/a.iso");

	world.s.hosts[1].files = &medium;
	world.s.hosts[1].file_count = 1;
	look(&result);
	ck_assert_int_eq(result.disks[1].way, STORAGE_WAY_SHARED);
	contains(result.disks[1].why, "kvm2 has /iso/a.iso too");

	medium.there = SNAP_VERDICT_REJECTED;
	look(&result);
	ck_assert_int_eq(result.disks[1].way, STORAGE_WAY_ABSENT);
	ck_assert(!result.disks[1].open);
	contains(result.disks[1].why, "kvm2 has no /iso/a.iso");
}
END_TEST

START_TEST(a_disk_is_shared_when_all_below_it_is)
{
	struct storage_result result;

	/* Shared on top of a local base. */
	vm->disks[vm->disk_count++] =
	    (struct snap_disk){.target = "vda, backing 1",
		.kind = SNAP_DISK_FILE,
		.source = "/local/base.qcow2",
		.readonly = true,
		.backing = true};
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(!result.locked);
	ck_assert_int_eq(result.disks[0].way, STORAGE_WAY_SHARED);
	ck_assert_int_eq(result.disks[1].way, STORAGE_WAY_LOCAL);
	contains(result.why, "vda, backing 1: /local/base.qcow2 is not under");

	/* The other way round. */
	vm->disks[0].source = "/local/web1.qcow2";
	vm->disks[1].source = "/srv/images/base.qcow2";
	look(&result);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert_int_eq(result.disks[0].way, STORAGE_WAY_LOCAL);
	ck_assert_int_eq(result.disks[1].way, STORAGE_WAY_SHARED);
}
END_TEST

START_TEST(what_a_survey_found_below_counts_too)
{
	struct storage_result result;

	vm->disks[0].backing_found = "/local/base.qcow2";
	vm->disks[0].backing_format = "qcow2";
	look(&result);
	ck_assert_uint_eq(result.disk_count, 2);
	ck_assert_int_eq(result.class, STORAGE_LOCAL);
	ck_assert(result.disks[1].disk->backing);
	ck_assert_str_eq(result.disks[1].disk->format, "qcow2");
}
END_TEST

static const struct {
	const char *cache;
	int64_t version;
	bool relabels;
	const char *unsafe; /* NULL: libvirt may be overruled */
} caches[] = {
    {"none", SNAPSHOT_UNKNOWN, false, NULL},
    {"directsync", SNAPSHOT_UNKNOWN, false, NULL},
    {NULL, 7002022, false, NULL},
    {"writeback", 7002022, false, NULL},
    {NULL, 3001000, false, "may not drop what it has cached"},
    {"writeback", SNAPSHOT_UNKNOWN, false, "give it cache='none'"},
    {"unsafe", 7002022, false, "cache='unsafe'"},
    {"none", 7002022, true, "dynamic_ownership = 0"},
};

START_TEST(libvirt_is_not_overruled_where_its_doubt_is_right)
{
	struct storage_result result;

	vm->disks[0].cache = caches[_i].cache;
	vm->relabels = caches[_i].relabels;
	world.s.hosts[1].hypervisor_version = caches[_i].version;
	look(&result);
	ck_assert(result.own_proof);
	if (caches[_i].unsafe == NULL)
		ck_assert_ptr_null(result.unsafe);
	else
		contains(result.unsafe, caches[_i].unsafe);
}
END_TEST

static const struct {
	struct snap_pool here, there;
	bool pair;
} pairs[] = {
    {{"a", true, "dir", "/x", NULL, 0, 0}, {"b", true, "dir", "/x", NULL, 0, 0},
	true},
    {{"a", true, "dir", "/x", NULL, 0, 0}, {"a", true, "fs", "/y", NULL, 0, 0},
	true},
    {{"a", true, "dir", "/x", NULL, 0, 0}, {"b", true, "dir", "/y", NULL, 0, 0},
	false},
    {{"a", true, "dir", "/x", NULL, 0, 0},
	{"a", false, "dir", "/x", NULL, 0, 0}, false},
    {{"a", true, "logical", "/dev/x", NULL, 0, 0},
	{"a", true, "logical", "/dev/x", NULL, 0, 0}, false},
    /* One server, two names of it? */
    {{"a", true, "netfs", "/x", "nfs://nas/v", 0, 0},
	{"a", true, "netfs", "/x", "nfs://10.0.0.9/v", 0, 0}, true},
    {{"a", true, "netfs", "/x", "nfs://nas/v", 0, 0},
	{"a", true, "netfs", "/x", "nfs://nas/v", 0, 0}, false},
};

START_TEST(markers_are_for_pools_that_could_be_one)
{
	ck_assert_int_eq(
	    storage_is_marker_pair(&pairs[_i].here, &pairs[_i].there),
	    pairs[_i].pair);
	ck_assert_int_eq(
	    storage_is_marker_pair(&pairs[_i].there, &pairs[_i].here),
	    pairs[_i].pair);
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
	tcase_add_test(tc, a_marker_proves_the_folder_that_it_was_seen_in);
	tcase_add_test(tc, a_marker_that_was_not_seen_makes_local_storage);
	tcase_add_test(tc, markers_are_not_asked_for_where_only_words_count);
	tcase_add_test(tc, a_block_device_is_not_proven_by_a_marker);
	tcase_add_test(tc, one_storage_at_two_paths_is_no_place_to_copy_to);
	tcase_add_test(tc, a_medium_is_there_or_absent);
	tcase_add_test(tc, a_disk_is_shared_when_all_below_it_is);
	tcase_add_test(tc, what_a_survey_found_below_counts_too);
	tcase_add_loop_test(tc,
	    libvirt_is_not_overruled_where_its_doubt_is_right, 0, ROWS(caches));
	tcase_add_loop_test(
	    tc, markers_are_for_pools_that_could_be_one, 0, ROWS(pairs));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
