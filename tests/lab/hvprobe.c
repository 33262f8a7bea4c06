/*
 * The hypervisor layer by hand: connects to hosts through links, prints what
 * they report, and carries out commands from standard input.  Lab tests drive
 * it; a person can too.
 *
 *   hvprobe [--sample MS] [--verbose] HOST=URI[,MIGRATE_URI]...
 *
 *   up HOST                        waits for the host to be listed
 *   list HOST | hurry HOST
 *   migrate UUID FROM TO [strict] [bandwidth=B] [downtime=MS] [transient]
 *   job|last|abort|resume|destroy|undefine|read UUID HOST
 *   autostart UUID HOST on|off
 *   access HOST
 *   abi HOST EMULATOR ARCH MACHINE VIRT-TYPE [FILE-WITH-CPU-XML]
 *   load HOST on|off               prints load samples
 *   sleep MS | sync                sync: waits for all commands so far
 *
 * Commands run beside each other except after `up`, `sleep` and `sync`, which
 * hold up what follows.  At the end of input it waits for what runs, and exits
 * 1 when a command failed.  One line per fact:
 *
 *   MILLISECONDS HOST WHAT ...
 */
#include <event2/event.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "hv/explain.h"
#include "hv/hv.h"
#include "hv/link.h"

#define PROBE_HOSTS_MAX 16
#define PROBE_WORDS_MAX 10
#define PROBE_LINE_MAX 1024
#define PROBE_POLL_MS 100

struct host {
	char *name, *uri, *migrate_uri;
	struct link *link;
	bool listed, show_load;
};

struct op {
	char verb[16];
	struct host *host, *to;
	char uuid[HV_UUID_SIZE];
	char words[PROBE_WORDS_MAX][256];
	int count;
	struct hv_migrate how;
	struct mono began;
	struct loop_timer *poll;
	bool polling, over;
	int rc;
	struct err err;
	struct hv_job job;
	struct hv_access access;
	struct hv_abi_verdict verdict;
	struct facts_domain *domain;
};

static struct loop *loop;
static struct workers *workers;
static struct event *input;
static struct loop_timer *hold_timer;
static struct host hosts[PROBE_HOSTS_MAX];
static size_t host_count;
static struct mono began;
static char line[PROBE_LINE_MAX];
static size_t line_len;
static struct host *hold_host;
static bool hold_sync, hold_sleep, ended, failed;
static unsigned running;

static void probe_input_resume(void);

static void
say(const struct host *host, const char *what)
{
	(void)printf("%6" PRId64 " %s %s\n", mono_diff(clock_mono_now(), began),
	    host != NULL ? host->name : "-", what);
	(void)fflush(stdout);
}

static void __attribute__((format(printf, 2, 3)))
sayf(const struct host *host, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(host, text);
}

static struct host *
host_find(const char *name)
{
	for (size_t i = 0; i < host_count; i++) {
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	}
	return NULL;
}

static void
say_domain(const struct host *host, const struct facts_domain *d)
{
	sayf(host, "domain %s %s %s (%s)%s%s job=%s xml=%zu", d->uuid, d->name,
	    facts_state_name(d->state), facts_reason_name(d->reason),
	    d->persistent ? " persistent" : " transient",
	    d->autostart ? " autostart" : "",
	    d->job == DOMAIN_JOB_ACTIVE     ? "active"
		: d->job == DOMAIN_JOB_NONE ? "none"
					    : "unknown",
	    d->xml != NULL ? strlen(d->xml) : 0);
}

static void
say_load(const struct host *host, const struct facts_load *load)
{
	sayf(host,
	    "load memory=%" PRId64 "/%" PRId64 " busy_ms=%" PRId64
	    " idle_ms=%" PRId64 " domains=%zu",
	    load->memory_free, load->memory_total, load->cpu_busy_ns / 1000000,
	    load->cpu_idle_ns / 1000000, load->domain_count);
}

static void
on_listed(const char *name, struct facts_host *f, void *arg)
{
	struct host *host = host_find(name);

	(void)arg;
	sayf(host,
	    "listed hostname=%s uuid=%s libvirt=%" PRId64 " hv=%" PRId64
	    " cpus=%d domains=%zu pools=%zu%s networks=%zu%s interfaces=%zu%s",
	    f->hostname, f->host_uuid, f->libvirt_version,
	    f->hypervisor_version, f->cpus, f->domain_count, f->pool_count,
	    f->pools_known ? "" : "(unknown)", f->network_count,
	    f->networks_known ? "" : "(unknown)", f->interface_count,
	    f->interfaces_known ? "" : "(unknown)");
	for (size_t i = 0; i < f->domain_count; i++)
		say_domain(host, &f->domains[i]);
	for (size_t i = 0; i < f->pool_count; i++)
		sayf(host, "pool %s active=%d available=%" PRId64,
		    f->pools[i].name, f->pools[i].active,
		    f->pools[i].available);
	for (size_t i = 0; i < f->network_count; i++)
		sayf(host, "network %s active=%d bridge=%s",
		    f->networks[i].name, f->networks[i].active,
		    f->networks[i].bridge ? f->networks[i].bridge : "-");
	for (size_t i = 0; i < f->interface_count; i++)
		sayf(host, "interface %s", f->interfaces[i]);
	say_load(host, &f->load);
	facts_host_free(f);
	host->listed = true;
	probe_input_resume();
}

static void
on_lost(const char *name, const char *why, void *arg)
{
	struct host *host = host_find(name);

	(void)arg;
	host->listed = false;
	sayf(host, "lost %s", why);
}

static void
on_domain(const char *name, struct facts_domain *domain, void *arg)
{
	(void)arg;
	say_domain(host_find(name), domain);
	facts_domain_free(domain);
}

static void
on_domain_gone(const char *name, const char *uuid, void *arg)
{
	(void)arg;
	sayf(host_find(name), "gone %s", uuid);
}

static void
on_load(const char *name, struct facts_load *load, void *arg)
{
	struct host *host = host_find(name);

	(void)arg;
	if (host->show_load)
		say_load(host, load);
	facts_load_clear(load);
	free(load);
}

static void
on_silent(const char *name, int64_t silent_ms, void *arg)
{
	(void)arg;
	sayf(host_find(name), "silent %" PRId64, silent_ms);
}

static void
say_job(const struct host *host, const char *what, const struct hv_job *j)
{
	sayf(host,
	    "%s active=%d elapsed=%" PRId64 " downtime=%" PRId64
	    " total=%" PRId64 " done=%" PRId64 " left=%" PRId64 " rate=%" PRId64
	    " dirty=%" PRId64 " disk=%" PRId64 " iterations=%" PRId64,
	    what, j->active, j->elapsed_ms, j->downtime_ms, j->memory_total,
	    j->memory_done, j->memory_remaining, j->memory_rate, j->dirty_rate,
	    j->disk_total, j->iterations);
}

static void
on_event(const char *name, const struct hv_event *event, void *arg)
{
	struct host *host = host_find(name);

	(void)arg;
	sayf(host, "event %s %s", event->name[0] != '\0' ? event->name : "-",
	    event->detail);
	if (event->kind == HV_EVENT_JOB_DONE)
		say_job(host, "job-done", &event->job);
}

static const struct link_callbacks callbacks = {
    .listed = on_listed,
    .lost = on_lost,
    .domain = on_domain,
    .domain_gone = on_domain_gone,
    .load = on_load,
    .silent = on_silent,
    .event = on_event,
};

static void
op_free(struct op *op)
{
	loop_timer_free(op->poll);
	facts_domain_free(op->domain);
	free(op);
	running--;
	probe_input_resume();
}

static void
op_work(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct op *op = item;
	const char *v = op->verb;

	if (strcmp(v, "migrate") == 0)
		op->rc = ops->migrate(conn, &op->how, &op->err);
	else if (strcmp(v, "job") == 0)
		op->rc = ops->job(conn, op->uuid, &op->job, &op->err);
	else if (strcmp(v, "last") == 0)
		op->rc = ops->last_job(conn, op->uuid, &op->job, &op->err);
	else if (strcmp(v, "abort") == 0)
		op->rc = ops->abort(conn, op->uuid, &op->err);
	else if (strcmp(v, "resume") == 0)
		op->rc = ops->resume(conn, op->uuid, &op->err);
	else if (strcmp(v, "destroy") == 0)
		op->rc = ops->destroy(conn, op->uuid, &op->err);
	else if (strcmp(v, "undefine") == 0)
		op->rc = ops->undefine(conn, op->uuid, &op->err);
	else if (strcmp(v, "autostart") == 0)
		op->rc = ops->set_autostart(
		    conn, op->uuid, strcmp(op->words[3], "on") == 0, &op->err);
	else if (strcmp(v, "access") == 0)
		op->rc = ops->access(conn, &op->access, &op->err);
	else if (strcmp(v, "abi") == 0)
		op->rc = ops->check_abi(conn, op->words[2], op->words[3],
		    op->words[4], op->words[5],
		    op->count > 6 ? op->how.migrate_uri : NULL, &op->verdict,
		    &op->err);
	else if (strcmp(v, "read") == 0)
		op->rc =
		    (op->domain = ops->domain(conn, op->uuid, &op->err)) != NULL
		    ? 0
		    : -1;
}

static void
op_done(void *item, const struct err *err)
{
	struct op *op = item;
	int64_t ms = mono_diff(clock_mono_now(), op->began);
	const struct err *why = err->code != ERR_NONE ? err : &op->err;

	op->over = true;
	if (op->poll != NULL)
		loop_timer_clear(op->poll);
	if (err->code != ERR_NONE || op->rc < 0) {
		failed = true;
		sayf(op->host, "failed %s in %" PRId64 " ms: %s [%s] %s",
		    op->verb, ms, err_code_name(why->code),
		    hv_explain(why->msg)->token, why->msg);
	} else if (strcmp(op->verb, "job") == 0 ||
	    strcmp(op->verb, "last") == 0) {
		say_job(op->host, op->verb, &op->job);
	} else if (op->domain != NULL) {
		say_domain(op->host, op->domain);
	} else if (strcmp(op->verb, "abi") == 0) {
		sayf(op->host, "abi %s %s", op->verdict.ok ? "yes" : "no",
		    op->verdict.why);
	} else if (strcmp(op->verb, "access") == 0) {
		sayf(op->host, "access %s secure=%d writable=%d",
		    op->access.hostname, op->access.secure,
		    op->access.writable);
	} else {
		sayf(op->host, "done %s in %" PRId64 " ms", op->verb, ms);
	}
	if (strcmp(op->verb, "abi") == 0)
		free((void *)(uintptr_t)op->how.migrate_uri);
	if (!op->polling)
		op_free(op);
}

/* While a migration runs: its figures. */

struct poll {
	struct op *op;
	struct hv_job job;
	int rc;
};

static void
poll_work(const struct hv_ops *ops, struct hv_conn *conn, void *item)
{
	struct poll *poll = item;

	poll->rc = ops->job(conn, poll->op->uuid, &poll->job, NULL);
}

static void
poll_done(void *item, const struct err *err)
{
	struct poll *poll = item;
	struct op *op = poll->op;

	op->polling = false;
	if (err->code == ERR_NONE && poll->rc == 0)
		say_job(op->host, "job", &poll->job);
	free(poll);
	if (op->over)
		op_free(op);
	else
		loop_timer_set(op->poll, PROBE_POLL_MS);
}

static void
poll_start(void *arg)
{
	struct op *op = arg;
	struct poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		abort();
	poll->op = op;
	op->polling = true;
	link_call(op->host->link, WORKERS_NORMAL, poll_work, poll_done, poll);
}

static int
op_migrate(struct op *op)
{
	struct host *to = host_find(op->words[3]);

	if (op->count < 4 || to == NULL)
		return -1;
	op->how = (struct hv_migrate){
	    .uuid = op->uuid,
	    .dest_uri = to->uri,
	    .migrate_uri = to->migrate_uri,
	    .persistent = true,
	};
	for (int i = 4; i < op->count; i++) {
		const char *word = op->words[i];

		if (strcmp(word, "strict") == 0)
			op->how.paused = true;
		else if (strcmp(word, "transient") == 0)
			op->how.persistent = false;
		else if (strncmp(word, "bandwidth=", 10) == 0)
			op->how.bandwidth = atoll(word + 10);
		else if (strncmp(word, "downtime=", 9) == 0)
			op->how.max_downtime_ms = atoll(word + 9);
		else
			return -1;
	}
	op->poll = loop_timer_new(loop, poll_start, op);
	loop_timer_set(op->poll, PROBE_POLL_MS);
	link_call_long(op->host->link, op_work, op_done, op);
	return 0;
}

static char *
file_read(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "re");

	if (text == NULL || f == NULL)
		abort();
	(void)!fread(text, 1, 65535, f);
	(void)fclose(f);
	return text;
}

static int
op_start(struct op *op)
{
	bool first =
	    strcmp(op->verb, "abi") == 0 || strcmp(op->verb, "access") == 0;
	int at = first ? 1 : 2;

	if (op->count <= at || (op->host = host_find(op->words[at])) == NULL)
		return -1;
	if (!first)
		(void)snprintf(
		    op->uuid, sizeof(op->uuid), "%.36s", op->words[1]);
	op->began = clock_mono_now();
	if (strcmp(op->verb, "migrate") == 0)
		return op_migrate(op);
	if (strcmp(op->verb, "abi") == 0 && op->count < 6)
		return -1;
	if (strcmp(op->verb, "abi") == 0 && op->count > 6)
		op->how.migrate_uri = file_read(op->words[6]);
	link_call(op->host->link, WORKERS_CONTROL, op_work, op_done, op);
	return 0;
}

static int
command(char *text)
{
	struct op *op = calloc(1, sizeof(*op));
	struct host *host;
	char *save = NULL, *word;

	if (op == NULL)
		abort();
	for (word = strtok_r(text, " \t", &save);
	     word != NULL && op->count < PROBE_WORDS_MAX;
	     word = strtok_r(NULL, " \t", &save))
		(void)snprintf(
		    op->words[op->count++], sizeof(op->words[0]), "%s", word);
	if (op->count == 0) {
		free(op);
		return 0;
	}
	(void)snprintf(op->verb, sizeof(op->verb), "%.15s", op->words[0]);
	host = op->count > 1 ? host_find(op->words[1]) : NULL;
	if (strcmp(op->verb, "up") == 0 && host != NULL) {
		hold_host = host;
	} else if (strcmp(op->verb, "list") == 0 && host != NULL) {
		link_relist(host->link);
	} else if (strcmp(op->verb, "hurry") == 0 && host != NULL) {
		link_hurry(host->link);
	} else if (strcmp(op->verb, "load") == 0 && host != NULL) {
		host->show_load = strcmp(op->words[2], "on") == 0;
	} else if (strcmp(op->verb, "sync") == 0) {
		hold_sync = true;
	} else if (strcmp(op->verb, "sleep") == 0 && op->count > 1) {
		hold_sleep = true;
		loop_timer_set(hold_timer, atoll(op->words[1]));
	} else {
		running++;
		if (op_start(op) == 0)
			return 0;
		running--;
		free(op);
		return -1;
	}
	free(op);
	return 0;
}

static bool
is_held(void)
{
	if (hold_host != NULL && hold_host->listed)
		hold_host = NULL;
	if (running == 0)
		hold_sync = false;
	return hold_host != NULL || hold_sync || hold_sleep;
}

static void
on_input(evutil_socket_t fd, short what, void *arg)
{
	char c;

	(void)what;
	(void)arg;
	while (!is_held() && !ended) {
		if (read((int)fd, &c, 1) != 1) {
			ended = true;
			(void)event_del(input);
			break;
		}
		if (c != '\n') {
			if (line_len + 1 < sizeof(line))
				line[line_len++] = c;
			continue;
		}
		line[line_len] = '\0';
		line_len = 0;
		sayf(NULL, "command %s", line);
		if (command(line) < 0) {
			failed = true;
			say(NULL, "bad command");
		}
		break; /* back to the loop: more input wakes us again */
	}
	if (is_held())
		(void)event_del(input);
	if (ended && running == 0 && !is_held())
		loop_stop(loop);
}

static void
probe_input_resume(void)
{
	if (is_held())
		return;
	if (!ended)
		(void)event_add(input, NULL);
	else if (running == 0)
		loop_stop(loop);
}

static void
on_hold_timer(void *arg)
{
	(void)arg;
	hold_sleep = false;
	probe_input_resume();
}

static void
host_add(char *text, int64_t sample_ms)
{
	struct host *host = &hosts[host_count];
	char *uri = strchr(text, '=');
	char *migrate;

	if (uri == NULL || host_count == PROBE_HOSTS_MAX) {
		(void)fprintf(stderr, "hvprobe: HOST=URI[,MIGRATE_URI]\n");
		exit(2);
	}
	*uri++ = '\0';
	migrate = strchr(uri, ',');
	if (migrate != NULL)
		*migrate++ = '\0';
	host->name = text;
	host->uri = uri;
	host->migrate_uri = migrate;
	host_count++;
	host->link = link_new(loop, workers, &hv_libvirt, host->name, uri,
	    sample_ms, &callbacks, NULL);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"sample", required_argument, NULL, 's'},
	    {"verbose", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};
	int64_t sample_ms = 2000;
	struct err err;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			sample_ms = atoll(optarg);
		else if (c == 'v')
			log_set_level(LOG_LEVEL_DEBUG);
		else
			return 2;
	}
	began = clock_mono_now();
	loop = loop_new();
	if (loop == NULL || hv_libvirt_start(&err) < 0) {
		(void)fprintf(stderr, "hvprobe: cannot start\n");
		return 1;
	}
	workers = workers_new(loop);
	hold_timer = loop_timer_new(loop, on_hold_timer, NULL);
	input = event_new(loop_base(loop), STDIN_FILENO, EV_READ | EV_PERSIST,
	    on_input, NULL);
	for (int i = optind; i < argc; i++)
		host_add(argv[i], sample_ms);
	(void)event_add(input, NULL);
	(void)loop_run(loop);

	for (size_t i = 0; i < host_count; i++)
		link_close(hosts[i].link);
	workers_free(workers, 3000);
	loop_timer_free(hold_timer);
	event_free(input);
	loop_free(loop);
	return failed ? 1 : 0;
}
