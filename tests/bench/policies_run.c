/*
 * What one evaluation of many policies over a large site costs, part by part, in
 * processor time; tests/bench/policies runs it.
 *
 *	policies_run HOSTS GUESTS POLICIES ROUNDS [print]
 *
 * Prints for each part: name, and the median of milliseconds.  With `print` it
 * writes the decisions as JSON instead, so that two builds can be compared.
 *
 * The site is built from what hosts would tell: listings, load, answers about
 * CPUs, surveys.  Most guests have their disks in pools that are one by their
 * network source, every eighth has local ones.  Three hosts are busy for long enough,
 * one is in maintenance, a few have alerts, a few moves are under way; everything
 * else is quiet, as it is in a site that is well.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "decide/evaluate.h"
#include "model/inventory.h"

#define GIB ((int64_t)1 << 30)
#define CORES 64
#define HOST_MEMORY (512 * GIB)
#define TEXT_MAX ((size_t)4 << 20)
#define RACKS 20
#define READINGS 8
#define READING_MS 10000
#define BEGIN_MS 1000000
#define MOVES 4
#define PARTS 8

static int host_count, guest_count;
static struct mono now = {BEGIN_MS};
static const struct wall wall = {INT64_C(1790000000000)};
static struct inventory *inventory;
static struct settings *settings;

static void *
make(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL)
		abort();
	return p;
}

__attribute__((format(printf, 1, 2))) static char *
text(const char *fmt, ...)
{
	char line[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return strdup(line);
}

/* ---- what the hosts tell ---- */

static char *
host_name(int h)
{
	static char name[16];

	snprintf(name, sizeof(name), "kvm%04d", h);
	return name;
}

static char *
guest_uuid(int g)
{
	static char uuid[40];

	/* Not in the order of the hosts. */
	snprintf(uuid, sizeof(uuid), "%08x-0000-4000-8000-%012x",
	    (unsigned)g * 2654435761u, (unsigned)g);
	return uuid;
}

static bool
guest_is_local(int g)
{
	return g % 8 == 7;
}

static void
tell(struct inventory_event event)
{
	event.now = now;
	(void)inventory_apply(inventory, &event);
}

static void
fill_guest(struct facts_domain *domain, int g)
{
	static const char shared[] =
	    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' "
	    "cache='none'/><source file='/srv/nfs/g%05d.qcow2'/><target "
	    "dev='vda'/></disk>",
			  local[] =
			      "<disk type='file' device='disk'><driver "
			      "name='qemu' type='qcow2' cache='none'/><source "
			      "file='/var/lib/libvirt/images/g%05d.qcow2'/>"
			      "<target dev='vda'/></disk>";
	static const int gib[] = {2, 4, 4, 8, 8, 16, 32, 8};
	static const char *const apps[] = {
	    "web", "db", "cache", "batch", "dns"};
	char xml[4096], disk[400];

	snprintf(disk, sizeof(disk), guest_is_local(g) ? local : shared, g);
	snprintf(xml, sizeof(xml),
	    "<domain type='kvm'><name>g%05d</name><uuid>%s</uuid><metadata>"
	    "<drover:labels xmlns:drover='urn:drover:1'><drover:label "
	    "name='app'>%s</drover:label><drover:label name='set'>s%d"
	    "</drover:label></drover:labels></metadata><memory unit='GiB'>%d"
	    "</memory><vcpu>%d</vcpu><os><type arch='x86_64' "
	    "machine='pc-q35-7.2'>hvm</type></os><cpu mode='custom' "
	    "match='exact'><model>%s</model></cpu><devices><emulator>"
	    "/usr/bin/qemu-system-x86_64</emulator>%s<interface type='bridge'>"
	    "<source bridge='br%d'/></interface><channel type='unix'><target "
	    "type='virtio' name='org.qemu.guest_agent.0'/></channel>"
	    "</devices></domain>",
	    g, guest_uuid(g), apps[g % 5], g / 5, gib[g % 8], 2 + g % 3 * 2,
	    g % 2 == 0 ? "Nehalem" : "Skylake-Server", disk, g % 4);
	*domain = (struct facts_domain){.name = text("g%05d", g),
	    .uuid = strdup(guest_uuid(g)),
	    .state = DOMAIN_RUNNING,
	    .persistent = true,
	    .job = DOMAIN_JOB_NONE,
	    .xml = strdup(xml)};
}

static void
fill_storage(struct facts_host *facts)
{
	static const char nfs[] =
	    "<pool type='netfs'><source><host name='nas%d'/><dir path='/v%d'/>"
	    "<format type='nfs'/></source><target><path>%s</path></target>"
	    "</pool>",
			  dir[] = "<pool type='dir'><target><path>"
				  "/var/lib/libvirt/images</path></target>"
				  "</pool>";
	char xml[400];

	facts->pools_known = true;
	facts->pools = make(4, sizeof(facts->pools[0]));
	for (int i = 0; i < 3; i++) {
		snprintf(xml, sizeof(xml), nfs, i, i,
		    i == 0       ? "/srv/nfs"
			: i == 1 ? "/srv/iso"
				 : "/srv/old");
		facts->pools[i] = (struct facts_pool){text("nfs%d", i), true,
		    strdup(xml), 9000 * GIB, 4000 * GIB, 5000 * GIB};
	}
	facts->pools[3] = (struct facts_pool){strdup("default"), true,
	    strdup(dir), 4000 * GIB, 1000 * GIB, 3000 * GIB};
	facts->pool_count = 4;
}

static void
list_host(int h)
{
	struct facts_host *facts = make(1, sizeof(*facts));
	int per_host = guest_count / host_count;

	facts->cpus = CORES;
	facts->host_uuid = text("%08d-1111-4000-8000-%012d", h + 1, 4 * h + 1);
	facts->libvirt_version = 9000000;
	facts->hypervisor_version = 7002000;
	facts->domains = make((size_t)per_host, sizeof(facts->domains[0]));
	facts->domain_count = (size_t)per_host;
	for (int i = 0; i < per_host; i++)
		fill_guest(&facts->domains[i], h * per_host + i);
	fill_storage(facts);
	facts->networks_known = true;
	facts->interfaces_known = true;
	facts->interfaces = make(6, sizeof(facts->interfaces[0]));
	for (int i = 0; i < 4; i++)
		facts->interfaces[i] = text("br%d", i);
	facts->interfaces[4] = strdup("eno1");
	facts->interfaces[5] = strdup("eno2");
	facts->interface_count = 6;
	facts->load.memory_total = HOST_MEMORY;
	facts->load.memory_free = HOST_MEMORY / 3;
	tell((struct inventory_event){.news = INVENTORY_HOST_LISTED,
	    .host = host_name(h),
	    .facts = facts});
}

/* Three of them are busy. */
static double
host_share(int h)
{
	return h % (host_count / 3) == 5 ? 0.95 : 0.2 + h % 23 * 0.01;
}

static void
read_load(int h, int reading)
{
	struct facts_load load = {.memory_total = HOST_MEMORY,
	    .memory_free = HOST_MEMORY / 3 + h % 50 * GIB,
	    .guests_only = reading % 2 == 1,
	    .disks = true};
	int per_host = guest_count / host_count;
	double ns = (double)(now.ms - BEGIN_MS) * 1e6, share = host_share(h);

	load.cpu_busy_ns = (int64_t)(ns * share * CORES) + 1;
	load.domains = make((size_t)per_host, sizeof(load.domains[0]));
	load.domain_count = (size_t)per_host;
	for (int i = 0; i < per_host; i++) {
		struct facts_domain_load *d = &load.domains[i];
		double cores = share * (1 + i % 3);

		*d = (struct facts_domain_load){
		    .uuid = strdup(guest_uuid(h * per_host + i)),
		    .cpu_ns = (int64_t)(ns * cores) + 1,
		    .vcpu_ns = (int64_t)(ns * cores) + 1,
		    .delay_ns = (int64_t)(ns * cores / 100) + 1,
		    .net_bytes = (int64_t)(reading * 1000000 * (1 + i % 7)),
		    .disk_requests = reading * 500 * (1 + i % 5)};
	}
	tell((struct inventory_event){
	    .news = INVENTORY_LOAD_READ, .host = host_name(h), .load = &load});
}

static void
survey_guest(int g)
{
	struct facts_survey *survey = make(1, sizeof(*survey));
	int64_t bytes = (20 + g % 60) * GIB;

	survey->uuid = strdup(guest_uuid(g));
	survey->dirty_rate = 1 << 20;
	survey->dirty_window_ms = FACTS_SAMPLE_MS;
	survey->memory_rss = 2 * GIB;
	survey->disks = make(1, sizeof(survey->disks[0]));
	survey->disk_count = 1;
	survey->disks[0] = (struct facts_disk){.target = strdup("vda"),
	    .path =
		text(guest_is_local(g) ? "/var/lib/libvirt/images/g%05d.qcow2"
				       : "/srv/nfs/g%05d.qcow2",
		    g),
	    .format = strdup("qcow2"),
	    .pool = strdup(guest_is_local(g) ? "default" : "nfs0"),
	    .volume = text("g%05d.qcow2", g),
	    .capacity = 100 * GIB,
	    .allocation = bytes,
	    .top_allocation = bytes};
	tell((struct inventory_event){.news = INVENTORY_SURVEYED,
	    .host = host_name(g / (guest_count / host_count)),
	    .survey = survey});
}

struct question {
	char host[16];
	char *key;
};

struct questions {
	struct question *all;
	size_t count, cap;
};

static void
note_question(const char *host, const struct snap_abi *abi, void *arg)
{
	struct questions *q = arg;

	if (q->count == q->cap) {
		q->cap = 2 * q->cap + 1024;
		q->all = realloc(q->all, q->cap * sizeof(q->all[0]));
		if (q->all == NULL)
			abort();
	}
	snprintf(q->all[q->count].host, sizeof(q->all[0].host), "%s", host);
	q->all[q->count++].key = strdup(abi->key);
}

static void
build_site(void)
{
	struct questions q = {0};

	inventory = inventory_new();
	inventory_configure(inventory, settings);
	for (int h = 0; h < host_count; h++)
		list_host(h);
	for (int reading = 0; reading < READINGS; reading++) {
		for (int h = 0; h < host_count; h++)
			read_load(h, reading);
		now.ms += READING_MS;
	}
	for (int g = 0; g < guest_count; g++)
		survey_guest(g);
	inventory_each_unchecked_abi(inventory, note_question, &q);
	for (size_t i = 0; i < q.count; i++) {
		tell((struct inventory_event){.news = INVENTORY_ABI_CHECKED,
		    .host = q.all[i].host,
		    .key = q.all[i].key,
		    .verdict = SNAP_VERDICT_OK});
		free(q.all[i].key);
	}
	free(q.all);
	tell((struct inventory_event){.news = INVENTORY_FLAG_SET,
	    .host = host_name(host_count / 2),
	    .maintenance = true,
	    .why = "new disks",
	    .since = wall});
}

/* ---- the policies ---- */

static void
add_policy(struct buf *buf, int i)
{
	static const char *const modes[] = {"auto", "observe", "approve"};
	int rack = i / 10 % RACKS;

	buf_addf(buf, "  - name: p%03d\n    mode: %s\n    priority: %d\n", i,
	    modes[i % 3], i % 7);
	switch (i % 10) {
	case 0:
	case 1:
		buf_addf(buf,
		    "    hosts: up and not maintenance and labels.row = "
		    "\"%d\"\n"
		    "    when: { host: cpu > %d%%, for: 1m, until: cpu < 60%% "
		    "}\n"
		    "    select: { vm: cpu > 5%% and state = \"running\", "
		    "order: busiest-first, max: 2, until: cpu < 70%% }\n"
		    "    target: { require: cpu_after < 70%% and memory_after "
		    "< 95%%, prefer: [ labels.rack != host.labels.rack ], "
		    "spread_by: rack }\n"
		    "    gain: 10%%\n    cooldown: { guest: 30m, host: 5m }\n"
		    "    throttle: { moves: 10, per: 1h }\n",
		    i / 10 % 4, 80 + i % 9);
		break;
	case 2:
		buf_addf(buf,
		    "    hosts: labels.rack = \"r%d\"\n    when:\n      any:\n"
		    "        - { host: memory > 92%%, for: 3m, until: memory < "
		    "85%% }\n"
		    "        - { host: swap_in > 10MiB/s and memory > 80%%, "
		    "for: "
		    "2m }\n"
		    "    select: { order: cheapest-first, max: 1 }\n"
		    "    strategy:\n"
		    "      - { if: dirty_rate > 1GiB/s, use: skip }\n"
		    "      - { use: default }\n",
		    rack);
		break;
	case 3:
		buf_addf(buf,
		    "    when: { vm: cpu > 97%% and labels.app = \"web\" and "
		    "age > 1h, for: 5m }\n    select: { max: 1 }\n");
		break;
	case 4:
		buf_addf(buf,
		    "    when: { vm: disk.iops > %d and name like \"g1*\", "
		    "for: "
		    "5m, until: disk.iops < 500 }\n",
		    5000 + i);
		break;
	case 5:
		if (i == 5)
			buf_addf(buf,
			    "    when: { vm: storage = \"local\" and cpu > "
			    "99%%, for: 5m }\n");
		else
			buf_addf(buf,
			    "    when: { cluster: cpu_stddev > %d%% and "
			    "hosts_up > 1, for: 10m }\n"
			    "    actions: [ balance ]\n",
			    25 + i % 30);
		break;
	case 6:
		buf_addf(buf,
		    "    hosts: not maintenance\n    when: { event: type = "
		    "\"Disk%d\" and severity = \"critical\" }\n"
		    "    actions: [ set_maintenance, notify ]\n",
		    i);
		break;
	case 7:
		buf_addf(buf,
		    "    forbid: vm.labels.app = \"db\" and "
		    "target.labels.rack = \"r%d\" and host.labels.rack != "
		    "\"r%d\"\n",
		    rack, rack);
		break;
	case 8:
		buf_addf(buf,
		    "    when: { host: cpu > 90%% and labels.rack = \"r%d\", "
		    "for: 1m }\n"
		    "    forbid: vm.memory > 16GiB or target.vms_after > %d\n",
		    rack, 40 + i);
		break;
	case 9:
		buf_addf(buf,
		    "    when: { all: [ { host: vms > %d }, { cluster: "
		    "hosts_up > 10 } ] }\n    actions: [ notify ]\n",
		    60 + i);
		break;
	}
}

static void
add_fixed_policies(struct buf *buf)
{
	buf_adds(buf,
	    "version: 1\n"
	    "placement:\n"
	    "  - { name: sets, apart: set, strength: hard }\n"
	    "  - { name: racks, spread_by: rack, vms: labels.app = "
	    "\"web\" }\n"
	    "policies:\n"
	    "  - name: maintenance\n    mode: auto\n    priority: 100\n"
	    "    when: { host: maintenance }\n"
	    "    select: { order: largest-first }\n");
}

static void
load_settings(int policies)
{
	struct buf main_file = BUF_INIT(TEXT_MAX), file = BUF_INIT(TEXT_MAX),
		   why = BUF_INIT(TEXT_MAX);
	struct settings_file files[2];
	struct diag_list diags;

	buf_adds(&main_file, "version: 1\nhosts:\n");
	for (int h = 0; h < host_count; h++)
		buf_addf(&main_file,
		    "  - { name: %s, uri: \"qemu+tcp://10.%d.%d.%d/system\", "
		    "labels: { rack: r%d, row: \"%d\" } }\n",
		    host_name(h), h / 62500, h / 250 % 250, h % 250 + 1,
		    h % RACKS, h % 4);
	add_fixed_policies(&file);
	for (int i = 0; i + 1 < policies; i++)
		add_policy(&file, i);
	files[0] = (struct settings_file){
	    SETTINGS_MAIN, "drover.yaml", buf_str(&main_file), main_file.len};
	files[1] = (struct settings_file){
	    SETTINGS_POLICIES, "bench.yaml", buf_str(&file), file.len};
	diag_init(&diags);
	settings = settings_parse(files, 2, "/etc/drover", &diags);
	diag_print(&diags, &why);
	if (settings == NULL) {
		fprintf(stderr, "%s", buf_str(&why));
		exit(1);
	}
	diag_free(&diags);
	buf_free(&main_file);
	buf_free(&file);
	buf_free(&why);
}

/* ---- measuring ---- */

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
print_decisions(const struct evaluation *evaluation)
{
	for (size_t i = 0; i < evaluation->decision_count; i++) {
		json_t *o = explain_decision(&evaluation->decisions[i]);
		char *line = json_dumps(o, JSON_SORT_KEYS);

		puts(line);
		free(line);
		json_decref(o);
	}
	printf("wake %lld\n", (long long)evaluation->wake.ms);
}

static struct snapshot *
take(void)
{
	struct snap_alert alerts[3] = {{.name = "Disk66",
	    .severity = "warning",
	    .since = {INT64_C(1789999000000)}}};
	const char *hosts[] = {"kvm0001", "kvm0002", "kvm0003"};
	struct snap_move moves[MOVES];
	char names[MOVES][3][40];
	struct snapshot *s;

	for (int i = 0; i < MOVES; i++) {
		int from = 20 + i, g = from * (guest_count / host_count);

		snprintf(names[i][0], 40, "%s", guest_uuid(g));
		snprintf(names[i][1], 40, "%s", host_name(from));
		snprintf(names[i][2], 40, "%s", host_name(from + MOVES));
		moves[i] = (struct snap_move){.uuid = names[i][0],
		    .from = names[i][1],
		    .to = names[i][2],
		    .memory = 4 * GIB};
	}
	alerts[1] = alerts[2] = alerts[0];
	s = inventory_snapshot(inventory, moves, MOVES, NULL, 0, now, wall);
	snapshot_set_alerts(s, alerts, hosts, 3);
	return s;
}

/* One guest was read, and is not as it was. */
static double
measure_news(int g, int round)
{
	struct facts_domain *domain = make(1, sizeof(*domain));
	double at;

	fill_guest(domain, g);
	domain->snapshots = 1 + round;
	at = now_ms();
	tell((struct inventory_event){.news = INVENTORY_DOMAIN_READ,
	    .host = host_name(g / (guest_count / host_count)),
	    .domain = domain});
	return now_ms() - at;
}

int
main(int argc, char **argv)
{
	double *took[PARTS], at;
	static const char *const names[PARTS] = {
	    "snapshot", "watch_look", "evaluate", "free", "both", "news"};
	struct watch *watch = watch_new();
	int rounds;
	bool print = argc > 5;

	if (argc < 5) {
		fprintf(stderr,
		    "usage: policies_run HOSTS GUESTS POLICIES ROUNDS "
		    "[print]\n");
		return 2;
	}
	host_count = atoi(argv[1]);
	guest_count = atoi(argv[2]);
	rounds = atoi(argv[4]);
	load_settings(atoi(argv[3]));
	build_site();
	for (int i = 0; i < PARTS; i++)
		took[i] = make((size_t)rounds, sizeof(double));
	/* The first look begins what others wait for. */
	for (int r = -1; r < rounds; r++) {
		int n = r < 0 ? 0 : r;
		struct arena *arena = arena_new((size_t)2 << 30);
		struct evaluate_input input = {
		    .settings = settings, .watch = watch};
		struct evaluation *evaluation;
		struct snapshot *s;

		at = now_ms();
		s = take();
		took[0][n] = now_ms() - at;
		input.snapshot = s;
		input.now = s->taken;
		at = now_ms();
		watch_look(watch, settings, NULL, s, now, wall);
		took[1][n] = now_ms() - at;
		at = now_ms();
		evaluation = evaluate(arena, &input);
		took[2][n] = now_ms() - at;
		if (print && r == rounds - 1)
			print_decisions(evaluation);
		if (!print && r == rounds - 1)
			printf("decisions %zu\n", evaluation->decision_count);
		at = now_ms();
		arena_free(arena);
		snapshot_free(s);
		took[3][n] = now_ms() - at;
		took[4][n] = took[1][n] + took[2][n];
		if (!print)
			took[5][n] = measure_news(777 % guest_count, n);
		if (r < 0) {
			/* Loads stay fresh while the conditions ripen. */
			for (int t = 0; t < 8; t++) {
				now.ms += READING_MS;
				for (int h = 0; h < host_count; h++)
					read_load(h, READINGS + t);
				watch_look(watch, settings, NULL, s = take(),
				    now, wall);
				snapshot_free(s);
			}
		}
	}
	for (int i = 0; !print && names[i] != NULL; i++) {
		qsort(took[i], (size_t)rounds, sizeof(double), compare);
		printf("%s %.2f\n", names[i], took[i][rounds / 2]);
	}
	for (int i = 0; i < PARTS; i++)
		free(took[i]);
	watch_free(watch);
	inventory_free(inventory);
	settings_free(settings);
	return 0;
}
