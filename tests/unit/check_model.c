/*
 * The inventory under all kinds of news, what a snapshot shows of it, how
 * things are found in a snapshot, and how they look as JSON.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "model/inventory.h"
#include "model/view.h"

#define A "aaaaaaaa-0000-0000-0000-000000000001"
#define B "bbbbbbbb-0000-0000-0000-000000000002"

static struct inventory *inventory;
static struct snapshot *s;
static int64_t now_ms;

static struct settings_label labels[] = {{"rack", "r1"}};
static struct settings_host hosts[] = {
    {.name = "kvm1",
	.uri = "qemu+tcp://10.0.0.1/system",
	.labels = labels,
	.label_count = 1,
	.reserve_memory = 1024,
	.outbound = -1,
	.inbound = 3},
    {.name = "kvm2",
	.uri = "qemu+tcp://10.0.0.2/system",
	.outbound = -1,
	.inbound = -1},
};

static void
configure(size_t count)
{
	struct settings settings = {.hosts = hosts, .host_count = count};

	inventory_configure(inventory, &settings);
}

static void
setup(void)
{
	inventory = inventory_new();
	now_ms = 1000;
	s = NULL;
	configure(2);
}

static void
teardown(void)
{
	snapshot_free(s);
	inventory_free(inventory);
}

/* The picture as of now; the one before is gone. */
static struct snapshot *
look(void)
{
	snapshot_free(s);
	s = inventory_snapshot(inventory, NULL, 0, NULL, 0,
	    (struct mono){now_ms}, (struct wall){0});
	return s;
}

static char *
copy(const char *text)
{
	char *result = strdup(text);

	ck_assert_ptr_nonnull(result);
	return result;
}

static void *
make(size_t count, size_t size)
{
	void *p = calloc(count, size);

	ck_assert_ptr_nonnull(p);
	return p;
}

static bool
apply(const char *host, struct inventory_event event)
{
	event.host = host;
	event.now = (struct mono){now_ms};
	return inventory_apply(inventory, &event);
}

static void
fill_domain(struct facts_domain *domain, const char *uuid, const char *name,
    const char *cpu)
{
	char xml[512];

	snprintf(xml, sizeof(xml),
	    "<domain type='kvm'><name>%s</name>"
	    "<memory unit='KiB'>1024</memory><vcpu>2</vcpu><os><type "
	    "arch='x86_64' machine='q35'>hvm</type></os><cpu><model>%s"
	    "</model></cpu></domain>",
	    name, cpu);
	*domain = (struct facts_domain){.name = copy(name),
	    .uuid = copy(uuid),
	    .state = DOMAIN_RUNNING,
	    .job = DOMAIN_JOB_NONE,
	    .xml = copy(xml)};
}

/* A host with guest A (web1) and as many CPU nanoseconds used so far. */
static struct facts_host *
listing(int64_t busy_ns, int64_t guest_ns)
{
	struct facts_host *facts = make(1, sizeof(*facts));

	facts->cpus = 4;
	facts->host_uuid = copy("11111111-2222-3333-4444-555555555555");
	facts->domains = make(2, sizeof(facts->domains[0]));
	facts->domain_count = 1;
	fill_domain(&facts->domains[0], A, "web1", "Nehalem");
	facts->networks_known = true;
	facts->networks = make(1, sizeof(facts->networks[0]));
	facts->networks[0].name = copy("default");
	facts->networks[0].active = true;
	facts->network_count = 1;
	facts->pools_known = true;
	facts->pools = make(1, sizeof(facts->pools[0]));
	facts->pools[0] = (struct facts_pool){copy("nfs1"), true,
	    copy("<pool type='netfs'><source><host name='nas'/><dir path='/v'/>"
		 "</source><target><path>/v</path></target></pool>"),
	    10, 5, 5};
	facts->pool_count = 1;
	facts->load.memory_total = 4096;
	facts->load.memory_free = 2048;
	facts->load.cpu_busy_ns = busy_ns;
	facts->load.domains = make(1, sizeof(facts->load.domains[0]));
	facts->load.domains[0].uuid = copy(A);
	facts->load.domains[0].cpu_ns = guest_ns;
	facts->load.domain_count = 1;
	return facts;
}

static bool
list(const char *host)
{
	return apply(host,
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = listing(0, 0)});
}

static bool
lose(const char *host)
{
	return apply(host,
	    (struct inventory_event){
		.news = INVENTORY_HOST_LOST, .why = "keepalive timeout"});
}

START_TEST(a_configured_host_is_unknown_until_it_is_listed)
{
	const struct snap_host *host = &look()->hosts[0];

	ck_assert_uint_eq(s->host_count, 2);
	ck_assert_str_eq(host->name, "kvm1");
	ck_assert(!host->up && !host->known);
	ck_assert_str_eq(host->down_why, "not connected yet");
	ck_assert_int_eq(host->cpus, SNAPSHOT_UNKNOWN);
	ck_assert_int_eq(host->memory_free, SNAPSHOT_UNKNOWN);
	ck_assert(isnan(host->cpu_used));
	ck_assert_int_eq(host->inbound_limit, 3);
	ck_assert_str_eq(host->label_values[0], "r1");
}
END_TEST

START_TEST(a_listing_is_the_whole_truth)
{
	struct facts_host *facts;

	ck_assert(list("kvm1"));
	ck_assert(look()->hosts[0].up);
	ck_assert_ptr_null(s->hosts[0].down_why);
	ck_assert_uint_eq(s->vm_count, 1);
	ck_assert_str_eq(s->vms[0].name, "web1");
	ck_assert_int_eq(s->vms[0].memory, 1024 * 1024);
	ck_assert_str_eq(s->hosts[0].pools[0].source, "nfs://nas/v");
	ck_assert_int_eq(s->hosts[0].pools[0].available, 5);

	facts = listing(0, 0);
	facts_domain_clear(&facts->domains[0]);
	fill_domain(&facts->domains[0], B, "web2", "Nehalem");
	ck_assert(apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = facts}));
	ck_assert_uint_eq(look()->vm_count, 1);
	ck_assert_str_eq(s->vms[0].name, "web2");
}
END_TEST

START_TEST(the_same_listing_again_changes_no_decision)
{
	uint64_t version;

	ck_assert(list("kvm1"));
	version = inventory_version(inventory);
	ck_assert(!list("kvm1"));
	/* Load figures may have come with it. */
	ck_assert_uint_gt(inventory_version(inventory), version);
}
END_TEST

START_TEST(news_of_a_host_that_is_not_configured_is_ignored)
{
	uint64_t version = inventory_version(inventory);

	ck_assert(!list("kvm9"));
	ck_assert_uint_eq(inventory_version(inventory), version);
	ck_assert_uint_eq(look()->vm_count, 0);
}
END_TEST

START_TEST(a_lost_host_keeps_what_was_last_seen)
{
	list("kvm1");
	ck_assert(lose("kvm1"));
	ck_assert(!lose("kvm1"));
	ck_assert(!look()->hosts[0].up);
	ck_assert(s->hosts[0].known);
	ck_assert_str_eq(s->hosts[0].down_why, "keepalive timeout");
	ck_assert_uint_eq(s->vm_count, 1);
	ck_assert(isnan(s->vms[0].cpu_used));
	ck_assert(list("kvm1"));
	ck_assert(look()->hosts[0].up);
}
END_TEST

static struct facts_domain *
domain(const char *uuid, const char *name, enum domain_state state)
{
	struct facts_domain *facts = make(1, sizeof(*facts));

	fill_domain(facts, uuid, name, "Nehalem");
	facts->state = state;
	return facts;
}

START_TEST(guests_come_change_and_go)
{
	struct inventory_event event = {.news = INVENTORY_DOMAIN_READ};

	list("kvm1");
	event.domain = domain(B, "web2", DOMAIN_RUNNING);
	ck_assert(apply("kvm1", event));
	ck_assert_uint_eq(look()->vm_count, 2);
	event.domain = domain(B, "web2", DOMAIN_RUNNING);
	ck_assert(!apply("kvm1", event));
	event.domain = domain(B, "web2", DOMAIN_PAUSED);
	ck_assert(apply("kvm1", event));
	ck_assert_int_eq(look()->vms[1].state, DOMAIN_PAUSED);
	event.domain = domain(B, "renamed", DOMAIN_PAUSED);
	ck_assert(apply("kvm1", event));
	ck_assert_str_eq(look()->vms[1].name, "renamed");
	event =
	    (struct inventory_event){.news = INVENTORY_DOMAIN_GONE, .uuid = B};
	ck_assert(apply("kvm1", event));
	ck_assert(!apply("kvm1", event));
	ck_assert_uint_eq(look()->vm_count, 1);
}
END_TEST

START_TEST(a_guest_whose_xml_is_not_understood_is_pinned)
{
	struct facts_domain *broken = domain(B, "odd", DOMAIN_RUNNING);

	list("kvm1");
	strcpy(broken->xml, "<domain>");
	apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_DOMAIN_READ, .domain = broken});
	ck_assert_uint_eq(look()->vms[1].pin_count, 1);
	ck_assert_ptr_nonnull(
	    strstr(s->vms[1].pins[0], "its XML was not understood"));
	ck_assert_int_eq(s->vms[1].memory, SNAPSHOT_UNKNOWN);

	broken = domain(B, "odd", DOMAIN_RUNNING);
	free(broken->xml);
	broken->xml = NULL;
	ck_assert(apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_DOMAIN_READ, .domain = broken}));
	ck_assert_str_eq(
	    look()->vms[1].pins[0], "its XML could not be read from the host");
	ck_assert(apply("kvm1",
	    (struct inventory_event){.news = INVENTORY_DOMAIN_READ,
		.domain = domain(B, "odd", DOMAIN_RUNNING)}));
	ck_assert_uint_eq(look()->vms[1].pin_count, 0);
}
END_TEST

static void
sample(int64_t after_ms, int64_t busy_ns, int64_t guest_ns)
{
	struct facts_host *facts = listing(busy_ns, guest_ns);

	now_ms += after_ms;
	ck_assert(!apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_LOAD_READ, .load = &facts->load}));
	facts_host_free(facts);
	look();
}

START_TEST(load_is_the_difference_of_two_readings)
{
	list("kvm1");
	ck_assert(isnan(look()->hosts[0].cpu_used));
	sample(2000, 3000000000, 1000000000);
	ck_assert_double_eq_tol(s->hosts[0].cpu_used, 1.5, 1e-9);
	ck_assert_double_eq_tol(s->vms[0].cpu_used, 0.5, 1e-9);
	/* A reading right after says nothing new. */
	sample(100, 3900000000, 1100000000);
	ck_assert_double_eq_tol(s->hosts[0].cpu_used, 1.5, 1e-9);
	sample(900, 4000000000, 3000000000);
	ck_assert_double_eq_tol(s->hosts[0].cpu_used, 1.0, 1e-9);
	ck_assert_double_eq_tol(s->vms[0].cpu_used, 2.0, 1e-9);
	/* More than it has is a late reading. */
	sample(1000, 9000000000, 3000000000);
	ck_assert_double_eq_tol(s->hosts[0].cpu_used, 4.0, 1e-9);
	/* Booted in between. */
	sample(1000, 100, 100);
	ck_assert(isnan(s->hosts[0].cpu_used));
	ck_assert(isnan(s->vms[0].cpu_used));
	sample(1000, 1000000100, 100);
	ck_assert_double_eq_tol(s->hosts[0].cpu_used, 1.0, 1e-9);
	sample(1000, FACTS_UNKNOWN, FACTS_UNKNOWN);
	ck_assert(isnan(s->hosts[0].cpu_used));
}
END_TEST

START_TEST(silence_counts_once_it_is_long)
{
	struct inventory_event event = {
	    .news = INVENTORY_HOST_SILENT, .silent_ms = 3000};

	list("kvm1");
	ck_assert(!apply("kvm1", event));
	event.silent_ms = SNAPSHOT_SILENT_MS;
	ck_assert(apply("kvm1", event));
	event.silent_ms = 60000;
	ck_assert(!apply("kvm1", event));
	ck_assert_int_eq(look()->hosts[0].silent_ms, 60000);
	event.silent_ms = 0;
	ck_assert(apply("kvm1", event));
}
END_TEST

START_TEST(free_huge_pages_are_known_by_size)
{
	struct facts_host *facts = calloc(1, sizeof(*facts));
	const struct snap_host *host;

	list("kvm1");
	ck_assert_int_eq(look()->hosts[0].hugepages_free, SNAPSHOT_UNKNOWN);
	ck_assert_int_eq(snapshot_hugepages_free(&look()->hosts[0], 2 << 20),
	    SNAPSHOT_UNKNOWN);
	ck_assert_ptr_nonnull(facts);
	facts->pages_known = true;
	facts->page_count = 2;
	facts->pages[0] = (struct facts_pages){2 << 20, 64 << 20};
	facts->pages[1] = (struct facts_pages){1 << 30, (int64_t)4 << 30};
	(void)apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = facts});
	host = &look()->hosts[0];
	ck_assert_int_eq(host->hugepages_free, ((int64_t)4 << 30) + (64 << 20));
	ck_assert_int_eq(snapshot_hugepages_free(host, 2 << 20), 64 << 20);
	ck_assert_int_eq(snapshot_hugepages_free(host, 4 << 20), 0);
	ck_assert_int_eq(
	    snapshot_hugepages_free(host, SNAPSHOT_UNKNOWN), (int64_t)4 << 30);
}
END_TEST

START_TEST(who_else_acts_on_a_host_is_known_until_told_otherwise)
{
	struct inventory_event event = {
	    .news = INVENTORY_CLAIMED, .open = true};

	list("kvm1");
	ck_assert(apply("kvm1", event));
	ck_assert(look()->hosts[0].claim_open);
	event.open = false;
	event.why = "another";
	ck_assert(apply("kvm1", event));
	ck_assert(!apply("kvm1", event));
	ck_assert(!look()->hosts[0].claim_open);
	ck_assert_str_eq(look()->hosts[0].claimed_by, "another");
	event.why = NULL;
	ck_assert(apply("kvm1", event));
	ck_assert_ptr_null(look()->hosts[0].claimed_by);
}
END_TEST

START_TEST(a_flag_outlives_the_connection_and_maintenance_cordons)
{
	struct inventory_event event = {.news = INVENTORY_FLAG_SET,
	    .maintenance = true,
	    .why = "disks",
	    .since = {77}};

	ck_assert(apply("kvm2", event));
	ck_assert(!apply("kvm2", event));
	list("kvm2");
	lose("kvm2");
	ck_assert(look()->hosts[1].maintenance && s->hosts[1].cordoned);
	ck_assert_str_eq(s->hosts[1].flag_why, "disks");
	ck_assert_int_eq(s->hosts[1].flag_since.ms, 77);
	ck_assert(apply(
	    "kvm2", (struct inventory_event){.news = INVENTORY_FLAG_SET}));
	ck_assert(!look()->hosts[1].cordoned);
	ck_assert_ptr_null(s->hosts[1].flag_why);
}
END_TEST

static char asked[1024];

static void
ask(const char *host, const struct snap_abi *abi, void *arg)
{
	(void)arg;
	ck_assert_ptr_nonnull(abi->key);
	strcat(asked, host);
	strcat(asked, " ");
}

static const char *
unchecked(void)
{
	asked[0] = '\0';
	inventory_each_unchecked_abi(inventory, ask, NULL);
	return asked;
}

static bool
answer(const char *host, enum snap_verdict verdict)
{
	return apply(host,
	    (struct inventory_event){.news = INVENTORY_ABI_CHECKED,
		.key = look()->vms[0].abi.key,
		.verdict = verdict,
		.why = "no avx"});
}

START_TEST(each_host_is_asked_once_about_each_abi_of_the_others)
{
	list("kvm1");
	/* kvm2 is not up: nobody to ask. */
	ck_assert_str_eq(unchecked(), "");
	apply("kvm2",
	    (struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.facts = make(1, sizeof(struct facts_host))});
	ck_assert_str_eq(unchecked(), "kvm2 ");
	ck_assert(answer("kvm2", SNAP_VERDICT_REJECTED));
	ck_assert(!answer("kvm2", SNAP_VERDICT_REJECTED));
	ck_assert_str_eq(unchecked(), "");
	ck_assert_int_eq(
	    look()->hosts[1].verdicts[0].verdict, SNAP_VERDICT_REJECTED);
	ck_assert_str_eq(s->hosts[1].verdicts[0].why, "no avx");
	ck_assert(answer("kvm2", SNAP_VERDICT_OK));
	ck_assert(answer("kvm2", SNAP_VERDICT_UNKNOWN));
	ck_assert_str_eq(unchecked(), "kvm2 ");
}
END_TEST

/* A host with one guest (A) that has the CPU of its host; NULL: which the
 * capabilities do not tell. */
static bool
list_passthrough(const char *host, const char *model)
{
	struct facts_host *facts = listing(0, 0);
	char xml[256];

	free(facts->domains[0].xml);
	facts->domains[0].xml = copy("<domain type='kvm'><os><type "
				     "arch='x86_64' machine='q35'/></os><cpu "
				     "mode='host-passthrough'/></domain>");
	snprintf(xml, sizeof(xml),
	    "<capabilities><host>%s%s%s</host></capabilities>",
	    model != NULL ? "<cpu><arch>x86_64</arch><model>" : "",
	    model != NULL ? model : "", model != NULL ? "</model></cpu>" : "");
	facts->capabilities_xml = copy(xml);
	return apply(host,
	    (struct inventory_event){
		.news = INVENTORY_HOST_LISTED, .facts = facts});
}

START_TEST(a_guest_with_its_hosts_cpu_is_asked_about_with_that)
{
	char first[256];

	ck_assert(list_passthrough("kvm1", "EPYC"));
	ck_assert_str_eq(look()->vms[0].abi.cpu_xml,
	    "<cpu><arch>x86_64</arch><model>EPYC</model></cpu>");
	ck_assert_ptr_null(s->vms[0].abi.incomparable);
	snprintf(first, sizeof(first), "%s", s->vms[0].abi.key);
	ck_assert(!list_passthrough("kvm1", "EPYC"));
	ck_assert_str_eq(look()->vms[0].abi.key, first);

	/* The same CPU at another host: the same question. */
	list_passthrough("kvm2", "EPYC");
	ck_assert_str_eq(look()->vms[1].abi.key, first);
	ck_assert_str_eq(unchecked(), "kvm1 kvm2 ");
	answer("kvm2", SNAP_VERDICT_OK);
	ck_assert_str_eq(unchecked(), "kvm1 ");

	/* Another CPU: another question, although the guest is the same. */
	ck_assert(list_passthrough("kvm1", "Nehalem"));
	ck_assert_str_ne(look()->vms[0].abi.key, first);
	ck_assert_ptr_nonnull(strstr(s->vms[0].abi.cpu_xml, "Nehalem"));
	ck_assert_str_eq(unchecked(), "kvm1 kvm2 ");
}
END_TEST

START_TEST(nobody_is_asked_about_a_cpu_that_its_host_does_not_tell)
{
	ck_assert(list_passthrough("kvm1", NULL));
	apply("kvm2",
	    (struct inventory_event){.news = INVENTORY_HOST_LISTED,
		.facts = make(1, sizeof(struct facts_host))});
	ck_assert_str_eq(look()->vms[0].abi.incomparable,
	    "the guest's CPU cannot be compared: it is that of kvm1 (mode "
	    "host-passthrough), whose capabilities do not name it");
	ck_assert_str_eq(unchecked(), "");
	ck_assert(list_passthrough("kvm1", "EPYC"));
	ck_assert_ptr_null(look()->vms[0].abi.incomparable);
	ck_assert_str_eq(unchecked(), "kvm2 ");
	ck_assert(list_passthrough("kvm1", NULL));
	ck_assert_ptr_nonnull(look()->vms[0].abi.incomparable);
	ck_assert_ptr_null(s->vms[0].abi.cpu_xml);
}
END_TEST

START_TEST(verdicts_are_forgotten_with_the_host)
{
	list("kvm1");
	list("kvm2");
	answer("kvm2", SNAP_VERDICT_OK);
	lose("kvm2");
	ck_assert_uint_eq(look()->hosts[1].verdict_count, 0);
	/* One that was under way. */
	ck_assert(!answer("kvm2", SNAP_VERDICT_OK));
	list("kvm2");
	ck_assert_str_eq(unchecked(), "kvm1 kvm2 ");
}
END_TEST

START_TEST(a_host_that_is_no_longer_configured_is_forgotten)
{
	list("kvm1");
	list("kvm2");
	configure(1);
	ck_assert_uint_eq(look()->host_count, 1);
	ck_assert_uint_eq(s->vm_count, 1);
	configure(2);
	ck_assert(!look()->hosts[1].known);
	ck_assert(s->hosts[0].up);
}
END_TEST

START_TEST(another_uri_is_another_machine)
{
	const char *before = hosts[0].uri;

	list("kvm1");
	apply("kvm1",
	    (struct inventory_event){
		.news = INVENTORY_FLAG_SET, .cordoned = true});
	hosts[0].uri = "qemu+tcp://10.0.0.99/system";
	configure(2);
	hosts[0].uri = before;
	ck_assert(!look()->hosts[0].known);
	ck_assert_uint_eq(s->vm_count, 0);
	ck_assert(s->hosts[0].cordoned);
}
END_TEST

static const struct {
	const char *uri;
	bool local;
} uris[] = {
    {"qemu:///system", true},
    {"qemu+unix:///system?socket=/run/x", true},
    {"test:///default", true},
    {"qemu+tcp://localhost/system", true},
    {"qemu+tcp://127.0.0.1:16509/system", true},
    {"qemu+tls://[::1]/system", true},
    {"qemu+ssh://root@localhost:22/system", true},
    {"qemu+tcp://10.0.0.1/system", false},
    {"qemu+tls://[fd00::2]:16514/system", false},
    {"qemu+ssh://root@kvm1.example.org/system?keyfile=/k", false},
};

START_TEST(a_local_uri_is_known_as_such)
{
	const char *before = hosts[1].uri;

	hosts[1].uri = uris[_i].uri;
	configure(2);
	hosts[1].uri = before;
	ck_assert_int_eq(look()->hosts[1].uri_local, uris[_i].local);
}
END_TEST

START_TEST(a_guest_is_found_where_it_is_most_alive)
{
	bool ambiguous;
	const struct snap_vm *vm;

	list("kvm1");
	list("kvm2");
	apply("kvm1",
	    (struct inventory_event){.news = INVENTORY_DOMAIN_READ,
		.domain = domain(A, "web1", DOMAIN_SHUTOFF)});
	look();
	ck_assert_uint_eq(s->vm_count, 2);
	ck_assert_uint_eq(snapshot_find_vm(s, A)->host, 1);
	vm = snapshot_search_vm(s, "web1", &ambiguous);
	ck_assert_ptr_eq(vm, snapshot_find_vm(s, A));
	ck_assert(!ambiguous);
	ck_assert_ptr_null(snapshot_find_vm(s, B));

	apply("kvm1",
	    (struct inventory_event){.news = INVENTORY_DOMAIN_READ,
		.domain = domain(B, "web1", DOMAIN_RUNNING)});
	look();
	ck_assert_ptr_null(snapshot_search_vm(s, "web1", &ambiguous));
	ck_assert(ambiguous);
	ck_assert_ptr_nonnull(snapshot_search_vm(s, B, &ambiguous));
	ck_assert_ptr_null(snapshot_search_vm(s, "web9", &ambiguous));
	ck_assert(!ambiguous);
	ck_assert_str_eq(snapshot_find_host(s, "kvm2")->name, "kvm2");
	ck_assert_ptr_null(snapshot_find_host(s, "kvm3"));
}
END_TEST

START_TEST(a_snapshot_outlives_what_it_was_taken_from)
{
	struct snap_move move = {
	    .uuid = A, .from = "kvm1", .to = "kvm2", .memory = 1024};
	struct snap_attempt attempt = {
	    .uuid = A, .to = "kvm2", .failures = 1, .why = "refused"};
	struct snapshot *taken;

	list("kvm1");
	taken = inventory_snapshot(inventory, &move, 1, &attempt, 1,
	    (struct mono){5}, (struct wall){6});
	inventory_free(inventory);
	inventory = inventory_new();
	ck_assert_str_eq(taken->vms[0].abi.machine, "q35");
	ck_assert_str_eq(taken->attempts[0].why, "refused");
	ck_assert(snapshot_is_moving(taken, A));
	ck_assert(!snapshot_is_moving(taken, B));
	snapshot_free(taken);
}
END_TEST

START_TEST(unknown_is_absent_from_json)
{
	json_t *json;

	look();
	json = view_host(s, &s->hosts[0], true);
	ck_assert_str_eq(
	    json_string_value(json_object_get(json, "state")), "down");
	ck_assert_ptr_nonnull(json_object_get(json, "down_reason"));
	ck_assert_ptr_null(json_object_get(json, "memory"));
	ck_assert_ptr_null(json_object_get(json, "cpu_used"));
	ck_assert_ptr_null(json_object_get(json, "cpus"));
	ck_assert_ptr_null(json_object_get(json, "vms"));
	ck_assert_ptr_null(json_object_get(json, "pools"));
	ck_assert_ptr_null(json_object_get(json, "since"));
	json_decref(json);
}
END_TEST

START_TEST(a_host_is_shown_with_its_guests_and_moves)
{
	struct snap_move move = {
	    .uuid = A, .from = "kvm1", .to = "kvm2", .memory = 1024};
	struct snapshot *taken;
	json_t *json;
	char *text;

	list("kvm1");
	list("kvm2");
	taken = inventory_snapshot(
	    inventory, &move, 1, NULL, 0, (struct mono){5}, (struct wall){6});
	json = view_host(taken, &taken->hosts[1], false);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text,
	    "{\"cordoned\":false,\"cpus\":4,"
	    "\"labels\":{},\"maintenance\":false,\"memory\":4096,"
	    "\"memory_free\":2048,\"memory_reserved_by_moves\":1024,"
	    "\"moves_in\":1,\"moves_out\":0,\"name\":\"kvm2\","
	    "\"reserve_memory\":0,\"state\":\"up\","
	    "\"uri\":\"qemu+tcp://10.0.0.2/system\",\"vms\":1,"
	    "\"vms_inactive\":0}");
	free(text);
	json_decref(json);
	json = view_vm(taken, &taken->vms[0], true);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text,
	    "{\"agent\":false,\"anchors\":[],\"arch\":\"x86_64\","
	    "\"autostart\":false,"
	    "\"disks\":[],\"host\":\"kvm1\",\"labels\":{},\"machine\":\"q35\","
	    "\"managed_save\":false,\"memory\":1048576,\"moving\":true,"
	    "\"name\":\"web1\","
	    "\"nics\":[],\"persistent\":false,\"pins\":[],"
	    "\"snapshots\":0,\"state\":\"running\","
	    "\"uuid\":\"" A "\",\"vcpus\":2}");
	free(text);
	json_decref(json);
	snapshot_free(taken);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("model");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_configured_host_is_unknown_until_it_is_listed);
	tcase_add_test(tc, a_listing_is_the_whole_truth);
	tcase_add_test(tc, the_same_listing_again_changes_no_decision);
	tcase_add_test(tc, news_of_a_host_that_is_not_configured_is_ignored);
	tcase_add_test(tc, a_lost_host_keeps_what_was_last_seen);
	tcase_add_test(tc, guests_come_change_and_go);
	tcase_add_test(tc, a_guest_whose_xml_is_not_understood_is_pinned);
	tcase_add_test(tc, load_is_the_difference_of_two_readings);
	tcase_add_test(tc, silence_counts_once_it_is_long);
	tcase_add_test(tc, free_huge_pages_are_known_by_size);
	tcase_add_test(
	    tc, who_else_acts_on_a_host_is_known_until_told_otherwise);
	tcase_add_test(
	    tc, a_flag_outlives_the_connection_and_maintenance_cordons);
	tcase_add_test(
	    tc, each_host_is_asked_once_about_each_abi_of_the_others);
	tcase_add_test(tc, a_guest_with_its_hosts_cpu_is_asked_about_with_that);
	tcase_add_test(
	    tc, nobody_is_asked_about_a_cpu_that_its_host_does_not_tell);
	tcase_add_test(tc, verdicts_are_forgotten_with_the_host);
	tcase_add_test(tc, a_host_that_is_no_longer_configured_is_forgotten);
	tcase_add_test(tc, another_uri_is_another_machine);
	tcase_add_loop_test(tc, a_local_uri_is_known_as_such, 0, ROWS(uris));
	tcase_add_test(tc, a_guest_is_found_where_it_is_most_alive);
	tcase_add_test(tc, a_snapshot_outlives_what_it_was_taken_from);
	tcase_add_test(tc, unknown_is_absent_from_json);
	tcase_add_test(tc, a_host_is_shown_with_its_guests_and_moves);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
