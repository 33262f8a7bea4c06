/*
 * Snapshots: what each key comes to, every mistake with its place, and that what
 * is written of a site is read as that site.
 */

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/place.h"
#include "plan/apply.h"
#include "plan/read.h"
#include "plan/write.h"
#include "world.h"

static struct arena *arena;
static struct diag_list diags;
static struct buf said;

static void
setup(void)
{
	arena = arena_new(PLAN_READ_ARENA_MAX);
	diag_init(&diags);
	said = BUF_INIT(1 << 20);
}

static void
teardown(void)
{
	arena_free(arena);
	diag_free(&diags);
	buf_free(&said);
}

static struct plan_cluster *
take(const char *text)
{
	struct plan_cluster *cluster =
	    plan_read(arena, "s.yaml", text, strlen(text), &diags);

	diag_print(&diags, &said);
	ck_assert_msg(cluster != NULL, "%s", buf_str(&said));
	ck_assert(!diag_any(&diags));
	return cluster;
}

static void
refuse(const char *text, const char *want)
{
	diag_free(&diags);
	buf_clear(&said);
	ck_assert_ptr_null(
	    plan_read(arena, "s.yaml", text, strlen(text), &diags));
	diag_print(&diags, &said);
	ck_assert_str_eq(buf_str(&said), want);
}

/* ---- good ---- */

#define HOSTS                                                                  \
	"schema: drover/v1\n"                                                  \
	"hosts:\n"                                                             \
	"  - { name: kvm1, cpus: 8, memory: 64GiB }\n"                         \
	"  - { name: kvm2, cpus: 8, memory: 64GiB }\n"

START_TEST(every_key_is_taken)
{
	const struct plan_cluster *c = take(
	    "schema: drover/v1\n"
	    "limits: { total: 9, per_source: 3, per_target: 0, bandwidth: "
	    "1250000000 }\n"
	    "apart: app\n"
	    "hosts:\n"
	    "  - { name: kvm2, cpus: 64, memory: 274877906944, "
	    "reserve_memory: 2147483648, maintenance: false, cordoned: false,\n"
	    "      up: true, labels: { rack: r1 }, cpu_used: 31.2, disk: 1TiB, "
	    "limits: { outbound: 4, inbound: 1 } }\n"
	    "  - { name: kvm1, cpus: 0.5, memory: 1GiB, cpu_used: 0 }\n"
	    "vms:\n"
	    "  - { name: web1, uuid: u1, host: kvm2, state: running, vcpus: 4, "
	    "memory: 8589934592, cpu_used: 1.7e0, dirty_rate: 1048576,\n"
	    "      storage: mixed, disk_allocated: 10737418240, pinned: false, "
	    "labels: { app: web } }\n");
	const struct plan_host *host = &c->hosts[1];
	const struct plan_guest *guest = &c->guests[0];

	ck_assert_int_eq(c->host_count, 2);
	ck_assert_int_eq(c->guest_count, 1);
	ck_assert_int_eq(c->limits.total, 9);
	ck_assert_int_eq(c->limits.per_source, 3);
	ck_assert_int_eq(c->limits.per_target, 0);
	ck_assert_int_eq(c->limits.link, 1250000000);
	/* Hosts are in order of their names. */
	ck_assert_str_eq(c->hosts[0].name, "kvm1");
	ck_assert_double_eq(c->hosts[0].cpus, 0.5);
	ck_assert_double_eq(c->hosts[0].cpu_used, 0);
	ck_assert_str_eq(host->name, "kvm2");
	ck_assert_double_eq(host->cpu_used, 31.2);
	ck_assert_int_eq(host->memory, 254 * GIB);
	ck_assert_int_eq(host->disk, 1024 * GIB);
	ck_assert(host->accepts && host->up);
	ck_assert_int_eq(host->limit_out, 4);
	ck_assert_int_eq(host->limit_in, 1);
	ck_assert_str_eq(guest->name, "web1");
	ck_assert_str_eq(guest->uuid, "u1");
	ck_assert_int_eq(guest->host, 1);
	ck_assert_double_eq(guest->cpu, 1.7);
	ck_assert_int_eq(guest->vcpus, 4);
	ck_assert_int_eq(guest->memory, place_memory_need(8 * GIB));
	ck_assert_int_eq(guest->memory - guest->overhead, 8 * GIB);
	ck_assert_int_eq(guest->disk, 10 * GIB);
	ck_assert_int_eq(guest->dirty_rate, 1048576);
	ck_assert(guest->runs && !guest->stays);
	ck_assert_int_eq(guest->way, PLAN_LIVE_COPY);
	ck_assert_int_eq(guest->apart, 0);
	ck_assert_int_eq(c->apart_count, 1);
}
END_TEST

START_TEST(json_with_guests_before_hosts_is_taken)
{
	const struct plan_cluster *c = take(
	    "{\"vms\":[{\"name\":\"a\\u00fc\",\"host\":\"kvm1\",\"memory\":1,"
	    "\"storage\":\"shared\"}],\"hosts\":[{\"name\":\"kvm1\",\"cpus\":"
	    "2,\"memory\":2}],\"schema\":\"drover/v1\"}");

	ck_assert_str_eq(c->guests[0].name, "a\xc3\xbc");
	ck_assert_int_eq(c->guests[0].way, PLAN_LIVE_SHARED);
}
END_TEST

START_TEST(absent_keys_are_unknown_and_not_zero)
{
	const struct plan_cluster *c =
	    take(HOSTS "vms: [ { name: a, host: kvm2, memory: 1GiB } ]\n");

	ck_assert(isnan(c->hosts[0].cpu_used));
	ck_assert_int_eq(c->hosts[0].disk, -1);
	ck_assert_int_eq(c->hosts[0].group, PLAN_NONE);
	ck_assert(c->hosts[0].accepts && c->hosts[0].up);
	ck_assert_int_eq(c->hosts[0].limit_in, 0);
	ck_assert(isnan(c->guests[0].cpu));
	ck_assert_int_eq(c->guests[0].dirty_rate, -1);
	ck_assert_int_eq(c->guests[0].apart, PLAN_NONE);
	ck_assert_str_eq(c->guests[0].uuid, "a");
	ck_assert(c->guests[0].runs);
	ck_assert_int_eq(c->limits.total, 6);
	ck_assert_int_eq(c->limits.per_source, 2);
	ck_assert_int_eq(c->limits.per_target, 2);
	ck_assert_int_eq(c->limits.link, 0);
}
END_TEST

START_TEST(storage_that_nobody_called_shared_is_local)
{
	const struct plan_cluster *c = take(HOSTS
	    "vms:\n"
	    "  - { name: a, host: kvm1, memory: 1 }\n"
	    "  - { name: b, host: kvm1, memory: 1, disk_allocated: 7 }\n"
	    "  - { name: c, host: kvm1, memory: 1, storage: local }\n"
	    "  - { name: d, host: kvm1, memory: 1, storage: diskless }\n"
	    "  - { name: e, host: kvm1, memory: 1, storage: shared, "
	    "disk_allocated: 7, pinned: true }\n"
	    "  - { name: f, host: kvm1, memory: 1, storage: shared, state: "
	    "shut off }\n");
	static const struct {
		enum plan_way way;
		int disk;
		bool stays, runs;
	} want[] = {
	    {PLAN_LIVE_COPY, 0, true, true}, /* of unknown size */
	    {PLAN_LIVE_COPY, 7, false, true},
	    {PLAN_LIVE_COPY, 0, true, true},
	    {PLAN_LIVE_SHARED, 0, false, true},
	    {PLAN_LIVE_SHARED, 0, true, true},
	    {PLAN_RESTART, 0, false, false},
	};

	for (size_t i = 0; i < 6; i++) {
		ck_assert_int_eq(c->guests[i].way, want[i].way);
		ck_assert_int_eq(c->guests[i].disk, want[i].disk);
		ck_assert_int_eq(c->guests[i].stays, want[i].stays);
		ck_assert_int_eq(c->guests[i].runs, want[i].runs);
	}
}
END_TEST

START_TEST(a_host_that_is_flagged_or_down_accepts_nothing)
{
	const struct plan_cluster *c =
	    take("schema: drover/v1\n"
		 "vms: []\n"
		 "hosts:\n"
		 "  - { name: a, cpus: 1, memory: 1, maintenance: true }\n"
		 "  - { name: b, cpus: 1, memory: 1, cordoned: true }\n"
		 "  - { name: c, cpus: 1, memory: 1, up: false }\n");

	for (size_t i = 0; i < 3; i++) {
		ck_assert(!c->hosts[i].accepts);
		ck_assert_int_eq(c->hosts[i].up, i != 2);
	}
}
END_TEST

START_TEST(guests_of_one_label_value_are_one_class)
{
	const struct plan_cluster *c = take(HOSTS
	    "apart: app\n"
	    "vms:\n"
	    "  - { name: z, host: kvm1, memory: 1, labels: { app: web } }\n"
	    "  - { name: b, host: kvm1, memory: 1, labels: { rack: web } }\n"
	    "  - { name: c, host: kvm1, memory: 1, labels: { app: db } }\n"
	    "  - { name: a, host: kvm2, memory: 1, labels: { app: web } }\n");

	ck_assert_int_eq(c->apart_count, 2);
	ck_assert_int_eq(c->guests[0].apart, 0);
	ck_assert_int_eq(c->guests[1].apart, PLAN_NONE);
	ck_assert_int_eq(c->guests[2].apart, 1);
	ck_assert_int_eq(c->guests[3].apart, 0);
}
END_TEST

START_TEST(a_name_may_be_carried_twice_with_uuids)
{
	const struct plan_cluster *c =
	    take(HOSTS "vms:\n"
		       "  - { name: a, uuid: u2, host: kvm1, memory: 1 }\n"
		       "  - { name: a, uuid: u1, host: kvm2, memory: 1 }\n");

	ck_assert_str_eq(c->guests[0].uuid, "u1");
	ck_assert_int_eq(c->guests[0].host, 1);
	ck_assert_int_eq(plan_find_host(c, "kvm2"), 1);
	ck_assert_int_eq(plan_find_host(c, "kvm3"), PLAN_NONE);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(what_is_no_snapshot_is_refused)
{
	refuse("",
	    "s.yaml:1:1: holds nothing; a snapshot begins with \"schema: "
	    "drover/v1\"\n");
	refuse("[1]\n",
	    "s.yaml:1:1: a snapshot is a mapping that begins with \"schema: "
	    "drover/v1\", not a list\n");
	refuse("schema: drover/v2\nhostz: 1\n",
	    "s.yaml:1:9: schema: \"drover/v2\" is not known to this program "
	    "(write drover/v1)\n");
	refuse("hosts: []\nvms: []\n",
	    "s.yaml:1:1: schema: missing in a snapshot (the language of this "
	    "file, as schema: drover/v1)\n");
	refuse("{\"schema\": \"drover/v1\", \"hosts\": [",
	    "s.yaml:2:1: not YAML: did not find expected node content, while "
	    "parsing a flow node (a value is missing, or begins with a "
	    "character that needs quotes)\n");
}
END_TEST

START_TEST(wrong_keys_are_told_with_what_was_meant)
{
	refuse("schema: drover/v1\n"
	       "hosts:\n"
	       "  - { nmae: kvm1, cpus: 8, memory: 1GiB, vcpus: 3 }\n"
	       "vms:\n"
	       "  - { name: a, host: kvm1, memory: 1, cpu-used: 1 }\n"
	       "limit: {}\n",
	    "s.yaml:3:7: hosts[0].nmae: unknown key (did you mean \"name\"?)\n"
	    "s.yaml:3:42: hosts[0].vcpus: unknown key in a host (it belongs to "
	    "vms[].vcpus)\n"
	    "s.yaml:5:39: vms[0].cpu-used: unknown key (did you mean "
	    "\"cpu_used\"?)\n"
	    "s.yaml:6:1: limit: unknown key (did you mean \"limits\"?)\n");
	refuse("schema: drover/v1\n"
	       "hosts: [ { } ]\n"
	       "vms: [ { } ]\n",
	    "s.yaml:2:10: hosts[0].name: missing in a host (how the host is "
	    "called)\n"
	    "s.yaml:2:10: hosts[0].cpus: missing in a host (its cores)\n"
	    "s.yaml:2:10: hosts[0].memory: missing in a host (all that it has, "
	    "in bytes)\n"
	    "s.yaml:3:8: vms[0].name: missing in a guest (how the guest is "
	    "called)\n"
	    "s.yaml:3:8: vms[0].host: missing in a guest (where it is)\n"
	    "s.yaml:3:8: vms[0].memory: missing in a guest (bytes of its "
	    "memory)\n");
}
END_TEST

START_TEST(wrong_values_of_hosts_are_all_told)
{
	refuse("schema: drover/v1\n"
	       "hosts:\n"
	       "  - name: kvm1\n"
	       "    cpus: 0\n"
	       "    memory: -1\n"
	       "    cpu_used: nan\n"
	       "    maintenance: yes\n"
	       "  - name: kvm1\n"
	       "    cpus: '4'\n"
	       "    memory: 8 GiB\n"
	       "    cpu_used: 1e9\n"
	       "    limits: { inbound: 0 }\n"
	       "  - { name: kvm3, cpus: 1, memory: 1, reserve_memory: 1 }\n"
	       "  - { name: kvm4, cpus: , memory: 1, labels: [a] }\n"
	       "vms: []\n",
	    "s.yaml:4:11: hosts[0].cpus: \"0\" is out of range (above 0, at "
	    "most 65536)\n"
	    "s.yaml:5:13: hosts[0].memory: \"-1\" is negative (an amount of "
	    "bytes such as 2GiB is expected)\n"
	    "s.yaml:6:15: hosts[0].cpu_used: \"nan\" is not a number of cores "
	    "such as 1.5\n"
	    "s.yaml:7:18: hosts[0].maintenance: \"yes\" is written true\n"
	    "s.yaml:8:11: hosts[1].name: \"kvm1\" is already used in line 3, "
	    "column 11\n"
	    "s.yaml:9:11: hosts[1].cpus: \"4\" is a text; write the number "
	    "without quotes\n"
	    "s.yaml:10:13: hosts[1].memory: \"8 GiB\" is not a size (use a "
	    "number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as "
	    "2GiB)\n"
	    "s.yaml:11:15: hosts[1].cpu_used: \"1e9\" is out of range (0 to "
	    "65536)\n"
	    "s.yaml:12:24: hosts[1].limits.inbound: \"0\" is out of range (1 "
	    "to 1000)\n"
	    "s.yaml:13:55: hosts[2].reserve_memory: leaves nothing of the "
	    "host's memory (1 bytes)\n"
	    "s.yaml:14:25: hosts[3].cpus: has no value (a number of cores such "
	    "as 1.5 is expected)\n"
	    "s.yaml:14:46: hosts[3].labels: a mapping (key: value) is "
	    "expected, not a list\n");
}
END_TEST

START_TEST(wrong_values_of_guests_are_all_told)
{
	refuse(HOSTS
	    "vms:\n"
	    "  - { name: a, uuid: u1, host: kvm3, memory: 1, state: runing }\n"
	    "  - { name: b, uuid: u1, host: elsewhere, memory: 1.5 }\n"
	    "  - { name: c, host: kvm1, memory: 0, storage: share }\n"
	    "  - { name: c, host: kvm2, memory: 1, state: shutoff }\n"
	    "  - { name: d, uuid: u3, host: kvm1, memory: 1, vcpus: 1.5 }\n"
	    "  - { name: d, uuid: u4, host: kvm1, memory: 1, pinned: 1 }\n"
	    "  - { name: , host: kvm1, memory: null }\n",
	    "s.yaml:6:32: vms[0].host: there is no host \"kvm3\" (did you mean "
	    "\"kvm1\"?)\n"
	    "s.yaml:6:56: vms[0].state: unknown word \"runing\" (did you mean "
	    "\"running\"?)\n"
	    "s.yaml:7:22: vms[1].uuid: \"u1\" is already used in line 6, "
	    "column 22\n"
	    "s.yaml:7:32: vms[1].host: there is no host \"elsewhere\" in this "
	    "file\n"
	    "s.yaml:7:51: vms[1].memory: \"1.5\" has a fraction of a byte, "
	    "which is too fine for a size (use a number with B, kB, MB, GB, "
	    "TB, KiB, MiB, GiB or TiB, such as 2GiB)\n"
	    "s.yaml:8:36: vms[2].memory: \"0\" is out of range (1B to "
	    "1048576TiB)\n"
	    "s.yaml:8:48: vms[2].storage: unknown word \"share\" (did you mean "
	    "\"shared\"?)\n"
	    "s.yaml:9:13: vms[3].name: \"c\" is already used in line 8, column "
	    "13; guests of one name need a uuid\n"
	    "s.yaml:9:46: vms[3].state: \"shutoff\" is written \"shut off\"\n"
	    "s.yaml:10:56: vms[4].vcpus: \"1.5\" is not a whole number in "
	    "decimal digits\n"
	    "s.yaml:11:13: vms[5].name: \"kvm1\" has a guest of this name "
	    "already, in line 10\n"
	    "s.yaml:11:57: vms[5].pinned: unknown word \"1\" (known: true, "
	    "false)\n"
	    "s.yaml:12:13: vms[6].name: has no value (a text is expected)\n"
	    "s.yaml:12:35: vms[6].memory: \"null\" is no value (an amount of "
	    "bytes such as 2GiB is expected)\n");
}
END_TEST

START_TEST(guests_of_a_host_that_is_wrong_are_not_wrong_too)
{
	refuse("schema: drover/v1\n"
	       "hosts: [ { name: , cpus: 1, memory: 1 } ]\n"
	       "vms: [ { name: a, host: kvm1, memory: 1 } ]\n",
	    "s.yaml:2:18: hosts[0].name: has no value (a text is expected)\n");
}
END_TEST

START_TEST(sizes_are_bounded)
{
	struct buf text = BUF_INIT((size_t)128 << 20);

	buf_adds(&text, "schema: drover/v1\nhosts:\n");
	for (int i = 0; i <= PLAN_READ_HOSTS_MAX; i++)
		buf_addf(&text, "  - { name: h%d, cpus: 1, memory: 1 }\n", i);
	buf_adds(&text, "vms: []\n");
	refuse(buf_str(&text),
	    "s.yaml:3:3: hosts: 2001 items are more than the 2000 allowed\n");
	buf_clear(&text);
	buf_adds(&text, HOSTS "vms:\n");
	for (int i = 0; i <= PLAN_READ_GUESTS_MAX; i++)
		buf_addf(
		    &text, "  - { name: v%d, host: kvm1, memory: 1 }\n", i);
	refuse(buf_str(&text),
	    "s.yaml:6:3: vms: 100001 items are more than the 100000 "
	    "allowed\n");
	buf_clear(&text);
	while (text.len <= PLAN_READ_SIZE_MAX)
		buf_adds(&text,
		    "# nothing nothing nothing nothing nothing nothing "
		    "nothing\n");
	refuse(buf_str(&text), "s.yaml:1:1: larger than 64 MiB\n");
	buf_free(&text);
}
END_TEST

/* Beside a hundred faults the rest is counted, and soon. */
START_TEST(a_file_full_of_mistakes_is_read_to_its_end)
{
	struct buf text = BUF_INIT((size_t)16 << 20);

	buf_adds(&text, "schema: drover/v1\nhosts:\n");
	for (int i = 0; i < PLAN_READ_HOSTS_MAX; i++)
		buf_addf(&text,
		    "  - { name: a-rather-long-name-of-a-host-%d, cpus: 1, "
		    "memory: 1 }\n",
		    i);
	buf_adds(&text, "vms:\n");
	for (int i = 0; i < 20000; i++)
		buf_addf(&text,
		    "  - { name: v%d, host: a-rather-long-name-of-a-hose-%d, "
		    "memory: 1 }\n",
		    i, i);
	ck_assert_ptr_null(
	    plan_read(arena, "s.yaml", text.data, text.len, &diags));
	ck_assert_uint_eq(diags.count, DIAG_MAX);
	ck_assert_uint_eq(diags.dropped, 20000 - DIAG_MAX);
	buf_free(&text);
}
END_TEST

/* ---- writing ---- */

/* As the server sends it. */
static struct plan_cluster *
write_and_take(const struct world *world)
{
	json_t *json = plan_write_snapshot(&world->s, &world->settings);
	struct plan_cluster *cluster;
	char *text;

	json_object_set_new(json, "schema", json_string("drover/v1"));
	text = json_dumps(json, JSON_REAL_PRECISION(15));
	cluster = take(text);
	free(text);
	json_decref(json);
	return cluster;
}

START_TEST(what_is_written_of_a_site_is_read_as_that_site)
{
	const struct plan_cluster *c;
	struct world w;
	struct snap_vm *vm;

	world_init(&w, 3);
	w.settings.limits.total = 7;
	w.settings.limits.bandwidth = 1000;
	w.s.hosts[1].maintenance = w.s.hosts[1].cordoned = true;
	w.s.hosts[1].inbound_limit = 3;
	w.s.hosts[2].cpu_used = w.s.hosts[2].cpu_smooth = NAN;
	vm = world_add_vm(&w, 0, "web1", 2 * GIB);
	vm->cpu_used = vm->cpu_smooth = 0.3;
	vm->dirty_rate = 12345;
	vm->disks[0].allocation = 5 * GIB;
	vm = world_add_vm(&w, 1, "db1", 4 * GIB);
	vm->cpu_used = vm->cpu_smooth = NAN;
	vm->state = DOMAIN_SHUTOFF;
	c = write_and_take(&w);
	ck_assert_int_eq(c->host_count, 3);
	ck_assert_str_eq(c->hosts[0].name, "kvm1");
	ck_assert_double_eq(c->hosts[0].cpus, 16);
	ck_assert_double_eq(c->hosts[0].cpu_used, 4);
	ck_assert(isnan(c->hosts[2].cpu_used));
	ck_assert_int_eq(c->hosts[0].memory, 63 * GIB);
	ck_assert(c->hosts[0].accepts && !c->hosts[1].accepts);
	ck_assert_int_eq(c->hosts[0].limit_in, 0);
	ck_assert_int_eq(c->hosts[1].limit_in, 3);
	ck_assert_int_eq(c->limits.total, 7);
	ck_assert_int_eq(c->limits.link, 1000);
	ck_assert_int_eq(c->guest_count, 2);
	ck_assert_str_eq(c->guests[0].name, "web1");
	ck_assert_int_eq(c->guests[0].host, 0);
	ck_assert_double_eq(c->guests[0].cpu, 0.3);
	ck_assert_int_eq(c->guests[0].memory, place_memory_need(2 * GIB));
	ck_assert_int_eq(c->guests[0].dirty_rate, 12345);
	ck_assert_int_eq(c->guests[0].way, PLAN_LIVE_SHARED);
	ck_assert(c->guests[0].runs && !c->guests[0].stays);
	ck_assert_str_eq(c->guests[1].name, "db1");
	ck_assert(isnan(c->guests[1].cpu));
	ck_assert(!c->guests[1].runs);
	ck_assert_int_eq(c->guests[1].memory, 0);
	ck_assert_int_eq(c->guests[1].way, PLAN_RESTART);
	world_clear(&w);
}
END_TEST

START_TEST(local_disks_and_the_room_for_them_are_written)
{
	const struct plan_cluster *c;
	struct world w;
	struct snap_vm *vm;

	world_init(&w, 2);
	for (size_t i = 0; i < 2; i++) {
		w.s.hosts[i].pools[0] = (struct snap_pool){.name = "a",
		    .active = true,
		    .type = "dir",
		    .path = "/var/lib/a",
		    .available = 20 * GIB};
		w.s.hosts[i].pools[1] = w.s.hosts[i].pools[0];
		w.s.hosts[i].pools[1].name = "b";
		w.s.hosts[i].pools[1].path = "/var/lib/b";
		w.s.hosts[i].pools[1].available = 30 * GIB;
		w.s.hosts[i].pool_count = 2;
	}
	vm = world_add_vm(&w, 0, "web1", GIB);
	vm->disks[0].source = "/var/lib/a/web1";
	vm->disks[0].allocation = 5 * GIB;
	vm = world_add_vm(&w, 0, "web2", GIB);
	vm->disks[0].source = "/var/lib/a/web2";
	vm->disks[0].allocation = SNAPSHOT_UNKNOWN;
	c = write_and_take(&w);
	ck_assert_int_eq(c->guests[0].way, PLAN_LIVE_COPY);
	ck_assert_int_eq(c->guests[0].disk, 5 * GIB);
	ck_assert(!c->guests[0].stays);
	ck_assert(c->guests[1].stays);
	/* The largest pool, and what is taken already. */
	ck_assert_int_eq(c->hosts[0].disk, 35 * GIB);
	ck_assert_int_eq(c->hosts[1].disk, 30 * GIB);
	world_clear(&w);
}
END_TEST

START_TEST(what_cannot_move_or_is_not_known_is_written_as_such)
{
	static const char *pins[] = {"PCI passthrough 0000:3b:00.0"};
	const struct plan_cluster *c;
	struct snap_vm *vm, *twin;
	struct world w;

	world_init(&w, 4);
	w.s.hosts[2].up = false;
	w.s.hosts[3].known = false;
	vm = world_add_vm(&w, 0, "gpu1", GIB);
	vm->pins = pins;
	vm->pin_count = 1;
	vm = world_add_vm(&w, 0, "web1", GIB);
	/* The definition that it left at its old host. */
	twin = world_add_vm(&w, 1, "web1", GIB);
	twin->uuid = vm->uuid;
	twin->state = DOMAIN_SHUTOFF;
	c = write_and_take(&w);
	ck_assert_int_eq(c->host_count, 3);
	ck_assert(!c->hosts[2].up && !c->hosts[2].accepts);
	ck_assert_int_eq(c->guest_count, 2);
	ck_assert(c->guests[0].stays);
	ck_assert_int_eq(c->guests[1].host, 0);
	ck_assert(!c->guests[1].stays && c->guests[1].runs);
	world_clear(&w);
}
END_TEST

START_TEST(a_name_that_no_file_can_hold_gives_way_to_the_uuid)
{
	static const char *const names[] = {
	    "evil\033[2J", "not\xff utf8", "a\xe2\x80\xa8line", "end "};
	const struct plan_cluster *c;
	struct world w;

	world_init(&w, 2);
	for (size_t i = 0; i < 4; i++)
		world_add_vm(&w, 0, "x", GIB)->name = names[i];
	world_add_vm(&w, 0,
	    "gr\xc3\xb6\xc3\x9f"
	    "e",
	    GIB);
	c = write_and_take(&w);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(c->guests[i].name, c->guests[i].uuid);
	ck_assert_str_eq(c->guests[4].name,
	    "gr\xc3\xb6\xc3\x9f"
	    "e");
	world_clear(&w);
}
END_TEST

START_TEST(a_result_is_written_as_the_contract_says)
{
	const struct plan_cluster *c =
	    take(HOSTS "vms:\n"
		       "  - { name: a, uuid: u1, host: kvm1, memory: 1 }\n"
		       "  - { name: b, uuid: u2, host: kvm1, memory: 1 }\n"
		       "  - { name: b, uuid: u3, host: kvm2, memory: 1 }\n");
	struct plan_move moves[] = {
	    {.guest = 0,
		.from = 0,
		.to = 1,
		.way = PLAN_LIVE_COPY,
		.wave = 1,
		.ms = 1200,
		.downtime_ms = 60,
		.reason = "evens out"},
	    {.guest = 1,
		.from = 0,
		.to = 1,
		.way = PLAN_RESTART,
		.wave = 2,
		.ms = -1,
		.downtime_ms = -1,
		.reason = "evens out"},
	};
	struct plan_blocked blocked[] = {{2, "no room"}};
	const struct plan_result result = {.moves = moves,
	    .move_count = 2,
	    .blocked = blocked,
	    .blocked_count = 1,
	    .score_before = 1.5,
	    .score_after = 0.25};
	json_t *json = plan_write_result(c, &result, 3.5);
	char *text = json_dumps(json, JSON_COMPACT);

	ck_assert_str_eq(text,
	    "{\"schema\":\"drover/v1\",\"score_before\":1.5,\"score_after\":"
	    "0.25,\"moves\":[{\"vm\":\"a\",\"from\":\"kvm1\",\"to\":\"kvm2\","
	    "\"strategy\":\"live-copy\",\"wave\":1,\"predicted_ms\":1200,"
	    "\"predicted_downtime_ms\":60,\"reason\":\"evens out\"},{\"vm\":"
	    "\"u2\",\"from\":\"kvm1\",\"to\":\"kvm2\",\"strategy\":"
	    "\"restart\",\"wave\":2,\"reason\":\"evens out\"}],\"blocked\":[{"
	    "\"vm\":\"u3\",\"reason\":\"no room\"}],\"elapsed_ms\":3.5}");
	free(text);
	json_decref(json);
}
END_TEST

START_TEST(moves_take_guests_and_their_load_along)
{
	const struct plan_cluster *after,
	    *c = take("schema: drover/v1\n"
		      "hosts:\n"
		      "  - { name: kvm1, cpus: 8, memory: 9, cpu_used: 6 }\n"
		      "  - { name: kvm2, cpus: 8, memory: 9, cpu_used: 1 }\n"
		      "vms:\n"
		      "  - { name: a, host: kvm1, memory: 1, cpu_used: 2.5 }\n"
		      "  - { name: b, host: kvm1, memory: 1 }\n");
	struct plan_move moves[] = {{.guest = 0, .from = 0, .to = 1},
	    {.guest = 1, .from = 0, .to = 1}, {.guest = 1, .from = 1, .to = 0}};
	const struct plan_result result = {.moves = moves, .move_count = 3};

	after = plan_apply(arena, c, &result);
	ck_assert_int_eq(after->guests[0].host, 1);
	ck_assert_int_eq(after->guests[1].host, 0);
	ck_assert_double_eq(after->hosts[0].cpu_used, 3.5);
	ck_assert_double_eq(after->hosts[1].cpu_used, 3.5);
	ck_assert_int_eq(c->guests[0].host, 0);
	ck_assert_double_eq(c->hosts[0].cpu_used, 6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_read");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_key_is_taken);
	tcase_add_test(tc, json_with_guests_before_hosts_is_taken);
	tcase_add_test(tc, absent_keys_are_unknown_and_not_zero);
	tcase_add_test(tc, storage_that_nobody_called_shared_is_local);
	tcase_add_test(tc, a_host_that_is_flagged_or_down_accepts_nothing);
	tcase_add_test(tc, guests_of_one_label_value_are_one_class);
	tcase_add_test(tc, a_name_may_be_carried_twice_with_uuids);
	tcase_add_test(tc, what_is_no_snapshot_is_refused);
	tcase_add_test(tc, wrong_keys_are_told_with_what_was_meant);
	tcase_add_test(tc, wrong_values_of_hosts_are_all_told);
	tcase_add_test(tc, wrong_values_of_guests_are_all_told);
	tcase_add_test(tc, guests_of_a_host_that_is_wrong_are_not_wrong_too);
	tcase_add_test(tc, sizes_are_bounded);
	tcase_add_test(tc, a_file_full_of_mistakes_is_read_to_its_end);
	tcase_add_test(tc, what_is_written_of_a_site_is_read_as_that_site);
	tcase_add_test(tc, local_disks_and_the_room_for_them_are_written);
	tcase_add_test(tc, what_cannot_move_or_is_not_known_is_written_as_such);
	tcase_add_test(tc, a_name_that_no_file_can_hold_gives_way_to_the_uuid);
	tcase_add_test(tc, a_result_is_written_as_the_contract_says);
	tcase_add_test(tc, moves_take_guests_and_their_load_along);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
