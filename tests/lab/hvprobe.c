/*
 * The hypervisor layer by hand: connects to hosts through links, prints what
 * they report, and carries out commands from standard input.  Lab tests drive
 * it; a person can too.
 *
 *   hvprobe [--sample MS] [--verbose] HOST=URI[,MIGRATE_URI]...
 *
 *   up HOST                        waits for the host to be listed
 *   list HOST | hurry HOST
 *   load HOST on|off               prints load samples
 *   sleep MS | sync                sync: waits for all commands so far
 *   VERB ...                       see the table in hvprobe_ops.c, or --help
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

#include "base/log.h"
#include "hvprobe.h"

#define PROBE_HOSTS_MAX 16
#define PROBE_LINE_MAX 1024

struct loop *probe_loop;
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

void
probe_say(const struct host *host, const char *fmt, ...)
{
	va_list ap;

	(void)printf("%6" PRId64 " %s ", mono_diff(clock_mono_now(), began),
	    host != NULL ? host->name : "-");
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
	(void)fflush(stdout);
}

struct host *
probe_host(const char *name)
{
	for (size_t i = 0; i < host_count; i++) {
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	}
	return NULL;
}

void
probe_say_domain(const struct host *host, const struct facts_domain *d)
{
	probe_say(host,
	    "domain %s %s %s (%s)%s%s job=%s snapshots=%d "
	    "checkpoints=%d%s xml=%zu",
	    d->uuid, d->name, facts_state_name(d->state),
	    facts_reason_name(d->reason),
	    d->persistent ? " persistent" : " transient",
	    d->autostart ? " autostart" : "",
	    d->job == DOMAIN_JOB_ACTIVE     ? "active"
		: d->job == DOMAIN_JOB_NONE ? "none"
					    : "unknown",
	    d->snapshots, d->checkpoints, d->managed_save ? " saved" : "",
	    d->xml != NULL ? strlen(d->xml) : 0);
}

static void
say_load(const struct host *host, const struct facts_load *load)
{
	probe_say(host,
	    "load memory=%" PRId64 "/%" PRId64 " busy_ms=%" PRId64
	    " idle_ms=%" PRId64 " domains=%zu",
	    load->memory_free, load->memory_total, load->cpu_busy_ns / 1000000,
	    load->cpu_idle_ns / 1000000, load->domain_count);
}

static void
on_listed(const char *name, struct facts_host *f, void *arg)
{
	struct host *host = probe_host(name);

	(void)arg;
	probe_say(host,
	    "listed hostname=%s uuid=%s libvirt=%" PRId64 " hv=%" PRId64
	    " cpus=%d domains=%zu pools=%zu%s networks=%zu%s interfaces=%zu%s",
	    f->hostname, f->host_uuid, f->libvirt_version,
	    f->hypervisor_version, f->cpus, f->domain_count, f->pool_count,
	    f->pools_known ? "" : "(unknown)", f->network_count,
	    f->networks_known ? "" : "(unknown)", f->interface_count,
	    f->interfaces_known ? "" : "(unknown)");
	for (size_t i = 0; i < f->domain_count; i++)
		probe_say_domain(host, &f->domains[i]);
	for (size_t i = 0; i < f->pool_count; i++)
		probe_say(host, "pool %s active=%d available=%" PRId64,
		    f->pools[i].name, f->pools[i].active,
		    f->pools[i].available);
	for (size_t i = 0; i < f->network_count; i++)
		probe_say(host, "network %s active=%d bridge=%s",
		    f->networks[i].name, f->networks[i].active,
		    f->networks[i].bridge ? f->networks[i].bridge : "-");
	for (size_t i = 0; i < f->interface_count; i++)
		probe_say(host, "interface %s", f->interfaces[i]);
	say_load(host, &f->load);
	facts_host_free(f);
	host->listed = true;
	probe_input_resume();
}

static void
on_lost(const char *name, const char *why, void *arg)
{
	struct host *host = probe_host(name);

	(void)arg;
	host->listed = false;
	probe_say(host, "lost %s", why);
}

static void
on_domain(const char *name, struct facts_domain *domain, void *arg)
{
	(void)arg;
	probe_say_domain(probe_host(name), domain);
	facts_domain_free(domain);
}

static void
on_domain_gone(const char *name, const char *uuid, void *arg)
{
	(void)arg;
	probe_say(probe_host(name), "gone %s", uuid);
}

static void
on_load(const char *name, struct facts_load *load, void *arg)
{
	struct host *host = probe_host(name);

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
	probe_say(probe_host(name), "silent %" PRId64, silent_ms);
}

void
probe_say_job(const struct host *host, const char *what, const struct hv_job *j)
{
	probe_say(host,
	    "%s active=%d elapsed=%" PRId64 " downtime=%" PRId64
	    " total=%" PRId64 " done=%" PRId64 " left=%" PRId64 " rate=%" PRId64
	    " dirty=%" PRId64 " disk=%" PRId64 " disk-done=%" PRId64
	    " disk-left=%" PRId64 " iterations=%" PRId64,
	    what, j->active, j->elapsed_ms, j->downtime_ms, j->memory_total,
	    j->memory_done, j->memory_remaining, j->memory_rate, j->dirty_rate,
	    j->disk_total, j->disk_done, j->disk_remaining, j->iterations);
}

static void
on_event(const char *name, const struct hv_event *event, void *arg)
{
	struct host *host = probe_host(name);

	(void)arg;
	probe_say(host, "event %s %s",
	    event->name[0] != '\0' ? event->name : "-", event->detail);
	if (event->kind == HV_EVENT_JOB_DONE)
		probe_say_job(host, "job-done", &event->job);
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

void
probe_op_ended(bool op_failed)
{
	failed = failed || op_failed;
	running--;
	probe_input_resume();
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
	host = op->count > 1 ? probe_host(op->words[1]) : NULL;
	if (strcmp(op->words[0], "up") == 0 && host != NULL) {
		hold_host = host;
	} else if (strcmp(op->words[0], "list") == 0 && host != NULL) {
		link_relist(host->link);
	} else if (strcmp(op->words[0], "hurry") == 0 && host != NULL) {
		link_hurry(host->link);
	} else if (strcmp(op->words[0], "load") == 0 && host != NULL) {
		host->show_load = strcmp(op->words[2], "on") == 0;
	} else if (strcmp(op->words[0], "sync") == 0) {
		hold_sync = true;
	} else if (strcmp(op->words[0], "sleep") == 0 && op->count > 1) {
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
		probe_say(NULL, "command %s", line);
		if (command(line) < 0) {
			failed = true;
			probe_say(NULL, "bad command");
		}
		break; /* back to the loop: more input wakes us again */
	}
	if (is_held())
		(void)event_del(input);
	if (ended && running == 0 && !is_held())
		loop_stop(probe_loop);
}

static void
probe_input_resume(void)
{
	if (is_held())
		return;
	if (!ended)
		(void)event_add(input, NULL);
	else if (running == 0)
		loop_stop(probe_loop);
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
	host->link = link_new(probe_loop, workers, &hv_libvirt, host->name, uri,
	    sample_ms, &callbacks, NULL);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"sample", required_argument, NULL, 's'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
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
		else {
			op_usage();
			return 2;
		}
	}
	began = clock_mono_now();
	probe_loop = loop_new();
	if (probe_loop == NULL || hv_libvirt_start(&err) < 0) {
		(void)fprintf(stderr, "hvprobe: cannot start\n");
		return 1;
	}
	workers = workers_new(probe_loop);
	hold_timer = loop_timer_new(probe_loop, on_hold_timer, NULL);
	input = event_new(loop_base(probe_loop), STDIN_FILENO,
	    EV_READ | EV_PERSIST, on_input, NULL);
	for (int i = optind; i < argc; i++)
		host_add(argv[i], sample_ms);
	(void)event_add(input, NULL);
	(void)loop_run(probe_loop);

	for (size_t i = 0; i < host_count; i++)
		link_close(hosts[i].link);
	workers_free(workers, 3000);
	loop_timer_free(hold_timer);
	event_free(input);
	loop_free(probe_loop);
	return failed ? 1 : 0;
}
