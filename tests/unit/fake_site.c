/*
 * The hosts, under one lock.  A migration that hangs waits on a condition; whoever
 * aborts, finishes or detaches it wakes all.
 */
#include "fake_site_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOWNTIME_MS 42
#define GIB ((int64_t)1 << 30)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
struct site_guest guests[SITE_HOSTS][SITE_GUESTS];
static struct {
	enum site_mood mood;
	char error[160];
} moods[SITE_HOSTS];
static struct {
	bool hangs, aborted, detached, paused;
	int from, to;
} flights[SITE_GUESTS];
static int migrations, hanging;
int twice;
static struct hv_job job_told;
static struct site_asked last_asked;
static void (*watcher)(const char *what, const char *uuid);

/* Not one per open: at the end links leave connections to the process's end. */
static struct hv_conn conns[SITE_HOSTS] = {{0}, {1}, {2}, {3}};

void
site_lock(void)
{
	(void)pthread_mutex_lock(&lock);
}

void
site_unlock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

void
site_reset(void)
{
	site_lock();
	memset(guests, 0, sizeof(guests));
	memset(moods, 0, sizeof(moods));
	memset(flights, 0, sizeof(flights));
	migrations = hanging = twice = 0;
	watcher = NULL;
	memset(&job_told, 0, sizeof(job_told));
	site_reset_disks();
	site_unlock();
}

const char *
site_uuid(int n)
{
	static char texts[SITE_GUESTS][HV_UUID_SIZE];

	if (texts[n][0] == '\0')
		(void)snprintf(texts[n], sizeof(texts[n]),
		    "bbbbbbbb-0000-0000-0000-%012d", n);
	return texts[n];
}

int
site_number(const char *uuid)
{
	int n = atoi(uuid + strlen("bbbbbbbb-0000-0000-0000-"));

	return n >= 0 && n < SITE_GUESTS ? n : 0;
}

void
site_add_guest(int host, int n)
{
	struct site_guest *g = &guests[host - 1][n];

	site_lock();
	*g = (struct site_guest){.present = true,
	    .defined = true,
	    .state = DOMAIN_RUNNING,
	    .memory = GIB,
	    .bridge = "br0"};
	(void)snprintf(g->uuid, sizeof(g->uuid), "%s", site_uuid(n));
	(void)snprintf(g->name, sizeof(g->name), "vm%d", n);
	site_unlock();
}

void
site_set_mood(int host, enum site_mood mood, const char *error)
{
	site_lock();
	moods[host - 1].mood = mood;
	(void)snprintf(moods[host - 1].error, sizeof(moods[0].error), "%s",
	    error != NULL ? error : "");
	site_unlock();
}

void
site_set_bridge(int n, const char *bridge)
{
	site_lock();
	for (int h = 0; h < SITE_HOSTS; h++)
		guests[h][n].bridge = bridge;
	site_unlock();
}

void
site_set_autostart(int n)
{
	site_lock();
	for (int h = 0; h < SITE_HOSTS; h++)
		guests[h][n].autostart = guests[h][n].present;
	site_unlock();
}

struct site_guest
site_look(int host, int n)
{
	struct site_guest g;

	site_lock();
	g = guests[host - 1][n];
	site_unlock();
	return g;
}

int
site_running_at(int host)
{
	int count = 0;

	site_lock();
	for (int n = 0; n < SITE_GUESTS; n++)
		count += guests[host - 1][n].present &&
		    guests[host - 1][n].state == DOMAIN_RUNNING;
	site_unlock();
	return count;
}

static int
read_int(const int *value)
{
	int v;

	site_lock();
	v = *value;
	site_unlock();
	return v;
}

int
site_twice(void)
{
	return read_int(&twice);
}

int
site_migrations(void)
{
	return read_int(&migrations);
}

int
site_hanging(void)
{
	return read_int(&hanging);
}

struct site_asked
site_asked(void)
{
	struct site_asked copy_of;

	site_lock();
	copy_of = last_asked;
	site_unlock();
	return copy_of;
}

int
site_downtime_ms(void)
{
	return DOWNTIME_MS;
}

void
site_set_job(const struct hv_job *job)
{
	site_lock();
	job_told = *job;
	site_unlock();
}

void
site_watch(void (*fn)(const char *what, const char *uuid))
{
	site_lock();
	watcher = fn;
	site_unlock();
}

void
site_tell(const char *what, const char *uuid)
{
	void (*fn)(const char *, const char *);

	site_lock();
	fn = watcher;
	site_unlock();
	if (fn != NULL)
		fn(what, uuid);
}

/* ---- connections ---- */

static struct hv_conn *
site_open(const char *uri, hv_event_fn on_event, void *arg, struct err *err)
{
	const char *at = strstr(uri, "//kvm");
	int host = at != NULL ? atoi(at + 5) : 0;

	(void)on_event;
	(void)arg;
	if (host < 1 || host > SITE_HOSTS) {
		(void)err_set(err, ERR_UNREACHABLE, "%s: no such host", uri);
		return NULL;
	}
	return &conns[host - 1];
}

static void
site_close(struct hv_conn *conn)
{
	(void)conn;
}

/* ---- what a host tells ---- */

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		abort();
	return c;
}

static char *
make_xml(const struct site_guest *g)
{
	char *xml = malloc(2048);
	char shared[64];

	if (xml == NULL)
		abort();
	(void)snprintf(shared, sizeof(shared), "/srv/images/%s.qcow2", g->name);
	(void)snprintf(xml, 2048,
	    "<domain type='kvm'><name>%s</name>"
	    "<uuid>%s</uuid><memory unit='b'>%lld</memory><vcpu>1</vcpu>"
	    "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
	    "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
	    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' "
	    "cache='none'/><source file='%s'/>"
	    "<target dev='vda' bus='virtio'/></disk><interface type='bridge'>"
	    "<source bridge='%s'/></interface></devices></domain>",
	    g->name, g->uuid, (long long)g->memory,
	    g->layer[0] != '\0'      ? g->layer
		: g->disk[0] != '\0' ? g->disk
				     : shared,
	    g->bridge);
	return xml;
}

static void
fill_domain(const struct site_guest *g, struct facts_domain *out)
{
	*out = (struct facts_domain){
	    .name = copy(g->name),
	    .uuid = copy(g->uuid),
	    .state = g->state,
	    .reason = g->reason,
	    .persistent = g->defined,
	    .autostart = g->autostart,
	    .job = g->job ? DOMAIN_JOB_ACTIVE : DOMAIN_JOB_NONE,
	    .xml = make_xml(g),
	};
}

static int
site_load(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	(void)conn;
	(void)err;
	*out = (struct facts_load){.memory_total = 64 * GIB,
	    .memory_free = 60 * GIB,
	    .cpu_busy_ns = 1,
	    .cpu_idle_ns = 1000};
	return 0;
}

static struct facts_host *
site_list(struct hv_conn *conn, struct err *err)
{
	struct facts_host *f = calloc(1, sizeof(*f));
	char text[64];

	if (f == NULL)
		abort();
	(void)snprintf(text, sizeof(text), "kvm%d", conn->host + 1);
	f->hostname = copy(text);
	(void)snprintf(text, sizeof(text), "cccccccc-0000-0000-0000-%012d",
	    conn->host + 1);
	f->host_uuid = copy(text);
	f->libvirt_version = 9000000;
	f->hypervisor_version = 7002000;
	f->cpus = 16;
	f->pools_known = f->networks_known = f->interfaces_known = true;
	f->interfaces = calloc(1, sizeof(*f->interfaces));
	f->domains = calloc(SITE_GUESTS, sizeof(*f->domains));
	if (f->interfaces == NULL || f->domains == NULL)
		abort();
	f->interfaces[f->interface_count++] = copy("br0");
	(void)site_load(conn, &f->load, err);
	site_lock();
	for (int n = 0; n < SITE_GUESTS; n++) {
		if (guests[conn->host][n].present)
			fill_domain(&guests[conn->host][n],
			    &f->domains[f->domain_count++]);
	}
	site_unlock();
	return f;
}

static struct facts_domain *
site_domain(struct hv_conn *conn, const char *uuid, struct err *err)
{
	const struct site_guest *g = &guests[conn->host][site_number(uuid)];
	struct facts_domain *d = NULL;

	site_lock();
	if (g->present) {
		d = calloc(1, sizeof(*d));
		if (d == NULL)
			abort();
		fill_domain(g, d);
	}
	site_unlock();
	if (d == NULL)
		(void)err_set(err, ERR_NOT_FOUND, "Domain not found");
	return d;
}

static int
site_access(struct hv_conn *conn, struct hv_access *out, struct err *err)
{
	(void)conn;
	(void)err;
	*out = (struct hv_access){.secure = true, .writable = true};
	return 0;
}

static int
site_check_abi(struct hv_conn *conn, const char *emulator, const char *arch,
    const char *machine, const char *virt_type, const char *cpu_xml,
    struct hv_abi_verdict *out, struct err *err)
{
	(void)conn;
	(void)emulator;
	(void)arch;
	(void)machine;
	(void)virt_type;
	(void)cpu_xml;
	(void)err;
	out->ok = true;
	return 0;
}

/* ---- migration ---- */

/* With the lock held.  The guest is now at the target. */
static void
arrive(int from, int to, int n, bool paused)
{
	struct site_guest *s = &guests[from][n], *d = &guests[to][n];

	*d = *s;
	site_disks_arrive(from, to, n);
	d->job = d->autostart = false;
	d->state = paused ? DOMAIN_PAUSED : DOMAIN_RUNNING;
	d->reason = paused ? DOMAIN_REASON_USER : DOMAIN_REASON_MIGRATED;
	memset(s, 0, sizeof(*s));
	for (int h = 0; h < SITE_HOSTS; h++)
		twice += h != to && guests[h][n].present &&
		    guests[h][n].state == DOMAIN_RUNNING;
}

static int
hang(int from, int to, int n, bool paused, struct err *err)
{
	struct site_guest *s = &guests[from][n], *d = &guests[to][n];

	s->job = true;
	*d = *s;
	d->defined = d->autostart = false;
	d->state = DOMAIN_PAUSED;
	d->reason = DOMAIN_REASON_MIGRATION;
	flights[n].hangs = true;
	flights[n].aborted = flights[n].detached = false;
	flights[n].paused = paused;
	flights[n].from = from;
	flights[n].to = to;
	hanging++;
	while (flights[n].hangs && !flights[n].aborted && !flights[n].detached)
		(void)pthread_cond_wait(&changed, &lock);
	hanging--;
	if (flights[n].detached)
		return err_set(err, ERR_UNREACHABLE, "connection lost");
	if (!flights[n].aborted)
		return 0;
	flights[n].hangs = false;
	s->job = false;
	memset(d, 0, sizeof(*d));
	return err_set(err, ERR_ABORTED,
	    "operation aborted: migration out "
	    "job: canceled by client");
}

int
site_host_of(const char *uri)
{
	const char *at = strstr(uri, "//kvm");

	return at != NULL ? atoi(at + 5) - 1 : 0;
}

static int
site_migrate(
    struct hv_conn *conn, const struct hv_migrate *how, struct err *err)
{
	int n = site_number(how->uuid), to = site_host_of(how->dest_uri),
	    rc = 0;
	struct site_guest *s = &guests[conn->host][n];
	struct site_guest *d = &guests[to][n];

	site_tell("migrate", how->uuid);
	site_lock();
	migrations++;
	last_asked = (struct site_asked){.bandwidth = how->bandwidth,
	    .max_downtime_ms = how->max_downtime_ms,
	    .paused = how->paused,
	    .auto_converge = how->auto_converge,
	    .postcopy = how->postcopy,
	    .incremental = how->incremental,
	    .unsafe_ok = how->unsafe_ok,
	    .copies = how->copy_count,
	    .edits = how->edit_count};
	if (!s->present || s->state != DOMAIN_RUNNING || d->present) {
		rc = err_set(err, ERR_REFUSED, "domain is not running");
	} else {
		switch (moods[to].mood) {
		case SITE_TAKES:
			arrive(conn->host, to, n, how->paused);
			break;
		case SITE_FAILS_LATE:
			*d = *s;
			d->state = DOMAIN_SHUTOFF;
			d->reason = DOMAIN_REASON_FAILED;
			s->reason = DOMAIN_REASON_MIGRATION_CANCELED;
			__attribute__((fallthrough));
		case SITE_REFUSES:
			rc = err_set(err, ERR_REFUSED, "%s", moods[to].error);
			break;
		case SITE_HANGS:
			rc = hang(conn->host, to, n, how->paused, err);
			break;
		}
	}
	site_unlock();
	return rc;
}

void
site_detach(void)
{
	site_lock();
	for (int n = 0; n < SITE_GUESTS; n++)
		flights[n].detached = flights[n].hangs;
	(void)pthread_cond_broadcast(&changed);
	site_unlock();
}

void
site_finish(bool arrives)
{
	site_lock();
	for (int n = 0; n < SITE_GUESTS; n++) {
		int from = flights[n].from, to = flights[n].to;

		if (!flights[n].hangs)
			continue;
		flights[n].hangs = false;
		guests[from][n].job = false;
		if (arrives)
			arrive(from, to, n, flights[n].paused);
		else
			memset(&guests[to][n], 0, sizeof(guests[to][n]));
	}
	(void)pthread_cond_broadcast(&changed);
	site_unlock();
}

static int
site_abort(struct hv_conn *conn, const char *uuid, struct err *err)
{
	int n = site_number(uuid), rc = 0;

	site_lock();
	if (flights[n].hangs && flights[n].from == conn->host)
		flights[n].aborted = true;
	else
		rc = err_set(err, ERR_REFUSED, "no job is active");
	(void)pthread_cond_broadcast(&changed);
	site_unlock();
	return rc;
}

static void
fill_job(struct hv_job *out, bool active)
{
	*out = (struct hv_job){.active = active,
	    .elapsed_ms = 1000,
	    .downtime_ms = DOWNTIME_MS,
	    .memory_total = GIB,
	    .memory_done = active ? GIB / 4 : GIB,
	    .memory_remaining = active ? GIB / 4 * 3 : 0,
	    .memory_rate = GIB,
	    .dirty_rate = 0,
	    .disk_total = 0,
	    .disk_done = 0,
	    .disk_remaining = 0,
	    .iterations = active ? 1 : FACTS_UNKNOWN};
}

static int
site_job(
    struct hv_conn *conn, const char *uuid, struct hv_job *out, struct err *err)
{
	struct site_guest g = site_look(conn->host + 1, site_number(uuid));

	if (!g.present)
		return err_set(err, ERR_NOT_FOUND, "Domain not found");
	fill_job(out, g.job);
	site_lock();
	if (g.job && job_told.active)
		*out = job_told;
	site_unlock();
	return 0;
}

static int
site_last_job(
    struct hv_conn *conn, const char *uuid, struct hv_job *out, struct err *err)
{
	struct site_guest g = site_look(conn->host + 1, site_number(uuid));

	if (!g.present)
		return err_set(err, ERR_NOT_FOUND, "Domain not found");
	fill_job(out, false);
	return 0;
}

/* ---- repairs ---- */

static int
site_resume(struct hv_conn *conn, const char *uuid, struct err *err)
{
	int n = site_number(uuid), rc = 0;
	struct site_guest *g = &guests[conn->host][n];

	site_tell("resume", uuid);
	site_lock();
	if (!g->present)
		rc = err_set(err, ERR_NOT_FOUND, "Domain not found");
	else
		g->state = DOMAIN_RUNNING;
	g->reason = DOMAIN_REASON_OTHER;
	for (int h = 0; h < SITE_HOSTS; h++)
		twice += h != conn->host && guests[h][n].present &&
		    guests[h][n].state == DOMAIN_RUNNING;
	site_unlock();
	return rc;
}

static int
site_destroy(struct hv_conn *conn, const char *uuid, struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];

	(void)err;
	site_lock();
	g->state = DOMAIN_SHUTOFF;
	g->reason = DOMAIN_REASON_DESTROYED;
	g->present = g->defined;
	site_unlock();
	return 0;
}

static int
site_undefine(struct hv_conn *conn, const char *uuid, struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];
	int rc = 0;

	site_lock();
	if (g->state != DOMAIN_SHUTOFF)
		rc = err_set(err, ERR_CONFLICT, "the domain is active");
	else
		memset(g, 0, sizeof(*g));
	site_unlock();
	return rc;
}

static int
site_autostart(struct hv_conn *conn, const char *uuid, bool on, struct err *err)
{
	(void)err;
	site_lock();
	guests[conn->host][site_number(uuid)].autostart = on;
	site_unlock();
	return 0;
}

const struct hv_ops site_ops = {
    .open = site_open,
    .close = site_close,
    .list = site_list,
    .domain = site_domain,
    .load = site_load,
    .access = site_access,
    .check_abi = site_check_abi,
    .migrate = site_migrate,
    .job = site_job,
    .last_job = site_last_job,
    .abort = site_abort,
    .resume = site_resume,
    .destroy = site_destroy,
    .undefine = site_undefine,
    .set_autostart = site_autostart,
    .set_bandwidth = site_set_bandwidth,
    .set_max_downtime = site_set_max_downtime,
    .start_postcopy = site_start_postcopy,
    .suspend = site_suspend,
    .prepare = site_prepare,
    .remove = site_remove,
    .locate = site_locate,
    .has_file = site_has_file,
    .copy = site_copy,
    .freeze = site_freeze,
    .merge = site_merge,
    .shutdown = site_shutdown,
    .start = site_start,
    .export = site_export,
    .define = site_define,
    .carry = site_carry,
    .forget = site_forget,
};
