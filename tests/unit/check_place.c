/*
 * Where a guest goes, and why not elsewhere.  One row per step of the ladder,
 * with the numbers of place.c, and one per rule of the filters: each row
 * changes one thing in a site where all is well.
 *
 * The guest is web1 on kvm1, 8 GiB; without a change it goes to kvm2, by name.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "decide/place.h"
#include "world.h"

static struct world world;
static struct snap_vm *vm;
static struct place_ledger *ledger;
static struct strategy_wish wish;
static struct place_request request;
static struct place_choice choice;

static void
setup(void)
{
	world_init(&world, 4);
	vm = world_add_vm(&world, 0, "web1", 8 * GIB);
	ledger = NULL;
	/* One strategy; those that allow more set the count. */
	wish = strategy_wish_of(&world.settings, NULL);
	wish.count = 1;
	request = (struct place_request){.vm = vm, .retries = 3, .wish = &wish};
}

static void
teardown(void)
{
	world_clear(&world);
}

static struct snap_host *
host(const char *name)
{
	return &world.s.hosts[name[3] - '1'];
}

static void
choose(void)
{
	if (ledger == NULL)
		ledger = place_ledger_new(world.arena, &world.s);
	place_choose(
	    world.arena, &world.settings, &world.s, ledger, &request, &choice);
}

static void
contains(const char *text, const char *part)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(
	    strstr(text, part) != NULL, "\"%s\" in \"%s\"", part, text);
}

/* The ladder: kvm2 would win by name; the row makes another win. */

/* Has been so for long. */
static void
busy(const char *name, double cores)
{
	host(name)->cpu_used = cores;
	host(name)->cpu_smooth = cores;
}

static void
step_1(void)
{
	world_add_attempt(&world, vm, "kvm2", 1, "refused");
	world_add_attempt(&world, vm, "kvm3", 1, "refused");
	/* Whatever the later steps say. */
	busy("kvm4", 15);
}

static void
step_2(void)
{
	/* Only kvm4 accepts its CPU; elsewhere it gets another one. */
	wish.count = STRATEGY_COUNT;
	vm->abi.cpu_mode = "host-passthrough";
	host("kvm2")->verdicts[0].verdict = SNAP_VERDICT_REJECTED;
	host("kvm3")->verdicts[0].verdict = SNAP_VERDICT_REJECTED;
	busy("kvm4", 15);
	host("kvm4")->memory_free = 12 * GIB;
}

static void
step_3(void)
{
	request.prefer = "kvm4";
	/* Whatever the later steps say. */
	host("kvm4")->memory_free = 12 * GIB;
}

static void
step_6(void)
{
	host("kvm2")->memory_free = 12 * GIB;
	host("kvm3")->memory_free = 12 * GIB;
	busy("kvm4", 15);
}

static void
step_7(void)
{
	world_add_move(&world, world_add_vm(&world, 0, "web2", GIB), "kvm2");
	world_add_move(&world, world_add_vm(&world, 0, "web3", GIB), "kvm3");
	world_add_move(&world, world_add_vm(&world, 0, "web4", GIB), "kvm4");
	/* One of four is less than one of two. */
	host("kvm4")->inbound_limit = 4;
	busy("kvm4", 15);
}

static void
step_8(void)
{
	busy("kvm2", 8);
	busy("kvm3", 6);
	host("kvm4")->memory_free = 40 * GIB;
}

static void
step_8_unknown(void)
{
	busy("kvm2", NAN);
	busy("kvm3", NAN);
	busy("kvm4", 15);
}

static void
step_8_planned(void)
{
	ledger = place_ledger_new(world.arena, &world.s);
	ledger->cpu[1] = 3;
	ledger->cpu[2] = 3;
}

static void
step_9(void)
{
	host("kvm4")->memory_free = 61 * GIB;
	/* Within one band of CPU load, 25 to 29 %. */
	busy("kvm4", 4.5);
}

static void
step_10(void)
{
}

static const struct {
	const char *step;
	void (*change)(void);
	const char *target, *why;
} ladder[] = {
    {"1", step_1, "kvm4",
	"kvm4 rather than kvm2: fewer failed attempts "
	"there (0 against 1)"},
    {"2", step_2, "kvm4",
	"kvm4 rather than kvm2: live-shared is possible there, not only "
	"restart"},
    {"3", step_3, "kvm4", "kvm4 rather than kvm2: by the plan of the drain"},
    {"6", step_6, "kvm4",
	"kvm4 rather than kvm2: memory in use stays "
	"below 90 % (19 % against 94 %)"},
    {"7", step_7, "kvm4",
	"kvm4 rather than kvm2: fewer moves to it (1 "
	"against 1; limits 4 and 2)"},
    {"8", step_8, "kvm4",
	"kvm4 rather than kvm3: less CPU load (25 % "
	"against 37 %)"},
    {"8", step_8_unknown, "kvm4",
	"kvm4 rather than kvm2: its CPU load "
	"is known (93 %)"},
    {"8", step_8_planned, "kvm4",
	"kvm4 rather than kvm2: less CPU load "
	"(25 % against 43 %)"},
    {"9", step_9, "kvm4",
	"kvm4 rather than kvm2: more memory free after "
	"the move (82.6 % against 81.0 %)"},
    {"10", step_10, "kvm2",
	"kvm2 rather than kvm3: all else is equal, "
	"first by name"},
};

START_TEST(the_first_step_that_differs_decides)
{
	ladder[_i].change();
	choose();
	ck_assert_ptr_nonnull(choice.target);
	ck_assert_msg(strcmp(choice.target->name, ladder[_i].target) == 0,
	    "step %s: %s", ladder[_i].step, choice.why);
	ck_assert_str_eq(choice.why, ladder[_i].why);
	ck_assert_int_eq(choice.strategy.storage.class, STORAGE_SHARED);
}
END_TEST

/* The filters: the row makes kvm2 unfit; the other hosts stay fit. */

static void
rule_not_asked(void)
{
	request.only_to = "kvm3";
}

static void
rule_down(void)
{
	host("kvm2")->up = false;
	host("kvm2")->down_why = "connection refused";
}

static void
rule_never_listed(void)
{
	host("kvm2")->known = false;
}

static void
rule_silent(void)
{
	host("kvm2")->silent_ms = 7000;
}

static void
rule_claimed(void)
{
	host("kvm2")->claimed_by = "lab at adm2, process 77";
}

static void
rule_claim_open(void)
{
	host("kvm2")->claim_open = true;
}

static void
rule_maintenance(void)
{
	host("kvm2")->maintenance = true;
	host("kvm2")->cordoned = true;
	host("kvm2")->flag_why = "new memory";
}

static void
rule_cordoned(void)
{
	host("kvm2")->cordoned = true;
}

static void
rule_takes_none(void)
{
	host("kvm2")->inbound_limit = 0;
}

static void
rule_local_uri(void)
{
	host("kvm2")->uri_local = true;
	host("kvm2")->uri = "qemu:///system";
}

static void
rule_same_uuid(void)
{
	host("kvm2")->host_uuid = host("kvm1")->host_uuid;
}

static void
rule_name_taken(void)
{
	struct snap_vm *other = world_add_vm(&world, 1, "web1", GIB);

	other->state = DOMAIN_SHUTOFF;
	other->uuid = "bbbbbbbb-0000-0000-0000-000000000001";
}

static void
rule_left_over(void)
{
	struct snap_vm *other = world_add_vm(&world, 1, "web1", GIB);

	other->state = DOMAIN_SHUTOFF;
	other->uuid = vm->uuid;
}

static void
rule_twice(void)
{
	struct snap_vm *other = world_add_vm(&world, 1, "renamed", GIB);

	other->state = DOMAIN_PAUSED;
	other->uuid = vm->uuid;
}

static void
rule_no_network(void)
{
	vm->nics[0] = (struct snap_nic){SNAP_NIC_NETWORK, "default"};
	host("kvm2")->network_count = 0;
}

static void
rule_network_off(void)
{
	vm->nics[0] = (struct snap_nic){SNAP_NIC_NETWORK, "default"};
	host("kvm2")->networks[0].active = false;
}

static void
rule_networks_unknown(void)
{
	vm->nics[0] = (struct snap_nic){SNAP_NIC_NETWORK, "default"};
	host("kvm2")->networks_known = false;
}

static void
rule_no_bridge(void)
{
	host("kvm2")->interface_count = 0;
}

static void
rule_bridges_unknown(void)
{
	host("kvm2")->interfaces_known = false;
}

static void
rule_no_link(void)
{
	vm->nics[0] = (struct snap_nic){SNAP_NIC_DIRECT, "eno2"};
	for (int i = 2; i < 4; i++) {
		struct snap_host *other = &world.s.hosts[i];

		other->interfaces[other->interface_count++] = "eno2";
	}
}

static void
rule_machine(void)
{
	static const char *machines[] = {"pc-q35-6.2", "pc"};

	host("kvm2")->machines = machines;
	host("kvm2")->machine_count = 2;
}

static void
rule_cpu(void)
{
	host("kvm2")->verdicts[0].verdict = SNAP_VERDICT_REJECTED;
	host("kvm2")->verdicts[0].why = "its CPU lacks avx512f";
}

static void
rule_abi_unknown(void)
{
	host("kvm2")->verdict_count = 0;
}

static void
rule_memory(void)
{
	host("kvm2")->memory_free = 9 * GIB;
}

static void
rule_memory_booked(void)
{
	ledger = place_ledger_new(world.arena, &world.s);
	for (int i = 0; i < 3; i++)
		place_ledger_book(ledger, &world.s,
		    world_add_vm(&world, 0, "big", 17 * GIB), host("kvm2"),
		    NULL);
	busy("kvm3", 0);
}

static void
rule_memory_unknown(void)
{
	host("kvm2")->memory_free = SNAPSHOT_UNKNOWN;
}

static void
rule_firmware(void)
{
	static struct snap_file file = {
	    "/usr/share/OVMF/CODE.fd", SNAP_VERDICT_REJECTED};
	static const char *files[] = {"/usr/share/OVMF/CODE.fd"};

	vm->files = files;
	vm->file_count = 1;
	vm->secure_boot = true;
	host("kvm2")->files = &file;
	host("kvm2")->file_count = 1;
}

static void
rule_hugepages(void)
{
	static const struct facts_pages few = {2 << 20, 4 * GIB};
	static const struct facts_pages many = {2 << 20, 8 * GIB};
	static const struct facts_pages others = {1 << 30, 8 * GIB};

	vm->hugepages = true;
	vm->hugepage_size = 2 << 20;
	host("kvm2")->hugepages_free = 12 * GIB;
	host("kvm2")->pages[host("kvm2")->page_count++] = few;
	host("kvm2")->pages[host("kvm2")->page_count++] = others;
	host("kvm3")->hugepages_free = 8 * GIB;
	host("kvm3")->pages[host("kvm3")->page_count++] = many;
	host("kvm4")->hugepages_free = SNAPSHOT_UNKNOWN;
}

static void
rule_storage(void)
{
	vm->disks[0].source = "/var/lib/libvirt/images/web1.qcow2";
	for (int i = 0; i < 4; i++) {
		struct snap_host *each = &world.s.hosts[i];

		each->pools[each->pool_count++] =
		    (struct snap_pool){"images", i != 1, "netfs",
			"/var/lib/libvirt/images", "nfs://nas/vms", 0, 0};
	}
}

static const struct {
	enum place_rule rule;
	void (*change)(void);
	const char *why;
} rules[] = {
    {PLACE_NOT_ASKED, rule_not_asked, "only kvm3 was asked for"},
    {PLACE_HOST_DOWN, rule_down, "not connected: connection refused"},
    {PLACE_HOST_DOWN, rule_never_listed, "not listed yet"},
    {PLACE_HOST_SILENT, rule_silent, "has not answered for 7.0 s"},
    {PLACE_CLAIMED, rule_claimed,
	"another droverd acts on it (lab at adm2, process 77): stop one of "
	"the two"},
    {PLACE_CLAIMED, rule_claim_open,
	"not known yet whether another droverd acts on it"},
    {PLACE_MAINTENANCE, rule_maintenance, "in maintenance (new memory)"},
    {PLACE_CORDONED, rule_cordoned, "cordoned"},
    {PLACE_CORDONED, rule_takes_none,
	"takes no moves (its "
	"limits.inbound is 0)"},
    {PLACE_STRATEGY, rule_local_uri,
	"its URI qemu:///system means "
	"nothing to kvm1: give it one with an address (qemu+tls://...)"},
    {PLACE_SAME_UUID, rule_same_uuid,
	"has the host UUID of kvm1 "
	"(00000000-0000-0000-0000-000000000001): set host_uuid in its "
	"libvirtd.conf"},
    {PLACE_NAME_TAKEN, rule_name_taken,
	"has another guest named web1 "
	"(bbbbbbbb-0000-0000-0000-000000000001, shut off): rename one of "
	"them"},
    {PLACE_UUID_TAKEN, rule_left_over,
	"has a definition of web1 left "
	"over (shut off): remove it with virsh -c "
	"qemu+tls://kvm2.example.org/system undefine "
	"aaaaaaaa-0000-0000-0000-000000000001"},
    {PLACE_UUID_TAKEN, rule_twice,
	"has renamed as well (paused): it "
	"must not run twice, see to it by hand"},
    {PLACE_NETWORK, rule_no_network, "has no network default"},
    {PLACE_NETWORK, rule_network_off,
	"network default is not active: "
	"virsh -c qemu+tls://kvm2.example.org/system net-start default"},
    {PLACE_NETWORK, rule_networks_unknown,
	"unknown whether it has the "
	"network default"},
    {PLACE_BRIDGE, rule_no_bridge, "has no bridge br0"},
    {PLACE_BRIDGE, rule_bridges_unknown,
	"unknown whether it has the "
	"bridge br0"},
    {PLACE_BRIDGE, rule_no_link, "has no link eno2"},
    {PLACE_MACHINE, rule_machine,
	"its QEMU does not have the machine "
	"type pc-q35-7.2: update it, or give the guest an older type"},
    {PLACE_STRATEGY, rule_cpu, "its CPU lacks avx512f"},
    {PLACE_STRATEGY, rule_abi_unknown,
	"has not said yet whether it "
	"can run the guest's CPU and machine"},
    {PLACE_FIRMWARE, rule_firmware,
	"has no /usr/share/OVMF/CODE.fd, which the guest starts from "
	"(secure boot)"},
    {PLACE_HUGEPAGES, rule_hugepages,
	"needs 8.0 GiB in huge pages, 4.0 GiB are free: reserve more of "
	"them (vm.nr_hugepages)"},
    {PLACE_MEMORY, rule_memory,
	"needs 8.1 GiB, 9.0 GiB free of 64.0 GiB "
	"(1.0 GiB kept free)"},
    {PLACE_MEMORY, rule_memory_booked,
	"needs 8.1 GiB, 60.0 GiB free of "
	"64.0 GiB (51.6 GiB reserved by 3 moves to it, 1.0 GiB kept "
	"free)"},
    {PLACE_MEMORY, rule_memory_unknown,
	"unknown how much memory it has "
	"free"},
    {PLACE_STRATEGY, rule_storage,
	"storage not shared: vda: "
	"/var/lib/libvirt/images/web1.qcow2 is in nfs://nas/vms, and kvm2 "
	"has no active netfs pool of it at /var/lib/libvirt/images"},
};

START_TEST(a_rule_rejects_with_its_reason)
{
	const struct place_rejection *found = NULL;

	rules[_i].change();
	choose();
	ck_assert_msg(choice.target == host("kvm3"), "%s", choice.why);
	for (size_t i = 0; i < choice.rejection_count; i++) {
		if (choice.rejections[i].host == host("kvm2"))
			found = &choice.rejections[i];
	}
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(
	    place_rule_name(found->rule), place_rule_name(rules[_i].rule));
	ck_assert_str_eq(found->why, rules[_i].why);
}
END_TEST

START_TEST(the_source_is_rejected_as_same_host)
{
	choose();
	ck_assert_uint_eq(choice.rejection_count, 1);
	ck_assert_ptr_eq(choice.rejections[0].host, host("kvm1"));
	ck_assert_int_eq(choice.rejections[0].rule, PLACE_SAME_HOST);
}
END_TEST

START_TEST(a_guest_without_a_target_names_every_host)
{
	host("kvm2")->cordoned = true;
	host("kvm3")->memory_free = 3 * GIB;
	host("kvm4")->cordoned = true;
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert(!choice.wait);
	ck_assert_str_eq(choice.why,
	    "no host can take it: kvm2, kvm4: "
	    "cordoned; kvm3: needs 8.1 GiB, 3.0 GiB free of 64.0 GiB (1.0 GiB "
	    "kept free)");
	ck_assert_uint_eq(choice.rejection_count, 4);
}
END_TEST

/* As each row of the ladder and of the filters has it. */
static void
assert_brief_is_the_same(void)
{
	struct place_choice brief;

	if (ledger == NULL)
		ledger = place_ledger_new(world.arena, &world.s);
	place_choose_briefly(
	    world.arena, &world.settings, &world.s, ledger, &request, &brief);
	choose();
	ck_assert_ptr_eq(brief.target, choice.target);
	ck_assert_int_eq(brief.wait, choice.wait);
	ck_assert_str_eq(brief.why, choice.why);
	ck_assert_int_eq(brief.strategy.found,
	    choice.target != NULL && choice.strategy.found);
	ck_assert_uint_le(brief.rejection_count, choice.rejection_count);
	for (size_t i = 0; i < brief.rejection_count; i++)
		ck_assert_ptr_nonnull(brief.rejections[i].why);
}

START_TEST(with_few_words_the_choice_is_the_same)
{
	rules[_i].change();
	assert_brief_is_the_same();
}
END_TEST

START_TEST(with_few_words_two_hosts_of_each_rule_are_kept)
{
	struct place_choice brief;
	static char reason[3000];

	memset(reason, 'x', sizeof(reason) - 1);
	for (int i = 2; i <= 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "kvm%d", i);
		host(name)->cordoned = true;
		host(name)->flag_why = reason;
	}
	ledger = place_ledger_new(world.arena, &world.s);
	place_choose_briefly(
	    world.arena, &world.settings, &world.s, ledger, &request, &brief);
	ck_assert_ptr_null(brief.target);
	/* the source's own, and two of three */
	ck_assert_uint_eq(brief.rejection_count, 1 + PLACE_BRIEF_PER_RULE);
	ck_assert_uint_lt(strlen(brief.why), 1100);
	contains(brief.why, "there is more");
}
END_TEST

START_TEST(a_cpu_that_cannot_be_compared_is_not_waited_for)
{
	/* Whatever hosts may have said when it could. */
	host("kvm2")->verdict_count = 0;
	vm->abi.incomparable = "the guest's CPU cannot be compared: who knows";
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert(!choice.wait);
	ck_assert_str_eq(choice.why,
	    "no host can take it: kvm2, kvm3, kvm4: the guest's CPU cannot be "
	    "compared: who knows");
	ck_assert_int_eq(choice.rejections[1].rule, PLACE_STRATEGY);
	ck_assert_str_eq(choice.rejections[1].refusals[0].rule, "cpu");
}
END_TEST

START_TEST(an_awaited_answer_is_waited_for_where_nothing_else_is_wrong)
{
	host("kvm2")->verdict_count = 0;
	host("kvm3")->cordoned = true;
	host("kvm4")->cordoned = true;
	choose();
	ck_assert(choice.wait);
	contains(choice.why, "no host can take it yet: kvm2: has not said");
	host("kvm2")->memory_free = GIB;
	choose();
	ck_assert(!choice.wait);
	contains(choice.why, "no host can take it: kvm2: needs 8.1 GiB");
}
END_TEST

START_TEST(memory_that_is_arriving_is_not_a_final_refusal)
{
	struct snap_vm *other = world_add_vm(&world, 0, "web2", 8 * GIB);

	world.s.host_count = 2;
	host("kvm2")->memory_free = 10 * GIB;
	world_add_move(&world, other, "kvm2");
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert(choice.wait);
	contains(choice.why, "8.1 GiB reserved by 1 move to it");
	/* Not even if all of it had arrived. */
	host("kvm2")->memory_free = GIB / 2;
	choose();
	ck_assert(!choice.wait);
}
END_TEST

START_TEST(the_target_that_was_asked_for_is_the_only_one_named)
{
	request.only_to = "kvm3";
	choose();
	ck_assert_str_eq(choice.why, "kvm3 was asked for");
	host("kvm3")->cordoned = true;
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert_str_eq(choice.why, "kvm3 cannot take it: cordoned");
	request.only_to = "kvm9";
	choose();
	ck_assert_str_eq(choice.why, "there is no host kvm9");
}
END_TEST

START_TEST(one_host_alone_has_nowhere_to_send_a_guest)
{
	world.s.host_count = 1;
	choose();
	ck_assert_str_eq(
	    choice.why, "no host can take it: there is no other host");
}
END_TEST

/* Reasons that lie in the guest. */

static void
guest_paused(void)
{
	vm->state = DOMAIN_PAUSED;
	vm->reason = DOMAIN_REASON_IOERROR;
}

static void
guest_crashed(void)
{
	vm->state = DOMAIN_CRASHED;
}

static void
guest_suspended(void)
{
	vm->state = DOMAIN_PMSUSPENDED;
}

static void
guest_off(void)
{
	vm->state = DOMAIN_SHUTOFF;
}

static void
guest_going(void)
{
	vm->state = DOMAIN_SHUTDOWN;
}

static void
guest_pinned(void)
{
	vm->pins[vm->pin_count++] = "PCI passthrough 0000:3b:00.0";
	vm->pins[vm->pin_count++] = "virtiofs share data";
}

static void
guest_busy(void)
{
	vm->job = DOMAIN_JOB_ACTIVE;
}

static void
guest_arriving(void)
{
	vm->state = DOMAIN_PAUSED;
	vm->reason = DOMAIN_REASON_MIGRATION;
	vm->job = DOMAIN_JOB_UNKNOWN;
}

static void
guest_stranded(void)
{
	vm->state = DOMAIN_PAUSED;
	vm->reason = DOMAIN_REASON_MIGRATION;
}

static void
guest_torn(void)
{
	vm->reason = DOMAIN_REASON_POSTCOPY_FAILED;
}

static void
guest_given_up(void)
{
	world_add_attempt(&world, vm, "kvm2", 3, "no route to host");
	world_add_attempt(&world, vm, "kvm3", 1, "connection refused");
}

static void
guest_source_down(void)
{
	host("kvm1")->up = false;
	host("kvm1")->down_why = "keepalive timeout";
}

static void
guest_source_claimed(void)
{
	host("kvm1")->claimed_by = "lab at adm2, process 77";
}

static void
guest_source_claim_open(void)
{
	host("kvm1")->claim_open = true;
}

static void
guest_source_silent(void)
{
	host("kvm1")->silent_ms = 12000;
}

static void
guest_left_off(void)
{
	guest_off();
	wish.count = STRATEGY_COUNT;
	wish.include_stopped = false;
}

static void
guest_anchored(void)
{
	static const char *anchors[] = {"virtiofs share data"};

	guest_pinned();
	wish.count = STRATEGY_COUNT;
	vm->anchors = anchors;
	vm->anchor_count = 1;
}

static const struct {
	enum place_guest_rule rule;
	void (*change)(void);
	bool wait;
	const char *why;
} guests[] = {
    {PLACE_GUEST_NOT_RUNNING, guest_paused, false,
	"it is paused (I/O "
	"error): resume it or shut it down"},
    {PLACE_GUEST_NOT_RUNNING, guest_crashed, false, "it has crashed"},
    {PLACE_GUEST_NOT_RUNNING, guest_suspended, false, "dompmwakeup"},
    {PLACE_GUEST_STOPPED, guest_off, false,
	"it is shut off, and restart is not among the strategies"},
    {PLACE_GUEST_STOPPED, guest_left_off, false,
	"it is shut off, and the policy leaves such guests "
	"(select.include_stopped)"},
    {PLACE_GUEST_PINNED, guest_anchored, false,
	"pinned to its host by virtiofs share data"},
    {PLACE_GUEST_NOT_RUNNING, guest_going, true, "it is shutting down"},
    {PLACE_GUEST_NOT_RUNNING, guest_stranded, false,
	"paused by a "
	"migration that nobody carries on"},
    {PLACE_GUEST_NOT_RUNNING, guest_torn, false, "destroy neither"},
    {PLACE_GUEST_PINNED, guest_pinned, false,
	"pinned to its host by PCI "
	"passthrough 0000:3b:00.0; virtiofs share data"},
    {PLACE_GUEST_BUSY, guest_busy, true, "another job holds it"},
    {PLACE_GUEST_BUSY, guest_arriving, true,
	"another program's "
	"migration"},
    {PLACE_GUEST_BUSY, guest_source_down, true,
	"its host kvm1 is not "
	"connected: keepalive timeout"},
    {PLACE_GUEST_BUSY, guest_source_silent, true,
	"its host kvm1 has not "
	"answered for 12.0 s"},
    {PLACE_GUEST_CLAIMED, guest_source_claimed, false,
	"kvm1: another droverd acts on it (lab at adm2, process 77): stop "
	"one of the two"},
    {PLACE_GUEST_CLAIMED, guest_source_claim_open, true,
	"kvm1: not known yet whether another droverd acts on it"},
    {PLACE_GUEST_GIVEN_UP, guest_given_up, false,
	"given up after 4 "
	"attempts; the last, to kvm3: connection refused"},
};

START_TEST(a_guest_that_stays_says_what_to_do)
{
	guests[_i].change();
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert_str_eq(place_guest_rule_name(choice.guest_rule),
	    place_guest_rule_name(guests[_i].rule));
	ck_assert_int_eq(choice.wait, guests[_i].wait);
	contains(choice.why, guests[_i].why);
	ck_assert_uint_eq(choice.rejection_count, 0);
}
END_TEST

START_TEST(a_pinned_guest_may_be_restarted_if_nothing_anchors_it)
{
	guest_pinned();
	wish.count = STRATEGY_COUNT;
	choose();
	ck_assert_ptr_nonnull(choice.target);
	ck_assert_int_eq(choice.strategy.strategy, STRATEGY_RESTART);
	contains(choice.strategy.refusals[0].why, "PCI passthrough");
}
END_TEST

START_TEST(a_guest_that_is_off_takes_no_memory)
{
	guest_off();
	wish.count = STRATEGY_COUNT;
	for (int i = 1; i < 4; i++)
		world.s.hosts[i].memory_free = GIB;
	choose();
	ck_assert_ptr_eq(choice.target, host("kvm2"));
	ck_assert_int_eq(choice.strategy.strategy, STRATEGY_RESTART);
	ck_assert_int_eq(choice.strategy.predicted.downtime_ms, 0);
}
END_TEST

START_TEST(a_restart_waits_for_a_host_that_may_take_it_live)
{
	wish.count = STRATEGY_COUNT;
	world.s.host_count = 3;
	/* kvm2 would do by restart, kvm3 has not answered yet. */
	vm->abi.cpu_mode = "host-passthrough";
	host("kvm2")->verdicts[0].verdict = SNAP_VERDICT_REJECTED;
	host("kvm3")->verdict_count = 0;
	choose();
	ck_assert_ptr_null(choice.target);
	ck_assert(choice.wait);
	contains(choice.why,
	    "kvm2 could take it by restart, but kvm3 may take it by "
	    "live-shared: ");
	host("kvm3")->cordoned = true;
	choose();
	ck_assert_ptr_eq(choice.target, host("kvm2"));
	ck_assert_int_eq(choice.strategy.strategy, STRATEGY_RESTART);
	/* Not asked for anything better, it does not wait. */
	host("kvm3")->cordoned = false;
	wish.order[0] = STRATEGY_RESTART;
	wish.count = 1;
	choose();
	ck_assert_ptr_nonnull(choice.target);
}
END_TEST

START_TEST(a_rejection_has_the_reason_of_each_strategy)
{
	const struct place_rejection *rejection;

	wish.count = STRATEGY_COUNT;
	world.s.host_count = 2;
	vm->disks[0].source = "/local/web1.qcow2";
	vm->persistent = false;
	choose();
	ck_assert_ptr_null(choice.target);
	rejection = &choice.rejections[1];
	ck_assert_int_eq(rejection->rule, PLACE_STRATEGY);
	ck_assert_uint_eq(rejection->refusal_count, STRATEGY_COUNT);
	ck_assert_str_eq(rejection->refusals[0].rule, "storage-shared");
	ck_assert_str_eq(rejection->refusals[1].rule, "disk-figures");
	ck_assert_str_eq(rejection->refusals[2].rule, "transient");
	contains(rejection->why, "live-shared: storage not shared: vda: ");
	contains(rejection->why, "; live-copy: its images have not been");
	contains(rejection->why, "; restart: it is transient");
	/* It waits for the survey. */
	ck_assert(choice.wait && rejection->wait);
}
END_TEST

START_TEST(what_is_planned_takes_room_in_pools)
{
	struct strategy_disk disk = {.pool = "images", .allocation = 5 * GIB};
	struct strategy_result how = {.disks = &disk, .disk_count = 1};

	world_add_move(&world, vm, "kvm2");
	world.s.moves[0].disk = GIB;
	world.s.moves[0].pool = "images";
	ledger = place_ledger_new(world.arena, &world.s);
	place_ledger_book(ledger, &world.s, vm, host("kvm2"), &how);
	ck_assert_int_eq(place_ledger_disk("kvm2", "images", ledger), 6 * GIB);
	ck_assert_int_eq(place_ledger_disk("kvm3", "images", ledger), 0);
	ck_assert_int_eq(place_ledger_disk("kvm2", "other", ledger), 0);
}
END_TEST

START_TEST(a_blocked_guest_is_running_to_libvirt)
{
	vm->state = DOMAIN_BLOCKED;
	choose();
	ck_assert_ptr_nonnull(choice.target);
}
END_TEST

START_TEST(retries_that_are_left_are_used)
{
	world_add_attempt(&world, vm, "kvm2", 3, "no route to host");
	choose();
	ck_assert_ptr_eq(choice.target, host("kvm3"));
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("place");
	TCase *tc = tcase_create("place");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, the_first_step_that_differs_decides, 0, ROWS(ladder));
	tcase_add_loop_test(tc, a_rule_rejects_with_its_reason, 0, ROWS(rules));
	tcase_add_loop_test(
	    tc, with_few_words_the_choice_is_the_same, 0, ROWS(rules));
	tcase_add_test(tc, with_few_words_two_hosts_of_each_rule_are_kept);
	tcase_add_test(tc, the_source_is_rejected_as_same_host);
	tcase_add_test(tc, a_guest_without_a_target_names_every_host);
	tcase_add_test(tc, a_cpu_that_cannot_be_compared_is_not_waited_for);
	tcase_add_test(
	    tc, an_awaited_answer_is_waited_for_where_nothing_else_is_wrong);
	tcase_add_test(tc, memory_that_is_arriving_is_not_a_final_refusal);
	tcase_add_test(tc, the_target_that_was_asked_for_is_the_only_one_named);
	tcase_add_test(tc, one_host_alone_has_nowhere_to_send_a_guest);
	tcase_add_loop_test(
	    tc, a_guest_that_stays_says_what_to_do, 0, ROWS(guests));
	tcase_add_test(
	    tc, a_pinned_guest_may_be_restarted_if_nothing_anchors_it);
	tcase_add_test(tc, a_guest_that_is_off_takes_no_memory);
	tcase_add_test(tc, a_restart_waits_for_a_host_that_may_take_it_live);
	tcase_add_test(tc, a_rejection_has_the_reason_of_each_strategy);
	tcase_add_test(tc, what_is_planned_takes_room_in_pools);
	tcase_add_test(tc, a_blocked_guest_is_running_to_libvirt);
	tcase_add_test(tc, retries_that_are_left_are_used);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
