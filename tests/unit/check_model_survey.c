/*
 * What surveys and markers told: how long it is taken for true, and who is to
 * be asked again.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "model/inventory.h"

#define A "aaaaaaaa-0000-0000-0000-000000000001"
#define MINUTE 60000

static struct inventory *inventory;
static struct snapshot *s;
static int64_t now_ms;

static struct settings_host hosts[] = {
    {.name = "kvm1", .uri = "qemu+tcp://10.0.0.1/system"},
    {.name = "kvm2", .uri = "qemu+tcp://10.0.0.2/system"},
};

static void
setup(void)
{
	struct settings settings = {.hosts = hosts, .host_count = 2};

	inventory = inventory_new();
	inventory_configure(inventory, &settings);
	now_ms = MINUTE;
	s = NULL;
}

static void
teardown(void)
{
	snapshot_free(s);
	inventory_free(inventory);
}

static struct snapshot *
look(void)
{
	snapshot_free(s);
	s = inventory_snapshot(inventory, NULL, 0, NULL, 0,
	    (struct mono){now_ms}, (struct wall){0});
	return s;
}

static void *
make(size_t count, size_t size)
{
	void *p = calloc(count, size);

	ck_assert_ptr_nonnull(p);
	return p;
}

static char *
copy(const char *text)
{
	char *result = strdup(text);

	ck_assert_ptr_nonnull(result);
	return result;
}

static bool
apply(const char *host, struct inventory_event event)
{
	event.host = host;
	event.now = (struct mono){now_ms};
	return inventory_apply(inventory, &event);
}

/* Guest A with this disk and so much memory. */
static void
fill_domain(struct facts_domain *domain, const char *disk, int memory)
{
	char xml[1024];

	snprintf(xml, sizeof(xml),
	    "<domain type='kvm'><name>web1</name><memory "
	    "unit='KiB'>%d</memory><devices>%s</devices></domain>",
	    memory, disk);
	*domain = (struct facts_domain){.name = copy("web1"),
	    .uuid = copy(A),
	    .state = DOMAIN_RUNNING,
	    .persistent = true,
	    .xml = copy(xml)};
}

#define DISK(source)                                                           \
	"<disk type='file' device='disk'><source file='" source                \
	"'/><target dev='vda'/></disk>"
#define IMAGE DISK("/pool/web1.qcow2")

static bool
read_domain(const char *disk, int memory, enum domain_state state)
{
	struct facts_domain *domain = make(1, sizeof(*domain));

	fill_domain(domain, disk, memory);
	domain->state = state;
	return apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_DOMAIN_READ, .domain = domain});
}

/* The host with a pool of this path, and on kvm1 guest A. */
static void
list(const char *host, const char *path)
{
	struct facts_host *facts = make(1, sizeof(*facts));
	char xml[256];

	snprintf(xml, sizeof(xml),
	    "<pool type='dir'><target><path>%s</path></target></pool>", path);
	facts->pools_known = true;
	facts->pools = make(1, sizeof(facts->pools[0]));
	facts->pools[0] =
	    (struct facts_pool){copy("images"), true, copy(xml), 10, 5, 5};
	facts->pool_count = 1;
	if (strcmp(host, "kvm1") == 0) {
		facts->domains = make(1, sizeof(facts->domains[0]));
		facts->domain_count = 1;
		fill_domain(&facts->domains[0], IMAGE, 1024);
	}
	apply(host,
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = facts});
}

static bool
survey(const char *path, int64_t allocation, int64_t dirty_rate)
{
	struct facts_survey *facts = make(1, sizeof(*facts));

	facts->uuid = copy(A);
	facts->dirty_rate = dirty_rate;
	facts->memory_rss = dirty_rate != FACTS_UNKNOWN ? dirty_rate * 1000 : 0;
	facts->disks = make(1, sizeof(facts->disks[0]));
	facts->disk_count = 1;
	facts->disks[0] = (struct facts_disk){.target = copy("vda"),
	    .path = copy(path),
	    .format = copy("qcow2"),
	    .pool = copy("images"),
	    .volume = copy("web1.qcow2"),
	    .capacity = 1000,
	    .allocation = allocation,
	    .top_allocation = allocation,
	    .backing = copy("/pool/base.qcow2"),
	    .backing_format = copy("qcow2")};
	return apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_SURVEYED, .survey = facts});
}

static void
count_guest(const char *host, const struct snap_vm *vm, void *arg)
{
	ck_assert_str_eq(host, "kvm1");
	ck_assert_str_eq(vm->uuid, A);
	++*(int *)arg;
}

static int
unsurveyed(void)
{
	int count = 0;

	inventory_each_unsurveyed(
	    inventory, (struct mono){now_ms}, 5 * MINUTE, count_guest, &count);
	return count;
}

static int
unsampled(void)
{
	int count = 0;

	inventory_each_unsampled(
	    inventory, (struct mono){now_ms}, 5 * MINUTE, count_guest, &count);
	return count;
}

static void
sample(int64_t rate, int64_t window_ms)
{
	struct facts_survey *facts = make(1, sizeof(*facts));

	facts->uuid = copy(A);
	facts->dirty_rate = rate;
	facts->dirty_window_ms = window_ms;
	apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_SURVEYED, .survey = facts});
}

START_TEST(a_survey_gives_the_disks_their_figures)
{
	const struct snap_disk *disk;

	list("kvm1", "/pool");
	disk = look()->vms[0].disks;
	ck_assert(!s->vms[0].surveyed);
	ck_assert_int_eq(disk->capacity, SNAPSHOT_UNKNOWN);
	ck_assert_int_eq(disk->allocation, SNAPSHOT_UNKNOWN);
	ck_assert_int_eq(s->vms[0].dirty_rate, SNAPSHOT_UNKNOWN);

	ck_assert(survey("/pool/web1.qcow2", 400, 7));
	disk = look()->vms[0].disks;
	ck_assert(s->vms[0].surveyed);
	ck_assert_int_eq(disk->capacity, 1000);
	ck_assert_int_eq(disk->allocation, 400);
	ck_assert_str_eq(disk->format, "qcow2");
	ck_assert_str_eq(disk->pool_found, "images");
	ck_assert_str_eq(disk->volume_found, "web1.qcow2");
	ck_assert_str_eq(disk->backing_found, "/pool/base.qcow2");
	ck_assert_int_eq(s->vms[0].dirty_rate, 7);
	ck_assert_int_eq(s->vms[0].dirty_at.ms, now_ms);
	ck_assert_int_eq(s->vms[0].memory_rss, 7000);

	/* The same again is no news; grown is. */
	ck_assert(!survey("/pool/web1.qcow2", 400, 9));
	ck_assert(survey("/pool/web1.qcow2", 500, FACTS_UNKNOWN));
	ck_assert_int_eq(look()->vms[0].dirty_rate, 9);
	ck_assert_int_eq(s->vms[0].memory_rss, 9000);
}
END_TEST

START_TEST(a_survey_of_another_image_says_nothing)
{
	list("kvm1", "/pool");
	survey("/pool/other.qcow2", 400, FACTS_UNKNOWN);
	ck_assert_int_eq(look()->vms[0].disks[0].allocation, SNAPSHOT_UNKNOWN);
}
END_TEST

START_TEST(figures_hold_as_long_as_the_guest_has_these_images)
{
	list("kvm1", "/pool");
	survey("/pool/web1.qcow2", 400, 7);
	/* More memory, the same disk. */
	read_domain(IMAGE, 2048, DOMAIN_RUNNING);
	ck_assert(look()->vms[0].surveyed);
	ck_assert_int_eq(s->vms[0].disks[0].allocation, 400);
	ck_assert_int_eq(s->vms[0].dirty_rate, 7);
	ck_assert_int_eq(unsurveyed(), 0);
	/* A layer on top. */
	read_domain(DISK("/pool/web1.layer"), 2048, DOMAIN_RUNNING);
	ck_assert(!look()->vms[0].surveyed);
	ck_assert_int_eq(s->vms[0].disks[0].allocation, SNAPSHOT_UNKNOWN);
	ck_assert_int_eq(unsurveyed(), 1);
	/* And back again: it may have grown. */
	read_domain(IMAGE, 2048, DOMAIN_RUNNING);
	ck_assert(!look()->vms[0].surveyed);
}
END_TEST

START_TEST(figures_go_with_the_guest)
{
	list("kvm1", "/pool");
	survey("/pool/web1.qcow2", 400, 7);
	apply("kvm1",
	    (struct inventory_event){.news = INVENTORY_DOMAIN_GONE, .uuid = A});
	ck_assert(!survey("/pool/web1.qcow2", 400, 7));
	read_domain(IMAGE, 1024, DOMAIN_RUNNING);
	ck_assert(!look()->vms[0].surveyed);
}
END_TEST

/* As a move does: it writes there as it did here, until that was measured. */
START_TEST(how_fast_it_writes_goes_with_the_guest)
{
	list("kvm1", "/pool");
	survey("/pool/web1.qcow2", 400, 7);
	apply("kvm1",
	    (struct inventory_event){.news = INVENTORY_SAMPLED, .uuid = A});
	apply("kvm1",
	    (struct inventory_event){.news = INVENTORY_DOMAIN_GONE, .uuid = A});
	read_domain(IMAGE, 1024, DOMAIN_RUNNING);
	ck_assert_int_eq(look()->vms[0].dirty_rate, 7);
	ck_assert_int_eq(s->vms[0].memory_rss, 7000);
	ck_assert(!s->vms[0].unsampled);
	ck_assert_int_eq(unsampled(), 1);
}
END_TEST

START_TEST(a_guest_that_stops_writes_no_memory)
{
	list("kvm1", "/pool");
	survey("/pool/web1.qcow2", 400, 7);
	read_domain(IMAGE, 1024, DOMAIN_SHUTOFF);
	ck_assert_int_eq(look()->vms[0].dirty_rate, SNAPSHOT_UNKNOWN);
	ck_assert(s->vms[0].surveyed);
	ck_assert_int_eq(unsampled(), 0);
	read_domain(IMAGE, 1024, DOMAIN_RUNNING);
	ck_assert_int_eq(unsampled(), 1);
}
END_TEST

/* Whether it could be measured or not. */
START_TEST(a_guest_is_unsampled_until_there_was_a_try)
{
	struct inventory_event tried = {.news = INVENTORY_SAMPLED, .uuid = A};

	list("kvm1", "/pool");
	ck_assert(look()->vms[0].unsampled);
	survey("/pool/web1.qcow2", 400, FACTS_UNKNOWN);
	ck_assert(look()->vms[0].unsampled);
	ck_assert(apply("kvm1", tried));
	ck_assert(!look()->vms[0].unsampled);
	ck_assert(!apply("kvm1", tried));

	read_domain(IMAGE, 1024, DOMAIN_SHUTOFF);
	ck_assert(!look()->vms[0].unsampled);
	read_domain(IMAGE, 1024, DOMAIN_RUNNING);
	ck_assert(look()->vms[0].unsampled);
	tried.uuid = "ffffffff-0000-0000-0000-000000000000";
	ck_assert(!apply("kvm1", tried));
}
END_TEST

START_TEST(who_was_not_asked_for_long_is_asked_again)
{
	list("kvm1", "/pool");
	ck_assert_int_eq(unsurveyed(), 1);
	ck_assert_int_eq(unsampled(), 1);
	survey("/pool/web1.qcow2", 400, FACTS_UNKNOWN);
	ck_assert_int_eq(unsurveyed(), 0);
	ck_assert_int_eq(unsampled(), 1);
	survey("/pool/web1.qcow2", 400, 7);
	sample(7, FACTS_SAMPLE_LONG_MS);
	survey("/pool/web1.qcow2", 400, FACTS_UNKNOWN);
	ck_assert_int_eq(unsampled(), 0);
	now_ms += 5 * MINUTE;
	ck_assert_int_eq(unsurveyed(), 1);
	ck_assert_int_eq(unsampled(), 1);
	apply("kvm1", (struct inventory_event){.news = INVENTORY_HOST_LOST});
	ck_assert_int_eq(unsurveyed(), 0);
	ck_assert_int_eq(unsampled(), 0);
}
END_TEST

/* What was started a moment ago writes otherwise than it will. */
START_TEST(first_samples_hold_for_a_short_time)
{
	int64_t age = 10000;

	list("kvm1", "/pool");
	for (int i = 0; i < 20; i++) {
		survey("/pool/web1.qcow2", 400, 7);
		sample(7, FACTS_SAMPLE_LONG_MS);
		now_ms += age - 1;
		ck_assert_int_eq(unsampled(), 0);
		now_ms += 1;
		ck_assert_int_eq(unsampled(), 1);
		age = age * 2 < 5 * MINUTE ? age * 2 : 5 * MINUTE;
	}
	read_domain(IMAGE, 1024, DOMAIN_SHUTOFF);
	read_domain(IMAGE, 1024, DOMAIN_RUNNING);
	survey("/pool/web1.qcow2", 400, 7);
	now_ms += 10000;
	ck_assert_int_eq(unsampled(), 1);
}
END_TEST

START_TEST(each_short_sample_is_followed_by_a_long_one)
{
	list("kvm1", "/pool");
	sample(800, FACTS_SAMPLE_MS);
	ck_assert(snapshot_wants_long_sample(&look()->vms[0]));
	ck_assert_int_eq(unsampled(), 1);
	now_ms++;
	sample(400, FACTS_SAMPLE_LONG_MS);
	ck_assert(!snapshot_wants_long_sample(&look()->vms[0]));
	ck_assert_int_eq(s->vms[0].dirty_rate, 800);
	ck_assert_int_eq(s->vms[0].dirty_rate_long, 400);
	ck_assert_int_eq(unsampled(), 0);
	now_ms += 10000;
	sample(100, FACTS_SAMPLE_MS);
	sample(100, FACTS_SAMPLE_MS);
	/* By then it has settled, and each new one counts for a half. */
	sample(700, FACTS_SAMPLE_MS);
	ck_assert_int_eq(look()->vms[0].dirty_rate, 400);
	ck_assert(snapshot_wants_long_sample(&s->vms[0]));
}
END_TEST

START_TEST(a_guest_with_network_disks_only_has_no_figures_to_find)
{
	list("kvm1", "/pool");
	read_domain(
	    "<disk type='network' device='disk'><source protocol='rbd' "
	    "name='p/i'><host name='ceph'/></source><target dev='vda'/></disk>"
	    "<disk type='file' device='cdrom'><target dev='sda'/></disk>",
	    1024, DOMAIN_RUNNING);
	ck_assert(look()->vms[0].surveyed);
	ck_assert_int_eq(unsurveyed(), 0);
}
END_TEST

static bool
prove(const char *a, const char *b, enum snap_verdict same)
{
	const struct snap_proof proof = {a, "images", b, "images", same};

	return apply(a,
	    (struct inventory_event){
		.news = INVENTORY_PROVEN, .proof = &proof});
}

START_TEST(a_proof_is_one_from_either_side)
{
	list("kvm1", "/pool");
	list("kvm2", "/other");
	ck_assert(prove("kvm2", "kvm1", SNAP_VERDICT_OK));
	ck_assert_uint_eq(look()->proof_count, 1);
	ck_assert_str_eq(s->proofs[0].host_a, "kvm1");
	ck_assert_str_eq(s->proofs[0].host_b, "kvm2");
	ck_assert_int_eq(s->proofs[0].same, SNAP_VERDICT_OK);
	ck_assert(!prove("kvm1", "kvm2", SNAP_VERDICT_OK));
	ck_assert(prove("kvm1", "kvm2", SNAP_VERDICT_REJECTED));
	ck_assert_uint_eq(look()->proof_count, 1);
	ck_assert_int_eq(s->proofs[0].same, SNAP_VERDICT_REJECTED);
	ck_assert(prove("kvm1", "kvm2", SNAP_VERDICT_UNKNOWN));
	ck_assert_uint_eq(look()->proof_count, 0);
}
END_TEST

START_TEST(a_proof_ends_with_what_it_was_made_of)
{
	list("kvm1", "/pool");
	list("kvm2", "/pool");
	prove("kvm1", "kvm2", SNAP_VERDICT_OK);
	list("kvm1", "/pool");
	list("kvm2", "/pool");
	ck_assert_uint_eq(look()->proof_count, 1);
	list("kvm2", "/elsewhere");
	ck_assert_uint_eq(look()->proof_count, 0);

	prove("kvm1", "kvm2", SNAP_VERDICT_OK);
	ck_assert(apply(
	    "kvm1", (struct inventory_event){.news = INVENTORY_HOST_LOST}));
	ck_assert_uint_eq(look()->proof_count, 0);
	/* An answer that comes too late. */
	ck_assert(!prove("kvm1", "kvm2", SNAP_VERDICT_OK));
	ck_assert_uint_eq(look()->proof_count, 0);
}
END_TEST

START_TEST(a_proof_about_an_unknown_pool_or_host_is_none)
{
	const struct snap_proof proof = {
	    "kvm1", "none", "kvm2", "images", SNAP_VERDICT_OK};

	list("kvm1", "/pool");
	list("kvm2", "/pool");
	ck_assert(!apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_PROVEN, .proof = &proof}));
	ck_assert(!prove("kvm1", "kvm9", SNAP_VERDICT_OK));
	ck_assert(!prove("kvm1", "kvm1", SNAP_VERDICT_OK));
	ck_assert_uint_eq(look()->proof_count, 0);
}
END_TEST

static void
count_medium(const char *host, const char *path, void *arg)
{
	ck_assert_str_eq(host, "kvm2");
	ck_assert_str_eq(path, "/iso/a.iso");
	++*(int *)arg;
}

static int
unseen(void)
{
	int count = 0;

	inventory_each_unseen_file(
	    inventory, (struct mono){now_ms}, 5 * MINUTE, count_medium, &count);
	return count;
}

START_TEST(other_hosts_are_asked_for_the_media_in_drives)
{
	list("kvm1", "/pool");
	list("kvm2", "/pool");
	ck_assert_int_eq(unseen(), 0);
	read_domain("<disk type='file' device='cdrom'><source "
		    "file='/iso/a.iso'/><target dev='sda'/></disk>",
	    1024, DOMAIN_RUNNING);
	ck_assert_int_eq(unseen(), 1);
	ck_assert(apply("kvm2",
	    (struct inventory_event){.news = INVENTORY_FILE_SEEN,
		.key = "/iso/a.iso",
		.verdict = SNAP_VERDICT_OK}));
	ck_assert_int_eq(unseen(), 0);
	ck_assert_uint_eq(look()->hosts[1].file_count, 1);
	ck_assert_str_eq(s->hosts[1].files[0].path, "/iso/a.iso");
	ck_assert_int_eq(s->hosts[1].files[0].there, SNAP_VERDICT_OK);
	now_ms += 5 * MINUTE;
	ck_assert_int_eq(unseen(), 1);
	ck_assert(apply("kvm2",
	    (struct inventory_event){.news = INVENTORY_FILE_SEEN,
		.key = "/iso/a.iso",
		.verdict = SNAP_VERDICT_REJECTED}));
	ck_assert_int_eq(unseen(), 0);
	apply("kvm2", (struct inventory_event){.news = INVENTORY_HOST_LOST});
	ck_assert_uint_eq(look()->hosts[1].file_count, 0);
}
END_TEST

START_TEST(leftovers_are_the_snapshots_own)
{
	char path[] = "/pool/web1.qcow2";
	struct snap_leftover leftover = {
	    "kvm2", "images", "web1.qcow2", path, A};

	snapshot_set_leftovers(look(), &leftover, 1);
	path[0] = '!';
	ck_assert_uint_eq(s->leftover_count, 1);
	ck_assert_str_eq(s->leftovers[0].path, "/pool/web1.qcow2");
	ck_assert_str_eq(s->leftovers[0].uuid, A);
}
END_TEST

START_TEST(what_libvirt_keeps_of_a_guest_is_seen)
{
	struct facts_domain *domain = make(1, sizeof(*domain));

	list("kvm1", "/pool");
	fill_domain(domain, IMAGE, 1024);
	domain->snapshots = 2;
	domain->checkpoints = 1;
	domain->managed_save = true;
	ck_assert(apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_DOMAIN_READ, .domain = domain}));
	ck_assert_int_eq(look()->vms[0].snapshots, 2);
	ck_assert_int_eq(s->vms[0].checkpoints, 1);
	ck_assert(s->vms[0].managed_save);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("model_survey");
	TCase *tc = tcase_create("model_survey");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_survey_gives_the_disks_their_figures);
	tcase_add_test(tc, a_survey_of_another_image_says_nothing);
	tcase_add_test(tc, figures_hold_as_long_as_the_guest_has_these_images);
	tcase_add_test(tc, figures_go_with_the_guest);
	tcase_add_test(tc, how_fast_it_writes_goes_with_the_guest);
	tcase_add_test(tc, a_guest_that_stops_writes_no_memory);
	tcase_add_test(tc, a_guest_is_unsampled_until_there_was_a_try);
	tcase_add_test(tc, each_short_sample_is_followed_by_a_long_one);
	tcase_add_test(tc, first_samples_hold_for_a_short_time);
	tcase_add_test(tc, who_was_not_asked_for_long_is_asked_again);
	tcase_add_test(
	    tc, a_guest_with_network_disks_only_has_no_figures_to_find);
	tcase_add_test(tc, a_proof_is_one_from_either_side);
	tcase_add_test(tc, a_proof_ends_with_what_it_was_made_of);
	tcase_add_test(tc, a_proof_about_an_unknown_pool_or_host_is_none);
	tcase_add_test(tc, other_hosts_are_asked_for_the_media_in_drives);
	tcase_add_test(tc, leftovers_are_the_snapshots_own);
	tcase_add_test(tc, what_libvirt_keeps_of_a_guest_is_seen);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
