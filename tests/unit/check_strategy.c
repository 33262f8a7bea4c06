/*
 * How a guest moves: for each strategy one row per rule, with the number that the
 * rule has in the source file of the strategy.  The guest is on kvm1 with one image
 * in a local pool that kvm2 has as well, and all strategies but the one without a
 * copy are possible; a row breaks one thing.
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "decide/strategy.h"
#include "world.h"

static struct world world;
static struct snap_vm *vm;
static struct snap_proof proof;
static struct snap_leftover leftover;
static struct strategy_wish wish;
static struct strategy_result result;
static int64_t taken;

static struct snap_host *
host(const char *name)
{
	return &world.s.hosts[name[3] - '1'];
}

static void
add_pool(const char *name)
{
	struct snap_host *h = host(name);

	h->pools[h->pool_count++] = (struct snap_pool){
	    "images", true, "dir", "/pool", NULL, 100 * GIB, 50 * GIB};
}

static void
setup(void)
{
	world_init(&world, 2);
	vm = world_add_vm(&world, 0, "web1", 8 * GIB);
	vm->surveyed = true;
	vm->dirty_rate = 1 << 20;
	vm->disks[0] = (struct snap_disk){.target = "vda",
	    .kind = SNAP_DISK_FILE,
	    .source = "/pool/web1.qcow2",
	    .format = "qcow2",
	    .capacity = 10 * GIB,
	    .allocation = 2 * GIB,
	    .top_allocation = GIB,
	    .path_found = "/pool/web1.qcow2",
	    .pool_found = "images",
	    .volume_found = "web1.qcow2"};
	add_pool("kvm1");
	add_pool("kvm2");
	proof = (struct snap_proof){
	    "kvm1", "images", "kvm2", "images", SNAP_VERDICT_REJECTED};
	world.s.proofs = &proof;
	world.s.proof_count = 1;
	wish = strategy_wish_of(&world.settings, NULL);
	taken = 0;
}

static void
teardown(void)
{
	world_clear(&world);
}

static int64_t
disk_taken(const char *host_name, const char *pool, void *arg)
{
	ck_assert_str_eq(host_name, "kvm2");
	ck_assert_str_eq(pool, "images");
	ck_assert_ptr_eq(arg, &taken);
	return taken;
}

static void
choose(void)
{
	strategy_choose(world.arena, &world.settings, &world.s, host("kvm2"),
	    vm, &wish, disk_taken, &taken, &result);
}

static void
only(enum strategy strategy)
{
	wish.order[0] = strategy;
	wish.count = 1;
}

static void
contains(const char *text, const char *part)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(
	    strstr(text, part) != NULL, "\"%s\" in \"%s\"", part, text);
}

static const struct strategy_refusal *
refusal(enum strategy strategy)
{
	for (size_t i = 0; i < result.refusal_count; i++) {
		if (result.refusals[i].strategy == strategy)
			return &result.refusals[i];
	}
	return NULL;
}

/* What is wrong in a row. */

static void
nothing(void)
{
}

static void
not_wanted(void)
{
	wish.policy = "night";
	wish.count = 0;
}

static void
paused(void)
{
	vm->state = DOMAIN_PAUSED;
}

static void
pinned(void)
{
	vm->pins[vm->pin_count++] = "PCI passthrough 0000:3b:00.0";
}

static void
anchored(void)
{
	static const char *anchors[] = {"TPM passthrough"};

	vm->anchors = anchors;
	vm->anchor_count = 1;
}

static void
local_uri(void)
{
	host("kvm2")->uri = "qemu:///system";
	host("kvm2")->uri_local = true;
}

static void
has_snapshots(void)
{
	vm->snapshots = 2;
}

static void
has_checkpoints(void)
{
	vm->checkpoints = 1;
}

static void
metadata_unknown(void)
{
	vm->snapshots = SNAPSHOT_UNKNOWN;
}

static void
cpu_rejected(void)
{
	host("kvm2")->verdicts[0].verdict = SNAP_VERDICT_REJECTED;
	host("kvm2")->verdicts[0].why = "its CPU lacks avx512f";
}

static void
cpu_unasked(void)
{
	host("kvm2")->verdict_count = 0;
}

static void
unsampled(void)
{
	vm->unsampled = true;
}

static void
marker_awaited(void)
{
	world.s.proof_count = 0;
}

static void
add_medium(bool optional)
{
	vm->disks[vm->disk_count++] = (struct snap_disk){.target = "sda",
	    .kind = SNAP_DISK_FILE,
	    .source = "/iso/a.iso",
	    .readonly = true,
	    .removable = true,
	    .optional = optional};
}

static void
know_medium(enum snap_verdict there)
{
	static struct snap_file file;

	file = (struct snap_file){"/iso/a.iso", there};
	host("kvm2")->files = &file;
	host("kvm2")->file_count = 1;
}

static void
medium_needed(void)
{
	add_medium(false);
	know_medium(SNAP_VERDICT_REJECTED);
}

static void
medium_unasked(void)
{
	add_medium(true);
}

static void
shared(void)
{
	vm->disks[0].source = "/srv/images/web1.qcow2";
}

static void
shared_unsafe(void)
{
	vm->disks[vm->disk_count++] = (struct snap_disk){.target = "vdb",
	    .kind = SNAP_DISK_FILE,
	    .source = "/srv/images/b.raw",
	    .format = "raw",
	    .cache = "unsafe"};
}

static void
shared_medium_needed(void)
{
	shared();
	medium_needed();
}

static void
all_unsafe(void)
{
	shared();
	vm->disks[0].cache = "unsafe";
}

static void
shared_unasked(void)
{
	shared();
	cpu_unasked();
}

static void
shared_unsampled(void)
{
	shared();
	unsampled();
}

static void
shared_refused(void)
{
	shared();
	world_add_attempt(&world, vm, "kvm3", 1, "unsafe");
	world.s.attempts[0].refused = "live-shared";
}

static void
elsewhere(void)
{
	proof.same = SNAP_VERDICT_OK;
	host("kvm2")->pools[0].path = "/mnt/pool";
}

static void
block_device(void)
{
	vm->disks[0].kind = SNAP_DISK_BLOCK;
	vm->disks[0].source = "/dev/vg0/web1";
}

static void
shareable(void)
{
	vm->disks[0].shareable = true;
}

static void
transient_disk(void)
{
	vm->disks[0].transient = true;
}

static void
encrypted(void)
{
	vm->disks[0].encrypted = true;
}

static void
read_only(void)
{
	vm->disks[0].readonly = true;
}

static void
add_below(const char *path)
{
	vm->disks[vm->disk_count++] =
	    (struct snap_disk){.target = "vda, backing 1",
		.kind = SNAP_DISK_FILE,
		.source = path,
		.format = "qcow2",
		.readonly = true,
		.backing = true};
}

static void
shared_over_local(void)
{
	shared();
	add_below("/local/base.qcow2");
}

static void
local_over_local(void)
{
	add_below("/pool/base.qcow2");
}

static void
unsurveyed(void)
{
	vm->surveyed = false;
}

static void
unreadable(void)
{
	vm->disks[0].capacity = SNAPSHOT_UNKNOWN;
}

static void
odd_format(void)
{
	vm->disks[0].format = "vmdk";
}

static void
no_pool(void)
{
	host("kvm2")->pool_count = 0;
}

static void
pool_off(void)
{
	host("kvm2")->pools[0].active = false;
}

static void
pool_of_blocks(void)
{
	host("kvm2")->pools[0].type = "logical";
	host("kvm2")->pools[0].path = "/dev/images";
}

static void
pools_unknown(void)
{
	no_pool();
	host("kvm2")->pools_known = false;
}

static void
in_no_pool(void)
{
	vm->disks[0].pool_found = NULL;
	vm->disks[0].volume_found = NULL;
}

static void
one_name_twice(void)
{
	vm->disks[1] = vm->disks[0];
	vm->disks[1].target = "vdb";
	vm->disk_count = 2;
}

static void
kept_of_another(void)
{
	leftover = (struct snap_leftover){
	    "kvm2", "images", "web1.qcow2", NULL, "bbbb"};
	world.s.leftovers = &leftover;
	world.s.leftover_count = 1;
}

static void
no_room(void)
{
	host("kvm2")->pools[0].available = GIB / 2;
}

static void
no_room_yet(void)
{
	taken = 49 * GIB + GIB / 2;
}

static void
room_unknown(void)
{
	host("kvm2")->pools[0].available = SNAPSHOT_UNKNOWN;
}

static void
off_and_left(void)
{
	vm->state = DOMAIN_SHUTOFF;
	wish.include_stopped = false;
}

static void
transient_guest(void)
{
	vm->persistent = false;
}

static void
saved(void)
{
	vm->managed_save = true;
}

static void
comes_back(void)
{
	vm->restarts_on_poweroff = true;
}

static void
defined_otherwise(void)
{
	vm->defined_differs =
	    "it runs with vdb (/b), which its definition does not have";
}

static const struct {
	enum strategy strategy;
	int number; /* of the rule in its file */
	void (*change)(void);
	const char *rule;
	bool wait;
	const char *why;
} rules[] = {
    {STRATEGY_LIVE_SHARED, 1, not_wanted, "not-allowed", false,
	"policy night does not allow it (with.strategies)"},
    {STRATEGY_LIVE_SHARED, 2, paused, "not-running", false, "does not run"},
    {STRATEGY_LIVE_SHARED, 3, pinned, "pinned", false,
	"pinned to its host by PCI passthrough 0000:3b:00.0"},
    {STRATEGY_LIVE_SHARED, 4, local_uri, "reachable", false,
	"its URI qemu:///system means nothing to kvm1"},
    {STRATEGY_LIVE_SHARED, 5, has_snapshots, "snapshots", false,
	"metadata of 2 snapshots"},
    {STRATEGY_LIVE_SHARED, 6, cpu_rejected, "cpu", false, "lacks avx512f"},
    {STRATEGY_LIVE_SHARED, 7, nothing, "storage-shared", false,
	"storage not shared: vda: /pool/web1.qcow2 is not under"},
    {STRATEGY_LIVE_SHARED, 7, marker_awaited, "storage-shared", true,
	"is not known yet"},
    {STRATEGY_LIVE_SHARED, 8, shared_medium_needed, "media", false,
	"sda: kvm2 has no /iso/a.iso: eject it"},
    {STRATEGY_LIVE_SHARED, 9, all_unsafe, "cache", false, "cache='unsafe'"},
    {STRATEGY_LIVE_SHARED, 10, shared_refused, "refused", false,
	"libvirt refused it (to kvm3): unsafe"},
    {STRATEGY_LIVE_SHARED, 11, shared_unasked, "abi-unknown", true,
	"has not said yet"},
    {STRATEGY_LIVE_SHARED, 12, shared_unsampled, "dirty-rate", true,
	"has not been measured yet"},

    {STRATEGY_LIVE_COPY, 1, not_wanted, "not-allowed", false, "night"},
    {STRATEGY_LIVE_COPY, 2, paused, "not-running", false, "does not run"},
    {STRATEGY_LIVE_COPY, 3, pinned, "pinned", false, "PCI passthrough"},
    {STRATEGY_LIVE_COPY, 4, local_uri, "reachable", false, "means nothing"},
    {STRATEGY_LIVE_COPY, 5, has_snapshots, "snapshots", false, "2 snapshots"},
    {STRATEGY_LIVE_COPY, 6, cpu_rejected, "cpu", false, "lacks avx512f"},
    {STRATEGY_LIVE_COPY, 7, shared, "nothing-local", false, "nothing to copy"},
    {STRATEGY_LIVE_COPY, 8, medium_needed, "media", false, "/iso/a.iso"},
    {STRATEGY_LIVE_COPY, 8, medium_unasked, "media", true,
	"unknown whether kvm2 has /iso/a.iso"},
    {STRATEGY_LIVE_COPY, 9, shared_unsafe, "cache", false, "vdb has cache"},
    {STRATEGY_LIVE_COPY, 10, marker_awaited, "storage-path", true,
	"is not known yet"},
    {STRATEGY_LIVE_COPY, 10, elsewhere, "storage-path", false,
	"give both pools the same path"},
    {STRATEGY_LIVE_COPY, 11, block_device, "disk-kind", false,
	"vda (/dev/vg0/web1) is a block device"},
    {STRATEGY_LIVE_COPY, 11, shareable, "disk-kind", false, "other guests"},
    {STRATEGY_LIVE_COPY, 11, transient_disk, "disk-kind", false, "transient"},
    {STRATEGY_LIVE_COPY, 11, encrypted, "disk-kind", false, "encrypted"},
    {STRATEGY_LIVE_COPY, 11, read_only, "disk-kind", false, "read-only"},
    {STRATEGY_LIVE_COPY, 11, shared_over_local, "disk-kind", false,
	"vda is on shared storage, over an image that is not"},
    {STRATEGY_LIVE_COPY, 12, unsurveyed, "disk-figures", true, "looked at yet"},
    {STRATEGY_LIVE_COPY, 12, unreadable, "disk-figures", false,
	"could not be read"},
    {STRATEGY_LIVE_COPY, 12, odd_format, "disk-figures", false, "format vmdk"},
    {STRATEGY_LIVE_COPY, 13, no_pool, "target-pool", false,
	"kvm2 has no active pool images, nor one at /pool"},
    {STRATEGY_LIVE_COPY, 13, pool_off, "target-pool", false,
	"virsh -c qemu+tls://kvm2.example.org/system pool-start images"},
    {STRATEGY_LIVE_COPY, 13, pool_of_blocks, "target-pool", false,
	"pool images of kvm2 is of type logical, which holds no files"},
    {STRATEGY_LIVE_COPY, 13, pools_unknown, "target-pool", false,
	"unknown which pools kvm2 has"},
    {STRATEGY_LIVE_COPY, 14, one_name_twice, "volume-taken", false,
	"vda and vdb would both be web1.qcow2 in pool images of kvm2"},
    {STRATEGY_LIVE_COPY, 14, kept_of_another, "volume-taken", false,
	"still keeps web1.qcow2 of another guest (bbbb)"},
    {STRATEGY_LIVE_COPY, 15, no_room, "pool-room", false,
	"needs 2.0 GiB in pool images, 512.0 MiB available of 100.0 GiB"},
    {STRATEGY_LIVE_COPY, 15, no_room_yet, "pool-room", true,
	"(49.5 GiB of it taken by moves to it)"},
    {STRATEGY_LIVE_COPY, 15, room_unknown, "pool-room", false,
	"unknown how much room"},
    {STRATEGY_LIVE_COPY, 17, cpu_unasked, "abi-unknown", true, "not said yet"},
    {STRATEGY_LIVE_COPY, 18, unsampled, "dirty-rate", true,
	"has not been measured yet"},

    {STRATEGY_RESTART, 1, not_wanted, "not-allowed", false, "night"},
    {STRATEGY_RESTART, 2, off_and_left, "stopped", false,
	"select.include_stopped"},
    {STRATEGY_RESTART, 3, transient_guest, "transient", false,
	"nothing to start"},
    {STRATEGY_RESTART, 4, anchored, "anchored", false, "TPM passthrough"},
    {STRATEGY_RESTART, 5, has_snapshots, "snapshots", false, "2 snapshots"},
    {STRATEGY_RESTART, 5, has_checkpoints, "snapshots", false, "1 checkpoint,"},
    {STRATEGY_RESTART, 5, metadata_unknown, "snapshots", false, "unknown"},
    {STRATEGY_RESTART, 6, saved, "managed-save", false,
	"virsh managedsave-remove"},
    {STRATEGY_RESTART, 7, comes_back, "on-poweroff", false, "not stay off"},
    {STRATEGY_RESTART, 8, defined_otherwise, "definition", false,
	"it runs with vdb (/b), which its definition does not have: a restart"},
    {STRATEGY_RESTART, 9, cpu_rejected, "cpu", false, "lacks avx512f"},
    {STRATEGY_RESTART, 10, medium_needed, "media", false, "/iso/a.iso"},
    {STRATEGY_RESTART, 11, marker_awaited, "storage-path", true, "yet"},
    {STRATEGY_RESTART, 11, elsewhere, "storage-path", false, "same path"},
    {STRATEGY_RESTART, 12, block_device, "disk-kind", false, "block device"},
    {STRATEGY_RESTART, 12, shareable, "disk-kind", false, "other guests"},
    {STRATEGY_RESTART, 12, transient_disk, "disk-kind", false, "transient"},
    {STRATEGY_RESTART, 13, unsurveyed, "disk-figures", true, "looked at yet"},
    {STRATEGY_RESTART, 14, local_over_local, "chain", false,
	"vda is a layer over an image that does not come along"},
    {STRATEGY_RESTART, 15, in_no_pool, "target-pool", false,
	"/pool/web1.qcow2 is in no active pool of kvm1"},
    {STRATEGY_RESTART, 15, no_pool, "target-pool", false, "no active pool"},
    {STRATEGY_RESTART, 16, kept_of_another, "volume-taken", false, "bbbb"},
    {STRATEGY_RESTART, 17, no_room, "pool-room", false, "needs 1.0 GiB"},
    {STRATEGY_RESTART, 18, cpu_unasked, "abi-unknown", true, "not said yet"},
};

START_TEST(each_rule_refuses_with_its_reason)
{
	const struct strategy_refusal *found;

	only(rules[_i].strategy);
	rules[_i].change();
	choose();
	ck_assert_msg(!result.found, "%s %d", strategy_name(rules[_i].strategy),
	    rules[_i].number);
	found = refusal(rules[_i].strategy);
	ck_assert_ptr_nonnull(found);
	ck_assert_msg(strcmp(found->rule, rules[_i].rule) == 0, "%s %d: %s: %s",
	    strategy_name(rules[_i].strategy), rules[_i].number, found->rule,
	    found->why);
	contains(found->why, rules[_i].why);
	ck_assert_int_eq(found->wait, rules[_i].wait);
	ck_assert_int_eq(result.wait, rules[_i].wait);
	ck_assert_uint_eq(result.refusal_count, STRATEGY_COUNT);
}
END_TEST

START_TEST(shared_storage_goes_live_without_a_copy)
{
	shared();
	choose();
	ck_assert(result.found);
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_SHARED);
	ck_assert_uint_eq(result.disk_count, 0);
	ck_assert(!result.strict);
	ck_assert_str_eq(refusal(STRATEGY_LIVE_COPY)->rule, "nothing-local");
	ck_assert_str_eq(refusal(STRATEGY_RESTART)->rule, "later");
	contains(refusal(STRATEGY_RESTART)->why, "live-shared comes first");
	ck_assert(result.predicted.converges);
	ck_assert_int_gt(result.predicted.time_ms, 0);
}
END_TEST

START_TEST(a_local_disk_is_copied_whole)
{
	const struct strategy_disk *disk;

	local_over_local();
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert(result.found && result.strict && !result.incremental);
	ck_assert_uint_eq(result.disk_count, 1);
	disk = &result.disks[0];
	ck_assert_str_eq(disk->target, "vda");
	ck_assert_str_eq(disk->path, "/pool/web1.qcow2");
	ck_assert_str_eq(disk->pool, "images");
	ck_assert_str_eq(disk->volume, "web1.qcow2");
	ck_assert_str_eq(disk->dest_path, "/pool/web1.qcow2");
	ck_assert_str_eq(disk->source_pool, "images");
	ck_assert_ptr_null(disk->backing);
	ck_assert(!disk->replace);
	ck_assert_int_eq(disk->capacity, 10 * GIB);
	/* Of both images. */
	ck_assert_int_eq(disk->allocation, 2 * GIB);
	ck_assert_int_eq(result.disk_bytes, 2 * GIB);
}
END_TEST

START_TEST(over_a_shared_base_only_what_is_above_is_copied)
{
	add_below("/srv/images/base.qcow2");
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert(result.incremental);
	ck_assert_str_eq(result.disks[0].backing, "/srv/images/base.qcow2");
	ck_assert_str_eq(result.disks[0].backing_format, "qcow2");
	ck_assert_int_eq(result.disks[0].allocation, GIB);

	only(STRATEGY_RESTART);
	choose();
	ck_assert(result.found && !result.incremental);
	ck_assert_str_eq(result.disks[0].backing, "/srv/images/base.qcow2");
}
END_TEST

START_TEST(one_chain_that_is_not_shared_makes_all_of_them_whole)
{
	add_below("/srv/images/base.qcow2");
	vm->disks[2] = vm->disks[0];
	vm->disks[2].target = "vdb";
	vm->disks[2].source = vm->disks[2].path_found = "/pool/b.qcow2";
	vm->disks[3] = vm->disks[1];
	vm->disks[3].target = "vdb, backing 1";
	vm->disks[3].source = "/pool/other.qcow2";
	vm->disk_count = 4;
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert(!result.incremental);
	ck_assert_uint_eq(result.disk_count, 2);
	ck_assert_ptr_null(result.disks[0].backing);
	ck_assert_int_eq(result.disk_bytes, 4 * GIB);
}
END_TEST

START_TEST(a_mixed_guest_takes_its_local_disks_along)
{
	vm->disks[1] = (struct snap_disk){.target = "vdb",
	    .kind = SNAP_DISK_FILE,
	    .source = "/srv/images/b.raw",
	    .cache = "none",
	    .format = "raw"};
	vm->disk_count = 2;
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert_uint_eq(result.disk_count, 1);
	ck_assert_int_eq(result.storage.class, STORAGE_MIXED);
	ck_assert(result.strict && result.unsafe_ok);
}
END_TEST

START_TEST(a_pool_of_another_path_changes_the_image_s_path)
{
	host("kvm2")->pools[0].path = "/data";
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert_str_eq(result.disks[0].dest_path, "/data/web1.qcow2");
}
END_TEST

START_TEST(a_pool_of_another_name_at_the_same_path_will_do)
{
	host("kvm2")->pools[0].name = "other";
	proof.pool_b = "other";
	wish.count = 2;
	strategy_choose(world.arena, &world.settings, &world.s, host("kvm2"),
	    vm, &wish, NULL, NULL, &result);
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert_str_eq(result.disks[0].pool, "other");
}
END_TEST

START_TEST(what_we_left_there_of_this_guest_is_replaced)
{
	kept_of_another();
	leftover.uuid = vm->uuid;
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert(result.disks[0].replace);
	/* Elsewhere it is not in the way. */
	leftover.host = "kvm1";
	choose();
	ck_assert(!result.disks[0].replace);
}
END_TEST

START_TEST(an_optional_medium_stays_behind)
{
	add_medium(true);
	know_medium(SNAP_VERDICT_REJECTED);
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_COPY);
	ck_assert_uint_eq(result.eject_count, 1);
	ck_assert_str_eq(result.ejects[0], "sda");
	/* It is there: it comes along. */
	know_medium(SNAP_VERDICT_OK);
	choose();
	ck_assert_uint_eq(result.eject_count, 0);
}
END_TEST

START_TEST(a_cpu_of_its_host_is_another_one_after_a_restart)
{
	cpu_rejected();
	vm->abi.cpu_mode = "host-passthrough";
	choose();
	ck_assert(result.found);
	ck_assert_int_eq(result.strategy, STRATEGY_RESTART);
	ck_assert_int_eq(result.disks[0].allocation, GIB);
	ck_assert_str_eq(refusal(STRATEGY_LIVE_COPY)->rule, "cpu");
	/* While it runs, "the host's model" has a name; its definition tells. */
	vm->abi.cpu_mode = NULL;
	choose();
	ck_assert(!result.found);
	vm->defined_cpu_mode = "host-model";
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_RESTART);
	ck_assert(result.predicted.converges);
	ck_assert_int_gt(result.predicted.downtime_ms, 0);
}
END_TEST

START_TEST(a_guest_that_is_off_is_restarted_without_a_start)
{
	vm->state = DOMAIN_SHUTOFF;
	vm->restarts_on_poweroff = true;
	cpu_unasked();
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_RESTART);
	ck_assert_int_eq(result.predicted.downtime_ms, 0);
	ck_assert_str_eq(refusal(STRATEGY_LIVE_SHARED)->rule, "not-running");
}
END_TEST

START_TEST(what_may_still_pass_holds_back_what_is_wanted_less)
{
	/* A restart would do, and nobody knows yet whether it must be one. */
	unsurveyed();
	shared();
	marker_awaited();
	cpu_unasked();
	vm->abi.cpu_mode = "host-passthrough";
	choose();
	ck_assert(!result.found && result.wait);
	ck_assert_uint_eq(result.rank, 0);
	ck_assert_str_eq(refusal(STRATEGY_LIVE_SHARED)->rule, "abi-unknown");
	ck_assert_str_eq(refusal(STRATEGY_RESTART)->rule, "later");
	contains(refusal(STRATEGY_RESTART)->why,
	    "live-shared comes first and may be so too");
	/* Wanted first, it does not wait. */
	wish.order[0] = STRATEGY_RESTART;
	wish.order[2] = STRATEGY_LIVE_SHARED;
	choose();
	ck_assert(result.found);
	ck_assert_int_eq(result.strategy, STRATEGY_RESTART);
}
END_TEST

START_TEST(the_order_is_the_policy_s)
{
	struct policy policy = {.name = "night",
	    .strategies = {STRATEGY_RESTART, STRATEGY_LIVE_COPY},
	    .strategy_count = 2,
	    .bandwidth = 1000};

	world.settings.limits.bandwidth = 500;
	wish = strategy_wish_of(&world.settings, &policy);
	ck_assert_uint_eq(wish.count, 2);
	ck_assert(!wish.include_stopped);
	ck_assert_int_eq(wish.bandwidth, 500);
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_RESTART);
	ck_assert_str_eq(refusal(STRATEGY_LIVE_SHARED)->rule, "not-allowed");
	ck_assert_str_eq(refusal(STRATEGY_LIVE_COPY)->rule, "later");
}
END_TEST

START_TEST(libvirt_s_test_is_overruled_only_with_own_proof_and_reason)
{
	shared();
	vm->disks[0].cache = "none";
	choose();
	ck_assert(result.unsafe_ok);
	/* libvirt has the last word; it may well say yes. */
	vm->relabels = true;
	choose();
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_SHARED);
	ck_assert(!result.unsafe_ok);
	contains(result.storage.unsafe, "dynamic_ownership");
}
END_TEST

START_TEST(the_forecast_goes_by_the_link)
{
	int64_t slow;

	shared();
	vm->memory = GIB;
	wish.bandwidth = 10000000;
	choose();
	slow = result.predicted.time_ms;
	ck_assert_int_gt(slow, 100000);
	wish.bandwidth = 0;
	host("kvm2")->link_rate = 1000000000;
	choose();
	ck_assert_int_lt(result.predicted.time_ms, slow / 20);
	/* It writes faster than can be sent: known before it begins. */
	vm->dirty_rate = 2000000000;
	choose();
	ck_assert(!result.predicted.converges);
	ck_assert_int_gt(result.predicted.forced_downtime_ms, 300);
}
END_TEST

START_TEST(the_forecast_goes_by_what_is_used_and_what_is_to_be_corrected)
{
	int64_t all, downtime;

	shared();
	vm->memory = 4 * GIB;
	vm->dirty_rate = 0;
	host("kvm2")->link_rate = 100000000;
	choose();
	all = result.predicted.time_ms;
	vm->memory_rss = GIB;
	choose();
	ck_assert_int_lt(result.predicted.time_ms, all / 3);
	/* More than it has is QEMU's own. */
	vm->memory_rss = 5 * GIB;
	choose();
	ck_assert_int_eq(result.predicted.time_ms, all);
	downtime = result.predicted.downtime_ms;
	world.s.corrections[STRATEGY_LIVE_SHARED] =
	    (struct snap_correction){700, -M_LN2};
	world.s.corrections[STRATEGY_RESTART] =
	    (struct snap_correction){5000, 1};
	choose();
	ck_assert_int_eq(result.predicted.time_ms, all + 700);
	ck_assert_int_eq(result.predicted.downtime_ms,
	    PREDICT_SWITCH_MS + (downtime - PREDICT_SWITCH_MS) / 2);
	/* Nothing takes no time at all. */
	world.s.corrections[STRATEGY_LIVE_SHARED].downtime_ln = -30;
	choose();
	ck_assert_int_gt(result.predicted.downtime_ms, 0);
	/* Nor less than half of what its copying takes. */
	world.s.corrections[STRATEGY_LIVE_SHARED].time_ms = -INT64_C(9000000);
	choose();
	ck_assert_int_eq(result.predicted.time_ms, all - all / 2);
}
END_TEST

START_TEST(who_asks_by_hand_does_not_wait_for_a_sample)
{
	shared();
	vm->unsampled = true;
	choose();
	ck_assert(!result.found);
	ck_assert(result.wait);
	wish.at_once = true;
	choose();
	ck_assert(result.found);
	ck_assert_int_eq(result.strategy, STRATEGY_LIVE_SHARED);
}
END_TEST

START_TEST(help_that_the_policy_allows_is_foretold)
{
	shared();
	vm->memory = GIB;
	vm->dirty_rate = 150000000;
	host("kvm2")->link_rate = 100000000;
	wish.converge = (struct converge_policy){0};
	choose();
	ck_assert(result.found);
	ck_assert_int_eq(result.predicted.time_ms, -1);
	wish.converge = (struct converge_policy){
	    .rungs = CONVERGE_DOWNTIME, .max_downtime_ms = 10000};
	choose();
	ck_assert_int_gt(result.predicted.time_ms, 10000);
	ck_assert_uint_eq(result.predicted.rungs, CONVERGE_DOWNTIME);
}
END_TEST

START_TEST(reasons_of_several_strategies_are_told_once)
{
	only(STRATEGY_LIVE_SHARED);
	cpu_rejected();
	choose();
	ck_assert_str_eq(
	    strategy_words(world.arena, &result), "its CPU lacks avx512f");
	wish = strategy_wish_of(&world.settings, NULL);
	vm->persistent = false;
	choose();
	ck_assert_str_eq(strategy_words(world.arena, &result),
	    "live-shared, live-copy: its CPU lacks avx512f; restart: it is "
	    "transient: once it is off there is nothing to start");
}
END_TEST

START_TEST(names_are_read_back)
{
	enum strategy strategy;

	for (int i = 0; i < STRATEGY_COUNT; i++) {
		ck_assert(
		    strategy_parse(strategy_name((enum strategy)i), &strategy));
		ck_assert_int_eq(strategy, i);
	}
	ck_assert(!strategy_parse("live", &strategy));
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("strategy");
	TCase *tc = tcase_create("strategy");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, each_rule_refuses_with_its_reason, 0, ROWS(rules));
	tcase_add_test(tc, shared_storage_goes_live_without_a_copy);
	tcase_add_test(tc, a_local_disk_is_copied_whole);
	tcase_add_test(tc, over_a_shared_base_only_what_is_above_is_copied);
	tcase_add_test(
	    tc, one_chain_that_is_not_shared_makes_all_of_them_whole);
	tcase_add_test(tc, a_mixed_guest_takes_its_local_disks_along);
	tcase_add_test(tc, a_pool_of_another_path_changes_the_image_s_path);
	tcase_add_test(tc, a_pool_of_another_name_at_the_same_path_will_do);
	tcase_add_test(tc, what_we_left_there_of_this_guest_is_replaced);
	tcase_add_test(tc, an_optional_medium_stays_behind);
	tcase_add_test(tc, a_cpu_of_its_host_is_another_one_after_a_restart);
	tcase_add_test(tc, a_guest_that_is_off_is_restarted_without_a_start);
	tcase_add_test(tc, what_may_still_pass_holds_back_what_is_wanted_less);
	tcase_add_test(tc, the_order_is_the_policy_s);
	tcase_add_test(
	    tc, libvirt_s_test_is_overruled_only_with_own_proof_and_reason);
	tcase_add_test(tc, the_forecast_goes_by_the_link);
	tcase_add_test(
	    tc, the_forecast_goes_by_what_is_used_and_what_is_to_be_corrected);
	tcase_add_test(tc, who_asks_by_hand_does_not_wait_for_a_sample);
	tcase_add_test(tc, help_that_the_policy_allows_is_foretold);
	tcase_add_test(tc, reasons_of_several_strategies_are_told_once);
	tcase_add_test(tc, names_are_read_back);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
